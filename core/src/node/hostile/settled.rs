//! What only a quorum of stake may say: headers, votes, tables and receipts, forged in every part; and the epochs that follow from them.

use super::*;
use crate::identity::Record;
use crate::posp::close::{epoch_path, epoch_root, header_payload};
use crate::posp::{self, Header, vote_message};
use crate::wire::list::{Raw as RawItem, Vote};

/// A neighbourhood whose first epoch is closed; the victim knows nothing of it yet.
struct Closed {
    bench: Bench,
    header: Vec<u8>,
    votes: Vec<Vote>,
    path: Vec<Id>,
}

fn settle(net: &mut Network, number: u64) {
    net.pump(START + number * PERIOD);
    net.traffic(6);
    net.settle(START + number * PERIOD);
    net.traffic(2);
}

impl Closed {
    fn new() -> Self {
        let mut net = Network::started(5);
        net.deaf.push(VICTIM as u16);
        // Its neighbours would pass the header on: it hears beacons of header 0 only, and transactions.
        net.traffic(3);
        net.pump(START + PERIOD);
        net.traffic(6);
        for trial in 0.. {
            assert!(trial < 20);
            let now = Millis(net.now);
            let cut = Millis(START + PERIOD);
            net.node(0)
                .submit(now, &Submission::Trim { cut }, None)
                .unwrap();
            net.traffic(2);
            let certified = net.events[0].iter().find_map(|e| match e {
                Event::TrimCertified { id, .. } => Some(*id),
                _ => None,
            });
            if let Some(trim) = certified {
                net.close(trim);
                break;
            }
        }
        // Nobody hears of it: the frames under way to the members are held back.
        net.wire.retain(|(_, from, _, _)| *from != 99);
        let settled = &net.headers[&1];
        let mut path = [Id::ZERO; 32];
        let n = epoch_path(&settled.payload, &settled.leaves, 0, &mut path).unwrap();
        let (header, votes) = (settled.cose.clone(), settled.votes.clone());
        Self {
            bench: Bench::quiet(net),
            header,
            votes,
            path: path[..n].to_vec(),
        }
    }

    fn header_frame(&self, cose: &[u8], path: &[Id]) -> Vec<u8> {
        let path = List::of(path);
        written(&self.bench.neighbourhood, &Frame::Header { cose, path })
    }

    fn votes_frame(&self, votes: &[Vote]) -> Vec<u8> {
        let header = HeaderNumber(1);
        let votes = List::of(votes);
        written(&self.bench.neighbourhood, &Frame::Votes { header, votes })
    }

    fn open(&mut self) {
        let frame = self.header_frame(&self.header.clone(), &self.path.clone());
        assert_eq!(self.bench.give(&frame), Ok(()));
    }

    /// The true header with one field changed, signed by this key.
    fn changed(&self, change: impl FnOnce(&mut Header), key: u8) -> (Vec<u8>, Vec<u8>) {
        let mut header = Header::decode(&self.bench.net.headers[&1].payload).unwrap();
        change(&mut header);
        let mut buffer = [0; 600];
        let payload = header_payload(&header, &mut buffer).unwrap().to_vec();
        let key = secret(key);
        let protected = crate::identity::sign1::protected(&key.public_key());
        let mut message = [0; 800];
        let message = posp::header_signing_input(
            &protected,
            &self.bench.neighbourhood,
            &payload,
            &mut message,
        )
        .unwrap();
        let signature = key.sign(message);
        let mut cose = [0; 800];
        let len =
            crate::identity::sign1::assemble(&protected, &payload, &signature, &mut cose).unwrap();
        (payload, cose[..len].to_vec())
    }

    fn vote(&self, validator: u8, index: u8, number: u32, root: &Id) -> Vote {
        let key = secret(100 + validator);
        let bytes: [u8; 32] = key.public_key().bytes().try_into().unwrap();
        let mut out = [0; 400];
        let neighbourhood = &self.bench.neighbourhood;
        let message =
            vote_message(&bytes, neighbourhood, HeaderNumber(number), root, &mut out).unwrap();
        Vote {
            index,
            signature: key.sign(message),
        }
    }

