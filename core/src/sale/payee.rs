//! Who is paid: keeps the highest tick.

use super::chain::{Sale, Tick};
use super::{MAX_UNITS, SaleError};
use crate::types::Id;

/// Most units that one tick may be ahead: as many hashes a stranger can ask for with it.
pub const MAX_STEP: u32 = 64;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payee {
    sale: Sale,
    units: u32,
    highest: Tick,
}

impl Payee {
    /// Of a lock that names this anchor and so many units.
    ///
    /// # Errors
    /// [`SaleError::Units`].
    pub fn new(sale: Sale, units: u32, anchor: &Id) -> Result<Self, SaleError> {
        if !(1..=MAX_UNITS).contains(&units) {
            return Err(SaleError::Units);
        }
        Ok(Self {
            sale,
            units,
            highest: Tick {
                index: 0,
                value: anchor.0,
            },
        })
    }

    /// At a tick that was taken before. It is this device's own word, and believed.
    ///
    /// # Errors
    /// [`SaleError::Units`], [`SaleError::Spent`] for a tick beyond the units.
    pub fn at(sale: Sale, units: u32, highest: Tick) -> Result<Self, SaleError> {
        let mut payee = Self::new(sale, units, &Id(highest.value))?;
        if highest.index > units {
            return Err(SaleError::Spent);
        }
        payee.highest = highest;
        Ok(payee)
    }

    /// The highest tick: what to claim, what to store, what to show to a payer that lost its state. Index 0 is the anchor.
    #[must_use]
    pub const fn highest(&self) -> &Tick {
        &self.highest
    }

    /// Takes a tick; returns how many units it pays.
    ///
    /// # Errors
    /// [`SaleError::Stale`], [`SaleError::TooFar`], [`SaleError::Spent`] beyond the lock's units, [`SaleError::Forged`].
    pub fn take(&mut self, tick: &Tick) -> Result<u32, SaleError> {
        let ahead = match tick.index.checked_sub(self.highest.index) {
            None | Some(0) => return Err(SaleError::Stale),
            Some(_) if tick.index > self.units => return Err(SaleError::Spent),
            Some(ahead @ 1..=MAX_STEP) => ahead,
            Some(_) => return Err(SaleError::TooFar),
        };
        let found = self.sale.back(tick.index, self.highest.index, &tick.value);
        if found != self.highest.value {
            return Err(SaleError::Forged);
        }
        self.highest = *tick;
        Ok(ahead)
    }

    /// Goes on with a tick that was stored. It is this device's own word, and checked nevertheless: as many hashes as it has units.
    ///
    /// # Errors
    /// [`SaleError::Stored`].
    pub fn restore(&mut self, tick: &Tick) -> Result<(), SaleError> {
        let valid = tick.index <= self.units && tick.index >= self.highest.index;
        if !valid
            || self.sale.back(tick.index, self.highest.index, &tick.value) != self.highest.value
        {
            return Err(SaleError::Stored);
        }
        self.highest = *tick;
        Ok(())
    }
}
