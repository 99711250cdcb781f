//! Key agreement: X25519 (RFC 7748 section 5).

use crate::ed25519::clamp;
use crate::field::Fe;
use crate::scalar::Scalar;
use crate::words::mask;
use zeroize::Zeroize;

/// (486662 - 2) / 4.
const A24: u32 = 121_665;

/// The base point.
pub const BASE: [u8; 32] = {
    let mut base = [0; 32];
    base[0] = 9;
    base
};

/// The u coordinate of `scalar` times the point with coordinate `u`. All zero for a `u` of small order: the caller has to refuse that (section 6.1).
#[must_use]
#[inline(never)]
pub fn x25519(scalar: &[u8; 32], u: &[u8; 32]) -> [u8; 32] {
    let mut clamped = *scalar;
    clamp(&mut clamped);
    let mut k = Scalar::raw(&clamped);
    clamped.zeroize();
    let x1 = Fe::of(u);
    let (mut x2, mut z2, mut x3, mut z3) = (Fe::ONE, Fe::ZERO, x1, Fe::ONE);
    let mut last = 0;
    for t in (0..255).rev() {
        let bit = k.bit(t);
        let swap = mask(bit ^ last);
        last = bit;
        x2.exchange(&mut x3, swap);
        z2.exchange(&mut z3, swap);
        let (a, b) = (x2.add(&z2), x2.sub(&z2));
        let (aa, bb) = (a.square(), b.square());
        let e = aa.sub(&bb);
        let (c, d) = (x3.add(&z3), x3.sub(&z3));
        let (da, cb) = (d.mul(&a), c.mul(&b));
        x3 = da.add(&cb).square();
        z3 = x1.mul(&da.sub(&cb).square());
        x2 = aa.mul(&bb);
        z2 = e.mul(&aa.add(&e.mul_small(A24)));
    }
    let swap = mask(last);
    x2.exchange(&mut x3, swap);
    z2.exchange(&mut z3, swap);
    let out = x2.mul(&z2.invert()).bytes();
    k.zeroize();
    x2.zeroize();
    z2.zeroize();
    x3.zeroize();
    z3.zeroize();
    out
}
