/*
 * A strict JSON reader (RFC 8259) that allocates nothing: the text is checked once as a whole, values are then slices of it.
 */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

/* A value: its text inside the document, from its first to its last letter. `at` is NULL where there is none. */
typedef struct {
    const char *at;
    size_t len;
} json_t;

/* Checks the whole text; returns 0 and the value, or -1 and the place of the first mistake. Depth is at most 32. */
int json_check(const char *text, size_t len, json_t *value, size_t *mistake);

/* The element after `previous` of an array, or the first one if previous.at is NULL. at is NULL at the end. */
json_t json_next(json_t array, json_t previous);

/* The member of an object with this name; at is NULL where there is none. */
json_t json_get(json_t object, const char *name);

/* 1 where the value is this text (a string without escapes). */
int json_is(json_t value, const char *text);

/* 1 where there is a string. */
int json_is_text(json_t value);

/* 1 where the value is the word: null, true or false. */
int json_is_word(json_t value, const char *word);

/* A number without sign, fraction and exponent; also as a string of digits. Returns 0, or -1. */
int json_uint(json_t value, uint64_t *number);

/* Bytes of a string of hex; NULL and "" give none. Returns their number, or -1 where it is not hex or longer than `capacity`. */
long json_hex(json_t value, uint8_t *bytes, size_t capacity);

#endif
