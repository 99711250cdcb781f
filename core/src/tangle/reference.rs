//! The rules, said as directly as they can be: whole cones, sets and definitions, no masks, no windows. Slow on purpose.

use super::model::{Effect, Tables};
use super::testing::{Book, Entry, POLICY, START, g0, genesis};
use crate::{Id, MemberIndex};
use std::collections::{BTreeMap, BTreeSet};

pub struct Model {
    pub entries: Vec<Entry>,
    index: BTreeMap<Id, usize>,
    /// The past cone of each, itself included.
    pub cones: Vec<BTreeSet<usize>>,
    weights: Vec<u32>,
}

const HALF: u64 = POLICY.period.0 / 2;

impl Model {
    pub fn new(book: &Book) -> Self {
        Self {
            entries: Vec::new(),
            index: BTreeMap::new(),
            cones: Vec::new(),
            weights: book.weights[0].clone(),
        }
    }

    pub fn of(book: &Book, entries: &[Entry]) -> Self {
        let mut model = Self::new(book);
        for entry in entries {
            model.add(entry.clone());
        }
        model
    }

    pub fn add(&mut self, entry: Entry) {
        let i = self.entries.len();
        let mut cone = self.below(&entry);
        cone.insert(i);
        self.index.insert(entry.facts.id, i);
        self.cones.push(cone);
        self.entries.push(entry);
    }

    fn below(&self, entry: &Entry) -> BTreeSet<usize> {
        let mut cone = BTreeSet::new();
        for p in &entry.parents {
            if let Some(&p) = self.index.get(p) {
                cone.extend(&self.cones[p]);
            }
        }
        cone
    }

    pub fn get(&self, id: &Id) -> usize {
        self.index[id]
    }

    fn time(&self, i: usize) -> u64 {
        self.entries[i].facts.time.0
    }

    fn issuer(&self, i: usize) -> usize {
        usize::from(self.entries[i].facts.issuer.0)
    }

    /// The first-parent chain of i, from i down.
    pub fn chain(&self, i: usize) -> Vec<usize> {
        let mut out = vec![i];
        let mut here = i;
        while let Some(&p) = self.index.get(&self.entries[here].parents[0]) {
            out.push(p);
            here = p;
        }
        out
    }

    fn trim(&self, i: usize) -> Option<(u64, Id)> {
        match self.entries[i].facts.effect {
            Effect::Trim { cut, previous, .. } => Some((cut.0, previous)),
            _ => None,
        }
    }

    pub fn conflict(&self, a: usize, b: usize) -> bool {
        if a == b {
            return false;
        }
        if let (Some((_, p)), Some((_, q))) = (self.trim(a), self.trim(b))
            && p == q
        {
            return true;
        }
        self.issuer(a) == self.issuer(b)
            && !self.chain(a).contains(&b)
            && !self.chain(b).contains(&a)
    }

    pub fn has_fork(&self, m: MemberIndex) -> bool {
        let own: Vec<usize> = (0..self.entries.len())
            .filter(|&i| self.entries[i].facts.issuer == m)
            .collect();
        own.iter()
            .any(|&a| own.iter().any(|&b| self.conflict(a, b)))
    }

    /// `floor`: what is at or below it is not looked at (for trims).
    pub fn approves(&self, v: usize, x: usize, floor: u64) -> bool {
        let cone = &self.cones[v];
        cone.contains(&x)
            && !cone.iter().any(|&r| {
                self.time(r) > floor
                    && (self.conflict(r, x)
                        || (self.trim(x).is_none()
                            && self.entries[r].facts.effect
                                == Effect::Evidence {
                                    offender: self.entries[x].facts.issuer,
                                }))
            })
    }

    fn in_time(&self, v: usize, x: usize) -> bool {
        self.trim(x).is_some() || self.time(v) <= self.time(x) + HALF
    }

    fn weigh(&self, members: &BTreeSet<usize>) -> u64 {
        members.iter().map(|&m| u64::from(self.weights[m])).sum()
    }

