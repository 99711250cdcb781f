/* ES256 as steps for bench.c: of our crate, or of another library behind the same three functions. What is signed is a hash; keys are scalars. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int op_es256_keygen(const uint8_t scalar[32], uint8_t public[64]);
int op_es256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]);
int op_es256_verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64]);

const char *step_name(size_t index);
void step_prepare(void);
int step_take(size_t index);

static uint8_t scalar[32], digest[32], key[64], signature[64];

const char *step_name(size_t index) {
    static const char *const names[] = {"es256-keygen", "es256-sign", "es256-verify", NULL};
    return names[index];
}

void step_prepare(void) {
    memset(scalar, 7, sizeof scalar);
    memset(digest, 0x5a, sizeof digest);
}

int step_take(size_t index) {
    switch (index) {
    case 0: return op_es256_keygen(scalar, key);
    case 1: return op_es256_sign(scalar, digest, signature);
    default: return op_es256_verify(key, digest, signature);
    }
}
