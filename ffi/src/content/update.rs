//! A firmware on its way: an `iotedge_update_t`; and what is said on the L-Chain of one that was installed.

use super::receiver::{ask, bounds, step_number};
use super::{
    CSlot, OLDEST_DESCRIPTOR, content_status, described, iotedge_content_descriptor_t,
    iotedge_slot_t, slot,
};
use crate::accelerator::CVerifier;
use crate::channel::store_key;
use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::node::iotedge_platform_t;
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::node::platform::{CPlatform, platform};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, array, done, input, structure};
use crate::status;
use core::mem::MaybeUninit;
use iotedge_core::Id;
use iotedge_core::content::installed::{Installed, MAX_INSTALLED};
use iotedge_core::content::manifest::{MAX_COMPONENT, MAX_MANIFEST, ManifestError};
use iotedge_core::content::update::{self, Target, UpdateError};
use iotedge_core::content::{Part, Update};
use iotedge_core::crypto::PublicKey;
use iotedge_core::identity::Seconds;
use iotedge_core::wire::Writer;

/// Bytes of an update, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_UPDATE_SIZE / 8];`. Never less than what `iotedge_update_size` says, and good for every target.
pub const IOTEDGE_UPDATE_SIZE: usize = 1376;
/// Most bytes of a manifest with its signature.
pub const IOTEDGE_UPDATE_MAX_MANIFEST: usize = 282;
const _: () = assert!(IOTEDGE_UPDATE_MAX_MANIFEST == MAX_MANIFEST);
/// Most bytes of a component's name.
pub const IOTEDGE_UPDATE_MAX_COMPONENT: usize = 16;
const _: () = assert!(IOTEDGE_UPDATE_MAX_COMPONENT == MAX_COMPONENT);
/// Most bytes of what is said of an installed update.
pub const IOTEDGE_UPDATE_MAX_RECORD: usize = 81;
const _: () = assert!(IOTEDGE_UPDATE_MAX_RECORD == MAX_INSTALLED);

/// Keys of the store that a component has: the installed number, and the update under way.
const KEYS: u32 = 2;

/// A firmware on its way. Lives in memory that you give to `iotedge_update_offer` or `iotedge_update_resume` and is never copied or moved.
pub struct iotedge_update_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct CUpdate {
    update: Update,
    platform: CPlatform,
    slot: CSlot,
}

impl Living for CUpdate {
    const SEAL: u64 = 0x694f_5445_7570_6474;
}

/// What a component of this device takes: which firmware, from whom, and where to. The same before and after a reset. Set everything to zero, then all fields. Copied.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_update_target_t {
    /// `sizeof(iotedge_update_target_t)`.
    pub size: u32,
    /// Formats above it are refused: 0 takes images as they run only, others are the vendor's.
    pub formats: u32,
    /// Whose device: a UUID.
    pub vendor_id: [u8; 16],
    /// Which of them: a UUID.
    pub class_id: [u8; 16],
    /// Which part of the device: a name of 1 to `IOTEDGE_UPDATE_MAX_COMPONENT` bytes.
    pub component: *const u8,
    /// Its length.
    pub component_len: usize,
    /// Who signs firmware: pinned when the device was made.
    pub authority: *const iotedge_public_key_t,
    /// SHA-256 of the image that runs, 32 bytes, where deltas are taken; else NULL.
    pub running: *const u8,
    /// Bytes of the place where the payload is written.
    pub room: u64,
    /// Chunks of a step, at least 1: after so many the state is stored, and after a reset it goes on at a step's beginning. As many as an erase block of the slot has.
    pub step: u32,
    /// The first of two keys of the store, 0x0100 to 0x0ffe; nobody else's.
    pub store_key: u32,
}
// SAFETY: repr(C), integers and raw pointers, size first.
unsafe impl Sized32 for iotedge_update_target_t {}
const OLDEST_TARGET: usize = 56 + 4 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_update_target_t>() == OLDEST_TARGET);

