//! Memory for a node: what a device gives from static arrays comes from the heap here.
//!
//! A daemon has one node for its whole life, so the memory is leaked: it stays where it is and never grows; all of it is resident from the start.

use crate::config::{Config, ConfigError};
use iotedge_core::identity::Record;
use iotedge_core::node::{InitError, Limits, Memory};
use iotedge_core::tangle::TangleMemory;

/// The core's limits for a configuration: one neighbour more than it names, for the daemon itself.
///
/// # Errors
/// Never for a checked configuration.
pub fn limits(config: &Config) -> Result<Limits, ConfigError> {
    config.check()?;
    Ok(Limits {
        window: config.limits.window,
        members: config.policy.max_members,
        peers: config.limits.peers.saturating_add(1),
        aside: config.limits.aside,
        outbox: config.limits.outbox,
        own: 256,
        raw: config.limits.raw_bytes,
        weights: false,
        ..Limits::SMALL
    })
}

/// Memory for a node with these limits.
///
/// # Errors
/// The limits are out of the core's bounds.
pub fn allocate(limits: &Limits) -> Result<Memory<'static>, InitError> {
    let sizes = limits.sizes()?;
    Ok(Memory {
        tangle: TangleMemory {
            vertices: leak(sizes.tangle.vertices),
            index: leak(sizes.tangle.index),
            tips: leak(sizes.tangle.tips),
            marks: leak(sizes.tangle.marks),
            members: leak(sizes.tangle.members),
            sets: leak(sizes.tangle.sets),
            settled: leak(sizes.tangle.settled),
            tracked: leak(sizes.tangle.tracked),
        },
        records: [sizes.records; 3].map(|n| Vec::leak(vec![Record::EMPTY; n])),
        classes: [sizes.classes; 3].map(leak),
        raw: leak(sizes.raw),
        raw_slots: leak(sizes.raw_slots),
        known: leak(sizes.known),
        peers: leak(sizes.peers),
        aside: leak(sizes.aside),
        wants: leak(sizes.wants),
        outbox: leak(sizes.outbox),
        own: leak(sizes.own),
        buckets: leak(sizes.buckets),
        headers: leak(sizes.headers),
        stubs: leak(sizes.stubs),
        ghosts: leak(sizes.ghosts),
        said: leak(sizes.said),
        sending: leak(sizes.sending),
        events: leak(sizes.events),
        work: leak(sizes.work),
        order: leak(sizes.work),
        weights: leak(sizes.weights),
    })
}

fn leak<T: Default>(count: usize) -> &'static mut [T] {
    Vec::leak(resident(count))
}

/// Memory of which every page is written now: what the daemon will ever need is asked of the system at its start, not under load.
pub fn resident<T: Default>(count: usize) -> Vec<T> {
    let mut memory = Vec::with_capacity(count);
    // Hidden from the compiler, which would ask for zeroed memory; that the system lends page by page.
    std::hint::black_box(&mut memory);
    memory.resize_with(count, T::default);
    memory
}
