//! A device id as people read it: Bech32m (BIP 350) with prefix `iote`, 63 characters.
//!
//! Invariant: one id, one text. Parsing refuses plain Bech32, another prefix, another length, mixed case and non-zero padding bits.
//! Written out here, without the usual crate, because that one holds reachable `unwrap`s; the tests compare with it.

use core::fmt;

use crate::types::Id;

/// Characters of a device id as text.
pub const TEXT_LEN: usize = 63;

const PREFIX: &[u8; 5] = b"iote1";
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Five-bit groups of 256 bits: 51 full ones and one of a single bit.
const DATA_LEN: usize = 52;
const CHECKSUM_LEN: usize = 6;
/// BIP 350: what tells Bech32m from Bech32, whose constant is 1.
const BECH32M: u32 = 0x2bc8_30a3;

/// Why a text is no device id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceIdError {
    /// Not 63 characters: part of the id is missing, or something follows it.
    Length,
    /// Does not begin with `iote1`: this is some other Bech32 text.
    Prefix,
    /// A character that Bech32 does not use; `1`, `b`, `i` and `o` do not occur after the prefix.
    Character,
    /// Upper and lower case together: read it again, one of them is wrong.
    MixedCase,
    /// The checksum is wrong: at least one character was misread, or the text is Bech32 and not Bech32m.
    Checksum,
    /// The checksum is right but bits that must be zero are not: no program of ours wrote this.
    Padding,
}

/// The account of a device: SHA-256 of its first COSE_Key, shown as `iote1...`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub Id);

impl DeviceId {
    /// The id as text.
    #[must_use]
    pub fn to_text(&self) -> [u8; TEXT_LEN] {
        let mut text = [0; TEXT_LEN];
        let mut state = Checksum::new();
        let data = Groups {
            bytes: self.0.0.iter(),
            bits: 0,
            held: 0,
        };
        let (prefix, rest) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        let (body, check) = rest.split_at_mut(DATA_LEN);
        for (place, value) in body.iter_mut().zip(data) {
            state.push(value);
            *place = letter(value);
        }
        for (place, value) in check.iter_mut().zip(state.finish()) {
            *place = letter(value);
        }
        text
    }

    /// Reads the text form, all in lower or all in upper case.
    pub fn parse(text: &str) -> Result<Self, DeviceIdError> {
        let text = text.as_bytes();
        if text.len() != TEXT_LEN {
            return Err(DeviceIdError::Length);
        }
        if text.iter().any(u8::is_ascii_lowercase) && text.iter().any(u8::is_ascii_uppercase) {
            return Err(DeviceIdError::MixedCase);
        }
        let (prefix, rest) = text.split_at(PREFIX.len());
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Err(DeviceIdError::Prefix);
        }
        let mut state = Checksum::new();
        let mut id = [0u8; 32];
        let mut out = id.iter_mut();
        let (mut held, mut bits) = (0u32, 0u32);
        for (at, character) in rest.iter().enumerate() {
            let value = value(character.to_ascii_lowercase()).ok_or(DeviceIdError::Character)?;
            state.push(value);
            if at >= DATA_LEN {
                continue;
            }
            held = (held << 5) | u32::from(value);
            bits = bits.saturating_add(5);
            if bits >= 8 {
                bits = bits.saturating_sub(8);
                if let Some(byte) = out.next() {
                    *byte = (held >> bits) as u8;
                }
                held &= !(u32::MAX << bits);
            }
        }
        if state.0 != BECH32M {
            return Err(DeviceIdError::Checksum);
        }
        if held != 0 {
            return Err(DeviceIdError::Padding);
        }
        Ok(Self(Id(id)))
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text();
        f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl core::str::FromStr for DeviceId {
    type Err = DeviceIdError;
    fn from_str(text: &str) -> Result<Self, DeviceIdError> {
        Self::parse(text)
    }
}

fn letter(value: u8) -> u8 {
    ALPHABET.get(usize::from(value)).copied().unwrap_or(b'?')
}

fn value(character: u8) -> Option<u8> {
    ALPHABET
        .iter()
        .position(|a| *a == character)
        .and_then(|at| u8::try_from(at).ok())
}

/// Bytes as five-bit groups, high bits first, the last one filled with zeros.
struct Groups<'a> {
    bytes: core::slice::Iter<'a, u8>,
    bits: u32,
    held: u32,
}

impl Iterator for Groups<'_> {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        if self.bits < 5 {
            match self.bytes.next() {
                Some(byte) => {
                    self.held = (self.held << 8) | u32::from(*byte);
                    self.bits = self.bits.saturating_add(8);
                }
                None if self.bits == 0 => return None,
                None => {
                    self.held <<= 5u32.saturating_sub(self.bits);
                    self.bits = 5;
                }
            }
        }
        self.bits = self.bits.saturating_sub(5);
        let value = (self.held >> self.bits) as u8 & 31;
        self.held &= !(u32::MAX << self.bits);
        Some(value)
    }
}

