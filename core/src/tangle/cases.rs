//! Single cases: every refusal, eviction, stubs, tips, tables that change.

use super::model::{Cut, Effect, Facts, Head, Stubs};
use super::testing::*;
use super::*;
use crate::{Amount, HeaderNumber};

fn id(n: u16) -> Id {
    let mut rng = Rng(u64::from(n));
    rng.id()
}

/// A tangle with one vertex of each of four members: ids 1 to 4, times START + 10 to START + 13.
fn four(memory: &mut Memory) -> (Tangle<'_>, Book) {
    let book = Book::new(&[1, 1, 1, 1]);
    let mut tangle = memory.tangle();
    for m in 0..4u16 {
        let facts = plain(id(m + 1), m, 1, START + 10 + u64::from(m));
        tangle
            .insert(&book, &facts, &[g0()], Stubs::default())
            .unwrap();
    }
    (tangle, book)
}

fn put(
    tangle: &mut Tangle<'_>,
    book: &Book,
    facts: Facts,
    parents: &[Id],
) -> Result<Inserted, InsertError> {
    tangle.insert(book, &facts, parents, Stubs::default())
}

#[test]
fn every_refusal_has_its_error_and_changes_nothing() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    let t = START + 100;
    let ok = plain(id(9), 0, 2, t);
    let with = |effect| Facts { effect, ..ok };
    let transfer = |amount: u64, debits: u64| {
        with(Effect::Transfer {
            to: MemberIndex(1),
            amount: Amount(amount),
            debits: Amount(debits),
        })
    };
    let trim = |cut: u64, previous| Effect::Trim {
        cut: Millis(cut),
        previous,
        header: HeaderNumber(0),
    };
    let many: Vec<Id> = (1..10).map(id).collect();
    let both = [id(1), id(2)];
    let (twice, turned) = ([id(1), id(1)], [id(2), id(1)]);
    let cases: Vec<(Facts, &[Id], InsertError)> = vec![
        (
            plain(id(1), 0, 1, START + 10),
            &[Id([0xa0; 32])],
            InsertError::Duplicate,
        ),
        (ok, &[], InsertError::ParentCount),
        (ok, &many, InsertError::ParentCount),
        (ok, &twice, InsertError::ParentsDoubled),
        (
            Facts {
                epoch: Epoch(2),
                ..ok
            },
            &both,
            InsertError::EpochUnknown,
        ),
        (
            Facts {
                epoch: Epoch(0),
                ..ok
            },
            &both,
            InsertError::EpochVoid,
        ),
        (
            Facts {
                issuer: MemberIndex(4),
                ..ok
            },
            &both,
            InsertError::UnknownIssuer,
        ),
        (
            Facts {
                number: Number(3),
                ..ok
            },
            &both,
            InsertError::NumberGap,
        ),
        (
            Facts {
                number: Number(0),
                ..ok
            },
            &both,
            InsertError::NumberGap,
        ),
        (
            Facts {
                issuer: MemberIndex(2),
                ..ok
            },
            &both,
            InsertError::ParentOffChain,
        ),
        (
            Facts {
                number: Number(1),
                ..ok
            },
            &both,
            InsertError::ParentOffChain,
        ),
        (
            Facts {
                time: Millis(START + 10),
                ..ok
            },
            &both,
            InsertError::TimeNotAboveParent(0),
        ),
        (
            Facts {
                time: Millis(START + 11),
                ..ok
            },
            &both,
            InsertError::TimeNotAboveParent(1),
        ),
        (
            Facts {
                time: Millis(START + 12 + PERIOD / 4),
                ..ok
            },
            &both,
            InsertError::ParentTooOld(1),
        ),
        (transfer(5, 6), &both, InsertError::FalseDebits),
        (
            transfer(1001, 1001),
            &both,
            InsertError::InsufficientCredits,
        ),
        (
            Facts {
                issuer: MemberIndex(1),
                ..with(trim(START + 1, genesis()))
            },
            &turned,
            InsertError::NotGlNode,
        ),
        (
            Facts {
                issuer: MemberIndex(1),
                ..with(Effect::Join)
            },
            &turned,
            InsertError::NotGlNode,
        ),
        (
            with(trim(t, genesis())),
            &both,
            InsertError::VoidTrim(VoidTrim::Cut),
        ),
        (
            with(trim(START, genesis())),
            &both,
            InsertError::VoidTrim(VoidTrim::Cut),
        ),
        (
            with(trim(START + 1, id(77))),
            &both,
            InsertError::VoidTrim(VoidTrim::Previous),
        ),
        (
            with(trim(START + 50, genesis())),
            &both,
            InsertError::VoidTrim(VoidTrim::Stale),
        ),
        (
            with(Effect::Trim {
                cut: Millis(START + 1),
                previous: genesis(),
                header: HeaderNumber(1),
            }),
            &both,
            InsertError::EpochUnknown,
        ),
        (
            with(Effect::Evidence {
                offender: MemberIndex(4),
            }),
            &both,
            InsertError::UnknownIssuer,
        ),
    ];
    let before = (tangle.next_sequence(), tangle.tips().collect::<Vec<_>>());
    for (facts, parents, error) in cases {
        assert_eq!(
            put(&mut tangle, &book, facts, parents),
            Err(error),
            "{facts:?}"
        );
        assert_eq!(before, (tangle.next_sequence(), tangle.tips().collect()));
    }
    let missing = [id(1), id(20), id(2), id(21)];
    assert_eq!(
        put(&mut tangle, &book, ok, &missing),
        Err(InsertError::UnknownParents(0b1010))
    );
    let gone = [id(20), id(2)];
    let far = plain(id(9), 0, 3, t);
    assert_eq!(
        put(&mut tangle, &book, far, &gone),
        Err(InsertError::UnknownParents(1))
    );
    // At or below the highest number, and nothing here explains it.
    let old = plain(id(9), 0, 1, t);
    assert_eq!(
        put(&mut tangle, &book, old, &gone),
        Err(InsertError::Unexplained)
    );
    let maximal = plain(id(9), 0, 2, START + 10 + PERIOD / 4);
    assert!(put(&mut tangle, &book, maximal, &both).is_ok());
    assert_eq!(tangle.get(&id(9)).map(|f| f.number), Some(Number(2)));
}

