//! The gateway wants to know what runs here: a leaf answers its challenge with the enrolment (protocol sections 2.4 and 10.3).
//!
//! Invariant: it attests while it enrols only, over a nonce that its own authority and device id are part of. What is kept is the challenge and the signature: the rest
//! is written anew from what the platform says, which is the same until the next boot; where it is not, the signature does not hold and the gateway asks again.

use super::sign::What;
use super::{Error, Leaf};
use crate::copy::copy;
use crate::crypto::{Signature, Verify};
use crate::identity::attest::{self, AttestError, Claims, challenge_nonce};
use crate::platform::Platform;
use crate::types::{Id, Millis};
use crate::wire::Writer;
use crate::wire::frame::{CHALLENGE, HEAD_LEN};

/// One attestation is made in this time, whoever asks how often.
const EVERY: u64 = 1_000;

/// The challenge that is answered, and the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attesting {
    challenge: Option<[u8; CHALLENGE]>,
    signature: Option<Signature>,
    next: Millis,
}

impl Attesting {
    /// It is answered anew where it comes again.
    pub fn forget(&mut self) {
        self.challenge = None;
        self.signature = None;
    }
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    pub(super) fn on_challenge(
        &mut self,
        now: Millis,
        device: &Id,
        challenge: &[u8; CHALLENGE],
    ) -> Result<(), Error> {
        if *device != self.device || !self.enrolment.wanted || self.index.is_some() {
            return Err(Error::NotForMe);
        }
        if self.attesting.challenge == Some(*challenge) {
            return Ok(());
        }
        if now < self.attesting.next || now < self.sign_due {
            return Err(Error::Busy);
        }
        self.attesting = Attesting {
            challenge: Some(*challenge),
            signature: None,
            next: now.saturating_add(EVERY),
        };
        // Lent for the time of this call, beside the leaf itself.
        let buffer = core::mem::take(&mut self.buffer);
        let answered = self.answer(now, buffer);
        self.buffer = buffer;
        if answered.is_err() {
            self.attesting.forget();
        }
        answered
    }

    #[inline(never)]
    fn answer(&mut self, now: Millis, buffer: &mut [u8]) -> Result<(), Error> {
        // A platform that says nothing, or too much: the gateway will say that it misses an attestation.
        let len = self.attest_message(buffer)?;
        let message = buffer.get(..len).unwrap_or(&[]);
        let Some(signature) = self.signer.now(message) else {
            self.ask_signer(now, What::Attest);
            return Ok(());
        };
        self.verifier
            .verify(&self.key, message, &signature)
            .map_err(|_| Error::Signature)?;
        self.attested(now, signature);
        Ok(())
    }

    /// The gateway has no use for what was answered. What is still being signed answers a later challenge.
    pub(super) fn forget_answer(&mut self) {
        if self.attesting.signature.is_some() {
            self.attesting.forget();
        }
    }

    /// The signature was verified: from now on the attestation goes with the enrolment.
    pub(super) fn attested(&mut self, now: Millis, signature: Signature) {
        self.attesting.signature = Some(signature);
        self.enrol_at(now);
        self.asked.soon(now);
    }

    pub(super) fn attest_message(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let challenge = self.attesting.challenge.ok_or(Error::NotForMe)?;
        let nonce = challenge_nonce(&self.config.authority, &self.device, &challenge);
        let (key, device) = (self.key, self.device);
        let mut written = Err(AttestError::Claim);
        self.platform.attest(&mut |evidence| {
            let claims = Claims {
                nonce: &nonce,
                device,
                evidence: *evidence,
            };
            written = attest::signing_input(&claims, &key, out);
        });
        written.map_err(|_| Error::Platform)
    }

    /// The stored ENROL, with the attestation behind it where there is one.
    #[inline(never)]
    pub(super) fn write_enrol(&mut self) -> Option<usize> {
        let len = self.get(super::enrol::ENROL).ok()??;
        let Some(signature) = self.attesting.signature else {
            return Some(len);
        };
        let buffer = core::mem::take(&mut self.buffer);
        let longer = self.append(len, &signature, buffer);
        self.buffer = buffer;
        longer.or(Some(len))
    }

    fn append(&mut self, len: usize, signature: &Signature, buffer: &mut [u8]) -> Option<usize> {
        let (stored, room) = buffer.split_at_mut_checked(len)?;
        // Its length is known before it is made: that of the message, less what only the message has.
        let count = self.attest_message(room).ok()?;
        let count = attest::len_of(count);
        let mut head = [0; 3];
        let mut w = Writer::new(&mut head);
        w.bytes_head(count).ok()?;
        let head = w.into_written();
        let (place, eat) = room.split_at_mut_checked(head.len())?;
        let message = self.attest_message(eat).ok()?;
        let count = attest::assemble_in_place(eat, message, signature)?;
        copy(place, head);
        // An array of three now.
        *stored.get_mut(HEAD_LEN)? = 0x83;
        len.checked_add(head.len())?.checked_add(count)
    }
}
