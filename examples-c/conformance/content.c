/* A content's parts, taken by a receiver and given by providers that keep all hashes, some or one; parts that a receiver refuses; manifests and what was installed, read and made. */
#include "content.h"

#include <iotedge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE = 4096, MOST = IOTEDGE_CONTENT_MAX_PART };

/* A content, or the place that it is to lie in. */
typedef struct {
    uint8_t bytes[WHOLE];
    size_t len;
} memory_t;

static uint64_t content_memory[IOTEDGE_CONTENT_SIZE / 8];
static uint64_t provider_memory[IOTEDGE_PROVIDER_SIZE(WHOLE, 6, 0) / 8];
static memory_t whole, place;

static int32_t give(void *user, uint64_t offset, uint8_t *out, size_t len)
{
    const memory_t *memory = (const memory_t *)user;
    if (offset + len > memory->len) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, memory->bytes + offset, len);
    return IOTEDGE_OK;
}

static int32_t keep(void *user, uint64_t offset, const uint8_t *bytes, size_t len)
{
    memory_t *memory = (memory_t *)user;
    if (offset != memory->len || offset + len > sizeof memory->bytes) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(memory->bytes + offset, bytes, len);
    memory->len += len;
    return IOTEDGE_OK;
}

static int failed(json_t vector, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "  %.*s: %s\n", (int)name.len, name.at, why);
    return -1;
}

/* What the vectors call a refusal here. */
static int expected(json_t vector, int32_t status)
{
    static const struct {
        const char *name;
        int32_t status;
    } NAMES[] = {
        {"ok", IOTEDGE_OK},
        {"WrongContent", IOTEDGE_E_CONTENT_OTHER},
        {"WrongPart", IOTEDGE_E_CONTENT_PART},
        {"Length", IOTEDGE_E_CONTENT_LENGTH},
        {"Forged", IOTEDGE_E_CONTENT_FORGED},
        {"Wire(Range)", IOTEDGE_E_RANGE},
        {"Wire(TrailingBytes)", IOTEDGE_E_MALFORMED},
        {"Content(Wire(Range))", IOTEDGE_E_RANGE},
        {"Content(Size)", IOTEDGE_E_CONTENT_SIZE},
        {"Version", IOTEDGE_E_VERSION},
        {"Element", IOTEDGE_E_RANGE},
        {"WrongSigner", IOTEDGE_E_WRONG_SIGNER},
        {"Signature(Rejected)", IOTEDGE_E_SIGNATURE},
        {"none", IOTEDGE_E_NONE},
        {"Range", IOTEDGE_E_RANGE},
        {"Truncated", IOTEDGE_E_MALFORMED},
        {"TrailingBytes", IOTEDGE_E_MALFORMED},
        {"NotDeterministic", IOTEDGE_E_NOT_DETERMINISTIC},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (json_is(json_get(vector, "expect"), NAMES[i].name)) {
            return NAMES[i].status == status ? 0 : failed(vector, iotedge_status_name(status));
        }
    }
    return failed(vector, "an error that is not in the table");
}

static int described(json_t vector, iotedge_content_descriptor_t *which)
{
    uint64_t chunk;
    uint8_t id[32], wanted[32];
    memset(which, 0, sizeof *which);
    which->size = (uint32_t)sizeof *which;
    if (json_uint(json_get(vector, "size"), &which->length) != 0 || json_uint(json_get(vector, "log"), &chunk) != 0 ||
        json_hex(json_get(vector, "root"), which->root, 32) != 32 || json_hex(json_get(vector, "id"), wanted, 32) != 32) {
        return -1;
    }
    which->chunk = (uint32_t)chunk;
    return iotedge_content_id(which, id) == IOTEDGE_OK && memcmp(id, wanted, 32) == 0 ? 0 : -1;
}

/* The item at a place of a list in hex with commas; its length, 0 at the end. */
static size_t item(json_t list, size_t place_in_list, uint8_t *bytes, size_t capacity)
{
    const char *at = list.at + 1;
    const char *end = list.at + list.len - 1;
    char digits[2 * MOST + 3];
    for (; place_in_list > 0 && at < end; at++) {
        place_in_list -= *at == ',';
    }
    size_t len = 0;
    while (at + len < end && at[len] != ',') {
        len++;
    }
    if (len == 0 || len + 2 > sizeof digits) {
        return 0;
    }
    digits[0] = digits[len + 1] = '"';
    memcpy(digits + 1, at, len);
    long found = json_hex((json_t){digits, len + 2}, bytes, capacity);
    return found < 0 ? 0 : (size_t)found;
}

