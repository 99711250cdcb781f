//! Writes `vectors/election.json`: elections whose committees everybody finds, and records that must be refused (docs/protocol.md section 7.7).
//!
//! `cargo run -p iotedge-core --example gen_election_vectors` regenerates the file; tests compare and run it.

#[path = "common/rows.rs"]
mod rows;

use iotedge_core::Id;
use iotedge_core::crypto::vrf::{Proof, SecretKey};
use iotedge_core::posp::election::{
    Candidate, Elected, Election, ElectionError, Entry, Fresh, Record, Seed, encode_record,
    list_hash,
};
use iotedge_core::wire::Writer;
use serde_json::{Value, json};

const TERM: u32 = 9;

fn chain() -> Id {
    Id([0xc4; 32])
}

fn election(seats: u8) -> Election {
    let fresh = Fresh {
        merge: [0x3e; 32],
        randomness: [0x7a; 32],
    };
    Election {
        chain: chain(),
        term: TERM,
        seats,
        seed: Seed::genesis(&chain()).next(Some(&fresh)),
    }
}

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32]).expect("not zero")
}

fn entry(of: &Election, n: u8, units: u64) -> Entry {
    let key = [n; 32];
    Entry {
        candidate: Candidate {
            key,
            function: secret(n).public_key(),
            units,
            registered: TERM - 2,
        },
        proof: Some(of.prove(&key, &secret(n)).expect("a point")),
    }
}

fn entries(of: &Election, units: &[u64]) -> Vec<Entry> {
    (1..).zip(units).map(|(n, w)| entry(of, n, *w)).collect()
}

fn row(name: &str, of: &Election, entries: &[Entry], list: Option<Id>) -> Value {
    let mut buffer = vec![0; 20_000];
    let mut w = Writer::new(&mut buffer);
    encode_record(of, entries, &mut w).expect("room");
    let record = w.written().to_vec();
    let candidates: Vec<Candidate> = entries.iter().map(|e| e.candidate).collect();
    let list = list.or_else(|| list_hash(&of.chain, of.term, &candidates).ok());
    let list = list.unwrap_or(Id([0; 32]));
    let ran: Result<Elected<64>, ElectionError> =
        Record::parse(&record).and_then(|r| r.run(of, &list));
    let (error, members, merge) = match &ran {
        Ok(elected) => {
            let members = elected
                .members()
                .map(|m| json!([hex::encode(m.key), m.stake]))
                .collect();
            (None, members, hex::encode(elected.merge()))
        }
        Err(error) => (Some(format!("{error:?}")), Vec::new(), String::new()),
    };
    json!({
        "op": "election", "name": name, "record": hex::encode(record), "list": list.to_string(),
        "error": error, "members": members, "merge": merge,
    })
}

pub fn vectors() -> Vec<Value> {
    let of = election(7);
    let mut out = Vec::new();
    let mut add =
        |name: &str, of: &Election, entries: &[Entry]| out.push(row(name, of, entries, None));
    let ten = entries(&of, &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    add("ten alike, seven seats", &of, &ten);
    add(
        "weighted by collateral",
        &of,
        &entries(&of, &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512]),
    );
    add(
        "one holds most, and has most seats",
        &of,
        &entries(&of, &[3, 1_000_000, 5]),
    );
    let many = election(64);
    add("more seats than units", &many, &entries(&many, &[2, 1, 3]));
    add(
        "the greatest collateral",
        &of,
        &entries(&of, &[u64::MAX, u64::MAX, 1]),
    );
    let one = election(1);
    add("one seat", &one, &entries(&one, &[5, 5, 5]));
    let again = Election {
        seed: of.seed.again(),
        ..of
    };
    add(
        "the seed was used, and is hashed again",
        &again,
        &entries(&again, &[1, 2, 3, 4]),
    );
    let mut silent = ten.clone();
    for n in [1, 4, 7, 9] {
        silent[n].proof = None;
    }
    add("four of ten do not reveal", &of, &silent);
    silent[0].proof = None;
    add("refused: half did not reveal", &of, &silent);
    let mut bent = ten.clone();
    let bend = |entry: &mut Entry, at: usize| {
        let mut proof = entry.proof.expect("revealed").0;
        proof[at] ^= 1;
        entry.proof = Some(Proof(proof));
    };
    bend(&mut bent[3], 40);
    add("refused: a false proof", &of, &bent);
    let mut other = ten.clone();
    other[2].proof = ten[3].proof;
    add("refused: another candidate's proof", &of, &other);
    let mut order = ten.clone();
    order.swap(4, 5);
    add("refused: not in order", &of, &order);
    let mut twice = ten.clone();
    twice[5] = twice[4];
    add("refused: one twice", &of, &twice);
    let mut new = ten.clone();
    new[6].candidate.registered = TERM - 1;
    add("refused: registered too late", &of, &new);
    let mut nothing = ten.clone();
    nothing[6].candidate.units = 0;
    add("refused: no collateral", &of, &nothing);
    add("refused: no candidates", &of, &[]);
    let none = election(0);
    add("refused: no seats", &none, &ten);
    out.push(row("refused: another list", &of, &ten, Some(Id([5; 32]))));
    out
}

pub fn render() -> String {
    rows::render(&vectors())
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/election.json");
    std::fs::write(path, render()).expect("vectors/ can be written");
    println!("wrote {} vectors to vectors/election.json", vectors().len());
}
