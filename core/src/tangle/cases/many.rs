//! Windows that cannot hold what they judge: 1,000 members over 128 and 256 vertices, and small histories over 32.

use super::super::reference::Model;
use super::super::testing::Rng;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// An honest neighbourhood in which everybody sees the others `lag` vertices late, and each tenth member 40 later still.
struct Crowd {
    members: usize,
    lag: usize,
    rng: Rng,
    facts: Vec<Facts>,
    parents: Vec<Vec<usize>>,
    first_child: Vec<usize>,
    heads: Vec<Option<usize>>,
}

impl Crowd {
    fn new(members: usize, lag: usize, seed: u64) -> Self {
        Self {
            members,
            lag,
            rng: Rng(seed),
            facts: Vec::new(),
            parents: Vec::new(),
            first_child: Vec::new(),
            heads: vec![None; members],
        }
    }

    /// The next vertex and its parents' ids.
    fn next(&mut self) -> (Facts, Vec<Id>) {
        let n = self.facts.len();
        let issuer = self.rng.below(self.members);
        let late = self.lag + if issuer.is_multiple_of(10) { 40 } else { 0 };
        let view = n.saturating_sub(late);
        let tips: Vec<usize> = (view.saturating_sub(60)..view)
            .filter(|&v| self.first_child[v] >= view && self.heads[issuer] != Some(v))
            .collect();
        let mut others = BTreeSet::new();
        for _ in 0..2 {
            if !tips.is_empty() {
                others.insert(tips[self.rng.below(tips.len())]);
            }
        }
        let number = self.heads[issuer].map_or(1, |h| self.facts[h].number.0 + 1);
        let facts = plain(
            self.rng.id(),
            issuer as u16,
            number,
            START + 1 + 36 * n as u64,
        );
        let below: Vec<usize> = self.heads[issuer].into_iter().chain(others).collect();
        for &p in &below {
            self.first_child[p] = self.first_child[p].min(n);
        }
        let mut ids = Vec::new();
        if self.heads[issuer].is_none() {
            ids.push(g0());
        }
        ids.extend(below.iter().map(|&p| self.facts[p].id));
        self.heads[issuer] = Some(n);
        self.facts.push(facts);
        self.parents.push(below);
        self.first_child.push(usize::MAX);
        (facts, ids)
    }

    fn passes(&self, members: &[bool]) -> bool {
        3 * members.iter().filter(|m| **m).count() > 2 * self.members
    }

    /// By definition, over whole cones: whether any z gives x its Quorum.
    fn quorum(&self, x: usize) -> bool {
        let n = self.facts.len();
        let mut approvers = vec![Vec::new(); n];
        for v in x..n {
            let mut by = vec![false; self.members];
            let mut above = v == x;
            for &p in self.parents[v].iter().filter(|&&p| p >= x) {
                for (m, _) in approvers[p].iter().enumerate().filter(|(_, is)| **is) {
                    by[m] = true;
                    above = true;
                }
            }
            if above {
                by[usize::from(self.facts[v].issuer.0)] = true;
            }
            approvers[v] = by;
        }
        let first = (x..n).filter(|&z| self.passes(&approvers[z]));
        // The earliest ones have the widest second rounds.
        first.take(60).any(|z| {
            let mut has = vec![false; n];
            let mut by = vec![false; self.members];
            for v in z..n {
                has[v] = v == z || self.parents[v].iter().any(|&p| has[p]);
                by[usize::from(self.facts[v].issuer.0)] |= has[v];
            }
            self.passes(&by)
        })
    }
}

