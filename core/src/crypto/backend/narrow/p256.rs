//! ES256 by `iotedge-curve`.

use super::super::super::SignatureError;
use super::refusal;
use iotedge_curve::p256::{self, SecretKey};

/// A signing key; wiped when dropped.
pub(in super::super::super) struct Signing(SecretKey);

impl Signing {
    /// None outside [1, n-1].
    pub(in super::super::super) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SecretKey::from_scalar(scalar).map(Self)
    }

    pub(in super::super::super) fn public_key(&self) -> [u8; 64] {
        self.0.public_key()
    }

    /// Never None.
    pub(in super::super::super) fn sign(&self, digest: &[u8; 32]) -> Option<[u8; 64]> {
        Some(self.0.sign(digest))
    }
}

/// Whether the bytes can be a public key.
pub(in super::super::super) fn check(key: &[u8; 64]) -> Result<(), SignatureError> {
    p256::check(key).map_err(refusal)
}

pub(in super::super::super) fn verify(
    key: &[u8; 64],
    digest: &[u8; 32],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    p256::verify(key, digest, signature).map_err(refusal)
}
