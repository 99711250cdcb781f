/*
 * The template of a port. What is missing is marked YOU, nine times; each gap fails until it is filled, so a forgotten one is noticed at the first start and not
 * in the field.
 */
#include "port.h"

#include <string.h>

/* YOU (1): the geometry of the flash that the store may have. Not the pages of your firmware. Values of a node are up to 2,829 bytes: take blocks of 4,096 or more,
 * several sectors for one where they are smaller, and at least four of them. */
enum { UNIT = 4, BLOCK = 4096, BLOCKS = 8 };

static uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];

/* YOU (2): from your chip's generator (not rand()). IOTEDGE_OK only where all bytes are good. Without a generator a device has no business here. */
static int32_t random_bytes(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0, len);
    return IOTEDGE_E_PLATFORM;
}

/* YOU (3): reads `len` bytes at `at` from the start of the store's flash. */
static int32_t flash_read(void *user, uint32_t at, uint8_t *out, size_t len)
{
    (void)user;
    (void)at;
    memset(out, 0, len);
    return IOTEDGE_E_FLASH;
}

/* YOU (4): programs one unit, and returns when it is done. Called once for each unit between two erases. */
static int32_t flash_program(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    (void)user;
    (void)at;
    (void)data;
    (void)len;
    return IOTEDGE_E_FLASH;
}

/* YOU (5): erases the block that begins at `at`: all its sectors. */
static int32_t flash_erase(void *user, uint32_t at)
{
    (void)user;
    (void)at;
    return IOTEDGE_E_FLASH;
}

/* YOU (6): waits until the cells have everything. Empty where program and erase wait themselves, as they should. */
static int32_t flash_sync(void *user)
{
    (void)user;
    return IOTEDGE_OK;
}

int32_t port_open(iotedge_platform_t *platform)
{
    iotedge_flash_t flash;
    iotedge_flash_store_t *store = NULL;
    int32_t status;
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = UNIT;
    flash.block = BLOCK;
    flash.blocks = BLOCKS;
    flash.read = flash_read;
    flash.program = flash_program;
    flash.erase = flash_erase;
    flash.sync = flash_sync;
    status = iotedge_flash_store_open(store_memory, sizeof store_memory, &flash, &store);
    if (status != IOTEDGE_OK) {
        return status;
    }
    memset(platform, 0, sizeof *platform);
    platform->size = (uint32_t)sizeof *platform;
    platform->random = random_bytes;
    platform->store_user = store;
    platform->store_get = iotedge_flash_store_get;
    platform->store_put = iotedge_flash_store_put;
    platform->store_remove = iotedge_flash_store_remove;
    return IOTEDGE_OK;
}

/* YOU (7): a counter of milliseconds that goes on in the sleep modes that you use, and is 64 bits wide: 32 of them are over after 49 days. */
uint64_t port_millis(void)
{
    return 0;
}

/* YOU (8): what came. From an interrupt put bytes into a ring and take them here; examples-c/firmware/line.c does it for a UART. */
int port_receive(uint32_t *peer, uint8_t *frame, size_t capacity, size_t *len)
{
    (void)peer;
    (void)frame;
    (void)capacity;
    (void)len;
    return 0;
}

/* YOU (9): sends a frame. What cannot be sent now may be dropped: neighbours ask again. */
void port_send(uint32_t peer, const uint8_t *frame, size_t len)
{
    (void)peer;
    (void)frame;
    (void)len;
}
