//! The proof that a validator signed two roots for one number: slashable, and anyone can check it offline.
//!
//! Invariant: an honest validator can never be convicted, since it signs one root per number and the proof holds two of its signatures
//! (protocol section 7.4). The roots are sorted, so that one offence has one proof per pair of signatures.

use super::vote::verify_vote;
use super::{PospError, ValidatorSet};
use crate::crypto::{Signature, Verify};
use crate::types::{HeaderNumber, Id};
use crate::wire::{Reader, WireError, Writer};

const VERSION: u64 = 1;

/// Two votes that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoubleVote {
    /// Whose neighbourhood.
    pub neighbourhood: Id,
    /// The number voted on twice.
    pub number: HeaderNumber,
    /// The validator's key.
    pub key: [u8; 32],
    /// The lower root and its signature.
    pub low: (Id, Signature),
    /// The higher root and its signature.
    pub high: (Id, Signature),
}

impl DoubleVote {
    /// Puts two votes of one validator together. `NoConflict` where they are for one root.
    pub fn new(
        neighbourhood: Id,
        number: HeaderNumber,
        key: [u8; 32],
        one: (Id, Signature),
        other: (Id, Signature),
    ) -> Result<Self, PospError> {
        let (low, high) = if one.0 <= other.0 {
            (one, other)
        } else {
            (other, one)
        };
        let proof = Self {
            neighbourhood,
            number,
            key,
            low,
            high,
        };
        proof.check()
    }

    fn check(self) -> Result<Self, PospError> {
        if self.low.0 >= self.high.0 {
            return Err(PospError::NoConflict);
        }
        Ok(self)
    }

    /// Checks both signatures; returns the index of the guilty one in `set`.
    pub fn verify(
        &self,
        neighbourhood: &Id,
        set: &ValidatorSet,
        verifier: &mut dyn Verify,
    ) -> Result<u8, PospError> {
        self.check()?;
        if self.neighbourhood != *neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        let index = set.index_of(&self.key).ok_or(PospError::UnknownValidator)?;
        for (root, signature) in [&self.low, &self.high] {
            verify_vote(
                &self.key,
                neighbourhood,
                self.number,
                root,
                signature,
                verifier,
            )?;
        }
        Ok(index)
    }

    /// Writes `[1, neighbourhood, number, key, low root, its signature, high root, its signature]`.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(8)?;
        w.uint(VERSION)?;
        w.id(&self.neighbourhood)?;
        w.uint(u64::from(self.number.0))?;
        w.bytes(&self.key)?;
        for (root, signature) in [&self.low, &self.high] {
            w.id(root)?;
            w.bytes(&signature.0)?;
        }
        Ok(())
    }

    /// Reads one, and nothing after it. Roots that are equal or unsorted are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(bytes);
        r.array_of(8)?;
        if r.uint()? != VERSION {
            return Err(PospError::Version);
        }
        let proof = Self {
            neighbourhood: r.id()?,
            number: HeaderNumber(r.u32()?),
            key: *r.bytes_of()?,
            low: (r.id()?, Signature(*r.bytes_of()?)),
            high: (r.id()?, Signature(*r.bytes_of()?)),
        };
        r.finish()?;
        proof.check()
    }
}
