//! The writer's half: a frame as it travels, in pieces as small as the UART's buffer.
//!
//! Invariant: the pieces put together are the same bytes whatever their lengths. The frame is not copied, so a device needs no second buffer;
//! it must stay as it is until the last piece.

use super::{BLOCK, CRC, FULL};
use crate::types::MAX_FRAME;
use crate::wire::crc::crc32;

/// Where the writing of one frame stands. A fresh one begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoder {
    step: Step,
    /// The next byte of frame and CRC.
    at: u16,
    /// Bytes that the block still has.
    left: u8,
    /// The block ends without a zero.
    full: bool,
    crc: u32,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Begin,
    Code,
    Data,
    End,
    Done,
}

impl Encoder {
    /// Writes the next bytes of the frame to the start of `out` and says how many: fewer than `out` holds only at the end, none behind it.
    /// `None`: the frame is empty or above [`MAX_FRAME`], or not the one that the encoder began with.
    pub fn write(&mut self, frame: &[u8], out: &mut [u8]) -> Option<usize> {
        if frame.is_empty() || frame.len() > MAX_FRAME {
            return None;
        }
        let mut written = 0usize;
        for slot in out {
            if self.step == Step::Done {
                break;
            }
            *slot = self.next(frame)?;
            written = written.saturating_add(1);
        }
        Some(written)
    }

    /// Whether all is written.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// As plain numbers, for the C interface.
    #[must_use]
    pub fn to_words(self) -> [u32; 4] {
        let step = match self.step {
            Step::Begin => 0,
            Step::Code => 1,
            Step::Data => 2,
            Step::End => 3,
            Step::Done => 4,
        };
        let place = u32::from(self.left) | u32::from(self.full) << 8;
        [step, self.at.into(), place, self.crc]
    }

    /// Back from them; `None` where no encoder stands so.
    #[must_use]
    pub fn from_words(words: [u32; 4]) -> Option<Self> {
        let [step, at, place, crc] = words;
        Some(Self {
            step: match step {
                0 => Step::Begin,
                1 => Step::Code,
                2 => Step::Data,
                3 => Step::End,
                4 => Step::Done,
                _ => return None,
            },
            at: u16::try_from(at).ok()?,
            left: (place & 0xff) as u8,
            full: match place >> 8 {
                0 => false,
                1 => true,
                _ => return None,
            },
            crc,
        })
    }

    fn next(&mut self, frame: &[u8]) -> Option<u8> {
        match self.step {
            Step::Begin => {
                self.crc = crc32(frame);
                self.step = Step::Code;
                Some(0)
            }
            Step::Code => {
                self.left = self.run(frame);
                self.full = self.left == BLOCK;
                let code = self.left.saturating_add(1);
                self.step = Step::Data;
                self.close(frame);
                Some(code)
            }
            Step::Data => {
                let byte = self.byte(frame, self.at)?;
                self.at = self.at.saturating_add(1);
                self.left = self.left.checked_sub(1)?;
                self.close(frame);
                Some(byte)
            }
            Step::End | Step::Done => {
                self.step = Step::Done;
                Some(0)
            }
        }
    }

    /// Goes on behind a block that is written: over the zero that it stands for, which at the very end is not there.
    fn close(&mut self, frame: &[u8]) {
        if self.left > 0 {
            return;
        }
        // A block that ends with the datagram stands for a zero behind it; a full one stands for none.
        let over = self.byte(frame, self.at).is_none();
        self.step = if over { Step::End } else { Step::Code };
        if !self.full {
            self.at = self.at.saturating_add(1);
        }
    }

    /// How many bytes from here on are not zero, at most a block's.
    fn run(&self, frame: &[u8]) -> u8 {
        let mut run = 0u8;
        while run < BLOCK {
            match self.byte(frame, self.at.saturating_add(run.into())) {
                None | Some(0) => break,
                Some(_) => run = run.saturating_add(1),
            }
        }
        run
    }

    /// A byte of the frame, or of the CRC behind it.
    #[inline(never)]
    fn byte(&self, frame: &[u8], at: u16) -> Option<u8> {
        let at = usize::from(at);
        let crc: [u8; CRC] = self.crc.to_le_bytes();
        frame
            .get(at)
            .or_else(|| crc.get(at.checked_sub(frame.len())?))
            .copied()
    }
}

const _: () = assert!(BLOCK == FULL - 1);
