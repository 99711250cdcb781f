//! Transactions from outside: from bytes to a vertex, or to a refusal that changes nothing.
//!
//! The order of the checks is the order of their cost: form, epoch, issuer and clock cost no signature check; parents come next because the
//! signature covers their full ids; the signature last. An id counts as seen only after it.

use super::aside::Waiting;
use super::event::{Event, Peer, Refusal};
use super::gossip::REORDERED;
use super::refuse::{frame_refusal, insert_refusal, tx_refusal, wire_refusal};
use super::{Node, Phase};
use crate::crypto::{PublicKey, Verify, twice};
use crate::platform::Platform;
use crate::rules::{self, Rule};
use crate::tangle::{Effect, Facts, InsertError, Stubs, Tables as _};
use crate::tx::{APPROVAL, Attachment, Body, MemberOp, Payload, Unverified};
use crate::wire::{Frame, Reader};
use crate::{Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PARENTS, MemberIndex, Millis, Prefix};
use core::hint::black_box;
use heapless::Vec;

/// Two stored ids for one prefix, at most this often in one transaction: more is refused, not searched.
const MAX_CHOICES: usize = 2;

/// Frames that a signature which does not hold costs its sender: a check costs this node more than reading a frame.
const BROKEN_SIGNATURE: u32 = 10;

/// What a check gives that accepts: no number that a register holds by chance.
const HELD: i32 = 0x5a96_3cc3;

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

/// Prefixes that nothing here has.
type Missing = Vec<Prefix, MAX_PARENTS>;

/// Parents of a transaction as found here.
#[derive(Default)]
struct Resolved {
    choices: Vec<Vec<Id, 2>, MAX_PARENTS>,
    stubs: Stubs,
}

/// A transaction whose signature holds.
struct Proved {
    id: Id,
    time: Millis,
    /// [`HELD`], as the check gave it.
    held: i32,
    stubs: Stubs,
    /// There is more to prove: evidence, what stands beside it, the header that a trim names.
    says_more: bool,
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

