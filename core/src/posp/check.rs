//! A receipt checked by a small device: the validator set stays encoded, and what is kept between two votes is 150 bytes.
//!
//! Invariant: the same receipts are accepted and refused, and for the same reasons, as by [`ReceiptVerifier`](super::ReceiptVerifier) with a decoded
//! [`ValidatorSet`](super::ValidatorSet); a test holds one against the other.

use super::vote::verify_vote;
use super::{Header, PospError, Proven, Receipt, Validator, two_thirds};
use crate::crypto::{Signature, Verify};
use crate::types::{HeaderNumber, Id};
use crate::wire::{Reader, merkle};

/// Most validators of a set: a view needs no memory for them, so these are all that the protocol allows, in every build.
const MAX_VALIDATORS: usize = 64;
/// Most bytes of an encoded set: heads and numbers, and for each validator a key and a stake.
pub const MAX_VIEW: usize = 1 + 5 + 5 + 2 + MAX_VALIDATORS * (1 + 2 + 32 + 9);

/// An encoded validator set (protocol section 7.2) whose form and rules were checked.
#[derive(Clone, Debug)]
pub struct SetView<'a> {
    start: HeaderNumber,
    count: usize,
    total: u128,
    /// Before the first validator.
    validators: Reader<'a>,
}

impl<'a> SetView<'a> {
    /// Checks a set; nothing may follow it.
    ///
    /// # Errors
    /// As `ValidatorSet::decode` of a build for 64 validators.
    #[inline(never)]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(3);
        r.take_u32();
        let start = HeaderNumber(r.take_u32());
        let count = r.take_array();
        let validators = r.clone();
        let (mut total, mut good) = (0, count > 0);
        for place in 0..count {
            let one = one(&mut r);
            r.intact()?;
            if place >= MAX_VALIDATORS {
                return Err(PospError::Set);
            }
            let mut earlier = validators.clone();
            good &= one.stake != 0;
            for _ in 0..place {
                good &= self::one(&mut earlier).key != one.key;
            }
            total = u128::wrapping_add(total, one.stake.into());
        }
        r.finish()?;
        if !good {
            return Err(PospError::Set);
        }
        Ok(Self {
            start,
            count,
            total,
            validators,
        })
    }

    /// The validator with this index.
    fn get(&self, index: u8) -> Result<Validator, PospError> {
        if usize::from(index) >= self.count {
            return Err(PospError::UnknownValidator);
        }
        let mut r = self.validators.clone();
        for _ in 0..index {
            one(&mut r);
        }
        Ok(one(&mut r))
    }
}

#[inline(never)]
fn one(r: &mut Reader<'_>) -> Validator {
    r.take_array_of(2);
    Validator {
        key: *r.take_bytes_of(),
        stake: r.take_uint(),
    }
}

/// A receipt under check. Every call takes the set that it began with.
#[derive(Clone, Copy, Debug)]
pub struct ReceiptCheck {
    neighbourhood: Id,
    number: HeaderNumber,
    size: u32,
    root: Id,
    last: Option<u8>,
    signed: u128,
}

impl ReceiptCheck {
    /// Begins with a header's payload and the path of leaf 0.
    ///
    /// # Errors
    /// Another neighbourhood's, an older set's, or a path that leads nowhere.
    #[inline(never)]
    pub fn begin(
        payload: &[u8],
        path: impl IntoIterator<Item = Id>,
        set: &SetView<'_>,
        neighbourhood: &Id,
    ) -> Result<Self, PospError> {
        let header = Header::decode(payload)?;
        if header.neighbourhood != *neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        if header.number < set.start {
            return Err(PospError::WrongSet);
        }
        let (leaf, size) = (merkle::leaf_hash(payload), header.tree_size());
        Ok(Self {
            neighbourhood: *neighbourhood,
            number: header.number,
            size,
            root: merkle::root_from_path(&leaf, 0, size, path)?,
            last: None,
            signed: 0,
        })
    }

    /// Checks one vote. Indices strictly rise; a vote that fails counts nothing.
    ///
    /// # Errors
    /// Why it does not count.
    #[inline(never)]
    pub fn vote(
        &mut self,
        set: &SetView<'_>,
        index: u8,
        signature: &Signature,
        verifier: &mut dyn Verify,
    ) -> Result<(), PospError> {
        if self.last.is_some_and(|last| last >= index) {
            return Err(PospError::VoterOrder);
        }
        let voter = set.get(index)?;
        verify_vote(
            &voter.key,
            &self.neighbourhood,
            self.number,
            &self.root,
            signature,
            verifier,
        )?;
        self.last = Some(index);
        self.signed = self.signed.wrapping_add(voter.stake.into());
        Ok(())
    }

    /// Whether the votes are a quorum and `tx` is at `leaf` of the tree.
    ///
    /// # Errors
    /// Short of a quorum, or not in the tree.
    #[inline(never)]
    pub fn finish(
        &self,
        set: &SetView<'_>,
        tx: &Id,
        leaf: u32,
        path: impl IntoIterator<Item = Id>,
    ) -> Result<Proven, PospError> {
        if !two_thirds(self.signed, set.total) {
            return Err(PospError::ShortOfQuorum);
        }
        if leaf == 0 {
            return Err(PospError::HeaderLeaf);
        }
        let hash = merkle::leaf_hash(&tx.0);
        merkle::verify_inclusion(&hash, leaf, self.size, path, &self.root)?;
        Ok(Proven {
            number: self.number,
            tx: *tx,
        })
    }
}

impl Receipt<'_> {
    /// The whole check, as [`Receipt::verify`] does it with a decoded set.
    ///
    /// # Errors
    /// As there.
    pub fn verify_with(
        &self,
        set: &SetView<'_>,
        neighbourhood: &Id,
        verifier: &mut dyn Verify,
    ) -> Result<Proven, PospError> {
        let mut check = ReceiptCheck::begin(self.header, self.header_path, set, neighbourhood)?;
        for vote in self.votes {
            check.vote(set, vote.index, &vote.signature, verifier)?;
        }
        check.finish(set, &self.tx, self.leaf, self.path)
    }
}
