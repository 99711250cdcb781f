//! The page of the comparison: text, tables and plots from the results.

use super::claims::{MIDDLE, fit, label, rows, timed};
use super::kind::{ALL, CHECK, Entry, Kind, find};
use crate::evaluate::number::{at, bytes, human, percent, rounded, size};
use crate::evaluate::{Axis, Page, Plot, Series};
use serde_json::Value;

/// The page goes so far; a strategy that does not is fitted, and marked.
const SIZES: [u64; 5] = [100, 1_000, 10_000, 100_000, 1_000_000];
/// For storage at the same bytes per transaction.
const SAME: f64 = 160.0;

const INTRO: &str = "
Each strategy is one node that follows all traffic and issues all of it: Poisson arrivals, 8 transactions a second from 32 issuers (900 an hour
each), seen by the others h = 500 ms later, so λh = 4. The same arrivals from the same seed for all. *Ours* is the core itself
(`core::tangle`) with T = 60 s: a device with its window, and a full node that evaluates and settles each certified trim, after which the device prunes; the
device follows one member's transactions to `Quorum`. The others are written from their descriptions
(`sim/src/baseline/`, sources in each module and below). **Signatures are counted, not made**: each strategy checks each transaction once, and a node
remembers what it checked.";

const READING: &str = "
A figure at n is the mean over the transactions since the last size (a decade), so it shows what a transaction costs then, not what it cost on
average since the genesis. *Vertices touched* are reads and writes of vertices while inserting, keeping weights or scores, trimming, and choosing
two tips; in the core they are counted by the window itself. Modelled instructions are vertices touched times a factor per strategy, taken from callgrind
on x86-64; a signature check is 634,000 of them. *Measured* is the wall clock of the run, over that of an Ed25519 check on the same machine just before; ours includes the
full node, so it is too high.";

const ASSUMED: &str = "
- *The paper's Tangle*: Popov, *The Tangle*, version 1.4.3 (2018), sections 2 (weights; h) and 4.1 (the walk, P proportional to exp(-α(Hx - Hy))). Both
  tips come from walks with α = 0.001. From the genesis, as the white paper reads it; and from a random site 1,000 to 2,000 transactions back, for which the
  paper's \"between W and 2W\" stands. Each arrival adds 1 to the weight of its whole past cone. Finding and checking both tips' histories for
  conflicts is not counted, which favours it.
