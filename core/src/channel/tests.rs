//! Owner and readers together: loss, reordering, duplication, revokes, power cuts, and every refusal.

use super::reader::Proof;
use super::slots::{Slots, open_path, unwrap};
use super::statement::{Batch, Statement, WRAP};
use super::*;
use crate::crypto::hpke::derive_key_pair;
use crate::crypto::{PublicKey, SecretKey, SignatureError, Software};
use crate::node::test_platform::MemoryPlatform;
use crate::platform::Platform;
use crate::store::Geometry;
use crate::store::simulated::Board;
use crate::types::MemberIndex;
use crate::wire::{WireError, Writer};
use proptest::prelude::*;
use std::collections::BTreeSet;

const HERE: Id = Id([0x11; 32]);
const NUMBER: ChannelNumber = ChannelNumber { main: 1, sub: 0 };

fn signer() -> SecretKey {
    SecretKey::from_seed(&[1; 32]).unwrap()
}

fn channel() -> Id {
    channel_id(&HERE, &Id([7; 32]), NUMBER)
}

fn config(mode: Mode) -> owner::Config {
    owner::Config {
        channel: channel(),
        mode,
        key: 0x40,
        ahead: 8,
    }
}

fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    Vec::leak(vec![value; count])
}

fn an_owner(platform: &mut MemoryPlatform) -> Owner<'static> {
    Owner::open(platform, config(Mode::Private), None, leak(Id::ZERO, 8)).unwrap()
}

fn a_reader(owner: &Owner<'_>) -> Reader<'static> {
    let (skipped, recent) = (leak(Skipped::default(), 64), leak(Recent::default(), 64));
    let side = owner.side().cloned();
    Reader::new(owner.next(), owner.chain().clone(), side, skipped, recent)
}

/// A message and, where the form says so, its signature.
fn publish(
    owner: &mut Owner<'_>,
    platform: &mut MemoryPlatform,
    form: Form,
    body: &[u8],
) -> Vec<u8> {
    let mut out = vec![0; 1400];
    let done = owner.publish(platform, form, body, &mut out).unwrap();
    let len = match form.signed {
        true => done
            .sign(&signer().sign(&done.to_be_signed()), &mut out)
            .unwrap(),
        false => done.len,
    };
    out.truncate(len);
    out
}

fn read(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<(Opened, Vec<u8>), ChannelError> {
    let mut out = vec![0xee; 1300];
    let key = signer().public_key();
    let message = Sealed::parse(bytes)?;
    let opened = reader.open(&message, Proof::Check(&key, &mut Software), &mut out)?;
    out.truncate(opened.len);
    Ok((opened, out))
}

fn forms() -> Vec<Form> {
    let mut all = Vec::new();
    for signed in [false, true] {
        for (cose, long_tag) in [(false, false), (false, true), (true, true)] {
            all.push(Form {
                signed,
                cose,
                long_tag,
            });
        }
    }
    all
}

#[test]
fn sizes_on_the_wire() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    for form in forms() {
        for len in [16, 20, 64, 256, 1024] {
            let bytes = publish(&mut owner, platform, form, &vec![7; len]);
            let more = bytes.len() - len;
            println!("{form:?}: {len} bytes become {}", bytes.len());
            assert!(more <= if form.signed { 112 } else { 48 });
            assert!(form.signed || more <= message::OVERHEAD);
        }
    }
    // A sealed reading of 20 bytes in LoRaWAN's smallest payload.
    assert_eq!(
        publish(&mut owner, platform, Form::COMPACT, &[7; 20]).len(),
        37
    );
}

#[test]
fn every_form_opens_once_and_only_unchanged() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let mut reader = a_reader(&owner);
    for (at, form) in forms().into_iter().enumerate() {
        let bytes = publish(&mut owner, platform, form, b"twenty bytes of data");
        let before = reader.next();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&mut reader, &other).is_err(), "{form:?} bit {bit}");
        }
        for end in 0..bytes.len() {
            assert!(
                read(&mut reader, &bytes[..end]).is_err(),
                "{form:?} cut at {end}"
            );
        }
        assert_eq!(reader.next(), before);
        let (opened, body) = read(&mut reader, &bytes).unwrap();
        assert_eq!(
            (opened.index, opened.signed, opened.gap),
            (Index(at as u64), form.signed, 0)
        );
        assert_eq!(body, b"twenty bytes of data");
        assert_eq!(
            read(&mut reader, &bytes).err(),
            Some(ChannelError::Replayed)
        );
    }
}

