//! Properties against the reference model, on random histories with forks, evidence and trims.

use super::model::Stubs;
use super::reference::Model;
use super::testing::*;
use super::*;
use proptest::prelude::*;

fn shape(seed: u64, vertices: usize) -> Shape {
    let mut rng = Rng(seed ^ 0xabcd);
    let members = 4 + rng.below(6);
    let guilty = rng.below(members.div_ceil(3));
    Shape {
        members,
        vertices,
        guilty,
        guilty_gl_node: guilty > 0 && rng.one_in(3),
        trims: true,
        evidence: rng.one_in(2),
    }
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn weights_and_confidence_are_those_of_the_definition(seed: u64, alpha in 0u32..40_000) {
        let (book, entries, _) = history(seed, shape(seed, 90));
        let model = Model::of(&book, &entries);
        let mut memory = Memory::new(128, 16, 64);
        let mut tangle = memory.tangle();
        let mut rng = Rng(seed);
        for entry in shuffled(&entries, &mut rng) {
            feed(&mut tangle, &book, &entry);
        }
        let mut paper = Paper::new(128);
        let heights = model.heights();
        let mut count = 0;
        tangle.weights(&mut paper.scratch(), |id, h| {
            assert_eq!(h, heights[model.get(id)]);
            count += 1;
        }).unwrap();
        prop_assert_eq!(count, entries.len());
        let expected = model.confidence(f64::from(alpha) / 65_536.0);
        let walk = Walk { alpha, start: Start::Root };
        let tips: Vec<Id> = tangle.tips().collect();
        let mut sum = 0;
        tangle.confidences(&walk, Millis(0), &mut paper.scratch(), |id, c| {
            let got = c.0 as f64 / 4_294_967_296.0;
            let want = expected[model.get(id)];
            assert!((got - want).abs() < 1e-5, "{got} {want}");
            if tips.contains(id) {
                sum += c.0;
            }
        }).unwrap();
        prop_assert_eq!(sum, Confidence::ONE.0);
    }

    #[test]
    fn standings_are_those_of_the_definition(seed: u64) {
        let (book, entries, void) = history(seed, shape(seed, 62));
        let model = Model::of(&book, &entries);
        let mut memory = Memory::new(128, 16, 64);
        let mut tangle = memory.tangle();
        let mut told = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            for (_, trim) in void.iter().filter(|(at, _)| *at == i) {
                let partial = Model::of(&book, &entries[..i]);
                let expected = partial.void(trim, &book).unwrap();
                let before = (tangle.next_sequence(), tangle.tips().collect::<Vec<_>>(), tangle.highest(trim.facts.issuer));
                let got = tangle.insert(&book, &trim.facts, &trim.parents, Stubs::default());
                prop_assert_eq!(got, Err(InsertError::VoidTrim(expected)));
                prop_assert_eq!(before, (tangle.next_sequence(), tangle.tips().collect(), tangle.highest(trim.facts.issuer)));
                prop_assert_eq!(tangle.next_change(), None);
            }
            told.extend(feed(&mut tangle, &book, entry));
            tangle.track(&book, &entry.facts.id).unwrap();
            told.extend(drain(&mut tangle));
        }
        for (x, entry) in entries.iter().enumerate() {
            let id = entry.facts.id;
            let standing = tangle.standing(&id).unwrap();
            let trim = matches!(entry.facts.effect, Effect::Trim { .. });
            let expected = if !trim && model.quorum(x) {
                Standing::Quorum
            } else if model.witnessed(x) {
                Standing::Witnessed
            } else {
                Standing::Seen
            };
            prop_assert_eq!(standing, expected);
            if trim {
                prop_assert_eq!(tangle.certified(&id), model.certified(x));
            }
            let quorum = told.iter().filter(|c| **c == Change::Quorum(id)).count();
            prop_assert_eq!(quorum, usize::from(expected == Standing::Quorum));
        }
        // Every fork was told, and only forks.
        for m in 0..16u16 {
            let told = told.iter().any(|c| matches!(c, Change::Equivocation { offender, .. } if offender.0 == m));
            let forked = entries.iter().enumerate().any(|(a, e)| {
                e.facts.issuer.0 == m && entries.iter().enumerate().any(|(b, f)| {
                    f.facts.issuer.0 == m && a != b && !model.chain(a).contains(&b) && !model.chain(b).contains(&a)
                })
            });
            prop_assert_eq!(told, forked);
        }
    }

    #[test]
    fn tracking_late_finds_the_same_approvals(seed: u64) {
        let (book, entries, _) = history(seed, shape(seed, 62));
        let model = Model::of(&book, &entries);
        let mut early_memory = Memory::new(128, 16, 64);
        let mut early = early_memory.tangle();
        let mut late_memory = Memory::new(128, 16, 64);
        let mut late = late_memory.tangle();
        for entry in &entries {
            feed(&mut early, &book, entry);
            early.track(&book, &entry.facts.id).unwrap();
            feed(&mut late, &book, entry);
        }
        for entry in &entries {
            late.track(&book, &entry.facts.id).unwrap();
        }
        for entry in &entries {
            let id = entry.facts.id;
            prop_assert_eq!(early.approval_weight(&id), late.approval_weight(&id));
            // Another z may be found, but never a Quorum that is none.
            let x = model.get(&id);
            prop_assert!(late.standing(&id) != Some(Standing::Quorum) || model.quorum_by_any(x));
            prop_assert!(late.standing(&id) == Some(Standing::Seen) || model.witnessed(x));
        }
    }

    #[test]
    fn a_trim_decides_the_same_in_every_order_and_window(seed: u64) {
        let mut s = shape(seed, 100);
        s.trims = true;
        let (book, entries, _) = history(seed, s);
        let model = Model::of(&book, &entries);
        let mut rng = Rng(seed);
        for round in 0..3u32 {
            let capacity = 128 << round;
            let mut memory = Memory::new(capacity, 16, 8 + 20 * round as usize);
            let mut tangle = memory.tangle();
            let order = if round == 0 { entries.clone() } else { shuffled(&entries, &mut rng) };
            for entry in &order {
                feed(&mut tangle, &book, entry);
            }
            let mut paper = Paper::new(capacity);
            for (t, entry) in entries.iter().enumerate() {
                let Effect::Trim { previous, cut, .. } = entry.facts.effect else { continue };
                // The tables after its predecessor: no header is settled before the first.
                if previous != genesis() {
                    continue;
                }
                let (verdicts, g0) = model.evaluate(t, &book);
                let mut got = Vec::new();
                let outcome = tangle.evaluate(&entry.facts.id, &book, &mut paper.scratch(), |v| {
                    got.push((v.facts.id, v.lives, v.approval));
                    assert_eq!(v.facts, model.entries[model.get(&v.facts.id)].facts);
                }).unwrap();
                prop_assert_eq!(&got, &verdicts);
                prop_assert_eq!(outcome.g0, g0);
                prop_assert_eq!(outcome.cut, cut);
                prop_assert_eq!(outcome.done as usize, verdicts.len());
                prop_assert_eq!(outcome.living as usize, verdicts.iter().filter(|v| v.1).count());
            }
        }
    }

    #[test]
    fn rivals_never_both_win_and_a_quorum_lives(seed: u64) {
        let (book, entries, _) = history(seed, shape(seed, 100));
        let model = Model::of(&book, &entries);
        let quorum: Vec<usize> = (0..entries.len()).filter(|&x| model.quorum_by_any(x)).collect();
        for &a in &quorum {
            prop_assert!(!quorum.iter().any(|&b| model.conflict(a, b)));
        }
        let trims: Vec<usize> = (0..entries.len())
            .filter(|&t| matches!(entries[t].facts.effect, Effect::Trim { previous, .. } if previous == genesis()))
            .collect();
        let mut living_anywhere: Vec<usize> = Vec::new();
        for &t in &trims {
            let Effect::Trim { cut, .. } = entries[t].facts.effect else { unreachable!() };
            let (verdicts, _) = model.evaluate(t, &book);
            let living: Vec<usize> = verdicts.iter().filter(|v| v.1).map(|v| model.get(&v.0)).collect();
            for &a in &living {
                prop_assert!(!living.iter().any(|&b| model.conflict(a, b)));
                // Not even against a Quorum outside.
                prop_assert!(!quorum.iter().any(|&b| model.conflict(a, b)));
            }
            for &x in &quorum {
                let plain = !matches!(entries[x].facts.effect, Effect::Trim { .. });
                if plain && entries[x].facts.time <= cut {
                    prop_assert!(living.contains(&x), "a Quorum died");
                }
            }
            living_anywhere.extend(&living);
        }
        for &a in &trims {
            for &b in &trims {
                prop_assert!(a == b || !(model.certified(a) && model.certified(b)));
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(5))]

    /// Longer than what is known of a cone without a walk: the first z is still found, and no other.
    #[test]
    fn a_long_history_finds_the_first_z(seed: u64) {
        let (book, entries, _) = history(seed, shape(seed, 200));
        let model = Model::of(&book, &entries);
        let mut memory = Memory::new(256, 16, 64);
        let mut tangle = memory.tangle();
        let mut followed = Vec::new();
        for (i, entry) in entries.iter().enumerate() {
            feed(&mut tangle, &book, entry);
            if i % 8 == 3 && i < 120 && !matches!(entry.facts.effect, Effect::Trim { .. }) {
                tangle.track(&book, &entry.facts.id).unwrap();
                followed.push(i);
            }
            drain(&mut tangle);
        }
        for x in followed {
            let quorum = tangle.standing(&entries[x].facts.id) == Some(Standing::Quorum);
            prop_assert_eq!(quorum, model.quorum(x));
        }
    }
}

