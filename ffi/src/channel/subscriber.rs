//! The subscriber of channels: an `iotedge_subscriber_t`.

use super::said::{checked, parse};
use super::{channel_status, member_of, number_of, side_key, store_key};
use crate::accelerator::CVerifier;
use crate::key::{iotedge_public_key_t, public_key};
use crate::node::iotedge_platform_t;
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::node::platform::{CPlatform, platform};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use crate::verify::ids;
use iotedge_core::Id;
use iotedge_core::channel::reader::stored::stored_len;
use iotedge_core::channel::subscriber::{
    FEW_SKIPPED, KEYS, MAX_CHANNELS, Memory, Source, Subscription,
};
use iotedge_core::channel::{Heard, Index, Op, Opened, Recent, Skipped, Subscriber};

/// Bytes of a subscriber beside its channels and rooms: see `IOTEDGE_SUBSCRIBER_SIZE`.
pub const IOTEDGE_SUBSCRIBER_SIZE_FIXED: usize = 416;
/// Bytes of a subscriber per channel.
pub const IOTEDGE_SUBSCRIBER_SIZE_CHANNEL: usize = 216;
/// Bytes of a subscriber per skipped message that it keeps the key of.
pub const IOTEDGE_SUBSCRIBER_SIZE_SKIPPED: usize = 96;
/// Bytes of a subscriber per message that it remembers.
pub const IOTEDGE_SUBSCRIBER_SIZE_RECENT: usize = 96;

/// A statement told nothing to this device, or what it knows.
pub const IOTEDGE_HEARD_NOTHING: u32 = 0;
/// The chain goes on at another place; a public channel can be read from there on.
pub const IOTEDGE_HEARD_ANNOUNCED: u32 = 1;
/// The channel can be read, from the place of the grant on.
pub const IOTEDGE_HEARD_GRANTED: u32 = 2;
/// The path came: a later revoke of another reader can be followed.
pub const IOTEDGE_HEARD_SEATED: u32 = 3;
/// Another reader was revoked; this device reads on, under the new key epoch.
pub const IOTEDGE_HEARD_REKEYED: u32 = 4;
/// A revoke in which nothing is for this device: it reads no more from the new key epoch on, unless another part of the same revoke has it. Subscribe again, perhaps.
pub const IOTEDGE_HEARD_REVOKED: u32 = 5;
/// The root of a batch of `count` messages from `index` on. With `IOTEDGE_HEARD_ATTRIBUTED` all of them were opened here and are the owner's; else `iotedge_subscriber_prove` each.
pub const IOTEDGE_HEARD_ROOT: u32 = 6;
/// A message; its plaintext is in the output.
pub const IOTEDGE_HEARD_MESSAGE: u32 = 7;

/// A message: the owner signed it. A root: all its messages are the owner's. Without it any reader could have made it.
pub const IOTEDGE_HEARD_ATTRIBUTED: u32 = 1;
/// A message: it came after a later one.
pub const IOTEDGE_HEARD_LATE: u32 = 2;

/// A subscriber of channels. Lives in memory that you give to `iotedge_subscriber_init` and is never copied or moved.
pub struct iotedge_subscriber_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct CSubscriber {
    subscriber: Subscriber<'static>,
    platform: CPlatform,
    verifier: CVerifier,
}

impl Living for CSubscriber {
    const SEAL: u64 = 0x694f_5445_7375_6273;
}

/// What you decide of a subscriber. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_subscriber_config_t {
    /// `sizeof(iotedge_subscriber_config_t)`.
    pub size: u32,
    /// Most channels at once, 1 to 64.
    pub channels: u32,
    /// This device's neighbourhood.
    pub neighbourhood: [u8; 32],
    /// This device's id.
    pub device: [u8; 32],
    /// The first of three keys of the store for each channel, 0x0100 to 0x0fff in all; nobody else's.
    pub store_key: u32,
    /// Messages of gaps, of all channels together, that can still be read when they come late, 0 to 1,024.
    pub skipped: u32,
    /// Messages, of all channels together, that are remembered: to tell a replay or a fork, and to check a batch without paths, 0 to 1,024.
    pub recent: u32,
    /// So many messages of a channel are read between two writes of the store, 1 to 64; 0: 1. After a power cut those since the last can be read once more, if they come again.
    pub store_every: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_subscriber_config_t {}
