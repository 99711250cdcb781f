//! Writes `vectors/identity.json`: every format of the identity room, valid and invalid.
//!
//! `cargo run -p iotedge-core --example gen_identity_vectors` regenerates the file; a test compares it. Rows are flat and hold strings only,
//! so that a C program can run them; `vectors/README.md` says what the fields mean. Keys come from one-byte seeds. What a row expects is
//! written here by hand, and forged statements are signed here without the checks of the room under test.

use iotedge_core::crypto::{PublicKey, SecretKey};
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{
    Caps, CoseKey, DeviceId, Genesis, MemberTable, Record, Roles, enrol, genesis, revocation,
    rotation, sign1,
};
use iotedge_core::wire::Writer;
use iotedge_core::{Amount, Id, MemberIndex, Millis, Number, Weight};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

const NOW: u64 = 1_760_000_000;
const DAY: u64 = 86_400;

const MAKER: u8 = 1;
const AUTHORITY: u8 = 2;
const DEVICE: u8 = 3;
const STRANGER: u8 = 4;
const NEIGHBOURHOOD: u8 = 5;

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

fn public(seed: u8) -> PublicKey {
    secret(seed).public_key()
}

fn raw(seed: u8) -> String {
    hex::encode(public(seed).bytes())
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = [0; 1024];
    let mut w = Writer::new(&mut out);
    write(&mut w);
    w.written().to_vec()
}

fn cose_key(key: &PublicKey) -> Vec<u8> {
    written(|w| CoseKey::encode(key, w).unwrap())
}

/// The bytes with `from` replaced by `to`, where `from` occurs exactly once.
fn with(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from)
        .map(|(at, _)| at)
        .collect();
    assert_eq!(at.len(), 1, "{} must occur once", hex::encode(from));
    let mut out = bytes.to_vec();
    out.splice(at[0]..at[0] + from.len(), to.iter().copied());
    out
}

