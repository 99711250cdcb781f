//! A leaf among whole nodes that relay, censor, lie and die; and the same leaf over power cuts and a lost store.

use super::*;
use crate::MAX_FRAME;
use crate::node::harness::{Network, PERIOD, START, Seat, leak, secret};
use crate::node::test_platform::MemoryPlatform;
use crate::node::tune::Tuning;
use crate::node::{self};
use crate::tx::Unverified;
use crate::types::{Amount, Number};
use crate::wire::list::List;
use crate::wire::near::Sighting;
use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec as Vector;

pub(super) const NODES: u16 = 5;
pub(super) const ME: u16 = NODES;

pub(super) fn boot(platform: MemoryPlatform) -> Leaf<'static, MemoryPlatform> {
    let config = Config::new(secret(201).public_key());
    let buffer = leak(0u8, MAX_FRAME);
    let mut leaf = Leaf::new(config, secret(ME as u8), platform, Software, buffer).unwrap();
    // Not the GL-node: a leaf has the neighbours that it hears.
    for peer in 1..NODES {
        leaf.add_peer(Peer(peer), false).unwrap();
    }
    leaf
}

fn world() -> Network {
    world_of(MemoryPlatform::default())
}

fn world_of(platform: MemoryPlatform) -> Network {
    world_of_while(platform, |_| {})
}

/// `each`: between steps, while it joins.
pub(super) fn world_of_while(platform: MemoryPlatform, each: fn(&mut Network)) -> Network {
    let tuning = Tuning::fixed(Millis(100), Millis(1_000), 2);
    let mut net = Network::with_leaves(NODES as u8, 1, tuning);
    net.leaves.push(Seat {
        leaf: Some(boot(platform)),
        events: Vector::new(),
        sent: Vector::new(),
    });
    while net.now < START + 4_000 {
        let at = (net.now + 250).min(START + 4_000);
        net.pump(at);
        each(&mut net);
    }
    assert!(net.all_active(), "{}", net.explain());
    net
}

pub(super) fn leaf(net: &mut Network) -> &mut Leaf<'static, MemoryPlatform> {
    net.leaves[0].leaf.as_mut().unwrap()
}

pub(super) fn submit(net: &mut Network, what: &Submission<'_>) -> Result<u32, Error> {
    let now = Millis(net.now);
    leaf(net).submit(now, what)
}

pub(super) fn events(net: &Network) -> &[Event] {
    &net.leaves[0].events
}

pub(super) fn sent(net: &Network) -> Vector<(Number, Id)> {
    let all = events(net).iter();
    all.filter_map(|e| match e {
        Event::Sent { id, number, .. } => Some((*number, *id)),
        _ => None,
    })
    .collect()
}

fn told(net: &Network, event: Event) -> bool {
    events(net).contains(&event)
}

/// Every number ever had one id only, whatever the leaf sent to whom.
pub(super) fn never_two_for_one_number(net: &Network) {
    let mut seen: BTreeMap<u32, BTreeSet<Vector<u8>>> = BTreeMap::new();
    for (_, bytes) in &net.leaves[0].sent {
        if let Ok((_, Frame::Tx { cose, .. })) = Frame::parse(bytes) {
            let tx = Unverified::parse(cose).unwrap();
            let number = tx.payload().number.0;
            seen.entry(number).or_default().insert(cose.to_vec());
        }
    }
    for (number, forms) in seen {
        assert_eq!(forms.len(), 1, "number {number}");
    }
    for told in &net.events {
        let cheat = |e: &node::Event| matches!(e, node::Event::Equivocation { .. });
        assert!(!told.iter().any(cheat));
    }
}

/// The neighbour that the leaf would ask first.
fn head_of(net: &mut Network) -> u16 {
    submit(net, &Submission::Data(b"who is head")).unwrap();
    net.traffic(6);
    let head = leaf(net).status().head.unwrap();
    assert_eq!(sent(net).len(), 1);
    head.0
}

