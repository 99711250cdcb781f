//! Writes `vectors/vrf.json`: the examples of RFC 9381 appendix B.3, and proofs that must be refused or need not be the only ones (docs/decisions/0042).
//!
//! `cargo run -p iotedge-core --example gen_vrf_vectors` regenerates the file; tests compare and run it. Rows are flat and hold strings only. Bent proofs are
//! made by curve25519-dalek, a second time and by itself.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use iotedge_core::crypto::vrf::{Proof, PublicKey, SecretKey};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

/// Appendix B.3: secret, key, alpha, x, tries, H, k_string, k, U, V, proof, beta.
const EXAMPLES: [[&str; 12]; 3] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "307c83864f2833cb427a2ef1c00a013cfdff2768d980c0a3a520f006904de94f",
        "0",
        "91bbed02a99461df1ad4c6564a5f5d829d0b90cfc7903e7a5797bd658abf3318",
        "7100f3d9eadb6dc4743b029736ff283f5be494128df128df2817106f345b8594b6d6da2d6fb0b4c0257eb337675d96eab49cf39e66cc2c9547c2bf8b2a6afae4",
        "8a49edbd1492a8ee09766befe50a7d563051bf3406cbffc20a88def030730f0f",
        "aef27c725be964c6a9bf4c45ca8e35df258c1878b838f37d9975523f09034071",
        "5016572f71466c646c119443455d6cb9b952f07d060ec8286d678615d55f954f",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "68bd9ed75882d52815a97585caf4790a7f6c6b3b7f821c5e259a24b02e502e51",
        "1",
        "5b659fc3d4e9263fd9a4ed1d022d75eaacc20df5e09f9ea937502396598dc551",
        "42589bbf0c485c3c91c1621bb4bfe04aed7be76ee48f9b00793b2342acb9c167cab856f9f9d4febc311330c20b0a8afd3743d05433e8be8d32522ecdc16cc5ce",
        "d8c3a66921444cb3427d5d989f9b315aa8ca3375e9ec4d52207711a1fdb44107",
        "1dcb0a4821a2c48bf53548228b7f170962988f6d12f5439f31987ef41f034ab3",
        "fd03c0bf498c752161bae4719105a074630a2aa5f200ff7b3995f7bfb1513423",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "909a8b755ed902849023a55b15c23d11ba4d7f4ec5c2f51b1325a181991ea95c",
        "0",
        "bf4339376f5542811de615e3313d2b36f6f53c0acfebb482159711201192576a",
        "38b868c335ccda94a088428cbf3ec8bc7955bfaffe1f3bd2aa2c59fc31a0febc59d0e1af3715773ce11b3bbdd7aba8e3505d4b9de6f7e4a96e67e0d6bb6d6c3a",
        "5ffdbc72135d936014e8ab708585fda379405542b07e3bd2c0bd48437fbac60a",
        "2bae73e15a64042fcebf062abe7e432b2eca6744f3e8265bc38e009cd577ecd5",
        "88cba1cb0d4f9b649d9a86026b69de076724a93a65c349c988954f0961c5d506",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9ea3c0e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c452118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
    ],
];
const FIELDS: [&str; 12] = [
    "secret", "key", "alpha", "x", "tries", "h", "k_string", "k", "u", "v", "proof", "beta",
];

/// L, little-endian.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
const SEED: [u8; 32] = [0x42; 32];
const ALPHA: &[u8] = b"term 7";

fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

fn point(bytes: &[u8]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(bytes.try_into().ok()?).decompress()
}

/// The point of an input. What is tried has never had a y that is not canonical.
fn to_curve(key: &[u8; 32], alpha: &[u8]) -> EdwardsPoint {
    (0..=255u8)
        .find_map(|tried| point(&sha512(&[&[3, 1], key, alpha, &[tried, 0]])[..32]))
        .expect("one of 256")
        .mul_by_cofactor()
}

/// What a prover makes who adds points of small order to its key and to Gamma, and tries nonces until the proof holds all the same.
fn forged(to_key: EdwardsPoint, to_gamma: EdwardsPoint) -> ([u8; 32], [u8; 80]) {
    let hash = sha512(&[&SEED]);
    let x = Scalar::from_bytes_mod_order(clamp_integer(hash[..32].try_into().unwrap()));
    let key = (B * x + to_key).compress().0;
    let h = to_curve(&key, ALPHA);
    let gamma = (h * x + to_gamma).compress().0;
    for nonce in 1..1_000u64 {
        let k = Scalar::from(nonce);
        let (u, v) = ((B * k).compress().0, (h * k).compress().0);
        let hash = sha512(&[&[3, 2], &key, &h.compress().0, &gamma, &u, &v, &[0]]);
        if !hash[0].is_multiple_of(8) {
            continue;
        }
        let mut c = [0; 32];
        c[..16].copy_from_slice(&hash[..16]);
        let s = k + Scalar::from_bytes_mod_order(c) * x;
        let mut proof = [0; 80];
        proof[..32].copy_from_slice(&gamma);
        proof[32..48].copy_from_slice(&hash[..16]);
        proof[48..].copy_from_slice(&s.to_bytes());
        return (key, proof);
    }
    unreachable!("an eighth of the challenges fits")
}

