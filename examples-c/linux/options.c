#include "options.h"

#include "../common/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "iotedge-device: a device of an IoTEdge neighbourhood, on Linux.\n"
    "\n"
    "It measures the machine it runs on, publishes the readings as signed transactions, buys readings from its\n"
    "neighbours, and keeps the receipts of what was settled.\n"
    "\n"
    "  --config FILE       device.json of `iotedge-gateway provision`\n"
    "  --listen ADDR:PORT  where it hears its neighbours; not needed where --serial leads to the only one\n"
    "  --gateway ADDR:PORT the gateway (default: the one in device.json)\n"
    "  --serial PORT       the gateway is at the other end of a serial line: a tty (115200 baud), or tcp:ADDR:PORT\n"
    "  --peer ADDR:PORT    a neighbour; as often as there are neighbours\n"
    "  --out DIR           receipts, transactions and certificates go here\n"
    "  --store DIR         what must survive a reset (default: DIR of --out, /store)\n"
    "  --rate N            readings per second, decimals allowed (default 1; 0 for none)\n"
    "  --trade AMOUNT      micro-tokens paid for a neighbour's reading (default 0: buys nothing)\n"
    "  --trade-every MS    milliseconds between two purchases (default 1000)\n"
    "  --channel N         seals its readings, as its channel N (1 to 65535), for who pays\n"
    "  --channel-price A   micro-tokens for a message of it (default 1)\n"
    "  --read N            reads channel N, of the first neighbour that is heard to have one\n"
    "  --read-units N      locks a deposit for N messages of it, 1 to 65536, and pays one by one (default 0: pays nothing)\n"
    "  --read-price A      micro-tokens for each (default 1)\n"
    "  --exit AMOUNT       takes so many micro-tokens out of the neighbourhood, once it has them\n"
    "  --exit-to ADDRESS   the Ethereum account that may withdraw them: 0x and 40 digits\n"
    "  --duration S        ends by itself after so many seconds (default 0: on SIGTERM)\n"
    "\n"
    "Faults for demonstrations, none of them in the library:\n"
    "  --corrupt-every N   flips a bit in every N-th frame that it sends\n"
    "  --equivocate-at S   after S seconds signs two transactions with one number\n"
    "  --lose N            loses N of a thousand frames that it sends\n"
    "  --delay MS          holds each frame that it sends back for up to MS milliseconds\n"
    "  --element SCRIPT    what the stand-in for a secure element (ES256 keys) does with each request: h signs, l late,\n"
    "                      w turns a bit of the signature, f fails, n never answers; honest after the last letter\n"
    "  --read-stop N       pays for N messages only, however many it locked for\n"
    "  --draws FILE        writes down the random bytes that it draws: its secrets are none any more\n"
    "  --journal FILE      appends a line whenever an own transaction is sent, graded or dead\n"
    "\n"
    "Prints one JSON object a second on standard output, and a summary as the last line.\n";

static int complain(const char *option, const char *what)
{
    fprintf(stderr, "iotedge-device: %s: %s (see --help)\n", option, what);
    return -1;
}

static int number(const char *option, const char *text, uint64_t *to)
{
    char *end;
    errno = 0;
    *to = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != 0 || *text == '-') {
        return complain(option, "a whole number is expected");
    }
    return 0;
}

