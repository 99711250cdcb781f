/* Every function of spending policies: made, put together, read, given to a node, and what each does when it is misused. What a policy lets through is tested on whole neighbourhoods
 * (ffi/tests/neighbourhood.rs, core/src/node/policy_tests.rs). */
#include "device.h"

static uint64_t memory[NODE_BYTES / 8];
static iotedge_public_key_t owner, stranger;
static iotedge_policy_t policy;
static uint8_t owner_seed[32], here[32];
static uint8_t signed_policy[IOTEDGE_MAX_POLICY];
static size_t signed_len;

static void public_key(const uint8_t *from, iotedge_public_key_t *key)
{
    memset(key, 0, sizeof *key);
    key->size = (uint32_t)sizeof *key;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(from, key));
}

static void fresh(void)
{
    device_fresh();
    memset(owner_seed, 0x0e, sizeof owner_seed);
    memset(here, 0x11, sizeof here);
    public_key(owner_seed, &owner);
    public_key(seed, &stranger);
    memset(&policy, 0, sizeof policy);
    policy.size = (uint32_t)sizeof policy;
    policy.number = 1;
    policy.uses = IOTEDGE_USE_TRANSFER | IOTEDGE_USE_TICKS;
    policy.total = 1000;
    policy.span = 3600000;
    policy.within = 100;
    policy.payees[0] = 2;
    policy.payees[1] = 65535;
    policy.payee_count = 2;
    memset(policy.device, 0x22, sizeof policy.device);
}

