/* Real measurements of the machine that the program runs on, from procfs and sysfs. Nothing is made up: what is not there is absent. */
#ifndef SENSORS_H
#define SENSORS_H

#include <iotedge.h>

#define SENSOR_COUNT 9

/* Measures sensor 0 to SENSOR_COUNT - 1 now. 0 and the reading, or -1 where this machine has no such sensor. */
int sensor_read(unsigned sensor, iotedge_reading_t *reading);

/* Its name. */
const char *sensor_name(unsigned sensor);

#endif
