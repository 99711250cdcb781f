//! A leaf over simulated flash: the power goes at every operation of the flash and of the counter, an old image comes back, the counter ends.
//!
//! No number is ever signed for two payloads that leave, nothing acknowledged is lost, an old image is noticed.

use super::tests::*;
use super::*;
use crate::MAX_FRAME;
use crate::node::harness::{Network, leak, secret};
use crate::node::test_platform::MemoryPlatform;
use crate::platform::Counter;
use crate::store::Geometry;
use crate::store::simulated::Board;
use crate::types::Number;

const GEOMETRY: Geometry = Geometry {
    unit: 32,
    block: 4096,
    blocks: 4,
};
/// Blocks so small that nearly each value opens the next one.
const TIGHT: Geometry = Geometry {
    unit: 8,
    block: 1024,
    blocks: 6,
};

fn board(seed: u64, stride: Option<u32>) -> Board {
    board_of(GEOMETRY, seed, stride)
}

fn board_of(geometry: Geometry, seed: u64, stride: Option<u32>) -> Board {
    let board = Board::new(geometry, seed % 2 == 1, seed);
    board.0.borrow_mut().counter = stride.map(|stride| Counter {
        value: 3,
        last: 1_000,
        stride,
    });
    board
}

fn start(platform: MemoryPlatform) -> Result<Leaf<'static, MemoryPlatform>, Error> {
    let config = Config::new(secret(201).public_key());
    let buffer = leak(0u8, MAX_FRAME);
    let mut leaf = Leaf::new(config, secret(ME as u8), platform, Software, buffer)?;
    for peer in 1..NODES {
        leaf.add_peer(Peer(peer), false).unwrap();
    }
    Ok(leaf)
}

/// Starts the leaf again if its power is gone, as often as that takes.
fn revive(net: &mut Network) {
    while leaf(net).platform_mut().dead {
        let platform = leaf(net).platform_mut().again();
        match start(platform) {
            Ok(leaf) => net.leaves[0].leaf = Some(leaf),
            Err(error) => assert_eq!(error, Error::Platform),
        }
    }
}

fn run(net: &mut Network, seconds: u64) {
    for _ in 0..seconds * 4 {
        let at = net.now + 250;
        net.pump(at);
        revive(net);
    }
}

/// Says something; an answer that the application did not get makes it say it again.
fn say(net: &mut Network, body: &[u8]) {
    while submit(net, &Submission::Data(body)).is_err() {
        revive(net);
        if leaf(net).status().waiting {
            return;
        }
    }
}

fn number_at(net: &mut Network, node: usize) -> Number {
    let node = net.node(node);
    let head = node.tangle().head(node.tables(), MemberIndex(ME));
    head.unwrap().number
}

/// Joins, says two things. Gives the operations up to the beginning and to the end of the second.
fn life(board: &Board, cut: Option<u64>) -> (Network, u64, u64) {
    board.0.borrow_mut().cut_at = cut;
    let platform = MemoryPlatform::on(board);
    let mut net = world_of_any(platform);
    say(&mut net, b"the first");
    run(&mut net, 4);
    let begun = board.0.borrow().operations;
    say(&mut net, b"only once");
    run(&mut net, 5);
    let ended = board.0.borrow().operations;
    (net, begun, ended)
}

/// As `world`, but the power may go already while it joins.
fn world_of_any(platform: MemoryPlatform) -> Network {
    let dead = platform.dead;
    assert!(!dead);
    let mut net = world_of_while(platform, revive);
    run(&mut net, 2);
    assert_eq!(leaf(&mut net).status().phase, Phase::Active);
    net
}

fn check(net: &mut Network, what: &str) {
    never_two_for_one_number(net);
    // Said twice at most where the answer did not come; else exactly once.
    let number = number_at(net, 3);
    assert!(
        number == Number(2) || number == Number(3),
        "{what}: {number} {:?}",
        events(net)
    );
    assert_eq!(leaf(net).status().number, number, "{what}");
    for told in &net.events {
        let cheat = |e: &crate::node::Event| matches!(e, crate::node::Event::Equivocation { .. });
        assert!(!told.iter().any(cheat), "{what}");
    }
}

/// Which cuts: all with `IOTEDGE_FLASH_ALL`.
fn step(usual: usize) -> usize {
    match std::env::var_os("IOTEDGE_FLASH_ALL") {
        Some(_) => 1,
        None => usual,
    }
}

