/* The command line and the device file that the factory wrote (`iotedge-gateway provision`). */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "udp.h"

#include <iotedge.h>

typedef struct {
    const char *config;
    const char *listen;
    const char *gateway;
    const char *serial; /* The line to the gateway; NULL: it is reached by UDP. */
    const char *peers[UDP_MAX_PEERS];
    unsigned peer_count;
    const char *out;
    char store[512];
    uint64_t every;       /* Milliseconds between readings; 0: none. */
    uint64_t trade;       /* Micro-tokens for each reading that is bought; 0: none. */
    uint64_t trade_every; /* Milliseconds between purchases. */
    uint64_t channel;        /* Sells its readings sealed, as this channel; 0: says them openly. */
    uint64_t channel_price;  /* Micro-tokens for a message. */
    uint64_t read;           /* Reads this channel; 0: none. */
    uint64_t read_units;     /* Messages of it that it locks a deposit for; 0: it pays nothing. */
    uint64_t read_price;     /* Micro-tokens for each. */
    uint64_t read_stop;      /* Pays for so many only; 0: for all. */
    uint64_t exit;        /* Micro-tokens that it takes out, once it has them; 0: none. */
    uint8_t exit_to[20];  /* The Ethereum account that gets them. */
    uint64_t duration;    /* Milliseconds; 0: until SIGTERM. */
    uint32_t corrupt_every;
    uint64_t equivocate_at; /* Milliseconds after the start; 0: never. */
    uint32_t lose;          /* Thousandths of the frames; 0: none. */
    uint32_t delay;         /* Most milliseconds that a frame is held back. */
    const char *element;    /* What the stand-in for a secure element does with each request; NULL: it is honest. */
    const char *draws;      /* Random bytes are written there, too; NULL: nowhere. */
    const char *journal;    /* What became of each own transaction is written down here; NULL: nowhere. */
} options_t;

/* What the factory wrote. The seed is secret: wipe it when the node, or the element, has it. */
typedef struct {
    uint8_t seed[32]; /* Of an Ed25519 key; of a P-256 key its scalar. */
    iotedge_public_key_t key;
    uint8_t certificate[512];
    size_t certificate_len;
    uint8_t issuer[512];
    size_t issuer_len;
    iotedge_public_key_t authority;
    char gateway[64];
} identity_t;

/* 0, or -1 with a message on standard error. `--help` prints and exits. */
int options_read(options_t *options, int argc, char **argv);

/* 0, or -1 with a message on standard error that names file and field. */
int identity_read(identity_t *identity, const char *path);

#endif
