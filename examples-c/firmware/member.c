/*
 * A full member with a window of 128 transactions: it publishes readings, pays who publishes, follows what it is paid up to the receipt, and checks each receipt once more as any
 * stranger would, from its bytes. Where it is told so it sells readings that it seals (stream.h).
 */
#include "board.h"
#include "line.h"
#include "provision.h"
#include "say.h"
#include "store.h"
#include "stream.h"

#include <iotedge.h>
#include <string.h>

/* As in docs/decisions/0021: what a device with few neighbours needs. */
enum { WINDOW = 128, MEMBERS = 16, PEERS = 4, ASIDE = 4, OUTBOX = 4, OWN = 16, RAW = 5600, RECORDS = 8, TRACKED = 8, WANTS = 8, HEADERS = 1, QUEUE = 16 };
static uint64_t memory[IOTEDGE_NODE_SIZE_LEAN(WINDOW, MEMBERS, PEERS, ASIDE, OUTBOX, OWN, RAW, RECORDS, TRACKED, WANTS, HEADERS, 8, QUEUE) / 8];
static uint8_t buffer[IOTEDGE_MAX_RECEIPT]; /* A receipt, or a frame on its way out. */
static iotedge_node_t *node;
static provision_t given;
static uint64_t paid_at;

static int start(void)
{
    static iotedge_platform_t platform;
    iotedge_limits_t limits;
    iotedge_config_t config;
    int32_t status;
    if (provision_read(&given, board_provisioned) != 0) {
        say("error: no identity was written into this board");
        return -1;
    }
    if (store_open(&platform) != 0 || line_open() != 0) {
        say("error: the store or the line does not open");
        return -1;
    }
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.window = WINDOW;
    limits.members = MEMBERS;
    limits.peers = PEERS;
    limits.aside = ASIDE;
    limits.outbox = OUTBOX;
    limits.own = OWN;
    limits.raw = RAW;
    limits.records = RECORDS;
    limits.tracked = TRACKED;
    limits.wants = WANTS;
    limits.headers = HEADERS;
    limits.buckets = 8;
    limits.queue = QUEUE;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.role = IOTEDGE_ROLE_MEMBER;
    config.clock = IOTEDGE_CLOCK_NEIGHBOURS;
    config.authority = &given.authority;
    config.seed = given.seed;
    config.certificate = given.certificate;
    config.certificate_len = given.certificate_len;
    config.issuer = given.issuer;
    config.issuer_len = given.issuer_len;
    status = iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node);
    for (uint32_t peer = 0; status == IOTEDGE_OK && peer < given.neighbours; peer++) {
        status = iotedge_node_add_peer(node, board_millis(), peer, peer == 0);
    }
    if (status != IOTEDGE_OK) {
        say_name("error:", iotedge_status_name(status));
        return -1;
    }
    stream_open(&platform, given.channel, given.price);
    return 0;
}

static void publish(uint64_t now)
{
    iotedge_reading_t reading;
    uint8_t pack[IOTEDGE_MAX_BODY];
    size_t len = 0;
    uint32_t ticket = 0;
    memset(&reading, 0, sizeof reading);
    reading.size = (uint32_t)sizeof reading;
    memcpy(reading.name, "board/up", 9);
    memcpy(reading.unit, "s", 2);
    reading.mantissa = (int64_t)(now / 1000);
    if (iotedge_reading_encode(NULL, &reading, 1, pack, sizeof pack, &len) == IOTEDGE_OK) {
        /* Refused while it is no member yet, or has no place: the next will do. */
        (void)iotedge_node_submit_data(node, now, 0, pack, len, &ticket);
    }
    if (!stream_wants()) {
        return;
    }
    /* What a buyer alone may know. */
    memset(&reading, 0, sizeof reading);
    reading.size = (uint32_t)sizeof reading;
    memcpy(reading.name, "board/ms", 9);
    memcpy(reading.unit, "ms", 3);
    reading.mantissa = (int64_t)now;
    if (iotedge_reading_encode(NULL, &reading, 1, pack, sizeof pack, &len) == IOTEDGE_OK) {
        (void)stream_publish(node, now, pack, len);
    }
}

