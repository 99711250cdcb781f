/* A metered sale by ticks: a deposit is locked for who sells, and each unit of it is paid by 32 bytes off the ledger. What a vendor copies of it: meter.c or meter_buyer.c. */
#ifndef METER_H
#define METER_H

#include <iotedge.h>
#include <stdio.h>

/* Keys of the store: one for each sale of the seller; the buyer's purchase, its payer, and the secret of all its payers. */
enum { METER_SALES = 8, METER_SALE_KEY = 0x120, METER_PURCHASE_KEY = 0x130, METER_PAYER_KEY = 0x131, METER_SECRET_KEY = 0x132 };

/* In milliseconds; a buyer waits for the margin until it gives a lock up that it heard no claim of. Sold is while more than so many of the neighbourhood's periods are left of a lock: two, so
 * that a claim is settled before it ends, and one to sell in. */
enum { METER_PERIODS = 3, METER_TERM = 3600 * 1000, METER_LEAST_TERM = 1800 * 1000, METER_MARGIN = 600 * 1000, METER_CLAIM_EVERY = 10 * 1000, METER_BEGIN_WITHIN = 60 * 1000 };

/* A tick off the ledger: sale number u32 and index u32, big-endian, value (docs/protocol.md section 14.1). */
enum { METER_TICK = 8 + IOTEDGE_TICK_SIZE };

struct device;

enum sale_state { SALE_NONE, SALE_OFFERED, SALE_SERVED, SALE_ENDING, SALE_OVER };

/* One lock for this device, as it lies in the store. */
typedef struct {
    uint32_t size;
    uint32_t state;
    uint32_t member;
    uint32_t number;  /* The payer's, of the sale. */
    uint32_t spent;   /* Units that were delivered. */
    uint32_t claimed; /* Units that were claimed. */
    uint32_t settled; /* The header that settled the last claim; 0: none yet. */
    uint32_t reserved;
    uint64_t price;
    uint64_t since, ends; /* Absolute milliseconds. */
    uint64_t last_claim;  /* Local milliseconds; nothing after a reset. */
    uint8_t lock[IOTEDGE_ID_SIZE];
    uint8_t claim[IOTEDGE_ID_SIZE]; /* The last one, once it is sent. */
    iotedge_payee_t payee;
} sale_t;

typedef struct {
    int loaded;
    sale_t sales[METER_SALES];
    uint32_t refused, forged; /* Locks that were not what this device asks for, ticks that were nobody's. */
} meter_seller_t;

enum purchase_state { PURCHASE_NONE, PURCHASE_LOCKED, PURCHASE_OPEN, PURCHASE_OVER };

/* The one purchase of this device, as it lies in the store. */
typedef struct {
    uint32_t size;
    uint32_t state;
    uint32_t number;    /* Of the sale, never the same twice. */
    uint32_t units;
    uint32_t owner;
    uint32_t index;     /* The tick that was given last; 0 and the anchor: none. */
    uint32_t delivered; /* Units, as far as it knows. */
    uint32_t heard;     /* Messages that it read for them. */
    uint32_t has_lock;
    uint32_t reserved;
    uint64_t amount;
    uint64_t ends; /* Absolute milliseconds. */
    uint8_t lock[IOTEDGE_ID_SIZE];
    uint8_t value[IOTEDGE_TICK_SIZE];
} purchase_t;

typedef struct {
    uint32_t units; /* That a deposit buys; 0: it buys nothing. */
    uint64_t price;
    uint32_t stop; /* A fault: no tick after so many; 0: it pays for all. */
    int loaded;
    int resumed; /* After a reset: whether the unit that was paid last was delivered is not known. */
    purchase_t now;
    iotedge_payer_t *payer;
    uint64_t memory[IOTEDGE_PAYER_SIZE / 8];
    uint64_t next_try;
    uint64_t resend, wait; /* When to send the tick again, and the time between. */
} meter_buyer_t;

/* meter.c. An offer is IOTEDGE_EVENT_LOCKED; `sell` is called each turn. */
void meter_offered(struct device *device, const iotedge_event_t *event);
void meter_sell(struct device *device, const iotedge_node_status_t *status);
/* Units of this member that are paid and not delivered. */
uint32_t meter_units(const struct device *device, uint32_t member);
/* 1 where this member has a deposit that more can be paid from. */
int meter_open(const struct device *device, uint32_t member);
void meter_deliver(struct device *device, uint32_t member);
/* Sells no more to this member: its deposits are claimed for the last time. */
void meter_end(struct device *device, uint32_t member);
void meter_took(struct device *device, const uint8_t *tick, size_t len);
void meter_sell_sent(struct device *device, const uint8_t *id);
void meter_sell_settled(struct device *device, const uint8_t *id, uint32_t header);
void meter_sell_print(const struct device *device, FILE *to);

/* meter_buyer.c: `buy` is called each turn, with who sells. */
void meter_buy(struct device *device, const iotedge_node_status_t *status, uint32_t owner);
/* Messages of the stream were read, others were lost for good: both were delivered. */
void meter_delivered(struct device *device, uint32_t heard, uint32_t lost);
void meter_buy_sent(struct device *device, const uint8_t *id);
/* IOTEDGE_EVENT_CLAIMED */
void meter_claimed(struct device *device, const iotedge_event_t *event);
void meter_buy_print(const struct device *device, FILE *to);
void meter_close(struct device *device);

#endif
