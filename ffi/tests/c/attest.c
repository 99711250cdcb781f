/* Attestation: what it says, what it proves, and what the functions do when they are misused. */
#include "check.h"

static const uint8_t SEED[32] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};
static const uint8_t ZERO[64] = {0};
static const uint8_t NONCE[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t DIGEST[64] = {0xf1, 0xf2};
static const uint8_t OUI[16] = {0xaa, 0xbb, 0xcc};

static iotedge_public_key_t key;
static iotedge_measurement_t stages[9];
static iotedge_evidence_t evidence;
static uint8_t eat[IOTEDGE_MAX_ATTESTATION];
static size_t eat_len;

static void fresh(void)
{
    static const char *const names[9] = {"bootloader", "firmware", "c", "d", "e", "f", "g", "h", "i"};
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(SEED, &key));
    memset(stages, 0, sizeof stages);
    for (unsigned i = 0; i < 9; i++) {
        stages[i].size = (uint32_t)sizeof stages[i];
        stages[i].name = names[i];
        stages[i].name_len = strlen(names[i]);
        stages[i].digest = DIGEST;
        stages[i].digest_len = 32;
    }
    memset(&evidence, 0, sizeof evidence);
    evidence.size = (uint32_t)sizeof evidence;
    evidence.secure_boot = IOTEDGE_SECURE_BOOT_ON;
    evidence.debug = IOTEDGE_DEBUG_DISABLED_PERMANENTLY;
    evidence.boot_count = 17;
    evidence.oem = OUI;
    evidence.oem_len = 3;
    evidence.model = (const uint8_t *)"acme-2";
    evidence.model_len = 6;
    evidence.hardware_version = "1.3";
    evidence.hardware_version_len = 3;
    evidence.boot_seed = DIGEST;
    evidence.boot_seed_len = 32;
    evidence.software_name = "sensor";
    evidence.software_name_len = 6;
    evidence.software_version = "2.0";
    evidence.software_version_len = 3;
    evidence.measurements = stages;
    evidence.measurement_count = 2;
    memset(eat, 0, sizeof eat);
    eat_len = 0;
}

static int32_t attest(void)
{
    return iotedge_attest(SEED, NULL, NONCE, sizeof NONCE, &evidence, eat, sizeof eat, &eat_len);
}

static int32_t verify(iotedge_evidence_t *said)
{
    memset(said, 0, sizeof *said);
    said->size = (uint32_t)sizeof *said;
    return iotedge_attest_verify(&key, NULL, NONCE, sizeof NONCE, eat, eat_len, said);
}

/* Says that no attestation came to be. */
static void none(int32_t wanted)
{
    STATUS(wanted, attest());
    CHECK(eat_len == 0 && memcmp(eat, ZERO, 64) == 0);
    uint8_t message[IOTEDGE_MAX_SIGN_INPUT];
    size_t len = 77;
    STATUS(wanted, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, &evidence, message, sizeof message, &len));
    CHECK(len == 77);
}

