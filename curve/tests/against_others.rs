//! The crate against the ledger's vectors, the RFCs' own, and other implementations.

use iotedge_curve::ed25519::{SecretKey, check, verify};
use iotedge_curve::x25519::{BASE, x25519};
use proptest::prelude::*;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// `vectors/ed25519.json`: 836 signatures in 23 classes (docs/decisions/0002).
#[test]
fn it_accepts_what_the_ledger_accepts_and_nothing_else() {
    let text = std::fs::read_to_string("../vectors/ed25519.json").unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 836);
    for case in &cases {
        let field = |name: &str| case[name].as_str().unwrap();
        let message = hex::decode(field("message")).unwrap();
        let key: Result<[u8; 32], _> = hex::decode(field("key")).unwrap().try_into();
        let signature: Result<[u8; 64], _> = hex::decode(field("signature")).unwrap().try_into();
        let accepted = match (key, signature) {
            (Ok(key), Ok(signature)) => verify(&key, &message, &signature).is_ok(),
            _ => false,
        };
        assert_eq!(
            accepted,
            case["valid"],
            "{}: {}",
            field("name"),
            field("why")
        );
    }
}

/// RFC 8032 section 7.1, tests 1 to 3.
#[test]
fn it_signs_as_rfc_8032_does() {
    for (seed, key, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let secret = SecretKey::from_seed(&bytes(seed));
        assert_eq!(hex::encode(secret.public_key()), key);
        assert_eq!(
            hex::encode(secret.sign(&hex::decode(message).unwrap())),
            signature
        );
    }
}

/// RFC 7748 sections 5.2 and 6.1.
#[test]
fn it_agrees_as_rfc_7748_does() {
    for (scalar, u, out) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ] {
        assert_eq!(hex::encode(x25519(&bytes(scalar), &bytes(u))), out);
    }
    let (mut k, mut u) = (BASE, BASE);
    for n in 1..=1_000 {
        (k, u) = (x25519(&k, &u), k);
        match n {
            1 => assert_eq!(
                hex::encode(k),
                "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
            ),
            1_000 => assert_eq!(
                hex::encode(k),
                "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"
            ),
            _ => {}
        }
    }
}

#[test]
fn points_of_small_order_agree_on_nothing() {
    let mut u = [0; 32];
    assert_eq!(x25519(&[7; 32], &u), [0; 32]);
    u[0] = 1;
    assert_eq!(x25519(&[7; 32], &u), [0; 32]);
}

#[test]
fn a_secret_key_prints_nothing_secret() {
    let text = format!("{:?}", SecretKey::from_seed(&[0x5a; 32]));
    assert_eq!(text, "SecretKey { .. }");
}

fn edge() -> impl Strategy<Value = u8> {
    prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x7f), Just(0xed)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn keys_and_signatures_are_those_of_ed25519_compact(seed: [u8; 32], message in prop::collection::vec(any::<u8>(), 0..300)) {
        let other = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new(seed));
        let secret = SecretKey::from_seed(&seed);
        prop_assert_eq!(secret.public_key(), &*other.pk);
        let signature = secret.sign(&message);
        prop_assert_eq!(signature, *other.sk.sign(&message, None));
        prop_assert_eq!(verify(secret.public_key(), &message, &signature), Ok(()));
    }

    #[test]
    fn what_is_bent_is_judged_as_ed25519_compact_judges_it(seed: [u8; 32], at in 0usize..96, bit in 0u8..8) {
        let secret = SecretKey::from_seed(&seed);
        let mut all = secret.public_key().to_vec();
        all.extend(secret.sign(b"bent"));
        all[at] ^= 1 << bit;
        let (key, signature): ([u8; 32], [u8; 64]) = (all[..32].try_into().unwrap(), all[32..].try_into().unwrap());
        let theirs = ed25519_compact::PublicKey::new(key).verify(b"bent", &ed25519_compact::Signature::new(signature));
        prop_assert_eq!(verify(&key, b"bent", &signature).is_ok(), theirs.is_ok());
        prop_assert!(theirs.is_err());
    }

    #[test]
    fn a_key_is_one_where_ed25519_compact_says_so(key in prop::array::uniform32(edge())) {
        let theirs = ed25519_compact::PublicKey::new(key).validate();
        prop_assert_eq!(check(&key).is_ok(), theirs.is_ok());
    }

    #[test]
    fn shared_secrets_are_those_of_x25519_dalek(scalar: [u8; 32], u in prop::array::uniform32(edge())) {
        let secret = x25519_dalek::StaticSecret::from(scalar);
        let theirs = secret.diffie_hellman(&x25519_dalek::PublicKey::from(u));
        prop_assert_eq!(&x25519(&scalar, &u), theirs.as_bytes());
        let public = x25519_dalek::PublicKey::from(&secret);
        prop_assert_eq!(&x25519(&scalar, &BASE), public.as_bytes());
    }
}
