//! Payer and payee together: every length, power cuts, and every refusal.

use super::*;
use crate::node::test_platform::MemoryPlatform;
use crate::store::Geometry;
use crate::store::simulated::Board;
use crate::types::{Id, SaleNumber};
use proptest::prelude::*;

const KEY: u16 = 0x70;

fn sale() -> Sale {
    Sale::new(&Id([1; 32]), &Id([2; 32]), SaleNumber(7))
}

fn secret() -> Secret {
    Secret::from_bytes([9; 32])
}

fn config(units: u32, ahead: u8) -> Config {
    Config {
        sale: sale(),
        units,
        ahead,
        key: KEY,
    }
}

fn memory(units: u32) -> &'static mut [Pebble] {
    Vec::leak(vec![Pebble::default(); Payer::pebbles(units)])
}

fn a_payer(platform: &mut MemoryPlatform, units: u32, ahead: u8) -> Payer<'static> {
    Payer::open(platform, &secret(), config(units, ahead), memory(units)).unwrap()
}

fn a_payee(units: u32) -> Payee {
    let anchor = Payer::anchor(&secret(), &sale(), units).unwrap();
    Payee::new(sale(), units, &anchor).unwrap()
}

#[test]
fn every_unit_is_paid_once_whatever_the_length() {
    for units in (1..70).chain([127, 128, 129, 1000, 4096]) {
        let mut platform = MemoryPlatform::default();
        let (mut payer, mut payee) = (a_payer(&mut platform, units, 1), a_payee(units));
        for unit in 1..=units {
            let tick = payer.pay(&mut platform).unwrap();
            assert_eq!(tick.index, unit);
            assert_eq!(payee.take(&tick), Ok(1), "{unit} of {units}");
        }
        assert_eq!(payer.pay(&mut platform), Err(SaleError::Spent));
        assert_eq!(payer.left(), 0);
    }
}

#[test]
fn a_long_chain_has_no_long_pause() {
    let units = MAX_UNITS;
    let mut pebbles = vec![Pebble::default(); Payer::pebbles(units)];
    pebbles::begin(&sale(), units, &[5; 32], 0, &mut pebbles).unwrap();
    let mut value = [5; 32];
    let mut all = vec![value];
    for index in (1..=units).rev() {
        value = sale().before(index, &value);
        all.push(value);
    }
    all.reverse();
    let mut most = 0;
    for index in 1..=units {
        most = most.max(pebbles::hashes_of_next(&pebbles, index));
        let given = pebbles::next(&sale(), units, index, &mut pebbles);
        assert_eq!(given, Some(all[index as usize]), "{index}");
    }
    // The paper's bound for 2^16: log2 of it.
    assert!((10..=17).contains(&most), "{most}");
}

#[test]
fn after_a_reset_the_pebbles_stand_where_they_stood() {
    for units in [1, 2, 3, 8, 13, 64] {
        for given in 0..units {
            let mut platform = MemoryPlatform::default();
            let mut payee = a_payee(units);
            let mut payer = a_payer(&mut platform, units, 1);
            for _ in 0..given {
                payee.take(&payer.pay(&mut platform).unwrap()).unwrap();
            }
            let mut payer = a_payer(&mut platform, units, 1);
            assert_eq!(payer.given(), given);
            for _ in given..units {
                assert_eq!(payee.take(&payer.pay(&mut platform).unwrap()), Ok(1));
            }
        }
    }
}

