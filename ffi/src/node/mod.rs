//! The L-node: an `iotedge_node_t` in the caller's memory.
//!
//! Invariant: at most one call works on a node at a time; a call from its own callback, an interrupt or another thread is
//! refused as long as it is seen (the flag is no lock: the caller's lock is). A refused call changes nothing.

mod memory;
mod platform;
mod types;

pub use memory::*;
pub use types::*;

use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::raw::{Call, Out, OutBytes, OutStruct, array, done, input, structure};
use crate::status;
use iotedge_core::crypto::{SecretKey, Signature, Software};
use iotedge_core::identity::enrol;
use iotedge_core::node::{
    Clock, Config, InitError, Limits, Node, NodeSigner, Peer, Refusal, Strategy, Submission, Ticket,
};
use iotedge_core::posp::{MAX_HEADER, MAX_SET, MAX_VALIDATORS};
use iotedge_core::wire::merkle::MAX_PATH;
use iotedge_core::{Amount, Id, MAX_FRAME, MAX_PARENTS, MemberIndex, Millis};
use platform::CPlatform;

/// Most bytes of a frame: the buffer for `iotedge_node_next_frame`.
pub const IOTEDGE_MAX_FRAME: usize = 1400;
const _: () = assert!(IOTEDGE_MAX_FRAME == MAX_FRAME);
/// Most bytes of a compact receipt: the buffer for `iotedge_node_receipt`.
pub const IOTEDGE_MAX_RECEIPT: usize = 7168;
// Two paths, the header, the ids, and as many votes as a set has validators.
const _: () = assert!(
    IOTEDGE_MAX_RECEIPT
        >= 16 + 2 * (2 + 34 * MAX_PATH) + (3 + MAX_HEADER) + 34 + 5 + MAX_VALIDATORS * (3 + 66)
);
/// Most bytes of an encoded validator set.
pub const IOTEDGE_MAX_SET: usize = 2829;
const _: () = assert!(IOTEDGE_MAX_SET == MAX_SET);
/// Most parents of a transaction.
pub const IOTEDGE_MAX_PARENTS: usize = 8;
const _: () = assert!(IOTEDGE_MAX_PARENTS == MAX_PARENTS);
/// Bytes of an Ethereum address.
pub const IOTEDGE_TARGET_SIZE: usize = 20;

/// An L-node. Lives in memory that you give to `iotedge_node_init` and is never copied or moved.
pub struct iotedge_node_t {
    _opaque: [u8; 0],
}

fn refused(reason: Refusal) -> i32 {
    status::refusal(reason)
}

fn init_status(error: InitError) -> i32 {
    match error {
        InitError::Limits => status::IOTEDGE_E_LIMITS,
        InitError::Memory => status::IOTEDGE_E_MEMORY_TOO_SMALL,
        InitError::Certificate => status::IOTEDGE_E_OWN_CERTIFICATE,
        InitError::Platform => status::IOTEDGE_E_PLATFORM,
        InitError::Stored => status::IOTEDGE_E_STORED_STATE,
    }
}

fn peer_of(peer: u32) -> Call<Peer> {
    u16::try_from(peer)
        .map(Peer)
        .map_err(|_| status::IOTEDGE_E_ARGUMENT)
}

/// The limits of a Linux device in a small neighbourhood: about 560 KiB. Change what you need.
///
/// `limits`: set its `size` first; written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_limits_default(limits: *mut iotedge_limits_t) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        OutStruct::new(limits, OLDEST_LIMITS)?.write(&iotedge_limits_t::from_core(&Limits::SMALL));
        Ok(())
    })())
}

/// How many bytes of memory a node with these limits needs. For static arrays there is the macro `IOTEDGE_NODE_SIZE`, which is a
/// little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_LIMITS`: a limit is out of bounds; see `iotedge_limits_t`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_size(
    limits: *const iotedge_limits_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let bytes = Out::new(bytes)?;
        bytes.write(node_size(&limits)?);
        Ok(())
    })())
}

/// What an external signer signs once, at provisioning, to prove that it holds the device's key (docs/protocol.md section 2.2).
/// The signature goes into `iotedge_config_t.enrolment`.
///
/// `authority`: the pinned neighbourhood authority. `device`: 32 bytes, see `iotedge_device_id`. `statement`: room for
/// `statement_capacity` bytes, 96 are enough; `statement_len`: their number. Both written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_enrol_statement(
    authority: *const iotedge_public_key_t,
    device: *const u8,
    statement: *mut u8,
    statement_capacity: usize,
    statement_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let authority = public_key(authority)?;
        let device = Id(*array::<32>(device)?);
        let out = OutBytes::new(statement, statement_capacity, statement_len)?;
        let text = enrol::statement(&authority, &device).map_err(crate::wire_status)?;
        out.write(text.as_bytes())
    })())
}

