//! The end of the indexes, a store that fails, and the power going at every operation of the flash, twice.

use super::*;
use crate::platform::Counter;
use crate::rollback::Guard;

#[test]
fn the_last_index_is_the_last() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    owner.set_for_test(Index(LAST_INDEX), Chain::new([1; 32]));
    publish(&mut owner, platform, Form::COMPACT, b"last");
    let found = owner
        .publish(platform, NEWEST, Form::COMPACT, b"more", &mut [0; 64])
        .err();
    assert_eq!(found, Some(ChannelError::IndexOverflow));
    // A restart does not go on either; a new key epoch does.
    let mut owner = an_owner(platform);
    let found = owner
        .publish(platform, NEWEST, Form::COMPACT, b"more", &mut [0; 64])
        .err();
    assert_eq!(found, Some(ChannelError::IndexOverflow));
    owner.rekey(platform, NEWEST).unwrap();
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
        .publish(platform, NEWEST, Form::COMPACT, b"x", &mut [0; 64])
        .err();
    assert_eq!(
        (found, owner.next()),
        (Some(ChannelError::Platform), before)
    );
    assert_eq!(owner.rekey(platform, NEWEST), Err(ChannelError::Platform));
    assert_eq!(owner.next(), before);
    platform.fail_put = false;
    publish(&mut owner, platform, Form::COMPACT, b"x");
    let long = [0; message::MAX_BODY + 1];
    let found = owner
        .publish(platform, NEWEST, Form::COMPACT, &long, &mut [0; 1400])
        .err();
    assert_eq!(found, Some(ChannelError::TooLong));
    let found = owner
        .publish(platform, NEWEST, Form::COMPACT, &[0; 20], &mut [0; 36])
        .err();
    assert_eq!(
        (found, owner.next().index),
        (Some(ChannelError::Full), Index(9))
    );
    platform.put(0x40, b"damaged").unwrap();
    let found = Owner::open(platform, NEWEST, config(Mode::Private), None, &mut []).err();
    assert!(matches!(found, Some(ChannelError::Wire(_))));
}

/// A node's number beside the channel: it is bound to the same counter.
struct Beside {
    guard: Guard,
    number: Number,
}

const BESIDE: u16 = 1;

impl Beside {
    fn open(platform: &mut MemoryPlatform) -> Option<Self> {
        let mut bytes = [0; 4];
        let stored = platform.get(BESIDE, &mut bytes).ok()?;
        let number = Number(stored.map_or(0, |_| u32::from_be_bytes(bytes)));
        let guard = Guard::open(platform, number).ok()?;
        Some(Self { guard, number })
    }

    fn say(&mut self, platform: &mut MemoryPlatform) -> Option<()> {
        let next = Number(self.number.0 + 1);
        self.guard.ready(platform, next).ok()?;
        platform.put(BESIDE, &next.0.to_be_bytes()).ok()?;
        self.number = next;
        self.guard.stored(platform, next).ok()
    }
}

/// How a life with cuts went.
struct Life {
    operations: u64,
    board: Board,
    /// The flash after each message, and what stood next then.
    images: Vec<(Board, Place)>,
    seen: BTreeSet<(KeyEpoch, Index)>,
}

/// Publishes 40 messages and opens a key epoch in the middle, while a node signs numbers; the power goes at operation `cut`, and `then` operations after it came back.
fn live(
    geometry: Geometry,
    seed: u64,
    stride: Option<u32>,
    cut: Option<u64>,
    then: Option<u64>,
) -> Life {
    let board = Board::new(geometry, seed % 2 == 1, seed);
    board.0.borrow_mut().cut_at = cut;
    board.0.borrow_mut().then = then;
    board.0.borrow_mut().counter = stride.map(|stride| Counter {
        value: 5,
        last: 500,
        stride,
    });
    let mut platform = MemoryPlatform::on(&board);
    let mut seen = BTreeSet::new();
    let mut images = Vec::new();
    let mut lookups = BTreeSet::new();
    let (mut told, mut rekeyed) = (0, false);
    let mut tries = 0;
    while told < 40 {
        tries += 1;
        assert!(tries < 50, "cut {cut:?} {then:?}");
        if platform.dead {
            platform = platform.again();
        }
        let Some(mut beside) = Beside::open(&mut platform) else {
            assert!(platform.dead, "no old image, cut {cut:?} {then:?}");
            continue;
        };
        let leaves = leak(Id::ZERO, 8);
        let mode = config(Mode::Private);
        let Ok(mut owner) = Owner::open(&mut platform, beside.number, mode, None, leaves) else {
            assert!(platform.dead, "no old image, cut {cut:?} {then:?}");
            continue;
        };
        while told < 40 && !platform.dead {
            if told == 20 && !rekeyed {
                rekeyed = owner.rekey(&mut platform, beside.number).is_ok();
                continue;
            }
            if told % 3 == 0 && beside.say(&mut platform).is_none() {
                continue;
            }
            let newest = beside.number;
            let mut out = [0; 64];
            if let Ok(done) = owner.publish(&mut platform, newest, Form::COMPACT, b"x", &mut out) {
                // A byte leaves only if the write before it was done.
                let new = seen.insert((done.place.epoch, done.place.index));
                assert!(new, "{:?} twice, cut {cut:?} {then:?}", done.place);
                assert!(lookups.insert(out[1..9].to_vec()));
                images.push((board.image(), owner.next()));
                told += 1;
            }
        }
    }
    let operations = board.0.borrow().operations;
    Life {
        operations,
        board,
        images,
        seen,
    }
}

