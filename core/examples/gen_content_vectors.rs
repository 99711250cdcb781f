//! Writes `vectors/content.json`: contents in parts, manifests of firmware, and what was installed (protocol section 13).
//!
//! `cargo run -p iotedge-core --example gen_content_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so that a C program can run them.

use iotedge_core::Id;
use iotedge_core::content::installed::DOMAIN;
use iotedge_core::content::manifest::{MAX_MANIFEST, Manifest};
use iotedge_core::content::{ChunkSize, Descriptor, Installed, Part, Provider, Request, Stream};
use iotedge_core::crypto::{SecretKey, sha256};
use iotedge_core::identity::Seconds;
use iotedge_core::wire::Writer;
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

fn row(op: &str, name: &str, expect: &str, fields: &[(&str, String)]) -> Row {
    let fixed = [
        ("op", op.to_owned()),
        ("name", name.to_owned()),
        ("expect", expect.to_owned()),
    ];
    let all = fixed.iter().chain(fields);
    all.map(|(field, value)| ((*field).to_owned(), value.clone()))
        .collect()
}

fn content_of(len: usize) -> Vec<u8> {
    (0..len as u32)
        .map(|n| sha256(&[&(n / 32).to_be_bytes()])[n as usize % 32])
        .collect()
}

fn described(content: &Descriptor) -> Vec<(&'static str, String)> {
    vec![
        ("size", content.size().to_string()),
        ("log", content.chunk().log().to_string()),
        ("root", content.root().to_string()),
        ("id", content.id().to_string()),
    ]
}

/// Requests and parts, until all is here.
fn transfer(bytes: &[u8], log: u8, most: u16) -> (Descriptor, Vec<Request>, Vec<Vec<u8>>) {
    let chunk = ChunkSize::new(log).unwrap();
    let mut memory = vec![Id::ZERO; bytes.len()];
    let mut source = bytes;
    let provider = Provider::build(bytes.len() as u64, chunk, 1, &mut memory, &mut source).unwrap();
    let mut stream = Stream::new(*provider.content());
    let (mut requests, mut parts) = (Vec::new(), Vec::new());
    while let Some(request) = stream.request(most, 1) {
        let mut out = [0; 1400];
        let (len, _) = provider.answer(&request, &mut source, &mut out).unwrap();
        let part = out[..len].to_vec();
        stream
            .take(&Part::parse(&part).unwrap(), &mut |_, _| Ok(()))
            .unwrap();
        requests.push(request);
        parts.push(part);
    }
    (*provider.content(), requests, parts)
}

fn joined<T>(items: &[T], bytes: impl Fn(&T) -> Vec<u8>) -> String {
    let all: Vec<String> = items.iter().map(|item| hex::encode(bytes(item))).collect();
    all.join(",")
}

fn written(request: &Request) -> Vec<u8> {
    let mut out = [0; 64];
    let mut w = Writer::new(&mut out);
    request.write(&mut w).unwrap();
    w.written().to_vec()
}

fn contents(out: &mut Vec<Row>) {
    for (len, log, most) in [
        (1, 6, 1400),
        (64, 6, 1400),
        (65, 6, 1400),
        (448, 6, 1400),
        (450, 6, 165),
        (1000, 7, 222),
        (2500, 10, 1400),
    ] {
        let bytes = content_of(len);
        let (content, requests, parts) = transfer(&bytes, log, most);
        let mut fields = described(&content);
        fields.push(("content", hex::encode(&bytes)));
        fields.push(("requests", joined(&requests, written)));
        fields.push(("parts", joined(&parts, Clone::clone)));
        let name = format!("{len} bytes in chunks of {}, at most {most}", 1 << log);
        out.push(row("content", &name, "ok", &fields));
    }
}

fn part_of(part: &Part<'_>) -> Vec<u8> {
    let mut out = [0; 1400];
    let mut w = Writer::new(&mut out);
    w.put_array(5);
    w.put_bytes(&part.content.0);
    w.put_u32(part.first);
    w.put_u32(part.end);
    w.put_bytes(part.siblings);
    w.put_bytes(part.body);
    w.written().to_vec()
}