#[test]
fn nothing_tells_two_messages_of_a_channel() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let a = publish(&mut owner, platform, Form::COMPACT, &[0; 20]);
    let b = publish(&mut owner, platform, Form::COMPACT, &[0; 20]);
    assert_eq!(a[0], b[0]);
    let same = a[1..].iter().zip(&b[1..]).filter(|(x, y)| x == y).count();
    assert!(same < 5, "{same} equal bytes");
    let id = channel().0;
    assert!(!a.windows(4).any(|w| id.windows(4).any(|x| x == w)));
}

#[test]
fn gaps_late_ones_and_the_window() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let mut reader = a_reader(&owner);
    let all: Vec<_> = (0..140u8)
        .map(|n| publish(&mut owner, platform, Form::COMPACT, &[n]))
        .collect();
    let (opened, _) = read(&mut reader, &all[3]).unwrap();
    assert_eq!((opened.gap, opened.late, opened.lost), (3, false, 0));
    let (opened, body) = read(&mut reader, &all[1]).unwrap();
    assert_eq!((opened.index, opened.late, body), (Index(1), true, vec![1]));
    assert_eq!(
        read(&mut reader, &all[1]).err(),
        Some(ChannelError::Replayed)
    );
    // One too far.
    assert_eq!(
        read(&mut reader, &all[4 + WINDOW]).err(),
        Some(ChannelError::Unknown)
    );
    let (opened, _) = read(&mut reader, &all[3 + WINDOW]).unwrap();
    assert_eq!((opened.gap, opened.lost), (63, 2));
    // 0 and 2 are more than the window behind, wiped.
    assert_eq!(
        read(&mut reader, &all[0]).err(),
        Some(ChannelError::Unknown)
    );
    assert_eq!(read(&mut reader, &all[4]).unwrap().1, [4]);
    assert_eq!(
        reader.announced(KeyEpoch(1), Index(3)),
        Err(ChannelError::Stale)
    );
    assert_eq!(
        reader.announced(KeyEpoch(2), Index(200)),
        Err(ChannelError::Stale)
    );
    let far = Index(69 + MAX_JUMP);
    assert_eq!(reader.announced(KeyEpoch(1), far), Err(ChannelError::Jump));
    assert!(reader.announced(KeyEpoch(1), Index(139)).is_ok());
    assert_eq!(read(&mut reader, &all[139]).unwrap().1, [139]);
    assert_eq!(read(&mut reader, &all[100]).unwrap().1, [100]);
}

#[test]
fn a_small_room_for_skipped_ones_loses_the_oldest() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let (skipped, recent) = (leak(Skipped::default(), 2), leak(Recent::default(), 0));
    let mut reader = Reader::new(owner.next(), owner.chain().clone(), None, skipped, recent);
    let all: Vec<_> = (0..6u8)
        .map(|n| publish(&mut owner, platform, Form::STANDARD, &[n]))
        .collect();
    let (opened, _) = read(&mut reader, &all[4]).unwrap();
    assert_eq!((opened.gap, opened.lost), (4, 2));
    assert_eq!(
        read(&mut reader, &all[1]).err(),
        Some(ChannelError::Unknown)
    );
    assert_eq!(read(&mut reader, &all[2]).unwrap().1, [2]);
    assert_eq!(read(&mut reader, &all[3]).unwrap().1, [3]);
    // Its place is not remembered: it is told from a stranger's by nothing.
    assert_eq!(
        read(&mut reader, &all[4]).err(),
        Some(ChannelError::Unknown)
    );
    assert_eq!(read(&mut reader, &all[5]).unwrap().1, [5]);
}

