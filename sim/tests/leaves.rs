//! Devices without a window behind the head of a cluster: in calm, with a head that dies, with one that keeps back what it should pass on, and on bad links.

mod common;

use common::{deep, simulate};
use iotedge_core::MemberIndex;
use iotedge_sim::actors::{Actor, Censor, Hands};
use iotedge_sim::leaves::lease;
use iotedge_sim::scenario::{LinkModel, Reboot};
use iotedge_sim::{Report, Scenario};

const NODES: u16 = 8;
const LEAVES: u16 = 8;

fn scenario(seed: u64) -> Scenario {
    let mut s = Scenario::small(seed, NODES);
    s.leaves = LEAVES;
    s.duration = 60_000;
    s.quiet = 25_000;
    s
}

/// Everything that was signed was seen by q others and settled, and nobody was doubled, refused or forgotten.
fn all_came_through(report: &Report) {
    let l = &report.leaves;
    assert!(report.sound(), "{report}");
    assert_eq!(
        (l.leaves, l.active, l.faults),
        (LEAVES, LEAVES, 0),
        "{report}"
    );
    assert!(l.sent > u64::from(LEAVES) * 8, "{report}");
    assert_eq!((l.dead, l.unknown, l.unseen), (0, 0, 0), "{report}");
}

#[test]
fn a_leaf_is_heard_through_its_head_and_the_run_is_the_same_on_any_number_of_threads() {
    deep(|| {
        let s = scenario(11);
        let [one, two] = [1, 2].map(|threads| simulate(&s, threads, Vec::new()));
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.leaves, two.leaves);
        all_came_through(&one);
        assert!(one.leaves.suspected.is_empty(), "{one}");
        let none = simulate(&Scenario { leaves: 0, ..s }, 1, Vec::new());
        assert_eq!(none.leaves.sent, 0);
        assert_ne!(none.trace, one.trace);
    });
}

/// Looks from one node when it follows another head after the death of the first.
struct Heir {
    died: u64,
}

impl Actor for Heir {
    fn begin(&mut self, hands: &mut Hands<'_, '_>) {
        hands.wake_at(self.died - 1);
    }

    fn wake(&mut self, hands: &mut Hands<'_, '_>) {
        let (now, local) = (hands.now(), hands.local());
        let lease = lease(hands.scenario());
        let head = hands.node().and_then(|n| n.cluster_head(local));
        match head {
            head if now < self.died => {
                if head.map(|(member, _)| member) != Some(MemberIndex(1)) {
                    hands.violated(format!("member 1 is not the head: {head:?}"));
                }
                hands.wake_at(self.died);
            }
            Some((MemberIndex(1), _)) | None if now >= self.died + lease => {
                hands.violated(format!("no other head within a lease: {head:?}"));
            }
            Some((MemberIndex(1), _)) | None => hands.wake_at(now + 5),
            Some(_) => {
                hands.count("follow another head", 1);
                hands.count("ms until then, all together", now - self.died);
            }
        }
    }
}

#[test]
fn a_head_that_dies_is_replaced_within_a_lease_and_nothing_that_was_said_is_lost() {
    deep(|| {
        for seed in [21, 22] {
            let mut s = scenario(seed);
            let died = 25_000 + 137 * seed;
            s.reboots.push(Reboot {
                node: 1,
                at: died,
                down: 12_000,
                lost: false,
            });
            let heirs = 2..NODES;
            let actors = heirs
                .clone()
                .map(|n| (n, Box::new(Heir { died }) as Box<dyn Actor>));
            let report = simulate(&s, 2, actors.collect());
            all_came_through(&report);
            let heirs = heirs.count() as u64;
            assert_eq!(report.counted["follow another head"], heirs, "{report}");
            let mean = report.counted["ms until then, all together"] / heirs;
            println!(
                "seed {seed}: lease {} ms, replaced after {mean} ms in the mean",
                lease(&s)
            );
            assert!(mean < lease(&s));
            // Every leaf finds the dead one out. That an innocent one is blamed besides, because two others were slow, costs nothing but must be rare.
            let l = &report.leaves;
            assert!(l.suspected[&1] >= u64::from(LEAVES), "{report}");
            let others = l.suspected.iter().filter(|(n, _)| **n != 1);
            assert!(others.map(|(_, times)| times).sum::<u64>() <= 2, "{report}");
        }
    });
}

#[test]
fn a_head_that_keeps_readings_back_is_found_out_by_every_leaf() {
    deep(|| {
        for seed in [31, 32] {
            let s = scenario(seed);
            let censor: Box<dyn Actor> = Box::new(Censor { from: 20_000 });
            let report = simulate(&s, 2, vec![(1, censor)]);
            all_came_through(&report);
            let l = &report.leaves;
            let suspected: Vec<u16> = l.suspected.keys().copied().collect();
            assert_eq!(suspected, [1], "{report}");
            assert!(l.suspected[&1] >= u64::from(LEAVES), "{report}");
            assert!(report.counted["kept back from leaves"] >= u64::from(LEAVES));
        }
    });
}

/// A tenth of the frames is lost, some come twice or broken, devices lose power, clocks are wrong.
#[test]
fn bad_links_cost_time_and_nothing_else() {
    deep(|| {
        let mut s = scenario(41);
        s.skew = 40;
        s.link = LinkModel {
            delay_min: 5,
            delay_max: 80,
            loss: 100_000,
            duplicate: 20_000,
            corrupt: 2_000,
        };
        for (node, at) in [(1, 15_000), (3, 28_000), (5, 40_000)] {
            s.reboots.push(Reboot {
                node,
                at,
                down: 3_000,
                lost: node == 3,
            });
        }
        let report = simulate(&s, 2, Vec::new());
        let l = &report.leaves;
        assert!(report.sound(), "{report}");
        assert_eq!((l.active, l.faults, l.unknown), (LEAVES, 0, 0), "{report}");
        assert!(l.sent > u64::from(LEAVES) * 5, "{report}");
        // What died is known to be dead; nothing is forgotten.
        assert!(
            l.settled + l.dead + u64::from(4 * LEAVES) >= l.sent,
            "{report}"
        );
    });
}
