//! The group of edwards25519 (RFC 8032 section 5.1): -x^2 + y^2 = 1 + d x^2 y^2.
//!
//! Formulas of Hisil, Wong, Carter and Dawson, *Twisted Edwards Curves Revisited* (2008), section 3, for a = -1: complete, so no case is special. A sum or
//! a double is made in two steps, as Bernstein's ref10 does: what comes next decides whether T is needed.

use crate::field::Fe;
use crate::scalar::{L, Scalar};
use crate::tables::{COMB, ODD};
use crate::words::mask;

/// x = X / Z, y = Y / Z.
#[derive(Clone, Copy)]
pub struct Projective {
    x: Fe,
    y: Fe,
    z: Fe,
}

/// The same with T = X Y / Z.
#[derive(Clone, Copy)]
pub struct Extended {
    x: Fe,
    y: Fe,
    z: Fe,
    t: Fe,
}

/// A result before its last multiplications: x = E / G, y = H / F.
struct Completed {
    e: Fe,
    f: Fe,
    g: Fe,
    h: Fe,
}

/// A known point: y + x, y - x, 2 d x y.
#[derive(Clone, Copy)]
pub struct Niels {
    pub sum: Fe,
    pub difference: Fe,
    pub product: Fe,
}

/// A point to add often: Y + X, Y - X, 2 d T, and 2 Z.
#[derive(Clone, Copy)]
struct Cached {
    niels: Niels,
    z2: Fe,
}

impl Completed {
    const IDENTITY: Self = Self {
        e: Fe::ZERO,
        f: Fe::ONE,
        g: Fe::ONE,
        h: Fe::ONE,
    };

    fn projective(&self) -> Projective {
        Projective {
            x: self.e.mul(&self.f),
            y: self.g.mul(&self.h),
            z: self.f.mul(&self.g),
        }
    }

    fn extended(&self) -> Extended {
        Extended {
            x: self.e.mul(&self.f),
            y: self.g.mul(&self.h),
            z: self.f.mul(&self.g),
            t: self.e.mul(&self.h),
        }
    }
}

impl Projective {
    #[inline(never)]
    fn double(&self) -> Completed {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        let h = xx.add(&yy);
        let g = xx.sub(&yy);
        let e = h.sub(&self.x.add(&self.y).square());
        let f = g.add(&zz.add(&zz));
        Completed { e, f, g, h }
    }

    /// Not for secrets. Zero everywhere, which is no point, is what a copy leaves that was not made.
    #[inline(never)]
    pub fn is_identity(&self) -> bool {
        self.x.equals(&Fe::ZERO) && self.y.equals(&self.z) && !self.z.equals(&Fe::ZERO)
    }

    /// Eight times it.
    #[inline(never)]
    pub fn by_cofactor(&self) -> Self {
        let twice = self.double().projective();
        twice.double().projective().double().projective()
    }

    /// The encoding of RFC 8032 section 5.1.2.
    pub fn encode(&self) -> [u8; 32] {
        let z = self.z.invert();
        let mut bytes = self.y.mul(&z).bytes();
        bytes[31] |= (self.x.mul(&z).parity() << 7) as u8;
        bytes
    }
}

impl Extended {
    pub const fn projective(&self) -> Projective {
        Projective {
            x: self.x,
            y: self.y,
            z: self.z,
        }
    }

    pub fn neg(&self) -> Self {
        Self {
            x: self.x.neg(),
            t: self.t.neg(),
            ..*self
        }
    }

    fn cached(&self) -> Cached {
        Cached {
            niels: Niels {
                sum: self.y.add(&self.x),
                difference: self.y.sub(&self.x),
                product: self.t.mul(&Fe::D2),
            },
            z2: self.z.add(&self.z),
        }
    }

