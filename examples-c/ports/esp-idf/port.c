/* The port for ESP-IDF: a data partition named "iotedge" (subtype 0x40), the hardware generator, the high resolution timer. The line, radio or socket is the application's. */
#include "port.h"

#include <string.h>
#include <esp_partition.h>
#include <esp_random.h>
#include <esp_timer.h>

/* The sector of all their flash. A unit of 16 keeps each program an operation of its own under flash encryption too. */
#define BLOCK 4096u
#define UNIT 16u

static const esp_partition_t *area;
static uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];

static int32_t random_bytes(void *user, uint8_t *out, size_t len)
{
    (void)user;
    /* Good while Wi-Fi or Bluetooth runs, or after bootloader_random_enable(): see "Random Number Generation" of ESP-IDF. */
    esp_fill_random(out, len);
    return IOTEDGE_OK;
}

static int32_t flash_read_at(void *user, uint32_t at, uint8_t *out, size_t len)
{
    (void)user;
    return esp_partition_read(area, at, out, len) == ESP_OK ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

static int32_t flash_program_at(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    (void)user;
    return esp_partition_write(area, at, data, len) == ESP_OK ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

static int32_t flash_erase_at(void *user, uint32_t at)
{
    (void)user;
    return esp_partition_erase_range(area, at, BLOCK) == ESP_OK ? IOTEDGE_OK : IOTEDGE_E_FLASH;
}

/* Each call returns when it is done. */
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
    area = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, 0x40, "iotedge");
    if (area == NULL) {
        return IOTEDGE_E_FLASH;
    }
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = UNIT;
    flash.block = BLOCK;
    flash.blocks = (uint32_t)(area->size / BLOCK);
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
    return (uint64_t)esp_timer_get_time() / 1000;
}
