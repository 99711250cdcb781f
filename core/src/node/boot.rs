//! From power-on to member: the store, the enrolment, the genesis, and the recovery of a lost chain head.

use super::aside::Pool;
use super::bucket::MemberBuckets;
use super::config::{Clock, Config, InitError, Limits, NodeSigner, Role, Strategy};
use super::event::{Event, Peer, Refusal};
use super::gossip::Control;
use super::headers::Headers;
use super::memory::Memory;
use super::outbox::Outbox;
use super::own::Own;
use super::peers::{Known, Peers};
use super::raw::Raw;
use super::ring::Ring;
use super::tables::{Opening, Tables};
use super::wants::Wants;
use super::{Counters, Node, Phase, keys, rotate};
use crate::crypto::{PublicKey, Verify};
use crate::identity::UnverifiedGenesis;
use crate::identity::{CoseKey, cert::Certificate};
use crate::platform::Platform;
use crate::posp::ValidatorSet;
use crate::rollback::{Guard, RollbackError};
use crate::rules::{self, Rule};
use crate::tangle::{Policy, Tables as _, Tangle};
use crate::wire::{EnrolStatus, Reader, Writer};
use crate::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number};
use heapless::{Deque, Vec};

/// Longest certificate that a node carries.
pub const MAX_CERTIFICATE: usize = 320;

/// Requests for a table that one neighbour may leave without an answer.
const SOURCE_TRIES: u8 = 4;
/// Answers to SYNC in a row, of one neighbour each, that bring nothing new to whoever has everything.
const CALM: u8 = 2;
/// Requests' time-outs for which a node that has just come up, and finds nothing, leaves others to say what their chain heads are.
const UNSURE: u64 = 16;

/// What a neighbour says of this node's chain head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadClaim {
    peer: u16,
    number: Number,
    id: Id,
    /// Since when it has named heads that it does not show.
    since: Millis,
}

