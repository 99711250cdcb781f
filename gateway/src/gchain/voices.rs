//! What validators say of anchored headers, gathered by the gateway: devices get it once it is a quorum, and in as few frames as it fits.
//!
//! Invariant: a voice counts here only where the header that it is about is settled here and the signature holds. What goes on is checked again by the own node, which
//! passes it on to its neighbours as any node does.

use crate::daemon::Shared;
use crate::epoch::hash_of;
use crate::service::write;
use anyhow::Result;
use iotedge_core::crypto::Software;
use iotedge_core::posp::Anchored;
use iotedge_core::wire::frame::MAX_VOTES;
use iotedge_core::wire::{Frame, List, Vote};
use iotedge_core::{HeaderNumber, Millis};
use std::collections::{BTreeMap, VecDeque};
use tracing::{info, warn};

/// Statements that are gathered at once: the newest.
const STATEMENTS: usize = 4;
/// Between two frames of one quorum: a node passes on one at a time.
const PAUSE: u64 = 100;

/// See the module.
#[derive(Debug, Default)]
pub struct Voices {
    /// By header and block: votes by index.
    heard: BTreeMap<(HeaderNumber, u64), BTreeMap<u8, Vote>>,
    frames: VecDeque<Vec<u8>>,
    /// The newest header of which a quorum was passed on.
    told: HeaderNumber,
    due: Millis,
    refused: u64,
}

impl Voices {
    /// Counts what holds.
    ///
    /// # Errors
    /// The store failed.
    pub fn hear(
        &mut self,
        shared: &Shared,
        number: HeaderNumber,
        block: u64,
        votes: impl Iterator<Item = Vote>,
    ) -> Result<()> {
        let Some(n) = (shared.neighbourhood.as_ref()).filter(|_| number > self.told) else {
            return Ok(());
        };
        let settled = shared.store.header(number)?.filter(|h| h.settled);
        let Some(header) = settled.and_then(|h| hash_of(&h.cose)) else {
            return Ok(());
        };
        let said = Anchored {
            neighbourhood: n.trust.neighbourhood,
            number,
            header,
            block,
        };
        let heard = self.heard.entry((number, block)).or_default();
        for vote in votes {
            let Ok(validator) = n.trust.set.get(vote.index) else {
                continue;
            };
            if heard.contains_key(&vote.index) {
                continue;
            }
            match said.verify(&validator.key, &vote.signature, &mut Software) {
                Ok(()) => drop(heard.insert(vote.index, vote)),
                Err(_) => {
                    self.refused += 1;
                    warn!(
                        validator = vote.index,
                        header = number.0,
                        block,
                        "what it says of an anchored header does not hold"
                    );
                }
            }
        }
        let stake = |v: &Vote| n.trust.set.get(v.index).map_or(0, |v| u128::from(v.stake));
        if n.trust.set.is_quorum(heard.values().map(stake).sum()) {
            info!(header = number.0, block, "anchored, a quorum says");
            let all: Vec<Vote> = heard.values().copied().collect();
            for votes in all.chunks(MAX_VOTES) {
                let frame = Frame::Anchored {
                    header: number,
                    block,
                    votes: List::of(votes),
                };
                self.frames
                    .push_back(write(&frame, n.trust.neighbourhood.tag()));
            }
            self.told = number;
        }
        let told = self.told;
        self.heard.retain(|(of, _), _| *of > told);
        while self.heard.len() > STATEMENTS {
            self.heard.pop_first();
        }
        Ok(())
    }

    /// Gives the own node what a quorum says, a frame at a time.
    pub fn tick(&mut self, shared: &mut Shared, now: Millis) {
        if now < self.due {
            return;
        }
        if let Some(frame) = self.frames.pop_front() {
            self.due = Millis(now.0 + PAUSE);
            shared.feed(frame);
        }
    }

    /// Frames that wait for the own node.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.frames.len()
    }

    /// Voices that do not hold.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}
