//! Holds `vectors/cluster.json` equal to what its generator writes, and runs its claims through parse and verify.

#[path = "../examples/gen_cluster_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::Id;
use iotedge_core::cluster::UnverifiedClaim;
use iotedge_core::crypto::{PublicKey, Software};
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/cluster.json");

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_cluster_vectors"
    );
}

#[test]
fn every_claim_has_its_outcome() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut seen = BTreeMap::<&str, [usize; 2]>::new();
    for row in &rows {
        let op = row["op"].as_str();
        let ok = row["expect"] == "ok";
        seen.entry(op).or_default()[usize::from(!ok)] += 1;
        if op != "claim" {
            continue;
        }
        let at = &row["name"];
        let (key, here) = (
            PublicKey::Ed25519(array(row, "key")),
            Id(array(row, "neighbourhood")),
        );
        let claim = bytes(row, "claim");
        let found = UnverifiedClaim::parse(&claim)
            .and_then(|c| c.verify(&here, &Id::ZERO, &key, &mut Software));
        match found {
            Ok(found) => {
                let said = found.statement();
                let line: Vec<String> = said.successors.iter().map(|m| m.0.to_string()).collect();
                assert_eq!(row["expect"], "ok", "{at}");
                for (field, value) in [
                    ("context", hex::encode(said.context.0)),
                    ("epoch", said.epoch.0.to_string()),
                    ("member", said.member.0.to_string()),
                    ("term", said.term.to_string()),
                    ("score", said.score.to_string()),
                    ("at", said.at.0.to_string()),
                    ("until", said.until.0.to_string()),
                    ("successors", line.join(",")),
                ] {
                    assert_eq!(row[field], value, "{at}: {field}");
                }
            }
            Err(error) => assert_eq!(row["expect"], format!("{error:?}"), "{at}"),
        }
    }
    assert_eq!(seen.len(), 7);
    assert!(seen["claim"] > [3, 10], "{seen:?}");
}
