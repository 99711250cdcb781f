/* A stream of sealed readings over the ledger: an owner that sells it, and a reader that buys it. What a vendor copies of it: channel_owner.c or channel_reader.c. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <iotedge.h>

enum { CHANNEL_BATCH = 8, CHANNEL_READERS = 16, CHANNEL_CUSTOMERS = 32, CHANNEL_KEY = 0x100, READER_KEY = 0x110, READER_SKIPPED = 32 };

struct device;

/* Somebody who asked for the channel. Lost with a reset: who may read is in the channel's own store, who paid in the meter's, and who still waits asks again. */
typedef struct {
    int used;
    uint32_t member;
    int asked;
    int granted;
    int lapsed;     /* To be revoked as soon as nothing else is due. */
    uint64_t since; /* When it was first waited for; 0: it is not. */
    uint8_t key[32];
} customer_t;

typedef struct {
    int wanted;
    uint32_t number;
    uint64_t price; /* Micro-tokens for a message, which is a unit of the sale. */
    iotedge_channel_owner_t *owner;
    uint64_t memory[IOTEDGE_CHANNEL_OWNER_SIZE(CHANNEL_BATCH, CHANNEL_READERS) / 8];
    customer_t customers[CHANNEL_CUSTOMERS];
    uint32_t published, granted, revoked, refused;
} channel_owner_t;

typedef struct {
    int wanted;
    uint32_t number;
    iotedge_subscriber_t *subscriber;
    uint64_t memory[IOTEDGE_SUBSCRIBER_SIZE(1, READER_SKIPPED, CHANNEL_BATCH) / 8];
    int known; /* Who owns the channel. */
    uint32_t owner;
    int subscribed;
    int revoked_now;
    uint32_t subscription;
    uint64_t next_ask;
    uint32_t read, sealed, readings, attributed, lost, granted, revoked;
} channel_reader_t;

/* channel_owner.c */
void channel_owner_tick(struct device *device);
/* Somebody asks for a channel of this device: the operation of `told`, by `member`. */
void channel_owner_asked(struct device *device, uint32_t member, const iotedge_channel_op_t *told);
/* 1 while a unit is waited for: nothing is published, since who has not paid for it could read it. */
int channel_owner_waits(struct device *device);
/* 0 where the reading is on its way; the ticket of its transaction. */
int channel_owner_publish(struct device *device, const uint8_t *pack, size_t len, uint32_t *ticket);
void channel_owner_close(struct device *device);

/* channel_reader.c */
void channel_reader_tick(struct device *device);
/* A member said something of a channel. */
void channel_reader_heard(struct device *device, uint32_t member, const iotedge_channel_op_t *told, const uint8_t *op, size_t len);
void channel_reader_close(struct device *device);

#endif
