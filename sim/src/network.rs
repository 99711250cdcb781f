//! The run itself: the hosts, step by step in virtual milliseconds, on one thread or several.
//!
//! Hosts 0 to n-1 are the members, 0 the GL-node beside its gateway; after them come the validators with their observer nodes. In each step every
//! host with something due is simulated by itself up to the least delay of a link: what the others do meanwhile cannot reach it
//! sooner. Then frames are handed over, and what concerns the whole run is looked at in the order of time and host. So a scenario has one
//! trace, on any number of threads.

use crate::actors::{Actor, Cheat};
use crate::air::Air;
use crate::founding::{Founding, START};
use crate::host::{Due, Host, Note, Shared, What, refusals};
use crate::invariants::{View, Watch};
use crate::leaves::{self, LeafHost};
use crate::link::{Links, Wall};
use crate::memory::{LinkSlab, Slab};
use crate::platform::SharedVerify;
use crate::report::Report;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::team::{Team, locked};
use crate::topology::{Neighbours, topology};
use iotedge_core::crypto::Sha256;
use iotedge_core::link::LinkLimits;
use iotedge_core::node::Limits;
use iotedge_core::{Id, MemberIndex};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

/// How often it is looked where the sides of forks have got to, in ms.
const LOOK: u64 = 1_000;

/// How often verdicts that nobody asks for any more are forgotten, in ms.
const FORGET: u64 = 600_000;

/// What does not belong to the scenario.
#[derive(Default)]
pub struct Options<'t> {
    /// Threads; 0 counts as 1. The result does not depend on it.
    pub threads: usize,
    /// Who owns which host, besides the scenario's equivocators.
    pub actors: Vec<(u16, Box<dyn Actor>)>,
    /// Members of which a second node runs, with the same key and a store of its own, from this moment on: hosts after the
    /// validators, in this order, joined to whom the first is joined to and to each other. (Twins: Bano et al., 2020.)
    pub twins: Vec<(u16, u64)>,
    /// Partitions of an attacker's choice.
    pub walls: Vec<Wall>,
    /// Gets one line per event, but for data that came in.
    pub trace: Option<&'t mut dyn Write>,
}

/// A fork that somebody declared, and which of its sides have got anywhere.
struct Forked {
    member: u16,
    ids: [Id; 2],
    landed: [bool; 2],
}

struct Simulation<'s, 't, 'm> {
    shared: &'s Shared<'s>,
    hosts: &'s [Mutex<Host<'m>>],
    /// Numbered after the hosts.
    leaves: Vec<LeafHost<'m>>,
    /// When something is due at each host next, and the same in order; an entry that differs from the first is out of date.
    next: Vec<u64>,
    agenda: BinaryHeap<Reverse<(u64, u16)>>,
    now: u64,
    look: u64,
    forget: u64,
    watch: Watch,
    report: Report,
    forks: Vec<Forked>,
    guilty: Vec<bool>,
    notes: Vec<(u64, u16, Note)>,
    moved: Vec<(u16, Due)>,
    trace: Option<&'t mut dyn Write>,
}

/// Runs a scenario to its end, on one thread. `trace` gets one line per event.
///
/// # Errors
/// A scenario that cannot be simulated.
pub fn run(scenario: &Scenario, trace: Option<&mut dyn Write>) -> Result<Report, String> {
    let options = Options {
        trace,
        ..Options::default()
    };
    run_with(scenario, options)
}

