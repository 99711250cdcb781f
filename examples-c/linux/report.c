/* What this program says: a line of JSON each second, a summary at the end, and files for whoever wants to check them. */
#include "device.h"
#include "sensors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *phase_name(uint32_t phase)
{
    switch (phase) {
    case IOTEDGE_PHASE_OUTSIDE:
        return "outside";
    case IOTEDGE_PHASE_SYNCHRONISING:
        return "synchronising";
    case IOTEDGE_PHASE_FOLLOWING:
        return "following";
    case IOTEDGE_PHASE_ACTIVE:
        return "active";
    case IOTEDGE_PHASE_RECOVERING:
        return "recovering";
    default:
        return "unknown";
    }
}

/* Every reason for which something was refused, by name. */
static void refused(const device_t *device)
{
    const char *comma = "";
    printf("\"refused\":{");
    for (int32_t reason = 1; reason < 100; reason++) {
        uint32_t count;
        if (iotedge_node_refused(device->node, reason, &count) == IOTEDGE_OK && count > 0) {
            printf("%s\"%s\":%" PRIu32, comma, iotedge_status_name(reason) + strlen("IOTEDGE_E_"), count);
            comma = ",";
        }
    }
    printf("}");
}

static void common(const device_t *device)
{
    iotedge_node_status_t status;
    iotedge_counters_t counters;
    memset(&status, 0, sizeof status);
    memset(&counters, 0, sizeof counters);
    status.size = (uint32_t)sizeof status;
    counters.size = (uint32_t)sizeof counters;
    if (iotedge_node_status(device->node, clock_now(), &status) != IOTEDGE_OK ||
        iotedge_node_counters(device->node, &counters) != IOTEDGE_OK) {
        return;
    }
    printf("\"time\":%" PRIu64 ",\"phase\":\"%s\",\"member\":", (uint64_t)((int64_t)clock_now() + device->offset),
           phase_name(status.phase));
    if (status.member == UINT32_MAX) {
        printf("null");
    } else {
        printf("%" PRIu32, status.member);
    }
    printf(",\"device\":\"");
    hex_print(status.device, 32, stdout);
    printf("\",\"neighbourhood\":\"");
    hex_print(status.neighbourhood, 32, stdout);
    printf("\",\"number\":%" PRIu32 ",\"epoch\":%" PRIu32 ",\"header\":%" PRIu32 ",\"window\":%" PRIu32 ",\"aside\":%" PRIu32
           ",\"outbox\":%" PRIu32 ",\"heard\":%" PRIu32 ",\"credits\":%" PRIu64 ",\"debits\":%" PRIu64 ",\"self_frozen\":%s"
           ",\"anchored_header\":%" PRIu32 ",\"anchored_block\":%" PRIu64,
           status.number, status.epoch, status.header, status.window, status.aside, status.outbox, status.heard,
           status.credits, status.debits, status.frozen ? "true" : "false", status.anchored, status.block);
    printf(",\"readings_sent\":%" PRIu32 ",\"payments_sent\":%" PRIu32 ",\"readings_heard\":%" PRIu32
           ",\"payments_received\":%" PRIu32 ",\"value_paid\":%" PRIu64 ",\"value_received\":%" PRIu64,
           device->readings_sent, device->payments_sent, device->readings_heard, device->payments_received,
           device->value_paid, device->value_received);
    printf(",\"witnessed\":%" PRIu32 ",\"quorum\":%" PRIu32 ",\"settled\":%" PRIu32 ",\"anchored\":%" PRIu32 ",\"dead\":%" PRIu32
           ",\"reissued\":%" PRIu32 ",\"receipts_verified\":%" PRIu32 ",\"receipts_wrong\":%" PRIu32,
           device->witnessed, device->quorum, device->settled, device->anchored, device->dead, device->reissued, device->receipts_verified,
           device->receipts_wrong);
    printf(",\"equivocations\":%" PRIu32 ",\"frozen\":%" PRIu32 ",\"frozen_members\":[", device->equivocations,
           device->frozen);
    for (uint32_t i = 0; i < device->frozen && i < 8; i++) {
        printf("%s%" PRIu32, i == 0 ? "" : ",", device->frozen_members[i]);
    }
    printf("],\"frames_in\":%" PRIu32 ",\"frames_out\":%" PRIu32 ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64
           ",\"inserted\":%" PRIu32 ",\"verified\":%" PRIu32 ",\"duplicates\":%" PRIu32 ",\"corrupted\":%" PRIu32
           ",\"strangers\":%" PRIu32 ",",
           counters.frames_in, counters.frames_out, counters.bytes_in, counters.bytes_out, counters.inserted,
           counters.verified, counters.duplicates, device->udp.corrupted, device->udp.strangers);
    refused(device);
}

