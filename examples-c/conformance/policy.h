/* Runs the signed policies of vectors/policy.json. Returns 0 where all is as a vector says. */
#ifndef POLICY_VECTOR_H
#define POLICY_VECTOR_H

#include "../common/json.h"

/* A policy as it is signed and read back, or as it is refused. */
int policy_vector(json_t vector);

#endif