const OLDEST_CONFIG: usize = 88;
const _: () = assert!(size_of::<iotedge_subscriber_config_t>() == OLDEST_CONFIG);

/// Whose channel. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_channel_source_t {
    /// `sizeof(iotedge_channel_source_t)`.
    pub size: u32,
    /// The owner's index in the member table.
    pub owner: u32,
    /// Its device id (`iotedge_node_member_device`).
    pub device: [u8; 32],
    /// Which of its channels.
    pub channel: u32,
    /// 0, or the sub-channel.
    pub sub_channel: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_channel_source_t {}
const OLDEST_SOURCE: usize = 48;
const _: () = assert!(size_of::<iotedge_channel_source_t>() == OLDEST_SOURCE);

/// What a statement or a message told. Set `size` first. What a kind does not use is zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_heard_t {
    /// `sizeof(iotedge_heard_t)`.
    pub size: u32,
    /// `IOTEDGE_HEARD_*`.
    pub kind: u32,
    /// Which subscription, as `iotedge_subscriber_subscribe` gave it.
    pub subscription: u32,
    /// A message, a root: `IOTEDGE_HEARD_ATTRIBUTED`, `IOTEDGE_HEARD_LATE`, added.
    pub flags: u32,
    /// A message: its index. A root: that of the batch's first.
    pub index: u64,
    /// Messages that can't be read any more, as of this.
    pub lost: u64,
    /// A message, a root: the key epoch.
    pub key_epoch: u32,
    /// A message: so many before it have not come (yet). A root: messages of the batch.
    pub count: u32,
    /// A message: bytes of plaintext.
    pub text_len: u32,
    /// Zero.
    pub reserved: u32,
    /// A message: its leaf in the batch's tree. A root: the root.
    pub hash: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_heard_t {}
const OLDEST_HEARD: usize = 80;
const _: () = assert!(size_of::<iotedge_heard_t>() == OLDEST_HEARD);

/// How a subscription stands. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_subscription_status_t {
    /// `sizeof(iotedge_subscription_status_t)`.
    pub size: u32,
    /// The owner's index.
    pub owner: u32,
    /// Which of its channels.
    pub channel: u32,
    /// 0, or the sub-channel.
    pub sub_channel: u32,
    /// 1: it can be read. 0: nothing was granted (or announced, for a public channel) yet.
    pub granted: u32,
    /// The key epoch of the next message; 0 where nothing was granted.
    pub key_epoch: u32,
    /// Its index.
    pub index: u64,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_subscription_status_t {}
const OLDEST_STATUS: usize = 32;
const _: () = assert!(size_of::<iotedge_subscription_status_t>() == OLDEST_STATUS);

const EMPTY: iotedge_heard_t = iotedge_heard_t {
    size: 0,
    kind: IOTEDGE_HEARD_NOTHING,
    subscription: 0,
    flags: 0,
    index: 0,
    lost: 0,
    key_epoch: 0,
    count: 0,
    text_len: 0,
    reserved: 0,
    hash: [0; 32],
};

const fn flag(set: bool, flag: u32) -> u32 {
    if set { flag } else { 0 }
}

fn message(subscription: u8, opened: &Opened) -> iotedge_heard_t {
    let late = flag(opened.late, IOTEDGE_HEARD_LATE);
    iotedge_heard_t {
        kind: IOTEDGE_HEARD_MESSAGE,
        subscription: subscription.into(),
        flags: late | flag(opened.signed, IOTEDGE_HEARD_ATTRIBUTED),
        index: opened.index.0,
        lost: opened.lost.into(),
        key_epoch: opened.epoch.0,
        count: opened.gap,
        text_len: u32::try_from(opened.len).unwrap_or(u32::MAX),
        hash: opened.leaf.0,
        ..EMPTY
    }
}

