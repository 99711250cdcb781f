//! A neighbourhood of four founders around one real node, and a script that the fuzzer writes.
//!
//! The node is member 1. The harness holds all other keys, so that frames that the fuzzer describes are signed as their
//! issuers would sign them: what lies behind the signature check is reached, as if any neighbour were a cheat.

use crate::SIGNER;
use iotedge_core::crypto::{SecretKey, Software, sha256};
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{Caps, CoseKey, Genesis, MemberTable, Record, Roles, sign1};
use iotedge_core::node::{
    Config, Event, Grade, Limits, Memory, Node, NodeSigner, Peer, Phase, Submission,
};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::posp::close::{epoch_path, epoch_root};
use iotedge_core::posp::{self, Header, Validator, ValidatorSet, vote_message};
use iotedge_core::sale::{Proof, Terms, Tick};
use iotedge_core::tangle::TangleMemory;
use iotedge_core::tx::{Body, Parents, Payload, sign_with};
use iotedge_core::wire::Writer;
use iotedge_core::wire::frame::Frame;
use iotedge_core::wire::list::{List, Raw, Vote};
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis, Number,
    SaleNumber,
};
use std::collections::BTreeMap;

const START: u64 = 1_700_000_000_000;
const PERIOD: u64 = 10_000;
const MEMBERS: u8 = 4;
const OWN: u8 = 1;
const LIMITS: Limits = Limits {
    window: 64,
    members: 8,
    peers: 6,
    aside: 4,
    outbox: 4,
    own: 8,
    raw: 16 * 1024,
    weights: true,
    ..Limits::SMALL
};

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&sha256(&[b"fuzz key", &[n]])).expect("a seed")
}

fn caps() -> Caps {
    Caps {
        tx: Amount(1_000),
        peer: Amount(5_000),
        exposure: Amount(20_000),
    }
}

/// A store in memory and a generator of numbers.
#[derive(Default)]
struct Store {
    values: BTreeMap<u16, Vec<u8>>,
    seed: u64,
    fail: bool,
}

impl Platform for Store {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        for byte in out {
            self.seed = self
                .seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.seed >> 56) as u8;
        }
        Ok(())
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some(value) = self.values.get(&key) else {
            return Ok(None);
        };
        let place = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        if self.fail {
            return Err(PlatformError::StoreWrite);
        }
        self.values.insert(key, value.to_vec());
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.values.remove(&key);
        Ok(())
    }
}

/// Memory of a node, owned here.
struct Slices {
    vertices: Vec<iotedge_core::tangle::Vertex>,
    index: Vec<u32>,
    tips: Vec<u16>,
    marks: Vec<u64>,
    members: Vec<iotedge_core::tangle::Member>,
    sets: Vec<u8>,
    settled: Vec<iotedge_core::Number>,
    tracked: Vec<iotedge_core::tangle::Tracked>,
    records: [Vec<Record>; 3],
    classes: [Vec<u8>; 3],
    raw: Vec<u8>,
    known: Vec<u32>,
}

/// The founders, what they agreed on, and what the harness keeps of the ledger.
struct Founders {
    records: Vec<Record>,
    genesis: Vec<u8>,
    set: ValidatorSet,
    neighbourhood: Id,
    g0: Id,
}

