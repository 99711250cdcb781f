//! Evidence and attachments.

use super::encoder::V::{self, A, B, Null, U};
use super::encoder::{Book, enc, hexed};
use super::transactions::{NBH, Tx, id, key, prefixes, transfer};
use serde_json::json;

/// The two halves in the order of their ids.
fn proof(a: &Tx, b: &Tx) -> V {
    let (low, high) = if a.id() < b.id() { (a, b) } else { (b, a) };
    A(vec![low.half(), high.half()])
}

pub fn evidence() -> Book {
    let mut book = Book::default();
    let data = |text: &str| Tx::new(0, B(text.as_bytes().to_vec()));
    let pay = |amount, debits| Tx::new(1, transfer(2, amount, debits));
    let after = |tx: Tx, number: u64, first: &[u8]| {
        let mut tx = tx.with(3, U(number));
        tx.parents[0] = first.to_vec();
        tx.fields[5] = prefixes(&tx.parents);
        tx
    };
    let one = data("one");
    let mut good = |name: &str, a: &Tx, b: &Tx, form: &str| {
        let (low, high) = (a.id().min(b.id()), a.id().max(b.id()));
        book.row(&[
            ("name", json!(name)),
            ("neighbourhood", hexed(NBH)),
            ("key", key(1)),
            ("attachment", hexed(enc(&A(vec![A(vec![]), proof(a, b)])))),
            ("expect", json!("ok")),
            ("form", json!(form)),
            ("offender", json!(4)),
            ("a", hexed(low)),
            ("b", hexed(high)),
        ]);
    };
    good("one number, two ids", &one, &data("two"), "OneNumber");
    good(
        "one number in two epochs",
        &one,
        &one.clone().with(1, U(4)),
        "OneNumber",
    );
    good(
        "neighbours not linked",
        &one,
        &after(data("two"), 71, &id(8)),
        "BrokenChain",
    );
    let paid = pay(50, 150);
    good(
        "a total that hides a debit",
        &paid,
        &after(pay(10, 159), 90, &id(8)),
        "FalseTotal",
    );
    good(
        "a false total in a linked neighbour",
        &paid,
        &after(pay(10, 159), 71, &paid.id()),
        "FalseTotal",
    );
    let exit = Tx::new(8, A(vec![U(1), U(150), B(vec![0xee; 20])]));
    good(
        "an exit that hides a transfer",
        &paid,
        &after(exit, 90, &id(8)),
        "FalseTotal",
    );
    let trim = |cut, number| {
        let body = A(vec![U(cut), B(id(9)), U(3), B(id(10))]);
        after(Tx::new(7, body), number, &id(8))
    };
    good(
        "two trims on one",
        &trim(1_700_000_010_000, 90),
        &trim(1_700_000_020_000, 95),
        "RivalTrims",
    );

    let mut bad = |name: &str, attachment: V, expect: &str| {
        book.row(&[
            ("name", json!(name)),
            ("neighbourhood", hexed(NBH)),
            ("key", key(1)),
            ("attachment", hexed(enc(&attachment))),
            ("expect", json!(expect)),
        ]);
    };
    let alone = |proof: V| A(vec![A(vec![]), proof]);
    let pair = |a: &Tx, b: &Tx| alone(proof(a, b));
    bad("one transaction twice", pair(&one, &one), "SameTransaction");
    bad(
        "linked neighbours",
        pair(&one, &after(data("two"), 71, &one.id())),
        "ChainHolds",
    );
    bad(
        "totals that hold",
        pair(&paid, &after(pay(10, 160), 90, &id(8))),
        "TotalsHold",
    );
    bad(
        "data far apart",
        pair(&one, &after(data("two"), 90, &id(8))),
        "Unrelated",
    );
    bad(
        "a debit and data far apart",
        pair(&paid, &after(data("two"), 90, &id(8))),
        "Unrelated",
    );
    bad(
        "two issuers",
        pair(&one, &data("two").with(2, U(5))),
        "DifferentIssuers",
    );
    let two = data("two");
    let (low, high) = if one.id() < two.id() {
        (&one, &two)
    } else {
        (&two, &one)
    };
    bad(
        "ids out of order",
        alone(A(vec![high.half(), low.half()])),
        "Order",
    );
    let mut framed = data("two");
    framed.seed = 2;
    bad(
        "one half by another key",
        pair(&one, &framed),
        "SignatureRejected",
    );
    let with = |half: &Tx, part: usize, v: V| {
        let A(mut parts) = half.half() else {
            unreachable!()
        };
        parts[part] = v;
        A(parts)
    };
    bad(
        "another parents hash",
        alone(A(vec![with(low, 3, B(id(0))), high.half()])),
        "SignatureRejected",
    );
    bad(
        "a half in another suite",
        alone(A(vec![
            low.half(),
            with(high, 0, B(vec![0xa1, 0x01, 0x26])),
        ])),
        "Suite",
    );
    bad(
        "a half that is no transaction",
        alone(A(vec![with(low, 1, B(vec![0x80])), high.half()])),
        "EvidenceTransactionWireRange",
    );
    bad(
        "a short signature",
        alone(A(vec![low.half(), with(high, 2, B(vec![0; 63]))])),
        "EvidenceTransactionSignatureLength",
    );
    bad("one half", alone(A(vec![low.half()])), "EvidenceWireRange");
    let stub = |position: u64| A(vec![U(position), B(vec![0xcc; 16])]);
    bad("neither stubs nor proof", alone(Null), "Empty");
    bad(
        "stubs out of order",
        A(vec![A(vec![stub(2), stub(1)]), Null]),
        "Order",
    );
    bad(
        "stub twice",
        A(vec![A(vec![stub(1), stub(1)]), Null]),
        "Order",
    );
    bad(
        "stub of a ninth parent",
        A(vec![A(vec![stub(8)]), Null]),
        "Position",
    );
    bad(
        "nine stubs",
        A(vec![A((0..9).map(stub).collect()), Null]),
        "Position",
    );
    bad(
        "stub of 15 bytes",
        A(vec![A(vec![A(vec![U(0), B(vec![0; 15])])]), Null]),
        "WireRange",
    );
    bad(
        "three parts",
        A(vec![A(vec![stub(0)]), Null, Null]),
        "WireRange",
    );
    bad(
        "stubs and no proof",
        A(vec![A(vec![stub(0), stub(2)]), Null]),
        "NoProof",
    );
    book
}
