#include "sensors.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    /* Unit of RFC 8428 section 12.1. */
    const char *unit;
    int (*read)(int64_t *mantissa, int32_t *exponent);
} sensor_t;

/* Share of time that the processors were busy since the last call, in tenths of a per cent. */
static int cpu(int64_t *mantissa, int32_t *exponent)
{
    static uint64_t last_busy, last_all;
    uint64_t t[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    int fields;
    if (file == NULL) {
        return -1;
    }
    fields = fscanf(file,
                    "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                    &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
    fclose(file);
    if (fields < 4) {
        return -1;
    }
    uint64_t idle = t[3] + t[4];
    uint64_t all = t[0] + t[1] + t[2] + t[3] + t[4] + t[5] + t[6] + t[7];
    uint64_t busy = all - idle;
    uint64_t span = all - last_all;
    *mantissa = span == 0 ? 0 : (int64_t)((busy - last_busy) * 1000 / span);
    *exponent = -1;
    last_busy = busy;
    last_all = all;
    return 0;
}

/* A number with two decimals, "0.52". */
static int load(int64_t *mantissa, int32_t *exponent)
{
    FILE *file = fopen("/proc/loadavg", "r");
    int64_t whole, hundredths;
    int fields;
    if (file == NULL) {
        return -1;
    }
    fields = fscanf(file, "%" SCNd64 ".%2" SCNd64, &whole, &hundredths);
    fclose(file);
    *mantissa = fields == 2 ? whole * 100 + hundredths : 0;
    *exponent = -2;
    return fields == 2 ? 0 : -1;
}

static int memory(int64_t *mantissa, int32_t *exponent)
{
    char line[128];
    int64_t kib;
    int found = -1;
    FILE *file = fopen("/proc/meminfo", "r");
    if (file == NULL) {
        return -1;
    }
    while (found != 0 && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "MemAvailable: %" SCNd64 " kB", &kib) == 1) {
            *mantissa = kib * 1024;
            *exponent = 0;
            found = 0;
        }
    }
    fclose(file);
    return found;
}

static int number_in(const char *path, int64_t *number)
{
    FILE *file = fopen(path, "r");
    int fields;
    if (file == NULL) {
        return -1;
    }
    fields = fscanf(file, "%" SCNd64, number);
    fclose(file);
    return fields == 1 ? 0 : -1;
}

/* The first thermometer of `folder` whose files are `prefix`...`suffix`, in thousandths of a degree. */
static int thermometer(const char *folder, const char *prefix, const char *suffix, int64_t *mantissa)
{
    DIR *entries = opendir(folder);
    int found = -1;
    if (entries == NULL) {
        return -1;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL && found != 0; entry = readdir(entries)) {
        char path[512];
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            snprintf(path, sizeof path, "%s/%s/%s", folder, entry->d_name, suffix) < (int)sizeof path) {
            found = number_in(path, mantissa);
        }
    }
    closedir(entries);
    return found;
}

static int temperature(int64_t *mantissa, int32_t *exponent)
{
    *exponent = -3;
    if (thermometer("/sys/class/thermal", "thermal_zone", "temp", mantissa) == 0) {
        return 0;
    }
    return thermometer("/sys/class/hwmon", "hwmon", "temp1_input", mantissa);
}

/* Bytes over all interfaces: column 0 received, 8 sent. */
static int network(unsigned column, int64_t *sum)
{
    char line[512];
    int found = -1;
    FILE *file = fopen("/proc/net/dev", "r");
    if (file == NULL) {
        return -1;
    }
    *sum = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        int64_t n[16];
        const char *colon = strchr(line, ':');
        if (colon != NULL && sscanf(colon + 1,
                                    "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64
                                    " %" SCNd64 " %" SCNd64,
                                    &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8]) == 9) {
            *sum += n[column];
            found = 0;
        }
    }
    fclose(file);
    return found;
}

static int net_received(int64_t *mantissa, int32_t *exponent)
{
    *exponent = 0;
    return network(0, mantissa);
}

static int net_sent(int64_t *mantissa, int32_t *exponent)
{
    *exponent = 0;
    return network(8, mantissa);
}

/* Bytes over all whole disks (a sector of this file is 512 bytes): read or written. */
static int disk(int written, int64_t *sum)
{
    char line[512];
    int found = -1;
    FILE *file = fopen("/proc/diskstats", "r");
    if (file == NULL) {
        return -1;
    }
    *sum = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char name[64];
        char path[128];
        int64_t read_sectors, written_sectors;
        if (sscanf(line, "%*d %*d %63s %*d %*d %" SCNd64 " %*d %*d %*d %" SCNd64, name, &read_sectors,
                   &written_sectors) != 3) {
            continue;
        }
        /* A partition is not listed here by itself. */
        (void)snprintf(path, sizeof path, "/sys/block/%s", name);
        DIR *whole = opendir(path);
        if (whole == NULL) {
            continue;
        }
        closedir(whole);
        *sum += (written ? written_sectors : read_sectors) * 512;
        found = 0;
    }
    fclose(file);
    return found;
}

static int disk_read(int64_t *mantissa, int32_t *exponent)
{
    *exponent = 0;
    return disk(0, mantissa);
}

static int disk_written(int64_t *mantissa, int32_t *exponent)
{
    *exponent = 0;
    return disk(1, mantissa);
}

static int uptime(int64_t *mantissa, int32_t *exponent)
{
    FILE *file = fopen("/proc/uptime", "r");
    int64_t whole, hundredths;
    int fields;
    if (file == NULL) {
        return -1;
    }
    fields = fscanf(file, "%" SCNd64 ".%2" SCNd64, &whole, &hundredths);
    fclose(file);
    *mantissa = fields == 2 ? whole * 100 + hundredths : 0;
    *exponent = -2;
    return fields == 2 ? 0 : -1;
}

static const sensor_t SENSORS[SENSOR_COUNT] = {
    {"cpu", "%", cpu},           {"load", "", load},           {"mem-free", "B", memory},
    {"temp", "Cel", temperature}, {"net-rx", "B", net_received}, {"net-tx", "B", net_sent},
    {"disk-rd", "B", disk_read}, {"disk-wr", "B", disk_written}, {"uptime", "s", uptime},
};

const char *sensor_name(unsigned sensor)
{
    return sensor < SENSOR_COUNT ? SENSORS[sensor].name : "";
}

int sensor_read(unsigned sensor, iotedge_reading_t *reading)
{
    memset(reading, 0, sizeof *reading);
    reading->size = (uint32_t)sizeof *reading;
    if (sensor >= SENSOR_COUNT || SENSORS[sensor].read(&reading->mantissa, &reading->exponent) != 0) {
        return -1;
    }
    memcpy(reading->name, SENSORS[sensor].name, strlen(SENSORS[sensor].name) + 1);
    memcpy(reading->unit, SENSORS[sensor].unit, strlen(SENSORS[sensor].unit) + 1);
    return 0;
}
