//! Quorum in two rounds, strictly more than two thirds each.
//!
//! First round: some vertex z has in its own cone approvals of x by members with 3 w > 2 W. Second round: members with
//! 3 w > 2 W each have a vertex with z in its cone, not later than time(x) + T/2. One round is not enough: two sets of 2/3
//! share only 1/3, so a trim could hold too few of the approvals. With two, the fresh quorum of every valid trim holds an
//! honest vertex above z, hence the whole first round.
//!
//! z is looked for once two thirds approve x at all, and walking a cone is the last thing tried: of the newest vertices it
//! is known which are in the cone (`recent`), so that who is missing is subtracted from all who approve. What was evicted is
//! counted by `base`.

use super::Tangle;
use super::approval::{COUNTED, marked};
use super::memory::Tracked;
use super::model::{Standing, Tables};
use super::recent::{Bits, RECENT, ones};
use super::sets::Set;
use super::tracks::{FIRST_ROUND, UNSURE, bit, bits, clamped};
use super::window::OPAQUE;
use crate::rules::{self, Rule};

/// A count of the first round in one cone.
struct Count {
    sums: [u64; 2],
    /// The base is in the cone, and in `sums`.
    based: bool,
    holds: bool,
    /// Vertices of the cone that were looked at.
    seen: u32,
    /// Age of the youngest and of the oldest vertex that was looked at.
    from: u32,
    end: u32,
}

