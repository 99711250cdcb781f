/* The calls of the C interface that refuse what must be refused. They run unprivileged and write to the arena only. */
#include "faults.h"
#include <iotedge.h>

struct bytes {
    const uint8_t *at;
    uint32_t len;
};

struct input {
    struct bytes part[8];
    uint64_t number[2];
};

static ARENA_MEMORY iotedge_receipt_check_t check;
static ARENA_MEMORY iotedge_settled_t settled;

static void copy(uint8_t *to, struct bytes from)
{
    for (uint32_t i = 0; i < from.len; i++)
        ((volatile uint8_t *)to)[i] = from.at[i];
}

static iotedge_public_key_t key_of(struct bytes bytes, int32_t suite)
{
    iotedge_public_key_t key = {.size = sizeof key, .suite = suite};
    copy(key.bytes, bytes);
    return key;
}

static int32_t call_verify(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], in->number[0] == 2 ? IOTEDGE_SUITE_ES256 : IOTEDGE_SUITE_ED25519);
    return iotedge_verify(&key, in->part[1].at, in->part[1].len, in->part[2].at);
}

static int32_t call_key(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], in->number[0] == 2 ? IOTEDGE_SUITE_ES256 : IOTEDGE_SUITE_ED25519);
    return iotedge_public_key_check(&key);
}

static int32_t call_receipt(const void *given)
{
    const struct input *in = given;
    settled.size = sizeof settled;
    return iotedge_receipt_verify(in->part[0].at, in->part[1].at, in->part[1].len, in->part[2].at, in->part[2].len, &settled);
}

static int32_t call_stream_begin(const void *given)
{
    const struct input *in = given;
    check.size = sizeof check;
    return iotedge_receipt_begin(&check, in->part[0].at, in->part[1].at, in->part[1].len, in->part[2].at, in->part[2].len, in->part[3].at, in->part[3].len / 32);
}

static int32_t vote(const struct input *in, uint32_t which)
{
    return iotedge_receipt_vote(&check, in->part[6].at[which], in->part[7].at + 64 * which);
}

/* The vote that is left: the first that does not count, or the last. */
static ARENA_MEMORY uint32_t next;

static int32_t prepare_other_votes(const void *given)
{
    const struct input *in = given;
    int32_t status = call_stream_begin(given);
    for (next = 0; status == IOTEDGE_OK && next + 1 < in->part[6].len && vote(in, next) == IOTEDGE_OK;) next++;
    return status;
}

static int32_t call_stream_vote(const void *given) { return vote(given, next); }

static int32_t prepare_votes(const void *given)
{
    int32_t status = prepare_other_votes(given);
    return status != IOTEDGE_OK ? status : call_stream_vote(given);
}

static int32_t call_stream_finish(const void *given)
{
    const struct input *in = given;
    settled.size = sizeof settled;
    return iotedge_receipt_finish(&check, in->part[4].at, (uint32_t)in->number[0], in->part[5].at, in->part[5].len / 32, &settled);
}

#ifdef NODE
static ARENA_MEMORY iotedge_certificate_t claims;
static ARENA_MEMORY iotedge_offence_t offence;
static ARENA_MEMORY iotedge_claim_t claim;
static ARENA_MEMORY iotedge_evidence_t evidence;
static ARENA_MEMORY uint8_t id[32];
static ARENA_MEMORY iotedge_policy_t policy;
static ARENA_MEMORY iotedge_manifest_t manifest;
static ARENA_MEMORY iotedge_content_descriptor_t content;
static ARENA_MEMORY size_t op_len;

static int32_t call_certificate(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    claims.size = sizeof claims;
    return iotedge_certificate_verify(&key, in->number[0], (uint32_t)in->number[1], in->part[1].at, in->part[1].len, in->part[2].at, in->part[2].len, &claims);
}

static int32_t call_tx(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[1], IOTEDGE_SUITE_ED25519);
    return iotedge_tx_verify(in->part[0].at, &key, in->part[2].at, in->part[2].len / 32, in->part[3].at, in->part[3].len, id);
}

static int32_t call_genesis(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    return iotedge_genesis_verify(&key, in->part[1].at, in->part[1].len, id);
}

static int32_t call_evidence(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[1], IOTEDGE_SUITE_ED25519);
    offence.size = sizeof offence;
    return iotedge_evidence_verify(in->part[0].at, &key, in->part[2].at, in->part[2].len, &offence);
}

static int32_t call_claim(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[1], IOTEDGE_SUITE_ED25519);
    claim.size = sizeof claim;
    return iotedge_cluster_claim_verify(in->part[0].at, &key, in->part[2].at, in->part[2].len, &claim);
}

static int32_t call_attest(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    evidence.size = sizeof evidence;
    return iotedge_attest_verify(&key, in->part[1].at, in->part[2].at, in->part[2].len, in->part[3].at, in->part[3].len, &evidence);
}

