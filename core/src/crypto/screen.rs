//! What of the rule (docs/decisions/0002) libraries and hardware disagree about, checked apart: for verifiers that leave it out or do it otherwise.
//!
//! Invariant: what passes [`screen`] and fulfils the equation, with or without the cofactor, is accepted by [`super::Software`]. The converse holds only with the
//! cofactor: a refusal by an equation without it is not a verdict yet.

use super::{PublicKey, Signature, SignatureError};

/// Whether key and signature have the form that the rule asks for: a key that can be one ([`PublicKey::check`]), numbers in range, an R that is canonical and not of
/// small order. It costs the square root of the key's decoding, about a tenth of a whole check. Whether an Ed25519 signature's R is on the curve is not
/// looked at: one that is not equals nothing that an equation gives.
///
/// # Errors
/// [`SignatureError::Malformed`], [`SignatureError::Suite`]: refuse it, whatever an equation says.
pub fn screen(key: &PublicKey, signature: &Signature) -> Result<(), SignatureError> {
    key.check()?;
    in_form(key, signature)
}

/// [`screen`] without the key, which costs nothing: for a second look.
///
/// # Errors
/// [`SignatureError::Malformed`].
pub fn in_form(key: &PublicKey, signature: &Signature) -> Result<(), SignatureError> {
    let (Some(first), Some(second)) = (
        signature.0.first_chunk::<32>(),
        signature.0.last_chunk::<32>(),
    ) else {
        return Err(SignatureError::Malformed);
    };
    let fits = match key {
        PublicKey::Ed25519(_) => below(second, &L) && is_admissible(first),
        PublicKey::Es256(_) => [first, second]
            .into_iter()
            .all(|number| number != &[0; 32] && number < &N),
    };
    match fits {
        true => Ok(()),
        false => Err(SignatureError::Malformed),
    }
}

/// The order of P-256, big-endian.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of the prime subgroup, 2^252 + 27742317777372353535851937790883648493, little-endian.
pub(super) const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The prime of the field, 2^255 - 19, little-endian.
const P: [u8; 32] = [
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
];

/// The y of the points whose order divides 8, little-endian: order 1, 2, 4, and the four points of order 8 in two pairs. The sign
/// bit chooses within a pair, or makes a non-canonical encoding where x = 0; both are refused.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = P;
        minus_one[0] = 0xec;
        minus_one
    },
    [0; 32],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Whether an encoding has y < p and is none of a point of small order. Whether it is a point at all is found when it is decoded.
pub(super) fn is_admissible(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(top) = y.last_mut() {
        *top &= 0x7f;
    }
    below(&y, &P) && !SMALL_ORDER_Y.contains(&y)
}

/// a < b, both little-endian. Signatures and keys are public, so time may depend on them.
pub(super) fn below(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Software, Verify};
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        key: String,
        message: String,
        signature: String,
        valid: bool,
    }

    fn cases(text: &str) -> Vec<Case> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn all_that_is_valid_passes_and_of_the_rest_only_what_an_equation_refuses() {
        let (mut passed, mut held) = (0, 0);
        for case in cases(include_str!("../../../vectors/ed25519.json")) {
            let bytes = |text: &str| hex::decode(text).unwrap();
            let (Ok(key), Ok(signature)) = (
                bytes(&case.key).try_into(),
                bytes(&case.signature).try_into(),
            ) else {
                continue;
            };
            let (key, signature) = (PublicKey::Ed25519(key), Signature(signature));
            let software = Software.verify(&key, &bytes(&case.message), &signature);
            assert_eq!(software.is_ok(), case.valid, "{}", case.name);
            match screen(&key, &signature) {
                Ok(()) => passed += usize::from(!case.valid),
                Err(error) => {
                    assert_eq!(software, Err(error), "{}", case.name);
                    held += 1;
                }
            }
        }
        assert!(passed > 20 && held > 200, "{passed} passed, {held} held");
    }

    #[cfg(feature = "es256")]
    #[test]
    fn numbers_of_p256_are_in_range() {
        use crate::crypto::es256::SecretKey;
        let secret = SecretKey::from_scalar(&[7; 32]).unwrap();
        let good = secret.sign(b"m").unwrap();
        assert_eq!(screen(&secret.public_key(), &good), Ok(()));
        let mut below_n = N;
        below_n[31] -= 1;
        for (number, fits) in [
            ([0; 32], false),
            (N, false),
            ([0xff; 32], false),
            (below_n, true),
        ] {
            for at in [0, 32] {
                let mut bent = good;
                bent.0[at..at + 32].copy_from_slice(&number);
                assert_eq!(screen(&secret.public_key(), &bent).is_ok(), fits);
                assert!(Software.verify(&secret.public_key(), b"m", &bent).is_err());
            }
        }
        assert!(screen(&PublicKey::Es256([1; 64]), &good).is_err());
    }

    #[cfg(feature = "batch")]
    #[test]
    fn the_small_order_list_is_the_whole_torsion_group() {
        use curve25519_dalek::constants::EIGHT_TORSION;
        let mut seen = [0; SMALL_ORDER_Y.len()];
        for point in EIGHT_TORSION {
            let mut y = point.compress().0;
            assert!(!is_admissible(&y));
            y[31] &= 0x7f;
            seen[SMALL_ORDER_Y.iter().position(|entry| *entry == y).unwrap()] += 1;
        }
        assert_eq!(seen, [1, 1, 2, 2, 2]);
    }

    #[cfg(feature = "batch")]
    #[test]
    fn the_edges_of_the_field_and_of_the_order() {
        let minus_one = |mut number: [u8; 32]| {
            number[0] -= 1;
            number
        };
        assert!(below(&minus_one(L), &L) && !below(&L, &L));
        assert!(below(&minus_one(P), &P) && !below(&P, &P));
        assert_eq!(
            curve25519_dalek::Scalar::from_canonical_bytes(L)
                .is_some()
                .unwrap_u8(),
            0
        );
        assert_eq!(
            curve25519_dalek::Scalar::from_canonical_bytes(minus_one(L))
                .is_some()
                .unwrap_u8(),
            1
        );
    }
}
