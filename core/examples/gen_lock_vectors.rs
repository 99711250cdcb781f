//! Writes `vectors/lock.json`: what the signers of vouchers and statements sign, what each proof makes of a lock, and what settlements make of locks (protocol sections 8.1 and 14).
//!
//! `cargo run -p iotedge-core --example gen_lock_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so that a C program can run them.

use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::identity::{Caps, CoseKey, Record, Roles};
use iotedge_core::ledger::{Context, Effect, End, Entry, Lock, Locks, Settlement};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::sale::{
    Compare, Config, Feed, Payer, Pebble, Predicate, Proof, Readers, Sale, SaleError, Secret,
    Statement, Statements, Terms, Tick, statement_input, voucher_input,
};
use iotedge_core::wire::{Reader, Writer};
use iotedge_core::{Amount, Id, MemberIndex, Millis, Number, SaleNumber};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

pub const NEIGHBOURHOOD: Id = Id([0x11; 32]);
pub const FROM: u64 = 1_750_000_000_000;
const TERM: u32 = 600_000;
/// T of the settlements.
pub const PERIOD: u64 = 60_000;

struct Fixed;

impl Platform for Fixed {
    fn random(&mut self, _: &mut [u8]) -> Result<(), PlatformError> {
        Err(PlatformError::Random)
    }
    fn get(&mut self, _: u16, _: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        Ok(None)
    }
    fn put(&mut self, _: u16, _: &[u8]) -> Result<(), PlatformError> {
        Ok(())
    }
    fn remove(&mut self, _: u16) -> Result<(), PlatformError> {
        Ok(())
    }
}

/// The device key of a member.
pub fn secret(member: u16) -> SecretKey {
    let mut seed = [0x70; 32];
    seed[..2].copy_from_slice(&member.to_be_bytes());
    SecretKey::from_seed(&seed).unwrap()
}

fn device(member: u16) -> Id {
    CoseKey::thumbprint(&secret(member).public_key())
}

fn row<const N: usize>(fields: [(&str, String); N]) -> Row {
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut out = [0; 512];
    let mut w = Writer::new(&mut out);
    write(&mut w);
    w.intact().unwrap();
    hex::encode(w.written())
}

fn ticks(units: u32) -> Vec<Tick> {
    let sale = Sale::new(&NEIGHBOURHOOD, &device(0), SaleNumber(7));
    let owner = Secret::from_bytes([0x33; 32]);
    let config = Config {
        sale,
        units,
        ahead: 64,
        key: 1,
    };
    let mut pebbles = vec![Pebble::default(); Payer::pebbles(units)];
    let anchor = Payer::anchor(&owner, &sale, units).unwrap();
    let mut all = vec![Tick {
        index: 0,
        value: anchor.0,
    }];
    let mut payer = Payer::open(&mut Fixed, &owner, config, &mut pebbles).unwrap();
    all.extend((0..units).map(|_| payer.pay(&mut Fixed).unwrap()));
    all
}

fn by_ticks() -> Terms {
    Terms::Ticks {
        sale: SaleNumber(7),
        units: 100,
        anchor: Id(ticks(100)[0].value),
    }
}

fn by_vouchers() -> Terms {
    Terms::Vouchers {
        key: secret(0).public_key(),
    }
}

fn by_readers() -> Terms {
    Terms::Predicate(Predicate {
        feed: Feed::new(b"level").unwrap(),
        compare: Compare::AtLeast,
        threshold: -40,
        window: 5_000,
        quorum: 2,
        readers: Readers::new([2, 3, 5].map(MemberIndex)).unwrap(),
    })
}

fn lock(terms: Terms) -> Lock {
    Lock {
        id: Id([0x21; 32]),
        payer: MemberIndex(0),
        to: MemberIndex(1),
        amount: Amount(1_000),
        reached: Amount(0),
        from: Millis(FROM),
        until: Millis(FROM + u64::from(TERM)),
        terms,
        tick: 0,
    }
}

fn signed_total(by: u16, lock: &Id, total: u64) -> [u8; 64] {
    let key = secret(by);
    let (public, mut out) = (key.public_key(), [0; 160]);
    let input = voucher_input(&public, &NEIGHBOURHOOD, lock, Amount(total), &mut out);
    key.sign(input.unwrap()).0
}

