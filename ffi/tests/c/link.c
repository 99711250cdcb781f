/* Every function of a link: two of them over a radio that loses packets, and what each does when it is misused. */
#include "device.h"

enum { OUTGOING = 2, INCOMING = 2, FRAME = 1400, MTU = 51 };
#define WORDS (IOTEDGE_LINK_SIZE(PEERS, OUTGOING, INCOMING, FRAME) / 8)

static uint64_t memory_a[WORDS];
static uint64_t memory_b[WORDS];
static uint64_t copy[WORDS];
static uint64_t node_memory[NODE_BYTES / 8];
static iotedge_link_limits_t limits;
static iotedge_link_config_t config;
static uint8_t frame[IOTEDGE_MAX_FRAME];
static uint8_t came[IOTEDGE_MAX_FRAME];

static void fresh(void)
{
    memset(memory_a, 0, sizeof memory_a);
    memset(memory_b, 0, sizeof memory_b);
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.peers = PEERS;
    limits.outgoing = OUTGOING;
    limits.incoming = INCOMING;
    limits.per_peer = 1;
    limits.frame = FRAME;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.mtu = MTU;
    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] = (uint8_t)(i * 7 + 3);
    }
}

static iotedge_link_t *start(uint64_t *memory)
{
    iotedge_link_t *link = NULL;
    STATUS(IOTEDGE_OK, iotedge_link_init(memory, sizeof memory_a, &limits, &config, &link));
    return link;
}

static void sizes(void)
{
    iotedge_link_limits_t usual;
    size_t bytes = 7;
    fresh();
    memset(&usual, 0, sizeof usual);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_link_limits_default(&usual));
    STATUS(IOTEDGE_E_NULL, iotedge_link_limits_default(NULL));
    usual.size = (uint32_t)sizeof usual;
    STATUS(IOTEDGE_OK, iotedge_link_limits_default(&usual));
    CHECK(usual.frame == IOTEDGE_MAX_FRAME && usual.size == sizeof usual);
    STATUS(IOTEDGE_OK, iotedge_link_size(&usual, &bytes));
    CHECK(bytes > 14000 && bytes <= IOTEDGE_LINK_SIZE(usual.peers, usual.outgoing, usual.incoming, usual.frame));
    bytes = 7;
    STATUS(IOTEDGE_E_NULL, iotedge_link_size(NULL, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_link_size(&usual, NULL));
    usual.frame = IOTEDGE_MAX_FRAME + 1;
    STATUS(IOTEDGE_E_LIMITS, iotedge_link_size(&usual, &bytes));
    usual.frame = IOTEDGE_MAX_FRAME;
    usual.incoming = 0;
    STATUS(IOTEDGE_E_LIMITS, iotedge_link_size(&usual, &bytes));
    usual.incoming = 70000;
    STATUS(IOTEDGE_E_LIMITS, iotedge_link_size(&usual, &bytes));
    usual.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_link_size(&usual, &bytes));
    CHECK(bytes == 7);
}

static void beginnings(void)
{
    iotedge_link_t *link = NULL;
    fresh();
    STATUS(IOTEDGE_E_NULL, iotedge_link_init(NULL, sizeof memory_a, &limits, &config, &link));
    STATUS(IOTEDGE_E_NULL, iotedge_link_init(memory_a, sizeof memory_a, NULL, &config, &link));
    STATUS(IOTEDGE_E_NULL, iotedge_link_init(memory_a, sizeof memory_a, &limits, NULL, &link));
    STATUS(IOTEDGE_E_NULL, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_link_init(memory_a, 64, &limits, &config, &link));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_link_init((uint8_t *)memory_a + 4, sizeof memory_a - 8, &limits, &config, &link));
    config.mtu = 45;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.mtu = 70000;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.mtu = MTU;
    config.whole_only = 2;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.whole_only = 0;
    config.no_repair = 2;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.no_repair = 0;
    config.repair_rounds = 256;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.repair_rounds = 0;
    config.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    config.size = (uint32_t)sizeof config;
    CHECK(link == NULL);
    STATUS(IOTEDGE_OK, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_link_init(memory_a, sizeof memory_a, &limits, &config, &link));
    /* A copy is no link, and neither is a link a node. */
    memcpy(copy, memory_a, sizeof copy);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_link_add_peer((iotedge_link_t *)(void *)copy, 1));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_remove_peer((iotedge_node_t *)(void *)link, 1));
    STATUS(IOTEDGE_OK, iotedge_link_deinit(link));
    for (size_t i = 0; i < WORDS; i++) {
        if (memory_a[i] != 0) {
            CHECK(memory_a[i] == 0);
        }
    }
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_link_deinit(link));
    STATUS(IOTEDGE_E_NULL, iotedge_link_deinit(NULL));
}

