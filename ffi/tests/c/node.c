/* Every function of a node: what it does before there is a neighbourhood, and what it does when it is misused. */
#include "device.h"

static uint64_t memory[NODE_BYTES / 8];
static uint64_t copy[NODE_BYTES / 8];
static iotedge_limits_t limits;
static iotedge_config_t config;

static void fresh(void)
{
    device_fresh();
    memset(memory, 0, sizeof memory);
    limits = node_limits();
    config = node_config();
}

static iotedge_node_t *node;

/* From within one of its own callbacks. */
static int32_t come_back(void)
{
    iotedge_event_t event;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    return iotedge_node_next_event(node, &event);
}

static int32_t init(void)
{
    node = NULL;
    return iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node);
}

/* Says that the node did not come to be, and that nothing of the seed stayed behind. */
static void no_node(int32_t wanted)
{
    STATUS(wanted, init());
    CHECK(node == NULL);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_deinit((iotedge_node_t *)(void *)memory));
}

static void sizes(void)
{
    size_t bytes = 0;
    fresh();
    STATUS(IOTEDGE_OK, iotedge_node_size(&limits, &bytes));
    CHECK(bytes > 0 && bytes % 8 == 0 && bytes <= sizeof memory);
    STATUS(IOTEDGE_E_NULL, iotedge_node_size(NULL, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_node_size(&limits, NULL));
    const uint32_t bad_windows[] = {0, 31, 33, 65537, UINT32_MAX};
    for (size_t i = 0; i < sizeof bad_windows / sizeof bad_windows[0]; i++) {
        fresh();
        limits.window = bad_windows[i];
        bytes = 77;
        STATUS(IOTEDGE_E_LIMITS, iotedge_node_size(&limits, &bytes));
        CHECK(bytes == 77);
        no_node(IOTEDGE_E_LIMITS);
    }
    uint32_t *fields[] = {&limits.members, &limits.peers, &limits.aside, &limits.outbox, &limits.own, &limits.raw};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        fresh();
        *fields[i] = 0;
        STATUS(IOTEDGE_E_LIMITS, iotedge_node_size(&limits, &bytes));
    }
    for (size_t i = 0; i < 5; i++) {
        fresh();
        *fields[i] = 65536;
        STATUS(IOTEDGE_E_LIMITS, iotedge_node_size(&limits, &bytes));
    }
    fresh();
    limits.weights = 2;
    STATUS(IOTEDGE_E_LIMITS, iotedge_node_size(&limits, &bytes));
    fresh();
    limits.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_size(&limits, &bytes));

    iotedge_limits_t usual;
    memset(&usual, 0, sizeof usual);
    usual.size = (uint32_t)sizeof usual;
    STATUS(IOTEDGE_OK, iotedge_limits_default(&usual));
    STATUS(IOTEDGE_OK, iotedge_node_size(&usual, &bytes));
    CHECK(bytes <= IOTEDGE_NODE_SIZE(usual.window, usual.members, usual.peers, usual.aside, usual.outbox, usual.own, usual.raw));
    STATUS(IOTEDGE_E_NULL, iotedge_limits_default(NULL));
    usual.size = 0;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_limits_default(&usual));
}