    fn root(&self) -> Id {
        let settled = &self.bench.net.headers[&1];
        epoch_root(&settled.payload, &settled.leaves).unwrap()
    }
}

#[test]
fn forged_headers() {
    let mut c = Closed::new();
    let other = |c: &Closed, change: fn(&mut Header), key| c.changed(change, key).1;
    let rows: [(&str, Vec<u8>, Refusal); 6] = [
        (
            "signed by a member",
            other(&c, |_| (), 2),
            Refusal::ForgedHeader,
        ),
        (
            "another neighbourhood",
            other(&c, |h| h.neighbourhood.0[0] ^= 1, 0),
            Refusal::Neighbourhood,
        ),
        (
            "number 0",
            other(&c, |h| h.number.0 = 0, 0),
            Refusal::ForgedHeader,
        ),
        (
            "a bent signature",
            {
                let mut cose = c.header.clone();
                *cose.last_mut().unwrap() ^= 1;
                cose
            },
            Refusal::ForgedHeader,
        ),
        (
            "a bent payload",
            {
                let mut cose = c.header.clone();
                let at = cose.len() - 100;
                cose[at] ^= 1;
                cose
            },
            Refusal::ForgedHeader,
        ),
        ("no CBOR", vec![0xff; 40], Refusal::ForgedHeader),
    ];
    for (name, cose, refusal) in rows {
        let frame = c.header_frame(&cose, &c.path.clone());
        let got = c.bench.give(&frame).unwrap_err();
        // A bent payload may be no CBOR any more, which is told first.
        let form = [
            Refusal::Malformed,
            Refusal::NotDeterministic,
            Refusal::WrongType,
        ];
        assert!(got == refusal || form.contains(&got), "{name}: {got:?}");
        c.bench.refused(name, &frame, got);
    }
    let frame = c.header_frame(&c.header.clone(), &c.path.clone());
    assert_eq!(c.bench.give(&frame), Ok(()));
}

#[test]
fn a_header_with_another_path() {
    let mut c = Closed::new();
    let header = c.header.clone();
    let mut long = c.path.clone();
    long.push(Id([1; 32]));
    let frame = c.header_frame(&header, &long);
    c.bench
        .refused("one hash too many", &frame, Refusal::WrongPath);
    let short = c.path[1..].to_vec();
    let frame = c.header_frame(&header, &short);
    c.bench
        .refused("one hash too few", &frame, Refusal::WrongPath);
    // Of the right length it leads to another root, for which no vote was given.
    let mut bent = c.path.clone();
    bent[0].0[0] ^= 1;
    let frame = c.header_frame(&header, &bent);
    assert_eq!(c.bench.give(&frame), Ok(()));
    let votes = c.votes_frame(&c.votes.clone());
    c.bench
        .refused("true votes, another root", &votes, Refusal::ShortOfQuorum);
    // And it does not keep the true path out.
    c.open();
    assert_eq!(c.bench.give(&votes), Ok(()));
    assert_eq!(c.bench.node().headers.newest(), HeaderNumber(1));
}

