//! The LST-Tangle of the core, with its chains, its bounded window and its trims.
//!
//! Two nodes follow the same traffic: the device that is measured, with its window, and a full node that holds whole epochs, evaluates each
//! certified trim and settles it, as the gateway does. What the full node settles the device prunes. The device follows one member's transactions
//! to their Quorum, as its own.

use super::cost::Counts;
use super::record::{NONE, PARENTS, Record, quantile};
use super::run::Strategy;
use super::traffic::{Arrival, Traffic};
use crate::rng::Rng;
use iotedge_core::tangle::{
    Change, Cut, Effect, Facts, Head, Limits, Member, Policy, Scratch, Start, Stubs, Tables,
    Tangle, TangleMemory, Tracked, Vertex, Walk, Work,
};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Weight};
use serde_json::{Value, json};

/// How tips are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The core's default.
    Uniform,
    /// The paper's walk over the window, with this alpha in units of 2^-16.
    Weighted(u32),
}

/// T of the comparison, in ms: 480 transactions of the usual traffic.
pub const PERIOD: u64 = 60_000;
/// The gateway trims so much before T/2 ago, in ms: two thirds must have spoken since.
const SLACK: u64 = 8_000;
/// A void trim is followed by another one so much later, in ms.
const RETRY: u64 = 2_000;
/// The full node holds so many periods: from a cut to the settlement of the next one lie less than two.
const PERIODS: u64 = 4;
/// The GL-node.
const GL_NODE: u16 = 0;
/// Whose transactions the device follows.
const OWN: u16 = 1;

/// The ids are made of the numbers in the record; the last four bytes give the number back.
fn id(number: u32) -> Id {
    let mut rng = Rng::stream(0x1d, "id", u64::from(number));
    let mut id = [0; 32];
    for word in id.chunks_exact_mut(8) {
        word.copy_from_slice(&rng.draw().to_be_bytes());
    }
    id[28..].copy_from_slice(&number.to_be_bytes());
    Id(id)
}

fn number_of(id: &Id) -> u32 {
    u32::from_be_bytes([id.0[28], id.0[29], id.0[30], id.0[31]])
}

/// The neighbourhood's id, in place of a trim before the first.
const NEIGHBOURHOOD: Id = Id([0xff; 32]);

/// What is settled.
#[derive(Debug)]
struct Book {
    members: u16,
    cuts: Vec<Cut>,
    heads: Vec<Head>,
}

impl Tables for Book {
    fn newest_settled(&self) -> HeaderNumber {
        HeaderNumber(self.cuts.len() as u32 - 1)
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        let header = epoch.0.checked_sub(1)? as usize;
        self.cuts.get(header).map(|cut| cut.cut)
    }
    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut> {
        self.cuts.get(header.0 as usize).copied()
    }
    fn total(&self, epoch: Epoch) -> Option<u64> {
        self.clock_start(epoch).map(|_| self.members.into())
    }
    fn members(&self) -> usize {
        self.members.into()
    }
    fn weight(&self, epoch: Epoch, member: MemberIndex) -> Option<Weight> {
        (member.0 < self.members && self.clock_start(epoch).is_some()).then_some(Weight(1))
    }
    fn credits(&self, _: Epoch, _: MemberIndex) -> Option<Amount> {
        Some(Amount(0))
    }
    fn head(&self, member: MemberIndex) -> Option<Head> {
        self.heads.get(usize::from(member.0)).copied()
    }
    fn frozen(&self, _: MemberIndex) -> bool {
        false
    }
    fn gl_node(&self, _: Epoch) -> Option<MemberIndex> {
        Some(MemberIndex(GL_NODE))
    }
}

/// What a vertex is besides what the record holds.
#[derive(Clone, Copy, Debug)]
struct Note {
    number: Number,
    hands_on: Epoch,
}

/// A trim under way.
#[derive(Clone, Copy, Debug)]
struct Trim {
    vertex: u32,
    effect: Effect,
}

/// One neighbourhood, as one device with this window sees it.
#[derive(Debug)]
pub struct Ours {
    choice: Choice,
    device: Tangle<'static>,
    /// None: nothing is settled, for counting the device's instructions alone.
    full: Option<Tangle<'static>>,
    book: Book,
    notes: Vec<Note>,
    /// Newest transaction of each member, arrived or not.
    heads: Vec<u32>,
    trims: Vec<Trim>,
    last_trim: u64,
    previous: Id,
    rng: Rng,
    work: Vec<Work>,
    order: Vec<u16>,
    members: Vec<u64>,
    choosing: u64,
    checks: u64,
    tips: u64,
    /// How long the followed transactions took to Quorum here.
    quorums: Vec<u64>,
    /// Followed now: id and time.
    followed: Vec<(Id, Millis)>,
    living: u64,
    done: u64,
}

fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    Vec::leak(vec![value; count])
}

