/* Every function of clusters: what each gives, and what it does when it is misused. */
#include "device.h"

/* "a head with two behind it" of vectors/cluster.json, by the key CERTIFICATE_AUTHORITY in the neighbourhood 32 times 0x11. */
static const uint8_t CLAIM[163] = {
    0x84, 0x4d, 0xa2, 0x01, 0x27, 0x04, 0x48, 0xdd, 0x2f, 0xb4, 0xe1, 0x8b, 0x5e, 0x1c, 0xe3, 0xa0,
    0x58, 0x4f, 0x8a, 0x01, 0x58, 0x20, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x50, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
    0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x03, 0x04, 0x05, 0x18, 0x3c, 0x1b, 0x00, 0x00, 0x01,
    0x8b, 0xcf, 0xe5, 0x68, 0x00, 0x1b, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x87, 0x40, 0x82, 0x09,
    0x02, 0x58, 0x40, 0x28, 0x68, 0x9b, 0x8b, 0x76, 0x8d, 0x1b, 0xdb, 0x6f, 0xf0, 0x93, 0x9a, 0x65,
    0x12, 0xf8, 0x29, 0x13, 0x19, 0x30, 0x8f, 0x7b, 0x4b, 0x6c, 0x8d, 0x21, 0xbc, 0x03, 0x0d, 0x7b,
    0x23, 0x29, 0x35, 0xe2, 0xc6, 0xd3, 0x85, 0x6e, 0xd4, 0xa3, 0x8b, 0x9a, 0xaa, 0x81, 0x37, 0x69,
    0x53, 0x01, 0xc8, 0xaa, 0x03, 0xb8, 0x0b, 0xc0, 0x1e, 0x2f, 0xac, 0xa7, 0x53, 0xc2, 0x19, 0xb0,
    0xe6, 0xb3, 0x05,
};
static uint64_t memory[NODE_BYTES / 8];
static uint8_t secret[32];

static iotedge_cluster_config_t membership(void)
{
    iotedge_cluster_config_t config;
    memset(&config, 0, sizeof config);
    memset(secret, 7, sizeof secret);
    config.size = (uint32_t)sizeof config;
    config.score = 12;
    config.lease = 8000;
    config.secret = secret;
    config.label = (const uint8_t *)"hall 3";
    config.label_len = 6;
    return config;
}

static void on_a_node(void)
{
    iotedge_node_t *node = node_start(memory);
    iotedge_cluster_config_t config = membership();
    uint8_t label[IOTEDGE_MAX_LABEL + 1] = {0};
    uint32_t member = 7;
    uint32_t term = 7;
    STATUS(IOTEDGE_E_NONE, iotedge_cluster_head(node, 5, &member, &term));
    STATUS(IOTEDGE_OK, iotedge_cluster_set_score(node, 5, 3)); /* In no cluster yet: nothing to do. */

    STATUS(IOTEDGE_E_NULL, iotedge_cluster_join(NULL, &config));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_join(node, NULL));
    config.secret = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_join(node, &config));
    config = membership();
    config.label = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_join(node, &config));
    config.label_len = 0; /* No label is fine. */
    STATUS(IOTEDGE_OK, iotedge_cluster_join(node, &config));
    config.label = label;
    config.label_len = sizeof label;
    STATUS(IOTEDGE_E_LENGTH, iotedge_cluster_join(node, &config));
    const uint32_t leases[] = {0, 63, 0x80000001u, UINT32_MAX};
    for (size_t i = 0; i < sizeof leases / sizeof leases[0]; i++) {
        config = membership();
        config.lease = leases[i];
        STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_join(node, &config));
    }
    config = membership();
    config.score = 65536;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_join(node, &config));
    config.score = IOTEDGE_CLUSTER_FOLLOWS;
    STATUS(IOTEDGE_OK, iotedge_cluster_join(node, &config));
    config.reserved = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_join(node, &config));
    config = membership();
    config.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_cluster_join(node, &config));

    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_set_score(node, 5, 65536));
    STATUS(IOTEDGE_OK, iotedge_cluster_set_score(node, 5, IOTEDGE_CLUSTER_FOLLOWS));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_set_score(NULL, 5, 1));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_head(NULL, 5, &member, &term));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_head(node, 5, NULL, &term));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_head(node, 5, &member, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_cluster_head(node, 5, &member, &term));
    CHECK(member == 7 && term == 7);
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    config = membership();
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_cluster_join(node, &config));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_cluster_set_score(node, 5, 1));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_cluster_head(node, 5, &member, &term));
}

static void scores(void)
{
    iotedge_capability_t able;
    uint32_t score = 7;
    memset(&able, 0, sizeof able);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_cluster_score(&able, &score));
    able.size = (uint32_t)sizeof able;
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_score(NULL, &score));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_score(&able, NULL));
    able.mains = 2;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_score(&able, &score));
    able.mains = 1;
    able.uplink = 101;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_score(&able, &score));
    able.uplink = 100;
    able.battery = 256;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_score(&able, &score));
    CHECK(score == 7);
    able.battery = 0;
    able.free_kib = UINT32_MAX;
    able.uptime = UINT32_MAX;
    STATUS(IOTEDGE_OK, iotedge_cluster_score(&able, &score));
    CHECK(score == 66);
    memset(&able, 0, sizeof able);
    able.size = (uint32_t)sizeof able;
    STATUS(IOTEDGE_OK, iotedge_cluster_score(&able, &score));
    CHECK(score == 0);
}

