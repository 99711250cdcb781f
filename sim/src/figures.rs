//! A report as JSON: what `--json` prints, and what the evaluation's section on scale is made of.
//!
//! The one invariant: nothing in it comes from a clock or depends on threads, so that the same scenario on the same build has the same figures.
//! Times are in ms of the run; a grade that nobody reached has no percentiles (`null`).

use crate::cost::costs;
use crate::evaluate::number::rounded;
use crate::report::{HostTotals, Report, Times};
use serde_json::{Map, Value, json};

/// All figures of a run.
#[must_use]
pub fn figures(report: &Report) -> Value {
    let mut devices = Map::new();
    for cost in costs(report) {
        let figure = json!({
            "unit": cost.unit,
            "median": cost.median,
            "p95": cost.p95,
            "most": cost.most,
        });
        devices.insert(cost.name.into(), figure);
    }
    let [witnessed, quorum, settled] = &report.times;
    let tips = report.hosts.iter();
    let (sum, samples) = tips.fold((0, 0), |(s, n), h: &HostTotals| {
        (s + h.tips_sum, n + h.samples)
    });
    let living: u64 = report.headers.iter().map(|h| u64::from(h.2)).sum();
    let mut found = json!({
        "title": report.title,
        "nodes": report.nodes,
        "seconds": report.duration / 1_000,
        "submitted": report.submitted,
        "signed": report.sent,
        "witnessed": times(witnessed),
        "quorum": times(quorum),
        "settled": times(settled),
        "devices": devices,
        "tips": {
            "mean": rounded(sum as f64 / samples.max(1) as f64, 2),
            "most": report.hosts.iter().map(|h| h.tips_max).max().unwrap_or(0),
        },
        "living": living,
        "headers": report.headers.len(),
        "orphans": report.orphans,
        "expired": report.expired,
        "dead": report.dead,
        "dropped": report.dropped,
        "inserted": report.hosts.iter().map(|h| h.inserted).sum::<u64>(),
        "frames": report.frames,
        "checks_asked": report.asked,
        "checks_made": report.checked,
        "violations": report.violation_count,
    });
    if let (Some(_), Some(gateway)) = (report.radio, report.hosts.first()) {
        found["gateway"] = json!({
            "time on air": gateway.air / 1_000,
            "radio had no time for": gateway.crowded,
        });
    }
    let l = &report.leaves;
    if l.leaves > 0 {
        found["leaves"] = json!({
            "leaves": l.leaves,
            "submitted": l.submitted,
            "signed": l.sent,
            "until signed": times(&l.to_sent),
            "witnessed": times(&l.to_witnessed),
            "settled": l.settled,
            "dead": l.dead,
            "unseen": l.unseen,
            "unknown": l.unknown,
            "suspected": l.suspected.values().sum::<u64>(),
            "faults": l.faults,
        });
    }
    if let Some(link) = report.link() {
        found["link"] = json!({
            "frames": link.frames,
            "compressed": link.compressed,
            "in_one": link.in_one,
            "packets": link.packets,
            "out_of_step": link.out_of_step,
            "repairs": link.repairs,
            "given_up": link.given_up,
            "replaced": link.replaced,
        });
    }
    found
}

fn times(times: &Times) -> Value {
    json!({
        "count": times.count(),
        "p50": times.percentile(50),
        "p95": times.percentile(95),
        "p99": times.percentile(99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, Scenario, run_with};

    #[test]
    fn figures_do_not_depend_on_threads_and_account_for_every_transaction() {
        let mut scenario = Scenario::small(5, 5);
        scenario.duration = 25_000;
        let on = |threads| {
            let options = Options {
                threads,
                ..Options::default()
            };
            figures(&run_with(&scenario, options).expect("a run"))
        };
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(
            (&one["violations"], &one["orphans"]),
            (&json!(0), &json!(0))
        );
        assert!(one["living"].as_u64() > Some(0));
        assert!(one["quorum"]["p50"].as_u64() <= one["quorum"]["p95"].as_u64());
        assert!(one["devices"]["memory"]["median"].as_u64() > Some(0));
    }
}
