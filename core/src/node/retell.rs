//! Own transactions that no window holds any more, told again from the own store.
//!
//! After a partition that outlasted the windows, a member's chain has gaps everywhere but in its own store, which keeps each transaction until its
//! receipt. Whoever asks for one, or says in a SYNC that it lacks it, gets it from there, with the full ids of its parents beside it.

use super::event::Peer;
use super::gossip::written;
use super::intake::split;
use super::own::{STORED_MAX, Stored};
use super::{Node, keys};
use crate::copy::copy;
use crate::crypto::Verify;
use crate::platform::Platform;
use crate::tx::{Attachment, Stub};
use crate::wire::FrameType;
use crate::wire::list::List;
use crate::{MAX_PARENTS, Number, Prefix};
use heapless::Vec;

/// Own transactions that one SYNC is answered with.
const AT_ONCE: usize = 16;

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// Somebody wants an own transaction that is not in the window.
    pub(crate) fn retell(&mut self, place: u16, prefix: &Prefix) {
        let own = self.own.iter();
        let number = own
            .filter(|f| f.own && f.id.prefix() == *prefix)
            .map(|f| f.number)
            .next();
        if let Some(number) = number {
            self.queue_retelling(place, number);
        }
    }

    /// A neighbour knows the own chain up to this number.
    pub(crate) fn retell_above(&mut self, place: u16, known: Number) {
        let mut last = known;
        for _ in 0..AT_ONCE {
            let next = self.own.iter().filter(|f| f.own && f.number > last);
            let Some((number, id)) = next.map(|f| (f.number, f.id)).min() else {
                return;
            };
            // From here on the window answers.
            if self.tangle.contains(&id) {
                return;
            }
            self.queue_retelling(place, number);
            last = number;
        }
    }

    fn queue_retelling(&mut self, place: u16, number: Number) {
        if !self.retelling.iter().any(|r| *r == (place, number)) {
            // A full queue drops the newest: it is asked for again.
            let _ = self.retelling.push_back((place, number));
        }
    }

    pub(crate) fn next_retelling(&mut self, out: &mut [u8]) -> Option<(Peer, usize)> {
        while let Some((place, number)) = self.retelling.pop_front() {
            let Some(peer) = self.peers.get(usize::from(place)).map(|p| Peer(p.handle)) else {
                continue;
            };
            if let Some(len) = self.write_stored(number, out) {
                return Some((peer, len));
            }
        }
        None
    }

    #[inline(never)]
    fn write_stored(&mut self, number: Number, out: &mut [u8]) -> Option<usize> {
        let mut buffer = [0u8; STORED_MAX];
        let key = keys::own(&self.limits, number.0);
        let len = self.platform.get(key, &mut buffer).ok()??;
        let stored = Stored::read(buffer.get(..len)?).ok()?;
        if stored.followed.number != number {
            return None;
        }
        let (cose, attachment) = split(stored.body).ok()?;
        let mut stubs: Vec<Stub, MAX_PARENTS> = Vec::new();
        for (position, id) in (0u8..).zip(&stored.parents).skip(1) {
            let _ = stubs.push(Stub::of(position, id));
        }
        let came = attachment.and_then(|a| Attachment::parse(a).ok());
        let attachment = Attachment {
            stubs: List::of(&stubs),
            proof: came.and_then(|a| a.proof),
        };
        let (head, body) = out.split_at_mut_checked(5)?;
        let (tag, kind) = head.split_at_mut_checked(4)?;
        copy(tag, &self.neighbourhood.tag());
        copy(kind, &[FrameType::Tx.number()]);
        copy(body.get_mut(..cose.len())?, cose);
        if let Some(len) = written(&attachment, cose.len(), out) {
            return Some(len);
        }
        let whole = stored.body.len().checked_add(5)?;
        copy(out.get_mut(5..whole)?, stored.body);
        Some(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Peer;
    use crate::node::harness::Network;
    use crate::wire::Frame;
    use crate::{Id, MAX_FRAME, MemberIndex, Millis};

    /// What node 4 says to node 0 within the next milliseconds, without the wire.
    fn said(net: &mut Network) -> std::vec::Vec<std::vec::Vec<u8>> {
        let (now, mut out, mut said) = (Millis(net.now), [0; MAX_FRAME], vec![]);
        while let Some((to, len)) = net.node(4).next_frame(now, &mut out) {
            if to == Peer(0) && out[4] == FrameType::Tx.number() {
                said.push(out[..len].to_vec());
            }
        }
        said
    }

    #[test]
    fn what_only_the_own_store_holds_is_told_to_who_asks() {
        let mut net = Network::started(5);
        net.traffic(3);
        net.cut = (0..4).map(|p| (4, p)).collect();
        net.traffic(3);
        let chain: std::vec::Vec<(Number, Id)> = net
            .node(4)
            .own
            .iter()
            .filter(|f| f.own)
            .map(|f| (f.number, f.id))
            .collect();
        let (last, id) = *chain.iter().max().unwrap();
        let known = net.node(0).tangle.highest(MemberIndex(4));
        assert!(last.0 > known.0 + 1, "{last} {known}");
        said(&mut net);
        // The window would answer; what it would say is what the store says, but for the ids beside it.
        let mut stored = [0; MAX_FRAME];
        let len = net.node(4).write_stored(last, &mut stored).unwrap();
        net.node(4).retell(0, &id.prefix());
        assert_eq!(said(&mut net), [stored[..len].to_vec()]);
        // Where it stood on others' tips, their ids go beside it.
        let beside = (1..=last.0).any(|number| {
            let len = net
                .node(4)
                .write_stored(Number(number), &mut stored)
                .unwrap();
            let (_, frame) = Frame::parse(&stored[..len]).unwrap();
            matches!(
                frame,
                Frame::Tx {
                    attachment: Some(_),
                    ..
                }
            )
        });
        assert!(beside);
        // In order each is taken.
        let missing = net
            .node(0)
            .counters()
            .refused(crate::node::Refusal::UnknownParent);
        let now = Millis(net.now);
        for number in known.0 + 1..=last.0 {
            let len = net
                .node(4)
                .write_stored(Number(number), &mut stored)
                .unwrap();
            let _ = net.node(0).receive(now, Peer(4), &stored[..len]);
        }
        assert_eq!(net.node(0).tangle.highest(MemberIndex(4)), last);
        assert_eq!(
            net.node(0)
                .counters()
                .refused(crate::node::Refusal::UnknownParent),
            missing
        );
        // Nothing for who knows it all, nothing while the window answers, and nothing that is not its own.
        net.node(4).retell_above(0, last);
        net.node(4).retell_above(0, known);
        net.node(4).retell(0, &Id([9; 32]).prefix());
        assert!(net.node(4).retelling.is_empty());
    }
}
