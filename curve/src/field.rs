//! The field of 2^255 - 19.
//!
//! Eight words, any value below 2^256: sums and products are folded by 2^256 = 38 and never fully reduced; only `bytes` is canonical. Every operation takes
//! the same steps whatever its operands are.

use crate::words::{
    accumulate, add_half, choose, halves, load, mask, multiply_add, store, sub_half, words_of,
};
#[cfg(not(feature = "small"))]
use crate::words::{add, row};
use zeroize::Zeroize;

/// An element, not necessarily in its least form.
#[derive(Clone, Copy, Debug, Default, Zeroize)]
pub struct Fe(pub [u32; 8]);

/// 2^256 mod p.
const FOLD: u32 = 38;

impl Fe {
    pub const ZERO: Self = Self([0; 8]);
    pub const ONE: Self = Self([1, 0, 0, 0, 0, 0, 0, 0]);
    /// d = -121665 / 121666 (RFC 8032 section 5.1).
    pub const D: Self = Self([
        0x1359_78a3,
        0x75eb_4dca,
        0x4141_d8ab,
        0x0070_0a4d,
        0x7779_e898,
        0x8cc7_4079,
        0x2b6f_fe73,
        0x5203_6cee,
    ]);
    /// 2 d.
    pub const D2: Self = Self([
        0x26b2_f159,
        0xebd6_9b94,
        0x8283_b156,
        0x00e0_149a,
        0xeef3_d130,
        0x198e_80f2,
        0x56df_fce7,
        0x2406_d9dc,
    ]);
    /// 2^((p - 1) / 4), a square root of -1.
    pub const I: Self = Self([
        0x4a0e_a0b0,
        0xc4ee_1b27,
        0xad2f_e478,
        0x2f43_1806,
        0x3dfb_d7a7,
        0x2b4d_0099,
        0x4fc1_df0b,
        0x2b83_2480,
    ]);

    /// y^2 of the points of order 8.
    pub const YY_OF_ORDER_8: Self = Self([
        0x9c15_5291,
        0xae47_9185,
        0xb4f0_a103,
        0x6bdf_9e34,
        0xba60_9c05,
        0xc2c2_ebc2,
        0x8bd5_b257,
        0x76b9_125b,
    ]);

    /// The low 255 bits; the highest is ignored, as both RFCs say.
    pub fn of(bytes: &[u8; 32]) -> Self {
        let mut words = load(bytes);
        words[7] &= 0x7fff_ffff;
        Self(words)
    }

    /// The least form, little-endian.
    pub fn bytes(&self) -> [u8; 32] {
        // v < 2^256 = (v mod 2^255) + 19 (v >> 255), twice at most p: then p is taken off if v + 19 reaches 2^255.
        let mut v = self.0;
        let top = v[7] >> 31;
        v[7] &= 0x7fff_ffff;
        v = plus(&v, 19 * top);
        let mut over = plus(&v, 19);
        let reached = mask(over[7] >> 31);
        over[7] &= 0x7fff_ffff;
        choose(&mut v, &over, reached);
        store(&v)
    }

    #[inline(never)]
    pub fn add(&self, other: &Self) -> Self {
        let ((a, b), (c, d)) = (halves(&self.0), halves(&other.0));
        let (low, carry) = add_half(a, c, 0);
        let (high, carry) = add_half(b, d, carry);
        Self(folded(low, high, FOLD & mask(carry)))
    }

    #[inline(never)]
    pub fn sub(&self, other: &Self) -> Self {
        let ((a, b), (c, d)) = (halves(&self.0), halves(&other.0));
        let (low, borrow) = sub_half(a, c, 0);
        let (high, borrow) = sub_half(b, d, borrow);
        // One 2^256 too many is 38 too many; taking that off may borrow once more, and then never again.
        let (low, borrow) = sub_half(low, u128::from(FOLD & mask(borrow)), 0);
        let (high, borrow) = sub_half(high, 0, borrow);
        let mut r = words_of(low, high);
        r[0] = r[0].wrapping_sub(FOLD & mask(borrow));
        Self(r)
    }

    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    /// In a loop, where flash is dearer than time.
    #[cfg(feature = "small")]
    #[inline(never)]
    pub fn mul(&self, other: &Self) -> Self {
        let mut r = [0u32; 16];
        for (i, a) in self.0.iter().enumerate() {
            accumulate(r.get_mut(i..).unwrap_or(&mut []), *a, &other.0);
        }
        let [r0, r1, r2, r3, r4, r5, r6, r7, above @ ..] = r;
        let mut low = [r0, r1, r2, r3, r4, r5, r6, r7, 0];
        accumulate(&mut low, FOLD, &above);
        let [words @ .., carry] = low;
        let (low, high) = halves(&words);
        Self(folded(low, high, carry.wrapping_mul(FOLD)))
    }

