use super::*;
use crate::crypto::vrf::Output;
use crate::posp::{PospError, Validator, ValidatorSet};
use crate::types::HeaderNumber;
use proptest::prelude::*;
use std::collections::BTreeMap;

const CHAIN: Id = Id([0xc4; 32]);

fn election(seats: u8) -> Election {
    Election {
        chain: CHAIN,
        term: 9,
        seats,
        seed: Seed([0x5e; 32]),
    }
}

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32]).unwrap()
}

fn candidate(n: u8, units: u64) -> Candidate {
    Candidate {
        key: [n; 32],
        function: secret(n).public_key(),
        units,
        registered: 7,
    }
}

fn entry(election: &Election, n: u8, units: u64) -> Entry {
    Entry {
        candidate: candidate(n, units),
        proof: Some(election.prove(&[n; 32], &secret(n)).unwrap()),
    }
}

fn hash_of(entries: &[Entry]) -> Id {
    let candidates: Vec<Candidate> = entries.iter().map(|entry| entry.candidate).collect();
    list_hash(&CHAIN, 9, &candidates).unwrap()
}

fn run(election: &Election, entries: &[Entry]) -> Result<Elected<64>, ElectionError> {
    let mut check = ElectionCheck::new(election, entries.len())?;
    entries.iter().try_for_each(|entry| check.add(entry))?;
    check.finish(&hash_of(entries))
}

fn output(n: u64) -> Output {
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Output(bytes)
}

fn key(n: u64) -> [u8; 32] {
    crate::crypto::sha256(&[&n.to_be_bytes()])
}

fn seats_of(seats: u8, runners: &[([u8; 32], u64, Output)]) -> Vec<Seat> {
    let mut race = Race::<64>::new(seats).unwrap();
    for (key, units, output) in runners {
        race.enter(key, *units, output);
    }
    race.seats().to_vec()
}

#[test]
fn logarithms_are_logarithms() {
    assert_eq!(negative_log2(u64::MAX), 0);
    assert_eq!(negative_log2(0), 64 << 48);
    for bit in 0..64 {
        assert_eq!(negative_log2((1 << bit) - 1), (64 - bit) << 48);
    }
    // To 112 bits: log2(3/2) and log2(5/4).
    assert_eq!(
        negative_log2((3 << 62) - 1),
        (1 << 48) - (0x95c0_1a39_fbd6_879f_u64 >> 16)
    );
    assert_eq!(
        negative_log2((5 << 61) - 1),
        (1 << 48) - (0x5269_e12f_346e_2bf9_u64 >> 16)
    );
}

proptest! {
    #[test]
    fn logarithms_fall_and_are_near_those_of_floats(draw: u64, shift in 0u32..64) {
        let draw = draw >> shift;
        let exact = 64.0 - (draw as f64 + 1.0).log2();
        let found = negative_log2(draw) as f64 / (1_u64 << 48) as f64;
        prop_assert!((found - exact).abs() < 1e-13, "{draw}: {found} {exact}");
        prop_assert!(negative_log2(draw) >= negative_log2(draw.saturating_add(1)));
    }

    /// The same as to draw all tickets of all, sort them and take the first.
    #[test]
    fn the_seats_are_the_lowest_of_all_tickets(
        runners in prop::collection::vec((0u64..500, 1u64..90), 1..40),
        seats in 1u8..=64,
    ) {
        let runners: BTreeMap<u64, u64> = runners.into_iter().collect();
        let runners: Vec<_> = runners.iter().map(|(n, units)| (key(*n), *units, output(*n))).collect();
        let mut all: Vec<Seat> = runners.iter().flat_map(|one| seats_of(64, &[*one])).collect();
        for (runner, units, _) in &runners {
            let own = all.iter().filter(|seat| seat.key == *runner).count();
            prop_assert_eq!(own as u64, (*units).min(64));
        }
        all.sort_by_key(|a| (a.score, a.key));
        all.truncate(seats.into());
        prop_assert_eq!(&seats_of(seats, &runners), &all);
        let backwards: Vec<_> = runners.iter().rev().copied().collect();
        prop_assert_eq!(seats_of(seats, &backwards), all);
    }

    /// Who withholds gets fewer seats or as many, never more; and so do those who withhold together.
    #[test]
    fn withholding_never_gains_a_seat(
        units in prop::collection::vec(1u64..30, 2..24),
        together: u32,
        kept: u32,
        seats in 1u8..=64,
    ) {
        let runners: Vec<_> = (0u64..).zip(units).map(|(n, units)| (key(n), units, output(n))).collect();
        let is = |mask: u32, n: usize| mask >> n & 1 == 1;
        let shown = runners.iter().enumerate().filter(|(n, _)| !(is(together, *n) && is(kept, *n)));
        let shown: Vec<_> = shown.map(|(_, one)| *one).collect();
        let of_them = |seats: &[Seat]| {
            seats.iter().filter(|seat| (0..runners.len()).any(|n| is(together, n) && runners[n].0 == seat.key)).count()
        };
        let (all, without) = (seats_of(seats, &runners), seats_of(seats, &shown));
        prop_assert!(of_them(&without) <= of_them(&all));
        // And whoever else had a seat keeps it.
        for seat in &all {
            prop_assert!(without.contains(seat) || !shown.iter().any(|one| one.0 == seat.key));
        }
    }

    #[test]
    fn records_of_any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(mut record) = Record::parse(&bytes) {
            while let Ok(Some(_)) = record.next_entry() {}
        }
        let _ = Entry::decode(&bytes);
    }
}

