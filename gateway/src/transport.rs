//! One UDP socket and any serial lines, and a bounded table that gives each neighbour's address a number.
//!
//! Invariant: the table never grows past its limit, and a number is given to another address only after the node was told that
//! the old neighbour is gone. Who is in the configuration stays; of the others the one idle longest makes room. A datagram that
//! the system cannot take now waits in a bounded queue; gossip repairs what falls out of it. A turn takes what came on the lines
//! first, so that no flood over UDP keeps them from being heard.

use crate::config::Serial;
use crate::line::{Behind, Counts, Line};
use iotedge_core::MAX_FRAME;
use iotedge_core::node::Peer;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

/// Datagrams taken in one turn of the loop.
pub const TURN: usize = 256;
/// Datagrams that wait for the system.
const QUEUE: usize = 1024;

/// Where a neighbour is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    Udp(SocketAddr),
    /// At the other end of the serial line of this number, in the order of the configuration.
    Line(u16),
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Udp(address)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Udp(address) => address.fmt(f),
            Self::Line(number) => write!(f, "serial line {number}"),
        }
    }
}

struct Entry {
    address: Address,
    heard: u64,
    pinned: bool,
}

/// Neighbours by number and by address.
pub struct Peers {
    entries: Vec<Option<Entry>>,
    by_address: HashMap<Address, Peer>,
}

/// What happened when an address was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It had a number.
    Known(Peer),
    /// It has one now.
    New(Peer),
    /// It has one now that was another's: tell the node that the other is gone.
    Replaced(Peer),
    /// Everyone in the table is pinned.
    Full,
}

impl Peers {
    /// A table for at most `limit` neighbours.
    #[must_use]
    pub fn new(limit: u16) -> Self {
        Self {
            entries: (0..limit).map(|_| None).collect(),
            by_address: HashMap::new(),
        }
    }

    /// The number of `address`, which was heard at `now`. Who is at the end of a wire stays, once it was heard.
    pub fn heard(&mut self, address: impl Into<Address>, now: u64, pinned: bool) -> Seen {
        let address = address.into();
        let pinned = pinned || matches!(address, Address::Line(_));
        if let Some(&peer) = self.by_address.get(&address) {
            if let Some(Some(entry)) = self.entries.get_mut(usize::from(peer.0)) {
                entry.heard = now;
                entry.pinned |= pinned;
            }
            return Seen::Known(peer);
        }
        let free = self.entries.iter().position(Option::is_none);
        let (slot, replaced) = match free {
            Some(slot) => (slot, false),
            None => {
                let idle = self
                    .entries
                    .iter()
                    .enumerate()
                    .filter_map(|(slot, entry)| {
                        entry
                            .as_ref()
                            .filter(|e| !e.pinned)
                            .map(|e| (e.heard, slot))
                    })
                    .min();
                let Some((_, slot)) = idle else {
                    return Seen::Full;
                };
                (slot, true)
            }
        };
        let Ok(number) = u16::try_from(slot) else {
            return Seen::Full;
        };
        if let Some(old) = self.entries[slot].replace(Entry {
            address,
            heard: now,
            pinned,
        }) {
            self.by_address.remove(&old.address);
        }
        self.by_address.insert(address, Peer(number));
        if replaced {
            Seen::Replaced(Peer(number))
        } else {
            Seen::New(Peer(number))
        }
    }

    /// The address of a number.
    #[must_use]
    pub fn address(&self, peer: Peer) -> Option<Address> {
        self.entries
            .get(usize::from(peer.0))?
            .as_ref()
            .map(|e| e.address)
    }

    /// The number of an address that has one.
    #[must_use]
    pub fn find(&self, address: impl Into<Address>) -> Option<Peer> {
        self.by_address.get(&address.into()).copied()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_address.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }
}

/// A datagram of the turn, or a frame of a line.
pub struct Datagram {
    pub from: Address,
    len: usize,
    bytes: [u8; MAX_FRAME + 1],
}