static int32_t call_policy(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    policy.size = sizeof policy;
    return iotedge_policy_verify(&key, in->part[1].at, in->part[2].at, in->part[2].len, &policy);
}

static int32_t call_manifest(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    manifest.size = sizeof manifest;
    content.size = sizeof content;
    return iotedge_manifest_verify(&key, in->part[1].at, in->part[1].len, &manifest, &content);
}

static int32_t call_voucher(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    return iotedge_voucher_verify(&key, in->part[1].at, in->part[2].at, in->number[0], in->part[3].at);
}

static int32_t call_reading(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    return iotedge_statement_verify(&key, in->part[1].at, in->part[2].at, in->part[2].len, (int64_t)in->number[0], in->number[1], in->part[3].at);
}

static int32_t call_said(const void *given)
{
    const struct input *in = given;
    iotedge_public_key_t key = key_of(in->part[0], IOTEDGE_SUITE_ED25519);
    return iotedge_channel_statement_check(in->part[1].at, in->part[2].at, &key, in->part[3].at, in->part[3].len, &op_len);
}

static int32_t call_merkle(const void *given)
{
    const struct input *in = given;
    return iotedge_merkle_verify(in->part[0].at, (uint32_t)in->number[0], (uint32_t)in->number[1], in->part[1].at, in->part[1].len, in->part[2].at, in->part[2].len / 32);
}
#endif

#ifdef HEARD
/* A node that hears what vectors/heard.json tells, and then the frame that it must refuse. An engine stands for the signature checks, so that what is skipped is the node's own. */
#include <string.h>

enum { SLOTS = 32, SLOT = 1600, HELD = 1, QUORUM = 2, SETTLED = 3 };
enum { NODE_BYTES = IOTEDGE_NODE_SIZE(64, 8, 8, 4, 8, 16, 12288) };
static ARENA_MEMORY struct {
    uint32_t key, len, used;
    uint8_t value[SLOT];
} slots[SLOTS];
static ARENA_MEMORY uint64_t memory[NODE_BYTES / 8];
static ARENA_MEMORY iotedge_node_t *node;
static ARENA_MEMORY uint64_t drawn, clock;
static ARENA_MEMORY uint32_t trusting;
static ARENA_MEMORY struct bytes good;
static ARENA_MEMORY uint8_t out[IOTEDGE_MAX_FRAME];
static ARENA_MEMORY iotedge_event_t event;
static ARENA_MEMORY iotedge_node_status_t status;
static ARENA_MEMORY iotedge_limits_t limits;
static ARENA_MEMORY iotedge_config_t config;
static ARENA_MEMORY iotedge_platform_t platform;
static ARENA_MEMORY iotedge_accelerator_t accelerator;
static ARENA_MEMORY iotedge_public_key_t authority;

static int32_t heard_random(void *user, uint8_t *to, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) to[i] = (uint8_t)((drawn = drawn * 6364136223846793005u + 1) >> 33);
    return IOTEDGE_OK;
}

static uint32_t slot_of(uint32_t key)
{
    uint32_t i = 0;
    while (i < SLOTS && (!slots[i].used || slots[i].key != key)) i++;
    return i;
}

static int32_t heard_get(void *user, uint32_t key, uint8_t *to, size_t capacity, size_t *len)
{
    (void)user;
    uint32_t i = slot_of(key);
    if (i == SLOTS) return IOTEDGE_E_NONE;
    if (slots[i].len > capacity) return IOTEDGE_E_PLATFORM;
    memcpy(to, slots[i].value, slots[i].len);
    *len = slots[i].len;
    return IOTEDGE_OK;
}

static int32_t heard_put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    (void)user;
    uint32_t i = slot_of(key);
    if (i == SLOTS)
        for (i = 0; i < SLOTS && slots[i].used;) i++;
    if (i == SLOTS || len > SLOT) return IOTEDGE_E_PLATFORM;
    slots[i].used = 1;
    slots[i].key = key;
    slots[i].len = (uint32_t)len;
    memcpy(slots[i].value, value, len);
    return IOTEDGE_OK;
}

static int32_t heard_remove(void *user, uint32_t key)
{
    (void)user;
    uint32_t i = slot_of(key);
    if (i < SLOTS) slots[i].used = 0;
    return IOTEDGE_OK;
}

static uint64_t number_at(const uint8_t *at, unsigned bytes)
{
    uint64_t number = 0;
    while (bytes-- > 0) number = number << 8 | at[bytes];
    return number;
}

