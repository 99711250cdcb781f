//! Runs `vectors/crypto.json`: the published vectors of every primitive, and what each must refuse.
//!
//! A row is an operation, its inputs in hex and the output in hex; output `null` means that the operation must be refused. The length of
//! an HKDF output is that of the row's. The file has no nesting, so that a C program can run it too.

use iotedge_core::crypto::{PublicKey, SecretKey, Software, Verify, agree, kdf, seal, sha256};
use std::collections::BTreeMap;

type Row = BTreeMap<String, Option<String>>;

fn hex_of(row: &Row, field: &str) -> Vec<u8> {
    let text = row.get(field).and_then(Option::as_ref);
    hex::decode(text.unwrap_or_else(|| panic!("{row:?} has no {field}"))).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    hex_of(row, field).try_into().unwrap()
}

/// What the crypto room gives for a row, `None` where it refuses; or the feature that this build lacks.
fn run(row: &Row) -> Result<Option<Vec<u8>>, &'static str> {
    let op = row["op"].as_deref().unwrap();
    Ok(match op {
        "sha256" => Some(sha256(&[&hex_of(row, "input")]).to_vec()),
        "hkdf" => {
            let mut out = vec![0; hex_of(row, "output").len()];
            let (salt, ikm, info) = (hex_of(row, "salt"), hex_of(row, "ikm"), hex_of(row, "info"));
            kdf::derive(&salt, &ikm, &[&info], &mut out)
                .ok()
                .map(|()| out)
        }
        "x25519-public" => Some(
            agree::SecretKey::from_bytes(&array(row, "secret"))
                .public_key()
                .0
                .to_vec(),
        ),
        "x25519" => agree::SecretKey::from_bytes(&array(row, "secret"))
            .agree(&agree::PublicKey(array(row, "public")))
            .ok()
            .map(|shared| shared.as_bytes().to_vec()),
        "chacha20poly1305-seal" => {
            let (key, nonce) = (
                seal::Key::new(array(row, "key")),
                seal::Nonce(array(row, "nonce")),
            );
            let mut buffer = hex_of(row, "input");
            let tag = seal::seal(&key, &nonce, &hex_of(row, "aad"), &mut buffer).unwrap();
            buffer.extend(tag.0);
            Some(buffer)
        }
        "chacha20poly1305-open" => {
            let (key, nonce) = (
                seal::Key::new(array(row, "key")),
                seal::Nonce(array(row, "nonce")),
            );
            let mut buffer = hex_of(row, "input");
            let tag = buffer.split_off(buffer.len() - seal::TAG_LEN);
            let tag = seal::Tag(tag.try_into().unwrap());
            seal::open(&key, &nonce, &hex_of(row, "aad"), &mut buffer, &tag)
                .ok()
                .map(|()| buffer)
        }
        "ed25519-public" => SecretKey::from_seed(&array(row, "seed"))
            .ok()
            .map(|secret| secret.public_key().bytes().to_vec()),
        "ed25519-sign" => {
            let secret = SecretKey::from_seed(&array(row, "seed")).unwrap();
            let message = hex_of(row, "message");
            let signature = secret.sign(&message);
            assert!(matches!(secret.public_key(), PublicKey::Ed25519(_)));
            assert_eq!(
                Software.verify(&secret.public_key(), &message, &signature),
                Ok(())
            );
            Some(signature.0.to_vec())
        }
        #[cfg(feature = "es256")]
        "es256-public" => {
            iotedge_core::crypto::es256::SecretKey::from_scalar(&array(row, "scalar"))
                .ok()
                .map(|secret| secret.public_key().bytes().to_vec())
        }
        #[cfg(feature = "es256")]
        "es256-sign" => {
            let secret =
                iotedge_core::crypto::es256::SecretKey::from_scalar(&array(row, "scalar")).unwrap();
            let message = hex_of(row, "message");
            let signature = secret.sign(&message).unwrap();
            assert_eq!(
                Software.verify(&secret.public_key(), &message, &signature),
                Ok(())
            );
            Some(signature.0.to_vec())
        }
        #[cfg(not(feature = "es256"))]
        "es256-public" | "es256-sign" => return Err("es256"),
        other => panic!("unknown operation {other}"),
    })
}

#[test]
fn every_row_gives_what_is_published() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../vectors/crypto.json")).unwrap();
    let mut done = BTreeMap::<String, usize>::new();
    for row in &rows {
        let Ok(output) = run(row) else { continue };
        let expected = row["output"]
            .as_ref()
            .map(|text| hex::decode(text).unwrap());
        assert!(
            output == expected,
            "{row:?} gave {:?}",
            output.map(hex::encode)
        );
        *done.entry(row["op"].clone().unwrap()).or_default() += 1;
    }
    let mut expected = vec![
        ("chacha20poly1305-open", 8),
        ("chacha20poly1305-seal", 1),
        ("ed25519-public", 5),
        ("ed25519-sign", 4),
    ];
    if cfg!(feature = "es256") {
        expected.extend([("es256-public", 3), ("es256-sign", 2)]);
    }
    expected.extend([
        ("hkdf", 3),
        ("sha256", 4),
        ("x25519", 11),
        ("x25519-public", 2),
    ]);
    let done: Vec<_> = done
        .iter()
        .map(|(op, count)| (op.as_str(), *count))
        .collect();
    assert_eq!(done, expected);
}
