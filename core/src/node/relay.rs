//! Passing on what a device that does not reach the gateway has to ask there: a member its proofs, a newcomer (mostly a leaf, which hears its head and
//! the nodes around it) its enrolment.
//!
//! Invariant: a node vouches for nothing here. A proof proves itself to who asked for it (protocol section 7). The enrolment proves itself to the gateway
//! (section 2.2), the answer to nobody: who asked learns that it is a member from its proved record. Frames wait in the ring of transaction bytes:
//! one enrolment at a time, passed on in two seconds, and the answers to a few requests for proofs, the oldest out; so neighbours can use
//! up neither memory nor the uplink. Nothing goes back to where it came from: requests only go up, answers only down.

use super::Node;
use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::raw::RawSlot;
use crate::copy::copy;
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::wire::list::List;
use crate::wire::{EnrolStatus, Frame};
use crate::{Id, MemberIndex, Millis};

/// Requests for proofs of neighbours that are waited for at once: after a cut all ask.
const PROOFS: usize = 16;

/// Whose requests for proofs went to the uplink.
pub(crate) type Proofs = heapless::Vec<Asked, PROOFS>;

/// A neighbour waits for the proof of a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Of its id. Who gets another's proof refuses it, and asks again.
    tag: [u8; 4],
    peer: u16,
    /// When the request was passed on.
    passed: Millis,
    /// Where its frame is, once it came.
    frame: Option<RawSlot>,
}

/// A request is passed on again after so many times the time-out of requests.
const PAUSE: u64 = 4;

/// One enrolment is passed on in this time.
const EVERY: u64 = 2_000;

/// Who asked last, and where its frame is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    peer: u16,
    frame: RawSlot,
    next: Millis,
    /// The gateway's challenge for who enrols.
    challenge: Option<RawSlot>,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// A neighbour enrols: `bytes` is its whole frame.
    #[inline(never)]
    pub(crate) fn pass_enrolment(
        &mut self,
        now: Millis,
        from: Peer,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        let uplink = self.uplink_for(from).ok_or(Refusal::NotForMe)?;
        if self.relay.is_some_and(|relay| now < relay.next) {
            return Err(Refusal::RateLimited);
        }
        let frame = self.raw.keep(bytes).ok_or(Refusal::Busy)?;
        self.relay = Some(Relay {
            peer: from.0,
            frame,
            next: now.saturating_add(EVERY),
            challenge: None,
        });
        self.say(uplink, Control::Relay);
        Ok(())
    }

    /// A neighbour wants proofs: only the gateway has them. What was passed on a moment ago, for whomever, is waited for and not passed on again.
    #[inline(never)]
    pub(crate) fn pass_proof_request(
        &mut self,
        now: Millis,
        from: Peer,
        ids: List<'_, Id>,
    ) -> Result<(), Refusal> {
        let uplink = self.uplink_for(from).ok_or(Refusal::NotForMe)?;
        let pause = self.request_timeout.0.saturating_mul(PAUSE);
        for id in ids.iter() {
            let tag = id.tag();
            let under_way = (self.relayed.iter())
                .filter(|a| a.tag == tag && a.frame.is_none())
                .map(|a| a.passed)
                .find(|passed| now < passed.saturating_add(pause));
            self.relayed.retain(|a| a.peer != from.0 || a.tag != tag);
            if self.relayed.is_full() {
                self.relayed.remove(0);
            }
            let _ = self.relayed.push(Asked {
                tag,
                peer: from.0,
                passed: under_way.unwrap_or(now),
                frame: None,
            });
            if under_way.is_none() {
                self.say(uplink, Control::ProofRequest { id });
            }
        }
        Ok(())
    }

    /// A proof came down: to all who wait for it. True: somebody did.
    #[inline(never)]
    pub(crate) fn pass_proof(&mut self, from: Peer, id: &Id, bytes: &[u8]) -> bool {
        let tag = id.tag();
        if !self.peers.is_uplink(from) || !self.relayed.iter().any(|a| a.tag == tag) {
            return false;
        }
        let Some(frame) = self.raw.keep(bytes) else {
            return false;
        };
        let mut waiting: heapless::Vec<Peer, PROOFS> = heapless::Vec::new();
        for asked in self.relayed.iter_mut().filter(|a| a.tag == tag) {
            asked.frame = Some(frame);
            let _ = waiting.push(Peer(asked.peer));
        }
        for &peer in &waiting {
            self.say(peer, Control::Proof { tag });
        }
        true
    }

    pub(crate) fn write_proof(
        &mut self,
        peer: Peer,
        tag: [u8; 4],
        out: &mut [u8],
    ) -> Option<usize> {
        let of = |a: &Asked| a.peer == peer.0 && a.tag == tag;
        let frame = self.relayed.iter().find(|a| of(a))?.frame?;
        self.relayed.retain(|a| !of(a));
        let bytes = self.raw.kept(&frame)?;
        copy(out.get_mut(..bytes.len())?, bytes);
        Some(bytes.len())
    }

    /// Where what this neighbour asks is passed on to: what comes from an uplink would go back there.
    fn uplink_for(&self, from: Peer) -> Option<Peer> {
        let uplink = self.peers.uplink(self.timers.turn)?;
        (!self.peers.is_uplink(from)).then_some(uplink)
    }

    pub(crate) fn write_relay(&self, out: &mut [u8]) -> Option<usize> {
        let bytes = self.raw.kept(&self.relay.as_ref()?.frame)?;
        copy(out.get_mut(..bytes.len())?, bytes);
        Some(bytes.len())
    }

    /// The gateway wants somebody else to attest: to who enrolled last, which drops what is not for it.
    #[inline(never)]
    pub(crate) fn pass_challenge(&mut self, from: Peer, bytes: &[u8]) -> Result<(), Refusal> {
        let is_above = self.peers.is_uplink(from);
        let relay = self.relay.as_mut().filter(|_| is_above);
        let relay = relay.ok_or(Refusal::NotForMe)?;
        relay.challenge = Some(self.raw.keep(bytes).ok_or(Refusal::Busy)?);
        let peer = Peer(relay.peer);
        self.say(peer, Control::Challenge);
        Ok(())
    }

    pub(crate) fn write_challenge(&self, out: &mut [u8]) -> Option<usize> {
        let bytes = self.raw.kept(&self.relay.as_ref()?.challenge?)?;
        copy(out.get_mut(..bytes.len())?, bytes);
        Some(bytes.len())
    }

    /// The gateway's answer to somebody else: to who asked last. It drops what is not for it.
    #[inline(never)]
    pub(crate) fn pass_result(
        &mut self,
        from: Peer,
        device: Id,
        status: EnrolStatus,
        index: Option<MemberIndex>,
    ) -> Result<(), Refusal> {
        let relay = (self.relay.as_ref()).filter(|_| self.peers.is_uplink(from));
        let peer = Peer(relay.ok_or(Refusal::NotForMe)?.peer);
        let result = Control::EnrolResult {
            device,
            status,
            index,
        };
        self.say(peer, result);
        Ok(())
    }

    pub(crate) fn write_result(
        device: Id,
        status: EnrolStatus,
        index: Option<MemberIndex>,
        out: &mut [u8],
    ) -> Option<usize> {
        let frame = Frame::EnrolResult {
            device,
            status,
            index,
        };
        frame.write([0; 4], out).ok()
    }
}
