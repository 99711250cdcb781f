//! The definite hash: what all candidates of a term evaluate their random functions on.
//!
//! Invariant: nobody who can still register a key, or choose whether to reveal, knows the seed that this is for. With an Ethereum, its randomness at a height that
//! was fixed before comes in last, after registration was closed and the outputs of the term before were merged; so there is nothing left to choose when it becomes known.

use crate::crypto::Sha256;
use crate::types::Id;

const DOMAIN: &str = "iotedge/seed/1";
const USED: &str = "iotedge/seed/used/1";

/// The seed of one attempt at one term's election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub [u8; 32]);

/// What a term adds where there is a G-Chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// The merged outputs of the term before ([`super::Elected::merge`]); zeros where its validators were not elected.
    pub merge: [u8; 32],
    /// `prevrandao` of the block at the term's height, which is later than the last output that is in `merge`.
    pub randomness: [u8; 32],
}

impl Seed {
    /// That of term 0: nobody is elected by it.
    #[must_use]
    pub const fn genesis(chain: &Id) -> Self {
        Self(chain.0)
    }

    /// That of the next term, where this one elected its own or was passed over. Without a G-Chain nothing is added: merged outputs would be the last word there,
    /// and whoever reveals last would choose.
    #[must_use]
    pub fn next(&self, fresh: Option<&Fresh>) -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN.as_bytes());
        hash.update(&self.0);
        if let Some(fresh) = fresh {
            hash.update(&fresh.merge);
            hash.update(&fresh.randomness);
        }
        Self(hash.finish())
    }

    /// The seed hashed again, since it has been used: its outputs are known. With the same seed an attempt that failed would be repeated with the same result, and
    /// who kept its proof back would now know whether to show it.
    #[must_use]
    pub fn again(&self) -> Self {
        let mut hash = Sha256::new();
        hash.update(USED.as_bytes());
        hash.update(&self.0);
        Self(hash.finish())
    }

    /// Hashed again while it is among those that were used.
    #[must_use]
    pub fn unused(mut self, used: &[Self]) -> Self {
        // A seed hashed again is a new one, so as many steps as there are used ones are enough.
        for _ in used {
            if !used.contains(&self) {
                break;
            }
            self = self.again();
        }
        self
    }
}
