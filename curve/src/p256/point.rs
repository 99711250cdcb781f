//! The group of P-256: y^2 = x^3 - 3 x + b.
//!
//! Formulas of Renes, Costello and Batina, *Complete addition formulas for prime order elliptic curves* (2016), section 3.2, for a = -3: complete, so no
//! case is special, neither a double nor the point at infinity.

use super::field::Fe;
use super::table::COMB;
use crate::scalar::{Digits, N, Scalar};
use crate::words::mask;
use zeroize::Zeroize;

/// x = X / Z, y = Y / Z; (0 : 1 : 0) is the point at infinity.
#[derive(Clone, Copy, Zeroize)]
pub struct Point {
    pub x: Fe,
    pub y: Fe,
    pub z: Fe,
}

/// A known point.
#[derive(Clone, Copy)]
pub struct Affine {
    pub x: Fe,
    pub y: Fe,
}

/// How far the teeth of a comb are apart.
const LOW: u8 = 16;

impl Affine {
    /// The point with these coordinates, if they are below p and it is on the curve. Not for secrets.
    pub fn of(x: &[u32; 8], y: &[u32; 8]) -> Option<Self> {
        let (x, y) = (Fe::of(x)?, Fe::of(y)?);
        let point = Self { x, y };
        point.is_on_curve().then_some(point)
    }

    #[inline(never)]
    fn is_on_curve(&self) -> bool {
        let (x, y) = (&self.x, &self.y);
        let right = x.mul(x).sub(&Fe::ONE.triple()).mul(x).add(&Fe::B);
        y.mul(y) == right
    }

    /// Whether it is what `of` makes of these coordinates.
    pub fn is(&self, x: &[u32; 8], y: &[u32; 8]) -> bool {
        Fe::of(x) == Some(self.x) && Fe::of(y) == Some(self.y) && self.is_on_curve()
    }

    const fn point(self) -> Point {
        Point {
            x: self.x,
            y: self.y,
            z: Fe::ONE,
        }
    }
}

impl Point {
    const INFINITY: Self = Self {
        x: Fe::ZERO,
        y: Fe::ONE,
        z: Fe::ZERO,
    };

    #[inline(never)]
    fn add(&self, other: &Self) -> Self {
        let xx = self.x.mul(&other.x);
        let yy = self.y.mul(&other.y);
        let zz = self.z.mul(&other.z);
        // a b' + a' b, of (a + b) (a' + b').
        let cross = |a: &Fe, b: &Fe, c: &Fe, d: &Fe, ac: &Fe, bd: &Fe| {
            a.add(b).mul(&c.add(d)).sub(&ac.add(bd))
        };
        let xy = cross(&self.x, &self.y, &other.x, &other.y, &xx, &yy);
        let yz = cross(&self.y, &self.z, &other.y, &other.z, &yy, &zz);
        let xz = cross(&self.x, &self.z, &other.x, &other.z, &xx, &zz);
        Self::of_products(&xx, &yy, &zz, &xy, &yz, &xz)
    }

    #[inline(never)]
    fn double(&self) -> Self {
        let (xx, yy, zz) = (
            self.x.mul(&self.x),
            self.y.mul(&self.y),
            self.z.mul(&self.z),
        );
        let xy = self.x.mul(&self.y).twice();
        let yz = self.y.mul(&self.z).twice();
        let xz = self.x.mul(&self.z).twice();
        Self::of_products(&xx, &yy, &zz, &xy, &yz, &xz)
    }

    /// The sum, of the products of the coordinates: X X', Y Y', Z Z', X Y' + X' Y, Y Z' + Y' Z, X Z' + X' Z.
    #[inline(never)]
    fn of_products(xx: &Fe, yy: &Fe, zz: &Fe, xy: &Fe, yz: &Fe, xz: &Fe) -> Self {
        let e = xz.sub(&zz.mul(&Fe::B)).triple();
        let (plus, minus) = (yy.add(&e), yy.sub(&e));
        let zz3 = zz.triple();
        let f = xz.mul(&Fe::B).sub(&zz3).sub(xx).triple();
        let g = xx.triple().sub(&zz3);
        Self {
            x: xy.mul(&plus).sub(&yz.mul(&f)),
            y: plus.mul(&minus).add(&f.mul(&g)),
            z: yz.mul(&minus).add(&xy.mul(&g)),
        }
    }

