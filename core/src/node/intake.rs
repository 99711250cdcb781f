//! Transactions from outside: from bytes to a vertex, or to a refusal that changes nothing.
//!
//! The order of the checks is the order of their cost: form, epoch, issuer and clock cost no signature check; parents come next because the
//! signature covers their full ids; the signature last. An id counts as seen only after it.

use super::aside::Waiting;
use super::event::{Event, Grade, Peer, Refusal, Ticket};
use super::own::{Followed, Stored};
use super::{Evidence, MEMBER_RATE, Node, Phase};
use crate::crypto::{PublicKey, SignatureError, Verify};
use crate::platform::Platform;
use crate::tangle::{Change, Effect, Facts, InsertError, Standing, Stubs, Tables as _, TrackError};
use crate::tx::{Attachment, Body, MemberOp, Payload, TxError, Unverified};
use crate::wire::frame::{Frame, FrameError};
use crate::wire::{Reader, WireError};
use crate::{Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PARENTS, Millis, Prefix};
use heapless::Vec;

/// Two stored ids for one prefix, at most this often in one transaction: more is refused, not searched.
const MAX_CHOICES: usize = 2;

/// Where a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Neighbour(Peer, usize),
    /// From the set-aside pool; the neighbour may be gone.
    Aside(Peer),
    /// From this node's own store.
    Store,
}

impl Source {
    fn peer(self) -> Option<Peer> {
        match self {
            Self::Neighbour(peer, _) | Self::Aside(peer) => Some(peer),
            Self::Store => None,
        }
    }
}

/// Parents of a transaction as found here.
struct Resolved {
    choices: Vec<Vec<Id, 2>, MAX_PARENTS>,
    stubs: Stubs,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Takes one frame from a neighbour.
    ///
    /// # Errors
    /// The [`Refusal`], counted too. Nothing changed, except that a transaction whose parents are unknown may be set aside.
    pub fn receive(&mut self, now: Millis, from: Peer, frame: &[u8]) -> Result<(), Refusal> {
        self.counters.frames_in = self.counters.frames_in.wrapping_add(1);
        self.counters.bytes_in = self.counters.bytes_in.wrapping_add(frame.len() as u64);
        let result = self.receive_frame(now, from, frame);
        if let Err(refusal) = result {
            self.counters.count(refusal);
        }
        self.tick(now);
        result
    }

    fn receive_frame(&mut self, now: Millis, from: Peer, bytes: &[u8]) -> Result<(), Refusal> {
        let place = self.peers.place(from).ok_or(Refusal::NotForMe)?;
        if let Some(state) = self.peers.get_mut(place)
            && !state.bucket.take(now, super::peers::PEER_RATE, 1)
        {
            return Err(Refusal::RateLimited);
        }
        let (tag, frame) = Frame::parse(bytes).map_err(frame_refusal)?;
        let unbound = tag == [0; 4] && frame.frame_type().may_be_unbound();
        if !unbound && (self.genesis.is_none() || tag != self.neighbourhood.tag()) {
            return Err(Refusal::Neighbourhood);
        }
        if let Some(state) = self.peers.get_mut(place) {
            state.heard = now;
            state.ever_heard = true;
        }
        self.timers.heard = now;
        self.timers.silent = false;
        match frame {
            Frame::Tx { .. } => {
                let body = bytes.get(5..).ok_or(Refusal::Malformed)?;
                self.take_tx(now, Source::Neighbour(from, place), body)
            }
            Frame::Announce(prefixes) => {
                self.on_announce(now, from, place, prefixes);
                Ok(())
            }
            Frame::Request(prefixes) => {
                self.on_request(place, prefixes);
                Ok(())
            }
            Frame::Beacon { header, tips, .. } => {
                self.on_beacon(now, from, place, header, tips);
                Ok(())
            }
            Frame::Sync { first, highest } => {
                self.on_sync(place, first, highest);
                Ok(())
            }
            Frame::HeadsRequest { member } => {
                let head = self
                    .tangle
                    .head(&self.tables, member)
                    .ok_or(Refusal::UnknownIssuer)?;
                self.say(
                    from,
                    super::Control::Heads {
                        member,
                        number: head.number,
                        id: head.id,
                    },
                );
                Ok(())
            }
            Frame::Heads { member, number, id } => self.on_heads(now, from, member, number, id),
            Frame::Genesis { cose, set } => self.on_genesis(cose, set),
            Frame::EnrolResult { device, status, .. } => self.on_enrol_result(device, status),
            Frame::Header { cose, path } => self.on_header(now, cose, path),
            Frame::Votes { header, votes } => self.on_votes(now, header, votes),
            Frame::Table {
                epoch,
                first,
                records,
            } => self.on_table(now, epoch, first, records),
            Frame::Proof {
                header,
                id,
                leaf,
                size,
                path,
            } => self.on_proof(now, header, id, leaf, size, path),
            Frame::Set(set) => self.on_set(set),
            Frame::HeaderRequest { .. }
            | Frame::ProofRequest { .. }
            | Frame::TableRequest { .. }
            | Frame::Enrol { .. }
            | Frame::GenesisRequest
            | Frame::Proposal { .. }
            | Frame::SetRequest { .. } => Err(Refusal::NotForMe),
        }
    }

