//! Where a node keeps what in the platform's store. Sixteen-bit keys, so that a port can map them to flash records.

use super::config::Limits;

/// `[version, authority thumbprint, next ticket]`.
pub(crate) const META: u16 = 0x0001;
/// The verified GENESIS frame body.
pub(crate) const GENESIS: u16 = 0x0002;
/// Where the clocks of past epochs start.
pub(crate) const CLOCKS: u16 = 0x0003;
/// The last settled headers with their votes, three in turn.
pub(crate) const HEADERS: u16 = 0x0004;

/// How far the chain of validator sets has come.
pub(crate) const TRUST: u16 = 0x0007;
/// The validator set in office, if it is not the pinned one.
pub(crate) const SET: u16 = 0x0008;
/// The one before it.
pub(crate) const SET_BEFORE: u16 = 0x0009;
/// The owner's policy, and the window in which the device spends.
pub(crate) const POLICY: u16 = 0x000a;

/// Own transactions by number, until their receipts.
pub(crate) fn own(limits: &Limits, number: u32) -> u16 {
    let slot = number
        .checked_rem(u32::from(limits.own))
        .and_then(|n| u16::try_from(n).ok())
        .unwrap_or(0);
    0x1000u16.saturating_add(slot.min(0x0fff))
}

/// Submissions waiting to be sent.
pub(crate) fn outbox(slot: u16) -> u16 {
    0x2000u16.saturating_add(slot.min(0x0fff))
}

/// Received transfers until their receipts.
pub(crate) fn received(slot: u16) -> u16 {
    0x3000u16.saturating_add(slot.min(0x0fff))
}

/// Records of a table, eight to a chunk; three tables in turn.
pub(crate) fn table(epoch: u32, chunk: u16) -> u16 {
    let turn = u16::try_from(epoch.checked_rem(3).unwrap_or(0)).unwrap_or(0);
    0x4000u16
        .saturating_add(turn.saturating_mul(0x2000))
        .saturating_add(chunk.min(0x1fff))
}