    #[inline(never)]
    fn receive_frame(&mut self, now: Millis, from: Peer, bytes: &[u8]) -> Result<(), Refusal> {
        let place = self.peers.place(from).ok_or(Refusal::NotForMe)?;
        if let Some(state) = self.peers.get_mut(place)
            && !state.bucket.take(now, state.rate(), 1)
            && rules::on(Rule::Buckets)
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
                self.peers.is_no_leaf(place);
                self.on_announce(now, from, place, prefixes);
                Ok(())
            }
            Frame::Request(prefixes) => {
                self.on_request(place, prefixes);
                Ok(())
            }
            Frame::Beacon {
                now: time,
                header,
                tips,
            } => {
                self.on_beacon(now, from, place, time, header, tips);
                Ok(())
            }
            Frame::Sync { first, highest } => {
                self.peers.is_no_leaf(place);
                self.on_sync(place, first, highest);
                Ok(())
            }
            Frame::HeadsRequest { member } => {
                self.record(self.tables.newest(), member)?;
                if !self.vouches(now) {
                    return Ok(());
                }
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
            Frame::EnrolResult {
                device,
                status,
                index,
            } => match device == self.device {
                true => self.on_enrol_result(status),
                false => self.pass_result(from, device, status, index),
            },
            Frame::Enrol { .. } => self.pass_enrolment(now, from, bytes),
            Frame::Challenge { device, challenge } => {
                self.on_challenge(now, from, &device, challenge, bytes)
            }
            Frame::Header { cose, path } => self.on_header(now, cose, path),
            Frame::Votes { header, votes } => self.on_votes(now, header, votes),
            Frame::Table {
                epoch,
                first,
                records,
            } => self.on_table(now, from, epoch, first, records),
            Frame::Proof {
                header,
                id,
                leaf,
                size,
                path,
            } => {
                let passed = self.pass_proof(from, &id, bytes);
                match self.on_proof(now, header, id, leaf, size, path) {
                    Err(Refusal::NotForMe) if passed => Ok(()),
                    result => result,
                }
            }
            Frame::ProofRequest { ids } => self.pass_proof_request(now, from, ids),
            Frame::Set(set) => self.on_set(now, set),
            Frame::SetRequest { term } => self.on_set_request(from, term),
            Frame::HeaderRequest { header } => self.on_header_request(from, header),
            Frame::TableRequest { epoch, first } => self.on_table_request(from, epoch, first),
            Frame::GenesisRequest => self.on_genesis_request(from),
            Frame::Near(near) => self.on_near(now, from, place, near),
            Frame::Anchored {
                header,
                block,
                votes,
            } => self.on_anchored(now, from, (header, block), votes, bytes),
            Frame::Proposal { .. }
            | Frame::LocksRequest { .. }
            | Frame::Locks { .. }
            | Frame::AccountVote { .. } => Err(Refusal::NotForMe),
        }
    }

    /// Takes the bytes of a transaction (COSE_Sign1 and attachment). What it says is read again for each step, so that no two steps stand above each other
    /// on the stack: the checks of signatures take most of it.
    #[inline(never)]
    pub(crate) fn take_tx(
        &mut self,
        now: Millis,
        source: Source,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let mut parents = Vec::new();
        let Some(proved) = self.prove(now, source, body, &mut parents)? else {
            return Ok(());
        };
        if proved.says_more {
            self.prove_more(body)?;
        }
        self.take_proved(now, source, body, &parents, &proved)
    }

    /// Everything up to the signature, with the full ids of the parents. `None` where nothing is left to do: it is here already, or waits.
    #[inline(never)]
    fn prove(
        &mut self,
        now: Millis,
        source: Source,
        body: &[u8],
        parents: &mut Vec<Id, MAX_PARENTS>,
    ) -> Result<Option<Proved>, Refusal> {
        let (cose, attachment) = split(body)?;
        let tx = Unverified::parse(cose).map_err(tx_refusal)?;
        if let Some(attachment) = attachment {
            Attachment::check_bytes(attachment).map_err(|_| Refusal::Attachment)?;
        }
        let id = tx.id(&self.neighbourhood);
        if self.is_known(now, source, &id) {
            return Ok(None);
        }
        let payload = tx.payload();
        // Known before the rest is: what waits is kept in this order.
        let early = self.tables.clocks.start(payload.epoch);
        let early = early.map_or(Millis(u64::MAX), |start| {
            start.saturating_add(u64::from(payload.offset))
        });
        let (key, time) = match self.check_standing(now, payload) {
            Ok(found) => found,
            Err(Wait::Refuse(Refusal::EpochVoid)) => {
                self.keep_stub(id, None);
                return Err(Refusal::EpochVoid);
            }
            Err(Wait::Refuse(refusal)) => {
                if refusal == Refusal::UnknownIssuer && !rules::on(Rule::LookUp) {
                    self.check_blindly();
                }
                return Err(refusal);
            }
            Err(Wait::Aside(waiting, refusal)) => {
                self.set_aside(now, source, (id, early), (waiting, &[]), body, refusal)?;
                return Ok(None);
            }
        };
        self.read_issuer(payload.epoch, payload.issuer)?;
        let mut resolved = Resolved::default();
        if let Err(missing) = self.resolve(payload, time, attachment, &mut resolved) {
            self.wait_for_parents(now, source, (id, time), payload, &missing, body)?;
            return Ok(None);
        }
        if !self.checks_allowed(now, payload) {
            return Err(Refusal::RateLimited);
        }
        let mut refusal = Refusal::Signature;
        let held = self.verify_choices(&tx, &key, &resolved, parents, &mut refusal);
        // A copy of its own, of which the compiler knows nothing: looked at again where it is taken in (decision 0030).
        let again = black_box(held);
        if held != HELD {
            if let Source::Neighbour(_, place) = source
                && let Some(state) = self.peers.get_mut(place)
            {
                state
                    .bucket
                    .fine(now, super::peers::PEER_RATE, BROKEN_SIGNATURE);
            }
            return Err(refusal);
        }
        // Only now is it the issuer's, and only now does it cost the issuer: a forger uses up its own tokens.
        self.buckets.take(now, payload.issuer);
        let speaks = matches!(payload.body, Body::Evidence { .. } | Body::Trim { .. });
        Ok(Some(Proved {
            id,
            time,
            held: again,
            stubs: resolved.stubs,
            says_more: attachment.is_some() || speaks,
        }))
    }

    /// Whether it is in the window. Whoever sent it has it.
    #[inline(never)]
    fn is_known(&mut self, now: Millis, source: Source, id: &Id) -> bool {
        if let Source::Neighbour(_, place) = source
            && let Some(state) = self.peers.get_mut(place)
        {
            state.round_trip.answered(now, &id.prefix());
        }
        let Some(sequence) = self.tangle.sequence(id) else {
            return false;
        };
        self.wants.done(&id.prefix());
        if let Source::Neighbour(_, place) = source {
            self.known.set(sequence, place);
        }
        self.counters.duplicates = self.counters.duplicates.wrapping_add(1);
        true
    }

    /// Parents are not here.
    #[inline(never)]
    fn wait_for_parents(
        &mut self,
        now: Millis,
        source: Source,
        (id, time): (Id, Millis),
        payload: &Payload<'_>,
        missing: &Missing,
        body: &[u8],
    ) -> Result<(), Refusal> {
        // Below the cut only the first parent is followed, down to the chain head (DESIGN 5.5); the other parents come as ids beside
        // it, or it can only be stood on.
        let own = payload.parents.first();
        let first = missing.first() == Some(&own);
        // At or below the chain head there is nothing to follow: it is settled, or dead beside what is.
        let head = self.tables.head(payload.issuer);
        let below = head.is_some_and(|head| payload.number <= head.number);
        // It was here and was pushed out by count, or never will be here. Its id commits to its time, and the signature of what stands on it
        // to its id: more is not needed.
        let known = payload.number <= self.tangle.highest(payload.issuer);
        if known && self.is_crowded() && self.aside.awaits(&id.prefix()) {
            self.ghosts.add(id, time);
            self.aside.wake(&id.prefix());
            return Err(Refusal::Unexplained);
        }
        if self.keep_stub(id, Some(time)) && (below || !first) {
            return Err(Refusal::UnknownParent);
        }
        // A number that is known has no second place in an answer to SYNC: what stands on another branch of a chain has to be asked for.
        let next = self.tangle.highest(payload.issuer).0.saturating_add(1);
        let waiting = match missing.first() {
            Some(_) if first && payload.number.0 <= next => Waiting::Branch(own, payload.issuer),
            Some(_) if first => Waiting::First(own, payload.issuer),
            Some(prefix) => Waiting::Parent(*prefix),
            None => Waiting::Epoch(payload.epoch),
        };
        let refusal = Refusal::UnknownParent;
        self.set_aside(now, source, (id, time), (waiting, missing), body, refusal)
    }

    /// What stands beside a transaction, and what it says of headers.
    #[inline(never)]
    fn prove_more(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let claim = self.check_attached(body)?;
        match claim {
            Some(claim) => self.check_evidence(split(body)?.1, &claim),
            None => Ok(()),
        }
    }

    /// All of that but evidence, whose claim it gives.
    #[inline(never)]
    fn check_attached(&self, body: &[u8]) -> Result<Option<Claim>, Refusal> {
        let (cose, attachment) = split(body)?;
        let tx = Unverified::parse(cose).map_err(tx_refusal)?;
        let payload = tx.payload();
        if let Some(attachment) = attachment {
            Attachment::check_beside(attachment, payload).map_err(|_| Refusal::Attachment)?;
        }
        if let Body::Evidence { offender, a, b } = payload.body {
            return Ok(Some(Claim { offender, a, b }));
        }
        self.check_named_header(payload)?;
        Ok(None)
    }

    /// The signature holds, and what it needs is here.
    #[inline(never)]
    fn take_proved(
        &mut self,
        now: Millis,
        source: Source,
        body: &[u8],
        parents: &[Id],
        proved: &Proved,
    ) -> Result<(), Refusal> {
        // Looked at twice, as it was found twice (decision 0030).
        if proved.held != HELD {
            return Err(Refusal::Signature);
        }
        let (cose, _) = split(body)?;
        let tx = Unverified::parse(cose).map_err(tx_refusal)?;
        let payload = tx.payload();
        let facts = facts(&proved.id, payload, proved.time);
        // Evidence may have needed the record's place for another's.
        self.read_issuer(payload.epoch, payload.issuer)?;
        let oldest = self.oldest();
        let inserted = self
            .tangle
            .insert(&self.tables, &facts, parents, proved.stubs);
        let sequence = match inserted {
            Ok(inserted) => {
                self.remember(oldest);
                inserted.sequence
            }
            Err(error) => return self.on_insert_error(now, source, &facts, error, payload, body),
        };
        self.raw.put(sequence, body, &[]);
        self.after_insert(now, source, sequence, &facts, parents, body);
        self.pull_changes(now);
        Ok(())
    }

    /// A trim names the header of its predecessor. One that named an older header, and the next two at once, would make what was issued in
    /// between two epochs old: void, though it may have had its `Quorum` (decision 0015). A header to come is waited for; one that is no
    /// longer held cannot be compared.
    fn check_named_header(&self, payload: &Payload<'_>) -> Result<(), Refusal> {
        let Body::Trim {
            header, previous, ..
        } = payload.body
        else {
            return Ok(());
        };
        match self.tables.settled_trim(header) {
            Some(named) if named.trim != previous => Err(Refusal::VoidTrim),
            _ => Ok(()),
        }
    }

    /// Epoch, issuer, clock: what can be known without parents and without a signature check.
    #[inline(never)]
    fn check_standing(
        &mut self,
        now: Millis,
        payload: &Payload<'_>,
    ) -> Result<(PublicKey, Millis), Wait> {
        let newest = self.tables.newest();
        if newest == Epoch(0) || payload.epoch > newest {
            return Err(Wait::Aside(Waiting::Epoch(payload.epoch), Refusal::Busy));
        }
        // A small device that was away may have had to give up its newest table for the one that comes in.
        if !self.tables.ready(newest) {
            return Err(Wait::Aside(Waiting::Epoch(newest), Refusal::Busy));
        }
        let void = self.tables.is_void(payload.epoch);
        let Some(start) = self.tables.clock_start(payload.epoch) else {
            // The two tables before the newest may still be on their way, and so may the header that tells when an older epoch began.
            let to_come = !void || self.tables.clocks.wanted(payload.epoch).is_some();
            return Err(if to_come {
                Wait::Aside(Waiting::Epoch(payload.epoch), Refusal::Busy)
            } else {
                Wait::Refuse(Refusal::EpochVoid)
            });
        };
        let table = if void { newest } else { payload.epoch };
        let record = self.record(table, payload.issuer).map_err(Wait::Refuse)?;
        let record = record.ok_or(Wait::Refuse(Refusal::UnknownIssuer))?;
        // By the table of its epoch, so that everybody refuses the same; until a header settles the freeze what a cheat says is structure
        // on which the innocent may stand. Where that table is gone, so is the effect: whoever had it took the vertex, and everybody must be
        // able to.
        if !void {
            if record.frozen {
                return Err(Wait::Refuse(Refusal::FrozenIssuer));
            }
            if !record.may_issue() {
                return Err(Wait::Refuse(Refusal::UnknownIssuer));
            }
            if let Body::Transfer { to, .. } | Body::Lock { to, .. } = payload.body
                && !self.tables.enrolled(payload.epoch, to)
            {
                return Err(Wait::Refuse(Refusal::UnknownPayee));
            }
        }
        let time = start.saturating_add(u64::from(payload.offset));
        let ahead = self.absolute(now).saturating_add(self.tolerance.0);
        if self.offset.is_none() {
            // Without a clock nothing can be called early; it waits until the neighbours told the time.
            return Err(Wait::Aside(Waiting::Clock, Refusal::Busy));
        }
        if time > ahead {
            let until = self.local(time.saturating_sub(self.tolerance.0));
            return Err(Wait::Aside(Waiting::Until(until), Refusal::FromTheFuture));
        }
        Ok((record.key, time))
    }

    /// P_max of the neighbourhood.
    fn parent_age(&self) -> Millis {
        self.genesis.as_ref().map_or(Millis(0), |g| g.parent_age)
    }

    /// A parent that somebody stands on and that a certified cut has settled is a stub: its own parents are not asked for.
    fn keep_stub(&mut self, id: Id, time: Option<Millis>) -> bool {
        let settled = time.is_none_or(|time| time <= self.headers.cut());
        if !settled || self.headers.newest() == HeaderNumber(0) {
            return false;
        }
        // Of a void epoch the clock is gone: it was at the cut at the latest.
        let time = time.unwrap_or(self.headers.cut());
        // Shown again for what stands on it: it stays as long as what comes new, or the parents shown after it would push it out.
        if !self.stubs.move_back(|(s, _)| *s == id) {
            if self.stubs.is_full() {
                self.stubs.pop_front();
            }
            let _ = self.stubs.push_back((id, time));
        }
        self.aside.wake(&id.prefix());
        true
    }

    /// Finds the full ids behind the prefixes, or says which are missing.
    #[expect(clippy::result_large_err, reason = "no allocation to box it in")]
    #[inline(never)]
    fn resolve(
        &self,
        payload: &Payload<'_>,
        time: Millis,
        attachment: Option<&[u8]>,
        out: &mut Resolved,
    ) -> Result<(), Missing> {
        let mut missing: Vec<Prefix, MAX_PARENTS> = Vec::new();
        let crowded = self.is_crowded();
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
                && position > 0
                && let Some((id, below)) = self.stubs.iter().find(|(id, _)| id.prefix() == *prefix)
                // Its bytes were not verified (nobody has its parents any more), so it must at least be where a parent may be: what is new cannot
                // stand on something below the cut, and a cheat gains nothing by making it up.
                && time > *below
                && time <= below.saturating_add(self.parent_age().0)
            {
                let _ = found.push(*id);
                out.stubs.settled |= bit;
            }
            if found.is_empty()
                && position > 0
                && let Some((id, ghost)) = self.ghosts.find(prefix)
                && time > *ghost
                && time <= ghost.saturating_add(self.parent_age().0)
            {
                let _ = found.push(*id);
                out.stubs.aged |= bit;
            }
            if found.is_empty()
                && position > 0
                && let Some(id) =
                    attachment.and_then(|bytes| Attachment::parent_in(bytes, payload, position))
            {
                // Times fall along parents: below a settled cut everything under it is settled too. Above it a parent is asked for, unless this
                // window could not hold it anyway: nobody shall make a full node stand on what it did not see.
                if time <= self.headers.cut() {
                    let _ = found.push(id);
                    out.stubs.settled |= bit;
                } else if crowded {
                    let _ = found.push(id);
                    out.stubs.aged |= bit;
                }
            }
            if found.is_empty() {
                let _ = missing.push(*prefix);
            }
            let _ = out.choices.push(found);
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    }

    fn checks_allowed(&mut self, now: Millis, payload: &Payload<'_>) -> bool {
        self.buckets.has(now, payload.issuer) || !rules::on(Rule::Buckets)
    }

    /// What a node would spend that checks signatures before it looks who signed.
    fn check_blindly(&mut self) {
        self.counters.verified = self.counters.verified.wrapping_add(1);
        let signature = crate::crypto::Signature([1; 64]);
        let _ = self.verifier.verify(&self.authority, &[], &signature);
    }

    /// Checks the signature, twice (decision 0030), and gives the parents: [`HELD`], or anything else and why. Where a prefix means two stored ids, the signature says which one was meant.
    #[inline(never)]
    fn verify_choices(
        &mut self,
        tx: &Unverified<'_>,
        key: &PublicKey,
        resolved: &Resolved,
        parents: &mut Vec<Id, MAX_PARENTS>,
        refusal: &mut Refusal,
    ) -> i32 {
        let ambiguous = resolved.choices.iter().filter(|c| c.len() > 1).count();
        *refusal = Refusal::AmbiguousParent;
        if ambiguous > MAX_CHOICES {
            return 0;
        }
        let tries = 1u32
            .checked_shl(u32::try_from(ambiguous).unwrap_or(0))
            .unwrap_or(1);
        let neighbourhood = &self.neighbourhood;
        for turn in 0..tries {
            parents.clear();
            let mut bit = 0u32;
            for choice in &resolved.choices {
                let second = choice.len() > 1 && turn.checked_shr(bit).unwrap_or(0) & 1 == 1;
                if choice.len() > 1 {
                    bit = bit.saturating_add(1);
                }
                let Some(id) = choice.get(usize::from(second)) else {
                    *refusal = Refusal::UnknownParent;
                    return 0;
                };
                let _ = parents.push(*id);
            }
            self.counters.verified = self.counters.verified.wrapping_add(1);
            let found = twice(
                &mut self.verifier,
                &mut |verifier: &mut dyn Verify| match tx.verify(
                    neighbourhood,
                    key,
                    parents,
                    verifier,
                ) {
                    Ok(_) => 0,
                    Err(error) => {
                        if ambiguous == 0 {
                            *refusal = tx_refusal(error);
                        }
                        1
                    }
                },
            );
            let again = black_box(found);
            if found == 0 {
                // No branch makes it so: the number that says so is made of what was found.
                return HELD ^ again;
            }
        }
        0
    }

    /// Evidence has to prove what it says, every time.
    #[inline(never)]
    fn check_evidence(&mut self, attachment: Option<&[u8]>, claim: &Claim) -> Result<(), Refusal> {
        let attachment = attachment.ok_or(Refusal::FalseEvidence)?;
        let epochs = epochs_of_proof(attachment)?;
        // Each half was signed by the key of its own epoch's table; that of the newest one stands in for what is not held.
        let mut keys: Vec<PublicKey, 2> = Vec::new();
        for epoch in epochs {
            let record = match self.record(epoch, claim.offender)? {
                Some(record) => Some(record),
                None => self.record(self.tables.newest(), claim.offender)?,
            };
            let record = record.ok_or(Refusal::UnknownIssuer)?;
            let _ = keys.push(record.key);
        }
        let [one, other] = keys.as_slice() else {
            return Err(Refusal::FalseEvidence);
        };
        self.check_proof(attachment, [one, other], claim)
    }

    #[inline(never)]
    fn check_proof(
        &mut self,
        attachment: &[u8],
        keys: [&PublicKey; 2],
        claim: &Claim,
    ) -> Result<(), Refusal> {
        let attachment = Attachment::parse(attachment).map_err(|_| Refusal::Attachment)?;
        let proof = attachment.proof.as_ref().ok_or(Refusal::FalseEvidence)?;
        let offence = proof
            .verify_with(&self.neighbourhood, keys, &mut self.verifier)
            .map_err(|_| Refusal::FalseEvidence)?;
        if (offence.offender, offence.a, offence.b) == (claim.offender, claim.a, claim.b) {
            Ok(())
        } else {
            Err(Refusal::FalseEvidence)
        }
    }

    /// Keeps what waits, and asks for the parents that are missing. Of what there is no room for they are not asked for: it is told again, and
    /// to climb down from it would never end where more is missing than the pool takes.
    #[inline(never)]
    fn set_aside(
        &mut self,
        now: Millis,
        source: Source,
        (id, time): (Id, Millis),
        (waiting, missing): (Waiting, &[Prefix]),
        body: &[u8],
        refusal: Refusal,
    ) -> Result<(), Refusal> {
        let Some(peer) = source.peer() else {
            return Err(refusal);
        };
        // What waits is not verified: a copy with a broken signature must not keep the whole one out.
        let held = self.aside.holds(&id, body);
        let mut kept = true;
        if !held {
            self.wants.done(&id.prefix());
            match self.aside.put(now, peer, id, time, waiting, body) {
                Ok(None) => {}
                Ok(Some(out)) => {
                    kept = out != id;
                    self.tell(Event::SetAsideDropped { id: out });
                }
                Err(()) => return Err(Refusal::Busy),
            }
            if !missing.is_empty() {
                self.timers.sync = self.timers.sync.min(now.saturating_add(1_000));
            }
        }
        if kept && !missing.is_empty() {
            self.want_parents(now, peer, waiting, missing);
        }
        held.then_some(()).ok_or(refusal)
    }

    /// Asks for parents, but not for those that a SYNC brings: whoever climbs down from tips, parent by parent, meets what comes up from below only
    /// after everything in between was fetched for nothing.
    fn want_parents(&mut self, now: Millis, peer: Peer, waiting: Waiting, missing: &[Prefix]) {
        if self.is_behind() && !matches!(waiting, Waiting::Branch(..)) {
            let soon = now.saturating_add(self.request_timeout.0 / REORDERED);
            self.timers.gap = self.timers.gap.min(soon);
            let again = self.timers.sync_asked.saturating_add(self.patience(500));
            self.timers.sync = self.timers.sync.min(soon.max(again));
            return;
        }
        for prefix in missing {
            self.wants.add(now, *prefix, peer);
        }
    }

    /// While SYNC is relied upon: a frame of its answer may be lost, and the rest stands on that. And it brings no second branch of a chain, whose numbers are
    /// known: one gap after the other is asked for until nothing waits that nobody was asked for.
    fn close_gap(&mut self, now: Millis) {
        if now < self.timers.gap {
            return;
        }
        let wants = &self.wants;
        let gap = self.aside.first_gap(|prefix| wants.contains(prefix));
        self.timers.gap = match gap {
            Some((prefix, peer)) => {
                self.wants.add(now, prefix, peer);
                now.saturating_add(self.request_timeout.0 / REORDERED)
            }
            None => Millis(u64::MAX),
        };
    }

    #[inline(never)]
    fn on_insert_error(
        &mut self,
        now: Millis,
        source: Source,
        facts: &Facts,
        error: InsertError,
        payload: &Payload<'_>,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let refusal = insert_refusal(error);
        match error {
            InsertError::EpochUnknown => {
                // Of the epochs that it needs, the one that is still to come.
                let named = match payload.body {
                    Body::Trim { header, .. } => header.opens().max(payload.epoch),
                    _ => payload.epoch,
                };
                let waits = (facts.id, facts.time);
                let waiting = (Waiting::Epoch(named), &[][..]);
                self.set_aside(now, source, waits, waiting, body, refusal)
            }
            InsertError::Unexplained => {
                // Settled or dead where a certified cut is above it: it has no place of its own any more, but others stand on it.
                let kept = self.keep_stub(facts.id, Some(facts.time));
                // Or it was pushed out by count: its signature was checked again just now.
                if !kept && self.is_crowded() {
                    self.ghosts.add(facts.id, facts.time);
                    self.aside.wake(&facts.id.prefix());
                }
                Err(refusal)
            }
            _ => Err(refusal),
        }
    }

    /// Tries again what waited for something that is here now.
    #[inline(never)]
    pub(crate) fn retry_aside(&mut self, now: Millis) {
        let mut buffer = [0u8; MAX_FRAME];
        // Bounded: each turn takes one out of the pool, and what goes back waits for something else.
        for _ in 0..self.limits.aside {
            let (tables, clock) = (&self.tables, self.offset.is_some());
            let platform = &mut self.platform;
            let (tangle, stubs, ghosts) = (&self.tangle, &self.stubs, &self.ghosts);
            let taken = self.aside.take(&mut buffer, |waiting| match waiting {
                Waiting::Parent(prefix) => {
                    tangle.lookup(prefix).next().is_some()
                        || stubs.iter().any(|(s, _)| s.prefix() == *prefix)
                        || ghosts.find(prefix).is_some()
                }
                Waiting::First(prefix, member) | Waiting::Branch(prefix, member) => {
                    let own = tangle.head(tables, *member).map(|head| head.id);
                    let is = |id: Option<Id>| id.is_some_and(|id| id.prefix() == *prefix);
                    let mut settled = || {
                        let record = tables.read(platform, tables.newest(), *member);
                        record.ok().flatten().map(|record| record.head_id)
                    };
                    tangle.lookup(prefix).next().is_some() || is(own) || is(settled())
                }
                // Here, or over before it came: then only its clock is waited for.
                Waiting::Epoch(epoch) if tables.is_void(*epoch) => {
                    tables.clocks.wanted(*epoch).is_none()
                }
                Waiting::Epoch(epoch) => tables.ready(*epoch),
                Waiting::Clock => clock,
                Waiting::Until(at) => *at <= now,
            });
            let Some((peer, len)) = taken else {
                return;
            };
            let body = buffer.get(..len).unwrap_or(&[]);
            let result = self.take_tx(now, Source::Aside(peer), body);
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

    /// What happens by time alone: the first half of [`Node::next_frame`].
    pub fn tick(&mut self, now: Millis) {
        while let Some(id) = self.aside.expire(now.saturating_sub(self.aside_timeout.0)) {
            self.tell(Event::SetAsideDropped { id });
        }
        if self.aside.ready(now) {
            self.retry_aside(now);
        }
        self.close_gap(now);
        self.ask_for_standing(now);
        self.ask_for_sync(now);
        self.ask_for_proofs(now);
        self.look_around(now);
        self.weigh_words(now);
        self.issue_what_is_due(now);
        self.run_election(now);
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

    /// The body of a data or service transaction, or what was said of a channel, while the window has its bytes.
    #[must_use]
    pub fn body(&self, id: &Id) -> Option<&[u8]> {
        body_of(self.raw(id)?).map(|(body, _)| body)
    }
}

/// What evidence says: who offended, and by which two transactions.
struct Claim {
    offender: MemberIndex,
    a: Id,
    b: Id,
}

/// The epochs of the two transactions of a proof, in its order.
#[inline(never)]
fn epochs_of_proof(attachment: &[u8]) -> Result<[Epoch; 2], Refusal> {
    let attachment = Attachment::parse(attachment).map_err(|_| Refusal::Attachment)?;
    let proof = attachment.proof.as_ref().ok_or(Refusal::FalseEvidence)?;
    Ok(proof.payloads().map(|half| half.epoch))
}

enum Wait {
    Refuse(Refusal),
    Aside(Waiting, Refusal),
}

/// What a transaction says to applications.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// Data, or a service.
    Data { service: bool },
    /// An operation of a channel, by its number.
    Channel(u8),
    /// Value set aside.
    Lock,
    /// What releases this lock.
    Claim(Id),
}

/// Body bytes and what they are.
pub(crate) fn body_of(raw: &[u8]) -> Option<(&[u8], Said)> {
    let (cose, _) = split(raw).ok()?;
    let tx = Unverified::parse(cose).ok()?;
    match tx.payload().body {
        Body::Data(body) => Some((body, Said::Data { service: false })),
        Body::Service(body) => Some((body, Said::Data { service: true })),
        Body::Channel(op) => Some((tx.body_bytes(), Said::Channel(op.code()))),
        Body::Lock { .. } => Some((tx.body_bytes(), Said::Lock)),
        Body::Claim { lock, .. } => Some((tx.body_bytes(), Said::Claim(lock))),
        _ => None,
    }
}

/// Whether a transaction says nothing but what it approves.
pub(crate) fn is_approval(body: &Body<'_>) -> bool {
    matches!(body, Body::Data(body) if *body == APPROVAL)
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
            Body::Data(_) | Body::Service(_) | Body::Channel(_) => Effect::None,
            Body::Transfer { to, amount, debits } => Effect::Transfer { to, amount, debits },
            Body::Lock {
                to, amount, debits, ..
            } => Effect::Lock { to, amount, debits },
            Body::Claim { .. } => Effect::Claim,
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
