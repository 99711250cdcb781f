//! Writes `vectors/cbor.json`, `frame.json`, `senml.json`, `tx.json` and `evidence.json`: valid and invalid bytes of docs/protocol.md
//! sections 3, 4 and 4.1, each with what a reader must say about it.
//!
//! `cargo run -p iotedge-core --example gen_tx_vectors` regenerates the files; a test compares them. Bytes are put together here by
//! a second, naive encoder that can also do what ours refuses, and what is expected is written beside them: of the code under test
//! only the signature comes in, and that has vectors of its own.

mod encoder;
mod evidence;
mod frames;
mod senml;
mod transactions;

use encoder::{Book, V, enc};
use transactions::{NBH, Tx, transfer};

/// A transaction and a reading for the worked examples of docs/protocol.md.
pub fn examples() -> [(&'static str, Vec<u8>); 2] {
    let reading = hex::decode("81a3006474656d70016343656c02c4822018d7").unwrap();
    let frame = |tx: Tx| [&NBH[..4], &[1], &enc(&tx.cose())].concat();
    [
        ("transfer", frame(Tx::new(1, transfer(2, 250, 9_250)))),
        ("reading", frame(Tx::new(0, V::B(reading)))),
    ]
}

/// The files that this program writes.
pub fn files() -> [(&'static str, Book); 5] {
    [
        ("cbor.json", encoder::cbor()),
        ("frame.json", frames::frame()),
        ("senml.json", senml::senml()),
        ("tx.json", transactions::tx()),
        ("evidence.json", evidence::evidence()),
    ]
}

#[allow(
    dead_code,
    reason = "the test that includes this file needs the generator only"
)]
fn main() {
    for (name, book) in files() {
        let path = format!("{}/../vectors/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(&path, book.render()).expect("vectors/ can be written");
        println!("wrote {} vectors to vectors/{name}", book.0.len());
    }
    for (name, frame) in examples() {
        println!("{name}, {} bytes: {}", frame.len(), hex::encode(frame));
    }
}
