//! Every actor at several strengths against one neighbourhood, and what honest members lost by it against the calm run.

use super::bound::Case;
use crate::actors::{
    Actor, Clockless, Eclipse, Flood, Flooder, Forker, Lazy, Liar, Lie, Only, Parasite, Replayer,
    Silent, Twin, Warden,
};
use crate::link::Wall;
use crate::scenario::{Outage, Partition, Reboot, Scenario, VALIDATORS};
use crate::{Options, Report, run_with};
use serde_json::{Value, json};

/// Members, the GL-node included.
pub const MEMBERS: u16 = 10;

type Actors = Vec<(u16, Box<dyn Actor>)>;

/// One attack at one strength.
pub struct Attack {
    /// Who attacks.
    pub name: &'static str,
    /// How much of it.
    pub strength: &'static str,
    /// Run in short mode too.
    pub short: bool,
    make: fn(&mut Scenario, &mut Options<'static>),
}

/// T = 2 s, six of them.
#[must_use]
pub fn calm() -> Scenario {
    let mut s = Scenario::small(18, MEMBERS);
    s.period = 2_000;
    s.duration = 12_000;
    s.quiet = 4_000;
    s
}

fn by(options: &mut Options<'static>, actors: impl IntoIterator<Item = (u16, Box<dyn Actor>)>) {
    options.actors.extend(actors);
}

fn flood(options: &mut Options<'static>, flood: Flood, every: u64) {
    let flooder = Flooder {
        flood,
        every,
        from: 3_000,
        to: 9_000,
        end: None,
    };
    by(options, [(3, Box::new(flooder) as Box<dyn Actor>)]);
}

fn eclipse(options: &mut Options<'static>, eclipse: Eclipse) {
    let warden = Warden {
        victim: 4,
        eclipse,
        from: 3_000,
        to: 9_000,
    };
    let actors: Actors = vec![(0, Box::new(warden)), (4, Box::new(Only(0)))];
    by(options, actors);
}

/// So many twins, with a wall between two halves from 4 to 6 s; the GL-node among them or not.
fn colluders(options: &mut Options<'static>, guilty: u16, gl_node: bool) {
    let case = Case::with(u64::from(guilty), MEMBERS, guilty, gl_node, true);
    let first = MEMBERS + VALIDATORS;
    let hosts = case
        .guilty
        .iter()
        .copied()
        .chain((first..).take(case.guilty.len()));
    by(
        options,
        hosts.map(|host| (host, Box::new(Twin::default()) as Box<dyn Actor>)),
    );
    options.twins = case.guilty.iter().map(|n| (*n, 4_000)).collect();
    let mut side = vec![0; usize::from(first)];
    let honest = (0..MEMBERS).filter(|n| !case.guilty.contains(n));
    for (place, n) in honest.enumerate() {
        side[usize::from(n)] = (place % 2) as u8;
    }
    side[usize::from(MEMBERS)] = 1;
    side.extend(case.guilty.iter().map(|_| 1));
    options.walls.push(Wall {
        from: 4_000,
        to: 6_000,
        side,
    });
}

fn reboots(s: &mut Scenario, lost: bool) {
    for node in 1..MEMBERS {
        s.reboots.push(Reboot {
            node,
            at: s.period * 5 / 2,
            down: 500,
            lost,
        });
    }
    s.outages.push(Outage {
        from: s.period * 5 / 2,
        to: s.period * 5 / 2 + 500,
    });
}

fn apart(s: &mut Scenario, ms: u64) {
    s.duration = s.duration.max(ms + 8_000);
    s.partitions.push(Partition {
        from: 3_000,
        to: 3_000 + ms,
        share: 30,
    });
}

fn one<A: Actor + 'static>(options: &mut Options<'static>, host: u16, actor: A) {
    by(options, [(host, Box::new(actor) as Box<dyn Actor>)]);
}

fn drift(options: &mut Options<'static>, clock: i64) {
    for host in [3, 6, 9] {
        let twin = Twin {
            clock,
            ..Twin::default()
        };
        one(options, host, twin);
    }
}

fn lazy(options: &mut Options<'static>, hosts: &[u16]) {
    for host in hosts {
        let lazy = Lazy {
            every: 250,
            from: 2_500,
        };
        one(options, *host, lazy);
    }
}

macro_rules! attacks {
    ($($name:literal, $strength:literal, $short:literal, |$s:ident, $o:ident| $make:expr;)*) => {
        &[$(Attack { name: $name, strength: $strength, short: $short, make: |$s, $o| { let _ = (&$s, &$o); $make } },)*]
    };
}

