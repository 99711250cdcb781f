#include "chip.h"

#include <string.h>

void chip_blank(chip_t *chip)
{
    memset(chip->cells, 0xff, sizeof chip->cells);
    chip->erased = 0;
}

static int32_t chip_read(void *user, uint32_t at, uint8_t *out, size_t len)
{
    const chip_t *chip = (const chip_t *)user;
    if (at > sizeof chip->cells || len > sizeof chip->cells - at) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, chip->cells + at, len);
    return IOTEDGE_OK;
}

static int32_t chip_program(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    chip_t *chip = (chip_t *)user;
    if (at > sizeof chip->cells || len > sizeof chip->cells - at) {
        return IOTEDGE_E_PLATFORM;
    }
    for (size_t i = 0; i < len; i++) {
        if (chip->cells[at + i] != 0xff) {
            return IOTEDGE_E_PLATFORM; /* Programmed before. */
        }
    }
    memcpy(chip->cells + at, data, len);
    return IOTEDGE_OK;
}

static int32_t chip_erase(void *user, uint32_t at)
{
    chip_t *chip = (chip_t *)user;
    if (at % CHIP_BLOCK != 0 || at > sizeof chip->cells - CHIP_BLOCK) {
        return IOTEDGE_E_PLATFORM;
    }
    memset(chip->cells + at, 0xff, CHIP_BLOCK);
    chip->erased++;
    return IOTEDGE_OK;
}

static int32_t chip_sync(void *user)
{
    (void)user; /* Programming waits. */
    return IOTEDGE_OK;
}

iotedge_flash_t chip_store(chip_t *chip)
{
    iotedge_flash_t flash;
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = 4;
    flash.block = CHIP_BLOCK;
    flash.blocks = CHIP_STORE_BLOCKS;
    flash.user = chip;
    flash.read = chip_read;
    flash.program = chip_program;
    flash.erase = chip_erase;
    flash.sync = chip_sync;
    return flash;
}

static int32_t slot_read(void *user, uint64_t offset, uint8_t *out, size_t len)
{
    return offset > CHIP_SLOT_SIZE ? IOTEDGE_E_PLATFORM : chip_read(user, CHIP_SLOT + (uint32_t)offset, out, len);
}

/* Chunks come in order, and after a reset from the beginning of a step on. A step is a block: so whatever is written first in a block erases it, and nothing else has to be known. */
static int32_t slot_write(void *user, uint64_t offset, const uint8_t *bytes, size_t len)
{
    uint32_t at = CHIP_SLOT + (uint32_t)offset;
    if (offset > CHIP_SLOT_SIZE || (at % CHIP_BLOCK == 0 && chip_erase(user, at) != IOTEDGE_OK)) {
        return IOTEDGE_E_PLATFORM;
    }
    return chip_program(user, at, bytes, len);
}

iotedge_slot_t chip_slot(chip_t *chip)
{
    iotedge_slot_t slot;
    memset(&slot, 0, sizeof slot);
    slot.size = (uint32_t)sizeof slot;
    slot.user = chip;
    slot.read = slot_read;
    slot.write = slot_write;
    return slot;
}