    /// Doubled n times, where it is not at infinity: with x = X / Z^2 and y = Y / Z^3 in between, for which a double takes 8 multiplications instead of 14
    /// (Bernstein, Lange: Explicit-Formulas Database, dbl-2001-b).
    #[inline(never)]
    fn doubles(&self, n: u8) -> Self {
        let (mut x, mut y, mut z) = (
            self.x.mul(&self.z),
            self.y.mul(&self.z.mul(&self.z)),
            self.z,
        );
        for _ in 0..n {
            let (zz, yy) = (z.mul(&z), y.mul(&y));
            let xyy4 = x.mul(&yy).twice().twice();
            let slope = x.sub(&zz).mul(&x.add(&zz)).triple();
            z = y.mul(&z).twice();
            x = slope.mul(&slope).sub(&xyy4.twice());
            let yy2 = yy.twice();
            y = slope.mul(&xyy4.sub(&x)).sub(&yy2.mul(&yy2).twice());
        }
        Self {
            x: x.mul(&z),
            y,
            z: z.mul(&z.mul(&z)),
        }
    }

    fn signed(&self, negative: u32) -> Self {
        let mut r = *self;
        r.y.choose(&self.y.neg(), mask(negative));
        r
    }

    /// n G, for a secret n below 2^256.
    pub fn base(n: &Scalar) -> Self {
        Self::sum(n, None)
    }

    /// n G + k Q, and whether all of k went into it. Not for a secret k or Q; k below the order.
    #[inline(never)]
    pub fn double_scalar(n: &Scalar, k: &Scalar, point: &Affine) -> (Self, bool) {
        // The digits want a number below 2^255: then it is the other point, the other number.
        let high = k.bit(255);
        let minus = N.minus(k);
        let k = if high == 1 { &minus } else { k };
        let mut digits = k.digits(4);
        let point = point.point().signed(high);
        let mut odd = [point; 4];
        let twice = point.double();
        let mut last = point;
        for place in odd.iter_mut().skip(1) {
            last = last.add(&twice);
            *place = last;
        }
        let sum = Self::sum(n, Some((&mut digits, &odd)));
        (sum, digits.were(k, 4))
    }

    /// n G for a secret n, by a comb of four times four teeth with signed bits (Hamburg, *Fast and compact elliptic-curve cryptography*, 2012, section
    /// 3.3); and in the same doublings what is given as digits and the odd multiples of another point, which are no secret (Straus 1964).
    #[inline(never)]
    fn sum(n: &Scalar, mut other: Option<(&mut Digits, &[Self; 4])>) -> Self {
        let mut bits = N.signed_bits(n);
        let mut sum = Self::INFINITY;
        let top = other.as_ref().and_then(|(digits, _)| digits.top());
        let mut pending = 0u8;
        for at in (0..=top.unwrap_or(0).max(LOW - 1)).rev() {
            if at < LOW {
                sum = sum.double();
            } else if Some(at) != top {
                pending += 1;
            }
            let digit = other.as_mut().and_then(|(digits, _)| digits.take(at));
            // The sum so far is a multiple of the other point alone, by less than the order: not at infinity.
            if pending > 0 && (digit.is_some() || at == LOW) {
                sum = sum.doubles(pending);
                pending = 0;
            }
            if let Some((digit, (_, odd))) = digit.zip(other.as_ref())
                && let Some(known) = odd.get(usize::from(digit.unsigned_abs()) / 2)
            {
                sum = sum.add(&known.signed(u32::from(digit < 0)));
            }
            if at < LOW {
                for (comb, table) in (0u8..).zip(&COMB) {
                    let bit = |tooth: u8| bits.bit(4 * LOW * comb + LOW * tooth + at);
                    let signs = bit(0) | bit(1) << 1 | bit(2) << 2;
                    sum = sum.add(&select(table, signs, bit(3)));
                }
            }
        }
        bits.zeroize();
        sum
    }

    /// Whether it has an x, which is `r` modulo the order. Not for secrets; `r` below the order.
    #[inline(never)]
    pub fn has_x(&self, r: &Scalar) -> bool {
        let is = |x: &[u32; 8]| Fe::of(x).is_some_and(|x| x.mul(&self.z) == self.x);
        // Of x and r + n, only what is below p counts.
        let (above, carry) = N.plus(r);
        self.z != Fe::ZERO && (is(&r.0) || carry == 0 && is(&above.0))
    }

    /// x and y. Not at infinity.
    pub fn affine(&self) -> ([u32; 8], [u32; 8]) {
        let z = self.z.invert();
        (self.x.mul(&z).number(), self.y.mul(&z).number())
    }
}

