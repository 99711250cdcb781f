//! Questions to a node: bodies, grades, receipts, counters, members.
//!
//! Invariant: an answer is written whole or not at all, and asking changes nothing that the node says or sends.

use super::memory::*;
use super::types::*;
use super::{IOTEDGE_MAX_PARENTS, IOTEDGE_MAX_RECEIPT, IOTEDGE_MAX_SET, iotedge_node_t, refused};
use crate::key::iotedge_public_key_t;
use crate::raw::{Out, OutArray, OutBytes, OutStruct, array, done};
use crate::status;
use iotedge_core::node::Refusal;
use iotedge_core::{Id, MemberIndex, Millis};

/// The body of a data or service transaction, while the window holds its bytes.
///
/// `id`: 32 bytes. `body`: room for `body_capacity` bytes, `IOTEDGE_MAX_BODY` are enough; `body_len`: their number. Both written on success.
///
/// `IOTEDGE_E_NONE`: not in the window (any more), or of another kind.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_body(
    node: *const iotedge_node_t,
    id: *const u8,
    body: *mut u8,
    body_capacity: usize,
    body_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let id = Id(*array::<32>(id)?);
        let out = OutBytes::new(body, body_capacity, body_len)?;
        look(node.cast(), |n| {
            out.write(n.body(&id).ok_or(status::IOTEDGE_E_NONE)?)
        })
    })())
}

/// A transaction as it travels: its COSE_Sign1 and, where there is one, its attachment.
///
/// `id`: 32 bytes. `bytes`: room for `bytes_capacity` bytes, `IOTEDGE_MAX_FRAME` are enough; `bytes_len`: their number. Both written on
/// success.
///
/// `IOTEDGE_E_NONE`: not in the window (any more).
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_raw(
    node: *const iotedge_node_t,
    id: *const u8,
    bytes: *mut u8,
    bytes_capacity: usize,
    bytes_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let id = Id(*array::<32>(id)?);
        let out = OutBytes::new(bytes, bytes_capacity, bytes_len)?;
        look(node.cast(), |n| {
            out.write(n.raw(&id).ok_or(status::IOTEDGE_E_NONE)?)
        })
    })())
}

/// The full ids of a transaction's parents, in its own order: what `iotedge_tx_verify` takes.
///
/// `id`: 32 bytes. `ids`: room for `ids_capacity` bytes, 32 for each of up to `IOTEDGE_MAX_PARENTS`; `ids_len`: how many bytes. Both written on
/// success.
///
/// `IOTEDGE_E_NONE`: it or one of its parents is not in the window (any more).
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_parents(
    node: *const iotedge_node_t,
    id: *const u8,
    ids: *mut u8,
    ids_capacity: usize,
    ids_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let id = Id(*array::<32>(id)?);
        let out = OutBytes::new(ids, ids_capacity, ids_len)?;
        let mut bytes = [0u8; 32 * IOTEDGE_MAX_PARENTS];
        let mut count = 0usize;
        look(node.cast(), |n| {
            let (rooms, _) = bytes.as_chunks_mut::<32>();
            for (room, parent) in rooms.iter_mut().zip(n.tangle().parents(&id)) {
                *room = parent.ok_or(status::IOTEDGE_E_NONE)?.0;
                count = count.saturating_add(32);
            }
            Ok(())
        })?;
        match count {
            0 => Err(status::IOTEDGE_E_NONE),
            _ => out.write(bytes.get(..count).ok_or(status::IOTEDGE_E_INTERNAL)?),
        }
    })())
}

/// How final a transaction of or to this node is.
///
/// `id`: 32 bytes. `grade`: `IOTEDGE_GRADE_*`, written on success.
///
/// `IOTEDGE_E_NONE`: it is not followed (any more).
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_grade(
    node: *const iotedge_node_t,
    id: *const u8,
    grade: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let id = Id(*array::<32>(id)?);
        let out = Out::new(grade)?;
        let found = look(node.cast(), |n| n.grade(&id).ok_or(status::IOTEDGE_E_NONE))?;
        out.write(found as u32);
        Ok(())
    })())
}

/// The compact receipt (docs/protocol.md section 7.3) that the last `IOTEDGE_EVENT_RECEIPT` told of, to keep as proof. It was
/// verified already; anyone verifies it again with `iotedge_receipt_verify`.
///
/// `id`: 32 bytes. `receipt`: room for `receipt_capacity` bytes, at least `IOTEDGE_MAX_RECEIPT`; `receipt_len`: how many were used. Both
/// written on success.
///
/// `IOTEDGE_E_NONE`: not the transaction of the last such event. `IOTEDGE_E_BUFFER_TOO_SMALL`: `receipt_capacity` is below
/// `IOTEDGE_MAX_RECEIPT`.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_receipt(
    node: *const iotedge_node_t,
    id: *const u8,
    receipt: *mut u8,
    receipt_capacity: usize,
    receipt_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment. With room for the longest receipt the core writes a whole one or nothing.
    done((|| unsafe {
        let id = Id(*array::<32>(id)?);
        let place = OutBytes::new(receipt, receipt_capacity, receipt_len)?;
        if receipt_capacity < IOTEDGE_MAX_RECEIPT {
            return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
        }
        let (room, len) = place.room();
        let written = look(node.cast(), |n| {
            n.receipt(&id, room).ok_or(status::IOTEDGE_E_NONE)
        })?;
        len.write(written);
        Ok(())
    })())
}

