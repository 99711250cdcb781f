//! Epochs settled, and epochs that must be refused.

use super::{encoded, id, secret};
use iotedge_core::crypto::PublicKey;
use iotedge_core::identity::{Caps, CoseKey, Record, Roles};
use iotedge_core::ledger::{Deposit, Deposits, Effect, End, Entry, Locks, Settlement};
use iotedge_core::{Amount, Id, MemberIndex, Millis, Number};
use serde_json::{Value, json};

const CLOCK: u64 = 1_700_000_000_000;

fn key(n: u64) -> PublicKey {
    secret("member", n).public_key()
}

fn caps() -> Caps {
    Caps {
        tx: Amount(1_000),
        peer: Amount(5_000),
        exposure: Amount(20_000),
    }
}

fn table(credits: &[u64]) -> Vec<Record> {
    let old = id("g0", 0);
    let record = |(n, credits): (usize, &u64)| {
        let roles = if n == 0 { Roles::GL_NODE } else { Roles::NONE };
        let index = MemberIndex(n as u16);
        Record::enrolled(index, key(n as u64), roles, caps(), Amount(*credits), old)
    };
    credits.iter().enumerate().map(record).collect()
}

fn entry(at: u64, issuer: u16, number: u32, debits: u64, effect: Effect<'_>) -> Entry<'_> {
    Entry {
        id: id("tx", at),
        issuer: MemberIndex(issuer),
        number: Number(number),
        time: Millis(CLOCK + at),
        debits: Amount(debits),
        lives: true,
        effect,
    }
}

fn dead(entry: Entry<'_>) -> Entry<'_> {
    Entry {
        lives: false,
        ..entry
    }
}

fn pay(to: u16, amount: u64) -> Effect<'static> {
    Effect::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
    }
}

fn exit(amount: u64) -> Effect<'static> {
    Effect::Exit {
        amount: Amount(amount),
        target: [0xe7; 20],
    }
}

fn join(n: u64) -> Effect<'static> {
    Effect::Join {
        key: key(n),
        roles: Roles::FULL_NODE,
        caps: caps(),
    }
}

fn key_hex(key: &PublicKey) -> String {
    hex::encode(key.bytes())
}

fn effect_json(effect: &Effect<'_>) -> Value {
    match effect {
        Effect::None => json!({"kind": "none"}),
        Effect::Transfer { to, amount } => {
            json!({"kind": "transfer", "to": to.0, "amount": amount.0})
        }
        Effect::Exit { amount, target } => {
            json!({"kind": "exit", "amount": amount.0, "target": hex::encode(target)})
        }
        Effect::Lock { .. } | Effect::Claim { .. } => unreachable!("vectors/lock.json has these"),
        Effect::Evidence { offender } => json!({"kind": "evidence", "offender": offender.0}),
        Effect::Join { key, roles, caps } => json!({
            "kind": "join", "key": key_hex(key), "roles": roles.bits(),
            "caps": [caps.tx.0, caps.peer.0, caps.exposure.0],
        }),
        Effect::Rotate { key } => json!({"kind": "rotate", "key": key_hex(key)}),
        Effect::Leave => json!({"kind": "leave"}),
        Effect::Revoke { members } => {
            json!({"kind": "revoke", "members": members.iter().map(|m| m.0).collect::<Vec<_>>()})
        }
    }
}

fn entry_json(entry: &Entry<'_>) -> Value {
    json!({
        "id": entry.id.to_string(), "issuer": entry.issuer.0, "number": entry.number.0, "time": entry.time.0,
        "debits": entry.debits.0, "lives": entry.lives, "effect": effect_json(&entry.effect),
    })
}

fn records_json(records: &[Record]) -> Vec<String> {
    let hex = |r: &Record| hex::encode(encoded(|w| r.encode(w).expect("a sound record")));
    records.iter().map(hex).collect()
}

