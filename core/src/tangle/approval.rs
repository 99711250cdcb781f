//! What is tracked: which members approve it, and how final it is.
//!
//! A vertex approves x iff its past cone has x, no rival of x and no evidence against the issuer of x. *Seen*, *rival* and
//! *evident* are monotone along parents, so each vertex inherits them as masks, one bit per tracked transaction; what is
//! approved is not monotone and never inherited. Approval weight counts members, not vertices: spam adds nothing. The sums are
//! kept by two tables, that of x's epoch and the newest: both must pass.

use super::insert::EVIDENCE;
use super::memory::{Masks, Member, Tracked, Vertex};
use super::model::{Change, Policy, Standing, Tables};
use super::window::{OPAQUE, Window};
use super::{Tangle, TrackError};
use crate::{Epoch, Id, MemberIndex, Millis};

/// Flags of a tracked slot.
pub(super) const TRIM: u8 = 1;
/// Tracked for itself (a conflict): the slot may be taken for something else.
pub(super) const AUTO: u8 = 2;
/// Something was missed since it came: no Quorum from what is seen here.
pub(super) const DOUBTED: u8 = 4;
/// It has a first-round vertex z.
pub(super) const FIRST_ROUND: u8 = 8;
/// A certified trim.
pub(super) const CERTIFIED: u8 = 16;

/// News of a tracked slot.
pub(super) const NEWS_WITNESSED: u8 = 1;
pub(super) const NEWS_QUORUM: u8 = 2;
pub(super) const NEWS_CERTIFIED: u8 = 4;
pub(super) const NEWS_EVICTED: u8 = 8;

/// Evidence against the member is in the DAG.
pub(super) const FROZEN: u8 = 1;
/// Two of its vertices exclude each other.
pub(super) const FORKED: u8 = 2;

pub(super) const fn bit(i: usize) -> u64 {
    1u64.wrapping_shl(i as u32)
}

/// The indices of the bits of a mask, from low to high.
pub(super) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let i = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        Some(i)
    })
}

/// 3 w > 2 W. A table that is not held grants nothing.
pub(super) fn two_thirds(weight: u64, total: Option<u64>) -> bool {
    total.is_some_and(|total| {
        u128::from(weight).saturating_mul(3) > u128::from(total).saturating_mul(2)
    })
}

impl Tracked {
    pub(super) fn is_trim(&self) -> bool {
        self.flags & TRIM != 0
    }

    /// Until when approvals count.
    pub(super) fn limit(&self, policy: &Policy) -> Millis {
        if self.is_trim() {
            Millis(u64::MAX)
        } else {
            self.time.saturating_add(policy.half_period().0)
        }
    }

    /// Adds a member's weight to a pair of sums.
    pub(super) fn weigh<T: Tables + ?Sized>(
        &self,
        sums: [u64; 2],
        tables: &T,
        newest: Epoch,
        member: MemberIndex,
    ) -> [u64; 2] {
        let weight = |epoch| tables.weight(epoch, member).map_or(0, |w| u64::from(w.0));
        let [first, second] = sums;
        let own = first.saturating_add(weight(self.epoch));
        if newest > self.epoch {
            [own, second.saturating_add(weight(newest))]
        } else {
            [own, second]
        }
    }

    /// Whether a pair of sums passes two thirds by every table that counts for it.
    pub(super) fn passes<T: Tables + ?Sized>(
        &self,
        sums: [u64; 2],
        tables: &T,
        newest: Epoch,
    ) -> bool {
        let [first, second] = sums;
        two_thirds(first, tables.total(self.epoch))
            && (newest <= self.epoch || two_thirds(second, tables.total(newest)))
    }
}

/// The slots of what is tracked.
#[derive(Debug)]
pub(super) struct Tracks<'m> {
    slots: &'m mut [Tracked],
    /// Slots in use.
    pub(super) used: u64,
    /// Slots that hold trims.
    pub(super) trims: u64,
    /// Slots with news.
    pub(super) news: u64,
    /// Slots whose vertex left the window.
    pub(super) gone: u64,
    age: u32,
}