/// How an update stands. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_update_status_t {
    /// `sizeof(iotedge_update_status_t)`.
    pub size: u32,
    /// Chunks that are here: all before this one.
    pub chunks: u32,
    /// Chunks of the payload.
    pub count: u32,
    /// 1: all is here.
    pub complete: u32,
    /// The manifest's sequence number: for `iotedge_update_confirm`.
    pub sequence: u64,
    /// SHA-256 of the payload: for the bootloader, and for `iotedge_update_record`.
    pub digest: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_update_status_t {}
const OLDEST_STATUS: usize = 56;
const _: () = assert!(size_of::<iotedge_update_status_t>() == OLDEST_STATUS);

/// A firmware that was installed. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_installed_t {
    /// `sizeof(iotedge_installed_t)`.
    pub size: u32,
    /// Bytes of `component`.
    pub component_len: u32,
    /// The manifest's sequence number.
    pub sequence: u64,
    /// Which part of the device, then zeros.
    pub component: [u8; 16],
    /// SHA-256 of the payload.
    pub digest: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_installed_t {}
const OLDEST_INSTALLED: usize = 64;
const _: () = assert!(size_of::<iotedge_installed_t>() == OLDEST_INSTALLED);

pub(crate) fn manifest_status(error: ManifestError) -> i32 {
    match error {
        ManifestError::Wire(error) => crate::wire_status(error),
        ManifestError::Version => status::IOTEDGE_E_VERSION,
        ManifestError::Content(error) => content_status(error),
        ManifestError::Element => status::IOTEDGE_E_RANGE,
        ManifestError::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        ManifestError::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        ManifestError::Signature(error) => signature_status(error),
    }
}

fn update_status(error: UpdateError) -> i32 {
    match error {
        UpdateError::Manifest(error) => manifest_status(error),
        UpdateError::WrongVendor => status::IOTEDGE_E_UPDATE_VENDOR,
        UpdateError::WrongClass => status::IOTEDGE_E_UPDATE_CLASS,
        UpdateError::WrongComponent => status::IOTEDGE_E_UPDATE_COMPONENT,
        UpdateError::Older => status::IOTEDGE_E_UPDATE_OLDER,
        UpdateError::Expired => status::IOTEDGE_E_UPDATE_EXPIRED,
        UpdateError::WrongPrecursor => status::IOTEDGE_E_UPDATE_PRECURSOR,
        UpdateError::Format => status::IOTEDGE_E_UPDATE_FORMAT,
        UpdateError::TooLarge => status::IOTEDGE_E_UPDATE_ROOM,
        UpdateError::Content(error) => content_status(error),
        UpdateError::Incomplete => status::IOTEDGE_E_WRONG_ORDER,
        UpdateError::Digest => status::IOTEDGE_E_UPDATE_DIGEST,
        UpdateError::Stored => status::IOTEDGE_E_CONTENT_STORED,
        UpdateError::Platform => status::IOTEDGE_E_PLATFORM,
    }
}

fn cut(cutter: &mut Cutter) -> Option<((), usize)> {
    Some(((), cutter.living::<CUpdate>()?))
}

