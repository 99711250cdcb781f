//! Elections on a real node: from registration to the set, with what fails in between.

use crate::world::{PATIENCE, World};
use crate::{expect_name, revert_of};
use iotedge_core::HeaderNumber;
use iotedge_core::crypto::vrf::{Proof, PublicKey, SecretKey};
use iotedge_core::posp::election::{Elected, Fresh, Record};
use iotedge_gchain::{Attempt, Candidate, Decided, Duty, Electing, Elections, Outcome, Sender};

const LENGTH: u64 = 100;

struct Board {
    world: World,
    elections: Elections,
}

fn function(i: usize) -> SecretKey {
    SecretKey::from_seed(&[u8::try_from(i).unwrap() + 101; 32]).unwrap()
}

impl Board {
    fn new(seats: u8) -> Self {
        let world = World::new();
        let first = world.endpoint.head().unwrap().number + 100;
        let terms = Electing {
            first,
            length: LENGTH,
            patience: 50,
            seats,
            pace: 12,
            age: 86_400,
        };
        let elections = Elections::deploy(&world.sender, &terms).unwrap();
        assert_eq!(
            (
                elections.seats,
                elections.first,
                elections.length,
                elections.round
            ),
            (seats, first, LENGTH, LENGTH / 5)
        );
        Self { world, elections }
    }

    fn by(&self, i: usize) -> Sender {
        Sender::new(
            self.world.endpoint.clone(),
            self.world.accounts[i].clone(),
            PATIENCE,
        )
    }

    fn now(&self) -> u64 {
        self.world.endpoint.head().unwrap().number
    }

    /// Until this block is the newest.
    fn reach(&self, block: u64) {
        let now = self.now();
        assert!(now <= block, "{now} is after {block}");
        if now < block {
            self.world.anvil.mine(block - now);
        }
    }

    fn register(&self, i: usize) {
        self.elections
            .register(&self.by(i), &function(i).public_key())
            .unwrap();
    }

    fn outcome(&mut self, term: u32) -> Outcome {
        let now = self.now();
        self.elections.outcome(term, now).unwrap()
    }

    fn open(&mut self, term: u32) -> Attempt {
        match self.outcome(term) {
            Outcome::Open(attempt) => attempt,
            other => panic!("{other:?}"),
        }
    }

    fn decided(&mut self, term: u32) -> Decided {
        match self.outcome(term) {
            Outcome::Decided(decided) => decided,
            other => panic!("{other:?}"),
        }
    }

    fn reveal(&self, i: usize, attempt: &Attempt) {
        let proof = self.proof(i, attempt);
        self.elections
            .reveal(&self.by(i), attempt.election.term, attempt.number, &proof)
            .unwrap();
    }

    fn proof(&self, i: usize, attempt: &Attempt) -> Proof {
        let key = self.key(i);
        attempt.election.prove(&key, &function(i)).unwrap()
    }

    fn key(&self, i: usize) -> [u8; 32] {
        let account = self.world.accounts[i].address();
        self.world
            .endpoint
            .masternode(account)
            .unwrap()
            .unwrap()
            .key
    }

    fn seed(&self, term: u32) {
        self.reach(self.elections.height(term) + 1);
        self.elections.fix_seed(&self.world.sender, term).unwrap();
    }
}

#[test]
fn a_committee_is_elected_by_what_the_contract_has() {
    // More seats than candidates.
    let mut board = Board::new(9);
    assert!(matches!(
        board.outcome(3),
        Outcome::Unseeded { term: 1, .. }
    ));
    (0..5).for_each(|i| board.register(i));
    // No key of a function: it stands there, and nobody counts it.
    let none = PublicKey([2; 32]);
    assert!(none.check().is_err());
    board.elections.register(&board.by(6), &none).unwrap();
    let refused = board.elections.register(&board.world.sender, &none);
    assert_eq!(revert_of(refused.unwrap_err()), "NoMasternode()");
    let early = board.elections.fix_seed(&board.world.sender, 1);
    assert!(early.is_err());
    board.seed(1);
    assert!(matches!(
        board.outcome(3),
        Outcome::Unseeded { term: 2, .. }
    ));
    // The height of the seed of 2 ends the time for the list of 3; here it is over.
    board.seed(2);
    assert_eq!(board.elections.term_of(board.now()), 1);
    board.register(5);
    let again = board.elections.fix_seed(&board.world.sender, 2);
    assert_eq!(expect_name(again.unwrap_err()), "AlreadyFixed");
    board.seed(3);
    let first = board.open(3);
    let keys: Vec<[u8; 32]> = first.entries.iter().map(|e| e.candidate.key).collect();
    let mut wanted: Vec<[u8; 32]> = (0..5).map(|i| board.key(i)).collect();
    wanted.sort_unstable();
    assert_eq!((keys, first.number), (wanted.clone(), 0));
    // Two of five, and one proof that does not hold: the attempt fails.
    board.reveal(0, &first);
    board.reveal(1, &first);
    let wrong = board.proof(0, &first);
    board.elections.reveal(&board.by(2), 3, 0, &wrong).unwrap();
    assert_eq!(
        board
            .open(3)
            .entries
            .iter()
            .filter(|e| e.proof.is_some())
            .count(),
        2
    );
    let ahead = board.elections.reveal(&board.by(3), 3, 1, &wrong);
    assert_eq!(expect_name(ahead.unwrap_err()), "NotYet");
    board.reach(first.blocks.1);
    let late = board.proof(3, &first);
    let late = board.elections.reveal(&board.by(3), 3, 0, &late);
    assert_eq!(expect_name(late.unwrap_err()), "TooLate");
    let second = board.open(3);
    assert_eq!(
        (second.number, second.election.seed),
        (1, first.election.seed.again())
    );
    // Three of five; the two others keep theirs back.
    for i in [0, 2, 4] {
        board.reveal(i, &second);
    }
    let twice = board.elections.reveal(&board.by(4), 3, 1, &wrong);
    assert_eq!(expect_name(twice.unwrap_err()), "AlreadyRevealed");
    board.reach(second.blocks.1 - 2);
    assert_eq!(board.open(3).number, 1);
    board.reach(second.blocks.1 - 1);
    let decided = board.decided(3);
    let mut seats: Vec<[u8; 32]> = decided.members.iter().map(|m| m.key).collect();
    seats.sort_unstable();
    let mut wanted = [0, 2, 4].map(|i| board.key(i));
    wanted.sort_unstable();
    assert_eq!(seats, wanted);
    assert!(decided.members.iter().all(|m| m.stake == 1));
    // The record says the same to who checks it alone, as a device does.
    let elected: Elected<64> = Record::parse(&decided.record)
        .unwrap()
        .run(&second.election, &decided.list)
        .unwrap();
    assert!(elected.members().eq(decided.members.iter().copied()));
    assert_eq!(elected.merge(), decided.merge);
    elected
        .check(&elected.set(HeaderNumber(7)).unwrap())
        .unwrap();
    // What comes later changes nothing of it, for who begins anew either.
    board.register(0);
    board
        .elections
        .withdraw(&board.by(2), &board.key(2))
        .unwrap();
    let strange = board.elections.withdraw(&board.world.sender, &board.key(1));
    assert_eq!(expect_name(strange.unwrap_err()), "InService");
    board.elections = Elections::open(&board.world.endpoint, board.elections.contract()).unwrap();
    let anew = board.decided(3);
    assert_eq!(
        (anew.record, anew.merge, anew.seed),
        (decided.record, decided.merge, decided.seed)
    );
    // Its outputs are in the next seed, and who registered in term 1 stands for 4.
    board.seed(4);
    let next = board.open(4);
    let block = board.world.anvil.rpc(
        "eth_getBlockByNumber",
        serde_json::json!([format!("{:#x}", board.elections.height(4)), false]),
    );
    let randomness: iotedge_gchain::B256 = block["mixHash"].as_str().unwrap().parse().unwrap();
    let fresh = Fresh {
        merge: decided.merge,
        randomness: randomness.0,
    };
    assert_eq!(next.election.seed, decided.seed.next(Some(&fresh)));
    assert_eq!(next.entries.len(), 6);
}

