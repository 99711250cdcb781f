//! Writes `vectors/ed25519.json`: signatures at every edge of the rule of `docs/decisions/0002-signature-rule.md`.
//!
//! `cargo run -p iotedge-core --example gen_ed25519_vectors` regenerates the file; a test compares it. Everything is derived from labels
//! by SHA-512, so the same file comes out everywhere. Signatures are made from scalars and points here and judged by [`accepts`], the
//! rule written a second time over curve25519-dalek: no verifier under test has a part in what is expected of it.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};

/// One row of the file. `name` is its class, a slash and a number within the class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vector {
    pub name: String,
    pub key: String,
    pub message: String,
    pub signature: String,
    pub valid: bool,
    pub why: String,
}

/// The clauses of the rule, each of which can be left out to see which vectors it decides.
#[derive(Clone, Copy)]
pub struct Clauses {
    pub s_in_range: bool,
    pub canonical: bool,
    pub no_small_order: bool,
    pub cofactored: bool,
}

pub const RULE: Clauses = Clauses {
    s_in_range: true,
    canonical: true,
    no_small_order: true,
    cofactored: true,
};

/// Whether these bytes pass the rule, or what is left of it.
pub fn accepts(clauses: Clauses, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(a_bytes), Ok(signature)) = (<[u8; 32]>::try_from(key), <[u8; 64]>::try_from(signature))
    else {
        return false;
    };
    let r_bytes: [u8; 32] = signature[..32].try_into().unwrap();
    let s_bytes: [u8; 32] = signature[32..].try_into().unwrap();
    let in_range = Option::<Scalar>::from(Scalar::from_canonical_bytes(s_bytes));
    if clauses.s_in_range && in_range.is_none() {
        return false;
    }
    let s = Scalar::from_bytes_mod_order(s_bytes);
    let (Some(a), Some(r)) = (
        CompressedEdwardsY(a_bytes).decompress(),
        CompressedEdwardsY(r_bytes).decompress(),
    ) else {
        return false;
    };
    if clauses.canonical && (a.compress().0 != a_bytes || r.compress().0 != r_bytes) {
        return false;
    }
    if clauses.no_small_order && (a.is_small_order() || r.is_small_order()) {
        return false;
    }
    let difference = B * s - r - a * challenge(&r_bytes, &a_bytes, message);
    if clauses.cofactored {
        difference.mul_by_cofactor().is_identity()
    } else {
        difference.is_identity()
    }
}