fn tangle(capacity: usize, members: u16) -> Tangle<'static> {
    let limits = Limits {
        capacity,
        members: members.into(),
        tracked: 32,
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
        period: Millis(PERIOD),
        max_parent_age: Millis(PERIOD / 4),
        freshness: Millis(PERIOD / 4),
        witnesses: 3,
    };
    Tangle::new(memory, policy, 0x5eed).expect("memory as asked for")
}

#[cfg(feature = "meter")]
fn touched(tangle: &Tangle<'_>) -> u64 {
    tangle.touched()
}

#[cfg(not(feature = "meter"))]
fn touched(_: &Tangle<'_>) -> u64 {
    0
}

/// Bytes of RAM of a window: what the caller of the core gives.
#[must_use]
pub fn ram(window: usize, members: usize) -> usize {
    let limits = Limits {
        capacity: window,
        members,
        tracked: 32,
    };
    let sizes = limits.sizes().expect("limits in range");
    sizes.vertices * size_of::<Vertex>()
        + sizes.index * 4
        + sizes.tips * 2
        + sizes.marks * 8
        + sizes.members * size_of::<Member>()
        + sizes.sets
        + sizes.settled * size_of::<Number>()
        + sizes.tracked * size_of::<Tracked>()
}

impl Ours {
    /// A device with this window.
    ///
    /// # Panics
    /// A window that the core does not offer.
    #[must_use]
    pub fn new(traffic: &Traffic, window: usize, choice: Choice) -> Self {
        let members = traffic.issuers;
        let epochs = (PERIODS * PERIOD / traffic.gap).next_power_of_two();
        let full = (epochs as usize).clamp(window, 65_536);
        let head = Head {
            number: Number(0),
            id: id(0),
            debits: Amount(0),
        };
        Self {
            choice,
            device: tangle(window, members),
            full: Some(tangle(full, members)),
            book: Book {
                members,
                cuts: vec![Cut {
                    trim: NEIGHBOURHOOD,
                    cut: Millis(0),
                }],
                heads: vec![head; members.into()],
            },
            notes: vec![Note {
                number: Number(0),
                hands_on: Epoch(1),
            }],
            heads: vec![0; members.into()],
            trims: Vec::new(),
            last_trim: 0,
            previous: NEIGHBOURHOOD,
            rng: Rng::stream(traffic.seed, "ours", 0),
            work: vec![Work::default(); full],
            order: vec![0; full],
            members: vec![0; members.into()],
            choosing: 0,
            checks: 0,
            tips: 0,
            quorums: Vec::new(),
            followed: Vec::new(),
            living: 0,
            done: 0,
        }
    }

    /// Without the full node and its trims.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.full = None;
        self
    }

    fn parents_for(&mut self, issuer: u16, now: u64) -> [u32; PARENTS] {
        let before = touched(&self.device);
        self.device.set_own(Some(MemberIndex(issuer)));
        let mut tips = [Id::ZERO; 2];
        let rng = &mut self.rng;
        let mut draw = || (rng.draw() >> 32) as u32;
        let found = match self.choice {
            Choice::Uniform => self.device.select(Millis(now), &mut draw, &mut tips),
            Choice::Weighted(alpha) => {
                let walk = Walk {
                    alpha,
                    start: Start::Root,
                };
                let mut scratch = Scratch {
                    work: &mut self.work,
                    order: &mut self.order,
                    members: &mut self.members,
                };
                self.device
                    .select_weighted(&walk, Millis(now), &mut draw, &mut scratch, &mut tips)
                    .expect("scratch as asked for")
            }
        };
        self.device.set_own(Some(MemberIndex(OWN)));
        self.choosing += touched(&self.device) - before;
        let head = self.heads[usize::from(issuer)];
        let mut parents = [NONE; PARENTS];
        parents[0] = head;
        for (place, tip) in parents[1..].iter_mut().zip(&tips[..found]) {
            *place = number_of(tip);
        }
        parents
    }

    /// Takes note of a transaction that was just made, before anything arrives on top of it.
    fn note(&mut self, record: &Record, number: u32) {
        while self.notes.len() <= number as usize {
            let here = self.notes.len() as u32;
            let entry = record.get(here);
            let trim = self.trims.iter().find(|trim| trim.vertex == here);
            let epoch = entry
                .parents()
                .map(|parent| self.notes[parent as usize].hands_on)
                .max()
                .unwrap_or(Epoch(1));
            let opened = match trim.map(|trim| trim.effect) {
                Some(Effect::Trim { header, .. }) => header.opens(),
                _ => Epoch(0),
            };
            let chain = entry.parents[0] as usize;
            self.notes.push(Note {
                number: Number(self.notes[chain].number.0 + 1),
                hands_on: epoch.max(opened),
            });
            self.heads[usize::from(entry.issuer)] = here;
        }
    }

    /// Settles a certified trim at the full node, and prunes both.
    fn settle(&mut self, trim: &Id, cut: Millis) {
        let mut heads = self.book.heads.clone();
        let mut scratch = Scratch {
            work: &mut self.work,
            order: &mut self.order,
            members: &mut self.members,
        };
        let Some(full) = &mut self.full else {
            return;
        };
        let outcome = full
            .evaluate(trim, &self.book, &mut scratch, |verdict| {
                if verdict.lives {
                    heads[usize::from(verdict.facts.issuer.0)] = Head {
                        number: verdict.facts.number,
                        id: verdict.facts.id,
                        debits: Amount(0),
                    };
                }
            })
            .unwrap_or_else(|refusal| panic!("the full node holds the epoch: {refusal:?}"));
        self.done += u64::from(outcome.done);
        self.living += u64::from(outcome.living);
        self.book.heads = heads;
        self.book.cuts.push(Cut { trim: *trim, cut });
        self.previous = *trim;
        for tangle in [full, &mut self.device] {
            tangle.tables_changed(&self.book);
            tangle.prune(cut);
        }
        self.trims.clear();
        // Its receipt is here, or it is dead.
        for (id, _) in self.followed.extract_if(.., |(_, time)| *time <= cut) {
            self.device.untrack(&id);
        }
    }
}

