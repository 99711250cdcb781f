//! Whole nodes talking to each other in one process, with a gateway's and validators' part played by the test.

use super::harness::*;
use super::*;
use crate::channel::{ChannelNumber, Index, KeyEpoch, Mode, Op};
use crate::wire::list::List;
use crate::wire::{Frame, Writer};
use crate::{MAX_FRAME, Prefix, tx};
use std::vec::Vec;

#[test]
fn nodes_join_trade_settle_and_prove() {
    let mut net = Network::new(5);
    net.pump(START + 2_000);
    assert!(net.all_active(), "{}", net.explain());
    net.traffic(10);
    let early = net.ids_sent(2);
    assert!(early.len() > 10);
    let graded = net.events[2]
        .iter()
        .filter(|e| {
            matches!(
                e,
                Event::Graded {
                    grade: Grade::Quorum,
                    ..
                }
            )
        })
        .count();
    assert!(graded * 2 > early.len(), "{graded} of {}", early.len());
    // T + T/2 after the start the first trim can have its fresh quorum.
    net.pump(START + PERIOD);
    net.traffic(6);
    let cut = START + PERIOD;
    assert_eq!(net.settle(cut), HeaderNumber(1));
    net.traffic(6);
    let value: u64 = net.headers[&1]
        .records
        .iter()
        .map(|r| r.credits.0 - r.debits.0)
        .sum();
    assert_eq!(value, 50_000);
    assert_eq!(net.headers[&1].cut, cut);
    for n in 0..5 {
        let receipts = net.events[n]
            .iter()
            .filter(|e| matches!(e, Event::Receipt { .. }))
            .count();
        assert!(receipts > 5, "node {n}: {receipts}");
        let now = Millis(net.now);
        let status = net.node(n).status(now);
        assert_eq!((status.epoch, status.header), (Epoch(2), HeaderNumber(1)));
    }
    // The second epoch goes on top of it.
    assert_eq!(net.settle(cut + PERIOD), HeaderNumber(2));
    net.traffic(5);
    for n in 0..5 {
        let now = Millis(net.now);
        assert_eq!(net.node(n).status(now).epoch, Epoch(3));
    }
}

#[test]
fn a_lossy_network_ends_with_one_ledger() {
    let mut net = Network::started(6);
    net.lose = 6;
    net.traffic(8);
    net.lose = 0;
    let quiet = net.now + 5_000;
    net.pump(quiet);
    net.assert_same_windows();
    assert!(net.window(0).len() > 90);
}

#[test]
fn a_cheat_is_proved_and_frozen_everywhere() {
    let mut net = Network::started(6);
    net.traffic(3);
    // Both sides reach different halves of the neighbourhood first.
    let other = net.forge(3, 1, tx::Body::Data(b"the other story"));
    for to in [4u16, 5] {
        net.wire.push_back((net.now, 3, to, other.clone()));
    }
    net.traffic(6);
    let quiet = net.now + 3_000;
    net.pump(quiet);
    for n in [0, 1, 2, 4, 5] {
        let frozen = net.events[n]
            .iter()
            .any(|e| matches!(e, Event::Frozen { member } if member.0 == 3));
        assert!(frozen, "node {n}\n{}", net.explain());
    }
    // The honest go on.
    let before = net.ids_sent(1).len();
    net.traffic(3);
    assert!(net.ids_sent(1).len() > before);
    let now = Millis(net.now);
    assert!(net.node(3).status(now).frozen || net.node(3).status(now).phase == Phase::Recovering);
}

#[test]
fn a_reboot_goes_on_with_the_same_chain_and_outbox() {
    let mut net = Network::started(5);
    net.traffic(3);
    // Offline, so that what is submitted waits.
    net.cut = (0..5).filter(|p| *p != 2).map(|p| (2, p)).collect();
    let before = net.window(2).len();
    let now = Millis(net.now);
    let tickets: Vec<_> = (0..3u8)
        .map(|n| {
            net.node(2)
                .submit(now, &Submission::Data(&[n; 4]), None)
                .unwrap()
        })
        .collect();
    net.reboot(2, false);
    net.cut.clear();
    let quiet = net.now + 4_000;
    net.pump(quiet);
    net.traffic(2);
    let quiet = net.now + 3_000;
    net.pump(quiet);
    assert!(!tickets.is_empty() && net.window(2).len() > before);
    net.assert_same_windows();
    let now = Millis(net.now);
    assert_eq!(
        net.node(2).status(now).phase,
        Phase::Active,
        "{}",
        net.explain()
    );
    assert!(
        !net.events[0]
            .iter()
            .any(|e| matches!(e, Event::Equivocation { .. }))
    );
}

