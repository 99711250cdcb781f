/* The vectors of docs/decisions/0002 and the iterated one of RFC 7748 section 5.2, on the emulated core. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int op_check(const uint8_t key[32], const uint8_t *message, size_t length, const uint8_t signature[64]);
int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]);
int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]);
int op_keygen(const uint8_t seed[32], uint8_t public[32]);

struct vector {
    const char *name, *key, *message;
    size_t length;
    const char *signature;
    int valid;
};
#include "vectors.h"

enum { ROUNDS = 1000 };
static const uint8_t AFTER_ALL[32] = {0x68, 0x4c, 0xf5, 0x9b, 0xa8, 0x33, 0x09, 0x55, 0x28, 0x00, 0xef, 0x56, 0x6f, 0x2f, 0x4d, 0x3c,
                                      0x1c, 0x38, 0x87, 0xc4, 0x93, 0x60, 0xe3, 0x87, 0x5f, 0x2e, 0xb9, 0x4d, 0x99, 0x53, 0x2c, 0x51};

int main(void) {
    int wrong = 0, count = sizeof VECTORS / sizeof *VECTORS;
    for (int i = 0; i < count; i++) {
        const struct vector *v = &VECTORS[i];
        int accepted = op_check((const uint8_t *)v->key, (const uint8_t *)v->message, v->length, (const uint8_t *)v->signature) == 0;
        if (accepted != v->valid) {
            printf("%s wrong\n", v->name);
            wrong++;
        }
    }
    uint8_t k[32] = {9}, u[32] = {9}, next[32];
    for (int i = 0; i < ROUNDS; i++) {
        op_x25519(k, u, next);
        memcpy(u, k, sizeof u);
        memcpy(k, next, sizeof k);
    }
    wrong += memcmp(k, AFTER_ALL, sizeof k) != 0;
    /* Keys and signatures made here, checked here: the check was tried above. */
    for (int i = 0; i < 16; i++) {
        uint8_t seed[32], key[32], message[160], signature[64];
        memset(seed, 3 * i + 1, sizeof seed);
        memset(message, i, sizeof message);
        op_keygen(seed, key);
        op_sign(seed, message, signature);
        wrong += op_check(key, message, sizeof message, signature) != 0;
    }
    printf("%d %d %d %s\n", count, ROUNDS, wrong, wrong ? "wrong" : "ok");
    return wrong != 0;
}
