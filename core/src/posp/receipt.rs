//! The PoSp receipt, verified in a stream: header first, then one vote at a time, then the transaction (protocol section 7.3).
//!
//! Invariant: [`SettledHeader`] and [`Proven`] exist only where votes of more than two thirds of the set's stake verified over the root
//! that the header's own bytes lead to. Memory is one header and one signature, whatever the size of set and epoch.

use super::vote::verify_vote;
use super::{Header, PospError, Tally, ValidatorSet};
use crate::crypto::{Signature, Verify};
use crate::types::{HeaderNumber, Id};
use crate::wire::list::{List, Vote};
use crate::wire::merkle::{self, MAX_PATH};
use crate::wire::{Reader, Writer};
use core::borrow::Borrow;

const VERSION: u64 = 1;
// All that the protocol allows, in every build: a list takes no memory.
const MAX_VOTES: usize = 64;

/// A transaction that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The header of its epoch.
    pub number: HeaderNumber,
    /// Its id.
    pub tx: Id,
}

/// A header that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledHeader {
    header: Header,
    hash: Id,
    root: Id,
    set: Id,
}

impl SettledHeader {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> Id {
        self.hash
    }

    /// The root of its epoch tree.
    #[must_use]
    pub const fn root(&self) -> Id {
        self.root
    }

    /// The hash of the set that signed it.
    #[must_use]
    pub const fn signed_by(&self) -> Id {
        self.set
    }

    /// Checks that a transaction was accepted in this epoch.
    pub fn prove<B: Borrow<Id>>(
        &self,
        tx: &Id,
        leaf: u32,
        path: impl IntoIterator<Item = B>,
    ) -> Result<Proven, PospError> {
        if leaf == 0 {
            return Err(PospError::HeaderLeaf);
        }
        let size = self.header.tree_size();
        merkle::verify_inclusion(&merkle::leaf_hash(&tx.0), leaf, size, path, &self.root)?;
        Ok(Proven {
            number: self.header.number,
            tx: *tx,
        })
    }
}

/// A receipt being verified.
#[derive(Clone, Debug)]
pub struct ReceiptVerifier<'s> {
    settled: SettledHeader,
    tally: Tally<'s>,
    set: &'s ValidatorSet,
}

impl<'s> ReceiptVerifier<'s> {
    /// Takes the header and the path of leaf 0, which give the root that is voted on. `set` must be trusted: see `SetChain`.
    pub fn begin<B: Borrow<Id>>(
        payload: &[u8],
        path: impl IntoIterator<Item = B>,
        set: &'s ValidatorSet,
        neighbourhood: &Id,
    ) -> Result<Self, PospError> {
        let header = Header::decode(payload)?;
        if header.neighbourhood != *neighbourhood {
            return Err(PospError::Neighbourhood);
        }
        if header.number < set.start() {
            return Err(PospError::WrongSet);
        }
        let leaf = merkle::leaf_hash(payload);
        let root = merkle::root_from_path(&leaf, 0, header.tree_size(), path)?;
        let settled = SettledHeader {
            header,
            hash: Header::hash(payload),
            root,
            set: set.hash(),
        };
        Ok(Self {
            settled,
            tally: Tally::new(set),
            set,
        })
    }

    /// The header, not settled yet.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.settled.header
    }

    /// The root that the votes are for.
    #[must_use]
    pub const fn root(&self) -> Id {
        self.settled.root
    }

    /// The set that votes.
    #[must_use]
    pub const fn set(&self) -> &'s ValidatorSet {
        self.set
    }

    /// Takes one vote; indices strictly rise. A vote that fails counts nothing and leaves the rest as it was.
    pub fn vote(
        &mut self,
        index: u8,
        signature: &Signature,
        verifier: &mut dyn Verify,
    ) -> Result<(), PospError> {
        let key = self.tally.next(index)?.key;
        let header = &self.settled.header;
        verify_vote(
            &key,
            &header.neighbourhood,
            header.number,
            &self.settled.root,
            signature,
            verifier,
        )?;
        self.tally.add(index)
    }

    /// Whether the votes are a quorum already: more of them need not be checked.
    #[must_use]
    pub const fn is_quorum(&self) -> bool {
        self.tally.is_quorum()
    }

    /// Ends with the header alone.
    pub fn finish_header(self) -> Result<SettledHeader, PospError> {
        if self.tally.is_quorum() {
            Ok(self.settled)
        } else {
            Err(PospError::ShortOfQuorum)
        }
    }

    /// Ends with a transaction.
    pub fn finish<B: Borrow<Id>>(
        self,
        tx: &Id,
        leaf: u32,
        path: impl IntoIterator<Item = B>,
    ) -> Result<Proven, PospError> {
        self.finish_header()?.prove(tx, leaf, path)
    }
}

/// A compact receipt: everything that a device needs, in one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The header's payload.
    pub header: &'a [u8],
    /// The path of leaf 0.
    pub header_path: List<'a, Id>,
    /// The transaction.
    pub tx: Id,
    /// Its leaf.
    pub leaf: u32,
    /// The path of its leaf.
    pub path: List<'a, Id>,
    /// The votes, by rising index.
    pub votes: List<'a, Vote>,
}

impl<'a> Receipt<'a> {
    /// Reads a receipt, and nothing after it. Nothing is verified.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PospError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(7);
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(PospError::Version);
        }
        let receipt = Self {
            header: r.take_bytes(),
            header_path: List::read(&mut r, 0..=MAX_PATH)?,
            tx: r.take_id(),
            leaf: r.take_u32(),
            path: List::read(&mut r, 0..=MAX_PATH)?,
            votes: List::read(&mut r, 1..=MAX_VOTES)?,
        };
        r.finish()?;
        Ok(receipt)
    }

    /// Writes the receipt.
    pub fn encode(&self, w: &mut Writer<'_>) -> Result<(), PospError> {
        w.array(7)?;
        w.uint(VERSION)?;
        w.bytes(self.header)?;
        self.header_path.write(w, 0..=MAX_PATH)?;
        w.id(&self.tx)?;
        w.uint(u64::from(self.leaf))?;
        self.path.write(w, 0..=MAX_PATH)?;
        self.votes.write(w, 1..=MAX_VOTES)?;
        Ok(())
    }

    /// Verifies the whole receipt against a trusted set. Every vote in it must hold.
    pub fn verify(
        &self,
        set: &ValidatorSet,
        neighbourhood: &Id,
        verifier: &mut dyn Verify,
    ) -> Result<Proven, PospError> {
        let mut stream = ReceiptVerifier::begin(self.header, self.header_path, set, neighbourhood)?;
        for vote in self.votes {
            stream.vote(vote.index, &vote.signature, verifier)?;
        }
        stream.finish(&self.tx, self.leaf, self.path)
    }
}
