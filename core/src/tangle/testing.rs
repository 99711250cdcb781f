//! What the tests of this room share: owned memory, tables, and random histories with forks, evidence and trims.

use super::model::{Cut, Effect, Facts, Head, Policy, Stubs, Tables};
use super::reference::Model;
use super::*;
use crate::{Amount, HeaderNumber, Weight};

pub const PERIOD: u64 = 8_000;
pub const START: u64 = 1_000_000;
pub const POLICY: Policy = Policy {
    period: Millis(PERIOD),
    max_parent_age: Millis(PERIOD / 4),
    freshness: Millis(PERIOD / 4),
    witnesses: 2,
};

/// Memory on the heap for one tangle.
pub struct Memory {
    vertices: Vec<Vertex>,
    index: Vec<u32>,
    tips: Vec<u16>,
    marks: Vec<u64>,
    members: Vec<Member>,
    sets: Vec<u8>,
    settled: Vec<crate::Number>,
    tracked: Vec<Tracked>,
}

impl Memory {
    pub fn new(capacity: usize, members: usize, tracked: usize) -> Self {
        let sizes = Limits {
            capacity,
            members,
            tracked,
        }
        .sizes()
        .unwrap();
        Self {
            vertices: vec![Vertex::EMPTY; sizes.vertices],
            index: vec![7; sizes.index],
            tips: vec![3; sizes.tips],
            marks: vec![u64::MAX; sizes.marks],
            members: vec![Member::EMPTY; sizes.members],
            sets: vec![0x5a; sizes.sets],
            settled: vec![crate::Number(9); sizes.settled],
            tracked: vec![Tracked::EMPTY; sizes.tracked],
        }
    }

    pub fn tangle(&mut self) -> Tangle<'_> {
        self.with(POLICY, 0x5eed)
    }

    pub fn with(&mut self, policy: Policy, seed: u64) -> Tangle<'_> {
        Tangle::new(
            TangleMemory {
                vertices: &mut self.vertices,
                index: &mut self.index,
                tips: &mut self.tips,
                marks: &mut self.marks,
                members: &mut self.members,
                sets: &mut self.sets,
                settled: &mut self.settled,
                tracked: &mut self.tracked,
            },
            policy,
            seed,
        )
        .unwrap()
    }
}

pub struct Paper {
    work: Vec<Work>,
    order: Vec<u16>,
    members: Vec<u64>,
}

impl Paper {
    pub fn new(capacity: usize) -> Self {
        Self {
            work: vec![Work::default(); capacity],
            order: vec![9; capacity],
            members: vec![5; 64],
        }
    }

    pub fn scratch(&mut self) -> Scratch<'_> {
        Scratch {
            work: &mut self.work,
            order: &mut self.order,
            members: &mut self.members,
        }
    }
}

/// Tables in memory: weights per epoch, one head and one credit per member.
#[derive(Clone, Debug)]
pub struct Book {
    pub weights: Vec<Vec<u32>>,
    pub cuts: Vec<Cut>,
    pub heads: Vec<Head>,
    pub credits: Vec<u64>,
    pub frozen: Vec<bool>,
    pub gl_node: MemberIndex,
    /// This member's record is in the store and was not read.
    pub unread: Option<MemberIndex>,
}

pub fn g0() -> Id {
    Id([0xa0; 32])
}

pub fn genesis() -> Id {
    Id([0xee; 32])
}

impl Book {
    pub fn new(weights: &[u32]) -> Self {
        Self {
            weights: vec![weights.to_vec()],
            cuts: vec![Cut {
                trim: genesis(),
                cut: Millis(START),
            }],
            heads: vec![
                Head {
                    number: Number(0),
                    id: g0(),
                    debits: Amount(0)
                };
                weights.len()
            ],
            credits: vec![1_000; weights.len()],
            frozen: vec![false; weights.len()],
            gl_node: MemberIndex(0),
            unread: None,
        }
    }

