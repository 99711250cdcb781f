//! What is said of channels, in bytes: operations read, statements signed off the ledger, and the application's own frame.

use super::{channel_status, number_of};
use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::node::IOTEDGE_MAX_FRAME;
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, array, decided, done, input};
use crate::status;
use iotedge_core::Id;
use iotedge_core::channel::statement::{Statement, to_be_signed};
use iotedge_core::channel::{Mode, Op};
use iotedge_core::wire::said::{self, What};
use iotedge_core::wire::{FrameError, Reader, Writer};

/// Operation: the channel is there, and its chain goes on at this place.
pub const IOTEDGE_CHANNEL_OP_ANNOUNCE: u32 = 0;
/// Operation: the root of a batch.
pub const IOTEDGE_CHANNEL_OP_ROOT: u32 = 1;
/// Operation, by a subscriber: it asks for the channel.
pub const IOTEDGE_CHANNEL_OP_SUBSCRIBE: u32 = 2;
/// Operation: the chain's key from an index on, for one subscriber.
pub const IOTEDGE_CHANNEL_OP_GRANT: u32 = 3;
/// Operation: a new key epoch, for those who stay.
pub const IOTEDGE_CHANNEL_OP_REVOKE: u32 = 4;
/// Operation: a subscriber's way through the tree of readers.
pub const IOTEDGE_CHANNEL_OP_PATH: u32 = 5;
/// Operation: a signed message.
pub const IOTEDGE_CHANNEL_OP_MESSAGE: u32 = 6;

/// An application's frame: a sealed message.
pub const IOTEDGE_SAID_MESSAGE: u32 = 0;
/// An application's frame: the signer's member index (two bytes, big-endian) and a statement with its signature.
pub const IOTEDGE_SAID_STATEMENT: u32 = 1;
/// An application's frame: a request for parts of large content.
pub const IOTEDGE_SAID_REQUEST: u32 = 2;
/// An application's frame: a part of large content.
pub const IOTEDGE_SAID_PART: u32 = 3;
/// An application's frame: a tick of a metered sale.
pub const IOTEDGE_SAID_TICK: u32 = 4;
/// An application's frame: a quote.
pub const IOTEDGE_SAID_QUOTE: u32 = 5;
/// An application's frame: the manifest of a firmware that the sender has, or knows of.
pub const IOTEDGE_SAID_MANIFEST: u32 = 6;

/// What an operation says. Set `size` first. What an operation does not use is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_channel_op_t {
    /// `sizeof(iotedge_channel_op_t)`.
    pub size: u32,
    /// `IOTEDGE_CHANNEL_OP_*`.
    pub op: u32,
    /// Which channel of its owner.
    pub channel: u32,
    /// 0, or its sub-channel.
    pub sub_channel: u32,
    /// Subscribe: whose channel. Grant, path: for whom. A member's index.
    pub member: u32,
    /// Announce: `IOTEDGE_CHANNEL_PUBLIC`, `..._PRIVATE` or `..._RESTRICTED`.
    pub mode: u32,
    /// Announce, root, grant, revoke: the key epoch.
    pub key_epoch: u32,
    /// Root: messages of the batch. Path: the slot. Revoke: wraps.
    pub count: u32,
    /// Announce, root, grant, revoke: the index.
    pub index: u64,
    /// Revoke: where the key epoch before ended.
    pub ended: u64,
    /// Root: the root. Subscribe: the X25519 key. Else zero.
    pub bytes: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_channel_op_t {}
const OLDEST_OP: usize = 80;
const _: () = assert!(size_of::<iotedge_channel_op_t>() == OLDEST_OP);

/// Reads the operation that is all of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Call<Op<'_>> {
    let mut r = Reader::new(bytes);
    let op = Op::read(&mut r).map_err(channel_status)?;
    r.finish().map_err(crate::wire_status)?;
    Ok(op)
}

