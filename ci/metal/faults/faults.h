/* What the harness and its cases share: see faults.c. */
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>
#include <stdint.h>

/* A call that must be refused: `call` gives 0 where it was accepted. `good` is an input for the same call that is accepted, which shows that the refusal has the
 * reason that the name says. `prepare` may make ready what `call` works on, without faults; the same input goes to both. */
struct test {
    const char *name;
    int32_t (*prepare)(const void *input);
    int32_t (*call)(const void *input);
    const void *bad, *good;
};

size_t tests_count(void);
const struct test *test_at(size_t which);

/* Memory of the calls: restored before each. */
#define ARENA_MEMORY __attribute__((section(".arena")))

#endif
