//! The leaf: an `iotedge_leaf_t` in the caller's memory, for a device too small to hold a window.
//!
//! Invariant as for nodes: at most one call works on a leaf at a time, a refused call changes nothing, and outputs are written only on success. The one
//! pointer that is handed out, a frame's, points into the leaf's own memory and is good until its next call.

mod life;
mod say;
mod types;

pub use life::*;
pub use say::*;
pub use types::*;

use crate::accelerator::CVerifier;
use crate::node::memory::{Living, look_living, with_living};
use crate::node::platform::CPlatform;
use crate::raw::Call;
use crate::status;
use iotedge_core::leaf::{Error, Leaf};
use iotedge_core::wire::FrameError;

/// A leaf. Lives in memory that you give to `iotedge_leaf_init` and is never copied or moved.
pub struct iotedge_leaf_t {
    _opaque: [u8; 0],
}

pub(crate) type CLeaf = Leaf<'static, CPlatform, CVerifier>;

impl Living for CLeaf {
    const SEAL: u64 = 0x694f_5445_6c65_6166;
}

/// # Safety
/// As `node::memory::with`.
unsafe fn with<R>(leaf: *mut iotedge_leaf_t, work: impl FnOnce(&mut CLeaf) -> Call<R>) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe { with_living(leaf.cast(), work) }
}

/// # Safety
/// As `node::memory::look`.
unsafe fn look<R>(leaf: *const iotedge_leaf_t, work: impl FnOnce(&CLeaf) -> Call<R>) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe { look_living(leaf.cast(), work) }
}

pub(crate) fn refused(error: Error) -> i32 {
    match error {
        Error::Memory => status::IOTEDGE_E_MEMORY_TOO_SMALL,
        Error::Platform => status::IOTEDGE_E_PLATFORM,
        Error::Busy => status::IOTEDGE_E_BUSY,
        Error::NotMember => status::IOTEDGE_E_NOT_MEMBER,
        Error::Certificate => status::IOTEDGE_E_OWN_CERTIFICATE,
        Error::Body => status::IOTEDGE_E_BODY_LENGTH,
        Error::Payee => status::IOTEDGE_E_UNKNOWN_PAYEE,
        Error::Amount => status::IOTEDGE_E_AMOUNT_ZERO,
        Error::Caps => status::IOTEDGE_E_CAP_TRANSACTION,
        Error::Exposure => status::IOTEDGE_E_CAP_EXPOSURE,
        Error::Credits => status::IOTEDGE_E_INSUFFICIENT_CREDITS,
        Error::Frame(FrameError::Wire(error)) => crate::wire_status(error),
        Error::Frame(FrameError::Unbound) | Error::Neighbourhood => status::IOTEDGE_E_NEIGHBOURHOOD,
        Error::Frame(_) => status::IOTEDGE_E_MALFORMED,
        Error::NotForMe => status::IOTEDGE_E_NOT_FOR_ME,
        Error::Signature => status::IOTEDGE_E_SIGNATURE,
        Error::Forged => status::IOTEDGE_E_FORGED,
        Error::OutOfOrder => status::IOTEDGE_E_OUT_OF_ORDER,
        Error::OldImage => status::IOTEDGE_E_OLD_IMAGE,
        Error::Counter => status::IOTEDGE_E_COUNTER,
        Error::CounterExhausted => status::IOTEDGE_E_COUNTER_EXHAUSTED,
    }
}
