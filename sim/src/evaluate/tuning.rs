//! Self-tuning against fixed settings: time to Quorum and bytes on air, over a grid of neighbourhoods.
//!
//! Every run is the same real core with the same traffic and seed; only `Tuning` differs. All transactions are payments, since readings ask for nobody's
//! word. A payment that found no Quorum before the traffic ended counts with the time that it had waited at least: the whole run.
//! Both figures are compared as geometric means over the grid, so that no one neighbourhood decides.

use super::number::{at, human, percent, rounded};
use super::{Axis, Claim, Mode, Page, Plot, Section, Series};
use crate::scenario::{LinkModel, Scenario};
use crate::{Options, run_with};
use iotedge_core::Millis;
use iotedge_core::node::{Span, Tuning};
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// See [`super::SECTIONS`].
pub const SECTION: Section = Section {
    name: "tuning",
    title: "Self-tuning against every fixed setting",
    run: results,
    claims,
    page,
};

/// Traffic lasts so long, in ms.
const DURATION: u64 = 240_000;
/// Frames lost on a bad link, in parts per million.
const LOSS: u32 = 100_000;

/// Members, payments of each per minute, and whether the links are bad.
type Neighbourhood = (u16, u32, bool);

fn grid(mode: Mode) -> Vec<Neighbourhood> {
    match mode {
        Mode::Short => vec![(6, 6, false)],
        Mode::Full => {
            let pairs = [(6, 1), (6, 30), (16, 6), (40, 1), (40, 6)];
            let links = [false, true];
            let with = |(n, rate)| links.map(|bad| (n, rate, bad));
            pairs.into_iter().flat_map(with).collect()
        }
    }
}

/// A setting: its name and its bounds.
type Setting = (String, Tuning);

const TUNED: &str = "tuned";

fn fixed(slot: Option<u64>, announce: u64, beacon: u64, tips: u8) -> Setting {
    let mut tuning = Tuning::fixed(Millis(announce), Millis(beacon), tips);
    if let Some(slot) = slot {
        tuning.slot = Span::fixed(Millis(slot));
        tuning.approvals = u32::MAX;
    }
    let slot = slot.map_or("no slot".into(), |ms| {
        format!("slot {} s", human(ms as f64 / 1000.0))
    });
    let name = format!(
        "{slot}, announce {announce} ms, beacon {} s, tips {tips}",
        beacon / 1000
    );
    (name, tuning)
}

fn settings(mode: Mode) -> Vec<Setting> {
    let mut all = vec![(TUNED.into(), Tuning::DEFAULT)];
    if mode == Mode::Short {
        all.push(fixed(None, 100, 1_000, 2));
        all.push(fixed(Some(4_000), 100, 1_000, 2));
        return all;
    }
    for slot in [None, Some(500), Some(2_000), Some(8_000), Some(30_000)] {
        for (announce, beacon) in [(100, 1_000), (50, 8_000), (200, 8_000)] {
            all.push(fixed(slot, announce, beacon, 2));
        }
    }
    all.push(fixed(Some(2_000), 100, 1_000, 4));
    all
}

fn scenario((nodes, rate, bad): Neighbourhood, tuning: Tuning) -> Scenario {
    let mut scenario = Scenario::small(u64::from(nodes) * 1_000 + u64::from(rate), nodes);
    scenario.duration = DURATION;
    scenario.quiet = 20_000;
    scenario.period = 60_000;
    scenario.rate = rate;
    scenario.trade = 100;
    scenario.neighbours = 6;
    scenario.tuning = tuning;
    scenario.link = LinkModel {
        delay_min: 5,
        delay_max: 50,
        loss: if bad { LOSS } else { 0 },
        ..LinkModel::CALM
    };
    scenario
}