static uint32_t heard_verify(void *user, int32_t suite, const uint8_t *key, const uint8_t *message, size_t len, const uint8_t *signature)
{
    (void)user;
    if (!trusting) {
        iotedge_public_key_t public = key_of((struct bytes){key, 32}, suite);
        return iotedge_verify(&public, message, len, signature) == IOTEDGE_OK ? IOTEDGE_ACCELERATOR_VALID : IOTEDGE_ACCELERATOR_INVALID;
    }
    /* It knows the good ones by FNV-1a: nothing else is good, whatever a fault makes of it. */
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < 32 + len + 64; i++) {
        uint8_t byte = i < 32 ? key[i] : i < 32 + len ? message[i - 32] : signature[i - 32 - len];
        sum = (sum ^ byte) * 0x100000001b3u;
    }
    for (uint32_t i = 0; i + 8 <= good.len; i += 8)
        if (number_at(good.at + i, 8) == sum) return IOTEDGE_ACCELERATOR_VALID;
    return IOTEDGE_ACCELERATOR_INVALID;
}

static void drain(void)
{
    uint32_t peer;
    size_t len;
    event.size = sizeof event;
    while (iotedge_node_next_event(node, &event) == IOTEDGE_OK) {
    }
    while (iotedge_node_next_frame(node, clock, &peer, out, sizeof out, &len) == IOTEDGE_OK) {
    }
}

/* One of the script: when (8), from whom (4), what it came to (4), how long (4), the frame; little-endian. Until then it is looked after every 5 ms, as the device was that
 * heard it first: so it says the same, and what it hears fits. */
static const uint8_t *hear(const uint8_t *at, int32_t *came)
{
    uint32_t from = (uint32_t)number_at(at + 8, 4), len = (uint32_t)number_at(at + 16, 4);
    for (; clock < number_at(at, 8); clock += 5) drain();
    *came = iotedge_node_receive(node, clock, from, at + 20, len) - (int32_t)number_at(at + 12, 4);
    drain();
    return at + 20 + len;
}

static int32_t prepare_heard(const void *given)
{
    const struct input *in = given;
    clock = number_at(in->part[0].at, 8);
    drawn = number_at(in->part[0].at + 8, 8);
    authority = key_of(in->part[4], IOTEDGE_SUITE_ED25519);
    limits = (iotedge_limits_t){.size = sizeof limits, .window = 64, .members = 8, .peers = 8, .aside = 4, .outbox = 8, .own = 16, .raw = 12288};
    config = (iotedge_config_t){.size = sizeof config, .authority = &authority, .seed = in->part[3].at, .certificate = in->part[5].at, .certificate_len = in->part[5].len};
    accelerator = (iotedge_accelerator_t){.size = sizeof accelerator, .suites = IOTEDGE_ACCELERATE_ED25519, .verify = heard_verify};
    platform = (iotedge_platform_t){.size = sizeof platform, .random = heard_random, .store_get = heard_get, .store_put = heard_put,
        .store_remove = heard_remove, .accelerator = &accelerator};
    int32_t came = iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node);
    for (uint32_t i = 0; came == IOTEDGE_OK && i < in->part[7].len; i++) came = iotedge_node_add_peer(node, clock, in->part[7].at[i], i + 1 == in->part[7].len);
    trusting = 1;
    good = in->part[6];
    const uint8_t *at = in->part[0].at + 16;
    uint32_t i = 0;
    while (came == IOTEDGE_OK && i < in->number[0]) at = hear(at, &came), i++;
    return came == IOTEDGE_OK ? 0 : (int32_t)(1000 * i) + came;
}

static int32_t holds(const struct input *in)
{
    uint32_t grade = 0;
    status.size = sizeof status;
    if (in->number[1] == SETTLED)
        return iotedge_node_status(node, number_at(in->part[1].at, 8), &status) == IOTEDGE_OK && status.header == 1;
    return iotedge_node_grade(node, in->part[2].at, &grade) == IOTEDGE_OK && grade >= (in->number[1] == QUORUM ? IOTEDGE_GRADE_QUORUM : IOTEDGE_GRADE_SEEN);
}

/* Asked twice: a skip in the question is none in the node. */
static int32_t call_heard(const void *given)
{
    int32_t came;
    hear(((const struct input *)given)->part[1].at, &came);
    return holds(given) && holds(given) ? 0 : 1;
}
#endif

/* The control: a check as it is often written. Skips have to break it, or the harness finds nothing. */
__attribute__((noinline, section(".library.text.naive"))) static int differs(const uint8_t *a, const uint8_t *b)
{
    int all = 0;
    for (int i = 0; i < 32; i++)
        all |= a[i] ^ b[i];
    return all != 0;
}

__attribute__((noinline, section(".library.text.naive"))) static int32_t call_naive(const void *given)
{
    const struct input *in = given;
    if (differs(in->part[0].at, in->part[1].at)) return 1;
    return 0;
}

#include "made.h"

static const uint8_t one_bit[32] = {0, 0, 0, 1}, none[32];
static const struct input naive_bad = {{{one_bit, 32}, {none, 32}}, {0}}, naive_good = {{{none, 32}, {none, 32}}, {0}};
static const struct test naive = {"control: a naive comparison", NULL, call_naive, &naive_bad, &naive_good};

size_t tests_count(void) { return 1 + sizeof made / sizeof *made; }
const struct test *test_at(size_t which) { return which == 0 ? &naive : &made[which - 1]; }
