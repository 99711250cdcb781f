//! From a drafted payload to a stored and sent transaction: the signer operation, the proof beside evidence.
//!
//! Invariant: the signature is verified under the key that the table of the vertex's epoch names, and the whole transaction is in the
//! store, before it enters the window, from where it goes out.

use super::event::{Event, Grade, Refusal, Ticket};
use super::intake::{Source, facts, is_approval, split};
use super::issue::Draft;
use super::own::{Followed, Stored, UNAWAITED};
use super::refuse::{rollback_refusal, tx_refusal};
use super::{Node, NodeSigner, Phase, Purpose, SignJob};
use crate::crypto::{Signature, Suite, Verify};
use crate::identity::enrol;
use crate::identity::signer::SignerError;
use crate::platform::Platform;
use crate::rules::{self, Rule};
use crate::tangle::{Facts, Stubs, Tables as _};
use crate::tx::{self, Attachment, Body, Evidence, Unverified};
use crate::wire::list::List;
use crate::{Amount, HeaderNumber, Id, MAX_FRAME, MAX_PARENTS, Millis};
use heapless::Vec;

/// An external signer that does not answer is reminded after this many milliseconds.
pub(crate) const REMIND: u64 = 10_000;
/// What it shall sign beside transactions is given up after so many.
const GIVE_UP: u64 = 60_000;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Reminds an external signer that does not answer. A transaction older than P_max is of no use, since nothing new may stand on it: it is drafted anew, under
    /// the same number, and what still comes for the old one does not verify.
    pub(crate) fn tend_signer(&mut self, now: Millis) {
        let Some(job) = &mut self.job else { return };
        let limit = match (&job.purpose, &self.genesis) {
            (Purpose::Issue(_), Some(genesis)) => genesis.parent_age.0,
            _ => GIVE_UP,
        };
        if now >= job.since.saturating_add(limit) {
            self.job = None;
        } else if now >= job.remind {
            job.remind = now.saturating_add(REMIND);
            self.tell(Event::SignatureNeeded);
        }
    }

    /// Lets the signer work on the message of the job.
    pub(crate) fn sign(&mut self, now: Millis) -> Result<(), Refusal> {
        match &self.signer {
            NodeSigner::Software(_) => {
                if !self.sign_here() {
                    self.job = None;
                    return Err(Refusal::NotMember);
                }
                self.finish(now)
            }
            NodeSigner::External(_) => {
                if self.job.is_some() {
                    self.tell(Event::SignatureNeeded);
                }
                Ok(())
            }
            NodeSigner::None => {
                self.job = None;
                Err(Refusal::NotMember)
            }
        }
    }

    /// Signs with the key in memory, apart so that its stack is free again before the rest.
    #[inline(never)]
    fn sign_here(&mut self) -> bool {
        let signature = self.job.as_ref().and_then(|job| {
            let key = match &job.purpose {
                Purpose::Issue(draft) => self.key_in(draft.epoch),
                Purpose::Attest(_) => self.key,
            };
            let key = key?;
            Some(self.secret_for(&key)?.sign(job.op.message()))
        });
        let (Some(signature), Some(job)) = (signature, &mut self.job) else {
            return false;
        };
        job.op.input().is_ok() && job.op.output(signature).is_ok()
    }

    /// The message that the external signer is to sign, if one waits.
    pub fn sign_input(&mut self) -> Option<&[u8]> {
        self.job.as_mut()?.op.input().ok()
    }

    /// The external signer's answer. It is checked against the device's public key before anything leaves.
    ///
    /// # Errors
    /// [`Refusal::NotForMe`] where no signature is awaited; [`Refusal::Signature`] where it is wrong: the message is asked for again.
    pub fn sign_output(&mut self, now: Millis, signature: &Signature) -> Result<(), Refusal> {
        let job = self.job.as_mut().ok_or(Refusal::NotForMe)?;
        job.op.output(*signature).map_err(|_| Refusal::NotForMe)?;
        let result = self.finish(now);
        self.pull_changes(now);
        result
    }

    /// The external signer cannot sign: the submission stays in the outbox and is tried again after a second.
    pub fn sign_fail(&mut self, now: Millis) {
        self.job = None;
        self.timers.issue = now.saturating_add(1_000);
    }

    /// Takes the signature, stores the transaction, and only then puts it into the window, from where it goes out.
    fn finish(&mut self, now: Millis) -> Result<(), Refusal> {
        if let Some(Purpose::Attest(to)) = self.job.as_ref().map(|job| &job.purpose) {
            let to = *to;
            return self.attested(now, to);
        }
        self.finish_own(now)
    }

    #[inline(never)]
    fn finish_own(&mut self, now: Millis) -> Result<(), Refusal> {
        match self.signed(now) {
            // The signer has not answered.
            Ok(None) => Ok(()),
            Ok(Some(signature)) => self.issue_signed(now, &signature),
            Err(refusal) => {
                self.job = None;
                Err(refusal)
            }
        }
    }

    /// The signature, checked against the device's own key. `None`: the signer has not answered. Apart from what is written with it: a check
    /// takes much stack.
    #[inline(never)]
    fn signed(&mut self, now: Millis) -> Result<Option<Signature>, Refusal> {
        let Some(job) = &mut self.job else {
            return Ok(None);
        };
        let epoch = job.draft().ok_or(Refusal::NotForMe)?.epoch;
        let index = self.index.ok_or(Refusal::NotMember)?;
        let record = self.tables.get(epoch, index).ok_or(Refusal::NotMember)?;
        match job.op.finish(&record.key, &mut self.verifier) {
            Ok(signature) => Ok(Some(signature)),
            Err(SignerError::Pending) => Ok(None),
            Err(_) => {
                self.timers.issue = now.saturating_add(1_000);
                Err(Refusal::Signature)
            }
        }
    }

    #[inline(never)]
    fn issue_signed(&mut self, now: Millis, signature: &Signature) -> Result<(), Refusal> {
        let mut body = [0u8; MAX_FRAME];
        let written = self.write_signed(signature, &mut body);
        self.job = None;
        let (draft, len) = written?;
        let body = body.get(..len).ok_or(Refusal::BodyLength)?;
        self.issue(now, &draft, body)
    }

    fn write_signed(
        &self,
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<(Draft, usize), Refusal> {
        let job = self.job.as_ref().ok_or(Refusal::NotForMe)?;
        let draft = *job.draft().ok_or(Refusal::NotForMe)?;
        let index = self.index.ok_or(Refusal::NotMember)?;
        let record = self.tables.get(draft.epoch, index);
        let suite = record.ok_or(Refusal::NotMember)?.key.suite();
        let len = self.write_body(suite, job, signature, out)?;
        Ok((draft, len))
    }

    /// Stores an own transaction and puts it into the window.
    #[inline(never)]
    fn issue(&mut self, now: Millis, draft: &Draft, body: &[u8]) -> Result<(), Refusal> {
        let (cose, _) = split(body)?;
        let tx = Unverified::parse(cose).map_err(tx_refusal)?;
        let payload = tx.payload();
        let id = tx.id(&self.neighbourhood);
        let facts = facts(&id, payload, draft.time);
        let (amount, peer) = match payload.body {
            Body::Transfer { to, amount, .. } | Body::Lock { to, amount, .. } => (amount, Some(to)),
            Body::Exit { amount, .. } => (amount, None),
            _ => (Amount(0), None),
        };
        // Nobody waits for what becomes of an approval: it is stored, since the chain goes on above it, and forgotten.
        let awaited = !is_approval(&payload.body);
        let followed = Followed {
            used: true,
            own: true,
            id,
            number: payload.number,
            // What the node says of itself carries on the newest ticket, so that the store always knows it.
            ticket: draft.ticket.unwrap_or(Ticket(self.own.newest_ticket())),
            time: draft.time,
            epoch: payload.epoch,
            amount,
            peer,
            grade: Grade::Seen,
            header: if awaited { HeaderNumber(0) } else { UNAWAITED },
            proof_due: Millis(0),
            proof_tries: 0,
        };
        // While the signer worked the chain or the window may have moved on: then the draft is built anew, and this signature never leaves.
        let head = self.tangle.head(&self.tables, payload.issuer);
        let on_head = head.is_some_and(|head| {
            draft.parents.as_slice().first() == Some(&head.id)
                && head.number.checked_add(1) == Some(payload.number)
        });
        if self.phase != Phase::Active || !on_head || payload.number <= self.own.highest() {
            return Err(Refusal::Busy);
        }
        self.enter(now, draft, &facts, &followed, body)?;
        if let Some(ticket) = draft.ticket {
            // It is sent, whether or not its entry can be cleared now: were it tried again, it would be sent twice. At boot the ticket in
            // the own store says so.
            if self.outbox.remove(&mut self.platform, ticket).is_err() {
                self.outbox.forget(ticket);
                self.tell(Event::PlatformFailed);
            }
            self.tell(Event::Sent { ticket, id });
        }
        self.pull_changes(now);
        Ok(())
    }

    /// First into the store, then into the window.
    #[inline(never)]
    fn enter(
        &mut self,
        now: Millis,
        draft: &Draft,
        facts: &Facts,
        followed: &Followed,
        body: &[u8],
    ) -> Result<(), Refusal> {
        let parents = draft.parents.as_slice();
        self.tangle
            .check(&self.tables, facts, parents, Stubs::default())
            .map_err(|_| Refusal::Busy)?;
        if rules::on(Rule::StoredFirst) {
            self.store_own(followed, parents, body)?;
        }
        let oldest = self.oldest();
        let inserted = self
            .tangle
            .insert(&self.tables, facts, parents, Stubs::default())
            .map_err(|_| Refusal::Busy)?;
        self.remember(oldest);
        self.raw.put(inserted.sequence, body, &[]);
        if followed.header == UNAWAITED {
            self.counters.approvals = self.counters.approvals.wrapping_add(1);
        } else {
            self.own.follow(*followed);
        }
        self.timers.spoke = now;
        let sequence = inserted.sequence;
        self.after_insert(now, Source::Store, sequence, facts, parents, body);
        Ok(())
    }

    #[inline(never)]
    fn store_own(
        &mut self,
        followed: &Followed,
        parents: &[Id],
        body: &[u8],
    ) -> Result<(), Refusal> {
        let stored = Stored {
            followed: *followed,
            parents: Vec::from_slice(parents).map_err(|_| Refusal::Busy)?,
            body,
        };
        self.own.store(&self.limits, &mut self.platform, &stored)?;
        // Where the counter fails it is in the store and goes out from there, once the counter moves.
        self.guard
            .stored(&mut self.platform, followed.number)
            .map_err(rollback_refusal)
    }

    /// COSE_Sign1 and, for evidence, the proof beside it.
    #[inline(never)]
    fn write_body(
        &self,
        suite: Suite,
        job: &SignJob,
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<usize, Refusal> {
        let len = tx::assemble(suite, job.payload(), signature, out)
            .map_err(tx_refusal)?
            .len();
        match job.draft().and_then(|draft| draft.proof) {
            Some((a, b)) => self.write_evidence(&a, &b, len, out),
            None => Ok(len),
        }
    }

    #[inline(never)]
    fn write_evidence(&self, a: &Id, b: &Id, len: usize, out: &mut [u8]) -> Result<usize, Refusal> {
        let (one, other) = (self.evidence_half(a)?, self.evidence_half(b)?);
        self.write_proof_of(&one, &other, len, out)
    }

    #[inline(never)]
    fn write_proof_of(
        &self,
        one: &tx::Stored<'_>,
        other: &tx::Stored<'_>,
        len: usize,
        out: &mut [u8],
    ) -> Result<usize, Refusal> {
        let (proof, _) =
            Evidence::prove(&self.neighbourhood, one, other).map_err(|_| Refusal::FalseEvidence)?;
        let attachment = Attachment {
            stubs: List::of(&[]),
            proof: Some(proof),
        };
        let room = out.get_mut(len..).ok_or(Refusal::BodyLength)?;
        let tail = attachment
            .encode(room)
            .map_err(|_| Refusal::BodyLength)?
            .len();
        len.checked_add(tail).ok_or(Refusal::BodyLength)
    }

    /// One of the two transactions of evidence, as this node holds it.
    #[inline(never)]
    fn evidence_half(&self, id: &Id) -> Result<tx::Stored<'_>, Refusal> {
        let raw = self.raw(id).ok_or(Refusal::FalseEvidence)?;
        let (cose, _) = split(raw)?;
        Ok(tx::Stored {
            cose,
            parents_hash: self.parents_hash(id).ok_or(Refusal::FalseEvidence)?,
        })
    }

    /// Hash of the full parent ids of a vertex. A first parent that is gone is looked up among the settled heads and the stubs.
    pub(crate) fn parents_hash(&self, id: &Id) -> Option<Id> {
        let (cose, _) = split(self.raw(id)?).ok()?;
        let tx = Unverified::parse(cose).ok()?;
        let mut parents: Vec<Id, MAX_PARENTS> = Vec::new();
        for (known, prefix) in self.tangle.parents(id).zip(tx.payload().parents.as_slice()) {
            let head = self.tables.head(tx.payload().issuer).map(|h| h.id);
            let found = known
                .or_else(|| head.filter(|h| h.prefix() == *prefix))
                .or_else(|| {
                    let mut stubs = self.stubs.iter();
                    stubs.find(|(s, _)| s.prefix() == *prefix).map(|(s, _)| *s)
                })?;
            parents.push(found).ok()?;
        }
        Some(tx::payload::parents_hash(&parents))
    }

    /// Proof of possession for ENROL. An external signer must have signed the statement at provisioning; see `Config`.
    pub(crate) fn enrol_proof(&mut self) -> Option<Signature> {
        if self.enrolment.is_none()
            && let NodeSigner::Software(secret) = &self.signer
        {
            let statement = enrol::statement(&self.authority, &self.device).ok()?;
            // It stays the same however often it is sent.
            self.enrolment = Some(secret.sign(statement.as_bytes()));
        }
        self.enrolment
    }
}
