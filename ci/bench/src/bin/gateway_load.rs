//! `gateway_load`: transactions per second, latency and memory of a gateway under 200 devices. See ci/bench/README.md.
//!
//!     gateway_load --gateway target/release/iotedge-gateway [--transactions 60000] [--strict] [--out out/bench.json] ...

use anyhow::{Context, Result, bail};
use iotedge_bench::figure::{Ceiling, Figure, merge, print};
use iotedge_bench::interleave::thread_nanos;
use iotedge_bench::load::{Crowd, Load, Outcome, Plan, Signed, World, metric};
use iotedge_core::crypto::batch::Batch;
use iotedge_core::crypto::{Software, Verify};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use std::process::ExitCode;
use std::time::Instant;

/// Signatures in one batch of the bare loop: as many datagrams as the gateway takes in one turn.
const BATCH: usize = 256;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gateway_load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    plan: Plan,
    load: Load,
    out: String,
    strict: bool,
    page: bool,
}

fn options() -> Result<Options> {
    let mut options = Options {
        plan: Plan {
            binary: std::env::current_exe()?.with_file_name("iotedge-gateway"),
            devices: 200,
            validators: 1,
            period: 8_000,
            window: 65_536,
            durability: "process".into(),
        },
        load: Load {
            transactions: 60_000,
            burst: 4,
            in_flight: 64,
            places: 0,
            seconds: 120,
            young: 10_000,
        },
        out: "out/bench.json".into(),
        strict: false,
        page: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--strict" => options.strict = true,
            "--page" => options.page = true,
            _ => {
                let value = arguments
                    .next()
                    .with_context(|| format!("{flag}: a value"))?;
                let number = || {
                    value
                        .parse::<u64>()
                        .with_context(|| format!("{flag} {value}"))
                };
                match flag.as_str() {
                    "--gateway" => options.plan.binary = std::path::absolute(&value)?,
                    "--out" => options.out = value,
                    "--durability" => options.plan.durability = value,
                    "--devices" => options.plan.devices = u16::try_from(number()?)?,
                    "--validators" => options.plan.validators = u16::try_from(number()?)?,
                    "--period" => options.plan.period = number()?,
                    "--window" => options.plan.window = u32::try_from(number()?)?,
                    "--transactions" => options.load.transactions = number()?,
                    "--burst" => options.load.burst = u32::try_from(number()?)?,
                    "--places" => options.load.places = usize::try_from(number()?)?,
                    "--in-flight" => options.load.in_flight = usize::try_from(number()?)?,
                    "--seconds" => options.load.seconds = number()?,
                    _ => bail!("{flag} is not known"),
                }
            }
        }
    }
    if options.load.places == 0 {
        // The rule of docs/decisions/0012: all of them together fill half of the window.
        let each = options.plan.window / (2 * u32::from(options.plan.devices.max(1)));
        options.load.places = each as usize;
    }
    Ok(options)
}

fn run() -> Result<bool> {
    let options = options()?;
    eprintln!(
        "gateway_load: starting a gateway and {} validators",
        options.plan.validators
    );
    let world = World::start(&options.plan)?;
    let crowd = Crowd::enrol(&world, &options.plan)?;
    eprintln!("gateway_load: {} devices enrolled", options.plan.devices);
    let outcome = crowd.run(&world, &options.load)?;
    let logs = world.logs();
    drop(world);
    let (single, batched) = bare(&outcome.samples);
    let figures = figures(&outcome, single, batched);
    let missed = print(&figures);
    let refused: Vec<String> = outcome
        .refused
        .iter()
        .map(|(r, n)| format!("{r} {n}"))
        .collect();
    println!(
        "{} devices, T {} ms, window {}, durability {:?}; refused: {}; sent again: {}",
        options.plan.devices,
        options.plan.period,
        options.plan.window,
        options.plan.durability,
        if refused.is_empty() {
            "nothing".into()
        } else {
            refused.join(", ")
        },
        outcome.counts.repeated,
    );
    if options.page {
        let pages = std::iter::once(&outcome.page).chain(&outcome.followers);
        for line in pages
            .flat_map(|page| page.lines())
            .filter(|l| l.starts_with("iotedge_") && !l.ends_with(" 0"))
        {
            println!("{line}");
        }
        println!("{logs}");
    }
    let about = json!({
        "devices": options.plan.devices, "validators": options.plan.validators, "period_ms": options.plan.period,
        "window": options.plan.window, "durability": options.plan.durability, "burst": options.load.burst,
        "course": outcome.course, "in_flight": options.load.in_flight, "places": options.load.places, "transactions": outcome.accepted, "seconds": outcome.seconds,
        "refused": outcome.refused.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
    });
    merge(&options.out, &figures, ("gateway_load", about)).with_context(|| options.out.clone())?;
    println!("merged into {}", options.out);
    Ok(!options.strict || missed == 0)
}

