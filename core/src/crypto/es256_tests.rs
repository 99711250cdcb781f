//! ES256 at its edges; the cases are built here from the curve, not copied from a file.

use super::*;
use crate::crypto::{Software, Verify};
use ::p256::ecdsa::VerifyingKey;
use ::p256::elliptic_curve::ff::PrimeField;
use ::p256::elliptic_curve::sec1::ToSec1Point;
use ::p256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

/// The order of the group, and the prime of the field (SEC 2 section 2.4.2).
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const MESSAGE: &[u8] = b"one micro transaction";

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

fn scalar(bytes: [u8; 32]) -> Scalar {
    Option::from(Scalar::from_repr(bytes.into())).expect("below n")
}

fn bytes(scalar: &Scalar) -> [u8; 32] {
    scalar.to_repr().into()
}

fn signature(r: [u8; 32], s: [u8; 32]) -> Signature {
    Signature([r, s].concat().try_into().unwrap())
}

fn encode(point: &ProjectivePoint) -> [u8; 64] {
    let sec1 = point.to_affine().to_sec1_point(false);
    sec1.as_bytes()[1..].try_into().unwrap()
}

fn digest_of_message() -> Scalar {
    scalar(sha256(&[MESSAGE]))
}

fn check_signature(key: [u8; 64], signature: &Signature) -> Result<(), SignatureError> {
    Software.verify(&PublicKey::Es256(key), MESSAGE, signature)
}

/// A point with this x, if there is one.
fn lift(x: [u8; 32]) -> Option<ProjectivePoint> {
    let mut sec1 = [2; 33];
    sec1[1..].copy_from_slice(&x);
    VerifyingKey::from_sec1_bytes(&sec1)
        .ok()
        .map(|key| (*key.as_affine()).into())
}

fn sample() -> (SecretKey, [u8; 64], [u8; 32], [u8; 32]) {
    let secret = SecretKey::from_scalar(&[0x17; 32]).unwrap();
    let PublicKey::Es256(key) = secret.public_key() else {
        panic!()
    };
    let signature = secret.sign(MESSAGE).unwrap();
    let (r, s) = signature.0.split_at(32);
    (secret, key, r.try_into().unwrap(), s.try_into().unwrap())
}

