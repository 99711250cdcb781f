//! Holds `vectors/attest.json` equal to what its generator writes, runs each row, and decodes the worked example of docs/protocol.md section 2.4.
#![cfg(feature = "es256")]

#[path = "../examples/gen_attest_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::Id;
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::identity::attest::{Attestation, Evidence, MAX_ATTESTATION, Oem, attest};
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/attest.json");

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

/// What it says, spelled as the file does.
fn said(e: &Evidence<'_>) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    let mut put = |field: &str, value: Option<String>| {
        value.map(|value| said.insert(field.to_owned(), value));
    };
    put(
        "oem",
        e.oem.map(|oem| match oem {
            Oem::Pen(number) => number.to_string(),
            Oem::Id(id) => hex::encode(id),
        }),
    );
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    put("model", filled(&hex::encode(e.model)));
    put("hardware_version", filled(e.hardware_version));
    put("secure_boot", e.secure_boot.map(|b| b.to_string()));
    put("debug", e.debug.map(|d| d.code().to_string()));
    put("boot_count", e.boot_count.map(|n| n.to_string()));
    put("boot_seed", filled(&hex::encode(e.boot_seed)));
    put("software_name", filled(e.software_name));
    put("software_version", filled(e.software_version));
    let list: Vec<String> = e
        .measurements
        .iter()
        .map(|m| format!("{}={}", m.name, hex::encode(m.digest)))
        .collect();
    put("measurements", filled(&list.join(",")));
    said
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --all-features --example gen_attest_vectors"
    );
}

#[test]
fn every_attestation_has_its_outcome() {
    const FIXED: [&str; 8] = [
        "op", "name", "expect", "suite", "key", "device", "nonce", "eat",
    ];
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut good = 0;
    for row in &rows {
        let name = &row["name"];
        let key = match row["suite"].as_str() {
            "-8" => PublicKey::Ed25519(array(row, "key")),
            _ => PublicKey::Es256(array(row, "key")),
        };
        let (eat, nonce) = (bytes(row, "eat"), bytes(row, "nonce"));
        let device = Id(array(row, "device"));
        let found = Attestation::parse(&eat)
            .and_then(|eat| eat.verify(&key, &device, &nonce, &mut Software));
        let mut wanted = row.clone();
        wanted.retain(|field, _| !FIXED.contains(&field.as_str()));
        match found {
            Ok(evidence) => {
                assert_eq!(row["expect"], "ok", "{name}");
                assert_eq!(said(&evidence), wanted, "{name}");
                good += 1;
            }
            Err(error) => assert_eq!(row["expect"], format!("{error:?}"), "{name}"),
        }
    }
    assert!(good >= 4 && rows.len() >= 30);
}

/// Bytes of the `hex` block behind a heading, without its comments.
fn example(heading: &str) -> Vec<u8> {
    let page = include_str!("../../docs/protocol.md");
    let block = page.split(heading).nth(1).unwrap();
    let block = block.split("```hex\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let digits: String = block
        .lines()
        .map(|line| line.split(';').next().unwrap().trim())
        .collect();
    hex::decode(digits).unwrap()
}

#[test]
fn the_worked_example_is_what_this_device_signs() {
    let eat = example("#### An attestation of");
    let parsed = Attestation::parse(&eat).unwrap();
    let secret = SecretKey::from_seed(&[1; 32]).unwrap();
    let claims = parsed.claims();
    let key = secret.public_key();
    assert_eq!(claims.nonce, [0x4e; 16]);
    parsed
        .verify(&key, &claims.device, claims.nonce, &mut Software)
        .unwrap();
    assert_eq!(
        claims.device,
        iotedge_core::identity::CoseKey::thumbprint(&key)
    );
    assert_eq!(claims.evidence.model, b"acme-2");
    let mut again = [0; MAX_ATTESTATION];
    let len = attest(claims, &secret, &mut Software, &mut again).unwrap();
    assert_eq!(again[..len], eat);
    let heading = format!("#### An attestation of {len} bytes");
    assert!(include_str!("../../docs/protocol.md").contains(&heading));
}