#[test]
fn more_seats_than_units_elect_everyone_with_all_of_it() {
    let election = election(64);
    let entries: Vec<Entry> = (1..=5).map(|n| entry(&election, n, n.into())).collect();
    let elected = run(&election, &entries).unwrap();
    assert_eq!(elected.seats().len(), 15);
    let members: BTreeMap<_, _> = elected.members().map(|m| (m.key, m.stake)).collect();
    assert_eq!(members, (1..=5).map(|n| ([n; 32], u64::from(n))).collect());
    let set = elected.set(HeaderNumber(4)).unwrap();
    assert_eq!((set.total(), set.term()), (15, 9));
    assert_eq!(elected.check(&set), Ok(()));
}

#[test]
fn a_member_of_great_stake_takes_many_seats_and_nothing_overflows() {
    let election = election(64);
    let entries = [entry(&election, 1, u64::MAX), entry(&election, 2, 1)];
    let elected = run(&election, &entries).unwrap();
    assert_eq!(elected.seats().len(), 64);
    let members: Vec<Validator> = elected.members().collect();
    assert_eq!(
        members,
        [Validator {
            key: [1; 32],
            stake: 64
        }]
    );
    let great = [
        (key(1), u64::MAX, output(u64::MAX)),
        (key(2), u64::MAX, output(0)),
    ];
    assert_eq!(seats_of(64, &great).len(), 64);
    let one = seats_of(64, &[(key(1), 1, output(3))]);
    assert!(one.len() == 1 && one[0].score >> 118 == 0);
}

#[test]
fn of_equal_scores_the_lower_key_is_before() {
    let (low, high) = ([1; 32], [2; 32]);
    for order in [[low, high], [high, low]] {
        let runners = order.map(|key| (key, 3, output(7)));
        let keys: Vec<_> = seats_of(6, &runners)
            .iter()
            .map(|seat| seat.key[0])
            .collect();
        assert_eq!(keys, [1, 2, 1, 2, 1, 2]);
        assert_eq!(seats_of(3, &runners)[2].key, low);
    }
}

#[test]
fn a_set_is_the_committee_or_refused() {
    let election = election(7);
    let entries: Vec<Entry> = (1..=12)
        .map(|n| entry(&election, n, 1 + u64::from(n) % 3))
        .collect();
    let elected = run(&election, &entries).unwrap();
    let members: Vec<Validator> = elected.members().collect();
    assert_eq!(members.iter().map(|m| m.stake).sum::<u64>(), 7);
    let set =
        |term, members: &[Validator]| ValidatorSet::new(term, HeaderNumber(3), members).unwrap();
    assert_eq!(elected.check(&set(9, &members)), Ok(()));
    assert_eq!(elected.check(&set(8, &members)), Err(ElectionError::Term));
    let mut others = vec![members[..members.len() - 1].to_vec()];
    let stranger = Validator {
        key: [99; 32],
        stake: 1,
    };
    others.push([&members[..], &[stranger]].concat());
    for change in 0..members.len() {
        let mut other = members.clone();
        other[change].stake += 1;
        others.push(other);
        let mut other = members.clone();
        other[change].key = [98; 32];
        others.push(other);
        let mut other = members.clone();
        other.swap(change, (change + 1) % members.len());
        others.push(other);
    }
    for other in others {
        assert_eq!(
            elected.check(&set(9, &other)),
            Err(ElectionError::NotElected)
        );
    }
}

