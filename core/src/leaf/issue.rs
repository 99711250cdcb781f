//! From a submission to a signed and stored transaction.
//!
//! Invariant: what is signed is valid for every correct node that holds its parents: each input of validity is the leaf's own, proved, or said alike by q
//! neighbours besides the one that offered it. The whole entry is in the store before anything is sent, and a number that is in the store is never drafted again.

use super::sign::What;
use super::state::{Candidate, Chain, Fact, Followed};
use super::store::{MAX_ENTRY, MAX_WISH_ROOM, Stored, own_key, slot_of};
use super::{Error, Event, Leaf, Phase, Submission, TIPS, bit};
use crate::crypto::{Signature, Verify};
use crate::platform::Platform;
use crate::tx::{self, Body, MAX_BODY, MAX_SIGNING_INPUT, Payload, parents_hash};
use crate::types::{Amount, Epoch, Id, MAX_FRAME, MAX_PAYLOAD, Millis, Number};
use crate::wire::Writer;
use crate::wire::list::List;
use crate::wire::near::{Sighting, Stand};
use heapless::Vec;

/// Everything that is signed over. The payload stands in the frame buffer, behind [`PAYLOAD_AT`].
pub(super) struct Draft {
    pub(super) payload: usize,
    /// The own one before, then tips.
    parents: Vec<Id, { TIPS + 1 }>,
    chain: Chain,
    amount: Amount,
    ticket: u32,
}

