#include "stream.h"

#include "board.h"
#include "say.h"

#include <string.h>

/* Keys of the store; milliseconds. Sold is while more than so many of the neighbourhood's periods are left of a lock: two, so that a claim is settled before it ends, and one to sell in. */
enum { CHANNEL_KEY = 0x100, SALE_KEY = 0x120, READERS = 4 };
enum { PERIODS = 3, LEAST_TERM = 1800 * 1000, PATIENCE = 15 * 1000, BEGIN_WITHIN = 60 * 1000, CLAIM_EVERY = 8, TICK = 8 + IOTEDGE_TICK_SIZE };

enum state { NONE, OFFERED, SERVED, ENDING, OVER };

/* The one sale, as it lies in flash: written when a tick is taken, so that none is asked for twice. */
typedef struct {
    uint32_t size, state, member, number;
    uint32_t spent;   /* Units that were sealed; since the last tick only here, so a reset seals the one that was paid ahead again. */
    uint32_t claimed; /* Units that were claimed. */
    uint64_t since, ends;
    uint8_t lock[IOTEDGE_ID_SIZE];
    iotedge_payee_t payee;
} sale_t;

static const iotedge_platform_t *platform;
static uint64_t memory[IOTEDGE_CHANNEL_OWNER_SIZE(1, READERS) / 8];
static iotedge_channel_owner_t *owner;
static uint32_t number, least; /* Of the channel; the price. */
static sale_t sale;
static iotedge_node_status_t stands;

/* The last claim, until its receipt. Lost with a reset: the receipt then says nothing here. */
static struct {
    uint32_t ticket; /* 0: it was sent. */
    uint8_t id[IOTEDGE_ID_SIZE];
} claimed;

/* Who asked to read, and who may. */
static struct {
    int asked, granted;
    uint32_t member, reader;
    uint8_t key[32];
    uint64_t waits; /* Since when its next tick is waited for; 0: it is not. */
} customer;

static int save(void)
{
    return platform->store_put(platform->store_user, SALE_KEY, (const uint8_t *)&sale, sizeof sale) == IOTEDGE_OK ? 0 : -1;
}

void stream_open(const iotedge_platform_t *given, uint32_t channel, uint32_t price)
{
    size_t len = 0;
    platform = given;
    number = channel;
    least = price;
    if (number != 0 && (platform->store_get(platform->store_user, SALE_KEY, (uint8_t *)&sale, sizeof sale, &len) != IOTEDGE_OK ||
                        len != sizeof sale || sale.size != sizeof sale || sale.state > OVER || sale.spent > sale.payee.index)) {
        memset(&sale, 0, sizeof sale); /* None: what is locked goes back when it ends. */
    }
}

/* The channel is bound to the neighbourhood: it opens once that is known. */
static int open_channel(void)
{
    iotedge_channel_config_t config;
    uint32_t reader;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.mode = IOTEDGE_CHANNEL_PRIVATE;
    config.channel = number;
    memcpy(config.neighbourhood, stands.neighbourhood, sizeof config.neighbourhood);
    memcpy(config.device, stands.device, sizeof config.device);
    config.store_key = CHANNEL_KEY;
    config.batch = 1;
    config.readers = READERS;
    if (iotedge_channel_owner_init(memory, sizeof memory, &config, platform, stands.number, &owner) != IOTEDGE_OK) {
        owner = NULL;
        return -1;
    }
    if (iotedge_channel_owner_reader(owner, 0, &reader) == IOTEDGE_OK) {
        customer.granted = 1; /* From before a reset. */
        customer.reader = reader;
    }
    return 0;
}

/* What the channel has to say goes into the node's outbox. 1 where nothing is due any more. */
static int say_what_is_due(iotedge_node_t *node, uint64_t now)
{
    static uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
    for (;;) {
        size_t len = 0;
        uint32_t ticket;
        int32_t status = iotedge_channel_owner_next_op(owner, stands.number, op, sizeof op, &len);
        if (status == IOTEDGE_E_CHANNEL_WEAK_KEY) {
            continue; /* Who asked with such a key gets nothing. */
        }
        if (status != IOTEDGE_OK) {
            return status == IOTEDGE_E_NONE;
        }
        if (iotedge_node_submit_channel(node, now, 0, op, len, &ticket) != IOTEDGE_OK || iotedge_channel_owner_taken(owner) != IOTEDGE_OK) {
            return 0; /* Later: it stays due. */
        }
    }
}

