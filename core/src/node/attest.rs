//! The gateway wants to know what runs here: a challenge comes down, an attestation goes up with the enrolment (protocol sections 2.4 and 4).
//!
//! Invariant: a node attests while it enrols and to its uplink only, over a nonce that its own authority and device id are part of, and nothing leaves that does
//! not verify under its own key. The answer waits in the ring of transaction bytes, as relayed frames do: lost there, it is asked for and made again.

use super::config::Role;
use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::raw::RawSlot;
use super::{Node, Purpose, SignJob};
use crate::crypto::Verify;
use crate::identity::attest::{self, AttestError, Claims, MAX_ATTESTATION, challenge_nonce};
use crate::identity::signer::{SignOp, SignerError};
use crate::platform::Platform;
use crate::wire::frame::CHALLENGE;
use crate::{Id, Millis};

/// One attestation is made in this time, whoever asks how often.
const EVERY: u64 = 1_000;

/// The challenge that is answered, and the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attesting {
    challenge: Option<[u8; CHALLENGE]>,
    next: Millis,
    eat: Option<RawSlot>,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Somebody is asked to attest: this node, or the neighbour whose enrolment it passed on.
    #[inline(never)]
    pub(crate) fn on_challenge(
        &mut self,
        now: Millis,
        from: Peer,
        device: &Id,
        challenge: &[u8; CHALLENGE],
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        if *device != self.device {
            return self.pass_challenge(from, bytes);
        }
        let wants_in = self.role == Role::Member && self.index.is_none();
        if !wants_in || !self.peers.is_uplink(from) {
            return Err(Refusal::NotForMe);
        }
        let again = self.attesting.challenge == Some(*challenge);
        if again && (self.is_attesting() || self.attestation().is_some()) {
            return Ok(());
        }
        if now < self.attesting.next {
            return Err(Refusal::RateLimited);
        }
        self.attesting.next = now.saturating_add(EVERY);
        self.attest(now, from, challenge)
    }

    fn attest(
        &mut self,
        now: Millis,
        from: Peer,
        challenge: &[u8; CHALLENGE],
    ) -> Result<(), Refusal> {
        let key = self.key.ok_or(Refusal::NotMember)?;
        let nonce = challenge_nonce(&self.authority, &self.device, challenge);
        let device = self.device;
        let platform = &mut self.platform;
        let op = SignOp::begin_with(|message| {
            let mut written = Err(AttestError::Claim);
            platform.attest(&mut |evidence| {
                let claims = Claims {
                    nonce: &nonce,
                    device,
                    evidence: *evidence,
                };
                written = attest::signing_input(&claims, &key, message);
            });
            // A platform that says nothing, or too much: the gateway will say that it misses an attestation.
            written.map_err(|_| Refusal::Platform)
        })?;
        self.attesting.challenge = Some(*challenge);
        self.attesting.eat = None;
        self.job = Some(SignJob::new(now, op, Purpose::Attest(from)));
        self.sign(now)
    }

    /// The signer answered: from now on the attestation goes with the enrolment, if the signature holds.
    #[inline(never)]
    pub(crate) fn attested(&mut self, now: Millis, to: Peer) -> Result<(), Refusal> {
        let key = self.key.ok_or(Refusal::NotMember)?;
        let Some(job) = &mut self.job else {
            return Ok(());
        };
        let mut eat = [0; MAX_ATTESTATION];
        let signed = match job.op.finish(&key, &mut self.verifier) {
            Err(SignerError::Pending) => return Ok(()),
            Err(_) => Err(Refusal::Signature),
            Ok(signature) => attest::assemble(job.op.message(), &key, &signature, &mut eat)
                .map_err(|_| Refusal::Platform),
        };
        self.job = None;
        self.attesting.eat = self.raw.keep(eat.get(..signed?).unwrap_or(&[]));
        self.timers.enrol = now.saturating_add(self.patience(2_000));
        self.say(to, Control::Enrol);
        Ok(())
    }

    /// The external signer works on it.
    pub(crate) fn is_attesting(&self) -> bool {
        matches!(
            self.job,
            Some(SignJob {
                purpose: Purpose::Attest(_),
                ..
            })
        )
    }

    /// A member need not attest any more.
    pub(crate) fn stop_attesting(&mut self) {
        if self.is_attesting() {
            self.job = None;
        }
        self.attesting = Attesting::default();
    }

    /// What goes beside the enrolment.
    pub(crate) fn attestation(&self) -> Option<&[u8]> {
        self.raw.kept(self.attesting.eat.as_ref()?)
    }
}
