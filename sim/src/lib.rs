//! The deterministic simulator: a whole neighbourhood of real L-nodes in one process.
//!
//! Every node is `iotedge_core::node::Node`, the one that devices run. Time is virtual and every draw comes from one seed, so a seed and a
//! scenario give one trace, whose SHA-256 is printed: a bug that was seen once is seen again. `docs/simulator.md` says how to use it.
#![forbid(unsafe_code)]

pub mod actors;
mod air;
pub mod archive;
pub mod baseline;
pub mod cost;
pub mod evaluate;
pub mod figures;
pub mod founding;
pub mod gateway;
mod host;
pub mod invariants;
pub mod leaves;
pub mod link;
pub mod memory;
pub mod network;
pub mod pages;
pub mod platform;
pub mod radio;
pub mod report;
pub mod rng;
pub mod scenario;
mod team;
pub mod topology;

pub use network::{Options, run, run_with};
pub use report::Report;
pub use scenario::Scenario;
