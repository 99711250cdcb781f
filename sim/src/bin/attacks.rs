//! The long parts of the section `attacks`, made by hand and in parts, one JSON value a line.
//!
//! - `attacks bound FROM TO`: the seeds of the bound from FROM up to, and without, TO.
//! - `attacks share MEMBERS SEEDS`: from which number of guilty on so many members lose it.
//! - `attacks rules`: each attack with its rule and without; `attacks rules --check` compares with what is committed. Needs a build by `ci/attacks`.
//! - `attacks keep FILE...`: puts such lines into the committed results. Then `ci/evaluate --page`.

use iotedge_sim::evaluate::attacks::bound::{bound, share};
use iotedge_sim::evaluate::attacks::section::SECTION;
use iotedge_sim::evaluate::store::Store;
use serde_json::Value;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| arguments.get(i).and_then(|a| a.parse::<u64>().ok());
    let result = match (arguments.first().map(String::as_str), number(1), number(2)) {
        (Some("bound"), Some(from), Some(to)) => Ok(Some(bound(from, to))),
        (Some("share"), Some(members), Some(seeds)) => Ok(Some(share(members as u16, seeds))),
        (Some("rules"), ..) => rules(arguments.get(1).is_some_and(|a| a == "--check")),
        (Some("keep"), ..) => keep(&arguments[1..]).map(|()| None),
        _ => Err(
            "usage: attacks bound FROM TO | share MEMBERS SEEDS | rules [--check] | keep FILE..."
                .into(),
        ),
    };
    match result {
        Ok(result) => {
            if let Some(result) = result {
                println!("{result}");
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn committed() -> Result<Value, String> {
    let results = Store::here().results(&SECTION);
    results.map_err(|e| e.to_string())
}

fn keep(files: &[String]) -> Result<(), String> {
    let (mut parts, mut shares, mut rules) = (Vec::new(), Vec::new(), None);
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|e| format!("{file}: {e}"))?;
        for line in text.lines().filter(|line| line.starts_with(['{', '['])) {
            let value: Value = serde_json::from_str(line).map_err(|e| format!("{file}: {e}"))?;
            match &value {
                Value::Array(_) => rules = Some(value),
                part if part.get("from").is_some() => parts.push(value),
                _ => shares.push(value),
            }
        }
    }
    parts.sort_by_key(|part| part["from"].as_u64());
    if parts
        .windows(2)
        .any(|two| two[0]["to"].as_u64() > two[1]["from"].as_u64())
    {
        return Err("parts of the bound overlap".into());
    }
    shares.sort_by_key(|row| row["members"].as_u64());
    let mut all = committed()?;
    let (short, mut full) = (all["short"].take(), all["full"].take());
    for (key, values) in [("bound", parts), ("share", shares)] {
        if !values.is_empty() {
            full[key] = values.into();
        }
    }
    if let Some(rules) = rules {
        full["rules"] = rules;
    }
    Store::here()
        .write_results(&SECTION, short, full)
        .map_err(|e| e.to_string())
}

#[cfg(iotedge_rules_off)]
fn rules(check: bool) -> Result<Option<Value>, String> {
    let table = iotedge_sim::evaluate::attacks::rules::table();
    if !check {
        return Ok(Some(table));
    }
    let all = committed()?;
    let differences = iotedge_sim::evaluate::store::differences(&all["full"]["rules"], &table);
    if differences.is_empty() {
        let rules = table.as_array().map_or(0, Vec::len);
        println!("{rules} rules, each attack as committed");
        return Ok(None);
    }
    Err(format!(
        "not what is committed: ci/attacks --write\n{}",
        differences.join("\n")
    ))
}

#[cfg(not(iotedge_rules_off))]
fn rules(_: bool) -> Result<Option<Value>, String> {
    Err("this build cannot run without a rule: use ci/attacks".into())
}