static void bad_memory(void)
{
    size_t bytes = 0;
    fresh();
    STATUS(IOTEDGE_OK, iotedge_node_size(&limits, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_node_init(NULL, sizeof memory, &limits, &config, &platform, &node));
    STATUS(IOTEDGE_E_NULL, iotedge_node_init(memory, sizeof memory, NULL, &config, &platform, &node));
    STATUS(IOTEDGE_E_NULL, iotedge_node_init(memory, sizeof memory, &limits, NULL, &platform, &node));
    STATUS(IOTEDGE_E_NULL, iotedge_node_init(memory, sizeof memory, &limits, &config, NULL, &node));
    STATUS(IOTEDGE_E_NULL, iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_node_init(memory, bytes - 1, &limits, &config, &platform, &node));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_node_init(memory, 0, &limits, &config, &platform, &node));
    STATUS(IOTEDGE_E_LENGTH, iotedge_node_init(memory, SIZE_MAX, &limits, &config, &platform, &node));
    for (size_t off = 1; off < 8; off++) {
        STATUS(IOTEDGE_E_MISALIGNED,
               iotedge_node_init((uint8_t *)memory + off, sizeof memory - off, &limits, &config, &platform, &node));
    }
    /* Exactly enough, and at the other alignment that 8 allows, with whatever was in the memory before. */
    memset(memory, 0xa5, sizeof memory);
    STATUS(IOTEDGE_OK, iotedge_node_init(memory, bytes, &limits, &config, &platform, &node));
    CHECK(memory[sizeof memory / 8 - 1] == UINT64_C(0xa5a5a5a5a5a5a5a5) || bytes == sizeof memory);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    memset(memory, 0xa5, sizeof memory);
    STATUS(IOTEDGE_OK, iotedge_node_init(memory + 1, bytes, &limits, &config, &platform, &node));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

static void bad_configuration(void)
{
    fresh();
    config.size = 0;
    no_node(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    config.role = 2;
    no_node(IOTEDGE_E_ARGUMENT);
    fresh();
    config.authority = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    authority.suite = 5;
    no_node(IOTEDGE_E_SUITE);
    fresh();
    config.seed = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    config.signer = &authority; /* Beside a seed: which one? */
    no_node(IOTEDGE_E_ARGUMENT);
    fresh();
    memset(seed, 0, sizeof seed);
    no_node(IOTEDGE_E_SIGNATURE_MALFORMED);
    fresh();
    memset(seed, 4, sizeof seed); /* Another key than the certificate's. */
    no_node(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate_len -= 1;
    no_node(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate_len = 0;
    no_node(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    config.tips = 8;
    no_node(IOTEDGE_E_ARGUMENT);
    fresh();
    config.clock = 2;
    no_node(IOTEDGE_E_ARGUMENT);
    fresh();
    config.alpha = 1; /* Without the working memory for it. */
    no_node(IOTEDGE_E_LIMITS);
    fresh();
    config.role = IOTEDGE_ROLE_OBSERVER; /* An observer has no key. */
    no_node(IOTEDGE_E_ARGUMENT);

    fresh();
    platform.size = 3;
    no_node(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    platform.reserved = 1;
    no_node(IOTEDGE_E_ARGUMENT);
    fresh();
    platform.random = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    platform.store_get = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    platform.store_put = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    platform.store_remove = NULL;
    no_node(IOTEDGE_E_NULL);
    fresh();
    device.fail_random = 1;
    no_node(IOTEDGE_E_PLATFORM);
    fresh();
    device.fail_get = 1;
    no_node(IOTEDGE_E_PLATFORM);
    fresh();
    device.long_get = 1; /* A store that says it wrote more than there was room for. */
    no_node(IOTEDGE_E_PLATFORM);
}

/* Calls every function on a pointer that is no live node. */
static void on_nothing(iotedge_node_t *dead, int32_t wanted)
{
    memset(seed, 3, sizeof seed);
    uint8_t bytes[IOTEDGE_MAX_RECEIPT] = {0};
    uint8_t id[32] = {0};
    uint32_t number = 7;
    uint64_t time = 7;
    size_t len = 7;
    iotedge_event_t event;
    iotedge_node_status_t status;
    iotedge_counters_t counters;
    iotedge_public_key_t key;
    memset(&event, 0, sizeof event);
    memset(&status, 0, sizeof status);
    memset(&counters, 0, sizeof counters);
    memset(&key, 0, sizeof key);
    event.size = (uint32_t)sizeof event;
    status.size = (uint32_t)sizeof status;
    counters.size = (uint32_t)sizeof counters;
    key.size = (uint32_t)sizeof key;
    STATUS(wanted, iotedge_node_deinit(dead));
    STATUS(wanted, iotedge_node_add_peer(dead, 0, 0, 0));
    STATUS(wanted, iotedge_node_remove_peer(dead, 0));
    STATUS(wanted, iotedge_node_receive(dead, 0, 0, bytes, 9));
    STATUS(wanted, iotedge_node_next_frame(dead, 0, &number, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_next_event(dead, &event));
    STATUS(wanted, iotedge_node_next_deadline(dead, 0, &time));
    STATUS(wanted, iotedge_node_submit_data(dead, 0, 0, bytes, 4, &number));
    STATUS(wanted, iotedge_node_submit_service(dead, 0, 0, bytes, 4, &number));
    STATUS(wanted, iotedge_node_submit_transfer(dead, 0, 0, 1, 1, &number));
    STATUS(wanted, iotedge_node_submit_exit(dead, 0, 0, 1, bytes, &number));
    STATUS(wanted, iotedge_node_submit_leave(dead, 0, 0, &number));
    STATUS(wanted, iotedge_node_rotate(dead, 0, seed));
    STATUS(wanted, iotedge_node_sign_input(dead, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_sign_output(dead, 0, bytes));
    STATUS(wanted, iotedge_node_sign_fail(dead, 0));
    STATUS(wanted, iotedge_node_body(dead, id, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_raw(dead, id, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_parents(dead, id, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_grade(dead, id, &number));
    STATUS(wanted, iotedge_node_receipt(dead, id, bytes, sizeof bytes, &len));
    STATUS(wanted, iotedge_node_status(dead, 0, &status));
    STATUS(wanted, iotedge_node_counters(dead, &counters));
    STATUS(wanted, iotedge_node_refused(dead, 1, &number));
    STATUS(wanted, iotedge_node_member_key(dead, 0, &key));
    STATUS(wanted, iotedge_node_member_device(dead, 0, bytes));
    STATUS(wanted, iotedge_node_validators(dead, 0, bytes, sizeof bytes, &len));
    CHECK(number == 7 && time == 7 && len == 7);
    CHECK(event.kind == 0 && status.phase == 0 && counters.frames_in == 0 && key.suite == 0);
}

static void no_live_node(void)
{
    fresh();
    on_nothing(NULL, IOTEDGE_E_NULL);
    on_nothing((iotedge_node_t *)(void *)memory, IOTEDGE_E_NOT_INITIALISED);
    on_nothing((iotedge_node_t *)(void *)((uint8_t *)memory + 4), IOTEDGE_E_MISALIGNED);
    memset(memory, 0xff, sizeof memory);
    on_nothing((iotedge_node_t *)(void *)memory, IOTEDGE_E_NOT_INITIALISED);

    fresh();
    STATUS(IOTEDGE_OK, init());
    CHECK((void *)node == (void *)memory);
    /* A copy is no node: it would point into the original. */
    memcpy(copy, memory, sizeof memory);
    on_nothing((iotedge_node_t *)(void *)copy, IOTEDGE_E_NOT_INITIALISED);
    /* A second init on a live node is refused and leaves it alive. */
    iotedge_node_t *second = NULL;
    STATUS(IOTEDGE_E_ALREADY_INITIALISED,
           iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &second));
    CHECK(second == NULL);
    STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 0, 1, 0));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    on_nothing(node, IOTEDGE_E_NOT_INITIALISED);
}

/* The seed, or the half of its hash that signs, must not stay in the memory. */
static void wiped(void)
{
    size_t bytes = 0;
    unsigned others = 0;
    fresh();
    STATUS(IOTEDGE_OK, iotedge_node_size(&limits, &bytes));
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    for (size_t i = 0; i < sizeof memory / 8; i++) {
        others += memory[i] != 0;
    }
    CHECK(others == 0);
}

static void live(void)
{
    uint8_t frame[IOTEDGE_MAX_FRAME];
    uint8_t bytes[IOTEDGE_MAX_RECEIPT];
    uint8_t id[32];
    uint32_t peer = 99;
    uint32_t number = 99;
    uint64_t deadline = 0;
    size_t len = 99;
    iotedge_event_t event;
    iotedge_node_status_t status;
    iotedge_counters_t counters;
    iotedge_public_key_t key;
    memset(id, 1, sizeof id);
    memset(&event, 0, sizeof event);
    memset(&status, 0, sizeof status);
    memset(&counters, 0, sizeof counters);
    memset(&key, 0, sizeof key);

    fresh();
    STATUS(IOTEDGE_OK, init());

    /* Neighbours. */
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_add_peer(node, 0, 65536, 0));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_add_peer(node, 0, 0, 2));
    for (uint32_t i = 0; i < PEERS; i++) {
        STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 0, i, i == 0));
    }
    STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 0, 0, 1));
    STATUS(IOTEDGE_E_BUSY, iotedge_node_add_peer(node, 0, 77, 0));
    STATUS(IOTEDGE_OK, iotedge_node_remove_peer(node, 3));
    STATUS(IOTEDGE_OK, iotedge_node_remove_peer(node, 3));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_remove_peer(node, 65536));
    STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 0, 77, 0));

    /* Structures without size, and NULLs. */
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_next_event(node, &event));
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_status(node, 0, &status));
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_counters(node, &counters));
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_member_key(node, 0, &key));
    event.size = (uint32_t)sizeof event;
    status.size = (uint32_t)sizeof status;
    counters.size = (uint32_t)sizeof counters;
    key.size = (uint32_t)sizeof key;
    STATUS(IOTEDGE_E_NULL, iotedge_node_next_event(node, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_status(node, 0, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_counters(node, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_member_key(node, 0, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_next_deadline(node, 0, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_refused(node, 1, NULL));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_refused(node, 0, &number));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_refused(node, IOTEDGE_E_NULL, &number));

    /* Frames in. */
    memset(frame, 0, sizeof frame);
    STATUS(IOTEDGE_E_NULL, iotedge_node_receive(node, 5, 0, NULL, 8));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_node_receive(node, 5, 65536, frame, 8));
    STATUS(IOTEDGE_E_LENGTH, iotedge_node_receive(node, 5, 0, frame, SIZE_MAX));
    CHECK(iotedge_node_receive(node, 5, 0, NULL, 0) != IOTEDGE_OK);
    CHECK(iotedge_node_receive(node, 5, 0, frame, sizeof frame) != IOTEDGE_OK);
    frame[4] = 0x01;
    CHECK(iotedge_node_receive(node, 5, 0, frame, 40) != IOTEDGE_OK);
    STATUS(IOTEDGE_OK, iotedge_node_counters(node, &counters));
    CHECK(counters.frames_in == 3);

    /* Frames out: a device outside asks its uplink to enrol. */
    STATUS(IOTEDGE_E_NULL, iotedge_node_next_frame(node, 10, NULL, frame, sizeof frame, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_next_frame(node, 10, &peer, NULL, sizeof frame, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_next_frame(node, 10, &peer, frame, sizeof frame, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_node_next_frame(node, 10, &peer, frame, sizeof frame - 1, &len));
    CHECK(peer == 99 && len == 99);
    STATUS(IOTEDGE_OK, iotedge_node_next_frame(node, 10, &peer, frame, sizeof frame, &len));
    CHECK(peer == 0 && len > 5 && len <= sizeof frame);
    CHECK(frame[4] == 0x0d || frame[4] == 0x10); /* ENROL or GENESIS_REQUEST */
    for (int i = 0; i < 8 && iotedge_node_next_frame(node, 10, &peer, frame, sizeof frame, &len) == IOTEDGE_OK; i++) {
    }
    peer = 99;
    len = 99;
    STATUS(IOTEDGE_E_NONE, iotedge_node_next_frame(node, 10, &peer, frame, sizeof frame, &len));
    CHECK(peer == 99 && len == 99);
    STATUS(IOTEDGE_OK, iotedge_node_next_deadline(node, 10, &deadline));
    CHECK(deadline >= 10 && deadline <= 1010);

    /* Status and events. */
    STATUS(IOTEDGE_OK, iotedge_node_status(node, 10, &status));
    CHECK(status.phase == IOTEDGE_PHASE_OUTSIDE && status.member == UINT32_MAX && status.window == 0);
    CHECK(memcmp(status.device, "\x72\xd1\x6f\xaf", 4) == 0);
    for (int i = 0; i < 8 && iotedge_node_next_event(node, &event) == IOTEDGE_OK; i++) {
    }
    event.kind = 1234;
    STATUS(IOTEDGE_E_NONE, iotedge_node_next_event(node, &event));
    CHECK(event.kind == 1234);

    /* Submissions: durable before there is a neighbourhood, bounded, refused with a reason. */
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_data(node, 10, 0, NULL, 4, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_data(node, 10, 0, frame, 4, NULL));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_node_submit_data(node, 10, 0, NULL, 0, &number));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_node_submit_data(node, 10, 0, frame, IOTEDGE_MAX_BODY + 1, &number));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_node_submit_service(node, 10, 0, frame, IOTEDGE_MAX_BODY + 1, &number));
    CHECK(iotedge_node_submit_transfer(node, 10, 0, 0, 0, &number) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_UNKNOWN_PAYEE, iotedge_node_submit_transfer(node, 10, 0, 65536, 5, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_exit(node, 10, 0, 5, NULL, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_leave(node, 10, 0, NULL));
    CHECK(number == 99);
    device.fail_put = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_node_submit_data(node, 10, 0, frame, 4, &number));
    device.fail_put = 0;
    device.reenter = come_back;
    STATUS(IOTEDGE_OK, iotedge_node_submit_data(node, 10, 0, frame, 4, &number));
    device.reenter = NULL;
    CHECK(number != 99);
    CHECK(device.reentered == IOTEDGE_E_REENTERED);
    STATUS(IOTEDGE_OK, iotedge_node_submit_service(node, 10, 0, frame, 4, &number));
    STATUS(IOTEDGE_E_OUTBOX_FULL, iotedge_node_submit_data(node, 10, 0, frame, 4, &number));
    STATUS(IOTEDGE_OK, iotedge_node_status(node, 10, &status));
    CHECK(status.outbox == 2);

    /* A new key: not none, not the one in use. */
    memset(id, 0, sizeof id);
    STATUS(IOTEDGE_E_NULL, iotedge_node_rotate(node, 10, NULL));
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_node_rotate(node, 10, id));
    STATUS(IOTEDGE_E_MEMBER_OPERATION, iotedge_node_rotate(node, 10, seed));

    /* The signer operation, out of order. */
    STATUS(IOTEDGE_E_NONE, iotedge_node_sign_input(node, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_sign_input(node, NULL, 640, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_sign_output(node, 10, NULL));
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_node_sign_output(node, 10, bytes));
    STATUS(IOTEDGE_OK, iotedge_node_sign_fail(node, 10));

    /* Questions about what is not there. */
    STATUS(IOTEDGE_E_NONE, iotedge_node_body(node, id, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_body(node, NULL, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_body(node, id, NULL, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_body(node, id, bytes, sizeof bytes, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_node_raw(node, id, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_raw(node, NULL, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NONE, iotedge_node_parents(node, id, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_parents(node, id, NULL, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NONE, iotedge_node_grade(node, id, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_grade(node, id, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_node_receipt(node, id, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_node_receipt(node, id, bytes, sizeof bytes - 1, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_receipt(node, NULL, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NONE, iotedge_node_member_key(node, 0, &key));
    STATUS(IOTEDGE_E_NONE, iotedge_node_member_device(node, 0, bytes));
    STATUS(IOTEDGE_E_NONE, iotedge_node_member_device(node, 70000, bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_node_member_device(node, 0, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_node_member_key(node, 70000, &key));
    STATUS(IOTEDGE_E_NONE, iotedge_node_validators(node, 0, bytes, sizeof bytes, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_node_validators(node, 0, NULL, sizeof bytes, &len));
    CHECK(len == 99);

    /* After a reset the submissions are still there: same store, fresh memory. */
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_node_status(node, 10, &status));
    CHECK(status.outbox == 2);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

static void observer(void)
{
    uint32_t ticket = 5;
    const uint8_t body[1] = {0};
    fresh();
    config.role = IOTEDGE_ROLE_OBSERVER;
    config.seed = NULL;
    config.certificate = NULL;
    config.certificate_len = 0;
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_E_NOT_MEMBER, iotedge_node_submit_data(node, 0, 0, body, 1, &ticket));
    CHECK(ticket == 5);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

static void enrol_statement(void)
{
    uint8_t statement[96];
    uint8_t id[32] = {0};
    size_t len = 0;
    fresh();
    STATUS(IOTEDGE_OK, iotedge_enrol_statement(&authority, id, statement, sizeof statement, &len));
    CHECK(len > 64 && memcmp(statement + 1, "\x6fiotedge/enrol/1", 16) == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_enrol_statement(NULL, id, statement, sizeof statement, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_enrol_statement(&authority, NULL, statement, sizeof statement, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_enrol_statement(&authority, id, NULL, sizeof statement, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_enrol_statement(&authority, id, statement, sizeof statement, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_enrol_statement(&authority, id, statement, 10, &len));
}

int main(void)
{
    sizes();
    bad_memory();
    bad_configuration();
    no_live_node();
    wiped();
    live();
    observer();
    enrol_statement();
    return check_end("node");
}
