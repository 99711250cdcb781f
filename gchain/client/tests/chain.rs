//! The client against a real Ethereum node (anvil) with the contract on it.

mod elections;
mod world;

use iotedge_core::ledger::{deposit_id, exit_leaf};
use iotedge_core::tx::{Body, Parents, Payload, sign_with};
use iotedge_core::wire::merkle::{self, node_hash};
use iotedge_core::{Amount, Epoch, Id, MemberIndex, Number};
use iotedge_gchain::{
    Account, Anchorer, B256, Deposit, Endpoint, Error, Event, Exit, Sender, Shown, Verdict, Voted,
    packed_votes,
};
use serde_json::json;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::Duration;
use world::{
    Anvil, CHAIN, GRANT, MEMBERS, PATIENCE, Proxy, TIMEOUT, UNIT, Way, World, account, brief,
    member, records,
};

const VALUE: u64 = GRANT * MEMBERS as u64;
/// Milliseconds after which a transaction is stuck.
const LATER: u64 = 60_000;

fn revert_of(error: Error) -> String {
    match error {
        Error::Revert(revert) => format!("{}({})", revert.name, revert.args.join(", ")),
        other => panic!("{other}"),
    }
}

/// The refusal's name alone.
fn expect_name(error: Error) -> String {
    let whole = revert_of(error);
    whole.split('(').next().unwrap_or_default().to_owned()
}

#[test]
fn value_comes_in_and_goes_out() {
    let world = World::new();
    let from = world.payer.address().into_array();
    world
        .sender
        .fund(world.id, iotedge_gchain::U256::from(7_000 * UNIT))
        .unwrap();
    for (device, amount) in [(1, 30), (2, 12)] {
        world
            .sender
            .deposit(world.id, &[device; 32], amount)
            .unwrap();
    }
    let deposit = |index, device, amount| Deposit {
        index,
        device: [device; 32],
        amount,
        from,
    };
    let all = [deposit(0, 1, 30), deposit(1, 2, 12)];
    assert_eq!(world.endpoint.deposits(world.id, 0, 0).unwrap(), all);
    assert_eq!(world.endpoint.deposits(world.id, 1, 0).unwrap(), all[1..]);
    // The last has no block over it.
    assert_eq!(world.endpoint.deposits(world.id, 0, 1).unwrap(), all[..1]);
    assert_eq!(world.endpoint.deposits(world.id, 2, 0).unwrap(), []);
    assert_eq!(world.endpoint.deposits(world.id, 0, 1_000).unwrap(), []);

    // A node whose logs say another amount, or another payer, than the contract counts.
    let proxy = Proxy::start(&world.anvil, "127.0.0.1:0");
    let by =
        Endpoint::connect(&proxy.url, Some(CHAIN), world.endpoint.contract(), TIMEOUT).unwrap();
    for way in [Way::OtherAmounts, Way::OtherPayer] {
        proxy.set(way);
        let differs = by.deposits(world.id, 0, 0).unwrap_err();
        assert!(matches!(differs, Error::Differs { .. }), "{differs}");
    }
    proxy.set(Way::Open);
    assert_eq!(by.deposits(world.id, 0, 0).unwrap(), all);

    // Two exits, one of them taken.
    let target = account(55).address();
    let (tx, other) = (Id([8; 32]), exit_leaf(&[1; 20], Amount(2), &Id([4; 32])));
    let leaf = exit_leaf(&target.into_array(), Amount(20), &tx);
    let epoch = world.epoch_with(1, world.id, 5, VALUE, node_hash(&other, &leaf), 2);
    let mut anchorer = world.anchorer(1, std::slice::from_ref(&epoch));
    expect(&mut anchorer, 0, &["submitted 1"]);
    expect(&mut anchorer, 1, &["included 1"]);
    assert_eq!(anchorer.tick(2), []);
    world.anvil.mine(1);
    let events = anchorer.tick(3);
    assert!(matches!(events[..], [Event::Anchored { number: 1, hash, .. }] if hash == epoch.hash));
    assert_eq!(anchorer.waiting(), 0);
    let state = world.endpoint.neighbourhood(world.id).unwrap().unwrap();
    assert_eq!(
        (state.number, state.head, state.credited),
        (1, epoch.hash, 2)
    );
    let seen = world.endpoint.anchored(world.id, 0, 0).unwrap();
    assert_eq!((seen[0].hash, seen[0].credited), (epoch.hash, 2));
    assert_eq!(world.endpoint.anchored(world.id, 1, 0).unwrap(), []);

    let exit = Exit {
        neighbourhood: world.id,
        number: 1,
        target,
        amount: 20,
        tx: B256::from(tx.0),
        index: 1,
        size: 2,
        path: vec![B256::from(other.0)],
    };
    let wrong = Exit {
        amount: 21,
        ..exit.clone()
    };
    assert_eq!(
        revert_of(world.sender.withdraw(&wrong).unwrap_err()),
        "NotAnExit()"
    );
    assert!(!world.endpoint.taken(world.id, exit.tx).unwrap());
    world.sender.withdraw(&exit).unwrap();
    assert!(world.endpoint.taken(world.id, exit.tx).unwrap());
    let has = world
        .anvil
        .rpc("eth_getBalance", json!([target.to_string(), "latest"]));
    assert_eq!(has, json!(format!("{:#x}", 20 * UNIT)));
    let again = world.sender.withdraw(&Exit {
        amount: 2,
        ..exit.clone()
    });
    assert!(again.is_err());
    // Refused before anything is paid, though there is as much left to take.
    let before = world.anvil.count(&world.payer);
    assert_eq!(
        revert_of(world.sender.withdraw(&exit).unwrap_err()),
        "AlreadyTaken()"
    );
    assert_eq!(world.anvil.count(&world.payer), before);

    // A validator goes, and can be slashed for two outcomes until its collateral is free.
    let node = Sender::new(world.endpoint.clone(), world.accounts[6].clone(), PATIENCE);
    node.leave().unwrap();
    assert!(revert_of(node.take_collateral().unwrap_err()).starts_with("NotFree("));
    let voted = |header: B256| Voted {
        header,
        credited: 0,
        vote: world.accounts[6]
            .vote(&world.domain, world.id, 9, header, 0)
            .unwrap(),
    };
    let (a, b) = (voted(B256::repeat_byte(1)), voted(B256::repeat_byte(2)));
    assert_eq!(
        revert_of(world.sender.double_vote(world.id, 9, &a, &a).unwrap_err()),
        "NoDoubleVote()"
    );
    world.sender.double_vote(world.id, 9, &a, &b).unwrap();
    assert_eq!(
        world
            .endpoint
            .masternode(world.accounts[6].address())
            .unwrap(),
        None
    );
    // What it earned with its votes it has not lost; this one did not vote.
    let first = Sender::new(world.endpoint.clone(), world.accounts[0].clone(), PATIENCE);
    first.collect().unwrap();
    first.resume().unwrap();
}