    /// Takes the bytes of a transaction (COSE_Sign1 and attachment).
    pub(crate) fn take_tx(
        &mut self,
        now: Millis,
        source: Source,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let (cose, attachment) = split(body)?;
        let tx = Unverified::parse(cose).map_err(tx_refusal)?;
        let attachment = attachment
            .map(Attachment::parse)
            .transpose()
            .map_err(|_| Refusal::Attachment)?;
        let id = tx.id(&self.neighbourhood);
        self.wants.done(&id.prefix());
        if let Some(sequence) = self.tangle.sequence(&id) {
            if let Source::Neighbour(_, place) = source {
                self.known.set(sequence, place);
            }
            self.counters.duplicates = self.counters.duplicates.wrapping_add(1);
            return Ok(());
        }
        let payload = tx.payload();
        let (key, time) = match self.check_standing(now, payload) {
            Ok(found) => found,
            Err(Wait::Refuse(Refusal::EpochVoid)) => {
                self.keep_stub(id, None);
                return Err(Refusal::EpochVoid);
            }
            Err(Wait::Refuse(refusal)) => return Err(refusal),
            Err(Wait::Aside(waiting, refusal)) => {
                return self.set_aside(now, source, id, waiting, body, refusal);
            }
        };
        let resolved = match self.resolve(payload, attachment.as_ref()) {
            Ok(resolved) => resolved,
            Err(missing) => {
                if self.keep_stub(id, Some(time)) {
                    return Err(Refusal::UnknownParent);
                }
                let waiting = missing
                    .first()
                    .copied()
                    .map_or(Waiting::Epoch, Waiting::Parent);
                if let Some(peer) = source.peer() {
                    for prefix in &missing {
                        self.wants.add(now, *prefix, peer);
                    }
                }
                return self.set_aside(now, source, id, waiting, body, Refusal::UnknownParent);
            }
        };
        if !self.checks_allowed(now, payload) {
            return Err(Refusal::RateLimited);
        }
        let parents = self.verify_choices(&tx, &key, &resolved)?;
        self.check_evidence(payload, attachment.as_ref())?;
        let facts = facts(&id, payload, time);
        let inserted = self
            .tangle
            .insert(&self.tables, &facts, &parents, resolved.stubs);
        let sequence = match inserted {
            Ok(inserted) => inserted.sequence,
            Err(error) => return self.on_insert_error(now, source, id, error, body),
        };
        self.raw.put(sequence, body, &[]);
        self.after_insert(now, source, sequence, &facts, &parents, body);
        self.pull_changes(now);
        Ok(())
    }

