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

/// Who is joined to whom: a ring, and random chords until each device has its neighbours; validators hear some devices. Who hears the gateway is said by `Scenario::uplinks`.
#[must_use]
pub fn topology(scenario: &Scenario) -> Vec<Neighbours> {
    let members = scenario.nodes;
    let hosts = usize::from(members + VALIDATORS);
    let mut joined: Vec<BTreeSet<u16>> = vec![BTreeSet::new(); hosts];
    let join = |joined: &mut Vec<BTreeSet<u16>>, a: u16, b: u16| {
        if a != b {
            joined[usize::from(a)].insert(b);
            joined[usize::from(b)].insert(a);
        }
    };
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