impl Datagram {
    /// What arrived. Longer than a frame can be means: cut off by the buffer, and refused by the parser for its length.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The socket with its queues, and the lines.
pub struct Transport {
    socket: UdpSocket,
    lines: Vec<Line>,
    /// Something came on a line.
    wake: Arc<Notify>,
    inbox: Vec<Datagram>,
    filled: usize,
    waiting: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Datagrams dropped because the queue was full.
    pub dropped: u64,
}

impl Transport {
    /// Binds the socket and, where the configuration says so, joins the multicast group.
    ///
    /// # Errors
    /// The system refuses the address or the group.
    pub fn bind(
        listen: SocketAddr,
        multicast: Option<SocketAddr>,
        interface: Option<Ipv4Addr>,
    ) -> std::io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(listen),
            Type::DGRAM,
            Some(Protocol::UDP),
        )?;
        // As large as the system allows: a burst of a whole neighbourhood should wait here, not be lost.
        let _ = socket.set_recv_buffer_size(8 << 20);
        let _ = socket.set_send_buffer_size(2 << 20);
        socket.set_nonblocking(true)?;
        socket.bind(&listen.into())?;
        match multicast.map(|group| group.ip()) {
            Some(std::net::IpAddr::V4(group)) => {
                let interface = interface.unwrap_or(Ipv4Addr::UNSPECIFIED);
                socket.join_multicast_v4(&group, &interface)?;
                socket.set_multicast_if_v4(&interface)?;
                socket.set_multicast_loop_v4(false)?;
            }
            Some(std::net::IpAddr::V6(group)) => {
                socket.join_multicast_v6(&group, 0)?;
                socket.set_multicast_loop_v6(false)?;
            }
            None => {}
        }
        let empty = || Datagram {
            from: Address::Udp(listen),
            len: 0,
            bytes: [0; MAX_FRAME + 1],
        };
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            lines: Vec::new(),
            wake: Arc::new(Notify::new()),
            inbox: std::iter::repeat_with(empty).take(TURN).collect(),
            filled: 0,
            waiting: VecDeque::new(),
            dropped: 0,
        })
    }

    /// Starts the serial lines.
    ///
    /// # Errors
    /// The first line whose address cannot be listened on.
    pub fn open_lines(&mut self, lines: &[Serial]) -> Result<(), (usize, std::io::Error)> {
        for (number, line) in lines.iter().enumerate() {
            let behind = line
                .listen
                .map(|listen| Behind::bind(listen, line.neighbours.clone()))
                .transpose()
                .map_err(|error| (number, error))?;
            let line = Line::start(
                line.port.clone(),
                line.baud,
                line.flow,
                behind,
                self.wake.clone(),
            )
            .map_err(|error| (number, error))?;
            self.lines.push(line);
        }
        Ok(())
    }

    /// What each line counted.
    pub fn line_counts(&self) -> Vec<Counts> {
        self.lines.iter().map(Line::counts).collect()
    }

    /// Where it is bound.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits until there is something to read or, with datagrams waiting, to write.
    pub async fn ready(&self) {
        let mut interest = tokio::io::Interest::READABLE;
        if !self.waiting.is_empty() {
            interest |= tokio::io::Interest::WRITABLE;
        }
        tokio::select! {
            _ = self.socket.ready(interest) => {}
            () = self.wake.notified() => {}
        }
    }

    /// Takes what has arrived, at most [`TURN`] datagrams; of the lines at most half as many, one from each in turn.
    pub fn drain(&mut self) -> &[Datagram] {
        self.filled = 0;
        let mut heard = true;
        while heard && self.filled < TURN / 2 {
            heard = false;
            for (number, line) in (0_u16..).zip(&self.lines) {
                let Some(slot) = self.inbox.get_mut(self.filled) else {
                    break;
                };
                if let Some(frame) = line.next() {
                    let len = frame.len().min(slot.bytes.len());
                    slot.bytes[..len].copy_from_slice(&frame[..len]);
                    slot.len = len;
                    slot.from = Address::Line(number);
                    self.filled += 1;
                    heard = true;
                }
            }
        }
        if self.lines.iter().any(Line::has_more) {
            self.wake.notify_one();
        }
        let mut failures = 0;
        while let Some(slot) = self.inbox.get_mut(self.filled) {
            match self.socket.try_recv_from(&mut slot.bytes) {
                Ok((len, from)) => {
                    slot.len = len;
                    slot.from = from.into();
                    self.filled += 1;
                }
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => break,
                // ICMP "port unreachable" of an earlier send surfaces here; the datagrams behind it are fine.
                Err(_) if failures < TURN => failures += 1,
                Err(_) => break,
            }
        }
        &self.inbox[..self.filled]
    }

    /// Sends a frame, or queues it.
    pub fn send(&mut self, to: impl Into<Address>, frame: &[u8]) {
        let to = match to.into() {
            Address::Udp(to) => to,
            Address::Line(number) => {
                if let Some(line) = self.lines.get(usize::from(number)) {
                    line.send(frame);
                }
                return;
            }
        };
        // Straight to the system: the runtime believes a socket unwritable until it has first asked.
        let direct = || socket2::SockRef::from(&self.socket).send_to(frame, &to.into());
        if self.waiting.is_empty() && !would_block(direct().map(|_| ())) {
            return;
        }
        if self.waiting.len() == QUEUE {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((to, frame.to_vec()));
    }

    /// Sends what waits, as far as the system takes it.
    pub fn flush(&mut self) {
        while let Some((to, frame)) = self.waiting.pop_front() {
            if would_block(self.socket.try_send_to(&frame, to).map(|_| ())) {
                self.waiting.push_front((to, frame));
                break;
            }
        }
    }
}