#[test]
fn votes_that_are_no_quorum() {
    let mut c = Closed::new();
    let votes = c.votes_frame(&c.votes.clone());
    c.bench
        .refused("before their header", &votes, Refusal::NotForMe);
    c.open();
    let (root, true_votes) = (c.root(), c.votes.clone());
    let before = fingerprint(c.bench.node());
    let of = |c: &Closed, validators: [(u8, u8); 3], number: u32, root: &Id| {
        let votes: Vec<Vote> = validators
            .iter()
            .map(|(v, index)| c.vote(*v, *index, number, root))
            .collect();
        c.votes_frame(&votes)
    };
    let rows = [
        (
            "for another number",
            of(&c, [(0, 0), (1, 1), (2, 2)], 2, &root),
        ),
        (
            "for another root",
            of(&c, [(0, 0), (1, 1), (2, 2)], 1, &Id([9; 32])),
        ),
        (
            "of other validators",
            of(&c, [(10, 0), (11, 1), (12, 2)], 1, &root),
        ),
        (
            "of one validator three times",
            of(&c, [(0, 0), (0, 1), (0, 2)], 1, &root),
        ),
        (
            "two true, one false",
            of(&c, [(0, 0), (1, 1), (3, 2)], 1, &root),
        ),
    ];
    for (name, frame) in &rows {
        c.bench.refused(name, frame, Refusal::ShortOfQuorum);
    }
    // Bytes that no writer of ours makes: indexes twice, falling, beyond the set or beyond any set.
    let tag = c.bench.neighbourhood.tag();
    let raw = |indexes: &[u64]| {
        let body = encoded(|w| {
            w.array(2).unwrap();
            w.uint(1).unwrap();
            w.array(indexes.len()).unwrap();
            for (index, vote) in indexes.iter().zip(true_votes.iter().cycle()) {
                w.array(2).unwrap();
                w.uint(*index).unwrap();
                w.bytes(&vote.signature.0).unwrap();
            }
        });
        [&tag[..], &[7], &body].concat()
    };
    let rows = [
        ("one index twice", raw(&[0, 0, 1])),
        ("falling", raw(&[2, 1, 0])),
        ("index 64", raw(&[0, 1, 64])),
        ("none", raw(&[])),
        ("seventeen", raw(&(0..17).collect::<Vec<_>>())),
    ];
    for (name, frame) in &rows {
        c.bench.refused(name, frame, Refusal::Malformed);
    }
    let beyond = raw(&[0, 1, 9]);
    assert_eq!(c.bench.node().headers.newest(), HeaderNumber(0));
    // Two of four with equal stake are 50 of 100: nothing is settled, and nothing was.
    let two = c.votes_frame(&true_votes[..2]);
    assert_eq!(c.bench.give(&two), Ok(()));
    let _ = c.bench.give(&beyond);
    assert_eq!(differences(&before, &fingerprint(c.bench.node())), [""; 0]);
    // With the third it is.
    let all = c.votes_frame(&true_votes);
    assert_eq!(c.bench.give(&all), Ok(()));
    assert_eq!(c.bench.node().headers.newest(), HeaderNumber(1));
}

/// Whoever is first to name an index must not take the place of the validator's own vote.
#[test]
fn false_votes_do_not_keep_true_ones_out() {
    let mut c = Closed::new();
    c.open();
    let root = Id([7; 32]);
    let false_votes: Vec<Vote> = (0..2).map(|v| c.vote(v, v, 1, &root)).collect();
    let frame = c.votes_frame(&false_votes);
    let _ = c.bench.give(&frame);
    let all = c.votes_frame(&c.votes.clone());
    assert_eq!(c.bench.give(&all), Ok(()));
    assert_eq!(c.bench.node().headers.newest(), HeaderNumber(1));
}