/* The highest tick; with `last` the lock ends by it, and the rest goes back at once. */
static int claim(iotedge_node_t *node, uint64_t now, const uint8_t *lock, const iotedge_payee_t *payee, uint32_t last)
{
    iotedge_proof_t proof;
    uint32_t ticket = 0;
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    proof.kind = payee == NULL || payee->index == 0 ? IOTEDGE_PROOF_NOTHING : IOTEDGE_PROOF_TICK;
    if (proof.kind == IOTEDGE_PROOF_TICK) {
        proof.index = payee->index;
        memcpy(proof.value, payee->value, sizeof proof.value);
    }
    if (iotedge_node_submit_claim(node, now, 0, lock, last, &proof, &ticket) != IOTEDGE_OK) {
        return -1;
    }
    if (last && payee != NULL) {
        claimed.ticket = ticket;
    }
    return 0;
}

static void end(void)
{
    sale.state = ENDING;
    customer.waits = 0;
    (void)save();
}

static void settle(iotedge_node_t *node, uint64_t now)
{
    uint32_t grade = 0;
    if (sale.state == OFFERED && iotedge_node_grade(node, sale.lock, &grade) == IOTEDGE_OK) {
        /* Nothing is sealed for a lock that can still die; whose did locks again. */
        sale.state = grade == IOTEDGE_GRADE_DEAD ? NONE : grade >= IOTEDGE_GRADE_QUORUM ? SERVED : OFFERED;
        if (sale.state != OFFERED) {
            (void)save();
        }
    }
    if (sale.state == SERVED) {
        int stale = sale.payee.index == 0 && stands.time > sale.since + BEGIN_WITHIN;
        int idle = customer.waits != 0 && now >= customer.waits + PATIENCE;
        if (stale || idle || sale.spent == sale.payee.units || stands.time + PERIODS * stands.period > sale.ends) {
            end();
        } else if (sale.payee.index >= sale.claimed + CLAIM_EVERY && claim(node, now, sale.lock, &sale.payee, 0) == 0) {
            sale.claimed = sale.payee.index;
            (void)save();
        }
    }
    if (sale.state == ENDING && claim(node, now, sale.lock, &sale.payee, 1) == 0) {
        sale.state = OVER;
        sale.claimed = sale.payee.index;
        (void)save(); /* Where that fails it is claimed once more after a reset, which does no harm. */
        say_number("sold", sale.payee.index);
    }
}

int stream_wants(void)
{
    return owner != NULL && sale.state == SERVED && sale.payee.index > sale.spent && customer.granted && customer.reader == sale.member;
}

void stream_turn(iotedge_node_t *node, uint64_t now)
{
    uint8_t id[IOTEDGE_ID_SIZE];
    memset(&stands, 0, sizeof stands);
    stands.size = (uint32_t)sizeof stands;
    if (number == 0 || iotedge_node_status(node, now, &stands) != IOTEDGE_OK || stands.phase != IOTEDGE_PHASE_ACTIVE ||
        (owner == NULL && open_channel() != 0)) {
        return;
    }
    settle(node, now);
    if (!say_what_is_due(node, now)) {
        return;
    }
    if (customer.granted && (sale.state != SERVED || customer.reader != sale.member)) {
        int32_t status = iotedge_channel_owner_revoke(owner, stands.number, customer.reader);
        if (status == IOTEDGE_OK || status == IOTEDGE_E_CHANNEL_READER) {
            customer.granted = 0;
            say_number("revoked", customer.reader);
        }
    } else if (customer.asked && sale.state == SERVED && customer.member == sale.member && sale.payee.index > sale.spent &&
               iotedge_node_member_device(node, customer.member, id) == IOTEDGE_OK &&
               iotedge_channel_owner_grant(owner, customer.member, id, customer.key) == IOTEDGE_OK) {
        customer.asked = 0;
        customer.granted = 1;
        customer.reader = customer.member;
        say_number("granted", customer.member);
    }
    (void)say_what_is_due(node, now);
    /* Who has not got what it paid for cannot know that more is due. */
    if (sale.state != SERVED || !customer.granted || sale.payee.index > sale.spent || stands.outbox > 0) {
        customer.waits = 0;
    } else if (customer.waits == 0) {
        customer.waits = now;
    }
}

/* A lock for this board: kept where it is what is asked for, else given back at once. */
static void offered(iotedge_node_t *node, const iotedge_event_t *event)
{
    static uint8_t body[IOTEDGE_MAX_BODY];
    uint8_t payer[IOTEDGE_ID_SIZE];
    iotedge_lock_t lock;
    iotedge_payee_t payee;
    size_t len = 0;
    uint64_t now = board_millis();
    memset(&lock, 0, sizeof lock);
    lock.size = (uint32_t)sizeof lock;
    memset(&payee, 0, sizeof payee);
    payee.size = (uint32_t)sizeof payee;
    if (iotedge_node_body(node, event->id, body, sizeof body, &len) != IOTEDGE_OK || iotedge_lock_read(body, len, &lock) != IOTEDGE_OK ||
        (sale.state != NONE && memcmp(sale.lock, event->id, sizeof sale.lock) == 0)) {
        return; /* Told again after a reset, or nothing: it goes back when it ends. */
    }
    if ((sale.state != NONE && sale.state != OVER) || event->code != 0 || lock.terms.kind != IOTEDGE_TERMS_TICKS ||
        lock.amount / lock.terms.units < least || lock.term < LEAST_TERM || iotedge_node_member_device(node, event->member, payer) != IOTEDGE_OK ||
        iotedge_payee_begin(stands.neighbourhood, payer, &lock.terms, &payee) != IOTEDGE_OK) {
        (void)claim(node, now, event->id, NULL, 1);
        return;
    }
    memset(&sale, 0, sizeof sale);
    sale.size = (uint32_t)sizeof sale;
    sale.state = OFFERED;
    sale.member = event->member;
    sale.number = lock.terms.sale;
    sale.since = stands.time;
    sale.ends = event->time + lock.term;
    memcpy(sale.lock, event->id, sizeof sale.lock);
    sale.payee = payee;
    if (save() != 0) {
        sale.state = NONE;
    }
}

