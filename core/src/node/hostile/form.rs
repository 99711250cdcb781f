//! Bytes that are no transaction, or no frame: refused before anything is looked up or verified.

use super::*;

#[test]
fn truncated_anywhere() {
    let mut bench = Bench::new();
    let frame = bench.next(3).frame();
    for len in 0..frame.len() {
        bench.refused(&format!("{len} bytes"), &frame[..len], Refusal::Malformed);
    }
    assert_eq!(bench.give(&frame), Ok(()));
}

#[test]
fn oversized() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let mut frame = honest.frame();
    frame.resize(MAX_FRAME + 1, 0);
    bench.refused("a frame of 1401 bytes", &frame, Refusal::Malformed);
    let body = honest.clone().data(&[7; 321]);
    bench.refused("a body of 321 bytes", &body.frame(), Refusal::BodyLength);
    let empty = honest.clone().data(b"");
    bench.refused("a body of 0 bytes", &empty.frame(), Refusal::BodyLength);
    // A revocation list may be as long as it wants, the payload may not.
    let mut long = honest.clone();
    long.kind = 6;
    long.body = encoded(|w| {
        w.array(2).unwrap();
        w.uint(3).unwrap();
        w.bytes(&[9; 460]).unwrap();
    });
    assert!(long.payload().len() > crate::MAX_PAYLOAD);
    bench.refused(
        "a payload above 480 bytes",
        &long.frame(),
        Refusal::Malformed,
    );
    let mut many = honest;
    let tips: Vec<Id> = (1..=8).map(|n| Id([n; 32])).collect();
    many = many.tips(&tips);
    bench.refused("nine parents", &many.frame(), Refusal::Malformed);
    many.parents.clear();
    bench.refused("no parent", &many.frame(), Refusal::Malformed);
}

#[test]
fn bytes_after_the_end() {
    let mut bench = Bench::new();
    let mut frame = bench.next(3).frame();
    frame.push(0);
    bench.refused("a number as attachment", &frame, Refusal::Attachment);
    frame.push(0);
    bench.refused("a third item", &frame, Refusal::Malformed);
    frame.truncate(frame.len() - 2);
    frame.extend([0x82, 0x80, 0xf6]);
    bench.refused("an attachment of nothing", &frame, Refusal::Attachment);
}

/// Payloads that say the same in other bytes, or something else in the place of a field.
#[test]
fn not_deterministic_or_of_another_type() {
    use Refusal::{Malformed, NotDeterministic, WrongType};
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let payload = honest.payload();
    let rest = &payload[2..];
    assert_eq!(payload[..2], [0x88, 0x01]);
    let rows: [(&str, &[u8], Refusal); 8] = [
        (
            "a long head for the array",
            &[0x98, 0x08, 0x01],
            NotDeterministic,
        ),
        (
            "a long head for the version",
            &[0x88, 0x18, 0x01],
            NotDeterministic,
        ),
        ("an array without an end", &[0x9f, 0x01], NotDeterministic),
        ("a map for the array", &[0xa4, 0x01], WrongType),
        ("a text for the version", &[0x88, 0x61, 0x31], WrongType),
        ("a negative version", &[0x88, 0x20], WrongType),
        ("a tagged version", &[0x88, 0xd8, 0x64, 0x01], WrongType),
        ("seven fields announced", &[0x87, 0x01], Malformed),
    ];
    for (name, head, refusal) in rows {
        let bent = [head, rest].concat();
        let signature = secret(3).sign(&message(&honest.neighbourhood, &bent, &honest.parents));
        let frame = tx_frame(&honest.neighbourhood, &cose(&bent, &signature.0));
        let got = bench.give(&frame);
        // What is truncated, of the wrong shape or of the wrong type is told apart by the reader; all of it is refused.
        assert!(
            got == Err(refusal) || (refusal == Malformed && got.is_err()),
            "{name}: {got:?}"
        );
        bench.refused(name, &frame, got.unwrap_err());
    }
}

