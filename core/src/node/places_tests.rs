//! Devices with few places for what is not settled, in a neighbourhood that settles late.

use super::harness::{LIMITS, Network, PERIOD, START};
use super::tune::Tuning;
use super::{Event, Limits, Submission};
use crate::{MemberIndex, Millis};

/// A gateway, and three devices with so many places each.
fn few_places(own: u16) -> Network {
    let mut net = Network::tuned(4, Tuning::DEFAULT);
    net.pump(START + 2_000);
    for n in 1..4 {
        net.reboot_with(n, false, Limits { own, ..LIMITS });
    }
    net.pump(START + 4_000);
    assert!(net.all_active(), "{}", net.explain());
    net
}

/// The devices say what they may, for so many seconds; the gateway says nothing of its own.
fn talk(net: &mut Network, seconds: u64) {
    for _ in 0..2 * seconds {
        let now = Millis(net.now);
        for n in 1..4 {
            let _ = net.node(n).submit(now, &Submission::Data(b"21.5 C"), None);
        }
        net.pump(now.0 + 500);
    }
}

fn sent(net: &Network) -> [usize; 3] {
    [1, 2, 3].map(|n| net.ids_sent(n).len())
}

#[test]
fn who_used_up_its_places_still_approves_a_trim() {
    for own in [8, 16] {
        let mut net = few_places(own);
        // Ten periods without a trim: nothing is settled, no place is given back.
        talk(&mut net, 10 * PERIOD / 1000);
        let before = sent(&net);
        talk(&mut net, PERIOD / 1000);
        assert_eq!(sent(&net), before);
        // The newest cut that what they said allows, as the gateway has it; their approvals certify it.
        let spoke = (1..4).filter_map(|n| net.node(n).tangle().head_time(MemberIndex(n as u16)));
        let newest = spoke.min().unwrap().0 - PERIOD * 5 / 8;
        let trim = (0..8).find_map(|eighth| {
            let (now, cut) = (Millis(net.now), Millis(newest - eighth * PERIOD / 8));
            let _ = net.node(0).submit(now, &Submission::Trim { cut }, None);
            talk(&mut net, 2);
            net.events[0].iter().find_map(|event| match event {
                Event::TrimCertified { id, .. } => Some(*id),
                _ => None,
            })
        });
        net.close(trim.expect("a trim that is certified"));
        talk(&mut net, PERIOD / 1000);
        let after = sent(&net);
        assert!(
            before.iter().zip(after).all(|(b, a)| *b < a),
            "{before:?}, then {after:?}"
        );
    }
}

#[test]
fn a_reset_makes_nobody_talk_at_once() {
    let mut net = few_places(8);
    talk(&mut net, 4);
    let before = sent(&net)[0];
    for _ in 0..4 {
        net.reboot_with(1, false, Limits { own: 8, ..LIMITS });
        talk(&mut net, 1);
    }
    // Of the second half of its places, not one a second.
    let after = sent(&net)[0];
    assert!(after <= before + 1, "{before}, then {after}");
}
