/* Runs a vector of vectors/stream.json: what a subscriber hears of a channel, in order. Returns 0 where all is as it says. */
#ifndef CHANNEL_VECTOR_H
#define CHANNEL_VECTOR_H

#include "../common/json.h"

int channel_vector(json_t vector);

/* A statement of vectors/channel.json: the status of its check. */
int32_t channel_statement(json_t vector);

#endif
