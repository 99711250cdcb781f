/* What a test gives to a node or a leaf: a store of a few slots in memory, callbacks that can be told to fail or to come back in, the key of the certificates'
 * device, and the limits and settings of a small node. */
#ifndef DEVICE_H
#define DEVICE_H

#include "certificate.h"
#include "check.h"

enum { WINDOW = 64, MEMBERS = 8, PEERS = 4, ASIDE = 2, OUTBOX = 2, OWN = 4, RAW = 8192 };
enum { NODE_BYTES = IOTEDGE_NODE_SIZE(WINDOW, MEMBERS, PEERS, ASIDE, OUTBOX, OWN, RAW) };

typedef struct {
    struct {
        int used;
        uint32_t key;
        size_t len;
        uint8_t value[1600];
    } slots[16];
    unsigned writes;
    int fail_random;
    int fail_put;
    int fail_get;
    int long_get;
    int32_t (*reenter)(void);
    int32_t reentered;
} device_t;

static device_t device;
static uint8_t seed[32];
static iotedge_public_key_t authority;
static iotedge_platform_t platform;

/* The slot of a key, else a free one where one is wanted; -1: none. */
static inline int device_slot(const device_t *d, uint32_t key, int or_free)
{
    int free_slot = -1;
    for (int i = 0; i < 16; i++) {
        if (d->slots[i].used && d->slots[i].key == key) {
            return i;
        }
        if (!d->slots[i].used && free_slot < 0) {
            free_slot = i;
        }
    }
    return or_free ? free_slot : -1;
}

static inline int32_t device_random(void *user, uint8_t *out, size_t len)
{
    device_t *d = (device_t *)user;
    memset(out, 0x5a, len);
    return d->fail_random ? IOTEDGE_E_PLATFORM : IOTEDGE_OK;
}

static inline int32_t device_get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    device_t *d = (device_t *)user;
    int i = device_slot(d, key, 0);
    if (d->fail_get) {
        return IOTEDGE_E_PLATFORM;
    }
    if (d->long_get) {
        *len = capacity + 1;
        return IOTEDGE_OK;
    }
    if (i < 0) {
        return IOTEDGE_E_NONE;
    }
    if (d->slots[i].len > capacity) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, d->slots[i].value, d->slots[i].len);
    *len = d->slots[i].len;
    return IOTEDGE_OK;
}

static inline int32_t device_put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    device_t *d = (device_t *)user;
    int i = device_slot(d, key, 1);
    if (d->reenter != NULL) {
        d->reentered = d->reenter();
    }
    if (d->fail_put || i < 0 || len > sizeof d->slots[i].value) {
        return IOTEDGE_E_PLATFORM;
    }
    d->slots[i].used = 1;
    d->slots[i].key = key;
    d->slots[i].len = len;
    memcpy(d->slots[i].value, value, len);
    d->writes++;
    return IOTEDGE_OK;
}

static inline int32_t device_remove(void *user, uint32_t key)
{
    device_t *d = (device_t *)user;
    int i = device_slot(d, key, 0);
    if (i >= 0) {
        d->slots[i].used = 0;
    }
    return IOTEDGE_OK;
}

/* A device that was never started. */
static inline void device_fresh(void)
{
    memset(&device, 0, sizeof device);
    memset(seed, 3, sizeof seed);
    memset(&authority, 0, sizeof authority);
    authority.size = (uint32_t)sizeof authority;
    authority.suite = IOTEDGE_SUITE_ED25519;
    memcpy(authority.bytes, CERTIFICATE_AUTHORITY, 32);
    memset(&platform, 0, sizeof platform);
    platform.size = (uint32_t)sizeof platform;
    platform.user = &device;
    platform.random = device_random;
    platform.store_get = device_get;
    platform.store_put = device_put;
    platform.store_remove = device_remove;
}

static inline iotedge_limits_t node_limits(void)
{
    iotedge_limits_t limits;
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.window = WINDOW;
    limits.members = MEMBERS;
    limits.peers = PEERS;
    limits.aside = ASIDE;
    limits.outbox = OUTBOX;
    limits.own = OWN;
    limits.raw = RAW;
    return limits;
}

static inline iotedge_config_t node_config(void)
{
    iotedge_config_t config;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.authority = &authority;
    config.seed = seed;
    config.certificate = CERTIFICATE;
    config.certificate_len = sizeof CERTIFICATE;
    return config;
}

/* A node of a device that was never started, in NODE_BYTES. */
static inline iotedge_node_t *node_start(uint64_t *memory)
{
    iotedge_limits_t limits = node_limits();
    iotedge_config_t config = node_config();
    iotedge_node_t *node = NULL;
    device_fresh();
    memset(memory, 0, NODE_BYTES);
    STATUS(IOTEDGE_OK, iotedge_node_init(memory, NODE_BYTES, &limits, &config, &platform, &node));
    return node;
}

#endif
