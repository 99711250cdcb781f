//! What an actor can do: everything that the owner of a device can, and nothing else.

use super::Fate;
use crate::founding::{Founding, START};
use crate::gateway::{Gateway, SimNode};
use crate::host::{Host, Note, Shared, What};
use crate::rng::Rng;
use crate::scenario::Scenario;
use iotedge_core::crypto::SecretKey;
use iotedge_core::{Id, Millis};

/// A host in the hands of its actor.
pub struct Hands<'a, 'm> {
    pub(crate) host: &'a mut Host<'m>,
    pub(crate) shared: &'a Shared<'a>,
}

impl<'m> Hands<'_, 'm> {
    /// Which host this is: the member's index.
    #[must_use]
    pub fn me(&self) -> u16 {
        self.host.number
    }

    /// Whose key it has: the same, but for a twin.
    #[must_use]
    pub fn member(&self) -> u16 {
        self.host.member
    }

    /// Virtual time of the run, in ms.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.host.now
    }

    /// Absolute time, as a right clock tells it.
    #[must_use]
    pub fn absolute(&self) -> u64 {
        START + self.host.now
    }

    /// Absolute time by this device's own clock.
    #[must_use]
    pub fn own_clock(&self) -> u64 {
        self.absolute().saturating_add_signed(self.host.skew)
    }

    /// Time as the node's verbs take it: since its last start.
    #[must_use]
    pub fn local(&self) -> Millis {
        self.host.local()
    }

    /// What everybody knows.
    #[must_use]
    pub fn founding(&self) -> &Founding {
        self.shared.founding
    }

    /// What is simulated.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        self.shared.scenario
    }

    /// The device's own key: it may sign what it likes, as itself.
    #[must_use]
    pub fn secret(&self) -> SecretKey {
        self.shared.founding.device(self.host.member)
    }

    /// Its node, while it runs.
    pub fn node(&mut self) -> Option<&mut SimNode<'m>> {
        self.host.touched = true;
        self.host.node.as_deref_mut()
    }

    /// Both at once: what to build upon, and by whose rules.
    #[must_use]
    pub fn node_and_founding(&self) -> Option<(&Founding, &SimNode<'m>)> {
        Some((self.shared.founding, self.host.node.as_deref()?))
    }

    /// The gateway's process, on host 0.
    pub fn gateway(&mut self) -> Option<&mut Gateway> {
        self.host.gateway.as_mut()
    }

    /// The first number of a leaf; they come after all hosts.
    #[must_use]
    pub fn first_leaf(&self) -> u16 {
        self.shared.first_leaf
    }

    /// Whom it is joined to.
    #[must_use]
    pub fn peers(&self) -> &[u16] {
        &self.host.peers
    }

    /// Its own stream of chance.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.host.chance
    }

    /// Sends a frame of its own making; it is not shown to the actor again.
    pub fn send(&mut self, to: u16, frame: &[u8]) {
        self.host.transmit(self.shared, to, frame);
    }

    /// The same, `ms` later.
    pub fn send_later(&mut self, ms: u64, to: u16, frame: &[u8]) {
        let bytes = frame.into();
        self.host.plan(ms.max(1), What::Leave { to, bytes });
    }

    /// Gives its own node a frame as if `from` had sent it.
    pub fn feed(&mut self, from: u16, frame: &[u8]) {
        self.host.take(self.shared, from, frame);
    }

    /// Wakes the actor at this moment of the run, or in the next millisecond where it is over.
    pub fn wake_at(&mut self, at: u64) {
        let wait = at.saturating_sub(self.host.now).max(1);
        self.host.plan(wait, What::Actor);
    }

    /// Sets the device's clock wrong by so much from its next start on.
    pub fn set_clock(&mut self, skew: i64) {
        self.host.skew = skew;
    }

    /// The device's clock forgets the time at every power cut: from its next start on it asks its neighbours.
    pub fn lose_clock(&mut self) {
        self.host.clockless = true;
    }

    /// Tells another actor something, beside all links: it arrives for certain after the least delay of a link.
    pub fn whisper(&mut self, to: u16, message: &[u8]) {
        self.host.whisper(self.shared, to, message);
    }

    /// From now on nothing is promised to this host: its own grades are not judged, and to freeze it is right.
    pub fn confess(&mut self) {
        if !self.host.guilty {
            self.host.guilty = true;
            self.host.note(Note::Guilty);
        }
    }

    /// It signed two transactions of which neither lies below the other. Confesses; the run watches where they get to, and in the end
    /// every node has to hold this member frozen if both sides came anywhere.
    pub fn forked(&mut self, ids: [Id; 2]) {
        self.confess();
        self.host.note(Note::Forked(ids));
    }

    /// Something that this actor knows must not be.
    pub fn violated(&mut self, what: String) {
        self.host.note(Note::Violated(what));
    }

    /// Something to report: counted by name over all hosts, shown in the report.
    pub fn count(&mut self, what: &'static str, n: u64) {
        *self.host.totals.counted.entry(what).or_default() += n;
    }
}

impl Fate {
    pub(crate) const fn delay(self) -> Option<u64> {
        match self {
            Self::Pass => Some(0),
            Self::Drop => None,
            Self::Late(ms) => Some(ms),
        }
    }
}
