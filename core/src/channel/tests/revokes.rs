//! The tree of readers: what a revoke costs, who it ends, who opens nothing.

use super::*;

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
    let ended = owner.rekey(platform, NEWEST).unwrap();
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
