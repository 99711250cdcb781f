//! When an epoch ends: the cut time that the next trim claims.
//!
//! Invariant: a cut lies above the settled one, not before the moment at which its predecessor was certified, and more than T/2 before a time after which
//! members with more than two thirds of the weight have spoken; else the trim is void (docs/protocol.md, section 3). A cut is due by
//! time, on multiples of T, and by count, when the window fills: then it is the newest that can be.

use iotedge_core::Millis;

/// What is known when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Absolute.
    pub now: Millis,
    /// T.
    pub period: Millis,
    /// The settled cut.
    pub before: Millis,
    /// When the predecessor, a trim too, was certified by the times of those who did it; none after the genesis.
    pub certified: Option<Millis>,
    /// Members with more than two thirds of the weight have each a vertex at this time or later.
    pub fresh: Millis,
    /// An epoch is due by count.
    pub by_count: bool,
}

impl Moment {
    /// The cut that is due, if one is.
    #[must_use]
    pub fn cut(&self) -> Option<Millis> {
        let half = self.period.0 / 2;
        let least = self.certified.map_or(0, |time| time.0);
        // Later than c + T/2, strictly.
        let most = self.fresh.0.min(self.now.0).checked_sub(half + 1)?;
        let possible = |cut: u64| (cut > self.before.0 && cut <= most).then_some(Millis(cut));
        // After a long silence one trim covers all periods that are over.
        let over = self.now.0.saturating_sub(self.before.0 + half) / self.period.0.max(1);
        let by_time = (over > 0).then(|| least.max(self.before.0 + over * self.period.0));
        let by_count = self.by_count.then(|| {
            // The newest of all stand in few cones yet: a trim that names them would be void, again and again.
            let cut = most.saturating_sub(self.period.0 / 8);
            // An epoch of a few milliseconds would cost more than it frees.
            (cut >= least.max(self.before.0 + self.period.0 / 4)).then_some(cut)
        });
        by_time
            .and_then(possible)
            .or_else(|| by_count.flatten().and_then(possible))
    }
}

/// The newest time at or after which members with more than two thirds of `total` have spoken, `own` being the weight of who asks now.
#[must_use]
pub fn fresh(heads: &mut [(Millis, u64)], own: u64, total: u64) -> Option<Millis> {
    heads.sort_unstable_by(|a, b| b.cmp(a));
    let mut sum = own;
    if 3 * sum > 2 * total {
        return Some(Millis(u64::MAX));
    }
    for (time, weight) in heads {
        sum += *weight;
        if 3 * sum > 2 * total {
            return Some(*time);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T: u64 = 4_000;
    const BEFORE: u64 = 100_000;

    fn at(after: u64) -> Moment {
        Moment {
            now: Millis(BEFORE + after),
            period: Millis(T),
            before: Millis(BEFORE),
            certified: Some(Millis(BEFORE - T / 4)),
            fresh: Millis(BEFORE + after),
            by_count: false,
        }
    }

    fn due(moment: Moment) -> Option<u64> {
        moment.cut().map(|cut| cut.0 - BEFORE)
    }

    #[test]
    fn by_time_an_epoch_ends_after_t_once_two_thirds_spoke_half_of_t_later() {
        assert_eq!(due(at(T + T / 2)), None);
        assert_eq!(due(at(T + T / 2 + 1)), Some(T));
        let slow = Moment {
            fresh: Millis(BEFORE + T + T / 2),
            ..at(2 * T)
        };
        assert_eq!(due(slow), None);
        // After a long silence one trim covers all periods that are over.
        assert_eq!(due(at(7 * T + T / 2 + 1)), Some(7 * T));
    }

    #[test]
    fn a_late_certificate_moves_the_cut_instead_of_skipping_a_period() {
        let late = Moment {
            certified: Some(Millis(BEFORE + T + 300)),
            ..at(T + T / 2 + 1)
        };
        assert_eq!(due(late), None);
        let then = Moment {
            certified: Some(Millis(BEFORE + T + 300)),
            ..at(T + T / 2 + 301)
        };
        assert_eq!(due(then), Some(T + 300));
    }

    #[test]
    fn by_count_it_ends_as_soon_as_it_can() {
        let full = |after| Moment {
            by_count: true,
            ..at(after)
        };
        assert_eq!(due(full(T / 2)), None);
        assert_eq!(due(full(T)), Some(T / 2 - T / 8 - 1));
        // Not before the trim before it was certified.
        let waits = Moment {
            certified: Some(Millis(BEFORE + T / 2)),
            ..full(T)
        };
        assert_eq!(due(waits), None);
        assert_eq!(due(at(T)), None, "by time it is too early");
    }

    #[test]
    fn two_thirds_are_counted_strictly() {
        let heads = |n: u64| -> Vec<(Millis, u64)> { (1..=n).map(|t| (Millis(t), 1)).collect() };
        // Of 9: six are not more than two thirds, seven are; the one who asks is one of them.
        assert_eq!(fresh(&mut heads(8), 1, 9), Some(Millis(3)));
        assert_eq!(fresh(&mut heads(5), 1, 9), None);
        assert_eq!(fresh(&mut [], 3, 4), Some(Millis(u64::MAX)));
    }

    proptest! {
        #[test]
        fn what_is_due_is_never_void(
            now in BEFORE..BEFORE + 10 * T, fresh in BEFORE..BEFORE + 10 * T, certified in BEFORE - T..BEFORE + 4 * T, by_count: bool,
        ) {
            let moment = Moment { now: Millis(now), fresh: Millis(fresh), certified: Some(Millis(certified)), by_count, ..at(0) };
            if let Some(cut) = moment.cut() {
                prop_assert!(cut.0 > BEFORE && cut.0 >= certified);
                prop_assert!(cut.0 + T / 2 < fresh && cut.0 + T / 2 < now);
            }
        }
    }
}
