//! Cheats and those who accuse falsely: forks, evidence, and what becomes of the frozen and of the dead.

use super::*;

/// A fork of a member's newest transaction: another one with the same number.
fn rival(bench: &mut Bench, member: u16) -> (Shape, Shape) {
    let one = bench.next(member);
    let other = one.clone().data(b"the other story");
    (one, other)
}

/// A transaction of kind evidence with anything in the place of its proof.
fn accusation(
    bench: &mut Bench,
    by: u16,
    offender: u64,
    ids: [Id; 2],
    halves: &[&Shape],
) -> Vec<u8> {
    let mut shape = bench.next(by);
    shape.kind = 9;
    shape.body = encoded(|w| {
        w.array(3).unwrap();
        w.uint(offender).unwrap();
        w.id(&ids[0]).unwrap();
        w.id(&ids[1]).unwrap();
    });
    let mut frame = shape.frame();
    if !halves.is_empty() {
        frame.extend(encoded(|w| {
            w.array(2).unwrap();
            w.array(0).unwrap();
            w.array(halves.len()).unwrap();
            for half in halves {
                w.array(4).unwrap();
                w.bytes(&[0xa1, 0x01, 0x27]).unwrap();
                w.bytes(&half.payload()).unwrap();
                w.bytes(&half.signature().0).unwrap();
                w.id(&tx::payload::parents_hash(&half.parents)).unwrap();
            }
        }));
    }
    frame
}

fn sorted<'s>(a: &'s Shape, b: &'s Shape) -> [&'s Shape; 2] {
    match a.id() < b.id() {
        true => [a, b],
        false => [b, a],
    }
}

/// Name, the accused, the ids named, the proof, and what is due.
type Row<'a> = (&'a str, u64, [Id; 2], Vec<&'a Shape>, Refusal);

#[test]
fn forged_evidence() {
    use Refusal::{Attachment, FalseEvidence, UnknownIssuer};
    let mut bench = Bench::new();
    let (one, other) = rival(&mut bench, 3);
    let [a, b] = sorted(&one, &other);
    let ids = [a.id(), b.id()];
    // The next one in the chain of `one`: linked, so no fork.
    let mut linked = one.clone();
    linked.number += 1;
    linked.time += 1;
    linked.parents = vec![one.id()];
    let [c, d] = sorted(&one, &linked);
    let mut apart = linked.clone();
    apart.number += 5;
    let [e, f] = sorted(&one, &apart);
    let (mut fa, mut fb) = (a.clone(), b.clone());
    (fa.key, fb.key) = (2, 2);
    let mut of_four = b.clone();
    (of_four.issuer, of_four.key) = (4, 4);
    let [g, h] = sorted(&one, &of_four);
    let far = [Id([1; 32]), Id([2; 32])];
    let rows: [Row<'_>; 11] = [
        ("no proof", 3, ids, vec![], FalseEvidence),
        ("one transaction twice", 3, ids, vec![a, a], FalseEvidence),
        ("one id twice", 3, [ids[0]; 2], vec![a, b], FalseEvidence),
        (
            "ids falling",
            3,
            [ids[1], ids[0]],
            vec![a, b],
            FalseEvidence,
        ),
        ("halves falling", 3, ids, vec![b, a], FalseEvidence),
        (
            "other ids than the proof's",
            3,
            far,
            vec![a, b],
            FalseEvidence,
        ),
        (
            "signed by the accuser",
            3,
            ids,
            vec![&fa, &fb],
            FalseEvidence,
        ),
        (
            "linked neighbours",
            3,
            [c.id(), d.id()],
            vec![c, d],
            FalseEvidence,
        ),
        (
            "numbers far apart",
            3,
            [e.id(), f.id()],
            vec![e, f],
            FalseEvidence,
        ),
        (
            "two issuers",
            3,
            [g.id(), h.id()],
            vec![g, h],
            FalseEvidence,
        ),
        ("half a proof", 3, ids, vec![a], Attachment),
    ];
    for (name, offender, ids, halves, refusal) in &rows {
        let frame = accusation(&mut bench, 2, *offender, *ids, halves);
        bench.refused(name, &frame, *refusal);
    }
    let frame = accusation(&mut bench, 2, 4, ids, &[a, b]);
    bench.refused("somebody else accused", &frame, FalseEvidence);
    let frame = accusation(&mut bench, 2, 9, ids, &[a, b]);
    bench.refused("nobody accused", &frame, UnknownIssuer);
    let mut beside = bench.next(2).frame();
    let proof = accusation(&mut bench, 2, 3, ids, &[a, b]);
    let length = tx_length(&proof);
    beside.extend_from_slice(&proof[length..]);
    bench.refused("a proof beside a reading", &beside, Attachment);
    bench.events();
    // And the truth freezes, with neither of the two in the window.
    assert_eq!(bench.give(&proof), Ok(()));
    let frozen = Event::Frozen {
        member: MemberIndex(3),
    };
    assert!(bench.events().contains(&frozen));
}

