/*
 * Readings that are sold: sealed for one reader at a time, which locks a deposit, pays the next message before it is sealed, and reads no more once it stops. examples-c/linux/meter.c
 * sells to several at once.
 */
#ifndef STREAM_H
#define STREAM_H

#include <iotedge.h>

/* `platform` must stay. `channel`: its number; 0: nothing is sold. `price`: micro-tokens a message, at least. */
void stream_open(const iotedge_platform_t *platform, uint32_t channel, uint32_t price);

/* Each turn of the loop, with the node and the local time. */
void stream_turn(iotedge_node_t *node, uint64_t now);

/* An event of the node: whoever is not concerned looks away. */
void stream_heard(iotedge_node_t *node, const iotedge_event_t *event);

/* Looks at a frame before the node does. 1: it was said between applications, and is not for the node. */
int stream_took(const uint8_t *frame, size_t len);

/* 1 where a message is paid and not sealed yet. */
int stream_wants(void);

/* Seals a reading for who paid. 0, or -1: it stays owed. */
int stream_publish(iotedge_node_t *node, uint64_t now, const uint8_t *pack, size_t len);

#endif
