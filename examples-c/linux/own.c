/* What becomes of the transactions of this device: the book, the journal, and files for whoever wants to check them. */
#include "device.h"

#include <string.h>

/* Kinds of transactions (docs/protocol.md section 3). */
enum { KIND_LOCK = 2, KIND_CLAIM = 3 };

static void sent(device_t *device, const iotedge_event_t *event)
{
    uint8_t raw[IOTEDGE_MAX_FRAME];
    size_t len;
    iotedge_tx_t tx;
    entry_t *entry = book_by_ticket(&device->book, event->ticket);
    report_journal(device, "sent", event->id, device_time(device));
    if (iotedge_node_raw(device->node, event->id, raw, sizeof raw, &len) != IOTEDGE_OK) {
        len = 0;
    }
    memset(&tx, 0, sizeof tx);
    tx.size = (uint32_t)sizeof tx;
    if (len > 0 && iotedge_tx_parse(raw, len, &tx) == IOTEDGE_OK) {
        report_file(device, event->id, ".tx.cose", raw, len);
    }
    if (tx.kind == KIND_LOCK) {
        meter_buy_sent(device, event->id);
    } else if (tx.kind == KIND_CLAIM) {
        meter_sell_sent(device, event->id);
    }
    if (entry == NULL) {
        return; /* Submitted before a reset. */
    }
    memcpy(entry->id, event->id, 32);
    entry->has_id = 1;
    entry->sent = device_time(device);
    entry->bytes = len == 0 ? 0 : (uint32_t)len + 5; /* Tag and type of the frame. */
    if (entry->kind == BOOK_READING) {
        device->readings_sent++;
    } else if (entry->kind == BOOK_PAYMENT) {
        device->payments_sent++;
        device->value_paid += entry->amount;
    }
}

static void graded(device_t *device, const iotedge_event_t *event)
{
    static const char *const names[] = {"", "seen", "witnessed", "quorum", "settled", "anchored", "dead"};
    entry_t *entry = book_by_id(&device->book, event->id);
    uint64_t when = device_time(device);
    if (event->code < sizeof names / sizeof names[0]) {
        report_journal(device, names[event->code], event->id, when);
    }
    if (entry == NULL) {
        return; /* A payment to this device, or of before a reset. */
    }
    switch (event->code) {
    case IOTEDGE_GRADE_WITNESSED:
        entry->witnessed = when;
        device->witnessed++;
        break;
    case IOTEDGE_GRADE_QUORUM:
        /* A grade may be skipped: what has Quorum is witnessed too. */
        if (entry->witnessed == 0) {
            entry->witnessed = when;
            device->witnessed++;
        }
        entry->quorum = when;
        device->quorum++;
        break;
    case IOTEDGE_GRADE_SETTLED:
        entry->settled = when;
        device->settled++;
        break;
    case IOTEDGE_GRADE_ANCHORED:
        entry->anchored = when;
        device->anchored++;
        break;
    case IOTEDGE_GRADE_DEAD:
        entry->dead = 1;
        device->dead++;
        break;
    default:
        break;
    }
}

/* The node verified the receipt; so does this, as any stranger would: from the bytes, the validators and the neighbourhood. */
static void receipt(device_t *device, const iotedge_event_t *event)
{
    static uint8_t bytes[IOTEDGE_MAX_RECEIPT];
    uint8_t set[IOTEDGE_MAX_SET];
    size_t len, set_len;
    iotedge_settled_t proof;
    iotedge_node_status_t status;
    entry_t *entry = book_by_id(&device->book, event->id);
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    if (device_status(device, &status) != 0 ||
        iotedge_node_receipt(device->node, event->id, bytes, sizeof bytes, &len) != IOTEDGE_OK ||
        iotedge_node_validators(device->node, device_time(device), set, sizeof set, &set_len) != IOTEDGE_OK ||
        iotedge_receipt_verify(status.neighbourhood, set, set_len, bytes, len, &proof) != IOTEDGE_OK ||
        memcmp(proof.id, event->id, 32) != 0 || proof.header != event->header) {
        device->receipts_wrong++;
        return;
    }
    device->receipts_verified++;
    meter_sell_settled(device, event->id, event->header);
    report_file(device, event->id, ".receipt.cbor", bytes, len);
    if (entry != NULL) {
        entry->receipt = 1;
        entry->header = event->header;
    }
}

static void failed(device_t *device, const iotedge_event_t *event)
{
    entry_t *entry = book_by_ticket(&device->book, event->ticket);
    if (entry != NULL) {
        if (entry->kind == BOOK_EXIT) {
            device->exited = 0; /* Asked again: it spent something meanwhile. */
        }
        entry->failed = event->kind == IOTEDGE_EVENT_EXPIRED ? "expired" : iotedge_status_name((int32_t)event->code);
    }
}

/* What a dead transaction said comes again under a new ticket: it is followed as a new one, and was not paid the first time. */
static void reissued(device_t *device, const iotedge_event_t *event)
{
    entry_t *dead = book_by_id(&device->book, event->id);
    entry_t *again;
    if (dead == NULL) {
        return;
    }
    device->reissued++;
    if (dead->kind == BOOK_PAYMENT) {
        device->payments_sent--;
        device->value_paid -= dead->amount;
    } else if (dead->kind == BOOK_READING) {
        device->readings_sent--;
    }
    again = book_add(&device->book, event->ticket, dead->kind, dead->submitted);
    if (again != NULL) {
        again->to = dead->to;
        again->amount = dead->amount;
    }
}

void own_event(device_t *device, const iotedge_event_t *event)
{
    switch (event->kind) {
    case IOTEDGE_EVENT_SENT:
        sent(device, event);
        break;
    case IOTEDGE_EVENT_REISSUED:
        reissued(device, event);
        break;
    case IOTEDGE_EVENT_GRADED:
        graded(device, event);
        break;
    case IOTEDGE_EVENT_RECEIPT:
        receipt(device, event);
        break;
    default:
        failed(device, event);
        break;
    }
}
