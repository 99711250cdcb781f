/*
 * iotedge-storage: a device buys room for a content in another one's flash, for a term, period by period.
 *
 * The keeper loads the content from the buyer, each chunk proved under the root of RFC 9162. The buyer then forgets all but size and root.
 * At the end of each period it draws a chunk, asks for it, checks the proof, and pays a tick for the period only if that holds. A keeper
 * that is not paid for a period frees the room. So the buyer pays for no period without proof, and the keeper keeps at most one for
 * nothing.
 *
 * A spot check finds what is gone for good, not each bent byte at once: who dropped half is found out with one challenge in two at the
 * least. In the end the buyer fetches the content back.
 */
#include "deal.h"
#include "spot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUYER = 0, KEEPER = 1, CHUNK = 8, LENGTH = 40000, CHUNKS = (LENGTH + 255) / 256, UNITS = 12, PRICE = 8, LOSE = 8 };
/* A period, and how long before its end the buyer challenges; the devices' turns, and how many without an answer are too many. */
enum { PERIOD = 20000, AHEAD = 8000, EVERY = 200, PATIENCE = 35, NEVER = 99 };

typedef struct {
    const char *name;
    uint32_t drops, halves, stops; /* After so many paid periods the keeper drops all or half of it, or the buyer pays no more. */
} play_t;

static const play_t PLAYS[] = {
    {"both are honest", NEVER, NEVER, NEVER},
    {"the keeper drops the content", 4, NEVER, NEVER},
    {"the keeper drops half of it", NEVER, 4, NEVER},
    {"the buyer stops paying", NEVER, NEVER, 4},
};

static const play_t *play;
static buyer_t buyer;
static seller_t seller;

/* The buyer. Of the content it keeps what the descriptor says. */
static struct {
    enum { LOAD, KEPT, FETCH, OVER } phase;
    uint8_t bytes[LENGTH];
    uint64_t provider_memory[IOTEDGE_PROVIDER_SIZE(LENGTH, CHUNK, 4) / 8], receiver_memory[IOTEDGE_CONTENT_SIZE / 8];
    iotedge_provider_t *provider;
    iotedge_content_t *receiver;
    iotedge_content_descriptor_t content;
    spot_t spot;
    int asking;
    unsigned patience, proofs, failed;
    uint64_t due; /* When the next challenge is. */
} mine;

/* The keeper. */
static struct {
    uint64_t provider_memory[IOTEDGE_PROVIDER_SIZE(LENGTH, CHUNK, 4) / 8], receiver_memory[IOTEDGE_CONTENT_SIZE / 8];
    iotedge_provider_t *provider;
    iotedge_content_t *receiver;
    uint64_t since, freed; /* When the term began, and when it gave the room up. */
    int dropped;
} keeper;

/* What was bought room for, once more: only the judge may know it. */
static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 37 + at / 251);
}

static int32_t mine_read(void *user, uint64_t at, uint8_t *out, size_t len)
{
    (void)user;
    memcpy(out, mine.bytes + at, len);
    return IOTEDGE_OK;
}

static int32_t mine_write(void *user, uint64_t at, const uint8_t *bytes, size_t len)
{
    (void)user;
    memcpy(mine.bytes + at, bytes, len);
    return IOTEDGE_OK;
}

static iotedge_slot_t mine_slot(void)
{
    iotedge_slot_t slot;
    memset(&slot, 0, sizeof slot);
    slot.size = (uint32_t)sizeof slot;
    slot.read = mine_read;
    slot.write = mine_write;
    return slot;
}

static int serve(uint64_t *memory, size_t size, iotedge_slot_t slot, iotedge_provider_t **provider)
{
    iotedge_provider_config_t config;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.chunk = CHUNK;
    config.length = LENGTH;
    config.level = 4;
    return hood_ok(iotedge_provider_init(memory, size, &config, &slot, provider), "a provider");
}

static void answer(unsigned at, unsigned to, iotedge_provider_t *provider, const uint8_t *bytes, size_t len)
{
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST], part[IOTEDGE_CONTENT_MAX_PART];
    size_t part_len = 0;
    if (provider == NULL || len > sizeof request) {
        return;
    }
    memcpy(request, bytes, len);
    while (len > 0 && iotedge_provider_answer(provider, request, &len, part, sizeof part, &part_len) == IOTEDGE_OK) {
        hood_say(at, to, IOTEDGE_SAID_PART, part, part_len);
    }
}

static int ask_for_all(unsigned at, unsigned to, const iotedge_content_t *receiver)
{
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST];
    size_t len = 0;
    if (iotedge_content_request(receiver, IOTEDGE_CONTENT_MAX_PART, 16, request, sizeof request, &len) != IOTEDGE_OK) {
        return 0; /* All is here. */
    }
    hood_say(at, to, IOTEDGE_SAID_REQUEST, request, len);
    return 1;
}

