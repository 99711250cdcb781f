/*
 * A sensor without a window (a leaf): it says how long it has been up, pays a little for being heard, and knows when both are settled. All that it holds is
 * IOTEDGE_LEAF_SIZE bytes, one frame, and the store in flash; it believes none of its neighbours alone, and has no clock of its own.
 */
#include "board.h"
#include "line.h"
#include "provision.h"
#include "say.h"
#include "store.h"

#include <iotedge.h>
#include <string.h>

static uint64_t memory[IOTEDGE_LEAF_SIZE / 8];
static iotedge_leaf_t *leaf;
static provision_t given;
static uint32_t turn;
static uint64_t credits = UINT64_MAX; /* Not asked yet: what it was paid before a reset is not told again. */

static int start(void)
{
    static iotedge_platform_t platform; /* Its callbacks are called as long as the leaf lives. */
    iotedge_leaf_config_t config;
    int32_t status;
    if (provision_read(&given, board_provisioned) != 0) {
        say("error: no identity was written into this board");
        return -1;
    }
    if (store_open(&platform) != 0 || line_open() != 0) {
        say("error: the store or the line does not open");
        return -1;
    }
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.clock = IOTEDGE_CLOCK_NEIGHBOURS;
    config.authority = &given.authority;
    config.seed = given.seed;
    config.certificate = given.certificate;
    config.certificate_len = given.certificate_len;
    config.issuer = given.issuer;
    config.issuer_len = given.issuer_len;
    status = iotedge_leaf_init(memory, sizeof memory, &config, &platform, &leaf);
    for (uint32_t peer = 0; status == IOTEDGE_OK && peer < given.neighbours; peer++) {
        status = iotedge_leaf_add_peer(leaf, peer, peer == 0);
    }
    if (status != IOTEDGE_OK) {
        say_name("error:", iotedge_status_name(status));
        return -1;
    }
    return 0;
}

/* What is submitted goes into the store; it is signed and sent when the neighbours agree on what it stands on. */
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
        /* IOTEDGE_E_BUSY: the one before still waits; the next will do. */
        (void)iotedge_leaf_submit_data(leaf, now, pack, len, &ticket);
    }
}

/* Every fourth time it pays instead: the members in turn, as far as it knows none of them by name. */
static void speak(uint64_t now)
{
    iotedge_leaf_status_t status;
    uint32_t ticket;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    if (iotedge_leaf_status(leaf, &status) != IOTEDGE_OK || status.member == UINT32_MAX) {
        return;
    }
    if (status.credits > credits) {
        say_number("paid", status.credits - credits);
    }
    credits = status.credits;
    if (given.pay > 0 && ++turn % 4 == 0) {
        uint32_t to = turn / 4 % 2 == status.member ? 2 : turn / 4 % 2;
        if (iotedge_leaf_submit_transfer(leaf, now, to, given.pay, &ticket) == IOTEDGE_OK) {
            say_number("pays member", to);
            return;
        }
    }
    publish(now);
}

static void tell(const iotedge_event_t *event)
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
    case IOTEDGE_EVENT_SENT:
        say_number("sent", event->code);
        break;
    case IOTEDGE_EVENT_GRADED:
        /* A leaf says settled when it has checked the header's votes and the path that leads to its own transaction or record. */
        say(event->code == IOTEDGE_GRADE_SETTLED ? "receipt" : event->code == IOTEDGE_GRADE_DEAD ? "dead" : "witnessed");
        break;
    case IOTEDGE_EVENT_REJECTED:
        say_name("rejected", iotedge_status_name((int32_t)event->code));
        break;
    case IOTEDGE_EVENT_HEAD_SUSPECTED:
        say_number("suspects neighbour", event->code);
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
        uint64_t now = board_millis(), due = now + 1000;
        const uint8_t *frame;
        iotedge_event_t event;
        uint32_t peer;
        size_t len;
        while (line_receive(&peer, &frame, &len)) {
            (void)iotedge_leaf_receive(leaf, board_millis(), peer, frame, len); /* What is refused needs no action. */
        }
        now = board_millis();
        if (now >= next) {
            next = now + given.every;
            speak(now);
        }
        memset(&event, 0, sizeof event);
        event.size = (uint32_t)sizeof event;
        while (iotedge_leaf_next_event(leaf, &event) == IOTEDGE_OK) {
            tell(&event);
        }
        while (iotedge_leaf_next_frame(leaf, board_millis(), &peer, &frame, &len) == IOTEDGE_OK) {
            line_send(peer, frame, len);
        }
        (void)iotedge_leaf_next_deadline(leaf, &due);
        due = due < next ? due : next;
        if (due > board_millis()) {
            board_sleep();
        }
    }
}
