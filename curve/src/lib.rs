//! Ed25519 (RFC 8032), X25519 (RFC 7748), ES256 (FIPS 186-5) and a verifiable random function (RFC 9381) for 32-bit microcontrollers.
//!
//! The signature rule is the ledger's (docs/decisions/0002); why there is one more implementation, and what it is measured against, stands in
//! docs/decisions/0022. Invariants: no branch and no address depends on a secret; no `unsafe`; nothing here panics; the deepest call stays below 4 KiB of
//! stack on a 32-bit core.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

mod edwards;
mod field;
mod inverse;
mod scalar;
mod tables;
mod words;

pub mod ed25519;
pub mod p256;
pub mod vrf;
pub mod x25519;

/// Why a key or a signature is not accepted. The ledger knows accepted or not; which of the two it is helps whoever looks for the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A number that is not below the order (nor, in ES256, above zero), or a point that is not canonical, not on the curve or of small order.
    Malformed,
    /// The equation does not hold.
    Rejected,
}
