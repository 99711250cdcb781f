//! A leaf that is no founder: it hears nodes only, which pass its enrolment on, and becomes a member without weight at the next table.

use super::tests::{ME, NODES, boot};
use super::*;
use crate::MAX_FRAME;
use crate::identity::Roles;
use crate::identity::cert::Kind;
use crate::node::Refusal;
use crate::node::harness::{Network, START, Seat, certificate_by, secret};
use crate::node::test_platform::MemoryPlatform;
use crate::node::tune::Tuning;
use crate::types::Weight;
use crate::wire::{Certificates, EnrolStatus, FrameType};

fn world() -> Network {
    let tuning = Tuning::fixed(Millis(100), Millis(1_000), 2);
    let mut net = Network::with_leaves(NODES as u8, 0, tuning);
    net.leaves.push(Seat {
        leaf: Some(boot(MemoryPlatform::default())),
        events: Default::default(),
        sent: Default::default(),
    });
    for n in 1..NODES {
        let node = net.node(n.into());
        node.add_peer(Millis(START), Peer(ME), false).unwrap();
    }
    net.pump(START + 4_000);
    assert!(net.all_active(), "{}", net.explain());
    net
}

fn leaf(net: &mut Network) -> &mut Leaf<'static, MemoryPlatform> {
    net.leaves[0].leaf.as_mut().unwrap()
}

fn enrol(net: &mut Network, certificate: &[u8]) -> Result<(), Error> {
    let now = Millis(net.now);
    let certificates = Certificates {
        first: certificate,
        second: None,
    };
    leaf(net).enrol(now, &certificates, None)
}

fn asked(net: &Network) -> usize {
    let number = FrameType::Enrol.number();
    let sent = net.leaves[0].sent.iter();
    sent.filter(|(_, bytes)| bytes[4] == number).count()
}

#[test]
fn it_joins_through_its_neighbours_without_weight_and_speaks() {
    let mut net = world();
    assert_eq!(leaf(&mut net).status().phase, Phase::Following);
    assert_eq!(asked(&net), 0, "nobody told it to");
    enrol(&mut net, &certificate_by(ME as u8, Kind::Leaf, 200)).unwrap();
    // The power goes before the answer: the wish to join is in the store.
    net.pump(net.now + 1);
    let platform = net.leaves[0].leaf.take().unwrap().into_platform();
    net.leaves[0].leaf = Some(boot(platform));
    net.traffic(3);
    let events = &net.leaves[0].events;
    assert!(events.contains(&Event::EnrolAccepted), "{events:?}");
    assert_eq!(leaf(&mut net).status().index, None);

    let weight: u32 = net.founders.iter().map(|r| r.weight.0).sum();
    let cut = net.now - 100;
    let header = net.settle(cut);
    let records = net.headers[&header.0].records.clone();
    let own = records.get(usize::from(ME)).expect("the join is settled");
    assert_eq!((own.roles, own.weight), (Roles::SUBMIT_ONLY, Weight(0)));
    assert_eq!(records.iter().map(|r| r.weight.0).sum::<u32>(), weight);
    net.traffic(3);
    let index = MemberIndex(ME);
    let events = &net.leaves[0].events;
    assert!(events.contains(&Event::Member { index }), "{events:?}");
    let before = asked(&net);

    let now = Millis(net.now);
    leaf(&mut net)
        .submit(now, &Submission::Data(b"first words"))
        .unwrap();
    // Nobody has tips of its first epoch before the next trim: it waits, and blames nobody.
    net.traffic(6);
    let blamed = |e: &Event| matches!(e, Event::HeadSuspected { .. } | Event::Sent { .. });
    let events = &net.leaves[0].events;
    assert!(!events.iter().any(blamed), "{events:?}");
    let cut = net.now - 500;
    net.settle(cut);
    net.traffic(5);
    let events = net.leaves[0].events.clone();
    let id = events.iter().find_map(|e| match e {
        Event::Sent { id, .. } => Some(*id),
        _ => None,
    });
    let id = id.unwrap_or_else(|| panic!("{events:?}"));
    assert!(events.contains(&Event::Witnessed { id }), "{events:?}");
    let cut = net.now - 500;
    let header = net.settle(cut);
    net.traffic(2);
    let events = &net.leaves[0].events;
    assert!(
        events.contains(&Event::Settled { id, header }),
        "{events:?}"
    );
    assert_eq!(asked(&net), before, "a member does not ask");
}

#[test]
fn a_certificate_that_is_not_its_own_or_no_leafs_is_not_shown() {
    let mut net = world();
    for (whose, kind) in [(ME as u8 + 1, Kind::Leaf), (ME as u8, Kind::Device)] {
        let refused = enrol(&mut net, &certificate_by(whose, kind, 200));
        assert_eq!(refused, Err(Error::Certificate));
    }
    assert_eq!(enrol(&mut net, b"none"), Err(Error::Certificate));
    let own = certificate_by(ME as u8, Kind::Leaf, 200);
    let now = Millis(net.now);
    let certificates = Certificates {
        first: &own,
        second: None,
    };
    let forged = crate::crypto::Signature([7; 64]);
    let refused = leaf(&mut net).enrol(now, &certificates, Some(&forged));
    assert_eq!(refused, Err(Error::Certificate));
    net.traffic(2);
    assert_eq!(asked(&net), 0);
    // The same once more wears no flash.
    enrol(&mut net, &own).unwrap();
    let writes = leaf(&mut net).platform_mut().writes;
    enrol(&mut net, &own).unwrap();
    assert_eq!(leaf(&mut net).platform_mut().writes, writes);
}

