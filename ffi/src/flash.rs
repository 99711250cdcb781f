//! The store over raw NOR flash: an `iotedge_flash_store_t` in the caller's memory, ready to be plugged into `iotedge_platform_t`.
//!
//! Invariant as for nodes: at most one call works on a store at a time; its own callbacks cannot come back in. What is written is as safe as
//! `iotedge_core::store` says (docs/decisions/0025), if the callbacks keep their promises.

use crate::node::memory::{
    Cutter, Living, create_living, destroy_living, look_living, with_living,
};
use crate::raw::{Call, Out, Sized32, done, input, structure};
use crate::status;
use core::ffi::c_void;
use iotedge_core::store::{Flash, FlashError, FlashStore, Geometry, StoreError};

/// Bytes of a store, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_FLASH_STORE_SIZE / 8];`. Good for every target.
pub const IOTEDGE_FLASH_STORE_SIZE: usize = 160;

/// A store over raw NOR flash. Lives in memory that you give to `iotedge_flash_store_open` and is never copied or moved.
pub struct iotedge_flash_store_t {
    _opaque: [u8; 0],
}

/// Raw NOR flash, or the part of it that is the store's. Set everything to zero, then all fields. Addresses (`at`) are in bytes
/// from the start of that part.
///
/// Erased bytes read 0xff: on a chip where they read 0 (STM32L0 and L1) invert what you read and program. Each callback returns `IOTEDGE_OK`, or anything
/// else where it failed: then another block is used and this one is not any more. They run inside the calls of the store, on the caller's thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_flash_t {
    /// `sizeof(iotedge_flash_t)`.
    pub size: u32,
    /// Bytes that are programmed at once: 1, 2, 4, 8, 16 or 32. No unit is ever programmed twice between two erases. On serial flash that programs pages take 16
    /// or 32: each unit is an operation of its own.
    pub unit: u32,
    /// Bytes that are erased at once, a multiple of `unit`: at least 256, and 4,096 for every value that a node stores. Where the chip's sectors are smaller take
    /// several for one block, and erase them all.
    pub block: u32,
    /// Blocks, at least 3, two of which are always free. From 4 on one may fail and everything goes on.
    pub blocks: u32,
    /// Handed to each callback first. Must live as long as the store.
    pub user: *mut c_void,
    /// Reads `len` bytes. What the chip reports as uncorrectable (ECC) is given as zeros, with `IOTEDGE_OK`: it was torn when the power went. A failure is for
    /// what may succeed another time, such as a bus that is busy.
    pub read:
        Option<unsafe extern "C" fn(user: *mut c_void, at: u32, out: *mut u8, len: usize) -> i32>,
    /// Programs one unit: `len` is `unit`, `at` a multiple of it, `data` is aligned to 8.
    pub program: Option<
        unsafe extern "C" fn(user: *mut c_void, at: u32, data: *const u8, len: usize) -> i32,
    >,
    /// Erases the block that begins at `at`.
    pub erase: Option<unsafe extern "C" fn(user: *mut c_void, at: u32) -> i32>,
    /// Returns when everything that was programmed and erased before is in the cells, whatever happens to the power from here on. Where `program` and `erase`
    /// wait themselves it has nothing to do.
    pub sync: Option<unsafe extern "C" fn(user: *mut c_void) -> i32>,
}
// SAFETY: repr(C), integers, a raw pointer and optional functions, size first.
unsafe impl Sized32 for iotedge_flash_t {}
const OLDEST_FLASH: usize = 16 + 5 * size_of::<*const u8>();
const _: () = assert!(size_of::<iotedge_flash_t>() == OLDEST_FLASH);

/// The callbacks, all there.
#[derive(Clone, Copy)]
struct CFlash {
    user: *mut c_void,
    read: unsafe extern "C" fn(*mut c_void, u32, *mut u8, usize) -> i32,
    program: unsafe extern "C" fn(*mut c_void, u32, *const u8, usize) -> i32,
    erase: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    sync: unsafe extern "C" fn(*mut c_void) -> i32,
}

const fn outcome(status: i32) -> Result<(), FlashError> {
    match status {
        status::IOTEDGE_OK => Ok(()),
        _ => Err(FlashError),
    }
}

