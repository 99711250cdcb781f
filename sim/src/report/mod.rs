//! What a run measured, host by host and in all. `table` shows it.
//!
//! Invariant: but for `wall`, nothing here comes from a clock or depends on threads.

mod table;

use crate::gateway::{Settled, SimNode};
use crate::leaves::LeafTotals;
use crate::radio::Radio;
use crate::scenario::Scenario;
use iotedge_core::Id;
use iotedge_core::link::LinkCounters;
use iotedge_core::node::{Grade, Refusal, Status};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one host did, over all its lives.
#[derive(Clone, Debug, Default)]
pub struct HostTotals {
    /// Bytes put on air, those of its gateway or validator process included.
    pub bytes_sent: u64,
    /// Transactions inserted.
    pub inserted: u64,
    /// Signatures of transactions that it checked.
    pub verified: u64,
    /// Transactions that came a second time.
    pub duplicates: u64,
    refused: BTreeMap<u8, u64>,
    /// Most transactions set aside at once.
    pub aside_max: u32,
    /// Most vertices at once.
    pub window_max: u32,
    /// Most tips at once.
    pub tips_max: u32,
    /// Sum of the tips over all samples.
    pub tips_sum: u64,
    /// Samples taken.
    pub samples: u64,
    /// Writes to the store.
    pub writes: u64,
    /// Bytes in the store in the end.
    pub stored: u64,
    /// Submissions by the application.
    pub submitted: u64,
    /// Transactions signed.
    pub sent: u64,
    /// Payments received.
    pub payments: u64,
    /// Receipts verified.
    pub receipts: u64,
    /// Times to `Witnessed`, `Quorum`, `Settled` of own transactions.
    pub times: [Times; 3],
    /// `Dead` grades.
    pub dead: u64,
    /// Own transactions below the newest cut that no header holds.
    pub orphans: u64,
    /// Own transactions with T/2 of traffic after them that it holds no Quorum for: approvals no longer count.
    pub expired: u64,
    /// Submissions refused, by reason.
    pub rejections: BTreeMap<&'static str, u64>,
    /// Transactions given up by the set-aside pool.
    pub dropped: u64,
    /// Equivocations told.
    pub equivocations: u64,
    /// Freezes told.
    pub frozen: u64,
    /// Recoveries begun.
    pub recovering: u64,
    /// Recoveries ended.
    pub recovered: u64,
    /// Events that the node's queue had no room for.
    pub lost_events: u64,
    /// Silences told.
    pub silences: u64,
    /// Times that it was stopped.
    pub reboots: u64,
    /// Proposals that came before this validator could judge them.
    pub waited: u64,
    /// Frames delivered here.
    pub frames: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Frames of this host that were lost.
    pub lost: u64,
    /// Frames of this host that came twice.
    pub doubled: u64,
    /// Frames of this host with a bit turned over.
    pub corrupted: u64,
    /// Signature checks asked for.
    pub asked: u64,
    /// What an actor counted, by name.
    pub counted: BTreeMap<&'static str, u64>,
    /// Hops to the gateway.
    pub hops: u16,
    /// Time its radio sent, in us.
    pub air: u64,
    /// Time frames came in that were for it, in us.
    pub heard: u64,
    /// Bytes on air, heads and further tries included; 0 without a radio.
    pub on_air: u64,
    /// Transmissions of its radio.
    pub transmissions: u64,
    /// What its link layer counted, where there is one.
    pub link: Option<LinkCounters>,
    /// Frames that its radio had no time for.
    pub crowded: u64,
    /// Frames missed because its radio was sending.
    pub deaf: u64,
    /// Bytes of the node, its link and everything lent to both.
    pub memory: u64,
}

impl HostTotals {
    pub(crate) fn at(hops: u16) -> Self {
        Self {
            hops,
            ..Self::default()
        }
    }

    /// Adds what a node counted in the life that ends.
    pub fn add(&mut self, node: &SimNode<'_>) {
        let counters = node.counters();
        self.inserted += u64::from(counters.inserted);
        self.verified += u64::from(counters.verified);
        self.duplicates += u64::from(counters.duplicates);
        for refusal in Refusal::ALL {
            let n = u64::from(counters.refused(*refusal));
            if n > 0 {
                *self.refused.entry(*refusal as u8).or_default() += n;
            }
        }
    }