#[test]
fn rfc_6979_a_2_5() {
    let secret = SecretKey::from_scalar(&number(
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    ))
    .unwrap();
    assert_eq!(
        hex::encode(secret.public_key().bytes()),
        "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    );
    for (message, expected) in [
        (
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ] {
        let signature = secret.sign(message.as_bytes()).unwrap();
        assert_eq!(hex::encode(signature.0), expected);
        assert_eq!(
            Software.verify(&secret.public_key(), message.as_bytes(), &signature),
            Ok(())
        );
    }
}

#[test]
fn secret_scalars_out_of_range_are_refused() {
    for bad in [[0; 32], number(N), plus(number(N), 1), [0xff; 32]] {
        assert_eq!(
            SecretKey::from_scalar(&bad).err(),
            Some(SignatureError::Malformed)
        );
    }
    for good in [plus([0; 32], 1), plus(number(N), -1)] {
        let secret = SecretKey::from_scalar(&good).unwrap();
        assert_eq!(
            Software.verify(
                &secret.public_key(),
                MESSAGE,
                &secret.sign(MESSAGE).unwrap()
            ),
            Ok(())
        );
    }
}

#[test]
fn both_halves_of_s_are_accepted() {
    let (_, key, r, s) = sample();
    let other = bytes(&-scalar(s));
    assert_ne!(s, other);
    let half = number("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
    assert_ne!(s > half, other > half, "one of the two is high");
    assert_eq!(check_signature(key, &signature(r, s)), Ok(()));
    assert_eq!(check_signature(key, &signature(r, other)), Ok(()));
}

#[test]
fn r_and_s_out_of_range_are_malformed() {
    let (_, key, r, s) = sample();
    let n = number(N);
    for bad in [[0; 32], n, plus(n, 1), number(P), [0xff; 32]] {
        assert_eq!(
            check_signature(key, &signature(bad, s)),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            check_signature(key, &signature(r, bad)),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            check_signature(key, &signature(bad, bad)),
            Err(SignatureError::Malformed)
        );
    }
    // The ends of the range are numbers like others: well-formed, and wrong for this message.
    for edge in [plus([0; 32], 1), plus(n, -1)] {
        assert_eq!(
            check_signature(key, &signature(edge, s)),
            Err(SignatureError::Rejected)
        );
        assert_eq!(
            check_signature(key, &signature(r, edge)),
            Err(SignatureError::Rejected)
        );
        assert_eq!(
            check_signature(key, &signature(edge, edge)),
            Err(SignatureError::Rejected)
        );
    }
}

#[test]
fn every_s_of_the_edge_can_be_valid() {
    // d = (s k - z) / r makes any s a signature: so s = 1 and s = n - 1 must be accepted where the equation holds.
    let k = scalar([0x23; 32]);
    let point = encode(&(ProjectivePoint::GENERATOR * k));
    let r = scalar(point[..32].try_into().unwrap());
    for s in [Scalar::ONE, -Scalar::ONE] {
        let d = (s * k - digest_of_message()) * r.invert().unwrap();
        let key = encode(&(ProjectivePoint::GENERATOR * d));
        assert_eq!(
            check_signature(key, &signature(bytes(&r), bytes(&s))),
            Ok(())
        );
    }
}

#[test]
fn a_point_whose_x_is_not_below_n() {
    // R.x in [n, p) means r = R.x - n. Happens once in 2^128 signatures, so nobody tests it by chance.
    let (i, x, point) = (1..1000)
        .map(|i| (i, plus(number(N), i)))
        .find_map(|(i, x)| lift(x).map(|point| (i, x, point)))
        .unwrap();
    let r = scalar(plus([0; 32], i));
    let s = scalar([0x31; 32]);
    // Q = (s R - z G) / r
    let key = encode(
        &((point * s - ProjectivePoint::GENERATOR * digest_of_message()) * r.invert().unwrap()),
    );
    assert_eq!(
        check_signature(key, &signature(bytes(&r), bytes(&s))),
        Ok(())
    );
    assert_eq!(
        check_signature(key, &signature(x, bytes(&s))),
        Err(SignatureError::Malformed)
    );
}

#[test]
fn a_sum_that_is_a_doubling() {
    // d = z / r makes u1 G equal u2 Q: addition formulas that are not complete fail here.
    let k = scalar([0x29; 32]);
    let r = scalar(
        encode(&(ProjectivePoint::GENERATOR * k))[..32]
            .try_into()
            .unwrap(),
    );
    let z = digest_of_message();
    let s = z.double() * k.invert().unwrap();
    let key = encode(&(ProjectivePoint::GENERATOR * (z * r.invert().unwrap())));
    assert_eq!(
        check_signature(key, &signature(bytes(&r), bytes(&s))),
        Ok(())
    );
}

#[test]
fn a_sum_at_infinity_is_rejected() {
    // d = -z / r makes u1 G + u2 Q the point at infinity, which has no x.
    let z = digest_of_message();
    for r in [Scalar::ONE, scalar([0x37; 32]), -Scalar::ONE] {
        let key = encode(&(ProjectivePoint::GENERATOR * (-z * r.invert().unwrap())));
        for s in [Scalar::ONE, scalar([0x3b; 32]), -Scalar::ONE] {
            assert_eq!(
                check_signature(key, &signature(bytes(&r), bytes(&s))),
                Err(SignatureError::Rejected)
            );
        }
    }
}

#[test]
fn keys_off_the_curve_are_malformed() {
    let (_, key, r, s) = sample();
    let signature = signature(r, s);
    let x: [u8; 32] = key[..32].try_into().unwrap();
    let y: [u8; 32] = key[32..].try_into().unwrap();
    let join = |x: [u8; 32], y: [u8; 32]| -> [u8; 64] { [x, y].concat().try_into().unwrap() };

    // A small x of the curve, written as x + p: the same point to a careless reader.
    let (small, point) = (1..1000)
        .map(|i| (i, plus([0; 32], i)))
        .find_map(|(i, x)| lift(x).map(|point| (i, encode(&point))))
        .unwrap();
    assert_eq!(PublicKey::Es256(point).check(), Ok(()));
    let unreduced = join(plus(number(P), small), point[32..].try_into().unwrap());

    for bad in [
        [0; 64],
        [0xff; 64],
        join(x, plus(y, 1)),
        join(plus(x, 1), y),
        join(y, x),
        join(x, [0; 32]),
        join([0; 32], y),
        join(number(P), y),
        join(x, number(P)),
        unreduced,
    ] {
        assert_eq!(
            PublicKey::Es256(bad).check(),
            Err(SignatureError::Malformed)
        );
        assert_eq!(
            check_signature(bad, &signature),
            Err(SignatureError::Malformed)
        );
    }

    // The mirrored point is a key, of somebody else.
    let mirrored = encode(&-lift(x).unwrap());
    let mirrored = if mirrored == key {
        encode(&lift(x).unwrap())
    } else {
        mirrored
    };
    assert_eq!(PublicKey::Es256(mirrored).check(), Ok(()));
    assert_eq!(
        check_signature(mirrored, &signature),
        Err(SignatureError::Rejected)
    );
}

#[test]
fn a_secret_key_prints_only_its_public_half() {
    let (secret, ..) = sample();
    let text = format!("{secret:?}");
    assert!(text.contains("es256:"));
    assert!(!text.contains("17171717"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_signed_verifies_and_nothing_else(d in 1u64.., message in prop::collection::vec(any::<u8>(), 0..100), bit in 0usize..512) {
        let mut scalar = [0; 32];
        scalar[24..].copy_from_slice(&d.to_be_bytes());
        let secret = SecretKey::from_scalar(&scalar).unwrap();
        let signature = secret.sign(&message).unwrap();
        prop_assert_eq!(Software.verify(&secret.public_key(), &message, &signature), Ok(()));
        let mut bent = signature;
        bent.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Software.verify(&secret.public_key(), &message, &bent).is_err());
        let mut longer = message;
        longer.push(0);
        prop_assert_eq!(Software.verify(&secret.public_key(), &longer, &signature), Err(SignatureError::Rejected));
    }
}
