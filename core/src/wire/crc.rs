//! CRC-32 as in IEEE 802.3 ("CRC-32/ISO-HDLC" in Greg Cook's catalogue): polynomial 0x04c11db7 reflected (0xedb88320), start and end inverted.
//!
//! Invariant: the value over `123456789` is 0xcbf43926, that of every other implementation. Four bits at a time: 64 bytes of
//! constants instead of the usual 1,024.

/// Where [`update`] starts.
pub const START: u32 = u32::MAX;

/// The CRC-32 of `bytes`.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    !update(START, bytes)
}

/// Goes on over `bytes`. The CRC-32 is the last state, inverted.
// Once in the flash, whoever asks.
#[inline(never)]
#[must_use]
pub fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..2 {
            let entry = NIBBLES.get((crc & 15) as usize).copied().unwrap_or(0);
            crc = (crc >> 4) ^ entry;
        }
    }
    crc
}

const NIBBLES: [u32; 16] = nibbles();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn nibbles() -> [u32; 16] {
    let mut table = [0; 16];
    let mut at = 0;
    // Computed when compiled: an index out of range would not build.
    while at < 16 {
        let mut crc = at as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(!update(update(START, b"1234"), b"56789"), 0xcbf4_3926);
    }
}
