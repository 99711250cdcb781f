//! The operations that are measured, built once so that `iotedge-bench` (interleaved ratios and instruction counts) and the
//! criterion benches time the same code.
//!
//! Figures that are ratios are taken interleaved in one run: the machine's mood falls on both sides alike.

pub mod channel;
pub mod figure;
pub mod interleave;
pub mod link;
pub mod load;
pub mod sale;
pub mod settlement;
pub mod store;
pub mod transfer;
pub mod window;
