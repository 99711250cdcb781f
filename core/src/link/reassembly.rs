//! Datagrams in the making, in memory that the caller gave.
//!
//! Invariant: a datagram is given out only whole and with its CRC-32 right. Memory is bound three times: by the number of places, by
//! places per neighbour, and by a lifetime that no fragment renews. A neighbour's storm pushes out only its own: a
//! place is taken from another only where that one has two or more. Fragments that contradict what came before begin anew, since after a
//! wrap of the 7-bit id or a restart of the sender the newer ones are the true ones.

use super::packet::{CRC, MAX_FRAGMENTS};
use crate::copy::copy;
use crate::wire::crc::crc32;
use crate::{Millis, Peer};

/// One datagram in the making. The bytes lie in the link's memory at its index.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incoming {
    used: bool,
    peer: Peer,
    id: u8,
    /// Bytes of every fragment but the last; 0 while only the last is here: its bytes wait at the end of the room.
    tile: u16,
    /// Index and length of the last fragment.
    last: Option<(u8, u16)>,
    got: u32,
    since: Millis,
    /// When something new came, or was asked for.
    moved: Millis,
    rounds: u8,
}

/// How a fragment was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// More are to come.
    Waiting,
    /// Here already.
    Duplicate,
    /// The datagram in this place is whole; its CRC is not checked yet.
    Whole(usize),
    /// All places are others' only ones.
    NoRoom,
    /// Longer than the room.
    TooLong,
}

/// What went wrong on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub expired: u32,
    pub replaced: u32,
    pub contradicted: u32,
}

/// A fragment.
#[derive(Clone, Copy)]
pub(super) struct Fragment<'a> {
    pub id: u8,
    pub index: u8,
    pub last: bool,
    pub bytes: &'a [u8],
}

/// All datagrams in the making.
#[derive(Debug)]
pub(super) struct Pool<'m> {
    places: &'m mut [Incoming],
    bytes: &'m mut [u8],
    room: usize,
    per_peer: usize,
    pub losses: Losses,
}

impl<'m> Pool<'m> {
    /// `bytes` holds `room` bytes for each place.
    pub(super) fn new(
        places: &'m mut [Incoming],
        bytes: &'m mut [u8],
        room: usize,
        per_peer: usize,
    ) -> Self {
        places.fill(Incoming::default());
        Self {
            places,
            bytes,
            room,
            per_peer,
            losses: Losses::default(),
        }
    }

    /// Takes one fragment.
    pub(super) fn take(&mut self, now: Millis, peer: Peer, fragment: &Fragment<'_>) -> Taken {
        let found = self
            .places
            .iter()
            .position(|p| p.used && p.peer == peer && p.id == fragment.id);
        let at = match found {
            Some(at) => at,
            None => match self.open(peer) {
                Some(at) => {
                    self.begin(at, now, peer, fragment.id);
                    at
                }
                None => return Taken::NoRoom,
            },
        };
        match self.store(at, now, fragment) {
            Stored::New => {}
            Stored::Same => return Taken::Duplicate,
            Stored::TooLong => {
                self.release(at);
                return Taken::TooLong;
            }
            Stored::Contradicts => {
                self.losses.contradicted = self.losses.contradicted.wrapping_add(1);
                self.begin(at, now, peer, fragment.id);
                if self.store(at, now, fragment) != Stored::New {
                    self.release(at);
                    return Taken::TooLong;
                }
            }
        }
        match self.places.get(at).is_some_and(Incoming::whole) {
            true => Taken::Whole(at),
            false => Taken::Waiting,
        }
    }

    /// The datagram in a place that is whole, without its CRC; `None` where the CRC is wrong.
    pub(super) fn datagram(&self, at: usize) -> Option<&[u8]> {
        let place = self.places.get(at).filter(|p| p.whole())?;
        let (index, len) = place.last?;
        let total = usize::from(place.tile)
            .checked_mul(usize::from(index))?
            .checked_add(usize::from(len))?;
        let start = at.checked_mul(self.room)?;
        let all = self.bytes.get(start..start.checked_add(total)?)?;
        let (datagram, crc) = all.split_last_chunk::<CRC>()?;
        (u32::from_le_bytes(*crc) == crc32(datagram)).then_some(datagram)
    }

    /// Frees a place.
    pub(super) fn release(&mut self, at: usize) {
        if let Some(place) = self.places.get_mut(at) {
            *place = Incoming::default();
        }
    }

    /// Frees all places of a neighbour.
    pub(super) fn forget(&mut self, peer: Peer) {
        for place in self.places.iter_mut().filter(|p| p.peer == peer) {
            *place = Incoming::default();
        }
    }

    /// Gives up what is older than `lifetime`.
    pub(super) fn expire(&mut self, now: Millis, lifetime: Millis) {
        for place in self.places.iter_mut().filter(|p| p.used) {
            if now >= place.since.saturating_add(lifetime.0) {
                *place = Incoming::default();
                self.losses.expired = self.losses.expired.wrapping_add(1);
            }
        }
    }

    /// A datagram that has stood still for `after` and may be asked for again: whose, its id, what is here of it.
    pub(super) fn next_repair(
        &mut self,
        now: Millis,
        after: Millis,
        rounds: u8,
    ) -> Option<(Peer, u8, u32)> {
        let place = self
            .places
            .iter_mut()
            .find(|p| p.used && p.rounds < rounds && now >= p.moved.saturating_add(after.0))?;
        place.rounds = place.rounds.saturating_add(1);
        place.moved = now;
        Some((place.peer, place.id, place.got))
    }

