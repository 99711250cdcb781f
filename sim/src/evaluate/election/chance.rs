//! What chance alone gives: seats drawn without replacement. Products and sums only, so that every machine has the same digits.

/// The hypergeometric distribution: for 0, 1, ... `seats`, the chance of so many of `marked` among `seats` drawn out of `all`.
#[must_use]
pub fn hypergeometric(all: u32, marked: u32, seats: u32) -> Vec<f64> {
    let plain = all - marked;
    // C(a, x) C(b, k - x) / C(a + b, k), factor by factor.
    let chance = |x: u32| {
        if x > marked || seats - x > plain {
            return 0.0;
        }
        let mut p = 1.0;
        let (mut left_marked, mut left_plain) = (x, seats - x);
        for drawn in 0..seats {
            // Each drawn unit, with the number of orders that x marked ones can come in.
            let of = f64::from(all - drawn);
            if left_marked > 0 {
                p *= f64::from(marked - (x - left_marked)) / of;
                p *= f64::from(drawn + 1) / f64::from(x - left_marked + 1);
                left_marked -= 1;
            } else {
                p *= f64::from(plain - (seats - x - left_plain)) / of;
                p *= f64::from(drawn + 1) / f64::from(seats - x - left_plain + 1);
                left_plain -= 1;
            }
        }
        // The orders counted above are (seats)! / (x! (seats - x)!).
        p
    };
    (0..=seats).map(chance).collect()
}

/// The greatest distance between the distribution function of `counts` and that of `chances`: Kolmogorov and Smirnov's.
#[must_use]
pub fn distance(counts: &[u64], chances: &[f64]) -> f64 {
    let runs = counts.iter().sum::<u64>().max(1) as f64;
    let (mut seen, mut expected, mut most) = (0.0, 0.0, 0.0_f64);
    for (count, chance) in counts.iter().zip(chances) {
        seen += *count as f64 / runs;
        expected += chance;
        most = most.max((seen - expected).abs());
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_that_of_draws_without_replacement() {
        // 4 marked of 10, 3 drawn: 20, 60, 36 and 4 of 120.
        let p = hypergeometric(10, 4, 3);
        for (p, exact) in p.iter().zip([20.0, 60.0, 36.0, 4.0]) {
            assert!((p - exact / 120.0).abs() < 1e-12);
        }
        for (all, marked, seats) in [(999, 333, 64), (99, 33, 21), (5, 5, 2), (5, 0, 2)] {
            let p = hypergeometric(all, marked, seats);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mean: f64 = p.iter().zip(0..).map(|(p, x)| p * f64::from(x)).sum();
            let expected = f64::from(seats) * f64::from(marked) / f64::from(all);
            assert!((mean - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_distance_is_that_of_the_sums() {
        assert!((distance(&[1, 1], &[0.5, 0.5])).abs() < 1e-12);
        assert!((distance(&[2, 0], &[0.5, 0.5]) - 0.5).abs() < 1e-12);
    }
}
