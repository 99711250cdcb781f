/* A NOR flash chip in memory, as strict as a real one: bytes are programmed once between two erases. What a vendor has instead is its driver. */
#ifndef CHIP_H
#define CHIP_H

#include <iotedge.h>

enum { CHIP_BLOCK = 4096, CHIP_STORE_BLOCKS = 6, CHIP_SLOT = CHIP_STORE_BLOCKS * CHIP_BLOCK, CHIP_SLOT_SIZE = 1 << 20 };

typedef struct {
    uint8_t cells[CHIP_SLOT + CHIP_SLOT_SIZE];
    unsigned erased;
} chip_t;

void chip_blank(chip_t *chip);

/* The first blocks as the library's store, and the others as the slot of a firmware. */
iotedge_flash_t chip_store(chip_t *chip);
iotedge_slot_t chip_slot(chip_t *chip);

#endif
