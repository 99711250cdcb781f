/* Every function of the flash store: over flash in memory that only clears bits, and what each does when it is misused. */
#include "device.h"

enum { UNIT = 8, BLOCK = 4096, BLOCKS = 6 };

typedef struct {
    uint8_t cells[BLOCKS * BLOCK];
    unsigned erases;
    unsigned programs;
    /* Calls from now on until one fails; 0: none does. */
    unsigned fail_program;
    int fail_read;
    int fail_erase;
    int twice;
    iotedge_flash_store_t *enter;
    int32_t entered;
} chip_t;

static chip_t chip;
static iotedge_flash_t flash;
static uint64_t memory[IOTEDGE_FLASH_STORE_SIZE / 8];

static int32_t chip_read(void *user, uint32_t at, uint8_t *out, size_t len)
{
    chip_t *c = (chip_t *)user;
    size_t there = 0;
    if (c->fail_read || at + len > sizeof c->cells) return IOTEDGE_E_PLATFORM;
    if (c->enter != NULL) {
        c->entered = iotedge_flash_store_get(c->enter, 1, c->cells, 1, &there);
    }
    memcpy(out, c->cells + at, len);
    return IOTEDGE_OK;
}

static int32_t chip_program(void *user, uint32_t at, const uint8_t *data, size_t len)
{
    chip_t *c = (chip_t *)user;
    c->programs++;
    if (len != UNIT || at % UNIT != 0 || ((uintptr_t)data & 7) != 0) return IOTEDGE_E_ARGUMENT;
    if (c->fail_program != 0 && --c->fail_program == 0) return IOTEDGE_E_PLATFORM;
    for (size_t i = 0; i < len; i++) {
        if (c->cells[at + i] != 0xff) c->twice = 1;
        c->cells[at + i] &= data[i];
    }
    return IOTEDGE_OK;
}

static int32_t chip_erase(void *user, uint32_t at)
{
    chip_t *c = (chip_t *)user;
    c->erases++;
    if (c->fail_erase) return IOTEDGE_E_PLATFORM;
    memset(c->cells + at, 0xff, BLOCK);
    return IOTEDGE_OK;
}

static int32_t chip_sync(void *user)
{
    (void)user;
    return IOTEDGE_OK;
}

static void fresh(void)
{
    memset(&chip, 0, sizeof chip);
    memset(memory, 0, sizeof memory);
    memset(&flash, 0, sizeof flash);
    flash.size = (uint32_t)sizeof flash;
    flash.unit = UNIT;
    flash.block = BLOCK;
    flash.blocks = BLOCKS;
    flash.user = &chip;
    flash.read = chip_read;
    flash.program = chip_program;
    flash.erase = chip_erase;
    flash.sync = chip_sync;
}

static iotedge_flash_store_t *open_store(void)
{
    iotedge_flash_store_t *store = NULL;
    STATUS(IOTEDGE_OK, iotedge_flash_store_open(memory, sizeof memory, &flash, &store));
    return store;
}

static void beginnings(void)
{
    iotedge_flash_store_t *store = NULL;
    iotedge_flash_t wrong;
    fresh();
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(NULL, sizeof memory, &flash, &store));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, NULL, &store));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, &flash, NULL));
    STATUS(IOTEDGE_E_MEMORY_TOO_SMALL, iotedge_flash_store_open(memory, 32, &flash, &store));
    STATUS(IOTEDGE_E_LENGTH, iotedge_flash_store_open(memory, SIZE_MAX, &flash, &store));
    STATUS(IOTEDGE_E_MISALIGNED, iotedge_flash_store_open((uint8_t *)memory + 4, sizeof memory - 8, &flash, &store));
    wrong = flash;
    wrong.size = 3;
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    STATUS(IOTEDGE_E_STRUCT_SIZE, iotedge_flash_store_format(&wrong));
    wrong = flash;
    wrong.unit = 3;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_format(&wrong));
    wrong.unit = 64;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong.unit = 0;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong = flash;
    wrong.block = 100;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong.block = BLOCK + 4;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong = flash;
    wrong.blocks = 2;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong.blocks = 65536;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong.blocks = 65535;
    wrong.block = 1 << 20;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong = flash;
    wrong.read = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong = flash;
    wrong.program = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    wrong = flash;
    wrong.erase = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_format(&wrong));
    wrong = flash;
    wrong.sync = NULL;
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_open(memory, sizeof memory, &wrong, &store));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_format(NULL));
    chip.fail_read = 1;
    STATUS(IOTEDGE_E_FLASH, iotedge_flash_store_open(memory, sizeof memory, &flash, &store));
    chip.fail_read = 0;
    CHECK(store == NULL && chip.erases == 0 && chip.programs == 0);
    store = open_store();
    CHECK(store != NULL && chip.erases == 0);
    STATUS(IOTEDGE_E_ALREADY_INITIALISED, iotedge_flash_store_open(memory, sizeof memory, &flash, &store));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
    CHECK(memory[0] == 0 && memory[sizeof memory / 8 - 1] == 0);
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_flash_store_close(store));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_close(NULL));
}

