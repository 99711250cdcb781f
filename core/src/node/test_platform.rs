//! A platform in memory for tests: seeded randomness, a map for a store, failures and power cuts on demand.

use crate::platform::{Platform, PlatformError};
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct MemoryPlatform {
    /// What is stored.
    pub store: BTreeMap<u16, Vec<u8>>,
    /// State of the randomness.
    pub seed: u64,
    /// Refuse the next writes.
    pub fail_put: bool,
    /// Reads fail.
    pub fail_get: bool,
    /// Reads so far.
    pub reads: u32,
    /// Writes and removals so far.
    pub writes: u32,
    /// The write or removal with this number is refused, and only this one.
    pub fail_at: Option<u32>,
    /// The power goes before the write or removal with this number.
    pub cut_at: Option<u32>,
    /// The power is gone: nothing that happens from here on happens.
    pub dead: bool,
}

impl MemoryPlatform {
    /// Whether a write takes effect.
    fn write(&mut self) -> Result<bool, PlatformError> {
        self.writes += 1;
        self.dead |= self.cut_at == Some(self.writes);
        if !self.dead && (self.fail_put || self.fail_at == Some(self.writes)) {
            return Err(PlatformError::StoreWrite);
        }
        Ok(!self.dead)
    }
}

impl Platform for MemoryPlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        for byte in out {
            // splitmix64: good enough to choose tips in a test, never for keys.
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z >> 24) as u8;
        }
        Ok(())
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        self.reads += 1;
        if self.fail_get {
            return Err(PlatformError::StoreRead);
        }
        let Some(value) = self.store.get(&key) else {
            return Ok(None);
        };
        let place = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        if self.write()? {
            self.store.insert(key, value.to_vec());
        }
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        if self.write()? {
            self.store.remove(&key);
        }
        Ok(())
    }
}
