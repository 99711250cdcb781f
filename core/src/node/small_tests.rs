//! Nodes that keep most of their memory's share elsewhere: they do what all others do, and what they cannot read they refuse.

use super::harness::*;
use super::test_platform::MemoryPlatform;
use super::*;
use crate::identity::Record;
use std::vec::Vec;

const SMALL: Limits = Limits {
    records: 8,
    ..LIMITS
};

/// The small node.
const ME: usize = 3;

/// Twelve members, one of them with eight records in memory.
fn network() -> Network {
    let mut net = Network::new(12);
    let platform = MemoryPlatform {
        seed: ME as u64,
        ..Default::default()
    };
    net.nodes[ME] = Some(net.boot_with(ME as u8, platform, SMALL));
    net.pump(START + 3_000);
    assert!(net.all_active(), "{}", net.explain());
    net
}

fn count(net: &Network, what: impl Fn(&Event) -> bool) -> usize {
    net.events[ME].iter().filter(|e| what(e)).count()
}

fn is_quorum(event: &Event) -> bool {
    let grade = Grade::Quorum;
    matches!(event, Event::Graded { grade: g, .. } if *g == grade)
}

/// Reads every record through the node, and from one that has all of them in memory.
fn assert_same_tables(net: &mut Network) {
    let newest = net.node(0).tables.newest();
    for epoch in newest.0.saturating_sub(2).max(1)..=newest.0 {
        let epoch = Epoch(epoch);
        let full: Vec<Record> = net.node(0).tables().records(epoch).unwrap().to_vec();
        let small = net.node(ME);
        assert!(small.tables.records(epoch).is_none() && !small.tables.whole());
        assert_eq!(small.tables.count(epoch), full.len());
        for record in full {
            assert_eq!(small.record(epoch, record.index), Ok(Some(record)));
            let weight = crate::tangle::Tables::weight(&small.tables, epoch, record.index);
            assert_eq!(weight, Some(record.weight));
        }
        assert_eq!(small.record(epoch, MemberIndex(12)), Ok(None));
    }
}

#[test]
fn a_node_with_its_records_in_the_store_pays_is_paid_and_settles() {
    let mut net = network();
    assert_same_tables(&mut net);
    net.traffic(4);
    assert!(count(&net, is_quorum) > 4, "{}", net.explain());
    net.pump(START + PERIOD);
    net.traffic(2);
    for turn in 1..=4 {
        assert_eq!(net.settle(START + turn * PERIOD), HeaderNumber(turn as u32));
        net.traffic(2);
        assert_same_tables(&mut net);
    }
    let receipts = count(&net, |e| matches!(e, Event::Receipt { .. }));
    assert!(receipts > 5, "{receipts}\n{}", net.explain());
    let now = Millis(net.now);
    let (small, full) = (net.node(ME).status(now), net.node(0).status(now));
    assert_eq!((small.epoch, small.header), (full.epoch, full.header));
    assert!(small.credits > Amount(10_000));
    // More members spoke than there are places, so it did read.
    assert!(net.node(ME).platform.reads > 20);
    let quiet = net.now + 3_000;
    net.pump(quiet);
    net.assert_same_windows();
}

#[test]
fn it_starts_again_from_its_store_and_hands_tables_on() {
    let mut net = network();
    net.traffic(2);
    net.pump(START + PERIOD);
    net.traffic(2);
    net.settle(START + PERIOD);
    net.traffic(1);
    let (_, platform, _) = net.nodes[ME].take().unwrap().into_parts();
    // Nobody tells it a table: it has them.
    net.deaf = vec![ME as u16];
    net.nodes[ME] = Some(net.boot_with(ME as u8, platform, SMALL));
    assert_eq!(net.node(ME).tables.newest(), Epoch(2));
    assert_same_tables(&mut net);
    let mut out = vec![0; crate::MAX_FRAME];
    for first in [0u16, 5, 11] {
        let (epoch, first) = (Epoch(2), MemberIndex(first));
        let len = net.node(ME).write_table(epoch, first, &mut out).unwrap();
        let small = out[..len].to_vec();
        let len = net.node(0).write_table(epoch, first, &mut out).unwrap();
        assert_eq!(small, out[..len]);
    }
    net.traffic(2);
    let quiet = net.now + 3_000;
    net.pump(quiet);
    net.assert_same_windows();
}

#[test]
fn what_a_full_node_stored_a_small_one_reads_and_the_other_way_round() {
    let mut net = network();
    for limits in [LIMITS, SMALL, LIMITS] {
        let (_, platform, _) = net.nodes[ME].take().unwrap().into_parts();
        let node = net.boot_with(ME as u8, platform, limits);
        assert_eq!(node.tables.newest(), Epoch(1));
        assert_eq!(node.tables.whole(), limits.records == 0);
        net.nodes[ME] = Some(node);
    }
}

