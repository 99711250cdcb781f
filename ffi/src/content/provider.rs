//! Who has a content and serves it: an `iotedge_provider_t`.

use super::{
    CSlot, IOTEDGE_CONTENT_MAX_REQUEST, OLDEST_DESCRIPTOR, chunk_size, content_status, described,
    iotedge_content_descriptor_t, iotedge_slot_t, slot,
};
use crate::node::memory::{
    Cutter, Living, create_in_place, destroy_living, look_living, with_living,
};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use iotedge_core::Id;
use iotedge_core::content::{ChunkSize, MAX_REQUEST, Provider, Request};
use iotedge_core::wire::Writer;

/// Bytes of a provider beside the hashes that it keeps: see `IOTEDGE_PROVIDER_SIZE`.
pub const IOTEDGE_PROVIDER_SIZE_FIXED: usize = 208;

/// Who has a content and serves it. Lives in memory that you give to `iotedge_provider_init` and is never copied or moved.
pub struct iotedge_provider_t {
    _opaque: [u8; 0],
}

/// What lives there.
struct CProvider {
    provider: Provider<'static>,
    slot: CSlot,
}

impl Living for CProvider {
    const SEAL: u64 = 0x694f_5445_7072_6f76;
}

/// What a provider is to serve. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_provider_config_t {
    /// `sizeof(iotedge_provider_config_t)`.
    pub size: u32,
    /// Bytes of a chunk, as a power of two: 6 (64 bytes) to 10 (1,024).
    pub chunk: u32,
    /// Bytes of the content: 1 to 2^20 chunks.
    pub length: u64,
    /// One hash is kept for 2^`level` chunks; what lies below is read and hashed anew for an answer. 0 keeps all, 32 bytes a chunk. At most 20.
    pub level: u32,
    /// Zero.
    pub reserved: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_provider_config_t {}
const OLDEST_CONFIG: usize = 24;
const _: () = assert!(size_of::<iotedge_provider_config_t>() == OLDEST_CONFIG);

/// The configuration in the core's terms, and how many hashes are kept.
struct Plan {
    length: u64,
    chunk: ChunkSize,
    level: u8,
    hashes: usize,
}

/// # Safety
/// As [`structure`].
unsafe fn plan(given: *const iotedge_provider_config_t) -> Call<Plan> {
    // SAFETY: the caller's promise.
    let given = unsafe { structure(given, OLDEST_CONFIG)? };
    let level = match u8::try_from(given.level) {
        Ok(level @ 0..=20) if given.reserved == 0 => level,
        _ => return Err(status::IOTEDGE_E_ARGUMENT),
    };
    let chunk = chunk_size(given.chunk)?;
    let hashes = Provider::memory(given.length, chunk, level).map_err(content_status)?;
    Ok(Plan {
        length: given.length,
        chunk,
        level,
        hashes,
    })
}

/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(hashes: usize, cutter: &mut Cutter) -> Option<(&'static mut [Id], usize)> {
    let at = cutter.living::<CProvider>()?;
    // SAFETY: the caller's promise.
    let hashes = unsafe { cutter.cut(hashes, || Id::ZERO)? };
    Some((hashes, at))
}

/// How many bytes of memory a provider with this configuration needs. For static arrays there is the macro `IOTEDGE_PROVIDER_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_CONTENT_SIZE`, `IOTEDGE_E_RANGE`: no content is of that size, or cut so. `IOTEDGE_E_ARGUMENT`: another field.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_provider_size(
    config: *const iotedge_provider_config_t,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let plan = plan(config)?;
        let out = Out::new(bytes)?;
        out.write(Cutter::count(|cutter| cut(plan.hashes, cutter))?);
        Ok(())
    })())
}

/// Makes a provider of what lies in a slot, in memory that you give. Reads and hashes all of it once: a second for each megabyte or so on a microcontroller. What it then is says
/// `iotedge_provider_descriptor`: compare it where you know what it should be.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_provider_size`; the provider's until `iotedge_provider_deinit`, not to be read, written, moved or copied meanwhile. `config`, `slot`:
/// copied; `read` must be there, and what it reads must stay as it is. `provider`: written on success; points into `memory`.
///
/// `IOTEDGE_E_PLATFORM`: it could not be read. `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_ALREADY_INITIALISED`, and as `iotedge_provider_size`.
///
/// Calls the slot. From any thread; the provider then belongs to one thread at a time. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_provider_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    config: *const iotedge_provider_config_t,
    slot: *const iotedge_slot_t,
    provider: *mut *mut iotedge_provider_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let plan = plan(config)?;
        let slot = self::slot(slot)?.readable()?;
        let out = Out::new(provider)?;
        create_in_place::<CProvider, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(plan.hashes, cutter),
            |hashes, place| {
                let Plan {
                    length,
                    chunk,
                    level,
                    ..
                } = plan;
                let built = Provider::build(length, chunk, level, hashes, &mut &slot);
                place.write(CProvider {
                    provider: built.map_err(content_status)?,
                    slot,
                });
                Ok(())
            },
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends the provider: wipes its memory, which is yours again.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread that has the provider. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_provider_deinit(provider: *mut iotedge_provider_t) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CProvider>(provider.cast()) })
}

