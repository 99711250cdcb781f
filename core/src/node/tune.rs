//! Self-tuning: how eagerly a node announces, beacons and approves, from what it sees of its neighbourhood.
//!
//! Everything here chooses *when* and *how much*, never *what is valid*: no value that this controller can take makes a node believe, grant or
//! refuse anything else than it would have, so safety does not rest on it (docs/decisions/0017). It is integers only, fed once a
//! second, and each output is a monotone function of one smoothed measurement, or of a bucket that its own output empties: a
//! first-order system, which approaches its rest from one side and does not swing.
//!
//! The beacon's back-off is the Trickle timer's (RFC 6206 section 4.2): doubled while nothing is new, back to its least as soon as something is.

use crate::Millis;

/// From the least to the most that a parameter may be. Both the same: it is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// The least.
    pub least: T,
    /// The most.
    pub most: T,
}

impl<T: Copy> Span<T> {
    /// A parameter that is not tuned.
    pub const fn fixed(value: T) -> Self {
        Self {
            least: value,
            most: value,
        }
    }
}

/// The bounds inside which a node tunes itself: the policy of the neighbourhood, or of the link that the device is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// Announcements are collected this long.
    pub announce: Span<Millis>,
    /// A beacon to each neighbour this often. Held below a third of P_max, or neighbours would seem silent.
    pub beacon: Span<Millis>,
    /// How long a member with nothing of its own to say waits before it approves what others said (the slot).
    pub slot: Span<Millis>,
    /// Tips chosen beside the own previous transaction, 1 to 7.
    pub tips: Span<u8>,
    /// How old a tip may be to be chosen, in hundredths of P_max.
    pub freshness: Span<u8>,
    /// Approvals that all members together may add per hour, beside what they say anyway. 0: none.
    pub approvals: u32,
}

impl Tuning {
    /// For links that carry some kilobytes a second: Ethernet, Wi-Fi, and radios with few neighbours.
    pub const DEFAULT: Self = Self {
        announce: Span {
            least: Millis(100),
            most: Millis(300),
        },
        beacon: Span {
            least: Millis(1_000),
            most: Millis(8_000),
        },
        slot: Span {
            least: Millis(500),
            most: Millis(60_000),
        },
        tips: Span { least: 2, most: 4 },
        freshness: Span {
            least: 50,
            most: 75,
        },
        approvals: 18_000,
    };

    /// No approvals but those that come with what the members say, and everything else as it was set.
    #[must_use]
    pub const fn fixed(announce: Millis, beacon: Millis, tips: u8) -> Self {
        Self {
            announce: Span::fixed(announce),
            beacon: Span::fixed(beacon),
            slot: Span::fixed(Millis(0)),
            tips: Span::fixed(tips),
            freshness: Span::fixed(75),
            approvals: 0,
        }
    }

    /// The same, but nobody's word is given for others: a device that must save its battery.
    #[must_use]
    pub const fn without_approvals(mut self) -> Self {
        self.approvals = 0;
        self
    }
}

/// Once a second.
const PERIOD: Millis = Millis(1_000);
/// Weight of a new sample: 1/8.
const SMOOTHING: u32 = 3;
/// One, in the fixed point of the smoothed values.
const ONE: u32 = 256;
/// So few requests are repeated that nothing much is lost, in 1/256.
const FEW: u32 = 6;
/// Ids that an announcement should not exceed: below what fits one, so that bursts fit too.
const FULL: u32 = 48;
/// Approvals that may be said at once, after a long rest.
const BURST: u64 = 8;
/// Beacons that told nothing new, at most: from then on the wait is doubled no more.
const CALM: u32 = 16;
/// Milliseconds in an hour.
const HOUR: u64 = 3_600_000;

/// Moves a smoothed value towards a sample, and reaches it.
fn smooth(value: u32, sample: u32) -> u32 {
    let step = value.abs_diff(sample).div_ceil(1 << SMOOTHING);
    if value < sample {
        value.saturating_add(step)
    } else {
        value.saturating_sub(step)
    }
}

