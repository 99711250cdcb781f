//! Trims: whether one is valid, what it decides, and the new genesis G0.
//!
//! A trim claims a cut c and its predecessor, nothing else. Done is every vertex of its cone with previous c < time <= c; a
//! vertex lives iff members with 3 w > 2 W approve it within the cone, or one of its issuer's later vertices on the same chain
//! lives. Only vertices above the previous cut are looked at (times fall along parents, so a cone above a cut is closed), which
//! is what a device still holds after pruning. So the outcome is a pure function of that part of the cone and the tables.

use super::approval::{CHAIN_LOST, FORKED, mark, mark_parents, marked};
use super::error::{TrimError, VoidTrim};
use super::insert::{EVIDENCE, TRIM};
use super::memory::{Scratch, Work};
use super::model::{Effect, Facts, Outcome, Tables, Verdict};
use super::tracks::{bit, bits, two_thirds};
use super::window::{OFF_CHAIN, ON_HEAD, OPAQUE, UNCHECKED};
use super::{Id, Tangle};
use crate::rules::{self, Rule};
use crate::{Epoch, HeaderNumber, MemberIndex, Millis};

/// A member state during one walk: it has a vertex later than c + T/2.
const FRESH: u8 = 16;
/// A member state during one walk: it approves the predecessor.
const APPROVES: u8 = 32;

/// In the cone, above the previous cut.
const IN_CONE: u32 = 1;
/// At or below the cut.
const IN_DONE: u32 = 2;
/// Its chain reaches the chain head of the table.
const ON_CHAIN: u32 = 4;
const LIVES: u32 = 8;

fn epoch_before(epoch: Epoch) -> Epoch {
    epoch.saturating_sub(1)
}

/// The oldest epoch that is not void for a trim of this epoch: the one before it. (Not before that of the header which the trim names:
/// vertices between the last cut and the trim of that cut know only the header before, and they fall to the next trim.)
fn living_since(trim: Epoch) -> Epoch {
    epoch_before(trim)
}

/// Weight of a member by one table; 0 where the table is not held.
fn weight<T: Tables + ?Sized>(tables: &T, epoch: Epoch, member: MemberIndex) -> u64 {
    tables
        .weight(epoch, member)
        .map_or(0, |weight| u64::from(weight.0))
}

/// The trim that a trim names, as far as it is known here.
struct Previous {
    cut: Millis,
    /// In the window.
    slot: Option<u16>,
    /// The genesis, which stands as trim 0 and needs no certificate.
    genesis: bool,
}

