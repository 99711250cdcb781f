//! Roots, paths, and paths that must fail.

use super::{hexes, id};
use iotedge_core::Id;
use iotedge_core::wire::merkle::{self, MAX_PATH, leaf_hash, verify_inclusion};
use serde_json::{Value, json};

fn data(n: u32) -> Vec<u8> {
    let bytes = id("merkle leaf", u64::from(n)).0;
    let long = [bytes, bytes].concat();
    long.iter().take(n as usize * 7 % 65).copied().collect()
}

fn row(name: String, leaf: &[u8], index: u32, size: u32, path: &[Id], root: &Id) -> Value {
    let result = verify_inclusion(&leaf_hash(leaf), index, size, path, root);
    json!({
        "kind": "path", "name": name, "leaf": hex::encode(leaf), "index": index, "size": size,
        "path": hexes(path), "root": root.to_string(), "error": result.err().map(|e| format!("{e:?}")),
    })
}

pub fn rows() -> Vec<Value> {
    let mut rows = Vec::new();
    for size in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33] {
        let leaves: Vec<Vec<u8>> = (0..size).map(data).collect();
        let hashes: Vec<Id> = leaves.iter().map(|l| leaf_hash(l)).collect();
        let root = merkle::root(hashes.iter().copied()).expect("few leaves");
        rows.push(json!({
            "kind": "root", "name": format!("root/{size}"),
            "leaves": leaves.iter().map(hex::encode).collect::<Vec<_>>(), "root": root.to_string(),
        }));
        let mut out = [Id::ZERO; MAX_PATH];
        let mut path = |index: u32| {
            let n = merkle::path(index, size, |i| hashes[i as usize], &mut out).expect("in range");
            out[..n].to_vec()
        };
        for index in (0..size).filter(|i| size < 10 || i % 5 == 0 || i + 1 == size) {
            let name = format!("path/{index} of {size}");
            rows.push(row(
                name,
                &leaves[index as usize],
                index,
                size,
                &path(index),
                &root,
            ));
        }
        if size != 7 {
            continue;
        }
        let way = path(4);
        let mut add = |name: &str, leaf: u32, index, size, way: &[Id]| {
            let leaf = &leaves[leaf as usize];
            rows.push(row(
                format!("refused/{name}"),
                leaf,
                index,
                size,
                way,
                &root,
            ));
        };
        add("other leaf", 3, 4, 7, &way);
        add("other index", 4, 5, 7, &way);
        add("index at size", 4, 7, 7, &way);
        add("index above size", 4, u32::MAX, 7, &way);
        add("size 0", 4, 0, 0, &[]);
        add("size 8", 4, 4, 8, &way[..2]);
        add("short path", 4, 4, 7, &way[..2]);
        add("empty path", 4, 4, 7, &[]);
        add("long path", 4, 4, 7, &[&way[..], &way[..1]].concat());
        let mut swapped = way.clone();
        swapped.swap(0, 1);
        add("swapped path", 4, 4, 7, &swapped);
        let mut flipped = way;
        flipped[2].0[0] ^= 0x80;
        add("flipped bit", 4, 4, 7, &flipped);
    }
    rows
}
