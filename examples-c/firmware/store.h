/* The library's platform, over the board: its flash as the store, its generator. */
#ifndef STORE_H
#define STORE_H

#include <iotedge.h>

/* 0, or -1. `platform` is good for the rest of the program. */
int store_open(iotedge_platform_t *platform);

#endif
