//! ES256: ECDSA with P-256 and SHA-256 (FIPS 186-5, RFC 9053 section 2.1), for keys held by secure elements and phones.
//!
//! Invariant: r and s in [1, n-1], high s too, on every build. A signature by an ATECC608 or a Secure Enclave is high in half of all
//! cases, and EIP-7951 accepts it; nobody's ids contain signatures, so its malleability names nothing twice. Points off the curve,
//! coordinates not below p and the point at infinity are refused.

use super::backend::p256::{self, Signing};
use super::{PublicKey, Signature, SignatureError, sha256};
use core::fmt;

/// A P-256 secret key in software: for hosts, simulation and tests. Devices with this suite keep theirs in a secure element.
/// Wiped from memory when dropped.
pub struct SecretKey(Signing);

impl SecretKey {
    /// The key of a scalar, big-endian.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] outside [1, n-1]; draw again.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, SignatureError> {
        Signing::from_scalar(scalar)
            .map(Self)
            .ok_or(SignatureError::Malformed)
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::Es256(self.0.public_key())
    }

    /// Signs `message`, deterministically (RFC 6979); s may be high.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] if the backend failed to sign; nothing may be sent.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        self.0
            .sign(&sha256(&[message]))
            .map(Signature)
            .ok_or(SignatureError::Malformed)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public_key())
    }
}

pub(super) fn check(key: &[u8; 64]) -> Result<(), SignatureError> {
    p256::check(key)
}

/// Apart, so that its stack is not below the check of the other suite.
#[inline(never)]
pub(super) fn verify(
    key: &[u8; 64],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    p256::verify(key, &sha256(&[message]), &signature.0)
}

#[cfg(test)]
#[path = "es256_tests.rs"]
mod tests;
