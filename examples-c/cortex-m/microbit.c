/* BBC micro:bit: nRF51822, Cortex-M0, 256 KiB of flash, 16 KiB of RAM (nRF51 Series Reference Manual 3.0). */
#include "board.h"
#include "ring.h"
#include "semihosting.h"

#include <string.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define UART(offset) REGISTER(0x40002000u + (offset))
#define TIMER(offset) REGISTER(0x40008000u + (offset))
#define RNG(offset) REGISTER(0x4000D000u + (offset))
#define NVMC(offset) REGISTER(0x4001E000u + (offset))
#define NVIC_ENABLE REGISTER(0xE000E100u)

enum { UART_IRQ = 2, TIMER_IRQ = 8, TICK = 4000, PAGE = 1024 };

/* The end of the flash: what the factory wrote, then the store. A block is four of the chip's pages, since a value may be longer than one. */
enum { PROVISIONED = 0x37000, STORE = 0x38000 };
const uint32_t board_flash_unit = 4, board_flash_block = 4 * PAGE, board_flash_blocks = 8;
const uint8_t *const board_provisioned = (const uint8_t *)PROVISIONED;

static ring_t ring;
static uint32_t last, wraps;

void board_init(void)
{
    /* Port pins of the USB interface chip, no parity, with flow control. */
    UART(0x508) = 0xffffffffu;
    UART(0x50C) = 24;
    UART(0x510) = 0xffffffffu;
    UART(0x514) = 25;
    UART(0x524) = 0x01D7E000u; /* 115,200 baud */
    UART(0x56C) = 1;
    UART(0x500) = 4;
    UART(0x304) = 1u << 2; /* RXDRDY */
    UART(0x000) = 1;
    UART(0x008) = 1;

    TIMER(0x504) = 0;
    TIMER(0x508) = 3; /* 32 bits */
    TIMER(0x510) = 4; /* 1 MHz */
    TIMER(0x544) = TICK;
    TIMER(0x304) = 1u << 17; /* COMPARE[1] */
    TIMER(0x000) = 1;

    NVIC_ENABLE = 1u << UART_IRQ | 1u << TIMER_IRQ;
}

/* A byte is read where there is room for it; if not it stays in the chip's six, and RTS holds the sender. */
static void fill(void)
{
    while (UART(0x108) != 0 && !ring_full(&ring)) {
        UART(0x108) = 0;
        ring_put(&ring, (uint8_t)UART(0x518));
    }
    if (ring_full(&ring)) {
        UART(0x308) = 1u << 2; /* No interrupt until the ring was emptied. */
    }
}

void on_irq2(void)
{
    fill();
}

/* The timer compares for equality, so that a moment which has passed comes again after 71 minutes: erasing a page stops this core for five ticks and more. */
void on_irq8(void)
{
    uint32_t next;
    TIMER(0x144) = 0;
    do {
        TIMER(0x048) = 1;
        next = TIMER(0x548) + TICK;
        TIMER(0x544) = next;
        TIMER(0x048) = 1;
    } while ((int32_t)(next - TIMER(0x548)) <= 0);
}

uint64_t board_millis(void)
{
    uint32_t now;
    TIMER(0x040) = 1;
    now = TIMER(0x540);
    wraps += now < last; /* Asked more often than every 71 minutes. */
    last = now;
    return ((uint64_t)wraps << 32 | now) / 1000;
}

int board_random(uint8_t *out, size_t len)
{
    RNG(0x504) = 1; /* Without bias. */
    RNG(0x000) = 1;
    while (len-- > 0) {
        while (RNG(0x100) == 0) {
        }
        RNG(0x100) = 0;
        *out++ = (uint8_t)RNG(0x508);
    }
    RNG(0x004) = 1;
    return 0;
}

size_t board_uart_read(uint8_t *to, size_t room)
{
    size_t len = ring_take(&ring, to, room);
    UART(0x304) = 1u << 2;
    return len;
}

size_t board_uart_write(const uint8_t *from, size_t len)
{
    if (len == 0) {
        return 0;
    }
    UART(0x11C) = 0;
    UART(0x51C) = *from;
    while (UART(0x11C) == 0) {
    }
    return 1;
}

void board_sleep(void)
{
    __asm__ volatile("wfi");
}

int board_flash_read(uint32_t at, uint8_t *to, size_t len)
{
    memcpy(to, (const uint8_t *)(STORE + at), len);
    return 0;
}

static void ready(void)
{
    while ((NVMC(0x400) & 1) == 0) {
    }
}

int board_flash_program(uint32_t at, const uint8_t *from, size_t len)
{
    uint32_t word;
    (void)len; /* One unit. */
    memcpy(&word, from, sizeof word);
    NVMC(0x504) = 1;
    REGISTER(STORE + at) = word;
    ready();
    NVMC(0x504) = 0;
    return 0;
}

int board_flash_erase(uint32_t at)
{
    NVMC(0x504) = 2;
    for (uint32_t page = at; page < at + board_flash_block; page += PAGE) {
        NVMC(0x508) = STORE + page;
        ready();
    }
    NVMC(0x504) = 0;
    return 0;
}

void board_log(const char *text)
{
    (void)semihosting(SYS_WRITE0, text);
}
