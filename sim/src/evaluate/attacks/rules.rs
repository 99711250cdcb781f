//! What each rule of DESIGN 5 is for: an attack that does harm without it and none with it.
//!
//! Only a build with `--cfg iotedge_rules_off` can run without a rule (`core/src/rules.rs`). `ci/attacks` makes one, in a target directory of
//! its own, and holds what it finds against what is committed. Every other build knows this table from there.

use super::{runs, scripts, scripts::End};

/// A rule, its place in DESIGN (or a decision), what is tried, and how.
pub struct Entry {
    /// The rule's name in `core/src/rules.rs`; empty where it has no switch.
    pub rule: &'static str,
    /// Where it stands.
    pub section: &'static str,
    /// What it demands.
    pub demands: &'static str,
    /// What is tried against it.
    pub attack: &'static str,
    /// How, and what comes of it. `None`: no attack was found; `attack` says what was looked at.
    pub run: Option<fn() -> End>,
}

/// All rules.
pub const TABLE: &[Entry] = &[
    Entry {
        rule: "Chain",
        section: "5.2",
        demands: "the first parent is the own last transaction",
        attack: "a second payment upon another member's chain, whose total is 0",
        run: Some(scripts::beside_the_chain),
    },
    Entry {
        rule: "TimeAbove",
        section: "5.2",
        demands: "time above every parent's",
        attack: "a transaction dated before the one that it stands on",
        run: Some(scripts::before_its_parent),
    },
    Entry {
        rule: "ParentAge",
        section: "5.2",
        demands: "at most P_max above a parent",
        attack: "a transaction upon a parent below the cut",
        run: Some(scripts::upon_the_past),
    },
    Entry {
        rule: "StoredFirst",
        section: "5.2",
        demands: "stored before it is sent",
        attack: "a power cut after the first byte; the one neighbour that heard it tells later",
        run: Some(runs::power_cut),
    },
    Entry {
        rule: "Recovery",
        section: "5.2",
        demands: "silence until q neighbours agree on the chain head",
        attack: "a device loses its store",
        run: Some(runs::lost_store),
    },
    Entry {
        rule: "Rivals",
        section: "5.3",
        demands: "no approval above a rival or evidence",
        attack: "two payments with one number, each approved by some, then all stand on both",
        run: Some(scripts::both_approved),
    },
    Entry {
        rule: "TimeLimit",
        section: "5.3",
        demands: "approvals count up to T/2",
        attack: "a payment withheld until after the trim of its time",
        run: Some(scripts::late_approval),
    },
    Entry {
        rule: "TwoRounds",
        section: "5.3",
        demands: "Quorum in two rounds",
        attack: "2 guilty of 7 with two chains: five approve at the payee, three in the cone of the trim",
        run: Some(scripts::one_round),
    },
    Entry {
        rule: "Members",
        section: "5.3",
        demands: "weight counts members, not vertices",
        attack: "2 guilty of 7 issue a dozen vertices each above both sides of a fork",
        run: Some(scripts::many_vertices),
    },
    Entry {
        rule: "Freeze",
        section: "5.3",
        demands: "evidence freezes",
        attack: "a proven cheat goes on",
        run: Some(runs::proven_cheat),
    },
    Entry {
        rule: "Witnesses",
        section: "5.3, 5.7",
        demands: "q neighbours before Quorum",
        attack: "none: signatures of two thirds of the weight are needed in any case",
        run: None,
    },
    Entry {
        rule: "Overtaken",
        section: "0011",
        demands: "no Quorum for what a trim overtook",
        attack: "who was away pays without the last two trims in its cone",
        run: Some(scripts::overtaken),
    },
    Entry {
        rule: "Fresh",
        section: "5.5",
        demands: "a trim needs a vertex later than c + T/2 of two thirds",
        attack: "the GL-node trims right after the cut",
        run: Some(scripts::early_trim),
    },
    Entry {
        rule: "Certified",
        section: "5.5",
        demands: "a trim's predecessor is certified",
        attack: "none: a header closes only on a settled predecessor, so that a GL-node gains no more than by saying nothing",
        run: None,
    },
    Entry {
        rule: "CertifiedByCut",
        section: "0011",
        demands: "no cut before the predecessor came and was certified",
        attack: "four trims in quick succession make an epoch void at once",
        run: Some(scripts::hasty_cuts),
    },
    Entry {
        rule: "CertifiedByCut",
        section: "0015",
        demands: "by vertices not later than the cut",
        attack: "a trim withheld until a payment has its Quorum; the next one cuts right below the payment",
        run: Some(scripts::withheld_trim),
    },
    Entry {
        rule: "RivalTrims",
        section: "5.5",
        demands: "trims with one predecessor are rivals",
        attack: "the GL-node issues two, on one chain",
        run: Some(scripts::two_trims),
    },
    Entry {
        rule: "Lives",
        section: "5.5",
        demands: "it lives iff 3 AW > 2 W",
        attack: "both sides of a fork below one trim",
        run: Some(scripts::both_sides),
    },
    Entry {
        rule: "ChainHead",
        section: "5.5",
        demands: "a chain that misses the settled head is dead",
        attack: "a longer branch from below the settled head",
        run: Some(scripts::below_the_head),
    },
    Entry {
        rule: "Void",
        section: "5.5",
        demands: "an epoch older than the one before the trim's is void",
        attack: "a member that was away for four epochs",
        run: Some(runs::long_away),
    },
    Entry {
        rule: "Prune",
        section: "5.5",
        demands: "prune on certification only",
        attack: "none: what a device prunes early it asks for again; nothing but work was lost",
        run: None,
    },
    Entry {
        rule: "Debits",
        section: "5.6",
        demands: "D = D(previous) + amount",
        attack: "a payment whose total leaves out the one before",
        run: Some(scripts::false_total),
    },
    Entry {
        rule: "Credits",
        section: "5.6",
        demands: "D <= C",
        attack: "a payment of what the payer does not have",
        run: Some(scripts::overspent),
    },
    Entry {
        rule: "Caps",
        section: "5.6",
        demands: "caps, when accepting",
        attack: "payments far above the caps before anything is final",
        run: Some(scripts::above_the_caps),
    },
    Entry {
        rule: "",
        section: "5.1",
        demands: "weight 1; at most a tenth from ten members on",
        attack: "no switch: the product knows no other weight, and a genesis with another is refused",
        run: None,
    },
    Entry {
        rule: "Inactive",
        section: "5.1",
        demands: "three silent epochs cost the weight",
        attack: "three of seven members fall silent for good, one after two",
        run: Some(runs::silent_members),
    },
    Entry {
        rule: "TableChange",
        section: "5.1",
        demands: "at most W/10 join per epoch",
        attack: "40 certified devices of one manufacturer join ten members at once",
        run: Some(runs::many_joins),
    },
    Entry {
        rule: "Buckets",
        section: "5.7",
        demands: "token buckets",
        attack: "6,000 transactions with broken signatures in no time",
        run: Some(scripts::flood),
    },
    Entry {
        rule: "LookUp",
        section: "5.7",
        demands: "an unknown issuer costs a look-up",
        attack: "1,000 strangers",
        run: Some(scripts::strangers),
    },
];

/// Runs the table: each attack with its rule and without.
#[cfg(iotedge_rules_off)]
#[must_use]
pub fn table() -> serde_json::Value {
    use iotedge_core::rules::{ALL, without};
    let shown = |end: End| serde_json::json!({"harmed": end.harmed, "what": end.what});
    let rows = TABLE.iter().map(|entry| {
        let rule = ALL.iter().copied().find(|rule| format!("{rule:?}") == entry.rule);
        let ends = entry.run.zip(rule).map(|(run, rule)| {
            let begin = std::time::Instant::now();
            let on = run();
            let off = without(&[rule], run);
            eprintln!("{:12} {:?} on: {on:?} off: {off:?}", entry.rule, begin.elapsed());
            (shown(on), shown(off))
        });
        let (on, off) = ends.unwrap_or_default();
        serde_json::json!({
            "rule": entry.rule, "section": entry.section, "demands": entry.demands, "attack": entry.attack, "on": on, "off": off,
        })
    });
    rows.collect()
}
