//! What a lock is released by: the terms in its body.
//!
//! Invariant: `read` accepts exactly what `write` writes, and both refuse terms that nobody could keep: no units, a price that is no whole number, a predicate without readers.

use super::{MAX_UNITS, SaleError};
use crate::crypto::PublicKey;
use crate::identity::CoseKey;
use crate::types::SaleNumber;
use crate::types::{Amount, Id, MemberIndex};
use crate::wire::{Reader, Writer};

/// Longest time that a lock may stand, in milliseconds: 24 days.
pub const MAX_TERM: u32 = 1 << 31;
/// Most readers that a predicate names.
pub const MAX_READERS: usize = 8;
/// Most statements in a claim, and so the largest quorum of a predicate.
pub const MAX_STATEMENTS: usize = 4;
/// Longest name of a feed.
pub const MAX_FEED: usize = 16;

/// What a lock is released by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Units, each paid by revealing one more tick of a hash chain; each costs amount / units.
    Ticks {
        /// The payer's number of this sale: which chain.
        sale: SaleNumber,
        /// Units, 1 to 2^16.
        units: u32,
        /// w(0).
        anchor: Id,
    },
    /// Totals that the holder of this key signs.
    Vouchers {
        /// Whose signature a voucher bears: the payer's device key, or one made for the sale.
        key: PublicKey,
    },
    /// The whole amount, once a quorum of readers says that something is so.
    Predicate(Predicate),
}

/// How a reading is compared with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Compare {
    /// At least the threshold.
    AtLeast = 0,
    /// At most the threshold.
    AtMost = 1,
    /// The threshold exactly.
    Equal = 2,
    /// Anything else.
    NotEqual = 3,
}

impl Compare {
    /// The comparison with this number on the wire.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtLeast),
            1 => Some(Self::AtMost),
            2 => Some(Self::Equal),
            3 => Some(Self::NotEqual),
            _ => None,
        }
    }

    /// Whether a value passes.
    #[must_use]
    pub const fn holds(self, value: i64, threshold: i64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::AtMost => value <= threshold,
            Self::Equal => value == threshold,
            Self::NotEqual => value != threshold,
        }
    }
}

/// `quorum` of these readers say, within `window` of each other and while the lock stands, that `feed` compares so with the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// What is read.
    pub feed: Feed,
    /// How.
    pub compare: Compare,
    /// With what. Readers and lock agree on the unit: integers only.
    pub threshold: i64,
    /// Most milliseconds between the earliest and the latest statement.
    pub window: u32,
    /// How many readers must say so, 1 to 4.
    pub quorum: u8,
    /// Who may, at least as many as `quorum`.
    pub readers: Readers,
}

/// The name of a feed, 1 to 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    bytes: [u8; MAX_FEED],
    len: u8,
}

impl Feed {
    /// This name.
    ///
    /// # Errors
    /// [`SaleError::Predicate`] for an empty or a longer one.
    pub fn new(name: &[u8]) -> Result<Self, SaleError> {
        let mut feed = Self {
            bytes: [0; MAX_FEED],
            len: u8::try_from(name.len()).map_err(|_| SaleError::Predicate)?,
        };
        let to = feed.bytes.get_mut(..name.len());
        let to = to.filter(|to| !to.is_empty());
        crate::copy::copy(to.ok_or(SaleError::Predicate)?, name);
        Ok(feed)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or(&[])
    }
}

/// Members in rising order, 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readers {
    list: [MemberIndex; MAX_READERS],
    count: u8,
}

impl Readers {
    /// These.
    ///
    /// # Errors
    /// [`SaleError::Predicate`] for none, too many, doubled or unsorted ones.
    pub fn new(readers: impl IntoIterator<Item = MemberIndex>) -> Result<Self, SaleError> {
        let (mut list, mut count) = ([MemberIndex(0); MAX_READERS], 0_u8);
        let mut last = None;
        for reader in readers {
            if last >= Some(reader) {
                return Err(SaleError::Predicate);
            }
            let place = list.get_mut(usize::from(count));
            *place.ok_or(SaleError::Predicate)? = reader;
            count = count.saturating_add(1);
            last = Some(reader);
        }
        match last {
            Some(_) => Ok(Self { list, count }),
            None => Err(SaleError::Predicate),
        }
    }

    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[MemberIndex] {
        self.list.get(..self.count.into()).unwrap_or(&[])
    }
}

const TICKS: u8 = 0;
const VOUCHERS: u8 = 1;
const PREDICATE: u8 = 2;

