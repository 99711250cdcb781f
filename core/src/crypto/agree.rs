//! X25519 key agreement (RFC 7748).
//!
//! Invariant: no agreement ends in the all-zero secret. A peer that sends a point of small order would otherwise choose the result
//! for both sides; RFC 7748 section 6.1 leaves the check open, here it is always made. A shared secret is no key yet: put it
//! through [`super::kdf`] with a domain of its own.

use super::backend::Agreement;
use super::ct_eq;
use core::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// An X25519 public key: a u-coordinate, little-endian. Any 32 bytes are one; the check is made on what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// An X25519 secret key; wiped when dropped.
pub struct SecretKey(Agreement);

/// What both sides computed; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret([u8; 32]);

/// Why there is no shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreeError {
    /// The peer's key is a point of small order, so the result would be known to everybody. Refuse the peer.
    WeakPeer,
}

impl SecretKey {
    /// The key of 32 random bytes, clamped as RFC 7748 section 5 says.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Agreement::from_bytes(bytes))
    }

    /// The key to send to peers.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.public_key())
    }

    /// The secret shared with the holder of `peer`.
    ///
    /// # Errors
    /// [`AgreeError::WeakPeer`] where the result is all zero.
    pub fn agree(&self, peer: &PublicKey) -> Result<SharedSecret, AgreeError> {
        let shared = SharedSecret(self.0.agree(&peer.0));
        if ct_eq(&shared.0, &[0; 32]) {
            return Err(AgreeError::WeakPeer);
        }
        Ok(shared)
    }
}

impl SharedSecret {
    /// The bytes, as input of a key derivation.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("agree::SecretKey")
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7748 section 5.2, the iterated test: each result is the next scalar, each scalar the next point.
    #[test]
    fn a_thousand_iterations() {
        let mut k = [0u8; 32];
        k[0] = 9;
        let mut u = k;
        for round in 1..=1000 {
            let next = *SecretKey::from_bytes(&k)
                .agree(&PublicKey(u))
                .unwrap()
                .as_bytes();
            u = k;
            k = next;
            if round == 1 {
                assert_eq!(
                    hex::encode(k),
                    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
                );
            }
        }
        assert_eq!(
            hex::encode(k),
            "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"
        );
    }

    #[test]
    fn points_of_small_order_are_refused() {
        let secret = SecretKey::from_bytes(&[0x42; 32]);
        let p_plus = |n: i16| {
            let mut u = [0xff; 32];
            u[0] = (0xed + n) as u8;
            u[31] = 0x7f;
            u
        };
        let mut one = [0; 32];
        one[0] = 1;
        let eighth = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
        let low = [
            [0; 32],
            one,
            eighth("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            eighth("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            p_plus(-1),
            p_plus(0),
            p_plus(1),
        ];
        for mut u in low {
            assert_eq!(
                secret.agree(&PublicKey(u)).err(),
                Some(AgreeError::WeakPeer)
            );
            // The top bit is masked (RFC 7748 section 5), so it must not open a way around the check.
            u[31] |= 0x80;
            assert_eq!(
                secret.agree(&PublicKey(u)).err(),
                Some(AgreeError::WeakPeer)
            );
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = SecretKey::from_bytes(&[0x42; 32]);
        let shared = secret
            .agree(&SecretKey::from_bytes(&[7; 32]).public_key())
            .unwrap();
        assert_eq!(
            format!("{secret:?} {shared:?}"),
            "agree::SecretKey SharedSecret"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn both_sides_agree(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            let (a, b) = (SecretKey::from_bytes(&a), SecretKey::from_bytes(&b));
            let left = a.agree(&b.public_key()).unwrap();
            let right = b.agree(&a.public_key()).unwrap();
            prop_assert_eq!(left.as_bytes(), right.as_bytes());
        }
    }
}
