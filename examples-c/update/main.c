/*
 * iotedge-update: a firmware goes from a neighbour that has it to a device, over frames some of which are lost, while the device loses its power again and again.
 *
 *     iotedge-update IMAGE
 *
 * The maker signs a manifest over the image; the neighbour serves it; the device writes it into its flash, checks it, says so in a record for the ledger and confirms it. In one program: what the two send
 * each other are frames as over any radio. Exit status 0 where the image arrived and an older one is refused.
 */
#include "chip.h"

#include <stdio.h>
#include <string.h>

/* Chunks of 256 bytes; a step is a block of the flash. */
enum { CHUNK = 8, STEP = CHIP_BLOCK >> CHUNK, KEY = 0x100, LOSE = 7, FRAMES_TO_A_CUT = 61 };

static const uint8_t TAG[4] = {1, 2, 3, 4};       /* Of the neighbourhood. */
static const uint8_t MAKER[IOTEDGE_SEED_SIZE] = "the maker's key, never in a bin";
static const uint8_t COMPONENT[3] = {'a', 'p', 'p'};

/* The neighbour. */
static struct {
    uint8_t image[CHIP_SLOT_SIZE];
    size_t len;
    uint64_t memory[IOTEDGE_PROVIDER_SIZE(CHIP_SLOT_SIZE, CHUNK, 4) / 8];
    iotedge_provider_t *provider;
} neighbour;

/* The device: its flash stays, the rest is lost with the power. */
static chip_t chip;
static struct {
    uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];
    uint64_t memory[IOTEDGE_UPDATE_SIZE / 8];
    iotedge_platform_t platform;
    iotedge_update_t *update;
} device;

static iotedge_public_key_t maker;
static unsigned frames, lost, resets;

static int32_t image_read(void *user, uint64_t offset, uint8_t *out, size_t len)
{
    (void)user;
    if (offset + len > neighbour.len) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, neighbour.image + offset, len);
    return IOTEDGE_OK;
}

static int32_t no_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    (void)out;
    (void)len;
    return IOTEDGE_E_PLATFORM; /* An update draws nothing. */
}

static iotedge_update_target_t target(void)
{
    iotedge_update_target_t to;
    memset(&to, 0, sizeof to);
    to.size = (uint32_t)sizeof to;
    memset(to.vendor_id, 0xa1, sizeof to.vendor_id);
    memset(to.class_id, 0xb2, sizeof to.class_id);
    to.component = COMPONENT;
    to.component_len = sizeof COMPONENT;
    to.authority = &maker;
    to.room = CHIP_SLOT_SIZE;
    to.step = STEP;
    to.store_key = KEY;
    return to;
}

/* The maker: a manifest of the neighbour's image. */
static int32_t release(uint64_t sequence, uint8_t *manifest, size_t *len)
{
    iotedge_manifest_t said;
    iotedge_content_descriptor_t content;
    uint8_t message[IOTEDGE_MANIFEST_MAX_INPUT], signature[IOTEDGE_SIGNATURE_SIZE];
    size_t message_len = 0;
    iotedge_update_target_t to = target();
    int32_t status;
    memset(&said, 0, sizeof said);
    said.size = (uint32_t)sizeof said;
    said.sequence = sequence;
    memcpy(said.vendor_id, to.vendor_id, sizeof said.vendor_id);
    memcpy(said.class_id, to.class_id, sizeof said.class_id);
    memcpy(said.component, COMPONENT, sizeof COMPONENT);
    said.component_len = sizeof COMPONENT;
    memset(&content, 0, sizeof content);
    content.size = (uint32_t)sizeof content;
    status = iotedge_sha256(neighbour.image, neighbour.len, said.digest);
    if (status == IOTEDGE_OK) {
        status = iotedge_provider_descriptor(neighbour.provider, &content);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_manifest_input(&maker, &said, &content, message, sizeof message, &message_len);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_sign(MAKER, message, message_len, signature);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_manifest_assemble(&maker, &said, &content, signature, manifest, IOTEDGE_UPDATE_MAX_MANIFEST, len);
    }
    return status;
}

