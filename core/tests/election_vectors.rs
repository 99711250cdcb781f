//! Holds `vectors/election.json` equal to what its generator writes, and runs every row as one who received it would.

#[path = "../examples/gen_election_vectors.rs"]
mod generator;

use iotedge_core::Id;
use iotedge_core::posp::election::{Elected, Record};
use serde_json::Value;

const FILE: &str = include_str!("../../vectors/election.json");

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render() == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_election_vectors"
    );
}

#[test]
fn every_record_has_its_committee_or_its_refusal() {
    let rows: Vec<Value> = serde_json::from_str(FILE).unwrap();
    let mut refused = 0;
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        let bytes = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
        let (record, list) = (bytes("record"), Id(bytes("list").try_into().unwrap()));
        let parsed = Record::parse(&record);
        let ran = parsed.and_then(|r| {
            let election = *r.election();
            r.run::<64>(&election, &list)
        });
        match ran {
            Ok(elected) => {
                assert!(row["error"].is_null(), "{name}");
                assert_eq!(members(&elected), row["members"], "{name}");
                assert_eq!(hex::encode(elected.merge()), row["merge"], "{name}");
            }
            Err(error) => {
                assert_eq!(format!("{error:?}"), row["error"], "{name}");
                refused += 1;
            }
        }
    }
    assert_eq!((rows.len(), refused), (18, 10));
}

fn members(elected: &Elected<64>) -> Value {
    let one = |m: iotedge_core::posp::Validator| serde_json::json!([hex::encode(m.key), m.stake]);
    elected.members().map(one).collect()
}
