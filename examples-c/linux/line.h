/* Frames over a serial line: a tty, or the TCP socket that an emulator gives for one. One neighbour is at its other end, number LINE_PEER. */
#ifndef LINE_H
#define LINE_H

#include "udp.h"

#include <iotedge.h>

/* The gateway's number, as where it is reached by UDP. */
enum { LINE_PEER = 0, LINE_OUT = 16384 };

typedef struct {
    const char *port; /* NULL: there is no line. */
    int file;         /* -1 while it is down. */
    int connecting;
    uint64_t retry; /* When to open it again. */
    iotedge_serial_decoder_t *decoder;
    uint64_t memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];
    uint8_t in[512];
    size_t in_at, in_len;
    /* What the line has not taken yet. */
    uint8_t out[LINE_OUT];
    size_t out_at, out_len;
    uint32_t opened;
    uint32_t unsent; /* Frames for which there was no room or no line. */
} line_t;

/* "/dev/ttyUSB0", 115200 baud, or "tcp:a.b.c.d:port". 0, or -1 with errno where the text is neither; a line that is not there yet is waited for. */
int line_open(line_t *line, const char *port);

/* Sends a frame, or keeps it until the line takes it. */
void line_send(line_t *line, uint64_t now, const uint8_t *frame, size_t len);

/* The next frame: 1 and where it lies until the next call, or 0 where there is none. Opens the line again where it is down. */
int line_receive(line_t *line, uint64_t now, const uint8_t **frame, size_t *len);

/* Waits until something is there on the line or the socket, or the time is over. */
void line_wait(const line_t *line, const udp_t *udp, uint64_t milliseconds);

void line_close(line_t *line);

#endif
