/* The state of this program, shared by its files. */
#ifndef DEVICE_H
#define DEVICE_H

#include "book.h"
#include "channel.h"
#include "element.h"
#include "line.h"
#include "meter.h"
#include "options.h"
#include "platform.h"
#include "udp.h"

#include <stdio.h>

#define DEVICE_MAX_MEMBERS 256

typedef struct device {
    options_t options;
    iotedge_node_t *node;
    element_t element; /* Holds a P-256 key; an Ed25519 key is the node's own. */
    store_t store;
    udp_t udp;
    line_t line; /* To the gateway, where it is not reached by UDP. */
    book_t book;
    channel_owner_t channel; /* Sells its readings sealed, where it is wanted. */
    channel_reader_t reader; /* Buys a neighbour's. */
    meter_seller_t seller;   /* What others pay it by the unit, and what it pays. */
    meter_buyer_t buyer;
    uint32_t first_neighbour; /* Among the peers; before it is the gateway. */
    FILE *journal; /* NULL: none is kept. */
    int64_t offset;
    uint64_t started;
    unsigned next_sensor;
    uint32_t absent; /* Bit i: sensor i is not on this machine. */
    /* When a member was last paid, in local time. */
    uint64_t paid[DEVICE_MAX_MEMBERS];
    uint64_t last_purchase;
    uint64_t next_exit;
    int exited; /* Once for each start. */

    uint32_t readings_sent, payments_sent, readings_heard, readings_unreadable, payments_received;
    uint64_t value_paid, value_received;
    uint32_t witnessed, quorum, settled, anchored, dead, reissued, receipts_verified, receipts_wrong;
    uint32_t equivocations, frozen, recoveries, silences, lost_events, submissions_refused;
    uint32_t frozen_members[8];
} device_t;

/* device.c. Milliseconds since 1970, and how its node stands: 0, or -1. */
uint64_t device_time(const device_t *device);
int device_status(const device_t *device, iotedge_node_status_t *status);

/* One turn of the loop each. */
void device_pump(device_t *device);
void device_receive(device_t *device);
void device_publish(device_t *device);
void device_exit(device_t *device);

/* own.c: what became of a transaction of this device. */
void own_event(device_t *device, const iotedge_event_t *event);

/* report.c */
void report_second(const device_t *device);
void report_summary(const device_t *device);
/* Appends what became of a transaction to the journal, safe from the end of this process. */
void report_journal(const device_t *device, const char *what, const uint8_t *id, uint64_t when);
/* Writes bytes as DIR/NAME, where NAME is the id in hex and the suffix. */
void report_file(const device_t *device, const uint8_t *id, const char *suffix, const uint8_t *bytes, size_t len);

/* cheat.c: signs two transactions with one number, for demonstrations. */
void cheat(device_t *device);

#endif
