/*
 * iotedge-vectors: runs the project's vectors through the C interface, so that C, Rust and anybody's own implementation can
 * be held to the same verdicts.
 *
 *     iotedge-vectors vectors/crypto.json vectors/ed25519.json ...
 *
 * A vector whose format this interface does not reach (it has no key agreement, no tables) is counted as skipped, never as
 * passed. Exit status 0 only if at least one passed and none failed.
 */
#include "../common/json.h"
#include "attest.h"
#include "channel.h"
#include "cluster.h"
#include "content.h"
#include "link.h"
#include "receipt.h"
#include "policy.h"
#include "sale.h"
#include "serial.h"

#include <iotedge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum verdict { PASSED, FAILED, SKIPPED };

/* What the vectors call an error (the name in the core) and the status that it has here. */
static const struct {
    const char *name;
    int32_t status;
} NAMES[] = {
    {"ok", IOTEDGE_OK},
    {"Truncated", IOTEDGE_E_MALFORMED},
    {"TrailingBytes", IOTEDGE_E_MALFORMED},
    {"TooDeep", IOTEDGE_E_MALFORMED},
    {"NotDeterministic", IOTEDGE_E_NOT_DETERMINISTIC},
    {"Type", IOTEDGE_E_WRONG_TYPE},
    {"Range", IOTEDGE_E_RANGE},
    {"Rejected", IOTEDGE_E_SIGNATURE},
    {"Malformed", IOTEDGE_E_SIGNATURE_MALFORMED},
    {"Version", IOTEDGE_E_VERSION},
    {"UnsupportedKind", IOTEDGE_E_UNSUPPORTED_KIND},
    {"Protected", IOTEDGE_E_PROTECTED_HEADER},
    {"Unprotected", IOTEDGE_E_UNPROTECTED_HEADER},
    {"Header", IOTEDGE_E_PROTECTED_HEADER},
    {"SignatureLength", IOTEDGE_E_SIGNATURE_LENGTH},
    {"PayloadTooLong", IOTEDGE_E_PAYLOAD_LENGTH},
    {"FrameTooLong", IOTEDGE_E_PAYLOAD_LENGTH},
    {"EpochZero", IOTEDGE_E_EPOCH_ZERO},
    {"NumberZero", IOTEDGE_E_NUMBER_ZERO},
    {"ParentCount", IOTEDGE_E_PARENT_COUNT},
    {"ParentsUnsorted", IOTEDGE_E_PARENTS_UNSORTED},
    {"ParentsDoubled", IOTEDGE_E_PARENTS_DOUBLED},
    {"SelfParent", IOTEDGE_E_SELF_PARENT},
    {"ParentMismatch", IOTEDGE_E_PARENT_MISMATCH},
    {"AmountZero", IOTEDGE_E_AMOUNT_ZERO},
    {"DebitsBelowAmount", IOTEDGE_E_FALSE_DEBITS},
    {"BodyEmpty", IOTEDGE_E_BODY_LENGTH},
    {"BodyTooLong", IOTEDGE_E_BODY_LENGTH},
    {"MemberOp", IOTEDGE_E_MEMBER_OPERATION},
    {"SaleTerm", IOTEDGE_E_TERMS},
    {"SaleUnits", IOTEDGE_E_TERMS},
    {"SalePrice", IOTEDGE_E_TERMS},
    {"SalePredicate", IOTEDGE_E_TERMS},
    {"EvidenceIds", IOTEDGE_E_FALSE_EVIDENCE},
    {"Op", IOTEDGE_E_UNSUPPORTED_KIND},
    {"Mode", IOTEDGE_E_CHANNEL_MODE},
    {"Suite", IOTEDGE_E_SUITE},
    {"SameTransaction", IOTEDGE_E_FALSE_EVIDENCE},
    {"Order", IOTEDGE_E_FALSE_EVIDENCE},
    {"DifferentIssuers", IOTEDGE_E_FALSE_EVIDENCE},
    {"ChainHolds", IOTEDGE_E_FALSE_EVIDENCE},
    {"TotalsHold", IOTEDGE_E_FALSE_EVIDENCE},
    {"Unrelated", IOTEDGE_E_FALSE_EVIDENCE},
    {"Character", IOTEDGE_E_DEVICE_ID},
    {"Checksum", IOTEDGE_E_DEVICE_ID},
    {"Length", IOTEDGE_E_DEVICE_ID},
    {"MixedCase", IOTEDGE_E_DEVICE_ID},
    {"Prefix", IOTEDGE_E_DEVICE_ID},
    {"Claim", IOTEDGE_E_CERTIFICATE_CLAIM},
    {"Cti", IOTEDGE_E_CERTIFICATE_CLAIM},
    {"Kind", IOTEDGE_E_CERTIFICATE_CLAIM},
    {"Name", IOTEDGE_E_CERTIFICATE_CLAIM},
    {"Key", IOTEDGE_E_CERTIFICATE_KEY},
    {"NeverValid", IOTEDGE_E_CERTIFICATE_EXPIRED},
    {"Expired", IOTEDGE_E_CERTIFICATE_EXPIRED},
    {"NotYetValid", IOTEDGE_E_CERTIFICATE_NOT_YET_VALID},
    {"NotAnAuthority", IOTEDGE_E_NOT_AN_AUTHORITY},
    {"NotItsToSign", IOTEDGE_E_NOT_ITS_TO_SIGN},
    {"Outlives", IOTEDGE_E_CERTIFICATE_OUTLIVES},
    {"UnknownAuthority", IOTEDGE_E_UNKNOWN_AUTHORITY},
    {"WrongKind", IOTEDGE_E_CERTIFICATE_KIND},
    {"WrongSigner", IOTEDGE_E_WRONG_SIGNER},
    {"ChainLength", IOTEDGE_E_CHAIN_LENGTH},
    {"Caps", IOTEDGE_E_FORGED_GENESIS},
    {"GlNode", IOTEDGE_E_FORGED_GENESIS},
    {"Grant", IOTEDGE_E_FORGED_GENESIS},
    {"Members", IOTEDGE_E_FORGED_GENESIS},
    {"Neighbours", IOTEDGE_E_FORGED_GENESIS},
    {"ParentAge", IOTEDGE_E_FORGED_GENESIS},
    {"Period", IOTEDGE_E_FORGED_GENESIS},
    {"SetAge", IOTEDGE_E_FORGED_GENESIS},
    {"Weight", IOTEDGE_E_FORGED_GENESIS},
    {"Index", IOTEDGE_E_LEAF_INDEX},
    {"PathLength", IOTEDGE_E_PATH_LENGTH},
    {"Root", IOTEDGE_E_WRONG_PATH},
    {"HeaderLeaf", IOTEDGE_E_HEADER_LEAF},
    {"Neighbourhood", IOTEDGE_E_NEIGHBOURHOOD},
    {"ShortOfQuorum", IOTEDGE_E_SHORT_OF_QUORUM},
    {"UnknownValidator", IOTEDGE_E_UNKNOWN_VALIDATOR},
    {"VoterOrder", IOTEDGE_E_VOTER_ORDER},
    {"WrongSet", IOTEDGE_E_WRONG_VALIDATOR_SET},
    {"Set", IOTEDGE_E_VALIDATOR_SET},
    {"Empty", IOTEDGE_E_LENGTH},
    {"Field", IOTEDGE_E_SENML_FIELD},
    {"NoValue", IOTEDGE_E_SENML_NO_VALUE},
    {"Unit", IOTEDGE_E_SENML_UNIT},
    {"BaseName", IOTEDGE_E_SENML_NAME},
    {"NotNormal", IOTEDGE_E_NOT_DETERMINISTIC},
    {"Position", IOTEDGE_E_ATTACHMENT},
    {"NoProof", IOTEDGE_E_FALSE_EVIDENCE},
    {"Fields", IOTEDGE_E_RANGE},
    {"Profile", IOTEDGE_E_PROFILE},
    {"NonceLength", IOTEDGE_E_NONCE},
    {"WrongNonce", IOTEDGE_E_NONCE},
    {"WrongDevice", IOTEDGE_E_DEVICE_ID},
    {"Text", IOTEDGE_E_EVIDENCE},
    {"Measurement", IOTEDGE_E_EVIDENCE},
};

