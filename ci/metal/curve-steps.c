/* The bare operations of the curve as steps for bench.c: of our crate, or of another library behind the same four functions. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int op_keygen(const uint8_t seed[32], uint8_t public[32]);
int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]);
int op_verify(const uint8_t key[32], const uint8_t message[160], const uint8_t signature[64]);
int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]);

const char *step_name(size_t index);
void step_prepare(void);
int step_take(size_t index);

static uint8_t seed[32], message[160], key[32], signature[64], base[32] = {9}, shared[32];

const char *step_name(size_t index) {
    static const char *const names[] = {"keygen", "sign", "verify", "x25519", NULL};
    return names[index];
}

void step_prepare(void) {
    memset(seed, 7, sizeof seed);
    memset(message, 0x5a, sizeof message);
}

int step_take(size_t index) {
    switch (index) {
    case 0: return op_keygen(seed, key);
    case 1: return op_sign(seed, message, signature);
    case 2: return op_verify(key, message, signature);
    default: return op_x25519(seed, base, shared);
    }
}
