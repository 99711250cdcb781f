//! The set-aside pool: transactions that wait for a parent, a header or the clock.
//!
//! Bounded, and bounded per neighbour: one neighbour can push out only its own. The oldest goes first and is reported. What is
//! here was not verified (its signature needs its parents' full ids), so it costs memory and nothing else.

use super::event::Peer;
use crate::{Epoch, Id, MAX_FRAME, MemberIndex, Millis, Prefix};

/// What a set-aside transaction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A parent with this prefix.
    Parent(Prefix),
    /// The first parent, with this prefix: this member's own transaction. A stub does not do.
    First(Prefix, MemberIndex),
    /// The table of this epoch.
    Epoch(Epoch),
    /// The neighbours to tell the time.
    Clock,
    /// The local clock.
    Until(Millis),
}

impl Waiting {
    /// Whether it waits for the transaction with this prefix.
    fn is_for(&self, prefix: &Prefix) -> bool {
        matches!(self, Self::Parent(p) | Self::First(p, _) if p == prefix)
    }
}

/// One place in the pool.
#[derive(Clone, Debug)]
pub struct Aside {
    len: u16,
    from: Peer,
    id: Id,
    since: Millis,
    /// The transaction's own time, as far as it can be told.
    time: Millis,
    waiting: Waiting,
    bytes: [u8; MAX_FRAME],
}

impl Default for Aside {
    fn default() -> Self {
        Self {
            len: 0,
            from: Peer(0),
            id: Id::ZERO,
            since: Millis(0),
            time: Millis(0),
            waiting: Waiting::Clock,
            bytes: [0; MAX_FRAME],
        }
    }
}

impl Aside {
    fn used(&self) -> bool {
        self.len != 0
    }
}

/// The pool over caller memory.
#[derive(Debug)]
pub struct Pool<'m> {
    places: &'m mut [Aside],
    share: usize,
    /// Places taken: an empty pool, the usual case, costs nothing to ask.
    count: usize,
    /// Nothing is taken from this place on: what is asked at every call looks at no more.
    reach: usize,
    /// Something came that may free what waits here.
    woken: bool,
}

impl<'m> Pool<'m> {
    pub(crate) fn new(places: &'m mut [Aside]) -> Self {
        for place in places.iter_mut() {
            place.len = 0;
        }
        // A quarter each, at least two: four neighbours fill the pool, one alone never does.
        let share = (places.len() / 4).max(2).min(places.len());
        Self {
            places,
            share,
            count: 0,
            reach: 0,
            woken: false,
        }
    }

    pub(crate) fn into_inner(self) -> &'m mut [Aside] {
        self.places
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn taken(&self) -> &[Aside] {
        self.places.get(..self.reach).unwrap_or(&[])
    }

    fn free(&mut self, index: usize) {
        if let Some(place) = self.places.get_mut(index) {
            place.len = 0;
        }
        self.count = self.count.saturating_sub(1);
        let used = self.taken().iter().rposition(Aside::used);
        self.reach = used.map_or(0, |last| last.saturating_add(1));
    }

    pub(crate) fn holds(&self, id: &Id, bytes: &[u8]) -> bool {
        self.count > 0
            && self.taken().iter().any(|p| {
                p.used() && p.id == *id && p.bytes.get(..usize::from(p.len)) == Some(bytes)
            })
    }

    pub(crate) fn holds_prefix(&self, prefix: &Prefix) -> bool {
        self.count > 0
            && self
                .taken()
                .iter()
                .any(|p| p.used() && p.id.prefix() == *prefix)
    }