#[test]
fn a_lost_store_keeps_a_node_silent_until_its_neighbours_tell_its_head() {
    let mut net = Network::started(5);
    net.traffic(3);
    let number = {
        let now = Millis(net.now);
        net.node(2).status(now).number
    };
    net.reboot(2, true);
    let later = net.now + 6_000;
    net.pump(later);
    net.traffic(3);
    let now = Millis(net.now);
    let status = net.node(2).status(now);
    assert_eq!(status.phase, Phase::Active, "{}", net.explain());
    assert!(status.number > number);
    assert!(net.events[2].iter().any(|e| matches!(e, Event::Recovering)));
    assert!(net.events[2].iter().any(|e| matches!(e, Event::Recovered)));
    assert!(
        !net.events[0]
            .iter()
            .any(|e| matches!(e, Event::Equivocation { .. }))
    );
    net.assert_same_windows();
}

/// The gateway alone knows what was said, and one device alone hears it: the others' word that nothing was is no answer.
#[test]
fn who_lost_its_store_with_all_its_neighbours_signs_no_number_twice() {
    for delay in [3, 40, 120] {
        let mut net = Network::started(6);
        net.delay = delay;
        net.traffic(3);
        net.cut = (2..6).map(|n| (0, n)).collect();
        for n in 1..6 {
            net.reboot(n, true);
        }
        net.traffic(4);
        let later = net.now + 8_000;
        net.pump(later);
        net.traffic(3);
        let forked = |e: &Event| matches!(e, Event::Equivocation { .. } | Event::Frozen { .. });
        assert!(!net.events.iter().flatten().any(forked), "delay {delay}");
        assert!(net.all_active(), "delay {delay}: {}", net.explain());
    }
}

/// Where nobody has anything, waiting longer brings nothing.
#[test]
fn where_all_lost_everything_they_go_on_from_what_is_settled() {
    let mut net = Network::started(4);
    net.traffic(3);
    let cut = net.now;
    net.traffic(3);
    net.settle(cut);
    for n in 0..4 {
        net.reboot(n, true);
    }
    let later = net.now + 8_000;
    net.pump(later);
    assert!(net.all_active(), "{}", net.explain());
    net.traffic(3);
    let forked = |e: &Event| matches!(e, Event::Equivocation { .. });
    assert!(!net.events.iter().flatten().any(forked));
}

#[test]
fn a_partition_heals() {
    let mut net = Network::started(6);
    net.traffic(2);
    net.cut = [
        (0, 3),
        (0, 4),
        (0, 5),
        (1, 3),
        (1, 4),
        (1, 5),
        (2, 3),
        (2, 4),
        (2, 5),
    ]
    .to_vec();
    net.traffic(2);
    net.cut.clear();
    net.traffic(3);
    let quiet = net.now + 4_000;
    net.pump(quiet);
    net.assert_same_windows();
}

#[test]
fn a_neighbour_passes_on_what_the_gateway_settled() {
    let mut net = Network::started(5);
    net.traffic(12);
    net.pump(START + PERIOD);
    net.traffic(6);
    // Node 4 cannot hear the gateway when the epoch is closed, and comes back from a reboot without it.
    net.cut = vec![(99, 4), (4, 99)];
    net.deaf = vec![4];
    assert_eq!(net.settle(START + PERIOD), HeaderNumber(1));
    net.reboot(4, false);
    let later = net.now + 6_000;
    net.pump(later);
    let now = Millis(net.now);
    let status = net.node(4).status(now);
    assert_eq!(
        (status.header, status.epoch),
        (HeaderNumber(1), Epoch(2)),
        "{}",
        net.explain()
    );
    assert_eq!(status.phase, Phase::Active);
}

