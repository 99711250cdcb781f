//! The election of a term's validators (protocol section 7.7, docs/decisions/0042): Edgence's definite hash, signature and merge, made sound.
//!
//! Invariant: candidates, their units of collateral, the seed and the number of seats give one committee. A candidate has one ticket for each unit, drawn from the one output that its key
//! has for the seed (RFC 9381), so nobody can try again; the lowest tickets win a seat each. Tickets do not depend on one another: who keeps its own back takes none from others.

mod candidate;
mod check;
mod race;
mod seed;
#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Entry, MAX_ENTRY};
pub use check::{Elected, ElectionCheck, Record, encode_record, list_hash};
pub use race::{Race, Seat, negative_log2};
pub use seed::{Fresh, Seed};

use crate::crypto::vrf::{Proof, SecretKey, VrfError};
use crate::types::Id;
use crate::wire::{WireError, Writer};

/// Most candidates of a list.
pub const MAX_CANDIDATES: usize = 4_096;
/// Most seats of a committee: most validators of a set, since a member may have one seat only.
pub const MAX_SEATS: u8 = 64;
/// A candidate of term t was registered in term t - 2 or before.
pub const TERMS_AHEAD: u32 = 2;
/// Bytes of the longest input of a candidate's random function.
pub const MAX_ALPHA: usize = DOMAIN.len() + 1 + 34 + 5 + 34 + 34;

const DOMAIN: &str = "iotedge/election/1";

/// Which election: what all of its candidates have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// The neighbourhood, or the contract on the G-Chain, whose validators are elected.
    pub chain: Id,
    /// The term that they will serve.
    pub term: u32,
    /// Seats of the committee.
    pub seats: u8,
    /// The seed of this attempt.
    pub seed: Seed,
}

impl Election {
    /// What a candidate with this Ed25519 key evaluates its random function on. The key is in it, so that nobody can register another's function and use its proof.
    pub fn alpha<'o>(&self, key: &[u8; 32], out: &'o mut [u8]) -> Result<&'o [u8], WireError> {
        let mut w = Writer::new(out);
        w.put_raw(DOMAIN.as_bytes());
        w.put_array(4);
        w.put_id(&self.chain);
        w.put_u32(self.term);
        w.put_bytes(&self.seed.0);
        w.put_bytes(key);
        w.intact()?;
        Ok(w.into_written())
    }

    /// A candidate's proof, to reveal.
    pub fn prove(&self, key: &[u8; 32], secret: &SecretKey) -> Result<Proof, ElectionError> {
        let mut buffer = [0; MAX_ALPHA];
        let alpha = self.alpha(key, &mut buffer)?;
        secret.prove(alpha).map_err(ElectionError::Proof)
    }
}

/// Why a list, a proof or a set is not that of the election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionError {
    /// Not the bytes of the protocol. Refuse them.
    Wire(WireError),
    /// A version that this build does not know. Refuse it, or update.
    Version,
    /// Another chain, term, number of seats or seed than the one in question. Fetch the right record.
    OtherElection,
    /// No seats, or more than there may be or this build has room for. Refuse it, or ask a larger device.
    Seats,
    /// No candidates, or more than 4,096, or not so many as was said. Refuse it.
    Count,
    /// Candidates are not in strictly rising order of their keys, so one could stand twice. Refuse it.
    Order,
    /// A candidate without a unit of collateral. Refuse it.
    NoStake,
    /// A candidate registered less than two terms ahead: it could have chosen its key by the result. Refuse it.
    TooNew,
    /// A candidate's proof does not hold. Its chance is forfeited: take it for not revealed.
    Proof(VrfError),
    /// The list is not the registered one. Fetch the right one.
    OtherList,
    /// Half of the collateral or more was not revealed: this attempt does not count. Its seed is used; hash it again.
    Unrevealed,
    /// The set is of another term than the election. Fetch the right one.
    Term,
    /// The set is not the committee that was elected. Refuse it, and tell the owner: who handed it over lied.
    NotElected,
}

impl From<WireError> for ElectionError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}
