//! Holds `vectors/policy.json` equal to what its generator writes, and runs each row from the file alone.

#[path = "../examples/gen_policy_vectors.rs"]
mod generator;

use generator::Row;
use iotedge_core::crypto::{PublicKey, Software, Verify};
use iotedge_core::ledger::policy::{
    Budget, MAX_POLICY, MAX_POLICY_INPUT, SpendingPolicy, Use, Uses, Wanted, Window,
};
use iotedge_core::{Amount, Id, MemberIndex, Millis};
use std::collections::BTreeSet;

const FILE: &str = include_str!("../../vectors/policy.json");

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_policy_vectors"
    );
}

fn bytes(row: &Row, field: &str) -> Vec<u8> {
    hex::decode(&row[field]).unwrap()
}

fn number(row: &Row, field: &str) -> u64 {
    row[field].parse().unwrap()
}

fn policy(row: &Row) -> SpendingPolicy {
    let until = number(row, "until");
    let payees = row["payees"].split_whitespace();
    SpendingPolicy {
        number: number(row, "number") as u32,
        device: Id(bytes(row, "device").try_into().unwrap()),
        uses: Uses::from_bits(number(row, "uses") as u8).unwrap(),
        total: Amount(number(row, "total")),
        span: Millis(number(row, "span")),
        within: Amount(number(row, "within")),
        until: (until != 0).then_some(Millis(until)),
        payees: payees
            .map(|payee| MemberIndex(payee.parse().unwrap()))
            .collect(),
    }
}

#[test]
fn every_policy_is_read_or_refused_as_its_row_says() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let (mut good, mut errors) = (0, BTreeSet::new());
    for row in rows.iter().filter(|row| row["op"] == "spending policy") {
        let key = PublicKey::Ed25519(bytes(row, "key").try_into().unwrap());
        let here = Id(bytes(row, "neighbourhood").try_into().unwrap());
        let signed = bytes(row, "policy");
        match SpendingPolicy::verify(&signed, &key, &here, &mut Software) {
            Ok(said) => {
                assert_eq!(row["error"], "", "{}", row["name"]);
                assert_eq!(said, policy(row), "{}", row["name"]);
                let (mut input, mut out) = ([0; MAX_POLICY_INPUT], [0; MAX_POLICY]);
                let len = said.signing_input(&key, &here, &mut input).unwrap();
                assert_eq!(input[..len], bytes(row, "input"));
                let signature = generator::signature_of(&signed);
                assert_eq!(Software.verify(&key, &input[..len], &signature), Ok(()));
                let len = said.assemble(&key, &signature, &mut out).unwrap();
                assert_eq!(out[..len], signed);
                good += 1;
            }
            Err(error) => {
                assert_eq!(
                    generator::error_name(&error),
                    row["error"],
                    "{}",
                    row["name"]
                );
                errors.insert(row["error"].as_str());
            }
        }
    }
    assert_eq!(good, 4);
    let errors: Vec<&str> = errors.into_iter().collect();
    assert_eq!(
        errors,
        [
            "MALFORMED",
            "RANGE",
            "SIGNATURE",
            "WRONG_SIGNER",
            "WRONG_TYPE"
        ]
    );
}

#[test]
fn every_debit_is_judged_as_its_row_says() {
    let rows: Vec<Row> = serde_json::from_str(FILE).unwrap();
    let mut seen = BTreeSet::new();
    for row in rows.iter().filter(|row| row["op"] == "spend") {
        let of = [
            Use::Transfer,
            Use::Ticks,
            Use::Vouchers,
            Use::Predicate,
            Use::Exit,
        ];
        let wanted = Wanted {
            of: of
                .into_iter()
                .find(|of| *of as u64 == number(row, "use"))
                .unwrap(),
            to: row["to"].parse().ok().map(MemberIndex),
            before: Amount(number(row, "before")),
            amount: Amount(number(row, "amount")),
        };
        let window = |since: &str, base: &str| Window {
            since: Millis(number(row, since)),
            base: Amount(number(row, base)),
        };
        let before = window("since", "base");
        let budget = Budget {
            policy: policy(row),
            window: before,
        };
        let judged = budget.allow(Millis(number(row, "at")), &wanted);
        let error = judged.err().map_or(String::new(), |e| format!("{e:?}"));
        assert_eq!(error, row["error"], "{}", row["name"]);
        let after = judged.unwrap_or(before);
        assert_eq!(
            after,
            window("since_after", "base_after"),
            "{}",
            row["name"]
        );
        seen.insert(row["error"].as_str());
    }
    let seen: Vec<&str> = seen.into_iter().collect();
    assert_eq!(
        seen,
        ["", "Over", "Payee", "Single", "Total", "Use", "Window"]
    );
}