#[test]
fn debits_run_along_the_chain_and_stop_at_the_credits() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, mut book) = four(&mut memory);
    let pay = |n: u32, amount: u64, debits: u64| Facts {
        effect: Effect::Transfer {
            to: MemberIndex(1),
            amount: Amount(amount),
            debits: Amount(debits),
        },
        ..plain(id(100 + n as u16), 0, n, START + 100 + u64::from(n))
    };
    put(&mut tangle, &book, pay(2, 600, 600), &[id(1)]).unwrap();
    put(
        &mut tangle,
        &book,
        plain(id(103), 0, 3, START + 103),
        &[id(102)],
    )
    .unwrap();
    let e = put(&mut tangle, &book, pay(4, 400, 400), &[id(103)]);
    assert_eq!(e, Err(InsertError::FalseDebits));
    let e = put(&mut tangle, &book, pay(4, 401, 1001), &[id(103)]);
    assert_eq!(e, Err(InsertError::InsufficientCredits));
    let e = put(&mut tangle, &book, pay(4, u64::MAX, 599), &[id(103)]);
    assert_eq!(e, Err(InsertError::Overflow));
    put(&mut tangle, &book, pay(4, 400, 1000), &[id(103)]).unwrap();
    assert_eq!(
        tangle.head(&book, MemberIndex(0)).unwrap().debits,
        Amount(1000)
    );
    // A settled head that is further than what is here wins.
    book.heads[0] = Head {
        number: Number(9),
        id: id(999),
        debits: Amount(7),
    };
    assert_eq!(
        tangle.head(&book, MemberIndex(0)).unwrap().number,
        Number(9)
    );
    let next = Facts {
        number: Number(10),
        ..pay(10, 3, 10)
    };
    assert!(put(&mut tangle, &book, next, &[id(999)]).is_ok());
}

