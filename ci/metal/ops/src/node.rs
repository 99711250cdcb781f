//! A node of a neighbourhood of four, from its first boot: it joins, pays and is paid. The others are played here.

use crate::room::slice;
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{Caps, CoseKey, Genesis, MemberTable, Record, Roles, genesis};
use iotedge_core::node::{Config, Limits, Memory, Node, NodeSigner, Phase, Submission};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::posp::{Validator, ValidatorSet};
use iotedge_core::tangle::TangleMemory;
use iotedge_core::tx::{Body, Draft, MAX_COSE, Unverified, sign_with};
use iotedge_core::wire::list::{List, Raw};
use iotedge_core::wire::{Frame, Writer};
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis, Number, Peer,
};

const START: u64 = 1_700_000_000_000;
const PERIOD: u64 = 60_000;
const MEMBERS: usize = 4;
const ME: u16 = 1;
const PAYER: u16 = 2;
const NONCE: [u8; 32] = [7; 32];

const LIMITS: Limits = Limits {
    window: 128,
    members: 32,
    peers: 8,
    aside: 4,
    outbox: 4,
    own: 8,
    raw: 5_600,
    weights: false,
    records: 0,
    tracked: 8,
    wants: 8,
    headers: 1,
    buckets: 8,
    queue: 16,
};

/// An entry of the store: key, length, value.
type Entry = (Option<u16>, usize, [u8; MAX_FRAME]);
const ENTRIES: usize = 64;

/// A store in memory: what a flash takes is the port's.
pub struct Store {
    random: u64,
    entries: &'static mut [Entry],
}

impl Store {
    fn new() -> Self {
        Self {
            random: 1,
            entries: slice((None, 0, [0; MAX_FRAME]), ENTRIES),
        }
    }

    fn entry(&mut self, key: Option<u16>) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.0 == key)
    }
}

impl Platform for Store {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        for byte in out {
            self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d) + 0x1405_7b7e;
            *byte = (self.random >> 56) as u8;
        }
        Ok(())
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some((_, len, value)) = self.entry(Some(key)) else {
            return Ok(None);
        };
        let place = out.get_mut(..*len).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(&value[..*len]);
        Ok(Some(*len))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        let known = self.entry(Some(key)).is_some();
        let entry = self.entry(known.then_some(key));
        let entry = entry.ok_or(PlatformError::StoreWrite)?;
        let place = entry.2.get_mut(..value.len());
        place
            .ok_or(PlatformError::StoreWrite)?
            .copy_from_slice(value);
        (entry.0, entry.1) = (Some(key), value.len());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        if let Some(entry) = self.entry(Some(key)) {
            entry.0 = None;
        }
        Ok(())
    }
}

fn memory() -> Memory<'static> {
    let sizes = LIMITS.sizes().expect("limits in range");
    Memory {
        tangle: TangleMemory {
            vertices: slice(Default::default(), sizes.tangle.vertices),
            index: slice(0, sizes.tangle.index),
            tips: slice(0, sizes.tangle.tips),
            marks: slice(0, sizes.tangle.marks),
            members: slice(Default::default(), sizes.tangle.members),
            sets: slice(0, sizes.tangle.sets),
            settled: slice(Default::default(), sizes.tangle.settled),
            tracked: slice(Default::default(), sizes.tangle.tracked),
        },
        records: core::array::from_fn(|_| slice(Record::EMPTY, sizes.records)),
        classes: core::array::from_fn(|_| slice(0, sizes.classes)),
        raw: slice(0, sizes.raw),
        raw_slots: slice(Default::default(), sizes.raw_slots),
        known: slice(0, sizes.known),
        peers: slice(Default::default(), sizes.peers),
        aside: slice(Default::default(), sizes.aside),
        wants: slice(Default::default(), sizes.wants),
        outbox: slice(Default::default(), sizes.outbox),
        own: slice(Default::default(), sizes.own),
        buckets: slice(Default::default(), sizes.buckets),
        headers: slice(Default::default(), sizes.headers),
        stubs: slice(Default::default(), sizes.stubs),
        ghosts: slice(Default::default(), sizes.ghosts),
        said: slice(Default::default(), sizes.said),
        sending: slice((0, 0), sizes.sending),
        events: slice(None, sizes.events),
        work: slice(Default::default(), sizes.work),
        order: slice(0, sizes.work),
        weights: slice(0, sizes.weights),
    }
}

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n + 1; 32]).expect("a seed")
}