/// Runs `work` on the target in the core's terms.
///
/// # Safety
/// As [`structure`], and the contract of `iotedge_update_target_t`.
unsafe fn with_target<R>(
    given: *const iotedge_update_target_t,
    work: impl FnOnce(&Target<'_>) -> Call<R>,
) -> Call<R> {
    // SAFETY: the caller's promise.
    let (given, component, authority, running): (_, _, PublicKey, _) = unsafe {
        let given = structure(given, OLDEST_TARGET)?;
        let running = match given.running.is_null() {
            true => None,
            false => Some(Id(*array::<32>(given.running)?)),
        };
        let component = input(given.component, given.component_len)?;
        (given, component, public_key(given.authority)?, running)
    };
    if component.is_empty() || component.len() > MAX_COMPONENT || given.step == 0 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    work(&Target {
        vendor: given.vendor_id,
        class: given.class_id,
        component,
        authority: &authority,
        running,
        formats: given.formats,
        slot: given.room,
        step: given.step,
        key: store_key(given.store_key, KEYS)?,
    })
}

/// Apart, so that what it takes of the stack to make one is gone when a signature is checked.
#[inline(never)]
fn build(place: &mut MaybeUninit<CUpdate>, platform: CPlatform, slot: CSlot) -> &mut CUpdate {
    place.write(CUpdate {
        update: Update::vacant(),
        platform,
        slot,
    })
}

/// Makes an update in the memory, and fills it by `find`. Where that refuses no update lives there: nothing of it has to be dropped.
///
/// # Safety
/// As [`create_in_place`], [`platform`] and [`with_target`].
unsafe fn create(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    target: *const iotedge_update_target_t,
    platform: *const iotedge_platform_t,
    slot: *const iotedge_slot_t,
    update: *mut *mut iotedge_update_t,
    find: impl FnOnce(&mut CUpdate, &mut CVerifier, &Target<'_>) -> Call<()>,
) -> Call<()> {
    // SAFETY: the caller's promise.
    unsafe {
        with_target(target, |target| {
            let (platform, mut verifier) = self::platform(platform)?;
            let slot = self::slot(slot)?.writable()?;
            let out = Out::new(update)?;
            create_in_place::<CUpdate, _>(memory.cast(), memory_len, cut, |(), place| {
                find(build(place, platform, slot), &mut verifier, target)
            })?;
            out.write(memory.cast());
            Ok(())
        })
    }
}

/// How many bytes of memory an update needs. For static arrays there is `IOTEDGE_UPDATE_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_size(bytes: *mut usize) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(bytes)?;
        out.write(Cutter::count(cut)?);
        Ok(())
    })())
}

/// The sequence number of the firmware that runs, as it confirmed itself: 0 before the first update.
///
/// `platform`: copied; used during the call. `store_key`: that of the target. `sequence`: written on success.
///
/// `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_CONTENT_STORED`: what the store has under this key is no number.
///
/// Calls the platform. From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_installed(
    platform: *const iotedge_platform_t,
    store_key: u32,
    sequence: *mut u64,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (mut platform, _) = self::platform(platform)?;
        let key = self::store_key(store_key, KEYS)?;
        let out = Out::new(sequence)?;
        out.write(update::installed(&mut platform, key).map_err(update_status)?);
        Ok(())
    })())
}

/// Begins an update under a manifest, or goes on with it where the same one is under way. A newer one takes the place of one under way.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_update_size`; the update's until `iotedge_update_deinit`, not to be read, written, moved or copied meanwhile. `target`, `platform`, `slot`:
/// copied; `write` of the slot must be there. `manifest`: `manifest_len` bytes, from whomever they come. `now`: seconds since 1970; 0 where the device has no clock: then nothing expires. `update`: written
/// on success; points into `memory`.
///
/// Refused, with nothing stored. `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`, `IOTEDGE_E_SIGNATURE_MALFORMED`: not by the pinned key. `IOTEDGE_E_UPDATE_VENDOR`, `..._CLASS`, `..._COMPONENT`: for
/// others. `IOTEDGE_E_UPDATE_OLDER`: not above what is installed or under way. `IOTEDGE_E_UPDATE_EXPIRED`, `..._PRECURSOR`, `..._FORMAT`, `..._ROOM`: not for this device now. `IOTEDGE_E_VERSION`,
/// `IOTEDGE_E_RANGE`, `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_MALFORMED` and others of bytes: no manifest of a form that is known here. `IOTEDGE_E_CONTENT_STORED`: the installed number cannot be read.
/// `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_ARGUMENT`: a field of the target. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`; `IOTEDGE_E_ALREADY_INITIALISED`: end the one that lives there first.
///
/// Calls the platform. From any thread; the update then belongs to one thread at a time. Not from an interrupt: one or two signature checks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_offer(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    target: *const iotedge_update_target_t,
    platform: *const iotedge_platform_t,
    slot: *const iotedge_slot_t,
    manifest: *const u8,
    manifest_len: usize,
    now: u64,
    update: *mut *mut iotedge_update_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = input(manifest, manifest_len)?;
        let now = (now > 0).then_some(Seconds(now));
        create(
            memory,
            memory_len,
            target,
            platform,
            slot,
            update,
            |made, verifier, target| {
                let (update, platform) = (&mut made.update, &mut made.platform);
                let begun = update.begin(platform, target, bytes, now, verifier);
                begun.map_err(update_status)
            },
        )
    })())
}

