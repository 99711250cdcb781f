//! Locks: what each proof is worth, what a settlement makes of them, and many random sales against plain numbers.

use super::*;
use crate::crypto::{PublicKey, SecretKey, Software};
use crate::identity::{Caps, Record, Roles};
use crate::sale::{
    Compare, Config, Feed, Payer, Predicate, Proof, Readers, Sale, SaleError, Secret, Statement,
    Statements, Terms, Tick, statement_input, voucher_input,
};
use crate::types::{Amount, Id, MemberIndex, Millis, Number, SaleNumber};
use crate::wire::{Reader, Writer};
use proptest::prelude::*;

const NEIGHBOURHOOD: Id = Id([1; 32]);
const PAYER: Id = Id([2; 32]);
const FROM: Millis = Millis(1_000);
const UNTIL: Millis = Millis(61_000);

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32]).unwrap()
}

fn sale() -> Sale {
    Sale::new(&NEIGHBOURHOOD, &PAYER, SaleNumber(7))
}

/// The first ticks of the chain of [`sale`], w(0) first.
fn chain(units: u32, count: u32) -> Vec<Tick> {
    let mut platform = crate::node::test_platform::MemoryPlatform::default();
    let owner = Secret::from_bytes([9; 32]);
    let config = Config {
        sale: sale(),
        units,
        ahead: 1,
        key: 3,
    };
    let mut pebbles = vec![crate::sale::Pebble::default(); Payer::pebbles(units)];
    let anchor = Payer::anchor(&owner, &sale(), units).unwrap();
    let mut payer = Payer::open(&mut platform, &owner, config, &mut pebbles).unwrap();
    let first = Tick {
        index: 0,
        value: anchor.0,
    };
    let mut all = vec![first];
    for _ in 0..count {
        all.push(payer.pay(&mut platform).unwrap());
    }
    all
}

fn ticks(units: u32) -> Terms {
    Terms::Ticks {
        sale: SaleNumber(7),
        units,
        anchor: Id(chain(units, 0)[0].value),
    }
}

fn vouchers() -> Terms {
    Terms::Vouchers {
        key: secret(40).public_key(),
    }
}

/// Readers 1 to 4 say that "temp" is at least 30, two of them within a minute.
fn predicate() -> Predicate {
    Predicate {
        feed: Feed::new(b"temp").unwrap(),
        compare: Compare::AtLeast,
        threshold: 30,
        window: 5_000,
        quorum: 2,
        readers: Readers::new([1, 2, 3, 4].map(MemberIndex)).unwrap(),
    }
}

fn lock(terms: Terms) -> Lock {
    Lock {
        id: Id([3; 32]),
        payer: MemberIndex(0),
        to: MemberIndex(1),
        amount: Amount(1_000),
        reached: Amount(0),
        from: FROM,
        until: UNTIL,
        terms,
        tick: 0,
    }
}

fn after(lock: &Lock, proof: &Proof<'_>) -> Result<Lock, SaleError> {
    let context = Context {
        neighbourhood: &NEIGHBOURHOOD,
        payer: &PAYER,
        key_of: &|reader| (reader.0 < 9).then(|| secret(reader.0 as u8).public_key()),
    };
    lock.after(proof, &context, &mut Software)
}

fn voucher(by: u8, of: &Id, lock: &Id, total: u64) -> [u8; 64] {
    let mut out = [0; 160];
    let key = secret(by);
    let input = voucher_input(&key.public_key(), of, lock, Amount(total), &mut out);
    key.sign(input.unwrap()).0
}

fn said(by: u8, feed: &[u8], value: i64, time: u64) -> [u8; 64] {
    let mut out = [0; 160];
    let key = secret(by);
    let of = key.public_key();
    let input = statement_input(&of, &NEIGHBOURHOOD, feed, value, Millis(time), &mut out);
    key.sign(input.unwrap()).0
}

