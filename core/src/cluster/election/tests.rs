//! A cluster in virtual time: claims that are lost, late, doubled and out of order, heads that die, networks that split and heal.

use super::*;
use proptest::prelude::*;
use std::vec::Vec as List;

const L: u64 = 6_400;
const T0: u64 = 1_000_000;
const STEP: u64 = 10;
const HERE: ContextId = ContextId([5; 16]);

fn lease() -> Lease {
    Lease {
        length: Millis(L),
        tolerance: Millis(L / 16),
        origin: Millis(0),
    }
}

fn device(n: usize) -> Id {
    Id([n as u8 + 1; 32])
}

fn member(n: usize) -> MemberIndex {
    MemberIndex(n as u16)
}

fn one(n: usize, score: Option<u16>, now: u64) -> Election {
    let who = (member(n), device(n));
    Election::new(
        lease(),
        Id([9; 32]),
        (Epoch(1), HERE),
        who,
        score,
        Millis(now),
    )
    .unwrap()
}

struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

struct Net {
    now: u64,
    nodes: List<Option<Election>>,
    said: List<Option<Claim>>,
    wire: List<(u64, usize, usize, Claim)>,
    rng: Rng,
    loss: u64,
    /// Nodes of one side hear each other only.
    side: List<u8>,
}

impl Net {
    fn new(scores: &[u16], seed: u64) -> Self {
        let nodes = scores
            .iter()
            .enumerate()
            .map(|(n, s)| Some(one(n, Some(*s), T0)));
        Self {
            now: T0,
            nodes: nodes.collect(),
            said: vec![None; scores.len()],
            wire: List::new(),
            rng: Rng(seed),
            loss: 0,
            side: vec![0; scores.len()],
        }
    }

    fn send(&mut self, from: usize, to: usize, claim: Claim) {
        if self.rng.below(100) < self.loss || self.side[from] != self.side[to] {
            return;
        }
        let copies = 1 + u64::from(self.rng.below(10) == 0);
        for _ in 0..copies {
            let due = self.now + 1 + self.rng.below(L / 64);
            self.wire.push((due, from, to, claim.clone()));
        }
    }

    fn broadcast(&mut self, from: usize, claim: &Claim) {
        for to in 0..self.nodes.len() {
            if to != from {
                self.send(from, to, claim.clone());
            }
        }
    }

    fn step(&mut self) {
        self.now += STEP;
        let now = Millis(self.now);
        let (due, later): (List<_>, List<_>) = core::mem::take(&mut self.wire)
            .into_iter()
            .partition(|w| w.0 <= self.now);
        self.wire = later;
        for (_, from, to, claim) in due {
            let Some(node) = self.nodes[to].as_mut() else {
                continue;
            };
            match node.hear(now, &claim) {
                Heard::Outranked => {
                    let best = node.best.clone().unwrap();
                    self.send(to, from, best);
                }
                Heard::Impossible | Heard::Elsewhere => panic!("honest claims only"),
                Heard::Followed | Heard::Noted | Heard::Known => {}
            }
        }
        for n in 0..self.nodes.len() {
            while let Some(say) = self.nodes[n].as_mut().and_then(|e| e.tick(now)) {
                let claim = match say {
                    Say::New(s) => {
                        let claim = Claim::own(s, &device(n));
                        if claim.statement().term > 0 {
                            self.said[n] = Some(claim.clone());
                        }
                        claim
                    }
                    Say::Again => self.said[n].clone().unwrap(),
                };
                self.broadcast(n, &claim);
            }
            if let Some(node) = &self.nodes[n] {
                assert!(node.deadline(now).unwrap() > now, "a deadline that is due");
            }
        }
    }

    fn run(&mut self, millis: u64) {
        let end = self.now + millis;
        while self.now < end {
            self.step();
        }
    }

    fn heads(&self) -> List<usize> {
        let now = Millis(self.now);
        let live = self.nodes.iter().enumerate();
        live.filter(|(_, e)| e.as_ref().is_some_and(|e| e.is_head(now)))
            .map(|(n, _)| n)
            .collect()
    }

    /// The one head that everybody alive follows.
    fn agreed(&self) -> Option<usize> {
        let [head] = self.heads()[..] else {
            return None;
        };
        let now = Millis(self.now);
        let all = self.nodes.iter().flatten();
        all.map(|e| e.head(now))
            .all(|h| h == Some(member(head)))
            .then_some(head)
    }
}

