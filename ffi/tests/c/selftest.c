/* The self test of ports: a good one passes, and one that is wrong in one way is caught by that way's name. */
#include "device.h"

static const uint8_t KEY_SEED[32] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};

enum fault {
    NOTHING,
    RANDOM_FAILS, RANDOM_CONSTANT, RANDOM_REPEATS, RANDOM_SHORT, RANDOM_RUNS, RANDOM_NIBBLES, RANDOM_OVERRUNS,
    CLOCK_BACK, CLOCK_STUCK,
    STORE_NO_MISSING, STORE_PUT_FAILS, STORE_GET_FAILS, STORE_OLD_TAIL, STORE_OLD_VALUE, STORE_NO_LONG, STORE_TRUNCATES, STORE_ONE_KEY,
    STORE_NO_REMOVE, STORE_REMOVE_MISSING_FAILS, STORE_OVERRUNS, STORE_KEEPS_POINTER,
    SIGN_FAILS, SIGN_TURNS_A_BIT, SIGN_OTHER_KEY, SIGN_CONSTANT, SIGN_OVERRUNS,
    ATTEST_FAILS, ATTEST_WRONG,
    COUNTER_FAILS, COUNTER_STANDS, COUNTER_JUMPS, COUNTER_WANDERS, COUNTER_ENDS, COUNTER_ADVANCE_FAILS, COUNTER_PAST_ITS_END, COUNTER_HALF,
    STACK_FULL
};

static enum fault fault;
static uint64_t state, ticks;
static uint32_t count;
static uint8_t memory[IOTEDGE_MAX_SET + 64];
static iotedge_public_key_t signer;
static iotedge_port_t port;
static const uint8_t *kept;
static size_t kept_len;

/* splitmix64: good enough to pass for random here, never for keys. */
static uint8_t noise(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint8_t)(z >> 40);
}

static int32_t test_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    if (fault == RANDOM_FAILS) {
        return IOTEDGE_E_PLATFORM;
    }
    if (fault == RANDOM_REPEATS) {
        state = 7;
    }
    for (size_t i = 0; i < (fault == RANDOM_SHORT && len > 4 ? 4 : len); i++) {
        out[i] = noise();
        if (fault == RANDOM_CONSTANT) {
            out[i] = 0;
        } else if (fault == RANDOM_NIBBLES) {
            out[i] &= 15;
        } else if (fault == RANDOM_RUNS && i > 32 && i < 40 && len == 64) {
            out[i] = out[32];
        }
    }
    if (fault == RANDOM_OVERRUNS) {
        out[len] ^= 1;
    }
    return IOTEDGE_OK;
}

static uint64_t test_now(void *user)
{
    (void)user;
    ticks++;
    if (fault == CLOCK_STUCK) {
        return 1000;
    }
    return fault == CLOCK_BACK && ticks == 3 ? 0 : 1000 + ticks / 3;
}

static int32_t test_get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    int i = device_slot((const device_t *)user, key, 0);
    if (fault == STORE_NO_MISSING && i < 0) {
        *len = 0;
        return IOTEDGE_OK;
    }
    if (fault == STORE_GET_FAILS && i >= 0) {
        return IOTEDGE_E_PLATFORM;
    }
    if (fault == STORE_KEEPS_POINTER && i >= 0 && kept_len <= capacity) {
        memmove(out, kept, kept_len);
        *len = kept_len;
        return IOTEDGE_OK;
    }
    if (fault == STORE_TRUNCATES && i >= 0 && device.slots[i].len > capacity) {
        memcpy(out, device.slots[i].value, capacity);
        *len = capacity;
        return IOTEDGE_OK;
    }
    if (fault == STORE_OVERRUNS && i >= 0) {
        out[capacity] ^= 1;
    }
    return device_get(user, key, out, capacity, len);
}

static int32_t test_put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    int i = device_slot((const device_t *)user, key, 0);
    size_t before = i < 0 ? 0 : device.slots[i].len;
    if (fault == STORE_PUT_FAILS || (fault == STORE_NO_LONG && len > 256)) {
        return IOTEDGE_E_PLATFORM;
    }
    if (fault == STORE_OLD_VALUE && i >= 0) {
        return IOTEDGE_OK;
    }
    kept = value;
    kept_len = len;
    int32_t status = device_put(user, fault == STORE_ONE_KEY ? 1 : key, value, len);
    i = device_slot((const device_t *)user, key, 0);
    if (fault == STORE_OLD_TAIL && i >= 0 && before > len) {
        device.slots[i].len = before;
    }
    return status;
}

static int32_t one_key_get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    (void)key;
    return device_get(user, 1, out, capacity, len);
}

static int32_t one_key_remove(void *user, uint32_t key)
{
    (void)key;
    return device_remove(user, 1);
}

static int32_t test_remove(void *user, uint32_t key)
{
    if (fault == STORE_NO_REMOVE) {
        return IOTEDGE_OK;
    }
    if (fault == STORE_REMOVE_MISSING_FAILS && device_slot((const device_t *)user, key, 0) < 0) {
        return IOTEDGE_E_NONE;
    }
    return device_remove(user, key);
}

