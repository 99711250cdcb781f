/*
 * For the bench: tells by name what a port does wrong, and stops. It uses two keys of the store and leaves them empty; run it before the sensor or member is installed,
 * not on a store that is in use. What one run cannot see (power cuts, sleep, resets) is in docs/porting.md, step 4.
 */
#include "board.h"
#include "say.h"
#include "store.h"

#include <iotedge.h>
#include <string.h>

extern uint8_t bss_end[]; /* From the linker script: the stack grows down to here. */

static uint64_t memory[IOTEDGE_SELFTEST_MEMORY / 8];

static uint64_t now(void *user)
{
    (void)user;
    return board_millis();
}

int main(void)
{
    static iotedge_platform_t platform;
    iotedge_port_t port;
    iotedge_selftest_t found;
    int32_t status = IOTEDGE_E_FLASH;
    board_init();
    memset(&port, 0, sizeof port);
    port.size = (uint32_t)sizeof port;
    port.memory = (uint8_t *)memory;
    port.memory_len = sizeof memory;
    port.now = now;
    port.stack = bss_end;
    memset(&found, 0, sizeof found);
    found.size = (uint32_t)sizeof found;
    if (store_open(&platform) == 0) {
        status = iotedge_port_selftest(&platform, &port, &found);
    }
    if (status != IOTEDGE_OK) {
        say_name("error:", iotedge_status_name(status));
    } else {
        say_name("random", iotedge_status_name(found.random));
        say_name("clock", iotedge_status_name(found.clock));
        say_name("store", iotedge_status_name(found.store));
        say_number("store takes", found.store_longest);
        say_name("stack", iotedge_status_name(found.stack));
        say_number("stack left", found.stack_left);
        say_number("faults", found.failed);
    }
    for (;;) {
        board_sleep();
    }
}