/* The status that `expected` names; -1 for a name that is not in the table. `Signature(Rejected)` is looked up as `Rejected`,
 * but what a key or a certificate's key suffers is the outer word. */
static int32_t named(json_t expected)
{
    char name[64];
    if (expected.at == NULL || json_is_word(expected, "null") || json_is_word(expected, "true")) {
        return IOTEDGE_OK;
    }
    if (!json_is_text(expected) || expected.len - 2 >= sizeof name) {
        return -1;
    }
    memcpy(name, expected.at + 1, expected.len - 2);
    name[expected.len - 2] = 0;
    char *last = strrchr(name, '(');
    char *inner = last == NULL ? name : last + 1;
    if (strncmp(name, "Key(", 4) == 0) {
        inner = name;
        name[3] = 0;
    }
    inner[strcspn(inner, ")")] = 0;
    /* `EvidenceTransactionWireRange` is the `Range` of the innermost room: outer rooms are cut off one by one. */
    static const char *const ROOMS[] = {"Evidence", "Transaction", "Wire", "Signature"};
    for (int cut = 1; cut;) {
        for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
            if (strcmp(NAMES[i].name, inner) == 0) {
                return NAMES[i].status;
            }
        }
        cut = 0;
        for (size_t i = 0; i < sizeof ROOMS / sizeof ROOMS[0] && !cut; i++) {
            size_t len = strlen(ROOMS[i]);
            if (strncmp(inner, ROOMS[i], len) == 0 && inner[len] != 0) {
                inner += len;
                cut = 1;
            }
        }
    }
    return -1;
}

