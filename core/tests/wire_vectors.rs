//! Runs the vectors of the wire and of transactions, and holds the files and the worked examples of docs/protocol.md against their
//! generator. The meaning of every field is in vectors/README.md.

#[path = "../examples/gen_tx_vectors/main.rs"]
mod generator;

use iotedge_core::crypto::{PublicKey, Software, Suite};
use iotedge_core::tx::{Attachment, Unverified, signing_input};
use iotedge_core::wire::senml::{self, Pack, Reading};
use iotedge_core::wire::{Frame, Reader};
use iotedge_core::{Id, MAX_FRAME};
use serde_json::Value as Json;
use std::fmt::Debug;

fn file(name: &str) -> String {
    let path = format!("{}/../{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn rows(name: &str) -> Vec<Json> {
    let rows: Vec<Json> = serde_json::from_str(&file(&format!("vectors/{name}"))).unwrap();
    assert!(rows.len() > 20, "{name} has {} rows", rows.len());
    rows
}

fn text<'r>(row: &'r Json, field: &str) -> &'r str {
    let value = row[field].as_str();
    value.unwrap_or_else(|| panic!("{row} has no text {field}"))
}

fn bytes(row: &Json, field: &str) -> Vec<u8> {
    hex::decode(text(row, field)).unwrap()
}

fn int(row: &Json, field: &str) -> u64 {
    let value = row[field].as_u64();
    value.unwrap_or_else(|| panic!("{row} has no number {field}"))
}

fn id(row: &Json, field: &str) -> Id {
    Id(bytes(row, field).try_into().unwrap())
}

fn ids(row: &Json, field: &str) -> Vec<Id> {
    let bytes = bytes(row, field);
    let chunks = bytes.chunks_exact(32);
    chunks.map(|c| Id(c.try_into().unwrap())).collect()
}

fn key(row: &Json) -> PublicKey {
    PublicKey::Ed25519(bytes(row, "key").try_into().unwrap())
}

/// `Wire(Truncated)` as the files spell it: `WireTruncated`.
fn name(error: impl Debug) -> String {
    format!("{error:?}").replace(['(', ')'], "")
}

/// The verdict of a row, where `read` is what we say.
fn verdict<T, E: Debug>(read: &Result<T, E>) -> String {
    match read {
        Ok(_) => "ok".into(),
        Err(error) => name(error),
    }
}

#[test]
fn the_files_are_those_of_the_generator() {
    for (name, book) in generator::files() {
        let regenerate = "regenerate: cargo run -p iotedge-core --example gen_tx_vectors";
        assert!(
            file(&format!("vectors/{name}")) == book.render(),
            "vectors/{name} is out of date; {regenerate}"
        );
    }
}

#[test]
fn cbor() {
    for row in rows("cbor.json") {
        let item = bytes(&row, "item");
        let mut r = Reader::new(&item);
        let read = r.item().and_then(|_| r.finish());
        assert_eq!(verdict(&read), text(&row, "expect"), "{row}");
        let mut r = Reader::new(&item);
        let value = match row["type"].as_str() {
            Some("uint") => r.uint().map(|v| v.to_string()),
            Some("int") => r.int().map(|v| v.to_string()),
            Some("bytes") => r.bytes().map(hex::encode),
            Some("text") => r.text().map(str::to_owned),
            Some("null") => r.null().map(|()| String::new()),
            Some(other) => panic!("{other}"),
            None => continue,
        };
        assert_eq!(value.as_deref(), Ok(text(&row, "value")), "{row}");
    }
}

#[test]
fn senml_packs() {
    let show = |r: Reading<'_>| {
        let unit = r.unit.unwrap_or("");
        let time = r.time.map_or(String::new(), |t| t.to_string());
        format!("{},{unit},{},{time}", r.name, r.value)
    };
    for row in rows("senml.json") {
        let bytes = bytes(&row, "pack");
        let pack = Pack::parse(&bytes);
        assert_eq!(verdict(&pack), text(&row, "expect"), "{row}");
        let Ok(pack) = pack else { continue };
        assert_eq!(pack.base_name().unwrap_or(""), text(&row, "base_name"));
        let readings: Vec<_> = pack.iter().collect();
        let shown: Vec<_> = readings.iter().copied().map(show).collect();
        assert_eq!(shown.join(";"), text(&row, "readings"));
        let mut out = [0; 320];
        let written = senml::encode(pack.base_name(), &readings, &mut out);
        assert_eq!(written, Ok(bytes.as_slice()), "{row}");
    }
}

