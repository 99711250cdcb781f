//! The known answers that an accelerator must give before it is used. The software gives the same: a test computes them anew.
//!
//! Invariant: all of these pass the screen, so each is a question that the engine will be asked in earnest, and with and without the cofactor there is one answer to it.

use super::CVerifier;
use super::{IOTEDGE_ACCELERATOR_INVALID as INVALID, IOTEDGE_ACCELERATOR_VALID as VALID};
use crate::attest::IOTEDGE_MAX_SIGN_INPUT;
use crate::raw::Call;
use crate::selftest::pattern;
use crate::status;
use iotedge_core::crypto::{PublicKey, Signature};

/// Two true signatures by one key, over [`SHORT`] and over [`LONG`] bytes of a pattern.
struct Known {
    key: PublicKey,
    other: PublicKey,
    short: [u8; 64],
    long: [u8; 64],
    /// Bits that make a wrong signature of the short one that still passes the screen.
    bits: [usize; 6],
}
const SHORT: usize = 33;
const LONG: usize = IOTEDGE_MAX_SIGN_INPUT;
const SEED: u8 = 0x4d;

/// # Errors
/// What the engine does wrong.
#[inline(never)]
pub(super) fn answers(engine: &CVerifier) -> Call<()> {
    asked(engine, &ED25519)?;
    #[cfg(feature = "es256")]
    asked(engine, &ES256)?;
    Ok(())
}

/// One question: whether it is answered, and answered right.
fn ask(
    engine: &CVerifier,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8; 64],
    expected: u32,
) -> Call<()> {
    match engine.answer(key, message, &Signature(*signature)) {
        // Not for this suite.
        None => Ok(()),
        Some(answer) if answer == expected => Ok(()),
        Some(VALID) => Err(status::IOTEDGE_E_ACCELERATOR_ACCEPTS),
        Some(INVALID) => Err(status::IOTEDGE_E_ACCELERATOR_REFUSES),
        Some(_) => Err(status::IOTEDGE_E_ACCELERATOR_FAILED),
    }
}

fn asked(engine: &CVerifier, known: &Known) -> Call<()> {
    let mut message = [0u8; LONG];
    for (at, byte) in message.iter_mut().enumerate() {
        *byte = pattern(SEED, at);
    }
    let short = message.first_chunk::<SHORT>().copied();
    let short = short.ok_or(status::IOTEDGE_E_INTERNAL)?;
    ask(engine, &known.key, &short, &known.short, VALID)?;
    ask(engine, &known.key, &message, &known.long, VALID)?;
    ask(engine, &known.other, &short, &known.short, INVALID)?;
    for at in [0, LONG / 2, LONG.saturating_sub(1)] {
        turn(&mut message, at.saturating_mul(8));
        ask(engine, &known.key, &message, &known.long, INVALID)?;
        turn(&mut message, at.saturating_mul(8));
    }
    let shorter = message.split_last().map_or(&[][..], |(_, rest)| rest);
    ask(engine, &known.key, shorter, &known.long, INVALID)?;
    for bit in known.bits {
        let mut bent = known.short;
        turn(&mut bent, bit);
        ask(engine, &known.key, &short, &bent, INVALID)?;
    }
    // And it has not got stuck there.
    ask(engine, &known.key, &short, &known.short, VALID)
}

fn turn(bytes: &mut [u8], bit: usize) {
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}