#[test]
fn a_tick_is_worth_its_units() {
    let chain = chain(100, 64);
    let made = lock(ticks(100));
    let one = after(&made, &Proof::Tick(chain[3])).unwrap();
    assert_eq!(
        (one.reached, one.tick, one.rest()),
        (Amount(30), 3, Amount(970))
    );
    // From there on, and nothing twice.
    let two = after(&one, &Proof::Tick(chain[64])).unwrap();
    assert_eq!(two.reached, Amount(640));
    for old in [chain[3], chain[2], chain[0]] {
        assert_eq!(after(&one, &Proof::Tick(old)), Err(SaleError::Stale));
    }
    let mut bent = chain[5];
    bent.value[31] ^= 1;
    assert_eq!(after(&one, &Proof::Tick(bent)), Err(SaleError::Forged));
    let moved = Tick {
        index: 6,
        value: chain[5].value,
    };
    assert_eq!(after(&one, &Proof::Tick(moved)), Err(SaleError::Forged));
    let beyond = Tick {
        index: 101,
        ..chain[5]
    };
    assert_eq!(after(&one, &Proof::Tick(beyond)), Err(SaleError::Spent));
    // A tick of another neighbourhood's or payer's sale of the same number.
    let context = Context {
        neighbourhood: &NEIGHBOURHOOD,
        payer: &Id([8; 32]),
        key_of: &|_| None,
    };
    let other = made.after(&Proof::Tick(chain[3]), &context, &mut Software);
    assert_eq!(other, Err(SaleError::Forged));
}

#[test]
fn a_voucher_is_worth_its_total_on_its_own_lock() {
    let made = lock(vouchers());
    fn proof(signature: &[u8; 64], total: u64) -> Proof<'_> {
        Proof::Voucher {
            total: Amount(total),
            signature,
        }
    }
    let good = voucher(40, &NEIGHBOURHOOD, &made.id, 400);
    let one = after(&made, &proof(&good, 400)).unwrap();
    assert_eq!(one.reached, Amount(400));
    assert_eq!(after(&one, &proof(&good, 400)), Err(SaleError::Stale));
    let lower = voucher(40, &NEIGHBOURHOOD, &made.id, 399);
    assert_eq!(after(&one, &proof(&lower, 399)), Err(SaleError::Stale));
    let all = voucher(40, &NEIGHBOURHOOD, &made.id, 1_000);
    assert_eq!(after(&one, &proof(&all, 1_000)).unwrap().rest(), Amount(0));
    let over = voucher(40, &NEIGHBOURHOOD, &made.id, 1_001);
    assert_eq!(after(&one, &proof(&over, 1_001)), Err(SaleError::Spent));
    for forged in [
        voucher(41, &NEIGHBOURHOOD, &made.id, 500),
        voucher(40, &Id([7; 32]), &made.id, 500),
        voucher(40, &NEIGHBOURHOOD, &Id([4; 32]), 500),
        voucher(40, &NEIGHBOURHOOD, &made.id, 501),
    ] {
        assert_eq!(after(&one, &proof(&forged, 500)), Err(SaleError::Forged));
    }
}

