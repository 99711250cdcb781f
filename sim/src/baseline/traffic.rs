//! Who issues when: a Poisson process, and who of them is lazy. The same for every strategy.
//!
//! Logarithms are taken bit by bit in integers, so that the same seed gives the same traffic on every machine.

use crate::rng::Rng;

/// A neighbourhood and its traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Seed of every draw.
    pub seed: u64,
    /// Issuers, at most 64; each of weight 1.
    pub issuers: u16,
    /// Mean time between two transactions of all issuers together, in ms.
    pub gap: u64,
    /// h: how long until the others see a transaction, in ms (*The Tangle*, section 2: the network and proof-of-work delay).
    pub delay: u64,
    /// How many of the issuers (the last ones) are lazy.
    pub lazy: u16,
    /// How old what the lazy approve is, in ms.
    pub lazy_age: u64,
}

impl Traffic {
    /// What the page is made with: 32 issuers, 8 transactions a second (900 an hour each), h = 500 ms.
    pub const USUAL: Self = Self {
        seed: 16,
        issuers: 32,
        gap: 125,
        delay: 500,
        lazy: 0,
        lazy_age: 0,
    };

    /// The transactions, without end.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        Arrivals {
            traffic: *self,
            times: Rng::stream(self.seed, "arrivals", 0),
            issuers: Rng::stream(self.seed, "issuers", 0),
            now: 0,
        }
    }
}

/// One transaction to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, in ms. Even, and strictly rising: the odd ones are left to milestones and trims.
    pub time: u64,
    /// By whom.
    pub issuer: u16,
    /// Its issuer chooses no fresh tips.
    pub lazy: bool,
}

/// See [`Traffic::arrivals`].
#[derive(Clone, Debug)]
pub struct Arrivals {
    traffic: Traffic,
    times: Rng,
    issuers: Rng,
    now: u64,
}

/// -log2(u / 2^64) in units of 2^-20.
fn surprise(u: u64) -> u64 {
    let u = u.max(1);
    let zeros = u64::from(u.leading_zeros());
    let mut m = (u << zeros) >> 32;
    let mut fraction = 0;
    for _ in 0..20 {
        m = (m * m) >> 31;
        fraction <<= 1;
        if m >= 1 << 32 {
            m >>= 1;
            fraction |= 1;
        }
    }
    ((zeros + 1) << 20) - fraction
}

/// ln 2 in units of 2^-20.
const LN2: u64 = 726_817;

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        // -ln(u) times the mean, and never two at one time.
        let wait = (surprise(self.times.draw()) * LN2 * self.traffic.gap) >> 40;
        self.now += ((wait + 1) & !1).max(2);
        let issuer = self.issuers.below(self.traffic.issuers.into()) as u16;
        Some(Arrival {
            time: self.now,
            issuer,
            lazy: issuer + self.traffic.lazy >= self.traffic.issuers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_poisson() {
        let traffic = Traffic::USUAL;
        let mut last = 0;
        let (mut sum, mut squares) = (0.0, 0.0);
        let count = 50_000;
        for arrival in traffic.arrivals().take(count) {
            let wait = (arrival.time - last) as f64;
            last = arrival.time;
            sum += wait;
            squares += wait * wait;
        }
        let mean = sum / count as f64;
        let deviation = (squares / count as f64 - mean * mean).sqrt();
        // Of an exponential both are the same.
        assert!((mean - 125.0).abs() < 2.0, "{mean}");
        assert!((deviation - 125.0).abs() < 3.0, "{deviation}");
    }

    #[test]
    fn the_seed_decides() {
        let first = |seed| {
            let traffic = Traffic {
                seed,
                ..Traffic::USUAL
            };
            traffic.arrivals().take(9).collect::<Vec<_>>()
        };
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