#[test]
fn a_rotated_key_signs_for_the_same_account() {
    let mut net = Network::started(5);
    net.traffic(2);
    let now = Millis(net.now);
    net.node(2).rotate(now, secret(77)).unwrap();
    assert_eq!(
        net.node(2).rotate(now, secret(2)),
        Err(Refusal::MemberOperation)
    );
    net.traffic(10);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    // Not before the first trim was certified.
    net.settle(START + 2 * PERIOD + 1_000);
    net.traffic(8);
    let record = net.headers[&1].records[2];
    assert_eq!(record.key, secret(77).public_key());
    assert_eq!(record.device, net.founders[2].device);
    // What it issues in the new epoch is approved by the others: its own transactions still reach their Quorum.
    let now = Millis(net.now);
    let before = net.events[2].len();
    net.node(2)
        .submit(now, &Submission::Data(b"by the new key"), None)
        .unwrap();
    net.traffic(4);
    let quorum = net.events[2]
        .iter()
        .skip(before)
        .filter(|e| {
            matches!(
                e,
                Event::Graded {
                    grade: Grade::Quorum,
                    ..
                }
            )
        })
        .count();
    assert!(quorum > 0, "{}", net.explain());
    net.assert_same_windows();
}

#[test]
fn a_gl_node_that_says_all_it_can_still_trims() {
    let mut net = Network::started(4);
    let mut said = 0;
    for _ in 0..40 {
        let now = Millis(net.now);
        while net
            .node(0)
            .submit(now, &Submission::Data(b"21.5 C"), None)
            .is_ok()
        {
            said += 1;
        }
        net.pump(net.now + 100);
    }
    assert!(said >= 60, "{said}");
    let now = Millis(net.now);
    assert_eq!(
        net.node(0)
            .submit(now, &Submission::Data(b"one more"), None),
        Err(Refusal::OutboxFull)
    );
    net.pump(START + PERIOD);
    net.settle(START + PERIOD);
}

#[test]
fn a_member_that_does_not_reach_the_gateway_gets_its_proofs_by_others() {
    let mut net = Network::started(4);
    let now = Millis(net.now);
    // Two hops from the gateway, and the one between has a proof of its own to wait for.
    for (node, above) in [(3, 2), (2, 1)] {
        net.node(node).remove_peer(Peer(99));
        net.node(node).add_peer(now, Peer(above), true).unwrap();
    }
    net.traffic(20);
    net.pump(START + PERIOD);
    net.traffic(2);
    net.settle(START + PERIOD);
    net.traffic(8);
    for node in 0..4 {
        let receipts = |e: &&Event| matches!(e, Event::Receipt { .. });
        let count = net.events[node].iter().filter(receipts).count();
        assert!(count >= 20, "{node}: {count}");
    }
    // Who asks its own uplink's neighbour from above gets nothing: no request goes round.
    let tag = net.tag();
    let mut out = [0; MAX_FRAME];
    let ids = [Id([7; 32])];
    let len = Frame::ProofRequest {
        ids: List::of(&ids),
    }
    .write(tag, &mut out)
    .unwrap();
    let now = Millis(net.now);
    let refused = net.node(3).receive(now, Peer(2), &out[..len]);
    assert_eq!(refused, Err(Refusal::NotForMe));
}

#[test]
fn what_died_is_told_and_issued_again() {
    let mut net = Network::started(6);
    net.traffic(3);
    // Node 5 is alone while the others go through the whole epoch: nobody approves what it issues meanwhile.
    net.cut = (0..6).filter(|p| *p != 5).map(|p| (5, p)).collect();
    net.cut.push((99, 5));
    net.deaf = vec![5];
    net.traffic(3);
    let lonely = net.ids_sent(5);
    net.traffic(4);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    net.cut.clear();
    net.deaf.clear();
    net.traffic(10);
    let dead: Vec<Id> = net.events[5]
        .iter()
        .filter_map(|e| match e {
            Event::Graded {
                id,
                grade: Grade::Dead,
                ..
            } => Some(*id),
            _ => None,
        })
        .collect();
    assert!(!dead.is_empty(), "{}", net.explain());
    let again = net.events[5]
        .iter()
        .filter(|e| matches!(e, Event::Reissued { .. }))
        .count();
    assert!(again > 0);
    let settled = &net.headers[&1].leaves;
    assert!(dead.iter().all(|id| !settled.contains(id)));
    assert!(!lonely.is_empty());
    // Value is conserved and the account goes on.
    let quiet = net.now + 4_000;
    net.pump(quiet);
    net.settle(START + 2 * PERIOD);
    let value: u64 = net.headers[&2]
        .records
        .iter()
        .map(|r| r.credits.0 - r.debits.0)
        .sum();
    assert_eq!(value, 60_000);
}