    /// Epoch, issuer, clock: what can be known without parents and without a signature check.
    fn check_standing(
        &self,
        now: Millis,
        payload: &Payload<'_>,
    ) -> Result<(PublicKey, Millis), Wait> {
        let newest = self.tables.newest();
        if newest == Epoch(0) || payload.epoch > newest {
            return Err(Wait::Aside(Waiting::Epoch, Refusal::Busy));
        }
        let Some(start) = self.tables.clock_start(payload.epoch) else {
            // The table before the newest may still be on its way.
            let soon = payload.epoch.saturating_add(1) == newest;
            return Err(if soon {
                Wait::Aside(Waiting::Epoch, Refusal::Busy)
            } else {
                Wait::Refuse(Refusal::EpochVoid)
            });
        };
        let record = self
            .tables
            .get(payload.epoch, payload.issuer)
            .ok_or(Wait::Refuse(Refusal::UnknownIssuer))?;
        if let Body::Transfer { to, .. } = payload.body
            && self.tables.get(payload.epoch, to).is_none()
        {
            return Err(Wait::Refuse(Refusal::UnknownPayee));
        }
        // What a frozen member issued before is still needed where the innocent stand on it; asking for it shows that.
        let time = start.saturating_add(u64::from(payload.offset));
        let ahead = self.absolute(now).saturating_add(self.tolerance.0);
        if time > ahead {
            let until = self.local(time.saturating_sub(self.tolerance.0));
            return Err(Wait::Aside(Waiting::Until(until), Refusal::FromTheFuture));
        }
        Ok((record.key, time))
    }

    /// A parent that somebody stands on and that a certified cut has settled is a stub: its own parents are not asked for.
    fn keep_stub(&mut self, id: Id, time: Option<Millis>) -> bool {
        let settled = time.is_none_or(|time| time <= self.headers.cut());
        if !settled || self.headers.newest() == HeaderNumber(0) {
            return false;
        }
        if !self.stubs.iter().any(|s| *s == id) {
            if self.stubs.is_full() {
                self.stubs.pop_front();
            }
            let _ = self.stubs.push_back(id);
        }
        self.aside.wake(&id.prefix());
        true
    }

    /// Finds the full ids behind the prefixes, or says which are missing.
    fn resolve(
        &self,
        payload: &Payload<'_>,
        attachment: Option<&Attachment<'_>>,
    ) -> Result<Resolved, Vec<Prefix, MAX_PARENTS>> {
        let mut choices: Vec<Vec<Id, 2>, MAX_PARENTS> = Vec::new();
        let mut missing: Vec<Prefix, MAX_PARENTS> = Vec::new();
        let mut stubs = Stubs::default();
        for (position, prefix) in payload.parents.as_slice().iter().enumerate() {
            let mut found: Vec<Id, 2> = Vec::new();
            for id in self.tangle.lookup(prefix) {
                if found.push(id).is_err() {
                    break;
                }
            }
            let bit = u32::try_from(position)
                .ok()
                .and_then(|p| 1u8.checked_shl(p))
                .unwrap_or(0);
            if found.is_empty() && position == 0 {
                let settled = self.tables.head(payload.issuer);
                let newest = self.tangle.head(&self.tables, payload.issuer);
                for head in [settled, newest].into_iter().flatten() {
                    if head.id.prefix() == *prefix && !found.contains(&head.id) {
                        let _ = found.push(head.id);
                    }
                }
            }
            if found.is_empty()
                && let Some(id) = self.stubs.iter().find(|id| id.prefix() == *prefix)
            {
                let _ = found.push(*id);
                stubs.settled |= bit;
            }
            if found.is_empty()
                && let Some(id) = attachment.and_then(|a| a.parent(payload, position))
            {
                let _ = found.push(id);
                stubs.aged |= bit;
            }
            if found.is_empty() {
                let _ = missing.push(*prefix);
            }
            let _ = choices.push(found);
        }
        if missing.is_empty() {
            Ok(Resolved { choices, stubs })
        } else {
            Err(missing)
        }
    }

    fn checks_allowed(&mut self, now: Millis, payload: &Payload<'_>) -> bool {
        match self.buckets.get_mut(usize::from(payload.issuer.0)) {
            Some(bucket) => bucket.take(now, MEMBER_RATE, 1),
            None => true,
        }
    }

