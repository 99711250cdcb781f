//! A serial line: frames as bytes for a UART, and back (docs/protocol.md section 11).
//!
//! Invariant: the writer's state is plain numbers in the caller's structure, checked whenever they come back; the reader is a decoder in the caller's
//! memory as nodes are. The one pointer that is handed out, a frame's, points into that memory and is good until the decoder's next call.

use crate::node::IOTEDGE_MAX_FRAME;
use crate::node::memory::{
    Cutter, Living, create_living, destroy_living, look_living, with_living,
};
use crate::raw::{Call, Out, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use iotedge_core::wire::serial::{self, Decoder, Encoder, SerialCounters};

/// Most bytes that a frame takes on a serial line: `IOTEDGE_SERIAL_SIZE(IOTEDGE_MAX_FRAME)`.
pub const IOTEDGE_SERIAL_MAX: usize = 1412;
const _: () = assert!(IOTEDGE_SERIAL_MAX == serial::MAX_ENCODED);

/// Bytes of a decoder beside its longest frame: see `IOTEDGE_SERIAL_DECODER_SIZE`.
pub const IOTEDGE_SERIAL_DECODER_SIZE_FIXED: usize = 128;

/// A decoder. Lives in memory that you give to `iotedge_serial_decoder_init` and is never copied or moved.
pub struct iotedge_serial_decoder_t {
    _opaque: [u8; 0],
}

type CDecoder = Decoder<'static>;

impl Living for CDecoder {
    const SEAL: u64 = 0x694f_5445_7365_7269;
}

/// Where `iotedge_serial_encode_part` stands in a frame. All zero but `size` for the beginning of each frame.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_serial_encoder_t {
    /// `sizeof(iotedge_serial_encoder_t)`.
    pub size: u32,
    /// The library's.
    pub state: [u32; 4],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_serial_encoder_t {}
const OLDEST_ENCODER: usize = 20;
const _: () = assert!(size_of::<iotedge_serial_encoder_t>() == OLDEST_ENCODER);

/// What a decoder counted since it was initialised; numbers only grow, and wrap. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_serial_counters_t {
    /// `sizeof(iotedge_serial_counters_t)`.
    pub size: u32,
    /// Frames given out.
    pub frames: u32,
    /// Zeros with nothing before them: the one in front of each frame, or a line that idles. Not an error.
    pub empty: u32,
    /// Dropped: too short for a CRC and one byte.
    pub too_short: u32,
    /// Dropped: ended before it was whole, by a reset of the sender or because bytes were lost.
    pub cut: u32,
    /// Dropped: longer than the decoder takes.
    pub too_long: u32,
    /// Dropped: the CRC was wrong.
    pub corrupt: u32,
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_serial_counters_t {}
const OLDEST_COUNTERS: usize = 28;
const _: () = assert!(size_of::<iotedge_serial_counters_t>() == OLDEST_COUNTERS);

impl iotedge_serial_counters_t {
    fn from_core(c: &SerialCounters) -> Self {
        Self {
            size: 0,
            frames: c.frames,
            empty: c.empty,
            too_short: c.too_short,
            cut: c.cut,
            too_long: c.too_long,
            corrupt: c.corrupt,
        }
    }
}

fn frame_of(frame: &[u8]) -> Call<&[u8]> {
    match frame.len() {
        1..=IOTEDGE_MAX_FRAME => Ok(frame),
        _ => Err(status::IOTEDGE_E_LENGTH),
    }
}

/// A frame as it travels on a serial line, all at once. `iotedge_serial_encode_part` needs no buffer of this length.
///
/// `frame`: `frame_len` bytes, what `iotedge_node_next_frame` or `iotedge_leaf_next_frame` gave. `line`: room for `line_capacity` bytes, at least
/// `IOTEDGE_SERIAL_SIZE(frame_len)`; `line_len`: how many to send. Both written on success.
///
/// `IOTEDGE_E_LENGTH`: empty, or above `IOTEDGE_MAX_FRAME`. `IOTEDGE_E_BUFFER_TOO_SMALL`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_encode(
    frame: *const u8,
    frame_len: usize,
    line: *mut u8,
    line_capacity: usize,
    line_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let frame = frame_of(input(frame, frame_len)?)?;
        let out = OutBytes::new(line, line_capacity, line_len)?;
        if line_capacity < serial::encoded_len(frame.len()) {
            return Err(status::IOTEDGE_E_BUFFER_TOO_SMALL);
        }
        let (room, len) = out.room();
        len.write(serial::encode(frame, room).ok_or(status::IOTEDGE_E_INTERNAL)?);
        Ok(())
    })())
}

