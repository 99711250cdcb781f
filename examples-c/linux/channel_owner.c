/* The owner of a channel: seals its readings, grants them to who asked and paid a unit, and revokes who pays no more. */
#include "device.h"

#include <string.h>

/* How long the stream waits for a tick that is under way, in milliseconds. A reader that stops holds the others up for as long, once for each deposit that it locks. */
enum { PATIENCE = 3000 };

static customer_t *customer(channel_owner_t *channel, uint32_t member)
{
    customer_t *room = NULL;
    for (int i = 0; i < CHANNEL_CUSTOMERS; i++) {
        customer_t *one = &channel->customers[i];
        if (one->used && one->member == member) {
            return one;
        }
        if (!one->used && room == NULL) {
            room = one;
        }
    }
    if (room != NULL) {
        memset(room, 0, sizeof *room);
        room->used = 1;
        room->member = member;
    }
    return room;
}

/* The channel is bound to the neighbourhood: it opens once that is known. */
static int open_channel(device_t *device, const iotedge_node_status_t *status)
{
    channel_owner_t *channel = &device->channel;
    iotedge_platform_t platform = platform_of(&device->store);
    iotedge_channel_config_t config;
    uint32_t member;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.mode = IOTEDGE_CHANNEL_PRIVATE;
    config.channel = channel->number;
    memcpy(config.neighbourhood, status->neighbourhood, sizeof config.neighbourhood);
    memcpy(config.device, status->device, sizeof config.device);
    config.store_key = CHANNEL_KEY;
    config.batch = CHANNEL_BATCH;
    config.readers = CHANNEL_READERS;
    if (iotedge_channel_owner_init(channel->memory, sizeof channel->memory, &config, &platform, status->number, &channel->owner) != IOTEDGE_OK) {
        return -1;
    }
    /* Who could read before a reset can read still. */
    for (uint32_t i = 0; iotedge_channel_owner_reader(channel->owner, i, &member) == IOTEDGE_OK; i++) {
        customer_t *one = customer(channel, member);
        if (one != NULL) {
            one->granted = 1;
        }
    }
    return 0;
}

/* What is due goes into the node's outbox, as far as that has room. 1 where nothing is due any more. */
static int say_what_is_due(device_t *device, uint32_t newest)
{
    channel_owner_t *channel = &device->channel;
    uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
    size_t len = 0;
    uint32_t ticket;
    for (;;) {
        int32_t status = iotedge_channel_owner_next_op(channel->owner, newest, op, sizeof op, &len);
        if (status == IOTEDGE_E_CHANNEL_WEAK_KEY) {
            continue; /* Who asked with such a key gets nothing. */
        }
        if (status != IOTEDGE_OK) {
            return status == IOTEDGE_E_NONE;
        }
        if (iotedge_node_submit_channel(device->node, clock_now(), 0, op, len, &ticket) != IOTEDGE_OK ||
            iotedge_channel_owner_taken(channel->owner) != IOTEDGE_OK) {
            return 0; /* Later: it stays due. */
        }
    }
}

static void serve(device_t *device, uint32_t newest)
{
    channel_owner_t *channel = &device->channel;
    uint8_t id[32];
    for (int i = 0; i < CHANNEL_CUSTOMERS; i++) {
        customer_t *one = &channel->customers[i];
        if (!one->used || !say_what_is_due(device, newest)) {
            continue;
        }
        if (one->lapsed) {
            int32_t status = iotedge_channel_owner_revoke(channel->owner, newest, one->member);
            if (status == IOTEDGE_OK || status == IOTEDGE_E_CHANNEL_READER) {
                one->lapsed = one->granted = one->asked = 0; /* It asks again, or not. */
                channel->revoked++;
            }
        } else if (one->asked && meter_units(device, one->member) > 0 &&
                   iotedge_node_member_device(device->node, one->member, id) == IOTEDGE_OK &&
                   iotedge_channel_owner_grant(channel->owner, one->member, id, one->key) == IOTEDGE_OK) {
            one->granted = 1;
            one->asked = 0;
            channel->granted++;
        }
        (void)say_what_is_due(device, newest);
    }
}