    /// Checks the signature. Where a prefix means two stored ids, the signature says which one was meant.
    fn verify_choices(
        &mut self,
        tx: &Unverified<'_>,
        key: &PublicKey,
        resolved: &Resolved,
    ) -> Result<Vec<Id, MAX_PARENTS>, Refusal> {
        let ambiguous = resolved.choices.iter().filter(|c| c.len() > 1).count();
        if ambiguous > MAX_CHOICES {
            return Err(Refusal::AmbiguousParent);
        }
        let tries = 1u32
            .checked_shl(u32::try_from(ambiguous).unwrap_or(0))
            .unwrap_or(1);
        let mut last = Refusal::Signature;
        for turn in 0..tries {
            let mut bit = 0u32;
            let mut parents: Vec<Id, MAX_PARENTS> = Vec::new();
            for choice in &resolved.choices {
                let second = choice.len() > 1 && turn.checked_shr(bit).unwrap_or(0) & 1 == 1;
                if choice.len() > 1 {
                    bit = bit.saturating_add(1);
                }
                let id = choice.get(usize::from(second)).copied();
                let _ = parents.push(id.ok_or(Refusal::UnknownParent)?);
            }
            self.counters.verified = self.counters.verified.wrapping_add(1);
            match tx.verify(&self.neighbourhood, key, &parents, &mut self.verifier) {
                Ok(_) => return Ok(parents),
                Err(error) => last = tx_refusal(error),
            }
        }
        Err(if ambiguous > 0 {
            Refusal::AmbiguousParent
        } else {
            last
        })
    }

    /// Evidence has to prove what it says, every time.
    fn check_evidence(
        &mut self,
        payload: &Payload<'_>,
        attachment: Option<&Attachment<'_>>,
    ) -> Result<(), Refusal> {
        if let Some(attachment) = attachment {
            attachment.check(payload).map_err(|_| Refusal::Attachment)?;
        }
        let Body::Evidence { offender, a, b } = payload.body else {
            return Ok(());
        };
        let proof = attachment
            .and_then(|a| a.proof)
            .ok_or(Refusal::FalseEvidence)?;
        // Each half was signed by the key of its own epoch's table; that of the newest one stands in for what is not held.
        let mut keys: Vec<PublicKey, 2> = Vec::new();
        for half in proof.payloads() {
            let record = self
                .tables
                .get(half.epoch, offender)
                .or_else(|| self.tables.latest(offender))
                .ok_or(Refusal::UnknownIssuer)?;
            let _ = keys.push(record.key);
        }
        let [one, other] = keys.as_slice() else {
            return Err(Refusal::FalseEvidence);
        };
        let offence = proof
            .verify_with(&self.neighbourhood, [one, other], &mut self.verifier)
            .map_err(|_| Refusal::FalseEvidence)?;
        if (offence.offender, offence.a, offence.b) == (offender, a, b) {
            Ok(())
        } else {
            Err(Refusal::FalseEvidence)
        }
    }

    fn set_aside(
        &mut self,
        now: Millis,
        source: Source,
        id: Id,
        waiting: Waiting,
        body: &[u8],
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let Some(peer) = source.peer() else {
            return Err(refusal);
        };
        if self.aside.holds(&id) {
            return Ok(());
        }
        match self.aside.put(now, peer, id, waiting, body) {
            Ok(None) => {}
            Ok(Some(out)) => self.tell(Event::SetAsideDropped { id: out }),
            Err(()) => return Err(Refusal::Busy),
        }
        self.timers.sync = self.timers.sync.min(now.saturating_add(1_000));
        Err(refusal)
    }

    fn on_insert_error(
        &mut self,
        now: Millis,
        source: Source,
        id: Id,
        error: InsertError,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let refusal = insert_refusal(error);
        match error {
            InsertError::EpochUnknown => {
                self.set_aside(now, source, id, Waiting::Epoch, body, refusal)
            }
            _ => Err(refusal),
        }
    }

    /// What a new vertex means for this node and its application.
    pub(crate) fn after_insert(
        &mut self,
        now: Millis,
        source: Source,
        sequence: u32,
        facts: &Facts,
        parents: &[Id],
        body: &[u8],
    ) {
        self.counters.inserted = self.counters.inserted.wrapping_add(1);
        self.known.clear(sequence);
        match source {
            Source::Neighbour(_, place) => self.known.set(sequence, place),
            Source::Aside(peer) => {
                if let Some(place) = self.peers.place(peer) {
                    self.known.set(sequence, place);
                }
            }
            Source::Store => {}
        }
        self.aside.wake(&facts.id.prefix());
        let mine = Some(facts.issuer) == self.index;
        if mine && facts.number > self.own.highest() && source != Source::Store {
            // Signed with our key, and we do not know it: the store is older than the ledger.
            self.recover(now);
            return;
        }
        match facts.effect {
            Effect::Transfer { to, amount, .. } if Some(to) == self.index && !mine => {
                self.on_payment(facts, parents, amount, body);
            }
            Effect::None if !mine => {
                let service = self
                    .raw
                    .get(sequence)
                    .and_then(body_of)
                    .is_some_and(|(_, service)| service);
                self.tell(Event::Data {
                    id: facts.id,
                    issuer: facts.issuer,
                    service,
                });
            }
            _ => {}
        }
        if mine && self.own.get(&facts.id).is_some() {
            self.track(&facts.id);
        }
    }

