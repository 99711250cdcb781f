//! iotedge-ffi: the C ABI of libiotedge. `include/iotedge.h` is generated from this crate.
//!
//! Invariant: all `unsafe` of the project is here, and it is thin: check, convert, call core. No allocation, no globals, no
//! threads, no I/O. Outputs are written only on success. Each function's comment is its manual page, and goes into the header.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![deny(clippy::undocumented_unsafe_blocks)]
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
// A sensor uses part of what its rooms have for nodes.
#![cfg_attr(not(feature = "node"), allow(dead_code, unused_imports))]
// The names of C are not the names of Rust, and the contract of a C function stands in its text, not under "# Safety".
#![allow(
    non_camel_case_types,
    clippy::missing_safety_doc,
    clippy::too_many_arguments
)]

pub mod accelerator;
pub mod attest;
pub mod channel;
#[cfg(feature = "node")]
pub mod cluster;
pub mod content;
pub mod enrol;
pub mod flash;
pub mod key;
pub mod leaf;
#[cfg(feature = "node")]
pub mod link;
#[cfg(narrow_core)]
mod mem;
pub mod node;
mod raw;
pub mod reading;
pub mod receipt;
#[cfg(feature = "node")]
pub mod sale;
pub mod selftest;
pub mod serial;
pub mod status;
pub mod verify;
pub mod version;

#[cfg(not(feature = "sensor"))]
compile_error!("choose a profile: feature `sensor`, or `node` for all");

use iotedge_core::wire::WireError;

pub(crate) fn wire_status(error: WireError) -> i32 {
    match error {
        WireError::Truncated | WireError::TrailingBytes | WireError::TooDeep => {
            status::IOTEDGE_E_MALFORMED
        }
        WireError::NotDeterministic => status::IOTEDGE_E_NOT_DETERMINISTIC,
        WireError::Type => status::IOTEDGE_E_WRONG_TYPE,
        WireError::Range => status::IOTEDGE_E_RANGE,
        WireError::Full => status::IOTEDGE_E_BUFFER_TOO_SMALL,
    }
}

#[cfg(all(feature = "panic-handler", not(any(feature = "std", test))))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn iotedge_this_can_panic() -> !;
    }
    // SAFETY: nobody defines it: a library that could come here does not link.
    unsafe { iotedge_this_can_panic() }
}