#[test]
fn who_reveals_nothing_elects_nobody() {
    let mut board = Board::new(3);
    (0..4).for_each(|i| board.register(i));
    (1..=3).for_each(|term| board.seed(term));
    let first = board.open(3);
    // Half is not more than half.
    board.reveal(0, &first);
    board.reveal(1, &first);
    for attempt in 1..4 {
        board.reach(board.elections.window(3, attempt).0);
        assert_eq!(board.open(3).number, attempt);
    }
    board.reach(board.elections.window(3, 3).1);
    let decided = board.decided(3);
    assert_eq!(
        (decided.members.len(), decided.record.len(), decided.merge),
        (0, 0, [0; 32])
    );
    let seed = first.election.seed.again().again().again();
    assert_eq!(decided.seed, seed);
    // Who asked for its collateral reveals nothing any more.
    board.seed(4);
    let next = board.open(4);
    board.by(3).leave().unwrap();
    let proof = board.proof(3, &next);
    let gone = board.elections.reveal(&board.by(3), 4, 0, &proof);
    assert_eq!(expect_name(gone.unwrap_err()), "NoMasternode");
    (0..3).for_each(|i| board.reveal(i, &next));
    board.reach(next.blocks.1);
    assert_eq!(board.decided(4).members.len(), 3);
}

/// Three masternodes by themselves, with blocks that wait to be confirmed; one of them begins anew in between.
#[test]
fn candidates_elect_a_committee_by_themselves() {
    const CONFIRMATIONS: u64 = 2;
    let mut board = Board::new(2);
    let contract = board.elections.contract();
    let make = |i: usize| Candidate::new(contract, function(i), PATIENCE);
    let mut all = [make(0), make(1), make(2)];
    let (mut done, mut rounds) = (Vec::new(), 0);
    while board.now() < board.elections.begins(4) + CONFIRMATIONS {
        for (i, candidate) in all.iter_mut().enumerate() {
            let account = &board.world.accounts[i];
            let duty = candidate
                .look(&board.world.endpoint, account, CONFIRMATIONS)
                .unwrap();
            done.extend(duty.map(|duty| (i, duty)));
        }
        rounds += 1;
        all[rounds % 3] = make(rounds % 3);
        board.world.anvil.mine(2);
    }
    for i in 0..3 {
        let own: Vec<Duty> = done.iter().filter(|d| d.0 == i).map(|d| d.1).collect();
        let count = |duty| own.iter().filter(|d| **d == duty).count();
        assert_eq!(count(Duty::Registered(3)), 1, "{own:?}");
        assert_eq!(count(Duty::Revealed(3, 0)), 1, "{own:?}");
        assert_eq!(count(Duty::Revealed(4, 0)), 1, "{own:?}");
    }
    let seeded: Vec<u32> = done
        .iter()
        .filter_map(|(_, duty)| match duty {
            Duty::Seeded(term) => Some(*term),
            _ => None,
        })
        .collect();
    assert_eq!(seeded, [1, 2, 3, 4, 5], "each once, in order");
    for term in [3, 4] {
        assert_eq!(board.decided(term).members.len(), 2);
    }
    // Who leaves does nothing more.
    board.by(0).leave().unwrap();
    let account = board.world.accounts[0].clone();
    assert_eq!(
        all[0].look(&board.world.endpoint, &account, 0).unwrap(),
        None
    );
}
