//! The page of the section on scale: text, tables and plots from the results.

use super::claims::{each, runs};
use crate::evaluate::number::{at, bytes, human, percent, rounded};
use crate::evaluate::{Axis, Page, Plot, Series};
use serde_json::Value;

const INTRO: &str = "
Whole neighbourhoods of the real core in virtual time, from one seed: devices that publish readings and pay each other, the GL-node beside its gateway, four
validators. **Each signature is really checked, once**; the nodes share its verdict, found by comparing key, message and signature whole. T, announcements and beacons
follow the rate as `--per-hour` sets them ([simulator.md](simulator.md)); devices have a window of 1,024 vertices where nothing else is said, and 24 of them hear the
gateway. Seed 1 throughout; `iotedge-sim --nodes N --per-hour R --json` repeats a run.";

const MODEL: &str = "
*Instructions* are a model: signatures checked and made times those of one on a Cortex-M4 (Monocypher 4.0.3: 1.75 M and 0.70 M), and 2 % of a check for
each transaction that is read, hashed and placed (`ci/bench` counts 1.2 to 2.2 % on x86-64). *RAM* is the node and everything lent to it. *Orphans* are devices' transactions below
the newest cut that no header holds; *expired* are those with T/2 of traffic after them whose issuer holds no Quorum for them: approvals no longer count, though
they may still be settled. Transactions signed near the end of a run have no time for the higher grades.";

const RADIOS: &str = "
30 members. Devices on BLE mesh and 802.15.4 stand in a square with the gateway at one side, up to six hops away; with LoRa they hear the gateway only. The traffic is 20 an hour and
device for an hour; with LoRa 2 an hour for four hours. On the last four frames go through the core's link layer: compressed, in packets of
377, 102, 222 and 51 bytes, each lost at 1 % (BLE mesh: each segment of 12 bytes of one). Each radio sends one packet at a time and rests as its duty cycle asks. The sources of times and currents are in `sim/src/radio.rs` and `sim/src/cost.rs`: standards and data sheets, nothing measured on hardware.
*Energy* is processor time at 64 MHz and 3.3 mA (nRF52840) and the radio while it sends and while frames for the device come in; listening and sleeping in between are left out.";

/// See [`crate::evaluate::Section`].
pub fn page(results: &Value, page: &mut Page) {
    page.text(INTRO);
    page.heading("Among 10, 100 and 1,000");
    page.text("One hour at 10 transactions an hour and device.");
    table(results, page, "nodes", "members");
    page.text(MODEL);
    page.heading("As the rate grows");
    rates(results, page);
    page.heading("On radios");
    page.text(RADIOS);
    radios(results, page);
    page.heading("What the runs took");
    measured(results, page);
}

fn seconds(run: &Value, figure: &str) -> String {
    human(rounded(at(run, figure) / 1_000.0, 1))
}

fn spread(run: &Value, figure: &str, write: fn(f64) -> String) -> String {
    ["median", "p95", "most"]
        .map(|which| write(at(run, &format!("/devices/{figure}/{which}"))))
        .join(" / ")
}

fn hours(run: &Value) -> String {
    format!("{} h", human(rounded(at(run, "/seconds") / 3_600.0, 1)))
}

/// A row per figure, a column per run.
fn table(results: &Value, page: &mut Page, group: &str, what: &str) {
    let runs = runs(results, group);
    let mut head = vec![what.to_string()];
    head.extend(runs.iter().map(|(name, _)| (*name).to_string()));
    let row = |name: &str, write: &dyn Fn(&Value) -> String| {
        let cells = runs.iter().map(|(_, run)| write(run));
        std::iter::once(name.to_string()).chain(cells).collect()
    };
    let grade = |grade: &'static str| {
        move |run: &Value| {
            ["p50", "p95", "p99"]
                .map(|p| seconds(run, &format!("/{grade}/{p}")))
                .join(" / ")
        }
    };
    let count = |key: &'static str| move |run: &Value| human(at(run, key));
    let rows: Vec<Vec<String>> = vec![
        row("virtual time of traffic", &hours),
        row("transactions signed", &count("/signed")),
        row("to `Witnessed`, s: p50 / p95 / p99", &grade("witnessed")),
        row("to `Quorum`, s", &grade("quorum")),
        row("to `Settled`, s", &grade("settled")),
        row("reached Quorum by the end", &count("/quorum/count")),
        row(
            "instructions per device, million: median / p95 / most",
            &|run| spread(run, "instructions", human),
        ),
        row("bytes sent per device", &|run| {
            spread(run, "sent by a device", human)
        }),
        row("RAM per device", &|run| spread(run, "memory", bytes)),
        row("tips, mean / most", &|run| {
            format!(
                "{} / {}",
                human(at(run, "/tips/mean")),
                human(at(run, "/tips/most"))
            )
        }),
        row("orphans", &count("/orphans")),
        row("expired", &count("/expired")),
        row("headers settled", &count("/headers")),
        row("vertices inserted, all nodes", &count("/inserted")),
        row("checks asked / really made", &|run| {
            format!(
                "{} / {}",
                human(at(run, "/checks_asked")),
                human(at(run, "/checks_made"))
            )
        }),
        row(
            "per transaction of the neighbourhood: million instructions",
            &|run| human(rounded(each(run, "instructions"), 3)),
        ),
        row("the same: bytes sent by a device", &|run| {
            human(rounded(each(run, "sent by a device"), 1))
        }),
    ];
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    page.table(&head, &rows);
}