static void values(void)
{
    uint8_t long_value[2829], out[3000];
    size_t len = 7, longest = 0;
    iotedge_flash_store_t *store;
    fresh();
    store = open_store();
    memset(long_value, 0x5a, sizeof long_value);
    STATUS(IOTEDGE_OK, iotedge_flash_store_longest(store, &longest));
    CHECK(longest >= sizeof long_value && longest < BLOCK);
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_longest(NULL, &longest));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_longest(store, NULL));
    STATUS(IOTEDGE_E_NONE, iotedge_flash_store_get(store, 1, out, sizeof out, &len));
    CHECK(len == 7);
    STATUS(IOTEDGE_OK, iotedge_flash_store_put(store, 1, (const uint8_t *)"one", 3));
    STATUS(IOTEDGE_OK, iotedge_flash_store_put(store, 65535, NULL, 0));
    STATUS(IOTEDGE_OK, iotedge_flash_store_put(store, 2, long_value, sizeof long_value));
    STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, 1, out, 3, &len));
    CHECK(len == 3 && memcmp(out, "one", 3) == 0);
    STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, 65535, out, sizeof out, &len));
    CHECK(len == 0);
    STATUS(IOTEDGE_E_LENGTH, iotedge_flash_store_get(store, 1, out, 2, &len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_get(store, 65536, out, sizeof out, &len));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_put(store, 65536, out, 1));
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_flash_store_remove(store, 65536));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_get(NULL, 1, out, sizeof out, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_get(store, 1, NULL, 3, &len));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_get(store, 1, out, 3, NULL));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_put(NULL, 1, out, 1));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_put(store, 1, NULL, 1));
    STATUS(IOTEDGE_E_NULL, iotedge_flash_store_remove(NULL, 1));
    STATUS(IOTEDGE_E_LENGTH, iotedge_flash_store_put(store, 1, long_value, longest + 1));
    STATUS(IOTEDGE_E_LENGTH, iotedge_flash_store_put(store, 1, long_value, SIZE_MAX));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_flash_store_put(chip.cells, 1, out, 1));
    /* A callback that comes back in is turned away. */
    chip.enter = store;
    STATUS(IOTEDGE_OK, iotedge_flash_store_remove(store, 1));
    chip.enter = NULL;
    STATUS(IOTEDGE_E_REENTERED, chip.entered);
    STATUS(IOTEDGE_OK, iotedge_flash_store_remove(store, 1));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
    /* After a start everything is there. */
    store = open_store();
    STATUS(IOTEDGE_E_NONE, iotedge_flash_store_get(store, 1, out, sizeof out, &len));
    STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, 2, out, sizeof out, &len));
    CHECK(len == sizeof long_value && memcmp(out, long_value, len) == 0);
    CHECK(!chip.twice);
    /* A byte that lost its charge is not passed off, nor is anything older. */
    for (size_t i = 0; i < sizeof chip.cells; i++) {
        if (memcmp(chip.cells + i, long_value, 64) == 0) {
            chip.cells[i + 9] ^= 0x10;
            break;
        }
    }
    STATUS(IOTEDGE_E_STORE_DAMAGED, iotedge_flash_store_get(store, 2, out, sizeof out, &len));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
    STATUS(IOTEDGE_OK, iotedge_flash_store_format(&flash));
    store = open_store();
    STATUS(IOTEDGE_E_NONE, iotedge_flash_store_get(store, 2, out, sizeof out, &len));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
    STATUS(IOTEDGE_E_NOT_INITIALISED, iotedge_flash_store_get(store, 2, out, sizeof out, &len));
}

