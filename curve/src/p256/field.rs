//! The field of p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (FIPS 186-5, SP 800-186 section 3.2.1.3).
//!
//! An element x is kept as x 2^256 mod p (Montgomery 1985), below p always. p is -1 modulo 2^96, so the reduction needs no multiplication. Every operation
//! takes the same steps whatever its operands are.

use crate::inverse::inverse;
use crate::words::{choose, mask, row, sub};
use zeroize::Zeroize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Fe(pub [u32; 8]);

const P: [u32; 8] = [u32::MAX, u32::MAX, u32::MAX, 0, 0, 0, 1, u32::MAX];
/// p = LOW + 2^192 HIGH.
const LOW: i128 = (1 << 96) - 1;
const HIGH: i128 = (0xffff_ffff << 32) + 1;

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
        let ((a, b, c), (d, e, f)) = (thirds(&self.0), thirds(&other.0));
        least(a + d, b + e, c + f)
    }

    #[inline(never)]
    pub fn sub(&self, other: &Self) -> Self {
        let ((a, b, c), (d, e, f)) = (thirds(&self.0), thirds(&other.0));
        back(a - d, b - e, c - f)
    }

    pub fn neg(&self) -> Self {
        Self::ZERO.sub(self)
    }

    pub fn twice(&self) -> Self {
        self.add(self)
    }

    pub fn triple(&self) -> Self {
        self.twice().add(self)
    }

    /// a b / 2^256.
    #[inline(never)]
    pub fn mul(&self, other: &Self) -> Self {
        // Below b + p, always: w + 2^256 top.
        let (mut w, mut top) = ([0; 8], 0);
        for a in &self.0 {
            let m = row(*a, &other.0, &mut w);
            // m p = m (2^256 - 2^224 + 2^192 + 2^96 - 1), which takes the lowest word away.
            let [w0, w1, w2, w3, w4, w5, w6, w7] = w;
            let middle = third(w2, w3, w4) + i128::from(m);
            let t = u64::from(w5) + u64::from(m) + (middle >> 96) as u64;
            let u = u64::from(w6) + u64::from(!m) + ((t >> 32) + 1);
            let v = u64::from(w7) + u64::from(top) + u64::from(m) + (u >> 32) - 1;
            let [w2, w3, w4] = words_of(middle);
            w = [w0, w1, w2, w3, w4, t as u32, u as u32, v as u32];
            top = (v >> 32) as u32;
        }
        let (a, b, c) = thirds(&w);
        least(a, b, c | i128::from(top) << 64)
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

/// A number as three words, three words and what is above; sums of that are chains of carries, which a compiler makes of 128 bits, and what goes over stays
/// in the fourth word.
#[inline(always)]
fn thirds(w: &[u32; 8]) -> (i128, i128, i128) {
    (
        third(w[0], w[1], w[2]),
        third(w[3], w[4], w[5]),
        third(w[6], w[7], 0),
    )
}

#[inline(always)]
fn third(a: u32, b: u32, c: u32) -> i128 {
    i128::from(a) | i128::from(b) << 32 | i128::from(c) << 64
}

#[inline(always)]
fn words_of(third: i128) -> [u32; 3] {
    [third as u32, (third >> 32) as u32, (third >> 64) as u32]
}

/// What is below 2 p, modulo p.
#[inline(always)]
fn least(a: i128, b: i128, c: i128) -> Fe {
    back(a - LOW, b, c - HIGH)
}

/// Adds p where the number is negative.
#[inline(always)]
fn back(a: i128, b: i128, c: i128) -> Fe {
    const WORDS: i128 = (1 << 96) - 1;
    let b = b + (a >> 96);
    let c = c + (b >> 96);
    let m = i128::from(mask((c >> 127) as u32 & 1) as i32);
    let a = (a & WORDS) + (m & LOW);
    let b = (b & WORDS) + (a >> 96);
    let c = c + (m & HIGH) + (b >> 96);
    let ([r0, r1, r2], [r3, r4, r5], [r6, r7, _]) = (words_of(a), words_of(b), words_of(c));
    Fe([r0, r1, r2, r3, r4, r5, r6, r7])
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
        assert_eq!(thirds(&P), (LOW, 0, HIGH));
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