void stream_heard(iotedge_node_t *node, const iotedge_event_t *event)
{
    static uint8_t body[IOTEDGE_MAX_BODY];
    iotedge_channel_op_t op;
    size_t len = 0;
    if (owner == NULL) {
        return;
    }
    if (event->kind == IOTEDGE_EVENT_LOCKED) {
        offered(node, event);
        return;
    }
    /* One that died with its epoch is sent again, under another id. */
    if (event->kind == IOTEDGE_EVENT_SENT && claimed.ticket != 0 && event->ticket == claimed.ticket) {
        claimed.ticket = 0;
        memcpy(claimed.id, event->id, sizeof claimed.id);
    } else if (event->kind == IOTEDGE_EVENT_REISSUED && memcmp(claimed.id, event->id, sizeof claimed.id) == 0) {
        claimed.ticket = event->ticket;
    } else if (event->kind == IOTEDGE_EVENT_RECEIPT && memcmp(claimed.id, event->id, sizeof claimed.id) == 0) {
        say_number("settled", sale.claimed);
    }
    memset(&op, 0, sizeof op);
    op.size = (uint32_t)sizeof op;
    if (event->kind == IOTEDGE_EVENT_CHANNEL && event->code == IOTEDGE_CHANNEL_OP_SUBSCRIBE &&
        iotedge_node_body(node, event->id, body, sizeof body, &len) == IOTEDGE_OK && iotedge_channel_op_read(body, len, &op) == IOTEDGE_OK &&
        op.channel == number && op.sub_channel == 0 && op.member == stands.member) {
        customer.asked = 1;
        customer.member = event->member;
        memcpy(customer.key, op.bytes, sizeof customer.key);
    }
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

int stream_took(const uint8_t *frame, size_t len)
{
    const uint8_t *tick;
    size_t tick_len = 0;
    uint32_t what = 0, paid = 0;
    sale_t before = sale;
    int32_t status = owner == NULL ? IOTEDGE_E_NONE : iotedge_frame_said(stands.neighbourhood, frame, len, &what, &tick, &tick_len);
    if (status != IOTEDGE_OK) {
        return status != IOTEDGE_E_NONE; /* Something that this program does not know. */
    }
    if (what == IOTEDGE_SAID_TICK && tick_len == TICK && (sale.state == OFFERED || sale.state == SERVED) && sale.number == number_at(tick) &&
        iotedge_payee_take(number_at(tick + 4), tick + 8, &sale.payee, &paid) == IOTEDGE_OK) {
        if (save() != 0) {
            sale = before; /* Not taken: it is said again. */
        } else {
            say_number("tick", sale.payee.index);
        }
    }
    return 1;
}

int stream_publish(iotedge_node_t *node, uint64_t now, const uint8_t *pack, size_t len)
{
    static uint8_t sealed[IOTEDGE_CHANNEL_MAX_MESSAGE], op[IOTEDGE_CHANNEL_MAX_OP];
    iotedge_channel_published_t published;
    size_t sealed_len = 0, op_len = 0;
    uint32_t ticket;
    memset(&published, 0, sizeof published);
    published.size = (uint32_t)sizeof published;
    /* Not before the grant is said, or its reader would lack what it paid for. The transaction's signature is the message's. */
    if (!stream_wants() || !say_what_is_due(node, now) ||
        iotedge_channel_owner_publish(owner, stands.number, IOTEDGE_CHANNEL_SIGNED, pack, len, sealed, sizeof sealed, &sealed_len, &published) != IOTEDGE_OK ||
        iotedge_channel_message_op(number, 0, sealed, sealed_len, op, sizeof op, &op_len) != IOTEDGE_OK ||
        iotedge_node_submit_channel(node, now, 0, op, op_len, &ticket) != IOTEDGE_OK) {
        return -1;
    }
    sale.spent++;
    say_number("sealed", sale.spent);
    return 0;
}
