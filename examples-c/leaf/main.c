/*
 * iotedge-leaf: a sensor too small to hold the ledger's window, behind nodes that hold it.
 *
 *     iotedge-leaf device.json STORE 127.0.0.1:9001 GATEWAY NODE NODE ... [SECONDS]
 *     iotedge-leaf --serial /dev/ttyUSB0 device.json STORE 127.0.0.1:9001 NODE NODE ... [SECONDS]
 *
 * It says how long it has been up, every two seconds, through whichever neighbour is its head, and believes none of them alone. The library's part of it is
 * IOTEDGE_LEAF_SIZE bytes; UDP, the serial line to the gateway, store and device file are those of examples-c/linux.
 */
#include "line.h"
#include "options.h"
#include "platform.h"
#include "udp.h"

#include <iotedge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY = 2000, MOST = 8 };

static uint64_t memory[IOTEDGE_LEAF_SIZE / 8];
static store_t store;
static udp_t udp;
static line_t line;
static identity_t identity;

static iotedge_leaf_t *start(void)
{
    iotedge_leaf_config_t config;
    iotedge_platform_t platform = platform_of(&store);
    iotedge_leaf_t *leaf = NULL;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.clock_offset = clock_offset();
    config.authority = &identity.authority;
    config.seed = identity.seed;
    config.certificate = identity.certificate;
    config.certificate_len = identity.certificate_len;
    config.issuer = identity.issuer_len > 0 ? identity.issuer : NULL;
    config.issuer_len = identity.issuer_len;
    int32_t status = iotedge_leaf_init(memory, sizeof memory, &config, &platform, &leaf);
    if (status != IOTEDGE_OK) {
        fprintf(stderr, "iotedge-leaf: it does not start: %s\n", iotedge_status_name(status));
    }
    return leaf;
}

/* A reading goes into the store; it is signed and sent when its neighbours agree on what it stands on. */
static void say(iotedge_leaf_t *leaf, uint64_t now)
{
    iotedge_reading_t reading;
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 0;
    uint32_t ticket = 0;
    memset(&reading, 0, sizeof reading);
    reading.size = (uint32_t)sizeof reading;
    (void)snprintf(reading.name, sizeof reading.name, "leaf/up");
    (void)snprintf(reading.unit, sizeof reading.unit, "s");
    reading.mantissa = (int64_t)(now / 1000);
    if (iotedge_reading_encode(NULL, &reading, 1, pack, sizeof pack, &len) == IOTEDGE_OK) {
        /* IOTEDGE_E_BUSY: the one before still waits; the next will do. */
        (void)iotedge_leaf_submit_data(leaf, now, pack, len, &ticket);
    }
}

static void tell(const iotedge_event_t *event)
{
    switch (event->kind) {
    case IOTEDGE_EVENT_ENROL_ACCEPTED:
        puts("the gateway lets it in with the next table");
        break;
    case IOTEDGE_EVENT_ENROL_REFUSED:
        printf("the gateway refuses it: status %u\n", (unsigned)event->code);
        break;
    case IOTEDGE_EVENT_MEMBER:
        printf("member %u\n", (unsigned)event->member);
        break;
    case IOTEDGE_EVENT_SENT:
        printf("number %u is signed\n", (unsigned)event->code);
        break;
    case IOTEDGE_EVENT_GRADED:
        puts(event->code == IOTEDGE_GRADE_SETTLED ? "settled" : event->code == IOTEDGE_GRADE_DEAD ? "dead" : "witnessed");
        break;
    case IOTEDGE_EVENT_HEAD_SUSPECTED:
        printf("neighbour %u did not do its part; another is asked\n", (unsigned)event->code);
        break;
    case IOTEDGE_EVENT_REJECTED:
        printf("rejected: %s\n", iotedge_status_name((int32_t)event->code));
        break;
    default:
        break;
    }
    (void)fflush(stdout);
}

