//! The bound: below one third of the weight guilty nothing that had its `Quorum` is undone; and from where on it is.
//!
//! Small neighbourhoods with short epochs. The guilty have two nodes each ([`Twin`]) and the network in their hands: walls keep the honest apart
//! in two halves, each half hears one node of every guilty member, the GL-node's second one trims as well. Judged is
//! `Report::undone`: rivals that both had their `Quorum`, what had it and is dead or in no header, value that appears.

use crate::actors::{Actor, Twin};
use crate::link::Wall;
use crate::rng::Rng;
use crate::scenario::{LinkModel, Scenario, VALIDATORS};
use crate::{Options, Report, run_with};
use serde_json::{Value, json};

/// One run of the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Of every draw.
    pub seed: u64,
    /// Members.
    pub nodes: u16,
    /// The guilty among them.
    pub guilty: Vec<u16>,
    /// The halves are as even as can be and the guilty keep nothing back.
    pub worst: bool,
}

impl Case {
    /// Four to twelve members, as many guilty as stay below a third, now and then fewer; every third time the GL-node is one of them.
    #[must_use]
    pub fn below_a_third(seed: u64) -> Self {
        let mut rng = Rng::stream(seed, "bound", 0);
        let nodes = rng.between(4, 12) as u16;
        let most = (nodes - 1) / 3;
        let guilty = most - u16::from(most > 1 && rng.chance(200_000));
        let gl_node = rng.chance(333_333);
        Self::with(seed, nodes, guilty, gl_node, rng.chance(500_000))
    }

    /// So many guilty of so many members.
    #[must_use]
    pub fn with(seed: u64, nodes: u16, guilty: u16, gl_node: bool, worst: bool) -> Self {
        let mut rng = Rng::stream(seed, "bound, guilty", 0);
        let mut devices: Vec<u16> = (1..nodes).collect();
        rng.shuffle(&mut devices);
        if gl_node {
            devices.insert(0, 0);
        }
        devices.truncate(usize::from(guilty));
        devices.sort_unstable();
        Self {
            seed,
            nodes,
            guilty: devices,
            worst,
        }
    }

    fn scenario(&self) -> Scenario {
        let mut rng = Rng::stream(self.seed, "bound, scenario", 0);
        let mut s = Scenario::small(self.seed, self.nodes);
        s.period = 2_000;
        s.duration = 8_000;
        s.quiet = 1_500;
        s.rate = [120, 180, 240][rng.below(3) as usize];
        s.trade = 50;
        s.link = LinkModel {
            delay_min: 2,
            delay_max: rng.between(10, 60),
            loss: [0, 0, 20_000][rng.below(3) as usize],
            ..LinkModel::CALM
        };
        if self.worst {
            // Everybody speaks often enough for both rounds within T/2, and nearly all pay.
            s.rate = 300;
            s.trade = 90;
            s.link = LinkModel::CALM;
        }
        s
    }

    /// Where the walls stand, and who stands where.
    fn walls(&self) -> Vec<Wall> {
        let mut rng = Rng::stream(self.seed, "bound, walls", 0);
        let mut walls = Vec::new();
        let mut from = rng.between(1_300, 3_500);
        for _ in 0..1 + rng.below(2) {
            let to = from + rng.between(500, 2_400);
            let mut honest: Vec<u16> = (0..self.nodes)
                .filter(|n| !self.guilty.contains(n))
                .collect();
            rng.shuffle(&mut honest);
            let first = if self.worst || rng.chance(500_000) {
                honest.len() / 2
            } else {
                rng.below(honest.len() as u64) as usize
            };
            let mut side = vec![0; usize::from(self.nodes + VALIDATORS)];
            for n in honest.iter().skip(first) {
                side[usize::from(*n)] = 1;
            }
            for validator in side.iter_mut().skip(usize::from(self.nodes)) {
                *validator = rng.below(2) as u8;
            }
            side.extend(self.guilty.iter().map(|_| 1));
            walls.push(Wall { from, to, side });
            from = to + rng.between(200, 2_000);
        }
        walls
    }

    /// Runs it.
    ///
    /// # Panics
    /// Never: what is drawn can be simulated.
    #[must_use]
    pub fn run(&self) -> Report {
        let (scenario, options) = self.parts();
        run_with(&scenario, options).expect("what is drawn can be simulated")
    }

    /// What it is made of.
    #[must_use]
    pub fn parts<'t>(&self) -> (Scenario, Options<'t>) {
        let mut rng = Rng::stream(self.seed, "bound, colluders", 0);
        let walls = self.walls();
        let begin = walls[0].from;
        let twins: Vec<(u16, u64)> = self.guilty.iter().map(|n| (*n, begin)).collect();
        let first_twin = self.nodes + VALIDATORS;
        let hosts = self.guilty.iter().copied();
        let hosts = hosts.chain((first_twin..).take(self.guilty.len()));
        let actors = hosts.map(|host| {
            let mut twin = Twin::default();
            if !self.worst {
                twin.lag = [0, 0, 50, 400][rng.below(4) as usize];
                twin.mute = [0, 0, 100_000, 400_000][rng.below(4) as usize];
                twin.clock = rng.between(0, 1_000) as i64 - 500;
            }
            (host, Box::new(twin) as Box<dyn Actor>)
        });
        let options = Options {
            threads: 1,
            actors: actors.collect(),
            twins,
            walls,
            trace: None,
        };
        (self.scenario(), options)
    }
}

/// The runs below a third with the seeds from `from` up to, and without, `to`.
#[must_use]
pub fn bound(from: u64, to: u64) -> Value {
    let (mut broken, mut gl_node) = (Vec::new(), 0);
    let (mut quorums, mut headers, mut forks, mut dead) = (0, 0, 0, 0);
    for seed in from..to {
        let case = Case::below_a_third(seed);
        let report = case.run();
        gl_node += u64::from(case.guilty.contains(&0));
        quorums += report.times[1].count() as u64;
        headers += report.headers.len() as u64;
        forks += u64::from(report.equivocations > 0);
        dead += report.dead;
        if report.undone > 0 {
            eprintln!("{case:?}: {:?}", report.violations);
            broken.push(seed);
        }
    }
    json!({
        "from": from, "to": to, "broken": broken, "gl_node_guilty": gl_node, "forked": forks,
        "quorums": quorums, "headers": headers, "dead": dead,
    })
}

/// The least number of guilty with which one of so many seeds breaks something, with the best wall and every second time the GL-node.
#[must_use]
pub fn share(members: u16, seeds: u64) -> Value {
    let mut tried = Vec::new();
    for guilty in (members / 3).max(1)..members {
        let broken: Vec<u64> = (0..seeds)
            .filter(|seed| {
                let case = Case::with(*seed, members, guilty, seed % 2 == 0, true);
                case.run().undone > 0
            })
            .collect();
        let found = !broken.is_empty();
        tried.push(json!({"guilty": guilty, "broken": broken.len(), "seed": broken.first()}));
        if found {
            break;
        }
    }
    json!({"members": members, "seeds": seeds, "tried": tried})
}