/* Sends what a link has to the other one, but for every `lose`th packet; gives the length of the frame that came. */
static size_t carry(iotedge_link_t *from, iotedge_link_t *to, uint32_t sender, uint64_t now, unsigned lose)
{
    static unsigned count;
    uint8_t packet[MTU];
    size_t len = 0, got = 0;
    uint32_t peer = 0;
    while (iotedge_link_next_packet(from, now, &peer, packet, sizeof packet, &len) == IOTEDGE_OK) {
        size_t n = 0;
        CHECK(len <= MTU && len > 0);
        if (lose != 0 && ++count % lose == 0) {
            continue;
        }
        if (iotedge_link_receive(to, now, sender, packet, len, NULL, came, sizeof came, &n) == IOTEDGE_OK) {
            got = n;
        }
    }
    return got;
}

static void frames(void)
{
    iotedge_link_t *a, *b;
    iotedge_link_counters_t counters;
    uint64_t deadline = 0;
    uint32_t room = 9;
    size_t got = 0;
    fresh();
    a = start(memory_a);
    b = start(memory_b);
    STATUS(IOTEDGE_OK, iotedge_link_add_peer(a, 2));
    STATUS(IOTEDGE_OK, iotedge_link_add_peer(b, 1));
    STATUS(IOTEDGE_OK, iotedge_link_next_deadline(a, 5, &deadline));
    CHECK(deadline == UINT64_MAX);
    STATUS(IOTEDGE_OK, iotedge_link_send(a, 0, 2, frame, 148, NULL));
    STATUS(IOTEDGE_OK, iotedge_link_next_deadline(a, 5, &deadline));
    CHECK(deadline == 5);
    CHECK(carry(a, b, 1, 0, 0) == 148 && memcmp(came, frame, 148) == 0);
    /* Every fifth packet is lost; what is missing is asked for. */
    STATUS(IOTEDGE_OK, iotedge_link_send(a, 10, 2, frame, sizeof frame, NULL));
    for (uint64_t now = 10; now < 4000 && got == 0; now += 50) {
        got = carry(a, b, 1, now, 5);
        if (got == 0) {
            carry(b, a, 2, now, 0);
        }
    }
    CHECK(got == sizeof frame && memcmp(came, frame, sizeof frame) == 0);
    memset(&counters, 0, sizeof counters);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_link_counters(b, &counters));
    counters.size = (uint32_t)sizeof counters;
    STATUS(IOTEDGE_OK, iotedge_link_counters(b, &counters));
    CHECK(counters.frames_in == 2 && counters.repairs_out > 0 && counters.size == sizeof counters);
    STATUS(IOTEDGE_E_NULL, iotedge_link_counters(b, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_link_counters(NULL, &counters));
    /* Two places: both taken, then free again. */
    STATUS(IOTEDGE_OK, iotedge_link_send(a, 5000, 2, frame, 300, NULL));
    STATUS(IOTEDGE_OK, iotedge_link_send(a, 5000, 2, frame, 300, NULL));
    STATUS(IOTEDGE_OK, iotedge_link_has_room(a, &room));
    CHECK(room == 0);
    STATUS(IOTEDGE_E_BUSY, iotedge_link_send(a, 5000, 2, frame, 300, NULL));
    STATUS(IOTEDGE_OK, iotedge_link_remove_peer(a, 2));
    STATUS(IOTEDGE_OK, iotedge_link_remove_peer(a, 2));
    STATUS(IOTEDGE_OK, iotedge_link_has_room(a, &room));
    CHECK(room == 1);
    STATUS(IOTEDGE_E_UNKNOWN_PEER, iotedge_link_send(a, 5000, 2, frame, 300, NULL));
    STATUS(IOTEDGE_OK, iotedge_link_deinit(a));
    STATUS(IOTEDGE_OK, iotedge_link_deinit(b));
}

