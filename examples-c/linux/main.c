/* iotedge-device: see options.c for what it does. This file: start, loop, end. */
#include "device.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* All that is said in about two and a half T should fit the window: what is not settled is passed on to who comes back from there. */
#ifndef WINDOW_SIZE
#define WINDOW_SIZE 1024
#endif

/* How much this device holds. On a microcontroller these numbers are smaller; the memory is a static array there as here. */
enum { WINDOW = WINDOW_SIZE, MEMBERS = 256, PEERS = UDP_MAX_PEERS, ASIDE = 64, OUTBOX = 64, OWN = 256, RAW = WINDOW * 256 };
static uint64_t memory[IOTEDGE_NODE_SIZE(WINDOW, MEMBERS, PEERS, ASIDE, OUTBOX, OWN, RAW) / 8];

static device_t device;
static volatile sig_atomic_t ending;

static void on_signal(int signal)
{
    (void)signal;
    ending = 1;
}

/* Zeros that the compiler does not leave out. */
static void wipe(void *secret, size_t len)
{
    volatile uint8_t *byte = (volatile uint8_t *)secret;
    while (len-- > 0) {
        *byte++ = 0;
    }
}

static int start_node(identity_t *identity)
{
    iotedge_limits_t limits;
    iotedge_config_t config;
    iotedge_platform_t platform = platform_of(&device.store);
    uint8_t proof[IOTEDGE_SIGNATURE_SIZE];
    int32_t status;

    memset(&limits, 0, sizeof limits);
    limits.size = (uint32_t)sizeof limits;
    limits.window = WINDOW;
    limits.members = MEMBERS;
    limits.peers = PEERS;
    limits.aside = ASIDE;
    limits.outbox = OUTBOX;
    limits.own = OWN;
    limits.raw = RAW;

    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.role = IOTEDGE_ROLE_MEMBER;
    config.clock_offset = device.offset;
    config.authority = &identity->authority;
    if (identity->key.suite == IOTEDGE_SUITE_ES256) {
        if (element_open(&device.element, identity->seed, &identity->key, device.options.element) != 0 ||
            element_enrol(&device.element, &identity->key, &identity->authority, proof) != 0) {
            fprintf(stderr, "iotedge-device: the P-256 key does not sign: not the secret half of cose_key, or a library without ES256\n");
            return -1;
        }
        config.signer = &identity->key;
        config.enrolment = proof;
    } else {
        config.seed = identity->seed;
    }
    config.certificate = identity->certificate;
    config.certificate_len = identity->certificate_len;
    if (identity->issuer_len > 0) {
        config.issuer = identity->issuer;
        config.issuer_len = identity->issuer_len;
    }
    status = iotedge_node_init(memory, sizeof memory, &limits, &config, &platform, &device.node);
    wipe(identity->seed, sizeof identity->seed);
    if (status != IOTEDGE_OK) {
        fprintf(stderr, "iotedge-device: the node does not start: %s\n", iotedge_status_name(status));
        return -1;
    }
    return 0;
}

/* The gateway is the uplink: enrolment, tables and receipts are asked there. */
static int add_peers(const char *gateway)
{
    const options_t *options = &device.options;
    for (unsigned i = 0; i <= options->peer_count; i++) {
        const char *address = i == 0 ? gateway : options->peers[i - 1];
        int on_line = i == 0 && options->serial != NULL;
        int peer;
        if (on_line) {
            address = options->serial;
        }
        if (address == NULL || address[0] == 0) {
            continue;
        }
        peer = on_line ? udp_skip_peer(&device.udp) : udp_add_peer(&device.udp, address);
        if (peer < 0 || iotedge_node_add_peer(device.node, clock_now(), (uint32_t)peer, i == 0) != IOTEDGE_OK) {
            fprintf(stderr, "iotedge-device: %s: not an address, or one too many\n", address);
            return -1;
        }
        device.first_neighbour = i == 0 ? (uint32_t)peer + 1 : device.first_neighbour;
    }
    return 0;
}

static void write_certificates(const identity_t *identity)
{
    uint8_t id[32];
    iotedge_certificate_t claims;
    memset(&claims, 0, sizeof claims);
    claims.size = (uint32_t)sizeof claims;
    if (iotedge_certificate_parse(identity->certificate, identity->certificate_len, &claims) == IOTEDGE_OK) {
        memcpy(id, claims.device, 32);
        report_file(&device, id, ".cwt", identity->certificate, identity->certificate_len);
        if (identity->issuer_len > 0) {
            report_file(&device, id, ".issuer.cwt", identity->issuer, identity->issuer_len);
        }
    }
}

