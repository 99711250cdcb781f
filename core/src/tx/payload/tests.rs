use super::*;
use crate::channel::statement::Batch;
use crate::channel::{ChannelNumber, Index, KeyEpoch, Mode};
use crate::sale::{Compare, Feed, Predicate, Readers, Statement, Statements, Tick};
use crate::types::SaleNumber;
use proptest::prelude::*;

fn id() -> impl Strategy<Value = Id> {
    any::<[u8; 32]>().prop_map(Id)
}

fn ids() -> impl Strategy<Value = (Id, Vec<Id>)> {
    // One or two random bytes ahead make order and doubles likely to matter.
    (id(), prop::collection::vec(id(), 0..8))
}

/// An owned body: the payload borrows from it.
#[derive(Clone, Debug)]
enum Owned {
    Bytes(bool, Vec<u8>),
    Debit(Option<u16>, u64, u64, [u8; 20]),
    Join(Vec<u8>, Option<Vec<u8>>, Box<[u8; 64]>),
    Rotate([u8; 32], Box<[u8; 64]>),
    Leave,
    Channel(u32, u32, u8, Vec<u8>),
    Lock(u16, u32, u32, u8, Id),
    Claim(Id, bool, u8, u64, Vec<u8>),
    Revoke(Vec<u8>),
    Trim(u64, Id, u32, Id),
    Evidence(u16, Id, Id),
}

impl Owned {
    fn body(&self) -> Body<'_> {
        match self {
            Self::Bytes(true, b) => Body::Data(b),
            Self::Bytes(false, b) => Body::Service(b),
            Self::Debit(to, amount, more, target) => {
                let amount = Amount((*amount).max(1));
                let debits = amount.saturating_add(*more);
                match to {
                    Some(to) => Body::Transfer {
                        to: MemberIndex(*to),
                        amount,
                        debits,
                    },
                    None => Body::Exit {
                        amount,
                        debits,
                        target: *target,
                    },
                }
            }
            Self::Join(first, second, proof) => Body::Member(MemberOp::Join {
                certificates: Certificates {
                    first,
                    second: second.as_deref(),
                },
                proof,
            }),
            Self::Rotate(key, consent) => Body::Member(MemberOp::Rotate {
                key: PublicKey::Ed25519(*key),
                consent,
            }),
            Self::Leave => Body::Member(MemberOp::Leave),
            Self::Channel(number, n, which, bytes) => {
                Body::Channel(channel_op(*number, *n, *which, bytes))
            }
            Self::Lock(to, n, term, which, id) => Body::Lock {
                to: MemberIndex(*to),
                amount: Amount(u64::from(*n) * 3 + 3),
                debits: Amount(u64::from(*n) * 3 + 4),
                term: (*term).clamp(1, MAX_TERM),
                terms: terms(*to, *n, *which, id),
            },
            Self::Claim(lock, last, which, n, bytes) => Body::Claim {
                lock: *lock,
                last: *last || which % 4 == 3,
                proof: proof(*which, *n, bytes),
            },
            Self::Revoke(list) => Body::Member(MemberOp::Revoke { list }),
            Self::Trim(cut, previous, header, header_hash) => Body::Trim {
                cut: Millis(*cut),
                previous: *previous,
                header: HeaderNumber(*header),
                header_hash: *header_hash,
            },
            Self::Evidence(offender, a, b) => Body::Evidence {
                offender: MemberIndex(*offender),
                a: *a.min(b),
                b: *a.max(b),
            },
        }
    }
}

fn terms(to: u16, n: u32, which: u8, id: &Id) -> Terms {
    match which % 4 {
        0 => Terms::Ticks {
            sale: SaleNumber(n),
            units: 3,
            anchor: *id,
        },
        1 => Terms::Vouchers {
            key: PublicKey::Ed25519(id.0),
        },
        2 => Terms::Vouchers {
            key: PublicKey::Es256([which; 64]),
        },
        _ => {
            let count = 1 + u16::from(which) % 8;
            let readers = (0..count).map(|place| MemberIndex(to / 2 + place));
            Terms::Predicate(Predicate {
                feed: Feed::new(&id.0[..1 + usize::from(which) % 16]).unwrap(),
                compare: Compare::from_number(which / 4 % 4).unwrap(),
                threshold: i64::from(n) - i64::from(u32::MAX / 2),
                window: n,
                quorum: 1 + (which / 16) % count.min(4) as u8,
                readers: Readers::new(readers).unwrap(),
            })
        }
    }
}

