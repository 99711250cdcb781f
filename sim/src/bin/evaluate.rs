//! Runs the evaluation; `ci/evaluate` builds and starts it. Exit status 0 only if nothing is stale and every claim is as the page says.

use clap::Parser;
use iotedge_sim::evaluate::store::{Store, as_stored, differences};
use iotedge_sim::evaluate::{Claim, Mode, SECTIONS, Section, find, scale};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Makes docs/evaluation.md with its results and plots, or checks them.
#[derive(Parser, Debug)]
#[command(version, about)]
struct Arguments {
    /// Runs the short part again and compares it, the page and the plots with what is committed; writes nothing
    #[arg(long)]
    short: bool,
    /// Takes the results from the folder as they are and writes only the page and the plots
    #[arg(long, conflicts_with = "short")]
    page: bool,
    /// Makes the one run that takes an hour, a thousand members for a day, puts it into the results of `scale`, and writes the page
    #[arg(long, conflicts_with_all = ["short", "page"])]
    long: bool,
    /// Runs COUNT transactions through one strategy of the comparison, for an instruction counter
    #[arg(long, num_args = 2, value_names = ["NAME", "COUNT"], hide = true)]
    one: Option<Vec<String>>,
    /// The folder with evaluation.md
    #[arg(long, default_value = "docs")]
    docs: PathBuf,
    /// Sections; all without any
    sections: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([name, count]) = arguments.one.as_deref() {
        let count = count.parse().unwrap_or(0);
        return match iotedge_sim::baseline::instructions::one(name, count) {
            Some(touched) => {
                println!("{touched}");
                ExitCode::SUCCESS
            }
            None => ExitCode::from(2),
        };
    }
    if !iotedge_sim::baseline::METERED {
        eprintln!(
            "error: built without the counters of the core: run ci/evaluate, or build with --features meter"
        );
        return ExitCode::from(2);
    }
    let mut chosen: Vec<&Section> = Vec::new();
    for name in &arguments.sections {
        let Some(section) = find(name) else {
            let known: Vec<&str> = SECTIONS.iter().map(|s| s.name).collect();
            eprintln!("error: no section {name}; there are {}", known.join(", "));
            return ExitCode::from(2);
        };
        chosen.push(section);
    }
    if chosen.is_empty() {
        chosen.extend(SECTIONS);
    }
    let store = Store::new(&arguments.docs);
    let problems = if arguments.short {
        check(&store, &chosen)
    } else if arguments.long {
        lengthen(&store).and_then(|()| write(&store, &chosen, true))
    } else {
        write(&store, &chosen, arguments.page)
    };
    match problems {
        Ok(0) => ExitCode::SUCCESS,
        Ok(count) => {
            eprintln!("evaluation: {count} problems");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints the claims; returns how many are not as the page may say.
fn judge(section: &Section, mode: Mode, claims: &[Claim]) -> usize {
    let mut bad = 0;
    for claim in claims {
        let verdict = match (claim.holds, claim.acceptable()) {
            (true, true) => "held",
            (false, true) => "missed, as the page says",
            (true, false) => "HELD, though the page calls it missed: take the excuse out",
            (false, false) => "MISSED",
        };
        println!(
            "{} ({}): {verdict}: {} [{}]",
            section.name,
            mode.key(),
            claim.sentence,
            claim.figures
        );
        bad += usize::from(!claim.acceptable());
    }
    bad
}

fn check(store: &Store, chosen: &[&Section]) -> std::io::Result<usize> {
    let mut problems = 0;
    for section in chosen {
        let begin = Instant::now();
        let committed = store.results(section)?;
        let now = as_stored(&(section.run)(Mode::Short));
        for difference in differences(&committed[Mode::Short.key()], &now) {
            println!("{}: {difference}", section.name);
            problems += 1;
        }
        problems += judge(section, Mode::Short, &(section.claims)(&now, Mode::Short));
        let full = &committed[Mode::Full.key()];
        problems += judge(section, Mode::Full, &(section.claims)(full, Mode::Full));
        println!("{}: {:.1} s", section.name, begin.elapsed().as_secs_f64());
    }
    let all = full_results(store);
    for name in store.stale(&Store::files(&all)) {
        println!("docs/{name} is not what its results make: run ci/evaluate --page");
        problems += 1;
    }
    Ok(problems)
}

/// Makes the long run again.
fn lengthen(store: &Store) -> std::io::Result<()> {
    let mut committed = store.results(&scale::SECTION)?;
    let (short, mut full) = (
        committed[Mode::Short.key()].take(),
        committed[Mode::Full.key()].take(),
    );
    scale::run_long(&mut full);
    store.write_results(&scale::SECTION, short, full)
}

fn full_results(store: &Store) -> Vec<(&'static Section, serde_json::Value)> {
    store
        .all()
        .into_iter()
        .map(|(section, mut results)| (section, results[Mode::Full.key()].take()))
        .collect()
}

fn write(store: &Store, chosen: &[&Section], page_only: bool) -> std::io::Result<usize> {
    let mut problems = 0;
    for section in chosen {
        if !page_only {
            let begin = Instant::now();
            eprintln!("{}: short run", section.name);
            let short = (section.run)(Mode::Short);
            eprintln!("{}: full run", section.name);
            let full = (section.run)(Mode::Full);
            problems += judge(section, Mode::Short, &(section.claims)(&short, Mode::Short));
            store.write_results(section, short, full)?;
            eprintln!("{}: {:.0} s", section.name, begin.elapsed().as_secs_f64());
        }
        let full = &store.results(section)?[Mode::Full.key()];
        problems += judge(section, Mode::Full, &(section.claims)(full, Mode::Full));
    }
    store.write_files(&Store::files(&full_results(store)))?;
    println!("written: docs/evaluation.md and docs/evaluation/");
    Ok(problems)
}