#[test]
fn every_refusal_has_its_name() {
    let here = election(3);
    let good: Vec<Entry> = (1..=4).map(|n| entry(&here, n, 2)).collect();
    let hash = hash_of(&good);
    let finish = |entries: &[Entry], count| {
        let mut check = ElectionCheck::<8>::new(&here, count)?;
        entries.iter().try_for_each(|entry| check.add(entry))?;
        check.finish(&hash).map(drop)
    };
    assert_eq!(finish(&good, 4), Ok(()));
    assert_eq!(finish(&good, 5), Err(ElectionError::Count));
    assert_eq!(finish(&good, 3), Err(ElectionError::Count));
    assert_eq!(finish(&[], 0), Err(ElectionError::Count));
    assert_eq!(finish(&[], MAX_CANDIDATES + 1), Err(ElectionError::Count));
    assert_eq!(finish(&good[..3], 3), Err(ElectionError::OtherList));
    let bent = |bend: &dyn Fn(&mut Vec<Entry>)| {
        let mut entries = good.clone();
        bend(&mut entries);
        finish(&entries, 4)
    };
    assert_eq!(bent(&|e| e.swap(1, 2)), Err(ElectionError::Order));
    assert_eq!(bent(&|e| e[2] = e[1]), Err(ElectionError::Order));
    assert_eq!(
        bent(&|e| e[0].candidate.units = 0),
        Err(ElectionError::NoStake)
    );
    for registered in [8, 9, u32::MAX] {
        assert_eq!(
            bent(&|e| e[0].candidate.registered = registered),
            Err(ElectionError::TooNew)
        );
    }
    assert_eq!(
        bent(&|e| e[0].candidate.registered = 6),
        Err(ElectionError::OtherList)
    );
    assert_eq!(
        bent(&|e| e[0].candidate.units = 9),
        Err(ElectionError::OtherList)
    );
    // Another's proof, even with another's key of the function; and a key that is none.
    assert_eq!(
        bent(&|e| e[1].proof = e[0].proof),
        Err(ElectionError::Proof(VrfError::Rejected))
    );
    assert_eq!(
        bent(&|e| {
            e[1].proof = e[0].proof;
            e[1].candidate.function = e[0].candidate.function;
        }),
        Err(ElectionError::Proof(VrfError::Rejected))
    );
    assert_eq!(
        bent(&|e| e[1].candidate.function = crate::crypto::vrf::PublicKey([0; 32])),
        Err(ElectionError::Proof(VrfError::Key))
    );
    assert_eq!(
        bent(&|e| e[3].proof = Some(Proof([0xff; 80]))),
        Err(ElectionError::Proof(VrfError::Malformed))
    );
    // Half of it is not more than half.
    assert_eq!(bent(&|e| e[0].proof = None), Ok(()));
    assert_eq!(
        bent(&|e| (e[0].proof, e[3].proof) = (None, None)),
        Err(ElectionError::Unrevealed)
    );
    for seats in [0, 9, 64, 65, 255] {
        let other = Election { seats, ..here };
        assert_eq!(
            ElectionCheck::<8>::new(&other, 4).err(),
            Some(ElectionError::Seats)
        );
    }
    let other = Election { seats: 65, ..here };
    assert_eq!(
        ElectionCheck::<200>::new(&other, 4).err(),
        Some(ElectionError::Seats)
    );
}

#[test]
fn a_bad_proof_changes_nothing_and_the_candidate_can_be_taken_without() {
    let here = election(3);
    let good: Vec<Entry> = (1..=4).map(|n| entry(&here, n, 1)).collect();
    let mut check = ElectionCheck::<4>::new(&here, 4).unwrap();
    for (n, entry) in good.iter().enumerate() {
        if n == 2 {
            let bad = Entry {
                proof: good[0].proof,
                ..*entry
            };
            assert_eq!(
                check.add(&bad),
                Err(ElectionError::Proof(VrfError::Rejected))
            );
            check
                .add(&Entry {
                    proof: None,
                    ..*entry
                })
                .unwrap();
        } else {
            check.add(entry).unwrap();
        }
    }
    let elected = check.finish(&hash_of(&good)).unwrap();
    assert!(elected.seats().iter().all(|seat| seat.key != [3; 32]));
    assert_eq!(elected.seats().len(), 3);
}

fn record(election: &Election, entries: &[Entry]) -> Vec<u8> {
    let mut room = vec![0; 128 + entries.len() * MAX_ENTRY];
    let mut w = Writer::new(&mut room);
    encode_record(election, entries, &mut w).unwrap();
    w.written().to_vec()
}