    fn table(&self, epoch: Epoch) -> Option<&Vec<u32>> {
        self.weights.get((epoch.0 as usize).checked_sub(1)?)
    }
}

impl Tables for Book {
    fn newest_settled(&self) -> HeaderNumber {
        HeaderNumber(self.cuts.len() as u32 - 1)
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        self.table(epoch).map(|_| Millis(START))
    }
    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut> {
        self.cuts.get(header.0 as usize).copied()
    }
    fn total(&self, epoch: Epoch) -> Option<u64> {
        Some(self.table(epoch)?.iter().map(|w| u64::from(*w)).sum())
    }
    fn members(&self) -> usize {
        self.heads.len()
    }
    fn weight(&self, epoch: Epoch, member: MemberIndex) -> Option<Weight> {
        self.table(epoch)?
            .get(usize::from(member.0))
            .map(|w| Weight(*w))
    }
    fn holds(&self, _: Epoch, member: MemberIndex) -> bool {
        self.unread != Some(member)
    }
    fn credits(&self, epoch: Epoch, member: MemberIndex) -> Option<Amount> {
        assert!(self.holds(epoch, member), "asked of what was not read");
        self.table(epoch)?;
        self.credits.get(usize::from(member.0)).map(|c| Amount(*c))
    }
    fn head(&self, member: MemberIndex) -> Option<Head> {
        self.heads.get(usize::from(member.0)).copied()
    }
    fn frozen(&self, member: MemberIndex) -> bool {
        assert!(self.holds(Epoch(0), member), "asked of what was not read");
        self.frozen
            .get(usize::from(member.0))
            .copied()
            .unwrap_or(false)
    }
    fn gl_node(&self, _: Epoch) -> Option<MemberIndex> {
        Some(self.gl_node)
    }
}

/// splitmix64.
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        window::mix(self.0)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub fn id(&mut self) -> Id {
        let mut id = [0u8; 32];
        for chunk in id.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        Id(id)
    }
}

/// What a history may hold.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub members: usize,
    pub vertices: usize,
    /// The last members are guilty: they fork.
    pub guilty: usize,
    pub guilty_gl_node: bool,
    pub trims: bool,
    pub evidence: bool,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub facts: Facts,
    pub parents: Vec<Id>,
}

pub fn plain(id: Id, issuer: u16, number: u32, time: u64) -> Facts {
    Facts {
        id,
        issuer: MemberIndex(issuer),
        number: Number(number),
        epoch: Epoch(1),
        time: Millis(time),
        effect: Effect::None,
    }
}