#[test]
fn memory_out_of_range_is_refused() {
    let limits = |capacity, members, tracked| {
        Limits {
            capacity,
            members,
            tracked,
        }
        .sizes()
    };
    assert_eq!(limits(33, 4, 8), Err(LimitsError::Capacity));
    assert_eq!(limits(16, 4, 8), Err(LimitsError::Capacity));
    assert_eq!(limits(131_072, 4, 8), Err(LimitsError::Capacity));
    assert_eq!(limits(32, 0, 8), Err(LimitsError::Members));
    assert_eq!(limits(32, 4, 65), Err(LimitsError::Tracked));
    assert!(limits(65_536, 65_535, 64).is_ok());
    let memory = TangleMemory {
        vertices: &mut [Vertex::EMPTY; 32],
        index: &mut [0; 63],
        tips: &mut [0; 32],
        marks: &mut [0; 1],
        members: &mut [Member::EMPTY; 4],
        tracked: &mut [Tracked::EMPTY; 4],
    };
    assert_eq!(
        Tangle::new(memory, POLICY, 1).err(),
        Some(LimitsError::Memory)
    );
    assert!(core::mem::size_of::<Vertex>() <= 128);
}

/// A long honest history over a small window: everything stays findable while it is here, nothing after, also where the
/// insertion number wraps.
#[test]
fn eviction_by_count_leaves_no_trace() {
    let mut memory = Memory::new(32, 4, 4);
    let book = Book::new(&[1, 1, 1, 1]);
    let mut tangle = memory.tangle();
    tangle.window.start_at(u32::MAX - 1500);
    let mut rng = Rng(3);
    let mut ids: Vec<Id> = Vec::new();
    let mut heads = [(g0(), 0u32); 4];
    for n in 0..4000u64 {
        let m = rng.below(4);
        let facts = plain(rng.id(), m as u16, heads[m].1 + 1, START + 1 + n);
        let mut parents = vec![heads[m].0];
        for _ in 0..2 {
            let p = ids
                .get(ids.len().saturating_sub(1 + rng.below(20)))
                .copied();
            if let Some(p) = p.filter(|p| !parents.contains(p)) {
                parents.push(p);
            }
        }
        // A first parent may be long gone: the member's state stands in for it.
        put(&mut tangle, &book, facts, &parents).unwrap();
        ids.push(facts.id);
        heads[m] = (facts.id, facts.number.0);
        assert_eq!(tangle.len(), ids.len().min(32));
        for (age, id) in ids.iter().rev().take(64).enumerate() {
            assert_eq!(tangle.contains(id), age < 32);
            assert_eq!(
                tangle.lookup(&id.prefix()).collect::<Vec<_>>().len(),
                usize::from(age < 32)
            );
        }
        let oldest = tangle.oldest_sequence();
        let here: Vec<Id> = tangle.since(oldest).map(|(_, f)| f.id).collect();
        assert_eq!(here, ids[ids.len().saturating_sub(32)..]);
        let childless = here.iter().filter(|id| {
            !here
                .iter()
                .any(|c| tangle.parents(c).any(|p| p == Some(**id)))
        });
        let mut childless: Vec<Id> = childless.copied().collect();
        let mut tips: Vec<Id> = tangle.tips().collect();
        childless.sort();
        tips.sort();
        assert_eq!(tips, childless);
    }
    let last = tangle.next_sequence().wrapping_sub(1);
    assert_eq!(tangle.since(last).count(), 1);
    assert_eq!(tangle.evicted(), 4000 - 32);
}

#[test]
fn two_ids_with_one_prefix_are_both_found() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    let mut twin = id(1);
    twin.0[31] ^= 1;
    put(&mut tangle, &book, plain(twin, 0, 2, START + 50), &[id(1)]).unwrap();
    let mut found: Vec<Id> = tangle.lookup(&twin.prefix()).collect();
    found.sort();
    let mut both = vec![id(1), twin];
    both.sort();
    assert_eq!(found, both);
    assert!(tangle.contains(&twin) && tangle.contains(&id(1)));
}

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

