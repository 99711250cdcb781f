/* Who buys by the unit: locks a deposit for who sells, and pays the next unit when the one before was delivered. */
#include "device.h"

#include <inttypes.h>
#include <string.h>

/* A tick that brings nothing is said again, more and more seldom; what it pays for may take so long after a reset. */
enum { SAY_AGAIN = 300, SAY_SELDOM = 4800, RESUME_WITHIN = 1000, TRY_EVERY = 2000 };

static int save(device_t *device)
{
    iotedge_platform_t platform = platform_of(&device->store);
    const purchase_t *now = &device->buyer.now;
    return platform.store_put(platform.user, METER_PURCHASE_KEY, (const uint8_t *)now, sizeof *now) == IOTEDGE_OK ? 0 : -1;
}

static iotedge_payer_config_t config_of(const device_t *device, const iotedge_node_status_t *status)
{
    iotedge_payer_config_t config;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.sale = device->buyer.now.number;
    config.units = device->buyer.now.units;
    config.ahead = 1; /* A write of the store for each unit: no power cut costs more than one. */
    config.store_key = METER_PAYER_KEY;
    config.secret_key = METER_SECRET_KEY;
    memcpy(config.neighbourhood, status->neighbourhood, sizeof config.neighbourhood);
    memcpy(config.device, status->device, sizeof config.device);
    return config;
}

/* Opens the payer; after a reset behind the tick that left last, so that one which was reserved and never sent is not lost. */
static int open_payer(device_t *device, const iotedge_node_status_t *status)
{
    meter_buyer_t *buyer = &device->buyer;
    iotedge_platform_t platform = platform_of(&device->store);
    iotedge_payer_config_t config = config_of(device, status);
    uint32_t given = 0, left = 0;
    if (iotedge_payer_init(buyer->memory, sizeof buyer->memory, &config, &platform, &buyer->payer) != IOTEDGE_OK) {
        buyer->payer = NULL;
        return -1;
    }
    if (iotedge_payer_given(buyer->payer, &given, &left) == IOTEDGE_OK && given != buyer->now.index) {
        (void)iotedge_payer_resync(buyer->payer, buyer->now.index, buyer->now.value);
    }
    buyer->resend = clock_now();
    buyer->wait = SAY_AGAIN;
    return 0;
}

static void load(device_t *device)
{
    meter_buyer_t *buyer = &device->buyer;
    iotedge_platform_t platform = platform_of(&device->store);
    purchase_t *now = &buyer->now;
    size_t len = 0;
    if (platform.store_get(platform.user, METER_PURCHASE_KEY, (uint8_t *)now, sizeof *now, &len) != IOTEDGE_OK || len != sizeof *now ||
        now->size != sizeof *now || now->state > PURCHASE_OVER) {
        memset(now, 0, sizeof *now);
    }
    if (now->state == PURCHASE_LOCKED && !now->has_lock) {
        now->state = PURCHASE_NONE; /* Whether that lock was ever sent is not known: another one, under another number. */
    }
    buyer->resumed = now->state == PURCHASE_OPEN;
    buyer->loaded = 1;
}

