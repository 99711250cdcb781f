//! What the application says through a leaf.
//!
//! Invariant: a submission that was taken is in the store and is signed once, however often the power goes; one that was refused left nothing.

use super::{iotedge_leaf_t, refused, with};
use crate::raw::{Call, Out, OutBytes, array, done, input};
use crate::status;
use iotedge_core::crypto::Signature;
use iotedge_core::leaf::{Error, Submission};
use iotedge_core::{Amount, MemberIndex, Millis};

/// # Safety
/// As the functions that call it.
unsafe fn submit(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    ticket: *mut u32,
    submission: &Submission<'_>,
) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let out = Out::new(ticket)?;
        let number = with(leaf, |l| l.submit(Millis(now), submission).map_err(refused))?;
        out.write(number);
        Ok(())
    }
}

/// Submits data, usually a SenML pack of `iotedge_reading_encode`. It goes into the store, is signed once neighbours besides the head agree on what it stands on, and is sent
/// also after a reset; an event with the ticket says how it ended. One submission waits at a time.
///
/// `body`: `body_len` bytes, 1 to `IOTEDGE_MAX_BODY`, copied. `ticket`: written on success.
///
/// `IOTEDGE_E_BUSY`: another one waits: try again after `IOTEDGE_EVENT_SENT`. `IOTEDGE_E_BODY_LENGTH`, `IOTEDGE_E_PLATFORM`: nothing was stored.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_submit_data(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    body: *const u8,
    body_len: usize,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let body = input(body, body_len)?;
        submit(leaf, now, ticket, &Submission::Data(body))
    })())
}

/// Submits a service: what this device offers, for other applications to read. Else as `iotedge_leaf_submit_data`.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_submit_service(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    body: *const u8,
    body_len: usize,
    ticket: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let body = input(body, body_len)?;
        submit(leaf, now, ticket, &Submission::Service(body))
    })())
}

/// Pays another member. Else as `iotedge_leaf_submit_data`.
///
/// `to`: index of the payee. `amount`: micro-tokens, not 0.
///
/// `IOTEDGE_E_AMOUNT_ZERO`, `IOTEDGE_E_UNKNOWN_PAYEE`: nothing was stored. Caps and credits are looked at when its turn comes: then
/// `IOTEDGE_EVENT_REJECTED` says `IOTEDGE_E_CAP_TRANSACTION`, `IOTEDGE_E_CAP_EXPOSURE` or `IOTEDGE_E_INSUFFICIENT_CREDITS`.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_submit_transfer(
    leaf: *mut iotedge_leaf_t,
    now: u64,
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
        submit(leaf, now, ticket, &transfer)
    })())
}

/// Takes value out of the neighbourhood to an Ethereum address. Else as `iotedge_leaf_submit_transfer`.
///
/// `target`: `IOTEDGE_TARGET_SIZE` bytes.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_submit_exit(
    leaf: *mut iotedge_leaf_t,
    now: u64,
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
        submit(leaf, now, ticket, &exit)
    })())
}

/// What the external signer shall sign, after `IOTEDGE_EVENT_SIGNATURE_NEEDED`: the next transaction, or the answer to a gateway that wants an attestation. Take it as often as you like,
/// it is the same; then give `iotedge_leaf_sign_output` or `iotedge_leaf_sign_fail`, at once or later.
///
/// `message`: room for `message_capacity` bytes, `IOTEDGE_MAX_SIGN_INPUT` are enough; `message_len`: their number. Both written on success.
///
/// `IOTEDGE_E_NONE`: nothing waits for a signature (any more). `IOTEDGE_E_PLATFORM`: the store cannot be read.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_sign_input(
    leaf: *mut iotedge_leaf_t,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutBytes::new(message, message_capacity, message_len)?;
        with(leaf, |l| {
            let message = l.sign_input().map_err(refused)?;
            out.write(message.ok_or(status::IOTEDGE_E_NONE)?)
        })
    })())
}

/// The external signer's answer. It is checked against the device's public key before anything leaves the device.
///
/// `signature`: 64 bytes.
///
/// `IOTEDGE_E_SIGNATURE`: not a signature of the message: a fault, another key in the slot, or it comes too late. Nothing left, no number was used up, and it is asked for again after a
/// second. `IOTEDGE_E_WRONG_ORDER`: nothing waits for a signature, or the input was not taken. `IOTEDGE_E_PLATFORM`: it could not be stored; it is asked for again.
///
/// Calls the platform. From the thread that has the leaf. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_sign_output(
    leaf: *mut iotedge_leaf_t,
    now: u64,
    signature: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let signature = Signature(*array::<64>(signature)?);
        with(leaf, |l| {
            l.sign_output(Millis(now), &signature)
                .map_err(|error| match error {
                    Error::NotForMe => status::IOTEDGE_E_WRONG_ORDER,
                    other => refused(other),
                })
        })
    })())
}

/// The external signer cannot sign. What waits stays in the store and is tried again after a second.
///
/// From the thread that has the leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_leaf_sign_fail(leaf: *mut iotedge_leaf_t, now: u64) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(leaf, |l| {
            l.sign_fail(Millis(now));
            Ok(())
        })
    })
}
