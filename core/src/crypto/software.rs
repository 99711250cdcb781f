//! Signatures in pure Rust: one check at a time, and the secret key of a device without a secure element.
//!
//! Invariant: [`Software`] is the reference for the rule of `docs/decisions/0002-signature-rule.md`; every other verifier is
//! measured against it. For Ed25519 that is: length right, S < L, A and R canonical, neither of small order, cofactored equation (RFC 8032 section
//! 5.1.7, first form).

use super::backend::{self, Signing};
use super::{PublicKey, Signature, SignatureError, Verify};
use core::fmt;

/// Checks one signature at a time, in software.
#[derive(Clone, Copy, Debug, Default)]
pub struct Software;

impl Verify for Software {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        match key {
            PublicKey::Ed25519(bytes) => verify_ed25519(bytes, message, signature),
            #[cfg(feature = "es256")]
            PublicKey::Es256(bytes) => super::es256::verify(bytes, message, signature),
            #[cfg(not(feature = "es256"))]
            PublicKey::Es256(_) => Err(SignatureError::Suite),
        }
    }
}

/// Apart where there are two suites, so that its stack is not below the check of the other.
#[cfg_attr(feature = "es256", inline(never))]
fn verify_ed25519(
    key: &[u8; 32],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    backend::verify(key, message, &signature.0)
}

/// An Ed25519 secret key. Wiped from memory when dropped; it cannot be copied or printed.
pub struct SecretKey(Signing);

impl SecretKey {
    /// The key of a seed: 32 bytes from the platform's randomness or from storage.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] for the all-zero seed: storage that was never written, or randomness that failed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignatureError> {
        Signing::from_seed(seed)
            .map(Self)
            .ok_or(SignatureError::Malformed)
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.0.public_key())
    }

    /// Signs `message`, deterministically as RFC 8032 says. The public half that goes into the hash is always this key's own.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public_key())
    }
}

/// Whether the bytes are a canonical encoding of a point that is not of small order.
pub(super) fn check_ed25519(key: &[u8; 32]) -> Result<(), SignatureError> {
    backend::check(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_zero_seed_is_refused() {
        assert_eq!(
            SecretKey::from_seed(&[0; 32]).err(),
            Some(SignatureError::Malformed)
        );
    }

    #[test]
    fn a_secret_key_prints_only_its_public_half() {
        let seed = [0x5a; 32];
        let text = format!("{:?}", SecretKey::from_seed(&seed).unwrap());
        assert!(text.contains("ed25519:"));
        assert!(!text.contains("5a5a5a5a"));
    }

    #[test]
    fn keys_that_can_never_verify_are_refused() {
        let good = SecretKey::from_seed(&[1; 32]).unwrap().public_key();
        assert_eq!(good.check(), Ok(()));
        let mut identity = [0u8; 32];
        identity[0] = 1;
        assert_eq!(
            PublicKey::Ed25519(identity).check(),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            PublicKey::Ed25519([0; 32]).check(),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            PublicKey::Ed25519([0xff; 32]).check(),
            Err(SignatureError::Malformed)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_was_signed_verifies_and_nothing_else(seed in any::<[u8; 32]>(), message in prop::collection::vec(any::<u8>(), 0..200), bit in 0usize..512) {
            prop_assume!(seed != [0; 32]);
            let secret = SecretKey::from_seed(&seed).unwrap();
            let key = secret.public_key();
            let signature = secret.sign(&message);
            prop_assert_eq!(Software.verify(&key, &message, &signature), Ok(()));

            let mut bent = signature;
            bent.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(Software.verify(&key, &message, &bent).is_err());

            let mut longer = message.clone();
            longer.push(0);
            prop_assert_eq!(Software.verify(&key, &longer, &signature), Err(SignatureError::Rejected));
        }
    }
}