#[test]
fn a_disputed_exit_is_shown_or_void() {
    const ANSWER: u64 = 3_600;
    let world = World::with_window(7_200);
    let (target, other) = (account(55).address(), account(56).address());
    // A member's exit, a deposit for nobody that goes back, and an exit that nobody signed.
    world.sender.deposit(world.id, &[9; 32], 12).unwrap();
    let id = Id(world.id.0);
    let (amount, parents) = (Amount(20), Parents::new(id, &[]).unwrap());
    let payload = Payload {
        epoch: Epoch(1),
        issuer: MemberIndex(3),
        number: Number(1),
        offset: 5,
        parents: parents.prefixes().unwrap(),
        body: Body::Exit {
            amount,
            debits: amount,
            target: target.into_array(),
        },
    };
    let (mut bytes, mut cose) = ([0; 480], [0; 600]);
    let payload = payload.encode(&mut bytes).unwrap();
    let signed = sign_with(&member(3), &id, payload, &parents, &mut cose).unwrap();
    let from = world.payer.address();
    let back = deposit_id(&id, 0);
    let exits = [
        (target, 20, signed.id()),
        (from, 12, back),
        (other, 7, Id([6; 32])),
    ];
    let leaves: Vec<Id> = exits
        .iter()
        .map(|(to, amount, id)| exit_leaf(&to.into_array(), Amount(*amount), id))
        .collect();
    let root = merkle::root(leaves.iter().copied()).unwrap();
    let epoch = world.epoch_with(1, world.id, 5, VALUE - 20 - 7, root, 1);
    let mut anchorer = world.anchorer(0, std::slice::from_ref(&epoch));
    expect(&mut anchorer, 0, &["submitted 1"]);
    anchorer.tick(1);
    let exit = |place: usize| {
        let mut path = [Id::ZERO; 32];
        let at = |index: u32| leaves[index as usize];
        let steps = merkle::path(place as u32, 3, at, &mut path).unwrap();
        let (target, amount, tx) = exits[place];
        Exit {
            neighbourhood: world.id,
            number: 1,
            target,
            amount,
            tx: B256::from(tx.0),
            index: place as u64,
            size: 3,
            path: path[..steps].iter().map(|id| B256::from(id.0)).collect(),
        }
    };
    assert_eq!(world.endpoint.disputed(world.id, 0).unwrap().0, []);
    let challenger = Sender::new(world.endpoint.clone(), world.accounts[6].clone(), PATIENCE);
    for place in 0..3 {
        challenger.challenge(&exit(place)).unwrap();
        assert_eq!(world.endpoint.verdict(&exit(place)).unwrap(), Verdict::Open);
    }
    assert_eq!(
        revert_of(challenger.challenge(&exit(0)).unwrap_err()),
        "Disputed()"
    );
    let (open, next) = world.endpoint.disputed(world.id, 0).unwrap();
    assert_eq!(open.len(), 3);
    assert_eq!((open[0].tx, open[0].amount), (B256::from(exits[0].2.0), 20));
    assert!(open[0].left <= ANSWER && open[0].left > ANSWER - 60);

    // The member's exit is shown by what it signed, and by nothing else.
    let records = records();
    let mut path = [Id::ZERO; 32];
    let at = |index: u32| records[index as usize].leaf().unwrap();
    let steps = merkle::path(3, MEMBERS, at, &mut path).unwrap();
    let shown = |record: usize| Shown::Signed {
        cose: signed.cose().to_vec(),
        parents: B256::from(parents.hash().0),
        opener: world.genesis.clone(),
        record: world::written(|w| records[record].encode(w).unwrap()),
        path: path[..steps].iter().map(|id| B256::from(id.0)).collect(),
    };
    assert!(world.sender.show(&open[0], &shown(4)).is_err());
    assert!(world.sender.show(&open[2], &shown(3)).is_err());
    world.sender.show(&open[0], &shown(3)).unwrap();
    assert_eq!(world.endpoint.verdict(&exit(0)).unwrap(), Verdict::Shown);
    assert_eq!(
        revert_of(world.sender.show(&open[1], &Shown::Deposit(1)).unwrap_err()),
        "NotGivenBack()"
    );
    world.sender.show(&open[1], &Shown::Deposit(0)).unwrap();
    assert_eq!(
        revert_of(world.sender.show(&open[1], &Shown::Deposit(0)).unwrap_err()),
        "NoDispute()"
    );
    // What is left is asked for from where it may have been, also by who begins only now.
    for from in [0, next] {
        let (open, _) = world.endpoint.disputed(world.id, from).unwrap();
        assert_eq!(open.iter().map(|d| d.amount).collect::<Vec<_>>(), [7]);
    }
    assert!(revert_of(world.sender.void(&exit(2)).unwrap_err()).starts_with("AnswerTime("));
    world.anvil.rpc("evm_increaseTime", json!([ANSWER + 1]));
    world.anvil.mine(1);
    world.sender.void(&exit(2)).unwrap();
    assert_eq!(world.endpoint.verdict(&exit(2)).unwrap(), Verdict::Void);
    assert_eq!(world.endpoint.disputed(world.id, 0).unwrap().0, []);
    world.anvil.rpc("evm_increaseTime", json!([7_200]));
    world.anvil.mine(1);
    assert_eq!(
        revert_of(world.sender.withdraw(&exit(2)).unwrap_err()),
        "Disputed()"
    );
    world.sender.withdraw(&exit(0)).unwrap();
    world.sender.withdraw(&exit(1)).unwrap();
}