/// A COSE_Sign1 by `seed` over any payload, checked by nobody.
fn forged(seed: u8, domain: Option<&str>, payload: &[u8]) -> Vec<u8> {
    let header = sign1::protected(&public(seed));
    let mut aad = [0; 32];
    let aad = domain.map_or(&[][..], |domain| {
        sign1::domain_aad(domain, &mut aad).unwrap()
    });
    let (mut message, mut out) = ([0; 1024], [0; 1024]);
    let message = sign1::to_be_signed(&header, aad, payload, &mut message).unwrap();
    let len = sign1::assemble(&header, payload, &secret(seed).sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

fn payload(cose: &[u8]) -> Vec<u8> {
    sign1::Sign1::parse(cose).unwrap().payload.to_vec()
}

fn longer(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}

fn shorter(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 1].to_vec()
}

/// The statement with one bit of R turned.
fn bad_signature(cose: &[u8]) -> Vec<u8> {
    let mut bytes = cose.to_vec();
    let at = bytes.len() - 64;
    bytes[at] ^= 1;
    bytes
}

fn keys(out: &mut Vec<Row>) {
    let p256 = [
        "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d",
        "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
    ];
    let p256 = PublicKey::Es256(hex::decode(p256.concat()).unwrap().try_into().unwrap());
    let named = [
        ("Ed25519, seed 03 x 32", public(DEVICE)),
        ("Ed25519, seed 01 x 32", public(MAKER)),
        ("P-256, RFC 9679 section 6", p256),
    ];
    for (name, key) in named {
        let thumbprint = CoseKey::thumbprint(&key);
        out.push(row(
            "cose-key",
            name,
            "ok",
            &[
                ("key", hex::encode(cose_key(&key))),
                ("alg", key.suite().cose_alg().to_string()),
                ("raw", hex::encode(key.bytes())),
                ("thumbprint", thumbprint.to_string()),
                ("kid", hex::encode(CoseKey::kid(&key))),
                ("device_id", DeviceId(thumbprint).to_string()),
            ],
        ));
    }
    let good = cose_key(&public(DEVICE));
    let x = public(DEVICE).bytes().to_vec();
    let bad = [
        ("a byte follows", "TrailingBytes", longer(&good)),
        ("cut short", "Truncated", shorter(&good)),
        (
            "a kid beside",
            "Type",
            [&[0xa4, 1, 1, 2, 0x41, 0, 0x20, 6, 0x21, 0x58, 0x20][..], &x].concat(),
        ),
        (
            "keys out of order",
            "Type",
            [&[0xa3, 0x20, 6, 1, 1, 0x21, 0x58, 0x20][..], &x].concat(),
        ),
        (
            "long head of a length",
            "NotDeterministic",
            [&[0xa3, 1, 1, 0x20, 6, 0x21, 0x59, 0, 0x20][..], &x].concat(),
        ),
        (
            "indefinite map",
            "NotDeterministic",
            [&[0xbf, 1, 1, 0x20, 6, 0x21, 0x58, 0x20][..], &x, &[0xff]].concat(),
        ),
        ("curve X25519", "Type", with(&good, &[0x20, 6], &[0x20, 4])),
        (
            "x of 31 bytes",
            "Range",
            shorter(&with(&good, &[0x58, 0x20], &[0x58, 0x1f])),
        ),
    ];
    for (name, expect, bytes) in bad {
        out.push(row(
            "cose-key",
            name,
            expect,
            &[("key", hex::encode(bytes))],
        ));
    }
}

fn device_ids(out: &mut Vec<Row>) {
    use bech32::{Bech32, Bech32m, ByteIterExt, Fe32IterExt, Hrp};
    let id = CoseKey::thumbprint(&public(DEVICE));
    let bytes = || id.0.iter().copied().bytes_to_fes();
    let text: String = bytes()
        .with_checksum::<Bech32m>(&Hrp::parse("iote").unwrap())
        .chars()
        .collect();
    for (name, text) in [
        ("lower case", text.clone()),
        ("upper case", text.to_uppercase()),
    ] {
        out.push(row(
            "device-id",
            name,
            "ok",
            &[("text", text), ("id", id.to_string())],
        ));
    }
    let bech32: String = bytes()
        .with_checksum::<Bech32>(&Hrp::parse("iote").unwrap())
        .chars()
        .collect();
    let other: String = bytes()
        .with_checksum::<Bech32m>(&Hrp::parse("iota").unwrap())
        .chars()
        .collect();
    let last = text.chars().last().unwrap();
    let swapped = if last == 'q' { 'p' } else { 'q' };
    let bad = [
        ("Bech32 instead of Bech32m", "Checksum", bech32),
        ("another prefix", "Prefix", other),
        ("mixed case", "MixedCase", text.replacen("iote", "IOTE", 1)),
        ("one character missing", "Length", text[..62].to_owned()),
        ("one character more", "Length", format!("{text}q")),
        (
            "a character that Bech32 lacks",
            "Character",
            format!("{}b", &text[..62]),
        ),
        (
            "last character wrong",
            "Checksum",
            format!("{}{swapped}", &text[..62]),
        ),
    ];
    for (name, expect, text) in bad {
        out.push(row("device-id", name, expect, &[("text", text)]));
    }
}

fn claims(seed: u8, kind: Kind) -> Claims<'static> {
    Claims {
        name: "Maker",
        expires: Some(Seconds(NOW + 365 * DAY)),
        not_before: None,
        issued: Seconds(NOW - DAY),
        cti: Cti::new(&[0xc0 + seed; 8]).unwrap(),
        key: public(seed),
        kind,
    }
}

fn issued(claims: &Claims<'_>, by: u8) -> Vec<u8> {
    let mut out = [0; cert::MAX_CERTIFICATE];
    let len = cert::issue(claims, &secret(by), &mut out).unwrap();
    out[..len].to_vec()
}

fn list(by: u8, number: u64, ids: &[&[u8]]) -> Vec<u8> {
    let ids: Vec<Cti> = ids.iter().map(|id| Cti::new(id).unwrap()).collect();
    let mut scratch = vec![0; revocation::max_len(ids.len())];
    let mut out = scratch.clone();
    let len = revocation::issue(
        number,
        Seconds(NOW),
        &ids,
        &secret(by),
        &mut scratch,
        &mut out,
    )
    .unwrap();
    out[..len].to_vec()
}

