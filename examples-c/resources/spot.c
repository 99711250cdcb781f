#include "spot.h"

#include <string.h>

/* CBOR in its shortest form, as far as requests and parts have it (RFC 8949 section 3). */
enum { UINT = 0x00, BYTES = 0x40, ARRAY_OF_5 = 0x85 };

static size_t put_head(uint8_t *out, uint8_t major, uint32_t value)
{
    size_t more = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : 4;
    out[0] = (uint8_t)(major | (more == 0 ? value : more == 1 ? 24u : more == 2 ? 25u : 26u));
    for (size_t i = more; i > 0; i--) {
        out[i] = (uint8_t)value;
        value >>= 8;
    }
    return 1 + more;
}

typedef struct {
    const uint8_t *at, *end;
    int broken;
} cbor_t;

static uint32_t take_head(cbor_t *in, uint8_t major)
{
    uint8_t first = in->at < in->end ? *in->at++ : 0xff;
    uint8_t low = first & 0x1f;
    size_t more = low < 24 ? 0 : (size_t)1 << (low - 24);
    uint32_t value = low;
    if ((first & 0xe0) != major || low > 26 || more > (size_t)(in->end - in->at)) {
        in->broken = 1;
        return 0;
    }
    for (size_t i = 0; i < more; i++) {
        value = (i == 0 ? 0 : value << 8) | *in->at++;
    }
    return value;
}

static const uint8_t *take_bytes(cbor_t *in, size_t *len)
{
    const uint8_t *bytes;
    *len = take_head(in, BYTES);
    if (in->broken || *len > (size_t)(in->end - in->at)) {
        in->broken = 1;
        *len = 0;
    }
    bytes = in->at;
    in->at += *len;
    return bytes;
}

/* How many of `count` leaves the left half has: the largest power of two below (RFC 9162 section 2.1). */
static uint32_t left_of(uint32_t count)
{
    uint32_t left = 1;
    while (left * 2 < count) {
        left *= 2;
    }
    return left;
}

uint32_t spot_chunks(const iotedge_content_descriptor_t *content)
{
    return (uint32_t)((content->length + ((uint64_t)1 << content->chunk) - 1) >> content->chunk);
}

int32_t spot_begin(spot_t *spot, const iotedge_content_descriptor_t *content, uint32_t wanted)
{
    uint8_t id[32];
    int32_t status = iotedge_content_id(content, id);
    if (status == IOTEDGE_OK) {
        memcpy(spot->id, id, sizeof spot->id);
        memcpy(spot->root, content->root, sizeof spot->root);
        spot->first = 0;
        spot->end = spot_chunks(content);
        spot->wanted = wanted;
    }
    return status;
}

size_t spot_request(const spot_t *spot, uint8_t *request)
{
    size_t len = 0;
    request[len++] = ARRAY_OF_5;
    len += put_head(request + len, BYTES, sizeof spot->id);
    memcpy(request + len, spot->id, sizeof spot->id);
    len += sizeof spot->id;
    len += put_head(request + len, UINT, spot->first);
    len += put_head(request + len, UINT, spot->end);
    len += put_head(request + len, UINT, IOTEDGE_CONTENT_MAX_PART); /* So the chunk comes with all its siblings. */
    return len + put_head(request + len, UINT, 1);
}

int spot_take(spot_t *spot, const uint8_t *part, size_t len)
{
    cbor_t in = {part, part + len, 0};
    size_t id_len, path_len, body_len, level;
    if (len == 0 || *in.at++ != ARRAY_OF_5) {
        return SPOT_OTHER;
    }
    const uint8_t *id = take_bytes(&in, &id_len);
    uint32_t first = take_head(&in, UINT), end = take_head(&in, UINT);
    const uint8_t *path = take_bytes(&in, &path_len);
    const uint8_t *body = take_bytes(&in, &body_len);
    if (in.broken || in.at != in.end || id_len != sizeof spot->id || memcmp(id, spot->id, id_len) != 0 || first != spot->first ||
        end != spot->end) {
        return SPOT_OTHER;
    }
    if (path_len % 32 != 0 || iotedge_merkle_verify(spot->root, 0, end - first, body, body_len, path, path_len / 32) != IOTEDGE_OK) {
        return SPOT_FALSE;
    }
    /* The siblings go upwards: from the top, the first right half in which the wanted chunk lies is the next subtree. */
    level = path_len / 32;
    for (uint32_t count = end - first; count > 1; count = left_of(count)) {
        uint32_t right = first + left_of(count);
        level--;
        if (spot->wanted >= right) {
            memcpy(spot->root, path + 32 * level, sizeof spot->root);
            spot->first = right;
            spot->end = first + count;
            return SPOT_ON;
        }
    }
    return SPOT_PROVED;
}
