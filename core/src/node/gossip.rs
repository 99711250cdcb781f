//! What leaves the node: answers, requests, pushes of own transactions, announcements, beacons.
//!
//! A transaction crosses a link once: its issuer pushes it to its neighbours; everybody else announces its prefix to those that are
//! not known to have it, and sends the bytes to those that ask. No queue grows with traffic: a cursor per neighbour walks the
//! window.

use super::boot::Timers;
use super::event::Peer;
use super::intake::split;
use super::{Node, Phase};
use crate::copy::copy;
use crate::crypto::Verify;
use crate::order::sort_few;
use crate::platform::Platform;
use crate::tangle::Tables as _;
use crate::tx::{Attachment, Stub, Unverified};
use crate::wire::frame::{Frame, MAX_BEACON_TIPS, MAX_PREFIXES};
use crate::wire::list::{Iter, List};
use crate::wire::{Certificates, EnrolStatus, FrameType};
use crate::{Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PARENTS, MemberIndex, Millis, Number, Prefix};

/// Something to say, and to whom. Opaque to callers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said(Option<(Peer, Control)>);

/// Something to say to one neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Enrol,
    /// The enrolment of a neighbour, the challenge that came for it, and the answer.
    Relay,
    Challenge,
    EnrolResult {
        device: Id,
        status: EnrolStatus,
        index: Option<MemberIndex>,
    },
    GenesisRequest,
    HeaderRequest {
        header: HeaderNumber,
    },
    TableRequest {
        epoch: Epoch,
        first: MemberIndex,
    },
    ProofRequest {
        id: Id,
    },
    /// To a neighbour that asked for it.
    Proof {
        tag: [u8; 4],
    },
    HeadsRequest {
        member: MemberIndex,
    },
    Heads {
        member: MemberIndex,
        number: Number,
        id: Id,
    },
    Sync {
        first: MemberIndex,
    },
    Header {
        header: HeaderNumber,
    },
    Votes {
        header: HeaderNumber,
        first: usize,
    },
    /// What validators said last of an anchored header, as it came.
    Anchored,
    Table {
        epoch: Epoch,
        first: MemberIndex,
    },
    Genesis,
    SetRequest {
        term: u64,
    },
    Set {
        term: u64,
    },
    Offer,
    Claim {
        which: super::head::Which,
    },
    Witness {
        id: Id,
    },
    Record {
        epoch: Epoch,
        member: MemberIndex,
    },
    Show {
        member: MemberIndex,
    },
}

