//! A node over simulated flash with a hardware counter: the power goes at every operation, an old image comes back, the counter ends.

use super::power::{Device, LAST};
use super::*;
use crate::node::test_platform::MemoryPlatform;
use crate::platform::Counter;
use crate::store::simulated::Board;
use crate::store::{FlashStore, Geometry};

const GEOMETRY: Geometry = Geometry {
    unit: 32,
    block: 4096,
    blocks: 6,
};

/// The victim starts anew on flash, before it said anything.
fn device(seed: u64, stride: Option<u32>) -> (Device, Board) {
    let board = Board::new(GEOMETRY, seed % 2 == 1, seed);
    board.0.borrow_mut().counter = stride.map(|stride| Counter {
        value: 40,
        last: 1_000,
        stride,
    });
    let mut device = Device::new();
    restart(&mut device, &board);
    (device, board)
}

fn restart(device: &mut Device, board: &Board) {
    let node = device.net.boot(VICTIM as u8, MemoryPlatform::on(board));
    device.net.nodes[VICTIM] = Some(node);
    device.net.pump(device.net.now + 3_000);
    assert!(device.net.all_active(), "{}", device.net.explain());
    device.net.events[VICTIM].clear();
}

fn refused(device: &Device, board: &Board) -> Option<InitError> {
    device
        .net
        .try_boot(VICTIM as u8, MemoryPlatform::on(board), LIMITS)
        .err()
}

#[test]
fn the_power_goes_at_every_operation_of_the_flash() {
    let all = std::env::var_os("IOTEDGE_FLASH_ALL").is_some();
    let mut cuts = 0;
    for seed in 0..2 {
        let (mut device, board) = device(seed, Some(1));
        let begun = board.0.borrow().operations;
        device.run(1_500);
        device.check("undisturbed");
        let ended = board.0.borrow().operations;
        assert!(ended > begun + 40);
        println!("{} operations", ended - begun);
        let step = if all { 1 } else { 7 };
        for cut in (begun + 1 + seed..=ended).step_by(step) {
            let (mut device, board) = self::device(seed, Some(1));
            board.0.borrow_mut().cut_at = Some(cut);
            device.run(4_000);
            device.check(&format!("seed {seed}: cut at {cut} of {ended}"));
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
}

#[test]
fn an_old_image_is_refused_or_made_up_for_by_the_neighbours() {
    for stride in [Some(1), None] {
        let (mut device, board) = device(4, stride);
        device.next = 2;
        device.run(1_000);
        let old = board.image();
        device.next = 0;
        device.run(1_000);
        let number = device.net.node(VICTIM).own.highest();
        old.0.borrow_mut().counter = board.0.borrow().counter;
        old.0.borrow_mut().power_off();
        old.0.borrow_mut().power_on(None);
        device.net.nodes[VICTIM] = None;
        if stride.is_some() {
            let before = old.0.borrow().operations;
            assert_eq!(refused(&device, &old), Some(InitError::OldImage));
            assert_eq!(old.0.borrow().operations, before);
            drop(FlashStore::format(old.clone(), GEOMETRY).unwrap());
        }
        restart(&mut device, &old);
        device.next = LAST - 1;
        device.run(1_500);
        let node = device.net.node(VICTIM);
        assert_eq!(node.own.highest(), Number(number.0 + 1));
        for n in 0..5 {
            let victim = MemberIndex(VICTIM as u16);
            assert!(!device.net.node(n).tangle.forked(victim), "node {n}");
        }
        if stride.is_some() {
            // A counter that is there no more is no way around it.
            old.0.borrow_mut().counter = None;
            assert_eq!(refused(&device, &old), Some(InitError::Counter));
        }
    }
}

#[test]
fn an_exhausted_counter_is_said_before_anything_is_signed() {
    let (mut device, board) = device(6, Some(1));
    board.0.borrow_mut().counter.as_mut().unwrap().last = 42;
    device.run(1_500);
    let ended = |e: &&Event| {
        matches!(
            e,
            Event::Rejected {
                reason: Refusal::CounterExhausted,
                ..
            }
        )
    };
    assert_eq!(device.told.iter().filter(ended).count(), 2);
    assert_eq!(device.said(), [0, 1]);
    assert_eq!(device.net.node(VICTIM).own.highest(), Number(2));
}
