//! For the link's tests: a context in maps, frames of every kind, links over leaked memory, a seeded radio.

use super::*;
use crate::crypto::{Signature, Suite};
use crate::tx::{Attachment, Body, MAX_COSE, Payload, Prefixes, Stub, assemble};
use crate::wire::Frame;
use crate::wire::list::List;
use crate::{Epoch, HeaderNumber, Id, MAX_PAYLOAD, MemberIndex, Number, Prefix};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const NBH: Id = Id([0x11; 32]);

/// splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn id(&mut self) -> Id {
        Id(self.bytes(32).try_into().unwrap())
    }
}

/// What one end holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub tag: [u8; 4],
    pub chains: BTreeMap<u16, Vec<Id>>,
    pub seen: BTreeMap<Id, Seen>,
    pub bodies: BTreeMap<Id, Vec<u8>>,
    pub clocks: BTreeMap<u32, u64>,
    pub header: u32,
    pub unknown: BTreeSet<Id>,
}

impl Book {
    /// Members with chains of some transactions, in an epoch of their own.
    pub(crate) fn drawn(rng: &mut Rng, members: &[u16]) -> Self {
        let mut book = Self {
            tag: NBH.tag(),
            header: 1 + rng.below(1000) as u32,
            ..Self::default()
        };
        for back in 0..3 {
            let epoch = book.header + 1 - back.min(book.header);
            book.clocks
                .insert(epoch, 1_700_000_000_000 + u64::from(epoch) * 600_000);
        }
        for member in members {
            let g0 = rng.id();
            book.chains.insert(*member, vec![g0]);
            for _ in 0..1 + rng.below(5) {
                let time = book.clocks[&(book.header + 1)] + 1 + rng.below(500_000);
                let id = rng.id();
                let len = 3 + rng.below(20) as usize;
                let body = rng.bytes(len);
                book.add(*member, id, book.header + 1, time, &body);
            }
        }
        book
    }

    pub(crate) fn add(&mut self, member: u16, id: Id, epoch: u32, time: u64, body: &[u8]) {
        let chain = self.chains.get_mut(&member).unwrap();
        let number = Number(chain.len() as u32);
        chain.push(id);
        let (issuer, epoch, time) = (MemberIndex(member), Epoch(epoch), Millis(time));
        let seen = Seen {
            issuer,
            number,
            epoch,
            time,
        };
        self.seen.insert(id, seen);
        self.bodies.insert(id, body.to_vec());
    }

    pub(crate) fn newest(&self, member: u16) -> (Number, Id) {
        let chain = &self.chains[&member];
        (Number(chain.len() as u32 - 1), *chain.last().unwrap())
    }

    /// The newest transactions of members.
    pub(crate) fn tips(&self) -> Vec<Id> {
        let all = self.chains.values().filter(|c| c.len() > 1);
        all.map(|c| *c.last().unwrap()).collect()
    }
}

impl Context for Book {
    fn tag(&self) -> [u8; 4] {
        self.tag
    }
    fn head(&self, member: MemberIndex) -> Option<Number> {
        let chain = self.chains.get(&member.0)?;
        Some(Number(chain.len() as u32 - 1))
    }
    fn at(&self, member: MemberIndex, number: Number) -> Option<Id> {
        self.chains.get(&member.0)?.get(number.0 as usize).copied()
    }
    fn seen(&self, id: &Id) -> Option<Seen> {
        self.seen.get(id).copied()
    }
    fn by_prefix(&self, prefix: &Prefix) -> Option<Id> {
        let mut found = self.seen.keys().filter(|id| id.prefix() == *prefix);
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    }
    fn by_short(&self, short: &[u8; 4]) -> Option<Id> {
        let mut found = self.seen.keys().filter(|id| id.tag() == *short);
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        self.clocks.get(&epoch.0).map(|start| Millis(*start))
    }
    fn header(&self) -> HeaderNumber {
        HeaderNumber(self.header)
    }
    fn body(&self, id: &Id) -> Option<&[u8]> {
        self.bodies.get(id).map(Vec::as_slice)
    }
    fn peer_has(&self, _: Peer, id: &Id) -> bool {
        !self.unknown.contains(id)
    }
}

/// The frame of a transaction; the signature is any 64 bytes, since the link checks none.
pub(crate) fn tx_frame(
    payload: &Payload<'_>,
    suite: Suite,
    rng: &mut Rng,
    stubs: Option<&[Stub]>,
) -> Vec<u8> {
    let mut bytes = [0; MAX_PAYLOAD];
    let payload = payload.encode(&mut bytes).unwrap();
    let signature = Signature(rng.bytes(64).try_into().unwrap());
    let mut cose = [0; MAX_COSE];
    let cose = assemble(suite, payload, &signature, &mut cose).unwrap();
    let mut tail = [0; 600];
    let attachment = stubs.map(|stubs| {
        let attachment = Attachment {
            stubs: List::of(stubs),
            proof: None,
        };
        attachment.encode(&mut tail).unwrap()
    });
    let mut out = vec![0; MAX_FRAME];
    let len = Frame::Tx { cose, attachment }
        .write(NBH.tag(), &mut out)
        .unwrap();
    out.truncate(len);
    out
}

/// The next transaction of a member on these tips, 700 ms above all of them.
pub(crate) fn next_frame(
    book: &Book,
    member: u16,
    tips: &[Id],
    body: Body<'_>,
    rng: &mut Rng,
) -> Vec<u8> {
    let (number, first) = book.newest(member);
    let mut others: Vec<Prefix> = tips
        .iter()
        .filter(|t| **t != first)
        .map(Id::prefix)
        .collect();
    others.sort_unstable();
    others.dedup();
    let seen = |id: &Id| book.seen.get(id);
    let newest = tips.iter().chain([&first]).filter_map(seen);
    let epoch = book.header + 1;
    let start = book.clocks[&epoch];
    let time = newest.map(|s| s.time.0).max().unwrap_or(start) + 700;
    let mut parents = vec![first.prefix()];
    parents.extend(others);
    let payload = Payload {
        epoch: Epoch(epoch),
        issuer: MemberIndex(member),
        number: Number(number.0 + 1),
        offset: (time - start) as u32,
        parents: Prefixes::new(&parents).unwrap(),
        body,
    };
    tx_frame(&payload, Suite::Ed25519, rng, None)
}

pub(crate) fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    Vec::leak(vec![value; count])
}

pub(crate) fn link(limits: LinkLimits, config: LinkConfig, peers: &[u16]) -> Link<'static> {
    let sizes = limits.sizes().unwrap();
    let memory = LinkMemory {
        peers: leak(LinkPeer::default(), sizes.peers),
        outgoing: leak(Outgoing::default(), sizes.outgoing),
        incoming: leak(Incoming::default(), sizes.incoming),
        bytes: leak(0, sizes.bytes),
    };
    let mut link = Link::new(memory, limits, config).unwrap();
    for peer in peers {
        link.add_peer(Peer(*peer)).unwrap();
    }
    link
}

/// All packets that a link wants to send now.
pub(crate) fn packets(link: &mut Link<'_>, now: u64) -> Vec<Vec<u8>> {
    let mut out = [0; 2048];
    let mut all = Vec::new();
    while let Some((_, len)) = link.next_packet(Millis(now), &mut out) {
        all.push(out[..len].to_vec());
    }
    all
}
