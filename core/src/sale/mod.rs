//! Metered sale: what is paid unit by unit under one lock.
//!
//! Invariant: no tick is given for two units, over power cuts too; a payee takes a tick only after it led to the one before. Decision 0036; protocol section 14.

mod chain;
mod payee;
mod payer;
mod pebbles;
#[cfg(test)]
mod tests;

pub use chain::{Sale, Tick};
pub use payee::{MAX_STEP, Payee};
pub use payer::{Config, Payer, Secret};
pub use pebbles::Pebble;

use crate::platform::PlatformError;

/// Most units of one lock.
pub const MAX_UNITS: u32 = 1 << 16;

/// Why a tick is not given or not taken. Nothing changes with any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl From<PlatformError> for SaleError {
    fn from(_: PlatformError) -> Self {
        Self::Platform
    }
}
