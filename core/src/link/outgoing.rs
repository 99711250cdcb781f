//! Frames on their way out: whole, compressed, in fragments, and kept for a while for those who ask again.
//!
//! Invariant: what is due is one bitmap of fragments per frame; a repair request only sets bits of it, and each frame answers a bounded
//! number of requests. A place that is only kept is given to the next frame, oldest first; one that is still to be sent never is.

use super::packet::{CRC, FRAGMENT_HEAD, MAX_FRAGMENTS, fragment_head};
use super::rule::{Packed, Rule, WHOLE};
use crate::copy::copy;
use crate::wire::crc::crc32;
use crate::{Millis, Peer};
use core::num::NonZeroUsize;

/// One frame on its way out. The bytes lie in the link's memory at its index: the whole form with its CRC, behind it the compressed
/// one with its.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing {
    used: bool,
    peer: Peer,
    order: u32,
    /// Bytes of the whole datagram.
    whole: u16,
    /// Bytes of the compressed datagram; 0 for none.
    packed: u16,
    check: u16,
    rule: Option<Rule>,
    hope: u8,
    /// Whether the whole form is what is sent.
    as_whole: bool,
    /// Named once it travels in fragments.
    id: u8,
    due: u32,
    rounds: u8,
    kept: Millis,
}

/// What a frame was that its reader could not rebuild.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub rule: Rule,
    pub hope: u8,
}

/// All frames on their way out.
#[derive(Debug)]
pub(super) struct Queue<'m> {
    places: &'m mut [Outgoing],
    bytes: &'m mut [u8],
    room: usize,
    mtu: usize,
    order: u32,
}

impl<'m> Queue<'m> {
    /// `bytes` holds `room` bytes for each place.
    pub(super) fn new(
        places: &'m mut [Outgoing],
        bytes: &'m mut [u8],
        room: usize,
        mtu: usize,
    ) -> Self {
        places.fill(Outgoing::default());
        Self {
            places,
            bytes,
            room,
            mtu,
            order: 0,
        }
    }

    /// Whether one more frame is taken now.
    pub(super) fn has_room(&self) -> bool {
        self.places.iter().any(|p| !p.used || p.due == 0)
    }

    /// Takes a frame; `pack` writes the compressed form. `None`: no place, or too long.
    pub(super) fn put(
        &mut self,
        peer: Peer,
        id: u8,
        hope: u8,
        frame: &[u8],
        pack: impl FnOnce(&mut [u8]) -> Option<Packed>,
    ) -> Option<Sent> {
        let age = |p: &Outgoing| self.order.wrapping_sub(p.order);
        let at = match self.places.iter().position(|p| !p.used) {
            Some(free) => free,
            None => {
                let kept = (0usize..)
                    .zip(self.places.iter())
                    .filter(|(_, p)| p.due == 0);
                kept.max_by_key(|(_, p)| age(p)).map(|(at, _)| at)?
            }
        };
        let start = at.checked_mul(self.room)?;
        let room = self.bytes.get_mut(start..start.checked_add(self.room)?)?;
        let whole = frame.len().checked_add(1)?;
        let (content, rest) = room.split_at_mut_checked(whole.checked_add(CRC)?)?;
        let (datagram, crc) = content.split_at_mut_checked(whole)?;
        let (first, content) = datagram.split_first_mut()?;
        *first = WHOLE;
        copy(content, frame);
        copy(crc, &crc32(datagram).to_le_bytes());
        // Room for the compressed form and its CRC behind the whole one, or it is not compressed.
        let space = rest.len().saturating_sub(CRC);
        let packed = rest.get_mut(..space).and_then(pack);
        let mut place = Outgoing {
            used: true,
            peer,
            order: self.order,
            whole: u16::try_from(whole).ok()?,
            as_whole: true,
            id,
            hope,
            ..Outgoing::default()
        };
        if let Some(packed) = packed
            && let Some((datagram, crc)) = rest.split_at_mut_checked(packed.len)
            && let Some(crc) = crc.first_chunk_mut::<CRC>()
        {
            *crc = crc32(datagram).to_le_bytes();
            place.packed = u16::try_from(packed.len).ok()?;
            place.check = packed.check;
            place.rule = Some(packed.rule);
            place.as_whole = false;
        }
        place.due = place.all(self.mtu)?;
        let sent = Sent {
            packets: place.due.count_ones(),
            packed: !place.as_whole,
        };
        *self.places.get_mut(at)? = place;
        self.order = self.order.wrapping_add(1);
        Some(sent)
    }

