#include "store.h"

#include "board.h"

#include <string.h>

static uint64_t memory[IOTEDGE_FLASH_STORE_SIZE / 8];

static int32_t answer(int failed)
{
    return failed ? IOTEDGE_E_FLASH : IOTEDGE_OK;
}

static int32_t read(void *user, uint32_t at, uint8_t *out, size_t len)
{
    (void)user;
    return answer(board_flash_read(at, out, len));
}

static int32_t program(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    (void)user;
    return answer(board_flash_program(at, data, len));
}

static int32_t erase(void *user, uint32_t at)
{
    (void)user;
    return answer(board_flash_erase(at));
}

/* The boards' program and erase return when it is done. */
static int32_t sync(void *user)
{
    (void)user;
    return IOTEDGE_OK;
}

static int32_t generate(void *user, uint8_t *out, size_t len)
{
    (void)user;
    return answer(board_random(out, len));
}

int store_open(iotedge_platform_t *platform)
{
    iotedge_flash_t flash;
    iotedge_flash_store_t *store = NULL;
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = board_flash_unit;
    flash.block = board_flash_block;
    flash.blocks = board_flash_blocks;
    flash.read = read;
    flash.program = program;
    flash.erase = erase;
    flash.sync = sync;
    memset(platform, 0, sizeof *platform);
    platform->size = (uint32_t)sizeof *platform;
    platform->random = generate;
    platform->store_get = iotedge_flash_store_get;
    platform->store_put = iotedge_flash_store_put;
    platform->store_remove = iotedge_flash_store_remove;
    if (iotedge_flash_store_open(memory, sizeof memory, &flash, &store) != IOTEDGE_OK) {
        return -1;
    }
    platform->store_user = store;
    return 0;
}
