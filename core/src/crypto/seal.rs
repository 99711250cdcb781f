//! Sealing with ChaCha20-Poly1305 (RFC 8439 section 2.8), in place with the tag apart.
//!
//! Invariants: one (key, nonce) pair seals one message, ever: two would give away both and the authentication key, so a nonce is
//! counted and its count stored before use, never drawn at random. `open` checks the tag first; on a forgery the buffer is as it
//! was, so no unauthenticated plaintext is ever seen.

use super::ct_eq;
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes that sealing adds.
pub const TAG_LEN: usize = 16;

/// A sealing key; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

/// A nonce, which with one key may be used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 12]);

/// The proof that a sealed message and its associated data are whole. Compared by [`open`] only.
#[derive(Clone, Copy, Debug)]
pub struct Tag(pub [u8; TAG_LEN]);

/// Why a message was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// Longer than the cipher's counter allows (about 256 GiB): cut it up.
    TooLong,
    /// Key, nonce, associated data, message and tag do not belong together. Drop the message, count it against the sender.
    Forged,
}

impl Key {
    /// The key of 32 derived bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seal::Key")
    }
}

/// Seals `buffer` in place; `associated` is authenticated with it and travels in the clear or not at all.
///
/// # Errors
/// [`SealError::TooLong`]; the buffer is then unspecified and must not be sent.
pub fn seal(
    key: &Key,
    nonce: &Nonce,
    associated: &[u8],
    buffer: &mut [u8],
) -> Result<Tag, SealError> {
    let tag = iotedge_seal::seal(&key.0, &nonce.0, associated, buffer);
    tag.map(Tag).map_err(|_| SealError::TooLong)
}

/// Opens `buffer` in place, after the tag has been found right.
///
/// # Errors
/// [`SealError::Forged`]; the buffer is then unchanged.
pub fn open(
    key: &Key,
    nonce: &Nonce,
    associated: &[u8],
    buffer: &mut [u8],
    tag: &Tag,
) -> Result<(), SealError> {
    open_if(key, nonce, associated, buffer, |found| ct_eq(found, &tag.0))
}

fn open_if(
    key: &Key,
    nonce: &Nonce,
    associated: &[u8],
    buffer: &mut [u8],
    right: impl FnOnce(&[u8; TAG_LEN]) -> bool,
) -> Result<(), SealError> {
    match iotedge_seal::open(&key.0, &nonce.0, associated, buffer, right) {
        Ok(true) => Ok(()),
        _ => Err(SealError::Forged),
    }
}

/// Opens `buffer` in place under the first bytes of its tag, at least 8.
///
/// # Errors
/// [`SealError::Forged`]; the buffer is then unchanged.
pub fn open_short(
    key: &Key,
    nonce: &Nonce,
    associated: &[u8],
    buffer: &mut [u8],
    tag: &[u8],
) -> Result<(), SealError> {
    open_if(key, nonce, associated, buffer, |found| {
        let first = found.get(..tag.len());
        tag.len() >= 8 && first.is_some_and(|first| ct_eq(first, tag))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_do_not_print() {
        assert_eq!(format!("{:?}", Key::new([3; 32])), "seal::Key");
    }

    #[test]
    fn an_empty_message_still_has_a_tag() {
        let key = Key::new([3; 32]);
        let tag = seal(&key, &Nonce([1; 12]), b"ad", &mut []).unwrap();
        assert_eq!(open(&key, &Nonce([1; 12]), b"ad", &mut [], &tag), Ok(()));
        assert_eq!(
            open(&key, &Nonce([1; 12]), b"da", &mut [], &tag),
            Err(SealError::Forged)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_flipped_bit_is_a_forgery(
            key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), associated in prop::collection::vec(any::<u8>(), 1..40),
            plain in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0u8..8, what in 0..5,
        ) {
            let mut sealed = plain.clone();
            let tag = seal(&Key::new(key), &Nonce(nonce), &associated, &mut sealed).unwrap();
            let mut opened = sealed.clone();
            prop_assert_eq!(open(&Key::new(key), &Nonce(nonce), &associated, &mut opened, &tag), Ok(()));
            prop_assert_eq!(&opened, &plain);

            let (mut k, mut n, mut a, mut s, mut t) = (key, nonce, associated, sealed, tag);
            let part: &mut [u8] = match what { 0 => &mut k, 1 => &mut n, 2 => &mut a, 3 => &mut s, _ => &mut t.0 };
            let len = part.len();
            part[at.index(len)] ^= 1 << bit;
            let before = s.clone();
            prop_assert_eq!(open(&Key::new(k), &Nonce(n), &a, &mut s, &t), Err(SealError::Forged));
            prop_assert_eq!(s, before, "a refused buffer stays as it was");
        }
    }
}
