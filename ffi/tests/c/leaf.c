/* Every function of a leaf: what it does before there is a neighbourhood, and what it does when it is misused. */
#include "device.h"

#include <stddef.h>

#define WORDS (IOTEDGE_LEAF_SIZE / 8)

static uint64_t memory[WORDS];
static uint64_t copy[WORDS];
static iotedge_leaf_config_t config;
static iotedge_leaf_t *leaf;

/* From within one of its own callbacks. */
static int32_t come_back(void)
{
    iotedge_event_t event;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    return iotedge_leaf_next_event(leaf, &event);
}

static void fresh(void)
{
    device_fresh();
    memset(memory, 0, sizeof memory);
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.authority = &authority;
    config.seed = seed;
    config.certificate = LEAF_CERTIFICATE;
    config.certificate_len = sizeof LEAF_CERTIFICATE;
}

static int32_t init(void)
{
    leaf = NULL;
    return iotedge_leaf_init(memory, sizeof memory, &config, &platform, &leaf);
}

/* Says that the leaf did not come to be. */
static void no_leaf(int32_t wanted)
{
    STATUS(wanted, init());
    CHECK(leaf == NULL);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_leaf_deinit((iotedge_leaf_t *)(void *)memory));
}

static void beginnings(void)
{
    size_t bytes = 0;
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_size(NULL));
    STATUS(IOTEDGE_OK, iotedge_leaf_size(&bytes));
    CHECK(bytes % 8 == 0 && bytes > 1400 && bytes <= IOTEDGE_LEAF_SIZE);
    fresh();
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(NULL, sizeof memory, &config, &platform, &leaf));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(memory, sizeof memory, NULL, &platform, &leaf));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(memory, sizeof memory, &config, NULL, &leaf));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(memory, sizeof memory, &config, &platform, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_leaf_init(memory, bytes - 1, &config, &platform, &leaf));
    STATUS(IOTEDGE_E_LENGTH, iotedge_leaf_init(memory, SIZE_MAX, &config, &platform, &leaf));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_leaf_init((uint8_t *)memory + 4, sizeof memory - 8, &config, &platform, &leaf));
    memset(memory, 0xa5, sizeof memory);
    STATUS(IOTEDGE_OK, iotedge_leaf_init(memory, bytes, &config, &platform, &leaf));
    CHECK((void *)leaf == (void *)memory);
    /* A second init on a live leaf is refused and leaves it alive; a copy is none. */
    iotedge_leaf_t *second = NULL;
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_leaf_init(memory, sizeof memory, &config, &platform, &second));
    CHECK(second == NULL);
    memcpy(copy, memory, sizeof memory);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_leaf_add_peer((iotedge_leaf_t *)(void *)copy, 1, 0));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_remove_peer((iotedge_node_t *)(void *)leaf, 1));
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 1, 0));
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    unsigned others = 0;
    for (size_t i = 0; i < bytes / 8; i++) {
        others += memory[i] != 0;
    }
    CHECK(others == 0);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_leaf_deinit(leaf));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_deinit(NULL));
}

