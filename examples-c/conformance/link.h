/* Runs a vector of vectors/link.json: packets that a link sends, or receives. Returns 0 where all is as it says. */
#ifndef LINK_H
#define LINK_H

#include "../common/json.h"

int link_vector(json_t vector);

#endif
