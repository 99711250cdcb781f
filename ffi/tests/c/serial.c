/* Every function of a serial line: frames over a noisy one, in pieces of all lengths, and what each does when it is misused. */
#include "check.h"

enum { FRAME = 300, WORDS = IOTEDGE_SERIAL_DECODER_SIZE(FRAME) / 8, LONGEST = IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8 };

static uint64_t memory[WORDS];
static uint64_t longest[LONGEST];
static uint64_t copy[WORDS];
static uint8_t frame[IOTEDGE_MAX_FRAME + 1];
static uint8_t line[IOTEDGE_SERIAL_MAX];

static void fresh(void)
{
    memset(memory, 0, sizeof memory);
    memset(longest, 0, sizeof longest);
    for (size_t i = 0; i < sizeof frame; i++) {
        frame[i] = (uint8_t)(i * 7 + 3);
    }
}

static iotedge_serial_decoder_t *start(void)
{
    iotedge_serial_decoder_t *decoder = NULL;
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_init(memory, sizeof memory, FRAME, &decoder));
    return decoder;
}

static iotedge_serial_counters_t counted(const iotedge_serial_decoder_t *decoder)
{
    iotedge_serial_counters_t counters;
    memset(&counters, 0, sizeof counters);
    counters.size = (uint32_t)sizeof counters;
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_counters(decoder, &counters));
    return counters;
}

/* Whether exactly the frame's first `wanted` bytes come out of these bytes, given in pieces. */
static int comes(iotedge_serial_decoder_t *decoder, const uint8_t *bytes, size_t len, size_t piece, size_t wanted)
{
    const uint8_t *out = NULL;
    size_t n = 0, taken = 0;
    int frames = 0, right = 0;
    while (len > 0) {
        size_t now = len < piece ? len : piece;
        int32_t status = iotedge_serial_decoder_take(decoder, bytes, now, &out, &n, &taken);
        if (status == IOTEDGE_OK) {
            CHECK(taken >= 1 && taken <= now);
            right = n == wanted && memcmp(out, frame, n) == 0;
            frames++;
        } else {
            STATUS(IOTEDGE_E_NONE, status);
            taken = now;
        }
        bytes += taken;
        len -= taken;
    }
    return frames == 1 && right;
}

/* The frame's first `len` bytes on the line, written in parts. */
static size_t in_parts(size_t len, size_t part)
{
    iotedge_serial_encoder_t encoder;
    size_t at = 0, n = 0;
    int32_t status;
    memset(&encoder, 0, sizeof encoder);
    encoder.size = (uint32_t)sizeof encoder;
    while ((status = iotedge_serial_encode_part(&encoder, frame, len, line + at, part < sizeof line - at ? part : sizeof line - at, &n)) ==
           IOTEDGE_OK) {
        CHECK(n >= 1 && n <= part);
        at += n;
    }
    STATUS(IOTEDGE_E_NONE, status);
    CHECK(encoder.size == sizeof encoder);
    return at;
}

static void frames(void)
{
    static const size_t LENGTHS[] = {1, 5, 148, 249, 250, 251, FRAME};
    iotedge_serial_decoder_t *decoder;
    iotedge_serial_counters_t c;
    uint8_t whole[IOTEDGE_SERIAL_SIZE(FRAME)];
    size_t n = 0;
    fresh();
    decoder = start();
    for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        size_t len = LENGTHS[i];
        STATUS(IOTEDGE_OK, iotedge_serial_encode(frame, len, whole, sizeof whole, &n));
        CHECK(n <= IOTEDGE_SERIAL_SIZE(len) && whole[0] == 0 && whole[n - 1] == 0);
        for (size_t piece = 1; piece < 40; piece += 6) {
            CHECK(in_parts(len, piece) == n && memcmp(line, whole, n) == 0);
            CHECK(comes(decoder, line, n, piece, len));
        }
    }
    c = counted(decoder);
    CHECK(c.frames == 49 && c.empty == 49 && c.too_short + c.cut + c.too_long + c.corrupt == 0 && c.size == sizeof c);
    /* What goes wrong ends at the zero in front of the next frame. */
    STATUS(IOTEDGE_OK, iotedge_serial_encode(frame, 60, whole, sizeof whole, &n));
    CHECK(!comes(decoder, whole, 30, 7, 60));
    CHECK(comes(decoder, whole, n, 7, 60));
    CHECK(!comes(decoder, (const uint8_t *)"\x04" "abc", 5, 7, 60));
    whole[20] ^= 1;
    CHECK(!comes(decoder, whole, n, 7, 60));
    whole[20] ^= 1;
    n = in_parts(FRAME + 1, 64);
    CHECK(!comes(decoder, line, n, 7, 60));
    c = counted(decoder);
    CHECK(c.cut == 1 && c.too_short == 1 && c.corrupt == 1 && c.too_long == 1 && c.frames == 50);
    /* A line that is opened anew. */
    STATUS(IOTEDGE_OK, iotedge_serial_encode(frame, 60, whole, sizeof whole, &n));
    CHECK(!comes(decoder, whole, 30, 7, 60));
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_reset(decoder));
    CHECK(comes(decoder, whole + 1, n - 1, 7, 60));
    CHECK(counted(decoder).cut == 1);
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_deinit(decoder));
    /* The longest frame. */
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_init(longest, sizeof longest, IOTEDGE_MAX_FRAME, &decoder));
    STATUS(IOTEDGE_OK, iotedge_serial_encode(frame, IOTEDGE_MAX_FRAME, line, sizeof line, &n));
    CHECK(comes(decoder, line, n, 100, IOTEDGE_MAX_FRAME));
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_deinit(decoder));
}

