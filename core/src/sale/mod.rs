//! Metered sale: what is paid unit by unit under one lock, and what a lock is released by.
//!
//! Invariant: no tick is given for two units, over power cuts too; a payee takes a tick only after it led to the one before. Decisions 0036 and 0038; protocol section 14.

mod chain;
mod payee;
mod payer;
mod pebbles;
mod proof;
mod terms;
#[cfg(test)]
mod tests;

pub use chain::{Sale, Tick};
pub use payee::{MAX_STEP, Payee};
pub use payer::{Config, Payer, Secret};
pub use pebbles::Pebble;
pub use proof::{
    MAX_SIGNED, Proof, Statement, Statements, check_statements, check_tick, check_voucher,
    statement_input, voucher_input,
};
pub use terms::{
    Compare, Feed, MAX_FEED, MAX_READERS, MAX_STATEMENTS, MAX_TERM, Predicate, Readers, Terms,
    price,
};

use crate::platform::PlatformError;
use crate::wire::WireError;

/// Most units of one lock.
pub const MAX_UNITS: u32 = 1 << 16;

/// Why a tick is not given, or a proof not taken. Nothing changes with any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SaleError {
    /// No units, or more than 2^16; no tick reserved at a time, or more than 64.
    Units,
    /// The memory given has fewer pebbles than the chain has levels.
    Full,
    /// All units are paid.
    Spent,
    /// Not above the highest tick that is here: late, or shown twice.
    Stale,
    /// More than [`MAX_STEP`] units ahead of the highest tick that is here.
    TooFar,
    /// It does not lead to the tick before it.
    Forged,
    /// What is stored is damaged, or of another sale.
    Stored,
    /// Store or randomness failed. Try again.
    Platform,
    /// The units do not divide the amount, or nothing is paid.
    Price,
    /// A predicate without feed or readers, with readers out of order, a quorum that they cannot reach, or statements out of order.
    Predicate,
    /// A lock that stands for no time, or for more than 2^31 ms.
    Term,
    /// Terms or a proof that do not exist, or a proof of other terms.
    Terms,
    /// Fewer statements than the quorum, or one of somebody who is no reader.
    Quorum,
    /// A statement says that the condition does not hold.
    NotSo,
    /// A statement from before the lock or after its end, or statements too far from each other.
    Apart,
    /// Not deterministic CBOR of the right shape, or no room for it.
    Wire(WireError),
}

impl From<WireError> for SaleError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<PlatformError> for SaleError {
    fn from(_: PlatformError) -> Self {
        Self::Platform
    }
}
