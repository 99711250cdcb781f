//! The only source of chance in the simulator: splitmix64, seeded.
//!
//! Every part draws from a stream of its own, named by a label, so that a change in one part does not shift what another
//! part draws. Good enough to choose delays and tips, never for keys of real devices.

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Rng(u64);

const fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Rng {
    /// The stream of `seed` that is named by `label` and `index`.
    #[must_use]
    pub fn stream(seed: u64, label: &str, index: u64) -> Self {
        let mut state = mix(seed ^ 0x9e37_79b9_7f4a_7c15);
        for byte in label.bytes() {
            state = mix(state
                .wrapping_add(u64::from(byte))
                .wrapping_mul(0x100_0000_01b3));
        }
        Self(mix(state ^ mix(index.wrapping_add(1))))
    }

    /// 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; 0 for bound 0. The bias is below 2^-32 for every bound used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with probability `ppm` in a million.
    pub fn chance(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }

    /// Mixes the order of a slice.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_repeatable_and_apart() {
        let draw = |label, index| {
            let mut rng = Rng::stream(7, label, index);
            [rng.draw(), rng.draw()]
        };
        assert_eq!(draw("link", 0), draw("link", 0));
        assert_ne!(draw("link", 0), draw("link", 1));
        assert_ne!(draw("link", 0), draw("tips", 0));
    }

    #[test]
    fn chance_keeps_its_promise() {
        let mut rng = Rng::stream(1, "test", 0);
        let hits = (0..100_000).filter(|_| rng.chance(200_000)).count();
        assert!((19_000..21_000).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| !rng.chance(0)));
        assert!((0..1000).all(|_| (3..=5).contains(&rng.between(3, 5))));
    }
}
