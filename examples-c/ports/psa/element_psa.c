/* In place of ../../linux/element_soft.c: the device of the demo with its key behind the PSA Crypto API. The demo's factory made the key outside, so it is imported; a product
 * draws it inside (psa_signer_make) and has its public half certified. */
#include "../../linux/element.h"
#include "psa_signer.h"

int element_load(element_t *element, const uint8_t *scalar, iotedge_public_key_t *own)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_id_t id = 0;
    psa_status_t status;
    if (psa_crypto_init() != PSA_SUCCESS) {
        return -1;
    }
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_MESSAGE);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    status = psa_import_key(&attributes, scalar, 32, &id);
    psa_reset_key_attributes(&attributes);
    if (status != PSA_SUCCESS) {
        return -1;
    }
    element->key = (uint32_t)id;
    return psa_signer_public_key(id, own);
}

int element_sign(const element_t *element, const uint8_t *message, size_t len, uint8_t *signature)
{
    return psa_signer_sign((psa_key_id_t)element->key, message, len, signature);
}