/// Between `least` at 0 and `most` at `of`, and there beyond it.
fn between(span: Span<u64>, part: u64, of: u64) -> u64 {
    let (width, part) = (span.most.saturating_sub(span.least), part.min(of));
    // Mostly the product fits, and few processors divide 128 bits by themselves. The share is not above the width, which is 64 bits.
    let share = match width.checked_mul(part) {
        Some(product) => product.checked_div(of).unwrap_or(0),
        None => u128::from(width)
            .saturating_mul(u128::from(part))
            .checked_div(u128::from(of))
            .and_then(|share| u64::try_from(share).ok())
            .unwrap_or(u64::MAX),
    };
    span.least.saturating_add(share)
}

/// How often a neighbour gets a beacon: the same for all of them, so it is worked out once for a walk over them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    least: Millis,
    most: Millis,
    /// Lost frames are found by beacons: where none are, they tell nothing that announcements did not.
    rests: bool,
}

impl Pace {
    /// A beacon after this, `calm` beacons having told nothing new.
    pub(crate) fn after(self, calm: u8) -> Millis {
        let calm = match self.rests {
            true => CALM,
            false => u32::from(calm).min(CALM),
        };
        let doubled = self.least.0.checked_shl(calm).unwrap_or(u64::MAX);
        Millis(doubled.min(self.most.0))
    }

    /// The longest wait.
    pub(crate) fn longest(self) -> Millis {
        self.after(u8::MAX)
    }
}

/// What the node saw since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Vertices inserted.
    pub(crate) inserted: u32,
    /// Requests made, and those of them made again.
    pub(crate) asked: u32,
    pub(crate) repeated: u32,
    /// Tips of the window.
    pub(crate) tips: u32,
}

/// The controller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuner {
    bounds: Tuning,
    /// P_max and members with weight; nothing is tuned before they are known.
    parent_age: Millis,
    members: u32,
    /// Vertices per second, in 1/256.
    rate: u32,
    /// Tips, in 1/256.
    tips: u32,
    /// Share of requests that had to be repeated, in 1/256.
    loss: u32,
    /// What may be spent on approvals: one costs an hour's milliseconds times the members, and each millisecond earns the allowance per hour.
    credit: u64,
    /// Approvals per hour, all members together, as far as their places go.
    allowance: u32,
    looked: Millis,
    earned: Millis,
}

impl Tuner {
    pub(crate) const fn new(bounds: Tuning) -> Self {
        Self {
            bounds,
            parent_age: Millis(0),
            members: 0,
            rate: 0,
            tips: 0,
            loss: 0,
            credit: 0,
            allowance: 0,
            looked: Millis(0),
            earned: Millis(0),
        }
    }

    /// Other bounds, from now on. What was seen stays.
    pub(crate) fn bound(&mut self, bounds: Tuning) {
        self.bounds = bounds;
    }

    /// The neighbourhood is known. `places`: own transactions that may be unsettled, per period T.
    pub(crate) fn learn(&mut self, members: u32, parent_age: Millis, period: Millis, places: u16) {
        self.parent_age = parent_age;
        let first = self.members == 0;
        if members == 0 {
            return;
        }
        self.members = members;
        // Approvals shall not take the places of what the application has to say: a quarter of them at most.
        let share = u64::from(places / 4).saturating_mul(u64::from(self.members));
        let most = share
            .saturating_mul(HOUR)
            .checked_div(period.0)
            .unwrap_or(0);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.allowance = self.bounds.approvals.min(most);
        if first {
            self.credit = self.capacity();
        }
        self.credit = self.credit.min(self.capacity());
    }

    fn cost(&self) -> u64 {
        HOUR.saturating_mul(u64::from(self.members))
    }

    fn capacity(&self) -> u64 {
        self.cost().saturating_mul(BURST)
    }