/* The device starts: its store over the flash, and the update that was under way, if there is one. */
static int32_t start(void)
{
    iotedge_flash_t flash = chip_store(&chip);
    iotedge_slot_t slot = chip_slot(&chip);
    iotedge_update_target_t to = target();
    iotedge_flash_store_t *store = NULL;
    memset(&device, 0, sizeof device);
    int32_t status = iotedge_flash_store_open(device.store_memory, sizeof device.store_memory, &flash, &store);
    if (status != IOTEDGE_OK) {
        return status;
    }
    device.platform.size = (uint32_t)sizeof device.platform;
    device.platform.random = no_random;
    device.platform.store_user = store;
    device.platform.store_get = iotedge_flash_store_get;
    device.platform.store_put = iotedge_flash_store_put;
    device.platform.store_remove = iotedge_flash_store_remove;
    status = iotedge_update_resume(device.memory, sizeof device.memory, &to, &device.platform, &slot, &device.update);
    return status == IOTEDGE_E_NONE ? IOTEDGE_OK : status;
}

static int32_t offered(const uint8_t *manifest, size_t len)
{
    iotedge_slot_t slot = chip_slot(&chip);
    iotedge_update_target_t to = target();
    return iotedge_update_offer(device.memory, sizeof device.memory, &to, &device.platform, &slot, manifest, len, 0, &device.update);
}

/* A frame on the air: 0 where it is lost. */
static int arrives(void)
{
    static uint32_t x = 1;
    x = x * 1664525u + 1013904223u;
    frames++;
    lost += (x >> 16) % LOSE == 0;
    return (x >> 16) % LOSE != 0;
}

/* What the neighbour makes of a frame, and the device of each that comes back. */
static void ask(const uint8_t *frame, size_t len)
{
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST], part[IOTEDGE_CONTENT_MAX_PART], back[IOTEDGE_MAX_FRAME];
    const uint8_t *bytes;
    uint32_t what, step;
    size_t request_len, part_len, back_len;
    if (iotedge_frame_said(TAG, frame, len, &what, &bytes, &request_len) != IOTEDGE_OK || what != IOTEDGE_SAID_REQUEST ||
        request_len > sizeof request) {
        return;
    }
    memcpy(request, bytes, request_len);
    while (request_len > 0 &&
           iotedge_provider_answer(neighbour.provider, request, &request_len, part, sizeof part, &part_len) == IOTEDGE_OK &&
           iotedge_frame_say(TAG, IOTEDGE_SAID_PART, part, part_len, back, sizeof back, &back_len) == IOTEDGE_OK) {
        if (arrives() && iotedge_frame_said(TAG, back, back_len, &what, &bytes, &part_len) == IOTEDGE_OK && what == IOTEDGE_SAID_PART) {
            (void)iotedge_update_take(device.update, bytes, part_len, &step); /* What came too late is refused. */
        }
    }
}

/* Until all is here: the device asks, and once in a while its power goes. */
static int32_t load(void)
{
    uint8_t request[IOTEDGE_CONTENT_MAX_REQUEST], frame[IOTEDGE_MAX_FRAME];
    size_t len = 0, frame_len = 0;
    unsigned cut = FRAMES_TO_A_CUT;
    int32_t status;
    while ((status = iotedge_update_request(device.update, IOTEDGE_CONTENT_MAX_PART, 8, request, sizeof request, &len)) == IOTEDGE_OK) {
        status = iotedge_frame_say(TAG, IOTEDGE_SAID_REQUEST, request, len, frame, sizeof frame, &frame_len);
        if (status != IOTEDGE_OK) {
            return status;
        }
        if (arrives()) {
            ask(frame, frame_len);
        }
        if (frames >= cut) {
            cut = frames + FRAMES_TO_A_CUT;
            resets++;
            if ((status = start()) != IOTEDGE_OK) {
                return status;
            }
        }
    }
    return status == IOTEDGE_E_NONE ? IOTEDGE_OK : status;
}

