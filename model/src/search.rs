//! Explicit-state search: breadth first with symmetry reduction, and seeded random walks.
//!
//! Invariant: with the same model and bounds the same states are visited in the same order, so every figure but the seconds can be
//! reproduced. Breadth first means that the first violation has the fewest steps. States are told apart by 64-bit fingerprints: with 10^8
//! states the chance that any was taken for another is below 10^-3 (n^2 / 2^65).

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::Duration;

/// A violated property, in words.
pub type Violation = String;

/// What can be searched.
pub trait Model {
    /// A global state; equal states behave equally.
    type State: Clone + Eq + Hash;
    /// Where it begins.
    fn initial(&self) -> Self::State;
    /// Every successor, in an order that is a function of the state alone.
    fn successors(&self, state: &Self::State, out: &mut Vec<Self::State>);
    /// One successor drawn at random, within bounds that may be wider than those of `successors`; `None` at the end.
    fn draw(&self, state: &Self::State, rng: &mut Rng) -> Option<Self::State>;
    /// The representative of all states that differ only in the names of members that behave alike.
    fn canonical(&self, state: Self::State) -> Self::State;
    /// What is wrong in this state.
    fn violation(&self, state: &Self::State) -> Option<Violation>;
    /// Which of `milestones` hold, as bits: they show that the safety checks are not vacuous.
    fn reached(&self, state: &Self::State) -> u32;
    /// The names of the bits of `reached`.
    fn milestones(&self) -> &'static [&'static str];
    /// What a state takes in memory.
    fn bytes(&self, state: &Self::State) -> usize;
    /// What happened between two states, for a reader.
    fn describe(&self, before: &Self::State, after: &Self::State) -> String;
}

/// SplitMix64: small, seeded, the same everywhere.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below n (n > 0).
    pub fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }

    /// True once in n.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A fingerprint: two multiplications a word, the finish of SplitMix64.
#[derive(Clone, Debug, Default)]
pub struct Fingerprint(u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        Rng(self.0).word()
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let x = u128::from(self.0 ^ word ^ 0x517c_c1b7_2722_0a95)
            .wrapping_mul(0xa076_1d64_78bd_642f_e703_7ed1_a0b4_28db);
        self.0 = (x >> 64) as u64 ^ (x as u64).rotate_left(29) ^ word.rotate_left(17);
    }

    fn write_u8(&mut self, i: u8) {
        self.write_u64(u64::from(i));
    }

    fn write_u32(&mut self, i: u32) {
        self.write_u64(u64::from(i));
    }

    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }
}

/// Fingerprints are hashes already.
#[derive(Clone, Debug, Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}

/// The fingerprint of a state.
pub fn fingerprint<T: Hash>(state: &T) -> u64 {
    let mut hasher = Fingerprint::default();
    state.hash(&mut hasher);
    hasher.finish()
}

/// What this thread has used of a CPU; nothing where the system does not tell.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat");
    let nanoseconds = told
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// States visited at most.
    pub states: usize,
}

/// A violation with the shortest way to it.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The property, in words.
    pub violation: Violation,
    /// One line per step.
    pub steps: Vec<String>,
}

impl Counterexample {
    /// Numbered lines, and what went wrong.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (i, step) in self.steps.iter().enumerate() {
            let _ = writeln!(out, "{:>3}. {step}", i + 1);
        }
        let _ = writeln!(out, "  => {}", self.violation);
        out
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Distinct states, by fingerprint and symmetry.
    pub states: usize,
    /// Successors generated, also those seen before.
    pub transitions: u64,
    /// Steps of the longest shortest way, or of the longest walk.
    pub depth: usize,
    /// Every state within the model's bounds was visited.
    pub complete: bool,
    /// Every state within so many steps was visited.
    pub exhausted: usize,
    /// How many states had each milestone.
    pub reached: Vec<u64>,
    /// The first violation, if any.
    pub found: Option<Counterexample>,
    /// CPU time: others may use the machine.
    pub time: Duration,
    /// Bytes of the visited set, the way back and the widest frontier.
    pub memory: usize,
}