/* Something else is written where the content was. */
static void overwrite(uint64_t from)
{
    static const uint8_t OTHER[1 << CHUNK] = {0};
    iotedge_slot_t slot = hood_slot(KEEPER);
    for (uint64_t at = from / 4096 * 4096; at < LENGTH; at += sizeof OTHER) {
        (void)slot.write(slot.user, at, OTHER, sizeof OTHER);
    }
    keeper.dropped = 1;
}

static void keeper_free(void)
{
    (void)hood_ok(iotedge_provider_deinit(keeper.provider), "the end of the term");
    keeper.provider = NULL;
    keeper.freed = hood_now();
    overwrite(0);
}

static void keeper_hears(uint32_t what, const uint8_t *bytes, size_t len)
{
    iotedge_content_descriptor_t content;
    iotedge_slot_t slot = hood_slot(KEEPER);
    uint32_t step;
    memset(&content, 0, sizeof content);
    content.size = (uint32_t)sizeof content;
    if (what == IOTEDGE_SAID_TICK) {
        (void)seller_heard(&seller, bytes, len);
    } else if (what == IOTEDGE_SAID_QUOTE && seller.open && keeper.receiver == NULL && iotedge_content_describe(bytes, len, &content) == IOTEDGE_OK &&
               content.length <= LENGTH) {
        (void)hood_ok(iotedge_content_begin(keeper.receiver_memory, sizeof keeper.receiver_memory, &content, &slot, &keeper.receiver), "the load");
    } else if (what == IOTEDGE_SAID_PART && keeper.receiver != NULL) {
        (void)iotedge_content_take(keeper.receiver, bytes, len, &step); /* Late or bent: asked for again. */
    } else if (what == IOTEDGE_SAID_REQUEST && keeper.provider != NULL) {
        keeper.since = keeper.since == 0 ? hood_now() : keeper.since;
        answer(KEEPER, BUYER, keeper.provider, bytes, len);
    }
}

static void keeper_turn(void)
{
    uint32_t paid = seller_paid(&seller);
    if (keeper.freed == 0 && keeper.receiver != NULL && keeper.provider == NULL && !ask_for_all(KEEPER, BUYER, keeper.receiver)) {
        (void)serve(keeper.provider_memory, sizeof keeper.provider_memory, hood_slot(KEEPER), &keeper.provider);
    }
    if (!keeper.dropped && (paid >= play->drops || paid >= play->halves)) {
        overwrite(paid >= play->drops ? 0 : LENGTH / 2);
    }
    if (keeper.provider != NULL && keeper.since > 0 && paid < UNITS && hood_now() >= keeper.since + (paid + 1) * (uint64_t)PERIOD) {
        keeper_free();
    }
}

static void buyer_proved(void)
{
    mine.asking = 0;
    if (mine.phase == LOAD) {
        /* It is there: nothing of it is kept here, and the term begins. */
        memset(mine.bytes, 0, sizeof mine.bytes);
        (void)hood_ok(iotedge_provider_deinit(mine.provider), "the end of the load");
        mine.provider = NULL;
        mine.phase = KEPT;
        mine.due = hood_now() + PERIOD - AHEAD;
        return;
    }
    mine.proofs++;
    mine.due += PERIOD;
    if (buyer.paid < play->stops) {
        (void)buyer_pay(&buyer);
    }
}

static void buyer_hears(uint32_t what, const uint8_t *bytes, size_t len)
{
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST];
    uint32_t step;
    if (what == IOTEDGE_SAID_REQUEST) {
        answer(BUYER, KEEPER, mine.provider, bytes, len);
    } else if (what == IOTEDGE_SAID_PART && mine.phase == FETCH) {
        (void)iotedge_content_take(mine.receiver, bytes, len, &step);
    } else if (what == IOTEDGE_SAID_PART && mine.asking) {
        switch (spot_take(&mine.spot, bytes, len)) {
        case SPOT_PROVED:
            buyer_proved();
            break;
        case SPOT_ON:
            mine.patience = PATIENCE;
            hood_say(BUYER, KEEPER, IOTEDGE_SAID_REQUEST, request, spot_request(&mine.spot, request));
            break;
        case SPOT_FALSE:
            mine.failed++; /* Asked for again: what bent it may have been no fault of the keeper's. */
            break;
        default:
            break;
        }
    }
}

static void challenge(void)
{
    uint8_t draw[4] = {0};
    const iotedge_platform_t *platform = hood_platform(BUYER);
    if (hood_ok(platform->random(platform->user, draw, sizeof draw), "randomness")) {
        mine.asking = hood_ok(spot_begin(&mine.spot, &mine.content, (uint32_t)(deal_get(draw, 4) % CHUNKS)), "a challenge");
        mine.patience = PATIENCE;
    }
}

