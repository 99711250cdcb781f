//! Writes `vectors/stream.json`: whole dialogues between a channel's owner and one subscriber, as the subscriber hears them (protocol section 12).
//!
//! `cargo run -p iotedge-core --example gen_stream_vectors` regenerates the file; a test compares and runs it, and so do C programs: what a subscriber draws at random is in the vector.

use iotedge_core::channel::keys::{Mode, SideKey};
use iotedge_core::channel::publisher::{self, Config, Memory, Publisher};
use iotedge_core::channel::statement::Op;
use iotedge_core::channel::{ChannelNumber, Form};
use iotedge_core::crypto::agree;
use iotedge_core::crypto::{SecretKey, sha256};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::wire::Writer;
use iotedge_core::{Id, MemberIndex, Number};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the subscriber is given, and what comes of it.
#[derive(Serialize, Deserialize)]
pub struct Step {
    /// `said`: an operation of a transaction of the owner; `statement`: one with its signature behind it; `message`: off the ledger.
    pub what: String,
    /// Hex.
    pub bytes: String,
    /// What was heard, or the error, as the C interface names both.
    pub expect: String,
    /// The plaintext of a message, hex.
    pub text: String,
}

/// One dialogue.
#[derive(Serialize, Deserialize)]
pub struct Stream {
    pub op: String,
    pub name: String,
    pub neighbourhood: String,
    pub owner: u16,
    pub owner_device: String,
    pub owner_key: String,
    pub channel: u16,
    pub sub_channel: u16,
    pub reader: u16,
    pub reader_device: String,
    /// The subscriber's pre-shared key; empty without.
    pub side: String,
    /// What its platform draws.
    pub secret: String,
    /// Its request.
    pub subscribe: String,
    pub steps: Vec<Step>,
}

const HERE: Id = Id([0x11; 32]);
const OWNER: Id = Id([7; 32]);
const READER: Id = Id([3; 32]);
const NEWEST: Number = Number(0);
const NUMBER: ChannelNumber = ChannelNumber { main: 9, sub: 2 };
const DEPTH: u8 = 2;

/// A store in memory, and numbers that are the same in each run.
#[derive(Default)]
struct Fixed {
    store: BTreeMap<u16, Vec<u8>>,
    drawn: u32,
}

impl Platform for Fixed {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        self.drawn += 1;
        for (block, at) in out.chunks_mut(32).zip(0u32..) {
            let bytes = sha256(&[&self.drawn.to_be_bytes(), &at.to_be_bytes()]);
            block.copy_from_slice(&bytes[..block.len()]);
        }
        Ok(())
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let found = self.store.get(&key);
        if let Some(value) = found {
            out[..value.len()].copy_from_slice(value);
        }
        Ok(found.map(Vec::len))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.store.insert(key, value.to_vec());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.store.remove(&key);
        Ok(())
    }
}

struct Owner {
    platform: Fixed,
    publisher: Publisher<'static>,
    steps: Vec<Step>,
}

fn signer() -> SecretKey {
    SecretKey::from_seed(&[1; 32]).unwrap()
}

impl Owner {
    fn new(mode: Mode) -> Self {
        let mut platform = Fixed::default();
        let config = Config {
            neighbourhood: HERE,
            device: OWNER,
            number: NUMBER,
            mode,
            key: 0x100,
            ahead: 8,
            depth: DEPTH,
        };
        let memory = Memory {
            leaves: vec![Id::ZERO; 4].leak(),
            members: vec![MemberIndex(0); publisher::readers(DEPTH)].leak(),
            buffer: vec![0; publisher::stored_len(DEPTH)].leak(),
        };
        let side = (mode == Mode::Restricted).then_some(SideKey([5; 32]));
        let publisher = Publisher::open(&mut platform, NEWEST, config, side, memory).unwrap();
        Self {
            platform,
            publisher,
            steps: Vec::new(),
        }
    }

    fn step(&mut self, what: &str, bytes: &[u8], expect: &str, text: &[u8]) {
        self.steps.push(Step {
            what: what.into(),
            bytes: hex::encode(bytes),
            expect: expect.into(),
            text: hex::encode(text),
        });
    }

    /// The next that is due, as a transaction says it.
    fn said(&mut self, expect: &str) -> Vec<u8> {
        let op = self.due();
        self.step("said", &op, expect, &[]);
        op
    }

    fn due(&mut self) -> Vec<u8> {
        let mut out = [0; 320];
        let len = self.publisher.next_op(&mut self.platform, NEWEST, &mut out);
        let len = len.unwrap().unwrap();
        self.publisher.taken(&mut self.platform).unwrap();
        out[..len].to_vec()
    }

    fn message(&mut self, form: Form, text: &[u8], expect: &str) -> Vec<u8> {
        let mut out = [0; 400];
        let (publisher, platform) = (&mut self.publisher, &mut self.platform);
        let done = publisher.publish(platform, NEWEST, form, text, &mut out);
        let done = done.unwrap();
        let len = match form.signed {
            true => {
                let signature = signer().sign(&done.to_be_signed());
                done.sign(&signature, &mut out).unwrap()
            }
            false => done.len,
        };
        let read = expect == "MESSAGE" || expect == "ATTRIBUTED";
        self.step(
            "message",
            &out[..len],
            expect,
            if read { text } else { &[] },
        );
        out[..len].to_vec()
    }
}

fn form(signed: bool, cose: bool, long_tag: bool) -> Form {
    Form {
        signed,
        cose,
        long_tag,
    }
}

