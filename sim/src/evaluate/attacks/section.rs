//! Results, claims and page of the section `attacks`.

use super::{bound, fragments, strength};
use crate::evaluate::number::{at, human};
use crate::evaluate::store::Store;
use crate::evaluate::{Claim, Mode, Page, Section};
use serde_json::{Value, json};

/// See [`crate::evaluate::SECTIONS`].
pub const SECTION: Section = Section {
    name: "attacks",
    title: "Attackers: what they cost, the bound of a third, and what each rule is for",
    run: results,
    claims,
    page,
};

/// Runs of the bound in short mode.
const SHORT_RUNS: u64 = 30;

/// Seeds that are tried until three of seven break it.
const TRIED: u64 = 100;

fn results(mode: Mode) -> Value {
    let attacks = strength::ATTACKS.iter();
    let attacks: Vec<Value> = attacks
        .filter(|attack| mode == Mode::Full || attack.short)
        .map(strength::measure)
        .collect();
    let storms: Vec<Value> = [0, 10, 100].into_iter().map(fragments::storm).collect();
    let undone = |seed| bound::Case::with(seed, 7, 3, false, true).run().undone;
    let (seed, beyond) = (1..=TRIED)
        .map(|seed| (seed, undone(seed)))
        .find(|(_, undone)| *undone > 0)
        .unzip();
    let beyond = beyond.unwrap_or(0);
    let mut out =
        json!({ "attacks": attacks, "storms": storms, "beyond": beyond, "beyond_seed": seed });
    match mode {
        Mode::Short => out["bound"] = json!([bound::bound(0, SHORT_RUNS)]),
        Mode::Full => {
            let mut kept = Store::here().kept(&SECTION);
            for key in ["bound", "share", "rules"] {
                out[key] = kept.remove(key).unwrap_or_default();
            }
        }
    }
    out
}

fn list<'v>(results: &'v Value, key: &str) -> &'v [Value] {
    results[key].as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or(0)
}

fn total(parts: &[Value], key: &str) -> u64 {
    parts.iter().map(|part| number(part, key)).sum()
}

fn broken(parts: &[Value]) -> usize {
    let each = parts.iter().map(|part| list(part, "broken").len());
    each.sum()
}

fn runs(parts: &[Value]) -> u64 {
    total(parts, "to") - total(parts, "from")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or("")
}

/// Above a third of the weight in guilty or silent hands.
fn beyond(attack: &Value) -> bool {
    text(attack, "strength").starts_with("4 of 10")
}

fn claims(results: &Value, mode: Mode) -> Vec<Claim> {
    let attacks = list(results, "attacks");
    let below: Vec<&Value> = attacks.iter().filter(|a| !beyond(a)).collect();
    let undone: u64 = below.iter().map(|a| number(a, "undone")).sum();
    let parts = list(results, "bound");
    let mut claims = vec![
        Claim::new(
            "No attack by less than a third of the weight undid what had its Quorum at an honest node, or made or lost value.",
            format!("{} attacks, {undone} undone", below.len().saturating_sub(1)),
            undone == 0 && below.len() > 5,
        ),
        Claim::new(
            "Three of seven with two chains each, and the network in their hands, do undo it (the first seed that does): the bound is real.",
            format!(
                "seed {}: {} undone",
                number(results, "beyond_seed"),
                number(results, "beyond")
            ),
            number(results, "beyond") > 0,
        ),
        Claim::new(
            "Below a third guilty nothing that had its Quorum was undone, in any run of the bound.",
            format!(
                "{} runs, {} Quorums, {} headers, {} broken",
                runs(parts),
                total(parts, "quorums"),
                total(parts, "headers"),
                broken(parts)
            ),
            broken(parts) == 0 && runs(parts) >= if mode == Mode::Full { 10_000 } else { 30 },
        ),
        Claim::new(
            "A storm of fragments from one neighbour costs another's datagrams nothing.",
            "all of 200 arrive at 0, 10 and 100 fragments of the storm to one",
            list(results, "storms")
                .iter()
                .all(|s| number(s, "came") == number(s, "sent")),
        ),
    ];
    if mode == Mode::Full {
        let shares = list(results, "share");
        let least = shares.iter().filter_map(least_share).min_by(f64::total_cmp);
        let least = least.unwrap_or(0.0);
        claims.push(Claim::new(
            "The least share of guilty that broke it is above one third.",
            format!("{least:.1} %"),
            least > 100.0 / 3.0 && least < 39.0,
        ));
        let rules = list(results, "rules");
        let tried = rules.iter().filter(|r| !r["on"].is_null());
        let good = tried
            .clone()
            .filter(|r| r["off"]["harmed"] == true && r["on"]["harmed"] == false);
        let (tried, good) = (tried.count(), good.count());
        claims.push(Claim::new(
            "Each attack that was found against a rule does harm with the rule switched off, and none with it on.",
            format!("{good} of {tried} attacks; {} rules without one are listed", rules.len() - tried),
            good == tried && tried > 20,
        ));
    }
    claims
}

