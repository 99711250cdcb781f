/* A subscriber over a store in memory whose random numbers are the vector's: what it makes of the operations and messages of an owner. */
#include "channel.h"

#include <iotedge.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 3, KEY = 0x200 };

typedef struct {
    uint8_t value[1200];
    size_t len;
} slot_t;

static slot_t slots[KEYS];
static uint8_t secret[32];
static uint64_t memory[IOTEDGE_SUBSCRIBER_SIZE(1, 8, 8) / 8];

static int32_t draw(void *user, uint8_t *out, size_t len)
{
    (void)user;
    if (len != sizeof secret) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, secret, len);
    return IOTEDGE_OK;
}

static int32_t get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    const slot_t *slot = &slots[(key - KEY) % KEYS];
    (void)user;
    if (slot->len == 0) {
        return IOTEDGE_E_NONE;
    }
    if (slot->len > capacity) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, slot->value, slot->len);
    *len = slot->len;
    return IOTEDGE_OK;
}

static int32_t put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    slot_t *slot = &slots[(key - KEY) % KEYS];
    (void)user;
    if (len > sizeof slot->value) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(slot->value, value, len);
    slot->len = len;
    return IOTEDGE_OK;
}

static int32_t take_away(void *user, uint32_t key)
{
    (void)user;
    slots[(key - KEY) % KEYS].len = 0;
    return IOTEDGE_OK;
}

static int failed(json_t vector, size_t step, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "  %.*s, step %zu: %s\n", (int)name.len, name.at, step, why);
    return -1;
}

/* The text of the vectors for what was heard. */
static const char *name_of(int32_t status, const iotedge_heard_t *heard)
{
    static const char *const kinds[] = {"NOTHING", "ANNOUNCED", "GRANTED", "SEATED", "REKEYED", "REVOKED", "ROOT", "MESSAGE"};
    int attributed = (heard->flags & IOTEDGE_HEARD_ATTRIBUTED) != 0;
    if (status != IOTEDGE_OK) {
        return iotedge_status_name(status) + strlen("IOTEDGE_");
    }
    if (attributed && heard->kind == IOTEDGE_HEARD_ROOT) {
        return "ROOT_ATTRIBUTED";
    }
    if (attributed && heard->kind == IOTEDGE_HEARD_MESSAGE) {
        return "ATTRIBUTED";
    }
    return heard->kind < sizeof kinds / sizeof kinds[0] ? kinds[heard->kind] : "?";
}

static int hear(json_t vector, iotedge_subscriber_t *subscriber, uint32_t me, uint32_t from)
{
    uint8_t bytes[IOTEDGE_CHANNEL_MAX_MESSAGE], text[IOTEDGE_CHANNEL_MAX_MESSAGE], wanted[IOTEDGE_CHANNEL_MAX_MESSAGE];
    json_t steps = json_get(vector, "steps");
    size_t at = 0;
    for (json_t step = json_next(steps, (json_t){NULL, 0}); step.at != NULL; step = json_next(steps, step), at++) {
        long n = json_hex(json_get(step, "bytes"), bytes, sizeof bytes);
        long plain = json_hex(json_get(step, "text"), wanted, sizeof wanted);
        json_t what = json_get(step, "what");
        int32_t status = IOTEDGE_E_ARGUMENT;
        iotedge_heard_t heard;
        memset(&heard, 0, sizeof heard);
        heard.size = (uint32_t)sizeof heard;
        if (n < 0 || plain < 0) {
            return failed(vector, at, "no bytes");
        }
        if (json_is(what, "said")) {
            status = iotedge_subscriber_hear(subscriber, me, from, bytes, (size_t)n, text, sizeof text, &heard);
        } else if (json_is(what, "statement")) {
            status = iotedge_subscriber_hear_statement(subscriber, me, from, bytes, (size_t)n, text, sizeof text, &heard);
        } else if (json_is(what, "message")) {
            status = iotedge_subscriber_read(subscriber, bytes, (size_t)n, text, sizeof text, &heard);
        }
        if (!json_is(json_get(step, "expect"), name_of(status, &heard))) {
            return failed(vector, at, name_of(status, &heard));
        }
        if (heard.text_len != (uint32_t)plain || memcmp(text, wanted, (size_t)plain) != 0) {
            return failed(vector, at, "another text");
        }
    }
    return at > 0 ? 0 : failed(vector, at, "no steps");
}

