/* The port for Zephyr: flash map, entropy, uptime. The line, radio or socket is the application's. */
#include "port.h"

#include <string.h>
#include <zephyr/devicetree.h>
#include <zephyr/kernel.h>
#include <zephyr/random/random.h>
#include <zephyr/storage/flash_map.h>

/* As docs/porting.md says: at least four blocks of 4,096 bytes, several of the flash's pages for one where they are smaller. */
#define PARTITION FIXED_PARTITION_ID(iotedge_partition)
#define BLOCK 4096u
#define UNIT MAX(4u, DT_PROP_OR(DT_MTD_FROM_FIXED_PARTITION(DT_NODELABEL(iotedge_partition)), write_block_size, 4))

static const struct flash_area *area;
static uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];

static int32_t random_bytes(void *user, uint8_t *out, size_t len)
{
    ARG_UNUSED(user);
    return sys_csrand_get(out, len) == 0 ? IOTEDGE_OK : IOTEDGE_E_PLATFORM;
}

static int32_t flash_read_at(void *user, uint32_t at, uint8_t *out, size_t len)
{
    ARG_UNUSED(user);
    return flash_area_read(area, at, out, len) == 0 ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

static int32_t flash_program_at(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    ARG_UNUSED(user);
    return flash_area_write(area, at, data, len) == 0 ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

static int32_t flash_erase_at(void *user, uint32_t at)
{
    ARG_UNUSED(user);
    return flash_area_erase(area, at, BLOCK) == 0 ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

/* Zephyr's drivers return when it is done. */
static int32_t flash_sync(void *user)
{
    ARG_UNUSED(user);
    return IOTEDGE_OK;
}

int32_t port_open(iotedge_platform_t *platform)
{
    iotedge_flash_t flash;
    iotedge_flash_store_t *store = NULL;
    int32_t status;
    if (flash_area_open(PARTITION, &area) != 0) {
        return IOTEDGE_E_FLASH;
    }
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = UNIT;
    flash.block = BLOCK;
    flash.blocks = (uint32_t)(area->fa_size / BLOCK);
    flash.read = flash_read_at;
    flash.program = flash_program_at;
    flash.erase = flash_erase_at;
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

uint64_t port_millis(void)
{
    return (uint64_t)k_uptime_get();
}
