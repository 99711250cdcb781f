//! Signatures at every edge of the rule (decision 0002), in whole transactions: each is `Signature`, and the id stays free for the whole one.

use super::*;
use crate::identity::CoseKey;

/// Order of the group, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    key: String,
    signature: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../../vectors/ed25519.json")).unwrap()
}

fn class(vector: &Vector) -> &str {
    vector.name.split('/').next().unwrap()
}

fn plus_l(s: &[u8]) -> Vec<u8> {
    let mut carry = 0u16;
    s.iter()
        .zip(L)
        .map(|(a, b)| {
            carry += u16::from(*a) + u16::from(b);
            let byte = carry as u8;
            carry >>= 8;
            byte
        })
        .collect()
}

#[test]
fn a_right_signature_bent() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let good = honest.signature().0;
    let (r, s) = good.split_at(32);
    let negated = {
        let mut r = r.to_vec();
        r[31] ^= 0x80;
        r
    };
    let identity: Vec<u8> = [&[1u8][..], &[0; 31]].concat();
    let p: Vec<u8> = [&[0xed_u8][..], &[0xff; 30], &[0x7f]].concat();
    let key = secret(3).public_key();
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("S + L", [r, &plus_l(s)].concat()),
        ("S = 0", [r, &[0; 32]].concat()),
        ("S = L", [r, &L].concat()),
        ("S of ones", [r, &[0xff; 32]].concat()),
        ("-R", [&negated, s].concat()),
        ("R of small order", [&identity, s].concat()),
        (
            "R of small order and S = 0",
            [&identity[..], &[0; 32]].concat(),
        ),
        ("R = p, not canonical", [&p[..], s].concat()),
        ("R = A", [key.bytes(), s].concat()),
        ("swapped", [s, r].concat()),
        ("zeros", vec![0; 64]),
    ];
    let payload = honest.payload();
    for (name, signature) in rows {
        let frame = tx_frame(&honest.neighbourhood, &cose(&payload, &signature));
        bench.refused(name, &frame, Refusal::Signature);
    }
    for bit in [0, 7, 255, 256, 300, 511] {
        let mut bent = good;
        bent[bit / 8] ^= 1 << (bit % 8);
        let frame = tx_frame(&honest.neighbourhood, &cose(&payload, &bent));
        bench.refused(&format!("bit {bit}"), &frame, Refusal::Signature);
    }
    for length in [0, 32, 63, 65, 128] {
        let mut bytes = good.to_vec();
        bytes.resize(length, 0);
        let frame = tx_frame(&honest.neighbourhood, &cose(&payload, &bytes));
        bench.refused(&format!("{length} bytes"), &frame, Refusal::Malformed);
    }
    bench.taken("the whole one after all of them", &honest);
}

#[test]
fn one_signature_of_each_class_of_the_vectors() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let payload = honest.payload();
    let mut seen: Vec<String> = Vec::new();
    for vector in vectors() {
        if seen.iter().any(|c| c == class(&vector)) || class(&vector) == "length" {
            continue;
        }
        seen.push(class(&vector).into());
        let signature = hex::decode(&vector.signature).unwrap();
        let frame = tx_frame(&honest.neighbourhood, &cose(&payload, &signature));
        bench.refused(class(&vector), &frame, Refusal::Signature);
    }
    assert!(seen.len() >= 20, "{seen:?}");
    assert!(seen.iter().any(|c| c == "torsion-both"));
}

/// A key of small order signs every message for anybody. A rotation to one is its issuer's transaction, and changes nothing.
#[test]
fn a_key_that_anybody_can_sign_for_does_not_become_a_members() {
    let weak = vectors()
        .into_iter()
        .find(|v| class(v) == "torsion-both")
        .unwrap();
    let mut bench = Bench::new();
    let mut rotate = bench.next(3);
    rotate.kind = 6;
    rotate.body = encoded(|w| {
        w.array(3).unwrap();
        w.uint(1).unwrap();
        let key = hex::decode(&weak.key).unwrap().try_into().unwrap();
        CoseKey::encode(&PublicKey::Ed25519(key), w).unwrap();
        w.bytes(&hex::decode(&weak.signature).unwrap()).unwrap();
    });
    bench.taken("rotation", &rotate);
    let mut net = bench.net;
    net.traffic(5);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    let settled = &net.headers[&1];
    assert!(settled.leaves.contains(&rotate.id()));
    assert_eq!(settled.records[3].key, secret(3).public_key());
}

#[test]
fn another_members_key() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    shape.key = 4;
    bench.refused("signed by a neighbour", &shape.frame(), Refusal::Signature);
}

/// The signature covers the full ids: the same prefixes over other tails are another statement.
#[test]
fn other_parents_behind_the_same_prefixes() {
    let mut bench = Bench::new();
    let tip = bench.head(4).id;
    let shape = bench.next(3).tips(&[tip]);
    let mut other = shape.parents.clone();
    other[1].0[31] ^= 1;
    let signature = secret(3).sign(&message(&shape.neighbourhood, &shape.payload(), &other));
    let frame = tx_frame(&shape.neighbourhood, &cose(&shape.payload(), &signature.0));
    bench.refused("another tail", &frame, Refusal::Signature);
}

/// What waits is not verified, so a broken copy may wait beside the whole one; it must not keep it out.
#[test]
fn a_broken_copy_of_a_waiting_transaction() {
    for broken_first in [true, false] {
        let mut bench = Bench::new();
        let parent = bench.next(3);
        let mut child = bench.next(4).tips(&[parent.id()]);
        child.time = parent.time + 1;
        let mut bad = child.frame();
        *bad.last_mut().unwrap() ^= 1;
        let order = match broken_first {
            true => [bad, child.frame()],
            false => [child.frame(), bad],
        };
        for frame in &order {
            bench.set_aside("waits", frame, Refusal::UnknownParent);
        }
        let bad_before = bench.node().counters().refused(Refusal::Signature);
        bench.taken("the parent", &parent);
        assert!(bench.node().tangle.contains(&child.id()), "{broken_first}");
        assert_eq!(bench.node().aside.len(), 0);
        let rise = bench.node().counters().refused(Refusal::Signature) - bad_before;
        assert!(rise <= 1);
    }
}