#[test]
fn an_aged_stub_approves_nothing_and_withholds_quorum() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    tangle.track(&book, &id(1)).unwrap();
    assert!(tangle.can_judge(&id(1)));
    let stubs = Stubs {
        aged: 0b100,
        settled: 0,
    };
    let facts = plain(id(9), 1, 2, START + 50);
    let inserted = tangle
        .insert(&book, &facts, &[id(2), id(1), id(50)], stubs)
        .unwrap();
    assert!(inserted.opaque);
    assert_eq!(tangle.approval_weight(&id(1)), Some(1));
    assert!(!tangle.can_judge(&id(1)));
    // The next vertex of the same member has a known cone but for that; Quorum stays withheld, Witnessed does not.
    for (n, m) in [(60, 1), (61, 2), (62, 3)] {
        let first = if m == 1 { id(9) } else { id(m + 1) };
        let number = if m == 1 { 3 } else { 2 };
        let facts = plain(id(n), m, number, START + u64::from(n));
        put(&mut tangle, &book, facts, &[first, id(1)]).unwrap();
    }
    assert_eq!(tangle.approval_weight(&id(1)), Some(4));
    assert_eq!(tangle.standing(&id(1)), Some(Standing::Witnessed));
    assert_eq!(
        tangle.raise(&id(1), Standing::Quorum),
        Some(Standing::Quorum)
    );
    assert_eq!(
        tangle.raise(&id(1), Standing::Dead),
        Some(Standing::Quorum),
        "never back"
    );
    // A stub below a certified cut says nothing bad.
    let stubs = Stubs {
        aged: 0,
        settled: 0b10,
    };
    let facts = plain(id(70), 1, 4, START + 90);
    assert!(
        !tangle
            .insert(&book, &facts, &[id(60), id(51)], stubs)
            .unwrap()
            .opaque
    );
}

#[test]
fn slots_go_to_trims_before_conflicts_and_nothing_is_dropped_silently() {
    let mut memory = Memory::new(64, 4, 4);
    let (mut tangle, book) = four(&mut memory);
    for n in 1..=3 {
        tangle.track(&book, &id(n)).unwrap();
    }
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
        plain(id(11), 3, 2, START + 21),
        &[id(4)],
    )
    .unwrap();
    let told = drain(&mut tangle);
    assert!(told.contains(&Change::Untracked(id(10))), "{told:?}");
    assert_eq!(tangle.track(&book, &id(4)), Ok(()), "a conflict gives way");
    assert_eq!(drain(&mut tangle), [Change::Untracked(id(11))]);
    assert_eq!(tangle.track(&book, &id(11)), Err(TrackError::Full));
    assert!(tangle.untrack(&id(1)) && !tangle.untrack(&id(1)));
    assert_eq!(tangle.track(&book, &id(11)), Ok(()));
    assert_eq!(tangle.track(&book, &id(99)), Err(TrackError::NotHere));
    // Eviction of a tracked vertex is told, and it stays tracked.
    let mut last = id(3);
    for n in 0..80u16 {
        let facts = plain(id(200 + n), 2, u32::from(n) + 2, START + 100 + u64::from(n));
        put(&mut tangle, &book, facts, &[last]).unwrap();
        last = facts.id;
    }
    let told = drain(&mut tangle);
    assert!(told.contains(&Change::Evicted(id(2))), "{told:?}");
    assert_eq!(tangle.standing(&id(2)), Some(Standing::Seen));
}

#[test]
fn changes_that_wait_hold_insertion_back() {
    let mut memory = Memory::new(64, 4, 8);
    let (mut tangle, book) = four(&mut memory);
    let mut busy = false;
    for n in 0..8u16 {
        let facts = plain(id(30 + n), 3, 2, START + 30 + u64::from(n));
        match put(&mut tangle, &book, facts, &[id(4)]) {
            Ok(_) => {}
            Err(e) => {
                assert_eq!(e, InsertError::Busy);
                busy = true;
                assert!(!drain(&mut tangle).is_empty());
                put(&mut tangle, &book, facts, &[id(4)]).unwrap();
            }
        }
    }
    assert!(busy);
}

/// Rounds in which everybody stands on everybody: the plain life of a neighbourhood over two epochs.
fn rounds(
    tangle: &mut Tangle<'_>,
    book: &Book,
    heads: &mut [Facts],
    count: u64,
    step: u64,
) -> Vec<Change> {
    let mut told = Vec::new();
    for _ in 0..count {
        for m in 0..heads.len() {
            let time = heads.iter().map(|h| h.time.0).max().unwrap() + step;
            let old = heads[m];
            let epoch = heads
                .iter()
                .map(|h| match h.effect {
                    Effect::Trim { header, .. } => h.epoch.max(header.opens()),
                    _ => h.epoch,
                })
                .max()
                .unwrap();
            let facts = Facts {
                epoch,
                ..plain(Rng(time).id(), m as u16, old.number.0 + 1, time)
            };
            let before = heads[(m + heads.len() - 1) % heads.len()].id;
            put(tangle, book, facts, &[old.id, before]).unwrap();
            heads[m] = facts;
            told.extend(drain(tangle));
        }
    }
    told
}

