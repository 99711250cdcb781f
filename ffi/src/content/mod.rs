//! Large content and firmware: a receiver's, a provider's and an update's objects in the caller's memory, and the names and manifests that go between them (decision 0035).
//!
//! Invariant as for nodes: at most one call works on an object at a time, a refused call changes nothing, and outputs are written only on success.

#[cfg(feature = "node")]
mod manifest;
mod provider;
mod receiver;
mod update;

#[cfg(feature = "node")]
pub use manifest::*;
pub use provider::*;
pub use receiver::*;
pub use update::*;

use crate::raw::{Call, OutArray, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use core::ffi::c_void;
use iotedge_core::Id;
use iotedge_core::content::{
    ChunkSize, ContentError, Descriptor, MAX_DESCRIPTOR, MAX_REQUEST, MAX_STATE, Source,
};
use iotedge_core::platform::PlatformError;
use iotedge_core::wire::said::MAX_SAID;
use iotedge_core::wire::{Reader, Writer};

/// Most bytes of a content's name: `iotedge_content_name`.
pub const IOTEDGE_CONTENT_MAX_NAME: usize = 45;
const _: () = assert!(IOTEDGE_CONTENT_MAX_NAME == MAX_DESCRIPTOR);
/// Most bytes of a request.
pub const IOTEDGE_CONTENT_MAX_REQUEST: usize = 33;
const _: () = assert!(IOTEDGE_CONTENT_MAX_REQUEST == MAX_REQUEST);
/// Most bytes of a part that fits a frame of `iotedge_frame_say`.
pub const IOTEDGE_CONTENT_MAX_PART: usize = 1394;
const _: () = assert!(IOTEDGE_CONTENT_MAX_PART == MAX_SAID);
/// Most bytes of what `iotedge_content_save` writes: all but 43 of them are 32 for each level that the tree of chunks has.
pub const IOTEDGE_CONTENT_MAX_STATE: usize = 715;
const _: () = assert!(IOTEDGE_CONTENT_MAX_STATE == MAX_STATE);

/// What a part brought: hashes on the way to the next chunk. Ask again.
pub const IOTEDGE_CONTENT_WAY: u32 = 0;
/// What a part brought: a chunk, which was written.
pub const IOTEDGE_CONTENT_CHUNK: u32 = 1;

/// What a content is: whatever has these bytes under this cut has no other. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_content_descriptor_t {
    /// `sizeof(iotedge_content_descriptor_t)`.
    pub size: u32,
    /// Bytes of a chunk, as a power of two: 6 (64 bytes) to 10 (1,024). The last one is shorter.
    pub chunk: u32,
    /// Bytes of the content: 1 to 2^20 chunks.
    pub length: u64,
    /// The root of RFC 9162 over the chunks.
    pub root: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_content_descriptor_t {}
const OLDEST_DESCRIPTOR: usize = 48;
const _: () = assert!(size_of::<iotedge_content_descriptor_t>() == OLDEST_DESCRIPTOR);

/// Where a content lies, or is to lie: a part of flash, a file, memory. Set everything to zero, then all fields that are used. Copied by the call that it is given to.
///
/// Each callback returns `IOTEDGE_OK`, or anything else where it failed: the call says `IOTEDGE_E_PLATFORM`, and may be made again. They run inside the calls of the object, on the caller's
/// thread, and must not call it (`IOTEDGE_E_REENTERED`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_slot_t {
    /// `sizeof(iotedge_slot_t)`.
    pub size: u32,
    /// Zero.
    pub reserved: u32,
    /// Handed to each callback first. Must live as long as the object.
    pub user: *mut c_void,
    /// Reads `len` bytes at an offset in the content. For providers, and for `iotedge_update_verify`.
    pub read: Option<
        unsafe extern "C" fn(user: *mut c_void, offset: u64, out: *mut u8, len: usize) -> i32,
    >,
    /// Writes a chunk that was proved; offsets come in order. After a reset they begin again where the state was saved last, over what was written there before. For receivers and updates: it must be in
    /// the cells, whatever happens to the power, before the state of its step is saved.
    pub write: Option<
        unsafe extern "C" fn(user: *mut c_void, offset: u64, bytes: *const u8, len: usize) -> i32,
    >,
}
// SAFETY: repr(C), integers, a raw pointer and optional functions, size first.
unsafe impl Sized32 for iotedge_slot_t {}
const OLDEST_SLOT: usize = 8 + 3 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_slot_t>() == OLDEST_SLOT);