/// The update that was under way before a reset; else as `iotedge_update_offer`. Its chunks come from the beginning of a step on, the last ones perhaps once more.
///
/// `IOTEDGE_E_NONE`: none is. `IOTEDGE_E_PLATFORM`: try again. Anything else: it no longer counts, and the next offer takes its place.
///
/// Calls the platform. From any thread; the update then belongs to one thread at a time. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_resume(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    target: *const iotedge_update_target_t,
    platform: *const iotedge_platform_t,
    slot: *const iotedge_slot_t,
    update: *mut *mut iotedge_update_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        create(
            memory,
            memory_len,
            target,
            platform,
            slot,
            update,
            |made, verifier, target| {
                let (update, platform) = (&mut made.update, &mut made.platform);
                match update.go_on(platform, target, verifier) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(status::IOTEDGE_E_NONE),
                    Err(error) => Err(update_status(error)),
                }
            },
        )
    })
}

/// Ends the object: wipes its memory, which is yours again. The update stays under way in the store: `iotedge_update_resume`.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_deinit(update: *mut iotedge_update_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CUpdate>(update.cast()) })
}

/// What to ask a neighbour for next: as `iotedge_content_request`.
///
/// `IOTEDGE_E_NONE`: all is here: `iotedge_update_verify`, then start it.
///
/// From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_request(
    update: *const iotedge_update_t,
    most: u32,
    chunks: u32,
    request: *mut u8,
    request_capacity: usize,
    request_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (most, chunks) = bounds(most, chunks)?;
        let out = OutBytes::new(request, request_capacity, request_len)?;
        look_living(update.cast(), |u: &CUpdate| {
            ask(u.update.request(most, chunks), out)
        })
    })())
}

/// Takes a part: as `iotedge_content_take`. At the end of a step, and of the whole, the state is stored.
///
/// `IOTEDGE_E_PLATFORM`: the chunk could not be written, and has not come; or it has, and its step could not be stored: then that comes with the next step, and a reset before it takes a step more back. Either
/// way ask for what comes next. All others as `iotedge_content_take`.
///
/// What is refused changes nothing, so a loop takes whatever frame comes; here 1 says that the whole image lies in the slot:
///
/// ```c
/// static int take_frame(iotedge_update_t *update, const uint8_t tag[4], const uint8_t *frame, size_t frame_len)
/// {
///     const uint8_t *bytes = NULL;
///     size_t len = 0;
///     uint32_t what = 0, step = 0;
///     iotedge_update_status_t stands;
///     memset(&stands, 0, sizeof stands);
///     stands.size = (uint32_t)sizeof stands;
///     if (iotedge_frame_said(tag, frame, frame_len, &what, &bytes, &len) == IOTEDGE_OK && what == IOTEDGE_SAID_PART) {
///         (void)iotedge_update_take(update, bytes, len, &step);
///     }
///     return iotedge_update_status(update, &stands) == IOTEDGE_OK && stands.complete && iotedge_update_verify(update) == IOTEDGE_OK;
/// }
/// ```
///
/// Calls the slot and the platform. From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_take(
    update: *mut iotedge_update_t,
    part: *const u8,
    part_len: usize,
    step: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let part = Part::parse(input(part, part_len)?).map_err(content_status)?;
        let out = Out::new(step)?;
        with_living(update.cast(), |u: &mut CUpdate| {
            let mut write = u.slot.writer();
            let taken = u.update.take(&mut u.platform, &part, &mut write);
            out.write(step_number(taken.map_err(update_status)?));
            Ok(())
        })
    })())
}

