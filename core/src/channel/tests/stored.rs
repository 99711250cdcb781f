//! A reader over resets: the power goes at every operation of the flash, and what comes again is opened once more or not at all, as was stored.

use super::*;
use crate::channel::reader::stored::{MAX_SEAT, Seat, stored_len};

const KEY: u16 = 0x50;
const SEAT: u16 = 0x51;

/// What reaches the reader.
enum Event {
    Message(Vec<u8>),
    Rekey(Place, Chain, Index),
}

/// 24 messages, two of them late and one a key epoch late; a new key epoch in the middle.
fn stream() -> (Place, Chain, Vec<Event>) {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let (first, chain) = (owner.next(), owner.chain().clone());
    let mut events = Vec::new();
    for n in 0..24_u8 {
        if n == 12 {
            let ended = owner.rekey(platform, NEWEST).unwrap();
            events.push(Event::Rekey(owner.next(), owner.chain().clone(), ended));
        }
        events.push(Event::Message(publish(
            &mut owner,
            platform,
            Form::COMPACT,
            &[n; 20],
        )));
    }
    events.swap(3, 6);
    events.swap(10, 15);
    (first, chain, events)
}

fn rooms() -> (&'static mut [Skipped], &'static mut [Recent]) {
    (leak(Skipped::default(), 16), leak(Recent::default(), 4))
}

fn load(platform: &mut MemoryPlatform) -> Result<Option<Reader<'static>>, ChannelError> {
    let (skipped, recent) = rooms();
    let mut buffer = [0; stored_len(16)];
    let done = Reader::load(platform, KEY, None, skipped, recent, &mut buffer);
    assert!(buffer.iter().all(|byte| *byte == 0) || done.is_err());
    done
}

fn store(reader: &Reader<'_>, platform: &mut MemoryPlatform) -> Result<(), ChannelError> {
    reader.store(platform, KEY, &mut [0; stored_len(16)])
}

/// Everything comes again and again until all of it was opened; the power goes at `cut`, and at `then` after it came back.
fn live(geometry: Geometry, seed: u64, cut: Option<u64>, then: Option<u64>) -> u64 {
    let board = Board::new(geometry, seed % 2 == 1, seed);
    board.0.borrow_mut().cut_at = cut;
    board.0.borrow_mut().then = then;
    let mut platform = MemoryPlatform::on(&board);
    let (first, chain, events) = stream();
    let (mut opened, mut stored) = (BTreeSet::new(), BTreeSet::new());
    let mut rekeyed = false;
    let all = events.len() - 1;
    let mut lives = 0;
    while opened.len() < all {
        lives += 1;
        assert!(lives < 10, "cut {cut:?} {then:?}: {opened:?}");
        if platform.dead {
            platform = platform.again();
        }
        let Ok(loaded) = load(&mut platform) else {
            assert!(platform.dead);
            continue;
        };
        assert!(loaded.is_some() || stored.is_empty());
        let mut reader = loaded.unwrap_or_else(|| {
            let (skipped, recent) = rooms();
            Reader::new(first, chain.clone(), None, skipped, recent)
        });
        assert!(
            !rekeyed || reader.next().epoch == KeyEpoch(2),
            "cut {cut:?}"
        );
        for (at, event) in events.iter().enumerate() {
            let message = match event {
                Event::Rekey(place, chain, ended) => {
                    if reader.rekeyed(*place, chain.clone(), *ended).is_ok() {
                        rekeyed |= store(&reader, &mut platform).is_ok() && !platform.dead;
                    }
                    continue;
                }
                Event::Message(message) => message,
            };
            match read(&mut reader, message) {
                Ok((_, text)) => {
                    assert_eq!(text.len(), 20);
                    assert!(!stored.contains(&at), "{at} twice, cut {cut:?} {then:?}");
                    opened.insert(at);
                    if store(&reader, &mut platform).is_ok() && !platform.dead {
                        stored.insert(at);
                    }
                }
                // In this life or before: then it was stored, or will come again after a cut.
                Err(ChannelError::Unknown | ChannelError::Replayed) => {}
                Err(error) => panic!("{error:?}"),
            }
            if platform.dead {
                break;
            }
        }
    }
    board.0.borrow().operations
}

