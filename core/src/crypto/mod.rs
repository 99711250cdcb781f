//! Signatures, key agreement, sealing, hashing, key derivation and verifiable randomness: the only place that names a crypto crate.
//!
//! Invariant: every backend accepts exactly the same signatures. A ledger forks where two honest nodes disagree about one, so the
//! rule is written down once (`docs/decisions/0002-signature-rule.md`, DESIGN's "one verification rule"), held in
//! `vectors/ed25519.json`, and every implementation of [`Verify`] and [`batch`] runs those vectors.

pub mod agree;
mod backend;
#[cfg(feature = "batch")]
pub mod batch;
mod constant_time;
#[cfg(feature = "es256")]
pub mod es256;
mod hash;
pub mod hpke;
pub mod kdf;
mod screen;
pub mod seal;
mod software;
mod twice;
pub mod vrf;

pub use constant_time::ct_eq;
#[cfg(test)]
pub(crate) use hash::COMPRESSIONS;
pub use hash::{Sha256, sha256};
pub use screen::{in_form, screen};
pub use software::{SecretKey, Software};
pub use twice::twice;

use core::fmt;

/// A signature suite; the algorithm is always the one that the signer's table record names, never the message's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// Ed25519 (RFC 8032) under the rule of decision 0002. Always there.
    Ed25519,
    /// ECDSA with P-256 and SHA-256. Verified only in builds with the feature `es256`.
    Es256,
}

impl Suite {
    /// The COSE algorithm number (RFC 9053): -8 EdDSA, -7 ES256.
    #[must_use]
    pub const fn cose_alg(self) -> i32 {
        match self {
            Self::Ed25519 => -8,
            Self::Es256 => -7,
        }
    }

    /// The suite of a COSE algorithm number, or `None` for one that the protocol does not have.
    #[must_use]
    pub const fn from_cose_alg(alg: i32) -> Option<Self> {
        match alg {
            -8 => Some(Self::Ed25519),
            -7 => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A public key as it stands in a table or a certificate. Any bytes can be held; [`PublicKey::check`] says whether a signature by it
/// can ever be accepted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicKey {
    /// The encoding of a point of edwards25519 (RFC 8032 section 5.1.2).
    Ed25519([u8; 32]),
    /// The coordinates x then y of a point of P-256, big-endian.
    Es256([u8; 64]),
}

impl PublicKey {
    /// The suite that this key signs in.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Ed25519(_) => Suite::Ed25519,
            Self::Es256(_) => Suite::Es256,
        }
    }

    /// The raw bytes: 32 for Ed25519, 64 for ES256.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(bytes) => bytes,
            Self::Es256(bytes) => bytes,
        }
    }

    /// Refuses what can never verify a signature: encodings that are not canonical or not on the curve, points of small order, a
    /// suite that this build has not. Call it before a key from outside is stored.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`] for a bad key, [`SignatureError::Suite`] for ES256 without the feature.
    pub fn check(&self) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(bytes) => software::check_ed25519(bytes),
            #[cfg(feature = "es256")]
            Self::Es256(bytes) => es256::check(bytes),
            #[cfg(not(feature = "es256"))]
            Self::Es256(_) => Err(SignatureError::Suite),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ed25519(_) => "ed25519:",
            Self::Es256(_) => "es256:",
        })?;
        self.bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A signature of either suite: R then S, or r then s big-endian.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a signature or a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureError {
    /// This build does not have the key's suite: build with the feature `es256`, or ask the member for an Ed25519 key.
    Suite,
    /// Key or signature can never be accepted, whatever the message: wrong encoding, small order or a number out of range. Drop it and
    /// count it against the sender; asking again gives the same bytes.
    Malformed,
    /// Well-formed, but not a signature of this message by this key. Drop it; a retransmission may be whole.
    Rejected,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suite => "signature suite not in this build",
            Self::Malformed => "malformed key or signature",
            Self::Rejected => "signature does not match message and key",
        })
    }
}

impl core::error::Error for SignatureError {}

/// A verifier of signatures: in software, in hardware or with a cache. All accept exactly what decision 0002 accepts.
pub trait Verify {
    /// Checks one signature.
    ///
    /// # Errors
    /// [`SignatureError`]: only `Ok` means that the holder of the key signed exactly this message.
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError>;
}

impl<V: Verify + ?Sized> Verify for &mut V {
    fn verify(
        &mut self,
        key: &PublicKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        (**self).verify(key, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_and_cose_numbers_match() {
        for suite in [Suite::Ed25519, Suite::Es256] {
            assert_eq!(Suite::from_cose_alg(suite.cose_alg()), Some(suite));
        }
        for alg in [0, 7, 8, -9, -19, i32::MIN, i32::MAX] {
            assert_eq!(Suite::from_cose_alg(alg), None);
        }
    }

    #[test]
    fn a_key_knows_its_suite_and_bytes() {
        let ed = PublicKey::Ed25519([7; 32]);
        let es = PublicKey::Es256([9; 64]);
        assert_eq!((ed.suite(), ed.bytes()), (Suite::Ed25519, &[7u8; 32][..]));
        assert_eq!((es.suite(), es.bytes()), (Suite::Es256, &[9u8; 64][..]));
        assert!(format!("{ed:?}").starts_with("ed25519:0707"));
        assert!(format!("{es:?}").starts_with("es256:0909"));
    }

    #[cfg(not(feature = "es256"))]
    #[test]
    fn without_the_feature_es256_is_refused_as_a_suite() {
        let key = PublicKey::Es256([9; 64]);
        assert_eq!(key.check(), Err(SignatureError::Suite));
        assert_eq!(
            Software.verify(&key, b"m", &Signature([1; 64])),
            Err(SignatureError::Suite)
        );
    }
}
