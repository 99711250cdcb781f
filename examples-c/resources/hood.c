#include "hood.h"
#include "chip.h"
#include "founded.h"

#include <stdio.h>
#include <string.h>

enum { WINDOW = 256, MEMBERS = 8, PEERS = 4, ASIDE = 8, OUTBOX = 4, OWN = 64, RAW = 1 << 16, UNDER_WAY = 256, PATIENCE = 60000 };

static struct {
    chip_t chip;
    uint64_t store[IOTEDGE_FLASH_STORE_SIZE / 8];
    uint64_t memory[IOTEDGE_NODE_SIZE(WINDOW, MEMBERS, PEERS, ASIDE, OUTBOX, OWN, RAW) / 8];
    uint8_t seed[IOTEDGE_SEED_SIZE];
    iotedge_platform_t platform;
    iotedge_node_t *node;
    int active;
} devices[DEVICES];

/* The air: a ring of frames, each of which arrives with the step after it was sent. */
static struct {
    unsigned from, to;
    size_t len;
    uint8_t bytes[IOTEDGE_MAX_FRAME];
} air[UNDER_WAY];
static unsigned air_first, air_count;

static struct {
    uint64_t now;
    uint32_t draw, lose;
    int in_a_row;
    const app_t *app;
} hood;

unsigned hood_frames, hood_lost, hood_failures;

void hood_check(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        hood_failures++;
    }
}

int hood_ok(int32_t status, const char *what)
{
    if (status != IOTEDGE_OK) {
        fprintf(stderr, "%s: %s\n", what, iotedge_status_name(status));
        hood_failures++;
    }
    return status == IOTEDGE_OK;
}

uint32_t hood_random(uint32_t below)
{
    hood.draw = hood.draw * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)hood.draw * below) >> 32);
}

/* A device's is a hardware generator. This one is drawn from the seed of the run, so that it can be repeated. */
static int32_t device_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)hood_random(256);
    }
    return IOTEDGE_OK;
}

uint64_t hood_now(void)
{
    return hood.now;
}

iotedge_node_t *hood_node(unsigned at)
{
    return devices[at].node;
}

const iotedge_platform_t *hood_platform(unsigned at)
{
    return &devices[at].platform;
}

const uint8_t *hood_id(void)
{
    return FOUNDED_ID;
}

const uint8_t *hood_seed(unsigned at)
{
    return devices[at].seed;
}

iotedge_slot_t hood_slot(unsigned at)
{
    return chip_slot(&devices[at].chip);
}

static int linked(unsigned a, unsigned b)
{
    return a != b && (!hood.in_a_row || a + 1 == b || b + 1 == a);
}

static void send(unsigned from, unsigned to, const uint8_t *frame, size_t len)
{
    if (to >= DEVICES || !linked(from, to)) {
        return;
    }
    hood_frames++;
    if ((hood.lose > 0 && hood_random(hood.lose) == 0) || air_count == UNDER_WAY) {
        hood_lost++;
        return;
    }
    unsigned slot = (air_first + air_count++) % UNDER_WAY;
    air[slot].from = from;
    air[slot].to = to;
    air[slot].len = len;
    memcpy(air[slot].bytes, frame, len);
}

void hood_say(unsigned from, unsigned to, uint32_t what, const void *bytes, size_t len)
{
    uint8_t frame[IOTEDGE_MAX_FRAME];
    size_t frame_len = 0;
    if (hood_ok(iotedge_frame_say(FOUNDED_ID, what, (const uint8_t *)bytes, len, frame, sizeof frame, &frame_len), "say")) {
        send(from, to, frame, frame_len);
    }
}

/* What applications say to each other goes past the node. */
static void arrives(unsigned at, unsigned from, const uint8_t *frame, size_t len)
{
    const uint8_t *bytes;
    size_t bytes_len;
    uint32_t what;
    if (iotedge_frame_said(FOUNDED_ID, frame, len, &what, &bytes, &bytes_len) != IOTEDGE_OK) {
        (void)iotedge_node_receive(devices[at].node, hood.now, from, frame, len); /* What is refused is counted. */
    } else if (hood.app != NULL) {
        hood.app->heard(at, from, what, bytes, bytes_len);
    }
}

static void turn(unsigned at)
{
    uint8_t frame[IOTEDGE_MAX_FRAME];
    iotedge_event_t event;
    uint32_t peer;
    size_t len;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    while (iotedge_node_next_event(devices[at].node, &event) == IOTEDGE_OK) {
        if (hood.app != NULL) {
            hood.app->told(at, &event);
        }
    }
    while (iotedge_node_next_frame(devices[at].node, hood.now, &peer, frame, sizeof frame, &len) == IOTEDGE_OK) {
        send(at, peer, frame, len);
    }
}

