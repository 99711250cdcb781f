//! What must hold in every run, watched at every step.
//!
//! - Value: each header's total is what the founders were granted.
//! - Conflict: of one number of one member at most one transaction reaches `Quorum` (or is settled), on all nodes together.
//! - Grades only rise while a node runs, and never become `Dead` after anybody's `Quorum`.
//! - What reached `Quorum` anywhere is living in the header that covers its time; nothing is in two headers.
//! - In the end, after the faults and some quiet, all nodes hold the same DAG above the last cut, tips, header, G0 and confidences.

use crate::founding::GRANT;
use crate::gateway::{Settled, SimNode};
use iotedge_core::crypto::Sha256;
use iotedge_core::node::Grade;
use iotedge_core::tangle::{Facts, Scratch, Start, Walk, Work};
use iotedge_core::wire::merkle;
use iotedge_core::{Id, Millis, Number};
use std::collections::{BTreeSet, HashMap};

/// At most so many violations are kept; the count goes on.
const KEPT: usize = 20;

/// Watches a run.
#[derive(Debug, Default)]
pub struct Watch {
    /// What went wrong, the first ones.
    pub violations: Vec<String>,
    /// How often something went wrong.
    pub count: u32,
    /// How often of them a promise was broken that was given: what had its `Quorum` is gone, or value is.
    pub undone: u32,
    value: u64,
    cut: u64,
    quorum: HashMap<Id, Millis>,
    /// By time, what no header has covered yet.
    uncovered: BTreeSet<(Millis, Id)>,
    places: HashMap<(u16, Number), Id>,
    settled: HashMap<Id, u32>,
    headers: HashMap<u32, Vec<u8>>,
    missing: BTreeSet<Id>,
}

impl Watch {
    /// Watches a run with so many founders.
    #[must_use]
    pub fn new(founders: u16) -> Self {
        Self {
            value: GRANT * u64::from(founders),
            cut: 0,
            ..Self::default()
        }
    }

    /// Something that must not be.
    pub fn violated(&mut self, now: u64, what: String) {
        self.count += 1;
        if self.violations.len() < KEPT {
            self.violations.push(format!("at {now} ms: {what}"));
        }
    }

    fn broken(&mut self, now: u64, what: String) {
        self.undone += 1;
        self.violated(now, what);
    }

    /// An honest node graded a transaction.
    pub fn graded(&mut self, now: u64, host: usize, id: &Id, grade: Grade, facts: Option<&Facts>) {
        if grade == Grade::Dead && self.quorum.contains_key(id) {
            self.broken(now, format!("node {host}: {id} is dead after a Quorum"));
        }
        if !matches!(grade, Grade::Quorum | Grade::Settled) {
            return;
        }
        let Some(facts) = facts else {
            return;
        };
        let place = (facts.issuer.0, facts.number);
        let first = *self.places.entry(place).or_insert(*id);
        if first != *id {
            self.broken(
                now,
                format!("node {host}: both sides of {place:?} have their Quorum: {first} and {id}"),
            );
        }
        if grade == Grade::Quorum && self.quorum.insert(*id, facts.time).is_none() {
            if facts.time.0 <= self.cut {
                self.expect_living(now, id);
            } else {
                self.uncovered.insert((facts.time, *id));
            }
        }
    }

    fn expect_living(&mut self, now: u64, id: &Id) {
        if !self.settled.contains_key(id) && self.missing.insert(*id) {
            self.broken(
                now,
                format!("{id} had its Quorum and is not in the header of its time"),
            );
        }
    }

    /// A header was settled.
    pub fn header(&mut self, now: u64, settled: &Settled) {
        let header = &settled.header;
        // Two nodes with the GL-node's key may close the same trim; what they close must be the same.
        let earlier = self
            .headers
            .insert(header.number.0, settled.payload.clone());
        if let Some(earlier) = earlier {
            if earlier != settled.payload {
                let what = format!("two headers with number {} are settled", header.number);
                self.broken(now, what);
            }
            return;
        }
        let records = settled.records.iter();
        let value: u64 = records.map(|r| r.credits.0 - r.debits.0).sum();
        let value = value + settled.locks.iter().map(|l| l.amount.0).sum::<u64>();
        if header.total_value.0 != self.value || value != self.value {
            self.broken(
                now,
                format!(
                    "header {}: value {} (records {value}) instead of {}",
                    header.number, header.total_value, self.value
                ),
            );
        }
        for id in &settled.leaves {
            if let Some(earlier) = self.settled.insert(*id, header.number.0) {
                self.broken(
                    now,
                    format!("{id} is in the headers {earlier} and {}", header.number),
                );
            }
        }
        self.cut = header.cut.0;
        let later = (Millis(self.cut + 1), Id::ZERO);
        let after = self.uncovered.split_off(&later);
        for (_, id) in core::mem::replace(&mut self.uncovered, after) {
            self.expect_living(now, &id);
        }
    }

    /// Whether a transaction is living in a header.
    #[must_use]
    pub fn lives(&self, id: &Id) -> bool {
        self.settled.contains_key(id)
    }

