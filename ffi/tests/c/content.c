/* Every function of large content and updates: providers and receivers that talk over every link, firmware that arrives over power cuts, and what each does when it is misused. */
#include "device.h"

enum { KEY = 0x300, MOST = IOTEDGE_CONTENT_MAX_PART, WHOLE = 65536, STEP = 4, NARROW = 51 };
#define PROVIDER_WORDS (IOTEDGE_PROVIDER_SIZE(WHOLE, 6, 0) / 8)
#define LINK_WORDS (IOTEDGE_LINK_SIZE(1, 2, 2, IOTEDGE_MAX_FRAME) / 8)

static uint64_t content_memory[IOTEDGE_CONTENT_SIZE / 8];
static uint64_t provider_memory[PROVIDER_WORDS];
static uint64_t update_memory[IOTEDGE_UPDATE_SIZE / 8];
static uint64_t copy[PROVIDER_WORDS];
static uint64_t link_memory[2][LINK_WORDS];
static const uint8_t TAG[4] = {1, 2, 3, 4};

/* What is served, and where it is to lie: a memory that fails, and that loses its power. */
typedef struct {
    uint8_t bytes[WHOLE];
    size_t len;
    size_t writes;
    uint64_t next;
    int fail;
    int holes;
    int32_t (*reenter)(void);
    int32_t reentered;
} flash_t;

static flash_t whole;
static flash_t place;
static iotedge_slot_t source;
static iotedge_slot_t slot;
static iotedge_provider_config_t config;
static iotedge_content_descriptor_t which;
static iotedge_provider_t *provider;
static uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST];
static size_t request_len;
static uint8_t part[MOST];
static size_t part_len;

static int32_t flash_read(void *user, uint64_t offset, uint8_t *out, size_t len)
{
    flash_t *f = (flash_t *)user;
    if (f->reenter != NULL) {
        f->reentered = f->reenter();
    }
    if (f->fail || offset + len > f->len) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, f->bytes + offset, len);
    return IOTEDGE_OK;
}

static int32_t flash_write(void *user, uint64_t offset, const uint8_t *bytes, size_t len)
{
    flash_t *f = (flash_t *)user;
    if (f->reenter != NULL) {
        f->reentered = f->reenter();
    }
    if (f->fail || offset + len > sizeof f->bytes) {
        return IOTEDGE_E_PLATFORM;
    }
    /* In order; or from a step's beginning on, once more. */
    if (offset != f->next && (offset > f->next || offset % (64 * STEP) != 0)) {
        f->holes = 1;
    }
    memcpy(f->bytes + offset, bytes, len);
    f->next = offset + len;
    f->len = (size_t)f->next > f->len ? (size_t)f->next : f->len;
    f->writes++;
    return IOTEDGE_OK;
}

/* So many bytes, served. */
static void serve(size_t len, uint32_t chunk, uint32_t level)
{
    uint32_t x = 12345;
    memset(&whole, 0, sizeof whole);
    memset(&place, 0, sizeof place);
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        whole.bytes[i] = (uint8_t)(x >> 24);
    }
    whole.len = len;
    memset(&source, 0, sizeof source);
    source.size = (uint32_t)sizeof source;
    source.user = &whole;
    source.read = flash_read;
    slot = source;
    slot.user = &place;
    slot.write = flash_write;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.chunk = chunk;
    config.length = len;
    config.level = level;
    memset(provider_memory, 0, sizeof provider_memory);
    STATUS(IOTEDGE_OK, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, &provider));
    memset(&which, 0, sizeof which);
    which.size = (uint32_t)sizeof which;
    STATUS(IOTEDGE_OK, iotedge_provider_descriptor(provider, &which));
}

static iotedge_content_t *begin(void)
{
    iotedge_content_t *content = NULL;
    memset(content_memory, 0, sizeof content_memory);
    STATUS(IOTEDGE_OK, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, &content));
    return content;
}

static int32_t ask(const iotedge_content_t *content, uint32_t most, uint32_t chunks)
{
    return iotedge_content_request(content, most, chunks, request, sizeof request, &request_len);
}

static int32_t answer(void)
{
    return iotedge_provider_answer(provider, request, &request_len, part, sizeof part, &part_len);
}

static int32_t take(iotedge_content_t *content)
{
    uint32_t step = 99;
    int32_t status = iotedge_content_take(content, part, part_len, &step);
    CHECK(status == IOTEDGE_OK ? step <= IOTEDGE_CONTENT_CHUNK : step == 99);
    return status;
}

static iotedge_content_progress_t progress(const iotedge_content_t *content)
{
    iotedge_content_progress_t found;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_OK, iotedge_content_progress(content, &found));
    return found;
}

