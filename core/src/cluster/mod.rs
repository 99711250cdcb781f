//! Clusters: which devices belong together, under which name, and who speaks for those too small to follow the ledger.
//!
//! Invariant: nothing here decides what the ledger accepts. A head relays and offers; whoever believes more of it than the ledger's rules
//! allow has a bug. Integers only, no clock, no I/O: time and statements go in, statements come out. Decision 0020; the claim's
//! bytes are in protocol section 10.

pub mod claim;
pub mod context;
pub mod election;
pub mod proximity;

pub use claim::{Claim, ClaimError, MAX_CLAIM, MAX_SUCCESSORS, Statement, UnverifiedClaim};
pub use context::{ClusterSecret, ContextId, Tag};
pub use election::{Capability, Election, Heard, Lease, LeaseError, Say};
pub use proximity::{Cell, Distance, Grouping, Measured, Policy, Profile, Wake};
