//! From C's pointers to Rust's references: the checks that every function makes first.
//!
//! Invariant: nothing behind a pointer is touched before the pointer was checked for NULL and alignment and its length for
//! range; and nothing is written before the whole call has succeeded. What C promises and nobody can check (that the memory
//! is as long as said, and nobody else writes to it meanwhile) is each function's `# Safety`.

use crate::status;
use core::mem::{align_of, size_of};
use iotedge_core::crypto::{Software, Verify, twice};

/// `Ok`, or the status number to hand back.
pub(crate) type Call<T> = Result<T, i32>;

/// What a C function returns.
pub(crate) fn done(result: Call<()>) -> i32 {
    match result {
        Ok(()) => status::IOTEDGE_OK,
        Err(code) => code,
    }
}

/// What a C function returns that refuses or accepts: the check is made twice, by [`twice`], and must leave what it reads as it is.
#[inline(always)]
pub(crate) fn decided(mut check: impl FnMut(&mut dyn Verify) -> Call<()>) -> i32 {
    let mut both = |verifier: &mut dyn Verify| done(check(verifier));
    twice(&mut Software, &mut both)
}

fn check<T>(pointer: *const T) -> Call<()> {
    if pointer.is_null() {
        return Err(status::IOTEDGE_E_NULL);
    }
    if !(pointer as usize).is_multiple_of(align_of::<T>()) {
        return Err(status::IOTEDGE_E_MISALIGNED);
    }
    Ok(())
}

/// `len` items to read. NULL is fine for none.
///
/// # Safety
/// `pointer` is NULL or `len` items at it stay readable and unchanged for `'a`.
pub(crate) unsafe fn input<'a, T>(pointer: *const T, len: usize) -> Call<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    check(pointer)?;
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if bytes <= isize::MAX as usize => {}
        _ => return Err(status::IOTEDGE_E_LENGTH),
    }
    // SAFETY: not NULL, aligned, the length fits isize; the rest is the caller's promise.
    Ok(unsafe { core::slice::from_raw_parts(pointer, len) })
}

/// Exactly `N` bytes to read.
///
/// # Safety
/// `pointer` is NULL or `N` bytes at it stay readable and unchanged for `'a`.
pub(crate) unsafe fn array<'a, const N: usize>(pointer: *const u8) -> Call<&'a [u8; N]> {
    check(pointer)?;
    // SAFETY: not NULL; an array of bytes has no alignment; the rest is the caller's promise.
    Ok(unsafe { &*pointer.cast::<[u8; N]>() })
}

/// A place for one result, checked now and written at the end.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    pub(crate) fn new(pointer: *mut T) -> Call<Self> {
        check(pointer.cast_const())?;
        Ok(Self(pointer))
    }

    /// # Safety
    /// The place is writable.
    pub(crate) unsafe fn write(self, value: T) {
        // SAFETY: checked in `new`; writable by the caller's promise.
        unsafe { self.0.write(value) }
    }
}

/// A place for `N` bytes.
pub(crate) struct OutArray<const N: usize>(*mut u8);

impl<const N: usize> OutArray<N> {
    pub(crate) fn new(pointer: *mut u8) -> Call<Self> {
        check(pointer.cast_const())?;
        Ok(Self(pointer))
    }

    /// # Safety
    /// The place is writable.
    pub(crate) unsafe fn write(self, value: &[u8; N]) {
        // SAFETY: checked in `new`; writable by the caller's promise; `value` is ours and cannot overlap.
        unsafe { core::ptr::copy_nonoverlapping(value.as_ptr(), self.0, N) }
    }
}

/// A buffer for up to `capacity` bytes and the place for their number.
pub(crate) struct OutBytes {
    to: *mut u8,
    capacity: usize,
    len: Out<usize>,
}