/// Members whose numbers fit one SYNC frame.
const SYNC_MEMBERS: usize = 256;
/// Transactions that one SYNC is answered with.
const SYNC_ANSWER: usize = 32;
/// After how many numbers of a SYNC a place to read on from is kept.
const SYNC_MARKS: usize = 32;
/// What is behind by this part of a time-out is no longer taken for overtaken (RFC 8985 section 6.2 allows a quarter of a round trip).
pub(crate) const REORDERED: u64 = 4;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    pub(crate) fn say(&mut self, to: Peer, what: Control) {
        // What is already waiting to be said is not said twice; a full queue drops the newest, which its timer asks for again.
        if self.control.iter().any(|said| said.0 == Some((to, what))) {
            return;
        }
        let _ = self.control.push_back(Said(Some((to, what))));
    }

    /// The next that waits to be said.
    pub(crate) fn next_said(&mut self) -> Option<(Peer, Control)> {
        self.control.pop_front()?.0
    }

    /// The next frame to send and to whom, written to the start of `out` (at least [`MAX_FRAME`] bytes). Call it until `None` after every other
    /// call and at every deadline.
    pub fn next_frame(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        if out.len() < MAX_FRAME {
            return None;
        }
        self.tick(now);
        self.next_written(now, out)
    }

    /// The other half of [`Node::next_frame`], after [`Node::tick`]: for callers with little stack, whose buffer need not be there before.
    pub fn next_written(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        if out.len() < MAX_FRAME {
            return None;
        }
        let sent = self
            .next_control(now, out)
            .or_else(|| self.next_answer(out))
            .or_else(|| self.next_retelling(out))
            .or_else(|| self.next_push(out))
            .or_else(|| self.next_request(now, out))
            .or_else(|| self.next_announcement(now, out))
            .or_else(|| self.next_beacon(now, out));
        if let Some((_, len)) = sent {
            self.counters.frames_out = self.counters.frames_out.wrapping_add(1);
            self.counters.bytes_out = self.counters.bytes_out.wrapping_add(len as u64);
        }
        sent
    }

    fn next_control(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        while let Some((peer, control)) = self.next_said() {
            if self.peers.place(peer).is_none() {
                continue;
            }
            if let Some(len) = self.write_control(now, peer, control, out) {
                return Some((peer, len));
            }
        }
        None
    }

    #[inline(never)]
    fn write_control(
        &mut self,
        now: Millis,
        peer: Peer,
        control: Control,
        out: &mut [u8],
    ) -> Option<usize> {
        let tag = self.neighbourhood.tag();
        let frame = match control {
            Control::Enrol => return self.write_enrol(now, out),
            Control::Relay => return self.write_relay(out),
            Control::Challenge => return self.write_challenge(out),
            Control::Proof { tag } => return self.write_proof(peer, tag, out),
            Control::EnrolResult {
                device,
                status,
                index,
            } => return Self::write_result(device, status, index, out),
            Control::GenesisRequest => return Frame::GenesisRequest.write([0; 4], out).ok(),
            Control::HeaderRequest { header } => Frame::HeaderRequest { header },
            Control::TableRequest { epoch, first } => Frame::TableRequest { epoch, first },
            Control::ProofRequest { id } => {
                return Frame::ProofRequest {
                    ids: List::of(&[id]),
                }
                .write(tag, out)
                .ok();
            }
            Control::HeadsRequest { member } => Frame::HeadsRequest { member },
            Control::Heads { member, number, id } => Frame::Heads { member, number, id },
            Control::Header { header } => {
                self.say(peer, Control::Votes { header, first: 0 });
                self.say(peer, Control::Anchored);
                return self.write_header(header, out);
            }
            Control::Votes { header, first } => {
                return self.write_votes(peer, header, first, out);
            }
            Control::Anchored => return self.write_anchored(out),
            Control::Table { epoch, first } => return self.write_table(epoch, first, out),
            Control::Genesis => return self.write_genesis(out),
            Control::SetRequest { term } => Frame::SetRequest { term },
            Control::Set { term } => return self.write_set(term, out),
            Control::Claim { which } => return self.write_claim(which, out),
            Control::Offer => return self.write_offer(now, out),
            Control::Witness { id } => return self.write_witness(peer, id, out),
            Control::Record { epoch, member } => return self.write_record(epoch, member, out),
            Control::Show { member } => return self.write_show(member, out),
            Control::Sync { first } => {
                let mut highest: heapless::Vec<Number, SYNC_MEMBERS> = heapless::Vec::new();
                let members = self.tables.members();
                let mut member = first;
                while usize::from(member.0) < members {
                    if highest.push(self.tangle.highest(member)).is_err() {
                        break;
                    }
                    member = member.saturating_add(1);
                }
                if usize::from(member.0) < members {
                    self.say(peer, Control::Sync { first: member });
                }
                if highest.is_empty() {
                    return None;
                }
                return Frame::Sync {
                    first,
                    highest: List::of(&highest),
                }
                .write(tag, out)
                .ok();
            }
        };
        frame.write(tag, out).ok()
    }

    #[inline(never)]
    fn write_enrol(&mut self, _now: Millis, out: &mut [u8]) -> Option<usize> {
        let proof = self.enrol_proof()?;
        let (first, rest) = self.chain.split_first()?;
        let certificates = Certificates {
            first,
            second: rest.first().map(heapless::Vec::as_slice),
        };
        Frame::Enrol {
            certificates,
            proof: &proof.0,
            attestation: self.attestation(),
        }
        .write([0; 4], out)
        .ok()
    }

    /// Transactions that neighbours asked for.
    #[inline(never)]
    fn next_answer(&mut self, out: &mut [u8]) -> Option<(Peer, usize)> {
        while let Some((place, sequence)) = self.sending.pop_front() {
            let place = usize::from(place);
            let Some(peer) = self.peers.get(place).map(|p| Peer(p.handle)) else {
                continue;
            };
            let Some(len) = self.write_tx(sequence, out) else {
                continue;
            };
            let len = self.complete_old(sequence, len, out);
            self.known.set(sequence, place);
            return Some((peer, len));
        }
        None
    }

    /// The missing id bytes of parents go beside a transaction: below the cut of all, since nobody has them any more; above it of those that
    /// were pushed out of this window.
    #[inline(never)]
    fn complete_old(&self, sequence: u32, len: usize, out: &mut [u8]) -> usize {
        let (Some(facts), Some(body)) = (self.tangle.at_sequence(sequence), self.raw.get(sequence))
        else {
            return len;
        };
        let Ok((cose, attachment)) = split(body) else {
            return len;
        };
        let Ok(tx) = Unverified::parse(cose) else {
            return len;
        };
        let came = attachment.and_then(|a| Attachment::parse(a).ok());
        let settled = facts.time <= self.headers.cut() && self.headers.newest() > HeaderNumber(0);
        let named = tx.payload().parents.as_slice().iter();
        let held = self.tangle.parents(&facts.id);
        let mut stubs: heapless::Vec<Stub, { MAX_PARENTS }> = heapless::Vec::new();
        for ((position, prefix), held) in (0u8..).zip(named).zip(held).skip(1) {
            let id = match held {
                Some(id) if settled => Some(id),
                Some(_) => None,
                None => {
                    let ghost = self.ghosts.find(prefix).map(|(id, _)| *id);
                    let told = came
                        .as_ref()
                        .and_then(|a| a.parent(tx.payload(), usize::from(position)));
                    ghost.or(told)
                }
            };
            if let Some(id) = id {
                let _ = stubs.push(Stub::of(position, &id));
            }
        }
        if stubs.is_empty() {
            return len;
        }
        let attachment = Attachment {
            stubs: List::of(&stubs),
            proof: came.and_then(|a| a.proof),
        };
        // Where it does not fit, the transaction goes as it came.
        written(&attachment, cose.len(), out)
            .or_else(|| self.write_tx(sequence, out))
            .unwrap_or(len)
    }

    fn write_tx(&self, sequence: u32, out: &mut [u8]) -> Option<usize> {
        let body = self.raw.get(sequence)?;
        let len = body.len().checked_add(5)?;
        let place = out.get_mut(..len)?;
        let (head, rest) = place.split_at_mut_checked(5)?;
        let (tag, kind) = head.split_at_mut_checked(4)?;
        copy(tag, &self.neighbourhood.tag());
        copy(kind, &[FrameType::Tx.number()]);
        copy(rest, body);
        Some(len)
    }

    /// Own transactions go to every neighbour at once: nobody else can have them. Those who are fed get all.
    #[inline(never)]
    fn next_push(&mut self, out: &mut [u8]) -> Option<(Peer, usize)> {
        let index = self.index?;
        let next = self.tangle.next_sequence();
        for place in 0..self.peers.capacity() {
            let Some(state) = self.peers.get(place).copied() else {
                continue;
            };
            if state.pushed == next {
                continue;
            }
            let mut hit = None;
            let mut at = next;
            for (sequence, facts) in self.tangle.since(state.pushed) {
                let wanted = state.fed || (facts.issuer == index && !state.leaf);
                if wanted && !self.known.has(sequence, place) {
                    hit = Some(sequence);
                    at = sequence.wrapping_add(1);
                    break;
                }
            }
            if let Some(state) = self.peers.get_mut(place) {
                state.pushed = at;
            }
            if let Some(sequence) = hit
                && let Some(len) = self.write_tx(sequence, out)
            {
                self.known.set(sequence, place);
                return Some((Peer(state.handle), len));
            }
        }
        None
    }

    #[inline(never)]
    fn next_request(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        self.genesis.as_ref()?;
        let peer = self.wants.due_peer(now)?;
        let mut prefixes = [Prefix::default(); MAX_PREFIXES];
        let peers = &self.peers;
        let place = peers.place(peer);
        let least = self.request_timeout;
        let state = place.and_then(|place| peers.get(place));
        let timeout = state.map_or(least, |state| state.round_trip.timeout(least));
        let (n, again, new) = self.wants.ask(
            now,
            peer,
            timeout,
            |peer, turn| peers.other(peer, turn),
            &mut prefixes,
        );
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let counters = &mut self.counters;
        counters.requested = counters.requested.wrapping_add(count(n));
        counters.repeated = counters.repeated.wrapping_add(count(again));
        let wanted = prefixes.get(..n).filter(|w| !w.is_empty())?;
        let state = self.peers.get_mut(place?)?;
        state.round_trip.asked(now, wanted, new.as_ref());
        let len = Frame::Request(List::of(wanted))
            .write(self.neighbourhood.tag(), out)
            .ok()?;
        Some((peer, len))
    }

    #[inline(never)]
    fn next_announcement(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        let next = self.tangle.next_sequence();
        let wait = self.tuner.announce();
        for place in 0..self.peers.capacity() {
            let Some(state) = self.peers.get(place).copied() else {
                continue;
            };
            if state.cursor == next || now < state.announced.saturating_add(wait.0) {
                continue;
            }
            let mut prefixes: heapless::Vec<Prefix, MAX_PREFIXES> = heapless::Vec::new();
            let mut at = next;
            for (sequence, facts) in self.tangle.since(state.cursor) {
                if state.leaf || self.known.has(sequence, place) || self.raw.get(sequence).is_none()
                {
                    continue;
                }
                if prefixes.push(facts.id.prefix()).is_err() {
                    at = sequence;
                    break;
                }
            }
            let pause = self.timers.jittered(wait);
            if let Some(state) = self.peers.get_mut(place) {
                state.cursor = at;
                // More than fits one frame: the next call goes on, or a busy neighbourhood would fall ever further behind.
                if at == next {
                    state.announced = now.saturating_add(pause.0).saturating_sub(wait.0);
                }
            }
            if prefixes.is_empty() {
                continue;
            }
            if let Ok(len) =
                Frame::Announce(List::of(&prefixes)).write(self.neighbourhood.tag(), out)
            {
                return Some((Peer(state.handle), len));
            }
        }
        None
    }

    /// Who knows nothing yet has nothing to tell.
    pub(crate) fn beacons(&self) -> bool {
        matches!(
            self.phase,
            Phase::Active | Phase::Following | Phase::Recovering
        )
    }

    #[inline(never)]
    fn next_beacon(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        if !self.beacons() {
            return None;
        }
        let next = self.tangle.next_sequence();
        let pace = self.tuner.pace();
        let (place, peer) = self
            .peers
            .iter()
            .find(|(_, p)| now >= p.beacon_due(pace, next))
            .map(|(place, p)| (place, Peer(p.handle)))?;
        let mut tips: heapless::Vec<Prefix, MAX_BEACON_TIPS> = heapless::Vec::new();
        for tip in self.tangle.tips() {
            if tips.push(tip.prefix()).is_err() {
                break;
            }
        }
        if let Some(state) = self.peers.get_mut(place) {
            state.calm = match state.told == next {
                true => state.calm.saturating_add(1),
                false => 0,
            };
            state.told = next;
            state.beacon = now;
        }
        let len = Frame::Beacon {
            // 0: no clock, nothing to learn from.
            now: if self.offset.is_some() {
                self.absolute(now)
            } else {
                Millis(0)
            },
            header: self.headers.newest(),
            tips: List::of(&tips),
        }
        .write(self.neighbourhood.tag(), out)
        .ok()?;
        Some((peer, len))
    }

    /// A neighbour announces what it has.
    #[inline(never)]
    pub(crate) fn on_announce(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        prefixes: List<'_, Prefix>,
    ) {
        for prefix in prefixes.iter() {
            self.on_hint(now, from, place, prefix);
        }
    }

    /// A neighbour has this transaction. True where it is new here.
    pub(crate) fn on_hint(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        prefix: Prefix,
    ) -> bool {
        if let Some(id) = self.tangle.lookup(&prefix).next() {
            if let Some(sequence) = self.tangle.sequence(&id) {
                self.known.set(sequence, place);
            }
            return false;
        }
        if self.aside.holds_prefix(&prefix) {
            return false;
        }
        // Where much waits already, what is newer could only push it out; SYNC brings it in order, and the tips of the next beacon tell again.
        if self.is_behind() {
            if self.aside.lacks_parents() {
                self.timers.sync = self.timers.sync.min(now.saturating_add(500));
            }
            return true;
        }
        self.wants.add(now, prefix, from);
        true
    }

    /// A neighbour wants transactions.
    #[inline(never)]
    pub(crate) fn on_request(&mut self, place: usize, prefixes: List<'_, Prefix>) {
        for prefix in prefixes.iter() {
            let held = self.tangle.lookup(&prefix).next();
            match (held, u16::try_from(place)) {
                (Some(id), _) => {
                    self.queue_answer(place, &id);
                }
                (None, Ok(place)) => self.retell(place, &prefix),
                (None, Err(_)) => {}
            }
        }
    }

    fn queue_answer(&mut self, place: usize, id: &Id) -> bool {
        let (Some(sequence), Ok(place)) = (self.tangle.sequence(id), u16::try_from(place)) else {
            return true;
        };
        if self.sending.iter().any(|s| *s == (place, sequence)) {
            return true;
        }
        // Half of the queue at most: the others are answered too.
        let own = self.sending.iter().filter(|(p, _)| *p == place).count();
        if own >= self.sending.capacity().saturating_div(2) {
            return false;
        }
        self.sending.push_back((place, sequence)).is_ok()
    }

    /// A neighbour says what it holds of each member and wants what is above, oldest first. What does not fit the queue now comes with its next SYNC.
    #[inline(never)]
    pub(crate) fn on_sync(&mut self, place: usize, first: MemberIndex, highest: List<'_, Number>) {
        // Every so many numbers a place to read on from: all of them, at once, are too many for a small stack.
        let mut marks: heapless::Vec<Iter<'_, Number>, { MAX_FRAME / SYNC_MARKS + 1 }> =
            heapless::Vec::new();
        let mut rest = highest.iter();
        while marks.push(rest.clone()).is_ok() && rest.nth(SYNC_MARKS - 1).is_some() {}
        let number_of = |offset: u16| {
            let offset = usize::from(offset);
            let mark = marks.get(offset / SYNC_MARKS)?;
            mark.clone().nth(offset % SYNC_MARKS)
        };
        let Ok(place) = u16::try_from(place) else {
            return;
        };
        // It has just come, or lacks something: it wants to know where we are.
        if let Some(state) = self.peers.get_mut(usize::from(place)) {
            state.calm = 0;
        }
        let known = self.index.and_then(|own| own.checked_sub(first.0));
        if let Some(known) = known.and_then(|own| number_of(own.0)) {
            self.retell_above(place, known);
        }
        // Half of the queue stays free for answers to others; and no more at once than a pool of set-aside transactions takes that come in
        // any order.
        let room = self.sending.capacity().saturating_div(2);
        let mut own = self.sending.iter().filter(|(p, _)| *p == place).count();
        let cut = self.headers.cut();
        for (sequence, facts) in self.tangle.held() {
            if self.sending.len() >= room || own >= SYNC_ANSWER {
                break;
            }
            // Below the cut it may lack what no chain head stands for: the dead on which a member went on.
            if facts.time <= cut {
                let newest = self.tables.newest();
                let record = self.tables.read(&mut self.platform, newest, facts.issuer);
                let settled = record.ok().flatten().map(|record| record.head_number);
                if settled.is_none_or(|head| facts.number <= head) {
                    continue;
                }
            }
            let Some(offset) = facts.issuer.checked_sub(first.0) else {
                continue;
            };
            let above = number_of(offset.0).is_some_and(|n| facts.number > n);
            if above && !self.sending.iter().any(|s| *s == (place, sequence)) {
                let _ = self.sending.push_back((place, sequence));
                own = own.saturating_add(1);
            }
        }
    }

    /// A neighbour's beacon: a hint, never trusted.
    #[inline(never)]
    pub(crate) fn on_beacon(
        &mut self,
        now: Millis,
        from: Peer,
        place: usize,
        time: Millis,
        header: HeaderNumber,
        tips: List<'_, Prefix>,
    ) {
        if let Some(state) = self.peers.get_mut(place) {
            state.header = header;
            state.clock = (time > Millis(0)).then(|| clock_offset(time, now));
        }
        self.learn_clock();
        let mut news = 0usize;
        for tip in tips.iter() {
            if self.on_hint(now, from, place, tip) {
                news = news.saturating_add(1);
            }
        }
        if news > 0
            && let Some(state) = self.peers.get_mut(place)
        {
            state.calm = 0;
        }
        // Several unknown tips at once: we were away. Ask for everything above what we hold instead of climbing down one by one.
        // Where it is a table that is missing, that is asked for.
        if news > 2 && (!self.aside.is_tight(self.is_alone()) || self.aside.lacks_parents()) {
            self.timers.sync = self.timers.sync.min(now.saturating_add(100));
        }
    }

    /// A device without a clock takes the median of what at least q neighbours say.
    fn learn_clock(&mut self) {
        if !self.clockless {
            return;
        }
        let needed = usize::from(self.genesis.as_ref().map_or(1, |g| g.neighbours).max(1));
        let mut offsets: heapless::Vec<i64, 64> = heapless::Vec::new();
        for (_, peer) in self.peers.iter() {
            if let Some(offset) = peer.clock
                && offsets.push(offset).is_err()
            {
                break;
            }
        }
        if offsets.len() < needed {
            return;
        }
        sort_few(&mut offsets, |a, b| a < b);
        let middle = offsets.len().saturating_sub(1) / 2;
        if self.offset.is_none() {
            self.aside.wake_all();
        }
        self.offset = offsets.get(middle).copied();
    }

    fn is_alone(&self) -> bool {
        self.peers.iter().nth(1).is_none()
    }

    /// Whether so much is missing that SYNC has to bring it: what is newer, or fetched parent by parent, could only push out what comes.
    pub(crate) fn is_behind(&self) -> bool {
        let alone = self.is_alone();
        self.aside.is_tight(alone) || self.aside.lags(alone)
    }

    /// Whether transactions can be placed: a small device may have given up its newest table for the next one.
    pub(crate) fn takes_in(&self) -> bool {
        let newest = self.tables.newest();
        self.genesis.is_some() && newest > Epoch(0) && self.tables.ready(newest)
    }

    /// Asks one neighbour for what is above our numbers; again while something is missing.
    pub(crate) fn ask_for_sync(&mut self, now: Millis) {
        if !self.takes_in() {
            return;
        }
        self.timers.woke.get_or_insert(now);
        // Most of the last answer is in, and much waits still: the next one may come, as fast as they are taken in.
        let next = self.tangle.next_sequence();
        let took = next.wrapping_sub(self.timers.synced) as usize;
        let soon = self
            .timers
            .sync_asked
            .saturating_add(self.request_timeout.0 / REORDERED);
        let lacks = self.aside.lacks_parents();
        let lately = now < self.timers.sync_asked.saturating_add(self.patience(500));
        let on = took >= SYNC_ANSWER / 2 && lacks && lately && now >= soon;
        if now < self.timers.sync && !on {
            return;
        }
        self.timers.calm = match took {
            0 if self.timers.sync_asked > Millis(0) => self.timers.calm.saturating_add(1),
            _ => 0,
        };
        self.timers.synced = next;
        self.timers.sync_asked = now;
        let turn = self.timers.sync_turn;
        self.timers.sync_turn = turn.wrapping_add(1);
        // What waits for a table or for its time no other transaction brings on: SYNC would be answered with the same ones again.
        let waiting = self.aside.lacks_parents() || self.phase == Phase::Recovering;
        let pause = self.patience(if waiting { 500 } else { 60_000 });
        self.timers.sync = now.saturating_add(pause);
        let count = self.peers.iter().count();
        let Some(step) = usize::from(turn).checked_rem(count) else {
            return;
        };
        let Some(peer) = self.peers.iter().nth(step).map(|(_, p)| Peer(p.handle)) else {
            return;
        };
        self.say(
            peer,
            Control::Sync {
                first: MemberIndex(0),
            },
        );
    }
}

