//! What the application says, and who signs it: submissions, the change of the key, the signer operation.
//!
//! Invariant: a submission that was taken is in the store; one that was refused left nothing. A signature leaves only after it verified
//! under the device's public key.

use super::memory::*;
use super::{iotedge_node_t, refused};
use crate::key::signature_status;
use crate::raw::{Call, Out, OutBytes, array, done, input};
use crate::sale::{iotedge_proof_t, iotedge_terms_t};
use crate::status;
use iotedge_core::crypto::{SecretKey, Signature};
use iotedge_core::node::{Refusal, Submission, Ticket};
use iotedge_core::{Amount, Id, MemberIndex, Millis};

/// # Safety
/// As the functions that call it.
unsafe fn submit(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    ticket: *mut u32,
    submission: &Submission<'_>,
) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let out = Out::new(ticket)?;
        let expires = (expires != 0).then_some(Millis(expires));
        let Ticket(number) = with(node.cast(), |n| {
            n.submit(Millis(now), submission, expires).map_err(refused)
        })?;
        out.write(number);
        Ok(())
    }
}

/// Submits data, usually a SenML pack of `iotedge_reading_encode`. It goes into the durable outbox and is signed and sent when its turn
/// comes, also after a reset; an event with the ticket says how it ended.
///
/// `expires`: absolute milliseconds since 1970 after which it is not worth sending; 0 for never. `body`: `body_len` bytes, 1 to
/// `IOTEDGE_MAX_BODY`, copied. `ticket`: written on success.
///
/// `IOTEDGE_E_OUTBOX_FULL`: wait for `IOTEDGE_EVENT_SENT`. `IOTEDGE_E_BODY_LENGTH`, `IOTEDGE_E_PLATFORM`: nothing was stored.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_data(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    body: *const u8,
    body_len: usize,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let body = input(body, body_len)?;
        submit(node, now, expires, ticket, &Submission::Data(body))
    })())
}

/// Submits a service: what this device offers, for other applications to read. Else as `iotedge_node_submit_data`.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_service(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    body: *const u8,
    body_len: usize,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let body = input(body, body_len)?;
        submit(node, now, expires, ticket, &Submission::Service(body))
    })())
}

/// Says something of a channel: what `iotedge_channel_owner_next_op` or `iotedge_subscriber_subscribe` gave. One that dies with its epoch is in the outbox again. Else as `iotedge_node_submit_data`.
///
/// `op`: `op_len` bytes, copied.
///
/// `IOTEDGE_E_UNSUPPORTED_KIND`, `IOTEDGE_E_MALFORMED` and others: not an operation; nothing was stored.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_channel(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    op: *const u8,
    op_len: usize,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let op = crate::channel::parse(input(op, op_len)?)?;
        submit(node, now, expires, ticket, &Submission::Channel(op))
    })())
}

/// Pays another member. Else as `iotedge_node_submit_data`.
///
/// `to`: index of the payee. `amount`: micro-tokens, not 0.
///
/// `IOTEDGE_E_AMOUNT_ZERO`, `IOTEDGE_E_CAP_TRANSACTION`, `IOTEDGE_E_CAP_PEER`, `IOTEDGE_E_CAP_EXPOSURE`,
/// `IOTEDGE_E_INSUFFICIENT_CREDITS`, `IOTEDGE_E_UNKNOWN_PAYEE`, `IOTEDGE_E_NOT_MEMBER`: not now; nothing was stored.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_transfer(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    to: u32,
    amount: u64,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let to = u16::try_from(to).map_err(|_| status::IOTEDGE_E_UNKNOWN_PAYEE)?;
        let transfer = Submission::Transfer {
            to: MemberIndex(to),
            amount: Amount(amount),
        };
        submit(node, now, expires, ticket, &transfer)
    })())
}

/// Sets value aside for a member: what its claims show is paid when the lock ends, the rest comes back. Else as `iotedge_node_submit_transfer`.
///
/// `term`: how long it stands, 1 to 2^31 milliseconds from the time of its transaction on. `terms`: what releases it; copied.
///
/// `IOTEDGE_E_TERMS`: nobody could keep them: no units, units that do not divide the amount, a predicate without readers, no term. `IOTEDGE_E_UNSUPPORTED_KIND`: a kind of terms that does not exist.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_lock(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    to: u32,
    amount: u64,
    term: u32,
    terms: *const iotedge_terms_t,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let to = u16::try_from(to).map_err(|_| status::IOTEDGE_E_UNKNOWN_PAYEE)?;
        let lock = Submission::Lock {
            to: MemberIndex(to),
            amount: Amount(amount),
            term,
            terms: crate::sale::terms(terms)?,
        };
        submit(node, now, expires, ticket, &lock)
    })())
}

