//! Hostile input against a running node, by name: one test or one table row per way of being wrong.
//!
//! Invariant held by [`Bench::refused`]: the refusal is exactly the one that is due, its counter and no other rose by one, and what the
//! node believes, holds, follows and has stored is as it was ([`fingerprint`]).

mod clock;
mod conflict;
mod flash;
mod flood;
mod form;
mod lifecycle;
mod parents;
mod power;
mod settled;
mod signature;
mod signer;
mod value;

use super::harness::*;
use super::*;
use crate::crypto::{Signature, Suite, sha256};
use crate::tangle::{self, Tables as _};
use crate::tx;
use crate::wire::list::List;
use crate::wire::{Frame, Writer};
use crate::{Epoch, MAX_FRAME, MemberIndex};
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

/// The node under attack.
const VICTIM: usize = 1;
/// The neighbour that sends what is hostile; a member too.
const SENDER: Peer = Peer(2);

type Print = BTreeMap<&'static str, String>;

fn digest<T: core::fmt::Debug>(value: &T) -> String {
    format!("{:02x?}", &sha256(&[format!("{value:?}").as_bytes()])[..8])
}

/// What a node believes, holds, follows and has stored. Not in it: counters, buckets, when a neighbour was heard, what was asked for.
fn fingerprint(node: &TestNode) -> Print {
    let (tangle, tables) = (node.tangle(), node.tables());
    let mut window: Vec<Id> = tangle
        .since(tangle.oldest_sequence())
        .map(|(_, facts)| facts.id)
        .collect();
    window.sort_unstable();
    let mut tips: Vec<Id> = tangle.tips().collect();
    tips.sort_unstable();
    let members: Vec<_> = (0..16u16)
        .map(MemberIndex)
        .map(|m| {
            let marks = (tangle.frozen(m), tangle.forked(m));
            (tangle.head(tables, m), tangle.highest(m), marks)
        })
        .collect();
    let headers = node.headers();
    let epochs: Vec<_> = (1..=tables.newest().0 + 1)
        .map(|e| (tables.opening(Epoch(e)), digest(&tables.records(Epoch(e)))))
        .collect();
    let own: Vec<_> = node
        .own
        .iter()
        .map(|f| (f.id, f.number, f.grade, f.header, f.amount))
        .collect();
    let trusted = headers.chain().map(SetChain::trusted);
    BTreeMap::from([
        ("window", format!("{} {}", window.len(), digest(&window))),
        ("tips", digest(&tips)),
        ("members", format!("{members:?}")),
        (
            "header",
            format!(
                "{:?} {} {} {:?}",
                headers.newest(),
                headers.hash(),
                headers.g0(),
                headers.cut()
            ),
        ),
        ("trusted", format!("{trusted:?}")),
        ("tables", format!("{epochs:?}")),
        ("own", format!("{} {}", own.len(), digest(&own))),
        ("highest", format!("{:?}", node.own.highest())),
        (
            "outbox",
            format!("{} {}", node.outbox.len(), node.outbox.next_ticket()),
        ),
        ("phase", format!("{:?} {:?}", node.phase, node.index)),
        ("clock", format!("{:?}", node.offset)),
        ("genesis", format!("{:?}", node.neighbourhood)),
        (
            "pending",
            format!("{} {}", node.job.is_some(), node.evidence.len()),
        ),
        ("store", digest(&node.platform.store)),
        ("aside", format!("{}", node.aside.len())),
    ])
}

/// What differs, by name.
fn differences(before: &Print, after: &Print) -> Vec<&'static str> {
    before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(*value))
        .map(|(name, _)| *name)
        .collect()
}

/// A transaction field by field, so that every one of them can be wrong.
#[derive(Clone, Debug)]
struct Shape {
    version: u64,
    epoch: u64,
    issuer: u64,
    number: u64,
    /// Absolute; epoch 1 began at `START` unless `began` says otherwise.
    time: u64,
    began: u64,
    parents: Vec<Id>,
    kind: u64,
    body: Vec<u8>,
    /// Seed of the key that signs.
    key: u8,
    neighbourhood: Id,
}

