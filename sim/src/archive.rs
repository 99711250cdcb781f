//! What the GL-node's database keeps of transactions: the gateway's (`gateway/src/daemon.rs`, `service.rs`) as far as an outage shows it.
//!
//! Everything that its node inserts is kept before anything leaves. After a restart the newest epochs are shown to the node again, and who asks for
//! what the window no longer has gets it from here.

use crate::gateway::SimNode;
use iotedge_core::node::Peer;
use iotedge_core::tx::Unverified;
use iotedge_core::wire::{Frame, FrameType};
use iotedge_core::{Epoch, Millis, Prefix};
use std::collections::HashMap;

/// Epochs before the open one that are shown again after a restart.
const REPLAYED: u32 = 2;
/// Old transactions that one request is answered with.
const OLD: usize = 16;
/// Frames shown before the place of who shows them is made anew: its rate is a neighbour's.
const CHUNK: usize = 64;

#[derive(Debug)]
struct Kept {
    epoch: Epoch,
    parents: Vec<Prefix>,
    frame: Vec<u8>,
}

/// The table `tx`.
#[derive(Debug)]
pub struct Archive {
    tag: [u8; 4],
    kept: Vec<Kept>,
    places: HashMap<Prefix, usize>,
    /// Insertion number up to which the node's window is kept.
    stored: u32,
    /// The node came up and was shown nothing yet.
    empty: bool,
}

impl Archive {
    /// Of a neighbourhood with this tag.
    #[must_use]
    pub fn new(tag: [u8; 4]) -> Self {
        Self {
            tag,
            kept: Vec::new(),
            places: HashMap::new(),
            stored: 0,
            empty: false,
        }
    }

    /// The node lost its memory.
    pub fn restarted(&mut self) {
        self.stored = 0;
        self.empty = true;
    }

    /// Keeps what is new in the window; shows it all to a node that has come up, as soon as that can take it.
    pub fn follow(&mut self, now: Millis, node: &mut SimNode<'_>, own: Peer) {
        if self.empty {
            let opens = node.headers().newest().opens();
            if node.tables().records(opens).is_none() {
                return;
            }
            self.replay(now, node, own, opens);
            self.empty = false;
        }
        let next = node.tangle().next_sequence();
        if self.stored == next {
            return;
        }
        for (_, facts) in node.tangle().since(self.stored) {
            let prefix = facts.id.prefix();
            let raw = node
                .raw(&facts.id)
                .filter(|_| !self.places.contains_key(&prefix));
            if let Some(kept) = raw.and_then(|raw| self.entry(facts.epoch, raw)) {
                self.places.insert(prefix, self.kept.len());
                self.kept.push(kept);
            }
        }
        self.stored = next;
    }

    fn entry(&self, epoch: Epoch, raw: &[u8]) -> Option<Kept> {
        let mut frame = self.tag.to_vec();
        frame.push(FrameType::Tx.number());
        frame.extend_from_slice(raw);
        let Ok((_, Frame::Tx { cose, .. })) = Frame::parse(&frame) else {
            return None;
        };
        let tx = Unverified::parse(cose).ok()?;
        let parents = tx.payload().parents.as_slice().to_vec();
        Some(Kept {
            epoch,
            parents,
            frame,
        })
    }

    /// In the order in which they came. What a settled cut covers is not taken into the window again; as a parent it is shown just before its child.
    fn replay(&self, now: Millis, node: &mut SimNode<'_>, own: Peer, opens: Epoch) {
        let new = |kept: &&Kept| kept.epoch.0 + REPLAYED >= opens.0;
        let new: Vec<&Kept> = self.kept.iter().filter(new).collect();
        for chunk in new.chunks(CHUNK) {
            node.remove_peer(own);
            let _ = node.add_peer(now, own, true);
            for kept in chunk {
                for parent in &kept.parents {
                    let held = node.tangle().lookup(parent).next().is_some();
                    let place = self.places.get(parent).filter(|_| !held);
                    if let Some(parent) = place.and_then(|at| self.kept.get(*at)) {
                        let _ = node.receive(now, own, &parent.frame);
                    }
                }
                let _ = node.receive(now, own, &kept.frame);
            }
        }
    }

    /// The frames for a request that the node's window cannot answer.
    #[must_use]
    pub fn answer(&self, node: &SimNode<'_>, frame: &[u8]) -> Vec<Vec<u8>> {
        let Ok((_, Frame::Request(prefixes))) = Frame::parse(frame) else {
            return Vec::new();
        };
        let gone = |prefix: &Prefix| {
            let mut held = node.tangle().lookup(prefix);
            !held.any(|id| node.raw(&id).is_some())
        };
        let places = prefixes.iter().filter(gone);
        let kept = places.filter_map(|prefix| self.kept.get(*self.places.get(&prefix)?));
        kept.take(OLD).map(|kept| kept.frame.clone()).collect()
    }
}