typedef struct {
    uint8_t bytes[4096];
    size_t len;
} bytes_t;

/* Bytes of a member; 0 where it is absent or null, -1 where it is no hex. */
static int hex(json_t vector, const char *name, bytes_t *found)
{
    long len = json_hex(json_get(vector, name), found->bytes, sizeof found->bytes);
    found->len = len < 0 ? 0 : (size_t)len;
    return len < 0 ? -1 : 0;
}

static uint64_t number(json_t vector, const char *name)
{
    uint64_t found = UINT64_MAX;
    (void)json_uint(json_get(vector, name), &found);
    return found;
}

/* A list of hashes, as an array of hex or as one string of hex; their number, or -1. */
static long hashes(json_t list, uint8_t *to, size_t most)
{
    long count = 0;
    if (json_is_text(list)) {
        long len = json_hex(list, to, 32 * most);
        return len < 0 || len % 32 != 0 ? -1 : len / 32;
    }
    for (json_t hash = json_next(list, (json_t){NULL, 0}); hash.at != NULL; hash = json_next(list, hash)) {
        if ((size_t)count == most || json_hex(hash, to + 32 * count, 32) != 32) {
            return -1;
        }
        count++;
    }
    return count;
}

static iotedge_public_key_t ed25519(const bytes_t *raw)
{
    iotedge_public_key_t key;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    memcpy(key.bytes, raw->bytes, 32);
    return key;
}

static enum verdict judge(json_t vector, int32_t wanted, int32_t got)
{
    json_t name = json_get(vector, "name");
    if (wanted == got) {
        return PASSED;
    }
    fprintf(stderr, "  %.*s: wanted %s, got %s\n", (int)name.len, name.at,
            wanted < 0 ? "an error that is not in the table" : iotedge_status_name(wanted), iotedge_status_name(got));
    return FAILED;
}

