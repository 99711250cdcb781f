/* A port: what stands between the library and your board. Fill port.c; docs/porting.md goes through it step by step. */
#ifndef PORT_H
#define PORT_H

#include <iotedge.h>

/* Fills `platform`, opens the store. Keep `platform` for as long as the node or leaf lives. IOTEDGE_OK, or why not. */
int32_t port_open(iotedge_platform_t *platform);

/* Milliseconds since the start; never goes back. It is the `now` of all calls. */
uint64_t port_millis(void);

/* The line, radio or socket to the gateway: frames of the library, each whole or not at all. */
int port_receive(uint32_t *peer, uint8_t *frame, size_t capacity, size_t *len); /* 1: there was one */
void port_send(uint32_t peer, const uint8_t *frame, size_t len);

#endif
