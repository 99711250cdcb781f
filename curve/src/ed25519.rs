//! Signatures: RFC 8032 section 5.1, with the acceptance rule of docs/decisions/0002.

pub use crate::Error;
use crate::edwards::Extended;
use crate::scalar::{L, Scalar};
use core::fmt;
use core::hint::black_box;
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret key, ready to sign. Wiped when dropped; it cannot be copied or printed.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretKey {
    /// The clamped scalar, not reduced.
    pub(crate) scalar: Scalar,
    pub(crate) prefix: [u8; 32],
    pub(crate) public: [u8; 32],
}

impl SecretKey {
    /// The key of a seed of 32 random bytes (section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut hash = sha512(&[seed]);
        let (mut low, mut prefix) = ([0; 32], [0; 32]);
        let (scalar, rest) = hash.split_at(32);
        low.copy_from_slice(scalar);
        prefix.copy_from_slice(rest);
        clamp(&mut low);
        let scalar = Scalar::raw(&low);
        hash.zeroize();
        low.zeroize();
        let public = Extended::base(&scalar).encode();
        let key = Self {
            scalar,
            prefix,
            public,
        };
        prefix.zeroize();
        key
    }

    /// What others verify with.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public
    }

    /// Signs `message`, deterministically (section 5.1.6): R, then S.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut hash = sha512(&[&self.prefix, message]);
        let mut nonce = L.reduced(&hash);
        hash.zeroize();
        let r = Extended::base(&nonce).encode();
        let k = challenge(&r, &self.public, message);
        let s = L.mul_add(&k, &self.scalar, &nonce);
        nonce.zeroize();
        let mut signature = [0; 64];
        let (first, second) = signature.split_at_mut(32);
        first.copy_from_slice(&r);
        second.copy_from_slice(&crate::words::store(&s.0));
        signature
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

/// RFC 7748 section 5, RFC 8032 section 5.1.5.
pub(crate) fn clamp(bytes: &mut [u8; 32]) {
    bytes[0] &= 0xf8;
    bytes[31] = (bytes[31] & 0x7f) | 0x40;
}

#[inline(never)]
fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    L.reduced(&sha512(&[r, key, message]))
}

/// Of the parts, one after the other. In one place: each use of the hash would be a copy of its buffering.
#[inline(never)]
pub(crate) fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// A point that a key or the first half of a signature may be.
fn point(bytes: &[u8; 32]) -> Result<Extended, Error> {
    Extended::decode(bytes).ok_or(Error::Malformed)
}

/// R, and S as a number.
fn halves(signature: &[u8; 64]) -> ([u8; 32], Scalar) {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    let (first, second) = signature.split_at(32);
    r.copy_from_slice(first);
    s.copy_from_slice(second);
    (r, Scalar::raw(&s))
}

/// Whether the bytes can be a public key: canonical, on the curve and not of small order.
///
/// # Errors
/// [`Error::Malformed`].
pub fn check(key: &[u8; 32]) -> Result<(), Error> {
    point(key).map(|_| ())
}

/// Whether `signature` is one of `message` by `key`: S < L, A and R canonical and not of small order, and [8][S]B = [8]R + [8][k]A.
///
/// # Errors
/// [`Error::Malformed`] or [`Error::Rejected`].
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    let (r, s) = halves(signature);
    if L.exceeds(&s) == 0 {
        return Err(Error::Malformed);
    }
    let minus_key = point(key)?.neg();
    let r_point = point(&r)?;
    let k = challenge(&r, key, message);
    let (sum, whole) = Extended::double_scalar(&s, &k, &minus_key);
    let sums = Sums {
        minus_key: &minus_key,
        r: &r_point,
        s: &s,
        k: &k,
        sum: &sum,
        whole,
    };
    if !sums.meet() {
        return Err(Error::Rejected);
    }
    match black_box(&sums).hold(key, message, signature) {
        true => Ok(()),
        false => Err(Error::Rejected),
    }
}

/// What a check of a signature computed.
struct Sums<'a> {
    minus_key: &'a Extended,
    r: &'a Extended,
    s: &'a Scalar,
    k: &'a Scalar,
    /// s B - k A, and whether all of s and k went into it.
    sum: &'a Extended,
    whole: bool,
}

impl Sums<'_> {
    /// The equation.
    #[inline(never)]
    fn meet(&self) -> bool {
        self.sum.less(self.r).by_cofactor().is_identity()
    }

    /// Decides again all that `verify` decided, from the bytes: an instruction that a fault skipped there, in a decision or in what leads to it, is noticed here
    /// (docs/decisions/0030). Of the sum itself only what went into it: nobody can choose R for a sum that lacks less than k.
    #[inline(never)]
    fn hold(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let (r, s) = halves(signature);
        L.exceeds(&s) == 1
            && self.whole
            && self.s.0 == s.0
            && self.k.0 == challenge(&r, key, message).0
            && self.minus_key.neg().is(key)
            && self.r.is(&r)
            && self.meet()
    }
}
