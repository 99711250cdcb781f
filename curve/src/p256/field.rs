//! The field of p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 section 3.2.1.3).
//!
//! An element x is kept as x 2^256 mod p (Montgomery 1985), below p always. p is -1 modulo 2^96, so the reduction needs no multiplication. Every operation
//! takes the same steps whatever its operands are.

use crate::inverse::inverse;
use crate::words::{choose, halves, mask, multiply, sub, words_of};
use zeroize::Zeroize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Fe(pub [u32; 8]);

const P: [u32; 8] = [u32::MAX, u32::MAX, u32::MAX, 0, 0, 0, 1, u32::MAX];
const LOW: u128 = (1 << 96) - 1;
const HIGH: u128 = (0xffff_ffff << 96) + (1 << 64);

/// 2^512 and 2^768, modulo p.
const R2: Fe = Fe([
    3,
    0,
    0xffff_ffff,
    0xffff_fffb,
    0xffff_fffe,
    0xffff_ffff,
    0xffff_fffd,
    4,
]);
const R3: Fe = Fe([
    0x0000_000a,
    0xffff_fffd,
    0xffff_fff7,
    0xffff_ffed,
    0xffff_fffc,
    0x0000_0005,
    0x0000_0001,
    0x0000_0018,
]);

impl Fe {
    pub const ZERO: Self = Self([0; 8]);
    pub const ONE: Self = Self([1, 0, 0, u32::MAX, u32::MAX, u32::MAX, 0xffff_fffe, 0]);
    /// The curve's b.
    pub const B: Self = Self([
        0x29c4_bddf,
        0xd89c_df62,
        0x7884_3090,
        0xacf0_05cd,
        0xf721_2ed6,
        0xe5a2_20ab,
        0x0487_4834,
        0xdc30_061d,
    ]);

    /// Of a number below p. Not for secrets.
    pub fn of(x: &[u32; 8]) -> Option<Self> {
        let mut borrow = 0;
        for (x, p) in x.iter().zip(P) {
            (_, borrow) = sub(*x, p, borrow);
        }
        (borrow == 1).then(|| Self(*x).mul(&R2))
    }

    /// The number.
    pub fn number(&self) -> [u32; 8] {
        self.mul(&Self([1, 0, 0, 0, 0, 0, 0, 0])).0
    }

    #[inline(never)]
    pub fn add(&self, other: &Self) -> Self {
        let ((a, b), (c, d)) = (halves(&self.0), halves(&other.0));
        let (low, carry) = a.overflowing_add(c);
        let (high, over) = b.overflowing_add(d);
        let (high, again) = high.overflowing_add(u128::from(carry));
        least(low, high, u32::from(over | again))
    }

    #[inline(never)]
    pub fn sub(&self, other: &Self) -> Self {
        let ((a, b), (c, d)) = (halves(&self.0), halves(&other.0));
        let (low, borrow) = a.overflowing_sub(c);
        let (high, under) = b.overflowing_sub(d);
        let (high, again) = high.overflowing_sub(u128::from(borrow));
        back(low, high, u32::from(under | again))
    }

    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    pub fn triple(&self) -> Self {
        self.add(self).add(self)
    }

    /// a b / 2^256.
    #[inline(never)]
    pub fn mul(&self, other: &Self) -> Self {
        let (low, high) = multiply(&self.0, &other.0);
        let ((h0, h1), (h2, h3)) = (halves(&low), halves(&high));
        let (h1, h2, carry) = fold(h0, h1, h2);
        let (h3, over) = h3.overflowing_add(carry);
        let (h2, h3, carry) = fold(h1, h2, h3);
        // Below 2 p.
        least(h2, h3, u32::from(over) | carry as u32)
    }

    /// 1 / x, and 0 for 0.
    pub fn invert(&self) -> Self {
        Self(inverse(&self.0, &P)).mul(&R3)
    }

    /// `other` where the mask is all ones.
    pub fn choose(&mut self, other: &Self, mask: u32) {
        choose(&mut self.0, &other.0, mask);
    }
}

