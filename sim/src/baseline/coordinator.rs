//! IOTA's practice of the coordinator era: the walk from a milestone of some depth.
//!
//! After "TipSelection Algorithm Documentation" (hackmd.io/s/Skow-8Hb7), which describes getTransactionsToApprove of the IOTA reference implementation:
//! the entry point is the milestone `depth` back (15 at most, and taken here), the weights of its whole future cone are computed anew for each
//! call, two walks follow. Counted is the least that can do: one visit to collect a vertex of the cone and one to weigh it. The ledger check
//! along the walk and the search below the maximum depth are not counted: both favour this baseline. Milestones come every 60 s (coordinator.intervalSeconds
//! in HORNET 0.4.0's configuration). A local snapshot keeps the last 40,000 milestones (IRI 1.6.0: about a month), so up to 10^6 nothing is
//! pruned. alpha = 0.001.

use super::cost::Counts;
use super::graph::Graph;
use super::paper::pair;
use super::record::{PARENTS, Record};
use super::run::Strategy;
use super::traffic::{Arrival, Traffic};
use crate::rng::Rng;

/// Milestones between the entry point and the newest.
const DEPTH: usize = 15;
/// Between milestones, in ms.
const INTERVAL: u64 = 60_000;

/// A node of the reference implementation, and the coordinator.
#[derive(Debug)]
pub struct Coordinator {
    graph: Graph,
    coordinator: u16,
    /// Those that arrived; the genesis stands for all before the first.
    milestones: Vec<u32>,
    last: u64,
    rng: Rng,
    counts: Counts,
    held: u64,
}

impl Coordinator {
    /// alpha in thousandths.
    #[must_use]
    pub fn new(traffic: &Traffic, milli_alpha: u32) -> Self {
        Self {
            graph: Graph::new(milli_alpha),
            coordinator: traffic.issuers,
            milestones: vec![0],
            last: 0,
            rng: Rng::stream(traffic.seed, "coordinator", 0),
            counts: Counts::default(),
            held: 1,
        }
    }

    fn entry(&self) -> u32 {
        let back = self.milestones.len().saturating_sub(1 + DEPTH);
        self.milestones[back]
    }

    fn select(&mut self) -> [u32; PARENTS] {
        let entry = self.entry();
        self.counts.choose += 2 * u64::from(self.graph.weight(entry));
        let (a, first) = self.graph.walk(entry, &mut self.rng);
        let (b, second) = self.graph.walk(entry, &mut self.rng);
        self.counts.choose += first + second;
        pair(a, b)
    }
}

impl Strategy for Coordinator {
    fn choose(&mut self, _: &Record, _: &Arrival) -> [u32; PARENTS] {
        self.select()
    }

    fn arrive(&mut self, record: &Record, number: u32) -> bool {
        // The weights are kept up here only to know what each call would compute: not counted.
        let floor = self.entry();
        self.graph.add(record, number, floor);
        self.counts.follow += 1 + record.get(number).parents().count() as u64;
        self.counts.checks += 1;
        self.held += 1;
        if record.get(number).special {
            self.milestones.push(number);
        }
        true
    }

    fn due(&mut self, _: &Record, now: u64) -> Option<(u16, [u32; PARENTS])> {
        if now < self.last + INTERVAL {
            return None;
        }
        self.last = now;
        Some((self.coordinator, self.select()))
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn held(&self) -> u64 {
        self.held
    }

    fn tips(&self) -> u64 {
        self.graph.tips()
    }
}