#[test]
fn a_fork_is_told_and_a_made_up_one_is_not_believed() {
    let signed = Form {
        signed: true,
        ..Form::COMPACT
    };
    for form in [signed, Form::COMPACT] {
        let platform = &mut MemoryPlatform::default();
        let mut owner = an_owner(platform);
        let mut reader = a_reader(&owner);
        // A second owner with the same key and state: a cheat, or a clone.
        let mut twin_platform = platform.clone();
        let first = publish(&mut owner, platform, form, b"one");
        let mut twin = Owner::open(
            &mut twin_platform,
            config(Mode::Private),
            None,
            leak(Id::ZERO, 8),
        )
        .unwrap();
        twin.set_for_test(Index(0), reader.chain().clone());
        let second = publish(&mut twin, &mut twin_platform, form, b"two");
        assert_eq!(first[1..9], second[1..9]);
        read(&mut reader, &first).unwrap();
        let before = reader.next();
        let found = read(&mut reader, &second).err();
        let wanted = if form.signed {
            ChannelError::Fork
        } else {
            ChannelError::Doubled
        };
        assert_eq!(found, Some(wanted));
        if form.signed {
            let mut forged = second.clone();
            *forged.last_mut().unwrap() ^= 1;
            let found = read(&mut reader, &forged).err();
            assert!(
                matches!(found, Some(ChannelError::Signature(_))),
                "{found:?}"
            );
        }
        assert_eq!(reader.next(), before);
    }
}

#[test]
fn a_signed_message_needs_its_owner() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let mut reader = a_reader(&owner);
    let mut out = vec![0; 1400];
    let form = Form {
        signed: true,
        ..Form::COMPACT
    };
    let done = owner.publish(platform, form, b"body", &mut out).unwrap();
    let stranger = SecretKey::from_seed(&[9; 32]).unwrap();
    let len = done
        .sign(&stranger.sign(&done.to_be_signed()), &mut out)
        .unwrap();
    let before = reader.next();
    let found = read(&mut reader, &out[..len]).err();
    assert_eq!(
        found,
        Some(ChannelError::Signature(SignatureError::Rejected))
    );
    assert_eq!(reader.next(), before);
    // Carried by a verified transaction it needs none of its own.
    let message = Sealed::parse_carried(&out[..done.len], true).unwrap();
    let mut plain = [0; 8];
    assert_eq!(
        Sealed::parse_carried(&out[..done.len], false).err(),
        Some(ChannelError::Form)
    );
    let opened = reader.open(&message, Proof::Carried, &mut plain).unwrap();
    assert_eq!((opened.signed, &plain[..opened.len]), (true, &b"body"[..]));
}

#[test]
fn a_batch_attributes_each_reading() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let mut reader = a_reader(&owner);
    assert_eq!(owner.batch(), Err(ChannelError::Batch));
    let mut full = false;
    for n in 0..8u8 {
        let mut out = [0; 64];
        let done = owner
            .publish(platform, Form::COMPACT, &[n; 20], &mut out)
            .unwrap();
        full = done.full;
        let (opened, _) = read(&mut reader, &out[..done.len]).unwrap();
        assert_eq!((opened.leaf, opened.signed), (done.leaf, false));
    }
    assert!(full);
    let batch = owner.batch().unwrap();
    assert_eq!((batch.count, batch.first), (8, Index(0)));
    for n in 0..8 {
        let mut path = [Id::ZERO; 6];
        let len = owner.path(Index(n), &mut path).unwrap();
        let leaf = reader.leaf(KeyEpoch(1), Index(n)).unwrap();
        let prove =
            |batch: &Batch, epoch, n, leaf: &Id| batch.prove(epoch, Index(n), leaf, &path[..len]);
        assert_eq!(prove(&batch, KeyEpoch(1), n, &leaf), Ok(()));
        assert!(prove(&batch, KeyEpoch(1), n ^ 1, &leaf).is_err());
        assert!(prove(&batch, KeyEpoch(1), n, &Id([1; 32])).is_err());
        assert_eq!(
            prove(&batch, KeyEpoch(2), n, &leaf),
            Err(ChannelError::Batch)
        );
        assert_eq!(
            prove(&batch, KeyEpoch(1), 8, &leaf),
            Err(ChannelError::Batch)
        );
    }
    owner.close_batch();
    assert_eq!(
        owner.path(Index(0), &mut [Id::ZERO; 6]),
        Err(ChannelError::Batch)
    );
}

