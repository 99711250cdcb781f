//! Attacks on a whole neighbourhood, for the table of rules: the same scenario and the same actors, with a rule and without.

use super::scripts::End;
use crate::actors::{Actor, Cheat, Silent};
use crate::link::Wall;
use crate::scenario::{Reboot, Scenario, VALIDATORS};
use crate::{Options, Report, run_with};
use iotedge_core::crypto::SecretKey;
use iotedge_core::identity::{Caps, Record, Roles};
use iotedge_core::ledger::{Effect, Entry, Locks, Settlement};
use iotedge_core::{Amount, Id, MemberIndex, Millis, Number};

/// A neighbourhood with epochs of two seconds.
fn brisk(seed: u64, nodes: u16) -> Scenario {
    let mut s = Scenario::small(seed, nodes);
    s.period = 2_000;
    s.duration = 9_000;
    s.quiet = 3_000;
    s
}

fn run(scenario: &Scenario, walls: Vec<Wall>, actors: Vec<(u16, Box<dyn Actor>)>) -> Report {
    let options = Options {
        threads: 1,
        walls,
        actors,
        ..Options::default()
    };
    run_with(scenario, options).expect("a scenario that can be simulated")
}

/// These hosts on one side, all others on the other.
fn wall(scenario: &Scenario, from: u64, to: u64, apart: &[u16]) -> Wall {
    let mut side = vec![0; usize::from(scenario.nodes + VALIDATORS)];
    for n in apart {
        side[usize::from(*n)] = 1;
    }
    Wall { from, to, side }
}

/// Violations that say this.
fn said(report: &Report, what: &str) -> usize {
    report
        .violations
        .iter()
        .filter(|v| v.contains(what))
        .count()
}

fn frozen(report: &Report) -> End {
    let honest = said(report, "honest member");
    End {
        harmed: honest > 0,
        what: if honest > 0 {
            "it signs a number twice and is frozen for good, innocent".into()
        } else {
            "it sends what it had signed, or goes on above it".into()
        },
    }
}

/// 5.2: see `rules::TABLE`.
pub fn lost_store() -> End {
    let mut s = brisk(3, 5);
    s.reboots.push(Reboot {
        node: 2,
        at: 4_000,
        down: 300,
        lost: true,
    });
    // Its application has something to say before it hears anybody.
    let walls = vec![wall(&s, 3_900, 5_500, &[2])];
    frozen(&run(&s, walls, Vec::new()))
}

/// 5.2: see `rules::TABLE`.
pub fn power_cut() -> End {
    let mut s = brisk(4, 7);
    s.rate = 240;
    s.reboots.push(Reboot {
        node: 2,
        at: 4_600,
        down: 300,
        lost: false,
    });
    let walls = vec![wall(&s, 4_000, 5_000, &[2, 3])];
    let holder = Silent {
        from: 3_990,
        to: 7_000,
    };
    frozen(&run(&s, walls, vec![(3, Box::new(holder))]))
}

/// 5.3: see `rules::TABLE`.
pub fn proven_cheat() -> End {
    let s = brisk(1, 7);
    let cheat: Box<dyn Actor> = Box::new(Cheat::new(3_500));
    let report = run(&s, Vec::new(), vec![(2, cheat)]);
    let free = said(&report, "does not hold the cheat");
    End {
        harmed: free > 0,
        what: format!("{free} of 10 honest nodes still take it for a member in good standing"),
    }
}

fn settled(report: &Report, least: usize) -> End {
    let headers = report.headers.len();
    End {
        harmed: headers < least,
        what: format!(
            "{headers} epochs settled; the gateway waits for {}",
            report.waits_for
        ),
    }
}

/// 5.5: see `rules::TABLE`.
pub fn long_away() -> End {
    let mut s = brisk(1, 9);
    // What it says first once it is back must meet a trim that is under way: of some moments to come back at, one does.
    let backs = [11_125, 11_250, 11_375, 11_750];
    let ends = backs.map(|back| {
        s.duration = back + 7_500;
        let walls = vec![wall(&s, 3_700, back, &[4])];
        settled(&run(&s, walls, Vec::new()), 6)
    });
    let [first, ..] = &ends;
    ends.iter().find(|end| end.harmed).unwrap_or(first).clone()
}

/// 5.1: see `rules::TABLE`.
pub fn silent_members() -> End {
    let mut s = brisk(1, 7);
    s.duration = 40_000;
    let silent = |from| -> Box<dyn Actor> { Box::new(Silent { from, to: u64::MAX }) };
    let actors = vec![(4, silent(4_000)), (5, silent(4_000)), (6, silent(24_000))];
    settled(&run(&s, Vec::new(), actors), 15)
}

/// 5.1: see `rules::TABLE`. The ledger alone.
pub fn many_joins() -> End {
    let key = |n: u8| SecretKey::from_seed(&[n; 32]).expect("a seed").public_key();
    let caps = Caps::default();
    let before: Vec<Record> = (0..10u16)
        .map(|n| {
            Record::enrolled(
                MemberIndex(n),
                key(n as u8 + 1),
                Roles::NONE,
                caps,
                Amount(0),
                Id::ZERO,
            )
        })
        .collect();
    let mut after = vec![Record::EMPTY; 64];
    let mut settlement = Settlement::begin(&before, &mut after, Locks::none()).expect("a table");
    for n in 0..40u8 {
        let entry = Entry {
            id: Id([n + 1; 32]),
            issuer: MemberIndex(0),
            number: Number(u32::from(n) + 1),
            time: Millis(u64::from(n) + 1),
            debits: Amount(0),
            lives: true,
            effect: Effect::Join {
                key: key(n + 100),
                roles: Roles::NONE,
                caps,
            },
        };
        let _ = settlement.apply(&entry);
    }
    let joined = settlement
        .finish(&iotedge_core::ledger::End::default())
        .map_or(0, |settled| settled.joined);
    let share = 100 * joined / (10 + joined);
    End {
        harmed: share >= 33,
        what: format!("{joined} joined: {share} % of the next table"),
    }
}
