//! Insertion: every check first, then every change.
//!
//! Validity is a function of the vertex and its parents only (protocol section 3); the local clock has no say. What a
//! refused vertex was refused for is told exactly, and nothing has changed then.

use super::approval::{DOUBTED, FORKED, FROZEN, Interest, NEWS_EVICTED, bits};
use super::error::{InsertError, VoidTrim};
use super::memory::{Masks, Vertex};
use super::model::{Change, Effect, Facts, Head, Inserted, Stubs, Tables};
use super::window::{ON_HEAD, OPAQUE, PREVIOUS, UNCHECKED};
use super::{Tangle, TrimNote};
use crate::{Amount, Epoch, HeaderNumber, Id, MAX_PARENTS, MemberIndex, Millis};

/// Kinds of a stored vertex.
const NONE: u8 = 0;
const TRANSFER: u8 = 1;
const EXIT: u8 = 2;
pub(super) const TRIM: u8 = 3;
pub(super) const EVIDENCE: u8 = 4;
const MEMBER: u8 = 5;
const JOIN: u8 = 6;

/// Where the first parent was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// In the window.
    Here(u16),
    /// It is the issuer's newest vertex, evicted by count: the issuer's state stands in for it.
    Aged,
    /// It is the chain head of the table.
    Settled,
}

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

/// What a vertex's parents say.
#[derive(Clone, Copy, Debug)]
struct Below {
    first: First,
    slots: [u16; MAX_PARENTS],
    absent: u8,
    masks: Masks,
    /// D of the chain below.
    debits: Amount,
    /// Greatest epoch that the known parents hand on, and whether all are known.
    epoch: Epoch,
    epoch_known: bool,
    opaque: bool,
}

/// The epoch that a vertex hands on to its children.
pub(super) fn hands_on(vertex: &Vertex) -> Epoch {
    if vertex.kind == TRIM {
        vertex.epoch.max(HeaderNumber(vertex.other).opens())
    } else {
        vertex.epoch
    }
}