impl Tangle<'_> {
    /// Tests whether the vertex in this slot is z for whatever passed two thirds here and has none.
    pub(super) fn first_round<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16) {
        let vertex = self.window.at(slot);
        let (seen, time, issuer) = (vertex.masks.seen, vertex.time, vertex.issuer);
        let mut found = 0;
        for i in bits(seen & self.tracks.waiting) {
            let Some(x) = self.tracks.get(i) else {
                continue;
            };
            if x.standing >= Standing::Quorum {
                self.tracks.waiting &= !bit(i);
                continue;
            }
            // Who speaks may be one of those.
            let [spoke, _] = x.weigh([0; 2], tables, self.newest, issuer);
            let beyond = x.beyond.saturating_sub(clamped(spoke));
            let enough = beyond <= x.slack;
            if let Some(x) = self.tracks.get_mut(i) {
                x.beyond = beyond;
            }
            #[cfg(test)]
            self.assert_nothing_is_missed(tables, slot, i, enough);
            let Some(x) = self.tracks.get(i) else {
                continue;
            };
            let holds = enough
                && time <= x.limit(&self.policy)
                && match self.holds_by_recent(tables, slot, i, x) {
                    Some(holds) => holds,
                    None => self.holds_first_round(tables, slot, i),
                };
            if holds {
                found |= bit(i);
            }
        }
        if found != 0 {
            self.found(slot, found);
        }
    }

    /// Whether two thirds approve x in the cone of this slot, as far as it can be told without a walk: all who approve it but those whose
    /// first approval is not in the cone. No is certain; yes only where the cone is whole and every first approval is known.
    fn holds_by_recent<T: Tables + ?Sized>(
        &self,
        tables: &T,
        slot: u16,
        i: usize,
        x: &Tracked,
    ) -> Option<bool> {
        let recent = self.window.recent_cone(slot)?;
        let age = self.window.age(slot);
        // What was evicted is not missing: it is in the base, or counts nowhere.
        let held = u32::try_from(self.window.len()).unwrap_or(u32::MAX);
        let gone = Bits::MAX.checked_shl(held.saturating_sub(age)).unwrap_or(0);
        let missing = x.first_approvals(self.window.sequence(slot)) & !recent.cone & !gone;
        // Each of them weighs at least 1.
        if missing.count_ones() > x.slack {
            return Some(false);
        }
        let left = ones(missing)
            .map(|back| self.window.aged(age.saturating_add(back)))
            .fold(x.approval, |left, slot| {
                let issuer = self.window.at(slot).issuer;
                let [own, newest] = x.weigh([0; 2], tables, self.newest, issuer);
                let [by_own, by_newest] = left;
                [by_own.saturating_sub(own), by_newest.saturating_sub(newest)]
            });
        if !x.passes(left, tables, self.newest) {
            return Some(false);
        }
        // What was evicted is in the cone where the base is: all of it, or it would be unsure.
        let based = !self.tracks.gone & bit(i) != 0 || self.window.masks(slot).above & bit(i) != 0;
        let certain = recent.whole && age == 0 && x.flags & UNSURE == 0 && based;
        certain.then_some(true)
    }

    /// Counts the members that approve x in the cone of this slot, from the newest vertex down until they pass.
    fn holds_first_round<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16, i: usize) -> bool {
        let Some(x) = self.tracks.get(i).copied() else {
            return false;
        };
        // What was evicted counts only where all of it is in the cone.
        let based = self.window.masks(slot).above & bit(i) != 0;
        let mut count = Count {
            sums: if based { x.second } else { [0; 2] },
            based,
            holds: false,
            seen: 0,
            from: self.window.age(slot),
            end: self.window.age(slot),
        };
        count.holds = x.passes(count.sums, tables, self.newest);
        self.count_cone(tables, slot, i, &x, &mut count);
        if !count.holds {
            self.note_beyond(tables, i, &x, &mut count);
        }
        for age in count.from..=count.end {
            let issuer = self.window.at(self.window.aged(age)).issuer;
            if let Some(member) = self.members.get_mut(usize::from(issuer.0)) {
                member.flags &= !COUNTED;
            }
        }
        count.holds
    }

    /// After a count that failed: how much of what approves x could not be counted in any cone. While that stays above the slack, no other vertex
    /// can be z either, and none is walked from: a small window loses many approvals for good.
    fn note_beyond<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        i: usize,
        x: &Tracked,
        count: &mut Count,
    ) {
        // Where votes are counted instead of members, what is left bounds nothing.
        if !rules::on(Rule::Members) {
            return;
        }
        let [base, _] = x.second;
        let mut reached = count.sums;
        if !count.based {
            let [own, newest] = reached;
            reached = [own.saturating_add(base), newest];
        }
        let [own, _] = x.approval;
        let oldest = u32::try_from(self.window.len()).unwrap_or(u32::MAX);
        // The vertices that are not in this cone may make up for it, if each of them weighs as little as one: not worth a look.
        let [sum, _] = reached;
        let others = u64::from(oldest.saturating_sub(count.seen));
        if own.saturating_sub(sum.saturating_add(others)) <= u64::from(x.slack) {
            return;
        }
        for age in 0..oldest {
            let vertex = self.window.at(self.window.aged(age));
            if vertex.masks.seen & bit(i) != 0
                && let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0))
                && member.flags & COUNTED == 0
                && self.sets.get(vertex.issuer, Set::Second) & bit(i) == 0
            {
                member.flags |= COUNTED;
                reached = x.weigh(reached, tables, self.newest, vertex.issuer);
            }
        }
        count.from = 0;
        count.end = oldest.saturating_sub(1);
        let [reached, _] = reached;
        if let Some(x) = self.tracks.get_mut(i) {
            x.beyond = clamped(own.saturating_sub(reached));
        }
    }

    /// Every test of this room also holds the bound, and what is told without a walk, against the whole count.
    #[cfg(test)]
    fn assert_nothing_is_missed<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        slot: u16,
        i: usize,
        enough: bool,
    ) {
        let Some(x) = self.tracks.get(i).copied() else {
            return;
        };
        let before = x.beyond;
        let holds = self.holds_first_round(tables, slot, i);
        assert!(enough || !holds);
        let told = self.holds_by_recent(tables, slot, i, &x);
        assert!(told.is_none_or(|told| told == holds), "{told:?}");
        if let Some(x) = self.tracks.get_mut(i) {
            x.beyond = before;
        }
    }

    fn count_cone<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        slot: u16,
        i: usize,
        x: &Tracked,
        count: &mut Count,
    ) {
        let top = self.window.age(slot);
        let last = self
            .window
            .find(&x.id)
            .map_or(u32::MAX, |slot| self.window.age(slot));
        let (cone, known) = match self.window.recent_cone(slot) {
            Some(recent) => (recent.cone, RECENT),
            None => (1, 1),
        };
        let recent = |back: u32| top.saturating_add(back);
        for age in ones(cone).map(recent) {
            if count.holds || age > last {
                return;
            }
            self.counts(tables, age, i, x, count);
        }
        if count.holds {
            return;
        }
        self.marks.fill(0);
        let older = top.saturating_add(known);
        let mut left = 0u32;
        for age in ones(cone).map(recent) {
            left = left.saturating_add(self.window.mark_parents(self.marks, age, older));
        }
        let mut age = older;
        while left > 0 && !count.holds && age <= last {
            if marked(self.marks, self.window.aged(age)) {
                left = left
                    .saturating_sub(1)
                    .saturating_add(self.window.mark_parents(self.marks, age, older));
                self.counts(tables, age, i, x, count);
            }
            age = age.saturating_add(1);
        }
    }

    /// Counts the issuer of a vertex of the cone, once.
    #[inline]
    fn counts<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        age: u32,
        i: usize,
        x: &Tracked,
        count: &mut Count,
    ) {
        let Some(here) = self.window.here(age) else {
            return;
        };
        count.end = age;
        count.seen = count.seen.saturating_add(1);
        let vertex = self.window.at(here);
        if vertex.masks.approves(self.tracks.trims) & bit(i) != 0
            && vertex.flags & OPAQUE == 0
            && vertex.time <= x.limit(&self.policy)
            && let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0))
            && (member.flags & COUNTED == 0 || !rules::on(Rule::Members))
            && (!count.based || self.sets.get(vertex.issuer, Set::Second) & bit(i) == 0)
        {
            member.flags |= COUNTED;
            count.sums = x.weigh(count.sums, tables, self.newest, vertex.issuer);
            count.holds = x.passes(count.sums, tables, self.newest);
        }
    }

    /// The vertex in this slot is z for these: from here on `above` and `second` speak of it.
    fn found(&mut self, slot: u16, found: u64) {
        self.forget_base(found & self.tracks.gone);
        for i in bits(found) {
            if let Some(x) = self.tracks.get_mut(i) {
                x.flags |= FIRST_ROUND;
                x.second = [0; 2];
            }
        }
        self.tracks.waiting &= !found;
        self.tracks.found |= found;
        if let Some(masks) = self.window.masks_mut(slot) {
            masks.above |= found;
        }
        let vertex = self.window.at(slot);
        let issuer = vertex.issuer;
        if self.member(issuer).head() == vertex.id {
            self.sets.add(issuer, Set::Above, found);
        }
    }

    /// Counts the issuer of the vertex in this slot for every z below it, if it came in time. Returns the bits of what it added.
    pub(super) fn second_round<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16) -> u64 {
        let vertex = self.window.at(slot);
        let mut changed = 0;
        let counted = if rules::on(Rule::Members) {
            self.sets.get(vertex.issuer, Set::Second)
        } else {
            0
        };
        for i in bits(vertex.masks.above & self.tracks.found & !counted) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            if vertex.time <= x.limit(&self.policy) {
                changed |= bit(i);
                x.second = x.weigh(x.second, tables, self.newest, vertex.issuer);
            }
        }
        if changed != 0 {
            self.sets.add(vertex.issuer, Set::Second, changed);
        }
        changed
    }
}
