//! The end of the indexes, a store that fails, and the power going at every operation of the flash, twice.

use super::*;

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
    board.0.borrow().operations
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
