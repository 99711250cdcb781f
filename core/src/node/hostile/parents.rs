//! Parents: unknown, unsorted, doubled, too old, off the chain, the transaction itself, or one prefix for two ids.

use super::*;
use crate::tangle::{Effect, Facts, Stubs};

#[test]
fn unknown_issuer() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    for index in [5, 15, 16, u64::from(u16::MAX)] {
        shape.issuer = index;
        bench.refused(
            &format!("member {index}"),
            &shape.frame(),
            Refusal::UnknownIssuer,
        );
    }
}

#[test]
fn replay_changes_nothing_and_is_counted() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    bench.taken("first", &honest);
    bench.events();
    let before = fingerprint(bench.node());
    let duplicates = bench.node().counters().duplicates;
    let verified = bench.node().counters().verified;
    for _ in 0..3 {
        assert_eq!(bench.give(&honest.frame()), Ok(()));
    }
    assert_eq!(bench.node().counters().duplicates, duplicates + 3);
    assert_eq!(
        bench.node().counters().verified,
        verified,
        "a replay costs no check"
    );
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
    assert_eq!(bench.events(), []);
}

#[test]
fn number_gap() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    shape.number += 1;
    bench.refused("one too many", &shape.frame(), Refusal::NumberGap);
    shape.number = u64::from(u32::MAX);
    bench.refused("the last number", &shape.frame(), Refusal::NumberGap);
    shape.number = 2;
    bench.refused("a number that was used", &shape.frame(), Refusal::NumberGap);
}

#[test]
fn first_parent_off_the_chain() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    shape.parents = vec![bench.head(4).id];
    bench.refused(
        "another member's head",
        &shape.frame(),
        Refusal::ParentOffChain,
    );
    // Number 1 on anything but G0: its place is known, it is another's.
    shape.number = 1;
    bench.refused(
        "number 1 on another's head",
        &shape.frame(),
        Refusal::ParentOffChain,
    );
}

#[test]
fn unsorted_doubled_and_itself() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let mut others: Vec<Id> = [0, 2, 4].iter().map(|m| bench.head(*m).id).collect();
    others.sort_unstable();
    let own = honest.parents[0];
    let rows: [(&str, Vec<Id>, Refusal); 4] = [
        (
            "unsorted",
            vec![own, others[1], others[0]],
            Refusal::ParentsUnsorted,
        ),
        (
            "last two unsorted",
            vec![own, others[0], others[2], others[1]],
            Refusal::ParentsUnsorted,
        ),
        (
            "one tip twice",
            vec![own, others[0], others[0]],
            Refusal::ParentsDoubled,
        ),
        (
            "the first parent as a tip",
            vec![own, own],
            Refusal::ParentsDoubled,
        ),
    ];
    for (name, parents, refusal) in rows {
        let mut shape = honest.clone();
        shape.parents = parents;
        bench.refused(name, &shape.frame(), refusal);
    }
}

/// Nobody finds a payload that holds its own id; the check is held where it is made, by a tangle that is told so.
#[test]
fn itself_as_a_parent_waits_for_itself_and_is_dropped() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let mut shape = honest.clone();
    shape.parents.push(Id([0xee; 32]));
    let id = shape.id();
    // As close as one can come: a parent that only this transaction could be, which never arrives.
    bench.set_aside("no such parent", &shape.frame(), Refusal::UnknownParent);
    let facts = Facts {
        id,
        issuer: MemberIndex(3),
        number: Number(honest.number as u32),
        epoch: Epoch(1),
        time: Millis(honest.time),
        effect: Effect::None,
    };
    let node = bench.node();
    let refused = node.tangle.insert(
        &node.tables,
        &facts,
        &[honest.parents[0], id],
        Stubs::default(),
    );
    assert!(refused.is_err());
    bench.net.pump(bench.net.now + 31_000);
    assert_eq!(bench.node().aside.len(), 0);
    let dropped = Event::SetAsideDropped { id };
    assert!(bench.net.events[VICTIM].contains(&dropped));
}

#[test]
fn time_not_above_a_parent() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    let last = bench.node().tangle.head_time(MemberIndex(3)).unwrap().0;
    shape.time = last;
    bench.refused(
        "as late as its own",
        &shape.frame(),
        Refusal::TimeNotAboveParent,
    );
    shape.time = last - 1;
    bench.refused(
        "earlier than its own",
        &shape.frame(),
        Refusal::TimeNotAboveParent,
    );
    let other = bench.head(4);
    let time = bench.node().tangle.head_time(MemberIndex(4)).unwrap().0;
    let mut shape = bench.next(0).tips(&[other.id]);
    shape.time = time;
    let own = bench.node().tangle.head_time(MemberIndex(0)).unwrap().0;
    if own < time {
        bench.refused(
            "as late as a tip",
            &shape.frame(),
            Refusal::TimeNotAboveParent,
        );
    }
}