static void misuse(void)
{
    iotedge_link_t *a;
    uint8_t packet[MTU] = {0};
    uint64_t deadline = 3;
    uint32_t peer = 3, room = 3;
    size_t len = 3;
    fresh();
    a = start(memory_a);
    for (uint32_t i = 0; i < PEERS; i++) {
        STATUS(IOTEDGE_OK, iotedge_link_add_peer(a, i));
    }
    STATUS(IOTEDGE_OK, iotedge_link_add_peer(a, 0));
    STATUS(IOTEDGE_E_BUSY, iotedge_link_add_peer(a, 9));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_add_peer(a, 65536));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_remove_peer(a, 65536));
    STATUS(IOTEDGE_E_NULL, iotedge_link_add_peer(NULL, 1));
    STATUS(IOTEDGE_E_NULL, iotedge_link_remove_peer(NULL, 1));
    STATUS(IOTEDGE_E_NULL, iotedge_link_has_room(NULL, &room));
    STATUS(IOTEDGE_E_NULL, iotedge_link_has_room(a, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_link_next_deadline(NULL, 0, &deadline));
    STATUS(IOTEDGE_E_NULL, iotedge_link_next_deadline(a, 0, NULL));

    STATUS(IOTEDGE_E_NULL, iotedge_link_send(NULL, 0, 1, frame, 10, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_link_send(a, 0, 1, NULL, 10, NULL));
    STATUS(IOTEDGE_E_LENGTH, iotedge_link_send(a, 0, 1, NULL, 0, NULL));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_send(a, 0, 65536, frame, 10, NULL));
    STATUS(IOTEDGE_E_UNKNOWN_PEER, iotedge_link_send(a, 0, 8, frame, 10, NULL));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_link_send(a, 0, 1, frame, 10, (const iotedge_node_t *)(void *)node_memory));
    STATUS(IOTEDGE_OK, iotedge_link_send(a, 0, 1, frame, 10, NULL));

    STATUS(IOTEDGE_E_NULL, iotedge_link_next_packet(NULL, 0, &peer, packet, sizeof packet, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_next_packet(a, 0, NULL, packet, sizeof packet, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_next_packet(a, 0, &peer, NULL, sizeof packet, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_next_packet(a, 0, &peer, packet, sizeof packet, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_link_next_packet(a, 0, &peer, packet, MTU - 1, &len));
    CHECK(peer == 3 && len == 3 && room == 3 && deadline == 3);
    STATUS(IOTEDGE_OK, iotedge_link_next_packet(a, 0, &peer, packet, sizeof packet, &len));
    CHECK(peer == 1 && len == 11);
    STATUS(IOTEDGE_E_NONE, iotedge_link_next_packet(a, 0, &peer, packet, sizeof packet, &len));

    STATUS(IOTEDGE_E_NULL, iotedge_link_receive(NULL, 0, 1, packet, 11, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_receive(a, 0, 1, NULL, 11, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_receive(a, 0, 1, packet, 11, NULL, NULL, sizeof came, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_link_receive(a, 0, 1, packet, 11, NULL, came, sizeof came, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_link_receive(a, 0, 1, packet, 11, NULL, came, 1399, &len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_link_receive(a, 0, 65536, packet, 11, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_E_UNKNOWN_PEER, iotedge_link_receive(a, 0, 8, packet, 11, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_link_receive(a, 0, 1, NULL, 0, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_E_NOT_INITIALISED,
           iotedge_link_receive(a, 0, 1, packet, 11, (const iotedge_node_t *)(void *)node_memory, came, sizeof came, &len));
    CHECK(len == 11);
    STATUS(IOTEDGE_OK, iotedge_link_receive(a, 0, 1, packet, 11, NULL, came, sizeof came, &len));
    CHECK(len == 10 && memcmp(came, frame, 10) == 0);
    /* Compressed, and there is no node to look things up in. */
    packet[0] = 4;
    STATUS(IOTEDGE_E_OUT_OF_STEP, iotedge_link_receive(a, 0, 1, packet, 19, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_OK, iotedge_link_next_packet(a, 0, &peer, packet, sizeof packet, &len));
    CHECK(len == 3 && packet[0] == 1);
    /* Two fragments whose CRC is wrong. */
    memcpy(packet, "\x20\x05" "abcdef", 8);
    STATUS(IOTEDGE_E_NONE, iotedge_link_receive(a, 0, 1, packet, 8, NULL, came, sizeof came, &len));
    memcpy(packet, "\x21\x85" "abc", 5);
    STATUS(IOTEDGE_E_CORRUPT, iotedge_link_receive(a, 0, 1, packet, 5, NULL, came, sizeof came, &len));
    STATUS(IOTEDGE_OK, iotedge_link_deinit(a));
}

/* A node that knows no neighbourhood yet: its frames go whole. */
static void with_a_node(void)
{
    iotedge_node_t *node = node_start(node_memory);
    iotedge_link_t *a, *b;
    uint8_t packet[MTU];
    uint8_t out[IOTEDGE_MAX_FRAME];
    uint32_t peer = 0;
    size_t len = 0, n = 0, sent = 0, got = 0;
    STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 1000, 2, 1));
    fresh();
    a = start(memory_a);
    b = start(memory_b);
    STATUS(IOTEDGE_OK, iotedge_link_add_peer(a, 2));
    STATUS(IOTEDGE_OK, iotedge_link_add_peer(b, 1));
    while (iotedge_node_next_frame(node, 1000, &peer, out, sizeof out, &len) == IOTEDGE_OK) {
        STATUS(IOTEDGE_OK, iotedge_link_send(a, 1000, peer, out, len, node));
        sent++;
        while (iotedge_link_next_packet(a, 1000, &peer, packet, sizeof packet, &n) == IOTEDGE_OK) {
            size_t l = 0;
            if (iotedge_link_receive(b, 1000, 1, packet, n, node, came, sizeof came, &l) == IOTEDGE_OK) {
                CHECK(l == len && memcmp(came, out, l) == 0);
                got++;
            }
        }
    }
    CHECK(sent > 0 && sent == got);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

int main(void)
{
    sizes();
    beginnings();
    frames();
    misuse();
    with_a_node();
    return check_end("link");
}
