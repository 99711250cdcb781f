//! Whole dialogues of a channel as a subscriber hears them, bent by the fuzzer: what is refused changes neither memory nor store, no message opens that its owner did not seal, and no store
//! that somebody wrote to stops it.
//!
//! Steps: kind u8, length u16, bytes. 0 an operation, 1 a statement, 2 a message, 3 a reset, 4 a value of the store (first byte: which key).
#![no_main]

use iotedge_core::channel::keys::SideKey;
use iotedge_core::channel::reader::stored::stored_len;
use iotedge_core::channel::statement::Op;
use iotedge_core::channel::subscriber::{Memory, Source, Subscription};
use iotedge_core::channel::{ChannelError, ChannelNumber, Heard, Recent, Skipped, Subscriber};
use iotedge_core::crypto::{SecretKey, Software};
use iotedge_core::platform::{Platform, PlatformError};
use iotedge_core::wire::Reader;
use iotedge_core::{Id, MemberIndex};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Dialogues of vectors/stream.json, as fuzz/seeds.py wrote them. (Of the public channel everybody could seal one, but a fuzzer does not find the key.)
const GENUINE: [&[u8]; 2] = [
    include_bytes!("../seeds/subscriber/private"),
    include_bytes!("../seeds/subscriber/public"),
];
const KEY: u16 = 0x200;
const ME: MemberIndex = MemberIndex(3);
const OWNER: MemberIndex = MemberIndex(7);

#[derive(Clone, Default)]
struct Store(BTreeMap<u16, Vec<u8>>);

impl Platform for Store {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        out.fill(0x42);
        Ok(())
    }
    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        let Some(value) = self.0.get(&key) else {
            return Ok(None);
        };
        let room = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        room.copy_from_slice(value);
        Ok(Some(value.len()))
    }
    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        self.0.insert(key, value.to_vec());
        Ok(())
    }
    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        self.0.remove(&key);
        Ok(())
    }
}

/// Kind and bytes.
type Step<'a> = (u8, &'a [u8]);

/// The next step, and what follows it.
fn step(bytes: &[u8]) -> Option<(Step<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<3>()?;
    let len = usize::from(u16::from_be_bytes([head[1], head[2]]));
    let (body, rest) = rest.split_at_checked(len)?;
    Some(((head[0], body), rest))
}

fn steps(mut bytes: &[u8]) -> Vec<Step<'_>> {
    let mut all = Vec::new();
    while let Some((one, rest)) = step(bytes) {
        all.push(one);
        bytes = rest;
    }
    all
}

static SEALED: LazyLock<Vec<&[u8]>> = LazyLock::new(|| {
    let all = GENUINE.iter().flat_map(|bytes| steps(bytes));
    all.filter(|(kind, _)| *kind == 2)
        .map(|(_, body)| body)
        .collect()
});
static SOURCE: LazyLock<Source> = LazyLock::new(|| Source {
    owner: OWNER,
    device: Id([7; 32]),
    key: SecretKey::from_seed(&[1; 32]).expect("a seed").public_key(),
    number: ChannelNumber { main: 9, sub: 2 },
});

struct Rooms {
    channels: Vec<Subscription>,
    skipped: Vec<Skipped>,
    recent: Vec<Recent>,
    buffer: Vec<u8>,
}

fn open<'r>(rooms: &'r mut Rooms, store: &mut Store) -> Result<Subscriber<'r>, ChannelError> {
    let memory = Memory {
        channels: &mut rooms.channels,
        skipped: &mut rooms.skipped,
        recent: &mut rooms.recent,
        buffer: &mut rooms.buffer,
        every: 1,
    };
    Subscriber::open(store, Id([0x11; 32]), Id([3; 32]), KEY, memory)
}

fuzz_target!(|bytes: &[u8]| {
    let mut rooms = Rooms {
        channels: (0..2).map(|_| Subscription::default()).collect(),
        skipped: vec![Skipped::default(); 8],
        recent: vec![Recent::default(); 8],
        buffer: vec![0; stored_len(8)],
    };
    let mut store = Store::default();
    let mut reader = open(&mut rooms, &mut store).expect("an empty store");
    let asked = reader.subscribe(&mut store, &SOURCE, None::<&SideKey>, &mut [0; 64]);
    assert_eq!(asked.map(|(channel, _)| channel), Ok(0));
    let mut tampered = false;
    for (kind, body) in steps(bytes).into_iter().take(24) {
        let (before, next) = (store.clone(), reader.next(0));
        let mut out = [0xee; 1400];
        let heard = match kind {
            0 => {
                let mut r = Reader::new(body);
                let op = Op::read(&mut r);
                let Ok(op) = op.and_then(|op| Ok(r.finish().map(|()| op)?)) else {
                    continue;
                };
                reader.hear(&mut store, ME, OWNER, &op, &mut out)
            }
            1 => reader.hear_statement(&mut store, &mut Software, ME, OWNER, body, &mut out),
            2 => reader
                .read(&mut store, &mut Software, body, &mut out)
                .map(|(channel, opened)| Heard::Message { channel, opened }),
            3 | 4 => {
                if let (4, Some((which, value))) = (kind, body.split_first()) {
                    store.0.insert(KEY + u16::from(*which % 6), value.to_vec());
                    tampered = true;
                }
                match open(&mut rooms, &mut store) {
                    Ok(opened) => reader = opened,
                    Err(_) if tampered => return,
                    Err(error) => panic!("its own store: {error:?}"),
                }
                continue;
            }
            _ => continue,
        };
        match heard {
            Ok(Heard::Message { .. }) if kind == 2 && !tampered => {
                assert!(SEALED.contains(&body), "a message that nobody sealed");
            }
            Ok(_) => {}
            Err(_) => {
                assert_eq!(store.0, before.0, "a refusal was stored");
                assert_eq!(reader.next(0), next);
                assert!(
                    out.iter().all(|b| *b == 0xee) || out.iter().all(|b| *b == 0 || *b == 0xee)
                );
            }
        }
    }
});
