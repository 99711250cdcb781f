//! Every refusal of an insertion, and memory out of range.

use super::*;

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
fn what_was_not_read_is_not_taken_for_what_is_not_there() {
    let mut memory = Memory::new(32, 4, 8);
    let (mut tangle, mut book) = four(&mut memory);
    let t = START + 100;
    book.unread = Some(MemberIndex(0));
    let before = tangle.len();
    let facts = plain(id(9), 0, 2, t);
    let parents = [id(1), id(2)];
    let refused = tangle.insert(&book, &facts, &parents, Stubs::default());
    assert_eq!(refused, Err(InsertError::NotRead));
    assert_eq!(tangle.len(), before);
    // Others' vertices need it not, whoever approves whom.
    put(&mut tangle, &book, plain(id(10), 1, 2, t), &[id(2), id(1)]).unwrap();
    book.unread = None;
    put(&mut tangle, &book, facts, &parents).unwrap();
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
        sets: &mut [0; 24],
        settled: &mut [Number(0); 4],
        tracked: &mut [Tracked::EMPTY; 4],
    };
    assert_eq!(
        Tangle::new(memory, POLICY, 1).err(),
        Some(LimitsError::Memory)
    );
    assert!(core::mem::size_of::<Vertex>() <= 128);
}