static void names(void)
{
    uint8_t name[IOTEDGE_CONTENT_MAX_NAME], id[32], longer[IOTEDGE_CONTENT_MAX_NAME + 1];
    iotedge_content_descriptor_t read;
    size_t len = 7;
    serve(5000, 9, 0);
    memset(&read, 0, sizeof read);
    read.size = (uint32_t)sizeof read;
    STATUS(IOTEDGE_OK, iotedge_content_name(&which, name, sizeof name, &len));
    STATUS(IOTEDGE_OK, iotedge_content_describe(name, len, &read));
    CHECK(memcmp(&read, &which, sizeof read) == 0);
    STATUS(IOTEDGE_OK, iotedge_content_id(&which, id));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_content_name(&which, name, len - 1, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_name(NULL, name, sizeof name, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_name(&which, NULL, sizeof name, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_name(&which, name, sizeof name, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_content_describe(name, len - 1, &read));
    memcpy(longer, name, len);
    longer[len] = 0;
    STATUS(IOTEDGE_E_MALFORMED, iotedge_content_describe(longer, len + 1, &read));
    longer[len - 35] = 11; /* The chunk's power, before the root. */
    STATUS(IOTEDGE_E_RANGE, iotedge_content_describe(longer, len, &read));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_content_describe(NULL, 0, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_content_describe(NULL, len, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_content_describe(name, len, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_content_id(NULL, id));
    STATUS(IOTEDGE_E_NULL, iotedge_content_id(&which, NULL));
    read.chunk = 5;
    STATUS(IOTEDGE_E_RANGE, iotedge_content_id(&read, id));
    read.chunk = 6;
    read.length = ((uint64_t)1 << 26) + 1;
    STATUS(IOTEDGE_E_CONTENT_SIZE, iotedge_content_id(&read, id));
    read.length = 0;
    STATUS(IOTEDGE_E_CONTENT_SIZE, iotedge_content_name(&read, name, sizeof name, &len));
    read.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_content_id(&read, id));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

static void beginnings(void)
{
    iotedge_provider_t *other = NULL;
    iotedge_content_t *content = NULL;
    size_t bytes = 0;
    serve(5000, 6, 0);
    STATUS(IOTEDGE_OK, iotedge_provider_size(&config, &bytes));
    CHECK(bytes <= IOTEDGE_PROVIDER_SIZE(5000, 6, 0) && bytes > 79 * 32);
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, &other));
    memcpy(copy, provider_memory, sizeof copy);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_provider_descriptor((iotedge_provider_t *)copy, &which));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
    for (size_t i = 0; i < bytes / 8; i++) {
        CHECK(provider_memory[i] == 0);
    }
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_provider_deinit(provider));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_deinit(NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_size(NULL, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_size(&config, NULL));
#define REFUSED(status, field, value)                                                                                              \
    do {                                                                                                                           \
        iotedge_provider_config_t usual = config;                                                                                  \
        config.field = value;                                                                                                      \
        STATUS(status, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, &other));                  \
        STATUS(status, iotedge_provider_size(&config, &bytes));                                                                    \
        config = usual;                                                                                                            \
    } while (0)
    REFUSED(IOTEDGE_E_STRUCT_SIZE, size, 8);
    REFUSED(IOTEDGE_E_RANGE, chunk, 5);
    REFUSED(IOTEDGE_E_RANGE, chunk, 11);
    REFUSED(IOTEDGE_E_RANGE, chunk, 262);
    REFUSED(IOTEDGE_E_CONTENT_SIZE, length, 0);
    REFUSED(IOTEDGE_E_CONTENT_SIZE, length, ((uint64_t)1 << 26) + 1);
    REFUSED(IOTEDGE_E_ARGUMENT, level, 21);
    REFUSED(IOTEDGE_E_ARGUMENT, reserved, 1);
    STATUS(IOTEDGE_E_NULL, iotedge_provider_init(NULL, sizeof provider_memory, &config, &source, &other));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_init(provider_memory, sizeof provider_memory, NULL, &source, &other));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, NULL, &other));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_provider_init(provider_memory, 1000, &config, &source, &other));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_provider_init((uint8_t *)provider_memory + 4, sizeof provider_memory - 8, &config, &source, &other));
    whole.fail = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, &other));
    whole.fail = 0;
    source.read = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &source, &other));
    CHECK(other == NULL);

    STATUS(IOTEDGE_OK, iotedge_content_size(&bytes));
    CHECK(bytes <= IOTEDGE_CONTENT_SIZE && bytes > 700);
    STATUS(IOTEDGE_E_NULL, iotedge_content_size(NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_content_begin(NULL, sizeof content_memory, &which, &slot, &content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_begin(content_memory, sizeof content_memory, NULL, &slot, &content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_begin(content_memory, sizeof content_memory, &which, NULL, &content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_content_begin(content_memory, bytes - 8, &which, &slot, &content));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_content_begin((uint8_t *)content_memory + 4, sizeof content_memory, &which, &slot, &content));
    slot.write = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, &content));
    slot.write = flash_write;
    slot.reserved = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, &content));
    slot.reserved = 0;
    which.chunk = 11;
    STATUS(IOTEDGE_E_RANGE, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, &content));
    which.chunk = 6;
    CHECK(content == NULL);
    content = begin();
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_content_begin(content_memory, sizeof content_memory, &which, &slot, &content));
    memcpy(copy, content_memory, sizeof content_memory);
    STATUS(IOTEDGE_E_NOT_INITIALISED, ask((iotedge_content_t *)copy, 1400, 1));
    STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_content_deinit(content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_deinit(NULL));
}

static void every_size_over_every_link(void)
{
    static const size_t SIZES[] = {1, 63, 64, 65, 640, 4097, 20000, WHOLE};
    static const uint32_t LINKS[] = {130, 165, 222, MOST};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        for (size_t j = 0; j < sizeof LINKS / sizeof LINKS[0]; j++) {
            iotedge_content_t *content;
            iotedge_content_progress_t found;
            size_t longest = 0, parts = 0;
            serve(SIZES[i], 6, (uint32_t)(i + j) % 5);
            content = begin();
            while (ask(content, LINKS[j], 7) == IOTEDGE_OK) {
                while (request_len > 0) {
                    STATUS(IOTEDGE_OK, answer());
                    longest = part_len > longest ? part_len : longest;
                    STATUS(IOTEDGE_OK, take(content));
                    parts++;
                }
            }
            STATUS(IOTEDGE_E_NONE, ask(content, LINKS[j], 7));
            found = progress(content);
            CHECK(found.complete == 1 && found.chunks == found.count && found.count == (SIZES[i] + 63) / 64);
            CHECK(place.len == SIZES[i] && memcmp(place.bytes, whole.bytes, SIZES[i]) == 0 && !place.holes);
            CHECK(longest <= LINKS[j] && parts >= found.count && place.writes == found.count);
            STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
            STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
        }
    }
}