fn encoded(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = [0; 2 * MAX_FRAME];
    let mut w = Writer::new(&mut buffer);
    write(&mut w);
    w.written().to_vec()
}

impl Shape {
    fn data(mut self, bytes: &[u8]) -> Self {
        self.kind = 0;
        self.body = encoded(|w| w.bytes(bytes).unwrap());
        self
    }

    fn transfer(mut self, to: u64, amount: u64, debits: u64) -> Self {
        self.kind = 1;
        self.body = encoded(|w| {
            w.array(3).unwrap();
            for field in [to, amount, debits] {
                w.uint(field).unwrap();
            }
        });
        self
    }

    fn trim(mut self, cut: u64, previous: Id, header: u64, header_hash: Id) -> Self {
        self.kind = 7;
        self.body = encoded(|w| {
            w.array(4).unwrap();
            w.uint(cut).unwrap();
            w.id(&previous).unwrap();
            w.uint(header).unwrap();
            w.id(&header_hash).unwrap();
        });
        self
    }

    /// Sorts the parents after the first, as the honest do.
    fn tips(mut self, tips: &[Id]) -> Self {
        self.parents.truncate(1);
        self.parents.extend_from_slice(tips);
        self.parents[1..].sort_unstable();
        self
    }

    fn payload(&self) -> Vec<u8> {
        encoded(|w| {
            w.array(8).unwrap();
            let offset = self.time.wrapping_sub(self.began);
            for field in [self.version, self.epoch, self.issuer, self.number, offset] {
                w.uint(field).unwrap();
            }
            w.bytes_head(16 * self.parents.len()).unwrap();
            for parent in &self.parents {
                w.raw(&parent.0[..16]).unwrap();
            }
            w.uint(self.kind).unwrap();
            w.raw(&self.body).unwrap();
        })
    }

    fn message(&self) -> Vec<u8> {
        message(&self.neighbourhood, &self.payload(), &self.parents)
    }

    fn signature(&self) -> Signature {
        secret(self.key).sign(&self.message())
    }

    fn id(&self) -> Id {
        tx::Payload::id_of(&self.neighbourhood, &self.payload())
    }

    fn cose(&self) -> Vec<u8> {
        cose(&self.payload(), &self.signature().0)
    }

    fn frame(&self) -> Vec<u8> {
        tx_frame(&self.neighbourhood, &self.cose())
    }
}

fn message(neighbourhood: &Id, payload: &[u8], parents: &[Id]) -> Vec<u8> {
    let hash = tx::payload::parents_hash(parents);
    let mut out = [0; 4 * MAX_FRAME];
    let longest = &payload[..payload.len().min(crate::MAX_PAYLOAD)];
    tx::signing_input(neighbourhood, Suite::Ed25519, longest, &hash, &mut out)
        .unwrap()
        .to_vec()
}

/// A COSE_Sign1 around any payload and anything that stands where the signature belongs.
fn cose(payload: &[u8], signature: &[u8]) -> Vec<u8> {
    encoded(|w| {
        w.array(4).unwrap();
        w.bytes(&[0xa1, 0x01, 0x27]).unwrap();
        w.map(0).unwrap();
        w.bytes(payload).unwrap();
        w.bytes(signature).unwrap();
    })
}

fn tx_frame(neighbourhood: &Id, cose: &[u8]) -> Vec<u8> {
    let mut frame = neighbourhood.tag().to_vec();
    frame.push(1);
    frame.extend_from_slice(cose);
    frame
}

/// A frame as bytes.
fn written(neighbourhood: &Id, frame: &Frame<'_>) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    let len = frame.write(neighbourhood.tag(), &mut out).unwrap();
    out[..len].to_vec()
}

