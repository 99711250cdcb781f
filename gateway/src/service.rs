//! What a gateway or validator answers from its store: genesis, headers, votes, tables, proofs, sets, and old transactions.
//!
//! Invariant: only what is under a stake quorum is given out as settled. An answer depends on the store alone, so the daemon's
//! own node asks here like anybody else. Work per request is bounded: at most one tree is built, and a few are kept.

use crate::check::Trust;
use crate::daemon::GlNode;
use crate::epoch::{Tree, payload_of};
use crate::store::{Store, StoreError};
use iotedge_core::crypto::Signature;
use iotedge_core::wire::frame::{MAX_RECORDS, MAX_VOTES};
use iotedge_core::wire::list::{List, Raw, Vote};
use iotedge_core::wire::{Frame, FrameType};
use iotedge_core::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Prefix};
use std::collections::VecDeque;

/// Trees kept to answer proofs from.
const TREES: usize = 3;
/// Old transactions sent for one request.
const OLD: usize = 16;

/// The genesis and set as they travel, and what is trusted of them.
pub struct Neighbourhood {
    pub trust: Trust,
    pub genesis: Vec<u8>,
    pub set: Vec<u8>,
}

/// Answers requests.
#[derive(Default)]
pub struct Service {
    trees: VecDeque<(HeaderNumber, Tree)>,
    /// Requests answered, by type.
    pub answered: u64,
}

impl Service {
    /// Answers `frame`, if it is a request for this room; `None` where it is the node's.
    ///
    /// # Errors
    /// The store failed.
    pub fn answer(
        &mut self,
        store: &Store,
        neighbourhood: Option<&Neighbourhood>,
        node: &GlNode,
        frame: &Frame<'_>,
    ) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let answers = match (*frame, neighbourhood) {
            (Frame::GenesisRequest, Some(n)) => vec![genesis(n)],
            (Frame::SetRequest { term }, Some(n)) if term == u64::from(n.trust.set.term()) => {
                vec![write(&Frame::Set(&n.set), tag(n))]
            }
            (Frame::HeaderRequest { header }, Some(n)) => header_frames(store, n, header)?,
            (Frame::TableRequest { epoch, first }, Some(n)) => {
                table(store, n, epoch, first)?.into_iter().collect()
            }
            (Frame::LocksRequest { header, first }, Some(n)) => {
                locks(store, n, header, first)?.into_iter().collect()
            }
            (Frame::ProofRequest { ids }, Some(n)) => {
                let mut proofs = Vec::new();
                for id in ids.iter() {
                    proofs.extend(self.proof(store, n, &id)?);
                }
                proofs
            }
            (Frame::Request(prefixes), Some(n)) => {
                // The node answers for its window; what is older comes from the store.
                let old = old_transactions(store, n, node, prefixes.iter())?;
                self.answered += old.len() as u64;
                return Ok((!old.is_empty()).then_some(old));
            }
            (Frame::GenesisRequest | Frame::SetRequest { .. }, _) => Vec::new(),
            (other, None) if is_request(&other) => Vec::new(),
            _ => return Ok(None),
        };
        self.answered += answers.len() as u64;
        Ok(Some(answers))
    }

    fn proof(
        &mut self,
        store: &Store,
        n: &Neighbourhood,
        id: &Id,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((number, leaf)) = store.leaf_of(id)? else {
            return Ok(None);
        };
        if !self.trees.iter().any(|(of, _)| *of == number) {
            let Some(payload) = store.header(number)?.and_then(|h| payload_of(&h.cose)) else {
                return Ok(None);
            };
            let Some(tree) = Tree::new(&payload, &store.leaves(number)?) else {
                return Ok(None);
            };
            if self.trees.len() == TREES {
                self.trees.pop_front();
            }
            self.trees.push_back((number, tree));
        }
        let tree = self
            .trees
            .iter()
            .find(|(of, _)| *of == number)
            .map(|(_, tree)| tree);
        Ok(tree.and_then(|tree| {
            let path = tree.path(leaf)?;
            let frame = Frame::Proof {
                header: number,
                id: *id,
                leaf,
                size: tree.size(),
                path: List::of(&path),
            };
            Some(write(&frame, tag(n)))
        }))
    }
}

/// The GENESIS frame: unbound, so that a device that knows no neighbourhood takes it.
#[must_use]
pub fn genesis(n: &Neighbourhood) -> Vec<u8> {
    let frame = Frame::Genesis {
        cose: &n.genesis,
        set: &n.set,
    };
    write(&frame, [0; 4])
}

/// HEADER and VOTES of a settled header; nothing where it is not settled here.
///
/// # Errors
/// The store failed.
pub fn header_frames(
    store: &Store,
    n: &Neighbourhood,
    number: HeaderNumber,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let Some(header) = store.header(number)?.filter(|h| h.settled) else {
        return Ok(Vec::new());
    };
    let mut frames = vec![write(
        &Frame::Header {
            cose: &header.cose,
            path: List::of(&header.path0),
        },
        tag(n),
    )];
    frames.extend(vote_frames(n, number, &store.votes(number)?));
    Ok(frames)
}

