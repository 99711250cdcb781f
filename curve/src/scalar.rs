//! Numbers modulo the order of a base point: of edwards25519, and of P-256.
//!
//! Barrett's reduction with 32-bit words (Menezes, van Oorschot, Vanstone: Handbook of Applied Cryptography, algorithm 14.42), without a branch. The modulus
//! is an operand, so that both curves share the code.

use crate::inverse::inverse;
use crate::words::{accumulate, add, choose, load, mask, store, sub};
use zeroize::Zeroize;

/// A prime whose highest word is not zero.
pub struct Order {
    pub words: [u32; 8],
    /// The whole part of 2^512 / it.
    mu: [u32; 9],
    /// 1 / 2, modulo it.
    half: Scalar,
}

/// The order of edwards25519's base point (RFC 8032 section 5.1).
pub static L: Order = Order {
    words: [
        0x5cf5_d3ed,
        0x5812_631a,
        0xa2f7_9cd6,
        0x14de_f9de,
        0,
        0,
        0,
        0x1000_0000,
    ],
    mu: [
        0x0a2c_131b,
        0xed9c_e5a3,
        0x0863_29a7,
        0x2106_215d,
        0xffff_ffeb,
        0xffff_ffff,
        0xffff_ffff,
        0xffff_ffff,
        0xf,
    ],
    half: Scalar([
        0x2e7a_e9f7,
        0x2c09_318d,
        0x517b_ce6b,
        0x0a6f_7cef,
        0,
        0,
        0,
        0x0800_0000,
    ]),
};

/// The order of P-256 (SEC 2 section 2.4.2).
pub static N: Order = Order {
    words: [
        0xfc63_2551,
        0xf3b9_cac2,
        0xa717_9e84,
        0xbce6_faad,
        0xffff_ffff,
        0xffff_ffff,
        0,
        0xffff_ffff,
    ],
    mu: [
        0xeedf_9bfe,
        0x012f_fd85,
        0xdf1a_6c21,
        0x4319_0552,
        0xffff_ffff,
        0xffff_fffe,
        0xffff_ffff,
        0,
        1,
    ],
    half: Scalar([
        0x7e31_92a9,
        0x79dc_e561,
        0xd38b_cf42,
        0xde73_7d56,
        0xffff_ffff,
        0x7fff_ffff,
        0x8000_0000,
        0x7fff_ffff,
    ]),
};

/// Below 2^256; what the functions of an [`Order`] return is below that.
#[derive(Clone, Copy, Debug, Default, Zeroize)]
pub struct Scalar(pub [u32; 8]);

impl Order {
    /// 1 where `x` is below it.
    pub fn exceeds(&self, x: &Scalar) -> u32 {
        let mut borrow = 0;
        for (x, word) in x.0.iter().zip(self.words) {
            (_, borrow) = sub(*x, word, borrow);
        }
        borrow
    }

    /// Of a hash of 64 bytes.
    pub fn reduced(&self, bytes: &[u8; 64]) -> Scalar {
        let mut words = load(bytes);
        let r = self.reduce(&words);
        words.zeroize();
        r
    }

    /// a * b + c for any a and b, and c below it.
    #[inline(never)]
    pub fn mul_add(&self, a: &Scalar, b: &Scalar, c: &Scalar) -> Scalar {
        let mut r = [0u32; 16];
        for (r, c) in r.iter_mut().zip(c.0) {
            *r = c;
        }
        for (i, a) in a.0.iter().enumerate() {
            // What the carry goes to has nothing yet: a b + c is below 2^512.
            accumulate(r.get_mut(i..).unwrap_or(&mut []), *a, &b.0);
        }
        let out = self.reduce(&r);
        r.zeroize();
        out
    }

    /// a * b.
    pub fn mul(&self, a: &Scalar, b: &Scalar) -> Scalar {
        self.mul_add(a, b, &Scalar::default())
    }

    /// It less x, which is not above it.
    pub fn minus(&self, x: &Scalar) -> Scalar {
        let (mut r, mut borrow) = ([0; 8], 0);
        for ((r, word), x) in r.iter_mut().zip(self.words).zip(x.0) {
            (*r, borrow) = sub(word, x, borrow);
        }
        Scalar(r)
    }

