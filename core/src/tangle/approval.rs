//! What is tracked: which members approve it, and how final it is.
//!
//! A vertex approves x iff its past cone has x, no rival of x and no evidence against the issuer of x. *Seen*, *rival* and
//! *evident* are monotone along parents, so each vertex inherits them as masks, one bit per tracked transaction; what is
//! approved is not monotone and never inherited. Approval weight counts members, not vertices: spam adds nothing. The sums are
//! kept by two tables, that of x's epoch and the newest: both must pass.

use super::insert::{EVIDENCE, NONE};
use super::memory::{Masks, Member, Tracked, Vertex};
use super::model::{Change, Standing, Tables};
use super::sets::Set;
use super::tracks::{
    AUTO, CERTIFIED, DOUBTED, FIRST_ROUND, Interest, NEWS_CERTIFIED, NEWS_QUORUM, NEWS_WITNESSED,
    TRIM, UNSURE, VALUED, bit, bits,
};
use super::window::{OPAQUE, Window};
use super::{Tangle, TrackError};
use crate::MemberIndex;
use crate::rules::{self, Rule};
use core::hint::black_box;

/// Evidence against the member is in the DAG.
pub(super) const FROZEN: u8 = 1;
/// Two of its vertices exclude each other.
pub(super) const FORKED: u8 = 2;
/// It forked, and its newest vertex is off the chain of the table's head.
pub(super) const HEAD_OFF: u8 = 4;
/// It forked, and its chain head settled after its vertices were evicted: which branch it is on cannot be told here.
pub(super) const CHAIN_LOST: u8 = 8;
/// During one count: it was counted.
pub(super) const COUNTED: u8 = 64;

