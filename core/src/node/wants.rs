//! Transactions that this node has asked for, or is about to.
//!
//! A bounded list. Each entry names one neighbour to ask next; after a time-out another one is asked, and after a few rounds
//! the entry is given up (the next beacon or announcement starts it again).

use super::event::Peer;
use crate::{Millis, Prefix};

const TRIES: u8 = 6;

/// One wanted transaction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Want {
    prefix: Prefix,
    /// Whom to ask next.
    peer: u16,
    /// Who said that there is such a transaction.
    from: u16,
    tries: u8,
    used: bool,
    due: Millis,
}

/// The list over caller memory.
#[derive(Debug)]
pub struct Wants<'m> {
    places: &'m mut [Want],
    /// Nothing is wanted from this place on: what is asked at every call looks at no more.
    reach: usize,
}

impl<'m> Wants<'m> {
    pub(crate) fn new(places: &'m mut [Want]) -> Self {
        places.fill(Want::default());
        Self { places, reach: 0 }
    }

    pub(crate) fn into_inner(self) -> &'m mut [Want] {
        self.places
    }

    fn wanted(&self) -> &[Want] {
        self.places.get(..self.reach).unwrap_or(&[])
    }

    fn wanted_mut(&mut self) -> &mut [Want] {
        self.places.get_mut(..self.reach).unwrap_or(&mut [])
    }

    fn shrink(&mut self) {
        let used = self.wanted().iter().rposition(|w| w.used);
        self.reach = used.map_or(0, |last| last.saturating_add(1));
    }

    pub(crate) fn contains(&self, prefix: &Prefix) -> bool {
        self.wanted().iter().any(|w| w.used && w.prefix == *prefix)
    }

    /// Wants `prefix`, to be asked of `peer` first. False where the list is full: the next announcement comes again.
    pub(crate) fn add(&mut self, now: Millis, prefix: Prefix, peer: Peer) -> bool {
        if self.contains(&prefix) {
            return true;
        }
        let free = self.places.iter().position(|w| !w.used);
        let index = free.or_else(|| self.crowded_out(peer));
        let Some(place) = index.and_then(|i| self.places.get_mut(i)) else {
            return false;
        };
        *place = Want {
            prefix,
            peer: peer.0,
            from: peer.0,
            tries: 0,
            used: true,
            due: now,
        };
        self.reach = self.reach.max(index.unwrap_or(0).saturating_add(1));
        true
    }

    fn count(&self, from: u16) -> usize {
        let of = |w: &&Want| w.used && w.from == from;
        self.wanted().iter().filter(of).count()
    }

    /// The list is full: the place of the neighbour that holds most gives way to one that holds less, so that nobody's announcements
    /// keep another's out.
    fn crowded_out(&self, peer: Peer) -> Option<usize> {
        let own = self.count(peer.0);
        if own.saturating_mul(2) >= self.places.len() {
            return None;
        }
        // Each neighbour is counted once, where its last one is.
        let last = |(i, w): &(usize, &Want)| {
            let after = self.places.get(i.saturating_add(1)..).unwrap_or(&[]);
            !after.iter().any(|v| v.from == w.from)
        };
        let (index, most) = (self.places.iter().enumerate())
            .filter(last)
            .map(|(i, w)| (i, self.count(w.from)))
            .max_by_key(|(_, count)| *count)?;
        (most > own.saturating_add(1)).then_some(index)
    }

    /// It came, or is of no interest any more.
    pub(crate) fn done(&mut self, prefix: &Prefix) {
        for want in self.wanted_mut() {
            if want.used && want.prefix == *prefix {
                want.used = false;
            }
        }
        self.shrink();
    }

    /// A neighbour with something due, if any.
    pub(crate) fn due_peer(&self, now: Millis) -> Option<Peer> {
        self.wanted()
            .iter()
            .filter(|w| w.used && w.due <= now)
            .min_by_key(|w| w.due)
            .map(|w| Peer(w.peer))
    }

    /// Takes up to `out.len()` prefixes that are due to be asked of `peer`; each is tried again after `timeout` at the
    /// neighbour that `other` names. Returns how many they are, how many of them were asked for before, and one that was not.
    pub(crate) fn ask(
        &mut self,
        now: Millis,
        peer: Peer,
        timeout: Millis,
        other: impl Fn(Peer, u8) -> Peer,
        out: &mut [Prefix],
    ) -> (usize, usize, Option<Prefix>) {
        let (mut n, mut again, mut new) = (0usize, 0usize, None);
        for want in self.wanted_mut() {
            if !want.used || want.due > now || want.peer != peer.0 {
                continue;
            }
            let Some(slot) = out.get_mut(n) else { break };
            *slot = want.prefix;
            n = n.saturating_add(1);
            match want.tries {
                0 => new = Some(want.prefix),
                _ => again = again.saturating_add(1),
            }
            want.tries = want.tries.saturating_add(1);
            want.used = want.tries < TRIES;
            want.due = now.saturating_add(timeout.0.saturating_mul(u64::from(want.tries)));
            want.peer = other(peer, want.tries).0;
        }
        self.shrink();
        (n, again, new)
    }

    /// A neighbour is gone: ask somebody else.
    pub(crate) fn forget_peer(&mut self, peer: Peer, instead: Option<Peer>) {
        for want in self.wanted_mut() {
            if want.used && want.peer == peer.0 {
                match instead {
                    Some(other) => want.peer = other.0,
                    None => want.used = false,
                }
            }
        }
        self.shrink();
    }

    pub(crate) fn next_due(&self) -> Option<Millis> {
        self.wanted().iter().filter(|w| w.used).map(|w| w.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_again_elsewhere_and_gives_up() {
        let mut places = vec![Want::default(); 4];
        let mut wants = Wants::new(&mut places);
        let p = Prefix([1; 16]);
        assert!(wants.add(Millis(0), p, Peer(1)));
        assert!(wants.add(Millis(0), p, Peer(2)));
        let mut out = [Prefix::default(); 4];
        let mut now = Millis(0);
        let mut asked = Vec::new();
        while let Some(due) = wants.next_due() {
            now = now.max(due);
            let peer = wants.due_peer(now).unwrap();
            let told = wants.ask(now, peer, Millis(100), |q, _| Peer(3 - q.0), &mut out);
            let first = asked.is_empty();
            assert_eq!(told, (1, usize::from(!first), first.then_some(p)));
            asked.push(peer.0);
        }
        assert_eq!(asked, [1, 2, 1, 2, 1, 2]);
    }

    #[test]
    fn a_full_list_says_so() {
        let mut places = vec![Want::default(); 1];
        let mut wants = Wants::new(&mut places);
        assert!(wants.add(Millis(0), Prefix([1; 16]), Peer(1)));
        assert!(!wants.add(Millis(0), Prefix([2; 16]), Peer(1)));
        assert!(!wants.add(Millis(0), Prefix([2; 16]), Peer(2)));
        wants.done(&Prefix([1; 16]));
        assert!(wants.add(Millis(0), Prefix([2; 16]), Peer(1)));
    }

    #[test]
    fn the_one_that_holds_most_gives_way() {
        let mut places = vec![Want::default(); 8];
        let mut wants = Wants::new(&mut places);
        for n in 0..8 {
            assert!(wants.add(Millis(0), Prefix([n; 16]), Peer(1)));
        }
        assert!(!wants.add(Millis(0), Prefix([8; 16]), Peer(1)));
        let added = (10..20).filter(|n| wants.add(Millis(0), Prefix([*n; 16]), Peer(2)));
        assert_eq!(added.count(), 4);
        assert!((10..14).all(|n| wants.contains(&Prefix([n; 16]))));
    }

    proptest::proptest! {
        #[test]
        fn it_is_the_last_of_who_holds_most(
            from in proptest::collection::vec(0u16..6, 1..24),
            peer in 0u16..7,
        ) {
            let mut places = vec![Want::default(); from.len()];
            let mut wants = Wants::new(&mut places);
            for (n, from) in (0u8..).zip(&from) {
                wants.add(Millis(0), Prefix([n; 16]), Peer(*from));
            }
            let held: Vec<u16> = wants.places.iter().map(|w| w.from).collect();
            let count = |peer: u16| held.iter().filter(|from| **from == peer).count();
            let most = held.iter().map(|from| count(*from)).max().unwrap_or(0);
            let gives_way = most > count(peer) + 1 && count(peer) * 2 < held.len();
            let index = held.iter().rposition(|from| count(*from) == most).filter(|_| gives_way);
            proptest::prop_assert_eq!(wants.crowded_out(Peer(peer)), index);
        }
    }
}