/// Any other error (host unreachable, refused by a peer that is down) is a lost datagram.
fn would_block(sent: std::io::Result<()>) -> bool {
    matches!(sent, Err(e) if e.kind() == std::io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_table_is_bounded_and_the_idlest_stranger_goes() {
        let mut peers = Peers::new(3);
        assert_eq!(peers.heard(address(1), 0, true), Seen::New(Peer(0)));
        assert_eq!(peers.heard(address(2), 1, false), Seen::New(Peer(1)));
        assert_eq!(peers.heard(address(3), 2, false), Seen::New(Peer(2)));
        assert_eq!(peers.heard(address(2), 3, false), Seen::Known(Peer(1)));
        assert_eq!(peers.heard(address(4), 4, false), Seen::Replaced(Peer(2)));
        assert_eq!(peers.address(Peer(2)), Some(address(4).into()));
        assert_eq!(peers.find(address(3)), None);
        assert_eq!(peers.len(), 3);
        assert_eq!(peers.heard(address(2), 5, true), Seen::Known(Peer(1)));
        assert_eq!(peers.heard(address(4), 5, true), Seen::Known(Peer(2)));
        assert_eq!(peers.heard(address(5), 6, false), Seen::Full);
        assert_eq!(peers.find(address(1)), Some(Peer(0)));
    }

    #[test]
    fn who_is_at_the_end_of_a_wire_does_not_make_room() {
        let mut peers = Peers::new(2);
        assert_eq!(peers.heard(Address::Line(0), 0, false), Seen::New(Peer(0)));
        assert_eq!(peers.heard(address(1), 1, false), Seen::New(Peer(1)));
        assert_eq!(peers.heard(address(2), 2, false), Seen::Replaced(Peer(1)));
        assert_eq!(
            peers.heard(Address::Line(0), 3, false),
            Seen::Known(Peer(0))
        );
        assert_eq!(peers.address(Peer(0)), Some(Address::Line(0)));
        assert_eq!(
            peers.heard(Address::Line(1), 4, false),
            Seen::Replaced(Peer(1))
        );
        assert_eq!(peers.heard(address(3), 5, false), Seen::Full);
    }

    #[tokio::test]
    async fn many_datagrams_are_drained_in_one_turn() {
        let mut a = Transport::bind(address(0), None, None).unwrap();
        let mut b = Transport::bind(address(0), None, None).unwrap();
        let to = b.local_addr().unwrap();
        for n in 0..20_u8 {
            a.send(to, &[n; 100]);
        }
        // Longer than a frame may be: arrives cut to one byte more, so that the parser refuses its length.
        a.send(to, &[0; MAX_FRAME + 50]);
        let limit = std::time::Duration::from_secs(5);
        tokio::time::timeout(limit, b.ready()).await.unwrap();
        let drained = b.drain();
        assert_eq!(drained.len(), 21);
        assert_eq!(drained[7].bytes(), &[7; 100]);
        assert_eq!(drained[20].bytes().len(), MAX_FRAME + 1);
        assert_eq!(drained[0].from, a.local_addr().unwrap().into());
        assert!(b.drain().is_empty());
    }

    #[tokio::test]
    async fn an_unreachable_peer_does_not_stop_the_socket() {
        let gone = {
            let t = Transport::bind(address(0), None, None).unwrap();
            t.local_addr().unwrap()
        };
        let mut a = Transport::bind(address(0), None, None).unwrap();
        let mut b = Transport::bind(address(0), None, None).unwrap();
        for _ in 0..4 {
            a.send(gone, b"x");
        }
        b.send(a.local_addr().unwrap(), b"hello");
        let mut got = Vec::new();
        for _ in 0..50 {
            let limit = std::time::Duration::from_secs(5);
            tokio::time::timeout(limit, a.ready()).await.unwrap();
            got.extend(a.drain().iter().map(|d| d.bytes().to_vec()));
            if !got.is_empty() {
                break;
            }
        }
        assert_eq!(got, [b"hello".to_vec()]);
    }
}
