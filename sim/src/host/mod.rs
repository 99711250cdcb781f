//! One host: its node, what stands beside it, and everything that is due there.
//!
//! A host is simulated by itself: what it does depends on its own queue and on nothing that another host holds now. What it says to others is put
//! into `sent` and reaches them no sooner than the least delay of a link; what concerns the whole run is put into `notes`. So any number
//! of hosts can be simulated at once up to that delay, on any thread, and the run is the same.

mod due;
mod events;
mod frames;
mod life;

pub(crate) use due::{Due, Note, What};
pub(crate) use life::refusals;

use crate::actors::{Actor, Hands, Trader};
use crate::air::Air;
use crate::archive::Archive;
use crate::founding::Founding;
use crate::gateway::{Gateway, SimNode, Validator};
use crate::link::{Links, Sender};
use crate::memory::Footprint;
use crate::platform::{SharedVerify, SimPlatform};
use crate::report::HostTotals;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::topology::Neighbours;
use iotedge_core::crypto::Sha256;
use iotedge_core::node::{Grade, Limits, Memory};
use iotedge_core::{Id, Millis};
use std::collections::{BinaryHeap, HashMap};

/// The gateway's process, as its own node addresses it.
pub(crate) const LOCAL: u16 = u16::MAX;

/// What all hosts may look at.
pub(crate) struct Shared<'a> {
    pub scenario: &'a Scenario,
    pub founding: &'a Founding,
    pub links: Links,
    pub verify: SharedVerify,
    /// Whether events are to be written down.
    pub tracing: bool,
    /// The number of hosts; leaves come after them.
    pub first_leaf: u16,
}

/// An own transaction.
#[derive(Clone, Copy, Debug)]
struct Birth {
    at: u64,
    /// It was told that it has its Quorum, or is settled.
    quorum: bool,
}

/// A host of the run.
pub(crate) struct Host<'m> {
    pub number: u16,
    /// Whose key it has: its own number, but for twins.
    pub member: u16,
    pub now: u64,
    pub node: Option<Box<SimNode<'m>>>,
    /// While it is down.
    pub parts: Option<(Memory<'m>, SimPlatform)>,
    pub footprint: Footprint,
    pub limits: Limits,
    pub peers: Vec<u16>,
    /// Those of them through which the gateway is reached.
    pub uplinks: Vec<u16>,
    pub booted: u64,
    pub skew: i64,
    /// Its clock has no battery: from its next start on it asks its neighbours.
    pub clockless: bool,
    wake: u64,
    pub touched: bool,
    queue: BinaryHeap<Due>,
    serial: u32,
    pub trader: Option<Trader>,
    pub actor: Option<Box<dyn Actor>>,
    pub gateway: Option<Gateway>,
    /// Its database, where the scenario has it restart.
    pub archive: Option<Archive>,
    pub validator: Option<Validator>,
    pub chance: Rng,
    pub sender: Sender,
    /// Where its radio does not carry whole frames.
    pub air: Option<Air<'m>>,
    /// Confessed: nothing is promised to it.
    pub guilty: bool,
    births: HashMap<Id, Birth>,
    grades: HashMap<Id, Grade>,
    hash: Sha256,
    pub totals: HostTotals,
    /// For other hosts, with the moment of arrival.
    pub sent: Vec<(u16, Due)>,
    /// When, and what.
    pub notes: Vec<(u64, Note)>,
}