#[test]
fn a_record_is_read_back_and_no_byte_of_it_can_change() {
    let here = election(3);
    let mut entries: Vec<Entry> = (1..=4).map(|n| entry(&here, n, 300)).collect();
    entries[1].proof = None;
    let bytes = record(&here, &entries);
    let hash = hash_of(&entries);
    let read = |bytes: &[u8]| Record::parse(bytes)?.run::<8>(&here, &hash);
    let elected = read(&bytes).unwrap();
    assert_eq!(elected.seats(), run(&here, &entries).unwrap().seats());
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(read(&longer), Err(ElectionError::Wire(_))));
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (at % 8);
        assert!(read(&bent).is_err(), "{at}");
    }
    let mut other = bytes.clone();
    other[1] = 2;
    assert_eq!(read(&other).err(), Some(ElectionError::Version));
    for other in [
        Election { term: 10, ..here },
        Election { seats: 4, ..here },
        Election {
            seed: here.seed.again(),
            ..here
        },
        Election {
            chain: Id([1; 32]),
            ..here
        },
    ] {
        let found = Record::parse(&bytes).unwrap().run::<8>(&other, &hash);
        assert_eq!(found.err(), Some(ElectionError::OtherElection));
    }
    let mut room = [0; MAX_ENTRY];
    for entry in &entries {
        let mut w = Writer::new(&mut room);
        entry.encode(&mut w).unwrap();
        assert_eq!(Entry::decode(w.written()), Ok(*entry));
    }
}

#[test]
fn the_longest_entry_and_input_have_room() {
    let mut room = [0; MAX_ENTRY];
    let mut entry = Entry {
        candidate: candidate(1, u64::MAX),
        proof: Some(Proof([7; 80])),
    };
    entry.candidate.registered = u32::MAX;
    let mut w = Writer::new(&mut room);
    entry.encode(&mut w).unwrap();
    assert_eq!(w.len(), MAX_ENTRY);
    let last = Election {
        term: u32::MAX,
        ..election(1)
    };
    assert_eq!(
        last.alpha(&[1; 32], &mut [0; MAX_ALPHA]).unwrap().len(),
        MAX_ALPHA
    );
    assert!(last.alpha(&[1; 32], &mut [0; MAX_ALPHA - 1]).is_err());
}

#[test]
fn seeds_are_hashed_again_while_they_were_used() {
    let first = Seed::genesis(&CHAIN).next(None);
    assert_eq!(first.unused(&[]), first);
    assert_eq!(first.unused(&[first.again()]), first);
    assert_eq!(first.unused(&[first]), first.again());
    let used = [first.again(), first, first.again().again()];
    assert_eq!(first.unused(&used), first.again().again().again());
    let fresh = Fresh {
        merge: [1; 32],
        randomness: [2; 32],
    };
    let turned = Fresh {
        merge: [2; 32],
        randomness: [1; 32],
    };
    let all = [
        first,
        first.next(None),
        first.again(),
        first.next(Some(&fresh)),
        first.next(Some(&turned)),
    ];
    assert!(
        all.iter()
            .enumerate()
            .all(|(n, seed)| !all[..n].contains(seed))
    );
}

#[test]
fn merged_outputs_are_those_of_the_members_alone() {
    let here = election(2);
    let entries: Vec<Entry> = (1..=4).map(|n| entry(&here, n, 1)).collect();
    let all = run(&here, &entries).unwrap();
    let members: Vec<[u8; 32]> = all.members().map(|m| m.key).collect();
    let without = |out: &dyn Fn(&[u8; 32]) -> bool| {
        let mut entries = entries.clone();
        let first = entries.iter_mut().find(|e| out(&e.candidate.key)).unwrap();
        first.proof = None;
        run(&here, &entries).unwrap().merge()
    };
    assert_eq!(without(&|key| !members.contains(key)), all.merge());
    assert_ne!(without(&|key| members.contains(key)), all.merge());
}

#[test]
fn a_committee_of_more_members_than_this_build_follows_is_no_set() {
    let seats = u8::try_from(crate::posp::MAX_VALIDATORS).unwrap();
    if seats == MAX_SEATS {
        return;
    }
    let here = election(seats + 1);
    let entries: Vec<Entry> = (1..=seats + 1).map(|n| entry(&here, n, 1)).collect();
    let elected = run(&here, &entries).unwrap();
    assert_eq!(elected.set(HeaderNumber(1)).err(), Some(PospError::Set));
}
