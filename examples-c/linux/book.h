/* What became of each transaction of this device: the times of its grades, for the report. */
#ifndef BOOK_H
#define BOOK_H

#include <stdint.h>
#include <stdio.h>

#define BOOK_SIZE 4096

enum book_kind { BOOK_READING, BOOK_PAYMENT, BOOK_LOCK, BOOK_CLAIM, BOOK_EXIT };

typedef struct {
    uint32_t ticket;
    enum book_kind kind;
    uint8_t id[32];
    uint32_t has_id;
    uint32_t to;
    uint64_t amount;
    uint32_t bytes; /* Of the whole frame. */
    uint32_t header;
    uint32_t receipt; /* 1: verified. */
    uint32_t dead;
    /* Absolute milliseconds; 0 for not yet. */
    uint64_t submitted, sent, witnessed, quorum, settled, anchored;
    /* Name of the status, where it was rejected or expired. */
    const char *failed;
} entry_t;

typedef struct {
    entry_t entries[BOOK_SIZE];
    uint32_t count;
    /* Transactions that found no place here; they are in the ledger all the same. */
    uint32_t missed;
} book_t;

entry_t *book_add(book_t *book, uint32_t ticket, enum book_kind kind, uint64_t when);
entry_t *book_by_ticket(book_t *book, uint32_t ticket);
entry_t *book_by_id(book_t *book, const uint8_t *id);

/* All entries as a JSON array. */
void book_print(const book_t *book, FILE *to);

/* A letter for each byte, twice. */
void hex_print(const uint8_t *bytes, size_t len, FILE *to);

#endif