/// `bytes`: 276 of them.
fn proof(which: u8, n: u64, bytes: &[u8]) -> Proof<'_> {
    match which % 4 {
        0 => Proof::Tick(Tick {
            index: 1 + (n % (1 << 16)) as u32,
            value: *bytes.first_chunk().unwrap(),
        }),
        1 => Proof::Voucher {
            total: Amount(n.max(1)),
            signature: bytes.first_chunk().unwrap(),
        },
        2 => {
            let list: Vec<_> = (0..1 + which / 4 % 4)
                .map(|place| Statement {
                    place: place * 9,
                    value: n as i64,
                    time: Millis(n / 2),
                    signature: bytes[usize::from(place)..].first_chunk().unwrap(),
                })
                .collect();
            let room = Box::leak(Box::new([0; 400]));
            Proof::Statements(Statements::list(&list, room).unwrap())
        }
        _ => Proof::Nothing,
    }
}

/// Each operation that a channel has, with whatever numbers it may have.
fn channel_op(number: u32, n: u32, which: u8, bytes: &[u8]) -> Op<'_> {
    let number = ChannelNumber::from_wire(number);
    let (epoch, index) = (KeyEpoch(n.max(2)), Index(n.into()));
    let to = MemberIndex(n as u16);
    let key = bytes.first_chunk().unwrap();
    match which % 7 {
        0 => Op::Announce {
            number,
            mode: Mode::Private,
            epoch,
            index,
        },
        1 => Op::Root {
            number,
            batch: Batch {
                epoch,
                first: Index(index.0 / 2),
                count: 1 + which % 64,
                root: Id(*key),
            },
        },
        2 => Op::Subscribe {
            owner: to,
            number,
            key,
        },
        3 => Op::Grant {
            number,
            epoch,
            index,
            to,
            sealed: bytes.first_chunk().unwrap(),
        },
        4 => {
            let wraps = bytes.as_chunks().0;
            let wraps = &wraps[..usize::from(which) % (wraps.len() + 1)];
            Op::Revoke {
                number,
                epoch,
                index,
                ended: Index(index.0 + 1),
                wraps,
            }
        }
        5 => {
            let depth = which % 8;
            let sealed = &bytes[..32 * (usize::from(depth) + 1) + 16];
            let slot = (n as u8) & ((1_u16 << depth) - 1) as u8;
            Op::Path {
                number,
                to,
                slot,
                sealed,
            }
        }
        _ => Op::Message {
            number,
            sealed: bytes,
        },
    }
}

fn owned() -> impl Strategy<Value = Owned> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 1..max);
    let sig = || {
        any::<[u8; 32]>().prop_map(|half| {
            let mut whole = [0; 64];
            whole[..32].copy_from_slice(&half);
            Box::new(whole)
        })
    };
    prop_oneof![
        (any::<bool>(), bytes(321)).prop_map(|(d, b)| Owned::Bytes(d, b)),
        (
            any::<Option<u16>>(),
            any::<u64>(),
            any::<u64>(),
            any::<[u8; 20]>()
        )
            .prop_map(|(to, a, m, t)| Owned::Debit(to, a, m, t)),
        (bytes(100), prop::option::of(bytes(100)), sig())
            .prop_map(|(a, b, p)| Owned::Join(a, b, p)),
        (any::<[u8; 32]>(), sig()).prop_map(|(k, c)| Owned::Rotate(k, c)),
        Just(Owned::Leave),
        (
            any::<u32>(),
            any::<u32>(),
            any::<u8>(),
            prop::collection::vec(any::<u8>(), 276)
        )
            .prop_map(|(c, n, w, b)| Owned::Channel(c, n, w, b)),
        (any::<u16>(), any::<u32>(), any::<u32>(), any::<u8>(), id())
            .prop_map(|(t, n, term, w, i)| Owned::Lock(t, n, term, w, i)),
        (
            id(),
            any::<bool>(),
            any::<u8>(),
            any::<u64>(),
            prop::collection::vec(any::<u8>(), 276)
        )
            .prop_map(|(l, last, w, n, b)| Owned::Claim(l, last, w, n, b)),
        bytes(200).prop_map(Owned::Revoke),
        (any::<u64>(), id(), any::<u32>(), id()).prop_map(|(c, p, h, x)| Owned::Trim(c, p, h, x)),
        (any::<u16>(), id(), id()).prop_map(|(o, a, b)| Owned::Evidence(o, a, b)),
    ]
}

