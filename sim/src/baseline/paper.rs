//! The Tangle as its paper describes it: Popov, *The Tangle*, version 1.4.3 (2018).
//!
//! Section 2: a transaction approves two others; own weights are 1, cumulative weights are kept for all. Section 4.1: tips are found by two walks, biased by
//! alpha. Nothing is ever removed: the paper has no trimming. The walk begins at the genesis, which is how the white paper reads it, or, the
//! paper's remedy, on a random site a given number of transactions back: section 4.1 says cumulative weight between W and 2W, and a site so far back has about that.
//! A node remembers that it checked a signature: 1 check per transaction, which favours this baseline.

use super::cost::Counts;
use super::graph::Graph;
use super::record::{NONE, PARENTS, Record};
use super::run::Strategy;
use super::traffic::{Arrival, Traffic};
use crate::rng::Rng;

/// A node of the paper.
#[derive(Debug)]
pub struct Paper {
    graph: Graph,
    /// W, or none: from the genesis.
    back: Option<u32>,
    rng: Rng,
    counts: Counts,
    held: u64,
}

impl Paper {
    /// alpha in thousandths; where the walk begins.
    #[must_use]
    pub fn new(traffic: &Traffic, milli_alpha: u32, back: Option<u32>) -> Self {
        Self {
            graph: Graph::new(milli_alpha),
            back,
            rng: Rng::stream(traffic.seed, "paper", 0),
            counts: Counts::default(),
            held: 1,
        }
    }

    fn start(&mut self) -> u32 {
        match self.back {
            Some(w) if self.graph.len() > 2 * w => {
                self.graph.len() - w - self.rng.below(u64::from(w)) as u32
            }
            _ => 0,
        }
    }
}

/// Two tips, or one if both walks end there.
pub(super) fn pair(a: u32, b: u32) -> [u32; PARENTS] {
    let mut parents = [NONE; PARENTS];
    parents[0] = a;
    if b != a {
        parents[1] = b;
    }
    parents
}

impl Strategy for Paper {
    fn choose(&mut self, _: &Record, _: &Arrival) -> [u32; PARENTS] {
        let mut ends = [0; 2];
        for end in &mut ends {
            let start = self.start();
            let (tip, touched) = self.graph.walk(start, &mut self.rng);
            self.counts.choose += touched;
            *end = tip;
        }
        pair(ends[0], ends[1])
    }

    fn arrive(&mut self, record: &Record, number: u32) -> bool {
        self.counts.follow += self.graph.add(record, number, 0);
        self.counts.checks += 1;
        self.held += 1;
        true
    }

    fn due(&mut self, _: &Record, _: u64) -> Option<(u16, [u32; PARENTS])> {
        None
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
