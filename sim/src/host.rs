//! One host: its node, what stands beside it, and everything that is due there.
//!
//! A host is simulated by itself: what it does depends on its own queue and on nothing that another host holds now. What it says to others is put
//! into `sent` and reaches them no sooner than the least delay of a link; what concerns the whole run is put into `notes`. So any number
//! of hosts can be simulated at once up to that delay, on any thread, and the run is the same.

use crate::actors::{Actor, Fate, Hands, Trader};
use crate::founding::{Founding, START};
use crate::gateway::{Gateway, SimNode, Validator, Verdict};
use crate::link::{Links, Sender};
use crate::memory::Footprint;
use crate::platform::{SharedVerify, SimPlatform};
use crate::report::HostTotals;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::topology::Neighbours;
use iotedge_core::crypto::Sha256;
use iotedge_core::node::{
    Clock, Config, Event, Grade, Limits, Memory, Node, NodeSigner, Peer, Refusal,
};
use iotedge_core::tangle::Facts;
use iotedge_core::wire::{Frame, FrameType};
use iotedge_core::{Id, MAX_FRAME, MemberIndex, Millis};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// The gateway's process, as its own node addresses it.
pub(crate) const LOCAL: u16 = u16::MAX;

/// Requests for proofs that a device hands on at once.
const RELAYED: usize = 32;

/// What all hosts may look at.
pub(crate) struct Shared<'a> {
    pub scenario: &'a Scenario,
    pub founding: &'a Founding,
    pub links: Links,
    pub verify: SharedVerify,
    /// Whether events are to be written down.
    pub tracing: bool,
}

/// Something that is due at a host.
#[derive(Debug)]
pub(crate) enum What {
    Down {
        lost: bool,
    },
    Up,
    Frame {
        from: u16,
        bytes: Box<[u8]>,
    },
    /// An actor held it back until now.
    Take {
        from: u16,
        bytes: Box<[u8]>,
    },
    Leave {
        to: u16,
        bytes: Box<[u8]>,
    },
    Told {
        from: u16,
        bytes: Box<[u8]>,
    },
    Landed(Id),
    Act,
    Actor,
    Tick,
    Sample,
}

impl What {
    /// What comes first within one millisecond.
    fn rank(&self) -> u64 {
        match self {
            Self::Down { .. } => 0,
            Self::Up => 1,
            Self::Frame { .. } => 2,
            Self::Take { .. } => 3,
            Self::Leave { .. } => 4,
            Self::Told { .. } => 5,
            Self::Landed(_) => 6,
            Self::Act => 7,
            Self::Actor => 8,
            Self::Tick => 9,
            Self::Sample => 10,
        }
    }
}

/// When, and in which order within that millisecond: by kind, then by who caused it, then as it was caused. No order depends on threads.
#[derive(Debug)]
pub(crate) struct Due {
    key: (u64, u64),
    what: What,
}

impl Due {
    pub fn new(at: u64, cause: u16, serial: u32, what: What) -> Self {
        let order = what.rank() << 48 | u64::from(cause) << 32 | u64::from(serial);
        Self {
            key: (at, order),
            what,
        }
    }