/// How far a receiver is. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_content_progress_t {
    /// `sizeof(iotedge_content_progress_t)`.
    pub size: u32,
    /// Chunks that are here: all before this one.
    pub chunks: u32,
    /// Chunks of the content.
    pub count: u32,
    /// 1: all is here.
    pub complete: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_content_progress_t {}
const OLDEST_PROGRESS: usize = 16;
const _: () = assert!(size_of::<iotedge_content_progress_t>() == OLDEST_PROGRESS);

pub(crate) fn content_status(error: ContentError) -> i32 {
    match error {
        ContentError::Size => status::IOTEDGE_E_CONTENT_SIZE,
        ContentError::Wire(error) => crate::wire_status(error),
        ContentError::WrongContent => status::IOTEDGE_E_CONTENT_OTHER,
        ContentError::WrongPart => status::IOTEDGE_E_CONTENT_PART,
        ContentError::Length => status::IOTEDGE_E_CONTENT_LENGTH,
        ContentError::Forged => status::IOTEDGE_E_CONTENT_FORGED,
        ContentError::Index => status::IOTEDGE_E_CONTENT_INDEX,
        ContentError::TooNarrow => status::IOTEDGE_E_CONTENT_NARROW,
        ContentError::Full => status::IOTEDGE_E_BUFFER_TOO_SMALL,
        ContentError::Stored => status::IOTEDGE_E_CONTENT_STORED,
        ContentError::Platform => status::IOTEDGE_E_PLATFORM,
    }
}

/// The callbacks that are there.
struct CSlot {
    user: *mut c_void,
    read: Option<unsafe extern "C" fn(*mut c_void, u64, *mut u8, usize) -> i32>,
    write: Option<unsafe extern "C" fn(*mut c_void, u64, *const u8, usize) -> i32>,
}

/// # Safety
/// As [`structure`], and the contract of `iotedge_slot_t`.
unsafe fn slot(given: *const iotedge_slot_t) -> Call<CSlot> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_SLOT)? };
    if given.reserved != 0 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    Ok(CSlot {
        user: given.user,
        read: given.read,
        write: given.write,
    })
}

impl CSlot {
    /// Where it must be readable.
    fn readable(self) -> Call<Self> {
        self.read.ok_or(status::IOTEDGE_E_NULL)?;
        Ok(self)
    }

    /// Where it must be writable.
    fn writable(self) -> Call<Self> {
        self.write.ok_or(status::IOTEDGE_E_NULL)?;
        Ok(self)
    }

    /// Takes chunks that were proved. Known by name to `ci/stack`.
    fn writer(&self) -> impl FnMut(u64, &[u8]) -> Result<(), ContentError> {
        |offset, bytes| {
            let write = self.write.ok_or(ContentError::Platform)?;
            // SAFETY: the contract of `iotedge_slot_t`.
            match unsafe { write(self.user, offset, bytes.as_ptr(), bytes.len()) } {
                status::IOTEDGE_OK => Ok(()),
                _ => Err(ContentError::Platform),
            }
        }
    }
}

impl Source for &CSlot {
    fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PlatformError> {
        let read = self.read.ok_or(PlatformError::StoreRead)?;
        // SAFETY: the contract of `iotedge_slot_t`.
        match unsafe { read(self.user, offset, out.as_mut_ptr(), out.len()) } {
            status::IOTEDGE_OK => Ok(()),
            _ => Err(PlatformError::StoreRead),
        }
    }
}

