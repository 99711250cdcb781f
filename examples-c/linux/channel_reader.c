/* The reader of a channel: finds its owner, asks, and reads from the grant on. What it reads is paid in meter_buyer.c. */
#include "device.h"

#include <string.h>

enum { ASK_EVERY = 5000 };

static int open_subscriber(device_t *device, const iotedge_node_status_t *status)
{
    channel_reader_t *reader = &device->reader;
    iotedge_platform_t platform = platform_of(&device->store);
    iotedge_subscriber_config_t config;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.channels = 1;
    memcpy(config.neighbourhood, status->neighbourhood, sizeof config.neighbourhood);
    memcpy(config.device, status->device, sizeof config.device);
    config.store_key = READER_KEY;
    config.skipped = READER_SKIPPED;
    config.recent = CHANNEL_BATCH;
    return iotedge_subscriber_init(reader->memory, sizeof reader->memory, &config, &platform, &reader->subscriber) == IOTEDGE_OK ? 0 : -1;
}

/* 1 where the channel can be read. */
static int can_read(const channel_reader_t *reader)
{
    iotedge_subscription_status_t stands;
    memset(&stands, 0, sizeof stands);
    stands.size = (uint32_t)sizeof stands;
    return reader->subscribed && iotedge_subscriber_status(reader->subscriber, reader->subscription, &stands) == IOTEDGE_OK &&
           stands.granted != 0;
}

static void ask(device_t *device)
{
    channel_reader_t *reader = &device->reader;
    iotedge_channel_source_t source;
    iotedge_public_key_t key;
    uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
    size_t len = 0;
    uint32_t ticket;
    memset(&source, 0, sizeof source);
    memset(&key, 0, sizeof key);
    source.size = (uint32_t)sizeof source;
    key.size = (uint32_t)sizeof key;
    source.owner = reader->owner;
    source.channel = reader->number;
    if (iotedge_node_member_device(device->node, reader->owner, source.device) == IOTEDGE_OK &&
        iotedge_node_member_key(device->node, reader->owner, &key) == IOTEDGE_OK &&
        iotedge_subscriber_subscribe(reader->subscriber, &source, &key, NULL, &reader->subscription, op, sizeof op, &len) == IOTEDGE_OK) {
        reader->subscribed = 1;
        (void)iotedge_node_submit_channel(device->node, clock_now(), 0, op, len, &ticket);
    }
}

void channel_reader_tick(device_t *device)
{
    channel_reader_t *reader = &device->reader;
    iotedge_node_status_t status;
    uint64_t now = clock_now();
    if (!reader->wanted || !reader->known || device_status(device, &status) != 0) {
        return;
    }
    meter_buy(device, &status, reader->owner);
    if (status.phase != IOTEDGE_PHASE_ACTIVE) {
        return;
    }
    if (reader->subscriber == NULL && open_subscriber(device, &status) != 0) {
        return;
    }
    if (now >= reader->next_ask && (reader->revoked_now || !can_read(reader))) {
        reader->next_ask = now + ASK_EVERY;
        ask(device);
    }
}

static void message(channel_reader_t *reader, const iotedge_heard_t *heard, const uint8_t *text)
{
    iotedge_reading_t reading;
    memset(&reading, 0, sizeof reading);
    reading.size = (uint32_t)sizeof reading;
    reader->read++;
    reader->attributed += (heard->flags & IOTEDGE_HEARD_ATTRIBUTED) != 0;
    reader->readings += iotedge_reading_decode(text, heard->text_len, 0, &reading) == IOTEDGE_OK;
}

void channel_reader_heard(device_t *device, uint32_t member, const iotedge_channel_op_t *told, const uint8_t *op, size_t len)
{
    channel_reader_t *reader = &device->reader;
    iotedge_node_status_t status;
    iotedge_heard_t heard;
    uint8_t text[IOTEDGE_CHANNEL_MAX_OP];
    int32_t result;
    if (!reader->wanted || told->channel != reader->number || told->op == IOTEDGE_CHANNEL_OP_SUBSCRIBE) {
        return;
    }
    if (!reader->known) {
        reader->known = 1;
        reader->owner = member;
    }
    memset(&heard, 0, sizeof heard);
    heard.size = (uint32_t)sizeof heard;
    if (member != reader->owner || device_status(device, &status) != 0) {
        return;
    }
    result = reader->subscribed ? iotedge_subscriber_hear(reader->subscriber, status.member, member, op, len, text, sizeof text, &heard)
                                : IOTEDGE_E_CHANNEL_UNKNOWN;
    if (told->op == IOTEDGE_CHANNEL_OP_MESSAGE && result != IOTEDGE_OK) {
        reader->sealed++; /* Not for this device, before its grant or after its revoke. */
        return;
    }
    if (result != IOTEDGE_OK) {
        return;
    }
    reader->lost += (uint32_t)heard.lost;
    meter_delivered(device, heard.kind == IOTEDGE_HEARD_MESSAGE, (uint32_t)heard.lost);
    switch (heard.kind) {
    case IOTEDGE_HEARD_MESSAGE:
        message(reader, &heard, text);
        break;
    case IOTEDGE_HEARD_GRANTED:
        reader->granted++;
        reader->revoked_now = 0;
        break;
    case IOTEDGE_HEARD_REKEYED:
        if (reader->revoked_now) { /* Another part of a long revoke was heard first. */
            reader->revoked_now = 0;
            reader->revoked--;
        }
        break;
    case IOTEDGE_HEARD_REVOKED:
        reader->revoked += !reader->revoked_now; /* Who is cut off hears the revokes of others as its own. */
        reader->revoked_now = 1;
        reader->next_ask = clock_now() + ASK_EVERY;
        break;
    default:
        break;
    }
}

void channel_reader_close(device_t *device)
{
    if (device->reader.subscriber != NULL) {
        (void)iotedge_subscriber_deinit(device->reader.subscriber);
        device->reader.subscriber = NULL;
    }
}