static int32_t test_sign(void *user, const uint8_t *message, size_t len, uint8_t *signature)
{
    static uint8_t other[32] = {5};
    static uint8_t first[64];
    (void)user;
    if (fault == SIGN_FAILS) {
        return IOTEDGE_E_PLATFORM;
    }
    STATUS(IOTEDGE_OK, iotedge_sign(fault == SIGN_OTHER_KEY ? other : KEY_SEED, message, len, signature));
    if (fault == SIGN_TURNS_A_BIT) {
        signature[31] ^= 8;
    }
    if (fault == SIGN_CONSTANT) {
        if (len == 32) {
            memcpy(first, signature, 64);
        } else {
            memcpy(signature, first, 64);
        }
    }
    if (fault == SIGN_OVERRUNS) {
        signature[64] ^= 1;
    }
    return IOTEDGE_OK;
}

static int32_t test_attest(void *user, iotedge_evidence_t *evidence)
{
    (void)user;
    evidence->model = (const uint8_t *)"acme-2";
    evidence->model_len = fault == ATTEST_WRONG ? 40 : 6;
    return fault == ATTEST_FAILS ? IOTEDGE_E_PLATFORM : IOTEDGE_OK;
}

static int32_t test_counter_read(void *user, uint32_t *value, uint32_t *last)
{
    (void)user;
    if (fault == COUNTER_WANDERS) {
        count++;
    }
    *value = count;
    *last = fault == COUNTER_ENDS ? 7 : fault == COUNTER_PAST_ITS_END ? 6 : 1000;
    return fault == COUNTER_FAILS ? IOTEDGE_E_PLATFORM : IOTEDGE_OK;
}

static int32_t test_counter_advance(void *user)
{
    (void)user;
    count += fault == COUNTER_STANDS ? 0 : fault == COUNTER_JUMPS ? 2 : 1;
    return fault == COUNTER_ADVANCE_FAILS ? IOTEDGE_E_PLATFORM : IOTEDGE_OK;
}

static uint32_t test_stack_left(void *user)
{
    (void)user;
    return fault == STACK_FULL ? 100 : 300;
}

static void fresh(enum fault which)
{
    device_fresh();
    fault = which;
    state = 42;
    ticks = 0;
    count = 7;
    platform.random = test_random;
    platform.store_get = which == STORE_ONE_KEY ? one_key_get : test_get;
    platform.store_put = test_put;
    platform.store_remove = which == STORE_ONE_KEY ? one_key_remove : test_remove;
    platform.attest = test_attest;
    platform.counter_read = test_counter_read;
    platform.counter_advance = which == COUNTER_HALF ? NULL : test_counter_advance;
    memset(&signer, 0, sizeof signer);
    signer.size = (uint32_t)sizeof signer;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(KEY_SEED, &signer));
    memset(&port, 0, sizeof port);
    port.size = (uint32_t)sizeof port;
    port.memory = memory;
    port.memory_len = 1500; /* The store of these tests takes 1,600 bytes. */
    port.now = test_now;
    port.sign = test_sign;
    port.signer = &signer;
    port.stack_left = test_stack_left;
}

static iotedge_selftest_t run(void)
{
    iotedge_selftest_t found;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_OK, iotedge_port_selftest(&platform, &port, &found));
    return found;
}

static void a_good_port(void)
{
    fresh(NOTHING);
    iotedge_selftest_t found = run();
    CHECK(found.failed == 0);
    STATUS(IOTEDGE_OK, found.random);
    STATUS(IOTEDGE_OK, found.clock);
    STATUS(IOTEDGE_OK, found.store);
    STATUS(IOTEDGE_OK, found.signer);
    STATUS(IOTEDGE_OK, found.attest);
    STATUS(IOTEDGE_OK, found.counter);
    STATUS(IOTEDGE_OK, found.stack);
    CHECK(count == 8); /* One step is spent. */
    CHECK(found.stack_left == 300 && found.store_longest == 1492);
    for (int i = 0; i < 16; i++) {
        CHECK(!device.slots[i].used); /* Nothing stays. */
    }
    /* What is not given is not tested, and no fault. */
    port.now = NULL;
    port.sign = NULL;
    port.signer = NULL;
    port.stack_left = NULL;
    platform.attest = NULL;
    platform.counter_read = NULL;
    platform.counter_advance = NULL;
    found = run();
    CHECK(found.failed == 0);
    STATUS(IOTEDGE_E_NONE, found.clock);
    STATUS(IOTEDGE_E_NONE, found.signer);
    STATUS(IOTEDGE_E_NONE, found.attest);
    STATUS(IOTEDGE_E_NONE, found.counter);
    STATUS(IOTEDGE_E_NONE, found.stack);
}

