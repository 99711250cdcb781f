//! A neighbourhood of devices through the C functions alone, in one process.
//!
//! The test plays the gateway (it answers GENESIS_REQUEST and TABLE_REQUEST) and the network; everything else is what a C
//! program would call, on memory that is filled with garbage first.
#![allow(dead_code, reason = "each test binary uses its part")]

use core::ffi::c_void;
use iotedge::accelerator::*;
use iotedge::enrol::iotedge_enrol_statement;
use iotedge::key::*;
use iotedge::leaf::*;
use iotedge::node::*;
use iotedge::status::*;
use iotedge_core::crypto::{SecretKey, sha256};
use iotedge_core::identity::cert::{self, Claims, Cti, Kind, Seconds};
use iotedge_core::identity::{Caps, CoseKey, Genesis, MemberTable, Record, Roles, genesis};
use iotedge_core::posp::{Validator, ValidatorSet};
use iotedge_core::wire::list::{List, Raw};
use iotedge_core::wire::{Frame, Writer};
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex, Millis};
use std::collections::{HashMap, VecDeque};

pub const START: u64 = 1_700_000_000_000;
pub const PERIOD: u64 = 10_000;
pub const GATEWAY: u32 = 99;
/// Three of them are a quorum. Their keys: from 100.
pub const VALIDATORS: u8 = 4;

pub fn seed(n: u8) -> [u8; 32] {
    sha256(&[b"neighbourhood", &[n]])
}

pub fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed(&seed(n)).unwrap()
}

pub fn public(n: u8) -> iotedge_public_key_t {
    let mut key = iotedge_public_key_t {
        size: 72,
        suite: 0,
        bytes: [0; 64],
    };
    // SAFETY: both live.
    let status = unsafe { iotedge_public_key_from_seed(seed(n).as_ptr(), &raw mut key) };
    assert_eq!(status, IOTEDGE_OK);
    key
}

pub fn certificate(n: u8) -> Vec<u8> {
    let key = secret(n).public_key();
    let claims = Claims {
        name: "Maker",
        expires: None,
        not_before: None,
        issued: Seconds(1),
        cti: Cti::new(&CoseKey::thumbprint(&key).0[..16]).unwrap(),
        key,
        kind: Kind::Device,
    };
    let mut out = vec![0; 400];
    let len = cert::issue(&claims, &secret(200), &mut out).unwrap();
    out.truncate(len);
    out
}

#[derive(Default)]
pub struct Device {
    store: HashMap<u32, Vec<u8>>,
    random: u64,
    /// Signatures that its engine was asked about, whether it fails from now on, and how often the library told so.
    pub asked: usize,
    fails: bool,
    pub told: usize,
    /// Of each signature that its engine found good.
    pub good: Vec<u64>,
}

