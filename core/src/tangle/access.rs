//! What the node reads of the window beside the facts, and the dry run of an insertion.

use super::Tangle;
use super::error::{InsertError, LimitsError};
use super::insert::{CLAIM, EVIDENCE, EXIT, JOIN, LOCK, MEMBER, TRANSFER, TRIM, hands_on};
use super::memory::TangleMemory;
use super::model::{Effect, Facts, Policy, Stubs, Tables};
use crate::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis};

impl<'m> Tangle<'m> {
    /// How many vertices of the window were read so far, in all: for the evaluation.
    #[cfg(feature = "meter")]
    #[must_use]
    pub fn touched(&self) -> u64 {
        self.window.touched()
    }

    /// Whether [`Tangle::insert`] would take this vertex: for own transactions, before they are signed.
    ///
    /// # Errors
    /// As `insert`.
    pub fn check<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        facts: &Facts,
        parents: &[Id],
        stubs: Stubs,
    ) -> Result<(), InsertError> {
        self.prepare(tables, facts, parents, stubs).map(|_| ())
    }

    /// Gives the neighbourhood's numbers to a window that is still empty.
    ///
    /// # Errors
    /// A policy out of range, or a window that holds vertices already.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), LimitsError> {
        let most = policy.max_parent_age.0.saturating_mul(4);
        if policy.period.0 == 0 || most > policy.period.0 || !self.is_empty() {
            return Err(LimitsError::Policy);
        }
        self.policy = policy;
        Ok(())
    }

    /// Ends the window and gives the memory back.
    #[must_use]
    pub fn into_memory(self) -> TangleMemory<'m> {
        let (vertices, index, tips) = self.window.into_parts();
        TangleMemory {
            vertices,
            index,
            tips,
            marks: self.marks,
            members: self.members,
            sets: self.sets.into_inner(),
            settled: self.settled,
            tracked: self.tracks.into_inner(),
        }
    }

    /// Insertion number of a vertex of the window.
    #[must_use]
    pub fn sequence(&self, id: &Id) -> Option<u32> {
        self.window.find(id).map(|slot| self.window.sequence(slot))
    }

    /// Facts of the vertex with this insertion number, pruned or not.
    #[must_use]
    pub fn at_sequence(&self, sequence: u32) -> Option<Facts> {
        let age = self.window.next().wrapping_sub(1).wrapping_sub(sequence);
        let here = usize::try_from(age).is_ok_and(|age| age < self.window.len());
        here.then(|| self.facts(self.window.aged(age)))
    }

    /// Insertion number of the oldest vertex of the window.
    #[must_use]
    pub fn oldest_sequence(&self) -> u32 {
        let count = u32::try_from(self.window.len()).unwrap_or(u32::MAX);
        self.window.next().wrapping_sub(count)
    }

    /// D of the chain up to and including this vertex.
    #[must_use]
    pub fn debits(&self, id: &Id) -> Option<Amount> {
        self.window.find(id).map(|slot| self.window.at(slot).debits)
    }

    /// The epoch that a vertex hands on to its children: its own, or for a trim that of the header which it names. Known also of a member's newest vertex
    /// after its eviction.
    #[must_use]
    pub fn hands_on(&self, id: &Id) -> Option<Epoch> {
        if let Some(slot) = self.window.find(id) {
            return Some(hands_on(self.window.at(slot)));
        }
        self.members
            .iter()
            .find(|m| m.number.0 > 0 && m.head() == *id)
            .map(|m| m.epoch)
    }

    /// The same for the newest vertex of a member, without a search.
    #[must_use]
    pub fn head_hands_on(&self, member: MemberIndex) -> Option<Epoch> {
        let state = self.members.get(usize::from(member.0))?;
        (state.number.0 > 0).then_some(state.epoch)
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
                LOCK => Effect::Lock {
                    to: index,
                    amount,
                    debits,
                },
                CLAIM => Effect::Claim,
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
