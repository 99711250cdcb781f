//! An abstract model of the L-Chain's rules (docs/protocol.md, DESIGN sections 5.1 to 5.6, decisions 0010 and 0011).
//!
//! Nothing here calls the core: it is written from the documents, to find out whether the *rules* hold. Two models share one search:
//! [`tangle`] (chains, equivocation, approval, Quorum, trims, tables that change) and [`ledger`] (debits over what died, settlement, issuing
//! again). Each rule can be switched off, and then a violation must be found, so that no rule is there for nothing.

#![forbid(unsafe_code)]

pub mod cases;
pub mod ledger;
pub mod rules;
pub mod search;
pub mod tangle;

pub use rules::{Rule, Rules};