#[test]
fn a_quorum_of_readers_releases_the_whole() {
    let made = lock(Terms::Predicate(predicate()));
    let claim = |given: &[(u8, &[u8; 64], i64, u64)]| {
        let list: Vec<_> = given
            .iter()
            .map(|(place, signature, value, time)| Statement {
                place: *place,
                value: *value,
                time: Millis(*time),
                signature,
            })
            .collect();
        let mut out = [0; 400];
        let statements = Statements::list(&list, &mut out)?;
        after(&made, &Proof::Statements(statements))
    };
    let (one, three) = (said(1, b"temp", 31, 2_000), said(3, b"temp", 30, 7_000));
    let good = claim(&[(0, &one, 31, 2_000), (2, &three, 30, 7_000)]).unwrap();
    assert_eq!(good.reached, made.amount);
    let late = said(3, b"temp", 30, 7_001);
    let cold = said(3, b"temp", 29, 7_000);
    let early = said(1, b"temp", 31, 999);
    let (near, over) = (said(3, b"temp", 30, 3_000), said(3, b"temp", 30, 61_001));
    let other = said(3, b"rain", 30, 7_000);
    let stranger = said(5, b"temp", 30, 7_000);
    use SaleError::{Apart, Forged, NotSo, Predicate as Bad, Quorum};
    for (given, error) in [
        (&[(0, &one, 31, 2_000)][..], Quorum),
        (&[(0, &one, 31, 2_000), (2, &late, 30, 7_001)], Apart),
        (&[(0, &early, 31, 999), (2, &near, 30, 3_000)], Apart),
        (&[(0, &one, 31, 60_000), (2, &over, 30, 61_001)], Apart),
        (&[(0, &one, 31, 2_000), (2, &cold, 29, 7_000)], NotSo),
        (&[(0, &one, 31, 2_000), (2, &other, 30, 7_000)], Forged),
        (&[(0, &one, 31, 2_000), (1, &three, 30, 7_000)], Forged),
        (&[(0, &one, 31, 2_000), (2, &three, 31, 7_000)], Forged),
        (&[(0, &one, 31, 2_000), (4, &stranger, 30, 7_000)], Quorum),
        (&[(0, &one, 31, 2_000), (0, &one, 31, 2_000)], Bad),
        (&[(2, &three, 30, 7_000), (0, &one, 31, 2_000)], Bad),
        (&[], Bad),
    ] {
        assert_eq!(claim(given), Err(error), "{given:?}");
    }
    let mut out = [0; 400];
    let list = [Statement {
        place: 0,
        value: 31,
        time: Millis(2_000),
        signature: &one,
    }];
    let statements = Statements::list(&list, &mut out).unwrap();
    let again = after(&good, &Proof::Statements(statements));
    assert_eq!(again, Err(SaleError::Stale));
}

#[test]
fn a_proof_of_other_terms_is_none() {
    let signature = [0; 64];
    let voucher = Proof::Voucher {
        total: Amount(1),
        signature: &signature,
    };
    let tick = Proof::Tick(chain(4, 1)[1]);
    for (terms, proof) in [
        (ticks(4), voucher),
        (vouchers(), tick),
        (Terms::Predicate(predicate()), tick),
    ] {
        assert_eq!(after(&lock(terms), &proof), Err(SaleError::Terms));
        // What shows nothing changes nothing, under any terms.
        let same = after(&lock(terms), &Proof::Nothing);
        assert_eq!(same, Ok(lock(terms)));
    }
}

#[test]
fn comparisons_are_a_fixed_table() {
    for (number, below, same, above) in [
        (0, false, true, true),
        (1, true, true, false),
        (2, false, true, false),
        (3, true, false, true),
    ] {
        let compare = Compare::from_number(number).unwrap();
        let holds = |value| compare.holds(value, -5);
        assert_eq!((holds(-6), holds(-5), holds(-4)), (below, same, above));
    }
    assert_eq!(Compare::from_number(4), None);
}

