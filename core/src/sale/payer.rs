//! Who pays: reveals the chain tick by tick.
//!
//! Invariant: before a tick leaves, the store says that it is given; so after a power cut no tick is given for another unit.

use super::chain::{Sale, Tick};
use super::pebbles::{Pebble, begin, length, levels, next};
use super::{MAX_UNITS, SaleError};
use crate::crypto::kdf::Prk;
use crate::platform::Platform;
use crate::types::Id;
use crate::wire::{Reader, Writer};
use zeroize::Zeroize;

const END: &[u8] = b"iotedge/sale/end/1";

/// The secret from which all chains of a device come; wiped when dropped.
#[derive(Clone, Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// What is stored under `key`, or a new one.
    ///
    /// # Errors
    /// [`SaleError::Platform`]; [`SaleError::Stored`] where it is damaged.
    pub fn open<P: Platform>(platform: &mut P, key: u16) -> Result<Self, SaleError> {
        let mut secret = Self([0; 32]);
        match platform.get(key, &mut secret.0)? {
            Some(32) => Ok(secret),
            Some(_) => Err(SaleError::Stored),
            None => {
                platform.random(&mut secret.0)?;
                platform.put(key, &secret.0)?;
                Ok(secret)
            }
        }
    }

    /// These bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// w(n) of a sale's chain.
    fn end(&self, sale: &Sale) -> [u8; 32] {
        let mut end = [0; 32];
        let done = Prk::from_bytes(self.0).expand(&[END, &sale.0.0], &mut end);
        debug_assert!(done.is_ok());
        end
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

/// What a sale is set up with.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Which lock.
    pub sale: Sale,
    /// Units of the lock, 1 to 2^16.
    pub units: u32,
    /// Ticks reserved by one write of the store, 1 to 64. After a power cut at most `ahead` - 1 of them are lost, unless the payee shows its highest.
    pub ahead: u8,
    /// The store's key of this sale.
    pub key: u16,
}

/// See the module.
#[derive(Debug)]
pub struct Payer<'m> {
    config: Config,
    pebbles: &'m mut [Pebble],
    end: [u8; 32],
    given: u32,
    reserved: u32,
}

impl Drop for Payer<'_> {
    fn drop(&mut self) {
        self.end.zeroize();
        for pebble in self.pebbles.iter_mut() {
            pebble.wipe();
        }
    }
}

impl<'m> Payer<'m> {
    /// Pebbles for so many units.
    #[must_use]
    pub const fn pebbles(units: u32) -> usize {
        levels(units)
    }

    /// The anchor that the lock names; as many hashes as the chain is long.
    ///
    /// # Errors
    /// [`SaleError::Units`].
    pub fn anchor(secret: &Secret, sale: &Sale, units: u32) -> Result<Id, SaleError> {
        match units {
            1..=MAX_UNITS => {
                let mut end = secret.end(sale);
                let anchor = sale.back(length(units), 0, &end);
                end.zeroize();
                Ok(Id(anchor))
            }
            _ => Err(SaleError::Units),
        }
    }

    /// The sale that is stored, or a new one.
    ///
    /// # Errors
    /// [`SaleError::Units`], [`SaleError::Full`], [`SaleError::Stored`] for the record of another sale or a damaged one, [`SaleError::Platform`].
    pub fn open<P: Platform>(
        platform: &mut P,
        secret: &Secret,
        config: Config,
        pebbles: &'m mut [Pebble],
    ) -> Result<Self, SaleError> {
        if !(1..=MAX_UNITS).contains(&config.units) || !(1..=64).contains(&config.ahead) {
            return Err(SaleError::Units);
        }
        let mut buffer = [0; 48];
        let reserved = match platform.get(config.key, &mut buffer)? {
            Some(len) => read(&config, buffer.get(..len).unwrap_or(&[]))?,
            None => 0,
        };
        let end = secret.end(&config.sale);
        begin(&config.sale, config.units, &end, reserved, pebbles)?;
        Ok(Self {
            config,
            pebbles,
            end,
            given: reserved,
            reserved,
        })
    }

    /// How many units are paid.
    #[must_use]
    pub const fn given(&self) -> u32 {
        self.given
    }

    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.config.units.saturating_sub(self.given)
    }

    /// Pays a unit: the tick to send. It is given even if it never arrives: send it again, or a later one.
    ///
    /// # Errors
    /// [`SaleError::Spent`]; [`SaleError::Platform`]: nothing was given.
    pub fn pay<P: Platform>(&mut self, platform: &mut P) -> Result<Tick, SaleError> {
        let index = self.given.saturating_add(1);
        if index > self.config.units {
            return Err(SaleError::Spent);
        }
        if index > self.reserved {
            let ahead = u32::from(self.config.ahead);
            let reserved = self.given.saturating_add(ahead).min(self.config.units);
            self.reserve(platform, reserved)?;
            self.reserved = reserved;
        }
        let value = next(&self.config.sale, self.config.units, index, self.pebbles);
        self.given = index;
        Ok(Tick {
            index,
            value: value.ok_or(SaleError::Full)?,
        })
    }

    fn reserve<P: Platform>(&self, platform: &mut P, reserved: u32) -> Result<(), SaleError> {
        let mut buffer = [0; 48];
        let mut w = Writer::new(&mut buffer);
        w.put_array(2);
        w.put_id(&self.config.sale.0);
        w.put_u32(reserved);
        w.intact().map_err(|_| SaleError::Full)?;
        Ok(platform.put(self.config.key, w.written())?)
    }

    /// The payee shows its highest tick after a reset: goes on behind it, so that nothing is lost. Only before the first [`Payer::pay`] after [`Payer::open`]; as many hashes as the chain is long.
    ///
    /// # Errors
    /// [`SaleError::Stale`] where a tick was given since, or it is further back than one reservation; [`SaleError::TooFar`] above what was reserved; [`SaleError::Forged`].
    pub fn resync(&mut self, shown: &Tick) -> Result<(), SaleError> {
        if shown.index > self.reserved {
            return Err(SaleError::TooFar);
        }
        let back = self.reserved.saturating_sub(shown.index);
        if self.given != self.reserved || back > self.config.ahead.into() {
            return Err(SaleError::Stale);
        }
        let sale = &self.config.sale;
        let units = self.config.units;
        if sale.back(length(units), shown.index, &self.end) != shown.value {
            return Err(SaleError::Forged);
        }
        begin(sale, units, &self.end, shown.index, self.pebbles)?;
        self.given = shown.index;
        Ok(())
    }
}

fn read(config: &Config, bytes: &[u8]) -> Result<u32, SaleError> {
    let mut r = Reader::new(bytes);
    r.take_array_of(2);
    let sale = r.take_id();
    let reserved = r.take_u32();
    match r.finish() {
        Ok(()) if sale == config.sale.0 && reserved <= config.units => Ok(reserved),
        _ => Err(SaleError::Stored),
    }
}
