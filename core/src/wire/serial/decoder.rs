//! The reader's half: bytes as they come, in pieces of any length, into memory that the caller gave.
//!
//! Invariant: memory is never exceeded, and a frame is given out only whole and with its CRC right. Everything else is dropped, counted once by its
//! kind, and ends at the next zero: one damaged frame costs at most itself and, where the damage made a zero or took one away, its neighbour.

use super::{CRC, FULL};
use crate::wire::crc::crc32;

/// What a decoder counted; numbers only grow, and wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SerialCounters {
    /// Frames given out.
    pub frames: u32,
    /// Zeros with nothing before them: the one in front of each frame, or a line that idles. Not an error.
    pub empty: u32,
    /// Too short for a CRC and one byte.
    pub too_short: u32,
    /// Ended inside a block: cut by a reset, or bytes were lost.
    pub cut: u32,
    /// Longer than the decoder takes.
    pub too_long: u32,
    /// The CRC was wrong.
    pub corrupt: u32,
}

/// Takes bytes, gives frames.
#[derive(Debug)]
pub struct Decoder<'m> {
    room: &'m mut [u8],
    filled: usize,
    /// Of the block under way; 0 before the first.
    code: u8,
    /// Bytes that the block still has.
    left: u8,
    /// Given up until the next zero.
    skipping: bool,
    counters: SerialCounters,
}

impl<'m> Decoder<'m> {
    /// A decoder for frames of at most `room.len()` - [`CRC`] bytes.
    pub fn new(room: &'m mut [u8]) -> Self {
        Self {
            room,
            filled: 0,
            code: 0,
            left: 0,
            skipping: false,
            counters: SerialCounters::default(),
        }
    }

    /// Takes bytes up to the end of the first frame that is whole and right. Gives how many it took and the frame, which stays until the next call;
    /// without a frame all were taken.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, Option<&[u8]>) {
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(len) = self.byte(*byte) {
                return (at.saturating_add(1), self.room.get(..len));
            }
        }
        (bytes.len(), None)
    }

    /// Forgets what is under way, as after a line was opened anew. Counters stay.
    pub fn reset(&mut self) {
        self.filled = 0;
        self.code = 0;
        self.left = 0;
        self.skipping = false;
    }

    /// What it counted.
    #[must_use]
    pub const fn counters(&self) -> SerialCounters {
        self.counters
    }

    /// The length of the frame that this byte ends.
    fn byte(&mut self, byte: u8) -> Option<usize> {
        if byte == 0 {
            let ended = self.end();
            self.reset();
            return ended;
        }
        if self.skipping {
            return None;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.push(byte);
            }
            None => {
                // Between two blocks lies a zero, unless the first was full.
                if self.code != 0 && self.code != FULL {
                    self.push(0);
                }
                self.code = byte;
                self.left = byte.saturating_sub(1);
            }
        }
        None
    }

    fn push(&mut self, byte: u8) {
        match self.room.get_mut(self.filled) {
            Some(slot) => {
                *slot = byte;
                self.filled = self.filled.saturating_add(1);
            }
            None if self.skipping => {}
            None => {
                self.skipping = true;
                count(&mut self.counters.too_long);
            }
        }
    }

    /// A zero came: what is it that ends here?
    fn end(&mut self) -> Option<usize> {
        let counters = &mut self.counters;
        if self.skipping {
            return None;
        }
        if self.code == 0 {
            count(&mut counters.empty);
            return None;
        }
        if self.left > 0 {
            count(&mut counters.cut);
            return None;
        }
        let datagram = self.room.get(..self.filled)?;
        match datagram.split_last_chunk::<CRC>() {
            None | Some(([], _)) => count(&mut counters.too_short),
            Some((frame, crc)) if u32::from_le_bytes(*crc) == crc32(frame) => {
                count(&mut counters.frames);
                return Some(frame.len());
            }
            Some(_) => count(&mut counters.corrupt),
        }
        None
    }
}

fn count(counter: &mut u32) {
    *counter = counter.wrapping_add(1);
}