fn told(op: &Op<'_>) -> iotedge_channel_op_t {
    let number = op.number();
    let mut to = iotedge_channel_op_t {
        size: 0,
        op: op.code().into(),
        channel: number.main.into(),
        sub_channel: number.sub.into(),
        member: 0,
        mode: 0,
        key_epoch: 0,
        count: 0,
        index: 0,
        ended: 0,
        bytes: [0; 32],
    };
    match *op {
        Op::Announce {
            mode, epoch, index, ..
        } => {
            to.mode = match mode {
                Mode::Public => super::IOTEDGE_CHANNEL_PUBLIC,
                Mode::Private => super::IOTEDGE_CHANNEL_PRIVATE,
                Mode::Restricted => super::IOTEDGE_CHANNEL_RESTRICTED,
            };
            (to.key_epoch, to.index) = (epoch.0, index.0);
        }
        Op::Root { batch, .. } => {
            (to.key_epoch, to.index) = (batch.epoch.0, batch.first.0);
            to.count = batch.count.into();
            to.bytes = batch.root.0;
        }
        Op::Subscribe { owner, key, .. } => {
            to.member = owner.0.into();
            to.bytes = *key;
        }
        Op::Grant {
            epoch,
            index,
            to: whom,
            ..
        } => {
            (to.key_epoch, to.index) = (epoch.0, index.0);
            to.member = whom.0.into();
        }
        Op::Revoke {
            epoch,
            index,
            ended,
            wraps,
            ..
        } => {
            (to.key_epoch, to.index, to.ended) = (epoch.0, index.0, ended.0);
            to.count = u32::try_from(wraps.len()).unwrap_or(u32::MAX);
        }
        Op::Path { to: whom, slot, .. } => {
            to.member = whom.0.into();
            to.count = slot.into();
        }
        Op::Message { .. } => {}
    }
    to
}

/// Reads an operation: the body of a transaction of `IOTEDGE_EVENT_CHANNEL` (see `iotedge_node_body`), or of a statement. An owner looks for
/// `IOTEDGE_CHANNEL_OP_SUBSCRIBE` with its own index in `member`, and answers with `iotedge_channel_owner_grant`.
///
/// `op`: `op_len` bytes. `told`: set its `size` first; written on success.
///
/// `IOTEDGE_E_UNSUPPORTED_KIND`: an operation that this build does not know. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: none.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_op_read(
    op: *const u8,
    op_len: usize,
    told: *mut iotedge_channel_op_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let op = input(op, op_len)?;
        let out = OutStruct::new(told, OLDEST_OP)?;
        out.write(&self::told(&parse(op)?));
        Ok(())
    })())
}

/// The operation that carries a signed message: what `iotedge_channel_owner_publish` sealed with `IOTEDGE_CHANNEL_SIGNED`, without a signature of its own, since the
/// transaction's is over it.
///
/// `sealed`: `sealed_len` bytes, so many that the operation has at most `IOTEDGE_CHANNEL_MAX_OP`. `op`: room for `op_capacity` bytes; `op_len`: their number. Both written on success.
///
/// `IOTEDGE_E_LENGTH`: too long for a transaction. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_message_op(
    channel: u32,
    sub_channel: u32,
    sealed: *const u8,
    sealed_len: usize,
    op: *mut u8,
    op_capacity: usize,
    op_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let number = number_of(channel, sub_channel)?;
        let sealed = input(sealed, sealed_len)?;
        let out = OutBytes::new(op, op_capacity, op_len)?;
        let mut room = [0; super::IOTEDGE_CHANNEL_MAX_OP];
        let mut w = Writer::new(&mut room);
        let message = Op::Message { number, sealed };
        message
            .write(&mut w)
            .map_err(|_| status::IOTEDGE_E_LENGTH)?;
        out.write(w.written())
    })())
}

/// What a device signs for an operation off the ledger, for a neighbour that it reaches without one. Behind the operation then stand the 64 bytes of the signature: a statement.
///
/// `neighbourhood`, `device`: 32 bytes each; the signer's device id. `op`: `op_len` bytes. `message`: room for `message_capacity` bytes, `op_len` + 120 are enough;
/// `message_len`: their number. Both written on success.
///
/// `IOTEDGE_E_BUFFER_TOO_SMALL`; `IOTEDGE_E_MALFORMED` and others: not an operation.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_statement_input(
    neighbourhood: *const u8,
    device: *const u8,
    op: *const u8,
    op_len: usize,
    message: *mut u8,
    message_capacity: usize,
    message_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let device = Id(*array::<32>(device)?);
        let op = input(op, op_len)?;
        let out = OutBytes::new(message, message_capacity, message_len)?;
        parse(op)?;
        let mut room = [0; super::IOTEDGE_CHANNEL_MAX_OP + 120];
        let message = to_be_signed(&neighbourhood, &device, op, &mut room);
        out.write(message.map_err(|_| status::IOTEDGE_E_LENGTH)?)
    })())
}

