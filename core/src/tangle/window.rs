//! The ring of the last N vertices, its hash table and its pool of tips.
//!
//! Insertion order is topological, because parents are inserted first. A slot's *age* is 0 for the newest vertex. A parent
//! is here iff its slot holds a vertex older than the child: once the parent was evicted, its slot holds a younger one (or
//! the child itself). So eviction needs no scan, and a walk down a past cone is one sweep by rising age. The hash table is
//! keyed by a secret seed, so that nobody can grind ids into one cluster; it hashes the first eight bytes, so all ids with
//! one prefix are in one cluster; it compares full ids.

use super::memory::{Masks, Vertex};
use super::recent::{RECENT, Recent, RecentCone};
use crate::{Id, Millis, Prefix};

/// Free place of the hash table.
const FREE: u32 = u32::MAX;

/// Flags of a vertex.
pub(super) const TIP: u8 = 1;
/// A parent of unknown cone.
pub(super) const OPAQUE: u8 = 2;
/// A trim that could not be checked in full.
pub(super) const UNCHECKED: u8 = 4;
/// The slot of a trim's predecessor is set.
pub(super) const PREVIOUS: u8 = 8;
/// The first parent was not here but is the chain head of the table at insertion.
pub(super) const ON_HEAD: u8 = 16;
/// Of a member that forked: its chain misses the chain head of the newest table.
pub(super) const OFF_CHAIN: u8 = 32;

/// Stands for whatever is not in the ring.
static NOWHERE: Vertex = Vertex::EMPTY;

