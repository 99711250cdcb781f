/* Monocypher behind the functions of metal-ops. */
#include "monocypher-ed25519.h"
#include "monocypher.h"

int op_keygen(const uint8_t seed[32], uint8_t public[32]);
int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]);
int op_verify(const uint8_t key[32], const uint8_t message[160], const uint8_t signature[64]);
int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]);

/* It wipes the seed it is given. */
static void expand(const uint8_t seed[32], uint8_t secret[64], uint8_t public[32]) {
    uint8_t copy[32];
    for (int i = 0; i < 32; i++) copy[i] = seed[i];
    crypto_ed25519_key_pair(secret, public, copy);
}

int op_keygen(const uint8_t seed[32], uint8_t public[32]) {
    uint8_t secret[64];
    expand(seed, secret, public);
    return 0;
}

int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]) {
    uint8_t secret[64], public[32];
    expand(seed, secret, public);
    crypto_ed25519_sign(signature, secret, message, 160);
    return 0;
}

int op_verify(const uint8_t key[32], const uint8_t message[160], const uint8_t signature[64]) {
    return crypto_ed25519_check(signature, key, message, 160);
}

int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]) {
    crypto_x25519(shared, secret, public);
    return 0;
}
