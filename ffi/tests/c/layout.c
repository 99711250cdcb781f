/* The layout that the ABI promises, on 32-bit and 64-bit machines: offsets of every field that a reader could move by accident. */
#include "check.h"

#include <stddef.h>

#define P sizeof(void *)
/* Compiles only where the condition holds; works in every language that the header is for. */
#define HOLDS2(condition, line) typedef char holds_##line[(condition) ? 1 : -1]
#define HOLDS1(condition, line) HOLDS2(condition, line)
#define HOLDS(condition) HOLDS1(condition, __LINE__)

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-local-typedefs"
#endif

HOLDS(sizeof(iotedge_public_key_t) == 72);
HOLDS(offsetof(iotedge_public_key_t, bytes) == 8);
HOLDS(sizeof(iotedge_reading_t) == 80);
HOLDS(offsetof(iotedge_reading_t, mantissa) == 8);
HOLDS(offsetof(iotedge_reading_t, name) == 32);
HOLDS(offsetof(iotedge_reading_t, unit) == 68);
HOLDS(sizeof(iotedge_certificate_t) == 192);
HOLDS(offsetof(iotedge_certificate_t, key) == 40);
HOLDS(offsetof(iotedge_certificate_t, name) == 152);
HOLDS(sizeof(iotedge_tx_t) == 176 + 2 * P);
HOLDS(offsetof(iotedge_tx_t, amount) == 32);
HOLDS(offsetof(iotedge_tx_t, prefixes) == 48);
HOLDS(offsetof(iotedge_tx_t, body) == 176);
HOLDS(sizeof(iotedge_offence_t) == 80);
HOLDS(sizeof(iotedge_settled_t) == 40);
HOLDS(sizeof(iotedge_limits_t) == 60);
HOLDS(sizeof(iotedge_config_t) == 56 + 8 * P + 8);
HOLDS(offsetof(iotedge_config_t, owner) == 56 + 8 * P);
HOLDS(sizeof(iotedge_policy_t) == 120);
HOLDS(offsetof(iotedge_policy_t, total) == 16);
HOLDS(offsetof(iotedge_policy_t, device) == 48);
HOLDS(offsetof(iotedge_policy_t, payees) == 80);
HOLDS(sizeof(iotedge_allowance_t) == 32);
HOLDS(offsetof(iotedge_allowance_t, ends) == 24);
HOLDS(offsetof(iotedge_config_t, clock_offset) == 8);
HOLDS(offsetof(iotedge_config_t, authority) == 48);
HOLDS(offsetof(iotedge_config_t, approvals) == 48 + 8 * P);
HOLDS(offsetof(iotedge_config_t, slot) == 52 + 8 * P);
HOLDS(sizeof(iotedge_platform_t) == 16 + 10 * P);
HOLDS(offsetof(iotedge_platform_t, counter_stride) == 8 + 8 * P);
HOLDS(offsetof(iotedge_platform_t, attest) == 16 + 8 * P);
HOLDS(offsetof(iotedge_platform_t, accelerator) == 16 + 9 * P);
HOLDS(sizeof(iotedge_accelerator_t) == 8 + 3 * P);
HOLDS(offsetof(iotedge_accelerator_t, verify) == 8 + P);
HOLDS(sizeof(iotedge_selftest_t) == 48);
HOLDS(offsetof(iotedge_selftest_t, accelerator) == 44);
HOLDS(offsetof(iotedge_platform_t, store_user) == 8 + 5 * P);
HOLDS(sizeof(iotedge_flash_t) == 16 + 5 * P);
HOLDS(offsetof(iotedge_flash_t, user) == 16);
HOLDS(offsetof(iotedge_platform_t, user) == 8);
HOLDS(sizeof(iotedge_event_t) == 120);
HOLDS(offsetof(iotedge_event_t, amount) == 72);
HOLDS(offsetof(iotedge_event_t, member) == 88);
HOLDS(offsetof(iotedge_event_t, block) == 112);
HOLDS(sizeof(iotedge_node_status_t) == 184);
HOLDS(offsetof(iotedge_node_status_t, block) == 176);
HOLDS(offsetof(iotedge_node_status_t, period) == 168);
HOLDS(offsetof(iotedge_node_status_t, credits) == 104);
HOLDS(offsetof(iotedge_node_status_t, member) == 120);
HOLDS(sizeof(iotedge_counters_t) == 56);
HOLDS(offsetof(iotedge_counters_t, approvals) == 48);
HOLDS(offsetof(iotedge_counters_t, bytes_in) == 8);
HOLDS(sizeof(iotedge_receipt_check_t) == 8 + 8 * IOTEDGE_RECEIPT_CHECK_WORDS);
HOLDS(sizeof(iotedge_leaf_config_t) == 32 + 8 * P);
HOLDS(offsetof(iotedge_leaf_config_t, signer) == 32 + 6 * P);
HOLDS(sizeof(iotedge_measurement_t) == 8 + 3 * P);
HOLDS(sizeof(iotedge_evidence_t) == 24 + 14 * P);
HOLDS(offsetof(iotedge_evidence_t, boot_count) == 16);
HOLDS(offsetof(iotedge_evidence_t, measurements) == 24 + 12 * P);
HOLDS(offsetof(iotedge_leaf_config_t, clock_offset) == 8);
HOLDS(offsetof(iotedge_leaf_config_t, authority) == 32);
HOLDS(sizeof(iotedge_leaf_status_t) == 120);
HOLDS(offsetof(iotedge_leaf_status_t, credits) == 72);
HOLDS(offsetof(iotedge_leaf_status_t, head) == 112);
HOLDS(sizeof(iotedge_cluster_config_t) == 16 + 3 * P);
HOLDS(sizeof(iotedge_capability_t) == 24);
HOLDS(sizeof(iotedge_claim_t) == 72);
HOLDS(offsetof(iotedge_claim_t, context) == 56);
HOLDS(sizeof(iotedge_profile_t) == 80);
HOLDS(offsetof(iotedge_profile_t, owner) == 32);
HOLDS(IOTEDGE_LEAF_SIZE % 8 == 0);
HOLDS(sizeof(iotedge_link_limits_t) == 24);
HOLDS(sizeof(iotedge_link_config_t) == 32);
HOLDS(sizeof(iotedge_link_counters_t) == 80);
HOLDS(offsetof(iotedge_link_counters_t, bytes_out) == 16);
HOLDS(offsetof(iotedge_link_counters_t, malformed) == 76);
HOLDS(IOTEDGE_LINK_SIZE(1, 1, 1, 161) % 8 == 0);
HOLDS(sizeof(iotedge_content_descriptor_t) == 48);
HOLDS(offsetof(iotedge_content_descriptor_t, length) == 8);
HOLDS(sizeof(iotedge_content_progress_t) == 16);
HOLDS(sizeof(iotedge_slot_t) == 8 + 3 * P);
HOLDS(offsetof(iotedge_slot_t, read) == 8 + P);
HOLDS(sizeof(iotedge_provider_config_t) == 24);
HOLDS(sizeof(iotedge_update_target_t) == 56 + 4 * P);
HOLDS(offsetof(iotedge_update_target_t, component) == 40);
HOLDS(offsetof(iotedge_update_target_t, room) == 40 + 4 * P);
HOLDS(sizeof(iotedge_update_status_t) == 56);
HOLDS(offsetof(iotedge_update_status_t, digest) == 24);
HOLDS(sizeof(iotedge_installed_t) == 64);
HOLDS(sizeof(iotedge_manifest_t) == 144);
HOLDS(offsetof(iotedge_manifest_t, precursor) == 80);
HOLDS(IOTEDGE_CONTENT_SIZE % 8 == 0 && IOTEDGE_UPDATE_SIZE % 8 == 0);
HOLDS(IOTEDGE_PROVIDER_SIZE(65536, 8, 3) == IOTEDGE_PROVIDER_SIZE_FIXED + 32 * 32);
HOLDS(IOTEDGE_PROVIDER_SIZE(65537, 8, 3) == IOTEDGE_PROVIDER_SIZE_FIXED + 33 * 32);
HOLDS(IOTEDGE_PROVIDER_SIZE(1, 10, 20) % 8 == 0);
HOLDS(sizeof(iotedge_serial_encoder_t) == 20);
HOLDS(sizeof(iotedge_serial_counters_t) == 28);
HOLDS(offsetof(iotedge_serial_counters_t, corrupt) == 24);
HOLDS(IOTEDGE_SERIAL_SIZE(IOTEDGE_MAX_FRAME) == IOTEDGE_SERIAL_MAX);
HOLDS(IOTEDGE_SERIAL_DECODER_SIZE(33) % 8 == 0);
HOLDS(IOTEDGE_NODE_SIZE(32, 1, 1, 2, 1, 4, 5600) % 8 == 0);
HOLDS(IOTEDGE_NODE_SIZE_LEAN(128, 1000, 8, 4, 4, 8, 5600, 8, 8, 8, 1, 8, 16) < 145000);

int main(void)
{
    /* What was compiled holds; the library agrees: it refuses a structure that is one byte shorter than the first there was. */
    iotedge_limits_t limits;
    memset(&limits, 0, sizeof limits);
    limits.size = 36 - 1;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_limits_default(&limits));
    limits.size = (uint32_t)sizeof limits;
    STATUS(IOTEDGE_OK, iotedge_limits_default(&limits));
    CHECK(limits.window >= 32 && limits.size == sizeof limits);
    return check_end("layout");
}
