//! The gateway's side against a chain that the test plays.

use super::*;
use crate::closer::tests::{alone, secret};
use crate::store::{StoredHeader, StoredTx};
use iotedge_core::crypto::sha256;
use iotedge_core::ledger::deposit_id;
use iotedge_core::posp::{Anchored, Header, MAX_HEADER, MAX_VOTE_MESSAGE, close::header_payload};
use iotedge_core::tx::{Body, Parents, Payload, sign_with};
use iotedge_core::wire::{Frame, Vote, merkle};
use iotedge_core::{Amount, MemberIndex, Number};
use iotedge_gchain::B256;
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

/// What a member signed, with the table that its epoch was opened with: whoever demands that the exit be shown gets just that, and only for an exit of the settled header.
#[test]
fn a_disputed_exit_is_shown_if_it_is_one() {
    let mut bench = Bench::new();
    let id = bench.id();
    let (amount, target) = (Amount(7), [0xcc; 20]);
    let parents = Parents::new(id, &[]).unwrap();
    let payload = Payload {
        epoch: Epoch(1),
        issuer: MemberIndex(1),
        number: Number(1),
        offset: 5,
        parents: parents.prefixes().unwrap(),
        body: Body::Exit {
            amount,
            debits: amount,
            target,
        },
    };
    let (mut bytes, mut cose) = ([0; 480], [0; 600]);
    let payload = payload.encode(&mut bytes).unwrap();
    let signed = sign_with(&secret(50), &id, payload, &parents, &mut cose).unwrap();
    let tx = StoredTx {
        id: signed.id(),
        epoch: Epoch(1),
        issuer: MemberIndex(1),
        number: 1,
        raw: [signed.cose(), &[0x80]].concat(),
        parents: parents.as_slice().to_vec(),
    };
    bench.shared.store.put_tx(&tx).unwrap();
    let records: [&[u8]; 3] = [b"one", b"two", b"three"];
    bench.shared.store.put_table(Epoch(1), records).unwrap();
    bench.settle(1, 0);
    let stored = bench.shared.store.header(HeaderNumber(1)).unwrap().unwrap();
    bench.shared.store.put_header(&stored, &[tx.id]).unwrap();
    bench.shared.store.put_credited(HeaderNumber(1), 2).unwrap();

    let disputed = |of: Id| Disputed {
        neighbourhood: B256::from(id.0),
        number: 1,
        target: target.into(),
        amount: 7,
        tx: B256::from(of.0),
        until: 9,
        left: 5,
    };
    let mut asked = |of: Id| {
        bench.told(Tell::Disputed(disputed(of)));
        match bench.asked.try_recv() {
            Ok(Ask::Show(what)) => Some(*what),
            _ => None,
        }
    };
    let Some((
        what,
        Shown::Signed {
            cose,
            parents: hash,
            opener,
            record,
            path,
        },
    )) = asked(tx.id)
    else {
        panic!("a member signed it");
    };
    assert_eq!(what, disputed(tx.id));
    assert_eq!(cose, signed.cose());
    assert_eq!(hash.0, parents.hash().0);
    assert_eq!(record, b"two");
    let leaves = records.map(merkle::leaf_hash);
    let path: Vec<Id> = path.iter().map(|id| Id(id.0)).collect();
    assert_eq!(
        merkle::root_from_path(&leaves[1], 1, 3, &path).unwrap(),
        merkle::root(leaves).unwrap()
    );
    let given_back = deposit_id(&id, 1);
    assert_eq!(
        asked(given_back).map(|(_, shown)| shown),
        Some(Shown::Deposit(1))
    );
    assert_eq!(
        asked(deposit_id(&id, 2)),
        None,
        "credited with no header yet"
    );
    assert_eq!(asked(Id([9; 32])), None, "nobody signed it");
    let genesis = &bench.shared.neighbourhood.as_ref().unwrap().genesis;
    assert_eq!(opener, payload_of_genesis(genesis).unwrap());
    assert_eq!(bench.shared.gchain.as_ref().unwrap().troubles, 2);
}

/// What can still be disputed is kept, however few epochs the configuration keeps.
#[test]
fn epochs_are_kept_while_a_dispute_can_need_them() {
    let mut bench = Bench::new();
    let kept = |bench: &Bench, after: u64| {
        let clock = bench.shared.clock;
        let now = Millis(clock.absolute(clock.now()).0 + after * 1_000);
        bench.shared.disputable(now).unwrap()
    };
    assert_eq!(
        kept(&bench, 0),
        Some(Epoch(0)),
        "the contract has not told how long that is"
    );
    bench.told(Tell::Terms {
        window: 100,
        answer: 50,
    });
    for number in 1..=5 {
        let hash = bench.settle(number, 0);
        bench.told(Tell::Anchored {
            number: HeaderNumber(number),
            hash,
            block: 40,
            credited: 0,
        });
    }
    assert_eq!(kept(&bench, 140), Some(Epoch(0)));
    assert_eq!(
        kept(&bench, 160),
        Some(Epoch(4)),
        "header 6 settles epochs 4 and 5"
    );
    bench.told(Tell::Terms {
        window: 0,
        answer: 50,
    });
    assert_eq!(kept(&bench, 0), None, "nothing can be disputed");
    bench.shared.gchain = None;
    assert_eq!(kept(&bench, 0), None);
}