/// Says whether a statement is the signer's: an operation, and behind it its signature.
///
/// `neighbourhood`, `device`: 32 bytes each; the signer's device id. `key`: its public key. `statement`: `statement_len` bytes. `op_len`: how many of them are the operation; written on
/// success.
///
/// `IOTEDGE_E_SIGNATURE`: it is not. `IOTEDGE_E_MALFORMED` and others: not a statement.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_statement_check(
    neighbourhood: *const u8,
    device: *const u8,
    key: *const iotedge_public_key_t,
    statement: *const u8,
    statement_len: usize,
    op_len: *mut usize,
) -> i32 {
    let mut again = false;
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let device = Id(*array::<32>(device)?);
        let key = public_key(key)?;
        let bytes = input(statement, statement_len)?;
        let out = Out::new(op_len)?;
        if bytes.len() > super::IOTEDGE_CHANNEL_MAX_OP.saturating_add(64) {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        let statement = Statement::parse(bytes).map_err(channel_status)?;
        let mut room = [0; super::IOTEDGE_CHANNEL_MAX_OP + 120];
        let verified = statement.verify(&neighbourhood, &device, &key, verifier, &mut room);
        verified.map_err(channel_status)?;
        if again {
            out.write(bytes.len().saturating_sub(64));
        }
        again = true;
        Ok(())
    })
}

fn frame_status(error: FrameError) -> i32 {
    match error {
        FrameError::Wire(error) => crate::wire_status(error),
        FrameError::Unbound => status::IOTEDGE_E_NEIGHBOURHOOD,
        FrameError::UnknownType => status::IOTEDGE_E_UNSUPPORTED_KIND,
        FrameError::TooLong | FrameError::TooShort => status::IOTEDGE_E_LENGTH,
        _ => status::IOTEDGE_E_MALFORMED,
    }
}

/// Puts what applications say to each other into a frame, for one neighbour, one hop: send it as you send the frames of a node, through an `iotedge_link_t` too. Nodes refuse it with
/// `IOTEDGE_E_NOT_FOR_ME`.
///
/// `tag`: the first 4 bytes of the neighbourhood id. `what`: `IOTEDGE_SAID_*`. `bytes`: `bytes_len` of them, at least 1. `frame`: room for `frame_capacity` bytes, `bytes_len` + 6 are
/// enough; `frame_len`: their number. Both written on success.
///
/// `IOTEDGE_E_LENGTH`: nothing, or more than fits `IOTEDGE_MAX_FRAME`. `IOTEDGE_E_NEIGHBOURHOOD`: a tag of zeros.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_frame_say(
    tag: *const u8,
    what: u32,
    bytes: *const u8,
    bytes_len: usize,
    frame: *mut u8,
    frame_capacity: usize,
    frame_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let tag = *array::<4>(tag)?;
        let what = u8::try_from(what).ok().and_then(What::from_number);
        let what = what.ok_or(status::IOTEDGE_E_ARGUMENT)?;
        let bytes = input(bytes, bytes_len)?;
        let out = OutBytes::new(frame, frame_capacity, frame_len)?;
        if bytes.len().saturating_add(6) > frame_capacity.max(IOTEDGE_MAX_FRAME) {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        let (room, len) = out.room();
        len.write(said::say(tag, what, bytes, room).map_err(frame_status)?);
        Ok(())
    })())
}

/// Looks whether a frame is one that applications say to each other. Ask before you hand a frame to a node or leaf.
///
/// `tag`: the first 4 bytes of the neighbourhood id. `frame`: `frame_len` bytes. `what`: `IOTEDGE_SAID_*`. `bytes`: points into `frame`, `bytes_len` bytes of it. All written on success.
///
/// `IOTEDGE_E_NONE`: no such frame: it is for the node or leaf. `IOTEDGE_E_UNSUPPORTED_KIND`: something that this build does not know. `IOTEDGE_E_LENGTH`: nothing said. Drop both.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_frame_said(
    tag: *const u8,
    frame: *const u8,
    frame_len: usize,
    what: *mut u32,
    bytes: *mut *const u8,
    bytes_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let tag = *array::<4>(tag)?;
        let frame = input(frame, frame_len)?;
        let (what, bytes, len) = (Out::new(what)?, Out::new(bytes)?, Out::new(bytes_len)?);
        let found = said::said(tag, frame).map_err(frame_status)?;
        let (kind, body) = found.ok_or(status::IOTEDGE_E_NONE)?;
        what.write(kind as u32);
        bytes.write(body.as_ptr());
        len.write(body.len());
        Ok(())
    })())
}

pub(super) fn checked(key: &iotedge_core::crypto::PublicKey) -> Call<()> {
    key.check().map_err(signature_status)
}
