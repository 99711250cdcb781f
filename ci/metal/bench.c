/* Retired instructions and stack of each operation, on the emulated core: see ci/bench-metal.
 *
 * Arm: SysTick at 25 MHz under -icount shift=0, where an instruction takes a nanosecond: in steps of 40. RISC-V: the instret register, exact. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The steps: of curve-steps.c, or of the crate's feature `node`. One with an empty name prepares the next and is not told of. */
const char *step_name(size_t index);
void step_prepare(void);
int step_take(size_t index);

#ifdef MAY_PANIC
_Noreturn void panic_reached(void) {
    puts("panicked");
    exit(1);
}
#endif

/* The linker script's end of the stack, and its size: see ci/bench-metal. */
extern uint8_t __stack[];
enum { STACK_SIZE = 0x20000, PAINT = 0xA5, NEAR = 128 };

#ifdef __riscv
enum { STEP = 1 };
static const uint32_t range = UINT32_MAX;

static void start_counter(void) {}

static uint32_t counter(void) {
    uint32_t count;
    __asm__ volatile(".option push; .option arch, +zicsr; rdinstret %0; .option pop" : "=r"(count));
    return count;
}
#else
#define SYST_CSR (*(volatile uint32_t *)0xE000E010)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018)
enum { STEP = 40 };
/* 671 million instructions. */
static const uint32_t range = 0xFFFFFF;

static void start_counter(void) {
    SYST_RVR = range;
    SYST_CVR = 0;
    SYST_CSR = 5;
}

/* It counts down. */
static uint32_t counter(void) { return -SYST_CVR; }
#endif

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

int main(void) {
    uint32_t keygen = 0;
    start_counter();
    step_prepare();
    const char *name;
    for (size_t which = 0; (name = step_name(which)) != NULL; which++) {
        paint();
        uint32_t begin = counter();
        int status = step_take(which);
        uint32_t count = ((counter() - begin) & range) * STEP;
        int stack = depth();
        /* A secret key is expanded where it is read from the store; signing takes it as it is. */
        if (!strcmp(name, "sign")) count -= keygen;
        if (!strcmp(name, "keygen")) keygen = count;
        /* The call, instructions, bytes of stack. */
        if (*name || status) printf("%s %lu %d %s\n", *name ? name : "?", (unsigned long)count, stack, status == 0 ? "ok" : "refused");
    }
    return 0;
}
