//! Numbers modulo L, the order of the base point (RFC 8032 section 5.1).
//!
//! Barrett's reduction with 32-bit words (Menezes, van Oorschot, Vanstone: Handbook of Applied Cryptography, algorithm 14.42), without a branch.

use crate::words::{accumulate, choose, load, mask, sub};
use zeroize::Zeroize;

const L: [u32; 8] = [
    0x5cf5_d3ed,
    0x5812_631a,
    0xa2f7_9cd6,
    0x14de_f9de,
    0,
    0,
    0,
    0x1000_0000,
];
/// The whole part of 2^512 / L.
const MU: [u32; 9] = [
    0x0a2c_131b,
    0xed9c_e5a3,
    0x0863_29a7,
    0x2106_215d,
    0xffff_ffeb,
    0xffff_ffff,
    0xffff_ffff,
    0xffff_ffff,
    0xf,
];
/// 1 / 2.
const HALF: Scalar = Scalar([
    0x2e7a_e9f7,
    0x2c09_318d,
    0x517b_ce6b,
    0x0a6f_7cef,
    0,
    0,
    0,
    0x0800_0000,
]);

/// Below L, but for [`Scalar::raw`].
#[derive(Clone, Copy, Debug, Default, Zeroize)]
pub struct Scalar(pub [u32; 8]);

impl Scalar {
    /// Of 32 bytes as they are, below 2^256.
    pub fn raw(bytes: &[u8; 32]) -> Self {
        Self(load(bytes))
    }

    /// Of 32 bytes, if they are below L. Not for secrets.
    pub fn canonical(bytes: &[u8; 32]) -> Option<Self> {
        let words = load(bytes);
        let mut borrow = 0;
        for (word, l) in words.iter().zip(L) {
            (_, borrow) = sub(*word, l, borrow);
        }
        (borrow == 1).then_some(Self(words))
    }

    /// Of a hash, modulo L.
    pub fn reduced(bytes: &[u8; 64]) -> Self {
        let mut words = load(bytes);
        let r = reduce(&words);
        words.zeroize();
        r
    }

    /// a * b + c, modulo L, for any a and b below 2^256 and c below L.
    #[inline(never)]
    pub fn mul_add(a: &Self, b: &Self, c: &Self) -> Self {
        let mut r = [0u32; 16];
        for (r, c) in r.iter_mut().zip(c.0) {
            *r = c;
        }
        for (i, a) in a.0.iter().enumerate() {
            // What the carry goes to has nothing yet: a b + c is below 2^512.
            accumulate(r.get_mut(i..).unwrap_or(&mut []), *a, &b.0);
        }
        let out = reduce(&r);
        r.zeroize();
        out
    }

    /// The number whose bits, each standing for +1 or -1 at its place, make this one: (x + 2^256 - 1) / 2.
    pub fn signed_bits(&self) -> Self {
        let ones = Self([u32::MAX; 8]);
        Self::mul_add(&ones, &HALF, &Self::mul_add(self, &HALF, &Self::default()))
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
}

#[inline(never)]
fn reduce(x: &[u32; 16]) -> Scalar {
    // q = floor(floor(x / 2^224) MU / 2^288).
    let mut q = [0u32; 18];
    for (i, x) in x.iter().skip(7).enumerate() {
        accumulate(q.get_mut(i..).unwrap_or(&mut []), *x, &MU);
    }
    // x - q L, modulo 2^288.
    let mut product = [0u32; 9];
    for (i, q) in q.iter().skip(9).enumerate() {
        accumulate(product.get_mut(i..).unwrap_or(&mut []), *q, &L);
    }
    let (mut r, mut borrow) = ([0u32; 9], 0);
    for ((r, x), product) in r.iter_mut().zip(x).zip(product) {
        (*r, borrow) = sub(*x, product, borrow);
    }
    // It is at most two L too many.
    for _ in 0..2 {
        let (mut less, mut borrow) = ([0u32; 9], 0);
        for ((less, r), l) in less.iter_mut().zip(r).zip(L.into_iter().chain([0])) {
            (*less, borrow) = sub(r, l, borrow);
        }
        choose(&mut r, &less, !mask(borrow));
    }
    q.zeroize();
    product.zeroize();
    let [words @ .., _] = r;
    r.zeroize();
    Scalar(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::{BigInt, BigUint};
    use proptest::prelude::*;

    fn l() -> BigUint {
        BigUint::new(L.to_vec())
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
        fn it_is_arithmetic_modulo_l(a in any_words(), b in any_words(), c in any_words(), hash in prop::array::uniform32(any::<[u8; 2]>())) {
            let c = Scalar::mul_add(&Scalar(c), &Scalar([1, 0, 0, 0, 0, 0, 0, 0]), &Scalar::default());
            prop_assert!(big(&c) < l());
            let (a, b) = (Scalar(a), Scalar(b));
            prop_assert_eq!(big(&Scalar::mul_add(&a, &b, &c)), (big(&a) * big(&b) + big(&c)) % l());
            let hash: std::vec::Vec<u8> = hash.concat();
            let hash: [u8; 64] = hash.try_into().unwrap();
            prop_assert_eq!(big(&Scalar::reduced(&hash)), BigUint::from_bytes_le(&hash) % l());
            let bytes = crate::words::store(&a.0);
            prop_assert_eq!(Scalar::canonical(&bytes).is_some(), big(&a) < l());
        }

        #[test]
        fn signed_bits_are_the_number(a in any_words()) {
            let a = Scalar(a);
            let bits = a.signed_bits();
            let ones = (BigUint::from(1u8) << 256) - 1u8;
            prop_assert_eq!((big(&bits) * 2u8 + l() * 16u8 - ones) % l(), big(&a) % l());
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
        }
    }

    #[test]
    fn the_constants_are_what_they_say() {
        let mu = (BigUint::from(1u8) << 512) / l();
        assert_eq!(BigUint::new(MU.to_vec()), mu);
        assert_eq!(big(&HALF) * 2u8 % l(), BigUint::from(1u8));
        let all = Scalar::reduced(&[0xff; 64]);
        assert_eq!(big(&all), ((BigUint::from(1u8) << 512) - 1u8) % l());
    }
}
