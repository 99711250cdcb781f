//! A verifiable random function: ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381, section 5.
//!
//! Invariant: for one key and one input there is one output that verifies. That needs the key to be validated (section 5.4.5), so `verify` always does, by the
//! ledger's rule for points (docs/decisions/0002): canonical, on the curve, not of small order. Gamma falls under it too: none that a key made is of small order.
//! Proofs of one output may be several; so nothing may be named by a proof.

use crate::ed25519::{SecretKey, sha512};
use crate::edwards::Extended;
use crate::scalar::{L, Scalar};
use crate::words::store;
use zeroize::Zeroize;

/// Bytes of a proof: Gamma (32), c (16), s (32).
pub const PROOF: usize = 80;
/// Bytes of an output.
pub const OUTPUT: usize = 64;

/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The key is not canonical, not on the curve or of small order.
    Key,
    /// Gamma is no such point, or s is not below the order.
    Malformed,
    /// The proof is not one of this input by this key.
    Rejected,
}

/// suite_string of ECVRF-EDWARDS25519-SHA512-TAI.
const SUITE: u8 = 3;
/// Section 5.5's domain separators: front, and back of all.
const ENCODE: u8 = 1;
const CHALLENGE: u8 = 2;
const HASH: u8 = 3;
const BACK: u8 = 0;

/// A proof as it is read: nothing of it is checked but its form.
struct Parts {
    gamma: Extended,
    c: Scalar,
    s: Scalar,
}

/// Proves the output of `alpha` (section 5.1). None where no point was found for alpha, which has a chance of 2^-256.
#[must_use]
pub fn prove(key: &SecretKey, alpha: &[u8]) -> Option<[u8; PROOF]> {
    let h = encode_to_curve(&key.public, alpha)?;
    let h_string = h.projective().encode();
    let gamma = h.times(&key.scalar).projective().encode();
    let mut nonce = nonce(key, &h_string);
    let u = Extended::base(&nonce).encode();
    let v = h.times(&nonce).projective().encode();
    let c = challenge(&[&key.public, &h_string, &gamma, &u, &v]);
    let s = L.mul_add(&Scalar::raw(&widened(&c)), &key.scalar, &nonce);
    nonce.zeroize();
    let mut proof = [0; PROOF];
    let (first, rest) = proof.split_at_mut(32);
    let (middle, last) = rest.split_at_mut(16);
    first.copy_from_slice(&gamma);
    middle.copy_from_slice(&c);
    last.copy_from_slice(&store(&s.0));
    Some(proof)
}

/// The output that `proof` proves for `alpha` under `key` (section 5.3, with the key validated).
///
/// # Errors
/// [`Error`].
pub fn verify(key: &[u8; 32], alpha: &[u8], proof: &[u8; PROOF]) -> Result<[u8; OUTPUT], Error> {
    let y = Extended::decode(key).ok_or(Error::Key)?;
    let parts = Parts::of(proof)?;
    let h = encode_to_curve(key, alpha).ok_or(Error::Rejected)?;
    let u = Extended::double_scalar(&parts.s, &parts.c, &y.neg()).0;
    let v = Extended::double_points(&parts.s, &h, &parts.c, &parts.gamma.neg());
    let [h, u, v] = [h, u, v].map(|point| point.projective().encode());
    let c = challenge(&[key, &h, gamma(proof), &u, &v]);
    if proof[32..48] != c {
        return Err(Error::Rejected);
    }
    Ok(hash(&parts.gamma))
}

/// The output of a proof that was verified, or that one made oneself (section 5.2). Proves nothing.
///
/// # Errors
/// [`Error::Malformed`].
pub fn output(proof: &[u8; PROOF]) -> Result<[u8; OUTPUT], Error> {
    Ok(hash(&Parts::of(proof)?.gamma))
}

impl Parts {
    /// Section 5.4.4.
    fn of(proof: &[u8; PROOF]) -> Result<Self, Error> {
        let (mut c, mut s) = ([0; 16], [0; 32]);
        let (head, last) = proof.split_at(48);
        c.copy_from_slice(&head[32..]);
        s.copy_from_slice(last);
        let s = Scalar::raw(&s);
        if L.exceeds(&s) == 0 {
            return Err(Error::Malformed);
        }
        let gamma = Extended::decode(gamma(proof)).ok_or(Error::Malformed)?;
        let c = Scalar::raw(&widened(&c));
        Ok(Self { gamma, c, s })
    }
}

fn gamma(proof: &[u8; PROOF]) -> &[u8; 32] {
    proof.first_chunk().unwrap_or(&[0; 32])
}