/// All of them, the calm run first.
pub const ATTACKS: &[Attack] = attacks! {
    "calm", "nobody", true, |s, o| {};
    "lazy tips", "1 of 10", false, |s, o| lazy(o, &[3]);
    "lazy tips", "3 of 10", true, |s, o| lazy(o, &[3, 6, 9]);
    "parasite chain", "10 vertices in 0.5 s", false, |s, o| one(o, 3, Parasite::new(4_000, 10, 50));
    "parasite chain", "60 vertices in 3 s", false, |s, o| one(o, 3, Parasite::new(4_000, 60, 50));
    "spam of a member", "10 times the rate", false, |s, o| flood(o, Flood::Spam, 50);
    "spam of a member", "100 times the rate", false, |s, o| flood(o, Flood::Spam, 5);
    "strangers", "200 a second", true, |s, o| flood(o, Flood::Strangers, 5);
    "broken signatures", "200 a second", false, |s, o| flood(o, Flood::Broken, 5);
    "fork", "2 sides", false, |s, o| one(o, 3, Forker::new(4_000, 2));
    "fork", "16 sides", false, |s, o| one(o, 3, Forker::new(4_000, 16));
    "fork", "3 members, 9 sides each", true, |s, o| for host in [3, 6, 9] { one(o, host, Forker::new(4_000, 9)); };
    "clocks behind", "3 of 10, P_max", false, |s, o| drift(o, -500);
    "clocks behind", "3 of 10, T", false, |s, o| drift(o, -2_000);
    "clocks ahead", "3 of 10, P_max", false, |s, o| drift(o, 500);
    "clocks ahead", "3 of 10, T", false, |s, o| drift(o, 2_000);
    "colluders with two chains", "1 of 10", false, |s, o| colluders(o, 1, false);
    "colluders with two chains", "2 of 10", false, |s, o| colluders(o, 2, false);
    "colluders with two chains", "3 of 10", true, |s, o| colluders(o, 3, false);
    "colluders with two chains", "3 of 10, the GL-node too", false, |s, o| colluders(o, 3, true);
    "colluders with two chains", "4 of 10", true, |s, o| colluders(o, 4, false);
    "silent members", "3 of 10", false, |s, o| for host in [3, 6, 9] { one(o, host, Silent { from: 4_000, to: 8_000 }); };
    "silent members", "4 of 10", false, |s, o| for host in [3, 6, 8, 9] { one(o, host, Silent { from: 4_000, to: 8_000 }); };
    "eclipse by the uplink", "withholds, 6 s", false, |s, o| eclipse(o, Eclipse::Withhold);
    "eclipse by the uplink", "delays by 400 ms", false, |s, o| eclipse(o, Eclipse::Delay(400));
    "eclipse by the uplink", "lies, 6 s", true, |s, o| eclipse(o, Eclipse::Lie);
    "GL-node", "withholds trims", false, |s, o| one(o, 0, Liar::new(Lie::Withhold, 5_000));
    "GL-node", "rival trims", true, |s, o| one(o, 0, Liar::new(Lie::Rivals, 5_000));
    "GL-node", "false cuts", false, |s, o| one(o, 0, Liar::new(Lie::Cut, 5_000));
    "GL-node", "false headers", false, |s, o| one(o, 0, Liar::new(Lie::Header, 5_000));
    "replay", "all of two epochs, each second", false, |s, o| one(o, 3, Replayer::new(6_000));
    "partition", "30 % for T", false, |s, o| apart(s, 2_000);
    "partition", "30 % for 4 T", false, |s, o| apart(s, 8_000);
    "clock loss", "9 devices reboot without a clock", false, |s, o| { reboots(s, false); for host in 1..MEMBERS { one(o, host, Clockless); } };
    "mass reboot", "all at once", false, |s, o| reboots(s, false);
    "mass reboot", "all at once, T = 10 s", false, |s, o| { s.period = 10_000; s.duration = 60_000; s.quiet = 20_000; reboots(s, false); };
    "mass reboot", "all at once, 9 stores lost", false, |s, o| reboots(s, true);
};

/// Runs one and counts what honest devices have of it.
///
/// # Panics
/// Never: each can be simulated.
#[must_use]
pub fn measure(attack: &Attack) -> Value {
    let mut scenario = calm();
    let mut options = Options::default();
    (attack.make)(&mut scenario, &mut options);
    let guilty: Vec<u16> = options
        .actors
        .iter()
        .map(|(host, _)| *host)
        .filter(|host| {
            attack.name != "clock loss" && !(attack.name.starts_with("eclipse") && *host == 4)
        })
        .collect();
    let seconds = scenario.duration / 1_000;
    let report = run_with(&scenario, options).expect("an attack that can be simulated");
    figures(attack, &report, &guilty, seconds)
}

fn figures(attack: &Attack, report: &Report, guilty: &[u16], seconds: u64) -> Value {
    let honest = || {
        let hosts = report.hosts.iter().take(usize::from(MEMBERS)).zip(0u16..);
        hosts
            .filter(|(_, n)| *n > 0 && !guilty.contains(n))
            .map(|(host, _)| host)
    };
    let count = honest().count() as u64;
    let sum = |of: fn(&crate::report::HostTotals) -> u64| honest().map(of).sum::<u64>();
    let mut waits: Vec<u64> = honest()
        .flat_map(|h| h.times[1].all().iter().copied())
        .collect();
    waits.sort_unstable();
    let at = |percent: usize| {
        waits
            .get(waits.len().saturating_sub(1) * percent / 100)
            .copied()
    };
    json!({
        "name": attack.name, "strength": attack.strength,
        "undone": report.undone, "violations": report.violation_count, "first": report.violations.first(),
        "sent": sum(|h| h.sent), "quorums": waits.len(), "ms_50": at(50), "ms_95": at(95),
        "dead": sum(|h| h.dead), "receipts": sum(|h| h.receipts), "headers": report.headers.len(),
        "bytes": sum(|h| h.bytes_received) / count / seconds, "checks": sum(|h| h.asked) / count / seconds,
        "silences": sum(|h| h.silences), "equivocations": sum(|h| h.equivocations), "frozen": sum(|h| h.frozen),
        "disagreements": report.disagreements, "seconds": seconds,
    })
}
