//! Insertion: every check first, then every change.
//!
//! Validity is a function of the vertex and its parents only (protocol section 3); the local clock has no say. What a
//! refused vertex was refused for is told exactly, and nothing has changed then.

use super::Tangle;
use super::approval::{FORKED, FROZEN};
use super::commit::Place;
use super::error::{InsertError, VoidTrim};
use super::memory::{Masks, Vertex};
use super::model::{Effect, Facts, Head, Inserted, Stubs, Tables};
use super::window::{ON_HEAD, OPAQUE, PREVIOUS, UNCHECKED};
use crate::rules::{self, Rule};
use crate::{Amount, Epoch, HeaderNumber, Id, MAX_PARENTS, Millis};

/// Kinds of a stored vertex.
pub(super) const NONE: u8 = 0;
pub(super) const TRANSFER: u8 = 1;
pub(super) const EXIT: u8 = 2;
pub(super) const TRIM: u8 = 3;
pub(super) const EVIDENCE: u8 = 4;
pub(super) const MEMBER: u8 = 5;
pub(super) const JOIN: u8 = 6;
pub(super) const LOCK: u8 = 7;
pub(super) const CLAIM: u8 = 8;

/// Where the first parent was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// In the window.
    Here(u16),
    /// It is the issuer's newest vertex, evicted by count: the issuer's state stands in for it.
    Aged,
    /// It is the chain head of the table.
    Settled,
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
            || (member.number.0 > 0 && member.head() == facts.id)
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
        if !tables.holds(facts.epoch, facts.issuer) {
            return Err(InsertError::NotRead);
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
                } else if parent.issuer != facts.issuer && rules::on(Rule::Chain) {
                    return Err(InsertError::ParentOffChain);
                } else if parent.number.checked_add(1) != Some(facts.number)
                    && rules::on(Rule::Chain)
                {
                    return Err(InsertError::NumberGap);
                } else {
                    below.debits = parent.debits;
                }
            }
            if facts.time <= parent.time && rules::on(Rule::TimeAbove) {
                return Err(InsertError::TimeNotAboveParent(position));
            }
            let oldest = parent.time.saturating_add(self.policy.max_parent_age.0);
            if position > 0 && facts.time > oldest && rules::on(Rule::ParentAge) {
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
        if member.number.0 > 0 && member.head() == *id {
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
                let time = member.time;
                if facts.time <= time {
                    return Err(InsertError::TimeNotAboveParent(0));
                }
                below.debits = member.debits;
                // A base may have grown since; z does not.
                let masks = self.sets.masks(facts.issuer);
                below.masks = below.masks.join(Masks {
                    above: masks.above & self.tracks.found,
                    ..masks
                });
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
            Effect::Claim => vertex.kind = CLAIM,
            Effect::Transfer { to, amount, debits } | Effect::Lock { to, amount, debits } => {
                self.check_debits(tables, facts, below.debits, amount, debits)?;
                vertex.kind = match facts.effect {
                    Effect::Lock { .. } => LOCK,
                    _ => TRANSFER,
                };
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
        if sum != debits && rules::on(Rule::Debits) {
            return Err(InsertError::FalseDebits);
        }
        // In an epoch without a table it has no effect anyway.
        match tables.credits(facts.epoch, facts.issuer) {
            Some(credits) if debits > credits && rules::on(Rule::Credits) => {
                Err(InsertError::InsufficientCredits)
            }
            _ => Ok(()),
        }
    }
}
