//! iotedge-gateway: the GL-node of a neighbourhood, its validator, and the tools around them.
//!
//! Everything that decides is in `iotedge-core`; this crate gives it sockets, a disk, a clock and a command line. One thread runs
//! one loop: drain the datagrams, check their signatures in one batch, hand them to the node, commit what it wrote, and only
//! then let its frames leave.

pub mod admission;
pub mod appraisal;
pub mod authority;
pub mod check;
pub mod cli;
pub mod clock;
pub mod closer;
pub mod config;
pub mod cut;
pub mod daemon;
pub mod epoch;
pub mod exits;
pub mod gchain;
pub mod inspect;
pub mod keys;
pub mod line;
pub mod memory;
pub mod metrics;
pub mod page;
pub mod platform;
pub mod pressure;
pub mod revocation;
pub mod service;
pub mod store;
pub mod transport;
pub mod verifier;
pub mod voter;