    fn on_payment(&mut self, facts: &Facts, parents: &[Id], amount: Amount, body: &[u8]) {
        let caps = self
            .index
            .and_then(|i| self.tables.latest(i))
            .map(|r| r.caps)
            .unwrap_or_default();
        let (one, all) = self.own.claims(facts.issuer);
        let over_cap = amount > caps.tx
            || one.saturating_add(amount.0) > caps.peer
            || all.saturating_add(amount.0) > caps.exposure;
        let followed = Followed {
            used: true,
            own: false,
            id: facts.id,
            number: facts.number,
            ticket: Ticket(0),
            time: facts.time,
            amount,
            peer: Some(facts.issuer),
            grade: Grade::Seen,
            header: HeaderNumber(0),
            proof_due: Millis(0),
            proof_tries: 0,
        };
        if self.own.get(&facts.id).is_none() {
            let stored = Stored {
                followed,
                parents: Vec::from_slice(parents).unwrap_or_default(),
                body,
            };
            if self
                .own
                .store(&self.limits, &mut self.platform, &stored)
                .is_err()
            {
                self.tell(Event::PlatformFailed);
            }
            self.own.follow(followed);
        }
        self.track(&facts.id);
        self.tell(Event::Received {
            id: facts.id,
            from: facts.issuer,
            amount,
            over_cap,
        });
    }

    /// Follows the finality of a transaction; what has its Quorum makes room.
    pub(crate) fn track(&mut self, id: &Id) {
        if self.tangle.track(&self.tables, id) != Err(TrackError::Full) {
            return;
        }
        let done = self
            .own
            .iter()
            .filter(|f| f.grade != Grade::Seen && f.grade != Grade::Witnessed)
            .filter(|f| self.tangle.standing(&f.id).is_some())
            .min_by_key(|f| f.time)
            .or_else(|| {
                self.own
                    .iter()
                    .filter(|f| self.tangle.standing(&f.id).is_some())
                    .min_by_key(|f| f.time)
            })
            .map(|f| f.id);
        if let Some(done) = done {
            self.tangle.untrack(&done);
            let _ = self.tangle.track(&self.tables, id);
        }
    }

    pub(crate) fn raise(&mut self, now: Millis, id: &Id, grade: Grade) {
        let at = self.absolute(now);
        let Some(followed) = self.own.get_mut(id) else {
            return;
        };
        let rises = match (followed.grade, grade) {
            (Grade::Dead, _) => false,
            (from, Grade::Dead) => matches!(from, Grade::Seen | Grade::Witnessed),
            (from, to) => to > from,
        };
        if rises {
            followed.grade = grade;
            self.tell(Event::Graded { id: *id, grade, at });
        }
    }

    /// Acts on everything that the tangle found.
    pub(crate) fn pull_changes(&mut self, now: Millis) {
        while let Some(change) = self.tangle.next_change() {
            match change {
                Change::Witnessed(id) => self.raise(now, &id, Grade::Witnessed),
                Change::Quorum(id) => {
                    self.raise(now, &id, Grade::Quorum);
                    if self.own.get(&id).is_some() {
                        self.tangle.untrack(&id);
                    }
                }
                Change::TrimCertified { id, cut } => self.tell(Event::TrimCertified { id, cut }),
                Change::Equivocation { offender, a, b } | Change::RivalTrims { offender, a, b } => {
                    self.on_equivocation(now, offender, a, b);
                }
                Change::Frozen(member) => self.tell(Event::Frozen { member }),
                Change::Evicted(_) | Change::Untracked(_) => {}
            }
        }
    }