- *With coordinator*: the reference implementation's getTransactionsToApprove as documented in
  [TipSelection Algorithm Documentation](https://hackmd.io/s/Skow-8Hb7): entry point 15 milestones back, weights of its future cone anew for each call (counted:
  two visits per vertex, the least possible), two walks. Milestones every 60 s ([HORNET 0.4.0](https://github.com/iotaledger/hornet/releases/tag/v0.4.0-rc9),
  `intervalSeconds`). Ledger checks on the way are not counted. The last 40,000 milestones are kept
  ([IRI 1.6.0](https://blog.iota.org/iri-1-6-0-with-local-snapshots-out-now-fc4d991faba8)): 19 million transactions of this traffic.
- *Chrysalis*: [TIP-3](https://github.com/iotaledger/tips/blob/main/tips/TIP-0003/tip-0003.md) with C1 = 8, C2 = 13, M = 15, X = 2, T = 3 s, scores anew at
  each milestone. Assumed: a milestone every 10 s above the last one and three drawn tips; two parents. HORNET 1.0 kept 60,480 milestones, later ones 30 GB. TIP-3's own
  rationale says that the computation of cumulative weights had become too heavy.
- *Bytes*: ours 157 per transaction at most, Chrysalis 275, legacy IOTA 1,604. For the others only transactions are counted, no index; for ours
  all memory that the core is given.";

/// See [`crate::evaluate::Section`].
pub fn page(results: &Value, page: &mut Page) {
    page.text(INTRO);
    answers(results, page);
    page.heading("Cost of a transaction as n grows");
    page.text(READING);
    cost(results, page);
    page.heading("Storage");
    storage(results, page);
    page.heading("What becomes of a transaction");
    quality(results, page);
    page.heading("Sources and assumptions");
    page.text(ASSUMED);
}

fn touched(results: &Value, name: &str, n: u64) -> f64 {
    rows(results, name)
        .iter()
        .find(|row| row.transactions == n)
        .map_or(f64::NAN, |row| row.get("touched"))
}

/// Where a fitted line passes a constant.
fn crossing(results: &Value, of: &str, constant: f64) -> f64 {
    let (slope, factor) = fit(results, of, "touched");
    (constant / factor).powf(1.0 / slope)
}

fn answers(results: &Value, page: &mut Page) {
    let most = 1_000_000;
    let (slope, _) = fit(results, "paper", "touched");
    let head = ["what the white paper says", "what the runs say"];
    let ours = touched(results, "uniform-256", most);
    let rows = vec![
        vec![
            "the Tangle slows down as it grows".into(),
            format!(
                "As its paper has it, yes: n^{:.2}, {} vertices per transaction at 10^5. IOTA's own practice had left that behind: with milestones it is flat, at {} (walk) and {} (TIP-3).",
                slope,
                human(touched(results, "paper", 100_000)),
                human(touched(results, "coordinator", most)),
                human(touched(results, "urts", most)),
            ),
        ],
        vec![
            "it stores everything".into(),
            "As its paper has it, yes. IOTA's nodes prune what is weeks old, or beyond 30 GB: bounded for a server, not for a device.".into(),
        ],
        vec![
            "the L-Chain's cost per transaction is constant".into(),
            format!(
                "Yes: {} vertices with Uniform and a window of 256, at 10^3 as at 10^6. Weighted is constant too, at {}: more than the paper's Tangle needs below n = {}.",
                human(ours),
                human(touched(results, "weighted-256", most)),
                human(rounded(crossing(results, "paper", touched(results, "weighted-256", most)), -2)),
            ),
        ],
        vec![
            "it is \"quite vulnerable to potential high powered attack in real time\"".into(),
            "Here only the mildest attack is tried, lazy tips, below. Weight by work against weight by member is a matter for the section on attackers.".into(),
        ],
    ];
    page.words(&head, &rows);
}

fn cell(results: &Value, entry: &Entry, n: u64) -> String {
    let value = touched(results, entry.name, n);
    if value.is_finite() {
        return human(value);
    }
    if entry.kind.window().is_some() {
        return "not run".into();
    }
    let fitted = |key| {
        let (slope, factor) = fit(results, entry.name, key);
        factor * (n as f64 * MIDDLE).powf(slope)
    };
    // A walk from W back is as long as ever.
    let choosing = match entry.kind {
        Kind::Paper(_, Some(_)) => rows(results, entry.name)
            .last()
            .map_or(f64::NAN, |row| row.get("choose")),
        _ => fitted("choose"),
    };
    let then = fitted("follow") + choosing;
    format!("*fit: {}*", human(rounded(then, -3)))
}

fn cost(results: &Value, page: &mut Page) {
    page.text("Vertices touched per transaction:");
    let mut head = vec!["strategy".to_string()];
    head.extend(SIZES.map(size));
    let table: Vec<Vec<String>> = ALL
        .iter()
        .map(|entry| {
            let mut row = vec![entry.label.to_string()];
            row.extend(SIZES.map(|n| cell(results, entry, n)));
            row
        })
        .collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    page.table(&head, &table);
    page.text(
        "The paper's Tangle was run to 10^5: to 10^6 it takes a hundred times as long. What stands there is the fit (least squares of the logarithms from 10^3 on), not a run.",
    );
    page.plot("baseline-touched", &touched_plot(results));
    page.text("At the largest size that was run:");
    let table: Vec<Vec<String>> = ALL
        .iter()
        .filter_map(|entry| {
            let last = *rows(results, entry.name).last()?;
            let clock = last.get("measured/checks");
            Some(vec![
                entry.label.to_string(),
                size(last.transactions),
                human(last.get("follow")),
                human(last.get("choose")),
                human(last.get("instructions")),
                percent(last.get("instructions") / CHECK as f64),
                if timed(entry) {
                    percent(clock)
                } else {
                    "–".into()
                },
                human(last.get("checks")),
                human(last.get("tips")),
            ])
        })
        .collect();
    page.table(
        &[
            "strategy",
            "n",
            "touched: following",
            "touched: choosing",
            "instructions, modelled",
            "of a check",
            "of a check, measured",
            "signature checks",
            "tips",
        ],
        &table,
    );
    let counted = &results["measured"]["instructions"];
    if let Some(counted) = counted.as_object() {
        let told: Vec<String> = counted
            .iter()
            .filter(|(name, _)| find(name).is_some())
            .map(|(name, row)| {
                format!(
                    "{name} {} ({} per vertex)",
                    human(at(row, "/instructions")),
                    human(at(row, "/factor"))
                )
            })
            .collect();
        if !told.is_empty() {
            page.text(format!(
                "Counted by callgrind between the 2,000th and the 4,000th transaction, without the full node: {}; a signature check {}.",
                told.join(", "),
                human(at(&results["measured"], "/instructions/check"))
            ));
        }
    }
}

fn line(results: &Value, name: &str, key: &str) -> Series {
    Series {
        label: label(name).into(),
        points: rows(results, name)
            .iter()
            .map(|row| (row.transactions as f64, row.get(key)))
            .collect(),
        dashed: false,
    }
}

fn touched_plot(results: &Value) -> Plot {
    let mut series: Vec<Series> = [
        "uniform-256",
        "weighted-256",
        "weighted-1024",
        "paper",
        "paper-w",
        "coordinator",
        "urts",
    ]
    .map(|name| line(results, name, "touched"))
    .into();
    let (slope, factor) = fit(results, "paper", "touched");
    series.push(Series {
        label: "the paper's Tangle, fitted".into(),
        points: [1e3, 1e6]
            .map(|n: f64| (n, factor * (n * MIDDLE).powf(slope)))
            .into(),
        dashed: true,
    });
    Plot {
        title: "Vertices touched per transaction as the Tangle grows".into(),
        x: Axis::log("transactions so far"),
        y: Axis::log("vertices touched per transaction"),
        series,
    }
}

fn storage(results: &Value, page: &mut Page) {
    page.text("Bytes held, each with its own transactions; ours with all its memory (members, index, tips, followed transactions), the others without any index:");
    let names = [
        "uniform-128",
        "uniform-256",
        "uniform-1024",
        "paper",
        "coordinator",
        "urts",
    ];
    let mut head = vec!["strategy".to_string()];
    head.extend(SIZES.map(size));
    let table = |key: &str, scale: f64| -> Vec<Vec<String>> {
        names
            .iter()
            .map(|name| {
                let rows = rows(results, name);
                let mut cells = vec![label(name).to_string()];
                cells.extend(SIZES.map(|n| {
                    let row = rows.iter().find(|row| row.transactions == n);
                    row.map_or("not run".into(), |row| bytes(row.get(key) * scale))
                }));
                cells
            })
            .collect()
    };
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    page.table(&head, &table("bytes", 1.0));
    page.text("The same with 160 bytes per transaction for all, and no index for any: what is due to the rules alone, not to the format:");
    page.table(&head, &table("held", SAME));
    page.plot(
        "baseline-storage",
        &Plot {
            title: "Bytes held as the Tangle grows".into(),
            x: Axis::log("transactions so far"),
            y: Axis::log("bytes held"),
            series: names.map(|name| line(results, name, "bytes")).into(),
        },
    );
}

fn seconds(results: &Value, pointer: &str) -> String {
    let ms = at(results, pointer);
    if ms.is_finite() {
        format!("{} s", human(rounded(ms / 1000.0, 2)))
    } else {
        "not in 60 s".into()
    }
}

fn quality(results: &Value, page: &mut Page) {
    page.text("10^4 transactions. *Approved*: until a transaction of somebody else stands on it. *Two thirds*: until more than two thirds of the issuers do, 3 AW > 2 W; the same ruler for all, and all of one opinion. *Confidence 95 %*: from then on 38 of 40 transactions in a row stand on it, which is the paper's confidence by choices that were really made. *Left behind*: nobody else stands on it after a minute. Times of issue: add h.");
    let all = &results["quality"];
    let names = [
        "uniform-256",
        "weighted-256",
        "paper",
        "paper-w",
        "coordinator",
        "urts",
    ];
    let row = |key: &str, name: String| {
        let at = |field: &str| at(all, &format!("/{key}/{field}"));
        let time = |field: &str| seconds(all, &format!("/{key}/{field}"));
        vec![
            name,
            time("first_p50"),
            time("first_p99"),
            time("weight_p50"),
            time("weight_p99"),
            time("confidence_p50"),
            time("confidence_p99"),
            percent(at("left_behind")),
            human(at("tips")),
        ]
    };
    let head = [
        "strategy",
        "approved, p50",
        "p99",
        "two thirds, p50",
        "p99",
        "confidence 95 %, p50",
        "p99",
        "left behind",
        "tips",
    ];
    let mut table: Vec<Vec<String>> = names.map(|name| row(name, label(name).into())).into();
    for alpha in ["10", "100"] {
        for name in ["weighted-256", "paper"] {
            let shown = format!(
                "{}, α = {}",
                label(name),
                if alpha == "10" { "0.01" } else { "0.1" }
            );
            table.push(row(&format!("{name}-alpha-{alpha}"), shown));
        }
    }
    page.table(&head, &table);
    let extra = |key: &str| at(results, &format!("/strategies/uniform-256/extra/{key}"));
    page.text(format!(
        "Two thirds of the issuers is the first round; `Quorum` needs two. The core's own `Quorum` came to {} followed transactions (Uniform, window 256, 10^6), after {} s (p50) and {} s (p99).",
        human(extra("followed_to_quorum")),
        human(rounded(extra("quorum_p50") / 1000.0, 2)),
        human(rounded(extra("quorum_p99") / 1000.0, 2)),
    ));
    page.text("With three lazy issuers of 32, whose transactions stand on two that are 10 s or 200 s old: the share of all approvals that the honest give to them, and the share of the honest ones' transactions left behind. (9.4 % of all transactions are lazy: an honest tip is as much worth as a lazy one where the share is about that.)");
    let table: Vec<Vec<String>> = names
        .iter()
        .map(|name| {
            let mut cells = vec![label(name).to_string()];
            for key in ["lazy_10", "lazy_200"] {
                for field in ["lazy_approvals", "left_behind"] {
                    cells.push(percent(at(all, &format!("/{name}/{key}/{field}"))));
                }
            }
            cells
        })
        .collect();
    page.table(
        &[
            "strategy",
            "10 s: approvals to the lazy",
            "left behind",
            "200 s: approvals to the lazy",
            "left behind",
        ],
        &table,
    );
    page.text("Ours, Uniform, window 256, in other neighbourhoods, 10^4 transactions each:");
    let table: Vec<Vec<String>> = results["neighbourhoods"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| {
            let at = |field: &str| at(row, &format!("/{field}"));
            vec![
                human(at("issuers")),
                human(rounded(1000.0 / at("gap"), 1)),
                human(rounded(500.0 / at("gap"), 1)),
                human(at("tips")),
                human(at("touched")),
                seconds(row, "/first_p50"),
                seconds(row, "/weight_p50"),
                percent(at("left_behind")),
            ]
        })
        .collect();
    page.table(
        &[
            "issuers",
            "transactions per second",
            "λh",
            "tips",
            "touched",
            "approved, p50",
            "two thirds, p50",
            "left behind",
        ],
        &table,
    );
}