fn sample(body: Body<'_>) -> Payload<'_> {
    let parents = Parents::new(Id([8; 32]), &[Id([5; 32]), Id([6; 32])]).unwrap();
    Payload {
        epoch: Epoch(2),
        issuer: MemberIndex(3),
        number: Number(4),
        offset: 5,
        parents: parents.prefixes().unwrap(),
        body,
    }
}

const TRANSFER: Body<'static> = Body::Transfer {
    to: MemberIndex(1),
    amount: Amount(10),
    debits: Amount(30),
};

fn encode(payload: &Payload<'_>) -> Result<Vec<u8>, TxError> {
    let mut out = [0; 1024];
    payload.encode(&mut out).map(<[u8]>::to_vec)
}

/// The sample transfer with one element of the array replaced.
fn with_element(position: usize, element: &[u8]) -> Vec<u8> {
    let bytes = encode(&sample(TRANSFER)).unwrap();
    let mut r = Reader::new(&bytes);
    let count = r.array().unwrap();
    let mut out = vec![0x80 | count as u8];
    for i in 0..count {
        let old = r.item().unwrap();
        out.extend(if i == position { element } else { old });
    }
    out
}

fn refused(position: usize, element: &str) -> TxError {
    let bytes = with_element(position, &hex::decode(element).unwrap());
    Payload::decode(&bytes).expect_err("must be refused")
}

#[test]
fn fields_out_of_bounds_are_refused() {
    use WireError::{NotDeterministic, Range, Type};
    for (position, element, want) in [
        (0, "02", TxError::Version),
        (0, "00", TxError::Version),
        (1, "00", TxError::EpochZero),
        (1, "1b0000000100000000", TxError::Wire(Range)),
        (1, "1802", TxError::Wire(NotDeterministic)),
        (1, "20", TxError::Wire(Type)),
        (2, "1a00010000", TxError::Wire(Range)),
        (3, "00", TxError::NumberZero),
        (3, "f6", TxError::Wire(Type)),
        (4, "f90000", TxError::Wire(Type)),
        (4, "1b0000000100000000", TxError::Wire(Range)),
        (5, "40", TxError::ParentCount),
        (5, "4f000000000000000000000000000000", TxError::ParentCount),
        (6, "0a", TxError::UnsupportedKind),
        (6, "190101", TxError::UnsupportedKind),
        (7, "8301000a", TxError::AmountZero),
        (7, "83010a09", TxError::DebitsBelowAmount),
        (7, "82010a", TxError::Wire(Range)),
        (7, "84010a1400", TxError::Wire(Range)),
        (7, "831a000100000a14", TxError::Wire(Range)),
        (7, "83010a20", TxError::Wire(Type)),
        (7, "4101", TxError::Wire(Type)),
    ] {
        assert_eq!(refused(position, element), want, "{position}: {element}");
    }
    assert_eq!(
        Payload::decode(&[0x87, 1]).err(),
        Some(TxError::Wire(WireError::Truncated))
    );
    let mut long = encode(&sample(TRANSFER)).unwrap();
    long.push(0);
    assert_eq!(
        Payload::decode(&long).err(),
        Some(TxError::Wire(WireError::TrailingBytes))
    );
    assert_eq!(
        Payload::decode(&[0; MAX_PAYLOAD + 1]).err(),
        Some(TxError::PayloadTooLong)
    );
}

