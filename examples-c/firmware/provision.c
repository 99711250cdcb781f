#include "provision.h"

#include <string.h>

static uint32_t number(const uint8_t *bytes, uint32_t len)
{
    uint32_t value = 0;
    for (uint32_t i = len; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

int provision_read(provision_t *to, const uint8_t *from)
{
    enum { MOST = 2048 };
    uint32_t at = 4;
    memset(to, 0, sizeof *to);
    if (memcmp(from, "IOTP", 4) != 0) {
        return -1;
    }
    while (at + 4 <= MOST) {
        uint32_t tag = number(from + at, 2), len = number(from + at + 2, 2);
        const uint8_t *field = from + at + 4;
        at += 4 + len;
        if (at > MOST) {
            return -1;
        }
        switch (tag) {
        case 0:
            return to->seed != NULL && to->certificate != NULL && to->authority.size != 0 && to->neighbours > 0 ? 0 : -1;
        case 1:
            if (len != 32) {
                return -1;
            }
            to->seed = field;
            break;
        case 2:
            to->authority.size = (uint32_t)sizeof to->authority;
            if (iotedge_public_key_from_cose(field, len, &to->authority) != IOTEDGE_OK) {
                return -1;
            }
            break;
        case 3:
            to->certificate = field;
            to->certificate_len = len;
            break;
        case 4:
            to->issuer = field;
            to->issuer_len = len;
            break;
        case 5:
            to->neighbours = number(field, len);
            break;
        case 6:
            to->pay = number(field, len);
            break;
        case 7:
            to->every = number(field, len);
            break;
        case 8:
            to->channel = number(field, len);
            break;
        case 9:
            to->price = number(field, len);
            break;
        default: /* Of a later factory. */
            break;
        }
    }
    return -1;
}
