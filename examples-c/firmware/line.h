/*
 * The one line of the board, and the neighbours behind it. The gateway at its other end passes frames on to the neighbours that it was told of: a serial frame of a
 * single byte names the neighbour that the next frame is to, or from; a frame without one is to or from the gateway itself, neighbour 0.
 */
#ifndef LINE_H
#define LINE_H

#include <iotedge.h>

/* 0, or -1. */
int line_open(void);

/* Sends a frame to a neighbour; returns when the UART has it. */
void line_send(uint32_t peer, const uint8_t *frame, size_t len);

/* The next frame that came whole: 1, else 0. It lies in the line's memory, until the next call. */
int line_receive(uint32_t *peer, const uint8_t **frame, size_t *len);

#endif