#[test]
fn a_store_that_cannot_read_refuses_and_recovers() {
    let mut net = network();
    net.traffic(2);
    net.node(ME).platform.fail_get = true;
    let before = net.node(ME).tangle.len();
    net.traffic(2);
    let (refused, told) = (
        net.node(ME).counters.refused(Refusal::Platform),
        count(&net, |e| matches!(e, Event::PlatformFailed)),
    );
    assert!(refused > 0 && told > 0);
    // Nobody was called unknown because its record could not be read.
    assert_eq!(net.node(ME).counters.refused(Refusal::UnknownIssuer), 0);
    assert_eq!(net.node(ME).counters.refused(Refusal::UnknownPayee), 0);
    net.node(ME).platform.fail_get = false;
    net.traffic(2);
    let quiet = net.now + 5_000;
    net.pump(quiet);
    assert!(net.node(ME).tangle.len() > before);
    net.assert_same_windows();
}

#[test]
fn damaged_records_are_never_believed() {
    let mut net = network();
    let member = MemberIndex(9);
    let key = keys::table(1, 1);
    for at in [0usize, 40, 90] {
        let node = net.node(ME);
        let whole = node.platform.store[&key].clone();
        node.platform.store.get_mut(&key).unwrap()[at] ^= 4;
        // Push it out of memory.
        assert!(node.record(Epoch(1), MemberIndex(1)).unwrap().is_some());
        assert_eq!(node.record(Epoch(1), member), Err(Refusal::Platform));
        assert!(node.record(Epoch(1), MemberIndex(1)).unwrap().is_some());
        node.platform.store.insert(key, whole);
        assert!(node.record(Epoch(1), member).unwrap().is_some());
    }
    // A whole chunk of another place, or of another epoch, is no better.
    let node = net.node(ME);
    let other = node.platform.store[&keys::table(1, 0)].clone();
    let whole = node.platform.store.insert(key, other).unwrap();
    assert!(node.record(Epoch(1), MemberIndex(1)).unwrap().is_some());
    assert_eq!(node.record(Epoch(1), member), Err(Refusal::Platform));
    // At the next start the table is not believed, and asked for again.
    let (_, mut platform, _) = net.nodes[ME].take().unwrap().into_parts();
    platform
        .store
        .insert(key, whole[..whole.len() - 20].to_vec());
    net.nodes[ME] = Some(net.boot_with(ME as u8, platform, SMALL));
    assert_eq!(net.node(ME).tables.newest(), Epoch(0));
    let quiet = net.now + 3_000;
    net.pump(quiet);
    assert_same_tables(&mut net);
}

#[test]
fn a_forged_table_is_dropped_whole_and_the_true_one_taken() {
    let mut net = network();
    let (_, platform, _) = net.nodes[ME].take().unwrap().into_parts();
    let mut fresh = platform.clone();
    for chunk in 0..2 {
        fresh.store.remove(&keys::table(1, chunk));
    }
    net.deaf = vec![ME as u16];
    let mut node = net.boot_with(ME as u8, fresh, SMALL);
    let (epoch, founders) = (Epoch(1), net.founders.clone());
    let mut rich = founders.clone();
    rich[11].credits = Amount(1 << 40);
    for (records, whole) in [(&rich, false), (&founders, true)] {
        for (index, record) in (0u16..).zip(records) {
            let taken = node.take_record(epoch, index, record, true);
            match (index, whole) {
                (11, true) => assert_eq!(taken, Ok(true)),
                (11, false) => assert_eq!(taken, Err(tables::TableError::Forged)),
                _ => assert_eq!(taken, Ok(false)),
            }
        }
        assert_eq!(node.tables.newest(), Epoch(u32::from(whole)));
    }
    // Where the store does not take a chunk, it has to come again.
    let mut fresh = platform.clone();
    fresh.store.remove(&keys::table(1, 0));
    let mut node = net.boot_with(ME as u8, fresh, SMALL);
    node.platform.fail_put = true;
    for (index, record) in (0u16..8).zip(&founders) {
        let taken = node.take_record(epoch, index, record, true);
        let full = Err(tables::TableError::Store);
        assert_eq!(taken, if index == 7 { full } else { Ok(false) });
    }
    assert_eq!(node.tables.missing(), Some((epoch, 0)));
}

