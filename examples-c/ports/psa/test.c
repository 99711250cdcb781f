/* The adapter against the library: each signature verifies under the exported key by the network's rule, an attestation is made through it, and a turned bit never gets out.
 *   cc -I../../../include test.c psa_signer.c libiotedge.a -lmbedcrypto   (ci/psa does it) */
#include "psa_signer.h"

#include <stdio.h>
#include <string.h>

static unsigned passed, failed;

#define CHECK(what)                                                            \
    do {                                                                       \
        if (what) {                                                            \
            passed++;                                                          \
        } else {                                                               \
            failed++;                                                          \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #what); \
        }                                                                      \
    } while (0)

static psa_key_id_t made;
static iotedge_public_key_t key;

static void signatures(void)
{
    uint8_t message[IOTEDGE_MAX_SIGN_INPUT], signature[64], secret[64];
    size_t len;
    unsigned high = 0;
    memset(message, 0x5a, sizeof message);
    CHECK(psa_signer_make(0, IOTEDGE_SUITE_ES256, &made) == 0);
    CHECK(psa_signer_public_key(made, &key) == 0);
    CHECK(key.suite == IOTEDGE_SUITE_ES256 && iotedge_public_key_check(&key) == IOTEDGE_OK);
    CHECK(psa_export_key(made, secret, sizeof secret, &len) != PSA_SUCCESS); /* It stays inside. */
    for (size_t n = 0; n < 64; n++) {
        message[0] = (uint8_t)n;
        CHECK(psa_signer_sign(made, message, n * 10, signature) == 0);
        CHECK(iotedge_verify(&key, message, n * 10, signature) == IOTEDGE_OK);
        high += signature[32] >= 0x80; /* Half of them: the rule takes a high s too. */
        signature[n] ^= 1;
        CHECK(iotedge_verify(&key, message, n * 10, signature) != IOTEDGE_OK);
    }
    CHECK(high > 0 && high < 64);
}

static void attestation(void)
{
    static const uint8_t nonce[16] = {1, 2, 3};
    uint8_t message[IOTEDGE_MAX_SIGN_INPUT], signature[64], eat[IOTEDGE_MAX_ATTESTATION];
    size_t len, eat_len = 0;
    iotedge_evidence_t evidence, said;
    memset(&evidence, 0, sizeof evidence);
    evidence.size = (uint32_t)sizeof evidence;
    evidence.model = (const uint8_t *)"acme-2";
    evidence.model_len = 6;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    CHECK(iotedge_attest_statement(&key, NULL, nonce, sizeof nonce, &evidence, message, sizeof message, &len) == IOTEDGE_OK);
    CHECK(psa_signer_sign(made, message, len, signature) == 0);
    signature[5] ^= 0x40;
    CHECK(iotedge_attest_assemble(&key, message, len, signature, eat, sizeof eat, &eat_len) != IOTEDGE_OK && eat_len == 0);
    signature[5] ^= 0x40;
    CHECK(iotedge_attest_assemble(&key, message, len, signature, eat, sizeof eat, &eat_len) == IOTEDGE_OK);
    CHECK(iotedge_attest_verify(&key, NULL, nonce, sizeof nonce, eat, eat_len, &said) == IOTEDGE_OK && said.model_len == 6);
}

static void failures(void)
{
    uint8_t signature[64];
    psa_key_id_t none = 0;
    iotedge_public_key_t other;
    /* PureEdDSA only where the implementation has it; the key then signs by the network's rule. */
    if (psa_signer_make(0, IOTEDGE_SUITE_ED25519, &none) == 0) {
        CHECK(psa_signer_public_key(none, &other) == 0 && psa_signer_sign(none, signature, 10, signature) == 0);
        puts("psa: Ed25519 is there");
    } else {
        puts("psa: no Ed25519 in this implementation");
    }
    CHECK(psa_signer_make(0, 12345, &none) == -1);
    CHECK(psa_destroy_key(made) == PSA_SUCCESS);
    CHECK(psa_signer_sign(made, signature, 10, signature) == -1);
    CHECK(psa_signer_public_key(made, &other) == -1);
}

int main(void)
{
    signatures();
    attestation();
    failures();
    printf("psa: %u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
