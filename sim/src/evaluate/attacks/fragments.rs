//! A storm of fragments against the link's reassembly: one neighbour fills whatever there is; does another's datagram still come through?

use iotedge_core::link::{
    Incoming, Link, LinkConfig, LinkLimits, LinkMemory, LinkPeer, Nothing, Outgoing,
};
use iotedge_core::node::Peer;
use iotedge_core::{MAX_FRAME, Millis};
use serde_json::{Value, json};

/// So many fragments of the storm between two fragments of the honest neighbour.
#[must_use]
pub fn storm(per_fragment: u32) -> Value {
    let limits = LinkLimits::SMALL;
    let sizes = limits.sizes().expect("limits");
    let mut memory = Vec::new();
    for _ in 0..2 {
        memory.push((
            vec![LinkPeer::default(); sizes.peers],
            vec![Outgoing::default(); sizes.outgoing],
            vec![Incoming::default(); sizes.incoming],
            vec![0u8; sizes.bytes],
        ));
    }
    let mut links: Vec<Link<'_>> = memory
        .iter_mut()
        .map(|(peers, outgoing, incoming, bytes)| {
            let memory = LinkMemory {
                peers,
                outgoing,
                incoming,
                bytes,
            };
            Link::new(memory, limits, LinkConfig::new(51)).expect("a link")
        })
        .collect();
    let (victim, honest) = links.split_at_mut(1);
    let (victim, honest) = (&mut victim[0], &mut honest[0]);
    for peer in [1, 2] {
        victim.add_peer(Peer(peer)).expect("room");
    }
    honest.add_peer(Peer(9)).expect("room");
    let mut rng = crate::rng::Rng::stream(1, "storm", 0);
    let (mut frame, mut packet) = ([0; MAX_FRAME], [0; 64]);
    let (mut came, mut sent, mut stormed) = (0, 0, 0u32);
    for turn in 0..200u64 {
        let now = Millis(turn * 50);
        let bytes = [turn as u8; 400];
        honest.send(now, Peer(9), &bytes, &Nothing).expect("room");
        sent += 1;
        while let Some((_, len)) = honest.next_packet(now, &mut packet) {
            for _ in 0..per_fragment {
                let mut junk = [0; 51];
                junk.iter_mut().for_each(|b| *b = rng.draw() as u8);
                junk[0] = 0x20 | (junk[0] & 0x1f);
                let _ = victim.receive(now, Peer(1), &junk, &Nothing, &mut frame);
                stormed += 1;
            }
            let whole = victim.receive(now, Peer(2), &packet[..len], &Nothing, &mut frame);
            came += u32::from(matches!(whole, Ok(Some(400))));
        }
    }
    json!({"per_fragment": per_fragment, "sent": sent, "came": came, "stormed": stormed, "memory": sizes.bytes})
}
