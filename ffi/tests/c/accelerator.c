/* An engine for signature checks: a good one is used, a lying one of each kind keeps a node and a leaf from starting, one that fails later costs nothing but time. */
#include "device.h"

enum lie {
    NONE,
    ALWAYS_VALID, ALWAYS_INVALID, NO_ANSWER, SAYS_OK, ONE_ANSWER, STICKS,
    HALF_MESSAGE, NO_LAST_BYTE, NO_R, NO_S, OTHER_KEY, ONLY_SHORT, ONLY_ED25519
};

static enum lie lie;
static unsigned asked, es256;
static uint32_t last_told, first_answer;
static iotedge_accelerator_t engine;
static uint64_t memory[NODE_BYTES / 8];
static uint64_t leaf_memory[IOTEDGE_LEAF_SIZE / 8];

/* The software in the engine's place. */
static uint32_t check(int32_t suite, const uint8_t *key, const uint8_t *message, size_t len, const uint8_t *signature)
{
    iotedge_public_key_t public_key;
    memset(&public_key, 0, sizeof public_key);
    public_key.size = (uint32_t)sizeof public_key;
    public_key.suite = suite;
    memcpy(public_key.bytes, key, suite == IOTEDGE_SUITE_ED25519 ? 32 : 64);
    return iotedge_verify(&public_key, message, len, signature) == IOTEDGE_OK ? IOTEDGE_ACCELERATOR_VALID : IOTEDGE_ACCELERATOR_INVALID;
}

static uint32_t test_verify(void *user, int32_t suite, const uint8_t *key, const uint8_t *message, size_t len, const uint8_t *signature)
{
    static uint8_t known_r[2][32], known_s[2][32];
    uint8_t bent[64];
    uint32_t answer;
    int which = len > 100;
    CHECK(user == &engine && key != NULL && signature != NULL);
    asked++;
    es256 += suite == IOTEDGE_SUITE_ES256;
    answer = check(suite, key, message, len, signature);
    if (answer == IOTEDGE_ACCELERATOR_VALID) {
        memcpy(known_r[which], signature, 32);
        memcpy(known_s[which], signature + 32, 32);
    }
    if (first_answer == 0) {
        first_answer = answer;
    }
    memcpy(bent, signature, sizeof bent);
    switch (lie) {
    case ALWAYS_VALID:
        return IOTEDGE_ACCELERATOR_VALID;
    case ALWAYS_INVALID:
        return IOTEDGE_ACCELERATOR_INVALID;
    case NO_ANSWER:
        return 7;
    case SAYS_OK:
        return answer == IOTEDGE_ACCELERATOR_VALID ? (uint32_t)IOTEDGE_OK : 1;
    case ONE_ANSWER:
        return first_answer;
    case STICKS: /* At the first refusal. */
        if (answer == IOTEDGE_ACCELERATOR_INVALID) {
            first_answer = answer;
        }
        return first_answer == IOTEDGE_ACCELERATOR_INVALID ? first_answer : answer;
    case HALF_MESSAGE: /* It refuses nothing that differs in the second half: as one with a buffer that is too small. */
    case NO_LAST_BYTE:
        if (which && answer == IOTEDGE_ACCELERATOR_INVALID && memcmp(bent, known_r[1], 32) == 0) {
            uint8_t whole[IOTEDGE_MAX_SIGN_INPUT];
            size_t at = lie == HALF_MESSAGE ? len / 2 + 1 : len - 1;
            memcpy(whole, message, len);
            for (unsigned turned = 1; at < len && turned < 256; turned <<= 1) {
                whole[len - 1] = (uint8_t)(message[len - 1] ^ turned);
                if (check(suite, key, whole, len, signature) == IOTEDGE_ACCELERATOR_VALID) {
                    return IOTEDGE_ACCELERATOR_VALID;
                }
            }
        }
        return answer;
    case NO_R: /* Whatever R says. */
        memcpy(bent, known_r[which], 32);
        return check(suite, key, message, len, bent);
    case NO_S:
        memcpy(bent + 32, known_s[which], 32);
        return check(suite, key, message, len, bent);
    case OTHER_KEY: /* It keeps the key that it had first. */
        return asked == 3 ? first_answer : answer;
    case ONLY_SHORT:
        return which ? 0 : answer;
    case ONLY_ED25519:
        return suite == IOTEDGE_SUITE_ED25519 ? answer : 0;
    default:
        return answer;
    }
}

static void test_told(void *user, uint32_t what)
{
    CHECK(user == &engine);
    last_told = what;
}

static void fresh(enum lie which, uint32_t suites)
{
    device_fresh();
    lie = which;
    asked = 0;
    es256 = 0;
    first_answer = 0;
    last_told = 0;
    memset(&engine, 0, sizeof engine);
    engine.size = (uint32_t)sizeof engine;
    engine.suites = suites;
    engine.user = &engine;
    engine.verify = test_verify;
    engine.told = test_told;
    platform.accelerator = &engine;
}

static int32_t start_node(void)
{
    iotedge_limits_t limits = node_limits();
    iotedge_config_t config = node_config();
    iotedge_node_t *node = NULL;
    memset(memory, 0, sizeof memory);
    int32_t status = iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node);
    CHECK((node != NULL) == (status == IOTEDGE_OK));
    if (node != NULL) {
        STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    }
    return status;
}