/// FNV-1a over what one signature is about.
pub fn mark(parts: [&[u8]; 3]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// The software, called for an engine.
unsafe extern "C" fn engine(
    user: *mut c_void,
    suite: i32,
    key: *const u8,
    message: *const u8,
    len: usize,
    signature: *const u8,
) -> u32 {
    // SAFETY: `user` is a `Device`; the rest is as the structure says.
    let status = unsafe {
        let device = &mut *user.cast::<Device>();
        device.asked += 1;
        if device.fails {
            return 0;
        }
        let mut public: iotedge_public_key_t = core::mem::zeroed();
        public.size = size_of::<iotedge_public_key_t>() as u32;
        public.suite = suite;
        let bytes = if suite == IOTEDGE_SUITE_ED25519 {
            32
        } else {
            64
        };
        public.bytes[..bytes].copy_from_slice(core::slice::from_raw_parts(key, bytes));
        let status = iotedge_verify(&raw const public, message, len, signature);
        if status == IOTEDGE_OK {
            let [message, signature] = [(message, len), (signature, 64)]
                .map(|(at, len)| core::slice::from_raw_parts(at, len));
            device
                .good
                .push(mark([&public.bytes[..bytes], message, signature]));
        }
        status
    };
    match status {
        IOTEDGE_OK => IOTEDGE_ACCELERATOR_VALID,
        _ => IOTEDGE_ACCELERATOR_INVALID,
    }
}

unsafe extern "C" fn told(user: *mut c_void, what: u32) {
    assert_eq!(what, IOTEDGE_ACCELERATOR_FAILED);
    // SAFETY: `user` is a `Device`.
    unsafe { (*user.cast::<Device>()).told += 1 };
}

unsafe extern "C" fn random(user: *mut c_void, out: *mut u8, len: usize) -> i32 {
    // SAFETY: `user` is a `Device`, `out` has `len` bytes.
    let (device, out) = unsafe {
        (
            &mut *user.cast::<Device>(),
            core::slice::from_raw_parts_mut(out, len),
        )
    };
    for byte in out {
        device.random = device
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *byte = (device.random >> 33) as u8;
    }
    IOTEDGE_OK
}

unsafe extern "C" fn get(
    user: *mut c_void,
    key: u32,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: as above.
    unsafe {
        match (*user.cast::<Device>()).store.get(&key) {
            None => IOTEDGE_E_NONE,
            Some(value) if value.len() > capacity => IOTEDGE_E_PLATFORM,
            Some(value) => {
                out.copy_from(value.as_ptr(), value.len());
                *len = value.len();
                IOTEDGE_OK
            }
        }
    }
}

unsafe extern "C" fn put(user: *mut c_void, key: u32, value: *const u8, len: usize) -> i32 {
    // SAFETY: as above.
    let value = unsafe { core::slice::from_raw_parts(value, len) }.to_vec();
    // SAFETY: as above.
    unsafe { (*user.cast::<Device>()).store.insert(key, value) };
    IOTEDGE_OK
}

unsafe extern "C" fn remove(user: *mut c_void, key: u32) -> i32 {
    // SAFETY: as above.
    unsafe { (*user.cast::<Device>()).store.remove(&key) };
    IOTEDGE_OK
}

pub fn event() -> iotedge_event_t {
    // SAFETY: integers only.
    let mut event: iotedge_event_t = unsafe { core::mem::zeroed() };
    event.size = size_of::<iotedge_event_t>() as u32;
    event
}

/// What one device heard, and what that came to.
pub struct Heard {
    pub at: u64,
    pub from: u32,
    pub frame: Vec<u8>,
    pub status: i32,
    /// Of the transaction that is watched; 0: not there.
    pub grade: u32,
}

#[derive(Default)]
pub struct Recording {
    pub who: u32,
    pub watched: Option<[u8; 32]>,
    pub heard: Vec<Heard>,
}

pub struct Network {
    pub now: u64,
    pub recording: Option<Recording>,
    pub memory: Vec<Vec<u64>>,
    /// Never moved while the nodes live: the vector does not grow.
    pub devices: Vec<Device>,
    pub nodes: Vec<*mut iotedge_node_t>,
    pub events: Vec<Vec<iotedge_event_t>>,
    pub wire: VecDeque<(u64, u32, u32, Vec<u8>)>,
    pub genesis: Vec<u8>,
    pub neighbourhood: Id,
    pub set: ValidatorSet,
    pub founders: Vec<Record>,
    /// The element of the last device fails, then signs wrongly, then works.
    pub element: u32,
    /// The last founder, where it is a leaf: its number is that of the nodes.
    pub leaf: *mut iotedge_leaf_t,
    /// The seed of the owner of whoever boots from now on.
    pub owner: Option<u8>,
    /// Who does nothing any more.
    pub dead: Vec<u32>,
    /// Transactions of the leaf are lost at this neighbour, which answers all else.
    pub censor: Option<u32>,
}

impl Network {
    pub fn new(members: u8) -> Self {
        Self::founded(members, members)
    }

    /// The last founder holds no window. The nodes are a cluster, the higher the number the abler, and all have their key in memory.
    pub fn with_leaf(nodes: u8) -> Self {
        let mut net = Self::founded(nodes + 1, nodes);
        net.boot_leaf();
        net
    }

    fn founded(members: u8, nodes: u8) -> Self {
        let caps = Caps {
            tx: Amount(1_000),
            peer: Amount(5_000),
            exposure: Amount(20_000),
        };
        let nonce = [7; 32];
        let g0 = genesis::g0(&nonce, 0);
        let founders: Vec<Record> = (0..members)
            .map(|n| {
                let roles = match n {
                    0 => Roles::GL_NODE,
                    n if n >= nodes => Roles::SUBMIT_ONLY,
                    _ => Roles::NONE,
                };
                let index = MemberIndex(u16::from(n));
                Record::enrolled(
                    index,
                    secret(n).public_key(),
                    roles,
                    caps,
                    Amount(10_000),
                    g0,
                )
            })
            .collect();
        let mut copy = founders.clone();
        let table = MemberTable::adopt(&mut copy, founders.len()).unwrap();
        let validators: Vec<Validator> = (0..VALIDATORS)
            .map(|n| Validator {
                key: secret(100 + n).public_key().bytes().try_into().unwrap(),
                stake: 1,
            })
            .collect();
        let set = ValidatorSet::new(1, HeaderNumber(1), &validators).unwrap();
        let genesis = Genesis {
            nonce,
            chain_id: 0,
            start: Millis(START),
            period: Millis(PERIOD),
            parent_age: Millis(PERIOD / 4),
            neighbours: 2,
            caps,
            grant: Amount(10_000),
            max_members: 16,
            gl_node: MemberIndex(0),
            members: u32::from(members),
            weight: table.total_weight(),
            table_root: table.root().unwrap(),
            validator_set: set.hash(),
            set_age: Millis(3_600_000),
        };
        let neighbourhood = genesis.neighbourhood().unwrap();
        let mut out = vec![0; 600];
        let len = genesis.sign(&secret(201), &mut out).unwrap();
        out.truncate(len);
        let count = usize::from(members);
        let mut net = Self {
            now: START,
            recording: None,
            memory: vec![Vec::new(); count],
            devices: (0..members)
                .map(|n| Device {
                    random: n.into(),
                    ..Device::default()
                })
                .collect(),
            nodes: vec![core::ptr::null_mut(); usize::from(nodes)],
            events: (0..count).map(|_| Vec::new()).collect(),
            wire: VecDeque::new(),
            genesis: out,
            neighbourhood,
            set,
            founders,
            element: 0,
            leaf: core::ptr::null_mut(),
            owner: None,
            dead: Vec::new(),
            censor: None,
        };
        for n in 0..nodes {
            net.boot(n);
        }
        net
    }

    pub fn external(&self, n: usize) -> bool {
        n + 1 == self.nodes.len() && self.founders.len() == self.nodes.len()
    }

    pub fn boot(&mut self, n: u8) {
        let i = usize::from(n);
        // SAFETY: structures of integers and pointers; every pointer lives through the call; the memory belongs to the node until
        // `iotedge_node_deinit`, and the device longer than the node.
        unsafe {
            let mut limits: iotedge_limits_t = core::mem::zeroed();
            limits.size = size_of::<iotedge_limits_t>() as u32;
            assert_eq!(iotedge_limits_default(&raw mut limits), IOTEDGE_OK);
            limits.window = 256;
            let mut bytes = 0;
            assert_eq!(
                iotedge_node_size(&raw const limits, &raw mut bytes),
                IOTEDGE_OK
            );
            self.memory[i] = vec![0xdead_beef_dead_beef; bytes / 8];

            let authority = public(201);
            let own = public(n);
            let seed = seed(n);
            let certificate = certificate(n);
            let mut statement = [0; 96];
            let mut statement_len = 0;
            let mut id = [0; 32];
            let mut proof = [0; 64];
            assert_eq!(
                iotedge_device_id(&raw const own, id.as_mut_ptr()),
                IOTEDGE_OK
            );
            let status = iotedge_enrol_statement(
                &raw const authority,
                id.as_ptr(),
                statement.as_mut_ptr(),
                96,
                &raw mut statement_len,
            );
            assert_eq!(status, IOTEDGE_OK);
            let status = iotedge_sign(
                seed.as_ptr(),
                statement.as_ptr(),
                statement_len,
                proof.as_mut_ptr(),
            );
            assert_eq!(status, IOTEDGE_OK);

            let owner = self.owner.map(public);
            let mut config: iotedge_config_t = core::mem::zeroed();
            config.size = size_of::<iotedge_config_t>() as u32;
            config.authority = &raw const authority;
            config.owner = owner
                .as_ref()
                .map_or(core::ptr::null(), |owner| &raw const *owner);
            config.certificate = certificate.as_ptr();
            config.certificate_len = certificate.len();
            if self.external(i) {
                config.signer = &raw const own;
                config.enrolment = proof.as_ptr();
            } else {
                config.seed = seed.as_ptr();
            }
            // Device 1 has an engine that fails once it was taken, device 2 a good one.
            let engine = iotedge_accelerator_t {
                size: size_of::<iotedge_accelerator_t>() as u32,
                suites: IOTEDGE_ACCELERATE_ED25519,
                user: (&raw mut self.devices[i]).cast(),
                verify: Some(engine),
                told: Some(told),
            };
            self.devices[i].fails = false;
            let platform = iotedge_platform_t {
                size: size_of::<iotedge_platform_t>() as u32,
                reserved: 0,
                user: (&raw mut self.devices[i]).cast(),
                random: Some(random),
                store_get: Some(get),
                store_put: Some(put),
                store_remove: Some(remove),
                store_user: core::ptr::null_mut(),
                counter_read: None,
                counter_advance: None,
                counter_stride: 0,
                reserved2: 0,
                attest: None,
                accelerator: match i {
                    1 | 2 => &raw const engine,
                    _ => core::ptr::null(),
                },
            };
            let memory = self.memory[i].as_mut_ptr();
            let status = iotedge_node_init(
                memory.cast(),
                bytes,
                &raw const limits,
                &raw const config,
                &raw const platform,
                &raw mut self.nodes[i],
            );
            self.devices[i].fails = i == 1;
            assert_eq!(status, IOTEDGE_OK);
            for peer in 0..self.founders.len() as u32 {
                if peer != u32::from(n) {
                    assert_eq!(
                        iotedge_node_add_peer(self.nodes[i], self.now, peer, 0),
                        IOTEDGE_OK
                    );
                }
            }
            assert_eq!(
                iotedge_node_add_peer(self.nodes[i], self.now, GATEWAY, 1),
                IOTEDGE_OK
            );
        }
    }

    /// The leaf, on memory of the constant's size; it hears all nodes.
    pub fn boot_leaf(&mut self) {
        let n = self.nodes.len();
        // SAFETY: as in `boot`.
        unsafe {
            self.memory[n] = vec![0xdead_beef_dead_beef; IOTEDGE_LEAF_SIZE / 8];
            let authority = public(201);
            let seed = seed(n as u8);
            let mut config: iotedge_leaf_config_t = core::mem::zeroed();
            config.size = size_of::<iotedge_leaf_config_t>() as u32;
            config.authority = &raw const authority;
            config.seed = seed.as_ptr();
            let platform = iotedge_platform_t {
                size: size_of::<iotedge_platform_t>() as u32,
                reserved: 0,
                user: (&raw mut self.devices[n]).cast(),
                random: Some(random),
                store_get: Some(get),
                store_put: Some(put),
                store_remove: Some(remove),
                store_user: core::ptr::null_mut(),
                counter_read: None,
                counter_advance: None,
                counter_stride: 0,
                reserved2: 0,
                attest: None,
                accelerator: std::ptr::null(),
            };
            let memory = self.memory[n].as_mut_ptr();
            let status = iotedge_leaf_init(
                memory.cast(),
                IOTEDGE_LEAF_SIZE,
                &raw const config,
                &raw const platform,
                &raw mut self.leaf,
            );
            assert_eq!(status, IOTEDGE_OK);
            for peer in 0..n as u32 {
                assert_eq!(iotedge_leaf_add_peer(self.leaf, peer, 0), IOTEDGE_OK);
            }
        }
    }

    pub fn leaf_status(&self) -> iotedge_leaf_status_t {
        // SAFETY: integers only; a live leaf.
        unsafe {
            let mut status: iotedge_leaf_status_t = core::mem::zeroed();
            status.size = size_of::<iotedge_leaf_status_t>() as u32;
            let result = iotedge_leaf_status(self.leaf, &raw mut status);
            assert_eq!(result, IOTEDGE_OK);
            status
        }
    }

    fn drain_leaf(&mut self) {
        let n = self.nodes.len();
        if self.leaf.is_null() {
            return;
        }
        let mut found = event();
        // SAFETY: a live leaf.
        while unsafe { iotedge_leaf_next_event(self.leaf, &raw mut found) } == IOTEDGE_OK {
            self.events[n].push(found);
        }
        loop {
            let (mut peer, mut frame, mut len) = (0, core::ptr::null(), 0);
            // SAFETY: a live leaf; the frame is read before its next call.
            let frame = unsafe {
                let status = iotedge_leaf_next_frame(
                    self.leaf,
                    self.now,
                    &raw mut peer,
                    &raw mut frame,
                    &raw mut len,
                );
                if status != IOTEDGE_OK {
                    assert_eq!(status, IOTEDGE_E_NONE);
                    return;
                }
                core::slice::from_raw_parts(frame, len).to_vec()
            };
            let tx = matches!(Frame::parse(&frame), Ok((_, Frame::Tx { .. })));
            if !(tx && self.censor == Some(peer)) {
                self.wire.push_back((self.now + 2, n as u32, peer, frame));
            }
        }
    }

    pub fn answer(&mut self, from: u32, frame: &[u8]) {
        let Ok((_, frame)) = Frame::parse(frame) else {
            return;
        };
        let mut out = vec![0; IOTEDGE_MAX_FRAME];
        let len = match frame {
            Frame::GenesisRequest => {
                let mut set = vec![0; IOTEDGE_MAX_SET];
                let mut w = Writer::new(&mut set);
                self.set.encode(&mut w).unwrap();
                let (cose, set) = (&self.genesis[..], w.into_written());
                Frame::Genesis { cose, set }
                    .write([0; 4], &mut out)
                    .unwrap()
            }
            Frame::TableRequest { epoch, first } if epoch.0 == 1 => {
                let records: Vec<Vec<u8>> = self
                    .founders
                    .iter()
                    .skip(usize::from(first.0))
                    .take(5)
                    .map(|record| {
                        let mut bytes = vec![0; 256];
                        let mut w = Writer::new(&mut bytes);
                        record.encode(&mut w).unwrap();
                        w.into_written().to_vec()
                    })
                    .collect();
                let raw: Vec<Raw<'_>> = records.iter().map(|r| Raw(r)).collect();
                let records = List::of(&raw);
                let table = Frame::Table {
                    epoch,
                    first,
                    records,
                };
                table.write(self.neighbourhood.tag(), &mut out).unwrap()
            }
            _ => return,
        };
        out.truncate(len);
        self.wire.push_back((self.now + 2, GATEWAY, from, out));
    }

    /// The element: fails first, signs something else second, and works from the third time on.
    pub fn sign(&mut self, n: usize) {
        let mut message = [0; 640];
        let mut len = 0;
        let mut signature = [0; 64];
        // SAFETY: a live node and buffers of the sizes that are said.
        unsafe {
            let node = self.nodes[n];
            if iotedge_node_sign_input(node, message.as_mut_ptr(), message.len(), &raw mut len)
                != IOTEDGE_OK
            {
                return;
            }
            self.element += 1;
            match self.element {
                1 => assert_eq!(iotedge_node_sign_fail(node, self.now), IOTEDGE_OK),
                2 => {
                    let status = iotedge_sign(
                        seed(77).as_ptr(),
                        message.as_ptr(),
                        len,
                        signature.as_mut_ptr(),
                    );
                    assert_eq!(status, IOTEDGE_OK);
                    let status = iotedge_node_sign_output(node, self.now, signature.as_ptr());
                    assert_eq!(status, IOTEDGE_E_SIGNATURE);
                }
                _ => {
                    let status = iotedge_sign(
                        seed(n as u8).as_ptr(),
                        message.as_ptr(),
                        len,
                        signature.as_mut_ptr(),
                    );
                    assert_eq!(status, IOTEDGE_OK);
                    let status = iotedge_node_sign_output(node, self.now, signature.as_ptr());
                    assert_eq!(status, IOTEDGE_OK);
                }
            }
        }
    }

    pub fn drain(&mut self, n: usize) {
        if self.dead.contains(&(n as u32)) {
            return;
        }
        loop {
            let mut found = event();
            // SAFETY: a live node.
            while unsafe { iotedge_node_next_event(self.nodes[n], &raw mut found) } == IOTEDGE_OK {
                self.events[n].push(found);
                if found.kind == IOTEDGE_EVENT_SIGNATURE_NEEDED {
                    self.sign(n);
                }
            }
            let (mut peer, mut frame, mut len) = (0, [0; IOTEDGE_MAX_FRAME], 0);
            // SAFETY: a live node and buffers of the sizes that are said.
            let status = unsafe {
                iotedge_node_next_frame(
                    self.nodes[n],
                    self.now,
                    &raw mut peer,
                    frame.as_mut_ptr(),
                    frame.len(),
                    &raw mut len,
                )
            };
            if status != IOTEDGE_OK {
                assert_eq!(status, IOTEDGE_E_NONE);
                return;
            }
            self.wire
                .push_back((self.now + 2, n as u32, peer, frame[..len].to_vec()));
        }
    }

    pub fn run(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while self.now < end {
            while self.wire.front().is_some_and(|f| f.0 <= self.now) {
                let (_, from, to, frame) = self.wire.pop_front().unwrap();
                if to == GATEWAY {
                    self.answer(from, &frame);
                    continue;
                }
                if self.dead.contains(&to) {
                    continue;
                }
                if to as usize == self.nodes.len() {
                    // SAFETY: a live leaf and a frame of this length.
                    let _ = unsafe {
                        iotedge_leaf_receive(self.leaf, self.now, from, frame.as_ptr(), frame.len())
                    };
                    self.drain_leaf();
                    continue;
                }
                // SAFETY: a live node and a frame of this length. What is refused is counted.
                let status = unsafe {
                    iotedge_node_receive(
                        self.nodes[to as usize],
                        self.now,
                        from,
                        frame.as_ptr(),
                        frame.len(),
                    )
                };
                self.record(to, from, frame, status);
                self.drain(to as usize);
            }
            for n in 0..self.nodes.len() {
                self.drain(n);
            }
            self.drain_leaf();
            self.now += 5;
        }
    }

    fn record(&mut self, to: u32, from: u32, frame: Vec<u8>, status: i32) {
        let at = self.now;
        let Some(recording) = self.recording.as_mut().filter(|r| r.who == to) else {
            return;
        };
        let mut grade = 0;
        if let Some(id) = recording.watched {
            // SAFETY: a live node and an id; a transaction that is not there has no grade.
            let _ =
                unsafe { iotedge_node_grade(self.nodes[to as usize], id.as_ptr(), &raw mut grade) };
        }
        recording.heard.push(Heard {
            at,
            from,
            frame,
            status,
            grade,
        });
    }

    pub fn status(&self, n: usize) -> iotedge_node_status_t {
        // SAFETY: integers only; a live node.
        unsafe {
            let mut status: iotedge_node_status_t = core::mem::zeroed();
            status.size = size_of::<iotedge_node_status_t>() as u32;
            assert_eq!(
                iotedge_node_status(self.nodes[n], self.now, &raw mut status),
                IOTEDGE_OK
            );
            status
        }
    }

    pub fn submit(&mut self, n: usize, body: &[u8]) -> u32 {
        let mut ticket = 0;
        // SAFETY: a live node and a body of this length.
        let status = unsafe {
            iotedge_node_submit_data(
                self.nodes[n],
                self.now,
                0,
                body.as_ptr(),
                body.len(),
                &raw mut ticket,
            )
        };
        assert_eq!(status, IOTEDGE_OK);
        ticket
    }

    pub fn find(
        &self,
        n: usize,
        kind: u32,
        also: impl Fn(&iotedge_event_t) -> bool,
    ) -> Option<&iotedge_event_t> {
        self.events[n].iter().find(|e| e.kind == kind && also(e))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if !self.leaf.is_null() {
            // SAFETY: live, and not used any more.
            let _ = unsafe { iotedge_leaf_deinit(self.leaf) };
        }
        for node in &self.nodes {
            // SAFETY: live, and not used any more.
            let status = unsafe { iotedge_node_deinit(*node) };
            if !std::thread::panicking() {
                assert_eq!(status, IOTEDGE_OK);
            }
        }
    }
}
