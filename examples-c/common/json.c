#include "json.h"

#include <string.h>

#define MAX_DEPTH 32

typedef struct {
    const char *at;
    const char *end;
} cursor_t;

static void space(cursor_t *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r')) {
        c->at++;
    }
}

static int take(cursor_t *c, char letter)
{
    if (c->at < c->end && *c->at == letter) {
        c->at++;
        return 1;
    }
    return 0;
}

static int digit(const cursor_t *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    if (letter >= 'A' && letter <= 'F') {
        return letter - 'A' + 10;
    }
    return -1;
}

static int string(cursor_t *c)
{
    if (!take(c, '"')) {
        return -1;
    }
    while (c->at < c->end) {
        unsigned char letter = (unsigned char)*c->at++;
        if (letter == '"') {
            return 0;
        }
        if (letter < 0x20) {
            return -1;
        }
        if (letter != '\\') {
            continue;
        }
        if (c->at == c->end) {
            return -1;
        }
        letter = (unsigned char)*c->at++;
        if (letter == 'u') {
            for (int i = 0; i < 4; i++) {
                if (c->at == c->end || hex_digit(*c->at++) < 0) {
                    return -1;
                }
            }
        } else if (letter == 0 || strchr("\"\\/bfnrt", letter) == NULL) {
            return -1;
        }
    }
    return -1;
}

static int number(cursor_t *c)
{
    (void)take(c, '-');
    if (!take(c, '0')) {
        if (!digit(c)) {
            return -1;
        }
        while (digit(c)) {
            c->at++;
        }
    }
    if (take(c, '.')) {
        if (!digit(c)) {
            return -1;
        }
        while (digit(c)) {
            c->at++;
        }
    }
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+')) {
            (void)take(c, '-');
        }
        if (!digit(c)) {
            return -1;
        }
        while (digit(c)) {
            c->at++;
        }
    }
    return 0;
}

static int word(cursor_t *c, const char *letters)
{
    size_t len = strlen(letters);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, letters, len) != 0) {
        return -1;
    }
    c->at += len;
    return 0;
}

static int value(cursor_t *c, int depth);

static int members(cursor_t *c, char close, int named, int depth)
{
    c->at++;
    space(c);
    if (take(c, close)) {
        return 0;
    }
    for (;;) {
        if (named) {
            space(c);
            if (string(c) != 0) {
                return -1;
            }
            space(c);
            if (!take(c, ':')) {
                return -1;
            }
        }
        if (value(c, depth - 1) != 0) {
            return -1;
        }
        if (take(c, close)) {
            return 0;
        }
        if (!take(c, ',')) {
            return -1;
        }
    }
}

/* One value and the space around it. */
static int value(cursor_t *c, int depth)
{
    int result = -1;
    space(c);
    if (depth == 0 || c->at == c->end) {
        return -1;
    }
    switch (*c->at) {
    case '{':
        result = members(c, '}', 1, depth);
        break;
    case '[':
        result = members(c, ']', 0, depth);
        break;
    case '"':
        result = string(c);
        break;
    case 't':
        result = word(c, "true");
        break;
    case 'f':
        result = word(c, "false");
        break;
    case 'n':
        result = word(c, "null");
        break;
    default:
        result = number(c);
        break;
    }
    space(c);
    return result;
}

/* The value that begins at the cursor, of a text that was checked. */
static json_t slice(cursor_t *c)
{
    json_t found;
    space(c);
    found.at = c->at;
    (void)value(c, MAX_DEPTH + 1);
    found.len = (size_t)(c->at - found.at);
    while (found.len > 0 && strchr(" \n\t\r", found.at[found.len - 1]) != NULL) {
        found.len--;
    }
    return found;
}

static const json_t NOTHING = {NULL, 0};

int json_check(const char *text, size_t len, json_t *found, size_t *mistake)
{
    cursor_t c = {text, text + len};
    if (value(&c, MAX_DEPTH) != 0 || c.at != c.end) {
        *mistake = (size_t)(c.at - text);
        return -1;
    }
    c.at = text;
    *found = slice(&c);
    return 0;
}

json_t json_next(json_t array, json_t previous)
{
    cursor_t c;
    if (array.at == NULL || *array.at != '[') {
        return NOTHING;
    }
    c.end = array.at + array.len;
    if (previous.at == NULL) {
        c.at = array.at + 1;
        space(&c);
        return *c.at == ']' ? NOTHING : slice(&c);
    }
    c.at = previous.at + previous.len;
    space(&c);
    return take(&c, ',') ? slice(&c) : NOTHING;
}

json_t json_get(json_t object, const char *name)
{
    cursor_t c;
    if (object.at == NULL || *object.at != '{') {
        return NOTHING;
    }
    c.at = object.at + 1;
    c.end = object.at + object.len;
    space(&c);
    while (c.at < c.end && *c.at == '"') {
        json_t key = slice(&c);
        json_t found;
        (void)take(&c, ':');
        found = slice(&c);
        if (json_is(key, name)) {
            return found;
        }
        (void)take(&c, ',');
        space(&c);
    }
    return NOTHING;
}

int json_is_text(json_t found)
{
    return found.at != NULL && *found.at == '"';
}

int json_is(json_t found, const char *text)
{
    size_t len = strlen(text);
    return json_is_text(found) && found.len == len + 2 && memcmp(found.at + 1, text, len) == 0;
}

int json_is_word(json_t found, const char *letters)
{
    return found.at != NULL && found.len == strlen(letters) && memcmp(found.at, letters, found.len) == 0;
}

int json_uint(json_t found, uint64_t *result)
{
    uint64_t sum = 0;
    if (json_is_text(found)) {
        found.at++;
        found.len -= 2;
    }
    if (found.at == NULL || found.len == 0 || found.len > 20) {
        return -1;
    }
    for (size_t i = 0; i < found.len; i++) {
        if (found.at[i] < '0' || found.at[i] > '9') {
            return -1;
        }
        uint64_t next = (uint64_t)(found.at[i] - '0');
        if (sum > (UINT64_MAX - next) / 10) {
            return -1;
        }
        sum = sum * 10 + next;
    }
    *result = sum;
    return 0;
}

long json_hex(json_t found, uint8_t *bytes, size_t capacity)
{
    size_t count;
    if (found.at == NULL || json_is_word(found, "null")) {
        return 0;
    }
    if (!json_is_text(found) || found.len % 2 != 0 || (found.len - 2) / 2 > capacity) {
        return -1;
    }
    count = (found.len - 2) / 2;
    for (size_t i = 0; i < count; i++) {
        int high = hex_digit(found.at[1 + 2 * i]);
        int low = hex_digit(found.at[2 + 2 * i]);
        if (high < 0 || low < 0) {
            return -1;
        }
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return (long)count;
}