/// How an update stands.
///
/// `update_status`: set its `size` first; written on success.
///
/// From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_status(
    update: *const iotedge_update_t,
    update_status: *mut iotedge_update_status_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(update_status, OLDEST_STATUS)?;
        look_living(update.cast(), |u: &CUpdate| {
            out.write(&iotedge_update_status_t {
                size: 0,
                chunks: u.update.next(),
                count: u.update.content().count(),
                complete: u.update.is_complete().into(),
                sequence: u.update.sequence(),
                digest: u.update.digest().0,
            });
            Ok(())
        })
    })())
}

/// The payload's name: whom to ask for it, and what an `iotedge_provider_t` over the slot serves afterwards.
///
/// `descriptor`: set its `size` first; written on success.
///
/// From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_descriptor(
    update: *const iotedge_update_t,
    descriptor: *mut iotedge_content_descriptor_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(descriptor, OLDEST_DESCRIPTOR)?;
        look_living(update.cast(), |u: &CUpdate| {
            out.write(&described(u.update.content()));
            Ok(())
        })
    })())
}

/// Reads back what was written, and says whether it is what the maker signed: what a memory lost, and what a maker took for its image, is found here. A bootloader checks it again.
///
/// `IOTEDGE_E_UPDATE_DIGEST`: it is not: give it up. `IOTEDGE_E_WRONG_ORDER`: not all is here yet. `IOTEDGE_E_NULL`: the slot has no `read`. `IOTEDGE_E_PLATFORM`: it could not be read.
///
/// Calls the slot. From the thread that has the update. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_verify(update: *mut iotedge_update_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with_living(update.cast(), |u: &mut CUpdate| {
            u.slot.read.ok_or(status::IOTEDGE_E_NULL)?;
            let held = u.update.verify(&mut &u.slot);
            held.map_err(update_status)
        })
    })
}

/// The new firmware runs and is to stay: from now on only what is above its number begins. Call it from the new firmware, once it knows that it works: a firmware that does not boot leaves the way back open. First
/// submit its record, where there is one (`iotedge_update_record`): a reset in between says it twice, which harms nobody.
///
/// `platform`: copied; used during the call. `store_key`: that of the target. `sequence`: of `iotedge_update_status`, or built into the firmware.
///
/// `IOTEDGE_E_UPDATE_OLDER`: a higher one is confirmed. `IOTEDGE_E_PLATFORM`: try again. `IOTEDGE_E_CONTENT_STORED`: what the store has under this key is no number.
///
/// Calls the platform. From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_confirm(
    platform: *const iotedge_platform_t,
    store_key: u32,
    sequence: u64,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (mut platform, _) = self::platform(platform)?;
        let key = self::store_key(store_key, KEYS)?;
        update::confirm(&mut platform, key, sequence).map_err(update_status)
    })())
}

/// Gives up the update that is under way, if one is. End its object, too.
///
/// `platform`: copied; used during the call. `store_key`: that of the target.
///
/// `IOTEDGE_E_PLATFORM`: it stands; try again.
///
/// Calls the platform. From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_give_up(
    platform: *const iotedge_platform_t,
    store_key: u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (mut platform, _) = self::platform(platform)?;
        let key = self::store_key(store_key, KEYS)?;
        Update::give_up(&mut platform, key).map_err(update_status)
    })())
}

/// What a device says on the L-Chain of a firmware that it installed: the body of a data transaction, for `iotedge_node_submit_data` or `iotedge_leaf_submit_data` (docs/protocol.md section 13.4).
///
/// `body`: room for `body_capacity` bytes, `IOTEDGE_UPDATE_MAX_RECORD` are enough; `body_len`: their number. Both written on success.
///
/// `IOTEDGE_E_RANGE`: sequence number 0, or a component's name that is empty, too long or not zero behind its end. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_record(
    installed: *const iotedge_installed_t,
    body: *mut u8,
    body_capacity: usize,
    body_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let given = structure(installed, OLDEST_INSTALLED)?;
        let out = OutBytes::new(body, body_capacity, body_len)?;
        let installed = Installed {
            component: component(&given.component, given.component_len)?,
            sequence: given.sequence,
            digest: Id(given.digest),
        };
        let mut room = [0; MAX_INSTALLED];
        let mut w = Writer::new(&mut room);
        installed.write(&mut w).map_err(crate::wire_status)?;
        out.write(w.written())
    })())
}

