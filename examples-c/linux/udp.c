#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int udp_address(const char *text, struct sockaddr_in *address)
{
    char host[32];
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long port;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host) {
        return -1;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    port = strtoul(colon + 1, &end, 10);
    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    if (port == 0 || port > 65535 || *end != 0 || inet_pton(AF_INET, host, &address->sin_addr) != 1) {
        return -1;
    }
    return 0;
}

int udp_open(udp_t *udp, const char *listen)
{
    struct sockaddr_in address;
    memset(udp, 0, sizeof *udp);
    udp->socket = -1;
    if (listen == NULL) {
        return 0;
    }
    if (udp_address(listen, &address) != 0) {
        errno = EINVAL;
        return -1;
    }
    udp->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->socket < 0) {
        return -1;
    }
    return bind(udp->socket, (const struct sockaddr *)&address, sizeof address);
}

int udp_add_peer(udp_t *udp, const char *address)
{
    if (udp->count == UDP_MAX_PEERS || udp_address(address, &udp->peers[udp->count]) != 0) {
        return -1;
    }
    return (int)udp->count++;
}

int udp_skip_peer(udp_t *udp)
{
    /* Zeros: port 0 is nobody's. */
    return udp->count == UDP_MAX_PEERS ? -1 : (int)udp->count++;
}

static void put(udp_t *udp, uint32_t peer, const uint8_t *frame, size_t len)
{
    const struct sockaddr *to = (const struct sockaddr *)&udp->peers[peer];
    ssize_t done;
    do {
        done = sendto(udp->socket, frame, len, 0, to, sizeof udp->peers[peer]);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        udp->unsent++; /* The protocol asks again for what was lost. */
    }
}

/* A number below `below`, spread well enough for faults. */
static uint32_t draw(udp_t *udp, uint32_t below)
{
    udp->chance = udp->chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(udp->chance >> 33) % below;
}

void udp_send(udp_t *udp, uint64_t now, uint32_t peer, const uint8_t *frame, size_t len)
{
    uint8_t bent[2048];
    if (peer >= udp->count || len > sizeof bent) {
        return;
    }
    udp->sent++;
    if (udp->corrupt_every != 0 && udp->sent % udp->corrupt_every == 0) {
        /* Another bit each time, anywhere in the frame. */
        size_t bit = (udp->sent * 2654435761u) % (len * 8);
        memcpy(bent, frame, len);
        bent[bit / 8] = (uint8_t)(bent[bit / 8] ^ (1u << (bit % 8)));
        frame = bent;
        udp->corrupted++;
    }
    if (udp->lose != 0 && draw(udp, 1000) < udp->lose) {
        udp->lost++;
        return;
    }
    if (udp->delay != 0 && udp->late_count < UDP_MAX_LATE && len <= sizeof udp->late[0].frame) {
        udp_late_t *late = &udp->late[udp->late_count++];
        late->due = now + draw(udp, udp->delay + 1);
        late->peer = peer;
        late->len = (uint16_t)len;
        memcpy(late->frame, frame, len);
        return;
    }
    put(udp, peer, frame, len);
}

uint64_t udp_flush(udp_t *udp, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    uint32_t i = 0;
    while (i < udp->late_count) {
        udp_late_t *late = &udp->late[i];
        if (late->due > now) {
            next = late->due < next ? late->due : next;
            i++;
            continue;
        }
        put(udp, late->peer, late->frame, late->len);
        *late = udp->late[--udp->late_count];
    }
    return next;
}

int udp_receive(udp_t *udp, uint32_t *peer, uint8_t *frame, size_t capacity, size_t *len)
{
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_len = sizeof from;
        ssize_t got = recvfrom(udp->socket, frame, capacity, 0, (struct sockaddr *)&from, &from_len);
        if (got < 0 && (errno == EINTR || errno == ECONNREFUSED)) {
            continue;
        }
        if (got < 0) {
            return 0;
        }
        for (uint32_t i = 0; i < udp->count; i++) {
            if (udp->peers[i].sin_port == from.sin_port && udp->peers[i].sin_addr.s_addr == from.sin_addr.s_addr) {
                *peer = i;
                *len = (size_t)got;
                return 1;
            }
        }
        udp->strangers++;
    }
}

void udp_close(udp_t *udp)
{
    if (udp->socket >= 0) {
        close(udp->socket);
    }
    udp->socket = -1;
}