    fn on_equivocation(&mut self, now: Millis, offender: crate::MemberIndex, a: Id, b: Id) {
        self.tell(Event::Equivocation { offender, a, b });
        if Some(offender) == self.index {
            self.recover(now);
            return;
        }
        let known =
            self.tangle.frozen(offender) || self.evidence.iter().any(|e| e.offender == offender);
        if known || self.phase != Phase::Active {
            return;
        }
        // Everybody sees it at about the same time; a random wait lets one speak for all.
        let mut random = [0u8; 2];
        let wait = match self.platform.random(&mut random) {
            Ok(()) => u64::from(u16::from_le_bytes(random)) % 500,
            Err(_) => 250,
        };
        let due = now.saturating_add(wait);
        self.timers.issue = self.timers.issue.min(due);
        let _ = self.evidence.push_back(Evidence {
            offender,
            a,
            b,
            due,
        });
    }

    /// Tries again what waited for something that is here now.
    pub(crate) fn retry_aside(&mut self, now: Millis) {
        let mut buffer = [0u8; MAX_FRAME];
        // Bounded: each turn takes one out of the pool, and what goes back waits for something else.
        for _ in 0..self.limits.aside {
            let newest = self.tables.newest();
            let (tangle, stubs) = (&self.tangle, &self.stubs);
            let taken = self.aside.take(&mut buffer, |waiting| match waiting {
                Waiting::Parent(prefix) => {
                    tangle.lookup(prefix).next().is_some()
                        || stubs.iter().any(|s| s.prefix() == *prefix)
                }
                Waiting::Epoch => newest > Epoch(0),
                Waiting::Until(at) => *at <= now,
            });
            let Some((peer, len)) = taken else {
                return;
            };
            let mut body = [0u8; MAX_FRAME];
            let Some((place, bytes)) = body.get_mut(..len).zip(buffer.get(..len)) else {
                return;
            };
            place.copy_from_slice(bytes);
            let result = self.take_tx(now, Source::Aside(peer), place);
            if let Err(refusal) = result
                && !matches!(
                    refusal,
                    Refusal::UnknownParent | Refusal::Busy | Refusal::FromTheFuture
                )
            {
                self.counters.count(refusal);
            }
        }
    }

    /// What happens by time alone.
    pub(crate) fn tick(&mut self, now: Millis) {
        while let Some(id) = self.aside.expire(now.saturating_sub(self.aside_timeout.0)) {
            self.tell(Event::SetAsideDropped { id });
        }
        if self.aside.ready(now) {
            self.retry_aside(now);
        }
        self.ask_for_standing(now);
        self.ask_for_sync(now);
        self.ask_for_proofs(now);
        self.issue_what_is_due(now);
        let limit = self
            .genesis
            .as_ref()
            .map_or(Millis(u64::MAX), |g| g.parent_age);
        if !self.timers.silent
            && self.phase == Phase::Active
            && now > self.timers.heard.saturating_add(limit.0)
        {
            self.timers.silent = true;
            self.tell(Event::Silence);
        }
        self.pull_changes(now);
    }

    /// The body of a data or service transaction, while the window has its bytes.
    #[must_use]
    pub fn body(&self, id: &Id) -> Option<&[u8]> {
        body_of(self.raw(id)?).map(|(body, _)| body)
    }

    /// What was told, after a vertex was raised by its receipt.
    pub(crate) fn settle_grade(&mut self, now: Millis, id: &Id) {
        self.raise(now, id, Grade::Settled);
        self.tangle.raise(id, Standing::Quorum);
        self.tangle.untrack(id);
    }
}

enum Wait {
    Refuse(Refusal),
    Aside(Waiting, Refusal),
}

/// Body bytes and whether it is a service.
fn body_of(raw: &[u8]) -> Option<(&[u8], bool)> {
    let (cose, _) = split(raw).ok()?;
    let tx = Unverified::parse(cose).ok()?;
    match tx.payload().body {
        Body::Data(body) => Some((body, false)),
        Body::Service(body) => Some((body, true)),
        _ => None,
    }
}