impl OutBytes {
    pub(crate) fn new(to: *mut u8, capacity: usize, len: *mut usize) -> Call<Self> {
        check(to.cast_const())?;
        if capacity > isize::MAX as usize {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        Ok(Self {
            to,
            capacity,
            len: Out::new(len)?,
        })
    }

    /// The buffer itself, for what is too long to be built elsewhere first, and the place of its length.
    ///
    /// # Safety
    /// Both places are writable.
    pub(crate) unsafe fn room<'a>(self) -> (&'a mut [u8], Out<usize>) {
        // SAFETY: checked in `new`; the caller's promise. Whatever bits are in it are bytes.
        let room = unsafe { core::slice::from_raw_parts_mut(self.to, self.capacity) };
        (room, self.len)
    }

    /// Writes `bytes` and their number, or nothing where they do not fit.
    ///
    /// # Safety
    /// Both places are writable and do not overlap `bytes`.
    pub(crate) unsafe fn write(self, bytes: &[u8]) -> Call<()> {
        if bytes.len() > self.capacity {
            return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
        }
        // SAFETY: checked in `new` and above; the rest is the caller's promise. `copy` allows overlap.
        unsafe {
            core::ptr::copy(bytes.as_ptr(), self.to, bytes.len());
            self.len.write(bytes.len());
        }
        Ok(())
    }
}

/// A structure of the C interface: plain data of which every bit pattern is a value, beginning with its own size.
///
/// # Safety
/// `repr(C)`, first field `size: u32`, no padding that matters, no field for which some bits are no value (so no `bool`,
/// no reference, no enum; pointers and `Option<fn>` are fine).
pub(crate) unsafe trait Sized32: Copy {}

/// A copy of a structure that the caller filled. One from an older header may be shorter than ours if `OLDEST` allows it:
/// what it lacks is zero. One from a newer header may be longer if all that we do not know is zero.
///
/// # Safety
/// `pointer` is NULL or its first 4 bytes are readable, and as many as they say.
pub(crate) unsafe fn structure<T: Sized32>(pointer: *const T, oldest: usize) -> Call<T> {
    check(pointer)?;
    // SAFETY: every structure begins with a u32.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    let own = size_of::<T>();
    if size < oldest || size > own.saturating_add(4096) {
        return Err(status::IOTEDGE_E_STRUCT_SIZE);
    }
    for at in own..size {
        // SAFETY: within the size that the caller said.
        if unsafe { pointer.cast::<u8>().add(at).read() } != 0 {
            return Err(status::IOTEDGE_E_STRUCT_SIZE);
        }
    }
    // SAFETY: zero is a value of every `Sized32`; the copy stays inside both.
    unsafe {
        let mut value = core::mem::zeroed::<T>();
        core::ptr::copy_nonoverlapping(
            pointer.cast::<u8>(),
            (&raw mut value).cast::<u8>(),
            size.min(own),
        );
        Ok(value)
    }
}

/// A structure for results: the caller has set its size.
pub(crate) struct OutStruct<T> {
    to: *mut T,
    size: usize,
}

impl<T: Sized32> OutStruct<T> {
    /// # Safety
    /// `pointer` is NULL or its first 4 bytes are readable.
    pub(crate) unsafe fn new(pointer: *mut T, oldest: usize) -> Call<Self> {
        check(pointer.cast_const())?;
        // SAFETY: every structure begins with a u32.
        let size = unsafe { pointer.cast::<u32>().read() } as usize;
        if size < oldest || size > size_of::<T>().saturating_add(4096) {
            return Err(status::IOTEDGE_E_STRUCT_SIZE);
        }
        Ok(Self { to: pointer, size })
    }

    /// Fills the caller's structure; its size stays, fields that we do not know become zero.
    ///
    /// # Safety
    /// As many bytes as the size says are writable.
    pub(crate) unsafe fn write(self, value: &T) {
        let head = size_of::<u32>();
        let own = size_of::<T>();
        // SAFETY: inside the size that the caller said; `value` is ours.
        unsafe {
            let to = self.to.cast::<u8>();
            core::ptr::copy_nonoverlapping(
                core::ptr::from_ref(value).cast::<u8>().add(head),
                to.add(head),
                self.size.min(own).saturating_sub(head),
            );
            if self.size > own {
                core::ptr::write_bytes(to.add(own), 0, self.size.saturating_sub(own));
            }
        }
    }
}
