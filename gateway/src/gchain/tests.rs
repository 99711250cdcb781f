//! The gateway's side against a chain that the test plays.

use super::*;
use crate::closer::tests::{alone, secret};
use crate::store::StoredHeader;
use iotedge_core::crypto::sha256;
use iotedge_core::posp::{Anchored, Header, MAX_HEADER, MAX_VOTE_MESSAGE, close::header_payload};
use iotedge_core::wire::{Frame, Vote};
use iotedge_core::{Amount, Millis};
use std::sync::mpsc::channel;

const ACCOUNT: [u8; 20] = [0xaa; 20];

/// An account signs by hashing: enough to tell its votes from others'.
struct Hashes;

fn signed(account: &[u8; 20], ballot: &Ballot) -> [u8; 65] {
    let mut signature = [27; 65];
    let text = format!("{ballot:?}");
    signature[..20].copy_from_slice(account);
    signature[32..64].copy_from_slice(&sha256(&[account, text.as_bytes()]));
    signature
}

impl Ballots for Hashes {
    fn vote(&self, ballot: &Ballot) -> Result<[u8; 65]> {
        Ok(signed(&ACCOUNT, ballot))
    }

    fn voter(&self, ballot: &Ballot, signature: &[u8; 65]) -> Option<[u8; 20]> {
        let account = signature[..20].try_into().ok()?;
        (signed(&account, ballot) == *signature).then_some(account)
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    shared: Shared,
    anchoring: Anchoring,
    tell: Sender<Tell>,
    asked: Receiver<Ask>,
    now: Millis,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut shared, _, now) = alone(folder.path(), None);
        let ((tell, tells), (asks, asked)) = (channel(), channel());
        shared.gchain = Some(Link::new(tells, asks, Box::new(Hashes)));
        shared.hear_gchain().unwrap();
        let Ok(Ask::Watch {
            granted, deposits, ..
        }) = asked.try_recv()
        else {
            panic!("the thread is told what to watch, first of all");
        };
        assert_eq!((granted, deposits), (1_000_000, 0));
        Self {
            _folder: folder,
            shared,
            anchoring: Anchoring::default(),
            tell,
            asked,
            now,
        }
    }

    fn told(&mut self, tell: Tell) {
        self.tell.send(tell).unwrap();
        self.shared.hear_gchain().unwrap();
    }

    fn id(&self) -> Id {
        self.shared
            .neighbourhood
            .as_ref()
            .unwrap()
            .trust
            .neighbourhood
    }

    /// Keeps a settled header; gives its hash.
    fn settle(&self, number: u32, credited: u32) -> Id {
        let header = Header {
            neighbourhood: self.id(),
            number: HeaderNumber(number),
            previous: Id([number as u8; 32]),
            trim: Id([3; 32]),
            cut: Millis(5),
            g0: Id([4; 32]),
            count: 0,
            state_root: Id([5; 32]),
            exits_root: Id([6; 32]),
            table_root: Id([7; 32]),
            members: 1,
            weight: 1,
            set_hash: Id([8; 32]),
            total_value: Amount(1),
            first_time: Millis(0),
            last_time: Millis(0),
        };
        let mut buffer = [0; MAX_HEADER];
        let payload = header_payload(&header, &mut buffer).unwrap();
        let stored = StoredHeader {
            number: header.number,
            cose: crate::epoch::sign(&header, payload, &secret(2)).unwrap(),
            path0: Vec::new(),
            leaves: 1,
            settled: true,
        };
        self.shared.store.put_header(&stored, &[]).unwrap();
        self.shared
            .store
            .put_credited(header.number, credited)
            .unwrap();
        Header::hash(payload)
    }

    fn vote(&mut self, account: &[u8; 20], number: u32, header: Id, credited: u32) {
        let ballot = Ballot {
            chain_id: 1,
            neighbourhood: self.id(),
            number: HeaderNumber(number),
            header,
            credited,
        };
        let vote = signed(account, &ballot);
        self.anchoring
            .on_vote(&self.shared, HeaderNumber(number), credited, 0, &vote)
            .unwrap();
    }

    /// One step; gives what was brought, and how many validators were asked for votes.
    fn step(&mut self) -> (Option<Bring>, usize) {
        self.now = Millis(self.now.0 + 1_000);
        self.shared.out.clear();
        let validators = ["127.0.0.1:9".parse().unwrap()];
        self.anchoring
            .tick(&mut self.shared, &validators, self.now)
            .unwrap();
        let brought = match self.asked.try_recv() {
            Ok(Ask::Bring(what)) => Some(*what),
            _ => None,
        };
        let proposals =
            self.shared.out.iter().filter(|(_, frame)| {
                matches!(Frame::parse(frame), Ok((_, Frame::Proposal { .. })))
            });
        (brought, proposals.count())
    }
}

fn account() -> Tell {
    Tell::Account {
        key: secret(3).public_key().bytes().try_into().unwrap(),
        account: Some(ACCOUNT),
    }
}