static void bad_configuration(void)
{
    fresh();
    config.size = 0;
    no_leaf(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    config.authority = NULL;
    no_leaf(IOTEDGE_E_NULL);
    fresh();
    authority.suite = 5;
    no_leaf(IOTEDGE_E_SUITE);
    fresh();
    config.seed = NULL;
    no_leaf(IOTEDGE_E_NULL);
    fresh();
    memset(seed, 0, sizeof seed);
    no_leaf(IOTEDGE_E_SIGNATURE_MALFORMED);
    fresh();
    memset(seed, 4, sizeof seed); /* Another key than the certificate's. */
    no_leaf(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate = CERTIFICATE; /* Of a device that holds a window. */
    config.certificate_len = sizeof CERTIFICATE;
    no_leaf(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate_len -= 1;
    no_leaf(IOTEDGE_E_OWN_CERTIFICATE);
    fresh();
    config.certificate = NULL;
    no_leaf(IOTEDGE_E_NULL);
    fresh();
    config.certificate_len = 0; /* An issuer of nothing. */
    config.issuer = CERTIFICATE;
    config.issuer_len = sizeof CERTIFICATE;
    no_leaf(IOTEDGE_E_ARGUMENT);
    fresh();
    config.clock = 2;
    no_leaf(IOTEDGE_E_ARGUMENT);
    fresh();
    config.reserved = 1;
    no_leaf(IOTEDGE_E_ARGUMENT);
    fresh();
    platform.size = 3;
    no_leaf(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    platform.random = NULL;
    no_leaf(IOTEDGE_E_NULL);
    fresh();
    platform.store_get = NULL;
    no_leaf(IOTEDGE_E_NULL);
    fresh();
    device.fail_get = 1;
    no_leaf(IOTEDGE_E_PLATFORM);
    fresh();
    device.fail_put = 1; /* The wish to join cannot be kept. */
    no_leaf(IOTEDGE_E_PLATFORM);
}

/* Calls every function on a pointer that is no live leaf. */
static void on_nothing(iotedge_leaf_t *dead, int32_t wanted)
{
    uint8_t bytes[64] = {0};
    const uint8_t *frame = NULL;
    uint32_t number = 7;
    uint64_t time = 7;
    size_t len = 7;
    iotedge_event_t event;
    iotedge_leaf_status_t status;
    memset(&event, 0, sizeof event);
    memset(&status, 0, sizeof status);
    event.size = (uint32_t)sizeof event;
    status.size = (uint32_t)sizeof status;
    STATUS(wanted, iotedge_leaf_deinit(dead));
    STATUS(wanted, iotedge_leaf_add_peer(dead, 0, 0));
    STATUS(wanted, iotedge_leaf_remove_peer(dead, 0));
    STATUS(wanted, iotedge_leaf_receive(dead, 0, 0, bytes, 9));
    STATUS(wanted, iotedge_leaf_next_frame(dead, 0, &number, &frame, &len));
    STATUS(wanted, iotedge_leaf_next_event(dead, &event));
    STATUS(wanted, iotedge_leaf_next_deadline(dead, &time));
    STATUS(wanted, iotedge_leaf_submit_data(dead, 0, bytes, 4, &number));
    STATUS(wanted, iotedge_leaf_submit_service(dead, 0, bytes, 4, &number));
    STATUS(wanted, iotedge_leaf_submit_transfer(dead, 0, 1, 1, &number));
    STATUS(wanted, iotedge_leaf_submit_exit(dead, 0, 1, bytes, &number));
    STATUS(wanted, iotedge_leaf_status(dead, &status));
    CHECK(number == 7 && time == 7 && len == 7 && frame == NULL);
    CHECK(event.kind == 0 && status.phase == 0);
}

static void no_live_leaf(void)
{
    fresh();
    on_nothing(NULL, IOTEDGE_E_NULL);
    on_nothing((iotedge_leaf_t *)(void *)memory, IOTEDGE_E_NOT_INITIALISED);
    on_nothing((iotedge_leaf_t *)(void *)((uint8_t *)memory + 4), IOTEDGE_E_MISALIGNED);
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    on_nothing(leaf, IOTEDGE_E_NOT_INITIALISED);
}

static void live(void)
{
    uint8_t body[IOTEDGE_MAX_BODY + 1] = {0};
    const uint8_t *frame = NULL;
    uint32_t peer = 99;
    uint32_t ticket = 99;
    uint64_t deadline = 0;
    size_t len = 99;
    unsigned enrolments = 0;
    unsigned requests = 0;
    iotedge_event_t event;
    iotedge_leaf_status_t status;
    memset(&event, 0, sizeof event);
    memset(&status, 0, sizeof status);
    event.size = (uint32_t)sizeof event;
    fresh();
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_leaf_status(leaf, &status));
    status.size = (uint32_t)sizeof status;
    STATUS(IOTEDGE_OK, iotedge_leaf_status(leaf, &status));
    CHECK(status.phase == IOTEDGE_PHASE_OUTSIDE && status.member == UINT32_MAX && status.head == UINT32_MAX);
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_status(leaf, NULL));

    STATUS(IOTEDGE_E_ARGUMENT, iotedge_leaf_add_peer(leaf, 65536, 0));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_leaf_add_peer(leaf, 1, 2));
    for (uint32_t i = 0; i < 8; i++) {
        STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 10 + i, i == 0));
    }
    STATUS(IOTEDGE_E_BUSY, iotedge_leaf_add_peer(leaf, 30, 0));
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 10, 1)); /* Known: nothing new. */
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_leaf_remove_peer(leaf, 65536));
    STATUS(IOTEDGE_OK, iotedge_leaf_remove_peer(leaf, 17));
    STATUS(IOTEDGE_OK, iotedge_leaf_remove_peer(leaf, 17));
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 30, 0));

    STATUS(IOTEDGE_E_NULL, iotedge_leaf_next_deadline(leaf, NULL));
    STATUS(IOTEDGE_OK, iotedge_leaf_next_deadline(leaf, &deadline));
    /* It asks to be let in and for the genesis: whole frames that begin with no neighbourhood. */
    for (uint64_t now = deadline; now < deadline + 5000; now += 100) {
        while (iotedge_leaf_next_frame(leaf, now, &peer, &frame, &len) == IOTEDGE_OK) {
            CHECK(len > 5 && len <= IOTEDGE_MAX_FRAME && memcmp(frame, "\0\0\0\0", 4) == 0);
            CHECK(frame > (const uint8_t *)memory && frame + len <= (const uint8_t *)(memory + WORDS));
            enrolments += frame[4] == 0x0d;
            requests += frame[4] == 0x10;
            CHECK(frame[4] == 0x0d || frame[4] == 0x10);
        }
    }
    CHECK(enrolments >= 2 && requests >= 5);
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_next_frame(leaf, 0, NULL, &frame, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_next_frame(leaf, 0, &peer, NULL, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_next_frame(leaf, 0, &peer, &frame, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_leaf_next_event(leaf, &event));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_next_event(leaf, NULL));
    event.size = 5;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_leaf_next_event(leaf, &event));
    event.size = (uint32_t)sizeof event;

    STATUS(IOTEDGE_E_NULL, iotedge_leaf_receive(leaf, 6000, 10, NULL, 9));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_leaf_receive(leaf, 6000, 65536, body, 9));
    STATUS(IOTEDGE_E_NOT_FOR_ME, iotedge_leaf_receive(leaf, 6000, 77, body, 9)); /* No neighbour. */
    STATUS(IOTEDGE_E_MALFORMED, iotedge_leaf_receive(leaf, 6000, 10, body, 3));
    memcpy(body, "\x11\x11\x11\x11\x08\x81\x02", 7);
    STATUS(IOTEDGE_E_NOT_FOR_ME, iotedge_leaf_receive(leaf, 6000, 10, body, 7)); /* For nodes, whatever the neighbourhood. */
    memcpy(body, "\x11\x11\x11\x11\x15\x80", 6);
    STATUS(IOTEDGE_E_NEIGHBOURHOOD, iotedge_leaf_receive(leaf, 6000, 10, body, 6));
    /* A genesis that nobody signed. */
    memcpy(body, "\0\0\0\0\x0f\x82\x41\x80\x83\0\x01\x80", 12);
    STATUS(IOTEDGE_E_FORGED, iotedge_leaf_receive(leaf, 6000, 10, body, 12));

    STATUS(IOTEDGE_E_NULL, iotedge_leaf_submit_data(leaf, 6000, NULL, 4, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_submit_data(leaf, 6000, body, 4, NULL));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_leaf_submit_data(leaf, 6000, body, 0, &ticket));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_leaf_submit_data(leaf, 6000, body, sizeof body, &ticket));
    STATUS(IOTEDGE_E_BODY_LENGTH, iotedge_leaf_submit_service(leaf, 6000, body, 0, &ticket));
    STATUS(IOTEDGE_E_UNKNOWN_PAYEE, iotedge_leaf_submit_transfer(leaf, 6000, 65536, 1, &ticket));
    STATUS(IOTEDGE_E_AMOUNT_ZERO, iotedge_leaf_submit_transfer(leaf, 6000, 1, 0, &ticket));
    STATUS(IOTEDGE_E_AMOUNT_ZERO, iotedge_leaf_submit_exit(leaf, 6000, 0, body, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_submit_exit(leaf, 6000, 1, NULL, &ticket));
    device.fail_put = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_leaf_submit_data(leaf, 6000, body, 4, &ticket));
    device.fail_put = 0;
    CHECK(ticket == 99);
    device.reenter = come_back;
    STATUS(IOTEDGE_OK, iotedge_leaf_submit_data(leaf, 6000, body, 4, &ticket));
    STATUS(IOTEDGE_E_REENTERED, device.reentered);
    device.reenter = NULL;
    CHECK(ticket == 1);
    STATUS(IOTEDGE_E_BUSY, iotedge_leaf_submit_service(leaf, 6000, body, 4, &ticket));
    STATUS(IOTEDGE_OK, iotedge_leaf_status(leaf, &status));
    CHECK(status.waiting == 1 && status.number == 0);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));

    /* After a reset what waited waits, and the certificate, kept in the store, need not be given again nor is it written again. */
    unsigned writes = device.writes;
    memset(memory, 0, sizeof memory);
    STATUS(IOTEDGE_OK, init());
    CHECK(device.writes == writes);
    STATUS(IOTEDGE_OK, iotedge_leaf_status(leaf, &status));
    CHECK(status.waiting == 1);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    config.certificate = NULL;
    config.certificate_len = 0;
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 10, 1));
    enrolments = 0;
    while (iotedge_leaf_next_frame(leaf, 9000, &peer, &frame, &len) == IOTEDGE_OK) {
        enrolments += frame[4] == 0x0d;
    }
    CHECK(enrolments == 1);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
}

