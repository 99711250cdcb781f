//! The owner of a channel: an `iotedge_channel_owner_t`.

use super::{channel_status, member_of, mode_of, number_of, side_key, store_key};
use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::node::iotedge_platform_t;
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::node::platform::{CPlatform, platform};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, array, done, input, structure};
use crate::status;
use core::mem::MaybeUninit;
use iotedge_core::channel::message::to_be_signed;
use iotedge_core::channel::publisher::{Config, KEYS, Memory, Publisher, readers, stored_len};
use iotedge_core::channel::statement::{MAX_BATCH, MAX_DEPTH};
use iotedge_core::channel::{ChannelNumber, Form, Index, Mode, SideKey};
use iotedge_core::crypto::{Signature, Software, Verify};
use iotedge_core::{Id, MemberIndex, Number};

/// A message goes with the owner's signature: one behind it, or that of the transaction that carries it. Without it, it is attributable once its batch's root is known.
pub const IOTEDGE_CHANNEL_SIGNED: u32 = 1;
/// A compact message has the whole tag of 16 bytes; without it 8. What an 8-byte tag means: docs/threat-model.md.
pub const IOTEDGE_CHANNEL_LONG_TAG: u32 = 2;
/// COSE_Encrypt0 (RFC 9052) instead of the compact form; always with the whole tag.
pub const IOTEDGE_CHANNEL_COSE: u32 = 4;

/// Bytes of an owner beside batch and readers: see `IOTEDGE_CHANNEL_OWNER_SIZE`.
pub const IOTEDGE_CHANNEL_OWNER_SIZE_FIXED: usize = 1248;
/// Bytes of an owner per message of a batch.
pub const IOTEDGE_CHANNEL_OWNER_SIZE_MESSAGE: usize = 32;
/// Bytes of an owner per reader.
pub const IOTEDGE_CHANNEL_OWNER_SIZE_READER: usize = 4;

/// The owner of a channel. Lives in memory that you give to `iotedge_channel_owner_init` and is never copied or moved.
pub struct iotedge_channel_owner_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct COwner {
    publisher: Publisher<'static>,
    platform: CPlatform,
}

impl Living for COwner {
    const SEAL: u64 = 0x694f_5445_6368_6f77;
}

/// What you decide of a channel. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_channel_config_t {
    /// `sizeof(iotedge_channel_config_t)`.
    pub size: u32,
    /// `IOTEDGE_CHANNEL_PUBLIC`, `IOTEDGE_CHANNEL_PRIVATE` or `IOTEDGE_CHANNEL_RESTRICTED`.
    pub mode: u32,
    /// Which of the device's channels, 0 to 65,535. It says what the channel is, and stays.
    pub channel: u32,
    /// 0, or a sub-channel: a chain of its own, for a subset of the readers.
    pub sub_channel: u32,
    /// This device's neighbourhood.
    pub neighbourhood: [u8; 32],
    /// This device's id.
    pub device: [u8; 32],
    /// Restricted: the pre-shared key, 32 bytes, copied. Else NULL.
    pub side_key: *const u8,
    /// The first of two keys of the store, 0x0100 to 0x0ffe; nobody else's.
    pub store_key: u32,
    /// So many indexes are reserved with one write of the store, 1 to 64; 0: 16. After a power cut that many are skipped.
    pub ahead: u32,
    /// Messages under one root, 1 to 64; 0: no batches.
    pub batch: u32,
    /// Most readers at once: 1, 2, 4, 8, 16, 32, 64 or 128. 0 for a public channel.
    pub readers: u32,
}
// SAFETY: repr(C), integers and a raw pointer, size first.
unsafe impl Sized32 for iotedge_channel_config_t {}
const OLDEST_CONFIG: usize = 96 + size_of::<*const u8>().next_multiple_of(4);
const _: () = assert!(size_of::<iotedge_channel_config_t>() == OLDEST_CONFIG);

/// A message that was sealed. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_channel_published_t {
    /// `sizeof(iotedge_channel_published_t)`.
    pub size: u32,
    /// Its key epoch.
    pub key_epoch: u32,
    /// Its index.
    pub index: u64,
    /// Its leaf in the batch's tree.
    pub leaf: [u8; 32],
    /// With `IOTEDGE_CHANNEL_SIGNED` and no transaction around it: what the device signs. `iotedge_channel_sign` puts the signature behind the message.
    pub sign_input: [u8; 56],
    /// 1: its batch is full, and the root is due.
    pub batch_full: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_channel_published_t {}