fn signed_reading(by: u16, feed: &[u8], value: i64, time: u64) -> [u8; 64] {
    let key = secret(by);
    let (public, mut out) = (key.public_key(), [0; 160]);
    let time = Millis(time);
    let input = statement_input(&public, &NEIGHBOURHOOD, feed, value, time, &mut out);
    key.sign(input.unwrap()).0
}

fn signatures() -> Vec<Row> {
    let mut rows = Vec::new();
    for total in [1, 24, 1_000, u64::MAX] {
        let (mut out, key) = ([0; 160], secret(0).public_key());
        let of = lock(by_vouchers()).id;
        let input = voucher_input(&key, &NEIGHBOURHOOD, &of, Amount(total), &mut out).unwrap();
        rows.push(row([
            ("op", "voucher".into()),
            ("name", format!("voucher over {total}")),
            ("key", hex::encode(key.bytes())),
            ("neighbourhood", NEIGHBOURHOOD.to_string()),
            ("lock", of.to_string()),
            ("total", total.to_string()),
            ("input", hex::encode(input)),
            ("signature", hex::encode(signed_total(0, &of, total))),
        ]));
    }
    for (feed, value) in [("t", 0), ("level", -40), ("sixteen-letters!", i64::MIN)] {
        let (mut out, key) = ([0; 160], secret(2).public_key());
        let (feed_bytes, time) = (feed.as_bytes(), Millis(FROM));
        let input = statement_input(&key, &NEIGHBOURHOOD, feed_bytes, value, time, &mut out);
        rows.push(row([
            ("op", "reading".into()),
            ("name", format!("{feed} is {value}")),
            ("key", hex::encode(key.bytes())),
            ("neighbourhood", NEIGHBOURHOOD.to_string()),
            ("feed", hex::encode(feed)),
            ("value", value.to_string()),
            ("time", FROM.to_string()),
            ("input", hex::encode(input.unwrap())),
            (
                "signature",
                hex::encode(signed_reading(2, feed_bytes, value, FROM)),
            ),
        ]));
    }
    rows
}

/// What a proof makes of a lock, by the core itself.
pub fn outcome(lock: &Lock, proof: &Proof<'_>) -> Result<Lock, SaleError> {
    let payer = device(lock.payer.0);
    let key_of = |member: MemberIndex| -> Option<PublicKey> {
        (member.0 < 6).then(|| secret(member.0).public_key())
    };
    let context = Context {
        neighbourhood: &NEIGHBOURHOOD,
        payer: &payer,
        key_of: &key_of,
    };
    lock.after(proof, &context, &mut Software)
}

fn claim(name: &str, lock: &Lock, proof: &Proof<'_>) -> Row {
    let (error, after) = match outcome(lock, proof) {
        Ok(after) => (String::new(), written(|w| after.write(w))),
        Err(error) => (format!("{error:?}"), String::new()),
    };
    let keys: Vec<String> = (0..6)
        .map(|member| hex::encode(secret(member).public_key().bytes()))
        .collect();
    row([
        ("op", "lock claim".into()),
        ("name", name.into()),
        ("neighbourhood", NEIGHBOURHOOD.to_string()),
        ("keys", keys.join(",")),
        ("lock", written(|w| lock.write(w))),
        ("proof", written(|w| proof.write(w))),
        ("error", error),
        ("after", after),
    ])
}

fn voucher(total: u64, signature: &[u8; 64]) -> Proof<'_> {
    Proof::Voucher {
        total: Amount(total),
        signature,
    }
}

