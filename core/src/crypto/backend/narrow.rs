//! `iotedge-curve`.

#[cfg(feature = "es256")]
pub(in super::super) mod p256;

use super::super::{SignatureError, ct_eq};
use iotedge_curve::ed25519::{self, Error, SecretKey};
use iotedge_curve::x25519::{BASE, x25519};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A signing key; wiped when dropped.
pub(in super::super) struct Signing(SecretKey);

impl Signing {
    /// None for the all-zero seed.
    pub(in super::super) fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        (!ct_eq(seed, &[0; 32])).then(|| Self(SecretKey::from_seed(seed)))
    }

    pub(in super::super) fn public_key(&self) -> [u8; 32] {
        *self.0.public_key()
    }

    pub(in super::super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }
}

const fn refusal(error: Error) -> SignatureError {
    match error {
        Error::Malformed => SignatureError::Malformed,
        Error::Rejected => SignatureError::Rejected,
    }
}

/// Whether the bytes can be a public key.
pub(in super::super) fn check(key: &[u8; 32]) -> Result<(), SignatureError> {
    ed25519::check(key).map_err(refusal)
}

pub(in super::super) fn verify(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    ed25519::verify(key, message, signature).map_err(refusal)
}

/// An X25519 secret; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(in super::super) struct Agreement([u8; 32]);

impl Agreement {
    pub(in super::super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    pub(in super::super) fn public_key(&self) -> [u8; 32] {
        x25519(&self.0, &BASE)
    }

    /// All zero for a peer of small order.
    pub(in super::super) fn agree(&self, peer: &[u8; 32]) -> [u8; 32] {
        x25519(&self.0, peer)
    }
}
