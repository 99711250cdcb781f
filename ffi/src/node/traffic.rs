//! Frames in and out, neighbours, events, deadlines: the loop of a node.
//!
//! Invariant: nothing here waits or sends by itself. Bytes and time come in as arguments, what is to be done goes out as results.

use super::memory::*;
use super::types::*;
use super::{IOTEDGE_MAX_FRAME, iotedge_node_t, peer_of, refused};
use crate::raw::{Out, OutBytes, OutStruct, done, input};
use crate::status;
use iotedge_core::Millis;

/// Adds a neighbour, or changes whether it is an uplink. The library never sees addresses: you number your neighbours.
///
/// `now`: local milliseconds that never go back, as in all calls below. `peer`: 0 to 65,535. `uplink`: 1 for the gateway or a relay to
/// it, which is asked for enrolment, headers, tables and proofs; else 0.
///
/// `IOTEDGE_E_BUSY`: all places for neighbours are taken.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_add_peer(
    node: *mut iotedge_node_t,
    now: u64,
    peer: u32,
    uplink: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        if uplink > 1 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        with(node.cast(), |n| {
            n.add_peer(Millis(now), peer, uplink == 1).map_err(refused)
        })
    })())
}

/// Forgets a neighbour. Forgetting one that is not there succeeds.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_remove_peer(node: *mut iotedge_node_t, peer: u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        with(node.cast(), |n| {
            n.remove_peer(peer);
            Ok(())
        })
    })())
}

/// Gives the node a frame from a neighbour. After it, fetch events and frames.
///
/// `peer`: whom it came from. `frame`: `frame_len` bytes, read only.
///
/// Anything but `IOTEDGE_OK` says why the frame was refused (`IOTEDGE_E_MALFORMED` and the other numbers below 100): it is counted,
/// changed nothing, and needs no action; strangers send what they like. `IOTEDGE_E_UNKNOWN_PARENT` and `IOTEDGE_E_FROM_THE_FUTURE`: kept for
/// later.
///
/// In the archives for microcontrollers (built without the feature `many-validators` of `iotedge-ffi`) a validator set of more than 16 is refused with
/// `IOTEDGE_E_WRONG_VALIDATOR_SET`: as a genesis, and then this node never joins, or as a later set, and then it settles nothing more.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt: one signature check or more; put the frame in a
/// queue there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_receive(
    node: *mut iotedge_node_t,
    now: u64,
    peer: u32,
    frame: *const u8,
    frame_len: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = peer_of(peer)?;
        let frame = input(frame, frame_len)?;
        with(node.cast(), |n| {
            n.receive(Millis(now), peer, frame).map_err(refused)
        })
    })())
}

/// The next frame to send. Call it until it says `IOTEDGE_E_NONE`: after every other call, and at the deadline.
///
/// `peer`: whom to send it to. `frame`: room for `frame_capacity` bytes, at least `IOTEDGE_MAX_FRAME`; `frame_len`: how many to send. All
/// written on success.
///
/// `IOTEDGE_E_NONE`: nothing to send now. `IOTEDGE_E_BUFFER_TOO_SMALL`: `frame_capacity` is below `IOTEDGE_MAX_FRAME`; nothing is lost.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt: it may sign.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_next_frame(
    node: *mut iotedge_node_t,
    now: u64,
    peer: *mut u32,
    frame: *mut u8,
    frame_capacity: usize,
    frame_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let peer = Out::new(peer)?;
        let out = OutBytes::new(frame, frame_capacity, frame_len)?;
        if frame_capacity < IOTEDGE_MAX_FRAME {
            return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
        }
        with(node.cast(), |n| {
            n.tick(Millis(now));
            Ok(())
        })?;
        write_next(node, now, peer, out)
    })())
}

/// The rest of `iotedge_node_next_frame`, with a frame on the stack: apart from what is due, which takes much of it.
///
/// # Safety
/// As there.
#[inline(never)]
unsafe fn write_next(
    node: *mut iotedge_node_t,
    now: u64,
    peer: Out<u32>,
    out: OutBytes,
) -> Result<(), i32> {
    let mut bytes = [0; IOTEDGE_MAX_FRAME];
    // SAFETY: the promises of the caller.
    unsafe {
        let (to, len) = with(node.cast(), |n| {
            n.next_written(Millis(now), &mut bytes)
                .ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(bytes.get(..len).ok_or(status::IOTEDGE_E_INTERNAL)?)?;
        peer.write(to.0.into());
    }
    Ok(())
}

/// The next event. Call it until it says `IOTEDGE_E_NONE`, after every other call.
///
/// `event`: set its `size` first; written on success.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_next_event(
    node: *mut iotedge_node_t,
    event: *mut iotedge_event_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(event, OLDEST_EVENT)?;
        let found = with(node.cast(), |n| {
            n.next_event().ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(&iotedge_event_t::from_core(&found));
        Ok(())
    })())
}

/// When to call `iotedge_node_next_frame` again at the latest, if nothing else happens.
///
/// `deadline`: local milliseconds, not before `now`; written on success.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_next_deadline(
    node: *const iotedge_node_t,
    now: u64,
    deadline: *mut u64,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(deadline)?;
        let at = look(node.cast(), |n| Ok(n.next_deadline(Millis(now))))?;
        out.write(at.0);
        Ok(())
    })())
}