fn claims() -> Vec<Row> {
    let mut rows = Vec::new();
    let chain = ticks(100);
    let ticked = lock(by_ticks());
    let further = outcome(&ticked, &Proof::Tick(chain[40])).unwrap();
    let bent = |index: usize, claimed: u32| {
        let mut value = chain[index].value;
        value[0] ^= u8::from(chain[index].index == claimed);
        Proof::Tick(Tick {
            index: claimed,
            value,
        })
    };
    for (name, lock, proof) in [
        ("the first tick", &ticked, Proof::Tick(chain[1])),
        ("the last tick", &ticked, Proof::Tick(chain[100])),
        (
            "a tick above the one before",
            &further,
            Proof::Tick(chain[41]),
        ),
        ("a tick shown again", &further, Proof::Tick(chain[40])),
        ("an older tick", &further, Proof::Tick(chain[3])),
        ("a bent tick", &further, bent(50, 50)),
        ("a tick under another index", &further, bent(50, 51)),
        ("a tick beyond the units", &further, bent(100, 101)),
        ("nothing more", &further, Proof::Nothing),
        (
            "a tick for vouchers",
            &lock(by_vouchers()),
            Proof::Tick(chain[1]),
        ),
    ] {
        rows.push(claim(name, lock, &proof));
    }
    let paid = lock(by_vouchers());
    let sign = |total| signed_total(0, &paid.id, total);
    let some = outcome(&paid, &voucher(400, &sign(400))).unwrap();
    for (name, lock, total, signature) in [
        ("the first voucher", &paid, 1, sign(1)),
        ("a voucher over all", &some, 1_000, sign(1_000)),
        ("a voucher shown again", &some, 400, sign(400)),
        ("an older voucher", &some, 399, sign(399)),
        ("a voucher above the amount", &some, 1_001, sign(1_001)),
        ("a voucher over less than it says", &some, 500, sign(499)),
        (
            "a voucher of another key",
            &some,
            500,
            signed_total(1, &paid.id, 500),
        ),
        (
            "a voucher of another lock",
            &some,
            500,
            signed_total(0, &Id([0x22; 32]), 500),
        ),
    ] {
        rows.push(claim(name, lock, &voucher(total, &signature)));
    }
    let watched = lock(by_readers());
    // Place, who signs, value, milliseconds after the lock.
    type Said = (u8, u16, i64, u64);
    let cases: [(&str, &[Said]); 9] = [
        ("two readers agree", &[(0, 2, -40, 10), (2, 5, 7, 5_010)]),
        (
            "three readers agree",
            &[(0, 2, 1, 10), (1, 3, 2, 11), (2, 5, 3, 12)],
        ),
        ("one reader alone", &[(1, 3, 0, 10)]),
        ("one says otherwise", &[(0, 2, -41, 10), (2, 5, 7, 11)]),
        ("too far apart", &[(0, 2, 0, 10), (2, 5, 7, 5_011)]),
        ("after the end", &[(0, 2, 0, 599_000), (2, 5, 7, 600_001)]),
        ("at the end", &[(0, 2, 0, 599_000), (2, 5, 7, 600_000)]),
        ("another signs", &[(0, 2, 0, 10), (1, 5, 7, 11)]),
        ("a place without a reader", &[(0, 2, 0, 10), (3, 4, 7, 11)]),
    ];
    for (name, said) in cases {
        let signatures: Vec<[u8; 64]> = said
            .iter()
            .map(|(_, by, value, after)| signed_reading(*by, b"level", *value, FROM + after))
            .collect();
        let list: Vec<Statement<'_>> = said
            .iter()
            .zip(&signatures)
            .map(|((place, _, value, after), signature)| Statement {
                place: *place,
                value: *value,
                time: Millis(FROM + after),
                signature,
            })
            .collect();
        let mut out = [0; 400];
        let statements = Statements::list(&list, &mut out).unwrap();
        rows.push(claim(name, &watched, &Proof::Statements(statements)));
    }
    rows
}

/// An entry as it is written down: fields with ':' between.
#[derive(Clone)]
pub enum Step {
    Lock {
        to: u16,
        amount: u64,
        term: u32,
        terms: Terms,
    },
    /// Lock, last, proof.
    Claim(Id, bool, String),
    Nothing,
}

/// Id byte, issuer, number, milliseconds after [`FROM`], lifetime debits, and what it does.
pub type Line = (u8, u16, u32, u64, u64, Step);

pub fn line_text((id, issuer, number, after, debits, step): &Line) -> String {
    let head = format!(
        "{}:{issuer}:{number}:{}:{debits}",
        Id([*id; 32]),
        FROM + after
    );
    match step {
        Step::Lock {
            to,
            amount,
            term,
            terms,
        } => format!(
            "lock:{head}:{to}:{amount}:{term}:{}",
            written(|w| terms.write(w))
        ),
        Step::Claim(lock, last, proof) => {
            format!("claim:{head}:{lock}:{}:{proof}", u8::from(*last))
        }
        Step::Nothing => format!("none:{head}"),
    }
}

