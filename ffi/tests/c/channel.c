/* Every function of channels: an owner and a subscriber that talk, and what each does when it is misused. */
#include "device.h"

enum { OWNER = 7, READER = 3, BATCH = 4, READERS = 4, KEY = 0x200, NEWEST = 0 };
#define OWNER_WORDS (IOTEDGE_CHANNEL_OWNER_SIZE(BATCH, READERS) / 8)
#define SUBSCRIBER_WORDS (IOTEDGE_SUBSCRIBER_SIZE(2, 8, 8) / 8)

static uint64_t owner_memory[OWNER_WORDS];
static uint64_t subscriber_memory[SUBSCRIBER_WORDS];
static uint64_t copy[SUBSCRIBER_WORDS];
static uint64_t node_memory[NODE_BYTES / 8];
static device_t other;
static iotedge_platform_t other_platform;
static iotedge_channel_config_t config;
static iotedge_subscriber_config_t limits;
static iotedge_channel_source_t source;
static iotedge_public_key_t key;
static const uint8_t TAG[4] = {1, 2, 3, 4};
static uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
static size_t op_len;
static uint8_t text[IOTEDGE_CHANNEL_MAX_MESSAGE];
static uint8_t sealed[IOTEDGE_CHANNEL_MAX_MESSAGE];
static size_t sealed_len;

/* Not random, but never the same twice. */
static int32_t counting_random(void *user, uint8_t *out, size_t len)
{
    static uint8_t turn;
    int32_t status = device_random(user, out, len);
    if (len > 0) {
        out[0] = ++turn;
    }
    return status;
}

static void fresh(uint32_t mode)
{
    device_fresh();
    platform.random = counting_random;
    memset(&other, 0, sizeof other);
    other_platform = platform;
    other_platform.user = &other;
    memset(owner_memory, 0, sizeof owner_memory);
    memset(subscriber_memory, 0, sizeof subscriber_memory);
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(seed, &key));
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.mode = mode;
    config.channel = 1;
    memset(config.neighbourhood, 0x11, 32);
    STATUS(IOTEDGE_OK, iotedge_device_id(&key, config.device));
    config.store_key = KEY;
    config.ahead = 4;
    config.batch = BATCH;
    config.readers = mode == IOTEDGE_CHANNEL_PUBLIC ? 0 : READERS;
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.channels = 2;
    memset(limits.neighbourhood, 0x11, 32);
    memset(limits.device, 0x33, 32);
    limits.store_key = KEY;
    limits.skipped = 8;
    limits.recent = 8;
    memset(&source, 0, sizeof source);
    source.size = (uint32_t)sizeof source;
    source.owner = OWNER;
    memcpy(source.device, config.device, 32);
    source.channel = 1;
}

static iotedge_channel_owner_t *start_owner(void)
{
    iotedge_channel_owner_t *owner = NULL;
    STATUS(IOTEDGE_OK, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));
    return owner;
}

static iotedge_subscriber_t *start_subscriber(void)
{
    iotedge_subscriber_t *subscriber = NULL;
    STATUS(IOTEDGE_OK, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &other_platform, &subscriber));
    return subscriber;
}

static int32_t next(iotedge_channel_owner_t *owner)
{
    return iotedge_channel_owner_next_op(owner, NEWEST, op, sizeof op, &op_len);
}

static iotedge_heard_t hear(iotedge_subscriber_t *subscriber, int32_t wanted)
{
    iotedge_heard_t heard;
    memset(&heard, 0, sizeof heard);
    heard.size = (uint32_t)sizeof heard;
    STATUS(wanted, iotedge_subscriber_hear(subscriber, READER, OWNER, op, op_len, text, sizeof text, &heard));
    return heard;
}

static int32_t publish(iotedge_channel_owner_t *owner, uint32_t flags, const char *what, iotedge_channel_published_t *published)
{
    memset(published, 0, sizeof *published);
    published->size = (uint32_t)sizeof *published;
    return iotedge_channel_owner_publish(owner, NEWEST, flags, (const uint8_t *)what, strlen(what), sealed, sizeof sealed,
                                         &sealed_len, published);
}

static iotedge_heard_t read_as(iotedge_subscriber_t *subscriber, int32_t wanted)
{
    iotedge_heard_t heard;
    memset(&heard, 0, sizeof heard);
    heard.size = (uint32_t)sizeof heard;
    STATUS(wanted, iotedge_subscriber_read(subscriber, sealed, sealed_len, text, sizeof text, &heard));
    return heard;
}

