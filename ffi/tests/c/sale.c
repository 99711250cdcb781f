/* Every function of metered sales: a payer, a payee, vouchers, statements and bodies, and what each does when it is misused. */
#include "device.h"

enum { UNITS = 12, KEY = 0x300, SECRET = 0x2ff };

static uint64_t payer_memory[IOTEDGE_PAYER_SIZE / 8];
static uint64_t copy[IOTEDGE_PAYER_SIZE / 8];
static uint64_t node_memory[NODE_BYTES / 8];
static iotedge_payer_config_t config;
static iotedge_terms_t terms;
static iotedge_payee_t payee;
static iotedge_public_key_t key;

static void fresh(void)
{
    device_fresh();
    memset(payer_memory, 0, sizeof payer_memory);
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.sale = 7;
    config.units = UNITS;
    config.store_key = KEY;
    config.secret_key = SECRET;
    memset(config.neighbourhood, 0x11, 32);
    memset(config.device, 0x22, 32);
    memset(&terms, 0, sizeof terms);
    terms.size = (uint32_t)sizeof terms;
    terms.kind = IOTEDGE_TERMS_TICKS;
    terms.sale = 7;
    terms.units = UNITS;
    memset(&payee, 0, sizeof payee);
    payee.size = (uint32_t)sizeof payee;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(seed, &key));
    STATUS(IOTEDGE_OK, iotedge_payer_anchor(&config, &platform, terms.anchor));
    STATUS(IOTEDGE_OK, iotedge_payee_begin(config.neighbourhood, config.device, &terms, &payee));
}

static iotedge_payer_t *start(void)
{
    iotedge_payer_t *payer = NULL;
    STATUS(IOTEDGE_OK, iotedge_payer_init(payer_memory, sizeof payer_memory, &config, &platform, &payer));
    return payer;
}

static void sizes_and_beginnings(void)
{
    iotedge_payer_t *payer = NULL;
    uint8_t anchor[IOTEDGE_TICK_SIZE], again[IOTEDGE_TICK_SIZE];
    size_t bytes = 7, least = 0;
    fresh();
    STATUS(IOTEDGE_OK, iotedge_payer_size(1, &least));
    STATUS(IOTEDGE_OK, iotedge_payer_size(IOTEDGE_MAX_UNITS, &bytes));
    CHECK(least < bytes && bytes <= IOTEDGE_PAYER_SIZE);
    STATUS(IOTEDGE_E_TERMS, iotedge_payer_size(0, &bytes));
    STATUS(IOTEDGE_E_TERMS, iotedge_payer_size(IOTEDGE_MAX_UNITS + 1, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_size(1, NULL));

    /* The same secret, so the same anchor, over resets; another sale has another. */
    STATUS(IOTEDGE_OK, iotedge_payer_anchor(&config, &platform, anchor));
    CHECK(memcmp(anchor, terms.anchor, sizeof anchor) == 0);
    config.sale = 8;
    STATUS(IOTEDGE_OK, iotedge_payer_anchor(&config, &platform, again));
    CHECK(memcmp(anchor, again, sizeof anchor) != 0);
    config.sale = 7;
    STATUS(IOTEDGE_E_NULL, iotedge_payer_anchor(NULL, &platform, anchor));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_anchor(&config, NULL, anchor));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_anchor(&config, &platform, NULL));
    device.fail_get = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_payer_anchor(&config, &platform, anchor));
    device.fail_get = 0;

    for (int wrong = 0; wrong < 8; wrong++) {
        iotedge_payer_config_t bad = config;
        int32_t wanted = IOTEDGE_E_ARGUMENT;
        switch (wrong) {
        case 0: bad.size = 4; wanted = IOTEDGE_E_STRUCT_SIZE; break;
        case 1: bad.units = 0; wanted = IOTEDGE_E_TERMS; break;
        case 2: bad.units = IOTEDGE_MAX_UNITS + 1; wanted = IOTEDGE_E_TERMS; break;
        case 3: bad.ahead = 65; break;
        case 4: bad.store_key = 0xff; break;
        case 5: bad.store_key = 0x1000; break;
        case 6: bad.secret_key = 0x10300; break;
        default: bad.secret_key = KEY; break;
        }
        STATUS(wanted, iotedge_payer_init(payer_memory, sizeof payer_memory, &bad, &platform, &payer));
        STATUS(wanted, iotedge_payer_anchor(&bad, &platform, anchor));
        STATUS(wanted, iotedge_payer_forget(&bad, &platform));
    }
    STATUS(IOTEDGE_E_NULL, iotedge_payer_init(NULL, sizeof payer_memory, &config, &platform, &payer));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_payer_init(payer_memory, 64, &config, &platform, &payer));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_payer_init((uint8_t *)payer_memory + 1, sizeof payer_memory - 8, &config, &platform, &payer));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_init(payer_memory, sizeof payer_memory, &config, &platform, NULL));
    device.fail_get = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_payer_init(payer_memory, sizeof payer_memory, &config, &platform, &payer));
    device.fail_get = 0;
    CHECK(payer == NULL);
    payer = start();
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_payer_init(payer_memory, sizeof payer_memory, &config, &platform, &payer));
    /* What was copied is no payer. */
    memcpy(copy, payer_memory, sizeof copy);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_payer_deinit((iotedge_payer_t *)(void *)copy));
    STATUS(IOTEDGE_OK, iotedge_payer_deinit(payer));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_payer_deinit(payer));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_deinit(NULL));
}

