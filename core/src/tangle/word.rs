//! Where a member's word is still wanted.
//!
//! Approval weight counts members that speak. Whoever has nothing to say of its own still has a word to give: an approval for each round of a
//! Quorum, and one for a trim. This tells when the next vertex of this node would add one of them; when to say it, and whether
//! it is worth the air, is the node's business. It changes nothing: whatever is said is an ordinary vertex under the ordinary rules.

use super::approval::{FORKED, FROZEN};
use super::memory::Masks;
use super::model::{Standing, Tables};
use super::sets::Set;
use super::tracks::{CERTIFIED, Interest, VALUED, bit};
use super::{Tangle, TrackError};
use crate::{Id, MemberIndex, Millis};

impl Tangle<'_> {
    /// Follows a transaction that matters to others, until its slot is needed for one that was asked for, a conflict or a trim.
    ///
    /// # Errors
    /// Not here, or no free slot.
    pub fn watch<T: Tables + ?Sized>(&mut self, tables: &T, id: &Id) -> Result<(), TrackError> {
        let slot = self.window.find(id).ok_or(TrackError::NotHere)?;
        let issuer = self.window.at(slot).issuer;
        let contested = self.member(issuer).flags & (FORKED | FROZEN) != 0;
        self.refresh(tables);
        if self.tracks.find(id).is_none() && self.tracks.free().is_none() {
            return Err(TrackError::Full);
        }
        self.track_slot(tables, slot, Interest::Conflict, contested)
    }

    /// What this node's next vertex could still add to, one bit per followed transaction of value: its approval of a transaction or trim; the cone in which two
    /// thirds approve it, while nobody has it; or its word that it saw so. Nothing for a member without weight or one that was proved guilty.
    #[must_use]
    pub fn wanted<T: Tables + ?Sized>(&self, tables: &T, at: Millis) -> u64 {
        let Some(own) = self.own else {
            return 0;
        };
        let member = self.member(own);
        if member.flags & (FROZEN | FORKED) != 0 {
            return 0;
        }
        let (masks, approved, second) = (
            self.sets.masks(own),
            self.sets.get(own, Set::Approved),
            self.sets.get(own, Set::Second),
        );
        self.tracks
            .iter()
            .filter(|(i, x)| {
                let bit = bit(*i);
                // What it has below it already cannot be approved by anything that stands on it.
                let barred = Masks { seen: bit, ..masks }.approves(self.tracks.trims) & bit == 0;
                let open =
                    x.standing < Standing::Quorum && x.flags & (CERTIFIED | VALUED) == VALUED;
                let weighs = tables.weight(x.epoch, own).is_some_and(|w| w.0 > 0);
                let lacks = if self.tracks.found & bit == 0 {
                    // All approve it and nobody has seen that they do: whoever joins their words is the z of the first round.
                    approved & bit == 0 || self.tracks.waiting & bit != 0
                } else {
                    second & bit == 0
                };
                open && weighs && lacks && !barred && at <= x.limit(&self.policy)
            })
            .fold(0, |mask, (i, _)| mask | bit(i))
    }

    /// A trim that this node's next vertex could still approve, the oldest.
    #[must_use]
    pub fn trim_to_approve<T: Tables + ?Sized>(&self, tables: &T, at: Millis) -> Option<Id> {
        let approved = self.sets.get(self.own?, Set::Approved);
        let wanted = self.wanted(tables, at) & self.tracks.trims & !approved;
        let of = self.tracks.iter().filter(|(i, _)| wanted & bit(*i) != 0);
        of.min_by_key(|(_, x)| x.time).map(|(_, x)| x.id)
    }

    /// Whether a vertex is a followed transaction, or approves it.
    #[must_use]
    pub fn stands_on(&self, vertex: &Id, followed: &Id) -> bool {
        let Some(i) = self.tracks.find(followed) else {
            return false;
        };
        let slot = self.window.find(vertex);
        let approves = |masks: Masks| masks.approves(self.tracks.trims) & bit(i) != 0;
        vertex == followed || slot.is_some_and(|s| approves(self.window.at(s).masks))
    }

    /// Whether a vertex of `member` approves a followed transaction, as seen here. False where it is not followed.
    #[must_use]
    pub fn approves(&self, member: MemberIndex, id: &Id) -> bool {
        let followed = self.tracks.find(id);
        followed.is_some_and(|i| self.sets.get(member, Set::Approved) & bit(i) != 0)
    }

    /// How old a tip may be to be chosen. At most P_max; it is held there. It chooses only, so it may change at any time.
    pub fn set_freshness(&mut self, freshness: Millis) {
        self.policy.freshness = freshness;
    }
}
