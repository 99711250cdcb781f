//! The L-node.

pub mod event;

pub use event::{Counters, Event, Grade, Peer, Refusal, Ticket};
