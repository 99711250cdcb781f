//! Nonces made of the key and the hash of the message (RFC 6979 section 3.2, with HMAC-SHA256).

use crate::scalar::{N, Scalar};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Candidates, one after the other. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Nonces {
    k: [u8; 32],
    v: [u8; 32],
}

impl Nonces {
    /// Of a secret scalar in [1, n-1] and a hash.
    pub fn new(secret: &Scalar, digest: &[u8; 32]) -> Self {
        let mut secret = secret.big_endian();
        // Modulo the order: bits2octets, section 2.3.4.
        let digest = N.least(&Scalar::of_big_endian(digest)).big_endian();
        let mut nonces = Self {
            k: [0; 32],
            v: [1; 32],
        };
        nonces.stir(0, &secret, &digest);
        nonces.stir(1, &secret, &digest);
        secret.zeroize();
        nonces
    }

    fn stir(&mut self, step: u8, secret: &[u8], digest: &[u8]) {
        self.k = hmac(&self.k, &[&self.v, &[step], secret, digest]);
        self.v = hmac(&self.k, &[&self.v]);
    }

    /// The next candidate; in all but one case of 2^32 it is below the order.
    pub fn candidate(&mut self) -> Scalar {
        self.v = hmac(&self.k, &[&self.v]);
        Scalar::of_big_endian(&self.v)
    }

    /// The candidate was not taken: prepares for another.
    pub fn refuse(&mut self) {
        self.stir(0, &[], &[]);
    }
}

/// RFC 2104, with a key of 32 bytes.
#[inline(never)]
fn hmac(key: &[u8; 32], message: &[&[u8]]) -> [u8; 32] {
    let mut inner = Sha256::new_with_prefix(padded(key, 0x36));
    for part in message {
        inner.update(part);
    }
    let mut outer = Sha256::new_with_prefix(padded(key, 0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

fn padded(key: &[u8; 32], pad: u8) -> [u8; 64] {
    let mut block = [pad; 64];
    for (block, key) in block.iter_mut().zip(key) {
        *block ^= key;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 section 4.2 has a key of 20 bytes, which is one of 32 with zeros behind it.
    #[test]
    fn it_is_hmac() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex::encode(hmac(&key, &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    /// RFC 6979 A.2.5: k, for the message "sample".
    #[test]
    fn it_is_the_nonce_of_rfc_6979() {
        let secret =
            hex::decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let secret = Scalar::of_big_endian(&secret.unwrap().try_into().unwrap());
        let mut nonces = Nonces::new(&secret, &Sha256::digest("sample").into());
        let first = nonces.candidate();
        assert_eq!(
            hex::encode(first.big_endian()),
            "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60"
        );
        nonces.refuse();
        assert_ne!(nonces.candidate().0, first.0);
    }
}