static int32_t start_leaf(void)
{
    iotedge_leaf_config_t config;
    iotedge_leaf_t *leaf = NULL;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.authority = &authority;
    config.seed = seed;
    config.certificate = LEAF_CERTIFICATE;
    config.certificate_len = sizeof LEAF_CERTIFICATE;
    memset(leaf_memory, 0, sizeof leaf_memory);
    int32_t status = iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &config, &platform, &leaf);
    CHECK((leaf != NULL) == (status == IOTEDGE_OK));
    if (leaf != NULL) {
        STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    }
    return status;
}

/* What the self test says of it. */
static int32_t tested(void)
{
    static uint8_t room[IOTEDGE_SELFTEST_MEMORY];
    iotedge_port_t port;
    iotedge_selftest_t found;
    memset(&port, 0, sizeof port);
    port.size = (uint32_t)sizeof port;
    port.memory = room;
    port.memory_len = sizeof room;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_OK, iotedge_port_selftest(&platform, &port, &found));
    return found.accelerator;
}

static void known_answers(enum lie which, uint32_t suites, int32_t wanted)
{
    fresh(which, suites);
    STATUS(wanted, start_node());
    fresh(which, suites);
    STATUS(wanted, start_leaf());
    fresh(which, suites);
    STATUS(wanted, tested());
    CHECK(last_told == 0); /* What is told is told of checks in earnest. */
}

static void good(void)
{
    known_answers(NONE, IOTEDGE_ACCELERATE_ED25519, IOTEDGE_OK);
    CHECK(asked == 14 && es256 == 0);
    known_answers(NONE, IOTEDGE_ACCELERATE_ES256, IOTEDGE_OK);
    CHECK(asked == 14 && es256 == 14);
    known_answers(NONE, IOTEDGE_ACCELERATE_ED25519 | IOTEDGE_ACCELERATE_ES256, IOTEDGE_OK);
    CHECK(asked == 28 && es256 == 14);
    /* Nobody has to be told. */
    fresh(NONE, IOTEDGE_ACCELERATE_ED25519);
    engine.told = NULL;
    STATUS(IOTEDGE_OK, start_node());
    fresh(NONE, 0);
    platform.accelerator = NULL;
    STATUS(IOTEDGE_OK, start_node());
    STATUS(IOTEDGE_OK, start_leaf());
    STATUS(IOTEDGE_E_NONE, tested());
    CHECK(asked == 0);
}

static void liars(void)
{
    static const struct {
        enum lie which;
        int32_t wanted;
    } cases[] = {
        {ALWAYS_VALID, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {ALWAYS_INVALID, IOTEDGE_E_ACCELERATOR_REFUSES}, {NO_ANSWER, IOTEDGE_E_ACCELERATOR_FAILED},
        {SAYS_OK, IOTEDGE_E_ACCELERATOR_FAILED}, {ONE_ANSWER, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {STICKS, IOTEDGE_E_ACCELERATOR_REFUSES},
        {HALF_MESSAGE, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {NO_LAST_BYTE, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {NO_R, IOTEDGE_E_ACCELERATOR_ACCEPTS},
        {NO_S, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {OTHER_KEY, IOTEDGE_E_ACCELERATOR_ACCEPTS}, {ONLY_SHORT, IOTEDGE_E_ACCELERATOR_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        known_answers(cases[i].which, IOTEDGE_ACCELERATE_ED25519, cases[i].wanted);
        known_answers(cases[i].which, IOTEDGE_ACCELERATE_ES256, cases[i].wanted);
    }
    known_answers(ONLY_ED25519, IOTEDGE_ACCELERATE_ED25519, IOTEDGE_OK);
    known_answers(ONLY_ED25519, IOTEDGE_ACCELERATE_ED25519 | IOTEDGE_ACCELERATE_ES256, IOTEDGE_E_ACCELERATOR_FAILED);
}

static void misuse(void)
{
    fresh(NONE, 0);
    STATUS(IOTEDGE_E_ARGUMENT, start_node());
    STATUS(IOTEDGE_E_ARGUMENT, start_leaf());
    STATUS(IOTEDGE_E_ARGUMENT, tested());
    fresh(NONE, 4);
    STATUS(IOTEDGE_E_ARGUMENT, start_node());
    fresh(NONE, IOTEDGE_ACCELERATE_ED25519);
    engine.verify = NULL;
    STATUS(IOTEDGE_E_NULL, start_node());
    STATUS(IOTEDGE_E_NULL, start_leaf());
    fresh(NONE, IOTEDGE_ACCELERATE_ED25519);
    engine.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, start_node());
    fresh(NONE, IOTEDGE_ACCELERATE_ED25519);
    platform.accelerator = (const iotedge_accelerator_t *)(const void *)((const uint8_t *)&engine + 1);
    STATUS(IOTEDGE_E_MISALIGNED, start_leaf());
    /* A platform of an older header has none. */
    fresh(ALWAYS_VALID, IOTEDGE_ACCELERATE_ED25519);
    platform.size = (uint32_t)(sizeof platform - sizeof(void *));
    STATUS(IOTEDGE_OK, start_node());
    CHECK(asked == 0);
}

int main(void)
{
    good();
    liars();
    misuse();
    return check_end("accelerator");
}