    /// The sum with a point, of which 2 Z is 2 where it is not given.
    #[inline(never)]
    fn plus(&self, other: &Niels, z2: Option<&Fe>) -> Completed {
        let a = self.y.sub(&self.x).mul(&other.difference);
        let b = self.y.add(&self.x).mul(&other.sum);
        let c = self.t.mul(&other.product);
        let d = z2.map_or_else(|| self.z.add(&self.z), |z2| self.z.mul(z2));
        Completed {
            e: b.sub(&a),
            f: d.sub(&c),
            g: d.add(&c),
            h: b.add(&a),
        }
    }

    /// The point that `bytes` encode canonically, if it is not of small order: y < p, and no sign where x = 0 (RFC 8032 section 5.1.3). Not for secrets.
    #[inline(never)]
    pub fn decode(bytes: &[u8; 32]) -> Option<Self> {
        let y = Fe::of(bytes);
        let yy = y.square();
        let u = yy.sub(&Fe::ONE);
        let v = yy.mul(&Fe::D).add(&Fe::ONE);
        let v3 = v.square().mul(&v);
        let root = u.mul(&v3.square().mul(&v)).power_58();
        let mut x = root.mul(&u.mul(&v3));
        if x.square().mul(&v).equals(&u.neg()) {
            x = x.mul(&Fe::I);
        }
        if x.parity() != u32::from(bytes[31] >> 7) {
            x = x.neg();
        }
        let t = x.mul(&y);
        let point = Self {
            x,
            y,
            z: Fe::ONE,
            t,
        };
        point.is(bytes).then_some(point)
    }

    /// Whether it is what `decode` makes of these bytes: all that can be wrong with them is looked at here. Not for secrets.
    #[inline(never)]
    pub fn is(&self, bytes: &[u8; 32]) -> bool {
        let mut least = self.y.bytes();
        least[31] |= (self.x.parity() << 7) as u8;
        let (xx, yy) = (self.x.square(), self.y.square());
        let right = xx.mul(&yy).mul(&Fe::D).add(&Fe::ONE);
        // Of the eight points of small order y^2 is 0, 1 or this; no other point has one of them.
        let small = [Fe::ZERO, Fe::ONE, Fe::YY_OF_ORDER_8];
        least == *bytes
            && yy.sub(&xx).equals(&right)
            && self.t.equals(&self.x.mul(&self.y))
            && self.z.equals(&Fe::ONE)
            && !small.iter().any(|small| yy.equals(small))
    }

    /// n B, for a secret n: a comb of four times four teeth (or one of four, where flash is dear) with signed bits (Hamburg, *Fast and compact elliptic-curve cryptography*, 2012, section 3.3).
    #[inline(never)]
    pub fn base(n: &Scalar) -> Projective {
        use zeroize::Zeroize;
        let mut bits = L.signed_bits(n);
        let mut sum = Completed::IDENTITY;
        for tooth in (0..APART).rev() {
            sum = sum.projective().double();
            for (comb, table) in (0u8..).zip(&COMB) {
                let bit = |t: u8| bits.bit(APART * (4 * comb + t) + tooth);
                let signs = bit(0) | bit(1) << 1 | bit(2) << 2;
                sum = sum.extended().plus(&select(table, signs, bit(3)), None);
            }
        }
        bits.zeroize();
        sum.projective()
    }

    /// s B + k P, and whether all of s and k went into it. Not for secrets (Straus; Solinas' signed digits).
    #[inline(never)]
    pub fn double_scalar(s: &Scalar, k: &Scalar, point: &Self) -> (Self, bool) {
        let mut odd = [point.cached(); 4];
        let twice = point.projective().double().extended().cached();
        let mut last = *point;
        for place in odd.iter_mut().skip(1) {
            last = last.plus(&twice.niels, Some(&twice.z2)).extended();
            *place = last.cached();
        }
        let (mut of_s, mut of_k) = (s.digits(WIDTH), k.digits(4));
        let mut sum = Completed::IDENTITY;
        let top = of_s.top().max(of_k.top());
        for at in (0..=top.unwrap_or(0)).rev() {
            sum = sum.projective().double();
            if let Some((known, digit)) = of_s.take(at).and_then(|d| Some((ODD.get(place(d))?, d)))
            {
                sum = sum.extended().plus(&known.signed(digit < 0), None);
            }
            if let Some((known, digit)) = of_k.take(at).and_then(|d| Some((odd.get(place(d))?, d)))
            {
                let point = known.niels.signed(digit < 0);
                sum = sum.extended().plus(&point, Some(&known.z2));
            }
        }
        let whole = of_s.were(s, WIDTH) & of_k.were(k, 4);
        (sum.extended(), whole)
    }