impl Timers {
    /// An interval between three and five quarters of this one. Nodes that start together, or hear of something together, would announce in step from then on,
    /// and each hop would take a whole interval (RFC 5148 section 5.1 takes off at random; here the mean stays).
    fn jittered(&mut self, interval: Millis) -> Millis {
        // Marsaglia's xorshift: it spreads, nothing more.
        let mut x = self.jitter;
        x ^= x.wrapping_shl(13);
        x ^= x.wrapping_shr(7);
        x ^= x.wrapping_shl(17);
        self.jitter = x;
        let quarter = interval.0 / 4;
        let more = x.checked_rem(quarter.saturating_mul(2).saturating_add(1));
        Millis(
            interval
                .0
                .saturating_sub(quarter)
                .saturating_add(more.unwrap_or(0)),
        )
    }
}

/// Writes an attachment behind the COSE_Sign1 of a TX frame. `None` where it does not fit or says nothing: what follows the COSE_Sign1 is spoilt then.
pub(crate) fn written(attachment: &Attachment<'_>, cose: usize, out: &mut [u8]) -> Option<usize> {
    let begin = cose.checked_add(5)?;
    let tail = attachment.encode(out.get_mut(begin..MAX_FRAME)?).ok()?;
    begin.checked_add(tail.len())
}

/// What a neighbour's time says about ours.
fn clock_offset(time: Millis, now: Millis) -> i64 {
    let (time, now) = (
        i64::try_from(time.0).unwrap_or(i64::MAX),
        i64::try_from(now.0).unwrap_or(i64::MAX),
    );
    time.saturating_sub(now)
}
