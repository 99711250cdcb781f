//! One run: traffic through one strategy, h between issue and arrival, and what it costs on the way.

use super::cost::Counts;
use super::record::{Entry, NONE, PARENTS, Quality, Record};
use super::traffic::{Arrival, Traffic};
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Instant;

/// A way to keep a Tangle and to choose tips.
pub trait Strategy {
    /// Chooses the parents of a transaction made now, from what arrived so far.
    fn choose(&mut self, record: &Record, arrival: &Arrival) -> [u32; PARENTS];

    /// Takes a transaction that arrives, made h before. False: its rules refuse it.
    fn arrive(&mut self, record: &Record, number: u32) -> bool;

    /// Whether a transaction of its own is due (a milestone, a trim): its issuer and parents. Asked before every transaction.
    fn due(&mut self, record: &Record, now: u64) -> Option<(u16, [u32; PARENTS])>;

    /// Whether a transaction's first parent is its issuer's own.
    fn chains(&self) -> bool {
        false
    }

    /// What it cost so far.
    fn counts(&self) -> Counts;

    /// How many transactions it holds now.
    fn held(&self) -> u64;

    /// How many tips it knows now.
    fn tips(&self) -> u64;

    /// What only this strategy can tell.
    fn extra(&self) -> Value {
        Value::Null
    }
}

/// One row of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// n: transactions so far.
    pub transactions: u64,
    /// What the transactions since the last point (a tenth of n and more) cost, and how many they were.
    pub spent: Counts,
    /// See `spent`.
    pub over: u64,
    /// Transactions held after n.
    pub held: u64,
    /// Mean number of tips since the last point.
    pub tips: f64,
    /// Transactions that the strategy itself made so far.
    pub special: u64,
    /// Nanoseconds by the wall clock per transaction since the last point.
    pub nanos: f64,
}

/// What a run gives.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// At each size asked for.
    pub points: Vec<Point>,
    /// Of the whole run.
    pub quality: Quality,
}

/// Runs up to the last of the rising sizes, and reads off what came of it.
pub fn run(traffic: &Traffic, strategy: &mut dyn Strategy, sizes: &[u64]) -> Outcome {
    let (record, points) = through(traffic, strategy, sizes);
    Outcome {
        quality: record.quality(traffic.issuers),
        points,
    }
}

/// Runs up to the last of the rising sizes.
pub fn through(
    traffic: &Traffic,
    strategy: &mut dyn Strategy,
    sizes: &[u64],
) -> (Record, Vec<Point>) {
    let mut record = Record::default();
    let mut under_way = VecDeque::new();
    let mut points = Vec::new();
    let (mut last_counts, mut last_size, mut tips, mut special) = (strategy.counts(), 0, 0, 0);
    let mut begin = Instant::now();
    let mut arrivals = traffic.arrivals();
    for size in sizes {
        for _ in last_size..*size {
            let Some(arrival) = arrivals.next() else {
                break;
            };
            while let Some(&number) = under_way.front()
                && record.get(number).time + traffic.delay < arrival.time
            {
                under_way.pop_front();
                if !strategy.arrive(&record, number) {
                    record.refuse(number);
                }
            }
            let before = arrival.time - 1;
            if let Some((issuer, parents)) = strategy.due(&record, before) {
                special += 1;
                under_way.push_back(record.push(Entry {
                    time: before,
                    issuer,
                    lazy: false,
                    special: true,
                    taken: true,
                    parents,
                }));
            }
            let mut parents = strategy.choose(&record, &arrival);
            let lazy = arrival.lazy
                && make_lazy(
                    traffic,
                    &record,
                    &arrival,
                    &mut parents,
                    usize::from(strategy.chains()),
                );
            tips += strategy.tips();
            under_way.push_back(record.push(Entry {
                time: arrival.time,
                issuer: arrival.issuer,
                lazy,
                special: false,
                taken: true,
                parents,
            }));
        }
        let (counts, over) = (strategy.counts(), size - last_size);
        points.push(Point {
            transactions: *size,
            spent: counts - last_counts,
            over,
            held: strategy.held(),
            tips: tips as f64 / over as f64,
            special,
            nanos: begin.elapsed().as_nanos() as f64 / over as f64,
        });
        (last_counts, last_size, tips) = (counts, *size, 0);
        begin = Instant::now();
    }
    (record, points)
}

