//! Holds `vectors/lock.json` equal to what its generator writes: every proof and every settlement runs there through the core.

#[path = "../examples/gen_lock_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::crypto::{PublicKey, Signature, Software, Verify};
use iotedge_core::ledger::{Lock, MAX_LOCK};
use iotedge_core::sale::Proof;
use iotedge_core::wire::{Reader, Writer};

const FILE: &str = include_str!("../../vectors/lock.json");

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_lock_vectors"
    );
}

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

/// From the file alone: what is signed is signed, and what is written is read and written again the same.
#[test]
fn every_row_reads_back() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let of = |op: &'static str| rows.iter().filter(move |row| row["op"] == op);
    assert_eq!((of("voucher").count(), of("reading").count()), (4, 3));
    for row in of("voucher").chain(of("reading")) {
        let key = PublicKey::Ed25519(bytes(row, "key").try_into().unwrap());
        let signature = Signature(bytes(row, "signature").try_into().unwrap());
        let signed = Software.verify(&key, &bytes(row, "input"), &signature);
        assert_eq!(signed, Ok(()), "{}", row["name"]);
    }
    let mut errors = std::collections::BTreeSet::new();
    for row in of("lock claim") {
        let lock = Lock::read(&mut Reader::new(&bytes(row, "lock"))).unwrap();
        let shown = bytes(row, "proof");
        let proof = Proof::read(&mut Reader::new(&shown)).unwrap();
        let (mut again, mut out) = ([0; 400], [0; MAX_LOCK]);
        let mut w = Writer::new(&mut again);
        proof.write(&mut w);
        assert_eq!(w.written(), shown, "{}", row["name"]);
        match generator::outcome(&lock, &proof) {
            Ok(after) => {
                let mut w = Writer::new(&mut out);
                after.write(&mut w);
                assert_eq!(w.written(), bytes(row, "after"), "{}", row["name"]);
            }
            Err(error) => {
                assert_eq!(format!("{error:?}"), row["error"], "{}", row["name"]);
                errors.insert(row["error"].clone());
            }
        }
    }
    let seen: Vec<&str> = errors.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            "Apart", "Forged", "NotSo", "Quorum", "Spent", "Stale", "Terms"
        ]
    );
    assert_eq!(of("settle locks").count(), 9);
}