#[test]
fn a_payee_pays_for_nothing_it_cannot_check() {
    let mut platform = MemoryPlatform::default();
    let (mut payer, mut payee) = (a_payer(&mut platform, 200, 1), a_payee(200));
    let ticks: Vec<Tick> = (0..200)
        .map(|_| payer.pay(&mut platform).unwrap())
        .collect();
    assert_eq!(payee.take(&ticks[64]), Err(SaleError::TooFar));
    assert_eq!(payee.take(&ticks[63]), Ok(64));
    assert_eq!(payee.take(&ticks[63]), Err(SaleError::Stale));
    assert_eq!(payee.take(&ticks[3]), Err(SaleError::Stale));
    for (index, value) in [(65, ticks[65].value), (66, ticks[64].value), (65, [0; 32])] {
        assert_eq!(payee.take(&Tick { index, value }), Err(SaleError::Forged));
    }
    for bit in 0..256 {
        let mut tick = ticks[64];
        tick.value[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(payee.take(&tick), Err(SaleError::Forged));
    }
    assert_eq!(payee.highest(), &ticks[63]);
    // Of another sale of the same payer.
    let other = Sale::new(&Id([1; 32]), &Id([2; 32]), SaleNumber(8));
    let anchor = Payer::anchor(&secret(), &other, 200).unwrap();
    let mut stranger = Payee::new(other, 200, &anchor).unwrap();
    assert_eq!(stranger.take(&ticks[0]), Err(SaleError::Forged));
    // Beyond what the lock holds: the chain is longer than its units.
    let mut few = Payee::new(
        sale(),
        190,
        &Payer::anchor(&secret(), &sale(), 200).unwrap(),
    )
    .unwrap();
    few.restore(&ticks[180]).unwrap();
    assert_eq!(few.take(&ticks[190]), Err(SaleError::Spent));
    assert_eq!(few.take(&ticks[189]), Ok(9));
    assert_eq!(few.restore(&ticks[190]), Err(SaleError::Stored));
    assert_eq!(few.restore(&ticks[3]), Err(SaleError::Stored));
    let mut false_one = ticks[100];
    false_one.value[0] ^= 1;
    assert_eq!(payee.restore(&false_one), Err(SaleError::Stored));
    assert_eq!(payee.restore(&ticks[100]), Ok(()));
    assert_eq!(payee.take(&ticks[101]), Ok(1));
}

#[test]
fn bad_set_ups_are_refused() {
    let mut platform = MemoryPlatform::default();
    for (units, ahead) in [(0, 1), (MAX_UNITS + 1, 1), (8, 0), (8, 65)] {
        let refused = Payer::open(&mut platform, &secret(), config(units, ahead), memory(8));
        assert_eq!(refused.unwrap_err(), SaleError::Units);
    }
    for units in [0, MAX_UNITS + 1] {
        assert_eq!(
            Payer::anchor(&secret(), &sale(), units),
            Err(SaleError::Units)
        );
        assert_eq!(Payee::new(sale(), units, &Id::ZERO), Err(SaleError::Units));
    }
    let refused = Payer::open(&mut platform, &secret(), config(9, 1), memory(8));
    assert_eq!(refused.unwrap_err(), SaleError::Full);
    platform.store.insert(KEY, vec![0x82, 1]);
    let refused = Payer::open(&mut platform, &secret(), config(8, 1), memory(8));
    assert_eq!(refused.unwrap_err(), SaleError::Stored);
    platform.store.clear();
    let mut other = a_payer(&mut platform, 8, 1);
    other.pay(&mut platform).unwrap();
    let mut config = config(8, 1);
    config.sale = Sale(Id([4; 32]));
    let refused = Payer::open(&mut platform, &secret(), config, memory(8));
    assert_eq!(refused.unwrap_err(), SaleError::Stored);
}

#[test]
fn a_store_that_fails_gives_nothing() {
    let mut platform = MemoryPlatform::default();
    let (mut payer, mut payee) = (a_payer(&mut platform, 8, 2), a_payee(8));
    platform.fail_put = true;
    assert_eq!(payer.pay(&mut platform), Err(SaleError::Platform));
    assert_eq!(payer.given(), 0);
    platform.fail_put = false;
    assert_eq!(payee.take(&payer.pay(&mut platform).unwrap()), Ok(1));
    // Reserved with the first.
    platform.fail_put = true;
    assert_eq!(payee.take(&payer.pay(&mut platform).unwrap()), Ok(1));
    assert_eq!(payer.pay(&mut platform), Err(SaleError::Platform));
}

#[test]
fn the_secret_is_drawn_once() {
    let mut platform = MemoryPlatform::default();
    let first = Secret::open(&mut platform, 0x71).unwrap();
    let again = Secret::open(&mut platform, 0x71).unwrap();
    let anchor = |secret: &Secret| Payer::anchor(secret, &sale(), 4).unwrap();
    assert_eq!(anchor(&first), anchor(&again));
    platform.store.insert(0x71, vec![1; 31]);
    assert_eq!(
        Secret::open(&mut platform, 0x71).unwrap_err(),
        SaleError::Stored
    );
    platform.fail_get = true;
    assert_eq!(
        Secret::open(&mut platform, 0x71).unwrap_err(),
        SaleError::Platform
    );
}

#[test]
fn a_payee_that_shows_its_highest_saves_the_payer_what_was_reserved() {
    let mut platform = MemoryPlatform::default();
    let (mut payer, mut payee) = (a_payer(&mut platform, 20, 8), a_payee(20));
    for _ in 0..11 {
        payee.take(&payer.pay(&mut platform).unwrap()).unwrap();
    }
    let before = *payee.highest();
    let mut payer = a_payer(&mut platform, 20, 8);
    assert_eq!(payer.given(), 16);
    let mut wrong = before;
    wrong.value[31] ^= 1;
    assert_eq!(payer.resync(&wrong), Err(SaleError::Forged));
    wrong.index = 17;
    assert_eq!(payer.resync(&wrong), Err(SaleError::TooFar));
    wrong.index = 7;
    assert_eq!(payer.resync(&wrong), Err(SaleError::Stale));
    assert_eq!(payer.resync(&before), Ok(()));
    for _ in 11..20 {
        assert_eq!(payee.take(&payer.pay(&mut platform).unwrap()), Ok(1));
    }
    // Once a tick was given, what the payee shows does not take it back.
    let mut payer = a_payer(&mut platform, 20, 8);
    assert_eq!(payer.given(), 20);
    assert_eq!(payer.resync(&before), Err(SaleError::Stale));
}

/// Pays 12 units; the power goes at operation `cut`, and `then` operations after it came back. Gives the operations of a life without cuts.
fn live(ahead: u8, cut: Option<u64>, then: Option<u64>) -> u64 {
    let geometry = Geometry {
        unit: 8,
        block: 256,
        blocks: 4,
    };
    let board = Board::new(geometry, true, cut.unwrap_or(0));
    board.0.borrow_mut().cut_at = cut;
    board.0.borrow_mut().then = then;
    let mut platform = MemoryPlatform::on(&board);
    let (mut told, mut last, mut tries) = (0, 0, 0);
    while told < 12 {
        tries += 1;
        assert!(tries < 30);
        if platform.dead {
            platform = platform.again();
        }
        let opened = Payer::open(&mut platform, &secret(), config(64, ahead), memory(64));
        let Ok(mut payer) = opened else {
            continue;
        };
        while told < 12 && !platform.dead {
            if let Ok(tick) = payer.pay(&mut platform) {
                // What was reserved and not given may be skipped, once a cut.
                let step = tick.index - last;
                assert!(
                    (1..=1 + 2 * u32::from(ahead)).contains(&step),
                    "{step}, cut {cut:?} {then:?}"
                );
                (last, told) = (tick.index, told + 1);
            }
        }
    }
    board.0.borrow().operations
}

#[test]
fn no_tick_is_given_twice_whatever_the_power_does() {
    for ahead in [1, 3] {
        let all = live(ahead, None, None);
        assert!(all > 20, "{all}");
        for cut in 0..all {
            live(ahead, Some(cut), None);
            for then in 0..12 {
                live(ahead, Some(cut), Some(then));
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_lost_on_the_way_is_paid_by_the_next(units in 1u32..300, lost in proptest::collection::vec(any::<bool>(), 300)) {
        let mut platform = MemoryPlatform::default();
        let (mut payer, mut payee) = (a_payer(&mut platform, units, 4), a_payee(units));
        let mut paid = 0;
        for unit in 1..=units {
            let tick = payer.pay(&mut platform).unwrap();
            if !lost[unit as usize - 1] || unit - paid >= MAX_STEP || unit == units {
                prop_assert_eq!(payee.take(&tick), Ok(unit - paid));
                paid = unit;
            }
        }
        prop_assert_eq!(paid, units);
    }
}
