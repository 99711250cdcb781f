//! A reader over a reset: what it stores, and when.
//!
//! Invariant: what is stored is a state that the reader was in after a message's tag, and its signature where it has one, was found right. The application opens, stores, and then acts on the
//! text (or acts first, and may then see a message twice after a power cut): what was opened before the last store is never opened again, and what was opened after it can be, if
//! it comes again. One record, written at once, holds place, chain key and the secrets of skipped messages; the seat in the tree of readers has another, since it changes only with a path.

use super::{Bookmark, Kept, Reader, Recent, Rooms, Skipped, keep, print};
use crate::channel::keys::{Chain, Secret, SideKey};
use crate::channel::slots::MAX_PATH;
use crate::channel::{ChannelError, Index, KeyEpoch, LAST_INDEX, Place};
use crate::copy::copy;
use crate::platform::Platform;
use crate::types::Id;
use crate::wire::{Reader as Wire, WireError, Writer};
use core::num::NonZeroU8;
use zeroize::Zeroize;

const VERSION: u64 = 1;
/// Bytes of one skipped message in the record: key epoch, index, secret.
const EACH: usize = 4 + 8 + 32;
/// Bytes of a record with no skipped message, at most.
const BARE: usize = 1 + 1 + 34 + 5 + 9 + 34 + 3;
/// Bytes of a stored seat, at most.
pub const MAX_SEAT: usize = 1 + 1 + 34 + 2 + 3 + MAX_PATH;

/// Bytes that a record takes, at most, with room for so many skipped messages.
#[must_use]
pub const fn stored_len(skipped: usize) -> usize {
    BARE.saturating_add(EACH.saturating_mul(skipped))
}

impl Bookmark {
    /// Writes place and skipped messages under `key`, at once: a power cut leaves these or the ones before. `buffer` has [`stored_len`] bytes and is wiped.
    ///
    /// # Errors
    /// [`ChannelError::Full`] where the buffer is too short, [`ChannelError::Platform`]: the state before stands; try again.
    pub fn store<P: Platform>(
        &self,
        skipped: &[Skipped],
        platform: &mut P,
        key: u16,
        buffer: &mut [u8],
    ) -> Result<(), ChannelError> {
        let kept = skipped.iter().filter_map(|slot| slot.0.as_ref());
        let kept = kept.filter(|kept| kept.of == self.of);
        let mut w = Writer::new(buffer);
        w.put_array(6);
        w.put_uint(VERSION);
        w.put_id(&self.channel);
        w.put_uint(self.epoch.0.into());
        w.put_uint(self.next.0);
        w.put_bytes(&self.near.0);
        w.put_bytes_head(kept.clone().count().saturating_mul(EACH));
        for kept in kept {
            w.put_raw(&kept.epoch.0.to_be_bytes());
            w.put_raw(&kept.index.0.to_be_bytes());
            w.put_raw(&kept.secret.0);
        }
        let done = match w.intact() {
            Ok(()) => platform.put(key, w.written()).map_err(Into::into),
            Err(_) => Err(ChannelError::Full),
        };
        buffer.zeroize();
        done
    }

    /// The bookmark that was stored under `key`; `None` where none was. Where the rooms have fewer places for skipped messages than were stored, the oldest are lost.
    /// What tells a replay or a fork begins empty: an old message is `Unknown`. `buffer` is as for [`Bookmark::store`].
    ///
    /// # Errors
    /// [`ChannelError::Platform`], [`ChannelError::Wire`] for a record that is damaged: then a new grant is needed.
    pub fn load<P: Platform>(
        platform: &mut P,
        key: u16,
        rooms: &mut Rooms<'_>,
        of: NonZeroU8,
        buffer: &mut [u8],
    ) -> Result<Option<Self>, ChannelError> {
        let Some(len) = platform.get(key, buffer)? else {
            return Ok(None);
        };
        let read = Self::read(buffer.get(..len).unwrap_or(&[]), rooms, of);
        buffer.zeroize();
        Ok(Some(read?))
    }

    fn read(bytes: &[u8], rooms: &mut Rooms<'_>, of: NonZeroU8) -> Result<Self, WireError> {
        let mut r = Wire::new(bytes);
        r.take_array_of(6);
        let version = r.take_uint();
        let place = Place {
            channel: r.take_id(),
            epoch: KeyEpoch(r.take_u32()),
            index: Index(r.take_uint()),
        };
        let chain = Chain::new(*r.take_bytes_of());
        let (all, rest) = r.take_bytes().as_chunks::<EACH>();
        let within = place.index.0 <= LAST_INDEX.saturating_add(1);
        if version != VERSION || place.epoch.0 == 0 || !within || !rest.is_empty() {
            r.break_off(WireError::Range);
        }
        r.finish()?;
        let mark = Self::new(place, chain, rooms.side, of);
        mark.leave(rooms);
        for one in all {
            keep(rooms.skipped, kept(one, of));
        }
        Ok(mark)
    }
}

