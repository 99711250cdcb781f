use super::super::context::{Context, Nothing};
use super::super::testing::*;
use super::*;
use crate::channel::{ChannelNumber, Op};
use crate::crypto::{PublicKey, Suite};
use crate::tx::{Body, MemberOp, Payload, Prefixes, Stub};
use crate::wire::list::List;
use crate::wire::{Certificates, Frame};
use crate::{Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number, Prefix};
use proptest::prelude::{
    ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_assume, proptest,
};

const PEER: Peer = Peer(1);

fn packed<C: Context>(frame: &[u8], context: &C) -> Option<Vec<u8>> {
    let mut out = [0; MAX_FRAME];
    let packed = compress(frame, PEER, Hope::All, context, &mut out)?;
    Some(out[..packed.len].to_vec())
}

fn rebuilt<C: Context>(packed: &[u8], context: &C) -> Result<Vec<u8>, DecompressError> {
    let mut out = [0xee; MAX_FRAME];
    let len = decompress(packed, context, &mut out)?;
    Ok(out[..len].to_vec())
}

fn transfer() -> Body<'static> {
    Body::Transfer {
        to: MemberIndex(2),
        amount: Amount(250),
        debits: Amount(9_250),
    }
}

fn frame(list: &Frame<'_>) -> Vec<u8> {
    let mut out = vec![0; MAX_FRAME];
    let len = list.write(NBH.tag(), &mut out).unwrap();
    out.truncate(len);
    out
}

#[test]
fn a_transfer_in_step_fits_one_802_15_4_frame() {
    let mut rng = Rng(1);
    let book = Book::drawn(&mut rng, &[4, 7, 9]);
    let tips = book.tips();
    let whole = next_frame(&book, 4, &tips, transfer(), &mut rng);
    assert!(whole.len() >= 144, "{}", whole.len());
    let packed = packed(&whole, &book).unwrap();
    // Dispatch, check 2, flags, name 2, time 2, two names 4, signature 64, body 6.
    assert_eq!(packed.len(), 82);
    assert_eq!(rebuilt(&packed, &book), Ok(whole));
}

#[test]
fn a_reading_like_the_last_travels_as_the_difference() {
    let mut rng = Rng(2);
    let mut book = Book::drawn(&mut rng, &[4, 7, 9]);
    let old = b"\x81\xa3\x00dtemp\x01cCel\x02\xc4\x82\x20\x18\xd7";
    let new = b"\x81\xa3\x00dtemp\x01cCel\x02\xc4\x82\x20\x18\xd9";
    let time = book.seen[&book.newest(4).1].time.0;
    let id = rng.id();
    book.add(4, id, book.header + 1, time + 5, old);
    let whole = next_frame(&book, 4, &book.tips(), Body::Data(new), &mut rng);
    let close = packed(&whole, &book).unwrap();
    assert_eq!(close.len(), 76 + 3);
    assert_eq!(rebuilt(&close, &book), Ok(whole.clone()));
    // Who has forgotten the last reading asks for the whole form.
    let mut other = book.clone();
    other.bodies.clear();
    assert!(matches!(
        rebuilt(&close, &other),
        Err(DecompressError::OutOfStep(_))
    ));
    // And who has another cannot be fooled.
    other.bodies.insert(
        id,
        b"\x81\xa3\x00dtenp\x01cCel\x02\xc4\x82\x20\x18\xd7".to_vec(),
    );
    assert!(rebuilt(&close, &other).is_err());
    let plain = packed(&whole, &other).unwrap();
    assert_eq!(rebuilt(&plain, &book), Ok(whole));
}

#[test]
fn a_beacon_names_what_the_neighbour_has_and_spells_the_news() {
    let mut rng = Rng(3);
    let members: Vec<u16> = (0..8).collect();
    let mut book = Book::drawn(&mut rng, &members);
    let tips: Vec<Prefix> = book.tips().iter().map(Id::prefix).collect();
    let header = HeaderNumber(book.header);
    let now = Millis(book.clocks[&(book.header + 1)] + 123_456);
    let tips = List::of(&tips);
    let whole = frame(&Frame::Beacon { now, header, tips });
    let known = packed(&whole, &book).unwrap();
    assert_eq!((whole.len(), known.len()), (154, 3 + 1 + 3 + 8 * 2));
    assert_eq!(rebuilt(&known, &book), Ok(whole.clone()));
    let news = book.tips()[3];
    book.unknown.insert(news);
    let packed = packed(&whole, &book).unwrap();
    assert_eq!(packed.len(), known.len() + 15);
    let mut other = book.clone();
    other.seen.remove(&news);
    let at = book.seen[&news].issuer.0;
    other.chains.get_mut(&at).unwrap().pop();
    assert_eq!(rebuilt(&packed, &other), Ok(whole));
    assert!(matches!(
        rebuilt(&known, &other),
        Err(DecompressError::OutOfStep(_))
    ));
}