void channel_owner_tick(device_t *device)
{
    channel_owner_t *channel = &device->channel;
    iotedge_node_status_t status;
    if (!channel->wanted || device_status(device, &status) != 0 || status.phase != IOTEDGE_PHASE_ACTIVE) {
        return;
    }
    if (channel->owner == NULL && open_channel(device, &status) != 0) {
        return;
    }
    meter_sell(device, &status);
    (void)say_what_is_due(device, status.number);
    serve(device, status.number);
}

void channel_owner_asked(device_t *device, uint32_t member, const iotedge_channel_op_t *told)
{
    channel_owner_t *channel = &device->channel;
    iotedge_node_status_t status;
    customer_t *one;
    if (!channel->wanted || told->channel != channel->number || told->sub_channel != 0 || device_status(device, &status) != 0 ||
        told->member != status.member) {
        return;
    }
    one = customer(channel, member);
    if (one == NULL) {
        return;
    }
    if (!one->granted || memcmp(one->key, told->bytes, sizeof one->key) != 0) {
        one->asked = 1; /* With another key: it lost what it was granted. It still reads, and pays, until it is revoked. */
    }
    memcpy(one->key, told->bytes, sizeof one->key);
}

int channel_owner_waits(device_t *device)
{
    channel_owner_t *channel = &device->channel;
    iotedge_node_status_t status;
    uint64_t now = clock_now();
    if (!channel->wanted) {
        return 0;
    }
    if (channel->owner == NULL || device_status(device, &status) != 0) {
        return 1; /* What is sold is not said openly before the channel is there. */
    }
    for (int i = 0; i < CHANNEL_CUSTOMERS; i++) {
        customer_t *one = &channel->customers[i];
        if (!one->used || !one->granted || meter_units(device, one->member) > 0) {
            one->since = 0;
            continue;
        }
        /* Who has not got what it paid for cannot know that more is due. */
        if (one->since == 0 || status.outbox > 0) {
            one->since = now;
        }
        if (!meter_open(device, one->member) || now >= one->since + PATIENCE) {
            meter_end(device, one->member);
            one->lapsed = 1;
        }
    }
    channel_owner_tick(device);
    for (int i = 0; i < CHANNEL_CUSTOMERS; i++) {
        const customer_t *one = &channel->customers[i];
        if (one->used && one->granted && meter_units(device, one->member) == 0) {
            return 1;
        }
    }
    return 0;
}

int channel_owner_publish(device_t *device, const uint8_t *pack, size_t len, uint32_t *ticket)
{
    channel_owner_t *channel = &device->channel;
    iotedge_node_status_t status;
    iotedge_channel_published_t published;
    uint8_t sealed[IOTEDGE_CHANNEL_MAX_MESSAGE], op[IOTEDGE_CHANNEL_MAX_OP];
    size_t sealed_len = 0, op_len = 0;
    memset(&published, 0, sizeof published);
    published.size = (uint32_t)sizeof published;
    if (channel->owner == NULL || device_status(device, &status) != 0) {
        return -1;
    }
    /* The transaction's signature is the message's. */
    if (iotedge_channel_owner_publish(channel->owner, status.number, IOTEDGE_CHANNEL_SIGNED, pack, len, sealed, sizeof sealed, &sealed_len,
                                      &published) != IOTEDGE_OK ||
        iotedge_channel_message_op(channel->number, 0, sealed, sealed_len, op, sizeof op, &op_len) != IOTEDGE_OK ||
        iotedge_node_submit_channel(device->node, clock_now(), 0, op, op_len, ticket) != IOTEDGE_OK) {
        channel->refused++;
        return -1;
    }
    channel->published++;
    for (int i = 0; i < CHANNEL_CUSTOMERS; i++) {
        customer_t *one = &channel->customers[i];
        if (one->used && one->granted) {
            meter_deliver(device, one->member);
        }
    }
    channel_owner_tick(device);
    return 0;
}

void channel_owner_close(device_t *device)
{
    if (device->channel.owner != NULL) {
        (void)iotedge_channel_owner_deinit(device->channel.owner);
        device->channel.owner = NULL;
    }
}