impl<'m> Reader<'m> {
    /// As [`Bookmark::store`].
    ///
    /// # Errors
    /// As [`Bookmark::store`].
    pub fn store<P: Platform>(
        &self,
        platform: &mut P,
        key: u16,
        buffer: &mut [u8],
    ) -> Result<(), ChannelError> {
        self.mark.store(self.skipped, platform, key, buffer)
    }

    /// As [`Bookmark::load`].
    ///
    /// # Errors
    /// As [`Bookmark::load`].
    pub fn load<P: Platform>(
        platform: &mut P,
        key: u16,
        side: Option<SideKey>,
        skipped: &'m mut [Skipped],
        recent: &'m mut [Recent],
        buffer: &mut [u8],
    ) -> Result<Option<Self>, ChannelError> {
        let mut turn = 0;
        let mut rooms = Rooms {
            skipped,
            recent,
            turn: &mut turn,
            side: side.as_ref(),
        };
        rooms.skipped.fill(Skipped::default());
        rooms.recent.fill(Recent::default());
        let mark = Bookmark::load(platform, key, &mut rooms, NonZeroU8::MIN, buffer)?;
        Ok(mark.map(|mark| Self {
            mark,
            side,
            skipped,
            recent,
            turn,
        }))
    }
}

fn kept(bytes: &[u8; EACH], of: NonZeroU8) -> Kept {
    let (mut epoch, mut index, mut secret) = ([0; 4], [0; 8], Secret([0; 32]));
    let (front, rest) = bytes.split_at(4);
    let (middle, end) = rest.split_at(8);
    copy(&mut epoch, front);
    copy(&mut index, middle);
    copy(&mut secret.0, end);
    Kept {
        of,
        epoch: KeyEpoch(u32::from_be_bytes(epoch)),
        index: Index(u64::from_be_bytes(index)),
        print: print(&secret.lookup()),
        secret,
    }
}

/// A reader's place in the tree of readers: what opens a revoke.
#[derive(Clone, Copy)]
pub struct Seat<'k> {
    /// Of the channel.
    pub channel: Id,
    /// Its slot.
    pub slot: u8,
    /// What [`crate::channel::slots::open_path`] gave.
    pub keys: &'k [u8],
}

impl<'k> Seat<'k> {
    /// Writes it under `key`, at once. `buffer` has [`MAX_SEAT`] bytes and is wiped.
    ///
    /// # Errors
    /// [`ChannelError::Full`], [`ChannelError::Platform`].
    pub fn store<P: Platform>(
        &self,
        platform: &mut P,
        key: u16,
        buffer: &mut [u8],
    ) -> Result<(), ChannelError> {
        let mut w = Writer::new(buffer);
        w.put_array(4);
        w.put_uint(VERSION);
        w.put_id(&self.channel);
        w.put_uint(self.slot.into());
        w.put_bytes(self.keys);
        let done = match w.intact() {
            Ok(()) => platform.put(key, w.written()).map_err(Into::into),
            Err(_) => Err(ChannelError::Full),
        };
        buffer.zeroize();
        done
    }

    /// The seat that was stored under `key`; its keys stand in `buffer`.
    ///
    /// # Errors
    /// [`ChannelError::Platform`], [`ChannelError::Wire`] for a record that is damaged: then a new path is needed.
    pub fn load<P: Platform>(
        platform: &mut P,
        key: u16,
        buffer: &'k mut [u8],
    ) -> Result<Option<Self>, ChannelError> {
        let Some(len) = platform.get(key, buffer)? else {
            return Ok(None);
        };
        let mut r = Wire::new(buffer.get(..len).unwrap_or(&[]));
        r.take_array_of(4);
        if r.take_uint() != VERSION {
            r.break_off(WireError::Range);
        }
        let seat = Self {
            channel: r.take_id(),
            slot: r.take_u8(),
            keys: r.take_bytes(),
        };
        if seat.keys.is_empty() || !seat.keys.len().is_multiple_of(32) {
            r.break_off(WireError::Range);
        }
        r.finish()?;
        Ok(Some(seat))
    }
}

impl core::fmt::Debug for Seat<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seat")
    }
}
