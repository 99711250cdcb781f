//! Settlements by hand, hostile ones, and many epochs against a model that knows nothing of D.

use super::*;
use crate::crypto::{PublicKey, sha256};
use crate::identity::{Caps, Record, Roles};
use crate::types::{Amount, Id, MemberIndex, Millis, Number, Weight};
use crate::wire::merkle::{empty_root, leaf_hash};
use proptest::prelude::*;

const G0: Id = Id([9; 32]);
const NEW_G0: Id = Id([8; 32]);
const END: End = End {
    g0: NEW_G0,
    cut: Millis(0),
    grace: Millis(0),
    neighbourhood: Id([7; 32]),
    deposits: Deposits {
        first: 0,
        list: &[],
    },
};

fn key(n: usize) -> PublicKey {
    PublicKey::Ed25519(sha256(&[b"key", &n.to_be_bytes()]))
}

fn table(credits: &[u64]) -> Vec<Record> {
    let record = |(n, c): (usize, &u64)| {
        let index = MemberIndex(u16::try_from(n).unwrap());
        let (roles, caps) = (Roles::NONE, Caps::default());
        Record::enrolled(index, key(n), roles, caps, Amount(*c), G0)
    };
    credits.iter().enumerate().map(record).collect()
}

fn id(n: u64) -> Id {
    Id(sha256(&[b"tx", &n.to_be_bytes()]))
}

/// A living entry whose time and id follow from `at`.
fn entry(at: u64, issuer: u16, number: u32, debits: u64, effect: Effect<'_>) -> Entry<'_> {
    Entry {
        id: id(at),
        issuer: MemberIndex(issuer),
        number: Number(number),
        time: Millis(at),
        debits: Amount(debits),
        lives: true,
        effect,
    }
}

fn pay(to: u16, amount: u64) -> Effect<'static> {
    Effect::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
    }
}