/// When something is due next, in local time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timers {
    pub(crate) enrol: Millis,
    pub(crate) genesis: Millis,
    pub(crate) table: Millis,
    pub(crate) header: Millis,
    pub(crate) set: Millis,
    pub(crate) sync: Millis,
    pub(crate) sync_turn: u8,
    /// When SYNC was asked for last, and which sequence number was next then.
    pub(crate) sync_asked: Millis,
    pub(crate) synced: u32,
    /// How often in a row it brought nothing.
    pub(crate) calm: u8,
    /// When transactions could be taken in first.
    pub(crate) woke: Option<Millis>,
    /// When to ask for the first that is missing.
    pub(crate) gap: Millis,
    pub(crate) heads: Millis,
    pub(crate) issue: Millis,
    /// When this node issued last.
    pub(crate) spoke: Millis,
    pub(crate) turn: u32,
    /// Requests for what any neighbour may have.
    pub(crate) asked: u32,
    pub(crate) heard: Millis,
    pub(crate) silent: bool,
    /// After a start: when to stop waiting for what the neighbours have.
    pub(crate) caught_up: Millis,
    /// Somebody sent a false record: the table is taken whole from this neighbour, and from the next one if it is false again.
    pub(crate) table_from: Option<Peer>,
    /// How often it was asked since something came.
    pub(crate) table_tries: u8,
    /// Who sent the last records that were taken.
    pub(crate) table_good: Option<Peer>,
    /// State of the jitter of announcements; never zero.
    pub(crate) jitter: u64,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Starts a node on the caller's memory and reads back what the platform's store holds.
    ///
    /// # Errors
    /// [`InitError`]; the store was not changed.
    pub fn new(
        memory: Memory<'m>,
        limits: Limits,
        config: &Config<'_>,
        signer: NodeSigner,
        platform: P,
        verifier: V,
    ) -> Result<Self, InitError> {
        let mut place = None;
        Self::new_in(
            &mut place, memory, limits, config, signer, platform, verifier,
        )?;
        place.ok_or(InitError::Memory)
    }

    /// The same where the node shall live: a node is too large for a small device's stack.
    ///
    /// # Errors
    /// As [`Self::new`]; the place is empty then.
    pub fn new_in(
        place: &mut Option<Self>,
        memory: Memory<'m>,
        limits: Limits,
        config: &Config<'_>,
        signer: NodeSigner,
        platform: P,
        verifier: V,
    ) -> Result<(), InitError> {
        *place = None;
        let started = Self::vacant(place, memory, limits, config, signer, platform, verifier)
            .and_then(|node| {
                node.take_chain(config)?;
                node.start(&config.authority)
            });
        if started.is_err() {
            *place = None;
        }
        started
    }

    /// A node that did not look into its store yet.
    #[inline(never)]
    fn vacant<'p>(
        place: &'p mut Option<Self>,
        memory: Memory<'m>,
        limits: Limits,
        config: &Config<'_>,
        signer: NodeSigner,
        mut platform: P,
        verifier: V,
    ) -> Result<&'p mut Self, InitError> {
        memory.check(&limits)?;
        if config.strategy != Strategy::Uniform && !cfg!(feature = "weighted") {
            return Err(InitError::Limits);
        }
        let key = match &signer {
            NodeSigner::Software(secret) => Some(secret.public_key()),
            NodeSigner::External(key) => Some(*key),
            NodeSigner::None => None,
        };
        let mut random = [0u8; 8];
        platform
            .random(&mut random)
            .map_err(|_| InitError::Platform)?;
        // Until the genesis is known nothing is inserted; its policy replaces this one.
        let policy = Policy {
            period: Millis(4),
            max_parent_age: Millis(1),
            freshness: Millis(1),
            witnesses: 1,
        };
        let tangle = Tangle::new(memory.tangle, policy, u64::from_le_bytes(random))
            .map_err(|_| InitError::Limits)?;
        let peers = usize::from(limits.peers);
        let slots = limits.window as usize;
        let start = Millis(0);
        let buckets = MemberBuckets::new(memory.buckets, usize::from(limits.members));
        Ok(place.insert(Self {
            limits,
            role: config.role,
            strategy: config.strategy,
            authority: config.authority,
            chain: Vec::new(),
            enrolment: match signer {
                NodeSigner::Software(_) => None,
                NodeSigner::External(_) | NodeSigner::None => config.enrolment,
            },
            offset: match config.clock {
                Clock::Offset(offset) => Some(offset),
                Clock::FromNeighbours => None,
            },
            tuner: super::tune::Tuner::new(config.tuning),
            word: super::word::Word::default(),
            request_timeout: config.request_timeout,
            aside_timeout: config.aside_timeout,
            tolerance: config.clock_tolerance,
            platform,
            verifier,
            signer,
            key,
            rotation: None,
            device: Id::ZERO,
            owner: config.owner,
            budget: None,
            genesis: None,
            neighbourhood: Id::ZERO,
            index: None,
            phase: Phase::Outside,
            tangle,
            tables: Tables::new(
                memory.records,
                memory.classes,
                limits.cached(),
                usize::from(limits.members),
            ),
            raw: Raw::new(memory.raw, memory.raw_slots),
            known: Known::new(memory.known, peers, slots),
            peers: Peers::new(memory.peers),
            aside: Pool::new(memory.aside),
            wants: Wants::new(memory.wants),
            outbox: Outbox::new(memory.outbox),
            own: Own::new(memory.own),
            guard: Guard::default(),
            headers: Headers::new(memory.headers),
            stubs: Ring::new(memory.stubs),
            search: super::sets::Search::default(),
            ghosts: super::ghosts::Ghosts::new(memory.ghosts),
            retelling: Deque::new(),
            unburied: false,
            cluster: None,
            duties: None,
            relay: None,
            relayed: heapless::Vec::new(),
            anchoring: super::anchor::Anchoring::default(),
            control: Ring::new(memory.said),
            sending: Ring::new(memory.sending),
            events: Ring::new(memory.events),
            lost: 0,
            counters: Counters::default(),
            evidence: Deque::new(),
            job: None,
            attesting: super::attest::Attesting::default(),
            buckets,
            work: memory.work,
            order: memory.order,
            weights: memory.weights,
            timers: Timers {
                enrol: start,
                genesis: start,
                table: start,
                header: start,
                set: start,
                sync: start,
                sync_turn: 0,
                sync_asked: Millis(0),
                synced: 0,
                calm: 0,
                woke: None,
                gap: Millis(u64::MAX),
                heads: start,
                issue: start,
                spoke: Millis(0),
                turn: 0,
                asked: 0,
                heard: start,
                silent: false,
                caught_up: start,
                table_from: None,
                table_good: None,
                jitter: u64::from_le_bytes(random) | 1,
                table_tries: 0,
            },
            heads: Vec::new(),
            lost_store: false,
            caught_up: false,
            vouches: false,
            clockless: config.clock == Clock::FromNeighbours,
        }))
    }

    /// Takes the certificates.
    #[inline(never)]
    fn take_chain(&mut self, config: &Config<'_>) -> Result<(), InitError> {
        for certificate in config.chain {
            let copy = Vec::from_slice(certificate).map_err(|_| InitError::Certificate)?;
            self.chain.push(copy).map_err(|_| InitError::Certificate)?;
        }
        if config.role == Role::Member {
            let last = self.chain.last().ok_or(InitError::Certificate)?;
            let certificate = Certificate::parse(last).map_err(|_| InitError::Certificate)?;
            let certified = certificate.claims().key;
            // The account is that of the first key, whatever signs now.
            if self.key.is_none() || (Some(certified) != self.key && !config.rotated) {
                return Err(InitError::Certificate);
            }
            self.device = rotate::device_of(&certified);
        }
        Ok(())
    }

    /// Reads back what the store holds, step by step: none of them stands on the stack below another.
    fn start(&mut self, authority: &PublicKey) -> Result<(), InitError> {
        self.open_store(authority)?;
        if self.restore_genesis()? {
            self.restore_policy();
            self.restore_headers()?;
        }
        if let Some(ticket) = self.outbox.take_untold()
            && let Some(id) = self.own.sent_for(ticket)
        {
            self.tell(Event::Sent { ticket, id });
        }
        Ok(())
    }

    #[inline(never)]
    fn open_store(&mut self, authority: &PublicKey) -> Result<(), InitError> {
        let authority = CoseKey::thumbprint(authority);
        let next_ticket = read_meta(&mut self.platform, &authority)?;
        self.own
            .load(&self.limits, &mut self.platform)
            .map_err(|_| InitError::Platform)?;
        // Before anything is written: an old image is left as it is.
        self.guard =
            Guard::open(&mut self.platform, self.own.highest()).map_err(|error| match error {
                RollbackError::OldImage => InitError::OldImage,
                RollbackError::Platform => InitError::Platform,
                RollbackError::Counter | RollbackError::Exhausted => InitError::Counter,
            })?;
        self.read_store(next_ticket)
            .map_err(|_| InitError::Platform)
    }

    /// Submissions, as the store has them.
    #[inline(never)]
    fn read_store(&mut self, next_ticket: u32) -> Result<(), Refusal> {
        let (own, limits) = (&mut self.own, &self.limits);
        self.outbox
            .load(&mut self.platform, own.newest_ticket(), next_ticket)?;
        self.outbox.replaced(&mut self.platform, |platform, id| {
            own.bury(limits, platform, id)
        })
    }

    /// Ends the node and gives memory, platform and verifier back, for example to start again as after a reboot.
    pub fn into_parts(self) -> (Memory<'m>, P, V) {
        let (raw, raw_slots) = self.raw.into_parts();
        let (records, classes) = self.tables.into_inner();
        let memory = Memory {
            tangle: self.tangle.into_memory(),
            records,
            classes,
            raw,
            raw_slots,
            known: self.known.into_inner(),
            peers: self.peers.into_inner(),
            aside: self.aside.into_inner(),
            wants: self.wants.into_inner(),
            outbox: self.outbox.into_inner(),
            own: self.own.into_inner(),
            buckets: self.buckets.into_inner(),
            headers: self.headers.into_inner(),
            stubs: self.stubs.into_inner(),
            ghosts: self.ghosts.into_inner(),
            said: self.control.into_inner(),
            sending: self.sending.into_inner(),
            events: self.events.into_inner(),
            work: self.work,
            order: self.order,
            weights: self.weights,
        };
        (memory, self.platform, self.verifier)
    }

    /// Whether there is one in the store.
    #[inline(never)]
    fn restore_genesis(&mut self) -> Result<bool, InitError> {
        let mut buffer = [0u8; MAX_FRAME];
        let found = self
            .platform
            .get(keys::GENESIS, &mut buffer)
            .map_err(|_| InitError::Platform)?;
        let Some(len) = found else {
            return Ok(false);
        };
        let bytes = buffer.get(..len).ok_or(InitError::Stored)?;
        let mut r = Reader::new(bytes);
        let pair = r
            .array_of(2)
            .and_then(|()| Ok((r.bytes()?, r.item()?)))
            .map_err(|_| InitError::Stored)?;
        self.take_genesis(pair.0, pair.1)
            .map_err(|_| InitError::Stored)?;
        Ok(true)
    }

    /// Verifies a genesis and adopts it.
    #[inline(never)]
    pub(crate) fn take_genesis(&mut self, cose: &[u8], set: &[u8]) -> Result<(), Refusal> {
        let (genesis, id) = UnverifiedGenesis::parse(cose)
            .and_then(|g| g.verify(&self.authority, &mut self.verifier))
            .map_err(|_| Refusal::ForgedGenesis)?;
        let set = ValidatorSet::decode(set).map_err(|_| Refusal::WrongValidatorSet)?;
        if genesis.members > u32::from(self.limits.members) {
            return Err(Refusal::Busy);
        }
        self.tangle
            .set_policy(Policy {
                period: genesis.period,
                max_parent_age: genesis.parent_age,
                // A tip that is chosen must still be young enough when the vertex above it gets its time.
                freshness: Millis(genesis.parent_age.0.saturating_mul(3) / 4),
                witnesses: genesis.neighbours,
            })
            .map_err(|_| Refusal::ForgedGenesis)?;
        self.tables.set_gl_node(genesis.gl_node);
        self.headers
            .begin(id, &genesis, set)
            .map_err(|_| Refusal::WrongValidatorSet)?;
        self.tables
            .open(Opening {
                epoch: Epoch(1),
                clock_start: genesis.start,
                root: genesis.table_root,
                members: genesis.members,
                trim: id,
            })
            .map_err(|_| Refusal::Busy)?;
        self.genesis = Some(genesis);
        self.neighbourhood = id;
        self.phase = Phase::Synchronising;
        self.learn_neighbourhood();
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn on_genesis(&mut self, cose: &[u8], set: &[u8]) -> Result<(), Refusal> {
        if self.genesis.is_some() {
            return Ok(());
        }
        self.take_genesis(cose, set)?;
        let mut buffer = [0u8; MAX_FRAME];
        let mut w = Writer::new(&mut buffer);
        let written = w
            .array(2)
            .and_then(|()| w.bytes(cose))
            .and_then(|()| w.raw(set));
        if written.is_err() || self.platform.put(keys::GENESIS, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
        self.tell(Event::Joined {
            neighbourhood: self.neighbourhood,
        });
        self.timers.table = Millis(0);
        self.timers.header = Millis(0);
        Ok(())
    }

    pub(crate) fn on_enrol_result(&mut self, status: EnrolStatus) -> Result<(), Refusal> {
        if self.index.is_some() {
            return Err(Refusal::NotForMe);
        }
        match status {
            EnrolStatus::Accepted => self.tell(Event::EnrolAccepted),
            EnrolStatus::Member => {}
            other => {
                if matches!(other, EnrolStatus::Attestation | EnrolStatus::Measurement) {
                    // What was said is of no use again: the next challenge is answered anew. What is still being signed answers a later one.
                    if !self.is_attesting() {
                        self.stop_attesting();
                    }
                }
                self.tell(Event::EnrolRefused {
                    status: other as u8,
                });
            }
        }
        Ok(())
    }

    /// A table became complete: is this node in it?
    pub(crate) fn find_self(&mut self, now: Millis) {
        let epoch = self.tables.newest();
        let found = self
            .tables
            .find(epoch, &self.device)
            .map(|r| (r.index, r.head_number));
        match (self.role, found) {
            (Role::Member, Some((index, settled))) => {
                let news = self.index.is_none();
                self.index = Some(index);
                self.tangle.set_own(Some(index));
                if news {
                    self.stop_attesting();
                    self.tell(Event::Member { index });
                    // An old image restored, a dead flash or a cut before the last write look like a first start: nothing is
                    // issued before q neighbours said which number they know.
                    self.confirm_head(now);
                    if settled > self.own.highest() {
                        self.tell(Event::Recovering);
                    }
                }
            }
            _ => {
                if self.phase == Phase::Synchronising {
                    self.phase = Phase::Following;
                }
            }
        }
    }

    /// Stays silent until q neighbours and the last header agree on the chain head.
    fn confirm_head(&mut self, now: Millis) {
        self.phase = Phase::Recovering;
        self.heads.clear();
        if !rules::on(Rule::Recovery) {
            self.phase = Phase::Active;
        }
        self.timers.heads = now;
        self.timers.sync = now;
    }

    /// The ledger holds transactions of this device that its store does not know.
    pub(crate) fn recover(&mut self, now: Millis) {
        if !self.lost_store {
            self.lost_store = true;
            self.tell(Event::Recovering);
        }
        if self.phase == Phase::Active {
            self.confirm_head(now);
        }
    }

    /// A neighbour says which transaction of ours is the newest that it holds.
    #[inline(never)]
    pub(crate) fn on_heads(
        &mut self,
        now: Millis,
        from: Peer,
        member: MemberIndex,
        number: Number,
        id: Id,
    ) -> Result<(), Refusal> {
        if self.phase != Phase::Recovering || Some(member) != self.index {
            return Err(Refusal::NotForMe);
        }
        let before = self.heads.iter().find(|claim| claim.peer == from.0);
        let claim = HeadClaim {
            peer: from.0,
            number,
            id,
            since: before.map_or(now, |claim| claim.since),
        };
        self.heads.retain(|claim| claim.peer != from.0);
        self.heads.push(claim).map_err(|_| Refusal::Busy)?;
        self.try_recovered(now);
        Ok(())
    }

    /// Ends the recovery once q neighbours were heard and the greatest head that any of them shows is in our window or in the table.
    pub(crate) fn try_recovered(&mut self, now: Millis) {
        let (Some(index), Phase::Recovering) = (self.index, self.phase) else {
            return;
        };
        let needed = self.genesis.as_ref().map_or(1, |g| g.neighbours).max(1);
        let settled = self.tables.head(index).map_or(Number(0), |h| h.number);
        let known = settled.max(self.own.highest());
        let (tangle, patience) = (&self.tangle, self.aside_timeout.0);
        let here = |claim: &HeadClaim| claim.number <= known || tangle.contains(&claim.id);
        for claim in &mut self.heads {
            if here(claim) {
                claim.since = now;
            }
        }
        // Whoever names a head for so long without showing it is not waited for any more, and does not count: one liar does not silence
        // a device for ever.
        let counts = |claim: &&HeadClaim| now < claim.since.saturating_add(patience);
        if self.heads.iter().filter(counts).count() < usize::from(needed) {
            return;
        }
        let greatest = self.heads.iter().filter(counts).max_by_key(|c| c.number);
        let Some(claim) = greatest.copied() else {
            return;
        };
        if !here(&claim) {
            self.recover(now);
            self.wants.add(now, claim.id.prefix(), Peer(claim.peer));
            self.timers.sync = self.timers.sync.min(now);
            return;
        }
        self.phase = Phase::Active;
        self.timers.issue = now;
        self.timers.caught_up =
            now.saturating_add(self.genesis.as_ref().map_or(0, |g| g.parent_age.0));
        self.caught_up = false;
        if core::mem::take(&mut self.lost_store) {
            self.tell(Event::Recovered);
        }
    }

    /// Nothing is asked for again before an answer can have come: on a slow radio that is long.
    pub(crate) fn patience(&self, least: u64) -> u64 {
        least.max(self.request_timeout.0)
    }

    /// Enrolment, genesis, tables, headers and heads that are due to be asked for.
    pub(crate) fn ask_for_standing(&mut self, now: Millis) {
        self.timers.turn = self.timers.turn.wrapping_add(1);
        let wants_in = self.role == Role::Member && self.index.is_none();
        if wants_in
            && now >= self.timers.enrol
            && !self.is_attesting()
            && let Some(uplink) = self.peers.uplink(self.timers.turn)
        {
            self.timers.enrol = now.saturating_add(self.patience(2_000));
            self.say(uplink, Control::Enrol);
        }
        if self.genesis.is_none() {
            if now >= self.timers.genesis {
                self.timers.genesis = now.saturating_add(self.patience(500));
                if let Some(peer) = self.whom_to_ask() {
                    self.say(peer, Control::GenesisRequest);
                }
            }
            return;
        }
        if now >= self.timers.table
            && let Some((epoch, first)) = self.tables.missing()
        {
            self.timers.table = now.saturating_add(self.request_timeout.0);
            if let Some((peer, again)) = self.whom_to_ask_for_a_table() {
                let first = MemberIndex(if again { 0 } else { first });
                if again {
                    self.tables.give_up(epoch);
                }
                self.say(peer, Control::TableRequest { epoch, first });
            }
        }
        if now >= self.timers.header
            && let Some(header) = self.last_of_term().or_else(|| self.header_wanted())
        {
            self.timers.header = now.saturating_add(self.request_timeout.0.saturating_mul(2));
            if let Some(peer) = self.whom_to_ask() {
                self.say(peer, Control::HeaderRequest { header });
            }
        }
        self.ask_for_set(now);
        if self.phase == Phase::Recovering && now >= self.timers.heads {
            self.timers.heads = now.saturating_add(self.patience(1_000));
            if let Some(member) = self.index {
                let mut to: Vec<Peer, 32> = Vec::new();
                for (_, peer) in self.peers.iter() {
                    if to.push(Peer(peer.handle)).is_err() {
                        break;
                    }
                }
                for peer in to {
                    self.say(peer, Control::HeadsRequest { member });
                }
            }
        }
    }

    /// Whom to ask for records, and whether from the first one on. A table's root is checked when it is whole. So one liar among those who are asked in
    /// turn would keep a large table out for good; once a table was false, each of the next ones is of one neighbour alone.
    fn whom_to_ask_for_a_table(&mut self) -> Option<(Peer, bool)> {
        let Some(from) = self.timers.table_from else {
            // Who had the last records has the next ones, too; of the others, few have the newest table yet.
            let good = self.timers.table_good.take();
            let good = good.filter(|peer| self.peers.place(*peer).is_some());
            return Some((good.or_else(|| self.whom_to_ask())?, false));
        };
        if self.timers.table_tries < SOURCE_TRIES && self.peers.place(from).is_some() {
            self.timers.table_tries = self.timers.table_tries.saturating_add(1);
            return Some((from, false));
        }
        let next = self.whom_to_ask()?;
        self.timers.table_from = Some(next);
        self.timers.table_tries = 1;
        Some((next, true))
    }

    /// In turn an uplink and any neighbour: what is asked for proves itself, so whoever has it may answer.
    pub(crate) fn whom_to_ask(&mut self) -> Option<Peer> {
        let turn = self.timers.asked;
        self.timers.asked = turn.wrapping_add(1);
        let uplink = self.peers.uplink(turn / 2);
        if turn.is_multiple_of(2) && uplink.is_some() {
            return uplink;
        }
        let count = self.peers.iter().count();
        let step = (turn as usize / 2).checked_rem(count)?;
        self.peers.iter().nth(step).map(|(_, p)| Peer(p.handle))
    }

    /// Which header to ask for: a newer one that a neighbour has, or one of the two before the newest where its table is missing.
    fn header_wanted(&self) -> Option<HeaderNumber> {
        let newest = self.headers.newest();
        // Beacons are hints: what the neighbours claim takes turns (two each, for an uplink and a neighbour), so that a false claim costs
        // requests and keeps no true one out.
        let claims = || {
            let all = self.peers.iter().map(|(_, p)| p.header);
            all.filter(|header| *header > newest)
        };
        let turn = (self.timers.asked / 2) as usize;
        if let Some(step) = turn.checked_rem(claims().count()) {
            return claims().nth(step);
        }
        // The next epoch of settlement holds vertices of the two epochs before the newest.
        if self.tables.newest() != newest.opens() {
            return None;
        }
        let recent = [1, 2]
            .into_iter()
            .filter_map(|back| newest.checked_sub(back))
            .find(|header| !self.tables.ready(header.opens()));
        let (tables, mut epochs) = (&self.tables, self.aside.epochs());
        recent.or_else(|| {
            epochs.find_map(|epoch| {
                tables
                    .clocks
                    .wanted(epoch)
                    .filter(|_| tables.is_void(epoch))
            })
        })
    }

    /// Nothing is asked for, and nothing waits for what it stands on.
    fn is_quiet(&self) -> bool {
        self.wants.next_due().is_none() && self.aside.len() == 0
    }

    /// After a start a member first takes in what its neighbours have: what it issues without the newest trim in its cone may die with a
    /// void epoch. It waits P_max at most.
    pub(crate) fn is_caught_up(&mut self, now: Millis) -> bool {
        if !self.caught_up {
            let told = self.peers.iter().any(|(_, p)| p.clock.is_some());
            self.caught_up = (self.is_quiet() && told) || now >= self.timers.caught_up;
        }
        self.caught_up
    }

    /// Whether this node can tell others which of their transactions is the newest. The window is gone with the power, and where all lost theirs at
    /// once, q neighbours that know no more than what is settled would let a device without its store sign a number twice: so whoever has just
    /// come up is silent until SYNC from two neighbours brought nothing that it had not, or, where nobody has anything, for some time.
    pub(crate) fn vouches(&mut self, now: Millis) -> bool {
        if self.vouches {
            return true;
        }
        let (Some(genesis), Some(woke)) = (self.genesis.as_ref(), self.timers.woke) else {
            return false;
        };
        let some_time = self.request_timeout.0.saturating_mul(UNSURE);
        // Nobody can have forgotten anything of a neighbourhood that was founded just now.
        let young =
            self.offset.is_some() && self.absolute(now) <= genesis.start.saturating_add(some_time);
        let whole = !self.tangle.is_empty() && self.is_quiet() && self.timers.calm >= CALM;
        self.vouches = young || whole || now >= woke.saturating_add(some_time);
        self.vouches
    }

    #[inline(never)]
    pub(crate) fn store_meta(&mut self) {
        let mut buffer = [0u8; 64];
        let mut w = Writer::new(&mut buffer);
        let authority = CoseKey::thumbprint(&self.authority);
        let written = w
            .array(3)
            .and_then(|()| w.uint(1))
            .and_then(|()| w.id(&authority))
            .and_then(|()| w.uint(u64::from(self.outbox.next_ticket())));
        if written.is_err() || self.platform.put(keys::META, w.written()).is_err() {
            self.tell(Event::PlatformFailed);
        }
    }
}

/// The next ticket, if the store belongs to this authority.
fn read_meta<P: Platform>(platform: &mut P, authority: &Id) -> Result<u32, InitError> {
    let mut buffer = [0u8; 64];
    let Some(len) = platform
        .get(keys::META, &mut buffer)
        .map_err(|_| InitError::Platform)?
    else {
        return Ok(1);
    };
    let mut r = Reader::new(buffer.get(..len).unwrap_or(&[]));
    let read = r
        .array_of(3)
        .and_then(|()| Ok((r.uint()?, r.id()?, r.u32()?)))
        .map_err(|_| InitError::Stored)?;
    match read {
        (1, id, ticket) if id == *authority => Ok(ticket),
        _ => Err(InitError::Stored),
    }
}