void hood_step(void)
{
    static uint8_t frame[IOTEDGE_MAX_FRAME];
    hood.now += HOOD_STEP;
    for (unsigned waiting = air_count; waiting > 0; waiting--) {
        unsigned slot = air_first, at = air[slot].to, from = air[slot].from;
        size_t len = air[slot].len;
        memcpy(frame, air[slot].bytes, len); /* Its place may be taken by the answer. */
        air_first = (air_first + 1) % UNDER_WAY;
        air_count--;
        arrives(at, from, frame, len);
    }
    for (unsigned at = 0; at < DEVICES; at++) {
        turn(at);
    }
}

void hood_pass(uint64_t ms)
{
    for (uint64_t until = hood.now + ms; hood.now < until;) {
        hood_step();
    }
}

static int start(unsigned at)
{
    static const struct {
        const uint8_t *bytes;
        size_t len;
    } CERTIFICATES[DEVICES] = {
        {FOUNDED_CERTIFICATE_0, sizeof FOUNDED_CERTIFICATE_0},
        {FOUNDED_CERTIFICATE_1, sizeof FOUNDED_CERTIFICATE_1},
        {FOUNDED_CERTIFICATE_2, sizeof FOUNDED_CERTIFICATE_2},
    };
    iotedge_flash_store_t *store = NULL;
    iotedge_public_key_t authority;
    iotedge_limits_t limits;
    iotedge_config_t config;
    chip_blank(&devices[at].chip);
    iotedge_flash_t flash = chip_store(&devices[at].chip);
    memset(devices[at].seed, (int)at + 1, sizeof devices[at].seed);
    memset(devices[at].store, 0, sizeof devices[at].store);
    memset(devices[at].memory, 0, sizeof devices[at].memory);
    if (!hood_ok(iotedge_flash_store_open(devices[at].store, sizeof devices[at].store, &flash, &store), "the store")) {
        return 0;
    }
    iotedge_platform_t *platform = &devices[at].platform;
    memset(platform, 0, sizeof *platform);
    platform->size = (uint32_t)sizeof *platform;
    platform->random = device_random;
    platform->store_user = store;
    platform->store_get = iotedge_flash_store_get;
    platform->store_put = iotedge_flash_store_put;
    platform->store_remove = iotedge_flash_store_remove;
    memset(&authority, 0, sizeof authority);
    authority.size = (uint32_t)sizeof authority;
    authority.suite = IOTEDGE_SUITE_ED25519;
    memcpy(authority.bytes, FOUNDED_AUTHORITY, sizeof FOUNDED_AUTHORITY);
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.window = WINDOW;
    limits.members = MEMBERS;
    limits.peers = PEERS;
    limits.aside = ASIDE;
    limits.outbox = OUTBOX;
    limits.own = OWN;
    limits.raw = RAW;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.clock_offset = (int64_t)FOUNDED_AT;
    config.authority = &authority;
    config.seed = devices[at].seed;
    config.certificate = CERTIFICATES[at].bytes;
    config.certificate_len = CERTIFICATES[at].len;
    int32_t status =
        iotedge_node_init(devices[at].memory, sizeof devices[at].memory, &limits, &config, platform, &devices[at].node);
    for (unsigned peer = 0; peer < DEVICES && status == IOTEDGE_OK; peer++) {
        status = linked(at, peer) ? iotedge_node_add_peer(devices[at].node, hood.now, peer, 0) : IOTEDGE_OK;
    }
    /* What its gateway would say, once it had founded the neighbourhood; here it comes by a neighbour. */
    unsigned by = at == 0 ? 1 : at - 1;
    if (status == IOTEDGE_OK) {
        status = iotedge_node_receive(devices[at].node, hood.now, by, FOUNDED_GENESIS, sizeof FOUNDED_GENESIS);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_node_receive(devices[at].node, hood.now, by, FOUNDED_TABLE, sizeof FOUNDED_TABLE);
    }
    return hood_ok(status, "a node");
}

static int all_active(void)
{
    iotedge_node_status_t status;
    int active = 1;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    for (unsigned at = 0; at < DEVICES; at++) {
        active = active && iotedge_node_status(devices[at].node, hood.now, &status) == IOTEDGE_OK && status.phase == IOTEDGE_PHASE_ACTIVE;
    }
    return active;
}

int hood_begin(uint32_t seed, uint32_t lose, int in_a_row, const app_t *app)
{
    memset(&hood, 0, sizeof hood);
    hood.now = 1000;
    hood.draw = seed;
    hood.lose = lose;
    hood.in_a_row = in_a_row;
    hood.app = app;
    air_count = 0;
    hood_frames = hood_lost = 0;
    for (unsigned at = 0; at < DEVICES; at++) {
        if (!start(at)) {
            return 0;
        }
    }
    while (!all_active() && hood.now < PATIENCE) {
        hood_step();
    }
    hood_check(all_active(), "all three are members");
    return all_active();
}

void hood_end(void)
{
    for (unsigned at = 0; at < DEVICES; at++) {
        (void)hood_ok(iotedge_node_deinit(devices[at].node), "the end of a node");
    }
}
