//! Who hears whom. Drawn from the seed, before the run.

use crate::rng::Rng;
use crate::scenario::{Scenario, VALIDATORS};
use std::collections::{BTreeSet, VecDeque};

/// Whom a host hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// All of them.
    pub peers: Vec<u16>,
    /// Those that are nearer to the gateway, or are it.
    pub uplinks: Vec<u16>,
    /// Hops to the gateway; `u16::MAX`: it cannot be reached.
    pub hops: u16,
}

/// Hops from host 0 decide who is whose uplink.
fn oriented(joined: Vec<BTreeSet<u16>>) -> Vec<Neighbours> {
    let mut hops = vec![u16::MAX; joined.len()];
    let mut queue = VecDeque::from([0u16]);
    hops[0] = 0;
    while let Some(at) = queue.pop_front() {
        for &next in &joined[usize::from(at)] {
            if hops[usize::from(next)] == u16::MAX {
                hops[usize::from(next)] = hops[usize::from(at)] + 1;
                queue.push_back(next);
            }
        }
    }
    let nearer = |own: u16, set: &BTreeSet<u16>| {
        let near = set.iter().filter(|p| hops[usize::from(**p)] < own);
        near.copied().collect()
    };
    joined
        .iter()
        .zip(&hops)
        .map(|(set, &own)| Neighbours {
            uplinks: nearer(own, set),
            peers: set.iter().copied().collect(),
            hops: own,
        })
        .collect()
}

fn join(joined: &mut [BTreeSet<u16>], a: u16, b: u16) {
    if a != b {
        joined[usize::from(a)].insert(b);
        joined[usize::from(b)].insert(a);
    }
}

/// Everybody hears the gateway, and nobody else.
fn star(scenario: &Scenario) -> Vec<BTreeSet<u16>> {
    let hosts = scenario.nodes + VALIDATORS;
    let mut joined = vec![BTreeSet::new(); usize::from(hosts)];
    for host in 1..hosts {
        join(&mut joined, 0, host);
    }
    joined
}

/// Devices in a square with the gateway in the middle of one side; who is in range may be a neighbour, up to as many as were asked for. The
/// range is the least that leaves nobody more than six hops away. Validators are wired to the gateway.
fn plane(scenario: &Scenario) -> Vec<BTreeSet<u16>> {
    const SIDE: u64 = 10_000;
    let mut rng = Rng::stream(scenario.seed, "plane", 0);
    let mut places = vec![(SIDE / 2, 0)];
    places.extend((1..scenario.nodes).map(|_| (rng.below(SIDE), rng.below(SIDE))));
    let square = |a: u16, b: u16| {
        let ((ax, ay), (bx, by)) = (places[usize::from(a)], places[usize::from(b)]);
        ax.abs_diff(bx).pow(2) + ay.abs_diff(by).pow(2)
    };
    let mut range = SIDE / 6;
    loop {
        let mut joined = vec![BTreeSet::new(); usize::from(scenario.nodes + VALIDATORS)];
        for a in 0..scenario.nodes {
            let mut near: Vec<u16> = (0..scenario.nodes)
                .filter(|b| *b != a && square(a, *b) <= range * range)
                .collect();
            // The way to the gateway first, the others by chance.
            Rng::stream(scenario.seed, "near", a.into()).shuffle(&mut near);
            let way = (0..near.len()).min_by_key(|i| square(near[*i], 0));
            if let Some(way) = way {
                near.swap(0, way);
            }
            for b in near
                .into_iter()
                .take(usize::from(scenario.neighbours.max(2)) / 2)
            {
                join(&mut joined, a, b);
            }
        }
        for validator in scenario.nodes..scenario.nodes + VALIDATORS {
            join(&mut joined, 0, validator);
        }
        if oriented(joined.clone()).iter().all(|n| n.hops <= 6) {
            return joined;
        }
        range += SIDE / 50;
    }
}

/// Who is joined to whom: a ring, and random chords until each device has its neighbours; validators hear some devices. Who hears the gateway is said by `Scenario::uplinks`.
#[must_use]
pub fn topology(scenario: &Scenario) -> Vec<Neighbours> {
    if let Some(radio) = scenario.radio {
        if radio.is_star() {
            return oriented(star(scenario));
        }
        if radio.is_mesh() {
            return oriented(plane(scenario));
        }
    }
    let members = scenario.nodes;
    let hosts = usize::from(members + VALIDATORS);
    let mut joined: Vec<BTreeSet<u16>> = vec![BTreeSet::new(); hosts];
    let devices: Vec<u16> = (1..members).collect();
    let wanted = usize::from(scenario.neighbours)
        .min(devices.len() - 1)
        .max(1);
    for (place, &device) in devices.iter().enumerate() {
        join(&mut joined, device, devices[(place + 1) % devices.len()]);
    }
    let mut rng = Rng::stream(scenario.seed, "topology", 0);
    if wanted + 1 >= devices.len() {
        for &a in &devices {
            for &b in &devices {
                join(&mut joined, a, b);
            }
        }
    } else {
        for &a in &devices {
            for _ in 0..4 * wanted {
                let b = devices[rng.below(devices.len() as u64) as usize];
                let room = |n: u16| joined[usize::from(n)].len() < wanted;
                if room(a) && room(b) {
                    join(&mut joined, a, b);
                }
            }
        }
    }
    for validator in members..members + VALIDATORS {
        let mut some = devices.clone();
        rng.shuffle(&mut some);
        for &device in some.iter().take(4) {
            join(&mut joined, validator, device);
        }
    }
    let near = match scenario.uplinks {
        0 => members,
        some => some.saturating_add(1).min(members),
    };
    for host in (1..near).chain(members..members + VALIDATORS) {
        join(&mut joined, 0, host);
    }
    oriented(joined)
}
