//! Leaves: devices too small for a window, each an `iotedge_core::leaf::Leaf` that publishes readings through the head of its neighbours' cluster.
//!
//! They are numbered after all hosts and wired to their neighbours, whatever radio the nodes have. What a leaf says reaches a node no sooner than the least
//! delay of a link, as among hosts, so leaves run after the hosts of a step, on one thread, and the run is the same on any number of them.

use crate::founding::{Founding, START};
use crate::host::{Due, What};
use crate::link::{Links, Sender};
use crate::platform::{SharedVerify, SimPlatform};
use crate::report::Times;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::topology::Neighbours;
use iotedge_core::cluster::ClusterSecret;
use iotedge_core::crypto::Sha256;
use iotedge_core::leaf::{Config, Event, Leaf, Phase, Submission};
use iotedge_core::node::Membership;
use iotedge_core::{Id, MAX_FRAME, Millis, Peer};
use std::collections::{BTreeMap, BinaryHeap};

/// Nodes that a leaf hears, where there are so many.
const HEARD: usize = 5;
/// A leaf has something to say this often in a period, at most: it follows four transactions at once.
const PER_PERIOD: u64 = 3;

/// What leaves did, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafTotals {
    /// Leaves.
    pub leaves: u16,
    /// Of them members that may speak, in the end.
    pub active: u16,
    /// Readings taken into a leaf's store.
    pub submitted: u64,
    /// Transactions signed.
    pub sent: u64,
    /// From the submission until it was signed and stored.
    pub to_sent: Times,
    /// From there until q nodes besides the head approve it.
    pub to_witnessed: Times,
    /// In a settled header, as the leaf proved to itself.
    pub settled: u64,
    /// Dead.
    pub dead: u64,
    /// Signed at least T/2 before the end of traffic, and neither witnessed nor settled: must be none.
    pub unseen: u64,
    /// Signed, settled nowhere, not dead and older than the newest header that the leaf knows: must be none.
    pub unknown: u64,
    /// Suspicions, by the number of the host.
    pub suspected: BTreeMap<u16, u64>,
    /// `Doubled`, `Fork`, `Stale`, `PlatformFailed` and rejections: must be none.
    pub faults: u64,
}

/// The lease of the cluster that all devices but the gateway are in, where there are leaves: half of T.
#[must_use]
pub fn lease(scenario: &Scenario) -> u64 {
    (scenario.period / 2).max(64)
}

/// The part of a device in that cluster. Member 1 is the ablest, then 2, and so on.
pub(crate) fn membership(scenario: &Scenario, member: u16) -> Membership {
    let mut membership = Membership {
        secret: ClusterSecret::new([0x5e; 32]),
        label: Default::default(),
        lease: Millis(lease(scenario)),
        score: Some(scenario.nodes.saturating_sub(member)),
    };
    // Short enough.
    let _ = membership.label.extend_from_slice(b"all leaves");
    membership
}

/// Joins each leaf to devices of its own choice, none of them the gateway; gives whom each hears. `hosts` are all others.
pub(crate) fn attach(scenario: &Scenario, hosts: &mut [Neighbours]) -> Vec<Vec<u16>> {
    let first = hosts.len() as u16;
    (0..scenario.leaves)
        .map(|leaf| {
            let mut devices: Vec<u16> = (2..scenario.nodes).collect();
            Rng::stream(scenario.seed, "leaf", leaf.into()).shuffle(&mut devices);
            // The first head is heard by all: what becomes of it concerns everybody.
            devices.insert(0, 1);
            devices.truncate(HEARD);
            devices.sort_unstable();
            for device in &devices {
                hosts[usize::from(*device)].peers.push(first + leaf);
            }
            devices
        })
        .collect()
}

/// An own transaction on its way.
struct Said {
    at: u64,
    witnessed: bool,
    over: bool,
}