    /// The square.
    #[cfg(feature = "small")]
    pub fn square(&self) -> Self {
        self.mul(self)
    }

    #[cfg(not(feature = "small"))]
    #[inline(never)]
    pub fn mul(&self, other: &Self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7] = self.0;
        let (b, mut w) = (&other.0, [0; 8]);
        // Row by row, written out: so the window of eight words stays in registers.
        let low = [
            row(a0, b, &mut w),
            row(a1, b, &mut w),
            row(a2, b, &mut w),
            row(a3, b, &mut w),
            row(a4, b, &mut w),
            row(a5, b, &mut w),
            row(a6, b, &mut w),
            row(a7, b, &mut w),
        ];
        Self(reduced(low, &w))
    }

    /// The square: each product of two different words once, doubled, and the squares of the words.
    #[cfg(not(feature = "small"))]
    #[inline(never)]
    pub fn square(&self) -> Self {
        let a = &self.0;
        let mut r = [0u32; 16];
        // Row by row, written out, as in `mul`.
        accumulate(&mut r[1..9], a[0], &a[1..]);
        accumulate(&mut r[3..10], a[1], &a[2..]);
        accumulate(&mut r[5..11], a[2], &a[3..]);
        accumulate(&mut r[7..12], a[3], &a[4..]);
        accumulate(&mut r[9..13], a[4], &a[5..]);
        accumulate(&mut r[11..14], a[5], &a[6..]);
        accumulate(&mut r[13..15], a[6], &a[7..]);
        let (mut high, mut carry) = (0, 0);
        for i in 0..8 {
            let (low, next) = (r[2 * i], r[2 * i + 1]);
            let (even, odd) = (low << 1 | high, next << 1 | low >> 31);
            high = next >> 31;
            let t = multiply_add(a[i], a[i], even, carry);
            r[2 * i] = t as u32;
            (r[2 * i + 1], carry) = add(odd, (t >> 32) as u32, 0);
        }
        let [r0, r1, r2, r3, r4, r5, r6, r7, above @ ..] = r;
        Self(reduced([r0, r1, r2, r3, r4, r5, r6, r7], &above))
    }

    /// Times a small number.
    pub fn mul_small(&self, n: u32) -> Self {
        let (mut r, mut carry) = ([0; 8], 0);
        for (r, word) in r.iter_mut().zip(self.0) {
            let t = multiply_add(word, n, 0, carry);
            *r = t as u32;
            carry = (t >> 32) as u32;
        }
        // Below 2^27, so 38 times that fits.
        let (low, high) = halves(&r);
        Self(folded(low, high, carry.wrapping_mul(FOLD)))
    }

    fn squares(&self, n: usize) -> Self {
        let mut r = *self;
        for _ in 0..n {
            r = r.square();
        }
        r
    }

    /// To the powers 2^250 - 1 and 11.
    #[inline(never)]
    fn powers(&self) -> (Self, Self) {
        let two = self.square();
        let mut t = two.squares(2).mul(self);
        let eleven = t.mul(&two);
        t = eleven.square().mul(&t);
        // t to the power 2^n, times what it was, or times a power from before: few values at a time, for the stack.
        let mut was = t;
        t.raise(5, &was);
        let mut kept = t;
        t.raise(10, &kept);
        was = t;
        t.raise(20, &was);
        t.raise(10, &kept);
        kept = t;
        t.raise(50, &kept);
        was = t;
        t.raise(100, &was);
        t.raise(50, &kept);
        (t, eleven)
    }

    #[inline(never)]
    fn raise(&mut self, squares: usize, by: &Self) {
        *self = self.squares(squares).mul(by);
    }

    /// 1 / x, and 0 for 0: x^(p - 2).
    #[inline(never)]
    pub fn invert(&self) -> Self {
        let (x250, eleven) = self.powers();
        x250.squares(5).mul(&eleven)
    }

    /// x^((p - 5) / 8).
    #[inline(never)]
    pub fn power_58(&self) -> Self {
        self.powers().0.squares(2).mul(self)
    }

    /// Not for secrets.
    pub fn equals(&self, other: &Self) -> bool {
        self.sub(other).bytes() == [0; 32]
    }

    /// The lowest bit of the least form.
    pub fn parity(&self) -> u32 {
        u32::from(self.bytes()[0] & 1)
    }

    /// `other` where the mask is all ones.
    #[inline(always)]
    pub fn choose(&mut self, other: &Self, mask: u32) {
        choose(&mut self.0, &other.0, mask);
    }

    /// Exchanges the two where the mask is all ones.
    #[inline(always)]
    pub fn exchange(&mut self, other: &mut Self, mask: u32) {
        for (a, b) in self.0.iter_mut().zip(&mut other.0) {
            let t = (*a ^ *b) & mask;
            *a ^= t;
            *b ^= t;
        }
    }
}

