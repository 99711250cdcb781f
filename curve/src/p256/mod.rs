//! Signatures: ECDSA on P-256 with SHA-256 (FIPS 186-5 section 6), with the acceptance rule of docs/decisions/0002: r and s in [1, n-1], high s too; the
//! key on the curve, its coordinates below p.
//!
//! The caller hashes: what is signed here is a digest. A public key is x and y, 64 bytes, as the wire has it.

mod field;
mod nonce;
mod point;
mod table;

pub use crate::Error;
use crate::scalar::{N, Scalar};
use crate::words::verdict;
use core::fmt;
use core::hint::black_box;
use nonce::Nonces;
use point::{Affine, Point};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret key. Wiped when dropped; it cannot be copied or printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey(Scalar);

impl SecretKey {
    /// The key of a scalar, big-endian; None outside [1, n-1].
    #[must_use]
    pub fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let key = Self(Scalar::of_big_endian(scalar));
        verdict(key.0.in_range()).then_some(key)
    }

    /// What others verify with: x, then y.
    #[must_use]
    pub fn public_key(&self) -> [u8; 64] {
        let mut point = Point::base(&self.0);
        let (x, y) = point.affine();
        point.zeroize();
        joined(&Scalar(x), &Scalar(y))
    }

    /// Signs the hash of a message, deterministically (RFC 6979): r, then s, which may be high.
    #[must_use]
    pub fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        let hash = Scalar::of_big_endian(digest);
        let mut nonces = Nonces::new(&self.0, digest);
        loop {
            let mut nonce = nonces.candidate();
            let mut point = Point::base(&nonce);
            let r = N.least(&Scalar(point.affine().0));
            // s = (hash + r d) / k.
            let mut sum = N.mul_add(&r, &self.0, &N.least(&hash));
            let mut inverse = N.invert(&nonce);
            let s = N.mul(&sum, &inverse);
            let fine = nonce.in_range() & r.in_range() & s.in_range();
            nonce.zeroize();
            point.zeroize();
            sum.zeroize();
            inverse.zeroize();
            // Else once in 2^32 signatures.
            if verdict(fine) {
                return joined(&r, &s);
            }
            nonces.refuse();
        }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

impl Scalar {
    /// 1 where it is in [1, n-1].
    fn in_range(&self) -> u32 {
        let any = self.0.iter().fold(0, |any, word| any | word);
        // The highest bit of any | -any is 1 where there is one. Seen through, that is a comparison, and a branch.
        core::hint::black_box(any | any.wrapping_neg()) >> 31 & N.exceeds(self)
    }
}

fn joined(first: &Scalar, second: &Scalar) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (left, right) = bytes.split_at_mut(32);
    left.copy_from_slice(&first.big_endian());
    right.copy_from_slice(&second.big_endian());
    bytes
}

fn split(bytes: &[u8; 64]) -> (Scalar, Scalar) {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    let (left, right) = bytes.split_at(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    (
        Scalar::of_big_endian(&first),
        Scalar::of_big_endian(&second),
    )
}

fn point(key: &[u8; 64]) -> Result<Affine, Error> {
    let (x, y) = split(key);
    Affine::of(&x.0, &y.0).ok_or(Error::Malformed)
}

/// Whether the bytes can be a public key: x and y below p, and on the curve.
///
/// # Errors
/// [`Error::Malformed`].
pub fn check(key: &[u8; 64]) -> Result<(), Error> {
    point(key).map(|_| ())
}

/// Whether `signature` is one of the message with this hash by `key`.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Rejected`].
pub fn verify(key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> Result<(), Error> {
    let point = point(key)?;
    let (r, s) = split(signature);
    if r.in_range() & s.in_range() == 0 {
        return Err(Error::Malformed);
    }
    let inverse = N.invert(&s);
    let by_base = N.mul(&Scalar::of_big_endian(digest), &inverse);
    let by_key = N.mul(&r, &inverse);
    let (sum, whole) = Point::double_scalar(&by_base, &by_key, &point);
    let sums = Sums {
        point: &point,
        by_base: &by_base,
        by_key: &by_key,
        sum: &sum,
        whole,
    };
    if !sum.has_x(&r) {
        return Err(Error::Rejected);
    }
    match black_box(&sums).hold(key, digest, signature) {
        true => Ok(()),
        false => Err(Error::Rejected),
    }
}

/// What a check of a signature computed.
struct Sums<'a> {
    point: &'a Affine,
    by_base: &'a Scalar,
    by_key: &'a Scalar,
    /// `by_base` G + `by_key` Q, and whether all of `by_key` went into it.
    sum: &'a Point,
    whole: bool,
}

impl Sums<'_> {
    /// Decides again all that `verify` decided, from the bytes: an instruction that a fault skipped there, in a decision or in what leads to it, is noticed here
    /// (docs/decisions/0030).
    #[inline(never)]
    fn hold(&self, key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let (x, y) = split(key);
        let (r, s) = split(signature);
        let hash = N.least(&Scalar::of_big_endian(digest));
        r.in_range() & s.in_range() == 1
            && self.whole
            && N.mul(self.by_base, &s).0 == hash.0
            && N.mul(self.by_key, &s).0 == r.0
            && self.point.is(&x.0, &y.0)
            && self.sum.has_x(&r)
    }
}