/// How many of eight transactions got the Quorum of 1,000 members here, and of how many it was due by the definition.
fn judged(capacity: usize, lag: usize, seed: u64) -> (usize, usize) {
    let policy = Policy {
        period: Millis(10_000_000),
        max_parent_age: Millis(2_500_000),
        freshness: Millis(2_500_000),
        witnesses: 2,
    };
    let members = 1_000;
    let book = Book::new(&vec![1; members]);
    let mut memory = Memory::new(capacity, members, 16);
    let mut tangle = memory.with(policy, 5);
    let mut crowd = Crowd::new(members, lag, seed);
    let mut followed = Vec::new();
    let mut granted = Vec::new();
    for n in 0..4_000usize {
        let (facts, parents) = crowd.next();
        tangle
            .insert(&book, &facts, &parents, Stubs::default())
            .unwrap();
        if n >= 300 && n.is_multiple_of(100) && followed.len() < 8 {
            tangle.track(&book, &facts.id).unwrap();
            followed.push((n, facts.id));
        }
        for change in drain(&mut tangle) {
            if let Change::Quorum(id) = change {
                let (x, _) = *followed.iter().find(|(_, x)| *x == id).unwrap();
                assert!(
                    crowd.quorum(x),
                    "granted at {n} what the definition does not"
                );
                granted.push((x, n));
            }
        }
    }
    let due = followed.iter().filter(|(x, _)| crowd.quorum(*x)).count();
    (granted.len(), due)
}

#[test]
fn a_window_of_128_follows_1000_members() {
    let mut all = (0, 0);
    for (capacity, lag) in [(128, 4), (128, 8), (256, 8), (256, 16)] {
        let (granted, due) = judged(capacity, lag, 7 + lag as u64);
        assert!(due >= 8, "{capacity} {lag}: only {due} are due");
        all = (all.0 + granted, all.1 + due);
    }
    assert!(10 * all.0 >= 9 * all.1, "{all:?}");
}

/// Most of 1,000 members leave a window of 128 before they are taken into a base: no vertex is walked from while what is left cannot pass.
#[test]
fn what_the_window_lost_is_not_looked_for_again() {
    let policy = Policy {
        period: Millis(10_000_000),
        max_parent_age: Millis(2_500_000),
        freshness: Millis(2_500_000),
        witnesses: 2,
    };
    let book = Book::new(&vec![1; 1_000]);
    let mut memory = Memory::new(128, 1_000, 16);
    let mut tangle = memory.with(policy, 5);
    let mut crowd = Crowd::new(1_000, 16, 3);
    let (mut waited, mut spared) = (0, 0);
    for n in 0..3_000usize {
        let (facts, parents) = crowd.next();
        tangle
            .insert(&book, &facts, &parents, Stubs::default())
            .unwrap();
        if n == 300 {
            tangle.track(&book, &facts.id).unwrap();
        }
        if tangle.tracks.waiting != 0 {
            waited += 1;
            spared += usize::from(tangle.tracks.iter().any(|(_, x)| x.beyond > x.slack));
        }
        drain(&mut tangle);
    }
    assert!(waited > 100 && 2 * spared > waited, "{spared} of {waited}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever forks and freezes: a window of 32 grants nothing that the definition does not.
    #[test]
    fn a_small_window_never_grants_too_much(seed in prop_oneof![1 => Just(7867860885438776174u64), 20 => any::<u64>()]) {
        let mut rng = Rng(seed ^ 0x77);
        let members = 4 + rng.below(9);
        let shape = Shape {
            members,
            vertices: 160,
            guilty: rng.below(members.div_ceil(3)),
            guilty_gl_node: false,
            trims: false,
            evidence: rng.one_in(2),
        };
        let (book, entries, _) = history(seed, shape);
        let mut memory = Memory::new(32, 16, 64);
        let mut tangle = memory.tangle();
        let mut model = Model::new(&book);
        let mut told = Vec::new();
        let mut followed = std::collections::VecDeque::new();
        for entry in entries {
            let taken = tangle.insert(&book, &entry.facts, &entry.parents, Stubs::default());
            if taken.is_err() {
                continue;
            }
            model.add(entry.clone());
            if followed.len() == 48
                && let Some(oldest) = followed.pop_front()
            {
                tangle.untrack(&oldest);
            }
            if tangle.track(&book, &entry.facts.id).is_ok() {
                followed.push_back(entry.facts.id);
            }
            told.extend(drain(&mut tangle));
        }
        for change in told {
            if let Change::Quorum(id) = change {
                prop_assert!(model.quorum_by_any(model.get(&id)));
            }
        }
    }
}
