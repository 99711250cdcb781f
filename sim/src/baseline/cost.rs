//! What a strategy costs, in counts.

use std::ops::Sub;

/// Counters, rising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Vertices read or written while following: insertion, weights, scores, trims.
    pub follow: u64,
    /// Vertices read while choosing tips.
    pub choose: u64,
    /// Signature checks.
    pub checks: u64,
}

impl Counts {
    /// Vertices touched.
    #[must_use]
    pub const fn touched(&self) -> u64 {
        self.follow + self.choose
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            follow: self.follow - earlier.follow,
            choose: self.choose - earlier.choose,
            checks: self.checks - earlier.checks,
        }
    }
}