const OLDEST_PUBLISHED: usize = 112;
const _: () = assert!(size_of::<iotedge_channel_published_t>() == OLDEST_PUBLISHED);

/// What an owner says of itself. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_channel_status_t {
    /// `sizeof(iotedge_channel_status_t)`.
    pub size: u32,
    /// The key epoch of the next message.
    pub key_epoch: u32,
    /// Its index.
    pub index: u64,
    /// Members that may read.
    pub readers: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_channel_status_t {}
const OLDEST_STATUS: usize = 24;
const _: () = assert!(size_of::<iotedge_channel_status_t>() == OLDEST_STATUS);

/// The configuration in the core's terms, and the length of a batch.
fn config(given: &iotedge_channel_config_t) -> Call<(Config, usize)> {
    let mode = mode_of(given.mode)?;
    let number: ChannelNumber = number_of(given.channel, given.sub_channel)?;
    let depth = match (mode, given.readers) {
        (Mode::Public, 0) => 0,
        (Mode::Private | Mode::Restricted, readers) if readers.is_power_of_two() => {
            u8::try_from(readers.trailing_zeros()).unwrap_or(u8::MAX)
        }
        _ => return Err(status::IOTEDGE_E_ARGUMENT),
    };
    let ahead = match given.ahead {
        0 => 16,
        ahead => u8::try_from(ahead).map_err(|_| status::IOTEDGE_E_ARGUMENT)?,
    };
    if depth > MAX_DEPTH || given.batch > MAX_BATCH.into() || !(1..=64).contains(&ahead) {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    let config = Config {
        neighbourhood: Id(given.neighbourhood),
        device: Id(given.device),
        number,
        mode,
        key: store_key(given.store_key, KEYS.into())?,
        ahead,
        depth,
    };
    Ok((config, usize::try_from(given.batch).unwrap_or(0)))
}

/// Of one length.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(
    config: &Config,
    batch: usize,
    cutter: &mut Cutter,
) -> Option<(Memory<'static>, usize)> {
    let at = cutter.living::<COwner>()?;
    let (members, buffer) = match config.mode {
        Mode::Public => (0, 0),
        _ => (readers(config.depth), stored_len(config.depth)),
    };
    // SAFETY: the caller's promise.
    let memory = unsafe {
        Memory {
            leaves: cutter.cut(batch, || Id::ZERO)?,
            members: cutter.cut(members, || MemberIndex(0))?,
            buffer: cutter.cut(buffer, || 0)?,
        }
    };
    Some((memory, at))
}

/// Apart, so that what it takes of the stack to make an owner is gone when the owner reads its store.
#[inline(never)]
fn build<'a>(
    place: &'a mut MaybeUninit<COwner>,
    config: Config,
    side: Option<SideKey>,
    memory: Memory<'static>,
    platform: CPlatform,
) -> Call<&'a mut COwner> {
    let publisher = Publisher::unloaded(config, side, memory).map_err(channel_status)?;
    Ok(place.write(COwner {
        publisher,
        platform,
    }))
}

/// # Safety
/// As `node::memory::with`.
unsafe fn with<R>(
    owner: *mut iotedge_channel_owner_t,
    work: impl FnOnce(&mut COwner) -> Call<R>,
) -> Call<R> {
    // SAFETY: the caller's promise.
    unsafe { with_living(owner.cast(), work) }
}

/// How many bytes of memory an owner with this configuration needs. For static arrays there is the macro `IOTEDGE_CHANNEL_OWNER_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_CHANNEL_MODE`: a field of the configuration.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_size(
    config: *const iotedge_channel_config_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (config, batch) = self::config(&structure(config, OLDEST_CONFIG)?)?;
        let out = Out::new(bytes)?;
        out.write(Cutter::count(|cutter| cut(&config, batch, cutter))?);
        Ok(())
    })())
}

