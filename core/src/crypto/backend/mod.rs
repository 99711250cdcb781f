//! The code that computes on the curve, chosen at build time: 64-bit words on computers, 32-bit words (`iotedge-curve`, decision 0022) on
//! microcontrollers, and everywhere with the feature `narrow`, so that the same tests hold both.
//!
//! Invariant: both accept exactly what docs/decisions/0002 accepts.

#[cfg(any(feature = "narrow", target_pointer_width = "32"))]
mod narrow;
#[cfg(not(any(feature = "narrow", target_pointer_width = "32")))]
mod wide;

#[cfg(all(
    feature = "es256",
    any(feature = "narrow", target_pointer_width = "32")
))]
pub(super) use narrow::p256;
#[cfg(any(feature = "narrow", target_pointer_width = "32"))]
pub(super) use narrow::{Agreement, Signing, check, verify};
#[cfg(all(
    feature = "es256",
    not(any(feature = "narrow", target_pointer_width = "32"))
))]
pub(super) use wide::p256;
#[cfg(not(any(feature = "narrow", target_pointer_width = "32")))]
pub(super) use wide::{Agreement, Signing, check, verify};
