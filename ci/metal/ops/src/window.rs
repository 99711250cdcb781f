//! A full window of 128 vertices: 32 members, a transaction every 10 ms, two tips each, chosen by who has not yet seen the last 8 of the others.

use crate::room::slice;
use iotedge_core::tangle::{
    Cut, Effect, Facts, Head, Limits, Member, Policy, Scratch, Start, Stubs, Tables, Tangle,
    TangleMemory, Tracked, Vertex, Walk, Work,
};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Weight};

const CAPACITY: usize = 128;
const MEMBERS: usize = 32;
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
        (epoch == Epoch(1)).then_some(MEMBERS as u64)
    }
    fn members(&self) -> usize {
        MEMBERS
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

fn random(state: &mut u64) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 32) as u32
}

pub struct Neighbourhood {
    tangle: Tangle<'static>,
    scratch: Scratch<'static>,
    random: u64,
    now: Millis,
}

impl Neighbourhood {
    /// Lived through until the window has been full for a while.
    pub fn new() -> Self {
        let limits = Limits {
            capacity: CAPACITY,
            members: MEMBERS,
            tracked: 8,
        };
        let sizes = limits.sizes().expect("limits in range");
        let memory = TangleMemory {
            vertices: slice(Vertex::EMPTY, sizes.vertices),
            index: slice(0, sizes.index),
            tips: slice(0, sizes.tips),
            marks: slice(0, sizes.marks),
            members: slice(Member::EMPTY, sizes.members),
            sets: slice(0, sizes.sets),
            settled: slice(Number(0), sizes.settled),
            tracked: slice(Tracked::EMPTY, sizes.tracked),
        };
        let policy = Policy {
            period: Millis(400_000),
            max_parent_age: Millis(100_000),
            freshness: Millis(100_000),
            witnesses: 2,
        };
        let mut all = Self {
            tangle: Tangle::new(memory, policy, 7).expect("memory as asked for"),
            scratch: Scratch {
                work: slice(Work::default(), CAPACITY),
                order: slice(0, CAPACITY),
                members: slice(0, MEMBERS),
            },
            random: 0x9e37_79b9_7f4a_7c15,
            now: Millis(1_000),
        };
        let mut heads = [(Id([8; 32]), 0); MEMBERS];
        let mut under_way: [Option<(Facts, [Id; 3], usize)>; LAG] = [None; LAG];
        for step in 0..4 * CAPACITY {
            all.now.0 += 10;
            let place = &mut under_way[step % LAG];
            if let Some((facts, parents, count)) = place.take() {
                let parents = &parents[..count];
                let inserted = all
                    .tangle
                    .insert(&OneTable, &facts, parents, Stubs::default());
                inserted.expect("valid");
                heads[usize::from(facts.issuer.0)] = (facts.id, facts.number.0);
            }
            while all.tangle.next_change().is_some() {}
            // Every 13th: whoever is under way is none of the next.
            let issuer = step * 13 % MEMBERS;
            *place = Some(all.draft(issuer, heads[issuer]));
        }
        assert_eq!(all.tangle.len(), CAPACITY);
        all
    }

    fn draft(&mut self, issuer: usize, (head, number): (Id, u32)) -> (Facts, [Id; 3], usize) {
        let mut tips = [Id::ZERO; 2];
        let found = self.select(&mut tips);
        let (mut parents, mut count) = ([head, Id::ZERO, Id::ZERO], 1);
        tips[..found].sort_unstable();
        for tip in tips[..found].iter().filter(|tip| **tip != head) {
            parents[count] = *tip;
            count += 1;
        }
        let mut id = [0; 32];
        for word in id.chunks_exact_mut(4) {
            word.copy_from_slice(&random(&mut self.random).to_le_bytes());
        }
        let facts = Facts {
            id: Id(id),
            issuer: MemberIndex(issuer as u16),
            number: Number(number + 1),
            epoch: Epoch(1),
            time: self.now,
            effect: Effect::None,
        };
        (facts, parents, count)
    }

    fn select(&mut self, tips: &mut [Id; 2]) -> usize {
        let state = &mut self.random;
        self.tangle.select(self.now, &mut || random(state), tips)
    }

    pub fn tips(&mut self) -> bool {
        let mut tips = [Id::ZERO; 2];
        self.select(&mut tips) == 2
    }

    /// Exact confidence of every vertex of the window.
    pub fn confidences(&mut self) -> bool {
        let walk = Walk {
            alpha: 1 << 12,
            start: Start::Root,
        };
        let mut count = 0;
        let told = self
            .tangle
            .confidences(&walk, self.now, &mut self.scratch, |_, _| count += 1);
        told.is_ok() && count > CAPACITY / 2
    }
}