const GEOMETRIES: [Geometry; 2] = [
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

/// Puts each image back, under the counter of today: it is refused, or nothing was sealed since it was taken that it would seal.
fn every_image_is_refused_or_harmless(life: &Life) -> (usize, usize) {
    let (mut refused, mut harmless) = (0, 0);
    for (image, next) in &life.images {
        image.0.borrow_mut().counter = life.board.0.borrow().counter;
        image.0.borrow_mut().cut_at = None;
        image.0.borrow_mut().then = None;
        image.0.borrow_mut().power_off();
        image.0.borrow_mut().power_on(None);
        let mut platform = MemoryPlatform::on(image);
        let mut number = [0; 4];
        let stored = platform.get(BESIDE, &mut number).unwrap();
        let newest = Number(stored.map_or(0, |_| u32::from_be_bytes(number)));
        let mode = config(Mode::Private);
        match Owner::open(&mut platform, newest, mode, None, &mut []) {
            Err(error) => {
                assert_eq!(error, ChannelError::OldImage, "{next:?}");
                refused += 1;
            }
            Ok(owner) => {
                let at = owner.next();
                let sealed = life.seen.range((at.epoch, at.index)..).next();
                assert_eq!(sealed, None, "{at:?} comes again");
                harmless += 1;
            }
        }
    }
    (refused, harmless)
}

#[test]
fn no_place_is_sealed_twice_whenever_the_power_goes() {
    let mut cuts = 0;
    for (seed, geometry) in (0..).zip(GEOMETRIES) {
        for stride in [None, Some(1), Some(4)] {
            let whole = live(geometry, seed, stride, None, None).operations;
            for cut in 1..=whole {
                let life = live(geometry, seed, stride, Some(cut), None);
                if stride.is_some() && cut % 16 == 0 {
                    every_image_is_refused_or_harmless(&life);
                }
                cuts += 1;
                for then in (1..whole).step_by(if stride.is_none() { 3 } else { 29 }) {
                    live(geometry, seed, stride, Some(cut), Some(then));
                    cuts += 1;
                }
            }
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 200);
}

#[test]
fn an_old_image_is_refused_and_nothing_is_written() {
    for (seed, geometry) in (0..).zip(GEOMETRIES) {
        for stride in [1, 4, 100] {
            let life = live(geometry, seed, Some(stride), None, None);
            let (refused, harmless) = every_image_is_refused_or_harmless(&life);
            println!("stride {stride}: {refused} refused, {harmless} harmless");
            // Of 40 messages, 8 to a reservation, only the last reservation's own images may stand.
            assert!(refused >= 32 && harmless <= 8);
            let (image, _) = &life.images[0];
            image.0.borrow_mut().power_off();
            image.0.borrow_mut().power_on(None);
            let mut platform = MemoryPlatform::on(image);
            let before = image.0.borrow().operations;
            let mode = config(Mode::Private);
            let found = Owner::open(&mut platform, Number(1), mode, None, &mut []).err();
            assert_eq!(found, Some(ChannelError::OldImage));
            assert_eq!(image.0.borrow().operations, before);
        }
        // Without a counter nothing is noticed: the test can fail.
        let life = live(geometry, seed, None, None, None);
        let (image, _) = &life.images[0];
        image.0.borrow_mut().power_off();
        image.0.borrow_mut().power_on(None);
        let mut platform = MemoryPlatform::on(image);
        let owner = an_owner(&mut platform);
        let at = owner.next();
        assert!(life.seen.contains(&(at.epoch, at.index)));
    }
}

#[test]
fn a_counter_that_fails_or_ends_stops_the_channel() {
    let platform = &mut MemoryPlatform {
        counter: Some(Counter {
            value: 0,
            last: 2,
            stride: 1,
        }),
        ..MemoryPlatform::default()
    };
    let mut owner = an_owner(platform);
    (0..8).for_each(|_| drop(publish(&mut owner, platform, Form::COMPACT, b"x")));
    platform.fail_advance = true;
    let more = |owner: &mut Owner<'_>, platform: &mut MemoryPlatform| {
        let done = owner.publish(platform, NEWEST, Form::COMPACT, b"x", &mut [0; 64]);
        done.map(|done| done.place.index)
    };
    assert_eq!(more(&mut owner, platform), Err(ChannelError::Platform));
    platform.fail_advance = false;
    // What failed is settled, and what stood under it was not used.
    assert_eq!(more(&mut owner, platform), Err(ChannelError::Counter));
    assert_eq!(owner.next().index, Index(8));
    platform.counter.as_mut().unwrap().last = 50;
    assert_eq!(more(&mut owner, platform), Ok(Index(8)));
    platform.counter = None;
    (0..7).for_each(|_| drop(publish(&mut owner, platform, Form::COMPACT, b"x")));
    assert_eq!(more(&mut owner, platform), Err(ChannelError::Counter));
}
