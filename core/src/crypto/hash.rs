//! SHA-256 (FIPS 180-4), the only hash of the protocol.
//!
//! Invariant: a digest is over the concatenation of its parts, so callers that need the border between two parts to count must
//! give parts of fixed length or length-prefixed ones (`docs/protocol.md`, section 1: domain strings come first and differ).

use sha2::Digest;

#[cfg(test)]
std::thread_local! {
    /// Blocks that finished hashes of this thread took: what speed is measured by where a clock says little.
    pub(crate) static COMPRESSIONS: core::cell::Cell<u64> = const { core::cell::Cell::new(0) };
}

/// SHA-256 in pieces: for input that does not lie in one buffer.
#[derive(Clone)]
pub struct Sha256(sha2::Sha256, #[cfg(test)] u64);

impl Sha256 {
    /// A hash of nothing so far.
    #[must_use]
    pub fn new() -> Self {
        Self(
            sha2::Sha256::new(),
            #[cfg(test)]
            0,
        )
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        #[cfg(test)]
        {
            self.1 += bytes.len() as u64;
        }
        self.0.update(bytes);
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        #[cfg(test)]
        COMPRESSIONS.set(COMPRESSIONS.get() + (self.1 + 9).div_ceil(64));
        self.0.finalize().into()
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 over the concatenation of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fips_180_4_examples() {
        assert_eq!(
            hex::encode(sha256(&[b"abc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex::encode(sha256(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex::encode(sha256(&[
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
            ])),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let cut = cut.min(bytes.len());
            let (a, b) = bytes.split_at(cut);
            let mut hash = Sha256::new();
            hash.update(a);
            hash.update(b);
            prop_assert_eq!(hash.finish(), sha256(&[&bytes]));
            prop_assert_eq!(sha256(&[a, b]), sha256(&[&bytes]));
        }
    }
}
