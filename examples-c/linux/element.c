/* The signer operation from the side of the key: input, work, output or failure. What signs is in element_soft.c or in ../ports/psa/element_psa.c. Told so by a script it answers
 * late, wrongly or never: what leaves the device is the same, since the node verifies each answer. */
#include "element.h"

#include <string.h>

enum { LATE = 2000 };

int element_open(element_t *element, const uint8_t *scalar, const iotedge_public_key_t *key, const char *script)
{
    iotedge_public_key_t own;
    memset(element, 0, sizeof *element);
    memset(&own, 0, sizeof own);
    own.size = (uint32_t)sizeof own;
    element->script = script == NULL ? "" : script;
    if (element_load(element, scalar, &own) != 0 || own.suite != key->suite ||
        memcmp(own.bytes, key->bytes, sizeof own.bytes) != 0) {
        return -1;
    }
    return 0;
}

int element_enrol(element_t *element, const iotedge_public_key_t *key, const iotedge_public_key_t *authority, uint8_t *proof)
{
    uint8_t device[IOTEDGE_ID_SIZE], statement[96];
    size_t len;
    if (iotedge_device_id(key, device) != IOTEDGE_OK ||
        iotedge_enrol_statement(authority, device, statement, sizeof statement, &len) != IOTEDGE_OK ||
        element_sign(element, statement, len, proof) != 0) {
        return -1;
    }
    return 0;
}

static void answer(element_t *element, iotedge_node_t *node, uint64_t now)
{
    element->due = 0;
    /* Checked against the public key before anything leaves; a wrong one is asked for again. */
    if (iotedge_node_sign_output(node, now, element->signature) != IOTEDGE_OK) {
        element->refused++;
    }
}

void element_ask(element_t *element, iotedge_node_t *node, uint64_t now)
{
    uint8_t message[IOTEDGE_MAX_SIGN_INPUT];
    size_t len;
    char turn;
    if (element->due != 0 || iotedge_node_sign_input(node, message, sizeof message, &len) != IOTEDGE_OK) {
        return; /* It works already, or nothing waits any more. */
    }
    element->asked++;
    turn = *element->script == 0 ? 'h' : *element->script++;
    if (turn == 'n') {
        return;
    }
    if (turn == 'f' || element_sign(element, message, len, element->signature) != 0) {
        (void)iotedge_node_sign_fail(node, now);
        return;
    }
    if (turn == 'w') {
        element->signature[40] ^= 1;
        element->wrong++;
    }
    if (turn == 'l') {
        element->due = now + LATE;
        return;
    }
    answer(element, node, now);
}

uint64_t element_tick(element_t *element, iotedge_node_t *node, uint64_t now)
{
    if (element->due != 0 && now >= element->due) {
        answer(element, node, now);
    }
    return element->due == 0 ? UINT64_MAX : element->due;
}