static void loop(iotedge_leaf_t *leaf, uint64_t end)
{
    static uint8_t frame[IOTEDGE_MAX_FRAME];
    uint64_t next = clock_now() + EVERY;
    for (uint64_t now = clock_now(); end == 0 || now < end; now = clock_now()) {
        const uint8_t *out;
        iotedge_event_t event;
        uint64_t due = now + 1000;
        uint32_t peer;
        size_t len;
        while (line_receive(&line, now, &out, &len)) {
            (void)iotedge_leaf_receive(leaf, now, LINE_PEER, out, len);
        }
        while (udp_receive(&udp, &peer, frame, sizeof frame, &len)) {
            (void)iotedge_leaf_receive(leaf, now, peer, frame, len); /* What is refused needs no action. */
        }
        if (now >= next) {
            next = now + EVERY;
            say(leaf, now);
        }
        memset(&event, 0, sizeof event);
        event.size = (uint32_t)sizeof event;
        while (iotedge_leaf_next_event(leaf, &event) == IOTEDGE_OK) {
            tell(&event);
        }
        while (iotedge_leaf_next_frame(leaf, now, &peer, &out, &len) == IOTEDGE_OK) {
            if (line.port != NULL && peer == LINE_PEER) {
                line_send(&line, now, out, len);
            } else {
                udp_send(&udp, now, peer, out, len);
            }
        }
        (void)iotedge_leaf_next_deadline(leaf, &due);
        due = due < next ? due : next;
        line_wait(&line, &udp, due > now ? due - now : 0);
    }
}

int main(int argc, char **argv)
{
    char *rest = NULL;
    const char *serial = argc > 2 && strcmp(argv[1], "--serial") == 0 ? argv[2] : NULL;
    if (serial != NULL) {
        argc -= 2;
        argv += 2;
    }
    unsigned long seconds = argc > 5 ? strtoul(argv[argc - 1], &rest, 10) : 0;
    int limited = rest != NULL && *rest == 0;
    int neighbours = argc - 4 - limited;
    if (neighbours < 1 || neighbours > MOST) {
        fprintf(stderr,
                "usage: iotedge-leaf device.json STORE LISTEN GATEWAY NODE... [SECONDS]   (1 to %d neighbours)\n"
                "       iotedge-leaf --serial TTY|tcp:ADDR:PORT device.json STORE LISTEN NODE... [SECONDS]   (the gateway is at the line's end)\n",
                MOST);
        return 2;
    }
    if (identity_read(&identity, argv[1]) != 0 || store_open(&store, argv[2]) != 0 || udp_open(&udp, argv[3]) != 0) {
        fprintf(stderr, "iotedge-leaf: %s, %s or %s cannot be used\n", argv[1], argv[2], argv[3]);
        return 1;
    }
    if (serial != NULL && line_open(&line, serial) != 0) {
        fprintf(stderr, "iotedge-leaf: --serial %s cannot be used\n", serial);
        return 1;
    }
    iotedge_leaf_t *leaf = start();
    if (leaf != NULL && serial != NULL && iotedge_leaf_add_peer(leaf, (uint32_t)udp_skip_peer(&udp), 1) != IOTEDGE_OK) {
        return 1;
    }
    for (int i = 0; leaf != NULL && i < neighbours; i++) {
        int peer = udp_add_peer(&udp, argv[4 + i]);
        if (peer < 0 || iotedge_leaf_add_peer(leaf, (uint32_t)peer, i == 0 && serial == NULL) != IOTEDGE_OK) {
            fprintf(stderr, "iotedge-leaf: %s is no address\n", argv[4 + i]);
            return 1;
        }
    }
    if (leaf == NULL) {
        return 1;
    }
    loop(leaf, limited ? clock_now() + seconds * 1000 : 0);
    iotedge_leaf_status_t status;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    (void)iotedge_leaf_status(leaf, &status);
    printf("%u numbers, %u not settled yet\n", (unsigned)status.number, (unsigned)status.unsettled);
    (void)iotedge_leaf_deinit(leaf);
    udp_close(&udp);
    line_close(&line);
    return 0;
}