fn place_of(reader: &Id, secret: u8) -> (Id, crate::crypto::agree::SecretKey) {
    (*reader, derive_key_pair(&[secret; 32]))
}

#[test]
fn a_grant_opens_for_its_reader_only_and_from_its_index_on() {
    let platform = &mut MemoryPlatform::default();
    for side in [None, Some(SideKey([5; 32]))] {
        let mode = if side.is_some() {
            Mode::Restricted
        } else {
            Mode::Private
        };
        let mut config = config(mode);
        config.key = 0x40 + mode as u16;
        let mut owner = Owner::open(platform, config, side.clone(), leak(Id::ZERO, 8)).unwrap();
        let old = publish(&mut owner, platform, Form::COMPACT, b"before");
        let (me, secret) = place_of(&Id([3; 32]), 3);
        let seal = grant::seal(
            owner.chain(),
            &owner.next(),
            &me,
            &secret.public_key(),
            side.as_ref(),
            &[8; 32],
        );
        let (sealed, slot_key) = seal.unwrap();
        let open = |sealed: &[u8; 80], place: Place, device: Id, side: Option<&SideKey>| {
            grant::open(
                sealed,
                &place,
                &Subscriber {
                    device: &device,
                    secret: &secret,
                    side,
                },
            )
        };
        let here = owner.next();
        let refused = if side.is_some() {
            ChannelError::SideKey
        } else {
            ChannelError::WrongReader
        };
        let other = Place {
            index: Index(0),
            ..here
        };
        assert_eq!(open(&sealed, other, me, side.as_ref()).err(), Some(refused));
        assert_eq!(
            open(&sealed, here, Id([4; 32]), side.as_ref()).err(),
            Some(refused)
        );
        assert_eq!(
            open(&sealed, here, me, Some(&SideKey([6; 32]))).err(),
            Some(ChannelError::SideKey)
        );
        let granted = open(&sealed, here, me, side.as_ref()).unwrap();
        assert_eq!(granted.slot_key.0, slot_key.0);
        let (skipped, recent) = (leak(Skipped::default(), 4), leak(Recent::default(), 4));
        let mut reader = Reader::new(here, granted.chain.clone(), side.clone(), skipped, recent);
        assert_eq!(read(&mut reader, &old).err(), Some(ChannelError::Unknown));
        let new = publish(&mut owner, platform, Form::COMPACT, b"after");
        // The chain's key without the side key, or with another, opens nothing.
        let (skipped, recent) = (leak(Skipped::default(), 4), leak(Recent::default(), 4));
        let wrong = Some(SideKey([6; 32]));
        let mut thief = Reader::new(here, granted.chain.clone(), wrong, skipped, recent);
        assert_eq!(read(&mut thief, &new).err(), Some(ChannelError::Unknown));
        assert_eq!(read(&mut reader, &new).unwrap().1, b"after");
    }
    let found = Owner::open(platform, config(Mode::Restricted), None, &mut []);
    assert_eq!(found.err(), Some(ChannelError::Mode));
}

fn grant_bytes(number: ChannelNumber, epoch: u32, index: u64, to: u16) -> Vec<u8> {
    let op = Op::Grant {
        number,
        epoch: KeyEpoch(epoch),
        index: Index(index),
        to: MemberIndex(to),
        sealed: &[9; 80],
    };
    sign(&op)
}

fn sign(op: &Op<'_>) -> Vec<u8> {
    let (mut body, mut scratch) = ([0; 1400], [0; 1600]);
    let mut w = Writer::new(&mut body);
    op.write(&mut w).unwrap();
    let body = w.into_written();
    let message = statement::to_be_signed(&HERE, &Id([7; 32]), body, &mut scratch).unwrap();
    [body, &signer().sign(message).0].concat()
}