static void units_are_paid_once(void)
{
    uint8_t value[IOTEDGE_TICK_SIZE], last[IOTEDGE_TICK_SIZE];
    uint32_t index = 99, paid = 0, given = 0, left = 0;
    iotedge_payer_t *payer;
    iotedge_payee_t before;
    fresh();
    payer = start();
    STATUS(IOTEDGE_OK, iotedge_payer_given(payer, &given, &left));
    CHECK(given == 0 && left == UNITS);
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
    STATUS(IOTEDGE_OK, iotedge_payee_take(index, value, &payee, &paid));
    CHECK(index == 1 && paid == 1 && payee.index == 1);

    /* Late, forged, beyond: nothing changes. */
    before = payee;
    STATUS(IOTEDGE_E_SALE_STALE, iotedge_payee_take(1, value, &payee, &paid));
    STATUS(IOTEDGE_E_SALE_STALE, iotedge_payee_take(0, value, &payee, &paid));
    STATUS(IOTEDGE_E_SALE_FORGED, iotedge_payee_take(2, value, &payee, &paid));
    STATUS(IOTEDGE_E_SALE_SPENT, iotedge_payee_take(UNITS + 1, value, &payee, &paid));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_take(2, value, NULL, &paid));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_take(2, NULL, &payee, &paid));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_take(2, value, &payee, NULL));
    CHECK(memcmp(&before, &payee, sizeof payee) == 0);

    /* Where the store fails nothing is given. */
    device.fail_put = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_payer_pay(payer, &index, value));
    device.fail_put = 0;
    STATUS(IOTEDGE_OK, iotedge_payer_given(payer, &given, &left));
    CHECK(given == 1 && left == UNITS - 1);
    STATUS(IOTEDGE_E_NULL, iotedge_payer_pay(payer, NULL, value));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_pay(payer, &index, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_pay(NULL, &index, value));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_given(NULL, &given, &left));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_given(payer, NULL, &left));

    /* One is lost on the way: the next pays for both. */
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
    STATUS(IOTEDGE_OK, iotedge_payee_take(index, value, &payee, &paid));
    CHECK(index == 3 && paid == 2);

    /* A reset between the store and the payee: it shows its highest, and nothing is lost. */
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, last));
    STATUS(IOTEDGE_OK, iotedge_payer_deinit(payer));
    payer = start();
    STATUS(IOTEDGE_OK, iotedge_payer_given(payer, &given, &left));
    CHECK(given == 4);
    STATUS(IOTEDGE_E_SALE_FORGED, iotedge_payer_resync(payer, 3, last));
    STATUS(IOTEDGE_E_SALE_STALE, iotedge_payer_resync(payer, 2, payee.value));
    STATUS(IOTEDGE_E_SALE_TOO_FAR, iotedge_payer_resync(payer, 5, payee.value));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_resync(payer, 3, NULL));
    STATUS(IOTEDGE_OK, iotedge_payer_resync(payer, payee.index, payee.value));
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
    CHECK(index == 4 && memcmp(value, last, sizeof value) == 0);
    STATUS(IOTEDGE_OK, iotedge_payee_take(index, value, &payee, &paid));

    for (uint32_t unit = 5; unit <= UNITS; unit++) {
        STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
        STATUS(IOTEDGE_OK, iotedge_payee_take(index, value, &payee, &paid));
        CHECK(index == unit && paid == 1);
    }
    STATUS(IOTEDGE_E_SALE_SPENT, iotedge_payer_pay(payer, &index, value));
    STATUS(IOTEDGE_OK, iotedge_payer_deinit(payer));

    /* The store has this sale: another one under its key is refused until it is forgotten. */
    config.sale = 8;
    STATUS(IOTEDGE_E_SALE_STORED, iotedge_payer_init(payer_memory, sizeof payer_memory, &config, &platform, &payer));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_forget(NULL, &platform));
    STATUS(IOTEDGE_E_NULL, iotedge_payer_forget(&config, NULL));
    STATUS(IOTEDGE_OK, iotedge_payer_forget(&config, &platform));
    payer = start();
    STATUS(IOTEDGE_OK, iotedge_payer_pay(payer, &index, value));
    /* And its ticks pay nothing of the first one. */
    payee.index = 0;
    memcpy(payee.value, terms.anchor, 32);
    STATUS(IOTEDGE_E_SALE_FORGED, iotedge_payee_take(index, value, &payee, &paid));
    STATUS(IOTEDGE_OK, iotedge_payer_deinit(payer));

    /* A payee from a store that was bent. */
    payee.index = UNITS + 1;
    STATUS(IOTEDGE_E_SALE_SPENT, iotedge_payee_take(1, value, &payee, &paid));
    payee.index = 0;
    payee.units = 0;
    STATUS(IOTEDGE_E_TERMS, iotedge_payee_take(1, value, &payee, &paid));
    payee.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_payee_take(1, value, &payee, &paid));
    payee.size = (uint32_t)sizeof payee;
    STATUS(IOTEDGE_E_NULL, iotedge_payee_begin(NULL, config.device, &terms, &payee));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_begin(config.neighbourhood, NULL, &terms, &payee));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_begin(config.neighbourhood, config.device, NULL, &payee));
    STATUS(IOTEDGE_E_NULL, iotedge_payee_begin(config.neighbourhood, config.device, &terms, NULL));
    terms.units = 0;
    STATUS(IOTEDGE_E_TERMS, iotedge_payee_begin(config.neighbourhood, config.device, &terms, &payee));
    terms.kind = IOTEDGE_TERMS_VOUCHERS;
    STATUS(IOTEDGE_E_UNSUPPORTED_KIND, iotedge_payee_begin(config.neighbourhood, config.device, &terms, &payee));
}

