//! A receiver of content: an `iotedge_content_t`.

use super::{
    CSlot, IOTEDGE_CONTENT_CHUNK, IOTEDGE_CONTENT_WAY, OLDEST_PROGRESS, content_status, descriptor,
    iotedge_content_descriptor_t, iotedge_content_progress_t, iotedge_slot_t, slot,
};
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::raw::{Call, Out, OutBytes, OutStruct, done, input};
use crate::status;
use core::mem::MaybeUninit;
use iotedge_core::content::{ContentError, MAX_REQUEST, MAX_STATE, Part, Request, Step, Stream};
use iotedge_core::wire::Writer;

/// Bytes of a receiver, a multiple of 8, for a static array: `static uint64_t memory[IOTEDGE_CONTENT_SIZE / 8];`. Never less than what `iotedge_content_size` says, and good for every target.
pub const IOTEDGE_CONTENT_SIZE: usize = 960;

/// A receiver of one content. Lives in memory that you give to `iotedge_content_begin` and is never copied or moved.
pub struct iotedge_content_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct CContent {
    stream: Stream,
    slot: CSlot,
}

impl Living for CContent {
    const SEAL: u64 = 0x694f_5445_636f_6e74;
}

fn cut(cutter: &mut Cutter) -> Option<((), usize)> {
    Some(((), cutter.living::<CContent>()?))
}

/// Writes a request, or says that there is nothing to ask for.
///
/// # Safety
/// The places of `out` are writable.
pub(super) unsafe fn ask(request: Option<Request>, out: OutBytes) -> Call<()> {
    let request = request.ok_or(status::IOTEDGE_E_NONE)?;
    let mut room = [0; MAX_REQUEST];
    let mut w = Writer::new(&mut room);
    request.write(&mut w).map_err(content_status)?;
    // SAFETY: the caller's promise.
    unsafe { out.write(w.written()) }
}

/// `most` and `chunks` as a request has them.
pub(super) fn bounds(most: u32, chunks: u32) -> Call<(u16, u8)> {
    match (u16::try_from(most), u8::try_from(chunks)) {
        (Ok(most), Ok(chunks)) => Ok((most, chunks)),
        _ => Err(status::IOTEDGE_E_ARGUMENT),
    }
}

pub(super) const fn step_number(step: Step) -> u32 {
    match step {
        Step::Way => IOTEDGE_CONTENT_WAY,
        Step::Chunk => IOTEDGE_CONTENT_CHUNK,
    }
}

/// Apart, so that what it takes of the stack to make one is gone when the receiver begins.
#[inline(never)]
fn build(place: &mut MaybeUninit<CContent>, slot: CSlot) -> &mut Stream {
    let made = place.write(CContent {
        stream: Stream::vacant(),
        slot,
    });
    &mut made.stream
}

/// Makes a receiver in the memory, and lets `start` say of what. Where that refuses none lives there: nothing of it has to be dropped.
///
/// # Safety
/// As [`create_in_place`].
unsafe fn create(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    slot: CSlot,
    content: *mut *mut iotedge_content_t,
    start: impl FnOnce(&mut Stream) -> Call<()>,
) -> Call<()> {
    let out = Out::new(content)?;
    // SAFETY: the caller's promise.
    unsafe {
        create_in_place::<CContent, _>(memory.cast(), memory_len, cut, |(), place| {
            start(build(place, slot))
        })?;
        out.write(memory.cast());
    }
    Ok(())
}

/// How many bytes of memory a receiver needs. For static arrays there is `IOTEDGE_CONTENT_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_size(bytes: *mut usize) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = Out::new(bytes)?;
        out.write(Cutter::count(cut)?);
        Ok(())
    })())
}