fn refused_parts(out: &mut Vec<Row>) {
    let bytes = content_of(450);
    let (content, _, parts) = transfer(&bytes, 6, 1400);
    let good = Part::parse(&parts[0]).unwrap();
    let mut push = |name: &str, expect: &str, part: Vec<u8>| {
        let mut fields = described(&content);
        fields.push(("part", hex::encode(part)));
        out.push(row("part", name, expect, &fields));
    };
    push("the first", "ok", parts[0].clone());
    push("the second, first", "WrongPart", parts[1].clone());
    let mut other = good;
    other.content.0[0] ^= 1;
    push("of another content", "WrongContent", part_of(&other));
    let mut other = good;
    other.end = 7;
    push("of another subtree", "WrongPart", part_of(&other));
    let mut body = good.body.to_vec();
    body[63] ^= 0x80;
    let other = Part {
        body: &body,
        ..good
    };
    push("a bit of the chunk", "Forged", part_of(&other));
    let mut siblings = good.siblings.to_vec();
    siblings[95] ^= 1;
    let other = Part {
        siblings: &siblings,
        ..good
    };
    push("a bit of the last sibling", "Forged", part_of(&other));
    siblings[95] ^= 1;
    siblings.rotate_left(32);
    let other = Part {
        siblings: &siblings,
        ..good
    };
    push("siblings in another order", "Forged", part_of(&other));
    let other = Part {
        siblings: &good.siblings[..64],
        ..good
    };
    push("a sibling too few", "Length", part_of(&other));
    let long = [good.siblings, &[0; 32]].concat();
    let other = Part {
        siblings: &long,
        ..good
    };
    push("a sibling too many", "Length", part_of(&other));
    let other = Part {
        siblings: &good.siblings[..95],
        ..good
    };
    push("half a sibling", "Length", part_of(&other));
    let other = Part {
        body: &good.body[..63],
        ..good
    };
    push("a short chunk", "Length", part_of(&other));
    let other = Part {
        siblings: &[],
        body: &content.root().0,
        ..good
    };
    push("what is known", "Length", part_of(&other));
    let other = Part { end: 0, ..good };
    push("ends before it begins", "Wire(Range)", part_of(&other));
    let other = Part { body: &[], ..good };
    push("no body", "Wire(Range)", part_of(&other));
    let mut longer = parts[0].clone();
    longer.push(0);
    push("a byte behind it", "Wire(TrailingBytes)", longer);
}

fn maker() -> SecretKey {
    SecretKey::from_seed(&[0x55; 32]).unwrap()
}

fn manifests(out: &mut Vec<Row>) {
    let content =
        *Stream::new(Descriptor::new(100_000, ChunkSize::new(8).unwrap(), Id([7; 32])).unwrap())
            .content();
    let plain = Manifest {
        sequence: 1,
        vendor: [1; 16],
        class: [2; 16],
        component: b"app",
        format: 0,
        expires: None,
        precursor: None,
        digest: Id([3; 32]),
        content,
    };
    let full = Manifest {
        sequence: u64::MAX,
        component: b"radio, left half",
        format: 3,
        expires: Some(Seconds(1_900_000_000)),
        precursor: Some(Id([8; 32])),
        ..plain
    };
    let mut push = |name: &str, expect: &str, manifest: &Manifest<'_>, bytes: &[u8]| {
        let mut fields = vec![
            ("key", hex::encode(maker().public_key().bytes())),
            ("manifest", hex::encode(bytes)),
        ];
        if expect == "ok" {
            let optional = |value: Option<String>| value.unwrap_or_default();
            fields.extend(described(&manifest.content));
            fields.extend([
                ("sequence", manifest.sequence.to_string()),
                ("vendor", hex::encode(manifest.vendor)),
                ("class", hex::encode(manifest.class)),
                ("component", hex::encode(manifest.component)),
                ("format", manifest.format.to_string()),
                (
                    "expires",
                    optional(manifest.expires.map(|at| at.0.to_string())),
                ),
                (
                    "precursor",
                    optional(manifest.precursor.map(|id| id.to_string())),
                ),
                ("digest", manifest.digest.to_string()),
            ]);
        }
        out.push(row("manifest", name, expect, &fields));
    };
    let signed = |manifest: &Manifest<'_>, secret: &SecretKey| {
        let mut out = [0; MAX_MANIFEST];
        let len = manifest.issue(secret, &mut out).unwrap();
        out[..len].to_vec()
    };
    push("an image", "ok", &plain, &signed(&plain, &maker()));
    push("every element", "ok", &full, &signed(&full, &maker()));
    let stranger = SecretKey::from_seed(&[0x66; 32]).unwrap();
    push(
        "by another key",
        "WrongSigner",
        &plain,
        &signed(&plain, &stranger),
    );
    let mut bytes = signed(&plain, &maker());
    let at = bytes.len() - 70;
    bytes[at] ^= 1;
    push("a bit of it", "Signature(Rejected)", &plain, &bytes);
    let mut bytes = signed(&plain, &maker());
    bytes.push(0);
    push("a byte behind it", "Wire(TrailingBytes)", &plain, &bytes);
    // What the key signed is of another form.
    for (name, expect, payload) in odd_payloads(&plain) {
        push(name, expect, &plain, &sign(&payload));
    }
}