fn widened(c: &[u8; 16]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(c);
    bytes
}

/// Section 5.4.1.1: the first of the hashes that is a point, times the cofactor. What is of small order would become the identity, which is passed over just so.
fn encode_to_curve(key: &[u8; 32], alpha: &[u8]) -> Option<Extended> {
    (0..=u8::MAX).find_map(|tried| {
        let hash = sha512(&[&[SUITE, ENCODE], key, alpha, &[tried, BACK]]);
        Some(Extended::decode(hash.first_chunk()?)?.cleared())
    })
}

/// Section 5.4.2.2, as RFC 8032 makes its own.
fn nonce(key: &SecretKey, h_string: &[u8; 32]) -> Scalar {
    let mut hash = sha512(&[&key.prefix, h_string]);
    let nonce = L.reduced(&hash);
    hash.zeroize();
    nonce
}

/// Section 5.4.3, of the encodings of Y, H, Gamma, U and V.
fn challenge(points: &[&[u8; 32]; 5]) -> [u8; 16] {
    let [y, h, gamma, u, v] = points;
    let hash = sha512(&[&[SUITE, CHALLENGE], *y, *h, *gamma, *u, *v, &[BACK]]);
    let mut c = [0; 16];
    c.copy_from_slice(&hash[..16]);
    c
}

/// Section 5.2.
fn hash(gamma: &Extended) -> [u8; OUTPUT] {
    let point = gamma.projective().by_cofactor().encode();
    sha512(&[&[SUITE, HASH], &point, &[BACK]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn rows() -> Vec<Value> {
        let rows: Vec<Value> =
            serde_json::from_str(include_str!("../../vectors/vrf.json")).unwrap();
        let of_rfc = |row: &Value| row["name"].as_str().unwrap().starts_with("RFC 9381");
        rows.into_iter().filter(of_rfc).collect()
    }

    fn text(row: &Value, field: &str) -> String {
        row[field].as_str().unwrap().to_string()
    }

    fn bytes(row: &Value, field: &str) -> Vec<u8> {
        hex::decode(text(row, field)).unwrap()
    }

    /// What is on the way, too: x, ctr, H, the nonce, U and V of appendix B.3.
    #[test]
    fn the_examples_of_the_rfc_step_by_step() {
        let rows = rows();
        assert_eq!(rows.len(), 3);
        for row in rows {
            let name = text(&row, "name");
            let key = SecretKey::from_seed(&bytes(&row, "secret").try_into().unwrap());
            assert_eq!(key.public[..], bytes(&row, "key"), "{name}");
            assert_eq!(store(&key.scalar.0)[..], bytes(&row, "x"), "{name}");
            let alpha = bytes(&row, "alpha");
            let h = encode_to_curve(&key.public, &alpha).unwrap();
            let h_string = h.projective().encode();
            assert_eq!(h_string[..], bytes(&row, "h"), "{name}");
            let tries = (0..=u8::MAX).take_while(|tried| {
                let hash = sha512(&[&[SUITE, ENCODE], &key.public, &alpha, &[*tried, BACK]]);
                Extended::decode(hash.first_chunk().unwrap()).is_none()
            });
            assert_eq!(tries.count().to_string(), text(&row, "tries"), "{name}");
            let k_string = sha512(&[&key.prefix, &h_string]);
            assert_eq!(k_string[..], bytes(&row, "k_string"), "{name}");
            let k = nonce(&key, &h_string);
            assert_eq!(store(&k.0)[..], bytes(&row, "k"), "{name}");
            let u = Extended::base(&k).encode();
            assert_eq!(u[..], bytes(&row, "u"), "{name}");
            let v = h.times(&k).projective().encode();
            assert_eq!(v[..], bytes(&row, "v"), "{name}");
            let proof = prove(&key, &alpha).unwrap();
            assert_eq!(proof[..], bytes(&row, "proof"), "{name}");
            let beta = verify(&key.public, &alpha, &proof).unwrap();
            assert_eq!(beta[..], bytes(&row, "beta"), "{name}");
            assert_eq!(output(&proof), Ok(beta), "{name}");
        }
    }

    #[test]
    fn no_bit_of_a_proof_can_be_turned() {
        let key = SecretKey::from_seed(&[7; 32]);
        let proof = prove(&key, b"alpha").unwrap();
        for bit in 0..8 * PROOF {
            let mut bent = proof;
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&key.public, b"alpha", &bent).is_err(), "{bit}");
        }
        assert_eq!(verify(&key.public, b"alphb", &proof), Err(Error::Rejected));
    }
}
