//! The run itself: an event queue in virtual milliseconds, the hosts, and what happens to them.
//!
//! Hosts 0 to n-1 are the members, 0 the GL-node beside its gateway; after them come the validators with their observer nodes. All that
//! is due in one millisecond is delivered in the order of the queue; then the nodes that were touched are drained in the order
//! of their numbers. So a scenario has one trace.

use crate::actors::{Fork, Trader, fork};
use crate::founding::{Founding, START};
use crate::gateway::{Gateway, SimNode, Validator, Verdict};
use crate::invariants::{View, Watch};
use crate::link::Links;
use crate::memory::{Footprint, Slab};
use crate::platform::{SharedVerify, SimPlatform};
use crate::report::{HostTotals, Report};
use crate::rng::Rng;
use crate::scenario::{Scenario, VALIDATORS};
use iotedge_core::crypto::Sha256;
use iotedge_core::node::{
    Clock, Config, Event, Grade, Limits, Memory, Node, NodeSigner, Peer, Refusal,
};
use iotedge_core::wire::{Frame, FrameType};
use iotedge_core::{Id, MAX_FRAME, Millis};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::io::Write;
use std::time::Instant;

/// The gateway's process, as its own node addresses it.
const LOCAL: u16 = u16::MAX;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Frame {
        from: u16,
        to: u16,
        bytes: Box<[u8]>,
    },
    Wake(u16),
    Act(u16),
    Tick,
    Sample,
    Down {
        host: u16,
        lost: bool,
    },
    Up(u16),
    Cheat(u16),
}

/// One thing to come: when, and in which order it was planned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64, u64, What);

struct Host<'m> {
    /// Boxed: it is taken out while it is drained, and it is large.
    node: Option<Box<SimNode<'m>>>,
    /// While it is down.
    parts: Option<(Memory<'m>, SimPlatform)>,
    footprint: Footprint,
    limits: Limits,
    peers: Vec<u16>,
    booted: u64,
    skew: i64,
    wake: u64,
    trader: Option<Trader>,
    validator: Option<Validator>,
    cheat: bool,
    totals: HostTotals,
}

impl Host<'_> {
    fn local(&self, now: u64) -> Millis {
        Millis(now - self.booted)
    }
}

struct Simulation<'s, 't, 'm> {
    scenario: &'s Scenario,
    founding: &'s Founding,
    now: u64,
    planned: u64,
    queue: BinaryHeap<Reverse<Due>>,
    hosts: Vec<Host<'m>>,
    touched: BTreeSet<u16>,
    links: Links,
    gateway: Gateway,
    verify: SharedVerify,
    hash: Sha256,
    watch: Watch,
    report: Report,
    births: HashMap<Id, (u16, u64)>,
    forks: Vec<Cheated>,
    trace: Option<&'t mut dyn Write>,
}

/// A fork that a cheat sends, and which of its sides somebody has taken.
struct Cheated {
    member: u16,
    fork: Fork,
    landed: [bool; 2],
}

/// Who is joined to whom: a ring, and random chords until each device has its neighbours; validators hear some devices. Everybody hears the gateway.
fn topology(scenario: &Scenario) -> Vec<Vec<u16>> {
    let members = scenario.nodes;
    let hosts = usize::from(members + VALIDATORS);
    let mut joined: Vec<BTreeSet<u16>> = vec![BTreeSet::new(); hosts];
    let join = |joined: &mut Vec<BTreeSet<u16>>, a: u16, b: u16| {
        if a != b {
            joined[usize::from(a)].insert(b);
            joined[usize::from(b)].insert(a);
        }
    };
    let devices: Vec<u16> = (1..members).collect();
    let wanted = usize::from(scenario.neighbours)
        .min(devices.len() - 1)
        .max(1);
    for (place, &device) in devices.iter().enumerate() {
        join(&mut joined, device, devices[(place + 1) % devices.len()]);
    }
    let mut rng = Rng::stream(scenario.seed, "topology", 0);
    if wanted + 1 >= devices.len() {
        for &a in &devices {
            for &b in &devices {
                join(&mut joined, a, b);
            }
        }
    } else {
        for &a in &devices {
            for _ in 0..4 * wanted {
                let b = devices[rng.below(devices.len() as u64) as usize];
                let room = |n: u16| joined[usize::from(n)].len() < wanted;
                if room(a) && room(b) {
                    join(&mut joined, a, b);
                }
            }
        }
    }
    for validator in members..members + VALIDATORS {
        let mut some = devices.clone();
        rng.shuffle(&mut some);
        for &device in some.iter().take(4) {
            join(&mut joined, validator, device);
        }
    }
    for host in 1..members + VALIDATORS {
        join(&mut joined, 0, host);
    }
    joined
        .into_iter()
        .map(|set| set.into_iter().collect())
        .collect()
}