#[test]
fn endpoints_that_are_none_are_told_apart() {
    let anvil = Anvil::start();
    let contract = account(1).address();
    let connect =
        |url: &str, chain, after| Endpoint::connect(url, chain, contract, after).unwrap_err();
    let wrong = connect(&anvil.url, Some(1), TIMEOUT);
    assert!(
        matches!(
            wrong,
            Error::WrongChain {
                found: CHAIN,
                wanted: 1,
                ..
            }
        ),
        "{wrong}"
    );
    let none = connect(&anvil.url, Some(CHAIN), TIMEOUT);
    assert_eq!(
        none,
        Error::NoContract {
            contract,
            chain_id: CHAIN
        }
    );
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let down = connect(&format!("http://{port}/key"), None, TIMEOUT);
    assert!(matches!(down, Error::Down { .. }), "{down}");
    assert!(!down.to_string().contains("key"), "{down}");

    let proxy = Proxy::start(&anvil, "127.0.0.1:0");
    proxy.set(Way::Slow(Duration::from_secs(3)));
    let late = connect(&proxy.url, None, Duration::from_millis(200));
    assert!(matches!(late, Error::Timeout { .. }), "{late}");
    proxy.set(Way::Garbage);
    let garbage = connect(&proxy.url, None, TIMEOUT);
    assert!(matches!(garbage, Error::NotJsonRpc { .. }), "{garbage}");
}

