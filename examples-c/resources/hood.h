/* A neighbourhood of three devices in one process: real nodes over flash chips in memory, with links that lose what they like.
 * Time is virtual and every draw comes from one seed, so a run can be had again. */
#ifndef HOOD_H
#define HOOD_H

#include <iotedge.h>

enum { DEVICES = 3, HOOD_STEP = 10 /* Milliseconds. */ };

/* What an application hears from a neighbour's (frames that are said), and what its own node tells it. */
typedef struct {
    void (*heard)(unsigned at, unsigned from, uint32_t what, const uint8_t *bytes, size_t len);
    void (*told)(unsigned at, const iotedge_event_t *event);
} app_t;

/* Blank chips, new nodes, all of them members. `lose`: one frame in so many is lost; 0: none. `in_a_row`: 1 where the first and the last
 * device do not hear each other; else 0. */
int hood_begin(uint32_t seed, uint32_t lose, int in_a_row, const app_t *app);
void hood_end(void);

/* A step of the time: what was sent arrives, and the nodes say what they have to. */
void hood_step(void);
void hood_pass(uint64_t ms);
uint64_t hood_now(void);

void hood_say(unsigned from, unsigned to, uint32_t what, const void *bytes, size_t len);
iotedge_node_t *hood_node(unsigned at);
const iotedge_platform_t *hood_platform(unsigned at);
const uint8_t *hood_id(void);
const uint8_t *hood_seed(unsigned at);
iotedge_slot_t hood_slot(unsigned at);
uint32_t hood_random(uint32_t below);

/* Frames on the links, and those that were lost. */
extern unsigned hood_frames, hood_lost;

/* What an example holds to be true; `hood_failures` counts what is not. */
extern unsigned hood_failures;
void hood_check(int holds, const char *what);
int hood_ok(int32_t status, const char *what);

#endif
