//! A metered sale between whole nodes: locked, seen by its payee, claimed, settled, and the rest given back.

use super::harness::*;
use super::test_platform::MemoryPlatform;
use super::*;
use crate::sale::{Config, Payer, Pebble, Proof, Sale, Secret, Terms, Tick};
use crate::wire::Reader;
use crate::{Amount, Id, MemberIndex, Millis, SaleNumber};
use std::vec::Vec;

const UNITS: u32 = 10;

/// Anchor and ticks of a sale of member 1's.
fn chain(net: &mut Network) -> Vec<Tick> {
    let (neighbourhood, device) = {
        let now = Millis(net.now);
        let node = net.node(1);
        let newest = node.tables().newest();
        let record = node.tables().records(newest).unwrap()[1];
        (node.status(now).neighbourhood, record.device)
    };
    let sale = Sale::new(&neighbourhood, &device, SaleNumber(1));
    let secret = Secret::from_bytes([9; 32]);
    let config = Config {
        sale,
        units: UNITS,
        ahead: 1,
        key: 3,
    };
    let mut platform = MemoryPlatform::default();
    let mut pebbles = vec![Pebble::default(); Payer::pebbles(UNITS)];
    let anchor = Payer::anchor(&secret, &sale, UNITS).unwrap();
    let mut all = vec![Tick {
        index: 0,
        value: anchor.0,
    }];
    let mut payer = Payer::open(&mut platform, &secret, config, &mut pebbles).unwrap();
    all.extend((0..UNITS).map(|_| payer.pay(&mut platform).unwrap()));
    all
}

fn value(net: &Network, header: u32) -> u64 {
    let records = &net.headers[&header].records;
    let balances = records.iter().map(|r| r.credits.0 - r.debits.0);
    balances.sum::<u64>() + net.locks.iter().map(|lock| lock.amount.0).sum::<u64>()
}

#[test]
fn a_lock_is_seen_claimed_and_settled() {
    let mut net = Network::started(5);
    let chain = chain(&mut net);
    let lock = Submission::Lock {
        to: MemberIndex(2),
        amount: Amount(100),
        term: 60_000,
        terms: Terms::Ticks {
            sale: SaleNumber(1),
            units: UNITS,
            anchor: Id(chain[0].value),
        },
    };
    let now = Millis(net.now);
    net.node(1).submit(now, &lock, None).unwrap();
    net.traffic(4);
    let locked = |event: &Event| match event {
        Event::Locked {
            id,
            from,
            amount,
            over_cap,
            time,
        } => Some((*id, *from, *amount, *over_cap, *time)),
        _ => None,
    };
    let (id, from, amount, over_cap, time) =
        net.events[2].iter().find_map(locked).expect("an event");
    assert_eq!((from, amount), (MemberIndex(1), Amount(100)));
    assert!(!over_cap);
    assert_eq!(
        Some(time),
        net.node(3).tangle.get(&id).map(|lock| lock.time)
    );
    // Nobody else is told of it, but all can read it.
    for n in [0, 1, 3, 4] {
        assert!(net.events[n].iter().find_map(locked).is_none(), "node {n}");
    }
    let quorum =
        |e: &Event| matches!(e, Event::Graded { id: of, grade: Grade::Quorum, .. } if *of == id);
    assert!(net.events[2].iter().any(quorum), "the payee sees it settle");
    assert!(net.events[1].iter().any(quorum), "and so does the payer");
    let raw = net.node(3).body(&id).unwrap().to_vec();
    let mut r = Reader::new(&raw);
    assert_eq!(r.array(), Ok(5));

    let claim = |tick: usize, last| Submission::Claim {
        lock: id,
        last,
        proof: Proof::Tick(chain[tick]),
    };
    let now = Millis(net.now);
    net.node(2).submit(now, &claim(4, false), None).unwrap();
    // A stranger's claim, and one that shows a false tick, change nothing.
    net.node(3).submit(now, &claim(9, true), None).unwrap();
    net.traffic(2);
    let told: Vec<_> = net.events[1]
        .iter()
        .filter_map(|e| match e {
            Event::Claimed { id, lock } => Some((*id, *lock)),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|(_, lock)| *lock == id));
    assert!(
        !net.events[2]
            .iter()
            .any(|e| matches!(e, Event::Claimed { .. }))
    );
    net.pump(START + PERIOD);
    net.traffic(6);
    let first = net.settle(START + PERIOD);
    let [open] = net.locks[..] else {
        panic!("{:?}", net.locks)
    };
    assert_eq!((open.id, open.reached, open.tick), (id, Amount(40), 4));
    assert_eq!(value(&net, first.0), 50_000);
    net.traffic(2);

    // The payee takes what it has and wants no more.
    let mut false_tick = chain[8];
    false_tick.value[0] ^= 1;
    let forged = Submission::Claim {
        lock: id,
        last: true,
        proof: Proof::Tick(false_tick),
    };
    let now = Millis(net.now);
    net.node(2).submit(now, &forged, None).unwrap();
    net.node(2).submit(now, &claim(7, true), None).unwrap();
    net.traffic(2);
    let before: Vec<_> = net.headers[&first.0].records.clone();
    net.pump(START + 3 * PERIOD);
    net.traffic(6);
    let second = net.settle(START + 3 * PERIOD);
    assert_eq!(net.locks, []);
    assert_eq!(value(&net, second.0), 50_000);
    let after = &net.headers[&second.0].records;
    // 5 micro-tokens each are what the test's traffic moves besides.
    let gained = |n: usize| (after[n].credits.0 - before[n].credits.0) % 5;
    assert_eq!((gained(1), gained(2)), (0, 0));
    assert!(after[2].credits.0 - before[2].credits.0 >= 70);
    assert!(after[1].credits.0 - before[1].credits.0 >= 30);
}

#[test]
fn a_lock_that_nobody_could_keep_is_not_submitted() {
    let mut net = Network::started(5);
    let lock = |term, units, amount| Submission::Lock {
        to: MemberIndex(2),
        amount: Amount(amount),
        term,
        terms: Terms::Ticks {
            sale: SaleNumber(1),
            units,
            anchor: Id([1; 32]),
        },
    };
    let now = Millis(net.now);
    let cap = caps().tx.0;
    for (submission, refusal) in [
        (lock(0, 10, 100), Refusal::Terms),
        (lock((1 << 31) + 1, 10, 100), Refusal::Terms),
        (lock(1_000, 0, 100), Refusal::Terms),
        (lock(1_000, 3, 100), Refusal::Terms),
        (lock(1_000, 1, cap + 1), Refusal::CapTransaction),
        (
            Submission::Claim {
                lock: Id([1; 32]),
                last: false,
                proof: Proof::Nothing,
            },
            Refusal::Terms,
        ),
    ] {
        let refused = net.node(1).submit(now, &submission, None);
        assert_eq!(refused, Err(refusal), "{submission:?}");
    }
}
