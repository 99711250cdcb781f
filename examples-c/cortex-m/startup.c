/* Vectors and start of a Cortex-M: no assembly is needed. A board gives the handlers that it uses; all others stop. */
#include <stdint.h>
#include <string.h>

extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
int main(void);

void on_reset(void)
{
    memcpy(data_start, data_load, (size_t)((char *)data_end - (char *)data_start));
    memset(bss_start, 0, (size_t)((char *)bss_end - (char *)bss_start));
    (void)main();
    for (;;) {
    }
}

static void stop(void)
{
    for (;;) {
    }
}

void on_systick(void) __attribute__((weak, alias("stop")));
void on_irq0(void) __attribute__((weak, alias("stop")));
void on_irq2(void) __attribute__((weak, alias("stop")));
void on_irq8(void) __attribute__((weak, alias("stop")));

typedef void (*handler_t)(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    handler_t handlers[15 + 32];
} vectors = {
    stack_top,
    {on_reset, stop, stop, stop, stop, stop, 0, 0, 0, 0, stop, stop, 0, stop, on_systick,
     on_irq0, stop, on_irq2, stop, stop, stop, stop, stop, on_irq8, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop,
     stop, stop, stop, stop, stop, stop, stop, stop, stop},
};
