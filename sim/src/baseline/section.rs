//! The section of the evaluation: which runs are made, what is claimed of them, and how they are shown.

use super::ours::{Choice, Ours};
use super::run::run;
use super::traffic::Traffic;
use crate::evaluate::number::{at, human, rounded, size};
use crate::evaluate::{Claim, Mode, Page, Section};
use serde_json::{Value, json};

/// See [`crate::evaluate::SECTIONS`].
pub const SECTION: Section = Section {
    name: "baseline",
    title: "Side by side: the cost of a transaction as the Tangle grows",
    run: results,
    claims,
    page,
};

/// alpha = 0.001, the default of the IOTA reference implementation, in the core's units.
const ALPHA: u32 = 66;

fn results(mode: Mode) -> Value {
    let sizes: &[u64] = match mode {
        Mode::Short => &[100, 1_000, 4_000],
        Mode::Full => &[100, 1_000, 10_000, 100_000, 1_000_000],
    };
    let traffic = Traffic::USUAL;
    let mut strategies = serde_json::Map::new();
    for (name, window, choice) in [
        ("uniform-128", 128, Choice::Uniform),
        ("weighted-128", 128, Choice::Weighted(ALPHA)),
    ] {
        let mut ours = Ours::new(&traffic, window, choice);
        let outcome = run(&traffic, &mut ours, sizes);
        let points: Vec<Value> = outcome
            .points
            .iter()
            .map(|p| {
                let per = |count: u64| rounded(count as f64 / p.over as f64, 3);
                json!({
                    "transactions": p.transactions,
                    "touched": per(p.spent.touched()),
                    "held": p.held,
                })
            })
            .collect();
        strategies.insert(name.into(), json!({"points": points}));
    }
    json!({ "strategies": strategies })
}

fn last_over_1000(results: &Value, name: &str) -> f64 {
    let points = results["strategies"][name]["points"]
        .as_array()
        .map_or(0, Vec::len);
    let touched = |i: usize| at(results, &format!("/strategies/{name}/points/{i}/touched"));
    touched(points.saturating_sub(1)) / touched(1)
}

fn claims(results: &Value, _: Mode) -> Vec<Claim> {
    ["uniform-128", "weighted-128"]
        .into_iter()
        .map(|name| {
            let ratio = last_over_1000(results, name);
            Claim::new(
                format!("{name}: as many vertices are touched per transaction at the end as at 10^3, within 10 %."),
                format!("ratio {}", human(rounded(ratio, 3))),
                (0.9..=1.1).contains(&ratio),
            )
        })
        .collect()
}

fn page(results: &Value, page: &mut Page) {
    let mut rows = Vec::new();
    for name in ["uniform-128", "weighted-128"] {
        for i in 0..5 {
            let at = |key: &str| at(results, &format!("/strategies/{name}/points/{i}/{key}"));
            rows.push(vec![
                name.into(),
                size(at("transactions") as u64),
                human(at("touched")),
                human(at("held")),
            ]);
        }
    }
    page.table(&["strategy", "transactions", "touched", "held"], &rows);
}
