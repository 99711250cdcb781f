use super::*;
use crate::crypto::Software;
use crate::identity::cert::{self, Cti, Kind, Seconds};
use crate::identity::enrol;
use crate::identity::signer::{SignOp, SignerError};
use proptest::prelude::*;

const NONCE_1: [u8; 32] = [0x4e; 32];

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

fn id(seed: u8) -> Id {
    CoseKey::thumbprint(&secret(seed).public_key())
}

const STAGES: [Measurement<'static>; 2] = [
    Measurement {
        name: "bootloader",
        digest: &[0xb0; 32],
    },
    Measurement {
        name: "firmware",
        digest: &[0xf1; 32],
    },
];

fn evidence() -> Evidence<'static> {
    Evidence {
        oem: Some(Oem::Pen(32473)),
        model: b"acme-sensor-2",
        hardware_version: "1.3",
        secure_boot: Some(true),
        debug: Some(DebugState::DisabledPermanently),
        boot_count: Some(17),
        boot_seed: &[0x5e; 32],
        software_name: "sensor",
        software_version: "2.0.1",
        measurements: Measurements::of(&STAGES),
    }
}

fn claims() -> Claims<'static> {
    Claims {
        nonce: &NONCE_1,
        device: id(3),
        evidence: evidence(),
    }
}

fn made(claims: &Claims<'_>, seed: u8) -> Vec<u8> {
    let mut out = [0; MAX_ATTESTATION];
    let len = attest(claims, &secret(seed), &mut Software, &mut out).unwrap();
    out[..len].to_vec()
}

fn check(bytes: &[u8]) -> Result<(), AttestError> {
    let parsed = Attestation::parse(bytes)?;
    let key = secret(3).public_key();
    parsed
        .verify(&key, &id(3), &NONCE_1, &mut Software)
        .map(drop)
}

#[test]
fn what_was_said_is_read_again() {
    let bytes = made(&claims(), 3);
    let parsed = Attestation::parse(&bytes).unwrap();
    assert_eq!(*parsed.claims(), claims());
    assert_eq!(check(&bytes), Ok(()));
    let least = Claims {
        evidence: Evidence::default(),
        ..claims()
    };
    assert_eq!(
        *Attestation::parse(&made(&least, 3)).unwrap().claims(),
        least
    );
    let one = Claims {
        evidence: Evidence {
            measurements: Measurements::of(&STAGES[..1]),
            ..evidence()
        },
        ..claims()
    };
    assert_eq!(*Attestation::parse(&made(&one, 3)).unwrap().claims(), one);
}

#[test]
fn only_this_device_in_answer_to_this_nonce() {
    let bytes = made(&claims(), 3);
    let parsed = Attestation::parse(&bytes).unwrap();
    let ask = |key: u8, device: u8, nonce: &[u8]| {
        let key = secret(key).public_key();
        parsed.verify(&key, &id(device), nonce, &mut Software)
    };
    assert_eq!(ask(3, 3, &NONCE_1), Ok(evidence()));
    assert_eq!(ask(3, 3, &[0x4f; 32]), Err(AttestError::WrongNonce));
    assert_eq!(ask(3, 3, &NONCE_1[..31]), Err(AttestError::WrongNonce));
    assert_eq!(ask(3, 4, &NONCE_1), Err(AttestError::WrongDevice));
    assert_eq!(ask(4, 3, &NONCE_1), Err(AttestError::WrongSigner));
    // Another device's key over this device's id.
    let stolen = made(&claims(), 4);
    assert_eq!(check(&stolen), Err(AttestError::WrongSigner));
}

#[test]
fn no_bit_can_be_turned() {
    let bytes = made(&claims(), 3);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            assert!(check(&other).is_err(), "byte {at}, bit {bit}");
        }
    }
    for end in 0..bytes.len() {
        assert!(check(&bytes[..end]).is_err());
    }
    assert!(check(&[&bytes[..], &[0]].concat()).is_err());
    assert!(check(&[&[0xd2], &bytes[..]].concat()).is_err());
}