/// Where the attachment begins.
fn tx_length(frame: &[u8]) -> usize {
    let mut reader = crate::wire::Reader::new(&frame[5..]);
    5 + reader.item().unwrap().len()
}

/// The second side cannot be verified before its parents are here; then the fork is told, and proved to the others.
#[test]
fn a_fork_whose_other_side_waits() {
    let mut bench = Bench::new();
    let (one, other) = rival(&mut bench, 3);
    let parent = bench.next(4);
    let mut other = other.tips(&[parent.id()]);
    other.time = parent.time + 1;
    bench.taken("one side", &one);
    bench.set_aside("the other", &other.frame(), Refusal::UnknownParent);
    assert!(!bench.node().tangle.forked(MemberIndex(3)));
    bench.events();
    bench.taken("its parent", &parent);
    let told = bench
        .events()
        .iter()
        .any(|e| matches!(e, Event::Equivocation { offender, .. } if offender.0 == 3));
    assert!(told);
    bench.net.pump(bench.net.now + 2_000);
    for n in [0, 1, 2, 4] {
        let node = bench.net.node(n);
        assert!(node.tangle.frozen(MemberIndex(3)), "node {n}");
    }
}

/// Until a header settles the freeze, what a cheat goes on to say is only structure; afterwards it is refused.
#[test]
fn a_frozen_member_is_not_followed_and_then_not_heard() {
    let mut bench = Bench::new();
    let (one, other) = rival(&mut bench, 3);
    bench.taken("one side", &one);
    bench.taken("the other", &other);
    bench.net.pump(bench.net.now + 2_000);
    assert!(bench.node().tangle.frozen(MemberIndex(3)));
    let more = bench.next(3);
    bench.taken("more of it", &more);
    bench.net.traffic(2);
    let node = bench.node();
    let own = node.index.unwrap();
    let chosen = node
        .tangle
        .since(0)
        .filter(|(_, f)| f.issuer == own)
        .any(|(_, f)| node.tangle.parents(&f.id).flatten().any(|p| p == more.id()));
    assert!(!chosen, "no tip of ours");
    let mut net = bench.net;
    net.traffic(4);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    net.traffic(2);
    let records = net.headers[&1].records.clone();
    assert!(records[3].frozen);
    let value: u64 = records.iter().map(|r| r.credits.0 - r.debits.0).sum();
    assert_eq!(value, 50_000);
    // The trim that names header 1 opens epoch 2 for those above it.
    net.settle(START + 2 * PERIOD);
    let mut bench = Bench::quiet(net);
    let mut late = bench.next(3);
    let head = bench.head(0);
    late.epoch = 2;
    late.began = bench.node().tables.clock_start(Epoch(2)).unwrap().0;
    late.parents = vec![records[3].head_id, head.id];
    late.number = u64::from(records[3].head_number.0) + 1;
    bench.refused("in the next epoch", &late.frame(), Refusal::FrozenIssuer);
}

/// What is dead has no effect, and does no harm to what stands on it: the innocent above it are settled, and its issuer is told.
#[test]
fn a_dead_ancestor_harms_nobody() {
    let mut net = Network::started(5);
    net.traffic(3);
    let mut bench = Bench::quiet(net);
    let d = bench.head(3).debits.0;
    let one = bench.next(3).transfer(VICTIM as u64, 40, d + 40);
    let other = one.clone().transfer(4, 40, d + 40);
    // Each half sees another side first, so that neither has two thirds.
    let now = Millis(bench.net.now);
    for (to, side) in [(0, &one), (1, &one), (2, &other), (4, &other)] {
        assert_eq!(
            bench.net.node(to).receive(now, Peer(3), &side.frame()),
            Ok(())
        );
    }
    let mut net = bench.net;
    net.traffic(4);
    net.pump(START + PERIOD);
    net.traffic(6);
    net.settle(START + PERIOD);
    net.traffic(4);
    let settled = &net.headers[&1];
    let lives = [&one, &other].map(|s| settled.leaves.contains(&s.id()));
    assert_eq!(lives, [false, false]);
    let value: u64 = settled
        .records
        .iter()
        .map(|r| r.credits.0 - r.debits.0)
        .sum();
    assert_eq!(value, 50_000);
    assert!(settled.records[3].frozen);
    for n in [0, 1, 2, 4] {
        let receipts = net.events[n]
            .iter()
            .filter(|e| matches!(e, Event::Receipt { .. }))
            .count();
        assert!(receipts > 5, "node {n}: {receipts}");
    }
    let told = net.events[VICTIM]
        .iter()
        .any(|e| matches!(e, Event::Graded { id, grade: Grade::Dead, .. } if *id == one.id()));
    assert!(told, "the payee hears that it was not paid");
    assert_eq!(net.node(VICTIM).grade(&one.id()), Some(Grade::Dead));
}
