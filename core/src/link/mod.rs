//! The link layer: frames of up to 1400 bytes over any packet size from 20 bytes up, and small ones where both ends hold the same.
//!
//! Sans-IO like the node: frames in, packets out; packets and time in, frames out. It stands between a node and a radio:
//! `node.next_frame -> link.send -> link.next_packet -> radio` and back. Sources: RFC 4944 and RFC 8931 (fragments, recovery by bitmap),
//! RFC 8724 (static context); the bytes are those of section 9 of docs/protocol.md, the reasons in docs/decisions/0014.
//!
//! Invariant: the frame that comes out is the frame that went in, whole, or none: a loss here is a loss like any other on a radio, and the
//! node's gossip asks again. Nothing is believed for having come by a link, and no neighbour can use up another's memory.

pub mod bytes;
pub mod context;
mod name;
mod outgoing;
mod packet;
mod peers;
mod reassembly;
pub mod rule;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use context::{Context, Nothing, Seen};
pub use name::MAX_BACK;
pub use outgoing::Outgoing;
pub use peers::LinkPeer;
pub use reassembly::Incoming;
pub use rule::{DecompressError, Hope, compress, decompress};

use crate::{MAX_FRAME, Millis, Peer};
use outgoing::Queue;
use packet::{CRC, FRAGMENT_HEAD, MAX_CONTROL, MAX_FRAGMENTS, Packet};
use peers::LinkPeers;
use reassembly::{Fragment, Pool, Taken};

/// Smallest packet size: BLE's least ATT payload.
pub const MIN_MTU: u16 = 20;
/// Dispatch and CRC around a frame.
const AROUND: usize = 1 + CRC;

/// How much a link holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLimits {
    /// Neighbours.
    pub peers: u16,
    /// Frames on their way out or kept for repair, all neighbours together; at least 1.
    pub outgoing: u16,
    /// Datagrams in the making, all neighbours together; at least 1. With as many as neighbours none ever has to wait for another.
    pub incoming: u16,
    /// The same for one neighbour, while no other needs them; at least 1.
    pub per_peer: u16,
    /// Most bytes of a frame, 160 to 1400. Longer ones are refused in both directions.
    pub frame: u16,
}

impl LinkLimits {
    /// A device with eight neighbours: 14 KB.
    pub const SMALL: Self = Self {
        peers: 8,
        outgoing: 4,
        incoming: 6,
        per_peer: 2,
        frame: 1400,
    };

    /// Elements of each slice of [`LinkMemory`]; `None` for limits out of range.
    #[must_use]
    pub const fn sizes(&self) -> Option<LinkSizes> {
        let fits = self.peers > 0
            && self.outgoing > 0
            && self.incoming > 0
            && self.per_peer > 0
            && self.frame >= 160
            && self.frame as usize <= MAX_FRAME;
        if !fits {
            return None;
        }
        let room = (self.frame as usize).saturating_add(AROUND);
        let places = (self.outgoing as usize).saturating_add(self.incoming as usize);
        Some(LinkSizes {
            peers: self.peers as usize,
            outgoing: self.outgoing as usize,
            incoming: self.incoming as usize,
            bytes: places.saturating_mul(room),
        })
    }
}

/// Elements of each slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSizes {
    /// Of `peers`.
    pub peers: usize,
    /// Of `outgoing`.
    pub outgoing: usize,
    /// Of `incoming`.
    pub incoming: usize,
    /// Of `bytes`.
    pub bytes: usize,
}

/// The caller's memory, as long as [`LinkLimits::sizes`] says.
#[derive(Debug)]
pub struct LinkMemory<'m> {
    /// Neighbours.
    pub peers: &'m mut [LinkPeer],
    /// Frames on their way out.
    pub outgoing: &'m mut [Outgoing],
    /// Datagrams in the making.
    pub incoming: &'m mut [Incoming],
    /// The bytes of both.
    pub bytes: &'m mut [u8],
}

/// Asking again for single fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// How long a datagram stands still before its missing fragments are asked for: longer than the gap between two fragments of the slowest
    /// sender.
    pub after: Millis,
    /// How often one datagram is asked for, and how many requests for one are answered.
    pub rounds: u8,
}

/// How a link behaves. Both ends need not agree on anything but that they use one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// Most bytes of a packet: what the radio carries beside its own header and trailer.
    pub mtu: u16,
    /// Whether to leave out what the other end holds. Compressed frames are understood in any case.
    pub compress: bool,
    /// Whether to ask for lost fragments. Requests are answered in any case.
    pub repair: Option<Repair>,
    /// How long a datagram may take, and a frame is kept for those who ask again.
    pub lifetime: Millis,
}