static enum verdict same(json_t vector, const void *a, const void *b, size_t len)
{
    json_t name = json_get(vector, "name");
    if (memcmp(a, b, len) == 0) {
        return PASSED;
    }
    fprintf(stderr, "  %.*s: another result\n", (int)name.len, name.at);
    return FAILED;
}

static bytes_t a, b, c, d, e;

static enum verdict signature(json_t vector)
{
    if (hex(vector, "key", &a) != 0 || hex(vector, "message", &b) != 0 || hex(vector, "signature", &c) != 0) {
        return FAILED;
    }
    if (a.len != 32 || c.len != 64) {
        /* Of another length they cannot even be passed: the types here hold 32 and 64 bytes. */
        return json_is_word(json_get(vector, "valid"), "false") ? SKIPPED : FAILED;
    }
    iotedge_public_key_t key = ed25519(&a);
    int valid = iotedge_verify(&key, b.bytes, b.len, c.bytes) == IOTEDGE_OK;
    return judge(vector, json_is_word(json_get(vector, "valid"), "true") ? 0 : 1, valid ? 0 : 1);
}

static enum verdict crypto(json_t vector)
{
    json_t op = json_get(vector, "op");
    uint8_t digest[32];
    uint8_t signed_bytes[64];
    if (hex(vector, "output", &a) != 0) {
        return FAILED;
    }
    if (json_is(op, "sha256")) {
        if (hex(vector, "input", &b) != 0 || iotedge_sha256(b.bytes, b.len, digest) != IOTEDGE_OK) {
            return FAILED;
        }
        return same(vector, digest, a.bytes, 32);
    }
    if (json_is(op, "ed25519-public")) {
        iotedge_public_key_t key;
        memset(&key, 0, sizeof key);
        key.size = (uint32_t)sizeof key;
        if (hex(vector, "seed", &b) != 0 || b.len != 32) {
            return FAILED;
        }
        int32_t status = iotedge_public_key_from_seed(b.bytes, &key);
        if (a.len == 0) {
            return judge(vector, IOTEDGE_E_SIGNATURE_MALFORMED, status);
        }
        return status == IOTEDGE_OK ? same(vector, key.bytes, a.bytes, 32) : FAILED;
    }
    if (json_is(op, "ed25519-sign")) {
        if (hex(vector, "seed", &b) != 0 || hex(vector, "message", &c) != 0 || b.len != 32 ||
            iotedge_sign(b.bytes, c.bytes, c.len, signed_bytes) != IOTEDGE_OK) {
            return FAILED;
        }
        return same(vector, signed_bytes, a.bytes, 64);
    }
    return SKIPPED;
}

static enum verdict cose_key(json_t vector, int32_t wanted)
{
    iotedge_public_key_t key;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    if (hex(vector, "key", &a) != 0) {
        return FAILED;
    }
    int32_t status = iotedge_public_key_from_cose(a.bytes, a.len, &key);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    uint8_t id[32];
    char text[IOTEDGE_DEVICE_ID_TEXT_SIZE];
    size_t len;
    if (hex(vector, "raw", &b) != 0 || hex(vector, "thumbprint", &c) != 0 || iotedge_device_id(&key, id) != IOTEDGE_OK ||
        iotedge_device_id_to_text(id, text, sizeof text, &len) != IOTEDGE_OK || memcmp(c.bytes, id, 32) != 0) {
        return FAILED;
    }
    json_t wanted_text = json_get(vector, "device_id");
    if (wanted_text.len != len + 2 || memcmp(wanted_text.at + 1, text, len) != 0) {
        return FAILED;
    }
    return same(vector, key.bytes, b.bytes, b.len);
}

static enum verdict device_id(json_t vector, int32_t wanted)
{
    uint8_t id[32];
    json_t text = json_get(vector, "text");
    int32_t status = iotedge_device_id_from_text(text.at + 1, text.len - 2, id);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    return hex(vector, "id", &a) == 0 ? same(vector, id, a.bytes, 32) : FAILED;
}

