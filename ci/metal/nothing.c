/* A library that does nothing: what the counter itself takes of the flash. */
#include <stdint.h>

int op_keygen(const uint8_t seed[32], uint8_t public[32]) { return seed[0] + public[0] == 0; }
int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]) { return seed[0] + message[0] + signature[0] == 0; }
int op_verify(const uint8_t key[32], const uint8_t message[160], const uint8_t signature[64]) { return key[0] + message[0] + signature[0] == -1; }
int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]) { return secret[0] + public[0] + shared[0] == 0; }
int op_es256_keygen(const uint8_t scalar[32], uint8_t public[64]) { return scalar[0] + public[0] == 0; }
int op_es256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]) { return scalar[0] + digest[0] + signature[0] == 0; }
int op_es256_verify(const uint8_t key[64], const uint8_t digest[32], const uint8_t signature[64]) { return key[0] + digest[0] + signature[0] == -1; }