fn told(heard: &Heard) -> iotedge_heard_t {
    let of = |kind: u32, channel: u8, lost: u64| iotedge_heard_t {
        kind,
        subscription: channel.into(),
        lost,
        ..EMPTY
    };
    match *heard {
        Heard::Nothing => EMPTY,
        Heard::Announced { channel, lost } => of(IOTEDGE_HEARD_ANNOUNCED, channel, lost),
        Heard::Granted { channel } => of(IOTEDGE_HEARD_GRANTED, channel, 0),
        Heard::Seated { channel } => of(IOTEDGE_HEARD_SEATED, channel, 0),
        Heard::Rekeyed { channel, lost } => of(IOTEDGE_HEARD_REKEYED, channel, lost.into()),
        Heard::Revoked { channel } => of(IOTEDGE_HEARD_REVOKED, channel, 0),
        Heard::Root {
            channel,
            batch,
            proved,
        } => iotedge_heard_t {
            flags: flag(proved, IOTEDGE_HEARD_ATTRIBUTED),
            index: batch.first.0,
            key_epoch: batch.epoch.0,
            count: batch.count.into(),
            hash: batch.root.0,
            ..of(IOTEDGE_HEARD_ROOT, channel, 0)
        },
        Heard::Message { channel, opened } => message(channel, &opened),
    }
}

/// What is cut of the memory.
struct Limits {
    channels: usize,
    skipped: usize,
    recent: usize,
}

fn limits(given: &iotedge_subscriber_config_t) -> Call<Limits> {
    let within = |n: u32, most: usize| match usize::try_from(n) {
        Ok(n) if n <= most => Ok(n),
        _ => Err(status::IOTEDGE_E_ARGUMENT),
    };
    if given.channels == 0 || given.store_every > 64 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    Ok(Limits {
        channels: within(given.channels, MAX_CHANNELS)?,
        skipped: within(given.skipped, 1024)?,
        recent: within(given.recent, 1024)?,
    })
}

/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(
    limits: &Limits,
    every: u32,
    cutter: &mut Cutter,
) -> Option<(Memory<'static>, usize)> {
    let at = cutter.living::<CSubscriber>()?;
    let buffer = match limits.skipped {
        0..=FEW_SKIPPED => 0,
        more => stored_len(more),
    };
    // SAFETY: the caller's promise.
    let memory = unsafe {
        Memory {
            channels: cutter.cut(limits.channels, Subscription::default)?,
            skipped: cutter.cut(limits.skipped, Skipped::default)?,
            recent: cutter.cut(limits.recent, Recent::default)?,
            buffer: cutter.cut(buffer, || 0)?,
            every: u8::try_from(every.max(1)).ok()?,
        }
    };
    Some((memory, at))
}

/// # Safety
/// As `node::memory::with`.
unsafe fn with<R>(
    subscriber: *mut iotedge_subscriber_t,
    work: impl FnOnce(&mut CSubscriber) -> Call<R>,
) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe { with_living(subscriber.cast(), work) }
}

fn subscription_of(subscription: u32) -> Call<u8> {
    u8::try_from(subscription).map_err(|_| status::IOTEDGE_E_CHANNEL_OTHER)
}

/// How many bytes of memory a subscriber with this configuration needs. For static arrays there is the macro `IOTEDGE_SUBSCRIBER_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_ARGUMENT`: a field of the configuration.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_size(
    config: *const iotedge_subscriber_config_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(config, OLDEST_CONFIG)?;
        let limits = limits(&given)?;
        let out = Out::new(bytes)?;
        let count = Cutter::count(|cutter| cut(&limits, given.store_every, cutter));
        out.write(count?);
        Ok(())
    })())
}