/// Settles and writes down what came out, next table included. `room` is the most members that the table may have.
fn row(name: &str, before: &[Record], entries: &[Entry<'_>], room: usize) -> (Value, Vec<Record>) {
    row_with(name, before, entries, room, Deposits::default())
}

fn deposits_json(neighbourhood: &Id, deposits: &Deposits<'_>) -> Value {
    let one = |d: &Deposit| json!({"device": d.device.to_string(), "amount": d.amount.0, "from": hex::encode(d.from)});
    json!({
        "neighbourhood": neighbourhood.to_string(), "first": deposits.first,
        "list": deposits.list.iter().map(one).collect::<Vec<_>>(),
    })
}

/// The same with deposits, which only the rows about them have.
fn row_with(
    name: &str,
    before: &[Record],
    entries: &[Entry<'_>],
    room: usize,
    deposits: Deposits<'_>,
) -> (Value, Vec<Record>) {
    let g0 = id("g0", 1);
    let neighbourhood = id("neighbourhood", 0);
    let mut after = vec![Record::EMPTY; room];
    let end = End {
        g0,
        neighbourhood,
        deposits,
        ..End::default()
    };
    let result = Settlement::begin(before, &mut after, Locks::none()).and_then(|mut settlement| {
        for entry in entries {
            settlement.apply(entry)?;
        }
        settlement.finish(&end)
    });
    let expected = match result {
        Err(error) => json!({"error": format!("{error:?}")}),
        Ok(s) => {
            after.truncate(s.members);
            json!({
                "error": null, "after": records_json(&after), "count": s.count, "weight": s.weight,
                "total_value": s.total_value.0, "exited": s.exited.0, "state_root": s.state_root.to_string(),
                "exits_root": s.exits_root.to_string(), "table_root": s.table_root.to_string(),
                "first_time": s.first_time.0, "last_time": s.last_time.0, "joined": s.joined,
                "passed_over": s.passed_over,
            })
        }
    };
    let mut value = json!({
        "name": name, "g0": g0.to_string(), "room": room, "before": records_json(before),
        "entries": entries.iter().map(entry_json).collect::<Vec<_>>(), "expected": expected,
    });
    if !deposits.list.is_empty() {
        value["deposits"] = deposits_json(&neighbourhood, &deposits);
    }
    (value, after)
}

pub fn rows() -> Vec<Value> {
    let mut rows = Vec::new();
    let mut add = |name: &str, before: &[Record], entries: &[Entry<'_>]| {
        let (value, after) = row(name, before, entries, before.len() + 3);
        rows.push(value);
        after
    };
    let four = table(&[1_000, 500, 500, 0]);
    add("an epoch without transactions", &four, &[]);
    add(
        "transfers",
        &four,
        &[
            entry(1, 0, 1, 300, pay(1, 300)),
            entry(2, 1, 1, 20, pay(2, 20)),
            entry(3, 2, 1, 5, pay(0, 5)),
        ],
    );
    let chain = [
        entry(1, 0, 1, 100, pay(1, 100)),
        entry(2, 0, 2, 100, Effect::None),
        entry(3, 0, 3, 350, pay(2, 250)),
        entry(4, 0, 4, 351, pay(0, 1)),
    ];
    add("one chain in order", &four, &chain);
    add("refused: out of order", &four, &[chain[1], chain[0]]);
    add("refused: one entry twice", &four, &[chain[0], chain[0]]);
    let mut tie = [entry(7, 1, 1, 1, pay(0, 1)), entry(8, 2, 1, 1, pay(0, 1))];
    tie[1].time = tie[0].time;
    tie.sort_by_key(|e| e.id);
    add("one time, lower id first", &four, &tie);
    tie.reverse();
    add("refused: one time, higher id first", &four, &tie);

    let lost = dead(entry(1, 0, 1, 600, pay(1, 600)));
    let held = add("a dead transfer has no effect", &four, &[lost]);
    add(
        "refused: issued again before the dead is given back",
        &held,
        &[entry(2, 0, 2, 1_200, pay(1, 600))],
    );
    let back = add(
        "the next living gives the dead back",
        &held,
        &[entry(3, 0, 2, 600, Effect::None)],
    );
    add(
        "issued again after it",
        &back,
        &[entry(4, 0, 3, 1_200, pay(1, 600))],
    );
    add(
        "a living transfer gives the dead back at once",
        &held,
        &[entry(5, 0, 2, 900, pay(1, 300))],
    );
    add(
        "two dead, then two living",
        &held,
        &[
            dead(entry(6, 0, 2, 650, pay(2, 50))),
            entry(7, 0, 3, 700, pay(2, 50)),
            entry(8, 0, 4, 750, exit(50)),
        ],
    );

    let offender = MemberIndex(2);
    let frozen = add(
        "evidence freezes",
        &four,
        &[
            entry(1, 2, 1, 10, pay(1, 10)),
            entry(2, 0, 1, 0, Effect::Evidence { offender }),
            entry(3, 1, 1, 0, Effect::Evidence { offender }),
        ],
    );
    add(
        "frozen stays frozen",
        &frozen,
        &[entry(4, 2, 2, 10, Effect::None)],
    );
    add(
        "exits",
        &four,
        &[
            entry(1, 0, 1, 400, exit(400)),
            entry(2, 1, 1, 1, exit(1)),
            dead(entry(3, 2, 1, 9, exit(9))),
        ],
    );
    add(
        "joins: one in a small table, none twice",
        &four,
        &[
            entry(1, 0, 1, 0, join(3)),
            entry(2, 0, 2, 0, join(20)),
            entry(3, 0, 3, 0, join(21)),
        ],
    );
    let many = table(&[10; 24]);
    add(
        "joins: a tenth of a large table",
        &many,
        &[
            entry(1, 0, 1, 0, join(40)),
            entry(2, 0, 2, 0, join(41)),
            entry(3, 0, 3, 0, join(42)),
        ],
    );
    add(
        "a member rotates its key",
        &four,
        &[entry(1, 1, 1, 0, Effect::Rotate { key: key(30) })],
    );
    let gone = [MemberIndex(2), MemberIndex(3)];
    let left = add(
        "members leave and are revoked",
        &four,
        &[
            entry(1, 1, 1, 0, Effect::Leave),
            entry(2, 0, 1, 0, Effect::Revoke { members: &gone }),
            entry(3, 0, 2, 7, pay(1, 7)),
        ],
    );
    add(
        "who left stays gone",
        &left,
        &[entry(4, 1, 2, 0, Effect::None)],
    );

    let mut idle = four.clone();
    idle.iter_mut().for_each(|r| r.idle = 2);
    let asleep = add(
        "one silent member loses its weight",
        &idle,
        &[entry(1, 0, 1, 0, Effect::None)],
    );
    let awake = add(
        "one more, and one comes back",
        &asleep,
        &[entry(2, 1, 1, 0, Effect::None)],
    );
    add("the last weight stays", &awake, &[]);
    let mut crowd = table(&[1; 24]);
    crowd.iter_mut().for_each(|r| r.idle = 200);
    add(
        "a tenth of a silent crowd",
        &crowd,
        &[entry(1, 0, 1, 0, Effect::None)],
    );

    add(
        "refused: more than the settled credits",
        &four,
        &[
            entry(1, 0, 1, 400, pay(3, 400)),
            entry(2, 3, 1, 1, pay(0, 1)),
        ],
    );
    add(
        "refused: one over",
        &four,
        &[entry(1, 0, 1, 1_001, pay(1, 1_001))],
    );
    add("refused: amount 0", &four, &[entry(1, 0, 1, 0, pay(1, 0))]);
    add(
        "refused: debits too low",
        &four,
        &[entry(1, 0, 1, 9, pay(1, 10))],
    );
    add(
        "refused: debits shrink",
        &four,
        &[chain[0], entry(2, 0, 2, 99, Effect::None)],
    );
    add(
        "refused: number settled already",
        &back,
        &[entry(9, 0, 2, 600, Effect::None)],
    );
    add(
        "refused: unknown issuer",
        &four,
        &[entry(1, 4, 1, 0, Effect::None)],
    );
    add(
        "refused: unknown payee",
        &four,
        &[entry(1, 0, 1, 1, pay(4, 1))],
    );
    let stranger = Effect::Evidence {
        offender: MemberIndex(4),
    };
    add(
        "refused: unknown offender",
        &four,
        &[entry(1, 0, 1, 0, stranger)],
    );
    add(
        "refused: credits overflow",
        &table(&[10, u64::MAX]),
        &[entry(1, 0, 1, 1, pay(1, 1))],
    );
    add(
        "refused: total beyond 64 bits",
        &table(&[10, u64::MAX]),
        &[],
    );
    let mut overdrawn = four.clone();
    overdrawn[3].debits = Amount(1);
    add(
        "refused: a record with more debits than credits",
        &overdrawn,
        &[],
    );
    let mut gap = four.clone();
    gap[2].index = MemberIndex(9);
    add("refused: a table with a gap", &gap, &[]);
    let (full, _) = row(
        "joins: the table is full",
        &four,
        &[entry(1, 0, 1, 0, join(20))],
        4,
    );
    rows.push(full);
    let (short, _) = row("refused: no room for the table", &four, &[], 3);
    rows.push(short);
    paid_in(&mut rows, &four, &left, &frozen);
    rows
}

/// What the G-Chain paid in.
fn paid_in(rows: &mut Vec<Value>, four: &[Record], left: &[Record], frozen: &[Record]) {
    let deposit = |member: u64, amount: u64| Deposit {
        device: CoseKey::thumbprint(&key(member)),
        amount: Amount(amount),
        from: [0xa0 + member as u8; 20],
    };
    let mut add =
        |name: &str, before: &[Record], entries: &[Entry<'_>], first, list: &[Deposit]| {
            let room = before.len() + 3;
            let deposits = Deposits { first, list };
            rows.push(row_with(name, before, entries, room, deposits).0);
        };
    let list = [deposit(3, 250), deposit(0, 1), deposit(3, 6)];
    add("deposits are credited", four, &[], 0, &list);
    add(
        "refused: spent in the epoch that credits it",
        four,
        &[entry(1, 3, 1, 250, pay(0, 250))],
        0,
        &list,
    );
    let entries = [
        entry(1, 0, 1, 0, join(20)),
        entry(2, 1, 1, 3, exit(3)),
        entry(3, 2, 1, 9, pay(3, 9)),
    ];
    let list = [deposit(20, 40), deposit(21, 41), deposit(3, 42)];
    add(
        "a deposit for who joins, and one for nobody",
        four,
        &entries,
        17,
        &list,
    );
    let list = [deposit(1, 5), deposit(0, 7)];
    add("a deposit for who left", left, &[], 300, &list);
    let list = [deposit(2, 5), deposit(1, 7)];
    add("a deposit for who is frozen", frozen, &[], 70_000, &list);
    let rich = table(&[10, u64::MAX - 100]);
    let list = [deposit(1, 80), deposit(1, 21)];
    add("a deposit beyond 64 bits goes back", &rich, &[], 1, &list);
    add(
        "refused: a deposit of nothing",
        four,
        &[],
        0,
        &[deposit(0, 0)],
    );
    add(
        "refused: one deposit too many",
        four,
        &[],
        u32::MAX,
        &[deposit(0, 1)],
    );
}