    /// s P + k Q. Not for secrets.
    #[inline(never)]
    pub fn double_points(s: &Scalar, p: &Self, k: &Scalar, q: &Self) -> Self {
        let tables = [p.odd_multiples(), q.odd_multiples()];
        let mut digits = [s.digits(4), k.digits(4)];
        let mut sum = Completed::IDENTITY;
        let top = digits.iter().filter_map(|of| of.top()).max();
        for at in (0..=top.unwrap_or(0)).rev() {
            sum = sum.projective().double();
            for (table, of) in tables.iter().zip(&mut digits) {
                let taken = of.take(at).and_then(|d| Some((table.get(place(d))?, d)));
                if let Some((known, digit)) = taken {
                    let point = known.niels.signed(digit < 0);
                    sum = sum.extended().plus(&point, Some(&known.z2));
                }
            }
        }
        sum.extended()
    }

    /// n times it, for a secret n: a double and a sum for each bit, whatever the bit is.
    #[inline(never)]
    pub fn times(&self, n: &Scalar) -> Self {
        let once = self.cached();
        let mut sum = Completed::IDENTITY.extended();
        for bit in (0..=u8::MAX).rev() {
            sum = sum.projective().double().extended();
            let more = sum.plus(&once.niels, Some(&once.z2)).extended();
            let is = mask(n.bit(bit));
            sum.x.choose(&more.x, is);
            sum.y.choose(&more.y, is);
            sum.z.choose(&more.z, is);
            sum.t.choose(&more.t, is);
        }
        sum
    }

    /// Eight times it: in the prime subgroup.
    #[inline(never)]
    pub fn cleared(&self) -> Self {
        let twice = self.projective().double().projective();
        twice.double().projective().double().extended()
    }

    /// It, and three, five and seven times it. [`Self::double_scalar`] makes its own: what it is compiled to is counted on the metal.
    #[inline(never)]
    fn odd_multiples(&self) -> [Cached; 4] {
        let mut odd = [self.cached(); 4];
        let twice = self.projective().double().extended().cached();
        let mut last = *self;
        for place in odd.iter_mut().skip(1) {
            last = last.plus(&twice.niels, Some(&twice.z2)).extended();
            *place = last.cached();
        }
        odd
    }

    /// This one less another.
    #[inline(never)]
    pub fn less(&self, other: &Self) -> Projective {
        let other = other.neg().cached();
        self.plus(&other.niels, Some(&other.z2)).projective()
    }
}

impl Niels {
    fn signed(&self, negative: bool) -> Self {
        if !negative {
            return *self;
        }
        Self {
            sum: self.difference,
            difference: self.sum,
            product: self.product.neg(),
        }
    }
}

/// Bits from tooth to tooth: each comb has four, and together they have 256.
const APART: u8 = 64 / COMB.len() as u8;
/// Of the digits for which `ODD` has the multiples: odd, below 2^(WIDTH - 1).
const WIDTH: u8 = ODD.len().ilog2() as u8 + 2;

/// Where the multiple by an odd digit stands.
fn place(digit: i8) -> usize {
    usize::from(digit.unsigned_abs()) / 2
}

