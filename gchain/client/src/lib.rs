//! The G-Chain for gateways, validators and tools: what is paid in, votes of accounts, and headers anchored in order (docs/decisions/0043); elections (0045).
//!
//! Everything that reaches an endpoint blocks, at most for its time-out: run it in a thread of its own.
//!
//! Invariant: what counts is on the chain. Nothing is kept on disk but the account's key, and a process that ends at any point pays for nothing twice.

mod abi;
mod account;
mod anchorer;
mod candidate;
mod disputes;
mod elections;
mod endpoint;
mod error;
mod reads;
mod rpc;
mod sender;
mod transaction;

pub use abi::{Electing, Revert, Terms};
pub use account::{Account, Domain, packed_votes, recover_vote, vote_digest};
pub use alloy_primitives::{Address, B256, U256};
pub use anchorer::{Anchorer, Epoch, Event};
pub use candidate::{Candidate, Duty};
pub use disputes::{Disputed, Shown, Verdict};
pub use elections::{Attempt, Decided, Elections, Outcome};
pub use endpoint::{Endpoint, Head};
pub use error::Error;
pub use reads::{Anchored, Deposit, Masternode, Neighbourhood};
pub use sender::{Exit, Included, Patience, Sender, Voted};
