//! The L-node: an `iotedge_node_t` in the caller's memory.
//!
//! Invariant: at most one call works on a node at a time; a call from its own callback, an interrupt or another thread is
//! refused as long as it is seen (the flag is no lock: the caller's lock is). A refused call changes nothing.

pub(crate) mod memory;
pub(crate) mod platform;
mod types;

// The functions, apart from each other so that they keep the header's order: that of a life.
#[cfg(feature = "node")]
mod setup;

#[cfg(feature = "node")]
mod traffic;

#[cfg(feature = "node")]
mod submit;

#[cfg(feature = "node")]
mod policy;

#[cfg(feature = "node")]
mod look;

#[cfg(feature = "node")]
pub use look::*;
pub use memory::*;
#[cfg(feature = "node")]
pub use policy::*;
#[cfg(feature = "node")]
pub use setup::*;
#[cfg(feature = "node")]
pub use submit::*;
#[cfg(feature = "node")]
pub use traffic::*;
pub use types::*;

use crate::raw::Call;
use crate::status;
use iotedge_core::node::{Peer, Refusal};
use iotedge_core::posp::{MAX_HEADER, MAX_SET, MAX_VALIDATORS};
use iotedge_core::wire::merkle::MAX_PATH;
use iotedge_core::{MAX_FRAME, MAX_PARENTS};

/// Most bytes of a frame: the buffer for `iotedge_node_next_frame`.
pub const IOTEDGE_MAX_FRAME: usize = 1400;
const _: () = assert!(IOTEDGE_MAX_FRAME == MAX_FRAME);
/// Most bytes of a compact receipt: the buffer for `iotedge_node_receipt`.
pub const IOTEDGE_MAX_RECEIPT: usize = 7168;
// Two paths, the header, the ids, and as many votes as a set has validators.
const _: () = assert!(
    IOTEDGE_MAX_RECEIPT
        >= 16 + 2 * (2 + 34 * MAX_PATH) + (3 + MAX_HEADER) + 34 + 5 + MAX_VALIDATORS * (3 + 66)
);
/// Most bytes of an encoded validator set.
pub const IOTEDGE_MAX_SET: usize = 2829;
const _: () = assert!(IOTEDGE_MAX_SET >= MAX_SET);
/// Most parents of a transaction.
pub const IOTEDGE_MAX_PARENTS: usize = 8;
const _: () = assert!(IOTEDGE_MAX_PARENTS == MAX_PARENTS);
/// Bytes of an Ethereum address.
pub const IOTEDGE_TARGET_SIZE: usize = 20;

/// An L-node. Lives in memory that you give to `iotedge_node_init` and is never copied or moved.
pub struct iotedge_node_t {
    _opaque: [u8; 0],
}

fn refused(reason: Refusal) -> i32 {
    status::refusal(reason)
}

pub(crate) fn peer_of(peer: u32) -> Call<Peer> {
    u16::try_from(peer)
        .map(Peer)
        .map_err(|_| status::IOTEDGE_E_ARGUMENT)
}
