//! The harness of the node's tests: whole nodes that talk to each other in one process, with the gateway's and the validators'
//! part played by the test.
//!
//! Time is virtual, every frame is a byte string on `wire`, and the platform of each node is in memory, so that a test can hold back,
//! change or invent any of them.

use super::test_platform::MemoryPlatform;
use super::*;
use crate::crypto::{SecretKey, sha256};
use crate::identity::attest::challenge_nonce;
use crate::identity::cert::{self, Claims, Cti, Kind, Seconds};
use crate::identity::{
    Attestation, Caps, CoseKey, Genesis, MemberTable, Record, Roles, enrol, sign1,
};
use crate::ledger::{Deposits, Lock};
use crate::node::event::Event;
use crate::posp::close::{Before, close_epoch, epoch_path, epoch_root, header_payload};
use crate::posp::{self, Validator, ValidatorSet, vote_message};
use crate::tangle::{Scratch, TangleMemory, Work};
use crate::tx;
use crate::wire::list::{List, Raw as RawItem, Vote};
use crate::wire::{Certificates, EnrolStatus, Frame, Writer};
use crate::{HeaderNumber, MAX_FRAME};
use std::collections::{BTreeMap, VecDeque};
use std::vec::Vec;

pub(crate) const START: u64 = 1_700_000_000_000;
pub(crate) const PERIOD: u64 = 10_000;

pub(crate) fn leak<T: Clone>(value: T, count: usize) -> &'static mut [T] {
    Vec::leak(vec![value; count])
}

pub(crate) fn memory(limits: &Limits) -> Memory<'static> {
    let sizes = limits.sizes().unwrap();
    Memory {
        tangle: TangleMemory {
            vertices: leak(Default::default(), sizes.tangle.vertices),
            index: leak(0, sizes.tangle.index),
            tips: leak(0, sizes.tangle.tips),
            marks: leak(0, sizes.tangle.marks),
            members: leak(Default::default(), sizes.tangle.members),
            sets: leak(0, sizes.tangle.sets),
            settled: leak(Default::default(), sizes.tangle.settled),
            tracked: leak(Default::default(), sizes.tangle.tracked),
        },
        records: [
            leak(Record::EMPTY, sizes.records),
            leak(Record::EMPTY, sizes.records),
            leak(Record::EMPTY, sizes.records),
        ],
        classes: [
            leak(0, sizes.classes),
            leak(0, sizes.classes),
            leak(0, sizes.classes),
        ],
        raw: leak(0, sizes.raw),
        raw_slots: leak(Default::default(), sizes.raw_slots),
        known: leak(0, sizes.known),
        peers: leak(Default::default(), sizes.peers),
        aside: leak(Default::default(), sizes.aside),
        wants: leak(Default::default(), sizes.wants),
        outbox: leak(Default::default(), sizes.outbox),
        own: leak(Default::default(), sizes.own),
        buckets: leak(Default::default(), sizes.buckets),
        headers: leak(Default::default(), sizes.headers),
        stubs: leak(Default::default(), sizes.stubs),
        ghosts: leak(Default::default(), sizes.ghosts),
        said: leak(Default::default(), sizes.said),
        sending: leak((0, 0), sizes.sending),
        events: leak(None, sizes.events),
        work: leak(Default::default(), sizes.work),
        order: leak(0, sizes.work),
        weights: leak(0, sizes.weights),
    }
}

pub(crate) const LIMITS: Limits = Limits {
    window: 1024,
    members: 16,
    peers: 16,
    aside: 16,
    outbox: 16,
    own: 64,
    raw: 256 * 1024,
    weights: true,
    ..Limits::SMALL
};

pub(crate) fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"test key", &[n]])).unwrap()
}

/// The key of a founder with this index.
pub(crate) fn secret_of(n: u16) -> SecretKey {
    match u8::try_from(n) {
        Ok(n) if n < 200 => secret(n),
        _ => SecretKey::from_seed(&sha256(&[b"test key of many", &n.to_be_bytes()])).unwrap(),
    }
}

pub(crate) fn caps() -> Caps {
    Caps {
        tx: Amount(1_000),
        peer: Amount(5_000),
        exposure: Amount(20_000),
    }
}

