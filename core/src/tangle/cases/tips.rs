//! Forks at the tips, and how tips are drawn.

use super::*;

#[test]
fn a_fork_is_told_evidence_freezes_and_tips_keep_the_sides_apart() {
    let mut memory = Memory::new(64, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    tangle.set_own(Some(MemberIndex(0)));
    let now = Millis(START + 100);
    let mut rng = Rng(1);
    // The cheat (3) issues two second vertices.
    put(
        &mut tangle,
        &book,
        plain(id(10), 3, 2, START + 20),
        &[id(4)],
    )
    .unwrap();
    put(
        &mut tangle,
        &book,
        plain(id(11), 0, 2, START + 30),
        &[id(1), id(10)],
    )
    .unwrap();
    let b = put(
        &mut tangle,
        &book,
        plain(id(12), 3, 2, START + 25),
        &[id(4), id(3)],
    )
    .unwrap();
    assert!(b.conflict);
    let told = drain(&mut tangle);
    assert_eq!(
        told,
        [Change::Equivocation {
            offender: MemberIndex(3),
            a: id(10),
            b: id(12)
        }]
    );
    assert!(tangle.forked(MemberIndex(3)) && !tangle.frozen(MemberIndex(3)));
    // Member 1 joins the other side; our head stands on the first.
    put(
        &mut tangle,
        &book,
        plain(id(13), 1, 2, START + 40),
        &[id(2), id(12)],
    )
    .unwrap();
    put(
        &mut tangle,
        &book,
        plain(id(14), 2, 2, START + 41),
        &[id(3)],
    )
    .unwrap();
    assert_eq!(drain(&mut tangle), []);
    for _ in 0..50 {
        let mut out = [Id::ZERO; 2];
        let n = tangle.select(now, &mut || rng.next() as u32, &mut out);
        assert_eq!(
            &out[..n],
            &[id(14)],
            "the only tip that keeps the sides apart"
        );
    }
    // Evidence in the tip's cone opens it.
    let evidence = Facts {
        effect: Effect::Evidence {
            offender: MemberIndex(3),
        },
        ..plain(id(15), 1, 3, START + 50)
    };
    put(&mut tangle, &book, evidence, &[id(13)]).unwrap();
    assert_eq!(drain(&mut tangle), [Change::Frozen(MemberIndex(3))]);
    assert!(tangle.frozen(MemberIndex(3)));
    let mut seen = Vec::new();
    for _ in 0..50 {
        let mut out = [Id::ZERO; 2];
        let n = tangle.select(now, &mut || rng.next() as u32, &mut out);
        seen.extend_from_slice(&out[..n]);
    }
    assert!(seen.contains(&id(15)) && seen.contains(&id(14)));
    // Neither side is approved above evidence, and nothing of the cheat is chosen again.
    assert_eq!(tangle.approval_weight(&id(12)), Some(2));
    put(
        &mut tangle,
        &book,
        plain(id(16), 3, 3, START + 60),
        &[id(12)],
    )
    .unwrap();
    for _ in 0..50 {
        let mut out = [Id::ZERO; 2];
        let n = tangle.select(now, &mut || rng.next() as u32, &mut out);
        assert!(!out[..n].contains(&id(16)));
    }
    // A tip that is too old is not chosen.
    let mut out = [Id::ZERO; 2];
    let later = Millis(START + 60 + PERIOD / 4);
    assert_eq!(tangle.select(later, &mut || 7, &mut out), 0);
}

#[test]
fn tips_are_drawn_evenly_and_by_the_dag_alone() {
    let mut memory = Memory::new(64, 4, 8);
    let (tangle, book) = four(&mut memory);
    let mut count = [0usize; 4];
    let mut rng = Rng(11);
    for _ in 0..4000 {
        let mut out = [Id::ZERO; 1];
        assert_eq!(
            tangle.select(Millis(START + 100), &mut || rng.next() as u32, &mut out),
            1
        );
        count[(0..4).position(|m| id(m + 1) == out[0]).unwrap()] += 1;
    }
    assert!(count.iter().all(|&c| (880..1120).contains(&c)), "{count:?}");
    // Another order, another hash seed, another capacity: the same choice.
    let mut other_memory = Memory::new(128, 9, 4);
    let mut other = other_memory.with(POLICY, 99);
    for m in (0..4u16).rev() {
        let facts = plain(id(m + 1), m, 1, START + 10 + u64::from(m));
        put(&mut other, &book, facts, &[g0()]).unwrap();
    }
    let mut paper = Paper::new(128);
    for seed in 0..200 {
        let (mut a, mut b) = (Rng(seed), Rng(seed));
        let (mut x, mut y) = ([Id::ZERO; 2], [Id::ZERO; 2]);
        let now = Millis(START + 100);
        let n = tangle.select(now, &mut || a.next() as u32, &mut x);
        let m = other.select(now, &mut || b.next() as u32, &mut y);
        assert_eq!((n, x), (m, y));
        let walk = Walk {
            alpha: 3277,
            start: Start::Root,
        };
        let n = tangle.select_weighted(
            &walk,
            now,
            &mut || a.next() as u32,
            &mut paper.scratch(),
            &mut x,
        );
        let m = other.select_weighted(
            &walk,
            now,
            &mut || b.next() as u32,
            &mut paper.scratch(),
            &mut y,
        );
        assert_eq!((n, x), (m, y));
    }
}

#[test]
fn the_weighted_draw_follows_the_exact_distribution() {
    let mut memory = Memory::new(64, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    // Member 1 stands on 0 and 1, member 2 on 1 and 2; 3 is left behind.
    put(
        &mut tangle,
        &book,
        plain(id(20), 1, 2, START + 30),
        &[id(2), id(1)],
    )
    .unwrap();
    put(
        &mut tangle,
        &book,
        plain(id(21), 2, 2, START + 31),
        &[id(3), id(2)],
    )
    .unwrap();
    put(
        &mut tangle,
        &book,
        plain(id(22), 1, 3, START + 32),
        &[id(20)],
    )
    .unwrap();
    let mut paper = Paper::new(64);
    let walk = Walk {
        alpha: 32_768,
        start: Start::Root,
    };
    let now = Millis(START + 50);
    let mut chance = std::collections::BTreeMap::new();
    let tips: Vec<Id> = tangle.tips().collect();
    tangle
        .confidences(&walk, now, &mut paper.scratch(), |id, c| {
            if tips.contains(id) {
                chance.insert(*id, c.0 as f64 / 4_294_967_296.0);
            }
        })
        .unwrap();
    let mut rng = Rng(5);
    let mut count = std::collections::BTreeMap::new();
    let draws = 8000;
    for _ in 0..draws {
        let mut out = [Id::ZERO; 1];
        tangle
            .select_weighted(
                &walk,
                now,
                &mut || rng.next() as u32,
                &mut paper.scratch(),
                &mut out,
            )
            .unwrap();
        *count.entry(out[0]).or_insert(0usize) += 1;
    }
    for (id, p) in chance {
        let got = count.get(&id).copied().unwrap_or(0) as f64 / f64::from(draws);
        assert!((got - p).abs() < 0.02, "{got} {p}");
    }
    // From a vertex: only what stands on it.
    let from = Walk {
        start: Start::Vertex(id(3)),
        ..walk
    };
    let mut out = [Id::ZERO; 2];
    let n = tangle.select_weighted(&from, now, &mut || 1, &mut paper.scratch(), &mut out);
    assert_eq!((n, out[0]), (Ok(1), id(21)));
    let nowhere = Walk {
        start: Start::Vertex(id(99)),
        ..walk
    };
    let e = tangle.select_weighted(&nowhere, now, &mut || 1, &mut paper.scratch(), &mut out);
    assert_eq!(e, Err(SelectError::NotHere));
    let mut short = Paper::new(32);
    let e = tangle.weights(&mut short.scratch(), |_, _| {});
    assert_eq!(e, Err(SelectError::Scratch));
}