#[test]
fn parents_have_one_order() {
    let p = |b: u8| Prefix([b; 16]);
    let check = |list: &[u8]| {
        let list: Vec<_> = list.iter().map(|b| p(*b)).collect();
        let mut element = vec![0x58, list.len() as u8 * 16];
        if list.len() == 1 {
            element = vec![0x50];
        }
        list.iter().for_each(|p| element.extend(p.0));
        let decoded = Payload::decode(&with_element(5, &element))
            .map(|_| ())
            .err();
        let built = Prefixes::new(&list).map(|_| ()).err();
        assert_eq!(decoded, built);
        built
    };
    for good in [
        &[9][..],
        &[9, 1],
        &[1, 9],
        &[5, 1, 2],
        &[5, 1, 9],
        &[8, 1, 2, 3, 4, 5, 6, 7],
    ] {
        assert_eq!(check(good), None, "{good:?}");
    }
    for (bad, want) in [
        (&[5, 2, 1][..], TxError::ParentsUnsorted),
        (&[5, 1, 3, 2], TxError::ParentsUnsorted),
        (&[5, 1, 1], TxError::ParentsDoubled),
        (&[5, 5], TxError::ParentsDoubled),
        (&[5, 1, 5], TxError::ParentsDoubled),
        (&[9, 1, 2, 3, 4, 5, 6, 7, 8], TxError::ParentCount),
    ] {
        assert_eq!(check(bad), Some(want), "{bad:?}");
    }
    assert_eq!(Prefixes::new(&[]), Err(TxError::ParentCount));
}

#[test]
fn parents_are_built_in_order() {
    let ids: Vec<_> = (0u8..9).map(|b| Id([b; 32])).collect();
    let built = Parents::new(ids[4], &[ids[7], ids[2], ids[5]]).unwrap();
    assert_eq!(built.as_slice(), [ids[4], ids[2], ids[5], ids[7]]);
    assert_eq!(
        built.hash(),
        Id(sha256(&[&[4; 32], &[2; 32], &[5; 32], &[7; 32]]))
    );
    assert!(Parents::new(ids[0], &ids[1..8]).is_ok());
    assert_eq!(Parents::new(ids[0], &ids[1..9]), Err(TxError::ParentCount));
    let doubled = Parents::new(ids[0], &[ids[2], ids[1], ids[2]]);
    assert_eq!(doubled, Err(TxError::ParentsDoubled));
    assert_eq!(
        Parents::new(ids[0], &[ids[0]]),
        Err(TxError::ParentsDoubled)
    );
    // Two ids behind one prefix cannot both be parents: the payload could not tell them apart.
    let mut twin = ids[1];
    twin.0[31] = 99;
    assert_eq!(
        Parents::new(ids[0], &[ids[1], twin]),
        Err(TxError::ParentsDoubled)
    );
}

#[test]
fn bodies_out_of_bounds_are_refused_both_ways() {
    let (low, high) = (Id([1; 32]), Id([2; 32]));
    let evidence = |a, b| Body::Evidence {
        offender: MemberIndex(1),
        a,
        b,
    };
    let range = TxError::Wire(WireError::Range);
    let announce = |epoch, index| Op::Announce {
        number: ChannelNumber::default(),
        mode: Mode::Public,
        epoch: KeyEpoch(epoch),
        index: Index(index),
    };
    for (body, want) in [
        (Body::Data(&[]), TxError::BodyEmpty),
        (Body::Service(&[]), TxError::BodyEmpty),
        (Body::Data(&[7; 321]), TxError::BodyTooLong),
        (Body::Service(&[7; 321]), TxError::BodyTooLong),
        (
            Body::Member(MemberOp::Revoke { list: &[] }),
            TxError::MemberOp,
        ),
        (
            Body::Member(MemberOp::Revoke { list: &[7; 480] }),
            TxError::PayloadTooLong,
        ),
        (evidence(high, low), TxError::EvidenceIds),
        (evidence(low, low), TxError::EvidenceIds),
        (Body::Channel(announce(0, 1)), range),
        (Body::Channel(announce(1, 1 << 32)), range),
        (
            Body::Channel(Op::Message {
                number: ChannelNumber::default(),
                sealed: &[7; 480],
            }),
            TxError::PayloadTooLong,
        ),
    ] {
        assert_eq!(encode(&sample(body)), Err(want));
        if want == TxError::PayloadTooLong {
            continue;
        }
        let mut element = [0; 512];
        let mut w = Writer::new(&mut element);
        body.write::<true>(&mut w).unwrap();
        let mut bytes = with_element(7, w.written());
        let kind_at = bytes.len() - w.len() - 1;
        bytes[kind_at] = body.kind().number();
        assert_eq!(Payload::decode(&bytes).err(), Some(want), "{body:?}");
    }
    assert!(encode(&sample(Body::Data(&[7; 320]))).is_ok());
}

