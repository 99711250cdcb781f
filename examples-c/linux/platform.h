/* What the library asks of a device: randomness and a durable store. A port replaces this file. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <iotedge.h>

typedef struct {
    char folder[512];
    int keeps_draws; /* A fault for the demonstration: random bytes are written down in this file, too. */
    int draws;
} store_t;

/* Opens the folder, making it if need be. 0, or -1 with errno. */
int store_open(store_t *store, const char *folder);

/* Writes down what is drawn from now on: whoever has that file reads what this device reads. 0, or -1 with errno. */
int store_keep_draws(store_t *store, const char *file);

/* The callbacks for iotedge_node_init; `store` must live as long as the node. */
iotedge_platform_t platform_of(store_t *store);

/* Monotonic milliseconds: the `now` of every call. */
uint64_t clock_now(void);

/* What has to be added to clock_now() to get milliseconds since 1970. */
int64_t clock_offset(void);

#endif
