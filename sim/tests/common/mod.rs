//! What the tests of whole runs share.

use iotedge_sim::actors::Actor;
use iotedge_sim::{Options, Report, Scenario, run_with};

/// A run that must not fail.
pub fn simulate(s: &Scenario, threads: usize, actors: Vec<(u16, Box<dyn Actor>)>) -> Report {
    let options = Options {
        threads,
        actors,
        ..Options::default()
    };
    run_with(s, options).unwrap_or_else(|e| panic!("seed {}: {e}", s.seed))
}

/// A node's deepest call wants more stack than a test thread has in an unoptimised build.
pub fn deep(check: fn()) {
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    let thread = thread.spawn(check).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
