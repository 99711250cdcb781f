//! What a leaf asks of whom, and when; and the frames that it sends.
//!
//! Invariant: everything sent is a request, a repetition, or bytes from the store. A neighbour that does not do its part costs one `patience`, and is asked last from then
//! on; who all failed are forgiven together.

use super::state::Neighbour;
use super::store::{MAX_ENTRY, Stored, own_key};
use super::{Event, FOLLOWED, Leaf, Phase, TIPS};
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::tx::{Attachment, Stub};
use crate::types::{Epoch, HeaderNumber, Id, MAX_FRAME, Millis, Peer};
use crate::wire::Frame;
use crate::wire::list::List;
use crate::wire::near::{MAX_SIGHTINGS, Near};
use heapless::Vec;

const GENESIS: u16 = 1;
const HEADER: u16 = 1 << 1;
const SET: u16 = 1 << 2;
/// The newest opening's record, and the one before.
const RECORD: [u16; 2] = [1 << 3, 1 << 4];
const SHOW: u16 = 1 << 5;
const OFFER: u16 = 1 << 6;
const TIPS_SEEN: u16 = 1 << 7;
const OWN_SEEN: u16 = 1 << 8;
const TX: [u16; FOLLOWED] = [1 << 9, 1 << 10, 1 << 11, 1 << 12];
const PROOF: u16 = 1 << 13;
const ENROL: u16 = 1 << 14;
/// In so many rounds everybody is asked once who is head.
const CALL: usize = 32;

/// When to ask again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers {
    due: Millis,
    /// Since when an offer is waited for.
    pub offer: Option<Millis>,
    /// Everybody was asked who is head.
    called: bool,
    /// The greatest term in which the own head said that it is not the cluster's; everybody is asked once more for each.
    pub term: u32,
    pub recall: bool,
    /// The set of this term is wanted.
    pub set: Option<u32>,
}

impl Timers {
    /// Something changed: look again at once.
    pub fn soon(&mut self, now: Millis) {
        self.due = self.due.min(now);
    }
}

