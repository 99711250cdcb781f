/* QEMU's virt machine with a 32-bit core: 16550 UART, CLINT, PLIC, CFI flash, and the entropy source of the Zkr extension. */
#include "board.h"
#include "ring.h"

#include <string.h>

#define BYTE(address) (*(volatile uint8_t *)(uintptr_t)(address))
#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define UART(offset) BYTE(0x10000000u + (offset))
#define PLIC(offset) REGISTER(0x0C000000u + (offset))
#define CLINT(offset) REGISTER(0x02000000u + (offset))

enum { UART_IRQ = 10, TICKS_PER_MS = 10000 };

/* Of the second flash bank the first sector is the factory's, the next eight the store's. Two chips of 16 bits side by side: each command twice. */
static const uintptr_t bank = 0x22000000u;
enum { SECTOR = 256 * 1024 };
const uint32_t board_flash_unit = 4, board_flash_block = SECTOR, board_flash_blocks = 8;
const uint8_t *const board_provisioned = (const uint8_t *)0x22000000u;

static ring_t ring;

static uint64_t ticks(void)
{
    uint32_t high, low;
    do {
        high = CLINT(0xBFFC);
        low = CLINT(0xBFF8);
    } while (high != CLINT(0xBFFC));
    return (uint64_t)high << 32 | low;
}

static void next_tick(void)
{
    uint64_t at = ticks() + TICKS_PER_MS;
    CLINT(0x4004) = 0xffffffffu;
    CLINT(0x4000) = (uint32_t)at;
    CLINT(0x4004) = (uint32_t)(at >> 32);
}

void board_init(void)
{
    UART(3) = 3;    /* 8 bits, no parity */
    UART(2) = 0x07; /* FIFOs on and empty */
    UART(1) = 1;    /* interrupt on receive */
    PLIC(4 * UART_IRQ) = 1;
    PLIC(0x2000) = 1u << UART_IRQ;
    PLIC(0x200000) = 0;
    next_tick();
    __asm__ volatile("csrw mie, %0\n csrsi mstatus, 8" ::"r"(1u << 11 | 1u << 7));
}

static void fill(void)
{
    while ((UART(5) & 1) != 0 && !ring_full(&ring)) {
        ring_put(&ring, UART(0));
    }
    UART(1) = !ring_full(&ring);
}

__attribute__((interrupt("machine"), aligned(4))) void on_trap(void)
{
    uint32_t cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    if (cause == (1u << 31 | 7)) {
        next_tick();
    } else if (cause == (1u << 31 | 11)) {
        uint32_t irq = PLIC(0x200004);
        fill();
        PLIC(0x200004) = irq;
    } else {
        for (;;) {
        }
    }
}

uint64_t board_millis(void)
{
    return ticks() / TICKS_PER_MS;
}

/* RISC-V Cryptography Extensions, volume I, section 4: 16 bits at a time, or wait, or never again. */
int board_random(uint8_t *out, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t seed;
        __asm__ volatile("csrrw %0, 0x015, x0" : "=r"(seed));
        switch (seed >> 30) {
        case 2:
            out[at++] = (uint8_t)seed;
            if (at < len) {
                out[at++] = (uint8_t)(seed >> 8);
            }
            break;
        case 3:
            return -1;
        default:
            break;
        }
    }
    return 0;
}

size_t board_uart_read(uint8_t *to, size_t room)
{
    size_t len = ring_take(&ring, to, room);
    UART(1) = 1;
    return len;
}

size_t board_uart_write(const uint8_t *from, size_t len)
{
    if (len == 0 || (UART(5) & 0x20) == 0) {
        return 0;
    }
    UART(0) = *from;
    return 1;
}

void board_sleep(void)
{
    __asm__ volatile("wfi");
}

int board_flash_read(uint32_t at, uint8_t *to, size_t len)
{
    memcpy(to, (const uint8_t *)(bank + SECTOR + at), len);
    return 0;
}

/* JESD68.01, the Intel command set: the status is read until bit 7 of both chips is set; bits 1, 3, 4 and 5 are failures. */
static int finish(uintptr_t address)
{
    uint32_t state;
    do {
        state = REGISTER(address);
    } while ((state & 0x00800080u) != 0x00800080u);
    REGISTER(address) = 0x00500050u;
    REGISTER(address) = 0x00ff00ffu;
    return (state & 0x003a003au) == 0 ? 0 : -1;
}

int board_flash_program(uint32_t at, const uint8_t *from, size_t len)
{
    uintptr_t address = bank + SECTOR + at;
    uint32_t word;
    (void)len; /* One unit. */
    memcpy(&word, from, sizeof word);
    REGISTER(address) = 0x00400040u;
    REGISTER(address) = word;
    return finish(address);
}

int board_flash_erase(uint32_t at)
{
    uintptr_t address = bank + SECTOR + at;
    REGISTER(address) = 0x00200020u;
    REGISTER(address) = 0x00d000d0u;
    return finish(address);
}

/* RISC-V Semihosting 1.0: three instructions, not compressed, in one page. */
void board_log(const char *text)
{
    register uintptr_t a0 __asm__("a0") = 4;
    register const char *a1 __asm__("a1") = text;
    __asm__ volatile(".balign 16\n .option push\n .option norvc\n slli x0, x0, 0x1f\n ebreak\n srai x0, x0, 7\n .option pop" : "+r"(a0) : "r"(a1) : "memory");
}
