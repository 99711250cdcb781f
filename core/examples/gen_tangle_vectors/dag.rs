//! Small neighbourhoods, written out: each history vertex by vertex with its refusals, then all that the DAG says of it.

#[path = "../common/rows.rs"]
mod rows;

use iotedge_core::tangle::{
    Change, Confidence, Cut, Effect, Facts, Head, Limits, Member, Policy, Scratch, Standing, Start,
    Stubs, Tables, Tangle, TangleMemory, Tracked, Verdict, Vertex, Walk, Work,
};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Weight};
use serde_json::{Value, json};

const T0: u64 = 1_000_000;
const PERIOD: u64 = 8_000;
const P_MAX: u64 = 2_000;
const WITNESSES: u16 = 2;
const CREDITS: u64 = 500;
const GENESIS: Id = Id([0xee; 32]);
const G0: Id = Id([0xa0; 32]);
const ALPHA: u32 = 6_554;

/// splitmix64: ids are four outputs in big-endian, a draw of the tip choice is the low half of one.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn id(&mut self) -> Id {
        let mut id = [0; 32];
        for chunk in id.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_be_bytes());
        }
        Id(id)
    }
}

/// One epoch, opened by the genesis.
struct OneTable {
    weights: Vec<u32>,
}

impl Tables for OneTable {
    fn newest_settled(&self) -> HeaderNumber {
        HeaderNumber(0)
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        (epoch.0 == 1).then_some(Millis(T0))
    }
    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut> {
        (header.0 == 0).then_some(Cut {
            trim: GENESIS,
            cut: Millis(T0),
        })
    }
    fn total(&self, epoch: Epoch) -> Option<u64> {
        (epoch.0 == 1).then(|| self.weights.iter().map(|w| u64::from(*w)).sum())
    }
    fn members(&self) -> usize {
        self.weights.len()
    }
    fn weight(&self, epoch: Epoch, member: MemberIndex) -> Option<Weight> {
        let weight = self.weights.get(usize::from(member.0))?;
        (epoch.0 == 1).then_some(Weight(*weight))
    }
    fn credits(&self, epoch: Epoch, member: MemberIndex) -> Option<Amount> {
        self.weight(epoch, member).map(|_| Amount(CREDITS))
    }
    fn head(&self, member: MemberIndex) -> Option<Head> {
        self.weights.get(usize::from(member.0)).map(|_| Head {
            number: Number(0),
            id: G0,
            debits: Amount(0),
        })
    }
    fn frozen(&self, _: MemberIndex) -> bool {
        false
    }
    fn gl_node(&self, _: Epoch) -> Option<MemberIndex> {
        Some(MemberIndex(0))
    }
}

struct Entry {
    facts: Facts,
    parents: Vec<Id>,
}

/// A random history with mistakes: some of its vertices are refused, and later ones do not stand on those.
fn history(seed: u64, members: usize, count: usize, cheats: bool) -> Vec<Entry> {
    let mut rng = Rng(seed);
    let tables = OneTable {
        weights: weights(seed, members),
    };
    let mut memory = Memory::new();
    let mut tangle = memory.tangle(members);
    let mut out: Vec<Entry> = Vec::new();
    let mut accepted: Vec<Facts> = Vec::new();
    let mut newest_trim = (GENESIS, T0);
    while out.len() < count {
        let m = rng.below(members) as u16;
        let own: Vec<Facts> = accepted
            .iter()
            .copied()
            .filter(|f| f.issuer.0 == m)
            .collect();
        let cheat = cheats && usize::from(m) + 1 == members;
        let head = if cheat && own.len() > 1 && rng.below(3) == 0 {
            own.get(rng.below(own.len()))
        } else {
            own.last()
        };
        let debits = head.map_or(0, |h| tangle.debits(&h.id).map_or(0, |d| d.0));
        let newest = accepted.last().map_or(T0, |f| f.time.0);
        let low = head.map_or(T0, |h| h.time.0).max(newest);
        let time = low + 20 + rng.next() % 400;
        let mut parents = vec![head.map_or(G0, |h| h.id)];
        for _ in 0..2 {
            if let Some(p) = accepted.len().checked_sub(1 + rng.below(members)) {
                let p = accepted[p].id;
                if !parents.contains(&p) {
                    parents.push(p);
                }
            }
        }
        let amount = 1 + rng.next() % 40;
        let effect = match rng.below(12) {
            0..=3 => Effect::Transfer {
                to: MemberIndex(rng.below(members) as u16),
                amount: Amount(amount),
                debits: Amount(debits + amount + u64::from(rng.below(8) == 0)),
            },
            4 => Effect::Exit {
                amount: Amount(amount),
                debits: Amount(debits + amount),
            },
            5..=8 if m == 0 || rng.below(6) == 0 => {
                let (previous, low) = newest_trim;
                let by = time.saturating_sub(PERIOD / 2 + P_MAX / 2);
                let most = if by > low && rng.below(4) > 0 {
                    by
                } else {
                    time
                };
                Effect::Trim {
                    cut: Millis(low + 1 + rng.next() % (most - low)),
                    previous,
                    header: HeaderNumber(0),
                }
            }
            9 if cheats && tangle.forked(MemberIndex(members as u16 - 1)) => Effect::Evidence {
                offender: MemberIndex(members as u16 - 1),
            },
            _ => Effect::None,
        };
        let facts = Facts {
            id: rng.id(),
            issuer: MemberIndex(m),
            number: Number(head.map_or(0, |h| h.number.0) + 1 + u32::from(rng.below(30) == 0)),
            epoch: Epoch(1 + u32::from(rng.below(40) == 0)),
            time: Millis(if rng.below(30) == 0 { low } else { time }),
            effect,
        };
        if rng.below(25) == 0 {
            parents.push(rng.id());
        }
        if tangle
            .insert(&tables, &facts, &parents, Stubs::default())
            .is_ok()
        {
            accepted.push(facts);
            if let Effect::Trim { cut, .. } = effect {
                newest_trim = (facts.id, cut.0);
            }
        }
        while tangle.next_change().is_some() {}
        out.push(Entry { facts, parents });
    }
    out
}