static void sizes_and_beginnings(void)
{
    size_t bytes = 7;
    iotedge_channel_owner_t *owner = NULL;
    iotedge_subscriber_t *subscriber = NULL;
    uint8_t side[IOTEDGE_SIDE_KEY_SIZE];
    memset(side, 9, sizeof side);
    fresh(IOTEDGE_CHANNEL_PRIVATE);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_size(&config, &bytes));
    CHECK(bytes > 500 && bytes <= sizeof owner_memory);
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_size(NULL, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_size(&config, NULL));
    STATUS(IOTEDGE_OK, iotedge_subscriber_size(&limits, &bytes));
    CHECK(bytes > 500 && bytes <= sizeof subscriber_memory);
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_size(NULL, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_size(&limits, NULL));
#define REFUSED(status, field, value)                                                                                              \
    do {                                                                                                                           \
        iotedge_channel_config_t usual = config;                                                                                   \
        config.field = value;                                                                                                      \
        STATUS(status, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));         \
        config = usual;                                                                                                            \
    } while (0)
    REFUSED(IOTEDGE_E_STRUCT_SIZE, size, 8);
    REFUSED(IOTEDGE_E_CHANNEL_MODE, mode, 3);
    REFUSED(IOTEDGE_E_CHANNEL_MODE, mode, IOTEDGE_CHANNEL_RESTRICTED);
    REFUSED(IOTEDGE_E_CHANNEL_MODE, side_key, side);
    REFUSED(IOTEDGE_E_ARGUMENT, mode, IOTEDGE_CHANNEL_PUBLIC);
    REFUSED(IOTEDGE_E_ARGUMENT, readers, 0);
    REFUSED(IOTEDGE_E_ARGUMENT, readers, 3);
    REFUSED(IOTEDGE_E_ARGUMENT, readers, 256);
    REFUSED(IOTEDGE_E_ARGUMENT, batch, 65);
    REFUSED(IOTEDGE_E_ARGUMENT, ahead, 65);
    REFUSED(IOTEDGE_E_ARGUMENT, channel, 65536);
    REFUSED(IOTEDGE_E_ARGUMENT, sub_channel, 65536);
    REFUSED(IOTEDGE_E_ARGUMENT, store_key, 0xff);
    REFUSED(IOTEDGE_E_ARGUMENT, store_key, 0xfff);
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_init(NULL, sizeof owner_memory, &config, &platform, NEWEST, &owner));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, NULL, &platform, NEWEST, &owner));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, NULL, NEWEST, &owner));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_channel_owner_init(owner_memory, 64, &config, &platform, NEWEST, &owner));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_channel_owner_init((uint8_t *)owner_memory + 4, sizeof owner_memory - 8, &config, &platform, NEWEST, &owner));
    device.fail_put = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));
    device.fail_put = 0;
    device.fail_random = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));
    device.fail_random = 0;
    CHECK(owner == NULL);
    owner = start_owner();
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));
    memcpy(copy, owner_memory, sizeof owner_memory);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_channel_owner_close_batch((iotedge_channel_owner_t *)copy));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_deinit(owner));
    for (size_t i = 0; i < OWNER_WORDS; i++) {
        CHECK(owner_memory[i] == 0 || i * 8 >= bytes);
    }
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_channel_owner_deinit(owner));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_deinit(NULL));
    /* Another number of readers, and another channel, than the store has. */
    REFUSED(IOTEDGE_E_CHANNEL_READER, readers, 2);
    REFUSED(IOTEDGE_E_CHANNEL_OTHER, channel, 2);

    limits.channels = 0;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_subscriber_size(&limits, &bytes));
    limits.channels = 65;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &platform, &subscriber));
    limits.channels = 2;
    limits.skipped = 1025;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &platform, &subscriber));
    limits.skipped = 8;
    limits.store_every = 65;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &platform, &subscriber));
    limits.store_every = 0;
    limits.store_key = 0xffb;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &platform, &subscriber));
    limits.store_key = KEY;
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_init(NULL, sizeof subscriber_memory, &limits, &platform, &subscriber));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, NULL, &subscriber));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_init(subscriber_memory, sizeof subscriber_memory, &limits, &platform, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_subscriber_init(subscriber_memory, 600, &limits, &other_platform, &subscriber));
    subscriber = start_subscriber();
    memcpy(copy, subscriber_memory, sizeof subscriber_memory);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_subscriber_store((iotedge_subscriber_t *)copy));
    STATUS(IOTEDGE_OK, iotedge_subscriber_deinit(subscriber));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_subscriber_deinit(subscriber));
}