impl Founders {
    fn new() -> Self {
        let nonce = [7; 32];
        let g0 = iotedge_core::identity::genesis::g0(&nonce, 0);
        let founder = |n: u8| {
            let roles = if n == 0 {
                Roles::GL_NODE.with(Roles::FULL_NODE)
            } else {
                Roles::NONE
            };
            Record::enrolled(
                MemberIndex(n.into()),
                secret(n).public_key(),
                roles,
                caps(),
                Amount(10_000),
                g0,
            )
        };
        let records: Vec<Record> = (0..MEMBERS).map(founder).collect();
        let mut copy = records.clone();
        let table = MemberTable::adopt(&mut copy, records.len()).expect("a table");
        let validator = |n: u8| Validator {
            key: secret(100 + n)
                .public_key()
                .bytes()
                .try_into()
                .expect("32 bytes"),
            stake: 25,
        };
        let validators: Vec<Validator> = (0..4).map(validator).collect();
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).expect("a set");
        let genesis = Genesis {
            nonce,
            chain_id: 0,
            start: Millis(START),
            period: Millis(PERIOD),
            parent_age: Millis(PERIOD / 4),
            neighbours: 2,
            caps: caps(),
            grant: Amount(10_000),
            max_members: 8,
            gl_node: MemberIndex(0),
            members: MEMBERS.into(),
            weight: table.total_weight(),
            table_root: table.root().expect("a root"),
            validator_set: set.hash(),
            set_age: Millis(3_600_000),
        };
        let mut bytes = vec![0; 600];
        let length = genesis.sign(&SIGNER, &mut bytes).expect("signs");
        bytes.truncate(length);
        Self {
            neighbourhood: genesis.neighbourhood().expect("an id"),
            records,
            genesis: bytes,
            set,
            g0,
        }
    }

    fn table_frame(&self) -> Vec<u8> {
        let mut encoded = Vec::new();
        for record in &self.records {
            let mut room = [0; 256];
            let mut writer = Writer::new(&mut room);
            record.encode(&mut writer).expect("fits");
            encoded.push(writer.written().to_vec());
        }
        let records: Vec<Raw<'_>> = encoded.iter().map(|bytes| Raw(bytes)).collect();
        self.frame(&Frame::Table {
            epoch: Epoch(1),
            first: MemberIndex(0),
            records: List::of(&records),
        })
    }

    fn genesis_frame(&self) -> Vec<u8> {
        let mut room = [0; 1024];
        let mut writer = Writer::new(&mut room);
        self.set.encode(&mut writer).expect("fits");
        let frame = Frame::Genesis {
            cose: &self.genesis,
            set: writer.written(),
        };
        let mut out = [0; MAX_FRAME];
        let length = frame.write([0; 4], &mut out).expect("fits");
        out[..length].to_vec()
    }

    fn frame(&self, frame: &Frame<'_>) -> Vec<u8> {
        let mut out = [0; MAX_FRAME];
        match frame.write(self.neighbourhood.tag(), &mut out) {
            Ok(length) => out[..length].to_vec(),
            Err(_) => Vec::new(),
        }
    }
}

/// The fuzzer's bytes, read from the front; zeros when they are used up.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn number(&mut self) -> u64 {
        u64::from(self.byte()) << 8 | u64::from(self.byte())
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length =
            (usize::from(self.byte()) * 4 + usize::from(self.byte() & 3)).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    /// Mostly `usual`, else whatever the script says.
    fn or(&mut self, usual: u64) -> u64 {
        match self.byte() {
            0..=199 => usual,
            200..=219 => usual.wrapping_add(1),
            220..=239 => usual.wrapping_sub(1),
            _ => self.number(),
        }
    }
}

/// A member whose key the harness holds.
#[derive(Clone, Copy)]
struct Head {
    id: Id,
    number: u32,
    debits: u64,
}

struct World<'m> {
    founders: &'m Founders,
    node: Option<Node<'m, Store>>,
    now: u64,
    heads: [Head; MEMBERS as usize],
    known: Vec<Id>,
    frames: Vec<(u8, Vec<u8>)>,
    grades: BTreeMap<Id, Grade>,
    frozen: u8,
}

