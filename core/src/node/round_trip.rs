//! How long a neighbour takes to answer a request, and how long to wait before somebody else is asked.
//!
//! RFC 6298 section 2, in integers: smoothed round trip and its variation, one request timed at once. Who is slow because its processor or its air is full must
//! not be asked twice, nor others for it: that is how a neighbourhood that is a little overloaded collapses. What was asked of somebody else
//! meanwhile makes nothing ambiguous: an answer is counted for who sends it.

use crate::{Millis, Prefix};

/// No answer is waited for longer.
const LONGEST: u64 = 3_000;

/// The estimate for one neighbour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RoundTrip {
    /// SRTT in eighths of a ms; 0: not measured.
    smoothed: u32,
    /// RTTVAR in quarters of a ms.
    variation: u32,
    /// Tag of the transaction whose request is timed.
    timed: Option<[u8; 4]>,
    since: Millis,
}

impl RoundTrip {
    /// How long to wait for an answer: SRTT + 4 RTTVAR, at least `least`, which also stands where nothing was measured.
    pub(crate) fn timeout(&self, least: Millis) -> Millis {
        let measured =
            u64::from(self.smoothed.wrapping_shr(3)).saturating_add(self.variation.into());
        Millis(measured.min(LONGEST).max(least.0))
    }

    /// These are asked for; `new` is one of them that was not asked for before, of anybody.
    pub(crate) fn asked(&mut self, now: Millis, wanted: &[Prefix], new: Option<&Prefix>) {
        // An answer may be lost: to which of two requests the next one is cannot be told (Karn).
        let again = wanted.iter().any(|prefix| Some(prefix.tag()) == self.timed);
        let stale = now > self.since.saturating_add(LONGEST);
        if again || stale {
            self.timed = None;
        }
        if let Some(prefix) = new.filter(|_| self.timed.is_none()) {
            self.timed = Some(prefix.tag());
            self.since = now;
        }
    }

    /// A transaction came from this neighbour.
    pub(crate) fn answered(&mut self, now: Millis, prefix: &Prefix) {
        if self.timed != Some(prefix.tag()) {
            return;
        }
        self.timed = None;
        let took = now.saturating_sub(self.since.0).0.min(LONGEST);
        let took = u32::try_from(took).unwrap_or(u32::MAX);
        if self.smoothed == 0 {
            self.smoothed = took.saturating_mul(8).max(1);
            self.variation = took.saturating_mul(2);
            return;
        }
        // RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, SRTT = 7/8 SRTT + 1/8 R.
        let away = self.smoothed.wrapping_shr(3).abs_diff(took);
        self.variation = self
            .variation
            .saturating_sub(self.variation.wrapping_shr(2))
            .saturating_add(away);
        self.smoothed = self
            .smoothed
            .saturating_sub(self.smoothed.wrapping_shr(3))
            .saturating_add(took)
            .max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Millis = Millis(300);

    fn prefix(n: u8) -> Prefix {
        Prefix([n; 16])
    }

    /// One request for one transaction.
    fn ask(trip: &mut RoundTrip, now: u64, n: u8) {
        trip.asked(Millis(now), &[prefix(n)], Some(&prefix(n)));
    }

    /// Requests that are all answered after so long.
    fn answered_after(trip: &mut RoundTrip, now: &mut u64, took: u64, times: u8) {
        for n in 1..=times {
            ask(trip, *now, n);
            *now += took;
            trip.answered(Millis(*now), &prefix(n));
        }
    }

    #[test]
    fn it_follows_what_is_measured_and_never_goes_below_the_least() {
        let (mut trip, mut now) = (RoundTrip::default(), 1_000);
        assert_eq!(trip.timeout(LEAST), LEAST);
        answered_after(&mut trip, &mut now, 10, 20);
        assert_eq!(trip.timeout(LEAST), LEAST);
        // One slow answer is enough to wait for the next.
        answered_after(&mut trip, &mut now, 2_000, 1);
        assert!(trip.timeout(LEAST).0 > 2_000, "{trip:?}");
        answered_after(&mut trip, &mut now, 2_000, 40);
        let slow = trip.timeout(LEAST).0;
        assert!((1_990..2_400).contains(&slow), "{slow}");
        answered_after(&mut trip, &mut now, 10, 60);
        assert_eq!(trip.timeout(LEAST), LEAST);
    }

    #[test]
    fn only_what_is_timed_counts_and_a_lost_answer_does_not_stop_it() {
        let mut trip = RoundTrip::default();
        ask(&mut trip, 0, 1);
        ask(&mut trip, 900, 2);
        trip.answered(Millis(5_000), &prefix(2));
        assert_eq!(trip.timeout(LEAST), LEAST);
        // The answer to the first never came.
        ask(&mut trip, LONGEST + 1, 3);
        trip.answered(Millis(LONGEST + 801), &prefix(3));
        assert_eq!(trip.timeout(LEAST), Millis(2_400));
        // Asked again of the same neighbour: which of the two is answered is not known.
        ask(&mut trip, 10_000, 4);
        trip.asked(Millis(10_500), &[prefix(4)], None);
        trip.answered(Millis(12_500), &prefix(4));
        assert_eq!(trip.timeout(LEAST), Millis(2_400));
        // Nor is a late answer waited for longer than the bound.
        ask(&mut trip, 30_000, 5);
        trip.answered(Millis(90_000), &prefix(5));
        assert_eq!(trip.timeout(LEAST), Millis(LONGEST));
    }
}