/// Starts a node in memory that you give, and reads back what its store holds: after a reset the same call goes on where the device was.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_node_size`; the node's until `iotedge_node_deinit`, not to be read,
/// written, moved or copied meanwhile. `limits`, `config`: copied. `platform`: copied; its `user` must live as long as the node.
/// `node`: written on success; points into `memory`.
///
/// Calls the platform: randomness and the store.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a node lives
/// here. `IOTEDGE_E_OWN_CERTIFICATE`: no certificate, or not one of this key. `IOTEDGE_E_STORED_STATE`: the store is of another
/// neighbourhood authority or of a later version. `IOTEDGE_E_PLATFORM`: a callback failed.
///
/// ```c
/// static uint64_t memory[IOTEDGE_NODE_SIZE(128, 16, 8, 4, 8, 16, 16384) / 8];
///
/// static int32_t start(const iotedge_public_key_t *authority, const uint8_t *seed, const uint8_t *cwt, size_t cwt_len,
///                      const iotedge_platform_t *platform, iotedge_node_t **node)
/// {
///     iotedge_limits_t limits;
///     iotedge_config_t config;
///     memset(&limits, 0, sizeof limits);
///     limits.size = (uint32_t)sizeof limits;
///     limits.window = 128;
///     limits.members = 16;
///     limits.peers = 8;
///     limits.aside = 4;
///     limits.outbox = 8;
///     limits.own = 16;
///     limits.raw = 16384;
///     memset(&config, 0, sizeof config);
///     config.size = (uint32_t)sizeof config;
///     config.authority = authority;
///     config.seed = seed;
///     config.certificate = cwt;
///     config.certificate_len = cwt_len;
///     return iotedge_node_init(memory, sizeof memory, &limits, &config, platform, node);
/// }
/// ```
///
/// From any thread; the node then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    limits: *const iotedge_limits_t,
    config: *const iotedge_config_t,
    platform: *const iotedge_platform_t,
    node: *mut *mut iotedge_node_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let out = Out::new(node)?;
        let limits = structure(limits, OLDEST_LIMITS)?.to_core()?;
        let given = structure(config, OLDEST_CONFIG)?;
        let platform = CPlatform::new(&structure(platform, OLDEST_PLATFORM)?)?;
        let certificates = [
            input(given.issuer, given.issuer_len)?,
            input(given.certificate, given.certificate_len)?,
        ];
        let chain = match given.issuer_len {
            0 => certificates.get(1..).unwrap_or(&[]),
            _ => &certificates[..],
        };
        let authority = public_key(given.authority)?;
        let (config, signer) = match given.role {
            IOTEDGE_ROLE_MEMBER => (Config::member(authority, chain), signer(&given)?),
            IOTEDGE_ROLE_OBSERVER => match signer(&given) {
                Err(status::IOTEDGE_E_NULL) => (Config::observer(authority), NodeSigner::None),
                _ => return Err(status::IOTEDGE_E_ARGUMENT),
            },
            _ => return Err(status::IOTEDGE_E_ARGUMENT),
        };
        let config = policy(config, &given)?;
        if config.strategy != Strategy::Uniform && !limits.weights {
            return Err(status::IOTEDGE_E_LIMITS);
        }
        create(memory.cast::<u8>(), memory_len, &limits, |slices| {
            Node::new(slices, limits, &config, signer, platform, Software).map_err(init_status)
        })?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// # Safety
/// The pointers of the configuration are as its comments say.
unsafe fn signer(given: &iotedge_config_t) -> Call<NodeSigner> {
    // SAFETY: the caller's promise.
    unsafe {
        match (given.seed.is_null(), given.signer.is_null()) {
            (false, true) => SecretKey::from_seed(array::<32>(given.seed)?)
                .map(NodeSigner::Software)
                .map_err(signature_status),
            (true, false) => {
                let key = public_key(given.signer)?;
                key.check().map_err(signature_status)?;
                Ok(NodeSigner::External(key))
            }
            (true, true) => Err(status::IOTEDGE_E_NULL),
            (false, false) => Err(status::IOTEDGE_E_ARGUMENT),
        }
    }
}

/// # Safety
/// As [`signer`].
unsafe fn policy<'a>(mut config: Config<'a>, given: &iotedge_config_t) -> Call<Config<'a>> {
    if given.tips > 7 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    config.clock = match given.clock {
        IOTEDGE_CLOCK_OFFSET => Clock::Offset(given.clock_offset),
        IOTEDGE_CLOCK_NEIGHBOURS => Clock::FromNeighbours,
        _ => return Err(status::IOTEDGE_E_ARGUMENT),
    };
    if given.alpha != 0 {
        config.strategy = Strategy::Weighted { alpha: given.alpha };
    }
    for (to, from) in [
        (&mut config.announce_interval, given.announce_interval),
        (&mut config.beacon_interval, given.beacon_interval),
        (&mut config.request_timeout, given.request_timeout),
        (&mut config.aside_timeout, given.aside_timeout),
        (&mut config.clock_tolerance, given.clock_tolerance),
    ] {
        if from != 0 {
            *to = Millis(from.into());
        }
    }
    if given.tips != 0 {
        config.tips = given.tips as u8;
    }
    if !given.enrolment.is_null() {
        // SAFETY: the caller's promise.
        config.enrolment = Some(Signature(*unsafe { array::<64>(given.enrolment)? }));
    }
    Ok(config)
}

/// Ends the node: wipes its keys and all its memory, which is yours again. What is in the store stays.
///
/// `node`: live. A second call is refused with `IOTEDGE_E_NOT_INITIALISED`, as is every other call on a node that ended.
///
/// From the thread that has the node. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_node_deinit(node: *mut iotedge_node_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy(node.cast()) })
}

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
        let mut bytes = [0; IOTEDGE_MAX_FRAME];
        let (to, len) = with(node.cast(), |n| {
            n.next_frame(Millis(now), &mut bytes)
                .ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(bytes.get(..len).ok_or(status::IOTEDGE_E_INTERNAL)?)?;
        peer.write(to.0.into());
        Ok(())
    })())
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
            for (room, parent) in bytes.chunks_exact_mut(32).zip(n.tangle().parents(&id)) {
                room.copy_from_slice(&parent.ok_or(status::IOTEDGE_E_NONE)?.0);
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
/// `IOTEDGE_E_NONE`: no such member.
///
/// From the thread that has the node. Not from an interrupt.
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
        let found = look(node.cast(), |n| {
            n.tables()
                .latest(MemberIndex(member))
                .map(|record| iotedge_public_key_t::from_core(&record.key))
                .ok_or(status::IOTEDGE_E_NONE)
        })?;
        out.write(&found);
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