fn encoded(op: &Op<'_>) -> Vec<u8> {
    let mut out = [0; 320];
    let mut w = Writer::new(&mut out);
    op.write(&mut w).unwrap();
    w.written().to_vec()
}

fn stream(name: &str, mode: Mode, side: Option<[u8; 32]>, grant: &str) -> Stream {
    let secret = [0x42; 32];
    let public = agree::SecretKey::from_bytes(&secret).public_key();
    let subscribe = encoded(&Op::Subscribe {
        owner: MemberIndex(7),
        number: NUMBER,
        key: &public.0,
    });
    let mut owner = Owner::new(mode);
    let tagged = form(false, false, false);
    let public_mode = mode == Mode::Public;
    if !public_mode {
        owner.said("NOTHING");
        owner.message(tagged, b"before", "E_CHANNEL_UNKNOWN");
        let key = &public.0;
        let (publisher, platform) = (&mut owner.publisher, &mut owner.platform);
        publisher
            .grant(platform, MemberIndex(3), &READER, key)
            .unwrap();
        let granted = owner.said(grant);
        let seated = grant == "GRANTED";
        owner.said(if seated { "SEATED" } else { "E_CHANNEL_STALE" });
        if !seated {
            owner.message(tagged, b"not for it", "E_CHANNEL_UNKNOWN");
            return finish(name, side, &secret, &subscribe, owner);
        }
        owner.step("said", &granted, "E_CHANNEL_STALE", &[]);
    } else {
        owner.said("ANNOUNCED");
    }
    let first = owner.message(tagged, b"21.5 C", "MESSAGE");
    owner.step("message", &first, "E_CHANNEL_REPLAYED", &[]);
    let mut bent = first.clone();
    *bent.last_mut().unwrap() ^= 1;
    owner.step("message", &bent, "E_CHANNEL_DOUBLED", &[]);
    owner.message(form(true, true, true), b"signed", "ATTRIBUTED");
    if public_mode {
        owner.message(form(false, true, true), b"a third", "MESSAGE");
    }
    // Out of order: the second first, then a bit that turned on the way, then the first.
    let at = owner.steps.len();
    let late = owner.message(form(true, false, true), b"late", "ATTRIBUTED");
    owner.said("ROOT");
    owner.message(tagged, b"overtakes", "MESSAGE");
    let overtaken = owner.steps.remove(at);
    let mut bent = late;
    bent[12] ^= 1;
    owner.step("message", &bent, "E_CHANNEL_FORGED", &[]);
    owner.steps.push(overtaken);
    if public_mode {
        return finish(name, side, &secret, &subscribe, owner);
    }
    // A new key epoch for all, and one without this reader, as a statement.
    let (publisher, platform) = (&mut owner.publisher, &mut owner.platform);
    publisher.rekey(platform, NEWEST).unwrap();
    owner.said("ROOT_ATTRIBUTED");
    owner.said("REKEYED");
    owner.message(tagged, b"healed", "MESSAGE");
    let (publisher, platform) = (&mut owner.publisher, &mut owner.platform);
    publisher.revoke(platform, NEWEST, MemberIndex(3)).unwrap();
    owner.said("ROOT_ATTRIBUTED");
    let op = owner.due();
    let mut scratch = [0; 600];
    let signed = iotedge_core::channel::statement::to_be_signed(&HERE, &OWNER, &op, &mut scratch);
    let signature = signer().sign(signed.unwrap());
    let mut statement = [&op[..], &signature.0].concat();
    statement[op.len() + 40] ^= 1;
    owner.step("statement", &statement, "E_SIGNATURE", &[]);
    statement[op.len() + 40] ^= 1;
    owner.step("statement", &statement, "REVOKED", &[]);
    owner.message(tagged, b"no longer", "E_CHANNEL_UNKNOWN");
    finish(name, side, &secret, &subscribe, owner)
}

fn finish(
    name: &str,
    side: Option<[u8; 32]>,
    secret: &[u8; 32],
    subscribe: &[u8],
    owner: Owner,
) -> Stream {
    Stream {
        op: "stream".into(),
        name: name.into(),
        neighbourhood: HERE.to_string(),
        owner: 7,
        owner_device: OWNER.to_string(),
        owner_key: hex::encode(signer().public_key().bytes()),
        channel: NUMBER.main,
        sub_channel: NUMBER.sub,
        reader: 3,
        reader_device: READER.to_string(),
        side: side.map_or(String::new(), hex::encode),
        secret: hex::encode(secret),
        subscribe: hex::encode(subscribe),
        steps: owner.steps,
    }
}

/// All of them.
pub fn vectors() -> Vec<Stream> {
    let side = Some([5; 32]);
    vec![
        stream("public", Mode::Public, None, ""),
        stream("private", Mode::Private, None, "GRANTED"),
        stream("restricted", Mode::Restricted, side, "GRANTED"),
        stream(
            "restricted, another side key",
            Mode::Restricted,
            Some([6; 32]),
            "E_CHANNEL_SIDE_KEY",
        ),
        stream(
            "restricted, no side key",
            Mode::Restricted,
            None,
            "E_CHANNEL_WRONG_READER",
        ),
    ]
}

/// The file's text.
pub fn render(all: &[Stream]) -> String {
    serde_json::to_string_pretty(all).unwrap() + "\n"
}

#[allow(dead_code)]
fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/stream.json");
    std::fs::write(path, render(&vectors())).unwrap();
}
