/* Langley's ctgrind: what is secret is undefined to memcheck, so a branch on it, or an address made of it, is an error. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

int op_keygen(const uint8_t seed[32], uint8_t public[32]);
int op_sign(const uint8_t seed[32], const uint8_t message[160], uint8_t signature[64]);
int op_es256_keygen(const uint8_t scalar[32], uint8_t public[64]);
int op_es256_sign(const uint8_t scalar[32], const uint8_t digest[32], uint8_t signature[64]);
int op_x25519(const uint8_t secret[32], const uint8_t public[32], uint8_t shared[32]);
void leak_branch(const uint8_t secret[32], uint8_t out[32]);
void leak_address(const uint8_t secret[32], uint8_t out[32]);

/* On this machine the compiler does not see that nothing panics; ci/bench-metal's linker does. */
_Noreturn void panic_reached(void) { abort(); }

int main(int argc, char **argv) {
    uint8_t secret[32], message[160], out[64] = {0};
    const char *what = argc > 1 ? argv[1] : "";
    memset(message, 0x5a, sizeof message);
    for (int i = 0; i < 32; i++) secret[i] = (uint8_t)(17 * i + 3);
    VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
    if (!strcmp(what, "keygen")) op_keygen(secret, out);
    else if (!strcmp(what, "sign")) op_sign(secret, message, out);
    else if (!strcmp(what, "es256-keygen")) op_es256_keygen(secret, out);
    else if (!strcmp(what, "es256-sign")) op_es256_sign(secret, message, out);
    else if (!strcmp(what, "x25519")) op_x25519(secret, message, out);
    else if (!strcmp(what, "branch")) leak_branch(secret, out);
    else if (!strcmp(what, "address")) leak_address(secret, out);
    else return 2;
    /* What comes out depends on the secret: it must be undefined, or nothing was followed. */
    int followed = VALGRIND_CHECK_MEM_IS_DEFINED(out, 32) != 0;
    VALGRIND_MAKE_MEM_DEFINED(out, sizeof out);
    printf("%s %02x%02x%02x%02x %s\n", what, out[0], out[1], out[2], out[3], followed ? "followed" : "NOT FOLLOWED");
    return !RUNNING_ON_VALGRIND || !followed;
}
