//! What both ends of a link know already: the look-ups by which compressed frames are made and rebuilt.
//!
//! Invariant: a look-up is a guess about the other end, never a proof. Whoever rebuilds holds the result against the two
//! check bytes, and the signature covers the whole form.

use crate::{Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Peer, Prefix};

/// A transaction that is held here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who issued it.
    pub issuer: MemberIndex,
    /// Its number in the issuer's chain.
    pub number: Number,
    /// The epoch that it hands on to what stands on it: its own, or for a trim that of the header which it names.
    pub epoch: Epoch,
    /// Its absolute time.
    pub time: Millis,
}

/// The static context of section 9.3 of the protocol: read only, implemented by `Node` and by [`Nothing`].
pub trait Context {
    /// The neighbourhood's tag; all zero while there is none, and then nothing is compressed.
    fn tag(&self) -> [u8; 4];
    /// Number of a member's newest transaction here, or of its settled chain head; 0 for one that has issued nothing.
    fn head(&self, member: MemberIndex) -> Option<Number>;
    /// The id of a member's transaction with this number, on the branch that is held here (0: its G0). May give up on what is more than
    /// [`super::MAX_BACK`] below the head.
    fn at(&self, member: MemberIndex, number: Number) -> Option<Id>;
    /// What is known of a transaction, while it is held.
    fn seen(&self, id: &Id) -> Option<Seen>;
    /// The one transaction here with this prefix; `None` for none and for two.
    fn by_prefix(&self, prefix: &Prefix) -> Option<Id>;
    /// The one transaction here whose id begins so; `None` for none and for two. May give up on old ones.
    fn by_short(&self, short: &[u8; 4]) -> Option<Id>;
    /// Where the clock of an epoch starts.
    fn clock_start(&self, epoch: Epoch) -> Option<Millis>;
    /// The newest settled header.
    fn header(&self) -> HeaderNumber;
    /// The body of a data or service transaction, while it is held.
    fn body(&self, id: &Id) -> Option<&[u8]>;
    /// Whether a neighbour is known or can be expected to hold a transaction.
    fn peer_has(&self, peer: Peer, id: &Id) -> bool;
}

/// Knows nothing: every frame travels whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Context for Nothing {
    fn tag(&self) -> [u8; 4] {
        [0; 4]
    }
    fn head(&self, _: MemberIndex) -> Option<Number> {
        None
    }
    fn at(&self, _: MemberIndex, _: Number) -> Option<Id> {
        None
    }
    fn seen(&self, _: &Id) -> Option<Seen> {
        None
    }
    fn by_prefix(&self, _: &Prefix) -> Option<Id> {
        None
    }
    fn by_short(&self, _: &[u8; 4]) -> Option<Id> {
        None
    }
    fn clock_start(&self, _: Epoch) -> Option<Millis> {
        None
    }
    fn header(&self) -> HeaderNumber {
        HeaderNumber(0)
    }
    fn body(&self, _: &Id) -> Option<&[u8]> {
        None
    }
    fn peer_has(&self, _: Peer, _: &Id) -> bool {
        false
    }
}
