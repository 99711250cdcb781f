/* Lines of text for whoever develops, without printf: NAME, then numbers. */
#ifndef SAY_H
#define SAY_H

#include <stdint.h>

void say(const char *what);
void say_number(const char *what, uint64_t number);
void say_name(const char *what, const char *name);

#endif
