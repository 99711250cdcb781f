/*
 * A fault for demonstrations: this device signs two transactions with one number. The library does not lend a hand: it is done as a
 * thief would who copies a device's flash. The store is copied and the process split: both halves have the same keys and the same chain,
 * and each signs a next transaction of its own. Neighbours find the contradiction, prove it, and freeze this device.
 */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

static int copy_file(const char *from, const char *to)
{
    char bytes[4096];
    size_t len;
    int result = -1;
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    if (in != NULL && out != NULL) {
        do {
            len = fread(bytes, 1, sizeof bytes, in);
        } while (len > 0 && fwrite(bytes, 1, len, out) == len);
        result = ferror(in) || ferror(out) ? -1 : 0;
    }
    if (in != NULL) {
        fclose(in);
    }
    if (out != NULL && fclose(out) != 0) {
        result = -1;
    }
    return result;
}

/* Copies the store beside itself. */
static int copy_store(const store_t *from, store_t *to)
{
    DIR *entries;
    int result = 0;
    *to = *from;
    if (strlen(from->folder) + 6 >= sizeof to->folder) {
        return -1;
    }
    strcat(to->folder, ".copy");
    entries = opendir(from->folder);
    if (entries == NULL || (mkdir(to->folder, 0700) != 0 && errno != EEXIST)) {
        result = -1;
    }
    while (result == 0) {
        char source[800];
        char target[800];
        struct dirent *entry = readdir(entries);
        if (entry == NULL) {
            break;
        }
        if (entry->d_name[0] == '.') {
            continue;
        }
        if (snprintf(source, sizeof source, "%s/%s", from->folder, entry->d_name) >= (int)sizeof source ||
            snprintf(target, sizeof target, "%s/%s", to->folder, entry->d_name) >= (int)sizeof target ||
            copy_file(source, target) != 0) {
            result = -1;
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    return result;
}

void cheat(device_t *device)
{
    store_t stolen;
    pid_t copy;
    if (copy_store(&device->store, &stolen) != 0) {
        perror("iotedge-device: copying the store");
        return;
    }
    fflush(stdout);
    fprintf(stderr, "iotedge-device: signs two transactions with one number now (--equivocate-at)\n");
    copy = fork();
    if (copy < 0) {
        perror("iotedge-device: fork");
        return;
    }
    if (copy == 0) {
        device->store = stolen;
        submit(device, "the one story");
        /* Long enough to announce it and to hear who asks for it: the other half waits, so the socket is this one's. */
        for (int i = 0; i < 25; i++) {
            device_receive(device);
            device_pump(device);
            rest(20);
        }
        _exit(0); /* Not exit: what is buffered is the other half's to print. */
    }
    submit(device, "the other story");
    device_pump(device);
    (void)waitpid(copy, NULL, 0);
}