/// Opens the channel that is in the store, or a new one, in memory that you give. After it, say what is due: `iotedge_channel_owner_next_op`.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_channel_owner_size`; the owner's until `iotedge_channel_owner_deinit`, not to be read, written, moved or copied meanwhile.
/// `config`, `platform`: copied; the accelerator is not used. `newest`: `number` of the status of this device's node or leaf, 0 where it has neither: what the hardware counter, if there is one, must go with.
/// `owner`: written on success; points into `memory`.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`. `IOTEDGE_E_ARGUMENT`: a field of the configuration. `IOTEDGE_E_CHANNEL_MODE`: the mode needs a side key, or must
/// not have one. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_OLD_IMAGE`, `IOTEDGE_E_COUNTER`, and what the bytes of a damaged store give: only a new channel number is safe.
/// `IOTEDGE_E_CHANNEL_OTHER`, `IOTEDGE_E_CHANNEL_READER`: the store has another channel, or another number of readers, under this key.
///
/// Calls the platform. From any thread; the owner then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    config: *const iotedge_channel_config_t,
    platform: *const iotedge_platform_t,
    newest: u32,
    owner: *mut *mut iotedge_channel_owner_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let given = structure(config, OLDEST_CONFIG)?;
        let (config, batch) = self::config(&given)?;
        let side = side_key(given.side_key)?;
        let (platform, _) = self::platform(platform)?;
        let out = Out::new(owner)?;
        create_in_place::<COwner, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(&config, batch, cutter),
            |memory, place| {
                let built = build(place, config, side, memory, platform)?;
                let started = built.publisher.start(&mut built.platform, Number(newest));
                if started.is_err() {
                    // Wiped; no owner lives here.
                    core::ptr::from_mut(built).drop_in_place();
                }
                started.map_err(channel_status)
            },
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends the owner: wipes its keys and all its memory, which is yours again. What is in the store stays.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_deinit(owner: *mut iotedge_channel_owner_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<COwner>(owner.cast()) })
}

/// Does ahead, while nobody waits, what the next message needs whatever it says: its index reserved in the store, its keys computed. Called again it does nothing.
///
/// `newest`: as for `iotedge_channel_owner_init`, here and below.
///
/// `IOTEDGE_E_CHANNEL_INDEX`: the last index was used: `iotedge_channel_owner_rekey`. `IOTEDGE_E_PLATFORM`, `IOTEDGE_E_OLD_IMAGE`, `IOTEDGE_E_COUNTER`: no index was used.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_prepare(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(owner, |o| {
            let done = o.publisher.prepare(&mut o.platform, Number(newest));
            done.map_err(channel_status)
        })
    })
}