fn chunk_size(chunk: u32) -> Call<ChunkSize> {
    let chunk = u8::try_from(chunk).ok().and_then(ChunkSize::new);
    chunk.ok_or(status::IOTEDGE_E_RANGE)
}

/// # Safety
/// As [`structure`].
unsafe fn descriptor(given: *const iotedge_content_descriptor_t) -> Call<Descriptor> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_DESCRIPTOR)? };
    let made = Descriptor::new(given.length, chunk_size(given.chunk)?, Id(given.root));
    made.map_err(content_status)
}

fn described(content: &Descriptor) -> iotedge_content_descriptor_t {
    iotedge_content_descriptor_t {
        size: 0,
        chunk: content.chunk().log().into(),
        length: content.size(),
        root: content.root().0,
    }
}

/// Reads a content's name: what a neighbour's message or a manifest says of it.
///
/// `name`: `name_len` bytes. `descriptor`: set its `size` first; written on success.
///
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`: no name.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_describe(
    name: *const u8,
    name_len: usize,
    descriptor: *mut iotedge_content_descriptor_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let name = input(name, name_len)?;
        let out = OutStruct::new(descriptor, OLDEST_DESCRIPTOR)?;
        let mut r = Reader::new(name);
        let content = Descriptor::read(&mut r).map_err(content_status)?;
        r.finish().map_err(crate::wire_status)?;
        out.write(&described(&content));
        Ok(())
    })())
}

/// Writes a content's name, for who is to ask for it.
///
/// `name`: room for `name_capacity` bytes, `IOTEDGE_CONTENT_MAX_NAME` are enough; `name_len`: their number. Both written on success.
///
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_name(
    descriptor: *const iotedge_content_descriptor_t,
    name: *mut u8,
    name_capacity: usize,
    name_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let content = self::descriptor(descriptor)?;
        let out = OutBytes::new(name, name_capacity, name_len)?;
        let mut room = [0; MAX_DESCRIPTOR];
        let mut w = Writer::new(&mut room);
        content.write(&mut w);
        w.intact().map_err(crate::wire_status)?;
        out.write(w.written())
    })())
}

/// What a content is asked for by: requests and parts carry the first 16 bytes.
///
/// `id`: 32 bytes, written on success.
///
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_id(
    descriptor: *const iotedge_content_descriptor_t,
    id: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let content = self::descriptor(descriptor)?;
        OutArray::<32>::new(id)?.write(&content.id().0);
        Ok(())
    })())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::wire::WireError;

    #[test]
    fn each_refusal_has_a_status_of_its_own() {
        let all = [
            ContentError::Size,
            ContentError::Wire(WireError::Range),
            ContentError::WrongContent,
            ContentError::WrongPart,
            ContentError::Length,
            ContentError::Forged,
            ContentError::Index,
            ContentError::TooNarrow,
            ContentError::Full,
            ContentError::Stored,
            ContentError::Platform,
        ]
        .map(content_status);
        for (at, status) in all.iter().enumerate() {
            assert!(*status != status::IOTEDGE_OK && !all[..at].contains(status));
        }
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let made = Descriptor::new(5000, ChunkSize::new(9).unwrap(), Id([7; 32])).unwrap();
        let mut given = described(&made);
        given.size = size_of_val(&given) as u32;
        let mut read = given;
        (read.chunk, read.length) = (0, 0);
        let (mut name, mut len, mut id) = ([0; MAX_DESCRIPTOR], 0, [0; 32]);
        // SAFETY: all of them are ours and as long as is said.
        unsafe {
            let status = iotedge_content_name(&given, name.as_mut_ptr(), name.len(), &mut len);
            assert_eq!(status, status::IOTEDGE_OK);
            let status = iotedge_content_describe(name.as_ptr(), len, &mut read);
            assert_eq!(status, status::IOTEDGE_OK);
            assert_eq!(
                iotedge_content_id(&read, id.as_mut_ptr()),
                status::IOTEDGE_OK
            );
        }
        assert_eq!((read.chunk, read.length, read.root), (9, 5000, [7; 32]));
        assert_eq!(id, made.id().0);
    }
}