#[test]
fn statements_travel_and_no_other_bytes_do() {
    let wraps = [[1; WRAP]; 3];
    let batch = Batch {
        epoch: KeyEpoch(1),
        first: Index(64),
        count: 64,
        root: Id([5; 32]),
    };
    let ops = [
        Op::Announce {
            number: NUMBER,
            mode: Mode::Restricted,
            epoch: KeyEpoch(3),
            index: Index(70_000),
        },
        Op::Root {
            number: NUMBER,
            batch,
        },
        Op::Subscribe {
            owner: MemberIndex(4),
            number: NUMBER,
            key: &[6; 32],
        },
        Op::Grant {
            number: NUMBER,
            epoch: KeyEpoch(1),
            index: Index(9),
            to: MemberIndex(70),
            sealed: &[7; 80],
        },
        Op::Revoke {
            number: NUMBER,
            epoch: KeyEpoch(2),
            index: Index(0),
            ended: Index(90),
            wraps: &wraps,
        },
        Op::Path {
            number: NUMBER,
            to: MemberIndex(70),
            slot: 5,
            sealed: &[8; 32 * 4 + 16],
        },
        Op::Message {
            number: ChannelNumber { main: 1, sub: 2 },
            sealed: &[3; 40],
        },
    ];
    let (key, mut scratch) = (signer().public_key(), [0; 1600]);
    for op in ops {
        let bytes = sign(&op);
        println!("{} bytes: {op:?}", bytes.len());
        let parsed = Statement::parse(&bytes).unwrap();
        let mut check = |here: &Id, who: &Id, key: &PublicKey| {
            parsed.verify(here, who, key, &mut Software, &mut scratch)
        };
        assert_eq!(check(&HERE, &Id([7; 32]), &key), Ok(op));
        assert!(check(&Id([1; 32]), &Id([7; 32]), &key).is_err());
        assert!(check(&HERE, &Id([8; 32]), &key).is_err());
        for end in 0..bytes.len() {
            assert!(Statement::parse(&bytes[..end]).is_err());
        }
        let mut longer = bytes.clone();
        longer.insert(bytes.len() - 64, 0);
        assert_eq!(
            Statement::parse(&longer).err(),
            Some(ChannelError::Wire(WireError::TrailingBytes))
        );
    }
    // The grant's ceiling: 160 bytes, for 255 numbers, 255 key epochs, 65,535 members and all indexes.
    assert_eq!(grant_bytes(NUMBER, 1, 1000, 70).len(), 155);
    let one = ChannelNumber { main: 255, sub: 0 };
    assert_eq!(grant_bytes(one, 255, u32::MAX.into(), 999).len(), 160);
    assert_eq!(
        grant_bytes(
            ChannelNumber {
                main: u16::MAX,
                sub: 1
            },
            u32::MAX,
            u32::MAX.into(),
            u16::MAX
        )
        .len(),
        166
    );
    let refused = |bytes: &[u8]| {
        let bytes = [bytes, &[0; 64]].concat();
        Statement::parse(&bytes).err()
    };
    let range = Some(ChannelError::Wire(WireError::Range));
    assert_eq!(refused(&[0x81, 7]), Some(ChannelError::Op));
    assert_eq!(refused(&[0x85, 0, 1, 3, 1, 0]), Some(ChannelError::Mode));
    assert_eq!(refused(&[0x85, 0, 1, 1, 0, 0]), range);
    assert_eq!(
        refused(&[0x85, 0, 1, 1, 1, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
        range
    );
    assert_eq!(refused(&[0x86, 4, 1, 1, 0, 0, 0x40]), range);
    assert_eq!(refused(&[0x86, 4, 1, 2, 0, 0, 0x41, 0]), range);
    assert_eq!(refused(&[0x85, 5, 1, 1, 0, 0x40]), range);
}

fn members(count: u8, depth: u8) -> (Slots, Vec<(u8, Vec<u8>)>) {
    let mut slots = Slots::new([2; 32], channel(), depth).unwrap();
    let given: Vec<u8> = (0..count).map(|_| slots.give().unwrap()).collect();
    let readers = given.into_iter().map(|slot| {
        let key = grant::SlotKey([slot; 32]);
        let (mut sealed, mut keys) = ([0; slots::MAX_PATH], [0; slots::MAX_PATH]);
        let len = slots.path(slot, &key, &mut sealed).unwrap();
        let other = grant::SlotKey([slot ^ 0xff; 32]);
        let forged = open_path(&sealed[..len], &channel(), slot, &other, &mut keys);
        assert_eq!(forged, Err(ChannelError::Forged));
        let len = open_path(&sealed[..len], &channel(), slot, &key, &mut keys).unwrap();
        (slot, keys[..len].to_vec())
    });
    let readers = readers.collect();
    (slots, readers)
}

fn at(epoch: u32) -> Place {
    Place {
        channel: channel(),
        epoch: KeyEpoch(epoch),
        index: Index(0),
    }
}

fn wraps(slots: &Slots, epoch: u32) -> Vec<[u8; WRAP]> {
    let chain = Chain::new([epoch as u8; 32]);
    slots
        .cover()
        .map(|node| slots.wrap(node, &at(epoch), &chain).unwrap())
        .collect()
}

#[test]
fn what_a_revoke_costs() {
    for (readers, depth) in [(2u8, 1u8), (16, 4), (128, 7)] {
        let (mut slots, all) = members(readers, depth);
        slots.revoke(0).unwrap();
        let one = wraps(&slots, 2);
        assert_eq!(one.len(), depth as usize);
        let worst = {
            let (mut slots, _) = members(readers, depth);
            (0..readers)
                .step_by(2)
                .for_each(|slot| slots.revoke(slot).unwrap());
            wraps(&slots, 2).len()
        };
        println!(
            "{readers} readers: linear {} bytes, tree {} bytes after one revoke, {} at worst ({} wraps)",
            48 * (usize::from(readers) - 1),
            WRAP * one.len(),
            WRAP * worst,
            worst
        );
        for (slot, keys) in &all {
            let found = unwrap(&one, &at(2), *slot, keys);
            match slot {
                0 => assert_eq!(found.err(), Some(ChannelError::Revoked)),
                _ => assert_eq!(found.unwrap().0, [2; 32]),
            }
            let other = unwrap(&one, &at(3), *slot, keys).err();
            assert!(other.is_some());
        }
    }
}

#[test]
fn who_comes_later_opens_no_earlier_revoke() {
    // 5 of 8: the cover has no subtree with an empty leaf in it.
    let (mut slots, _) = members(5, 3);
    let before = wraps(&slots, 2);
    let key = grant::SlotKey([1; 32]);
    let slot = slots.give().unwrap();
    let (mut sealed, mut keys) = ([0; slots::MAX_PATH], [0; slots::MAX_PATH]);
    let len = slots.path(slot, &key, &mut sealed).unwrap();
    let len = open_path(&sealed[..len], &channel(), slot, &key, &mut keys).unwrap();
    let found = unwrap(&before, &at(2), slot, &keys[..len]).err();
    assert_eq!(found, Some(ChannelError::Revoked));
    assert!(unwrap(&wraps(&slots, 3), &at(3), slot, &keys[..len]).is_ok());
}

#[test]
fn a_slot_is_given_once() {
    let (mut slots, _) = members(2, 1);
    assert_eq!(slots.give(), Err(ChannelError::SlotsFull));
    slots.revoke(1).unwrap();
    assert_eq!(slots.revoke(1), Err(ChannelError::Slot));
    assert_eq!(slots.revoke(2), Err(ChannelError::Slot));
    assert_eq!(slots.revoke(200), Err(ChannelError::Slot));
    assert_eq!(slots.give(), Err(ChannelError::SlotsFull));
    let (given, revoked) = slots.bitmaps();
    assert!(Slots::restore([2; 32], channel(), 1, given, revoked).is_ok());
    assert!(Slots::restore([2; 32], channel(), 1, given, 4).is_err());
    assert!(Slots::restore([2; 32], channel(), 1, 7, 0).is_err());
    assert!(Slots::new([2; 32], channel(), 8).is_err());
    assert_eq!(members(128, 7).0.cover().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_revoke_ends_one_reader_and_no_other() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let (mut slots, paths) = members(3, 2);
    let mut readers: Vec<_> = (0..3).map(|_| a_reader(&owner)).collect();
    let late = publish(&mut owner, platform, Form::COMPACT, b"late");
    slots.revoke(1).unwrap();
    let ended = owner.rekey(platform).unwrap();
    assert_eq!(ended, Index(1));
    let first = owner.next();
    let all: Vec<_> = slots
        .cover()
        .map(|n| slots.wrap(n, &first, owner.chain()).unwrap())
        .collect();
    let new = publish(&mut owner, platform, Form::COMPACT, b"new");
    for (reader, (slot, keys)) in readers.iter_mut().zip(&paths) {
        let chain = unwrap(&all, &first, *slot, keys);
        if *slot == 1 {
            assert_eq!(chain.err(), Some(ChannelError::Revoked));
            assert_eq!(read(reader, &new).err(), Some(ChannelError::Unknown));
            continue;
        }
        let chain = chain.unwrap();
        reader.rekeyed(first, chain.clone(), ended).unwrap();
        assert_eq!(
            reader.rekeyed(first, chain, ended),
            Err(ChannelError::Stale)
        );
        assert_eq!(read(reader, &new).unwrap().1, b"new");
        // What was on its way under the old key still comes.
        assert_eq!(read(reader, &late).unwrap().1, b"late");
    }
}

#[test]
fn the_last_index_is_the_last() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    owner.set_for_test(Index(LAST_INDEX), Chain::new([1; 32]));
    publish(&mut owner, platform, Form::COMPACT, b"last");
    let found = owner
        .publish(platform, Form::COMPACT, b"more", &mut [0; 64])
        .err();
    assert_eq!(found, Some(ChannelError::IndexOverflow));
    // A restart does not go on either; a new key epoch does.
    let mut owner = an_owner(platform);
    let found = owner
        .publish(platform, Form::COMPACT, b"more", &mut [0; 64])
        .err();
    assert_eq!(found, Some(ChannelError::IndexOverflow));
    owner.rekey(platform).unwrap();
    publish(&mut owner, platform, Form::COMPACT, b"first");
}

#[test]
fn an_owner_that_cannot_store_says_nothing() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    (0..8).for_each(|_| drop(publish(&mut owner, platform, Form::COMPACT, b"x")));
    platform.fail_put = true;
    let before = owner.next();
    let found = owner
        .publish(platform, Form::COMPACT, b"x", &mut [0; 64])
        .err();
    assert_eq!(
        (found, owner.next()),
        (Some(ChannelError::Platform), before)
    );
    assert_eq!(owner.rekey(platform), Err(ChannelError::Platform));
    assert_eq!(owner.next(), before);
    platform.fail_put = false;
    publish(&mut owner, platform, Form::COMPACT, b"x");
    let long = [0; message::MAX_BODY + 1];
    let found = owner
        .publish(platform, Form::COMPACT, &long, &mut [0; 1400])
        .err();
    assert_eq!(found, Some(ChannelError::TooLong));
    let found = owner
        .publish(platform, Form::COMPACT, &[0; 20], &mut [0; 36])
        .err();
    assert_eq!(
        (found, owner.next().index),
        (Some(ChannelError::Full), Index(9))
    );
    platform.put(0x40, b"damaged").unwrap();
    let found = Owner::open(platform, config(Mode::Private), None, &mut []).err();
    assert!(matches!(found, Some(ChannelError::Wire(_))));
}

/// Publishes 40 messages and opens a key epoch in the middle; the power goes at operation `cut`, and `then` operations after it came back. Gives the operations of a life without cuts.
fn live(geometry: Geometry, seed: u64, cut: Option<u64>, then: Option<u64>) -> u64 {
    let board = Board::new(geometry, seed % 2 == 1, seed);
    board.0.borrow_mut().cut_at = cut;
    board.0.borrow_mut().then = then;
    let mut platform = MemoryPlatform::on(&board);
    let mut seen = BTreeSet::new();
    let mut lookups = BTreeSet::new();
    let (mut told, mut rekeyed) = (0, false);
    let mut tries = 0;
    while told < 40 {
        tries += 1;
        assert!(tries < 50);
        if platform.dead {
            platform = platform.again();
        }
        let leaves = leak(Id::ZERO, 8);
        let Ok(mut owner) = Owner::open(&mut platform, config(Mode::Private), None, leaves) else {
            continue;
        };
        while told < 40 && !platform.dead {
            if told == 20 && !rekeyed {
                rekeyed = owner.rekey(&mut platform).is_ok();
                continue;
            }
            let mut out = [0; 64];
            if let Ok(done) = owner.publish(&mut platform, Form::COMPACT, b"reading", &mut out) {
                // A byte leaves only if the write before it was done.
                let new = seen.insert((done.place.epoch, done.place.index));
                assert!(new, "{:?} twice, cut {cut:?} {then:?}", done.place);
                assert!(lookups.insert(out[1..9].to_vec()));
                told += 1;
            }
        }
    }
    let operations = board.0.borrow().operations;
    operations
}

#[test]
fn no_place_is_sealed_twice_whenever_the_power_goes() {
    let geometries = [
        Geometry {
            unit: 32,
            block: 4096,
            blocks: 4,
        },
        Geometry {
            unit: 8,
            block: 1024,
            blocks: 6,
        },
    ];
    let mut cuts = 0;
    for (seed, geometry) in (0..).zip(geometries) {
        let whole = live(geometry, seed, None, None);
        for cut in 1..=whole {
            live(geometry, seed, Some(cut), None);
            cuts += 1;
            for then in (1..whole).step_by(3) {
                live(geometry, seed, Some(cut), Some(then));
                cuts += 1;
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Loss is made good by sending again; what comes in any order, doubled, within the window, is read once each, from the grant on; a stranger and one with an older epoch's key read nothing.
    #[test]
    fn a_reader_ends_with_the_whole_stream(seed in any::<u64>(), from in 0usize..30, count in 1usize..90, lossy in any::<bool>()) {
        let mut dice = crate::store::simulated::Dice(seed);
        let platform = &mut MemoryPlatform { seed, ..MemoryPlatform::default() };
        let mut owner = an_owner(platform);
        let revoked = &mut a_reader(&owner);
        owner.rekey(platform).unwrap();
        let before: Vec<_> = (0..from).map(|n| publish(&mut owner, platform, Form::COMPACT, &[n as u8])).collect();
        let mut reader = a_reader(&owner);
        let mut stranger = Reader::new(owner.next(), Chain::new([9; 32]), None, leak(Skipped::default(), 8), leak(Recent::default(), 8));
        let all: Vec<_> = (0..count).map(|n| {
            let form = forms()[dice.below(6) as usize];
            publish(&mut owner, platform, form, &[n as u8])
        }).collect();
        // Each may be late by up to 20 places and comes once or twice; a lost one comes again at the end of its twenty.
        let mut order: Vec<(usize, usize)> = Vec::new();
        for n in 0..count {
            let late = if lossy && dice.below(5) == 0 { 25 } else { dice.below(20) as usize };
            order.push((n + late, n));
            if dice.below(3) == 0 { order.push((n + dice.below(40) as usize, n)); }
        }
        order.sort_unstable();
        let mut got = BTreeSet::new();
        for (_, n) in order {
            match read(&mut reader, &all[n]) {
                Ok((opened, body)) => {
                    prop_assert_eq!(opened.index.0 as usize, from + n);
                    prop_assert_eq!(body, vec![n as u8]);
                    prop_assert!(got.insert(n));
                }
                Err(error) => prop_assert!(matches!(error, ChannelError::Replayed | ChannelError::Unknown) && got.contains(&n), "{:?}", error),
            }
            prop_assert_eq!(read(&mut stranger, &all[n]).err(), Some(ChannelError::Unknown));
            prop_assert_eq!(read(revoked, &all[n]).err(), Some(ChannelError::Unknown));
        }
        prop_assert_eq!(got.len(), count);
        for old in &before {
            prop_assert_eq!(read(&mut reader, old).err(), Some(ChannelError::Unknown));
        }
    }

    #[test]
    fn no_bytes_make_a_parser_stop(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0u8..16) {
        let _ = Statement::parse(&bytes);
        let _ = Sealed::parse(&bytes);
        let _ = Sealed::parse_carried(&bytes, true);
        let framed = [&[0x10 | head][..], &bytes].concat();
        let _ = Sealed::parse(&framed);
    }
}

#[test]
fn what_a_chain_takes_in_ram() {
    use core::mem::size_of;
    let sizes = [
        size_of::<Reader<'_>>(),
        size_of::<Skipped>(),
        size_of::<Recent>(),
        size_of::<Owner<'_>>(),
        size_of::<Slots>(),
    ];
    println!(
        "reader {}, skipped {}, recent {}, owner {}, slots {}",
        sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    );
    // A reader without its rooms, of which the application chooses the size.
    assert!(size_of::<Reader<'_>>() <= 352);
}