/// VOTES frames of at most 16 votes each.
#[must_use]
pub fn vote_frames(
    n: &Neighbourhood,
    number: HeaderNumber,
    votes: &[(u16, [u8; 64])],
) -> Vec<Vec<u8>> {
    let votes: Vec<Vote> = votes
        .iter()
        .filter_map(|(index, signature)| {
            Some(Vote {
                index: u8::try_from(*index).ok()?,
                signature: Signature(*signature),
            })
        })
        .collect();
    votes
        .chunks(MAX_VOTES)
        .map(|chunk| {
            let frame = Frame::Votes {
                header: number,
                votes: List::of(chunk),
            };
            write(&frame, tag(n))
        })
        .collect()
}

/// All of a settled epoch's table, in as few frames as it fits.
///
/// # Errors
/// The store failed.
pub fn table_frames(
    store: &Store,
    n: &Neighbourhood,
    epoch: Epoch,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut frames = Vec::new();
    let mut first = 0_usize;
    while let Ok(index) = u16::try_from(first) {
        let Some(frame) = table(store, n, epoch, MemberIndex(index))? else {
            break;
        };
        let Ok((_, Frame::Table { records, .. })) = Frame::parse(&frame) else {
            break;
        };
        let count = records.iter().count();
        if count == 0 {
            break;
        }
        first += count;
        frames.push(frame);
    }
    Ok(frames)
}

fn table(
    store: &Store,
    n: &Neighbourhood,
    epoch: Epoch,
    first: MemberIndex,
) -> Result<Option<Vec<u8>>, StoreError> {
    if epoch > store.newest_settled()?.opens() {
        return Ok(None);
    }
    let records = store.records(epoch, first, MAX_RECORDS as u32)?;
    Ok(as_many_as_fit(n, &records, |records| Frame::Table {
        epoch,
        first,
        records,
    }))
}

fn locks(
    store: &Store,
    n: &Neighbourhood,
    header: HeaderNumber,
    first: u32,
) -> Result<Option<Vec<u8>>, StoreError> {
    if header > store.newest_settled()? {
        return Ok(None);
    }
    let locks = store.locks(header, first, MAX_RECORDS as u32)?;
    Ok(as_many_as_fit(n, &locks, |locks| Frame::Locks {
        header,
        first,
        locks,
    }))
}

/// A frame with as many of the items, from the first on, as there is room for.
fn as_many_as_fit(
    n: &Neighbourhood,
    items: &[Vec<u8>],
    frame: impl for<'l> Fn(List<'l, Raw<'l>>) -> Frame<'l>,
) -> Option<Vec<u8>> {
    let raw: Vec<Raw<'_>> = items.iter().map(|item| Raw(item)).collect();
    (1..=raw.len()).rev().find_map(|count| {
        let mut out = [0; MAX_FRAME];
        let frame = frame(List::of(raw.get(..count)?));
        let len = frame.write(tag(n), &mut out).ok()?;
        Some(out[..len].to_vec())
    })
}

fn old_transactions(
    store: &Store,
    n: &Neighbourhood,
    node: &GlNode,
    prefixes: impl Iterator<Item = Prefix>,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut frames = Vec::new();
    for prefix in prefixes {
        let held = node
            .tangle()
            .lookup(&prefix)
            .any(|id| node.raw(&id).is_some());
        if held || frames.len() >= OLD {
            continue;
        }
        for tx in store.tx_by_prefix(&prefix.0)? {
            frames.push(tx_frame(tag(n), &tx.raw));
        }
    }
    Ok(frames)
}

/// A TX frame around stored bytes.
#[must_use]
pub fn tx_frame(tag: [u8; 4], raw: &[u8]) -> Vec<u8> {
    let mut frame = tag.to_vec();
    frame.push(FrameType::Tx.number());
    frame.extend_from_slice(raw);
    frame
}

fn is_request(frame: &Frame<'_>) -> bool {
    matches!(
        frame.frame_type(),
        FrameType::HeaderRequest
            | FrameType::ProofRequest
            | FrameType::TableRequest
            | FrameType::LocksRequest
            | FrameType::GenesisRequest
            | FrameType::SetRequest
    )
}

fn tag(n: &Neighbourhood) -> [u8; 4] {
    n.trust.neighbourhood.tag()
}

/// The bytes of a frame of ours; empty where it cannot be written, which the transport does not send.
#[must_use]
pub fn write(frame: &Frame<'_>, tag: [u8; 4]) -> Vec<u8> {
    let mut out = [0; MAX_FRAME];
    match frame.write(tag, &mut out) {
        Ok(len) => out[..len].to_vec(),
        Err(error) => {
            tracing::error!(?error, kind = ?frame.frame_type(), "a frame cannot be written");
            Vec::new()
        }
    }
}
