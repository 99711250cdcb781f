//! The L-node: the state machine that joins the rooms below.
//!
//! Sans-IO: frames, time and submissions go in, frames and events come out; the application moves the bytes. Invariant: nothing
//! that could be used against this device leaves it before it is in the store (numbers, own transactions), and nothing from
//! outside changes the state unless its signature, its parents and its tables were checked.
//!
//! `Node` is one struct; its verbs are in the modules by subject: `boot` (store, enrolment, genesis), `intake` (transactions
//! from outside), `react` (what they mean), `issue` and `sign` (own transactions), `gossip` (what leaves), `headers` (epochs, tables, receipts).

mod anchor;
pub mod aside;
mod attest;
#[cfg(test)]
mod attest_tests;
mod boot;
pub mod bucket;
pub(crate) mod clocks;
pub mod config;
#[cfg(test)]
mod crowd_tests;
pub mod event;
mod ghosts;
pub mod gossip;
#[cfg(test)]
pub(crate) mod harness;
pub mod head;
pub mod headers;
#[cfg(test)]
mod hostile;
mod intake;
mod issue;
mod keys;
mod link;
#[cfg(test)]
mod link_tests;
#[cfg(test)]
mod lock_tests;
pub mod memory;
mod near;
pub mod outbox;
pub mod own;
pub mod peers;
#[cfg(test)]
mod places_tests;
pub mod policy;
#[cfg(test)]
mod policy_tests;
pub mod raw;
mod react;
mod records;
mod refuse;
mod relay;
mod retell;
mod ring;
mod rotate;
mod round_trip;
mod serve;
mod sets;
mod sign;
#[cfg(test)]
mod small_tests;
pub mod tables;
#[cfg(test)]
pub(crate) mod test_platform;
#[cfg(test)]
mod tests;
pub mod tune;
pub mod wants;
mod word;

pub use config::{Clock, Config, InitError, Limits, NodeSigner, Role, Strategy};
pub use event::{Counters, Event, Grade, Peer, Refusal, Ticket};
pub use head::Membership;
pub use issue::{MAX_SIGN_INPUT, join_operation};
pub use memory::{Memory, Sizes};
pub use outbox::Submission;
pub use tables::Tables;
pub use tune::{Span, Tuning};

use crate::crypto::{PublicKey, Signature, Software, Verify};
use crate::identity::Genesis;
use crate::identity::signer::SignOp;
use crate::ledger::policy::Budget;
use crate::platform::Platform;
use crate::posp::SetChain;
use crate::rollback::Guard;
use crate::tangle::{Confidence, Scratch, Start, Tangle, Walk, Work};
use crate::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number};
use aside::Pool;
use bucket::MemberBuckets;
use gossip::Control;
use headers::Headers;
use heapless::{Deque, Vec};
use outbox::Outbox;
use own::Own;
use peers::{Known, Peers};
use raw::Raw;
use ring::Ring;
use wants::Wants;

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does not know its neighbourhood: it enrols and waits for the genesis.
    Outside,
    /// It knows the genesis and fetches the table.
    Synchronising,
    /// It follows the ledger but is not in the table: an observer, or a device whose join is not settled.
    Following,
    /// A member that issues.
    Active,
    /// A member that stays silent until its chain head is agreed on.
    Recovering,
}

/// What a node says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Where it is in its life.
    pub phase: Phase,
    /// Its device id; zero for an observer.
    pub device: Id,
    /// Its neighbourhood; zero while outside.
    pub neighbourhood: Id,
    /// Its index, once a member.
    pub index: Option<MemberIndex>,
    /// The newest epoch whose table it holds.
    pub epoch: Epoch,
    /// The newest settled header.
    pub header: HeaderNumber,
    /// G0 of that header.
    pub g0: Id,
    /// Vertices in the window.
    pub window: u32,
    /// Transactions set aside.
    pub aside: u32,
    /// Submissions waiting.
    pub outbox: u32,
    /// Neighbours heard within the last P_max.
    pub heard: u32,
    /// Settled credits C.
    pub credits: Amount,
    /// Lifetime debits D, unsettled ones included.
    pub debits: Amount,
    /// The greatest number of its own chain.
    pub number: Number,
    /// Evidence against it is in the ledger.
    pub frozen: bool,
    /// Absolute time now, as this node has it; none without a clock of its own, until the neighbours have told it.
    pub time: Option<Millis>,
    /// T, how long an epoch lasts; 0 while outside.
    pub period: Millis,
    /// The newest header that is final on the G-Chain, and the block that holds it.
    pub anchored: Option<(HeaderNumber, u64)>,
}

pub(crate) struct Evidence {
    offender: MemberIndex,
    a: Id,
    b: Id,
    due: Millis,
}

/// A signature in the making.
pub(crate) struct SignJob {
    op: SignOp,
    purpose: Purpose,
    /// Since when an external signer works on it, and when it is reminded.
    since: Millis,
    remind: Millis,
}

