//! A host's radio with the core's link layer before it: frames wait, become packets, and go on air one after another.
//!
//! As on a device, the node is asked for a frame only while the link has room, so what the radio cannot carry is collected in the node and not
//! piled up before the radio. What does not come from a node (a gateway's process, an actor, what a device hands on) waits here, and is dropped when
//! that takes longer than the radio's patience. Invariant: one packet is on air at a time, and the rest after it is kept.

use crate::gateway::SimNode;
use crate::link::{Arrival, Links, Sender};
use crate::memory::LinkSlab;
use crate::radio::Radio;
use crate::scenario::Scenario;
use iotedge_core::link::{Link, LinkCounters, LinkError, LinkLimits};
use iotedge_core::node::Peer;
use iotedge_core::{MAX_FRAME, Millis};
use std::collections::VecDeque;

/// The longest packet of any radio fits.
const PACKET: usize = 512;

/// So many frames of a gateway's node wait beside those of its process: the node speaks to others than the radio reaches, too, and gets its share of
/// a radio that the process would fill. A device's node waits itself.
const SPARE: usize = 8;

/// A frame that the link has no room for yet.
#[derive(Debug)]
struct Waiting {
    since: u64,
    to: u16,
    frame: Box<[u8]>,
    /// It came from the node.
    own: bool,
}

/// Now, in the run's time and in the host's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub now: u64,
    pub local: Millis,
}

/// A radio and its link layer.
#[derive(Debug)]
pub(crate) struct Air<'m> {
    radio: Radio,
    link: Link<'m>,
    /// Bytes that were lent to the link.
    lent: usize,
    waiting: VecDeque<Waiting>,
    /// The node is speaking now: what comes is its own.
    pub node_speaks: bool,
    /// Frames of the node that may wait here.
    spare: usize,
    /// When it has to be looked at next, in ms of the run.
    pub wake: u64,
}

impl<'m> Air<'m> {
    /// What the link of a host has room for; `None`: its frames go whole, and only members are on the radio. A gateway is a computer, a device has
    /// what `LinkLimits::SMALL` says.
    pub fn limits(scenario: &Scenario, host: u16, peers: &[u16]) -> Option<LinkLimits> {
        scenario.radio?.mtu()?;
        if host >= scenario.nodes {
            return None;
        }
        let peers = peers.iter().filter(|p| **p < scenario.nodes).count();
        let mut limits = LinkLimits {
            peers: u16::try_from(peers.max(1)).ok()?,
            ..LinkLimits::SMALL
        };
        if host == 0 {
            limits.outgoing = 16;
            limits.incoming = limits.incoming.max(limits.peers);
        }
        Some(limits)
    }

    /// A radio without neighbours.
    ///
    /// # Errors
    /// [`LinkError::Config`] where the radio has no link layer.
    pub fn new(
        radio: Radio,
        host: u16,
        slab: &'m mut LinkSlab,
        limits: LinkLimits,
    ) -> Result<Self, LinkError> {
        let config = radio.link(host == 0).ok_or(LinkError::Config)?;
        Ok(Self {
            radio,
            lent: slab.size(),
            link: Link::new(slab.lend(), limits, config)?,
            waiting: VecDeque::new(),
            node_speaks: false,
            spare: match host {
                0 => SPARE,
                _ => 0,
            },
            wake: u64::MAX,
        })
    }

    /// The host starts: nothing is known of these.
    pub fn up(&mut self, peers: impl Iterator<Item = u16>) -> Result<(), LinkError> {
        for peer in peers {
            self.link.remove_peer(Peer(peer));
            self.link.add_peer(Peer(peer))?;
        }
        Ok(())
    }

    /// The host loses power: what waited is gone.
    pub fn down(&mut self) {
        self.waiting.clear();
        self.wake = u64::MAX;
    }

    /// Whether a frame may be taken out of the node.
    pub fn has_room(&self) -> bool {
        let own = self.waiting.iter().filter(|w| w.own).count();
        own < self.spare || self.waiting.is_empty() && self.link.has_room()
    }

    /// Takes a frame. After it, [`Self::pump`].
    pub fn send(&mut self, now: u64, to: u16, frame: &[u8]) {
        self.waiting.push_back(Waiting {
            since: now,
            to,
            frame: frame.into(),
            own: self.node_speaks,
        });
    }

    /// Takes a packet; gives the frame that it completes. After it, [`Self::pump`].
    pub fn receive(
        &mut self,
        at: Moment,
        from: u16,
        packet: &[u8],
        node: &SimNode<'_>,
    ) -> Option<Box<[u8]>> {
        let mut frame = [0; MAX_FRAME];
        let whole = self
            .link
            .receive(at.local, Peer(from), packet, node, &mut frame);
        let len = whole.ok().flatten()?;
        frame.get(..len).map(Into::into)
    }

    /// Puts on air what the radio has time for now, and plans when to look again.
    pub fn pump(
        &mut self,
        at: Moment,
        from: u16,
        (links, sender): (&Links, &mut Sender),
        node: &SimNode<'_>,
        mut arrive: impl FnMut(u16, Arrival),
    ) {
        let mut packet = [0; PACKET];
        loop {
            self.fill(at, sender, node);
            if sender.is_busy(at.now) {
                break;
            }
            let Some((to, len)) = self.link.next_packet(at.local, &mut packet) else {
                break;
            };
            let Some(bytes) = packet.get(..len) else {
                break;
            };
            if let Some(arrival) = links.packet(sender, self.radio, at.now, (from, to.0), bytes) {
                arrive(to.0, arrival);
            }
        }
        let due = self.link.next_deadline(at.local);
        self.wake = due.map_or(u64::MAX, |due| {
            let wait = due.saturating_sub(at.local.0).0;
            (at.now + wait).max(sender.free()).max(at.now + 1)
        });
    }

    /// Hands what waits to the link.
    fn fill(&mut self, at: Moment, sender: &mut Sender, node: &SimNode<'_>) {
        while let Some(first) = self.waiting.front() {
            let old = at.now - first.since > self.radio.patience();
            if !old && !self.link.has_room() {
                return;
            }
            if let Some(first) = self.waiting.pop_front() {
                let sent = match old {
                    true => Err(LinkError::Busy),
                    false => self.link.send(at.local, Peer(first.to), &first.frame, node),
                };
                // To nobody in range, or longer than any frame: an actor's, which nobody would hear.
                sender.crowded += u64::from(sent.is_err());
            }
        }
    }

    /// Bytes of the link and everything lent to it.
    pub fn memory(&self) -> usize {
        self.lent + size_of::<Link<'_>>()
    }

    /// What its link counted.
    pub fn counters(&self) -> LinkCounters {
        self.link.counters()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_on_narrow_radios_have_links_and_nobody_else() {
        let peers = [0, 2, 3, 31, 32];
        let of = |radio, host| Air::limits(&Scenario::large(1, 30, 20).on(radio), host, &peers);
        for (_, radio) in Radio::ALL {
            let device = of(radio, 1);
            assert_eq!(device.is_some(), radio.mtu().is_some());
            assert_eq!(of(radio, 30), None, "a validator is wired");
            let Some((device, gateway)) = device.zip(of(radio, 0)) else {
                continue;
            };
            assert_eq!((device.peers, gateway.peers), (3, 3), "so are its links");
            assert!(gateway.outgoing > device.outgoing);
            let mut slab = LinkSlab::new(&device).expect("limits in range");
            let most = slab.size() + size_of::<Link<'_>>();
            let air = Air::new(radio, 1, &mut slab, device).expect("a link");
            assert!(air.has_room() && air.memory() == most && most < 16_384);
        }
    }
}
