//! A light device: its own key, chain and socket, and the few tips that it heard of. It keeps no ledger, so that the gateway is
//! what is measured; what it sends is what a device sends, and its parents are tips that the gateway told it of.

use super::Home;
use anyhow::{Context, Result, anyhow};
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, sha256};
use iotedge_core::identity::cert::{self, Claims, Cti, MAX_CERTIFICATE, Seconds};
use iotedge_core::identity::{CoseKey, Kind, enrol};
use iotedge_core::tx::{
    Body, Draft, MAX_COSE, MAX_SIGNING_INPUT, Unverified, sign_with, signing_input,
};
use iotedge_core::wire::{Certificates, Frame, List};
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis, Number, Prefix,
};
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

/// Tips that a device remembers.
const POOL: usize = 8;
/// Announcements from which it takes its tips.
const RECENT: usize = 256;
/// Tips that it asks for with each burst.
const ASKED: usize = 4;

/// A transaction as its children see it.
#[derive(Clone, Copy)]
struct Vertex {
    id: Id,
    time: Millis,
    /// The epoch that it hands on.
    epoch: Epoch,
}

/// What was sent and not acknowledged yet.
struct Burst {
    frames: Vec<(u32, Vec<u8>)>,
    first: Instant,
    last: Instant,
}

/// A signature that went over the wire, for the bare loop.
pub type Signed = (PublicKey, Vec<u8>, Signature);

/// What a device counted.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// Transactions that the gateway acknowledged.
    pub acknowledged: u64,
    /// Datagrams sent again because no answer came.
    pub repeated: u64,
    /// Parents besides the own previous one.
    pub tips: u64,
}

/// See the module.
pub struct Device {
    /// Its socket.
    pub socket: UdpSocket,
    key: SecretKey,
    enrolment: Vec<u8>,
    /// Its index, once a member.
    pub index: Option<MemberIndex>,
    number: u32,
    debits: u64,
    previous: Option<Vertex>,
    pool: VecDeque<Vertex>,
    heard: Vec<Prefix>,
    offered: usize,
    random: u64,
    burst: Option<Burst>,
    /// Times of what it sent and no header covers yet: each holds a place in a device's store until its receipt.
    open: VecDeque<Millis>,
    fetched: Instant,
    /// What it counted.
    pub counts: Counts,
}

