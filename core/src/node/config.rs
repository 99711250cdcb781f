//! What the application decides when it starts a node: sizes, policy and identity.

use super::records::CHUNK;
use super::tune::Tuning;
use crate::crypto::{PublicKey, SecretKey, Signature};
use crate::{MAX_FRAME, Millis};

/// Places that the platform's store has for each kind of entry (see `keys`): with more, two would share one.
const MAX_STORED: u16 = 0x1000;

/// How much of everything a node holds. Memory is proportional; nothing grows at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Vertices in the window, 32 to 65,536.
    pub window: u32,
    /// Members in the table, 1 to 65,535.
    pub members: u16,
    /// Neighbours, 1 to 1,024.
    pub peers: u16,
    /// Transactions set aside, at least 2. Each takes a frame of memory.
    pub aside: u16,
    /// Submissions waiting to be sent, 1 to 4,096.
    pub outbox: u16,
    /// Own and received transactions followed until their receipts, 4 to 4,096. Half of the places are given to own ones at once;
    /// the second half is made to last (decision 0012).
    pub own: u16,
    /// Bytes of transactions kept for neighbours, at least 4 frames.
    pub raw: u32,
    /// Whether there is working memory for cumulative weights, confidence and the weighted walk (about 50 bytes per vertex).
    pub weights: bool,
    /// Member records of each table in memory; the others are read from the platform's store when they are needed, and every vertex needs its
    /// issuer's. A multiple of 8, or 0 for all: a full node's choice, and right where the store is slow.
    pub records: u16,
    /// Transactions whose finality is followed at once in the window, 4 to 64, or 0 for 64: own and received ones, conflicts and trims. Each takes six bits
    /// per member, in whole bytes.
    pub tracked: u8,
    /// Transactions that can be asked for at once, at least 8, or 0 for 256.
    pub wants: u16,
    /// Settled headers whose votes and paths are kept, to check and write receipts with: 1 to 3, or 0 for 3.
    pub headers: u8,
    /// Members whose rate is watched at once, at least 8, or 0 for all: who spoke least of late is forgotten first.
    pub buckets: u16,
    /// Events and frames that wait to be pulled, at least 8, or 0 for 64; four times as many transactions that neighbours asked for, as many ids that
    /// left the window of late, and half as many settled stubs.
    pub queue: u16,
}

impl Limits {
    /// What a Linux device of a small neighbourhood uses.
    pub const SMALL: Self = Self {
        window: 1024,
        members: 32,
        peers: 32,
        aside: 32,
        outbox: 64,
        own: 256,
        raw: 256 * 1024,
        weights: false,
        records: 0,
        tracked: 0,
        wants: 0,
        headers: 0,
        buckets: 0,
        queue: 0,
    };

    /// How many records of each table are in memory, where it is not all of them.
    pub(crate) const fn cached(&self) -> Option<usize> {
        if self.records == 0 || self.records >= self.members {
            None
        } else {
            Some(self.records as usize)
        }
    }

    /// A limit, or what stands for it where it is 0.
    pub(crate) const fn or(limit: u16, usual: u16) -> usize {
        if limit == 0 {
            usual as usize
        } else {
            limit as usize
        }
    }

    /// Refuses limits that cannot work.
    ///
    /// # Errors
    /// [`InitError::Limits`].
    pub const fn check(&self) -> Result<(), InitError> {
        if self.window < 32
            || self.window > 65_536
            || self.members == 0
            || self.peers == 0
            || self.peers > 1024
            || self.aside < 2
            || self.outbox == 0
            || self.outbox > MAX_STORED
            || self.own < 4
            || self.own > MAX_STORED
            || (self.raw as usize) < 4 * MAX_FRAME
            || !(self.records as usize).is_multiple_of(CHUNK)
            || (self.tracked != 0 && (self.tracked < 4 || self.tracked > 64))
            || (self.wants != 0 && self.wants < 8)
            || self.headers > 3
            || (self.buckets != 0 && self.buckets < 8)
            || (self.queue != 0 && self.queue < 8)
        {
            return Err(InitError::Limits);
        }
        Ok(())
    }
}

/// What a node is in its neighbourhood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Enrols, issues and approves.
    Member,
    /// Follows and verifies, never issues: a validator or an auditor.
    Observer,
}

