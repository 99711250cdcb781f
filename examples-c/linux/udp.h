/* Frames over UDP: one datagram each. The library numbers neighbours, this file knows their addresses. */
#ifndef UDP_H
#define UDP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define UDP_MAX_PEERS 32
/* Frames that wait for their moment, where frames are delayed. */
#define UDP_MAX_LATE 512

/* A frame that is held back. */
typedef struct {
    uint64_t due;
    uint32_t peer;
    uint16_t len;
    uint8_t frame[1400];
} udp_late_t;

typedef struct {
    int socket;
    struct sockaddr_in peers[UDP_MAX_PEERS];
    uint32_t count;
    /* Datagrams from addresses that are no peer's. */
    uint32_t strangers;
    /* Datagrams that the system did not take. */
    uint32_t unsent;
    /* A fault for the demonstration: one bit of every so-many-th frame is flipped on its way out; 0 for never. */
    uint32_t corrupt_every;
    uint32_t sent;
    uint32_t corrupted;
    /* Other faults: frames lost, in thousandths, and held back for up to so many milliseconds; they overtake each other. */
    uint32_t lose;
    uint32_t delay;
    uint32_t lost;
    uint64_t chance;
    udp_late_t late[UDP_MAX_LATE];
    uint32_t late_count;
} udp_t;

/* "a.b.c.d:port" as an address. 0, or -1. */
int udp_address(const char *text, struct sockaddr_in *address);

/* Opens a non-blocking socket on "a.b.c.d:port"; NULL: none. 0, or -1 with errno. */
int udp_open(udp_t *udp, const char *listen);

/* Adds a peer "a.b.c.d:port"; its number is the order of the calls. -1 where the text is no address or there is no room. */
int udp_add_peer(udp_t *udp, const char *address);

/* Gives a number to a neighbour that is reached otherwise. -1 where there is no room. */
int udp_skip_peer(udp_t *udp);

/* Sends a frame, now or, with a delay, when `udp_flush` finds its moment come. */
void udp_send(udp_t *udp, uint64_t now, uint32_t peer, const uint8_t *frame, size_t len);

/* Sends what was held back until now; gives the moment of the next, or UINT64_MAX. */
uint64_t udp_flush(udp_t *udp, uint64_t now);

/* The next frame from a peer: 1 and peer, frame and length, or 0 where there is none. */
int udp_receive(udp_t *udp, uint32_t *peer, uint8_t *frame, size_t capacity, size_t *len);

void udp_close(udp_t *udp);

#endif
