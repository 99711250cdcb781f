//! Holds `vectors/content.json` equal to what its generator writes, and runs every row as a receiver and as a provider.

#[path = "../examples/gen_content_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::Id;
use iotedge_core::content::installed::MAX_INSTALLED;
use iotedge_core::content::manifest::Signed;
use iotedge_core::content::{ChunkSize, Descriptor, Installed, Part, Provider, Request, Stream};
use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::wire::Writer;
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/content.json");

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn list(row: &Row, field: &str) -> Vec<Vec<u8>> {
    row[field]
        .split(',')
        .map(|item| hex::decode(item).unwrap())
        .collect()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

fn described(row: &Row) -> Descriptor {
    let chunk = ChunkSize::new(row["log"].parse().unwrap()).unwrap();
    let size = row["size"].parse().unwrap();
    let content = Descriptor::new(size, chunk, Id(array(row, "root"))).unwrap();
    assert_eq!(content.id().to_string(), row["id"], "{}", row["name"]);
    content
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_content_vectors"
    );
}

fn content(row: &Row) {
    let at = &row["name"];
    let whole = bytes(row, "content");
    let content = described(row);
    let mut stream = Stream::new(content);
    let mut got = Vec::new();
    let (requests, parts) = (list(row, "requests"), list(row, "parts"));
    assert_eq!(requests.len(), parts.len(), "{at}");
    for (asked, came) in requests.iter().zip(&parts) {
        let request = Request::parse(asked).unwrap();
        assert_eq!(
            stream.request(request.most, request.chunks),
            Some(request),
            "{at}"
        );
        // Every provider gives these bytes, however much it keeps.
        for level in [0, 3, 20] {
            let mut memory = vec![Id::ZERO; parts.len()];
            let mut source = whole.as_slice();
            let size = whole.len() as u64;
            let provider =
                Provider::build(size, content.chunk(), level, &mut memory, &mut source).unwrap();
            assert_eq!(*provider.content(), content, "{at}");
            let mut out = [0; 1400];
            let (len, _) = provider.answer(&request, &mut source, &mut out).unwrap();
            assert_eq!(&out[..len], came.as_slice(), "{at}");
        }
        let part = Part::parse(came).unwrap();
        let taken = stream.take(&part, &mut |offset, bytes| {
            assert_eq!(offset, got.len() as u64);
            got.extend_from_slice(bytes);
            Ok(())
        });
        assert!(taken.is_ok(), "{at}: {taken:?}");
    }
    assert!(stream.is_complete(), "{at}");
    assert_eq!(got, whole, "{at}");
}

fn part(row: &Row) {
    let mut stream = Stream::new(described(row));
    let bytes = bytes(row, "part");
    let found = Part::parse(&bytes).and_then(|part| stream.take(&part, &mut |_, _| Ok(())));
    let found = found.map_or_else(|error| format!("{error:?}"), |_| "ok".into());
    assert_eq!(found, row["expect"], "{}", row["name"]);
}

fn manifest(row: &Row) {
    let at = &row["name"];
    let key = PublicKey::Ed25519(array(row, "key"));
    let bytes = bytes(row, "manifest");
    let found = Signed::parse(&bytes).and_then(|signed| signed.verify(&key, &mut Software));
    let said = match found {
        Ok(said) => said,
        Err(error) => return assert_eq!(format!("{error:?}"), row["expect"], "{at}"),
    };
    assert_eq!(row["expect"], "ok", "{at}");
    let text = |value: Option<String>| value.unwrap_or_default();
    assert_eq!(said.sequence.to_string(), row["sequence"], "{at}");
    assert_eq!(hex::encode(said.vendor), row["vendor"], "{at}");
    assert_eq!(hex::encode(said.class), row["class"], "{at}");
    assert_eq!(hex::encode(said.component), row["component"], "{at}");
    assert_eq!(said.format.to_string(), row["format"], "{at}");
    assert_eq!(
        text(said.expires.map(|t| t.0.to_string())),
        row["expires"],
        "{at}"
    );
    assert_eq!(
        text(said.precursor.map(|id| id.to_string())),
        row["precursor"],
        "{at}"
    );
    assert_eq!(said.digest.to_string(), row["digest"], "{at}");
    assert_eq!(said.content, described(row), "{at}");
}

fn installed(row: &Row) {
    let at = &row["name"];
    let body = bytes(row, "body");
    let said = match Installed::parse(&body) {
        Ok(Some(said)) => said,
        Ok(None) => return assert_eq!(row["expect"], "none", "{at}"),
        Err(error) => return assert_eq!(format!("{error:?}"), row["expect"], "{at}"),
    };
    assert_eq!(row["expect"], "ok", "{at}");
    assert_eq!(hex::encode(said.component), row["component"], "{at}");
    assert_eq!(said.sequence.to_string(), row["sequence"], "{at}");
    assert_eq!(said.digest.to_string(), row["digest"], "{at}");
    let mut out = [0; MAX_INSTALLED];
    let mut w = Writer::new(&mut out);
    said.write(&mut w).unwrap();
    assert_eq!(w.written(), body, "{at}");
}

#[test]
fn every_row_has_its_outcome() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut seen = BTreeMap::<&str, usize>::new();
    for row in &rows {
        *seen.entry(&row["op"]).or_default() += 1;
        match row["op"].as_str() {
            "content" => content(row),
            "part" => part(row),
            "manifest" => manifest(row),
            "installed" => installed(row),
            other => panic!("{other}"),
        }
    }
    let all: Vec<_> = seen.into_iter().collect();
    assert_eq!(
        all,
        [
            ("content", 7),
            ("installed", 11),
            ("manifest", 13),
            ("part", 15)
        ]
    );
}
