//! Writes `vectors/attest.json`: attestations (protocol section 2.4), valid and invalid.
//!
//! `cargo run -p iotedge-core --all-features --example gen_attest_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so
//! that a C program can run them. The payloads are written here by a small encoder of their own, not by the code under test.

use iotedge_core::crypto::{PublicKey, SecretKey, Signature, es256};
use iotedge_core::identity::{CoseKey, sign1};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

const NONCE: [u8; 32] = [0x4e; 32];

/// CBOR, as much as is needed here.
#[derive(Clone)]
enum C {
    U(u64),
    N(u64),
    B(Vec<u8>),
    T(String),
    A(Vec<C>),
    M(Vec<(C, C)>),
    Bool(bool),
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend([major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend((argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend((argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(argument.to_be_bytes());
        }
    }
}

fn write(value: &C, out: &mut Vec<u8>) {
    match value {
        C::U(n) => head(0, *n, out),
        C::N(n) => head(1, *n, out),
        C::B(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend(bytes);
        }
        C::T(text) => {
            head(3, text.len() as u64, out);
            out.extend(text.as_bytes());
        }
        C::A(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| write(item, out));
        }
        C::M(pairs) => {
            head(5, pairs.len() as u64, out);
            for (key, value) in pairs {
                write(key, out);
                write(value, out);
            }
        }
        C::Bool(value) => out.push(0xf4 + u8::from(*value)),
    }
}

fn enc(value: &C) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

fn t(text: &str) -> C {
    C::T(text.to_owned())
}

/// A key of either suite.
enum Secret {
    Ed(SecretKey),
    Es(es256::SecretKey),
}

impl Secret {
    fn key(&self) -> PublicKey {
        match self {
            Self::Ed(secret) => secret.public_key(),
            Self::Es(secret) => secret.public_key(),
        }
    }
    fn sign(&self, message: &[u8]) -> Signature {
        match self {
            Self::Ed(secret) => secret.sign(message),
            Self::Es(secret) => secret.sign(message).unwrap(),
        }
    }
}

fn ed(n: u8) -> Secret {
    Secret::Ed(SecretKey::from_seed(&[n; 32]).unwrap())
}

fn signed(secret: &Secret, aad: &[u8], payload: &[u8]) -> Vec<u8> {
    let header = sign1::protected(&secret.key());
    let (mut message, mut out) = ([0; 1400], [0; 1400]);
    let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &secret.sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

fn file(name: &str, digest: Vec<u8>, algorithm: u64) -> C {
    C::M(vec![
        (C::U(7), C::A(vec![C::U(algorithm), C::B(digest)])),
        (C::U(24), t(name)),
    ])
}

fn tag(files: C) -> C {
    let tag = C::M(vec![
        (C::U(0), t("iotedge:attest/1")),
        (C::U(1), t("measured at boot")),
        (
            C::U(2),
            C::M(vec![(C::U(31), t("device")), (C::U(33), C::U(1))]),
        ),
        (C::U(3), C::M(vec![(C::U(17), files)])),
        (C::U(12), C::U(0)),
    ]);
    C::A(vec![C::A(vec![C::U(258), C::B(enc(&tag))])])
}

fn ueid(key: &PublicKey) -> C {
    C::B([&[1], &CoseKey::thumbprint(key).0[..]].concat())
}

/// The claims that must be there, and more.
fn claims(key: &PublicKey, more: &[(u64, C)]) -> Vec<(C, C)> {
    let mut all = vec![
        (10, C::B(NONCE.to_vec())),
        (256, ueid(key)),
        (265, t("iotedge:attest/1")),
    ];
    all.extend(more.iter().cloned());
    all.sort_by_key(|(label, _)| *label);
    all.into_iter()
        .map(|(label, value)| (C::U(label), value))
        .collect()
}

fn all(stages: C) -> Vec<(u64, C)> {
    vec![
        (258, C::U(32473)),
        (259, C::B(b"acme-sensor-2".to_vec())),
        (260, C::A(vec![t("1.3")])),
        (262, C::Bool(true)),
        (263, C::U(3)),
        (267, C::U(17)),
        (268, C::B(vec![0x5e; 32])),
        (270, t("sensor")),
        (271, C::A(vec![t("2.0.1")])),
        (273, tag(stages)),
    ]
}

fn two() -> C {
    C::A(vec![
        file("bootloader", vec![0xb0; 32], 1),
        file("firmware", vec![0xf1; 32], 1),
    ])
}

struct Rows(Vec<Row>);

impl Rows {
    fn put(
        &mut self,
        name: &str,
        expect: &str,
        key: &PublicKey,
        eat: &[u8],
        said: &[(&str, String)],
    ) {
        let suite = key.suite().cose_alg().to_string();
        let fixed = [
            ("op", "attest".to_owned()),
            ("name", name.to_owned()),
            ("expect", expect.to_owned()),
            ("suite", suite),
            ("key", hex::encode(key.bytes())),
            ("device", CoseKey::thumbprint(key).to_string()),
            ("nonce", hex::encode(NONCE)),
            ("eat", hex::encode(eat)),
        ];
        let row = fixed.iter().chain(said);
        self.0.push(
            row.map(|(field, value)| ((*field).to_owned(), value.clone()))
                .collect(),
        );
    }

    /// One by seed 3 that is refused.
    fn wrong(&mut self, name: &str, expect: &str, payload: Vec<(C, C)>) {
        let secret = ed(3);
        let eat = signed(&secret, &[], &enc(&C::M(payload)));
        self.put(name, expect, &secret.key(), &eat, &[]);
    }
}

fn good(rows: &mut Rows) {
    let full = |measurements: &str| -> Vec<(&'static str, String)> {
        vec![
            ("oem", "32473".into()),
            ("model", hex::encode("acme-sensor-2")),
            ("hardware_version", "1.3".into()),
            ("secure_boot", "true".into()),
            ("debug", "3".into()),
            ("boot_count", "17".into()),
            ("boot_seed", hex::encode([0x5e; 32])),
            ("software_name", "sensor".into()),
            ("software_version", "2.0.1".into()),
            ("measurements", measurements.to_owned()),
        ]
    };
    let pair = format!(
        "bootloader={},firmware={}",
        hex::encode([0xb0; 32]),
        hex::encode([0xf1; 32])
    );
    let secret = ed(3);
    let key = secret.key();
    let eat = signed(&secret, &[], &enc(&C::M(claims(&key, &all(two())))));
    rows.put("all claims, Ed25519", "ok", &key, &eat, &full(&pair));
    let element = Secret::Es(es256::SecretKey::from_scalar(&[5; 32]).unwrap());
    let es = element.key();
    let eat = signed(&element, &[], &enc(&C::M(claims(&es, &all(two())))));
    rows.put("all claims, ES256", "ok", &es, &eat, &full(&pair));
    let eat = signed(&secret, &[], &enc(&C::M(claims(&key, &[]))));
    rows.put("no more than must be", "ok", &key, &eat, &[]);
    let one = file("firmware", vec![0xf1; 48], 7);
    let more = [
        (258, C::B(vec![1, 2, 3])),
        (262, C::Bool(false)),
        (273, tag(one)),
    ];
    let eat = signed(&secret, &[], &enc(&C::M(claims(&key, &more))));
    let said = [
        ("oem", "010203".to_owned()),
        ("secure_boot", "false".to_owned()),
        (
            "measurements",
            format!("firmware={}", hex::encode([0xf1; 48])),
        ),
    ];
    rows.put(
        "one measurement, SHA-384, and an OUI",
        "ok",
        &key,
        &eat,
        &said,
    );
}

fn bad(rows: &mut Rows) {
    let secret = ed(3);
    let key = secret.key();
    let payload = enc(&C::M(claims(&key, &all(two()))));
    let eat = signed(&secret, &[], &payload);
    let mut turned = eat.clone();
    let at = turned.len() - 20;
    turned[at] ^= 1;
    rows.put(
        "a bit of the signature",
        "Signature(Rejected)",
        &key,
        &turned,
        &[],
    );
    let mut turned = eat.clone();
    let at = turned.windows(8).position(|w| w == b"firmware").unwrap();
    turned[at] ^= 1;
    rows.put(
        "a bit of a measurement's name",
        "Signature(Rejected)",
        &key,
        &turned,
        &[],
    );
    let other = signed(&secret, &[0x81, 0x60], &payload);
    rows.put(
        "signed with an external_aad",
        "Signature(Rejected)",
        &key,
        &other,
        &[],
    );
    let stranger = signed(&ed(4), &[], &payload);
    rows.put(
        "another key over this device's id",
        "WrongSigner",
        &key,
        &stranger,
        &[],
    );
    rows.put(
        "tagged",
        "Wire(Type)",
        &key,
        &[&[0xd2], &eat[..]].concat(),
        &[],
    );
    rows.put(
        "one byte more",
        "Wire(TrailingBytes)",
        &key,
        &[&eat[..], &[0]].concat(),
        &[],
    );

    let with = |label: u64, value: C| {
        let mut all = claims(&key, &all(two()));
        for (of, to) in &mut all {
            if matches!(of, C::U(n) if *n == label) {
                *to = value.clone();
            }
        }
        all
    };
    let without = |label: u64| {
        let all = claims(&key, &all(two())).into_iter();
        all.filter(|(of, _)| !matches!(of, C::U(n) if *n == label))
            .collect::<Vec<_>>()
    };
    rows.wrong(
        "another nonce",
        "WrongNonce",
        with(10, C::B(vec![0x4f; 32])),
    );
    rows.wrong(
        "a nonce of 7 bytes",
        "NonceLength",
        with(10, C::B(vec![0x4e; 7])),
    );
    rows.wrong("no nonce", "Claim", without(10));
    rows.wrong(
        "another device",
        "WrongDevice",
        with(256, ueid(&ed(4).key())),
    );
    let imei = C::B([&[3], &[9; 32][..]].concat());
    rows.wrong("a UEID of another type", "Claim", with(256, imei));
    rows.wrong("no UEID", "Claim", without(256));
    rows.wrong(
        "another profile",
        "Profile",
        with(265, t("iotedge:attest/2")),
    );
    rows.wrong("no profile", "Profile", without(265));
    rows.wrong("an OEM id of 4 bytes", "Claim", with(258, C::B(vec![1; 4])));
    rows.wrong("a model of 33 bytes", "Text", with(259, C::B(vec![1; 33])));
    rows.wrong("an empty model", "Text", with(259, C::B(vec![])));
    rows.wrong(
        "a version that is no array",
        "Wire(Type)",
        with(260, t("1.3")),
    );
    rows.wrong(
        "a version with a scheme",
        "Wire(Range)",
        with(260, C::A(vec![t("1.3"), C::U(1)])),
    );
    rows.wrong("a debug state of 5", "Claim", with(263, C::U(5)));
    rows.wrong("secure boot as a number", "Wire(Type)", with(262, C::U(1)));
    rows.wrong(
        "a boot seed of 31 bytes",
        "Text",
        with(268, C::B(vec![1; 31])),
    );
    rows.wrong("a line break in a name", "Text", with(270, t("a\nb")));
    let twice = C::A(vec![file("x", vec![1; 32], 1), file("x", vec![2; 32], 1)]);
    rows.wrong(
        "two measurements of one name",
        "Measurement",
        with(273, tag(twice)),
    );
    let nine = C::A(
        (0..9)
            .map(|n| file(&n.to_string(), vec![n; 32], 1))
            .collect(),
    );
    let few = claims(&key, &[(273, tag(nine))]);
    rows.wrong("nine measurements", "Measurement", few);
    let alone = C::A(vec![file("x", vec![1; 32], 1)]);
    rows.wrong(
        "one measurement in an array",
        "Measurement",
        with(273, tag(alone)),
    );
    let odd = file("x", vec![1; 32], 8);
    rows.wrong(
        "a digest of another length than its function's",
        "Measurement",
        with(273, tag(odd)),
    );
    let mut unknown = claims(&key, &all(two()));
    unknown.push((C::U(274), C::A(vec![])));
    rows.wrong("a claim that is not ours", "Claim", unknown);
    let mut unsorted = claims(&key, &all(two()));
    unsorted.swap(2, 3);
    rows.wrong("claims out of order", "Wire(NotDeterministic)", unsorted);
    let certificate = vec![
        (C::U(1), t("Maker")),
        (C::U(6), C::U(1)),
        (C::U(7), C::B(vec![1; 8])),
        (C::U(8), C::M(vec![])),
        (C::N(70002), C::U(0)),
    ];
    rows.wrong("a certificate", "Claim", certificate);
}

/// Every row.
pub fn vectors() -> Vec<Row> {
    let mut rows = Rows(Vec::new());
    good(&mut rows);
    bad(&mut rows);
    rows.0
}

/// The file.
pub fn render(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|r| serde_json::to_string(r).unwrap())
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[allow(dead_code, reason = "the test includes this file")]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/attest.json");
    std::fs::write(path, render(&vectors())).unwrap();
}