impl Flash for CFlash {
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        // SAFETY: the contract of `iotedge_flash_t`.
        outcome(unsafe { (self.read)(self.user, at, out.as_mut_ptr(), out.len()) })
    }

    fn program(&mut self, at: u32, unit: &[u8]) -> Result<(), FlashError> {
        // SAFETY: the contract of `iotedge_flash_t`.
        outcome(unsafe { (self.program)(self.user, at, unit.as_ptr(), unit.len()) })
    }

    fn erase(&mut self, at: u32) -> Result<(), FlashError> {
        // SAFETY: the contract of `iotedge_flash_t`.
        outcome(unsafe { (self.erase)(self.user, at) })
    }

    fn sync(&mut self) -> Result<(), FlashError> {
        // SAFETY: the contract of `iotedge_flash_t`.
        outcome(unsafe { (self.sync)(self.user) })
    }
}

type CStore = FlashStore<CFlash>;

impl Living for CStore {
    const SEAL: u64 = 0x694f_5445_666c_7368;
}

fn refused(error: StoreError) -> i32 {
    match error {
        StoreError::Geometry => status::IOTEDGE_E_ARGUMENT,
        StoreError::Read | StoreError::Write => status::IOTEDGE_E_FLASH,
        StoreError::Damaged => status::IOTEDGE_E_STORE_DAMAGED,
        StoreError::Full => status::IOTEDGE_E_STORE_FULL,
        StoreError::TooLong => status::IOTEDGE_E_LENGTH,
    }
}

/// # Safety
/// As `structure`.
unsafe fn flash_of(flash: *const iotedge_flash_t) -> Call<(CFlash, Geometry)> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(flash, OLDEST_FLASH)? };
    let missing = status::IOTEDGE_E_NULL;
    let flash = CFlash {
        user: given.user,
        read: given.read.ok_or(missing)?,
        program: given.program.ok_or(missing)?,
        erase: given.erase.ok_or(missing)?,
        sync: given.sync.ok_or(missing)?,
    };
    let geometry = Geometry {
        unit: given.unit,
        block: given.block,
        blocks: u16::try_from(given.blocks).map_err(|_| status::IOTEDGE_E_ARGUMENT)?,
    };
    Ok((flash, geometry))
}

fn key_of(key: u32) -> Call<u16> {
    u16::try_from(key).map_err(|_| status::IOTEDGE_E_ARGUMENT)
}

/// Opens the store in raw flash, and first of all makes lasting what a power cut left open. Flash that holds none is an empty store: nothing has to be prepared.
/// With another `unit`, `block` or `blocks` than before it is empty, too.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `IOTEDGE_FLASH_STORE_SIZE`; the store's until `iotedge_flash_store_close`. `flash`: copied; its `user`
/// must live as long as the store. `store`: written on success; points into `memory`. It holds nothing of the flash but where its end is.
///
/// After a start the first value that is written goes to a fresh block: one erase. What a power cut may have touched is not programmed again.
///
/// `IOTEDGE_E_ARGUMENT`: `unit`, `block` or `blocks`. `IOTEDGE_E_FLASH`: the flash failed; try again. `IOTEDGE_E_STORE_DAMAGED`: see
/// `iotedge_flash_store_get`. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`: the memory.
///
/// ```c
/// static uint64_t store_memory[IOTEDGE_FLASH_STORE_SIZE / 8];
///
/// static int32_t store_start(const iotedge_flash_t *flash, iotedge_platform_t *platform)
/// {
///     iotedge_flash_store_t *store = NULL;
///     int32_t status = iotedge_flash_store_open(store_memory, sizeof store_memory, flash, &store);
///     platform->size = (uint32_t)sizeof *platform;
///     platform->store_user = store;
///     platform->store_get = iotedge_flash_store_get;
///     platform->store_put = iotedge_flash_store_put;
///     platform->store_remove = iotedge_flash_store_remove;
///     return status;
/// }
/// ```
///
/// From any thread; the store then belongs to one thread at a time, that of its node or leaf. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_open(
    memory: *mut c_void,
    memory_len: usize,
    flash: *const iotedge_flash_t,
    store: *mut *mut iotedge_flash_store_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let out = Out::new(store)?;
        let (flash, geometry) = flash_of(flash)?;
        create_living(
            memory.cast::<u8>(),
            memory_len,
            |cutter: &mut Cutter| Some(((), cutter.living::<CStore>()?)),
            |()| FlashStore::open(flash, geometry).map_err(refused),
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Erases the whole store, as for a device that is given away, or where it is damaged. No store may be open over this flash. Where the power goes meanwhile, repeat it.
///
/// `IOTEDGE_E_ARGUMENT`: `unit`, `block` or `blocks`. `IOTEDGE_E_FLASH`: a block could not be erased; all others are.
///
/// From any thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_format(flash: *const iotedge_flash_t) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let (flash, geometry) = flash_of(flash)?;
        FlashStore::format(flash, geometry).map_err(refused)?;
        Ok(())
    })())
}