static enum verdict chain(json_t vector, int32_t wanted)
{
    iotedge_certificate_t claims;
    memset(&claims, 0, sizeof claims);
    claims.size = (uint32_t)sizeof claims;
    if (hex(vector, "anchors", &a) != 0 || hex(vector, "first", &b) != 0 || hex(vector, "second", &c) != 0 ||
        hex(vector, "revoked", &d) != 0) {
        return FAILED;
    }
    if (d.len != 0 || json_get(vector, "third").at != NULL) {
        return SKIPPED; /* No revocation list and no third certificate can be passed here. */
    }
    const bytes_t *issuer = c.len == 0 ? &c : &b;
    const bytes_t *device = c.len == 0 ? &b : &c;
    int32_t status = IOTEDGE_E_UNKNOWN_AUTHORITY;
    for (size_t at = 0; at + 32 <= a.len && status == IOTEDGE_E_UNKNOWN_AUTHORITY; at += 32) {
        memcpy(e.bytes, a.bytes + at, 32);
        iotedge_public_key_t authority = ed25519(&e);
        status = iotedge_certificate_verify(&authority, number(vector, "now"), (uint32_t)number(vector, "kind"),
                                            issuer->bytes, issuer->len, device->bytes, device->len, &claims);
    }
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    if (hex(vector, "device", &a) != 0 || hex(vector, "cti", &b) != 0 || hex(vector, "raw", &c) != 0 ||
        b.len != claims.cti_len || memcmp(b.bytes, claims.cti, b.len) != 0 ||
        memcmp(c.bytes, claims.key, c.len) != 0) {
        return FAILED;
    }
    return same(vector, claims.device, a.bytes, 32);
}

static enum verdict genesis(json_t vector, int32_t wanted)
{
    uint8_t neighbourhood[32];
    if (hex(vector, "authority", &a) != 0 || hex(vector, "genesis", &b) != 0 || a.len != 32) {
        return FAILED;
    }
    iotedge_public_key_t authority = ed25519(&a);
    int32_t status = iotedge_genesis_verify(&authority, b.bytes, b.len, neighbourhood);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    return hex(vector, "neighbourhood", &c) == 0 ? same(vector, neighbourhood, c.bytes, 32) : FAILED;
}

static enum verdict path(json_t vector, int32_t wanted, const char *leaf, const char *size, const char *index)
{
    uint8_t proof[40 * 32];
    long count = hashes(json_get(vector, "path"), proof, 40);
    if (count < 0 || hex(vector, "root", &a) != 0 || hex(vector, leaf, &b) != 0 || a.len != 32) {
        return FAILED;
    }
    uint64_t at = 0;
    if (index != NULL) {
        at = number(vector, index);
    } else {
        /* A record's own index is its place: the first element of its array. */
        at = b.len > 1 && b.bytes[1] < 24 ? b.bytes[1] : (b.len > 2 ? b.bytes[2] : UINT64_MAX);
    }
    return judge(vector, wanted,
                 iotedge_merkle_verify(a.bytes, (uint32_t)at, (uint32_t)number(vector, size), b.bytes, b.len, proof,
                                       (size_t)count));
}

static enum verdict receipt(json_t vector, int32_t wanted)
{
    iotedge_settled_t once;
    iotedge_settled_t streamed;
    memset(&once, 0, sizeof once);
    once.size = (uint32_t)sizeof once;
    streamed = once;
    if (hex(vector, "bytes", &a) != 0 || hex(vector, "set", &b) != 0 || hex(vector, "neighbourhood", &c) != 0) {
        return FAILED;
    }
    int32_t status = iotedge_receipt_verify(c.bytes, b.bytes, b.len, a.bytes, a.len, &once);
    int32_t stream = receipt_in_a_stream(c.bytes, b.bytes, b.len, a.bytes, a.len, &streamed);
    if (stream != status) {
        fprintf(stderr, "  in a stream: %s\n", iotedge_status_name(stream));
        return judge(vector, wanted, stream);
    }
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    if (hex(vector, "tx", &d) != 0 || once.header != number(vector, "number") || memcmp(&once, &streamed, sizeof once) != 0) {
        return FAILED;
    }
    return same(vector, once.id, d.bytes, 32);
}

