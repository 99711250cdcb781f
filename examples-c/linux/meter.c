/* Who sells by the unit: judges what is locked for it, takes ticks, claims what they are worth, and gives back the rest. */
#include "device.h"

#include <inttypes.h>
#include <string.h>

static int save(device_t *device, const sale_t *sale)
{
    iotedge_platform_t platform = platform_of(&device->store);
    uint32_t key = METER_SALE_KEY + (uint32_t)(sale - device->seller.sales);
    return platform.store_put(platform.user, key, (const uint8_t *)sale, sizeof *sale) == IOTEDGE_OK ? 0 : -1;
}

/* After a reset: the sales as they stood when their last tick was taken. */
static void load(device_t *device)
{
    iotedge_platform_t platform = platform_of(&device->store);
    meter_seller_t *seller = &device->seller;
    for (uint32_t i = 0; i < METER_SALES; i++) {
        sale_t *sale = &seller->sales[i];
        size_t len = 0;
        if (platform.store_get(platform.user, METER_SALE_KEY + i, (uint8_t *)sale, sizeof *sale, &len) != IOTEDGE_OK || len != sizeof *sale ||
            sale->size != sizeof *sale || sale->state > SALE_OVER || sale->spent > sale->payee.index || sale->payee.index > sale->payee.units) {
            memset(sale, 0, sizeof *sale); /* None, or not written by this program: its deposit goes back when it ends. */
        }
        sale->last_claim = 0;
    }
    seller->loaded = 1;
}

/* What is claimed goes into the outbox, which sends it again if it dies. */
static int claim(device_t *device, const uint8_t *lock, uint32_t member, const iotedge_payee_t *payee, uint64_t price, int last)
{
    iotedge_proof_t proof;
    entry_t *entry;
    uint32_t ticket;
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    proof.kind = payee == NULL || payee->index == 0 ? IOTEDGE_PROOF_NOTHING : IOTEDGE_PROOF_TICK;
    if (proof.kind == IOTEDGE_PROOF_TICK) {
        proof.index = payee->index;
        memcpy(proof.value, payee->value, sizeof proof.value);
    }
    if (iotedge_node_submit_claim(device->node, clock_now(), 0, lock, last != 0, &proof, &ticket) != IOTEDGE_OK) {
        return -1;
    }
    entry = book_add(&device->book, ticket, BOOK_CLAIM, device_time(device));
    if (entry != NULL) {
        entry->to = member;
        entry->amount = proof.index * price;
    }
    return 0;
}

/* A place that nothing is owed for. */
static sale_t *place(meter_seller_t *seller)
{
    sale_t *over = NULL;
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &seller->sales[i];
        if (sale->state == SALE_NONE) {
            return sale;
        }
        if (sale->state == SALE_OVER && (over == NULL || sale->since < over->since)) {
            over = sale;
        }
    }
    return over;
}