/// Who approves something that is tracked.
#[derive(Clone, Copy, Default)]
struct Counted {
    approval: [u64; 2],
    second: [u64; 2],
    witnesses: u16,
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
            let auto = self.tracks.get(i).is_some_and(|x| x.flags & AUTO != 0);
            if interest == Interest::Asked && auto && !self.tracks.has_room() {
                return Err(TrackError::Full);
            }
            if interest != Interest::Conflict
                && let Some(x) = self.tracks.get_mut(i)
            {
                x.flags &= !AUTO;
            }
            return Ok(());
        }
        if interest == Interest::Asked && !self.tracks.has_room() {
            return Err(TrackError::Full);
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
        if vertex.kind != NONE {
            x.flags |= VALUED;
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
            if self.member(vertex.issuer).head() == vertex.id {
                self.sets.add(vertex.issuer, Set::Seen, bit(i));
            }
        } else {
            self.recompute(i, slot);
        }
        if newest {
            self.approve(tables, slot, bit(i));
        } else {
            if let Some(x) = self.tracks.get_mut(i) {
                x.flags |= UNSURE;
            }
            self.count_approvals(tables, i);
        }
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
        // Who never forked has one chain, however much of it is below the cut and not here.
        let forked = self.member(x.issuer).flags & FORKED != 0;
        // A rival trim that was evicted is still tracked: whoever has seen it has its bit.
        let rivals = if x.is_trim() && rules::on(Rule::RivalTrims) {
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
            } else if forked && of_x(&vertex) {
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
            let rival_trim = rules::on(Rule::RivalTrims)
                && x.is_trim()
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
        for (m, member) in (0u16..).zip(self.members.iter()) {
            let m = MemberIndex(m);
            let old = self.sets.masks(m).without(bit);
            let head = self.window.at(member.slot);
            let masks = if member.number.0 > 0 && head.id == member.head() {
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
            self.sets.set_masks(m, masks);
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
        let Some(member) = self.members.get(usize::from(vertex.issuer.0)) else {
            return 0;
        };
        if vertex.flags & OPAQUE != 0 {
            return 0;
        }
        let mut changed = 0;
        let sequence = self.window.sequence(slot);
        let mut fresh = vertex.masks.approves(self.tracks.trims) & among;
        if rules::on(Rule::Members) {
            fresh &= !self.sets.get(vertex.issuer, Set::Approved);
        }
        for i in bits(fresh) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            if vertex.time > x.limit(&self.policy) {
                continue;
            }
            changed |= bit(i);
            let before = x.approval;
            x.approval = x.weigh(before, tables, self.newest, vertex.issuer);
            let counts = tables
                .weight(x.epoch, vertex.issuer)
                .is_some_and(|w| w.0 > 0);
            if counts && member.flags & FORKED == 0 {
                x.note_first(sequence);
            } else if x.approval != before {
                x.flags |= UNSURE;
            }
            if counts && vertex.issuer != x.issuer && Some(vertex.issuer) != self.own {
                x.witnesses = x.witnesses.saturating_add(1);
            }
            if x.waits(tables, self.newest) {
                self.tracks.waiting |= bit(i);
            }
        }
        if changed != 0 {
            self.sets.add(vertex.issuer, Set::Approved, changed);
        }
        changed
    }

    /// Raises what these slots have reached.
    pub(super) fn grade<T: Tables + ?Sized>(&mut self, tables: &T, among: u64) {
        for i in bits(among & self.tracks.used) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            let mut news = 0;
            let heard = x.witnesses >= self.policy.witnesses || !rules::on(Rule::Witnesses);
            if x.standing == Standing::Seen && heard {
                x.standing = Standing::Witnessed;
                news |= NEWS_WITNESSED;
            }
            let (standing, trim) = (x.standing, x.is_trim() && x.flags & CERTIFIED == 0);
            // Nothing in between: what one branch that is skipped lets through, the next one stops.
            if trim
                && standing != Standing::Dead
                && self.is_certified(tables, i)
                && self.is_certified_recounted(tables, black_box(i))
            {
                if let Some(x) = self.tracks.get_mut(i) {
                    x.flags |= CERTIFIED;
                }
                news |= NEWS_CERTIFIED;
            }
            if standing < Standing::Quorum
                && self.is_quorum(tables, i)
                && !(rules::on(Rule::Overtaken) && self.overtaken(i))
                && self.is_quorum_recounted(tables, black_box(i))
            {
                if let Some(x) = self.tracks.get_mut(i) {
                    x.standing = Standing::Quorum;
                }
                news |= NEWS_QUORUM;
            }
            if news != 0 {
                self.tracks.tell(i, news);
            }
        }
    }

    /// Whether two thirds approve this trim, by the sum that is kept.
    fn is_certified<T: Tables + ?Sized>(&self, tables: &T, i: usize) -> bool {
        self.tracks
            .get(i)
            .is_some_and(|x| x.flags & DOUBTED == 0 && x.passes(x.approval, tables, self.newest))
    }

    /// The same once more: see [`Self::is_quorum_recounted`].
    #[inline(never)]
    fn is_certified_recounted<T: Tables + ?Sized>(&self, tables: &T, i: usize) -> bool {
        let Counted { approval, .. } = self.recounted(tables, i);
        let counted = self
            .tracks
            .get(i)
            .is_some_and(|x| x.passes(approval, tables, self.newest));
        self.is_certified(tables, i) && (counted || !rules::on(Rule::Members))
    }

    /// Whether the sums and marks that are kept make it a `Quorum`.
    fn is_quorum<T: Tables + ?Sized>(&self, tables: &T, i: usize) -> bool {
        self.tracks.get(i).is_some_and(|x| {
            let counted = Counted {
                approval: x.approval,
                second: x.second,
                witnesses: x.witnesses,
            };
            self.makes_quorum(tables, x, &counted)
        })
    }

    /// The same once more, counted anew from the members' sets: what one skipped instruction put into a sum is not in them (decision 0030).
    #[inline(never)]
    fn is_quorum_recounted<T: Tables + ?Sized>(&self, tables: &T, i: usize) -> bool {
        // Where a member may be counted more than once, the sets do not tell how often.
        !rules::on(Rule::Members)
            || self.tracks.get(i).is_some_and(|x| {
                let counted = self.recounted(tables, i);
                x.passes(counted.approval, tables, self.newest)
                    && self.makes_quorum(tables, x, &counted)
            })
    }

    fn makes_quorum<T: Tables + ?Sized>(&self, tables: &T, x: &Tracked, counted: &Counted) -> bool {
        let heard = counted.witnesses >= self.policy.witnesses || !rules::on(Rule::Witnesses);
        x.flags & DOUBTED == 0
            && heard
            && if rules::on(Rule::TwoRounds) {
                x.flags & FIRST_ROUND != 0 && x.passes(counted.second, tables, self.newest)
            } else {
                x.passes(counted.approval, tables, self.newest)
            }
    }

    /// What the members' sets say of this slot.
    fn recounted<T: Tables + ?Sized>(&self, tables: &T, i: usize) -> Counted {
        let mut counted = Counted::default();
        let Some(x) = self.tracks.get(i) else {
            return counted;
        };
        for (m, _) in (0u16..).zip(self.members.iter()) {
            let m = MemberIndex(m);
            if self.sets.get(m, Set::Approved) & bit(i) != 0 {
                counted.approval = x.weigh(counted.approval, tables, self.newest, m);
                let weighs = tables.weight(x.epoch, m).is_some_and(|w| w.0 > 0);
                if weighs && m != x.issuer && Some(m) != self.own {
                    counted.witnesses = counted.witnesses.saturating_add(1);
                }
            }
            if self.sets.get(m, Set::Second) & bit(i) != 0 {
                counted.second = x.weigh(counted.second, tables, self.newest, m);
            }
        }
        counted
    }

    /// Whether a trim that is older than x, by time, is not in the cone of x. The next trim cuts at that trim's time or later, and by
    /// the one after it x would be of a void epoch: what lags so far behind may die whatever approves it, so it gets no Quorum here.
    fn overtaken(&self, i: usize) -> bool {
        let Some(x) = self.tracks.get(i).filter(|x| x.flags & FIRST_ROUND != 0) else {
            return false;
        };
        // It may have left the window long ago, and its track.
        let trims = self.trims.iter();
        trims
            .filter(|trim| trim.id != crate::Id::ZERO)
            .any(|trim| trim.time < x.time && trim.epoch > x.epoch)
    }

    /// Counts everything anew by the newest table, once it changed.
    pub(super) fn refresh<T: Tables + ?Sized>(&mut self, tables: &T) {
        let newest = tables.newest_settled().opens();
        if newest == self.newest {
            return;
        }
        self.newest = newest;
        self.judge_chains(tables);
        // A z was found by the old table; the new one must find its own. A base is of members, and weighed anew.
        let found = self.tracks.found;
        self.tracks.found = 0;
        self.tracks.waiting = 0;
        self.forget_base(found);
        self.base_is_empty(found & self.tracks.gone);
        for i in bits(self.tracks.used) {
            let counted = self.recounted(tables, i);
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            x.approval = counted.approval;
            x.second = counted.second;
            x.beyond = 0;
            x.flags &= !FIRST_ROUND;
            x.flags |= UNSURE;
            if x.waits(tables, newest) {
                self.tracks.waiting |= bit(i);
            }
        }
        self.grade(tables, self.tracks.used);
    }

    /// Frees a slot and clears its bit everywhere.
    pub(super) fn drop_track(&mut self, i: usize) {
        self.tracks.take(i);
        let bit = bit(i);
        for masks in self.window.every_masks() {
            *masks = masks.without(bit);
        }
        self.sets.forget(bit);
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
