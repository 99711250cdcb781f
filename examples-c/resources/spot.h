/* A spot check of a content that somebody else keeps: one chunk of it is proved against the root alone, by who has nothing of it any more.
 *
 * A part (docs/protocol.md section 13.2) proves the first chunk of a subtree, and with it the hashes of all subtrees to its right. So who wants
 * chunk i asks for the whole tree, then for the subtree in which i lies, and so on: as many parts as i has bits that are 1, and one. Each of
 * them shows a chunk, so each is a proof of its own. Who serves them needs nothing but iotedge_provider_answer. */
#ifndef SPOT_H
#define SPOT_H

#include <iotedge.h>

enum { SPOT_OTHER = 0 /* Late, doubled, of something else. */, SPOT_FALSE, SPOT_ON /* Ask for more. */, SPOT_PROVED };

typedef struct {
    uint8_t id[16];
    uint8_t root[32];       /* Of the chunks first..end. */
    uint32_t first, end, wanted;
} spot_t;

/* Chunks of a content. */
uint32_t spot_chunks(const iotedge_content_descriptor_t *content);
int32_t spot_begin(spot_t *spot, const iotedge_content_descriptor_t *content, uint32_t wanted);
/* What to ask for next, with room for IOTEDGE_CONTENT_MAX_REQUEST; its length. */
size_t spot_request(const spot_t *spot, uint8_t *request);
int spot_take(spot_t *spot, const uint8_t *part, size_t len);

#endif
