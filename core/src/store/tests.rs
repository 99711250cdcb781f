//! The store against a reference map, with the power cut at every operation, and at every pair where it matters.

use super::simulated::{Board, Dice, Fault};
use super::*;
use std::collections::BTreeMap;

type Map = BTreeMap<u16, Vec<u8>>;

const SMALL: Geometry = Geometry {
    unit: 8,
    block: 512,
    blocks: 5,
};

fn open(board: &Board) -> Result<FlashStore<Board>, StoreError> {
    let geometry = board.0.borrow().geometry;
    FlashStore::open_wrong(board.clone(), geometry, SABOTAGE.get())
}

std::thread_local! {
    /// What the stores of this test do wrongly.
    static SABOTAGE: std::cell::Cell<Sabotage> = const { std::cell::Cell::new(Sabotage::None) };
}

fn read(store: &mut FlashStore<Board>, key: u16) -> Result<Option<Vec<u8>>, StoreError> {
    let mut out = vec![0; 20_000];
    let len = store.get(key, &mut out)?;
    Ok(len.map(|len| out[..len].to_vec()))
}

fn all(store: &mut FlashStore<Board>, keys: u16) -> Result<Map, StoreError> {
    let mut map = Map::new();
    for key in 0..keys {
        if let Some(value) = read(store, key)? {
            map.insert(key, value);
        }
    }
    Ok(map)
}

/// One step of a script.
#[derive(Clone, Debug)]
enum Step {
    Put(u16, Vec<u8>),
    Remove(u16),
    /// The power goes between two operations.
    Reboot,
}

const KEYS: u16 = 7;

fn script(seed: u64, steps: usize, longest: usize) -> Vec<Step> {
    let mut dice = Dice(seed);
    (0..steps)
        .map(|_| {
            let key = dice.below(KEYS.into()) as u16;
            match dice.below(12) {
                0 | 1 => Step::Remove(key),
                2 => Step::Reboot,
                _ => {
                    let len = match dice.below(4) {
                        0 => dice.below(4),
                        1 => dice.below(longest as u64 + 1),
                        _ => dice.below(longest as u64 / 4 + 1),
                    };
                    Step::Put(key, (0..len).map(|_| dice.roll() as u8).collect())
                }
            }
        })
        .collect()
}

/// Does a step; `Ok(false)`: refused as full, nothing changed.
fn take(store: &mut FlashStore<Board>, step: &Step) -> Result<bool, StoreError> {
    let done = match step {
        Step::Put(key, value) => store.put(*key, value),
        Step::Remove(key) => store.remove(*key),
        Step::Reboot => Ok(()),
    };
    match done {
        Err(StoreError::Full) => Ok(false),
        other => other.map(|()| true),
    }
}

fn apply(map: &mut Map, step: &Step) {
    match step {
        Step::Put(key, value) => drop(map.insert(*key, value.clone())),
        Step::Remove(key) => drop(map.remove(key)),
        Step::Reboot => {}
    }
}

/// Runs a script until it ends or the power goes. What was acknowledged, and what may be as well.
fn run(board: &Board, script: &[Step], map: &mut Map) -> Option<Map> {
    let gone = |board: &Board| board.0.borrow().dead;
    let mut store = match open(board) {
        Ok(store) => store,
        Err(error) => {
            assert!(gone(board), "{error:?}");
            return None;
        }
    };
    for step in script {
        if matches!(step, Step::Reboot) {
            board.0.borrow_mut().power_off();
            let cut = board.0.borrow().cut_at;
            let done = board.0.borrow().operations;
            board.0.borrow_mut().power_on(cut);
            board.0.borrow_mut().operations = done;
            match open(board) {
                Ok(opened) => store = opened,
                Err(error) => {
                    assert!(gone(board), "{error:?}");
                    return None;
                }
            }
        }
        let done = take(&mut store, step);
        match done {
            Ok(true) => apply(map, step),
            Ok(false) => {}
            Err(error) => {
                assert!(gone(board), "{error:?}");
                let mut also = map.clone();
                apply(&mut also, step);
                return Some(also);
            }
        }
    }
    None
}

