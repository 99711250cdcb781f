//! Own transactions: choose parents, sign, store, and only then show them to anybody.
//!
//! One at a time, because each stands on the one before. Invariant: before the first byte leaves, the whole transaction is in the store,
//! and its number is never used again; what the ledger would refuse is found before it is signed.

use super::config::Strategy;
use super::event::{Event, Refusal, Ticket};
use super::intake::{Source, facts};
use super::own::{STORED_MAX, Stored, UNAWAITED};
use super::policy::use_of;
use super::refuse::{insert_refusal, rollback_refusal, tx_refusal};
use super::{Node, Phase, Purpose, SignJob, Submission, keys};
use crate::crypto::{PublicKey, Verify};
use crate::identity::Record;
use crate::identity::signer::{MAX_TO_BE_SIGNED, SignOp};
use crate::ledger::policy::Use;
use crate::ledger::{Exposure, LedgerError, check_caps};
use crate::platform::Platform;
use crate::sale::{MAX_TERM, Proof};
use crate::tangle::{Effect, Scratch, Stubs, Tables as _};
use crate::tx::{self, Body, MAX_SIGNING_INPUT, MemberOp, Parents, Payload};
use crate::wire::{Reader, Writer};
use crate::{Amount, Epoch, Id, MAX_PARENTS, MAX_PAYLOAD, MemberIndex, Millis, Number};

/// A transaction whose payload is fixed and whose signature is awaited.
#[derive(Clone, Copy)]
pub(crate) struct Draft {
    /// Length of the payload, with which the message of the signature ends.
    pub(crate) payload: usize,
    pub(crate) parents: Parents,
    pub(crate) ticket: Option<Ticket>,
    /// The two transactions that evidence is about.
    pub(crate) proof: Option<(Id, Id)>,
    pub(crate) epoch: Epoch,
    pub(crate) time: Millis,
}

/// Where a transaction is to stand.
struct Spot {
    index: MemberIndex,
    head: crate::tangle::Head,
    /// How many tips were chosen.
    tips: usize,
    epoch: Epoch,
    time: Millis,
}

/// What the outbox, or the node itself, wants to say.
pub(crate) enum Wish<'a> {
    Submission(Ticket, Submission<'a>),
    Evidence {
        offender: MemberIndex,
        a: Id,
        b: Id,
    },
    Rotation {
        key: PublicKey,
        consent: &'a [u8; 64],
    },
    /// Nothing but what it approves.
    Approval,
    /// Nothing but that it approves this trim.
    TrimApproval(Id),
}