static int provides(const iotedge_content_descriptor_t *which, uint32_t level, const uint8_t *asked, size_t asked_len, const uint8_t *wanted,
                    size_t wanted_len)
{
    iotedge_provider_config_t config;
    iotedge_provider_t *provider = NULL;
    iotedge_content_descriptor_t found;
    iotedge_slot_t slot;
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST], part[MOST];
    size_t part_len = 0;
    memset(&slot, 0, sizeof slot);
    slot.size = (uint32_t)sizeof slot;
    slot.user = &whole;
    slot.read = give;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.chunk = which->chunk;
    config.length = which->length;
    config.level = level;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    memcpy(request, asked, asked_len);
    if (iotedge_provider_init(provider_memory, sizeof provider_memory, &config, &slot, &provider) != IOTEDGE_OK) {
        return -1;
    }
    int same = iotedge_provider_descriptor(provider, &found) == IOTEDGE_OK && memcmp(&found, which, sizeof found) == 0 &&
               iotedge_provider_answer(provider, request, &asked_len, part, sizeof part, &part_len) == IOTEDGE_OK &&
               part_len == wanted_len && memcmp(part, wanted, wanted_len) == 0;
    (void)iotedge_provider_deinit(provider);
    return same ? 0 : -1;
}

static iotedge_content_t *receiver(const iotedge_content_descriptor_t *which)
{
    iotedge_content_t *content = NULL;
    iotedge_slot_t slot;
    memset(&slot, 0, sizeof slot);
    slot.size = (uint32_t)sizeof slot;
    slot.user = &place;
    slot.write = keep;
    memset(&place, 0, sizeof place);
    memset(content_memory, 0, sizeof content_memory);
    return iotedge_content_begin(content_memory, sizeof content_memory, which, &slot, &content) == IOTEDGE_OK ? content : NULL;
}

static int transfer(json_t vector)
{
    iotedge_content_descriptor_t which;
    uint8_t asked[IOTEDGE_CONTENT_MAX_REQUEST], request[IOTEDGE_CONTENT_MAX_REQUEST], part[MOST];
    size_t at = 0, asked_len, part_len, request_len = 0;
    long len = json_hex(json_get(vector, "content"), whole.bytes, sizeof whole.bytes);
    if (len <= 0 || described(vector, &which) != 0 || which.length != (uint64_t)len) {
        return failed(vector, "another name");
    }
    whole.len = (size_t)len;
    iotedge_content_t *content = receiver(&which);
    if (content == NULL) {
        return failed(vector, "no receiver");
    }
    while ((asked_len = item(json_get(vector, "requests"), at, asked, sizeof asked)) > 0) {
        uint32_t step = 0;
        /* Behind the last comma but one stand most and chunks; the receiver is asked for the same. */
        const uint8_t *most = asked + asked_len - 2;
        uint32_t bytes = most[-2] == 0x19 ? (uint32_t)most[-1] << 8 | most[0] : most[0];
        part_len = item(json_get(vector, "parts"), at, part, sizeof part);
        if (iotedge_content_request(content, bytes, 1, request, sizeof request, &request_len) != IOTEDGE_OK || request_len != asked_len ||
            memcmp(request, asked, asked_len) != 0) {
            return failed(vector, "another request");
        }
        for (uint32_t level = 0; level <= 20; level += 5) {
            if (provides(&which, level, asked, asked_len, part, part_len) != 0) {
                return failed(vector, "another part");
            }
        }
        if (iotedge_content_take(content, part, part_len, &step) != IOTEDGE_OK) {
            return failed(vector, "a part was refused");
        }
        at++;
    }
    int32_t end = iotedge_content_request(content, MOST, 1, request, sizeof request, &request_len);
    (void)iotedge_content_deinit(content);
    if (end != IOTEDGE_E_NONE || place.len != whole.len || memcmp(place.bytes, whole.bytes, whole.len) != 0) {
        return failed(vector, "not all came");
    }
    return 0;
}

