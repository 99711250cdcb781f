//! Writes `examples-c/resources/founded.h`: a neighbourhood of three devices whose every key is known, as an authority founds one.
//!
//! `cargo run -p iotedge-core --example gen_founded` regenerates the file. Founding is the gateway's work and not in the C interface; what it says to devices are these two frames.

use iotedge_core::crypto::SecretKey;
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{Caps, CoseKey, Genesis, MemberTable, Record, Roles, genesis};
use iotedge_core::posp::{Validator, ValidatorSet};
use iotedge_core::wire::list::{List, Raw};
use iotedge_core::wire::{Frame, Writer};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis};
use std::fmt::Write;

const DEVICES: u8 = 3;
const START: Millis = Millis(1_760_000_000_000);
const PERIOD: Millis = Millis(600_000);

/// Of device `n`, its seed is `n` + 1 throughout; of the authority `0xa0`, of the one validator `0xb0`.
fn secret(byte: u8) -> SecretKey {
    SecretKey::from_seed(&[byte; 32]).expect("a seed")
}

fn device(n: u8) -> SecretKey {
    secret(n + 1)
}

fn authority() -> SecretKey {
    secret(0xa0)
}

fn certificate(n: u8) -> Vec<u8> {
    let key = device(n).public_key();
    let id = CoseKey::thumbprint(&key);
    let claims = Claims {
        name: "Maker",
        expires: None,
        not_before: None,
        issued: Seconds(1_760_000_000),
        cti: Cti::new(&id.0[..8]).expect("8 bytes"),
        key,
        kind: Kind::Device,
    };
    let mut out = vec![0; cert::MAX_CERTIFICATE];
    let len = cert::issue(&claims, &authority(), &mut out).expect("issues");
    out.truncate(len);
    out
}

fn record(n: u8, g0: Id) -> Record {
    let roles = match n {
        0 => Roles::GL_NODE.with(Roles::FULL_NODE),
        _ => Roles::NONE,
    };
    let caps = Caps {
        tx: Amount(1_000),
        peer: Amount(5_000),
        exposure: Amount(20_000),
    };
    let key = device(n).public_key();
    Record::enrolled(MemberIndex(n.into()), key, roles, caps, Amount(10_000), g0)
}

fn encoded(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut room = vec![0; MAX_FRAME];
    let mut w = Writer::new(&mut room);
    write(&mut w);
    w.intact().expect("fits");
    w.written().to_vec()
}

fn framed(frame: &Frame<'_>, tag: [u8; 4]) -> Vec<u8> {
    let mut room = vec![0; MAX_FRAME];
    let len = frame.write(tag, &mut room).expect("fits");
    room.truncate(len);
    room
}

/// The neighbourhood, and the frames that say it and its table.
fn found() -> (Id, Vec<u8>, Vec<u8>) {
    let nonce = [0xc0; 32];
    let g0 = genesis::g0(&nonce, 0);
    let records: Vec<Record> = (0..DEVICES).map(|n| record(n, g0)).collect();
    let mut copy = records.clone();
    let table = MemberTable::adopt(&mut copy, records.len()).expect("a table");
    let validator = Validator {
        key: secret(0xb0)
            .public_key()
            .bytes()
            .try_into()
            .expect("32 bytes"),
        stake: 1,
    };
    let set = ValidatorSet::new(1, HeaderNumber(1), &[validator]).expect("a set");
    let genesis = Genesis {
        nonce,
        chain_id: 0,
        start: START,
        period: PERIOD,
        parent_age: Millis(PERIOD.0 / 4),
        // A device with one neighbour is served, too.
        neighbours: 1,
        caps: records[0].caps,
        grant: records[0].credits,
        max_members: 8,
        gl_node: MemberIndex(0),
        members: DEVICES.into(),
        weight: table.total_weight(),
        table_root: table.root().expect("a root"),
        validator_set: set.hash(),
        set_age: Millis(3_600_000),
    };
    let mut cose = vec![0; genesis::MAX_GENESIS];
    let len = genesis.sign(&authority(), &mut cose).expect("signs");
    let set = encoded(|w| set.encode(w).expect("fits"));
    let said = framed(
        &Frame::Genesis {
            cose: &cose[..len],
            set: &set,
        },
        [0; 4],
    );
    let id = genesis.neighbourhood().expect("an id");
    let records: Vec<Vec<u8>> = records
        .iter()
        .map(|record| encoded(|w| record.encode(w).expect("fits")))
        .collect();
    let raw: Vec<Raw<'_>> = records.iter().map(|record| Raw(record)).collect();
    let table = framed(
        &Frame::Table {
            epoch: Epoch(1),
            first: MemberIndex(0),
            records: List::of(&raw),
        },
        [id.0[0], id.0[1], id.0[2], id.0[3]],
    );
    (id, said, table)
}

fn array(out: &mut String, what: &str, name: &str, bytes: &[u8]) {
    let _ = write!(
        out,
        "\n/* {what} */\nstatic const uint8_t {name}[{}] = {{\n",
        bytes.len()
    );
    for line in bytes.chunks(16) {
        let line: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let _ = writeln!(out, "    {},", line.join(", "));
    }
    out.push_str("};\n");
}

fn render() -> String {
    let (id, genesis, table) = found();
    let mut out = String::from(
        "/* A neighbourhood of three devices, as its authority founded it: written by core/examples/gen_founded.rs.\n \
         * The seed of device n is n + 1, 32 times. T is ten minutes, q is 1, each device has 10,000 micro-tokens. */\n\
         #ifndef FOUNDED_H\n#define FOUNDED_H\n\n#include <stdint.h>\n\n",
    );
    let _ = writeln!(out, "#define FOUNDED_AT UINT64_C({})", START.0);
    let _ = writeln!(out, "#define FOUNDED_PERIOD {}", PERIOD.0);
    array(
        &mut out,
        "Its id; frames begin with the first four bytes.",
        "FOUNDED_ID",
        &id.0,
    );
    array(
        &mut out,
        "The authority that every device has pinned.",
        "FOUNDED_AUTHORITY",
        authority().public_key().bytes(),
    );
    array(&mut out, "The frame GENESIS.", "FOUNDED_GENESIS", &genesis);
    array(
        &mut out,
        "The frame TABLE of the founders.",
        "FOUNDED_TABLE",
        &table,
    );
    for n in 0..DEVICES {
        let what = format!("The certificate of device {n}.");
        array(
            &mut out,
            &what,
            &format!("FOUNDED_CERTIFICATE_{n}"),
            &certificate(n),
        );
    }
    out.push_str("\n#endif\n");
    out
}

fn main() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples-c/resources/founded.h"
    );
    std::fs::write(path, render()).expect("write founded.h");
}