/// k of RFC 8032 section 5.1.6 over the bytes as given.
fn challenge(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(a)
        .chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

fn scalar(label: &str, number: usize) -> Scalar {
    let hash = Sha512::new()
        .chain_update(label)
        .chain_update([0])
        .chain_update(number.to_be_bytes());
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

fn text(label: &str, number: usize) -> Vec<u8> {
    let length = (number * 7) % 48;
    let hash = Sha512::new()
        .chain_update("message")
        .chain_update(label)
        .chain_update(number.to_be_bytes());
    hash.finalize()[..length].to_vec()
}

/// The order of the prime subgroup and the prime of the field, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// a + times * b, little-endian; `None` where it does not fit.
fn add(a: [u8; 32], times: u32, b: [u8; 32]) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    let mut carry = 0;
    for (place, (x, y)) in sum.iter_mut().zip(a.iter().zip(b)) {
        carry += u32::from(*x) + times * u32::from(y);
        *place = carry as u8;
        carry >>= 8;
    }
    (carry == 0).then_some(sum)
}

fn small(number: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = number;
    bytes
}

fn with_sign(mut bytes: [u8; 32], sign: u8) -> [u8; 32] {
    bytes[31] |= sign << 7;
    bytes
}

/// Every encoding that is not canonical: the nineteen y in [p, 2^255) with either sign, and x = 0 with the sign set.
fn non_canonical() -> Vec<[u8; 32]> {
    let mut all = Vec::new();
    for excess in 0..19 {
        for sign in [0, 1] {
            all.push(with_sign(add(small(excess), 1, P).unwrap(), sign));
        }
    }
    all.push(with_sign(small(1), 1));
    let mut minus_one = P;
    minus_one[0] -= 1;
    all.push(with_sign(minus_one, 1));
    all
}

/// Every encoding of a point of small order: eight canonical ones, then six that are not.
fn small_order() -> Vec<[u8; 32]> {
    let mut all: Vec<_> = EIGHT_TORSION
        .iter()
        .map(|point| point.compress().0)
        .collect();
    all.extend(non_canonical().into_iter().filter(|bytes| {
        CompressedEdwardsY(*bytes)
            .decompress()
            .is_some_and(|point| point.is_small_order())
    }));
    all
}

fn off_curve(label: &str, count: usize) -> Vec<[u8; 32]> {
    (0..)
        .map(|number| scalar(label, number).to_bytes())
        .filter(|bytes| CompressedEdwardsY(*bytes).decompress().is_none())
        .take(count)
        .collect()
}

/// A signer with a scalar as its secret, who can be made to use any bytes for A and R.
struct Signer {
    a: Scalar,
    r: Scalar,
}

impl Signer {
    fn new(label: &str, number: usize) -> Self {
        Self {
            a: scalar(&format!("{label} a"), number),
            r: scalar(&format!("{label} r"), number),
        }
    }

    fn key(&self) -> [u8; 32] {
        (B * self.a).compress().0
    }

    fn commitment(&self) -> [u8; 32] {
        (B * self.r).compress().0
    }

    /// S for the bytes as they will be sent.
    fn response(&self, r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
        self.r + challenge(r, a, message) * self.a
    }

    fn honest(&self, message: &[u8]) -> ([u8; 32], [u8; 32], [u8; 32]) {
        let (a, r) = (self.key(), self.commitment());
        (a, r, self.response(&r, &a, message).to_bytes())
    }
}

#[derive(Default)]
struct Book {
    vectors: Vec<Vector>,
}

impl Book {
    fn row(
        &mut self,
        class: &str,
        valid: bool,
        why: &str,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) {
        assert_eq!(
            accepts(RULE, key, message, signature),
            valid,
            "{class}: the construction and the rule must agree"
        );
        let prefix = format!("{class}/");
        let number = self
            .vectors
            .iter()
            .filter(|vector| vector.name.starts_with(&prefix))
            .count();
        self.vectors.push(Vector {
            name: format!("{prefix}{number}"),
            key: hex::encode(key),
            message: hex::encode(message),
            signature: hex::encode(signature),
            valid,
            why: why.into(),
        });
    }

    #[expect(clippy::too_many_arguments, reason = "a row has as many columns")]
    fn add(
        &mut self,
        class: &str,
        valid: bool,
        why: &str,
        a: &[u8; 32],
        message: &[u8],
        r: &[u8; 32],
        s: &[u8; 32],
    ) {
        self.row(class, valid, why, a, message, &[*r, *s].concat());
    }
}

pub fn vectors() -> Vec<Vector> {
    let mut book = Book::default();
    plain(&mut book);
    numbers(&mut book);
    encodings(&mut book);
    torsion(&mut book);
    mixed(&mut book);
    damage(&mut book);
    book.vectors
}

/// Honest signatures, and points that meet themselves inside the equation.
fn plain(book: &mut Book) {
    for n in 0..40 {
        let (message, signer) = (text("valid", n), Signer::new("valid", n));
        let (a, r, s) = signer.honest(&message);
        book.add("valid", true, "honest signature", &a, &message, &r, &s);
    }
    let minus = -Scalar::ONE;
    let x = scalar("meeting", 0);
    for (n, (a, r, why)) in [
        (Scalar::ONE, x, "A = B"),
        (minus, x, "A = -B"),
        (x, Scalar::ONE, "R = B"),
        (x, minus, "R = -B"),
        (x, x, "R = A"),
        (x, -x, "R = -A"),
        (Scalar::ONE, Scalar::ONE, "A = R = B"),
        (Scalar::ONE, minus, "A = B, R = -B"),
    ]
    .into_iter()
    .enumerate()
    {
        let message = text("meeting", n);
        let (a, r, s) = Signer { a, r }.honest(&message);
        book.add("meeting-points", true, why, &a, &message, &r, &s);
    }
}

/// S at and beyond the ends of its range.
fn numbers(book: &mut Book) {
    for n in 0..16 {
        let (message, signer) = (text("s-plus-l", n), Signer::new("s-plus-l", n));
        let (a, r, s) = signer.honest(&message);
        let times = 1 + n as u32 % 14;
        let s = add(s, times, L).unwrap();
        book.add(
            "s-plus-l",
            false,
            "S plus a multiple of L: same residue",
            &a,
            &message,
            &r,
            &s,
        );
    }
    for n in 0..8 {
        let (message, signer) = (text("s-zero", n), Signer::new("s-zero", n));
        let (a, r, _) = signer.honest(&message);
        book.add(
            "s-zero",
            false,
            "S = 0 for an honest R",
            &a,
            &message,
            &r,
            &[0; 32],
        );
    }
    let mut below_l = L;
    below_l[0] -= 1;
    let mut half = [0xff; 32];
    half[31] = 0x7f;
    let power = |bit: usize| {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        bytes
    };
    for (n, (s, why)) in [
        (below_l, "S = L - 1: in range, wrong"),
        (small(1), "S = 1: in range, wrong"),
        (L, "S = L"),
        (add(L, 1, small(1)).unwrap(), "S = L + 1"),
        (power(252), "S = 2^252: in range, wrong"),
        (power(253), "S = 2^253"),
        (power(254), "S = 2^254"),
        (power(255), "S = 2^255"),
        (half, "S = 2^255 - 1"),
        ([0xff; 32], "S = 2^256 - 1"),
        (P, "S = p"),
    ]
    .into_iter()
    .enumerate()
    {
        let (message, signer) = (text("s-edge", n), Signer::new("s-edge", n));
        let (a, r, _) = signer.honest(&message);
        book.add("s-edge", false, why, &a, &message, &r, &s);
    }
}

/// Encodings that name no point, or a point that has a shorter name.
fn encodings(book: &mut Book) {
    for (n, bytes) in non_canonical().iter().enumerate() {
        let message = text("non-canonical", n);
        // With A of small order the equation asks S = r only, so a lax verifier accepts.
        let signer = Signer::new("non-canonical-a", n);
        let r = signer.commitment();
        let s = signer.r.to_bytes();
        book.add(
            "non-canonical-a",
            false,
            "A is not canonical",
            bytes,
            &message,
            &r,
            &s,
        );
        // With R of small order it asks S = k a.
        let signer = Signer {
            r: Scalar::ZERO,
            ..Signer::new("non-canonical-r", n)
        };
        let a = signer.key();
        let s = signer.response(bytes, &a, &message).to_bytes();
        book.add(
            "non-canonical-r",
            false,
            "R is not canonical",
            &a,
            &message,
            bytes,
            &s,
        );
    }
    for (n, bytes) in off_curve("off-curve", 20).iter().enumerate() {
        let message = text("off-curve", n);
        let signer = Signer::new("off-curve", n);
        let (a, r, s) = signer.honest(&message);
        book.add(
            "off-curve-a",
            false,
            "A is not on the curve",
            bytes,
            &message,
            &r,
            &s,
        );
        book.add(
            "off-curve-r",
            false,
            "R is not on the curve",
            &a,
            &message,
            bytes,
            &s,
        );
    }
}

/// Points of small order, by every name they have.
fn torsion(book: &mut Book) {
    let names = small_order();
    for (i, bytes) in names.iter().enumerate() {
        for n in 0..3 {
            let message = text("torsion", i * 3 + n);
            let signer = Signer::new("torsion-a", i * 3 + n);
            let why = "A has small order: anybody can sign";
            book.add(
                "torsion-a",
                false,
                why,
                bytes,
                &message,
                &signer.commitment(),
                &signer.r.to_bytes(),
            );

            let signer = Signer {
                r: Scalar::ZERO,
                ..Signer::new("torsion-r", i * 3 + n)
            };
            let a = signer.key();
            let s = signer.response(bytes, &a, &message).to_bytes();
            book.add(
                "torsion-r",
                false,
                "R has small order",
                &a,
                &message,
                bytes,
                &s,
            );
        }
        for (j, other) in names.iter().enumerate() {
            let message = text("torsion-both", i * names.len() + j);
            let why = "A and R have small order, S = 0: signs every message";
            book.add("torsion-both", false, why, bytes, &message, other, &[0; 32]);
        }
    }
}

/// Points with a part of small order. The cofactor takes it away, so these are valid; a cofactorless check refuses most of them.
fn mixed(book: &mut Book) {
    let shift = |bytes: [u8; 32], by: usize| -> [u8; 32] {
        let point = CompressedEdwardsY(bytes).decompress().unwrap();
        (point + EIGHT_TORSION[by]).compress().0
    };
    let mut n = 0;
    let mut case = |i: usize, j: usize, cofactorless: bool| {
        // Whether the small parts cancel depends on k, hence on the message: look for one that gives the wanted case.
        (0..).find_map(|_| {
            n += 1;
            let (signer, message) = (Signer::new("mixed", n), text("mixed", n));
            let (a, r) = (shift(signer.key(), i), shift(signer.commitment(), j));
            let s = signer.response(&r, &a, &message).to_bytes();
            let strict = Clauses {
                cofactored: false,
                ..RULE
            };
            (accepts(strict, &a, &message, &[r, s].concat()) == cofactorless)
                .then_some((a, message, r, s))
        })
    };
    for i in 1..8 {
        for _ in 0..6 {
            let (a, message, r, s) = case(i, 0, false).unwrap();
            book.add(
                "mixed-a",
                true,
                "A has a part of small order",
                &a,
                &message,
                &r,
                &s,
            );
            let (a, message, r, s) = case(0, i, false).unwrap();
            book.add(
                "mixed-r",
                true,
                "R has a part of small order",
                &a,
                &message,
                &r,
                &s,
            );
        }
        let (a, message, r, s) = case(i, 0, true).unwrap();
        book.add(
            "mixed-a-cancels",
            true,
            "k takes A's small part away",
            &a,
            &message,
            &r,
            &s,
        );
        for j in 1..8 {
            let (a, message, r, s) = case(i, j, false).unwrap();
            book.add(
                "mixed-both",
                true,
                "A and R have parts of small order",
                &a,
                &message,
                &r,
                &s,
            );
        }
        let (a, message, r, s) = case(i, i, true).unwrap();
        book.add(
            "mixed-both-cancels",
            true,
            "the small parts cancel",
            &a,
            &message,
            &r,
            &s,
        );
    }
    // k over a cleaned encoding instead of the bytes as sent: the equation of another signature.
    for i in 1..8 {
        let signer = Signer::new("reencoded", i);
        let message = text("reencoded", i);
        let (clean_a, clean_r) = (signer.key(), signer.commitment());
        let (a, r) = (shift(clean_a, i), shift(clean_r, i));
        let s = signer.response(&clean_r, &clean_a, &message).to_bytes();
        for (a, r) in [(a, clean_r), (clean_a, r), (a, r)] {
            let why = "k over A and R without their small parts";
            book.add("reencoded-k", false, why, &a, &message, &r, &s);
        }
    }
    for (n, bytes) in small_order().iter().enumerate().skip(8) {
        let signer = Signer {
            r: Scalar::ZERO,
            ..Signer::new("reencoded-r", n)
        };
        let message = text("reencoded-r", n);
        let a = signer.key();
        let canonical = CompressedEdwardsY(*bytes)
            .decompress()
            .unwrap()
            .compress()
            .0;
        let s = signer.response(&canonical, &a, &message).to_bytes();
        let why = "R is not canonical, k over its canonical encoding";
        book.add("reencoded-k", false, why, &a, &message, bytes, &s);
    }
}

/// Honest signatures that met with an accident.
fn damage(book: &mut Book) {
    for n in 0..12 {
        let (message, signer) = (
            [text("damage", n), vec![n as u8]].concat(),
            Signer::new("damage", n),
        );
        let (a, r, s) = signer.honest(&message);
        let mut flipped = message.clone();
        flipped[0] ^= 1;
        let longer = [&message[..], &[0]].concat();
        let shorter = &message[..message.len() - 1];
        for (other, why) in [
            (&flipped[..], "one bit"),
            (&longer, "a zero byte more"),
            (shorter, "the last byte less"),
        ] {
            book.add(
                "wrong-message",
                false,
                &format!("message changed: {why}"),
                &a,
                other,
                &r,
                &s,
            );
        }
        let negate = |mut bytes: [u8; 32]| {
            bytes[31] ^= 0x80;
            bytes
        };
        book.add("negated", false, "-A for A", &negate(a), &message, &r, &s);
        book.add("negated", false, "-R for R", &a, &message, &negate(r), &s);
        book.add(
            "negated",
            false,
            "-S for S",
            &a,
            &message,
            &r,
            &(-Scalar::from_bytes_mod_order(s)).to_bytes(),
        );
        book.add(
            "swapped",
            false,
            "A and R changed places",
            &r,
            &message,
            &a,
            &s,
        );
        book.add(
            "swapped",
            false,
            "S and R changed places",
            &a,
            &message,
            &s,
            &r,
        );

        let whole = [r, s].concat();
        for k in 0..6 {
            let bit = (n * 6 + k) * 37 % 768;
            let mut bytes = [&a[..], &whole].concat();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let why = format!("bit {bit} of key and signature flipped");
            book.row(
                "bit-flip",
                false,
                &why,
                &bytes[..32],
                &message,
                &bytes[32..],
            );
        }
    }
    let signer = Signer::new("length", 0);
    let (a, r, s) = signer.honest(b"length");
    let whole = [r, s].concat();
    for length in [0, 1, 31, 32, 33, 63] {
        book.row(
            "length",
            false,
            "signature too short",
            &a,
            b"length",
            &whole[..length],
        );
    }
    book.row(
        "length",
        false,
        "signature too long",
        &a,
        b"length",
        &[&whole[..], &[0]].concat(),
    );
    for length in [0, 1, 31] {
        book.row(
            "length",
            false,
            "key too short",
            &a[..length],
            b"length",
            &whole,
        );
    }
    book.row(
        "length",
        false,
        "key too long",
        &[&a[..], &[0]].concat(),
        b"length",
        &whole,
    );
}

/// The file: one vector per line.
pub fn render(vectors: &[Vector]) -> String {
    let rows: Vec<_> = vectors
        .iter()
        .map(|vector| serde_json::to_string(vector).expect("plain strings"))
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[allow(
    dead_code,
    reason = "the test that includes this file needs the generator only"
)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/ed25519.json");
    let vectors = vectors();
    std::fs::write(path, render(&vectors)).expect("vectors/ can be written");
    println!("wrote {} vectors to vectors/ed25519.json", vectors.len());
}