static void vouchers_and_statements(void)
{
    uint8_t lock[32], other[32], input[IOTEDGE_VOUCHER_INPUT_SIZE], signature[64];
    size_t len = 0;
    fresh();
    memset(lock, 0x33, sizeof lock);
    memset(other, 0x34, sizeof other);
    STATUS(IOTEDGE_OK, iotedge_voucher_input(&key, config.neighbourhood, lock, 250, input, sizeof input, &len));
    CHECK(len > 100 && len <= sizeof input);
    STATUS(IOTEDGE_OK, iotedge_sign(seed, input, len, signature));
    STATUS(IOTEDGE_OK, iotedge_voucher_verify(&key, config.neighbourhood, lock, 250, signature));
    CHECK(iotedge_voucher_verify(&key, config.neighbourhood, lock, 251, signature) != IOTEDGE_OK);
    CHECK(iotedge_voucher_verify(&key, config.neighbourhood, other, 250, signature) != IOTEDGE_OK);
    CHECK(iotedge_voucher_verify(&key, other, lock, 250, signature) != IOTEDGE_OK);
    CHECK(iotedge_voucher_verify(&authority, config.neighbourhood, lock, 250, signature) != IOTEDGE_OK);
    signature[3] ^= 1;
    CHECK(iotedge_voucher_verify(&key, config.neighbourhood, lock, 250, signature) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_voucher_input(&key, config.neighbourhood, lock, 250, input, len - 1, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_voucher_input(NULL, config.neighbourhood, lock, 250, input, sizeof input, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_voucher_input(&key, NULL, lock, 250, input, sizeof input, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_voucher_input(&key, config.neighbourhood, NULL, 250, input, sizeof input, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_voucher_input(&key, config.neighbourhood, lock, 250, NULL, sizeof input, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_voucher_verify(&key, config.neighbourhood, lock, 250, NULL));

    STATUS(IOTEDGE_OK, iotedge_statement_input(&key, config.neighbourhood, (const uint8_t *)"level", 5, -40, 1000, input, sizeof input, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, input, len, signature));
    STATUS(IOTEDGE_OK, iotedge_statement_verify(&key, config.neighbourhood, (const uint8_t *)"level", 5, -40, 1000, signature));
    CHECK(iotedge_statement_verify(&key, config.neighbourhood, (const uint8_t *)"level", 5, 40, 1000, signature) != IOTEDGE_OK);
    CHECK(iotedge_statement_verify(&key, config.neighbourhood, (const uint8_t *)"level", 5, -40, 1001, signature) != IOTEDGE_OK);
    CHECK(iotedge_statement_verify(&key, config.neighbourhood, (const uint8_t *)"level", 4, -40, 1000, signature) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_TERMS, iotedge_statement_input(&key, config.neighbourhood, NULL, 0, -40, 1000, input, sizeof input, &len));
    STATUS(IOTEDGE_E_TERMS, iotedge_statement_verify(&key, config.neighbourhood, lock, 17, -40, 1000, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_statement_input(&key, config.neighbourhood, NULL, 5, -40, 1000, input, sizeof input, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_statement_verify(&key, NULL, lock, 5, -40, 1000, signature));
}

/* Bodies as a stranger's library writes them (vectors/tx.json). */
static const uint8_t TICKS[] = {0x85, 0x02, 0x19, 0x03, 0xe8, 0x19, 0x24, 0x22, 0x1a, 0x00, 0x00, 0xea, 0x60, 0x84, 0x00, 0x0c, 0x18, 0x64, 0x58, 0x20,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
static const uint8_t PREDICATE[] = {0x85, 0x02, 0x01, 0x01, 0x01, 0x87, 0x02, 0x44, 't', 'e', 'm', 'p', 0x00, 0x24, 0x19, 0xea, 0x60, 0x02, 0x83, 0x01, 0x02, 0x09};

static void bodies(void)
{
    iotedge_lock_t lock;
    iotedge_lock_claim_t claim;
    uint8_t body[160];
    fresh();
    memset(&lock, 0, sizeof lock);
    lock.size = (uint32_t)sizeof lock;
    memset(&claim, 0, sizeof claim);
    claim.size = (uint32_t)sizeof claim;
    /* A term of 60,000 in four bytes has a shorter form. */
    STATUS(IOTEDGE_E_NOT_DETERMINISTIC, iotedge_lock_read(TICKS, sizeof TICKS, &lock));
    memcpy(body, TICKS, 8);
    body[8] = 0x19;
    memcpy(body + 9, TICKS + 11, sizeof TICKS - 11);
    STATUS(IOTEDGE_OK, iotedge_lock_read(body, sizeof TICKS - 2, &lock));
    CHECK(lock.to == 2 && lock.amount == 1000 && lock.debits == 9250 && lock.term == 60000);
    CHECK(lock.terms.kind == IOTEDGE_TERMS_TICKS && lock.terms.sale == 12 && lock.terms.units == 100 && lock.terms.anchor[31] == 1);
    CHECK(lock.terms.size == sizeof lock.terms && lock.terms.reader_count == 0);
    STATUS(IOTEDGE_E_MALFORMED, iotedge_lock_read(body, sizeof TICKS - 3, &lock));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_lock_read(body, sizeof TICKS - 1, &lock));
    body[3] = 0x04; /* 1,256 is no multiple of 100. */
    STATUS(IOTEDGE_E_TERMS, iotedge_lock_read(body, sizeof TICKS - 2, &lock));
    CHECK(lock.amount == 1000);
    STATUS(IOTEDGE_OK, iotedge_lock_read(PREDICATE, sizeof PREDICATE, &lock));
    CHECK(lock.terms.kind == IOTEDGE_TERMS_PREDICATE && lock.terms.feed_len == 4 && memcmp(lock.terms.feed, "temp", 4) == 0);
    CHECK(lock.terms.comparison == IOTEDGE_AT_LEAST && lock.terms.threshold == -5 && lock.terms.window == 60000 && lock.terms.quorum == 2);
    CHECK(lock.terms.reader_count == 3 && lock.terms.readers[2] == 9 && lock.terms.readers[3] == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_lock_read(NULL, 8, &lock));
    STATUS(IOTEDGE_E_NULL, iotedge_lock_read(PREDICATE, sizeof PREDICATE, NULL));
    lock.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_lock_read(PREDICATE, sizeof PREDICATE, &lock));

    memset(body, 5, sizeof body);
    body[0] = 0x83;
    body[1] = 0x58;
    body[2] = 0x20;
    body[35] = 1;
    body[36] = 0x83;
    body[37] = 0x00;
    body[38] = 0x07;
    body[39] = 0x58;
    body[40] = 0x20;
    STATUS(IOTEDGE_OK, iotedge_lock_claim_read(body, 73, &claim));
    CHECK(claim.last == 1 && claim.lock[0] == 5 && claim.proof.kind == IOTEDGE_PROOF_TICK && claim.proof.index == 7 && claim.proof.value[31] == 5);
    body[37] = 0x01;
    body[40] = 0x40;
    STATUS(IOTEDGE_OK, iotedge_lock_claim_read(body, 105, &claim));
    CHECK(claim.proof.kind == IOTEDGE_PROOF_VOUCHER && claim.proof.total == 7 && claim.proof.signature[63] == 5);
    body[36] = 0x82;
    body[37] = 0x02;
    body[38] = 0x81;
    body[39] = 0x84;
    body[40] = 0x03;
    body[41] = 0x27;
    body[42] = 0x0a;
    body[43] = 0x58;
    body[44] = 0x40;
    STATUS(IOTEDGE_OK, iotedge_lock_claim_read(body, 109, &claim));
    CHECK(claim.proof.kind == IOTEDGE_PROOF_STATEMENTS && claim.proof.statement_count == 1);
    CHECK(claim.proof.statements[0].place == 3 && claim.proof.statements[0].value == -8 && claim.proof.statements[0].time == 10);
    CHECK(claim.proof.statements[0].signature[63] == 5 && claim.proof.statements[1].time == 0);
    body[36] = 0x81;
    body[37] = 0x03;
    STATUS(IOTEDGE_OK, iotedge_lock_claim_read(body, 38, &claim));
    CHECK(claim.proof.kind == IOTEDGE_PROOF_NOTHING && claim.proof.statement_count == 0);
    body[35] = 0;
    STATUS(IOTEDGE_E_TERMS, iotedge_lock_claim_read(body, 38, &claim));
    body[37] = 0x04;
    STATUS(IOTEDGE_E_UNSUPPORTED_KIND, iotedge_lock_claim_read(body, 38, &claim));
    STATUS(IOTEDGE_E_NULL, iotedge_lock_claim_read(NULL, 38, &claim));
    STATUS(IOTEDGE_E_NULL, iotedge_lock_claim_read(body, 38, NULL));
}

static void a_node_takes_them(void)
{
    iotedge_proof_t proof;
    iotedge_node_t *node;
    uint8_t lock[32];
    uint32_t ticket = 99;
    fresh();
    memset(lock, 0x33, sizeof lock);
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    proof.kind = IOTEDGE_PROOF_TICK;
    proof.index = 3;
    node = node_start(node_memory);
    STATUS(IOTEDGE_OK, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.index = 0;
    STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.kind = IOTEDGE_PROOF_VOUCHER;
    STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.kind = IOTEDGE_PROOF_STATEMENTS;
    for (uint32_t count = 0; count < 6; count += 5) {
        proof.statement_count = count;
        STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    }
    proof.statement_count = 2;
    STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.statements[1].place = 256;
    STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.statements[1].place = 1;
    STATUS(IOTEDGE_OK, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    proof.kind = IOTEDGE_PROOF_NOTHING;
    STATUS(IOTEDGE_E_TERMS, iotedge_node_submit_claim(node, 10, 0, lock, 0, &proof, &ticket));
    STATUS(IOTEDGE_E_OUTBOX_FULL, iotedge_node_submit_claim(node, 10, 0, lock, 1, &proof, &ticket));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_submit_claim(node, 10, 0, lock, 2, &proof, &ticket));
    proof.kind = 4;
    STATUS(IOTEDGE_E_UNSUPPORTED_KIND, iotedge_node_submit_claim(node, 10, 0, lock, 1, &proof, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_claim(node, 10, 0, NULL, 1, &proof, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_claim(node, 10, 0, lock, 1, NULL, &ticket));

    /* No member yet: it has nothing to lock, and knows no payee. */
    CHECK(iotedge_node_submit_lock(node, 10, 0, 1, 120, 1000, &terms, &ticket) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_UNKNOWN_PAYEE, iotedge_node_submit_lock(node, 10, 0, 65536, 120, 1000, &terms, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_lock(node, 10, 0, 1, 120, 1000, NULL, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_lock(NULL, 10, 0, 1, 120, 1000, &terms, &ticket));
    for (int wrong = 0; wrong < 7; wrong++) {
        iotedge_terms_t bad = terms;
        int32_t wanted = IOTEDGE_E_TERMS;
        bad.kind = IOTEDGE_TERMS_PREDICATE;
        bad.feed_len = 4;
        bad.quorum = 1;
        bad.reader_count = 2;
        bad.readers[1] = 1;
        switch (wrong) {
        case 0: bad.kind = 3; wanted = IOTEDGE_E_UNSUPPORTED_KIND; break;
        case 1: bad.feed_len = 0; break;
        case 2: bad.feed_len = 17; break;
        case 3: bad.reader_count = 9; break;
        case 4: bad.readers[1] = 0; break;
        case 5: bad.readers[1] = 65536; break;
        default: bad.comparison = 4; break;
        }
        STATUS(wanted, iotedge_node_submit_lock(node, 10, 0, 1, 120, 1000, &bad, &ticket));
    }
    terms.kind = IOTEDGE_TERMS_VOUCHERS;
    STATUS(IOTEDGE_E_SUITE, iotedge_node_submit_lock(node, 10, 0, 1, 120, 1000, &terms, &ticket));
    CHECK(ticket == 2);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

int main(void)
{
    sizes_and_beginnings();
    units_are_paid_once();
    vouchers_and_statements();
    bodies();
    a_node_takes_them();
    return check_end("sale");
}