fn judged(name: &str, key: &[u8; 32], alpha: &[u8], proof: &[u8; 80]) -> Row {
    let verdict = PublicKey(*key).verify(alpha, &Proof(*proof));
    let (error, output) = match verdict {
        Ok(output) => (String::new(), hex::encode(output.0)),
        Err(error) => (format!("{error:?}"), String::new()),
    };
    let fields = [
        ("op", "vrf".to_owned()),
        ("name", name.to_owned()),
        ("key", hex::encode(key)),
        ("alpha", hex::encode(alpha)),
        ("proof", hex::encode(proof)),
        ("error", error),
        ("beta", output),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// s + L, as 32 bytes.
fn plus_order(s: &[u8]) -> [u8; 32] {
    let (mut sum, mut carry) = ([0; 32], 0);
    for ((sum, s), l) in sum.iter_mut().zip(s).zip(L) {
        let all = u16::from(*s) + u16::from(l) + carry;
        (*sum, carry) = (all as u8, all >> 8);
    }
    sum
}

/// y and y + p where both are below 2^255, and other encodings that nobody may take.
fn odd_encodings() -> Vec<(String, [u8; 32])> {
    let mut all: Vec<(String, [u8; 32])> = EIGHT_TORSION
        .iter()
        .enumerate()
        .map(|(n, point)| (format!("of small order, {n}"), point.compress().0))
        .collect();
    for low in [0xedu8, 0xee, 0xf0] {
        for sign in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, sign);
            all.push((format!("not canonical, {low:02x} {sign:02x}"), bytes));
        }
    }
    for (name, low) in [("0, negative", 1u8), ("0 of y = -1, negative", 0xec)] {
        let mut bytes = if low == 1 { [0; 32] } else { [0xff; 32] };
        (bytes[0], bytes[31]) = (low, if low == 1 { 0x80 } else { 0xff });
        all.push((format!("x = {name}"), bytes));
    }
    let off = (2..=255u8).find(|y| {
        let mut bytes = [0; 32];
        bytes[0] = *y;
        point(&bytes).is_none()
    });
    let mut bytes = [0; 32];
    bytes[0] = off.unwrap();
    all.push(("off the curve".to_owned(), bytes));
    all
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, values) in (16..).zip(EXAMPLES) {
        let mut row: Row = FIELDS
            .iter()
            .zip(values)
            .map(|(field, value)| ((*field).to_owned(), value.to_owned()))
            .collect();
        row.insert("op".to_owned(), "vrf".to_owned());
        row.insert("name".to_owned(), format!("RFC 9381 example {number}"));
        row.insert("error".to_owned(), String::new());
        rows.push(row);
    }
    let secret = SecretKey::from_seed(&SEED).unwrap();
    let key = secret.public_key().0;
    let proof = secret.prove(ALPHA).unwrap().0;
    rows.push(judged("a proof", &key, ALPHA, &proof));
    rows.push(judged("another input", &key, b"term 8", &proof));
    rows.push(judged("a longer input", &key, b"term 7\0", &proof));
    rows.push(judged("no input", &key, b"", &proof));
    let other = SecretKey::from_seed(&[0x43; 32]).unwrap().public_key().0;
    rows.push(judged("another key", &other, ALPHA, &proof));
    let bits = [0, 7, 131, 254, 255, 256, 300, 383, 384, 511, 636, 637, 639];
    for bit in bits {
        let mut bent = proof;
        bent[bit / 8] ^= 1 << (bit % 8);
        rows.push(judged(&format!("bit {bit} turned"), &key, ALPHA, &bent));
    }
    let mut bent = proof;
    bent[48..].copy_from_slice(&plus_order(&proof[48..]));
    rows.push(judged("s + L", &key, ALPHA, &bent));
    bent[48..].copy_from_slice(&L);
    rows.push(judged("s = L", &key, ALPHA, &bent));
    bent[48..].copy_from_slice(&[0xff; 32]);
    rows.push(judged("s of ones", &key, ALPHA, &bent));
    rows.push(judged("nothing but zeros", &key, ALPHA, &[0; 80]));
    for (name, bytes) in odd_encodings() {
        let mut bent = proof;
        bent[..32].copy_from_slice(&bytes);
        rows.push(judged(&format!("Gamma {name}"), &key, ALPHA, &bent));
        rows.push(judged(&format!("key {name}"), &bytes, ALPHA, &proof));
    }
    let none = EIGHT_TORSION[0];
    let (same, proof) = forged(none, none);
    assert_eq!(same, key);
    rows.push(judged(
        "another nonce: the same output",
        &key,
        ALPHA,
        &proof,
    ));
    let (_, proof) = forged(none, EIGHT_TORSION[1]);
    rows.push(judged(
        "Gamma with a part of small order: the same output",
        &key,
        ALPHA,
        &proof,
    ));
    let (mixed, proof) = forged(EIGHT_TORSION[1], none);
    rows.push(judged(
        "a key with a part of small order",
        &mixed,
        ALPHA,
        &proof,
    ));
    rows
}

/// The file: one row a line.
pub fn render(rows: &[Row]) -> String {
    let lines: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[allow(dead_code)]
fn main() {
    let rows = vectors();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/vrf.json");
    std::fs::write(path, render(&rows)).expect("vectors/ can be written");
    println!("wrote {} vectors to vectors/vrf.json", rows.len());
}