/// Opens the subscriptions that are in the store, in memory that you give.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_subscriber_size`; the subscriber's until `iotedge_subscriber_deinit`, not to be read, written, moved or copied meanwhile.
/// `config`, `platform`: copied. `subscriber`: written on success; points into `memory`.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`. `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_PLATFORM`: try again. What the bytes of a damaged store
/// give: remove its keys, and subscribe again.
///
/// Calls the platform. From any thread; the subscriber then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    config: *const iotedge_subscriber_config_t,
    platform: *const iotedge_platform_t,
    subscriber: *mut *mut iotedge_subscriber_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let given = structure(config, OLDEST_CONFIG)?;
        let limits = limits(&given)?;
        let keys = given.channels.saturating_mul(KEYS.into());
        let key = store_key(given.store_key, keys)?;
        let (mut platform, verifier) = self::platform(platform)?;
        let out = Out::new(subscriber)?;
        create_in_place::<CSubscriber, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(&limits, given.store_every, cutter),
            |memory, place| {
                let (here, device) = (Id(given.neighbourhood), Id(given.device));
                let opened = Subscriber::open(&mut platform, here, device, key, memory);
                place.write(CSubscriber {
                    subscriber: opened.map_err(channel_status)?,
                    platform,
                    verifier,
                });
                Ok(())
            },
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends the subscriber: wipes its keys and all its memory, which is yours again. What is in the store stays.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_deinit(subscriber: *mut iotedge_subscriber_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CSubscriber>(subscriber.cast()) })
}

/// Asks for a channel: gives the operation to submit with `iotedge_node_submit_channel`, or to send as a statement. Asked again before the grant came it is the same, so ask again now and then; after it, it asks
/// anew. A public channel needs no asking, but is followed by it, too, from its owner's next announce on.
///
/// `source`: whose channel. `key`: the owner's public key (`iotedge_node_member_key`). `side_key`: 32 bytes for a restricted channel, kept in the store; else NULL. `subscription`: its number from now on,
/// also after a reset. `op`: room for `op_capacity` bytes, 64 are enough; `op_len`: their number. The last three are written on success.
///
/// `IOTEDGE_E_CHANNEL_SLOTS`: all places are taken. `IOTEDGE_E_SIGNATURE_MALFORMED`: not a key. `IOTEDGE_E_BUFFER_TOO_SMALL`, `IOTEDGE_E_PLATFORM`.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_subscribe(
    subscriber: *mut iotedge_subscriber_t,
    source: *const iotedge_channel_source_t,
    key: *const iotedge_public_key_t,
    side_key: *const u8,
    subscription: *mut u32,
    op: *mut u8,
    op_capacity: usize,
    op_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(source, OLDEST_SOURCE)?;
        let key = public_key(key)?;
        checked(&key)?;
        let side = self::side_key(side_key)?;
        let source = Source {
            owner: member_of(given.owner)?,
            device: Id(given.device),
            key,
            number: number_of(given.channel, given.sub_channel)?,
        };
        let which = Out::new(subscription)?;
        let out = OutBytes::new(op, op_capacity, op_len)?;
        with(subscriber, |s| {
            let (room, len) = out.room();
            let (to, platform) = (&mut s.subscriber, &mut s.platform);
            let asked = to.subscribe(platform, &source, side.as_ref(), room);
            let (at, count) = asked.map_err(channel_status)?;
            len.write(count);
            which.write(at.into());
            Ok(())
        })
    })())
}

/// Ends a subscription and erases its keys from memory and store.
///
/// `IOTEDGE_E_CHANNEL_OTHER`: there is none with this number. `IOTEDGE_E_PLATFORM`: it stands; try again.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_unsubscribe(
    subscriber: *mut iotedge_subscriber_t,
    subscription: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let subscription = subscription_of(subscription)?;
        with(subscriber, |s| {
            let done = s.subscriber.unsubscribe(&mut s.platform, subscription);
            done.map_err(channel_status)
        })
    })())
}

