//! What the node lends to its links: read-only look-ups by which frames are compressed and rebuilt (`link::Context`).
//!
//! Invariant: nothing here changes the node, and every look-up is bounded whatever a neighbour writes: a transaction by its number costs at most
//! `MAX_BACK` steps down a chain, one by four bytes of its id a look at the newest `LOOK_BACK` of the window.

use super::Node;
use crate::crypto::Verify;
use crate::link::{Context, MAX_BACK, Seen};
use crate::platform::Platform;
use crate::tangle::Tables as _;
use crate::{Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Peer, Prefix};

/// How many of the newest vertices are searched for the beginning of an id.
const LOOK_BACK: u32 = 1024;

impl<P: Platform, V: Verify> Context for Node<'_, P, V> {
    fn tag(&self) -> [u8; 4] {
        match self.genesis {
            Some(_) => self.neighbourhood.tag(),
            None => [0; 4],
        }
    }

    fn head(&self, member: MemberIndex) -> Option<Number> {
        Some(self.tangle.head(&self.tables, member)?.number)
    }

    fn at(&self, member: MemberIndex, number: Number) -> Option<Id> {
        let head = self.tangle.head(&self.tables, member)?;
        let steps = head.number.checked_sub(number.0)?.0;
        if steps > MAX_BACK {
            return None;
        }
        let mut id = head.id;
        for _ in 0..steps {
            match self.tangle.parents(&id).next().flatten() {
                Some(first) => id = first,
                // The settled head is the table's to know, in the window or not.
                None => {
                    let settled = self.tables.head(member)?;
                    return (settled.number == number).then_some(settled.id);
                }
            }
        }
        Some(id)
    }

    fn seen(&self, id: &Id) -> Option<Seen> {
        let facts = self.tangle.get(id)?;
        Some(Seen {
            issuer: facts.issuer,
            number: facts.number,
            epoch: self.tangle.hands_on(id)?,
            time: facts.time,
        })
    }

    fn by_prefix(&self, prefix: &Prefix) -> Option<Id> {
        only(self.tangle.lookup(prefix))
    }

    fn by_short(&self, short: &[u8; 4]) -> Option<Id> {
        let next = self.tangle.next_sequence();
        let oldest = next.wrapping_sub(self.tangle.oldest_sequence());
        let newest = (1..=oldest.min(LOOK_BACK)).map(|back| next.wrapping_sub(back));
        only(
            newest
                .filter_map(|sequence| self.tangle.at_sequence(sequence))
                .map(|facts| facts.id)
                .filter(|id| id.tag() == *short),
        )
    }

    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        self.tables.clock_start(epoch)
    }

    fn header(&self) -> HeaderNumber {
        self.headers.newest()
    }

    fn body(&self, id: &Id) -> Option<&[u8]> {
        Node::body(self, id)
    }

    fn peer_has(&self, peer: Peer, id: &Id) -> bool {
        let (Some(place), Some(sequence)) = (self.peers.place(peer), self.tangle.sequence(id))
        else {
            return false;
        };
        // What was announced before the newest announcement has been asked for since, if it was lacking.
        let next = self.tangle.next_sequence();
        let announced = self
            .peers
            .get(place)
            .is_some_and(|state| next.wrapping_sub(sequence) > next.wrapping_sub(state.cursor));
        announced || self.known.has(sequence, place)
    }
}

/// The one element, if there is exactly one.
fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
