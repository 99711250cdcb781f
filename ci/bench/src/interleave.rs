//! Times several operations in turns and compares them round by round.

use std::time::Instant;

/// What the turns gave, in nanoseconds per call.
pub struct Turns {
    rounds: Vec<Vec<f64>>,
}

/// Runs `rounds` rounds; in each, every operation `repeat` times in a row. The first round warms up and is dropped.
pub fn interleave(rounds: usize, repeat: u32, operations: &mut [&mut dyn FnMut()]) -> Turns {
    let mut taken = Vec::with_capacity(rounds);
    for _ in 0..=rounds {
        let round = operations.iter_mut().map(|operation| {
            let begin = Instant::now();
            for _ in 0..repeat {
                operation();
            }
            begin.elapsed().as_nanos() as f64 / f64::from(repeat)
        });
        taken.push(round.collect());
    }
    taken.remove(0);
    Turns { rounds: taken }
}

impl Turns {
    /// Median time of an operation.
    pub fn nanos(&self, operation: usize) -> f64 {
        median(self.rounds.iter().map(|round| round[operation]).collect())
    }

    /// Median over the rounds of one operation's time over another's.
    pub fn ratio(&self, of: usize, over: usize) -> f64 {
        median(
            self.rounds
                .iter()
                .map(|round| round[of] / round[over])
                .collect(),
        )
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