fn refusals(node: &TestNode) -> Vec<(Refusal, u32)> {
    Refusal::ALL
        .iter()
        .map(|r| (*r, node.counters().refused(*r)))
        .collect()
}

/// A neighbourhood that has been trading for a while, and a member in it that turns on its neighbours.
struct Bench {
    net: Network,
    neighbourhood: Id,
}

impl Bench {
    fn new() -> Self {
        let mut net = Network::started(5);
        net.traffic(2);
        Self::quiet(net)
    }

    /// Nothing is under way and nothing is due but beacons.
    fn quiet(mut net: Network) -> Self {
        let calm = net.now + 900;
        net.pump(calm);
        net.events.iter_mut().for_each(Vec::clear);
        let neighbourhood = net.node(VICTIM).neighbourhood;
        Self { net, neighbourhood }
    }

    fn node(&mut self) -> &mut TestNode {
        self.net.node(VICTIM)
    }

    fn head(&mut self, member: u16) -> tangle::Head {
        let node = self.node();
        node.tangle.head(&node.tables, MemberIndex(member)).unwrap()
    }

    /// What this member would honestly issue next, without tips.
    fn next(&mut self, member: u16) -> Shape {
        let head = self.head(member);
        let (now, neighbourhood) = (self.net.now, self.neighbourhood);
        let node = self.node();
        let epoch = node.tangle.head_hands_on(MemberIndex(member));
        let epoch = epoch.unwrap_or(Epoch(1));
        let after = node.tangle.head_time(MemberIndex(member));
        let began = node.tables.clock_start(epoch).unwrap().0;
        Shape {
            version: 1,
            epoch: epoch.0.into(),
            issuer: member.into(),
            number: u64::from(head.number.0) + 1,
            time: now.max(after.map_or(0, |t| t.0 + 1)),
            began,
            parents: vec![head.id],
            kind: 0,
            body: Vec::new(),
            key: member as u8,
            neighbourhood,
        }
        .data(b"honest")
    }

    fn give(&mut self, frame: &[u8]) -> Result<(), Refusal> {
        let now = Millis(self.net.now);
        self.node().receive(now, SENDER, frame)
    }

    fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.node().next_event()).collect()
    }

    /// The refusal, its counter, and a state that is as it was but for what `but` names.
    #[track_caller]
    fn refused_but(&mut self, name: &str, frame: &[u8], refusal: Refusal, but: &[&'static str]) {
        let before = fingerprint(self.node());
        let counted = refusals(self.node());
        assert_eq!(self.give(frame), Err(refusal), "{name}");
        for (reason, count) in counted {
            let rise = self.node().counters().refused(reason) - count;
            assert_eq!(rise, u32::from(reason == refusal), "{name}: {reason:?}");
        }
        let after = fingerprint(self.node());
        assert_eq!(differences(&before, &after), but, "{name}");
    }

    #[track_caller]
    fn refused(&mut self, name: &str, frame: &[u8], refusal: Refusal) {
        self.refused_but(name, frame, refusal, &[]);
    }

    /// Refused for now, kept and asked for.
    #[track_caller]
    fn set_aside(&mut self, name: &str, frame: &[u8], refusal: Refusal) {
        self.refused_but(name, frame, refusal, &["aside"]);
    }

    #[track_caller]
    fn taken(&mut self, name: &str, shape: &Shape) {
        assert_eq!(self.give(&shape.frame()), Ok(()), "{name}");
        assert!(self.node().tangle.contains(&shape.id()), "{name}");
    }
}

/// The table is worth something only where the untouched transaction passes.
#[test]
fn what_nobody_touched_is_taken() {
    let mut bench = Bench::new();
    let tip = bench.node().tangle.tips().next().unwrap();
    let honest = bench.next(3).tips(&[tip]);
    bench.taken("data", &honest);
    let debits = bench.head(2).debits.0;
    let transfer = bench.next(2).transfer(4, 7, debits + 7);
    bench.taken("transfer", &transfer);
}
