//! Writes `vectors/cluster.json`: names, claims, ties, scores and distances of clusters (protocol sections 10.1 and 10.2, decision 0020).
//!
//! `cargo run -p iotedge-core --example gen_cluster_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so
//! that a C program can run them. What a row expects of a claim is written here by hand, and forged ones are put together here without the checks under test.

use iotedge_core::cluster::claim::{DOMAIN, tie};
use iotedge_core::cluster::{
    Capability, Cell, ClusterSecret, ContextId, Measured, Policy, Profile, Statement, Tag, Wake,
};
use iotedge_core::crypto::SecretKey;
use iotedge_core::identity::{CoseKey, sign1};
use iotedge_core::wire::Writer;
use iotedge_core::{Epoch, Id, MemberIndex, Millis};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

const NEIGHBOURHOOD: Id = Id([0x11; 32]);
const HEAD: u8 = 1;
const OTHER: u8 = 2;

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

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

fn names(out: &mut Vec<Row>) {
    for (secret, epoch, label) in [
        (7u8, 1u32, "hall 3"),
        (7, 2, "hall 3"),
        (8, 1, "hall 3"),
        (7, 1, ""),
        (7, u32::MAX, "thirty-two bytes of a label, all"),
    ] {
        let names = ClusterSecret::new([secret; 32]);
        let what = label.as_bytes();
        let epoch = Epoch(epoch);
        for (op, name) in [
            (
                "context",
                names.context(&NEIGHBOURHOOD, epoch, what).0.to_vec(),
            ),
            ("owner", names.owner(&NEIGHBOURHOOD, epoch, what).0.to_vec()),
            (
                "contract",
                names.contract(&NEIGHBOURHOOD, epoch, what).0.to_vec(),
            ),
        ] {
            out.push(row(
                op,
                &format!("secret {secret}, epoch {}, \"{label}\"", epoch.0),
                "ok",
                &[
                    ("secret", hex::encode([secret; 32])),
                    ("neighbourhood", NEIGHBOURHOOD.to_string()),
                    ("epoch", epoch.0.to_string()),
                    ("label", hex::encode(what)),
                    ("found", hex::encode(name)),
                ],
            ));
        }
    }
}

fn statement() -> Statement {
    Statement {
        neighbourhood: NEIGHBOURHOOD,
        context: ContextId([2; 16]),
        epoch: Epoch(3),
        member: MemberIndex(4),
        term: 5,
        score: 60,
        at: Millis(1_700_000_000_000),
        until: Millis(1_700_000_008_000),
        successors: heapless::Vec::from_slice(&[MemberIndex(9), MemberIndex(2)]).unwrap(),
    }
}

/// A payload by hand: what `Statement::encode` refuses to write too.
fn payload(version: u64, s: &Statement, successors: &[u16]) -> Vec<u8> {
    let mut out = [0; 512];
    let mut w = Writer::new(&mut out);
    w.array(10).unwrap();
    w.uint(version).unwrap();
    w.id(&s.neighbourhood).unwrap();
    w.bytes(&s.context.0).unwrap();
    for n in [
        s.epoch.0.into(),
        s.member.0.into(),
        s.term.into(),
        s.score.into(),
        s.at.0,
        s.until.0,
    ] {
        w.uint(n).unwrap();
    }
    w.array(successors.len()).unwrap();
    for member in successors {
        w.uint((*member).into()).unwrap();
    }
    w.written().to_vec()
}

