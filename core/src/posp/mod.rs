//! Proof of Stake posterior: macro transaction headers, the validators that sign them, and the receipts that devices keep.
//!
//! Invariant: nothing counts as settled unless validators with more than two thirds of the stake of one set signed the root of the tree
//! whose leaf 0 is the header. Each vote is by itself a COSE Receipt (RFC 9942) over an RFC 9162 tree; the bytes are in protocol
//! section 7.

mod chain;
mod check;
pub mod close;
mod double_vote;
pub mod election;
mod header;
mod receipt;
mod set;
mod statement;
mod vote;

pub use chain::{CHECKPOINT_MAX, Checkpoint, SetChain, Trusted};
pub use check::{MAX_VIEW, ReceiptCheck, SetView};
pub use double_vote::DoubleVote;
pub use header::{Header, MAX_HEADER, MAX_HEADER_COSE, SignedHeader, header_signing_input};
pub use receipt::{Proven, Receipt, ReceiptVerifier, SettledHeader};
pub use set::{MAX_SET, MAX_VALIDATORS, Tally, Validator, ValidatorSet, two_thirds};
pub use statement::{Expansion, write_statement};
pub use vote::{
    Anchored, MAX_VOTE_MESSAGE, VOTE_PROTECTED_MAX, verify_vote, vote_message, vote_protected,
};

use crate::crypto::SignatureError;
use crate::identity::sign1::Sign1Error;
use crate::wire::WireError;
use crate::wire::frame::FrameError;
use crate::wire::merkle::MerkleError;

/// The domain of headers and votes.
pub const DOMAIN: &str = "iotedge/macro/1";

/// Why a header, set, vote or receipt is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PospError {
    /// Not the bytes of the protocol. Refuse them.
    Wire(WireError),
    /// A version that this build does not know. Refuse it, or update.
    Version,
    /// Of another neighbourhood. Refuse it.
    Neighbourhood,
    /// The fields of the header contradict each other. Refuse it.
    Header,
    /// The GL-node's or authority's signature does not hold, or is another's. Refuse the statement.
    Signer(Sign1Error),
    /// The validator set is empty, has a stake of nothing or one key twice. Refuse it.
    Set,
    /// The set is not the one that votes on this header, or not the one that the handover names. Fetch the right one.
    WrongSet,
    /// The set has no validator of this index. Refuse the vote.
    UnknownValidator,
    /// Voters do not come in strictly rising index, so one could count twice. Refuse the receipt.
    VoterOrder,
    /// A vote's signature does not hold over this root. Refuse the receipt, or go on without the vote.
    Vote(SignatureError),
    /// The votes are not more than two thirds of the stake. Wait for more.
    ShortOfQuorum,
    /// The path does not lead from the leaf to the root. Refuse the receipt.
    Path(MerkleError),
    /// Leaf 0 is the header, so no transaction stands there. Refuse the receipt.
    HeaderLeaf,
    /// Not newer than what is known, or not the next one. Nothing to do.
    NotNewer,
    /// Two settled headers that exclude each other. Stop, and tell the owner: a quorum of validators is guilty.
    Fork,
    /// The term ended: this header is for the next set, which must be fetched and handed over to first.
    HandoverPending,
    /// The set is older than U, so its collateral may be gone. Get a checkpoint from the pinned authority.
    Stale,
    /// The two votes do not contradict each other. Not evidence.
    NoConflict,
}

impl From<WireError> for PospError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<FrameError> for PospError {
    fn from(error: FrameError) -> Self {
        Self::Wire(match error {
            FrameError::Wire(error) => error,
            _ => WireError::Range,
        })
    }
}

impl From<MerkleError> for PospError {
    fn from(error: MerkleError) -> Self {
        Self::Path(error)
    }
}

impl From<Sign1Error> for PospError {
    fn from(error: Sign1Error) -> Self {
        Self::Signer(error)
    }
}

#[cfg(test)]
mod tests;
