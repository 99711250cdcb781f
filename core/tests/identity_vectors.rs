//! Runs `vectors/identity.json` and holds it equal to what its generator writes.

#[path = "../examples/gen_identity_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::crypto::{PublicKey, Signature, Software};
use iotedge_core::identity::cert::{self, Kind, Seconds};
use iotedge_core::identity::revocation::RevocationList;
use iotedge_core::identity::{
    CoseKey, DeviceId, Genesis, MemberTable, Record, UnverifiedGenesis, enrol, rotation,
};
use iotedge_core::wire::{Reader, Writer};
use iotedge_core::{Id, Number};
use std::collections::BTreeMap;
use std::fmt::Debug;

const FILE: &str = include_str!("../../vectors/identity.json");

type Outcome = Result<Vec<(&'static str, String)>, String>;

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

fn number(row: &Row, field: &str) -> u64 {
    row[field].parse().unwrap()
}

fn key(row: &Row, field: &str) -> PublicKey {
    PublicKey::Ed25519(array(row, field))
}

fn keys(row: &Row, field: &str) -> Vec<PublicKey> {
    let key = |raw: &[u8]| PublicKey::Ed25519(raw.try_into().unwrap());
    bytes(row, field).chunks(32).map(key).collect()
}

/// The name of an error as the file spells it.
fn name(error: impl Debug) -> String {
    format!("{error:?}")
}

fn cose_key(row: &Row) -> Outcome {
    let key = CoseKey::decode(&bytes(row, "key")).map_err(name)?;
    let mut buffer = [0; 128];
    let mut w = Writer::new(&mut buffer);
    CoseKey::encode(&key, &mut w).map_err(name)?;
    let thumbprint = CoseKey::thumbprint(&key);
    Ok(vec![
        ("key", hex::encode(w.written())),
        ("alg", key.suite().cose_alg().to_string()),
        ("raw", hex::encode(key.bytes())),
        ("thumbprint", thumbprint.to_string()),
        ("kid", hex::encode(CoseKey::kid(&key))),
        ("device_id", DeviceId(thumbprint).to_string()),
    ])
}

fn device_id(row: &Row) -> Outcome {
    let id = DeviceId::parse(&row["text"]).map_err(name)?;
    assert_eq!(id.to_string(), row["text"].to_lowercase());
    Ok(vec![("id", id.0.to_string())])
}

fn chain(row: &Row) -> Outcome {
    let links: Vec<Vec<u8>> = ["first", "second", "third"]
        .into_iter()
        .filter(|field| row.contains_key(*field))
        .map(|field| bytes(row, field))
        .collect();
    let links: Vec<&[u8]> = links.iter().map(Vec::as_slice).collect();
    let kind = Kind::from_code(number(row, "kind")).unwrap();
    let revoked = bytes(row, "revoked");
    let verified = cert::verify_chain(
        &links,
        &keys(row, "anchors"),
        Seconds(number(row, "now")),
        kind,
        |_, cti| cti == revoked,
        &mut Software,
    )
    .map_err(name)?;
    Ok(vec![
        ("raw", hex::encode(verified.key.bytes())),
        ("device", verified.device.0.to_string()),
        ("cti", hex::encode(verified.cti.as_bytes())),
        ("kind", verified.kind.code().to_string()),
    ])
}

fn revocation_list(row: &Row) -> Outcome {
    let encoded = bytes(row, "list");
    let list = RevocationList::parse(&encoded).map_err(name)?;
    let mut scratch = [0; 1024];
    list.verify(&key(row, "authority"), &mut Software, &mut scratch)
        .map_err(name)?;
    Ok(vec![
        ("number", list.number().to_string()),
        ("issued", list.issued().0.to_string()),
        ("count", list.len().to_string()),
    ])
}

fn revoked(row: &Row) -> Outcome {
    let encoded = bytes(row, "list");
    let list = RevocationList::parse(&encoded).map_err(name)?;
    let answer = if list.contains(&bytes(row, "cti")) {
        "yes"
    } else {
        "no"
    };
    Err(answer.to_owned())
}

fn record(row: &Row) -> Outcome {
    let encoded = bytes(row, "record");
    let record = Record::decode(&encoded).map_err(name)?;
    let mut buffer = [0; 128];
    let mut w = Writer::new(&mut buffer);
    CoseKey::encode(&record.key, &mut w).map_err(name)?;
    let key = hex::encode(w.written());
    let mut buffer = [0; 256];
    let mut w = Writer::new(&mut buffer);
    record.encode(&mut w).map_err(name)?;
    Ok(vec![
        ("record", hex::encode(w.written())),
        ("leaf", record.leaf().map_err(name)?.to_string()),
        ("index", record.index.to_string()),
        ("device", record.device.to_string()),
        ("key", key),
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
    ])
}

fn table(row: &Row) -> Outcome {
    let encoded = bytes(row, "records");
    let mut r = Reader::new(&encoded);
    let mut records = Vec::new();
    while !r.is_at_end() {
        records.push(Record::decode(r.item().map_err(name)?).map_err(name)?);
    }
    assert_eq!(records.len() as u64, number(row, "count"));
    let len = records.len();
    let table = MemberTable::adopt(&mut records, len).map_err(name)?;
    Ok(vec![
        ("weight", table.total_weight().to_string()),
        ("root", table.root().map_err(name)?.to_string()),
    ])
}

fn record_proof(row: &Row) -> Outcome {
    let record = Record::decode(&bytes(row, "record")).map_err(name)?;
    let path: Vec<Id> = bytes(row, "path")
        .chunks(32)
        .map(|id| Id(id.try_into().unwrap()))
        .collect();
    let members = number(row, "members").try_into().unwrap();
    MemberTable::verify_record(&Id(array(row, "root")), members, &record, &path).map_err(name)?;
    Ok(vec![])
}

fn genesis(row: &Row) -> Outcome {
    let encoded = bytes(row, "genesis");
    let received = UnverifiedGenesis::parse(&encoded).map_err(name)?;
    let (genesis, id) = received
        .verify(&key(row, "authority"), &mut Software)
        .map_err(name)?;
    assert_eq!(genesis.neighbourhood(), Ok(id));
    let Genesis { caps, .. } = genesis;
    Ok(vec![
        ("neighbourhood", id.to_string()),
        ("g0", genesis.g0().to_string()),
        ("nonce", hex::encode(genesis.nonce)),
        ("chain_id", genesis.chain_id.to_string()),
        ("start", genesis.start.to_string()),
        ("period", genesis.period.to_string()),
        ("parent_age", genesis.parent_age.to_string()),
        ("neighbours", genesis.neighbours.to_string()),
        ("cap_tx", caps.tx.to_string()),
        ("cap_peer", caps.peer.to_string()),
        ("cap_exposure", caps.exposure.to_string()),
        ("grant", genesis.grant.to_string()),
        ("max_members", genesis.max_members.to_string()),
        ("gl_node", genesis.gl_node.to_string()),
        ("members", genesis.members.to_string()),
        ("weight", genesis.weight.to_string()),
        ("table_root", genesis.table_root.to_string()),
        ("validator_set", genesis.validator_set.to_string()),
        ("set_age", genesis.set_age.to_string()),
    ])
}

fn enrolment(row: &Row) -> Outcome {
    let authority = key(row, "authority");
    let link = bytes(row, "chain");
    let verified = enrol::verify(
        &[&link],
        &Signature(array(row, "proof")),
        &authority,
        &keys(row, "anchors"),
        Seconds(number(row, "now")),
        |_, _| false,
        &mut Software,
    )
    .map_err(|error| match error {
        enrol::EnrolError::Proof(error) => format!("Proof({error:?})"),
        other => name(other),
    })?;
    let statement = enrol::statement(&authority, &verified.device.0).map_err(name)?;
    Ok(vec![("statement", hex::encode(statement.as_bytes()))])
}

fn rotate(row: &Row) -> Outcome {
    let (here, device) = (Id(array(row, "neighbourhood")), Id(array(row, "device")));
    let at = Number(number(row, "number").try_into().unwrap());
    let (old, new) = (key(row, "old"), key(row, "new"));
    let consent = Signature(array(row, "consent"));
    rotation::verify(&here, &device, at, &old, &new, &consent, &mut Software).map_err(name)?;
    let statement = rotation::statement(&here, &device, at).map_err(name)?;
    Ok(vec![("statement", hex::encode(statement.as_bytes()))])
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_identity_vectors"
    );
}