#[test]
fn another_protected_or_unprotected_header() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let (payload, signature) = (honest.payload(), honest.signature());
    let build = |protected: &[u8], unprotected: &[u8]| {
        let cose = encoded(|w| {
            w.array(4).unwrap();
            w.bytes(protected).unwrap();
            w.raw(unprotected).unwrap();
            w.bytes(&payload).unwrap();
            w.bytes(&signature.0).unwrap();
        });
        tx_frame(&honest.neighbourhood, &cose)
    };
    let eddsa: &[u8] = &[0xa1, 0x01, 0x27];
    let rows: [(&str, &[u8], &[u8], Refusal); 4] = [
        ("no algorithm", &[0xa0], &[0xa0], Refusal::Malformed),
        (
            "an algorithm that nobody has",
            &[0xa1, 0x01, 0x38, 0x22],
            &[0xa0],
            Refusal::Malformed,
        ),
        (
            "another suite than the key's",
            &[0xa1, 0x01, 0x26],
            &[0xa0],
            Refusal::Suite,
        ),
        (
            "something unsigned",
            eddsa,
            &[0xa1, 0x04, 0x41, 0x01],
            Refusal::Malformed,
        ),
    ];
    for (name, protected, unprotected, refusal) in rows {
        bench.refused(name, &build(protected, unprotected), refusal);
    }
    assert_eq!(bench.give(&build(eddsa, &[0xa0])), Ok(()));
}

type Row = (&'static str, fn(&mut Shape), Refusal);

#[test]
fn another_version_kind_or_number() {
    use Refusal::{Malformed, UnsupportedKind, Version};
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let with = |change: fn(&mut Shape)| {
        let mut shape = honest.clone();
        change(&mut shape);
        shape.frame()
    };
    let rows: [Row; 9] = [
        ("version 0", |s| s.version = 0, Version),
        ("version 2", |s| s.version = 2, Version),
        ("version u64::MAX", |s| s.version = u64::MAX, Version),
        ("kind 10", |s| s.kind = 10, UnsupportedKind),
        ("kind 255", |s| s.kind = 255, UnsupportedKind),
        ("epoch 0", |s| s.epoch = 0, Malformed),
        ("number 0", |s| s.number = 0, Malformed),
        ("number above 32 bits", |s| s.number = 1 << 32, Malformed),
        ("issuer above 16 bits", |s| s.issuer = 1 << 16, Malformed),
    ];
    for (name, change, refusal) in rows {
        bench.refused(name, &with(change), refusal);
    }
}

#[test]
fn another_neighbourhood() {
    let mut bench = Bench::new();
    let mut honest = bench.next(3);
    let mut frame = honest.frame();
    frame[0] ^= 1;
    bench.refused("another tag", &frame, Refusal::Neighbourhood);
    frame[..4].copy_from_slice(&[0; 4]);
    bench.refused("no tag", &frame, Refusal::Neighbourhood);
    // Our tag, and a signature made for a neighbourhood that shares its first four bytes.
    let ours = honest.neighbourhood;
    honest.neighbourhood.0[31] ^= 1;
    let carried = tx_frame(&ours, &honest.cose());
    bench.refused("carried over", &carried, Refusal::Signature);
}

#[test]
fn frames_that_are_not_for_a_device() {
    let mut bench = Bench::new();
    let tag = bench.neighbourhood.tag();
    let frame = |number: u8, body: &[u8]| [&tag[..], &[number], body].concat();
    bench.refused("type 0", &frame(0, &[0x80]), Refusal::NotForMe);
    bench.refused("type 0x20", &frame(0x20, &[0x80]), Refusal::NotForMe);
    // An answer that nobody asked for, and one that is not whole.
    bench.refused(
        "a show",
        &frame(0x1e, &[0x83, 0, 0, 0xf6]),
        Refusal::NotForMe,
    );
    bench.refused("half a claim", &frame(0x16, &[0x80]), Refusal::Malformed);
    bench.refused("type 255", &frame(255, &[]), Refusal::NotForMe);
    bench.refused(
        "a proof that nobody waits for",
        &written(
            &bench.neighbourhood,
            &Frame::Proof {
                header: HeaderNumber(1),
                id: Id([1; 32]),
                leaf: 1,
                size: 2,
                path: List::of(&[Id([2; 32])]),
            },
        ),
        Refusal::NotForMe,
    );
    bench.refused(
        "a proposal",
        &written(
            &bench.neighbourhood,
            &Frame::Proposal {
                cose: b"x",
                credited: 0,
            },
        ),
        Refusal::NotForMe,
    );
    bench.refused(
        "a request for a set to come",
        &written(&bench.neighbourhood, &Frame::SetRequest { term: 2 }),
        Refusal::NotForMe,
    );
    let now = Millis(bench.net.now);
    let honest = bench.next(3).frame();
    let before = fingerprint(bench.node());
    assert_eq!(
        bench.node().receive(now, Peer(77), &honest),
        Err(Refusal::NotForMe)
    );
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
}
