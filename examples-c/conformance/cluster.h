/* Runs a vector of vectors/cluster.json. Returns the status that the library gave; where that is IOTEDGE_OK, 1 in `differs` says that it found something else. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "../common/json.h"

int32_t cluster_vector(json_t vector, int *differs);
/* Whether the C interface reaches it. */
int cluster_reaches(json_t vector);

#endif
