//! Channels: what sealing and opening a message costs over the bare AEAD, and what messages and grants weigh.
//!
//! *Bare* is the library's own `ChaCha20Poly1305` of the same build over the same text, without associated data: what somebody would use who has a key and no channel.
//! The rest is the chain's step, lookup, commitment, a key for one message and form, and the leaf of its batch; for an owner with its share of the store's writes.

use crate::figure::{Ceiling, Figure};
use crate::interleave::interleave_prepared;
use crate::store::Store;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use iotedge_core::channel::keys::Mode;
use iotedge_core::channel::publisher::{self, Publisher};
use iotedge_core::channel::reader::Proof;
use iotedge_core::channel::statement::{GRANT, Op};
use iotedge_core::channel::{
    ChannelNumber, Form, Index, KeyEpoch, LAST_INDEX, Owner, Reader, Recent, Sealed, Skipped,
    channel_id, owner,
};
use iotedge_core::crypto::agree;
use iotedge_core::wire::Writer;
use iotedge_core::wire::said::{self, What};
use iotedge_core::{Id, MAX_FRAME, MemberIndex, Number};
use std::cell::RefCell;
use std::hint::black_box;

/// Messages in a turn, and indexes that an owner reserves with one write: a turn has exactly one write.
const TURN: usize = 64;
const NUMBER: ChannelNumber = ChannelNumber { main: 1, sub: 0 };
const SIGNATURE: usize = 64;

/// An owner with its store.
struct Publishing {
    store: Store,
    owner: Owner<'static>,
    out: [u8; MAX_FRAME],
}

impl Publishing {
    fn new() -> Self {
        let mut store = Store::default();
        let config = owner::Config {
            channel: channel_id(&Id([0x5a; 32]), &Id([7; 32]), NUMBER),
            mode: Mode::Private,
            key: 0x100,
            ahead: TURN as u8,
        };
        let leaves = Vec::leak(vec![Id::ZERO; TURN]);
        let owner = Owner::open(&mut store, Number(0), config, None, leaves).expect("opens");
        Self {
            store,
            owner,
            out: [0; MAX_FRAME],
        }
    }

    fn prepare(&mut self) {
        let prepared = self.owner.prepare(&mut self.store, Number(0));
        prepared.expect("reserves");
    }

    fn seal(&mut self, form: Form, body: &[u8]) -> &[u8] {
        let Self { store, owner, out } = self;
        let done = owner
            .publish(store, Number(0), form, black_box(body), out)
            .expect("seals");
        black_box(&out[..done.len])
    }
}

/// An owner with all its readers but one, who was revoked: a new key epoch is wrapped for who stays, as at the revoke.
pub struct Revokes {
    store: Store,
    publisher: Publisher<'static>,
    out: [u8; 320],
}

impl Revokes {
    /// Of so many readers, a power of two.
    pub fn new(readers: u16) -> Self {
        let depth = readers.trailing_zeros() as u8;
        let mut store = Store::default();
        let config = publisher::Config {
            neighbourhood: Id([0x5a; 32]),
            device: Id([7; 32]),
            number: NUMBER,
            mode: Mode::Private,
            key: 0x100,
            ahead: TURN as u8,
            depth,
        };
        let memory = publisher::Memory {
            leaves: Vec::leak(vec![Id::ZERO; 2]),
            members: Vec::leak(vec![MemberIndex(0); publisher::readers(depth)]),
            buffer: Vec::leak(vec![0; publisher::stored_len(depth)]),
        };
        let publisher = Publisher::open(&mut store, Number(0), config, None, memory);
        let mut new = Self {
            store,
            publisher: publisher.expect("opens"),
            out: [0; 320],
        };
        for member in 0..readers {
            let mut device = [0; 32];
            device[..2].copy_from_slice(&member.to_be_bytes());
            let key = x25519_key(member);
            let granted =
                new.publisher
                    .grant(&mut new.store, MemberIndex(member), &Id(device), &key);
            granted.expect("grants");
            new.drain();
        }
        let revoked = new
            .publisher
            .revoke(&mut new.store, Number(0), MemberIndex(0));
        revoked.expect("revokes");
        new.drain();
        new
    }

    fn drain(&mut self) -> usize {
        let mut bytes = 0;
        while let Some(len) = self
            .publisher
            .next_op(&mut self.store, Number(0), &mut self.out)
            .expect("says")
        {
            bytes += black_box(&self.out[..len]).len();
            self.publisher.taken(&mut self.store).expect("stores");
        }
        bytes
    }

