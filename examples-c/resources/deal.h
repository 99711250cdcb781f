/* The two ends of a metered sale, as each device sees it: what the buyer locked and paid, what the seller was shown. What is sold stands in the
 * examples. */
#ifndef DEAL_H
#define DEAL_H

#include "hood.h"

/* An hour: six periods T of this neighbourhood. Of the last two the seller sells nothing: it needs them to claim in. */
enum { DEAL_TERM = 3600000, DEAL_PERIODS = 2 };

/* What pays, as frames carry it (IOTEDGE_SAID_TICK): a tick has the form of docs/protocol.md section 4. There is none for vouchers: here
 * `[total u64, signature]`, told apart by the length. */
enum { DEAL_TICK = 8 + IOTEDGE_TICK_SIZE, DEAL_VOUCHER = 8 + IOTEDGE_SIGNATURE_SIZE };

/* Who buys. */
typedef struct {
    unsigned at, seller;
    uint64_t price, amount;
    uint32_t units, sale, terms;
    uint64_t memory[IOTEDGE_PAYER_SIZE / 8];
    iotedge_payer_t *payer;          /* Of ticks. */
    iotedge_public_key_t key;        /* Of vouchers: the device's own. */
    uint8_t last[DEAL_VOUCHER];      /* The last tick or voucher, to be sent again. */
    uint32_t paid;                   /* Units. */
    uint32_t ticket;
    uint8_t lock[32];
    int sent;                        /* The lock is in the ledger. Whether it is at Quorum is for the seller to see, who serves for it. */
    iotedge_lock_claim_t claim;      /* What the seller claims of it; size 0 until then. */
} buyer_t;

/* Who sells. */
typedef struct {
    unsigned at, buyer;
    uint64_t price;                  /* The least that a unit has to cost. */
    iotedge_lock_t offer;            /* Size 0 until there is one. */
    uint8_t lock[32];
    int open;                        /* The lock is at Quorum: serve. */
    uint64_t until;                  /* Absolute: what is shown later is not taken. */
    iotedge_payee_t payee;           /* Of ticks. */
    uint64_t total;                  /* Of vouchers: the highest, and its signature. */
    uint8_t signature[IOTEDGE_SIGNATURE_SIZE];
} seller_t;

/* Who buys of whom, how much, for how much, and how it is paid: by ticks, or by vouchers of the device's own key. */
typedef struct {
    unsigned buyer, seller;
    uint32_t units, terms;
    uint64_t price;
} deal_t;

void buyer_told(buyer_t *buyer, const iotedge_event_t *event);
/* One unit more; 0 where all are paid. What was given is given, whether it arrives or not; it may be sent again. */
int buyer_pay(buyer_t *buyer);
void buyer_say(const buyer_t *buyer);

void seller_told(seller_t *seller, const iotedge_event_t *event);
/* A tick or voucher came: 1 where it pays. */
int seller_heard(seller_t *seller, const uint8_t *bytes, size_t len);
/* Units that are paid. */
uint32_t seller_paid(const seller_t *seller);

/* A new neighbourhood, and a lock in it that is at Quorum for the seller. `run`: its seed, and the number of the sale. */
int deal_begin(const deal_t *deal, uint32_t run, uint32_t lose, int in_a_row, const app_t *app, buyer_t *buyer, seller_t *seller);
/* The seller claims the highest that it was shown, and wants no more; the buyer hears of it. */
int deal_close(const buyer_t *buyer, const seller_t *seller);
void deal_end(buyer_t *buyer);
/* Units that the claim shows. */
uint32_t deal_shown(const buyer_t *buyer);
/* Numbers of the frames that go between the two: big-endian. */
void deal_put(uint8_t *out, uint64_t value, unsigned bytes);
uint64_t deal_get(const uint8_t *in, unsigned bytes);

#endif
