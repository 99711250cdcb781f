//! How a leaf becomes a member: it shows its certificate until its own record is proved (protocol section 10.3).
//!
//! Invariant: the frame is in the store, so that the certificate costs no memory, and nothing that is answered to it is believed: a leaf is a member when a record
//! with its device id stands under the table root of the genesis or of a header with a quorum of votes.

use super::work::in_turn;
use super::{Error, Event, Leaf};
use crate::crypto::{PublicKey, Signature, Verify};
use crate::identity::cert::{Certificate, Kind};
use crate::identity::{CoseKey, enrol};
use crate::platform::Platform;
use crate::types::{Id, MAX_FRAME, Millis};
use crate::wire::{Certificates, EnrolStatus, Frame};

/// The frame, in the store.
pub(super) const ENROL: u16 = 0x0005;
/// How often it is sent; after a refusal so many times more rarely.
const EVERY: u64 = 2_000;
const REFUSED: u64 = 8;

/// How the enrolment stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Enrolment {
    /// There is a frame in the store.
    pub wanted: bool,
    due: Millis,
    turn: u32,
    answer: Option<EnrolStatus>,
}

impl<P: Platform, V: Verify> Leaf<'_, P, V> {
    /// Asks to become a member, by this device's certificate (of kind leaf) and, where there are two, the one above it. The neighbourhood is that of the pinned
    /// authority. It goes into the store once: the same call after every start is fine. `proof` is the signature over `identity::enrol::statement` where somebody else holds
    /// the key (an external signer makes it once, at provisioning); else the leaf makes it.
    ///
    /// # Errors
    /// [`Error::Certificate`] where it is another device's, another kind's or the proof does not hold; [`Error::Platform`] where the store failed. Nothing was changed.
    #[inline(never)]
    pub fn enrol(
        &mut self,
        now: Millis,
        certificates: &Certificates<'_>,
        proof: Option<&Signature>,
    ) -> Result<(), Error> {
        let key = self.certified(certificates.device())?;
        let statement = enrol::statement(&self.config.authority, &self.device)
            .map_err(|_| Error::Certificate)?;
        let proof = match proof {
            Some(proof) => *proof,
            None => {
                let own = self.signer.now(statement.as_bytes());
                own.ok_or(Error::Certificate)?
            }
        };
        self.verifier
            .verify(&key, statement.as_bytes(), &proof)
            .map_err(|_| Error::Certificate)?;
        let (frame, room) = self
            .buffer
            .split_at_mut_checked(MAX_FRAME / 2)
            .ok_or(Error::Memory)?;
        let len = Frame::Enrol {
            certificates: *certificates,
            proof: &proof.0,
            attestation: None,
        }
        .write_by_leaf([0; 4], frame)
        .map_err(|_| Error::Certificate)?;
        let frame = frame.get(..len).ok_or(Error::Memory)?;
        // What is there already is not written again: flash wears out.
        let there = self.platform.get(ENROL, room);
        let same = matches!(there, Ok(Some(len)) if room.get(..len) == Some(frame));
        if !same {
            self.platform
                .put(ENROL, frame)
                .map_err(|_| Error::Platform)?;
        }
        self.enrolment.wanted = true;
        self.enrolment.due = now;
        self.asked.soon(now);
        Ok(())
    }

    /// The key of this device's certificate, if it is that.
    #[inline(never)]
    fn certified(&self, certificate: &[u8]) -> Result<PublicKey, Error> {
        let own = Certificate::parse(certificate).map_err(|_| Error::Certificate)?;
        let claims = own.claims();
        if claims.kind != Kind::Leaf || CoseKey::thumbprint(&claims.key) != self.device {
            return Err(Error::Certificate);
        }
        Ok(claims.key)
    }

    /// It is asked again now.
    pub(super) fn enrol_at(&mut self, now: Millis) {
        self.enrolment.due = now;
    }

    /// Whom to ask now, by turns: an uplink, then any neighbour, which passes it on.
    #[inline(never)]
    pub(super) fn whom_to_enrol(&mut self, now: Millis, any: usize) -> Option<usize> {
        if self.is_attesting() {
            return None;
        }
        let state = &mut self.enrolment;
        if !state.wanted || self.index.is_some() || now < state.due {
            return None;
        }
        let refused = state.answer.is_some_and(is_refusal);
        let wait = if refused {
            EVERY.saturating_mul(REFUSED)
        } else {
            EVERY
        };
        state.due = now.saturating_add(wait.max(self.config.poll.0));
        let turn = state.turn;
        state.turn = turn.wrapping_add(1);
        let uplinks = || {
            let all = self.peers.iter().enumerate();
            all.filter(|(_, p)| p.used && p.uplink)
                .map(|(place, _)| place)
        };
        let step = in_turn(turn as usize / 2, uplinks().count());
        match step {
            Some(step) if turn.is_multiple_of(2) => uplinks().nth(step),
            _ => Some(any),
        }
    }

    #[inline(never)]
    pub(super) fn on_enrol_result(&mut self, device: Id, status: EnrolStatus) -> Result<(), Error> {
        if device != self.device || !self.enrolment.wanted || self.index.is_some() {
            return Err(Error::NotForMe);
        }
        if matches!(status, EnrolStatus::Attestation | EnrolStatus::Measurement) {
            // What was said is of no use again: the next challenge is answered anew.
            self.forget_answer();
        }
        if self.enrolment.answer.replace(status) != Some(status) {
            match status {
                EnrolStatus::Accepted => self.tell(Event::EnrolAccepted),
                // The record will say so.
                EnrolStatus::Member => {}
                other => self.tell(Event::EnrolRefused { status: other }),
            }
        }
        Ok(())
    }
}

fn is_refusal(status: EnrolStatus) -> bool {
    !matches!(status, EnrolStatus::Accepted | EnrolStatus::Member)
}