    /// The sum of it and x, and the carry.
    pub fn plus(&self, x: &Scalar) -> (Scalar, u32) {
        let (mut r, mut carry) = ([0; 8], 0);
        for ((r, word), x) in r.iter_mut().zip(self.words).zip(x.0) {
            (*r, carry) = add(word, x, carry);
        }
        (Scalar(r), carry)
    }

    /// 1 / x, and 0 for 0.
    pub fn invert(&self, x: &Scalar) -> Scalar {
        Scalar(inverse(&x.0, &self.words))
    }

    /// Any x, modulo it.
    pub fn least(&self, x: &Scalar) -> Scalar {
        self.mul(x, &Scalar([1, 0, 0, 0, 0, 0, 0, 0]))
    }

    /// The number whose bits, each standing for +1 or -1 at its place, make `x`: (x + 2^256 - 1) / 2.
    pub fn signed_bits(&self, x: &Scalar) -> Scalar {
        let ones = Scalar([u32::MAX; 8]);
        self.mul_add(&ones, &self.half, &self.mul(x, &self.half))
    }

    #[inline(never)]
    fn reduce(&self, x: &[u32; 16]) -> Scalar {
        // q = floor(floor(x / 2^224) mu / 2^288).
        let mut q = [0u32; 18];
        for (i, x) in x.iter().skip(7).enumerate() {
            accumulate(q.get_mut(i..).unwrap_or(&mut []), *x, &self.mu);
        }
        // x - q times it, modulo 2^288.
        let mut product = [0u32; 9];
        for (i, q) in q.iter().skip(9).enumerate() {
            accumulate(product.get_mut(i..).unwrap_or(&mut []), *q, &self.words);
        }
        let (mut r, mut borrow) = ([0u32; 9], 0);
        for ((r, x), product) in r.iter_mut().zip(x).zip(product) {
            (*r, borrow) = sub(*x, product, borrow);
        }
        // That is at most twice it too many.
        for _ in 0..2 {
            let (mut less, mut borrow) = ([0u32; 9], 0);
            let words = self.words.into_iter().chain([0]);
            for ((less, r), word) in less.iter_mut().zip(r).zip(words) {
                (*less, borrow) = sub(r, word, borrow);
            }
            choose(&mut r, &less, !mask(borrow));
        }
        q.zeroize();
        product.zeroize();
        let [words @ .., _] = r;
        r.zeroize();
        Scalar(words)
    }
}

impl Scalar {
    /// Of 32 bytes, little-endian.
    pub fn raw(bytes: &[u8; 32]) -> Self {
        Self(load(bytes))
    }

    /// Of 32 bytes, the highest first.
    pub fn of_big_endian(bytes: &[u8; 32]) -> Self {
        let mut turned = *bytes;
        turned.reverse();
        let scalar = Self::raw(&turned);
        turned.zeroize();
        scalar
    }

    /// Its bytes, the highest first.
    pub fn big_endian(&self) -> [u8; 32] {
        let mut bytes = store(&self.0);
        bytes.reverse();
        bytes
    }

    /// Bit `n`.
    #[inline(always)]
    pub fn bit(&self, n: u8) -> u32 {
        (self.0[usize::from(n / 32) % 8] >> (n % 32)) & 1
    }

    /// Digits, odd and below 2^(width - 1) in size, of which no two are within `width` places. Not for secrets; for what is below 2^255, with a width of
    /// 4 at least.
    pub fn digits(&self, width: u8) -> Digits {
        let mut digits = Digits {
            places: [(0, 0); MOST],
            count: 0,
        };
        let (mut at, mut carry) = (0u8, 0);
        loop {
            let mut next = 1;
            if self.bit(at) != carry {
                let bits = (0..width).filter_map(|i| Some((at.checked_add(i)?, i)));
                let window = bits.fold(carry, |sum, (at, i)| sum + (self.bit(at) << i));
                carry = window >> (width - 1);
                let digit = window as i32 - ((carry as i32) << width);
                if let Some(place) = digits.places.get_mut(digits.count) {
                    *place = (at, digit as i8);
                    digits.count += 1;
                }
                next = width;
            }
            match at.checked_add(next) {
                Some(next) => at = next,
                None => return digits,
            }
        }
    }
}

/// Digits of width 4 that a number of 256 bits has at most.
const MOST: usize = 64;