static void says_what_was_given(void)
{
    iotedge_evidence_t said;
    iotedge_measurement_t stage;
    fresh();
    STATUS(IOTEDGE_OK, attest());
    STATUS(IOTEDGE_OK, verify(&said));
    CHECK(said.secure_boot == evidence.secure_boot && said.debug == evidence.debug && said.boot_count == 17);
    CHECK(said.oem_len == 3 && memcmp(said.oem, OUI, 3) == 0 && said.oem_pen == 0);
    CHECK(said.model_len == 6 && memcmp(said.model, "acme-2", 6) == 0);
    CHECK(said.hardware_version_len == 3 && memcmp(said.hardware_version, "1.3", 3) == 0);
    CHECK(said.software_name_len == 6 && memcmp(said.software_name, "sensor", 6) == 0);
    CHECK(said.software_version_len == 3 && memcmp(said.software_version, "2.0", 3) == 0);
    CHECK(said.boot_seed_len == 32 && memcmp(said.boot_seed, DIGEST, 32) == 0);
    CHECK(said.measurement_count == 2 && said.measurements == NULL);
    memset(&stage, 0, sizeof stage);
    stage.size = (uint32_t)sizeof stage;
    for (unsigned i = 0; i < 2; i++) {
        STATUS(IOTEDGE_OK, iotedge_attest_measurement(eat, eat_len, i, &stage));
        CHECK(stage.name_len == stages[i].name_len && memcmp(stage.name, stages[i].name, stage.name_len) == 0);
        CHECK(stage.digest_len == 32 && memcmp(stage.digest, DIGEST, 32) == 0);
    }
    STATUS(IOTEDGE_E_NONE, iotedge_attest_measurement(eat, eat_len, 2, &stage));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_measurement(NULL, eat_len, 0, &stage));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_measurement(eat, eat_len, 0, NULL));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_attest_measurement(eat, eat_len - 1, 0, &stage));
    stage.size = 4;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_attest_measurement(eat, eat_len, 0, &stage));

    /* Nothing said at all, but who it is and what was asked. */
    memset(&evidence, 0, sizeof evidence);
    evidence.size = (uint32_t)sizeof evidence;
    STATUS(IOTEDGE_OK, attest());
    STATUS(IOTEDGE_OK, verify(&said));
    CHECK(said.measurement_count == 0 && said.model_len == 0 && said.debug == IOTEDGE_DEBUG_UNKNOWN);
    evidence.oem_pen = 32473;
    STATUS(IOTEDGE_OK, attest());
    STATUS(IOTEDGE_OK, verify(&said));
    CHECK(said.oem_pen == 32473 && said.oem_len == 0);
}

static void proves_it_to_who_asked(void)
{
    iotedge_evidence_t said;
    uint8_t other[32];
    fresh();
    STATUS(IOTEDGE_OK, attest());
    memcpy(other, NONCE, sizeof NONCE);
    other[0] ^= 1;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    STATUS(IOTEDGE_E_NONCE, iotedge_attest_verify(&key, NULL, other, sizeof NONCE, eat, eat_len, &said));
    STATUS(IOTEDGE_E_NONCE, iotedge_attest_verify(&key, NULL, NONCE, sizeof NONCE - 1, eat, eat_len, &said));
    STATUS(IOTEDGE_E_DEVICE_ID, iotedge_attest_verify(&key, other, NONCE, sizeof NONCE, eat, eat_len, &said));
    iotedge_public_key_t stranger = key;
    memset(other, 9, sizeof other);
    uint8_t device[32];
    STATUS(IOTEDGE_OK, iotedge_device_id(&key, device));
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(other, &stranger));
    STATUS(IOTEDGE_E_WRONG_SIGNER, iotedge_attest_verify(&stranger, device, NONCE, sizeof NONCE, eat, eat_len, &said));
    for (size_t i = 0; i < eat_len; i++) {
        eat[i] ^= 16;
        CHECK(verify(&said) != IOTEDGE_OK && said.model == NULL);
        eat[i] ^= 16;
    }
    STATUS(IOTEDGE_OK, verify(&said));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_verify(NULL, NULL, NONCE, sizeof NONCE, eat, eat_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_verify(&key, NULL, NULL, sizeof NONCE, eat, eat_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_verify(&key, NULL, NONCE, sizeof NONCE, NULL, eat_len, &said));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_verify(&key, NULL, NONCE, sizeof NONCE, eat, eat_len, NULL));
    said.size = 0;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_attest_verify(&key, NULL, NONCE, sizeof NONCE, eat, eat_len, &said));
}