#[test]
fn a_request_names_by_four_bytes_and_an_announcement_by_all() {
    let mut rng = Rng(4);
    let book = Book::drawn(&mut rng, &[1, 2, 3]);
    let ids: Vec<Prefix> = book.tips().iter().map(Id::prefix).collect();
    let request = frame(&Frame::Request(List::of(&ids)));
    let announce = frame(&Frame::Announce(List::of(&ids)));
    let (a, b) = (
        packed(&request, &book).unwrap(),
        packed(&announce, &book).unwrap(),
    );
    assert_eq!((request.len(), a.len()), (57, 15));
    assert_eq!((announce.len(), b.len()), (57, 51));
    assert_eq!(rebuilt(&a, &book), Ok(request));
    // The reader of an announcement needs to hold nothing but the tag.
    let empty = Book {
        tag: book.tag,
        ..Book::default()
    };
    assert_eq!(rebuilt(&b, &empty), Ok(announce));
    assert!(matches!(
        rebuilt(&a, &empty),
        Err(DecompressError::OutOfStep(_))
    ));
    let other = Book {
        tag: [9; 4],
        ..book.clone()
    };
    assert!(matches!(
        rebuilt(&b, &other),
        Err(DecompressError::OutOfStep(_))
    ));
    // Two ids that begin alike.
    let mut twice = book.clone();
    let mut id = book.tips()[0];
    id.0[31] ^= 1;
    twice.add(2, id, twice.header + 1, 1, b"x");
    assert!(matches!(
        rebuilt(&a, &twice),
        Err(DecompressError::OutOfStep(_))
    ));
}

#[test]
fn what_has_no_rule_or_no_context_travels_whole() {
    let mut rng = Rng(5);
    let book = Book::drawn(&mut rng, &[1, 2, 3]);
    let whole = next_frame(&book, 1, &book.tips(), transfer(), &mut rng);
    assert_eq!(packed(&whole, &Nothing), None);
    let other = Book {
        tag: [9; 4],
        ..book.clone()
    };
    assert_eq!(packed(&whole, &other), None, "another neighbourhood");
    assert_eq!(
        packed(
            &frame(&Frame::HeaderRequest {
                header: HeaderNumber(3)
            }),
            &book
        ),
        None
    );
    assert_eq!(packed(&whole[..40], &book), None);
    let mut bent = whole.clone();
    bent[6] ^= 1;
    assert_eq!(packed(&bent, &book), None);
    let mut out = [0; 3];
    assert_eq!(
        decompress(&[8, 0, 0], &book, &mut out),
        Err(DecompressError::BufferTooSmall)
    );
    assert_eq!(
        rebuilt(&[8, 0, 0], &Nothing),
        Err(DecompressError::OutOfStep(0))
    );
    for bytes in [
        &[][..],
        &[8],
        &[8, 1, 2],
        &[0, 1, 2, 3],
        &[0x20, 1, 2],
        &[0xff; 90],
    ] {
        assert_eq!(rebuilt(bytes, &book), Err(DecompressError::Malformed));
    }
}