/// Runs a scenario to its end.
///
/// # Errors
/// A scenario that cannot be simulated.
pub fn run_with(scenario: &Scenario, options: Options<'_>) -> Result<Report, String> {
    scenario.check()?;
    let begun = Instant::now();
    let founding = Founding::new(scenario);
    let mut peers = topology(scenario);
    let first_twin = peers.len() as u16;
    join_twins(&mut peers, &options.twins);
    let heard = leaves::attach(scenario, &mut peers);
    let mut buffers = leaves::buffers(scenario);
    let member = |host: u16| match host.checked_sub(first_twin) {
        Some(twin) => options.twins[usize::from(twin)].0,
        None => host,
    };
    let limits: Vec<Limits> = peers
        .iter()
        .zip(0u16..)
        .map(|(p, host)| scenario.limits(member(host), p.peers.len() as u16 + 1))
        .collect();
    let mut slabs = limits
        .iter()
        .map(Slab::new)
        .collect::<Result<Vec<Slab>, _>>()
        .map_err(|e| format!("memory: {e:?}"))?;
    let links: Vec<Option<LinkLimits>> = peers
        .iter()
        .zip(0u16..)
        .map(|(p, host)| Air::limits(scenario, host, &p.peers))
        .collect();
    let mut link_slabs: Vec<Option<LinkSlab>> = links
        .iter()
        .map(|limits| LinkSlab::new(limits.as_ref()?))
        .collect();
    let mut hosts: Vec<Host<'_>> = slabs
        .iter_mut()
        .zip(limits.into_iter().zip(peers))
        .zip(0u16..)
        .map(|((slab, (limits, peers)), n)| {
            Host::new(
                scenario,
                &founding,
                (n, member(n)),
                slab.lend(),
                limits,
                peers,
            )
        })
        .collect();
    for ((host, slab), limits) in hosts.iter_mut().zip(&mut link_slabs).zip(links) {
        if let (Some(radio), Some(slab), Some(limits)) = (scenario.radio, slab.as_mut(), limits) {
            let air = Air::new(radio, host.number, slab, limits);
            host.air = Some(air.map_err(|e| format!("link: {e:?}"))?);
        }
    }
    let cheats = scenario.equivocators.iter();
    let cheats = cheats.map(|c| (c.node, Box::new(Cheat::new(c.at)) as Box<dyn Actor>));
    for (n, actor) in cheats.chain(options.actors) {
        let host = hosts.get_mut(usize::from(n));
        let host = host.ok_or(format!("actor: {n} is no host"))?;
        if host.actor.replace(actor).is_some() {
            return Err(format!("actor: host {n} has two"));
        }
    }
    let mut links = Links::new(scenario, hosts.len() + heard.len());
    for wall in &options.walls {
        links.wall(wall);
    }
    let shared = Shared {
        scenario,
        founding: &founding,
        links,
        verify: SharedVerify::default(),
        tracing: options.trace.is_some(),
        first_leaf: hosts.len() as u16,
    };
    plan(scenario, &shared, &mut hosts, &options.twins);
    let count = hosts.len();
    let mut small = Vec::new();
    for ((buffer, peers), n) in buffers.iter_mut().zip(&heard).zip(0u16..) {
        let who = (n, count as u16 + n);
        let basis = (scenario, &founding);
        small.push(LeafHost::new(basis, who, peers, &shared.verify, buffer)?);
    }
    let hosts: Vec<Mutex<Host<'_>>> = hosts.into_iter().map(Mutex::new).collect();
    let mut simulation = Simulation {
        shared: &shared,
        hosts: &hosts,
        leaves: small,
        next: vec![u64::MAX; count + heard.len()],
        agenda: BinaryHeap::new(),
        now: 0,
        look: LOOK,
        forget: FORGET,
        watch: Watch::new(scenario.nodes + scenario.leaves),
        report: Report::new(scenario),
        forks: Vec::new(),
        guilty: vec![false; count],
        notes: Vec::new(),
        moved: Vec::new(),
        trace: options.trace,
    };
    let all: Vec<u16> = (0..(count + heard.len()) as u16).collect();
    simulation.gather(&all);
    let run = |host: &mut Host<'_>, until| host.run(&shared, until);
    Team::with(options.threads.max(1), &hosts, &run, |team| {
        simulation.go(team);
    });
    let mut report = simulation.finish();
    report.wall = begun.elapsed();
    Ok(report)
}

/// What is known beforehand: who starts when, who acts first when, and the faults.
fn plan(scenario: &Scenario, shared: &Shared<'_>, hosts: &mut [Host<'_>], twins: &[(u16, u64)]) {
    let mut start = Rng::stream(scenario.seed, "start", 0);
    let (hosts_, later) = hosts.split_at_mut(hosts.len() - twins.len());
    for (host, (member, at)) in later.iter_mut().zip(twins) {
        host.plan((*at).max(1), What::Up);
        host.plan(at + 100, What::Act);
        if *member == 0 {
            host.plan(at + 1, What::Tick);
        }
        host.plan(scenario.sampling(), What::Sample);
        host.begin(shared);
    }
    for (host, n) in hosts_.iter_mut().zip(0u16..) {
        // The gateway is there first, as in life.
        let at = if n == 0 { 1 } else { start.between(2, 400) };
        host.plan(at, What::Up);
        if n < scenario.nodes {
            let first = scenario.first_act(&mut start);
            host.plan(first, What::Act);
        }
        if n == 0 {
            host.plan(1, What::Tick);
        }
        host.plan(scenario.sampling(), What::Sample);
        host.begin(shared);
    }
    for r in &scenario.reboots {
        let host = &mut hosts[usize::from(r.node)];
        host.plan(r.at, What::Down { lost: r.lost });
        host.plan(r.at + r.down, What::Up);
    }
    for o in &scenario.outages {
        hosts[0].plan(o.from, What::Down { lost: false });
        hosts[0].plan(o.to, What::Up);
    }
}