const ED25519: Known = Known {
    key: PublicKey::Ed25519([
        0x62, 0xa6, 0x11, 0xb4, 0x72, 0xd8, 0x9b, 0x0e, 0x5f, 0xc9, 0x3c, 0x06, 0x9b, 0x9f, 0x70,
        0x0b, 0x4c, 0x55, 0x2d, 0x55, 0xbc, 0x0e, 0x87, 0xb5, 0x60, 0x08, 0xef, 0x17, 0xb6, 0xb2,
        0xbe, 0xbe,
    ]),
    other: PublicKey::Ed25519([
        0x8e, 0x48, 0x6e, 0x8f, 0xb7, 0x94, 0x99, 0xdb, 0xa2, 0xa7, 0x89, 0xc6, 0xb1, 0x63, 0x9d,
        0x40, 0x94, 0x95, 0x23, 0x3c, 0x79, 0xe0, 0xea, 0xf5, 0x2e, 0x2e, 0xa1, 0xfc, 0x9d, 0xbb,
        0xb7, 0x3f,
    ]),
    short: [
        0x87, 0x46, 0xf4, 0x6a, 0x1e, 0x3f, 0x77, 0xb4, 0x9c, 0x0a, 0xcd, 0xff, 0x2e, 0x90, 0x89,
        0x6e, 0x2c, 0x17, 0xd8, 0x34, 0xb9, 0x93, 0x68, 0x47, 0xcd, 0xba, 0x26, 0xce, 0xf4, 0x90,
        0xb4, 0x42, 0x05, 0x9b, 0xc3, 0xce, 0x50, 0x40, 0x47, 0xbb, 0x26, 0xf8, 0x6a, 0x62, 0x3d,
        0x07, 0x33, 0x20, 0x64, 0x75, 0xe3, 0x50, 0xed, 0x8f, 0x27, 0x6a, 0x4c, 0x48, 0xdb, 0xe1,
        0x6a, 0xf3, 0x09, 0x0a,
    ],
    long: [
        0xce, 0xee, 0xeb, 0x95, 0xb0, 0xc2, 0x09, 0x49, 0x37, 0xd3, 0x11, 0x16, 0x3e, 0xbb, 0x91,
        0x5a, 0x81, 0xd7, 0x67, 0xcd, 0x5b, 0x52, 0xaf, 0x92, 0xd5, 0x0f, 0x6e, 0xc7, 0x6b, 0x57,
        0x73, 0xb3, 0xb4, 0x4f, 0xc2, 0xbd, 0x57, 0x14, 0x95, 0x12, 0xd8, 0x9a, 0x8b, 0xf1, 0xcd,
        0x9d, 0xab, 0xfa, 0xe8, 0xe1, 0xbb, 0x79, 0xdb, 0xfa, 0x60, 0x82, 0xce, 0x5d, 0xcb, 0x27,
        0x77, 0x4a, 0xba, 0x0f,
    ],
    bits: [0, 129, 255, 256, 384, 500],
};

