//! The memory that a node lives in: slices that the caller gives.

use super::aside::Aside;
use super::bucket::MemberBucket;
use super::config::{InitError, Limits};
use super::event::Event;
use super::gossip::Said;
use super::headers::HeaderProof;
use super::outbox::OutSlot;
use super::own::Followed;
use super::peers::{PeerState, known_words};
use super::raw::RawSlot;
use super::wants::Want;
use crate::identity::Record;
use crate::tangle::{self, Member, TangleMemory, Tracked, Vertex, Work};
use crate::{Id, Millis, Number};

/// Transactions that can be asked for at once, where the limits do not say it.
const WANTS: u16 = 256;
/// Settled headers whose votes and paths are kept, where the limits do not say it.
const HEADER_PROOFS: u16 = 3;
/// Transactions whose finality is followed at once, where the limits do not say it.
const TRACKED: u16 = 64;

/// Events that wait, where the limits do not say it.
const QUEUE: u16 = 64;

/// How many elements each slice needs for given limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of the slices of the tangle.
    pub tangle: tangle::Sizes,
    /// Of each of the three tables in `records`.
    pub records: usize,
    /// Of each of the three slices in `classes`.
    pub classes: usize,
    /// Of `raw`.
    pub raw: usize,
    /// Of `raw_slots`.
    pub raw_slots: usize,
    /// Of `known`.
    pub known: usize,
    /// Of `peers`.
    pub peers: usize,
    /// Of `aside`.
    pub aside: usize,
    /// Of `wants`.
    pub wants: usize,
    /// Of `outbox`.
    pub outbox: usize,
    /// Of `own`.
    pub own: usize,
    /// Of `buckets`.
    pub buckets: usize,
    /// Of `headers`.
    pub headers: usize,
    /// Of `stubs`.
    pub stubs: usize,
    /// Of `ghosts`.
    pub ghosts: usize,
    /// Of `said`.
    pub said: usize,
    /// Of `sending`.
    pub sending: usize,
    /// Of `events`.
    pub events: usize,
    /// Of `work` and `order`.
    pub work: usize,
    /// Of `weights`.
    pub weights: usize,
}

impl Limits {
    /// How many elements each slice needs.
    ///
    /// # Errors
    /// [`InitError::Limits`].
    pub const fn sizes(&self) -> Result<Sizes, InitError> {
        if let Err(error) = self.check() {
            return Err(error);
        }
        let limits = tangle::Limits {
            capacity: self.window as usize,
            members: self.members as usize,
            tracked: Self::or(self.tracked as u16, TRACKED),
        };
        let Ok(mut tangle) = limits.sizes() else {
            return Err(InitError::Limits);
        };
        // Who reads the records from the store does not close epochs.
        if self.cached().is_some() {
            tangle.settled = 0;
        }
        Ok(Sizes {
            tangle,
            // With a place for the own record.
            records: match self.cached() {
                Some(cached) => cached.wrapping_add(1),
                None => self.members as usize,
            },
            classes: match self.cached() {
                Some(_) => (self.members as usize).div_ceil(2),
                None => 0,
            },
            raw: self.raw as usize,
            raw_slots: self.window as usize,
            known: (self.window as usize).saturating_mul(known_words(self.peers as usize)),
            peers: self.peers as usize,
            aside: self.aside as usize,
            wants: Self::or(self.wants, WANTS),
            outbox: self.outbox as usize,
            own: self.own as usize,
            buckets: if self.buckets < self.members {
                Self::or(self.buckets, self.members)
            } else {
                self.members as usize
            },
            headers: Self::or(self.headers as u16, HEADER_PROOFS),
            stubs: Self::or(self.queue, QUEUE).div_ceil(2),
            ghosts: Self::or(self.queue, QUEUE),
            said: Self::or(self.queue, QUEUE),
            sending: Self::or(self.queue, QUEUE).saturating_mul(4),
            events: Self::or(self.queue, QUEUE),
            work: if self.weights {
                self.window as usize
            } else {
                0
            },
            weights: if self.weights {
                self.members as usize
            } else {
                0
            },
        })
    }
}

const fn bytes<T>(count: usize) -> usize {
    count.saturating_mul(size_of::<T>())
}

