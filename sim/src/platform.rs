//! What a simulated device provides: seeded randomness, a store that survives reboots, and signature checks.
//!
//! Every signature is really checked, by the core's own software verifier, but once: all nodes share one table of verdicts in which
//! key, message and signature are compared whole. A node cannot tell the difference, and the report says how many checks were made.

use crate::rng::Rng;
use iotedge_core::crypto::{PublicKey, Signature, SignatureError, Software, Verify};
use iotedge_core::platform::{Platform, PlatformError};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// Locks of the table of verdicts: two threads seldom want the same one.
const SHARDS: usize = 64;

/// An input that was checked, whole.
#[derive(Debug)]
struct Known {
    /// Length of the key (which tells the suite), key, message, signature.
    input: Box<[u8]>,
    verdict: Result<(), SignatureError>,
}

impl Known {
    fn is(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let key = key.bytes();
        let len = 1 + key.len() + message.len() + signature.0.len();
        let Some((head, rest)) = self.input.split_first() else {
            return false;
        };
        self.input.len() == len
            && usize::from(*head) == key.len()
            && rest.ends_with(&signature.0)
            && rest.starts_with(key)
            && rest[key.len()..].starts_with(message)
    }
}

#[derive(Debug, Default)]
struct Shard {
    /// By the signature's first bytes. An attacker may choose them: what is compared is the whole.
    young: HashMap<u64, Vec<Known>, BuildHasherDefault<Already>>,
    old: HashMap<u64, Vec<Known>, BuildHasherDefault<Already>>,
    checked: u64,
}

/// Keys are as good as drawn already.
#[derive(Debug, Default)]
struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The verifier that all nodes of one run share. A lock is held while a signature is checked, so that it is checked once on any number of threads.
#[derive(Clone, Debug)]
pub struct SharedVerify {
    shards: Arc<[Mutex<Shard>]>,
    /// How often this clone was asked.
    pub asked: u64,
}

impl Default for SharedVerify {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            asked: 0,
        }
    }
}

impl SharedVerify {
    /// How many checks were really made.
    #[must_use]
    pub fn checked(&self) -> u64 {
        self.shards.iter().map(|s| held(s).checked).sum()
    }

    /// Forgets what nobody asked for since this was called before. Between two steps of a run only.
    pub fn age(&self) {
        for shard in &*self.shards {
            let shard = &mut *held(shard);
            shard.old = core::mem::take(&mut shard.young);
        }
    }
}

fn held(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Verify for SharedVerify {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.asked += 1;
        let name = signature
            .0
            .first_chunk()
            .map_or(0, |c| u64::from_le_bytes(*c));
        let shard = &self.shards[(name >> 8) as usize % SHARDS];
        let shard = &mut *held(shard);
        let place = shard.young.entry(name).or_default();
        if let Some(known) = place.iter().find(|k| k.is(key, message, signature)) {
            return known.verdict;
        }
        if let Some(place_old) = shard.old.get_mut(&name)
            && let Some(found) = place_old.iter().position(|k| k.is(key, message, signature))
        {
            let known = place_old.swap_remove(found);
            let verdict = known.verdict;
            place.push(known);
            return verdict;
        }
        shard.checked += 1;
        let verdict = Software.verify(key, message, signature);
        let head = [key.bytes().len() as u8];
        let input = [&head, key.bytes(), message, &signature.0].concat().into();
        place.push(Known { input, verdict });
        verdict
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
        assert_eq!((one.asked, two.asked, one.checked()), (3, 6, 3));
        // Asked for again, it stays; not asked for, it goes.
        one.age();
        assert_eq!(one.verify(&key, b"message", &good), Ok(()));
        one.age();
        assert_eq!(one.verify(&key, b"message", &good), Ok(()));
        assert_eq!(two.checked(), 3);
        assert!(two.verify(&key, b"messagf", &good).is_err());
        assert_eq!(two.checked(), 4);
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
