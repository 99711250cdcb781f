//! An owner's policy on whole nodes: what it lets through, what it stops, and what resets and power cuts make of it.

use super::harness::*;
use super::policy::PolicyRefusal;
use super::*;
use crate::crypto::SecretKey;
use crate::ledger::policy::{Allowance, MAX_POLICY, PolicyError, SpendingPolicy, Uses};
use crate::sale::Terms;
use crate::{Amount, Id, MemberIndex, Millis, SaleNumber};
use std::vec::Vec;

const HOUR: u64 = 3_600_000;

fn owner() -> SecretKey {
    secret(150)
}

/// Five nodes; the first is owned.
fn owned() -> Network {
    let mut net = Network::started(5);
    net.owner = Some(owner().public_key());
    net.reboot(1, false);
    net.pump(net.now + 5_000);
    net
}

/// 100 an hour and 250 more in all, to members 2 and 3, for anything.
fn policy(net: &mut Network) -> SpendingPolicy {
    let now = Millis(net.now);
    let status = net.node(1).status(now);
    SpendingPolicy {
        number: 1,
        device: status.device,
        uses: Uses::ALL,
        total: Amount(status.debits.0 + 250),
        span: Millis(HOUR),
        within: Amount(100),
        until: None,
        payees: [MemberIndex(2), MemberIndex(3)].into_iter().collect(),
    }
}

fn signed(net: &mut Network, policy: &SpendingPolicy, by: &SecretKey) -> Vec<u8> {
    let now = Millis(net.now);
    let neighbourhood = net.node(1).status(now).neighbourhood;
    let mut out = vec![0; MAX_POLICY];
    let len = policy.issue(by, &neighbourhood, &mut out).unwrap();
    out.truncate(len);
    out
}

fn set(net: &mut Network, policy: &SpendingPolicy) -> Result<u32, PolicyRefusal> {
    let bytes = signed(net, policy, &owner());
    let now = Millis(net.now);
    net.node(1).set_policy(now, &bytes)
}

fn pay(net: &mut Network, to: u16, amount: u64) -> Result<Ticket, Refusal> {
    let now = Millis(net.now);
    let transfer = Submission::Transfer {
        to: MemberIndex(to),
        amount: Amount(amount),
    };
    let ticket = net.node(1).submit(now, &transfer, None);
    net.pump(net.now + 1_000);
    ticket
}

/// A payment to member 2 in the outbox, whose turn does not come yet.
fn wait(net: &mut Network, amount: u64) -> Ticket {
    let transfer = Submission::Transfer {
        to: MemberIndex(2),
        amount: Amount(amount),
    };
    let node = net.node(1);
    node.timers.issue = Millis(u64::MAX);
    let outbox = &mut node.outbox;
    outbox
        .push(&mut node.platform, &transfer, None, None)
        .unwrap()
}

fn allowance(net: &mut Network) -> Option<Allowance> {
    let now = Millis(net.now);
    net.node(1).allowance(now)
}

fn left(net: &mut Network) -> (u64, u64) {
    let left = allowance(net).unwrap();
    (left.total.0, left.now.0)
}

#[test]
fn an_owned_device_spends_what_its_owner_allows_and_nothing_before() {
    let mut net = owned();
    assert_eq!(pay(&mut net, 2, 1), Err(Refusal::Policy));
    assert_eq!(allowance(&mut net), Some(Allowance::NONE));
    let allowed = policy(&mut net);
    assert_eq!(set(&mut net, &allowed), Ok(1));
    assert_eq!(left(&mut net), (250, 100));
    assert_eq!(allowance(&mut net).unwrap().ends, None);

    let exit = Submission::Exit {
        amount: Amount(101),
        target: [1; 20],
    };
    let now = Millis(net.now);
    for (to, amount, refusal) in [
        (4, 1, Refusal::Policy),
        (2, 101, Refusal::Policy),
        (2, 251, Refusal::Policy),
    ] {
        assert_eq!(pay(&mut net, to, amount), Err(refusal), "{to} {amount}");
    }
    assert_eq!(net.node(1).submit(now, &exit, None), Err(Refusal::Policy));

    let began = net.now;
    assert!(pay(&mut net, 2, 60).is_ok());
    assert_eq!(left(&mut net), (190, 40));
    let ends = allowance(&mut net).unwrap().ends.unwrap();
    assert!((began + HOUR..began + HOUR + 1_000).contains(&ends.0));
    assert_eq!(pay(&mut net, 3, 41), Err(Refusal::PolicyWindow));
    assert!(pay(&mut net, 3, 40).is_ok());
    assert_eq!(left(&mut net), (150, 0));
    assert_eq!(pay(&mut net, 3, 1), Err(Refusal::PolicyWindow));

    // Who has no owner is bound by its caps alone.
    let now = Millis(net.now);
    assert_eq!(net.node(2).allowance(now), None);
    let bytes = signed(&mut net, &allowed, &owner());
    assert_eq!(
        net.node(2).set_policy(now, &bytes),
        Err(PolicyRefusal::NoOwner)
    );
}

