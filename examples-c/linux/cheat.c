/*
 * A fault for demonstrations: this device signs two transactions with one number. The library does not lend a hand: it is done as a
 * thief would who copies a device's flash. The process is split, both halves have the same keys and the same chain, and each
 * signs a next transaction of its own. Neighbours find the contradiction, prove it, and freeze this device.
 */
#include "device.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void submit(device_t *device, const char *text)
{
    uint32_t ticket;
    (void)iotedge_node_submit_data(device->node, clock_now(), 0, (const uint8_t *)text, strlen(text), &ticket);
}

static void rest(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    (void)nanosleep(&time, NULL);
}

void cheat(device_t *device)
{
    pid_t copy;
    fflush(stdout);
    fprintf(stderr, "iotedge-device: signs two transactions with one number now (--equivocate-at)\n");
    copy = fork();
    if (copy < 0) {
        perror("iotedge-device: fork");
        return;
    }
    if (copy == 0) {
        device->store.discard = 1;
        submit(device, "the one story");
        for (int i = 0; i < 10; i++) {
            device_pump(device);
            rest(20);
        }
        _exit(0); /* Not exit: what is buffered is the other half's to print. */
    }
    submit(device, "the other story");
    device_pump(device);
    (void)waitpid(copy, NULL, 0);
}
