//! Receipts that hold, and every way in which one must not.

use super::*;
use crate::crypto::{SecretKey, Signature, Software};
use crate::identity::sign1::{assemble, protected};
use crate::types::{Amount, HeaderNumber, Id, Millis};
use crate::wire::list::{List, Vote};
use crate::wire::merkle::{self, MAX_PATH, leaf_hash};
use crate::wire::{Reader, Writer};
use proptest::prelude::*;

const NBH: Id = Id([0x11; 32]);

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n.wrapping_add(1); 32]).unwrap()
}

fn raw(secret: &SecretKey) -> [u8; 32] {
    secret.public_key().bytes().try_into().unwrap()
}

fn set_of(term: u32, start: u32, stakes: &[u64]) -> ValidatorSet {
    let one = |(n, stake): (usize, &u64)| Validator {
        key: raw(&secret(term as u8 * 50 + n as u8)),
        stake: *stake,
    };
    let all: Vec<Validator> = stakes.iter().enumerate().map(one).collect();
    ValidatorSet::new(term, HeaderNumber(start), &all).unwrap()
}

fn encoded(write: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 16_384];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    w.written().to_vec()
}

/// One closed epoch with its tree and all keys.
struct Closed {
    header: Header,
    payload: Vec<u8>,
    set: ValidatorSet,
    txs: Vec<Id>,
    leaves: Vec<Id>,
}