/// Adds a small number to what is well below 2^256.
fn plus(w: &[u32; 8], n: u32) -> [u32; 8] {
    let (low, high) = halves(w);
    let (low, carry) = add_half(low, u128::from(n), 0);
    words_of(low, high.wrapping_add(u128::from(carry)))
}

/// low + 2^128 high + more: a carry of 2^256, times 38.
#[inline(always)]
fn folded(low: u128, high: u128, more: u32) -> [u32; 8] {
    let (low, carry) = add_half(low, u128::from(more), 0);
    let (high, carry) = add_half(high, 0, carry);
    let mut r = words_of(low, high);
    // It wrapped, so what is left is small.
    r[0] = r[0].wrapping_add(FOLD & mask(carry));
    r
}

/// The sixteen words of a product, folded.
#[cfg(not(feature = "small"))]
#[inline(always)]
fn reduced(low: [u32; 8], high: &[u32; 8]) -> [u32; 8] {
    let (mut out, mut carry) = ([0; 8], 0);
    for i in 0..8 {
        let t = multiply_add(high[i], FOLD, low[i], carry);
        out[i] = t as u32;
        carry = (t >> 32) as u32;
    }
    let (low, high) = halves(&out);
    folded(low, high, carry.wrapping_mul(FOLD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn p() -> BigUint {
        (BigUint::from(1u8) << 255) - 19u8
    }

    fn big(fe: &Fe) -> BigUint {
        BigUint::new(fe.0.to_vec())
    }

    fn least(fe: &Fe) -> BigUint {
        BigUint::from_bytes_le(&fe.bytes())
    }

    fn any_fe() -> impl Strategy<Value = Fe> {
        let word = prop_oneof![any::<u32>(), Just(0), Just(u32::MAX), Just(0x7fff_ffff)];
        let low = prop_oneof![any::<u32>(), 0u32..64, (u32::MAX - 64)..=u32::MAX];
        (low, prop::array::uniform7(word)).prop_map(|(low, rest)| {
            let mut words = [low; 8];
            words[1..].copy_from_slice(&rest);
            Fe(words)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn it_is_the_field(a in any_fe(), b in any_fe(), n in 0u32..1 << 20) {
            let (x, y) = (big(&a), big(&b));
            prop_assert_eq!(least(&a), &x % p());
            prop_assert_eq!(least(&a.add(&b)), (&x + &y) % p());
            prop_assert_eq!(least(&a.sub(&b)), (&x + p() * 4u8 - &y) % p());
            prop_assert_eq!(least(&a.mul(&b)), (&x * &y) % p());
            prop_assert_eq!(least(&a.square()), (&x * &x) % p());
            prop_assert_eq!(least(&a.mul_small(n)), (&x * n) % p());
            prop_assert_eq!(a.equals(&b), &x % p() == &y % p());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_has_inverses_and_roots(a in any_fe()) {
            let x = big(&a) % p();
            prop_assert_eq!(least(&a.invert()), x.modpow(&(p() - 2u8), &p()));
            prop_assert_eq!(least(&a.power_58()), x.modpow(&((p() - 5u8) / 8u8), &p()));
        }
    }

    #[test]
    fn the_constants_are_what_they_say() {
        let number = |n: u32| Fe([n, 0, 0, 0, 0, 0, 0, 0]);
        assert!(Fe::D.mul(&number(121_666)).equals(&number(121_665).neg()));
        assert!(Fe::D2.equals(&Fe::D.add(&Fe::D)));
        assert!(Fe::I.square().equals(&Fe::ONE.neg()));
    }
}