fn weights(seed: u64, members: usize) -> Vec<u32> {
    (0..members as u64)
        .map(|m| 1 + ((seed + m) % 2) as u32)
        .collect()
}

struct Memory {
    vertices: Vec<Vertex>,
    index: Vec<u32>,
    tips: Vec<u16>,
    marks: Vec<u64>,
    members: Vec<Member>,
    sets: Vec<u8>,
    settled: Vec<Number>,
    tracked: Vec<Tracked>,
}

impl Memory {
    fn new() -> Self {
        let limits = Limits {
            capacity: 128,
            members: 16,
            tracked: 64,
        };
        let sizes = limits.sizes().expect("limits in range");
        Self {
            vertices: vec![Vertex::EMPTY; sizes.vertices],
            index: vec![0; sizes.index],
            tips: vec![0; sizes.tips],
            marks: vec![0; sizes.marks],
            members: vec![Member::EMPTY; sizes.members],
            sets: vec![0; sizes.sets],
            settled: vec![Number(0); sizes.settled],
            tracked: vec![Tracked::EMPTY; sizes.tracked],
        }
    }

    fn tangle(&mut self, members: usize) -> Tangle<'_> {
        let memory = TangleMemory {
            vertices: &mut self.vertices,
            index: &mut self.index,
            tips: &mut self.tips,
            marks: &mut self.marks,
            members: &mut self.members[..members],
            sets: &mut self.sets,
            settled: &mut self.settled[..members],
            tracked: &mut self.tracked,
        };
        let policy = Policy {
            period: Millis(PERIOD),
            max_parent_age: Millis(P_MAX),
            freshness: Millis(P_MAX),
            witnesses: WITNESSES,
        };
        Tangle::new(memory, policy, 1).expect("memory as asked for")
    }
}

fn hex(id: &Id) -> Value {
    json!(id.to_string())
}

fn effect(effect: &Effect) -> Value {
    match effect {
        Effect::None => json!({"kind": "none"}),
        Effect::Transfer { to, amount, debits } => {
            json!({"kind": "transfer", "to": to.0, "amount": amount.0, "debits": debits.0})
        }
        Effect::Lock { to, amount, debits } => {
            json!({"kind": "lock", "to": to.0, "amount": amount.0, "debits": debits.0})
        }
        Effect::Claim => json!({"kind": "claim"}),
        Effect::Exit { amount, debits } => {
            json!({"kind": "exit", "amount": amount.0, "debits": debits.0})
        }
        Effect::Trim {
            cut,
            previous,
            header,
        } => json!({"kind": "trim", "cut": cut.0, "previous": hex(previous), "header": header.0}),
        Effect::Evidence { offender } => json!({"kind": "evidence", "offender": offender.0}),
        Effect::Member => json!({"kind": "member"}),
        Effect::Join => json!({"kind": "join"}),
    }
}

