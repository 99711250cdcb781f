//! Who hears whom. Drawn from the seed, before the run.

use crate::rng::Rng;
use crate::scenario::{Scenario, VALIDATORS};
use std::collections::BTreeSet;

/// Who is joined to whom: a ring, and random chords until each device has its neighbours; validators hear some devices. Everybody hears the gateway.
#[must_use]
pub fn topology(scenario: &Scenario) -> Vec<Vec<u16>> {
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
    for host in 1..members + VALIDATORS {
        join(&mut joined, 0, host);
    }
    joined
        .into_iter()
        .map(|set| set.into_iter().collect())
        .collect()
}
