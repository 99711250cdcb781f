/* The signer operation from the side of the key: input, work, output or failure. With an ATECC608 or a phone's key store the two
 * calls of iotedge_sign_es256 become calls of its driver, and the scalar never leaves the chip. */
#include "element.h"

#include <string.h>

int element_open(element_t *element, const uint8_t *scalar, const iotedge_public_key_t *key)
{
    iotedge_public_key_t own;
    memset(&own, 0, sizeof own);
    own.size = (uint32_t)sizeof own;
    if (iotedge_public_key_from_scalar(scalar, &own) != IOTEDGE_OK || own.suite != key->suite ||
        memcmp(own.bytes, key->bytes, sizeof own.bytes) != 0) {
        return -1;
    }
    memcpy(element->scalar, scalar, sizeof element->scalar);
    return 0;
}

int element_enrol(const element_t *element, const iotedge_public_key_t *key, const iotedge_public_key_t *authority,
                  uint8_t *proof)
{
    uint8_t device[IOTEDGE_ID_SIZE], statement[96];
    size_t len;
    if (iotedge_device_id(key, device) != IOTEDGE_OK ||
        iotedge_enrol_statement(authority, device, statement, sizeof statement, &len) != IOTEDGE_OK ||
        iotedge_sign_es256(element->scalar, statement, len, proof) != IOTEDGE_OK) {
        return -1;
    }
    return 0;
}

void element_answer(const element_t *element, iotedge_node_t *node, uint64_t now)
{
    uint8_t message[640], signature[IOTEDGE_SIGNATURE_SIZE];
    size_t len;
    if (iotedge_node_sign_input(node, message, sizeof message, &len) != IOTEDGE_OK) {
        return; /* Nothing waits any more. */
    }
    if (iotedge_sign_es256(element->scalar, message, len, signature) != IOTEDGE_OK) {
        (void)iotedge_node_sign_fail(node, now);
        return;
    }
    /* Checked against the public key before anything leaves; a wrong one is asked for again. */
    (void)iotedge_node_sign_output(node, now, signature);
}