impl Closed {
    fn new(set: ValidatorSet, number: u32, count: u32, next: &ValidatorSet, previous: Id) -> Self {
        let header = Header {
            neighbourhood: NBH,
            number: HeaderNumber(number),
            previous,
            trim: Id([2; 32]),
            cut: Millis(1_700_000_000_000 + u64::from(number) * 10_000),
            g0: Id([3; 32]),
            count,
            state_root: Id([4; 32]),
            exits_root: merkle::empty_root(),
            table_root: Id([5; 32]),
            members: 9,
            weight: 9,
            set_hash: next.hash(),
            total_value: Amount(9_000_000),
            first_time: Millis(if count == 0 { 0 } else { 1_699_999_990_001 }),
            last_time: Millis(if count == 0 { 0 } else { 1_699_999_999_999 }),
        };
        let payload = encoded(|w| header.encode(w).unwrap());
        let txs: Vec<Id> = (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let leaves = core::iter::once(leaf_hash(&payload))
            .chain(txs.iter().map(|tx| leaf_hash(&tx.0)))
            .collect();
        Self {
            header,
            payload,
            set,
            txs,
            leaves,
        }
    }

    fn simple(stakes: &[u64], count: u32) -> Self {
        let set = set_of(0, 1, stakes);
        let next = set.clone();
        Self::new(set, 1, count, &next, NBH)
    }

    fn root(&self) -> Id {
        merkle::root(self.leaves.iter().copied()).unwrap()
    }

    fn path(&self, leaf: u32) -> Vec<Id> {
        let mut out = [Id::ZERO; MAX_PATH];
        let size = self.leaves.len() as u32;
        let n = merkle::path(leaf, size, |i| self.leaves[i as usize], &mut out).unwrap();
        out[..n].to_vec()
    }

    fn vote(&self, index: u8) -> Vote {
        self.vote_for(index, &self.root())
    }

    fn vote_for(&self, index: u8, root: &Id) -> Vote {
        let secret = secret(self.set.term() as u8 * 50 + index);
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let number = self.header.number;
        let message = vote_message(&raw(&secret), &NBH, number, root, &mut buffer).unwrap();
        Vote {
            index,
            signature: secret.sign(message),
        }
    }

    fn settled(&self, voters: &[u8]) -> Result<SettledHeader, PospError> {
        let mut verifier = ReceiptVerifier::begin(&self.payload, self.path(0), &self.set, &NBH)?;
        for voter in voters {
            let vote = self.vote(*voter);
            verifier.vote(*voter, &vote.signature, &mut Software)?;
        }
        verifier.finish_header()
    }

    fn check(&self, leaf: u32, votes: &[Vote]) -> Result<Proven, PospError> {
        let (top, path) = (self.path(0), self.path(leaf));
        let receipt = Receipt {
            header: &self.payload,
            header_path: List::of(&top),
            tx: self.txs[leaf as usize - 1],
            leaf,
            path: List::of(&path),
            votes: List::of(votes),
        };
        let bytes = encoded(|w| receipt.encode(w).unwrap());
        let parsed = Receipt::parse(&bytes).unwrap();
        assert_eq!(parsed, receipt);
        for end in 0..bytes.len() {
            assert!(Receipt::parse(&bytes[..end]).is_err());
        }
        let set = encoded(|w| self.set.encode(w).unwrap());
        let view = SetView::parse(&set).unwrap();
        let verdict = parsed.verify(&self.set, &NBH, &mut Software);
        assert_eq!(parsed.verify_with(&view, &NBH, &mut Software), verdict);
        // And the same reason for whatever is wrong with it.
        for at in (0..bytes.len()).step_by(7) {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            let Ok(other) = Receipt::parse(&bent) else {
                continue;
            };
            let whole = other.verify(&self.set, &NBH, &mut Software);
            assert_eq!(other.verify_with(&view, &NBH, &mut Software), whole);
        }
        verdict
    }
}

proptest! {
    #[test]
    fn an_encoded_set_is_judged_as_a_decoded_one(stakes in prop::collection::vec(prop_oneof![Just(0u64), any::<u64>()], 0..4), twice: bool, at: prop::sample::Index, bit in 0u8..8, bend: bool, end: prop::sample::Index, cut: bool) {
        let key = |place: usize| [if twice { 7 } else { place as u8 }; 32];
        let mut bytes = encoded(|w| {
            w.array(3).unwrap();
            w.uint(5).unwrap();
            w.uint(9).unwrap();
            w.array(stakes.len()).unwrap();
            for (place, stake) in stakes.iter().enumerate() {
                w.array(2).unwrap();
                w.bytes(&key(place)).unwrap();
                w.uint(*stake).unwrap();
            }
        });
        if bend {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        prop_assert_eq!(SetView::parse(&bytes).err(), ValidatorSet::decode(&bytes).err());
    }
}

#[test]
fn a_quorum_proves_every_transaction() {
    let epoch = Closed::simple(&[1, 1, 1, 1], 6);
    let votes = [0, 1, 3].map(|n| epoch.vote(n));
    for leaf in 1..=6 {
        let proven = Proven {
            number: HeaderNumber(1),
            tx: epoch.txs[leaf as usize - 1],
        };
        assert_eq!(epoch.check(leaf, &votes), Ok(proven));
    }
}

#[test]
fn one_unit_of_stake_decides() {
    // Of 100: 67 is more than two thirds, 66 is not. Of 99: 66 is exactly two thirds, which is not more.
    assert!(Closed::simple(&[67, 33], 1).settled(&[0]).is_ok());
    assert_eq!(
        Closed::simple(&[66, 34], 1).settled(&[0]),
        Err(PospError::ShortOfQuorum)
    );
    assert_eq!(
        Closed::simple(&[66, 33], 1).settled(&[0]),
        Err(PospError::ShortOfQuorum)
    );
    assert!(Closed::simple(&[67, 33], 1).settled(&[0, 1]).is_ok());
    // Stakes that 64 bits cannot add.
    let rich = [u64::MAX; 4];
    assert_eq!(
        Closed::simple(&rich, 1).settled(&[0, 1]),
        Err(PospError::ShortOfQuorum)
    );
    assert!(Closed::simple(&rich, 1).settled(&[0, 1, 2]).is_ok());
    assert_eq!(
        Closed::simple(&[1], 1).settled(&[]),
        Err(PospError::ShortOfQuorum)
    );
}

#[test]
fn no_validator_counts_twice() {
    let epoch = Closed::simple(&[1, 1, 1, 1], 2);
    let [a, b, c] = [0, 1, 2].map(|n| epoch.vote(n));
    assert_eq!(epoch.check(1, &[a, a, b]), Err(PospError::VoterOrder));
    assert_eq!(epoch.check(1, &[b, a, c]), Err(PospError::VoterOrder));
    let beyond = Vote { index: 4, ..a };
    assert_eq!(
        epoch.check(1, &[a, b, c, beyond]),
        Err(PospError::UnknownValidator)
    );
    let posing = Vote { index: 3, ..a };
    assert!(matches!(
        epoch.check(1, &[a, b, posing]),
        Err(PospError::Vote(_))
    ));
}

#[test]
fn a_vote_that_fails_counts_nothing() {
    let epoch = Closed::simple(&[1, 1, 1, 1], 0);
    let mut verifier = ReceiptVerifier::begin::<Id>(&epoch.payload, [], &epoch.set, &NBH).unwrap();
    for n in [0, 1] {
        let vote = epoch.vote(n);
        verifier.vote(n, &vote.signature, &mut Software).unwrap();
    }
    assert!(!verifier.is_quorum());
    let bad = Signature([0; 64]);
    assert!(verifier.vote(2, &bad, &mut Software).is_err());
    assert!(!verifier.is_quorum());
    let good = epoch.vote(2);
    verifier.vote(2, &good.signature, &mut Software).unwrap();
    assert!(verifier.is_quorum());
    assert_eq!(verifier.finish_header().unwrap().root(), epoch.root());
}

#[test]
fn a_forged_header_has_no_votes() {
    let epoch = Closed::simple(&[1, 1, 1, 1], 3);
    let votes: Vec<Vote> = (0..4).map(|n| epoch.vote(n)).collect();
    let mut forged = epoch.header;
    forged.total_value = Amount(9_000_001);
    let payload = encoded(|w| forged.encode(w).unwrap());
    let mut verifier = ReceiptVerifier::begin(&payload, epoch.path(0), &epoch.set, &NBH).unwrap();
    for vote in &votes {
        assert!(matches!(
            verifier.vote(vote.index, &vote.signature, &mut Software),
            Err(PospError::Vote(_))
        ));
    }
    assert_eq!(verifier.finish_header(), Err(PospError::ShortOfQuorum));
    // Another neighbourhood, number, or a set that begins later.
    assert_eq!(
        ReceiptVerifier::begin(&epoch.payload, epoch.path(0), &epoch.set, &Id([0x12; 32])).err(),
        Some(PospError::Neighbourhood)
    );
    let later = set_of(0, 2, &[1, 1, 1, 1]);
    assert_eq!(
        ReceiptVerifier::begin(&epoch.payload, epoch.path(0), &later, &NBH).err(),
        Some(PospError::WrongSet)
    );
    let other = set_of(1, 1, &[1, 1, 1, 1]);
    let mut wrong = ReceiptVerifier::begin(&epoch.payload, epoch.path(0), &other, &NBH).unwrap();
    assert!(wrong.vote(0, &votes[0].signature, &mut Software).is_err());
}

#[test]
fn paths_prove_one_leaf() {
    let epoch = Closed::simple(&[1, 1, 1, 1], 6);
    let settled = epoch.settled(&[0, 1, 2]).unwrap();
    let path = epoch.path(3);
    assert!(settled.prove(&epoch.txs[2], 3, &path).is_ok());
    assert_eq!(
        settled.prove(&epoch.txs[1], 3, &path),
        Err(PospError::Path(MerkleError::Root))
    );
    assert_eq!(
        settled.prove(&epoch.txs[2], 3, &path[1..]),
        Err(PospError::Path(MerkleError::PathLength))
    );
    assert_eq!(
        settled.prove(&epoch.txs[2], 7, &path),
        Err(PospError::Path(MerkleError::Index))
    );
    assert_eq!(
        settled.prove(&epoch.txs[2], 0, &path),
        Err(PospError::HeaderLeaf)
    );
    // A header path of the wrong length gives no root at all.
    assert_eq!(
        ReceiptVerifier::begin(&epoch.payload, &epoch.path(0)[1..], &epoch.set, &NBH).err(),
        Some(PospError::Path(MerkleError::PathLength))
    );
}

#[test]
fn headers_round_trip_and_refuse() {
    let epoch = Closed::simple(&[1], 3);
    assert_eq!(Header::decode(&epoch.payload), Ok(epoch.header));
    for end in 0..epoch.payload.len() {
        assert!(Header::decode(&epoch.payload[..end]).is_err());
    }
    let mut longer = epoch.payload.clone();
    longer.push(0);
    assert_eq!(
        Header::decode(&longer),
        Err(PospError::Wire(WireError::TrailingBytes))
    );
    let mut version = epoch.payload.clone();
    version[1] = 2;
    assert_eq!(Header::decode(&version), Err(PospError::Version));
    let refuse = |change: &dyn Fn(&mut Header)| {
        let mut h = epoch.header;
        change(&mut h);
        Header::decode(&encoded(|w| h.encode(w).unwrap())).unwrap_err()
    };
    assert_eq!(refuse(&|h| h.number = HeaderNumber(0)), PospError::Header);
    assert_eq!(refuse(&|h| h.count = 0), PospError::Header);
    assert_eq!(refuse(&|h| h.count = u32::MAX), PospError::Header);
    assert_eq!(refuse(&|h| h.last_time = Millis(0)), PospError::Header);
    assert_eq!(refuse(&|h| h.cut = Millis(5)), PospError::Header);
    let widest = Header {
        number: HeaderNumber(u32::MAX),
        cut: Millis(u64::MAX),
        count: u32::MAX - 1,
        members: u32::MAX,
        weight: u64::MAX,
        total_value: Amount(u64::MAX),
        first_time: Millis(u64::MAX),
        last_time: Millis(u64::MAX),
        ..epoch.header
    };
    assert!(encoded(|w| widest.encode(w).unwrap()).len() <= MAX_HEADER);
}

#[test]
fn the_gl_node_signs_for_one_neighbourhood() {
    let epoch = Closed::simple(&[1], 0);
    let gl = secret(200);
    let head = protected(&gl.public_key());
    let mut scratch = [0; 512];
    let message = header_signing_input(&head, &NBH, &epoch.payload, &mut scratch).unwrap();
    let signature = gl.sign(message);
    let mut cose = [0; MAX_HEADER_COSE];
    let len = assemble(&head, &epoch.payload, &signature, &mut cose).unwrap();
    let signed = SignedHeader::parse(&cose[..len]).unwrap();
    assert_eq!(signed.hash(), Header::hash(&epoch.payload));
    let key = gl.public_key();
    assert_eq!(signed.verify(&NBH, &key, &mut Software), Ok(()));
    assert_eq!(
        signed.verify(&Id([0; 32]), &key, &mut Software),
        Err(PospError::Neighbourhood)
    );
    assert!(matches!(
        signed.verify(&NBH, &secret(201).public_key(), &mut Software),
        Err(PospError::Signer(_))
    ));
}

#[test]
fn sets_round_trip_and_refuse() {
    let set = set_of(3, 40, &[5, u64::MAX, 1]);
    let bytes = encoded(|w| set.encode(w).unwrap());
    assert_eq!(ValidatorSet::decode(&bytes), Ok(set.clone()));
    let hash = crate::crypto::sha256(&[b"iotedge/set/1", &bytes]);
    assert_eq!(set.hash(), Id(hash));
    let one = set.validators()[0];
    let new = |all: &[Validator]| ValidatorSet::new(1, HeaderNumber(1), all).err();
    assert_eq!(new(&[]), Some(PospError::Set));
    assert_eq!(new(&[one, one]), Some(PospError::Set));
    assert_eq!(new(&[Validator { stake: 0, ..one }]), Some(PospError::Set));
    let many: Vec<Validator> = (0..=64)
        .map(|n| Validator {
            key: [n; 32],
            stake: u64::MAX,
        })
        .collect();
    assert_eq!(new(&many), Some(PospError::Set));
    let full = ValidatorSet::new(u32::MAX, HeaderNumber(u32::MAX), &many[..64]).unwrap();
    assert!(encoded(|w| full.encode(w).unwrap()).len() <= MAX_SET);
    assert!(full.is_quorum(full.total()) && !full.is_quorum(full.total() / 3 * 2));
}

const U: Millis = Millis(1_000_000);

fn pinned(set: &ValidatorSet) -> SetChain {
    let t0 = Millis(1_700_000_000_000);
    SetChain::pin(NBH, set.clone(), &set.hash(), t0, U).unwrap()
}

#[test]
fn sets_change_only_by_handover() {
    let (first, second) = (set_of(0, 1, &[1, 1, 1]), set_of(1, 3, &[2, 2, 2]));
    let mut chain = pinned(&first);
    let now = Millis(1_700_000_050_000);
    let one = Closed::new(first.clone(), 1, 2, &first, NBH);
    let one = one.settled(&[0, 1, 2]).unwrap();
    chain.advance(&one).unwrap();
    assert_eq!(chain.advance(&one), Err(PospError::NotNewer));
    assert_eq!(chain.hand_over(second.clone()), Err(PospError::NotNewer));
    // Header 2 ends the term.
    let two = Closed::new(first.clone(), 2, 0, &second, one.hash());
    let two = two.settled(&[0, 1, 2]).unwrap();
    chain.advance(&two).unwrap();
    assert_eq!(chain.trusted().next, Some(second.hash()));
    assert!(chain.set(HeaderNumber(2), now).is_ok());
    assert_eq!(
        chain.set(HeaderNumber(3), now),
        Err(PospError::HandoverPending)
    );
    // The old validators cannot go on, nor can a set that the header did not name.
    let stray = Closed::new(first.clone(), 3, 1, &first, two.hash());
    let stray = stray.settled(&[0, 1, 2]).unwrap();
    assert_eq!(chain.advance(&stray), Err(PospError::HandoverPending));
    let false_set = set_of(2, 3, &[2, 2, 2]);
    assert_eq!(chain.hand_over(false_set), Err(PospError::WrongSet));
    chain.hand_over(second.clone()).unwrap();
    assert_eq!(chain.set(HeaderNumber(3), now), Ok(&second));
    assert_eq!(
        chain.set(HeaderNumber(2), now),
        Err(PospError::WrongSet),
        "the old term is over"
    );
    assert_eq!(chain.advance(&stray), Err(PospError::WrongSet));
    let three = Closed::new(second.clone(), 3, 1, &second, two.hash());
    chain.advance(&three.settled(&[0, 1, 2]).unwrap()).unwrap();
}

#[test]
fn settled_headers_that_exclude_each_other_are_a_fork() {
    let set = set_of(0, 1, &[1, 1, 1]);
    let mut chain = pinned(&set);
    let one = Closed::new(set.clone(), 1, 2, &set, NBH);
    chain.advance(&one.settled(&[0, 1, 2]).unwrap()).unwrap();
    let rival = Closed::new(set.clone(), 1, 3, &set, NBH);
    assert_eq!(
        chain.advance(&rival.settled(&[0, 1, 2]).unwrap()),
        Err(PospError::Fork)
    );
    let off = Closed::new(set.clone(), 2, 0, &set, Id([7; 32]));
    assert_eq!(
        chain.advance(&off.settled(&[0, 1, 2]).unwrap()),
        Err(PospError::Fork)
    );
}

#[test]
fn an_old_set_needs_a_checkpoint() {
    let (first, second) = (set_of(0, 1, &[1, 1, 1]), set_of(1, 60, &[2, 2, 2]));
    let mut chain = pinned(&first);
    let t0 = 1_700_000_000_000;
    assert!(chain.set(HeaderNumber(1), Millis(t0 + U.0)).is_ok());
    let late = Millis(t0 + U.0 + 1);
    assert_eq!(chain.set(HeaderNumber(1), late), Err(PospError::Stale));

    let authority = secret(220);
    let checkpoint = Checkpoint {
        neighbourhood: NBH,
        number: HeaderNumber(70),
        header: Id([0x70; 32]),
        set: second.hash(),
        time: late,
    };
    let payload = encoded(|w| checkpoint.encode(w).unwrap());
    let head = protected(&authority.public_key());
    let mut scratch = [0; 256];
    let message = Checkpoint::signing_input(&head, &payload, &mut scratch).unwrap();
    let mut cose = [0; 256];
    let len = assemble(&head, &payload, &authority.sign(message), &mut cose).unwrap();
    let cose = &cose[..len];
    let key = authority.public_key();
    assert_eq!(
        Checkpoint::verify(cose, &key, &mut Software),
        Ok(checkpoint)
    );
    assert!(Checkpoint::verify(cose, &secret(221).public_key(), &mut Software).is_err());

    let stays = |chain: &SetChain| *chain.trusted();
    let before = stays(&chain);
    let wrong = chain.restore(&checkpoint, set_of(2, 60, &[2, 2, 2]));
    assert_eq!(wrong, Err(PospError::WrongSet));
    let elsewhere = Checkpoint {
        neighbourhood: Id::ZERO,
        ..checkpoint
    };
    assert_eq!(
        chain.restore(&elsewhere, second.clone()),
        Err(PospError::Neighbourhood)
    );
    assert_eq!(stays(&chain), before);
    chain.restore(&checkpoint, second.clone()).unwrap();
    assert_eq!(chain.set(HeaderNumber(71), late), Ok(&second));
    let back = Checkpoint {
        number: HeaderNumber(69),
        ..checkpoint
    };
    assert_eq!(
        chain.restore(&back, second.clone()),
        Err(PospError::NotNewer)
    );
    // The next header's cut lies before the checkpoint's time, which is no harm.
    let next = Closed::new(second.clone(), 71, 0, &second, Id([0x70; 32]));
    assert!(next.header.cut < late);
    chain.advance(&next.settled(&[0, 1, 2]).unwrap()).unwrap();
    assert_eq!(chain.trusted().fresh, late);
}

#[test]
fn two_roots_for_one_number_convict() {
    let epoch = Closed::simple(&[1, 1, 1], 2);
    let (honest, other) = (epoch.root(), Id([0xaa; 32]));
    let key = epoch.set.validators()[1].key;
    let votes = [honest, other].map(|root| (root, epoch.vote_for(1, &root).signature));
    let number = HeaderNumber(1);
    let proof = DoubleVote::new(NBH, number, key, votes[0], votes[1]).unwrap();
    assert_eq!(
        proof,
        DoubleVote::new(NBH, number, key, votes[1], votes[0]).unwrap()
    );
    let bytes = encoded(|w| proof.encode(w).unwrap());
    assert_eq!(DoubleVote::decode(&bytes), Ok(proof));
    assert_eq!(proof.verify(&NBH, &epoch.set, &mut Software), Ok(1));
    assert_eq!(
        DoubleVote::new(NBH, number, key, votes[0], votes[0]),
        Err(PospError::NoConflict)
    );
    let two = DoubleVote {
        number: HeaderNumber(2),
        ..proof
    };
    assert!(two.verify(&NBH, &epoch.set, &mut Software).is_err());
    let framed = DoubleVote {
        key: epoch.set.validators()[0].key,
        ..proof
    };
    assert!(framed.verify(&NBH, &epoch.set, &mut Software).is_err());
    let stranger = set_of(4, 1, &[1]);
    assert_eq!(
        proof.verify(&NBH, &stranger, &mut Software),
        Err(PospError::UnknownValidator)
    );
    let unsorted = DoubleVote {
        low: proof.high,
        high: proof.low,
        ..proof
    };
    let bytes = encoded(|w| unsorted.encode(w).unwrap());
    assert_eq!(DoubleVote::decode(&bytes), Err(PospError::NoConflict));
}

#[test]
fn the_protected_header_of_a_vote_is_deterministic_cbor() {
    let key = raw(&secret(0));
    for number in [0, 23, 24, 255, 256, 65_536, u32::MAX] {
        let mut buffer = [0; VOTE_PROTECTED_MAX];
        let bytes = vote_protected(&key, &NBH, HeaderNumber(number), &mut buffer).unwrap();
        let mut r = Reader::new(bytes);
        assert_eq!(r.item().unwrap(), bytes, "maps are checked for key order");
        r.finish().unwrap();
        let root = Id([0xff; 32]);
        let mut message = [0; MAX_VOTE_MESSAGE];
        vote_message(&key, &NBH, HeaderNumber(number), &root, &mut message).unwrap();
    }
}

#[test]
fn an_expanded_vote_signs_the_same_bytes() {
    let epoch = Closed::simple(&[1, 1, 1], 5);
    let path = epoch.path(2);
    let expansion = Expansion {
        set: &epoch.set,
        neighbourhood: NBH,
        number: HeaderNumber(1),
        size: 6,
        leaf: 2,
        path: &path,
    };
    let vote = epoch.vote(1);
    let bytes = encoded(|w| expansion.write_receipt(&vote, w).unwrap());
    assert_eq!(bytes.len(), expansion.receipt_len(1).unwrap());
    let mut r = Reader::new(&bytes);
    assert_eq!(r.item().unwrap().len(), bytes.len());
    let mut r = Reader::new(&bytes);
    assert_eq!(r.tag(), Ok(18));
    r.array_of(4).unwrap();
    let header = r.bytes().unwrap();
    assert_eq!((r.map(), r.uint(), r.map()), (Ok(1), Ok(396), Ok(1)));
    assert_eq!((r.int(), r.array()), (Ok(-1), Ok(1)));
    let proof = r.bytes().unwrap();
    r.null().unwrap();
    let signature = Signature(*r.bytes_of().unwrap());
    r.finish().unwrap();
    let mut p = Reader::new(proof);
    p.array_of(3).unwrap();
    let (size, leaf) = (p.u32().unwrap(), p.u32().unwrap());
    let hashes: Vec<Id> = (0..p.array().unwrap()).map(|_| p.id().unwrap()).collect();
    p.finish().unwrap();
    let root = merkle::root_from_path(&leaf_hash(&epoch.txs[1].0), leaf, size, &hashes).unwrap();
    let mut scratch = [0; 256];
    let message = crate::identity::sign1::to_be_signed(header, &[], &root.0, &mut scratch).unwrap();
    use crate::crypto::Verify;
    let key = secret(1).public_key();
    assert_eq!(Software.verify(&key, message, &signature), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quorum_is_exact(stakes in proptest::collection::vec(1_u64..u64::MAX, 1..8), mask in any::<u8>()) {
        let set = set_of(0, 1, &stakes);
        let mut tally = Tally::new(&set);
        let mut signed = 0_u128;
        for (n, stake) in stakes.iter().enumerate().filter(|(n, _)| mask >> n & 1 == 1) {
            tally.add(n as u8).unwrap();
            signed += u128::from(*stake);
        }
        let total: u128 = stakes.iter().map(|s| u128::from(*s)).sum();
        prop_assert_eq!(tally.is_quorum(), 3 * signed > 2 * total);
    }

    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Header::decode(&bytes).is_err());
        prop_assert!(Receipt::parse(&bytes).is_err());
        prop_assert!(ValidatorSet::decode(&bytes).is_err());
        prop_assert!(DoubleVote::decode(&bytes).is_err());
        prop_assert!(SignedHeader::parse(&bytes).is_err());
        prop_assert!(Checkpoint::decode(&bytes).is_err());
    }
}
