/*
 * iotedge-action: a device buys an action of another one, a relay that is switched on, minute by minute.
 *
 * Payment is by voucher: the buyer signs a total, so an amount of any size is one signature, and the seller keeps the highest. For each
 * minute that is paid the relay is on, and the seller says so in a reading on the ledger, under its own signature; the buyer waits for that
 * before it pays the next one. When a minute ends without the next one paid, the relay goes off. So nobody loses more than a minute: a
 * seller that takes the money and does nothing gets no more, and one that says so and does nothing has signed a lie that any meter beside
 * the relay convicts it of.
 */
#include "deal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUYER = 0, SELLER = 1, MINUTE = 60000, UNITS = 8, PRICE = 25, LOSE = 8, EVERY = 1000, NEVER = 99 };
/* The buyer pays the next minute so long before the last one ends, and waits so long for the acknowledgement. */
enum { AHEAD = 15000, PATIENCE = 45000 };

typedef struct {
    const char *name;
    uint32_t seller_stops, buyer_stops, buyer_forges; /* After so many minutes. */
} play_t;

static const play_t PLAYS[] = {
    {"both are honest", NEVER, NEVER, NEVER},
    {"the seller takes and does nothing", 3, NEVER, NEVER},
    {"the buyer stops paying", NEVER, 3, NEVER},
    {"the buyer's vouchers are false", NEVER, NEVER, 3},
};

static const play_t *play;
static buyer_t buyer;
static seller_t seller;
static struct {
    uint32_t minutes, refused; /* Which minute it is on for; vouchers that are none. */
    int on;
    uint64_t until, was_on;    /* When the minute ends; milliseconds in all, for the judge. */
} relay;
static struct {
    uint32_t told;             /* The last minute that the seller acknowledged. */
    int off, over;             /* It said that the relay is off; nothing more is bought. */
    uint64_t since, asked;     /* When that came; when the last voucher was given. */
} seen;

/* The acknowledgement: the relay's state, and for which minute. */
static void say_state(void)
{
    iotedge_reading_t readings[2];
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 0;
    uint32_t ticket;
    memset(readings, 0, sizeof readings);
    for (int i = 0; i < 2; i++) {
        readings[i].size = (uint32_t)sizeof readings[i];
        memcpy(readings[i].name, i == 0 ? "on" : "minute", i == 0 ? 3 : 7);
        readings[i].mantissa = i == 0 ? relay.on : (int64_t)relay.minutes;
    }
    if (hood_ok(iotedge_reading_encode("relay:", readings, 2, pack, sizeof pack, &len), "a reading")) {
        (void)hood_ok(iotedge_node_submit_data(hood_node(SELLER), hood_now(), 0, pack, len, &ticket), "the acknowledgement");
    }
}

static void seller_turn(void)
{
    if (hood_now() < relay.until) {
        return;
    }
    if (relay.minutes < seller_paid(&seller) && relay.minutes < play->seller_stops) {
        relay.until = (relay.on ? relay.until : hood_now()) + MINUTE;
        relay.minutes++;
        relay.on = 1;
        say_state();
    } else if (relay.on) {
        relay.on = 0;
        say_state();
    }
}

static void buyer_turn(void)
{
    if (seen.over) {
        return;
    }
    if (seen.told < buyer.paid) {
        buyer_say(&buyer); /* Again, until it is acknowledged. */
        seen.over = hood_now() > seen.asked + PATIENCE;
    } else if (buyer.paid == 0 || hood_now() + AHEAD >= seen.since + MINUTE) {
        seen.asked = hood_now();
        if (buyer.paid >= play->buyer_forges) {
            deal_put(buyer.last, ++buyer.paid * (uint64_t)PRICE, 8); /* Another total under the old signature. */
        } else {
            seen.over = buyer.paid >= play->buyer_stops || !buyer_pay(&buyer);
        }
    }
}