static int32_t says(void *user, iotedge_evidence_t *evidence)
{
    static iotedge_measurement_t firmware;
    (void)user;
    CHECK(evidence->size == sizeof *evidence && evidence->measurement_count == 0);
    memset(&firmware, 0, sizeof firmware);
    firmware.size = (uint32_t)sizeof firmware;
    firmware.name = "firmware";
    firmware.name_len = 8;
    firmware.digest = CERTIFICATE_AUTHORITY;
    firmware.digest_len = 32;
    evidence->model = (const uint8_t *)"acme-2";
    evidence->model_len = 6;
    evidence->measurements = &firmware;
    evidence->measurement_count = 1;
    return IOTEDGE_OK;
}

/* The last enrolment that goes out, copied; its length. */
static size_t enrolment(uint64_t now, uint8_t *out)
{
    const uint8_t *frame = NULL;
    size_t len = 0, found = 0;
    uint32_t peer = 0;
    while (iotedge_leaf_next_frame(leaf, now, &peer, &frame, &len) == IOTEDGE_OK) {
        if (frame[4] == 0x0d) {
            memcpy(out, frame, len);
            found = len;
        }
    }
    return found;
}

static unsigned wants_signature(void)
{
    iotedge_event_t event;
    unsigned found = 0;
    memset(&event, 0, sizeof event);
    event.size = (uint32_t)sizeof event;
    while (iotedge_leaf_next_event(leaf, &event) == IOTEDGE_OK) {
        found += event.kind == IOTEDGE_EVENT_SIGNATURE_NEEDED;
    }
    return found;
}