#[test]
fn what_waits_in_the_outbox_is_judged_when_it_is_signed() {
    let mut net = owned();
    let allowed = policy(&mut net);
    set(&mut net, &allowed).unwrap();
    // Two that each fit, said before either is signed: the second does not when its turn comes.
    let first = wait(&mut net, 90);
    let second = wait(&mut net, 11);
    net.node(1).timers.issue = Millis(0);
    net.pump(net.now + 3_000);
    let told: Vec<_> = net.events[1].clone();
    assert!(
        told.iter()
            .any(|e| matches!(e, Event::Sent { ticket, .. } if *ticket == first))
    );
    let rejected = Event::Rejected {
        ticket: second,
        reason: Refusal::PolicyWindow,
    };
    assert!(told.contains(&rejected));
}

#[test]
fn what_a_lock_is_for_and_the_time_are_looked_at() {
    let mut net = owned();
    let mut allowed = policy(&mut net);
    // No lock by ticks, and not for long.
    allowed.uses = Uses::from_bits(0b1_1101).unwrap();
    allowed.until = Some(Millis(net.now + 30_000));
    set(&mut net, &allowed).unwrap();
    let lock = Submission::Lock {
        to: MemberIndex(2),
        amount: Amount(10),
        term: 60_000,
        terms: Terms::Ticks {
            sale: SaleNumber(1),
            units: 10,
            anchor: Id([7; 32]),
        },
    };
    let now = Millis(net.now);
    assert_eq!(net.node(1).submit(now, &lock, None), Err(Refusal::Policy));
    allowed.number = 2;
    allowed.uses = Uses::from_bits(0b10).unwrap();
    set(&mut net, &allowed).unwrap();
    assert!(net.node(1).submit(now, &lock, None).is_ok());
    assert_eq!(pay(&mut net, 2, 10), Err(Refusal::Policy));
    net.pump(net.now + 30_000);
    let now = Millis(net.now);
    assert_eq!(net.node(1).submit(now, &lock, None), Err(Refusal::Policy));
    assert_eq!(left(&mut net), (0, 0));
}

#[test]
fn a_policy_is_its_owners_for_this_device_and_newer() {
    let mut net = owned();
    let mut allowed = policy(&mut net);
    allowed.number = 5;
    let now = Millis(net.now);
    let strangers = signed(&mut net, &allowed, &secret(151));
    let refused = |error| Err(PolicyRefusal::Policy(error));
    assert_eq!(
        net.node(1).set_policy(now, &strangers),
        refused(PolicyError::WrongSigner)
    );
    let mut bent = signed(&mut net, &allowed, &owner());
    for at in [20, bent.len() - 1] {
        bent[at] ^= 1;
        assert!(net.node(1).set_policy(now, &bent).is_err());
        bent[at] ^= 1;
    }
    let others = SpendingPolicy {
        device: Id([9; 32]),
        ..allowed.clone()
    };
    assert_eq!(set(&mut net, &others), refused(PolicyError::OtherDevice));
    assert_eq!(
        allowance(&mut net),
        Some(Allowance::NONE),
        "no state change"
    );

    assert_eq!(set(&mut net, &allowed), Ok(5));
    assert_eq!(set(&mut net, &allowed), Ok(5), "said again");
    let mut other = allowed.clone();
    other.within = Amount(200);
    assert_eq!(set(&mut net, &other), Err(PolicyRefusal::Older));
    other.number = 4;
    assert_eq!(set(&mut net, &other), Err(PolicyRefusal::Older));
    other.number = 6;
    net.node(1).platform.fail_put = true;
    assert_eq!(set(&mut net, &other), Err(PolicyRefusal::Platform));
    net.node(1).platform.fail_put = false;
    assert_eq!(left(&mut net), (250, 100));

    // A newer policy opens no new window.
    assert!(pay(&mut net, 2, 100).is_ok());
    assert_eq!(set(&mut net, &other), Ok(6));
    assert_eq!(left(&mut net), (150, 100));
}

