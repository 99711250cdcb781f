//! The section on scale: the same node among 10, 100 and 1,000, at rates from tens to thousands an hour, and on radios.
//!
//! Every run is a whole neighbourhood of `iotedge_core::node::Node` (`docs/simulator.md`), and every figure a count of it; only what lies
//! under `measured` was taken from a clock. The short part keeps what no gossip may change: who signed how much, and that nothing was
//! lost or broken. So a change of the core's timing leaves it as it is, and a change that loses a transaction does not.

mod claims;
mod show;

use super::number::rounded;
use super::store::Store;
use super::{Mode, Section};
use crate::figures::figures;
use crate::radio::Radio;
use crate::{Options, Scenario, run_with};
use serde_json::{Map, Value, json};

/// See [`super::SECTIONS`].
pub const SECTION: Section = Section {
    name: "scale",
    title: "Scale: 10, 100 and 1,000 devices, rates, and radios",
    run: results,
    claims: claims::claims,
    page: show::page,
};

/// Transactions an hour and device of the runs that differ in size.
const HOURLY: u16 = 10;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// A run of a group: its figures are found under `/group/name`.
struct Plan {
    group: &'static str,
    name: String,
    scenario: Scenario,
}

fn of(group: &'static str, nodes: u16, hourly: u16, duration: u64) -> Plan {
    let mut scenario = Scenario::large(1, nodes, hourly.into());
    scenario.duration = duration;
    Plan {
        group,
        name: nodes.to_string(),
        scenario,
    }
}

/// The group of the run that takes an hour: made by `ci/evaluate --long`, and kept from then on.
const LONG: &str = "rate-1000";

/// A thousand members for a day.
fn long() -> Plan {
    let mut day = of(LONG, 1_000, HOURLY, 24 * HOUR);
    day.name = HOURLY.to_string();
    day
}

/// The neighbourhoods of the page but that one.
fn full() -> Vec<Plan> {
    let mut plans: Vec<Plan> = [10, 100, 1_000]
        .map(|nodes| of("nodes", nodes, HOURLY, HOUR))
        .into();
    for (group, nodes, hourly, duration) in [
        ("rate-10", 10, 10, 24 * HOUR),
        ("rate-10", 10, 100, 24 * HOUR),
        ("rate-10", 10, 1_000, 4 * HOUR),
        ("rate-100", 100, 10, 24 * HOUR),
        ("rate-100", 100, 100, HOUR),
        ("rate-100", 100, 1_000, 6 * MINUTE),
    ] {
        let mut plan = of(group, nodes, hourly, duration);
        plan.name = hourly.to_string();
        // Room for the epoch before and this one.
        let epoch = u64::from(nodes) * plan.scenario.period / plan.scenario.pause();
        plan.scenario.window = (2 * epoch).next_power_of_two().clamp(1_024, 8_192) as u32;
        plans.push(plan);
    }
    for (name, radio) in Radio::ALL {
        let (hourly, duration) = match radio.is_star() {
            true => (2, 4 * HOUR),
            false => (20, HOUR),
        };
        let mut plan = of("links", 30, hourly, duration);
        plan.scenario = plan.scenario.on(radio);
        plan.name = name.into();
        plans.push(plan);
    }
    plans
}

/// Minutes of two small ones.
fn short() -> Vec<Plan> {
    let wired = of("nodes", 10, 600, 5 * MINUTE);
    let mut radio = of("links", 8, 60, 10 * MINUTE);
    radio.scenario = radio.scenario.on(Radio::Ieee802154);
    radio.name = Radio::Ieee802154.name().into();
    vec![wired, radio]
}

fn results(mode: Mode) -> Value {
    let plans = match mode {
        Mode::Short => short(),
        Mode::Full => full(),
    };
    let (mut groups, mut measured) = run(&plans, mode);
    if mode == Mode::Full {
        keep(&mut groups, &mut measured, &Store::here().kept(&SECTION));
        groups.insert("measured".into(), Value::Object(measured));
    }
    Value::Object(groups)
}