/// Places for own transactions that the GL-node keeps for trims.
const FOR_TRIMS: u32 = 2;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Takes a submission into the durable outbox. It is sent when its turn comes, also after a reboot; `Sent`, `Expired` or `Rejected`
    /// says how it ended. `expires` is absolute.
    ///
    /// # Errors
    /// [`Refusal::OutboxFull`] (on the GL-node already where what is not settled leaves no places for trims), a limit that the submission breaks already now, or [`Refusal::Platform`]; nothing was stored.
    pub fn submit(
        &mut self,
        now: Millis,
        submission: &Submission<'_>,
        expires: Option<Millis>,
    ) -> Result<Ticket, Refusal> {
        if self.key.is_none() {
            return Err(Refusal::NotMember);
        }
        match submission {
            Submission::Data(body) | Submission::Service(body) => {
                if body.is_empty() || body.len() > tx::MAX_BODY {
                    return Err(Refusal::BodyLength);
                }
            }
            Submission::Transfer { to, amount } => {
                self.check_spending(Some(*to), *amount)?;
                self.check_policy(now, Use::Transfer, Some(*to), *amount)?;
            }
            Submission::Exit { amount, .. } => {
                self.check_spending(None, *amount)?;
                self.check_policy(now, Use::Exit, None, *amount)?;
            }
            Submission::Lock {
                to,
                amount,
                term,
                terms,
            } => {
                self.check_spending(Some(*to), *amount)?;
                let stands = (1..=MAX_TERM).contains(term);
                if !stands || terms.check(*amount).is_err() {
                    return Err(Refusal::Terms);
                }
                self.check_policy(now, use_of(terms), Some(*to), *amount)?;
            }
            Submission::Claim { last, proof, .. } => {
                let shows = *last || *proof != Proof::Nothing;
                if !shows || proof.check().is_err() {
                    return Err(Refusal::Terms);
                }
            }
            Submission::Trim { .. } | Submission::Member(_) => {
                if !self.is_gl_node() {
                    return Err(Refusal::NotGlNode);
                }
            }
            Submission::Channel(op) => {
                let mut room = [0; tx::MAX_BODY];
                let fits = op.check();
                let fits = fits.and_then(|()| op.write(&mut Writer::new(&mut room)));
                fits.map_err(|_| Refusal::BodyLength)?;
            }
            Submission::Leave => {}
        }
        if !matches!(submission, Submission::Trim { .. }) && !self.leaves_room_for_trims() {
            return Err(Refusal::OutboxFull);
        }
        let ticket = self
            .outbox
            .push(&mut self.platform, submission, expires, None)?;
        self.store_meta();
        self.timers.issue = self.timers.issue.min(now);
        self.issue_what_is_due(now);
        Ok(ticket)
    }

    /// Whether this node is the GL-node of its neighbourhood.
    pub(super) fn is_gl_node(&self) -> bool {
        let gl_node = self.genesis.as_ref().map(|g| g.gl_node);
        gl_node.is_some() && gl_node == self.index
    }

    /// On the GL-node: whether one more submission leaves places for trims, here and in the outbox, which is sent in order. Were they all taken by what
    /// waits to be settled, no trim could be issued, and nothing would ever be settled.
    fn leaves_room_for_trims(&self) -> bool {
        let Some(index) = self.index.filter(|_| self.is_gl_node()) else {
            return true;
        };
        let settled = self.tables.head(index).map_or(Number(0), |h| h.number);
        let open = self.own.highest().0.saturating_sub(settled.0);
        let waiting = u32::try_from(self.outbox.len()).unwrap_or(u32::MAX);
        let taken = open.saturating_add(waiting).saturating_add(FOR_TRIMS);
        let slots = usize::from(self.limits.outbox).max(2);
        taken < u32::from(self.limits.own) && self.outbox.len().saturating_add(1) < slots
    }

    /// Caps, exposure and settled credits, as of now. They are checked again when the turn comes.
    fn check_spending(&self, to: Option<MemberIndex>, amount: Amount) -> Result<(), Refusal> {
        if amount == Amount(0) {
            return Err(Refusal::AmountZero);
        }
        let Some(index) = self.index else {
            return Err(Refusal::NotMember);
        };
        let record = self.tables.latest(index).ok_or(Refusal::NotMember)?;
        if to.is_some_and(|to| !self.tables.enrolled(self.tables.newest(), to)) || to == Some(index)
        {
            return Err(Refusal::UnknownPayee);
        }
        let (peer, all) = self.own.exposure(to);
        let open = Exposure { peer, total: all };
        check_caps(&record.caps, amount, open).map_err(|error| match error {
            LedgerError::AmountZero => Refusal::AmountZero,
            LedgerError::CapTransaction => Refusal::CapTransaction,
            LedgerError::CapPeer => Refusal::CapPeer,
            LedgerError::CapExposure => Refusal::CapExposure,
            _ => Refusal::Overflow,
        })?;
        let debits = self
            .tangle
            .head(&self.tables, index)
            .map_or(record.debits, |h| h.debits)
            .checked_add(amount.0)
            .ok_or(Refusal::Overflow)?;
        if debits > record.credits {
            return Err(Refusal::InsufficientCredits);
        }
        Ok(())
    }

    /// Issues what is due: replayed own transactions first, then evidence, then the outbox in order.
    pub(crate) fn issue_what_is_due(&mut self, now: Millis) {
        if self.unburied && self.outbox.has_room() {
            self.bury_the_dead(now);
        }
        while let Some(ticket) = self.outbox.expired(self.absolute(now)) {
            if self.outbox.remove(&mut self.platform, ticket).is_err() {
                break;
            }
            // A signer may be at work on it: its answer comes too late.
            let signing = self.job.as_ref().and_then(|job| job.draft()?.ticket);
            if signing == Some(ticket) {
                self.job = None;
            }
            self.tell(Event::Expired { ticket });
        }
        self.tend_signer(now);
        if self.job.is_some() || now < self.timers.issue {
            return;
        }
        // Bounded: one call issues a handful, the next deadline goes on.
        for _ in 0..8 {
            if self.phase != Phase::Active || self.job.is_some() || self.offset.is_none() {
                return;
            }
            if !self.is_caught_up(now) {
                self.timers.issue = now.saturating_add(100);
                return;
            }
            match self.issue_one(now) {
                Ok(true) => {}
                Ok(false) => {
                    self.timers.issue = self.next_wish(now);
                    return;
                }
                Err(refusal) => {
                    // Nothing left and nothing was lost: tried again shortly.
                    self.timers.issue = now.saturating_add(match refusal {
                        Refusal::CounterExhausted => 60_000,
                        _ => 200,
                    });
                    if refusal == Refusal::Platform {
                        self.tell(Event::PlatformFailed);
                    }
                    return;
                }
            }
        }
    }

    /// When there may be something to issue again, without any call in between.
    fn next_wish(&self, now: Millis) -> Millis {
        let evidence = self.evidence.iter().map(|e| e.due).min();
        let behind = self.index.is_some_and(|index| {
            let head = self.tangle.head(&self.tables, index);
            head.map_or(Number(0), |h| h.number) < self.own.highest()
        });
        // Receipts make room without any call of the application; and trims are looked for, where only they may be approved.
        let settled = self.index.and_then(|index| self.tables.head(index));
        let settled = settled.map_or(Number(0), |h| h.number);
        let held_back = self.outbox.len() > 0 || self.free_after(settled) <= self.kept();
        let retry = if behind || held_back {
            now.saturating_add(500)
        } else {
            Millis(u64::MAX)
        };
        let word = self.word_due(now);
        evidence
            .unwrap_or(Millis(u64::MAX))
            .min(retry)
            .min(word.max(now.saturating_add(10)))
    }

    /// Places for own transactions that are left above the settled one.
    fn free_after(&self, settled: Number) -> u32 {
        let used = self.own.highest().0.saturating_sub(settled.0);
        u32::from(self.limits.own).saturating_sub(used)
    }

    /// Places for own transactions of which nothing but the approval of a trim may take one. Where everybody waits for a header, as after hours without the gateway,
    /// two thirds of the members have to approve the trim that gives their places back.
    fn kept(&self) -> u32 {
        match self.is_gl_node() {
            true => 0,
            false => (u32::from(self.limits.own) / 4).clamp(1, 2),
        }
    }

    /// How long to be silent after the last own transaction, with so many places left for what is not settled.
    ///
    /// A trim needs vertices later than its cut by T/2 from two thirds of the members. If all used up their places at once, nobody could speak
    /// then, and nothing would ever be settled and give places back: so the second half of them is made to last for several T. `last` spreads it from
    /// half to one and a half of that, since no tip would be fresh if all were silent together.
    fn pause(&self, free: u32, last: &Id) -> Millis {
        let Some(genesis) = self.genesis.as_ref() else {
            return Millis(0);
        };
        if free.saturating_mul(2) >= u32::from(self.limits.own) || self.is_gl_node() {
            return Millis(0);
        }
        let twice = genesis.period.0.saturating_mul(2);
        let even = twice.checked_div(u64::from(free)).unwrap_or(twice);
        let spread = last.0.last().map_or(0, |byte| u64::from(*byte));
        Millis(even.saturating_mul(spread.saturating_add(128)) / 256)
    }

    /// True when something was issued and more may be.
    #[inline(never)]
    fn issue_one(&mut self, now: Millis) -> Result<bool, Refusal> {
        let Some(index) = self.index else {
            return Ok(false);
        };
        let head = self
            .tangle
            .head(&self.tables, index)
            .ok_or(Refusal::NotMember)?;
        if head.number < self.own.highest() {
            self.guard
                .settle(&mut self.platform)
                .map_err(rollback_refusal)?;
            return self.replay(now, head.number.saturating_add(1));
        }
        self.issue_new(now, index, &head)
    }

    /// What was never issued before, upon this head. Apart from the replay, which checks signatures.
    #[inline(never)]
    fn issue_new(
        &mut self,
        now: Millis,
        index: MemberIndex,
        head: &crate::tangle::Head,
    ) -> Result<bool, Refusal> {
        let may_issue = self.tables.latest(index).is_some_and(Record::may_issue);
        if self.tangle.frozen(index) || !may_issue {
            return Ok(false);
        }
        // Everything above the settled head stays in the store, since it is replayed from there; and so does what awaits its receipt.
        let settled = self.tables.head(index).map_or(Number(0), |h| h.number);
        if !self.own.has_place(&self.limits, settled, head.number) {
            return Ok(false);
        }
        while let Some(evidence) = self.evidence.front() {
            if evidence.due > now {
                break;
            }
            let (offender, a, b) = (evidence.offender, evidence.a, evidence.b);
            self.evidence.pop_front();
            if !self.tangle.frozen(offender) {
                let wish = Wish::Evidence { offender, a, b };
                return self.draft(now, &wish).map(|()| true);
            }
        }
        if let Some(key) = self.rotation_due() {
            let consent = self
                .consent(head.number.saturating_add(1))
                .ok_or(Refusal::NotMember)?;
            let wish = Wish::Rotation {
                key,
                consent: &consent.0,
            };
            self.draft(now, &wish)?;
            self.rotation_issued();
            return Ok(true);
        }
        let free = self.free_after(settled);
        if free <= self.kept() {
            return self.approve_trim(now);
        }
        let pause = self.pause(free, &head.id).0;
        // A reset is no reason to speak earlier.
        let spoke = self.tangle.head_time(index).unwrap_or(Millis(0));
        let spoke = self.timers.spoke.max(self.local(spoke));
        if pause > 0 && now < spoke.saturating_add(pause) {
            return Ok(false);
        }
        let mut buffer = [0u8; Submission::MAX];
        let Some((ticket, _, submission)) = self.outbox.front(&mut self.platform, &mut buffer)?
        else {
            return self.give_word(now, free);
        };
        match self.draft(now, &Wish::Submission(ticket, submission)) {
            Ok(()) => Ok(true),
            // The moment, not the submission: it stays where it is.
            Err(refusal) if !is_final(refusal) => Err(refusal),
            Err(reason) => {
                self.outbox.remove(&mut self.platform, ticket)?;
                self.tell(Event::Rejected { ticket, reason });
                Ok(true)
            }
        }
    }

    /// After a reset exactly the stored bytes go out again.
    #[inline(never)]
    fn replay(&mut self, now: Millis, number: Number) -> Result<bool, Refusal> {
        let mut buffer = [0u8; STORED_MAX];
        let key = keys::own(&self.limits, number.0);
        let Some(len) = self
            .platform
            .get(key, &mut buffer)
            .map_err(|_| Refusal::Platform)?
        else {
            // Its receipt was stored, or the place was used again: neighbours and the table know it.
            self.timers.sync = self.timers.sync.min(now);
            return Err(Refusal::Busy);
        };
        let stored = Stored::read(buffer.get(..len).unwrap_or(&[])).map_err(|_| Refusal::Busy)?;
        if stored.followed.number != number {
            return Err(Refusal::Busy);
        }
        match self.take_tx(now, Source::Store, stored.body) {
            Ok(()) if self.tangle.contains(&stored.followed.id) => {
                if stored.followed.header != UNAWAITED {
                    self.own.follow(stored.followed);
                    self.track(&stored.followed.id);
                }
                self.pull_changes(now);
                Ok(true)
            }
            Ok(()) => Ok(true),
            Err(_) => {
                // Its parents come from the neighbours.
                for parent in &stored.parents {
                    if !self.tangle.contains(parent)
                        && let Some(peer) = self.peers.uplink(self.timers.turn)
                    {
                        self.wants.add(now, parent.prefix(), peer);
                    }
                }
                Err(Refusal::Busy)
            }
        }
    }

    /// Builds the payload and starts the signature.
    pub(crate) fn draft(&mut self, now: Millis, wish: &Wish<'_>) -> Result<(), Refusal> {
        self.prepare(now, wish)?;
        self.sign(now)
    }

    /// Builds the payload and the message to sign.
    fn prepare(&mut self, now: Millis, wish: &Wish<'_>) -> Result<(), Refusal> {
        let mut tips = [Id::ZERO; MAX_PARENTS - 1];
        let spot = self.find_spot(now, wish, &mut tips)?;
        let tips = tips.get(..spot.tips).unwrap_or(&[]);
        self.compose(now, wish, &spot, tips)
    }

    /// Where to stand: what is below, by it the epoch and the time.
    #[inline(never)]
    fn find_spot(
        &mut self,
        now: Millis,
        wish: &Wish<'_>,
        tips: &mut [Id; MAX_PARENTS - 1],
    ) -> Result<Spot, Refusal> {
        let index = self.index.ok_or(Refusal::NotMember)?;
        let head = self
            .tangle
            .head(&self.tables, index)
            .ok_or(Refusal::NotMember)?;
        let is_trim = matches!(wish, Wish::Submission(_, Submission::Trim { .. }));
        let mut count = self.choose_tips(now, is_trim, tips)?;
        if let Wish::TrimApproval(trim) = wish {
            // Drawn like any other's, but one of them has to stand on that trim.
            let mut draws = 0u32;
            while !(tips.iter().take(count)).any(|tip| self.tangle.stands_on(tip, trim)) {
                draws = draws.saturating_add(1);
                if draws > 16 {
                    return Err(Refusal::Busy);
                }
                count = self.choose_tips(now, true, tips)?;
            }
        }
        // Evidence about two of the longest transactions leaves room for two parents.
        let count = match wish {
            Wish::Evidence { .. } => count.min(1),
            _ => count,
        };
        let tips = tips.get(..count).unwrap_or(&[]);
        let known = self
            .tangle
            .head_hands_on(index)
            .or_else(|| self.tangle.hands_on(&head.id));
        // A head that is settled and gone: its epoch stands in the store.
        let mut epoch = match known {
            Some(epoch) => epoch,
            None => self.stored_epoch(head.number).unwrap_or(Epoch(1)),
        };
        let mut time = self.absolute(now);
        let above = |time: Millis, id: &Id, node: &Self| {
            node.tangle
                .get(id)
                .map_or(time, |f| time.max(f.time.saturating_add(1)))
        };
        time = above(time, &head.id, self);
        if let Some(last) = self.tangle.head_time(index) {
            time = time.max(last.saturating_add(1));
        }
        for tip in tips {
            epoch = epoch.max(self.tangle.hands_on(tip).unwrap_or(epoch));
            time = above(time, tip, self);
        }
        Ok(Spot {
            index,
            head,
            tips: count,
            epoch,
            time,
        })
    }

    /// The payload on this spot, and the message to sign.
    #[inline(never)]
    fn compose(
        &mut self,
        now: Millis,
        wish: &Wish<'_>,
        spot: &Spot,
        tips: &[Id],
    ) -> Result<(), Refusal> {
        let Spot {
            index, epoch, time, ..
        } = *spot;
        let head = &spot.head;
        let start = self.tables.clock_start(epoch).ok_or(Refusal::Busy)?;
        let offset = time
            .checked_sub(start.0)
            .and_then(|o| u32::try_from(o.0).ok())
            .ok_or(Refusal::Busy)?;
        let body = self.body_of_wish(wish, head.debits)?;
        // Who joined of late is in the newest table and perhaps not yet in this vertex's: everybody would refuse it, and all above it.
        if let Body::Transfer { to, .. } | Body::Lock { to, .. } = body
            && !self.tables.enrolled(epoch, to)
        {
            return Err(Refusal::UnknownPayee);
        }
        let number = head.number.checked_add(1).ok_or(Refusal::Overflow)?;
        self.guard
            .ready(&mut self.platform, number)
            .map_err(rollback_refusal)?;
        let draft = tx::Draft {
            epoch,
            issuer: index,
            number,
            offset,
            first: head.id,
            tips,
            body,
        };
        let mut buffer = [0u8; MAX_PAYLOAD];
        let fitted = draft.encode(&mut buffer).map_err(tx_refusal)?;
        self.check_fitted(fitted.payload, fitted.parents.as_slice(), time)?;
        self.allow(now, &body, head.debits)?;
        let (ticket, proof) = match wish {
            Wish::Submission(ticket, _) => (Some(*ticket), None),
            Wish::Evidence { a, b, .. } => (None, Some((*a, *b))),
            Wish::Rotation { .. } | Wish::Approval | Wish::TrimApproval(_) => (None, None),
        };
        let draft = Draft {
            payload: fitted.payload.len(),
            parents: fitted.parents,
            ticket,
            proof,
            epoch,
            time,
        };
        self.begin_job(now, &draft, fitted.payload)
    }

    /// What the ledger would refuse is found before it is signed: a signed number cannot be taken back.
    #[inline(never)]
    fn check_fitted(
        &mut self,
        payload: &[u8],
        parents: &[Id],
        time: Millis,
    ) -> Result<(), Refusal> {
        let id = Payload::id_of(&self.neighbourhood, payload);
        let payload = Payload::decode(payload).map_err(tx_refusal)?;
        let facts = facts(&id, &payload, time);
        self.tangle
            .check(&self.tables, &facts, parents, Stubs::default())
            .map_err(insert_refusal)
    }

    /// The message to sign.
    #[inline(never)]
    fn begin_job(&mut self, now: Millis, draft: &Draft, payload: &[u8]) -> Result<(), Refusal> {
        let epoch = draft.epoch;
        let suite = self.key_in(epoch).ok_or(Refusal::NotMember)?.suite();
        let (neighbourhood, parents_hash) = (&self.neighbourhood, draft.parents.hash());
        let op = SignOp::begin_with(|message| {
            tx::signing_input(neighbourhood, suite, payload, &parents_hash, message)
                .map(|message| message.len())
                .map_err(tx_refusal)
        })?;
        self.job = Some(SignJob::new(now, op, Purpose::Issue(*draft)));
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn choose_tips(
        &mut self,
        now: Millis,
        is_trim: bool,
        out: &mut [Id; MAX_PARENTS - 1],
    ) -> Result<usize, Refusal> {
        let mut seed = [0u8; 8];
        self.platform
            .random(&mut seed)
            .map_err(|_| Refusal::Platform)?;
        let mut state = u64::from_le_bytes(seed);
        // splitmix64: tips need no secrecy, only to be spread.
        let mut rng = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            u32::try_from(z >> 32).unwrap_or(0)
        };
        // A trim stands on as much as it can: what is not in its cone waits for the next.
        let wanted = if is_trim {
            MAX_PARENTS - 1
        } else {
            usize::from(self.tuner.tips())
        };
        let out = out.get_mut(..wanted).ok_or(Refusal::Busy)?;
        let at = self.absolute(now);
        Ok(match self.strategy {
            Strategy::Uniform => self.tangle.select(at, &mut rng, out),
            Strategy::Weighted { .. } if !cfg!(feature = "weighted") => return Err(Refusal::Busy),
            Strategy::Weighted { .. } => {
                let walk = self.walk(now);
                let mut scratch = Scratch {
                    work: self.work,
                    order: self.order,
                    members: self.weights,
                };
                self.tangle
                    .select_weighted(&walk, at, &mut rng, &mut scratch, out)
                    .map_err(|_| Refusal::Busy)?
            }
        })
    }

    #[inline(never)]
    fn stored_epoch(&mut self, number: Number) -> Option<Epoch> {
        let mut buffer = [0u8; STORED_MAX];
        let key = keys::own(&self.limits, number.0);
        let len = self.platform.get(key, &mut buffer).ok()??;
        let stored = Stored::read(buffer.get(..len)?).ok()?;
        (stored.followed.number == number).then_some(stored.followed.epoch)
    }

    #[inline(never)]
    fn body_of_wish<'w>(&self, wish: &Wish<'w>, debits: Amount) -> Result<Body<'w>, Refusal> {
        Ok(match *wish {
            Wish::Approval | Wish::TrimApproval(_) => Body::Data(tx::APPROVAL),
            Wish::Rotation { key, consent } => Body::Member(MemberOp::Rotate { key, consent }),
            Wish::Evidence { offender, a, b } => Body::Evidence {
                offender,
                a: a.min(b),
                b: a.max(b),
            },
            Wish::Submission(_, submission) => match submission {
                Submission::Data(body) => Body::Data(body),
                Submission::Service(body) => Body::Service(body),
                Submission::Transfer { to, amount } => {
                    self.check_spending(Some(to), amount)?;
                    Body::Transfer {
                        to,
                        amount,
                        debits: debits.checked_add(amount.0).ok_or(Refusal::Overflow)?,
                    }
                }
                Submission::Lock {
                    to,
                    amount,
                    term,
                    terms,
                } => {
                    self.check_spending(Some(to), amount)?;
                    Body::Lock {
                        to,
                        amount,
                        debits: debits.checked_add(amount.0).ok_or(Refusal::Overflow)?,
                        term,
                        terms,
                    }
                }
                Submission::Claim { lock, last, proof } => Body::Claim { lock, last, proof },
                Submission::Exit { amount, target } => {
                    self.check_spending(None, amount)?;
                    Body::Exit {
                        amount,
                        debits: debits.checked_add(amount.0).ok_or(Refusal::Overflow)?,
                        target,
                    }
                }
                Submission::Channel(op) => Body::Channel(op),
                Submission::Leave => Body::Member(MemberOp::Leave),
                Submission::Member(op) => {
                    let mut r = Reader::new(op);
                    let op = MemberOp::read(&mut r).map_err(|_| Refusal::MemberOperation)?;
                    r.finish().map_err(|_| Refusal::MemberOperation)?;
                    Body::Member(op)
                }
                Submission::Trim { cut } => {
                    let newest = self.tables.newest_settled();
                    // A header is settled and its table is not here yet: only then it is known which trim is the last.
                    if newest != self.headers.newest() {
                        return Err(Refusal::Busy);
                    }
                    let previous = self
                        .tables
                        .settled_trim(newest)
                        .ok_or(Refusal::VoidTrim)?
                        .trim;
                    // Two trims upon one predecessor are evidence against this node.
                    let oldest = self.tangle.oldest_sequence();
                    let rival = self.tangle.since(oldest).any(|(_, facts)| {
                        matches!(facts.effect, Effect::Trim { previous: p, .. } if p == previous)
                    });
                    if rival {
                        return Err(Refusal::VoidTrim);
                    }
                    Body::Trim {
                        cut,
                        previous,
                        header: newest,
                        header_hash: self.headers.hash(),
                    }
                }
            },
        })
    }

    /// When to call `next_frame` again at the latest, in local time.
    #[must_use]
    pub fn next_deadline(&self, now: Millis) -> Millis {
        // Who is not active yet, or never will be, has requests to repeat that have no timer of their own here.
        let settled = self.phase == Phase::Active;
        let mut due = now.saturating_add(if settled { 1_000 } else { 50 });
        // Each only where it would lead to something: who cannot issue or speak yet is not to be called for it without end.
        let issues = self.phase == Phase::Active && self.job.is_none() && self.offset.is_some();
        let issue = issues.then_some(self.timers.issue);
        let knows = self.genesis.is_some();
        let sync = self.takes_in().then_some(self.timers.sync);
        let table = self.tables.missing().is_some() && knows;
        let table = table.then_some(self.timers.table);
        let next = self.tangle.next_sequence();
        let pace = self.tuner.pace();
        let beacons = self.beacons().then(|| self.peers.iter());
        let beacon = beacons.and_then(|peers| peers.map(|(_, p)| p.beacon_due(pace, next)).min());
        let wanted = self.wants.next_due().filter(|_| knows);
        let gap = Some(self.timers.gap);
        let waits = self.aside.next_due();
        for at in [wanted, waits, gap, issue, sync, table, beacon]
            .into_iter()
            .flatten()
        {
            due = due.min(at);
        }
        let wait = self.tuner.announce();
        for (_, peer) in self.peers.iter() {
            if peer.cursor != next {
                due = due.min(peer.announced.saturating_add(wait.0));
            }
        }
        if let Some(at) = self.election_due(now) {
            due = due.min(at);
        }
        if !self.control.is_empty() || !self.sending.is_empty() || !self.retelling.is_empty() {
            due = now;
        }
        due.max(now)
    }
}

