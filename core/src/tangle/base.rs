//! The first round of Quorum beyond the window: approvals that were evicted.
//!
//! A window of 128 never holds 2/3 of 1,000 members. So, as long as a tracked x that left the window has no z, its bits `above`
//! (of vertices) and `second` (of members) stand for its *base*: members with an evicted vertex that approves x in time. The one
//! invariant: a vertex has bit `above` of x only if the whole base is in its cone, that is, for every member of the base an
//! approving vertex. The bit is inherited along parents (a cone holds its parents' cones). When the oldest vertex u is evicted
//! its issuer joins the base iff most of the tips that hold the base hold u too; the others lose the bit. So the count
//! base + walk of the window never exceeds the members that approve x in the cone: what is granted is granted by the definition too.
//! O(N) per eviction, and only while something followed is older than the window and has no z.

use super::Tangle;
use super::approval::{mark, marked};
use super::model::{Standing, Tables};
use super::sets::Set;
use super::tracks::{UNSURE, bit, bits};
use super::window::OPAQUE;

impl Tangle<'_> {
    /// The oldest vertex, in this slot, is about to be evicted. `gone`: the bit of the tracked slot that it has, if it is tracked.
    /// Returns the bits whose `above` changed in the window.
    pub(super) fn move_to_base<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        slot: u16,
        gone: u64,
    ) -> u64 {
        // While the base is empty, every cone with x in it holds it.
        let opened = gone & !self.tracks.found & !self.tracks.trims;
        if opened != 0 {
            self.base_is_empty(opened);
        }
        let vertex = *self.window.at(slot);
        let based = self.sets.get(vertex.issuer, Set::Second);
        let fresh = vertex.masks.approves(self.tracks.trims)
            & self.tracks.gone
            & !self.tracks.found
            & !self.tracks.trims
            & !based;
        if fresh == 0 || vertex.flags & OPAQUE != 0 {
            return opened;
        }
        let fresh = bits(fresh)
            .filter(|&i| {
                self.tracks.get(i).is_some_and(|x| {
                    x.standing < Standing::Quorum && vertex.time <= x.limit(&self.policy)
                })
            })
            .fold(0, |mask, i| mask | bit(i));
        if fresh == 0 {
            return opened;
        }
        self.mark_above(slot);
        let taken = bits(fresh)
            .filter(|&i| self.most_tips_keep(slot, bit(i)))
            .fold(0, |mask, i| mask | bit(i));
        for i in bits(fresh & !taken) {
            if let Some(x) = self.tracks.get_mut(i) {
                x.flags |= UNSURE;
            }
        }
        if taken == 0 {
            return opened;
        }
        for here in self.window.oldest_first() {
            if !marked(self.marks, here)
                && let Some(masks) = self.window.masks_mut(here)
            {
                masks.above &= !taken;
            }
        }
        for i in bits(taken) {
            if let Some(x) = self.tracks.get_mut(i) {
                x.second = x.weigh(x.second, tables, self.newest, vertex.issuer);
            }
        }
        self.sets.add(vertex.issuer, Set::Second, taken);
        opened | taken
    }

    /// Marks the slot and everything above it.
    fn mark_above(&mut self, slot: u16) {
        self.marks.fill(0);
        mark(self.marks, slot);
        for here in self.window.oldest_first() {
            let above = self
                .window
                .parents(here)
                .any(|parent| marked(self.marks, parent));
            if above {
                mark(self.marks, here);
            }
        }
    }

    /// Whether more than half of the tips that hold the base of this bit are marked: else too much is lost by taking more into it.
    fn most_tips_keep(&self, evicted: u16, bit: u64) -> bool {
        let (mut holding, mut keeping) = (0u32, 0u32);
        for tip in self.window.tips().filter(|&tip| tip != evicted) {
            if self.window.masks(tip).above & bit != 0 {
                holding = holding.saturating_add(1);
                if marked(self.marks, tip) {
                    keeping = keeping.saturating_add(1);
                }
            }
        }
        keeping.saturating_mul(2) > holding
    }

    /// Begins the bases of these slots.
    pub(super) fn base_is_empty(&mut self, tracked: u64) {
        for masks in self.window.every_masks() {
            masks.above = (masks.above & !tracked) | (masks.seen & tracked);
        }
    }

    /// Ends the bases of these slots: their bits are free for z.
    pub(super) fn forget_base(&mut self, tracked: u64) {
        if tracked == 0 {
            return;
        }
        for masks in self.window.every_masks() {
            masks.above &= !tracked;
        }
        self.sets.forget_above(tracked);
    }
}