/* Sets the deposit aside. The number is stored first: one that failed is not used again. */
static void lock(device_t *device, const iotedge_node_status_t *status, uint32_t owner)
{
    meter_buyer_t *buyer = &device->buyer;
    purchase_t *now = &buyer->now;
    iotedge_platform_t platform = platform_of(&device->store);
    iotedge_payer_config_t config;
    iotedge_terms_t terms;
    entry_t *entry;
    uint32_t ticket, number = now->number + 1;
    memset(now, 0, sizeof *now);
    now->size = (uint32_t)sizeof *now;
    now->number = number;
    now->units = buyer->units;
    now->amount = buyer->units * buyer->price;
    now->ends = device_time(device) + METER_TERM + METER_MARGIN;
    now->owner = owner;
    config = config_of(device, status);
    memset(&terms, 0, sizeof terms);
    terms.size = (uint32_t)sizeof terms;
    terms.kind = IOTEDGE_TERMS_TICKS;
    terms.sale = now->number;
    terms.units = now->units;
    if (iotedge_payer_anchor(&config, &platform, terms.anchor) != IOTEDGE_OK) {
        device->submissions_refused++;
        return;
    }
    memcpy(now->value, terms.anchor, sizeof now->value);
    if (save(device) != 0 ||
        iotedge_node_submit_lock(device->node, clock_now(), 0, owner, now->amount, METER_TERM, &terms, &ticket) != IOTEDGE_OK) {
        device->submissions_refused++;
        return;
    }
    now->state = PURCHASE_LOCKED;
    (void)save(device); /* Where that fails a reset locks once more; this deposit then goes back unused. */
    entry = book_add(&device->book, ticket, BOOK_LOCK, device_time(device));
    if (entry != NULL) {
        entry->to = owner;
        entry->amount = now->amount;
    }
}

static void say(device_t *device, const iotedge_node_status_t *status)
{
    const purchase_t *now = &device->buyer.now;
    uint8_t tick[METER_TICK], frame[METER_TICK + 6];
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        tick[i] = (uint8_t)(now->number >> (24 - 8 * i));
        tick[4 + i] = (uint8_t)(now->index >> (24 - 8 * i));
    }
    memcpy(tick + 8, now->value, sizeof now->value);
    if (iotedge_frame_say(status->neighbourhood, IOTEDGE_SAID_TICK, tick, sizeof tick, frame, sizeof frame, &len) != IOTEDGE_OK) {
        return;
    }
    /* Who of them sells is not known; a tick is worth nothing to the others. */
    for (uint32_t peer = device->first_neighbour; peer < device->udp.count; peer++) {
        udp_send(&device->udp, clock_now(), peer, frame, len);
    }
}

/* The next unit, stored before it leaves. */
static void pay(device_t *device, const iotedge_node_status_t *status)
{
    meter_buyer_t *buyer = &device->buyer;
    purchase_t next = buyer->now;
    if (iotedge_payer_pay(buyer->payer, &next.index, next.value) != IOTEDGE_OK) {
        return;
    }
    buyer->now = next;
    (void)save(device); /* Where that fails a reset pays on from the tick before. */
    buyer->resumed = 0;
    buyer->wait = SAY_AGAIN;
    buyer->resend = clock_now() + SAY_AGAIN;
    say(device, status);
}

static void open_sale(device_t *device, const iotedge_node_status_t *status)
{
    meter_buyer_t *buyer = &device->buyer;
    purchase_t *now = &buyer->now;
    uint64_t here = clock_now();
    uint32_t most = buyer->stop > 0 && buyer->stop < now->units ? buyer->stop : now->units;
    if (buyer->payer == NULL) {
        if (here < buyer->next_try || open_payer(device, status) != 0) {
            return;
        }
        buyer->next_try = here + RESUME_WITHIN;
    }
    if (buyer->resumed && here >= buyer->next_try && now->delivered < now->index) {
        now->delivered = now->index; /* It was delivered before the reset, or is the unit that a reset may cost. */
    }
    if (now->index < most && now->delivered >= now->index) {
        pay(device, status);
    } else if (now->delivered < now->index && here >= buyer->resend) {
        buyer->wait = buyer->wait < SAY_SELDOM ? buyer->wait * 2 : SAY_SELDOM;
        buyer->resend = here + buyer->wait;
        say(device, status);
    }
}

/* The lock has ended, or will: what was not paid comes back with the settlement. */
static void over(device_t *device, const iotedge_node_status_t *status)
{
    iotedge_platform_t platform = platform_of(&device->store);
    iotedge_payer_config_t config = config_of(device, status);
    meter_close(device);
    device->buyer.now.state = PURCHASE_OVER;
    (void)save(device);
    (void)iotedge_payer_forget(&config, &platform);
}

