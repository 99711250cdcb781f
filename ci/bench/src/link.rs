//! The link: what it costs to leave out of a transfer what the other end holds, to put it back, and to cut a long frame and join it.
//!
//! The context is in hash maps, as a node's look-ups are a few probes of its window; what is measured is the codec, the check and the copies.

use iotedge_core::crypto::{Signature, Suite};
use iotedge_core::link::{
    Context, Hope, Incoming, Link, LinkConfig, LinkLimits, LinkMemory, LinkPeer, Nothing, Outgoing,
    Seen, compress, decompress,
};
use iotedge_core::tx::{Body, MAX_COSE, Parents, Payload, assemble};
use iotedge_core::wire::Frame;
use iotedge_core::{
    Amount, Epoch, HeaderNumber, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Millis, Number, Peer,
    Prefix,
};
use std::collections::HashMap;
use std::hint::black_box;

const PEER: Peer = Peer(1);
const TAG: [u8; 4] = [0x5a; 4];
const EPOCH: Epoch = Epoch(700);
const START: Millis = Millis(1_700_000_000_000);

#[derive(Default)]
struct Held {
    heads: HashMap<u16, Number>,
    at: HashMap<(u16, u32), Id>,
    seen: HashMap<Id, Seen>,
    prefixes: HashMap<Prefix, Id>,
}

impl Held {
    fn add(&mut self, byte: u8, issuer: u16, number: u32, since: u64) -> Id {
        let id = Id([byte; 32]);
        let (issuer, number) = (MemberIndex(issuer), Number(number));
        let seen = Seen {
            issuer,
            number,
            epoch: EPOCH,
            time: Millis(START.0 + since),
        };
        self.heads.insert(issuer.0, number);
        self.at.insert((issuer.0, number.0), id);
        self.seen.insert(id, seen);
        self.prefixes.insert(id.prefix(), id);
        id
    }
}

impl Context for Held {
    fn tag(&self) -> [u8; 4] {
        TAG
    }
    fn head(&self, member: MemberIndex) -> Option<Number> {
        self.heads.get(&member.0).copied()
    }
    fn at(&self, member: MemberIndex, number: Number) -> Option<Id> {
        self.at.get(&(member.0, number.0)).copied()
    }
    fn seen(&self, id: &Id) -> Option<Seen> {
        self.seen.get(id).copied()
    }
    fn by_prefix(&self, prefix: &Prefix) -> Option<Id> {
        self.prefixes.get(prefix).copied()
    }
    fn by_short(&self, _: &[u8; 4]) -> Option<Id> {
        None
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        (epoch == EPOCH).then_some(START)
    }
    fn header(&self) -> HeaderNumber {
        HeaderNumber(EPOCH.0 - 1)
    }
    fn body(&self, _: &Id) -> Option<&[u8]> {
        None
    }
    fn peer_has(&self, _: Peer, _: &Id) -> bool {
        true
    }
}

/// A frame, its compressed form, and two links.
pub struct OnTheLink {
    held: Held,
    frame: Vec<u8>,
    packed: Vec<u8>,
    a: Link<'static>,
    b: Link<'static>,
    now: u64,
}

fn link() -> Link<'static> {
    let limits = LinkLimits::SMALL;
    let sizes = limits.sizes().expect("limits in range");
    let memory = LinkMemory {
        peers: Vec::leak(vec![LinkPeer::default(); sizes.peers]),
        outgoing: Vec::leak(vec![Outgoing::default(); sizes.outgoing]),
        incoming: Vec::leak(vec![Incoming::default(); sizes.incoming]),
        bytes: Vec::leak(vec![0; sizes.bytes]),
    };
    let mut link = Link::new(memory, limits, LinkConfig::new(51)).expect("a link");
    link.add_peer(PEER).expect("a place");
    link
}

impl OnTheLink {
    /// A transfer with two tips, all held at both ends; the numbers are those of a neighbourhood of 1,000 members in its second year.
    pub fn transfer() -> Self {
        let mut held = Held::default();
        let first = held.add(1, 412, 61_233, 43_100_000);
        let tips = [
            held.add(2, 87, 50_001, 43_199_000),
            held.add(3, 901, 70_707, 43_199_500),
        ];
        let parents = Parents::new(first, &tips).expect("two tips");
        let mut bytes = [0; MAX_PAYLOAD];
        let payload = Payload {
            epoch: EPOCH,
            issuer: MemberIndex(412),
            number: Number(61_234),
            offset: 43_200_123,
            parents: parents.prefixes().expect("sorted"),
            body: Body::Transfer {
                to: MemberIndex(87),
                amount: Amount(1_250),
                debits: Amount(81_503_250),
            },
        };
        let payload = payload.encode(&mut bytes).expect("fits");
        let mut cose = [0; MAX_COSE];
        let signature = Signature([0x77; 64]);
        let cose = assemble(Suite::Ed25519, payload, &signature, &mut cose).expect("fits");
        let mut frame = vec![0; MAX_FRAME];
        let attachment = None;
        let tx = Frame::Tx { cose, attachment };
        let len = tx.write(TAG, &mut frame).expect("fits");
        frame.truncate(len);
        let mut packed = vec![0; MAX_FRAME];
        let done = compress(&frame, PEER, Hope::All, &held, &mut packed).expect("compresses");
        packed.truncate(done.len);
        Self {
            held,
            frame,
            packed,
            a: link(),
            b: link(),
            now: 0,
        }
    }

    /// The longest frame.
    pub fn longest() -> Self {
        Self {
            frame: (0..MAX_FRAME).map(|i| (i * 7) as u8).collect(),
            ..Self::transfer()
        }
    }

    /// Leaves out what the other end holds.
    pub fn compress(&mut self) {
        let mut out = [0; MAX_FRAME];
        black_box(compress(
            black_box(&self.frame),
            PEER,
            Hope::All,
            &self.held,
            &mut out,
        ));
    }

    /// Puts it back, and checks it.
    pub fn decompress(&mut self) {
        let mut out = [0; MAX_FRAME];
        let len = decompress(black_box(&self.packed), &self.held, &mut out);
        assert_eq!(len, Ok(self.frame.len()));
    }

    /// One frame over two links.
    pub fn carry(&mut self) {
        self.now += 1;
        let now = Millis(self.now * 10_000);
        let (mut packet, mut out) = ([0; 51], [0; MAX_FRAME]);
        self.a.send(now, PEER, &self.frame, &Nothing).expect("room");
        let mut came = None;
        while let Some((_, len)) = self.a.next_packet(now, &mut packet) {
            came = self
                .b
                .receive(now, PEER, &packet[..len], &Nothing, &mut out)
                .expect("taken");
        }
        assert_eq!(came, Some(self.frame.len()));
    }

    /// Bytes of the compressed form.
    pub fn packed_bytes(&self) -> usize {
        self.packed.len()
    }

    /// RAM on this machine.
    pub fn memory() -> [(&'static str, usize); 4] {
        [
            (
                "a link, without neighbours and frames",
                size_of::<Link<'_>>(),
            ),
            ("a link's neighbour", size_of::<LinkPeer>()),
            (
                "a frame on its way out, without its 1405 bytes",
                size_of::<Outgoing>(),
            ),
            (
                "a datagram in the making, without its 1405 bytes",
                size_of::<Incoming>(),
            ),
        ]
    }
}
