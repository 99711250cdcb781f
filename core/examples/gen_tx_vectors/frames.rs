//! Frames of every type.

use super::encoder::V::{A, B, Null, U};
use super::encoder::{Book, enc, hexed};
use super::transactions::{Tx, id, transfer};
use serde_json::json;

pub fn frame() -> Book {
    let mut book = Book::default();
    let mut put = |name: &str, tag: [u8; 4], kind: u8, body: Vec<u8>, expect: &str| {
        book.row(&[
            ("name", json!(name)),
            ("frame", hexed([&tag[..], &[kind], &body].concat())),
            ("expect", json!(expect)),
            ("tag", hexed(tag)),
            ("type", json!(kind)),
        ]);
    };
    let tag = [0x11; 4];
    let p = |b: u8| B(vec![b; 16]);
    let h = |b: u8| B(id(b));
    let sig = || B(vec![0x5a; 64]);
    let vote = |i: u64| A(vec![U(i), sig()]);
    let cose = B(vec![0xc0; 50]);
    let seen = |stand: u64, epoch: u64| {
        let time = if stand == 0 { 0 } else { 1_750_000_000_000 };
        A(vec![h(1), U(stand), U(time), U(epoch)])
    };
    let set = || A(vec![U(0), U(1), A(vec![A(vec![h(1), U(32)])])]);
    let tx = enc(&Tx::new(1, transfer(2, 250, 9_250)).cose());
    let stubs = enc(&A(vec![A(vec![A(vec![U(0), p(1)])]), Null]));
    let good: Vec<(&str, u8, Vec<u8>)> = vec![
        ("TX", 0x01, tx.clone()),
        (
            "TX with attachment",
            0x01,
            [tx.clone(), stubs.clone()].concat(),
        ),
        ("ANNOUNCE", 0x02, enc(&A(vec![p(1), p(2)]))),
        ("ANNOUNCE of 64", 0x02, enc(&A(vec![p(1); 64]))),
        ("REQUEST", 0x03, enc(&A(vec![p(1)]))),
        (
            "BEACON",
            0x04,
            enc(&A(vec![U(1_750_000_000_000), U(2), A(vec![p(1), p(2)])])),
        ),
        (
            "BEACON without tips",
            0x04,
            enc(&A(vec![U(0), U(0), A(vec![])])),
        ),
        (
            "SYNC",
            0x05,
            enc(&A(vec![U(0), A(vec![U(7), U(0), U(70_000)])])),
        ),
        (
            "HEADER",
            0x06,
            enc(&A(vec![cose.clone(), A(vec![h(1), h(2)])])),
        ),
        (
            "VOTES",
            0x07,
            enc(&A(vec![U(2), A(vec![vote(0), vote(3), vote(63)])])),
        ),
        ("HEADER_REQUEST", 0x08, enc(&A(vec![U(2)]))),
        ("PROOF_REQUEST", 0x09, enc(&A(vec![h(1), h(2)]))),
        (
            "PROOF",
            0x0a,
            enc(&A(vec![U(2), h(1), U(5), U(100), A(vec![h(2); 7])])),
        ),
        ("TABLE_REQUEST", 0x0b, enc(&A(vec![U(3), U(8)]))),
        (
            "TABLE",
            0x0c,
            enc(&A(vec![U(3), U(8), A(vec![A(vec![U(8)])])])),
        ),
        (
            "ENROL",
            0x0d,
            enc(&A(vec![A(vec![cose.clone(), cose.clone()]), sig()])),
        ),
        (
            "ENROL with an attestation",
            0x0d,
            enc(&A(vec![A(vec![cose.clone()]), sig(), B(vec![8; 300])])),
        ),
        ("CHALLENGE", 0x1f, enc(&A(vec![h(1), B(vec![7; 16])]))),
        (
            "ENROL_RESULT not attested",
            0x0e,
            enc(&A(vec![h(1), U(6), Null])),
        ),
        (
            "ENROL_RESULT not allowed",
            0x0e,
            enc(&A(vec![h(1), U(7), Null])),
        ),
        ("ENROL_RESULT", 0x0e, enc(&A(vec![h(1), U(1), U(7)]))),
        (
            "ENROL_RESULT refused",
            0x0e,
            enc(&A(vec![h(1), U(5), Null])),
        ),
        ("GENESIS", 0x0f, enc(&A(vec![cose.clone(), set()]))),
        ("GENESIS_REQUEST", 0x10, enc(&A(vec![]))),
        ("PROPOSAL", 0x11, enc(&A(vec![cose.clone(), U(9)]))),
        (
            "ACCOUNT_VOTE",
            0x23,
            enc(&A(vec![U(7), U(9), U(63), U(28), B(vec![8; 64])])),
        ),
        (
            "ANCHORED",
            0x24,
            enc(&A(vec![
                U(7),
                U(24_000_000),
                A(vec![
                    A(vec![U(0), B(vec![1; 64])]),
                    A(vec![U(63), B(vec![2; 64])]),
                ]),
            ])),
        ),
        ("HEADS_REQUEST", 0x12, enc(&A(vec![U(7)]))),
        ("HEADS", 0x13, enc(&A(vec![U(7), U(70), h(1)]))),
        ("SET_REQUEST", 0x14, enc(&A(vec![U(1)]))),
        ("SET", 0x15, enc(&set())),
        ("CLAIM", 0x16, enc(&A(vec![cose.clone()]))),
        ("OFFER_REQUEST", 0x17, enc(&A(vec![]))),
        (
            "OFFER",
            0x18,
            enc(&A(vec![
                U(0),
                U(7),
                U(1_750_000_000_000),
                U(2),
                A(vec![h(1), h(2), h(3)]),
            ])),
        ),
        (
            "OFFER of nobody in the line, without clock and tips",
            0x18,
            enc(&A(vec![U(255), U(0), U(0), U(0), A(vec![])])),
        ),
        ("WITNESS_REQUEST", 0x19, enc(&A(vec![h(1); 4]))),
        (
            "WITNESS of every stand",
            0x1a,
            enc(&A(vec![seen(0, 0), seen(1, 3), seen(2, 3), seen(3, 4)])),
        ),
        ("WITNESS of a quorum", 0x1a, enc(&A(vec![seen(4, 3)]))),
        ("RECORD_REQUEST", 0x1b, enc(&A(vec![U(3), h(1)]))),
        (
            "RECORD",
            0x1c,
            enc(&A(vec![U(3), A(vec![U(8)]), A(vec![h(1), h(2)])])),
        ),
        ("SHOW_REQUEST", 0x1d, enc(&A(vec![U(7)]))),
        (
            "SHOW",
            0x1e,
            enc(&A(vec![U(7), U(70), A(vec![cose.clone(), h(1)])])),
        ),
        (
            "SHOW without the bytes",
            0x1e,
            enc(&A(vec![U(7), U(0), Null])),
        ),
    ];
    for (name, kind, body) in &good {
        put(name, tag, *kind, body.clone(), "ok");
    }
    for (name, kind, body) in &good {
        let expect = match kind {
            0x0d..=0x10 | 0x1f => "ok",
            _ => "Unbound",
        };
        put(
            &format!("{name}, no neighbourhood"),
            [0; 4],
            *kind,
            body.clone(),
            expect,
        );
    }
    let more = [enc(&A(vec![U(2)])), vec![0x00]].concat();
    for (name, kind, body, expect) in [
        ("type 0", 0x00, enc(&A(vec![])), "UnknownType"),
        ("type 0x20", 0x20, enc(&A(vec![])), "UnknownType"),
        (
            "a challenge of 15 bytes",
            0x1f,
            enc(&A(vec![h(1), B(vec![7; 15])])),
            "WireRange",
        ),
        ("no body", 0x01, vec![], "WireTruncated"),
        (
            "two attachments",
            0x01,
            [tx, stubs.clone(), stubs].concat(),
            "WireTrailingBytes",
        ),
        ("one byte more", 0x08, more, "WireTrailingBytes"),
        ("nothing announced", 0x02, enc(&A(vec![])), "Count"),
        ("65 announced", 0x02, enc(&A(vec![p(1); 65])), "Count"),
        (
            "a prefix of 15 bytes",
            0x02,
            enc(&A(vec![B(vec![1; 15])])),
            "WireRange",
        ),
        (
            "nine tips",
            0x04,
            enc(&A(vec![U(0), U(0), A(vec![p(1); 9])])),
            "Count",
        ),
        (
            "a path of 33",
            0x06,
            enc(&A(vec![cose.clone(), A(vec![h(1); 33])])),
            "Count",
        ),
        ("no votes", 0x07, enc(&A(vec![U(2), A(vec![])])), "Count"),
        (
            "a vote twice",
            0x07,
            enc(&A(vec![U(2), A(vec![vote(1), vote(1)])])),
            "Order",
        ),
        (
            "votes out of order",
            0x07,
            enc(&A(vec![U(2), A(vec![vote(2), vote(1)])])),
            "Order",
        ),
        (
            "validator 64",
            0x07,
            enc(&A(vec![U(2), A(vec![vote(64)])])),
            "WireRange",
        ),
        ("17 proofs", 0x09, enc(&A(vec![h(1); 17])), "Count"),
        (
            "nine records",
            0x0c,
            enc(&A(vec![U(3), U(8), A(vec![U(0); 9])])),
            "Count",
        ),
        ("status 8", 0x0e, enc(&A(vec![h(1), U(8), Null])), "Status"),
        (
            "no certificate",
            0x0d,
            enc(&A(vec![A(vec![]), sig()])),
            "WireRange",
        ),
        (
            "member above 16 bits",
            0x12,
            enc(&A(vec![U(65_536)])),
            "WireRange",
        ),
        (
            "four tips offered",
            0x18,
            enc(&A(vec![U(0), U(0), U(0), U(0), A(vec![h(1); 4])])),
            "Count",
        ),
        (
            "place 256",
            0x18,
            enc(&A(vec![U(256), U(0), U(0), U(0), A(vec![])])),
            "WireRange",
        ),
        ("no id to be witnessed", 0x19, enc(&A(vec![])), "Count"),
        (
            "five to be witnessed",
            0x19,
            enc(&A(vec![h(1); 5])),
            "Count",
        ),
        (
            "stand 5",
            0x1a,
            enc(&A(vec![A(vec![h(1), U(5), U(0), U(0)])])),
            "WireRange",
        ),
        (
            "a sighting of three",
            0x1a,
            enc(&A(vec![A(vec![h(1), U(2), U(0)])])),
            "WireRange",
        ),
        (
            "a device id of 31 bytes",
            0x1b,
            enc(&A(vec![U(3), B(vec![1; 31])])),
            "WireRange",
        ),
        (
            "a record's path of 33",
            0x1c,
            enc(&A(vec![U(3), A(vec![U(8)]), A(vec![h(1); 33])])),
            "Count",
        ),
        (
            "shown without its parents",
            0x1e,
            enc(&A(vec![U(7), U(70), A(vec![cose])])),
            "WireRange",
        ),
        (
            "longest",
            0x11,
            enc(&A(vec![B(vec![0; 1_390]), U(0)])),
            "ok",
        ),
        (
            "one byte too long",
            0x11,
            enc(&A(vec![B(vec![0; 1_391]), U(0)])),
            "TooLong",
        ),
        (
            "a proposal that does not say what it credits",
            0x11,
            enc(&A(vec![B(vec![0; 9])])),
            "WireRange",
        ),
        (
            "an account's vote of 65 bytes",
            0x23,
            enc(&A(vec![U(7), U(9), U(63), U(28), B(vec![8; 65])])),
            "WireRange",
        ),
        (
            "anchored, says nobody",
            0x24,
            enc(&A(vec![U(7), U(5), A(vec![])])),
            "Count",
        ),
        (
            "anchored, one says it twice",
            0x24,
            enc(&A(vec![
                U(7),
                U(5),
                A(vec![
                    A(vec![U(3), B(vec![1; 64])]),
                    A(vec![U(3), B(vec![1; 64])]),
                ]),
            ])),
            "Order",
        ),
    ] {
        put(name, tag, kind, body, expect);
    }
    book.row(&[
        ("name", json!("four bytes")),
        ("frame", json!("11111111")),
        ("expect", json!("TooShort")),
        ("tag", json!("11111111")),
        ("type", json!(0)),
    ]);
    book
}
