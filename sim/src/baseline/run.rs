//! One run: traffic through one strategy, h between issue and arrival, and what it costs on the way.

use super::cost::Counts;
use super::record::{Entry, NONE, PARENTS, Quality, Record};
use super::traffic::{Arrival, Traffic};
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

    /// What it cost so far.
    fn counts(&self) -> Counts;

    /// How many transactions it holds now.
    fn held(&self) -> u64;

    /// How many tips it knows now.
    fn tips(&self) -> u64;
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

/// Runs up to the last of the rising sizes.
pub fn run(traffic: &Traffic, strategy: &mut dyn Strategy, sizes: &[u64]) -> Outcome {
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
            let lazy = arrival.lazy && make_lazy(traffic, &record, &arrival, &mut parents);
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
    Outcome {
        quality: record.quality(traffic.issuers),
        points,
    }
}

/// Puts old transactions in the place of the tips. False while the DAG is too young for it.
fn make_lazy(
    traffic: &Traffic,
    record: &Record,
    arrival: &Arrival,
    parents: &mut [u32; PARENTS],
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
    let own = parents[0] != NONE && record.get(parents[0]).issuer == arrival.issuer;
    // On an own chain the first parent is given.
    let free = usize::from(own);
    parents[free..].fill(NONE);
    parents[free] = a;
    parents[free + 1] = b;
    true
}