impl Strategy for Ours {
    fn choose(&mut self, record: &Record, arrival: &Arrival) -> [u32; PARENTS] {
        if let Some(newest) = (record.len() as u32).checked_sub(1) {
            self.note(record, newest);
        }
        self.parents_for(arrival.issuer, arrival.time)
    }

    fn arrive(&mut self, record: &Record, number: u32) -> bool {
        self.note(record, number);
        let entry = record.get(number);
        let note = self.notes[number as usize];
        let mut others: Vec<Id> = entry.parents().skip(1).map(id).collect();
        others.sort_unstable();
        let first = id(entry.parents[0]);
        others.retain(|other| *other != first);
        let mut parents = vec![first];
        parents.extend(others);
        let trim = self.trims.iter().find(|trim| trim.vertex == number);
        let epoch = entry
            .parents()
            .map(|parent| self.notes[parent as usize].hands_on)
            .max()
            .unwrap_or(Epoch(1));
        let facts = Facts {
            id: id(number),
            issuer: MemberIndex(entry.issuer),
            number: note.number,
            epoch,
            time: Millis(entry.time),
            effect: trim.map_or(Effect::None, |trim| trim.effect),
        };
        self.checks += 1;
        let taken = self
            .device
            .insert(&self.book, &facts, &parents, Stubs::default())
            .is_ok();
        if let Some(full) = &mut self.full {
            let there = full.insert(&self.book, &facts, &parents, Stubs::default());
            assert_eq!(taken, there.is_ok(), "one rule for every window: {there:?}");
        }
        if !taken {
            // The issuer goes on where it was.
            let head = &mut self.heads[usize::from(entry.issuer)];
            if *head == number {
                *head = entry.parents[0];
                while !record.get(*head).taken {
                    *head = record.get(*head).parents[0];
                }
            }
            if self.trims.iter().any(|trim| trim.vertex == number) {
                // Too few had spoken: once more in a while.
                self.trims.clear();
                self.last_trim = entry.time + RETRY - PERIOD;
            }
            return false;
        }
        // While all 32 places are taken it is not followed.
        if entry.issuer == OWN && self.device.track(&self.book, &facts.id).is_ok() {
            self.followed.push((facts.id, facts.time));
        }
        while let Some(change) = self.device.next_change() {
            if let Change::Quorum(done) = change {
                self.device.untrack(&done);
                self.followed.retain(|(id, _)| *id != done);
                let issued = record.get(number_of(&done)).time;
                self.quorums.push(entry.time.saturating_sub(issued));
            }
        }
        while let Some(change) = self.full.as_mut().and_then(Tangle::next_change) {
            if let Change::TrimCertified { id, cut } = change {
                self.settle(&id, cut);
            }
        }
        self.tips = self.device.tips().count() as u64;
        true
    }

    fn due(&mut self, record: &Record, now: u64) -> Option<(u16, [u32; PARENTS])> {
        if now < self.last_trim + PERIOD || !self.trims.is_empty() || self.full.is_none() {
            return None;
        }
        self.last_trim = now;
        self.note(record, record.len() as u32 - 1);
        let parents = self.parents_for(GL_NODE, now);
        self.trims.push(Trim {
            vertex: record.len() as u32,
            effect: Effect::Trim {
                cut: Millis(now - PERIOD / 2 - SLACK),
                previous: self.previous,
                header: self.book.newest_settled(),
            },
        });
        Some((GL_NODE, parents))
    }

    fn chains(&self) -> bool {
        true
    }

    fn counts(&self) -> Counts {
        Counts {
            follow: touched(&self.device) - self.choosing,
            choose: self.choosing,
            checks: self.checks,
        }
    }

    fn held(&self) -> u64 {
        self.device.len() as u64
    }

    fn tips(&self) -> u64 {
        self.tips
    }

    fn extra(&self) -> Value {
        let mut times = self.quorums.clone();
        json!({
            "headers": self.book.cuts.len() - 1,
            "done": self.done,
            "living": self.living,
            "followed_to_quorum": times.len(),
            "quorum_p50": quantile(&mut times, 0.5),
            "quorum_p99": quantile(&mut times, 0.99),
        })
    }
}
