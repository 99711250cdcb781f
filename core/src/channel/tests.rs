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
use crate::types::{MemberIndex, Number};
use crate::wire::{WireError, Writer};
use proptest::prelude::*;
use std::collections::BTreeSet;

mod crowd;
mod market;
mod power;
mod revokes;
mod statements;
mod stored;
mod streams;

/// The node beside it has signed nothing.
const NEWEST: Number = Number(0);
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
    Owner::open(
        platform,
        NEWEST,
        config(Mode::Private),
        None,
        leak(Id::ZERO, 8),
    )
    .unwrap()
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
    let done = owner
        .publish(platform, NEWEST, form, body, &mut out)
        .unwrap();
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
            NEWEST,
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
    let done = owner
        .publish(platform, NEWEST, form, b"body", &mut out)
        .unwrap();
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
            .publish(platform, NEWEST, Form::COMPACT, &[n; 20], &mut out)
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
        let mut owner =
            Owner::open(platform, NEWEST, config, side.clone(), leak(Id::ZERO, 8)).unwrap();
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
                &Addressee {
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
    let found = Owner::open(platform, NEWEST, config(Mode::Restricted), None, &mut []);
    assert_eq!(found.err(), Some(ChannelError::Mode));
}