#[test]
fn an_endpoint_that_comes_late_and_fails_in_between_loses_nothing() {
    let world = World::new();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let by = Endpoint::new(
        &format!("http://{port}"),
        Some(CHAIN),
        world.endpoint.contract(),
        Duration::from_secs(2),
    );
    let mut anchorer = world.anchorer_by(by, 0, &world.epochs(2));
    let down = brief(&anchorer.tick(0));
    assert!(down[0].contains("is down"), "{down:?}");
    assert_eq!(anchorer.tick(1), [], "said once");
    let proxy = Proxy::start(&world.anvil, &port.to_string());
    // Sent, and nobody heard so.
    proxy.set(Way::LoseSent);
    let before = world.anvil.count(&world.payer);
    let lost = brief(&anchorer.tick(2));
    assert!(
        lost.len() == 1 && lost[0].starts_with("trouble"),
        "{lost:?}"
    );
    proxy.set(Way::Garbage);
    assert!(brief(&anchorer.tick(3))[0].contains("JSON-RPC"));
    proxy.set(Way::Open);
    expect(
        &mut anchorer,
        4,
        &["included 1", "anchored 1", "submitted 2"],
    );
    expect(&mut anchorer, 5, &["included 2", "anchored 2"]);
    assert_eq!(world.anvil.count(&world.payer), before + 2);
    assert_eq!(proxy.sent.load(Ordering::Relaxed), 2);
}

#[test]
fn an_account_without_ether_says_what_it_needs() {
    let world = World::new();
    let poor = account(77);
    let sender = Sender::new(world.endpoint.clone(), poor.clone(), PATIENCE);
    let error = sender.deposit(world.id, &[1; 32], 5).unwrap_err();
    assert!(
        matches!(&error, Error::Funds { account, has, .. } if *account == poor.address() && has.is_zero()),
        "{error}"
    );
    let mut anchorer = Anchorer::new(world.endpoint.clone(), poor.clone(), world.id, 0, PATIENCE);
    world
        .epochs(1)
        .into_iter()
        .for_each(|epoch| anchorer.push(epoch));
    assert!(brief(&anchorer.tick(0))[0].contains("send ether to it"));
    world.anvil.give(&poor, u128::from(UNIT) * u128::from(UNIT));
    expect(&mut anchorer, 1, &["submitted 1"]);
    expect(&mut anchorer, 2, &["included 1", "anchored 1"]);
}

#[test]
fn what_is_stuck_is_paid_better() {
    let world = World::new();
    world.anvil.automine(false);
    let before = world.anvil.count(&world.payer);
    let mut anchorer = world.anchorer(0, &world.epochs(1));
    let first = anchorer.tick(0);
    assert_eq!(brief(&first), ["submitted 1"]);
    assert_eq!(anchorer.tick(LATER - 1), []);
    let second = anchorer.tick(LATER);
    assert_eq!(brief(&second), ["submitted 1"]);
    assert_ne!(first, second);
    assert_eq!(anchorer.tick(LATER + 1), []);
    world.anvil.mine(1);
    expect(&mut anchorer, LATER + 2, &["included 1", "anchored 1"]);
    assert_eq!(world.anvil.count(&world.payer), before + 1);
}

#[test]
fn a_base_fee_that_rose_above_it_is_followed() {
    let world = World::new();
    world.anvil.automine(false);
    let mut anchorer = world.anchorer(0, &world.epochs(1));
    expect(&mut anchorer, 0, &["submitted 1"]);
    // 120 gwei: more than it offered, so the pool lets it go.
    world
        .anvil
        .rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x1bf08eb000"]));
    world.anvil.mine(1);
    expect(&mut anchorer, LATER, &["submitted 1"]);
    world.anvil.mine(1);
    expect(&mut anchorer, LATER + 1, &["included 1", "anchored 1"]);
}

