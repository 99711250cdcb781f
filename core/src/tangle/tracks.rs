//! The slots of what is tracked: own and received transactions, conflicts, trims.
//!
//! At most 64, so that one bit of a word stands for each of them in the masks of vertices and members. A slot never tells a change
//! twice, and a slot that a conflict took is given up for anything that was asked for.

use super::memory::Tracked;
use super::model::{Change, Policy, Standing, Tables};
use super::recent::{Bits, Kept};
use crate::rules::{self, Rule};
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
/// Settlement must see it: more than data.
pub(super) const VALUED: u8 = 64;
/// Not every first approval of a member is noted, or one of them is lost, or was evicted and is not in the base: only a walk can tell who approves
/// it in a cone.
pub(super) const UNSURE: u8 = 32;

/// News of a tracked slot.
pub(super) const NEWS_WITNESSED: u8 = 1;
pub(super) const NEWS_QUORUM: u8 = 2;
pub(super) const NEWS_CERTIFIED: u8 = 4;
pub(super) const NEWS_EVICTED: u8 = 8;
/// Slots that nothing asked for may take: the settled trim and the next one must be followed, or what comes next cannot be checked.
const FOR_TRIMS: usize = 2;

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
        // 64 bits times 3 fit 128.
        u128::from(weight).wrapping_mul(3) > u128::from(total).wrapping_mul(2)
    })
}

/// Weight in 32 bits. What is beyond is cut off on both sides of a comparison, so that nothing is ruled out by it.
pub(super) fn clamped(weight: u64) -> u32 {
    u32::try_from(weight).unwrap_or(u32::MAX)
}

/// The least w with 3 w > 2 W: 1 + floor(2 W / 3), in parts so that nothing overflows.
fn least_above_two_thirds(total: u64) -> u64 {
    let (thirds, rest) = (total.wrapping_div(3), total.wrapping_rem(3));
    thirds
        .saturating_mul(2)
        .saturating_add(rest.saturating_mul(2).wrapping_div(3))
        .saturating_add(1)
}

impl Tracked {
    pub(super) fn is_trim(&self) -> bool {
        self.flags & TRIM != 0
    }

    /// Until when approvals count.
    pub(super) fn limit(&self, policy: &Policy) -> Millis {
        if self.is_trim() || !rules::on(Rule::TimeLimit) {
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

    /// Whether z is to be looked for.
    pub(super) fn waits<T: Tables + ?Sized>(&mut self, tables: &T, newest: Epoch) -> bool {
        let [own, _] = self.approval;
        let least = tables
            .total(self.epoch)
            .map_or(u64::MAX, least_above_two_thirds);
        self.slack = clamped(own.saturating_sub(least));
        !self.is_trim()
            && self.flags & FIRST_ROUND == 0
            && self.standing < Standing::Quorum
            && self.passes(self.approval, tables, newest)
    }

    /// Notes that the vertex with this insertion number is the first by which its issuer approves.
    pub(super) fn note_first(&mut self, sequence: u32) {
        let since = sequence.wrapping_sub(self.noted);
        self.firsts = Kept({ self.firsts.0 }.checked_shl(since).unwrap_or(0) | 1);
        self.noted = sequence;
    }

    /// First approvals before an insertion number: bit j stands for the vertex inserted j before. All that were noted, or none.
    pub(super) fn first_approvals(&self, sequence: u32) -> Bits {
        let since = sequence.wrapping_sub(self.noted);
        { self.firsts.0 }.checked_shl(since).unwrap_or(0)
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
    /// Slots that two thirds approve and that have no z yet.
    pub(super) waiting: u64,
    /// Slots that have a z.
    pub(super) found: u64,
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
            waiting: 0,
            found: 0,
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

    /// The vertex with this insertion number is lost: whom it was the first to approve for can be told by a walk only.
    pub(super) fn lose(&mut self, sequence: u32) {
        for i in bits(self.used & !self.found) {
            if let Some(x) = self.slots.get_mut(i) {
                let since = x.noted.wrapping_sub(sequence);
                if { x.firsts.0 }
                    .checked_shr(since)
                    .is_some_and(|firsts| firsts & 1 == 1)
                {
                    x.flags |= UNSURE;
                }
            }
        }
    }

    /// First approvals no longer tell who is missing.
    pub(super) fn forget_firsts(&mut self) {
        for x in self.slots.iter_mut() {
            x.firsts = Kept(0);
            x.flags |= UNSURE;
        }
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

    pub(super) fn free(&self) -> Option<usize> {
        (0..self.slots.len()).find(|&i| self.used & bit(i) == 0)
    }

    /// Whether one more that was asked for leaves the trims their slots. Those of conflicts are given up for anything.
    pub(super) fn has_room(&self) -> bool {
        let asked = self.which(|x| x.flags & (TRIM | AUTO) == 0).count_ones() as usize;
        asked.saturating_add(FOR_TRIMS) < self.slots.len()
    }

    /// The oldest slot that was taken for a conflict.
    pub(super) fn oldest_auto(&self) -> Option<usize> {
        self.iter()
            .filter(|(_, x)| x.flags & AUTO != 0)
            .max_by_key(|(_, x)| self.age.wrapping_sub(x.age))
            .map(|(i, _)| i)
    }

    pub(super) fn put(&mut self, i: usize, mut x: Tracked) {
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

    pub(super) fn take(&mut self, i: usize) {
        self.used &= !bit(i);
        self.trims &= !bit(i);
        self.news &= !bit(i);
        self.waiting &= !bit(i);
        self.found &= !bit(i);
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
