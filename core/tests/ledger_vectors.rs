//! Holds wire::merkle, ledger and posp to `vectors/merkle.json`, `settlement.json` and `posp.json`, read as a stranger would.

#[path = "../examples/gen_ledger_vectors/main.rs"]
mod generator;

use iotedge_core::crypto::{PublicKey, Signature, Software};
use iotedge_core::identity::{Caps, Record, Roles};
use iotedge_core::ledger::{
    Deposit, Deposits, Effect, End, Entry, LedgerError, Locks, Settled, Settlement,
};
use iotedge_core::posp::{
    Anchored, Checkpoint, DoubleVote, Expansion, Header, MAX_VOTE_MESSAGE, PospError, Receipt,
    SignedHeader, ValidatorSet, verify_vote, vote_message, write_statement,
};
use iotedge_core::wire::Writer;
use iotedge_core::wire::list::Vote;
use iotedge_core::wire::merkle::{leaf_hash, root, verify_inclusion};
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex, Millis, Number};
use serde_json::Value;
use std::collections::BTreeSet;

const MERKLE: &str = include_str!("../../vectors/merkle.json");
const SETTLEMENT: &str = include_str!("../../vectors/settlement.json");
const POSP: &str = include_str!("../../vectors/posp.json");

fn rows(file: &str) -> Vec<Value> {
    serde_json::from_str(file).unwrap()
}

fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {row}"))
}

fn number<T: TryFrom<u64, Error: core::fmt::Debug>>(row: &Value, field: &str) -> T {
    let number = row[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} in {row}"));
    T::try_from(number).unwrap()
}

fn list<'v>(row: &'v Value, field: &str) -> &'v [Value] {
    row[field]
        .as_array()
        .unwrap_or_else(|| panic!("{field} in {row}"))
}

fn bytes(row: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(row, field)).unwrap()
}

fn array<const N: usize>(row: &Value, field: &str) -> [u8; N] {
    bytes(row, field).try_into().unwrap()
}

fn id(row: &Value, field: &str) -> Id {
    Id(array(row, field))
}

fn ids(row: &Value, field: &str) -> Vec<Id> {
    let one = |v: &Value| {
        Id(hex::decode(v.as_str().unwrap())
            .unwrap()
            .try_into()
            .unwrap())
    };
    list(row, field).iter().map(one).collect()
}

fn key(row: &Value, field: &str) -> PublicKey {
    PublicKey::Ed25519(array(row, field))
}

/// The value of a row that must hold, or nothing once the row failed under the name that it should.
fn expect<T>(row: &Value, result: Result<T, impl core::fmt::Debug>) -> Option<T> {
    let name = text(row, "name");
    match (result, row["error"].as_str()) {
        (Ok(value), None) => Some(value),
        (Err(error), Some(wanted)) => {
            assert_eq!(format!("{error:?}"), wanted, "{name}");
            None
        }
        (Ok(_), Some(wanted)) => panic!("{name}: accepted, wanted {wanted}"),
        (Err(error), None) => panic!("{name}: {error:?}"),
    }
}

#[test]
fn the_committed_files_are_the_generated_ones() {
    let committed = [MERKLE, SETTLEMENT, POSP];
    for ((name, content), committed) in generator::files().iter().zip(committed) {
        assert!(
            content == committed,
            "{name}: regenerate with cargo run -p iotedge-core --example gen_ledger_vectors"
        );
    }
}

#[test]
fn merkle_rows() {
    for row in rows(MERKLE) {
        match text(&row, "kind") {
            "root" => {
                let leaf = |v: &Value| leaf_hash(&hex::decode(v.as_str().unwrap()).unwrap());
                let leaves = list(&row, "leaves").iter().map(leaf);
                assert_eq!(root(leaves), Ok(id(&row, "root")), "{row}");
            }
            "path" => {
                let leaf = leaf_hash(&bytes(&row, "leaf"));
                let (index, size) = (number(&row, "index"), number(&row, "size"));
                let path = ids(&row, "path");
                expect(
                    &row,
                    verify_inclusion(&leaf, index, size, &path, &id(&row, "root")),
                );
            }
            other => panic!("unknown kind {other}"),
        }
    }
}

fn effect<'m>(row: &Value, members: &'m [MemberIndex]) -> Effect<'m> {
    let amount = || Amount(number(row, "amount"));
    match text(row, "kind") {
        "none" => Effect::None,
        "transfer" => Effect::Transfer {
            to: MemberIndex(number(row, "to")),
            amount: amount(),
        },
        "exit" => Effect::Exit {
            amount: amount(),
            target: array(row, "target"),
        },
        "evidence" => Effect::Evidence {
            offender: MemberIndex(number(row, "offender")),
        },
        "join" => {
            let [tx, peer, exposure] = [0, 1, 2].map(|n| Amount(row["caps"][n].as_u64().unwrap()));
            Effect::Join {
                key: key(row, "key"),
                roles: Roles::from_bits(number(row, "roles")).unwrap(),
                caps: Caps { tx, peer, exposure },
            }
        }
        "rotate" => Effect::Rotate {
            key: key(row, "key"),
        },
        "leave" => Effect::Leave,
        "revoke" => Effect::Revoke { members },
        other => panic!("unknown effect {other}"),
    }
}