#[test]
fn the_power_goes_at_every_operation() {
    let mut cuts = 0;
    for (seed, geometry) in [(0, GEOMETRY), (1, GEOMETRY), (2, TIGHT), (3, TIGHT)] {
        let (mut net, begun, ended) = life(&board_of(geometry, seed, Some(1)), None);
        check(&mut net, "undisturbed");
        println!(
            "{begun} operations to join and speak, {} to speak",
            ended - begun
        );
        let joining = (1..=begun).step_by(step(if geometry == TIGHT { 15 } else { 1 }));
        let speaking = (begun + 1..=ended).step_by(step(if geometry == TIGHT { 4 } else { 1 }));
        for cut in joining.chain(speaking) {
            let (mut net, ..) = life(&board_of(geometry, seed, Some(1)), Some(cut));
            check(&mut net, &format!("cut {cut} seed {seed}"));
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 150);
}

#[test]
fn the_power_goes_twice() {
    let mut cuts = 0;
    for (seed, geometry) in [(4, GEOMETRY), (5, TIGHT)] {
        let (_, begun, ended) = life(&board_of(geometry, seed, Some(1)), None);
        for cut in (begun + 1..=ended).step_by(step(5)) {
            for then in (1..=ended - begun).step_by(step(9)) {
                let board = board_of(geometry, seed, Some(1));
                board.0.borrow_mut().then = Some(then);
                let (mut net, ..) = life(&board, Some(cut));
                check(&mut net, &format!("cut {cut}, then {then}, seed {seed}"));
                cuts += 1;
            }
        }
    }
    println!("{cuts} pairs of cuts");
}

/// An image from before two transactions comes back.
fn with_old_image(stride: Option<u32>) -> (Network, Board) {
    let board = board(8, stride);
    let mut net = world_of_any(MemoryPlatform::on(&board));
    say(&mut net, b"one");
    run(&mut net, 3);
    let old = board.image();
    for body in [&b"two"[..], b"three"] {
        say(&mut net, body);
        run(&mut net, 3);
    }
    assert_eq!(number_at(&mut net, 3), Number(3));
    old.0.borrow_mut().counter = board.0.borrow().counter;
    old.0.borrow_mut().power_off();
    old.0.borrow_mut().power_on(None);
    (net, old)
}

#[test]
fn an_old_image_is_refused_where_there_is_a_counter() {
    let (mut net, old) = with_old_image(Some(1));
    let mut writes = old.0.borrow().operations;
    assert_eq!(start(MemoryPlatform::on(&old)).err(), Some(Error::OldImage));
    // Nothing was written: whoever looks into it later sees what it was.
    assert_eq!(old.0.borrow().operations, writes);
    // The store is erased, the neighbours tell the rest, and the counter goes on from there.
    let store = crate::store::FlashStore::format(old.clone(), GEOMETRY);
    drop(store.unwrap());
    net.leaves[0].leaf = Some(start(MemoryPlatform::on(&old)).unwrap());
    run(&mut net, 3);
    say(&mut net, b"four");
    run(&mut net, 4);
    assert_eq!(number_at(&mut net, 3), Number(4));
    never_two_for_one_number(&net);
    writes = old.0.borrow().operations;
    assert!(writes > 0);
    let platform = leaf(&mut net).platform_mut().again();
    assert!(start(platform).is_ok());
}

#[test]
fn an_old_image_without_a_counter_is_made_up_for_by_the_neighbours() {
    // Younger than the stride is as without one.
    for stride in [None, Some(10)] {
        let (mut net, old) = with_old_image(stride);
        net.leaves[0].leaf = Some(start(MemoryPlatform::on(&old)).unwrap());
        // Alone it says nothing, and with its neighbours the right number.
        say(&mut net, b"four");
        run(&mut net, 5);
        assert_eq!(number_at(&mut net, 3), Number(4), "{:?}", events(&net));
        never_two_for_one_number(&net);
    }
}

#[test]
fn an_exhausted_counter_is_said_before_anything_is_signed() {
    let board = board(5, Some(1));
    board.0.borrow_mut().counter.as_mut().unwrap().last = 4;
    let mut net = world_of_any(MemoryPlatform::on(&board));
    say(&mut net, b"one");
    run(&mut net, 3);
    let ticket = submit(&mut net, &Submission::Data(b"two")).unwrap();
    run(&mut net, 3);
    let rejected = Event::Rejected {
        ticket,
        reason: Error::CounterExhausted,
    };
    assert!(events(&net).contains(&rejected), "{:?}", events(&net));
    assert_eq!(number_at(&mut net, 3), Number(1));
    // It is the same after a start.
    leaf(&mut net).platform_mut().dead = true;
    revive(&mut net);
    assert_eq!(leaf(&mut net).status().number, Number(1));
}
