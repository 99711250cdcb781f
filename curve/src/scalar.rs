//! Numbers modulo L, the order of the base point (RFC 8032 section 5.1).
//!
//! Barrett's reduction with 32-bit words (Menezes, van Oorschot, Vanstone: Handbook of Applied Cryptography, algorithm 14.42), without a branch.

use crate::words::{load, mask, multiply_add, sub};
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
        let mut words = [0; 16];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = chunk
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        let r = reduce(&words);
        words.zeroize();
        r
    }

    /// a * b + c, modulo L, for any a and b below 2^256 and c below L.
    #[inline(never)]
    pub fn mul_add(a: &Self, b: &Self, c: &Self) -> Self {
        let mut r = [0u32; 16];
        r[..8].copy_from_slice(&c.0);
        for i in 0..8 {
            let mut carry = 0;
            for j in 0..8 {
                let t = multiply_add(a.0[i], b.0[j], r[i + j], carry);
                r[i + j] = t as u32;
                carry = (t >> 32) as u32;
            }
            // Nothing was there yet: a b + c is below 2^512.
            r[i + 8] = carry;
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

    /// Bit `n`, below 256.
    #[inline(always)]
    pub fn bit(&self, n: usize) -> u32 {
        (self.0[(n / 32) % 8] >> (n % 32)) & 1
    }

    /// Digits, odd or zero and below 2^(width - 1) in size, of which no two within `width` places are not zero. Not for secrets; for what is below 2^255.
    pub fn naf(&self, width: u32) -> [i8; 256] {
        let mut digits = [0i8; 256];
        let mut carry = 0;
        let mut at = 0usize;
        while at < 256 {
            if self.bit(at) == carry {
                at += 1;
                continue;
            }
            let mut window = carry;
            for i in 0..(width as usize).min(256 - at) {
                window += self.bit(at + i) << i;
            }
            carry = window >> (width - 1);
            let digit = window as i32 - ((carry as i32) << width);
            if let Some(place) = digits.get_mut(at) {
                *place = digit as i8;
            }
            at += width as usize;
        }
        digits
    }
}

#[inline(never)]
fn reduce(x: &[u32; 16]) -> Scalar {
    // q = floor(floor(x / 2^224) MU / 2^288).
    let mut q = [0u32; 18];
    for i in 0..9 {
        let mut carry = 0;
        for j in 0..9 {
            let t = multiply_add(x[i + 7], MU[j], q[i + j], carry);
            q[i + j] = t as u32;
            carry = (t >> 32) as u32;
        }
        q[i + 9] = carry;
    }
    // x - q L, modulo 2^288.
    let mut product = [0u32; 9];
    for i in 0..9 {
        let mut carry = 0;
        for j in 0..(9 - i).min(8) {
            let t = multiply_add(q[i + 9], L[j], product[i + j], carry);
            product[i + j] = t as u32;
            carry = (t >> 32) as u32;
        }
        if i == 0 {
            product[8] = carry;
        }
    }
    let (mut r, mut borrow) = ([0u32; 9], 0);
    for i in 0..9 {
        (r[i], borrow) = sub(x[i], product[i], borrow);
    }
    // It is at most two L too many.
    for _ in 0..2 {
        let (mut less, mut borrow) = ([0u32; 9], 0);
        for i in 0..9 {
            let l = if i < 8 { L[i] } else { 0 };
            (less[i], borrow) = sub(r[i], l, borrow);
        }
        let keep = mask(borrow);
        for (r, less) in r.iter_mut().zip(less) {
            *r = (*r & keep) | (less & !keep);
        }
    }
    q.zeroize();
    product.zeroize();
    let mut out = Scalar::default();
    out.0.copy_from_slice(&r[..8]);
    r.zeroize();
    out
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
        fn digits_are_the_number_and_far_apart(a in any_words(), width in 2u32..8) {
            let mut a = Scalar(a);
            a.0[7] &= 0x7fff_ffff;
            let digits = a.naf(width);
            let mut sum = BigInt::from(0);
            for digit in digits.iter().rev() {
                sum = sum * 2 + *digit;
            }
            prop_assert_eq!(sum, BigInt::from(big(&a)));
            for (at, digit) in digits.iter().enumerate().filter(|(_, d)| **d != 0) {
                prop_assert!(digit % 2 != 0 && i32::from(*digit).abs() < 1 << (width - 1));
                let end = (at + width as usize).min(256);
                prop_assert!(digits[at + 1..end].iter().all(|d| *d == 0));
            }
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