/// What is issued in an epoch that is over for the others, above the cut of the next trim, is void by the one after it; and what the same member says
/// next lives. So the newest table has a head above the dead.
#[test]
fn what_died_below_what_lives_is_told_too() {
    let mut net = Network::started(12);
    net.traffic(2);
    for epoch in 1..=2 {
        net.pump(START + epoch * PERIOD + PERIOD / 2);
        // From before the second trim on it hears nobody.
        if epoch == 2 {
            net.cut = (0..=99).map(|n| (5, n)).collect();
        }
        net.traffic(1);
        net.settle(START + epoch * PERIOD);
    }
    net.pump(START + 3 * PERIOD + 500);
    let said = net.ids_sent(5).len();
    let now = Millis(net.now);
    let announce = Op::Announce {
        number: ChannelNumber { main: 1, sub: 2 },
        mode: Mode::Private,
        epoch: KeyEpoch(3),
        index: Index(40),
    };
    net.node(5)
        .submit(now, &Submission::Channel(announce), None)
        .unwrap();
    let long = Op::Message {
        number: ChannelNumber::default(),
        sealed: &[7; 320],
    };
    let refused = net.node(5).submit(now, &Submission::Channel(long), None);
    assert_eq!(refused, Err(Refusal::BodyLength));
    net.pump(now.0 + 10);
    let late = net.ids_sent(5)[said..].to_vec();
    assert_eq!(late.len(), 1);
    net.cut.clear();
    net.traffic(2);
    for epoch in 3..=4 {
        net.pump(START + epoch * PERIOD + PERIOD / 2);
        net.traffic(1);
        net.settle(START + epoch * PERIOD);
        net.traffic(2);
    }
    net.pump(net.now + 3_000);
    let settled: Vec<Id> = net
        .headers
        .values()
        .flat_map(|h| h.leaves.clone())
        .collect();
    let told = net.events[5].iter().filter_map(|e| match e {
        Event::Graded { id, grade, .. } => Some((*id, *grade)),
        _ => None,
    });
    let dead: Vec<Id> = told
        .filter(|(_, g)| *g == Grade::Dead)
        .map(|t| t.0)
        .collect();
    assert!(dead.contains(&late[0]) && !settled.contains(&late[0]));
    let after = net.ids_sent(5)[said + 1..].to_vec();
    assert!(after.iter().any(|id| settled.contains(id)));
    // What it said is not lost.
    let again = |e: &Event| matches!(e, Event::Reissued { dead, .. } if *dead == late[0]);
    assert_eq!(net.events[5].iter().filter(|e| again(e)).count(), 1);
    let heard = net.events[1].iter().find_map(|e| match e {
        Event::Channel { id, issuer, op } => Some((*id, *issuer, *op)),
        _ => None,
    });
    let (id, issuer, op) = heard.unwrap();
    assert_eq!((issuer, op), (MemberIndex(5), 0));
    let mut body = [0; 16];
    let mut w = Writer::new(&mut body);
    announce.write(&mut w).unwrap();
    assert_eq!(net.node(1).body(&id), Some(w.written()));
}

/// Between a settled header and its table the GL-node knows no predecessor for the next trim: the old one would make it a cheat.
#[test]
fn the_gl_node_does_not_trim_between_a_header_and_its_table() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.pump(START + 3 * PERIOD / 2);
    net.traffic(2);
    let trim = |net: &mut Network, cut: u64| {
        let now = Millis(net.now);
        let cut = Submission::Trim { cut: Millis(cut) };
        net.node(0).submit(now, &cut, None).unwrap();
    };
    let certified = |net: &Network| {
        net.events[0].iter().rev().find_map(|e| match e {
            Event::TrimCertified { id, .. } => Some(*id),
            _ => None,
        })
    };
    trim(&mut net, START + PERIOD);
    net.traffic(3);
    net.pump(START + 5 * PERIOD / 2);
    net.traffic(2);
    let first = certified(&net).expect("certified");
    net.close(first);
    // Header and votes come, but no table: nothing that node 0 asks for leaves it.
    net.cut = (1..=99).map(|n| (0, n)).collect();
    let now = net.now;
    net.pump(now + 50);
    let status = net.node(0).status(Millis(now));
    assert_eq!((status.header, status.epoch), (HeaderNumber(1), Epoch(1)));
    trim(&mut net, START + 2 * PERIOD);
    net.pump(now + 500);
    net.cut.clear();
    net.traffic(4);
    let cheats = |net: &Network| {
        let told = net.events.iter().flatten();
        told.filter(|e| matches!(e, Event::Equivocation { .. } | Event::Frozen { .. }))
            .count()
    };
    assert_eq!(cheats(&net), 0);
    let second = certified(&net).expect("certified");
    assert_ne!(second, first, "it waited in the outbox");
    // And never a second one upon the same predecessor.
    trim(&mut net, START + 2 * PERIOD + 1);
    net.traffic(1);
    assert!(net.events[0].iter().any(|e| matches!(
        e,
        Event::Rejected {
            reason: Refusal::VoidTrim,
            ..
        }
    )));
    assert_eq!(cheats(&net), 0);
    assert_eq!(net.close(second), HeaderNumber(2));
}

