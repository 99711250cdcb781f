/* Between the library and the world: frames out, events in, readings and purchases. */
#include "device.h"

#include "sensors.h"

#include <string.h>

uint64_t device_time(const device_t *device)
{
    return (uint64_t)((int64_t)clock_now() + device->offset);
}

int device_status(const device_t *device, iotedge_node_status_t *status)
{
    memset(status, 0, sizeof *status);
    status->size = (uint32_t)sizeof *status;
    return iotedge_node_status(device->node, clock_now(), status) == IOTEDGE_OK ? 0 : -1;
}

/* Pays the member whose reading came in: one purchase per member and round, and not more often than told. */
static void buy(device_t *device, const iotedge_event_t *event)
{
    const options_t *options = &device->options;
    uint64_t now = clock_now();
    uint64_t round = options->trade_every * 4;
    uint32_t ticket;
    int32_t status;
    entry_t *entry;
    if (options->trade == 0 || event->code != 0 || event->member >= DEVICE_MAX_MEMBERS ||
        now - device->last_purchase < options->trade_every ||
        (device->paid[event->member] != 0 && now - device->paid[event->member] < round)) {
        return;
    }
    device->last_purchase = now;
    status = iotedge_node_submit_transfer(device->node, now, device_time(device) + 60000, event->member, options->trade, &ticket);
    if (status != IOTEDGE_OK) {
        device->submissions_refused++; /* Not a member yet, or the caps say that it has spent enough for now. */
        return;
    }
    device->paid[event->member] = now;
    entry = book_add(&device->book, ticket, BOOK_PAYMENT, device_time(device));
    if (entry != NULL) {
        entry->to = event->member;
        entry->amount = options->trade;
    }
}

/* Takes value out, once there is enough. What a deposit brings is there from the epoch after on. */
void device_exit(device_t *device)
{
    uint64_t now = clock_now();
    uint32_t ticket;
    entry_t *entry;
    iotedge_node_status_t status;
    if (device->options.exit == 0 || device->exited || now < device->next_exit) {
        return;
    }
    device->next_exit = now + 1000;
    /* It would be taken, and refused when its turn comes. */
    if (device_status(device, &status) != 0 || status.credits - status.debits < device->options.exit) {
        return;
    }
    if (iotedge_node_submit_exit(device->node, now, device_time(device) + 600000, device->options.exit, device->options.exit_to, &ticket) != IOTEDGE_OK) {
        return; /* Not a member yet, or not enough: asked again. */
    }
    device->exited = 1;
    entry = book_add(&device->book, ticket, BOOK_EXIT, device_time(device));
    if (entry != NULL) {
        entry->amount = device->options.exit;
    }
}

static void reading_heard(device_t *device, const iotedge_event_t *event)
{
    uint8_t body[IOTEDGE_MAX_BODY];
    size_t len;
    iotedge_reading_t reading;
    memset(&reading, 0, sizeof reading);
    reading.size = (uint32_t)sizeof reading;
    device->readings_heard++;
    if (iotedge_node_body(device->node, event->id, body, sizeof body, &len) != IOTEDGE_OK ||
        iotedge_reading_decode(body, len, 0, &reading) != IOTEDGE_OK) {
        device->readings_unreadable++;
    }
    buy(device, event);
}

/* What somebody said of a channel: for the owner or the reader here, or for others. */
static void channel_heard(device_t *device, const iotedge_event_t *event)
{
    uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
    size_t len;
    iotedge_channel_op_t told;
    memset(&told, 0, sizeof told);
    told.size = (uint32_t)sizeof told;
    if (iotedge_node_body(device->node, event->id, op, sizeof op, &len) != IOTEDGE_OK ||
        iotedge_channel_op_read(op, len, &told) != IOTEDGE_OK) {
        return;
    }
    if (told.op == IOTEDGE_CHANNEL_OP_SUBSCRIBE) {
        channel_owner_asked(device, event->member, &told);
    }
    channel_reader_heard(device, event->member, &told, op, len);
}