#[test]
fn forged_table_records() {
    let mut c = Closed::new();
    c.open();
    let all = c.votes_frame(&c.votes.clone());
    assert_eq!(c.bench.give(&all), Ok(()));
    let records = c.bench.net.headers[&1].records.clone();
    let neighbourhood = c.bench.neighbourhood;
    let table = |epoch: u32, first: u16, records: &[Record]| {
        let chunk: Vec<Vec<u8>> = records
            .iter()
            .map(|r| encoded(|w| r.encode(w).unwrap()))
            .collect();
        let raw: Vec<RawItem<'_>> = chunk.iter().map(|c| RawItem(c)).collect();
        let frame = Frame::Table {
            epoch: Epoch(epoch),
            first: MemberIndex(first),
            records: List::of(&raw),
        };
        written(&neighbourhood, &frame)
    };
    let before = fingerprint(c.bench.node());
    let mut richer = records.clone();
    richer[2].credits = Amount(richer[2].credits.0 + 1);
    let frame = table(2, 0, &richer);
    c.bench
        .refused("one more micro-token", &frame, Refusal::ForgedTable);
    let mut heavier = records.clone();
    heavier[2].weight.0 += 1;
    let frame = table(2, 0, &heavier);
    c.bench.refused("more weight", &frame, Refusal::ForgedTable);
    let mut other = records.clone();
    other[2].key = secret(66).public_key();
    let frame = table(2, 0, &other);
    c.bench.refused("another key", &frame, Refusal::ForgedTable);
    let body = encoded(|w| {
        w.array(3).unwrap();
        w.uint(2).unwrap();
        w.uint(0).unwrap();
        w.array(1).unwrap();
        w.array(2).unwrap();
        w.uint(0).unwrap();
        w.uint(0).unwrap();
    });
    let frame = [&neighbourhood.tag()[..], &[0x0c], &body].concat();
    c.bench.refused("no record", &frame, Refusal::ForgedTable);
    // What nobody asked for is passed over.
    for frame in [
        table(1, 0, &records),
        table(3, 0, &records),
        table(2, 1, &records[1..]),
    ] {
        assert_eq!(c.bench.give(&frame), Ok(()));
    }
    assert_eq!(differences(&before, &fingerprint(c.bench.node())), [""; 0]);
    let frame = table(2, 0, &records);
    assert_eq!(c.bench.give(&frame), Ok(()));
    assert_eq!(c.bench.node().tables.newest(), Epoch(2));
}

#[test]
fn receipts_with_another_path_size_or_place() {
    let mut net = Network::started(5);
    net.traffic(3);
    settle(&mut net, 1);
    let mut bench = Bench::quiet(net);
    // One of its own that is settled and whose receipt it has is asked anew.
    let settled = &bench.net.headers[&1];
    let at = settled
        .leaves
        .iter()
        .position(|id| {
            bench.net.nodes[VICTIM]
                .as_ref()
                .unwrap()
                .own
                .get(id)
                .is_some()
        })
        .unwrap();
    let id = settled.leaves[at];
    let size = settled.leaves.len() as u32 + 1;
    let mut buffer = [Id::ZERO; 32];
    let n = epoch_path(
        &settled.payload,
        &settled.leaves,
        at as u32 + 1,
        &mut buffer,
    )
    .unwrap();
    let path = buffer[..n].to_vec();
    let followed = bench.node().own.get_mut(&id).unwrap();
    (followed.grade, followed.header) = (Grade::Quorum, HeaderNumber(0));
    followed.proof_due = Millis(u64::MAX);
    let neighbourhood = bench.neighbourhood;
    let proof = |number: u32, id: Id, leaf: u32, size: u32, path: &[Id]| {
        let frame = Frame::Proof {
            header: HeaderNumber(number),
            id,
            leaf,
            size,
            path: List::of(path),
        };
        written(&neighbourhood, &frame)
    };
    let leaf = at as u32 + 1;
    let mut bent = path.clone();
    bent[0].0[5] ^= 1;
    let rows = [
        ("a bent path", proof(1, id, leaf, size, &bent)),
        ("a short path", proof(1, id, leaf, size, &path[1..])),
        ("another leaf", proof(1, id, leaf ^ 1, size, &path)),
        ("the header's leaf", proof(1, id, 0, size, &path)),
        ("a leaf beyond the tree", proof(1, id, size, size, &path)),
        ("another size", proof(1, id, leaf, size + 1, &path)),
        ("size 0", proof(1, id, leaf, 0, &path)),
    ];
    for (name, frame) in &rows {
        bench.refused(name, frame, Refusal::WrongPath);
    }
    let stranger = proof(1, Id([3; 32]), leaf, size, &path);
    bench.refused("somebody else's", &stranger, Refusal::NotForMe);
    let unknown = proof(9, id, leaf, size, &path);
    bench.refused("a header that is not here", &unknown, Refusal::Busy);
    bench.events();
    assert_eq!(bench.give(&proof(1, id, leaf, size, &path)), Ok(()));
    let graded = bench.events();
    assert!(graded.iter().any(|e| matches!(e, Event::Receipt { .. })));
    assert_eq!(bench.node().grade(&id), Some(Grade::Settled));
    // A grade never goes back, whoever says so again.
    let now = Millis(bench.net.now);
    for grade in [Grade::Seen, Grade::Witnessed, Grade::Quorum, Grade::Dead] {
        bench.node().raise(now, &id, grade);
        assert_eq!(bench.node().grade(&id), Some(Grade::Settled));
    }
    assert_eq!(bench.events(), []);
}

