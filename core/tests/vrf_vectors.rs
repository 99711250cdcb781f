//! Holds `vectors/vrf.json` equal to what its generator writes, and runs every row.

#[path = "../examples/gen_vrf_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::crypto::vrf::{Proof, PublicKey, SecretKey, VrfError};

const FILE: &str = include_str!("../../vectors/vrf.json");

fn bytes<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    hex::decode(&row[field]).unwrap().try_into().unwrap()
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_vrf_vectors"
    );
}

#[test]
fn every_proof_has_the_verdict_of_its_row() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut counts = [0; 4];
    for row in &rows {
        let name = &row["name"];
        let alpha = hex::decode(&row["alpha"]).unwrap();
        let key = PublicKey(bytes(row, "key"));
        let proof = Proof(bytes(row, "proof"));
        match key.verify(&alpha, &proof) {
            Ok(output) => {
                assert_eq!(row["error"], "", "{name}");
                assert_eq!(hex::encode(output.0), row["beta"], "{name}");
                counts[0] += 1;
            }
            Err(error) => {
                assert_eq!(format!("{error:?}"), row["error"], "{name}");
                assert_eq!(key.check().is_err(), error == VrfError::Key, "{name}");
                counts[match error {
                    VrfError::Key => 1,
                    VrfError::Malformed => 2,
                    VrfError::Rejected => 3,
                }] += 1;
            }
        }
        if let Some(seed) = row.get("secret") {
            let secret = SecretKey::from_seed(&hex::decode(seed).unwrap().try_into().unwrap());
            let secret = secret.unwrap();
            assert_eq!(secret.public_key(), key, "{name}");
            assert_eq!(secret.prove(&alpha), Ok(proof), "{name}");
        }
    }
    assert_eq!(counts.iter().sum::<usize>(), rows.len());
    assert!(counts.iter().all(|count| *count > 6), "{counts:?}");
}

/// Rows that say "the same output" do.
#[test]
fn proofs_may_be_several_and_outputs_are_one() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let first = rows.iter().find(|row| row["name"] == "a proof").unwrap();
    let others = rows
        .iter()
        .filter(|row| row["name"].contains("the same output"));
    let others: Vec<&Row> = others.collect();
    assert_eq!(others.len(), 2);
    for other in others {
        assert_ne!(other["proof"], first["proof"]);
        assert_eq!(other["beta"], first["beta"]);
    }
}
