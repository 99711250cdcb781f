/* Runs a vector of vectors/content.json: a content in parts, as a receiver and as a provider; a part; a manifest; what was installed. Returns 0 where all is as it says. */
#ifndef CONTENT_VECTOR_H
#define CONTENT_VECTOR_H

#include "../common/json.h"

/* 1 where a vector is one of these. */
int content_reaches(json_t vector);

int content_vector(json_t vector);

#endif
