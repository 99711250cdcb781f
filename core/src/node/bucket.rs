//! Token buckets: how much of this node's work a neighbour or a member may use.

use crate::{MemberIndex, Millis};

/// Tokens refill steadily up to a burst. Integers only: a token is worth 1000 milli-tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    milli: u32,
    at: Millis,
}

/// Rate and burst of a class of buckets.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Tokens per second.
    pub per_second: u32,
    /// Most tokens saved up.
    pub burst: u32,
}

impl Bucket {
    pub(crate) fn full(now: Millis, rate: Rate) -> Self {
        Self {
            milli: rate.burst.saturating_mul(1000),
            at: now,
        }
    }

    /// Takes `tokens`, or all that there are.
    pub(crate) fn fine(&mut self, now: Millis, rate: Rate, tokens: u32) {
        if !self.take(now, rate, tokens) {
            self.milli = 0;
        }
    }

    /// Takes `tokens`, or nothing where there are not enough.
    pub(crate) fn take(&mut self, now: Millis, rate: Rate, tokens: u32) -> bool {
        let passed = now.saturating_sub(self.at.0).0;
        let refill = passed.saturating_mul(u64::from(rate.per_second));
        let ceiling = u64::from(rate.burst).saturating_mul(1000);
        let milli = u64::from(self.milli).saturating_add(refill).min(ceiling);
        self.milli = u32::try_from(milli).unwrap_or(u32::MAX);
        self.at = self.at.max(now);
        let cost = tokens.saturating_mul(1000);
        match self.milli.checked_sub(cost) {
            Some(rest) => {
                self.milli = rest;
                true
            }
            None => false,
        }
    }
}

/// Tokens that one member may save up here. It gets one each millisecond, so that a bucket is told by the time when it will be full again.
const MEMBER_BURST: u32 = 4_000;

/// The bucket of one member: eight bytes, since there may be many.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberBucket {
    /// When it will be full again, in milliseconds modulo 2^32. Not later than a burst from now, so that an old value is known as such.
    full: u32,
    member: u16,
    /// Something was taken from it once.
    used: bool,
}

impl MemberBucket {
    /// How many tokens are gone.
    fn gone(&self, now: u32) -> u32 {
        let left = self.full.wrapping_sub(now);
        // What lies in the past is full; a clock that went back gives nothing.
        if left > u32::MAX / 2 || !self.used {
            0
        } else {
            left.min(MEMBER_BURST)
        }
    }
}

/// The buckets of the members over caller memory: of all, or of those that spoke last.
#[derive(Debug)]
pub struct MemberBuckets<'m> {
    places: &'m mut [MemberBucket],
    whole: bool,
}

impl<'m> MemberBuckets<'m> {
    pub(crate) fn new(places: &'m mut [MemberBucket], members: usize) -> Self {
        places.fill(MemberBucket::default());
        let whole = places.len() >= members;
        Self { places, whole }
    }