fn figures(outcome: &Outcome, single: f64, batched: f64) -> Vec<Figure> {
    let rate = outcome.accepted / outcome.seconds;
    let at = |part: f64| {
        let place = (outcome.latencies.len() as f64 * part) as usize;
        outcome.latencies.get(place).copied().unwrap_or(f64::NAN) * 1e3
    };
    let told = |what, value, unit| Figure {
        what,
        value,
        unit,
        ceiling: Ceiling::Told,
    };
    let (young, end, most) = outcome.resident;
    let accepted = outcome.accepted.max(1.0);
    // With others on the machine the rate above says how little of it was left; CPU time does not care.
    let own = outcome.accepted / (outcome.cpu.0 * outcome.seconds);
    let commits = metric(&outcome.page, "iotedge_store_commits_total").max(1.0);
    let batched_checks = metric(&outcome.page, "iotedge_signatures_batched_total");
    let single_checks = metric(&outcome.page, "iotedge_signatures_single_total");
    let full = outcome.accepted >= 1_000_000.0;
    vec![
        told("gateway: transactions accepted", outcome.accepted, ""),
        told(
            "gateway: accepted per second, devices on the same cores",
            rate,
            "1/s",
        ),
        told("gateway: acknowledged durably, p50", at(0.50), "ms"),
        told("gateway: acknowledged durably, p99", at(0.99), "ms"),
        told("bare loop of single checks, one core", single, "1/s"),
        told("bare loop of batched checks, one core", batched, "1/s"),
        told("gateway over bare single checks", rate / single, "ratio"),
        told("gateway over bare batched checks", rate / batched, "ratio"),
        told(
            "gateway: accepted per second of its own CPU time",
            own,
            "1/s",
        ),
        told("the same over bare single checks", own / single, "ratio"),
        told("the same over bare batched checks", own / batched, "ratio"),
        told(
            "processes that wanted a core at the end",
            load_average(),
            "",
        ),
        told("gateway: share of a core", outcome.cpu.0 * 100.0, "percent"),
        told(
            "validators: share of a core",
            outcome.cpu.1 * 100.0,
            "percent",
        ),
        told(
            "200 devices: share of a core",
            outcome.cpu.2 * 100.0,
            "percent",
        ),
        told("gateway: transactions per commit", accepted / commits, ""),
        told(
            "parents besides the own, per transaction",
            outcome.counts.tips as f64 / accepted,
            "",
        ),
        told("gateway: headers settled under load", outcome.headers, ""),
        told(
            "gateway: signatures in a batch, mean",
            metric(&outcome.page, "iotedge_batch_size_sum")
                / metric(&outcome.page, "iotedge_batch_size_count").max(1.0),
            "",
        ),
        told(
            "gateway: signatures checked in batches",
            100.0 * batched_checks / (batched_checks + single_checks).max(1.0),
            "percent",
        ),
        told(
            "gateway: transactions held back for a while",
            metric(&outcome.page, "iotedge_held_total"),
            "",
        ),
        told(
            "gateway: settled per second",
            metric(&outcome.page, "iotedge_settled_total") / outcome.seconds,
            "1/s",
        ),
        told(
            "gateway: settled or still to be, of all accepted",
            100.0
                * (metric(&outcome.page, "iotedge_settled_total")
                    + metric(&outcome.page, "iotedge_window_unsettled"))
                .min(accepted)
                / accepted,
            "percent",
        ),
        Figure {
            what: "gateway: everything unsettled is in the window",
            value: settled(outcome),
            unit: "",
            ceiling: Ceiling::AtLeast(1.0),
        },
        told("gateway: RAM after 10^4", young / 1024.0, "MiB"),
        told(
            "gateway: RAM after 10^5",
            outcome.grown.unwrap_or(end) / 1024.0,
            "MiB",
        ),
        told("gateway: RAM at the end", end / 1024.0, "MiB"),
        told("gateway: most RAM seen", most / 1024.0, "MiB"),
        told(
            "a validator: RAM after 10^4",
            outcome.validator.0 / 1024.0,
            "MiB",
        ),
        told(
            "a validator: RAM at the end",
            outcome.validator.1 / 1024.0,
            "MiB",
        ),
        Figure {
            what: if full {
                "gateway: RAM after 10^6 over after 10^4"
            } else {
                "gateway: RAM at the end over after 10^4 (short run)"
            },
            value: end / young,
            unit: "ratio",
            ceiling: Ceiling::Within(0.95, 1.05),
        },
    ]
}

/// Whether settlement kept up: 1 where what is unsettled at the end fits the window, 0 where the newest epoch can never be closed.
fn settled(outcome: &Outcome) -> f64 {
    let unsettled = metric(&outcome.page, "iotedge_window_unsettled");
    f64::from(u8::from(
        outcome.headers > 0.0 && unsettled < outcome.window,
    ))
}

/// What the kernel calls the load average of the last minute: ours is about one where the machine is otherwise idle.
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_ascii_whitespace().next();
    first.and_then(|n| n.parse().ok()).unwrap_or(f64::NAN)
}

/// Checks per second of the same signatures in a bare loop: one by one, and in batches.
fn bare(samples: &[Signed]) -> (f64, f64) {
    let rate = |mut check: Box<dyn FnMut() + '_>| {
        check();
        let (begin, start) = (Instant::now(), thread_nanos());
        let mut rounds = 0.0;
        while begin.elapsed().as_secs_f64() < 1.0 {
            check();
            rounds += 1.0;
        }
        rounds * samples.len() as f64 / (thread_nanos() - start) * 1e9
    };
    let single = rate(Box::new(|| {
        for (key, message, signature) in samples {
            assert!(Software.verify(key, message, signature).is_ok());
        }
    }));
    let mut rng = StdRng::seed_from_u64(1);
    let batched = rate(Box::new(move || {
        for part in samples.chunks(BATCH) {
            let mut batch = Batch::new();
            for (key, message, signature) in part {
                batch.push(key, message, signature);
            }
            assert!(batch.verify(&mut rng).iter().all(Result::is_ok));
        }
    }));
    (single, batched)
}