impl LinkConfig {
    /// Compression, and repair after 250 ms, eight times at most; five seconds of life. For radios that send a fragment in less than a tenth of
    /// a second.
    #[must_use]
    pub const fn new(mtu: u16) -> Self {
        Self {
            mtu,
            compress: true,
            repair: Some(Repair {
                after: Millis(250),
                rounds: 8,
            }),
            lifetime: Millis(5_000),
        }
    }
}

/// Why a link did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkError {
    /// Limits, packet size or lifetime out of range: 32 fragments must carry the longest frame. Change them.
    Config,
    /// A slice is shorter than `LinkLimits::sizes` says. Give more.
    Memory,
    /// Not a neighbour. Add it first.
    UnknownPeer,
    /// All places are taken. Send what is due, or remove a neighbour.
    Busy,
    /// A frame above the limit. Send it another way.
    TooLong,
    /// The buffer for the frame is below 1400 bytes. Give a larger one; the packet is lost.
    BufferTooSmall,
    /// No honest neighbour writes such a packet. Drop it.
    Malformed,
    /// Fragments that do not make the datagram that was sent. Dropped; the node asks again.
    Corrupt,
    /// The frame leaves out what is not held here. The whole form is asked for; nobody is to blame.
    OutOfStep,
}

/// What a link counted; numbers wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Frames taken to send.
    pub frames_out: u32,
    /// Of these, compressed.
    pub compressed: u32,
    /// Of these, in one packet.
    pub in_one: u32,
    /// Packets sent, requests included.
    pub packets_out: u32,
    /// Bytes of them.
    pub bytes_out: u64,
    /// Packets received.
    pub packets_in: u32,
    /// Frames received.
    pub frames_in: u32,
    /// Repair requests sent.
    pub repairs_out: u32,
    /// Repair requests received and answered.
    pub repairs_in: u32,
    /// Frames that could not be rebuilt here.
    pub out_of_step: u32,
    /// Frames that a neighbour could not rebuild.
    pub refused: u32,
    /// Fragments that came twice or too late.
    pub duplicates: u32,
    /// Datagrams that did not become whole in time.
    pub expired: u32,
    /// Datagrams that made room for newer ones of the same neighbour.
    pub replaced: u32,
    /// Datagrams whose fragments contradicted each other.
    pub contradicted: u32,
    /// Datagrams whose CRC was wrong.
    pub corrupt: u32,
    /// Fragments for which there was no room.
    pub no_room: u32,
    /// Packets that no honest neighbour writes.
    pub malformed: u32,
}

/// One link: a radio or a bus with its neighbours.
#[derive(Debug)]
pub struct Link<'m> {
    config: LinkConfig,
    limits: LinkLimits,
    peers: LinkPeers<'m>,
    queue: Queue<'m>,
    pool: Pool<'m>,
    counters: LinkCounters,
}

impl<'m> Link<'m> {
    /// A link without neighbours.
    ///
    /// # Errors
    /// [`LinkError::Config`] and [`LinkError::Memory`].
    pub fn new(
        memory: LinkMemory<'m>,
        limits: LinkLimits,
        config: LinkConfig,
    ) -> Result<Self, LinkError> {
        let sizes = limits.sizes().ok_or(LinkError::Config)?;
        let mtu = usize::from(config.mtu);
        let room = usize::from(limits.frame).saturating_add(AROUND);
        let carried = mtu
            .saturating_sub(FRAGMENT_HEAD)
            .saturating_mul(MAX_FRAGMENTS);
        if config.mtu < MIN_MTU || room > carried || config.lifetime.0 == 0 {
            return Err(LinkError::Config);
        }
        let LinkMemory {
            peers,
            outgoing,
            incoming,
            bytes,
        } = memory;
        let split = usize::from(limits.outgoing).saturating_mul(room);
        let (Some(peers), Some(outgoing), Some(incoming), Some(bytes)) = (
            peers.get_mut(..sizes.peers),
            outgoing.get_mut(..sizes.outgoing),
            incoming.get_mut(..sizes.incoming),
            bytes.get_mut(..sizes.bytes),
        ) else {
            return Err(LinkError::Memory);
        };
        let Some((out, rest)) = bytes.split_at_mut_checked(split) else {
            return Err(LinkError::Memory);
        };
        peers.fill(LinkPeer::default());
        Ok(Self {
            config,
            limits,
            peers: LinkPeers(peers),
            queue: Queue::new(outgoing, out, room, mtu),
            pool: Pool::new(incoming, rest, room, usize::from(limits.per_peer)),
            counters: LinkCounters::default(),
        })
    }

    /// Adds a neighbour.
    ///
    /// # Errors
    /// [`LinkError::Busy`] where all places are taken.
    pub fn add_peer(&mut self, peer: Peer) -> Result<(), LinkError> {
        match self.peers.add(peer) {
            true => Ok(()),
            false => Err(LinkError::Busy),
        }
    }