/// A COSE_Sign1 of the maker over any payload.
fn sign(payload: &[u8]) -> Vec<u8> {
    use iotedge_core::identity::sign1;
    let key = maker().public_key();
    let protected = sign1::protected(&key);
    let (mut aad, mut message, mut out) = ([0; 32], [0; 600], [0; 600]);
    let aad = sign1::domain_aad("iotedge/update/1", &mut aad).unwrap();
    let message = sign1::to_be_signed(&protected, aad, payload, &mut message).unwrap();
    let signature = maker().sign(message);
    let len = sign1::assemble(&protected, payload, &signature, &mut out).unwrap();
    out[..len].to_vec()
}

fn odd_payloads(plain: &Manifest<'_>) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let write = |version: u64, sequence: u64, component: &[u8], log: u64, size: u64| {
        let mut out = [0; 300];
        let mut w = Writer::new(&mut out);
        w.put_array(10);
        w.put_uint(version);
        w.put_uint(sequence);
        w.put_bytes(&plain.vendor);
        w.put_bytes(&plain.class);
        w.put_bytes(component);
        w.put_uint(0);
        w.put_null();
        w.put_null();
        w.put_id(&plain.digest);
        w.put_array(3);
        w.put_uint(size);
        w.put_uint(log);
        w.put_id(&Id([7; 32]));
        w.written().to_vec()
    };
    vec![
        ("of a later structure", "Version", write(2, 1, b"app", 8, 9)),
        ("without a number", "Element", write(1, 0, b"app", 8, 9)),
        ("of no component", "Element", write(1, 1, b"", 8, 9)),
        (
            "of a long component",
            "Element",
            write(1, 1, &[b'x'; 17], 8, 9),
        ),
        (
            "of tiny chunks",
            "Content(Wire(Range))",
            write(1, 1, b"app", 5, 9),
        ),
        (
            "of large chunks",
            "Content(Wire(Range))",
            write(1, 1, b"app", 11, 9),
        ),
        ("of nothing", "Content(Size)", write(1, 1, b"app", 8, 0)),
        (
            "of too much",
            "Content(Size)",
            write(1, 1, b"app", 8, (1 << 28) + 1),
        ),
    ]
}

fn records(out: &mut Vec<Row>) {
    let write = |domain: &str, component: &[u8], sequence: u64, digest: &[u8]| {
        let mut out = [0; 200];
        let mut w = Writer::new(&mut out);
        w.put_array(4);
        w.put_text(domain);
        w.put_bytes(component);
        w.put_uint(sequence);
        w.put_bytes(digest);
        w.written().to_vec()
    };
    let mut push = |name: &str, expect: &str, body: Vec<u8>, said: Option<Installed<'_>>| {
        let mut fields = vec![("body", hex::encode(body))];
        if let Some(said) = said {
            fields.extend([
                ("component", hex::encode(said.component)),
                ("sequence", said.sequence.to_string()),
                ("digest", said.digest.to_string()),
            ]);
        }
        out.push(row("installed", name, expect, &fields));
    };
    for (name, component, sequence) in [
        ("what was installed", &b"app"[..], 3),
        ("the longest", &b"radio, left half"[..], u64::MAX),
    ] {
        let digest = Id([7; 32]);
        let said = Installed {
            component,
            sequence,
            digest,
        };
        let body = write(DOMAIN, component, sequence, &digest.0);
        push(name, "ok", body, Some(said));
    }
    let digest = [7; 32];
    let good = write(DOMAIN, b"app", 3, &digest);
    push("an approval", "none", vec![0x80], None);
    push(
        "of another domain",
        "none",
        write("iotedge/update/1", b"app", 3, &digest),
        None,
    );
    push(
        "no number",
        "Range",
        write(DOMAIN, b"app", 0, &digest),
        None,
    );
    push(
        "no component",
        "Range",
        write(DOMAIN, b"", 3, &digest),
        None,
    );
    push(
        "a long component",
        "Range",
        write(DOMAIN, &[b'x'; 17], 3, &digest),
        None,
    );
    push(
        "a short digest",
        "Range",
        write(DOMAIN, b"app", 3, &digest[1..]),
        None,
    );
    push(
        "a byte short",
        "Truncated",
        good[..good.len() - 1].to_vec(),
        None,
    );
    push(
        "a byte behind it",
        "TrailingBytes",
        [&good[..], &[0]].concat(),
        None,
    );
    let mut long = good.clone();
    long.splice(25..26, [0x18, 3]);
    push("a long number", "NotDeterministic", long, None);
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    let mut out = Vec::new();
    contents(&mut out);
    refused_parts(&mut out);
    manifests(&mut out);
    records(&mut out);
    out
}

/// The file.
pub fn render(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/content.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("{path}: {} rows", rows.len());
}