impl Tangle<'_> {
    /// Inserts a vertex whose signature was verified over `parents`, the full ids in transaction order (first parent first).
    ///
    /// # Errors
    /// Every refusal has its own error, and nothing changes.
    pub fn insert<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        parents: &[Id],
        stubs: Stubs,
    ) -> Result<Inserted, InsertError> {
        let (vertex, place, rival_trim) = self.prepare(tables, facts, parents, stubs)?;
        Ok(self.commit(tables, facts, vertex, place, rival_trim))
    }

    /// Every check of an insertion, and the vertex that it would make.
    pub(super) fn prepare<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        parents: &[Id],
        stubs: Stubs,
    ) -> Result<(Vertex, Place, Option<Id>), InsertError> {
        if !self.changes.has_room() {
            return Err(InsertError::Busy);
        }
        self.check_new(facts, parents)?;
        self.check_issuer(tables, facts)?;
        let below = self.check_parents(tables, facts, parents, stubs)?;
        if facts.epoch < below.epoch || (below.epoch_known && facts.epoch != below.epoch) {
            return Err(InsertError::EpochMismatch);
        }
        let mut vertex = Vertex {
            id: facts.id,
            time: facts.time,
            debits: below.debits,
            masks: below.masks,
            parents: below.slots,
            number: facts.number,
            epoch: facts.epoch,
            issuer: facts.issuer,
            count: u8::try_from(parents.len()).unwrap_or(0),
            absent: below.absent,
            ..Vertex::EMPTY
        };
        if below.opaque {
            vertex.flags |= OPAQUE;
        }
        if below.first == First::Settled {
            vertex.flags |= ON_HEAD;
        }
        self.check_effect(tables, facts, &below, parents.len(), &mut vertex)?;
        let place = self.place(facts, below.first)?;
        let rival_trim = self.rival_trim(facts);
        Ok((vertex, place, rival_trim))
    }

    /// Not here yet, and well formed.
    fn check_new(&self, facts: &Facts, parents: &[Id]) -> Result<(), InsertError> {
        if parents.is_empty() || parents.len() > MAX_PARENTS {
            return Err(InsertError::ParentCount);
        }
        let member = self.member(facts.issuer);
        let known = self.window.find(&facts.id).is_some()
            || (member.number.0 > 0 && member.head == facts.id)
            || self.tracks.holds_gone(&facts.id);
        if known {
            return Err(InsertError::Duplicate);
        }
        let doubled = parents
            .iter()
            .enumerate()
            .any(|(i, a)| parents.iter().take(i).any(|b| a == b));
        if doubled {
            return Err(InsertError::ParentsDoubled);
        }
        Ok(())
    }

    /// Its epoch is one that we know, and its issuer a member then. An epoch whose table is gone but whose clock is not
    /// may still be placed: it has no effect, and does no harm to what stands on it.
    fn check_issuer<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
    ) -> Result<(), InsertError> {
        if facts.epoch > tables.newest_settled().opens() {
            return Err(InsertError::EpochUnknown);
        }
        if tables.clock_start(facts.epoch).is_none() {
            return Err(InsertError::EpochVoid);
        }
        let enrolled = if tables.total(facts.epoch).is_some() {
            tables.weight(facts.epoch, facts.issuer).is_some()
        } else {
            tables.head(facts.issuer).is_some()
        };
        if !enrolled || usize::from(facts.issuer.0) >= self.members.len() {
            return Err(InsertError::UnknownIssuer);
        }
        Ok(())
    }

    fn check_parents<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
        parents: &[Id],
        stubs: Stubs,
    ) -> Result<Below, InsertError> {
        let mut below = Below {
            first: First::Settled,
            slots: [0; MAX_PARENTS],
            absent: 0,
            masks: Masks::default(),
            debits: Amount(0),
            epoch: Epoch(1),
            epoch_known: true,
            opaque: false,
        };
        let mut unknown = 0u8;
        for (position, id) in (0u8..).zip(parents) {
            let bit = 1u8.wrapping_shl(u32::from(position));
            let Some(slot) = self.window.find(id) else {
                if position == 0 {
                    match self.absent_first(tables, facts, id)? {
                        Some(first) => self.stand_in(tables, facts, first, &mut below)?,
                        None => unknown |= bit,
                    }
                } else if stubs.settled & bit != 0 {
                    below.epoch_known = false;
                } else if stubs.aged & bit != 0 {
                    below.epoch_known = false;
                    below.opaque = true;
                } else {
                    unknown |= bit;
                }
                below.absent |= bit;
                continue;
            };
            let parent = self.window.at(slot);
            if position == 0 {
                below.first = First::Here(slot);
                if facts.number.0 == 1 {
                    let head = tables
                        .head(facts.issuer)
                        .ok_or(InsertError::UnknownIssuer)?;
                    if head.number.0 != 0 {
                        return Err(InsertError::Unexplained);
                    }
                    if head.id != *id {
                        return Err(InsertError::ParentOffChain);
                    }
                } else if parent.issuer != facts.issuer {
                    return Err(InsertError::ParentOffChain);
                } else if parent.number.checked_add(1) != Some(facts.number) {
                    return Err(InsertError::NumberGap);
                } else {
                    below.debits = parent.debits;
                }
            }
            if facts.time <= parent.time {
                return Err(InsertError::TimeNotAboveParent(position));
            }
            let oldest = parent.time.saturating_add(self.policy.max_parent_age.0);
            if position > 0 && facts.time > oldest {
                return Err(InsertError::ParentTooOld(position));
            }
            if let Some(place) = below.slots.get_mut(usize::from(position)) {
                *place = slot;
            }
            below.masks = below.masks.join(parent.masks);
            below.epoch = below.epoch.max(hands_on(parent));
        }
        if unknown != 0 {
            return Err(InsertError::UnknownParents(unknown));
        }
        Ok(below)
    }

    /// Finds what stands in for a first parent that is not here; `None`: it is unknown.
    fn absent_first<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
        id: &Id,
    ) -> Result<Option<First>, InsertError> {
        let member = self.member(facts.issuer);
        if member.number.0 > 0 && member.head == *id {
            if member.number.checked_add(1) != Some(facts.number) {
                return Err(InsertError::NumberGap);
            }
            return Ok(Some(First::Aged));
        }
        let head = tables
            .head(facts.issuer)
            .ok_or(InsertError::UnknownIssuer)?;
        if head.id == *id {
            if head.number.checked_add(1) != Some(facts.number) {
                return Err(InsertError::NumberGap);
            }
            return Ok(Some(First::Settled));
        }
        if facts.number.0 == 0 {
            return Err(InsertError::NumberGap);
        }
        if facts.number <= member.highest.max(head.number) {
            return Err(InsertError::Unexplained);
        }
        Ok(None)
    }

    /// Takes over what is known of a first parent that is not here.
    fn stand_in<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
        first: First,
        below: &mut Below,
    ) -> Result<(), InsertError> {
        below.first = first;
        match first {
            First::Here(_) => {}
            First::Aged => {
                let member = self.member(facts.issuer);
                if facts.time <= member.time {
                    return Err(InsertError::TimeNotAboveParent(0));
                }
                below.debits = member.debits;
                below.masks = below.masks.join(member.masks);
                below.epoch = below.epoch.max(member.epoch);
            }
            First::Settled => {
                below.debits = tables
                    .head(facts.issuer)
                    .map_or(Amount(0), |head: Head| head.debits);
                // The genesis hands on epoch 1; any other chain head was never here, or is long gone.
                let header = tables.newest_settled();
                below.epoch_known = below.epoch_known && header.0 == 0;
                // Its cone may hold the rival of something at or below the cut.
                let cut = tables.settled_trim(header).map_or(Millis(0), |c| c.cut);
                let doubtful = self.tracks.which(|x| {
                    x.time <= cut && self.member(x.issuer).flags & (FORKED | FROZEN) != 0
                });
                if header.0 > 0 {
                    below.masks.rival |= doubtful;
                }
            }
        }
        Ok(())
    }

    /// The effect is allowed; stores it in the vertex.
    fn check_effect<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        below: &Below,
        parents: usize,
        vertex: &mut Vertex,
    ) -> Result<(), InsertError> {
        let by_gl_node = tables.gl_node(facts.epoch) == Some(facts.issuer);
        match facts.effect {
            Effect::None => vertex.kind = NONE,
            Effect::Member => vertex.kind = MEMBER,
            Effect::Join => {
                if !by_gl_node {
                    return Err(InsertError::NotGlNode);
                }
                vertex.kind = JOIN;
            }
            Effect::Transfer { to, amount, debits } => {
                self.check_debits(tables, facts, below.debits, amount, debits)?;
                vertex.kind = TRANSFER;
                vertex.value = amount.0;
                vertex.other = u32::from(to.0);
                vertex.debits = debits;
            }
            Effect::Exit { amount, debits } => {
                self.check_debits(tables, facts, below.debits, amount, debits)?;
                vertex.kind = EXIT;
                vertex.value = amount.0;
                vertex.debits = debits;
            }
            Effect::Evidence { offender } => {
                if usize::from(offender.0) >= self.members.len() {
                    return Err(InsertError::UnknownIssuer);
                }
                vertex.kind = EVIDENCE;
                vertex.other = u32::from(offender.0);
            }
            Effect::Trim {
                cut,
                previous,
                header,
            } => {
                if !by_gl_node {
                    return Err(InsertError::NotGlNode);
                }
                if header > tables.newest_settled() {
                    return Err(InsertError::EpochUnknown);
                }
                if header.opens() < facts.epoch {
                    return Err(InsertError::VoidTrim(VoidTrim::Header));
                }
                vertex.kind = TRIM;
                vertex.value = cut.0;
                vertex.other = header.0;
                if let Some(slot) = self.window.find(&previous) {
                    vertex.previous = slot;
                    vertex.flags |= PREVIOUS;
                }
                let starts = below.slots.iter().take(parents).enumerate();
                let mut here = [0u16; MAX_PARENTS];
                let mut count = 0usize;
                for (i, &slot) in starts {
                    if below.absent.wrapping_shr(i as u32) & 1 == 0
                        && let Some(place) = here.get_mut(count)
                    {
                        *place = slot;
                        count = count.wrapping_add(1);
                    }
                }
                let complete = self
                    .check_trim(tables, facts, here.get(..count).unwrap_or(&[]))
                    .map_err(InsertError::VoidTrim)?;
                if !complete {
                    vertex.flags |= UNCHECKED;
                }
            }
        }
        Ok(())
    }

    fn check_debits<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
        before: Amount,
        amount: Amount,
        debits: Amount,
    ) -> Result<(), InsertError> {
        let sum = before.checked_add(amount.0).ok_or(InsertError::Overflow)?;
        if sum != debits {
            return Err(InsertError::FalseDebits);
        }
        // In an epoch without a table it has no effect anyway.
        match tables.credits(facts.epoch, facts.issuer) {
            Some(credits) if debits > credits => Err(InsertError::InsufficientCredits),
            _ => Ok(()),
        }
    }

    /// Where the new vertex lies among its issuer's. O(1) for the honest, whose first parent is their newest vertex.
    fn place(&self, facts: &Facts, first: First) -> Result<Place, InsertError> {
        let member = self.member(facts.issuer);
        let on_head = match first {
            First::Here(_) if facts.number.0 == 1 => member.highest.0 == 0,
            First::Here(slot) => self.window.at(slot).id == member.head,
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
    fn rival_trim(&self, facts: &Facts) -> Option<Id> {
        let Effect::Trim { previous, .. } = facts.effect else {
            return None;
        };
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
    fn commit<T: Tables + ?Sized>(
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
                };
            }
        }
        self.evict();
        let slot = self.window.push(vertex);
        let handed_on = hands_on(&vertex);
        if let Some(member) = self.members.get_mut(usize::from(facts.issuer.0)) {
            if place == Place::Head {
                member.head = facts.id;
                member.number = facts.number;
                member.time = facts.time;
                member.debits = vertex.debits;
                member.epoch = handed_on;
                member.slot = slot;
                member.masks = vertex.masks;
            }
            member.highest = member.highest.max(facts.number);
            if sibling.is_some() {
                member.flags |= FORKED;
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
            Effect::Evidence { offender } => self.freeze(offender),
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
            Effect::Evidence { offender } => {
                masks.evident |= self.tracks.which(|x| x.issuer == offender);
            }
            Effect::Trim { previous, .. } => {
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

    /// Makes room by taking out the oldest vertex, and remembers how far back the window can see.
    fn evict(&mut self) {
        let Some(slot) = self.window.to_evict() else {
            return;
        };
        let vertex = *self.window.at(slot);
        self.horizon = self.horizon.max(vertex.time);
        self.evicted = self.evicted.saturating_add(1);
        // Only what is in its own cone by a tracked bit can be tracked.
        let tracked = bits(vertex.masks.seen & !self.tracks.gone)
            .find(|&i| self.tracks.get(i).is_some_and(|x| x.id == vertex.id));
        if let Some(i) = tracked {
            self.tracks.gone |= super::approval::bit(i);
            self.tracks.tell(i, NEWS_EVICTED);
        }
        self.window.evict();
    }

    /// Cut and predecessor of the trim in a slot.
    pub(super) fn trim_terms(&self, slot: u16) -> Option<(Millis, Id)> {
        let vertex = self.window.at(slot);
        if vertex.kind != TRIM {
            return None;
        }
        let noted = self.trims.iter().find(|note| note.id == vertex.id);
        let previous = match noted {
            Some(note) => note.previous,
            None => self
                .window
                .previous_trim(slot)
                .map_or(Id::ZERO, |p| self.window.at(p).id),
        };
        Some((Millis(vertex.value), previous))
    }

    /// The facts of the vertex in a slot, as they were inserted.
    pub(super) fn facts(&self, slot: u16) -> Facts {
        let vertex = self.window.at(slot);
        let amount = Amount(vertex.value);
        let debits = vertex.debits;
        let index = MemberIndex(vertex.other as u16);
        Facts {
            id: vertex.id,
            issuer: vertex.issuer,
            number: vertex.number,
            epoch: vertex.epoch,
            time: vertex.time,
            effect: match vertex.kind {
                TRANSFER => Effect::Transfer {
                    to: index,
                    amount,
                    debits,
                },
                EXIT => Effect::Exit { amount, debits },
                TRIM => Effect::Trim {
                    cut: Millis(vertex.value),
                    previous: self.trim_terms(slot).map_or(Id::ZERO, |(_, p)| p),
                    header: HeaderNumber(vertex.other),
                },
                EVIDENCE => Effect::Evidence { offender: index },
                MEMBER => Effect::Member,
                JOIN => Effect::Join,
                _ => Effect::None,
            },
        }
    }
}