#[test]
fn parent_too_old() {
    let mut bench = Bench::new();
    let oldest = bench.node().tangle.since(0).next().unwrap().1;
    let shape = bench.next(3).tips(&[oldest.id]);
    assert!(shape.time > oldest.time.0 + PERIOD / 4);
    bench.refused("older than P_max", &shape.frame(), Refusal::ParentTooOld);
    // Its own previous one may be as old as it wants.
    bench.net.pump(bench.net.now + PERIOD / 2);
    let rested = bench.next(3);
    bench.taken("after a rest", &rested);
}

#[test]
fn from_the_future_waits_until_its_time() {
    let mut bench = Bench::new();
    let mut shape = bench.next(3);
    shape.time = bench.net.now + 2_001;
    bench.set_aside(
        "one millisecond too early",
        &shape.frame(),
        Refusal::FromTheFuture,
    );
    bench.net.pump(bench.net.now + 2);
    assert!(bench.node().tangle.contains(&shape.id()));
    assert_eq!(bench.node().aside.len(), 0);
    let mut far = bench.next(3);
    far.time = far.began + u64::from(u32::MAX);
    bench.set_aside("weeks ahead", &far.frame(), Refusal::FromTheFuture);
    bench.net.pump(bench.net.now + 31_000);
    assert_eq!(bench.node().aside.len(), 0, "given up");
    assert!(!bench.node().tangle.contains(&far.id()));
}

#[test]
fn unknown_parent_is_asked_for_and_freed_by_its_coming() {
    let mut bench = Bench::new();
    let parent = bench.next(3);
    let mut child = bench.next(4).tips(&[parent.id()]);
    child.time = parent.time + 1;
    bench.set_aside("before its parent", &child.frame(), Refusal::UnknownParent);
    assert!(bench.node().wants.contains(&parent.id().prefix()));
    bench.taken("the parent", &parent);
    assert!(bench.node().tangle.contains(&child.id()));
    assert_eq!(bench.node().aside.len(), 0);
    assert!(!bench.node().wants.contains(&parent.id().prefix()));
}

/// Puts a vertex into the victim's window that no bytes exist for: same first 16 bytes as `of`.
fn twin(bench: &mut Bench, of: &Id, member: u16) -> Id {
    let head = bench.head(member);
    let mut id = *of;
    id.0[31] ^= 0xff;
    let time = bench.node().tangle.get(of).unwrap().time;
    let own = bench.node().tangle.head_time(MemberIndex(member)).unwrap();
    let facts = Facts {
        id,
        issuer: MemberIndex(member),
        number: Number(head.number.0 + 1),
        epoch: Epoch(1),
        time: Millis(time.0.max(own.0 + 1)),
        effect: Effect::None,
    };
    let node = bench.node();
    node.tangle
        .insert(&node.tables, &facts, &[head.id], Stubs::default())
        .unwrap();
    id
}

#[test]
fn a_prefix_that_means_two_ids() {
    let mut bench = Bench::new();
    let one = bench.head(3).id;
    let other = twin(&mut bench, &one, 4);
    assert_eq!((one.prefix(), one == other), (other.prefix(), false));
    bench.net.now += 20;
    let mut shape = bench.next(0);
    shape.time += 20;
    // The signature says which one is meant: either is found.
    for (name, meant) in [("the first", one), ("the second", other)] {
        let mut shape = bench.next(0).tips(&[meant]);
        shape.time = bench.net.now;
        let checked = bench.node().counters().verified;
        bench.taken(name, &shape);
        let tries = bench.node().counters().verified - checked;
        assert!((1..=2).contains(&tries), "{tries}");
        let parents: Vec<Id> = bench.node().tangle.parents(&shape.id()).flatten().collect();
        assert_eq!(parents[1], meant, "{name}");
        bench.net.now += 10;
    }
    // Signed over a third one.
    let mut third = one;
    third.0[20] ^= 1;
    let mut shape = bench.next(2).tips(&[third]);
    shape.time = bench.net.now;
    bench.refused("neither", &shape.frame(), Refusal::AmbiguousParent);
}

#[test]
fn more_than_two_doubtful_prefixes_are_not_searched() {
    let mut bench = Bench::new();
    let heads: Vec<Id> = [0, 2, 4].iter().map(|m| bench.head(*m).id).collect();
    for (of, member) in heads.iter().zip([0, 2, 4]) {
        twin(&mut bench, of, member);
    }
    bench.net.now += 50;
    let mut shape = bench.next(3).tips(&heads);
    shape.time = bench.net.now;
    let checked = bench.node().counters().verified;
    bench.refused("three", &shape.frame(), Refusal::AmbiguousParent);
    assert_eq!(bench.node().counters().verified, checked);
}