    /// When the next datagram is given up or asked for again.
    pub(super) fn next_deadline(
        &self,
        lifetime: Millis,
        repair: Option<(Millis, u8)>,
    ) -> Option<Millis> {
        let used = self.places.iter().filter(|p| p.used);
        used.map(|p| {
            let end = p.since.saturating_add(lifetime.0);
            match repair {
                Some((after, rounds)) if p.rounds < rounds => {
                    end.min(p.moved.saturating_add(after.0))
                }
                _ => end,
            }
        })
        .min()
    }

    /// Datagrams of a neighbour that are in the making.
    pub(super) fn count(&self, peer: Peer) -> usize {
        self.places
            .iter()
            .filter(|p| p.used && p.peer == peer)
            .count()
    }

    /// A place for one more datagram of this neighbour.
    fn open(&mut self, peer: Peer) -> Option<usize> {
        let own = self.count(peer);
        if own < self.per_peer
            && let Some(free) = self.places.iter().position(|p| !p.used)
        {
            return Some(free);
        }
        let from = match own {
            // The one who has most gives its oldest, if it keeps one.
            0 => {
                let peers = self.places.iter().map(|p| p.peer);
                peers
                    .max_by_key(|p| self.count(*p))
                    .filter(|p| self.count(*p) > 1)?
            }
            _ => peer,
        };
        let oldest = (0usize..)
            .zip(self.places.iter())
            .filter(|(_, p)| p.used && p.peer == from)
            .min_by_key(|(_, p)| p.since)
            .map(|(at, _)| at)?;
        self.losses.replaced = self.losses.replaced.wrapping_add(1);
        Some(oldest)
    }

    fn begin(&mut self, at: usize, now: Millis, peer: Peer, id: u8) {
        if let Some(place) = self.places.get_mut(at) {
            *place = Incoming {
                used: true,
                peer,
                id,
                since: now,
                moved: now,
                ..Incoming::default()
            };
        }
    }

    fn store(&mut self, at: usize, now: Millis, fragment: &Fragment<'_>) -> Stored {
        let start = at.saturating_mul(self.room);
        let end = start.saturating_add(self.room);
        let (Some(place), Some(room)) = (self.places.get_mut(at), self.bytes.get_mut(start..end))
        else {
            return Stored::TooLong;
        };
        let stored = place.store(fragment, room);
        if stored == Stored::New {
            place.moved = now;
        }
        stored
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    New,
    Same,
    Contradicts,
    TooLong,
}

impl Incoming {
    /// Bits of the fragments up to and with this one.
    fn up_to(index: u8) -> u32 {
        u32::MAX.wrapping_shr(31u32.saturating_sub(u32::from(index)))
    }

    fn whole(&self) -> bool {
        self.used
            && self
                .last
                .is_some_and(|(last, _)| self.got == Self::up_to(last))
    }

    fn store(&mut self, fragment: &Fragment<'_>, room: &mut [u8]) -> Stored {
        let (Ok(len), true) = (
            u16::try_from(fragment.bytes.len()),
            usize::from(fragment.index) < MAX_FRAGMENTS,
        ) else {
            return Stored::TooLong;
        };
        match (fragment.last, self.last) {
            (true, Some(last)) if last != (fragment.index, len) => return Stored::Contradicts,
            (false, Some((last, _))) if fragment.index >= last => return Stored::Contradicts,
            _ => {}
        }
        // Others behind the one that calls itself the last.
        if fragment.last && self.got & !Self::up_to(fragment.index) != 0 {
            return Stored::Contradicts;
        }
        if self.tile != 0 {
            let fits = match fragment.last {
                true => len <= self.tile,
                false => len == self.tile,
            };
            if !fits {
                return Stored::Contradicts;
            }
        } else if !fragment.last {
            if let Some((index, last)) = self.last {
                if last > len {
                    return Stored::Contradicts;
                }
                // Now the place of the last one is known.
                let (last, len) = (usize::from(last), usize::from(len));
                let to = len.saturating_mul(usize::from(index));
                let Some(waiting) = room.len().checked_sub(last) else {
                    return Stored::TooLong;
                };
                if to > waiting {
                    return Stored::TooLong;
                }
                // Downwards, so that what is still to be read is not written over.
                for distance in 0..last {
                    let byte = room.get(waiting.saturating_add(distance)).copied();
                    let place = room.get_mut(to.saturating_add(distance));
                    if let Some((place, byte)) = place.zip(byte) {
                        *place = byte;
                    }
                }
            }
            self.tile = len;
        }
        let at = match self.tile {
            0 => room.len().checked_sub(fragment.bytes.len()),
            tile => usize::from(tile).checked_mul(usize::from(fragment.index)),
        };
        let place = at.and_then(|at| {
            let end = at.checked_add(fragment.bytes.len())?;
            room.get_mut(at..end)
        });
        let Some(place) = place else {
            return Stored::TooLong;
        };
        let bit = 1u32.wrapping_shl(fragment.index.into());
        if self.got & bit != 0 {
            return match place == fragment.bytes {
                true => Stored::Same,
                false => Stored::Contradicts,
            };
        }
        copy(place, fragment.bytes);
        self.got |= bit;
        if fragment.last {
            self.last = Some((fragment.index, len));
        }
        Stored::New
    }
}