/// The histories hold what the properties speak of: otherwise they would hold of nothing.
#[test]
fn the_histories_are_not_empty_of_meaning() {
    let (mut quorums, mut forks, mut beaten, mut trims, mut certified, mut dead, mut later) =
        (0, 0, 0, 0, 0, 0, 0);
    let mut voids = Vec::new();
    for seed in 0..64u64 {
        let (book, entries, void) = history(seed, shape(seed, 100));
        let model = Model::of(&book, &entries);
        for (at, trim) in &void {
            let partial = Model::of(&book, &entries[..*at]);
            voids.push(partial.void(trim, &book).unwrap());
        }
        for (x, entry) in entries.iter().enumerate() {
            let rivals = (0..entries.len()).any(|r| model.conflict(r, x));
            let quorum = model.quorum_by_any(x);
            quorums += usize::from(quorum);
            forks += usize::from(rivals);
            beaten += usize::from(rivals && quorum);
            if let Effect::Trim { previous, .. } = entry.facts.effect {
                trims += 1;
                certified += usize::from(model.certified(x));
                later += usize::from(previous != genesis());
                if previous == genesis() {
                    dead += model.evaluate(x, &book).0.iter().filter(|v| !v.1).count();
                }
            }
        }
    }
    let counts = [quorums, forks, beaten, trims, certified, dead, later];
    assert!(counts.iter().all(|&n| n >= 4), "{counts:?}");
    for reason in [
        VoidTrim::Stale,
        VoidTrim::Cut,
        VoidTrim::Previous,
        VoidTrim::PreviousUncertified,
    ] {
        assert!(voids.contains(&reason), "{reason:?}");
    }
}