#[test]
fn member_operations_out_of_bounds_are_refused() {
    let refused = |body: &str| {
        let mut bytes = with_element(7, &hex::decode(body).unwrap());
        let kind_at = bytes.len() - body.len() / 2 - 1;
        bytes[kind_at] = Kind::Member.number();
        Payload::decode(&bytes).expect_err("must be refused")
    };
    let signature = format!("5840{}", "00".repeat(64));
    let range = TxError::Wire(WireError::Range);
    assert_eq!(refused("8104"), TxError::MemberOp);
    assert_eq!(refused("820200"), TxError::MemberOp);
    assert_eq!(refused("8103"), TxError::MemberOp);
    assert_eq!(refused("80"), TxError::Wire(WireError::Truncated));
    assert_eq!(refused(&format!("830080{signature}")), range);
    assert_eq!(refused(&format!("83008140{signature}")), range);
    assert_eq!(refused(&format!("830083410141014101{signature}")), range);
    assert_eq!(refused("830081410141ff"), range);
    // A COSE_Key with a member too many has another thumbprint: not one of ours.
    let key = format!("a4010103272006215820{}", "01".repeat(32));
    assert!(matches!(
        refused(&format!("8301{key}{signature}")),
        TxError::Wire(_)
    ));
}

#[test]
fn what_a_channel_does_not_know_is_refused() {
    let refused = |body: &str| {
        let mut bytes = with_element(7, &hex::decode(body).unwrap());
        let kind_at = bytes.len() - body.len() / 2 - 1;
        bytes[kind_at] = Kind::Channel.number();
        Payload::decode(&bytes).expect_err("must be refused")
    };
    let range = TxError::Wire(WireError::Range);
    assert_eq!(refused("8107"), TxError::UnsupportedKind);
    assert_eq!(refused("860001010100f6"), TxError::UnsupportedKind);
    assert_eq!(refused("850001030100"), TxError::UnsupportedKind);
    assert_eq!(refused("850001010000"), range);
    assert_eq!(refused("8103"), TxError::UnsupportedKind);
    assert_eq!(refused("80"), TxError::Wire(WireError::Truncated));
    assert_eq!(refused("4101"), TxError::Wire(WireError::Type));
}