void meter_buy(device_t *device, const iotedge_node_status_t *status, uint32_t owner)
{
    meter_buyer_t *buyer = &device->buyer;
    purchase_t *now = &buyer->now;
    uint64_t here = clock_now();
    uint32_t grade = 0;
    int32_t found;
    if (buyer->units == 0) {
        return;
    }
    if (!buyer->loaded) {
        load(device);
    }
    switch (now->state) {
    case PURCHASE_NONE:
        if (status->phase == IOTEDGE_PHASE_ACTIVE && here >= buyer->next_try) {
            buyer->next_try = here + TRY_EVERY;
            lock(device, status, owner);
        }
        break;
    case PURCHASE_LOCKED:
        /* One that dies is locked again by the outbox, under another id. One that is not followed any more, after a reset, is old: should it be dead, its ticks are worth nothing. */
        found = now->has_lock ? iotedge_node_grade(device->node, now->lock, &grade) : IOTEDGE_E_BUSY;
        if (found == IOTEDGE_E_NONE || (found == IOTEDGE_OK && grade >= IOTEDGE_GRADE_QUORUM && grade != IOTEDGE_GRADE_DEAD)) {
            now->state = PURCHASE_OPEN;
            buyer->next_try = here;
            (void)save(device);
        }
        break;
    case PURCHASE_OPEN:
        if (device_time(device) >= now->ends) {
            over(device, status); /* The last claim was not heard of. */
        } else {
            open_sale(device, status);
        }
        break;
    default:
        break;
    }
}

void meter_delivered(device_t *device, uint32_t heard, uint32_t lost)
{
    purchase_t *now = &device->buyer.now;
    if (now->state == PURCHASE_OPEN) {
        now->heard += heard;
        now->delivered += heard + lost;
    }
}

void meter_buy_sent(device_t *device, const uint8_t *id)
{
    purchase_t *now = &device->buyer.now;
    iotedge_lock_t said;
    uint8_t body[IOTEDGE_MAX_BODY];
    size_t len = 0;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    if ((now->state == PURCHASE_LOCKED || now->state == PURCHASE_OPEN) && iotedge_node_body(device->node, id, body, sizeof body, &len) == IOTEDGE_OK &&
        iotedge_lock_read(body, len, &said) == IOTEDGE_OK && said.terms.kind == IOTEDGE_TERMS_TICKS && said.terms.sale == now->number) {
        memcpy(now->lock, id, sizeof now->lock);
        now->has_lock = 1;
        (void)save(device);
    }
}

void meter_claimed(device_t *device, const iotedge_event_t *event)
{
    const purchase_t *now = &device->buyer.now;
    iotedge_lock_claim_t said;
    iotedge_node_status_t status;
    uint8_t body[IOTEDGE_MAX_BODY];
    size_t len = 0;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    if (!now->has_lock || now->state == PURCHASE_OVER || memcmp(now->lock, event->other, sizeof now->lock) != 0 ||
        device_status(device, &status) != 0 || iotedge_node_body(device->node, event->id, body, sizeof body, &len) != IOTEDGE_OK ||
        iotedge_lock_claim_read(body, len, &said) != IOTEDGE_OK || !said.last) {
        return;
    }
    over(device, &status);
}

void meter_buy_print(const device_t *device, FILE *to)
{
    static const char *const names[] = {"none", "locked", "open", "over"};
    const purchase_t *now = &device->buyer.now;
    fprintf(to, ",\"purchase\":{\"number\":%" PRIu32 ",\"state\":\"%s\",\"units\":%" PRIu32 ",\"deposit\":%" PRIu64 ",\"ticks\":%" PRIu32 ",\"delivered\":%" PRIu32 ",\"heard\":%" PRIu32 "}",
            now->number, names[now->state & 3], now->units, now->amount, now->index, now->delivered, now->heard);
}

void meter_close(device_t *device)
{
    if (device->buyer.payer != NULL) {
        (void)iotedge_payer_deinit(device->buyer.payer);
        device->buyer.payer = NULL;
    }
}