/// The entry for three signs and the sign of the highest tooth. Every entry is read, whichever it is.
#[inline(never)]
fn select(table: &[Affine; 8], signs: u32, plus: u32) -> Point {
    let minus = plus ^ 1;
    let wanted = (signs ^ mask(minus)) & 7;
    let mut found = Affine {
        x: Fe::ZERO,
        y: Fe::ZERO,
    };
    for (index, entry) in (0u32..).zip(table) {
        let is = mask((index ^ wanted).wrapping_sub(1) >> 31);
        found.x.choose(&entry.x, is);
        found.y.choose(&entry.y, is);
    }
    found.point().signed(minus)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use std::vec::Vec;

    fn words(n: &BigUint) -> [u32; 8] {
        let mut words = [0; 8];
        for (word, digit) in words.iter_mut().zip(n.to_u32_digits()) {
            *word = digit;
        }
        words
    }

    fn scalar(n: &BigUint) -> Scalar {
        Scalar(words(n))
    }

    fn order() -> BigUint {
        BigUint::new(N.words.to_vec())
    }

    /// SEC 2 section 2.4.2.
    fn generator() -> Affine {
        let number = |text: &[u8]| words(&BigUint::parse_bytes(text, 16).unwrap());
        let x = number(b"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
        let y = number(b"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
        Affine::of(&x, &y).unwrap()
    }

    /// n G by doubling and adding.
    fn slowly(n: &BigUint) -> Point {
        let base = generator().point();
        let mut sum = Point::INFINITY;
        for bit in (0..n.bits()).rev() {
            sum = sum.double();
            if n.bit(bit) {
                sum = sum.add(&base);
            }
        }
        sum
    }

    fn same(a: &Point, b: &Point) -> bool {
        let infinite = (a.z == Fe::ZERO, b.z == Fe::ZERO);
        infinite.0 == infinite.1 && a.x.mul(&b.z) == b.x.mul(&a.z) && a.y.mul(&b.z) == b.y.mul(&a.z)
    }

    fn numbers() -> Vec<BigUint> {
        let one = BigUint::from(1u8);
        let mut numbers: Vec<BigUint> = (0u8..40).map(BigUint::from).collect();
        numbers.extend((1u8..6).map(|n| order() - n));
        numbers.extend((4..256).step_by(7).map(|n| (&one << n) - 1u8));
        numbers.extend((4..256).step_by(9).map(|n| &one << n));
        numbers.push(order() >> 1);
        numbers
    }

    #[test]
    fn the_table_is_what_it_says() {
        for (comb, table) in (0u32..).zip(&COMB) {
            for (signs, known) in (0u32..).zip(table) {
                let mut n = BigUint::from(1u8) << 48;
                for tooth in 0..3 {
                    let place = BigUint::from(1u8) << (16 * tooth);
                    n = if signs >> tooth & 1 == 1 {
                        n + place
                    } else {
                        n - place
                    };
                }
                let n = n << (64 * comb);
                assert!(same(&known.point(), &slowly(&n)), "{comb} {signs}");
            }
        }
    }

    #[test]
    fn the_formulas_know_no_special_case() {
        let infinity = Point::INFINITY;
        let p = slowly(&BigUint::from(5u8));
        let minus = p.signed(1);
        assert!(same(&p.add(&p), &p.double()));
        assert!(same(&p.add(&infinity), &p));
        assert!(same(&infinity.add(&p), &p));
        assert!(same(&infinity.double(), &infinity));
        assert!(same(&infinity.add(&infinity), &infinity));
        assert!(same(&p.add(&minus), &infinity));
        assert!(!same(&p, &minus));
    }

    #[test]
    fn multiples_are_what_doubling_and_adding_makes() {
        for n in numbers() {
            assert!(same(&Point::base(&scalar(&n)), &slowly(&n)), "{n}");
        }
        let most = Scalar([u32::MAX; 8]);
        let over = BigUint::new(most.0.to_vec()) % order();
        assert!(same(&Point::base(&most), &slowly(&over)), "not reduced");
        assert!(same(&slowly(&order()), &Point::INFINITY));
    }

    #[test]
    fn two_scalars_at_once_are_each_and_the_sum() {
        let factor = BigUint::from(0x1234_5678_9abc_def1u64);
        let (x, y) = slowly(&factor).affine();
        let point = Affine::of(&x, &y).unwrap();
        let all = numbers();
        for (n, k) in all.iter().zip(all.iter().rev()) {
            let (sum, whole) = Point::double_scalar(&scalar(n), &scalar(k), &point);
            assert!(whole);
            assert!(
                same(&sum, &slowly(&((n + k * &factor) % order()))),
                "{n} {k}"
            );
        }
    }
}
