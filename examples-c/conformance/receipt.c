/*
 * A compact receipt is [1, header, [path of leaf 0], id, leaf, [path of the leaf], [[index, signature], ...]] in CBOR
 * (docs/protocol.md section 7.3). A device that receives it piece by piece gives each piece on as it comes; here it lies in
 * one buffer and is cut by a reader that knows just the four types in it.
 */
#include "receipt.h"

#include <string.h>

typedef struct {
    const uint8_t *at;
    size_t left;
    int32_t status;
} cut_t;

/* One head of this type (0 integer, 2 bytes, 4 array); its argument. */
static size_t head(cut_t *cut, unsigned type)
{
    if (cut->status != IOTEDGE_OK || cut->left == 0) {
        cut->status = IOTEDGE_E_MALFORMED;
        return 0;
    }
    unsigned first = *cut->at++;
    size_t argument = first & 31;
    size_t more = argument < 24 ? 0 : (size_t)1 << (argument - 24);
    cut->left--;
    if (first >> 5 != type || argument > 26 || more > cut->left) {
        cut->status = IOTEDGE_E_MALFORMED;
        return 0;
    }
    if (more > 0) {
        argument = 0;
    }
    for (size_t i = 0; i < more; i++) {
        argument = argument << 8 | *cut->at++;
        cut->left--;
    }
    return argument;
}

static const uint8_t *bytes(cut_t *cut, size_t *len)
{
    *len = head(cut, 2);
    if (*len > cut->left) {
        cut->status = IOTEDGE_E_MALFORMED;
        *len = 0;
    }
    const uint8_t *found = cut->at;
    cut->at += *len;
    cut->left -= *len;
    return found;
}

static const uint8_t *bytes_of(cut_t *cut, size_t len)
{
    size_t found_len;
    const uint8_t *found = bytes(cut, &found_len);
    if (found_len != len) {
        cut->status = IOTEDGE_E_MALFORMED;
    }
    return found;
}

static size_t path(cut_t *cut, uint8_t hashes[32 * 32])
{
    size_t count = head(cut, 4);
    if (count > 32) {
        cut->status = IOTEDGE_E_MALFORMED;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *hash = bytes_of(cut, 32);
        if (cut->status == IOTEDGE_OK) {
            memcpy(hashes + 32 * i, hash, 32);
        }
    }
    return count;
}

int32_t receipt_in_a_stream(const uint8_t *neighbourhood, const uint8_t *set, size_t set_len, const uint8_t *receipt,
                            size_t receipt_len, iotedge_settled_t *result)
{
    static iotedge_receipt_check_t check;
    uint8_t first_path[32 * 32];
    uint8_t leaf_path[32 * 32];
    cut_t cut = {receipt, receipt_len, IOTEDGE_OK};

    if (head(&cut, 4) != 7 || cut.status != IOTEDGE_OK) {
        return IOTEDGE_E_MALFORMED;
    }
    if (head(&cut, 0) != 1) {
        return IOTEDGE_E_VERSION;
    }
    size_t header_len;
    const uint8_t *header = bytes(&cut, &header_len);
    size_t first_count = path(&cut, first_path);
    const uint8_t *id = bytes_of(&cut, 32);
    uint32_t leaf = (uint32_t)head(&cut, 0);
    size_t leaf_count = path(&cut, leaf_path);
    size_t votes = head(&cut, 4);
    if (cut.status != IOTEDGE_OK) {
        return cut.status;
    }

    check.size = (uint32_t)sizeof check;
    int32_t status =
        iotedge_receipt_begin(&check, neighbourhood, set, set_len, header, header_len, first_path, first_count);
    if (status != IOTEDGE_OK) {
        return status;
    }
    for (size_t i = 0; i < votes; i++) {
        if (head(&cut, 4) != 2) {
            return IOTEDGE_E_MALFORMED;
        }
        uint32_t index = (uint32_t)head(&cut, 0);
        const uint8_t *signature = bytes_of(&cut, 64);
        if (cut.status != IOTEDGE_OK) {
            return cut.status;
        }
        status = iotedge_receipt_vote(&check, index, signature);
        if (status != IOTEDGE_OK) {
            return status;
        }
    }
    if (cut.left != 0) {
        return IOTEDGE_E_MALFORMED;
    }
    return iotedge_receipt_finish(&check, id, leaf, leaf_path, leaf_count, result);
}