/* What the new firmware does once it knows that it works. A device with a node puts the record into its outbox before it confirms. */
static int32_t settle(uint8_t *record, size_t *record_len)
{
    iotedge_installed_t installed;
    iotedge_update_status_t stands;
    memset(&stands, 0, sizeof stands);
    stands.size = (uint32_t)sizeof stands;
    memset(&installed, 0, sizeof installed);
    installed.size = (uint32_t)sizeof installed;
    int32_t status = iotedge_update_verify(device.update);
    if (status == IOTEDGE_OK) {
        status = iotedge_update_status(device.update, &stands);
    }
    installed.sequence = stands.sequence;
    installed.component_len = sizeof COMPONENT;
    memcpy(installed.component, COMPONENT, sizeof COMPONENT);
    memcpy(installed.digest, stands.digest, sizeof installed.digest);
    if (status == IOTEDGE_OK) {
        status = iotedge_update_record(&installed, record, IOTEDGE_UPDATE_MAX_RECORD, record_len);
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_update_confirm(&device.platform, KEY, stands.sequence);
    }
    return status == IOTEDGE_OK ? iotedge_update_deinit(device.update) : status;
}

static int32_t serve(const char *path)
{
    iotedge_provider_config_t config;
    iotedge_slot_t slot;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return IOTEDGE_E_PLATFORM;
    }
    neighbour.len = fread(neighbour.image, 1, sizeof neighbour.image, file);
    int whole = fgetc(file) == EOF;
    fclose(file);
    if (!whole) {
        return IOTEDGE_E_UPDATE_ROOM;
    }
    memset(&slot, 0, sizeof slot);
    slot.size = (uint32_t)sizeof slot;
    slot.read = image_read;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.chunk = CHUNK;
    config.length = neighbour.len;
    config.level = 4;
    return iotedge_provider_init(neighbour.memory, sizeof neighbour.memory, &config, &slot, &neighbour.provider);
}

static int done(const char *what, int32_t status)
{
    if (status != IOTEDGE_OK) {
        fprintf(stderr, "iotedge-update: %s: %s\n", what, iotedge_status_name(status));
    }
    return status == IOTEDGE_OK;
}

int main(int argc, char **argv)
{
    uint8_t manifest[IOTEDGE_UPDATE_MAX_MANIFEST], older[IOTEDGE_UPDATE_MAX_MANIFEST], record[IOTEDGE_UPDATE_MAX_RECORD];
    size_t len = 0, older_len = 0, record_len = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: iotedge-update IMAGE\n");
        return 2;
    }
    memset(&maker, 0, sizeof maker);
    maker.size = (uint32_t)sizeof maker;
    chip_blank(&chip);
    if (!done("the maker's key", iotedge_public_key_from_seed(MAKER, &maker)) || !done(argv[1], serve(argv[1])) ||
        !done("release 2", release(2, manifest, &len)) || !done("release 1", release(1, older, &older_len)) || !done("start", start()) ||
        !done("the offer", offered(manifest, len)) || !done("the transfer", load()) || !done("the image", settle(record, &record_len))) {
        return 1;
    }
    if (memcmp(chip.cells + CHIP_SLOT, neighbour.image, neighbour.len) != 0 || offered(older, older_len) != IOTEDGE_E_UPDATE_OLDER ||
        offered(manifest, len) != IOTEDGE_E_UPDATE_OLDER) {
        fprintf(stderr, "iotedge-update: another image, or an older one is not refused\n");
        return 1;
    }
    printf("update: %zu bytes in %u frames, %u of them lost, over %u resets: verified, confirmed, a record of %zu bytes; an older one is refused\n", neighbour.len,
           frames, lost, resets, record_len);
    return 0;
}