/// Settles lines on top of records and locks, as `posp::close` does: a claim that proves nothing has no effect.
pub fn settle(
    before: &[Record],
    open: &[Lock],
    lines: &[Line],
    cut: u64,
) -> Result<(iotedge_core::ledger::Settled, Vec<Record>, Vec<Lock>), String> {
    let mut after = vec![Record::EMPTY; before.len()];
    let mut locks = vec![Lock::EMPTY; open.len() + lines.len()];
    let text = |error| format!("{error:?}");
    let book = Locks::begin(open, &mut locks).unwrap();
    let mut settlement = Settlement::begin(before, &mut after, book).map_err(text)?;
    for (id, issuer, number, after, debits, step) in lines {
        let effect = match step {
            Step::Lock {
                to,
                amount,
                term,
                terms,
            } => Effect::Lock {
                to: MemberIndex(*to),
                amount: Amount(*amount),
                term: *term,
                terms: *terms,
            },
            Step::Claim(lock, last, proof) => {
                let bytes = hex::decode(proof).unwrap();
                let proof = Proof::read(&mut Reader::new(&bytes)).unwrap();
                let lock = settlement.lock(lock).filter(|l| l.to.0 == *issuer);
                match lock.map(|lock| outcome(lock, &proof)) {
                    Some(Ok(lock)) => Effect::Claim { lock, last: *last },
                    _ => Effect::None,
                }
            }
            Step::Nothing => Effect::None,
        };
        let entry = Entry {
            id: Id([*id; 32]),
            issuer: MemberIndex(*issuer),
            number: Number(*number),
            time: Millis(FROM + after),
            debits: Amount(*debits),
            lives: true,
            effect,
        };
        settlement.apply(&entry).map_err(text)?;
    }
    let end = End {
        g0: Id([0x99; 32]),
        cut: Millis(FROM + cut),
        grace: Millis(PERIOD),
        ..End::default()
    };
    let settled = settlement.finish(&end).map_err(text)?;
    locks.truncate(settled.locks);
    Ok((settled, after, locks))
}

