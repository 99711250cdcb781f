//! The section of the evaluation: which runs are made, and their results.

use super::instructions::{Check, of_check, per_transaction};
use super::kind::{ALL, Entry, Kind};
use super::ours::Choice;
use super::record::Quality;
use super::run::{Outcome, run};
use super::traffic::Traffic;
use super::{claims, show};
use crate::evaluate::number::rounded;
use crate::evaluate::{Mode, Section};
use serde_json::{Map, Value, json};
use std::time::Instant;

/// See [`crate::evaluate::SECTIONS`].
pub const SECTION: Section = Section {
    name: "baseline",
    title: "Side by side: the same traffic through our Tangle, the paper's, and IOTA's",
    run: results,
    claims: claims::claims,
    page: show::page,
};

/// How long runs for quality are.
const QUALITY: u64 = 10_000;

fn results(mode: Mode) -> Value {
    let mut strategies = Map::new();
    for entry in ALL {
        strategies.insert(entry.name.into(), growth(entry, mode));
    }
    let mut results = Map::new();
    results.insert("strategies".into(), Value::Object(strategies));
    results.insert("quality".into(), qualities(mode));
    results.insert("neighbourhoods".into(), neighbourhoods(mode));
    if mode == Mode::Full {
        results.insert("measured".into(), instructions());
    }
    Value::Object(results)
}

/// One strategy as n grows.
fn growth(entry: &Entry, mode: Mode) -> Value {
    let traffic = Traffic::USUAL;
    let sizes: Vec<u64> = match mode {
        Mode::Short => vec![100, 1_000, 3_000],
        Mode::Full => (2..=6)
            .map(|k| 10u64.pow(k))
            .filter(|n| *n <= entry.most)
            .collect(),
    };
    if mode == Mode::Full {
        eprintln!("baseline: {} to {}", entry.name, entry.most);
    }
    let check = nanos_per_check(mode);
    let mut strategy = entry.kind.make(&traffic);
    let outcome = run(&traffic, strategy.as_mut(), &sizes);
    let points: Vec<Value> = outcome
        .points
        .iter()
        .map(|p| {
            let per = |count: u64| rounded(count as f64 / p.over as f64, 3);
            let mut point = json!({
                "transactions": p.transactions,
                "follow": per(p.spent.follow),
                "choose": per(p.spent.choose),
                "touched": per(p.spent.touched()),
                "instructions": (per(p.spent.touched()) * entry.factor as f64).round(),
                "checks": per(p.spent.checks),
                "held": p.held,
                "tips": rounded(p.tips, 2),
                "own": p.special,
                "bytes": p.held * entry.wire + entry.kind.ram(traffic.issuers.into()),
            });
            // Its shortcut for the weights is not what it would take.
            if mode == Mode::Full && entry.kind != Kind::Coordinator {
                point["measured"] = json!({"checks": rounded(p.nanos / check, 5)});
            }
            point
        })
        .collect();
    json!({"points": points, "extra": strategy.extra()})
}

fn nanos_per_check(mode: Mode) -> f64 {
    if mode == Mode::Short {
        return f64::NAN;
    }
    let check = Check::default();
    let begin = Instant::now();
    let count = 2_000;
    (0..count).for_each(|_| check.check());
    begin.elapsed().as_nanos() as f64 / f64::from(count)
}

fn told(outcome: &Outcome) -> Value {
    let Quality {
        first_p50,
        first_p99,
        weight_p50,
        weight_p99,
        confidence_p50,
        confidence_p99,
        left_behind,
        lazy_approvals,
    } = outcome.quality;
    // JSON knows no infinity: null is "not within the patience".
    let time = |ms: f64| {
        if ms.is_finite() {
            json!(ms)
        } else {
            Value::Null
        }
    };
    json!({
        "first_p50": time(first_p50),
        "first_p99": time(first_p99),
        "weight_p50": time(weight_p50),
        "weight_p99": time(weight_p99),
        "confidence_p50": time(confidence_p50),
        "confidence_p99": time(confidence_p99),
        "left_behind": rounded(left_behind, 5),
        "lazy_approvals": rounded(lazy_approvals, 5),
        "tips": rounded(outcome.points.last().map_or(f64::NAN, |p| p.tips), 2),
    })
}

/// What becomes of transactions: without lazy issuers, with a tenth of them, and for other alphas.
fn qualities(mode: Mode) -> Value {
    let count = match mode {
        Mode::Short => 1_500,
        Mode::Full => QUALITY,
    };
    let of = |kind: Kind, traffic: &Traffic| {
        told(&run(
            traffic,
            kind.make(traffic).as_mut(),
            &[count / 5, count],
        ))
    };
    let lazy = |age| Traffic {
        lazy: 3,
        lazy_age: age,
        ..Traffic::USUAL
    };
    let mut all = Map::new();
    for entry in ALL {
        // Windows choose alike; one stands for them.
        if matches!(entry.kind, Kind::Ours(window, _) if window != 256) {
            continue;
        }
        let mut row = of(entry.kind, &Traffic::USUAL);
        row["lazy_10"] = of(entry.kind, &lazy(10_000));
        if mode == Mode::Full {
            row["lazy_200"] = of(entry.kind, &lazy(200_000));
        }
        all.insert(entry.name.into(), row);
    }
    if mode == Mode::Full {
        for (milli, core) in [(10, 655), (100, 6_554)] {
            let weighted = Kind::Ours(256, Choice::Weighted(core));
            for (name, kind) in [
                ("weighted-256", weighted),
                ("paper", Kind::Paper(milli, None)),
            ] {
                all.insert(format!("{name}-alpha-{milli}"), of(kind, &Traffic::USUAL));
            }
        }
    }
    Value::Object(all)
}

/// Other numbers of issuers and other rates: λh = 0.5, 4 and 32.
fn neighbourhoods(mode: Mode) -> Value {
    let count = match mode {
        Mode::Short => 1_000,
        Mode::Full => QUALITY,
    };
    let rows: Vec<Value> = [(8, 1_000), (32, 125), (64, 16)]
        .into_iter()
        .map(|(issuers, gap)| {
            let traffic = Traffic {
                issuers,
                gap,
                ..Traffic::USUAL
            };
            let kind = Kind::Ours(256, Choice::Uniform);
            let mut strategy = kind.make(&traffic);
            let outcome = run(&traffic, strategy.as_mut(), &[count / 5, count]);
            let mut row = told(&outcome);
            let point = &outcome.points[1];
            row["issuers"] = issuers.into();
            row["gap"] = gap.into();
            row["touched"] = json!(rounded(point.spent.touched() as f64 / point.over as f64, 3));
            row
        })
        .collect();
    Value::Array(rows)
}

/// What callgrind counts, to hold the model against; empty without valgrind.
fn instructions() -> Value {
    let mut out = Map::new();
    if let Some(check) = of_check() {
        out.insert("check".into(), json!(rounded(check, 0)));
        for name in [
            "uniform-128",
            "uniform-256",
            "weighted-128",
            "weighted-256",
            "paper",
            "urts",
        ] {
            if let Some((each, per_touch)) = per_transaction(name, 2_000, 4_000) {
                let row =
                    json!({"instructions": rounded(each, 0), "factor": rounded(per_touch, 2)});
                out.insert(name.into(), row);
            }
        }
    }
    json!({"instructions": out})
}
