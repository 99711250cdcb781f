/*
 * What the factory writes into a device: who it is, and whom it trusts. `ci/firmware-provision` makes these bytes of a device.json of `iotedge-gateway provision`.
 *
 * The bytes: "IOTP", then fields of a little-endian u16 tag, a u16 length and so many bytes, until tag 0.
 */
#ifndef PROVISION_H
#define PROVISION_H

#include <iotedge.h>

typedef struct {
    iotedge_public_key_t authority;  /* tag 2: its COSE_Key */
    const uint8_t *seed;             /* tag 1: 32 bytes. A product keeps it in a secure element, or in flash that cannot be read out. */
    const uint8_t *certificate;      /* tag 3 */
    const uint8_t *issuer;           /* tag 4, or NULL */
    size_t certificate_len, issuer_len;
    uint32_t neighbours;             /* tag 5: u8, how many the line leads to; the first is the gateway */
    uint32_t pay;                    /* tag 6: u32, micro-tokens for each reading heard (member) or to each other member in turn (sensor); 0: nothing */
    uint32_t every;                  /* tag 7: u32, milliseconds between readings */
    uint32_t channel;                /* tag 8: u32, the number of the channel in which a member sells readings; 0: none */
    uint32_t price;                  /* tag 9: u32, micro-tokens for each of them */
} provision_t;

/* 0, or -1 where the bytes are not what is said above. The pointers go into `from`. */
int provision_read(provision_t *to, const uint8_t *from);

#endif