/// A member's chain of `count` more transactions, made and given to node 0 in one breath.
fn hurry(net: &mut Network, member: u8, count: u32) {
    let index = MemberIndex(u16::from(member));
    let now = Millis(net.now);
    let node = net.node(0);
    let neighbourhood = node.status(now).neighbourhood;
    for _ in 0..count {
        let head = node.tangle().head(node.tables(), index).unwrap();
        let facts = node.tangle().get(&head.id).unwrap();
        let draft = tx::Draft {
            epoch: facts.epoch,
            issuer: index,
            number: Number(head.number.0 + 1),
            offset: u32::try_from(facts.time.0 - START).unwrap() + 1,
            first: head.id,
            tips: &[],
            body: tx::Body::Data(b"quick"),
        };
        let mut payload = [0; 480];
        let fitted = draft.encode(&mut payload).unwrap();
        let mut cose = [0; 700];
        let signed = tx::sign_with(
            &secret(member),
            &neighbourhood,
            fitted.payload,
            &fitted.parents,
            &mut cose,
        )
        .unwrap();
        let mut frame = neighbourhood.tag().to_vec();
        frame.push(1);
        frame.extend_from_slice(signed.cose());
        node.receive(now, Peer(index.0), &frame).unwrap();
    }
}

/// What node 0 has to say to a neighbour at this moment: transactions, and prefixes announced.
fn said_to(net: &mut Network, peer: u16) -> (usize, usize) {
    let now = Millis(net.now);
    let mut out = [0; crate::MAX_FRAME];
    let (mut sent, mut announced) = (0, 0);
    while let Some((to, len)) = net.node(0).next_frame(now, &mut out) {
        match crate::wire::Frame::parse(&out[..len]).unwrap().1 {
            crate::wire::Frame::Tx { .. } if to.0 == peer => sent += 1,
            crate::wire::Frame::Announce(prefixes) if to.0 == peer => announced += prefixes.len(),
            _ => {}
        }
    }
    (sent, announced)
}

#[test]
fn announcements_keep_up_with_a_busy_neighbourhood() {
    let mut net = Network::started(3);
    net.traffic(1);
    let quiet = net.now + 1_000;
    net.pump(quiet);
    hurry(&mut net, 1, 150);
    net.now += 200;
    assert_eq!(said_to(&mut net, 2), (0, 150));
    // The rest waits for company, as before.
    hurry(&mut net, 1, 5);
    assert_eq!(said_to(&mut net, 2), (0, 0));
    net.now += 200;
    assert_eq!(said_to(&mut net, 2), (0, 5));
}

/// Nodes that announced in step would stay in step, and each hop would cost a whole interval: a thousand that were founded at once found no `Quorum` in time.
#[test]
fn announcements_do_not_keep_step() {
    let mut net = Network::started(3);
    net.traffic(1);
    let begin = net.now + 1_000;
    net.pump(begin);
    let mut times = Vec::new();
    for _ in 0..400 {
        hurry(&mut net, 1, 1);
        if said_to(&mut net, 2).1 > 0 {
            times.push(net.now);
        }
        net.now += 10;
    }
    let mut pauses: Vec<u64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    pauses.sort_unstable();
    let (least, most) = (pauses[0], *pauses.last().unwrap());
    let mean = (times.last().unwrap() - times[0]) / pauses.len() as u64;
    assert!(least >= 70 && most <= 390 && mean <= 310, "{pauses:?}");
    pauses.dedup();
    assert!(pauses.len() > 4, "{pauses:?}");
}

