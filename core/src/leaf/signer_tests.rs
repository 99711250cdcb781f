//! A leaf whose key is in a secure element that answers later, wrongly, too late or never.

use super::tests::{ME, NODES};
use super::*;
use crate::crypto::{SecretKey, Signature};
use crate::identity::cert::Kind;
use crate::identity::enrol;
use crate::node::harness::{Network, START, Seat, certificate_by, leak, secret};
use crate::node::test_platform::MemoryPlatform;
use crate::node::tune::Tuning;
use crate::types::{MAX_FRAME, Number};
use crate::wire::{Certificates, EnrolStatus, FrameType};

fn key() -> SecretKey {
    secret(ME as u8)
}

fn boot(platform: MemoryPlatform) -> Leaf<'static, MemoryPlatform> {
    let config = Config::new(secret(201).public_key());
    let signer = LeafSigner::External(key().public_key());
    let buffer = leak(0u8, MAX_FRAME);
    let mut leaf = Leaf::new(config, signer, platform, Software, buffer).unwrap();
    for peer in 1..NODES {
        leaf.add_peer(Peer(peer), false).unwrap();
    }
    leaf
}

/// A leaf among the founders, or one that has still to enrol.
fn world(founders: u8) -> Network {
    let tuning = Tuning::fixed(Millis(100), Millis(1_000), 2);
    let mut net = Network::with_leaves(NODES as u8, founders, tuning);
    net.leaves.push(Seat {
        leaf: Some(boot(MemoryPlatform::default())),
        events: Default::default(),
        sent: Default::default(),
    });
    for n in 1..NODES {
        let _ = net.node(n.into()).add_peer(Millis(START), Peer(ME), false);
    }
    net.pump(START + 4_000);
    assert!(net.all_active(), "{}", net.explain());
    net
}

fn leaf(net: &mut Network) -> &mut Leaf<'static, MemoryPlatform> {
    net.leaves[0].leaf.as_mut().unwrap()
}

fn asked(net: &mut Network) -> Vec<u8> {
    let message = leaf(net).sign_input().unwrap();
    message.expect("it waits").to_vec()
}

fn answer(net: &mut Network, signature: &Signature) -> Result<(), Error> {
    let now = Millis(net.now);
    leaf(net).sign_output(now, signature)
}

fn count(net: &Network, what: impl Fn(&Event) -> bool) -> usize {
    net.leaves[0].events.iter().filter(|e| what(e)).count()
}

fn needed(net: &Network) -> usize {
    count(net, |e| *e == Event::SignatureNeeded)
}

fn sent(net: &Network) -> usize {
    count(net, |e| matches!(e, Event::Sent { .. }))
}

fn transactions(net: &Network) -> usize {
    let number = FrameType::Tx.number();
    let sent = net.leaves[0].sent.iter();
    sent.filter(|(_, bytes)| bytes[4] == number).count()
}

/// A submission that waits for its signature.
fn waiting() -> Network {
    let mut net = world(1);
    let now = Millis(net.now);
    leaf(&mut net)
        .submit(now, &Submission::Data(b"21.5 C"))
        .unwrap();
    net.traffic(1);
    assert_eq!((needed(&net), sent(&net), transactions(&net)), (1, 0, 0));
    net
}

#[test]
fn it_signs_in_its_own_time() {
    let mut net = waiting();
    let message = asked(&mut net);
    // The same, however often it is fetched and whatever comes meanwhile.
    net.pump(net.now + 700);
    assert_eq!(asked(&mut net), message);
    assert_eq!(transactions(&net), 0);
    let right = key().sign(&message);
    assert_eq!(answer(&mut net, &right), Ok(()));
    assert_eq!(answer(&mut net, &right), Err(Error::NotForMe));
    net.traffic(3);
    assert_eq!(sent(&net), 1);
    let witnessed = count(&net, |e| matches!(e, Event::Witnessed { .. }));
    assert_eq!(witnessed, 1, "{:?}", net.leaves[0].events);
    assert_eq!(leaf(&mut net).status().number, Number(1));
}

