//! Parents that are not here, slots and changes that wait.

use super::*;

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
    let mut memory = Memory::new(64, 4, 5);
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
    assert!(!drain(&mut tangle).contains(&Change::Untracked(id(10))));
    let full = Err(TrackError::Full);
    assert_eq!(tangle.track(&book, &id(4)), full, "two are for trims");
    assert_eq!(tangle.track(&book, &id(11)), full, "nor by asking twice");
    put(
        &mut tangle,
        &book,
        plain(id(12), 3, 2, START + 22),
        &[id(4)],
    )
    .unwrap();
    let told = drain(&mut tangle);
    assert!(told.contains(&Change::Untracked(id(10))), "{told:?}");
    assert!(tangle.untrack(&id(1)) && !tangle.untrack(&id(1)));
    assert_eq!(tangle.track(&book, &id(11)), Ok(()));
    assert_eq!(tangle.track(&book, &id(4)), full);
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

/// After a reset below a cut: what an issuer has here of its chain may have a gap that its settled head stands for. That is no fork.
#[test]
fn a_gap_in_a_chain_is_no_second_branch() {
    let mut memory = Memory::new(64, 4, 8);
    let (mut tangle, mut book) = four(&mut memory);
    book.heads[0] = Head {
        number: Number(4),
        id: id(50),
        debits: Amount(0),
    };
    let facts = plain(id(60), 0, 5, START + 20);
    put(&mut tangle, &book, facts, &[id(50), id(2)]).unwrap();
    for m in 1..4u16 {
        let facts = plain(id(60 + m), m, 2, START + 30 + u64::from(m));
        put(&mut tangle, &book, facts, &[id(m + 1), id(60), id(1)]).unwrap();
    }
    // Not the newest, so that its bit is computed for the whole window.
    tangle.track(&book, &id(60)).unwrap();
    assert_eq!(tangle.approval_weight(&id(60)), Some(4));
    assert_eq!(tangle.standing(&id(60)), Some(Standing::Witnessed));
}
