//! Writes `vectors/channel.json`: keys, messages, statements, grants, wraps and paths of channels (protocol section 12).
//!
//! `cargo run -p iotedge-core --example gen_channel_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so that a C program can run them.

use iotedge_core::channel::keys::{Chain, Mode, SideKey};
use iotedge_core::channel::owner::Config;
use iotedge_core::channel::slots::Slots;
use iotedge_core::channel::statement::{self, Batch, Op};
use iotedge_core::channel::{
    ChannelNumber, Form, Index, KeyEpoch, Owner, Place, channel_id, grant,
};
use iotedge_core::crypto::SecretKey;
use iotedge_core::crypto::hpke::derive_key_pair;
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::wire::Writer;
use iotedge_core::{Id, MemberIndex, Number};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

const NEIGHBOURHOOD: Id = Id([0x11; 32]);
const OWNER: Id = Id([7; 32]);
const READER: Id = Id([3; 32]);
const SIDE: [u8; 32] = [5; 32];

/// Draws the same key always, and stores nothing: for vectors only.
struct Fixed;

impl Platform for Fixed {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        out.fill(0x42);
        Ok(())
    }
    fn get(&mut self, _: u16, _: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        Ok(None)
    }
    fn put(&mut self, _: u16, _: &[u8]) -> Result<(), PlatformError> {
        Ok(())
    }
    fn remove(&mut self, _: u16) -> Result<(), PlatformError> {
        Ok(())
    }
}

fn row(op: &str, name: &str, fields: &[(&str, String)]) -> Row {
    let fixed = [("op", op.to_owned()), ("name", name.to_owned())];
    let all = fixed.iter().chain(fields);
    all.map(|(field, value)| ((*field).to_owned(), value.clone()))
        .collect()
}

fn number(sub: u16) -> ChannelNumber {
    ChannelNumber { main: 1, sub }
}

fn signer() -> SecretKey {
    SecretKey::from_seed(&[1; 32]).unwrap()
}

fn forms() -> Vec<(&'static str, Form)> {
    let mut all = Vec::new();
    for signed in [false, true] {
        for (name, cose, long_tag) in [
            ("compact, 8", false, false),
            ("compact, 16", false, true),
            ("COSE_Encrypt0", true, true),
        ] {
            all.push((
                name,
                Form {
                    signed,
                    cose,
                    long_tag,
                },
            ));
        }
    }
    all
}

fn messages(out: &mut Vec<Row>) {
    for (mode, sub) in [(Mode::Public, 0), (Mode::Private, 0), (Mode::Restricted, 2)] {
        let side = (mode == Mode::Restricted).then_some(SideKey(SIDE));
        let channel = channel_id(&NEIGHBOURHOOD, &OWNER, number(sub));
        let config = Config {
            channel,
            mode,
            key: 1,
            ahead: 64,
        };
        let mut leaves = [Id::ZERO; 6];
        let mut owner = Owner::open(&mut Fixed, Number(0), config, side, &mut leaves).unwrap();
        let chain = match mode {
            Mode::Public => String::new(),
            _ => hex::encode([0x42; 32]),
        };
        let mut rows = Vec::new();
        for (name, form) in forms() {
            let body = b"a reading of 20 byte";
            let mut bytes = [0; 256];
            let done = owner
                .publish(&mut Fixed, Number(0), form, body, &mut bytes)
                .unwrap();
            let len = match form.signed {
                true => done
                    .sign(&signer().sign(&done.to_be_signed()), &mut bytes)
                    .unwrap(),
                false => done.len,
            };
            let signed = if form.signed { "signed" } else { "tagged" };
            rows.push(row(
                "message",
                &format!("{mode:?}, {signed}, {name}"),
                &[
                    ("neighbourhood", NEIGHBOURHOOD.to_string()),
                    ("owner", OWNER.to_string()),
                    ("key", hex::encode(signer().public_key().bytes())),
                    ("number", number(sub).to_wire().to_string()),
                    ("channel", channel.to_string()),
                    ("mode", (mode as u8).to_string()),
                    ("chain0", chain.clone()),
                    ("side", side_of(mode)),
                    ("epoch", done.place.epoch.0.to_string()),
                    ("index", done.place.index.0.to_string()),
                    ("flags", form.byte().to_string()),
                    ("plain", hex::encode(body)),
                    ("message", hex::encode(&bytes[..len])),
                    ("leaf", done.leaf.to_string()),
                ],
            ));
        }
        let batch = owner.batch().unwrap();
        for (at, mut one) in (0u64..).zip(rows) {
            let mut path = [Id::ZERO; 6];
            let len = owner.path(Index(at), &mut path).unwrap();
            let path: String = path[..len].iter().map(Id::to_string).collect();
            one.insert("root".into(), batch.root.to_string());
            one.insert("count".into(), batch.count.to_string());
            one.insert("path".into(), path);
            out.push(one);
        }
    }
}

fn side_of(mode: Mode) -> String {
    match mode {
        Mode::Restricted => hex::encode(SIDE),
        _ => String::new(),
    }
}