static enum verdict vote(json_t vector, int32_t wanted)
{
    if (hex(vector, "key", &a) != 0 || hex(vector, "message", &b) != 0 || hex(vector, "signature", &c) != 0) {
        return FAILED;
    }
    iotedge_public_key_t key = ed25519(&a);
    return judge(vector, wanted, iotedge_verify(&key, b.bytes, b.len, c.bytes));
}

static enum verdict set(json_t vector, int32_t wanted)
{
    /* A set is read as part of a receipt; an empty receipt is what is refused next. */
    iotedge_settled_t result;
    uint8_t nobody[32] = {0};
    memset(&result, 0, sizeof result);
    result.size = (uint32_t)sizeof result;
    if (hex(vector, "bytes", &a) != 0) {
        return FAILED;
    }
    int32_t status = iotedge_receipt_verify(nobody, a.bytes, a.len, nobody, 0, &result);
    return judge(vector, wanted == IOTEDGE_OK ? IOTEDGE_E_MALFORMED : wanted, status);
}

static enum verdict transaction(json_t vector, int32_t wanted)
{
    uint8_t parents[32 * 16];
    uint8_t id[32];
    iotedge_tx_t tx;
    memset(&tx, 0, sizeof tx);
    tx.size = (uint32_t)sizeof tx;
    long count = hashes(json_get(vector, "parents"), parents, 16);
    if (count < 0 || hex(vector, "neighbourhood", &a) != 0 || hex(vector, "key", &b) != 0 || hex(vector, "cose", &c) != 0) {
        return FAILED;
    }
    iotedge_public_key_t key = ed25519(&b);
    if (b.len == 64) {
        key.suite = IOTEDGE_SUITE_ES256;
        memcpy(key.bytes, b.bytes, 64);
    }
    int32_t status = iotedge_tx_verify(a.bytes, &key, parents, (size_t)count, c.bytes, c.len, id);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    if (iotedge_tx_parse(c.bytes, c.len, &tx) != IOTEDGE_OK || hex(vector, "id", &d) != 0 ||
        tx.epoch != number(vector, "epoch") || tx.issuer != number(vector, "issuer") ||
        tx.number != number(vector, "number") || tx.offset != number(vector, "offset") ||
        tx.kind != number(vector, "kind") || tx.parents != (uint32_t)count) {
        return FAILED;
    }
    for (long i = 0; i < count; i++) {
        if (memcmp(tx.prefixes + 16 * i, parents + 32 * i, 16) != 0) {
            return FAILED;
        }
    }
    uint8_t alone[32];
    if (iotedge_tx_id(a.bytes, c.bytes, c.len, alone) != IOTEDGE_OK || memcmp(alone, id, 32) != 0) {
        return FAILED;
    }
    return same(vector, id, d.bytes, 32);
}

static enum verdict evidence(json_t vector, int32_t wanted)
{
    static const char *const FORMS[] = {"", "OneNumber", "BrokenChain", "FalseTotal", "RivalTrims"};
    iotedge_offence_t offence;
    json_t name = json_get(vector, "name");
    memset(&offence, 0, sizeof offence);
    offence.size = (uint32_t)sizeof offence;
    if (hex(vector, "neighbourhood", &a) != 0 || hex(vector, "key", &b) != 0 || hex(vector, "attachment", &c) != 0) {
        return FAILED;
    }
    /* The order of stubs and an attachment of nothing are faults of the attachment, not of its proof. */
    if ((json_is(json_get(vector, "expect"), "Order") && name.len > 5 && memcmp(name.at, "\"stub", 5) == 0) ||
        json_is(json_get(vector, "expect"), "Empty")) {
        wanted = IOTEDGE_E_ATTACHMENT;
    }
    iotedge_public_key_t key = ed25519(&b);
    int32_t status = iotedge_evidence_verify(a.bytes, &key, c.bytes, c.len, &offence);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    if (offence.form < 1 || offence.form >= sizeof FORMS / sizeof FORMS[0] || !json_is(json_get(vector, "form"), FORMS[offence.form]) ||
        offence.offender != number(vector, "offender") || hex(vector, "a", &a) != 0 || hex(vector, "b", &b) != 0 ||
        memcmp(offence.a, a.bytes, 32) != 0) {
        return FAILED;
    }
    return same(vector, offence.b, b.bytes, 32);
}