static int one_part(json_t vector)
{
    iotedge_content_descriptor_t which;
    uint8_t part[MOST];
    uint32_t step = 0;
    long len = json_hex(json_get(vector, "part"), part, sizeof part);
    iotedge_content_t *content = described(vector, &which) == 0 ? receiver(&which) : NULL;
    if (len < 0 || content == NULL) {
        return failed(vector, "no receiver");
    }
    int32_t status = iotedge_content_take(content, part, (size_t)len, &step);
    (void)iotedge_content_deinit(content);
    if (status != IOTEDGE_OK && place.len != 0) {
        return failed(vector, "refused, and written");
    }
    return expected(vector, status);
}

static int field(json_t vector, const char *name, const uint8_t *found, size_t len)
{
    uint8_t wanted[32];
    long n = json_hex(json_get(vector, name), wanted, sizeof wanted);
    return n == (long)len && memcmp(wanted, found, len) == 0;
}

static int number(json_t vector, const char *name, uint64_t found)
{
    uint64_t wanted;
    return json_uint(json_get(vector, name), &wanted) == 0 && wanted == found;
}

static int manifest(json_t vector)
{
    iotedge_public_key_t key;
    iotedge_manifest_t said;
    iotedge_content_descriptor_t which, wanted;
    uint8_t bytes[512], again[IOTEDGE_UPDATE_MAX_MANIFEST];
    size_t again_len = 0;
    long len = json_hex(json_get(vector, "manifest"), bytes, sizeof bytes);
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    memset(&which, 0, sizeof which);
    which.size = (uint32_t)sizeof which;
    if (len < 0 || json_hex(json_get(vector, "key"), key.bytes, 32) != 32) {
        return failed(vector, "no bytes");
    }
    int32_t status = iotedge_manifest_verify(&key, bytes, (size_t)len, &said, &which);
    if (status != IOTEDGE_OK || expected(vector, status) != 0) {
        return expected(vector, status);
    }
    json_t expires = json_get(vector, "expires"), precursor = json_get(vector, "precursor");
    int ends = (said.flags & IOTEDGE_MANIFEST_EXPIRES) != 0, delta = (said.flags & IOTEDGE_MANIFEST_PRECURSOR) != 0;
    if (described(vector, &wanted) != 0 || memcmp(&wanted, &which, sizeof which) != 0 || !number(vector, "sequence", said.sequence) ||
        !number(vector, "format", said.format) || !field(vector, "vendor", said.vendor_id, 16) || !field(vector, "class", said.class_id, 16) ||
        !field(vector, "component", said.component, said.component_len) || !field(vector, "digest", said.digest, 32) ||
        ends != (expires.len > 2) || (ends && !number(vector, "expires", said.expires)) || delta != (precursor.len > 2) ||
        (delta && !field(vector, "precursor", said.precursor, 32))) {
        return failed(vector, "it says something else");
    }
    /* Made again, with the signature that stands at its end. */
    if (iotedge_manifest_assemble(&key, &said, &which, bytes + len - 64, again, sizeof again, &again_len) != IOTEDGE_OK ||
        again_len != (size_t)len || memcmp(again, bytes, again_len) != 0) {
        return failed(vector, "other bytes");
    }
    return 0;
}

static int installed(json_t vector)
{
    iotedge_installed_t said;
    uint8_t body[128], again[IOTEDGE_UPDATE_MAX_RECORD];
    size_t again_len = 0;
    long len = json_hex(json_get(vector, "body"), body, sizeof body);
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    if (len < 0) {
        return failed(vector, "no bytes");
    }
    int32_t status = iotedge_update_record_read(body, (size_t)len, &said);
    if (status != IOTEDGE_OK || expected(vector, status) != 0) {
        return expected(vector, status);
    }
    if (!number(vector, "sequence", said.sequence) || !field(vector, "component", said.component, said.component_len) ||
        !field(vector, "digest", said.digest, 32)) {
        return failed(vector, "it says something else");
    }
    if (iotedge_update_record(&said, again, sizeof again, &again_len) != IOTEDGE_OK || again_len != (size_t)len ||
        memcmp(again, body, again_len) != 0) {
        return failed(vector, "other bytes");
    }
    return 0;
}

int content_reaches(json_t vector)
{
    json_t op = json_get(vector, "op");
    return json_is(op, "content") || json_is(op, "part") || json_is(op, "manifest") || json_is(op, "installed");
}

int content_vector(json_t vector)
{
    json_t op = json_get(vector, "op");
    if (json_is(op, "content")) {
        return transfer(vector);
    }
    if (json_is(op, "part")) {
        return one_part(vector);
    }
    return json_is(op, "manifest") ? manifest(vector) : installed(vector);
}
