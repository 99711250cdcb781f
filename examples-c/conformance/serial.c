/*
 * A serial line: frames written whole and in parts, and lines read at once and byte by byte, damaged ones too.
 */
#include "serial.h"

#include <iotedge.h>
#include <stdio.h>
#include <string.h>

static uint64_t memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];
static uint8_t expected[IOTEDGE_SERIAL_MAX];
static uint8_t frame[IOTEDGE_MAX_FRAME];
static uint8_t line[16384];

static int failed(json_t vector, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "  %.*s: %s\n", (int)name.len, name.at, why);
    return -1;
}

static int written(json_t vector)
{
    iotedge_serial_encoder_t encoder;
    long frame_len = json_hex(json_get(vector, "frame"), frame, sizeof frame);
    long wanted = json_hex(json_get(vector, "line"), expected, sizeof expected);
    size_t len = 0, at = 0;
    if (frame_len < 0 || wanted < 0) {
        return failed(vector, "no such bytes");
    }
    int32_t status = iotedge_serial_encode(frame, (size_t)frame_len, line, sizeof line, &len);
    if (status != IOTEDGE_OK || len != (size_t)wanted || memcmp(line, expected, len) != 0) {
        return failed(vector, "another line");
    }
    memset(&encoder, 0, sizeof encoder);
    encoder.size = (uint32_t)sizeof encoder;
    while ((status = iotedge_serial_encode_part(&encoder, frame, (size_t)frame_len, line + at, 11, &len)) == IOTEDGE_OK) {
        at += len;
    }
    if (status != IOTEDGE_E_NONE || at != (size_t)wanted || memcmp(line, expected, at) != 0) {
        return failed(vector, "another line in parts");
    }
    return 0;
}

/* Whether these bytes, given in pieces, are the frames and the counts of the vector. */
static int comes(json_t vector, iotedge_serial_decoder_t *decoder, size_t len, size_t piece)
{
    static const char *const NAMES[] = {"frames", "empty", "too_short", "cut", "too_long", "corrupt"};
    json_t counters = json_get(vector, "counters");
    json_t next = json_next(json_get(vector, "frames"), (json_t){NULL, 0});
    iotedge_serial_counters_t c;
    for (size_t at = 0; at < len;) {
        const uint8_t *got = NULL;
        size_t got_len = 0, taken = 0, now = len - at < piece ? len - at : piece;
        int32_t status = iotedge_serial_decoder_take(decoder, line + at, now, &got, &got_len, &taken);
        if (status == IOTEDGE_OK) {
            long n = next.at == NULL ? -1 : json_hex(next, frame, sizeof frame);
            if (n < 0 || (size_t)n != got_len || memcmp(frame, got, got_len) != 0) {
                return failed(vector, "another frame");
            }
            next = json_next(json_get(vector, "frames"), next);
        } else if (status != IOTEDGE_E_NONE) {
            return failed(vector, iotedge_status_name(status));
        }
        at += status == IOTEDGE_OK ? taken : now;
    }
    memset(&c, 0, sizeof c);
    c.size = (uint32_t)sizeof c;
    if (next.at != NULL || iotedge_serial_decoder_counters(decoder, &c) != IOTEDGE_OK) {
        return failed(vector, "too few frames");
    }
    const uint32_t counted[] = {c.frames, c.empty, c.too_short, c.cut, c.too_long, c.corrupt};
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        uint64_t wanted;
        if (json_uint(json_get(counters, NAMES[i]), &wanted) != 0 || wanted != counted[i]) {
            return failed(vector, NAMES[i]);
        }
    }
    return 0;
}

static int read_in(json_t vector, size_t piece)
{
    iotedge_serial_decoder_t *decoder = NULL;
    uint64_t room;
    long len = json_hex(json_get(vector, "line"), line, sizeof line);
    if (len < 0 || json_uint(json_get(vector, "room"), &room) != 0) {
        return failed(vector, "no such line");
    }
    memset(memory, 0, sizeof memory);
    if (iotedge_serial_decoder_init(memory, sizeof memory, (uint32_t)room, &decoder) != IOTEDGE_OK) {
        return failed(vector, "no decoder");
    }
    int result = comes(vector, decoder, (size_t)len, piece);
    (void)iotedge_serial_decoder_deinit(decoder);
    return result;
}

int serial_vector(json_t vector)
{
    if (json_is(json_get(vector, "op"), "line-write")) {
        return written(vector);
    }
    return read_in(vector, sizeof line) == 0 && read_in(vector, 1) == 0 && read_in(vector, 19) == 0 ? 0 : -1;
}