/// The next bytes of a frame as it travels on a serial line: as many as the UART takes now. Nothing is copied but those, so a device needs no
/// second buffer.
///
/// `encoder`: where it stands; yours, 20 bytes, all zero but its `size` before the first part. `frame`: the same `frame_len` bytes at every call of
/// one frame. `part`: room for `part_capacity` bytes, at least 1; `part_len`: how many to send. `encoder`, `part` and `part_len` are written on
/// success.
///
/// `IOTEDGE_E_NONE`: the frame is written; begin the next one with a fresh encoder. `IOTEDGE_E_LENGTH`: the frame is empty or above
/// `IOTEDGE_MAX_FRAME`, or there is no room at all. `IOTEDGE_E_ARGUMENT`: an encoder that does not stand in this frame; what is in `part` is void.
///
/// ```c
/// extern size_t uart_room(void);
/// extern void uart_put(const uint8_t *bytes, size_t len);
///
/// static void send(const uint8_t *frame, size_t frame_len)
/// {
///     iotedge_serial_encoder_t encoder;
///     uint8_t part[32];
///     size_t len;
///     memset(&encoder, 0, sizeof encoder);
///     encoder.size = (uint32_t)sizeof encoder;
///     while (iotedge_serial_encode_part(&encoder, frame, frame_len, part, sizeof part, &len) == IOTEDGE_OK) {
///         while (uart_room() < len) {
///         }
///         uart_put(part, len);
///     }
/// }
/// ```
///
/// From any thread, and from an interrupt; an encoder belongs to one of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_encode_part(
    encoder: *mut iotedge_serial_encoder_t,
    frame: *const u8,
    frame_len: usize,
    part: *mut u8,
    part_capacity: usize,
    part_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let words = structure(encoder.cast_const(), OLDEST_ENCODER)?.state;
        let mut at = Encoder::from_words(words).ok_or(status::IOTEDGE_E_ARGUMENT)?;
        let stands = OutStruct::new(encoder, OLDEST_ENCODER)?;
        let frame = frame_of(input(frame, frame_len)?)?;
        let out = OutBytes::new(part, part_capacity, part_len)?;
        if at.is_done() {
            return Err(status::IOTEDGE_E_NONE);
        }
        if part_capacity == 0 {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        let (room, len) = out.room();
        let written = at.write(frame, room).ok_or(status::IOTEDGE_E_ARGUMENT)?;
        len.write(written);
        stands.write(&iotedge_serial_encoder_t {
            size: 0,
            state: at.to_words(),
        });
        Ok(())
    })())
}

/// Cuts (or with no base only counts) a decoder's memory; gives the distance of the decoder.
///
/// # Safety
/// As [`Cutter::cut`].
unsafe fn cut(frame: usize, cutter: &mut Cutter) -> Option<(&'static mut [u8], usize)> {
    let at = cutter.living::<CDecoder>()?;
    let room = frame.checked_add(serial::CRC)?;
    // SAFETY: the caller's promise.
    Some((unsafe { cutter.cut(room, Default::default)? }, at))
}

fn limit_of(frame: u32) -> Call<usize> {
    match frame as usize {
        frame @ 1..=IOTEDGE_MAX_FRAME => Ok(frame),
        _ => Err(status::IOTEDGE_E_LIMITS),
    }
}

/// How many bytes of memory a decoder of frames of at most `frame` bytes needs. For static arrays there is the macro
/// `IOTEDGE_SERIAL_DECODER_SIZE`, which is a little more.
///
/// `bytes`: written on success.
///
/// `IOTEDGE_E_LIMITS`: `frame` is 0 or above `IOTEDGE_MAX_FRAME`.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_size(frame: u32, bytes: *mut usize) -> i32 {
    // SAFETY: the promises of the comment; nothing is cut without memory.
    done((|| unsafe {
        let frame = limit_of(frame)?;
        let bytes = Out::new(bytes)?;
        bytes.write(Cutter::count(|cutter| cut(frame, cutter))?);
        Ok(())
    })())
}

/// Starts a decoder in memory that you give.
///
/// `memory`: `memory_len` bytes, aligned to 8, at least `iotedge_serial_decoder_size`; the decoder's until `iotedge_serial_decoder_deinit`, not to be
/// read, written, moved or copied meanwhile. `frame`: the longest frame that it takes; longer ones are dropped and counted. A node needs
/// `IOTEDGE_MAX_FRAME`. `decoder`: written on success; points into `memory`.
///
/// `IOTEDGE_E_MEMORY_TOO_SMALL`, `IOTEDGE_E_MISALIGNED`, `IOTEDGE_E_LIMITS`: see above. `IOTEDGE_E_ALREADY_INITIALISED`: a decoder lives here.
///
/// From any thread, or from an interrupt; the decoder then belongs to one of them at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_init(
    memory: *mut core::ffi::c_void,
    memory_len: usize,
    frame: u32,
    decoder: *mut *mut iotedge_serial_decoder_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        if memory.is_null() {
            return Err(status::IOTEDGE_E_NULL);
        }
        let frame = limit_of(frame)?;
        let out = Out::new(decoder)?;
        create_living::<CDecoder, _>(
            memory.cast(),
            memory_len,
            |cutter| cut(frame, cutter),
            |room| Ok(Decoder::new(room)),
        )?;
        out.write(memory.cast());
        Ok(())
    })())
}