fn grants(out: &mut Vec<Row>) {
    let secret = [9; 32];
    let reader = derive_key_pair(&secret);
    for mode in [Mode::Private, Mode::Restricted] {
        let side = (mode == Mode::Restricted).then_some(SideKey(SIDE));
        let place = Place {
            channel: channel_id(&NEIGHBOURHOOD, &OWNER, number(0)),
            epoch: KeyEpoch(3),
            index: Index(1000),
        };
        let chain = Chain::new([0x43; 32]);
        let key = reader.public_key();
        let sealed = grant::seal(&chain, &place, &READER, &key, side.as_ref(), &[8; 32]);
        let (sealed, slot_key) = sealed.unwrap();
        let mut slots = Slots::new([2; 32], place.channel, 2).unwrap();
        let slot = slots.give().unwrap();
        for _ in 0..2 {
            slots.give().unwrap();
        }
        slots.revoke(1).unwrap();
        let mut path = [0; 272];
        let len = slots.path(slot, &slot_key, &mut path).unwrap();
        let wraps: Vec<_> = slots
            .cover()
            .map(|node| slots.wrap(node, &place, &chain).unwrap())
            .collect();
        out.push(row(
            "grant",
            &format!("{mode:?}"),
            &[
                ("channel", place.channel.to_string()),
                ("epoch", "3".into()),
                ("index", "1000".into()),
                ("reader", READER.to_string()),
                ("ikm", hex::encode(secret)),
                ("side", side_of(mode)),
                ("sealed", hex::encode(sealed)),
                ("chain", hex::encode([0x43; 32])),
                ("slot", slot.to_string()),
                ("path", hex::encode(&path[..len])),
                ("wraps", hex::encode(wraps.as_flattened())),
                ("master", hex::encode([2; 32])),
                ("depth", "2".into()),
            ],
        ));
    }
}

fn statements(out: &mut Vec<Row>) {
    let wraps = [[1; statement::WRAP]; 2];
    let ops = [
        (
            "announce",
            Op::Announce {
                number: number(0),
                mode: Mode::Restricted,
                epoch: KeyEpoch(3),
                index: Index(70_000),
            },
        ),
        (
            "root",
            Op::Root {
                number: number(0),
                batch: Batch {
                    epoch: KeyEpoch(1),
                    first: Index(64),
                    count: 64,
                    root: Id([5; 32]),
                },
            },
        ),
        (
            "subscribe",
            Op::Subscribe {
                owner: MemberIndex(4),
                number: number(2),
                key: &[6; 32],
            },
        ),
        (
            "grant",
            Op::Grant {
                number: number(0),
                epoch: KeyEpoch(1),
                index: Index(1000),
                to: MemberIndex(70),
                sealed: &[7; 80],
            },
        ),
        (
            "revoke",
            Op::Revoke {
                number: number(0),
                epoch: KeyEpoch(2),
                index: Index(0),
                ended: Index(90),
                wraps: &wraps,
            },
        ),
        (
            "path",
            Op::Path {
                number: number(0),
                to: MemberIndex(70),
                slot: 3,
                sealed: &[8; 112],
            },
        ),
        (
            "message",
            Op::Message {
                number: number(0),
                sealed: &[0x13; 45],
            },
        ),
    ];
    let mut push = |name: &str, expect: &str, body: &[u8]| {
        let mut scratch = [0; 1024];
        let message = statement::to_be_signed(&NEIGHBOURHOOD, &OWNER, body, &mut scratch);
        let signature = signer().sign(message.unwrap());
        out.push(row(
            "statement",
            name,
            &[
                ("expect", expect.into()),
                ("neighbourhood", NEIGHBOURHOOD.to_string()),
                ("owner", OWNER.to_string()),
                ("key", hex::encode(signer().public_key().bytes())),
                ("statement", hex::encode([body, &signature.0].concat())),
            ],
        ));
    };
    for (name, op) in ops {
        let mut body = [0; 512];
        let mut w = Writer::new(&mut body);
        op.write(&mut w).unwrap();
        push(name, "ok", w.into_written());
    }
    for (name, expect, body) in [
        ("no such op", "Op", &[0x81, 7][..]),
        ("a mode that does not exist", "Mode", &[0x85, 0, 1, 3, 1, 0]),
        ("key epoch 0", "Wire(Range)", &[0x85, 0, 1, 1, 0, 0]),
        (
            "half a wrap",
            "Wire(Range)",
            &[0x86, 4, 1, 2, 0, 0, 0x41, 0],
        ),
        (
            "a revoke that opens the first key epoch",
            "Wire(Range)",
            &[0x86, 4, 1, 1, 0, 0, 0x40],
        ),
        (
            "a path of no length",
            "Wire(Range)",
            &[0x85, 5, 1, 1, 0, 0x40],
        ),
        (
            "a long head",
            "Wire(NotDeterministic)",
            &[0x85, 0, 0x18, 1, 1, 1, 0],
        ),
        (
            "a byte behind it",
            "Wire(TrailingBytes)",
            &[0x85, 0, 1, 1, 1, 0, 0],
        ),
    ] {
        push(name, expect, body);
    }
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    let mut out = Vec::new();
    messages(&mut out);
    grants(&mut out);
    statements(&mut out);
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/channel.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("{path}: {} rows", rows.len());
}