/// The longest message that a signer is given; here so that ports can size their buffers.
pub const MAX_SIGN_INPUT: usize = MAX_TO_BE_SIGNED;

const _: () = assert!(MAX_SIGNING_INPUT <= MAX_TO_BE_SIGNED);

/// Whether a refusal is about what a submission says, so that no later moment can mend it. All others are about the moment: a clock, a
/// parent, a table or the store.
const fn is_final(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::AmountZero
            | Refusal::BodyLength
            | Refusal::CapExposure
            | Refusal::CapPeer
            | Refusal::CapTransaction
            | Refusal::CounterExhausted
            | Refusal::FalseDebits
            | Refusal::InsufficientCredits
            | Refusal::MemberOperation
            | Refusal::NotGlNode
            | Refusal::Overflow
            | Refusal::Policy
            | Refusal::PolicyWindow
            | Refusal::Terms
            | Refusal::UnknownPayee
            | Refusal::VoidTrim
    )
}

/// Writes a join operation for [`Submission::Member`].
///
/// # Errors
/// [`Refusal::MemberOperation`] where it does not fit.
pub fn join_operation(op: &MemberOp<'_>, out: &mut [u8]) -> Result<usize, Refusal> {
    let mut w = Writer::new(out);
    op.write(&mut w).map_err(|_| Refusal::MemberOperation)?;
    Ok(w.len())
}
