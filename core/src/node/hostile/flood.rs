//! Floods: one neighbour, or one member, may use up its own share and nobody else's.

use super::*;
use crate::Prefix;

const OTHER: Peer = Peer(3);

impl Bench {
    fn give_as(&mut self, from: Peer, frame: &[u8]) -> Result<(), Refusal> {
        let now = Millis(self.net.now);
        self.node().receive(now, from, frame)
    }

    /// Everything that leaves now.
    fn frames_out(&mut self) -> Vec<(Peer, Vec<u8>)> {
        let now = Millis(self.net.now);
        let mut out = [0; MAX_FRAME];
        let mut frames = Vec::new();
        while let Some((peer, len)) = self.node().next_frame(now, &mut out) {
            frames.push((peer, out[..len].to_vec()));
        }
        frames
    }
}

fn orphan(bench: &mut Bench, n: u32) -> Shape {
    let mut parent = [0xaa; 32];
    parent[..4].copy_from_slice(&n.to_be_bytes());
    bench.next(2).tips(&[Id(parent)])
}

fn noise(n: u32) -> Vec<Prefix> {
    (0..64u32)
        .map(|i| {
            let seed = sha256(&[&n.to_be_bytes(), &i.to_be_bytes()]);
            Id(seed).prefix()
        })
        .collect()
}

#[test]
fn the_set_aside_pool_of_the_others_stays_theirs() {
    let mut bench = Bench::new();
    let parent = bench.next(4);
    let mut waiting = bench.next(3).tips(&[parent.id()]);
    waiting.time = parent.time + 1;
    assert_eq!(
        bench.give_as(OTHER, &waiting.frame()),
        Err(Refusal::UnknownParent)
    );
    bench.events();
    let mut dropped = 0;
    for n in 0..200 {
        let frame = orphan(&mut bench, n).frame();
        assert_eq!(bench.give(&frame), Err(Refusal::UnknownParent));
        dropped += bench
            .events()
            .iter()
            .filter(|e| matches!(e, Event::SetAsideDropped { .. }))
            .count();
    }
    let places = usize::from(LIMITS.aside);
    assert_eq!(bench.node().aside.len(), places);
    assert_eq!(dropped, 201 - places, "each is reported");
    assert!(
        !bench.node().is_behind(),
        "a liar's word for what is missing"
    );
    bench.taken("the parent", &parent);
    assert!(bench.node().tangle.contains(&waiting.id()));
}

/// Of members whose chains have gaps nothing is asked for but SYNC, and the first that is missing in a while. What stands on another branch of a chain
/// has a number that is known, and SYNC leaves that out.
#[test]
fn who_is_behind_climbs_down_from_no_tip_but_along_a_branch() {
    let mut bench = Bench::new();
    let unknown = |n: u8| Id([n; 32]);
    for n in 1..=4u8 {
        let mut far = bench.next(2);
        far.number += 10 + u64::from(n);
        far.parents = vec![unknown(n)];
        let from = if n == 4 { OTHER } else { SENDER };
        assert!(!bench.node().is_behind());
        let given = bench.give_as(from, &far.frame());
        assert_eq!(given, Err(Refusal::UnknownParent));
        assert_eq!(bench.node().wants.contains(&unknown(n).prefix()), n < 4);
    }
    assert!(bench.node().is_behind());
    let mut branch = bench.next(3);
    branch.parents = vec![unknown(5)];
    assert_eq!(bench.give(&branch.frame()), Err(Refusal::UnknownParent));
    assert!(bench.node().wants.contains(&unknown(5).prefix()));
    bench.net.pump(bench.net.now + 100);
    assert!(bench.node().wants.contains(&unknown(4).prefix()));
}

/// A transaction of an epoch that never comes is given up in time, however often the pool is looked through.
#[test]
fn what_waits_in_vain_is_given_up_in_time() {
    let mut bench = Bench::new();
    let mut never = bench.next(3);
    never.epoch = 900;
    bench.set_aside("an epoch to come", &never.frame(), Refusal::Busy);
    for _ in 0..32 {
        bench.net.pump(bench.net.now + 1_000);
        bench.node().aside.wake_all();
    }
    assert_eq!(bench.node().aside.len(), 0);
}

#[test]
fn announcements_of_nothing_do_not_keep_others_from_being_heard() {
    let mut bench = Bench::new();
    let before = fingerprint(bench.node());
    let neighbourhood = bench.neighbourhood;
    for n in 0..100 {
        let frame = written(&neighbourhood, &Frame::Announce(List::of(&noise(n))));
        assert_eq!(bench.give(&frame), Ok(()));
    }
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
    let true_one = [Prefix([7; 16])];
    let frame = written(&neighbourhood, &Frame::Announce(List::of(&true_one)));
    assert_eq!(bench.give_as(OTHER, &frame), Ok(()));
    assert!(bench.node().wants.contains(&true_one[0]));
    let asked = bench.frames_out().iter().any(|(peer, frame)| {
        matches!(Frame::parse(frame), Ok((_, Frame::Request(list)))
            if *peer == OTHER && list.iter().any(|p| p == true_one[0]))
    });
    assert!(asked);
    // A missing parent is wanted all the same.
    let orphan = orphan(&mut bench, 1);
    assert_eq!(
        bench.give_as(OTHER, &orphan.frame()),
        Err(Refusal::UnknownParent)
    );
    assert!(bench.node().wants.contains(&orphan.parents[1].prefix()));
}