#[test]
fn it_is_held_witnessed_and_settled() {
    let mut net = world();
    let status = leaf(&mut net).status();
    assert_eq!(
        (status.phase, status.index),
        (Phase::Active, Some(MemberIndex(ME)))
    );
    let before = status.credits;
    assert_eq!(before, Amount(10_000));
    submit(&mut net, &Submission::Data(b"21.5 C")).unwrap();
    assert_eq!(submit(&mut net, &Submission::Data(b"x")), Err(Error::Busy));
    net.traffic(4);
    let transfer = Submission::Transfer {
        to: MemberIndex(2),
        amount: Amount(70),
    };
    submit(&mut net, &transfer).unwrap();
    net.traffic(4);
    let done = sent(&net);
    assert_eq!(done.len(), 2, "{:?}", events(&net));
    for (_, id) in &done {
        assert!(told(&net, Event::Held { id: *id }), "{:?}", events(&net));
        assert!(
            told(&net, Event::Witnessed { id: *id }),
            "{:?}",
            events(&net)
        );
        for n in 0..usize::from(NODES) {
            assert!(net.node(n).tangle().contains(id), "node {n}");
        }
    }
    let cut = net.now - 500;
    let header = net.settle(cut);
    net.traffic(3);
    for (_, id) in &done {
        assert!(
            told(&net, Event::Settled { id: *id, header }),
            "{:?}",
            events(&net)
        );
    }
    let status = leaf(&mut net).status();
    assert_eq!((status.debits, status.unsettled), (Some(Amount(70)), 0));
    // It goes on in the new epoch, over several more.
    for round in 0..3u8 {
        submit(&mut net, &Submission::Service(&[1, round])).unwrap();
        net.traffic(5);
        assert_eq!(
            sent(&net).len(),
            3 + usize::from(round),
            "{:?}",
            events(&net)
        );
        let cut = net.now - 500;
        net.settle(cut);
        net.traffic(2);
    }
    let settled = |e: &&Event| matches!(e, Event::Settled { .. });
    assert_eq!(
        events(&net).iter().filter(settled).count(),
        5,
        "{:?}",
        events(&net)
    );
    assert!(
        !events(&net)
            .iter()
            .any(|e| matches!(e, Event::HeadSuspected { .. } | Event::Dead { .. }))
    );
    never_two_for_one_number(&net);
}

#[test]
fn a_head_that_passes_nothing_on_is_found_out() {
    let mut net = world();
    let head = head_of(&mut net);
    // It takes what the leaf sends, says that it holds it, and keeps it.
    net.meddle = Some(Box::new(move |_, to, bytes| {
        let tx = matches!(Frame::parse(&bytes), Ok((_, Frame::Tx { .. })));
        (to != head || !tx).then_some(bytes)
    }));
    submit(&mut net, &Submission::Data(b"censored")).unwrap();
    net.traffic(8);
    let (_, id) = sent(&net)[1];
    assert!(
        told(&net, Event::HeadSuspected { peer: Peer(head) }),
        "{:?}",
        events(&net)
    );
    assert!(told(&net, Event::Witnessed { id }), "{:?}", events(&net));
    assert_ne!(leaf(&mut net).status().head, Some(Peer(head)));
    // The next one goes another way, at once.
    let before = events(&net).len();
    submit(&mut net, &Submission::Data(b"again")).unwrap();
    net.traffic(4);
    let later = &events(&net)[before..];
    assert!(
        later.iter().any(|e| matches!(e, Event::Held { .. })),
        "{later:?}"
    );
    assert!(
        !later
            .iter()
            .any(|e| matches!(e, Event::HeadSuspected { .. })),
        "{later:?}"
    );
    never_two_for_one_number(&net);
}

#[test]
fn a_head_that_dies_is_replaced_and_nothing_is_lost() {
    let mut net = world();
    let head = head_of(&mut net);
    net.nodes[usize::from(head)] = None;
    submit(&mut net, &Submission::Data(b"after the death")).unwrap();
    net.traffic(9);
    assert!(
        told(&net, Event::HeadSuspected { peer: Peer(head) }),
        "{:?}",
        events(&net)
    );
    let (_, id) = sent(&net)[1];
    assert!(told(&net, Event::Witnessed { id }), "{:?}", events(&net));
    never_two_for_one_number(&net);
}