#[test]
fn gas_that_is_too_dear_is_waited_for() {
    let world = World::new();
    world
        .anvil
        .rpc("anvil_setNextBlockBaseFeePerGas", json!(["0xe8d4a51000"]));
    world.anvil.mine(1);
    let mut anchorer = world.anchorer(0, &world.epochs(1));
    assert!(brief(&anchorer.tick(0))[0].contains("gas costs"));
    world
        .anvil
        .rpc("anvil_setNextBlockBaseFeePerGas", json!(["0x3b9aca00"]));
    world.anvil.mine(1);
    expect(&mut anchorer, 1, &["submitted 1"]);
}

#[test]
fn a_nonce_that_went_elsewhere_is_not_waited_for() {
    let world = World::new();
    world.anvil.automine(false);
    let mut anchorer = world.anchorer(0, &world.epochs(1));
    expect(&mut anchorer, 0, &["submitted 1"]);
    // The pool forgets it, and the account sends something else.
    world.anvil.rpc("anvil_dropAllTransactions", json!([]));
    world.anvil.automine(true);
    world.sender.deposit(world.id, &[1; 32], 5).unwrap();
    world.anvil.automine(false);
    // Once can be a node that counts before it finds.
    assert_eq!(anchorer.tick(1), []);
    assert_eq!(anchorer.tick(2), []);
    expect(&mut anchorer, 3, &["submitted 1"]);
    // Forgotten again, and the nonce is free still: the same is sent.
    world.anvil.rpc("anvil_dropAllTransactions", json!([]));
    let before = world.anvil.count(&world.payer);
    expect(&mut anchorer, 4, &["submitted 1"]);
    world.anvil.mine(1);
    expect(&mut anchorer, 5, &["included 1", "anchored 1"]);
    assert_eq!(world.anvil.count(&world.payer), before + 1);
}

#[test]
fn after_a_reorg_it_is_sent_again_and_is_there_once() {
    let world = World::new();
    world.anvil.mine(5);
    let mut anchorer = world.anchorer(3, &world.epochs(2));
    expect(&mut anchorer, 0, &["submitted 1"]);
    expect(&mut anchorer, 1, &["included 1", "submitted 2"]);
    expect(&mut anchorer, 2, &["included 2"]);
    world.anvil.rpc("anvil_reorg", json!([3, []]));
    assert_eq!(world.anchored(), 0);
    let events = brief(&anchorer.tick(3));
    assert_eq!(events[..2], ["reorged 1", "reorged 2"]);
    let mut all = events;
    for now in 4..20 {
        world.anvil.mine(1);
        all.extend(brief(&anchorer.tick(now)));
        if anchorer.waiting() == 0 {
            break;
        }
    }
    assert_eq!(anchorer.waiting(), 0, "{all:?}");
    let place = |what: &str| all.iter().rposition(|event| event == what);
    assert!(
        place("included 1") < place("anchored 1") && place("anchored 1") < place("anchored 2"),
        "{all:?}"
    );
    assert!(place("submitted 1").is_some(), "{all:?}");
    assert_eq!(world.anchored(), 2);
}

#[test]
fn who_begins_anew_after_sending_pays_once() {
    let world = World::new();
    world.anvil.automine(false);
    let before = world.anvil.count(&world.payer);
    let epochs = world.epochs(2);
    drop_after(world.anchorer(0, &epochs));
    let mut anew = world.anchorer(0, &epochs);
    assert!(brief(&anew.tick(10))[0].contains("wait in the endpoint's pool"));
    world.anvil.mine(1);
    expect(&mut anew, 11, &["included 1", "anchored 1", "submitted 2"]);
    // And once more, this time stuck: its place is taken.
    let mut anew = world.anchorer(0, &epochs[1..]);
    assert!(brief(&anew.tick(20))[0].contains("pool"));
    expect(&mut anew, 20 + LATER, &["submitted 2"]);
    world.anvil.mine(1);
    expect(&mut anew, 21 + LATER, &["included 2", "anchored 2"]);
    world.anvil.mine(3);
    assert_eq!(world.anvil.count(&world.payer), before + 2);
    assert_eq!(world.anchored(), 2);
    // All of it again: it is there, and nothing is sent.
    let mut again = world.anchorer(0, &epochs);
    expect(
        &mut again,
        0,
        &["included 1", "included 2", "anchored 1", "anchored 2"],
    );
    world.anvil.mine(1);
    assert_eq!(world.anvil.count(&world.payer), before + 2);
}