#[test]
fn two_epochs_end_to_end() {
    let mut memory = Memory::new(256, 4, 16);
    let (mut tangle, mut book) = four(&mut memory);
    let mut heads: Vec<Facts> = (1..=4).map(|n| tangle.get(&id(n)).unwrap()).collect();
    let mut paper = Paper::new(256);
    rounds(&mut tangle, &book, &mut heads, 2, 100);
    let x = heads[1];
    tangle.track(&book, &x.id).unwrap();
    let told = rounds(&mut tangle, &book, &mut heads, 15, 100);
    assert!(told.contains(&Change::Witnessed(x.id)) && told.contains(&Change::Quorum(x.id)));
    let trim =
        |tangle: &mut Tangle<'_>, book: &Book, heads: &mut Vec<Facts>, cut, previous, header| {
            let time = heads.iter().map(|h| h.time.0).max().unwrap() + 1;
            let old = heads[0];
            let facts = Facts {
                epoch: heads[3].epoch,
                effect: Effect::Trim {
                    cut: Millis(cut),
                    previous,
                    header: HeaderNumber(header),
                },
                ..plain(Rng(time).id(), 0, old.number.0 + 1, time)
            };
            put(tangle, book, facts, &[old.id, heads[3].id]).map(|_| {
                heads[0] = facts;
                facts.id
            })
        };
    let first_cut = START + 1500;
    let first = trim(&mut tangle, &book, &mut heads, first_cut, genesis(), 0).unwrap();
    // It would cut before its predecessor came; and its predecessor is not certified in its cone.
    let early = heads[0].time.0 - 1;
    let e = trim(&mut tangle, &book, &mut heads.clone(), early, first, 0);
    assert_eq!(e, Err(InsertError::VoidTrim(VoidTrim::Cut)));
    let e = trim(
        &mut tangle,
        &book,
        &mut heads.clone(),
        heads[0].time.0,
        first,
        0,
    );
    assert_eq!(e, Err(InsertError::VoidTrim(VoidTrim::PreviousUncertified)));
    let told = rounds(&mut tangle, &book, &mut heads, 2, 100);
    assert!(told.contains(&Change::TrimCertified {
        id: first,
        cut: Millis(first_cut)
    }));
    let mut living = Vec::new();
    let outcome = tangle
        .evaluate(&first, &book, &mut paper.scratch(), |v| {
            living.push((v.facts, v.lives))
        })
        .unwrap();
    assert!(living.iter().all(|(_, lives)| *lives));
    assert!(living.iter().any(|(f, _)| f.id == x.id));
    assert!(outcome.g0.is_some() && outcome.living as usize == living.len());
    // The header settles: heads move, epoch 2 opens; devices prune.
    for (facts, _) in &living {
        book.heads[usize::from(facts.issuer.0)] = Head {
            number: facts.number,
            id: facts.id,
            debits: Amount(0),
        };
    }
    book.cuts.push(Cut {
        trim: first,
        cut: Millis(first_cut),
    });
    book.weights.push(vec![1, 1, 1, 1]);
    tangle.tables_changed(&book);
    tangle.prune(Millis(first_cut));
    assert!(tangle.since(0).all(|(_, f)| f.time.0 > first_cut));
    rounds(&mut tangle, &book, &mut heads, 18, 100);
    // It names the settled header: those above it are of epoch 2.
    let second_cut = START + 7500;
    let second = trim(&mut tangle, &book, &mut heads, second_cut, first, 1).unwrap();
    let e = put(
        &mut tangle,
        &book,
        plain(id(500), 1, heads[1].number.0 + 1, heads[0].time.0 + 1),
        &[heads[1].id, second],
    );
    assert_eq!(e, Err(InsertError::EpochMismatch));
    rounds(&mut tangle, &book, &mut heads, 2, 100);
    assert!(tangle.certified(&second));
    assert!(heads.iter().all(|h| h.epoch == Epoch(2)));
    let mut done = Vec::new();
    let outcome = tangle
        .evaluate(&second, &book, &mut paper.scratch(), |v| {
            done.push((v.facts, v.lives))
        })
        .unwrap();
    assert_eq!(
        (outcome.epoch, outcome.previous_cut),
        (Epoch(2), Millis(first_cut))
    );
    assert!(
        done.iter()
            .all(|(f, lives)| *lives && f.time.0 > first_cut && f.time.0 <= second_cut)
    );
    // Not by tables that are not those after its predecessor.
    assert_eq!(
        tangle.evaluate(&first, &book, &mut paper.scratch(), |_| {}),
        Err(TrimError::Tables)
    );
    assert_eq!(
        tangle.evaluate(&x.id, &book, &mut paper.scratch(), |_| {}),
        Err(TrimError::NotTrim)
    );
    assert_eq!(
        tangle.evaluate(&id(99), &book, &mut paper.scratch(), |_| {}),
        Err(TrimError::NotHere)
    );
    // What a member issues that the table holds frozen is dead; so is a chain that misses the head.
    let mut cold = book.clone();
    cold.frozen[2] = true;
    cold.heads[3].id = id(98);
    let mut dead = Vec::new();
    tangle
        .evaluate(&second, &cold, &mut paper.scratch(), |v| {
            if !v.lives {
                dead.push(v.facts.issuer.0);
            }
        })
        .unwrap();
    assert!(dead.contains(&2) && dead.contains(&3) && !dead.contains(&0) && !dead.contains(&1));
    let mut small_memory = Memory::new(32, 4, 16);
    let mut small = small_memory.tangle();
    for (_, facts) in tangle.since(0) {
        let parents: Vec<Id> = tangle.parents(&facts.id).flatten().collect();
        let _ = small.insert(
            &book,
            &facts,
            &parents,
            Stubs {
                aged: 0,
                settled: 0xfe,
            },
        );
    }
    let e = small.evaluate(&second, &book, &mut paper.scratch(), |_| {});
    assert!(
        matches!(e, Err(TrimError::Truncated | TrimError::NotHere)),
        "{e:?}"
    );
}