impl Device {
    /// The `n`th device, certified by `maker`, that will enrol with `authority`.
    ///
    /// # Errors
    /// No socket.
    pub fn new(
        n: u16,
        maker: &SecretKey,
        authority: &PublicKey,
        gateway: SocketAddr,
    ) -> Result<Self> {
        let seed = sha256(&[b"iotedge gateway load", &n.to_be_bytes()]);
        let key = SecretKey::from_seed(&seed).map_err(|e| anyhow!("{e:?}"))?;
        let id = CoseKey::thumbprint(&key.public_key());
        let claims = Claims {
            name: "Load",
            expires: None,
            not_before: None,
            issued: Seconds(1),
            cti: Cti::new(&id.0[..16]).map_err(|e| anyhow!("{e:?}"))?,
            key: key.public_key(),
            kind: Kind::Device,
        };
        let mut certificate = [0; MAX_CERTIFICATE];
        let len = cert::issue(&claims, maker, &mut certificate).map_err(|e| anyhow!("{e:?}"))?;
        let statement = enrol::statement(authority, &id).map_err(|e| anyhow!("{e:?}"))?;
        let proof = key.sign(statement.as_bytes());
        let frame = Frame::Enrol {
            certificates: Certificates {
                first: &certificate[..len],
                second: None,
            },
            proof: &proof.0,
            attestation: None,
        };
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(gateway)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            key,
            enrolment: write(&frame, [0; 4]),
            index: None,
            number: 0,
            debits: 0,
            previous: None,
            pool: VecDeque::new(),
            heard: Vec::new(),
            offered: 0,
            random: 0x9e37_79b9_7f4a_7c15 ^ u64::from(n),
            burst: None,
            open: VecDeque::new(),
            fetched: Instant::now(),
            counts: Counts::default(),
        })
    }

    /// Asks to be a member, or which one it is.
    pub fn enrol(&self) {
        let _ = self.socket.send(&self.enrolment);
    }

    /// Whether everything sent was acknowledged.
    pub fn idle(&self) -> bool {
        self.burst.is_none()
    }

    /// Whether it may say so many more now, as an L-node would: what is not settled holds a place in its store, and the second half of
    /// the places is made to last, so that two thirds of the members can still speak T/2 after any cut.
    pub fn may_speak(&mut self, home: &Home, places: usize, count: u32) -> bool {
        while self.open.front().is_some_and(|time| *time <= home.cut()) {
            self.open.pop_front();
        }
        let Some(free) = places.checked_sub(self.open.len() + count as usize) else {
            return false;
        };
        if free * 2 >= places {
            return true;
        }
        let last = self.open.back().map_or(0, |time| time.0);
        let pause = 2 * home.period.0 * u64::from(count) / (free as u64 + 1);
        // Half to one and a half times as long: if all were silent together, no tip would be fresh for the next.
        home.now().0
            >= last + pause * (128 + u64::from(self.debits as u8 ^ self.random as u8)) / 256
    }

    /// Takes a frame. Gives the time from sending a burst to the answer that acknowledges all of it.
    pub fn receive(&mut self, home: &mut Home, bytes: &[u8], now: Instant) -> Option<f64> {
        let Ok((tag, frame)) = Frame::parse(bytes) else {
            return None;
        };
        match frame {
            Frame::EnrolResult {
                index: Some(index), ..
            } => self.index = Some(index),
            Frame::Genesis { cose, .. } => home.found(cose),
            _ if tag != home.tag() => {}
            Frame::Header { cose, .. } => home.header(cose),
            Frame::Announce(prefixes) => self.hear(prefixes.iter()),
            Frame::Tx { cose, .. } => self.learn(home, cose),
            Frame::Heads { member, number, .. } if Some(member) == self.index => {
                return self.acknowledge(number.0, now);
            }
            _ => {}
        }
        None
    }

    /// Keeps a fair sample of the last [`RECENT`] or so that were announced: if all took the newest, all would stand on the same few, and no
    /// cone would hold the neighbourhood; if they took any since they last spoke, news would travel slowly.
    fn hear(&mut self, prefixes: impl Iterator<Item = Prefix>) {
        for prefix in prefixes {
            self.offered = (self.offered + 1).min(RECENT);
            if self.heard.len() < ASKED {
                self.heard.push(prefix);
                continue;
            }
            let place = self.draw(self.offered);
            if let Some(heard) = self.heard.get_mut(place) {
                *heard = prefix;
            }
        }
    }

    /// A number below `limit`: xorshift, which needs no more than to be spread.
    fn draw(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % limit.max(1) as u64) as usize
    }

    fn learn(&mut self, home: &Home, cose: &[u8]) {
        let Ok(tx) = Unverified::parse(cose) else {
            return;
        };
        let payload = tx.payload();
        let Some(start) = home.clock(payload.epoch) else {
            return;
        };
        let mut epoch = payload.epoch;
        if let Body::Trim { header, .. } = payload.body {
            epoch = epoch.max(HeaderNumber(header.0).opens());
        }
        let vertex = Vertex {
            id: tx.id(&home.neighbourhood),
            time: start.saturating_add(payload.offset.into()),
            epoch,
        };
        if Some(payload.issuer) == self.index || self.pool.iter().any(|v| v.id == vertex.id) {
            return;
        }
        if self.pool.len() == POOL {
            self.pool.pop_front();
        }
        self.pool.push_back(vertex);
    }

    fn acknowledge(&mut self, number: u32, now: Instant) -> Option<f64> {
        let burst = self.burst.as_mut()?;
        let before = burst.frames.len();
        burst.frames.retain(|(n, _)| *n > number);
        self.counts.acknowledged += (before - burst.frames.len()) as u64;
        if !burst.frames.is_empty() {
            return None;
        }
        let taken = now.duration_since(burst.first).as_secs_f64();
        self.burst = None;
        Some(taken)
    }

    /// Signs and sends `count` transactions, asks for its head after them (the acknowledgement) and for tips for the next time.
    ///
    /// # Errors
    /// A transaction that cannot be made: a mistake of the generator's.
    pub fn speak(&mut self, home: &mut Home, count: u32, payee: MemberIndex) -> Result<()> {
        let mut frames = Vec::new();
        for _ in 0..count {
            frames.push((self.number + 1, self.issue(home, payee)?));
        }
        let now = Instant::now();
        for (_, frame) in &frames {
            let _ = self.socket.send(frame);
        }
        self.burst = Some(Burst {
            frames,
            first: now,
            last: now,
        });
        self.ask(home);
        self.fetch(home, now);
        Ok(())
    }

    /// Asks for the tips that it heard of.
    fn fetch(&mut self, home: &Home, now: Instant) {
        self.fetched = now;
        let wanted = std::mem::take(&mut self.heard);
        self.offered = 0;
        if !wanted.is_empty() {
            let _ = self
                .socket
                .send(&write(&Frame::Request(List::of(&wanted)), home.tag()));
        }
    }

    /// Keeps its tips fresh while it is silent, as an L-node does: what stands on nothing but its own chain holds no trim in its cone.
    pub fn freshen(&mut self, home: &Home, now: Instant) {
        let age = now.duration_since(self.fetched).as_secs_f64();
        if !self.heard.is_empty() && age * 1e3 > home.parent_age.0 as f64 / 4.0 {
            self.fetch(home, now);
        }
    }

    fn ask(&self, home: &Home) {
        if let Some(member) = self.index {
            let _ = self
                .socket
                .send(&write(&Frame::HeadsRequest { member }, home.tag()));
        }
    }

    /// Sends again what was not acknowledged within `patience`.
    pub fn repeat(&mut self, home: &Home, now: Instant, patience: f64) {
        let Some(burst) = &mut self.burst else { return };
        if now.duration_since(burst.last).as_secs_f64() < patience {
            return;
        }
        burst.last = now;
        for (_, frame) in &burst.frames {
            let _ = self.socket.send(frame);
        }
        self.counts.repeated += burst.frames.len() as u64;
        self.ask(home);
    }

    fn issue(&mut self, home: &mut Home, payee: MemberIndex) -> Result<Vec<u8>> {
        let number = self.number + 1;
        let now = home.now();
        let previous = self.previous.unwrap_or(Vertex {
            id: home.g0,
            time: Millis(0),
            epoch: Epoch(1),
        });
        let mut time = now.max(previous.time.saturating_add(1));
        // A margin of a quarter: the oldest allowed parent would be too old for the gateway's next neighbour.
        let oldest = time.saturating_sub(home.parent_age.0 * 3 / 4);
        self.pool.retain(|tip| tip.time > oldest);
        let mut tips: Vec<Vertex> = Vec::new();
        for _ in 0..2 {
            let place = self.draw(self.pool.len());
            tips.extend(self.pool.get(place).filter(|tip| tip.id != previous.id));
        }
        if tips.len() == 2 && tips[0].id == tips[1].id {
            tips.pop();
        }
        // Later than its parents, but not so late that the others' clocks would make it wait.
        tips.retain(|tip| tip.time < now.saturating_add(1_000));
        let mut epoch = previous.epoch;
        for tip in &tips {
            time = time.max(tip.time.saturating_add(1));
            epoch = epoch.max(tip.epoch);
        }
        let start = home.clock(epoch).context("an epoch without a clock")?;
        let offset = u32::try_from(time.0 - start.0)?;
        let ids: Vec<Id> = tips.iter().map(|tip| tip.id).collect();
        let index = self.index.context("not a member")?;
        let draft = Draft {
            epoch,
            issuer: index,
            number: Number(number),
            offset,
            first: previous.id,
            tips: &ids,
            body: Body::Transfer {
                to: payee,
                amount: Amount(1),
                debits: Amount(self.debits + 1),
            },
        };
        let mut room = [0; MAX_PAYLOAD];
        let fitted = draft.encode(&mut room).map_err(|e| anyhow!("{e:?}"))?;
        let mut cose = [0; MAX_COSE];
        let tx = sign_with(
            &self.key,
            &home.neighbourhood,
            fitted.payload,
            &fitted.parents,
            &mut cose,
        )
        .map_err(|e| anyhow!("{e:?}"))?;
        if home.samples.len() < home.wanted {
            let mut message = [0; MAX_SIGNING_INPUT];
            let public = self.key.public_key();
            let message = signing_input(
                &home.neighbourhood,
                public.suite(),
                fitted.payload,
                &fitted.parents.hash(),
                &mut message,
            )
            .map_err(|e| anyhow!("{e:?}"))?;
            let signature = *tx.unverified().signature();
            home.samples.push((public, message.to_vec(), signature));
        }
        self.counts.tips += (fitted.parents.as_slice().len() - 1) as u64;
        self.number = number;
        self.open.push_back(time);
        self.debits += 1;
        self.previous = Some(Vertex {
            id: tx.id(),
            time,
            epoch,
        });
        let cose = tx.cose();
        Ok(write(
            &Frame::Tx {
                cose,
                attachment: None,
            },
            home.tag(),
        ))
    }
}

fn write(frame: &Frame<'_>, tag: [u8; 4]) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    let len = frame.write(tag, &mut out).expect("a frame of ours fits");
    out[..len].to_vec()
}