fn certificates(out: &mut Vec<Row>) {
    let mut case =
        |name: &str, expect: &str, chain: &[Vec<u8>], kind: Kind, now: u64, revoked: &[u8]| {
            let mut fields = vec![
                ("anchors", raw(STRANGER) + &raw(MAKER)),
                ("now", now.to_string()),
                ("kind", kind.code().to_string()),
                ("revoked", hex::encode(revoked)),
            ];
            for (field, link) in ["first", "second", "third"].iter().zip(chain) {
                fields.push((*field, hex::encode(link)));
            }
            if expect == "ok" {
                let seed = DEVICE;
                fields.push(("raw", raw(seed)));
                fields.push(("device", CoseKey::thumbprint(&public(seed)).to_string()));
                fields.push(("cti", hex::encode([0xc0 + seed; 8])));
            }
            out.push(row("chain", name, expect, &fields));
        };
    let device = claims(DEVICE, Kind::Device);
    let authority = claims(AUTHORITY, Kind::Authority);
    let one = issued(&device, MAKER);
    let two = [issued(&authority, MAKER), issued(&device, AUTHORITY)];
    let end = NOW + 365 * DAY;
    case(
        "one link",
        "ok",
        std::slice::from_ref(&one),
        Kind::Device,
        NOW,
        &[],
    );
    case("two links", "ok", &two, Kind::Device, NOW, &[]);
    for kind in [Kind::GlNode, Kind::Validator, Kind::Authority, Kind::Leaf] {
        let link = issued(&Claims { kind, ..device }, MAKER);
        case(
            &format!("kind {}", kind.code()),
            "ok",
            &[link],
            kind,
            NOW,
            &[],
        );
    }
    let small = issued(
        &Claims {
            kind: Kind::Leaf,
            ..device
        },
        AUTHORITY,
    );
    case(
        "a leaf below an authority",
        "ok",
        &[two[0].clone(), small.clone()],
        Kind::Leaf,
        NOW,
        &[],
    );
    case(
        "a leaf is no device",
        "WrongKind",
        &[two[0].clone(), small],
        Kind::Device,
        NOW,
        &[],
    );
    let begins = Claims {
        not_before: Some(Seconds(NOW)),
        ..device
    };
    case(
        "its first second",
        "ok",
        &[issued(&begins, MAKER)],
        Kind::Device,
        NOW,
        &[],
    );
    case(
        "its last second",
        "ok",
        std::slice::from_ref(&one),
        Kind::Device,
        end - 1,
        &[],
    );
    let endless = Claims {
        expires: None,
        ..device
    };
    case(
        "without exp",
        "ok",
        &[issued(&endless, MAKER)],
        Kind::Device,
        u64::MAX,
        &[],
    );
    case(
        "another id revoked",
        "ok",
        &two,
        Kind::Device,
        NOW,
        &[0xaa; 8],
    );

    case("no link", "ChainLength", &[], Kind::Device, NOW, &[]);
    let three = [two[0].clone(), two[0].clone(), two[1].clone()];
    case("three links", "ChainLength", &three, Kind::Device, NOW, &[]);
    case(
        "a second too early",
        "NotYetValid",
        &[issued(&begins, MAKER)],
        Kind::Device,
        NOW - 1,
        &[],
    );
    case(
        "a second too late",
        "Expired",
        std::slice::from_ref(&one),
        Kind::Device,
        end,
        &[],
    );
    case("authority expired", "Expired", &two, Kind::Device, end, &[]);
    case(
        "device revoked",
        "Revoked",
        &two,
        Kind::Device,
        NOW,
        &[0xc0 + DEVICE; 8],
    );
    case(
        "authority revoked",
        "Revoked",
        &two,
        Kind::Device,
        NOW,
        &[0xc0 + AUTHORITY; 8],
    );
    case(
        "signer not pinned",
        "UnknownAuthority",
        &[issued(&device, NEIGHBOURHOOD)],
        Kind::Device,
        NOW,
        &[],
    );
    let stray = [two[0].clone(), issued(&device, STRANGER)];
    case(
        "second link by another",
        "WrongSigner",
        &stray,
        Kind::Device,
        NOW,
        &[],
    );
    let not = [
        issued(
            &Claims {
                kind: Kind::GlNode,
                ..authority
            },
            MAKER,
        ),
        two[1].clone(),
    ];
    case(
        "first link no authority",
        "NotAnAuthority",
        &not,
        Kind::Device,
        NOW,
        &[],
    );
    for kind in [Kind::Authority, Kind::GlNode, Kind::Validator] {
        let chain = [
            two[0].clone(),
            issued(&Claims { kind, ..device }, AUTHORITY),
        ];
        case(
            &format!("authority signs kind {}", kind.code()),
            "NotItsToSign",
            &chain,
            kind,
            NOW,
            &[],
        );
    }
    case(
        "another kind",
        "WrongKind",
        std::slice::from_ref(&one),
        Kind::Validator,
        NOW,
        &[],
    );
    let long = [
        two[0].clone(),
        issued(
            &Claims {
                expires: Some(Seconds(end + 1)),
                ..device
            },
            AUTHORITY,
        ),
    ];
    case(
        "outlives its authority",
        "Outlives",
        &long,
        Kind::Device,
        NOW,
        &[],
    );
    let endless = [two[0].clone(), issued(&endless, AUTHORITY)];
    case(
        "no exp below one that has",
        "Outlives",
        &endless,
        Kind::Device,
        NOW,
        &[],
    );

    let mut broken = |name: &str, expect: &str, link: Vec<u8>| {
        case(name, expect, &[link], Kind::Device, NOW, &[])
    };
    let said = payload(&one);
    let signed = |payload: &[u8]| forged(MAKER, None, payload);
    broken("another message signed", "Signature(Rejected)", {
        let other = issued(
            &Claims {
                issued: Seconds(NOW),
                ..device
            },
            MAKER,
        );
        [&one[..one.len() - 64], &other[other.len() - 64..]].concat()
    });
    broken(
        "signed under a domain",
        "Signature(Rejected)",
        forged(MAKER, Some(genesis::DOMAIN), &said),
    );
    broken("a byte follows", "Wire(TrailingBytes)", longer(&one));
    broken("cut short", "Wire(Truncated)", shorter(&one));
    broken("tagged", "Wire(Type)", [&[0xd2][..], &one].concat());
    broken(
        "algorithm not of the signer",
        "Header",
        with(&one, &[0xa2, 1, 0x27], &[0xa2, 1, 0x28]),
    );
    broken(
        "no kid",
        "Header",
        [&[0x84, 0x43, 0xa1, 1, 0x27][..], &one[15..]].concat(),
    );
    broken(
        "name empty",
        "Name",
        signed(&with(&said, b"\x65Maker", &[0x60])),
    );
    let name = [&[0x78, 33][..], &[b'n'; 33]].concat();
    broken(
        "name of 33 bytes",
        "Name",
        signed(&with(&said, b"\x65Maker", &name)),
    );
    broken(
        "id of 7 bytes",
        "Cti",
        signed(&with(
            &said,
            &[&[7, 0x48][..], &[0xc3; 8]].concat(),
            &[&[7, 0x47][..], &[0xc3; 7]].concat(),
        )),
    );
    broken(
        "id of 17 bytes",
        "Cti",
        signed(&with(
            &said,
            &[&[7, 0x48][..], &[0xc3; 8]].concat(),
            &[&[7, 0x51][..], &[0xc3; 17]].concat(),
        )),
    );
    broken(
        "kind 5",
        "Kind",
        signed(&[&said[..said.len() - 1], &[5]].concat()),
    );
    broken(
        "an unknown claim",
        "Claim",
        signed(&with(
            &said,
            &[0x3a, 0, 1, 0x11, 0x72, 0],
            &[0x3a, 0, 1, 0x11, 0x73, 0],
        )),
    );
    broken(
        "no kind",
        "Claim",
        signed(&[&[0xa5][..], &said[1..said.len() - 6]].concat()),
    );
    broken(
        "claims out of order",
        "Wire(NotDeterministic)",
        signed(&{
            // exp and iat are six bytes each.
            let exp = said.windows(2).position(|w| w == [4, 0x1a]).unwrap();
            let (front, iat, back) = (&said[..exp], exp + 6, exp + 12);
            [front, &said[iat..back], &said[exp..iat], &said[back..]].concat()
        }),
    );
    let ends = u32::try_from(NOW - DAY).unwrap().to_be_bytes();
    let at = said.windows(2).position(|w| w == [4, 0x1a]).unwrap() + 2;
    let mut never = said.clone();
    never[at..at + 4].copy_from_slice(&ends);
    broken("ends when it begins", "NeverValid", signed(&never));
    let mut small = [0; 32];
    small[0] = 1;
    broken(
        "key of small order",
        "Key(Malformed)",
        signed(&with(&said, public(DEVICE).bytes(), &small)),
    );
}

