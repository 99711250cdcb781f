//! The section of the evaluation about attackers: every actor at several strengths, the bound of a third, and what each rule is for.
//!
//! The long parts (the runs of the bound, the least share, rules off) are made by `attacks` (sim/src/bin/attacks.rs) in parts and kept in the full results;
//! a full run makes the others again and leaves those as they are.

pub mod bound;
pub mod fragments;
pub mod rules;
pub mod runs;
pub mod scripts;
pub mod section;
pub mod stage;
pub mod strength;

pub use section::SECTION;
