//! Deposits: value that was paid in on the G-Chain and that a settlement credits (protocol section 8.2).
//!
//! Invariant: each deposit is credited once, in the order of its index, and in full: to its device, or, where that is no member who could spend it, as an
//! exit back to who paid. So nothing waits here, and nothing can hold up the deposits behind it.

use super::LedgerError;
use crate::crypto::sha256;
use crate::identity::{Record, Roles};
use crate::types::{Amount, Id};

const DOMAIN: &[u8] = b"iotedge/deposit/1";

/// One deposit, as the G-Chain's contract recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Whom it is for.
    pub device: Id,
    /// How much, in micro-tokens.
    pub amount: Amount,
    /// The Ethereum account that paid, and gets it back where the device is no member.
    pub from: [u8; 20],
}

/// The deposits that one settlement credits: those that were made since the header before counted, without a gap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deposits<'d> {
    /// Index of the first one: how many were credited before.
    pub first: u32,
    /// One after the other.
    pub list: &'d [Deposit],
}

impl Deposits<'_> {
    /// How many are credited after these.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`]: more than 32 bits count.
    pub fn credited(&self) -> Result<u32, LedgerError> {
        u32::try_from(self.list.len())
            .ok()
            .and_then(|more| self.first.checked_add(more))
            .ok_or(LedgerError::Overflow)
    }
}

/// The id that an exit has which gives deposit `index` back: `SHA-256("iotedge/deposit/1" || neighbourhood id || index, 4 bytes big-endian)`.
#[must_use]
pub fn deposit_id(neighbourhood: &Id, index: u32) -> Id {
    Id(sha256(&[DOMAIN, &neighbourhood.0, &index.to_be_bytes()]))
}

/// Credits the device, if it is a member who can spend. False where it goes back.
pub(super) fn credit(after: &mut [Record], deposit: &Deposit) -> bool {
    let member = after.iter_mut().find(|r| r.device == deposit.device);
    let Some(member) = member.filter(|r| !r.frozen && !r.roles.has(Roles::LEFT)) else {
        return false;
    };
    match member.credits.checked_add(deposit.amount.0) {
        Some(credits) => {
            member.credits = credits;
            true
        }
        None => false,
    }
}
