//! IOTA's practice after Chrysalis: TIP-3, uniform random tip selection on a subset.
//!
//! After github.com/iotaledger/tips, TIP-0003: a tip's score comes from the oldest and youngest milestones (OMRSI, YMRSI) that confirmed the first confirmed
//! transactions of its past cone. With the recommended C1 = 8, C2 = 13, M = 15 only non-lazy tips are drawn; a tip leaves the pool with X = 2
//! approvers or T = 3 s after the first. The scores are kept per transaction and computed anew when a milestone comes, which the text suggests.
//! Assumed, since TIP-3 leaves it open: milestones every 10 s, each above the last one and three drawn tips; two parents per transaction as for
//! all others here; a week of milestones is kept, so up to 10^6 nothing is pruned.

use super::cost::Counts;
use super::paper::pair;
use super::record::{NONE, PARENTS, Record};
use super::run::Strategy;
use super::traffic::{Arrival, Traffic};
use crate::rng::Rng;

const C1: u32 = 8;
const C2: u32 = 13;
const M: u32 = 15;
/// X: approvers after which a tip leaves the pool.
const APPROVERS: u32 = 2;
/// T: so long after its first approver it leaves, in ms.
const RETENTION: u64 = 3_000;
/// Between milestones, in ms.
const INTERVAL: u64 = 10_000;
/// Not confirmed.
const OPEN: u32 = u32::MAX;

/// What the node keeps of a transaction.
#[derive(Clone, Copy, Debug)]
struct Site {
    parents: [u32; PARENTS],
    /// The milestone that confirmed it.
    confirmed: u32,
    oldest: u32,
    youngest: u32,
    /// At which milestone these two were computed.
    scored: u32,
    approvers: u32,
    first_approved: u64,
}

/// A tip's score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// Never drawn.
    Lazy,
    /// Only a coordinator may draw it.
    SemiLazy,
    /// In the pool.
    NonLazy,
}

/// The scoring rule of TIP-3.
#[must_use]
pub const fn score(newest: u32, oldest_root: u32, youngest_root: u32) -> Score {
    if newest.saturating_sub(youngest_root) > C1 || newest.saturating_sub(oldest_root) > M {
        Score::Lazy
    } else if newest.saturating_sub(oldest_root) > C2 {
        Score::SemiLazy
    } else {
        Score::NonLazy
    }
}

/// A node of TIP-3, and the coordinator.
#[derive(Debug)]
pub struct Urts {
    sites: Vec<Site>,
    pool: Vec<u32>,
    newest: u32,
    last_milestone: u32,
    last: u64,
    now: u64,
    coordinator: u16,
    rng: Rng,
    counts: Counts,
    held: u64,
}

impl Urts {
    /// With the genesis, confirmed by milestone 0.
    #[must_use]
    pub fn new(traffic: &Traffic) -> Self {
        Self {
            sites: vec![Site {
                parents: [NONE; PARENTS],
                confirmed: 0,
                oldest: 0,
                youngest: 0,
                scored: 0,
                approvers: 0,
                first_approved: 0,
            }],
            pool: Vec::new(),
            newest: 0,
            last_milestone: 0,
            last: 0,
            now: 0,
            coordinator: traffic.issuers,
            rng: Rng::stream(traffic.seed, "urts", 0),
            counts: Counts::default(),
            held: 1,
        }
    }

    fn site(&mut self, number: u32) -> &mut Site {
        &mut self.sites[number as usize]
    }

    /// Brings OMRSI and YMRSI of a transaction and of the open ones below it up to the newest milestone. Returns how many were touched.
    fn rescore(&mut self, number: u32) -> u64 {
        let mut touched = 0;
        let mut stack = vec![number];
        while let Some(&here) = stack.last() {
            let site = self.sites[here as usize];
            if site.confirmed != OPEN || site.scored == self.newest {
                stack.pop();
                continue;
            }
            let stale = |p: &u32| {
                let parent = &self.sites[*p as usize];
                parent.confirmed == OPEN && parent.scored != self.newest
            };
            let parents = || site.parents.into_iter().filter(|p| *p != NONE);
            if let Some(parent) = parents().find(stale) {
                stack.push(parent);
                continue;
            }
            let (mut oldest, mut youngest) = (u32::MAX, 0);
            for parent in parents() {
                touched += 1;
                let parent = &self.sites[parent as usize];
                let roots = match parent.confirmed {
                    OPEN => (parent.oldest, parent.youngest),
                    by => (by, by),
                };
                oldest = oldest.min(roots.0);
                youngest = youngest.max(roots.1);
            }
            touched += 1;
            let newest = self.newest;
            let site = self.site(here);
            (site.oldest, site.youngest, site.scored) = (oldest, youngest, newest);
            stack.pop();
        }
        touched
    }

    /// Confirms everything open below a milestone. Returns how many were touched.
    fn confirm(&mut self, milestone: u32) -> u64 {
        let mut touched = 0;
        let mut stack = vec![milestone];
        while let Some(here) = stack.pop() {
            touched += 1;
            let by = self.newest;
            let site = self.site(here);
            if site.confirmed == OPEN {
                site.confirmed = by;
                let parents = site.parents;
                stack.extend(parents.into_iter().filter(|p| *p != NONE));
            }
        }
        touched
    }

