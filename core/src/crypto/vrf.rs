//! A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI (RFC 9381), by one implementation on every machine (`iotedge-curve`, decision 0042).
//!
//! Invariant: one key has one [`Output`] for one input, and only its holder can make a proof of it. Of proofs there may be several for one output, so
//! nothing is named by a proof. A key is for this alone: the nonce of a proof is that of an Ed25519 signature of
//! the point H, so whoever gets both has the secret.

use core::fmt;
use iotedge_curve::ed25519::SecretKey as Inner;
use iotedge_curve::vrf;

/// What proofs verify with, as it stands in a list of candidates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// Gamma, c and s.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof(pub [u8; vrf::PROOF]);

/// What is proved: beta, as good as random to everybody but the holder of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Output(pub [u8; vrf::OUTPUT]);

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VrfError {
    /// The key is not canonical, not on the curve or of small order: it must not be registered.
    Key,
    /// No proof, whatever the input: Gamma is no point that a key can make, or s is not below the order. Drop it.
    Malformed,
    /// A proof of another input or by another key. Drop it.
    Rejected,
}

impl From<vrf::Error> for VrfError {
    fn from(error: vrf::Error) -> Self {
        match error {
            vrf::Error::Key => Self::Key,
            vrf::Error::Malformed => Self::Malformed,
            vrf::Error::Rejected => Self::Rejected,
        }
    }
}

impl fmt::Display for VrfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "malformed key of a verifiable random function",
            Self::Malformed => "malformed proof of a verifiable random function",
            Self::Rejected => "proof does not match input and key",
        })
    }
}

impl core::error::Error for VrfError {}

impl PublicKey {
    /// Refuses what no proof can verify under (section 5.4.5). Call it before a key is registered.
    pub fn check(&self) -> Result<(), VrfError> {
        iotedge_curve::ed25519::check(&self.0).map_err(|_| VrfError::Key)
    }

    /// The output of `alpha` that `proof` proves.
    pub fn verify(&self, alpha: &[u8], proof: &Proof) -> Result<Output, VrfError> {
        Ok(Output(vrf::verify(&self.0, alpha, &proof.0)?))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ecvrf:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A candidate's secret key. Wiped from memory when dropped; it cannot be copied or printed.
pub struct SecretKey(Inner);

impl SecretKey {
    /// The key of a seed: 32 bytes from the platform's randomness or from storage.
    ///
    /// # Errors
    /// [`VrfError::Key`] for the all-zero seed: storage that was never written, or randomness that failed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, VrfError> {
        match super::ct_eq(seed, &[0; 32]) {
            true => Err(VrfError::Key),
            false => Ok(Self(Inner::from_seed(seed))),
        }
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(*self.0.public_key())
    }

    /// Proves the output of `alpha`. The time that it takes depends on `alpha`, never on the key.
    ///
    /// # Errors
    /// [`VrfError::Rejected`] where `alpha` leads to no point: a chance of 2^-256.
    pub fn prove(&self, alpha: &[u8]) -> Result<Proof, VrfError> {
        vrf::prove(&self.0, alpha)
            .map(Proof)
            .ok_or(VrfError::Rejected)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public_key())
    }
}
