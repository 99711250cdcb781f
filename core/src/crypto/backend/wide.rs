//! ed25519-compact, whose release 2.6.0 is the rule and is pinned for that; x25519-dalek.

#[cfg(feature = "es256")]
pub(in super::super) mod p256;

use super::super::SignatureError;
use ed25519_compact::{Error, KeyPair, PublicKey, Seed, Signature};
use x25519_dalek::StaticSecret;

/// A signing key; wiped when dropped.
pub(in super::super) struct Signing(KeyPair);

impl Signing {
    /// None for the all-zero seed.
    pub(in super::super) fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        KeyPair::try_from_seed(Seed::new(*seed)).map(Self).ok()
    }

    pub(in super::super) fn public_key(&self) -> [u8; 32] {
        *self.0.pk
    }

    pub(in super::super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.0.sk.sign(message, None)
    }
}

/// Whether the bytes can be a public key.
pub(in super::super) fn check(key: &[u8; 32]) -> Result<(), SignatureError> {
    PublicKey::new(*key)
        .validate()
        .map_err(|_| SignatureError::Malformed)
}

pub(in super::super) fn verify(
    key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    PublicKey::new(*key)
        .verify(message, &Signature::new(*signature))
        .map_err(|error| match error {
            Error::SignatureMismatch => SignatureError::Rejected,
            _ => SignatureError::Malformed,
        })
}

/// An X25519 secret; wiped when dropped.
pub(in super::super) struct Agreement(StaticSecret);

impl Agreement {
    pub(in super::super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(StaticSecret::from(*bytes))
    }

    pub(in super::super) fn public_key(&self) -> [u8; 32] {
        x25519_dalek::PublicKey::from(&self.0).to_bytes()
    }

    /// All zero for a peer of small order.
    pub(in super::super) fn agree(&self, peer: &[u8; 32]) -> [u8; 32] {
        let peer = x25519_dalek::PublicKey::from(*peer);
        self.0.diffie_hellman(&peer).to_bytes()
    }
}
