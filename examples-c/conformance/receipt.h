/* Verifies a compact receipt through the streaming functions, with one signature in memory at a time. */
#ifndef RECEIPT_H
#define RECEIPT_H

#include <iotedge.h>

int32_t receipt_in_a_stream(const uint8_t *neighbourhood, const uint8_t *set, size_t set_len, const uint8_t *receipt,
                            size_t receipt_len, iotedge_settled_t *result);

#endif