fn neighbourhood(name: &str, seed: u64, members: usize, count: usize, cheats: bool) -> Value {
    let tables = OneTable {
        weights: weights(seed, members),
    };
    let mut memory = Memory::new();
    let mut tangle = memory.tangle(members);
    let mut vertices = Vec::new();
    let mut ids = Vec::new();
    let mut conflicts = Vec::new();
    for entry in history(seed, members, count, cheats) {
        let facts = &entry.facts;
        let result = tangle.insert(&tables, facts, &entry.parents, Stubs::default());
        while let Some(change) = tangle.next_change() {
            if let Change::Equivocation { offender, a, b } = change {
                conflicts.push(json!([offender.0, hex(&a), hex(&b)]));
            }
        }
        if result.is_ok() {
            tangle.track(&tables, &facts.id).expect("a free slot");
            ids.push(facts.id);
        }
        vertices.push(json!({
            "id": hex(&facts.id), "issuer": facts.issuer.0, "number": facts.number.0, "epoch": facts.epoch.0,
            "time": facts.time.0, "effect": effect(&facts.effect),
            "parents": entry.parents.iter().map(hex).collect::<Vec<_>>(),
            "error": result.err().map(|e| format!("{e:?}")),
        }));
    }
    let (mut work, mut order, mut paper) = (vec![Work::default(); 128], vec![0; 128], vec![0; 16]);
    let mut scratch = Scratch {
        work: &mut work,
        order: &mut order,
        members: &mut paper,
    };
    let now = tangle.since(0).map(|(_, f)| f.time.0).max().unwrap_or(T0) + 10;
    let walk = Walk {
        alpha: ALPHA,
        start: Start::Root,
    };
    let mut heights = Vec::new();
    tangle
        .weights(&mut scratch, |id, h| heights.push((*id, h)))
        .expect("scratch");
    let mut confidence = Vec::new();
    tangle
        .confidences(&walk, Millis(now), &mut scratch, |_, Confidence(c)| {
            confidence.push(c)
        })
        .expect("scratch");
    let found: Vec<Value> = heights
        .iter()
        .zip(&confidence)
        .map(|((id, h), c)| {
            let standing = match tangle.standing(id) {
                Some(Standing::Quorum) => "Quorum",
                Some(Standing::Witnessed) => "Witnessed",
                _ => "Seen",
            };
            json!({"id": hex(id), "weight": h, "confidence": c, "approval": tangle.approval_weight(id),
                "standing": standing, "certified": tangle.certified(id)})
        })
        .collect();
    let mut choices = Vec::new();
    for seed in 0..4u64 {
        for own in [None, Some(1u16)] {
            tangle.set_own(own.map(MemberIndex));
            let mut out = [Id::ZERO; 2];
            let mut rng = Rng(seed);
            let n = tangle.select(Millis(now), &mut || rng.next() as u32, &mut out);
            let uniform: Vec<Value> = out[..n].iter().map(hex).collect();
            let mut rng = Rng(seed);
            let n = tangle
                .select_weighted(
                    &walk,
                    Millis(now),
                    &mut || rng.next() as u32,
                    &mut scratch,
                    &mut out,
                )
                .expect("scratch");
            let weighted: Vec<Value> = out[..n].iter().map(hex).collect();
            choices
                .push(json!({"seed": seed, "own": own, "uniform": uniform, "weighted": weighted}));
        }
    }
    let mut trims = Vec::new();
    for id in &ids {
        let mut done = Vec::new();
        let verdict = |v: &Verdict| done.push(json!([hex(&v.facts.id), v.lives, v.approval]));
        if let Ok(outcome) = tangle.evaluate(id, &tables, &mut scratch, verdict) {
            trims.push(
                json!({"trim": hex(id), "cut": outcome.cut.0, "living": outcome.living,
                "g0": outcome.g0.as_ref().map(hex), "done": done}),
            );
        }
    }
    let mut tips: Vec<Id> = tangle.tips().collect();
    tips.sort();
    json!({
        "name": name, "weights": tables.weights, "gl_node": 0, "t0": T0, "period": PERIOD, "p_max": P_MAX, "q": WITNESSES,
        "credits": CREDITS, "genesis": hex(&GENESIS), "g0": hex(&G0), "alpha": ALPHA, "now": now,
        "vertices": vertices, "conflicts": conflicts, "tips": tips.iter().map(hex).collect::<Vec<_>>(),
        "found": found, "choices": choices, "trims": trims,
    })
}

/// The whole file: one object per neighbourhood, one a line.
pub fn vectors() -> String {
    rows::render(&[
        neighbourhood("four honest members", 55, 4, 72, false),
        neighbourhood("a cheat among five", 166, 5, 68, true),
        neighbourhood("a cheat among nine", 247, 9, 68, true),
    ])
}
