#include "deal.h"

#include <string.h>

enum { STORE_SECRET = 0x300, STORE_SALE = 0x301, WITHIN = 120000 };

void deal_put(uint8_t *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        out[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

uint64_t deal_get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0) {
        value = value << 8 | *in++;
    }
    return value;
}

static iotedge_payer_config_t sale_of(const buyer_t *buyer)
{
    iotedge_payer_config_t config;
    memset(&config, 0, sizeof config);
    config.size = (uint32_t)sizeof config;
    config.sale = buyer->sale;
    config.units = buyer->units;
    config.store_key = STORE_SALE;
    config.secret_key = STORE_SECRET;
    memcpy(config.neighbourhood, hood_id(), 32);
    (void)hood_ok(iotedge_node_member_device(hood_node(buyer->at), buyer->at, config.device), "the buyer's id");
    return config;
}

static int buyer_begin(buyer_t *buyer, const deal_t *deal, uint32_t sale)
{
    iotedge_terms_t terms;
    int32_t status;
    memset(buyer, 0, sizeof *buyer);
    buyer->at = deal->buyer;
    buyer->seller = deal->seller;
    buyer->sale = sale;
    buyer->units = deal->units;
    buyer->price = deal->price;
    buyer->terms = deal->terms;
    memset(&terms, 0, sizeof terms);
    terms.size = (uint32_t)sizeof terms;
    terms.kind = deal->terms;
    if (deal->terms == IOTEDGE_TERMS_TICKS) {
        iotedge_payer_config_t config = sale_of(buyer);
        terms.sale = sale;
        terms.units = deal->units;
        status = iotedge_payer_anchor(&config, hood_platform(buyer->at), terms.anchor);
        if (status == IOTEDGE_OK) {
            status = iotedge_payer_init(buyer->memory, sizeof buyer->memory, &config, hood_platform(buyer->at), &buyer->payer);
        }
    } else {
        buyer->key.size = (uint32_t)sizeof buyer->key;
        status = iotedge_public_key_from_seed(hood_seed(buyer->at), &buyer->key);
        terms.key = buyer->key;
    }
    if (status == IOTEDGE_OK) {
        status = iotedge_node_submit_lock(hood_node(buyer->at), hood_now(), 0, buyer->seller, buyer->units * buyer->price, DEAL_TERM, &terms,
                                          &buyer->ticket);
    }
    return hood_ok(status, "the lock");
}

void buyer_told(buyer_t *buyer, const iotedge_event_t *event)
{
    uint8_t body[IOTEDGE_MAX_BODY];
    size_t len = 0;
    if (event->kind == IOTEDGE_EVENT_SENT && event->ticket == buyer->ticket) {
        memcpy(buyer->lock, event->id, sizeof buyer->lock);
        buyer->sent = 1;
    } else if (event->kind == IOTEDGE_EVENT_CLAIMED && memcmp(event->other, buyer->lock, 32) == 0 &&
               hood_ok(iotedge_node_body(hood_node(buyer->at), event->id, body, sizeof body, &len), "the claim's body")) {
        memset(&buyer->claim, 0, sizeof buyer->claim);
        buyer->claim.size = (uint32_t)sizeof buyer->claim;
        (void)hood_ok(iotedge_lock_claim_read(body, len, &buyer->claim), "the claim");
    }
}

static int give_tick(buyer_t *buyer)
{
    uint32_t index = 0;
    if (!hood_ok(iotedge_payer_pay(buyer->payer, &index, buyer->last + 8), "a tick")) {
        return 0;
    }
    deal_put(buyer->last, buyer->sale, 4);
    deal_put(buyer->last + 4, index, 4);
    return index == buyer->paid + 1;
}