/// Signed by `seed` under `domain`, checked by nobody.
fn signed(seed: u8, domain: &str, payload: &[u8]) -> Vec<u8> {
    let header = sign1::protected(&secret(seed).public_key());
    let mut aad = [0; 32];
    let aad = sign1::domain_aad(domain, &mut aad).unwrap();
    let (mut message, mut out) = ([0; 800], [0; 800]);
    let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &secret(seed).sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

fn claims(out: &mut Vec<Row>) {
    let mut case = |name: &str, expect: &str, claim: &[u8], said: Option<&Statement>| {
        let mut fields = vec![
            ("neighbourhood", NEIGHBOURHOOD.to_string()),
            ("key", hex::encode(secret(HEAD).public_key().bytes())),
            ("claim", hex::encode(claim)),
        ];
        if let Some(s) = said {
            let line: Vec<String> = s.successors.iter().map(|m| m.0.to_string()).collect();
            fields.extend([
                ("context", hex::encode(s.context.0)),
                ("epoch", s.epoch.0.to_string()),
                ("member", s.member.0.to_string()),
                ("term", s.term.to_string()),
                ("score", s.score.to_string()),
                ("at", s.at.0.to_string()),
                ("until", s.until.0.to_string()),
                ("successors", line.join(",")),
            ]);
        }
        out.push(row("claim", name, expect, &fields));
    };
    let good = statement();
    let line = [9, 2];
    let base = payload(1, &good, &line);
    let candidacy = Statement {
        term: 0,
        successors: heapless::Vec::new(),
        ..statement()
    };
    let longest = Statement {
        epoch: Epoch(u32::MAX),
        member: MemberIndex(u16::MAX),
        term: u32::MAX,
        score: u16::MAX,
        at: Millis(u64::MAX),
        until: Millis(u64::MAX),
        successors: (60_000..60_004).map(MemberIndex).collect(),
        ..statement()
    };
    let laid_down = Statement {
        until: good.at,
        ..statement()
    };
    let full = [60_000, 60_001, 60_002, 60_003];
    for (name, s, line) in [
        ("a head with two behind it", &good, &line[..]),
        ("a candidacy", &candidacy, &[]),
        ("a lease laid down", &laid_down, &line),
        ("the longest", &longest, &full),
    ] {
        case(
            name,
            "ok",
            &signed(HEAD, DOMAIN, &payload(1, s, line)),
            Some(s),
        );
    }
    let whole = signed(HEAD, DOMAIN, &base);
    let with = |s: &Statement, line: &[u16]| signed(HEAD, DOMAIN, &payload(1, s, line));
    case(
        "another version",
        "Version",
        &signed(HEAD, DOMAIN, &payload(2, &good, &line)),
        None,
    );
    let elsewhere = Statement {
        neighbourhood: Id([0x12; 32]),
        ..statement()
    };
    case(
        "another neighbourhood",
        "Neighbourhood",
        &with(&elsewhere, &line),
        None,
    );
    let early = Statement {
        until: Millis(1),
        ..statement()
    };
    case(
        "it ends before it begins",
        "Fields",
        &with(&early, &line),
        None,
    );
    case("itself behind it", "Fields", &with(&good, &[9, 4]), None);
    case("one twice behind it", "Fields", &with(&good, &[9, 9]), None);
    case(
        "a candidacy with a line",
        "Fields",
        &with(&candidacy, &[9]),
        None,
    );
    case(
        "five behind it",
        "Wire(Range)",
        &with(&good, &[9, 2, 3, 5, 6]),
        None,
    );
    case(
        "by another",
        "Signer(WrongSigner)",
        &signed(OTHER, DOMAIN, &base),
        None,
    );
    case(
        "under another domain",
        "Signer(Signature(Rejected))",
        &signed(HEAD, "iotedge/macro/1", &base),
        None,
    );
    let mut bent = whole.clone();
    let last = bent.len() - 1;
    bent[last] ^= 1;
    case(
        "another signature",
        "Signer(Signature(Rejected))",
        &bent,
        None,
    );
    case("a byte short", "Wire(Truncated)", &whole[..last], None);
    case(
        "a byte more",
        "Wire(TrailingBytes)",
        &[&whole[..], &[0]].concat(),
        None,
    );
}

fn ties(out: &mut Vec<Row>) {
    for (epoch, seed) in [(1u32, HEAD), (2, HEAD), (1, OTHER), (u32::MAX, OTHER)] {
        let device = CoseKey::thumbprint(&secret(seed).public_key());
        out.push(row(
            "tie",
            &format!("epoch {epoch}"),
            "ok",
            &[
                ("epoch", epoch.to_string()),
                ("device", device.to_string()),
                ("found", tie(epoch, &device).to_string()),
            ],
        ));
    }
}

fn scores(out: &mut Vec<Row>) {
    for (mains, free_kib, uplink, uptime, battery) in [
        (false, 0, 0, 0, 0),
        (true, 1 << 20, 100, 1_000_000, 0),
        (false, 16, 50, 3_600, 80),
        (false, 512, 99, 599, 100),
        (true, 64, 12, 600, 5),
    ] {
        let able = Capability {
            mains,
            free_kib,
            uplink,
            uptime: Millis(uptime * 1_000),
            battery,
        };
        out.push(row(
            "score",
            &format!("{free_kib} KiB, uplink {uplink}, {uptime} s"),
            "ok",
            &[
                ("mains", u8::from(mains).to_string()),
                ("free_kib", free_kib.to_string()),
                ("uplink", uplink.to_string()),
                ("uptime", uptime.to_string()),
                ("battery", battery.to_string()),
                ("found", able.score().to_string()),
            ],
        ));
    }
}

type Side = (
    Option<[i32; 3]>,
    Option<i8>,
    Option<u8>,
    u8,
    &'static [u8],
    u32,
);

fn side(side: &Side) -> (Profile, Measured) {
    let (cell, rssi, hops, owner, contracts, wake) = *side;
    let profile = Profile {
        cell: cell.map(|[x, y, z]| Cell {
            x,
            y,
            z: z.try_into().unwrap(),
        }),
        owner: Tag([owner; 8]),
        contracts: contracts.iter().map(|t| Tag([*t; 8])).collect(),
        wake: Wake::new(wake).unwrap(),
    };
    (profile, Measured { rssi, hops })
}

/// `cell` x,y,z, `rssi` and `hops` are empty where they are not known.
fn described(prefix: &str, side: &Side) -> Vec<(String, String)> {
    let (cell, rssi, hops, owner, contracts, wake) = side;
    let text = |n: Option<i64>| n.map_or(String::new(), |n| n.to_string());
    let cell = cell.map_or(String::new(), |[x, y, z]| format!("{x},{y},{z}"));
    let tags: Vec<u8> = contracts.iter().flat_map(|t| [*t; 8]).collect();
    [
        ("cell", cell),
        ("rssi", text(rssi.map(i64::from))),
        ("hops", text(hops.map(i64::from))),
        ("owner", hex::encode([*owner; 8])),
        ("contracts", hex::encode(tags)),
        ("wake", wake.to_string()),
    ]
    .into_iter()
    .map(|(field, value)| (format!("{prefix}_{field}"), value))
    .collect()
}

fn distances(out: &mut Vec<Row>) {
    const ALWAYS: u32 = u32::MAX;
    let cases: [(&str, Side, Side); 9] = [
        (
            "side by side, one owner, always awake",
            (None, Some(-40), None, 1, &[], ALWAYS),
            (None, Some(-40), None, 1, &[], ALWAYS),
        ),
        (
            "nothing known, nothing shared, never awake together",
            (None, None, None, 1, &[], 0x0f),
            (None, None, None, 2, &[], 0xf0),
        ),
        (
            "the weaker signal counts",
            (None, Some(-50), None, 1, &[], ALWAYS),
            (None, Some(-80), None, 1, &[], ALWAYS),
        ),
        (
            "hops where one has no signal",
            (None, Some(-50), Some(2), 1, &[], ALWAYS),
            (None, None, Some(3), 1, &[], ALWAYS),
        ),
        (
            "cells at last",
            (Some([3, -4, 0]), None, Some(2), 1, &[], ALWAYS),
            (Some([-2, -4, 1]), None, None, 1, &[], ALWAYS),
        ),
        (
            "beyond all scales",
            (Some([i32::MAX, 0, 0]), None, None, 1, &[], ALWAYS),
            (Some([i32::MIN, 0, 0]), None, None, 1, &[], ALWAYS),
        ),
        (
            "two contracts of other owners, one named twice",
            (None, Some(-60), None, 1, &[5, 6, 5, 7], ALWAYS),
            (None, Some(-60), None, 2, &[6, 5, 8], ALWAYS),
        ),
        (
            "awake together in one of three slots",
            (None, Some(-45), None, 1, &[], 0b0111),
            (None, Some(-45), None, 1, &[], 0b11_1100),
        ),
        (
            "a step beyond equals is never nothing",
            (None, Some(-46), None, 1, &[], ALWAYS),
            (None, Some(-45), None, 1, &[], ALWAYS),
        ),
    ];
    for (name, a, b) in cases {
        let (one, seen) = side(&a);
        let (other, back) = side(&b);
        let found = Policy::DEFAULT.distance((&one, seen), (&other, back));
        let mut fields = described("a", &a);
        fields.extend(described("b", &b));
        fields.push(("found".into(), found.0.to_string()));
        let fields: Vec<(&str, String)> = fields
            .iter()
            .map(|(f, v)| (f.as_str(), v.clone()))
            .collect();
        out.push(row("distance", name, "ok", &fields));
    }
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    let mut out = Vec::new();
    names(&mut out);
    claims(&mut out);
    ties(&mut out);
    scores(&mut out);
    distances(&mut out);
    out
}

/// The file's text: one row per line.
pub fn render(rows: &[Row]) -> String {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[allow(
    dead_code,
    reason = "the test that compares the file includes this one as a module"
)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/cluster.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("wrote {} vectors to vectors/cluster.json", rows.len());
}