/* Of an Ethereum account. */
static int address(const char *text, uint8_t *to)
{
    if (strncmp(text, "0x", 2) != 0 || strlen(text) != 42 || strspn(text + 2, "0123456789abcdefABCDEF") != 40) {
        return -1;
    }
    for (int i = 0; i < 20; i++) {
        const char digits[3] = {text[2 + 2 * i], text[3 + 2 * i], 0};
        to[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return 0;
}

int options_read(options_t *options, int argc, char **argv)
{
    uint64_t n;
    int has_exit_to = 0;
    memset(options, 0, sizeof *options);
    options->every = 1000;
    options->trade_every = 1000;
    options->channel_price = 1;
    options->read_price = 1;
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(name, "--help") == 0) {
            fputs(HELP, stdout);
            exit(0);
        }
        if (value == NULL) {
            return complain(name, "unknown, or its value is missing");
        }
        i++;
        if (strcmp(name, "--config") == 0) {
            options->config = value;
        } else if (strcmp(name, "--listen") == 0) {
            options->listen = value;
        } else if (strcmp(name, "--gateway") == 0) {
            options->gateway = value;
        } else if (strcmp(name, "--serial") == 0) {
            options->serial = value;
        } else if (strcmp(name, "--peer") == 0) {
            if (options->peer_count == UDP_MAX_PEERS - 1) {
                return complain(name, "too many neighbours");
            }
            options->peers[options->peer_count++] = value;
        } else if (strcmp(name, "--out") == 0) {
            options->out = value;
        } else if (strcmp(name, "--store") == 0) {
            (void)snprintf(options->store, sizeof options->store, "%s", value);
        } else if (strcmp(name, "--rate") == 0) {
            char *end;
            double rate = strtod(value, &end);
            if (end == value || *end != 0 || rate < 0 || rate > 1000) {
                return complain(name, "0 to 1000 is expected");
            }
            options->every = rate > 0 ? (uint64_t)(1000 / rate) : 0;
        } else if (strcmp(name, "--trade") == 0) {
            if (number(name, value, &options->trade) != 0) {
                return -1;
            }
        } else if (strcmp(name, "--trade-every") == 0) {
            if (number(name, value, &options->trade_every) != 0) {
                return -1;
            }
        } else if (strcmp(name, "--channel") == 0 || strcmp(name, "--read") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            if (n < 1 || n > 65535) {
                return complain(name, "1 to 65535 is expected");
            }
            *(name[2] == 'c' ? &options->channel : &options->read) = n;
        } else if (strcmp(name, "--channel-price") == 0) {
            if (number(name, value, &options->channel_price) != 0) {
                return -1;
            }
        } else if (strcmp(name, "--read-price") == 0) {
            if (number(name, value, &options->read_price) != 0) {
                return -1;
            }
            if (options->read_price < 1 || options->read_price > UINT32_MAX) {
                return complain(name, "1 to 4294967295 is expected");
            }
        } else if (strcmp(name, "--read-units") == 0 || strcmp(name, "--read-stop") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            if (n > IOTEDGE_MAX_UNITS) {
                return complain(name, "0 to 65536 is expected");
            }
            *(name[7] == 'u' ? &options->read_units : &options->read_stop) = n;
        } else if (strcmp(name, "--exit") == 0) {
            if (number(name, value, &options->exit) != 0) {
                return -1;
            }
        } else if (strcmp(name, "--exit-to") == 0) {
            if (address(value, options->exit_to) != 0) {
                return complain(name, "0x and 40 hexadecimal digits are expected");
            }
            has_exit_to = 1;
        } else if (strcmp(name, "--duration") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            options->duration = n * 1000;
        } else if (strcmp(name, "--corrupt-every") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            options->corrupt_every = (uint32_t)n;
        } else if (strcmp(name, "--lose") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            if (n > 1000) {
                return complain(name, "0 to 1000 is expected");
            }
            options->lose = (uint32_t)n;
        } else if (strcmp(name, "--delay") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            if (n > 60000) {
                return complain(name, "0 to 60000 is expected");
            }
            options->delay = (uint32_t)n;
        } else if (strcmp(name, "--element") == 0) {
            if (strspn(value, "hlwfn") != strlen(value)) {
                return complain(name, "the letters are h, l, w, f and n");
            }
            options->element = value;
        } else if (strcmp(name, "--draws") == 0) {
            options->draws = value;
        } else if (strcmp(name, "--journal") == 0) {
            options->journal = value;
        } else if (strcmp(name, "--equivocate-at") == 0) {
            if (number(name, value, &n) != 0) {
                return -1;
            }
            options->equivocate_at = n * 1000;
        } else {
            return complain(name, "unknown");
        }
    }
    if (options->config == NULL || options->out == NULL) {
        return complain("--config, --out", "both are needed");
    }
    if ((options->exit > 0) != has_exit_to) {
        return complain("--exit, --exit-to", "both or neither");
    }
    if (options->listen == NULL && (options->serial == NULL || options->peer_count > 0)) {
        return complain("--listen", "needed for every neighbour but one at the end of --serial");
    }
    if (options->store[0] == 0 &&
        snprintf(options->store, sizeof options->store, "%s/store", options->out) >= (int)sizeof options->store) {
        return complain("--out", "too long");
    }
    return 0;
}

static int complain_field(const char *path, const char *field, const char *what)
{
    fprintf(stderr, "iotedge-device: %s: %s: %s\n", path, field, what);
    return -1;
}

int identity_read(identity_t *identity, const char *path)
{
    static char text[16384];
    uint8_t cose_key[96];
    json_t file, chain, first, second, gateway;
    size_t len, mistake;
    long bytes;
    FILE *handle = fopen(path, "rb");
    memset(identity, 0, sizeof *identity);
    if (handle == NULL) {
        return complain_field(path, "file", strerror(errno));
    }
    len = fread(text, 1, sizeof text, handle);
    fclose(handle);
    if (len == sizeof text || json_check(text, len, &file, &mistake) != 0) {
        return complain_field(path, "file", "not the JSON of `iotedge-gateway provision`");
    }
    if (json_hex(json_get(file, "seed"), identity->seed, 32) != 32) {
        return complain_field(path, "seed", "64 hex digits are expected");
    }
    identity->key.size = (uint32_t)sizeof identity->key;
    bytes = json_hex(json_get(file, "cose_key"), cose_key, sizeof cose_key);
    if (bytes <= 0 || iotedge_public_key_from_cose(cose_key, (size_t)bytes, &identity->key) != IOTEDGE_OK) {
        return complain_field(path, "cose_key", "a COSE_Key in hex is expected");
    }
    identity->authority.size = (uint32_t)sizeof identity->authority;
    identity->authority.suite = IOTEDGE_SUITE_ED25519;
    if (json_hex(json_get(file, "authority_public_key"), identity->authority.bytes, 32) != 32) {
        return complain_field(path, "authority_public_key", "64 hex digits are expected: provision with --authority");
    }
    chain = json_get(file, "chain");
    first = json_next(chain, (json_t){NULL, 0});
    second = json_next(chain, first);
    if (first.at == NULL) {
        return complain_field(path, "chain", "one or two certificates are expected");
    }
    if (second.at != NULL) {
        bytes = json_hex(first, identity->issuer, sizeof identity->issuer);
        if (bytes <= 0) {
            return complain_field(path, "chain", "the first certificate is not hex, or too long");
        }
        identity->issuer_len = (size_t)bytes;
        first = second;
    }
    bytes = json_hex(first, identity->certificate, sizeof identity->certificate);
    if (bytes <= 0) {
        return complain_field(path, "chain", "the device's certificate is not hex, or too long");
    }
    identity->certificate_len = (size_t)bytes;
    gateway = json_get(file, "gateway");
    if (json_is_text(gateway) && gateway.len - 2 < sizeof identity->gateway) {
        memcpy(identity->gateway, gateway.at + 1, gateway.len - 2);
    }
    memset(text, 0, sizeof text);
    return 0;
}