pub(crate) fn certificate(n: u8) -> Vec<u8> {
    certificate_by(n, Kind::Device, 200)
}

/// For the key `n`, by the key `maker`; the neighbourhood's anchor is 200.
pub(crate) fn certificate_by(n: u8, kind: Kind, maker: u8) -> Vec<u8> {
    let key = secret(n).public_key();
    let device = CoseKey::thumbprint(&key);
    let claims = Claims {
        name: "Maker",
        expires: None,
        not_before: None,
        issued: Seconds(1),
        cti: Cti::new(&device.0[..16]).unwrap(),
        key,
        kind,
    };
    let mut out = vec![0; 400];
    let len = cert::issue(&claims, &secret(maker), &mut out).unwrap();
    out.truncate(len);
    out
}

pub(crate) type TestNode = Node<'static, MemoryPlatform>;

/// Everything that stands around the nodes.
pub(crate) struct Network {
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Option<TestNode>>,
    /// Frames under way: due, from, to, bytes.
    pub(crate) wire: VecDeque<(u64, u16, u16, Vec<u8>)>,
    pub(crate) events: Vec<Vec<Event>>,
    pub(crate) genesis: Vec<u8>,
    pub(crate) set: ValidatorSet,
    /// All sets that were ever in office, and the first of their keys.
    pub(crate) sets: Vec<(ValidatorSet, u8)>,
    /// Locks that are open after the newest header.
    pub(crate) locks: Vec<Lock>,
    /// The set that the next header hands over to.
    pub(crate) next: Option<(ValidatorSet, u8)>,
    pub(crate) founders: Vec<Record>,
    /// Gateway part: settled headers with everything that devices ask for.
    pub(crate) headers: BTreeMap<u32, Settled>,
    pub(crate) delay: u64,
    /// Frames take up to this much longer, each by another amount, so that they overtake one another.
    pub(crate) spread: u64,
    /// Frames that are lost, by a counter and a modulus; 0 loses nothing.
    pub(crate) lose: u64,
    pub(crate) sent: u64,
    carried: u64,
    /// Pairs that cannot hear each other.
    pub(crate) cut: Vec<(u16, u16)>,
    /// Nodes that hear nothing from the gateway.
    pub(crate) deaf: Vec<u16>,
    /// How its nodes tune themselves.
    pub(crate) tuning: Tuning,
    /// Whose policy binds who boots from now on.
    pub(crate) owner: Option<PublicKey>,
    /// Leaves, by the index after the nodes'.
    pub(crate) leaves: Vec<Seat>,
    /// Devices whose join the gateway submitted.
    pub(crate) admitted: std::collections::BTreeSet<Id>,
    /// The firmware that the gateway demands from who enrols.
    pub(crate) demanded: Option<[u8; 32]>,
    /// Challenges that wait for an answer, and how often it was asked for.
    pub(crate) challenges: std::collections::BTreeMap<Id, ([u8; 16], u32)>,
    /// What happens to a frame between a node and a leaf, by sender, receiver and bytes.
    pub(crate) meddle: Option<Meddle>,
}

/// A leaf, what it told and what it sent.
pub(crate) struct Seat {
    pub(crate) leaf: Option<crate::leaf::Leaf<'static, MemoryPlatform>>,
    pub(crate) events: Vec<crate::leaf::Event>,
    pub(crate) sent: Vec<(u16, Vec<u8>)>,
}

/// Bytes instead, or none.
pub(crate) type Meddle = Box<dyn FnMut(u16, u16, Vec<u8>) -> Option<Vec<u8>>>;

pub(crate) struct Settled {
    pub(crate) cose: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) leaves: Vec<Id>,
    pub(crate) votes: Vec<Vote>,
    pub(crate) records: Vec<Record>,
    pub(crate) cut: u64,
}

impl Network {
    /// Nodes that only say what they are told to.
    pub(crate) fn new(members: u8) -> Self {
        Self::tuned(members, Tuning::fixed(Millis(100), Millis(1_000), 2))
    }

    pub(crate) fn tuned(members: u8, tuning: Tuning) -> Self {
        Self::with_leaves(members, 0, tuning)
    }

    /// The last founders are submit-only members, which the test plays.
    pub(crate) fn with_leaves(members: u8, leaves: u8, tuning: Tuning) -> Self {
        Self::with_others(members, leaves, 0, PERIOD, &[LIMITS], tuning)
    }

