/* Keys, ids and single signatures: what they do, and what they do when they are misused. */
#include "check.h"

/* RFC 8032 section 7.1, test 2. */
static const uint8_t SEED[32] = {0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e, 0x0f,
                                 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8, 0xa6, 0xfb};
static const uint8_t PUBLIC[32] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc,
                                   0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};
static const uint8_t ZERO[64] = {0};

static iotedge_public_key_t empty_key(void)
{
    iotedge_public_key_t key;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    return key;
}

static iotedge_public_key_t good_key(void)
{
    iotedge_public_key_t key = empty_key();
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(SEED, &key));
    return key;
}

static void public_key(void)
{
    iotedge_public_key_t key = good_key();
    CHECK(key.suite == IOTEDGE_SUITE_ED25519);
    CHECK(memcmp(key.bytes, PUBLIC, 32) == 0);
    STATUS(IOTEDGE_OK, iotedge_public_key_check(&key));

    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_seed(NULL, &key));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_seed(SEED, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_check(NULL));
    iotedge_public_key_t untouched = empty_key();
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_public_key_from_seed(ZERO, &untouched));
    CHECK(memcmp(untouched.bytes, ZERO, 64) == 0);
    CHECK(untouched.suite == 0);

    key.size = 0;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_from_seed(SEED, &key));
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_check(&key));
    key.size = (uint32_t)sizeof key - 1;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_check(&key));
    key.size = UINT32_MAX;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_check(&key));
    key.size = (uint32_t)sizeof key;
    key.suite = 1;
    STATUS(IOTEDGE_E_SUITE, iotedge_public_key_check(&key));
    key.suite = IOTEDGE_SUITE_ED25519;
    key.bytes[63] = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_public_key_check(&key));
    key = empty_key();
    key.suite = IOTEDGE_SUITE_ED25519;
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_public_key_check(&key));
}

/* A structure from a later header: longer, and fine as long as what is new is zero. */
static void later_structures(void)
{
    union {
        iotedge_public_key_t key;
        uint8_t bytes[sizeof(iotedge_public_key_t) + 16];
    } later;
    memset(&later, 0, sizeof later);
    later.key.size = (uint32_t)sizeof later;
    later.bytes[sizeof(iotedge_public_key_t) + 3] = 9;
    STATUS(IOTEDGE_OK, iotedge_public_key_from_seed(SEED, &later.key));
    CHECK(later.key.size == sizeof later);
    CHECK(later.bytes[sizeof(iotedge_public_key_t) + 3] == 0);
    STATUS(IOTEDGE_OK, iotedge_public_key_check(&later.key));
    later.bytes[sizeof later - 1] = 1;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_check(&later.key));
}

static void misaligned_structures(void)
{
    union {
        uint64_t align;
        uint8_t bytes[sizeof(iotedge_public_key_t) + 8];
    } room;
    memset(&room, 0, sizeof room);
    const iotedge_public_key_t *odd = (const iotedge_public_key_t *)(const void *)(room.bytes + 1);
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_public_key_check(odd));
}

