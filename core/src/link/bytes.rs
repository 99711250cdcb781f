//! The link's own small encodings: bytes one after the other, LEB128 integers, the check.
//!
//! Invariant: what `Put` wrote `Take` reads; a call that does not fit or finds too little gives `None` and never panics.

use crate::copy::copy;
use crate::wire::crc::crc32;

/// The two bytes that tell "not in step" from "forged": the low half of the CRC-32 of the whole frame.
#[must_use]
pub fn check_of(frame: &[u8]) -> u16 {
    (crc32(frame) & 0xffff) as u16
}

/// Writes to the start of the caller's bytes.
pub(super) struct Put<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Put<'a> {
    pub(super) fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    pub(super) fn all(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.at.checked_add(bytes.len())?;
        copy(self.out.get_mut(self.at..end)?, bytes);
        self.at = end;
        Some(())
    }

    pub(super) fn byte(&mut self, byte: u8) -> Option<()> {
        self.all(&[byte])
    }

    pub(super) fn varint(&mut self, mut value: u64) -> Option<()> {
        while value > 0x7f {
            self.byte((value & 0x7f) as u8 | 0x80)?;
            value >>= 7;
        }
        self.byte(value as u8)
    }

    pub(super) const fn len(&self) -> usize {
        self.at
    }
}

/// Reads from the start of the caller's bytes.
#[derive(Clone, Copy)]
pub(super) struct Take<'a>(pub(super) &'a [u8]);

impl<'a> Take<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn slice(&mut self, len: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for place in 0..9u32 {
            let byte = self.byte()?;
            let shift = place.saturating_mul(7);
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    pub(super) fn varint32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_low_half_of_the_crc() {
        assert_eq!(check_of(b"123456789"), 0x3926);
    }

    #[test]
    fn integers_come_back_and_long_ones_are_refused() {
        for value in [
            0,
            1,
            127,
            128,
            300,
            16_383,
            16_384,
            u64::from(u32::MAX),
            (1 << 63) - 1,
        ] {
            let mut out = [0; 10];
            let mut put = Put::new(&mut out);
            put.varint(value).unwrap();
            let len = put.len();
            assert_eq!(Take(&out[..len]).varint(), Some(value));
            assert_eq!(Take(&out[..len - 1]).varint(), None);
        }
        assert_eq!(Take(&[0xff; 12]).varint(), None);
        assert_eq!(Take(&[0xff, 0xff, 0xff, 0xff, 0x7f]).varint32(), None);
        let mut short = [0; 2];
        assert_eq!(Put::new(&mut short).all(&[1, 2, 3]), None);
    }
}