static void a_request_that_cannot_be_answered(void)
{
    uint8_t usual[IOTEDGE_CONTENT_MAX_REQUEST];
    iotedge_content_t *content;
    size_t usual_len;
    serve(1000, 6, 0);
    content = begin();
    STATUS(IOTEDGE_E_ARGUMENT, ask(content, 65536, 1));
    STATUS(IOTEDGE_E_ARGUMENT, ask(content, 1400, 256));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_content_request(content, 1400, 1, request, 10, &request_len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_request(content, 1400, 1, NULL, 10, &request_len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_request(content, 1400, 1, request, sizeof request, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_content_request(NULL, 1400, 1, request, sizeof request, &request_len));
    /* 51 bytes are a packet's, not a part's: a link cuts it. */
    STATUS(IOTEDGE_OK, ask(content, 51, 1));
    STATUS(IOTEDGE_E_CONTENT_NARROW, answer());
    STATUS(IOTEDGE_OK, ask(content, 97, 1));
    STATUS(IOTEDGE_E_CONTENT_NARROW, answer());
    STATUS(IOTEDGE_OK, ask(content, 1400, 0));
    usual_len = request_len;
    memcpy(usual, request, sizeof usual);
    STATUS(IOTEDGE_E_CONTENT_NARROW, iotedge_provider_answer(provider, request, &request_len, part, 90, &part_len));
    request[2] ^= 1;
    STATUS(IOTEDGE_E_CONTENT_OTHER, answer());
    memcpy(request, usual, sizeof usual);
    request[19] ^= 1; /* Where the subtree ends. */
    STATUS(IOTEDGE_E_CONTENT_INDEX, answer());
    request[18] = 17;
    request[19] = 16;
    STATUS(IOTEDGE_E_RANGE, answer());
    memcpy(request, usual, sizeof usual);
    request_len--;
    STATUS(IOTEDGE_E_MALFORMED, answer());
    request_len = 0;
    STATUS(IOTEDGE_E_MALFORMED, answer());
    request_len = usual_len;
    request[0] ^= 0x40;
    STATUS(IOTEDGE_E_WRONG_TYPE, answer());
    request[0] ^= 0x40;
    whole.fail = 1;
    STATUS(IOTEDGE_E_PLATFORM, answer());
    whole.fail = 0;
    CHECK(request_len == usual_len && memcmp(request, usual, sizeof usual) == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_provider_answer(NULL, request, &request_len, part, sizeof part, &part_len));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_answer(provider, NULL, &request_len, part, sizeof part, &part_len));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_answer(provider, request, NULL, part, sizeof part, &part_len));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_answer(provider, request, &request_len, NULL, sizeof part, &part_len));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_answer(provider, request, &request_len, part, sizeof part, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_provider_descriptor(provider, NULL));
    STATUS(IOTEDGE_OK, answer());
    CHECK(request_len == 0);
    STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

static iotedge_content_t *reentered_content;

static int32_t come_back(void)
{
    return ask(reentered_content, 1400, 1);
}

static int32_t come_back_provider(void)
{
    return iotedge_provider_descriptor(provider, &which);
}

static void a_part_that_is_refused(void)
{
    uint8_t usual[MOST];
    uint32_t step = 99;
    iotedge_content_t *content;
    serve(1000, 6, 0);
    content = begin();
    STATUS(IOTEDGE_OK, ask(content, 1400, 3));
    STATUS(IOTEDGE_OK, answer());
    memcpy(usual, part, sizeof usual);
    for (size_t i = 0; i < part_len; i++) { /* Whatever is changed is refused, and nothing is written. */
        part[i] ^= 1;
        CHECK(take(content) != IOTEDGE_OK);
        part[i] ^= 1;
    }
    part[part_len - 1] ^= 0x80;
    STATUS(IOTEDGE_E_CONTENT_FORGED, take(content));
    part[part_len - 1] ^= 0x80;
    part[2] ^= 1;
    STATUS(IOTEDGE_E_CONTENT_OTHER, take(content));
    part[2] ^= 1;
    part[18] = 1;
    STATUS(IOTEDGE_E_CONTENT_PART, take(content));
    part[18] = 0;
    part_len--;
    STATUS(IOTEDGE_E_MALFORMED, take(content));
    part[part_len - 64] = 63; /* A chunk of one byte less. */
    STATUS(IOTEDGE_E_CONTENT_LENGTH, take(content));
    part_len++;
    memcpy(part, usual, sizeof part);
    part[0] ^= 0x40;
    STATUS(IOTEDGE_E_WRONG_TYPE, take(content));
    part[0] ^= 0x40;
    place.fail = 1;
    STATUS(IOTEDGE_E_PLATFORM, take(content));
    place.fail = 0;
    STATUS(IOTEDGE_E_NULL, iotedge_content_take(content, NULL, part_len, &step));
    STATUS(IOTEDGE_E_NULL, iotedge_content_take(content, part, part_len, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_content_take(NULL, part, part_len, &step));
    STATUS(IOTEDGE_E_NULL, iotedge_content_progress(content, NULL));
    CHECK(place.writes == 0 && progress(content).chunks == 0);
    reentered_content = content;
    place.reenter = come_back;
    STATUS(IOTEDGE_OK, take(content));
    STATUS(IOTEDGE_E_REENTERED, place.reentered);
    place.reenter = NULL;
    STATUS(IOTEDGE_E_CONTENT_PART, take(content));
    /* What was asked for with it. */
    whole.reenter = come_back_provider;
    STATUS(IOTEDGE_OK, ask(content, 1400, 3));
    STATUS(IOTEDGE_OK, answer());
    STATUS(IOTEDGE_E_REENTERED, whole.reentered);
    whole.reenter = NULL;
    STATUS(IOTEDGE_OK, take(content));
    CHECK(place.writes == 2 && progress(content).chunks == 2);
    STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

/* The receiver is saved after each chunk, and its memory is lost. */
static void a_receiver_over_resets(void)
{
    uint8_t saved[IOTEDGE_CONTENT_MAX_STATE];
    size_t saved_len = 0;
    iotedge_content_t *content;
    serve(64 * 21 + 3, 6, 1);
    content = begin();
    for (;;) {
        STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_content_save(content, saved, 20, &saved_len));
        STATUS(IOTEDGE_OK, iotedge_content_save(content, saved, sizeof saved, &saved_len));
        if (ask(content, 165, 1) != IOTEDGE_OK) {
            break;
        }
        STATUS(IOTEDGE_OK, answer());
        STATUS(IOTEDGE_OK, take(content));
        if (request_len > 0) {
            STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_content_save(content, saved, sizeof saved, &saved_len));
        }
        while (request_len > 0) {
            STATUS(IOTEDGE_OK, answer());
            STATUS(IOTEDGE_OK, take(content));
        }
        STATUS(IOTEDGE_OK, iotedge_content_save(content, saved, sizeof saved, &saved_len));
        memset(content_memory, 0, sizeof content_memory);
        STATUS(IOTEDGE_E_CONTENT_STORED,
               iotedge_content_restore(content_memory, sizeof content_memory, &which, &slot, saved, saved_len - 1, &content));
        saved[1] ^= 0x20;
        STATUS(IOTEDGE_E_CONTENT_STORED,
               iotedge_content_restore(content_memory, sizeof content_memory, &which, &slot, saved, saved_len, &content));
        saved[1] ^= 0x20;
        STATUS(IOTEDGE_OK, iotedge_content_restore(content_memory, sizeof content_memory, &which, &slot, saved, saved_len, &content));
    }
    CHECK(progress(content).complete == 1 && place.writes == 22 && memcmp(place.bytes, whole.bytes, whole.len) == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_content_save(content, NULL, sizeof saved, &saved_len));
    STATUS(IOTEDGE_E_NULL, iotedge_content_save(content, saved, sizeof saved, NULL));
    STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_restore(content_memory, sizeof content_memory, &which, &slot, NULL, saved_len, &content));
    STATUS(IOTEDGE_E_NULL, iotedge_content_restore(content_memory, sizeof content_memory, NULL, &slot, saved, saved_len, &content));
    which.length++;
    STATUS(IOTEDGE_E_CONTENT_STORED,
           iotedge_content_restore(content_memory, sizeof content_memory, &which, &slot, saved, saved_len, &content));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