    /// Opens a key epoch and says all of it.
    pub fn rekey(&mut self) {
        self.publisher
            .rekey(&mut self.store, Number(0))
            .expect("rekeys");
        assert!(self.drain() > 0);
    }
}

/// Any point that a reader could have: the base point's u, times nothing that matters.
fn x25519_key(member: u16) -> [u8; 32] {
    let mut secret = [9; 32];
    secret[..2].copy_from_slice(&member.to_be_bytes());
    agree::SecretKey::from_bytes(&secret).public_key().0
}

/// Both ends of a channel with messages of one length, and the bare AEAD.
pub struct Messages {
    body: Vec<u8>,
    bare: ChaCha20Poly1305,
    room: Vec<u8>,
    sealed: Vec<u8>,
    tag: [u8; 16],
    owner: Publishing,
    reader: Reader<'static>,
    /// What is still to be opened, the next one last.
    waiting: Vec<Vec<u8>>,
}

impl Messages {
    /// Of so many bytes.
    pub fn new(len: usize) -> Self {
        let bare = ChaCha20Poly1305::new(&[3; 32].into());
        let body = vec![0xa5; len];
        let mut sealed = body.clone();
        let tag = bare.encrypt_inout_detached(&NONCE.into(), &[], sealed.as_mut_slice().into());
        let owner = Publishing::new();
        let reader = Reader::new(
            owner.owner.next(),
            owner.owner.chain().clone(),
            None,
            Vec::leak(vec![Skipped::default(); 16]),
            Vec::leak(vec![Recent::default(); 16]),
        );
        Self {
            room: body.clone(),
            tag: tag.expect("seals").into(),
            body,
            bare,
            sealed,
            owner,
            reader,
            waiting: Vec::new(),
        }
    }

    /// The bare AEAD.
    pub fn bare_seal(&mut self) {
        self.room.copy_from_slice(black_box(&self.body));
        let tag =
            self.bare
                .encrypt_inout_detached(&NONCE.into(), &[], self.room.as_mut_slice().into());
        black_box(tag.expect("seals"));
    }

    /// The bare AEAD back.
    pub fn bare_open(&mut self) {
        self.room.copy_from_slice(black_box(&self.sealed));
        let opened = self.bare.decrypt_inout_detached(
            &NONCE.into(),
            &[],
            self.room.as_mut_slice().into(),
            &self.tag.into(),
        );
        opened.expect("opens");
        black_box(&self.room);
    }

    /// A tagged message in the compact form.
    pub fn seal(&mut self) {
        self.owner.seal(Form::COMPACT, &self.body);
    }

    /// Seals a turn of messages to be opened.
    pub fn send(&mut self) {
        let messages = (0..TURN).map(|_| self.owner.seal(Form::COMPACT, &self.body).to_vec());
        self.waiting = messages.collect();
        self.waiting.reverse();
    }

    /// Opens the next one; after as many as were sent, none.
    pub fn open(&mut self) {
        let message = self.waiting.pop().expect("one was sent");
        let sealed = Sealed::parse(black_box(&message)).expect("parses");
        let opened = self
            .reader
            .open(&sealed, Proof::Carried, &mut self.room)
            .expect("opens");
        assert_eq!(opened.len, self.body.len());
        black_box(&self.room);
    }
}

const NONCE: [u8; 12] = [9; 12];

/// All figures of channels.
pub fn figures(figures: &mut Vec<Figure>) {
    for (len, names, ceiling) in [
        (
            16,
            [
                "seal 16 bytes in a channel over the bare AEAD",
                "seal 16 bytes, what needs no text done ahead, over the bare AEAD",
                "open 16 bytes of a channel over the bare AEAD",
            ],
            Ceiling::Told,
        ),
        (
            64,
            [
                "seal 64 bytes in a channel over the bare AEAD",
                "seal 64 bytes, what needs no text done ahead, over the bare AEAD",
                "open 64 bytes of a channel over the bare AEAD",
            ],
            Ceiling::Told,
        ),
        (
            256,
            [
                "seal 256 bytes in a channel over the bare AEAD",
                "seal 256 bytes, what needs no text done ahead, over the bare AEAD",
                "open 256 bytes of a channel over the bare AEAD",
            ],
            Ceiling::AtMost(1.15),
        ),
        (
            1024,
            [
                "seal 1024 bytes in a channel over the bare AEAD",
                "seal 1024 bytes, what needs no text done ahead, over the bare AEAD",
                "open 1024 bytes of a channel over the bare AEAD",
            ],
            Ceiling::AtMost(1.15),
        ),
    ] {
        for (what, value) in names.into_iter().zip(ratios(len)) {
            figures.push(Figure {
                what,
                value,
                unit: "ratio",
                ceiling,
            });
        }
    }
    for (what, bytes, ceiling) in weights() {
        figures.push(Figure {
            what,
            value: bytes as f64,
            unit: "bytes",
            ceiling,
        });
    }
}