/// A trim names the header before it, and comes T/2 after its cut: so an epoch of settlement holds vertices of the trim's own epoch and of the
/// one before, and all of them live. With the header that the trim names opening a third.
#[test]
fn what_stands_between_a_cut_and_its_trim_lives_in_the_next_epoch() {
    let mut memory = Memory::new(1024, 4, 16);
    let (mut tangle, mut book) = four(&mut memory);
    let mut heads: Vec<Facts> = (1..=4).map(|n| tangle.get(&id(n)).unwrap()).collect();
    let mut paper = Paper::new(1024);
    let mut previous = genesis();
    for turn in 1..=4u64 {
        let cut = START + turn * PERIOD;
        while heads[3].time.0 <= cut + PERIOD / 2 + 500 {
            rounds(&mut tangle, &book, &mut heads, 1, 100);
        }
        let facts = Facts {
            epoch: heads[3].epoch,
            effect: Effect::Trim {
                cut: Millis(cut),
                previous,
                header: HeaderNumber(turn as u32 - 1),
            },
            ..plain(
                Rng(cut + 7).id(),
                0,
                heads[0].number.0 + 1,
                heads[3].time.0 + 1,
            )
        };
        put(&mut tangle, &book, facts, &[heads[0].id, heads[3].id]).unwrap();
        heads[0] = facts;
        rounds(&mut tangle, &book, &mut heads, 2, 100);
        assert!(tangle.certified(&facts.id), "trim {turn}");
        let mut done = Vec::new();
        let outcome = tangle
            .evaluate(&facts.id, &book, &mut paper.scratch(), |v| {
                done.push((v.facts, v.lives));
            })
            .unwrap();
        assert_eq!(outcome.living, outcome.done, "trim {turn}");
        assert!(outcome.done > 70);
        for (facts, _) in &done {
            book.heads[usize::from(facts.issuer.0)] = Head {
                number: facts.number,
                id: facts.id,
                debits: Amount(0),
            };
        }
        book.cuts.push(Cut {
            trim: facts.id,
            cut: Millis(cut),
        });
        book.weights.push(vec![1, 1, 1, 1]);
        tangle.tables_changed(&book);
        tangle.prune(Millis(cut));
        previous = facts.id;
    }
}