/// The share at which so many members lost it, in percent.
fn least_share(row: &Value) -> Option<f64> {
    let tried = list(row, "tried").last()?;
    let found = number(tried, "broken") > 0;
    found.then(|| 100.0 * number(tried, "guilty") as f64 / number(row, "members") as f64)
}

fn page(results: &Value, page: &mut Page) {
    page.text(
        "Ten members (the GL-node and nine devices) and four validators, every node the real core, T = 2 s, two transactions a second each, links of 2 to \
         20 ms, 12 s of traffic, one seed. `Quorum`, dead, receipts: of the honest devices' own transactions. Bytes and checks: received, and signature \
         checks asked for, per honest device and second. \"Undone\": what had its `Quorum` at an honest node and was rivalled, died or is missing in its \
         header, and value that appears. \"Other\": what else the simulator's invariants held against the run; where an attacker makes a promise void, \
         docs/threat-model.md says which remain.",
    );
    let rows: Vec<Vec<String>> = list(results, "attacks")
        .iter()
        .map(|a| {
            let n = |key: &str| human(number(a, key) as f64);
            vec![
                text(a, "name").into(),
                text(a, "strength").into(),
                n("undone"),
                (number(a, "violations") - number(a, "undone")).to_string(),
                format!("{} of {}", n("quorums"), n("sent")),
                format!("{} / {}", n("ms_50"), n("ms_95")),
                n("dead"),
                n("headers"),
                n("bytes"),
                n("checks"),
                n("frozen"),
            ]
        })
        .collect();
    page.table(
        &[
            "attack",
            "strength",
            "undone",
            "other",
            "Quorum",
            "ms to it, 50 / 95 %",
            "dead",
            "headers",
            "bytes/s",
            "checks/s",
            "freezes told",
        ],
        &rows,
    );
    page.text(
        "**The bound.** 4 to 12 members, epochs of 2 s; as many guilty as stay below a third. Each guilty member runs two real nodes with one key (\"twins\"), \
         and while the network is split into two halves by one or two walls of drawn length each half hears one of them: they approve, pay, and (every third \
         run) trim on both sides. In half of the runs the halves are even and the guilty do their best; in the others they hold frames back, drop them and set their clocks \
         wrong by up to P_max. The runs found one fault below a third, since mended: with seed 8702 a payee was told that a payment was dead \
         which the next header settled (decision 0018). Seed 1092 was a false alarm: two nodes with the GL-node's key closed one trim twice, \
         alike.",
    );
    let parts = list(results, "bound");
    page.table(
        &[
            "runs",
            "GL-node guilty",
            "with forks told",
            "Quorums",
            "headers",
            "broken",
        ],
        &[vec![
            human(runs(parts) as f64),
            human(total(parts, "gl_node_guilty") as f64),
            human(total(parts, "forked") as f64),
            human(total(parts, "quorums") as f64),
            human(total(parts, "headers") as f64),
            broken(parts).to_string(),
        ]],
    );
    page.text("**Where it breaks.** The same with even halves, from a third of the members on until one of the seeds breaks something. By counting, two sets of more than two \
         thirds can be had from the guilty and half of the others each iff g >= 2 floor(2n/3) + 2 - n: 2 of 4, 3 of 7, 4 of 10, 5 of 13, 6 of 16, and near a third for \
         large n.");
    let rows: Vec<Vec<String>> = list(results, "share")
        .iter()
        .map(|row| {
            let tried = list(row, "tried").iter();
            let held = tried.clone().filter(|t| number(t, "broken") == 0);
            let held: Vec<String> = held.map(|t| number(t, "guilty").to_string()).collect();
            let last = tried.last().cloned().unwrap_or_default();
            vec![
                number(row, "members").to_string(),
                number(row, "seeds").to_string(),
                held.join(", "),
                number(&last, "guilty").to_string(),
                least_share(row).map_or("none".into(), |s| format!("{s:.1} %")),
                number(&last, "broken").to_string(),
            ]
        })
        .collect();
    page.table(
        &[
            "members",
            "seeds",
            "guilty that did not break it",
            "guilty that did",
            "share",
            "seeds broken",
        ],
        &rows,
    );
    page.text(
        "**What each rule is for.** The core built with switches (`--cfg iotedge_rules_off`, never in a product), the same attack with the rule and without. \
         `ci/attacks` runs it again.",
    );
    let rows: Vec<Vec<String>> = list(results, "rules")
        .iter()
        .map(|r| {
            let end = |key: &str| match r[key]["what"].as_str() {
                Some(what) if r[key]["harmed"] == true => format!("**{what}**"),
                Some(what) => what.into(),
                None => String::new(),
            };
            vec![
                text(r, "demands").into(),
                text(r, "section").into(),
                text(r, "attack").into(),
                end("off"),
                end("on"),
            ]
        })
        .collect();
    page.table(&["rule", "section", "attack", "off", "on"], &rows);
    let storm = at(results, "/storms/2/stormed");
    page.text(format!(
        "**Fragments.** 200 datagrams of 400 bytes over packets of 51 bytes, while another neighbour sends up to a hundred made-up fragments for each true one \
         ({} in all), within the same 14 KB of memory: all 200 arrive.",
        human(storm)
    ));
}