/// Claims a lock that is for this device: shows the highest tick or voucher, or statements of enough readers. Claim again when there is more; a claim that shows no more than one before has no
/// effect. Else as `iotedge_node_submit_data`.
///
/// `lock`: 32 bytes, the transaction that made it. `last`: 1 where this device wants no more of it: what it did not reach goes back at once; else 0. `proof`: copied.
///
/// `IOTEDGE_E_TERMS`: it shows nothing and is not the last, or is no proof of any lock. `IOTEDGE_E_UNSUPPORTED_KIND`. `IOTEDGE_E_ARGUMENT`: `last`.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_claim(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    lock: *const u8,
    last: u32,
    proof: *const iotedge_proof_t,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let lock = Id(*array::<32>(lock)?);
        let last = match last {
            0 => false,
            1 => true,
            _ => return Err(status::IOTEDGE_E_ARGUMENT),
        };
        crate::sale::with_proof(proof, |proof| {
            let claim = Submission::Claim { lock, last, proof };
            submit(node, now, expires, ticket, &claim)
        })
    })())
}

/// Takes value out of the neighbourhood to an Ethereum address. Else as `iotedge_node_submit_transfer`.
///
/// `target`: `IOTEDGE_TARGET_SIZE` bytes.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_exit(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    amount: u64,
    target: *const u8,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let exit = Submission::Exit {
            amount: Amount(amount),
            target: *array::<20>(target)?,
        };
        submit(node, now, expires, ticket, &exit)
    })())
}

/// Leaves the neighbourhood: from the next table on this device is no member. Else as `iotedge_node_submit_data`.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_submit_leave(
    node: *mut iotedge_node_t,
    now: u64,
    expires: u64,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { submit(node, now, expires, ticket, &Submission::Leave) })
}

/// Changes the device's key and keeps its account. First store the new seed durably yourself; until the rotation is settled, call this again
/// after each reset with the same seed. The old key signs until the table that the next header opens names the new one; from then on
/// initialise the node with the new seed.
///
/// `next_seed`: 32 bytes, copied into the node and wiped with it.
///
/// `IOTEDGE_E_SIGNATURE_MALFORMED`: the seed is all zero. `IOTEDGE_E_MEMBER_OPERATION`: the key in use. `IOTEDGE_E_SUITE`: the signer is
/// external. `IOTEDGE_E_NOT_MEMBER`: an observer.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt: it may sign twice.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_rotate(
    node: *mut iotedge_node_t,
    now: u64,
    next_seed: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let next = SecretKey::from_seed(array::<32>(next_seed)?).map_err(signature_status)?;
        with(node.cast(), |n| {
            n.rotate(Millis(now), next).map_err(refused)
        })
    })())
}

/// What the external signer shall sign, after `IOTEDGE_EVENT_SIGNATURE_NEEDED`. Take it as often as you like; then give
/// `iotedge_node_sign_output` or `iotedge_node_sign_fail`, at once or later.
///
/// `message`: room for `message_capacity` bytes, 640 are enough; `message_len`: their number. Both written on success.
///
/// `IOTEDGE_E_NONE`: nothing waits for a signature.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_sign_input(
    node: *mut iotedge_node_t,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutBytes::new(message, message_capacity, message_len)?;
        with(node.cast(), |n| {
            out.write(n.sign_input().ok_or(status::IOTEDGE_E_NONE)?)
        })
    })())
}

/// The external signer's answer. It is checked against the device's public key before anything leaves the device.
///
/// `signature`: 64 bytes.
///
/// `IOTEDGE_E_SIGNATURE`: not a signature of the message: a fault, or another key in the slot; it is asked for again. `IOTEDGE_E_WRONG_ORDER`:
/// nothing waits for a signature, or the input was not taken.
///
/// Calls the platform. From the thread that has the node. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_sign_output(
    node: *mut iotedge_node_t,
    now: u64,
    signature: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let signature = Signature(*array::<64>(signature)?);
        with(node.cast(), |n| {
            n.sign_output(Millis(now), &signature)
                .map_err(|reason| match reason {
                    Refusal::NotForMe => status::IOTEDGE_E_WRONG_ORDER,
                    other => refused(other),
                })
        })
    })())
}

/// The external signer cannot sign. The submission stays in the outbox and is tried again after a second.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_sign_fail(node: *mut iotedge_node_t, now: u64) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(node.cast(), |n| {
            n.sign_fail(Millis(now));
            Ok(())
        })
    })
}
