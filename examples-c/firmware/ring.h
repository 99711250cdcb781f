/* Bytes between an interrupt that puts and a program that takes. One of each, so no lock: each index has one writer. */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_SIZE = 256 }; /* A power of two. */

typedef struct {
    volatile uint8_t bytes[RING_SIZE];
    volatile uint32_t put, taken;
} ring_t;

static inline int ring_full(const ring_t *ring)
{
    return ring->put - ring->taken == RING_SIZE;
}

static inline void ring_put(ring_t *ring, uint8_t byte)
{
    uint32_t put = ring->put;
    ring->bytes[put % RING_SIZE] = byte;
    ring->put = put + 1;
}

static inline size_t ring_take(ring_t *ring, uint8_t *to, size_t room)
{
    size_t len = 0;
    uint32_t taken = ring->taken;
    while (len < room && taken != ring->put) {
        to[len++] = ring->bytes[taken % RING_SIZE];
        taken++;
    }
    ring->taken = taken;
    return len;
}

#endif
