//! What a simulated device provides: seeded randomness, a store that survives reboots, and signature checks.
//!
//! Every signature is really checked, by the core's own software verifier, but once: all nodes share one table of verdicts keyed by
//! SHA-256(key, message, signature). A node cannot tell the difference, and the report says how many checks were made.

use crate::rng::Rng;
use iotedge_core::crypto::{PublicKey, Signature, SignatureError, Software, Verify, sha256};
use iotedge_core::platform::{Platform, PlatformError};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

/// A device's randomness and flash.
#[derive(Debug)]
pub struct SimPlatform {
    rng: Rng,
    store: BTreeMap<u16, Vec<u8>>,
    /// Writes and removals so far: what wears flash out.
    pub writes: u64,
}

impl SimPlatform {
    /// An empty store.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            store: BTreeMap::new(),
            writes: 0,
        }
    }

    /// The flash died, or somebody swapped it: nothing is stored any more.
    pub fn lose(&mut self) {
        self.store.clear();
    }

    /// Bytes stored now.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.store.values().map(Vec::len).sum()
    }
}

impl Platform for SimPlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.rng.draw().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
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
        self.writes += 1;
        self.store.insert(key, value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.writes += 1;
        self.store.remove(&key);
        Ok(())
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(head) = bytes.first_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*head);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

#[derive(Debug, Default)]
struct Verdicts {
    known: HashMap<[u8; 32], Result<(), SignatureError>, BuildHasherDefault<Already>>,
    asked: u64,
}

/// The verifier that all nodes of one run share.
#[derive(Clone, Debug, Default)]
pub struct SharedVerify(Rc<RefCell<Verdicts>>);

impl SharedVerify {
    /// How often nodes asked, and how many checks that took.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let verdicts = self.0.borrow();
        (verdicts.asked, verdicts.known.len() as u64)
    }
}

impl Verify for SharedVerify {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        let mut verdicts = self.0.borrow_mut();
        verdicts.asked += 1;
        // The suite is told by the key's length, the message is what is left between key and signature: no two inputs share a name.
        let name = sha256(&[
            &[key.bytes().len() as u8],
            key.bytes(),
            message,
            &signature.0,
        ]);
        *verdicts
            .known
            .entry(name)
            .or_insert_with(|| Software.verify(key, message, signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::crypto::SecretKey;

    #[test]
    fn the_shared_verdict_is_the_real_one() {
        let secret = SecretKey::from_seed(&[3; 32]).unwrap();
        let key = secret.public_key();
        let good = secret.sign(b"message");
        let mut bad = good;
        bad.0[5] ^= 1;
        let mut one = SharedVerify::default();
        let mut two = one.clone();
        for _ in 0..3 {
            assert_eq!(one.verify(&key, b"message", &good), Ok(()));
            assert!(two.verify(&key, b"messagf", &good).is_err());
            assert_eq!(
                two.verify(&key, b"message", &bad),
                Software.verify(&key, b"message", &bad)
            );
        }
        assert_eq!(one.counts(), (9, 3));
    }

    #[test]
    fn the_store_survives_until_it_is_lost() {
        let mut platform = SimPlatform::new(Rng::stream(1, "p", 0));
        platform.put(4, b"four").unwrap();
        let mut out = [0; 8];
        assert_eq!(platform.get(4, &mut out), Ok(Some(4)));
        assert_eq!(platform.get(4, &mut [0; 3]), Err(PlatformError::StoreRead));
        platform.lose();
        assert_eq!(platform.get(4, &mut out), Ok(None));
    }
}