    pub(crate) fn took(&mut self, grade: Grade, ms: u64) {
        let place = match grade {
            Grade::Witnessed => 0,
            Grade::Quorum => 1,
            Grade::Settled => 2,
            _ => return,
        };
        self.times[place].0.push(ms);
    }

    pub(crate) fn rejected(&mut self, reason: Refusal) {
        *self.rejections.entry(reason.name()).or_default() += 1;
    }

    pub(crate) fn sample(&mut self, status: &Status, tips: u32) {
        self.aside_max = self.aside_max.max(status.aside);
        self.window_max = self.window_max.max(status.window);
        self.tips_max = self.tips_max.max(tips);
        self.tips_sum += u64::from(tips);
        self.samples += 1;
    }

    /// How often this was refused.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> u64 {
        self.refused.get(&(refusal as u8)).copied().unwrap_or(0)
    }
}

/// What link layers counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkSums {
    /// Frames that they took to send.
    pub frames: u64,
    /// Of these, compressed.
    pub compressed: u64,
    /// Of these, in one packet.
    pub in_one: u64,
    /// Packets sent, requests included.
    pub packets: u64,
    /// Frames that their readers could not rebuild.
    pub out_of_step: u64,
    /// Requests for lost fragments.
    pub repairs: u64,
    /// Frames of which fragments stayed away.
    pub given_up: u64,
    /// Frames whose fragments made room for newer ones.
    pub replaced: u64,
}

/// Times from a transaction's signature to a grade, at its issuer, in ms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Vec<u64>);

impl Times {
    pub(crate) fn push(&mut self, ms: u64) {
        self.0.push(ms);
    }

    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// All of them, as they came.
    #[must_use]
    pub fn all(&self) -> &[u64] {
        &self.0
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that `percent` of them did not exceed.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(place).copied()
    }
}

/// Everything about a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was run.
    pub title: String,
    /// How often a validator refused a proposal that its own replay contradicts.
    pub disagreements: u32,
    /// How often something that had its `Quorum` on an honest node was undone, rivalled or lost, or value was not conserved.
    pub undone: u32,
    /// Members.
    pub nodes: u16,
    /// Virtual time of traffic, in ms.
    pub duration: u64,
    /// The radio, if one was modelled.
    pub radio: Option<Radio>,
    /// Submissions by the applications.
    pub submitted: u64,
    /// Transactions signed.
    pub sent: u64,
    /// Payments that reached their payee.
    pub payments: u64,
    /// Receipts verified by devices.
    pub receipts: u64,
    /// Times to `Witnessed`, `Quorum`, `Settled`.
    pub times: [Times; 3],
    /// `Dead` grades.
    pub dead: u64,
    /// Devices' transactions below the newest cut that no header holds.
    pub orphans: u64,
    /// Devices' transactions with T/2 of traffic after them whose issuer holds no Quorum for them.
    pub expired: u64,
    /// Submissions that a node refused, by reason.
    pub rejections: BTreeMap<&'static str, u64>,
    /// Refusals of frames, by reason.
    pub refusals: Vec<(&'static str, u64)>,
    /// Transactions given up by the set-aside pool.
    pub dropped: u64,
    /// Equivocations told.
    pub equivocations: u64,
    /// Freezes told.
    pub frozen: u64,
    /// Recoveries begun.
    pub recovering: u64,
    /// Recoveries ended.
    pub recovered: u64,
    /// Events that the nodes' queues had no room for.
    pub lost_events: u64,
    /// Silences told.
    pub silences: u64,
    /// Nodes stopped and started again.
    pub reboots: u64,
    /// Settled headers: number, when, living transactions, total value, G0.
    pub headers: Vec<(u32, u64, u32, u64, Id)>,
    /// Proposals that came before the validator could judge them.
    pub waited: u64,
    /// Trims refused at signing because no fresh quorum was there yet.
    pub void_trims: u32,
    /// What the gateway waited for in the end.
    pub waits_for: String,
    /// Frames delivered.
    pub frames: u64,
    /// Frames lost.
    pub frames_lost: u64,
    /// Frames doubled.
    pub frames_doubled: u64,
    /// Frames with a bit turned over.
    pub frames_corrupted: u64,
    /// Signature checks asked for by the nodes.
    pub asked: u64,
    /// Signature checks made.
    pub checked: u64,
    /// Bytes of the largest node's memory.
    pub memory: u64,
    /// What actors counted, by name.
    pub counted: BTreeMap<&'static str, u64>,
    /// Phases of the nodes in the end.
    pub phases: BTreeMap<String, u32>,
    /// Vertices above the last cut in the end.
    pub end_vertices: usize,
    /// Tips in the end.
    pub end_tips: usize,
    /// Devices too small for a window.
    pub leaves: LeafTotals,
    /// By host.
    pub hosts: Vec<HostTotals>,
    /// The first violated invariants.
    pub violations: Vec<String>,
    /// How many there were.
    pub violation_count: u32,
    /// SHA-256 over the hosts, in order, of SHA-256 over every frame that came in and every event.
    pub trace: Id,
    /// How long the run took.
    pub wall: Duration,
}

