//! What a link remembers of each neighbour: datagram ids, what was just completed, and how far its context is trusted.
//!
//! Invariant: trust only chooses how much is left out of a frame; where it was too high, one small packet asks for the whole form, and
//! trust falls. A neighbour that cannot rebuild anything gets 63 of 64 frames whole.

use super::rule::{Hope, Rule};
use crate::{Millis, Peer};

const DONE: usize = 4;
/// Frames after the first refusal before more is tried again.
const SPAN: u8 = 8;
const LONGEST_SPAN: u8 = 64;
/// Frames are sent whole from this level on.
const WHOLE: u8 = 2;

#[derive(Clone, Copy, Debug, Default)]
struct Trust {
    /// 0: what is held here is expected there; 1: only what is known to be there; 2: nothing.
    level: u8,
    left: u8,
    span: u8,
}

impl Trust {
    fn next(&mut self) -> u8 {
        let level = self.level;
        if level > 0 {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                self.level = level.saturating_sub(1);
                self.span = (self.span / 2).max(SPAN);
                self.left = self.span;
            }
        }
        level
    }

    fn refuse(&mut self, hope: u8) {
        self.level = self.level.max(hope.saturating_add(1)).min(WHOLE);
        self.span = self.span.saturating_mul(4).clamp(SPAN, LONGEST_SPAN);
        self.left = self.span;
    }
}

/// A neighbour of a link.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkPeer {
    used: bool,
    pub(super) peer: Peer,
    next_id: u8,
    done: [Option<(u8, Millis)>; DONE],
    done_at: u8,
    wanted: [Option<u16>; 2],
    trust: [Trust; 3],
}

impl LinkPeer {
    /// A name for the next datagram in fragments.
    pub(super) fn take_id(&mut self) -> u8 {
        let id = self.next_id & 0x7f;
        self.next_id = self.next_id.wrapping_add(1);
        id
    }

    /// How much to leave out of the next frame; `None`: nothing.
    pub(super) fn hope(&mut self, rule: Rule) -> Option<(u8, Hope)> {
        let level = self.trust.get_mut(rule as usize)?.next();
        match level {
            0 => Some((0, Hope::All)),
            1 => Some((1, Hope::Known)),
            _ => None,
        }
    }

    /// The neighbour could not rebuild a frame.
    pub(super) fn refuse(&mut self, rule: Rule, hope: u8) {
        if let Some(trust) = self.trust.get_mut(rule as usize) {
            trust.refuse(hope);
        }
    }

    /// Remembers to ask for the whole form of a frame. What does not fit is lost like a packet is.
    pub(super) fn want(&mut self, check: u16) {
        if !self.wanted.contains(&Some(check))
            && let Some(free) = self.wanted.iter_mut().find(|w| w.is_none())
        {
            *free = Some(check);
        }
    }

    /// The next one to ask for.
    pub(super) fn next_wanted(&mut self) -> Option<u16> {
        self.wanted.iter_mut().find_map(Option::take)
    }

    pub(super) fn wants(&self) -> bool {
        self.wanted.iter().any(Option::is_some)
    }

    /// Remembers a datagram, so that late fragments of it do not begin it anew.
    pub(super) fn complete(&mut self, id: u8, now: Millis) {
        if let Some(place) = self.done.get_mut(usize::from(self.done_at)) {
            *place = Some((id, now));
        }
        self.done_at = self.done_at.wrapping_add(1) & 3;
    }

    /// Whether a datagram was completed less than `lifetime` ago.
    pub(super) fn is_done(&self, id: u8, now: Millis, lifetime: Millis) -> bool {
        let mut done = self.done.iter().flatten();
        done.any(|(d, at)| *d == id && now < at.saturating_add(lifetime.0))
    }
}

/// The neighbours over caller memory.
#[derive(Debug)]
pub(super) struct LinkPeers<'m>(pub &'m mut [LinkPeer]);

impl LinkPeers<'_> {
    pub(super) fn find(&mut self, peer: Peer) -> Option<&mut LinkPeer> {
        self.0.iter_mut().find(|p| p.used && p.peer == peer)
    }

    pub(super) fn add(&mut self, peer: Peer) -> bool {
        if self.find(peer).is_some() {
            return true;
        }
        let free = self.0.iter_mut().find(|p| !p.used);
        free.is_some_and(|place| {
            *place = LinkPeer {
                used: true,
                peer,
                ..LinkPeer::default()
            };
            true
        })
    }

    pub(super) fn remove(&mut self, peer: Peer) {
        if let Some(place) = self.find(peer) {
            *place = LinkPeer::default();
        }
    }
}