/* One frame through two links whose packets have 51 bytes: LoRa's smallest, EU868 at DR0. */
static void over_51_bytes(iotedge_link_t **ends, int from, const uint8_t *frame, size_t frame_len, uint8_t *out,
                          size_t *out_len)
{
    uint8_t packet[NARROW];
    uint32_t peer;
    size_t len;
    int32_t status = IOTEDGE_E_NONE;
    static uint64_t now = 1000;
    STATUS(IOTEDGE_OK, iotedge_link_send(ends[from], now, 1, frame, frame_len, NULL));
    for (int turn = 0; turn < 400 && status != IOTEDGE_OK; turn++) {
        now += 50;
        for (int end = 0; end < 2; end++) {
            while (iotedge_link_next_packet(ends[end], now, &peer, packet, sizeof packet, &len) == IOTEDGE_OK) {
                int32_t got = iotedge_link_receive(ends[1 - end], now, 1, packet, len, NULL, out, IOTEDGE_MAX_FRAME, out_len);
                status = got == IOTEDGE_OK && end == from ? got : status;
            }
        }
    }
    STATUS(IOTEDGE_OK, status);
}

static void over_frames_and_a_narrow_link(void)
{
    iotedge_link_t *ends[2] = {NULL, NULL};
    iotedge_link_limits_t limits;
    iotedge_link_config_t link;
    iotedge_content_t *content;
    uint8_t frame[IOTEDGE_MAX_FRAME], came[IOTEDGE_MAX_FRAME];
    const uint8_t *said = NULL;
    size_t frame_len = 0, came_len = 0, len = 0;
    uint32_t what = 99, step = 99;
    device_fresh();
    serve(3000, 7, 2);
    content = begin();
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.peers = 1;
    limits.outgoing = 2;
    limits.incoming = 2;
    limits.per_peer = 1;
    limits.frame = IOTEDGE_MAX_FRAME;
    memset(&link, 0, sizeof link);
    link.size = (uint32_t)sizeof link;
    link.mtu = NARROW;
    memset(link_memory, 0, sizeof link_memory);
    for (int end = 0; end < 2; end++) {
        STATUS(IOTEDGE_OK, iotedge_link_init(link_memory[end], sizeof link_memory[end], &limits, &link, &ends[end]));
        STATUS(IOTEDGE_OK, iotedge_link_add_peer(ends[end], 1));
    }
    while (ask(content, MOST, 4) == IOTEDGE_OK) {
        STATUS(IOTEDGE_OK, iotedge_frame_say(TAG, IOTEDGE_SAID_REQUEST, request, request_len, frame, sizeof frame, &frame_len));
        over_51_bytes(ends, 0, frame, frame_len, came, &came_len);
        STATUS(IOTEDGE_OK, iotedge_frame_said(TAG, came, came_len, &what, &said, &len));
        CHECK(what == IOTEDGE_SAID_REQUEST && len == request_len && memcmp(said, request, len) == 0);
        while (request_len > 0) {
            STATUS(IOTEDGE_OK, answer());
            STATUS(IOTEDGE_OK, iotedge_frame_say(TAG, IOTEDGE_SAID_PART, part, part_len, frame, sizeof frame, &frame_len));
            over_51_bytes(ends, 1, frame, frame_len, came, &came_len);
            STATUS(IOTEDGE_OK, iotedge_frame_said(TAG, came, came_len, &what, &said, &len));
            CHECK(what == IOTEDGE_SAID_PART);
            STATUS(IOTEDGE_OK, iotedge_content_take(content, said, len, &step));
        }
        if (checks_failed > 0) {
            return;
        }
    }
    CHECK(progress(content).complete == 1 && memcmp(place.bytes, whole.bytes, 3000) == 0);
    STATUS(IOTEDGE_OK, iotedge_content_deinit(content));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
    for (int end = 0; end < 2; end++) {
        STATUS(IOTEDGE_OK, iotedge_link_deinit(ends[end]));
    }
}

/* Firmware. */

static uint8_t maker_seed[32];
static iotedge_public_key_t maker;
static iotedge_update_target_t target;
static iotedge_manifest_t said;
static uint8_t manifest[IOTEDGE_UPDATE_MAX_MANIFEST];
static size_t manifest_len;
static const char COMPONENT[] = "app";

/* A device with an empty store, and an image of 64 * 30 + 5 bytes for it, release 3. */
static void fresh(void)
{
    device_fresh();
    serve(64 * 30 + 5, 6, 2);
    memset(maker_seed, 0x55, sizeof maker_seed);
    memset(&maker, 0, sizeof maker);
    maker.size = (uint32_t)sizeof maker;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(maker_seed, &maker));
    memset(&target, 0, sizeof target);
    target.size = (uint32_t)sizeof target;
    memset(target.vendor_id, 1, 16);
    memset(target.class_id, 2, 16);
    target.component = (const uint8_t *)COMPONENT;
    target.component_len = 3;
    target.authority = &maker;
    target.room = 10000;
    target.step = STEP;
    target.store_key = KEY;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    said.sequence = 3;
    memset(said.vendor_id, 1, 16);
    memset(said.class_id, 2, 16);
    memcpy(said.component, COMPONENT, 3);
    said.component_len = 3;
    STATUS(IOTEDGE_OK, iotedge_sha256(whole.bytes, whole.len, said.digest));
    memset(update_memory, 0, sizeof update_memory);
}