#[test]
fn a_lock_has_one_encoding_and_its_widest_fits() {
    let widest = Lock {
        id: Id([0xff; 32]),
        payer: MemberIndex(u16::MAX),
        to: MemberIndex(u16::MAX),
        amount: Amount(u64::MAX),
        reached: Amount(u64::MAX),
        from: Millis(u64::MAX - 1),
        until: Millis(u64::MAX),
        terms: Terms::Vouchers {
            key: PublicKey::Es256([0xff; 64]),
        },
        tick: 0,
    };
    let readers = (0..8_u16).map(|n| MemberIndex(u16::MAX - 8 + n));
    let watched = Predicate {
        feed: Feed::new(&[0xff; 16]).unwrap(),
        compare: Compare::NotEqual,
        threshold: i64::MIN,
        window: u32::MAX,
        quorum: 4,
        readers: Readers::new(readers).unwrap(),
    };
    let mut ticked = lock(ticks(100));
    ticked.tick = 64;
    for lock in [
        widest,
        Lock {
            terms: Terms::Predicate(watched),
            ..widest
        },
        ticked,
        lock(vouchers()),
    ] {
        let mut buffer = [0; MAX_LOCK];
        let mut w = Writer::new(&mut buffer);
        lock.write(&mut w);
        w.intact().expect("room for the widest");
        let bytes = w.written();
        let mut r = Reader::new(bytes);
        assert_eq!(Lock::read(&mut r), Ok(lock));
        assert!(r.is_at_end());
        assert_ne!(lock.leaf(), Id::ZERO);
        for end in 0..bytes.len() {
            assert!(Lock::read(&mut Reader::new(&bytes[..end])).is_err());
        }
    }
    // What no settlement makes is not read.
    for bad in [
        Lock {
            reached: Amount(1_001),
            ..lock(vouchers())
        },
        Lock {
            tick: 1,
            ..lock(vouchers())
        },
        Lock {
            tick: 101,
            ..lock(ticks(100))
        },
        Lock {
            until: FROM,
            ..lock(vouchers())
        },
        Lock {
            amount: Amount(1_001),
            ..lock(ticks(100))
        },
    ] {
        let mut buffer = [0; MAX_LOCK];
        let mut w = Writer::new(&mut buffer);
        bad.write(&mut w);
        assert!(
            Lock::read(&mut Reader::new(w.written())).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn terms_that_nobody_could_keep_are_refused() {
    let terms = |units| Terms::Ticks {
        sale: SaleNumber(1),
        units,
        anchor: Id::ZERO,
    };
    for (units, amount, error) in [
        (0, 5, SaleError::Units),
        ((1 << 16) + 1, (1 << 16) + 1, SaleError::Units),
        (3, 10, SaleError::Price),
        (3, 0, SaleError::Price),
        (10, 3, SaleError::Price),
    ] {
        assert_eq!(terms(units).check(Amount(amount)), Err(error));
    }
    assert_eq!(terms(1 << 16).check(Amount(1 << 16)), Ok(()));
    let quorum = |quorum| {
        let predicate = Predicate {
            quorum,
            ..predicate()
        };
        Terms::Predicate(predicate).check(Amount(1))
    };
    assert_eq!(quorum(4), Ok(()));
    for bad in [0, 5] {
        assert_eq!(quorum(bad), Err(SaleError::Predicate));
    }
    let readers = |list: &[u16]| Readers::new(list.iter().copied().map(MemberIndex)).err();
    assert_eq!(readers(&[3]), None);
    for bad in [&[][..], &[1, 1], &[2, 1], &[1, 2, 3, 4, 5, 6, 7, 8, 9]] {
        assert_eq!(readers(bad), Some(SaleError::Predicate), "{bad:?}");
    }
    assert!(Feed::new(&[]).is_err() && Feed::new(&[1; 17]).is_err());
}

fn table(credits: &[u64]) -> Vec<Record> {
    let record = |(n, c): (usize, &u64)| {
        let index = MemberIndex(u16::try_from(n).unwrap());
        let key = secret(n as u8 + 1).public_key();
        Record::enrolled(
            index,
            key,
            Roles::NONE,
            Caps::default(),
            Amount(*c),
            Id([9; 32]),
        )
    };
    credits.iter().enumerate().map(record).collect()
}

/// An epoch on top of a state: entries, cut, and a period of 100.
fn settle(
    state: &(Vec<Record>, Vec<Lock>),
    entries: &[Entry<'_>],
    cut: u64,
) -> Result<(Settled, Vec<Record>, Vec<Lock>), LedgerError> {
    let mut after = vec![Record::EMPTY; state.0.len()];
    let mut open = vec![Lock::EMPTY; state.1.len() + entries.len()];
    let locks = Locks::begin(&state.1, &mut open).unwrap();
    let mut settlement = Settlement::begin(&state.0, &mut after, locks)?;
    for entry in entries {
        settlement.apply(entry)?;
    }
    let settled = settlement.finish(&End {
        g0: Id([8; 32]),
        cut: Millis(cut),
        grace: Millis(100),
        ..End::default()
    })?;
    open.truncate(settled.locks);
    Ok((settled, after, open))
}

fn entry(time: u64, issuer: u16, number: u32, debits: u64, effect: Effect<'_>) -> Entry<'_> {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&time.to_be_bytes());
    Entry {
        id: Id(id),
        issuer: MemberIndex(issuer),
        number: Number(number),
        time: Millis(time),
        debits: Amount(debits),
        lives: true,
        effect,
    }
}

fn set_aside(to: u16, amount: u64, term: u32) -> Effect<'static> {
    Effect::Lock {
        to: MemberIndex(to),
        amount: Amount(amount),
        term,
        terms: vouchers(),
    }
}

fn balances(records: &[Record]) -> Vec<u64> {
    records.iter().map(|r| r.credits.0 - r.debits.0).collect()
}

#[test]
fn a_lock_ends_a_period_after_its_time_and_the_rest_goes_back() {
    let state = (table(&[100, 0]), Vec::new());
    let (settled, records, locks) =
        settle(&state, &[entry(10, 0, 1, 60, set_aside(1, 60, 500))], 200).unwrap();
    assert_eq!((settled.locks, settled.total_value), (1, Amount(100)));
    assert_eq!(balances(&records), [40, 0]);
    let made = locks[0];
    assert_eq!((made.from, made.until), (Millis(10), Millis(510)));
    assert_eq!(settled.state_root, state_root(&records, &locks).unwrap());
    assert_ne!(settled.state_root, state_root(&records, &[]).unwrap());
    // A claim counts while it stands, the highest at its end.
    let reached = Lock {
        reached: Amount(25),
        ..made
    };
    let claim = Effect::Claim {
        lock: reached,
        last: false,
    };
    let state = (records, locks);
    let (_, records, locks) = settle(&state, &[entry(600, 1, 1, 0, claim)], 609).unwrap();
    assert_eq!(locks, [reached]);
    assert_eq!(balances(&records), [40, 0]);
    let (settled, records, locks) = settle(&(records, locks), &[], 610).unwrap();
    assert_eq!((settled.locks, locks.len()), (0, 0));
    assert_eq!(balances(&records), [75, 25]);
    assert_eq!(settled.total_value, Amount(100));
    assert_eq!(settled.state_root, state_root(&records, &[]).unwrap());
}

#[test]
fn the_payee_may_end_it_and_a_full_one_ends_itself() {
    for (reached, last, want) in [
        (0, true, [100, 0]),
        (25, true, [75, 25]),
        (60, false, [40, 60]),
    ] {
        let state = (table(&[100, 0]), Vec::new());
        let first = entry(10, 0, 1, 60, set_aside(1, 60, 500));
        let (_, _, locks) = settle(&state, &[first], 200).unwrap();
        let lock = Lock {
            reached: Amount(reached),
            ..locks[0]
        };
        // In the epoch of the lock itself, too.
        let claim = entry(20, 1, 1, 0, Effect::Claim { lock, last });
        let (settled, records, locks) = settle(&state, &[first, claim], 200).unwrap();
        assert_eq!((settled.locks, locks.len()), (0, 0));
        assert_eq!(balances(&records), want);
    }
}

#[test]
fn a_dead_lock_sets_nothing_aside() {
    let state = (table(&[100, 0]), Vec::new());
    let mut dead = entry(10, 0, 1, 60, set_aside(1, 60, 500));
    dead.lives = false;
    // The next living one stands on it and shows what died.
    let next = entry(20, 0, 2, 60, Effect::None);
    let (settled, records, locks) = settle(&state, &[dead, next], 200).unwrap();
    assert_eq!((settled.locks, locks.len()), (0, 0));
    assert_eq!(balances(&records), [100, 0]);
}

#[test]
fn memory_too_short_for_a_lock_voids_the_epoch() {
    let before = table(&[100, 0]);
    let mut after = vec![Record::EMPTY; 2];
    let locks = Locks::begin(&[], &mut []).unwrap();
    let mut settlement = Settlement::begin(&before, &mut after, locks).unwrap();
    let made = entry(10, 0, 1, 60, set_aside(1, 60, 500));
    assert_eq!(settlement.apply(&made), Err(LedgerError::Memory));
    assert_eq!(settlement.finish(&End::default()), Err(LedgerError::Memory));
    let open = [lock(vouchers())];
    assert!(Locks::begin(&open, &mut []).is_none());
}

/// One step of random trade: payer, payee, amount, term, how far a claim goes, whether it is the last.
type Step = (u8, u8, u16, u16, u16, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Locks made, claimed, ended and expired at random over many epochs, against plain numbers.
    #[test]
    fn value_follows_plain_numbers_whatever_is_locked(
        epochs in proptest::collection::vec(proptest::collection::vec(any::<Step>(), 0..20), 1..10),
    ) {
        const MEMBERS: usize = 4;
        let mut state = (table(&[5_000; MEMBERS]), Vec::<Lock>::new());
        let mut plain = [5_000_u64; MEMBERS];
        // Open locks: id, payer, payee, amount, reached, until.
        let mut open: Vec<(Id, usize, usize, u64, u64, u64)> = Vec::new();
        let (mut number, mut debits, mut time) = ([0_u32; MEMBERS], [0_u64; MEMBERS], 0);
        for steps in &epochs {
            let mut entries: Vec<Entry<'_>> = Vec::new();
            // What the settlement hands to a claim is the lock as the entries before leave it.
            let mut book: Vec<Lock> = state.1.clone();
            for (who, whom, amount, term, reach, last) in steps {
                let (who, whom) = (usize::from(*who) % MEMBERS, usize::from(*whom) % MEMBERS);
                let amount = u64::from(*amount) % 300 + 1;
                time += 10;
                number[who] += 1;
                let claimed = book.iter().position(|l| usize::from(l.to.0) == who);
                let effect = match claimed {
                    Some(at) if reach % 2 == 0 => {
                        let mut lock = book[at];
                        let most = lock.amount.0 - lock.reached.0;
                        lock.reached.0 += u64::from(*reach) % (most + 1);
                        book[at] = lock;
                        let i = open.iter().position(|o| o.0 == lock.id).unwrap();
                        open[i].4 = lock.reached.0;
                        if *last || lock.reached == lock.amount {
                            book.remove(at);
                            let (_, payer, payee, amount, reached, _) = open.remove(i);
                            plain[payee] += reached;
                            plain[payer] += amount - reached;
                        }
                        Effect::Claim { lock, last: *last }
                    }
                    _ if debits[who] + amount <= state.0[who].credits.0 => {
                        debits[who] += amount;
                        plain[who] -= amount;
                        set_aside(whom as u16, amount, u32::from(*term) % 400 + 1)
                    }
                    _ => Effect::None,
                };
                let e = entry(time, who as u16, number[who], debits[who], effect);
                if let Effect::Lock { to, amount, term, terms } = e.effect {
                    let until = time + u64::from(term);
                    open.push((e.id, who, whom, amount.0, 0, until));
                    book.push(Lock {
                        id: e.id, payer: MemberIndex(who as u16), to, amount, reached: Amount(0),
                        from: e.time, until: Millis(until), terms, tick: 0,
                    });
                }
                entries.push(e);
            }
            let cut = time;
            let (settled, records, locks) = settle(&state, &entries, cut).unwrap();
            open.retain(|(_, payer, payee, amount, reached, until)| {
                let stands = until + 100 > cut;
                if !stands {
                    plain[*payee] += reached;
                    plain[*payer] += amount - reached;
                }
                stands
            });
            prop_assert_eq!(settled.total_value, Amount(5_000 * MEMBERS as u64));
            prop_assert_eq!(balances(&records), plain.to_vec());
            let ids: Vec<Id> = locks.iter().map(|l| l.id).collect();
            prop_assert_eq!(ids, open.iter().map(|o| o.0).collect::<Vec<_>>());
            state = (records, locks);
        }
    }
}