#[test]
fn the_most_able_becomes_head_and_stays_it() {
    let mut net = Net::new(&[10, 40, 30, 40], 1);
    net.run(3 * L);
    let head = net.agreed().unwrap();
    assert!([1, 3].contains(&head), "{head}");
    let first = tie(1, &device(1)) > tie(1, &device(3));
    assert_eq!(head, if first { 1 } else { 3 });
    net.run(20 * L);
    assert_eq!(net.agreed(), Some(head));
    assert_eq!(net.nodes[0].as_ref().unwrap().term(), 1);
    // The line behind it: the other one, then by score.
    let line: List<u16> = net.nodes[0]
        .as_ref()
        .unwrap()
        .successors()
        .iter()
        .map(|m| m.0)
        .collect();
    assert_eq!(line, [4 - head as u16, 2, 0]);
}

#[test]
fn a_device_alone_is_its_own_head_and_an_unable_one_never() {
    let mut net = Net::new(&[0], 1);
    net.run(2 * L);
    assert_eq!(net.agreed(), Some(0));
    let mut idle = one(1, None, T0);
    for t in 0..100 {
        assert_eq!(idle.tick(Millis(T0 + t * L)), None);
    }
    assert_eq!(idle.deadline(Millis(T0)), None);
}

#[test]
fn who_lays_the_lease_down_is_followed_at_once() {
    let mut net = Net::new(&[10, 20, 30], 7);
    net.run(3 * L);
    assert_eq!(net.agreed(), Some(2));
    let now = Millis(net.now);
    let Some(Say::New(last)) = net.nodes[2].as_mut().unwrap().resign(now) else {
        panic!()
    };
    assert_eq!(last.until, last.at);
    net.nodes[2].as_mut().unwrap().set_score(None);
    // What is never more able again has no deadline of its own.
    let claim = Claim::own(last, &device(2));
    net.broadcast(2, &claim);
    net.nodes[2] = None;
    net.run(L / 8);
    assert_eq!(net.agreed(), Some(1));
    assert_eq!(net.nodes[0].as_ref().unwrap().term(), 2);
}

fn claim(n: usize, term: u32, score: u16, at: u64, until: u64) -> Claim {
    let s = Statement {
        neighbourhood: Id([9; 32]),
        context: HERE,
        epoch: Epoch(1),
        member: member(n),
        term,
        score,
        at: Millis(at),
        until: Millis(until),
        successors: Vec::new(),
    };
    Claim::own(s, &device(n))
}

#[test]
fn old_terms_other_clusters_and_impossible_times_are_refused() {
    let now = Millis(T0);
    let mut e = one(0, Some(5), T0 - L);
    assert_eq!(e.hear(now, &claim(1, 3, 9, T0, T0 + L)), Heard::Followed);
    assert_eq!(e.hear(now, &claim(1, 3, 9, T0, T0 + L)), Heard::Known);
    assert_eq!(e.hear(now, &claim(2, 2, 99, T0, T0 + L)), Heard::Outranked);
    assert_eq!(e.hear(now, &claim(2, 3, 8, T0, T0 + L)), Heard::Outranked);
    assert_eq!(e.hear(now, &claim(1, 3, 9, T0 - 9, T0 + 9)), Heard::Known);
    assert_eq!(e.head(now), Some(member(1)));
    // A lease for ever, one from the future, a term that cannot have come.
    let most = 1 + (T0 + L / 16) * 16 / L;
    for bad in [
        claim(2, 4, 9, T0, T0 + L + 1),
        claim(2, 4, 9, T0 + L / 16 + 1, T0 + L),
        claim(2, most as u32 + 1, 9, T0, T0 + L),
        claim(2, u32::MAX, 9, T0, T0 + L),
    ] {
        assert_eq!(e.hear(now, &bad), Heard::Impossible);
    }
    let elsewhere = Statement {
        context: ContextId([6; 16]),
        ..claim(2, 9, 9, T0, T0).statement().clone()
    };
    assert_eq!(
        e.hear(now, &Claim::own(elsewhere, &device(2))),
        Heard::Elsewhere
    );
    assert_eq!(e.head(now), Some(member(1)));
    // A greater claim that is possible ends it.
    assert_eq!(e.hear(now, &claim(2, 4, 1, T0, T0 + L)), Heard::Followed);
    assert_eq!(e.head(now), Some(member(2)));
}