impl Terms {
    /// Whether somebody could keep them, for this amount.
    ///
    /// # Errors
    /// [`SaleError::Units`], [`SaleError::Price`] where the units do not divide the amount, [`SaleError::Predicate`].
    #[inline(never)]
    pub fn check(&self, amount: Amount) -> Result<(), SaleError> {
        match self {
            Self::Ticks { units, .. } => match price(amount, *units) {
                _ if !(1..=MAX_UNITS).contains(units) => Err(SaleError::Units),
                None => Err(SaleError::Price),
                Some(_) => Ok(()),
            },
            Self::Vouchers { .. } => Ok(()),
            Self::Predicate(predicate) => predicate.check(),
        }
    }

    /// Writes `[0, sale, units, anchor]`, `[1, COSE_Key]` or `[2, feed, comparison, threshold, window, quorum, [readers]]`.
    #[inline(never)]
    pub fn write(&self, w: &mut Writer<'_>) {
        match self {
            Self::Ticks {
                sale,
                units,
                anchor,
            } => {
                w.put_array(4);
                w.put_u32(TICKS.into());
                w.put_u32(sale.0);
                w.put_u32(*units);
                w.put_id(anchor);
            }
            Self::Vouchers { key } => {
                w.put_array(2);
                w.put_u32(VOUCHERS.into());
                // What is too long is in the writer's state.
                let _ = CoseKey::encode(key, w);
            }
            Self::Predicate(predicate) => {
                w.put_array(7);
                w.put_u32(PREDICATE.into());
                w.put_bytes(predicate.feed.as_slice());
                w.put_u32(u32::from(predicate.compare as u8));
                w.put_int(predicate.threshold);
                w.put_u32(predicate.window);
                w.put_u32(predicate.quorum.into());
                let readers = predicate.readers.as_slice();
                w.put_array(readers.len());
                for reader in readers {
                    w.put_u32(reader.0.into());
                }
            }
        }
    }

    /// Reads what [`Terms::write`] writes; whether it can be kept, [`Terms::check`] says.
    ///
    /// # Errors
    /// [`SaleError::Wire`]; [`SaleError::Terms`] for terms that do not exist; [`SaleError::Predicate`].
    #[inline(never)]
    pub fn read(r: &mut Reader<'_>) -> Result<Self, SaleError> {
        let count = r.take_array();
        let kind = r.take_u8();
        r.intact()?;
        let terms = match (kind, count) {
            (TICKS, 4) => Self::Ticks {
                sale: SaleNumber(r.take_u32()),
                units: r.take_u32(),
                anchor: r.take_id(),
            },
            (VOUCHERS, 2) => Self::Vouchers {
                key: CoseKey::decode(r.item()?)?,
            },
            (PREDICATE, 7) => Self::Predicate(Predicate::read(r)?),
            _ => return Err(SaleError::Terms),
        };
        r.intact()?;
        Ok(terms)
    }
}

/// Micro-tokens of a unit; `None` where the units do not divide the amount.
#[must_use]
pub fn price(amount: Amount, units: u32) -> Option<Amount> {
    let price = amount.0.checked_div(units.into())?;
    let whole = price.checked_mul(units.into())? == amount.0;
    (whole && price > 0).then_some(Amount(price))
}

impl Predicate {
    fn check(&self) -> Result<(), SaleError> {
        let quorum = usize::from(self.quorum);
        let most = self.readers.as_slice().len().min(MAX_STATEMENTS);
        let sound = (1..=most).contains(&quorum);
        sound.then_some(()).ok_or(SaleError::Predicate)
    }

    #[inline(never)]
    fn read(r: &mut Reader<'_>) -> Result<Self, SaleError> {
        let feed = r.take_bytes();
        let compare = r.take_u8();
        let (threshold, window, quorum) = (r.take_int(), r.take_u32(), r.take_u8());
        let count = r.take_array();
        r.intact()?;
        let mut list = [MemberIndex(0); MAX_READERS];
        let list = list.get_mut(..count).ok_or(SaleError::Predicate)?;
        for reader in list.iter_mut() {
            *reader = MemberIndex(r.take_u16());
        }
        r.intact()?;
        Ok(Self {
            feed: Feed::new(feed)?,
            compare: Compare::from_number(compare).ok_or(SaleError::Predicate)?,
            threshold,
            window,
            quorum,
            readers: Readers::new(list.iter().copied())?,
        })
    }
}
