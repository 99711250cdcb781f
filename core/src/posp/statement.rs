//! Receipts for strangers: a vote written out as a stand-alone COSE Receipt, and a statement that carries its receipts (RFC 9942).
//!
//! Invariant: nothing is signed again. What a validator signed is the detached root under the same protected header, so expansion only
//! adds unprotected proofs, and any library that knows RFC 9942 checks our votes.

use super::vote::{VOTE_PROTECTED_MAX, vote_protected};
use super::{PospError, ValidatorSet};
use crate::identity::sign1::Sign1;
use crate::types::{HeaderNumber, Id};
use crate::wire::list::Vote;
use crate::wire::{WireError, Writer, head_len};

/// COSE_Sign1 (RFC 9052).
const TAG_SIGN1: u64 = 18;
/// Header label of receipts in a statement's unprotected header.
const RECEIPTS: u64 = 394;
/// Header label of the verifiable data structure's proofs.
const VDP: u64 = 396;
/// Inclusion proofs among them.
const INCLUSION: i64 = -1;

/// What all receipts of one leaf share.
#[derive(Clone, Copy, Debug)]
pub struct Expansion<'a> {
    /// The set that voted.
    pub set: &'a ValidatorSet,
    /// The neighbourhood.
    pub neighbourhood: Id,
    /// The header voted on.
    pub number: HeaderNumber,
    /// Leaves of the epoch tree.
    pub size: u32,
    /// The leaf that the receipts are for.
    pub leaf: u32,
    /// Its path.
    pub path: &'a [Id],
}

impl Expansion<'_> {
    /// Bytes of `[size, leaf, [path]]`.
    fn proof_len(&self) -> Result<usize, WireError> {
        let hashes = u64::try_from(self.path.len()).map_err(|_| WireError::Range)?;
        let heads = 1_usize
            .saturating_add(head_len(u64::from(self.size)))
            .saturating_add(head_len(u64::from(self.leaf)))
            .saturating_add(head_len(hashes));
        Ok(heads.saturating_add(self.path.len().saturating_mul(2 + 32)))
    }

    /// Bytes of one receipt.
    pub fn receipt_len(&self, index: u8) -> Result<usize, PospError> {
        let mut buffer = [0; VOTE_PROTECTED_MAX];
        let protected = self.protected(index, &mut buffer)?.len();
        let proof = self.proof_len()?;
        let sum = [
            1 + 1, // tag and array
            bstr_len(protected)?,
            1 + 3 + 1 + 1 + 1, // {396: {-1: [
            bstr_len(proof)?,
            1, // null
            bstr_len(64)?,
        ];
        Ok(sum.iter().fold(0, |a: usize, b| a.saturating_add(*b)))
    }

    fn protected<'o>(&self, index: u8, out: &'o mut [u8]) -> Result<&'o [u8], PospError> {
        let key = &self.set.get(index)?.key;
        Ok(vote_protected(key, &self.neighbourhood, self.number, out)?)
    }

    /// Writes a vote as a COSE Receipt: `18([protected, {396: {-1: [<<[size, leaf, [path]]>>]}}, null, signature])`.
    pub fn write_receipt(&self, vote: &Vote, w: &mut Writer<'_>) -> Result<(), PospError> {
        let mut buffer = [0; VOTE_PROTECTED_MAX];
        let protected = self.protected(vote.index, &mut buffer)?;
        w.tag(TAG_SIGN1)?;
        w.array(4)?;
        w.bytes(protected)?;
        w.map(1)?;
        w.uint(VDP)?;
        w.map(1)?;
        w.int(INCLUSION)?;
        w.array(1)?;
        w.bytes_head(self.proof_len()?)?;
        w.array(3)?;
        w.uint(u64::from(self.size))?;
        w.uint(u64::from(self.leaf))?;
        w.array(self.path.len())?;
        for hash in self.path {
            w.id(hash)?;
        }
        w.null()?;
        w.bytes(&vote.signature.0)?;
        Ok(())
    }
}

fn bstr_len(content: usize) -> Result<usize, WireError> {
    let argument = u64::try_from(content).map_err(|_| WireError::Range)?;
    Ok(head_len(argument).saturating_add(content))
}

/// Writes a statement with its receipts: `18([protected, {394: [receipt, ...]}, payload, signature])`.
///
/// `cose` is the COSE_Sign1 of the transaction or header that `expansion.leaf` stands for, as it travels.
pub fn write_statement(
    cose: &[u8],
    expansion: &Expansion<'_>,
    votes: &[Vote],
    w: &mut Writer<'_>,
) -> Result<(), PospError> {
    let statement = Sign1::parse(cose)?;
    w.tag(TAG_SIGN1)?;
    w.array(4)?;
    w.bytes(statement.protected)?;
    w.map(1)?;
    w.uint(RECEIPTS)?;
    w.array(votes.len())?;
    for vote in votes {
        w.bytes_head(expansion.receipt_len(vote.index)?)?;
        expansion.write_receipt(vote, w)?;
    }
    w.bytes(statement.payload)?;
    w.bytes(&statement.signature.0)?;
    Ok(())
}