/// Adds the multiple of p to h0 + 2^128 h1 + 2^256 h2 that makes its lowest half zero: the two halves above that, and the carry.
///
/// The multiple is m = h0 (1 + 2^96) modulo 2^128; and m p = m (2^256 - 2^224 + 2^192) + m 2^96 - m.
#[inline(always)]
fn fold(h0: u128, h1: u128, h2: u128) -> (u128, u128, u128) {
    let (m, carry) = h0.overflowing_add(h0 << 96);
    // The part of m p above 2^128; less than p, so that what goes over in between comes back.
    let (low, under) = (m << 64).overflowing_sub(m << 96);
    let (low, over) = low.overflowing_add(m >> 32);
    let (low, again) = low.overflowing_add(u128::from(carry));
    let high = m
        .wrapping_add(m >> 64)
        .wrapping_sub(m >> 32)
        .wrapping_sub(u128::from(under))
        .wrapping_add(u128::from(over))
        .wrapping_add(u128::from(again));
    let (h1, carry) = h1.overflowing_add(low);
    let (h2, over) = h2.overflowing_add(high);
    let (h2, again) = h2.overflowing_add(u128::from(carry));
    (h1, h2, u128::from(over | again))
}

/// low + 2^128 high + 2^256 carry, which is below 2 p, modulo p.
#[inline(always)]
fn least(low: u128, high: u128, carry: u32) -> Fe {
    let (low, borrow) = low.overflowing_sub(LOW);
    let (high, under) = high.overflowing_sub(HIGH);
    let (high, again) = high.overflowing_sub(u128::from(borrow));
    // With a carry there is a borrow too.
    back(low, high, u32::from(under | again) ^ carry)
}

/// Adds p where the number is negative.
#[inline(always)]
fn back(low: u128, high: u128, negative: u32) -> Fe {
    let m = mask(negative);
    let (c, d) = halves(&[m, m, m, 0, 0, 0, m & 1, m]);
    let (low, carry) = low.overflowing_add(c);
    let high = high.wrapping_add(d).wrapping_add(u128::from(carry));
    Fe(words_of(low, high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use proptest::prelude::*;

    fn p() -> BigUint {
        BigUint::new(P.to_vec())
    }

    fn big(words: &[u32; 8]) -> BigUint {
        BigUint::new(words.to_vec())
    }

    fn any_fe() -> impl Strategy<Value = Fe> {
        let word = prop_oneof![
            any::<u32>(),
            Just(0),
            Just(1),
            Just(u32::MAX),
            Just(u32::MAX - 1)
        ];
        prop::array::uniform8(word).prop_map(|words| {
            let least = (big(&words) % p()).to_u32_digits();
            let mut fe = Fe::ZERO;
            fe.0[..least.len()].copy_from_slice(&least);
            fe
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]
        #[test]
        fn it_is_the_field(a in any_fe(), b in any_fe()) {
            let (x, y) = (big(&a.0), big(&b.0));
            prop_assert_eq!(big(&a.add(&b).0), (&x + &y) % p());
            prop_assert_eq!(big(&a.sub(&b).0), (&x + p() - &y) % p());
            let r = BigUint::from(1u8) << 256;
            let product = big(&a.mul(&b).0);
            prop_assert!(product < p());
            prop_assert_eq!(product * &r % p(), x * y % p());
            prop_assert_eq!(Fe::of(&a.number()), Some(a));
            prop_assert_eq!(big(&a.number()) * r % p(), big(&a.0));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_has_inverses(a in any_fe()) {
            let one = if a == Fe::ZERO { Fe::ZERO } else { Fe::ONE };
            prop_assert_eq!(a.invert().mul(&a), one);
        }
    }

    #[test]
    fn the_constants_are_what_they_say() {
        let r = BigUint::from(1u8) << 256;
        assert_eq!(
            p(),
            &r - (BigUint::from(1u8) << 224)
                + (BigUint::from(1u8) << 192)
                + (BigUint::from(1u8) << 96)
                - 1u8
        );
        assert_eq!(halves(&P), (LOW, HIGH));
        assert_eq!(big(&Fe::ONE.0), &r % p());
        assert_eq!(big(&R2.0), &r * &r % p());
        assert_eq!(big(&R3.0), &r * &r * &r % p());
        // SEC 2 section 2.4.2.
        let b = BigUint::parse_bytes(
            b"5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            16,
        );
        assert_eq!(Some(big(&Fe::B.number())), b);
    }

    #[test]
    fn what_is_not_below_p_is_no_element() {
        assert_eq!(Fe::of(&P), None);
        assert_eq!(Fe::of(&[u32::MAX; 8]), None);
        let mut below = P;
        below[0] -= 1;
        assert_eq!(Fe::of(&below), Some(Fe::ONE.neg()));
    }
}
