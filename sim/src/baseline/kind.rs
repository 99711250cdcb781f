//! The strategies that are compared, by name.

use super::coordinator::Coordinator;
use super::ours::{Choice, Ours, ram};
use super::paper::Paper;
use super::run::Strategy;
use super::traffic::Traffic;
use super::urts::Urts;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The core's tangle with this window.
    Ours(usize, Choice),
    /// The paper's, with alpha in thousandths; the walk begins at the genesis or so many transactions back.
    Paper(u32, Option<u32>),
    /// IOTA's before Chrysalis.
    Coordinator,
    /// IOTA's after.
    Urts,
}

/// alpha = 0.001, the default of the IOTA reference implementation, in thousandths and in the core's units.
const MILLI_ALPHA: u32 = 1;
const ALPHA: u32 = 66;

/// One row of the comparison.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its key in the results.
    pub name: &'static str,
    /// Its name in the page.
    pub label: &'static str,
    /// What it is.
    pub kind: Kind,
    /// The full run goes so far.
    pub most: u64,
    /// Bytes of one transaction on its wire.
    pub wire: u64,
    /// Instructions per vertex touched, as callgrind counts them on x86-64 (`instructions`), rounded.
    pub factor: u64,
}

/// A transfer of ours at most; DESIGN 5.2 has the others': IOTA before and after Chrysalis.
const WIRE: u64 = 157;
const LEGACY: u64 = 1_604;
const CHRYSALIS: u64 = 275;

const fn ours(
    name: &'static str,
    label: &'static str,
    window: usize,
    choice: Choice,
    factor: u64,
) -> Entry {
    Entry {
        name,
        label,
        kind: Kind::Ours(window, choice),
        most: 1_000_000,
        wire: WIRE,
        factor,
    }
}

/// Instructions of one Ed25519 check, counted the same way.
pub const CHECK: u64 = 634_000;

/// All of them, in the order of the page.
pub const ALL: &[Entry] = &[
    ours(
        "uniform-128",
        "ours, Uniform, window 128",
        128,
        Choice::Uniform,
        87,
    ),
    ours(
        "uniform-256",
        "ours, Uniform, window 256",
        256,
        Choice::Uniform,
        85,
    ),
    ours(
        "uniform-1024",
        "ours, Uniform, window 1024",
        1024,
        Choice::Uniform,
        64,
    ),
    ours(
        "weighted-128",
        "ours, Weighted, window 128",
        128,
        Choice::Weighted(ALPHA),
        55,
    ),
    ours(
        "weighted-256",
        "ours, Weighted, window 256",
        256,
        Choice::Weighted(ALPHA),
        53,
    ),
    Entry {
        most: 100_000,
        ..ours(
            "weighted-1024",
            "ours, Weighted, window 1024",
            1024,
            Choice::Weighted(ALPHA),
            51,
        )
    },
    Entry {
        name: "paper",
        label: "the paper's Tangle, walk from the genesis",
        kind: Kind::Paper(MILLI_ALPHA, None),
        most: 100_000,
        wire: LEGACY,
        factor: 46,
    },
    Entry {
        name: "paper-w",
        label: "the paper's Tangle, walk from W = 1,000 back",
        kind: Kind::Paper(MILLI_ALPHA, Some(1_000)),
        most: 100_000,
        wire: LEGACY,
        factor: 50,
    },
    Entry {
        name: "coordinator",
        label: "IOTA with coordinator, walk from depth 15",
        kind: Kind::Coordinator,
        most: 1_000_000,
        wire: LEGACY,
        factor: 46,
    },
    Entry {
        name: "urts",
        label: "IOTA Chrysalis, TIP-3",
        kind: Kind::Urts,
        most: 1_000_000,
        wire: CHRYSALIS,
        factor: 164,
    },
];

/// The entry of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

impl Kind {
    /// A fresh one.
    #[must_use]
    pub fn make(self, traffic: &Traffic) -> Box<dyn Strategy> {
        match self {
            Self::Ours(window, choice) => Box::new(Ours::new(traffic, window, choice)),
            Self::Paper(alpha, back) => Box::new(Paper::new(traffic, alpha, back)),
            Self::Coordinator => Box::new(Coordinator::new(traffic, MILLI_ALPHA)),
            Self::Urts => Box::new(Urts::new(traffic)),
        }
    }

    /// The window, if it has one.
    #[must_use]
    pub const fn window(self) -> Option<usize> {
        match self {
            Self::Ours(window, _) => Some(window),
            _ => None,
        }
    }

    /// Bytes beside the transactions that are known exactly: the memory that the core is given. The others' indexes are not counted.
    #[must_use]
    pub fn ram(self, members: usize) -> u64 {
        self.window()
            .map_or(0, |window| ram(window, members) as u64)
    }
}