/* Owner and subscriber in one room: the application carries what each says. */
static void a_sale(uint32_t mode)
{
    iotedge_channel_owner_t *owner;
    iotedge_subscriber_t *subscriber;
    iotedge_channel_op_t told;
    iotedge_channel_published_t published;
    iotedge_channel_status_t status;
    iotedge_subscription_status_t stands;
    iotedge_heard_t heard;
    uint8_t side[IOTEDGE_SIDE_KEY_SIZE], signature[IOTEDGE_SIGNATURE_SIZE], path[6 * 32], root[IOTEDGE_CHANNEL_MAX_OP];
    uint8_t message[IOTEDGE_CHANNEL_MAX_OP + 120];
    size_t count = 0, root_len, message_len = 0, statement_op = 0;
    uint32_t subscription = 99, member = 99;
    const uint8_t *side_key = mode == IOTEDGE_CHANNEL_RESTRICTED ? side : NULL;
    memset(side, 0x51, sizeof side);
    fresh(mode);
    config.side_key = side_key;
    owner = start_owner();
    subscriber = start_subscriber();
    memset(&told, 0, sizeof told);
    told.size = (uint32_t)sizeof told;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    memset(&stands, 0, sizeof stands);
    stands.size = (uint32_t)sizeof stands;

    /* The announce is due first. */
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_channel_owner_taken(owner));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_channel_owner_next_op(owner, NEWEST, op, 100, &op_len));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_next_op(owner, NEWEST, NULL, 100, &op_len));
    STATUS(IOTEDGE_OK, next(owner));
    STATUS(IOTEDGE_OK, iotedge_channel_op_read(op, op_len, &told));
    CHECK(told.op == IOTEDGE_CHANNEL_OP_ANNOUNCE && told.mode == mode && told.channel == 1 && told.key_epoch == 1);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    STATUS(IOTEDGE_E_NONE, next(owner));

    /* Asked for, granted, seated. */
    STATUS(IOTEDGE_E_CHANNEL_OTHER, iotedge_subscriber_status(subscriber, 0, &stands));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_subscribe(subscriber, NULL, &key, side_key, &subscription, op, sizeof op, &op_len));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_subscribe(subscriber, &source, NULL, side_key, &subscription, op, sizeof op, &op_len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_subscriber_subscribe(subscriber, &source, &key, side_key, &subscription, op, 4, &op_len));
    STATUS(IOTEDGE_E_CHANNEL_OTHER, iotedge_subscriber_status(subscriber, 0, &stands));
    STATUS(IOTEDGE_OK, iotedge_subscriber_subscribe(subscriber, &source, &key, side_key, &subscription, op, sizeof op, &op_len));
    CHECK(subscription == 0);
    STATUS(IOTEDGE_OK, iotedge_subscriber_status(subscriber, subscription, &stands));
    CHECK(stands.granted == 0 && stands.owner == OWNER && stands.channel == 1);
    STATUS(IOTEDGE_OK, iotedge_channel_op_read(op, op_len, &told));
    CHECK(told.op == IOTEDGE_CHANNEL_OP_SUBSCRIBE && told.member == OWNER);
    STATUS(IOTEDGE_E_MALFORMED, iotedge_channel_op_read(op, op_len - 1, &told));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_op_read(NULL, op_len, &told));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_grant(owner, READER, NULL, told.bytes));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_channel_owner_grant(owner, 65536, limits.device, told.bytes));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_grant(owner, READER, limits.device, told.bytes));
    STATUS(IOTEDGE_E_BUSY, iotedge_channel_owner_grant(owner, READER, limits.device, told.bytes));
    STATUS(IOTEDGE_OK, next(owner));
    op[op_len - 1] ^= 1;
    (void)hear(subscriber, side_key != NULL ? IOTEDGE_E_CHANNEL_SIDE_KEY : IOTEDGE_E_CHANNEL_WRONG_READER);
    op[op_len - 1] ^= 1;
    heard = hear(subscriber, IOTEDGE_OK);
    CHECK(heard.kind == IOTEDGE_HEARD_GRANTED && heard.subscription == subscription);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    STATUS(IOTEDGE_OK, next(owner));
    heard = hear(subscriber, IOTEDGE_OK);
    CHECK(heard.kind == IOTEDGE_HEARD_SEATED);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    (void)hear(subscriber, IOTEDGE_E_CHANNEL_STALE);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_reader(owner, 0, &member));
    CHECK(member == READER);
    STATUS(IOTEDGE_E_NONE, iotedge_channel_owner_reader(owner, 1, &member));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_reader(owner, 0, NULL));

    /* A tagged one, a signed one, one in a transaction. */
    STATUS(IOTEDGE_OK, iotedge_channel_owner_prepare(owner, NEWEST));
    STATUS(IOTEDGE_OK, publish(owner, 0, "21.5 C", &published));
    CHECK(sealed_len == 6 + 17 && published.index == 0 && published.key_epoch == 1 && published.batch_full == 0);
    sealed[12] ^= 1;
    (void)read_as(subscriber, IOTEDGE_E_CHANNEL_FORGED);
    sealed[12] ^= 1;
    heard = read_as(subscriber, IOTEDGE_OK);
    CHECK(heard.kind == IOTEDGE_HEARD_MESSAGE && heard.text_len == 6 && memcmp(text, "21.5 C", 6) == 0 && heard.flags == 0);
    CHECK(memcmp(heard.hash, published.leaf, 32) == 0);
    (void)read_as(subscriber, IOTEDGE_E_CHANNEL_REPLAYED);
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_read(subscriber, NULL, 5, text, sizeof text, &heard));
    STATUS(IOTEDGE_E_NULL, iotedge_subscriber_read(subscriber, sealed, sealed_len, NULL, 5, &heard));
    STATUS(IOTEDGE_E_ARGUMENT, publish(owner, 8, "x", &published));
    STATUS(IOTEDGE_OK, publish(owner, IOTEDGE_CHANNEL_SIGNED | IOTEDGE_CHANNEL_COSE, "signed", &published));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, published.sign_input, sizeof published.sign_input, signature));
    signature[40] ^= 1;
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_channel_sign(&published, &key, signature, sealed, sizeof sealed, &sealed_len));
    signature[40] ^= 1;
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_channel_sign(&published, &key, signature, sealed, sealed_len + 63, &sealed_len));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_sign(NULL, &key, signature, sealed, sizeof sealed, &sealed_len));
    STATUS(IOTEDGE_OK, iotedge_channel_sign(&published, &key, signature, sealed, sizeof sealed, &sealed_len));
    heard = read_as(subscriber, IOTEDGE_OK);
    CHECK(heard.flags == IOTEDGE_HEARD_ATTRIBUTED && heard.text_len == 6 && heard.index == 1);
    STATUS(IOTEDGE_OK, publish(owner, IOTEDGE_CHANNEL_SIGNED, "carried", &published));
    STATUS(IOTEDGE_E_LENGTH, iotedge_channel_message_op(1, 0, sealed, 320, op, sizeof op, &op_len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_channel_message_op(65536, 0, sealed, sealed_len, op, sizeof op, &op_len));
    STATUS(IOTEDGE_OK, iotedge_channel_message_op(1, 0, sealed, sealed_len, op, sizeof op, &op_len));
    heard = hear(subscriber, IOTEDGE_OK);
    CHECK(heard.kind == IOTEDGE_HEARD_MESSAGE && heard.flags == IOTEDGE_HEARD_ATTRIBUTED && memcmp(text, "carried", 7) == 0);

    /* The batch of four is full; its root proves all of them, and a path one. */
    STATUS(IOTEDGE_OK, publish(owner, IOTEDGE_CHANNEL_LONG_TAG, "last", &published));
    CHECK(published.batch_full == 1 && sealed_len == 4 + 25);
    (void)read_as(subscriber, IOTEDGE_OK);
    STATUS(IOTEDGE_E_BUSY, publish(owner, 0, "x", &published));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_close_batch(owner));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_path(owner, 2, path, 6, &count));
    CHECK(count == 2);
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_channel_owner_path(owner, 2, path, 1, &count));
    STATUS(IOTEDGE_E_CHANNEL_BATCH, iotedge_channel_owner_path(owner, 4, path, 6, &count));
    STATUS(IOTEDGE_OK, next(owner));
    memcpy(root, op, op_len);
    root_len = op_len;
    heard = hear(subscriber, IOTEDGE_OK);
    CHECK(heard.kind == IOTEDGE_HEARD_ROOT && heard.flags == IOTEDGE_HEARD_ATTRIBUTED && heard.count == BATCH && heard.index == 0);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    STATUS(IOTEDGE_OK, iotedge_subscriber_prove(subscriber, 0, root, root_len, 2, path, count));
    STATUS(IOTEDGE_E_WRONG_PATH, iotedge_subscriber_prove(subscriber, 0, root, root_len, 1, path, count));
    STATUS(IOTEDGE_E_PATH_LENGTH, iotedge_subscriber_prove(subscriber, 0, root, root_len, 2, path, 7));
    STATUS(IOTEDGE_E_CHANNEL_OTHER, iotedge_subscriber_prove(subscriber, 1, root, root_len, 2, path, count));
    root[root_len - 1] ^= 1;
    memcpy(op, root, root_len);
    op_len = root_len;
    (void)hear(subscriber, IOTEDGE_E_WRONG_PATH);

    /* Both start anew: the owner skips what it reserved, and says so. */
    STATUS(IOTEDGE_OK, iotedge_channel_owner_deinit(owner));
    STATUS(IOTEDGE_OK, iotedge_subscriber_store(subscriber));
    STATUS(IOTEDGE_OK, iotedge_subscriber_deinit(subscriber));
    owner = start_owner();
    subscriber = start_subscriber();
    STATUS(IOTEDGE_OK, publish(owner, 0, "again", &published));
    CHECK(published.index == 4);
    other.fail_put = 1;
    (void)read_as(subscriber, IOTEDGE_E_PLATFORM);
    CHECK(text[0] == 0);
    other.fail_put = 0;
    (void)read_as(subscriber, IOTEDGE_OK);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_rekey(owner, NEWEST));
    while (next(owner) == IOTEDGE_OK) {
        heard = hear(subscriber, IOTEDGE_OK);
        STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    }
    CHECK(heard.kind == IOTEDGE_HEARD_REKEYED && heard.lost == 0);

    /* Off the ledger: a revoke as a statement, which another key cannot make. */
    STATUS(IOTEDGE_E_CHANNEL_READER, iotedge_channel_owner_revoke(owner, NEWEST, 5));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_revoke(owner, NEWEST, READER));
    STATUS(IOTEDGE_E_BUSY, publish(owner, 0, "x", &published));
    STATUS(IOTEDGE_OK, next(owner));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_channel_statement_input(config.neighbourhood, config.device, op, op_len, message, 40, &message_len));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_statement_input(NULL, config.device, op, op_len, message, sizeof message, &message_len));
    STATUS(IOTEDGE_OK, iotedge_channel_statement_input(config.neighbourhood, config.device, op, op_len, message, sizeof message, &message_len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, message, message_len, signature));
    memcpy(message, op, op_len);
    memcpy(message + op_len, signature, sizeof signature);
    STATUS(IOTEDGE_OK, iotedge_channel_statement_check(config.neighbourhood, config.device, &key, message, op_len + 64, &statement_op));
    CHECK(statement_op == op_len);
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_channel_statement_check(limits.device, config.device, &key, message, op_len + 64, &statement_op));
    STATUS(IOTEDGE_E_LENGTH, iotedge_channel_statement_check(config.neighbourhood, config.device, &key, message, sizeof message, &statement_op));
    STATUS(IOTEDGE_E_NULL, iotedge_channel_statement_check(config.neighbourhood, config.device, &key, message, op_len + 64, NULL));
    message[op_len + 40] ^= 1;
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_subscriber_hear_statement(subscriber, READER, OWNER, message, op_len + 64, text, sizeof text, &heard));
    message[op_len + 40] ^= 1;
    STATUS(IOTEDGE_OK, iotedge_subscriber_hear_statement(subscriber, READER, OWNER, message, op_len + 64, text, sizeof text, &heard));
    CHECK(heard.kind == IOTEDGE_HEARD_REVOKED);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_taken(owner));
    STATUS(IOTEDGE_OK, publish(owner, 0, "secret", &published));
    (void)read_as(subscriber, IOTEDGE_E_CHANNEL_UNKNOWN);
    CHECK(published.key_epoch == 3 && published.index == 0);
    STATUS(IOTEDGE_OK, iotedge_channel_owner_status(owner, &status));
    CHECK(status.key_epoch == 3 && status.index == 1 && status.readers == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_channel_owner_status(owner, NULL));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_renew(owner, NEWEST));
    STATUS(IOTEDGE_OK, iotedge_subscriber_status(subscriber, 0, &stands));
    CHECK(stands.granted == 1 && stands.key_epoch == 2);
    STATUS(IOTEDGE_E_CHANNEL_OTHER, iotedge_subscriber_unsubscribe(subscriber, 1));
    STATUS(IOTEDGE_OK, iotedge_subscriber_unsubscribe(subscriber, 0));
    STATUS(IOTEDGE_E_CHANNEL_OTHER, iotedge_subscriber_unsubscribe(subscriber, 0));
    STATUS(IOTEDGE_OK, iotedge_subscriber_deinit(subscriber));
    STATUS(IOTEDGE_OK, iotedge_channel_owner_deinit(owner));
    /* A damaged store is said to be one. */
    device.slots[1].value[0] = 0x60;
    STATUS(IOTEDGE_E_WRONG_TYPE, iotedge_channel_owner_init(owner_memory, sizeof owner_memory, &config, &platform, NEWEST, &owner));
}

