//! Names that mean something to a cluster and nothing to anybody else: the context id of an epoch, and tags of owners and contracts.
//!
//! Invariant: every name is a PRF of a 256-bit secret. Places, owners and contracts are few enough to be tried one by one, so a plain hash of
//! one gives it away whatever salt stands beside it in the clear. Names of different epochs cannot be linked without the secret. HKDF
//! (RFC 5869), one `info` per use.

use crate::crypto::kdf::Prk;
use crate::types::{Epoch, Id};
use core::fmt;

const CONTEXT: &[u8] = b"iotedge/context/1";
const OWNER: &[u8] = b"iotedge/tag/owner/1";
const CONTRACT: &[u8] = b"iotedge/tag/contract/1";

/// The name of a cluster in one epoch.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub [u8; 16]);

impl fmt::Debug for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Stands for an owner or a contract in one epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; 8]);

/// What the members of a cluster share, 32 random bytes given at provisioning; wiped when dropped.
#[derive(Debug)]
pub struct ClusterSecret(Prk);

impl ClusterSecret {
    /// Takes the secret. It must be uniform: a password or a place is none.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Prk::from_bytes(bytes))
    }

    /// The cluster's name in an epoch. `label` tells the clusters of one secret apart, for example by position cell.
    #[must_use]
    pub fn context(&self, neighbourhood: &Id, epoch: Epoch, label: &[u8]) -> ContextId {
        ContextId(self.name(CONTEXT, neighbourhood, epoch, label))
    }

    /// The tag of an owner: its id as the application knows it.
    #[must_use]
    pub fn owner(&self, neighbourhood: &Id, epoch: Epoch, owner: &[u8]) -> Tag {
        Tag(self.name(OWNER, neighbourhood, epoch, owner))
    }

    /// The tag of a contract.
    #[must_use]
    pub fn contract(&self, neighbourhood: &Id, epoch: Epoch, contract: &[u8]) -> Tag {
        Tag(self.name(CONTRACT, neighbourhood, epoch, contract))
    }

    fn name<const N: usize>(&self, use_: &[u8], of: &Id, epoch: Epoch, what: &[u8]) -> [u8; N] {
        let mut out = [0; N];
        // Fewer bytes than HKDF's most: this cannot fail, and were it to, the zero name would match no other cluster's.
        let _ = self
            .0
            .expand(&[use_, &of.0, &epoch.0.to_be_bytes(), what], &mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Id = Id([1; 32]);

    #[test]
    fn a_name_is_a_function_of_all_its_parts() {
        let secret = ClusterSecret::new([7; 32]);
        let base = secret.context(&A, Epoch(5), b"cell 3,4");
        assert_eq!(base, secret.context(&A, Epoch(5), b"cell 3,4"));
        let others = [
            secret.context(&A, Epoch(6), b"cell 3,4"),
            secret.context(&A, Epoch(5), b"cell 3,5"),
            secret.context(&Id([2; 32]), Epoch(5), b"cell 3,4"),
            ClusterSecret::new([8; 32]).context(&A, Epoch(5), b"cell 3,4"),
        ];
        for (i, other) in others.iter().enumerate() {
            assert_ne!(*other, base);
            assert!(others.iter().skip(i + 1).all(|o| o != other));
        }
    }

    /// The attack on a salted hash: an observer who knows neighbourhood, epoch and all possible places tries them all.
    #[test]
    fn trying_all_places_finds_nothing_without_the_secret() {
        let secret = ClusterSecret::new([7; 32]);
        let place = |x: u8, y: u8| [x, y];
        let seen = secret.context(&A, Epoch(5), &place(3, 4));
        let guess = ClusterSecret::new([0; 32]);
        let mut hits = 0;
        for x in 0..=32 {
            for y in 0..=32 {
                let salted =
                    crate::crypto::sha256(&[CONTEXT, &A.0, &5u32.to_be_bytes(), &place(x, y)]);
                hits += usize::from(salted[..16] == seen.0);
                hits += usize::from(guess.context(&A, Epoch(5), &place(x, y)) == seen);
            }
        }
        assert_eq!(hits, 0);
        assert_eq!(secret.context(&A, Epoch(5), &place(3, 4)), seen);
    }

    #[test]
    fn owners_and_contracts_never_share_a_tag() {
        let secret = ClusterSecret::new([7; 32]);
        let owner = secret.owner(&A, Epoch(1), b"x");
        assert_ne!(owner, secret.contract(&A, Epoch(1), b"x"));
        assert_ne!(owner, secret.owner(&A, Epoch(2), b"x"));
        assert_eq!(owner, secret.owner(&A, Epoch(1), b"x"));
    }
}