static void make(void)
{
    uint8_t message[IOTEDGE_MAX_POLICY_INPUT], signature[IOTEDGE_SIGNATURE_SIZE];
    size_t len = 0;
    STATUS(IOTEDGE_OK, iotedge_policy_input(&owner, here, &policy, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(owner_seed, message, len, signature));
    STATUS(IOTEDGE_OK, iotedge_policy_assemble(&owner, here, &policy, signature, signed_policy, sizeof signed_policy, &signed_len));
}

static void what_is_signed_is_read_back(void)
{
    iotedge_policy_t said;
    fresh();
    for (int most = 0; most < 2; most++) {
        if (most) {
            policy.number = UINT32_MAX;
            policy.uses = 31;
            policy.total = policy.within = policy.until = UINT64_MAX;
            policy.span = UINT64_C(31622400000);
            policy.payee_count = IOTEDGE_MAX_PAYEES;
            for (unsigned i = 0; i < IOTEDGE_MAX_PAYEES; i++) {
                policy.payees[i] = (uint16_t)(60000 + i);
            }
        }
        make();
        memset(&said, 0xff, sizeof said);
        said.size = (uint32_t)sizeof said;
        STATUS(IOTEDGE_OK, iotedge_policy_verify(&owner, here, signed_policy, signed_len, &said));
        CHECK(memcmp(&said, &policy, sizeof said) == 0);
    }
    CHECK(signed_len == IOTEDGE_MAX_POLICY);
}

static void others_are_refused(void)
{
    iotedge_policy_t said, untouched;
    uint8_t elsewhere[32];
    unsigned refused = 0;
    fresh();
    make();
    memset(&said, 0x5a, sizeof said);
    said.size = (uint32_t)sizeof said;
    untouched = said;
    memset(elsewhere, 0x12, sizeof elsewhere);
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_policy_verify(&owner, elsewhere, signed_policy, signed_len, &said));
    STATUS(IOTEDGE_E_WRONG_SIGNER, iotedge_policy_verify(&stranger, here, signed_policy, signed_len, &said));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_policy_verify(&owner, here, signed_policy, signed_len - 1, &said));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_policy_verify(&owner, here, signed_policy, 0, &said));
    for (size_t i = 0; i < signed_len; i++) {
        signed_policy[i] ^= 4;
        refused += iotedge_policy_verify(&owner, here, signed_policy, signed_len, &said) != IOTEDGE_OK;
        signed_policy[i] ^= 4;
    }
    CHECK(refused == signed_len);
    CHECK(memcmp(&said, &untouched, sizeof said) == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_policy_verify(NULL, here, signed_policy, signed_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_verify(&owner, NULL, signed_policy, signed_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_verify(&owner, here, NULL, signed_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_verify(&owner, here, signed_policy, signed_len, NULL));
    said.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_policy_verify(&owner, here, signed_policy, signed_len, &said));
}

static void what_cannot_be_is_not_made(void)
{
    uint8_t message[IOTEDGE_MAX_POLICY_INPUT], signature[IOTEDGE_SIGNATURE_SIZE];
    size_t len = 7;
    for (int wrong = 0; wrong < 10; wrong++) {
        int32_t wanted = IOTEDGE_E_RANGE;
        fresh();
        switch (wrong) {
        case 0: policy.number = 0; break;
        case 1: policy.uses = 32; break;
        case 2: policy.uses = 256; break;
        case 3: policy.span = 59999; break;
        case 4: policy.span = UINT64_C(31622400001); break;
        case 5: policy.payee_count = 17; break;
        case 6: policy.payees[1] = 2; break;
        case 7: policy.payees[1] = 1; break;
        case 8: policy.payees[2] = 1; wanted = IOTEDGE_E_ARGUMENT; break;
        default: policy.size = 0; wanted = IOTEDGE_E_STRUCT_SIZE; break;
        }
        STATUS(wanted, iotedge_policy_input(&owner, here, &policy, message, sizeof message, &len));
        CHECK(len == 7);
    }
    fresh();
    STATUS(IOTEDGE_E_NULL, iotedge_policy_input(NULL, here, &policy, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_input(&owner, NULL, &policy, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_input(&owner, here, NULL, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_input(&owner, here, &policy, NULL, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_input(&owner, here, &policy, message, sizeof message, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_policy_input(&owner, here, &policy, message, 20, &len));

    /* A signature that is not the owner's over it. */
    STATUS(IOTEDGE_OK, iotedge_policy_input(&owner, here, &policy, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(seed, message, len, signature));
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_policy_assemble(&owner, here, &policy, signature, signed_policy, sizeof signed_policy, &signed_len));
    STATUS(IOTEDGE_OK, iotedge_sign(owner_seed, message, len, signature));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_policy_assemble(&owner, here, &policy, signature, signed_policy, 100, &signed_len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_assemble(&owner, here, &policy, NULL, signed_policy, sizeof signed_policy, &signed_len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_assemble(&owner, NULL, &policy, signature, signed_policy, sizeof signed_policy, &signed_len));
    STATUS(IOTEDGE_E_NULL, iotedge_policy_assemble(&owner, here, &policy, signature, NULL, sizeof signed_policy, &signed_len));
}

static void a_node_keeps_its_owners(void)
{
    iotedge_allowance_t left;
    iotedge_limits_t limits = node_limits();
    iotedge_config_t config = node_config();
    iotedge_node_t *node;
    uint32_t number = 9;
    fresh();
    make();
    memset(&left, 0, sizeof left);
    left.size = (uint32_t)sizeof left;
    node = node_start(memory);
    STATUS(IOTEDGE_E_NONE, iotedge_node_set_policy(node, 1000, signed_policy, signed_len, &number));
    STATUS(IOTEDGE_E_NONE, iotedge_node_allowance(node, 1000, &left));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_allowance(node, 1000, &left));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_node_set_policy(node, 1000, signed_policy, signed_len, &number));

    device_fresh();
    config.owner = &owner;
    STATUS(IOTEDGE_OK, iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node));
    /* It does not know its neighbourhood: whose policy would it be? Nor does it spend anything. */
    STATUS(IOTEDGE_E_WRONG_ORDER, iotedge_node_set_policy(node, 1000, signed_policy, signed_len, &number));
    CHECK(number == 9);
    left.total = left.now = left.ends = 1;
    STATUS(IOTEDGE_OK, iotedge_node_allowance(node, 1000, &left));
    CHECK(left.total == 0 && left.now == 0 && left.ends == 0);
    STATUS(IOTEDGE_E_NULL, iotedge_node_set_policy(NULL, 1000, signed_policy, signed_len, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_set_policy(node, 1000, NULL, signed_len, &number));
    STATUS(IOTEDGE_E_NULL, iotedge_node_set_policy(node, 1000, signed_policy, signed_len, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_node_allowance(NULL, 1000, &left));
    STATUS(IOTEDGE_E_NULL, iotedge_node_allowance(node, 1000, NULL));
    left.size = 8;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_node_allowance(node, 1000, &left));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));

    /* An owner's key that is none; and a configuration of before there were owners. */
    owner.suite = 9;
    STATUS(IOTEDGE_E_SUITE, iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node));
    config.size = (uint32_t)offsetof(iotedge_config_t, owner);
    STATUS(IOTEDGE_OK, iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &node));
    left.size = (uint32_t)sizeof left;
    STATUS(IOTEDGE_E_NONE, iotedge_node_allowance(node, 1000, &left));
    STATUS(IOTEDGE_OK, iotedge_node_deinit(node));
}

int main(void)
{
    what_is_signed_is_read_back();
    others_are_refused();
    what_cannot_be_is_not_made();
    a_node_keeps_its_owners();
    return check_end("policy");
}