#[test]
fn requests_are_answered_within_a_bound_and_for_everybody() {
    let mut bench = Bench::new();
    let neighbourhood = bench.neighbourhood;
    let node = bench.node();
    let held: Vec<Prefix> = node
        .tangle
        .since(node.tangle.oldest_sequence())
        .map(|(_, f)| f.id.prefix())
        .collect();
    let before = fingerprint(bench.node());
    for n in 0..50 {
        let from = n % held.len();
        let some: Vec<Prefix> = held
            .iter()
            .cycle()
            .skip(from)
            .take(held.len().min(64))
            .copied()
            .collect();
        let frame = written(&neighbourhood, &Frame::Request(List::of(&some)));
        assert_eq!(bench.give(&frame), Ok(()));
        let nothing = written(&neighbourhood, &Frame::Request(List::of(&noise(n as u32))));
        assert_eq!(bench.give(&nothing), Ok(()));
    }
    assert!(bench.node().sending.len() <= held.len().min(256));
    let frame = written(&neighbourhood, &Frame::Request(List::of(&held[..1])));
    assert_eq!(bench.give_as(OTHER, &frame), Ok(()));
    let answered = bench
        .frames_out()
        .iter()
        .filter(|(peer, frame)| *peer == OTHER && frame[4] == 1)
        .count();
    assert_eq!(answered, 1);
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
}

/// The whole queue of answers is never one neighbour's.
#[test]
fn one_neighbour_does_not_fill_the_queue_of_answers() {
    let mut net = Network::started(5);
    net.traffic(12);
    let mut bench = Bench::quiet(net);
    let node = bench.node();
    let held: Vec<Prefix> = node
        .tangle
        .since(node.tangle.oldest_sequence())
        .map(|(_, f)| f.id.prefix())
        .collect();
    assert!(held.len() > 140);
    let neighbourhood = bench.neighbourhood;
    let capacity = bench.node().sending.capacity();
    let mut ids = held.iter().cycle();
    for _ in 0..8 {
        let some: Vec<Prefix> = ids.by_ref().take(64).copied().collect();
        let frame = written(&neighbourhood, &Frame::Request(List::of(&some)));
        assert_eq!(bench.give(&frame), Ok(()));
    }
    assert!(bench.node().sending.len() <= capacity / 2);
}

/// Forged transactions in a member's name are not the member's.
#[test]
fn a_neighbour_cannot_use_up_a_members_tokens() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let payload = honest.payload();
    // One short of what a neighbour may send at once.
    for _ in 0..3_990u32 {
        let forged = tx_frame(&honest.neighbourhood, &cose(&payload, &[9; 64]));
        let _ = bench.give(&forged);
    }
    for _ in 0..20 {
        let forged = tx_frame(&honest.neighbourhood, &cose(&payload, &[9; 64]));
        let _ = bench.give_as(Peer(4), &forged);
    }
    assert_eq!(bench.give_as(OTHER, &honest.frame()), Ok(()));
}

#[test]
fn a_member_that_floods_waits_for_its_tokens() {
    let mut bench = Bench::new();
    let honest = bench.next(3);
    let now = Millis(bench.net.now);
    for _ in 0..4_000 {
        bench.node().buckets.take(now, MemberIndex(3));
    }
    let checked = bench.node().counters().verified;
    bench.refused("no tokens left", &honest.frame(), Refusal::RateLimited);
    assert_eq!(
        bench.node().counters().verified,
        checked,
        "and no check for it"
    );
    let other = bench.next(4);
    bench.taken("another member", &other);
    bench.net.now += 2;
    bench.taken("after two milliseconds", &honest);
}

#[test]
fn a_neighbour_that_floods_is_not_listened_to() {
    let mut bench = Bench::new();
    let honest = bench.next(3).frame();
    let junk = [1, 2, 3];
    let mut limited = 0;
    for _ in 0..5_000 {
        limited += u32::from(bench.give(&junk) == Err(Refusal::RateLimited));
    }
    assert!((900..=1_100).contains(&limited), "{limited}");
    bench.refused("even when it is right", &honest, Refusal::RateLimited);
    assert_eq!(bench.give_as(OTHER, &honest), Ok(()));
    bench.net.pump(bench.net.now + 1_000);
    let later = bench.next(4).frame();
    assert_eq!(bench.give(&later), Ok(()));
}

/// Beacons are hints: the greatest lie costs a request.
#[test]
fn beacons_that_lie() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.deaf = vec![VICTIM as u16];
    let mut bench = Bench::quiet(net);
    let neighbourhood = bench.neighbourhood;
    let tips = noise(1);
    let lie = Frame::Beacon {
        now: Millis(u64::MAX),
        header: HeaderNumber(u32::MAX),
        tips: List::of(&tips[..8]),
    };
    let frame = written(&neighbourhood, &lie);
    let before = fingerprint(bench.node());
    assert_eq!(bench.give(&frame), Ok(()));
    assert_eq!(differences(&before, &fingerprint(bench.node())), [""; 0]);
    // A true header is still asked for, although somebody claims a higher one.
    let truth = Frame::Beacon {
        now: Millis(bench.net.now),
        header: HeaderNumber(1),
        tips: List::of(&[]),
    };
    let mut asked = Vec::new();
    for _ in 0..40 {
        bench.net.now += 700;
        let _ = bench.give_as(OTHER, &written(&neighbourhood, &truth));
        let _ = bench.give(&frame);
        for (_, out) in bench.frames_out() {
            if let Ok((_, Frame::HeaderRequest { header })) = Frame::parse(&out) {
                asked.push(header);
            }
        }
    }
    assert!(asked.contains(&HeaderNumber(1)), "{asked:?}");
}