static void sign(const uint8_t *key)
{
    uint8_t message[IOTEDGE_MANIFEST_MAX_INPUT], signature[IOTEDGE_SIGNATURE_SIZE];
    iotedge_public_key_t signer = maker;
    size_t len = 0;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(key, &signer));
    STATUS(IOTEDGE_OK, iotedge_manifest_input(&signer, &said, &which, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(key, message, len, signature));
    STATUS(IOTEDGE_OK, iotedge_manifest_assemble(&signer, &said, &which, signature, manifest, sizeof manifest, &manifest_len));
}

static int32_t offer(uint64_t now)
{
    iotedge_update_t *update = NULL;
    int32_t status = iotedge_update_offer(update_memory, sizeof update_memory, &target, &platform, &slot, manifest, manifest_len, now, &update);
    CHECK((status == IOTEDGE_OK) == (update != NULL));
    return status;
}

static int32_t resume(void)
{
    iotedge_update_t *update = NULL;
    int32_t status = iotedge_update_resume(update_memory, sizeof update_memory, &target, &platform, &slot, &update);
    CHECK((status == IOTEDGE_OK) == (update != NULL));
    return status;
}

static iotedge_update_t *update_here(void)
{
    return (iotedge_update_t *)update_memory;
}

static iotedge_update_status_t stands(void)
{
    iotedge_update_status_t found;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_OK, iotedge_update_status(update_here(), &found));
    return found;
}

/* Up to so many chunks. */
static void load(unsigned chunks)
{
    for (unsigned i = 0; i < chunks; i++) {
        uint32_t step = 99;
        if (iotedge_update_request(update_here(), MOST, 1, request, sizeof request, &request_len) != IOTEDGE_OK) {
            return;
        }
        STATUS(IOTEDGE_OK, answer());
        STATUS(IOTEDGE_OK, iotedge_update_take(update_here(), part, part_len, &step));
        CHECK(step == IOTEDGE_CONTENT_CHUNK);
    }
}

static uint64_t installed(void)
{
    uint64_t sequence = 99;
    STATUS(IOTEDGE_OK, iotedge_update_installed(&platform, KEY, &sequence));
    return sequence;
}

static void a_firmware_over_power_cuts(void)
{
    static const unsigned CHUNKS[] = {0, 1, 3, 5, 2, 9, 1, 1, 40};
    iotedge_content_descriptor_t found;
    iotedge_update_status_t status;
    uint32_t at = 0;
    fresh();
    sign(maker_seed);
    CHECK(manifest_len > 190 && manifest_len < 210 && installed() == 0);
    STATUS(IOTEDGE_E_NONE, resume());
    STATUS(IOTEDGE_OK, offer(0));
    for (size_t i = 0; i < sizeof CHUNKS / sizeof CHUNKS[0]; i++) {
        load(CHUNKS[i]);
        at = stands().chunks;
        /* The power goes: what the memory had is lost. Every other time the neighbour offers first. */
        memset(update_memory, 0, sizeof update_memory);
        STATUS(IOTEDGE_OK, i % 2 == 0 ? resume() : offer(0));
        status = stands();
        CHECK(status.chunks == (status.complete ? at : at - at % STEP) && status.count == 31 && status.sequence == 3);
    }
    CHECK(stands().complete == 1 && !place.holes && place.len == whole.len && memcmp(place.bytes, whole.bytes, whole.len) == 0);
    CHECK(memcmp(stands().digest, said.digest, 32) == 0);
    STATUS(IOTEDGE_E_NONE, iotedge_update_request(update_here(), MOST, 1, request, sizeof request, &request_len));
    STATUS(IOTEDGE_OK, iotedge_update_verify(update_here()));
    place.bytes[100] ^= 1;
    STATUS(IOTEDGE_E_UPDATE_DIGEST, iotedge_update_verify(update_here()));
    place.bytes[100] ^= 1;
    place.fail = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_update_verify(update_here()));
    place.fail = 0;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_OK, iotedge_update_descriptor(update_here(), &found));
    CHECK(memcmp(&found, &which, sizeof found) == 0);
    /* It boots, and is to stay. */
    CHECK(installed() == 0);
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    STATUS(IOTEDGE_OK, iotedge_update_confirm(&platform, KEY, 3));
    CHECK(installed() == 3);
    STATUS(IOTEDGE_E_NONE, resume());
    STATUS(IOTEDGE_E_UPDATE_OLDER, offer(0));
    STATUS(IOTEDGE_E_UPDATE_OLDER, iotedge_update_confirm(&platform, KEY, 2));
    STATUS(IOTEDGE_OK, iotedge_update_confirm(&platform, KEY, 3));
    /* And is served to the next device, out of its slot. */
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
    STATUS(IOTEDGE_OK, iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &slot, &provider));
    STATUS(IOTEDGE_OK, iotedge_provider_descriptor(provider, &found));
    CHECK(memcmp(&found, &which, sizeof found) == 0);
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

