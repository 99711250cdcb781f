//! iotedge-gateway: the GL-node of a neighbourhood, its validator, and the tools around them.
//!
//! Everything that decides is in `iotedge-core`; this crate gives it sockets, a disk, a clock and a command line. One thread runs
//! one loop: drain the datagrams, check their signatures in one batch, hand them to the node, commit what it wrote, and only
//! then let its frames leave.

pub mod authority;
pub mod check;
pub mod cli;
pub mod config;
pub mod inspect;
pub mod keys;
pub mod metrics;
pub mod platform;
pub mod store;
pub mod transport;