fn rates(results: &Value, page: &mut Page) {
    page.text(
        "The white paper speaks of tens to thousands of transactions per hour and device. Ten devices for a day at 10 and 100 an hour and four hours at 1,000; \
         a hundred devices for a day at 10, an hour at 100, six minutes at 1,000: what could be afforded here. Columns are transactions an hour and device.",
    );
    for (group, text) in [
        ("rate-10", "Ten members:"),
        ("rate-100", "A hundred members:"),
        (
            "rate-1000",
            "A thousand members for a day, with windows that hold a fifth of an epoch:",
        ),
    ] {
        // What was not run is not on the page.
        if !runs(results, group).is_empty() {
            page.text(text);
            table(results, page, group, "an hour and device");
        }
    }
    let series = |label: &str, group: &str, of: &dyn Fn(&Value) -> f64| Series {
        label: label.into(),
        points: runs(results, group)
            .iter()
            .map(|(name, run)| (name.parse().unwrap_or(f64::NAN), of(run)))
            .collect(),
        dashed: false,
    };
    let quorum = |run: &Value| at(run, "/quorum/p50") / 1_000.0;
    let sent = |run: &Value| each(run, "sent by a device");
    for (stem, title, y, of) in [
        (
            "scale-quorum",
            "Median time to Quorum against the rate",
            "seconds",
            &quorum as &dyn Fn(&Value) -> f64,
        ),
        (
            "scale-bytes",
            "Bytes that a device sends per transaction of its neighbourhood",
            "bytes",
            &sent,
        ),
    ] {
        page.plot(
            stem,
            &Plot {
                title: title.into(),
                x: Axis::log("transactions an hour and device"),
                y: Axis::log(y),
                series: vec![
                    series("10 members", "rate-10", of),
                    series("100 members", "rate-100", of),
                ],
            },
        );
    }
}

fn radios(results: &Value, page: &mut Page) {
    let head = [
        "link",
        "signed",
        "Witnessed",
        "Quorum",
        "to Witnessed / Quorum / Settled, p50, s",
        "Quorum p95, p99, s",
        "frames compressed / in one packet",
        "bytes on air: median / p95 / most",
        "time on air, s",
        "energy, J",
        "no time on air",
        "expired",
        "agree in the end",
    ];
    let share = |run: &Value, part: &str| {
        let of = |figure: &str| at(run, &format!("/link/{figure}"));
        percent(of(part) / of("frames"))
    };
    let kilo = |x: f64| human(rounded(x / 1_000.0, 1));
    let mut rows = Vec::new();
    for (name, _) in crate::radio::Radio::ALL {
        let run = &results["links"][name];
        let p50 = ["witnessed", "quorum", "settled"]
            .map(|grade| seconds(run, &format!("/{grade}/p50")))
            .join(" / ");
        rows.push(vec![
            name.into(),
            human(at(run, "/signed")),
            human(at(run, "/witnessed/count")),
            human(at(run, "/quorum/count")),
            p50,
            format!(
                "{} / {}",
                seconds(run, "/quorum/p95"),
                seconds(run, "/quorum/p99")
            ),
            format!("{} / {}", share(run, "compressed"), share(run, "in_one")),
            spread(run, "on air", human),
            spread(run, "time on air", kilo),
            spread(run, "energy estimate", kilo),
            spread(run, "radio had no time for", human),
            human(at(run, "/expired")),
            match at(run, "/violations") {
                0.0 => "yes".into(),
                _ => "no".into(),
            },
        ]);
    }
    page.table(&head, &rows);
}

fn measured(results: &Value, page: &mut Page) {
    page.text(
        "*Measured*, on two threads of a machine that did other work beside: processor time is that of both threads, their waiting for each other included.",
    );
    let rows: Vec<Vec<String>> = results["measured"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, taken)| {
            vec![
                name.clone(),
                human(at(taken, "/processor")),
                human(at(taken, "/wall")),
            ]
        })
        .collect();
    page.table(&["run", "processor, s", "wall, s"], &rows);
}