/// Opens after a cut: each key has its old or its new value. Gives what is there.
fn check(board: &Board, old: &Map, new: Option<&Map>, what: &str) -> Map {
    let mut store = open(board).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let found = all(&mut store, KEYS).unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert!(
        found == *old || Some(&found) == new,
        "{what}\nfound {found:02x?}\nold {old:02x?}\nnew {new:02x?}"
    );
    found
}

fn geometries() -> Vec<(Geometry, bool)> {
    let mut all = Vec::new();
    for (unit, block, blocks) in [
        (1, 256, 3),
        (2, 256, 4),
        (4, 256, 3),
        (8, 512, 5),
        (16, 512, 4),
        (32, 1024, 3),
    ] {
        let geometry = Geometry {
            unit,
            block,
            blocks,
        };
        all.push((geometry, false));
        all.push((geometry, true));
    }
    all
}

fn longest(geometry: Geometry) -> usize {
    let board = Board::new(geometry, false, 0);
    open(&board).unwrap().longest()
}

#[test]
fn values_come_back_and_survive_a_restart() {
    for (geometry, cache) in geometries() {
        for seed in seeds(5) {
            let board = Board::new(geometry, cache, seed);
            let script = script(seed, 200, longest(geometry) / 2);
            let mut map = Map::new();
            assert_eq!(run(&board, &script, &mut map), None);
            board.0.borrow_mut().power_off();
            board.0.borrow_mut().power_on(None);
            check(&board, &map, None, "at the end");
        }
    }
}

/// Cuts a script at every operation; and `pairs`: again at every operation of what follows, and once more at a few.
fn cut_everywhere(geometry: Geometry, cache: bool, seed: u64, steps: usize, pairs: bool) -> u64 {
    // With small units each step is many operations.
    let steps = if geometry.unit < 4 { steps / 2 } else { steps };
    let script = script(seed, steps, longest(geometry) / 3);
    let whole = Board::new(geometry, cache, seed);
    run(&whole, &script, &mut Map::new());
    let count = whole.0.borrow().operations;
    let mut cuts = 0;
    for first in 1..=count {
        let board = Board::new(geometry, cache, seed ^ first << 20);
        board.0.borrow_mut().cut_at = Some(first);
        let mut old = Map::new();
        let new = run(&board, &script, &mut old);
        if !board.0.borrow().dead {
            // What was torn before decides how much the rest takes.
            continue;
        }
        cuts += 1;
        let what = format!("{geometry:?} cache {cache} seed {seed} cut {first} of {count}");
        let after = Step::Put(3, vec![0xa5; 40]);
        let recovered = board.image();
        recovered.0.borrow_mut().power_on(None);
        let found = check(&recovered, &old, new.as_ref(), &what);
        let recovery = {
            let mut store = open(&recovered).unwrap();
            let done = take(&mut store, &after).unwrap();
            let mut expected = found.clone();
            if done {
                apply(&mut expected, &after);
            }
            recovered.0.borrow_mut().power_off();
            recovered.0.borrow_mut().power_on(None);
            check(&recovered, &expected, None, &what);
            recovered.0.borrow().operations
        };
        // What is read after a cut is read after the next one.
        let again = board.image();
        again.0.borrow_mut().power_on(None);
        let found = check(&again, &old, new.as_ref(), &what);
        again.0.borrow_mut().power_off();
        again.0.borrow_mut().power_on(None);
        check(&again, &found, None, &format!("{what}, read again"));
        if !pairs {
            continue;
        }
        for second in 1..=recovery + 40 {
            let board = board.image();
            board.0.borrow_mut().power_on(Some(second));
            let what = format!("{what}, then {second} of about {recovery}");
            let mut also = Vec::new();
            let mut old = old.clone();
            also.extend(new.clone());
            if let Ok(mut store) = open(&board)
                && let Ok(found) = all(&mut store, KEYS)
            {
                // From here on only this counts.
                assert!(found == old || also.contains(&found), "{what}");
                old = found.clone();
                also.clear();
                let mut next = found;
                apply(&mut next, &after);
                if take(&mut store, &after) == Ok(true) {
                    old = next;
                } else {
                    also.push(next);
                }
            }
            if !board.0.borrow().dead {
                break;
            }
            cuts += 1;
            board.0.borrow_mut().power_on(None);
            check(&board, &old, also.first(), &what);
        }
    }
    cuts
}

