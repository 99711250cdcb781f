//! Compression of whole frames by static context (the idea of SCHC, RFC 8724 section 7), and its inverse.
//!
//! Invariant: what [`decompress`] gives has the check bytes of the frame that was compressed, so with both ends in step it is that frame, byte
//! for byte, and the signature in it covers the full form. Where they are not in step it gives an error and blames nobody.
//! A frame without a rule, or that a rule does not make shorter, travels whole.

mod list;
mod tx;

use super::bytes::{Take, check_of};
use super::context::Context;
use crate::copy::copy;
use crate::wire::Frame;
use crate::{MAX_FRAME, Peer};

/// First byte of a datagram: a whole frame follows.
pub(super) const WHOLE: u8 = 0x00;
const ANNOUNCE: u8 = 0x04;
const REQUEST: u8 = 0x05;
const BEACON: u8 = 0x06;
/// With the number of other parents in the three low bits.
const TX: u8 = 0x08;
/// The same with an attachment.
const TX_ATTACHED: u8 = 0x10;

/// Whether a byte opens a compressed datagram.
pub(super) const fn is_rule(first: u8) -> bool {
    matches!(first, ANNOUNCE..=BEACON | TX..=0x17)
}

/// Rules that can fail one by one: each has its own trust per neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A transaction.
    Tx,
    /// A list of prefixes that the reader should hold.
    Request,
    /// Everything else: announcements and beacons.
    Other,
}

/// How much is expected of the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hope {
    /// It holds what this node holds.
    All,
    /// It holds what it is known to hold.
    Known,
}

/// A compressed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Its bytes.
    pub len: usize,
    /// The check over the whole form: by it the other end asks for that.
    pub check: u16,
    /// The rule that it was made by.
    pub rule: Rule,
}

/// Why bytes gave no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecompressError {
    /// No honest peer writes so. Drop them.
    Malformed,
    /// The two ends do not hold the same: ask for the whole form of the frame with this check. Nobody is to blame.
    OutOfStep(u16),
    /// The buffer is below the 1400 bytes of the longest frame. Give a larger one.
    BufferTooSmall,
}

impl From<super::name::Malformed> for DecompressError {
    fn from(_: super::name::Malformed) -> Self {
        Self::Malformed
    }
}

/// Why nothing was rebuilt, before the check is known to the caller.
enum Failed {
    Malformed,
    OutOfStep,
}

impl From<super::name::Malformed> for Failed {
    fn from(_: super::name::Malformed) -> Self {
        Self::Malformed
    }
}

/// The rule of a frame's type, if it has one.
#[must_use]
pub fn rule_of(frame: &[u8]) -> Option<Rule> {
    match frame.get(4)? {
        1 => Some(Rule::Tx),
        2 | 4 => Some(Rule::Other),
        3 => Some(Rule::Request),
        _ => None,
    }
}

/// Writes the compressed form of a frame to `peer` to the start of `out`. `None`: it travels whole.
pub fn compress<C: Context + ?Sized>(
    frame: &[u8],
    peer: Peer,
    hope: Hope,
    context: &C,
    out: &mut [u8],
) -> Option<Packed> {
    let rule = rule_of(frame)?;
    let (tag, parsed) = Frame::parse(frame).ok()?;
    if tag == [0; 4] || tag != context.tag() {
        return None;
    }
    // Dispatch and check first, so that the rest is the rule's.
    let check = check_of(frame);
    let (head, body) = out.split_at_mut_checked(3)?;
    let (first, len) = match parsed {
        Frame::Tx { cose, attachment } => tx::pack(cose, attachment, peer, hope, context, body)?,
        Frame::Announce(ids) => (ANNOUNCE, list::pack_announce(ids, body)?),
        Frame::Request(ids) => (REQUEST, list::pack_request(ids, body)?),
        Frame::Beacon { now, header, tips } => (
            BEACON,
            list::pack_beacon(now, header, tips, peer, context, body)?,
        ),
        _ => return None,
    };
    let [high, low] = check.to_be_bytes();
    copy(head, &[first, high, low]);
    let len = len.checked_add(3)?;
    (len <= frame.len()).then_some(Packed { len, check, rule })
}

/// Rebuilds the frame at the start of `out`, which has at least [`MAX_FRAME`] bytes, and gives its length.
///
/// # Errors
/// See [`DecompressError`]; what is in `out` then is nothing.
pub fn decompress<C: Context + ?Sized>(
    packed: &[u8],
    context: &C,
    out: &mut [u8],
) -> Result<usize, DecompressError> {
    let out = out
        .get_mut(..MAX_FRAME)
        .ok_or(DecompressError::BufferTooSmall)?;
    let mut from = Take(packed);
    let head = from.array::<3>().ok_or(DecompressError::Malformed)?;
    let [first, high, low] = *head;
    let check = u16::from_be_bytes([high, low]);
    let tag = context.tag();
    if !is_rule(first) {
        return Err(DecompressError::Malformed);
    }
    if tag == [0; 4] {
        return Err(DecompressError::OutOfStep(check));
    }
    let rebuilt = match first {
        ANNOUNCE => list::unpack_announce(from, tag, out),
        REQUEST => list::unpack_request(from, tag, context, out),
        BEACON => list::unpack_beacon(from, tag, context, out),
        _ => tx::unpack(first, from, tag, context, out),
    };
    match rebuilt {
        Ok(len) if out.get(..len).map(check_of) == Some(check) => Ok(len),
        Ok(_) | Err(Failed::OutOfStep) => Err(DecompressError::OutOfStep(check)),
        Err(Failed::Malformed) => Err(DecompressError::Malformed),
    }
}

#[cfg(test)]
mod tests;