fn records(row: &Value, field: &str) -> Vec<Record> {
    let one = |v: &Value| Record::decode(&hex::decode(v.as_str().unwrap()).unwrap()).unwrap();
    list(row, field).iter().map(one).collect()
}

fn settle(row: &Value, after: &mut [Record]) -> Result<Settled, LedgerError> {
    let before = records(row, "before");
    let mut settlement = Settlement::begin(&before, after, Locks::none())?;
    for entry in list(row, "entries") {
        let members: Vec<MemberIndex> = entry["effect"]["members"]
            .as_array()
            .map(|all| {
                all.iter()
                    .map(|m| MemberIndex(m.as_u64().unwrap() as u16))
                    .collect()
            })
            .unwrap_or_default();
        settlement.apply(&Entry {
            id: id(entry, "id"),
            issuer: MemberIndex(number(entry, "issuer")),
            number: Number(number(entry, "number")),
            time: Millis(number(entry, "time")),
            debits: Amount(number(entry, "debits")),
            lives: entry["lives"].as_bool().unwrap(),
            effect: effect(&entry["effect"], &members),
        })?;
    }
    let paid_in = &row["deposits"];
    let deposit = |one: &Value| Deposit {
        device: id(one, "device"),
        amount: Amount(number(one, "amount")),
        from: array(one, "from"),
    };
    let (mut list, mut first, mut neighbourhood) = (Vec::new(), 0, Id::ZERO);
    if !paid_in.is_null() {
        list.extend(self::list(paid_in, "list").iter().map(deposit));
        (first, neighbourhood) = (number(paid_in, "first"), id(paid_in, "neighbourhood"));
    }
    settlement.finish(&End {
        g0: id(row, "g0"),
        neighbourhood,
        deposits: Deposits { first, list: &list },
        ..End::default()
    })
}

#[test]
fn settlement_rows() {
    for row in rows(SETTLEMENT) {
        let mut after = vec![Record::EMPTY; number(&row, "room")];
        let result = settle(&row, &mut after);
        let wanted = &row["expected"];
        let mut named = wanted.clone();
        named["name"] = row["name"].clone();
        let Some(settled) = expect(&named, result) else {
            continue;
        };
        let after = &after[..settled.members];
        assert_eq!(after, records(wanted, "after"), "{}", row["name"]);
        let expected = Settled {
            count: number(wanted, "count"),
            members: list(wanted, "after").len(),
            weight: number(wanted, "weight"),
            total_value: Amount(number(wanted, "total_value")),
            exited: Amount(number(wanted, "exited")),
            state_root: id(wanted, "state_root"),
            exits_root: id(wanted, "exits_root"),
            table_root: id(wanted, "table_root"),
            locks: 0,
            first_time: Millis(number(wanted, "first_time")),
            last_time: Millis(number(wanted, "last_time")),
            joined: number(wanted, "joined"),
            passed_over: number(wanted, "passed_over"),
        };
        assert_eq!(settled, expected, "{}", row["name"]);
    }
}

fn set(row: &Value) -> ValidatorSet {
    ValidatorSet::decode(&bytes(row, "set")).unwrap()
}