impl<'m> Host<'m> {
    pub fn new(
        scenario: &Scenario,
        founding: &Founding,
        (number, member): (u16, u16),
        memory: Memory<'m>,
        limits: Limits,
        Neighbours {
            peers,
            uplinks,
            hops,
        }: Neighbours,
    ) -> Self {
        let members = scenario.nodes;
        let stream = |label| Rng::stream(scenario.seed, label, u64::from(number));
        let partners = peers.iter().copied().filter(|p| *p < members).collect();
        Self {
            number,
            member,
            now: 0,
            node: None,
            footprint: Footprint::of(&memory),
            parts: Some((memory, SimPlatform::new(stream("platform")))),
            limits,
            peers,
            uplinks,
            booted: 0,
            skew: stream("skew").between(0, 2 * scenario.skew) as i64 - scenario.skew as i64,
            clockless: false,
            wake: u64::MAX,
            touched: false,
            queue: BinaryHeap::new(),
            serial: 0,
            trader: (member < members)
                .then(|| Trader::new(stream("trader"), scenario.pause(), scenario.trade, partners)),
            actor: None,
            gateway: (member == 0).then(|| Gateway::new(founding)),
            archive: (member == 0 && !scenario.outages.is_empty())
                .then(|| Archive::new(founding.tag())),
            validator: (member >= members).then(|| Validator::new(founding, number - members)),
            chance: stream("actor"),
            sender: Sender::new(scenario.seed, number),
            air: None,
            guilty: false,
            births: HashMap::new(),
            grades: HashMap::new(),
            hash: Sha256::new(),
            totals: HostTotals::at(hops),
            sent: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn local(&self) -> Millis {
        Millis(self.now - self.booted)
    }

    pub fn note(&mut self, note: Note) {
        self.notes.push((self.now, note));
    }

    fn violated(&mut self, what: String) {
        self.note(Note::Violated(what));
    }

    /// Something to come here, so many ms from now.
    pub fn plan(&mut self, wait: u64, what: What) {
        self.serial = self.serial.wrapping_add(1);
        let due = Due::new(self.now + wait, self.number, self.serial, what);
        self.queue.push(due);
    }

    /// Something that comes from elsewhere.
    pub fn enqueue(&mut self, due: Due) {
        self.queue.push(due);
    }

    /// When something is due here next.
    pub fn next(&self) -> u64 {
        let queue = self.queue.peek().map_or(u64::MAX, Due::at);
        queue.min(self.wake).min(self.radio_due())
    }

    fn radio_due(&self) -> u64 {
        self.air.as_ref().map_or(u64::MAX, |air| air.wake)
    }

    /// Simulates this host up to, and without, `until`.
    pub fn run(&mut self, shared: &Shared<'_>, until: u64) {
        loop {
            let next = self.next();
            if next >= until {
                return;
            }
            self.now = next;
            while self.queue.peek().is_some_and(|due| due.at() <= next) {
                if let Some(due) = self.queue.pop() {
                    self.happen(shared, due.what);
                }
            }
            if self.wake <= next {
                self.wake = u64::MAX;
                self.touched = true;
            }
            self.touched |= self.radio_due() <= next;
            if core::mem::take(&mut self.touched) {
                self.drain(shared);
            }
        }
    }

    fn happen(&mut self, shared: &Shared<'_>, what: What) {
        match what {
            What::Down { lost } => self.down(shared, lost),
            What::Up => self.up(shared),
            What::Frame { from, bytes } => self.arrive(shared, from, bytes),
            What::Take { from, bytes } => self.take(shared, from, &bytes),
            What::Leave { to, bytes } => self.transmit(shared, to, &bytes),
            What::Told { from, bytes } => {
                self.with_actor(shared, |actor, hands| actor.told(hands, from, &bytes))
            }
            What::Landed(id) => self.with_actor(shared, |actor, hands| actor.landed(hands, &id)),
            What::Act => self.act(shared),
            What::Actor => self.with_actor(shared, |actor, hands| actor.wake(hands)),
            What::Tick => self.tick(shared),
            What::Sample => self.sample(shared),
        }
    }

    /// The run begins.
    pub fn begin(&mut self, shared: &Shared<'_>) {
        self.with_actor(shared, |actor, hands| actor.begin(hands));
    }

    fn with_actor(
        &mut self,
        shared: &Shared<'_>,
        verb: impl FnOnce(&mut dyn Actor, &mut Hands<'_, 'm>),
    ) {
        if let Some(mut actor) = self.actor.take() {
            let mut hands = Hands { host: self, shared };
            verb(&mut *actor, &mut hands);
            self.actor = Some(actor);
        }
    }
}