int channel_vector(json_t vector)
{
    iotedge_subscriber_config_t config;
    iotedge_channel_source_t source;
    iotedge_platform_t platform;
    iotedge_public_key_t key;
    iotedge_subscriber_t *subscriber = NULL;
    uint8_t side[32], op[64], wanted[64];
    uint64_t owner, reader, channel, sub_channel;
    uint32_t subscription;
    size_t len = 0;
    int result = -1;
    long with_side = json_hex(json_get(vector, "side"), side, sizeof side);
    long asked = json_hex(json_get(vector, "subscribe"), wanted, sizeof wanted);
    memset(slots, 0, sizeof slots);
    memset(memory, 0, sizeof memory);
    memset(&config, 0, sizeof config);
    memset(&source, 0, sizeof source);
    memset(&platform, 0, sizeof platform);
    memset(&key, 0, sizeof key);
    config.size = (uint32_t)sizeof config;
    source.size = (uint32_t)sizeof source;
    platform.size = (uint32_t)sizeof platform;
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    if (json_hex(json_get(vector, "secret"), secret, 32) != 32 || json_hex(json_get(vector, "owner_key"), key.bytes, 32) != 32 ||
        json_hex(json_get(vector, "neighbourhood"), config.neighbourhood, 32) != 32 ||
        json_hex(json_get(vector, "reader_device"), config.device, 32) != 32 ||
        json_hex(json_get(vector, "owner_device"), source.device, 32) != 32 || (with_side != 0 && with_side != 32) || asked <= 0 ||
        json_uint(json_get(vector, "owner"), &owner) != 0 || json_uint(json_get(vector, "reader"), &reader) != 0 ||
        json_uint(json_get(vector, "channel"), &channel) != 0 || json_uint(json_get(vector, "sub_channel"), &sub_channel) != 0) {
        return failed(vector, 0, "a field is missing");
    }
    config.channels = 1;
    config.store_key = KEY;
    config.skipped = config.recent = 8;
    source.owner = (uint32_t)owner;
    source.channel = (uint32_t)channel;
    source.sub_channel = (uint32_t)sub_channel;
    platform.random = draw;
    platform.store_get = get;
    platform.store_put = put;
    platform.store_remove = take_away;
    if (iotedge_subscriber_init(memory, sizeof memory, &config, &platform, &subscriber) != IOTEDGE_OK) {
        return failed(vector, 0, "no subscriber");
    }
    if (iotedge_subscriber_subscribe(subscriber, &source, &key, with_side > 0 ? side : NULL, &subscription, op, sizeof op, &len) !=
            IOTEDGE_OK ||
        len != (size_t)asked || memcmp(op, wanted, len) != 0) {
        (void)failed(vector, 0, "another request");
    } else {
        result = hear(vector, subscriber, (uint32_t)reader, (uint32_t)owner);
    }
    (void)iotedge_subscriber_deinit(subscriber);
    return result;
}

int32_t channel_statement(json_t vector)
{
    uint8_t neighbourhood[32], device[32], bytes[IOTEDGE_CHANNEL_MAX_OP + 64];
    iotedge_public_key_t key;
    size_t len = 0;
    long n = json_hex(json_get(vector, "statement"), bytes, sizeof bytes);
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    if (n < 0 || json_hex(json_get(vector, "key"), key.bytes, 32) != 32 || json_hex(json_get(vector, "owner"), device, 32) != 32 ||
        json_hex(json_get(vector, "neighbourhood"), neighbourhood, 32) != 32) {
        return -1;
    }
    return iotedge_channel_statement_check(neighbourhood, device, &key, bytes, (size_t)n, &len);
}
