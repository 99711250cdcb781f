/* Runs a vector of vectors/attest.json. Returns the status that the library gave; where that is IOTEDGE_OK, 1 in `differs` says that it found something else. */
#ifndef ATTEST_H
#define ATTEST_H

#include "../common/json.h"

int32_t attest_vector(json_t vector, int *differs);

#endif