/// A transaction of any kind, over any parents, in step or old or new.
fn any_frame(rng: &mut Rng, book: &Book) -> Vec<u8> {
    let members: Vec<u16> = book.chains.keys().copied().collect();
    let member = members[rng.below(members.len() as u64) as usize];
    let (head, newest) = book.newest(member);
    let (number, first) = match rng.below(4) {
        0 if head.0 > 1 => (head, book.chains[&member][head.0 as usize - 1]),
        1 => (Number(1 + rng.below(1 << 32) as u32 / 2), rng.id()),
        _ => (Number(head.0 + 1), newest),
    };
    let mut others: Vec<Prefix> = (0..rng.below(8))
        .map(|_| match rng.below(4) {
            0 => rng.id().prefix(),
            _ => book.tips()[rng.below(book.tips().len() as u64) as usize].prefix(),
        })
        .filter(|p| *p != first.prefix())
        .collect();
    others.sort_unstable();
    others.dedup();
    let mut parents = vec![first.prefix()];
    parents.extend(others);
    let length = 1 + rng.below(60) as usize;
    let mut data = rng.bytes(length);
    if let Some(last) = book.bodies.get(&first)
        && rng.below(2) == 0
    {
        data = last.clone();
        let at = rng.below(data.len() as u64) as usize;
        data[at] ^= 0x55;
        if rng.below(3) == 0 {
            data.insert(at, 7);
        }
    }
    let (a, b) = (rng.id(), rng.id());
    let sixty_four: [u8; 64] = rng.bytes(64).try_into().unwrap();
    let amount = Amount(1 + rng.below(1 << 40));
    let debits = Amount(amount.0 + rng.below(1 << 40));
    let to = MemberIndex(rng.next() as u16);
    let op = match rng.below(4) {
        0 => MemberOp::Join {
            certificates: Certificates {
                first: &data,
                second: None,
            },
            proof: &sixty_four,
        },
        1 => MemberOp::Rotate {
            key: PublicKey::Ed25519(a.0),
            consent: &sixty_four,
        },
        2 => MemberOp::Leave,
        _ => MemberOp::Revoke { list: &data },
    };
    let body = match rng.below(9) {
        0 | 1 => Body::Data(&data),
        2 => Body::Service(&data),
        3 => Body::Transfer { to, amount, debits },
        4 => Body::Exit {
            amount,
            debits,
            target: [7; 20],
        },
        5 => Body::Trim {
            cut: Millis(rng.next() >> 20),
            previous: a,
            header: HeaderNumber(rng.next() as u32),
            header_hash: b,
        },
        6 => Body::Evidence {
            offender: to,
            a: a.min(b),
            b: a.max(b),
        },
        7 => Body::Channel(Op::Message {
            number: ChannelNumber { main: 1, sub: 0 },
            sealed: &data,
        }),
        _ => Body::Member(op),
    };
    let epoch = match rng.below(3) {
        0 => 1 + rng.below(1 << 20) as u32,
        _ => book.header + 1,
    };
    let payload = Payload {
        epoch: Epoch(epoch),
        issuer: MemberIndex(member),
        number,
        offset: match rng.below(3) {
            0 => rng.next() as u32,
            _ => 500_000 + rng.below(90_000) as u32,
        },
        parents: Prefixes::new(&parents).unwrap(),
        body,
    };
    let suite = [Suite::Ed25519, Suite::Es256][rng.below(2) as usize];
    let stubs: Vec<Stub> = (0..rng.below(parents.len() as u64) as u8)
        .map(|p| Stub::of(p, &a))
        .collect();
    let stubs = (!stubs.is_empty()).then_some(&stubs[..]);
    tx_frame(&payload, suite, rng, stubs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// In step, the very bytes come back, whatever the builders can make.
    #[test]
    fn what_was_compressed_comes_back(seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let members: Vec<u16> = (0..2 + rng.below(6)).map(|_| (rng.next() >> (48 + rng.below(16))) as u16).collect();
        let book = Book::drawn(&mut rng, &members);
        for _ in 0..8 {
            let whole = any_frame(&mut rng, &book);
            if let Some(packed) = packed(&whole, &book) {
                prop_assert!(packed.len() <= whole.len());
                prop_assert_eq!(rebuilt(&packed, &book), Ok(whole));
            }
        }
    }

    /// Out of step, it is the very bytes or an error; nothing between.
    #[test]
    fn out_of_step_gives_an_error_and_no_other_frame(seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let book = Book::drawn(&mut rng, &[0, 1, 5, 300]);
        let whole = any_frame(&mut rng, &book);
        let packed = packed(&whole, &book);
        prop_assume!(packed.is_some());
        let packed = packed.unwrap();
        let mut other = book.clone();
        for _ in 0..1 + rng.below(3) {
            let member = [0, 1, 5, 300][rng.below(4) as usize];
            match rng.below(5) {
                0 => {
                    let id = rng.id();
                    let epoch = other.header + 1;
                    other.add(member, id, epoch, rng.below(1 << 40), b"new");
                }
                1 => { other.chains.get_mut(&member).unwrap().truncate(1); }
                2 => other.bodies.clear(),
                3 => { other.clocks.insert(other.header + 1, 77); }
                _ => { other.seen.retain(|id, _| id.0[0] & 1 == 0); }
            }
        }
        // One in 65,536 passes with other bytes; none of these does.
        match rebuilt(&packed, &other) {
            Ok(frame) => prop_assert_eq!(frame, whole),
            Err(error) => prop_assert_eq!(error, DecompressError::OutOfStep(check_of(&whole))),
        }
    }

    /// Whatever comes in: no panic, and a frame only where the check is right.
    #[test]
    fn hostile_bytes_never_panic(first in 4u8..0x18, bytes in proptest::collection::vec(any::<u8>(), 0..300), seed in any::<u64>()) {
        let mut rng = Rng(seed);
        let book = Book::drawn(&mut rng, &[0, 1, 2, 3]);
        let mut packed = vec![first];
        packed.extend(&bytes);
        if let Ok(frame) = rebuilt(&packed, &book) {
            prop_assert_eq!(check_of(&frame), u16::from_be_bytes([packed[1], packed[2]]));
        }
    }

    /// One changed byte of a compressed frame: the same frame (an integer written otherwise), or none. Bytes of the signature are the check's too.
    #[test]
    fn a_changed_byte_gives_no_other_frame(seed in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut rng = Rng(seed);
        let book = Book::drawn(&mut rng, &[0, 1, 5, 300]);
        let tips = book.tips();
        let whole = next_frame(&book, 5, &tips, transfer(), &mut rng);
        let mut packed = packed(&whole, &book).unwrap();
        let at = at.index(packed.len());
        packed[at] ^= 1 << bit;
        if let Ok(frame) = rebuilt(&packed, &book) {
            prop_assert_eq!(frame, whole);
        }
    }
}