static int give_voucher(buyer_t *buyer)
{
    uint8_t message[IOTEDGE_VOUCHER_INPUT_SIZE];
    uint64_t total = (buyer->paid + 1) * buyer->price;
    size_t len = 0;
    deal_put(buyer->last, total, 8);
    return hood_ok(iotedge_voucher_input(&buyer->key, hood_id(), buyer->lock, total, message, sizeof message, &len), "a voucher") &&
           hood_ok(iotedge_sign(hood_seed(buyer->at), message, len, buyer->last + 8), "its signature");
}

int buyer_pay(buyer_t *buyer)
{
    if (buyer->paid == buyer->units || !(buyer->terms == IOTEDGE_TERMS_TICKS ? give_tick(buyer) : give_voucher(buyer))) {
        return 0;
    }
    buyer->paid++;
    buyer_say(buyer);
    return 1;
}

void buyer_say(const buyer_t *buyer)
{
    if (buyer->paid > 0) {
        hood_say(buyer->at, buyer->seller, IOTEDGE_SAID_TICK, buyer->last, buyer->terms == IOTEDGE_TERMS_TICKS ? DEAL_TICK : DEAL_VOUCHER);
    }
}

static iotedge_node_status_t status_of(unsigned at)
{
    iotedge_node_status_t status;
    memset(&status, 0, sizeof status);
    status.size = (uint32_t)sizeof status;
    (void)hood_ok(iotedge_node_status(hood_node(at), hood_now(), &status), "the status of a node");
    return status;
}

/* Whether the price, the time to claim in and the kind are what this device asks for. */
static int agrees(const seller_t *seller, const iotedge_lock_t *offer)
{
    if (offer->term <= DEAL_PERIODS * status_of(seller->at).period || offer->to != seller->at) {
        return 0;
    }
    return offer->terms.kind == IOTEDGE_TERMS_VOUCHERS ||
           (offer->terms.kind == IOTEDGE_TERMS_TICKS && offer->amount / offer->terms.units >= seller->price);
}

static void offered(seller_t *seller, const iotedge_event_t *event)
{
    uint8_t body[IOTEDGE_MAX_BODY], payer[IOTEDGE_ID_SIZE];
    iotedge_lock_t offer;
    size_t len = 0;
    memset(&offer, 0, sizeof offer);
    offer.size = (uint32_t)sizeof offer;
    if (event->code != 0 || event->member != seller->buyer || seller->offer.size != 0 ||
        !hood_ok(iotedge_node_body(hood_node(seller->at), event->id, body, sizeof body, &len), "the lock's body") ||
        !hood_ok(iotedge_lock_read(body, len, &offer), "the lock") || !agrees(seller, &offer)) {
        return; /* Above its caps, or not what it sells for. */
    }
    if (offer.terms.kind == IOTEDGE_TERMS_TICKS) {
        seller->payee.size = (uint32_t)sizeof seller->payee;
        if (!hood_ok(iotedge_node_member_device(hood_node(seller->at), event->member, payer), "the payer's id") ||
            !hood_ok(iotedge_payee_begin(hood_id(), payer, &offer.terms, &seller->payee), "the payee")) {
            return;
        }
    }
    seller->offer = offer;
    seller->until = event->time + offer.term - DEAL_PERIODS * status_of(seller->at).period;
    memcpy(seller->lock, event->id, sizeof seller->lock);
}

void seller_told(seller_t *seller, const iotedge_event_t *event)
{
    if (event->kind == IOTEDGE_EVENT_LOCKED) {
        offered(seller, event);
    } else if (event->kind == IOTEDGE_EVENT_GRADED && seller->offer.size != 0 && memcmp(event->id, seller->lock, 32) == 0) {
        seller->open = event->code >= IOTEDGE_GRADE_QUORUM && event->code != IOTEDGE_GRADE_DEAD;
    }
}

/* Late or doubled, forged, or beyond the lock: nothing changes. */
static int take_tick(seller_t *seller, const uint8_t *bytes)
{
    uint32_t units = 0;
    return deal_get(bytes, 4) == seller->offer.terms.sale &&
           iotedge_payee_take((uint32_t)deal_get(bytes + 4, 4), bytes + 8, &seller->payee, &units) == IOTEDGE_OK;
}

