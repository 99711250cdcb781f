//! The bounded DAG in steady state: 32 members, a transaction every 10 ms, two tips each, chosen by who
//! has not yet seen the last 8 of the others. As many transactions are followed as asked for, each until its Quorum: all of them under way.

use iotedge_core::tangle::{
    Change, Cut, Effect, Facts, Head, Limits, Member, Policy, Scratch, Start, Stubs, Tables,
    Tangle, TangleMemory, Tracked, Vertex, Walk, Work,
};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Weight};
use std::collections::VecDeque;

const MEMBERS: u16 = 32;
const STEP: u64 = 10;
/// How many are under way between issuers at any time.
const LAG: usize = 8;

/// One epoch, every member of weight 1.
struct OneTable;

impl Tables for OneTable {
    fn newest_settled(&self) -> HeaderNumber {
        HeaderNumber(0)
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        (epoch == Epoch(1)).then_some(Millis(0))
    }
    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut> {
        (header == HeaderNumber(0)).then_some(Cut {
            trim: Id([9; 32]),
            cut: Millis(0),
        })
    }
    fn total(&self, epoch: Epoch) -> Option<u64> {
        (epoch == Epoch(1)).then_some(MEMBERS.into())
    }
    fn members(&self) -> usize {
        MEMBERS.into()
    }
    fn weight(&self, epoch: Epoch, _: MemberIndex) -> Option<Weight> {
        (epoch == Epoch(1)).then_some(Weight(1))
    }
    fn credits(&self, _: Epoch, _: MemberIndex) -> Option<Amount> {
        Some(Amount(u64::MAX))
    }
    fn head(&self, _: MemberIndex) -> Option<Head> {
        Some(Head {
            number: Number(0),
            id: Id([8; 32]),
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

/// A tangle and the little neighbourhood that feeds it.
pub struct Neighbourhood {
    tangle: Tangle<'static>,
    heads: Vec<(Id, u32)>,
    under_way: VecDeque<(Facts, [Id; 3], usize)>,
    followed: usize,
    follows: usize,
    quorums: u64,
    work: Vec<Work>,
    order: Vec<u16>,
    members: Vec<u64>,
    random: u64,
    now: u64,
}

/// A slice that lives as long as the program.
fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    Vec::leak(vec![value; count])
}

impl Neighbourhood {
    /// An empty window of `capacity` vertices that follows `follows` transactions at once, 0 to 62: two places are for trims.
    pub fn new(capacity: usize, follows: usize) -> Self {
        let limits = Limits {
            capacity,
            members: MEMBERS.into(),
            tracked: (follows + 2).max(4),
        };
        let sizes = limits.sizes().expect("limits in range");
        let memory = TangleMemory {
            vertices: leak(Vertex::EMPTY, sizes.vertices),
            index: leak(0, sizes.index),
            tips: leak(0, sizes.tips),
            marks: leak(0, sizes.marks),
            members: leak(Member::EMPTY, sizes.members),
            sets: leak(0, sizes.sets),
            settled: leak(Number(0), sizes.settled),
            tracked: leak(Tracked::EMPTY, sizes.tracked),
        };
        let policy = Policy {
            period: Millis(400_000),
            max_parent_age: Millis(100_000),
            freshness: Millis(100_000),
            witnesses: 2,
        };
        Self {
            tangle: Tangle::new(memory, policy, 7).expect("memory as asked for"),
            heads: vec![(Id([8; 32]), 0); MEMBERS.into()],
            under_way: VecDeque::new(),
            followed: 0,
            follows,
            quorums: 0,
            work: vec![Work::default(); capacity],
            order: vec![0; capacity],
            members: vec![0; MEMBERS.into()],
            random: 0x9e37_79b9_7f4a_7c15,
            now: 1_000,
        }
    }

    fn random(random: &mut u64) -> u32 {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        (*random >> 32) as u32
    }

    /// Selects two tips for one transaction, and inserts the one that was made `LAG` steps before.
    pub fn step(&mut self) {
        self.now += STEP;
        let mut tips = [Id::ZERO; 2];
        let random = &mut self.random;
        let found = self
            .tangle
            .select(Millis(self.now), &mut || Self::random(random), &mut tips);
        let issuer = loop {
            let issuer = MemberIndex((Self::random(&mut self.random) % u32::from(MEMBERS)) as u16);
            if self.under_way.iter().all(|(f, ..)| f.issuer != issuer) {
                break issuer;
            }
        };
        let (head, number) = self.heads[usize::from(issuer.0)];
        let mut parents = [head, Id::ZERO, Id::ZERO];
        let mut count = 1;
        tips[..found].sort_unstable();
        for tip in tips[..found].iter().filter(|tip| **tip != head) {
            parents[count] = *tip;
            count += 1;
        }
        let mut id = [0; 32];
        for word in id.chunks_exact_mut(4) {
            word.copy_from_slice(&Self::random(&mut self.random).to_le_bytes());
        }
        let facts = Facts {
            id: Id(id),
            issuer,
            number: Number(number + 1),
            epoch: Epoch(1),
            time: Millis(self.now),
            effect: Effect::None,
        };
        self.under_way.push_back((facts, parents, count));
        if self.under_way.len() <= LAG {
            return;
        }
        let Some((facts, parents, count)) = self.under_way.pop_front() else {
            return;
        };
        self.tangle
            .insert(&OneTable, &facts, &parents[..count], Stubs::default())
            .unwrap_or_else(|refusal| panic!("{facts:?}: {refusal:?}"));
        self.heads[usize::from(facts.issuer.0)] = (facts.id, facts.number.0);
        if self.followed < self.follows {
            self.tangle
                .track(&OneTable, &facts.id)
                .expect("a free slot");
            self.followed += 1;
        }
        while let Some(change) = self.tangle.next_change() {
            if let Change::Quorum(id) = change {
                self.tangle.untrack(&id);
                self.followed -= 1;
                self.quorums += 1;
            }
        }
    }

    /// How many of the followed reached their Quorum.
    pub fn quorums(&self) -> u64 {
        self.quorums
    }

    /// Exact confidence of every vertex of the window; gives how many there were.
    pub fn confidences(&mut self) -> usize {
        let walk = Walk {
            alpha: 1 << 12,
            start: Start::Root,
        };
        let mut scratch = Scratch {
            work: &mut self.work,
            order: &mut self.order,
            members: &mut self.members,
        };
        let mut count = 0;
        let told = self
            .tangle
            .confidences(&walk, Millis(self.now), &mut scratch, |_, _| count += 1);
        told.expect("scratch as asked for");
        count
    }
}