const CAPS: Caps = Caps {
    tx: Amount(1_000),
    peer: Amount(5_000),
    exposure: Amount(20_000),
};

pub struct Device {
    node: Option<Node<'static, Store>>,
    parts: Option<(Memory<'static>, Store)>,
    authority: PublicKey,
    certificate: &'static [u8],
    genesis: &'static [u8],
    table: &'static [u8],
    neighbourhood: Id,
    now: Millis,
    frame: &'static mut [u8],
    paid: Id,
    offer: (&'static mut [u8], usize),
}

impl Device {
    /// Everything around it: authority, certificate, genesis, table.
    pub fn new() -> Self {
        let authority = secret(201);
        let key = secret(ME as u8).public_key();
        let claims = Claims {
            name: "Maker",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&CoseKey::thumbprint(&key).0[..16]).expect("an id"),
            key,
            kind: Kind::Device,
        };
        let certificate = slice(0, 400);
        let len = cert::issue(&claims, &secret(200), certificate).expect("fits");
        let founders: [Record; MEMBERS] = core::array::from_fn(|n| {
            let roles = match n {
                0 => Roles::GL_NODE.with(Roles::FULL_NODE),
                _ => Roles::NONE,
            };
            let key = secret(n as u8).public_key();
            let g0 = genesis::g0(&NONCE, 0);
            Record::enrolled(MemberIndex(n as u16), key, roles, CAPS, Amount(10_000), g0)
        });
        let mut copy = founders;
        let table = MemberTable::adopt(&mut copy, MEMBERS).expect("a table");
        let validators: [Validator; 4] = core::array::from_fn(|n| Validator {
            key: secret(100 + n as u8)
                .public_key()
                .bytes()
                .try_into()
                .expect("32 bytes"),
            stake: 25,
        });
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).expect("a set");
        let genesis = Genesis {
            nonce: NONCE,
            chain_id: 0,
            start: Millis(START),
            period: Millis(PERIOD),
            parent_age: Millis(PERIOD / 4),
            neighbours: 2,
            caps: CAPS,
            grant: Amount(10_000),
            max_members: 16,
            gl_node: MemberIndex(0),
            members: MEMBERS as u32,
            weight: table.total_weight(),
            table_root: table.root().expect("a root"),
            validator_set: set.hash(),
            set_age: Millis(3_600_000),
        };
        let mut cose = [0; 600];
        let cose_len = genesis.sign(&authority, &mut cose).expect("fits");
        let parsed = iotedge_core::identity::UnverifiedGenesis::parse(&cose[..cose_len]);
        let neighbourhood = parsed.expect("parses").neighbourhood();

        let mut bytes = [0; 600];
        let mut w = Writer::new(&mut bytes);
        set.encode(&mut w).expect("fits");
        let frame = Frame::Genesis {
            cose: &cose[..cose_len],
            set: w.into_written(),
        };
        let genesis = slice(0, MAX_FRAME);
        let genesis_len = frame.write([0; 4], genesis).expect("fits");

        let mut room = [[0; 256]; MEMBERS];
        let mut records = room.iter_mut().zip(&founders).map(|(room, record)| {
            let mut w = Writer::new(room);
            record.encode(&mut w).expect("fits");
            Raw(w.into_written())
        });
        let records: [Raw<'_>; MEMBERS] = core::array::from_fn(|_| records.next().expect("four"));
        let frame = Frame::Table {
            epoch: Epoch(1),
            first: MemberIndex(0),
            records: List::of(&records),
        };
        let table = slice(0, MAX_FRAME);
        let table_len = frame.write(neighbourhood.tag(), table).expect("fits");
        Self {
            node: None,
            parts: Some((memory(), Store::new())),
            authority: authority.public_key(),
            certificate: &certificate[..len],
            genesis: &genesis[..genesis_len],
            table: &table[..table_len],
            neighbourhood,
            now: Millis(START + 1_000),
            frame: slice(0, MAX_FRAME),
            paid: Id::ZERO,
            offer: (slice(0, MAX_FRAME), 0),
        }
    }

    /// From an empty store to the first frame out.
    pub fn boot(&mut self) -> bool {
        let Some((memory, store)) = self.parts.take() else {
            return false;
        };
        let chain = [self.certificate];
        let config = Config::member(self.authority, &chain);
        let signer = NodeSigner::Software(secret(ME as u8));
        let Ok(node) = Node::new(memory, LIMITS, &config, signer, store, Software) else {
            return false;
        };
        let node = self.node.insert(node);
        for peer in [0, PAYER, 3] {
            if node.add_peer(self.now, Peer(peer), peer == 0).is_err() {
                return false;
            }
        }
        node.next_frame(self.now, self.frame).is_some()
    }

    /// Until it may issue: genesis, table, and P_max over.
    pub fn join(&mut self) -> bool {
        let Some(node) = self.node.as_mut() else {
            return false;
        };
        let mut welcome = node.receive(self.now, Peer(0), self.genesis);
        for _ in 0..PERIOD / 2 / 100 {
            self.now.0 += 100;
            while let Some((peer, len)) = node.next_frame(self.now, self.frame) {
                let told = match Frame::parse(&self.frame[..len]) {
                    Ok((_, Frame::TableRequest { .. })) => node.receive(self.now, peer, self.table),
                    // Nobody holds anything of it. Two answers are enough: the third is not for it any more.
                    Ok((_, Frame::HeadsRequest { member })) => {
                        let (number, id) = (Number(0), genesis::g0(&NONCE, 0));
                        let heads = Frame::Heads { member, number, id };
                        let mut frame = [0; 64];
                        match heads.write(self.neighbourhood.tag(), &mut frame) {
                            Ok(len) => node.receive(self.now, peer, &frame[..len]).or(Ok(())),
                            Err(_) => return false,
                        }
                    }
                    _ => continue,
                };
                welcome = welcome.and(told);
            }
            while node.next_event().is_some() {}
        }
        welcome.is_ok() && node.status(self.now).phase == Phase::Active
    }

    /// A transfer: from the submission to the frame that carries it. With its signature checked before it leaves.
    pub fn pay(&mut self) -> bool {
        let Some(node) = self.node.as_mut() else {
            return false;
        };
        let transfer = Submission::Transfer {
            to: MemberIndex(3),
            amount: Amount(10),
        };
        if node.submit(self.now, &transfer, None).is_err() {
            return false;
        }
        while let Some((_, len)) = node.next_frame(self.now, self.frame) {
            if let Ok((_, Frame::Tx { cose, .. })) = Frame::parse(&self.frame[..len]) {
                let tx = Unverified::parse(cose);
                self.paid = tx.map_or(Id::ZERO, |tx| tx.id(&self.neighbourhood));
                return true;
            }
        }
        false
    }

    /// A neighbour makes a transfer to it.
    pub fn offer(&mut self) -> bool {
        self.now.0 += 100;
        let draft = Draft {
            epoch: Epoch(1),
            issuer: MemberIndex(PAYER),
            number: Number(1),
            offset: (self.now.0 - START) as u32,
            first: genesis::g0(&NONCE, 0),
            tips: &[self.paid],
            body: Body::Transfer {
                to: MemberIndex(ME),
                amount: Amount(20),
                debits: Amount(20),
            },
        };
        let (mut payload, mut cose) = ([0; MAX_PAYLOAD], [0; MAX_COSE]);
        let Ok(fitted) = draft.encode(&mut payload) else {
            return false;
        };
        let (key, nbh) = (secret(PAYER as u8), &self.neighbourhood);
        let Ok(tx) = sign_with(&key, nbh, fitted.payload, &fitted.parents, &mut cose) else {
            return false;
        };
        let frame = Frame::Tx {
            cose: tx.cose(),
            attachment: None,
        };
        match frame.write(nbh.tag(), self.offer.0) {
            Ok(len) => self.offer.1 = len,
            Err(_) => return false,
        }
        true
    }

    /// That transfer: from the frame to the window.
    pub fn be_paid(&mut self) -> bool {
        let (frame, len) = &self.offer;
        self.node.as_mut().is_some_and(|node| {
            let before = node.status(self.now).window;
            node.receive(self.now, Peer(PAYER), &frame[..*len]).is_ok()
                && node.status(self.now).window > before
        })
    }
}