/// How tips are chosen (DESIGN 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Uniform over the fresh tips: the default.
    Uniform,
    /// The Tangle paper's Markov walk with this alpha, in 1/65,536.
    Weighted {
        /// Weight of cumulative weight.
        alpha: u32,
    },
}

/// Policy and identity of a node.
#[derive(Clone, Copy, Debug)]
pub struct Config<'a> {
    /// Member or observer.
    pub role: Role,
    /// The pinned neighbourhood authority: it signs the genesis.
    pub authority: PublicKey,
    /// This device's certificate chain, the device's own last; empty for an observer.
    pub chain: &'a [&'a [u8]],
    /// Proof of possession (`identity::enrol`), where the signer is external: it signs that statement once, at provisioning.
    pub enrolment: Option<Signature>,
    /// The signer's key is not the certified one any more: the device rotated it, and the table names the new one.
    pub rotated: bool,
    /// How the local clock and absolute time relate.
    pub clock: Clock,
    /// The bounds inside which the node tunes itself.
    pub tuning: Tuning,
    /// A request is repeated at another neighbour after this.
    pub request_timeout: Millis,
    /// A transaction is given up when its parents did not come for this long.
    pub aside_timeout: Millis,
    /// How far ahead of the local clock a transaction may be before it has to wait.
    pub clock_tolerance: Millis,
    /// How tips are chosen.
    pub strategy: Strategy,
    /// Who bounds what this device may spend (`Node::set_policy`). With an owner it spends nothing before there is a policy; without one its caps alone bound it.
    pub owner: Option<PublicKey>,
}

impl Config<'_> {
    /// A member with the default policy.
    #[must_use]
    pub const fn member<'a>(authority: PublicKey, chain: &'a [&'a [u8]]) -> Config<'a> {
        Config {
            role: Role::Member,
            authority,
            chain,
            enrolment: None,
            rotated: false,
            clock: Clock::Offset(0),
            tuning: Tuning::DEFAULT,
            request_timeout: Millis(300),
            aside_timeout: Millis(30_000),
            clock_tolerance: Millis(2_000),
            strategy: Strategy::Uniform,
            owner: None,
        }
    }

    /// An observer with the default policy.
    #[must_use]
    pub const fn observer<'a>(authority: PublicKey) -> Config<'a> {
        let mut config = Config::member(authority, &[]);
        config.role = Role::Observer;
        config
    }
}

/// How the `now` argument of every call and absolute time relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Absolute time is `now` plus this many milliseconds.
    Offset(i64),
    /// The device has no clock: absolute time is the median of what q neighbours say, never one beacon alone. Until then the node is silent.
    FromNeighbours,
}

/// Who signs for this node.
#[derive(Debug)]
pub enum NodeSigner {
    /// A key in memory.
    Software(SecretKey),
    /// A secure element or a phone's key store: signatures come through the signer operation.
    External(PublicKey),
    /// Nobody: observers.
    None,
}

/// Why a node could not start. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitError {
    /// A limit is out of bounds; see [`Limits`].
    Limits,
    /// A slice of memory is shorter than the limits ask for.
    Memory,
    /// The certificate chain is empty, too long, or not for the signer's key.
    Certificate,
    /// The platform could not give randomness or read its store.
    Platform,
    /// The stored state is of another neighbourhood authority or of a newer version.
    Stored,
    /// The hardware counter is ahead of the store: it holds an old image. Erase the store; the neighbours know how far the device was.
    OldImage,
    /// The hardware counter is not the one that the store is bound to, does not move, or is there no more.
    Counter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_entries_share_a_place_in_the_store() {
        let most = Limits {
            own: 4096,
            outbox: 4096,
            ..Limits::SMALL
        };
        assert_eq!(most.check(), Ok(()));
        let own: std::collections::BTreeSet<u16> = (0..4096)
            .map(|n| crate::node::keys::own(&most, n))
            .collect();
        assert_eq!(own.len(), 4096);
        for more in [
            Limits { own: 4097, ..most },
            Limits {
                outbox: 4097,
                ..most
            },
        ] {
            assert_eq!(more.check(), Err(InitError::Limits));
        }
    }
}
