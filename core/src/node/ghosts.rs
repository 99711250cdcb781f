//! Full ids of vertices that left the window by count, above the cut: what comes may still name them as parents.
//!
//! A small window forgets a parent before the last child of it has come. Its id is all that the child's signature needs; the child is then
//! inserted over an *aged stub* and approves nothing (DESIGN 5.3). An id here need not be verified: the signature of the child proves it. Invariant:
//! only a node whose window cannot hold what is unsettled takes aged stubs at all; a full node asks for the parent.

use super::Node;
use super::ring::Ring;
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::{Id, Millis, Prefix};

#[derive(Debug)]
pub(crate) struct Ghosts<'m>(Ring<'m, (Id, Millis)>);

impl<'m> Ghosts<'m> {
    pub(crate) fn new(places: &'m mut [(Id, Millis)]) -> Self {
        Self(Ring::new(places))
    }

    pub(crate) fn into_inner(self) -> &'m mut [(Id, Millis)] {
        self.0.into_inner()
    }

    pub(crate) fn add(&mut self, id: Id, time: Millis) {
        if self.0.iter().any(|(known, _)| *known == id) {
            return;
        }
        if self.0.is_full() {
            self.0.pop_front();
        }
        let _ = self.0.push_back((id, time));
    }

    pub(crate) fn find(&self, prefix: &Prefix) -> Option<&(Id, Millis)> {
        self.0.iter().find(|(id, _)| id.prefix() == *prefix)
    }
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Whether vertices leave this window before they are settled.
    pub(crate) fn is_crowded(&self) -> bool {
        self.tangle.len() == self.tangle.capacity()
            && self
                .oldest()
                .is_some_and(|(_, time)| time > self.headers.cut())
    }

    /// The vertex that the next insertion pushes out of a full window.
    pub(crate) fn oldest(&self) -> Option<(Id, Millis)> {
        let facts = self.tangle.at_sequence(self.tangle.oldest_sequence())?;
        Some((facts.id, facts.time))
    }

    /// Remembers what an insertion pushed out.
    pub(crate) fn remember(&mut self, oldest: Option<(Id, Millis)>) {
        if let Some((id, time)) = oldest
            && time > self.headers.cut()
            && !self.tangle.contains(&id)
        {
            self.ghosts.add(id, time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_ones_once() {
        let mut places = [(Id::ZERO, Millis(0)); 64];
        let mut ghosts = Ghosts::new(&mut places);
        let id = |n: u8| Id([n; 32]);
        for n in 0..80 {
            ghosts.add(id(n), Millis(u64::from(n)));
            ghosts.add(id(n), Millis(u64::from(n)));
        }
        assert!(ghosts.find(&id(15).prefix()).is_none());
        assert_eq!(ghosts.find(&id(16).prefix()), Some(&(id(16), Millis(16))));
        assert!(ghosts.find(&id(79).prefix()).is_some());
    }
}