/// Ends a decoder and wipes its memory, which is yours again.
///
/// `IOTEDGE_E_NOT_INITIALISED`: none lives here (any more).
///
/// From the thread or interrupt that has the decoder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_deinit(
    decoder: *mut iotedge_serial_decoder_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe { destroy_living::<CDecoder>(decoder.cast()) })
}

/// Gives a decoder the bytes that came, in pieces of any length. Where they end a frame, that is for `iotedge_node_receive` or
/// `iotedge_leaf_receive`; then give it the rest of the bytes.
///
/// `bytes`: `len` bytes, read only. `frame`, `frame_len`: a frame whose CRC is right; it lies in the decoder's memory and is good until the decoder's
/// next call. `taken`: how many of the bytes were taken, at least 1. All written on success.
///
/// `IOTEDGE_E_NONE`: all bytes were taken, and no frame ended. What is damaged is dropped and counted (`iotedge_serial_decoder_counters`).
///
/// ```c
/// static uint64_t line_memory[IOTEDGE_SERIAL_DECODER_SIZE(IOTEDGE_MAX_FRAME) / 8];
///
/// static int32_t line_start(iotedge_serial_decoder_t **line)
/// {
///     return iotedge_serial_decoder_init(line_memory, sizeof line_memory, IOTEDGE_MAX_FRAME, line);
/// }
///
/// static void on_bytes(iotedge_node_t *node, iotedge_serial_decoder_t *line, uint64_t now, const uint8_t *bytes, size_t len)
/// {
///     const uint8_t *frame;
///     size_t frame_len, taken;
///     while (iotedge_serial_decoder_take(line, bytes, len, &frame, &frame_len, &taken) == IOTEDGE_OK) {
///         (void)iotedge_node_receive(node, now, 0, frame, frame_len);
///         bytes += taken;
///         len -= taken;
///     }
/// }
/// ```
///
/// From the thread or interrupt that has the decoder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_take(
    decoder: *mut iotedge_serial_decoder_t,
    bytes: *const u8,
    len: usize,
    frame: *mut *const u8,
    frame_len: *mut usize,
    taken: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = input(bytes, len)?;
        let (frame, frame_len, taken) = (Out::new(frame)?, Out::new(frame_len)?, Out::new(taken)?);
        with_living(decoder.cast(), |d: &mut CDecoder| {
            let (used, whole) = d.take(bytes);
            let whole = whole.ok_or(status::IOTEDGE_E_NONE)?;
            frame.write(whole.as_ptr());
            frame_len.write(whole.len());
            taken.write(used);
            Ok(())
        })
    })())
}

/// Forgets the frame under way, as after a line was opened anew. The counters stay.
///
/// From the thread or interrupt that has the decoder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_reset(
    decoder: *mut iotedge_serial_decoder_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done(unsafe {
        with_living(decoder.cast(), |d: &mut CDecoder| {
            d.reset();
            Ok(())
        })
    })
}

/// What a decoder counted.
///
/// `counters`: set its `size` first; written on success.
///
/// From the thread or interrupt that has the decoder.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_serial_decoder_counters(
    decoder: *const iotedge_serial_decoder_t,
    counters: *mut iotedge_serial_counters_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let out = OutStruct::new(counters, OLDEST_COUNTERS)?;
        let counted = look_living(decoder.cast(), |d: &CDecoder| Ok(d.counters()))?;
        out.write(&iotedge_serial_counters_t::from_core(&counted));
        Ok(())
    })())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_macro_for_static_arrays_is_enough_and_not_far_too_much() {
        for frame in [1usize, 64, 200, IOTEDGE_MAX_FRAME] {
            // SAFETY: nothing is cut without memory.
            let needed = Cutter::count(|cutter| unsafe { cut(frame, cutter) }).unwrap();
            let given = (IOTEDGE_SERIAL_DECODER_SIZE_FIXED + frame).next_multiple_of(8);
            assert!(
                (needed..=needed + 32).contains(&given),
                "{frame} needs {needed}, macro {given}"
            );
        }
    }
}
