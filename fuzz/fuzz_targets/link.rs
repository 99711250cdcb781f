//! The link on a script of packets: a neighbour that sends true frames, and one that sends what the fuzzer likes, as compressed datagrams, fragments
//! and requests. What comes out of the first are its frames and nothing else; what is rebuilt has the check that it came with.
#![no_main]

use iotedge_core::link::bytes::check_of;
use iotedge_core::link::{
    Context, Hope, Incoming, Link, LinkConfig, LinkLimits, LinkMemory, LinkPeer, Outgoing, Seen,
    compress, decompress,
};
use iotedge_core::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number, Peer, Prefix};
use libfuzzer_sys::fuzz_target;

const TRUE: Peer = Peer(1);
const HOSTILE: Peer = Peer(2);
const START: u64 = 1_700_000_000_000;

/// Members 2, 4 and 7 with the transactions of the worked example, as in vectors/link.json.
struct Held;

const HELD: [(u8, u16, u32, u64); 5] = [
    (0x09, 4, 69, 100_000),
    (0x08, 2, 30, 90_000),
    (0x03, 2, 31, 122_000),
    (0x07, 7, 12, 123_000),
    (0x0a, 3000, 5, 50_000),
];
const BODY: &[u8] = b"\x81\xa3\x00dtemp\x01cCel\x02\xc4\x82\x20\x18\xd7";

impl Context for Held {
    fn tag(&self) -> [u8; 4] {
        [0x11; 4]
    }
    fn head(&self, member: MemberIndex) -> Option<Number> {
        let own = HELD.iter().filter(|h| h.1 == member.0);
        own.map(|h| Number(h.2)).max()
    }
    fn at(&self, member: MemberIndex, number: Number) -> Option<Id> {
        let mut own = HELD.iter().filter(|h| h.1 == member.0 && h.2 == number.0);
        own.next().map(|h| Id([h.0; 32]))
    }
    fn seen(&self, id: &Id) -> Option<Seen> {
        let held = HELD.iter().find(|h| [h.0; 32] == id.0)?;
        Some(Seen {
            issuer: MemberIndex(held.1),
            number: Number(held.2),
            epoch: Epoch(3),
            time: Millis(START + held.3),
        })
    }
    fn by_prefix(&self, prefix: &Prefix) -> Option<Id> {
        let found = HELD.iter().find(|h| [h.0; 16] == prefix.0)?;
        Some(Id([found.0; 32]))
    }
    fn by_short(&self, short: &[u8; 4]) -> Option<Id> {
        let found = HELD.iter().find(|h| [h.0; 4] == *short)?;
        Some(Id([found.0; 32]))
    }
    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        match epoch.0 {
            2 => Some(Millis(START - 600_000)),
            3 => Some(Millis(START)),
            _ => None,
        }
    }
    fn header(&self) -> HeaderNumber {
        HeaderNumber(2)
    }
    fn body(&self, id: &Id) -> Option<&[u8]> {
        (id.0 == [9; 32]).then_some(BODY)
    }
    fn peer_has(&self, _: Peer, _: &Id) -> bool {
        true
    }
}

/// Memory of one link.
struct Room {
    peers: Vec<LinkPeer>,
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    bytes: Vec<u8>,
}

const LIMITS: LinkLimits = LinkLimits {
    peers: 2,
    outgoing: 2,
    incoming: 3,
    per_peer: 2,
    frame: 600,
};

impl Room {
    fn new() -> Self {
        let sizes = LIMITS.sizes().expect("limits in range");
        Self {
            peers: vec![LinkPeer::default(); sizes.peers],
            outgoing: vec![Outgoing::default(); sizes.outgoing],
            incoming: vec![Incoming::default(); sizes.incoming],
            bytes: vec![0; sizes.bytes],
        }
    }

    fn link(&mut self, peers: &[Peer]) -> Link<'_> {
        let memory = LinkMemory {
            peers: &mut self.peers,
            outgoing: &mut self.outgoing,
            incoming: &mut self.incoming,
            bytes: &mut self.bytes,
        };
        let mut link = Link::new(memory, LIMITS, LinkConfig::new(51)).expect("a link");
        for peer in peers {
            link.add_peer(*peer).expect("a place");
        }
        link
    }
}

fn rebuild(packed: &[u8]) {
    let mut frame = [0; MAX_FRAME];
    let Ok(len) = decompress(packed, &Held, &mut frame) else {
        return;
    };
    assert_eq!(packed[1..3], check_of(&frame[..len]).to_be_bytes());
    // What compresses comes back.
    let mut again = [0; MAX_FRAME];
    if let Some(done) = compress(&frame[..len], TRUE, Hope::All, &Held, &mut again) {
        let mut twice = [0; MAX_FRAME];
        let whole = decompress(&again[..done.len], &Held, &mut twice);
        assert_eq!(whole, Ok(len));
        assert_eq!(twice[..len], frame[..len]);
    }
}

fuzz_target!(|script: &[u8]| {
    let (mut ours, mut theirs) = (Room::new(), Room::new());
    let mut here = ours.link(&[TRUE, HOSTILE]);
    let mut there = theirs.link(&[TRUE]);
    let (mut now, mut sent) = (0u64, Vec::<Vec<u8>>::new());
    let (mut packet, mut frame) = ([0; 64], [0; MAX_FRAME]);
    let mut rest = script;
    // Operation, length, bytes.
    while let [what, len, tail @ ..] = rest {
        let (bytes, tail) = tail.split_at(tail.len().min(usize::from(*len)));
        rest = tail;
        let time = Millis(now);
        match what % 8 {
            0 => rebuild(bytes),
            1 => {
                let _ = here.receive(time, HOSTILE, bytes, &Held, &mut frame);
            }
            2 => {
                // A frame of the true neighbour, up to four times as long.
                let long = bytes.repeat(1 + usize::from(what >> 6));
                if there.send(time, TRUE, &long, &Held).is_ok() {
                    sent.push(long);
                }
            }
            // It is carried, or lost.
            3 | 4 => {
                let carried = there.next_packet(time, &mut packet);
                if let (Some((_, len)), 3) = (carried, what % 8) {
                    let came = here.receive(time, TRUE, &packet[..len], &Held, &mut frame);
                    if let Ok(Some(len)) = came {
                        assert!(sent.iter().any(|s| s[..] == frame[..len]), "another frame");
                    }
                }
            }
            5 => {
                if let Some((to, len)) = here.next_packet(time, &mut packet)
                    && to == TRUE
                {
                    let _ = there.receive(time, TRUE, &packet[..len], &Held, &mut frame);
                }
            }
            6 => now += u64::from(*len) * 20,
            _ => {
                let _ = here.send(time, HOSTILE, bytes, &Held);
                let _ = here.next_deadline(time);
            }
        }
    }
});