    /// Forgets a neighbour and what is under way to and from it.
    pub fn remove_peer(&mut self, peer: Peer) {
        self.peers.remove(peer);
        self.queue.forget(peer);
        self.pool.forget(peer);
    }

    /// Whether [`Self::send`] takes one more frame: ask before a frame is taken out of the node.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    /// Takes a frame for a neighbour. After it, send the packets.
    ///
    /// # Errors
    /// [`LinkError::UnknownPeer`], [`LinkError::TooLong`], [`LinkError::Busy`]: nothing was taken.
    pub fn send<C: Context + ?Sized>(
        &mut self,
        now: Millis,
        peer: Peer,
        frame: &[u8],
        context: &C,
    ) -> Result<(), LinkError> {
        self.tick(now);
        if frame.is_empty() || frame.len() > usize::from(self.limits.frame) {
            return Err(LinkError::TooLong);
        }
        let place = self.peers.find(peer).ok_or(LinkError::UnknownPeer)?;
        if !self.queue.has_room() {
            return Err(LinkError::Busy);
        }
        let rule = rule::rule_of(frame).filter(|_| self.config.compress);
        let hope = rule.and_then(|rule| place.hope(rule));
        let level = hope.map_or(0, |(level, _)| level);
        let id = place.take_id();
        let sent = self.queue.put(peer, id, level, frame, |out| {
            compress(frame, peer, hope?.1, context, out)
        });
        let sent = sent.ok_or(LinkError::TooLong)?;
        let counters = &mut self.counters;
        counters.frames_out = counters.frames_out.wrapping_add(1);
        counters.compressed = counters.compressed.wrapping_add(u32::from(sent.packed));
        counters.in_one = counters.in_one.wrapping_add(u32::from(sent.packets == 1));
        Ok(())
    }

    /// The next packet and to whom, written to the start of `out` (at least as long as the packet size). Call it until `None`, after every other
    /// call and at every deadline, as fast as the radio takes them.
    pub fn next_packet(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        if out.len() < usize::from(self.config.mtu).max(MAX_CONTROL) {
            return None;
        }
        self.tick(now);
        let sent = self
            .next_wanted(out)
            .or_else(|| self.next_repair(now, out))
            .or_else(|| self.queue.next_packet(now, out))?;
        self.counters.packets_out = self.counters.packets_out.wrapping_add(1);
        self.counters.bytes_out = self.counters.bytes_out.wrapping_add(sent.1 as u64);
        Some(sent)
    }

    /// Takes a packet from a neighbour. Where it completes a frame, that is at the start of `frame` (at least [`MAX_FRAME`] bytes) and its length is
    /// returned.
    ///
    /// # Errors
    /// Counted too; needs no action.
    pub fn receive<C: Context + ?Sized>(
        &mut self,
        now: Millis,
        peer: Peer,
        packet: &[u8],
        context: &C,
        frame: &mut [u8],
    ) -> Result<Option<usize>, LinkError> {
        self.tick(now);
        if frame.len() < MAX_FRAME {
            return Err(LinkError::BufferTooSmall);
        }
        let place = self.peers.find(peer).ok_or(LinkError::UnknownPeer)?;
        self.counters.packets_in = self.counters.packets_in.wrapping_add(1);
        let parsed = Packet::parse(packet);
        match parsed {
            None => self.malformed(),
            Some(Packet::Datagram(datagram)) => {
                let opened = open(datagram, usize::from(self.limits.frame), context, frame);
                self.opened(peer, opened)
            }
            Some(Packet::Fragment {
                id,
                index,
                last,
                bytes,
            }) => {
                if place.is_done(id, now, self.config.lifetime) {
                    self.counters.duplicates = self.counters.duplicates.wrapping_add(1);
                    return Ok(None);
                }
                let fragment = Fragment {
                    id,
                    index,
                    last,
                    bytes,
                };
                self.take_fragment(now, peer, &fragment, context, frame)
            }
            Some(Packet::WholeWanted(check)) => {
                // Only a frame that is still here takes a new id: requests for others must not use them up.
                let id = || place.take_id();
                if let Some(refused) = self.queue.send_whole(peer, check, id) {
                    place.refuse(refused.rule, refused.hope);
                    self.counters.refused = self.counters.refused.wrapping_add(1);
                }
                Ok(None)
            }
            Some(Packet::Repair { id, got }) => {
                let rounds = self
                    .config
                    .repair
                    .map_or(ANSWERS, |r| r.rounds.max(ANSWERS));
                if self.queue.repair(peer, id, got, rounds) {
                    self.counters.repairs_in = self.counters.repairs_in.wrapping_add(1);
                }
                Ok(None)
            }
        }
    }