#[test]
fn validator_sets_that_nobody_handed_over_to() {
    let mut bench = Bench::new();
    let neighbourhood = bench.neighbourhood;
    let set = |term: u32, seed: u8| {
        let validators: Vec<posp::Validator> = (0..4)
            .map(|n| posp::Validator {
                key: secret(seed + n).public_key().bytes().try_into().unwrap(),
                stake: 1,
            })
            .collect();
        let set = posp::ValidatorSet::new(term, HeaderNumber(1), &validators).unwrap();
        let bytes = encoded(|w| set.encode(w).unwrap());
        written(&neighbourhood, &Frame::Set(&bytes))
    };
    let got = bench.give(&set(2, 60)).unwrap_err();
    bench.refused("another set, next term", &set(2, 60), got);
    bench.refused("the set in office again", &set(1, 100), got);
    assert!(
        matches!(got, Refusal::WrongValidatorSet | Refusal::ForgedHeader),
        "{got:?}"
    );
}

/// Three tables are held; of older epochs only the clock is known, and then not even that.
#[test]
fn epochs_that_are_over_and_epochs_to_come() {
    let mut net = Network::started(5);
    net.traffic(2);
    for number in 1..=3 {
        settle(&mut net, number);
    }
    let mut bench = Bench::quiet(net);
    let state = bench.net.explain();
    assert_eq!(bench.node().tables.newest(), Epoch(4), "{state}");
    let honest = bench.next(3);
    // Header 3 is settled, and no trim has named it yet.
    assert_eq!(honest.epoch, 3);
    let mut shape = honest.clone();
    shape.epoch = 1;
    shape.began = START;
    let first = shape.clone().frame();
    bench.refused("the first epoch on 3", &first, Refusal::EpochMismatch);
    let clocks = core::mem::take(&mut bench.node().tables.clocks);
    bench.refused("an epoch long over", &first, Refusal::EpochVoid);
    bench.node().tables.clocks = clocks;
    for epoch in [2, 4] {
        let mut shape = honest.clone();
        shape.epoch = epoch;
        shape.began = bench
            .node()
            .tables
            .clock_start(Epoch(epoch as u32))
            .unwrap()
            .0;
        let name = format!("epoch {epoch} on epoch 3");
        bench.refused(&name, &shape.frame(), Refusal::EpochMismatch);
    }
    for epoch in [5, u64::from(u32::MAX)] {
        let mut shape = honest.clone();
        shape.epoch = epoch;
        bench.set_aside("an epoch to come", &shape.frame(), Refusal::Busy);
    }
    bench.taken("this epoch", &honest);
}