fn revocations(out: &mut Vec<Row>) {
    let ids: [&[u8]; 5] = [&[0x10; 8], &[0x20; 8], &[0xff; 8], &[0x05; 12], &[0x00; 16]];
    let good = list(MAKER, 7, &ids);
    let mut case = |name: &str, expect: &str, bytes: &[u8], by: u8| {
        let mut fields = vec![("list", hex::encode(bytes)), ("authority", raw(by))];
        if expect == "ok" {
            let r = revocation::RevocationList::parse(bytes).unwrap();
            fields.push(("number", r.number().to_string()));
            fields.push(("issued", r.issued().0.to_string()));
            fields.push(("count", r.len().to_string()));
        }
        out.push(row("revocation-list", name, expect, &fields));
    };
    case("five ids of three lengths", "ok", &good, MAKER);
    case("no ids", "ok", &list(MAKER, 1, &[]), MAKER);
    case("another authority", "WrongSigner", &good, STRANGER);
    let said = payload(&good);
    let signed = |payload: &[u8]| forged(MAKER, Some(revocation::DOMAIN), payload);
    case(
        "signed without its domain",
        "Signature(Rejected)",
        &forged(MAKER, None, &said),
        MAKER,
    );
    case(
        "a byte follows",
        "Wire(TrailingBytes)",
        &longer(&good),
        MAKER,
    );
    case("cut short", "Wire(Truncated)", &shorter(&good), MAKER);
    case(
        "version 2",
        "Version",
        &signed(&[&[0x84, 2][..], &said[2..]].concat()),
        MAKER,
    );
    case(
        "doubled id",
        "Order",
        &signed(&with(&said, &[0x20; 8], &[0x10; 8])),
        MAKER,
    );
    case(
        "not sorted",
        "Order",
        &signed(&with(&said, &[0x20; 8], &[0x08; 8])),
        MAKER,
    );
    case(
        "longer before shorter",
        "Order",
        &signed(&with(
            &said,
            &[&[0x48][..], &[0x20; 8]].concat(),
            &[&[0x49][..], &[0x20; 9]].concat(),
        )),
        MAKER,
    );
    case(
        "id of 7 bytes",
        "Cti",
        &signed(&with(
            &said,
            &[&[0x48][..], &[0x10; 8]].concat(),
            &[&[0x47][..], &[0x10; 7]].concat(),
        )),
        MAKER,
    );
    let answers = ids.iter().map(|id| (id.to_vec(), "yes"));
    let others: [&[u8]; 6] = [
        &[0x11; 8],
        &[0; 8],
        &[0x10; 9],
        &[0x05; 11],
        &[0x00; 17],
        &[],
    ];
    let others = others.iter().map(|id| (id.to_vec(), "no"));
    for (id, expect) in answers.chain(others) {
        let name = format!("id of {} bytes", id.len());
        out.push(row(
            "revoked",
            &name,
            expect,
            &[("list", hex::encode(&good)), ("cti", hex::encode(id))],
        ));
    }
}