impl Tangle<'_> {
    fn find_previous<T: Tables + ?Sized>(&self, tables: &T, id: &Id) -> Option<Previous> {
        let newest = tables.newest_settled();
        let settled = [0, 1, 2]
            .into_iter()
            .filter_map(|back| newest.checked_sub(back))
            .filter_map(|header: HeaderNumber| Some((header, tables.settled_trim(header)?)))
            .find(|(_, settled)| settled.trim == *id);
        let slot = self
            .window
            .find(id)
            .filter(|&slot| self.window.at(slot).kind == TRIM);
        let tracked = self.tracked(id).filter(|x| x.is_trim());
        let cut = settled
            .map(|(_, settled)| settled.cut)
            .or_else(|| slot.map(|slot| Millis(self.window.at(slot).value)))
            .or_else(|| tracked.map(|x| x.cut))?;
        Some(Previous {
            cut,
            slot,
            genesis: settled.is_some_and(|(header, _)| header.0 == 0),
        })
    }

    /// Checks a trim that stands on these slots. `Ok(false)`: too much was evicted to tell.
    pub(super) fn check_trim<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        parents: &[u16],
    ) -> Result<bool, VoidTrim> {
        let Effect::Trim {
            cut,
            previous: previous_id,
            header,
        } = facts.effect
        else {
            return Ok(true);
        };
        if cut >= facts.time {
            return Err(VoidTrim::Cut);
        }
        let Some(previous) = self.find_previous(tables, &previous_id) else {
            // It may have been here once.
            return if self.horizon == Millis(0) {
                Err(VoidTrim::Previous)
            } else {
                Ok(false)
            };
        };
        if cut <= previous.cut {
            return Err(VoidTrim::Cut);
        }
        let prior = previous.slot.map(|slot| *self.window.at(slot));
        // Who has not seen the predecessor yet when it is that old issues in an epoch that would be void by the next trim.
        if prior.is_some_and(|trim| cut < trim.time) && rules::on(Rule::CertifiedByCut) {
            return Err(VoidTrim::Cut);
        }
        let prior_bit = self.tracks.find(&previous_id).map_or(0, bit);
        let prior_epoch = prior.map_or(Epoch(0), |trim| trim.epoch);
        let newest = header.opens();
        // Who approves something of this epoch that is above the cut shares an honest member with those who approved the predecessor by then: so no
        // view that lacks the predecessor, withheld by its issuer, grants Quorum to what this trim's successor would find void (decision 0015).
        let by = if rules::on(Rule::CertifiedByCut) {
            cut
        } else {
            Millis(u64::MAX)
        };
        let late = cut.saturating_add(self.policy.half_period().0);
        // The tables that can be named in its Done: see `living_since`.
        let fresh_tables = [
            newest,
            epoch_before(newest),
            epoch_before(epoch_before(newest)),
        ];
        let mut fresh = [0u64; 3];
        let mut named = [true, false, false];
        let mut approving = [0u64; 2];
        let count = |members: &mut [super::Member],
                     member: MemberIndex,
                     flag: u8,
                     sums: &mut [u64],
                     epochs: &[Epoch]| {
            if let Some(state) = members.get_mut(usize::from(member.0))
                && state.flags & flag == 0
            {
                state.flags |= flag;
                for (sum, epoch) in sums.iter_mut().zip(epochs) {
                    *sum = sum.saturating_add(weight(tables, *epoch, member));
                }
            }
        };
        for member in self.members.iter_mut() {
            member.flags &= !(FRESH | APPROVES);
        }
        if facts.time > late {
            count(self.members, facts.issuer, FRESH, &mut fresh, &fresh_tables);
        }
        self.marks.fill(0);
        for &parent in parents {
            mark(self.marks, parent);
        }
        for slot in self.window.newest_first() {
            let vertex = self.window.at(slot);
            if !marked(self.marks, slot) || vertex.time <= previous.cut {
                continue;
            }
            mark_parents(&self.window, self.marks, slot);
            if vertex.time > late {
                count(
                    self.members,
                    vertex.issuer,
                    FRESH,
                    &mut fresh,
                    &fresh_tables,
                );
            }
            if vertex.time <= cut && vertex.epoch >= living_since(facts.epoch) {
                for (named, epoch) in named.iter_mut().zip(fresh_tables) {
                    *named |= vertex.epoch == epoch;
                }
            }
            let approves = vertex.masks.approves(self.tracks.trims) & prior_bit != 0;
            if approves && vertex.time <= by && vertex.flags & OPAQUE == 0 {
                let tables = [prior_epoch, newest];
                count(
                    self.members,
                    vertex.issuer,
                    APPROVES,
                    &mut approving,
                    &tables,
                );
            }
        }
        let mut complete = true;
        // At and below the newest settled cut stubs stand in for what was there, after a reset: a cone may end at them.
        let settled = tables.settled_trim(tables.newest_settled());
        let stubs = settled.map_or(Millis(0), |settled| settled.cut);
        if let (Some(prior), Some(slot)) = (prior, previous.slot) {
            let gap = self.horizon >= prior.time || prior.time <= stubs;
            if !marked(self.marks, slot) {
                if !gap {
                    return Err(VoidTrim::Previous);
                }
                complete = false;
            } else {
                let [own, new] = approving;
                let certified = two_thirds(own, tables.total(prior_epoch))
                    && (newest <= prior_epoch || two_thirds(new, tables.total(newest)));
                if !certified && rules::on(Rule::Certified) {
                    // By a table that is gone here, as for a latecomer, nothing can be said.
                    let held =
                        tables.total(prior_epoch).is_some() && tables.total(newest).is_some();
                    if !gap && prior_bit != 0 && held {
                        return Err(VoidTrim::PreviousUncertified);
                    }
                    complete = false;
                }
            }
        } else if !previous.genesis {
            complete = false;
        }
        for ((sum, epoch), named) in fresh.into_iter().zip(fresh_tables).zip(named) {
            if !named {
                continue;
            }
            let total = tables.total(epoch);
            if !two_thirds(sum, total) && rules::on(Rule::Fresh) {
                // By a table that is gone here, as for a latecomer, nothing can be said.
                if self.horizon <= late && stubs <= late && total.is_some() {
                    return Err(VoidTrim::Stale);
                }
                complete = false;
            }
        }
        Ok(complete)
    }

    /// Evaluates a trim: Done, who lives, G0. Tells every vertex of Done in (time, id) order, which is topological: the
    /// order of settlement. `tables` must be those after the previous trim's header (its chain heads are where chains begin).
    ///
    /// # Errors
    /// See [`TrimError`]; `out` has been called for nothing then.
    pub fn evaluate<T: Tables + ?Sized>(
        &self,
        trim: &Id,
        tables: &T,
        scratch: &mut Scratch<'_>,
        mut out: impl FnMut(&Verdict),
    ) -> Result<Outcome, TrimError> {
        let capacity = self.window.capacity();
        if scratch.work.len() < capacity
            || scratch.order.len() < self.window.len()
            || scratch.members.len() < self.members.len()
        {
            return Err(TrimError::Scratch);
        }
        let top = self.window.find(trim).ok_or(TrimError::NotHere)?;
        let (cut, previous) = self.trim_terms(top).ok_or(TrimError::NotTrim)?;
        let vertex = *self.window.at(top);
        let before = tables
            .settled_trim(tables.newest_settled())
            .filter(|settled| settled.trim == previous)
            .ok_or(TrimError::Tables)?;
        if vertex.flags & UNCHECKED != 0 || self.horizon > before.cut {
            return Err(TrimError::Truncated);
        }
        let newest = HeaderNumber(vertex.other).opens();
        let done = self.cone_of(top, before.cut, cut, scratch);
        let order = scratch.order.get_mut(..done).unwrap_or(&mut []);
        self.sort(order);
        let order = &*order;
        let needs = |epoch: Epoch| {
            tables
                .total(epoch)
                .is_some()
                .then_some(())
                .ok_or(TrimError::Tables)
        };
        needs(newest)?;
        for &slot in order {
            let (epoch, issuer) = (self.window.at(slot).epoch, self.window.at(slot).issuer);
            if epoch >= living_since(vertex.epoch) || !rules::on(Rule::Void) {
                needs(epoch)?;
            }
            // Its chain head and whether it is frozen decide.
            if !tables.holds(newest, issuer) {
                return Err(TrimError::Tables);
            }
        }
        for (place, &slot) in (0u32..).zip(order) {
            let on_chain = self.on_chain(tables, slot, scratch.work)?;
            if let Some(work) = scratch.work.get_mut(usize::from(slot)) {
                work.weight = place;
                if on_chain {
                    work.flags |= ON_CHAIN;
                }
            }
        }
        for block in order.chunks(64) {
            let first = block
                .first()
                .and_then(|&slot| scratch.work.get(usize::from(slot)))
                .map_or(0, |work| work.weight);
            let epochs = [living_since(vertex.epoch), newest];
            self.weigh_block(tables, epochs, first, block, scratch.work, scratch.members);
        }
        Ok(self.conclude(
            &vertex,
            previous,
            before.cut,
            newest,
            order,
            scratch.work,
            &mut out,
        ))
    }

    /// Flags the cone of a slot above the previous cut, puts its Done in `order`, and returns how many there are.
    fn cone_of(&self, top: u16, previous: Millis, cut: Millis, scratch: &mut Scratch<'_>) -> usize {
        for work in scratch.work.iter_mut() {
            *work = Work::default();
        }
        if let Some(work) = scratch.work.get_mut(usize::from(top)) {
            work.flags = IN_CONE;
        }
        let mut done = 0usize;
        for slot in self.window.newest_first() {
            let Some(work) = scratch.work.get_mut(usize::from(slot)) else {
                continue;
            };
            if work.flags & IN_CONE == 0 {
                continue;
            }
            if self.window.at(slot).time <= cut {
                work.flags |= IN_DONE;
                if let Some(place) = scratch.order.get_mut(done) {
                    *place = slot;
                    done = done.wrapping_add(1);
                }
            }
            for parent in self.window.parents(slot) {
                if self.window.at(parent).time > previous
                    && let Some(work) = scratch.work.get_mut(usize::from(parent))
                {
                    work.flags |= IN_CONE;
                }
            }
        }
        done
    }

    /// Whether the chain of a vertex of Done goes down to its issuer's chain head in the table. Those below it were asked before.
    fn on_chain<T: Tables + ?Sized>(
        &self,
        tables: &T,
        slot: u16,
        work: &[Work],
    ) -> Result<bool, TrimError> {
        let issuer = self.window.at(slot).issuer;
        if !rules::on(Rule::ChainHead) {
            return Ok(true);
        }
        let Some(head) = tables.head(issuer) else {
            return Ok(false);
        };
        let mut here = slot;
        loop {
            let vertex = self.window.at(here);
            if vertex.number <= head.number {
                return Ok(false);
            }
            let below = self.window.parent(here, 0);
            if head.number.checked_add(1) == Some(vertex.number) {
                if let Some(below) = below {
                    return Ok(self.window.at(below).id == head.id);
                }
                if vertex.flags & ON_HEAD != 0 {
                    return Ok(true);
                }
            }
            match below {
                Some(below) => {
                    let flags = work.get(usize::from(below)).map_or(0, |work| work.flags);
                    if flags & IN_DONE != 0 {
                        return Ok(flags & ON_CHAIN != 0);
                    }
                    here = below;
                }
                // Evicted. A member that never forked has one chain, and the head is on it.
                None if self.member(issuer).flags & FORKED == 0 => return Ok(true),
                // Of one that did, every branch was judged when the head settled.
                None if self.member(issuer).flags & CHAIN_LOST == 0
                    && self.newest == tables.newest_settled().opens() =>
                {
                    return Ok(vertex.flags & OFF_CHAIN == 0);
                }
                None => return Err(TrimError::Truncated),
            }
        }
    }

    /// Counts the approval weight of 64 vertices of Done within the cone, by one sweep from the oldest to the newest.
    /// `a`: seen, `b`: a rival or evidence is in the cone, `c`: those of the block that the vertex is below, on their chain.
    fn weigh_block<T: Tables + ?Sized>(
        &self,
        tables: &T,
        [oldest, newest]: [Epoch; 2],
        first: u32,
        block: &[u16],
        work: &mut [Work],
        members: &mut [u64],
    ) {
        members.fill(0);
        let (mut trims, mut forked) = (0u64, 0u64);
        for (i, &slot) in block.iter().enumerate() {
            let x = self.window.at(slot);
            if x.kind == TRIM {
                trims |= bit(i);
            }
            if self.member(x.issuer).flags & FORKED != 0 {
                forked |= bit(i);
            }
        }
        let place = |work: &Work| {
            let place = work.weight.wrapping_sub(first);
            if work.flags & IN_DONE != 0 && place < 64 {
                bit(place as usize)
            } else {
                0
            }
        };
        for work in work.iter_mut() {
            work.a = 0;
            work.b = 0;
            work.c = 0;
        }
        if forked != 0 {
            for slot in self.window.newest_first() {
                let Some(here) = work.get_mut(usize::from(slot)) else {
                    continue;
                };
                if here.flags & IN_CONE == 0 {
                    continue;
                }
                here.c |= place(here) & forked;
                let above = here.c;
                if above != 0
                    && let Some(below) = self.window.parent(slot, 0)
                    && self.window.at(below).issuer == self.window.at(slot).issuer
                    && let Some(work) = work.get_mut(usize::from(below))
                {
                    work.c |= above;
                }
            }
        }
        let mut sums = [[0u64; 2]; 64];
        for slot in self.window.oldest_first() {
            let flags = work.get(usize::from(slot)).map_or(0, |work| work.flags);
            if flags & IN_CONE == 0 {
                continue;
            }
            let vertex = self.window.at(slot);
            let (mut seen, mut against) = (0u64, 0u64);
            for parent in self.window.parents(slot) {
                if let Some(work) = work.get(usize::from(parent))
                    && work.flags & IN_CONE != 0
                {
                    seen |= work.a;
                    against |= work.b;
                }
            }
            let below = work.get(usize::from(slot)).map_or(0, |work| work.c);
            let based = self.window.parent(slot, 0).is_some_and(|parent| {
                work.get(usize::from(parent))
                    .is_some_and(|work| work.flags & IN_CONE != 0)
            });
            against |= self.adds_against(slot, block, forked, trims, below, based);
            if let Some(here) = work.get_mut(usize::from(slot)) {
                seen |= place(here);
                here.a = seen;
                here.b = against;
            }
            let Some(member) = members.get_mut(usize::from(vertex.issuer.0)) else {
                continue;
            };
            if vertex.flags & OPAQUE != 0 {
                continue;
            }
            if !rules::on(Rule::Rivals) {
                against = 0;
            }
            for i in bits(seen & !against & !*member) {
                let (Some(&x), Some(sums)) = (block.get(i), sums.get_mut(i)) else {
                    continue;
                };
                let x = self.window.at(x);
                let limit = x.time.saturating_add(self.policy.half_period().0);
                if vertex.time > limit && x.kind != TRIM && rules::on(Rule::TimeLimit) {
                    continue;
                }
                *member |= bit(i);
                for (sum, epoch) in sums.iter_mut().zip([x.epoch, newest]) {
                    *sum = sum.saturating_add(weight(tables, epoch, vertex.issuer));
                }
            }
        }
        for (&slot, [own, new]) in block.iter().zip(sums) {
            let x = self.window.at(slot);
            let Some(work) = work.get_mut(usize::from(slot)) else {
                continue;
            };
            work.value = new;
            let lives = work.flags & ON_CHAIN != 0
                && self.may_live(tables, slot, oldest)
                && (two_thirds(own, tables.total(x.epoch))
                    && two_thirds(new, tables.total(newest))
                    || !rules::on(Rule::Lives));
            if lives {
                work.flags |= LIVES;
            }
        }
    }

    /// Not of a void epoch (older than the one before the trim's), and not issued by a member that the table holds frozen.
    fn may_live<T: Tables + ?Sized>(&self, tables: &T, slot: u16, oldest: Epoch) -> bool {
        let x = self.window.at(slot);
        (x.epoch >= oldest || !rules::on(Rule::Void)) && !tables.frozen(x.issuer)
    }

    /// The bits of the block that a vertex itself rivals or proves against.
    fn adds_against(
        &self,
        slot: u16,
        block: &[u16],
        forked: u64,
        trims: u64,
        below: u64,
        based: bool,
    ) -> u64 {
        let vertex = self.window.at(slot);
        let mut against = 0;
        if forked != 0 && self.member(vertex.issuer).flags & FORKED != 0 {
            for i in bits(forked & !below) {
                let Some(&x) = block.get(i) else {
                    continue;
                };
                let x = self.window.at(x);
                // With a higher number it is above x, or its first parent conflicts as well, or that lies under the previous cut.
                if x.issuer == vertex.issuer && (vertex.number <= x.number || !based) {
                    against |= bit(i);
                }
            }
        }
        if vertex.kind == EVIDENCE && rules::on(Rule::Freeze) {
            for (i, &x) in block.iter().enumerate() {
                let x = self.window.at(x);
                if u32::from(x.issuer.0) == vertex.other && x.kind != TRIM {
                    against |= bit(i);
                }
            }
        }
        if vertex.kind == TRIM && rules::on(Rule::RivalTrims) {
            let named = self.trim_terms(slot).map(|(_, previous)| previous);
            for i in bits(trims) {
                if let Some(&x) = block.get(i)
                    && x != slot
                    && self.trim_terms(x).map(|(_, previous)| previous) == named
                {
                    against |= bit(i);
                }
            }
        }
        against
    }

    /// Hands life down the chains, finds G0 and tells the verdicts.
    #[allow(clippy::too_many_arguments)]
    fn conclude(
        &self,
        trim: &super::Vertex,
        previous: Id,
        previous_cut: Millis,
        newest: Epoch,
        order: &[u16],
        work: &mut [Work],
        out: &mut impl FnMut(&Verdict),
    ) -> Outcome {
        let flags_of =
            |work: &[Work], slot: u16| work.get(usize::from(slot)).map_or(0, |work| work.flags);
        for &slot in order.iter().rev() {
            let alive = flags_of(work, slot) & LIVES != 0;
            if let Some(below) = self.window.parent(slot, 0)
                && alive
                && self.window.at(below).issuer == self.window.at(slot).issuer
                && flags_of(work, below) & IN_DONE != 0
                && self.window.at(below).epoch >= living_since(trim.epoch)
                && let Some(work) = work.get_mut(usize::from(below))
            {
                work.flags |= LIVES;
            }
        }
        let mut outcome = Outcome {
            trim: trim.id,
            previous,
            previous_cut,
            cut: Millis(trim.value),
            epoch: newest,
            done: 0,
            living: 0,
            g0: None,
        };
        let mut best = 0u64;
        for &slot in order {
            let lives = flags_of(work, slot) & LIVES != 0;
            let approval = work.get(usize::from(slot)).map_or(0, |work| work.value);
            outcome.done = outcome.done.saturating_add(1);
            if lives {
                outcome.living = outcome.living.saturating_add(1);
                // In (time, id) order: a later time wins a tie, and of equal times the lower id, which came first.
                let later = outcome
                    .g0
                    .and_then(|id| self.window.find(&id))
                    .is_none_or(|g0| self.window.at(slot).time > self.window.at(g0).time);
                if outcome.g0.is_none() || approval > best || (approval == best && later) {
                    best = approval;
                    outcome.g0 = Some(self.window.at(slot).id);
                }
            }
            out(&Verdict {
                facts: self.facts(slot),
                lives,
                approval,
            });
        }
        outcome
    }
}