impl Report {
    /// An empty report.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            title: format!(
                "{} members, seed {}, {} s, T = {} s, {} tx/h each",
                scenario.nodes,
                scenario.seed,
                scenario.duration / 1000,
                scenario.period / 1000,
                3_600_000 / scenario.pause()
            ),
            nodes: scenario.nodes,
            duration: scenario.duration,
            radio: scenario.radio,
            ..Self::default()
        }
    }

    /// Adds what one host did; the hosts come in order.
    pub(crate) fn absorb(&mut self, host: HostTotals) {
        for (sum, of) in [
            (&mut self.submitted, host.submitted),
            (&mut self.sent, host.sent),
            (&mut self.payments, host.payments),
            (&mut self.receipts, host.receipts),
            (&mut self.dead, host.dead),
            (&mut self.orphans, host.orphans),
            (&mut self.expired, host.expired),
            (&mut self.dropped, host.dropped),
            (&mut self.equivocations, host.equivocations),
            (&mut self.frozen, host.frozen),
            (&mut self.recovering, host.recovering),
            (&mut self.recovered, host.recovered),
            (&mut self.lost_events, host.lost_events),
            (&mut self.silences, host.silences),
            (&mut self.reboots, host.reboots),
            (&mut self.waited, host.waited),
            (&mut self.frames, host.frames),
            (&mut self.frames_lost, host.lost),
            (&mut self.frames_doubled, host.doubled),
            (&mut self.frames_corrupted, host.corrupted),
            (&mut self.asked, host.asked),
        ] {
            *sum += of;
        }
        for (all, of) in self.times.iter_mut().zip(&host.times) {
            all.0.extend(&of.0);
        }
        for (reason, n) in &host.rejections {
            *self.rejections.entry(reason).or_default() += n;
        }
        for (what, n) in &host.counted {
            *self.counted.entry(what).or_default() += n;
        }
        self.hosts.push(host);
    }

    pub(crate) fn header(&mut self, now: u64, settled: &Settled) {
        let h = &settled.header;
        self.headers
            .push((h.number.0, now, h.count, h.total_value.0, h.g0));
    }

    /// What the link layers of all hosts counted together; `None`: frames went whole.
    #[must_use]
    pub fn link(&self) -> Option<LinkSums> {
        let all = self.hosts.iter().filter_map(|h| h.link.as_ref());
        all.fold(None, |sums: Option<LinkSums>, link| {
            let mut sums = sums.unwrap_or_default();
            for (sum, of) in [
                (&mut sums.frames, link.frames_out),
                (&mut sums.compressed, link.compressed),
                (&mut sums.in_one, link.in_one),
                (&mut sums.packets, link.packets_out),
                (&mut sums.out_of_step, link.out_of_step),
                (&mut sums.repairs, link.repairs_out),
                (&mut sums.given_up, link.expired),
                (&mut sums.replaced, link.replaced),
            ] {
                *sum += u64::from(of);
            }
            Some(sums)
        })
    }

    /// Whether every invariant held.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.violation_count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times = Times((1..=100).rev().collect());
        assert_eq!(
            (times.percentile(50), times.percentile(99)),
            (Some(50), Some(99))
        );
        assert_eq!(Times(vec![7]).percentile(1), Some(7));
        assert_eq!(Times::default().percentile(50), None);
    }
}