/* At each write of the store the power goes before it: wherever that is, the image arrives. */
static void a_cut_at_every_write_of_the_store(void)
{
    unsigned writes, cut;
    for (cut = 0;; cut++) {
        int alive = 1;
        fresh();
        sign(maker_seed);
        device.fail_put = cut == 0;
        STATUS(cut == 0 ? IOTEDGE_E_PLATFORM : IOTEDGE_OK, offer(0));
        device.fail_put = 0;
        if (cut == 0) {
            STATUS(IOTEDGE_E_NONE, resume());
            STATUS(IOTEDGE_OK, offer(0));
        }
        while (iotedge_update_request(update_here(), MOST, 1, request, sizeof request, &request_len) == IOTEDGE_OK) {
            uint32_t step = 99, chunks = stands().chunks;
            int32_t status;
            STATUS(IOTEDGE_OK, answer());
            writes = device.writes;
            device.fail_put = alive && writes == cut;
            status = iotedge_update_take(update_here(), part, part_len, &step);
            if (device.fail_put && status == IOTEDGE_E_PLATFORM) {
                /* The chunk counts while the device lives; its step does not once it is gone. */
                CHECK(stands().chunks == chunks + 1);
                device.fail_put = 0;
                alive = 0;
                memset(update_memory, 0, sizeof update_memory);
                STATUS(IOTEDGE_OK, resume());
                CHECK(stands().chunks <= chunks && stands().chunks % STEP == 0);
                continue;
            }
            device.fail_put = 0;
            STATUS(IOTEDGE_OK, status);
        }
        CHECK(stands().complete == 1 && !place.holes && memcmp(place.bytes, whole.bytes, whole.len) == 0);
        STATUS(IOTEDGE_OK, iotedge_update_verify(update_here()));
        STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
        STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
        if (alive && cut > 0) {
            break; /* Behind the last write. */
        }
        if (checks_failed > 0) {
            return;
        }
    }
    CHECK(cut >= 8);
}

static int32_t come_back_update(void)
{
    return iotedge_update_verify(update_here());
}

static void an_update_is_not_what_was_asked_for(void)
{
    uint32_t step = 99;
    iotedge_update_status_t status;
    iotedge_content_descriptor_t found;
    size_t bytes = 0;
    fresh();
    sign(maker_seed);
    STATUS(IOTEDGE_OK, offer(0));
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, resume());
    memcpy(copy, update_memory, sizeof update_memory);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_update_verify((iotedge_update_t *)copy));
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_update_verify(update_here()));
    STATUS(IOTEDGE_OK, iotedge_update_request(update_here(), MOST, 1, request, sizeof request, &request_len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_update_request(update_here(), 65536, 1, request, sizeof request, &request_len));
    STATUS(IOTEDGE_E_NULL, iotedge_update_request(NULL, MOST, 1, request, sizeof request, &request_len));
    STATUS(IOTEDGE_E_NULL, iotedge_update_request(update_here(), MOST, 1, NULL, sizeof request, &request_len));
    STATUS(IOTEDGE_OK, answer());
    part[part_len - 1] ^= 1;
    STATUS(IOTEDGE_E_CONTENT_FORGED, iotedge_update_take(update_here(), part, part_len, &step));
    part[part_len - 1] ^= 1;
    part[18] ^= 1;
    STATUS(IOTEDGE_E_CONTENT_PART, iotedge_update_take(update_here(), part, part_len, &step));
    part[18] ^= 1;
    STATUS(IOTEDGE_E_MALFORMED, iotedge_update_take(update_here(), part, part_len - 1, &step));
    STATUS(IOTEDGE_E_NULL, iotedge_update_take(update_here(), part, part_len, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_update_take(update_here(), NULL, part_len, &step));
    place.fail = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_update_take(update_here(), part, part_len, &step));
    place.fail = 0;
    CHECK(step == 99 && place.writes == 0 && stands().chunks == 0);
    place.reenter = come_back_update;
    STATUS(IOTEDGE_OK, iotedge_update_take(update_here(), part, part_len, &step));
    STATUS(IOTEDGE_E_REENTERED, place.reentered);
    place.reenter = NULL;
    STATUS(IOTEDGE_E_CONTENT_PART, iotedge_update_take(update_here(), part, part_len, &step));
    STATUS(IOTEDGE_E_NULL, iotedge_update_status(update_here(), NULL));
    status.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_update_status(update_here(), &status));
    found.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_update_descriptor(update_here(), &found));
    found.size = (uint32_t)sizeof found;
    STATUS(IOTEDGE_E_NULL, iotedge_update_descriptor(NULL, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_update_verify(NULL));
    STATUS(IOTEDGE_OK, iotedge_update_give_up(&platform, KEY));
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_update_deinit(update_here()));
    STATUS(IOTEDGE_E_NULL, iotedge_update_deinit(NULL));
    STATUS(IOTEDGE_E_NONE, resume());
    STATUS(IOTEDGE_OK, iotedge_update_size(&bytes));
    CHECK(bytes <= IOTEDGE_UPDATE_SIZE && bytes > 1000);
    STATUS(IOTEDGE_E_NULL, iotedge_update_size(NULL));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