/// What the committed results have of the long run.
fn keep(
    groups: &mut Map<String, Value>,
    measured: &mut Map<String, Value>,
    kept: &Map<String, Value>,
) {
    if let Some(group) = kept.get(LONG) {
        groups.insert(LONG.into(), group.clone());
    }
    let taken = kept.get("measured").and_then(Value::as_object);
    for (name, taken) in taken.into_iter().flatten() {
        if name.starts_with(LONG) {
            measured.insert(name.clone(), taken.clone());
        }
    }
}

/// Makes the long run, and puts it among the results of the others.
pub fn run_long(full: &mut Value) {
    let (groups, measured) = run(&[long()], Mode::Full);
    for (name, group) in groups {
        full[name] = group;
    }
    for (name, taken) in measured {
        full["measured"][name] = taken;
    }
}

fn run(plans: &[Plan], mode: Mode) -> (Map<String, Value>, Map<String, Value>) {
    let mut groups = Map::new();
    let mut measured = Map::new();
    for plan in plans {
        let clock = Clock::start();
        let options = Options {
            threads: 2,
            ..Options::default()
        };
        let report = match run_with(&plan.scenario, options) {
            Ok(report) => report,
            // A plan that cannot be run has no figures, and no claim over it holds.
            Err(error) => {
                eprintln!("scale: {} {}: {error}", plan.group, plan.name);
                continue;
            }
        };
        let mut found = figures(&report);
        if mode == Mode::Short {
            found = kept(&found);
        } else {
            found["hourly"] = plan.scenario.hourly.into();
            found["window"] = plan.scenario.window.into();
            found["period"] = plan.scenario.period.into();
            let taken = clock.stop();
            eprintln!("scale: {} {}: {taken}", plan.group, plan.name);
            measured.insert(format!("{}-{}", plan.group, plan.name), taken);
            report.violations.iter().for_each(|v| eprintln!("  {v}"));
        }
        let group = groups.entry(plan.group).or_insert_with(|| json!({}));
        group[&plan.name] = found;
    }
    (groups, measured)
}

/// Of a short run: what has to stay the same whatever nodes say to each other, and when.
fn kept(found: &Value) -> Value {
    let all = ["nodes", "submitted", "signed", "orphans", "violations"];
    let mut kept: Map<String, Value> = all
        .iter()
        .map(|key| ((*key).into(), found[*key].clone()))
        .collect();
    let reached = |grade: &str| found[grade]["count"] == found["signed"];
    kept.insert("all_witnessed".into(), reached("witnessed").into());
    kept.insert(
        "settled_some".into(),
        (found["settled"]["count"].as_u64() > Some(0)).into(),
    );
    Value::Object(kept)
}

/// Wall and processor time of this process.
struct Clock {
    wall: std::time::Instant,
    ticks: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self {
            wall: std::time::Instant::now(),
            ticks: ticks(),
        }
    }

    /// Seconds; processor time is that of all threads, waiting for each other included, `null` where the system does not tell.
    fn stop(self) -> Value {
        let spent = self.ticks.zip(ticks()).map(|(from, to)| (to - from) as f64);
        json!({
            "wall": rounded(self.wall.elapsed().as_secs_f64(), 1),
            "processor": spent.map(|ticks| rounded(ticks / 100.0, 1)),
        })
    }
}

/// User and system time of the process, in hundredths of a second (`proc(5)`: USER_HZ is 100 wherever Linux tells it here).
fn ticks() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_can_be_simulated_and_have_names_of_their_own() {
        for plans in [full(), vec![long()], short()] {
            let mut names: Vec<_> = plans.iter().map(|p| (p.group, p.name.clone())).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), plans.len());
            for plan in plans {
                plan.scenario.check().expect("a plan that runs");
            }
        }
    }

    /// Not how long anything took: only that the second reading is not below the first.
    #[test]
    fn the_processor_clock_goes_forward() {
        if let (Some(one), Some(two)) = (ticks(), ticks()) {
            assert!(one <= two);
        }
    }
}
