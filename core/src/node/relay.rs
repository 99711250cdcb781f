//! Passing on the enrolment of a device that does not reach the gateway: mostly a leaf, which hears its head and the nodes around it.
//!
//! Invariant: a node vouches for nothing here. The frame proves itself to the gateway (protocol section 2.2), the answer to nobody: who asked learns
//! that it is a member from its proved record. One frame waits at a time, in the ring of transaction bytes, and one is passed on in two seconds, so
//! strangers can use up neither memory nor the uplink.

use super::Node;
use super::event::{Peer, Refusal};
use super::gossip::Control;
use super::raw::RawSlot;
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::wire::{EnrolStatus, Frame};
use crate::{Id, MemberIndex, Millis};

/// One enrolment is passed on in this time.
const EVERY: u64 = 2_000;

/// Who asked last, and where its frame is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    peer: u16,
    frame: RawSlot,
    next: Millis,
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// A neighbour enrols: `bytes` is its whole frame.
    pub(crate) fn pass_enrolment(
        &mut self,
        now: Millis,
        from: Peer,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        // What comes from an uplink would go back there.
        let below = self.peers.place(from).and_then(|p| self.peers.get(p));
        let uplink = self.peers.uplink(self.timers.turn);
        let (Some(uplink), false) = (uplink, below.is_none_or(|p| p.uplink)) else {
            return Err(Refusal::NotForMe);
        };
        if self.relay.is_some_and(|relay| now < relay.next) {
            return Err(Refusal::RateLimited);
        }
        let frame = self.raw.keep(bytes).ok_or(Refusal::Busy)?;
        self.relay = Some(Relay {
            peer: from.0,
            frame,
            next: now.saturating_add(EVERY),
        });
        self.say(uplink, Control::Relay);
        Ok(())
    }

    pub(crate) fn write_relay(&self, out: &mut [u8]) -> Option<usize> {
        let bytes = self.raw.kept(&self.relay.as_ref()?.frame)?;
        out.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(bytes.len())
    }

    /// The gateway's answer to somebody else: to who asked last. It drops what is not for it.
    pub(crate) fn pass_result(
        &mut self,
        from: Peer,
        device: Id,
        status: EnrolStatus,
        index: Option<MemberIndex>,
    ) -> Result<(), Refusal> {
        let above = self.peers.place(from).and_then(|p| self.peers.get(p));
        let relay = self
            .relay
            .as_ref()
            .filter(|_| above.is_some_and(|p| p.uplink));
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
