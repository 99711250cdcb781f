//! Rules for the frames of the gossip: announcements, requests, beacons.
//!
//! Invariant as for all rules: what is rebuilt is what was sent. So an announcement keeps its 16 bytes an id (the reader lacks just these
//! transactions, and nothing else could tell it their prefixes), while a request and the tips of a beacon name what the reader holds.

use super::super::bytes::{Put, Take};
use super::super::context::Context;
use super::super::name::{Named, put_known, take_known};
use super::Failed;
use crate::wire::frame::{Frame, MAX_BEACON_TIPS, MAX_PREFIXES};
use crate::wire::list::List;
use crate::{HeaderNumber, Millis, Peer, Prefix};
use heapless::Vec;

const SHORT: usize = 4;
/// Headers that the reader's newest may lie above the beacon's.
const HEADER_BACK: u32 = 127;

pub(super) fn pack_announce(ids: List<'_, Prefix>, out: &mut [u8]) -> Option<usize> {
    let mut to = Put::new(out);
    for id in ids.iter() {
        to.all(&id.0)?;
    }
    Some(to.len())
}

pub(super) fn unpack_announce(
    from: Take<'_>,
    tag: [u8; 4],
    out: &mut [u8],
) -> Result<usize, Failed> {
    let (chunks, rest) = from.0.as_chunks::<16>();
    if !rest.is_empty() {
        return Err(Failed::Malformed);
    }
    let mut ids: Vec<Prefix, MAX_PREFIXES> = Vec::new();
    for chunk in chunks {
        ids.push(Prefix(*chunk)).map_err(|_| Failed::Malformed)?;
    }
    write(&Frame::Announce(List::of(&ids)), tag, out)
}

pub(super) fn pack_request(ids: List<'_, Prefix>, out: &mut [u8]) -> Option<usize> {
    let mut to = Put::new(out);
    for id in ids.iter() {
        to.all(id.0.first_chunk::<SHORT>()?)?;
    }
    Some(to.len())
}

pub(super) fn unpack_request<C: Context + ?Sized>(
    from: Take<'_>,
    tag: [u8; 4],
    context: &C,
    out: &mut [u8],
) -> Result<usize, Failed> {
    let (chunks, rest) = from.0.as_chunks::<SHORT>();
    if !rest.is_empty() || chunks.is_empty() || chunks.len() > MAX_PREFIXES {
        return Err(Failed::Malformed);
    }
    let mut ids: Vec<Prefix, MAX_PREFIXES> = Vec::new();
    for chunk in chunks {
        let id = context.by_short(chunk).ok_or(Failed::OutOfStep)?;
        ids.push(id.prefix()).map_err(|_| Failed::Malformed)?;
    }
    write(&Frame::Request(List::of(&ids)), tag, out)
}

/// `now` travels as the time since the header's epoch began, the header as its low 8 bits. What the neighbour is not known to hold is
/// news and travels by its prefix.
pub(super) fn pack_beacon<C: Context + ?Sized>(
    now: Millis,
    header: HeaderNumber,
    tips: List<'_, Prefix>,
    peer: Peer,
    context: &C,
    out: &mut [u8],
) -> Option<usize> {
    if context.header() != header {
        return None;
    }
    let start = context.clock_start(header.opens())?;
    let mut to = Put::new(out);
    to.byte((header.0 & 255) as u8)?;
    to.varint(now.0.checked_sub(start.0)?)?;
    for tip in tips.iter() {
        put_known(&mut to, &tip, context, |id| context.peer_has(peer, id))?;
    }
    Some(to.len())
}

pub(super) fn unpack_beacon<C: Context + ?Sized>(
    mut from: Take<'_>,
    tag: [u8; 4],
    context: &C,
    out: &mut [u8],
) -> Result<usize, Failed> {
    let low = from.byte().ok_or(Failed::Malformed)?;
    let since = from.varint().ok_or(Failed::Malformed)?;
    let first = context.header().0.saturating_sub(HEADER_BACK);
    let up = u32::from(low).wrapping_sub(first) & 255;
    let header = HeaderNumber(first.checked_add(up).ok_or(Failed::OutOfStep)?);
    let mut tips: Vec<Prefix, MAX_BEACON_TIPS> = Vec::new();
    let mut missing = false;
    while !from.0.is_empty() {
        let named = take_known(&mut from, context)?;
        missing |= named == Named::Missing;
        let prefix = named.prefix().unwrap_or_default();
        tips.push(prefix).map_err(|_| Failed::Malformed)?;
    }
    let start = context.clock_start(header.opens());
    let now = start.and_then(|start| start.checked_add(since));
    match (now, missing) {
        (Some(now), false) => {
            let tips = List::of(&tips);
            write(&Frame::Beacon { now, header, tips }, tag, out)
        }
        _ => Err(Failed::OutOfStep),
    }
}

fn write(frame: &Frame<'_>, tag: [u8; 4], out: &mut [u8]) -> Result<usize, Failed> {
    frame.write(tag, out).map_err(|_| Failed::Malformed)
}