    /// Writes the next packet to the start of `out`.
    pub(super) fn next_packet(&mut self, now: Millis, out: &mut [u8]) -> Option<(Peer, usize)> {
        let order = self.order;
        let due = (0usize..)
            .zip(self.places.iter())
            .filter(|(_, p)| p.due != 0);
        let (at, _) = due.max_by_key(|(_, p)| order.wrapping_sub(p.order))?;
        let start = at.checked_mul(self.room)?;
        let room = self.bytes.get(start..start.checked_add(self.room)?)?;
        let mtu = self.mtu;
        let place = self.places.get_mut(at)?;
        let index = place.due.trailing_zeros();
        place.due &= place.due.wrapping_sub(1);
        let result = place
            .write(mtu, index, room, out)
            .map(|len| (place.peer, len));
        place.kept = now;
        // What can be asked for again is kept.
        let again = !place.as_whole || place.len() > mtu;
        if place.due == 0 && !again {
            *place = Outgoing::default();
        }
        result
    }

    /// Whether there is something to send.
    pub(super) fn is_due(&self) -> bool {
        self.places.iter().any(|p| p.due != 0)
    }

    /// A neighbour lacks fragments. True where they are sent again.
    pub(super) fn repair(&mut self, peer: Peer, id: u8, got: u32, rounds: u8) -> bool {
        let mtu = self.mtu;
        let found = self
            .places
            .iter_mut()
            .find(|p| p.used && p.peer == peer && p.id == id && p.len() > mtu && p.rounds < rounds);
        let Some((place, all)) = found.and_then(|p| p.all(mtu).map(|all| (p, all))) else {
            return false;
        };
        place.rounds = place.rounds.saturating_add(1);
        place.due |= all & !got;
        place.due != 0
    }

    /// A neighbour could not rebuild the frame with this check: it goes whole, under a new id.
    pub(super) fn send_whole(
        &mut self,
        peer: Peer,
        check: u16,
        id: impl FnOnce() -> u8,
    ) -> Option<Refused> {
        let mtu = self.mtu;
        let place = self
            .places
            .iter_mut()
            .find(|p| p.used && p.peer == peer && !p.as_whole && p.check == check)?;
        let rule = place.rule?;
        place.as_whole = true;
        place.id = id();
        place.rounds = 0;
        place.due = place.all(mtu)?;
        Some(Refused {
            rule,
            hope: place.hope,
        })
    }

    /// Gives up what was kept longer than `lifetime`.
    pub(super) fn expire(&mut self, now: Millis, lifetime: Millis) {
        let old =
            |p: &&mut Outgoing| p.used && p.due == 0 && now >= p.kept.saturating_add(lifetime.0);
        self.places
            .iter_mut()
            .filter(old)
            .for_each(|p| *p = Outgoing::default());
    }

    /// Frees all places of a neighbour.
    pub(super) fn forget(&mut self, peer: Peer) {
        let own = self.places.iter_mut().filter(|p| p.peer == peer);
        own.for_each(|p| *p = Outgoing::default());
    }
}

/// How a frame goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub packets: u32,
    pub packed: bool,
}

impl Outgoing {
    /// Bytes of the datagram that is sent.
    fn len(&self) -> usize {
        usize::from(if self.as_whole {
            self.whole
        } else {
            self.packed
        })
    }

    /// Bits of all its fragments, or of the one packet.
    fn all(&self, mtu: usize) -> Option<u32> {
        let len = self.len();
        if len <= mtu {
            return Some(1);
        }
        let tile = NonZeroUsize::new(mtu.checked_sub(FRAGMENT_HEAD)?)?;
        let most = tile.get().saturating_sub(1);
        let count = len.checked_add(CRC)?.checked_add(most)? / tile;
        let unused = MAX_FRAGMENTS.checked_sub(count)?;
        Some(u32::MAX.wrapping_shr(u32::try_from(unused).ok()?))
    }

    fn write(&self, mtu: usize, index: u32, room: &[u8], out: &mut [u8]) -> Option<usize> {
        let len = self.len();
        let from = match self.as_whole {
            true => 0,
            false => usize::from(self.whole).checked_add(CRC)?,
        };
        let content = room.get(from..)?;
        if len <= mtu {
            copy(out.get_mut(..len)?, content.get(..len)?);
            return Some(len);
        }
        let total = len.checked_add(CRC)?;
        let tile = mtu.checked_sub(FRAGMENT_HEAD)?;
        let at = tile.checked_mul(usize::try_from(index).ok()?)?;
        let end = at.checked_add(tile)?.min(total);
        let part = content.get(at..end)?;
        let head = fragment_head(self.id, u8::try_from(index).ok()?, end == total);
        let (to, rest) = out.split_first_chunk_mut::<FRAGMENT_HEAD>()?;
        *to = head;
        copy(rest.get_mut(..part.len())?, part);
        part.len().checked_add(FRAGMENT_HEAD)
    }
}
