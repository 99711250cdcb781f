//! Insertion, second half: what a vertex that passed every check changes.
//!
//! From here on nothing can fail: where the vertex lies among its issuer's, what it forks, what it makes room for, whom it
//! approves and what that grants.

use super::approval::{FORKED, FROZEN, HEAD_OFF};
use super::error::InsertError;
use super::insert::{First, hands_on};
use super::memory::{Masks, Vertex};
use super::model::{Change, Effect, Facts, Inserted, Tables};
use super::recent::RECENT;
use super::tracks::{DOUBTED, Interest, NEWS_EVICTED, bit, bits};
use super::window::{OFF_CHAIN, ON_HEAD, OPAQUE, UNCHECKED};
use super::{Tangle, TrimNote};
use crate::rules::{self, Rule};
use crate::{Id, MemberIndex};

/// Where a vertex lies among its issuer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On top of the newest one of the branch that was here first.
    Head,
    /// On top of another branch.
    Branch,
    /// Beside this one, on the same first parent.
    Beside(u16),
}

impl Tangle<'_> {
    /// Where the new vertex lies among its issuer's. O(1) for the honest, whose first parent is their newest vertex.
    pub(super) fn place(&self, facts: &Facts, first: First) -> Result<Place, InsertError> {
        let member = self.member(facts.issuer);
        let on_head = match first {
            First::Here(_) if facts.number.0 == 1 => member.highest.0 == 0,
            First::Here(slot) => self.window.at(slot).id == member.head(),
            First::Aged => true,
            First::Settled => facts.number > member.highest,
        };
        if on_head {
            return Ok(Place::Head);
        }
        let sibling = self.window.oldest_first().find(|&slot| {
            let vertex = self.window.at(slot);
            vertex.issuer == facts.issuer
                && vertex.number == facts.number
                && match (first, self.window.parent(slot, 0)) {
                    (First::Here(a), Some(b)) => a == b,
                    (First::Here(_), None) => false,
                    (_, parent) => parent.is_none(),
                }
        });
        match (sibling, first) {
            (Some(slot), _) => Ok(Place::Beside(slot)),
            // A child of its own issuer's vertex would be here, since it came after that.
            (None, First::Here(_)) if facts.number.0 > 1 => Ok(Place::Branch),
            _ => Err(InsertError::Unexplained),
        }
    }

    /// A trim that names the same predecessor.
    pub(super) fn rival_trim(&self, facts: &Facts) -> Option<Id> {
        let Effect::Trim { previous, .. } = facts.effect else {
            return None;
        };
        if !rules::on(Rule::RivalTrims) {
            return None;
        }
        let tracked = self
            .tracks
            .iter()
            .find(|(_, x)| x.is_trim() && x.previous == previous)
            .map(|(_, x)| x.id);
        tracked.or_else(|| {
            self.window
                .oldest_first()
                .find(|&slot| self.trim_terms(slot).is_some_and(|(_, p)| p == previous))
                .map(|slot| self.window.at(slot).id)
        })
    }

    /// From here on nothing can fail.
    pub(super) fn commit<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        mut vertex: Vertex,
        place: Place,
        rival_trim: Option<Id>,
    ) -> Inserted {
        self.refresh(tables);
        self.own_bits(facts, &mut vertex.masks);
        let before = self.member(facts.issuer);
        let contested = before.flags & (FORKED | FROZEN) != 0;
        let sibling = match place {
            Place::Beside(slot) => Some(self.window.at(slot).id),
            Place::Head | Place::Branch => None,
        };
        if let Effect::Trim { previous, .. } = facts.effect {
            self.trims.rotate_right(1);
            if let Some(note) = self.trims.first_mut() {
                *note = TrimNote {
                    id: facts.id,
                    previous,
                    time: facts.time,
                    epoch: hands_on(&vertex),
                };
            }
        }
        if contested || sibling.is_some() {
            let first = match vertex.parents.first() {
                _ if vertex.flags & ON_HEAD != 0 => First::Settled,
                Some(&slot) if vertex.absent & 1 == 0 => First::Here(slot),
                _ => First::Aged,
            };
            if self.off_chain(tables, facts, first) {
                vertex.flags |= OFF_CHAIN;
            }
        }
        let changed = self.evict(tables);
        if changed != 0 {
            let above = self.above(&vertex);
            vertex.masks.above = (vertex.masks.above & !changed) | (above & changed);
        }
        let slot = self.window.push(vertex);
        if self.window.lost_one() {
            let lost = self.window.sequence(slot).wrapping_sub(RECENT);
            self.tracks.lose(lost);
        }
        let handed_on = hands_on(&vertex);
        if let Some(member) = self.members.get_mut(usize::from(facts.issuer.0)) {
            if place == Place::Head {
                member.head = facts.id.0;
                member.number = facts.number;
                member.time = facts.time;
                member.debits = vertex.debits;
                member.epoch = handed_on;
                member.slot = slot;
                self.sets.set_masks(facts.issuer, vertex.masks);
                member.flags &= !HEAD_OFF;
                if vertex.flags & OFF_CHAIN != 0 {
                    member.flags |= HEAD_OFF;
                }
            }
            member.highest = member.highest.max(facts.number);
            if sibling.is_some() {
                member.flags |= FORKED;
                // Who has two chains may approve on the other what it approved before: it is not counted as missing.
                self.tracks.forget_firsts();
            }
        }
        if vertex.flags & OPAQUE != 0 {
            self.opaque = Some(self.window.sequence(slot));
            self.horizon = self.horizon.max(facts.time);
            for i in bits(self.tracks.used) {
                if let Some(x) = self.tracks.get_mut(i) {
                    x.flags |= DOUBTED;
                }
            }
        }
        if let Some(a) = sibling {
            self.changes.push(Change::Equivocation {
                offender: facts.issuer,
                a,
                b: facts.id,
            });
            // The first side may just have been evicted; both may lack a slot. Neither keeps the conflict from being told.
            if let Some(a) = self.window.find(&a) {
                let _ = self.track_slot(tables, a, Interest::Conflict, contested);
            }
            let _ = self.track_slot(tables, slot, Interest::Conflict, contested);
        }
        if let Some(a) = rival_trim {
            self.changes.push(Change::RivalTrims {
                offender: facts.issuer,
                a,
                b: facts.id,
            });
        }
        match facts.effect {
            Effect::Trim { .. } => {
                let _ = self.track_slot(tables, slot, Interest::Trim, contested);
            }
            Effect::Evidence { offender } if rules::on(Rule::Freeze) => self.freeze(offender),
            _ => {}
        }
        let used = self.tracks.used;
        let approved = self.approve(tables, slot, used);
        self.first_round(tables, slot);
        let second = self.second_round(tables, slot);
        self.grade(tables, approved | second);
        Inserted {
            sequence: self.window.sequence(slot),
            conflict: sibling.is_some() || rival_trim.is_some(),
            opaque: vertex.flags & OPAQUE != 0,
            unchecked: vertex.flags & UNCHECKED != 0,
        }
    }

    /// What the vertex itself adds to its cone's masks.
    fn own_bits(&self, facts: &Facts, masks: &mut Masks) {
        match facts.effect {
            Effect::Evidence { offender } if rules::on(Rule::Freeze) => {
                masks.evident |= self.tracks.which(|x| x.issuer == offender);
            }
            Effect::Trim { previous, .. } if rules::on(Rule::RivalTrims) => {
                masks.rival |= self.tracks.which(|x| x.is_trim() && x.previous == previous);
            }
            _ => {}
        }
        // A vertex conflicts with every one of its issuer that has the same or a higher number: it cannot be above it, and it
        // came too late to be below it. With a lower one it conflicts iff its first parent does, or is below that too.
        if facts.number <= self.member(facts.issuer).highest {
            masks.rival |= self
                .tracks
                .which(|x| x.issuer == facts.issuer && x.number >= facts.number);
        }
    }

    fn freeze(&mut self, offender: MemberIndex) {
        if let Some(member) = self.members.get_mut(usize::from(offender.0))
            && member.flags & FROZEN == 0
        {
            member.flags |= FROZEN;
            self.changes.push(Change::Frozen(offender));
        }
    }

    /// What the parents that are still here hand on of the bits `above`.
    fn above(&self, vertex: &Vertex) -> u64 {
        let parents = vertex
            .parents
            .iter()
            .take(usize::from(vertex.count))
            .enumerate();
        parents
            .filter(|&(i, _)| vertex.absent.wrapping_shr(i as u32) & 1 == 0)
            .filter(|&(_, &parent)| self.window.here(self.window.age(parent)).is_some())
            .fold(0, |above, (_, &parent)| {
                above | self.window.masks(parent).above
            })
    }

    /// Makes room by taking out the oldest vertex, and remembers how far back the window can see. Returns the tracked slots whose
    /// base changed.
    fn evict<T: Tables + ?Sized>(&mut self, tables: &T) -> u64 {
        let Some(slot) = self.window.to_evict() else {
            return 0;
        };
        let vertex = *self.window.at(slot);
        self.horizon = self.horizon.max(vertex.time);
        self.evicted = self.evicted.saturating_add(1);
        // Only what is in its own cone by a tracked bit can be tracked.
        let tracked = bits(vertex.masks.seen & !self.tracks.gone)
            .find(|&i| self.tracks.get(i).is_some_and(|x| x.id == vertex.id));
        let gone = tracked.map_or(0, bit);
        if let Some(i) = tracked {
            self.tracks.gone |= gone;
            self.tracks.tell(i, NEWS_EVICTED);
        }
        let changed = if self.tracks.gone != 0 {
            self.move_to_base(tables, slot, gone)
        } else {
            0
        };
        self.window.evict();
        changed
    }
}