void meter_offered(device_t *device, const iotedge_event_t *event)
{
    iotedge_node_status_t status;
    iotedge_lock_t lock;
    uint8_t body[IOTEDGE_MAX_BODY], payer[IOTEDGE_ID_SIZE];
    size_t len = 0;
    sale_t *sale;
    memset(&lock, 0, sizeof lock);
    lock.size = (uint32_t)sizeof lock;
    if (!device->channel.wanted || device_status(device, &status) != 0 || iotedge_node_body(device->node, event->id, body, sizeof body, &len) != IOTEDGE_OK ||
        iotedge_lock_read(body, len, &lock) != IOTEDGE_OK) {
        return; /* It goes back when it ends. */
    }
    if (!device->seller.loaded) {
        load(device);
    }
    for (int i = 0; i < METER_SALES; i++) {
        if (device->seller.sales[i].state != SALE_NONE && memcmp(device->seller.sales[i].lock, event->id, IOTEDGE_ID_SIZE) == 0) {
            return; /* Told again, after a reset. */
        }
    }
    sale = place(&device->seller);
    /* Over its caps, other terms, too cheap, too short to claim in time, or one too many: it goes back at once. */
    if (sale == NULL || event->code != 0 || lock.terms.kind != IOTEDGE_TERMS_TICKS || lock.amount / lock.terms.units < device->channel.price ||
        lock.term < METER_LEAST_TERM || iotedge_node_member_device(device->node, event->member, payer) != IOTEDGE_OK) {
        device->seller.refused++;
        (void)claim(device, event->id, event->member, NULL, 0, 1);
        return;
    }
    memset(sale, 0, sizeof *sale);
    sale->payee.size = (uint32_t)sizeof sale->payee;
    if (iotedge_payee_begin(status.neighbourhood, payer, &lock.terms, &sale->payee) != IOTEDGE_OK) {
        return;
    }
    sale->size = (uint32_t)sizeof *sale;
    sale->state = SALE_OFFERED;
    sale->member = event->member;
    sale->number = lock.terms.sale;
    sale->price = lock.amount / lock.terms.units;
    sale->since = device_time(device);
    sale->ends = event->time + lock.term;
    memcpy(sale->lock, event->id, IOTEDGE_ID_SIZE);
    if (save(device, sale) != 0) {
        sale->state = SALE_NONE;
    }
}

/* Whether what was offered stands: nothing is delivered for a lock that can still die. */
static void look_at_grade(device_t *device, sale_t *sale)
{
    uint32_t grade = 0;
    if (iotedge_node_grade(device->node, sale->lock, &grade) != IOTEDGE_OK) {
        return;
    }
    if (grade == IOTEDGE_GRADE_DEAD) {
        sale->state = SALE_NONE; /* Its payer locks again. */
        (void)save(device, sale);
    } else if (grade >= IOTEDGE_GRADE_QUORUM) {
        sale->state = SALE_SERVED;
        (void)save(device, sale);
    }
}

void meter_sell(device_t *device, const iotedge_node_status_t *status)
{
    uint64_t now = clock_now();
    uint64_t today = device_time(device);
    if (!device->channel.wanted) {
        return;
    }
    if (!device->seller.loaded) {
        load(device);
    }
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        int stale = sale->payee.index == 0 && today > sale->since + METER_BEGIN_WITHIN;
        if (sale->state == SALE_OFFERED) {
            look_at_grade(device, sale);
        }
        if (sale->state == SALE_SERVED && (stale || today + METER_PERIODS * status->period > sale->ends)) {
            sale->state = SALE_ENDING;
        }
        if (status->phase != IOTEDGE_PHASE_ACTIVE) {
            continue;
        }
        if (sale->state == SALE_ENDING) {
            if (claim(device, sale->lock, sale->member, &sale->payee, sale->price, 1) == 0) {
                sale->state = SALE_OVER;
                sale->claimed = sale->payee.index;
                (void)save(device, sale); /* Where that fails it is claimed once more after a reset, which does no harm. */
            }
        } else if (sale->state == SALE_SERVED && sale->payee.index > sale->claimed && now >= sale->last_claim + METER_CLAIM_EVERY) {
            /* Not at once after a reset or the first tick: a claim is a transaction. */
            if (sale->last_claim != 0 && claim(device, sale->lock, sale->member, &sale->payee, sale->price, 0) == 0) {
                sale->claimed = sale->payee.index;
                (void)save(device, sale);
            }
            sale->last_claim = now;
        }
    }
}

uint32_t meter_units(const device_t *device, uint32_t member)
{
    uint32_t units = 0;
    for (int i = 0; i < METER_SALES; i++) {
        const sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_SERVED && sale->member == member) {
            units += sale->payee.index - sale->spent;
        }
    }
    return units;
}

int meter_open(const device_t *device, uint32_t member)
{
    for (int i = 0; i < METER_SALES; i++) {
        const sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_SERVED && sale->member == member && sale->spent < sale->payee.units) {
            return 1;
        }
    }
    return 0;
}

