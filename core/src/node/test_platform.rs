//! A platform in memory for tests: seeded randomness, a map for a store, and failures on demand.

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
        let Some(value) = self.store.get(&key) else {
            return Ok(None);
        };
        let place = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        if self.fail_put {
            return Err(PlatformError::StoreWrite);
        }
        self.store.insert(key, value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.store.remove(&key);
        Ok(())
    }
}