    /// Whether it is time to look again.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        now >= self.looked.saturating_add(PERIOD.0)
    }

    /// Takes in what was seen since the last look.
    pub(crate) fn look(&mut self, now: Millis, seen: Seen) {
        let elapsed = now.saturating_sub(self.looked.0).0.clamp(1, 3_600_000);
        self.looked = now;
        let per_second = u64::from(seen.inserted)
            .saturating_mul(1_000)
            .saturating_mul(u64::from(ONE))
            .checked_div(elapsed)
            .unwrap_or(0);
        // A node that slept did not see what was said meanwhile in one second: as many steps as seconds, at most until it is forgotten.
        for _ in 0..(elapsed / PERIOD.0).clamp(1, 64) {
            self.rate = smooth(self.rate, u32::try_from(per_second).unwrap_or(u32::MAX));
            self.tips = smooth(self.tips, seen.tips.saturating_mul(ONE));
            let lost = seen
                .repeated
                .saturating_mul(ONE)
                .checked_div(seen.asked)
                .unwrap_or(0);
            self.loss = smooth(self.loss, lost.min(ONE));
        }
    }

    /// Announcements are collected this long. Few vertices: none would share the frame, so they are told at once. The more
    /// there are, the longer it pays to wait, until a frame is full.
    pub(crate) fn announce(&self) -> Millis {
        let Span { least, most } = self.bounds.announce;
        let rate = u64::from(self.rate);
        // Two within the longest wait.
        let busy = u64::from(ONE)
            .saturating_mul(2_000)
            .checked_div(most.0)
            .unwrap_or(0)
            .max(1);
        let span = Span {
            least: least.0,
            most: most.0,
        };
        let wait = between(span, rate, busy);
        let full = u64::from(FULL)
            .saturating_mul(1_000)
            .saturating_mul(u64::from(ONE))
            .checked_div(rate)
            .unwrap_or(u64::MAX);
        Millis(wait.min(full).max(least.0))
    }

    /// How the wait for a beacon goes with how little there is to tell.
    pub(crate) fn pace(&self) -> Pace {
        let Span { least, most } = self.bounds.beacon;
        let most = between(
            Span {
                least: 0,
                most: most.0.saturating_sub(least.0),
            },
            u64::from(ONE.saturating_sub(self.loss.saturating_mul(2).min(ONE))),
            u64::from(ONE),
        )
        .saturating_add(least.0);
        let audible = match self.parent_age.0 / 3 {
            0 => u64::MAX,
            third => third,
        };
        Pace {
            least,
            most: Millis(most.min(audible)),
            rests: self.loss < FEW,
        }
    }

    /// Tips to choose: more where many are left open.
    pub(crate) fn tips(&self) -> u8 {
        let Span { least, most } = self.bounds.tips;
        let wanted = (self.tips / ONE) / 4;
        u8::try_from(wanted)
            .unwrap_or(u8::MAX)
            .min(most.max(least))
            .max(least)
            .clamp(1, 7)
    }

    /// How old a tip may be to be chosen: the longer the slot, the longer.
    pub(crate) fn freshness(&self) -> Millis {
        let Span { least, most } = self.bounds.freshness;
        let of = |share: u8| self.parent_age.0.saturating_mul(u64::from(share.min(100))) / 100;
        let wanted = self.slot().map_or(u64::MAX, |s| s.0.saturating_mul(4));
        Millis(wanted.min(of(most.max(least))).max(of(least)))
    }

    /// How long to wait before approving what others said; `None`: that is not done. It grows from its least to its most as the allowance is
    /// used up, and with loss, since what is lost has to be said again.
    pub(crate) fn slot(&self) -> Option<Millis> {
        if self.allowance == 0 {
            return None;
        }
        let Span { least, most } = self.bounds.slot;
        let span = Span {
            least: least.0,
            most: most.0.max(least.0),
        };
        let capacity = self.capacity();
        let used = u128::from(capacity.saturating_sub(self.credit))
            .saturating_mul(1 << 16)
            .checked_div(u128::from(capacity))
            .and_then(|used| u64::try_from(used).ok())
            .unwrap_or(0);
        let wait = between(span, used.saturating_mul(used), 1 << 32);
        let lost = between(
            Span {
                least: 0,
                most: wait,
            },
            self.loss.into(),
            ONE.into(),
        );
        Some(Millis(wait.saturating_add(lost).min(span.most)))
    }

    /// What was earned until now.
    pub(crate) fn earn(&mut self, now: Millis) {
        let elapsed = now.saturating_sub(self.earned.0).0;
        self.earned = now;
        let earned = elapsed.saturating_mul(u64::from(self.allowance));
        self.credit = self.credit.saturating_add(earned).min(self.capacity());
    }

    /// Whether one approval can be paid.
    pub(crate) fn affords(&self) -> bool {
        self.credit >= self.cost()
    }

    /// When it can be, from now.
    pub(crate) fn affords_in(&self) -> Millis {
        let short = self.cost().saturating_sub(self.credit);
        let wait = short.checked_div(u64::from(self.allowance));
        Millis(wait.unwrap_or(u64::MAX).saturating_add(1))
    }

    /// One approval was said.
    pub(crate) fn spend(&mut self) {
        self.credit = self.credit.saturating_sub(self.cost());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tuner() -> Tuner {
        let mut tuner = Tuner::new(Tuning::DEFAULT);
        tuner.learn(20, Millis(15_000), Millis(60_000), 64);
        tuner
    }

    fn look(tuner: &mut Tuner, second: u64, inserted: u32, tips: u32, loss: u32) {
        tuner.look(
            Millis(second * 1_000),
            Seen {
                inserted,
                asked: 100,
                repeated: loss,
                tips,
            },
        );
    }

    /// How often a series changes its direction.
    fn turns(series: &[u64]) -> usize {
        let steps: Vec<i64> = series
            .windows(2)
            .map(|w| w[1] as i64 - w[0] as i64)
            .filter(|d| *d != 0)
            .collect();
        steps
            .windows(2)
            .filter(|w| w[0].signum() != w[1].signum())
            .count()
    }

    #[test]
    fn a_step_is_approached_from_one_side() {
        for (before, after) in [(0u32, 4u32), (4, 0), (1, 9), (0, 2000), (2000, 1)] {
            let mut tuner = tuner();
            for second in 1..100 {
                look(&mut tuner, second, before, before, 0);
            }
            let mut tips = Vec::new();
            let mut rates = Vec::new();
            for second in 100..200 {
                look(&mut tuner, second, after, after, 0);
                tips.push(u64::from(tuner.tips()));
                rates.push(u64::from(tuner.rate));
            }
            assert_eq!(turns(&tips), 0, "{before} to {after}");
            assert_eq!(turns(&rates), 0, "{before} to {after}");
            assert_eq!(rates.last(), Some(&u64::from(after * ONE)), "it arrives");
        }
    }

    #[test]
    fn a_ramp_is_followed_without_a_swing() {
        let mut tuner = tuner();
        let mut waits = Vec::new();
        for second in 1..400u64 {
            look(&mut tuner, second, (second / 30) as u32, 3, 0);
            waits.push(tuner.announce().0);
        }
        assert_eq!(turns(&waits), 0, "{waits:?}");
        assert_eq!((waits[0], waits[398]), (100, 300));
        // So many that a frame fills sooner.
        for second in 400..500 {
            look(&mut tuner, second, 300, 3, 0);
        }
        assert_eq!(tuner.announce(), Millis(160));
    }

    #[test]
    fn constant_demand_finds_one_slot_and_stays_within_the_allowance() {
        let mut tuner = tuner();
        let (mut now, mut said, mut slots) = (Millis(0), 0u64, Vec::new());
        while now.0 < HOUR * 3 {
            tuner.earn(now);
            let slot = tuner.slot().unwrap();
            let wait = if tuner.affords() {
                tuner.spend();
                said += 1;
                slots.push(slot.0);
                slot
            } else {
                tuner.affords_in()
            };
            now = now.saturating_add(wait.0);
        }
        // 18,000 an hour among 20, for three hours, and what had been saved.
        assert!((2_600..=3 * 900 + BURST).contains(&said), "{said}");
        let rest = &slots[slots.len() / 2..];
        let (least, most) = (rest.iter().min().unwrap(), rest.iter().max().unwrap());
        assert!(most - least <= most / 50, "{least} to {most}");
        assert!(turns(&slots[..40]) <= 1, "{:?}", &slots[..40]);
    }

    #[test]
    fn beacons_back_off_and_come_back() {
        let mut tuner = tuner();
        let waits: Vec<u64> = (0..6).map(|calm| tuner.pace().after(calm).0).collect();
        assert_eq!(waits, [5_000; 6], "a third of P_max");
        for second in 1..20 {
            look(&mut tuner, second, 1, 1, 5);
        }
        let waits: Vec<u64> = (0..4).map(|calm| tuner.pace().after(calm).0).collect();
        assert_eq!(waits[..2], [1_000, 2_000], "something is lost");
        for second in 20..120 {
            look(&mut tuner, second, 1, 1, 60);
        }
        assert_eq!(tuner.pace().after(9), Millis(1_000), "much is lost");
    }

    #[test]
    fn without_an_allowance_nobody_speaks_for_others() {
        let mut tuner = Tuner::new(Tuning::fixed(Millis(100), Millis(1_000), 2));
        tuner.learn(20, Millis(30_000), Millis(600_000), 64);
        assert_eq!(tuner.slot(), None);
        assert_eq!(
            (tuner.announce(), tuner.pace().after(9)),
            (Millis(100), Millis(1_000))
        );
        assert_eq!((tuner.tips(), tuner.freshness()), (2, Millis(22_500)));
    }

    proptest! {
        #[test]
        fn it_never_leaves_its_bounds(
            looks in proptest::collection::vec((0u64..1 << 40, any::<[u32; 4]>(), any::<u8>()), 1..60),
            members in any::<u32>(), age in any::<u64>(), period in any::<u64>(), places in any::<u16>(),
            bounds in any::<[u64; 6]>(), shares in any::<[u8; 4]>(), approvals in any::<u32>(),
        ) {
            let span = |a: u64, b: u64| Span { least: Millis(a.min(b)), most: Millis(a.max(b)) };
            let [a, b, c, d, e, f] = bounds;
            let [g, h, i, j] = shares;
            let tuning = Tuning {
                announce: span(a, b),
                beacon: span(c, d),
                slot: span(e, f),
                tips: Span { least: g.min(h), most: g.max(h) },
                freshness: Span { least: i.min(j), most: i.max(j) },
                approvals,
            };
            let mut tuner = Tuner::new(tuning);
            let mut now = 0u64;
            for (step, [inserted, asked, repeated, tips], calm) in looks {
                tuner.learn(members, Millis(age), Millis(period), places);
                now = now.saturating_add(step);
                tuner.earn(Millis(now));
                tuner.look(Millis(now), Seen { inserted, asked, repeated, tips });
                prop_assert!(tuner.announce() >= tuning.announce.least && tuner.announce() <= tuning.announce.most);
                prop_assert!(tuner.pace().after(calm) <= tuning.beacon.most);
                prop_assert!((1..=7).contains(&tuner.tips()));
                prop_assert!(tuner.freshness() <= Millis(age));
                if let Some(slot) = tuner.slot() {
                    prop_assert!(slot >= tuning.slot.least && slot <= tuning.slot.most);
                }
                if tuner.affords() {
                    tuner.spend();
                }
                let _ = tuner.affords_in();
            }
        }
    }
}