static void channels(const device_t *device)
{
    const channel_owner_t *channel = &device->channel;
    const channel_reader_t *reader = &device->reader;
    if (channel->wanted) {
        printf(",\"channel\":{\"number\":%" PRIu32 ",\"published\":%" PRIu32 ",\"granted\":%" PRIu32 ",\"revoked\":%" PRIu32
               ",\"refused\":%" PRIu32,
               channel->number, channel->published, channel->granted, channel->revoked, channel->refused);
        meter_sell_print(device, stdout);
        printf("}");
    }
    if (reader->wanted) {
        printf(",\"reader\":{\"number\":%" PRIu32 ",\"owner\":", reader->number);
        if (reader->known) {
            printf("%" PRIu32, reader->owner);
        } else {
            printf("null");
        }
        printf(",\"read\":%" PRIu32 ",\"sealed\":%" PRIu32 ",\"readings\":%" PRIu32 ",\"attributed\":%" PRIu32 ",\"lost\":%" PRIu32
               ",\"granted\":%" PRIu32 ",\"revoked\":%" PRIu32,
               reader->read, reader->sealed, reader->readings, reader->attributed, reader->lost, reader->granted, reader->revoked);
        meter_buy_print(device, stdout);
        printf("}");
    }
}

void report_second(const device_t *device)
{
    printf("{");
    common(device);
    channels(device);
    printf("}\n");
    fflush(stdout);
}

void report_summary(const device_t *device)
{
    const char *comma = "";
    printf("{\"summary\":true,\"library\":\"%s\",", iotedge_version_text());
    common(device);
    channels(device);
    printf(",\"submissions_refused\":%" PRIu32 ",\"readings_unreadable\":%" PRIu32 ",\"recoveries\":%" PRIu32
           ",\"silences\":%" PRIu32 ",\"lost_events\":%" PRIu32 ",\"unlisted\":%" PRIu32 ",\"sensors_absent\":[",
           device->submissions_refused, device->readings_unreadable, device->recoveries, device->silences,
           device->lost_events, device->book.missed);
    for (unsigned sensor = 0; sensor < SENSOR_COUNT; sensor++) {
        if (device->absent >> sensor & 1u) {
            printf("%s\"%s\"", comma, sensor_name(sensor));
            comma = ",";
        }
    }
    printf("],\"element\":{\"asked\":%" PRIu32 ",\"wrong\":%" PRIu32 ",\"refused\":%" PRIu32 "},\"transactions\":",
           device->element.asked, device->element.wrong, device->element.refused);
    book_print(&device->book, stdout);
    printf("}\n");
    fflush(stdout);
}

void report_journal(const device_t *device, const char *what, const uint8_t *id, uint64_t when)
{
    if (device->journal == NULL) {
        return;
    }
    fprintf(device->journal, "%s ", what);
    hex_print(id, 32, device->journal);
    fprintf(device->journal, " %" PRIu64 "\n", when);
    fflush(device->journal);
}

void report_file(const device_t *device, const uint8_t *id, const char *suffix, const uint8_t *bytes, size_t len)
{
    char path[700];
    char name[65];
    FILE *file;
    for (int i = 0; i < 32; i++) {
        (void)snprintf(name + 2 * i, 3, "%02x", id[i]);
    }
    if (snprintf(path, sizeof path, "%s/%s%s", device->options.out, name, suffix) >= (int)sizeof path) {
        return;
    }
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len) {
        fprintf(stderr, "iotedge-device: %s: %s\n", path, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
}