/// Whose turn it is of `count`: the rest of a division, which is 400 bytes of code on cores that cannot divide.
#[inline(never)]
pub(super) fn in_turn(turn: usize, count: usize) -> Option<usize> {
    let mut rest = 0usize;
    for bit in (0..usize::BITS).rev() {
        rest = rest << 1 | (turn >> bit & 1);
        rest = rest.checked_sub(count).unwrap_or(rest);
    }
    (count > 0).then_some(rest)
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    /// The next frame to send and to whom. Call it until `None` after every other call and at every deadline.
    pub fn next_frame(&mut self, now: Millis) -> Option<(Peer, &[u8])> {
        self.tick(now);
        let mut found = None;
        while found.is_none() {
            let place = self.peers.iter().position(|p| p.used && p.todo != 0)?;
            let peer = self.peers.get_mut(place)?;
            let what = 1u16.checked_shl(peer.todo.trailing_zeros())?;
            peer.todo &= !what;
            let to = Peer(peer.handle);
            found = self.write(what).map(|len| (to, len));
        }
        let (to, len) = found?;
        Some((to, self.buffer.get(..len)?))
    }

    /// When to call `next_frame` again, if nothing happens before.
    #[must_use]
    pub fn deadline(&self) -> Millis {
        self.asked.due
    }

    fn ask(&mut self, what: u16, whom: impl Fn(usize, &Neighbour) -> bool) {
        for (place, peer) in self.peers.iter_mut().enumerate() {
            if peer.used && whom(place, peer) {
                peer.todo |= what;
            }
        }
    }

    pub(super) fn send_tx(&mut self, slot: usize, whom: impl Fn(usize, &Neighbour) -> bool) {
        if let Some(what) = TX.get(slot) {
            self.ask(*what, whom);
        }
    }

    /// A neighbour says what time it is and how far the headers are: hints.
    #[inline(never)]
    pub(super) fn on_standing(
        &mut self,
        now: Millis,
        place: usize,
        time: Millis,
        header: HeaderNumber,
    ) {
        if let Some(peer) = self.peers.get_mut(place) {
            peer.header = header;
            let said = i64::try_from(time.0).unwrap_or(i64::MAX);
            let here = i64::try_from(now.0).unwrap_or(i64::MAX);
            peer.clock = (time > Millis(0)).then(|| said.saturating_sub(here));
        }
        self.learn_clock();
    }

    /// Without a clock: the median of at least q neighbours.
    #[inline(never)]
    fn learn_clock(&mut self) {
        if self.config.clock.is_some() {
            return;
        }
        let mut said: Vec<i64, { super::MAX_NEIGHBOURS }> = Vec::new();
        for peer in self.peers.iter().filter(|p| p.used) {
            if let Some(clock) = peer.clock {
                let _ = said.push(clock);
            }
        }
        if u32::try_from(said.len()).unwrap_or(0) >= self.needed() {
            crate::order::sort_few(&mut said, |a, b| a < b);
            self.offset = said.get(said.len().saturating_sub(1) / 2).copied();
        }
    }

    #[inline(never)]
    fn tick(&mut self, now: Millis) {
        if now < self.asked.due {
            return;
        }
        self.asked.due = now.saturating_add(self.config.poll.0);
        self.turn = self.turn.wrapping_add(1);
        self.tend_signer(now);
        let used = self.peers.iter().filter(|p| p.used).count();
        let Some(step) = in_turn(self.turn, used) else {
            return;
        };
        let mut places = self.peers.iter().enumerate().filter(|(_, p)| p.used);
        let one = places.nth(step).map_or(0, |(place, _)| place);
        if let Some(whom) = self.whom_to_enrol(now, one) {
            self.ask(ENROL, |place, _| place == whom);
        }
        if self.terms.is_none() {
            self.ask(GENESIS, |place, _| place == one);
            return;
        }
        if self.trust.next.is_some() || self.asked.set.is_some() {
            self.ask(SET, |place, _| place == one);
        }
        if self.header_wanted().is_some() {
            self.ask(HEADER, |place, _| place == one);
        }
        for (at, what) in RECORD.into_iter().enumerate() {
            let open = self.openings.get(at).copied().flatten();
            if open.is_some_and(|o| o.standing.is_none()) {
                self.ask(what, |place, _| place == one);
            }
        }
        match self.phase {
            Phase::Recovering => self.ask(SHOW, |_, p| !p.answered),
            Phase::Active => {
                self.seek_offer(now);
                self.try_issue(now);
                self.seek_witnesses(now);
            }
            Phase::Outside | Phase::Following | Phase::Stopped => {}
        }
    }

    /// A newer header that a neighbour claims, in turn, since a claim is a hint; or what is missing of the two newest.
    #[inline(never)]
    fn header_wanted(&self) -> Option<HeaderNumber> {
        let newest = self.trust.newest;
        let claims = || {
            let used = self.peers.iter().filter(|p| p.used);
            used.map(|p| p.header).filter(|h| *h > newest)
        };
        let [first, second] = &self.openings;
        if first.is_none_or(|o| o.header() != newest) {
            return Some(newest);
        }
        if self.trust.hint > newest && self.trust.next.is_none() && self.turn.is_multiple_of(2) {
            return Some(self.trust.hint);
        }
        if let Some(step) = in_turn(self.turn, claims().count()) {
            return claims().nth(step);
        }
        let before = newest.checked_sub(1).filter(|b| *b > HeaderNumber(0))?;
        let held = second.is_some_and(|o| o.header() == before);
        (!held).then_some(before)
    }

    /// Tips to stand on, and what others say of them.
    #[inline(never)]
    fn seek_offer(&mut self, now: Millis) {
        if !self.wants_offer() {
            self.asked.offer = None;
            return;
        }
        let recall = core::mem::take(&mut self.asked.recall);
        if self.head.is_none() || recall || self.turn.is_multiple_of(CALL) {
            if self.head.is_none() && self.asked.called {
                self.choose_head();
            } else {
                self.asked.called = true;
                self.ask(OFFER, |_, _| true);
                return;
            }
        } else if self.asked.called {
            self.choose_head();
        }
        let patience = self.patience();
        match self.candidate {
            Some(candidate) if now < candidate.since.saturating_add(patience) => {
                self.ask(TIPS_SEEN, |place, _| place != candidate.by);
            }
            Some(candidate) => {
                self.candidate = None;
                self.asked.offer = None;
                self.suspect(candidate.by);
            }
            None => {
                // Offers that could not be used count as none: the time runs until something was signed.
                let since = *self.asked.offer.get_or_insert(now);
                match self.head {
                    Some(head) if now >= since.saturating_add(patience) => {
                        self.asked.offer = None;
                        self.suspect(head);
                    }
                    head => self.ask(OFFER, |place, _| Some(place) == head),
                }
            }
        }
    }

    /// Approvals count for T/2 after a transaction's time: a head that hides one must be found out well before.
    fn patience(&self) -> u64 {
        let eighth = self.terms.as_ref().map_or(u64::MAX, |t| t.period.0 / 8);
        self.config.patience.0.min(eighth)
    }

    /// The first in the line of those that did not fail; the one so far where it is as good.
    #[inline(never)]
    fn choose_head(&mut self) {
        self.asked.called = false;
        let term = self.peers.iter().filter(|p| p.used).map(|p| p.term).max();
        let all_failed = self.peers.iter().filter(|p| p.used).all(|p| p.suspect);
        if all_failed {
            self.peers.iter_mut().for_each(|p| p.suspect = false);
        }
        let order = |place: usize, p: &Neighbour| {
            let line = if Some(p.term) == term {
                p.line
            } else {
                u8::MAX
            };
            (line, Some(place) != self.head, place)
        };
        let able = self.peers.iter().enumerate();
        let best = able
            .filter(|(_, p)| p.used && !p.suspect)
            .min_by_key(|(place, p)| order(*place, p));
        self.head = best.map(|(place, _)| place);
    }

    #[inline(never)]
    fn suspect(&mut self, place: usize) {
        let Some(peer) = self.peers.get_mut(place).filter(|p| p.used) else {
            return;
        };
        peer.suspect = true;
        let peer = Peer(peer.handle);
        if self.head == Some(place) {
            self.head = None;
            self.choose_head();
        }
        self.tell(Event::HeadSuspected { peer });
    }

    /// Sends own transactions on their way, and asks who holds them.
    #[inline(never)]
    fn seek_witnesses(&mut self, now: Millis) {
        let patience = self.patience();
        for slot in 0..self.followed.len() {
            let Some(mut own) = self.followed.get(slot).copied().flatten() else {
                continue;
            };
            if self.is_unclear(&own) {
                self.ask(PROOF, |_, p| p.uplink);
            }
            if own.over || own.told_witnessed {
                continue;
            }
            let mut failed = None;
            if own.sent == Millis(0) {
                own.sent = now.max(Millis(1));
                own.via = self.head.and_then(|head| u8::try_from(head).ok());
                let (head, wide) = (self.head, own.wide || self.head.is_none());
                self.send_tx(slot, |place, _| wide || Some(place) == head);
            } else if !own.told_held && now >= own.sent.saturating_add(patience) {
                own.sent = now;
                // The first time the head had it alone.
                if !own.wide {
                    failed = own.via;
                }
                own.wide = true;
                self.send_tx(slot, |_, _| true);
            }
            if let Some(place) = self.followed.get_mut(slot) {
                *place = Some(own);
            }
            let via = own.via;
            self.ask(OWN_SEEN, |place, _| u8::try_from(place).ok() != via);
            if let Some(place) = failed {
                self.suspect(place.into());
            }
        }
    }

    #[inline(never)]
    fn write(&mut self, what: u16) -> Option<usize> {
        if what == GENESIS {
            return Frame::GenesisRequest
                .write_by_leaf([0; 4], self.buffer)
                .ok();
        }
        if what == ENROL {
            return self.write_enrol();
        }
        let tag = self.terms.as_ref()?.neighbourhood.tag();
        if let Some(slot) = TX.iter().position(|t| *t == what) {
            return self.write_tx(slot, tag);
        }
        let mut ids: Vec<Id, MAX_SIGHTINGS> = Vec::new();
        let frame = match what {
            HEADER => Frame::HeaderRequest {
                header: self.header_wanted()?,
            },
            SET => Frame::SetRequest {
                term: self.asked.set?.into(),
            },
            SHOW => Frame::Near(Near::ShowRequest {
                member: self.index?,
            }),
            OFFER => Frame::Near(Near::OfferRequest),
            TIPS_SEEN => {
                let candidate = self.candidate.as_ref()?;
                ids = Vec::from_slice(candidate.tips()).ok()?;
                Frame::Near(Near::WitnessRequest(List::of(&ids)))
            }
            OWN_SEEN => {
                for own in self.open() {
                    if !own.told_witnessed {
                        let _ = ids.push(own.id);
                    }
                }
                Frame::Near(Near::WitnessRequest(List::of(&ids)))
            }
            PROOF => {
                for own in self.open() {
                    if self.is_unclear(own) {
                        let _ = ids.push(own.id);
                    }
                }
                Frame::ProofRequest {
                    ids: List::of(&ids),
                }
            }
            _ => {
                let at = RECORD.iter().position(|r| *r == what)?;
                let epoch: Epoch = self.openings.get(at).copied().flatten()?.epoch;
                let device = self.device;
                Frame::Near(Near::RecordRequest { epoch, device })
            }
        };
        frame.write_by_leaf(tag, self.buffer).ok()
    }

    /// The stored bytes; once everybody is asked to take them, with the full ids of the parents, which may be gone from their windows.
    #[inline(never)]
    fn write_tx(&mut self, slot: usize, tag: [u8; 4]) -> Option<usize> {
        let own = self.followed.get(slot)?.as_ref()?;
        // The entry behind, the frame before it.
        let (frame, room) = self
            .buffer
            .split_at_mut_checked(MAX_FRAME.saturating_sub(MAX_ENTRY))?;
        let len = self.platform.get(own_key(own.number), room).ok()??;
        let stored = Stored::read(room.get(..len)?).ok()?;
        if stored.chain.id != own.id {
            return None;
        }
        let mut stubs: Vec<Stub, TIPS> = Vec::new();
        for (position, parent) in (0u8..).zip(&stored.parents).skip(1) {
            let _ = stubs.push(Stub::of(position, parent));
        }
        let mut beside = [0; 64];
        let attachment = Attachment {
            stubs: List::of(&stubs),
            proof: None,
        };
        let attachment = match own.wide && !stubs.is_empty() {
            true => Some(attachment.encode(&mut beside).ok()?),
            false => None,
        };
        let attachment: Option<&[u8]> = attachment;
        let cose = stored.cose;
        Frame::Tx { cose, attachment }
            .write_by_leaf(tag, frame)
            .ok()
    }
}
