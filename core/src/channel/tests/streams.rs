//! Whole streams under loss, reordering and doubling; and what it all takes in RAM.

use super::*;
use crate::crypto::COMPRESSIONS;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Loss is made good by sending again; what comes in any order, doubled, within the window, is read once each, from the grant on; a stranger and one with an older epoch's key read nothing.
    #[test]
    fn a_reader_ends_with_the_whole_stream(seed in any::<u64>(), from in 0usize..30, count in 1usize..90, lossy in any::<bool>()) {
        let mut dice = crate::store::simulated::Dice(seed);
        let platform = &mut MemoryPlatform { seed, ..MemoryPlatform::default() };
        let mut owner = an_owner(platform);
        let revoked = &mut a_reader(&owner);
        owner.rekey(platform, NEWEST).unwrap();
        let before: Vec<_> = (0..from).map(|n| publish(&mut owner, platform, Form::COMPACT, &[n as u8])).collect();
        let mut reader = a_reader(&owner);
        let mut stranger = Reader::new(owner.next(), Chain::new([9; 32]), None, leak(Skipped::default(), 8), leak(Recent::default(), 8));
        let all: Vec<_> = (0..count).map(|n| {
            let form = forms()[dice.below(6) as usize];
            publish(&mut owner, platform, form, &[n as u8])
        }).collect();
        // Each may be late by up to 20 places and comes once or twice; a lost one comes again at the end of its twenty.
        let mut order: Vec<(usize, usize)> = Vec::new();
        for n in 0..count {
            let late = if lossy && dice.below(5) == 0 { 25 } else { dice.below(20) as usize };
            order.push((n + late, n));
            if dice.below(3) == 0 { order.push((n + dice.below(40) as usize, n)); }
        }
        order.sort_unstable();
        let mut got = BTreeSet::new();
        for (_, n) in order {
            match read(&mut reader, &all[n]) {
                Ok((opened, body)) => {
                    prop_assert_eq!(opened.index.0 as usize, from + n);
                    prop_assert_eq!(body, vec![n as u8]);
                    prop_assert!(got.insert(n));
                }
                Err(error) => prop_assert!(matches!(error, ChannelError::Replayed | ChannelError::Unknown) && got.contains(&n), "{:?}", error),
            }
            prop_assert_eq!(read(&mut stranger, &all[n]).err(), Some(ChannelError::Unknown));
            prop_assert_eq!(read(revoked, &all[n]).err(), Some(ChannelError::Unknown));
        }
        prop_assert_eq!(got.len(), count);
        for old in &before {
            prop_assert_eq!(read(&mut reader, old).err(), Some(ChannelError::Unknown));
        }
    }

    #[test]
    fn no_bytes_make_a_parser_stop(bytes in prop::collection::vec(any::<u8>(), 0..200), head in 0u8..16) {
        let _ = Statement::parse(&bytes);
        let _ = Sealed::parse(&bytes);
        let _ = Sealed::parse_carried(&bytes, true);
        let framed = [&[0x10 | head][..], &bytes].concat();
        let _ = Sealed::parse(&framed);
    }
}

#[test]
fn what_a_chain_takes_in_ram() {
    use core::mem::size_of;
    let sizes = [
        size_of::<Reader<'_>>(),
        size_of::<Skipped>(),
        size_of::<Recent>(),
        size_of::<Owner<'_>>(),
        size_of::<Slots>(),
    ];
    println!(
        "reader {}, skipped {}, recent {}, owner {}, slots {}",
        sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    );
    // A reader without its rooms, of which the application chooses the size.
    assert!(size_of::<Reader<'_>>() <= 352);
}

/// SHA-256 compressions of a call.
fn counted<R>(work: impl FnOnce() -> R) -> (u64, R) {
    let before = COMPRESSIONS.get();
    let done = work();
    (COMPRESSIONS.get() - before, done)
}

#[test]
fn what_a_message_costs_and_what_is_done_ahead() {
    let platform = &mut MemoryPlatform::default();
    let mut owner = an_owner(platform);
    let mut reader = a_reader(&owner);
    let mut next = |ahead: bool| {
        let mut out = vec![0; 400];
        let (before, ()) = counted(|| {
            if ahead {
                owner.prepare(platform, NEWEST).unwrap();
            }
        });
        let (cost, done) = counted(|| {
            let done = owner.publish(platform, NEWEST, Form::COMPACT, &[7; 256], &mut out);
            done.unwrap()
        });
        out.truncate(done.len);
        (before, cost, out)
    };
    // Step 9, marks 8, key 4; the leaf over 372 bytes 6.
    let (_, whole, first) = next(false);
    let (ahead, rest, second) = next(true);
    println!("sealed {whole}; ahead {ahead}, then {rest}");
    assert_eq!((whole, ahead, rest), (27, 17, 10));
    // Step 9 once, marks 8, key 4, leaf 6; then the far step 9 and its print 4.
    let (in_order, done) = counted(|| read(&mut reader, &first));
    done.unwrap();
    let (_, _, third) = next(true);
    // One more near step for the message and one for the secret that is kept, with its print; and one more ahead.
    let (with_gap, done) = counted(|| read(&mut reader, &third));
    done.unwrap();
    let (late, done) = counted(|| read(&mut reader, &second));
    done.unwrap();
    println!("opened in order {in_order}, behind a gap of one {with_gap}, late {late}");
    assert_eq!((in_order, with_gap, late), (40, 40 + 9 + 13 + 13, 18));
}

#[test]
fn what_was_prepared_is_what_is_sealed() {
    let mut outs = Vec::new();
    for ahead in [false, true] {
        let platform = &mut MemoryPlatform::default();
        let mut owner = an_owner(platform);
        let mut all = Vec::new();
        for n in 0..20 {
            if ahead {
                let (next, writes) = (owner.next(), platform.writes);
                owner.prepare(platform, NEWEST).unwrap();
                let after = platform.writes;
                owner.prepare(platform, NEWEST).unwrap();
                assert_eq!((owner.next(), platform.writes), (next, after));
                assert!(after - writes <= 1);
            }
            let too_long = owner.publish(platform, NEWEST, Form::COMPACT, &[0; 40], &mut [0; 20]);
            assert_eq!(too_long.err(), Some(ChannelError::Full));
            if n == 10 {
                owner.rekey(platform, NEWEST).unwrap();
            }
            let before = platform.writes;
            all.push(publish(&mut owner, platform, Form::COMPACT, &[n; 20]));
            assert!(!ahead || n == 10 || platform.writes == before);
        }
        outs.push(all);
    }
    assert_eq!(outs[0], outs[1]);
}