static void failures(void)
{
    uint8_t value[1000], out[1000];
    size_t len = 0;
    uint32_t key = 0;
    int32_t status = IOTEDGE_OK;
    iotedge_flash_store_t *store;
    fresh();
    store = open_store();
    memset(value, 3, sizeof value);
    /* Full: a clear refusal, all values stand, and removing makes room. */
    for (key = 0; key < 100 && status == IOTEDGE_OK; key++) {
        status = iotedge_flash_store_put(store, key, value, sizeof value);
    }
    STATUS(IOTEDGE_E_STORE_FULL, status);
    key -= 1;
    CHECK(key >= 12);
    for (uint32_t k = 0; k < key; k++) {
        STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, k, out, sizeof out, &len));
    }
    STATUS(IOTEDGE_OK, iotedge_flash_store_remove(store, 3));
    STATUS(IOTEDGE_OK, iotedge_flash_store_put(store, 99, value, sizeof value));
    /* One block that fails is not used any more; nothing is lost. */
    chip.fail_program = 3;
    STATUS(IOTEDGE_OK, iotedge_flash_store_put(store, 5, value, 10));
    STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, 5, out, sizeof out, &len));
    CHECK(len == 10);
    /* No flash at all. */
    chip.fail_erase = 1;
    status = IOTEDGE_OK;
    for (int i = 0; i < 100 && status == IOTEDGE_OK; i++) {
        status = iotedge_flash_store_put(store, 5, value, 500);
    }
    STATUS(IOTEDGE_E_FLASH, status);
    STATUS(IOTEDGE_OK, iotedge_flash_store_get(store, 99, out, sizeof out, &len));
    STATUS(IOTEDGE_E_FLASH, iotedge_flash_store_format(&flash));
    chip.fail_read = 1;
    STATUS(IOTEDGE_E_FLASH, iotedge_flash_store_get(store, 99, out, sizeof out, &len));
    STATUS(IOTEDGE_E_FLASH, iotedge_flash_store_put(store, 99, out, 1));
    STATUS(IOTEDGE_E_FLASH, iotedge_flash_store_remove(store, 99));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
}

static int32_t counter_read(void *user, uint32_t *value, uint32_t *last)
{
    (void)user;
    *value = 1;
    *last = 5;
    return IOTEDGE_OK;
}

static int32_t counter_advance(void *user)
{
    (void)user;
    return IOTEDGE_OK;
}

static void in_a_leaf(void)
{
    static uint64_t leaf_memory[IOTEDGE_LEAF_SIZE / 8];
    iotedge_leaf_config_t leaf_config;
    iotedge_leaf_t *leaf = NULL;
    iotedge_flash_store_t *store;
    uint32_t ticket = 0;
    fresh();
    store = open_store();
    device_fresh();
    platform.store_user = store;
    platform.store_get = iotedge_flash_store_get;
    platform.store_put = iotedge_flash_store_put;
    platform.store_remove = iotedge_flash_store_remove;
    memset(&leaf_config, 0, sizeof leaf_config);
    leaf_config.size = (uint32_t)sizeof leaf_config;
    leaf_config.authority = &authority;
    leaf_config.seed = seed;
    leaf_config.certificate = LEAF_CERTIFICATE;
    leaf_config.certificate_len = sizeof LEAF_CERTIFICATE;
    /* Half a counter is none, and is refused. */
    platform.counter_read = counter_read;
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    platform.counter_read = NULL;
    platform.counter_advance = counter_advance;
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    platform.counter_advance = NULL;
    platform.counter_stride = 4;
    STATUS(IOTEDGE_E_NULL, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    platform.counter_read = counter_read;
    platform.counter_advance = counter_advance;
    platform.reserved2 = 1;
    STATUS(IOTEDGE_E_ARGUMENT, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    platform.reserved2 = 0;
    STATUS(IOTEDGE_OK, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    STATUS(IOTEDGE_OK, iotedge_leaf_submit_data(leaf, 0, (const uint8_t *)"x", 1, &ticket));
    CHECK(ticket == 1 && chip.programs > 0);
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
    /* It waits there after a reset. */
    store = open_store();
    STATUS(IOTEDGE_OK, iotedge_leaf_init(leaf_memory, sizeof leaf_memory, &leaf_config, &platform, &leaf));
    STATUS(IOTEDGE_E_BUSY, iotedge_leaf_submit_data(leaf, 0, (const uint8_t *)"y", 1, &ticket));
    STATUS(IOTEDGE_OK, iotedge_leaf_deinit(leaf));
    STATUS(IOTEDGE_OK, iotedge_flash_store_close(store));
}

int main(void)
{
    beginnings();
    values();
    failures();
    in_a_leaf();
    return check_end("flash");
}