    pub fn at(&self) -> u64 {
        self.key.0
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Backwards: the heap gives the first.
impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

/// What concerns the whole run.
#[derive(Debug)]
pub(crate) enum Note {
    Violated(String),
    /// A validator computes another header than this host proposed.
    Disagrees {
        with: u16,
        what: String,
    },
    /// A transaction got a grade beyond `Witnessed`, on an honest host.
    Graded {
        id: Id,
        grade: Grade,
        facts: Option<Facts>,
    },
    /// The gateway settled a header.
    Header(u32),
    Frozen(MemberIndex),
    Guilty,
    Forked([Id; 2]),
    /// For the trace.
    Line(String),
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
    pub validator: Option<Validator>,
    pub chance: Rng,
    pub sender: Sender,
    /// Confessed: nothing is promised to it.
    pub guilty: bool,
    births: HashMap<Id, Birth>,
    grades: HashMap<Id, Grade>,
    hash: Sha256,
    /// Proofs that neighbours wait for, and which.
    relayed: BTreeSet<(Id, u16)>,
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
            validator: (member >= members).then(|| Validator::new(founding, number - members)),
            chance: stream("actor"),
            sender: Sender::new(scenario.seed, number),
            guilty: false,
            births: HashMap::new(),
            grades: HashMap::new(),
            hash: Sha256::new(),
            relayed: BTreeSet::new(),
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
        self.queue.peek().map_or(u64::MAX, Due::at).min(self.wake)
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

    fn up(&mut self, shared: &Shared<'_>) {
        let (now, n) = (self.now, self.member);
        let members = shared.scenario.nodes;
        let Some((memory, platform)) = self.parts.take() else {
            return;
        };
        self.booted = now;
        let founding = shared.founding;
        let certificate = (n < members).then(|| founding.certificate(n));
        let chain: Vec<&[u8]> = certificate.iter().map(Vec::as_slice).collect();
        let (mut config, signer) = if n < members {
            let signer = NodeSigner::Software(founding.device(n));
            (Config::member(founding.authority, &chain), signer)
        } else {
            (Config::observer(founding.authority), NodeSigner::None)
        };
        config.clock = if self.clockless {
            Clock::FromNeighbours
        } else {
            Clock::Offset((START + now) as i64 + self.skew)
        };
        shared.scenario.configure(&mut config);
        let node = Node::new(
            memory,
            self.limits,
            &config,
            signer,
            platform,
            shared.verify.clone(),
        );
        let mut node = match node {
            Ok(node) => node,
            Err(error) => {
                self.violated(format!("node {n} does not start: {error:?}"));
                return;
            }
        };
        for &peer in &self.peers {
            let _ = node.add_peer(Millis(0), Peer(peer), self.uplinks.contains(&peer));
        }
        if n == 0 {
            let _ = node.add_peer(Millis(0), Peer(LOCAL), true);
        }
        self.node = Some(Box::new(node));
        self.wake = u64::MAX;
        self.grades.clear();
        self.touched = true;
    }

    fn down(&mut self, shared: &Shared<'_>, lost: bool) {
        self.drain(shared);
        let Some((memory, mut platform)) = self.retire() else {
            return;
        };
        if lost {
            platform.lose();
        }
        self.parts = Some((memory, platform));
        self.totals.reboots += 1;
    }

    /// Takes the node apart.
    pub fn retire(&mut self) -> Option<(Memory<'m>, SimPlatform)> {
        let node = self.node.take()?;
        self.totals.add(&node);
        let (memory, platform, verify) = node.into_parts();
        self.totals.asked += verify.asked;
        if Footprint::of(&memory) != self.footprint {
            let n = self.number;
            self.violated(format!("node {n} gave other memory back than it was lent"));
        }
        Some((memory, platform))
    }

    fn arrive(&mut self, shared: &Shared<'_>, from: u16, bytes: Box<[u8]>) {
        if self.node.is_none() {
            return;
        }
        let links = &shared.links;
        if links.deaf(&mut self.sender, self.now, from, bytes.len()) {
            return;
        }
        self.hash.update(&self.now.to_be_bytes());
        self.hash.update(&from.to_be_bytes());
        self.hash.update(&(bytes.len() as u16).to_be_bytes());
        self.hash.update(&bytes);
        self.totals.frames += 1;
        self.totals.bytes_received += bytes.len() as u64;
        self.totals.heard += shared.scenario.radio.map_or(0, |r| r.frame(bytes.len()).0);
        if self.actor.is_none() {
            return self.take(shared, from, &bytes);
        }
        let (mut frame, mut fate) = (bytes.into_vec(), Fate::Pass);
        self.with_actor(shared, |actor, hands| {
            fate = actor.incoming(hands, from, &mut frame)
        });
        match fate.delay() {
            Some(0) => self.take(shared, from, &frame),
            Some(ms) => self.plan(
                ms,
                What::Take {
                    from,
                    bytes: frame.into(),
                },
            ),
            None => {}
        }
    }

    /// A frame is given to whom it is for: the gateway's process, the validator or the node.
    pub fn take(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) {
        if self.node.is_none() || self.gateway.is_some() && self.for_gateway(shared, from, bytes) {
            return;
        }
        if self.validator.is_some() && bytes.get(4) == Some(&FrameType::Proposal.number()) {
            self.judge(shared, from, bytes);
            return;
        }
        if self.relays(shared, from, bytes) {
            return;
        }
        let local = self.local();
        if let Some(node) = self.node.as_mut() {
            let _ = node.receive(local, Peer(from), bytes);
            self.touched = true;
        }
    }

    /// Only the gateway has proofs: a device between it and others hands the request on, and the answer back. True: it did.
    fn relays(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) -> bool {
        if self.gateway.is_some() || self.number >= shared.scenario.nodes {
            return false;
        }
        match Frame::parse(bytes) {
            Ok((_, Frame::ProofRequest { ids })) => {
                let Some(&up) = self.uplinks.first() else {
                    return false;
                };
                for id in ids.iter() {
                    // A device has room for so many; the first goes, and asks again.
                    if self.relayed.len() >= RELAYED {
                        self.relayed.pop_first();
                    }
                    self.relayed.insert((id, from));
                }
                self.send(shared, up, bytes);
                true
            }
            Ok((_, Frame::Proof { id, .. })) => {
                // Payer and payee may both wait here, and this device itself: the node takes what it asked for and refuses the rest.
                let waiting = self.relayed.range((id, 0)..=(id, u16::MAX));
                let waiting: Vec<u16> = waiting.map(|(_, to)| *to).collect();
                for to in waiting {
                    self.relayed.remove(&(id, to));
                    self.send(shared, to, bytes);
                }
                false
            }
            _ => false,
        }
    }

    /// What is for the gateway's process. True: it was.
    fn for_gateway(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) -> bool {
        let Some(gateway) = self.gateway.as_mut() else {
            return false;
        };
        if from >= shared.scenario.nodes
            && from != LOCAL
            && let Ok((_, Frame::Votes { header, votes })) = Frame::parse(bytes)
        {
            if gateway.on_votes(shared.founding, header, votes) {
                self.spread_news(shared);
            }
            return true;
        }
        let Some(answers) = gateway.answer(shared.founding, bytes) else {
            return false;
        };
        for answer in answers {
            self.send(shared, from, &answer);
        }
        true
    }

    /// A header was settled: to the own node and to all neighbours.
    fn spread_news(&mut self, shared: &Shared<'_>) {
        let Some(gateway) = self.gateway.as_ref() else {
            return;
        };
        let newest = gateway.settled.last_key_value().map(|(number, _)| *number);
        let Some((number, frames)) = newest.zip(gateway.news().cloned()) else {
            return;
        };
        self.note(Note::Header(number));
        for frame in &frames {
            self.send(shared, LOCAL, frame);
        }
        for peer in self.peers.clone() {
            for frame in &frames {
                self.send(shared, peer, frame);
            }
        }
    }

    fn judge(&mut self, shared: &Shared<'_>, from: u16, bytes: &[u8]) {
        let (Some(validator), Some(node)) = (self.validator.as_mut(), self.node.as_ref()) else {
            return;
        };
        let Ok((_, Frame::Proposal { cose })) = Frame::parse(bytes) else {
            return;
        };
        match validator.judge(shared.founding, cose, node) {
            Verdict::Vote(frame) => self.send(shared, from, &frame),
            Verdict::NotYet => self.totals.waited += 1,
            Verdict::Differs(why) => {
                let n = self.number;
                self.note(Note::Disagrees {
                    with: from,
                    what: format!("validator {n} disagrees: {why}"),
                });
            }
        }
    }

    /// A frame leaves this host, past its actor. Between the gateway's node and its process nothing is lost.
    fn send(&mut self, shared: &Shared<'_>, to: u16, frame: &[u8]) {
        if to == LOCAL {
            let bytes = frame.into();
            return self.plan(1, What::Frame { from: LOCAL, bytes });
        }
        if self.actor.is_none() {
            return self.transmit(shared, to, frame);
        }
        let (mut frame, mut fate) = (frame.to_vec(), Fate::Pass);
        self.with_actor(shared, |actor, hands| {
            fate = actor.outgoing(hands, to, &mut frame)
        });
        match fate.delay() {
            Some(0) => self.transmit(shared, to, &frame),
            Some(ms) => self.plan(
                ms,
                What::Leave {
                    to,
                    bytes: frame.into(),
                },
            ),
            None => {}
        }
    }

    /// A frame goes on air.
    pub fn transmit(&mut self, shared: &Shared<'_>, to: u16, frame: &[u8]) {
        self.totals.bytes_sent += frame.len() as u64;
        let from = self.number;
        let copies = shared
            .links
            .send(&mut self.sender, self.now, (from, to), frame);
        for (at, bytes) in copies.into_iter().flatten() {
            self.serial = self.serial.wrapping_add(1);
            let due = Due::new(at, from, self.serial, What::Frame { from, bytes });
            self.sent.push((to, due));
        }
    }

    pub fn whisper(&mut self, shared: &Shared<'_>, to: u16, message: &[u8]) {
        let from = self.number;
        self.serial = self.serial.wrapping_add(1);
        let at = self.now + shared.links.least_delay();
        let bytes = message.into();
        self.sent.push((
            to,
            Due::new(at, from, self.serial, What::Told { from, bytes }),
        ));
    }

    /// Everything that the node wants to say now, and when it wants to be called again.
    fn drain(&mut self, shared: &Shared<'_>) {
        let mut out = [0; MAX_FRAME];
        let local = self.local();
        loop {
            while let Some((to, len)) = self
                .node
                .as_mut()
                .and_then(|n| n.next_frame(local, &mut out))
            {
                let frame = &out[..len];
                if to.0 == LOCAL {
                    // The gateway's process answers its own node at once; gossip to it goes nowhere.
                    let gateway = self.gateway.as_ref();
                    let answers = gateway.and_then(|g| g.answer(shared.founding, frame));
                    for answer in answers.unwrap_or_default() {
                        self.send(shared, LOCAL, &answer);
                    }
                } else {
                    self.send(shared, to.0, frame);
                }
            }
            let mut any = false;
            while let Some(event) = self.node.as_mut().and_then(|n| n.next_event()) {
                any = true;
                self.on_event(shared, &event);
            }
            if !any {
                break;
            }
        }
        self.touched = false;
        if let Some(node) = self.node.as_ref() {
            let deadline = node.next_deadline(local);
            self.wake = (self.booted.saturating_add(deadline.0)).max(self.now + 1);
        }
    }

    fn on_event(&mut self, shared: &Shared<'_>, event: &Event) {
        let (now, n) = (self.now, self.number);
        self.hash.update(&now.to_be_bytes());
        match event {
            // By far the most frequent, without the detour over text.
            Event::Data { id, issuer, .. } => {
                self.hash.update(&id.0);
                self.hash.update(&issuer.0.to_be_bytes());
            }
            other => {
                let text = format!("{other:?}");
                self.hash.update(text.as_bytes());
                if shared.tracing {
                    self.note(Note::Line(text));
                }
            }
        }
        if self.actor.is_some() {
            self.with_actor(shared, |actor, hands| actor.event(hands, event));
        }
        let totals = &mut self.totals;
        match *event {
            Event::Sent { ticket, id } => {
                self.births.insert(
                    id,
                    Birth {
                        at: now,
                        quorum: false,
                    },
                );
                totals.sent += 1;
                if let (Some(gateway), Some(node)) = (self.gateway.as_mut(), self.node.as_ref()) {
                    let facts = node.tangle().get(&id);
                    gateway.on_sent(ticket, id, facts.map_or(Millis(START + now), |f| f.time));
                }
            }
            Event::Graded { id, grade, .. } => self.on_grade(id, grade),
            Event::Receipt { .. } => totals.receipts += 1,
            Event::Received { .. } => totals.payments += 1,
            Event::Rejected { ticket, reason } => {
                totals.rejected(reason);
                if let Some(gateway) = self.gateway.as_mut() {
                    gateway.on_rejected(now, ticket, reason);
                }
            }
            Event::TrimCertified { id, .. } => {
                if let Some(gateway) = self.gateway.as_mut() {
                    gateway.on_certified(id);
                }
            }
            Event::SetAsideDropped { .. } => totals.dropped += 1,
            Event::Equivocation { .. } => totals.equivocations += 1,
            Event::Frozen { member } => {
                totals.frozen += 1;
                self.note(Note::Frozen(member));
            }
            Event::Recovering => totals.recovering += 1,
            Event::Recovered => totals.recovered += 1,
            Event::Lost { count } => totals.lost_events += u64::from(count),
            Event::Silence => totals.silences += 1,
            Event::PlatformFailed => self.violated(format!("node {n}: the platform failed")),
            _ => {}
        }
    }

    /// A reboot forgets grades (the application keeps them), so they begin anew with it.
    fn on_grade(&mut self, id: Id, grade: Grade) {
        if let Some(birth) = self.births.get_mut(&id) {
            birth.quorum |= matches!(grade, Grade::Quorum | Grade::Settled);
            self.totals.took(grade, self.now - birth.at);
        }
        if grade == Grade::Dead {
            self.totals.dead += 1;
        }
        if self.guilty {
            return;
        }
        let before = self.grades.insert(id, grade);
        let rises = match (before, grade) {
            (None, _) => true,
            (Some(Grade::Seen | Grade::Witnessed), Grade::Dead) => true,
            (Some(Grade::Dead), _) | (Some(_), Grade::Dead) => false,
            (Some(from), to) => to > from,
        };
        let n = self.number;
        if !rises {
            self.violated(format!(
                "node {n}: grade of {id} went from {before:?} to {grade:?}"
            ));
        }
        if grade > Grade::Witnessed {
            let facts = self.node.as_ref().and_then(|node| node.tangle().get(&id));
            self.note(Note::Graded { id, grade, facts });
        }
    }

    fn act(&mut self, shared: &Shared<'_>) {
        if self.now >= shared.scenario.duration {
            return;
        }
        let local = self.local();
        let trades = self.actor.as_ref().is_none_or(|actor| actor.trades());
        let Some(trader) = self.trader.as_mut() else {
            return;
        };
        let next = trader.pause();
        if let Some(node) = self.node.as_mut()
            && trades
        {
            self.totals.submitted += 1;
            if let Err(refusal) = trader.act(local, node) {
                self.totals.rejected(refusal);
            }
            self.touched = true;
        }
        self.plan(next, What::Act);
    }

    fn tick(&mut self, shared: &Shared<'_>) {
        self.plan(100, What::Tick);
        let (now, local) = (self.now, self.local());
        let traffic = now < shared.scenario.duration;
        let (Some(node), Some(gateway)) = (self.node.as_mut(), self.gateway.as_mut()) else {
            return;
        };
        gateway.tick(now, local, shared.founding, traffic, node);
        self.touched = true;
        let due = gateway.proposal_due(now);
        if let Some((frame, missing)) = due.map(|(frame, missing)| (frame.to_vec(), missing)) {
            for validator in missing {
                self.send(shared, shared.scenario.nodes + u16::from(validator), &frame);
            }
        }
    }

    fn sample(&mut self, shared: &Shared<'_>) {
        self.plan(shared.scenario.sampling(), What::Sample);
        let local = self.local();
        let over = self.now >= shared.scenario.duration;
        let Some(node) = self.node.as_mut() else {
            return;
        };
        if over {
            // Nobody waits for what is not agreed by now, and the nodes are to be compared.
            node.retune(local, shared.scenario.tuning.without_approvals());
        }
        let status = node.status(local);
        let tips = node.tangle().tips().count() as u32;
        self.totals.sample(&status, tips);
        let inside = status.window <= self.limits.window
            && status.aside <= u32::from(self.limits.aside)
            && status.outbox <= u32::from(self.limits.outbox);
        if !inside {
            let n = self.number;
            self.violated(format!("node {n} holds more than its limits: {status:?}"));
        }
    }

    /// What came in and what was told, in order.
    pub fn trace(&mut self) -> [u8; 32] {
        core::mem::replace(&mut self.hash, Sha256::new()).finish()
    }

    /// What became of its own transactions. `lives`: it is in a header; `cut`: of the newest header; `spoken`: what is older
    /// had T/2 of traffic after it; both in the run's time.
    pub fn fates(&mut self, lives: impl Fn(&Id) -> bool, cut: u64, spoken: u64) {
        // A vertex is later than its parents, so perhaps some ms later than it was signed; and clocks are wrong.
        let skew = 1_000 + self.skew.unsigned_abs();
        for (id, birth) in &self.births {
            let old = birth.at + skew < cut;
            self.totals.orphans += u64::from(old && !lives(id));
            let expired = birth.at + skew < spoken && !birth.quorum;
            self.totals.expired += u64::from(expired);
        }
    }

    /// In the end: the node's memory is given back, the store counted.
    pub fn finish(&mut self) {
        if let Some((_, platform)) = self.retire() {
            self.totals.writes = platform.writes;
            self.totals.stored = platform.stored() as u64;
        }
        (self.totals.lost, self.totals.doubled, self.totals.corrupted) =
            (self.sender.lost, self.sender.doubled, self.sender.corrupted);
        let sender = &self.sender;
        (self.totals.air, self.totals.on_air) = (sender.air, sender.on_air);
        (self.totals.fragments, self.totals.crowded) = (sender.fragments, sender.crowded);
        self.totals.deaf = sender.deaf;
        self.totals.memory = (self.footprint.bytes() + size_of::<SimNode<'_>>()) as u64;
    }
}

/// Refusals that happened, by name.
pub(crate) fn refusals<'a>(
    hosts: impl Iterator<Item = &'a HostTotals> + Clone,
) -> Vec<(&'static str, u64)> {
    Refusal::ALL
        .iter()
        .map(|r| (r.name(), hosts.clone().map(|h| h.refused(*r)).sum()))
        .filter(|(_, n)| *n > 0)
        .collect()
}