impl<'m> Tracks<'m> {
    pub(super) fn into_inner(self) -> &'m mut [Tracked] {
        self.slots
    }

    pub(super) fn new(slots: &'m mut [Tracked]) -> Self {
        slots.fill(Tracked::EMPTY);
        Self {
            slots,
            used: 0,
            trims: 0,
            news: 0,
            gone: 0,
            age: 0,
        }
    }

    pub(super) fn get(&self, i: usize) -> Option<&Tracked> {
        self.slots.get(i)
    }

    pub(super) fn get_mut(&mut self, i: usize) -> Option<&mut Tracked> {
        self.slots.get_mut(i)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Tracked)> + '_ {
        bits(self.used).filter_map(|i| Some((i, self.slots.get(i)?)))
    }

    pub(super) fn find(&self, id: &Id) -> Option<usize> {
        self.iter().find(|(_, x)| x.id == *id).map(|(i, _)| i)
    }

    /// Whether a vertex that left the window is still tracked.
    pub(super) fn holds_gone(&self, id: &Id) -> bool {
        bits(self.gone).any(|i| self.slots.get(i).is_some_and(|x| x.id == *id))
    }

    /// Bits of those for which this holds.
    pub(super) fn which(&self, mut test: impl FnMut(&Tracked) -> bool) -> u64 {
        self.iter()
            .filter(|(_, x)| test(x))
            .fold(0, |mask, (i, _)| mask | bit(i))
    }

    pub(super) fn tell(&mut self, i: usize, news: u8) {
        if let Some(x) = self.slots.get_mut(i) {
            x.news |= news;
            self.news |= bit(i);
        }
    }

    /// The next change that a slot has to tell.
    pub(super) fn next_change(&mut self) -> Option<Change> {
        let i = bits(self.news).next()?;
        let x = self.slots.get_mut(i)?;
        let news = x.news & x.news.wrapping_neg();
        x.news &= !news;
        if x.news == 0 {
            self.news &= !bit(i);
        }
        Some(match news {
            NEWS_WITNESSED => Change::Witnessed(x.id),
            NEWS_QUORUM => Change::Quorum(x.id),
            NEWS_CERTIFIED => Change::TrimCertified {
                id: x.id,
                cut: x.cut,
            },
            _ => Change::Evicted(x.id),
        })
    }

    fn free(&self) -> Option<usize> {
        (0..self.slots.len()).find(|&i| self.used & bit(i) == 0)
    }

    /// The oldest slot that was taken for a conflict.
    fn oldest_auto(&self) -> Option<usize> {
        self.iter()
            .filter(|(_, x)| x.flags & AUTO != 0)
            .max_by_key(|(_, x)| self.age.wrapping_sub(x.age))
            .map(|(i, _)| i)
    }

    fn put(&mut self, i: usize, mut x: Tracked) {
        x.age = self.age;
        self.age = self.age.wrapping_add(1);
        if x.is_trim() {
            self.trims |= bit(i);
        }
        self.used |= bit(i);
        if let Some(slot) = self.slots.get_mut(i) {
            *slot = x;
        }
    }

    fn take(&mut self, i: usize) {
        self.used &= !bit(i);
        self.trims &= !bit(i);
        self.news &= !bit(i);
        self.gone &= !bit(i);
        if let Some(slot) = self.slots.get_mut(i) {
            *slot = Tracked::EMPTY;
        }
    }
}

/// Why something is tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// The node asked.
    Asked,
    /// A side of a conflict.
    Conflict,
    /// A trim.
    Trim,
}