#[test]
fn a_fed_neighbour_gets_everything_unasked_and_once() {
    let mut net = Network::started(3);
    net.traffic(1);
    let quiet = net.now + 1_000;
    net.pump(quiet);
    assert!(net.node(0).feed_peer(Peer(2)));
    assert!(!net.node(0).feed_peer(Peer(77)));
    hurry(&mut net, 1, 100);
    assert_eq!(said_to(&mut net, 2), (100, 0));
    net.now += 200;
    assert_eq!(said_to(&mut net, 2), (0, 0));
    assert_eq!(said_to(&mut net, 1), (0, 0), "its own");
}

/// Who waits for all that it said still follows what it is paid.
#[test]
fn own_transactions_leave_a_place_for_a_payment() {
    let mut net = Network::started(4);
    let said = |net: &Network| net.ids_sent(2).len();
    let mut before = usize::MAX;
    while said(&net) != before {
        before = said(&net);
        for _ in 0..16 {
            let now = Millis(net.now);
            let _ = (net.node(2)).submit(now, &Submission::Data(b"21.5 C"), None);
        }
        net.pump(net.now + 4 * PERIOD);
    }
    // Two more are kept for approving trims.
    assert!(before + 3 >= usize::from(LIMITS.own), "{before}");
    let now = Millis(net.now);
    let (to, amount) = (MemberIndex(2), Amount(5));
    net.node(3)
        .submit(now, &Submission::Transfer { to, amount }, None)
        .unwrap();
    net.traffic(2);
    // With one place, the newest.
    let paid = net.events[2].iter().rev().find_map(|e| match e {
        Event::Received { id, .. } => Some(*id),
        _ => None,
    });
    assert!(net.node(2).grade(&paid.unwrap()).is_some());
    assert!(!net.events[2].contains(&Event::PlatformFailed));
}

/// All say at once what they have places for; then somebody must still be able to speak T/2 later, or nothing is ever settled.
#[test]
fn a_burst_of_all_members_is_settled_nevertheless() {
    let mut net = Network::started(5);
    let places = usize::from(LIMITS.own);
    // The applications are always ready with more.
    let talk = |net: &mut Network, millis: u64| {
        let end = net.now + millis;
        while net.now < end {
            for n in 1..5 {
                let now = Millis(net.now);
                while net
                    .node(n)
                    .submit(now, &Submission::Data(b"more"), None)
                    .is_ok()
                {}
            }
            net.pump(net.now + 20);
        }
    };
    let sent = |net: &Network| [1, 2, 3, 4].map(|n| net.ids_sent(n).len());
    talk(&mut net, 100);
    let at_once = sent(&net);
    talk(&mut net, PERIOD);
    let later = sent(&net);
    // Half of the places at once; the rest lasts.
    for (at_once, later) in at_once.into_iter().zip(later) {
        assert!((places / 2..places).contains(&at_once), "{at_once}");
        assert!(later > at_once && later < places, "{later}");
    }
    net.pump(START + PERIOD + PERIOD * 3 / 4);
    let certified = |e: &Event| match e {
        Event::TrimCertified { id, .. } => Some(*id),
        _ => None,
    };
    let trim = (0..40)
        .find_map(|_| {
            let (now, cut) = (Millis(net.now), Millis(net.now - PERIOD * 5 / 8));
            let _ = net.node(0).submit(now, &Submission::Trim { cut }, None);
            talk(&mut net, PERIOD / 8);
            net.events[0].iter().find_map(certified)
        })
        .expect("a certified trim");
    assert_eq!(net.close(trim), HeaderNumber(1));
    let before = sent(&net);
    talk(&mut net, PERIOD);
    for (before, after) in before.into_iter().zip(sent(&net)) {
        assert!(after > before + places / 4, "{before} and {after}");
    }
}

/// A call costs a device its sleep: between two calls with nothing in between there is always a pause, in every phase.
#[test]
fn nobody_asks_to_be_called_without_end() {
    let mut net = Network::new(4);
    let mut out = [0; crate::MAX_FRAME];
    // Alone at first, then among others, then active: nobody answers while this looks.
    for until in [START + 300, START + 1_000, START + 3_000] {
        for n in 0..4 {
            let mut now = Millis(net.now);
            let mut calls = 0;
            while now.0 < net.now + 2_000 {
                let node = net.node(n);
                while node.next_frame(now, &mut out).is_some() {}
                while node.next_event().is_some() {}
                now = node.next_deadline(now).max(now.saturating_add(1));
                calls += 1;
            }
            assert!(calls < 100, "node {n} wants {calls} calls in 2 s");
        }
        net.now += 2_000;
        net.pump(until + 2_000);
    }
}