/// One run: median time to Quorum in ms, share of payments without one, bytes sent by all per payment, violations.
fn measure(neighbourhood: Neighbourhood, tuning: Tuning) -> Value {
    let scenario = scenario(neighbourhood, tuning);
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    let report = match run_with(&scenario, options) {
        Ok(report) => report,
        Err(error) => return json!({ "error": error }),
    };
    let [_, quorum, _] = &report.times;
    let payments = report.payments.max(1);
    let reached = quorum.count() as u64;
    // The place of the median among all payments; above those that reached it the waiting was cut off by the end.
    let place = (payments.div_ceil(2) * 100).div_ceil(reached.max(1));
    let median = usize::try_from(place)
        .ok()
        .filter(|place| *place <= 100)
        .and_then(|place| quorum.percentile(place))
        .unwrap_or(DURATION);
    let bytes: u64 = report.hosts.iter().map(|h| h.bytes_sent).sum();
    json!({
        "median": median,
        "without": rounded(1.0 - (reached.min(payments)) as f64 / payments as f64, 4),
        "bytes": rounded(bytes as f64 / payments as f64, 0),
        "violations": report.violation_count,
    })
}

fn results(mode: Mode) -> Value {
    let (grid, settings) = (grid(mode), settings(mode));
    let jobs = settings.len() * grid.len();
    let done: Mutex<Vec<Value>> = Mutex::new(vec![Value::Null; jobs]);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return;
            }
            let (_, tuning) = &settings[job / grid.len()];
            let value = measure(grid[job % grid.len()], *tuning);
            if let Ok(mut done) = done.lock() {
                done[job] = value;
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let done = done.into_inner().unwrap_or_default();
    let settings: Vec<Value> = settings
        .iter()
        .zip(done.chunks(grid.len()))
        .map(|((name, _), runs)| {
            let mean = |key: &str| {
                let sum: f64 = runs.iter().map(|run| at(run, key).max(1.0).ln()).sum();
                rounded((sum / runs.len() as f64).exp(), 0)
            };
            let count = |key: &str| runs.iter().map(|run| at(run, key)).sum::<f64>();
            json!({
                "name": name,
                "runs": runs,
                "median": mean("/median"),
                "bytes": mean("/bytes"),
                "without": rounded(count("/without") / runs.len() as f64, 4),
                "violations": count("/violations"),
            })
        })
        .collect();
    let grid: Vec<Value> = grid
        .iter()
        .map(|(n, rate, bad)| json!({"members": n, "per_minute": rate, "loss": if *bad { LOSS } else { 0 }}))
        .collect();
    json!({ "grid": grid, "settings": settings })
}

fn of(results: &Value) -> &[Value] {
    results["settings"].as_array().map_or(&[], Vec::as_slice)
}

/// The fixed setting with the least product of time and bytes: what one would choose who may choose only once.
fn best(results: &Value) -> Option<&Value> {
    let product = |setting: &Value| at(setting, "/median") * at(setting, "/bytes");
    of(results)
        .iter()
        .skip(1)
        .min_by(|a, b| product(a).total_cmp(&product(b)))
}

/// Time and bytes of the tuned nodes over those of another setting.
fn ratios(results: &Value, other: &Value) -> (f64, f64) {
    let Some(tuned) = of(results).first() else {
        return (f64::NAN, f64::NAN);
    };
    let ratio = |key: &str| rounded(at(tuned, key) / at(other, key), 3);
    (ratio("/median"), ratio("/bytes"))
}