/// Tips that do not exist: nothing is signed upon them, the number is not used up.
#[test]
fn a_false_offer_costs_only_time() {
    let mut net = world();
    let head = head_of(&mut net);
    let tag = net.tag();
    net.meddle = Some(Box::new(move |from, _, bytes| {
        let Ok((
            _,
            Frame::Near(Near::Offer {
                place,
                term,
                now,
                header,
                ..
            }),
        )) = Frame::parse(&bytes)
        else {
            return Some(bytes);
        };
        if from != head {
            return Some(bytes);
        }
        let mut out = [0; MAX_FRAME];
        let tips = [Id([0xee; 32]), Id([0xdd; 32])];
        let offer = Near::Offer {
            place,
            term,
            now,
            header,
            tips: List::of(&tips),
        };
        let len = Frame::Near(offer).write(tag, &mut out).unwrap();
        Some(out[..len].to_vec())
    }));
    submit(&mut net, &Submission::Data(b"where do I stand")).unwrap();
    net.traffic(1);
    assert_eq!(sent(&net).len(), 1, "signed upon nothing");
    net.traffic(8);
    assert!(
        told(&net, Event::HeadSuspected { peer: Peer(head) }),
        "{:?}",
        events(&net)
    );
    let done = sent(&net);
    assert_eq!(done.len(), 2, "{:?}", events(&net));
    assert_eq!(done[1].0, Number(2));
    assert!(told(&net, Event::Witnessed { id: done[1].1 }));
    never_two_for_one_number(&net);
}

/// Fewer than q liars about time and epoch of tips: what they say is not followed, and does not stop it either.
#[test]
fn a_liar_among_the_witnesses_changes_nothing() {
    for shift in [-1_000_000i64, 5_000] {
        let mut net = world();
        let head = head_of(&mut net);
        let liar = if head == 1 { 2 } else { 1 };
        let tag = net.tag();
        net.meddle = Some(Box::new(move |from, _, bytes| {
            let Ok((_, Frame::Near(Near::Witness(seen)))) = Frame::parse(&bytes) else {
                return Some(bytes);
            };
            if from != liar {
                return Some(bytes);
            }
            let lies: Vector<Sighting> = seen
                .iter()
                .map(|s| Sighting {
                    time: Millis(s.time.0.saturating_add_signed(shift)),
                    epoch: Epoch(s.epoch.0 + 1),
                    stand: crate::wire::near::Stand::Quorum,
                    ..s
                })
                .collect();
            let mut out = [0; MAX_FRAME];
            let len = Frame::Near(Near::Witness(List::of(&lies)))
                .write(tag, &mut out)
                .unwrap();
            Some(out[..len].to_vec())
        }));
        submit(&mut net, &Submission::Data(b"true facts")).unwrap();
        net.traffic(5);
        let (_, id) = sent(&net)[1];
        assert!(told(&net, Event::Witnessed { id }), "{:?}", events(&net));
        assert!(net.node(0).tangle().contains(&id));
    }
}

fn reboot(net: &mut Network, lose_store: bool) {
    let mut platform = net.leaves[0].leaf.take().unwrap().into_platform();
    if lose_store {
        platform.store.clear();
    }
    platform.dead = false;
    platform.cut_at = None;
    net.leaves[0].leaf = Some(boot(platform));
}

/// The power goes at every write in turn: exactly once is said what was to be said, under one id.
#[test]
fn power_cuts_lose_nothing_and_double_nothing() {
    for cut in 1..=4 {
        let mut net = world();
        let _ = head_of(&mut net);
        let platform = leaf(&mut net).platform_mut();
        platform.cut_at = Some(platform.writes + cut);
        let accepted = submit(&mut net, &Submission::Data(b"only once")).is_ok();
        net.traffic(2);
        reboot(&mut net, false);
        net.traffic(8);
        let node = net.node(3);
        let heads = node.tangle().head(node.tables(), MemberIndex(ME));
        let number = heads.unwrap().number;
        let stored = cut > 1;
        assert_eq!(
            number,
            Number(if stored { 2 } else { 1 }),
            "cut {cut} {accepted} {:?}",
            events(&net)
        );
        never_two_for_one_number(&net);
    }
}

