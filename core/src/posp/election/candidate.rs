//! Candidates, and the list in which they are registered.
//!
//! Invariant: a list has one form. Candidates stand in strictly rising order of their keys, so that none is there twice, and the hash covers chain and term.

use super::{ElectionError, MAX_CANDIDATES, TERMS_AHEAD};
use crate::crypto::Sha256;
use crate::crypto::vrf::{Proof, PublicKey};
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};

/// Most bytes of a candidate with its proof.
pub const MAX_ENTRY: usize = 1 + 34 + 34 + 9 + 5 + 82;

const DOMAIN: &str = "iotedge/candidates/1";

/// A registered masternode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The Ed25519 key that it will vote with.
    pub key: [u8; 32],
    /// The key of its random function, which signs nothing.
    pub function: PublicKey,
    /// Its collateral, in whole units; above zero.
    pub units: u64,
    /// The term in which both keys were registered; where one is changed it is another candidate.
    pub registered: u32,
}

impl Candidate {
    fn put(&self, w: &mut Writer<'_>) {
        w.put_bytes(&self.key);
        w.put_bytes(&self.function.0);
        w.put_uint(self.units);
        w.put_u32(self.registered);
    }

    fn take(r: &mut Reader<'_>) -> Self {
        Self {
            key: *r.take_bytes_of(),
            function: PublicKey(*r.take_bytes_of()),
            units: r.take_uint(),
            registered: r.take_u32(),
        }
    }

    /// Whether it may stand for election to `term`.
    pub const fn check(&self, term: u32) -> Result<(), ElectionError> {
        if self.units == 0 {
            return Err(ElectionError::NoStake);
        }
        match self.registered.checked_add(TERMS_AHEAD) {
            Some(first) if first <= term => Ok(()),
            _ => Err(ElectionError::TooNew),
        }
    }
}

/// A candidate, and its proof where it revealed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Who.
    pub candidate: Candidate,
    /// What it revealed.
    pub proof: Option<Proof>,
}

impl Entry {
    /// Writes `[key, function, units, registered, proof or null]`.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.put_array(5);
        self.candidate.put(w);
        match &self.proof {
            Some(proof) => w.put_bytes(&proof.0),
            None => {
                w.intact()?;
                w.null()?;
            }
        }
        w.intact()
    }

    /// Reads one entry, and nothing after it: for who receives them one by one.
    pub fn decode(bytes: &[u8]) -> Result<Self, ElectionError> {
        let mut r = Reader::new(bytes);
        let entry = Self::take(&mut r)?;
        r.finish()?;
        Ok(entry)
    }

    pub(super) fn take(r: &mut Reader<'_>) -> Result<Self, ElectionError> {
        r.take_array_of(5);
        let candidate = Candidate::take(r);
        let proof = match r.skip_null() {
            true => None,
            // Longer than what the reader gives in place of what is not there.
            false => Some(Proof(proof_bytes(r.take_bytes())?)),
        };
        r.intact()?;
        Ok(Self { candidate, proof })
    }
}

fn proof_bytes<const N: usize>(bytes: &[u8]) -> Result<[u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::Range)
}

/// The hash of a list, candidate by candidate.
#[derive(Clone)]
pub(super) struct List {
    hash: Sha256,
    term: u32,
    left: usize,
    last: Option<[u8; 32]>,
}

impl List {
    /// Of `count` candidates.
    pub(super) fn new(chain: &Id, term: u32, count: usize) -> Result<Self, ElectionError> {
        if count == 0 || count > MAX_CANDIDATES {
            return Err(ElectionError::Count);
        }
        let mut buffer = [0; MAX_ENTRY];
        let mut w = Writer::new(&mut buffer);
        w.put_raw(DOMAIN.as_bytes());
        w.put_array(3);
        w.put_id(chain);
        w.put_u32(term);
        w.put_array(count);
        w.intact()?;
        let mut hash = Sha256::new();
        hash.update(w.written());
        Ok(Self {
            hash,
            term,
            left: count,
            last: None,
        })
    }

    /// The next one.
    pub(super) fn add(&mut self, candidate: &Candidate) -> Result<(), ElectionError> {
        let left = self.left.checked_sub(1).ok_or(ElectionError::Count)?;
        if self.last.is_some_and(|last| last >= candidate.key) {
            return Err(ElectionError::Order);
        }
        candidate.check(self.term)?;
        let mut buffer = [0; MAX_ENTRY];
        let mut w = Writer::new(&mut buffer);
        w.put_array(4);
        candidate.put(&mut w);
        w.intact()?;
        self.hash.update(w.written());
        (self.left, self.last) = (left, Some(candidate.key));
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Id, ElectionError> {
        match self.left {
            0 => Ok(Id(self.hash.finish())),
            _ => Err(ElectionError::Count),
        }
    }
}
