/*
 * What a board gives to the two programs of this folder: sensor.c (a leaf) and member.c (a node with a window). The boards of examples-c/cortex-m and
 * examples-c/riscv are three answers; yours is a fourth. Nothing here allocates, and nothing is called from an interrupt but what the board does itself.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Clocks, UART, interrupts. Called once, first. */
void board_init(void);

/* Milliseconds since the start. Never goes back. */
uint64_t board_millis(void);

/* Fills `out` from the hardware's generator. 0, or -1 where it gives none: then the library does not go on. */
int board_random(uint8_t *out, size_t len);

/*
 * The line to the gateway. What came lies in a ring that an interrupt fills; while the ring is full the board holds the sender back by RTS, since a signature check
 * takes longer than the ring lasts.
 * `read` returns how many of at most `room` bytes were taken from the ring, `write` how many of `len` the line took.
 */
size_t board_uart_read(uint8_t *to, size_t room);
size_t board_uart_write(const uint8_t *from, size_t len);

/* Sleeps until an interrupt: a byte, or the next millisecond. */
void board_sleep(void);

/* The flash that the store may have: so many blocks that are erased at once, and what is programmed at once. Addresses are from its start. 0, or -1. */
extern const uint32_t board_flash_unit, board_flash_block, board_flash_blocks;
int board_flash_read(uint32_t at, uint8_t *to, size_t len);
int board_flash_program(uint32_t at, const uint8_t *from, size_t len);
int board_flash_erase(uint32_t at);

/* What the factory wrote (provision.h), where it lies in flash. */
extern const uint8_t *const board_provisioned;

/* Text for whoever develops: on these boards through the debugger (semihosting). A product leaves it empty. */
void board_log(const char *text);

#endif
