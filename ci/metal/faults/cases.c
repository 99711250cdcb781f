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

static int32_t call_merkle(const void *given)
{
    const struct input *in = given;
    return iotedge_merkle_verify(in->part[0].at, (uint32_t)in->number[0], (uint32_t)in->number[1], in->part[1].at, in->part[1].len, in->part[2].at, in->part[2].len / 32);
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