/// Puts old transactions in the place of the tips, from the position `free` on. False while the DAG is too young for it.
fn make_lazy(
    traffic: &Traffic,
    record: &Record,
    arrival: &Arrival,
    parents: &mut [u32; PARENTS],
    free: usize,
) -> bool {
    let Some(then) = arrival.time.checked_sub(traffic.lazy_age) else {
        return false;
    };
    let old = record.since(then);
    // Two neighbours in time, both taken; the genesis never.
    let mut found = (1..old)
        .rev()
        .filter(|&number| record.get(number).taken && !record.get(number).lazy)
        .take(2);
    let (Some(a), Some(b)) = (found.next(), found.next()) else {
        return false;
    };
    // On an own chain the first parent is given.
    parents[free..].fill(NONE);
    parents[free] = a;
    parents[free + 1] = b;
    true
}

#[cfg(test)]
mod tests {
    use super::super::kind::{ALL, Kind, find};
    use super::super::ours::Choice;
    use super::*;

    const UNIFORM: Kind = Kind::Ours(128, Choice::Uniform);

    #[test]
    fn a_run_is_repeatable() {
        for entry in ALL {
            let once = || {
                let mut strategy = entry.kind.make(&Traffic::USUAL);
                let (record, _) = through(&Traffic::USUAL, strategy.as_mut(), &[400]);
                let parents: Vec<_> = (0..400).map(|i| record.get(i).parents).collect();
                (parents, strategy.counts())
            };
            assert_eq!(once(), once(), "{}", entry.name);
        }
    }

    #[test]
    fn all_get_the_same_traffic() {
        let issued = |kind: Kind| {
            let (record, _) = through(&Traffic::USUAL, kind.make(&Traffic::USUAL).as_mut(), &[700]);
            (0..record.len() as u32)
                .map(|i| *record.get(i))
                .filter(|e| !e.special)
                .map(|e| (e.time, e.issuer))
                .collect::<Vec<_>>()
        };
        let first = issued(ALL[0].kind);
        assert_eq!(first.len(), 700);
        for entry in &ALL[1..] {
            assert_eq!(issued(entry.kind), first, "{}", entry.name);
        }
    }

    #[test]
    fn a_parent_is_known_where_it_is_chosen() {
        for entry in ALL {
            let traffic = Traffic::USUAL;
            let (record, _) = through(&traffic, entry.kind.make(&traffic).as_mut(), &[700]);
            for i in 1..record.len() as u32 {
                let child = record.get(i);
                for parent in child.parents().map(|p| record.get(p)) {
                    let own = parent.issuer == child.issuer;
                    assert!(
                        own || parent.time + traffic.delay <= child.time || parent.time == 0,
                        "{}: {parent:?} under {child:?}",
                        entry.name
                    );
                }
            }
        }
    }

    #[test]
    fn ours_settles_what_it_forgets() {
        let traffic = Traffic::USUAL;
        let mut ours = UNIFORM.make(&traffic);
        let (record, points) = through(&traffic, ours.as_mut(), &[2_500]);
        assert_eq!(points[0].held, 128);
        let extra = ours.extra();
        assert!(extra["headers"].as_u64() >= Some(3), "{extra}");
        assert!(extra["done"].as_u64() > Some(1_300) && extra["done"] == extra["living"]);
        assert!(extra["followed_to_quorum"].as_u64() > Some(50), "{extra}");
        assert_eq!(record.quality(traffic.issuers).left_behind, 0.0);
    }

    #[test]
    fn old_parents_are_refused_by_ours_alone() {
        let traffic = Traffic {
            lazy: 3,
            lazy_age: 60_000,
            ..Traffic::USUAL
        };
        // How many of the lazy ones were refused.
        let refused = |name: &str| {
            let kind = find(name).expect("a name").kind;
            let (record, _) = through(&traffic, kind.make(&traffic).as_mut(), &[900]);
            let lazy: Vec<_> = (0..record.len() as u32)
                .map(|i| *record.get(i))
                .filter(|e| e.lazy && e.time + traffic.delay < record.last_time())
                .collect();
            assert!(lazy.len() > 10, "{}", lazy.len());
            (lazy.iter().filter(|e| !e.taken).count(), lazy.len())
        };
        let (gone, all) = refused("uniform-128");
        assert_eq!(gone, all);
        for name in ["paper", "paper-w", "coordinator", "urts"] {
            assert_eq!(refused(name).0, 0, "{name}");
        }
    }

    #[test]
    fn the_paper_keeps_all_and_pays_for_all() {
        let traffic = Traffic::USUAL;
        let mut paper = Kind::Paper(1, None).make(&traffic);
        let (_, points) = through(&traffic, paper.as_mut(), &[500, 1_000, 2_000]);
        let follow = |i: usize| points[i].spent.follow as f64 / points[i].over as f64;
        // Nearly the whole past: means over 500 to 1,000 and 1,000 to 2,000.
        assert!((700.0..750.0).contains(&follow(1)), "{}", follow(1));
        assert!((1_450.0..1_500.0).contains(&follow(2)), "{}", follow(2));
        assert!(points[2].held > 1_980);
    }
}
