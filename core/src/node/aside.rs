//! The set-aside pool: transactions that wait for a parent, a header or the clock.
//!
//! Bounded, and shared fairly where it is full: whoever holds less than the others takes a place of the neighbour that holds most. The latest goes
//! first and is reported. What is here was not verified (its signature needs its parents' full ids), so it costs memory and nothing else.

use super::event::Peer;
use crate::copy::copy;
use crate::{Epoch, Id, MAX_FRAME, MemberIndex, Millis, Prefix};

/// So many issuers' gaps at once are no losses: whoever sees them has been away.
const GAPS: usize = 4;

/// What a set-aside transaction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// A parent with this prefix.
    Parent(Prefix),
    /// The first parent, with this prefix: this member's own transaction. A stub does not do.
    First(Prefix, MemberIndex),
    /// The same, where another transaction with its number is here.
    Branch(Prefix, MemberIndex),
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
        matches!(self, Self::Parent(p) | Self::First(p, _) | Self::Branch(p, _) if p == prefix)
    }
}

/// One place in the pool.
#[derive(Clone, Debug)]
pub struct Aside {
    len: u16,
    from: Peer,
    /// How many places the neighbour that it came from holds, this one included.
    held: u16,
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
            held: 0,
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
        Self {
            places,
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
            let from = place.from;
            self.count_held(from);
        }
        self.count = self.count.saturating_sub(1);
        let used = self.taken().iter().rposition(Aside::used);
        self.reach = used.map_or(0, |last| last.saturating_add(1));
    }

    fn of(&self, from: Peer) -> impl Iterator<Item = &Aside> {
        let of = move |p: &&Aside| p.used() && p.from == from;
        self.taken().iter().filter(of)
    }

    /// A place of this neighbour was taken or given up.
    fn count_held(&mut self, from: Peer) {
        let held = u16::try_from(self.of(from).count()).unwrap_or(u16::MAX);
        for place in self.places.iter_mut().take(self.reach) {
            if place.from == from {
                place.held = held;
            }
        }
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
    /// `time` is the transaction's. A free place is anybody's. Where there is none, the latest of the neighbour that holds most goes: what is nearest to the
    /// vertices that are here can be placed first, so a node that catches up gets on however much comes after.
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
        let index = match self.places.iter().position(|p| !p.used()) {
            Some(index) => index,
            None => {
                let crowd = self.crowd(from);
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
        let out = place.used().then_some((place.id, place.from));
        let room = place.bytes.get_mut(..bytes.len()).ok_or(())?;
        if out.is_none() {
            self.count = self.count.saturating_add(1);
            self.reach = self.reach.max(index.saturating_add(1));
        }
        copy(room, bytes);
        place.len = len;
        place.from = from;
        place.id = id;
        place.since = now;
        place.time = time;
        place.waiting = waiting;
        self.count_held(from);
        if let Some((_, other)) = out.filter(|(_, other)| *other != from) {
            self.count_held(other);
        }
        Ok(out.map(|(id, _)| id))
    }

    /// Whether there is so little room left that nothing should be asked for but what others wait for. What is here was not verified: of one neighbour no
    /// more counts than a quarter of the pool, unless it is the only one.
    pub(crate) fn is_tight(&self, alone: bool) -> bool {
        let half = self.places.len() / 2;
        if alone || self.count <= half {
            return self.count > half;
        }
        let most = (self.places.len() / 4).max(2);
        let mut counted = 0usize;
        // Three at most hold more than a quarter.
        let mut great: heapless::Vec<Peer, 4> = heapless::Vec::new();
        for place in self.taken().iter().filter(|p| p.used()) {
            if usize::from(place.held) <= most {
                counted = counted.saturating_add(1);
            } else if !great.contains(&place.from) && great.push(place.from).is_ok() {
                counted = counted.saturating_add(most);
            }
        }
        counted > half
    }

    /// Whether something waits for another transaction, and not for a table or a clock only.
    pub(crate) fn lacks_parents(&self) -> bool {
        let lacks = |p: &Aside| {
            matches!(
                p.waiting,
                Waiting::Parent(_) | Waiting::First(..) | Waiting::Branch(..)
            )
        };
        self.count > 0 && self.taken().iter().any(|p| p.used() && lacks(p))
    }

    /// Whether whole stretches are missing, and not single transactions: several here wait for their issuers' last ones. One neighbour's word is not enough
    /// for that either.
    pub(crate) fn lags(&self, alone: bool) -> bool {
        if self.count < GAPS {
            return false;
        }
        let gap = |p: &&Aside| p.used() && matches!(p.waiting, Waiting::First(..));
        let mut gaps = self.taken().iter().filter(gap);
        let first = gaps.clone().next().map(|p| p.from);
        let by_two = gaps.clone().any(|p| Some(p.from) != first);
        (alone || by_two) && gaps.nth(GAPS - 1).is_some()
    }

    /// What the earliest waits for that waits for a transaction nobody was asked for, and whose word that is.
    pub(crate) fn first_gap(&self, wanted: impl Fn(&Prefix) -> bool) -> Option<(Prefix, Peer)> {
        let of = |p: &Aside| match p.waiting {
            Waiting::Parent(prefix) | Waiting::First(prefix, _) | Waiting::Branch(prefix, _) => {
                Some((prefix, p.from))
            }
            _ => None,
        };
        (self.taken().iter())
            .filter(|p| p.used())
            .filter_map(|p| Some((p.time, of(p)?)))
            .filter(|(_, (prefix, _))| !wanted(prefix))
            .min_by_key(|(time, _)| *time)
            .map(|(_, gap)| gap)
    }

    /// Who gives a place up to `from`: the neighbour that holds most, itself where nobody holds more.
    fn crowd(&self, from: Peer) -> Peer {
        let own = self.of(from).next().map_or(0, |p| p.held);
        let used = self.taken().iter().filter(|p| p.used());
        let most = used.map(|p| (p.held, p.from)).max();
        match most {
            Some((held, peer)) if held > own => peer,
            _ => from,
        }
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
            copy(out, bytes);
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
        assert_eq!(pool.len(), 8);
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
        let mut places = vec![Aside::default(); 2];
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
    fn gaps_count_and_no_neighbour_makes_them_up_alone() {
        let mut places = vec![Aside::default(); 16];
        let mut pool = Pool::new(&mut places);
        let put = |pool: &mut Pool, n: u8, from: u16, waiting: Waiting| {
            let (now, time) = (Millis(u64::from(n)), Millis(100 - u64::from(n)));
            pool.put(now, Peer(from), id(n), time, waiting, b"x")
                .unwrap();
        };
        let first = |n: u8| Waiting::First(Prefix([n; 16]), MemberIndex(n.into()));
        for n in 1..10 {
            put(&mut pool, n, 1, first(n));
        }
        put(&mut pool, 10, 2, Waiting::Parent(Prefix([10; 16])));
        put(&mut pool, 11, 3, Waiting::Epoch(Epoch(2)));
        assert!(!pool.lags(false) && pool.lags(true));
        put(&mut pool, 12, 2, first(12));
        assert!(pool.lags(false));
        // The earliest that waits for a transaction, and that nobody was asked for.
        let wanted = |p: &Prefix| *p == Prefix([12; 16]);
        let gap = |n: u8, from| Some((Prefix([n; 16]), Peer(from)));
        assert_eq!(pool.first_gap(|_| false), gap(12, 2));
        assert_eq!(pool.first_gap(wanted), gap(10, 2));
        assert_eq!(pool.first_gap(|_| true), None);
    }

    proptest::proptest! {
        /// Whatever the others send, and in whatever order: up to its part of the places a neighbour keeps what it sent.
        #[test]
        fn everybody_has_an_equal_part(
            sent in proptest::collection::vec((0u16..4, 0u64..100), 1..80),
        ) {
            let mut places = vec![Aside::default(); 12];
            let mut pool = Pool::new(&mut places);
            for (n, (from, time)) in (0u8..).zip(&sent) {
                let waiting = Waiting::Epoch(Epoch(2));
                let out = pool.put(Millis(n.into()), Peer(*from), id(n), Millis(*time), waiting, b"x");
                proptest::prop_assert_eq!(out.unwrap().is_some(), n >= 12);
                for peer in 0..4 {
                    let of = |(from, _): &&(u16, u64)| *from == peer;
                    let so_far = sent.iter().take(usize::from(n) + 1).filter(of).count();
                    let held = pool.taken().iter().filter(|p| p.used() && p.from == Peer(peer)).count();
                    proptest::prop_assert!(held >= so_far.min(3), "{} of {}", held, so_far);
                    proptest::prop_assert!(pool.of(Peer(peer)).all(|p| usize::from(p.held) == held));
                }
            }
        }
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
