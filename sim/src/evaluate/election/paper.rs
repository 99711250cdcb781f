//! Edgence's election as it is written: a definite hash, everybody's signature of it, and the signatures merged.
//!
//! Where the description is silent: signatures are merged by SHA-256 over them in the order of their signers, and who serves are those with the lowest SHA-256 of the merged value and their own
//! place. Whoever shows no signature is not elected. No rule stops a second signature, since none could: all of them are valid.

use curve25519_dalek::{EdwardsPoint, Scalar};
use iotedge_core::crypto::{SecretKey, Sha256, Signature, Software, Verify};
use sha2::{Digest, Sha512};

/// A candidate that can sign as often as it likes.
pub struct Signer {
    key: SecretKey,
    scalar: Scalar,
}

impl Signer {
    /// The candidate of a seed.
    ///
    /// # Panics
    /// On the all-zero seed.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let digest = Sha512::digest(seed);
        let half = digest.first_chunk().copied().unwrap_or([0; 32]);
        let clamped = curve25519_dalek::scalar::clamp_integer(half);
        Self {
            key: SecretKey::from_seed(&seed).expect("a seed"),
            scalar: Scalar::from_bytes_mod_order(clamped),
        }
    }

    /// The signature of RFC 8032.
    #[must_use]
    pub fn sign(&self, hash: &[u8; 32]) -> Signature {
        self.key.sign(hash)
    }

    /// Another one, by another nonce: nobody without the key can tell.
    #[must_use]
    pub fn again(&self, hash: &[u8; 32], attempt: u64) -> Signature {
        let wide = |parts: &[&[u8]]| {
            let mut hash = Sha512::new();
            for part in parts {
                hash.update(part);
            }
            Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
        };
        let nonce = wide(&[self.scalar.as_bytes(), hash, &attempt.to_be_bytes()]);
        let point = EdwardsPoint::mul_base(&nonce).compress();
        let public = self.key.public_key();
        let challenge = wide(&[point.as_bytes(), public.bytes(), hash]);
        let s = nonce + challenge * self.scalar;
        let mut signature = [0; 64];
        for (to, from) in signature
            .iter_mut()
            .zip(point.as_bytes().iter().chain(s.as_bytes()))
        {
            *to = *from;
        }
        Signature(signature)
    }

    /// Whether everybody accepts this signature.
    #[must_use]
    pub fn accepted(&self, hash: &[u8; 32], signature: &Signature) -> bool {
        (Software.verify(&self.key.public_key(), hash, signature)).is_ok()
    }
}

/// Who serves, the leader first: `shown` is each candidate's signature, or nothing.
#[must_use]
pub fn elected(shown: &[Option<Signature>]) -> Vec<usize> {
    let mut merge = Sha256::new();
    for signature in shown.iter().flatten() {
        merge.update(&signature.0);
    }
    let merged = merge.finish();
    let mut order: Vec<([u8; 32], usize)> = shown
        .iter()
        .enumerate()
        .filter(|(_, signature)| signature.is_some())
        .map(|(place, _)| {
            let mut hash = Sha256::new();
            hash.update(&merged);
            hash.update(&(place as u64).to_be_bytes());
            (hash.finish(), place)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_further_signature_is_valid_and_another() {
        let signer = Signer::new([3; 32]);
        let hash = [9; 32];
        let mut seen = vec![signer.sign(&hash)];
        for attempt in 0..10 {
            let signature = signer.again(&hash, attempt);
            assert!(signer.accepted(&hash, &signature));
            assert!(!seen.contains(&signature));
            seen.push(signature);
        }
        assert!(!signer.accepted(&[8; 32], &seen[3]));
    }

    #[test]
    fn one_signature_decides_who_serves() {
        let shown: Vec<Option<Signature>> = (0..5).map(|n| Some(Signature([n; 64]))).collect();
        let first = elected(&shown);
        assert_eq!(first.len(), 5);
        let mut other = shown.clone();
        other[2] = Some(Signature([77; 64]));
        assert_ne!(elected(&other), first);
        other[2] = None;
        assert!(!elected(&other).contains(&2));
    }
}