/// The finalizer of splitmix64: a bijection of 64 bits in which every input bit reaches every output bit.
pub(super) const fn mix(x: u64) -> u64 {
    let x = (x ^ x.wrapping_shr(30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ x.wrapping_shr(27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x.wrapping_shr(31)
}

/// The first eight bytes of an id, as a number.
pub(super) fn first_word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk::<8>()
        .map_or(0, |b| u64::from_be_bytes(*b))
}

#[derive(Debug)]
pub(super) struct Window<'m> {
    vertices: &'m mut [Vertex],
    index: &'m mut [u32],
    tips: &'m mut [u16],
    tip_count: usize,
    /// Sequence number of the next vertex.
    next: u32,
    count: u32,
    /// N - 1.
    mask: u32,
    seed: u64,
    recent: Recent,
    /// How many vertices were read.
    #[cfg(feature = "meter")]
    touched: core::cell::Cell<u64>,
}

impl<'m> Window<'m> {
    /// The slices have been cut to N, 2N and N elements, N a power of two up to 2^16.
    pub(super) fn new(
        vertices: &'m mut [Vertex],
        index: &'m mut [u32],
        tips: &'m mut [u16],
        seed: u64,
    ) -> Self {
        index.fill(FREE);
        let mask = u32::try_from(vertices.len()).unwrap_or(1).wrapping_sub(1);
        Self {
            vertices,
            index,
            tips,
            tip_count: 0,
            next: 0,
            count: 0,
            mask,
            seed,
            recent: Recent::NONE,
            #[cfg(feature = "meter")]
            touched: core::cell::Cell::new(0),
        }
    }

    /// Counts vertices read, in the evaluation's build only.
    #[inline(always)]
    fn touch(&self, _count: usize) {
        #[cfg(feature = "meter")]
        self.touched
            .set(self.touched.get().wrapping_add(_count as u64));
    }

    #[cfg(feature = "meter")]
    pub(super) fn touched(&self) -> u64 {
        self.touched.get()
    }

    pub(super) fn into_parts(self) -> (&'m mut [Vertex], &'m mut [u32], &'m mut [u16]) {
        (self.vertices, self.index, self.tips)
    }

    pub(super) fn next(&self) -> u32 {
        self.next
    }

    pub(super) fn len(&self) -> usize {
        self.count as usize
    }

    pub(super) fn is_full(&self) -> bool {
        self.count > self.mask
    }

    pub(super) fn capacity(&self) -> usize {
        self.vertices.len()
    }

    #[cfg(test)]
    pub(super) fn start_at(&mut self, sequence: u32) {
        self.next = sequence;
    }

    /// How many vertices were inserted after this one.
    pub(super) fn age(&self, slot: u16) -> u32 {
        self.next.wrapping_sub(1).wrapping_sub(u32::from(slot)) & self.mask
    }

    /// The slot with this age.
    pub(super) fn aged(&self, age: u32) -> u16 {
        (self.next.wrapping_sub(1).wrapping_sub(age) & self.mask) as u16
    }

    pub(super) fn sequence(&self, slot: u16) -> u32 {
        self.next.wrapping_sub(1).wrapping_sub(self.age(slot))
    }

    /// The slot with this age, if there is one.
    pub(super) fn here(&self, age: u32) -> Option<u16> {
        (age < self.count).then(|| self.aged(age))
    }

    /// What is known of the cone of the vertex in this slot, if it is recent.
    pub(super) fn recent_cone(&self, slot: u16) -> Option<RecentCone> {
        (self.age(slot) < RECENT).then(|| self.recent.get(self.sequence(slot)))
    }

    pub(super) fn at(&self, slot: u16) -> &Vertex {
        self.touch(1);
        self.vertices.get(usize::from(slot)).unwrap_or(&NOWHERE)
    }

    pub(super) fn masks(&self, slot: u16) -> Masks {
        self.at(slot).masks
    }

    /// The masks of every slot, in no order.
    pub(super) fn every_masks(&mut self) -> impl Iterator<Item = &mut Masks> + '_ {
        self.touch(self.vertices.len());
        self.vertices.iter_mut().map(|v| &mut v.masks)
    }

    pub(super) fn flags_mut(&mut self, slot: u16) -> Option<&mut u8> {
        self.touch(1);
        self.vertices
            .get_mut(usize::from(slot))
            .map(|v| &mut v.flags)
    }

    pub(super) fn masks_mut(&mut self, slot: u16) -> Option<&mut Masks> {
        self.touch(1);
        self.vertices
            .get_mut(usize::from(slot))
            .map(|v| &mut v.masks)
    }

    /// Whether the vertex inserted `RECENT` before the newest is not in its cone: it may be missing in cones that are whole.
    pub(super) fn lost_one(&self) -> bool {
        self.recent.lost_one()
    }

    /// The slots from oldest to newest: a topological order.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = u16> + use<> {
        let (next, count, mask) = (self.next, self.count, self.mask);
        (0..count).map(move |i| (next.wrapping_sub(count).wrapping_add(i) & mask) as u16)
    }

    /// The slots from newest to oldest.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = u16> + use<> {
        let (next, count, mask) = (self.next, self.count, self.mask);
        (0..count).map(move |i| (next.wrapping_sub(1).wrapping_sub(i) & mask) as u16)
    }

    /// The parent at a position, if it is here.
    pub(super) fn parent(&self, slot: u16, position: u8) -> Option<u16> {
        let child = self.at(slot);
        self.link(slot, child, position)
    }

    fn link(&self, slot: u16, child: &Vertex, position: u8) -> Option<u16> {
        if position >= child.count || child.absent.wrapping_shr(u32::from(position)) & 1 == 1 {
            return None;
        }
        let parent = *child.parents.get(usize::from(position))?;
        let age = self.age(parent);
        let here = age > self.age(slot) && age < self.count;
        // Who follows a link touches what is at its end.
        self.touch(usize::from(here));
        here.then_some(parent)
    }

    /// The parents that are here.
    pub(super) fn parents(&self, slot: u16) -> impl Iterator<Item = u16> + '_ {
        let child = self.at(slot);
        (0..child.count.min(8)).filter_map(move |i| self.link(slot, child, i))
    }

    /// Marks the parents of the vertex of this age that have the age `older` or more. Returns how many were not marked before.
    pub(super) fn mark_parents(&self, marks: &mut [u64], age: u32, older: u32) -> u32 {
        let child = self.at(self.aged(age));
        let mut absent = child.absent;
        let mut fresh = 0u32;
        for &parent in child.parents.iter().take(usize::from(child.count)) {
            let here = absent & 1 == 0;
            absent = absent.wrapping_shr(1);
            let back = self.age(parent);
            self.touch(usize::from(here));
            if here && back > age && back >= older && back < self.count {
                let bit = 1u64.wrapping_shl(u32::from(parent & 63));
                if let Some(word) = marks.get_mut(usize::from(parent.wrapping_shr(6)))
                    && *word & bit == 0
                {
                    *word |= bit;
                    fresh = fresh.wrapping_add(1);
                }
            }
        }
        fresh
    }

    /// The predecessor of a trim, if it is here.
    pub(super) fn previous_trim(&self, slot: u16) -> Option<u16> {
        let trim = self.at(slot);
        let age = self.age(trim.previous);
        (trim.flags & PREVIOUS != 0 && age > self.age(slot) && age < self.count)
            .then_some(trim.previous)
    }

    fn home(&self, bytes: &[u8]) -> usize {
        mix(first_word(bytes) ^ self.seed) as usize & self.index_mask()
    }

    fn index_mask(&self) -> usize {
        self.index.len().wrapping_sub(1)
    }

    fn probe(&self, bytes: &[u8]) -> impl Iterator<Item = (usize, u16)> + use<'_, 'm> {
        let mut place = self.home(bytes);
        core::iter::from_fn(move || {
            let here = place;
            let slot = *self.index.get(here)?;
            if slot == FREE {
                return None;
            }
            place = place.wrapping_add(1) & self.index_mask();
            Some((here, slot as u16))
        })
    }

    pub(super) fn find(&self, id: &Id) -> Option<u16> {
        self.probe(&id.0)
            .map(|(_, slot)| slot)
            .find(|&slot| self.at(slot).id == *id)
    }

    pub(super) fn with_prefix(&self, prefix: &Prefix) -> impl Iterator<Item = u16> + '_ {
        let prefix = *prefix;
        self.probe(&prefix.0)
            .map(|(_, slot)| slot)
            .filter(move |&slot| self.at(slot).id.prefix() == prefix)
    }

    fn index_add(&mut self, slot: u16, id: &Id) {
        let mask = self.index_mask();
        let mut place = self.home(&id.0);
        // At most N of 2N places are taken, so the search ends.
        while let Some(entry) = self.index.get_mut(place) {
            if *entry == FREE {
                *entry = u32::from(slot);
                return;
            }
            place = place.wrapping_add(1) & mask;
        }
    }

    /// Removal with backward shift: no tombstones, so a long history leaves no trace in the table.
    fn index_remove(&mut self, slot: u16) {
        let mask = self.index_mask();
        let id = self.at(slot).id;
        let Some((mut hole, _)) = self.probe(&id.0).find(|&(_, s)| s == slot) else {
            return;
        };
        let mut place = hole;
        loop {
            place = place.wrapping_add(1) & mask;
            let entry = self.index.get(place).copied().unwrap_or(FREE);
            if entry == FREE {
                break;
            }
            let home = self.home(&self.at(entry as u16).id.0);
            // It may fill the hole unless its home lies behind the hole.
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                if let Some(free) = self.index.get_mut(hole) {
                    *free = entry;
                }
                hole = place;
            }
        }
        if let Some(free) = self.index.get_mut(hole) {
            *free = FREE;
        }
    }

    /// The oldest vertex, if the next one needs its slot.
    pub(super) fn to_evict(&self) -> Option<u16> {
        self.is_full().then(|| self.aged(self.mask))
    }

    /// Takes the oldest vertex out.
    pub(super) fn evict(&mut self) {
        if let Some(slot) = self.to_evict() {
            self.index_remove(slot);
            self.remove_tip(slot);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Adds a vertex as the newest; the window is not full. Its parents are no longer tips, it is one.
    pub(super) fn push(&mut self, vertex: Vertex) -> u16 {
        let slot = (self.next & self.mask) as u16;
        let (newest, mask, count) = (self.next.wrapping_sub(1), self.mask, self.count);
        let parents = vertex.parents.iter().take(usize::from(vertex.count));
        let backs = parents.enumerate().filter_map(|(i, &parent)| {
            // As `age`: a parent that was evicted for this vertex is no longer counted.
            let age = newest.wrapping_sub(u32::from(parent)) & mask;
            let here = vertex.absent.wrapping_shr(i as u32) & 1 == 0 && age < count;
            here.then_some(age.saturating_add(1))
        });
        self.recent.push(self.next, backs);
        for (i, &parent) in vertex.parents.iter().enumerate() {
            if i < usize::from(vertex.count) && vertex.absent.wrapping_shr(i as u32) & 1 == 0 {
                // Before `next` moves: a parent that was evicted for this vertex lies in the same slot and is no tip any more.
                self.remove_tip(parent);
            }
        }
        self.touch(1);
        if let Some(place) = self.vertices.get_mut(usize::from(slot)) {
            *place = vertex;
            place.flags &= !TIP;
        }
        self.next = self.next.wrapping_add(1);
        self.count = self.count.wrapping_add(1);
        self.index_add(slot, &vertex.id);
        self.add_tip(slot);
        slot
    }

    pub(super) fn tips(&self) -> impl Iterator<Item = u16> + '_ {
        self.tips.iter().take(self.tip_count).copied()
    }

    fn add_tip(&mut self, slot: u16) {
        let place = self.tip_count;
        if let (Some(entry), Some(vertex)) = (
            self.tips.get_mut(place),
            self.vertices.get_mut(usize::from(slot)),
        ) {
            *entry = slot;
            vertex.tip = place as u16;
            vertex.flags |= TIP;
            self.tip_count = place.wrapping_add(1);
        }
    }

    fn remove_tip(&mut self, slot: u16) {
        self.touch(1);
        let Some(vertex) = self.vertices.get_mut(usize::from(slot)) else {
            return;
        };
        if vertex.flags & TIP == 0 {
            return;
        }
        vertex.flags &= !TIP;
        let place = vertex.tip;
        let last = self.tip_count.saturating_sub(1);
        self.tip_count = last;
        let Some(moved) = self.tips.get(last).copied() else {
            return;
        };
        if let Some(entry) = self.tips.get_mut(usize::from(place)) {
            *entry = moved;
        }
        if moved != slot
            && let Some(vertex) = self.vertices.get_mut(usize::from(moved))
        {
            vertex.tip = place;
        }
    }

    /// Takes what a certified cut settles out of the pool of tips.
    pub(super) fn retire_tips(&mut self, cut: Millis) {
        let mut place = self.tip_count;
        // Backwards: removal moves only a tip that was looked at already into the place.
        while place > 0 {
            place = place.wrapping_sub(1);
            if let Some(&slot) = self.tips.get(place)
                && self.at(slot).time <= cut
            {
                self.remove_tip(slot);
            }
        }
    }
}
