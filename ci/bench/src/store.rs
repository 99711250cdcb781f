//! A device's store in memory: what is measured is the library, not somebody's flash.

use iotedge_core::platform::{Platform, PlatformError};

/// Values by their keys. Its randomness is none.
#[derive(Default)]
pub struct Store {
    values: Vec<(u16, Vec<u8>)>,
}

impl Platform for Store {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        out.fill(0x5a);
        Ok(())
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some((_, value)) = self.values.iter().find(|(k, _)| *k == key) else {
            return Ok(None);
        };
        let room = out.get_mut(..value.len());
        room.ok_or(PlatformError::StoreRead)?.copy_from_slice(value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        match self.values.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => {
                old.clear();
                old.extend_from_slice(value);
            }
            None => self.values.push((key, value.to_vec())),
        }
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.values.retain(|(k, _)| *k != key);
        Ok(())
    }
}