/// The second nodes: each hears whom the first one hears, and the other second ones.
fn join_twins(hosts: &mut Vec<Neighbours>, twins: &[(u16, u64)]) {
    let first = hosts.len() as u16;
    for (twin, (member, _)) in (first..).zip(twins) {
        let mut own = hosts[usize::from(*member)].clone();
        for (other, (of, _)) in (first..twin).zip(twins) {
            if of != member {
                own.peers.push(other);
            }
        }
        own.peers.sort_unstable();
        own.peers.dedup();
        for peer in &own.peers {
            hosts[usize::from(*peer)].peers.push(twin);
        }
        hosts.push(own);
    }
    for host in hosts.iter_mut() {
        host.peers.sort_unstable();
        host.peers.dedup();
    }
}

impl Simulation<'_, '_, '_> {
    fn go(&mut self, team: &Team<'_, Host<'_>>) {
        let end = self.shared.scenario.duration + self.shared.scenario.quiet;
        let step = self.shared.links.least_delay();
        let mut active = Vec::new();
        while let Some(&Reverse((at, _))) = self.agenda.peek() {
            if at > end {
                break;
            }
            let until = (at + step).min(self.look.max(at + 1)).min(end + 1);
            active.clear();
            while let Some(&Reverse((at, n))) = self.agenda.peek() {
                if at >= until {
                    break;
                }
                self.agenda.pop();
                let next = &mut self.next[usize::from(n)];
                if *next == at {
                    *next = u64::MAX;
                    active.push(n);
                }
            }
            active.sort_unstable();
            let small = active.partition_point(|n| usize::from(*n) < self.hosts.len());
            team.run(&active[..small], until);
            for n in &active[small..] {
                let at = usize::from(*n) - self.hosts.len();
                let scenario = self.shared.scenario;
                self.leaves[at].run(scenario, &self.shared.links, until);
            }
            self.now = until - 1;
            self.gather(&active);
            self.attend();
            if until >= self.look {
                self.look = until + LOOK;
                self.look_for_forks(until);
            }
            if until >= self.forget {
                self.forget = until + FORGET;
                self.shared.verify.age();
            }
        }
        self.now = end;
        for host in self.hosts {
            locked(host).now = end;
        }
    }

    /// Takes what these hosts have for others and for the run.
    fn gather(&mut self, active: &[u16]) {
        for &n in active {
            if let Some(at) = usize::from(n).checked_sub(self.hosts.len()) {
                let leaf = &mut self.leaves[at];
                self.moved.append(&mut leaf.sent);
                let next = leaf.next();
                let lines = leaf.lines.drain(..);
                if self.trace.is_some() {
                    self.notes
                        .extend(lines.map(|(at, line)| (at, n, Note::Line(line))));
                }
                self.next[usize::from(n)] = next;
                if next < u64::MAX {
                    self.agenda.push(Reverse((next, n)));
                }
                continue;
            }
            let host = &mut *locked(&self.hosts[usize::from(n)]);
            self.moved.append(&mut host.sent);
            self.notes
                .extend(host.notes.drain(..).map(|(at, note)| (at, n, note)));
            let next = host.next();
            self.next[usize::from(n)] = next;
            if next < u64::MAX {
                self.agenda.push(Reverse((next, n)));
            }
        }
        let mut moved = core::mem::take(&mut self.moved);
        for (to, due) in moved.drain(..) {
            self.hand(to, due);
        }
        self.moved = moved;
    }

    fn hand(&mut self, to: u16, due: Due) {
        let at = due.at();
        let place = usize::from(to);
        if let Some(host) = self.hosts.get(place) {
            locked(host).enqueue(due);
        } else if let Some(leaf) = self.leaves.get_mut(place - self.hosts.len()) {
            leaf.enqueue(due);
        } else {
            return;
        }
        let next = &mut self.next[usize::from(to)];
        if at < *next {
            *next = at;
            self.agenda.push(Reverse((at, to)));
        }
    }

    /// Looks at what concerns the whole run.
    fn attend(&mut self) {
        let mut notes = core::mem::take(&mut self.notes);
        notes.sort_by_key(|(at, n, _)| (*at, *n));
        for (at, n, note) in notes.drain(..) {
            match note {
                Note::Violated(what) => self.watch.violated(at, what),
                Note::Disagrees { with, what } => {
                    self.report.disagreements += 1;
                    if !self.guilty[usize::from(with)] {
                        self.watch.violated(at, what);
                    }
                }
                Note::Graded { id, grade, facts } => {
                    self.watch.graded(at, n.into(), &id, grade, facts.as_ref());
                }
                Note::Header(number) => {
                    let host = locked(&self.hosts[usize::from(n)]);
                    if let Some(settled) =
                        host.gateway.as_ref().and_then(|g| g.settled.get(&number))
                    {
                        self.watch.header(at, settled);
                        self.report.header(at, settled);
                    }
                }
                Note::Frozen(member) => {
                    if !self.guilty[usize::from(member.0)] {
                        let what = format!("node {n}: honest member {member} is frozen");
                        self.watch.violated(at, what);
                    }
                }
                Note::Guilty => self.guilty[usize::from(n)] = true,
                Note::Forked(ids) => self.forks.push(Forked {
                    member: n,
                    ids,
                    landed: [false; 2],
                }),
                Note::Line(line) => {
                    if let Some(out) = self.trace.as_mut() {
                        let _ = writeln!(out, "{at:>8} node {n:<4} {line}");
                    }
                }
            }
        }
        self.notes = notes;
    }

    /// Tells those who forked when somebody has taken a side.
    fn look_for_forks(&mut self, at: u64) {
        let mut told = Vec::new();
        for fork in &mut self.forks {
            for (landed, id) in fork.landed.iter_mut().zip(fork.ids) {
                let anywhere = |host: &Mutex<Host<'_>>| {
                    locked(host)
                        .node
                        .as_ref()
                        .is_some_and(|n| n.tangle().contains(&id))
                };
                if !*landed && self.hosts.iter().any(anywhere) {
                    *landed = true;
                    told.push((fork.member, id));
                }
            }
        }
        for (serial, (member, id)) in (0..).zip(told) {
            self.hand(member, Due::new(at, member, serial, What::Landed(id)));
        }
    }

    fn finish(mut self) -> Report {
        let (now, absolute) = (self.now, START + self.now);
        self.look_for_forks(now);
        let mut views = Vec::new();
        for (n, host) in self.hosts.iter().enumerate() {
            if !self.guilty[n]
                && let Some(node) = locked(host).node.as_ref()
            {
                views.push((n, View::of(node, absolute)));
            }
        }
        let honest = self.guilty.iter().filter(|guilty| !**guilty).count();
        if views.len() != honest {
            let what = "not all nodes are running in the end".into();
            self.watch.violated(now, what);
        }
        self.watch.agree(now, absolute, &views);
        self.all_cheats_are_frozen();
        let mut report = self.report;
        let mut phases: BTreeMap<String, u32> = BTreeMap::new();
        let mut trace = Sha256::new();
        for (n, host) in (0u16..).zip(self.hosts) {
            let host = &mut *locked(host);
            if let Some(node) = host.node.as_ref() {
                let phase = format!("{:?}", node.status(host.local()).phase);
                *phases.entry(phase).or_default() += 1;
            }
            if (1..self.shared.scenario.nodes).contains(&n) {
                let cut = self.watch.cut().saturating_sub(START);
                let scenario = self.shared.scenario;
                let spoken = scenario.duration.saturating_sub(scenario.period / 2);
                host.fates(|id| self.watch.lives(id), cut, spoken);
            }
            host.finish();
            self.notes
                .extend(host.notes.drain(..).map(|(at, note)| (at, n, note)));
            trace.update(&host.trace());
            report.memory = report.memory.max(host.footprint.bytes() as u64);
            if let Some(gateway) = host.gateway.as_ref() {
                report.waits_for = gateway.waits_for();
                report.void_trims = gateway.void_trims;
            }
            report.absorb(core::mem::take(&mut host.totals));
        }
        let cut = self.watch.cut().saturating_sub(START);
        for leaf in &mut self.leaves {
            let (totals, hash) = leaf.finish(self.shared.scenario, cut);
            report.leaves.absorb(totals);
            trace.update(&hash);
        }
        for (at, _, note) in self.notes {
            if let Note::Violated(what) = note {
                self.watch.violated(at, what);
            }
        }
        report.phases = phases;
        if let Some((_, view)) = views.first() {
            report.end_vertices = view.vertices();
            report.end_tips = view.tips();
        }
        report.refusals = refusals(report.hosts.iter());
        report.checked = self.shared.verify.checked();
        report.violations = self.watch.violations;
        report.violation_count = self.watch.count;
        report.undone = self.watch.undone;
        report.trace = Id(trace.finish());
        report
    }

    fn all_cheats_are_frozen(&mut self) {
        for fork in self.forks.iter().filter(|f| f.landed == [true; 2]) {
            let index = MemberIndex(fork.member);
            for (n, host) in self.hosts.iter().enumerate() {
                // Nothing is promised to those who confessed.
                if self.guilty[n] {
                    continue;
                }
                let host = locked(host);
                let Some(node) = host.node.as_ref() else {
                    continue;
                };
                let frozen = node.tangle().frozen(index)
                    || node.tables().latest(index).is_some_and(|r| r.frozen);
                if !frozen {
                    let [a, b] = fork.ids;
                    let what =
                        format!("node {n} does not hold the cheat {index} frozen ({a} and {b})");
                    self.watch.violated(self.now, what);
                }
            }
        }
    }
}