impl Sizes {
    /// What each part takes, by name, on the target that this is compiled for; `size_of::<Node<_, _>>()` comes on top.
    #[must_use]
    pub const fn parts(&self) -> [(&'static str, usize); 26] {
        [
            ("vertices", bytes::<Vertex>(self.tangle.vertices)),
            ("index of vertices", bytes::<u32>(self.tangle.index)),
            ("tips", bytes::<u16>(self.tangle.tips)),
            ("marks", bytes::<u64>(self.tangle.marks)),
            ("members", bytes::<Member>(self.tangle.members)),
            (
                "what members have of what is followed",
                bytes::<u8>(self.tangle.sets),
            ),
            ("settled numbers", bytes::<Number>(self.tangle.settled)),
            (
                "followed in the window",
                bytes::<Tracked>(self.tangle.tracked),
            ),
            (
                "member records",
                bytes::<Record>(self.records.saturating_mul(3)),
            ),
            (
                "member weights",
                bytes::<u8>(self.classes.saturating_mul(3)),
            ),
            ("bytes for neighbours", bytes::<u8>(self.raw)),
            ("where they are", bytes::<RawSlot>(self.raw_slots)),
            ("which neighbour has what", bytes::<u32>(self.known)),
            ("neighbours", bytes::<PeerState>(self.peers)),
            ("set aside", bytes::<Aside>(self.aside)),
            ("wants", bytes::<Want>(self.wants)),
            ("outbox", bytes::<OutSlot>(self.outbox)),
            ("own and received", bytes::<Followed>(self.own)),
            ("token buckets", bytes::<MemberBucket>(self.buckets)),
            ("header proofs", bytes::<HeaderProof>(self.headers)),
            ("settled stubs", bytes::<(Id, Millis)>(self.stubs)),
            ("ids that left", bytes::<(Id, Millis)>(self.ghosts)),
            ("frames to say", bytes::<Said>(self.said)),
            ("vertices to send", bytes::<(u16, u32)>(self.sending)),
            ("events", bytes::<Option<Event>>(self.events)),
            (
                "working memory",
                bytes::<Work>(self.work)
                    .saturating_add(bytes::<u16>(self.work))
                    .saturating_add(bytes::<u64>(self.weights)),
            ),
        ]
    }
}

/// The slices. Their first contents do not matter. They belong to the node until `Node::into_parts`.
#[derive(Debug)]
pub struct Memory<'m> {
    /// Of the tangle.
    pub tangle: TangleMemory<'m>,
    /// Three member tables, or the part of them that is in memory.
    pub records: [&'m mut [Record]; 3],
    /// The weights of their members; empty where all records are in memory.
    pub classes: [&'m mut [u8]; 3],
    /// Bytes of transactions.
    pub raw: &'m mut [u8],
    /// Where they are.
    pub raw_slots: &'m mut [RawSlot],
    /// Which neighbour has which vertex.
    pub known: &'m mut [u32],
    /// The neighbours.
    pub peers: &'m mut [PeerState],
    /// Transactions set aside.
    pub aside: &'m mut [Aside],
    /// Transactions asked for.
    pub wants: &'m mut [Want],
    /// Submissions.
    pub outbox: &'m mut [OutSlot],
    /// Followed transactions.
    pub own: &'m mut [Followed],
    /// Token buckets of members.
    pub buckets: &'m mut [MemberBucket],
    /// Settled headers.
    pub headers: &'m mut [HeaderProof],
    /// Settled transactions that others still stand on, and when they were.
    pub stubs: &'m mut [(Id, Millis)],
    /// What left the window by count.
    pub ghosts: &'m mut [(Id, Millis)],
    /// What is to be said to neighbours.
    pub said: &'m mut [Said],
    /// Asked for by neighbours: their places, and the vertices.
    pub sending: &'m mut [(u16, u32)],
    /// Events.
    pub events: &'m mut [Option<Event>],
    /// Working memory; empty where `Limits::weights` is false.
    pub work: &'m mut [Work],
    /// As `work`.
    pub order: &'m mut [u16],
    /// As `work`.
    pub weights: &'m mut [u64],
}

impl Memory<'_> {
    /// Whether every slice is long enough.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), InitError> {
        let sizes = limits.sizes()?;
        let enough = self.records.iter().all(|r| r.len() >= sizes.records)
            && self.classes.iter().all(|c| c.len() >= sizes.classes)
            && self.raw.len() >= sizes.raw
            && self.raw_slots.len() >= sizes.raw_slots
            && self.known.len() >= sizes.known
            && self.peers.len() >= sizes.peers
            && self.aside.len() >= sizes.aside
            && self.wants.len() >= sizes.wants
            && self.outbox.len() >= sizes.outbox
            && self.own.len() >= sizes.own
            && self.buckets.len() >= sizes.buckets
            && self.headers.len() >= sizes.headers
            && self.stubs.len() >= sizes.stubs
            && self.ghosts.len() >= sizes.ghosts
            && self.said.len() >= sizes.said
            && self.sending.len() >= sizes.sending
            && self.events.len() >= sizes.events
            && self.work.len() >= sizes.work
            && self.order.len() >= sizes.work
            && self.weights.len() >= sizes.weights;
        if enough {
            Ok(())
        } else {
            Err(InitError::Memory)
        }
    }
}