static void buyer_turn(void)
{
    uint8_t name[IOTEDGE_CONTENT_MAX_NAME], request[IOTEDGE_CONTENT_MAX_REQUEST];
    iotedge_slot_t slot = mine_slot();
    size_t len = 0;
    if (mine.phase == LOAD && hood_ok(iotedge_content_name(&mine.content, name, sizeof name, &len), "the content's name")) {
        hood_say(BUYER, KEEPER, IOTEDGE_SAID_QUOTE, name, len);
    }
    buyer_say(&buyer);
    if (mine.phase == FETCH) {
        if (!ask_for_all(BUYER, KEEPER, mine.receiver) || mine.patience-- == 0) {
            mine.phase = OVER;
        }
    } else if (buyer.paid == UNITS) {
        mine.phase = FETCH;
        mine.patience = PATIENCE * 2;
        (void)hood_ok(iotedge_content_begin(mine.receiver_memory, sizeof mine.receiver_memory, &mine.content, &slot, &mine.receiver), "the fetch");
    } else if (mine.asking) {
        hood_say(BUYER, KEEPER, IOTEDGE_SAID_REQUEST, request, spot_request(&mine.spot, request));
        mine.phase = mine.patience-- == 0 && mine.phase == KEPT ? OVER : mine.phase;
    } else if (hood_now() >= mine.due) {
        challenge();
    }
}

static void heard(unsigned at, unsigned from, uint32_t what, const uint8_t *bytes, size_t len)
{
    if (at == KEEPER && from == BUYER) {
        keeper_hears(what, bytes, len);
    } else if (at == BUYER && from == KEEPER) {
        buyer_hears(what, bytes, len);
    }
}

static void told(unsigned at, const iotedge_event_t *event)
{
    if (at == BUYER) {
        buyer_told(&buyer, event);
    } else if (at == KEEPER) {
        seller_told(&seller, event);
    }
}

static int begin(void)
{
    memset(&mine, 0, sizeof mine);
    memset(&keeper, 0, sizeof keeper);
    for (size_t at = 0; at < LENGTH; at++) {
        mine.bytes[at] = byte_at(at);
    }
    mine.content.size = (uint32_t)sizeof mine.content;
    return serve(mine.provider_memory, sizeof mine.provider_memory, mine_slot(), &mine.provider) &&
           hood_ok(iotedge_provider_descriptor(mine.provider, &mine.content), "the content");
}

static void judge(void)
{
    uint32_t taken = seller_paid(&seller), same = 0;
    uint64_t kept = (keeper.freed > 0 ? keeper.freed : hood_now()) - keeper.since;
    hood_check(buyer.paid <= mine.proofs, "the buyer paid for no period without proof");
    hood_check(deal_shown(&buyer) == taken && taken <= buyer.paid, "the claim shows what was paid, and no more");
    hood_check(taken == UNITS || kept <= (taken + 1) * (uint64_t)PERIOD + EVERY, "the keeper kept at most one period for nothing");
    for (size_t at = 0; at < LENGTH; at++) {
        same += mine.bytes[at] == byte_at(at);
    }
    if (play == PLAYS) {
        hood_check(taken == UNITS && mine.failed == 0 && same == LENGTH, "it was kept for the term and came back");
    } else if (play->stops < NEVER) {
        hood_check(taken == 4 && mine.failed == 0 && keeper.freed > 0, "the keeper freed the room");
    } else {
        hood_check(mine.failed > 0 && taken >= 4 && taken < UNITS, "what is gone was found out");
        hood_check(play->halves < NEVER || taken == 4, "what is all gone, at once");
    }
    printf("storage: %s: %u periods proved, %u paid and claimed, %u proofs false; %u of %u frames lost\n",
           play->name, mine.proofs, (unsigned)taken, mine.failed, hood_lost,
           hood_frames);
}

int main(int argc, char **argv)
{
    static const app_t APP = {heard, told};
    static const deal_t DEAL = {BUYER, KEEPER, UNITS, IOTEDGE_TERMS_TICKS, PRICE};
    uint32_t run = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1; /* Another number, other losses. */
    for (play = PLAYS; play < PLAYS + sizeof PLAYS / sizeof PLAYS[0]; play++, run++) {
        if (!begin() || !deal_begin(&DEAL, run, LOSE, 0, &APP, &buyer, &seller)) {
            return 1;
        }
        uint64_t end = hood_now() + (UNITS + 4) * (uint64_t)PERIOD;
        while ((mine.phase != OVER || (keeper.freed == 0 && buyer.paid < UNITS)) && hood_now() < end) {
            buyer_turn();
            keeper_turn();
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
