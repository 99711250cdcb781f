use super::*;
use crate::crypto::Software;

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

fn claims(seed: u8, kind: Kind) -> Claims<'static> {
    Claims {
        name: "Maker",
        expires: Some(Seconds(2_000)),
        not_before: Some(Seconds(1_000)),
        issued: Seconds(900),
        cti: Cti::new(&[seed; 8]).unwrap(),
        key: secret(seed).public_key(),
        kind,
    }
}

fn issued(claims: &Claims<'_>, by: u8) -> Vec<u8> {
    let mut out = [0; MAX_CERTIFICATE];
    let len = issue(claims, &secret(by), &mut out).unwrap();
    out[..len].to_vec()
}

const NOW: Seconds = Seconds(1_500);
const ROOT: u8 = 1;
const AUTHORITY: u8 = 2;
const DEVICE: u8 = 3;

fn check(chain: &[Vec<u8>], expected: Kind) -> Result<Verified, CertError> {
    check_at(chain, expected, NOW, |_, _| false)
}

fn check_at(
    chain: &[Vec<u8>],
    expected: Kind,
    now: Seconds,
    revoked: impl Fn(&PublicKey, &[u8]) -> bool,
) -> Result<Verified, CertError> {
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let anchors = [secret(9).public_key(), secret(ROOT).public_key()];
    verify_chain(&chain, &anchors, now, expected, revoked, &mut Software)
}

fn two() -> Vec<Vec<u8>> {
    vec![
        issued(&claims(AUTHORITY, Kind::Authority), ROOT),
        issued(&claims(DEVICE, Kind::Device), AUTHORITY),
    ]
}

#[test]
fn one_and_two_links_verify() {
    let one = check(&[issued(&claims(DEVICE, Kind::Device), ROOT)], Kind::Device).unwrap();
    assert_eq!(one.key, secret(DEVICE).public_key());
    assert_eq!(one.device.0, CoseKey::thumbprint(&one.key));
    assert_eq!(one.anchor, secret(ROOT).public_key());
    assert_eq!(one.cti.as_bytes(), [DEVICE; 8]);
    assert_eq!(check(&two(), Kind::Device), Ok(one));
    for kind in [Kind::Authority, Kind::GlNode, Kind::Validator] {
        assert_eq!(
            check(&[issued(&claims(DEVICE, kind), ROOT)], kind)
                .unwrap()
                .kind,
            kind
        );
    }
    let forever = Claims {
        expires: None,
        not_before: None,
        ..claims(DEVICE, Kind::Device)
    };
    let bytes = issued(&forever, ROOT);
    assert_eq!(Certificate::parse(&bytes).unwrap().claims(), &forever);
    assert!(check_at(&[bytes], Kind::Device, Seconds(u64::MAX), |_, _| false).is_ok());
}

#[test]
fn the_chain_has_its_rules() {
    let device = || issued(&claims(DEVICE, Kind::Device), AUTHORITY);
    let authority = |c: &Claims<'_>| issued(c, ROOT);
    let a = claims(AUTHORITY, Kind::Authority);
    assert_eq!(check(&[], Kind::Device), Err(CertError::ChainLength));
    let three = vec![authority(&a), authority(&a), device()];
    assert_eq!(check(&three, Kind::Device), Err(CertError::ChainLength));
    assert_eq!(
        check(&[device()], Kind::Device),
        Err(CertError::UnknownAuthority)
    );
    let not = Claims {
        kind: Kind::GlNode,
        ..a
    };
    assert_eq!(
        check(&[authority(&not), device()], Kind::Device),
        Err(CertError::NotAnAuthority)
    );
    let stranger = issued(&claims(DEVICE, Kind::Device), 7);
    assert_eq!(
        check(&[authority(&a), stranger], Kind::Device),
        Err(CertError::WrongSigner)
    );
    for kind in [Kind::Authority, Kind::GlNode, Kind::Validator] {
        let chain = [authority(&a), issued(&claims(DEVICE, kind), AUTHORITY)];
        assert_eq!(check(&chain, kind), Err(CertError::NotItsToSign));
    }
    let shorter = Claims {
        expires: Some(Seconds(1_999)),
        ..a
    };
    assert_eq!(
        check(&[authority(&shorter), device()], Kind::Device),
        Err(CertError::Outlives)
    );
    let endless = issued(
        &Claims {
            expires: None,
            ..claims(DEVICE, Kind::Device)
        },
        AUTHORITY,
    );
    assert_eq!(
        check(&[authority(&a), endless], Kind::Device),
        Err(CertError::Outlives)
    );
    assert_eq!(check(&two(), Kind::GlNode), Err(CertError::WrongKind));
}

#[test]
fn times_and_revocation_hold_for_every_link() {
    let never = |_: &PublicKey, _: &[u8]| false;
    assert_eq!(
        check_at(&two(), Kind::Device, Seconds(999), never),
        Err(CertError::NotYetValid)
    );
    assert!(check_at(&two(), Kind::Device, Seconds(1_000), never).is_ok());
    assert!(check_at(&two(), Kind::Device, Seconds(1_999), never).is_ok());
    assert_eq!(
        check_at(&two(), Kind::Device, Seconds(2_000), never),
        Err(CertError::Expired)
    );
    let early = Claims {
        expires: Some(Seconds(1_400)),
        ..claims(DEVICE, Kind::Device)
    };
    let chain = [two().remove(0), issued(&early, AUTHORITY)];
    assert_eq!(check(&chain, Kind::Device), Err(CertError::Expired));
    for (signer, cti) in [(ROOT, AUTHORITY), (AUTHORITY, DEVICE)] {
        let signer = secret(signer).public_key();
        let revoked = |key: &PublicKey, id: &[u8]| *key == signer && id == [cti; 8];
        assert_eq!(
            check_at(&two(), Kind::Device, NOW, revoked),
            Err(CertError::Revoked)
        );
    }
    // The same id by another authority is another certificate.
    let other = |key: &PublicKey, id: &[u8]| *key == secret(9).public_key() && id == [DEVICE; 8];
    assert!(check_at(&two(), Kind::Device, NOW, other).is_ok());
}