#[test]
fn a_lost_store_is_made_up_for_by_the_own_signature() {
    let mut net = world();
    let _ = head_of(&mut net);
    let cut = net.now - 500;
    net.settle(cut);
    submit(
        &mut net,
        &Submission::Transfer {
            to: MemberIndex(1),
            amount: Amount(30),
        },
    )
    .unwrap();
    net.traffic(1);
    submit(&mut net, &Submission::Data(b"last words")).unwrap();
    net.traffic(1);
    assert_eq!(sent(&net).len(), 3);
    // A neighbour claims a higher number with somebody else's signature, and with none.
    let tag = net.tag();
    let index = MemberIndex(ME);
    net.meddle = Some(Box::new(move |from, _, bytes| {
        let Ok((_, Frame::Near(Near::Show { proof, .. }))) = Frame::parse(&bytes) else {
            return Some(bytes);
        };
        let proof = match from {
            1 => None,
            2 => proof.map(|(cose, _)| (cose, Id([1; 32]))),
            _ => return Some(bytes),
        };
        let mut out = [0; MAX_FRAME];
        let show = Near::Show {
            member: index,
            number: Number(900),
            proof,
        };
        let len = Frame::Near(show).write(tag, &mut out).unwrap();
        Some(out[..len].to_vec())
    }));
    reboot(&mut net, true);
    net.traffic(2);
    assert!(
        told(&net, Event::Recovered { number: Number(3) }),
        "{:?}",
        events(&net)
    );
    // What it spent before is not known to it until that is settled.
    assert_eq!(leaf(&mut net).status().debits, None);
    let transfer = Submission::Transfer {
        to: MemberIndex(1),
        amount: Amount(5),
    };
    let ticket = submit(&mut net, &transfer).unwrap();
    net.traffic(1);
    assert!(
        told(
            &net,
            Event::Rejected {
                ticket,
                reason: Error::Credits
            }
        ),
        "{:?}",
        events(&net)
    );
    submit(&mut net, &Submission::Data(b"I am back")).unwrap();
    net.traffic(1);
    assert_eq!(sent(&net).last().unwrap().0, Number(4));
    never_two_for_one_number(&net);
    let cut = net.now - 200;
    net.settle(cut);
    net.traffic(2);
    assert_eq!(
        leaf(&mut net).status().debits,
        Some(Amount(30)),
        "{:?}",
        events(&net)
    );
    submit(&mut net, &transfer).unwrap();
    net.traffic(2);
    assert_eq!(
        sent(&net).last().unwrap().0,
        Number(5),
        "{:?}",
        events(&net)
    );
    never_two_for_one_number(&net);
}

/// Nobody hears it until its epoch is closed: it is dead, says so, and what is said again stands on it.
#[test]
fn what_died_is_known_to_be_dead_and_the_chain_goes_on() {
    let mut net = world();
    let _ = head_of(&mut net);
    net.meddle = Some(Box::new(move |_, _, bytes| {
        let tx = matches!(Frame::parse(&bytes), Ok((_, Frame::Tx { .. })));
        (!tx).then_some(bytes)
    }));
    submit(&mut net, &Submission::Data(b"nobody hears")).unwrap();
    net.traffic(4);
    let (_, id) = sent(&net)[1];
    let cut = net.now;
    net.traffic(PERIOD / 2_000 + 2);
    net.settle(cut);
    net.traffic(4);
    assert!(told(&net, Event::Dead { id }), "{:?}", events(&net));
    net.meddle = None;
    submit(&mut net, &Submission::Data(b"said again")).unwrap();
    net.traffic(12);
    let done = sent(&net);
    assert_eq!(done.len(), 3, "{:?}", events(&net));
    assert!(
        told(&net, Event::Witnessed { id: done[2].1 }),
        "{:?}",
        events(&net)
    );
    never_two_for_one_number(&net);
}