/* A reading of the seller's came over the ledger; its node checked who signed it. */
static void acknowledged(const iotedge_event_t *event)
{
    iotedge_reading_t on, minute;
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 0;
    memset(&on, 0, sizeof on);
    on.size = (uint32_t)sizeof on;
    minute = on;
    if (!hood_ok(iotedge_node_body(hood_node(BUYER), event->id, pack, sizeof pack, &len), "the reading's body") ||
        iotedge_reading_decode(pack, len, 0, &on) != IOTEDGE_OK || iotedge_reading_decode(pack, len, 1, &minute) != IOTEDGE_OK ||
        strcmp(on.name, "relay:on") != 0 || strcmp(minute.name, "relay:minute") != 0) {
        return; /* Some other reading. */
    }
    seen.off = on.mantissa == 0;
    if (on.mantissa == 1 && minute.mantissa == (int64_t)seen.told + 1) {
        seen.told++;
        seen.since = hood_now();
    }
}

static void heard(unsigned at, unsigned from, uint32_t what, const uint8_t *bytes, size_t len)
{
    if (at == SELLER && from == BUYER && what == IOTEDGE_SAID_TICK && !seller_heard(&seller, bytes, len) && len == DEAL_VOUCHER &&
        deal_get(bytes, 8) > seller.total) {
        relay.refused++;
    }
}

static void told(unsigned at, const iotedge_event_t *event)
{
    if (at == BUYER) {
        buyer_told(&buyer, event);
        if (event->kind == IOTEDGE_EVENT_DATA && event->code == 0 && event->member == SELLER) {
            acknowledged(event);
        }
    } else if (at == SELLER) {
        seller_told(&seller, event);
    }
}

static void judge(void)
{
    uint32_t taken = seller_paid(&seller), given = play->buyer_forges < NEVER ? play->buyer_forges : buyer.paid;
    hood_check(given <= seen.told + 1, "the buyer paid at most a minute that was not acknowledged");
    hood_check(relay.was_on <= taken * (uint64_t)MINUTE + EVERY, "the relay was on for no minute that was not paid");
    hood_check(seen.told * (uint64_t)MINUTE <= relay.was_on, "what was acknowledged was done");
    hood_check(!relay.on && seen.off, "it is off, and the buyer knows");
    hood_check(deal_shown(&buyer) == taken && taken <= given, "the claim shows what was paid, and no more");
    hood_check(taken == (play == PLAYS ? UNITS : play->seller_stops < NEVER ? 4u : 3u), "the other side stopped within a minute");
    hood_check((relay.refused > 0) == (play->buyer_forges < NEVER), "only a false voucher is refused");
    printf("action: %s: on for %u minutes, %u acknowledged, %u paid and claimed; %u of %u frames lost\n",
           play->name, (unsigned)(relay.was_on / MINUTE), (unsigned)seen.told,
           (unsigned)taken, hood_lost, hood_frames);
}

int main(int argc, char **argv)
{
    static const app_t APP = {heard, told};
    static const deal_t DEAL = {BUYER, SELLER, UNITS, IOTEDGE_TERMS_VOUCHERS, PRICE};
    uint32_t run = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1; /* Another number, other losses. */
    for (play = PLAYS; play < PLAYS + sizeof PLAYS / sizeof PLAYS[0]; play++, run++) {
        memset(&relay, 0, sizeof relay);
        memset(&seen, 0, sizeof seen);
        if (!deal_begin(&DEAL, run, LOSE, 0, &APP, &buyer, &seller)) {
            return 1;
        }
        uint64_t end = hood_now() + (UNITS + 4) * (uint64_t)MINUTE;
        while ((!seen.over || !seen.off) && hood_now() < end) {
            buyer_turn();
            seller_turn();
            relay.was_on += relay.on ? EVERY : 0;
            hood_pass(EVERY);
        }
        if (!deal_close(&buyer, &seller)) {
            return 1;
        }
        judge();
        deal_end(&buyer);
    }
    return hood_failures == 0 ? 0 : 1;
}
