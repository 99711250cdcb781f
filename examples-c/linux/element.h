/* Where a secure element goes: it holds a P-256 key and signs in ES256, in its own time. Two of them are here: element.c in software, which can be told to misbehave, and
 * ../ports/psa/element_psa.c over the PSA Crypto API (Mbed TLS, or the driver of a chip behind it). */
#ifndef ELEMENT_H
#define ELEMENT_H

#include <iotedge.h>

/* What the stand-in does with a request: the letters of a script, one for each, honest where it ends.
 *   h  signs          l  signs after two seconds      w  signs, and turns one bit of the signature
 *   f  fails at once  n  never answers */
typedef struct {
    uint8_t scalar[32]; /* In software only. */
    uint32_t key;       /* A handle of the driver's, elsewhere. */
    const char *script;
    uint64_t due; /* When the answer comes; 0: nothing is at work. */
    uint8_t signature[IOTEDGE_SIGNATURE_SIZE];
    uint32_t asked, wrong, refused; /* Requests, wrong answers given, answers that the node did not take. */
} element_t;

/* Takes the key; 0, or -1 where it is not the secret half of `key`. `script` stays as it is; NULL: honest. */
int element_open(element_t *element, const uint8_t *scalar, const iotedge_public_key_t *key, const char *script);

/* Proof of possession, once at provisioning: 64 bytes for iotedge_config_t.enrolment. 0, or -1. */
int element_enrol(element_t *element, const iotedge_public_key_t *key, const iotedge_public_key_t *authority, uint8_t *proof);

/* IOTEDGE_EVENT_SIGNATURE_NEEDED: gives the element its work. */
void element_ask(element_t *element, iotedge_node_t *node, uint64_t now);

/* Hands on the answer of an element that takes its time, once it is there. Returns when to call again at the latest; UINT64_MAX: nothing is at work. */
uint64_t element_tick(element_t *element, iotedge_node_t *node, uint64_t now);

/* What signs, from element.c or element_psa.c: 64 bytes, r then s. 0, or -1. */
int element_load(element_t *element, const uint8_t *scalar, iotedge_public_key_t *own);
int element_sign(const element_t *element, const uint8_t *message, size_t len, uint8_t *signature);

#endif
