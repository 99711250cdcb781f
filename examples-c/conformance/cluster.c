/* The vectors of clusters: names, claims, scores and distances. */
#include "cluster.h"

#include <iotedge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(json_t vector, const char *name, uint8_t *to, size_t most)
{
    long len = json_hex(json_get(vector, name), to, most);
    return len < 0 ? 0 : (size_t)len;
}

/* Numbers of a text, apart by commas; how many. */
static size_t numbers_of(json_t vector, const char *name, int32_t *to, size_t most)
{
    char text[96];
    json_t found = json_get(vector, name);
    size_t count = 0;
    if (!json_is_text(found) || found.len - 2 >= sizeof text) {
        return 0;
    }
    memcpy(text, found.at + 1, found.len - 2);
    text[found.len - 2] = 0;
    for (char *at = text; *at != 0 && count < most; count++) {
        to[count] = (int32_t)strtol(at, &at, 10);
        at += *at == ',';
    }
    return count;
}

static uint64_t number_of(json_t vector, const char *name)
{
    uint64_t found = UINT64_MAX;
    (void)json_uint(json_get(vector, name), &found);
    return found;
}

static int32_t context(json_t vector, int *differs)
{
    uint8_t secret[32], neighbourhood[32], label[IOTEDGE_MAX_LABEL], wanted[IOTEDGE_CONTEXT_SIZE], found[IOTEDGE_CONTEXT_SIZE];
    size_t len = bytes_of(vector, "label", label, sizeof label);
    if (bytes_of(vector, "secret", secret, 32) != 32 || bytes_of(vector, "neighbourhood", neighbourhood, 32) != 32 ||
        bytes_of(vector, "found", wanted, sizeof wanted) != sizeof wanted) {
        return IOTEDGE_E_INTERNAL;
    }
    int32_t status = iotedge_cluster_context(secret, neighbourhood, (uint32_t)number_of(vector, "epoch"), label, len, found);
    *differs = memcmp(wanted, found, sizeof wanted) != 0;
    return status;
}

static int32_t claim(json_t vector, int *differs)
{
    uint8_t neighbourhood[32], bytes[256], cluster[IOTEDGE_CONTEXT_SIZE];
    int32_t line[IOTEDGE_MAX_SUCCESSORS];
    iotedge_public_key_t key;
    iotedge_claim_t said;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    size_t len = bytes_of(vector, "claim", bytes, sizeof bytes);
    if (bytes_of(vector, "key", key.bytes, 32) != 32 || bytes_of(vector, "neighbourhood", neighbourhood, 32) != 32) {
        return IOTEDGE_E_INTERNAL;
    }
    int32_t status = iotedge_cluster_claim_verify(neighbourhood, &key, bytes, len, &said);
    if (status != IOTEDGE_OK) {
        return status;
    }
    size_t count = numbers_of(vector, "successors", line, IOTEDGE_MAX_SUCCESSORS);
    *differs = bytes_of(vector, "context", cluster, sizeof cluster) != sizeof cluster ||
               memcmp(cluster, said.context, sizeof cluster) != 0 || said.epoch != number_of(vector, "epoch") ||
               said.member != number_of(vector, "member") || said.term != number_of(vector, "term") ||
               said.score != number_of(vector, "score") || said.at != number_of(vector, "at") ||
               said.until != number_of(vector, "until") || said.successors_count != count;
    for (size_t i = 0; i < count; i++) {
        *differs |= said.successors[i] != (uint32_t)line[i];
    }
    return status;
}

static int32_t score(json_t vector, int *differs)
{
    iotedge_capability_t able;
    uint32_t found = UINT32_MAX;
    memset(&able, 0, sizeof able);
    able.size = (uint32_t)sizeof able;
    able.mains = (uint32_t)number_of(vector, "mains");
    able.free_kib = (uint32_t)number_of(vector, "free_kib");
    able.uplink = (uint32_t)number_of(vector, "uplink");
    able.uptime = (uint32_t)number_of(vector, "uptime");
    able.battery = (uint32_t)number_of(vector, "battery");
    int32_t status = iotedge_cluster_score(&able, &found);
    *differs = found != number_of(vector, "found");
    return status;
}

static iotedge_profile_t side(json_t vector, const char *const fields[6])
{
    iotedge_profile_t profile;
    int32_t hops = 0;
    memset(&profile, 0, sizeof profile);
    profile.size = (uint32_t)sizeof profile;
    profile.known |= numbers_of(vector, fields[0], profile.cell, 3) == 3 ? IOTEDGE_PROFILE_CELL : 0;
    profile.known |= numbers_of(vector, fields[1], &profile.rssi, 1) == 1 ? IOTEDGE_PROFILE_RSSI : 0;
    profile.known |= numbers_of(vector, fields[2], &hops, 1) == 1 ? IOTEDGE_PROFILE_HOPS : 0;
    profile.hops = (uint32_t)hops;
    (void)bytes_of(vector, fields[3], profile.owner, sizeof profile.owner);
    profile.contracts_count = (uint32_t)(bytes_of(vector, fields[4], profile.contracts[0], sizeof profile.contracts) / 8);
    profile.wake = (uint32_t)number_of(vector, fields[5]);
    return profile;
}

static int32_t distance(json_t vector, int *differs)
{
    static const char *const A[6] = {"a_cell", "a_rssi", "a_hops", "a_owner", "a_contracts", "a_wake"};
    static const char *const B[6] = {"b_cell", "b_rssi", "b_hops", "b_owner", "b_contracts", "b_wake"};
    iotedge_profile_t a = side(vector, A);
    iotedge_profile_t b = side(vector, B);
    uint32_t there = UINT32_MAX, back = UINT32_MAX;
    int32_t status = iotedge_cluster_distance(&a, &b, &there);
    if (status == IOTEDGE_OK) {
        status = iotedge_cluster_distance(&b, &a, &back);
    }
    *differs = there != number_of(vector, "found") || back != there;
    return status;
}

static const struct {
    const char *op;
    int32_t (*run)(json_t, int *);
} OPS[] = {{"context", context}, {"claim", claim}, {"score", score}, {"distance", distance}};

static size_t op_of(json_t vector)
{
    size_t i = 0;
    while (i < sizeof OPS / sizeof OPS[0] && !json_is(json_get(vector, "op"), OPS[i].op)) {
        i++;
    }
    return i;
}

int cluster_reaches(json_t vector)
{
    return op_of(vector) < sizeof OPS / sizeof OPS[0];
}

int32_t cluster_vector(json_t vector, int *differs)
{
    *differs = 0;
    return cluster_reaches(vector) ? OPS[op_of(vector)].run(vector, differs) : IOTEDGE_E_NONE;
}
