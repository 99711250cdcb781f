//! What is claimed of the comparison, and the conditions.

use super::kind::{ALL, CHECK, Entry, Kind, find};
use crate::evaluate::number::{at, bytes, human, percent, rounded, size};
use crate::evaluate::{Claim, Mode};
use serde_json::Value;

/// The figures of one strategy at one size.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// n.
    pub transactions: u64,
    point: &'r Value,
}

impl Row<'_> {
    /// One figure; NaN if it is not there.
    #[must_use]
    pub fn get(&self, key: &str) -> f64 {
        at(self.point, &format!("/{key}"))
    }
}

/// The rows of a strategy, by rising size.
#[must_use]
pub fn rows<'r>(results: &'r Value, name: &str) -> Vec<Row<'r>> {
    results["strategies"][name]["points"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|point| Row {
            transactions: at(point, "/transactions") as u64,
            point,
        })
        .collect()
}

/// The row of one size, or the last one.
fn row<'r>(results: &'r Value, name: &str, size: Option<u64>) -> Option<Row<'r>> {
    let rows = rows(results, name);
    match size {
        Some(size) => rows.into_iter().find(|row| row.transactions == size),
        None => rows.into_iter().next_back(),
    }
}

fn figure(results: &Value, name: &str, size: Option<u64>, key: &str) -> f64 {
    row(results, name, size).map_or(f64::NAN, |row| row.get(key))
}

/// The smallest and the largest ratio to the first row, from this size on, of what is touched and of what is modelled.
fn spread(results: &Value, name: &str, from: u64) -> (f64, f64) {
    let rows = rows(results, name);
    let Some(first) = rows.iter().find(|row| row.transactions == from) else {
        return (f64::NAN, f64::NAN);
    };
    let ratios = rows
        .iter()
        .filter(|row| row.transactions > from)
        .flat_map(|row| ["touched", "instructions"].map(|key| row.get(key) / first.get(key)));
    ratios.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ratio| {
        (low.min(ratio), high.max(ratio))
    })
}

/// The middle of the transactions that a row of size n is the mean of, in full runs: a decade.
pub const MIDDLE: f64 = 0.55;

/// The slope of a straight line through the logarithms of a figure against the middle of the transactions it is the mean of, from 10^3 on, by
/// least squares; and the figure at 1.
#[must_use]
pub fn fit(results: &Value, name: &str, key: &str) -> (f64, f64) {
    let rows = rows(results, name);
    let points: Vec<(f64, f64)> = rows
        .windows(2)
        .filter_map(|pair| {
            let [before, row] = pair else {
                return None;
            };
            let middle = (before.transactions + row.transactions) as f64 / 2.0;
            (row.transactions >= 1_000).then(|| (middle.ln(), row.get(key).ln()))
        })
        .collect();
    let count = points.len() as f64;
    let sum = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>();
    let (x, y) = (sum(|p| p.0), sum(|p| p.1));
    let slope = (count * sum(|p| p.0 * p.1) - x * y) / (count * sum(|p| p.0 * p.0) - x * x);
    (slope, ((y - slope * x) / count).exp())
}

fn flat(results: &Value, names: &[&str], from: u64, sentence: &str) -> Claim {
    let spreads: Vec<(f64, f64)> = names.iter().map(|n| spread(results, n, from)).collect();
    let figures: Vec<String> = names
        .iter()
        .zip(&spreads)
        .map(|(name, (low, high))| {
            format!(
                "{name}: {} to {}",
                human(rounded(*low, 3)),
                human(rounded(*high, 3))
            )
        })
        .collect();
    Claim::new(
        sentence,
        format!("ratios to {}: {}", size(from), figures.join("; ")),
        spreads
            .iter()
            .all(|(low, high)| *low >= 0.9 && *high <= 1.1),
    )
}

fn grows(results: &Value, name: &str, key: &str, sentence: &str) -> Claim {
    let (slope, _) = fit(results, name, key);
    let last = row(results, name, None);
    let most = last.map_or(0, |row| row.transactions);
    let touched = last.map_or(f64::NAN, |row| row.get(key));
    Claim::new(
        sentence,
        format!(
            "n^{slope:.2}; {} vertices per transaction at {}",
            human(touched),
            size(most)
        ),
        (0.9..=1.1).contains(&slope),
    )
}