/// Tells the subscriber what a member said of a channel in a transaction: the body of `IOTEDGE_EVENT_CHANNEL`, which the node verified. What is said of other channels tells nothing.
///
/// `me`: this device's index. `from`: the member that said it. `op`: `op_len` bytes (`iotedge_node_body`). `text`: room for `text_capacity` bytes, at least `IOTEDGE_CHANNEL_MAX_OP`: takes the plaintext of a
/// message, and is wiped where nothing came of one. `heard`: set its `size` first. Both written on success.
///
/// Everything else changed nothing: `IOTEDGE_E_CHANNEL_STALE`: replayed, or late. `IOTEDGE_E_CHANNEL_WRONG_READER`, `IOTEDGE_E_CHANNEL_SIDE_KEY`: a grant that does not open: sealed for another reader, or with another side key.
/// `IOTEDGE_E_CHANNEL_JUMP`: ask anew. `IOTEDGE_E_WRONG_PATH`: a root, and one of the messages opened here is not under it: it was not the owner's. `IOTEDGE_E_CHANNEL_FORK`: keep both messages: evidence.
/// `IOTEDGE_E_PLATFORM`: tell it again.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt: a grant is one X25519.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_hear(
    subscriber: *mut iotedge_subscriber_t,
    me: u32,
    from: u32,
    op: *const u8,
    op_len: usize,
    text: *mut u8,
    text_capacity: usize,
    heard: *mut iotedge_heard_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (me, from) = (member_of(me)?, member_of(from)?);
        let op = parse(input(op, op_len)?)?;
        let out = OutStruct::new(heard, OLDEST_HEARD)?;
        let room = room(text, text_capacity)?;
        with(subscriber, |s| {
            let (to, platform) = (&mut s.subscriber, &mut s.platform);
            let found = to.hear(platform, me, from, &op, room);
            out.write(&told(&found.map_err(channel_status)?));
            Ok(())
        })
    })())
}

/// The same for a statement off the ledger: an operation with its signature, which is checked under the owner's key.
///
/// `statement`: `statement_len` bytes. Else as `iotedge_subscriber_hear`.
///
/// `IOTEDGE_E_SIGNATURE`: not the owner's.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_hear_statement(
    subscriber: *mut iotedge_subscriber_t,
    me: u32,
    from: u32,
    statement: *const u8,
    statement_len: usize,
    text: *mut u8,
    text_capacity: usize,
    heard: *mut iotedge_heard_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (me, from) = (member_of(me)?, member_of(from)?);
        let statement = input(statement, statement_len)?;
        let out = OutStruct::new(heard, OLDEST_HEARD)?;
        let room = room(text, text_capacity)?;
        if statement.len() > super::IOTEDGE_CHANNEL_MAX_OP.saturating_add(64) {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        with(subscriber, |s| {
            let (to, platform) = (&mut s.subscriber, &mut s.platform);
            let verifier = &mut s.verifier;
            let found = to.hear_statement(platform, verifier, me, from, statement, room);
            out.write(&told(&found.map_err(channel_status)?));
            Ok(())
        })
    })())
}

/// Room for a plaintext.
///
/// # Safety
/// NULL, or as many writable bytes.
unsafe fn room<'a>(text: *mut u8, capacity: usize) -> Call<&'a mut [u8]> {
    let mut unused = 0;
    // SAFETY: the caller's promise.
    let (room, _) = unsafe { OutBytes::new(text, capacity, &raw mut unused)?.room() };
    Ok(room)
}

/// Opens a message off the ledger (`IOTEDGE_SAID_MESSAGE`), of whichever channel it is.
///
/// `sealed`: `sealed_len` bytes. `text`: room for `text_capacity` bytes, `sealed_len` are enough: takes the plaintext, and is wiped where nothing came of it. `heard`: set its `size` first; its kind is
/// `IOTEDGE_HEARD_MESSAGE`. Both written on success.
///
/// Everything else changed nothing: `IOTEDGE_E_CHANNEL_UNKNOWN`: of no channel that is read here, or from before the grant, after a revoke, too far ahead or too long ago. `IOTEDGE_E_CHANNEL_FORGED`, `IOTEDGE_E_SIGNATURE`:
/// changed on the way, or made up. `IOTEDGE_E_CHANNEL_REPLAYED`, `IOTEDGE_E_CHANNEL_DOUBLED`, `IOTEDGE_E_CHANNEL_FORK`: one with its place was opened before. `IOTEDGE_E_MALFORMED`, `IOTEDGE_E_VERSION`: no message.
/// `IOTEDGE_E_PLATFORM`: it could not be stored; give it again.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt: a signed one takes a signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_read(
    subscriber: *mut iotedge_subscriber_t,
    sealed: *const u8,
    sealed_len: usize,
    text: *mut u8,
    text_capacity: usize,
    heard: *mut iotedge_heard_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let sealed = input(sealed, sealed_len)?;
        let out = OutStruct::new(heard, OLDEST_HEARD)?;
        let room = room(text, text_capacity)?;
        with(subscriber, |s| {
            let (to, platform) = (&mut s.subscriber, &mut s.platform);
            let found = to.read(platform, &mut s.verifier, sealed, room);
            let (channel, opened) = found.map_err(channel_status)?;
            out.write(&message(channel, &opened));
            Ok(())
        })
    })())
}

