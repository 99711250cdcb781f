/* Where a secure element goes: it holds a P-256 key and signs in ES256. Here it is software. */
#ifndef ELEMENT_H
#define ELEMENT_H

#include <iotedge.h>

typedef struct {
    uint8_t scalar[32];
} element_t;

/* Takes the key; 0, or -1 where it is not the secret half of `key`. */
int element_open(element_t *element, const uint8_t *scalar, const iotedge_public_key_t *key);

/* Proof of possession, once at provisioning: 64 bytes for iotedge_config_t.enrolment. 0, or -1. */
int element_enrol(const element_t *element, const iotedge_public_key_t *key, const iotedge_public_key_t *authority,
                  uint8_t *proof);

/* The answer to IOTEDGE_EVENT_SIGNATURE_NEEDED. A chip takes its time; give the answer whenever it is there. */
void element_answer(const element_t *element, iotedge_node_t *node, uint64_t now);

#endif