/// Reads the body of a data transaction as what its issuer says of a firmware that it installed. It is the issuer's word; an attestation proves more.
///
/// `body`: `body_len` bytes. `installed`: set its `size` first; written on success.
///
/// `IOTEDGE_E_NONE`: it is something else. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: it begins as one and is none.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_update_record_read(
    body: *const u8,
    body_len: usize,
    installed: *mut iotedge_installed_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let body = input(body, body_len)?;
        let out = OutStruct::new(installed, OLDEST_INSTALLED)?;
        let found = Installed::parse(body).map_err(crate::wire_status)?;
        let found = found.ok_or(status::IOTEDGE_E_NONE)?;
        let (component, component_len) = padded(found.component);
        out.write(&iotedge_installed_t {
            size: 0,
            component_len,
            sequence: found.sequence,
            component,
            digest: found.digest.0,
        });
        Ok(())
    })())
}

/// A component's name out of a structure; behind its end are zeros.
pub(super) fn component(name: &[u8; MAX_COMPONENT], len: u32) -> Call<&[u8]> {
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    match name.split_at_checked(len) {
        Some((name, rest)) if rest.iter().all(|byte| *byte == 0) => Ok(name),
        _ => Err(status::IOTEDGE_E_RANGE),
    }
}

/// The other way: a name that was checked, and its length.
pub(super) fn padded(name: &[u8]) -> ([u8; MAX_COMPONENT], u32) {
    let mut out = [0; MAX_COMPONENT];
    for (to, from) in out.iter_mut().zip(name) {
        *to = *from;
    }
    (out, u32::try_from(name.len()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::content::ContentError;
    use iotedge_core::crypto::SignatureError;

    #[test]
    fn the_size_for_static_arrays_is_enough_and_not_far_too_much() {
        let needed = Cutter::count(cut).unwrap();
        println!("{needed} of {IOTEDGE_UPDATE_SIZE}");
        assert!(needed <= IOTEDGE_UPDATE_SIZE && IOTEDGE_UPDATE_SIZE <= needed + 64);
        assert!(IOTEDGE_UPDATE_SIZE.is_multiple_of(8));
    }

    #[test]
    fn each_refusal_has_a_status_of_its_own() {
        let all = [
            UpdateError::Manifest(ManifestError::Version),
            UpdateError::Manifest(ManifestError::Element),
            UpdateError::Manifest(ManifestError::Header),
            UpdateError::Manifest(ManifestError::WrongSigner),
            UpdateError::Manifest(ManifestError::Signature(SignatureError::Rejected)),
            UpdateError::WrongVendor,
            UpdateError::WrongClass,
            UpdateError::WrongComponent,
            UpdateError::Older,
            UpdateError::Expired,
            UpdateError::WrongPrecursor,
            UpdateError::Format,
            UpdateError::TooLarge,
            UpdateError::Content(ContentError::Size),
            UpdateError::Incomplete,
            UpdateError::Digest,
            UpdateError::Stored,
            UpdateError::Platform,
        ]
        .map(update_status);
        for (at, status) in all.iter().enumerate() {
            assert!(*status != status::IOTEDGE_OK && !all[..at].contains(status));
        }
    }

    #[test]
    fn a_name_is_what_it_says_and_zeros() {
        let (name, len) = padded(b"app");
        assert_eq!(component(&name, len), Ok(&b"app"[..]));
        for wrong in [0, 2, 17, u32::MAX] {
            assert_eq!(component(&name, wrong), Err(status::IOTEDGE_E_RANGE));
        }
        assert_eq!(component(&[7; 16], 16), Ok(&[7; 16][..]));
    }
}