/// The longest value that fits one key. A node stores up to 2,829 bytes (64 validators), a leaf as much; with few validators 1,400 do.
///
/// `bytes`: written on success.
///
/// From the store's thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_longest(
    store: *const iotedge_flash_store_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = Out::new(bytes)?;
        let longest = look_living::<CStore, _>(store.cast::<u8>(), |store| Ok(store.longest()))?;
        bytes.write(longest);
        Ok(())
    })())
}

/// Reads a value: `store_get` of `iotedge_platform_t`, with the store as `store_user`.
///
/// `user`: an `iotedge_flash_store_t`. `key`: at most 65,535. `out`: `capacity` bytes; changed on failure too. `len`: written on success.
///
/// `IOTEDGE_E_NONE`: no value. `IOTEDGE_E_LENGTH`: longer than `capacity`. `IOTEDGE_E_FLASH`: the flash could not be read. `IOTEDGE_E_STORE_DAMAGED`: what was
/// written is not there any more, since cells lost their charge or somebody else wrote; an older value is never given in its place. Erase it
/// (`iotedge_flash_store_format`): the neighbours know how far the device was.
///
/// From the store's thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_get(
    user: *mut c_void,
    key: u32,
    out: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = key_of(key)?;
        let (room, len) = crate::raw::OutBytes::new(out, capacity, len)?.room();
        let found = with_living::<CStore, _>(user.cast::<u8>(), |store| {
            store.get(key, room).map_err(refused)
        })?;
        len.write(found.ok_or(status::IOTEDGE_E_NONE)?);
        Ok(())
    })())
}

/// Writes a value: `store_put` of `iotedge_platform_t`, with the store as `store_user`. When it returns `IOTEDGE_OK` the value stays, and until then the old
/// one does, whenever the power goes. It may erase a block, and seldom several.
///
/// `user`: an `iotedge_flash_store_t`. `key`: at most 65,535. `value`: `len` bytes, at most `iotedge_flash_store_longest`.
///
/// `IOTEDGE_E_LENGTH`: too long. `IOTEDGE_E_STORE_FULL`: no room. `IOTEDGE_E_FLASH`: the flash failed, and no block is left to use instead. All values
/// stand then.
///
/// From the store's thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_put(
    user: *mut c_void,
    key: u32,
    value: *const u8,
    len: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = key_of(key)?;
        let value = input(value, len)?;
        with_living::<CStore, _>(user.cast::<u8>(), |store| {
            store.put(key, value).map_err(refused)
        })
    })())
}

/// Removes a value: `store_remove` of `iotedge_platform_t`, with the store as `store_user`. Removing what is not there succeeds. Works in a full store.
///
/// `user`: an `iotedge_flash_store_t`. `key`: at most 65,535.
///
/// `IOTEDGE_E_FLASH`: the flash failed; the value stands.
///
/// From the store's thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_remove(user: *mut c_void, key: u32) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let key = key_of(key)?;
        with_living::<CStore, _>(user.cast::<u8>(), |store| {
            store.remove(key).map_err(refused)
        })
    })())
}

/// Ends the store; its memory is yours again. What was written stays. End the node or leaf before.
///
/// From the store's thread. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_flash_store_close(store: *mut iotedge_flash_store_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CStore>(store.cast::<u8>()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_for_static_arrays_is_enough() {
        let needed =
            Cutter::count(|cutter: &mut Cutter| Some(((), cutter.living::<CStore>()?))).unwrap();
        assert!(needed <= IOTEDGE_FLASH_STORE_SIZE, "{needed}");
        assert!(IOTEDGE_FLASH_STORE_SIZE <= needed + 32, "{needed}");
    }
}