    /// Sets `bytes` aside; returns the id of what had to go, if anything: this one's own, where all that is here comes before it.
    ///
    /// `time` is the transaction's. Where there is no room, the latest goes: what is nearest to the vertices that are here can be placed
    /// first, so a node that catches up gets on however much comes after.
    pub(crate) fn put(
        &mut self,
        now: Millis,
        from: Peer,
        id: Id,
        time: Millis,
        waiting: Waiting,
        bytes: &[u8],
    ) -> Result<Option<Id>, ()> {
        let len = u16::try_from(bytes.len()).map_err(|_| ())?;
        let own = self
            .taken()
            .iter()
            .filter(|p| p.used() && p.from == from)
            .count();
        let free = self.places.iter().position(|p| !p.used());
        let index = match free {
            Some(index) if own < self.share => index,
            _ => {
                let by_share = own >= self.share;
                // The pool is full: one of the neighbour that holds most, so that nobody is crowded out by another.
                let crowd = if by_share { from } else { self.greatest() };
                let latest = self
                    .taken()
                    .iter()
                    .enumerate()
                    .filter(|(_, p)| p.used() && p.from == crowd)
                    .max_by_key(|(_, p)| (p.time, core::cmp::Reverse(p.since)));
                let (index, latest) = latest.ok_or(())?;
                if crowd == from && latest.time < time {
                    return Ok(Some(id));
                }
                index
            }
        };
        let place = self.places.get_mut(index).ok_or(())?;
        let out = place.used().then_some(place.id);
        let room = place.bytes.get_mut(..bytes.len()).ok_or(())?;
        if out.is_none() {
            self.count = self.count.saturating_add(1);
            self.reach = self.reach.max(index.saturating_add(1));
        }
        room.copy_from_slice(bytes);
        place.len = len;
        place.from = from;
        place.id = id;
        place.since = now;
        place.time = time;
        place.waiting = waiting;
        Ok(out)
    }

    /// Whether there is so little room left that nothing should be asked for but what others wait for.
    pub(crate) fn is_tight(&self) -> bool {
        self.len().saturating_mul(2) > self.places.len()
    }

    /// Whether something waits for another transaction, and not for a table or a clock only.
    pub(crate) fn lacks_parents(&self) -> bool {
        let lacks = |p: &Aside| matches!(p.waiting, Waiting::Parent(_) | Waiting::First(..));
        self.count > 0 && self.taken().iter().any(|p| p.used() && lacks(p))
    }

    fn greatest(&self) -> Peer {
        self.taken()
            .iter()
            .filter(|p| p.used())
            .map(|p| {
                (
                    self.taken()
                        .iter()
                        .filter(|q| q.used() && q.from == p.from)
                        .count(),
                    p.from,
                )
            })
            .max()
            .map_or(Peer(0), |(_, peer)| peer)
    }

    /// Whether something here stands on the transaction with this prefix, and not as on its issuer's own.
    pub(crate) fn awaits(&self, prefix: &Prefix) -> bool {
        let mut waiting = self.taken().iter().filter(|p| p.used());
        waiting.any(|p| p.waiting == Waiting::Parent(*prefix))
    }

    /// A transaction with this prefix is here now.
    pub(crate) fn wake(&mut self, prefix: &Prefix) {
        self.woken |= self.count > 0
            && self
                .taken()
                .iter()
                .any(|p| p.used() && p.waiting.is_for(prefix));
    }

