//! When a trim was certified, by the times of the vertices that certify it.
//!
//! A trim may not cut before that moment of its predecessor (protocol section 3, decision 0015), so whoever issues trims asks for it here. It is
//! computed from this window: a trim whose cone lacks one of those vertices is still void, and is tried again once its parents hold them.

use super::Tangle;
use super::model::Tables;
use super::tracks::bit;
use super::window::OPAQUE;
use crate::{Id, MemberIndex, Millis};

impl Tangle<'_> {
    /// The least time such that members with 3 w > 2 W, by the trim's table and by the newest, approve this trim by vertices of the window not
    /// later than it. `first`: room for one time per member, overwritten. `None`: not certified here, not followed, or no such room.
    #[must_use]
    pub fn certified_at<T: Tables + ?Sized>(
        &self,
        tables: &T,
        trim: &Id,
        first: &mut [Millis],
    ) -> Option<Millis> {
        let i = self.tracks.find(trim)?;
        let x = self.tracks.get(i).filter(|x| x.is_trim())?;
        let first = first.get_mut(..self.members.len())?;
        let never = Millis(u64::MAX);
        first.fill(never);
        for slot in self.window.oldest_first() {
            let vertex = self.window.at(slot);
            let approves = vertex.masks.approves(self.tracks.trims) & bit(i) != 0;
            if approves
                && vertex.flags & OPAQUE == 0
                && let Some(time) = first.get_mut(usize::from(vertex.issuer.0))
            {
                *time = vertex.time.min(*time);
            }
        }
        let newest = tables.newest_settled().opens();
        let passes = |by: Millis| {
            let mut sums = [0; 2];
            for (member, time) in (0u16..).zip(first.iter()) {
                if *time <= by {
                    sums = x.weigh(sums, tables, newest, MemberIndex(member));
                }
            }
            x.passes(sums, tables, newest)
        };
        let latest = first.iter().copied().filter(|time| *time < never).max()?;
        if !passes(latest) {
            return None;
        }
        // Passing is monotone in time.
        let (mut low, mut high) = (x.time.0, latest.0);
        while low < high {
            let middle = low.saturating_add(high.saturating_sub(low).wrapping_shr(1));
            if passes(Millis(middle)) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Some(Millis(low))
    }
}