/// More seeds than in a usual run, for long ones.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("IOTEDGE_FLASH_SEEDS").ok();
    0..asked.map_or(usual, |n| n.parse().unwrap())
}

#[test]
fn a_cut_at_every_operation_leaves_the_old_or_the_new() {
    let mut cuts = 0;
    for (geometry, cache) in geometries() {
        for seed in seeds(1) {
            cuts += cut_everywhere(geometry, cache, seed, 40, false);
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 4_000);
}

#[test]
fn a_cut_in_the_recovery_from_any_cut_does_no_more_harm() {
    let mut cuts = 0;
    for (geometry, cache) in geometries() {
        for seed in seeds(1) {
            cuts += cut_everywhere(geometry, cache, 100 + seed, 8, true);
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 8_000);
}

#[test]
fn wear_is_even_whatever_is_written() {
    let board = Board::new(SMALL, false, 1);
    let mut store = open(&board).unwrap();
    // Most of it is never written again.
    for key in 10..20 {
        store.put(key, &[7; 60]).unwrap();
    }
    for n in 0..4_000u32 {
        store.put(1, &n.to_le_bytes()).unwrap();
    }
    let worn = board.0.borrow().worn.clone();
    let (least, most) = (worn.iter().min().unwrap(), worn.iter().max().unwrap());
    println!("{worn:?}");
    assert!(*least > 100 && most - least <= 1, "{worn:?}");
}

#[test]
fn a_full_store_says_so_wears_nothing_and_can_be_emptied() {
    for (geometry, cache) in geometries() {
        for seed in 0..5 {
            let board = Board::new(geometry, cache, seed);
            let mut store = open(&board).unwrap();
            let mut dice = Dice(seed);
            let mut map = Map::new();
            let full = loop {
                let key = map.len() as u16;
                let value = vec![key as u8; dice.below(longest(geometry) as u64 / 3) as usize];
                match store.put(key, &value) {
                    Ok(()) => drop(map.insert(key, value)),
                    Err(error) => {
                        assert_eq!(error, StoreError::Full);
                        break value;
                    }
                }
            };
            let (count, keys) = (board.0.borrow().operations, map.len() as u16);
            assert_eq!(store.put(keys, &full), Err(StoreError::Full));
            assert_eq!(board.0.borrow().operations, count);
            assert_eq!(all(&mut store, keys).unwrap(), map);
            // In any order, with the power going in between.
            while let Some(key) = map.keys().nth(dice.below(map.len().max(1) as u64) as usize) {
                let key = *key;
                store.remove(key).unwrap();
                map.remove(&key);
                if dice.below(3) == 0 {
                    board.0.borrow_mut().power_off();
                    board.0.borrow_mut().power_on(None);
                    store = open(&board).unwrap();
                }
                assert_eq!(all(&mut store, keys).unwrap(), map);
            }
            store.put(keys, &full).unwrap();
        }
    }
}

#[test]
fn blocks_that_fail_are_not_used_any_more() {
    let geometry = Geometry { blocks: 8, ..SMALL };
    let faults = [
        Fault::Erase,
        Fault::EraseSilently,
        Fault::Program,
        Fault::ProgramSilently,
    ];
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let board = Board::new(geometry, seed % 2 == 0, seed);
        let mut store = open(&board).unwrap();
        let mut map = Map::new();
        for n in 0..600u32 {
            if n % 150 == 149 {
                // Any time, three of eight.
                let bad = dice.below(8) as u16;
                let fault = faults[dice.below(4) as usize];
                board.0.borrow_mut().faults.insert(bad, fault);
            }
            let key = dice.below(6) as u16;
            let value = vec![n as u8; dice.below(100) as usize];
            store.put(key, &value).unwrap();
            map.insert(key, value);
            if dice.below(40) == 0 {
                board.0.borrow_mut().power_off();
                board.0.borrow_mut().power_on(None);
                store = open(&board).unwrap();
            }
            assert_eq!(all(&mut store, 6).unwrap(), map);
        }
        // Whoever is known as bad is not even erased.
        let bad: Vec<u16> = board.0.borrow().faults.keys().copied().collect();
        let before = board.0.borrow().worn.clone();
        for n in 0..400u32 {
            store.put(1, &n.to_le_bytes()).unwrap();
        }
        let after = board.0.borrow().worn.clone();
        for index in bad {
            let index = usize::from(index);
            assert!(after[index] <= before[index] + 1, "seed {seed}");
        }
    }
}

#[test]
fn without_a_good_block_nothing_is_written_and_all_is_read() {
    let board = Board::new(SMALL, false, 3);
    let mut store = open(&board).unwrap();
    store.put(1, b"kept").unwrap();
    for index in 0..SMALL.blocks {
        board.0.borrow_mut().faults.insert(index, Fault::Program);
    }
    assert_eq!(store.put(1, b"lost"), Err(StoreError::Write));
    assert_eq!(read(&mut store, 1).unwrap().unwrap(), b"kept");
    board.0.borrow_mut().power_off();
    board.0.borrow_mut().power_on(None);
    // Torn bytes cannot be settled any more; where there are none it is as before.
    match open(&board) {
        Ok(mut store) => assert_eq!(read(&mut store, 1).unwrap().unwrap(), b"kept"),
        Err(error) => assert_eq!(error, StoreError::Write),
    }
}

#[test]
fn what_lost_its_charge_is_an_error_and_never_an_older_value() {
    let board = Board::new(SMALL, false, 4);
    let mut store = open(&board).unwrap();
    store.put(1, &[1; 30]).unwrap();
    store.put(1, &[2; 30]).unwrap();
    store.put(2, &[3; 30]).unwrap();
    let whole = board.image();
    let bytes = u32::from(SMALL.blocks) * SMALL.block;
    let mut refused = 0;
    for at in 0..bytes {
        for bit in [0, 7] {
            let board = whole.image();
            board.0.borrow_mut().rot(at, 1 << bit);
            board.0.borrow_mut().power_on(None);
            let Ok(mut store) = open(&board) else {
                refused += 1;
                continue;
            };
            for (key, value) in [(1, [2; 30]), (2, [3; 30])] {
                match read(&mut store, key) {
                    Ok(Some(found)) => assert_eq!(found, value, "{at} {bit}"),
                    Ok(None) => panic!("{at} {bit}"),
                    Err(error) => {
                        assert_eq!(error, StoreError::Damaged);
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 50);
}

/// Each mistake that the journal does not make is found by the same tests.
#[test]
fn a_store_that_makes_a_mistake_is_caught() {
    for sabotage in [
        Sabotage::EraseFirst,
        Sabotage::GoOn,
        Sabotage::TrustBlank,
        Sabotage::NoEnd,
        Sabotage::LeaveTorn,
        Sabotage::NoSync,
    ] {
        let caught = std::thread::spawn(move || {
            // It fails many times over: what it says is of no interest.
            SABOTAGE.set(sabotage);
            for (geometry, cache) in geometries().into_iter().rev() {
                for seed in 0..3 {
                    cut_everywhere(geometry, cache, seed, 40, false);
                    cut_everywhere(geometry, cache, 100 + seed, 8, true);
                }
            }
        })
        .join();
        assert!(caught.is_err(), "{sabotage:?} was not noticed");
    }
}