/// A leaf and what stands beside it.
pub(crate) struct LeafHost<'m> {
    pub number: u16,
    leaf: Leaf<'m, SimPlatform, SharedVerify>,
    now: u64,
    wake: u64,
    queue: BinaryHeap<Due>,
    serial: u32,
    sender: Sender,
    chance: Rng,
    waiting: BTreeMap<u32, u64>,
    said: BTreeMap<Id, Said>,
    totals: LeafTotals,
    hash: Sha256,
    /// For hosts, with the moment of arrival.
    pub sent: Vec<(u16, Due)>,
    /// For the trace.
    pub lines: Vec<(u64, String)>,
}

impl<'m> LeafHost<'m> {
    /// The `n`th leaf, under this host's number. `buffer` has room for a frame.
    pub fn new(
        (scenario, founding): (&Scenario, &Founding),
        (n, number): (u16, u16),
        peers: &[u16],
        verify: &SharedVerify,
        buffer: &'m mut [u8],
    ) -> Result<Self, String> {
        let stream = |label| Rng::stream(scenario.seed, label, u64::from(number));
        let skew = stream("skew").between(0, 2 * scenario.skew) as i64 - scenario.skew as i64;
        let mut config = Config::new(founding.authority);
        config.clock = Some(START as i64 + skew);
        let member = scenario.nodes + n;
        let platform = SimPlatform::new(stream("platform"));
        let secret = founding.device(member);
        let leaf = Leaf::new(config, secret, platform, verify.clone(), buffer);
        let mut leaf = leaf.map_err(|e| format!("leaf {n} does not start: {e:?}"))?;
        for peer in peers {
            leaf.add_peer(Peer(*peer), false)
                .map_err(|e| format!("leaf {n}: {e:?}"))?;
        }
        let mut host = Self {
            number,
            leaf,
            now: 0,
            wake: 500,
            queue: BinaryHeap::new(),
            serial: 0,
            sender: Sender::new(scenario.seed, number),
            chance: stream("leaf traffic"),
            waiting: BTreeMap::new(),
            said: BTreeMap::new(),
            totals: LeafTotals {
                leaves: 1,
                ..LeafTotals::default()
            },
            hash: Sha256::new(),
            sent: Vec::new(),
            lines: Vec::new(),
        };
        let first = host.chance.between(3_000, 3_000 + Self::pause(scenario));
        host.plan(first, What::Act);
        Ok(host)
    }

    fn pause(scenario: &Scenario) -> u64 {
        scenario.pause().max(scenario.period / PER_PERIOD)
    }

    fn plan(&mut self, wait: u64, what: What) {
        self.serial = self.serial.wrapping_add(1);
        let due = Due::new(self.now + wait, self.number, self.serial, what);
        self.queue.push(due);
    }

    pub fn enqueue(&mut self, due: Due) {
        self.queue.push(due);
    }

    /// When something is due here next.
    pub fn next(&self) -> u64 {
        self.queue.peek().map_or(u64::MAX, Due::at).min(self.wake)
    }

    /// Simulates it up to, and without, `until`.
    pub fn run(&mut self, scenario: &Scenario, links: &Links, until: u64) {
        loop {
            let next = self.next();
            if next >= until {
                return;
            }
            self.now = next;
            while self.queue.peek().is_some_and(|due| due.at() <= next) {
                match self.queue.pop().map(|due| due.what) {
                    Some(What::Frame { from, bytes }) => {
                        self.hash.update(&next.to_be_bytes());
                        self.hash.update(&from.to_be_bytes());
                        self.hash.update(&bytes);
                        let _ = self.leaf.receive(Millis(next), Peer(from), &bytes);
                    }
                    Some(What::Act) => self.act(scenario),
                    _ => {}
                }
            }
            self.drain(links);
        }
    }

    /// Says something, unless what it said last still waits.
    fn act(&mut self, scenario: &Scenario) {
        if self.now >= scenario.duration {
            return;
        }
        let pause = Self::pause(scenario);
        let next = self.chance.between(pause / 2, pause * 3 / 2);
        self.plan(next, What::Act);
        let body = self.totals.submitted.to_be_bytes();
        let said = self.leaf.submit(Millis(self.now), &Submission::Data(&body));
        if let Ok(ticket) = said {
            self.totals.submitted += 1;
            self.waiting.insert(ticket, self.now);
        }
    }