/// Runs one script. Panics where an invariant breaks.
pub fn run(script: &[u8]) {
    let founders = Founders::new();
    let sizes = LIMITS.sizes().expect("limits in range");
    let mut slices = Slices {
        vertices: vec![Default::default(); sizes.tangle.vertices],
        index: vec![0; sizes.tangle.index],
        tips: vec![0; sizes.tangle.tips],
        marks: vec![0; sizes.tangle.marks],
        members: vec![Default::default(); sizes.tangle.members],
        sets: vec![0; sizes.tangle.sets],
        settled: vec![Default::default(); sizes.tangle.settled],
        tracked: vec![Default::default(); sizes.tangle.tracked],
        records: std::array::from_fn(|_| vec![Record::EMPTY; sizes.records]),
        classes: std::array::from_fn(|_| vec![0; sizes.classes]),
        raw: vec![0; sizes.raw],
        known: vec![0; sizes.known],
    };
    let mut raw_slots = vec![Default::default(); sizes.raw_slots];
    let mut peers = vec![Default::default(); sizes.peers];
    let mut aside = vec![Default::default(); sizes.aside];
    let mut wants = vec![Default::default(); sizes.wants];
    let mut outbox = vec![Default::default(); sizes.outbox];
    let mut own = vec![Default::default(); sizes.own];
    let mut buckets = vec![Default::default(); sizes.buckets];
    let mut headers = vec![Default::default(); sizes.headers];
    let mut stubs = vec![Default::default(); sizes.stubs];
    let mut ghosts = vec![Default::default(); sizes.ghosts];
    let mut said = vec![Default::default(); sizes.said];
    let mut sending = vec![Default::default(); sizes.sending];
    let mut events = vec![Default::default(); sizes.events];
    let mut work = vec![Default::default(); sizes.work];
    let mut order = vec![0; sizes.work];
    let mut weights = vec![Default::default(); sizes.weights];
    let [first, second, third] = &mut slices.records;
    let [one, two, three] = &mut slices.classes;
    let memory = Memory {
        tangle: TangleMemory {
            vertices: &mut slices.vertices,
            index: &mut slices.index,
            tips: &mut slices.tips,
            marks: &mut slices.marks,
            members: &mut slices.members,
            sets: &mut slices.sets,
            settled: &mut slices.settled,
            tracked: &mut slices.tracked,
        },
        records: [first, second, third],
        classes: [one, two, three],
        raw: &mut slices.raw,
        raw_slots: &mut raw_slots,
        known: &mut slices.known,
        peers: &mut peers,
        aside: &mut aside,
        wants: &mut wants,
        outbox: &mut outbox,
        own: &mut own,
        buckets: &mut buckets,
        headers: &mut headers,
        stubs: &mut stubs,
        ghosts: &mut ghosts,
        said: &mut said,
        sending: &mut sending,
        events: &mut events,
        work: &mut work,
        order: &mut order,
        weights: &mut weights,
    };
    let head = Head {
        id: founders.g0,
        number: 0,
        debits: 0,
    };
    let mut world = World {
        founders: &founders,
        node: None,
        now: START + 100,
        heads: [head; MEMBERS as usize],
        known: vec![founders.g0, founders.neighbourhood],
        frames: Vec::new(),
        grades: BTreeMap::new(),
        frozen: 0,
    };
    world.boot(memory, Store::default());
    world.deliver(0, founders.genesis_frame());
    world.drain();
    world.deliver(0, founders.table_frame());
    world.drain();
    world.confirm();
    let now = Millis(world.now);
    assert_eq!(
        world.node().status(now).phase,
        Phase::Active,
        "the harness does not even start"
    );
    let mut script = Script(script);
    for _ in 0..64 {
        if script.0.is_empty() {
            break;
        }
        world.step(&mut script);
        world.drain();
    }
    world.now += PERIOD;
    world.drain();
}

