/*
 * iotedge-bandwidth: a device that hears only a relay buys bandwidth of it, kilobyte by kilobyte, to reach a third one that it does not
 * hear.
 *
 * The buyer locks value and pays a unit ahead by tick. The relay carries a byte only where the unit that it is in was paid. Bytes are
 * counted by their place in the stream, so what is lost and sent again counts once, and both sides count the same. What arrived is not the
 * relay's word: the far device signs it, and the buyer pays the next unit only once it has that for all units before. So nobody loses more
 * than a unit: not by lost frames, not by a relay that stops or lies, not by a buyer that stops or pays with false ticks.
 */
#include "deal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUYER = 0, RELAY = 1, FAR = 2, UNIT = 1024, PACKET = 256, UNITS = 12, PRICE = 5, LOSE = 8, EVERY = 100, PATIENCE = 60, NEVER = 99 };

/* Who cheats, and after how many units. */
typedef struct {
    const char *name;
    uint32_t relay_stops, relay_lies, buyer_stops, buyer_forges;
} play_t;

static const play_t PLAYS[] = {
    {"both are honest", NEVER, NEVER, NEVER, NEVER},
    {"the relay stops carrying", 4, NEVER, NEVER, NEVER},
    {"the relay says itself what arrived", NEVER, 4, NEVER, NEVER},
    {"the buyer stops paying", NEVER, NEVER, 4, NEVER},
    {"the buyer pays with false ticks", NEVER, NEVER, NEVER, 4},
};

static const play_t *play;
static buyer_t buyer;
static seller_t relay;
static struct {
    uint32_t acked;     /* Bytes that the far device signed for. */
    unsigned patience;  /* Turns without progress until the buyer gives up. */
    unsigned refused;   /* Statements that are not the far device's. */
} wanted;
static uint32_t carried;  /* The relay: bytes that it carried, counted by their place. */
static uint32_t received; /* The far device: bytes that came, in order. */

/* `[member u16, bytes u32, time u64, signature]`: so many bytes of this sale have come, says the far device, as a statement of docs/protocol.md
 * section 14.3. A device with a slow key says it once a unit. */
enum { ACK = 2 + 4 + 8 + IOTEDGE_SIGNATURE_SIZE };

static size_t feed(uint8_t *out)
{
    memcpy(out, "carried", 7);
    deal_put(out + 7, buyer.sale, 4);
    return 11;
}

static void far_says(void)
{
    uint8_t ack[ACK], name[IOTEDGE_FEED_SIZE], message[IOTEDGE_VOUCHER_INPUT_SIZE];
    uint64_t time = hood_now();
    iotedge_public_key_t key;
    size_t len = 0;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    deal_put(ack, FAR, 2);
    deal_put(ack + 2, received, 4);
    deal_put(ack + 6, time, 8);
    if (hood_ok(iotedge_node_member_key(hood_node(FAR), FAR, &key), "the far device's key") &&
        hood_ok(iotedge_statement_input(&key, hood_id(), name, feed(name), received, time, message, sizeof message, &len), "a statement") &&
        hood_ok(iotedge_sign(hood_seed(FAR), message, len, ack + 14), "its signature")) {
        hood_say(FAR, RELAY, IOTEDGE_SAID_STATEMENT, ack, sizeof ack);
    }
}

static void far_hears(uint32_t what, const uint8_t *bytes, size_t len)
{
    if (what == IOTEDGE_SAID_MESSAGE && len == 4 + PACKET) {
        if (deal_get(bytes, 4) == received) {
            received += PACKET;
        }
        far_says(); /* Of one that came twice, too: what was said of it may be lost. */
    }
}

static void relay_hears(unsigned from, uint32_t what, const uint8_t *bytes, size_t len)
{
    uint32_t paid = seller_paid(&relay);
    if (from == FAR && what == IOTEDGE_SAID_STATEMENT) {
        hood_say(RELAY, BUYER, what, bytes, len);
    } else if (from == BUYER && what == IOTEDGE_SAID_TICK) {
        (void)seller_heard(&relay, bytes, len);
    } else if (from == BUYER && what == IOTEDGE_SAID_MESSAGE && len == 4 + PACKET) {
        uint64_t end = deal_get(bytes, 4) + PACKET;
        if (end > (uint64_t)paid * UNIT || paid > play->relay_stops) {
            return; /* Not paid; or it takes the money and does nothing for it. */
        }
        if (paid > play->relay_lies) {
            uint8_t lie[ACK] = {0};
            deal_put(lie, FAR, 2);
            deal_put(lie + 2, end, 4);
            hood_say(RELAY, BUYER, IOTEDGE_SAID_STATEMENT, lie, sizeof lie);
            return;
        }
        carried = end > carried ? (uint32_t)end : carried;
        hood_say(RELAY, FAR, what, bytes, len);
    }
}