/* The readings as the vectors write them, "name,unit,value,time;...", with names behind the base name. */
static enum verdict senml(json_t vector, int32_t wanted)
{
    char text[512];
    size_t len = 0;
    size_t count = 0;
    json_t base = json_get(vector, "base_name");
    iotedge_reading_t list[IOTEDGE_MAX_READINGS];
    if (hex(vector, "pack", &a) != 0) {
        return FAILED;
    }
    if (json_is(json_get(vector, "expect"), "Name")) {
        wanted = IOTEDGE_E_SENML_NAME; /* A certificate has a name too, with a status of its own. */
    }
    memset(list, 0, sizeof list);
    list[0].size = (uint32_t)sizeof list[0];
    int32_t status = iotedge_reading_decode(a.bytes, a.len, 0, &list[0]);
    if (status != IOTEDGE_OK || wanted != IOTEDGE_OK) {
        return judge(vector, wanted, status);
    }
    size_t skip = base.len - 2;
    for (; count < IOTEDGE_MAX_READINGS; count++) {
        iotedge_reading_t *r = &list[count];
        r->size = (uint32_t)sizeof *r;
        if (iotedge_reading_decode(a.bytes, a.len, count, r) != IOTEDGE_OK) {
            break;
        }
        memmove(r->name, r->name + skip, sizeof r->name - skip);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s,%s,%lld", count == 0 ? "" : ";", r->name, r->unit,
                                (long long)r->mantissa);
        if (r->exponent != 0) {
            len += (size_t)snprintf(text + len, sizeof text - len, "e%d", (int)r->exponent);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, ",");
        if (r->has_time) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%lld", (long long)r->time);
        }
    }
    json_t readings = json_get(vector, "readings");
    if (readings.len != len + 2 || memcmp(readings.at + 1, text, len) != 0) {
        return judge(vector, IOTEDGE_OK, IOTEDGE_E_INTERNAL);
    }
    /* And back: the same bytes. */
    char base_text[40];
    memcpy(base_text, base.at + 1, skip);
    base_text[skip] = 0;
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t pack_len = 0;
    status = iotedge_reading_encode(skip == 0 ? NULL : base_text, list, count, pack, sizeof pack, &pack_len);
    if (status != IOTEDGE_OK || pack_len != a.len) {
        return judge(vector, IOTEDGE_OK, status == IOTEDGE_OK ? IOTEDGE_E_INTERNAL : status);
    }
    return same(vector, pack, a.bytes, a.len);
}

static enum verdict attest(json_t vector, int32_t wanted)
{
    int differs = 0;
    int32_t status = attest_vector(vector, &differs);
    return judge(vector, wanted, status == IOTEDGE_OK && differs ? IOTEDGE_E_INTERNAL : status);
}

static enum verdict cluster(json_t vector, int32_t wanted)
{
    int differs = 0;
    int32_t status = cluster_vector(vector, &differs);
    return judge(vector, wanted, status == IOTEDGE_OK && differs ? IOTEDGE_E_INTERNAL : status);
}

static enum verdict run(json_t vector)
{
    json_t kind = json_get(vector, "op");
    json_t expected = json_get(vector, "expect");
    if (kind.at == NULL) {
        kind = json_get(vector, "kind");
    }
    if (expected.at == NULL) {
        expected = json_get(vector, "error");
    }
    int32_t wanted = named(expected);