/* The key is elsewhere: the same bytes, and nothing where the answer is wrong. */
static void by_an_element(void)
{
    uint8_t message[IOTEDGE_MAX_SIGN_INPUT], signature[64], again[IOTEDGE_MAX_ATTESTATION];
    size_t len, again_len = 77;
    fresh();
    STATUS(IOTEDGE_OK, attest());
    STATUS(IOTEDGE_OK, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, &evidence, message, sizeof message, &len));
    STATUS(IOTEDGE_OK, iotedge_sign(SEED, message, len, signature));
    STATUS(IOTEDGE_OK, iotedge_attest_assemble(&key, message, len, signature, again, sizeof again, &again_len));
    CHECK(again_len == eat_len && memcmp(again, eat, eat_len) == 0);
    again_len = 77;
    for (unsigned i = 0; i < 64; i++) {
        signature[i] ^= 1;
        CHECK(iotedge_attest_assemble(&key, message, len, signature, again, sizeof again, &again_len) != IOTEDGE_OK);
        signature[i] ^= 1;
    }
    CHECK(again_len == 77);
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_attest_assemble(&key, message, len, signature, again, eat_len - 1, &again_len));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_attest_assemble(&key, message, len - 1, signature, again, sizeof again, &again_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_assemble(NULL, message, len, signature, again, sizeof again, &again_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_assemble(&key, NULL, len, signature, again, sizeof again, &again_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_assemble(&key, message, len, NULL, again, sizeof again, &again_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_assemble(&key, message, len, signature, NULL, sizeof again, &again_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_assemble(&key, message, len, signature, again, sizeof again, NULL));
    /* Something else that this key might sign is no attestation. */
    STATUS(IOTEDGE_OK, iotedge_sign(SEED, NONCE, sizeof NONCE, signature));
    CHECK(iotedge_attest_assemble(&key, NONCE, sizeof NONCE, signature, again, sizeof again, &again_len) != IOTEDGE_OK);
    STATUS(IOTEDGE_E_NULL, iotedge_attest_statement(NULL, NULL, NONCE, sizeof NONCE, &evidence, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, NULL, message, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, &evidence, NULL, sizeof message, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, &evidence, message, sizeof message, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_attest_statement(&key, NULL, NONCE, sizeof NONCE, &evidence, message, len - 1, &len));
}

static void evidence_out_of_bounds(void)
{
    fresh();
    evidence.measurement_count = 9;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    stages[1].name = "bootloader";
    stages[1].name_len = 10;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    stages[1].digest_len = 31;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    stages[0].name_len = 0;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    stages[0].size = 0;
    none(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    stages[1].size = 0;
    none(IOTEDGE_E_STRUCT_SIZE);
    fresh();
    stages[1].digest = NULL;
    none(IOTEDGE_E_NULL);
    fresh();
    evidence.measurements = NULL;
    none(IOTEDGE_E_NULL);
    fresh();
    evidence.secure_boot = 3;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.debug = 6;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.oem_pen = 1; /* Both. */
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.oem_len = 4;
    none(IOTEDGE_E_CERTIFICATE_CLAIM);
    fresh();
    evidence.model_len = 33;
    evidence.model = DIGEST;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.software_version = "a\nb";
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.software_name = "\xff\xfe";
    evidence.software_name_len = 2;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.boot_seed_len = 31;
    none(IOTEDGE_E_EVIDENCE);
    fresh();
    evidence.size = 8;
    none(IOTEDGE_E_STRUCT_SIZE);
    /* Each within its bounds, too much in all. */
    fresh();
    evidence.measurement_count = 8;
    for (unsigned i = 0; i < 8; i++) {
        stages[i].digest_len = 64;
    }
    none(IOTEDGE_E_BUFFER_TOO_SMALL);

    fresh();
    STATUS(IOTEDGE_E_NONCE, iotedge_attest(SEED, NULL, NONCE, 7, &evidence, eat, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_NONCE, iotedge_attest(SEED, NULL, NULL, 0, &evidence, eat, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest(NULL, NULL, NONCE, 16, &evidence, eat, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_attest(ZERO, NULL, NONCE, 16, &evidence, eat, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest(SEED, NULL, NONCE, 16, NULL, eat, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest(SEED, NULL, NONCE, 16, &evidence, NULL, sizeof eat, &eat_len));
    STATUS(IOTEDGE_E_NULL, iotedge_attest(SEED, NULL, NONCE, 16, &evidence, eat, sizeof eat, NULL));
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_attest(SEED, NULL, NONCE, 16, &evidence, eat, 100, &eat_len));
    CHECK(eat_len == 0);
}

int main(void)
{
    says_what_was_given();
    proves_it_to_who_asked();
    by_an_element();
    evidence_out_of_bounds();
    return check_end("attest");
}