/// What the node says of itself.
///
/// `status`: set its `size` first; written on success.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_status(
    node: *const iotedge_node_t,
    now: u64,
    status: *mut iotedge_node_status_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(status, OLDEST_STATUS)?;
        let found = look(node.cast(), |n| Ok(n.status(Millis(now))))?;
        out.write(&iotedge_node_status_t::from_core(&found));
        Ok(())
    })())
}

/// What the node counted.
///
/// `counters`: set its `size` first; written on success.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_counters(
    node: *const iotedge_node_t,
    counters: *mut iotedge_counters_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(counters, OLDEST_COUNTERS)?;
        let found = look(node.cast(), |n| {
            Ok(iotedge_counters_t::from_core(n.counters()))
        })?;
        out.write(&found);
        Ok(())
    })())
}

/// How often something was refused for this reason.
///
/// `reason`: `IOTEDGE_E_MALFORMED` or another status below 100. `count`: written on success.
///
/// `IOTEDGE_E_ARGUMENT`: not such a status.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_refused(
    node: *const iotedge_node_t,
    reason: i32,
    count: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(count)?;
        let reason = Refusal::ALL
            .iter()
            .find(|r| refused(**r) == reason)
            .ok_or(status::IOTEDGE_E_ARGUMENT)?;
        let found = look(node.cast(), |n| Ok(n.counters().refused(*reason)))?;
        out.write(found);
        Ok(())
    })())
}

/// The public key of a member, from the newest table.
///
/// `member`: index. `key`: set its `size` first; written on success.
///
/// `IOTEDGE_E_NONE`: no such member. `IOTEDGE_E_PLATFORM`: with `iotedge_limits_t.records`, the store could not read its record.
///
/// From the thread that has the node. Not from an interrupt. May call the platform's store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_member_key(
    node: *const iotedge_node_t,
    member: u32,
    key: *mut iotedge_public_key_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(key, crate::key::OLDEST_KEY)?;
        let member = u16::try_from(member).map_err(|_| status::IOTEDGE_E_NONE)?;
        // The memory is what the caller gave to be written; at most a record is read into a place that holds another.
        let found = with(node.cast_mut().cast(), |n| {
            n.member_key(MemberIndex(member))
                .map_err(super::refused)?
                .map(|key| iotedge_public_key_t::from_core(&key))
                .ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(&found);
        Ok(())
    })())
}

/// The device id of a member, from the newest table: its account, which stays when it changes its key.
///
/// `member`: index. `device`: 32 bytes; written on success.
///
/// `IOTEDGE_E_NONE`: no such member. `IOTEDGE_E_PLATFORM`: as for `iotedge_node_member_key`.
///
/// From the thread that has the node. Not from an interrupt. May call the platform's store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_member_device(
    node: *const iotedge_node_t,
    member: u32,
    device: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutArray::<32>::new(device)?;
        let member = u16::try_from(member).map_err(|_| status::IOTEDGE_E_NONE)?;
        let found = with(node.cast_mut().cast(), |n| {
            n.member_device(MemberIndex(member))
                .map_err(super::refused)?
                .ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(&found.0);
        Ok(())
    })())
}

/// The newest trusted validator set, encoded (docs/protocol.md section 7.2): what `iotedge_receipt_verify` takes.
///
/// `time`: absolute, milliseconds since 1970. `set`: room for `set_capacity` bytes, `IOTEDGE_MAX_SET` are enough; `set_len`: their
/// number. Both written on success.
///
/// `IOTEDGE_E_NONE`: the genesis is not known yet. `IOTEDGE_E_WRONG_VALIDATOR_SET`: the set is too old, or its term ended and the next one
/// is not here yet.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_validators(
    node: *const iotedge_node_t,
    time: u64,
    set: *mut u8,
    set_capacity: usize,
    set_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutBytes::new(set, set_capacity, set_len)?;
        let mut bytes = [0u8; IOTEDGE_MAX_SET];
        let len = look(node.cast(), |n| {
            let chain = n.validators().ok_or(status::IOTEDGE_E_NONE)?;
            let set = chain
                .set(chain.trusted().newest, Millis(time))
                .map_err(|_| status::IOTEDGE_E_WRONG_VALIDATOR_SET)?;
            let mut w = iotedge_core::wire::Writer::new(&mut bytes);
            set.encode(&mut w).map_err(crate::wire_status)?;
            Ok(w.len())
        })?;
        out.write(bytes.get(..len).ok_or(status::IOTEDGE_E_INTERNAL)?)
    })())
}