    if (kind.at == NULL && json_get(vector, "valid").at != NULL && json_get(vector, "signature").at != NULL) {
        return signature(vector);
    }
    if (cluster_reaches(vector)) {
        return cluster(vector, wanted);
    }
    if (json_is(kind, "attest")) {
        return attest(vector, wanted);
    }
    if (json_is(kind, "send") || json_is(kind, "receive")) {
        return link_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "stream")) {
        return channel_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "ticks")) {
        return sale_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "spending policy")) {
        return policy_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "voucher") || json_is(kind, "reading")) {
        return sale_signed(vector, json_is(kind, "voucher")) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "statement") && json_get(vector, "statement").at != NULL) {
        return judge(vector, wanted, channel_statement(vector));
    }
    if (content_reaches(vector)) {
        return content_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_is(kind, "line-write") || json_is(kind, "line-read")) {
        return serial_vector(vector) == 0 ? PASSED : FAILED;
    }
    if (json_get(vector, "output").at != NULL) {
        return crypto(vector);
    }
    if (json_get(vector, "cose").at != NULL && json_get(vector, "parents").at != NULL) {
        return transaction(vector, wanted);
    }
    if (json_get(vector, "attachment").at != NULL) {
        return evidence(vector, wanted);
    }
    if (json_get(vector, "pack").at != NULL) {
        return senml(vector, wanted);
    }
    if (json_is(kind, "cose-key")) {
        return cose_key(vector, wanted);
    }
    if (json_is(kind, "device-id")) {
        return device_id(vector, wanted);
    }
    if (json_is(kind, "chain")) {
        return chain(vector, wanted);
    }
    if (json_is(kind, "genesis")) {
        return genesis(vector, wanted);
    }
    if (json_is(kind, "record-proof")) {
        return path(vector, wanted, "record", "members", NULL);
    }
    if (json_is(kind, "path")) {
        return path(vector, wanted, "leaf", "size", "index");
    }
    if (json_is(kind, "cose-receipt")) {
        return path(vector, wanted, "leaf_bytes", "size", "leaf");
    }
    if (json_is(kind, "receipt")) {
        return receipt(vector, wanted);
    }
    if (json_is(kind, "vote")) {
        return vote(vector, wanted);
    }
    if (json_is(kind, "set")) {
        return set(vector, wanted);
    }
    return SKIPPED;
}

static char *whole_file(const char *name, size_t *len)
{
    FILE *file = fopen(name, "rb");
    char *text = NULL;
    long size;
    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0 && fseek(file, 0, SEEK_SET) == 0) {
        text = (char *)malloc((size_t)size);
        if (text != NULL && fread(text, 1, (size_t)size, file) != (size_t)size) {
            free(text);
            text = NULL;
        }
        *len = (size_t)size;
    }
    fclose(file);
    return text;
}

int main(int argc, char **argv)
{
    unsigned total[3] = {0, 0, 0};
    if (argc < 2) {
        fprintf(stderr, "usage: iotedge-vectors FILE.json ...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        unsigned count[3] = {0, 0, 0};
        size_t len = 0;
        size_t mistake = 0;
        json_t list;
        char *text = whole_file(argv[i], &len);
        if (text == NULL) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 2;
        }
        if (json_check(text, len, &list, &mistake) != 0) {
            fprintf(stderr, "%s: not JSON at byte %zu\n", argv[i], mistake);
            return 2;
        }
        for (json_t v = json_next(list, (json_t){NULL, 0}); v.at != NULL; v = json_next(list, v)) {
            count[run(v)]++;
        }
        printf("%-28s %4u passed, %u failed, %u not in the C interface\n", argv[i], count[PASSED], count[FAILED],
               count[SKIPPED]);
        for (int j = 0; j < 3; j++) {
            total[j] += count[j];
        }
        free(text);
    }
    printf("%u passed, %u failed, %u skipped\n", total[PASSED], total[FAILED], total[SKIPPED]);
    return total[FAILED] == 0 && total[PASSED] > 0 ? 0 : 1;
}
