//! Holds `vectors/channel.json` equal to what its generator writes, and runs every row as a reader does.

#[path = "../examples/gen_channel_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::Id;
use iotedge_core::channel::keys::{Chain, Mode, SideKey};
use iotedge_core::channel::reader::Proof;
use iotedge_core::channel::slots::{open_path, unwrap};
use iotedge_core::channel::statement::{Batch, Statement};
use iotedge_core::channel::{
    Addressee, ChannelNumber, Index, KeyEpoch, Place, Reader, Recent, Sealed, Skipped, channel_id,
    grant,
};
use iotedge_core::crypto::hpke::derive_key_pair;
use iotedge_core::crypto::{PublicKey, Software};
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/channel.json");

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn array<const N: usize>(row: &Row, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

fn side(row: &Row) -> Option<SideKey> {
    bytes(row, "side").try_into().ok().map(SideKey)
}

fn place(row: &Row) -> Place {
    Place {
        channel: Id(array(row, "channel")),
        epoch: KeyEpoch(row["epoch"].parse().unwrap()),
        index: Index(row["index"].parse().unwrap()),
    }
}

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_channel_vectors"
    );
}

fn message(row: &Row) {
    let at = &row["name"];
    let number = ChannelNumber::from_wire(row["number"].parse().unwrap());
    let (here, owner) = (Id(array(row, "neighbourhood")), Id(array(row, "owner")));
    let place = place(row);
    assert_eq!(channel_id(&here, &owner, number), place.channel, "{at}");
    let first = Place {
        index: Index(0),
        ..place
    };
    let chain = match Mode::from_number(row["mode"].parse().unwrap()).unwrap() {
        Mode::Public => Chain::public(&place.channel, place.epoch),
        _ => Chain::new(array(row, "chain0")),
    };
    let mut skipped = vec![Skipped::default(); 8];
    let mut recent = [Recent::default(); 2];
    let mut reader = Reader::new(first, chain, side(row), &mut skipped, &mut recent);
    let came = bytes(row, "message");
    let sealed = Sealed::parse(&came).unwrap();
    assert_eq!(sealed.form.byte().to_string(), row["flags"], "{at}");
    let key = PublicKey::Ed25519(array(row, "key"));
    let mut plain = [0; 64];
    let opened = reader
        .open(&sealed, Proof::Check(&key, &mut Software), &mut plain)
        .unwrap();
    assert_eq!(hex::encode(&plain[..opened.len]), row["plain"], "{at}");
    assert_eq!(opened.leaf.to_string(), row["leaf"], "{at}");
    assert_eq!(opened.index, place.index, "{at}");
    let batch = Batch {
        epoch: place.epoch,
        first: Index(0),
        count: row["count"].parse().unwrap(),
        root: Id(array(row, "root")),
    };
    let path = bytes(row, "path");
    let path: Vec<Id> = path.as_chunks().0.iter().map(|hash| Id(*hash)).collect();
    assert_eq!(
        batch.prove(place.epoch, place.index, &opened.leaf, &path),
        Ok(()),
        "{at}"
    );
}

fn granted(row: &Row) {
    let at = &row["name"];
    let (place, side) = (place(row), side(row));
    let (secret, device) = (
        derive_key_pair(&array(row, "ikm")),
        Id(array(row, "reader")),
    );
    let subscriber = Addressee {
        device: &device,
        secret: &secret,
        side: side.as_ref(),
    };
    let opened = grant::open(&array(row, "sealed"), &place, &subscriber).unwrap();
    let slot = row["slot"].parse().unwrap();
    let mut keys = [0; 272];
    let path = bytes(row, "path");
    let len = open_path(&path, &place.channel, slot, &opened.slot_key, &mut keys).unwrap();
    let wraps = bytes(row, "wraps");
    let chain = unwrap(wraps.as_chunks().0, &place, slot, &keys[..len]).unwrap();
    // Both are the row's: sealed again they give the same wrap.
    for chain in [chain, opened.chain] {
        let seal = grant::seal(
            &chain,
            &place,
            &device,
            &secret.public_key(),
            side.as_ref(),
            &[8; 32],
        );
        assert_eq!(hex::encode(seal.unwrap().0), row["sealed"], "{at}");
    }
}

fn stated(row: &Row) {
    let at = &row["name"];
    let key = PublicKey::Ed25519(array(row, "key"));
    let (here, owner) = (Id(array(row, "neighbourhood")), Id(array(row, "owner")));
    let bytes = bytes(row, "statement");
    let found = Statement::parse(&bytes)
        .and_then(|s| s.verify(&here, &owner, &key, &mut Software, &mut [0; 1024]));
    let found = found.map_or_else(|error| format!("{error:?}"), |_| "ok".into());
    assert_eq!(found, row["expect"], "{at}");
}

#[test]
fn every_row_has_its_outcome() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut seen = BTreeMap::<&str, usize>::new();
    for row in &rows {
        *seen.entry(&row["op"]).or_default() += 1;
        match row["op"].as_str() {
            "message" => message(row),
            "grant" => granted(row),
            "statement" => stated(row),
            other => panic!("{other}"),
        }
    }
    let all: Vec<_> = seen.into_iter().collect();
    assert_eq!(all, [("grant", 2), ("message", 18), ("statement", 15)]);
}