/* A leaf whose key is in an element, and whose gateway wants to know what runs on it. */
static void with_an_element(void)
{
    static uint8_t frame[1400];
    iotedge_public_key_t key;
    uint8_t id[32], statement[96], proof[64], message[IOTEDGE_MAX_SIGN_INPUT], signature[64];
    uint8_t challenge[5 + 1 + 34 + 17] = {0, 0, 0, 0, 0x1f, 0x82, 0x58, 0x20};
    size_t len = 0;
    fresh();
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(seed, &key));
    STATUS(IOTEDGE_OK, iotedge_device_id(&key, id));
    STATUS(IOTEDGE_OK, iotedge_enrol_statement(&authority, id, statement, sizeof statement, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, statement, len, proof));
    config.signer = &key;
    no_leaf(IOTEDGE_E_ARGUMENT); /* A seed and a signer. */
    config.seed = NULL;
    no_leaf(IOTEDGE_E_OWN_CERTIFICATE); /* No proof: the element was to make it at provisioning. */
    config.enrolment = signature;
    memset(signature, 7, sizeof signature);
    no_leaf(IOTEDGE_E_OWN_CERTIFICATE);
    config.enrolment = proof;
    key.suite = 5;
    no_leaf(IOTEDGE_E_SUITE);
    key.suite = IOTEDGE_SUITE_ED25519;
    platform.attest = says;
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 1, 1));
    STATUS(IOTEDGE_E_NONE, iotedge_leaf_sign_input(leaf, message, sizeof message, &len));
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_leaf_sign_output(leaf, 5, signature));
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_fail(leaf, 5)); /* Nothing was asked: nothing happens. */
    size_t bare = enrolment(1000, frame);
    CHECK(bare > 0 && frame[5] == 0x82);

    memcpy(challenge + 8, id, 32);
    challenge[40] = 0x50;
    STATUS(IOTEDGE_OK, iotedge_leaf_receive(leaf, 2000, 1, challenge, sizeof challenge));
    CHECK(wants_signature() == 1);
    CHECK(enrolment(5000, frame) == 0); /* It waits for the element. */
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_sign_input(NULL, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_sign_input(leaf, NULL, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_sign_input(leaf, message, sizeof message, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_leaf_sign_input(leaf, message, 20, &len));
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_input(leaf, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_sign_output(leaf, 5000, NULL));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, message, len, signature));
    signature[17] ^= 2;
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_leaf_sign_output(leaf, 5000, signature));
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_leaf_sign_output(leaf, 5000, signature));
    CHECK(enrolment(8000, frame) == bare);

    /* Asked again, it fails once, then signs. */
    STATUS(IOTEDGE_OK, iotedge_leaf_receive(leaf, 9000, 1, challenge, sizeof challenge));
    CHECK(wants_signature() == 1);
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_input(leaf, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_fail(leaf, 9000));
    STATUS(IOTEDGE_E_NONE, iotedge_leaf_sign_input(leaf, message, sizeof message, &len));
    STATUS(IOTEDGE_E_BUSY, iotedge_leaf_receive(leaf, 9500, 1, challenge, sizeof challenge));
    STATUS(IOTEDGE_OK, iotedge_leaf_receive(leaf, 10500, 1, challenge, sizeof challenge));
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_input(leaf, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, message, len, signature));
    STATUS(IOTEDGE_OK, iotedge_leaf_sign_output(leaf, 10500, signature));
    size_t whole = enrolment(12000, frame);
    CHECK(whole > bare + 150 && frame[5] == 0x83);
    /* The same without an element, byte for byte. */
    static uint8_t again[1400];
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_leaf_sign_fail(leaf, 1));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_leaf_sign_output(leaf, 1, signature));
    config.signer = NULL;
    config.enrolment = NULL;
    config.seed = seed;
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 1, 1));
    STATUS(IOTEDGE_OK, iotedge_leaf_receive(leaf, 10500, 1, challenge, sizeof challenge));
    CHECK(enrolment(12000, again) == whole && memcmp(frame, again, whole) == 0);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    /* A platform that cannot say what runs, such as that of an older header, enrols as before. */
    platform.size = (uint32_t)offsetof(iotedge_platform_t, store_remove) + (uint32_t)sizeof(void *);
    STATUS(IOTEDGE_OK, init());
    STATUS(IOTEDGE_OK, iotedge_leaf_add_peer(leaf, 1, 1));
    STATUS(IOTEDGE_E_PLATFORM, iotedge_leaf_receive(leaf, 10500, 1, challenge, sizeof challenge));
    CHECK(enrolment(12000, again) == bare);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
}

int main(void)
{
    beginnings();
    bad_configuration();
    no_live_leaf();
    live();
    with_an_element();
    return check_end("leaf");
}