/* Pays whose reading came in, not more often than it speaks itself. */
static void pay(const iotedge_event_t *event)
{
    uint64_t now = board_millis();
    uint32_t ticket;
    if (given.pay == 0 || event->code != 0 || now - paid_at < 4 * (uint64_t)given.every) {
        return;
    }
    if (iotedge_node_submit_transfer(node, now, 0, event->member, given.pay, &ticket) == IOTEDGE_OK) {
        paid_at = now;
        say_number("pays member", event->member);
    }
}

static void check(const iotedge_event_t *event)
{
    static uint8_t set[IOTEDGE_MAX_SET];
    iotedge_node_status_t status;
    iotedge_settled_t proof;
    size_t len, set_len;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    if (iotedge_node_status(node, board_millis(), &status) == IOTEDGE_OK &&
        iotedge_node_receipt(node, event->id, buffer, sizeof buffer, &len) == IOTEDGE_OK &&
        iotedge_node_validators(node, status.time, set, sizeof set, &set_len) == IOTEDGE_OK &&
        iotedge_receipt_verify(status.neighbourhood, set, set_len, buffer, len, &proof) == IOTEDGE_OK &&
        memcmp(proof.id, event->id, 32) == 0) {
        say_number("receipt", proof.header);
    } else {
        say("error: a receipt is wrong");
    }
}

static void act(const iotedge_event_t *event)
{
    switch (event->kind) {
    case IOTEDGE_EVENT_ENROL_ACCEPTED:
        say("accepted");
        break;
    case IOTEDGE_EVENT_ENROL_REFUSED:
        say_number("refused", event->code);
        break;
    case IOTEDGE_EVENT_MEMBER:
        say_number("member", event->member);
        break;
    case IOTEDGE_EVENT_DATA:
        pay(event);
        break;
    case IOTEDGE_EVENT_RECEIVED:
        say_number("paid", event->amount);
        break;
    case IOTEDGE_EVENT_SENT:
        say("sent");
        break;
    case IOTEDGE_EVENT_GRADED:
        if (event->code == IOTEDGE_GRADE_DEAD) {
            say("dead");
        }
        break;
    case IOTEDGE_EVENT_RECEIPT:
        check(event);
        break;
    case IOTEDGE_EVENT_REJECTED:
        say_name("rejected", iotedge_status_name((int32_t)event->code));
        break;
    case IOTEDGE_EVENT_RECOVERED:
        say("recovered");
        break;
    case IOTEDGE_EVENT_PLATFORM_FAILED:
        say("error: the platform failed");
        break;
    default:
        break;
    }
}

/* All that the node has to tell and to send. */
static void pump(void)
{
    iotedge_event_t event;
    uint32_t peer;
    size_t len;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    while (iotedge_node_next_event(node, &event) == IOTEDGE_OK) {
        act(&event);
        stream_heard(node, &event);
    }
    stream_turn(node, board_millis());
    while (iotedge_node_next_frame(node, board_millis(), &peer, buffer, sizeof buffer, &len) == IOTEDGE_OK) {
        line_send(peer, buffer, len);
    }
}

int main(void)
{
    uint64_t next = 0;
    board_init();
    if (start() != 0) {
        for (;;) {
            board_sleep();
        }
    }
    say(""); /* A reset may have cut off what was being said. */
    say("up");
    for (;;) {
        uint64_t due = board_millis() + 1000;
        const uint8_t *frame;
        uint32_t peer;
        size_t len;
        while (line_receive(&peer, &frame, &len)) {
            if (!stream_took(frame, len)) {
                (void)iotedge_node_receive(node, board_millis(), peer, frame, len);
            }
            pump(); /* Before the next one, so that no event is lost in a small queue. */
        }
        if (board_millis() >= next) {
            next = board_millis() + given.every;
            publish(board_millis());
        }
        pump();
        (void)iotedge_node_next_deadline(node, board_millis(), &due);
        due = due < next ? due : next;
        if (due > board_millis()) {
            board_sleep();
        }
    }
}
