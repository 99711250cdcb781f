/* Arm MPS2 with the image AN386: Cortex-M4F at 25 MHz, 4 MiB of RAM (Arm DAI 0386). It has no flash: a part of its PSRAM plays it. It has no generator either: the debugger's host lends its own. */
#include "board.h"
#include "ring.h"
#include "semihosting.h"

#include <string.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define UART(offset) REGISTER(0x40004000u + (offset))
#define SYSTICK(offset) REGISTER(0xE000E010u + (offset))
#define NVIC_ENABLE REGISTER(0xE000E100u)
#define NVIC_PEND REGISTER(0xE000E200u)

enum { UART_RX_IRQ = 0, CLOCK = 25000000 };
enum { TX_FULL = 1, RX_FULL = 2 };

static const uintptr_t store = 0x21010000u;
const uint8_t *const board_provisioned = (const uint8_t *)0x21000000u;
const uint32_t board_flash_unit = 4, board_flash_block = 4096, board_flash_blocks = 8;

static ring_t ring;
static volatile uint64_t ticks;

void board_init(void)
{
    REGISTER(0xE000ED88u) |= 0xfu << 20; /* The floating-point unit, for whoever uses it. */
    UART(0x10) = CLOCK / 115200;
    UART(0x08) = 1 | 2 | 8; /* Send, receive, interrupt on receive. */
    NVIC_ENABLE = 1u << UART_RX_IRQ;
    SYSTICK(4) = CLOCK / 1000 - 1;
    SYSTICK(8) = 0;
    SYSTICK(0) = 7;
}

void on_systick(void)
{
    ticks++;
}

/* A byte stays in the UART while the ring is full. */
void on_irq0(void)
{
    while ((UART(0x04) & RX_FULL) != 0 && !ring_full(&ring)) {
        ring_put(&ring, (uint8_t)UART(0x00));
    }
    UART(0x0C) = 2;
}

uint64_t board_millis(void)
{
    uint64_t now;
    __asm__ volatile("cpsid i" ::: "memory");
    now = ticks;
    __asm__ volatile("cpsie i" ::: "memory");
    return now;
}

int board_random(uint8_t *out, size_t len)
{
    static const char path[] = "/dev/urandom";
    static intptr_t file;
    if (file == 0) {
        const uint32_t open[3] = {(uint32_t)(uintptr_t)path, 1, sizeof path - 1};
        file = semihosting(SYS_OPEN, open);
    }
    if (file > 0) {
        const uint32_t read[3] = {(uint32_t)file, (uint32_t)(uintptr_t)out, (uint32_t)len};
        return semihosting(SYS_READ, read) == 0 ? 0 : -1;
    }
    return -1;
}

size_t board_uart_read(uint8_t *to, size_t room)
{
    size_t len = ring_take(&ring, to, room);
    if ((UART(0x04) & RX_FULL) != 0) {
        NVIC_PEND = 1u << UART_RX_IRQ; /* What waited in the UART while the ring was full. */
    }
    return len;
}

size_t board_uart_write(const uint8_t *from, size_t len)
{
    if (len == 0 || (UART(0x04) & TX_FULL) != 0) {
        return 0;
    }
    UART(0x00) = *from;
    return 1;
}

void board_sleep(void)
{
    __asm__ volatile("wfi");
}

int board_flash_read(uint32_t at, uint8_t *to, size_t len)
{
    memcpy(to, (const uint8_t *)(store + at), len);
    return 0;
}

/* As NOR does: bits only go from one to zero. */
int board_flash_program(uint32_t at, const uint8_t *from, size_t len)
{
    volatile uint8_t *cell = (volatile uint8_t *)(store + at);
    for (size_t i = 0; i < len; i++) {
        cell[i] &= from[i];
    }
    return 0;
}

int board_flash_erase(uint32_t at)
{
    memset((void *)(store + at), 0xff, board_flash_block);
    return 0;
}

void board_log(const char *text)
{
    (void)semihosting(SYS_WRITE0, text);
}
