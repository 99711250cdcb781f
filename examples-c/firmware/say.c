#include "say.h"

#include "board.h"

void say(const char *what)
{
    board_log(what);
    board_log("\n");
}

void say_name(const char *what, const char *name)
{
    board_log(what);
    board_log(" ");
    say(name);
}

void say_number(const char *what, uint64_t number)
{
    char text[21];
    char *at = text + sizeof text - 1;
    *at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    say_name(what, at);
}