static void writing(void)
{
    iotedge_serial_encoder_t encoder;
    size_t n = 9;
    fresh();
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode(NULL, 10, line, sizeof line, &n));
    STATUS(IOTEDGE_E_LENGTH, iotedge_serial_encode(NULL, 0, line, sizeof line, &n));
    STATUS(IOTEDGE_E_LENGTH, iotedge_serial_encode(frame, sizeof frame, line, sizeof line, &n));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode(frame, 10, NULL, sizeof line, &n));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode(frame, 10, line, sizeof line, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_serial_encode(frame, 10, line, IOTEDGE_SERIAL_SIZE(10) - 1, &n));
    CHECK(n == 9);

    memset(&encoder, 0, sizeof encoder);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_serial_encode_part(&encoder, frame, 10, line, 8, &n));
    encoder.size = (uint32_t)sizeof encoder;
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode_part(NULL, frame, 10, line, 8, &n));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode_part(&encoder, NULL, 10, line, 8, &n));
    STATUS(IOTEDGE_E_LENGTH, iotedge_serial_encode_part(&encoder, NULL, 0, line, 8, &n));
    STATUS(IOTEDGE_E_LENGTH, iotedge_serial_encode_part(&encoder, frame, sizeof frame, line, 8, &n));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode_part(&encoder, frame, 10, NULL, 8, &n));
    STATUS(IOTEDGE_E_LENGTH, iotedge_serial_encode_part(&encoder, frame, 10, line, 0, &n));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_encode_part(&encoder, frame, 10, line, 8, NULL));
    encoder.state[0] = 77;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_serial_encode_part(&encoder, frame, 10, line, 8, &n));
    CHECK(n == 9);
    /* Another frame than it began with, and places that no frame has: refused or ended, never out of bounds. */
    encoder.state[0] = 0;
    STATUS(IOTEDGE_OK, iotedge_serial_encode_part(&encoder, frame, 200, line, 100, &n));
    CHECK(n == 100);
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_serial_encode_part(&encoder, frame, 10, line, 100, &n));
    for (uint32_t step = 0; step < 6; step++) {
        for (uint32_t at = 0; at < 70000; at += 631) {
            encoder.state[0] = step;
            encoder.state[1] = at;
            encoder.state[2] = at % 600;
            (void)iotedge_serial_encode_part(&encoder, frame, 300, line, sizeof line, &n);
        }
    }
}

static void reading(void)
{
    iotedge_serial_decoder_t *decoder = NULL;
    iotedge_serial_counters_t counters;
    const uint8_t *out = NULL;
    size_t n = 9, taken = 9, bytes = 9;
    fresh();
    STATUS(IOTEDGE_E_LIMITS, iotedge_serial_decoder_size(0, &bytes));
    STATUS(IOTEDGE_E_LIMITS, iotedge_serial_decoder_size(IOTEDGE_MAX_FRAME + 1, &bytes));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_size(FRAME, NULL));
    CHECK(bytes == 9);
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_size(FRAME, &bytes));
    CHECK(bytes > FRAME && bytes <= sizeof memory);

    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_init(NULL, sizeof memory, FRAME, &decoder));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_init(memory, sizeof memory, FRAME, NULL));
    STATUS(IOTEDGE_E_LIMITS, iotedge_serial_decoder_init(memory, sizeof memory, 0, &decoder));
    STATUS(IOTEDGE_E_LIMITS, iotedge_serial_decoder_init(memory, sizeof memory, IOTEDGE_MAX_FRAME + 1, &decoder));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_serial_decoder_init(memory, bytes - 1, FRAME, &decoder));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_serial_decoder_init((uint8_t *)memory + 4, sizeof memory - 8, 16, &decoder));
    CHECK(decoder == NULL);
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_init(memory, sizeof memory, FRAME, &decoder));
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_serial_decoder_init(memory, sizeof memory, FRAME, &decoder));

    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_take(NULL, frame, 10, &out, &n, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_take(decoder, NULL, 10, &out, &n, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_take(decoder, frame, 10, NULL, &n, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_take(decoder, frame, 10, &out, NULL, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_take(decoder, frame, 10, &out, &n, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_serial_decoder_take(decoder, NULL, 0, &out, &n, &taken));
    STATUS(IOTEDGE_E_NONE, iotedge_serial_decoder_take(decoder, frame, 10, &out, &n, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_reset(NULL));
    memset(&counters, 0, sizeof counters);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_serial_decoder_counters(decoder, &counters));
    counters.size = (uint32_t)sizeof counters;
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_counters(decoder, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_counters(NULL, &counters));
    CHECK(out == NULL && n == 9 && taken == 9);
    /* A copy is no decoder, and neither is a decoder a node. */
    memcpy(copy, memory, sizeof copy);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_serial_decoder_reset((iotedge_serial_decoder_t *)(void *)copy));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_remove_peer((iotedge_node_t *)(void *)decoder, 1));
    STATUS(IOTEDGE_OK, iotedge_serial_decoder_deinit(decoder));
    for (size_t i = 0; i < WORDS; i++) {
        if (memory[i] != 0) {
            CHECK(memory[i] == 0);
        }
    }
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_serial_decoder_deinit(decoder));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_serial_decoder_take(decoder, frame, 10, &out, &n, &taken));
    STATUS(IOTEDGE_E_NULL, iotedge_serial_decoder_deinit(NULL));
}

int main(void)
{
    frames();
    writing();
    reading();
    return check_end("serial");
}