#[test]
fn a_stranger_is_refused_and_asks_more_rarely() {
    let mut net = world();
    enrol(&mut net, &certificate_by(ME as u8, Kind::Leaf, 150)).unwrap();
    net.traffic(4);
    let status = EnrolStatus::Certificate;
    let events = &net.leaves[0].events;
    assert!(
        events.contains(&Event::EnrolRefused { status }),
        "{events:?}"
    );
    let before = asked(&net);
    net.traffic(10);
    assert!(asked(&net) <= before + 1, "{before} {}", asked(&net));
    assert!(net.admitted.is_empty());
}

/// Whoever floods enrolments gets one through in two seconds; an answer comes from the uplink and goes to who asked.
#[test]
fn a_node_passes_on_one_at_a_time_and_answers_from_above_only() {
    let mut net = world();
    let certificate = certificate_by(ME as u8, Kind::Leaf, 200);
    let mut out = [0; MAX_FRAME];
    let frame = Frame::Enrol {
        certificates: Certificates {
            first: &certificate,
            second: None,
        },
        proof: &[1; 64],
        attestation: None,
    };
    let len = frame.write([0; 4], &mut out).unwrap();
    let now = Millis(net.now);
    let node = net.node(1);
    assert_eq!(
        node.receive(now, Peer(99), &out[..len]),
        Err(Refusal::NotForMe)
    );
    let mut result = [0; MAX_FRAME];
    let answer = Frame::EnrolResult {
        device: crate::identity::CoseKey::thumbprint(&secret(ME as u8).public_key()),
        status: EnrolStatus::Accepted,
        index: None,
    };
    let answer = answer.write([0; 4], &mut result).unwrap();
    let answer = &result[..answer];
    // Nobody asked yet.
    assert_eq!(node.receive(now, Peer(99), answer), Err(Refusal::NotForMe));
    assert_eq!(node.receive(now, Peer(ME), &out[..len]), Ok(()));
    assert_eq!(
        node.receive(now, Peer(2), &out[..len]),
        Err(Refusal::RateLimited)
    );
    // A neighbour's word for the gateway's.
    assert_eq!(node.receive(now, Peer(2), answer), Err(Refusal::NotForMe));
    assert_eq!(node.receive(now, Peer(99), answer), Ok(()));
    let mut frame = [0; MAX_FRAME];
    let mut to_leaf = 0;
    let mut to_uplink = 0;
    while let Some((to, n)) = node.next_frame(now, &mut frame) {
        to_leaf += usize::from(to == Peer(ME) && &frame[..n] == answer);
        to_uplink += usize::from(to == Peer(99) && frame[..n] == out[..len]);
    }
    assert_eq!((to_leaf, to_uplink), (1, 1));
    let later = now.saturating_add(2_000);
    assert_eq!(node.receive(later, Peer(2), &out[..len]), Ok(()));
}

const GOOD: [u8; 32] = [0xf1; 32];

/// A leaf that enrols where its firmware is asked for, and what it was told in six seconds.
fn demanded(firmware: Option<[u8; 32]>) -> Network {
    let mut net = world();
    net.demanded = Some(GOOD);
    leaf(&mut net).platform_mut().firmware = firmware;
    enrol(&mut net, &certificate_by(ME as u8, Kind::Leaf, 200)).unwrap();
    net.traffic(6);
    net
}

fn refusals(net: &Network) -> Vec<EnrolStatus> {
    let events = net.leaves[0].events.iter();
    let refused = events.filter_map(|e| match e {
        Event::EnrolRefused { status } => Some(*status),
        _ => None,
    });
    refused.collect()
}

#[test]
fn it_says_what_runs_on_it_through_its_neighbours() {
    let net = demanded(Some(GOOD));
    let events = &net.leaves[0].events;
    assert!(events.contains(&Event::EnrolAccepted), "{events:?}");
    assert_eq!(refusals(&net), []);
    assert_eq!(net.admitted.len(), 1);
}

#[test]
fn another_firmware_is_refused_and_told() {
    let net = demanded(Some([0xee; 32]));
    assert_eq!(refusals(&net), [EnrolStatus::Measurement]);
    assert!(net.admitted.is_empty());
}

#[test]
fn who_cannot_attest_is_refused_and_told() {
    let net = demanded(None);
    assert_eq!(refusals(&net), [EnrolStatus::Attestation]);
    assert!(net.admitted.is_empty());
}

#[test]
fn a_challenge_for_another_or_for_nothing_is_not_answered() {
    let mut net = world();
    let now = Millis(net.now);
    leaf(&mut net).platform_mut().firmware = Some(GOOD);
    let ask = |net: &mut Network, device: Id| {
        let mut out = [0; MAX_FRAME];
        let frame = Frame::Challenge {
            device,
            challenge: &[1; 16],
        };
        let len = frame.write([0; 4], &mut out).unwrap();
        leaf(net).receive(now, Peer(1), &out[..len])
    };
    let own = leaf(&mut net).status().device;
    assert_eq!(
        ask(&mut net, own),
        Err(Error::NotForMe),
        "it does not enrol"
    );
    enrol(&mut net, &certificate_by(ME as u8, Kind::Leaf, 200)).unwrap();
    assert_eq!(ask(&mut net, Id([4; 32])), Err(Error::NotForMe));
    assert_eq!(ask(&mut net, own), Ok(()));
    // A member says nothing of itself to whoever asks.
    net.traffic(4);
    let cut = net.now - 100;
    net.settle(cut);
    net.traffic(3);
    assert!(leaf(&mut net).status().index.is_some());
    assert_eq!(ask(&mut net, own), Err(Error::NotForMe));
}
