/* The PSA Crypto API (Arm PSA Certified Crypto API 1.0) as the signer of a node or a leaf: Mbed TLS, TF-M behind a secure boundary, or a chip with a PSA driver.
 *
 * An adapter to copy: two calls for the library, one for the factory. The key is named by its id and never leaves its place. P-256 with SHA-256 (ES256); Ed25519 (PureEdDSA) where the
 * implementation has it, which Mbed TLS 2.28 and 3.6 have not: psa_signer_make then says -1, and so does everything after it. */
#ifndef PSA_SIGNER_H
#define PSA_SIGNER_H

#include <iotedge.h>
#include <psa/crypto.h>

/* In the factory, once: draws a key inside, under this id, for signing only, never to be exported. `id` 0: a key that lives until the next reset. `suite`: IOTEDGE_SUITE_*. 0, or -1. */
int psa_signer_make(psa_key_id_t id, int32_t suite, psa_key_id_t *made);

/* The public half, for iotedge_config_t.signer and for the certificate. 0, or -1 where the key is of another kind, or not there. */
int psa_signer_public_key(psa_key_id_t id, iotedge_public_key_t *key);

/* Signs what iotedge_node_sign_input, iotedge_leaf_sign_input, iotedge_enrol_statement or iotedge_attest_statement gave: 64 bytes, as the library wants them. 0, or -1. It takes
 * the implementation's time, in this thread. */
int psa_signer_sign(psa_key_id_t id, const uint8_t *message, size_t len, uint8_t *signature);

#endif
