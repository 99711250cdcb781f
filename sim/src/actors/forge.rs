//! What a member signs behind the back of its own node.

use super::Hands;
use crate::gateway::written;
use iotedge_core::tangle::Tables as _;
use iotedge_core::tx::{Body, Parents, Payload, sign_with};
use iotedge_core::wire::Frame;
use iotedge_core::{Epoch, Id, MAX_FRAME, MAX_PAYLOAD, MemberIndex, Number};

/// A reading that any node takes.
pub const READING: &[u8] = &[0x81, 0xa1, 0x02, 0x01];

/// The end of a chain, perhaps one that nobody else has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct End {
    /// Its id.
    pub id: Id,
    /// Its number.
    pub number: u32,
    /// D of the chain.
    pub debits: u64,
    /// Its absolute time.
    pub time: u64,
    /// The epoch that it hands on.
    pub epoch: u32,
}

/// The end of the own chain, as the own node has it.
#[must_use]
pub fn head(hands: &Hands<'_, '_>) -> Option<End> {
    let (_, node) = hands.node_and_founding()?;
    let head = node
        .tangle()
        .head(node.tables(), MemberIndex(hands.member()))?;
    let time = node.tangle().get(&head.id).map_or(0, |facts| facts.time.0);
    let epoch = node.tangle().hands_on(&head.id).unwrap_or(Epoch(1));
    Some(End {
        id: head.id,
        number: head.number.0,
        debits: head.debits.0,
        time,
        epoch: epoch.0,
    })
}

/// Vertices of others that may be stood on now, the oldest first.
#[must_use]
pub fn standing(hands: &Hands<'_, '_>) -> Vec<(u64, Id)> {
    let Some((founding, node)) = hands.node_and_founding() else {
        return Vec::new();
    };
    let (now, age) = (hands.own_clock(), founding.genesis.parent_age.0);
    let tangle = node.tangle();
    let mut all: Vec<(u64, Id)> = tangle
        .since(tangle.oldest_sequence())
        .filter(|(_, facts)| facts.issuer.0 != hands.member())
        .map(|(_, facts)| (facts.time.0, facts.id))
        .filter(|(time, _)| *time + age > now + 40 && *time < now)
        .collect();
    all.sort_unstable();
    all
}

/// Signs this as `issuer` with the own key, at this time or the first that is allowed.
#[must_use]
pub fn forge(
    hands: &Hands<'_, '_>,
    issuer: u16,
    first: &End,
    tips: &[Id],
    time: u64,
    body: Body<'_>,
) -> Option<(End, Vec<u8>)> {
    let (founding, node) = hands.node_and_founding()?;
    let below = tips.iter().filter_map(|id| node.tangle().get(id));
    let time = below
        .map(|facts| facts.time.0 + 1)
        .fold(time.max(first.time + 1), u64::max);
    let epochs = tips.iter().filter_map(|id| node.tangle().hands_on(id));
    let epoch = epochs.map(|epoch| epoch.0).fold(first.epoch, u32::max);
    let start = node.tables().clock_start(Epoch(epoch))?;
    let parents = Parents::new(first.id, tips).ok()?;
    let payload = Payload {
        epoch: Epoch(epoch),
        issuer: MemberIndex(issuer),
        number: Number(first.number + 1),
        offset: u32::try_from(time.checked_sub(start.0)?).ok()?,
        parents: parents.prefixes().ok()?,
        body,
    };
    let mut buffer = [0; MAX_PAYLOAD];
    let bytes = payload.encode(&mut buffer).ok()?;
    let mut cose = [0; MAX_FRAME];
    let secret = hands.secret();
    let tx = sign_with(&secret, &founding.neighbourhood, bytes, &parents, &mut cose).ok()?;
    let debits = match body {
        Body::Transfer { debits, .. } | Body::Lock { debits, .. } | Body::Exit { debits, .. } => {
            debits.0
        }
        _ => first.debits,
    };
    let frame = Frame::Tx {
        cose: tx.cose(),
        attachment: None,
    };
    let end = End {
        id: tx.id(),
        number: first.number + 1,
        debits,
        time,
        epoch,
    };
    Some((end, written(&frame, founding.tag())))
}

/// To all neighbours.
pub fn spread(hands: &mut Hands<'_, '_>, frame: &[u8]) {
    for peer in hands.peers().to_vec() {
        hands.send(peer, frame);
    }
}