fn caps() -> Caps {
    Caps {
        tx: Amount(1_000_000),
        peer: Amount(5_000_000),
        exposure: Amount(20_000_000),
    }
}

fn founders(count: u8) -> Vec<Record> {
    let g0 = genesis::g0(&[0x77; 32], 1);
    let founder = |at: u8| {
        let roles = match at {
            0 => Roles::GL_NODE.with(Roles::FULL_NODE),
            3 => Roles::SUBMIT_ONLY,
            _ => Roles::NONE,
        };
        Record::enrolled(
            MemberIndex(u16::from(at)),
            public(10 + at),
            roles,
            caps(),
            Amount(50_000_000),
            g0,
        )
    };
    (0..count).map(founder).collect()
}

fn encoded(record: &Record) -> Vec<u8> {
    written(|w| record.encode(w).unwrap())
}

fn records(out: &mut Vec<Row>) {
    let founder = founders(4);
    let used = Record {
        index: MemberIndex(700),
        weight: Weight(1),
        head_number: Number(70_000),
        head_id: Id([0xab; 32]),
        credits: Amount(u64::MAX),
        debits: Amount(1 << 33),
        idle: 2,
        ..founder[1]
    };
    let frozen = Record {
        frozen: true,
        weight: Weight(0),
        idle: 255,
        ..used
    };
    let left = Record {
        roles: Roles::LEFT.with(Roles::FULL_NODE),
        weight: Weight(0),
        ..used
    };
    let p256 = Record {
        key: PublicKey::Es256([0x5a; 64]),
        ..used
    };
    for (name, record) in [
        ("founding GL-node", founder[0]),
        ("founder", founder[1]),
        ("submit-only", founder[3]),
        ("with a history", used),
        ("frozen", frozen),
        ("left", left),
        ("P-256 key, another than the first", p256),
    ] {
        let fields = [
            ("record", hex::encode(encoded(&record))),
            ("leaf", record.leaf().unwrap().to_string()),
            ("index", record.index.to_string()),
            ("device", record.device.to_string()),
            ("key", hex::encode(cose_key(&record.key))),
            ("weight", record.weight.to_string()),
            ("roles", record.roles.bits().to_string()),
            ("cap_tx", record.caps.tx.to_string()),
            ("cap_peer", record.caps.peer.to_string()),
            ("cap_exposure", record.caps.exposure.to_string()),
            ("head_number", record.head_number.to_string()),
            ("head_id", record.head_id.to_string()),
            ("credits", record.credits.to_string()),
            ("debits", record.debits.to_string()),
            ("idle", record.idle.to_string()),
            ("frozen", u8::from(record.frozen).to_string()),
        ];
        out.push(row("record", name, "ok", &fields));
    }
    let good = encoded(&founder[1]);
    // array, index, device id, COSE_Key: then weight and roles.
    let weight = 1 + 1 + 34 + 40;
    let set = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    let last = good.len() - 1;
    for (name, expect, bytes) in [
        ("a byte follows", "TrailingBytes", longer(&good)),
        ("cut short", "Truncated", shorter(&good)),
        ("frozen 2", "Range", set(last, 2)),
        ("frozen with weight", "Range", set(last, 1)),
        ("unknown role", "Range", set(weight + 1, 16)),
        ("submit-only with weight", "Range", set(weight + 1, 4)),
        ("left with weight", "Range", set(weight + 1, 8)),
        ("11 elements", "Range", set(0, 0x8b)),
        ("index as text", "Type", set(1, 0x60)),
    ] {
        out.push(row(
            "record",
            name,
            expect,
            &[("record", hex::encode(bytes))],
        ));
    }
}