/// Signed digits that are not zero, and their places, from the lowest to the highest.
pub struct Digits {
    places: [(u8, i8); MOST],
    /// How many are left.
    count: usize,
}

impl Digits {
    /// The highest place.
    pub fn top(&self) -> Option<u8> {
        let last = self.count.checked_sub(1)?;
        self.places.get(last).map(|(at, _)| *at)
    }

    /// Takes the highest digit off, if it is at this place.
    pub fn take(&mut self, at: u8) -> Option<i8> {
        let last = self.count.checked_sub(1)?;
        let (_, digit) = self.places.get(last).filter(|(place, _)| *place == at)?;
        self.count = last;
        Some(*digit)
    }

    /// Whether they are those of `n`, and all were taken.
    #[inline(never)]
    pub fn were(&self, n: &Scalar, width: u8) -> bool {
        self.count == 0 && self.places == n.digits(width).places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::{BigInt, BigUint};
    use proptest::prelude::*;

    fn order(order: &Order) -> BigUint {
        BigUint::new(order.words.to_vec())
    }

    fn big(x: &Scalar) -> BigUint {
        BigUint::new(x.0.to_vec())
    }

    fn any_words() -> impl Strategy<Value = [u32; 8]> {
        prop::array::uniform8(prop_oneof![any::<u32>(), Just(0), Just(u32::MAX)])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn it_is_arithmetic_modulo_either(a in any_words(), b in any_words(), c in any_words(), hash in prop::array::uniform32(any::<[u8; 2]>())) {
            let (a, b) = (Scalar(a), Scalar(b));
            let hash: std::vec::Vec<u8> = hash.concat();
            let hash: [u8; 64] = hash.try_into().unwrap();
            for m in [&L, &N] {
                let c = m.mul(&Scalar(c), &Scalar([1, 0, 0, 0, 0, 0, 0, 0]));
                prop_assert!(big(&c) < order(m));
                prop_assert_eq!(big(&m.mul_add(&a, &b, &c)), (big(&a) * big(&b) + big(&c)) % order(m));
                prop_assert_eq!(big(&m.reduced(&hash)), BigUint::from_bytes_le(&hash) % order(m));
                prop_assert_eq!(m.exceeds(&a) == 1, big(&a) < order(m));
            }
        }

        #[test]
        fn signed_bits_are_the_number(a in any_words()) {
            let a = Scalar(a);
            let ones = (BigUint::from(1u8) << 256) - 1u8;
            for m in [&L, &N] {
                let bits = m.signed_bits(&a);
                prop_assert_eq!((big(&bits) * 2u8 + order(m) * 16u8 - &ones) % order(m), big(&a) % order(m));
            }
        }

        #[test]
        fn digits_are_the_number_and_far_apart(a in any_words(), width in 4u8..8) {
            let mut a = Scalar(a);
            a.0[7] &= 0x7fff_ffff;
            let mut digits = a.digits(width);
            let (mut sum, mut last) = (BigInt::from(0), None);
            for at in (0..=255u8).rev() {
                sum *= 2;
                if let Some(digit) = digits.take(at) {
                    sum += digit;
                    prop_assert!(digit % 2 != 0 && i32::from(digit).abs() < 1 << (width - 1));
                    prop_assert!(last.is_none_or(|last| last >= at + width));
                    last = Some(at);
                }
            }
            prop_assert_eq!(sum, BigInt::from(big(&a)));
            prop_assert_eq!(digits.top(), None);
            prop_assert!(digits.were(&a, width));
        }
    }

    #[test]
    fn the_constants_are_what_they_say() {
        for m in [&L, &N] {
            let mu = (BigUint::from(1u8) << 512) / order(m);
            assert_eq!(BigUint::new(m.mu.to_vec()), mu);
            assert_eq!(big(&m.half) * 2u8 % order(m), BigUint::from(1u8));
            let all = m.reduced(&[0xff; 64]);
            assert_eq!(big(&all), ((BigUint::from(1u8) << 512) - 1u8) % order(m));
            // The edges of the order itself.
            let one = Scalar([1, 0, 0, 0, 0, 0, 0, 0]);
            assert_eq!(m.mul(&Scalar(m.words), &one).0, [0; 8]);
            assert_eq!(m.exceeds(&Scalar(m.words)), 0);
        }
    }
}
