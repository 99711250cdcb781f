#include "psa_signer.h"

#include <string.h>

/* Not in the headers of every release. */
#ifdef PSA_ALG_PURE_EDDSA
#define HAS_EDDSA 1
#else
#define HAS_EDDSA 0
#endif

static psa_algorithm_t algorithm_of(int32_t suite)
{
#if HAS_EDDSA
    if (suite == IOTEDGE_SUITE_ED25519) {
        return PSA_ALG_PURE_EDDSA;
    }
#endif
    return suite == IOTEDGE_SUITE_ES256 ? PSA_ALG_ECDSA(PSA_ALG_SHA_256) : PSA_ALG_NONE;
}

/* The suite of a key that is there; 0: none of ours. */
static int32_t suite_of(psa_key_id_t id)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_type_t type = 0;
    size_t bits = 0;
    if (psa_get_key_attributes(id, &attributes) == PSA_SUCCESS) {
        type = psa_get_key_type(&attributes);
        bits = psa_get_key_bits(&attributes);
    }
    psa_reset_key_attributes(&attributes);
    if (type == PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1) && bits == 256) {
        return IOTEDGE_SUITE_ES256;
    }
#if HAS_EDDSA
    if (type == PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_TWISTED_EDWARDS) && bits == 255) {
        return IOTEDGE_SUITE_ED25519;
    }
#endif
    return 0;
}

int psa_signer_make(psa_key_id_t id, int32_t suite, psa_key_id_t *made)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_status_t status;
    if (algorithm_of(suite) == PSA_ALG_NONE || psa_crypto_init() != PSA_SUCCESS) {
        return -1;
    }
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, algorithm_of(suite));
    if (suite == IOTEDGE_SUITE_ES256) {
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_bits(&attributes, 256);
    } else {
#if HAS_EDDSA
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_TWISTED_EDWARDS));
        psa_set_key_bits(&attributes, 255);
#endif
    }
    if (id != 0) {
        psa_set_key_id(&attributes, id); /* Durable. */
    }
    status = psa_generate_key(&attributes, made);
    psa_reset_key_attributes(&attributes);
    return status == PSA_SUCCESS ? 0 : -1;
}

int psa_signer_public_key(psa_key_id_t id, iotedge_public_key_t *key)
{
    uint8_t point[65]; /* P-256: 0x04, x, y. Ed25519: 32 bytes as they are. */
    size_t len = 0;
    int32_t suite = suite_of(id);
    if (suite == 0 || psa_export_public_key(id, point, sizeof point, &len) != PSA_SUCCESS) {
        return -1;
    }
    memset(key, 0, sizeof *key);
    key->size = (uint32_t)sizeof *key;
    key->suite = suite;
    if (suite == IOTEDGE_SUITE_ES256 && len == 65 && point[0] == 0x04) {
        memcpy(key->bytes, point + 1, 64);
        return 0;
    }
    if (suite == IOTEDGE_SUITE_ED25519 && len == 32) {
        memcpy(key->bytes, point, 32);
        return 0;
    }
    return -1;
}

int psa_signer_sign(psa_key_id_t id, const uint8_t *message, size_t len, uint8_t *signature)
{
    size_t signature_len = 0;
    int32_t suite = suite_of(id);
    /* PSA's ECDSA signature is r then s, 32 bytes each and big-endian: what COSE wants, no DER in between. */
    if (suite == 0 || psa_sign_message(id, algorithm_of(suite), message, len, signature, IOTEDGE_SIGNATURE_SIZE,
                                       &signature_len) != PSA_SUCCESS) {
        return -1;
    }
    return signature_len == IOTEDGE_SIGNATURE_SIZE ? 0 : -1;
}