#[test]
fn a_wrong_answer_never_leaves_and_uses_no_number_up() {
    let mut net = waiting();
    assert_eq!(
        answer(&mut net, &Signature([7; 64])),
        Err(Error::NotForMe),
        "not taken yet"
    );
    for turn in 1..=3 {
        let message = asked(&mut net);
        let mut wrong = match turn {
            1 => secret(3).sign(&message),
            2 => key().sign(b"something else"),
            _ => key().sign(&message),
        };
        wrong.0[40] ^= u8::from(turn == 3);
        let store = leaf(&mut net).platform_mut().store.clone();
        assert_eq!(answer(&mut net, &wrong), Err(Error::Signature));
        assert_eq!(leaf(&mut net).platform_mut().store, store);
        assert_eq!(leaf(&mut net).sign_input(), Ok(None));
        // After a second it is asked again.
        let before = needed(&net);
        net.pump(net.now + 900);
        assert_eq!((needed(&net), transactions(&net)), (before, 0));
        net.traffic(2);
        assert!(needed(&net) > before, "turn {turn}");
        assert_eq!(transactions(&net), 0);
    }
    let message = asked(&mut net);
    assert_eq!(answer(&mut net, &key().sign(&message)), Ok(()));
    net.traffic(2);
    assert_eq!((sent(&net), leaf(&mut net).status().number), (1, Number(1)));
}

#[test]
fn a_failure_is_tried_again() {
    let mut net = waiting();
    let now = Millis(net.now);
    leaf(&mut net).sign_fail(now);
    assert_eq!(leaf(&mut net).sign_input(), Ok(None));
    net.traffic(3);
    assert!(needed(&net) >= 2);
    assert_eq!(transactions(&net), 0);
    let message = asked(&mut net);
    assert_eq!(answer(&mut net, &key().sign(&message)), Ok(()));
}

/// P_max after it was drafted nothing could stand on it: it is drafted anew, with the same number, and the late word belongs to nothing any more.
#[test]
fn one_that_never_answers_is_asked_again_and_its_late_word_dropped() {
    let mut net = waiting();
    let old = asked(&mut net);
    net.traffic(6);
    assert!(needed(&net) >= 2, "{:?}", net.leaves[0].events);
    let new = asked(&mut net);
    assert_ne!(old, new);
    assert_eq!(answer(&mut net, &key().sign(&old)), Err(Error::Signature));
    net.traffic(4);
    assert_eq!(transactions(&net), 0);
    let new = asked(&mut net);
    assert_eq!(answer(&mut net, &key().sign(&new)), Ok(()));
    net.traffic(2);
    assert_eq!((sent(&net), leaf(&mut net).status().number), (1, Number(1)));
}

#[test]
fn the_power_goes_while_it_works() {
    let mut net = waiting();
    let message = asked(&mut net);
    let platform = net.leaves[0].leaf.take().unwrap().into_platform();
    net.leaves[0].leaf = Some(boot(platform));
    let late = answer(&mut net, &key().sign(&message));
    assert_eq!(late, Err(Error::NotForMe));
    net.traffic(4);
    assert!(needed(&net) >= 2);
    assert_eq!(transactions(&net), 0);
    let message = asked(&mut net);
    assert_eq!(answer(&mut net, &key().sign(&message)), Ok(()));
    net.traffic(2);
    assert_eq!((sent(&net), leaf(&mut net).status().number), (1, Number(1)));
}

#[test]
fn it_enrols_and_attests() {
    let mut net = world(0);
    net.demanded = Some([0xf1; 32]);
    leaf(&mut net).platform_mut().firmware = Some([0xf1; 32]);
    let certificate = certificate_by(ME as u8, Kind::Leaf, 200);
    let certificates = Certificates {
        first: &certificate,
        second: None,
    };
    let now = Millis(net.now);
    let device = leaf(&mut net).status().device;
    let without = leaf(&mut net).enrol(now, &certificates, None);
    assert_eq!(
        without,
        Err(Error::Certificate),
        "it was to sign at provisioning"
    );
    let statement = enrol::statement(&secret(201).public_key(), &device).unwrap();
    let proof = key().sign(statement.as_bytes());
    leaf(&mut net)
        .enrol(now, &certificates, Some(&proof))
        .unwrap();
    net.traffic(3);
    assert_eq!(needed(&net), 1);
    let message = asked(&mut net);
    let wrong = secret(3).sign(&message);
    assert_eq!(answer(&mut net, &wrong), Err(Error::Signature));
    // Nobody is bothered with an enrolment that cannot be let in yet; the element is.
    net.pump(net.now + 22_000);
    assert!(needed(&net) >= 3, "{}", needed(&net));
    let refused = count(&net, |e| {
        *e == Event::EnrolRefused {
            status: EnrolStatus::Measurement,
        }
    });
    assert_eq!((refused, net.admitted.len()), (0, 0));
    let mut turns = 0;
    while leaf(&mut net).sign_input() == Ok(None) {
        net.pump(net.now + 1_000);
        turns += 1;
        assert!(turns < 40, "it is not asked again");
    }
    let message = asked(&mut net);
    assert_eq!(answer(&mut net, &key().sign(&message)), Ok(()));
    net.traffic(5);
    assert_eq!(net.admitted.len(), 1);
}
