/* Runs a vector of vectors/serial.json: a frame that is written to a line, or a line that is read. Returns 0 where all is as it says. */
#ifndef SERIAL_H
#define SERIAL_H

#include "../common/json.h"

int serial_vector(json_t vector);

#endif