fn settle(before: &[Record], entries: &[Entry<'_>]) -> Result<(Settled, Vec<Record>), LedgerError> {
    settle_in(before, entries, before.len() + 4)
}

fn settle_in(
    before: &[Record],
    entries: &[Entry<'_>],
    room: usize,
) -> Result<(Settled, Vec<Record>), LedgerError> {
    settle_until(before, entries, room, &END)
}

fn settle_until(
    before: &[Record],
    entries: &[Entry<'_>],
    room: usize,
    end: &End<'_>,
) -> Result<(Settled, Vec<Record>), LedgerError> {
    let mut after = vec![Record::EMPTY; room];
    let mut settlement = Settlement::begin(before, &mut after, Locks::none())?;
    for entry in entries {
        settlement.apply(entry)?;
    }
    let settled = settlement.finish(end)?;
    after.truncate(settled.members);
    Ok((settled, after))
}

fn account(record: &Record) -> (u64, u64) {
    (record.credits.0, record.debits.0)
}

#[test]
fn transfers_move_value_and_heads() {
    let before = table(&[100, 100, 100]);
    let entries = [
        entry(1, 0, 1, 30, pay(1, 30)),
        entry(2, 1, 1, 0, Effect::None),
        entry(3, 0, 2, 50, pay(2, 20)),
        entry(4, 1, 2, 5, pay(1, 5)),
    ];
    let (settled, after) = settle(&before, &entries).unwrap();
    assert_eq!(account(&after[0]), (100, 50));
    assert_eq!(account(&after[1]), (135, 5), "to oneself: both sides move");
    assert_eq!(account(&after[2]), (120, 0));
    assert_eq!((after[0].head_number, after[0].head_id), (Number(2), id(3)));
    assert_eq!((after[2].head_number, after[2].head_id), (Number(0), G0));
    assert_eq!((after[0].idle, after[1].idle, after[2].idle), (0, 0, 1));
    assert_eq!((settled.count, settled.total_value), (4, Amount(300)));
    assert_eq!(
        (settled.first_time, settled.last_time),
        (Millis(1), Millis(4))
    );
    assert_eq!(settled.exits_root, empty_root());
}

#[test]
fn an_empty_epoch_changes_only_idleness() {
    let before = table(&[7, 8]);
    let (settled, after) = settle(&before, &[]).unwrap();
    assert_eq!((settled.count, settled.total_value), (0, Amount(15)));
    assert_eq!(
        (settled.first_time, settled.last_time),
        (Millis(0), Millis(0))
    );
    let idle: Vec<u8> = after.iter().map(|r| r.idle).collect();
    assert_eq!(idle, [1, 1]);
    let same: Vec<Id> = after.iter().map(state_leaf).collect();
    let was: Vec<Id> = before.iter().map(state_leaf).collect();
    assert_eq!(same, was);
}

#[test]
fn what_is_received_is_spent_once_it_is_settled() {
    let before = table(&[100, 0]);
    let early = [
        entry(1, 0, 1, 60, pay(1, 60)),
        entry(2, 1, 1, 10, pay(0, 10)),
    ];
    assert_eq!(
        settle(&before, &early),
        Err(LedgerError::InsufficientCredits)
    );
    let (_, next) = settle(&before, &early[..1]).unwrap();
    let (_, last) = settle(&next, &early[1..]).unwrap();
    assert_eq!(
        (account(&last[0]), account(&last[1])),
        ((110, 60), (60, 10))
    );
}

#[test]
fn the_dead_is_given_back_by_the_next_living() {
    let before = table(&[100, 0]);
    // Number 1 (60) dies at the end of one epoch; D goes on above it.
    let dead = Entry {
        lives: false,
        ..entry(1, 0, 1, 60, pay(1, 60))
    };
    let (settled, mid) = settle(&before, &[dead]).unwrap();
    assert_eq!((settled.count, account(&mid[0])), (0, (100, 0)));
    assert_eq!(mid[0].head_number, Number(0));
    // Issued again would be D = 120 > 100: refused until the dead amount is back.
    let again = entry(2, 0, 2, 120, pay(1, 60));
    assert_eq!(
        settle(&mid, &[again]),
        Err(LedgerError::InsufficientCredits)
    );
    let (_, back) = settle(&mid, &[entry(3, 0, 2, 60, Effect::None)]).unwrap();
    assert_eq!(account(&back[0]), (160, 60));
    let (_, paid) = settle(&back, &[entry(4, 0, 3, 120, pay(1, 60))]).unwrap();
    assert_eq!(
        (account(&paid[0]), account(&paid[1])),
        ((160, 120), (60, 0))
    );
    // A smaller one fits at once, and the same settlement gives back.
    let (_, small) = settle(&mid, &[entry(5, 0, 2, 90, pay(1, 30))]).unwrap();
    assert_eq!(
        (account(&small[0]), account(&small[1])),
        ((160, 90), (30, 0))
    );
}

#[test]
fn exits_leave_the_neighbourhood() {
    let before = table(&[100, 5]);
    let target = [0xee; 20];
    let exit = Effect::Exit {
        amount: Amount(40),
        target,
    };
    let (settled, after) = settle(&before, &[entry(1, 0, 1, 40, exit)]).unwrap();
    assert_eq!(account(&after[0]), (100, 40));
    assert_eq!(
        (settled.total_value, settled.exited),
        (Amount(65), Amount(40))
    );
    let mut leaf = vec![0x83, 0x54];
    leaf.extend_from_slice(&target);
    leaf.extend_from_slice(&[0x18, 40, 0x58, 32]);
    leaf.extend_from_slice(&id(1).0);
    assert_eq!(settled.exits_root, leaf_hash(&leaf));
}

#[test]
fn evidence_freezes_and_takes_the_weight() {
    let before = table(&[1, 1, 1]);
    let evidence = Effect::Evidence {
        offender: MemberIndex(2),
    };
    let entries = [
        entry(1, 2, 1, 1, pay(0, 1)),
        entry(2, 0, 1, 0, evidence),
        entry(3, 1, 1, 0, evidence),
    ];
    let (settled, after) = settle(&before, &entries).unwrap();
    assert!(after[2].frozen && !after[2].may_issue());
    assert_eq!((after[2].weight, settled.weight), (Weight(0), 2));
    assert_eq!(account(&after[0]), (2, 0), "what was agreed stays paid");
    // It never comes back, even if an old transaction of it settles.
    let (_, later) = settle(&after, &[entry(4, 2, 2, 1, Effect::None)]).unwrap();
    assert!(later[2].frozen && later[2].weight == Weight(0));
}

#[test]
fn joins_are_bounded_and_idempotent() {
    let before = table(&[10, 10]);
    let join = |n| Effect::Join {
        key: key(n),
        roles: Roles::NONE,
        caps: Caps::default(),
    };
    let entries = [
        entry(1, 0, 1, 0, join(1)),
        entry(2, 0, 2, 0, join(7)),
        entry(3, 0, 3, 0, join(8)),
    ];
    let (settled, after) = settle(&before, &entries).unwrap();
    assert_eq!((settled.joined, settled.passed_over), (1, 2));
    assert_eq!((settled.members, settled.weight), (3, 3));
    let new = &after[2];
    assert_eq!(
        (new.index, new.key, new.credits),
        (MemberIndex(2), key(7), Amount(0))
    );
    assert_eq!(
        (new.head_number, new.head_id, new.idle),
        (Number(0), NEW_G0, 0)
    );
    let (full, _) = settle_in(&before, &entries, 2).unwrap();
    assert_eq!((full.joined, full.passed_over, full.members), (0, 3, 2));
    let many = table(&[0; 25]);
    let more: Vec<Entry<'_>> = (0..4)
        .map(|n| entry(n, 0, n as u32 + 1, 0, join(100 + n as usize)))
        .collect();
    assert_eq!(settle(&many, &more).unwrap().0.joined, 2);
}

#[test]
fn keys_rotate_and_members_leave() {
    let before = table(&[10, 10, 10, 10]);
    let gone = [MemberIndex(2), MemberIndex(3)];
    let entries = [
        entry(1, 0, 1, 0, Effect::Rotate { key: key(50) }),
        entry(2, 1, 1, 0, Effect::Leave),
        entry(3, 0, 2, 0, Effect::Revoke { members: &gone }),
        entry(4, 0, 3, 5, pay(1, 5)),
    ];
    let (settled, after) = settle(&before, &entries).unwrap();
    assert_eq!((after[0].key, after[0].device), (key(50), before[0].device));
    for record in &after[1..] {
        assert!(record.roles.has(Roles::LEFT) && record.weight == Weight(0));
    }
    assert_eq!(
        account(&after[1]),
        (15, 0),
        "value is never lost with a member"
    );
    assert_eq!((settled.weight, settled.members), (1, 4));
}

#[test]
fn hostile_epochs_are_refused_by_name() {
    let before = table(&[100, u64::MAX]);
    let one = |e: Entry<'_>| settle(&before, &[e]).unwrap_err();
    assert_eq!(one(entry(1, 0, 1, 9, pay(1, 10))), LedgerError::FalseDebits);
    assert_eq!(one(entry(1, 0, 1, 0, pay(1, 0))), LedgerError::AmountZero);
    assert_eq!(one(entry(1, 0, 1, 1, pay(1, 1))), LedgerError::Overflow);
    assert_eq!(
        one(entry(1, 0, 1, 101, pay(0, 101))),
        LedgerError::InsufficientCredits
    );
    assert_eq!(
        one(entry(1, 2, 1, 0, Effect::None)),
        LedgerError::UnknownMember
    );
    assert_eq!(
        one(entry(1, 0, 1, 1, pay(2, 1))),
        LedgerError::UnknownMember
    );
    assert_eq!(one(entry(1, 0, 0, 0, Effect::None)), LedgerError::Chain);
    let offender = MemberIndex(7);
    assert_eq!(
        one(entry(1, 0, 1, 0, Effect::Evidence { offender })),
        LedgerError::UnknownMember
    );
    let twice = [
        entry(1, 0, 2, 0, Effect::None),
        entry(2, 0, 2, 0, Effect::None),
    ];
    assert_eq!(settle(&before, &twice), Err(LedgerError::Chain));
    let (a, b) = (
        entry(1, 0, 1, 0, Effect::None),
        entry(2, 0, 2, 0, Effect::None),
    );
    assert_eq!(settle(&before, &[b, a]), Err(LedgerError::Order));
    assert_eq!(settle(&before, &[a, a]), Err(LedgerError::Order));
    let shrinking = [
        entry(1, 0, 1, 10, Effect::None),
        entry(2, 0, 2, 9, Effect::None),
    ];
    assert_eq!(settle(&before, &shrinking), Err(LedgerError::FalseDebits));
}

#[test]
fn an_error_voids_the_whole_settlement() {
    let before = table(&[100, 100]);
    let mut after = vec![Record::EMPTY; 2];
    let mut settlement = Settlement::begin(&before, &mut after, Locks::none()).unwrap();
    settlement.apply(&entry(1, 0, 1, 10, pay(1, 10))).unwrap();
    let bad = entry(2, 0, 2, 10, pay(1, 10));
    assert_eq!(settlement.apply(&bad), Err(LedgerError::FalseDebits));
    let good = entry(3, 1, 1, 0, Effect::None);
    assert_eq!(settlement.apply(&good), Err(LedgerError::FalseDebits));
    assert_eq!(settlement.finish(&END), Err(LedgerError::FalseDebits));
}

/// Deposits from the 6th on, each of another Ethereum account, and what a settlement makes of them.
fn deposited(
    before: &[Record],
    entries: &[Entry<'_>],
    list: &[Deposit],
) -> Result<(Settled, Vec<Record>), LedgerError> {
    let end = End {
        deposits: Deposits { first: 5, list },
        ..END
    };
    settle_until(before, entries, before.len() + 4, &end)
}

fn deposit(device: usize, amount: u64) -> Deposit {
    Deposit {
        device: crate::identity::CoseKey::thumbprint(&key(device)),
        amount: Amount(amount),
        from: [device as u8; 20],
    }
}

#[test]
fn deposits_are_credits_of_the_next_epoch() {
    let before = table(&[100, 100]);
    let list = [deposit(1, 50), deposit(0, 1), deposit(1, 7)];
    let (settled, after) = deposited(&before, &[], &list).unwrap();
    assert_eq!(account(&after[0]), (101, 0));
    assert_eq!(account(&after[1]), (157, 0));
    assert_eq!(
        (settled.total_value, settled.exited),
        (Amount(258), Amount(0))
    );
    // Not in this one: what a payee counts on is the table that the epoch began with.
    let spends = [entry(1, 1, 1, 101, pay(0, 101))];
    assert_eq!(
        deposited(&before, &spends, &list),
        Err(LedgerError::InsufficientCredits)
    );
    assert!(settle(&after, &spends).is_ok());
}

#[test]
fn who_joins_in_this_epoch_is_credited() {
    let before = table(&[100]);
    let join = Effect::Join {
        key: key(9),
        roles: Roles::NONE,
        caps: Caps::default(),
    };
    let (settled, after) =
        deposited(&before, &[entry(1, 0, 1, 0, join)], &[deposit(9, 30)]).unwrap();
    assert_eq!(account(&after[1]), (30, 0));
    assert_eq!(settled.total_value, Amount(130));
}

#[test]
fn what_nobody_here_can_spend_goes_back() {
    let before = table(&[100, 100, u64::MAX - 300]);
    let entries = [
        entry(
            1,
            0,
            1,
            5,
            Effect::Exit {
                amount: Amount(5),
                target: [3; 20],
            },
        ),
        entry(2, 1, 1, 0, Effect::Leave),
    ];
    let list = [
        deposit(44, 8),
        deposit(0, 2),
        deposit(1, 9),
        deposit(2, 301),
    ];
    let (settled, after) = deposited(&before, &entries, &list).unwrap();
    assert_eq!(account(&after[0]), (102, 5));
    assert_eq!(account(&after[1]), (100, 0));
    assert_eq!(account(&after[2]), (u64::MAX - 300, 0), "no room for more");
    assert_eq!(settled.exited, Amount(5 + 8 + 9 + 301));
    let back = |n: u8, amount, index| {
        exit_leaf(
            &[n; 20],
            Amount(amount),
            &deposit_id(&END.neighbourhood, index),
        )
    };
    let mut tree = crate::wire::merkle::Tree::new();
    for leaf in [
        exit_leaf(&[3; 20], Amount(5), &id(1)),
        back(44, 8, 5),
        back(1, 9, 7),
        back(2, 301, 8),
    ] {
        tree.push(leaf).unwrap();
    }
    assert_eq!(settled.exits_root, tree.root());

    let mut frozen = table(&[100, 100]);
    frozen[1].frozen = true;
    let (settled, after) = deposited(&frozen, &[], &[deposit(1, 4)]).unwrap();
    assert_eq!(account(&after[1]), (100, 0));
    assert_eq!(settled.exited, Amount(4));
}

#[test]
fn deposits_that_cannot_be_are_refused() {
    let before = table(&[100]);
    assert_eq!(
        deposited(&before, &[], &[deposit(0, 0)]),
        Err(LedgerError::AmountZero)
    );
    let end = End {
        deposits: Deposits {
            first: u32::MAX,
            list: &[deposit(0, 1)],
        },
        ..END
    };
    let result = settle_until(&before, &[], 2, &end);
    assert_eq!(result, Err(LedgerError::Overflow));
}

#[test]
fn what_is_no_table_is_refused() {
    let mut gap = table(&[1, 1]);
    gap[1].index = MemberIndex(2);
    assert_eq!(settle(&gap, &[]), Err(LedgerError::Table));
    let mut overdrawn = table(&[1, 1]);
    overdrawn[0].debits = Amount(2);
    assert_eq!(settle(&overdrawn, &[]), Err(LedgerError::Table));
    assert_eq!(settle_in(&table(&[1, 1]), &[], 1), Err(LedgerError::Memory));
    let rich = table(&[u64::MAX, 1]);
    assert_eq!(
        settle(&rich, &[]),
        Err(LedgerError::Overflow),
        "the header's total has 64 bits"
    );
}

#[test]
fn the_widest_leaves_fit_their_buffer() {
    let mut record = table(&[u64::MAX])[0];
    record.debits = Amount(u64::MAX);
    record.head_number = Number(u32::MAX);
    assert_ne!(state_leaf(&record), Id::ZERO);
    assert_ne!(exit_leaf(&[0xff; 20], Amount(u64::MAX), &G0), Id::ZERO);
}

/// One step of a random life: who issues, whom it pays, how much, whether its chain dies from here to the epoch's end.
type Step = (u8, u8, u16, bool);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Against plain balances that move by living transfers alone: whatever dies, no value is made or lost, and every account agrees.
    #[test]
    fn accounts_follow_plain_balances(
        epochs in proptest::collection::vec(proptest::collection::vec(any::<Step>(), 0..30), 1..8),
    ) {
        const MEMBERS: usize = 5;
        let mut records = table(&[1000; MEMBERS]);
        let mut balance = [1000_i64; MEMBERS];
        let mut debits = [0_u64; MEMBERS];
        let mut number = [0_u32; MEMBERS];
        let mut left = 0_i64;
        let (mut paid_in, mut credited) = (0_i64, 0);
        let mut at = 0;
        for steps in &epochs {
            let mut dying = [false; MEMBERS];
            let mut entries = Vec::new();
            for (who, whom, amount, dies) in steps {
                let (who, whom) = (usize::from(*who) % MEMBERS, usize::from(*whom) % (MEMBERS + 2));
                let mut amount = u64::from(*amount) % 200;
                // An honest issuer: D within the settled credits of the table.
                if debits[who] + amount > records[who].credits.0 { amount = 0; }
                at += 1;
                number[who] += 1;
                debits[who] += amount;
                dying[who] |= dies & (at % 3 == 0);
                let effect = match (amount, whom) {
                    (0, _) => Effect::None,
                    (_, to) if to < MEMBERS => pay(to as u16, amount),
                    _ => Effect::Exit { amount: Amount(amount), target: [1; 20] },
                };
                let mut e = entry(at, who as u16, number[who], debits[who], effect);
                e.lives = !dying[who];
                if e.lives {
                    balance[who] -= amount as i64;
                    if whom < MEMBERS { balance[whom] += amount as i64 } else { left += amount as i64 }
                }
                entries.push(e);
            }
            // Every other step someone pays in besides, for a member or a stranger.
            let list: Vec<Deposit> = steps.iter().step_by(2).map(|(who, whom, amount, _)| {
                deposit(usize::from(who ^ whom) % (MEMBERS + 1), u64::from(*amount) + 1)
            }).collect();
            for one in &list {
                let amount = one.amount.0 as i64;
                paid_in += amount;
                match records.iter().position(|r| r.device == one.device) {
                    Some(member) => balance[member] += amount,
                    None => left += amount,
                }
            }
            let end = End { deposits: Deposits { first: credited, list: &list }, ..END };
            credited = end.deposits.credited().unwrap();
            let before: u64 = records.iter().map(|r| r.credits.0 - r.debits.0).sum::<u64>()
                + list.iter().map(|d| d.amount.0).sum::<u64>();
            let run = |entries: &[Entry<'_>]| settle_until(&records, entries, MEMBERS, &end);
            let (settled, after) = run(&entries).unwrap();
            prop_assert_eq!(settled.total_value.0 + settled.exited.0, before);
            // Dead entries may be left out: the same result.
            let living: Vec<Entry<'_>> = entries.iter().copied().filter(|e| e.lives).collect();
            prop_assert_eq!(run(&living).unwrap(), (settled, after.clone()));
            records = after;
            for (record, plain) in records.iter().zip(&balance) {
                prop_assert_eq!((record.credits.0 - record.debits.0) as i64, *plain);
            }
        }
        prop_assert_eq!(balance.iter().sum::<i64>() + left, 1000 * MEMBERS as i64 + paid_in);
    }

    /// Any entries whatever: refused or conserved, never a panic.
    #[test]
    fn hostile_entries_conserve_or_fail(
        raw in proptest::collection::vec((0_u64..9, 0_u16..4, 0_u32..9, any::<u64>(), any::<u64>(), 0_u8..5), 0..20),
        credits in proptest::collection::vec(any::<u64>().prop_map(|c| c >> 2), 3),
    ) {
        let before = table(&credits);
        let entries: Vec<Entry<'_>> = raw.iter().enumerate().map(|(n, (t, who, number, d, amount, kind))| {
            let amount = amount >> (d % 64);
            let effect = match kind {
                0 => Effect::None,
                1 => Effect::Exit { amount: Amount(amount), target: [2; 20] },
                2 => Effect::Leave,
                _ => pay(who.wrapping_add(1) % 4, amount),
            };
            entry(*t + n as u64 * 2, *who, *number, d >> (n % 64), effect)
        }).collect();
        if let Ok((settled, after)) = settle(&before, &entries) {
            let sum = |t: &[Record]| t.iter().map(|r| u128::from(r.credits.0 - r.debits.0)).sum::<u128>();
            prop_assert_eq!(sum(&before), sum(&after) + u128::from(settled.exited.0));
        }
    }
}