#[test]
fn headers_are_brought_in_order_each_with_a_quorum() {
    let mut bench = Bench::new();
    assert_eq!(bench.step(), (None, 0), "nothing is settled");
    let (first, second) = (bench.settle(1, 0), bench.settle(2, 3));
    assert_eq!(bench.step(), (None, 1), "it is asked for its vote");
    bench.vote(&ACCOUNT, 1, first, 0);
    assert_eq!(bench.step(), (None, 1), "whose it is, nobody knows yet");
    bench.told(account());
    bench.vote(&[0xbb; 20], 1, first, 0);
    bench.vote(&ACCOUNT, 1, second, 0);
    bench.vote(&ACCOUNT, 1, first, 3);
    assert_eq!(bench.step(), (None, 1), "another's, and for what is not so");
    bench.vote(&ACCOUNT, 1, first, 0);
    let (brought, asked) = bench.step();
    let brought = brought.expect("a quorum");
    assert_eq!(
        (brought.number, brought.hash, brought.credited),
        (HeaderNumber(1), first, 0)
    );
    assert_eq!((brought.votes.len(), brought.votes[0], asked), (66, 0, 0));
    bench.vote(&ACCOUNT, 2, second, 3);
    let (brought, _) = bench.step();
    assert_eq!(brought.map(|b| (b.hash, b.credited)), Some((second, 3)));
    assert_eq!(bench.step(), (None, 0));
}

#[test]
fn after_a_restart_it_goes_on_behind_what_is_anchored() {
    let mut bench = Bench::new();
    bench.told(account());
    let (first, second) = (bench.settle(1, 0), bench.settle(2, 0));
    bench.vote(&ACCOUNT, 1, first, 0);
    bench.vote(&ACCOUNT, 2, second, 0);
    bench.told(Tell::Anchored {
        number: HeaderNumber(1),
        hash: first,
        block: 40,
        credited: 0,
    });
    bench.anchoring = Anchoring::default();
    let (brought, _) = bench.step();
    assert_eq!(brought.map(|b| b.hash), Some(second));
    // Killed before the contract had it: brought again, and the thread looks before it sends.
    bench.anchoring = Anchoring::default();
    assert_eq!(bench.step().0.map(|b| b.hash), Some(second));
}

#[test]
fn what_the_contract_refuses_is_brought_again_later() {
    let mut bench = Bench::new();
    bench.told(account());
    let first = bench.settle(1, 0);
    bench.vote(&ACCOUNT, 1, first, 0);
    assert!(bench.step().0.is_some());
    bench.told(Tell::Refused {
        number: HeaderNumber(1),
        why: "NotDeposited".to_owned(),
    });
    assert_eq!(bench.step(), (None, 0), "not at once");
    bench.now = Millis(bench.now.0 + 60_000);
    assert!(bench.step().0.is_some());
    assert_eq!(bench.shared.gchain.as_ref().unwrap().troubles, 1);
}

/// Its vote was taken while it had collateral; brought now it would void the header's other votes.
#[test]
fn who_was_slashed_has_no_vote_any_more() {
    let mut bench = Bench::new();
    bench.told(account());
    let first = bench.settle(1, 0);
    bench.vote(&ACCOUNT, 1, first, 0);
    let Tell::Account { key, .. } = account() else {
        unreachable!()
    };
    bench.told(Tell::Account { key, account: None });
    assert_eq!(bench.step(), (None, 1), "short of a quorum");
    bench.told(account());
    assert!(bench.step().0.is_some());
}

#[test]
fn deposits_come_into_the_store_and_are_due() {
    let mut bench = Bench::new();
    let deposit = Deposit {
        device: Id([9; 32]),
        amount: Amount(5),
        from: [1; 20],
    };
    let due =
        |bench: &Bench| crate::epoch::credit_due(&bench.shared.store, HeaderNumber(0)).unwrap();
    assert_eq!(due(&bench), 0);
    bench.told(Tell::Deposits {
        first: 0,
        list: vec![deposit; 300],
    });
    assert_eq!(due(&bench), 256, "the rest waits for the next header");
    assert_eq!(bench.shared.store.deposits(299, 300).unwrap(), [deposit]);
}

#[test]
fn voices_count_once_and_only_where_they_hold() {
    let bench = Bench::new();
    let first = bench.settle(1, 0);
    let mut voices = Voices::default();
    let voice = |of: Id, block: u64| {
        let said = Anchored {
            neighbourhood: bench.id(),
            number: HeaderNumber(1),
            header: of,
            block,
        };
        let key = secret(3).public_key().bytes().try_into().unwrap();
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        Vote {
            index: 0,
            signature: secret(3).sign(said.message(&key, &mut buffer).unwrap()),
        }
    };
    let mut hear = |block, vote: Vote| {
        let number = HeaderNumber(1);
        voices
            .hear(&bench.shared, number, block, [vote].into_iter())
            .unwrap();
        (voices.waiting(), voices.refused())
    };
    assert_eq!(hear(7, voice(Id([9; 32]), 7)), (0, 1), "of another header");
    assert_eq!(hear(8, voice(first, 7)), (0, 2), "of another block");
    assert_eq!(hear(7, voice(first, 7)), (1, 2));
    assert_eq!(hear(7, voice(first, 7)), (1, 2), "said already");
}
