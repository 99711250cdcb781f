//! Cumulative weight H, exactly, for the whole window.
//!
//! H(x) = 1 + the number of vertices above x (*The Tangle*, section 2, with every own weight 1). For blocks of 64 vertices one sweep
//! from the newest to the oldest hands a mask "which of the block are above me" down to the parents, and H grows by its
//! population count: O(N^2 / 64) in all, with one word per vertex.

use super::error::SelectError;
use super::memory::Scratch;
use super::{Id, Tangle};
use crate::order::sort_many;

impl Tangle<'_> {
    /// Cumulative weight H of every vertex: 1 + the size of its future cone in the window. Told in (time, id) order.
    ///
    /// # Errors
    /// Scratch memory too short.
    pub fn weights(
        &self,
        scratch: &mut Scratch<'_>,
        mut out: impl FnMut(&Id, u32),
    ) -> Result<(), SelectError> {
        let count = self.canonical_order(scratch)?;
        self.weigh(scratch);
        for &slot in scratch.order.iter().take(count) {
            let weight = scratch
                .work
                .get(usize::from(slot))
                .map_or(0, |work| work.weight);
            out(&self.window.at(slot).id, weight);
        }
        Ok(())
    }

    /// Puts the slots that are not pruned in (time, id) order, which is topological and the same wherever the DAG is. Returns their number.
    pub(super) fn canonical_order(&self, scratch: &mut Scratch<'_>) -> Result<usize, SelectError> {
        let capacity = self.window.capacity();
        if scratch.work.len() < capacity || scratch.order.len() < self.window.len() {
            return Err(SelectError::Scratch);
        }
        let mut count = 0usize;
        for (place, slot) in scratch.order.iter_mut().zip(
            self.window
                .oldest_first()
                .filter(|&slot| self.window.at(slot).time > self.pruned),
        ) {
            *place = slot;
            count = count.wrapping_add(1);
        }
        self.sort(scratch.order.get_mut(..count).unwrap_or(&mut []));
        Ok(count)
    }

    /// Sorts slots by (time, id).
    pub(super) fn sort(&self, order: &mut [u16]) {
        sort_many(order, |&a, &b| {
            let (a, b) = (self.window.at(a), self.window.at(b));
            (a.time, a.id) < (b.time, b.id)
        });
    }

    /// Leaves H of every slot in `work.weight`.
    pub(super) fn weigh(&self, scratch: &mut Scratch<'_>) {
        let len = self.window.len() as u32;
        for work in scratch.work.iter_mut() {
            work.weight = 0;
        }
        let mut newest = 0u32;
        while newest < len {
            let end = newest.saturating_add(64);
            for age in newest..len {
                if let Some(work) = scratch.work.get_mut(usize::from(self.window.aged(age))) {
                    work.a = 0;
                }
            }
            for age in newest..len {
                let slot = self.window.aged(age);
                let Some(work) = scratch.work.get_mut(usize::from(slot)) else {
                    continue;
                };
                if age < end {
                    work.a |= 1u64.wrapping_shl(age.wrapping_sub(newest));
                }
                let above = work.a;
                work.weight = work.weight.saturating_add(above.count_ones());
                if above == 0 {
                    continue;
                }
                for parent in self.window.parents(slot) {
                    if let Some(work) = scratch.work.get_mut(usize::from(parent)) {
                        work.a |= above;
                    }
                }
            }
            newest = end;
        }
    }
}