    pub fn passes(&self, members: &BTreeSet<usize>) -> bool {
        let total: u64 = self.weights.iter().map(|w| u64::from(*w)).sum();
        3 * self.weigh(members) > 2 * total
    }

    /// Members that approve x in time, within a set of vertices.
    pub fn approvers<'a>(
        &self,
        x: usize,
        among: impl IntoIterator<Item = &'a usize>,
        floor: u64,
    ) -> BTreeSet<usize> {
        among
            .into_iter()
            .filter(|&&v| self.in_time(v, x) && self.approves(v, x, floor))
            .map(|&v| self.issuer(v))
            .collect()
    }

    pub fn witnessed(&self, x: usize) -> bool {
        let all: Vec<usize> = (0..self.entries.len()).collect();
        let mut by = self.approvers(x, &all, 0);
        by.remove(&self.issuer(x));
        by.len() >= usize::from(POLICY.witnesses)
    }

    /// Quorum by the first z in insertion order.
    pub fn quorum(&self, x: usize) -> bool {
        let n = self.entries.len();
        let z = (0..n)
            .find(|&z| self.in_time(z, x) && self.passes(&self.approvers(x, &self.cones[z], 0)));
        z.is_some_and(|z| self.second(x, z)) && self.witnessed(x)
    }

    fn second(&self, x: usize, z: usize) -> bool {
        let members = (0..self.entries.len())
            .filter(|&v| self.in_time(v, x) && self.cones[v].contains(&z))
            .map(|v| self.issuer(v))
            .collect();
        self.passes(&members)
    }

    /// Quorum by any z: the widest reading of the rule.
    pub fn quorum_by_any(&self, x: usize) -> bool {
        (0..self.entries.len()).any(|z| {
            self.in_time(z, x)
                && self.passes(&self.approvers(x, &self.cones[z], 0))
                && self.second(x, z)
        })
    }

    pub fn certified(&self, x: usize) -> bool {
        let all: Vec<usize> = (0..self.entries.len()).collect();
        self.passes(&self.approvers(x, &all, 0))
    }

    pub fn rival_trim(&self, entry: &Entry) -> bool {
        let Effect::Trim { previous, .. } = entry.facts.effect else {
            return false;
        };
        (0..self.entries.len()).any(|i| self.trim(i).is_some_and(|(_, p)| p == previous))
    }

    fn previous_cut(&self, previous: &Id) -> Option<u64> {
        if *previous == genesis() {
            return Some(START);
        }
        Some(self.trim(*self.index.get(previous)?)?.0)
    }

    /// Why a trim is void; `None` if it is valid.
    pub fn void(&self, entry: &Entry, _: &Book) -> Option<super::VoidTrim> {
        use super::VoidTrim;
        let Effect::Trim { cut, previous, .. } = entry.facts.effect else {
            return None;
        };
        if cut >= entry.facts.time {
            return Some(VoidTrim::Cut);
        }
        let Some(low) = self.previous_cut(&previous) else {
            return Some(VoidTrim::Previous);
        };
        if cut.0 <= low {
            return Some(VoidTrim::Cut);
        }
        let cone = self.below(entry);
        if previous != genesis() {
            let p = self.index[&previous];
            if cut.0 < self.time(p) {
                return Some(VoidTrim::Cut);
            }
            if !cone.contains(&p) {
                return Some(VoidTrim::Previous);
            }
            let in_time = cone.iter().filter(|&&v| self.time(v) <= cut.0);
            if !self.passes(&self.approvers(p, in_time, 0)) {
                return Some(VoidTrim::PreviousUncertified);
            }
        }
        let late = cut.0 + HALF;
        let mut fresh: BTreeSet<usize> = cone
            .iter()
            .filter(|&&v| self.time(v) > late)
            .map(|&v| self.issuer(v))
            .collect();
        if entry.facts.time.0 > late {
            fresh.insert(usize::from(entry.facts.issuer.0));
        }
        (!self.passes(&fresh)).then_some(VoidTrim::Stale)
    }

    /// Done of a trim in (time, id) order with life and approval weight, and G0.
    pub fn evaluate(&self, t: usize, book: &Book) -> (Vec<(Id, bool, u64)>, Option<Id>) {
        let (cut, previous) = self.trim(t).unwrap();
        let low = self.previous_cut(&previous).unwrap();
        let cone = &self.cones[t];
        let mut done: Vec<usize> = cone
            .iter()
            .copied()
            .filter(|&v| self.time(v) > low && self.time(v) <= cut)
            .collect();
        done.sort_by_key(|&v| (self.time(v), self.entries[v].facts.id));
        let weight: BTreeMap<usize, BTreeSet<usize>> = done
            .iter()
            .map(|&x| (x, self.approvers(x, cone, low)))
            .collect();
        let on_chain = |x: usize| {
            let head = book.head(self.entries[x].facts.issuer).unwrap();
            let chain = self.chain(x);
            if head.id == g0() {
                return self.entries[*chain.last().unwrap()].parents[0] == g0();
            }
            chain
                .iter()
                .skip(1)
                .any(|&p| self.entries[p].facts.id == head.id)
        };
        let by_weight = |x: usize| {
            self.passes(&weight[&x]) && on_chain(x) && !book.frozen(self.entries[x].facts.issuer)
        };
        let lives = |x: usize| {
            done.iter()
                .any(|&y| by_weight(y) && self.chain(y).contains(&x))
                && on_chain(x)
        };
        let verdicts: Vec<(Id, bool, u64)> = done
            .iter()
            .map(|&x| (self.entries[x].facts.id, lives(x), self.weigh(&weight[&x])))
            .collect();
        let g0 = done
            .iter()
            .filter(|&&x| lives(x))
            .max_by(|&&a, &&b| {
                (self.weigh(&weight[&a]), self.time(a))
                    .cmp(&(self.weigh(&weight[&b]), self.time(b)))
                    .then(self.entries[b].facts.id.cmp(&self.entries[a].facts.id))
            })
            .map(|&x| self.entries[x].facts.id);
        (verdicts, g0)
    }

    /// Cumulative weight of every vertex.
    pub fn heights(&self) -> Vec<u32> {
        let mut h = vec![0; self.entries.len()];
        for cone in &self.cones {
            for &x in cone {
                h[x] += 1;
            }
        }
        h
    }

    pub fn parents(&self, i: usize) -> Vec<usize> {
        self.entries[i]
            .parents
            .iter()
            .filter_map(|p| self.index.get(p).copied())
            .collect()
    }

    /// Probability that the walk from the virtual root ends in each vertex (0 for all but tips).
    pub fn walk(&self, alpha: f64) -> Vec<f64> {
        let n = self.entries.len();
        let h = self.heights();
        let mut children = vec![Vec::new(); n];
        let mut roots = Vec::new();
        for i in 0..n {
            let parents = self.parents(i);
            if parents.is_empty() {
                roots.push(i);
            }
            for p in parents {
                children[p].push(i);
            }
        }
        let mut p = vec![0.0; n];
        let spread = |mass: f64, to: &[usize], p: &mut Vec<f64>| {
            let most = to.iter().map(|&c| h[c]).max().unwrap_or(0);
            let step = |c: usize| (-alpha * f64::from(most - h[c])).exp();
            let z: f64 = to.iter().map(|&c| step(c)).sum();
            for &c in to {
                p[c] += mass * step(c) / z;
            }
        };
        spread(1.0, &roots, &mut p);
        for i in 0..n {
            if !children[i].is_empty() {
                let mass = std::mem::take(&mut p[i]);
                spread(mass, &children[i].clone(), &mut p);
            }
        }
        p
    }

    pub fn confidence(&self, alpha: f64) -> Vec<f64> {
        let p = self.walk(alpha);
        let mut c = vec![0.0; p.len()];
        for (tip, cone) in self.cones.iter().enumerate() {
            for &v in cone {
                c[v] += p[tip];
            }
        }
        c
    }
}