fn tables(out: &mut Vec<Row>) {
    let sequence =
        |records: &[Record]| hex::encode(records.iter().flat_map(encoded).collect::<Vec<u8>>());
    for count in [0u8, 1, 2, 3, 7, 8] {
        let mut memory = founders(count);
        let list = sequence(&memory);
        let table = MemberTable::adopt(&mut memory, usize::from(count)).unwrap();
        out.push(row(
            "table",
            &format!("{count} members"),
            "ok",
            &[
                ("records", list),
                ("count", count.to_string()),
                ("weight", table.total_weight().to_string()),
                ("root", table.root().unwrap().to_string()),
            ],
        ));
    }
    let swapped: Vec<Record> = founders(3).into_iter().rev().collect();
    out.push(row(
        "table",
        "not by index",
        "Index",
        &[("records", sequence(&swapped)), ("count", "3".into())],
    ));
    let mut doubled = founders(2);
    doubled[1] = Record {
        index: MemberIndex(1),
        ..doubled[0]
    };
    out.push(row(
        "table",
        "one device twice",
        "Known",
        &[("records", sequence(&doubled)), ("count", "2".into())],
    ));

    let mut memory = founders(7);
    let table = MemberTable::adopt(&mut memory, 7).unwrap();
    let root = table.root().unwrap();
    let path = |at: u16| {
        let mut path = [Id::ZERO; 8];
        let len = table.path(MemberIndex(at), &mut path).unwrap();
        path[..len].to_vec()
    };
    let mut case =
        |name: &str, expect: &str, root: Id, members: u32, record: &Record, path: &[Id]| {
            out.push(row(
                "record-proof",
                name,
                expect,
                &[
                    ("root", root.to_string()),
                    ("members", members.to_string()),
                    ("record", hex::encode(encoded(record))),
                    ("path", path.iter().map(Id::to_string).collect()),
                ],
            ));
        };
    let record = |at: u16| *table.get(MemberIndex(at)).unwrap();
    for at in 0..7 {
        case(
            &format!("member {at} of 7"),
            "ok",
            root,
            7,
            &record(at),
            &path(at),
        );
    }
    case(
        "another root",
        "Proof(Root)",
        Id([1; 32]),
        7,
        &record(2),
        &path(2),
    );
    case(
        "another's path",
        "Proof(Root)",
        root,
        7,
        &record(2),
        &path(3),
    );
    case(
        "credits raised",
        "Proof(Root)",
        root,
        7,
        &Record {
            credits: Amount(50_000_001),
            ..record(2)
        },
        &path(2),
    );
    case(
        "index changed",
        "Proof(Root)",
        root,
        7,
        &Record {
            index: MemberIndex(3),
            ..record(2)
        },
        &path(2),
    );
    case(
        "path cut short",
        "Proof(PathLength)",
        root,
        7,
        &record(2),
        &path(2)[..2],
    );
    case(
        "path too long",
        "Proof(PathLength)",
        root,
        7,
        &record(2),
        &[path(2), vec![Id::ZERO]].concat(),
    );
    case(
        "index not below the count",
        "Proof(Index)",
        root,
        2,
        &record(2),
        &path(2),
    );
    let mut order = path(2);
    order.swap(0, 1);
    case(
        "path out of order",
        "Proof(Root)",
        root,
        7,
        &record(2),
        &order,
    );
}

