//! iotedge-core: what an IoTEdge device knows.
//!
//! `no_std`, no allocation, no I/O, no clock and no globals: bytes in, bytes out. Every function that can be reached from the
//! network returns an error instead of panicking. The wire is `docs/protocol.md`; the rules come from the pages in `docs/decisions/`.
//!
//! Rooms, from the bottom up (dependencies point down only):
//! `crypto`, `wire`, `store`, `identity`, `cluster` and `channel` and `content` and `sale` and `tx`, `rollback` and `tangle` and `ledger` and `posp` and `link`, `node` and `leaf`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]

#[cfg(feature = "batch")]
extern crate alloc;

pub mod channel;
pub mod cluster;
pub mod content;
mod copy;
pub mod crypto;
pub mod identity;
pub mod leaf;
pub mod ledger;
pub mod link;
pub mod node;
mod order;
pub mod platform;
pub mod posp;
mod rollback;
#[cfg(not(iotedge_rules_off))]
mod rules;
#[cfg(iotedge_rules_off)]
pub mod rules;
pub mod sale;
pub mod store;
pub mod tangle;
pub mod tx;
pub mod types;
pub mod wire;

pub use types::*;
