/* A spending policy: read, made again from what it says, or refused by the name that the vector has. */
#include "policy.h"

#include <iotedge.h>
#include <stdio.h>
#include <string.h>

static int failed(json_t vector, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "policy: %.*s: %s\n", (int)name.len, name.at, why);
    return 1;
}

/* Numbers between spaces, in the quotes of a string. */
static int payees_of(json_t list, iotedge_policy_t *policy)
{
    for (size_t at = 1; list.at != NULL && at + 1 < list.len; at++) {
        uint32_t payee = 0;
        for (; at + 1 < list.len && list.at[at] != ' '; at++) {
            if (list.at[at] < '0' || list.at[at] > '9') {
                return -1;
            }
            payee = payee * 10 + (uint32_t)(list.at[at] - '0');
        }
        if (payee > UINT16_MAX || policy->payee_count == IOTEDGE_MAX_PAYEES) {
            return -1;
        }
        policy->payees[policy->payee_count++] = (uint16_t)payee;
    }
    return 0;
}

static int policy_of(json_t vector, iotedge_policy_t *policy)
{
    uint64_t number, uses;
    memset(policy, 0, sizeof *policy);
    policy->size = (uint32_t)sizeof *policy;
    if (json_uint(json_get(vector, "number"), &number) != 0 || json_uint(json_get(vector, "uses"), &uses) != 0 ||
        json_uint(json_get(vector, "total"), &policy->total) != 0 || json_uint(json_get(vector, "span"), &policy->span) != 0 ||
        json_uint(json_get(vector, "within"), &policy->within) != 0 || json_uint(json_get(vector, "until"), &policy->until) != 0 ||
        json_hex(json_get(vector, "device"), policy->device, 32) != 32) {
        return -1;
    }
    policy->number = (uint32_t)number;
    policy->uses = (uint32_t)uses;
    return payees_of(json_get(vector, "payees"), policy);
}

int policy_vector(json_t vector)
{
    iotedge_public_key_t owner;
    iotedge_policy_t said, wanted;
    uint8_t here[32], bytes[2 * IOTEDGE_MAX_POLICY], input[IOTEDGE_MAX_POLICY_INPUT], message[IOTEDGE_MAX_POLICY_INPUT], again[IOTEDGE_MAX_POLICY];
    size_t message_len = 0, again_len = 0;
    json_t error = json_get(vector, "error");
    long len = json_hex(json_get(vector, "policy"), bytes, sizeof bytes), input_len;
    int32_t status;
    memset(&owner, 0, sizeof owner);
    owner.size = (uint32_t)sizeof owner;
    owner.suite = IOTEDGE_SUITE_ED25519;
    if (len <= 64 || json_hex(json_get(vector, "key"), owner.bytes, 32) != 32 || json_hex(json_get(vector, "neighbourhood"), here, 32) != 32 || !json_is_text(error)) {
        return failed(vector, "is no policy");
    }
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    status = iotedge_policy_verify(&owner, here, bytes, (size_t)len, &said);
    if (error.len > 2) {
        const char *name = iotedge_status_name(status);
        return strncmp(name, "IOTEDGE_E_", 10) == 0 && json_is(error, name + 10) ? 0 : failed(vector, name);
    }
    input_len = json_hex(json_get(vector, "input"), input, sizeof input);
    if (status != IOTEDGE_OK || input_len <= 0 || policy_of(vector, &wanted) != 0) {
        return failed(vector, iotedge_status_name(status));
    }
    if (memcmp(&said, &wanted, sizeof said) != 0) {
        return failed(vector, "says something else");
    }
    status = iotedge_policy_input(&owner, here, &wanted, message, sizeof message, &message_len);
    if (status != IOTEDGE_OK || message_len != (size_t)input_len || memcmp(message, input, message_len) != 0) {
        return failed(vector, "something else is signed");
    }
    status = iotedge_policy_assemble(&owner, here, &wanted, bytes + len - 64, again, sizeof again, &again_len);
    if (status != IOTEDGE_OK || again_len != (size_t)len || memcmp(again, bytes, again_len) != 0) {
        return failed(vector, "is put together otherwise");
    }
    return 0;
}