/// Says whether a message that was opened is under the root of its batch: then it is the owner's.
///
/// `root`: the operation of `IOTEDGE_HEARD_ROOT`, `root_len` bytes, as it was heard. `index`: of the message. `path`: `path_count` hashes of 32 bytes, from the owner (`iotedge_channel_owner_path`).
///
/// `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`: it is not. `IOTEDGE_E_CHANNEL_UNKNOWN`: it is not remembered. `IOTEDGE_E_CHANNEL_BATCH`: of another batch.
///
/// From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_prove(
    subscriber: *const iotedge_subscriber_t,
    subscription: u32,
    root: *const u8,
    root_len: usize,
    index: u64,
    path: *const u8,
    path_count: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    crate::raw::decided(|_| unsafe {
        let subscription = subscription_of(subscription)?;
        let Op::Root { batch, .. } = parse(input(root, root_len)?)? else {
            return Err(status::IOTEDGE_E_ARGUMENT);
        };
        if path_count > 6 {
            return Err(status::IOTEDGE_E_PATH_LENGTH);
        }
        let mut hashes = [Id::ZERO; 6];
        for (to, from) in hashes.iter_mut().zip(ids(path, path_count)?) {
            *to = from;
        }
        let path = hashes.get(..path_count).unwrap_or(&[]);
        look_living(subscriber.cast(), |s: &CSubscriber| {
            let proved = s.subscriber.prove(subscription, &batch, Index(index), path);
            proved.map_err(channel_status)
        })
    })
}

/// Writes what was read since the last write of the store, where `store_every` is above 1: before the device sleeps.
///
/// `IOTEDGE_E_PLATFORM`: try again.
///
/// Calls the platform. From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_store(subscriber: *mut iotedge_subscriber_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(subscriber, |s| {
            s.subscriber.store(&mut s.platform).map_err(channel_status)
        })
    })
}

/// How a subscription stands.
///
/// `subscription_status`: set its `size` first; written on success.
///
/// `IOTEDGE_E_CHANNEL_OTHER`: there is none with this number.
///
/// From the thread that has the subscriber. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_subscriber_status(
    subscriber: *const iotedge_subscriber_t,
    subscription: u32,
    subscription_status: *mut iotedge_subscription_status_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let subscription = subscription_of(subscription)?;
        let out = OutStruct::new(subscription_status, OLDEST_STATUS)?;
        look_living(subscriber.cast(), |s: &CSubscriber| {
            let of = s.subscriber.of(subscription).map_err(channel_status)?;
            let next = s.subscriber.next(subscription).map_err(channel_status)?;
            let (owner, number) = of;
            out.write(&iotedge_subscription_status_t {
                size: 0,
                owner: owner.0.into(),
                channel: number.main.into(),
                sub_channel: number.sub.into(),
                granted: next.is_some().into(),
                key_epoch: next.map_or(0, |next| next.epoch.0),
                index: next.map_or(0, |next| next.index.0),
            });
            Ok(())
        })
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macro_for_static_arrays_is_enough_and_not_far_too_much() {
        for (channels, skipped, recent) in
            [(1, 0, 0), (1, 64, 64), (8, 4, 1), (64, 0, 0), (8, 64, 64)]
        {
            let limits = Limits {
                channels,
                skipped,
                recent,
            };
            // SAFETY: nothing is cut without memory.
            let needed = Cutter::count(|cutter| unsafe { cut(&limits, 1, cutter) }).unwrap();
            let given = IOTEDGE_SUBSCRIBER_SIZE_FIXED
                + channels * IOTEDGE_SUBSCRIBER_SIZE_CHANNEL
                + skipped * IOTEDGE_SUBSCRIBER_SIZE_SKIPPED
                + recent * IOTEDGE_SUBSCRIBER_SIZE_RECENT;
            println!(
                "{channels} channels, {skipped} skipped, {recent} recent: {needed} of {given}"
            );
            assert!(needed <= given && given <= needed * 3 / 2);
        }
    }
}
