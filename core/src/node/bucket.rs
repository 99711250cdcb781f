//! Token buckets: how much of this node's work a neighbour or a member may use.

use crate::Millis;

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

    /// Whether `take` would succeed; takes nothing.
    pub(crate) fn has(&self, now: Millis, rate: Rate, tokens: u32) -> bool {
        let mut copy = *self;
        copy.take(now, rate, tokens)
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
}
