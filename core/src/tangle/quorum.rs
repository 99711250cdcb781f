//! Quorum in two rounds, strictly more than two thirds each.
//!
//! First round: some vertex z has in its own cone approvals of x by members with 3 w > 2 W. Second round: members with
//! 3 w > 2 W each have a vertex with z in its cone, not later than time(x) + T/2. One round is not enough: two sets of 2/3
//! share only 1/3, so a trim could hold too few of the approvals. With two, the fresh quorum of every valid trim holds an
//! honest vertex above z, hence the whole first round. z is found by one walk of the cone of each new vertex while
//! something waits for it.

use super::Tangle;
use super::approval::{FIRST_ROUND, bit, bits, mark, mark_parents, marked};
use super::memory::Tracked;
use super::model::{Standing, Tables};
use super::window::OPAQUE;

impl Tangle<'_> {
    /// Tests whether the vertex in this slot is z for whatever passed two thirds here and has none.
    pub(super) fn first_round<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16) {
        let vertex = *self.window.at(slot);
        let newest = self.newest;
        let waits = |x: &Tracked| {
            !x.is_trim()
                && x.flags & FIRST_ROUND == 0
                && x.standing < Standing::Quorum
                && vertex.time <= x.limit(&self.policy)
                && x.passes(x.approval, tables, newest)
        };
        let waiting = bits(vertex.masks.seen)
            .filter(|&i| self.tracks.get(i).is_some_and(waits))
            .fold(0, |mask, i| mask | bit(i));
        if waiting == 0 {
            return;
        }
        // Until z is found, the places of the second round serve to collect the first.
        let mut oldest = self.window.age(slot);
        for i in bits(waiting) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            x.second = [0; 2];
            let age = self
                .window
                .find(&x.id)
                .map_or(u32::MAX, |s| self.window.age(s));
            oldest = oldest.max(age);
        }
        for member in self.members.iter_mut() {
            member.second &= !waiting;
        }
        self.marks.fill(0);
        mark(self.marks, slot);
        for here in self.window.newest_first() {
            if self.window.age(here) > oldest {
                break;
            }
            if !marked(self.marks, here) {
                continue;
            }
            mark_parents(&self.window, self.marks, here);
            let vertex = self.window.at(here);
            let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0)) else {
                continue;
            };
            if vertex.flags & OPAQUE != 0 {
                continue;
            }
            let fresh = vertex.masks.approves(self.tracks.trims) & waiting & !member.second;
            for i in bits(fresh) {
                let Some(x) = self.tracks.get_mut(i) else {
                    continue;
                };
                if vertex.time <= x.limit(&self.policy) {
                    member.second |= bit(i);
                    x.second = x.weigh(x.second, tables, newest, vertex.issuer);
                }
            }
        }
        let mut found = 0;
        for i in bits(waiting) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            if x.passes(x.second, tables, newest) {
                x.flags |= FIRST_ROUND;
                found |= bit(i);
            }
            x.second = [0; 2];
        }
        if found == 0 {
            return;
        }
        // The others' collections are cleared when the next vertex is tested.
        for member in self.members.iter_mut() {
            member.second &= !found;
        }
        if let Some(masks) = self.window.masks_mut(slot) {
            masks.above |= found;
        }
        if let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0))
            && member.head == vertex.id
        {
            member.masks.above |= found;
        }
    }

    /// Counts the issuer of the vertex in this slot for every z below it, if it came in time. Returns the bits of what it added.
    pub(super) fn second_round<T: Tables + ?Sized>(&mut self, tables: &T, slot: u16) -> u64 {
        let vertex = self.window.at(slot);
        let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0)) else {
            return 0;
        };
        let mut changed = 0;
        for i in bits(vertex.masks.above & !member.second) {
            let Some(x) = self.tracks.get_mut(i) else {
                continue;
            };
            if vertex.time <= x.limit(&self.policy) {
                member.second |= bit(i);
                changed |= bit(i);
                x.second = x.weigh(x.second, tables, self.newest, vertex.issuer);
            }
        }
        changed
    }
}