static void handle(device_t *device, const iotedge_event_t *event)
{
    switch (event->kind) {
    case IOTEDGE_EVENT_CHANNEL:
        channel_heard(device, event);
        break;
    case IOTEDGE_EVENT_DATA:
        reading_heard(device, event);
        break;
    case IOTEDGE_EVENT_RECEIVED:
        device->payments_received++;
        device->value_received += event->amount;
        break;
    case IOTEDGE_EVENT_LOCKED:
        meter_offered(device, event);
        break;
    case IOTEDGE_EVENT_CLAIMED:
        meter_claimed(device, event);
        break;
    case IOTEDGE_EVENT_SENT:
    case IOTEDGE_EVENT_REISSUED:
    case IOTEDGE_EVENT_EXPIRED:
    case IOTEDGE_EVENT_REJECTED:
    case IOTEDGE_EVENT_GRADED:
    case IOTEDGE_EVENT_RECEIPT:
        own_event(device, event);
        break;
    case IOTEDGE_EVENT_SIGNATURE_NEEDED:
        element_ask(&device->element, device->node, clock_now());
        break;
    case IOTEDGE_EVENT_EQUIVOCATION:
        device->equivocations++;
        break;
    case IOTEDGE_EVENT_FROZEN:
        if (device->frozen < sizeof device->frozen_members / sizeof device->frozen_members[0]) {
            device->frozen_members[device->frozen] = event->member;
        }
        device->frozen++;
        break;
    case IOTEDGE_EVENT_RECOVERING:
        device->recoveries++;
        break;
    case IOTEDGE_EVENT_SILENCE:
        device->silences++;
        break;
    case IOTEDGE_EVENT_LOST:
        device->lost_events += event->code;
        break;
    default:
        break;
    }
}

/* Everything that the node has to say and to send. */
void device_pump(device_t *device)
{
    uint8_t frame[IOTEDGE_MAX_FRAME];
    size_t len;
    uint32_t peer;
    iotedge_event_t event;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    do {
        while (iotedge_node_next_event(device->node, &event) == IOTEDGE_OK) {
            handle(device, &event);
        }
        while (iotedge_node_next_frame(device->node, clock_now(), &peer, frame, sizeof frame, &len) == IOTEDGE_OK) {
            if (device->line.port != NULL && peer == LINE_PEER) {
                line_send(&device->line, clock_now(), frame, len);
            } else {
                udp_send(&device->udp, clock_now(), peer, frame, len);
            }
        }
        /* Sending may have made events: a submission's turn came. */
    } while (iotedge_node_next_event(device->node, &event) == IOTEDGE_OK && (handle(device, &event), 1));
}

/* What devices say to each other is the application's: 1 where it was that. A node's first frames come before it knows its neighbourhood, and are its own. */
static int said(device_t *device, const uint8_t *frame, size_t len)
{
    iotedge_node_status_t status;
    const uint8_t *bytes;
    size_t bytes_len;
    uint32_t what;
    if (device_status(device, &status) != 0 ||
        iotedge_frame_said(status.neighbourhood, frame, len, &what, &bytes, &bytes_len) != IOTEDGE_OK) {
        return 0;
    }
    if (what == IOTEDGE_SAID_TICK) {
        meter_took(device, bytes, bytes_len);
    }
    return 1;
}

void device_receive(device_t *device)
{
    uint8_t frame[2048];
    const uint8_t *came;
    size_t len;
    uint32_t peer;
    /* Not without end: a flood must not keep this device from sending. */
    for (int i = 0; i < 64 && line_receive(&device->line, clock_now(), &came, &len); i++) {
        (void)iotedge_node_receive(device->node, clock_now(), LINE_PEER, came, len);
        device_pump(device);
    }
    for (int i = 0; i < 64 && udp_receive(&device->udp, &peer, frame, sizeof frame, &len); i++) {
        if (!said(device, frame, len)) {
            /* A refusal is counted by the node and needs no action. */
            (void)iotedge_node_receive(device->node, clock_now(), peer, frame, len);
        }
        device_pump(device);
    }
}

/* One reading of the next sensor that this machine has. */
void device_publish(device_t *device)
{
    iotedge_reading_t reading;
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len;
    uint32_t ticket;
    if (channel_owner_waits(device)) {
        return;
    }
    for (unsigned tries = 0; tries < SENSOR_COUNT; tries++) {
        unsigned sensor = device->next_sensor++ % SENSOR_COUNT;
        if (sensor_read(sensor, &reading) != 0) {
            device->absent |= 1u << sensor;
            continue;
        }
        if (iotedge_reading_encode(NULL, &reading, 1, pack, sizeof pack, &len) != IOTEDGE_OK ||
            (device->channel.wanted ? channel_owner_publish(device, pack, len, &ticket) != 0
                                           : iotedge_node_submit_data(device->node, clock_now(), 0, pack, len, &ticket) != IOTEDGE_OK)) {
            device->submissions_refused++;
            return;
        }
        (void)book_add(&device->book, ticket, BOOK_READING, device_time(device));
        return;
    }
}
