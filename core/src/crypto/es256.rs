//! ES256: ECDSA with P-256 and SHA-256 (FIPS 186-5, RFC 9053 section 2.1), for keys held by secure elements and phones.
//!
//! Invariant: r and s in [1, n-1], high s too, on every build. A signature by an ATECC608 or a Secure Enclave is high in half of all
//! cases, and EIP-7951 accepts it; nobody's ids contain signatures, so its malleability names nothing twice. Points off the curve,
//! coordinates not below p and the point at infinity are refused.

use super::{PublicKey, Signature, SignatureError, sha256};
use core::fmt;
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{self, SigningKey, VerifyingKey};

/// A P-256 secret key in software: for hosts, simulation and tests. Devices with this suite keep theirs in a secure element.
/// Wiped from memory when dropped.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key of a scalar, big-endian.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] outside [1, n-1]; draw again.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, SignatureError> {
        SigningKey::from_slice(scalar)
            .map(Self)
            .map_err(|_| SignatureError::Malformed)
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        let mut bytes = [0; 64];
        // An uncompressed point is 0x04, x, y: 65 bytes, always.
        if let Some(coordinates) = point.as_bytes().last_chunk::<64>() {
            bytes = *coordinates;
        }
        PublicKey::Es256(bytes)
    }

    /// Signs `message`, deterministically (RFC 6979); s may be high.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] if the backend failed to sign; nothing may be sent.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignatureError> {
        let signature: ecdsa::Signature = self
            .0
            .sign_prehash(&sha256(&[message]))
            .map_err(|_| SignatureError::Malformed)?;
        Ok(Signature(signature.to_bytes().into()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public_key())
    }
}

pub(super) fn check(key: &[u8; 64]) -> Result<(), SignatureError> {
    point(key).map(|_| ())
}

pub(super) fn verify(
    key: &[u8; 64],
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    let key = point(key)?;
    let signature =
        ecdsa::Signature::from_slice(&signature.0).map_err(|_| SignatureError::Malformed)?;
    key.verify_prehash(&sha256(&[message]), &signature)
        .map_err(|_| SignatureError::Rejected)
}

fn point(key: &[u8; 64]) -> Result<VerifyingKey, SignatureError> {
    let mut sec1 = [0x04; 65];
    if let Some(coordinates) = sec1.last_chunk_mut::<64>() {
        *coordinates = *key;
    }
    VerifyingKey::from_sec1_bytes(&sec1).map_err(|_| SignatureError::Malformed)
}

#[cfg(test)]
#[path = "es256_tests.rs"]
mod tests;
