//! ChaCha20-Poly1305 (RFC 8439 section 2.8) of the libraries' cipher and authenticator, in place with the tag apart.
//!
//! Why not the library's own composition: it unwraps what cannot fail, which a compiler that saves space does not see; and it gives a tag only for what it seals, where a short tag needs that of what
//! it opens. Why a crate of its own: what is generic is compiled where it is used, and there (in the core, on microcontrollers) it would be compiled for size: 2.6 times slower, and larger.
//! Invariant: no call panics, whatever it is given.
#![no_std]
#![forbid(unsafe_code)]

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit, UniversalHash};
use zeroize::Zeroize;

/// Bytes of a tag.
pub const TAG: usize = 16;

/// Longer than the cipher's counter allows, about 256 GiB. The buffer is then unspecified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The key stream behind its first block, of which the authenticator has its key.
struct Sealing {
    stream: ChaCha20,
    mac: Poly1305,
}

impl Sealing {
    #[inline(never)]
    fn new(key: &[u8; 32], nonce: &[u8; 12]) -> Result<Self, TooLong> {
        let mut stream = ChaCha20::new(&(*key).into(), &(*nonce).into());
        let mut first = [0; 64];
        stream
            .try_apply_keystream(&mut first)
            .map_err(|_| TooLong)?;
        let mut once = [0; 32];
        for (to, from) in once.iter_mut().zip(&first) {
            *to = *from;
        }
        first.zeroize();
        let mac = Poly1305::new(&once.into());
        once.zeroize();
        Ok(Self { stream, mac })
    }

    #[inline(never)]
    fn absorb(&mut self, data: &[u8]) {
        let (blocks, tail) = data.as_chunks::<16>();
        for block in blocks {
            self.mac.update(&[(*block).into()]);
        }
        if !tail.is_empty() {
            let mut last = [0; 16];
            for (to, from) in last.iter_mut().zip(tail) {
                *to = *from;
            }
            self.mac.update(&[last.into()]);
        }
    }

    /// The tag over associated data and ciphertext.
    fn tag(&mut self, associated: &[u8], sealed: &[u8]) -> [u8; TAG] {
        self.absorb(associated);
        self.absorb(sealed);
        let mut lengths = [0; 16];
        let both = [associated.len() as u64, sealed.len() as u64];
        for (to, from) in lengths.as_chunks_mut::<8>().0.iter_mut().zip(both) {
            *to = from.to_le_bytes();
        }
        self.mac.update(&[lengths.into()]);
        self.mac.clone().finalize().into()
    }

    #[inline(never)]
    fn apply(&mut self, buffer: &mut [u8]) -> Result<(), TooLong> {
        self.stream.try_apply_keystream(buffer).map_err(|_| TooLong)
    }
}

/// Seals `buffer` in place; gives the tag.
///
/// # Errors
/// [`TooLong`].
pub fn seal(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; TAG], TooLong> {
    let mut sealing = Sealing::new(key, nonce)?;
    sealing.apply(buffer)?;
    Ok(sealing.tag(associated, buffer))
}

/// Opens `buffer` in place if `right` says so of its tag; says whether it did. Where not, the buffer is as it was.
///
/// # Errors
/// [`TooLong`].
pub fn open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    associated: &[u8],
    buffer: &mut [u8],
    right: impl FnOnce(&[u8; TAG]) -> bool,
) -> Result<bool, TooLong> {
    let mut sealing = Sealing::new(key, nonce)?;
    let right = right(&sealing.tag(associated, buffer));
    if right {
        sealing.apply(buffer)?;
    }
    Ok(right)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use chacha20poly1305::ChaCha20Poly1305;
    use chacha20poly1305::aead::AeadInOut;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_library_s_composition(
            key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), associated in prop::collection::vec(any::<u8>(), 0..70),
            plain in prop::collection::vec(any::<u8>(), 0..300), bit in any::<prop::sample::Index>(),
        ) {
            let cipher = ChaCha20Poly1305::new(&key.into());
            let mut theirs = plain.clone();
            let tag = cipher.encrypt_inout_detached(&nonce.into(), &associated, theirs.as_mut_slice().into()).unwrap();
            let mut ours = plain.clone();
            prop_assert_eq!(seal(&key, &nonce, &associated, &mut ours), Ok(tag.into()));
            prop_assert_eq!(&ours, &theirs);
            let mut wrong: [u8; 16] = tag.into();
            let bit = bit.index(128);
            wrong[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open(&key, &nonce, &associated, &mut ours, |found| *found == wrong), Ok(false));
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(open(&key, &nonce, &associated, &mut ours, |found| *found == <[u8; 16]>::from(tag)), Ok(true));
            prop_assert_eq!(ours, plain);
        }
    }
}