/// See [`crate::evaluate::Section`].
#[must_use]
pub fn claims(results: &Value, mode: Mode) -> Vec<Claim> {
    let mut claims = vec![
        flat(
            results,
            &["uniform-128", "uniform-256"],
            1_000,
            "Ours, Uniform, windows of 128 and 256: vertices touched and modelled instructions per transaction stay within 10 % from 10^3 to 10^6.",
        ),
        flat(
            results,
            &["weighted-128", "weighted-256"],
            1_000,
            "Ours, Weighted, windows of 128 and 256: the same.",
        ),
    ];
    if mode == Mode::Full {
        claims.push(flat(
            results,
            &["uniform-1024", "weighted-1024"],
            10_000,
            "Ours, window of 1,024: the same from 10^4 on (at 10^3 it is not full); Uniform to 10^6, Weighted to 10^5.",
        ));
    }
    claims.extend([
        grows(
            results,
            "paper",
            "touched",
            "The paper's Tangle slows down as it grows: a transaction touches in proportion to all that came before.",
        ),
        grows(
            results,
            "paper-w",
            "follow",
            "The paper's remedy, walks from W back, bounds the choice of tips only: following grows on, since cumulative weights are kept for all.",
        ),
    ]);
    let (ours, theirs) = ("uniform-256", "coordinator");
    let ratio = figure(results, theirs, None, "touched") / figure(results, ours, None, "touched");
    claims.push(Claim::new(
        "The walk from depth 15 milestones is bounded, but touches at least 30 times what ours touches (Uniform, 256).",
        format!("{} times", human(rounded(ratio, 0))),
        ratio >= 30.0,
    ));
    if mode == Mode::Full {
        claims.push(flat(
            results,
            &[theirs],
            100_000,
            "It is flat once 15 milestones are there: 10^6 within 10 % of 10^5.",
        ));
    }
    let tip3 = figure(results, "urts", None, "touched") / figure(results, ours, None, "touched");
    claims.push(Claim::new(
        "TIP-3 touches fewer vertices than ours: its finality is the coordinator's milestone, and it counts no approvals.",
        format!("{} of ours", human(rounded(tip3, 2))),
        tip3 < 1.0,
    ));
    claims.extend(storage(results));
    let modelled = figure(results, "uniform-256", None, "instructions") / CHECK as f64;
    claims.push(Claim::new(
        "Uniform with a window of 256 costs less than 2 % of the signature check that every strategy makes.",
        percent(modelled),
        modelled < 0.02,
    ));
    claims.extend(quality(results, mode));
    if let Some(counted) = results["measured"]["instructions"].as_object()
        && !counted.is_empty()
    {
        let worst = ALL
            .iter()
            .filter_map(|entry| {
                let factor = counted.get(entry.name)?["factor"].as_f64()?;
                Some((factor / entry.factor as f64 - 1.0).abs())
            })
            .fold(0.0, f64::max);
        claims.push(Claim::new(
            "The model of instructions is within 25 % of what callgrind counts on this build.",
            format!("{} off at most", percent(worst)),
            worst <= 0.25,
        ));
    }
    claims
}

fn storage(results: &Value) -> Vec<Claim> {
    let bounded = |entry: &&Entry| entry.kind.window().is_some();
    let within = ALL.iter().filter(bounded).all(|entry| {
        let window = entry.kind.window().unwrap_or(0) as f64;
        let rows = rows(results, entry.name);
        !rows.is_empty() && rows.iter().all(|row| row.get("held") <= window)
    });
    let ours = figure(results, "uniform-256", None, "bytes");
    // But for what is under way: within h.
    let missing = ["paper", "paper-w", "coordinator", "urts"]
        .into_iter()
        .map(|name| {
            row(results, name, None)
                .map_or(f64::NAN, |row| row.transactions as f64 - row.get("held"))
        })
        .fold(
            f64::NEG_INFINITY,
            |a, b| if b.is_nan() { b } else { a.max(b) },
        );
    vec![
        Claim::new(
            "Ours holds its window and no more, however long it runs.",
            format!(
                "{} with a window of 256, transactions and indexes",
                bytes(ours)
            ),
            within && ours.is_finite(),
        ),
        Claim::new(
            "The paper's Tangle stores everything; IOTA's nodes still held everything at 10^6, with their usual pruning.",
            format!(
                "all but {} that are still under way, at most",
                human(missing.max(0.0))
            ),
            missing < 50.0,
        ),
    ]
}

fn quality(results: &Value, mode: Mode) -> Vec<Claim> {
    let of = |name: &str, key: &str| at(results, &format!("/quality/{name}/{key}"));
    let others = ["paper", "paper-w", "coordinator", "urts"];
    let ours = of("uniform-256", "weight_p50");
    let best = others
        .iter()
        .map(|name| of(name, "weight_p50"))
        .fold(f64::INFINITY, f64::min);
    let mut claims = vec![
        Claim::new(
            "3 AW > 2 W comes as soon with ours (Uniform) as with the best of the others, within 10 %.",
            format!(
                "median {} ms, the best of the others {} ms",
                human(ours),
                human(best)
            ),
            ours <= 1.1 * best,
        ),
        Claim::new(
            "Nobody's transaction is left behind in ours: an issuer's own chain carries it.",
            format!(
                "Uniform {}, Weighted {}; the paper's {}",
                percent(of("uniform-256", "left_behind")),
                percent(of("weighted-256", "left_behind")),
                percent(of("paper", "left_behind"))
            ),
            of("uniform-256", "left_behind") == 0.0 && of("weighted-256", "left_behind") == 0.0,
        ),
    ];
    if mode == Mode::Full {
        let spent = |name: &str| of(name, "lazy_200/lazy_approvals");
        claims.push(Claim::new(
            "Lazy issuers (3 of 32, tips on what is 200 s old) get no approval in ours: such parents are refused. The paper's walk with alpha = 0.001 spends approvals on them.",
            format!(
                "ours {}, the paper's {}, TIP-3 {}",
                percent(spent("uniform-256")),
                percent(spent("paper")),
                percent(spent("urts"))
            ),
            spent("uniform-256") == 0.0 && spent("weighted-256") == 0.0 && spent("paper") > 0.0,
        ));
        let extra = |key: &str| at(results, &format!("/strategies/uniform-256/extra/{key}"));
        let (done, living) = (extra("done"), extra("living"));
        claims.push(Claim::new(
            "What is trimmed away was settled: of all that the trims cut off, 99.9 % and more live in a header.",
            format!(
                "{} of {} in {} headers",
                human(living),
                human(done),
                human(extra("headers"))
            ),
            living >= 0.999 * done && done > 0.9e6,
        ));
    }
    claims
}

/// The label of a strategy.
#[must_use]
pub fn label(name: &str) -> &'static str {
    find(name).map_or("?", |entry| entry.label)
}

/// Whether the clock says something about a strategy: not where the simulation takes a short cut.
#[must_use]
pub fn timed(entry: &Entry) -> bool {
    entry.kind != Kind::Coordinator
}