/// The frame buffer while something is issued: the submission, then the message to sign, then the store's entry before this place, the payload behind it.
pub(super) const PAYLOAD_AT: usize = MAX_FRAME - MAX_PAYLOAD;
const _: () = assert!(
    MAX_WISH_ROOM <= PAYLOAD_AT && MAX_SIGNING_INPUT <= PAYLOAD_AT && MAX_ENTRY <= PAYLOAD_AT
);

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    /// Takes a submission into the store; it is sent when its turn comes, also after a reset. Returns its ticket.
    ///
    /// # Errors
    /// [`Error::Busy`] while another waits; a limit that it breaks already now; nothing was stored then.
    #[inline(never)]
    pub fn submit(&mut self, now: Millis, submission: &Submission<'_>) -> Result<u32, Error> {
        if self.wish.is_some() {
            return Err(Error::Busy);
        }
        match submission {
            Submission::Data(body) | Submission::Service(body) => {
                if body.is_empty() || body.len() > MAX_BODY {
                    return Err(Error::Body);
                }
            }
            Submission::Transfer { to, amount } => {
                if *amount == Amount(0) {
                    return Err(Error::Amount);
                }
                if Some(*to) == self.index {
                    return Err(Error::Payee);
                }
            }
            Submission::Exit { amount, .. } => {
                if *amount == Amount(0) {
                    return Err(Error::Amount);
                }
            }
        }
        let ticket = self.store_wish(submission)?;
        self.asked.soon(now);
        Ok(ticket)
    }

    /// Tips from a neighbour: only a proposal until others were asked about them.
    #[inline(never)]
    pub(super) fn on_offer(
        &mut self,
        now: Millis,
        place: usize,
        (term, line): (u32, u8),
        tips: List<'_, Id>,
    ) {
        if let Some(peer) = self.peers.get_mut(place) {
            peer.term = term;
            peer.line = line;
        }
        if self.head == Some(place) && line != 0 && term > self.asked.term {
            self.asked.term = term;
            self.asked.recall = true;
        }
        let wanted = self.wants_offer() && self.candidate.is_none();
        let mut ids = [Id::ZERO; TIPS];
        let mut count = 0usize;
        for tip in tips {
            let fresh = tip != self.chain.id && !ids.contains(&tip);
            if let Some(slot) = ids.get_mut(count)
                && fresh
            {
                *slot = tip;
                count = count.saturating_add(1);
            }
        }
        if !wanted || self.head != Some(place) {
            return;
        }
        for peer in &mut self.peers {
            peer.facts = [Fact::NONE; TIPS];
        }
        self.candidate = Some(Candidate {
            by: place,
            since: now,
            tips: ids,
            count,
        });
        self.asked.soon(now);
    }

    /// Whether there is something to say and a place to follow it in, and nothing of ours is on its way unseen.
    pub(super) fn wants_offer(&self) -> bool {
        let next = self.chain.number.saturating_add(1);
        let place = self.followed.get(slot_of(next));
        let free = place.is_some_and(|f| f.is_none_or(|f| f.over));
        let known = self.newest_own().is_none_or(|f| f.told_held);
        let wanted = self.phase == Phase::Active && self.wish.is_some();
        wanted && free && known && self.signing.is_none()
    }

    /// A neighbour says how it stands to a tip that was offered.
    #[inline(never)]
    pub(super) fn on_tip_seen(&mut self, place: usize, seen: &Sighting) {
        let Some(candidate) = &self.candidate else {
            return;
        };
        let Some(at) = candidate.tips().iter().position(|t| *t == seen.id) else {
            return;
        };
        let fact = match seen.stand >= Stand::Held {
            true => Fact {
                time: seen.time,
                epoch: seen.epoch,
            },
            false => Fact::NONE,
        };
        if let Some(slot) = self.peers.get_mut(place).and_then(|p| p.facts.get_mut(at)) {
            *slot = fact;
        }
    }

    /// What q neighbours besides the one that offered it say alike of a tip.
    #[inline(never)]
    fn agreed(&self, candidate: &Candidate, at: usize) -> Option<Fact> {
        let said = || {
            let others = self.peers.iter().enumerate();
            others
                .filter(|(place, p)| p.used && *place != candidate.by)
                .filter_map(|(_, p)| p.facts.get(at).copied())
                .filter(|fact| *fact != Fact::NONE)
        };
        said().find(|fact| {
            let alike = said().filter(|f| f == fact).count();
            u32::try_from(alike).unwrap_or(0) >= self.needed()
        })
    }

    /// Drafts and signs what waits, if everything is known.
    #[inline(never)]
    pub(super) fn try_issue(&mut self, now: Millis) {
        let Some(candidate) = self.candidate else {
            return;
        };
        if !self.wants_offer() || now < self.sign_due {
            return;
        }
        let mut facts: Vec<Fact, TIPS> = Vec::new();
        for at in 0..candidate.count {
            let Some(fact) = self.agreed(&candidate, at) else {
                return;
            };
            let _ = facts.push(fact);
        }
        // Lent for the time of this call, beside the leaf itself.
        let buffer = core::mem::take(&mut self.buffer);
        // Without a clock yet it is drafted nowhere.
        let clock = self.absolute(now).unwrap_or_default();
        let issued = self.issue(now, clock, candidate.tips(), &facts, buffer);
        self.buffer = buffer;
        match issued {
            Ok(()) => self.asked.soon(now),
            // The moment is wrong, not the submission: another offer.
            Err(Error::Busy | Error::OutOfOrder) => {
                self.candidate = None;
                if self.joined_of_late(now) {
                    // No fault of who offers: nobody has tips of that epoch yet.
                    self.asked.offer = None;
                }
            }
            Err(Error::Platform) => self.tell(Event::PlatformFailed),
            Err(reason) => {
                let ticket = self.wish.unwrap_or(0);
                self.forget_wish();
                self.candidate = None;
                self.tell(Event::Rejected { ticket, reason });
            }
        }
    }

    /// The newest table is the first with the own record in it, and its epoch begins for vertices with the trim that names its header: one period later, as a rule.
    #[inline(never)]
    fn joined_of_late(&self, now: Millis) -> bool {
        let [Some(newest), before] = &self.openings else {
            return false;
        };
        let first = before.is_none_or(|b| b.standing.is_none());
        let period = self.terms.as_ref().map_or(0, |t| t.period.0);
        let until = newest.clock.saturating_add(period.saturating_mul(2));
        newest.epoch > Epoch(1)
            && first
            && self.chain.number == Number(0)
            && self.absolute(now).is_some_and(|now| now < until)
    }

    #[inline(never)]
    /// Drafts, signs and keeps. Too long with all tips: with fewer, and the epoch and time that follow from those.
    fn issue(
        &mut self,
        now: Millis,
        clock: Millis,
        mut tips: &[Id],
        mut facts: &[Fact],
        buffer: &mut [u8],
    ) -> Result<(), Error> {
        let (room, payload) = buffer
            .split_at_mut_checked(PAYLOAD_AT)
            .ok_or(Error::Memory)?;
        let draft = loop {
            match (self.draft(clock, tips, facts, room, payload), tips, facts) {
                (Err(Error::Body), [fewer @ .., _], [facts_of_fewer @ .., _])
                    if !fewer.is_empty() =>
                {
                    (tips, facts) = (fewer, facts_of_fewer);
                }
                (draft, ..) => break draft?,
            }
        };
        let payload = payload.get(..draft.payload).ok_or(Error::Memory)?;
        self.guard.ready(&mut self.platform, draft.chain.number)?;
        // A signature that does not hold is as bad as a store that fails: nothing was sent, and it is tried again.
        let kept = self.sign(&draft, room, payload, None);
        match kept {
            Ok(true) => {}
            // The key is elsewhere: what it is to sign follows from these.
            Ok(false) => {
                let mut told = [Fact::NONE; TIPS];
                for (to, from) in told.iter_mut().zip(facts) {
                    *to = *from;
                }
                if let Some(candidate) = &mut self.candidate {
                    candidate.count = tips.len();
                }
                self.ask_signer(now, What::Issue { facts: told, clock });
            }
            Err(_) => {
                self.candidate = None;
                return Err(Error::Platform);
            }
        }
        Ok(())
    }

    /// The transaction of this submission, these tips and this moment, in absolute time: always the same.
    #[inline(never)]
    pub(super) fn draft(
        &mut self,
        clock: Millis,
        tip_ids: &[Id],
        facts: &[Fact],
        room: &mut [u8],
        payload: &mut [u8],
    ) -> Result<Draft, Error> {
        let (ticket, wish) = self.load_wish(room)?;
        let terms = self.terms.as_ref().ok_or(Error::Busy)?;
        let index = self.index.ok_or(Error::Busy)?;
        // The own previous one hands on at most `chain.epoch`. Where that is no more than a bound, the tips must reach it; in the first epoch
        // there is none below. Without any tip (nobody spoke of late) the own epoch goes on.
        let tips = facts.iter().map(|f| f.epoch).max().unwrap_or(Epoch(0));
        if tips < self.chain.epoch && !self.chain.exact && self.chain.epoch > Epoch(1) {
            return Err(Error::OutOfOrder);
        }
        let epoch: Epoch = tips.max(self.chain.epoch);
        let opening = self.opening(epoch).ok_or(Error::OutOfOrder)?;
        let standing = opening.standing.ok_or(Error::OutOfOrder)?;
        if !standing.may_issue {
            return Err(Error::NotMember);
        }
        self.offset.ok_or(Error::Busy)?;
        let above = facts.iter().map(|f| f.time).chain([self.chain.time]);
        let time = above.fold(clock.max(opening.clock), |time, parent| {
            time.max(parent.saturating_add(1))
        });
        let oldest = facts.iter().map(|f| f.time).min().unwrap_or(time);
        let late = time > oldest.saturating_add(terms.parent_age.0);
        if late || time > clock.saturating_add(self.config.tolerance.0) {
            return Err(Error::OutOfOrder);
        }
        let offset = time.0.saturating_sub(opening.clock.0);
        let offset = u32::try_from(offset).map_err(|_| Error::OutOfOrder)?;
        let number = self.chain.number.checked_add(1).ok_or(Error::Body)?;
        let spent = |amount: Amount| {
            let exposure = self
                .open()
                .fold(amount.0, |sum, f| sum.saturating_add(f.amount.0));
            let caps = &standing.caps;
            if amount > caps.tx {
                return Err(Error::Caps);
            }
            if exposure > caps.exposure.0 {
                return Err(Error::Exposure);
            }
            let debits = self.chain.debits.ok_or(Error::Credits)?;
            let debits = debits.checked_add(amount.0).ok_or(Error::Credits)?;
            match debits > standing.credits {
                true => Err(Error::Credits),
                false => Ok(debits),
            }
        };
        let (body, amount, debits) = match wish {
            Submission::Data(bytes) => (Body::Data(bytes), Amount(0), self.chain.debits),
            Submission::Service(bytes) => (Body::Service(bytes), Amount(0), self.chain.debits),
            Submission::Transfer { to, amount } => {
                if u32::from(to.0) >= opening.members || to == index {
                    return Err(Error::Payee);
                }
                let debits = spent(amount)?;
                (Body::Transfer { to, amount, debits }, amount, Some(debits))
            }
            Submission::Exit { amount, target } => {
                let debits = spent(amount)?;
                let body = Body::Exit {
                    amount,
                    debits,
                    target,
                };
                (body, amount, Some(debits))
            }
        };
        let draft = tx::Draft {
            epoch,
            issuer: index,
            number,
            offset,
            first: self.chain.id,
            tips: tip_ids,
            body,
        };
        let fitted = draft.encode_by_leaf(payload).map_err(|_| Error::Body)?;
        // The epoch follows from the parents: where the frame leaves a tip out it may be another's.
        if fitted.dropped > 0 {
            return Err(Error::Body);
        }
        Ok(Draft {
            payload: fitted.payload.len(),
            parents: Vec::from_slice(fitted.parents.as_slice()).map_err(|_| Error::Body)?,
            chain: Chain {
                number,
                id: Payload::id_of(&terms.neighbourhood, fitted.payload),
                time,
                epoch,
                exact: true,
                debits,
            },
            amount,
            ticket,
        })
    }

    /// Signs, checks the signature, stores everything, and only then follows it. `given`: what an external signer answered. `false`: it is still to answer; the message stands at
    /// the start of `room`, which is overwritten otherwise.
    #[inline(never)]
    pub(super) fn sign(
        &mut self,
        draft: &Draft,
        room: &mut [u8],
        payload: &[u8],
        given: Option<&Signature>,
    ) -> Result<bool, Error> {
        let len = self.message(draft, room, payload)?;
        let message = room.get(..len).unwrap_or(&[]);
        let signature = given.copied().or_else(|| self.signer.now(message));
        let Some(signature) = signature else {
            return Ok(false);
        };
        self.verifier
            .verify(&self.key, message, &signature)
            .map_err(|_| Error::Signature)?;
        self.keep(draft, room, payload, &signature)?;
        Ok(true)
    }

    /// What is signed for a draft.
    pub(super) fn message(
        &self,
        draft: &Draft,
        room: &mut [u8],
        payload: &[u8],
    ) -> Result<usize, Error> {
        let terms = self.terms.as_ref().ok_or(Error::Busy)?;
        let suite = self.key.suite();
        let hash = parents_hash(&draft.parents);
        let message = tx::signing_input(&terms.neighbourhood, suite, payload, &hash, room);
        message.map(|m| m.len()).map_err(|_| Error::Body)
    }

    #[inline(never)]
    fn keep(
        &mut self,
        draft: &Draft,
        room: &mut [u8],
        payload: &[u8],
        signature: &Signature,
    ) -> Result<(), Error> {
        let entry = Stored {
            ticket: draft.ticket,
            chain: draft.chain,
            amount: draft.amount,
            over: false,
            parents: draft.parents.clone(),
            cose: &[],
        };
        let mut w = Writer::new(room);
        entry.write_head(&mut w);
        w.put_bytes_head(tx::cose_len(payload.len()));
        tx::assemble_to(&mut w, self.key.suite(), payload, signature);
        w.intact()?;
        let number = draft.chain.number;
        self.platform
            .put(own_key(number), w.written())
            .map_err(|_| Error::Platform)?;
        // It is in the store, and nothing of it may leave: after the next start it goes out, if the counter moves then.
        if let Err(error) = self.guard.stored(&mut self.platform, number) {
            self.phase = Phase::Stopped;
            return Err(error.into());
        }
        let mut followed: Followed = super::store::followed(&entry);
        followed.wide = false;
        if let Some(place) = self.followed.get_mut(slot_of(number)) {
            *place = Some(followed);
        }
        self.chain = draft.chain;
        self.candidate = None;
        self.asked.offer = None;
        self.forget_wish();
        self.tell(Event::Sent {
            ticket: draft.ticket,
            id: draft.chain.id,
            number,
        });
        Ok(())
    }

    /// The newest own transaction whose end is awaited.
    pub(super) fn newest_own(&self) -> Option<&Followed> {
        self.open().max_by_key(|f| f.number)
    }

    /// How many of the neighbours in `mask`, not counting the one at `but`.
    pub(super) fn besides(mask: u8, but: Option<u8>) -> u32 {
        let but = but.map_or(0, |place| bit(place.into()));
        (mask & !but).count_ones()
    }
}