fn geneses(out: &mut Vec<Row>) {
    let mut memory = founders(4);
    let table = MemberTable::adopt(&mut memory, 4).unwrap();
    let good = Genesis {
        nonce: [0x77; 32],
        chain_id: 1,
        start: Millis(NOW * 1_000),
        period: Millis(10_000),
        parent_age: Millis(2_500),
        neighbours: 2,
        caps: caps(),
        grant: Amount(50_000_000),
        max_members: 100,
        gl_node: MemberIndex(0),
        members: 4,
        weight: table.total_weight(),
        table_root: table.root().unwrap(),
        validator_set: Id([0x5e; 32]),
        set_age: Millis(14 * DAY * 1_000),
    };
    let mut signed = [0; genesis::MAX_GENESIS];
    let len = good.sign(&secret(NEIGHBOURHOOD), &mut signed).unwrap();
    let signed = signed[..len].to_vec();
    let fields = [
        ("genesis", hex::encode(&signed)),
        ("authority", raw(NEIGHBOURHOOD)),
        ("neighbourhood", good.neighbourhood().unwrap().to_string()),
        ("g0", good.g0().to_string()),
        ("nonce", hex::encode(good.nonce)),
        ("chain_id", good.chain_id.to_string()),
        ("start", good.start.to_string()),
        ("period", good.period.to_string()),
        ("parent_age", good.parent_age.to_string()),
        ("neighbours", good.neighbours.to_string()),
        ("cap_tx", good.caps.tx.to_string()),
        ("cap_peer", good.caps.peer.to_string()),
        ("cap_exposure", good.caps.exposure.to_string()),
        ("grant", good.grant.to_string()),
        ("max_members", good.max_members.to_string()),
        ("gl_node", good.gl_node.to_string()),
        ("members", good.members.to_string()),
        ("weight", good.weight.to_string()),
        ("table_root", good.table_root.to_string()),
        ("validator_set", good.validator_set.to_string()),
        ("set_age", good.set_age.to_string()),
    ];
    out.push(row(
        "genesis",
        "four founders, one of weight 0",
        "ok",
        &fields,
    ));
    let mut case = |name: &str, expect: &str, bytes: Vec<u8>, by: u8| {
        out.push(row(
            "genesis",
            name,
            expect,
            &[("genesis", hex::encode(bytes)), ("authority", raw(by))],
        ));
    };
    let said = payload(&signed);
    case("another authority", "WrongSigner", signed.clone(), STRANGER);
    case(
        "signed as a revocation list",
        "Signature(Rejected)",
        forged(NEIGHBOURHOOD, Some(revocation::DOMAIN), &said),
        NEIGHBOURHOOD,
    );
    case(
        "a byte follows",
        "Wire(TrailingBytes)",
        longer(&signed),
        NEIGHBOURHOOD,
    );
    case(
        "cut short",
        "Wire(Truncated)",
        shorter(&signed),
        NEIGHBOURHOOD,
    );
    case(
        "a bit of R turned",
        "Signature(Malformed)",
        bad_signature(&signed),
        NEIGHBOURHOOD,
    );
    let mut forge = |name: &str, expect: &str, payload: Vec<u8>| {
        case(
            name,
            expect,
            forged(NEIGHBOURHOOD, Some(genesis::DOMAIN), &payload),
            NEIGHBOURHOOD,
        );
    };
    forge(
        "version 2",
        "Version",
        [&said[..1], &[2], &said[2..]].concat(),
    );
    forge(
        "17 fields",
        "Wire(Range)",
        [&[0x91][..], &said[1..], &[0]].concat(),
    );
    let times = [0x19, 0x27, 0x10, 0x19, 0x09, 0xc4, 0x02];
    forge(
        "T of 0",
        "Period",
        with(&said, &times, &[0x00, 0x19, 0x09, 0xc4, 0x02]),
    );
    forge(
        "T above 2^31",
        "Period",
        with(
            &said,
            &times,
            &[0x1a, 0x80, 0, 0, 1, 0x19, 0x09, 0xc4, 0x02],
        ),
    );
    forge(
        "P_max above T/4",
        "ParentAge",
        with(&said, &times, &[0x19, 0x27, 0x10, 0x19, 0x09, 0xc5, 0x02]),
    );
    forge(
        "P_max of 0",
        "ParentAge",
        with(&said, &times, &[0x19, 0x27, 0x10, 0x00, 0x02]),
    );
    forge(
        "q of 0",
        "Neighbours",
        with(&said, &times, &[0x19, 0x27, 0x10, 0x19, 0x09, 0xc4, 0x00]),
    );
    forge(
        "q not below the most members",
        "Neighbours",
        with(
            &said,
            &times,
            &[0x19, 0x27, 0x10, 0x19, 0x09, 0xc4, 0x18, 100],
        ),
    );
    let cap = [0x83, 0x1a, 0x00, 0x0f, 0x42, 0x40];
    forge(
        "cap of a transaction 0",
        "Caps",
        with(&said, &cap, &[0x83, 0x00]),
    );
    forge(
        "cap of a transaction above that of a peer",
        "Caps",
        with(&said, &cap, &[0x83, 0x1a, 0x00, 0x4c, 0x4b, 0x41]),
    );
    let counts = [0x18, 100, 0x00, 0x04, 0x03, 0x58, 0x20];
    forge(
        "fewer members fit than found",
        "Members",
        with(&said, &counts, &[0x03, 0x00, 0x04, 0x03, 0x58, 0x20]),
    );
    forge(
        "no founder",
        "Members",
        with(&said, &counts, &[0x18, 100, 0x00, 0x00, 0x03, 0x58, 0x20]),
    );
    forge(
        "GL-node no founder",
        "GlNode",
        with(&said, &counts, &[0x18, 100, 0x04, 0x04, 0x03, 0x58, 0x20]),
    );
    forge(
        "W of 0",
        "Weight",
        with(&said, &counts, &[0x18, 100, 0x00, 0x04, 0x00, 0x58, 0x20]),
    );
    let grant = [0x1a, 0x02, 0xfa, 0xf0, 0x80, 0x18, 100];
    forge(
        "grants above 64 bits",
        "Grant",
        with(&said, &grant, &[0x1b, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x18, 100]),
    );
    let age = (14 * DAY * 1_000) as u32;
    let age = [&[0x1a][..], &age.to_be_bytes()].concat();
    forge(
        "U shorter than T",
        "SetAge",
        with(&said, &age, &[0x19, 0x27, 0x0f]),
    );
}

