//! The table that `iotedge-sim` prints of a run.
//!
//! One row per figure, so that two runs can be compared line by line; whatever the reader has to act upon, a violated invariant, comes last.

use super::{HostTotals, Report};
use std::fmt;

fn seconds(ms: Option<u64>) -> String {
    ms.map_or("-".into(), |ms| format!("{:.2} s", ms as f64 / 1000.0))
}

fn listed<'a>(items: impl Iterator<Item = (&'a str, u64)>) -> String {
    let all: Vec<String> = items.map(|(name, n)| format!("{name} {n}")).collect();
    if all.is_empty() {
        "none".into()
    } else {
        all.join(", ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<26}{value}");
        row("run", self.title.clone())?;
        row(
            "transactions",
            format!(
                "{} signed of {} submitted, {} payments received",
                self.sent, self.submitted, self.payments
            ),
        )?;
        let on_air: Vec<u64> = self
            .hosts
            .iter()
            .skip(1)
            .take(usize::from(self.nodes) - 1)
            .map(|h| h.bytes_sent)
            .collect();
        let devices = on_air.len().max(1) as u64;
        let seconds_run = (self.duration / 1000).max(1);
        let each = on_air.iter().sum::<u64>() / devices;
        row(
            "bytes on air",
            format!(
                "{each} per device ({} B/s), most {}, gateway {}",
                each / seconds_run,
                on_air.iter().max().unwrap_or(&0),
                self.hosts.first().map_or(0, |h| h.bytes_sent)
            ),
        )?;
        for (name, times) in ["to Witnessed", "to Quorum", "to Settled"]
            .into_iter()
            .zip(&self.times)
        {
            row(
                name,
                format!(
                    "p50 {}, p95 {}, p99 {} ({} of {})",
                    seconds(times.percentile(50)),
                    seconds(times.percentile(95)),
                    seconds(times.percentile(99)),
                    times.count(),
                    self.sent
                ),
            )?;
        }
        for cost in crate::cost::costs(self) {
            row(cost.name, cost.to_string())?;
        }
        if self.leaves.leaves > 0 {
            let l = &self.leaves;
            let hosts: Vec<String> = l
                .suspected
                .iter()
                .map(|(h, n)| format!("{h} ({n})"))
                .collect();
            row(
                "leaves",
                format!(
                    "{} of {} active; {} signed of {}, {} settled, {} dead, {} unseen, {} unknown, {} faults; suspected: {}",
                    l.active,
                    l.leaves,
                    l.sent,
                    l.submitted,
                    l.settled,
                    l.dead,
                    l.unseen,
                    l.unknown,
                    l.faults,
                    if hosts.is_empty() {
                        "nobody".into()
                    } else {
                        hosts.join(", ")
                    }
                ),
            )?;
            for (name, times) in [
                ("until signed", &l.to_sent),
                ("then to Witnessed", &l.to_witnessed),
            ] {
                row(
                    name,
                    format!(
                        "p50 {}, p95 {}, most {} ({})",
                        seconds(times.percentile(50)),
                        seconds(times.percentile(95)),
                        seconds(times.percentile(100)),
                        times.count()
                    ),
                )?;
            }
        }
        if let (Some(_), Some(gateway)) = (self.radio, self.hosts.first()) {
            row(
                "the gateway's radio",
                format!(
                    "{:.1} s on air, no time for {} frames",
                    gateway.air as f64 / 1e6,
                    gateway.crowded
                ),
            )?;
        }
        if let Some(link) = self.link() {
            row(
                "link layer",
                format!(
                    "{} frames, {} compressed, {} in one packet; {} packets; {} out of step, {} requests for fragments, {} frames given up, {} replaced",
                    link.frames,
                    link.compressed,
                    link.in_one,
                    link.packets,
                    link.out_of_step,
                    link.repairs,
                    link.given_up,
                    link.replaced
                ),
            )?;
        }
        row("receipts verified", format!("{}", self.receipts))?;
        row(
            "dead, orphans, expired",
            format!(
                "{} grades of Dead; {} below the last cut live in no header; {} without Quorum after T/2",
                self.dead, self.orphans, self.expired
            ),
        )?;
        let most = |of: fn(&HostTotals) -> u32| self.hosts.iter().map(of).max().unwrap_or(0);
        row(
            "set aside",
            format!(
                "at most {} at once on one node, {} given up",
                most(|h| h.aside_max),
                self.dropped
            ),
        )?;
        let (sum, samples) = self
            .hosts
            .iter()
            .fold((0, 0), |(s, n), h| (s + h.tips_sum, n + h.samples));
        row(
            "tips",
            format!(
                "{:.1} on average, at most {}",
                sum as f64 / samples.max(1) as f64,
                most(|h| h.tips_max)
            ),
        )?;
        row(
            "window",
            format!(
                "at most {} vertices, {} KB of memory per node at most",
                most(|h| h.window_max),
                self.memory / 1024
            ),
        )?;
        row(
            "frames refused",
            listed(self.refusals.iter().map(|(n, c)| (*n, *c))),
        )?;
        row(
            "submissions refused",
            listed(self.rejections.iter().map(|(n, c)| (*n, *c))),
        )?;
        row(
            "links",
            format!(
                "{} frames delivered, {} lost, {} doubled, {} corrupted; {} transactions came twice",
                self.frames,
                self.frames_lost,
                self.frames_doubled,
                self.frames_corrupted,
                self.hosts.iter().map(|h| h.duplicates).sum::<u64>()
            ),
        )?;
        row(
            "faults",
            format!(
                "{} nodes stopped, {} recoveries begun, {} ended, {} equivocations and {} freezes told, {} silences",
                self.reboots,
                self.recovering,
                self.recovered,
                self.equivocations,
                self.frozen,
                self.silences
            ),
        )?;
        let living: u64 = self.headers.iter().map(|h| u64::from(h.2)).sum();
        row(
            "headers",
            format!(
                "{} settled, {living} transactions living in them",
                self.headers.len()
            ),
        )?;
        for (number, at, count, value, g0) in &self.headers {
            let g0 = g0.to_string();
            row(
                "",
                format!(
                    "{number:>3}: at {:.1} s, {count} living, value {value}, G0 {}",
                    *at as f64 / 1000.0,
                    &g0[..16]
                ),
            )?;
        }
        row("gateway waits for", self.waits_for.clone())?;
        row(
            "trims and proposals",
            format!(
                "{} trims refused as void and tried again, {} proposals came too early",
                self.void_trims, self.waited
            ),
        )?;
        row(
            "value",
            match self.headers.last() {
                Some((_, _, _, value, _)) => format!(
                    "{value} of {}",
                    crate::founding::GRANT
                        * (u64::from(self.nodes) + u64::from(self.leaves.leaves))
                ),
                None => "no header".into(),
            },
        )?;
        row(
            "in the end",
            format!(
                "{} vertices and {} tips above the last cut; {}",
                self.end_vertices,
                self.end_tips,
                listed(self.phases.iter().map(|(p, n)| (p.as_str(), u64::from(*n))))
            ),
        )?;
        row(
            "store",
            format!(
                "{} writes, at most {} bytes on one node",
                self.hosts.iter().map(|h| h.writes).sum::<u64>(),
                self.hosts.iter().map(|h| h.stored).max().unwrap_or(0)
            ),
        )?;
        row(
            "signatures",
            format!(
                "{} checks asked, {} really made: nodes share verdicts, each signature is checked once",
                self.asked, self.checked
            ),
        )?;
        row(
            "events lost by full queues",
            format!("{}", self.lost_events),
        )?;
        if !self.counted.is_empty() {
            row("actors", listed(self.counted.iter().map(|(n, c)| (*n, *c))))?;
        }
        row("wall time", format!("{:.1} s", self.wall.as_secs_f64()))?;
        row("trace", self.trace.to_string())?;
        if self.sound() {
            row("invariants", "all held".into())
        } else {
            row(
                "invariants",
                format!("VIOLATED {} times:", self.violation_count),
            )?;
            for violation in &self.violations {
                writeln!(f, "  {violation}")?;
            }
            Ok(())
        }
    }
}