    /// The last founders, after the leaves, are `others`, of whom nothing is there but what the test signs for them. The last of `limits` are also those
    /// of all nodes after it.
    pub(crate) fn with_others(
        members: u8,
        leaves: u8,
        others: u16,
        period: u64,
        limits: &[Limits],
        tuning: Tuning,
    ) -> Self {
        let all = u16::from(members + leaves) + others;
        let authority = secret(201);
        let nonce = [7; 32];
        let g0 = crate::identity::genesis::g0(&nonce, 0);
        let founders: Vec<Record> = (0..all)
            .map(|n| {
                let leaf = n >= u16::from(members) && n < u16::from(members + leaves);
                let roles = if n == 0 {
                    Roles::GL_NODE.with(Roles::FULL_NODE)
                } else if leaf {
                    Roles::SUBMIT_ONLY
                } else {
                    Roles::NONE
                };
                Record::enrolled(
                    MemberIndex(n),
                    secret_of(n).public_key(),
                    roles,
                    caps(),
                    Amount(10_000),
                    g0,
                )
            })
            .collect();
        let mut copy = founders.clone();
        let table = MemberTable::adopt(&mut copy, founders.len()).unwrap();
        let validators: Vec<Validator> = (0..4u8)
            .map(|n| Validator {
                key: secret(100 + n).public_key().bytes().try_into().unwrap(),
                stake: 25,
            })
            .collect();
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).unwrap();
        let genesis = Genesis {
            nonce,
            chain_id: 0,
            start: Millis(START),
            period: Millis(period),
            parent_age: Millis(period / 4),
            neighbours: 2,
            caps: caps(),
            grant: Amount(10_000),
            max_members: all.max(16).into(),
            gl_node: MemberIndex(0),
            members: u32::from(all),
            weight: table.total_weight(),
            table_root: table.root().unwrap(),
            validator_set: set.hash(),
            set_age: Millis(3_600_000),
        };
        let mut out = vec![0; 600];
        let len = genesis.sign(&authority, &mut out).unwrap();
        out.truncate(len);
        let mut net = Self {
            now: START,
            nodes: Vec::new(),
            wire: VecDeque::new(),
            events: vec![Vec::new(); usize::from(members)],
            genesis: out,
            sets: vec![(set.clone(), 100)],
            locks: Vec::new(),
            next: None,
            set,
            founders,
            headers: BTreeMap::new(),
            delay: 3,
            spread: 0,
            lose: 0,
            sent: 0,
            carried: 0,
            cut: Vec::new(),
            deaf: Vec::new(),
            tuning,
            owner: None,
            leaves: Vec::new(),
            admitted: Default::default(),
            demanded: None,
            challenges: Default::default(),
            meddle: None,
        };
        for n in 0..members {
            let last = limits.len() - 1;
            let node = net.boot_with(
                n,
                MemoryPlatform {
                    seed: u64::from(n),
                    ..Default::default()
                },
                limits[last.min(usize::from(n))],
            );
            net.nodes.push(Some(node));
        }
        net
    }

    pub(crate) fn boot(&self, n: u8, platform: MemoryPlatform) -> TestNode {
        self.boot_with(n, platform, LIMITS)
    }

    pub(crate) fn boot_with(&self, n: u8, platform: MemoryPlatform, limits: Limits) -> TestNode {
        self.try_boot(n, platform, limits).unwrap()
    }

    pub(crate) fn try_boot(
        &self,
        n: u8,
        platform: MemoryPlatform,
        limits: Limits,
    ) -> Result<TestNode, InitError> {
        let chain = certificate(n);
        let chain: [&[u8]; 1] = [&chain];
        let mut config = Config::member(secret(201).public_key(), &chain);
        config.tuning = self.tuning;
        config.owner = self.owner;
        let mut node = Node::new(
            memory(&limits),
            limits,
            &config,
            NodeSigner::Software(secret(n)),
            platform,
            Software,
        )?;
        let members = self.events.len() + self.leaves_to_come();
        for peer in 0..members as u16 {
            if peer != u16::from(n) {
                node.add_peer(Millis(self.now), Peer(peer), false).unwrap();
            }
        }
        // The gateway answers itself through the test.
        node.add_peer(Millis(self.now), Peer(99), true).unwrap();
        Ok(node)
    }

    /// Founders that only submit: who boots makes them neighbours at once.
    fn leaves_to_come(&self) -> usize {
        let leaf = |r: &&Record| r.roles.has(Roles::SUBMIT_ONLY);
        self.founders.iter().filter(leaf).count()
    }

    pub(crate) fn node(&mut self, n: usize) -> &mut TestNode {
        self.nodes[n].as_mut().unwrap()
    }

    /// What a gateway answers from its store.
    pub(crate) fn gateway(&mut self, from: u16, frame: &[u8]) {
        let (_, frame) = Frame::parse(frame).unwrap();
        let tag = self.tag();
        let mut out = vec![0; MAX_FRAME];
        let mut answers: Vec<Vec<u8>> = Vec::new();
        match frame {
            Frame::GenesisRequest => {
                let mut set = vec![0; 3000];
                let mut w = Writer::new(&mut set);
                self.set.encode(&mut w).unwrap();
                let set = w.written().to_vec();
                let len = Frame::Genesis {
                    cose: &self.genesis,
                    set: &set,
                }
                .write([0; 4], &mut out)
                .unwrap();
                answers.push(out[..len].to_vec());
            }
            Frame::TableRequest { epoch, first } => {
                let records = match epoch.0 {
                    1 => &self.founders,
                    n => match self.headers.get(&(n - 1)) {
                        Some(settled) => &settled.records,
                        None => return,
                    },
                };
                let chunk: Vec<Vec<u8>> = records
                    .iter()
                    .skip(usize::from(first.0))
                    .take(5)
                    .map(|r| {
                        let mut bytes = vec![0; 256];
                        let mut w = Writer::new(&mut bytes);
                        r.encode(&mut w).unwrap();
                        w.written().to_vec()
                    })
                    .collect();
                let raw: Vec<RawItem<'_>> = chunk.iter().map(|c| RawItem(c)).collect();
                let len = Frame::Table {
                    epoch,
                    first,
                    records: List::of(&raw),
                }
                .write(tag, &mut out)
                .unwrap();
                answers.push(out[..len].to_vec());
            }
            Frame::HeaderRequest { header } => {
                if let Some(settled) = self.headers.get(&header.0) {
                    answers.extend(self.header_frames(header, settled));
                }
            }
            Frame::SetRequest { term } => {
                let first = self.sets.iter().find(|(s, _)| u64::from(s.term()) >= term);
                if let Some((set, _)) = first {
                    let mut bytes = vec![0; 3000];
                    let mut w = Writer::new(&mut bytes);
                    set.encode(&mut w).unwrap();
                    let len = Frame::Set(w.written()).write(tag, &mut out).unwrap();
                    answers.push(out[..len].to_vec());
                }
            }
            Frame::ProofRequest { ids } => {
                for id in ids.iter() {
                    for (number, settled) in &self.headers {
                        let Some(at) = settled.leaves.iter().position(|l| *l == id) else {
                            continue;
                        };
                        let leaf = at as u32 + 1;
                        let mut path = [Id::ZERO; 32];
                        let n =
                            epoch_path(&settled.payload, &settled.leaves, leaf, &mut path).unwrap();
                        let len = Frame::Proof {
                            header: HeaderNumber(*number),
                            id,
                            leaf,
                            size: settled.leaves.len() as u32 + 1,
                            path: List::of(&path[..n]),
                        }
                        .write(tag, &mut out)
                        .unwrap();
                        answers.push(out[..len].to_vec());
                    }
                }
            }
            Frame::Enrol {
                certificates,
                proof,
                attestation,
            } => match self.appraise(&certificates, attestation) {
                Ok(()) => answers.extend(self.admit(&certificates, proof)),
                Err(told) => answers.extend(told),
            },
            _ => {}
        }
        for answer in answers {
            self.wire
                .push_back((self.now + self.delay, 99, from, answer));
        }
    }

    /// What a gateway that demands an attestation says to an enrolment; the real one keeps more to itself (gateway/src/appraisal.rs).
    fn appraise(
        &mut self,
        certificates: &Certificates<'_>,
        attestation: Option<&[u8]>,
    ) -> Result<(), Vec<Vec<u8>>> {
        let own = cert::Certificate::parse(certificates.device()).unwrap();
        let key = own.claims().key;
        let device = CoseKey::thumbprint(&key);
        let Some(demanded) = self.demanded else {
            return Ok(());
        };
        if self.admitted.contains(&device) {
            return Ok(());
        }
        let frame = |frame: Frame<'_>| {
            let mut out = [0; MAX_FRAME];
            let len = frame.write([0; 4], &mut out).unwrap();
            out[..len].to_vec()
        };
        let refused = |status| {
            frame(Frame::EnrolResult {
                device,
                status,
                index: None,
            })
        };
        let fresh = sha256(&[&self.now.to_be_bytes()]);
        let fresh = *fresh.first_chunk().unwrap();
        let (challenge, asked) = self.challenges.entry(device).or_insert((fresh, 0));
        let nonce = challenge_nonce(&secret(201).public_key(), &device, challenge);
        *asked += 1;
        if let Some(eat) = attestation {
            let eat = Attestation::parse(eat).unwrap();
            return match eat.verify(&key, &device, &nonce, &mut Software) {
                Ok(said) => {
                    self.challenges.remove(&device);
                    match said.measurements.iter().any(|m| m.digest == demanded) {
                        true => Ok(()),
                        false => Err(vec![refused(EnrolStatus::Measurement)]),
                    }
                }
                Err(_) => Err(vec![refused(EnrolStatus::Attestation)]),
            };
        }
        let challenge = &*challenge;
        let mut told = vec![frame(Frame::Challenge { device, challenge })];
        if *asked > 2 {
            told.push(refused(EnrolStatus::Attestation));
        }
        Err(told)
    }

    /// The gateway lets a device in that is no founder: it submits the join, once.
    fn admit(&mut self, certificates: &Certificates<'_>, proof: &[u8; 64]) -> Option<Vec<u8>> {
        let own = cert::Certificate::parse(certificates.device()).ok()?;
        let device = CoseKey::thumbprint(&own.claims().key);
        if self.founders.iter().any(|r| r.device == device) {
            return None;
        }
        let now = Millis(self.now);
        let verified = enrol::verify(
            &[certificates.device()],
            &crate::crypto::Signature(*proof),
            &secret(201).public_key(),
            &[secret(200).public_key()],
            Seconds(self.now / 1_000),
            |_, _| false,
            &mut Software,
        );
        let op = tx::MemberOp::Join {
            certificates: *certificates,
            proof,
        };
        if verified.is_ok() && self.admitted.insert(device) {
            let mut out = [0; 512];
            let len = join_operation(&op, &mut out).unwrap();
            let join = Submission::Member(&out[..len]);
            self.node(0).submit(now, &join, None).unwrap();
        }
        let mut out = [0; MAX_FRAME];
        let result = Frame::EnrolResult {
            device,
            status: match verified {
                Ok(_) => EnrolStatus::Accepted,
                Err(_) => EnrolStatus::Certificate,
            },
            index: None,
        };
        let len = result.write([0; 4], &mut out).unwrap();
        Some(out[..len].to_vec())
    }

    pub(crate) fn header_frames(&self, header: HeaderNumber, settled: &Settled) -> Vec<Vec<u8>> {
        let mut out = vec![0; MAX_FRAME];
        let mut path = [Id::ZERO; 32];
        let n = epoch_path(&settled.payload, &settled.leaves, 0, &mut path).unwrap();
        let len = Frame::Header {
            cose: &settled.cose,
            path: List::of(&path[..n]),
        }
        .write(self.tag(), &mut out)
        .unwrap();
        let first = out[..len].to_vec();
        let len = Frame::Votes {
            header,
            votes: List::of(&settled.votes),
        }
        .write(self.tag(), &mut out)
        .unwrap();
        vec![first, out[..len].to_vec()]
    }

    pub(crate) fn tag(&self) -> [u8; 4] {
        crate::identity::UnverifiedGenesis::parse(&self.genesis)
            .unwrap()
            .neighbourhood()
            .tag()
    }

    pub(crate) fn pump(&mut self, until: u64) {
        let mut out = vec![0; MAX_FRAME];
        let mut said = Vec::new();
        while self.now < until {
            self.now += 1;
            let now = Millis(self.now);
            while self.wire.front().is_some_and(|(due, ..)| *due <= self.now) {
                let (_, from, to, bytes) = self.wire.pop_front().unwrap();
                if from == 99 && self.deaf.contains(&to) {
                    continue;
                }
                if to == 99 {
                    self.gateway(from, &bytes);
                } else if let Some(at) = usize::from(to).checked_sub(self.nodes.len()) {
                    self.hand_to_leaf(at, from, to, bytes);
                } else if let Some(node) = self.nodes[usize::from(to)].as_mut()
                    && !node.platform.dead
                {
                    let _ = node.receive(now, Peer(from), &bytes);
                }
            }
            self.take_from_leaves();
            for n in 0..self.nodes.len() {
                let Some(node) = self.nodes[n].as_mut() else {
                    continue;
                };
                while !node.platform.dead
                    && let Some((to, len)) = node.next_frame(now, &mut out)
                {
                    // The power went while the frame was made.
                    if node.platform.dead {
                        break;
                    }
                    self.sent += 1;
                    let pair = (n as u16, to.0);
                    let silent = self.cut.contains(&pair) || self.cut.contains(&(pair.1, pair.0));
                    if silent || (self.lose > 0 && self.sent.is_multiple_of(self.lose)) {
                        continue;
                    }
                    said.push((n as u16, to.0, out[..len].to_vec()));
                }
                while !node.platform.dead
                    && let Some(event) = node.next_event()
                {
                    self.events[n].push(event);
                }
            }
            for (from, to, bytes) in said.drain(..) {
                self.send(from, to, bytes);
            }
        }
    }

    fn hand_to_leaf(&mut self, at: usize, from: u16, to: u16, bytes: Vec<u8>) {
        let bytes = match &mut self.meddle {
            Some(meddle) => meddle(from, to, bytes),
            None => Some(bytes),
        };
        let Some(seat) = self.leaves.get_mut(at) else {
            return;
        };
        if let (Some(leaf), Some(bytes)) = (&mut seat.leaf, bytes)
            && !leaf.platform_mut().dead
        {
            let _ = leaf.receive(Millis(self.now), Peer(from), &bytes);
        }
    }

    fn take_from_leaves(&mut self) {
        let mut sent = Vec::new();
        for (at, seat) in self.leaves.iter_mut().enumerate() {
            let me = (self.nodes.len() + at) as u16;
            let Some(leaf) = seat.leaf.as_mut() else {
                continue;
            };
            while !leaf.platform_mut().dead
                && let Some((to, bytes)) = leaf.next_frame(Millis(self.now))
            {
                let bytes = bytes.to_vec();
                if leaf.platform_mut().dead {
                    break;
                }
                seat.sent.push((to.0, bytes.clone()));
                let bytes = match &mut self.meddle {
                    Some(meddle) => meddle(me, to.0, bytes),
                    None => Some(bytes),
                };
                if let Some(bytes) = bytes {
                    sent.push((me, to.0, bytes));
                }
            }
            while let Some(event) = leaf.next_event() {
                seat.events.push(event);
            }
        }
        for (from, to, bytes) in sent {
            self.send(from, to, bytes);
        }
    }

    fn send(&mut self, from: u16, to: u16, bytes: Vec<u8>) {
        // Fibonacci hashing of a counter: any order, the same in every run.
        self.carried = self.carried.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let late = (self.carried >> 32) % (self.spread + 1);
        let due = self.now + self.delay + late;
        let at = self.wire.partition_point(|(other, ..)| *other <= due);
        self.wire.insert(at, (due, from, to, bytes));
    }

    /// The gateway and its validators close the epoch of a certified trim.
    pub(crate) fn close(&mut self, trim: Id) -> HeaderNumber {
        let (number, hash, g0, records) = {
            let node = self.node(0);
            let headers = node.headers();
            let records = node
                .tables()
                .records(node.tables().newest())
                .unwrap()
                .to_vec();
            (headers.newest(), headers.hash(), headers.g0(), records)
        };
        let (in_office, first_key) = self.sets.last().unwrap().clone();
        let next = self.next.take();
        let set_hash = next.as_ref().map_or(in_office.hash(), |(s, _)| s.hash());
        let open = core::mem::take(&mut self.locks);
        let node = self.node(0);
        let window = node.tangle().capacity();
        let mut after = vec![Record::EMPTY; records.len().max(16)];
        let mut leaves = vec![Id::ZERO; window];
        let mut locks = vec![Lock::EMPTY; open.len() + window];
        let mut work = vec![Work::default(); window];
        let mut order = vec![0; window];
        let mut members = vec![0; records.len().max(16)];
        let mut scratch = Scratch {
            work: &mut work,
            order: &mut order,
            members: &mut members,
        };
        let genesis = *node.genesis().unwrap();
        let before = Before {
            genesis: &genesis,
            neighbourhood: node.status(Millis(0)).neighbourhood,
            authority: &secret(201).public_key(),
            anchors: &[secret(200).public_key()],
            number,
            hash,
            g0,
            records: &records,
            locks: &open,
            deposits: Deposits::default(),
            next_set: set_hash,
        };
        let closed = close_epoch(
            node.tangle(),
            node.tables(),
            &trim,
            &before,
            &mut after,
            &mut locks,
            &mut leaves,
            &mut scratch,
            &mut |id, out| {
                let raw = node.raw(id)?;
                out.get_mut(..raw.len())?.copy_from_slice(raw);
                Some(raw.len())
            },
            &mut Software,
        )
        .unwrap();
        leaves.truncate(closed.header.count as usize);
        locks.truncate(closed.settled.locks);
        after.truncate(closed.header.members as usize);
        let mut buffer = vec![0; 600];
        let payload = header_payload(&closed.header, &mut buffer)
            .unwrap()
            .to_vec();
        let key = secret(0);
        let protected = sign1::protected(&key.public_key());
        let mut message = vec![0; 800];
        let message =
            posp::header_signing_input(&protected, &before.neighbourhood, &payload, &mut message)
                .unwrap();
        let signature = key.sign(message);
        let mut cose = vec![0; 800];
        let len = sign1::assemble(&protected, &payload, &signature, &mut cose).unwrap();
        cose.truncate(len);
        let root = epoch_root(&payload, &leaves).unwrap();
        let votes = (0..3u8)
            .map(|n| {
                let key = secret(first_key + n);
                let bytes: [u8; 32] = key.public_key().bytes().try_into().unwrap();
                let mut out = vec![0; 400];
                let message = vote_message(
                    &bytes,
                    &before.neighbourhood,
                    closed.header.number,
                    &root,
                    &mut out,
                )
                .unwrap();
                Vote {
                    index: n,
                    signature: key.sign(message),
                }
            })
            .collect();
        let number = closed.header.number;
        self.sets.extend(next);
        self.locks = locks;
        self.headers.insert(
            number.0,
            Settled {
                cose,
                payload,
                leaves,
                votes,
                records: after,
                cut: closed.header.cut.0,
            },
        );
        let frames = self.header_frames(number, &self.headers[&number.0]);
        for to in 0..self.nodes.len() as u16 {
            for frame in &frames {
                self.wire
                    .push_back((self.now + self.delay, 99, to, frame.clone()));
            }
        }
        number
    }

    pub(crate) fn explain(&mut self) -> String {
        let now = Millis(self.now);
        let mut text = String::new();
        for (n, node) in self.nodes.iter().enumerate() {
            let Some(node) = node else { continue };
            let refused: Vec<_> = Refusal::ALL
                .iter()
                .filter(|r| node.counters().refused(**r) > 0)
                .map(|r| (r.name(), node.counters().refused(*r)))
                .collect();
            text += &format!(
                "{n}: {:?} {refused:?} {:?}\n",
                node.status(now),
                self.events[n].iter().rev().take(3).collect::<Vec<_>>()
            );
        }
        text
    }

    pub(crate) fn all_active(&mut self) -> bool {
        let now = Millis(self.now);
        self.nodes
            .iter()
            .flatten()
            .all(|n| n.status(now).phase == Phase::Active)
    }

    pub(crate) fn ids_sent(&self, n: usize) -> Vec<Id> {
        self.events[n]
            .iter()
            .filter_map(|e| match e {
                Event::Sent { id, .. } => Some(*id),
                _ => None,
            })
            .collect()
    }

    /// Every node submits a reading every half second for a while, and now and then a payment.
    pub(crate) fn traffic(&mut self, seconds: u64) {
        for turn in 0..seconds * 2 {
            for n in 0..self.nodes.len() {
                let now = Millis(self.now);
                let to = MemberIndex(((n + 1) % self.nodes.len()) as u16);
                if let Some(node) = self.nodes[n].as_mut() {
                    let _ = node.submit(now, &Submission::Data(b"21.5 C"), None);
                    if turn % 4 == 0 {
                        let amount = Amount(5);
                        let _ = node.submit(now, &Submission::Transfer { to, amount }, None);
                    }
                }
                let pause = self.now + 500 / self.nodes.len() as u64;
                self.pump(pause);
            }
        }
    }

    /// Trims until one is certified, and closes it.
    pub(crate) fn settle(&mut self, cut: u64) -> HeaderNumber {
        let before = self.headers.len();
        for _ in 0..20 {
            let now = Millis(self.now);
            let seen = self.events[0].len();
            self.node(0)
                .submit(now, &Submission::Trim { cut: Millis(cut) }, None)
                .unwrap();
            self.traffic(2);
            let certified = self.events[0].iter().skip(seen).find_map(|e| match e {
                Event::TrimCertified { id, .. } => Some(*id),
                _ => None,
            });
            if let Some(trim) = certified {
                let number = self.close(trim);
                assert_eq!(self.headers.len(), before + 1);
                return number;
            }
        }
        panic!(
            "no trim was certified: {:?}",
            self.events[0].iter().rev().take(8).collect::<Vec<_>>()
        );
    }
}

