//! Side by side: the LST-Tangle of the core, the Tangle of Popov's paper, and IOTA's practice, under the same traffic from the same seed.
//!
//! The core is the real one; the others are written from their published descriptions, named in each module. Every strategy runs as one node that
//! sees all and issues all (a device issues only its share), behind one interface, and is measured with one ruler. Signatures are
//! counted, not made: all strategies check each transaction once. See `docs/decisions/0016`.

pub mod claims;
pub mod coordinator;
pub mod cost;
pub mod graph;
pub mod instructions;
pub mod kind;
pub mod ours;
pub mod paper;
pub mod record;
pub mod run;
pub mod section;
pub mod show;
pub mod traffic;
pub mod urts;

pub use section::SECTION;

/// Whether the core was built with its counters.
pub const METERED: bool = cfg!(feature = "meter");
