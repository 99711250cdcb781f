/* A test harness of three macros: CHECK counts, STATUS compares a result by name, and the program's exit tells. */
#ifndef CHECK_H
#define CHECK_H

#include "iotedge.h"

#include <stdio.h>
#include <string.h>

static unsigned checks_passed;
static unsigned checks_failed;

static void check_report(int passed, const char *file, int line, const char *what)
{
    if (passed) {
        checks_passed++;
        return;
    }
    checks_failed++;
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

#define CHECK(condition) check_report((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

static void check_status(int32_t wanted, int32_t got, const char *file, int line, const char *what)
{
    if (wanted != got) {
        fprintf(stderr, "%s:%d: wanted %s, got %s\n", file, line, iotedge_status_name(wanted), iotedge_status_name(got));
    }
    check_report(wanted == got, file, line, what);
}

/* A status is a number that the library gave or that a function returned. */
#define STATUS(wanted, call) check_status((wanted), (call), __FILE__, __LINE__, #call)

static int check_end(const char *name)
{
    printf("%s: %u passed, %u failed\n", name, checks_passed, checks_failed);
    return checks_failed == 0 && checks_passed > 0 ? 0 : 1;
}

#endif