impl<'m> World<'m> {
    fn boot(&mut self, memory: Memory<'m>, store: Store) {
        let key = secret(OWN).public_key();
        let device = CoseKey::thumbprint(&key);
        let claims = Claims {
            name: "Maker",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&device.0[..16]).expect("16 bytes"),
            key,
            kind: Kind::Device,
        };
        let mut certificate = [0; 400];
        let length = cert::issue(&claims, &secret(200), &mut certificate).expect("fits");
        let chain: [&[u8]; 1] = [&certificate[..length]];
        let config = Config::member(SIGNER.public_key(), &chain);
        let signer = NodeSigner::Software(secret(OWN));
        let mut node = Node::new(memory, LIMITS, &config, signer, store, Software)
            .expect("boots from what it stored itself");
        for peer in [0, 2, 3] {
            node.add_peer(Millis(self.now), Peer(peer), peer == 0)
                .expect("room for three");
        }
        self.node = Some(node);
    }

    /// Two neighbours say which own transaction they know last: before that a node issues nothing.
    fn confirm(&mut self) {
        let head = self.heads[usize::from(OWN)];
        let frame = self.founders.frame(&Frame::Heads {
            member: MemberIndex(OWN.into()),
            number: Number(head.number),
            id: head.id,
        });
        for peer in [2, 3] {
            self.deliver(peer, frame.clone());
        }
    }

    fn node(&mut self) -> &mut Node<'m, Store> {
        self.node.as_mut().expect("always one but during a reboot")
    }

    /// Hands a frame over. What is refused leaves the ledger as it was.
    fn deliver(&mut self, from: u8, frame: Vec<u8>) {
        let now = Millis(self.now);
        let node = self.node();
        let (before, sequence) = (node.counters().inserted, node.tangle().next_sequence());
        let result = node.receive(now, Peer(from.into()), &frame);
        if let Err(refusal) = result {
            assert_eq!(
                sequence,
                node.tangle().next_sequence(),
                "{refusal:?} changed the DAG"
            );
            assert_eq!(
                before,
                node.counters().inserted,
                "{refusal:?} counted as inserted"
            );
        }
        self.frames.push((from, frame));
    }

    /// Takes everything that the node has to say, and holds it against what a node may say.
    fn drain(&mut self) {
        let now = Millis(self.now);
        let mut out = [0; MAX_FRAME];
        for turn in 0.. {
            assert!(turn < 10_000, "frames without end");
            let Some((to, length)) = self.node().next_frame(now, &mut out) else {
                break;
            };
            assert!(
                to.0 < 4 && to.0 != OWN.into(),
                "a frame to {to:?}, who is no neighbour"
            );
            let (_, frame) = Frame::parse(&out[..length]).expect("a node sends frames that parse");
            if let Frame::Tx { cose, .. } = frame {
                let tx = iotedge_core::tx::Unverified::parse(cose)
                    .expect("a node sends transactions that parse");
                self.known.push(tx.id(&self.founders.neighbourhood));
            }
        }
        for turn in 0.. {
            assert!(turn < 10_000, "events without end");
            let Some(event) = self.node().next_event() else {
                break;
            };
            match event {
                Event::Graded { id, grade, .. } => self.graded(id, grade),
                Event::Frozen { member } => {
                    let frozen = self.node().tangle().frozen(member);
                    assert!(frozen, "frozen {member:?} is not frozen");
                    self.frozen |= 1 << (member.0 & 7);
                }
                _ => {}
            }
        }
        let status = self.node().status(now);
        assert!(status.window <= LIMITS.window && status.outbox <= LIMITS.outbox.into());
        assert!(status.aside <= LIMITS.aside.into());
        assert!(
            status.debits <= status.credits,
            "spent more than it has: {status:?}"
        );
        let _ = self.node().next_deadline(now);
    }

    /// Grades never go back, and `Dead` comes from the first two only.
    fn graded(&mut self, id: Id, grade: Grade) {
        let before = self.grades.insert(id, grade);
        match (before, grade) {
            (None, _) => {}
            (Some(before), Grade::Dead) => assert!(
                before <= Grade::Witnessed || before == Grade::Dead,
                "{id} died after {before:?}"
            ),
            (Some(Grade::Dead), grade) => panic!("{id} rose from the dead to {grade:?}"),
            (Some(before), grade) => assert!(
                grade >= before,
                "{id} went from {before:?} back to {grade:?}"
            ),
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 10 {
            0 => {
                let from = [0, 2, 3][usize::from(script.byte() % 3)];
                let mut frame = self.founders.neighbourhood.tag().to_vec();
                frame.extend_from_slice(script.bytes());
                self.deliver(from, frame);
            }
            1..=3 => self.transaction(script),
            4 => self.now += script.number() % 3_000,
            5 => {
                let now = Millis(self.now);
                let expires = (script.byte() & 1 == 1).then_some(Millis(self.now + 500));
                let submission = match script.byte() % 4 {
                    0 => Submission::Data(script.bytes()),
                    1 => Submission::Service(script.bytes()),
                    2 => Submission::Leave,
                    _ => Submission::Transfer {
                        to: MemberIndex(script.byte().into()),
                        amount: Amount(script.number()),
                    },
                };
                let _ = self.node().submit(now, &submission, expires);
            }
            6 => {
                // An earlier frame again, as it was or with one byte changed.
                if !self.frames.is_empty() {
                    let (from, mut frame) =
                        self.frames[usize::from(script.byte()) % self.frames.len()].clone();
                    let (at, change) = (script.number() as usize, script.byte());
                    if let Some(byte) = frame.get_mut(at) {
                        *byte ^= change;
                    }
                    self.deliver(from, frame);
                }
            }
            7 => {
                let node = self.node.take().expect("always one");
                let (memory, store, _) = node.into_parts();
                self.boot(memory, store);
                self.confirm();
                // After a reboot the window is built again: what was graded is told again from the start.
                self.grades.clear();
            }
            8 => self.header(script),
            _ => {
                let choice = script.byte();
                self.node().platform_mut().fail = choice & 1 == 1;
                let tables = self.founders.table_frame();
                if choice & 2 == 2 {
                    self.deliver(0, tables);
                }
            }
        }
    }

    /// A transaction of another member: right in everything but what the script changes, and signed by its issuer.
    fn transaction(&mut self, script: &mut Script<'_>) {
        let issuer = [0, 2, 3][usize::from(script.byte() % 3)];
        let head = self.heads[usize::from(issuer)];
        let mut tips = Vec::new();
        for _ in 0..script.byte() % 4 {
            let from_the_end = usize::from(script.byte()) % self.known.len();
            tips.push(self.known[self.known.len() - 1 - from_the_end]);
        }
        tips.sort_unstable();
        tips.dedup();
        let first = match script.byte() {
            0..=229 => head.id,
            other => self.known[usize::from(other) % self.known.len()],
        };
        tips.retain(|tip| *tip != first);
        let Ok(parents) = Parents::new(first, &tips) else {
            return;
        };
        let offset = script.or(self.now - START);
        let amount = 1 + script.number() % 1_100;
        let (debits, data) = (script.or(head.debits + amount), script.bytes());
        let pick =
            |script: &mut Script<'_>, known: &[Id]| known[usize::from(script.byte()) % known.len()];
        let body = match script.byte() % 8 {
            0 | 1 => Body::Data(if data.is_empty() { b"21.5 C" } else { data }),
            2 | 3 => Body::Transfer {
                to: MemberIndex(u16::from(script.byte()) % 6),
                amount: Amount(amount),
                debits: Amount(debits),
            },
            // No byte of its own, so that what is committed as a seed means what it meant.
            4 if amount % 3 == 1 => Body::Lock {
                to: MemberIndex(u16::from(script.byte()) % 6),
                amount: Amount(amount),
                debits: Amount(debits),
                term: 1 + amount as u32,
                terms: Terms::Ticks {
                    sale: SaleNumber(1),
                    units: amount as u32,
                    anchor: pick(script, &self.known),
                },
            },
            4 if amount % 3 == 2 => Body::Claim {
                lock: pick(script, &self.known),
                last: amount.is_multiple_of(2),
                proof: Proof::Tick(Tick {
                    index: amount as u32,
                    value: pick(script, &self.known).0,
                }),
            },
            4 => Body::Service(b"cpu"),
            5 => Body::Trim {
                cut: Millis(START + script.number()),
                previous: pick(script, &self.known),
                header: HeaderNumber(script.or(0) as u32),
                header_hash: pick(script, &self.known),
            },
            6 => Body::Exit {
                amount: Amount(amount),
                debits: Amount(debits),
                target: [9; 20],
            },
            _ => {
                let (one, other) = (pick(script, &self.known), pick(script, &self.known));
                Body::Evidence {
                    offender: MemberIndex(u16::from(script.byte()) % 6),
                    a: one.min(other),
                    b: one.max(other),
                }
            }
        };
        let payload = Payload {
            epoch: Epoch(script.or(1) as u32),
            issuer: MemberIndex(issuer.into()),
            number: Number(script.or(u64::from(head.number) + 1) as u32),
            offset: offset as u32,
            parents: match parents.prefixes() {
                Ok(prefixes) => prefixes,
                Err(_) => return,
            },
            body,
        };
        let mut room = [0; MAX_PAYLOAD];
        let Ok(bytes) = payload.encode(&mut room) else {
            return;
        };
        let mut cose = [0; 1024];
        let key = secret(issuer);
        let Ok(tx) = sign_with(
            &key,
            &self.founders.neighbourhood,
            bytes,
            &parents,
            &mut cose,
        ) else {
            return;
        };
        let frame = self.founders.frame(&Frame::Tx {
            cose: tx.cose(),
            attachment: None,
        });
        self.known.push(tx.id());
        // Most scripts go on from here; one in a few stays on the old head and so equivocates.
        if script.byte() < 220 {
            self.heads[usize::from(issuer)] = Head {
                id: tx.id(),
                number: payload.number.0,
                debits: match body {
                    Body::Transfer { debits, .. }
                    | Body::Lock { debits, .. }
                    | Body::Exit { debits, .. } => debits.0,
                    _ => head.debits,
                },
            };
        }
        let from = [issuer, 0, 2, 3][usize::from(script.byte() % 4)];
        self.deliver(from, frame);
    }

    /// A header by the GL-node with votes of the validators: signatures hold, the content is the script's.
    fn header(&mut self, script: &mut Script<'_>) {
        let pick =
            |script: &mut Script<'_>, known: &[Id]| known[usize::from(script.byte()) % known.len()];
        let mut copy = self.founders.records.clone();
        let table = MemberTable::adopt(&mut copy, MEMBERS.into()).expect("a table");
        let accepted: Vec<Id> = (0..script.byte() % 5)
            .map(|_| pick(script, &self.known))
            .collect();
        let cut = START + script.number();
        let time = if accepted.is_empty() { 0 } else { cut };
        let header = Header {
            neighbourhood: self.founders.neighbourhood,
            number: HeaderNumber(script.or(1) as u32),
            previous: if script.byte() < 220 {
                self.founders.neighbourhood
            } else {
                pick(script, &self.known)
            },
            trim: pick(script, &self.known),
            cut: Millis(cut),
            g0: pick(script, &self.known),
            count: script.or(accepted.len() as u64) as u32,
            state_root: pick(script, &self.known),
            exits_root: pick(script, &self.known),
            table_root: if script.byte() < 220 {
                table.root().expect("a root")
            } else {
                pick(script, &self.known)
            },
            members: script.or(MEMBERS.into()) as u32,
            weight: script.or(table.total_weight()),
            set_hash: if script.byte() < 220 {
                self.founders.set.hash()
            } else {
                pick(script, &self.known)
            },
            total_value: Amount(script.or(40_000)),
            first_time: Millis(time),
            last_time: Millis(time),
        };
        let mut room = [0; 600];
        let mut writer = Writer::new(&mut room);
        if header.encode(&mut writer).is_err() {
            return;
        }
        let payload = writer.written().to_vec();
        let key = secret(0);
        let protected = sign1::protected(&key.public_key());
        let mut scratch = [0; 800];
        let message = posp::header_signing_input(
            &protected,
            &self.founders.neighbourhood,
            &payload,
            &mut scratch,
        )
        .expect("fits");
        let signature = key.sign(message);
        let mut cose = [0; 800];
        let length = sign1::assemble(&protected, &payload, &signature, &mut cose).expect("fits");
        let (Ok(root), mut path) = (epoch_root(&payload, &accepted), [Id::ZERO; 32]) else {
            return;
        };
        let count = epoch_path(&payload, &accepted, 0, &mut path).expect("leaf 0 is there");
        let frame = self.founders.frame(&Frame::Header {
            cose: &cose[..length],
            path: List::of(&path[..count]),
        });
        self.deliver(0, frame);
        let vote = |index: u8| {
            let key = secret(100 + index);
            let bytes: [u8; 32] = key.public_key().bytes().try_into().expect("32 bytes");
            let mut scratch = [0; 400];
            let message = vote_message(
                &bytes,
                &self.founders.neighbourhood,
                header.number,
                &root,
                &mut scratch,
            )
            .expect("fits");
            Vote {
                index,
                signature: key.sign(message),
            }
        };
        let votes: Vec<Vote> = (0..2 + script.byte() % 3).map(vote).collect();
        let frame = self.founders.frame(&Frame::Votes {
            header: header.number,
            votes: List::of(&votes),
        });
        self.deliver(2, frame);
        if let Some(id) = accepted.first() {
            let count = epoch_path(&payload, &accepted, 1, &mut path).expect("leaf 1 is there");
            let frame = self.founders.frame(&Frame::Proof {
                header: header.number,
                id: *id,
                leaf: 1,
                size: accepted.len() as u32 + 1,
                path: List::of(&path[..count]),
            });
            self.deliver(3, frame);
        }
    }
}