static int take_voucher(seller_t *seller, const uint8_t *bytes)
{
    uint64_t total = deal_get(bytes, 8);
    if (total <= seller->total || total > seller->offer.amount ||
        iotedge_voucher_verify(&seller->offer.terms.key, hood_id(), seller->lock, total, bytes + 8) != IOTEDGE_OK) {
        return 0;
    }
    seller->total = total;
    memcpy(seller->signature, bytes + 8, sizeof seller->signature);
    return 1;
}

int seller_heard(seller_t *seller, const uint8_t *bytes, size_t len)
{
    if (!seller->open || status_of(seller->at).time > seller->until) {
        return 0;
    }
    return seller->offer.terms.kind == IOTEDGE_TERMS_VOUCHERS ? len == DEAL_VOUCHER && take_voucher(seller, bytes)
                                                              : len == DEAL_TICK && take_tick(seller, bytes);
}

uint32_t seller_paid(const seller_t *seller)
{
    if (seller->offer.terms.kind == IOTEDGE_TERMS_VOUCHERS) {
        return (uint32_t)(seller->total / seller->price);
    }
    return seller->payee.index;
}

static void seller_claim(const seller_t *seller)
{
    iotedge_proof_t proof;
    uint32_t ticket;
    memset(&proof, 0, sizeof proof);
    proof.size = (uint32_t)sizeof proof;
    if (seller_paid(seller) == 0) {
        proof.kind = IOTEDGE_PROOF_NOTHING; /* Only ends the lock. */
    } else if (seller->offer.terms.kind == IOTEDGE_TERMS_VOUCHERS) {
        proof.kind = IOTEDGE_PROOF_VOUCHER;
        proof.total = seller->total;
        memcpy(proof.signature, seller->signature, sizeof proof.signature);
    } else {
        proof.kind = IOTEDGE_PROOF_TICK;
        proof.index = seller->payee.index;
        memcpy(proof.value, seller->payee.value, sizeof proof.value);
    }
    (void)hood_ok(iotedge_node_submit_claim(hood_node(seller->at), hood_now(), 0, seller->lock, 1, &proof, &ticket), "the claim");
}

int deal_begin(const deal_t *deal, uint32_t run, uint32_t lose, int in_a_row, const app_t *app, buyer_t *buyer, seller_t *seller)
{
    memset(seller, 0, sizeof *seller);
    seller->at = deal->seller;
    seller->buyer = deal->buyer;
    seller->price = deal->price;
    if (!hood_begin(run, lose, in_a_row, app) || !buyer_begin(buyer, deal, run)) {
        return 0;
    }
    for (uint64_t until = hood_now() + WITHIN; !(buyer->sent && seller->open) && hood_now() < until;) {
        hood_step();
    }
    hood_check(buyer->sent && seller->open, "the lock reaches Quorum");
    return buyer->sent && seller->open;
}

int deal_close(const buyer_t *buyer, const seller_t *seller)
{
    seller_claim(seller);
    for (uint64_t until = hood_now() + WITHIN; buyer->claim.size == 0 && hood_now() < until;) {
        hood_step();
    }
    hood_check(buyer->claim.size != 0, "the buyer hears of the claim");
    return buyer->claim.size != 0;
}

void deal_end(buyer_t *buyer)
{
    if (buyer->payer != NULL) {
        (void)hood_ok(iotedge_payer_deinit(buyer->payer), "the end of a payer");
    }
    hood_end();
}

uint32_t deal_shown(const buyer_t *buyer)
{
    const iotedge_proof_t *proof = &buyer->claim.proof;
    return proof->kind == IOTEDGE_PROOF_TICK ? proof->index : (uint32_t)(proof->total / buyer->price);
}