static void buyer_hears(uint32_t what, const uint8_t *bytes, size_t len)
{
    uint8_t name[IOTEDGE_FEED_SIZE];
    iotedge_public_key_t key;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    if (what != IOTEDGE_SAID_STATEMENT || len != ACK || deal_get(bytes, 2) != FAR ||
        !hood_ok(iotedge_node_member_key(hood_node(BUYER), FAR, &key), "the far device's key")) {
        return;
    }
    uint32_t said = (uint32_t)deal_get(bytes + 2, 4);
    if (iotedge_statement_verify(&key, hood_id(), name, feed(name), said, deal_get(bytes + 6, 8), bytes + 14) != IOTEDGE_OK) {
        wanted.refused++;
    } else if (said > wanted.acked) {
        wanted.acked = said;
        wanted.patience = PATIENCE;
    }
}

/* Pays where all that was paid has arrived, and sends what is paid and has not. Who stops paying sends a unit more, and hopes. */
static void buyer_turn(void)
{
    uint8_t packet[4 + PACKET];
    uint32_t limit = buyer.paid;
    if (wanted.acked == buyer.paid * UNIT && buyer.paid < UNITS && buyer.paid < play->buyer_stops) {
        if (buyer.paid >= play->buyer_forges) {
            buyer.last[8] ^= 1;
            deal_put(buyer.last + 4, ++buyer.paid, 4);
        } else if (!buyer_pay(&buyer)) {
            return;
        }
        limit = buyer.paid;
        wanted.patience = PATIENCE;
    } else if (wanted.acked == UNITS * UNIT) {
        wanted.patience = 1;
    }
    if (buyer.paid >= play->buyer_stops) {
        limit++;
    }
    wanted.patience--;
    buyer_say(&buyer); /* Again: it may be lost. It pays nothing twice. */
    for (uint32_t at = wanted.acked; at < limit * UNIT; at += PACKET) {
        memset(packet, (int)(at / PACKET), sizeof packet);
        deal_put(packet, at, 4);
        hood_say(BUYER, RELAY, IOTEDGE_SAID_MESSAGE, packet, sizeof packet);
    }
}

static void heard(unsigned at, unsigned from, uint32_t what, const uint8_t *bytes, size_t len)
{
    if (at == FAR) {
        far_hears(what, bytes, len);
    } else if (at == RELAY) {
        relay_hears(from, what, bytes, len);
    } else {
        buyer_hears(what, bytes, len);
    }
}

static void told(unsigned at, const iotedge_event_t *event)
{
    if (at == BUYER) {
        buyer_told(&buyer, event);
    } else if (at == RELAY) {
        seller_told(&relay, event);
    }
}

/* What each side can have lost, and what each kind of cheat is worth. */
static void judge(void)
{
    uint32_t taken = seller_paid(&relay), units = play->buyer_forges < NEVER ? play->buyer_forges : buyer.paid;
    hood_check(units * UNIT <= received + UNIT, "the buyer paid at most a unit that did not arrive");
    hood_check(carried <= taken * UNIT, "the relay carried nothing that was not paid");
    hood_check(wanted.acked <= received && received <= carried, "nobody counts what was not carried");
    hood_check(deal_shown(&buyer) == taken && taken <= units, "the claim shows what was paid, and no more");
    if (play == PLAYS) {
        hood_check(received == UNITS * UNIT && taken == UNITS, "all of it arrived and was paid");
    } else {
        hood_check(received == 4 * UNIT && taken >= 4 && taken <= 5, "the other side stopped within a unit");
    }
    hood_check((wanted.refused > 0) == (play->relay_lies < NEVER), "only a lie is refused");
    printf("bandwidth: %s: %u bytes arrived, %u units paid and claimed; %u of %u frames lost\n",
           play->name, (unsigned)received, (unsigned)taken, hood_lost, hood_frames);
}

int main(int argc, char **argv)
{
    static const app_t APP = {heard, told};
    static const deal_t DEAL = {BUYER, RELAY, UNITS, IOTEDGE_TERMS_TICKS, PRICE};
    uint32_t run = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1; /* Another number, other losses. */
    for (play = PLAYS; play < PLAYS + sizeof PLAYS / sizeof PLAYS[0]; play++, run++) {
        memset(&wanted, 0, sizeof wanted);
        wanted.patience = PATIENCE;
        carried = received = 0;
        if (!deal_begin(&DEAL, run, LOSE, 1, &APP, &buyer, &relay)) {
            return 1;
        }
        while (wanted.patience > 0) {
            buyer_turn();
            hood_pass(EVERY);
        }
        if (!deal_close(&buyer, &relay)) {
            return 1;
        }
        judge();
        deal_end(&buyer);
    }
    return hood_failures == 0 ? 0 : 1;
}