/// Seal, seal with what can be done ahead, and open.
fn ratios(len: usize) -> [f64; 3] {
    let mut bare = Messages::new(len);
    let mut back = Messages::new(len);
    let mut whole = Messages::new(len);
    let receiver = RefCell::new(Messages::new(len));
    let body = vec![0xa5; len];
    let ready: RefCell<Vec<Publishing>> =
        RefCell::new((0..TURN).map(|_| Publishing::new()).collect());
    let mut turn = 0;
    let turns = interleave_prepared(
        200,
        TURN as u32,
        &mut [
            (&mut || (), &mut || bare.bare_seal()),
            (&mut || (), &mut || back.bare_open()),
            (&mut || (), &mut || whole.seal()),
            (
                &mut || ready.borrow_mut().iter_mut().for_each(Publishing::prepare),
                &mut || {
                    ready.borrow_mut()[turn % TURN].seal(Form::COMPACT, &body);
                    turn += 1;
                },
            ),
            (&mut || receiver.borrow_mut().send(), &mut || {
                receiver.borrow_mut().open()
            }),
        ],
    );
    [turns.ratio(2, 0), turns.ratio(3, 0), turns.ratio(4, 1)]
}

/// What goes over the wire beside the text, the frame that carries it included.
fn weights() -> [(&'static str, usize, Ceiling); 7] {
    let mut owner = Publishing::new();
    let body = [0xa5; 1024];
    let mut beside = |form: Form| {
        let sealed = owner.seal(form, &body);
        let mut frame = [0; MAX_FRAME];
        let framed = said::say([0x5a; 4], What::Message, sealed, &mut frame).expect("fits");
        framed + SIGNATURE * usize::from(form.signed) - body.len()
    };
    let signed = |form: Form| Form {
        signed: true,
        ..form
    };
    [
        (
            "beside the text: tagged, compact, in its frame",
            beside(Form::COMPACT),
            Ceiling::AtMost(48.0),
        ),
        (
            "beside the text: tagged, COSE_Encrypt0, in its frame",
            beside(Form::STANDARD),
            Ceiling::AtMost(48.0),
        ),
        (
            "beside the text: signed, compact, in its frame",
            beside(signed(Form::COMPACT)),
            Ceiling::AtMost(112.0),
        ),
        (
            "beside the text: signed, COSE_Encrypt0, in its frame",
            beside(signed(Form::STANDARD)),
            Ceiling::AtMost(112.0),
        ),
        (
            "a grant with its signature, second channel of a neighbourhood of 1,000",
            grant(NUMBER, KeyEpoch(20), Index(70_000), MemberIndex(412)),
            Ceiling::AtMost(160.0),
        ),
        (
            "a grant, channel and key epoch 255, other fields at their bounds",
            grant(
                ChannelNumber { main: 255, sub: 0 },
                KeyEpoch(255),
                Index(LAST_INDEX),
                MemberIndex(u16::MAX),
            ),
            Ceiling::AtMost(160.0),
        ),
        (
            "a grant, every field at its bound",
            grant(
                ChannelNumber {
                    main: u16::MAX,
                    sub: u16::MAX,
                },
                KeyEpoch(u32::MAX),
                Index(LAST_INDEX),
                MemberIndex(u16::MAX),
            ),
            Ceiling::AtMost(160.0),
        ),
    ]
}

fn grant(number: ChannelNumber, epoch: KeyEpoch, index: Index, to: MemberIndex) -> usize {
    let mut room = [0; MAX_FRAME];
    let mut w = Writer::new(&mut room);
    let op = Op::Grant {
        number,
        epoch,
        index,
        to,
        sealed: &[0; GRANT],
    };
    op.check().expect("can be said");
    op.write(&mut w).expect("fits");
    w.len() + SIGNATURE
}