/// Seals a message. Its index is used up with success, and only then.
///
/// `flags`: `IOTEDGE_CHANNEL_SIGNED`, `IOTEDGE_CHANNEL_LONG_TAG`, `IOTEDGE_CHANNEL_COSE`, added. `body`: `body_len` bytes, at most `IOTEDGE_CHANNEL_MAX_BODY`. `sealed`: room for `sealed_capacity`
/// bytes, `body_len` + 36 are enough; `sealed_len`: their number. `published`: set its `size` first. The last three are written on success.
///
/// `IOTEDGE_E_BUSY`: the root of a full batch, or a revoke, must be said first: `iotedge_channel_owner_next_op`. `IOTEDGE_E_LENGTH`, `IOTEDGE_E_BUFFER_TOO_SMALL`, and as `iotedge_channel_owner_prepare`.
///
/// ```c
/// static int32_t publish(iotedge_channel_owner_t *owner, iotedge_node_t *node, uint64_t now, const uint8_t tag[4],
///                        const uint8_t *reading, size_t reading_len, uint8_t *frame, size_t *frame_len)
/// {
///     iotedge_node_status_t stands;
///     iotedge_channel_published_t published;
///     uint8_t sealed[IOTEDGE_CHANNEL_MAX_MESSAGE];
///     size_t sealed_len = 0;
///     int32_t status;
///     memset(&stands, 0, sizeof stands);
///     stands.size = (uint32_t)sizeof stands;
///     memset(&published, 0, sizeof published);
///     published.size = (uint32_t)sizeof published;
///     status = iotedge_node_status(node, now, &stands);
///     if (status == IOTEDGE_OK) {
///         status = iotedge_channel_owner_publish(owner, stands.number, 0, reading, reading_len, sealed,
///                                                sizeof sealed, &sealed_len, &published);
///     }
///     if (status == IOTEDGE_OK) {
///         status = iotedge_frame_say(tag, IOTEDGE_SAID_MESSAGE, sealed, sealed_len, frame,
///                                    IOTEDGE_MAX_FRAME, frame_len);
///     }
///     return status;
/// }
/// ```
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_publish(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
    flags: u32,
    body: *const u8,
    body_len: usize,
    sealed: *mut u8,
    sealed_capacity: usize,
    sealed_len: *mut usize,
    published: *mut iotedge_channel_published_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let all = IOTEDGE_CHANNEL_SIGNED | IOTEDGE_CHANNEL_LONG_TAG | IOTEDGE_CHANNEL_COSE;
        if flags & !all != 0 {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let form = Form {
            signed: flags & IOTEDGE_CHANNEL_SIGNED != 0,
            cose: flags & IOTEDGE_CHANNEL_COSE != 0,
            long_tag: flags & (IOTEDGE_CHANNEL_LONG_TAG | IOTEDGE_CHANNEL_COSE) != 0,
        };
        let body = input(body, body_len)?;
        let out = OutBytes::new(sealed, sealed_capacity, sealed_len)?;
        let told = OutStruct::new(published, OLDEST_PUBLISHED)?;
        with(owner, |o| {
            let (room, len) = out.room();
            let (publisher, platform) = (&mut o.publisher, &mut o.platform);
            let made = publisher.publish(platform, Number(newest), form, body, room);
            let made = made.map_err(channel_status)?;
            len.write(made.len);
            told.write(&iotedge_channel_published_t {
                size: 0,
                key_epoch: made.place.epoch.0,
                index: made.place.index.0,
                leaf: made.leaf.0,
                sign_input: match form.signed {
                    true => made.to_be_signed(),
                    false => [0; 56],
                },
                batch_full: made.full.into(),
                reserved: 0,
            });
            Ok(())
        })
    })())
}

/// Puts the device's signature behind a message that was sealed with `IOTEDGE_CHANNEL_SIGNED`, once it is found to be one.
///
/// `published`: of `iotedge_channel_owner_publish`. `key`: the device's public key. `signature`: 64 bytes over `sign_input`, by the device's key or secure element. `sealed`: the message, with room for
/// `sealed_capacity` bytes; `sealed_len`: in, its length; out, 64 more. Both changed on success.
///
/// `IOTEDGE_E_SIGNATURE`: not a signature of it: a fault, or another key. Sign again. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_sign(
    published: *const iotedge_channel_published_t,
    key: *const iotedge_public_key_t,
    signature: *const u8,
    sealed: *mut u8,
    sealed_capacity: usize,
    sealed_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let published = structure(published, OLDEST_PUBLISHED)?;
        let key = public_key(key)?;
        let signature = Signature(*array::<64>(signature)?);
        let out = OutBytes::new(sealed, sealed_capacity, sealed_len)?;
        let (room, len) = out.room();
        let message = to_be_signed(&Id(published.leaf));
        if message != published.sign_input {
            return Err(status::IOTEDGE_E_ARGUMENT);
        }
        let held = Software.verify(&key, &message, &signature);
        held.map_err(signature_status)?;
        let from = *input(sealed_len.cast_const(), 1)?
            .first()
            .ok_or(status::IOTEDGE_E_NULL)?;
        let end = from.checked_add(64).ok_or(status::IOTEDGE_E_LENGTH)?;
        let to = room.get_mut(from..end);
        let to = to.ok_or(status::IOTEDGE_E_BUFFER_TOO_SMALL)?;
        copy(to, &signature.0);
        len.write(end);
        Ok(())
    })())
}

/// Closes the open batch before it is full: its root becomes due. An empty one stays.
///
/// `IOTEDGE_E_BUSY`: the root before is due still.
///
/// From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_close_batch(
    owner: *mut iotedge_channel_owner_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { with(owner, |o| o.publisher.close_batch().map_err(channel_status)) })
}

