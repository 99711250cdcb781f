//! Keys as COSE_Key (RFC 9052 section 7) and the identifiers that follow from them (RFC 9679).
//!
//! Invariant: a key has exactly one encoding, with exactly the members that the thumbprint requires, so the thumbprint is the SHA-256 of
//! the bytes that travel and two readers can never derive two device ids from one key.

use crate::crypto::{PublicKey, sha256};
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};

/// Most bytes of an encoded COSE_Key (P-256).
pub const MAX_COSE_KEY: usize = 75;

/// First bytes of a key's thumbprint: names a key inside a signed message, where the reader knows which keys it trusts.
pub type Kid = [u8; 8];

const KTY: u64 = 1;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;

/// The verbs of a COSE_Key; the key itself is a [`PublicKey`].
pub struct CoseKey;

impl CoseKey {
    /// Writes `{1: 1, -1: 6, -2: x}` for Ed25519 or `{1: 2, -1: 1, -2: x, -3: y}` for P-256.
    pub fn encode(key: &PublicKey, w: &mut Writer<'_>) -> Result<(), WireError> {
        match key {
            PublicKey::Ed25519(x) => {
                w.put_map(3);
                w.put_uint(KTY);
                w.put_uint(1);
                w.put_int(CRV);
                w.put_uint(6);
                w.put_int(X);
                w.put_bytes(x);
            }
            PublicKey::Es256(xy) => {
                let (x, y) = xy.split_at(32);
                w.put_map(4);
                w.put_uint(KTY);
                w.put_uint(2);
                w.put_int(CRV);
                w.put_uint(1);
                w.put_int(X);
                w.put_bytes(x);
                w.put_int(Y);
                w.put_bytes(y);
            }
        }
        w.intact()
    }

    /// Reads one COSE_Key and nothing after it; other members, curves and lengths are refused. Whether a signature by the key can
    /// ever be accepted is `PublicKey::check`'s to say: call it where the key enters (certificates and rotation do).
    pub fn decode(bytes: &[u8]) -> Result<PublicKey, WireError> {
        let mut r = Reader::new(bytes);
        let members = r.take_map();
        expect(&mut r, 1);
        let kind = r.take_int();
        r.intact()?;
        let key = match (members, kind) {
            (3, 1) => {
                expect(&mut r, CRV);
                expect(&mut r, 6);
                expect(&mut r, X);
                PublicKey::Ed25519(*r.take_bytes_of())
            }
            (4, 2) => {
                expect(&mut r, CRV);
                expect(&mut r, 1);
                expect(&mut r, X);
                let x = r.take_bytes_of::<32>();
                expect(&mut r, Y);
                let y = r.take_bytes_of::<32>();
                let mut xy = [0; 64];
                let (left, right) = xy.split_at_mut(32);
                left.copy_from_slice(x);
                right.copy_from_slice(y);
                PublicKey::Es256(xy)
            }
            _ => return Err(WireError::Type),
        };
        r.finish()?;
        Ok(key)
    }

    /// RFC 9679 thumbprint: SHA-256 of the encoding. Of a device's first key, it is the device id.
    #[must_use]
    pub fn thumbprint(key: &PublicKey) -> Id {
        let mut buffer = [0; MAX_COSE_KEY];
        let mut w = Writer::new(&mut buffer);
        // The buffer holds the longest key, so this cannot fail; were it to, the hash would name no key.
        match Self::encode(key, &mut w) {
            Ok(()) => Id(sha256(&[w.written()])),
            Err(_) => Id::ZERO,
        }
    }

    /// First 8 bytes of the thumbprint.
    #[must_use]
    pub fn kid(key: &PublicKey) -> Kid {
        let Id(hash) = Self::thumbprint(key);
        hash.first_chunk().copied().unwrap_or_default()
    }
}

/// Reads an integer that the format fixes.
fn expect(r: &mut Reader<'_>, value: i64) {
    if r.take_int() != value {
        r.break_off(WireError::Type);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(key: &PublicKey) -> Vec<u8> {
        let mut buffer = [0; MAX_COSE_KEY];
        let mut w = Writer::new(&mut buffer);
        CoseKey::encode(key, &mut w).unwrap();
        w.written().to_vec()
    }

    /// The example of RFC 9679 section 6: only the required members are hashed.
    #[test]
    fn rfc9679_example() {
        let x = hex::decode("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
            .unwrap();
        let y = hex::decode("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
            .unwrap();
        let key = PublicKey::Es256([x, y].concat().try_into().unwrap());
        assert_eq!(
            CoseKey::thumbprint(&key).to_string(),
            "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
        );
        assert_eq!(
            CoseKey::kid(&key)[..],
            hex::decode("496bd8afadf307e5").unwrap()
        );
    }

    proptest! {
        #[test]
        fn keys_come_back(ed: [u8; 32], x: [u8; 32], y: [u8; 32]) {
            let es: [u8; 64] = [x, y].concat().try_into().unwrap();
            for key in [PublicKey::Ed25519(ed), PublicKey::Es256(es)] {
                let bytes = encoded(&key);
                prop_assert_eq!(CoseKey::decode(&bytes), Ok(key));
                for end in 0..bytes.len() {
                    prop_assert!(CoseKey::decode(&bytes[..end]).is_err());
                }
            }
        }

        #[test]
        fn what_is_accepted_is_the_only_encoding(at in 0usize..8, byte: u8) {
            let mut bytes = encoded(&PublicKey::Ed25519([3; 32]));
            bytes[at] = byte;
            if let Ok(key) = CoseKey::decode(&bytes) {
                prop_assert_eq!(encoded(&key), bytes);
            }
        }
    }

    #[test]
    fn other_members_and_curves_are_refused() {
        let good = encoded(&PublicKey::Ed25519([3; 32]));
        // A kid, an algorithm, key type 2 with an Ed25519 curve, X25519, a secret part.
        let mut kid = good.clone();
        kid[0] = 0xa4;
        kid.splice(3..3, [0x02, 0x41, 0x00]);
        let mut alg = good.clone();
        alg[0] = 0xa4;
        alg.splice(3..3, [0x03, 0x27]);
        let mut kty = good.clone();
        kty[2] = 2;
        let mut curve = good.clone();
        curve[4] = 4;
        let mut secret = good.clone();
        secret[0] = 0xa4;
        secret.extend([0x23, 0x58, 0x20]);
        secret.extend([9; 32]);
        for bytes in [kid, alg, kty, curve, secret] {
            assert_eq!(
                CoseKey::decode(&bytes),
                Err(WireError::Type),
                "{bytes:02x?}"
            );
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(CoseKey::decode(&longer), Err(WireError::TrailingBytes));
        let mut short = good;
        short[7] = 31;
        short.pop();
        assert_eq!(CoseKey::decode(&short), Err(WireError::Range));
    }
}