fn statements(out: &mut Vec<Row>) {
    let device = CoseKey::thumbprint(&public(DEVICE));
    let said = enrol::statement(&public(NEIGHBOURHOOD), &device).unwrap();
    let proof = secret(DEVICE).sign(said.as_bytes());
    let mut case = |name: &str, expect: &str, authority: u8, proof: &[u8]| {
        out.push(row(
            "enrol",
            name,
            expect,
            &[
                ("authority", raw(authority)),
                (
                    "chain",
                    hex::encode(issued(&claims(DEVICE, Kind::Device), MAKER)),
                ),
                ("anchors", raw(MAKER)),
                ("now", NOW.to_string()),
                (
                    "statement",
                    hex::encode(
                        enrol::statement(&public(authority), &device)
                            .unwrap()
                            .as_bytes(),
                    ),
                ),
                ("proof", hex::encode(proof)),
            ],
        ));
    };
    case("by the certified key", "ok", NEIGHBOURHOOD, &proof.0);
    case(
        "for another neighbourhood",
        "Proof(Rejected)",
        STRANGER,
        &proof.0,
    );
    let other = secret(STRANGER).sign(said.as_bytes());
    case("by another key", "Proof(Rejected)", NEIGHBOURHOOD, &other.0);
    case(
        "S not below L",
        "Proof(Malformed)",
        NEIGHBOURHOOD,
        &[&proof.0[..32], &[0xff; 32]].concat(),
    );

    let here = Id([0x44; 32]);
    let consent = |seed: u8, number: u32| {
        let said = rotation::statement(&here, &device, Number(number)).unwrap();
        hex::encode(secret(seed).sign(said.as_bytes()).0)
    };
    for (name, expect, number, new, consent) in [
        (
            "by the new key",
            "ok",
            41,
            raw(STRANGER),
            consent(STRANGER, 41),
        ),
        (
            "number of 32 bits",
            "ok",
            u32::MAX,
            raw(STRANGER),
            consent(STRANGER, u32::MAX),
        ),
        (
            "for another number",
            "Consent(Rejected)",
            42,
            raw(STRANGER),
            consent(STRANGER, 41),
        ),
        (
            "by the old key",
            "Consent(Rejected)",
            41,
            raw(STRANGER),
            consent(DEVICE, 41),
        ),
        (
            "to the same key",
            "SameKey",
            41,
            raw(DEVICE),
            consent(DEVICE, 41),
        ),
        (
            "to a key of small order",
            "Key(Malformed)",
            41,
            "01".to_owned() + &"00".repeat(31),
            consent(STRANGER, 41),
        ),
    ] {
        out.push(row(
            "rotate",
            name,
            expect,
            &[
                ("neighbourhood", here.to_string()),
                ("device", device.to_string()),
                ("number", number.to_string()),
                ("old", raw(DEVICE)),
                ("new", new),
                (
                    "statement",
                    hex::encode(
                        rotation::statement(&here, &device, Number(number))
                            .unwrap()
                            .as_bytes(),
                    ),
                ),
                ("consent", consent),
            ],
        ));
    }
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    let mut out = Vec::new();
    keys(&mut out);
    device_ids(&mut out);
    certificates(&mut out);
    revocations(&mut out);
    records(&mut out);
    tables(&mut out);
    geneses(&mut out);
    statements(&mut out);
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/identity.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("wrote {} vectors to vectors/identity.json", rows.len());
}
