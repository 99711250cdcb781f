//! Times several operations in turns and compares them round by round.
//!
//! What counts is the CPU time of this thread, so that what else runs on the machine is not measured along.

use rustix::time::{ClockId, clock_gettime};

/// What the turns gave, in nanoseconds per call.
pub struct Turns {
    rounds: Vec<Vec<f64>>,
}

/// An operation, and what it needs first: made ready once before each turn, off the clock.
pub type Prepared<'a> = (&'a mut dyn FnMut(), &'a mut dyn FnMut());

/// Runs `rounds` rounds; in each, every operation `repeat` times in a row. Each round begins with another operation, since the one
/// that runs first finds the caches cold. The first rounds warm up and are dropped.
pub fn interleave(rounds: usize, repeat: u32, operations: &mut [&mut dyn FnMut()]) -> Turns {
    let mut nothing = vec![|| (); operations.len()];
    let mut prepared: Vec<Prepared<'_>> = Vec::new();
    for (nothing, operation) in nothing.iter_mut().zip(operations) {
        prepared.push((nothing, *operation));
    }
    interleave_prepared(rounds, repeat, &mut prepared)
}

/// The same, with what each operation needs made ready before its turn.
pub fn interleave_prepared(rounds: usize, repeat: u32, operations: &mut [Prepared<'_>]) -> Turns {
    let count = operations.len();
    let mut taken = Vec::with_capacity(rounds);
    for round in 0..rounds + count {
        let mut times = vec![0.0; count];
        for turn in 0..count {
            let which = (round + turn) % count;
            let (before, operation) = &mut operations[which];
            before();
            let begin = thread_nanos();
            for _ in 0..repeat {
                operation();
            }
            times[which] = (thread_nanos() - begin) / f64::from(repeat);
        }
        taken.push(times);
    }
    Turns {
        rounds: taken.split_off(count),
    }
}

impl Turns {
    /// Median time of an operation.
    pub fn nanos(&self, operation: usize) -> f64 {
        median(self.rounds.iter().map(|round| round[operation]).collect())
    }

    /// One operation's median over another's.
    pub fn ratio(&self, of: usize, over: usize) -> f64 {
        median(
            self.rounds
                .iter()
                .map(|round| round[of] / round[over])
                .collect(),
        )
    }
}

/// CPU time of this thread.
pub fn thread_nanos() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
