//! `iotedge-bench`: every figure of speed and size beside its ceiling, as a table and in `out/bench.json`.
//!
//!     iotedge-bench [--strict] [--out out/bench.json]     the table; --strict fails on a missed figure
//!     iotedge-bench --only windows [...]                  one part of it: signatures, link, channels, sales, settlement, windows or instructions
//!     iotedge-bench --settled 100000 [...]                replays an epoch of so many transactions
//!     iotedge-bench --one NAME COUNT                      runs one operation, for an instruction counter

use iotedge_bench::channel::{self, Messages, Revokes};
use iotedge_bench::figure::{Ceiling, Figure, print};
use iotedge_bench::interleave::interleave;
use iotedge_bench::link::OnTheLink;
use iotedge_bench::transfer::{Many, Transfer};
use iotedge_bench::window::Neighbourhood;
use iotedge_bench::{sale, settlement};
use serde_json::{Value, json};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value_of = |flag: &str| {
        arguments
            .iter()
            .position(|a| a == flag)
            .and_then(|i| arguments.get(i + 1))
    };
    if let Some(name) = value_of("--one") {
        let count = arguments
            .last()
            .and_then(|count| count.parse().ok())
            .unwrap_or(1);
        return run_one(name, count);
    }
    let strict = arguments.iter().any(|a| a == "--strict");
    let out = value_of("--out").map_or("out/bench.json", String::as_str);

    let settled = value_of("--settled").map_or(Ok(100_000), |count| count.parse());
    let Ok(settled @ 1..) = settled else {
        eprintln!("bench: --settled takes how many transactions are replayed");
        return ExitCode::FAILURE;
    };

    let mut figures = Vec::new();
    let only = value_of("--only");
    let wanted = |part| only.is_none_or(|only| only == part);
    let mut verify_nanos = None;
    if wanted("signatures") {
        eprintln!("bench: signatures and transfers");
        signatures(&mut figures);
    }
    if wanted("link") {
        eprintln!("bench: the link");
        link(&mut figures);
    }
    if wanted("channels") {
        eprintln!("bench: channels");
        channel::figures(&mut figures);
    }
    if wanted("sales") {
        eprintln!("bench: sales");
        sale::figures(&mut figures);
    }
    if wanted("settlement") {
        eprintln!("bench: settlement");
        settlement::figures(settled, &mut figures);
    }
    if wanted("windows") {
        eprintln!("bench: the window");
        verify_nanos = Some(windows(&mut figures));
    }
    if wanted("instructions") {
        eprintln!("bench: instruction counts");
        instructions(&mut figures);
    }
    if figures.is_empty() {
        eprintln!(
            "bench: --only takes signatures, link, channels, sales, settlement, windows or instructions"
        );
        return ExitCode::FAILURE;
    }

    let missed = print(&figures);
    let list: Vec<Value> = figures.iter().map(Figure::json).collect();
    let document = json!({"figures": list, "missed": missed, "signature_check_ns": verify_nanos});
    if let Err(error) = std::fs::write(out, format!("{document:#}\n")) {
        eprintln!("bench: {out}: cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    println!("written to {out}");
    match strict && missed > 0 {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

fn link(figures: &mut Vec<Figure>) {
    let transfer = Transfer::default();
    let mut transfers = OnTheLink::transfer();
    let mut again = OnTheLink::transfer();
    let mut whole = OnTheLink::longest();
    let turns = interleave(
        250,
        8,
        &mut [
            &mut || transfer.bare_verify(),
            &mut || transfers.compress(),
            &mut || again.decompress(),
            &mut || whole.carry(),
        ],
    );
    let mut told = |what, value, unit, ceiling| {
        figures.push(Figure {
            what,
            value,
            unit,
            ceiling,
        });
    };
    told(
        "compress a transfer over the bare check",
        turns.ratio(1, 0),
        "ratio",
        Ceiling::AtMost(0.10),
    );
    told(
        "rebuild a transfer over the bare check",
        turns.ratio(2, 0),
        "ratio",
        Ceiling::AtMost(0.10),
    );
    told(
        "1400 bytes in 29 fragments and together again over the bare check",
        turns.ratio(3, 0),
        "ratio",
        Ceiling::Told,
    );
    told(
        "a transfer in step on the link",
        transfers.packed_bytes() as f64,
        "bytes",
        Ceiling::AtMost(102.0),
    );
    for (what, bytes) in OnTheLink::memory() {
        told(what, bytes as f64, "bytes", Ceiling::Told);
    }
}

fn signatures(figures: &mut Vec<Figure>) {
    let transfer = Transfer::default();
    let turns = interleave(
        250,
        8,
        &mut [
            &mut || transfer.bare_sign(),
            &mut || transfer.create(),
            &mut || transfer.bare_verify(),
            &mut || transfer.verify(),
        ],
    );
    let mut told = |what, value, unit, ceiling| {
        figures.push(Figure {
            what,
            value,
            unit,
            ceiling,
        });
    };
    told(
        "bare Ed25519 signature",
        turns.nanos(0) / 1e3,
        "us",
        Ceiling::Told,
    );
    told(
        "bare Ed25519 check",
        turns.nanos(2) / 1e3,
        "us",
        Ceiling::Told,
    );
    told(
        "create a transfer over the bare signature",
        turns.ratio(1, 0),
        "ratio",
        Ceiling::AtMost(1.10),
    );
    told(
        "verify a transfer over the bare check",
        turns.ratio(3, 2),
        "ratio",
        Ceiling::AtMost(1.10),
    );
    told(
        "a transfer on the wire",
        transfer.frame_bytes() as f64,
        "bytes",
        Ceiling::AtMost(160.0),
    );
    told(
        "a reading with one value on the wire",
        transfer.reading_bytes() as f64,
        "bytes",
        Ceiling::AtMost(190.0),
    );

    let mut many = Many::new(255);
    assert_eq!(many.singly(), many.batched(), "verdicts differ");
    let singly = Many::new(255);
    let turns = interleave(
        25,
        1,
        &mut [
            &mut || assert!(singly.singly().iter().all(Result::is_ok)),
            &mut || {
                assert!(many.batched().iter().all(Result::is_ok));
            },
        ],
    );
    let count = many.len() as f64;
    told(
        "single checks per second and core",
        count / turns.nanos(0) * 1e9,
        "1/s",
        Ceiling::Told,
    );
    told(
        "batched checks per second and core (255 keys)",
        count / turns.nanos(1) * 1e9,
        "1/s",
        Ceiling::Told,
    );
    told(
        "batched over single rate",
        turns.ratio(0, 1),
        "ratio",
        Ceiling::AtLeast(2.5),
    );
    let mut spoilt = Many::new(255);
    spoilt.spoil(50);
    assert_eq!(spoilt.singly(), spoilt.batched(), "verdicts differ");
}

/// Returns the median time of a signature check.
fn windows(figures: &mut Vec<Figure>) -> f64 {
    let transfer = Transfer::default();
    let mut check = 0.0;
    for (capacity, followed, ratio, share, ceiling) in [
        (
            256,
            0,
            "insert + select, window 256, none followed: after 10^6 over after 10^3",
            "insert + select, window 256, none followed, over one signature check",
            Ceiling::AtMost(2.0),
        ),
        (
            256,
            62,
            "insert + select, window 256, 62 followed: after 10^6 over after 10^3",
            "insert + select, window 256, 62 followed, over one signature check",
            Ceiling::AtMost(2.0),
        ),
        (
            4096,
            62,
            "insert + select, window 4096, 62 followed: after 10^6 over after 10^3",
            "insert + select, window 4096, 62 followed, over one signature check",
            Ceiling::Told,
        ),
    ] {
        let mut young = grown(capacity, followed, 1_000);
        let mut old = grown(capacity, followed, 1_000_000);
        let ages = interleave(2_000, 20, &mut [&mut || young.step(), &mut || old.step()]);
        let checks = interleave(
            200,
            20,
            &mut [&mut || old.step(), &mut || transfer.bare_verify()],
        );
        check = checks.nanos(1);
        figures.push(Figure {
            what: ratio,
            value: ages.ratio(1, 0),
            unit: "ratio",
            ceiling: Ceiling::Within(0.9, 1.1),
        });
        figures.push(Figure {
            what: share,
            value: checks.ratio(0, 1) * 100.0,
            unit: "percent",
            ceiling,
        });
    }
    let mut full = grown(256, 0, 1_000);
    assert_eq!(full.confidences(), 256, "the window is not full");
    let turns = interleave(
        60,
        10,
        &mut [&mut || assert_eq!(full.confidences(), 256), &mut || {
            transfer.bare_verify()
        }],
    );
    figures.push(Figure {
        what: "exact confidence of a full window of 256 over one check",
        value: turns.ratio(0, 1),
        unit: "ratio",
        ceiling: Ceiling::AtMost(1.0),
    });
    check
}

/// A full window after `transactions` more.
fn grown(capacity: usize, followed: usize, transactions: u32) -> Neighbourhood {
    let mut neighbourhood = Neighbourhood::new(capacity, followed);
    for _ in 0..capacity as u32 + transactions {
        neighbourhood.step();
    }
    // What is followed is under way: else nothing is measured.
    assert!(followed == 0 || neighbourhood.quorums() > u64::from(transactions) / 8);
    neighbourhood
}

/// Names that `--one` knows, and what the table calls their instruction counts.
const COUNTED: [(&str, &str); 11] = [
    ("bare-sign", "instructions: bare signature"),
    ("create", "instructions: create a transfer"),
    ("bare-verify", "instructions: bare check"),
    ("verify", "instructions: verify a transfer"),
    (
        "step",
        "instructions: insert + select, window 256, none followed",
    ),
    (
        "step-62",
        "instructions: insert + select, window 256, 62 followed",
    ),
    ("confidence", "instructions: exact confidence, window 256"),
    ("bare-seal", "instructions: bare AEAD, seal 256 bytes"),
    ("seal", "instructions: seal 256 bytes in a channel"),
    ("bare-open", "instructions: bare AEAD, open 256 bytes"),
    ("open", "instructions: open 256 bytes of a channel"),
];

fn run_one(name: &str, count: u32) -> ExitCode {
    let transfer = Transfer::default();
    let mut operation: Box<dyn FnMut()> = match name {
        "bare-sign" => Box::new(move || transfer.bare_sign()),
        "create" => Box::new(move || transfer.create()),
        "bare-verify" => Box::new(move || transfer.bare_verify()),
        "verify" => Box::new(move || transfer.verify()),
        "step" => {
            let mut neighbourhood = grown(256, 0, 1_000);
            Box::new(move || neighbourhood.step())
        }
        "step-62" => {
            let mut neighbourhood = grown(256, 62, 1_000);
            Box::new(move || neighbourhood.step())
        }
        "confidence" => {
            let mut neighbourhood = grown(256, 0, 1_000);
            Box::new(move || assert_eq!(neighbourhood.confidences(), 256))
        }
        "bare-seal" | "seal" | "bare-open" | "open" => {
            let mut messages = Messages::new(256);
            match name {
                "bare-seal" => Box::new(move || messages.bare_seal()),
                "seal" => Box::new(move || messages.seal()),
                "bare-open" => Box::new(move || messages.bare_open()),
                _ => {
                    messages.send();
                    Box::new(move || messages.open())
                }
            }
        }
        // Not in the table, which is long enough: docs/decisions/0033 has them.
        "revoke-2" | "revoke-16" | "revoke-128" => {
            let readers = name.trim_start_matches("revoke-").parse();
            let mut revokes = Revokes::new(readers.expect("a number"));
            Box::new(move || revokes.rekey())
        }
        _ => {
            eprintln!(
                "bench: no operation {name:?}; there are {:?}",
                COUNTED.map(|(name, _)| name)
            );
            return ExitCode::FAILURE;
        }
    };
    (0..count).for_each(|_| operation());
    ExitCode::SUCCESS
}

/// Instructions per call by callgrind: the difference of two runs, so that the start costs nothing. Left out without valgrind.
fn instructions(figures: &mut Vec<Figure>) {
    let mut counts = [0.0; COUNTED.len()];
    for (count, (name, what)) in counts.iter_mut().zip(COUNTED) {
        let (Some(few), Some(many)) = (callgrind(name, 10), callgrind(name, 60)) else {
            eprintln!("bench: no instruction counts: valgrind is not here or cannot run this");
            return;
        };
        *count = (many - few) / 50.0;
        figures.push(Figure {
            what,
            value: *count,
            unit: "instructions",
            ceiling: Ceiling::Told,
        });
    }
    let [
        bare_sign,
        create,
        bare_verify,
        verify,
        step,
        step_62,
        confidence,
        bare_seal,
        seal,
        bare_open,
        open,
    ] = counts;
    for (what, value, unit, most) in [
        (
            "create over bare signature, by instructions",
            create / bare_sign,
            "ratio",
            1.10,
        ),
        (
            "verify over bare check, by instructions",
            verify / bare_verify,
            "ratio",
            1.10,
        ),
        (
            "insert + select, window 256, none followed, over one check, by instructions",
            step / bare_verify * 100.0,
            "percent",
            2.0,
        ),
        (
            "insert + select, window 256, 62 followed, over one check, by instructions",
            step_62 / bare_verify * 100.0,
            "percent",
            2.0,
        ),
        (
            "exact confidence over one check, by instructions",
            confidence / bare_verify,
            "ratio",
            1.0,
        ),
        (
            "seal 256 bytes in a channel over the bare AEAD, by instructions",
            seal / bare_seal,
            "ratio",
            1.15,
        ),
        (
            "open 256 bytes of a channel over the bare AEAD, by instructions",
            open / bare_open,
            "ratio",
            1.15,
        ),
    ] {
        figures.push(Figure {
            what,
            value,
            unit,
            ceiling: Ceiling::AtMost(most),
        });
    }
}

/// Instructions that one run took.
fn callgrind(name: &str, count: u32) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args(["--one", name, &count.to_string()])
        .output()
        .ok()?;
    let log = String::from_utf8(output.stderr).ok()?;
    let line = log.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}