/// What the next ticks say together: a node may know of a block before it finds what is in it.
fn expect(anchorer: &mut Anchorer, now: u64, events: &[&str]) {
    let mut all = Vec::new();
    for _ in 0..200 {
        all.extend(brief(&anchorer.tick(now)));
        if all.len() >= events.len() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(all, events);
}

fn drop_after(mut anchorer: Anchorer) {
    expect(&mut anchorer, 0, &["submitted 1"]);
}

#[test]
fn what_somebody_else_brought_is_not_sent() {
    let world = World::new();
    let other = account(66);
    world
        .anvil
        .give(&other, u128::from(UNIT) * u128::from(UNIT));
    let mut theirs = Anchorer::new(world.endpoint.clone(), other.clone(), world.id, 0, PATIENCE);
    world
        .epochs(2)
        .into_iter()
        .for_each(|epoch| theirs.push(epoch));
    let before = world.anvil.count(&world.payer);
    let mut ours = world.anchorer(1, &world.epochs(2));
    expect(&mut theirs, 0, &["submitted 1"]);
    expect(&mut theirs, 1, &["included 1", "anchored 1", "submitted 2"]);
    expect(&mut ours, 1, &["included 1", "included 2", "anchored 1"]);
    assert_eq!(world.anvil.count(&world.payer), before);
    // Another header of a number that is there is a fork.
    let mut forked = world.anchorer(
        0,
        &[world.epoch_with(1, world.id, 5, VALUE - 1, Id([5; 32]), 0)],
    );
    assert!(brief(&forked.tick(0))[0].starts_with("refused 1: another header"));
}

#[test]
fn what_the_contract_refuses_is_said_before_it_is_paid() {
    let world = World::new();
    let before = world.anvil.count(&world.payer);
    let refused = |epoch| {
        let mut anchorer = world.anchorer(0, &[epoch]);
        let events = brief(&anchorer.tick(0));
        assert_eq!((events.len(), anchorer.waiting()), (1, 0), "{events:?}");
        events[0].clone()
    };
    let good = world.epoch(1, world.id, 5);
    let short = refused(world.epoch(1, world.id, 4));
    assert!(
        short.starts_with("refused 1: ShortOfQuorum(40, 70)"),
        "{short}"
    );
    let mut twice = good.clone();
    let vote = twice.votes[..66].to_vec();
    twice.votes.splice(..0, vote);
    let twice = refused(twice);
    assert!(twice.starts_with("refused 1: VoterOrder()"), "{twice}");
    let mut forged = good.clone();
    let by = Account::from_secret(&[44; 32]).unwrap();
    let vote = by.vote(&world.domain, world.id, 1, good.hash, 0).unwrap();
    forged.votes = packed_votes(&[(0, vote)]);
    let forged = refused(forged);
    assert!(forged.starts_with("refused 1: NotTheirVote(0)"), "{forged}");
    let unknown = refused(world.epoch(1, B256::repeat_byte(6), 5));
    assert!(
        unknown.starts_with("refused 1: OtherPredecessor()"),
        "{unknown}"
    );
    let mut broken = good.clone();
    broken.header.pop();
    let broken = refused(broken);
    assert!(broken.starts_with("refused 1: Malformed("), "{broken}");
    // What can come still is waited for: a deposit, the header before.
    let early = world.epoch_with(1, world.id, 5, VALUE, Id([5; 32]), 1);
    let mut anchorer = world.anchorer(0, &[early]);
    assert!(brief(&anchorer.tick(0))[0].contains("NotDeposited(1)"));
    let mut gap = world.anchorer(0, &world.epochs(2)[1..]);
    assert!(brief(&gap.tick(0))[0].contains("NotNext(1)"));
    assert_eq!(world.anvil.count(&world.payer), before);
    world.sender.deposit(world.id, &[1; 32], 5).unwrap();
    expect(&mut anchorer, 1, &["submitted 1"]);
}

#[test]
fn a_neighbourhood_that_nobody_founded_has_no_deposits() {
    let world = World::new();
    let nobody = B256::repeat_byte(9);
    assert_eq!(world.endpoint.neighbourhood(nobody).unwrap(), None);
    assert_eq!(world.endpoint.deposits(nobody, 0, 0).unwrap(), []);
    assert_eq!(
        revert_of(world.sender.deposit(nobody, &[1; 32], 5).unwrap_err()),
        "UnknownNeighbourhood()"
    );
    assert_eq!(world.endpoint.account_of(&[9; 32]).unwrap(), None);
}
