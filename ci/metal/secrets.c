/* What a device does with secrets, each once, as firmware: QEMU runs it all and says what came out; ../follow runs the same image again, operation by operation,
 * and says whether the way depended on `secret`. See ci/constant-time. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool op_ed25519_key(const uint8_t seed[32], uint8_t public[32]);
bool op_ed25519_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t out[64]);
bool op_es256_key(const uint8_t scalar[32], uint8_t public[64]);
bool op_es256_sign(const uint8_t scalar[32], const uint8_t message[160], uint8_t out[64]);
bool op_x25519_key(const uint8_t secret[32], uint8_t public[32]);
bool op_x25519_agree(const uint8_t secret[32], const uint8_t peer[32], uint8_t out[32]);
bool op_derive(const uint8_t secret[32], const uint8_t salt[32], uint8_t out[64]);
bool op_equal(const uint8_t secret[32], const uint8_t other[32]);
bool op_seal(const uint8_t key[32], uint8_t text[64], uint8_t tag[16]);
bool op_open(const uint8_t key[32], uint8_t text[64], const uint8_t tag[16]);

/* Secret: a key, then a text. Public: all else. */
uint8_t secret[96];
uint8_t out[80];
static uint8_t message[160], sealed[64], tag[16], forged[16], same[32];

/* The secret, in the clear, and what was made of it before. */
void prepare(void) {
    for (size_t i = 0; i < sizeof secret; i++) secret[i] = same[i % 32] = (uint8_t)(17 * (i % 32) + 3);
    memset(message, 0x5a, sizeof message);
    memset(out, 0, sizeof out);
    memcpy(sealed, secret + 32, sizeof sealed);
    op_seal(secret, sealed, tag);
    memcpy(forged, tag, sizeof tag);
    forged[9] ^= 1;
}

#define STEP(name, does) \
    bool step_##name(void) { return does; }
#define LEAK(name)                                          \
    void leak_##name(const uint8_t *secret, uint8_t *out); \
    bool step_leak_##name(void) { return leak_##name(secret, out), true; }

STEP(ed25519_key, op_ed25519_key(secret, out))
STEP(ed25519_sign, op_ed25519_sign(secret, message, out))
STEP(es256_key, op_es256_key(secret, out))
STEP(es256_sign, op_es256_sign(secret, message, out))
STEP(x25519_key, op_x25519_key(secret, out))
STEP(x25519_agree, op_x25519_agree(secret, message, out))
STEP(derive, op_derive(secret, message, out))
STEP(equal, op_equal(secret, same))
STEP(unequal, !op_equal(secret, message))
STEP(seal, (memcpy(out, secret + 32, 64), op_seal(secret, out, out + 64)))
STEP(open, (memcpy(out, sealed, 64), op_open(secret, out, tag)))
STEP(open_forged, (memcpy(out, sealed, 64), !op_open(secret, out, forged)))
LEAK(branch)
LEAK(rare)
LEAK(compare)
LEAK(table)
LEAK(store)
LEAK(divide)

#define NAMED(name) {#name, step_##name}
static const struct {
    const char *name;
    bool (*take)(void);
} steps[] = {
    NAMED(ed25519_key), NAMED(ed25519_sign), NAMED(es256_key), NAMED(es256_sign), NAMED(x25519_key), NAMED(x25519_agree),
    NAMED(derive), NAMED(equal), NAMED(unequal), NAMED(seal), NAMED(open), NAMED(open_forged),
    NAMED(leak_branch), NAMED(leak_rare), NAMED(leak_compare), NAMED(leak_table), NAMED(leak_store), NAMED(leak_divide),
};

_Noreturn void panic_reached(void) {
    puts("panicked");
    exit(1);
}

/* Counts nanoseconds in steps of 40, which are instructions: see bench.c. */
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)

/* A line for each: its name, about how many instructions, the bytes that came out. */
int main(void) {
    SYST_RVR = 0xFFFFFF;
    SYST_CVR = 0;
    SYST_CSR = 5;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        prepare();
        uint32_t begin = SYST_CVR;
        bool done = steps[i].take();
        uint32_t count = ((begin - SYST_CVR) & 0xFFFFFF) * 40;
        printf("%s %lu ", done ? steps[i].name : "refused", (unsigned long)count);
        for (size_t at = 0; at < sizeof out; at++) printf("%02x", out[at]);
        puts("");
    }
    return 0;
}