static void loop(void)
{
    const options_t *options = &device.options;
    uint64_t now = clock_now();
    uint64_t next_reading = now + 200;
    uint64_t next_report = now + 1000;
    int cheated = 0;
    device.started = now;
    device_pump(&device);
    while (!ending && (options->duration == 0 || now - device.started < options->duration)) {
        uint64_t due = now + 1000;
        uint64_t late;
        (void)iotedge_node_next_deadline(device.node, now, &due);
        if (due > next_report) {
            due = next_report;
        }
        if (options->every > 0 && due > next_reading) {
            due = next_reading;
        }
        late = element_tick(&device.element, device.node, now);
        if (due > late) {
            due = late;
        }
        late = udp_flush(&device.udp, now);
        if (due > late) {
            due = late;
        }
        line_wait(&device.line, &device.udp, due > now ? due - now : 0);
        device_receive(&device);
        now = clock_now();
        if (options->every > 0 && now >= next_reading) {
            device_publish(&device);
            next_reading += options->every;
            if (next_reading < now) {
                next_reading = now; /* Late: no burst to catch up. */
            }
        }
        if (options->equivocate_at > 0 && !cheated && now - device.started >= options->equivocate_at) {
            cheated = 1;
            cheat(&device);
        }
        device_exit(&device);
        channel_owner_tick(&device);
        channel_reader_tick(&device);
        device_pump(&device);
        if (now >= next_report) {
            report_second(&device);
            next_report += 1000;
        }
        now = clock_now();
    }
}

int main(int argc, char **argv)
{
    identity_t identity;
    struct sigaction action;
    const char *gateway;

    if (options_read(&device.options, argc, argv) != 0 || identity_read(&identity, device.options.config) != 0) {
        return 2;
    }
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    if (mkdir(device.options.out, 0755) != 0 && errno != EEXIST) {
        fprintf(stderr, "iotedge-device: %s: %s\n", device.options.out, strerror(errno));
        return 1;
    }
    if (store_open(&device.store, device.options.store) != 0) {
        fprintf(stderr, "iotedge-device: %s: %s\n", device.options.store, strerror(errno));
        return 1;
    }
    if (device.options.draws != NULL && store_keep_draws(&device.store, device.options.draws) != 0) {
        fprintf(stderr, "iotedge-device: --draws %s: %s\n", device.options.draws, strerror(errno));
        return 1;
    }
    if (udp_open(&device.udp, device.options.listen) != 0) {
        fprintf(stderr, "iotedge-device: --listen %s: %s\n", device.options.listen, strerror(errno));
        return 1;
    }
    if (device.options.serial != NULL && line_open(&device.line, device.options.serial) != 0) {
        fprintf(stderr, "iotedge-device: --serial %s: %s\n", device.options.serial, strerror(errno));
        return 1;
    }
    device.udp.corrupt_every = device.options.corrupt_every;
    device.udp.lose = device.options.lose;
    device.udp.delay = device.options.delay;
    device.udp.chance = clock_now();
    if (device.options.journal != NULL) {
        device.journal = fopen(device.options.journal, "a");
        if (device.journal == NULL) {
            fprintf(stderr, "iotedge-device: --journal %s: %s\n", device.options.journal, strerror(errno));
            return 1;
        }
    }
    device.offset = clock_offset();
    device.channel.wanted = device.options.channel > 0;
    device.channel.number = (uint32_t)device.options.channel;
    device.channel.price = device.options.channel_price;
    device.reader.wanted = device.options.read > 0;
    device.reader.number = (uint32_t)device.options.read;
    device.buyer.units = (uint32_t)device.options.read_units;
    device.buyer.price = device.options.read_price;
    device.buyer.stop = (uint32_t)device.options.read_stop;
    if (start_node(&identity) != 0) {
        return 1;
    }
    gateway = device.options.gateway != NULL ? device.options.gateway : identity.gateway;
    if (add_peers(gateway) != 0) {
        return 2;
    }
    write_certificates(&identity);

    loop();

    report_summary(&device);
    channel_owner_close(&device);
    channel_reader_close(&device);
    meter_close(&device);
    udp_close(&device.udp);
    line_close(&device.line);
    if (iotedge_node_deinit(device.node) != IOTEDGE_OK) {
        return 1;
    }
    return 0;
}
