/* Retired instructions and stack of each operation: SysTick at 25 MHz under -icount shift=0, where an instruction takes a nanosecond, so a tick is 40 of them. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)

int op_keygen(uint8_t out[64]);
int op_sign(uint8_t out[64]);
int op_verify(const uint8_t key[32], const uint8_t signature[64]);
int op_x25519(uint8_t out[32]);

static uint8_t key[64], signature[64], shared[32];

/* The linker script's end of the stack, and its size: see ci/bench-metal. */
extern uint8_t __stack[];
enum { STACK_SIZE = 0x8000, PAINT = 0xA5, NEAR = 128 };

/* Paints the stack below its caller. */
__attribute__((noinline)) static void paint(void) {
    volatile uint8_t *end = (volatile uint8_t *)__builtin_frame_address(0) - NEAR;
    for (volatile uint8_t *at = __stack - STACK_SIZE; at < end; at++) *at = PAINT;
}

/* How far below its caller the paint is gone: at least NEAR. */
__attribute__((noinline)) static int depth(void) {
    volatile uint8_t *at = __stack - STACK_SIZE;
    while (*at == PAINT) at++;
    return (int)((volatile uint8_t *)__builtin_frame_address(0) - at);
}

static int run(int which) {
    switch (which) {
    case 0: return op_keygen(key);
    case 1: return op_sign(signature);
    case 2: return op_verify(key, signature);
    default: return op_x25519(shared);
    }
}

int main(void) {
    static const char *const names[] = {"keygen", "sign", "verify", "x25519"};
    uint32_t keygen = 0;
    SYST_RVR = 0xFFFFFF;
    SYST_CVR = 0;
    SYST_CSR = 5;
    for (int which = 0; which < 4; which++) {
        paint();
        uint32_t begin = SYST_CVR;
        int status = run(which);
        uint32_t ticks = (begin - SYST_CVR) & 0xFFFFFF;
        int stack = depth();
        /* A secret key is expanded where it is read from the store; signing takes it as it is. */
        if (which == 1) ticks -= keygen;
        if (which == 0) keygen = ticks;
        /* The call, instructions, bytes of stack. */
        printf("%s %lu %d %s\n", names[which], (unsigned long)ticks * 40, stack, status == 0 ? "ok" : "refused");
    }
    return 0;
}
