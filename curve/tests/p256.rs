//! ES256 against RFC 6979 and the crate `p256`, at random and at the edges.

use iotedge_curve::p256::{Error, SecretKey, check, verify};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::ff::PrimeField;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

const G: ProjectivePoint = ProjectivePoint::GENERATOR;
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

fn number(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// a + small, big-endian; wraps.
fn plus(mut a: [u8; 32], small: i32) -> [u8; 32] {
    let mut carry = i64::from(small);
    for byte in a.iter_mut().rev() {
        let sum = i64::from(*byte) + carry;
        *byte = sum.rem_euclid(256) as u8;
        carry = sum.div_euclid(256);
    }
    a
}

/// Any 32 bytes, modulo the order.
fn scalar(bytes: [u8; 32]) -> Scalar {
    let byte = |sum: Scalar, byte: &u8| sum * Scalar::from(256u32) + Scalar::from(u32::from(*byte));
    bytes.iter().fold(Scalar::ZERO, byte)
}

fn bytes(scalar: Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

fn joined(left: [u8; 32], right: [u8; 32]) -> [u8; 64] {
    [left, right].concat().try_into().unwrap()
}

fn encoded(point: ProjectivePoint) -> [u8; 64] {
    let sec1 = point.to_affine().to_sec1_point(false);
    sec1.as_bytes()[1..].try_into().unwrap()
}

/// The x of a point, modulo the order.
fn x_of(point: ProjectivePoint) -> Scalar {
    scalar(encoded(point)[..32].try_into().unwrap())
}

fn their_key(key: &[u8; 64]) -> Option<VerifyingKey> {
    let mut sec1 = [4; 65];
    sec1[1..].copy_from_slice(key);
    VerifyingKey::from_sec1_bytes(&sec1).ok()
}

fn theirs(key: &[u8; 64], digest: &[u8; 32], signature: &[u8; 64]) -> Result<(), Error> {
    let key = their_key(key).ok_or(Error::Malformed)?;
    let signature = Signature::from_slice(signature).map_err(|_| Error::Malformed)?;
    let verdict = key.verify_prehash(digest, &signature);
    verdict.map_err(|_| Error::Rejected)
}

/// The verdict, which the other crate shares.
fn judged(key: [u8; 64], digest: [u8; 32], r: [u8; 32], s: [u8; 32]) -> Result<(), Error> {
    let signature = joined(r, s);
    let verdict = verify(&key, &digest, &signature);
    assert_eq!(verdict, theirs(&key, &digest, &signature));
    verdict
}

/// Zero, one, and what is near the order, the prime and their halves.
fn edges() -> Vec<[u8; 32]> {
    let mut edges = vec![
        [0; 32],
        [0xff; 32],
        bytes(Scalar::ONE.double().invert().unwrap()),
    ];
    for of in [[0; 32], number(N), number(P)] {
        edges.extend((-3..4).map(|small| plus(of, small)));
    }
    let mut bit = [0; 32];
    bit[0] = 0x80;
    edges.extend([bit, plus(bit, -1)]);
    edges
}

fn edge() -> impl Strategy<Value = [u8; 32]> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff)];
    prop_oneof![
        any::<[u8; 32]>(),
        prop::array::uniform32(byte),
        prop::sample::select(edges()),
    ]
}