impl Network {
    pub(crate) fn started(members: u8) -> Self {
        let mut net = Self::new(members);
        net.pump(START + 2_000);
        assert!(net.all_active(), "{}", net.explain());
        net
    }

    /// The ids in the window of a node, sorted.
    pub(crate) fn window(&mut self, n: usize) -> Vec<Id> {
        let tangle = self.node(n).tangle();
        let mut ids: Vec<Id> = tangle
            .since(tangle.oldest_sequence())
            .map(|(_, f)| f.id)
            .collect();
        ids.sort();
        ids
    }

    pub(crate) fn assert_same_windows(&mut self) {
        let first = self.window(0);
        for n in 1..self.nodes.len() {
            let other = self.window(n);
            assert_eq!(first.len(), other.len(), "{}", self.explain());
            assert_eq!(first, other, "node {n}");
        }
    }

    /// Signs a transaction with a member's key behind the back of its node, beside its newest one.
    pub(crate) fn forge(&mut self, n: u8, tips_of: usize, body: tx::Body<'_>) -> Vec<u8> {
        let index = MemberIndex(u16::from(n));
        let node = self.node(tips_of);
        let head = node.tangle().head(node.tables(), index).unwrap();
        let parents: Vec<Id> = node.tangle().parents(&head.id).flatten().collect();
        let facts = node.tangle().get(&head.id).unwrap();
        let draft = tx::Draft {
            epoch: facts.epoch,
            issuer: index,
            number: facts.number,
            offset: u32::try_from(facts.time.0 - START).unwrap() + 1,
            first: parents[0],
            tips: &parents[1..],
            body,
        };
        let mut payload = [0; 480];
        let fitted = draft.encode(&mut payload).unwrap();
        let neighbourhood = node.status(Millis(0)).neighbourhood;
        let mut cose = vec![0; 700];
        let signed = tx::sign_with(
            &secret(n),
            &neighbourhood,
            fitted.payload,
            &fitted.parents,
            &mut cose,
        )
        .unwrap();
        let mut frame = neighbourhood.tag().to_vec();
        frame.push(1);
        frame.extend_from_slice(signed.cose());
        frame
    }

    pub(crate) fn reboot(&mut self, n: usize, lose_store: bool) {
        self.reboot_with(n, lose_store, LIMITS);
    }

    pub(crate) fn reboot_with(&mut self, n: usize, lose_store: bool, limits: Limits) {
        let node = self.nodes[n].take().unwrap();
        let (_, mut platform, _) = node.into_parts();
        if lose_store {
            platform.store.clear();
        }
        platform = platform.again();
        platform.dead = false;
        let node = self.boot_with(u8::try_from(n).unwrap(), platform, limits);
        self.nodes[n] = Some(node);
    }
}
