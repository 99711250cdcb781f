#include "book.h"

#include <inttypes.h>
#include <string.h>

entry_t *book_add(book_t *book, uint32_t ticket, enum book_kind kind, uint64_t when)
{
    entry_t *entry;
    if (book->count == BOOK_SIZE) {
        book->missed++;
        return NULL;
    }
    entry = &book->entries[book->count++];
    memset(entry, 0, sizeof *entry);
    entry->ticket = ticket;
    entry->kind = kind;
    entry->submitted = when;
    return entry;
}

/* The newest ones are asked for most: search from the end. */
entry_t *book_by_ticket(book_t *book, uint32_t ticket)
{
    for (uint32_t i = book->count; i > 0; i--) {
        if (book->entries[i - 1].ticket == ticket) {
            return &book->entries[i - 1];
        }
    }
    return NULL;
}

entry_t *book_by_id(book_t *book, const uint8_t *id)
{
    for (uint32_t i = book->count; i > 0; i--) {
        entry_t *entry = &book->entries[i - 1];
        if (entry->has_id && memcmp(entry->id, id, 32) == 0) {
            return entry;
        }
    }
    return NULL;
}

void hex_print(const uint8_t *bytes, size_t len, FILE *to)
{
    for (size_t i = 0; i < len; i++) {
        fprintf(to, "%02x", bytes[i]);
    }
}

static void time_print(const char *name, uint64_t when, FILE *to)
{
    if (when == 0) {
        fprintf(to, ",\"%s\":null", name);
    } else {
        fprintf(to, ",\"%s\":%" PRIu64, name, when);
    }
}

void book_print(const book_t *book, FILE *to)
{
    static const char *const names[] = {"reading", "payment", "lock", "claim", "exit"};
    fputc('[', to);
    for (uint32_t i = 0; i < book->count; i++) {
        const entry_t *entry = &book->entries[i];
        fprintf(to, "%s{\"kind\":\"%s\",\"id\":", i == 0 ? "" : ",", names[entry->kind]);
        if (entry->has_id) {
            fputc('"', to);
            hex_print(entry->id, 32, to);
            fputc('"', to);
        } else {
            fputs("null", to);
        }
        if (entry->kind != BOOK_READING) {
            fprintf(to, ",\"to\":%" PRIu32 ",\"amount\":%" PRIu64, entry->to, entry->amount);
        }
        fprintf(to, ",\"bytes\":%" PRIu32, entry->bytes);
        time_print("submitted", entry->submitted, to);
        time_print("sent", entry->sent, to);
        time_print("witnessed", entry->witnessed, to);
        time_print("quorum", entry->quorum, to);
        time_print("settled", entry->settled, to);
        time_print("anchored", entry->anchored, to);
        fprintf(to, ",\"header\":%" PRIu32 ",\"receipt\":%s,\"dead\":%s", entry->header, entry->receipt ? "true" : "false",
                entry->dead ? "true" : "false");
        if (entry->failed != NULL) {
            fprintf(to, ",\"failed\":\"%s\"", entry->failed);
        }
        fputc('}', to);
    }
    fputc(']', to);
}