/// Begins to receive a content, in memory that you give.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_content_size`; the receiver's until `iotedge_content_deinit`, not to be read, written, moved or copied meanwhile. `descriptor`: which one;
/// believe it only from who may say it, everything after it proves itself. `slot`: where it is to lie; `write` must be there. Both copied. `content`: written on success; points into `memory`.
///
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`.
///
/// From any thread; the receiver then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_begin(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    descriptor: *const iotedge_content_descriptor_t,
    slot: *const iotedge_slot_t,
    content: *mut *mut iotedge_content_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let which = self::descriptor(descriptor)?;
        let slot = self::slot(slot)?.writable()?;
        create(memory, memory_len, slot, content, |stream| {
            stream.begin(which);
            Ok(())
        })
    })())
}

/// Goes on where `iotedge_content_save` was, after a reset; else as `iotedge_content_begin`. Chunks after that place are written once more.
///
/// `saved`: `saved_len` bytes, from this device's own store: they are believed.
///
/// `IOTEDGE_E_CONTENT_STORED`: of another content, or damaged: begin anew.
///
/// From any thread; the receiver then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_restore(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    descriptor: *const iotedge_content_descriptor_t,
    slot: *const iotedge_slot_t,
    saved: *const u8,
    saved_len: usize,
    content: *mut *mut iotedge_content_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let which = self::descriptor(descriptor)?;
        let slot = self::slot(slot)?.writable()?;
        let saved = input(saved, saved_len)?;
        create(memory, memory_len, slot, content, |stream| {
            stream.go_on(which, saved).map_err(content_status)
        })
    })())
}

/// Ends the receiver: wipes its memory, which is yours again. What was written stays.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the receiver. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_deinit(content: *mut iotedge_content_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CContent>(content.cast()) })
}

/// What to ask a neighbour for next, in a frame as `IOTEDGE_SAID_REQUEST` or however you reach it. Any neighbour that has the content answers alike; ask again, or another one, where nothing comes.
///
/// `most`: most bytes of one part, up to 65,535; at least 66 more than a chunk has, or somewhere the answer is `IOTEDGE_E_CONTENT_NARROW`. `chunks`: so many in a row, up to 255; 0: 1. `request`: room for `request_capacity` bytes,
/// `IOTEDGE_CONTENT_MAX_REQUEST` are enough; `request_len`: their number. Both written on success.
///
/// `IOTEDGE_E_NONE`: all is here. `IOTEDGE_E_ARGUMENT`, `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From the thread that has the receiver. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_request(
    content: *const iotedge_content_t,
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
        look_living(content.cast(), |c: &CContent| {
            ask(c.stream.request(most, chunks), out)
        })
    })())
}

/// Takes a part, from whomever it comes. A chunk that proves to be the content's is handed to `write` of the slot; only if that succeeds has it come.
///
/// `part`: `part_len` bytes. `step`: `IOTEDGE_CONTENT_CHUNK` or `IOTEDGE_CONTENT_WAY`; written on success.
///
/// All of them changed nothing. `IOTEDGE_E_CONTENT_PART`: late, doubled or ahead: drop it. `IOTEDGE_E_CONTENT_OTHER`: of another content. `IOTEDGE_E_CONTENT_FORGED`, `IOTEDGE_E_CONTENT_LENGTH`: whoever sent it
/// changed it, or has something else under this name: ask somebody else. `IOTEDGE_E_PLATFORM`: it could not be written: take it again. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`,
/// `..._RANGE`: no part.
///
/// Calls the slot. From the thread that has the receiver. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_take(
    content: *mut iotedge_content_t,
    part: *const u8,
    part_len: usize,
    step: *mut u32,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let part = Part::parse(input(part, part_len)?).map_err(content_status)?;
        let out = Out::new(step)?;
        with_living(content.cast(), |c: &mut CContent| {
            let taken = c.stream.take(&part, &mut c.slot.writer());
            out.write(step_number(taken.map_err(content_status)?));
            Ok(())
        })
    })())
}

/// Writes what `iotedge_content_restore` goes on with: how far the receiver is, and the hashes that prove what is to come. Save at steps of your choice: where an erase block of the flash begins, so that
/// what is written again after a reset begins with an erased one.
///
/// `saved`: room for `saved_capacity` bytes, `IOTEDGE_CONTENT_MAX_STATE` are enough; `saved_len`: their number. Both written on success.
///
/// `IOTEDGE_E_WRONG_ORDER`: between two parts of one chunk: save before or after. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From the thread that has the receiver. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_save(
    content: *const iotedge_content_t,
    saved: *mut u8,
    saved_capacity: usize,
    saved_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutBytes::new(saved, saved_capacity, saved_len)?;
        look_living(content.cast(), |c: &CContent| {
            let mut room = [0; MAX_STATE];
            let mut w = Writer::new(&mut room);
            c.stream.save(&mut w).map_err(|error| match error {
                ContentError::WrongPart => status::IOTEDGE_E_WRONG_ORDER,
                error => content_status(error),
            })?;
            out.write(w.written())
        })
    })())
}

/// How far the receiver is.
///
/// `progress`: set its `size` first; written on success.
///
/// From the thread that has the receiver. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_content_progress(
    content: *const iotedge_content_t,
    progress: *mut iotedge_content_progress_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(progress, OLDEST_PROGRESS)?;
        look_living(content.cast(), |c: &CContent| {
            out.write(&iotedge_content_progress_t {
                size: 0,
                chunks: c.stream.next(),
                count: c.stream.content().count(),
                complete: c.stream.is_complete().into(),
            });
            Ok(())
        })
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_for_static_arrays_is_enough_and_not_far_too_much() {
        let needed = Cutter::count(cut).unwrap();
        println!("{needed} of {IOTEDGE_CONTENT_SIZE}");
        assert!(needed <= IOTEDGE_CONTENT_SIZE && IOTEDGE_CONTENT_SIZE <= needed + 64);
        assert!(IOTEDGE_CONTENT_SIZE.is_multiple_of(8));
    }
}