/* Not stored: a reset delivers again what was delivered since the last tick, a unit as long as the buyer pays one ahead. */
void meter_deliver(device_t *device, uint32_t member)
{
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_SERVED && sale->member == member && sale->spent < sale->payee.index) {
            sale->spent++;
            if (sale->spent == sale->payee.units) {
                sale->state = SALE_ENDING;
                (void)save(device, sale);
            }
            return;
        }
    }
}

void meter_end(device_t *device, uint32_t member)
{
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_SERVED && sale->member == member) {
            sale->state = SALE_ENDING;
            (void)save(device, sale);
        }
    }
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

/* Whose it is the frame does not say: two payers may use one number, and the value fits one of them. */
void meter_took(device_t *device, const uint8_t *tick, size_t len)
{
    int theirs = 0;
    if (!device->channel.wanted || !device->seller.loaded || len != METER_TICK) {
        return;
    }
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        iotedge_payee_t payee = sale->payee;
        uint32_t paid = 0;
        int32_t status;
        if ((sale->state != SALE_OFFERED && sale->state != SALE_SERVED) || sale->number != number_at(tick)) {
            continue;
        }
        status = iotedge_payee_take(number_at(tick + 4), tick + 8, &payee, &paid);
        theirs |= status == IOTEDGE_OK || status == IOTEDGE_E_SALE_STALE;
        if (status == IOTEDGE_OK) {
            sale_t before = *sale;
            sale->payee = payee;
            if (save(device, sale) != 0) {
                *sale = before; /* Not taken: the payer says it again. */
            }
            return;
        }
    }
    device->seller.forged += !theirs;
}

void meter_sell_sent(device_t *device, const uint8_t *id)
{
    iotedge_lock_claim_t said;
    uint8_t body[IOTEDGE_MAX_BODY];
    size_t len = 0;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    if (iotedge_node_body(device->node, id, body, sizeof body, &len) != IOTEDGE_OK || iotedge_lock_claim_read(body, len, &said) != IOTEDGE_OK || !said.last) {
        return;
    }
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_OVER && memcmp(sale->lock, said.lock, IOTEDGE_ID_SIZE) == 0) {
            memcpy(sale->claim, id, IOTEDGE_ID_SIZE);
            (void)save(device, sale);
        }
    }
}

void meter_sell_settled(device_t *device, const uint8_t *id, uint32_t header)
{
    for (int i = 0; i < METER_SALES; i++) {
        sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_OVER && memcmp(sale->claim, id, IOTEDGE_ID_SIZE) == 0) {
            sale->settled = header;
            (void)save(device, sale);
        }
    }
}

void meter_sell_print(const device_t *device, FILE *to)
{
    static const char *const names[] = {"none", "offered", "served", "ending", "over"};
    const char *comma = "";
    fprintf(to, ",\"locks_refused\":%" PRIu32 ",\"ticks_forged\":%" PRIu32 ",\"sales\":[", device->seller.refused, device->seller.forged);
    for (int i = 0; i < METER_SALES; i++) {
        const sale_t *sale = &device->seller.sales[i];
        if (sale->state == SALE_NONE || sale->state > SALE_OVER) {
            continue;
        }
        fprintf(to,
                "%s{\"member\":%" PRIu32 ",\"number\":%" PRIu32 ",\"state\":\"%s\",\"units\":%" PRIu32 ",\"price\":%" PRIu64 ",\"ticks\":%" PRIu32
                ",\"delivered\":%" PRIu32 ",\"claimed\":%" PRIu32 ",\"settled\":%" PRIu32 "}",
                comma, sale->member, sale->number, names[sale->state], sale->payee.units, sale->price, sale->payee.index, sale->spent,
                sale->claimed, sale->settled);
        comma = ",";
    }
    fprintf(to, "]");
}
