//! The validators of a term, their stake, and the quorum (protocol section 7.2).
//!
//! Invariant: a quorum is more than two thirds of the stake, counted in 128 bits, of validators in strictly rising index: so none counts
//! twice in a stream that remembers one number. Two quorums of one set share more than a third of its stake.

use super::PospError;
use crate::crypto::{PublicKey, Sha256};
use crate::types::{HeaderNumber, Id};
use crate::wire::{Reader, WireError, Writer};
use heapless::Vec;

/// Most validators of a set that this build follows. The format's limit is 64; a small device refuses a set with more than it has room for.
pub const MAX_VALIDATORS: usize = if cfg!(feature = "many-validators") {
    64
} else {
    16
};
/// Most bytes of an encoded set.
pub const MAX_SET: usize = 1 + 5 + 5 + 2 + MAX_VALIDATORS * MAX_ONE;

const MAX_ONE: usize = 1 + 2 + 32 + 9;
const DOMAIN: &str = "iotedge/set/1";

/// A validator (masternode) and its collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    /// Its Ed25519 key for this term.
    pub key: [u8; 32],
    /// Its stake, above zero.
    pub stake: u64,
}

impl Validator {
    fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.put_array(2);
        w.put_bytes(&self.key);
        w.put_uint(self.stake);
        w.intact()
    }

    /// The key that its votes verify with.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.key)
    }
}

/// The validators of one term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet {
    term: u32,
    start: HeaderNumber,
    validators: Vec<Validator, MAX_VALIDATORS>,
    total: u128,
    hash: Id,
}

impl ValidatorSet {
    /// A set whose first header to vote on is `start`.
    pub fn new(
        term: u32,
        start: HeaderNumber,
        validators: &[Validator],
    ) -> Result<Self, PospError> {
        let validators = Vec::from_slice(validators).map_err(|_| PospError::Set)?;
        Self::checked(term, start, validators)
    }

    fn checked(
        term: u32,
        start: HeaderNumber,
        validators: Vec<Validator, MAX_VALIDATORS>,
    ) -> Result<Self, PospError> {
        let mut total = 0_u128;
        for (place, one) in validators.iter().enumerate() {
            if one.stake == 0 || validators.iter().take(place).any(|v| v.key == one.key) {
                return Err(PospError::Set);
            }
            total = total.wrapping_add(u128::from(one.stake));
        }
        if validators.is_empty() {
            return Err(PospError::Set);
        }
        let hash = hash(term, start, &validators)?;
        Ok(Self {
            term,
            start,
            validators,
            total,
            hash,
        })
    }

    /// Writes the set.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        encode_head(self.term, self.start, self.validators.len(), w)?;
        self.validators.iter().try_for_each(|v| v.encode(w))
    }

    /// Reads a set, and nothing after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(3);
        let (term, start) = (r.take_u32(), HeaderNumber(r.take_u32()));
        let mut validators = Vec::new();
        for _ in 0..r.take_array() {
            r.take_array_of(2);
            let (key, stake) = (*r.take_bytes_of(), r.take_uint());
            r.intact()?;
            validators
                .push(Validator { key, stake })
                .map_err(|_| PospError::Set)?;
        }
        r.finish()?;
        Self::checked(term, start, validators)
    }

    /// The set hash that a header names.
    #[must_use]
    pub const fn hash(&self) -> Id {
        self.hash
    }

    /// Number of the term.
    #[must_use]
    pub const fn term(&self) -> u32 {
        self.term
    }

    /// The first header that this set votes on.
    #[must_use]
    pub const fn start(&self) -> HeaderNumber {
        self.start
    }

    /// The validators by index.
    #[must_use]
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// All stake, S.
    #[must_use]
    pub const fn total(&self) -> u128 {
        self.total
    }

    /// The validator of an index.
    pub fn get(&self, index: u8) -> Result<&Validator, PospError> {
        self.validators
            .get(usize::from(index))
            .ok_or(PospError::UnknownValidator)
    }

    /// The index of a key.
    #[must_use]
    pub fn index_of(&self, key: &[u8; 32]) -> Option<u8> {
        let place = self.validators.iter().position(|v| v.key == *key)?;
        u8::try_from(place).ok()
    }

    /// Whether `signed` stake is a quorum: 3 s > 2 S.
    #[must_use]
    pub const fn is_quorum(&self, signed: u128) -> bool {
        two_thirds(signed, self.total)
    }
}

/// Whether 3 `signed` > 2 `total`, of 64 stakes of 64 bits: below 2^72, so nothing wraps.
#[must_use]
#[inline(never)]
pub const fn two_thirds(signed: u128, total: u128) -> bool {
    signed.wrapping_add(signed).wrapping_add(signed) > total.wrapping_add(total)
}

fn encode_head(
    term: u32,
    start: HeaderNumber,
    count: usize,
    w: &mut Writer<'_>,
) -> Result<(), WireError> {
    w.put_array(3);
    w.put_uint(u64::from(term));
    w.put_uint(u64::from(start.0));
    w.put_array(count);
    w.intact()
}

/// Hashed piece by piece: a whole set is more than a sensor's stack has.
fn hash(term: u32, start: HeaderNumber, validators: &[Validator]) -> Result<Id, WireError> {
    let mut hash = Sha256::new();
    hash.update(DOMAIN.as_bytes());
    let mut buffer = [0; MAX_ONE];
    let mut w = Writer::new(&mut buffer);
    encode_head(term, start, validators.len(), &mut w)?;
    hash.update(w.written());
    for one in validators {
        let mut w = Writer::new(&mut buffer);
        one.encode(&mut w)?;
        hash.update(w.written());
    }
    Ok(Id(hash.finish()))
}

/// The stake counted so far.
#[derive(Clone, Copy, Debug)]
pub struct Tally<'s> {
    set: &'s ValidatorSet,
    last: Option<u8>,
    signed: u128,
}

impl<'s> Tally<'s> {
    /// Nothing counted.
    #[must_use]
    pub const fn new(set: &'s ValidatorSet) -> Self {
        Self {
            set,
            last: None,
            signed: 0,
        }
    }

    /// The validator that may be counted next under this index.
    pub fn next(&self, index: u8) -> Result<&'s Validator, PospError> {
        if self.last.is_some_and(|last| last >= index) {
            return Err(PospError::VoterOrder);
        }
        self.set.get(index)
    }

    /// Counts it. Call it once its vote is verified.
    pub fn add(&mut self, index: u8) -> Result<(), PospError> {
        let stake = self.next(index)?.stake;
        self.last = Some(index);
        self.signed = self.signed.wrapping_add(u128::from(stake));
        Ok(())
    }

    /// Stake counted.
    #[must_use]
    pub const fn signed(&self) -> u128 {
        self.signed
    }

    /// Whether it is a quorum.
    #[must_use]
    pub const fn is_quorum(&self) -> bool {
        self.set.is_quorum(self.signed)
    }
}