    fn non_lazy(&self, number: u32) -> bool {
        let site = &self.sites[number as usize];
        score(self.newest, site.oldest, site.youngest) == Score::NonLazy
    }

    /// Takes out of the pool whose time is over.
    fn expire(&mut self) {
        let (sites, now) = (&self.sites, self.now);
        self.pool.retain(|&tip| {
            let site = &sites[tip as usize];
            site.approvers == 0
                || (site.approvers < APPROVERS && now < site.first_approved + RETENTION)
        });
    }

    fn draw(&mut self) -> u32 {
        self.counts.choose += 1;
        match self.pool.len() as u64 {
            0 => self.last_milestone,
            count => self.pool[self.rng.below(count) as usize],
        }
    }
}

impl Strategy for Urts {
    fn choose(&mut self, _: &Record, arrival: &Arrival) -> [u32; PARENTS] {
        self.now = arrival.time;
        self.expire();
        let (a, b) = (self.draw(), self.draw());
        pair(a, b)
    }

    fn arrive(&mut self, record: &Record, number: u32) -> bool {
        let entry = record.get(number);
        self.now = self.now.max(entry.time);
        self.sites.push(Site {
            parents: entry.parents,
            confirmed: OPEN,
            oldest: 0,
            youngest: 0,
            scored: OPEN,
            approvers: 0,
            first_approved: 0,
        });
        let now = self.now;
        for parent in entry.parents() {
            self.counts.follow += 1;
            let parent = self.site(parent);
            parent.approvers += 1;
            if parent.approvers == 1 {
                parent.first_approved = now;
            }
        }
        self.counts.checks += 1;
        self.held += 1;
        if entry.special {
            self.newest += 1;
            self.last_milestone = number;
            self.counts.follow += self.confirm(number);
            // All scores have changed.
            for tip in self.pool.clone() {
                self.counts.follow += self.rescore(tip);
            }
            let keep: Vec<u32> = self
                .pool
                .iter()
                .copied()
                .filter(|tip| self.sites[*tip as usize].confirmed != OPEN || self.non_lazy(*tip))
                .collect();
            self.pool = keep;
            let newest = self.newest;
            let site = self.site(number);
            (site.oldest, site.youngest) = (newest, newest);
            self.pool.push(number);
        } else {
            self.counts.follow += self.rescore(number);
            if self.non_lazy(number) {
                self.pool.push(number);
            }
        }
        self.expire();
        true
    }

    fn due(&mut self, _: &Record, now: u64) -> Option<(u16, [u32; PARENTS])> {
        if now < self.last + INTERVAL {
            return None;
        }
        self.last = now;
        let mut parents = [NONE; PARENTS];
        parents[0] = self.last_milestone;
        let mut count = 1;
        for _ in 1..PARENTS {
            let tip = self.draw();
            if !parents.contains(&tip) {
                parents[count] = tip;
                count += 1;
            }
        }
        Some((self.coordinator, parents))
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn held(&self) -> u64 {
        self.held
    }

    fn tips(&self) -> u64 {
        self.pool.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_text() {
        assert_eq!(score(20, 20, 20), Score::NonLazy);
        assert_eq!(score(20, 7, 12), Score::NonLazy);
        assert_eq!(score(20, 7, 11), Score::Lazy);
        assert_eq!(score(20, 6, 20), Score::SemiLazy);
        assert_eq!(score(20, 5, 20), Score::SemiLazy);
        assert_eq!(score(20, 4, 20), Score::Lazy);
    }

    /// Two milestones by hand: what the first confirms is the root of what comes after.
    #[test]
    fn roots_are_found_through_open_cones() {
        use super::super::record::Entry;
        let mut record = Record::default();
        let mut urts = Urts::new(&Traffic::USUAL);
        let mut add = |urts: &mut Urts, special: bool, parents: [u32; PARENTS]| {
            let time = 2 * record.len() as u64;
            let number = record.push(Entry {
                time,
                issuer: 0,
                lazy: false,
                special,
                taken: true,
                parents,
            });
            urts.arrive(&record, number);
            number
        };
        let a = add(&mut urts, false, pair(0, 0));
        let first = add(&mut urts, true, pair(0, a));
        assert_eq!((urts.newest, urts.sites[a as usize].confirmed), (1, 1));
        let b = add(&mut urts, false, pair(a, first));
        let c = add(&mut urts, false, pair(b, 0));
        let roots = |urts: &Urts, n: u32| {
            let site = urts.sites[n as usize];
            (site.oldest, site.youngest)
        };
        assert_eq!(roots(&urts, b), (1, 1));
        assert_eq!(roots(&urts, c), (0, 1));
        // The second milestone confirms b: c's oldest root stays the genesis, its youngest is now milestone 2.
        add(&mut urts, true, pair(first, b));
        assert_eq!(roots(&urts, c), (0, 2));
    }
}