/// Searches breadth first until there is no new state, a violation, or the bound.
pub fn exhaust<M: Model>(model: &M, bounds: Bounds) -> Report {
    let begin = cpu_time();
    let mut seen: HashSet<u64, BuildHasherDefault<Taken>> = HashSet::default();
    // The way back: the state before, and which of its successors this one is.
    let mut way: Vec<(u32, u32)> = Vec::new();
    let mut report = Report {
        states: 0,
        transitions: 0,
        depth: 0,
        complete: true,
        exhausted: 0,
        reached: vec![0; model.milestones().len()],
        found: None,
        time: Duration::ZERO,
        memory: 0,
    };
    let first = model.canonical(model.initial());
    seen.insert(fingerprint(&first));
    way.push((0, 0));
    let mut frontier = vec![(0u32, first)];
    let mut next = Vec::new();
    let mut successors = Vec::new();
    let mut widest = 0;
    'search: while !frontier.is_empty() {
        let mut width: usize = frontier.iter().map(|(_, s)| model.bytes(s)).sum();
        for (index, state) in frontier.drain(..) {
            tally(&mut report.reached, model.reached(&state));
            if let Some(violation) = model.violation(&state) {
                report.found = Some(Counterexample {
                    violation,
                    steps: retrace(model, &way, index),
                });
                report.complete = false;
                break 'search;
            }
            successors.clear();
            model.successors(&state, &mut successors);
            for (ordinal, successor) in successors.drain(..).enumerate() {
                report.transitions += 1;
                let successor = model.canonical(successor);
                if !seen.insert(fingerprint(&successor)) {
                    continue;
                }
                if way.len() >= bounds.states {
                    report.complete = false;
                    continue;
                }
                width += model.bytes(&successor);
                next.push((way.len() as u32, successor));
                way.push((index, ordinal as u32));
            }
        }
        widest = widest.max(width);
        if !next.is_empty() {
            report.depth += 1;
        }
        if report.complete {
            report.exhausted = report.depth;
        }
        std::mem::swap(&mut frontier, &mut next);
    }
    report.states = way.len();
    report.time = cpu_time().saturating_sub(begin);
    report.memory = seen.capacity() * 9 + way.capacity() * 8 + widest;
    report
}

fn tally(counts: &mut [u64], bits: u32) {
    for (i, count) in counts.iter_mut().enumerate() {
        *count += u64::from(bits >> i & 1);
    }
}

/// The steps to a state. Representatives rename members, so the way is walked again without renaming: at each step by the first
/// successor whose representative is the one that was visited.
fn retrace<M: Model>(model: &M, way: &[(u32, u32)], end: u32) -> Vec<String> {
    let mut ordinals = Vec::new();
    let mut here = end;
    while here != 0 {
        let (before, ordinal) = way[here as usize];
        ordinals.push(ordinal as usize);
        here = before;
    }
    let mut canonical = model.canonical(model.initial());
    let mut real = model.initial();
    let mut steps = Vec::new();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for ordinal in ordinals.into_iter().rev() {
        a.clear();
        model.successors(&canonical, &mut a);
        canonical = model.canonical(a.swap_remove(ordinal));
        b.clear();
        model.successors(&real, &mut b);
        let place = b
            .iter()
            .position(|s| model.canonical(s.clone()) == canonical)
            .expect("symmetry");
        let after = b.swap_remove(place);
        steps.push(model.describe(&real, &after));
        real = after;
    }
    steps
}

/// Walks at random from the beginning again and again until so many steps were taken; the shortest violation is kept.
pub fn walk<M: Model>(model: &M, seed: u64, steps: u64) -> Report {
    let begin = cpu_time();
    let mut rng = Rng(seed);
    let mut report = Report {
        states: 0,
        transitions: 0,
        depth: 0,
        complete: false,
        exhausted: 0,
        reached: vec![0; model.milestones().len()],
        found: None,
        time: Duration::ZERO,
        memory: 0,
    };
    let mut path: Vec<M::State> = Vec::new();
    while report.transitions < steps {
        report.states += 1; // Walks, here.
        path.clear();
        path.push(model.initial());
        while let Some(after) = model.draw(&path[path.len() - 1], &mut rng) {
            report.transitions += 1;
            if let Some(violation) = model.violation(&after) {
                path.push(after);
                let shortest = report.found.as_ref().map_or(usize::MAX, |f| f.steps.len());
                if path.len() - 1 < shortest {
                    let pairs = path.windows(2);
                    let steps = pairs.map(|pair| model.describe(&pair[0], &pair[1]));
                    report.found = Some(Counterexample {
                        violation,
                        steps: steps.collect(),
                    });
                }
                break;
            }
            path.push(after);
        }
        report.depth = report.depth.max(path.len() - 1);
        tally(&mut report.reached, model.reached(&path[path.len() - 1]));
    }
    report.time = cpu_time().saturating_sub(begin);
    report
}

/// Follows a scenario that was found by thought, where no search reaches it: at each step the first successor whose description has all
/// these words, of those with the shortest description.
pub fn follow<M: Model>(model: &M, script: &[&[&str]]) -> Report {
    let begin = cpu_time();
    let mut report = Report {
        states: 1,
        transitions: 0,
        depth: 0,
        complete: false,
        exhausted: 0,
        reached: vec![0; model.milestones().len()],
        found: None,
        time: Duration::ZERO,
        memory: 0,
    };
    let mut here = model.initial();
    let mut steps = Vec::new();
    let mut successors = Vec::new();
    for words in script {
        successors.clear();
        model.successors(&here, &mut successors);
        report.transitions += 1;
        let told = successors
            .drain(..)
            .map(|s| (model.describe(&here, &s), s))
            .filter(|(text, _)| words.iter().all(|w| text.contains(w)))
            .min_by_key(|(text, _)| text.len());
        let Some((text, after)) = told else {
            break;
        };
        steps.push(text);
        report.depth += 1;
        here = after;
        if let Some(violation) = model.violation(&here) {
            report.found = Some(Counterexample { violation, steps });
            break;
        }
    }
    tally(&mut report.reached, model.reached(&here));
    report.time = cpu_time().saturating_sub(begin);
    report
}
