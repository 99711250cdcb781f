use super::*;
use crate::crypto::SecretKey;
use crate::tx::{MAX_COSE, sign_with};
use crate::types::{Amount, MAX_PAYLOAD};
use crate::wire::Frame;
use crate::wire::senml::{self, Decimal, Reading};

const NBH: Id = Id([0x11; 32]);

fn tips(count: u8) -> Vec<Id> {
    // Descending, so that the order of choice is not the order of the wire.
    (0..count).map(|i| Id([200 - i; 32])).collect()
}

fn transfer(amount: u64, debits: u64) -> Body<'static> {
    Body::Transfer {
        to: MemberIndex(u16::MAX),
        amount: Amount(amount),
        debits: Amount(debits),
    }
}

fn widest<'a>(tips: &'a [Id], body: Body<'a>) -> Draft<'a> {
    Draft {
        epoch: Epoch(u32::MAX),
        issuer: MemberIndex(u16::MAX),
        number: Number(u32::MAX),
        offset: u32::MAX,
        first: Id([1; 32]),
        tips,
        body,
    }
}

/// Signs and sends it; gives the length of the frame and how many tips went.
fn sent(draft: &Draft<'_>) -> (usize, usize) {
    let (mut payload, mut cose, mut frame) = ([0; MAX_PAYLOAD], [0; MAX_COSE], [0; 1400]);
    let fitted = draft.encode(&mut payload).unwrap();
    let kept = draft.tips.len() - fitted.dropped;
    let parents = Parents::new(draft.first, &draft.tips[..kept]).unwrap();
    assert_eq!(fitted.parents, parents);
    let key = SecretKey::from_seed(&[1; 32]).unwrap();
    let tx = sign_with(&key, &NBH, fitted.payload, &fitted.parents, &mut cose).unwrap();
    let frame_bytes = Frame::Tx {
        cose: tx.cose(),
        attachment: None,
    };
    let len = frame_bytes.write(NBH.tag(), &mut frame).unwrap();
    assert_eq!(len, frame_len(fitted.payload.len()));
    (len, fitted.dropped)
}

#[test]
fn the_widest_transfer_fits() {
    let body = transfer(u64::MAX, u64::MAX);
    // With both tips it would be 172 bytes: one goes.
    assert_eq!(sent(&widest(&tips(2), body)), (156, 1));
    assert_eq!(sent(&widest(&tips(1), body)), (156, 0));
    assert_eq!(sent(&widest(&tips(7), body)), (156, 6));
    assert_eq!(sent(&widest(&[], body)), (139, 0));
}

#[test]
fn typical_sizes() {
    let mut draft = widest(&[], transfer(1, 1));
    let two = tips(2);
    draft.tips = &two;
    draft.issuer = MemberIndex(7);
    draft.offset = 1_234_567;
    for (what, epoch, number, to, amount, debits, want) in [
        ("first of a demo", 1, 1, 3, 100, 100, 146),
        ("demo", 2, 60, 3, 250, 14_000, 148),
        ("a day", 96, 1_500, 3, 2_500, 900_000, 153),
        ("a year", 35_000, 600_000, 300, 25_000, 4_000_000_000, 158),
    ] {
        draft.epoch = Epoch(epoch);
        draft.number = Number(number);
        draft.body = Body::Transfer {
            to: MemberIndex(to),
            amount: Amount(amount),
            debits: Amount(debits),
        };
        let (len, dropped) = sent(&draft);
        println!("transfer, {what}: {len} bytes, {dropped} tips dropped");
        assert_eq!((len, dropped), (want, 0), "{what}");
    }
}

#[test]
fn the_widest_reading_with_one_value_fits() {
    let mut body = [0; 320];
    let reading = Reading {
        name: &"n".repeat(senml::MAX_NAME),
        unit: Some(&"u".repeat(senml::MAX_UNIT)),
        value: Decimal::new(i64::MIN + 1, -100).unwrap(),
        time: Some(i64::MIN),
    };
    let body = senml::encode(None, &[reading], &mut body).unwrap();
    let two = tips(2);
    let draft = widest(&two, Body::Data(body));
    assert_eq!(draft.limit(), MAX_READING_FRAME);
    assert_eq!(sent(&draft), (190, 2));
}

#[test]
fn a_typical_reading() {
    let reading = Reading {
        name: "cpu.temp",
        unit: Some("Cel"),
        value: Decimal::new(4_512, -2).unwrap(),
        time: None,
    };
    let mut body = [0; 320];
    let body = senml::encode(None, &[reading], &mut body).unwrap();
    let two = tips(2);
    let mut draft = widest(&two, Body::Data(body));
    draft.epoch = Epoch(96);
    draft.issuer = MemberIndex(7);
    draft.number = Number(1_500);
    draft.offset = 1_234_567;
    let sizes = sent(&draft);
    println!("reading: {} bytes, {} tips dropped", sizes.0, sizes.1);
    assert_eq!(sizes, (169, 0));
}

#[test]
fn other_bodies_have_the_whole_frame() {
    let seven = tips(7);
    let draft = widest(&seven, Body::Data(&[7; 320]));
    assert_eq!(draft.limit(), MAX_FRAME);
    // The payload's own limit holds all the same.
    assert_eq!(sent(&draft).1, 0);
    let body = [7; 320];
    let draft = widest(&[], Body::Data(&body));
    let mut out = [0; MAX_PAYLOAD];
    assert_eq!(
        draft.encode_within(222, &mut out).err(),
        Some(TxError::FrameTooLong)
    );
    let revoke = Body::Member(crate::tx::MemberOp::Revoke { list: &[7; 480] });
    assert_eq!(
        widest(&seven, revoke).encode(&mut out).err(),
        Some(TxError::PayloadTooLong)
    );
    assert_eq!(
        widest(&seven, transfer(0, 0)).encode(&mut out).err(),
        Some(TxError::AmountZero)
    );
    assert_eq!(
        widest(&[Id([1; 32])], transfer(1, 1))
            .encode(&mut out)
            .err(),
        Some(TxError::ParentsDoubled)
    );
}