    /// When to call [`Self::next_packet`] again at the latest, if nothing else happens.
    #[must_use]
    pub fn next_deadline(&self, now: Millis) -> Option<Millis> {
        if self.queue.is_due() || self.peers.0.iter().any(LinkPeer::wants) {
            return Some(now);
        }
        let repair = self.config.repair.map(|r| (r.after, r.rounds));
        let next = self.pool.next_deadline(self.config.lifetime, repair);
        next.map(|at| at.max(now))
    }

    /// What the link counted.
    #[must_use]
    pub fn counters(&self) -> LinkCounters {
        LinkCounters {
            expired: self.pool.losses.expired,
            replaced: self.pool.losses.replaced,
            contradicted: self.pool.losses.contradicted,
            ..self.counters
        }
    }

    /// How it was configured.
    #[must_use]
    pub const fn config(&self) -> &LinkConfig {
        &self.config
    }

    fn tick(&mut self, now: Millis) {
        self.pool.expire(now, self.config.lifetime);
        self.queue.expire(now, self.config.lifetime);
    }

    fn next_wanted(&mut self, out: &mut [u8]) -> Option<(Peer, usize)> {
        let place = self.peers.0.iter_mut().find(|p| p.wants())?;
        let check = place.next_wanted()?;
        Some((place.peer, packet::whole_wanted(check, out)?))
    }

    fn next_repair(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        let repair = self.config.repair?;
        let (peer, id, got) = self.pool.next_repair(now, repair.after, repair.rounds)?;
        self.counters.repairs_out = self.counters.repairs_out.wrapping_add(1);
        Some((peer, packet::repair(id, got, out)?))
    }

    fn take_fragment<C: Context + ?Sized>(
        &mut self,
        now: Millis,
        peer: Peer,
        fragment: &Fragment<'_>,
        context: &C,
        frame: &mut [u8],
    ) -> Result<Option<usize>, LinkError> {
        let at = match self.pool.take(now, peer, fragment) {
            Taken::Waiting => return Ok(None),
            Taken::Duplicate => {
                self.counters.duplicates = self.counters.duplicates.wrapping_add(1);
                return Ok(None);
            }
            Taken::NoRoom => {
                self.counters.no_room = self.counters.no_room.wrapping_add(1);
                return Err(LinkError::Busy);
            }
            Taken::TooLong => return self.malformed(),
            Taken::Whole(at) => at,
        };
        let limit = usize::from(self.limits.frame);
        let opened = match self.pool.datagram(at) {
            Some(datagram) => open(datagram, limit, context, frame),
            None => Opened::Corrupt,
        };
        self.pool.release(at);
        if !matches!(opened, Opened::Corrupt)
            && let Some(place) = self.peers.find(peer)
        {
            place.complete(fragment.id, now);
        }
        self.opened(peer, opened)
    }

    fn opened(&mut self, peer: Peer, opened: Opened) -> Result<Option<usize>, LinkError> {
        match opened {
            Opened::Frame(len) => {
                self.counters.frames_in = self.counters.frames_in.wrapping_add(1);
                Ok(Some(len))
            }
            Opened::OutOfStep(check) => {
                if let Some(place) = self.peers.find(peer) {
                    place.want(check);
                }
                self.counters.out_of_step = self.counters.out_of_step.wrapping_add(1);
                Err(LinkError::OutOfStep)
            }
            Opened::Corrupt => {
                self.counters.corrupt = self.counters.corrupt.wrapping_add(1);
                Err(LinkError::Corrupt)
            }
            Opened::Malformed => self.malformed(),
        }
    }

    fn malformed(&mut self) -> Result<Option<usize>, LinkError> {
        self.counters.malformed = self.counters.malformed.wrapping_add(1);
        Err(LinkError::Malformed)
    }
}

/// Requests that are answered for one datagram whatever this end itself asks.
const ANSWERS: u8 = 8;

/// What a datagram held.
enum Opened {
    Frame(usize),
    OutOfStep(u16),
    Corrupt,
    Malformed,
}

/// The frame of a whole datagram.
fn open<C: Context + ?Sized>(
    datagram: &[u8],
    limit: usize,
    context: &C,
    frame: &mut [u8],
) -> Opened {
    match datagram.split_first() {
        Some((&rule::WHOLE, whole)) if !whole.is_empty() && whole.len() <= limit => {
            match frame.get_mut(..whole.len()) {
                Some(to) => {
                    crate::copy::copy(to, whole);
                    Opened::Frame(whole.len())
                }
                None => Opened::Malformed,
            }
        }
        Some((&first, _)) if rule::is_rule(first) => match decompress(datagram, context, frame) {
            Ok(len) if len <= limit => Opened::Frame(len),
            Err(DecompressError::OutOfStep(check)) => Opened::OutOfStep(check),
            Ok(_) | Err(_) => Opened::Malformed,
        },
        _ => Opened::Malformed,
    }
}
