//! Key derivation with HKDF-SHA256 (RFC 5869).
//!
//! Invariant: every derivation carries a domain of its own in `info` (`docs/protocol.md`, section 1), so that a key for one use is
//! never a key for another. `info` is a list of parts whose concatenation is used: make all but the last of fixed length.

use super::Sha256;
use crate::copy::copy;
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Most bytes of one expansion.
pub const MAX_OUTPUT: usize = 255 * 32;

/// What HMAC mixes into the key for its inner and its outer hash.
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// A pseudorandom key, from which keys are expanded; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Prk([u8; 32]);

/// Why no key was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdfError {
    /// More than [`MAX_OUTPUT`] bytes asked for: expand twice, with a different `info`.
    TooLong,
}

impl Prk {
    /// HKDF-Extract over the concatenation of `input`; an empty salt is RFC 5869's "not provided".
    #[must_use]
    pub fn extract(salt: &[u8], input: &[&[u8]]) -> Self {
        match salt.len() {
            // A key of HMAC that is longer than its block is hashed first.
            0..=64 => Self(mac(salt, &[], input, &[])),
            _ => Self(mac(&super::sha256(&[salt]), &[], input, &[])),
        }
    }

    /// A pseudorandom key that was derived or stored before. It must be uniform: never a password or a shared secret.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself, where a format stores it or uses it as a chain key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HKDF-Expand: fills `out` with the key that belongs to the concatenation of `info`.
    ///
    /// # Errors
    /// [`KdfError::TooLong`]; `out` is then unchanged.
    pub fn expand(&self, info: &[&[u8]], out: &mut [u8]) -> Result<(), KdfError> {
        if out.len() > MAX_OUTPUT {
            return Err(KdfError::TooLong);
        }
        let mut last = [0; 32];
        for (count, block) in (1..=u8::MAX).zip(out.chunks_mut(32)) {
            // T(0) is empty.
            let before: &[u8] = if count == 1 { &[] } else { &last };
            last = mac(&self.0, before, info, &[count]);
            copy(block, &last);
        }
        last.zeroize();
        Ok(())
    }
}

/// HMAC-SHA256 (RFC 2104) of `before`, the parts and what follows, under a key of at most a block. Written out, since a compiler that saves space cannot see that the general one
/// of the library never panics.
fn mac(key: &[u8], before: &[u8], parts: &[&[u8]], after: &[u8]) -> [u8; 32] {
    let mut pad = [INNER; 64];
    for (pad, key) in pad.iter_mut().zip(key) {
        *pad ^= key;
    }
    let mut inner = Sha256::new();
    inner.update(&pad);
    inner.update(before);
    for part in parts {
        inner.update(part);
    }
    inner.update(after);
    for pad in &mut pad {
        *pad ^= INNER ^ OUTER;
    }
    let mut outer = Sha256::new();
    outer.update(&pad);
    pad.zeroize();
    outer.update(&inner.finish());
    outer.finish()
}

impl fmt::Debug for Prk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prk")
    }
}

/// Extract and expand in one step.
///
/// # Errors
/// [`KdfError::TooLong`]; `out` is then unchanged.
pub fn derive(salt: &[u8], input: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), KdfError> {
    Prk::extract(salt, &[input]).expand(info, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 5869 A.1 gives the intermediate key too.
    #[test]
    fn the_intermediate_key_of_rfc_5869_a_1() {
        let prk = Prk::extract(
            &hex::decode("000102030405060708090a0b0c").unwrap(),
            &[&[0x0b; 22]],
        );
        assert_eq!(
            hex::encode(prk.as_bytes()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
        );
        assert_eq!(format!("{prk:?}"), "Prk");
    }

    #[test]
    fn the_longest_output_and_one_more() {
        let prk = Prk::from_bytes([1; 32]);
        let mut out = [0u8; MAX_OUTPUT + 1];
        assert_eq!(prk.expand(&[b"x"], &mut out), Err(KdfError::TooLong));
        assert!(out.iter().all(|byte| *byte == 0));
        assert_eq!(prk.expand(&[b"x"], &mut out[..MAX_OUTPUT]), Ok(()));
    }

    proptest! {
        #[test]
        fn parts_are_concatenated(salt in any::<[u8; 8]>(), input in prop::collection::vec(any::<u8>(), 0..80), cut in any::<prop::sample::Index>()) {
            let (a, b) = input.split_at(cut.index(input.len() + 1));
            let (mut whole, mut pieces) = ([0; 48], [0; 48]);
            derive(&salt, &input, &[&input], &mut whole).unwrap();
            Prk::extract(&salt, &[a, b]).expand(&[a, b], &mut pieces).unwrap();
            prop_assert_eq!(whole, pieces);
        }
    }
}
