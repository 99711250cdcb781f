//! Short names of transactions: issuer and the low bits of the number (W-LSB as in ROHC, RFC 5795, and SCHC's LSB action).
//!
//! Invariant: a name means the one number in a fixed span around the reader's own head of that member; where writer and
//! reader disagree about it the check of the frame fails. The forms tell themselves apart by their first bits.

use super::bytes::{Put, Take};
use super::context::Context;
use crate::{Id, MemberIndex, Number, Prefix};

/// How far below its head a member's transaction is looked for.
pub const MAX_BACK: u32 = 63;

/// Issuers below this have names of two bytes.
const SHORT_MEMBERS: u16 = 2048;
/// Lag behind the writer's head up to which four bits are enough, with room for a reader that is ahead.
const SHORT_LAG: u32 = 11;
const WIDE_LAG: u32 = MAX_BACK - 16;
/// A new transaction's number is sought from 3 below the reader's head to 12 above it,
const OWN_BACK_FOUR: u32 = 3;
/// and in eight bits from 63 below to 192 above.
const OWN_BACK_EIGHT: u32 = 63;
const WIDE: u8 = 0x80;
const WHOLE: u8 = 0xa0;
const PREFIX: u8 = 0xc0;

/// Low bits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Low {
    Four(u8),
    Eight(u8),
    All(u32),
}

impl Low {
    /// The number at or above `first` with these low bits.
    fn from(self, first: u32) -> Option<Number> {
        let (low, mask) = match self {
            Self::Four(low) => (u32::from(low), 15),
            Self::Eight(low) => (u32::from(low), 255),
            Self::All(number) => return Some(Number(number)),
        };
        let up = low.wrapping_sub(first) & mask;
        first.checked_add(up).map(Number)
    }
}

/// Writes issuer and low bits.
fn put(to: &mut Put<'_>, issuer: MemberIndex, number: Number, low: Low) -> Option<()> {
    let [high, down] = issuer.0.to_be_bytes();
    match low {
        Low::Four(low) if issuer.0 < SHORT_MEMBERS => {
            let both = issuer.0.wrapping_mul(16) | u16::from(low);
            to.all(&both.to_be_bytes())
        }
        Low::Four(_) | Low::Eight(_) => to.all(&[WIDE, high, down, (number.0 & 255) as u8]),
        Low::All(number) => {
            to.all(&[WHOLE, high, down])?;
            to.all(&number.to_be_bytes())
        }
    }
}

fn take(from: &mut Take<'_>, first: u8) -> Option<(MemberIndex, Low)> {
    Some(match first {
        0..=0x7f => {
            let both = u16::from_be_bytes([first, from.byte()?]);
            (MemberIndex(both >> 4), Low::Four((both & 15) as u8))
        }
        WIDE => {
            let issuer = u16::from_be_bytes(*from.array()?);
            (MemberIndex(issuer), Low::Eight(from.byte()?))
        }
        WHOLE => {
            let issuer = u16::from_be_bytes(*from.array()?);
            let number = u32::from_be_bytes(*from.array()?);
            (MemberIndex(issuer), Low::All(number))
        }
        _ => return None,
    })
}

/// Writes who issued the frame's own transaction, and its number.
pub(super) fn put_own<C: Context + ?Sized>(
    to: &mut Put<'_>,
    issuer: MemberIndex,
    number: Number,
    context: &C,
) -> Option<()> {
    let head = context.head(issuer)?.0;
    let fits = |low: Low, back| low.from(head.saturating_sub(back)) == Some(number);
    let four = Low::Four((number.0 & 15) as u8);
    let eight = Low::Eight((number.0 & 255) as u8);
    let low = if issuer.0 < SHORT_MEMBERS && fits(four, OWN_BACK_FOUR) {
        four
    } else if fits(eight, OWN_BACK_EIGHT) {
        eight
    } else {
        Low::All(number.0)
    };
    put(to, issuer, number, low)
}

/// Reads it: the number nearest to the reader's own head. `Err`: no honest peer writes so; `Ok(None)`: not in step.
pub(super) fn take_own<C: Context + ?Sized>(
    from: &mut Take<'_>,
    context: &C,
) -> Result<Option<(MemberIndex, Number)>, Malformed> {
    let first = from.byte().ok_or(Malformed)?;
    let (issuer, low) = take(from, first).ok_or(Malformed)?;
    let back = match low {
        Low::Four(_) => OWN_BACK_FOUR,
        _ => OWN_BACK_EIGHT,
    };
    let Some(head) = context.head(issuer) else {
        return Ok(None);
    };
    Ok(low
        .from(head.0.saturating_sub(back))
        .map(|number| (issuer, number)))
}

/// Bytes that no honest peer writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Writes the name of a transaction that the reader should hold, or its prefix where that is not sure. Gives the full id where it was named.
pub(super) fn put_known<C: Context + ?Sized>(
    to: &mut Put<'_>,
    prefix: &Prefix,
    context: &C,
    expected: impl FnOnce(&Id) -> bool,
) -> Option<Option<Id>> {
    if let Some(id) = context.by_prefix(prefix)
        && let Some(seen) = context.seen(&id)
        && let Some(head) = context.head(seen.issuer)
        && let Some(lag) = head.checked_sub(seen.number.0)
        && lag.0 <= WIDE_LAG
        && expected(&id)
        // A fork has two with one number: only the branch that is followed here can be named.
        && context.at(seen.issuer, seen.number) == Some(id)
    {
        let low = if lag.0 <= SHORT_LAG {
            Low::Four((seen.number.0 & 15) as u8)
        } else {
            Low::Eight((seen.number.0 & 255) as u8)
        };
        put(to, seen.issuer, seen.number, low)?;
        return Some(Some(id));
    }
    to.byte(PREFIX)?;
    to.all(&prefix.0)?;
    Some(None)
}

/// What a name stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// It is held here.
    Held(Id),
    /// Written out.
    Prefix(Prefix),
    /// It is not held here: not in step.
    Missing,
}

impl Named {
    pub(super) fn prefix(&self) -> Option<Prefix> {
        match self {
            Self::Held(id) => Some(id.prefix()),
            Self::Prefix(prefix) => Some(*prefix),
            Self::Missing => None,
        }
    }
}

/// Reads what [`put_known`] wrote.
pub(super) fn take_known<C: Context + ?Sized>(
    from: &mut Take<'_>,
    context: &C,
) -> Result<Named, Malformed> {
    let first = from.byte().ok_or(Malformed)?;
    if first == PREFIX {
        return Ok(Named::Prefix(Prefix(*from.array().ok_or(Malformed)?)));
    }
    let (issuer, low) = take(from, first).ok_or(Malformed)?;
    // A held one is at the head or below it.
    let span = match low {
        Low::Four(_) => 15,
        Low::Eight(_) => 255,
        Low::All(_) => return Err(Malformed),
    };
    let found = context.head(issuer).and_then(|head| {
        // Below 1 there is only the G0, and beside it nothing: the span does not reach under zero.
        let first = head.0.saturating_sub(span);
        let number = low.from(first).filter(|number| *number <= head)?;
        context.at(issuer, number)
    });
    Ok(found.map_or(Named::Missing, Named::Held))
}