static void names(void)
{
    uint8_t neighbourhood[32];
    uint8_t one[IOTEDGE_CONTEXT_SIZE] = {0};
    uint8_t other[IOTEDGE_CONTEXT_SIZE] = {0};
    const uint8_t *label = (const uint8_t *)"hall 3";
    memset(neighbourhood, 0x11, sizeof neighbourhood);
    memset(secret, 7, sizeof secret);
    STATUS(IOTEDGE_OK, iotedge_cluster_context(secret, neighbourhood, 1, label, 6, one));
    STATUS(IOTEDGE_OK, iotedge_cluster_context(secret, neighbourhood, 2, label, 6, other));
    CHECK(memcmp(one, other, sizeof one) != 0);
    STATUS(IOTEDGE_OK, iotedge_cluster_context(secret, neighbourhood, 1, NULL, 0, other));
    CHECK(memcmp(one, other, sizeof one) != 0);
    memset(other, 9, sizeof other);
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_context(NULL, neighbourhood, 1, label, 6, other));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_context(secret, NULL, 1, label, 6, other));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_context(secret, neighbourhood, 1, NULL, 6, other));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_context(secret, neighbourhood, 1, label, 6, NULL));
    CHECK(other[0] == 9 && other[15] == 9);
}

static void claims(void)
{
    uint8_t neighbourhood[32];
    uint8_t bent[sizeof CLAIM];
    iotedge_public_key_t key;
    iotedge_claim_t said;
    memset(neighbourhood, 0x11, sizeof neighbourhood);
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    memcpy(key.bytes, CERTIFICATE_AUTHORITY, 32);
    memset(&said, 0, sizeof said);
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, sizeof CLAIM, &said));
    said.size = (uint32_t)sizeof said;
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_claim_verify(NULL, &key, CLAIM, sizeof CLAIM, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_claim_verify(neighbourhood, NULL, CLAIM, sizeof CLAIM, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_claim_verify(neighbourhood, &key, NULL, sizeof CLAIM, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, sizeof CLAIM, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, 0, &said));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, sizeof CLAIM - 1, &said));
    neighbourhood[0] ^= 1;
    STATUS(IOTEDGE_E_NEIGHBOURHOOD, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, sizeof CLAIM, &said));
    neighbourhood[0] ^= 1;
    memcpy(bent, CLAIM, sizeof bent);
    bent[sizeof bent - 1] ^= 1;
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_cluster_claim_verify(neighbourhood, &key, bent, sizeof bent, &said));
    CHECK(said.member == 0 && said.successors_count == 0);
    STATUS(IOTEDGE_OK, iotedge_cluster_claim_verify(neighbourhood, &key, CLAIM, sizeof CLAIM, &said));
    CHECK(said.member == 4 && said.term == 5 && said.epoch == 3 && said.score == 60 && said.successors_count == 2);
    CHECK(said.successors[0] == 9 && said.successors[1] == 2 && said.successors[2] == 0 && said.context[15] == 2);
    CHECK(said.at == UINT64_C(1700000000000) && said.until == said.at + 8000);
}

static iotedge_profile_t profile(uint32_t known)
{
    iotedge_profile_t made;
    memset(&made, 0, sizeof made);
    made.size = (uint32_t)sizeof made;
    made.known = known;
    return made;
}

static void distances(void)
{
    iotedge_profile_t a = profile(IOTEDGE_PROFILE_RSSI);
    iotedge_profile_t b = profile(IOTEDGE_PROFILE_RSSI);
    uint32_t distance = 7;
    a.rssi = b.rssi = -45;
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_distance(NULL, &b, &distance));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_distance(&a, NULL, &distance));
    STATUS(IOTEDGE_E_NULL, iotedge_cluster_distance(&a, &b, NULL));
    STATUS(IOTEDGE_OK, iotedge_cluster_distance(&a, &b, &distance));
    CHECK(distance == 0);
    b.rssi = -95;
    STATUS(IOTEDGE_OK, iotedge_cluster_distance(&a, &b, &distance));
    CHECK(distance == IOTEDGE_FARTHEST / 2); /* Two parts of four. */
    distance = 7;
    b.rssi = -129;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(8);
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(IOTEDGE_PROFILE_HOPS);
    b.hops = 256;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(IOTEDGE_PROFILE_CELL);
    b.cell[2] = 40000;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(0);
    b.contracts_count = IOTEDGE_MAX_CONTRACTS + 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(0);
    b.reserved = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_cluster_distance(&a, &b, &distance));
    b = profile(0);
    b.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_cluster_distance(&a, &b, &distance));
    CHECK(distance == 7);
}

int main(void)
{
    on_a_node();
    scores();
    names();
    claims();
    distances();
    return check_end("cluster");
}