    fn drain(&mut self, links: &Links) {
        let now = Millis(self.now);
        while let Some((to, bytes)) = self.leaf.next_frame(now) {
            let pair = (self.number, to.0);
            let copies = links.send(&mut self.sender, self.now, pair, bytes);
            for (at, bytes) in copies.into_iter().flatten() {
                self.serial = self.serial.wrapping_add(1);
                let from = self.number;
                let due = Due::new(at, from, self.serial, What::Frame { from, bytes });
                self.sent.push((to.0, due));
            }
        }
        while let Some(event) = self.leaf.next_event() {
            self.on_event(&event);
        }
        self.wake = self.leaf.deadline().0.max(self.now + 1);
    }

    fn on_event(&mut self, event: &Event) {
        let text = format!("{event:?}");
        self.hash.update(text.as_bytes());
        self.lines.push((self.now, text));
        let (now, totals) = (self.now, &mut self.totals);
        match event {
            Event::Sent { ticket, id, .. } => {
                totals.sent += 1;
                if let Some(since) = self.waiting.remove(ticket) {
                    totals.to_sent.push(now - since);
                }
                let said = Said {
                    at: now,
                    witnessed: false,
                    over: false,
                };
                self.said.insert(*id, said);
            }
            Event::Witnessed { id } => {
                if let Some(said) = self.said.get_mut(id).filter(|s| !s.witnessed) {
                    said.witnessed = true;
                    totals.to_witnessed.push(now - said.at);
                }
            }
            Event::Settled { id, .. } | Event::Dead { id } => {
                let dead = matches!(event, Event::Dead { .. });
                totals.dead += u64::from(dead);
                totals.settled += u64::from(!dead);
                if let Some(said) = self.said.get_mut(id) {
                    said.over = true;
                }
            }
            Event::HeadSuspected { peer } => *totals.suspected.entry(peer.0).or_default() += 1,
            Event::Doubled
            | Event::Fork
            | Event::Stale
            | Event::PlatformFailed
            | Event::Rejected { .. } => totals.faults += 1,
            _ => {}
        }
    }

    /// What it did, and the hash of what it heard and told. `cut`: of the newest header, in the run's time.
    pub fn finish(&mut self, scenario: &Scenario, cut: u64) -> (LeafTotals, [u8; 32]) {
        let mut totals = core::mem::take(&mut self.totals);
        totals.active = u16::from(self.leaf.status().phase == Phase::Active);
        // A vertex is later than its parents, so perhaps somewhat later than it was signed.
        let old = |said: &&Said| !said.over && said.at + 2_000 < cut;
        totals.unknown = self.said.values().filter(old).count() as u64;
        let spoken = scenario.duration.saturating_sub(scenario.period / 2);
        let unseen = |said: &&Said| !said.over && !said.witnessed && said.at < spoken;
        totals.unseen = self.said.values().filter(unseen).count() as u64;
        let hash = core::mem::replace(&mut self.hash, Sha256::new());
        (totals, hash.finish())
    }
}

impl LeafTotals {
    /// Adds what another leaf did.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.leaves += other.leaves;
        self.active += other.active;
        self.submitted += other.submitted;
        self.sent += other.sent;
        self.to_sent.absorb(other.to_sent);
        self.to_witnessed.absorb(other.to_witnessed);
        self.settled += other.settled;
        self.dead += other.dead;
        self.unseen += other.unseen;
        self.unknown += other.unknown;
        for (host, times) in other.suspected {
            *self.suspected.entry(host).or_default() += times;
        }
        self.faults += other.faults;
    }
}

/// Room for the frames of so many leaves.
pub(crate) fn buffers(scenario: &Scenario) -> Vec<Vec<u8>> {
    vec![vec![0; MAX_FRAME]; usize::from(scenario.leaves)]
}