/// The path of a message in the tree of its batch, until the next message after the batch is published: for a reader that has not all of the batch.
///
/// `path`: room for `path_capacity` hashes of 32 bytes, 6 are enough; `path_count`: their number. Both written on success.
///
/// `IOTEDGE_E_CHANNEL_BATCH`: not in the batch. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_path(
    owner: *const iotedge_channel_owner_t,
    index: u64,
    path: *mut u8,
    path_capacity: usize,
    path_count: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = path_capacity.checked_mul(32);
        let bytes = bytes.ok_or(status::IOTEDGE_E_LENGTH)?;
        let out = OutBytes::new(path, bytes, path_count)?;
        look_living(owner.cast(), |o: &COwner| {
            let mut hashes = [Id::ZERO; 6];
            let found = o.publisher.path(Index(index), &mut hashes);
            let found = hashes.get(..found.map_err(channel_status)?).unwrap_or(&[]);
            if found.len() > path_capacity {
                return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
            }
            let (room, count) = out.room();
            for (to, from) in room.chunks_exact_mut(32).zip(found) {
                copy(to, &from.0);
            }
            count.write(found.len());
            Ok(())
        })
    })())
}

/// Grants the channel, from the next message on, to a member that subscribed. Grant and path become due, also after a reset. Granted again, it keeps its place.
///
/// `member`: its index. `device`: its device id, 32 bytes (`iotedge_node_member_device`). `key`: `bytes` of its `IOTEDGE_CHANNEL_OP_SUBSCRIBE`.
///
/// `IOTEDGE_E_BUSY`: another grant is due: say it first. `IOTEDGE_E_CHANNEL_SLOTS`: no place is free: `iotedge_channel_owner_renew`. `IOTEDGE_E_CHANNEL_MODE`: a public channel. `IOTEDGE_E_PLATFORM`.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_grant(
    owner: *mut iotedge_channel_owner_t,
    member: u32,
    device: *const u8,
    key: *const u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let member = member_of(member)?;
        let device = Id(*array::<32>(device)?);
        let key = array::<32>(key)?;
        with(owner, |o| {
            let done = o.publisher.grant(&mut o.platform, member, &device, key);
            done.map_err(channel_status)
        })
    })())
}

/// Revokes a reader: it gets no key of the messages that are published from here on. The root of the open batch and the revoke become due, also after a reset; until both were taken nothing is published.
///
/// `IOTEDGE_E_CHANNEL_READER`: it is no reader. `IOTEDGE_E_BUSY`: the root of the batch before is due still. `IOTEDGE_E_PLATFORM`: call again.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_revoke(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
    member: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let member = member_of(member)?;
        with(owner, |o| {
            let (publisher, platform) = (&mut o.publisher, &mut o.platform);
            let done = publisher.revoke(platform, Number(newest), member);
            done.map_err(channel_status)
        })
    })())
}

/// Opens a new key epoch for the same readers: heals after a key was exposed, and goes on after the last index. Else as `iotedge_channel_owner_revoke`.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_rekey(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(owner, |o| {
            let done = o.publisher.rekey(&mut o.platform, Number(newest));
            done.map_err(channel_status)
        })
    })
}

/// Makes all places for readers free, when `iotedge_channel_owner_grant` finds none: a revoked reader's place is not given again before. Who reads is told that it is revoked, and subscribes again.
/// Else as `iotedge_channel_owner_revoke`.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_renew(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(owner, |o| {
            let done = o.publisher.renew(&mut o.platform, Number(newest));
            done.map_err(channel_status)
        })
    })
}