#[test]
fn claims_are_checked_when_issued_and_when_read() {
    let good = claims(DEVICE, Kind::Device);
    let long = "a name of more than thirty-two by";
    assert_eq!(long.len(), MAX_NAME + 1);
    let mut small = [0; 32];
    small[0] = 1;
    for (bad, error) in [
        (Claims { name: "", ..good }, CertError::Name),
        (Claims { name: long, ..good }, CertError::Name),
        (
            Claims {
                expires: Some(Seconds(1_000)),
                ..good
            },
            CertError::NeverValid,
        ),
        (
            Claims {
                key: PublicKey::Ed25519(small),
                ..good
            },
            CertError::Key(SignatureError::Malformed),
        ),
    ] {
        assert_eq!(
            issue(&bad, &secret(ROOT), &mut [0; MAX_CERTIFICATE]),
            Err(error)
        );
    }
    assert_eq!(Cti::new(&[0; 7]), Err(CertError::Cti));
    assert_eq!(Cti::new(&[0; 17]), Err(CertError::Cti));
}

/// Signs claims that `issue` would refuse.
fn forged(payload: &[u8]) -> Vec<u8> {
    let key = secret(ROOT);
    let header = sign1::protected(&key.public_key());
    let (mut message, mut out) = ([0; 400], [0; 400]);
    let message = sign1::to_be_signed(&header, &[], payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &key.sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn every_wrong_claim_has_its_error() {
    let bytes = issued(&claims(DEVICE, Kind::Device), ROOT);
    let payload = Sign1::parse(&bytes).unwrap().payload.to_vec();
    let error = |payload: &[u8]| Certificate::parse(&forged(payload)).err();
    assert_eq!(error(&payload), None);
    // map(7): iss 0x01 65 "Maker", exp 04 19.., nbf 05 19.., iat 06 19.., cti 07 48.., cnf 08 a1 01 .., kind 3a00011172 00
    assert_eq!(payload[..3], [0xa7, 0x01, 0x65]);
    let mut empty = payload.clone();
    empty.splice(2..8, [0x60]);
    assert_eq!(error(&empty), Some(CertError::Name));
    let mut kind = payload.clone();
    *kind.last_mut().unwrap() = 5;
    assert_eq!(error(&kind), Some(CertError::Kind));
    let mut unknown = payload.clone();
    let at = unknown.len() - 2;
    assert_eq!(unknown[at], 0x72);
    unknown[at] = 0x73;
    assert_eq!(error(&unknown), Some(CertError::Claim));
    let mut missing = payload.clone();
    missing[0] = 0xa6;
    missing.truncate(missing.len() - 6);
    assert_eq!(error(&missing), Some(CertError::Claim));
    let mut order = payload.clone();
    order.swap(8, 12);
    assert_eq!(
        error(&order),
        Some(CertError::Wire(WireError::NotDeterministic))
    );
    let cti = payload.windows(2).position(|w| w == [0x07, 0x48]).unwrap();
    let mut short = payload.clone();
    short[cti + 1] = 0x47;
    short.remove(cti + 2);
    assert_eq!(error(&short), Some(CertError::Cti));
    let mut confirmation = payload.clone();
    let cnf = payload
        .windows(3)
        .position(|w| w == [0x08, 0xa1, 0x01])
        .unwrap();
    confirmation[cnf + 2] = 0x03;
    assert_eq!(error(&confirmation), Some(CertError::Claim));
    let mut float = payload.clone();
    float.splice(9..12, [0xf9, 0x00, 0x00]);
    assert_eq!(error(&float), Some(CertError::Wire(WireError::Type)));
}

#[test]
fn no_bit_can_be_turned() {
    let bytes = issued(&claims(DEVICE, Kind::Device), ROOT);
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(check(&[bad], Kind::Device).is_err(), "byte {at}");
        assert!(Certificate::parse(&bytes[..at]).is_err(), "prefix {at}");
    }
}

#[test]
fn the_longest_certificate_fits() {
    let long = Claims {
        name: "a name of exactly thirty-two byt",
        expires: Some(Seconds(u64::MAX)),
        not_before: Some(Seconds(u64::MAX - 1)),
        issued: Seconds(u64::MAX),
        cti: Cti::new(&[1; 16]).unwrap(),
        ..claims(DEVICE, Kind::Device)
    };
    let bytes = issued(&long, ROOT);
    // A P-256 key takes 35 bytes more in the claims; the longest of both must leave room for it.
    assert!(bytes.len() + 35 <= MAX_CERTIFICATE, "{}", bytes.len());
    assert!(Sign1::parse(&bytes).unwrap().payload.len() + 35 <= MAX_CLAIMS);
}