static void frames(void)
{
    uint8_t frame[IOTEDGE_MAX_FRAME];
    size_t frame_len = 0, len = 0;
    const uint8_t *said = NULL;
    uint32_t what = 99, ticket;
    iotedge_node_t *node;
    fresh(IOTEDGE_CHANNEL_PRIVATE);
    memset(sealed, 7, sizeof sealed);
    STATUS(IOTEDGE_OK, iotedge_frame_say(TAG, IOTEDGE_SAID_TICK, sealed, 40, frame, sizeof frame, &frame_len));
    CHECK(frame_len == 46);
    STATUS(IOTEDGE_OK, iotedge_frame_said(TAG, frame, frame_len, &what, &said, &len));
    CHECK(what == IOTEDGE_SAID_TICK && len == 40 && said == frame + 6);
    STATUS(IOTEDGE_E_NONE, iotedge_frame_said(limits.device, frame, frame_len, &what, &said, &len));
    STATUS(IOTEDGE_E_LENGTH, iotedge_frame_said(TAG, frame, 6, &what, &said, &len));
    STATUS(IOTEDGE_E_NONE, iotedge_frame_said(TAG, frame, 4, &what, &said, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_frame_said(NULL, frame, frame_len, &what, &said, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_frame_said(TAG, frame, frame_len, NULL, &said, &len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_frame_say(TAG, IOTEDGE_SAID_MANIFEST + 1, sealed, 40, frame, sizeof frame, &frame_len));
    STATUS(IOTEDGE_E_LENGTH, iotedge_frame_say(TAG, IOTEDGE_SAID_TICK, NULL, 0, frame, sizeof frame, &frame_len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_frame_say(TAG, IOTEDGE_SAID_TICK, sealed, 40, frame, 45, &frame_len));
    STATUS(IOTEDGE_E_NULL, iotedge_frame_say(TAG, IOTEDGE_SAID_TICK, sealed, 40, NULL, 45, &frame_len));
    CHECK(frame_len == 46);
    /* No node takes it. */
    node = node_start(node_memory);
    STATUS(IOTEDGE_OK, iotedge_node_add_peer(node, 1000, 1, 0));
    STATUS(IOTEDGE_E_NOT_FOR_ME, iotedge_node_receive(node, 1000, 1, frame, frame_len));
    STATUS(IOTEDGE_OK, iotedge_channel_message_op(1, 0, sealed, 200, op, sizeof op, &op_len));
    STATUS(IOTEDGE_OK, iotedge_node_submit_channel(node, 1000, 0, op, op_len, &ticket));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_node_submit_channel(node, 1000, 0, op, op_len - 1, &ticket));
    STATUS(IOTEDGE_E_NULL, iotedge_node_submit_channel(NULL, 1000, 0, op, op_len, &ticket));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

int main(void)
{
    sizes_and_beginnings();
    a_sale(IOTEDGE_CHANNEL_PRIVATE);
    a_sale(IOTEDGE_CHANNEL_RESTRICTED);
    frames();
    return check_end("channel");
}