    pub(crate) fn into_inner(self) -> &'m mut [MemberBucket] {
        self.places
    }

    /// The bucket of a member, in a place of its own from here on. Where there are fewer places than members it takes the fullest one's.
    fn of(&mut self, now: u32, member: MemberIndex) -> Option<&mut MemberBucket> {
        if self.whole {
            return self.places.get_mut(usize::from(member.0));
        }
        let own = |p: &MemberBucket| p.member == member.0 && p.gone(now) > 0;
        let at = match self.places.iter().position(own) {
            Some(at) => at,
            None => {
                let all = self.places.iter().enumerate();
                let (at, _) = all.min_by_key(|(_, p)| p.gone(now))?;
                *self.places.get_mut(at)? = MemberBucket {
                    full: now,
                    member: member.0,
                    used: true,
                };
                at
            }
        };
        self.places.get_mut(at)
    }

    /// Whether a member has a token left.
    pub(crate) fn has(&mut self, now: Millis, member: MemberIndex) -> bool {
        self.left(now, member).is_none_or(|(_, left)| left)
    }

    /// The bucket of a member, and whether it has a token left.
    fn left(&mut self, now: Millis, member: MemberIndex) -> Option<(&mut MemberBucket, bool)> {
        let now = now.0 as u32;
        let bucket = self.of(now, member)?;
        let gone = bucket.gone(now);
        // So that it is told from an old value later on.
        bucket.full = now.wrapping_add(gone);
        bucket.used = true;
        Some((bucket, gone < MEMBER_BURST))
    }

    /// Takes a token of a member, if it has one.
    pub(crate) fn take(&mut self, now: Millis, member: MemberIndex) {
        if let Some((bucket, true)) = self.left(now, member) {
            bucket.full = bucket.full.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refills_to_the_burst_and_no_further() {
        let rate = Rate {
            per_second: 10,
            burst: 5,
        };
        let mut bucket = Bucket::full(Millis(0), rate);
        for _ in 0..5 {
            assert!(bucket.take(Millis(0), rate, 1));
        }
        assert!(!bucket.take(Millis(0), rate, 1));
        assert!(!bucket.take(Millis(99), rate, 1));
        assert!(bucket.take(Millis(100), rate, 1));
        assert!(!bucket.take(Millis(60_000), rate, 6));
        assert!(bucket.take(Millis(60_000), rate, 5));
    }

    #[test]
    fn a_members_clock_that_goes_back_gives_nothing_and_an_old_value_does_no_harm() {
        let mut places = [MemberBucket::default(); 1];
        let mut buckets = MemberBuckets::new(&mut places, 1);
        let (member, start) = (MemberIndex(0), Millis(10_000));
        for _ in 0..MEMBER_BURST {
            assert!(buckets.has(start, member));
            buckets.take(start, member);
        }
        assert!(!buckets.has(start, member));
        assert!(!buckets.has(Millis(9_000), member));
        assert!(!buckets.has(Millis(9_000), member));
        assert!(buckets.has(Millis(9_001), member));
        // 40 days later the number looks as if it were to come: it is taken for an empty bucket once.
        let later = Millis(40 * 86_400_000);
        let _ = buckets.has(later, member);
        assert!(buckets.has(later.saturating_add(1), member));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let rate = Rate {
            per_second: 1000,
            burst: 1,
        };
        let mut bucket = Bucket::full(Millis(1000), rate);
        assert!(bucket.take(Millis(1000), rate, 1));
        assert!(!bucket.take(Millis(0), rate, 1));
        assert!(!bucket.take(Millis(1000), rate, 1));
        assert!(bucket.take(Millis(1001), rate, 1));
    }

    const MEMBER_RATE: Rate = Rate {
        per_second: 1000,
        burst: MEMBER_BURST,
    };

    proptest::proptest! {
        /// It is the same bucket as the long one, for any number of members and times that go on.
        #[test]
        fn a_members_bucket_is_as_good_as_a_long_one(
            start in proptest::prelude::any::<u32>(),
            steps in proptest::collection::vec((0u64..6_000, 0u16..3, 1u32..4_100), 1..40),
        ) {
            let mut now = u64::from(start);
            let mut places = [MemberBucket::default(); 3];
            let mut short = MemberBuckets::new(&mut places, 3);
            let mut long = [Bucket::full(Millis(now), MEMBER_RATE); 3];
            for (pause, member, times) in steps {
                now += pause;
                for _ in 0..times {
                    let has = short.has(Millis(now), MemberIndex(member));
                    short.take(Millis(now), MemberIndex(member));
                    proptest::prop_assert_eq!(has, long[usize::from(member)].take(Millis(now), MEMBER_RATE, 1));
                }
            }
        }
    }

    #[test]
    fn with_fewer_places_than_members_who_speaks_most_is_still_held() {
        let mut places = [MemberBucket::default(); 8];
        let mut buckets = MemberBuckets::new(&mut places, 1000);
        let mut allowed = 0;
        for turn in 0..6_000u64 {
            // One floods, at ten a millisecond; all others say a word each.
            let now = Millis(1_000_000 + turn / 10);
            let other = MemberIndex(1 + (turn % 999) as u16);
            assert!(buckets.has(now, other), "turn {turn}");
            buckets.take(now, other);
            allowed += u32::from(buckets.has(now, MemberIndex(0)));
            buckets.take(now, MemberIndex(0));
        }
        // Its burst, and one for each millisecond.
        assert!((4_000..=4_000 + 700).contains(&allowed), "{allowed}");
    }
}