static void what_is_no_firmware_for_this_device(void)
{
    iotedge_update_t *update = NULL;
    uint64_t sequence = 99;
    uint8_t digest[32], stranger[32];
    memset(digest, 9, sizeof digest);
    memset(stranger, 0x66, sizeof stranger);
    fresh();
    sign(maker_seed);
#define NOT_OFFERED(status, field, value)                                                                                          \
    do {                                                                                                                           \
        iotedge_update_target_t usual = target;                                                                                    \
        target.field = value;                                                                                                      \
        STATUS(status, offer(0));                                                                                                  \
        target = usual;                                                                                                            \
    } while (0)
    NOT_OFFERED(IOTEDGE_E_STRUCT_SIZE, size, 8);
    NOT_OFFERED(IOTEDGE_E_NULL, component, NULL);
    NOT_OFFERED(IOTEDGE_E_ARGUMENT, component_len, 0);
    NOT_OFFERED(IOTEDGE_E_UPDATE_COMPONENT, component_len, 2);
    NOT_OFFERED(IOTEDGE_E_NULL, authority, NULL);
    NOT_OFFERED(IOTEDGE_E_WRONG_SIGNER, authority, &authority);
    NOT_OFFERED(IOTEDGE_E_UPDATE_ROOM, room, whole.len - 1);
    NOT_OFFERED(IOTEDGE_E_ARGUMENT, step, 0);
    NOT_OFFERED(IOTEDGE_E_ARGUMENT, store_key, 0xff);
    NOT_OFFERED(IOTEDGE_E_ARGUMENT, store_key, 0xfff);
    NOT_OFFERED(IOTEDGE_E_UPDATE_VENDOR, vendor_id[3], 7);
    NOT_OFFERED(IOTEDGE_E_UPDATE_CLASS, class_id[15], 7);
    manifest[manifest_len - 1] ^= 0x10;
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, offer(0));
    manifest[manifest_len - 1] ^= 0x10;
    manifest[100] ^= 1;
    STATUS(IOTEDGE_E_SIGNATURE, offer(0));
    manifest[100] ^= 1;
    manifest[2] ^= 1;
    STATUS(IOTEDGE_E_PROTECTED_HEADER, offer(0));
    manifest[2] ^= 1;
    manifest_len--;
    STATUS(IOTEDGE_E_MALFORMED, offer(0));
    manifest_len++;
    manifest[0] ^= 0x40;
    STATUS(IOTEDGE_E_WRONG_TYPE, offer(0));
    manifest[0] ^= 0x40;
    sign(stranger);
    STATUS(IOTEDGE_E_WRONG_SIGNER, offer(0));
    said.format = 1;
    sign(maker_seed);
    STATUS(IOTEDGE_E_UPDATE_FORMAT, offer(0));
    said.format = 0;
    said.flags = IOTEDGE_MANIFEST_EXPIRES;
    said.expires = 2000;
    sign(maker_seed);
    STATUS(IOTEDGE_E_UPDATE_EXPIRED, offer(2000));
    said.flags = IOTEDGE_MANIFEST_PRECURSOR;
    said.expires = 0;
    memcpy(said.precursor, digest, 32);
    sign(maker_seed);
    STATUS(IOTEDGE_E_UPDATE_PRECURSOR, offer(1999));
    target.running = digest;
    STATUS(IOTEDGE_OK, offer(1999));
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    said.flags = 0;
    memset(said.precursor, 0, 32);
    /* Under way is 3: not that again with other bytes, nor an older one; a newer one takes its place. */
    sign(maker_seed);
    STATUS(IOTEDGE_E_UPDATE_OLDER, offer(0));
    said.sequence = 2;
    sign(maker_seed);
    STATUS(IOTEDGE_E_UPDATE_OLDER, offer(0));
    said.sequence = 4;
    sign(maker_seed);
    STATUS(IOTEDGE_OK, offer(0));
    load(9);
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    /* A store that fails, or was damaged. */
    device.fail_get = 1;
    STATUS(IOTEDGE_E_PLATFORM, offer(0));
    STATUS(IOTEDGE_E_PLATFORM, resume());
    STATUS(IOTEDGE_E_PLATFORM, iotedge_update_installed(&platform, KEY, &sequence));
    device.fail_get = 0;
    device.slots[device_slot(&device, KEY + 1, 0)].value[1] ^= 0x20;
    STATUS(IOTEDGE_E_CONTENT_STORED, resume());
    STATUS(IOTEDGE_OK, offer(0));
    CHECK(stands().chunks == 0 && stands().sequence == 4);
    device.fail_put = 1;
    STATUS(IOTEDGE_E_PLATFORM, iotedge_update_confirm(&platform, KEY, 4));
    device.fail_put = 0;
    CHECK(installed() == 0);
    STATUS(IOTEDGE_OK, iotedge_update_confirm(&platform, KEY, 4));
    device.slots[device_slot(&device, KEY, 0)].value[0] = 0xff;
    STATUS(IOTEDGE_E_CONTENT_STORED, iotedge_update_installed(&platform, KEY, &sequence));
    STATUS(IOTEDGE_E_CONTENT_STORED, iotedge_update_confirm(&platform, KEY, 5));
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    STATUS(IOTEDGE_E_CONTENT_STORED, offer(0));
    /* Misuse. */
    STATUS(IOTEDGE_E_NULL, iotedge_update_installed(NULL, KEY, &sequence));
    STATUS(IOTEDGE_E_NULL, iotedge_update_installed(&platform, KEY, NULL));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_update_installed(&platform, 0x50, &sequence));
    STATUS(IOTEDGE_E_NULL, iotedge_update_confirm(NULL, KEY, 5));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_update_confirm(&platform, 0x50, 5));
    STATUS(IOTEDGE_E_NULL, iotedge_update_give_up(NULL, KEY));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_update_give_up(&platform, 0x50));
    CHECK(sequence == 99);