/// Every second neighbour lies about a record, so that no two answers in a row are both true: a table of many frames would never come together.
#[test]
fn neighbours_that_forge_tables_keep_none_out_and_wear_no_store_out() {
    for limits in [SMALL, LIMITS] {
        let mut net = network();
        let (_, mut platform, _) = net.nodes[ME].take().unwrap().into_parts();
        for chunk in 0..2 {
            platform.store.remove(&keys::table(1, chunk));
        }
        let before = platform.writes;
        net.deaf = vec![ME as u16];
        net.nodes[ME] = Some(net.boot_with(ME as u8, platform, limits));
        let liars: Vec<u16> = (0..12u16).filter(|n| *n != ME as u16).step_by(2).collect();
        let mut rich = net.founders.clone();
        for record in &mut rich {
            record.credits = Amount(1 << 40);
        }
        let (mut forged, end) = (0, net.now + 60_000);
        while net.node(ME).tables.newest() == Epoch(0) && net.now < end {
            let until = net.now + 1;
            net.pump(until);
            for (_, from, to, bytes) in &mut net.wire {
                if *to != ME as u16 || !liars.contains(from) {
                    continue;
                }
                let Ok((
                    tag,
                    crate::wire::Frame::Table {
                        epoch,
                        first,
                        records,
                    },
                )) = crate::wire::Frame::parse(bytes)
                else {
                    continue;
                };
                let lies: Vec<Vec<u8>> = (0..records.iter().count())
                    .map(|n| {
                        let mut out = vec![0; 256];
                        let mut w = crate::wire::Writer::new(&mut out);
                        rich[usize::from(first.0) + n].encode(&mut w).unwrap();
                        w.written().to_vec()
                    })
                    .collect();
                let raw: Vec<_> = lies.iter().map(|r| crate::wire::list::Raw(r)).collect();
                let lie = crate::wire::Frame::Table {
                    epoch,
                    first,
                    records: crate::wire::list::List::of(&raw),
                };
                let mut out = vec![0; crate::MAX_FRAME];
                let len = lie.write(tag, &mut out).unwrap();
                forged += 1;
                *bytes = out[..len].to_vec();
            }
        }
        assert!(forged > 0);
        assert_eq!(net.node(ME).tables.newest(), Epoch(1), "{}", net.explain());
        let table = crate::tangle::Tables::total(&net.node(ME).tables, Epoch(1));
        assert_eq!(table, Some(12));
        // Two chunks a try, and one liar in two.
        let writes = net.node(ME).platform.writes - before;
        assert!(writes < 60, "{writes} writes");
    }
}

#[test]
fn a_table_of_more_members_than_there_is_room_for_is_refused() {
    let net = network();
    let platform = MemoryPlatform::default();
    let mut full = net.boot_with(
        ME as u8,
        platform,
        Limits {
            members: 11,
            ..SMALL
        },
    );
    // Eleven take six bytes of weights, which would hold twelve.
    let set = {
        let mut out = vec![0; 3000];
        let mut w = crate::wire::Writer::new(&mut out);
        net.set.encode(&mut w).unwrap();
        w.written().to_vec()
    };
    assert_eq!(full.take_genesis(&net.genesis, &set), Err(Refusal::Busy));
    let opening = tables::Opening {
        epoch: Epoch(1),
        members: 12,
        ..Default::default()
    };
    assert_eq!(full.tables.open(opening), Err(tables::TableError::Full));
}

#[test]
fn limits_that_cannot_work_are_refused() {
    assert_eq!(SMALL.check(), Ok(()));
    for records in [1, 7, 9] {
        let limits = Limits { records, ..LIMITS };
        assert_eq!(limits.check(), Err(InitError::Limits));
    }
}

/// What a device with room for little says: everything that can be small is.
const LEAST: Limits = Limits {
    window: 128,
    peers: 13,
    aside: 4,
    outbox: 8,
    own: 16,
    raw: 4 * crate::MAX_FRAME as u32,
    weights: false,
    records: 8,
    tracked: 8,
    wants: 8,
    headers: 1,
    buckets: 8,
    queue: 8,
    ..LIMITS
};

#[test]
fn a_node_with_the_least_of_everything_takes_part() {
    let mut net = network();
    let (_, platform, _) = net.nodes[ME].take().unwrap().into_parts();
    net.nodes[ME] = Some(net.boot_with(ME as u8, platform, LEAST));
    net.pump(START + 5_000);
    net.traffic(3);
    let before = count(&net, is_quorum);
    net.pump(START + PERIOD);
    net.traffic(3);
    for turn in 1..=3 {
        assert_eq!(net.settle(START + turn * PERIOD), HeaderNumber(turn as u32));
        net.traffic(3);
    }
    let settled = |e: &Event| {
        let grade = Grade::Settled;
        matches!(e, Event::Graded { grade: g, .. } if *g == grade)
    };
    let (agreed, settled) = (count(&net, is_quorum) - before, count(&net, settled));
    assert!(
        agreed > 4 && settled > 8,
        "{agreed} {settled}\n{}",
        net.explain()
    );
    let now = Millis(net.now);
    let (small, full) = (net.node(ME).status(now), net.node(0).status(now));
    assert_eq!((small.epoch, small.header), (full.epoch, full.header));
    assert_eq!(small.phase, Phase::Active);
}