/// Runs a scenario to its end. `trace` gets one line per event.
///
/// # Errors
/// A scenario that cannot be simulated.
pub fn run(scenario: &Scenario, trace: Option<&mut dyn Write>) -> Result<Report, String> {
    scenario.check()?;
    let begun = Instant::now();
    let founding = Founding::new(scenario);
    let peers = topology(scenario);
    let limits: Vec<Limits> = peers
        .iter()
        .zip(0u16..)
        .map(|(p, host)| scenario.limits(host, p.len() as u16 + 1))
        .collect();
    let mut slabs = limits
        .iter()
        .map(Slab::new)
        .collect::<Result<Vec<Slab>, _>>()
        .map_err(|e| format!("memory: {e:?}"))?;
    let members = scenario.nodes;
    let mut hosts = Vec::new();
    for (((slab, limits), peers), n) in slabs.iter_mut().zip(&limits).zip(peers).zip(0u16..) {
        let memory = slab.lend();
        let footprint = Footprint::of(&memory);
        let platform = SimPlatform::new(Rng::stream(scenario.seed, "platform", u64::from(n)));
        let partners = peers.iter().copied().filter(|p| *p < members).collect();
        let mut skew = Rng::stream(scenario.seed, "skew", u64::from(n));
        hosts.push(Host {
            node: None,
            parts: Some((memory, platform)),
            footprint,
            limits: *limits,
            peers,
            booted: 0,
            skew: skew.between(0, 2 * scenario.skew) as i64 - scenario.skew as i64,
            wake: u64::MAX,
            trader: (n < members).then(|| {
                let rng = Rng::stream(scenario.seed, "trader", u64::from(n));
                Trader::new(rng, scenario.rate, scenario.trade, partners)
            }),
            validator: (n >= members).then(|| Validator::new(&founding, n - members)),
            cheat: false,
            totals: HostTotals::default(),
        });
    }
    let count = hosts.len();
    let mut sim = Simulation {
        scenario,
        founding: &founding,
        now: 0,
        planned: 0,
        queue: BinaryHeap::new(),
        links: Links::new(scenario, count),
        gateway: Gateway::new(&founding),
        verify: SharedVerify::default(),
        hash: Sha256::new(),
        watch: Watch::new(count, members),
        report: Report::new(scenario),
        births: HashMap::new(),
        forks: Vec::new(),
        touched: BTreeSet::new(),
        hosts,
        trace,
    };
    sim.plan_everything();
    sim.go();
    let mut report = sim.finish();
    report.wall = begun.elapsed();
    Ok(report)
}