#define OFFER(memory, size, target, platform, slot, manifest, update)                                                              \
    iotedge_update_offer(memory, size, target, platform, slot, manifest, manifest_len, 0, update)
    fresh();
    sign(maker_seed);
    STATUS(IOTEDGE_E_NULL, OFFER(NULL, sizeof update_memory, &target, &platform, &slot, manifest, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, NULL, &platform, &slot, manifest, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, &target, NULL, &slot, manifest, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, &target, &platform, NULL, manifest, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, &target, &platform, &source, manifest, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, &target, &platform, &slot, NULL, &update));
    STATUS(IOTEDGE_E_NULL, OFFER(update_memory, sizeof update_memory, &target, &platform, &slot, manifest, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, OFFER(update_memory, 1000, &target, &platform, &slot, manifest, &update));
    STATUS(IOTEDGE_E_MISALIGNED, OFFER((uint8_t *)update_memory + 4, sizeof update_memory, &target, &platform, &slot, manifest, &update));
    STATUS(IOTEDGE_E_NULL, iotedge_update_resume(update_memory, sizeof update_memory, NULL, &platform, &slot, &update));
    CHECK(update == NULL && device.writes == 0);
    /* Without `read` an update is written, but not read back. */
    slot.read = NULL;
    STATUS(IOTEDGE_OK, offer(0));
    STATUS(IOTEDGE_E_NULL, iotedge_update_verify(update_here()));
    STATUS(IOTEDGE_OK, iotedge_update_deinit(update_here()));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

static void manifests(void)
{
    uint8_t message[IOTEDGE_MANIFEST_MAX_INPUT], signature[IOTEDGE_SIGNATURE_SIZE];
    iotedge_manifest_t read;
    iotedge_content_descriptor_t found;
    size_t len = 0;
    fresh();
    memset(&read, 0, sizeof read);
    read.size = (uint32_t)sizeof read;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    /* The longest. */
    said.sequence = UINT64_MAX;
    said.format = UINT32_MAX;
    said.flags = IOTEDGE_MANIFEST_EXPIRES | IOTEDGE_MANIFEST_PRECURSOR;
    said.expires = UINT64_MAX;
    memset(said.precursor, 8, 32);
    memset(said.component, 'x', 16);
    said.component_len = 16;
    which.chunk = 10;
    which.length = (uint64_t)1 << 30;
    sign(maker_seed);
    CHECK(manifest_len <= IOTEDGE_UPDATE_MAX_MANIFEST && manifest_len > IOTEDGE_UPDATE_MAX_MANIFEST - 16);
    STATUS(IOTEDGE_OK, iotedge_manifest_verify(&maker, manifest, manifest_len, &read, &found));
    CHECK(memcmp(&read, &said, sizeof read) == 0 && memcmp(&found, &which, sizeof found) == 0);
    STATUS(IOTEDGE_E_WRONG_SIGNER, iotedge_manifest_verify(&authority, manifest, manifest_len, &read, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_verify(NULL, manifest, manifest_len, &read, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_verify(&maker, NULL, manifest_len, &read, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_verify(&maker, manifest, manifest_len, NULL, &found));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_verify(&maker, manifest, manifest_len, &read, NULL));
    manifest[manifest_len - 20] ^= 1;
    memset(read.digest, 0, 32);
    CHECK(iotedge_manifest_verify(&maker, manifest, manifest_len, &read, &found) != IOTEDGE_OK);
    CHECK(read.digest[0] == 0);
    /* What cannot be said. */
#define UNSAID(status, field, value)                                                                                               \
    do {                                                                                                                           \
        iotedge_manifest_t usual = said;                                                                                           \
        said.field = value;                                                                                                        \
        STATUS(status, iotedge_manifest_input(&maker, &said, &which, message, sizeof message, &len));                              \
        STATUS(status, iotedge_manifest_assemble(&maker, &said, &which, signature, manifest, sizeof manifest, &manifest_len));     \
        said = usual;                                                                                                              \
    } while (0)
    UNSAID(IOTEDGE_E_STRUCT_SIZE, size, 8);
    UNSAID(IOTEDGE_E_RANGE, sequence, 0);
    UNSAID(IOTEDGE_E_RANGE, component_len, 17);
    UNSAID(IOTEDGE_E_RANGE, component_len, 15);
    UNSAID(IOTEDGE_E_ARGUMENT, flags, 4);
    UNSAID(IOTEDGE_E_ARGUMENT, flags, IOTEDGE_MANIFEST_EXPIRES);
    UNSAID(IOTEDGE_E_ARGUMENT, flags, IOTEDGE_MANIFEST_PRECURSOR);
    STATUS(IOTEDGE_OK, iotedge_manifest_input(&maker, &said, &which, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, message, len, signature));
    STATUS(IOTEDGE_E_SIGNATURE,
           iotedge_manifest_assemble(&maker, &said, &which, signature, manifest, sizeof manifest, &manifest_len));
    STATUS(IOTEDGE_OK, iotedge_sign(maker_seed, message, len, signature));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_manifest_assemble(&maker, &said, &which, signature, manifest, 200, &manifest_len));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_manifest_input(&maker, &said, &which, message, 200, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_input(NULL, &said, &which, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_input(&maker, NULL, &which, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_input(&maker, &said, NULL, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_input(&maker, &said, &which, NULL, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_input(&maker, &said, &which, message, sizeof message, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_assemble(&maker, &said, &which, NULL, manifest, sizeof manifest, &manifest_len));
    STATUS(IOTEDGE_E_NULL, iotedge_manifest_assemble(&maker, &said, &which, signature, NULL, sizeof manifest, &manifest_len));
    which.length = 0;
    STATUS(IOTEDGE_E_CONTENT_SIZE, iotedge_manifest_input(&maker, &said, &which, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_provider_deinit(provider));
}

static void records(void)
{
    static const uint8_t APPROVAL[1] = {0x80};
    uint8_t body[IOTEDGE_UPDATE_MAX_RECORD];
    iotedge_installed_t told, read;
    size_t len = 7;
    memset(&told, 0, sizeof told);
    told.size = (uint32_t)sizeof told;
    read = told;
    told.sequence = 3;
    told.component_len = 3;
    memcpy(told.component, COMPONENT, 3);
    memset(told.digest, 7, 32);
    STATUS(IOTEDGE_OK, iotedge_update_record(&told, body, sizeof body, &len));
    CHECK(len == 60);
    STATUS(IOTEDGE_OK, iotedge_update_record_read(body, len, &read));
    CHECK(memcmp(&read, &told, sizeof read) == 0);
    STATUS(IOTEDGE_E_NONE, iotedge_update_record_read(APPROVAL, 1, &read));
    STATUS(IOTEDGE_E_NONE, iotedge_update_record_read(NULL, 0, &read));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_update_record_read(body, len - 1, &read));
    body[25] = 0;
    STATUS(IOTEDGE_E_RANGE, iotedge_update_record_read(body, len, &read));
    body[25] = 0x60;
    STATUS(IOTEDGE_E_WRONG_TYPE, iotedge_update_record_read(body, len, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_update_record_read(NULL, len, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_update_record_read(body, len, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_update_record(&told, body, len - 1, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_update_record(NULL, body, sizeof body, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_update_record(&told, NULL, sizeof body, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_update_record(&told, body, sizeof body, NULL));
    told.component_len = 2;
    STATUS(IOTEDGE_E_RANGE, iotedge_update_record(&told, body, sizeof body, &len));
    told.component_len = 17;
    STATUS(IOTEDGE_E_RANGE, iotedge_update_record(&told, body, sizeof body, &len));
    told.component_len = 3;
    told.sequence = 0;
    STATUS(IOTEDGE_E_RANGE, iotedge_update_record(&told, body, sizeof body, &len));
    CHECK(len == 60);
}

int main(void)
{
    names();
    beginnings();
    every_size_over_every_link();
    a_request_that_cannot_be_answered();
    a_part_that_is_refused();
    a_receiver_over_resets();
    over_frames_and_a_narrow_link();
    a_firmware_over_power_cuts();
    a_cut_at_every_write_of_the_store();
    an_update_is_not_what_was_asked_for();
    what_is_no_firmware_for_this_device();
    manifests();
    records();
    return check_end("content");
}