#[test]
fn every_row_has_its_outcome() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut seen = BTreeMap::<&str, [usize; 2]>::new();
    for row in &rows {
        let op = row["op"].as_str();
        let outcome = match op {
            "cose-key" => cose_key(row),
            "device-id" => device_id(row),
            "chain" => chain(row),
            "revocation-list" => revocation_list(row),
            "revoked" => revoked(row),
            "record" => record(row),
            "table" => table(row),
            "record-proof" => record_proof(row),
            "genesis" => genesis(row),
            "enrol" => enrolment(row),
            "rotate" => rotate(row),
            other => panic!("unknown operation {other}"),
        };
        let at = format!("{op}: {}", row["name"]);
        match &outcome {
            Ok(fields) => {
                assert_eq!(row["expect"], "ok", "{at}");
                for (field, value) in fields {
                    assert_eq!(row.get(*field), Some(value), "{at}: {field}");
                }
            }
            Err(error) => assert_eq!(&row["expect"], error, "{at}"),
        }
        seen.entry(op).or_default()[usize::from(outcome.is_err())] += 1;
    }
    // Every operation has rows, and every one that can refuse has rows on both sides.
    assert_eq!(seen.len(), 11);
    for (op, [ok, refused]) in seen {
        assert!(
            op == "revoked" || (ok > 0 && refused > 0),
            "{op}: {ok} and {refused}"
        );
    }
}
