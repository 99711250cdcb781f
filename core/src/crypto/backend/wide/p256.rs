//! ES256 by the crate `p256`.

use super::super::super::SignatureError;
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};

/// A signing key; wiped when dropped.
pub(in super::super::super) struct Signing(SigningKey);

impl Signing {
    /// None outside [1, n-1].
    pub(in super::super::super) fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(scalar).map(Self).ok()
    }

    pub(in super::super::super) fn public_key(&self) -> [u8; 64] {
        let point = self.0.verifying_key().to_sec1_point(false);
        // An uncompressed point is 0x04, x, y: 65 bytes, always.
        point.as_bytes().last_chunk().copied().unwrap_or([0; 64])
    }

    pub(in super::super::super) fn sign(&self, digest: &[u8; 32]) -> Option<[u8; 64]> {
        let signature: Signature = self.0.sign_prehash(digest).ok()?;
        Some(signature.to_bytes().into())
    }
}

/// Whether the bytes can be a public key.
pub(in super::super::super) fn check(key: &[u8; 64]) -> Result<(), SignatureError> {
    point(key).map(|_| ())
}

pub(in super::super::super) fn verify(
    key: &[u8; 64],
    digest: &[u8; 32],
    signature: &[u8; 64],
) -> Result<(), SignatureError> {
    let key = point(key)?;
    let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Malformed)?;
    key.verify_prehash(digest, &signature)
        .map_err(|_| SignatureError::Rejected)
}

fn point(key: &[u8; 64]) -> Result<VerifyingKey, SignatureError> {
    let mut sec1 = [0x04; 65];
    if let Some(coordinates) = sec1.last_chunk_mut::<64>() {
        *coordinates = *key;
    }
    VerifyingKey::from_sec1_bytes(&sec1).map_err(|_| SignatureError::Malformed)
}