/// What must be said of the channel next: submit it with `iotedge_node_submit_channel`, or send it as a statement, then call `iotedge_channel_owner_taken`. Call it until it says `IOTEDGE_E_NONE`, after every
/// other call. Asked again it is the same thing; a grant is sealed anew each time.
///
/// `op`: room for `op_capacity` bytes, at least `IOTEDGE_CHANNEL_MAX_OP`; `op_len`: how many. Both written on success.
///
/// `IOTEDGE_E_NONE`: nothing is due. `IOTEDGE_E_CHANNEL_WEAK_KEY`: the subscriber's key is none; its grant is given up, go on. `IOTEDGE_E_PLATFORM`: try again.
///
/// ```c
/// static int32_t say_what_is_due(iotedge_channel_owner_t *owner, iotedge_node_t *node, uint64_t now, uint32_t newest)
/// {
///     uint8_t op[IOTEDGE_CHANNEL_MAX_OP];
///     size_t op_len = 0;
///     uint32_t ticket;
///     int32_t status = iotedge_channel_owner_next_op(owner, newest, op, sizeof op, &op_len);
///     while (status == IOTEDGE_OK) {
///         status = iotedge_node_submit_channel(node, now, 0, op, op_len, &ticket);
///         if (status == IOTEDGE_OK) {
///             status = iotedge_channel_owner_taken(owner);
///         }
///         if (status == IOTEDGE_OK) {
///             status = iotedge_channel_owner_next_op(owner, newest, op, sizeof op, &op_len);
///         }
///     }
///     return status == IOTEDGE_E_NONE || status == IOTEDGE_E_OUTBOX_FULL ? IOTEDGE_OK : status;
/// }
/// ```
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_next_op(
    owner: *mut iotedge_channel_owner_t,
    newest: u32,
    op: *mut u8,
    op_capacity: usize,
    op_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutBytes::new(op, op_capacity, op_len)?;
        with(owner, |o| {
            let (room, len) = out.room();
            let due = o.publisher.next_op(&mut o.platform, Number(newest), room);
            len.write(due.map_err(channel_status)?.ok_or(status::IOTEDGE_E_NONE)?);
            Ok(())
        })
    })())
}

/// What `iotedge_channel_owner_next_op` gave last is in the node's outbox, or sent: it is due no longer.
///
/// `IOTEDGE_E_WRONG_ORDER`: nothing was given since the last call, or it changed since. `IOTEDGE_E_PLATFORM`: it stays due.
///
/// Calls the platform. From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_taken(owner: *mut iotedge_channel_owner_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with(owner, |o| {
            let done = o.publisher.taken(&mut o.platform);
            done.map_err(channel_status)
        })
    })
}

/// The members that may read, one by one.
///
/// `place`: 0, 1, ... `member`: its index; written on success.
///
/// `IOTEDGE_E_NONE`: no more.
///
/// From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_reader(
    owner: *const iotedge_channel_owner_t,
    place: u32,
    member: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(member)?;
        look_living(owner.cast(), |o: &COwner| {
            let place = usize::try_from(place).map_err(|_| status::IOTEDGE_E_NONE)?;
            let found = o.publisher.readers().nth(place);
            out.write(found.ok_or(status::IOTEDGE_E_NONE)?.0.into());
            Ok(())
        })
    })())
}

/// What the owner says of itself.
///
/// `channel_status`: set its `size` first; written on success.
///
/// From the thread that has the owner. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_channel_owner_status(
    owner: *const iotedge_channel_owner_t,
    channel_status: *mut iotedge_channel_status_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(channel_status, OLDEST_STATUS)?;
        look_living(owner.cast(), |o: &COwner| {
            let next = o.publisher.next();
            out.write(&iotedge_channel_status_t {
                size: 0,
                key_epoch: next.epoch.0,
                index: next.index.0,
                readers: u32::try_from(o.publisher.readers().count()).unwrap_or(u32::MAX),
                reserved: 0,
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
        for (mode, readers, batch) in [(0, 0, 0), (0, 0, 64), (1, 1, 8), (1, 128, 64), (2, 16, 0)] {
            let given = iotedge_channel_config_t {
                size: 0,
                mode,
                channel: 0,
                sub_channel: 0,
                neighbourhood: [0; 32],
                device: [0; 32],
                side_key: core::ptr::null(),
                store_key: 0x100,
                ahead: 0,
                batch,
                readers,
            };
            let (config, length) = config(&given).unwrap();
            // SAFETY: nothing is cut without memory.
            let needed = Cutter::count(|cutter| unsafe { cut(&config, length, cutter) }).unwrap();
            let given = IOTEDGE_CHANNEL_OWNER_SIZE_FIXED
                + length * IOTEDGE_CHANNEL_OWNER_SIZE_MESSAGE
                + readers as usize * IOTEDGE_CHANNEL_OWNER_SIZE_READER;
            println!("mode {mode}, {readers} readers, batch {batch}: {needed} of {given}");
            assert!(needed <= given && given <= needed * 3 / 2);
        }
    }
}