/// Whoever climbs down from tips, parent by parent, through more than the pool holds asks again and again for what it had to drop.
#[test]
fn who_lost_its_window_asks_for_little_more_than_it_lacks() {
    let mut net = Network::started(10);
    net.traffic(20);
    let lacked = net.window(0).len();
    net.reboot(5, false);
    net.traffic(8);
    let quiet = net.now + 3_000;
    net.pump(quiet);
    net.assert_same_windows();
    let said = net.window(0).len() - lacked;
    let asked = net.node(5).counters().requested as usize;
    assert!(asked < 5 * (lacked + said), "{asked} of {lacked} + {said}");
}

/// Sockets and radios lose and reorder: most of an answer comes before what it stands on, and all of it may wait for one lost frame. Meanwhile
/// thirteen neighbours tell of tips far above.
#[test]
fn who_lost_its_window_takes_it_in_over_a_link_that_loses_and_reorders() {
    let mut net = Network::started(14);
    net.traffic(30);
    let lacked = net.window(0).len();
    (net.spread, net.lose) = (50, 33);
    net.reboot_with(
        5,
        false,
        Limits {
            aside: 32,
            ..LIMITS
        },
    );
    let begin = net.now;
    while net.window(5).len() < lacked {
        let until = net.now + 100;
        net.pump(until);
        assert!(net.now < begin + 60_000, "{}", net.window(5).len());
    }
    let counters = net.node(5).counters();
    let inserted = counters.inserted;
    let came = counters.duplicates + counters.refused(Refusal::UnknownParent);
    assert!(lacked > 500);
    assert!(
        came < 2 * inserted,
        "{came} in vain or twice for {inserted}"
    );
}

/// As the gateway and a validator take their stores in again: of what a settled cut covers each parent is shown just before its child.
#[test]
fn what_is_shown_just_before_its_child_is_stood_on() {
    let mut net = Network::started(12);
    let mut stored: Vec<(Id, Vec<Id>, Vec<u8>)> = Vec::new();
    let keep = |net: &mut Network, stored: &mut Vec<(Id, Vec<Id>, Vec<u8>)>| {
        let node = net.node(0);
        for (_, facts) in node.tangle().since(node.tangle().oldest_sequence()) {
            if stored.iter().all(|(id, ..)| *id != facts.id) {
                let parents = node.tangle().parents(&facts.id).flatten().collect();
                stored.push((facts.id, parents, node.raw(&facts.id).unwrap().to_vec()));
            }
        }
    };
    net.traffic(3);
    net.pump(START + PERIOD);
    net.traffic(2);
    keep(&mut net, &mut stored);
    net.settle(START + PERIOD);
    keep(&mut net, &mut stored);
    net.traffic(1);
    keep(&mut net, &mut stored);
    let cut = net.node(0).headers().cut();
    let (_, platform, _) = net.nodes[5].take().unwrap().into_parts();
    let limits = Limits {
        queue: 8,
        aside: 2,
        ..LIMITS
    };
    let mut node = net.boot_with(5, platform, limits);
    assert_eq!(node.headers().newest(), HeaderNumber(1));
    let (tag, mut now) = (net.tag().to_vec(), net.now);
    let mut show = |node: &mut TestNode, raw: &[u8]| {
        now += 1;
        let mut frame = tag.clone();
        frame.push(1);
        frame.extend_from_slice(raw);
        let _ = node.receive(Millis(now), Peer(0), &frame);
    };
    for (_, parents, raw) in &stored {
        for parent in parents {
            let known = stored.iter().find(|(id, ..)| id == parent);
            if let Some((_, _, raw)) = known.filter(|_| !node.tangle().contains(parent)) {
                show(&mut node, raw);
            }
        }
        show(&mut node, raw);
    }
    let gateway = net.nodes[0].as_ref().unwrap();
    let mut above = (stored.iter().map(|(id, ..)| id))
        .filter(|id| gateway.tangle().get(id).is_some_and(|f| f.time > cut))
        .peekable();
    assert!(above.peek().is_some() && above.all(|id| node.tangle().contains(id)));
    // What is shown again stays, though it came first.
    let settled: Vec<_> = (stored.iter())
        .filter(|(id, ..)| !node.tangle().contains(id))
        .collect();
    let room = node.stubs.capacity();
    let (again, others) = (settled[0], &settled[1..room]);
    for (_, _, raw) in [again].into_iter().chain(others.iter().copied()) {
        show(&mut node, raw);
    }
    show(&mut node, &again.2);
    show(&mut node, &settled[room].2);
    assert!(node.stubs.is_full() && node.stubs.iter().any(|(id, _)| *id == again.0));
}