    /// The epochs that something here waits for.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = Epoch> {
        self.taken()
            .iter()
            .filter(|p| p.used())
            .filter_map(|p| match p.waiting {
                Waiting::Epoch(epoch) => Some(epoch),
                _ => None,
            })
    }

    /// A table is here now.
    pub(crate) fn wake_all(&mut self) {
        self.woken = true;
    }

    /// Whether a retry is worth it now. Asking clears what woke the pool.
    pub(crate) fn ready(&mut self, now: Millis) -> bool {
        core::mem::take(&mut self.woken) || self.next_due().is_some_and(|due| due <= now)
    }

    /// Takes out one transaction that `ready` says can be tried again, into `out`.
    pub(crate) fn take(
        &mut self,
        out: &mut [u8],
        mut ready: impl FnMut(&Waiting) -> bool,
    ) -> Option<(Peer, usize)> {
        if self.count == 0 {
            return None;
        }
        // Oldest first, so that a chain of waiting transactions resolves in the order in which it came.
        let index = self
            .taken()
            .iter()
            .enumerate()
            .filter(|(_, p)| p.used() && ready(&p.waiting))
            .min_by_key(|(_, p)| p.since)
            .map(|(i, _)| i)?;
        let place = self.places.get(index)?;
        let (from, len) = (place.from, usize::from(place.len));
        let room = out.get_mut(..len);
        let fits = room.zip(place.bytes.get(..len));
        if let Some((out, bytes)) = fits {
            out.copy_from_slice(bytes);
        }
        self.free(index);
        Some((from, len)).filter(|_| len <= out.len())
    }

    /// Drops one transaction set aside before `limit` and returns its id.
    pub(crate) fn expire(&mut self, limit: Millis) -> Option<Id> {
        if self.count == 0 {
            return None;
        }
        let old = |p: &Aside| p.used() && p.since < limit;
        let index = self.taken().iter().position(old)?;
        let id = self.places.get(index)?.id;
        self.free(index);
        Some(id)
    }

    /// The earliest moment at which something that waits for the clock is ready.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        if self.count == 0 {
            return None;
        }
        self.taken()
            .iter()
            .filter(|p| p.used())
            .filter_map(|p| match p.waiting {
                Waiting::Until(at) => Some(at),
                _ => None,
            })
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> Id {
        Id([n; 32])
    }

    #[test]
    fn one_neighbour_cannot_push_out_another() {
        let mut places = vec![Aside::default(); 8];
        let mut pool = Pool::new(&mut places);
        pool.put(
            Millis(1),
            Peer(1),
            id(1),
            Millis(1),
            Waiting::Epoch(Epoch(2)),
            b"a",
        )
        .unwrap();
        for n in 10..60 {
            pool.put(
                Millis(u64::from(n)),
                Peer(2),
                id(n),
                Millis(100 - u64::from(n)),
                Waiting::Epoch(Epoch(2)),
                b"b",
            )
            .unwrap();
        }
        assert!(pool.holds(&id(1), b"a"));
        assert!(pool.holds(&id(59), b"b"));
        assert!(!pool.holds(&id(59), b"a"));
        assert!(!pool.holds(&id(10), b"b"));
        assert_eq!(pool.len(), 3);
    }

    #[test]
    fn a_full_pool_gives_up_the_latest_of_the_greatest() {
        let mut places = vec![Aside::default(); 8];
        let mut pool = Pool::new(&mut places);
        for n in 0..8u8 {
            let out = pool
                .put(
                    Millis(u64::from(n)),
                    Peer(u16::from(n) / 2),
                    id(n),
                    Millis(u64::from(n)),
                    Waiting::Epoch(Epoch(2)),
                    b"x",
                )
                .unwrap();
            assert_eq!(out, None);
        }
        let out = pool
            .put(
                Millis(9),
                Peer(9),
                id(9),
                Millis(0),
                Waiting::Epoch(Epoch(2)),
                b"x",
            )
            .unwrap();
        assert_eq!(out, Some(id(7)));
    }

    #[test]
    fn what_comes_after_all_that_waits_is_given_up_itself() {
        let mut places = vec![Aside::default(); 8];
        let mut pool = Pool::new(&mut places);
        let mut put = |n: u8, time: u64| {
            pool.put(
                Millis(u64::from(n)),
                Peer(1),
                id(n),
                Millis(time),
                Waiting::Epoch(Epoch(2)),
                b"x",
            )
        };
        assert_eq!(put(1, 10), Ok(None));
        assert_eq!(put(2, 20), Ok(None));
        assert_eq!(put(3, 30), Ok(Some(id(3))));
        assert_eq!(put(4, 15), Ok(Some(id(2))));
        assert_eq!(put(5, 5), Ok(Some(id(4))));
        assert!(pool.holds(&id(1), b"x") && pool.holds(&id(5), b"x"));
    }

    #[test]
    fn takes_what_is_ready_oldest_first() {
        let mut places = vec![Aside::default(); 4];
        let mut pool = Pool::new(&mut places);
        let p = Prefix([3; 16]);
        pool.put(
            Millis(2),
            Peer(1),
            id(2),
            Millis(0),
            Waiting::Parent(p),
            b"two",
        )
        .unwrap();
        pool.put(
            Millis(1),
            Peer(1),
            id(1),
            Millis(0),
            Waiting::Until(Millis(50)),
            b"one",
        )
        .unwrap();
        let mut out = [0; MAX_FRAME];
        assert_eq!(pool.next_due(), Some(Millis(50)));
        let got = pool.take(&mut out, |w| *w == Waiting::Parent(p));
        assert_eq!(got, Some((Peer(1), 3)));
        assert_eq!(out.get(..3), Some(b"two".as_slice()));
        assert_eq!(pool.take(&mut out, |w| *w == Waiting::Parent(p)), None);
        assert_eq!(pool.expire(Millis(2)), Some(id(1)));
        assert_eq!(pool.len(), 0);
    }
}