#[test]
fn transactions() {
    for row in rows("tx.json") {
        let (cose, nbh) = (bytes(&row, "cose"), id(&row, "neighbourhood"));
        let parents = ids(&row, "parents");
        let tx = Unverified::parse(&cose)
            .and_then(|tx| tx.verify(&nbh, &key(&row), &parents, &mut Software));
        assert_eq!(verdict(&tx), text(&row, "expect"), "{row}");
        let Ok(tx) = tx else { continue };
        assert_eq!(tx.id(), id(&row, "id"), "{row}");
        assert_eq!(tx.parents_hash(), id(&row, "parents_hash"), "{row}");
        let payload = tx.payload();
        assert_eq!(u64::from(payload.epoch.0), int(&row, "epoch"));
        assert_eq!(u64::from(payload.issuer.0), int(&row, "issuer"));
        assert_eq!(u64::from(payload.number.0), int(&row, "number"));
        assert_eq!(u64::from(payload.offset), int(&row, "offset"));
        assert_eq!(u64::from(payload.body.kind().number()), int(&row, "kind"));
        let mut out = [0; 1024];
        let encoded = payload.encode(&mut out).unwrap();
        assert_eq!(encoded, bytes(&row, "payload"), "{row}");
        let hash = tx.parents_hash();
        let encoded = encoded.to_vec();
        let message = signing_input(&nbh, Suite::Ed25519, &encoded, &hash, &mut out).unwrap();
        assert_eq!(message, bytes(&row, "signing_input"), "{row}");
    }
}

#[test]
fn evidence() {
    for row in rows("evidence.json") {
        let attachment = bytes(&row, "attachment");
        let judged = match Attachment::parse(&attachment) {
            Err(error) => Err(name(error)),
            Ok(attachment) => match attachment.proof {
                None => Err("NoProof".into()),
                Some(evidence) => evidence
                    .verify(&id(&row, "neighbourhood"), &key(&row), &mut Software)
                    .map_err(name),
            },
        };
        match judged {
            Err(error) => assert_eq!(error, text(&row, "expect"), "{row}"),
            Ok(offence) => {
                assert_eq!("ok", text(&row, "expect"), "{row}");
                assert_eq!(name(offence.form), text(&row, "form"), "{row}");
                assert_eq!(u64::from(offence.offender.0), int(&row, "offender"));
                assert_eq!((offence.a, offence.b), (id(&row, "a"), id(&row, "b")));
            }
        }
    }
}

#[test]
fn frames() {
    for row in rows("frame.json") {
        let bytes = bytes(&row, "frame");
        let parsed = Frame::parse(&bytes);
        assert_eq!(verdict(&parsed), text(&row, "expect"), "{row}");
        let Ok((tag, frame)) = parsed else { continue };
        assert_eq!(hex::encode(tag), text(&row, "tag"));
        assert_eq!(
            u64::from(frame.frame_type().number()),
            int(&row, "type"),
            "{row}"
        );
        let mut out = [0; MAX_FRAME];
        let len = frame.write(tag, &mut out).unwrap();
        assert_eq!(out[..len], bytes, "{row}");
    }
}

/// The hex of the first block after a heading of docs/protocol.md: what stands before each line's `;`.
fn worked(heading: &str) -> Vec<u8> {
    let page = file("docs/protocol.md");
    let (_, section) = page.split_once(heading).expect(heading);
    let (_, block) = section.split_once("```hex\n").expect(heading);
    let (block, _) = block.split_once("```").expect(heading);
    let bare = block.lines().map(|line| line.split(';').next().unwrap());
    let hexed: String = bare.flat_map(str::split_whitespace).collect();
    hex::decode(hexed).unwrap()
}

#[test]
fn the_worked_examples_decode() {
    for ((what, want), len) in generator::examples().into_iter().zip([148, 161]) {
        let bytes = worked(&format!("#### A {what} of {len} bytes"));
        assert_eq!(hex::encode(&bytes), hex::encode(want), "{what}");
        assert_eq!(bytes.len(), len, "{what}");
        let (_, frame) = Frame::parse(&bytes).unwrap();
        let Frame::Tx {
            cose,
            attachment: None,
        } = frame
        else {
            panic!("{frame:?}");
        };
        let tx = Unverified::parse(cose).unwrap();
        let seed = iotedge_core::crypto::SecretKey::from_seed(&[1; 32]).unwrap();
        let parents = [9, 3, 7].map(|b| Id([b; 32]));
        let verified = tx.verify(&Id([0x11; 32]), &seed.public_key(), &parents, &mut Software);
        assert!(verified.is_ok(), "{what}: {:?}", verified.err());
    }
}
