/* Verification without a node: what it does when it is misused. What it accepts and refuses is in vectors/, run by iotedge-vectors. */
#include "check.h"

#include "certificate.h"

static const uint8_t ZERO[64] = {0};

static iotedge_public_key_t authority(void)
{
    iotedge_public_key_t key;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    memcpy(key.bytes, CERTIFICATE_AUTHORITY, 32);
    return key;
}

static void certificates(void)
{
    iotedge_public_key_t pinned = authority();
    iotedge_certificate_t claims;
    iotedge_certificate_t before;
    const uint8_t *c = CERTIFICATE;
    size_t len = sizeof CERTIFICATE;
    memset(&claims, 0, sizeof claims);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_certificate_parse(c, len, &claims));
    claims.size = (uint32_t)sizeof claims;
    before = claims;
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_parse(NULL, len, &claims));
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_parse(c, len, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_certificate_parse(c, 0, &claims));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_certificate_parse(NULL, 0, &claims));
    for (size_t cut = 1; cut < len; cut++) {
        CHECK(iotedge_certificate_parse(c, cut, &claims) != IOTEDGE_OK);
    }
    CHECK(memcmp(&claims, &before, sizeof claims) == 0);
    STATUS(IOTEDGE_OK, iotedge_certificate_parse(c, len, &claims));
    CHECK(claims.kind == IOTEDGE_KIND_DEVICE && claims.cti_len == 8 && strcmp(claims.name, "Maker") == 0);

    claims = before;
    STATUS(IOTEDGE_OK, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 0, c, len, &claims));
    CHECK(memcmp(claims.device, "\x72\xd1\x6f\xaf", 4) == 0);
    claims = before;
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_verify(NULL, CERTIFICATE_NOW, 0, NULL, 0, c, len, &claims));
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 1, c, len, &claims));
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 0, NULL, len, &claims));
    STATUS(IOTEDGE_E_NULL, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 0, c, len, NULL));
    STATUS(IOTEDGE_E_CHAIN_LENGTH, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 0, c, 0, &claims));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 5, NULL, 0, c, len, &claims));
    STATUS(IOTEDGE_E_CERTIFICATE_KIND, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 2, NULL, 0, c, len, &claims));
    pinned.bytes[0] ^= 1;
    STATUS(IOTEDGE_E_UNKNOWN_AUTHORITY, iotedge_certificate_verify(&pinned, CERTIFICATE_NOW, 0, NULL, 0, c, len, &claims));
    CHECK(memcmp(&claims, &before, sizeof claims) == 0);
}