/// A liar takes the last term that is possible; the honest go on a moment later.
#[test]
fn terms_cannot_be_used_up() {
    let mut e = one(0, Some(5), T0 - L);
    let last = (1 + T0 * 16 / L) as u32;
    assert_eq!(
        e.hear(Millis(T0), &claim(1, last, 9, T0, T0)),
        Heard::Followed
    );
    let mut now = T0;
    while !e.is_head(Millis(now)) {
        now += STEP;
        e.tick(Millis(now));
        assert!(now < T0 + L, "silenced");
    }
    assert_eq!(e.term(), last + 1);
}

#[test]
fn the_name_changes_and_the_head_stays() {
    let mut e = one(0, Some(5), T0 - L);
    let now = Millis(T0);
    assert_eq!(e.hear(now, &claim(1, 1, 9, T0, T0 + L)), Heard::Followed);
    e.set_epoch(Epoch(2), ContextId([7; 16]));
    assert_eq!(e.head(now), Some(member(1)));
    // The head has not heard of the new epoch yet.
    assert_eq!(
        e.hear(now, &claim(1, 1, 9, T0 + 1, T0 + L)),
        Heard::Followed
    );
    let renamed = Statement {
        epoch: Epoch(2),
        context: ContextId([7; 16]),
        ..claim(1, 1, 9, T0 + 2, T0 + L).statement().clone()
    };
    e.hear(now, &Claim::own(renamed, &device(1)));
    assert_eq!(e.head(now), Some(member(1)));
    e.set_epoch(Epoch(3), ContextId([8; 16]));
    assert_eq!(
        e.hear(now, &claim(1, 1, 9, T0 + 3, T0 + L)),
        Heard::Elsewhere
    );
}

/// The rank of a head's words is one for all its term, whatever epochs begin: else an old word comes back, and head and neighbours outrank each other's in turn.
#[test]
fn a_word_of_the_epoch_before_does_not_come_back() {
    for who in 1..9 {
        let word = |epoch: u32, at: u64| {
            let context = ContextId([4 + epoch as u8; 16]);
            let s = Statement {
                epoch: Epoch(epoch),
                context,
                ..claim(who, 1, 9, at, at + L).statement().clone()
            };
            Claim::own(s, &device(who))
        };
        let (before, after) = (word(1, T0), word(2, T0 + 5));
        assert_eq!(after.rank(), before.rank());
        assert_ne!(after.turn(), before.turn(), "candidates take turns");
        let mut follower = one(0, Some(5), T0 - L);
        follower.set_epoch(Epoch(2), ContextId([6; 16]));
        let now = Millis(T0 + 9);
        assert_eq!(follower.hear(now, &before), Heard::Followed);
        assert_eq!(follower.hear(now, &after), Heard::Followed);
        assert_eq!(follower.hear(now, &before), Heard::Known);
        // The head itself: its own old word from elsewhere does not make it speak again.
        let mut head = one(who, Some(9), T0 - L);
        assert_eq!(head.hear(Millis(T0), &before), Heard::Followed);
        head.set_epoch(Epoch(2), ContextId([6; 16]));
        let renewal = Millis(T0 + head.renewal());
        assert!(matches!(head.tick(renewal), Some(Say::New(_))));
        assert_eq!(head.hear(renewal, &before), Heard::Known);
        assert_eq!(head.tick(renewal), None);
    }
}

#[test]
fn leases_without_sense_are_refused() {
    let with = |length, tolerance| {
        let lease = Lease {
            length: Millis(length),
            tolerance: Millis(tolerance),
            origin: Millis(0),
        };
        let who = (member(0), device(0));
        Election::new(lease, Id([9; 32]), (Epoch(1), HERE), who, None, Millis(0)).err()
    };
    assert_eq!(with(64, 7), None);
    for (length, tolerance) in [(63, 0), (0, 0), (u64::MAX, 1), (6400, 800)] {
        assert_eq!(with(length, tolerance), Some(LeaseError::Length));
    }
}

