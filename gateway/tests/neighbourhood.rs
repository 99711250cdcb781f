//! A whole neighbourhood: founding, epochs, receipts, SIGKILL, a late joiner, SIGTERM.

mod common;

use common::{Device, World, until};
use iotedge_core::node::Phase;
use iotedge_gateway::check::{Trust, receipt};
use iotedge_gateway::keys;
use iotedge_gateway::store::Store;
use std::time::Duration;

fn active(device: &Device) -> bool {
    device.seen.lock().unwrap().phase == Some(Phase::Active)
}

#[test]
fn founding_epochs_sigkill_and_sigterm() {
    let world = World::new(3, 4, 3, 3_000);
    let mut gateway = world.run_gateway();
    let _validators = world.run_validators();
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    until(20, "three devices are members", &world, || {
        devices.iter().all(active)
    });

    let header = |d: &Device| d.seen.lock().unwrap().header;
    until(30, "the first epoch is settled", &world, || {
        devices.iter().all(|d| header(d) >= 1)
    });
    until(10, "receipts are there", &world, || {
        devices
            .iter()
            .all(|d| !d.seen.lock().unwrap().receipts.is_empty())
    });

    // Killed at odd moments, while devices send.
    for pause in [130, 477, 911] {
        gateway.kill();
        std::thread::sleep(Duration::from_millis(pause));
        gateway = world.run_gateway();
        std::thread::sleep(Duration::from_millis(700 + pause));
    }
    let before = header(&devices[0]);
    until(40, "epochs go on after SIGKILL", &world, || {
        devices.iter().all(|d| header(d) > before)
    });

    // A device that was not there at the founding.
    let late = world.device(3);
    until(40, "the late joiner is a member", &world, || active(&late));
    let joined = header(&devices[0]);
    until(40, "the late joiner has a receipt", &world, || {
        let seen = late.seen.lock().unwrap();
        seen.header > joined && !seen.receipts.is_empty()
    });

    for device in devices.iter().chain([&late]) {
        device.hush();
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(
        gateway.terminate(Duration::from_secs(5)),
        Some(0),
        "SIGTERM drains\n{}",
        world.logs()
    );

    // Nothing that came back with approvals of others is missing, and every receipt holds offline.
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let genesis = store.meta("genesis").unwrap().unwrap();
    let set = store.meta("set").unwrap().unwrap();
    let (_, authority) = keys::Anchor::load(&world.path("harbour/anchor.json")).unwrap();
    let trust = Trust::new(&genesis, &set, &authority).unwrap();
    let (mut graded, mut receipts) = (0, 0);
    for device in devices.iter().chain([&late]) {
        let seen = device.seen.lock().unwrap();
        for id in seen.graded.keys() {
            graded += 1;
            assert!(store.has_tx(id).unwrap(), "acknowledged and lost: {id}");
        }
        for (id, bytes) in &seen.receipts {
            receipts += 1;
            assert_eq!(receipt(bytes, &trust).unwrap().tx, *id);
            assert!(store.leaf_of(id).unwrap().is_some());
        }
    }
    assert!(
        graded > 50 && receipts > 20,
        "{graded} graded, {receipts} receipts"
    );
}