    /// The cut of the newest header, in ms.
    #[must_use]
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Compares all nodes with the first one, in the end.
    pub fn agree(&mut self, now: u64, absolute: u64, views: &[(usize, View)]) {
        let Some(((one, first), rest)) = views.split_first() else {
            return;
        };
        for (host, view) in rest {
            // Who has a smaller window holds a part of the same, and its newest end.
            let whole = view.window >= first.window;
            let differs = if whole {
                view.dag != first.dag
            } else {
                !view.dag.is_subset(&first.dag)
            };
            for (what, differ) in [
                ("header", view.header != first.header),
                ("G0", view.g0 != first.g0),
                ("table", view.table != first.table),
                ("DAG", differs),
                ("tips", !view.tips.is_superset(&first.tips)),
                ("tips", whole && view.tips != first.tips),
                ("confidence", whole && view.confidence != first.confidence),
            ] {
                if differ {
                    let detail = first.compare(view);
                    self.violated(
                        now,
                        format!(
                            "nodes {one} and {host} differ in their {what} at {absolute}: {detail}"
                        ),
                    );
                    break;
                }
            }
        }
    }
}

/// What one node holds in the end.
#[derive(Debug)]
pub struct View {
    header: (u32, Id),
    g0: Id,
    table: Option<Id>,
    window: usize,
    dag: BTreeSet<Id>,
    tips: BTreeSet<Id>,
    confidence: [u8; 32],
}

impl View {
    /// Reads a node.
    #[must_use]
    pub fn of(node: &SimNode<'_>, absolute: u64) -> Self {
        let tangle = node.tangle();
        let headers = node.headers();
        let cut = headers.cut();
        let dag: BTreeSet<Id> = tangle
            .since(tangle.oldest_sequence())
            .filter(|(_, facts)| facts.time > cut)
            .map(|(_, facts)| facts.id)
            .collect();
        let tips = tangle.tips().filter(|id| dag.contains(id)).collect();
        // Who keeps its records in the store checked their root when the table came in; whoever has them in memory is asked for it now.
        let epoch = headers.newest().opens();
        let table = match node.tables().records(epoch) {
            Some(records) => {
                let leaves = records.iter().map(|r| r.leaf().unwrap_or_default());
                merkle::root(leaves).ok()
            }
            None => node.tables().opening(epoch).map(|opening| opening.root),
        };
        let mut work = vec![Work::default(); tangle.capacity()];
        let mut order = vec![0; tangle.capacity()];
        let mut members = vec![0; 1024];
        let mut scratch = Scratch {
            work: &mut work,
            order: &mut order,
            members: &mut members,
        };
        let walk = Walk {
            alpha: 1 << 13,
            start: Start::Since(Millis(absolute.saturating_sub(cut.0).saturating_sub(1))),
        };
        let mut confidence = Sha256::new();
        let done = tangle.confidences(&walk, Millis(absolute), &mut scratch, |id, c| {
            confidence.update(&id.0);
            confidence.update(&c.0.to_be_bytes());
        });
        confidence.update(format!("{done:?}").as_bytes());
        Self {
            header: (headers.newest().0, headers.hash()),
            g0: headers.g0(),
            table,
            window: tangle.capacity(),
            dag,
            tips,
            confidence: confidence.finish(),
        }
    }

    /// Vertices above the last cut.
    #[must_use]
    pub fn vertices(&self) -> usize {
        self.dag.len()
    }

    /// Tips among them.
    #[must_use]
    pub fn tips(&self) -> usize {
        self.tips.len()
    }

    fn compare(&self, other: &Self) -> String {
        format!(
            "headers {} and {}, {} and {} vertices, {} only in the first and {} only in the other, {} and {} tips",
            self.header.0,
            other.header.0,
            self.dag.len(),
            other.dag.len(),
            self.dag.difference(&other.dag).count(),
            other.dag.difference(&self.dag).count(),
            self.tips.len(),
            other.tips.len(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::tangle::Effect;
    use iotedge_core::{Epoch, MemberIndex};

    fn facts(id: u8, number: u32) -> Facts {
        Facts {
            id: Id([id; 32]),
            issuer: MemberIndex(3),
            number: Number(number),
            epoch: Epoch(1),
            time: Millis(50),
            effect: Effect::None,
        }
    }

    #[test]
    fn two_sides_at_quorum_on_two_nodes_are_seen() {
        let mut watch = Watch::new(3);
        watch.graded(1, 0, &Id([1; 32]), Grade::Quorum, Some(&facts(1, 9)));
        watch.graded(1, 1, &Id([2; 32]), Grade::Quorum, Some(&facts(2, 8)));
        assert_eq!(watch.count, 0);
        watch.graded(1, 1, &Id([3; 32]), Grade::Quorum, Some(&facts(3, 9)));
        assert_eq!(watch.count, 1);
    }

    #[test]
    fn dead_after_a_quorum_elsewhere_is_seen() {
        let mut watch = Watch::new(3);
        watch.graded(1, 0, &Id([1; 32]), Grade::Quorum, Some(&facts(1, 9)));
        watch.graded(2, 1, &Id([1; 32]), Grade::Dead, None);
        assert_eq!(watch.count, 1);
    }
}
