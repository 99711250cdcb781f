//! What a node tells its application, and what the run makes of it.
//!
//! Invariant: everything that a node tells goes into the trace, in order.

use super::{Birth, Host, Note, Shared};
use iotedge_core::Id;
use iotedge_core::node::{Event, Grade};

impl Host<'_> {
    pub(super) fn on_event(&mut self, shared: &Shared<'_>, event: &Event) {
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
                if let Some(gateway) = self.gateway.as_mut() {
                    gateway.on_sent(ticket, id);
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
}
