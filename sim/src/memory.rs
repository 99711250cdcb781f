//! The memory that a simulated node and its link live in.
//!
//! A slab owns every slice that `Node::new` asks for and lends it out; a reboot takes it back through `Node::into_parts` and gives
//! it to the next life. Nothing is allocated for a node after its slab was made, and [`Footprint`] proves it: the slices that
//! come back are the ones that were lent.

use iotedge_core::identity::Record;
use iotedge_core::link::{Incoming, LinkLimits, LinkMemory, LinkPeer, Outgoing};
use iotedge_core::node::{
    Event, InitError, Limits, Memory, aside, bucket, gossip, headers, outbox, own, peers, raw,
    wants,
};
use iotedge_core::tangle::{Member, TangleMemory, Tracked, Vertex, Work};
use iotedge_core::{Id, Millis, Number};

/// Owns the slices of one node.
#[derive(Debug)]
pub struct Slab {
    vertices: Vec<Vertex>,
    index: Vec<u32>,
    tips: Vec<u16>,
    marks: Vec<u64>,
    members: Vec<Member>,
    sets: Vec<u8>,
    settled: Vec<Number>,
    tracked: Vec<Tracked>,
    records: [Vec<Record>; 3],
    classes: [Vec<u8>; 3],
    raw: Vec<u8>,
    raw_slots: Vec<raw::RawSlot>,
    known: Vec<u32>,
    peers: Vec<peers::PeerState>,
    aside: Vec<aside::Aside>,
    wants: Vec<wants::Want>,
    outbox: Vec<outbox::OutSlot>,
    own: Vec<own::Followed>,
    buckets: Vec<bucket::MemberBucket>,
    headers: Vec<headers::HeaderProof>,
    stubs: Vec<(Id, Millis)>,
    ghosts: Vec<(Id, Millis)>,
    said: Vec<gossip::Said>,
    sending: Vec<(u16, u32)>,
    events: Vec<Option<Event>>,
    work: Vec<Work>,
    order: Vec<u16>,
    weights: Vec<u64>,
}

impl Slab {
    /// Allocates everything that these limits need, once.
    ///
    /// # Errors
    /// [`InitError::Limits`].
    pub fn new(limits: &Limits) -> Result<Self, InitError> {
        let sizes = limits.sizes()?;
        Ok(Self {
            vertices: vec![Vertex::default(); sizes.tangle.vertices],
            index: vec![0; sizes.tangle.index],
            tips: vec![0; sizes.tangle.tips],
            marks: vec![0; sizes.tangle.marks],
            members: vec![Member::default(); sizes.tangle.members],
            sets: vec![0; sizes.tangle.sets],
            settled: vec![Number(0); sizes.tangle.settled],
            tracked: vec![Tracked::default(); sizes.tangle.tracked],
            records: core::array::from_fn(|_| vec![Record::EMPTY; sizes.records]),
            classes: core::array::from_fn(|_| vec![0; sizes.classes]),
            raw: vec![0; sizes.raw],
            raw_slots: vec![Default::default(); sizes.raw_slots],
            known: vec![0; sizes.known],
            peers: vec![Default::default(); sizes.peers],
            aside: vec![Default::default(); sizes.aside],
            wants: vec![Default::default(); sizes.wants],
            outbox: vec![Default::default(); sizes.outbox],
            own: vec![Default::default(); sizes.own],
            buckets: vec![Default::default(); sizes.buckets],
            headers: vec![Default::default(); sizes.headers],
            stubs: vec![Default::default(); sizes.stubs],
            ghosts: vec![Default::default(); sizes.ghosts],
            said: vec![Default::default(); sizes.said],
            sending: vec![Default::default(); sizes.sending],
            events: vec![Default::default(); sizes.events],
            work: vec![Work::default(); sizes.work],
            order: vec![0; sizes.work],
            weights: vec![0; sizes.weights],
        })
    }

    /// The slices, for one node at a time.
    pub fn lend(&mut self) -> Memory<'_> {
        let [a, b, c] = &mut self.records;
        let [d, e, f] = &mut self.classes;
        Memory {
            tangle: TangleMemory {
                vertices: &mut self.vertices,
                index: &mut self.index,
                tips: &mut self.tips,
                marks: &mut self.marks,
                members: &mut self.members,
                sets: &mut self.sets,
                settled: &mut self.settled,
                tracked: &mut self.tracked,
            },
            records: [a, b, c],
            classes: [d, e, f],
            raw: &mut self.raw,
            raw_slots: &mut self.raw_slots,
            known: &mut self.known,
            peers: &mut self.peers,
            aside: &mut self.aside,
            wants: &mut self.wants,
            outbox: &mut self.outbox,
            own: &mut self.own,
            buckets: &mut self.buckets,
            headers: &mut self.headers,
            stubs: &mut self.stubs,
            ghosts: &mut self.ghosts,
            said: &mut self.said,
            sending: &mut self.sending,
            events: &mut self.events,
            work: &mut self.work,
            order: &mut self.order,
            weights: &mut self.weights,
        }
    }
}

/// Owns the memory of one link layer.
#[derive(Debug)]
pub struct LinkSlab {
    peers: Vec<LinkPeer>,
    outgoing: Vec<Outgoing>,
    incoming: Vec<Incoming>,
    bytes: Vec<u8>,
}

impl LinkSlab {
    /// Allocates everything that these limits need, once; `None` where they are out of range.
    #[must_use]
    pub fn new(limits: &LinkLimits) -> Option<Self> {
        let sizes = limits.sizes()?;
        Some(Self {
            peers: vec![LinkPeer::default(); sizes.peers],
            outgoing: vec![Outgoing::default(); sizes.outgoing],
            incoming: vec![Incoming::default(); sizes.incoming],
            bytes: vec![0; sizes.bytes],
        })
    }

    /// Bytes in all.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of_val(self.peers.as_slice())
            + size_of_val(self.outgoing.as_slice())
            + size_of_val(self.incoming.as_slice())
            + self.bytes.len()
    }

    /// The slices, for one link.
    pub fn lend(&mut self) -> LinkMemory<'_> {
        LinkMemory {
            peers: &mut self.peers,
            outgoing: &mut self.outgoing,
            incoming: &mut self.incoming,
            bytes: &mut self.bytes,
        }
    }
}

/// Address and length of every slice of a node's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint(Vec<(usize, usize)>);

impl Footprint {
    /// Takes the addresses down.
    #[must_use]
    pub fn of(memory: &Memory<'_>) -> Self {
        fn at<T>(slice: &[T]) -> (usize, usize) {
            (slice.as_ptr() as usize, std::mem::size_of_val(slice))
        }
        let t = &memory.tangle;
        let mut all = vec![
            at(t.vertices),
            at(t.index),
            at(t.tips),
            at(t.marks),
            at(t.members),
            at(t.sets),
            at(t.settled),
            at(t.tracked),
            at(memory.raw),
            at(memory.raw_slots),
            at(memory.known),
            at(memory.peers),
            at(memory.aside),
            at(memory.wants),
            at(memory.outbox),
            at(memory.own),
            at(memory.buckets),
            at(memory.headers),
            at(memory.stubs),
            at(memory.ghosts),
            at(memory.said),
            at(memory.sending),
            at(memory.events),
            at(memory.work),
            at(memory.order),
            at(memory.weights),
        ];
        all.extend(memory.records.iter().map(|r| at(r)));
        all.extend(memory.classes.iter().map(|c| at(c)));
        Self(all)
    }

    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(_, len)| len).sum()
    }
}