fn encoded(write: impl Fn(&mut Writer<'_>) -> Result<(), PospError>) -> Vec<u8> {
    let mut buffer = [0; 8192];
    let mut w = Writer::new(&mut buffer);
    write(&mut w).unwrap();
    w.written().to_vec()
}

fn header_row(row: &Value) {
    let cose = bytes(row, "bytes");
    let neighbourhood = id(row, "neighbourhood");
    let parsed = SignedHeader::parse(&cose);
    let verified = parsed.and_then(|h| {
        h.verify(&neighbourhood, &key(row, "key"), &mut Software)?;
        Ok(h)
    });
    let Some(signed) = expect(row, verified) else {
        return;
    };
    assert_eq!(signed.hash(), id(row, "hash"));
    assert_eq!(signed.header().number, HeaderNumber(number(row, "number")));
    assert_eq!(signed.header().tree_size(), number::<u32>(row, "tree_size"));
    let header = *signed.header();
    assert_eq!(encoded(|w| Ok(header.encode(w)?)), signed.payload());
    assert_eq!(Header::hash(signed.payload()), signed.hash());
}

fn set_row(row: &Value) {
    let raw = bytes(row, "bytes");
    let Some(set) = expect(row, ValidatorSet::decode(&raw)) else {
        return;
    };
    assert_eq!(set.hash(), id(row, "hash"));
    assert_eq!(set.total().to_string(), text(row, "total"));
    assert_eq!(encoded(|w| Ok(set.encode(w)?)), raw);
}

fn vote_row(row: &Value) {
    let (key, neighbourhood) = (array(row, "key"), id(row, "neighbourhood"));
    let header = HeaderNumber(number(row, "number"));
    let root = id(row, "root");
    let mut buffer = [0; MAX_VOTE_MESSAGE];
    let message = vote_message(&key, &neighbourhood, header, &root, &mut buffer).unwrap();
    assert_eq!(message, bytes(row, "message"));
    let signature = Signature(array(row, "signature"));
    let result = verify_vote(
        &key,
        &neighbourhood,
        header,
        &root,
        &signature,
        &mut Software,
    );
    expect(row, result);
}

fn anchored_row(row: &Value) {
    let key = array(row, "key");
    let said = Anchored {
        neighbourhood: id(row, "neighbourhood"),
        number: HeaderNumber(number(row, "number")),
        header: id(row, "header"),
        block: number(row, "block"),
    };
    let mut buffer = [0; MAX_VOTE_MESSAGE];
    assert_eq!(
        said.message(&key, &mut buffer).unwrap(),
        bytes(row, "message")
    );
    let signature = Signature(array(row, "signature"));
    expect(row, said.verify(&key, &signature, &mut Software));
}

fn receipt_row(row: &Value) {
    let raw = bytes(row, "bytes");
    let (set, neighbourhood) = (set(row), id(row, "neighbourhood"));
    let parsed = Receipt::parse(&raw);
    let result = parsed.and_then(|r| r.verify(&set, &neighbourhood, &mut Software));
    if let Some(proven) = expect(row, result) {
        assert_eq!(proven.tx, id(row, "tx"));
        assert_eq!(proven.number, HeaderNumber(number(row, "number")));
        assert_eq!(encoded(|w| Receipt::parse(&raw)?.encode(w)), raw);
    }
}

fn double_vote_row(row: &Value) {
    let parsed = DoubleVote::decode(&bytes(row, "bytes"));
    let result = parsed.and_then(|p| p.verify(&id(row, "neighbourhood"), &set(row), &mut Software));
    if let Some(index) = expect(row, result) {
        assert_eq!(index, number::<u8>(row, "index"));
    }
}

fn checkpoint_row(row: &Value) {
    let result = Checkpoint::verify(&bytes(row, "bytes"), &key(row, "key"), &mut Software);
    if let Some(checkpoint) = expect(row, result) {
        assert_eq!(checkpoint.number, HeaderNumber(number(row, "number")));
        assert_eq!(checkpoint.header, id(row, "header"));
        assert_eq!(checkpoint.set, id(row, "set_hash"));
        assert_eq!(checkpoint.time, Millis(number(row, "time")));
    }
}

fn expansion_row(row: &Value) {
    let (set, path) = (set(row), ids(row, "path"));
    let expansion = Expansion {
        set: &set,
        neighbourhood: id(row, "neighbourhood"),
        number: HeaderNumber(number(row, "number")),
        size: number(row, "size"),
        leaf: number(row, "leaf"),
        path: &path,
    };
    let written = if text(row, "kind") == "statement" {
        let vote = |v: &Value| Vote {
            index: v[0].as_u64().unwrap() as u8,
            signature: Signature(
                hex::decode(v[1].as_str().unwrap())
                    .unwrap()
                    .try_into()
                    .unwrap(),
            ),
        };
        let votes: Vec<Vote> = list(row, "votes").iter().map(vote).collect();
        let cose = bytes(row, "cose");
        encoded(|w| write_statement(&cose, &expansion, &votes, w))
    } else {
        let vote = Vote {
            index: number(row, "index"),
            signature: Signature(array(row, "signature")),
        };
        encoded(|w| expansion.write_receipt(&vote, w))
    };
    assert_eq!(written, bytes(row, "bytes"), "{}", row["name"]);
}

#[test]
fn posp_rows() {
    let mut kinds = BTreeSet::new();
    for row in rows(POSP) {
        match text(&row, "kind") {
            "header" => header_row(&row),
            "set" => set_row(&row),
            "vote" => vote_row(&row),
            "anchored" => anchored_row(&row),
            "receipt" => receipt_row(&row),
            "double-vote" => double_vote_row(&row),
            "checkpoint" => checkpoint_row(&row),
            "cose-receipt" | "statement" => expansion_row(&row),
            other => panic!("unknown kind {other}"),
        }
        kinds.insert(text(&row, "kind").to_owned());
    }
    assert_eq!(kinds.len(), 9);
}