/// What lies there.
///
/// `descriptor`: set its `size` first; written on success.
///
/// From the thread that has the provider. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_provider_descriptor(
    provider: *const iotedge_provider_t,
    descriptor: *mut iotedge_content_descriptor_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(descriptor, OLDEST_DESCRIPTOR)?;
        look_living(provider.cast(), |p: &CProvider| {
            out.write(&described(p.provider.content()));
            Ok(())
        })
    })())
}

/// Answers a request with one part, and says what to answer next. A provider keeps nothing of who asks: the request has all of it, so keep it per neighbour where parts go out one by one, or drop it: who
/// lacks something asks again.
///
/// `request`: in, `*request_len` bytes, with room for `IOTEDGE_CONTENT_MAX_REQUEST`; out, what to answer next. `request_len`: out, 0 where this was all that was asked for. `part`: room for `part_capacity`
/// bytes: no part is longer, nor longer than the request allows; `part_len`: their number. All changed on success.
///
/// `IOTEDGE_E_CONTENT_OTHER`: for another content: perhaps another provider's. `IOTEDGE_E_CONTENT_INDEX`: no such place in it. `IOTEDGE_E_CONTENT_NARROW`: the asker takes fewer bytes than the smallest part
/// has, or `part_capacity` is below that. `IOTEDGE_E_PLATFORM`: it could not be read. `IOTEDGE_E_MALFORMED`, `..._NOT_DETERMINISTIC`, `..._WRONG_TYPE`, `..._RANGE`: no request.
///
/// What came from a neighbour as `IOTEDGE_SAID_REQUEST` is served whole:
///
/// ```c
/// extern void say_to(uint32_t peer, const uint8_t *frame, size_t len);
///
/// static void serve(iotedge_provider_t *provider, const uint8_t tag[4], uint32_t peer, const uint8_t *request, size_t request_len)
/// {
///     uint8_t asked[IOTEDGE_CONTENT_MAX_REQUEST], part[IOTEDGE_CONTENT_MAX_PART], frame[IOTEDGE_MAX_FRAME];
///     size_t part_len = 0, frame_len = 0;
///     if (request_len > sizeof asked) {
///         return;
///     }
///     memcpy(asked, request, request_len);
///     while (request_len > 0 && iotedge_provider_answer(provider, asked, &request_len, part, sizeof part, &part_len) == IOTEDGE_OK &&
///            iotedge_frame_say(tag, IOTEDGE_SAID_PART, part, part_len, frame, sizeof frame, &frame_len) == IOTEDGE_OK) {
///         say_to(peer, frame, frame_len);
///     }
/// }
/// ```
///
/// Calls the slot. From the thread that has the provider. Not from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_provider_answer(
    provider: *mut iotedge_provider_t,
    request: *mut u8,
    request_len: *mut usize,
    part: *mut u8,
    part_capacity: usize,
    part_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let len = *input(request_len.cast_const(), 1)?
            .first()
            .ok_or(status::IOTEDGE_E_NULL)?;
        let asked = Request::parse(input(request.cast_const(), len)?).map_err(content_status)?;
        let next = OutBytes::new(request, IOTEDGE_CONTENT_MAX_REQUEST, request_len)?;
        let out = OutBytes::new(part, part_capacity, part_len)?;
        with_living(provider.cast(), |p: &mut CProvider| {
            let (room, len) = out.room();
            let answered = p.provider.answer(&asked, &mut &p.slot, room);
            let (count, rest) = answered.map_err(content_status)?;
            let mut bytes = [0; MAX_REQUEST];
            let mut w = Writer::new(&mut bytes);
            if let Some(rest) = rest {
                rest.write(&mut w).map_err(content_status)?;
            }
            next.write(w.written())?;
            len.write(count);
            Ok(())
        })
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macro_for_static_arrays_is_enough_and_not_far_too_much() {
        for hashes in [1, 2, 16, 1000] {
            // SAFETY: nothing is cut without memory.
            let needed = Cutter::count(|cutter| unsafe { cut(hashes, cutter) }).unwrap();
            let given = IOTEDGE_PROVIDER_SIZE_FIXED + hashes * 32;
            println!("{hashes} hashes: {needed} of {given}");
            assert!(needed <= given && given <= needed + 64);
        }
    }
}
