//! A host's life: power on and off, what its application and its gateway do by the clock, and the count in the end.
//!
//! Invariant: a node gives back exactly the memory that it was lent, at every reboot and in the end.

use super::{Host, LOCAL, Shared, What};
use crate::founding::START;
use crate::gateway::SimNode;
use crate::leaves;
use crate::memory::Footprint;
use crate::platform::SimPlatform;
use crate::report::HostTotals;
use iotedge_core::crypto::Sha256;
use iotedge_core::node::{Clock, Config, Memory, Node, NodeSigner, Peer, Refusal};
use iotedge_core::{Id, Millis};

impl<'m> Host<'m> {
    pub(super) fn up(&mut self, shared: &Shared<'_>) {
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
        } else if n < members && shared.scenario.leaves > 0 {
            let cluster = node.join_cluster(leaves::membership(shared.scenario, n));
            if let Err(error) = cluster {
                self.violated(format!("node {n} joins no cluster: {error:?}"));
            }
        }
        if let Some(air) = self.air.as_mut() {
            let peers = self.peers.iter().copied().filter(|p| *p < members);
            if let Err(error) = air.up(peers) {
                self.violated(format!("link of node {n} does not start: {error:?}"));
            }
        }
        self.node = Some(Box::new(node));
        self.wake = u64::MAX;
        self.grades.clear();
        self.touched = true;
    }

    pub(super) fn down(&mut self, shared: &Shared<'_>, lost: bool) {
        self.drain(shared);
        self.keep();
        let Some((memory, mut platform)) = self.retire() else {
            return;
        };
        if let Some(archive) = self.archive.as_mut() {
            archive.restarted();
        }
        if lost {
            platform.lose();
        }
        if let Some(air) = self.air.as_mut() {
            air.down();
        }
        self.parts = Some((memory, platform));
        self.totals.reboots += 1;
    }

    /// The database of the GL-node follows its window.
    fn keep(&mut self) {
        let local = self.local();
        if let (Some(archive), Some(node)) = (self.archive.as_mut(), self.node.as_mut()) {
            archive.follow(local, node, Peer(LOCAL));
        }
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

    pub(super) fn act(&mut self, shared: &Shared<'_>) {
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

    pub(super) fn tick(&mut self, shared: &Shared<'_>) {
        self.plan(100, What::Tick);
        self.keep();
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

    pub(super) fn sample(&mut self, shared: &Shared<'_>) {
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
        (self.totals.transmissions, self.totals.crowded) = (sender.transmissions, sender.crowded);
        self.totals.deaf = sender.deaf;
        self.totals.memory = (self.footprint.bytes() + size_of::<SimNode<'_>>()) as u64;
        if let Some(air) = self.air.as_ref() {
            self.totals.memory += air.memory() as u64;
            self.totals.link = Some(air.counters());
        }
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
