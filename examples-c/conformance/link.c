/*
 * A link to one neighbour, with no node to look things up in: what it makes of the packets of a vector, and what it asks for.
 */
#include "link.h"

#include <iotedge.h>
#include <stdio.h>
#include <string.h>

static uint64_t memory[IOTEDGE_LINK_SIZE(1, 2, 2, IOTEDGE_MAX_FRAME) / 8];
static uint8_t expected[IOTEDGE_MAX_FRAME + 2];
static uint8_t bytes[IOTEDGE_MAX_FRAME + 2];
static uint8_t frame[IOTEDGE_MAX_FRAME];

static int failed(json_t vector, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "  %.*s: %s\n", (int)name.len, name.at, why);
    return -1;
}

static iotedge_link_t *start(uint32_t mtu)
{
    iotedge_link_limits_t limits;
    iotedge_link_config_t config;
    iotedge_link_t *link = NULL;
    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.peers = 1;
    limits.outgoing = 2;
    limits.incoming = 2;
    limits.per_peer = 2;
    limits.frame = IOTEDGE_MAX_FRAME;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.mtu = mtu;
    memset(memory, 0, sizeof memory);
    if (iotedge_link_init(memory, sizeof memory, &limits, &config, &link) != IOTEDGE_OK ||
        iotedge_link_add_peer(link, 1) != IOTEDGE_OK) {
        return NULL;
    }
    return link;
}

/* 1 where the next packet at this time is `wanted`; where that is absent, where there is none. */
static int sends(iotedge_link_t *link, uint64_t now, json_t wanted)
{
    uint32_t peer;
    size_t len = 0;
    int32_t status = iotedge_link_next_packet(link, now, &peer, bytes, sizeof bytes, &len);
    if (wanted.at == NULL) {
        return status == IOTEDGE_E_NONE;
    }
    long n = json_hex(wanted, expected, sizeof expected);
    return status == IOTEDGE_OK && n >= 0 && (size_t)n == len && memcmp(bytes, expected, len) == 0;
}

static int32_t status_of(json_t result)
{
    static const struct {
        const char *name;
        int32_t status;
    } RESULTS[] = {
        {"none", IOTEDGE_E_NONE},           {"frame", IOTEDGE_OK},        {"Malformed", IOTEDGE_E_MALFORMED},
        {"OutOfStep", IOTEDGE_E_OUT_OF_STEP}, {"Corrupt", IOTEDGE_E_CORRUPT},
    };
    for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++) {
        if (json_is(result, RESULTS[i].name)) {
            return RESULTS[i].status;
        }
    }
    return -1;
}

static int run(json_t vector, iotedge_link_t *link)
{
    json_t none = {NULL, 0};
    json_t list = json_get(vector, "packets");
    uint64_t mtu;
    long n;
    if (json_is(json_get(vector, "op"), "send")) {
        if (json_uint(json_get(vector, "mtu"), &mtu) != 0 || (n = json_hex(json_get(vector, "frame"), frame, sizeof frame)) < 0 ||
            iotedge_link_send(link, 0, 1, frame, (size_t)n, NULL) != IOTEDGE_OK) {
            return failed(vector, "the frame is not taken");
        }
        for (json_t packet = json_next(list, none); packet.at != NULL; packet = json_next(list, packet)) {
            if (!sends(link, 0, packet)) {
                return failed(vector, "another packet");
            }
        }
        return sends(link, 0, none) ? 0 : failed(vector, "more packets");
    }
    json_t result = json_next(json_get(vector, "results"), none);
    for (json_t packet = json_next(list, none); packet.at != NULL; packet = json_next(list, packet)) {
        size_t len = 0;
        if ((n = json_hex(packet, bytes, sizeof bytes)) < 0 || result.at == NULL) {
            return failed(vector, "no such packet");
        }
        int32_t status = iotedge_link_receive(link, 0, 1, bytes, (size_t)n, NULL, frame, sizeof frame, &len);
        if (status != status_of(result)) {
            return failed(vector, iotedge_status_name(status));
        }
        if (status == IOTEDGE_OK) {
            n = json_hex(json_get(vector, "frame"), expected, sizeof expected);
            if (n < 0 || (size_t)n != len || memcmp(frame, expected, len) != 0) {
                return failed(vector, "another frame");
            }
        }
        result = json_next(json_get(vector, "results"), result);
    }
    return sends(link, 250, json_get(vector, "asks")) ? 0 : failed(vector, "asks for something else");
}

int link_vector(json_t vector)
{
    uint64_t mtu = 51;
    (void)json_uint(json_get(vector, "mtu"), &mtu);
    iotedge_link_t *link = start((uint32_t)mtu);
    if (link == NULL) {
        return failed(vector, "no link");
    }
    int result = run(vector, link);
    (void)iotedge_link_deinit(link);
    return result;
}
