/* The vectors of attestations: what a gateway in C would check. */
#include "attest.h"

#include <iotedge.h>
#include <stdio.h>
#include <string.h>

static size_t bytes_of(json_t vector, const char *name, uint8_t *to, size_t most)
{
    long len = json_hex(json_get(vector, name), to, most);
    return len < 0 ? 0 : (size_t)len;
}

/* Whether the vector says this text, or nothing where it is empty. */
static int says(json_t vector, const char *name, const char *text, size_t len)
{
    json_t found = json_get(vector, name);
    if (len == 0) {
        return found.at == NULL;
    }
    return json_is_text(found) && found.len == len + 2 && memcmp(found.at + 1, text, len) == 0;
}

static int says_hex(json_t vector, const char *name, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    for (size_t i = 0; i < len && i < 64; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    return says(vector, name, text, 2 * len);
}

static int says_number(json_t vector, const char *name, int is_there, uint64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return says(vector, name, text, is_there ? (size_t)len : 0);
}

static int says_measurements(json_t vector, const uint8_t *eat, size_t eat_len, size_t count)
{
    char text[IOTEDGE_MAX_MEASUREMENTS * (32 + 2 + 128)];
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        iotedge_measurement_t one;
        memset(&one, 0, sizeof one);
        one.size = (uint32_t)sizeof one;
        if (iotedge_attest_measurement(eat, eat_len, i, &one) != IOTEDGE_OK) {
            return 0;
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s=", i == 0 ? "" : ",", (int)one.name_len, one.name);
        for (size_t j = 0; j < one.digest_len; j++) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%02x", one.digest[j]);
        }
    }
    return says(vector, "measurements", text, len);
}

int32_t attest_vector(json_t vector, int *differs)
{
    static const char *const words[] = {"", "false", "true"};
    uint8_t device[32], nonce[64], eat[IOTEDGE_MAX_ATTESTATION + 16];
    iotedge_public_key_t key;
    iotedge_evidence_t said;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = json_is(json_get(vector, "suite"), "-7") ? IOTEDGE_SUITE_ES256 : IOTEDGE_SUITE_ED25519;
    if (bytes_of(vector, "key", key.bytes, sizeof key.bytes) == 0 || bytes_of(vector, "device", device, 32) != 32) {
        return IOTEDGE_E_INTERNAL;
    }
    size_t nonce_len = bytes_of(vector, "nonce", nonce, sizeof nonce);
    size_t eat_len = bytes_of(vector, "eat", eat, sizeof eat);
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    int32_t status = iotedge_attest_verify(&key, device, nonce, nonce_len, eat, eat_len, &said);
    if (status != IOTEDGE_OK) {
        return status;
    }
    const char *secure = words[said.secure_boot];
    int oem = said.oem_len > 0 ? says_hex(vector, "oem", said.oem, said.oem_len)
                               : says_number(vector, "oem", said.oem_pen != 0, said.oem_pen);
    *differs = !oem || !says_hex(vector, "model", said.model, said.model_len) ||
               !says(vector, "hardware_version", said.hardware_version, said.hardware_version_len) ||
               !says(vector, "secure_boot", secure, strlen(secure)) ||
               !says_number(vector, "debug", said.debug != 0, said.debug - 1u) ||
               !says_number(vector, "boot_count", said.boot_count != 0, said.boot_count) ||
               !says_hex(vector, "boot_seed", said.boot_seed, said.boot_seed_len) ||
               !says(vector, "software_name", said.software_name, said.software_name_len) ||
               !says(vector, "software_version", said.software_version, said.software_version_len) ||
               !says_measurements(vector, eat, eat_len, said.measurement_count);
    return status;
}