/// All that comes between a header and its table waits for the table. To be told it again twice a second cost a neighbourhood of 200 most of its
/// processor time, and who has the first records has the next ones.
#[test]
fn who_waits_for_a_table_asks_for_nothing_else() {
    let mut net = Network::started(12);
    net.traffic(3);
    net.pump(START + PERIOD);
    net.traffic(2);
    net.settle(START + PERIOD);
    // Header and votes come; what node 5 says does not leave it.
    net.cut = (0..=99).map(|n| (5, n)).collect();
    let end = net.now + 50;
    net.pump(end);
    let status = net.node(5).status(Millis(end));
    assert_eq!((status.header, status.epoch), (HeaderNumber(1), Epoch(1)));
    // The others go on to the epoch of that table.
    net.pump(START + 5 * PERIOD / 2);
    net.traffic(2);
    let lacked = net.node(0).tangle().next_sequence();
    let trim = Submission::Trim {
        cut: Millis(START + 2 * PERIOD),
    };
    let now = Millis(net.now);
    net.node(0).submit(now, &trim, None).unwrap();
    net.traffic(4);
    let now = Millis(net.now);
    let told: Vec<Vec<u8>> = {
        let node = net.node(0);
        let news = node.tangle().since(lacked);
        let news = news.filter(|(_, f)| f.epoch == Epoch(2));
        news.map(|(_, f)| node.raw(&f.id).unwrap().to_vec())
            .collect()
    };
    assert!(told.len() > usize::from(LIMITS.aside) / 2, "{}", told.len());
    let mut frame = net.tag().to_vec();
    for (at, raw) in told.iter().enumerate() {
        frame.truncate(4);
        frame.push(1);
        frame.extend_from_slice(raw);
        let from = Peer((at % 4) as u16);
        assert_eq!(net.node(5).receive(now, from, &frame), Err(Refusal::Busy));
    }
    let prefixes: Vec<Prefix> = (0..4).map(|n| Prefix([n; 16])).collect();
    let tips = Frame::Beacon {
        now,
        header: HeaderNumber(1),
        tips: List::of(&prefixes),
    };
    let mut beacon = [0; MAX_FRAME];
    let len = tips.write(net.tag(), &mut beacon).unwrap();
    net.node(5).receive(now, Peer(1), &beacon[..len]).unwrap();
    // Three seconds in which nobody answers.
    let mut out = [0; crate::MAX_FRAME];
    let (mut time, mut calls, mut syncs) = (now, 0, 0);
    let mut asked: Vec<(Peer, Vec<u8>)> = Vec::new();
    while time < now.saturating_add(3_000) {
        let node = net.node(5);
        while let Some((to, len)) = node.next_frame(time, &mut out) {
            match Frame::parse(&out[..len]).unwrap().1 {
                Frame::Sync { .. } => syncs += 1,
                Frame::TableRequest { .. } => asked.push((to, out[..len].to_vec())),
                _ => {}
            }
        }
        time = node.next_deadline(time).max(time.saturating_add(1));
        calls += 1;
    }
    assert!(calls < 150, "{calls} calls in 3 s");
    assert!(syncs <= 1, "{syncs}");
    assert!(asked.len() >= 8, "{} requests in 3 s", asked.len());
    // One answers: the rest is asked of it, at once.
    net.wire.clear();
    net.gateway(5, &asked[0].1);
    let (_, _, _, answer) = net.wire.pop_front().unwrap();
    let from = Peer(3);
    net.node(5).receive(time, from, &answer).unwrap();
    let mut next = core::iter::from_fn(|| {
        let (to, len) = net.node(5).next_frame(time, &mut out)?;
        let frame = Frame::parse(&out[..len]).unwrap().1;
        Some((to, matches!(frame, Frame::TableRequest { .. })))
    });
    assert_eq!(next.find(|(_, table)| *table), Some((from, true)));
}