#[test]
fn void_trims() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.pump(START + PERIOD);
    net.traffic(3);
    let mut bench = Bench::quiet(net);
    let genesis = bench.neighbourhood;
    let tips: Vec<Id> = [1, 2, 3, 4].iter().map(|m| bench.head(*m).id).collect();
    bench.net.now += 10;
    let honest = bench.next(0).tips(&tips);
    let now = honest.time;
    let old = START + 500;
    let rows: [(&str, Shape, Refusal); 7] = [
        (
            "no fresh quorum in its cone",
            honest.clone().trim(now - 100, genesis, 0, genesis),
            Refusal::VoidTrim,
        ),
        (
            "only itself in its cone",
            honest
                .clone()
                .tips(&[])
                .trim(now - PERIOD / 2 - 1, genesis, 0, genesis),
            Refusal::VoidTrim,
        ),
        (
            "a cut at its own time",
            honest.clone().trim(now, genesis, 0, genesis),
            Refusal::VoidTrim,
        ),
        (
            "a cut before the genesis",
            honest.clone().trim(START, genesis, 0, genesis),
            Refusal::VoidTrim,
        ),
        (
            "no such predecessor",
            honest.clone().trim(old, Id([5; 32]), 0, genesis),
            Refusal::VoidTrim,
        ),
        (
            "by another member",
            {
                let mut shape = bench.next(3).trim(old, genesis, 0, genesis);
                shape.time = now;
                shape
            },
            Refusal::NotGlNode,
        ),
        (
            "a time without bound",
            honest.clone().trim(u64::MAX, genesis, 0, genesis),
            Refusal::VoidTrim,
        ),
    ];
    for (name, shape, refusal) in &rows {
        bench.refused(name, &shape.frame(), *refusal);
    }
    let unknown = honest.clone().trim(old, genesis, 7, genesis);
    bench.set_aside("a header to come", &unknown.frame(), Refusal::Busy);
    let good = honest.trim(old, genesis, 0, genesis);
    bench.taken("a true one", &good);
}

/// Found by the model: header 0 in the second trim and 2 in the third would make what was issued in between two epochs old.
#[test]
fn a_trim_names_the_header_of_its_predecessor() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.pump(START + 3 * PERIOD / 2);
    net.traffic(2);
    assert_eq!(net.settle(START + PERIOD), HeaderNumber(1));
    net.traffic(3);
    net.pump(START + 5 * PERIOD / 2);
    net.traffic(3);
    let mut bench = Bench::quiet(net);
    let genesis = bench.neighbourhood;
    let first = bench.node().tables.settled_trim(HeaderNumber(1)).unwrap();
    let hash = bench.node().headers().hash();
    let tips: Vec<Id> = [1, 2, 3, 4].iter().map(|m| bench.head(*m).id).collect();
    bench.net.now += 10;
    let cut = START + 2 * PERIOD - 100;
    let trim = bench.next(0).tips(&tips);
    let old = trim.clone().trim(cut, first.trim, 0, genesis);
    bench.refused("the header before", &old.frame(), Refusal::VoidTrim);
    bench.taken("its own", &trim.trim(cut, first.trim, 1, hash));
}

#[test]
fn two_trims_with_one_predecessor() {
    let mut net = Network::started(5);
    net.traffic(3);
    net.pump(START + PERIOD);
    net.traffic(3);
    let mut bench = Bench::quiet(net);
    let genesis = bench.neighbourhood;
    let tips: Vec<Id> = [1, 2, 3, 4].iter().map(|m| bench.head(*m).id).collect();
    bench.net.now += 10;
    let one = bench
        .next(0)
        .tips(&tips)
        .trim(START + 500, genesis, 0, genesis);
    bench.taken("one", &one);
    bench.events();
    // Even on one chain they are rivals: told, and never both certified.
    bench.net.now += 10;
    let mut other = bench
        .next(0)
        .tips(&tips)
        .trim(START + 600, genesis, 0, genesis);
    other.time = bench.net.now;
    bench.taken("other", &other);
    let told = bench
        .events()
        .iter()
        .any(|e| matches!(e, Event::Equivocation { offender, .. } if offender.0 == 0));
    assert!(told);
}