/// COSE_Sign1 and attachment of a TX frame's body.
pub(crate) fn split(body: &[u8]) -> Result<(&[u8], Option<&[u8]>), Refusal> {
    let mut r = Reader::new(body);
    let cose = r.item().map_err(wire_refusal)?;
    if r.is_at_end() {
        return Ok((cose, None));
    }
    let attachment = r.item().map_err(wire_refusal)?;
    r.finish().map_err(wire_refusal)?;
    Ok((cose, Some(attachment)))
}

/// What the tangle is told of a transaction.
pub(crate) fn facts(id: &Id, payload: &Payload<'_>, time: Millis) -> Facts {
    Facts {
        id: *id,
        issuer: payload.issuer,
        number: payload.number,
        epoch: payload.epoch,
        time,
        effect: match payload.body {
            Body::Data(_) | Body::Service(_) => Effect::None,
            Body::Transfer { to, amount, debits } => Effect::Transfer { to, amount, debits },
            Body::Exit { amount, debits, .. } => Effect::Exit { amount, debits },
            Body::Trim {
                cut,
                previous,
                header,
                ..
            } => Effect::Trim {
                cut,
                previous,
                header,
            },
            Body::Evidence { offender, .. } => Effect::Evidence { offender },
            Body::Member(MemberOp::Join { .. } | MemberOp::Revoke { .. }) => Effect::Join,
            Body::Member(_) => Effect::Member,
        },
    }
}

pub(crate) fn wire_refusal(error: WireError) -> Refusal {
    match error {
        WireError::NotDeterministic => Refusal::NotDeterministic,
        WireError::Type => Refusal::WrongType,
        _ => Refusal::Malformed,
    }
}

fn frame_refusal(error: FrameError) -> Refusal {
    match error {
        FrameError::Wire(error) => wire_refusal(error),
        FrameError::UnknownType => Refusal::NotForMe,
        FrameError::Unbound => Refusal::Neighbourhood,
        _ => Refusal::Malformed,
    }
}

pub(crate) fn tx_refusal(error: TxError) -> Refusal {
    match error {
        TxError::Wire(error) => wire_refusal(error),
        TxError::Version => Refusal::Version,
        TxError::UnsupportedKind => Refusal::UnsupportedKind,
        TxError::ParentsUnsorted => Refusal::ParentsUnsorted,
        TxError::ParentsDoubled | TxError::SelfParent => Refusal::ParentsDoubled,
        TxError::AmountZero => Refusal::AmountZero,
        TxError::DebitsBelowAmount => Refusal::FalseDebits,
        TxError::BodyEmpty | TxError::BodyTooLong => Refusal::BodyLength,
        TxError::MemberOp => Refusal::MemberOperation,
        TxError::EvidenceIds => Refusal::FalseEvidence,
        TxError::Suite | TxError::Signature(SignatureError::Suite) => Refusal::Suite,
        TxError::Signature(_) => Refusal::Signature,
        _ => Refusal::Malformed,
    }
}

pub(crate) fn insert_refusal(error: InsertError) -> Refusal {
    match error {
        InsertError::Duplicate => Refusal::Duplicate,
        InsertError::ParentCount => Refusal::Malformed,
        InsertError::ParentsDoubled => Refusal::ParentsDoubled,
        InsertError::UnknownParents(_) => Refusal::UnknownParent,
        InsertError::ParentOffChain => Refusal::ParentOffChain,
        InsertError::NumberGap => Refusal::NumberGap,
        InsertError::Unexplained => Refusal::Unexplained,
        InsertError::TimeNotAboveParent(_) => Refusal::TimeNotAboveParent,
        InsertError::ParentTooOld(_) => Refusal::ParentTooOld,
        InsertError::EpochMismatch => Refusal::EpochMismatch,
        InsertError::EpochVoid => Refusal::EpochVoid,
        InsertError::EpochUnknown | InsertError::Busy => Refusal::Busy,
        InsertError::UnknownIssuer => Refusal::UnknownIssuer,
        InsertError::FalseDebits => Refusal::FalseDebits,
        InsertError::InsufficientCredits => Refusal::InsufficientCredits,
        InsertError::Overflow => Refusal::Overflow,
        InsertError::NotGlNode => Refusal::NotGlNode,
        InsertError::VoidTrim(_) => Refusal::VoidTrim,
    }
}