#[test]
fn the_score_never_falls_when_one_input_grows() {
    let base = Capability {
        mains: false,
        free_kib: 20,
        uplink: 50,
        uptime: Millis(4_000_000),
        battery: 50,
    };
    assert!(
        Capability {
            mains: true,
            ..base
        }
        .score()
            > base.score()
    );
    let mut last = [0; 4];
    for n in 0..=255u8 {
        let wide = u32::from(n) * 16;
        let scores = [
            Capability {
                free_kib: wide,
                ..base
            }
            .score(),
            Capability { uplink: n, ..base }.score(),
            Capability {
                uptime: Millis(u64::from(wide) * 60_000),
                ..base
            }
            .score(),
            Capability { battery: n, ..base }.score(),
        ];
        assert!(scores.iter().zip(last).all(|(s, l)| *s >= l), "{n}");
        last = scores;
    }
    let most = Capability {
        mains: true,
        free_kib: u32::MAX,
        uplink: 255,
        uptime: Millis(u64::MAX),
        battery: 0,
    };
    assert_eq!(most.score(), 66);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever was heard in whatever order, how often: the same head.
    #[test]
    fn order_does_not_matter(
        claims in prop::collection::vec((1usize..6, 1u32..5, 0u16..3, 0u64..3, 0u64..3), 1..20),
        seed in any::<u64>(),
    ) {
        let made: List<Claim> = claims.iter().map(|(n, term, score, at, more)| {
            claim(*n, *term, *score, T0 - at * 10, T0 - at * 10 + more * L / 2)
        }).collect();
        let hear_all = |order: &[Claim]| {
            let mut e = one(0, Some(1), T0 - L);
            for c in order { e.hear(Millis(T0), c); }
            (e.best.clone(), e.spoke)
        };
        let straight = hear_all(&made);
        let mut rng = Rng(seed);
        let mut mixed = made.clone();
        for i in (1..mixed.len()).rev() {
            mixed.swap(i, rng.below(i as u64 + 1) as usize);
        }
        mixed.extend(made);
        prop_assert_eq!(straight, hear_all(&mixed));
    }

    /// The head dies, with all of its list but one, while up to a third of all frames are lost: another is head in less than one lease.
    #[test]
    fn another_is_head_in_less_than_one_lease(
        scores in prop::collection::vec(0u16..67, 2..6), loss in 0u64..33, seed in any::<u64>(), more in 0u64..L, spared in any::<prop::sample::Index>(),
    ) {
        let mut net = Net::new(&scores, seed);
        net.run(3 * L);
        prop_assume!(net.agreed().is_some());
        net.loss = loss;
        net.run(L + more);
        let Some(head) = net.agreed() else { return Ok(()) };
        // Who is in the line and knows it; one of them survives. The head's last word may still be under way, and name others.
        let named = net.nodes[head].as_ref().unwrap().successors().to_vec();
        let ready: List<usize> = (0..scores.len())
            .filter(|n| named.contains(&member(*n)) && net.nodes[*n].as_ref().unwrap().turn().is_some())
            .collect();
        prop_assume!(!ready.is_empty());
        let spared = ready[spared.index(ready.len())];
        for n in 0..scores.len() {
            if n != spared {
                net.nodes[n] = None;
            }
        }
        let died = net.now;
        while net.heads().is_empty() {
            net.step();
            prop_assert!(net.now < died + L, "no head for a lease");
        }
        prop_assert_eq!(net.heads(), vec![spared]);
    }

    /// Two halves each have a head; when they hear each other again there is one, in less than a lease.
    #[test]
    fn a_healed_network_has_one_head(
        scores in prop::collection::vec(0u16..67, 2..6), loss in 0u64..33, seed in any::<u64>(), sides in any::<u8>(), apart in 0u64..4 * L,
    ) {
        let mut net = Net::new(&scores, seed);
        net.loss = loss;
        net.run(2 * L);
        for (n, side) in net.side.iter_mut().enumerate() {
            *side = sides >> n & 1;
        }
        net.run(apart);
        net.side.fill(0);
        net.loss = 0;
        net.run(L);
        prop_assert!(net.heads().len() <= 1, "{:?}", net.heads());
        net.run(2 * L);
        prop_assert!(net.agreed().is_some(), "{:?}", net.heads());
        // And it stays so.
        let head = net.agreed();
        for _ in 0..20 {
            net.run(L / 5);
            prop_assert_eq!(net.agreed(), head);
        }
    }

    /// While it loses up to a tenth of all frames, a cluster does not change heads for nothing more than once in many leases.
    #[test]
    fn losses_alone_seldom_change_the_head(seed in any::<u64>()) {
        let mut net = Net::new(&[30, 20, 10, 5], seed);
        net.loss = 10;
        net.run(40 * L);
        let term = net.nodes.iter().flatten().map(Election::term).max().unwrap();
        prop_assert!(term <= 8, "{term} terms in 40 leases");
    }
}
