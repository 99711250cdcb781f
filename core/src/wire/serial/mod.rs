//! A serial line: frames as bytes on a UART, a tty or a socket, each whole and checked or dropped (docs/protocol.md section 11).
//!
//! `00 || COBS(frame || CRC-32) || 00`: COBS (Cheshire and Baker, 1999) leaves no zero in what it encodes, so a zero is always the
//! border between two frames, and a reader is in step again at the next one, whatever went wrong. The zero in front costs a byte and
//! saves the frame: noise on the silent line, or half a frame before a reset, ends there.
//!
//! Invariant: what the encoder writes the decoder gives out again, byte for byte; and the decoder gives out nothing whose CRC is wrong.

mod decoder;
mod encoder;

pub use decoder::{Decoder, SerialCounters};
pub use encoder::Encoder;

use crate::types::MAX_FRAME;

/// Bytes of the CRC-32 behind a frame, little-endian.
pub const CRC: usize = 4;
/// Most bytes that a COBS code byte can announce.
const BLOCK: u8 = 254;
/// The code of a block that is full: no zero follows it.
const FULL: u8 = 0xff;

/// Bytes that a frame of `len` bytes can take on the line: its CRC, two zeros, and a code byte for each 254 bytes begun.
#[must_use]
pub const fn encoded_len(len: usize) -> usize {
    let datagram = len.saturating_add(CRC);
    let codes = datagram.div_ceil(BLOCK as usize);
    datagram.saturating_add(codes).saturating_add(2)
}

/// The same for the longest frame.
pub const MAX_ENCODED: usize = encoded_len(MAX_FRAME);

/// Writes a frame to the start of `out` as it travels, and gives the length. `None`: the frame is empty or above [`MAX_FRAME`], or `out` is shorter
/// than [`encoded_len`].
pub fn encode(frame: &[u8], out: &mut [u8]) -> Option<usize> {
    if out.len() < encoded_len(frame.len()) {
        return None;
    }
    Encoder::default().write(frame, out)
}

#[cfg(test)]
mod tests;
