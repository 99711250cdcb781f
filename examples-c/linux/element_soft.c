/* The key in memory: what a secure element keeps to itself. With an ATECC608 or a phone's key store these two become calls of its driver, and the scalar never leaves the chip. */
#include "element.h"

#include <string.h>

int element_load(element_t *element, const uint8_t *scalar, iotedge_public_key_t *own)
{
    memcpy(element->scalar, scalar, sizeof element->scalar);
    return iotedge_public_key_from_scalar(scalar, own) == IOTEDGE_OK ? 0 : -1;
}

int element_sign(const element_t *element, const uint8_t *message, size_t len, uint8_t *signature)
{
    return iotedge_sign_es256(element->scalar, message, len, signature) == IOTEDGE_OK ? 0 : -1;
}