static void device_id(void)
{
    iotedge_public_key_t key = good_key();
    uint8_t id[IOTEDGE_ID_SIZE];
    uint8_t back[IOTEDGE_ID_SIZE];
    char text[IOTEDGE_DEVICE_ID_TEXT_SIZE];
    size_t len = 0;
    STATUS(IOTEDGE_OK, iotedge_device_id(&key, id));
    STATUS(IOTEDGE_OK, iotedge_device_id_to_text(id, text, sizeof text, &len));
    CHECK(len == IOTEDGE_DEVICE_ID_TEXT_SIZE);
    CHECK(memcmp(text, "iote1", 5) == 0);
    STATUS(IOTEDGE_OK, iotedge_device_id_from_text(text, len, back));
    CHECK(memcmp(id, back, sizeof id) == 0);

    /* The id is SHA-256 of the COSE_Key {1: 1, -1: 6, -2: x}. */
    uint8_t cose[7 + 32] = {0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58};
    uint8_t whole[8 + 32];
    memcpy(whole, cose, 7);
    whole[7] = 32;
    memcpy(whole + 8, key.bytes, 32);
    STATUS(IOTEDGE_OK, iotedge_sha256(whole, sizeof whole, back));
    CHECK(memcmp(id, back, sizeof id) == 0);
    iotedge_public_key_t read = empty_key();
    STATUS(IOTEDGE_OK, iotedge_public_key_from_cose(whole, sizeof whole, &read));
    CHECK(memcmp(&read, &key, sizeof key) == 0);
    STATUS(IOTEDGE_E_MALFORMED, iotedge_public_key_from_cose(whole, sizeof whole - 1, &read));
    STATUS(IOTEDGE_E_MALFORMED, iotedge_public_key_from_cose(whole, 0, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_cose(NULL, 40, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_cose(whole, sizeof whole, NULL));

    text[20] = text[20] == 'q' ? 'p' : 'q';
    memset(back, 7, sizeof back);
    STATUS(IOTEDGE_E_DEVICE_ID, iotedge_device_id_from_text(text, len, back));
    CHECK(back[0] == 7 && back[31] == 7);
    STATUS(IOTEDGE_E_DEVICE_ID, iotedge_device_id_from_text(text, len - 1, back));
    STATUS(IOTEDGE_E_DEVICE_ID, iotedge_device_id_from_text(NULL, 0, back));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id_from_text(NULL, 5, back));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id_from_text(text, len, NULL));

    len = 99;
    STATUS(IOTEDGE_E_BUFFER_TOO_SMALL, iotedge_device_id_to_text(id, text, sizeof text - 1, &len));
    CHECK(len == 99);
    STATUS(IOTEDGE_E_NULL, iotedge_device_id_to_text(NULL, text, sizeof text, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id_to_text(id, NULL, sizeof text, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id_to_text(id, text, sizeof text, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id(NULL, id));
    STATUS(IOTEDGE_E_NULL, iotedge_device_id(&key, NULL));
}

static void signatures(void)
{
    iotedge_public_key_t key = good_key();
    const uint8_t message[1] = {0x72};
    uint8_t signature[IOTEDGE_SIGNATURE_SIZE];
    STATUS(IOTEDGE_OK, iotedge_sign(SEED, message, sizeof message, signature));
    CHECK(signature[0] == 0x92 && signature[63] == 0x00);
    STATUS(IOTEDGE_OK, iotedge_verify(&key, message, sizeof message, signature));
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_verify(&key, message, 0, signature));
    signature[1] ^= 1;
    CHECK(iotedge_verify(&key, message, sizeof message, signature) != IOTEDGE_OK);
    signature[1] ^= 1;
    memset(signature + 32, 0xff, 32);
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_verify(&key, message, sizeof message, signature));
    STATUS(IOTEDGE_OK, iotedge_sign(SEED, NULL, 0, signature));
    STATUS(IOTEDGE_OK, iotedge_verify(&key, NULL, 0, signature));

    STATUS(IOTEDGE_E_NULL, iotedge_sign(NULL, message, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_sign(SEED, NULL, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_sign(SEED, message, 1, NULL));
    STATUS(IOTEDGE_E_LENGTH, iotedge_sign(SEED, message, SIZE_MAX, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_verify(NULL, message, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_verify(&key, NULL, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_verify(&key, message, 1, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_sha256(NULL, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_sha256(message, 1, NULL));
}

/* RFC 6979 appendix A.2.5, SHA-256, "sample". */
static void p256(void)
{
    static const uint8_t scalar[32] = {0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1, 0xd6, 0x93,
                                       0x4e, 0x50, 0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21};
    const uint8_t message[6] = {'s', 'a', 'm', 'p', 'l', 'e'};
    uint8_t signature[IOTEDGE_SIGNATURE_SIZE], id[IOTEDGE_ID_SIZE], cose[75];
    uint8_t high[32];
    iotedge_public_key_t key = empty_key(), read = empty_key();
    STATUS(IOTEDGE_OK, iotedge_public_key_from_scalar(scalar, &key));
    CHECK(key.suite == IOTEDGE_SUITE_ES256);
    CHECK(key.bytes[0] == 0x60 && key.bytes[31] == 0xb6 && key.bytes[32] == 0x79 && key.bytes[63] == 0x99);
    STATUS(IOTEDGE_OK, iotedge_public_key_check(&key));
    STATUS(IOTEDGE_OK, iotedge_sign_es256(scalar, message, sizeof message, signature));
    CHECK(signature[0] == 0xef && signature[31] == 0x16 && signature[32] == 0xf7);
    STATUS(IOTEDGE_OK, iotedge_verify(&key, message, sizeof message, signature));
    STATUS(IOTEDGE_E_SIGNATURE, iotedge_verify(&key, message, 5, signature));

    /* A key of one suite takes no signature of the other, and no bytes of its keys. */
    iotedge_public_key_t other = good_key();
    CHECK(iotedge_verify(&other, message, sizeof message, signature) != IOTEDGE_OK);
    other.suite = IOTEDGE_SUITE_ES256;
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_public_key_check(&other));

    /* {1: 2, -1: 1, -2: x, -3: y} and its SHA-256. */
    static const uint8_t opening[8] = {0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 32};
    static const uint8_t middle[3] = {0x22, 0x58, 32};
    memcpy(cose, opening, 8);
    memcpy(cose + 8, key.bytes, 32);
    memcpy(cose + 40, middle, 3);
    memcpy(cose + 43, key.bytes + 32, 32);
    STATUS(IOTEDGE_OK, iotedge_public_key_from_cose(cose, sizeof cose, &read));
    CHECK(memcmp(&read, &key, sizeof key) == 0);
    STATUS(IOTEDGE_OK, iotedge_device_id(&key, id));
    STATUS(IOTEDGE_OK, iotedge_sha256(cose, sizeof cose, high));
    CHECK(memcmp(id, high, sizeof id) == 0);

    memset(high, 0xff, sizeof high);
    read = empty_key();
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_public_key_from_scalar(ZERO, &read));
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_public_key_from_scalar(high, &read));
    CHECK(read.suite == 0 && memcmp(read.bytes, ZERO, 64) == 0);
    STATUS(IOTEDGE_E_SIGNATURE_MALFORMED, iotedge_sign_es256(ZERO, message, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_scalar(NULL, &read));
    STATUS(IOTEDGE_E_NULL, iotedge_public_key_from_scalar(scalar, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_sign_es256(NULL, message, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_sign_es256(scalar, NULL, 1, signature));
    STATUS(IOTEDGE_E_NULL, iotedge_sign_es256(scalar, message, 1, NULL));
    STATUS(IOTEDGE_E_LENGTH, iotedge_sign_es256(scalar, message, SIZE_MAX, signature));
    read.size = 0;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_public_key_from_scalar(scalar, &read));
}

int main(void)
{
    public_key();
    later_structures();
    misaligned_structures();
    device_id();
    signatures();
    p256();
    return check_end("key");
}