/// BIP 173's checksum: a remainder modulo a polynomial over GF(32).
struct Checksum(u32);

impl Checksum {
    /// The state after the prefix has been read.
    fn new() -> Self {
        let mut state = Self(1);
        let human = || PREFIX.iter().take_while(|c| **c != b'1');
        human().for_each(|c| state.push(c >> 5));
        state.push(0);
        human().for_each(|c| state.push(c & 31));
        state
    }

    fn push(&mut self, value: u8) {
        const GENERATOR: [u32; 5] = [
            0x3b6a_57b2,
            0x2650_8e6d,
            0x1ea1_19fa,
            0x3d42_33dd,
            0x2a14_62b3,
        ];
        let top = self.0 >> 25;
        self.0 = ((self.0 & 0x01ff_ffff) << 5) ^ u32::from(value);
        for (bit, term) in GENERATOR.iter().enumerate() {
            if (top >> bit) & 1 == 1 {
                self.0 ^= term;
            }
        }
    }

    fn finish(mut self) -> [u8; CHECKSUM_LEN] {
        (0..CHECKSUM_LEN).for_each(|_| self.push(0));
        let value = self.0 ^ BECH32M;
        [25, 20, 15, 10, 5, 0].map(|shift| (value >> shift) as u8 & 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bech32::{Bech32, Bech32m, Hrp};
    use proptest::prelude::*;

    fn reference(hrp: &str, bytes: &[u8]) -> String {
        use bech32::{ByteIterExt, Fe32IterExt};
        let hrp = Hrp::parse(hrp).unwrap();
        bytes
            .iter()
            .copied()
            .bytes_to_fes()
            .with_checksum::<Bech32m>(&hrp)
            .chars()
            .collect()
    }

    proptest! {
        #[test]
        fn agrees_with_the_bech32_crate(bytes: [u8; 32]) {
            let id = DeviceId(Id(bytes));
            let text = id.to_string();
            prop_assert_eq!(&text, &reference("iote", &bytes));
            prop_assert_eq!(DeviceId::parse(&text), Ok(id));
            prop_assert_eq!(DeviceId::parse(&text.to_uppercase()), Ok(id));
        }

        #[test]
        fn one_wrong_character_is_found(bytes: [u8; 32], at in 5usize..TEXT_LEN, other in 0usize..32) {
            let mut text = DeviceId(Id(bytes)).to_text();
            let wrong = ALPHABET[other];
            prop_assume!(text[at] != wrong);
            text[at] = wrong;
            let text = core::str::from_utf8(&text).unwrap();
            prop_assert_eq!(DeviceId::parse(text), Err(DeviceIdError::Checksum));
        }

        #[test]
        fn any_text_is_refused_or_stands_for_itself(text in "\\PC{0,70}") {
            if let Ok(id) = DeviceId::parse(&text) {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }
    }

    #[test]
    fn each_refusal_is_its_own() {
        use bech32::{ByteIterExt, Fe32IterExt};
        let bytes = [7; 32];
        let good = DeviceId(Id(bytes)).to_string();
        let bech32: String = bytes
            .iter()
            .copied()
            .bytes_to_fes()
            .with_checksum::<Bech32>(&Hrp::parse("iote").unwrap())
            .chars()
            .collect();
        assert_eq!(DeviceId::parse(&bech32), Err(DeviceIdError::Checksum));
        assert_eq!(
            DeviceId::parse(&reference("iota", &bytes)),
            Err(DeviceIdError::Prefix)
        );
        assert_eq!(
            DeviceId::parse(&reference("iote", &bytes[..31])),
            Err(DeviceIdError::Length)
        );
        assert_eq!(
            DeviceId::parse(&format!("{good}q")),
            Err(DeviceIdError::Length)
        );
        assert_eq!(DeviceId::parse(""), Err(DeviceIdError::Length));
        assert_eq!(
            DeviceId::parse(&good.replacen('i', "I", 1)),
            Err(DeviceIdError::MixedCase)
        );
        assert_eq!(
            DeviceId::parse(&format!("{}b", &good[..62])),
            Err(DeviceIdError::Character)
        );
        assert_eq!(
            DeviceId::parse(&format!("{}\u{e9}", &good[..61])),
            Err(DeviceIdError::Character)
        );
    }

    #[test]
    fn padding_bits_must_be_zero() {
        // 256 bits fill 51 groups and one bit of the last: set one of its four padding bits and make the checksum right.
        let mut text = DeviceId(Id([7; 32])).to_text();
        let at = PREFIX.len() + DATA_LEN - 1;
        text[at] = letter(value(text[at]).unwrap() | 1);
        let mut state = Checksum::new();
        text[5..=at]
            .iter()
            .for_each(|c| state.push(value(*c).unwrap()));
        for (place, v) in text[at + 1..].iter_mut().zip(state.finish()) {
            *place = letter(v);
        }
        assert_eq!(
            DeviceId::parse(core::str::from_utf8(&text).unwrap()),
            Err(DeviceIdError::Padding)
        );
    }
}