/// A random history in a topological order, valid by the reference model. Guilty members extend any of their vertices;
/// the GL-node (member 0) issues trims, which the model may find void: those are returned apart.
pub fn history(seed: u64, shape: Shape) -> (Book, Vec<Entry>, Vec<(usize, Entry)>) {
    let mut rng = Rng(seed);
    let mut weights: Vec<u32> = (0..shape.members)
        .map(|_| 1 + rng.below(2) as u32)
        .collect();
    // Less than a third of the weight is guilty.
    for w in weights.iter_mut().skip(shape.members - shape.guilty) {
        *w = 1;
    }
    let total: u32 = weights.iter().sum();
    assert!(3 * (shape.guilty as u32) < total);
    let mut book = Book::new(&weights);
    if shape.guilty_gl_node {
        book.gl_node = MemberIndex(shape.members as u16 - 1);
    }
    let mut model = Model::new(&book);
    let mut void = Vec::new();
    let guilty = |m: usize| m >= shape.members - shape.guilty;
    let pace = 200 + rng.below(400) as u64;
    let mut cuts = vec![(genesis(), START)];
    while model.entries.len() < shape.vertices {
        let m = if rng.one_in(5) {
            usize::from(book.gl_node.0)
        } else {
            rng.below(shape.members)
        };
        let own: Vec<usize> = (0..model.entries.len())
            .filter(|&i| model.entries[i].facts.issuer.0 as usize == m)
            .collect();
        let head = if guilty(m) && !own.is_empty() && rng.one_in(4) {
            // Anywhere on its chains, or a second first.
            match rng.below(own.len() + 1) {
                0 => None,
                i => Some(own[i - 1]),
            }
        } else {
            own.last().copied()
        };
        let (first, number, low) = match head {
            Some(i) => {
                let f = &model.entries[i].facts;
                (f.id, f.number.0 + 1, f.time.0)
            }
            None => (g0(), 1, START),
        };
        let newest = model
            .entries
            .iter()
            .map(|e| e.facts.time.0)
            .max()
            .unwrap_or(START);
        let time = low.max(newest.saturating_sub(rng.below(100) as u64)) + 1 + rng.next() % pace;
        let mut parents = vec![first];
        for _ in 0..rng.below(4) {
            let n = model.entries.len();
            if n == 0 {
                break;
            }
            let back = rng.below(n.min(2 * shape.members));
            let p = &model.entries[n - 1 - back].facts;
            if p.time.0 < time && time <= p.time.0 + PERIOD / 4 && !parents.contains(&p.id) {
                parents.push(p.id);
            }
        }
        let mut facts = plain(rng.id(), m as u16, number, time);
        if shape.evidence && rng.one_in(8) && shape.guilty > 0 {
            let offender = MemberIndex((shape.members - 1 - rng.below(shape.guilty)) as u16);
            if model.has_fork(offender) {
                facts.effect = Effect::Evidence { offender };
            }
        }
        if shape.trims && facts.issuer == book.gl_node && rng.one_in(2) {
            let (previous, low) = if rng.one_in(12) {
                (rng.id(), START)
            } else if rng.one_in(6) {
                cuts[rng.below(cuts.len())]
            } else {
                *cuts.last().unwrap()
            };
            let settled_by = time.saturating_sub(PERIOD / 2 + 600);
            let cut = if settled_by > low + 1 && !rng.one_in(4) {
                low + 1 + rng.next() % (settled_by - low)
            } else {
                [low, time, low + rng.next() % (time - low).max(1)][rng.below(3)]
            };
            facts.effect = Effect::Trim {
                cut: Millis(cut),
                previous,
                header: HeaderNumber(0),
            };
        }
        let entry = Entry { facts, parents };
        match facts.effect {
            Effect::Trim { cut, .. } => {
                // An honest GL-node never issues two with one predecessor.
                let rival = model.rival_trim(&entry);
                if model.void(&entry, &book).is_some() {
                    void.push((model.entries.len(), entry));
                } else if !rival || guilty(m) {
                    cuts.push((facts.id, cut.0));
                    model.add(entry);
                }
            }
            _ => model.add(entry),
        }
    }
    (book, model.entries, void)
}

/// Another topological order of the same history.
pub fn shuffled(entries: &[Entry], rng: &mut Rng) -> Vec<Entry> {
    let mut left: Vec<Entry> = entries.to_vec();
    let mut out: Vec<Entry> = Vec::new();
    let known = |out: &Vec<Entry>, id: &Id| *id == g0() || out.iter().any(|e| e.facts.id == *id);
    while !left.is_empty() {
        let ready: Vec<usize> = (0..left.len())
            .filter(|&i| left[i].parents.iter().all(|p| known(&out, p)))
            .collect();
        let pick = ready[rng.below(ready.len())];
        out.push(left.remove(pick));
    }
    out
}

/// Inserts and drains the changes.
pub fn feed(tangle: &mut Tangle<'_>, book: &Book, entry: &Entry) -> Vec<Change> {
    let result = tangle.insert(book, &entry.facts, &entry.parents, Stubs::default());
    assert!(result.is_ok(), "{result:?} {entry:?}");
    drain(tangle)
}

pub fn drain(tangle: &mut Tangle<'_>) -> Vec<Change> {
    core::iter::from_fn(|| tangle.next_change()).collect()
}