static void genesis(void)
{
    iotedge_public_key_t pinned = authority();
    uint8_t id[32];
    memset(id, 9, sizeof id);
    STATUS(IOTEDGE_E_NULL, iotedge_genesis_verify(NULL, CERTIFICATE, sizeof CERTIFICATE, id));
    STATUS(IOTEDGE_E_NULL, iotedge_genesis_verify(&pinned, NULL, 4, id));
    STATUS(IOTEDGE_E_NULL, iotedge_genesis_verify(&pinned, CERTIFICATE, sizeof CERTIFICATE, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_genesis_verify(&pinned, NULL, 0, id));
    CHECK(iotedge_genesis_verify(&pinned, CERTIFICATE, sizeof CERTIFICATE, id) != IOTEDGE_OK);
    CHECK(id[0] == 9 && id[31] == 9);
}

static void transactions(void)
{
    iotedge_public_key_t key = authority();
    iotedge_tx_t tx;
    uint8_t id[32];
    memset(&tx, 0, sizeof tx);
    memset(id, 9, sizeof id);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_tx_parse(ZERO, 8, &tx));
    tx.size = (uint32_t)sizeof tx;
    STATUS(IOTEDGE_E_NULL, iotedge_tx_parse(NULL, 8, &tx));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_parse(ZERO, 8, NULL));
    CHECK(iotedge_tx_parse(ZERO, 8, &tx) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_MALFORMED, iotedge_tx_parse(NULL, 0, &tx));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_id(NULL, ZERO, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_id(ZERO, NULL, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_id(ZERO, ZERO, 8, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_tx_id(ZERO, NULL, 0, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_verify(NULL, &key, ZERO, 2, ZERO, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_verify(ZERO, NULL, ZERO, 2, ZERO, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_verify(ZERO, &key, NULL, 2, ZERO, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_verify(ZERO, &key, ZERO, 2, NULL, 8, id));
    STATUS(IOTEDGE_E_NULL, iotedge_tx_verify(ZERO, &key, ZERO, 2, ZERO, 8, NULL));
    STATUS(IOTEDGE_E_PARENT_COUNT, iotedge_tx_verify(ZERO, &key, ZERO, 9, ZERO, 8, id));
    STATUS(IOTEDGE_E_PARENT_COUNT, iotedge_tx_verify(ZERO, &key, ZERO, SIZE_MAX, ZERO, 8, id));
    CHECK(iotedge_tx_verify(ZERO, &key, NULL, 0, ZERO, 8, id) != IOTEDGE_OK);
    CHECK(id[0] == 9 && id[31] == 9);
}

static void evidence(void)
{
    iotedge_public_key_t key = authority();
    iotedge_offence_t offence;
    memset(&offence, 0, sizeof offence);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_evidence_verify(ZERO, &key, ZERO, 8, &offence));
    offence.size = (uint32_t)sizeof offence;
    STATUS(IOTEDGE_E_NULL, iotedge_evidence_verify(NULL, &key, ZERO, 8, &offence));
    STATUS(IOTEDGE_E_NULL, iotedge_evidence_verify(ZERO, NULL, ZERO, 8, &offence));
    STATUS(IOTEDGE_E_NULL, iotedge_evidence_verify(ZERO, &key, NULL, 8, &offence));
    STATUS(IOTEDGE_E_NULL, iotedge_evidence_verify(ZERO, &key, ZERO, 8, NULL));
    STATUS(IOTEDGE_E_WRONG_TYPE, iotedge_evidence_verify(ZERO, &key, ZERO, 8, &offence));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_evidence_verify(ZERO, &key, NULL, 0, &offence));
    CHECK(offence.form == 0);
}

static void merkle(void)
{
    uint8_t root[32];
    uint8_t leaf_and_prefix[3] = {0, 'h', 'i'};
    STATUS(IOTEDGE_OK, iotedge_sha256(leaf_and_prefix, 3, root)); /* A tree of one leaf: the hash of 00 and the leaf. */
    const uint8_t *leaf = leaf_and_prefix + 1;
    STATUS(IOTEDGE_OK, iotedge_merkle_verify(root, 0, 1, leaf, 2, NULL, 0));
    STATUS(IOTEDGE_E_WRONG_PATH, iotedge_merkle_verify(root, 0, 1, leaf, 1, NULL, 0));
    STATUS(IOTEDGE_E_LEAF_INDEX, iotedge_merkle_verify(root, 1, 1, leaf, 2, NULL, 0));
    STATUS(IOTEDGE_E_PATH_LENGTH, iotedge_merkle_verify(root, 0, 2, leaf, 2, NULL, 0));
    STATUS(IOTEDGE_E_PATH_LENGTH, iotedge_merkle_verify(root, 0, 1, leaf, 2, ZERO, SIZE_MAX));
    STATUS(IOTEDGE_E_NULL, iotedge_merkle_verify(NULL, 0, 1, leaf, 2, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_merkle_verify(root, 0, 1, NULL, 2, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_merkle_verify(root, 0, 2, leaf, 2, NULL, 1));
}

static void receipts(void)
{
    static iotedge_receipt_check_t check;
    static iotedge_receipt_check_t copy;
    iotedge_settled_t result;
    memset(&result, 0, sizeof result);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_receipt_verify(ZERO, ZERO, 8, ZERO, 8, &result));
    result.size = (uint32_t)sizeof result;
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_verify(NULL, ZERO, 8, ZERO, 8, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_verify(ZERO, NULL, 8, ZERO, 8, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_verify(ZERO, ZERO, 8, NULL, 8, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_verify(ZERO, ZERO, 8, ZERO, 8, NULL));
    CHECK(iotedge_receipt_verify(ZERO, ZERO, 8, ZERO, 8, &result) != IOTEDGE_OK);
    CHECK(iotedge_receipt_verify(ZERO, NULL, 0, NULL, 0, &result) != IOTEDGE_OK);

    /* A stream that never began: zeros, garbage, no size. */
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_receipt_vote(&check, 0, ZERO));
    check.size = (uint32_t)sizeof check;
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_receipt_vote(&check, 0, ZERO));
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_receipt_finish(&check, ZERO, 1, NULL, 0, &result));
    memset(check.words, 0xa5, sizeof check.words);
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_receipt_vote(&check, 0, ZERO));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_vote(NULL, 0, ZERO));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_finish(NULL, ZERO, 1, NULL, 0, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_begin(NULL, ZERO, ZERO, 8, ZERO, 8, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_begin(&check, NULL, ZERO, 8, ZERO, 8, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_begin(&check, ZERO, NULL, 8, ZERO, 8, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_begin(&check, ZERO, ZERO, 8, NULL, 8, NULL, 0));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_begin(&check, ZERO, ZERO, 8, ZERO, 8, NULL, 1));
    STATUS(IOTEDGE_E_PATH_LENGTH, iotedge_receipt_begin(&check, ZERO, ZERO, 8, ZERO, 8, ZERO, 33));
    CHECK(iotedge_receipt_begin(&check, ZERO, ZERO, 8, ZERO, 8, NULL, 0) != IOTEDGE_OK);

    /* A header of no transactions under a set of one validator: begun, then copied, finished, used after the end. */
    uint8_t seed[32], neighbourhood[32], set[64], header[300], signature[64];
    size_t set_len = 0, len = 0;
    iotedge_public_key_t validator;
    memset(seed, 5, sizeof seed);
    memset(neighbourhood, 6, sizeof neighbourhood);
    memset(&validator, 0, sizeof validator);
    memset(signature, 0, sizeof signature);
    validator.size = (uint32_t)sizeof validator;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(seed, &validator));
    const uint8_t set_head[] = {0x83, 0x01, 0x01, 0x81, 0x82, 0x58, 0x20}; /* [1, 1, [[key, ...]]] */
    memcpy(set, set_head, sizeof set_head);
    memcpy(set + sizeof set_head, validator.bytes, 32);
    set_len = sizeof set_head + 32;
    set[set_len++] = 10; /* Its stake. */
    header[len++] = 0x91; /* Seventeen fields, docs/protocol.md section 7. */
    header[len++] = 0x01;
    /* id, number, 2 ids, c, G0, count, 3 roots, members, W, set hash, value, first, last: an id is -1 in this list. */
    const int fields[] = {-1, 1, -1, -1, 9, -1, 0, -1, -1, -1, 1, 1, -1, 0, 0, 0};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i] < 0) {
            header[len++] = 0x58;
            header[len++] = 0x20;
            memset(header + len, 6, 32);
            len += 32;
        } else {
            header[len++] = (uint8_t)fields[i];
        }
    }
    check.size = (uint32_t)sizeof check;
    STATUS(IOTEDGE_OK, iotedge_receipt_begin(&check, neighbourhood, set, set_len, header, len, NULL, 0));
    memcpy(&copy, &check, sizeof check);
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_receipt_vote(&copy, 0, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_vote(&check, 0, NULL));
    STATUS(IOTEDGE_E_UNKNOWN_VALIDATOR, iotedge_receipt_vote(&check, 1, signature));
    STATUS(IOTEDGE_E_UNKNOWN_VALIDATOR, iotedge_receipt_vote(&check, 256, signature));
    CHECK(iotedge_receipt_vote(&check, 0, signature) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_finish(&check, NULL, 1, NULL, 0, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_finish(&check, ZERO, 1, NULL, 1, &result));
    STATUS(IOTEDGE_E_NULL, iotedge_receipt_finish(&check, ZERO, 1, NULL, 0, NULL));
    STATUS(IOTEDGE_E_PATH_LENGTH, iotedge_receipt_finish(&check, ZERO, 1, ZERO, 33, &result));
    STATUS(IOTEDGE_E_SHORT_OF_QUORUM, iotedge_receipt_finish(&check, ZERO, 1, NULL, 0, &result));
    CHECK(result.header == 0);
    /* Begun again with another neighbourhood: refused, and what was begun before goes on. */
    STATUS(IOTEDGE_E_NEIGHBOURHOOD, iotedge_receipt_begin(&check, ZERO, set, set_len, header, len, NULL, 0));
    STATUS(IOTEDGE_E_SHORT_OF_QUORUM, iotedge_receipt_finish(&check, ZERO, 1, NULL, 0, &result));
}

int main(void)
{
    certificates();
    genesis();
    transactions();
    evidence();
    merkle();
    receipts();
    return check_end("verify");
}