impl Tangle<'_> {
    /// Tracks the vertex in a slot. Its bit is computed for the whole window by one pass, unless the vertex is the newest
    /// and its issuer's only branch: then nothing can stand on it and nothing can rival it. `contested`: the issuer had
    /// forked or been frozen before, so that what was evicted may have held a rival or evidence.
    pub(super) fn track_slot<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        slot: u16,
        interest: Interest,
        contested: bool,
    ) -> Result<(), TrackError> {
        let vertex = *self.window.at(slot);
        if let Some(i) = self.tracks.find(&vertex.id) {
            if interest != Interest::Conflict
                && let Some(x) = self.tracks.get_mut(i)
            {
                x.flags &= !AUTO;
            }
            return Ok(());
        }
        let i = match self.tracks.free() {
            Some(i) => i,
            None => {
                let i = self.tracks.oldest_auto().ok_or(TrackError::Full)?;
                if let Some(x) = self.tracks.get(i).copied() {
                    self.changes.push(Change::Untracked(x.id));
                }
                self.drop_track(i);
                i
            }
        };
        let mut x = Tracked {
            id: vertex.id,
            time: vertex.time,
            number: vertex.number,
            epoch: vertex.epoch,
            issuer: vertex.issuer,
            ..Tracked::EMPTY
        };
        if let Some((cut, previous)) = self.trim_terms(slot) {
            x.flags |= TRIM;
            x.cut = cut;
            x.previous = previous;
        }
        if interest == Interest::Conflict {
            x.flags |= AUTO;
        }
        // An unknown cone that is still below the window may hold a rival as well.
        if (contested && self.evicted > 0) || self.has_opaque() {
            x.flags |= DOUBTED;
        }
        self.tracks.put(i, x);
        let newest = self.window.age(slot) == 0;
        if newest && !contested && interest == Interest::Asked && !x.is_trim() {
            if let Some(masks) = self.window.masks_mut(slot) {
                masks.seen |= bit(i);
            }
            if let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0))
                && member.head == vertex.id
            {
                member.masks.seen |= bit(i);
            }
        } else {
            self.recompute(i, slot);
        }
        self.count_approvals(tables, i);
        self.grade(tables, bit(i));
        Ok(())
    }

    /// Computes bit i of the masks of all vertices and members for the vertex in a slot.
    ///
    /// Exact for the window: what was evicted is older than x, so its cone holds no x. Vertices of the issuer of x
    /// conflict with x unless they are below x on its chain or above it on theirs.
    fn recompute(&mut self, i: usize, slot: u16) {
        let bit = bit(i);
        let Some(x) = self.tracks.get(i).copied() else {
            return;
        };
        let of_x = |v: &Vertex| v.issuer == x.issuer;
        // A rival trim that was evicted is still tracked: whoever has seen it has its bit.
        let rivals = if x.is_trim() {
            self.tracks
                .which(|y| y.is_trim() && y.previous == x.previous && y.id != x.id)
        } else {
            0
        };
        self.marks.fill(0);
        let mut below = Some(slot);
        while let Some(here) = below {
            mark(self.marks, here);
            below = self
                .window
                .parent(here, 0)
                .filter(|&p| of_x(self.window.at(p)));
        }
        let age = self.window.age(slot);
        for here in self.window.oldest_first() {
            let vertex = *self.window.at(here);
            let mut masks = self
                .window
                .parents(here)
                .fold(Masks::default(), |m, p| m.join(self.window.masks(p)));
            if here == slot {
                masks.seen |= bit;
            } else if of_x(&vertex) {
                let on_chain = if self.window.age(here) > age {
                    marked(self.marks, here)
                } else {
                    self.window
                        .parent(here, 0)
                        .is_some_and(|p| self.window.age(p) <= age && marked(self.marks, p))
                };
                if on_chain {
                    mark(self.marks, here);
                } else {
                    masks.rival |= bit;
                }
            }
            let rival_trim = x.is_trim()
                && here != slot
                && self
                    .trim_terms(here)
                    .is_some_and(|(_, previous)| previous == x.previous);
            if rival_trim || vertex.masks.seen & rivals != 0 {
                masks.rival |= bit;
            }
            if vertex.kind == EVIDENCE && vertex.other == u32::from(x.issuer.0) {
                masks.evident |= bit;
            }
            let old = vertex.masks.without(bit);
            if let Some(place) = self.window.masks_mut(here) {
                *place = Masks {
                    seen: old.seen | masks.seen & bit,
                    rival: old.rival | masks.rival & bit,
                    evident: old.evident | masks.evident & bit,
                    above: old.above,
                };
            }
        }
        for member in self.members.iter_mut() {
            let old = member.masks.without(bit);
            let head = self.window.at(member.slot);
            member.masks = if member.number.0 > 0 && head.id == member.head {
                Masks {
                    seen: old.seen | head.masks.seen & bit,
                    rival: old.rival | head.masks.rival & bit,
                    evident: old.evident | head.masks.evident & bit,
                    above: old.above,
                }
            } else if old.seen & rivals != 0 {
                Masks {
                    rival: old.rival | bit,
                    ..old
                }
            } else {
                old
            };
        }
    }

    /// Counts the members that approve slot i from the vertices of the window.
    fn count_approvals<T: Tables + ?Sized>(&mut self, tables: &T, i: usize) {
        for here in self.window.oldest_first() {
            self.approve(tables, here, bit(i));
        }
    }

    /// Adds what this vertex approves, among these slots, to its issuer's approvals. Returns the bits of what it added.
    pub(super) fn approve<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16, among: u64) -> u64 {
        let vertex = self.window.at(slot);
        let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0)) else {
            return 0;
        };
        if vertex.flags & OPAQUE != 0 {
            return 0;
        }
        let mut changed = 0;
        let fresh = vertex.masks.approves(self.tracks.trims) & among & !member.approved;
        for i in bits(fresh) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            if vertex.time > x.limit(&self.policy) {
                continue;
            }
            member.approved |= bit(i);
            changed |= bit(i);
            x.approval = x.weigh(x.approval, tables, self.newest, vertex.issuer);
            let counts = tables
                .weight(x.epoch, vertex.issuer)
                .is_some_and(|w| w.0 > 0);
            if counts && vertex.issuer != x.issuer && Some(vertex.issuer) != self.own {
                x.witnesses = x.witnesses.saturating_add(1);
            }
        }
        changed
    }

    /// Raises what these slots have reached.
    pub(super) fn grade<T: Tables + ?Sized>(&mut self, tables: &T, among: u64) {
        for i in bits(among & self.tracks.used) {
            let overtaken = self.overtaken(i);
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            let mut news = 0;
            let heard = x.witnesses >= self.policy.witnesses;
            if x.standing == Standing::Seen && heard {
                x.standing = Standing::Witnessed;
                news |= NEWS_WITNESSED;
            }
            let judged = x.flags & DOUBTED == 0;
            if x.is_trim()
                && judged
                && x.flags & CERTIFIED == 0
                && x.standing != Standing::Dead
                && x.passes(x.approval, tables, self.newest)
            {
                x.flags |= CERTIFIED;
                news |= NEWS_CERTIFIED;
            }
            if judged
                && heard
                && !overtaken
                && x.standing < Standing::Quorum
                && x.flags & FIRST_ROUND != 0
                && x.passes(x.second, tables, self.newest)
            {
                x.standing = Standing::Quorum;
                news |= NEWS_QUORUM;
            }
            if news != 0 {
                self.tracks.tell(i, news);
            }
        }
    }

    /// Whether a trim that is older than x, by time, is not in the cone of x. The next trim cuts at that trim's time or later, and by
    /// the one after it x would be of a void epoch: what lags so far behind may die whatever approves it, so it gets no Quorum here.
    fn overtaken(&self, i: usize) -> bool {
        let Some(x) = self.tracks.get(i).filter(|x| x.flags & FIRST_ROUND != 0) else {
            return false;
        };
        bits(self.tracks.trims).any(|t| {
            self.tracks
                .get(t)
                .filter(|trim| trim.time < x.time)
                .and_then(|trim| self.window.find(&trim.id))
                .is_some_and(|slot| super::insert::hands_on(self.window.at(slot)) > x.epoch)
        })
    }

    /// Counts everything anew by the newest table, once it changed.
    pub(super) fn refresh<T: Tables + ?Sized>(&mut self, tables: &T) {
        let newest = tables.newest_settled().opens();
        if newest == self.newest {
            return;
        }
        self.newest = newest;
        // A z was found by the old table; the new one must find its own.
        let rounds = self.tracks.used;
        for i in bits(self.tracks.used) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            let mut approval = [0; 2];
            for (m, member) in self.members.iter().enumerate() {
                if member.approved & bit(i) != 0 {
                    approval = x.weigh(approval, tables, newest, MemberIndex(m as u16));
                }
            }
            x.approval = approval;
            x.second = [0; 2];
            x.flags &= !FIRST_ROUND;
        }
        for slot in self.window.oldest_first() {
            if let Some(masks) = self.window.masks_mut(slot) {
                masks.above &= !rounds;
            }
        }
        for member in self.members.iter_mut() {
            member.masks.above &= !rounds;
            member.second &= !rounds;
        }
        self.grade(tables, self.tracks.used);
    }

    /// Frees a slot and clears its bit everywhere.
    pub(super) fn drop_track(&mut self, i: usize) {
        self.tracks.take(i);
        let bit = bit(i);
        for slot in self.window.oldest_first() {
            if let Some(masks) = self.window.masks_mut(slot) {
                *masks = masks.without(bit);
            }
        }
        for member in self.members.iter_mut() {
            member.masks = member.masks.without(bit);
            member.approved &= !bit;
            member.second &= !bit;
        }
    }

    pub(super) fn member(&self, index: MemberIndex) -> Member {
        self.members
            .get(usize::from(index.0))
            .copied()
            .unwrap_or(Member::EMPTY)
    }

    /// Whether a vertex of unknown cone is still in the window.
    fn has_opaque(&self) -> bool {
        self.opaque.is_some_and(|sequence| {
            self.window.next().wrapping_sub(1).wrapping_sub(sequence) < self.window.len() as u32
        })
    }
}

pub(super) fn mark(marks: &mut [u64], slot: u16) {
    if let Some(word) = marks.get_mut(usize::from(slot.wrapping_shr(6))) {
        *word |= bit(usize::from(slot & 63));
    }
}

pub(super) fn marked(marks: &[u64], slot: u16) -> bool {
    marks
        .get(usize::from(slot.wrapping_shr(6)))
        .is_some_and(|word| word & bit(usize::from(slot & 63)) != 0)
}

/// The window with one walk's marks; see `quorum` and `trim` for the walks.
pub(super) fn mark_parents(window: &Window<'_>, marks: &mut [u64], slot: u16) {
    for parent in window.parents(slot) {
        mark(marks, parent);
    }
}
