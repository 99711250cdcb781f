//! Trims and tables that change.

use super::*;

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
    // Nor where a record of Done was not read.
    let unread = Book {
        unread: Some(x.issuer),
        ..book.clone()
    };
    assert_eq!(
        tangle.evaluate(&second, &unread, &mut paper.scratch(), |_| {}),
        Err(TrimError::Tables)
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
    for turn in 1..=40u64 {
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

/// A cheat forks, nothing of it lives, it waits until both sides were evicted and goes on above one of them: the trim is evaluated all the
/// same, as by a window that still holds everything.
#[test]
fn an_old_fork_does_not_block_a_trim() {
    let run = |capacity: usize| {
        let mut memory = Memory::new(capacity, 4, 16);
        let (mut tangle, mut book) = four(&mut memory);
        let mut paper = Paper::new(capacity);
        let mut heads: Vec<Facts> = (1..=3).map(|n| tangle.get(&id(n)).unwrap()).collect();
        let side = |n: u16, time: u64| plain(id(n), 3, 2, START + time);
        put(&mut tangle, &book, side(40, 20), &[id(4)]).unwrap();
        put(&mut tangle, &book, side(41, 21), &[id(4), id(3)]).unwrap();
        // One honest member saw the one side first, one the other, one both.
        for (n, m, seen) in [
            (50, 0, &[40][..]),
            (51, 1, &[41][..]),
            (52, 2, &[40, 41][..]),
        ] {
            let facts = plain(id(n), m, 2, START + 30 + u64::from(m));
            let mut parents = vec![id(m + 1)];
            parents.extend(seen.iter().map(|&n| id(n)));
            put(&mut tangle, &book, facts, &parents).unwrap();
            heads[usize::from(m)] = facts;
        }
        let mut previous = genesis();
        let mut verdict = None;
        for turn in 1..=4u64 {
            let cut = START + turn * PERIOD;
            while heads[2].time.0 <= cut + PERIOD / 2 + 300 {
                rounds(&mut tangle, &book, &mut heads, 1, 100);
                if turn == 4 && verdict.is_none() && heads[2].time.0 > START + 3 * PERIOD + 4_000 {
                    verdict = Some(false);
                    assert_eq!(tangle.contains(&id(40)), capacity > 256);
                    let epoch = heads[2].epoch;
                    let time = Millis(heads[2].time.0 + 1);
                    let above = Facts {
                        epoch,
                        time,
                        ..plain(id(60), 3, 3, 0)
                    };
                    put(&mut tangle, &book, above, &[id(40), heads[2].id]).unwrap();
                    let honest = heads[0];
                    let next = Facts {
                        number: Number(honest.number.0 + 1),
                        time: Millis(time.0 + 1),
                        epoch,
                        ..plain(id(61), 0, 0, 0)
                    };
                    put(&mut tangle, &book, next, &[honest.id, id(60)]).unwrap();
                    heads[0] = next;
                }
            }
            let facts = Facts {
                epoch: heads[2].epoch,
                effect: Effect::Trim {
                    cut: Millis(cut),
                    previous,
                    header: HeaderNumber(turn as u32 - 1),
                },
                ..plain(
                    id(70 + turn as u16),
                    0,
                    heads[0].number.0 + 1,
                    heads[2].time.0 + 1,
                )
            };
            put(&mut tangle, &book, facts, &[heads[0].id, heads[2].id]).unwrap();
            heads[0] = facts;
            rounds(&mut tangle, &book, &mut heads, 2, 100);
            let mut done = Vec::new();
            let outcome = tangle.evaluate(&facts.id, &book, &mut paper.scratch(), |v| {
                done.push((v.facts, v.lives));
            });
            assert!(
                outcome.is_ok(),
                "window {capacity}, turn {turn}: {outcome:?}"
            );
            for (facts, lives) in &done {
                if facts.id == id(40) || facts.id == id(41) {
                    assert!(!lives);
                }
                if facts.id == id(60) {
                    verdict = Some(*lives);
                }
                if *lives {
                    book.heads[usize::from(facts.issuer.0)] = Head {
                        number: facts.number,
                        id: facts.id,
                        debits: Amount(0),
                    };
                }
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
        verdict
    };
    let whole = run(1024);
    assert_eq!(whole, Some(true));
    assert_eq!(run(256), whole);
}

/// How many of n members must approve by the table of e, so that two thirds of e + 1 do, whoever joins and leaves within the bounds.
#[test]
fn a_quorum_outlives_a_table_change_from_77_percent_on() {
    use super::super::tracks::two_thirds;
    for n in 1..=60u64 {
        let most = (n / 10).max(1);
        let outlives = |approving: u64| {
            (0..=most).all(|joined| {
                (0..=most.min(n - 1)).all(|left| {
                    // Those who leave may all have approved; those who join have not.
                    (0..=left.min(approving)).all(|of_them| {
                        let total = n - left + joined;
                        left - of_them > n - approving
                            || two_thirds(approving - of_them, Some(total))
                    })
                })
            })
        };
        let least = (1..=n).find(|&w| two_thirds(w, Some(n)) && (w..=n).all(outlives));
        let bound = (2 * n + most.min(n - 1) + 2 * most) / 3 + 1;
        assert_eq!(least, (bound <= n).then_some(bound), "{n} members");
    }
}

/// What lags behind a trim gets no Quorum, though the trim itself left the window and is not followed any more.
#[test]
fn a_trim_overtakes_what_lags_even_after_it_is_evicted() {
    for overtaken in [false, true] {
        let mut memory = Memory::new(64, 4, 16);
        let (mut tangle, book) = four(&mut memory);
        let mut heads: Vec<Facts> = (1..=4).map(|n| tangle.get(&id(n)).unwrap()).collect();
        rounds(&mut tangle, &book, &mut heads, 30, 10);
        let x = heads[2];
        tangle.trims[0] = TrimNote {
            id: id(900),
            previous: genesis(),
            time: Millis(x.time.0 - 1),
            epoch: Epoch(if overtaken { 2 } else { 1 }),
        };
        assert!(!tangle.contains(&id(900)));
        tangle.track(&book, &x.id).unwrap();
        rounds(&mut tangle, &book, &mut heads, 4, 10);
        let quorum = tangle.standing(&x.id) == Some(Standing::Quorum);
        assert_eq!(quorum, !overtaken);
    }
}

/// Evaluates a trim, settles its header, and tells who lives.
fn settle(tangle: &mut Tangle<'_>, book: &mut Book, trim: Facts) -> Vec<(Facts, bool)> {
    let Effect::Trim { cut, .. } = trim.effect else {
        panic!("a trim")
    };
    let mut done = Vec::new();
    let mut paper = Paper::new(1024);
    tangle
        .evaluate(&trim.id, book, &mut paper.scratch(), |v| {
            done.push((v.facts, v.lives));
        })
        .unwrap();
    for (facts, _) in done.iter().filter(|(_, lives)| *lives) {
        book.heads[usize::from(facts.issuer.0)] = Head {
            number: facts.number,
            id: facts.id,
            debits: Amount(0),
        };
    }
    book.cuts.push(Cut { trim: trim.id, cut });
    book.weights.push(vec![1, 1, 1, 1]);
    tangle.tables_changed(book);
    done
}

/// Found by the model (decision 0015, 2; `docs/model.md`, without `CertifiedByCut`): the GL-node withholds its second trim until x is
/// at Quorum without it. If the third could cut at the second's time, just before x, the fourth would find x two epochs behind. So the
/// predecessor must be certified by vertices not later than the cut: then the cut lies above x, and x lives.
#[test]
fn a_withheld_trim_does_not_undo_a_quorum() {
    let mut memory = Memory::new(1024, 4, 16);
    let (mut tangle, mut book) = four(&mut memory);
    let mut heads: Vec<Facts> = (1..=4).map(|n| tangle.get(&id(n)).unwrap()).collect();
    let until = |tangle: &mut Tangle<'_>, book: &Book, heads: &mut Vec<Facts>, time: u64| {
        while heads.iter().map(|h| h.time.0).min().unwrap() <= time {
            rounds(tangle, book, heads, 1, 100);
        }
    };
    let trim = |heads: &[Facts], n: u16, cut: u64, previous: Id, header: u32| {
        let effect = Effect::Trim {
            cut: Millis(cut),
            previous,
            header: HeaderNumber(header),
        };
        Facts {
            epoch: heads[3].epoch,
            effect,
            ..plain(id(n), 0, heads[0].number.0 + 1, heads[3].time.0 + 1)
        }
    };
    until(&mut tangle, &book, &mut heads, START + 5_600);
    let first = trim(&heads, 901, START + 1_500, genesis(), 0);
    put(&mut tangle, &book, first, &[heads[0].id, heads[3].id]).unwrap();
    heads[0] = first;
    rounds(&mut tangle, &book, &mut heads, 3, 100);
    settle(&mut tangle, &mut book, first);
    until(&mut tangle, &book, &mut heads, START + 11_600);

    // Made now, shown to nobody.
    let second = trim(&heads, 902, START + 7_500, first.id, 1);
    let below = [heads[0].id, heads[3].id];
    let mut x = None;
    for turn in 0..4 {
        for m in 1..4 {
            let time = heads.iter().map(|h| h.time.0).max().unwrap() + 100;
            let number = heads[m].number.0 + 1;
            let facts = plain(Rng(time).id(), m as u16, number, time);
            let beside = heads[if m == 1 { 3 } else { m - 1 }].id;
            put(&mut tangle, &book, facts, &[heads[m].id, beside]).unwrap();
            if turn == 0 && m == 1 {
                tangle.track(&book, &facts.id).unwrap();
                x = Some(facts);
            }
            heads[m] = facts;
            drain(&mut tangle);
        }
    }
    let x = x.unwrap();
    assert!(x.time > second.time);
    assert_eq!(tangle.standing(&x.id), Some(Standing::Quorum));

    put(&mut tangle, &book, second, &below).unwrap();
    heads[0] = second;
    rounds(&mut tangle, &book, &mut heads, 3, 100);
    assert!(tangle.certified(&second.id));
    settle(&mut tangle, &mut book, second);
    until(&mut tangle, &book, &mut heads, second.time.0 + 4_100);
    let below = [heads[0].id, heads[3].id];
    let void = |id| Err(InsertError::VoidTrim(id));
    let mut times = [Millis(0); 4];
    let certified = tangle.certified_at(&book, &second.id, &mut times).unwrap();
    assert!(
        certified > x.time,
        "whoever approved x had not seen the second"
    );
    for cut in [second.time.0, x.time.0 - 1, x.time.0, certified.0 - 1] {
        let third = trim(&heads, 903, cut, second.id, 2);
        let e = put(&mut tangle, &book, third, &below);
        assert_eq!(e, void(VoidTrim::PreviousUncertified), "{cut}");
    }
    let third = trim(&heads, 903, certified.0, second.id, 2);
    until(&mut tangle, &book, &mut heads, certified.0 + 4_100);
    let third = Facts {
        number: Number(heads[0].number.0 + 1),
        time: Millis(heads[3].time.0 + 1),
        epoch: heads[3].epoch,
        ..third
    };
    put(&mut tangle, &book, third, &[heads[0].id, heads[3].id]).unwrap();
    heads[0] = third;
    rounds(&mut tangle, &book, &mut heads, 3, 100);
    let done = settle(&mut tangle, &mut book, third);
    let lives = done.iter().find(|(facts, _)| facts.id == x.id).unwrap().1;
    assert!(lives);
    assert_eq!(tangle.standing(&x.id), Some(Standing::Quorum));
}
