/* A payer over a store that holds the vector's secret, a payee that takes what it gives, and what the signers of vouchers and statements sign. */
#include "sale.h"

#include <inttypes.h>
#include <iotedge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET = 0x200, SALE = 0x201 };

static uint8_t secret[32];
static uint8_t stored[64];
static size_t stored_len;
static uint64_t memory[IOTEDGE_PAYER_SIZE / 8];

static int32_t draw(void *user, uint8_t *out, size_t len)
{
    (void)user;
    (void)out;
    (void)len;
    return IOTEDGE_E_PLATFORM;
}

static int32_t get(void *user, uint32_t key, uint8_t *out, size_t capacity, size_t *len)
{
    const uint8_t *from = key == SECRET ? secret : stored;
    size_t from_len = key == SECRET ? sizeof secret : stored_len;
    (void)user;
    if (from_len == 0) {
        return IOTEDGE_E_NONE;
    }
    if (from_len > capacity) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(out, from, from_len);
    *len = from_len;
    return IOTEDGE_OK;
}

static int32_t put(void *user, uint32_t key, const uint8_t *value, size_t len)
{
    (void)user;
    if (key != SALE || len > sizeof stored) {
        return IOTEDGE_E_PLATFORM;
    }
    memcpy(stored, value, len);
    stored_len = len;
    return IOTEDGE_OK;
}

static int32_t take_away(void *user, uint32_t key)
{
    (void)user;
    (void)key;
    stored_len = 0;
    return IOTEDGE_OK;
}

static int failed(json_t vector, const char *why)
{
    json_t name = json_get(vector, "name");
    fprintf(stderr, "  %.*s: %s\n", (int)name.len, name.at, why);
    return -1;
}

/* The vector's value of a tick, "index:hex,..."; 1 where it is this one, -1 where it is another, 0 where it says nothing of it. */
static int shown(json_t ticks, uint32_t index, const uint8_t value[IOTEDGE_TICK_SIZE])
{
    char want[16 + 2 * IOTEDGE_TICK_SIZE];
    int head = snprintf(want, sizeof want, "%" PRIu32 ":", index);
    const char *at = ticks.at + 1, *end = ticks.at + ticks.len - 1;
    for (size_t i = 0; i < IOTEDGE_TICK_SIZE; i++) {
        snprintf(want + head + 2 * i, 3, "%02x", value[i]);
    }
    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t len = (size_t)((comma == NULL ? end : comma) - at);
        if (len > (size_t)head && memcmp(at, want, (size_t)head) == 0) {
            return len == strlen(want) && memcmp(at, want, len) == 0 ? 1 : -1;
        }
        at += len + 1;
    }
    return 0;
}