impl Simulation<'_, '_, '_> {
    fn plan(&mut self, at: u64, what: What) {
        self.planned += 1;
        self.queue.push(Reverse(Due(at, self.planned, what)));
    }

    fn plan_everything(&mut self) {
        let mut start = Rng::stream(self.scenario.seed, "start", 0);
        for host in 0..self.hosts.len() as u16 {
            // The gateway is there first, as in life.
            let at = if host == 0 { 1 } else { start.between(2, 400) };
            self.plan(at, What::Up(host));
            if host < self.scenario.nodes {
                let at = start.between(1_500, 2_500);
                self.plan(at, What::Act(host));
            }
        }
        self.plan(1, What::Tick);
        self.plan(1_000, What::Sample);
        for r in self.scenario.reboots.clone() {
            self.plan(
                r.at,
                What::Down {
                    host: r.node,
                    lost: r.lost,
                },
            );
            self.plan(r.at + r.down, What::Up(r.node));
        }
        for o in self.scenario.outages.clone() {
            self.plan(
                o.from,
                What::Down {
                    host: 0,
                    lost: false,
                },
            );
            self.plan(o.to, What::Up(0));
        }
        for c in self.scenario.equivocators.clone() {
            self.plan(c.at, What::Cheat(c.node));
        }
    }

    fn go(&mut self) {
        let end = self.scenario.duration + self.scenario.quiet;
        while let Some(Reverse(Due(at, _, _))) = self.queue.peek() {
            if *at > self.now {
                self.drain_touched();
                let Some(Reverse(Due(next, _, _))) = self.queue.peek() else {
                    break;
                };
                if *next > end {
                    break;
                }
                self.now = *next;
            }
            if let Some(Reverse(Due(_, _, what))) = self.queue.pop() {
                self.happen(what);
            }
        }
        self.now = end;
    }

    fn traffic(&self) -> bool {
        self.now < self.scenario.duration
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Frame { from, to, bytes } => self.deliver(from, to, &bytes),
            What::Wake(host) => {
                if self.hosts[usize::from(host)].wake == self.now {
                    self.hosts[usize::from(host)].wake = u64::MAX;
                    self.touched.insert(host);
                }
            }
            What::Act(host) => self.act(host),
            What::Tick => {
                self.gateway_tick();
                self.plan(self.now + 100, What::Tick);
            }
            What::Sample => {
                self.sample();
                self.plan(self.now + 1_000, What::Sample);
            }
            What::Down { host, lost } => self.down(host, lost),
            What::Up(host) => self.up(host),
            What::Cheat(host) => self.cheat(host),
        }
    }

    fn up(&mut self, n: u16) {
        let now = self.now;
        let members = self.scenario.nodes;
        let host = &mut self.hosts[usize::from(n)];
        let Some((memory, platform)) = host.parts.take() else {
            return;
        };
        host.booted = now;
        let certificate = (n < members).then(|| self.founding.certificate(n));
        let chain: Vec<&[u8]> = certificate.iter().map(Vec::as_slice).collect();
        let (mut config, signer) = if n < members {
            let signer = NodeSigner::Software(self.founding.device(n));
            (Config::member(self.founding.authority, &chain), signer)
        } else {
            (Config::observer(self.founding.authority), NodeSigner::None)
        };
        config.clock = Clock::Offset((START + now) as i64 + host.skew);
        config.announce_interval = Millis(self.scenario.announce);
        let mut node = match Node::new(
            memory,
            host.limits,
            &config,
            signer,
            platform,
            self.verify.clone(),
        ) {
            Ok(node) => node,
            Err(error) => {
                self.watch
                    .violated(now, format!("node {n} does not start: {error:?}"));
                return;
            }
        };
        for &peer in &host.peers {
            let _ = node.add_peer(Millis(0), Peer(peer), peer == 0);
        }
        if n == 0 {
            let _ = node.add_peer(Millis(0), Peer(LOCAL), true);
        }
        host.node = Some(Box::new(node));
        host.wake = u64::MAX;
        self.watch.restarted(usize::from(n));
        self.touched.insert(n);
    }

    fn down(&mut self, n: u16, lost: bool) {
        self.drain(n);
        let host = &mut self.hosts[usize::from(n)];
        let Some(node) = host.node.take() else {
            return;
        };
        host.totals.add(&node);
        let (memory, mut platform, _) = node.into_parts();
        if lost {
            platform.lose();
        }
        if Footprint::of(&memory) != host.footprint {
            let now = self.now;
            self.watch.violated(
                now,
                format!("node {n} gave other memory back than it was lent"),
            );
        }
        host.parts = Some((memory, platform));
        self.report.reboots += 1;
    }

    fn deliver(&mut self, from: u16, to: u16, bytes: &[u8]) {
        let n = usize::from(to);
        if self.hosts[n].node.is_none() {
            return;
        }
        self.hash.update(&self.now.to_be_bytes());
        self.hash.update(&from.to_be_bytes());
        self.hash.update(&to.to_be_bytes());
        self.hash.update(&(bytes.len() as u16).to_be_bytes());
        self.hash.update(bytes);
        self.report.frames += 1;
        if to == 0 && self.for_gateway(from, bytes) {
            return;
        }
        if self.hosts[n].validator.is_some() && bytes.get(4) == Some(&FrameType::Proposal.number())
        {
            self.judge(to, bytes);
            return;
        }
        let local = self.hosts[n].local(self.now);
        if let Some(node) = self.hosts[n].node.as_mut() {
            let _ = node.receive(local, Peer(from), bytes);
            self.touched.insert(to);
        }
    }

    /// What is for the gateway's process beside node 0. True: it was.
    fn for_gateway(&mut self, from: u16, bytes: &[u8]) -> bool {
        if from >= self.scenario.nodes
            && from != LOCAL
            && let Ok((_, Frame::Votes { header, votes })) = Frame::parse(bytes)
        {
            if self.gateway.on_votes(self.founding, header, votes) {
                self.spread_news();
            }
            return true;
        }
        let Some(answers) = self.gateway.answer(self.founding, bytes) else {
            return false;
        };
        for answer in answers {
            self.send(0, from, &answer);
        }
        true
    }

    /// A header was settled: to the own node and to all neighbours.
    fn spread_news(&mut self) {
        let now = self.now;
        if let Some((_, settled)) = self.gateway.settled.last_key_value() {
            self.watch.header(now, settled);
            self.report.header(now, settled);
        }
        let Some(frames) = self.gateway.news().cloned() else {
            return;
        };
        for frame in &frames {
            self.plan(
                now + 1,
                What::Frame {
                    from: LOCAL,
                    to: 0,
                    bytes: frame.as_slice().into(),
                },
            );
        }
        for peer in self.hosts[0].peers.clone() {
            for frame in &frames {
                self.send(0, peer, frame);
            }
        }
    }

    fn judge(&mut self, to: u16, bytes: &[u8]) {
        let host = &mut self.hosts[usize::from(to)];
        let (Some(validator), Some(node)) = (host.validator.as_mut(), host.node.as_ref()) else {
            return;
        };
        let Ok((_, Frame::Proposal { cose })) = Frame::parse(bytes) else {
            return;
        };
        match validator.judge(self.founding, cose, node) {
            Verdict::Vote(frame) => self.send(to, 0, &frame),
            Verdict::NotYet => self.report.waited += 1,
            Verdict::Differs(why) => {
                let now = self.now;
                self.watch
                    .violated(now, format!("validator {to} disagrees: {why}"));
            }
        }
    }

    /// A frame leaves a host. Between the gateway's node and its process nothing is lost.
    fn send(&mut self, from: u16, to: u16, frame: &[u8]) {
        if from == 0 && to == LOCAL || from == LOCAL {
            let bytes = frame.into();
            self.plan(
                self.now + 1,
                What::Frame {
                    from: LOCAL,
                    to: 0,
                    bytes,
                },
            );
            return;
        }
        self.hosts[usize::from(from)].totals.bytes_sent += frame.len() as u64;
        let copies = self
            .links
            .send(self.now, usize::from(from), usize::from(to), frame);
        for (at, bytes) in copies.into_iter().flatten() {
            self.plan(at, What::Frame { from, to, bytes });
        }
    }

    fn drain_touched(&mut self) {
        while let Some(host) = self.touched.pop_first() {
            self.drain(host);
        }
    }

    /// Everything that a node wants to say now, and when it wants to be called again.
    fn drain(&mut self, n: u16) {
        let now = self.now;
        let at = usize::from(n);
        let local = self.hosts[at].local(now);
        let Some(mut node) = self.hosts[at].node.take() else {
            return;
        };
        let mut out = [0; MAX_FRAME];
        loop {
            while let Some((to, len)) = node.next_frame(local, &mut out) {
                let frame = &out[..len];
                if n == 0 && to.0 == LOCAL {
                    // The gateway's process answers its own node at once; gossip to it goes nowhere.
                    for answer in self
                        .gateway
                        .answer(self.founding, frame)
                        .unwrap_or_default()
                    {
                        self.send(LOCAL, 0, &answer);
                    }
                } else {
                    self.send(n, to.0, frame);
                }
            }
            let mut any = false;
            while let Some(event) = node.next_event() {
                any = true;
                self.on_event(n, &node, &event);
            }
            if !any {
                break;
            }
        }
        let deadline = node.next_deadline(local);
        let host = &mut self.hosts[at];
        let wake = (host.booted + deadline.0).max(now + 1);
        host.node = Some(node);
        if wake != host.wake {
            host.wake = wake;
            self.plan(wake, What::Wake(n));
        }
    }

    fn on_event(&mut self, n: u16, node: &SimNode<'_>, event: &Event) {
        let now = self.now;
        self.hash.update(&now.to_be_bytes());
        self.hash.update(&n.to_be_bytes());
        match event {
            // By far the most frequent, without the detour over text.
            Event::Data { id, issuer, .. } => {
                self.hash.update(&id.0);
                self.hash.update(&issuer.0.to_be_bytes());
            }
            other => self.hash.update(format!("{other:?}").as_bytes()),
        }
        if let Some(out) = self.trace.as_mut()
            && !matches!(event, Event::Data { .. })
        {
            let _ = writeln!(out, "{now:>8} node {n:<4} {event:?}");
        }
        let mine = |births: &HashMap<Id, (u16, u64)>, id: &Id| {
            births
                .get(id)
                .filter(|(host, _)| *host == n)
                .map(|(_, at)| now - at)
        };
        match *event {
            Event::Sent { ticket, id } => {
                self.births.insert(id, (n, now));
                self.report.sent += 1;
                if n == 0 {
                    let time = node
                        .tangle()
                        .get(&id)
                        .map_or(Millis(START + now), |f| f.time);
                    self.gateway.on_sent(ticket, id, time);
                }
            }
            Event::Graded { id, grade, .. } => {
                let cheat = self.hosts[usize::from(n)].cheat;
                if !cheat {
                    let facts = node.tangle().get(&id);
                    self.watch
                        .graded(now, usize::from(n), &id, grade, facts.as_ref());
                }
                if let Some(took) = mine(&self.births, &id) {
                    self.report.took(grade, took);
                }
                if grade == Grade::Dead {
                    self.report.dead += 1;
                }
            }
            Event::Receipt { .. } => self.report.receipts += 1,
            Event::Received { .. } => self.report.payments += 1,
            Event::Rejected { ticket, reason } => {
                self.report.rejected(reason);
                if n == 0 {
                    self.gateway.on_rejected(now, ticket, reason);
                }
            }
            Event::TrimCertified { id, .. } if n == 0 => self.gateway.on_certified(id),
            Event::SetAsideDropped { .. } => self.report.dropped += 1,
            Event::Equivocation { .. } => self.report.equivocations += 1,
            Event::Frozen { member } => {
                self.report.frozen += 1;
                if !self.hosts[usize::from(member.0)].cheat {
                    self.watch
                        .violated(now, format!("node {n}: honest member {member} is frozen"));
                }
            }
            Event::Recovering => self.report.recovering += 1,
            Event::Recovered => self.report.recovered += 1,
            Event::Lost { count } => self.report.lost_events += u64::from(count),
            Event::Silence => self.report.silences += 1,
            Event::PlatformFailed => self
                .watch
                .violated(now, format!("node {n}: the platform failed")),
            _ => {}
        }
    }

    fn act(&mut self, n: u16) {
        if !self.traffic() {
            return;
        }
        let host = &mut self.hosts[usize::from(n)];
        let Some(trader) = host.trader.as_mut() else {
            return;
        };
        let next = self.now + trader.pause();
        let local = Millis(self.now - host.booted.min(self.now));
        if let Some(node) = host.node.as_mut()
            && !host.cheat
        {
            self.report.submitted += 1;
            if let Err(refusal) = trader.act(local, node) {
                self.report.rejected(refusal);
            }
            self.touched.insert(n);
        }
        self.plan(next, What::Act(n));
    }

    fn gateway_tick(&mut self) {
        let (now, traffic) = (self.now, self.traffic());
        let local = self.hosts[0].local(now);
        let Some(node) = self.hosts[0].node.as_mut() else {
            return;
        };
        self.gateway.tick(now, local, self.founding, traffic, node);
        self.touched.insert(0);
        let due = self
            .gateway
            .proposal_due(now)
            .map(|(frame, missing)| (frame.to_vec(), missing));
        if let Some((frame, missing)) = due {
            for validator in missing {
                self.send(0, self.scenario.nodes + u16::from(validator), &frame);
            }
        }
    }

    fn cheat(&mut self, n: u16) {
        let members = self.scenario.nodes;
        let payees = [(n % (members - 1)) + 1, ((n + 1) % (members - 1)) + 1];
        let payees = payees.map(|p| if p == n { 0 } else { p });
        let host = &mut self.hosts[usize::from(n)];
        let skewed = (START + self.now).saturating_add_signed(host.skew);
        let forked = host
            .node
            .as_ref()
            .and_then(|node| fork(self.founding, n, skewed, node, payees));
        let Some(forked) = forked else {
            // Not a member yet, or recovering: it tries again.
            self.plan(self.now + 1_000, What::Cheat(n));
            return;
        };
        host.cheat = true;
        self.forks.push(Cheated {
            member: n,
            fork: forked,
            landed: [false; 2],
        });
        self.spread_forks();
    }

    /// A fork of which one side was lost on all links is none: a side is sent until somebody took it, each to every other neighbour.
    fn spread_forks(&mut self) {
        let mut forks = core::mem::take(&mut self.forks);
        for cheated in &mut forks {
            for (side, landed) in cheated.landed.iter_mut().enumerate() {
                *landed |= self.hosts.iter().any(|host| {
                    let node = host.node.as_ref();
                    node.is_some_and(|n| n.tangle().contains(&cheated.fork.ids[side]))
                });
                if *landed {
                    continue;
                }
                let peers = self.hosts[usize::from(cheated.member)].peers.clone();
                for peer in peers.into_iter().skip(side).step_by(2) {
                    self.send(cheated.member, peer, &cheated.fork.frames[side]);
                }
            }
        }
        self.forks = forks;
    }

    fn sample(&mut self) {
        let now = self.now;
        self.spread_forks();
        for n in 0..self.hosts.len() {
            let local = self.hosts[n].local(now);
            let host = &mut self.hosts[n];
            let Some(node) = host.node.as_ref() else {
                continue;
            };
            let status = node.status(local);
            let totals = &mut host.totals;
            totals.aside_max = totals.aside_max.max(status.aside);
            totals.window_max = totals.window_max.max(status.window);
            let tips = node.tangle().tips().count() as u32;
            totals.tips_max = totals.tips_max.max(tips);
            totals.tips_sum += u64::from(tips);
            totals.samples += 1;
            let inside = status.window <= host.limits.window
                && status.aside <= u32::from(host.limits.aside)
                && status.outbox <= u32::from(host.limits.outbox);
            if !inside {
                self.watch.violated(
                    now,
                    format!("node {n} holds more than its limits: {status:?}"),
                );
            }
        }
    }

    fn finish(mut self) -> Report {
        let (now, absolute) = (self.now, START + self.now);
        let mut views = Vec::new();
        for (n, host) in self.hosts.iter().enumerate() {
            if let Some(node) = host.node.as_ref() {
                views.push((n, View::of(node, absolute)));
            }
        }
        if views.len() != self.hosts.len() {
            self.watch
                .violated(now, "not all nodes are running in the end".into());
        }
        self.watch.agree(now, absolute, &views);
        for cheated in self.forks.iter().filter(|f| f.landed == [true; 2]) {
            let (member, ids) = (cheated.member, cheated.fork.ids);
            for host in 0..self.hosts.len() {
                let Some(node) = self.hosts[host].node.as_ref() else {
                    continue;
                };
                let index = iotedge_core::MemberIndex(member);
                let frozen = node.tangle().frozen(index)
                    || node.tables().latest(index).is_some_and(|r| r.frozen);
                if !frozen {
                    self.watch.violated(
                        now,
                        format!(
                            "node {host} does not hold the cheat {member} frozen ({} and {})",
                            ids[0], ids[1]
                        ),
                    );
                }
            }
        }
        let mut phases: BTreeMap<String, u32> = BTreeMap::new();
        for (n, host) in self.hosts.iter_mut().enumerate() {
            let local = host.local(now);
            let Some(node) = host.node.take() else {
                continue;
            };
            *phases
                .entry(format!("{:?}", node.status(local).phase))
                .or_default() += 1;
            host.totals.add(&node);
            let (memory, platform, _) = node.into_parts();
            if Footprint::of(&memory) != host.footprint {
                self.watch.violated(
                    now,
                    format!("node {n} gave other memory back than it was lent"),
                );
            }
            host.totals.writes = platform.writes;
            host.totals.stored = platform.stored() as u64;
        }
        let mut report = self.report;
        report.phases = phases;
        if let Some((_, view)) = views.first() {
            report.end_vertices = view.vertices();
            report.end_tips = view.tips();
        }
        report.memory = self
            .hosts
            .iter()
            .map(|h| h.footprint.bytes() as u64)
            .max()
            .unwrap_or(0);
        for refusal in Refusal::ALL {
            let count: u64 = self.hosts.iter().map(|h| h.totals.refused(*refusal)).sum();
            if count > 0 {
                report.refusals.push((refusal.name(), count));
            }
        }
        report.hosts = self.hosts.into_iter().map(|h| h.totals).collect();
        report.waits_for = self.gateway.waits_for();
        report.void_trims = self.gateway.void_trims;
        (
            report.frames_lost,
            report.frames_doubled,
            report.frames_corrupted,
        ) = (self.links.lost, self.links.doubled, self.links.corrupted);
        (report.asked, report.checked) = self.verify.counts();
        report.violations = self.watch.violations;
        report.violation_count = self.watch.count;
        report.trace = Id(self.hash.finish());
        report
    }
}