#[test]
fn limits_are_kept_before_anything_is_signed() {
    let mut net = world();
    let _ = head_of(&mut net);
    assert_eq!(submit(&mut net, &Submission::Data(&[])), Err(Error::Body));
    assert_eq!(
        submit(&mut net, &Submission::Data(&[0; 321])),
        Err(Error::Body)
    );
    let pay = |to, amount| Submission::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
    };
    assert_eq!(submit(&mut net, &pay(ME, 5)), Err(Error::Payee));
    assert_eq!(submit(&mut net, &pay(1, 0)), Err(Error::Amount));
    for (wish, reason) in [(pay(1, 1_001), Error::Caps), (pay(99, 5), Error::Payee)] {
        let ticket = submit(&mut net, &wish).unwrap();
        net.traffic(3);
        assert!(
            told(&net, Event::Rejected { ticket, reason }),
            "{:?}",
            events(&net)
        );
    }
    assert_eq!(sent(&net).len(), 1);
    // 1,000 at once are allowed, 20,000 unsettled: beyond the credits first.
    for amount in [1_000, 1_000] {
        submit(&mut net, &pay(1, amount)).unwrap();
        net.traffic(3);
    }
    assert_eq!(leaf(&mut net).status().debits, Some(Amount(2_000)));
}

#[test]
fn what_does_not_prove_itself_is_refused() {
    let mut net = world();
    let _ = head_of(&mut net);
    let cut = net.now - 200;
    net.settle(cut);
    let tag = net.tag();
    let now = Millis(net.now);
    let mut out = [0; MAX_FRAME];
    // Another member's record, and the own one under another root, are not taken.
    let records = net.headers[&1].records.clone();
    let mut bytes = [0; 256];
    let mut w = crate::wire::Writer::new(&mut bytes);
    let mut own = records[usize::from(ME)];
    own.credits = Amount(1 << 40);
    own.encode(&mut w).unwrap();
    let record = Near::Record {
        epoch: Epoch(2),
        record: crate::wire::Raw(w.written()),
        path: List::of(&[]),
    };
    let len = Frame::Near(record).write(tag, &mut out).unwrap();
    let refused = leaf(&mut net).receive(now, Peer(1), &out[..len]);
    assert!(
        matches!(refused, Err(Error::Forged | Error::NotForMe)),
        "{refused:?}"
    );
    net.traffic(3);
    assert_eq!(leaf(&mut net).status().credits, Amount(10_000));
    // Strangers, other neighbourhoods, frames for nodes.
    let l = leaf(&mut net);
    assert_eq!(l.receive(now, Peer(77), &out[..len]), Err(Error::NotForMe));
    out[0] ^= 1;
    assert_eq!(
        l.receive(now, Peer(1), &out[..len]),
        Err(Error::Neighbourhood)
    );
    assert!(matches!(
        l.receive(now, Peer(1), &out[..3]),
        Err(Error::Frame(_))
    ));
    let len = Frame::Near(Near::OfferRequest)
        .write(tag, &mut out)
        .unwrap();
    assert_eq!(l.receive(now, Peer(1), &out[..len]), Err(Error::NotForMe));
}

#[test]
fn it_is_small() {
    let size = core::mem::size_of::<Leaf<'static, MemoryPlatform>>()
        - core::mem::size_of::<MemoryPlatform>();
    println!("a leaf: {size} bytes beside its platform and one frame of {MAX_FRAME}");
    assert!(size <= 2_944, "{size}");
    let mut short = [0; MAX_FRAME - 1];
    let config = Config::new(secret(201).public_key());
    let refused = Leaf::new(
        config,
        secret(1),
        MemoryPlatform::default(),
        Software,
        &mut short,
    );
    assert_eq!(refused.err(), Some(Error::Memory));
}
