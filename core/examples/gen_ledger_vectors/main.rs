//! Writes `vectors/merkle.json`, `vectors/settlement.json` and `vectors/posp.json`.
//!
//! `cargo run -p iotedge-core --example gen_ledger_vectors` regenerates the files; a test compares them and runs every row. All keys and
//! ids come from labels by SHA-256, so the same files come out everywhere. `vectors/README.md` describes the fields.

mod merkle;
mod posp;
#[path = "../common/rows.rs"]
mod rows;
mod settlement;

use iotedge_core::Id;
use iotedge_core::crypto::{SecretKey, sha256};
use iotedge_core::wire::Writer;
use rows::render;

/// Name and content of each file.
pub fn files() -> [(&'static str, String); 3] {
    [
        ("merkle.json", render(&merkle::rows())),
        ("settlement.json", render(&settlement::rows())),
        ("posp.json", render(&posp::rows())),
    ]
}

fn id(label: &str, n: u64) -> Id {
    Id(sha256(&[b"vector ", label.as_bytes(), &n.to_be_bytes()]))
}

fn secret(label: &str, n: u64) -> SecretKey {
    SecretKey::from_seed(&id(label, n).0).expect("a hash is a seed")
}

fn encoded(write: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 16_384];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    w.written().to_vec()
}

fn hexes(ids: &[Id]) -> Vec<String> {
    ids.iter().map(Id::to_string).collect()
}

#[allow(dead_code)]
fn main() {
    for (name, content) in files() {
        let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        let rows = content.lines().count().saturating_sub(2);
        std::fs::write(path, content).expect("vectors/ can be written");
        println!("wrote {rows} vectors to vectors/{name}");
    }
}
