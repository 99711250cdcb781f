//! Writes `vectors/policy.json`: policies as their owners sign them and as they are refused, and debits under them, one after the other (protocol section 15).
//!
//! `cargo run -p iotedge-core --example gen_policy_vectors` regenerates the file; a test compares and runs it. Rows are flat and hold strings only, so that a C program can run them.

use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software};
use iotedge_core::identity::sign1::{assemble, protected, to_be_signed};
use iotedge_core::ledger::policy::{
    Budget, MAX_POLICY, MAX_POLICY_INPUT, PolicyError, SPANS, SpendingPolicy, Use, Uses, Wanted,
};
use iotedge_core::wire::Writer;
use iotedge_core::{Amount, Id, MemberIndex, Millis};
use std::collections::BTreeMap;

/// One row of the file.
pub type Row = BTreeMap<String, String>;

pub const NEIGHBOURHOOD: Id = Id([0x11; 32]);
const DEVICE: Id = Id([0x22; 32]);
const START: u64 = 1_750_000_000_000;
const HOUR: u64 = 3_600_000;

/// The owner's key.
pub fn owner(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32]).unwrap()
}

fn row<const N: usize>(fields: [(&str, String); N]) -> Row {
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

fn usual() -> SpendingPolicy {
    SpendingPolicy {
        number: 1,
        device: DEVICE,
        uses: Uses::from_bits(Use::Transfer as u8 | Use::Ticks as u8).unwrap(),
        total: Amount(1_000),
        span: Millis(HOUR),
        within: Amount(100),
        until: None,
        payees: [MemberIndex(2), MemberIndex(300)].into_iter().collect(),
    }
}

fn listed(policy: &SpendingPolicy) -> String {
    let payees: Vec<String> = policy.payees.iter().map(|p| p.0.to_string()).collect();
    payees.join(" ")
}

/// What the owner's policy says, whatever was made of it.
fn fields(policy: &SpendingPolicy) -> Row {
    row([
        ("number", policy.number.to_string()),
        ("device", hex::encode(policy.device.0)),
        ("uses", policy.uses.bits().to_string()),
        ("total", policy.total.0.to_string()),
        ("span", policy.span.0.to_string()),
        ("within", policy.within.0.to_string()),
        ("until", policy.until.map_or(0, |until| until.0).to_string()),
        ("payees", listed(policy)),
    ])
}

fn signed_row(name: &str, policy: &SpendingPolicy) -> Row {
    let secret = owner(5);
    let (mut input, mut out) = ([0; MAX_POLICY_INPUT], [0; MAX_POLICY]);
    let key = secret.public_key();
    let len = policy
        .signing_input(&key, &NEIGHBOURHOOD, &mut input)
        .unwrap();
    let message = &input[..len];
    let signed = policy
        .assemble(&key, &secret.sign(message), &mut out)
        .unwrap();
    let mut all = row([
        ("op", "spending policy".to_owned()),
        ("name", name.to_owned()),
        ("key", hex::encode(key.bytes())),
        ("neighbourhood", hex::encode(NEIGHBOURHOOD.0)),
        ("input", hex::encode(message)),
        ("policy", hex::encode(&out[..signed])),
        ("error", String::new()),
    ]);
    all.extend(fields(policy));
    all
}

/// What is refused: its bytes and why.
fn refused_row(name: &str, key: &PublicKey, neighbourhood: Id, bytes: &[u8]) -> Row {
    let error = SpendingPolicy::verify(bytes, key, &neighbourhood, &mut Software).unwrap_err();
    row([
        ("op", "spending policy".to_owned()),
        ("name", name.to_owned()),
        ("key", hex::encode(key.bytes())),
        ("neighbourhood", hex::encode(neighbourhood.0)),
        ("policy", hex::encode(bytes)),
        ("error", error_name(&error)),
    ])
}

/// The name of the status in C, without its beginning.
pub fn error_name(error: &PolicyError) -> String {
    use iotedge_core::crypto::SignatureError;
    use iotedge_core::wire::WireError;
    match error {
        PolicyError::Wire(WireError::NotDeterministic) => "NOT_DETERMINISTIC",
        PolicyError::Wire(WireError::Type) => "WRONG_TYPE",
        PolicyError::Wire(WireError::Range) => "RANGE",
        PolicyError::Wire(_) => "MALFORMED",
        PolicyError::Element => "RANGE",
        PolicyError::OtherDevice => "POLICY_DEVICE",
        PolicyError::Header => "PROTECTED_HEADER",
        PolicyError::WrongSigner => "WRONG_SIGNER",
        PolicyError::Signature(SignatureError::Rejected) => "SIGNATURE",
        PolicyError::Signature(_) => "SIGNATURE_MALFORMED",
    }
    .to_owned()
}

/// A payload that our code would not write, under the owner's signature.
fn sign_anything(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let secret = owner(5);
    let key = secret.public_key();
    let (mut payload, mut aad) = ([0; 256], [0; 64]);
    let mut w = Writer::new(&mut payload);
    write(&mut w);
    let mut a = Writer::new(&mut aad);
    a.put_array(2);
    a.put_text("iotedge/policy/1");
    a.put_id(&NEIGHBOURHOOD);
    let (mut message, mut out) = ([0; 512], [0; 512]);
    let header = protected(&key);
    let message = to_be_signed(&header, a.written(), w.written(), &mut message).unwrap();
    let len = assemble(&header, w.written(), &secret.sign(message), &mut out).unwrap();
    out[..len].to_vec()
}

/// A payload with these elements and payees.
fn with(number: u64, uses: u64, span: u64, payees: &[u64]) -> Vec<u8> {
    sign_anything(|w| {
        w.put_array(8);
        w.put_uint(number);
        w.put_id(&DEVICE);
        w.put_uint(uses);
        w.put_uint(1_000);
        w.put_uint(span);
        w.put_uint(100);
        w.put_null();
        w.put_array(payees.len());
        payees.iter().for_each(|payee| w.put_uint(*payee));
    })
}

fn signed(rows: &mut Vec<Row>) {
    rows.push(signed_row("two payees, for transfers and ticks", &usual()));
    let anybody = SpendingPolicy {
        uses: Uses::ALL,
        payees: Default::default(),
        until: Some(Millis(START + 24 * HOUR)),
        ..usual()
    };
    rows.push(signed_row("anybody, for anything, for a day", &anybody));
    let nothing = SpendingPolicy {
        number: 2,
        uses: Uses::default(),
        total: Amount(0),
        within: Amount(0),
        span: Millis(*SPANS.start()),
        ..usual()
    };
    rows.push(signed_row("nothing", &nothing));
    let most = SpendingPolicy {
        number: u32::MAX,
        uses: Uses::ALL,
        total: Amount(u64::MAX),
        span: Millis(*SPANS.end()),
        within: Amount(u64::MAX),
        until: Some(Millis(u64::MAX)),
        payees: (65_520..=65_535).map(MemberIndex).collect(),
        device: DEVICE,
    };
    rows.push(signed_row("the longest", &most));

    let key = owner(5).public_key();
    let good = hex::decode(&rows[0]["policy"]).unwrap();
    let mut refused = |name: &str, bytes: &[u8]| {
        rows.push(refused_row(name, &key, NEIGHBOURHOOD, bytes));
    };
    let mut bent = good.clone();
    let last = bent.len() - 32;
    bent[last] ^= 1;
    refused("a bent signature", &bent);
    let mut bent = good.clone();
    bent[60] ^= 1;
    refused("a bent payload", &bent);
    let mut longer = good.clone();
    longer.push(0);
    refused("one byte more", &longer);
    refused("one byte less", &good[..good.len() - 1]);
    let mut tagged = vec![0xd2];
    tagged.extend_from_slice(&good);
    refused("tagged", &tagged);
    refused("number 0", &with(0, 1, HOUR, &[2]));
    refused("a use that does not exist", &with(1, 32, HOUR, &[2]));
    refused("a window below a minute", &with(1, 1, 59_999, &[2]));
    refused("a window above 366 days", &with(1, 1, 31_622_400_001, &[2]));
    refused("payees that do not rise", &with(1, 1, HOUR, &[3, 2]));
    refused("a payee named twice", &with(1, 1, HOUR, &[2, 2]));
    refused(
        "a payee that is no member's index",
        &with(1, 1, HOUR, &[65_536]),
    );
    let many: Vec<u64> = (0..17).collect();
    refused("17 payees", &with(1, 1, HOUR, &many));
    refused(
        "an element less",
        &sign_anything(|w| {
            w.put_array(7);
            (0..7).for_each(|n| w.put_uint(n));
        }),
    );
    let strangers = owner(6).public_key();
    rows.push(refused_row(
        "another owner's",
        &strangers,
        NEIGHBOURHOOD,
        &good,
    ));
    let elsewhere = Id([0x12; 32]);
    rows.push(refused_row(
        "another neighbourhood's",
        &key,
        elsewhere,
        &good,
    ));
}

/// A debit: when, what for, to whom (nobody: an exit), lifetime debits before it, how much.
type Debit = (u64, Use, Option<u16>, u64, u64);

/// Debits in their order. Those that are allowed move the window on.
fn spend(rows: &mut Vec<Row>, name: &str, policy: &SpendingPolicy, debits: &[Debit]) {
    let mut budget = Budget::new(policy.clone());
    for (turn, &(at, of, to, before, amount)) in debits.iter().enumerate() {
        let wanted = Wanted {
            of,
            to: to.map(MemberIndex),
            before: Amount(before),
            amount: Amount(amount),
        };
        let window = budget.window;
        let allowed = budget.allow(Millis(at), &wanted);
        let error = allowed.err().map_or(String::new(), |e| format!("{e:?}"));
        if let Ok(next) = allowed {
            budget.window = next;
        }
        let mut all = row([
            ("op", "spend".to_owned()),
            ("name", format!("{name}, {}", turn + 1)),
            ("since", window.since.0.to_string()),
            ("base", window.base.0.to_string()),
            ("at", at.to_string()),
            ("use", (of as u8).to_string()),
            ("to", to.map_or(String::new(), |to| to.to_string())),
            ("before", before.to_string()),
            ("amount", amount.to_string()),
            ("error", error),
            ("since_after", budget.window.since.0.to_string()),
            ("base_after", budget.window.base.0.to_string()),
        ]);
        all.extend(fields(policy));
        rows.push(all);
    }
}

pub fn vectors() -> Vec<Row> {
    let mut rows = Vec::new();
    signed(&mut rows);
    let pay =
        |at: u64, before: u64, amount: u64| (START + at, Use::Transfer, Some(2), before, amount);
    spend(
        &mut rows,
        "windows",
        &usual(),
        &[
            pay(0, 40, 60),
            pay(1_000, 100, 41),
            pay(2_000, 100, 40),
            pay(HOUR - 1, 140, 1),
            pay(HOUR, 140, 100),
            // Put back: the window that is open goes on.
            pay(0, 240, 1),
            // The one before died, and comes again.
            pay(HOUR + 1, 140, 100),
            pay(2 * HOUR, 901, 99),
            pay(2 * HOUR + 1, 1_000, 1),
        ],
    );
    spend(
        &mut rows,
        "what for and to whom",
        &usual(),
        &[
            (START, Use::Ticks, Some(300), 0, 1),
            (START, Use::Ticks, Some(3), 1, 1),
            (START, Use::Vouchers, Some(2), 1, 1),
            (START, Use::Predicate, Some(2), 1, 1),
            (START, Use::Exit, None, 1, 1),
            (START, Use::Transfer, Some(2), 1, 101),
            (START, Use::Transfer, Some(2), u64::MAX, 1),
        ],
    );
    let bounded = SpendingPolicy {
        uses: Uses::ALL,
        payees: Default::default(),
        until: Some(Millis(START + 10)),
        ..usual()
    };
    spend(
        &mut rows,
        "until",
        &bounded,
        &[
            (START + 9, Use::Exit, None, 0, 50),
            (START + 9, Use::Predicate, Some(7), 50, 50),
            (START + 10, Use::Exit, None, 100, 1),
        ],
    );
    rows
}

pub fn render(rows: &[Row]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| serde_json::to_string(row).unwrap())
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

/// The signature of a signed policy, for who puts one together again.
pub fn signature_of(bytes: &[u8]) -> Signature {
    Signature(bytes[bytes.len() - 64..].try_into().unwrap())
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/policy.json");
    let rows = vectors();
    std::fs::write(path, render(&rows)).unwrap();
    println!("{path}: {} rows", rows.len());
}
