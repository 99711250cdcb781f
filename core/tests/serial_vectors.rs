//! Runs the vectors of the serial line, holds the file against its generator, and decodes the worked example of docs/protocol.md section 11.

#[path = "../examples/gen_serial_vectors.rs"]
mod generator;

use iotedge_core::wire::Frame;
use iotedge_core::wire::serial::{CRC, Decoder, Encoder, MAX_ENCODED, encode};
use serde_json::{Value as Json, json};

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn rows(op: &str) -> Vec<Json> {
    let rows: Vec<Json> = serde_json::from_str(&file("vectors/serial.json")).unwrap();
    let rows: Vec<Json> = rows.into_iter().filter(|r| r["op"] == op).collect();
    assert!(rows.len() > 10, "{op}");
    rows
}

fn bytes(value: &Json) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_file_is_what_its_generator_writes() {
    assert_eq!(file("vectors/serial.json"), generator::book());
}

#[test]
fn frames_that_are_written() {
    for row in rows("line-write") {
        let (frame, line) = (bytes(&row["frame"]), bytes(&row["line"]));
        let mut out = [0; MAX_ENCODED];
        let len = encode(&frame, &mut out).unwrap();
        assert_eq!(out[..len], line, "{}", row["name"]);
        let (mut encoder, mut part) = (Encoder::default(), [0; 7]);
        let mut parts: Vec<u8> = vec![];
        while !encoder.is_done() {
            let len = encoder.write(&frame, &mut part).unwrap();
            parts.extend(&part[..len]);
        }
        assert_eq!(parts, line, "{}", row["name"]);
    }
}

#[test]
fn lines_that_are_read_in_pieces_of_any_length() {
    for row in rows("line-read") {
        let line = bytes(&row["line"]);
        for piece in [1, 2, 17, line.len()] {
            let mut memory = vec![0; row["room"].as_u64().unwrap() as usize + CRC];
            let mut decoder = Decoder::new(&mut memory);
            let mut frames = vec![];
            for mut bytes in line.chunks(piece) {
                while let (taken, Some(frame)) = decoder.take(bytes) {
                    frames.push(hex::encode(frame));
                    bytes = &bytes[taken..];
                }
            }
            assert_eq!(json!(frames), row["frames"], "{}", row["name"]);
            let c = decoder.counters();
            let counted = json!({
                "frames": c.frames, "empty": c.empty, "too_short": c.too_short, "cut": c.cut, "too_long": c.too_long, "corrupt": c.corrupt,
            });
            assert_eq!(counted, row["counters"], "{}", row["name"]);
        }
    }
}

#[test]
fn the_worked_example_of_the_page() {
    let page = file("docs/protocol.md");
    let section = page.split("\n## 11. ").nth(1).expect("section 11");
    let block = section.split("```hex\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let hex_only: String = block
        .lines()
        .map(|line| line.split(';').next().unwrap().replace(' ', ""))
        .collect();
    let line = hex::decode(hex_only).unwrap();
    assert_eq!(line, generator::example().1);
    let mut memory = [0; 64];
    let mut decoder = Decoder::new(&mut memory);
    let (taken, frame) = decoder.take(&line);
    assert_eq!(taken, line.len());
    assert_eq!(
        Frame::parse(frame.unwrap()),
        Ok(([0; 4], Frame::GenesisRequest))
    );
}