#[test]
fn nothing_is_lost_or_opened_again_whenever_the_power_goes() {
    let geometries = [(32, 4096, 4), (8, 2048, 5)];
    let mut cuts = 0;
    for (seed, (unit, block, blocks)) in (0..).zip(geometries) {
        let geometry = Geometry {
            unit,
            block,
            blocks,
        };
        let whole = live(geometry, seed, None, None);
        for cut in 1..=whole {
            live(geometry, seed, Some(cut), None);
            cuts += 1;
            for then in (1..whole).step_by(149) {
                live(geometry, seed, Some(cut), Some(then));
                cuts += 1;
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 1_000);
}

#[test]
fn what_is_stored_is_what_was_opened() {
    let platform = &mut MemoryPlatform::default();
    let (first, chain, events) = stream();
    let (skipped, recent) = rooms();
    let mut reader = Reader::new(first, chain, None, skipped, recent);
    let messages: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Message(bytes) => Some(bytes),
            Event::Rekey(..) => None,
        })
        .collect();
    assert!(load(platform).unwrap().is_none());
    read(&mut reader, messages[0]).unwrap();
    store(&reader, platform).unwrap();
    let before = platform.store.clone();
    // Neither a forged message nor a store that fails changes what is there.
    let mut forged = messages[1].clone();
    forged[20] ^= 1;
    assert_eq!(read(&mut reader, &forged).err(), Some(ChannelError::Forged));
    store(&reader, platform).unwrap();
    assert_eq!(platform.store, before);
    read(&mut reader, messages[3]).unwrap();
    platform.fail_put = true;
    assert_eq!(store(&reader, platform), Err(ChannelError::Platform));
    platform.fail_put = false;
    assert_eq!(platform.store, before);
    let short = reader.store(platform, KEY, &mut [0; 90]);
    assert_eq!((short, &platform.store), (Err(ChannelError::Full), &before));
    store(&reader, platform).unwrap();
    let kept = reader.skipped_for_test();
    assert!(kept > 1);
    let mut again = load(platform).unwrap().unwrap();
    assert_eq!(
        (again.next(), again.skipped_for_test()),
        (reader.next(), kept)
    );
    assert_eq!(
        read(&mut again, messages[0]).err(),
        Some(ChannelError::Unknown)
    );
    assert!(read(&mut again, messages[1]).unwrap().0.late);
    // Less room: the newest stay.
    let (skipped, recent) = (leak(Skipped::default(), 1), leak(Recent::default(), 0));
    let mut buffer = [0; stored_len(16)];
    let small = Reader::load(platform, KEY, None, skipped, recent, &mut buffer);
    assert_eq!(small.unwrap().unwrap().skipped_for_test(), 1);
    // Every byte less, and any that makes it no record, is refused.
    let whole = platform.store[&KEY].clone();
    for len in 0..whole.len() {
        platform.store.insert(KEY, whole[..len].to_vec());
        assert!(
            matches!(load(platform), Err(ChannelError::Wire(_))),
            "{len}"
        );
    }
    for (at, byte) in [(0, 0x85), (1, 2), (36, 0)] {
        let mut bent = whole.clone();
        bent[at] = byte;
        platform.store.insert(KEY, bent);
        assert!(matches!(load(platform), Err(ChannelError::Wire(_))), "{at}");
    }
}

#[test]
fn a_seat_is_kept_and_opens_a_revoke_after_a_reset() {
    let platform = &mut MemoryPlatform::default();
    let (keys, mut buffer) = ([7; 32 * 8], [0; MAX_SEAT]);
    assert!(Seat::load(platform, SEAT, &mut buffer).unwrap().is_none());
    let mut slots = Slots::new([9; 32], channel(), 2).unwrap();
    let slot = slots.give().unwrap();
    let slot_key = grant::SlotKey([4; 32]);
    let (mut sealed, mut opened) = ([0; 512], [0; 512]);
    let len = slots.path(slot, &slot_key, &mut sealed).unwrap();
    let len = open_path(&sealed[..len], &channel(), slot, &slot_key, &mut opened).unwrap();
    let seat = Seat {
        channel: channel(),
        slot,
        keys: &opened[..len],
    };
    assert_eq!(
        seat.store(platform, SEAT, &mut [0; 40]),
        Err(ChannelError::Full)
    );
    seat.store(platform, SEAT, &mut buffer).unwrap();
    assert_eq!(buffer, [0; MAX_SEAT]);
    let place = Place {
        channel: channel(),
        epoch: KeyEpoch(2),
        index: Index(0),
    };
    let chain = Chain::new([5; 32]);
    let wraps: Vec<_> = slots
        .cover()
        .map(|node| slots.wrap(node, &place, &chain).unwrap())
        .collect();
    let loaded = Seat::load(platform, SEAT, &mut buffer).unwrap().unwrap();
    let found = unwrap(&wraps, &place, loaded.slot, loaded.keys).unwrap();
    assert_eq!((loaded.channel, found.0), (channel(), chain.0));
    let largest = Seat {
        keys: &keys,
        ..seat
    };
    largest.store(platform, SEAT, &mut [0; MAX_SEAT]).unwrap();
    platform.store.insert(SEAT, vec![0x84, 1]);
    let found = Seat::load(platform, SEAT, &mut buffer).err();
    assert!(matches!(found, Some(ChannelError::Wire(_))));
}