/// RFC 6979 A.2.5, with SHA-256.
#[test]
fn it_signs_as_rfc_6979_does() {
    let secret = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    let secret = SecretKey::from_scalar(&number(secret)).unwrap();
    assert_eq!(
        hex::encode(secret.public_key()),
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    );
    for (digest, signature) in [
        (
            // "sample"
            "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            // "test"
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        assert_eq!(hex::encode(secret.sign(&number(digest))), signature);
    }
}

#[test]
fn keys_at_the_edge_are_those_of_the_other() {
    for edge in edges() {
        let secret = SecretKey::from_scalar(&edge);
        let other = SigningKey::from_slice(&edge).ok();
        assert_eq!(secret.is_some(), other.is_some());
        if let (Some(secret), Some(other)) = (secret, other) {
            let point = (*other.verifying_key().as_affine()).into();
            assert_eq!(secret.public_key(), encoded(point));
            let digest = [0x42; 32];
            let signature: Signature = other.sign_prehash(&digest).unwrap();
            assert_eq!(secret.sign(&digest)[..], signature.to_bytes()[..]);
        }
    }
}

/// d = (s k - z) / r makes a signature of any r of a point, s and z, and both crates have to take it.
#[test]
fn whatever_can_be_signed_is_accepted() {
    for z in edges() {
        for s in edges()
            .into_iter()
            .map(scalar)
            .filter(|s| *s != Scalar::ZERO)
        {
            let k = scalar([0x23; 32]);
            let r = x_of(G * k);
            let key = encoded(G * ((s * k - scalar(z)) * r.invert().unwrap()));
            assert_eq!(judged(key, z, bytes(r), bytes(s)), Ok(()));
            assert_eq!(judged(key, z, bytes(r), bytes(-s)), Ok(()), "the other s");
            assert_eq!(
                judged(key, plus(z, 1), bytes(r), bytes(s)),
                Err(Error::Rejected)
            );
        }
    }
}

/// u1 = z / s and u2 = r / s at their edges: signatures of a zero hash, and with Q = G, -G, 2 G and so on.
#[test]
fn keys_near_the_base_point() {
    for d in [1u32, 2, 3, 4, 5, 7, 8, 15, 16, 17].map(Scalar::from) {
        for d in [d, -d, d.invert().unwrap()] {
            let key = encoded(G * d);
            for k in [1u32, 2, 3, 4, 9].map(Scalar::from) {
                let r = x_of(G * k);
                for z in [[0; 32], number(N), plus([0; 32], 1), [0x77; 32]] {
                    let s = (scalar(z) + r * d) * k.invert().unwrap();
                    assert_eq!(judged(key, z, bytes(r), bytes(s)), Ok(()));
                    let wrong = bytes(s + Scalar::ONE);
                    assert_eq!(judged(key, z, bytes(r), wrong), Err(Error::Rejected));
                }
            }
        }
    }
}

#[test]
fn r_and_s_out_of_range_are_malformed() {
    let secret = SecretKey::from_scalar(&[0x17; 32]).unwrap();
    let (key, digest) = (secret.public_key(), [0x5c; 32]);
    let signature = secret.sign(&digest);
    let r: [u8; 32] = signature[..32].try_into().unwrap();
    let s: [u8; 32] = signature[32..].try_into().unwrap();
    for bad in [
        [0; 32],
        number(N),
        plus(number(N), 1),
        number(P),
        [0xff; 32],
    ] {
        for (r, s) in [(bad, s), (r, bad), (bad, bad)] {
            assert_eq!(judged(key, digest, r, s), Err(Error::Malformed));
        }
    }
    for good in [plus([0; 32], 1), plus(number(N), -1)] {
        for (r, s) in [(good, s), (r, good), (good, good)] {
            assert_eq!(judged(key, digest, r, s), Err(Error::Rejected));
        }
    }
}

/// A point with this x, if there is one.
fn lifted(x: [u8; 32]) -> Option<ProjectivePoint> {
    let mut sec1 = [2; 33];
    sec1[1..].copy_from_slice(&x);
    let key = VerifyingKey::from_sec1_bytes(&sec1).ok()?;
    Some((*key.as_affine()).into())
}

/// x in [n, p): r is x - n, in one of 2^128 signatures. And an r for which r + n is not below p must not be taken for r + n - p.
#[test]
fn an_x_that_is_not_below_n() {
    let (i, x, point) = (1..1000)
        .map(|i| (i, plus(number(N), i)))
        .find_map(|(i, x)| lifted(x).map(|point| (i, x, point)))
        .unwrap();
    let (r, s, z) = (scalar(plus([0; 32], i)), scalar([0x31; 32]), [0x91; 32]);
    let key = encoded((point * s - G * scalar(z)) * r.invert().unwrap());
    assert_eq!(judged(key, z, bytes(r), bytes(s)), Ok(()));
    assert_eq!(judged(key, z, x, bytes(s)), Err(Error::Malformed));

    // x = small, r = small + p - n.
    let (x, point) = (1..1000)
        .map(|i| plus([0; 32], i))
        .find_map(|x| lifted(x).map(|point| (x, point)))
        .unwrap();
    let r = scalar(number(P)) + scalar(x);
    let key = encoded((point * s - G * scalar(z)) * r.invert().unwrap());
    assert_eq!(judged(key, z, bytes(r), bytes(s)), Err(Error::Rejected));
}

#[test]
fn a_sum_that_is_a_doubling_or_infinity() {
    for z in [[0x29; 32], plus([0; 32], 1), plus(number(N), -1)] {
        let k = scalar([0x29; 32]);
        let r = x_of(G * k);
        // d = z / r makes u1 G and u2 Q equal, d = -z / r makes them opposite.
        let s = scalar(z).double() * k.invert().unwrap();
        let d = scalar(z) * r.invert().unwrap();
        assert_eq!(judged(encoded(G * d), z, bytes(r), bytes(s)), Ok(()));
        let opposite = encoded(G * -d);
        for s in [Scalar::ONE, s, -Scalar::ONE] {
            assert_eq!(
                judged(opposite, z, bytes(r), bytes(s)),
                Err(Error::Rejected)
            );
        }
    }
}

#[test]
fn keys_that_are_no_points() {
    let key = SecretKey::from_scalar(&[0x17; 32]).unwrap().public_key();
    let x: [u8; 32] = key[..32].try_into().unwrap();
    let y: [u8; 32] = key[32..].try_into().unwrap();
    assert_eq!(check(&key), Ok(()));
    // x = 0 is on the curve: b is a square. x + p is the same point to a careless reader.
    let zero = encoded(lifted([0; 32]).unwrap());
    assert_eq!(check(&zero), Ok(()));
    let y0: [u8; 32] = zero[32..].try_into().unwrap();
    for bad in [
        [0; 64],
        [0xff; 64],
        joined(number(P), y0),
        joined(x, plus(y, 1)),
        joined(plus(x, 1), y),
        joined(y, x),
        joined(x, [0; 32]),
        joined([0; 32], y),
        joined(x, number(P)),
    ] {
        assert_eq!(check(&bad), Err(Error::Malformed));
        assert!(their_key(&bad).is_none());
        let one = plus([0; 32], 1);
        assert_eq!(judged(bad, [1; 32], one, one), Err(Error::Malformed));
    }
}

#[test]
fn a_secret_key_prints_nothing_secret() {
    let secret = SecretKey::from_scalar(&[0x5a; 32]).unwrap();
    assert_eq!(format!("{secret:?}"), "SecretKey { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn keys_and_signatures_are_those_of_p256(d in edge(), digest in edge()) {
        let other = SigningKey::from_slice(&d).ok();
        let secret = SecretKey::from_scalar(&d);
        prop_assert_eq!(secret.is_some(), other.is_some());
        if let (Some(secret), Some(other)) = (secret, other) {
            let key = secret.public_key();
            prop_assert_eq!(key, encoded((*other.verifying_key().as_affine()).into()));
            let signature = secret.sign(&digest);
            let expected: Signature = other.sign_prehash(&digest).unwrap();
            prop_assert_eq!(&signature[..], &expected.to_bytes()[..]);
            prop_assert_eq!(verify(&key, &digest, &signature), Ok(()));
        }
    }

    #[test]
    fn what_is_bent_is_judged_as_p256_judges_it(d in 1u64.., digest in edge(), at in 0usize..160, bit in 0u8..8) {
        let secret = SecretKey::from_scalar(&bytes(Scalar::from(d))).unwrap();
        let mut all = [&secret.public_key()[..], &digest, &secret.sign(&digest)].concat();
        all[at] ^= 1 << bit;
        let (key, digest, signature) = (&all[..64], &all[64..96], &all[96..]);
        let (key, digest, signature) = (key.try_into().unwrap(), digest.try_into().unwrap(), signature.try_into().unwrap());
        let verdict = verify(&key, &digest, &signature);
        prop_assert_eq!(verdict, theirs(&key, &digest, &signature));
        prop_assert!(verdict.is_err());
    }

    #[test]
    fn any_r_and_s_are_judged_as_p256_judges_them(d in 1u64.., digest in edge(), r in edge(), s in edge()) {
        let key = SecretKey::from_scalar(&bytes(Scalar::from(d))).unwrap().public_key();
        let signature = joined(r, s);
        prop_assert_eq!(verify(&key, &digest, &signature), theirs(&key, &digest, &signature));
    }

    #[test]
    fn a_key_is_one_where_p256_says_so(x in edge(), y in edge()) {
        let key = joined(x, y);
        prop_assert_eq!(check(&key).is_ok(), their_key(&key).is_some());
        if let Some(point) = lifted(x) {
            prop_assert_eq!(check(&encoded(point)), Ok(()));
            prop_assert_eq!(check(&encoded(-point)), Ok(()));
        }
    }
}