static void each_fault_by_its_name(void)
{
    static const struct {
        enum fault which;
        int part; /* 0 random, 1 clock, 2 store, 3 signer, 4 attest, 5 counter, 6 stack */
        int32_t wanted;
    } cases[] = {
        {RANDOM_FAILS, 0, IOTEDGE_E_RANDOM_FAILED},
        {RANDOM_CONSTANT, 0, IOTEDGE_E_RANDOM_REPEATS},
        {RANDOM_REPEATS, 0, IOTEDGE_E_RANDOM_REPEATS},
        {RANDOM_SHORT, 0, IOTEDGE_E_RANDOM_SHORT},
        {RANDOM_RUNS, 0, IOTEDGE_E_RANDOM_STUCK},
        {RANDOM_NIBBLES, 0, IOTEDGE_E_RANDOM_BIASED},
        {RANDOM_OVERRUNS, 0, IOTEDGE_E_OVERRUN},
        {CLOCK_BACK, 1, IOTEDGE_E_CLOCK_BACK},
        {CLOCK_STUCK, 1, IOTEDGE_E_CLOCK_STUCK},
        {STORE_NO_MISSING, 2, IOTEDGE_E_STORE_MISSING},
        {STORE_PUT_FAILS, 2, IOTEDGE_E_STORE_WRITE},
        {STORE_GET_FAILS, 2, IOTEDGE_E_STORE_READ},
        {STORE_OLD_TAIL, 2, IOTEDGE_E_STORE_READ},
        {STORE_OLD_VALUE, 2, IOTEDGE_E_STORE_READ},
        {STORE_NO_LONG, 2, IOTEDGE_E_STORE_LONG},
        {STORE_TRUNCATES, 2, IOTEDGE_E_STORE_SHORT},
        {STORE_ONE_KEY, 2, IOTEDGE_E_STORE_KEYS},
        {STORE_NO_REMOVE, 2, IOTEDGE_E_STORE_REMOVE},
        {STORE_REMOVE_MISSING_FAILS, 2, IOTEDGE_E_STORE_REMOVE},
        {STORE_OVERRUNS, 2, IOTEDGE_E_OVERRUN},
        {STORE_KEEPS_POINTER, 2, IOTEDGE_E_STORE_VALUE},
        {SIGN_FAILS, 3, IOTEDGE_E_PLATFORM},
        {SIGN_TURNS_A_BIT, 3, IOTEDGE_E_SIGNATURE},
        {SIGN_OTHER_KEY, 3, IOTEDGE_E_SIGNATURE},
        {SIGN_CONSTANT, 3, IOTEDGE_E_SIGNATURE},
        {SIGN_OVERRUNS, 3, IOTEDGE_E_OVERRUN},
        {ATTEST_FAILS, 4, IOTEDGE_E_PLATFORM},
        {ATTEST_WRONG, 4, IOTEDGE_E_EVIDENCE},
        {COUNTER_FAILS, 5, IOTEDGE_E_PLATFORM},
        {COUNTER_STANDS, 5, IOTEDGE_E_COUNTER},
        {COUNTER_JUMPS, 5, IOTEDGE_E_COUNTER},
        {COUNTER_WANDERS, 5, IOTEDGE_E_COUNTER},
        {COUNTER_ENDS, 5, IOTEDGE_E_COUNTER_EXHAUSTED},
        {COUNTER_ADVANCE_FAILS, 5, IOTEDGE_E_PLATFORM},
        {COUNTER_PAST_ITS_END, 5, IOTEDGE_E_COUNTER},
        {COUNTER_HALF, 5, IOTEDGE_E_NULL},
        {STACK_FULL, 6, IOTEDGE_E_STACK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fresh(cases[i].which);
        iotedge_selftest_t found = run();
        const int32_t parts[] = {found.random, found.clock, found.store, found.signer, found.attest, found.counter, found.stack};
        for (int part = 0; part < 7; part++) {
            int32_t wanted = part == cases[i].part ? cases[i].wanted : IOTEDGE_OK;
            STATUS(wanted, parts[part]);
        }
        CHECK(found.failed == 1);
    }
}

static void misuse(void)
{
    iotedge_selftest_t found;
    fresh(NOTHING);
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_E_NULL, iotedge_port_selftest(NULL, &port, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_port_selftest(&platform, NULL, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_port_selftest(&platform, &port, NULL));
    port.memory_len = IOTEDGE_SELFTEST_MEMORY - 1;
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_port_selftest(&platform, &port, &found));
    port.memory_len = 1500;
    port.memory = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_port_selftest(&platform, &port, &found));
    port.memory = memory;
    port.signer = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_port_selftest(&platform, &port, &found));
    port.signer = &signer;
    port.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_port_selftest(&platform, &port, &found));
    port.size = (uint32_t)sizeof port;
    found.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_port_selftest(&platform, &port, &found));
    found.size = (uint32_t)sizeof found;
    CHECK(found.failed == 0 && found.random == 0 && device.writes == 0);
    /* A callback that is missing is a fault of its part. */
    platform.random = NULL;
    platform.store_put = NULL;
    found = run();
    CHECK(found.failed == 2);
    STATUS(IOTEDGE_E_NULL, found.random);
    STATUS(IOTEDGE_E_NULL, found.store);
}

int main(void)
{
    a_good_port();
    each_fault_by_its_name();
    misuse();
    return check_end("selftest");
}