/// The payload as a stranger would write it, signed by this device.
fn forged(payload: &[u8], aad: &[u8]) -> Vec<u8> {
    let key = secret(3);
    let header = sign1::protected(&key.public_key());
    let (mut message, mut out) = ([0; 1024], [0; 1024]);
    let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &key.sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

fn payload(build: impl FnOnce(&mut Writer<'_>) -> Result<(), WireError>) -> Vec<u8> {
    let mut out = [0; 600];
    let mut w = Writer::new(&mut out);
    build(&mut w).unwrap();
    w.written().to_vec()
}

/// The three claims that must be there, and more behind the nonce, the ueid and the profile.
fn with(
    count: usize,
    profile: &str,
    more: impl FnOnce(&mut Writer<'_>) -> Result<(), WireError>,
) -> Vec<u8> {
    payload(|w| {
        w.map(count)?;
        w.int(claim::NONCE)?;
        w.bytes(&NONCE_1)?;
        w.int(claim::UEID)?;
        w.bytes(&[&[UEID_RAND], &id(3).0[..]].concat())?;
        w.int(claim::PROFILE)?;
        w.text(profile)?;
        more(w)
    })
}

#[test]
fn other_statements_are_no_attestation_and_an_attestation_is_none_of_them() {
    assert_eq!(check(&forged(&with(3, PROFILE, |_| Ok(())), &[])), Ok(()));
    // Signed for something else.
    let other = forged(&with(3, PROFILE, |_| Ok(())), &[0x81, 0x60]);
    let rejected = AttestError::Signature(SignatureError::Rejected);
    assert_eq!(check(&other), Err(rejected));
    let other = forged(&with(3, "iotedge:attest/2", |_| Ok(())), &[]);
    assert_eq!(check(&other), Err(AttestError::Profile));
    let none = payload(|w| {
        w.map(2)?;
        w.int(claim::NONCE)?;
        w.bytes(&NONCE_1)?;
        w.int(claim::UEID)?;
        w.bytes(&[&[UEID_RAND], &id(3).0[..]].concat())
    });
    assert_eq!(check(&forged(&none, &[])), Err(AttestError::Profile));
    let more = with(4, PROFILE, |w| {
        w.int(-70003)?;
        w.uint(0)
    });
    // Sorted bytewise a negative key is above all: it is read, and refused as unknown.
    assert_eq!(check(&forged(&more, &[])), Err(AttestError::Claim));

    let maker = secret(3);
    let certificate = cert::Claims {
        name: "Maker",
        expires: None,
        not_before: None,
        issued: Seconds(1),
        cti: Cti::new(&[1; 8]).unwrap(),
        key: secret(5).public_key(),
        kind: Kind::Device,
    };
    let mut out = [0; cert::MAX_CERTIFICATE];
    let len = cert::issue(&certificate, &maker, &mut out).unwrap();
    assert_eq!(check(&out[..len]), Err(AttestError::Claim));
    assert!(cert::Certificate::parse(&made(&claims(), 3)).is_err());
    let statement = enrol::statement(&maker.public_key(), &id(3)).unwrap();
    let mut eat = [0; MAX_ATTESTATION];
    let signature = maker.sign(statement.as_bytes());
    assert!(
        assemble(
            statement.as_bytes(),
            &maker.public_key(),
            &signature,
            &mut eat
        )
        .is_err()
    );
}

#[test]
fn claims_out_of_bounds_are_refused() {
    type Write = fn(&mut Writer<'_>) -> Result<(), WireError>;
    let cases: [(Write, AttestError); 9] = [
        (
            |w| {
                w.int(claim::SWNAME)?;
                w.text("")
            },
            AttestError::Text,
        ),
        (
            |w| {
                w.int(claim::SWNAME)?;
                w.text("a\nb")
            },
            AttestError::Text,
        ),
        (
            |w| {
                w.int(claim::SWNAME)?;
                w.text(&"n".repeat(33))
            },
            AttestError::Text,
        ),
        (
            |w| {
                w.int(claim::BOOTSEED)?;
                w.bytes(&[1; 31])
            },
            AttestError::Text,
        ),
        (
            |w| {
                w.int(claim::SWVERSION)?;
                w.text("1")
            },
            AttestError::Wire(WireError::Type),
        ),
        (
            |w| {
                w.int(claim::MEASUREMENTS)?;
                w.array(0)
            },
            AttestError::Wire(WireError::Range),
        ),
        (
            |w| {
                w.int(claim::MEASUREMENTS)?;
                w.array(1)?;
                w.array(2)?;
                w.uint(259)?;
                w.bytes(&[])
            },
            AttestError::Measurement,
        ),
        (
            |w| {
                w.int(claim::MEASUREMENTS)?;
                w.array(1)?;
                w.array(2)?;
                w.uint(258)?;
                w.bytes(&[0xa0])
            },
            AttestError::Measurement,
        ),
        (
            |w| {
                w.int(266)?;
                w.map(0)
            },
            AttestError::Claim,
        ),
    ];
    for (n, (write, expected)) in cases.into_iter().enumerate() {
        let bytes = forged(&with(4, PROFILE, write), &[]);
        assert_eq!(check(&bytes), Err(expected), "case {n}");
    }
    let sign =
        |claims: &Claims<'_>| signing_input(claims, &secret(3).public_key(), &mut [0; MAX_MESSAGE]);
    for id in [&[1; 4][..], &[]] {
        let evidence = Evidence {
            oem: Some(Oem::Id(id)),
            ..evidence()
        };
        let claims = Claims {
            evidence,
            ..claims()
        };
        assert_eq!(sign(&claims), Err(AttestError::Claim));
    }
    let short = Claims {
        nonce: &[1; 7],
        ..claims()
    };
    assert_eq!(sign(&short), Err(AttestError::NonceLength));
    let twice = [STAGES[0], STAGES[0]];
    let nine = [STAGES[0]; 9];
    let odd = [Measurement {
        name: "x",
        digest: &[1; 20],
    }];
    for wrong in [&twice[..], &nine, &odd] {
        let evidence = Evidence {
            measurements: Measurements::of(wrong),
            ..evidence()
        };
        assert_eq!(
            sign(&Claims {
                evidence,
                ..claims()
            }),
            Err(AttestError::Measurement)
        );
    }
    // Each allowed, too much in all: told, not cut.
    let names: Vec<String> = (0..8).map(|n| format!("{n}").repeat(32)).collect();
    let many: Vec<Measurement<'_>> = names
        .iter()
        .map(|name| Measurement {
            name,
            digest: &[7; 64],
        })
        .collect();
    let evidence = Evidence {
        measurements: Measurements::of(&many),
        ..evidence()
    };
    assert_eq!(
        sign(&Claims {
            evidence,
            ..claims()
        }),
        Err(AttestError::Wire(WireError::Full))
    );
}

#[test]
fn a_challenge_is_for_one_device_of_one_neighbourhood() {
    let here = secret(1).public_key();
    let nonce = challenge_nonce(&here, &id(3), &[9; CHALLENGE]);
    assert_ne!(
        nonce,
        challenge_nonce(&secret(2).public_key(), &id(3), &[9; CHALLENGE])
    );
    assert_ne!(nonce, challenge_nonce(&here, &id(4), &[9; CHALLENGE]));
    assert_ne!(nonce, challenge_nonce(&here, &id(3), &[8; CHALLENGE]));
}

/// The key is in an element: the same bytes, and a wrong answer makes no attestation.
#[test]
fn an_element_signs_it_in_its_own_time() {
    let key = secret(3).public_key();
    let mut message = [0; MAX_MESSAGE];
    let len = signing_input(&claims(), &key, &mut message).unwrap();
    let mut op = SignOp::begin(&message[..len]).unwrap();
    let good = secret(3).sign(op.input().unwrap());
    op.output(good).unwrap();
    let signature = op.finish(&key, &mut Software).unwrap();
    let mut out = [0; MAX_ATTESTATION];
    let len = assemble(op.message(), &key, &signature, &mut out).unwrap();
    assert_eq!(out[..len], made(&claims(), 3));
    let mut place = [0; MAX_ATTESTATION];
    let message_len = op.message().len();
    place[..message_len].copy_from_slice(op.message());
    assert_eq!(len_of(message_len), len);
    let in_place = assemble_in_place(&mut place, message_len, &signature).unwrap();
    assert_eq!(place[..in_place], out[..len]);
    let mut op = SignOp::begin(op.message()).unwrap();
    op.input().unwrap();
    let mut bad = good;
    bad.0[40] ^= 4;
    op.output(bad).unwrap();
    let wrong = Err(SignerError::WrongSignature(SignatureError::Rejected));
    assert_eq!(op.finish(&key, &mut Software), wrong);
    assert!(assemble(&message[..12], &key, &good, &mut out).is_err());
}

fn word() -> impl Strategy<Value = String> {
    "[ -~]{1,32}"
}

fn digest() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 32),
        prop::collection::vec(any::<u8>(), 48),
        prop::collection::vec(any::<u8>(), 64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn writing_and_reading_are_inverse(
        nonce in prop::collection::vec(any::<u8>(), NONCE),
        device in any::<[u8; 32]>(),
        model in prop::collection::vec(any::<u8>(), 0..=32),
        words in prop::option::of((word(), word(), word())),
        secure_boot in any::<Option<bool>>(),
        debug in prop::option::of(0u64..5),
        boot_count in any::<Option<u64>>(),
        oem in prop_oneof![
            Just((None, vec![])),
            any::<u32>().prop_map(|n| (Some(n), vec![])),
            prop::collection::vec(any::<u8>(), 3).prop_map(|id| (None, id)),
            prop::collection::vec(any::<u8>(), 16).prop_map(|id| (None, id)),
        ],
        stages in prop::collection::btree_map("[!-~]{1,30}", digest(), 0..5),
    ) {
        let (a, b, c) = words.unwrap_or_default();
        let list: Vec<Measurement<'_>> =
            stages.iter().map(|(name, digest)| Measurement { name, digest }).collect();
        let said = Claims {
            nonce: &nonce,
            device: Id(device),
            evidence: Evidence {
                oem: match (oem.0, oem.1.as_slice()) {
                    (Some(number), _) => Some(Oem::Pen(number)),
                    (None, []) => None,
                    (None, id) => Some(Oem::Id(id)),
                },
                model: &model,
                hardware_version: &a,
                secure_boot,
                debug: debug.and_then(DebugState::from_code),
                boot_count,
                boot_seed: &[],
                software_name: &b,
                software_version: &c,
                measurements: Measurements::of(&list),
            },
        };
        let mut message = [0; MAX_MESSAGE];
        match signing_input(&said, &secret(3).public_key(), &mut message) {
            // Too much in all: 4 of SHA-512 with long names.
            Err(error) => prop_assert_eq!(error, AttestError::Wire(WireError::Full)),
            Ok(_) => {
                let bytes = made(&said, 3);
                let mut place = [0; MAX_ATTESTATION];
                let len = signing_input(&said, &secret(3).public_key(), &mut place).unwrap();
                let signature = secret(3).sign(&place[..len]);
                let count = assemble_in_place(&mut place, len, &signature).unwrap();
                prop_assert_eq!((&place[..count], count), (&bytes[..], len_of(len)));
                let parsed = Attestation::parse(&bytes).unwrap();
                prop_assert_eq!(parsed.claims(), &said);
                // One encoding: what was read is written alike.
                prop_assert_eq!(made(parsed.claims(), 3), bytes);
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Claims::read(&bytes);
        let _ = Measurements::read(&bytes);
        let _ = Attestation::parse(&bytes);
    }
}
