//! Holds `vectors/stream.json` equal to what its generator writes, and runs every dialogue as a subscriber does; once more with a reset before each step.

#[path = "../examples/gen_stream_vectors.rs"]
mod generator;

use generator::Stream;
use iotedge_core::channel::keys::SideKey;
use iotedge_core::channel::reader::stored::stored_len;
use iotedge_core::channel::statement::Op;
use iotedge_core::channel::subscriber::{Memory, Source, Subscription};
use iotedge_core::channel::{ChannelError, ChannelNumber, Heard, Recent, Skipped, Subscriber};
use iotedge_core::crypto::{PublicKey, SignatureError, Software};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::wire::Reader;
use iotedge_core::{Id, MemberIndex};
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../vectors/stream.json");

#[test]
fn the_committed_file_is_the_generated_one() {
    assert!(
        generator::render(&generator::vectors()) == FILE,
        "regenerate: cargo run -p iotedge-core --example gen_stream_vectors"
    );
}

#[derive(Default)]
struct Store {
    values: BTreeMap<u16, Vec<u8>>,
    secret: Vec<u8>,
}

impl Platform for Store {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        out.copy_from_slice(&self.secret);
        Ok(())
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let found = self.values.get(&key);
        if let Some(value) = found {
            out[..value.len()].copy_from_slice(value);
        }
        Ok(found.map(Vec::len))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.values.insert(key, value.to_vec());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.values.remove(&key);
        Ok(())
    }
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn open(platform: &mut Store, row: &Stream) -> Subscriber<'static> {
    let memory = Memory {
        channels: Vec::leak((0..1).map(|_| Subscription::default()).collect()),
        skipped: vec![Skipped::default(); 8].leak(),
        recent: vec![Recent::default(); 8].leak(),
        buffer: vec![0; stored_len(8)].leak(),
        every: 1,
    };
    let (here, device) = (Id(array(&row.neighbourhood)), Id(array(&row.reader_device)));
    Subscriber::open(platform, here, device, 0x200, memory).unwrap()
}

fn name(heard: Result<Heard, ChannelError>) -> &'static str {
    match heard {
        Ok(Heard::Nothing) => "NOTHING",
        Ok(Heard::Announced { .. }) => "ANNOUNCED",
        Ok(Heard::Granted { .. }) => "GRANTED",
        Ok(Heard::Seated { .. }) => "SEATED",
        Ok(Heard::Rekeyed { .. }) => "REKEYED",
        Ok(Heard::Revoked { .. }) => "REVOKED",
        Ok(Heard::Root { proved: true, .. }) => "ROOT_ATTRIBUTED",
        Ok(Heard::Root { .. }) => "ROOT",
        Ok(Heard::Message { opened, .. }) if opened.signed => "ATTRIBUTED",
        Ok(Heard::Message { .. }) => "MESSAGE",
        Err(ChannelError::Unknown) => "E_CHANNEL_UNKNOWN",
        Err(ChannelError::Forged) => "E_CHANNEL_FORGED",
        Err(ChannelError::Replayed) => "E_CHANNEL_REPLAYED",
        Err(ChannelError::Doubled) => "E_CHANNEL_DOUBLED",
        Err(ChannelError::Stale) => "E_CHANNEL_STALE",
        Err(ChannelError::SideKey) => "E_CHANNEL_SIDE_KEY",
        Err(ChannelError::WrongReader) => "E_CHANNEL_WRONG_READER",
        Err(ChannelError::Signature(SignatureError::Rejected)) => "E_SIGNATURE",
        Err(other) => panic!("{other:?}"),
    }
}

/// What a reset forgets: what was opened before is not told from what never came, and a root is not proved by what came before.
fn after_a_reset(expect: &str) -> &str {
    match expect {
        "E_CHANNEL_REPLAYED" | "E_CHANNEL_DOUBLED" => "E_CHANNEL_UNKNOWN",
        "ROOT_ATTRIBUTED" => "ROOT",
        other => other,
    }
}

fn run(row: &Stream, resets: bool) {
    let platform = &mut Store {
        secret: hex::decode(&row.secret).unwrap(),
        ..Store::default()
    };
    let mut subscriber = open(platform, row);
    let side = (!row.side.is_empty()).then(|| SideKey(array(&row.side)));
    let source = Source {
        owner: MemberIndex(row.owner),
        device: Id(array(&row.owner_device)),
        key: PublicKey::Ed25519(array(&row.owner_key)),
        number: ChannelNumber {
            main: row.channel,
            sub: row.sub_channel,
        },
    };
    let mut out = [0; 400];
    let (_, len) = subscriber
        .subscribe(platform, &source, side.as_ref(), &mut out)
        .unwrap();
    assert_eq!(hex::encode(&out[..len]), row.subscribe, "{}", row.name);
    let (me, from) = (MemberIndex(row.reader), MemberIndex(row.owner));
    for (at, step) in row.steps.iter().enumerate() {
        if resets {
            subscriber = open(platform, row);
        }
        let bytes = hex::decode(&step.bytes).unwrap();
        let verifier = &mut Software;
        let heard = match step.what.as_str() {
            "said" => {
                let mut r = Reader::new(&bytes);
                let op = Op::read(&mut r).unwrap();
                subscriber.hear(platform, me, from, &op, &mut out)
            }
            "statement" => {
                subscriber.hear_statement(platform, verifier, me, from, &bytes, &mut out)
            }
            _ => subscriber
                .read(platform, verifier, &bytes, &mut out)
                .map(|(channel, opened)| Heard::Message { channel, opened }),
        };
        if let Ok(Heard::Message { opened, .. }) = heard {
            assert_eq!(hex::encode(&out[..opened.len]), step.text);
        }
        let expect = match resets {
            true => after_a_reset(&step.expect),
            false => &step.expect,
        };
        assert_eq!(name(heard), expect, "{}, step {at}", row.name);
    }
}

#[test]
fn every_dialogue_goes_as_it_says() {
    let rows: Vec<Stream> = serde_json::from_str(FILE).unwrap();
    assert_eq!(rows.len(), 5);
    for row in &rows {
        run(row, false);
        run(row, true);
    }
}