int sale_vector(json_t vector)
{
    iotedge_platform_t platform;
    iotedge_payer_config_t config;
    iotedge_terms_t terms;
    iotedge_payee_t payee;
    iotedge_payer_t *payer = NULL;
    uint8_t anchor[32], given[32], value[IOTEDGE_TICK_SIZE];
    uint64_t units = 0, number = 0;
    unsigned found = 0;
    stored_len = 0;
    memset(&platform, 0, sizeof platform);
    platform.size = (uint32_t)sizeof platform;
    platform.random = draw;
    platform.store_get = get;
    platform.store_put = put;
    platform.store_remove = take_away;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.store_key = SALE;
    config.secret_key = SECRET;
    config.ahead = 64;
    if (json_hex(json_get(vector, "secret"), secret, 32) != 32 || json_hex(json_get(vector, "neighbourhood"), config.neighbourhood, 32) != 32 ||
        json_hex(json_get(vector, "payer"), config.device, 32) != 32 || json_hex(json_get(vector, "anchor"), anchor, 32) != 32 ||
        json_uint(json_get(vector, "units"), &units) != 0 || json_uint(json_get(vector, "lock"), &number) != 0) {
        return failed(vector, "is not a chain");
    }
    config.units = (uint32_t)units;
    config.sale = (uint32_t)number;
    if (iotedge_payer_anchor(&config, &platform, given) != IOTEDGE_OK || memcmp(given, anchor, 32) != 0) {
        return failed(vector, "another anchor");
    }
    memset(&terms, 0, sizeof terms);
    terms.size = (uint32_t)sizeof terms;
    terms.kind = IOTEDGE_TERMS_TICKS;
    terms.sale = config.sale;
    terms.units = config.units;
    memcpy(terms.anchor, anchor, 32);
    memset(&payee, 0, sizeof payee);
    payee.size = (uint32_t)sizeof payee;
    if (iotedge_payee_begin(config.neighbourhood, config.device, &terms, &payee) != IOTEDGE_OK ||
        iotedge_payer_init(memory, sizeof memory, &config, &platform, &payer) != IOTEDGE_OK) {
        return failed(vector, "cannot begin");
    }
    for (uint32_t unit = 1; unit <= config.units; unit++) {
        uint32_t index = 0, paid = 0;
        int as_said;
        if (iotedge_payer_pay(payer, &index, value) != IOTEDGE_OK || index != unit) {
            return failed(vector, "does not pay");
        }
        as_said = shown(json_get(vector, "ticks"), index, value);
        if (as_said < 0 || iotedge_payee_take(index, value, &payee, &paid) != IOTEDGE_OK || paid != 1) {
            return failed(vector, "another tick");
        }
        found += (unsigned)as_said;
    }
    iotedge_payer_deinit(payer);
    return found > 0 ? 0 : failed(vector, "names no tick");
}

/* A number with a sign, as text. */
static int64_t number_of(json_t value)
{
    char text[32];
    if (!json_is_text(value) || value.len - 2 >= sizeof text) {
        return 0;
    }
    memcpy(text, value.at + 1, value.len - 2);
    text[value.len - 2] = 0;
    return strtoll(text, NULL, 10);
}

int sale_signed(json_t vector, int is_voucher)
{
    iotedge_public_key_t key;
    uint8_t neighbourhood[32], lock[32], feed[IOTEDGE_FEED_SIZE], wanted[IOTEDGE_VOUCHER_INPUT_SIZE], input[IOTEDGE_VOUCHER_INPUT_SIZE], signature[64];
    uint64_t number = 0;
    size_t len = 0;
    long wanted_len = json_hex(json_get(vector, "input"), wanted, sizeof wanted), feed_len = 0;
    int32_t status, verified;
    memset(&key, 0, sizeof key);
    key.size = (uint32_t)sizeof key;
    key.suite = IOTEDGE_SUITE_ED25519;
    if (wanted_len <= 0 || json_hex(json_get(vector, "key"), key.bytes, 32) != 32 || json_hex(json_get(vector, "neighbourhood"), neighbourhood, 32) != 32 ||
        json_hex(json_get(vector, "signature"), signature, 64) != 64 || json_uint(json_get(vector, is_voucher ? "total" : "time"), &number) != 0) {
        return failed(vector, "is nothing that is signed");
    }
    if (is_voucher) {
        if (json_hex(json_get(vector, "lock"), lock, 32) != 32) {
            return failed(vector, "names no lock");
        }
        status = iotedge_voucher_input(&key, neighbourhood, lock, number, input, sizeof input, &len);
        verified = iotedge_voucher_verify(&key, neighbourhood, lock, number, signature);
    } else {
        int64_t value = number_of(json_get(vector, "value"));
        feed_len = json_hex(json_get(vector, "feed"), feed, sizeof feed);
        if (feed_len <= 0) {
            return failed(vector, "names no feed");
        }
        status = iotedge_statement_input(&key, neighbourhood, feed, (size_t)feed_len, value, number, input, sizeof input, &len);
        verified = iotedge_statement_verify(&key, neighbourhood, feed, (size_t)feed_len, value, number, signature);
    }
    if (status != IOTEDGE_OK || len != (size_t)wanted_len || memcmp(input, wanted, len) != 0) {
        return failed(vector, "something else is signed");
    }
    return verified == IOTEDGE_OK ? 0 : failed(vector, "the signature does not hold");
}