/// What waits for a signature: an own transaction, or the attestation for this uplink.
#[derive(Clone, Copy)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, in the node's memory; nothing is allocated"
)]
pub(crate) enum Purpose {
    Issue(issue::Draft),
    Attest(Peer),
}

impl SignJob {
    const fn new(now: Millis, op: SignOp, purpose: Purpose) -> Self {
        Self {
            op,
            purpose,
            since: now,
            remind: now.saturating_add(sign::REMIND),
        }
    }

    /// The own transaction that waits for it.
    const fn draft(&self) -> Option<&issue::Draft> {
        match &self.purpose {
            Purpose::Issue(draft) => Some(draft),
            Purpose::Attest(_) => None,
        }
    }

    /// The payload: the end of what is signed.
    fn payload(&self) -> &[u8] {
        let message = self.op.message();
        let len = self.draft().map_or(0, |draft| draft.payload);
        let start = message.len().saturating_sub(len);
        message.get(start..).unwrap_or(&[])
    }
}

/// The L-node. `'m` is the caller's memory, `P` the device's platform, `V` the verifier of signatures.
pub struct Node<'m, P: Platform, V: Verify = Software> {
    limits: Limits,
    role: Role,
    strategy: Strategy,
    authority: PublicKey,
    chain: Vec<Vec<u8, { boot::MAX_CERTIFICATE }>, 2>,
    /// Proof of possession: an external signer made it at provisioning, a key in memory makes it once.
    enrolment: Option<Signature>,
    /// Absolute time minus local time; `None` until the neighbours told it.
    offset: Option<i64>,
    tuner: tune::Tuner,
    word: word::Word,
    request_timeout: Millis,
    aside_timeout: Millis,
    tolerance: Millis,

    platform: P,
    verifier: V,
    signer: NodeSigner,
    key: Option<PublicKey>,
    rotation: Option<rotate::Rotation>,
    device: Id,
    owner: Option<PublicKey>,
    budget: Option<Budget>,

    genesis: Option<Genesis>,
    neighbourhood: Id,
    index: Option<MemberIndex>,
    phase: Phase,

    tangle: Tangle<'m>,
    tables: Tables<'m>,
    raw: Raw<'m>,
    known: Known<'m>,
    peers: Peers<'m>,
    aside: Pool<'m>,
    wants: Wants<'m>,
    outbox: Outbox<'m>,
    own: Own<'m>,
    guard: Guard,
    headers: Headers<'m>,

    /// Transactions below a certified cut that somebody stands on, and when they were: solid stubs.
    stubs: Ring<'m, (Id, Millis)>,
    cluster: Option<head::State>,
    duties: Option<head::Duties<Self>>,
    relay: Option<relay::Relay>,
    relayed: relay::Proofs,
    anchoring: anchor::Anchoring,
    search: sets::Search,
    ghosts: ghosts::Ghosts<'m>,
    /// Own transactions to tell again, and to whom.
    retelling: Deque<(u16, Number), 32>,
    /// Own transactions died that could not be put into the outbox again yet.
    unburied: bool,
    control: Ring<'m, gossip::Said>,
    /// Asked for by a neighbour: its place and the vertex.
    sending: Ring<'m, (u16, u32)>,
    events: Ring<'m, Option<Event>>,
    lost: u32,
    counters: Counters,
    evidence: Deque<Evidence, 8>,
    job: Option<SignJob>,
    attesting: attest::Attesting,
    buckets: MemberBuckets<'m>,
    timers: boot::Timers,
    heads: Vec<boot::HeadClaim, 32>,
    /// The ledger knows more of our chain than our store.
    lost_store: bool,
    clockless: bool,
    caught_up: bool,
    /// Its word about others' chain heads counts.
    vouches: bool,
    work: &'m mut [Work],
    order: &'m mut [u16],
    weights: &'m mut [u64],
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Absolute time by the local clock.
    pub(crate) fn absolute(&self, now: Millis) -> Millis {
        Millis(now.0.saturating_add_signed(self.offset.unwrap_or(0)))
    }

    /// Local time of an absolute time.
    pub(crate) fn local(&self, absolute: Millis) -> Millis {
        let offset = self.offset.unwrap_or(0).saturating_neg();
        Millis(absolute.0.saturating_add_signed(offset))
    }

    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.push_back(Some(event)).is_err() {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// The next thing the application may act on. Pull until `None` after every other call.
    pub fn next_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front().flatten() {
            return Some(event);
        }
        let count = core::mem::take(&mut self.lost);
        (count > 0).then_some(Event::Lost { count })
    }

    /// What the node counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the node says of itself. `now` as everywhere: local milliseconds.
    #[must_use]
    pub fn status(&self, now: Millis) -> Status {
        let record = self.index.and_then(|i| self.tables.latest(i));
        let head = self.index.and_then(|i| self.tangle.head(&self.tables, i));
        let window = self
            .genesis
            .as_ref()
            .map_or(Millis(5_000), |g| g.parent_age);
        Status {
            phase: self.phase,
            device: self.device,
            neighbourhood: self.neighbourhood,
            index: self.index,
            epoch: self.tables.newest(),
            header: self.headers.newest(),
            g0: self.headers.g0(),
            window: u32::try_from(self.tangle.len()).unwrap_or(u32::MAX),
            aside: u32::try_from(self.aside.len()).unwrap_or(u32::MAX),
            outbox: u32::try_from(self.outbox.len()).unwrap_or(u32::MAX),
            heard: u32::try_from(self.peers.heard_since(now.saturating_sub(window.0)))
                .unwrap_or(u32::MAX),
            credits: record.map_or(Amount(0), |r| r.credits),
            debits: head.map_or(Amount(0), |h| h.debits),
            number: head.map_or(Number(0), |h| h.number),
            frozen: self.index.is_some_and(|i| {
                self.tangle.frozen(i) || self.tables.latest(i).is_some_and(|r| r.frozen)
            }),
            time: self.offset.map(|_| self.absolute(now)),
            period: self.genesis.as_ref().map_or(Millis(0), |g| g.period),
            anchored: self.anchored(),
        }
    }

    /// The window, to read.
    #[must_use]
    pub fn tangle(&self) -> &Tangle<'m> {
        &self.tangle
    }

    /// The member tables, to read.
    #[must_use]
    pub fn tables(&self) -> &Tables<'m> {
        &self.tables
    }

    /// The genesis, once it was verified.
    #[must_use]
    pub fn genesis(&self) -> Option<&Genesis> {
        self.genesis.as_ref()
    }

    /// The settled headers, to read.
    #[must_use]
    pub fn headers(&self) -> &Headers<'m> {
        &self.headers
    }

    /// The trusted validator sets.
    #[must_use]
    pub fn validators(&self) -> Option<&SetChain> {
        self.headers.chain()
    }

    /// The platform, for the application's own use of it.
    pub fn platform_mut(&mut self) -> &mut P {
        &mut self.platform
    }

    /// The verifier, for example to feed a cache of verdicts.
    pub fn verifier_mut(&mut self) -> &mut V {
        &mut self.verifier
    }

    /// Confidence of every vertex of the window (see `Tangle::confidences`), by the strategy's alpha.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where the limits gave no working memory.
    pub fn confidences(
        &mut self,
        now: Millis,
        out: impl FnMut(&Id, Confidence),
    ) -> Result<(), Refusal> {
        let walk = self.walk(now);
        let at = self.absolute(now);
        let mut scratch = Scratch {
            work: self.work,
            order: self.order,
            members: self.weights,
        };
        self.tangle
            .confidences(&walk, at, &mut scratch, out)
            .map_err(|_| Refusal::Busy)
    }

    pub(crate) fn walk(&self, _now: Millis) -> Walk {
        let alpha = match self.strategy {
            Strategy::Weighted { alpha } => alpha,
            // About 0.01: what the walk is run with in the paper's examples.
            Strategy::Uniform => 655,
        };
        Walk {
            alpha,
            start: Start::Root,
        }
    }

    /// COSE_Sign1 and attachment of a vertex, as on the wire, while the window has the bytes.
    #[must_use]
    pub fn raw(&self, id: &Id) -> Option<&[u8]> {
        self.raw.get(self.tangle.sequence(id)?)
    }

    /// How final a followed transaction is.
    #[must_use]
    pub fn grade(&self, id: &Id) -> Option<Grade> {
        self.own.get(id).map(|f| f.grade)
    }

    /// Adds a neighbour. `uplink`: the gateway, or a relay to it: enrolment, headers, tables and proofs are asked there.
    ///
    /// # Errors
    /// [`Refusal::Busy`] where all places are taken.
    pub fn add_peer(&mut self, now: Millis, peer: Peer, uplink: bool) -> Result<(), Refusal> {
        let known = self.peers.place(peer).is_some();
        let place = self
            .peers
            .add(now, peer, uplink, self.tangle.next_sequence())
            .ok_or(Refusal::Busy)?;
        if !known {
            self.known.clear_place(place);
            self.timers.sync = self.timers.sync.min(now.saturating_add(200));
        }
        Ok(())
    }

    /// From now on this neighbour gets every transaction unasked: a validator, which needs them all. `false`: no neighbour.
    pub fn feed_peer(&mut self, peer: Peer) -> bool {
        let place = self.peers.place(peer);
        match place.and_then(|place| self.peers.get_mut(place)) {
            Some(state) => {
                state.fed = true;
                true
            }
            None => false,
        }
    }

    /// Forgets a neighbour.
    pub fn remove_peer(&mut self, peer: Peer) {
        if let Some(place) = self.peers.remove(peer) {
            self.known.clear_place(place);
            let other = self.peers.other(peer, 1);
            self.wants
                .forget_peer(peer, (other != peer).then_some(other));
        }
    }
}