fn claims(results: &Value, mode: Mode) -> Vec<Claim> {
    let violations: f64 = of(results).iter().map(|s| at(s, "/violations")).sum();
    let safe = Claim::new(
        "No setting, tuned or fixed, breaks an invariant.",
        format!("{} violations", human(violations)),
        violations == 0.0,
    );
    let mut all = vec![safe];
    if mode == Mode::Full
        && let Some(best) = best(results)
    {
        let (time, bytes) = ratios(results, best);
        all.push(Claim::new(
            "Against the best single fixed setting (least product of time to Quorum and bytes on air) self-tuning takes at least 25 % less of one and no more of the other.",
            format!("{}: time x {}, bytes x {}", best["name"].as_str().unwrap_or("?"), human(time), human(bytes)),
            (time <= 0.75 && bytes <= 1.0) || (bytes <= 0.75 && time <= 1.0),
        ).admit("Approvals are most of the bytes, and the allowance keeps them from what the fastest fixed setting spends: it is a frontier, shown below, on which self-tuning stands beside the best fixed settings and not beyond them."));
        let beaten = of(results)
            .iter()
            .skip(1)
            .filter(|s| matches!(ratios(results, s), (time, bytes) if time >= 1.0 && bytes >= 1.0))
            .count();
        all.push(Claim::new(
            "No fixed setting is better in both.",
            format!("{beaten} are"),
            beaten == 0,
        ));
    }
    all
}

fn page(results: &Value, page: &mut Page) {
    page.text(
        "Every fixed setting of announce interval, beacon rate, tips and slot (how long a member with nothing to say waits before it approves what others paid) \
         against nodes that tune themselves (docs/decisions/0017), over neighbourhoods of 6 to 40 members that each pay 1 to 30 times a minute, on good links \
         and with 10 % of frames lost. Four virtual minutes each, T = 60 s. Geometric means over the grid; bytes are those that all nodes send per payment, gossip and beacons included.",
    );
    let rows: Vec<Vec<String>> = of(results)
        .iter()
        .map(|s| {
            vec![
                s["name"].as_str().unwrap_or("?").into(),
                human(rounded(at(s, "/median") / 1000.0, 2)),
                percent(at(s, "/without")),
                human(at(s, "/bytes")),
            ]
        })
        .collect();
    page.table(
        &[
            "setting",
            "median time to Quorum, s",
            "payments without Quorum",
            "bytes per payment",
        ],
        &rows,
    );
    let point = |s: &Value| (at(s, "/bytes"), at(s, "/median") / 1000.0);
    let series = |label: &str, some: &[Value]| Series {
        label: label.into(),
        points: some.iter().map(point).collect(),
        dashed: false,
    };
    let all = of(results);
    if let Some((tuned, fixed)) = all.split_first() {
        // From the cheapest to the fastest: those that no other fixed one beats in both.
        let mut front: Vec<Value> = fixed
            .iter()
            .filter(|a| {
                !fixed.iter().any(|b| {
                    let ((x, y), (u, v)) = (point(a), point(b));
                    u <= x && v <= y && (u < x || v < y)
                })
            })
            .cloned()
            .collect();
        front.sort_by(|a, b| point(a).0.total_cmp(&point(b).0));
        page.plot(
            "tuning",
            &Plot {
                title: "Time to Quorum against bytes on air".into(),
                x: Axis::log("bytes per payment"),
                y: Axis::log("median time to Quorum, s"),
                series: vec![
                    series("best of the fixed settings", &front),
                    series("self-tuned", core::slice::from_ref(tuned)),
                ],
            },
        );
    }
    page.heading("Per neighbourhood");
    let (Some(tuned), Some(best)) = (all.first(), best(results)) else {
        return;
    };
    let grid = results["grid"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = grid
        .iter()
        .enumerate()
        .map(|(i, cell)| {
            let of = |s: &Value, key: &str| at(s, &format!("/runs/{i}/{key}"));
            vec![
                human(at(cell, "/members")),
                human(at(cell, "/per_minute")),
                percent(at(cell, "/loss") / 1e6),
                human(of(tuned, "median") / 1000.0),
                human(of(best, "median") / 1000.0),
                human(of(tuned, "bytes")),
                human(of(best, "bytes")),
            ]
        })
        .collect();
    page.table(
        &[
            "members",
            "payments per minute",
            "loss",
            "tuned, s",
            "best fixed, s",
            "tuned, bytes",
            "best fixed, bytes",
        ],
        &rows,
    );
}
