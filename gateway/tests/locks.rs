//! A metered sale through the real gateway: locked, settled, a validator that lost its list of locks, claimed, and the rest given back.

mod common;

use common::{Device, Wish, World, until};
use iotedge_core::identity::Record;
use iotedge_core::ledger::Lock;
use iotedge_core::node::Phase;
use iotedge_core::sale::voucher_input;
use iotedge_core::wire::Reader;
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex};
use iotedge_gateway::check::Trust;
use iotedge_gateway::epoch::read_locks;
use iotedge_gateway::keys;
use iotedge_gateway::store::Store;
use std::time::Duration;

/// The newest settled header of a gateway or validator, and the locks open after it.
fn settled(world: &World, folder: &str) -> (HeaderNumber, Vec<Lock>) {
    let store = Store::open_read_only(&world.path(folder)).unwrap();
    let newest = store.newest_settled().unwrap();
    let locks = store.locks(newest, 0, 99).unwrap();
    let locks = read_locks(locks.iter().map(Vec::as_slice)).unwrap();
    (newest, locks)
}

/// What a member can spend by the table that a header opens.
fn balance(world: &World, header: HeaderNumber, member: MemberIndex) -> u64 {
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let record = store.records(header.opens(), member, 1).unwrap();
    let record = Record::decode(Reader::new(&record[0]).item().unwrap()).unwrap();
    record.credits.0 - record.debits.0
}

#[test]
fn a_lock_outlives_a_validator_that_lost_it_and_pays_what_its_voucher_says() {
    // Of three validators all are needed: more than two thirds of the stake.
    let world = World::new(3, 3, 3, 3_000);
    let _gateway = world.run_gateway();
    let mut validators = world.run_validators();
    let devices: Vec<Device> = (0..3).map(|n| world.device(n)).collect();
    let seen = |n: usize| devices[n].seen.lock().unwrap();
    until(60, "three devices are members", &world, || {
        (0..3).all(|n| seen(n).phase == Some(Phase::Active))
    });
    until(60, "the first epoch is settled", &world, || {
        seen(0).header >= 1
    });
    let (payer, payee) = (seen(0).index.unwrap(), seen(1).index.unwrap());
    let (before, none) = settled(&world, "gw-data");
    assert_eq!(none, []);
    let at_first = [payer, payee].map(|member| balance(&world, before, member));

    let signer = keys::generate().unwrap().1;
    devices[0].wish(Wish::Lock(payee, signer.public_key(), 600_000));
    until(60, "the payee is told", &world, || {
        !seen(1).locked.is_empty()
    });
    let (id, amount) = seen(1).locked[0];
    assert_eq!(amount, Amount(1_000));
    until(60, "both see it at Quorum", &world, || {
        (0..2).all(|n| seen(n).graded.get(&id).is_some_and(|grade| *grade >= 3))
    });
    let open = |folder: &str| -> Option<Id> { Some(settled(&world, folder).1.first()?.id) };
    until(90, "the lock is in the settled state", &world, || {
        open("gw-data") == Some(id)
    });

    // The last validator goes, and comes back without its list.
    let last = validators.pop().unwrap();
    assert_eq!(last.terminate(Duration::from_secs(5)), Some(0));
    let path = world.path("val-data-2/state.sqlite");
    let db = rusqlite::Connection::open(path).unwrap();
    let lost = db.execute("DELETE FROM open_lock", []).unwrap();
    assert!(lost > 0, "it had none to lose");
    drop(db);
    let reached = settled(&world, "gw-data").0;
    validators.push(world.run_validator(2));
    until(120, "its vote settles two epochs more", &world, || {
        settled(&world, "gw-data").0.0 > reached.0 + 1
    });
    assert_eq!(open("val-data-2"), Some(id));

    // The payee shows its voucher and wants no more.
    let store = Store::open_read_only(&world.path("gw-data")).unwrap();
    let genesis = store.meta("genesis").unwrap().unwrap();
    let set = store.meta("set").unwrap().unwrap();
    let (_, authority) = keys::Anchor::load(&world.path("harbour/anchor.json")).unwrap();
    let trust = Trust::new(&genesis, &set, &authority).unwrap();
    let mut out = [0; 160];
    let key = signer.public_key();
    let input = voucher_input(&key, &trust.neighbourhood, &id, Amount(600), &mut out);
    let signature = signer.sign(input.unwrap()).0;
    devices[1].wish(Wish::Claim(id, 600, signature, true));
    until(90, "the lock is ended", &world, || {
        open("gw-data").is_none()
    });
    let (end, _) = settled(&world, "gw-data");
    let at_last = [payer, payee].map(|member| balance(&world, end, member));
    assert_eq!(at_last, [at_first[0] - 600, at_first[1] + 600]);
    drop(validators);
}