/// The entry for three signs and the sign of the highest tooth. Every entry is read, whichever it is.
#[inline(never)]
fn select(table: &[Niels; 8], signs: u32, plus: u32) -> Niels {
    let minus = mask(plus ^ 1);
    let wanted = (signs ^ minus) & 7;
    let mut found = Niels {
        sum: Fe::ZERO,
        difference: Fe::ZERO,
        product: Fe::ZERO,
    };
    for (index, entry) in (0u32..).zip(table) {
        let is = mask((index ^ wanted).wrapping_sub(1) >> 31);
        found.sum.choose(&entry.sum, is);
        found.difference.choose(&entry.difference, is);
        found.product.choose(&entry.product, is);
    }
    found.sum.exchange(&mut found.difference, minus);
    let negative = found.product.neg();
    found.product.choose(&negative, minus);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use std::vec::Vec;

    fn scalar(n: &BigUint) -> Scalar {
        let mut words = [0; 8];
        for (word, digit) in words.iter_mut().zip(n.to_u32_digits()) {
            *word = digit;
        }
        Scalar(words)
    }

    fn order() -> BigUint {
        (BigUint::from(1u8) << 252) + 27_742_317_777_372_353_535_851_937_790_883_648_493u128
    }

    /// n B by doubling and adding, from the encoding of B alone.
    fn slowly(n: &BigUint) -> Extended {
        let mut bytes = [0x66; 32];
        bytes[0] = 0x58;
        let base = Extended::decode(&bytes).unwrap();
        let base = base.cached();
        let mut sum = Completed::IDENTITY.extended();
        for bit in (0..n.bits()).rev() {
            sum = sum.projective().double().extended();
            if n.bit(bit) {
                sum = sum.plus(&base.niels, Some(&base.z2)).extended();
            }
        }
        sum
    }

    fn is(niels: &Niels, n: &BigUint) -> bool {
        let point = slowly(n);
        let z = point.z.invert();
        let (x, y) = (point.x.mul(&z), point.y.mul(&z));
        niels.sum.bytes() == y.add(&x).bytes()
            && niels.difference.bytes() == y.sub(&x).bytes()
            && niels.product.bytes() == x.mul(&y).mul(&Fe::D2).bytes()
    }

    #[test]
    fn the_tables_are_what_they_say() {
        for (n, known) in (0u32..).zip(&ODD) {
            assert!(is(known, &BigUint::from(2 * n + 1)));
        }
        for (comb, table) in (0u32..).zip(&COMB) {
            for (signs, known) in (0u32..).zip(table) {
                let mut n = BigUint::from(1u8) << (3 * APART);
                for tooth in 0..3 {
                    let place = BigUint::from(1u8) << (u32::from(APART) * tooth);
                    n = if signs >> tooth & 1 == 1 {
                        n + place
                    } else {
                        n - place
                    };
                }
                assert!(
                    is(known, &(n << (4 * u32::from(APART) * comb))),
                    "{comb} {signs}"
                );
            }
        }
    }

    /// All points of small order, and others beside them.
    #[test]
    fn small_order_is_told_by_y() {
        let mut found = 0;
        let near = |yy: Fe| (0..4u32).map(move |n| Fe([n, 0, 0, 0, 0, 0, 0, 0]).add(&yy));
        let order8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
        let y8 = Fe::of(&hex::decode(order8).unwrap().try_into().unwrap());
        let ys = [
            Fe::ZERO,
            Fe::ONE.neg(),
            y8,
            y8.neg(),
            Fe::ZERO.sub(&Fe([3, 0, 0, 0, 0, 0, 0, 0])),
        ];
        for y in ys.into_iter().flat_map(near) {
            for sign in [0, 0x80] {
                let mut bytes = y.bytes();
                bytes[31] |= sign;
                let yy = y.square();
                let (u, v) = (yy.sub(&Fe::ONE), yy.mul(&Fe::D).add(&Fe::ONE));
                let v3 = v.square().mul(&v);
                let mut x = u.mul(&v3.square().mul(&v)).power_58().mul(&u.mul(&v3));
                if !x.square().mul(&v).equals(&u) {
                    x = x.mul(&Fe::I);
                }
                if !x.square().mul(&v).equals(&u) {
                    assert!(Extended::decode(&bytes).is_none());
                    continue;
                }
                if x.parity() != u32::from(sign >> 7) {
                    x = x.neg();
                }
                let (z, t) = (Fe::ONE, x.mul(&y));
                let point = Extended { x, y, z, t };
                let small = point.projective().by_cofactor().is_identity();
                let signed_zero = x.equals(&Fe::ZERO) && sign != 0;
                found += usize::from(small && !signed_zero);
                assert_eq!(Extended::decode(&bytes).is_some(), !small && !signed_zero);
            }
        }
        assert!(found >= 8, "{found}");
    }

    #[test]
    fn nothing_is_no_identity() {
        let zero = Fe::ZERO;
        let (x, y, z) = (zero, zero, zero);
        assert!(!Projective { x, y, z }.is_identity());
    }

    fn numbers() -> Vec<BigUint> {
        let one = BigUint::from(1u8);
        let mut numbers: Vec<BigUint> = (0u8..40).map(BigUint::from).collect();
        numbers.extend((1u8..6).map(|n| order() - n));
        numbers.extend((4..252).step_by(7).map(|n| (&one << n) - 1u8));
        numbers.extend((4..252).step_by(9).map(|n| &one << n));
        numbers
    }

    #[test]
    fn multiples_of_the_base_point_are_what_doubling_and_adding_makes() {
        for n in numbers() {
            let expected = slowly(&n).projective().encode();
            assert_eq!(Extended::base(&scalar(&n)).encode(), expected, "{n}");
        }
        let over = (BigUint::from(1u8) << 255) - 8u8;
        assert_eq!(
            Extended::base(&scalar(&over)).encode(),
            slowly(&(over % order())).projective().encode(),
            "a clamped scalar is not reduced"
        );
    }

    #[test]
    fn two_scalars_at_once_are_each_and_the_sum() {
        let point = slowly(&BigUint::from(0x1234_5678_9abc_def1u64));
        let all = numbers();
        for (s, k) in all.iter().zip(all.iter().rev()) {
            let (sum, whole) = Extended::double_scalar(&scalar(s), &scalar(k), &point);
            assert!(whole);
            let expected = slowly(&((s + k * 0x1234_5678_9abc_def1u64) % order()));
            assert!(sum.less(&expected).is_identity(), "{s} {k}");
        }
    }

    #[test]
    fn multiples_of_any_points_are_what_doubling_and_adding_makes() {
        let (p, q) = (0x1234_5678_9abc_def1u64, 0xfedc_ba98_7654_3211u64);
        let points = [p, q].map(|n| slowly(&BigUint::from(n)));
        let all = numbers();
        for (s, k) in all.iter().zip(all.iter().rev()) {
            let sum = Extended::double_points(&scalar(s), &points[0], &scalar(k), &points[1]);
            let expected = slowly(&((s * p + k * q) % order()));
            assert!(sum.less(&expected).is_identity(), "{s} {k}");
            let expected = slowly(&((s * p) % order()));
            let times = points[0].times(&scalar(s));
            assert!(times.less(&expected).is_identity(), "{s}");
            assert_eq!(
                times.cleared().projective().encode(),
                times.projective().by_cofactor().encode()
            );
        }
        let over = (BigUint::from(1u8) << 255) - 8u8;
        let expected = slowly(&((&over * p) % order()));
        assert!(
            points[0]
                .times(&scalar(&over))
                .less(&expected)
                .is_identity()
        );
    }

    #[test]
    fn the_order_is_the_order() {
        assert!(slowly(&order()).projective().is_identity());
        assert!(!slowly(&(order() - 1u8)).projective().is_identity());
    }
}