#[test]
fn what_a_lock_or_claim_does_not_know_is_refused() {
    let refused = |kind: Kind, body: &str| {
        let mut bytes = with_element(7, &hex::decode(body).unwrap());
        let kind_at = bytes.len() - body.len() / 2 - 1;
        bytes[kind_at] = kind.number();
        Payload::decode(&bytes).expect_err("must be refused")
    };
    let (id, sale) = (format!("5820{}", "03".repeat(32)), TxError::Sale);
    let (range, truncated) = (WireError::Range, WireError::Truncated);
    let ticks = |term: &str, units: &str| format!("8501183218c8{term}840007{units}{id}");
    let predicate = |feed: &str, compare: u8, quorum: u8, readers: &str| {
        format!("8501183218c8018702{feed}{compare:02x}201903e8{quorum:02x}{readers}")
    };
    for (body, want) in [
        (ticks("00", "05"), sale(SaleError::Term)),
        (ticks("1a80000001", "05"), sale(SaleError::Term)),
        (ticks("01", "00"), sale(SaleError::Units)),
        (ticks("01", "1a00010001"), sale(SaleError::Units)),
        (ticks("01", "03"), sale(SaleError::Price)),
        ("85010018c801810a".into(), TxError::UnsupportedKind),
        ("8501183218c8018103".into(), TxError::UnsupportedKind),
        ("8501183218c801830000f6".into(), TxError::UnsupportedKind),
        ("8501183218c80180".into(), TxError::Wire(truncated)),
        ("8501183218c8018201a0".into(), TxError::Wire(truncated)),
        ("84010a0a01".into(), TxError::Wire(range)),
        (predicate("40", 0, 1, "8101"), sale(SaleError::Predicate)),
        (predicate("4101", 4, 1, "8101"), sale(SaleError::Predicate)),
        (predicate("4101", 0, 0, "8101"), sale(SaleError::Predicate)),
        (predicate("4101", 0, 2, "8101"), sale(SaleError::Predicate)),
        (predicate("4101", 0, 1, "80"), sale(SaleError::Predicate)),
        (
            predicate("4101", 0, 1, "820201"),
            sale(SaleError::Predicate),
        ),
        (
            predicate("4101", 0, 1, "89010203040506070809"),
            sale(SaleError::Predicate),
        ),
    ] {
        assert_eq!(refused(Kind::Lock, &body), want, "{body}");
    }
    let signature = format!("5840{}", "00".repeat(64));
    let said = |place: u8| format!("84{place:02x}181e00{signature}");
    for (body, want) in [
        (format!("83{id}02830001{id}"), TxError::Wire(range)),
        (format!("83{id}00830000{id}"), sale(SaleError::Units)),
        (
            format!("83{id}0083001a00010001{id}"),
            sale(SaleError::Units),
        ),
        (format!("83{id}00830100{signature}"), sale(SaleError::Price)),
        (format!("83{id}008103"), sale(SaleError::Price)),
        (format!("83{id}008104"), TxError::UnsupportedKind),
        (format!("83{id}00820280"), sale(SaleError::Predicate)),
        (
            format!("83{id}00820282{}{}", said(1), said(1)),
            sale(SaleError::Predicate),
        ),
        (
            format!("83{id}00820285{}", said(1)),
            sale(SaleError::Predicate),
        ),
        (format!("82{id}00"), TxError::Wire(range)),
    ] {
        assert_eq!(refused(Kind::Claim, &body), want, "{body}");
    }
}

#[test]
fn a_short_buffer_is_refused() {
    let payload = sample(TRANSFER);
    let whole = encode(&payload).unwrap();
    for len in 0..whole.len() {
        let mut out = vec![0; len];
        assert_eq!(
            payload.encode(&mut out),
            Err(TxError::Wire(WireError::Full))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_encoded_is_decoded(
        (first, tips) in ids(),
        numbers in (1u32.., any::<u16>(), 1u32.., any::<u32>()),
        owned in owned(),
    ) {
        let Ok(parents) = Parents::new(first, &tips) else {
            return Err(TestCaseError::reject("doubled parents"));
        };
        let payload = Payload {
            epoch: Epoch(numbers.0),
            issuer: MemberIndex(numbers.1),
            number: Number(numbers.2),
            offset: numbers.3,
            parents: parents.prefixes().unwrap(),
            body: owned.body(),
        };
        match encode(&payload) {
            Ok(bytes) => {
                prop_assert!(bytes.len() <= MAX_PAYLOAD);
                prop_assert_eq!(Payload::decode(&bytes), Ok(payload));
                prop_assert_eq!(payload.parents.check(parents.as_slice()), Ok(()));
            }
            Err(error) => prop_assert_eq!(error, TxError::PayloadTooLong),
        }
    }

    /// One flipped bit gives another payload or none: never the same one twice.
    #[test]
    fn no_second_encoding(owned in owned(), position in any::<prop::sample::Index>(), bit in 0u8..8) {
        let payload = sample(owned.body());
        let Ok(mut bytes) = encode(&payload) else { return Ok(()) };
        let at = position.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = Payload::decode(&bytes) {
            prop_assert_ne!(other, payload);
            prop_assert_eq!(encode(&other).unwrap(), bytes);
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 2..64)) {
        let _ = Payload::decode(&bytes);
        bytes[0] = 0x88;
        bytes[1] = 1;
        let _ = Payload::decode(&bytes);
    }
}
