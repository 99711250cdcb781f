//! What is run: every neighbourhood with all rules, each rule switched off, and a third of guilty weight.

use crate::ledger::Ledger;
use crate::search::{Bounds, Model, Report, exhaust, follow, walk};
use crate::tangle::{Hear, Tangle, scopes};
use crate::{Rule, Rules};

/// What is searched.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The DAG.
    Tangle(Box<Tangle>),
    /// The accounts.
    Ledger(Ledger),
}

/// How it is searched.
#[derive(Clone, Copy, Debug)]
pub enum Search {
    /// Breadth first, up to so many states.
    Exhaust(usize),
    /// At random, so many steps.
    Walk(u64),
    /// Step by step.
    Follow(&'static [&'static [&'static str]]),
}

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No violation, and the milestones with these bits are reached.
    Holds(u32),
    /// A violation.
    Breaks,
    /// No violation, although something is switched off: said plainly in the docs.
    NotFound,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Case {
    /// For the tables.
    pub name: String,
    /// The rule that is off.
    pub off: Option<Rule>,
    /// What.
    pub subject: Subject,
    /// How.
    pub search: Search,
    /// What must come out.
    pub expect: Expect,
}

impl Case {
    fn tangle(scope: Tangle, search: Search, expect: Expect) -> Self {
        Self {
            name: format!(
                "{}, {} members, {} guilty",
                scope.name, scope.members, scope.guilty
            ),
            off: None,
            subject: Subject::Tangle(Box::new(scope)),
            search,
            expect,
        }
    }

    fn ledger(most: [u8; 2], epochs: u8, search: Search, expect: Expect) -> Self {
        Self {
            name: format!(
                "ledger, {} + {} transactions, {epochs} epochs",
                most[0], most[1]
            ),
            off: None,
            subject: Subject::Ledger(Ledger {
                rules: Rules::ALL,
                most,
                epochs,
            }),
            search,
            expect,
        }
    }

    fn without(mut self, rule: Rule) -> Self {
        match &mut self.subject {
            Subject::Tangle(t) => t.rules = t.rules.without(rule),
            Subject::Ledger(l) => l.rules = l.rules.without(rule),
        }
        self.off = Some(rule);
        self
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Report {
        match &self.subject {
            Subject::Tangle(t) => run(t.as_ref(), self.search),
            Subject::Ledger(l) => run(l, self.search),
        }
    }

    /// The names of what was counted.
    #[must_use]
    pub fn milestones(&self) -> &'static [&'static str] {
        match &self.subject {
            Subject::Tangle(t) => t.milestones(),
            Subject::Ledger(l) => l.milestones(),
        }
    }

    /// Whether what came out is what must.
    #[must_use]
    pub fn is_as_expected(&self, report: &Report) -> bool {
        match self.expect {
            Expect::Breaks => report.found.is_some(),
            Expect::NotFound => report.found.is_none(),
            Expect::Holds(marks) => {
                let missing = report
                    .reached
                    .iter()
                    .enumerate()
                    .any(|(i, &count)| marks >> i & 1 == 1 && count == 0);
                report.found.is_none() && !missing
            }
        }
    }
}

fn run<M: Model>(model: &M, search: Search) -> Report {
    match search {
        Search::Exhaust(states) => exhaust(model, Bounds { states }),
        Search::Walk(steps) => walk(model, 1, steps),
        Search::Follow(script) => follow(model, script),
    }
}

const QUORUM: u32 = 1;
const LIVES: u32 = 1 << 1;
const DEAD: u32 = 1 << 2;
const RIVALS: u32 = 1 << 3;
const TRIM: u32 = 1 << 4;
const CERTIFIED: u32 = 1 << 5;
const CHAIN: u32 = 1 << 6;
const RIVAL_TRIMS: u32 = 1 << 7;
const DECIDED: u32 = 1 << 8;
const ONE: Expect = Expect::Holds(QUORUM | LIVES | DEAD | RIVALS | TRIM | DECIDED);
const TWO: Expect = Expect::Holds(LIVES | DEAD | RIVALS | TRIM | CERTIFIED | CHAIN);
const LATE: Expect = Expect::Holds(QUORUM | LIVES | DEAD | TRIM | CERTIFIED | CHAIN | DECIDED);
const SPLIT: Expect = Expect::Holds(TRIM | CERTIFIED | CHAIN | RIVAL_TRIMS);
const BOOKS: Expect = Expect::Holds(0b11111);

fn lean(mut scope: Tangle) -> Tangle {
    scope.per_step = [1, 1];
    scope.hear = Hear::Newest;
    scope
}

fn newest(mut scope: Tangle) -> Tangle {
    scope.hear = Hear::Newest;
    scope
}

fn wide(mut scope: Tangle) -> Tangle {
    scope.per_step = [3, 5];
    scope.most = 24;
    scope.hear = Hear::Any;
    scope
}

/// All rules in force, less than a third guilty. `full`: what takes minutes.
#[must_use]
pub fn in_force(full: bool) -> Vec<Case> {
    use Search::{Exhaust, Walk};
    let deep = Exhaust(if full { 300_000 } else { 60_000 });
    let far = Walk(if full { 2_000_000 } else { 200_000 });
    let rivals = Expect::Holds(QUORUM | RIVALS);
    let mut cases = vec![
        Case::tangle(scopes::rivals(4, 1), Exhaust(400_000), rivals),
        Case::tangle(scopes::one_trim(4, 1), Exhaust(400_000), ONE),
        Case::tangle(
            scopes::guilty_trim(4, 1),
            deep,
            Expect::Holds(QUORUM | RIVALS | TRIM),
        ),
        Case::tangle(
            lean(scopes::across_a_cut(4, 1)),
            deep,
            Expect::Holds(RIVALS | TRIM),
        ),
        Case::tangle(
            scopes::rival_trims(4, 1),
            deep,
            Expect::Holds(TRIM | RIVAL_TRIMS),
        ),
        Case::ledger([2, 2], 2, Exhaust(400_000), BOOKS),
        Case::ledger([3, 1], 2, Exhaust(400_000), BOOKS),
        Case::tangle(wide(scopes::across_a_cut(4, 1)), far, TWO),
        Case::tangle(wide(scopes::rival_trims(4, 1)), far, SPLIT),
        Case::tangle(wide(scopes::withheld(4, 1)), far, LATE),
        Case::tangle(wide(scopes::two_tables(1)), far, LATE),
        Case::tangle(
            wide(scopes::one_trim(7, 2)),
            far,
            Expect::Holds(RIVALS | TRIM),
        ),
    ];
    if full {
        cases.extend([
            Case::tangle(scopes::late_rivals(4, 1), deep, rivals),
            Case::tangle(scopes::branches(4, 1), deep, ONE),
            Case::tangle(scopes::proved(4, 1), deep, ONE),
            Case::tangle(scopes::rivals(5, 1), deep, rivals),
            Case::tangle(scopes::rivals(7, 2), deep, Expect::Holds(RIVALS)),
            Case::tangle(scopes::one_trim(5, 1), deep, Expect::Holds(RIVALS)),
            Case::tangle(scopes::withheld(4, 1), deep, Expect::Holds(CHAIN)),
            Case::ledger([1, 3], 2, deep, Expect::Holds(0b11011)),
            Case::ledger([3, 2], 3, deep, Expect::Holds(0b11011)),
            Case::ledger([5, 4], 4, far, BOOKS),
            Case::tangle(wide(scopes::across_a_cut(6, 1)), far, TWO),
            Case::tangle(
                wide(scopes::branches(5, 1)),
                far,
                Expect::Holds(RIVALS | TRIM),
            ),
        ]);
    }
    cases
}

/// The second trim is withheld until x is at Quorum without it; the third cuts before x, the fourth finds it two epochs behind.
const WITHHELD: &[&[&str]] = &[
    &["g0 issues trim2 (cut 2"],
    &["time 4"],
    &["h0 issues x1 in epoch 1"],
    &["h1 speaks over x1 (approved by h0 h1), trim1"],
    &["h2 speaks over x1 (approved by h0 h1 h2), trim1"],
    &["h0 speaks over x1 (approved by h0 h1 h2), trim1"],
    &["h1 speaks over x1 (approved by h0 h1 h2), trim1"],
    &["time 5"],
    &[
        "h0 speaks over x1 (approved by h0 h1 h2)",
        "trim2 (approved by h0 g0)",
    ],
    &[
        "h1 speaks over x1 (approved by h0 h1 h2)",
        "trim2 (approved by h0 h1 g0)",
    ],
    &[
        "h2 speaks over x1 (approved by h0 h1 h2)",
        "trim2 (approved by h0 h1 h2 g0)",
    ],
    &["g0 issues trim3 (cut 3", "x1 (approved by h0 h1 h2)"],
    &[
        "h0 speaks over x1 (approved by h0 h1 h2)",
        "trim3 (approved by h0 g0)",
    ],
    &[
        "h1 speaks over x1 (approved by h0 h1 h2)",
        "trim3 (approved by h0 h1 g0)",
    ],
    &[
        "h2 speaks over x1 (approved by h0 h1 h2)",
        "trim3 (approved by h0 h1 h2 g0)",
    ],
    &["time 6"],
    &["g0 issues trim4 (cut 5", "x1 is dead"],
];

/// Two leave and two join: all five approve x, of the next table only three.
const CHANGE: &[&[&str]] = &[
    &["h2 issues trim2 (cut 2"],
    &["h3 speaks", "trim2 (approved by h2 h3)"],
    &["h1 issues x1"],
    &["h0 speaks over x1 (approved by h0 h1)"],
    &["h5 speaks over x1 (approved by h0 h1 h5)"],
    &["g0 speaks over x1 (approved by h0 h1 h5 g0)"],
    &["h2 speaks over x1 (approved by h0 h1 h2 h5 g0)"],
    &[
        "h0 speaks over x1 (approved by h0 h1 h2 h5 g0)",
        "trim2 (approved by h0 h2)",
    ],
    &[
        "h5 speaks over x1 (approved by h0 h1 h2 h5 g0)",
        "trim2 (approved by h0 h2 h5)",
    ],
    &[
        "g0 speaks over x1 (approved by h0 h1 h2 h5 g0)",
        "trim2 (approved by h0 h2 h5 g0)",
    ],
    &["h2 speaks over x1", "trim2 (approved by h0 h2 h3 h5 g0)"],
    &["time 4"],
    &["h2 issues trim3 (cut 3", "x1 is dead"],
];

/// Three of seven vote both ways.
const THREE: &[&[&str]] = &[
    &["g2 issues x1"],
    &["g2 issues x2"],
    &["h0 speaks over x1 (approved by h0 g2)"],
    &["h1 speaks over x1 (approved by h0 h1 g2)"],
    &["g0 speaks over x1 (approved by h0 h1 g0 g2)"],
    &["g1 speaks over x1 (approved by h0 h1 g0 g1 g2)"],
    &["g0 speaks over x1 (approved by h0 h1 g0 g1 g2)"],
    &["h0 speaks over x1 (approved by h0 h1 g0 g1 g2)"],
    &["h1 speaks over x1 (approved by h0 h1 g0 g1 g2)"],
    &["h2 speaks over x2 (approved by h2 g2)"],
    &["h3 speaks over x2 (approved by h2 h3 g2)"],
    &["g0 speaks over x2 (approved by h2 h3 g0 g2)"],
    &["g1 speaks over x2 (approved by h2 h3 g0 g1 g2)"],
    &["h2 speaks over x2 (approved by h2 h3 g0 g1 g2)"],
    &["h3 speaks over x2 (approved by h2 h3 g0 g1 g2)"],
    &["g2 speaks over x1 (approved by h0 h1 g0 g1 g2)"],
    &["g0 speaks over x2 (approved by h2 h3 g0 g1 g2)"],
    &["g2 speaks over x2 (approved by h2 h3 g0 g1 g2)"],
];

/// Each rule switched off.
#[must_use]
pub fn switched_off() -> Vec<Case> {
    use Expect::{Breaks, NotFound};
    use Search::{Exhaust, Follow, Walk};
    let most = Exhaust(1_500_000);
    let few = Exhaust(400_000);
    let ledger = |most, rule, expect| Case::ledger(most, 2, Exhaust(400_000), expect).without(rule);
    vec![
        Case::tangle(scopes::rivals(4, 1), few, Breaks).without(Rule::NoRival),
        Case::tangle(scopes::proved(4, 1), Exhaust(60_000), NotFound).without(Rule::NoEvidence),
        Case::tangle(scopes::one_trim(4, 1), most, Breaks).without(Rule::TimeLimit),
        Case::tangle(scopes::one_trim(4, 1), few, Breaks).without(Rule::SecondRound),
        Case::tangle(newest(scopes::rivals(5, 1)), few, Breaks).without(Rule::TwoThirds),
        Case::tangle(scopes::one_trim(4, 1), few, Breaks).without(Rule::FreshQuorum),
        Case::tangle(wide(scopes::rival_trims(4, 1)), Walk(100_000), Breaks)
            .without(Rule::Certified),
        Case::tangle(scopes::rival_trims(4, 1), few, Breaks).without(Rule::TrimRival),
        Case::tangle(wide(scopes::withheld(4, 1)), Walk(400_000), NotFound)
            .without(Rule::CutAfterTrim),
        Case::tangle(wide(scopes::withheld(4, 1)), Follow(WITHHELD), Breaks)
            .without(Rule::CertifiedByCut),
        Case::tangle(wide(scopes::withheld(4, 1)), Walk(400_000), Breaks)
            .without(Rule::NamesPrevious),
        Case::tangle(wide(scopes::withheld(4, 1)), Walk(400_000), Breaks).without(Rule::Lag),
        Case::tangle(wide(scopes::across_a_cut(4, 1)), Walk(100_000), Breaks)
            .without(Rule::ChainHead),
        Case::tangle(wide(scopes::across_a_cut(4, 1)), Walk(100_000), Breaks).without(Rule::Floor),
        Case::tangle(wide(scopes::two_tables(1)), Walk(400_000), NotFound)
            .without(Rule::BothTables),
        Case::tangle(wide(scopes::wide_change(1)), Follow(CHANGE), Breaks)
            .without(Rule::ChangeBound),
        Case::tangle(scopes::forgets(4, 1), few, Breaks).without(Rule::OwnHead),
        ledger([3, 1], Rule::DebitsRunOn, Breaks),
        ledger([3, 1], Rule::GiveBack, Breaks),
        ledger([1, 3], Rule::Credits, Breaks),
        ledger([3, 1], Rule::AgainWhenDead, Breaks),
        ledger([3, 1], Rule::AgainOnTop, Breaks),
        ledger([2, 2], Rule::NumberAboveHead, NotFound),
        ledger([2, 2], Rule::AboveCut, Breaks),
        ledger([3, 1], Rule::LifeBelow, NotFound),
    ]
}

/// A third of the weight guilty, and more.
#[must_use]
pub fn a_third() -> Vec<Case> {
    use Search::{Exhaust, Follow, Walk};
    vec![
        Case::tangle(scopes::rivals(4, 2), Exhaust(3_000_000), Expect::Breaks),
        Case::tangle(scopes::one_trim(4, 2), Exhaust(400_000), Expect::Breaks),
        Case::tangle(wide(scopes::rivals(6, 2)), Walk(200_000), Expect::NotFound),
        Case::tangle(
            wide(scopes::one_trim(6, 2)),
            Walk(200_000),
            Expect::NotFound,
        ),
        Case::tangle(wide(scopes::rivals(7, 3)), Follow(THREE), Expect::Breaks),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole of it is `ci/model`; this is what takes a second.
    #[test]
    fn the_ledger_holds_and_each_of_its_rules_is_needed() {
        let cases = in_force(false).into_iter().chain(switched_off());
        let mut count = 0;
        for case in cases.filter(|case| matches!(case.subject, Subject::Ledger(_))) {
            let report = case.run();
            assert!(
                case.is_as_expected(&report),
                "{} {:?}: {report:?}",
                case.name,
                case.off
            );
            count += 1;
        }
        assert!(count >= 10);
    }

    #[test]
    fn every_rule_is_switched_off_once() {
        for rule in Rule::ALL {
            let off = switched_off()
                .iter()
                .filter(|c| c.off == Some(rule))
                .count();
            assert_eq!(off, 1, "{rule:?}");
        }
    }

    #[test]
    fn one_round_is_not_enough_and_scenarios_lead_where_they_say() {
        for case in switched_off().into_iter().chain(a_third()) {
            let follows = matches!(case.search, Search::Follow(_));
            assert!(
                !follows || case.is_as_expected(&case.run()),
                "{}",
                case.name
            );
            if matches!(case.off, Some(Rule::SecondRound | Rule::NoRival)) {
                let found = case.run().found.expect("a counterexample");
                assert!(found.steps.len() <= 8, "{}", found.text());
            }
        }
    }

    #[test]
    fn a_withheld_trim_undoes_a_quorum_unless_its_certificate_precedes_the_cut() {
        let off = |case: &Case| case.off == Some(Rule::CertifiedByCut);
        let mut case = switched_off().into_iter().find(off).expect("a case");
        let found = case.run().found.expect("a counterexample");
        assert_eq!(found.violation, "x1 is at Quorum, and dead by trim4");
        let Subject::Tangle(tangle) = &mut case.subject else {
            unreachable!()
        };
        tangle.rules = Rules::ALL;
        let report = case.run();
        // The third trim cannot be issued.
        assert_eq!((report.depth, report.found.is_none()), (11, true));
    }

    #[test]
    fn a_search_can_be_repeated() {
        let case = &switched_off()[0];
        let (a, b) = (case.run(), case.run());
        assert_eq!(
            (a.states, a.transitions, a.depth),
            (b.states, b.transitions, b.depth)
        );
        assert_eq!(a.found.map(|f| f.text()), b.found.map(|f| f.text()));
    }
}