#[test]
fn a_reset_takes_nothing_back_and_another_owner_starts_anew() {
    let mut net = owned();
    let allowed = policy(&mut net);
    set(&mut net, &allowed).unwrap();
    assert!(pay(&mut net, 2, 70).is_ok());
    let before = allowance(&mut net);
    net.reboot(1, false);
    net.pump(net.now + 5_000);
    assert_eq!(allowance(&mut net), before);
    assert_eq!(pay(&mut net, 2, 31), Err(Refusal::PolicyWindow));

    // The store is lost: there is no policy, and the same one shown again has the same total.
    net.reboot(1, true);
    net.pump(net.now + 60_000);
    assert_eq!(pay(&mut net, 2, 1), Err(Refusal::Policy));
    set(&mut net, &allowed).unwrap();
    assert_eq!(left(&mut net).0, 180);

    net.owner = Some(secret(151).public_key());
    net.reboot(1, false);
    net.pump(net.now + 5_000);
    assert_eq!(allowance(&mut net), Some(Allowance::NONE));
    assert_eq!(pay(&mut net, 2, 1), Err(Refusal::Policy));
    let now = Millis(net.now);
    let theirs = signed(&mut net, &allowed, &secret(151));
    assert_eq!(net.node(1).set_policy(now, &theirs), Ok(1));
    assert_eq!(left(&mut net), (180, 100));
}

/// Pays 30 ten times within the hour, again after each power cut; gives the writes of the store and what was spent.
fn live(cut: Option<u32>) -> (u32, u64) {
    let mut net = owned();
    let platform = &mut net.node(1).platform;
    platform.cut_at = cut.map(|cut| platform.writes + cut);
    let begun = platform.writes;
    let allowed = policy(&mut net);
    for _ in 0..10 {
        if net.node(1).platform.dead {
            net.node(1).platform.cut_at = None;
            net.reboot(1, false);
            net.pump(net.now + 5_000);
        }
        let _ = set(&mut net, &allowed);
        let _ = pay(&mut net, 2, 30);
    }
    net.traffic(2);
    let now = Millis(net.now);
    let spent = net.node(1).status(now).debits.0;
    (net.node(1).platform.writes - begun, spent)
}

#[test]
fn no_window_is_spent_twice_whenever_the_power_goes() {
    let own = |net: &mut Network| {
        let now = Millis(net.now);
        net.node(1).status(now).debits.0
    };
    let mut net = owned();
    let before = own(&mut net);
    let (writes, spent) = live(None);
    let spent_alone = spent - before;
    assert!((90..=100).contains(&spent_alone), "{spent_alone}");
    for cut in 0..writes {
        let (_, spent) = live(Some(cut));
        let spent = spent - before;
        assert!((90..=100).contains(&spent), "{spent} spent, cut {cut}");
    }
}

#[test]
fn where_the_store_fails_no_window_begins_and_nothing_is_signed() {
    let mut net = owned();
    let allowed = policy(&mut net);
    set(&mut net, &allowed).unwrap();
    let ticket = wait(&mut net, 50);
    net.node(1).platform.fail_put = true;
    net.node(1).timers.issue = Millis(0);
    let number = |net: &mut Network| {
        let now = Millis(net.now);
        net.node(1).status(now).number
    };
    let before = number(&mut net);
    net.pump(net.now + 2_000);
    assert_eq!(number(&mut net), before);
    assert_eq!(left(&mut net), (250, 100));
    net.node(1).platform.fail_put = false;
    net.pump(net.now + 2_000);
    let sent = |e: &Event| matches!(e, Event::Sent { ticket: of, .. } if *of == ticket);
    assert!(net.events[1].iter().any(sent));
    assert_eq!(left(&mut net), (200, 50));
}