#[cfg(feature = "es256")]
const ES256: Known = Known {
    key: PublicKey::Es256([
        0x66, 0x5f, 0xb8, 0xab, 0x47, 0xc8, 0xde, 0x4a, 0xbc, 0x6f, 0xa3, 0x1f, 0x88, 0x93, 0x7d,
        0x99, 0x59, 0xf8, 0x6e, 0x33, 0x96, 0xa5, 0x79, 0xdb, 0xe1, 0xac, 0xa6, 0x0b, 0x06, 0xbd,
        0x83, 0x36, 0xad, 0xc9, 0xcd, 0x1c, 0xee, 0x68, 0x31, 0xc7, 0x5c, 0x02, 0x69, 0x9c, 0xa8,
        0x98, 0x60, 0xf7, 0xac, 0xac, 0x69, 0xff, 0xd0, 0x03, 0xc4, 0x96, 0xc8, 0x68, 0xe2, 0xba,
        0xed, 0x49, 0x13, 0x0e,
    ]),
    other: PublicKey::Es256([
        0x43, 0xed, 0x99, 0xd5, 0xb8, 0x36, 0x27, 0x91, 0xe0, 0x6d, 0x88, 0xc7, 0x68, 0xa7, 0x10,
        0x3f, 0xea, 0x80, 0x23, 0x0c, 0x05, 0x02, 0xaa, 0x2d, 0x85, 0x04, 0xcd, 0x13, 0xbf, 0xcb,
        0x62, 0x25, 0x12, 0x64, 0x55, 0x45, 0x65, 0xd8, 0xf5, 0x98, 0x9e, 0xc6, 0xee, 0xf3, 0xb8,
        0xe4, 0xa9, 0x67, 0x69, 0x45, 0x98, 0xee, 0x24, 0x33, 0x42, 0xe5, 0xd7, 0xe7, 0x57, 0xf9,
        0xf3, 0x31, 0x62, 0xf3,
    ]),
    short: [
        0x4f, 0x18, 0x25, 0xb5, 0x85, 0x7d, 0x13, 0xfa, 0x8f, 0xca, 0xd2, 0xe6, 0x22, 0xfe, 0xb4,
        0x08, 0xf7, 0xea, 0x61, 0x98, 0x38, 0xdd, 0x10, 0x30, 0xcb, 0x24, 0xc7, 0xff, 0x45, 0x79,
        0x75, 0x67, 0x30, 0x7e, 0x22, 0xa0, 0x12, 0xe8, 0x64, 0x5a, 0x4e, 0x7e, 0xbc, 0xf9, 0x9f,
        0x11, 0x90, 0x25, 0x92, 0xc1, 0xa7, 0xc8, 0x4c, 0x3a, 0x03, 0x4f, 0xa1, 0x79, 0x6b, 0x03,
        0xe0, 0x3e, 0x86, 0x83,
    ],
    long: [
        0x5a, 0x6b, 0x04, 0x6a, 0xa0, 0xfc, 0xae, 0x5c, 0xa0, 0x47, 0x38, 0xbd, 0x3b, 0xea, 0x7f,
        0x66, 0x99, 0x96, 0x41, 0x15, 0x3a, 0xfc, 0x22, 0x13, 0xdb, 0x24, 0xa9, 0x4a, 0xe4, 0x8a,
        0x77, 0x99, 0x9d, 0xdd, 0x62, 0x1c, 0xc4, 0x78, 0x28, 0x47, 0x57, 0x46, 0xd2, 0x32, 0xd8,
        0x07, 0x55, 0x70, 0x54, 0xe3, 0xa0, 0x9d, 0xa2, 0xb0, 0xe1, 0xdc, 0x85, 0x14, 0xc0, 0x76,
        0xf9, 0x29, 0x38, 0x69,
    ],
    bits: [0, 128, 255, 256, 384, 500],
};

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::crypto::{SecretKey, Software, Verify, screen};

    fn message(len: usize) -> Vec<u8> {
        (0..len).map(|at| pattern(SEED, at)).collect()
    }

    /// Three bits of R (or r) and three of S (or s), each at another end, that leave something to compute.
    fn bits(key: &PublicKey, short: &[u8; 64]) -> Vec<usize> {
        let ends = [
            (0..128),
            (128..255),
            (255..256),
            (256..384),
            (384..500),
            (500..512),
        ];
        let fits = |bit: &usize| {
            let mut bent = *short;
            turn(&mut bent, *bit);
            let point = match key {
                PublicKey::Ed25519(_) => PublicKey::Ed25519(bent[..32].try_into().unwrap()),
                PublicKey::Es256(_) => *key,
            };
            screen(key, &Signature(bent)).is_ok() && point.check().is_ok()
        };
        ends.map(|mut end| end.find(fits).unwrap()).to_vec()
    }

    fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn same(known: &Known, key: PublicKey, other: PublicKey, short: Signature, long: Signature) {
        let made = [key.bytes(), other.bytes(), &short.0, &long.0].map(text);
        let kept = [
            known.key.bytes(),
            known.other.bytes(),
            &known.short,
            &known.long,
        ]
        .map(text);
        assert_eq!(kept, made);
        assert_eq!(known.bits.to_vec(), bits(&key, &known.short));
        for (len, signature) in [(SHORT, short), (LONG, long)] {
            assert_eq!(screen(&key, &signature), Ok(()));
            assert_eq!(Software.verify(&key, &message(len), &signature), Ok(()));
        }
        for bit in known.bits {
            let mut bent = short;
            turn(&mut bent.0, bit);
            assert!(Software.verify(&key, &message(SHORT), &bent).is_err());
        }
    }

    #[test]
    fn the_software_gives_the_known_answers() {
        let [one, two] = [SEED, 0x4e].map(|seed| SecretKey::from_seed(&[seed; 32]).unwrap());
        let [short, long] = [SHORT, LONG].map(|len| one.sign(&message(len)));
        same(&ED25519, one.public_key(), two.public_key(), short, long);
    }

    #[cfg(feature = "es256")]
    #[test]
    fn the_software_gives_the_known_answers_of_es256() {
        use iotedge_core::crypto::es256::SecretKey;
        let [one, two] = [SEED, 0x4e].map(|seed| SecretKey::from_scalar(&[seed; 32]).unwrap());
        let [short, long] = [SHORT, LONG].map(|len| one.sign(&message(len)).unwrap());
        same(&ES256, one.public_key(), two.public_key(), short, long);
    }
}