fn settlement(
    name: &str,
    (records, open): &(Vec<Record>, Vec<Lock>),
    lines: &[Line],
    cut: u64,
) -> (Row, (Vec<Record>, Vec<Lock>)) {
    let hex_records = |records: &[Record]| {
        let one = |r: &Record| written(|w| r.encode(w).unwrap());
        records.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let hex_locks = |locks: &[Lock]| {
        let one = |l: &Lock| written(|w| l.write(w));
        locks.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let (error, settled, after, left) = match settle(records, open, lines, cut) {
        Ok((settled, after, left)) => (String::new(), Some(settled), after, left),
        Err(error) => (error, None, Vec::new(), Vec::new()),
    };
    let shown =
        |f: fn(&iotedge_core::ledger::Settled) -> String| settled.as_ref().map_or(String::new(), f);
    let row = row([
        ("op", "settle locks".into()),
        ("name", name.into()),
        ("neighbourhood", NEIGHBOURHOOD.to_string()),
        ("before", hex_records(records)),
        ("locks", hex_locks(open)),
        (
            "entries",
            lines.iter().map(line_text).collect::<Vec<_>>().join(";"),
        ),
        ("cut", (FROM + cut).to_string()),
        ("period", PERIOD.to_string()),
        ("error", error),
        ("after", hex_records(&after)),
        ("locks after", hex_locks(&left)),
        ("state root", shown(|s| s.state_root.to_string())),
        ("total value", shown(|s| s.total_value.to_string())),
    ]);
    (row, (after, left))
}

fn settlements() -> Vec<Row> {
    let records = [5_000, 100, 0, 0, 0, 0]
        .iter()
        .zip(0_u16..)
        .map(|(credits, n)| {
            let (key, caps) = (secret(n).public_key(), Caps::default());
            Record::enrolled(
                MemberIndex(n),
                key,
                Roles::NONE,
                caps,
                Amount(*credits),
                Id([0x98; 32]),
            )
        })
        .collect();
    let start: (Vec<Record>, Vec<Lock>) = (records, Vec::new());
    let made = |to, amount, term, terms| Step::Lock {
        to,
        amount,
        term,
        terms,
    };
    let proof = |proof: &Proof<'_>| written(|w| proof.write(w));
    let tick = |index: usize| proof(&Proof::Tick(ticks(100)[index]));
    let total =
        |by, lock: u8, total| proof(&voucher(total, &signed_total(by, &Id([lock; 32]), total)));
    let claim = |lock: u8, last, proof: String| Step::Claim(Id([lock; 32]), last, proof);
    let mut rows = Vec::new();
    let mut state = start.clone();
    let mut next = |name: &str, lines: &[Line], cut: u64| {
        let (row, after) = settlement(name, &state, lines, cut);
        rows.push(row);
        state = after;
    };
    next(
        "three locks are made",
        &[
            (0x31, 0, 1, 10, 1_000, made(1, 1_000, 600_000, by_ticks())),
            (0x32, 0, 2, 20, 1_500, made(1, 500, 50_000, by_vouchers())),
            (0x33, 0, 3, 30, 1_600, made(4, 100, 900_000, by_readers())),
        ],
        60_000,
    );
    next(
        "claims raise what is reached, and false ones nothing",
        &[
            (0x41, 1, 1, 70_000, 0, claim(0x31, false, tick(40))),
            (0x42, 1, 2, 70_010, 0, claim(0x31, false, tick(39))),
            (0x43, 2, 1, 70_020, 0, claim(0x31, true, tick(90))),
            (
                0x44,
                1,
                3,
                70_030,
                0,
                claim(0x32, false, total(0, 0x32, 200)),
            ),
            (
                0x45,
                1,
                4,
                70_040,
                0,
                claim(0x32, false, total(1, 0x32, 500)),
            ),
            (0x46, 1, 5, 70_050, 0, claim(0x77, true, tick(90))),
            (0x47, 0, 4, 70_060, 1_600, claim(0x31, true, tick(90))),
        ],
        110_019,
    );
    next("a term and a period are over", &[], 110_020);
    let said: Vec<[u8; 64]> = [(2, 130_000), (3, 131_000)]
        .map(|(by, after)| signed_reading(by, b"level", 0, FROM + after))
        .into();
    let list: Vec<Statement<'_>> = [(0, 130_000), (1, 131_000)]
        .iter()
        .zip(&said)
        .map(|((place, after), signature)| Statement {
            place: *place,
            value: 0,
            time: Millis(FROM + after),
            signature,
        })
        .collect();
    let mut out = [0; 400];
    let agreed = proof(&Proof::Statements(
        Statements::list(&list, &mut out).unwrap(),
    ));
    next(
        "one ends by its readers, one because its payee wants no more",
        &[
            (0x51, 4, 1, 140_000, 0, claim(0x33, false, agreed)),
            (0x52, 1, 6, 140_010, 0, claim(0x31, true, tick(55))),
        ],
        180_000,
    );
    next(
        "made, claimed and ended in one epoch",
        &[
            (
                0x61,
                0,
                5,
                190_000,
                2_600,
                made(1, 1_000, 600_000, by_ticks()),
            ),
            (
                0x62,
                1,
                7,
                190_010,
                0,
                claim(0x61, true, proof(&Proof::Nothing)),
            ),
        ],
        240_000,
    );
    for (name, lines) in [
        (
            "more than the settled credits",
            vec![(0x71, 1, 1, 10, 101, made(2, 101, 1, by_vouchers()))],
        ),
        (
            "a payee that is no member",
            vec![(0x71, 0, 1, 10, 100, made(6, 100, 1, by_vouchers()))],
        ),
        (
            "debits that do not hold the lock",
            vec![
                (0x71, 0, 1, 10, 100, made(1, 100, 1, by_vouchers())),
                (0x72, 0, 2, 20, 150, made(1, 100, 1, by_vouchers())),
            ],
        ),
        (
            "a lock that died, and what stands on it",
            vec![(0x72, 0, 2, 20, 1_000, Step::Nothing)],
        ),
    ] {
        rows.push(settlement(name, &start, &lines, 60_000).0);
    }
    rows
}

/// All rows.
pub fn vectors() -> Vec<Row> {
    [signatures(), claims(), settlements()].concat()
}

/// The file.
pub fn render(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/lock.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("{path}: {} rows", rows.len());
}
