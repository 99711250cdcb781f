//! The core's `Platform` over the store: randomness of the operating system, durable keys in SQLite.
//!
//! Invariant: the contract of `put` (durable before it is relied on) holds at the edge of the process. A value joins the turn's
//! SQLite transaction, and the loop commits that before any frame of the turn leaves, so nobody outside ever sees an effect of
//! a value that a SIGKILL could take back.

use crate::store::Store;
use iotedge_core::platform::{Platform, PlatformError};
use std::rc::Rc;

/// See the module.
pub struct StorePlatform(pub Rc<Store>);

impl Platform for StorePlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        getrandom::fill(out).map_err(|_| PlatformError::Random)
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let value = self.0.kv(key).map_err(|_| PlatformError::StoreRead)?;
        let Some(value) = value else { return Ok(None) };
        let place = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(&value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.0
            .put_kv(key, value)
            .map_err(|_| PlatformError::StoreWrite)
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.0.remove_kv(key).map_err(|_| PlatformError::StoreWrite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Durability;

    #[test]
    fn values_come_back_and_short_buffers_fail() {
        let folder = tempfile::tempdir().unwrap();
        let store = Rc::new(Store::open(folder.path(), Durability::Process).unwrap());
        let mut platform = StorePlatform(store);
        let mut out = [0; 8];
        assert_eq!(platform.get(1, &mut out), Ok(None));
        platform.put(1, b"12345").unwrap();
        assert_eq!(platform.get(1, &mut out), Ok(Some(5)));
        assert_eq!(&out[..5], b"12345");
        assert_eq!(
            platform.get(1, &mut out[..4]),
            Err(PlatformError::StoreRead)
        );
        platform.remove(1).unwrap();
        platform.remove(1).unwrap();
        assert_eq!(platform.get(1, &mut out), Ok(None));
        let (mut a, mut b) = ([0; 32], [0; 32]);
        platform.random(&mut a).unwrap();
        platform.random(&mut b).unwrap();
        assert_ne!(a, b);
    }
}
