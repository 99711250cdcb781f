//! Sensor readings as SenML packs, without floats.
//!
//! Invariant: a value crosses as decimal mantissa and exponent, so that no device and no compiler rounds it differently.

use crate::raw::{Call, OutBytes, OutStruct, Sized32, done, input, structure};
use crate::status;
use core::ffi::c_char;
use iotedge_core::tx::MAX_BODY;
use iotedge_core::wire::senml::{self, Decimal, Pack, Reading, SenmlError};

/// Most readings of one pack that this interface encodes.
pub const IOTEDGE_MAX_READINGS: usize = 16;
/// Most bytes of the body of a data or service transaction, and so of a pack.
pub const IOTEDGE_MAX_BODY: usize = 320;
const _: () = assert!(IOTEDGE_MAX_BODY == MAX_BODY);

const NAME: usize = 36;
const UNIT: usize = 12;

/// One reading: a name, a decimal value and, where known, a unit and a time. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_reading_t {
    /// `sizeof(iotedge_reading_t)`.
    pub size: u32,
    /// The power of ten, -128 to 127: 21.5 is mantissa 215, exponent -1.
    pub exponent: i32,
    /// The mantissa.
    pub mantissa: i64,
    /// Seconds: since 1970 from 2^28 on, else relative to now (RFC 8428 section 4.5.3). Only where `has_time` is 1.
    pub time: i64,
    /// 1 where `time` counts, else 0. The transaction has a time of its own.
    pub has_time: u32,
    /// Zero.
    pub reserved: u32,
    /// What was measured, zero-terminated, at most 32 letters: letters, digits and `-:./_`, a letter or digit first.
    pub name: [c_char; 36],
    /// In what, zero-terminated, at most 8 letters (RFC 8428 section 12.1: `Cel`, `%`, `W`); empty for none.
    pub unit: [c_char; 12],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_reading_t {}
const OLDEST: usize = 80;
const _: () = assert!(size_of::<iotedge_reading_t>() == OLDEST);

fn senml_status(error: SenmlError) -> i32 {
    match error {
        SenmlError::Wire(error) => crate::wire_status(error),
        SenmlError::Empty => status::IOTEDGE_E_LENGTH,
        SenmlError::Field => status::IOTEDGE_E_SENML_FIELD,
        SenmlError::NoValue => status::IOTEDGE_E_SENML_NO_VALUE,
        SenmlError::Name | SenmlError::BaseName => status::IOTEDGE_E_SENML_NAME,
        SenmlError::Unit => status::IOTEDGE_E_SENML_UNIT,
        SenmlError::NotNormal => status::IOTEDGE_E_NOT_DETERMINISTIC,
    }
}

/// The text of a fixed array up to its zero.
fn text(letters: &[c_char], error: i32) -> Call<&str> {
    // SAFETY: c_char and u8 have one size and every value; the length is the slice's.
    let bytes =
        unsafe { core::slice::from_raw_parts(letters.as_ptr().cast::<u8>(), letters.len()) };
    let end = bytes.iter().position(|b| *b == 0).ok_or(error)?;
    let bytes = bytes.get(..end).ok_or(error)?;
    core::str::from_utf8(bytes).map_err(|_| error)
}

fn put(parts: [&str; 2], letters: &mut [c_char]) -> Call<()> {
    let room = letters.len().saturating_sub(1);
    let bytes = parts.iter().flat_map(|part| part.bytes());
    if bytes.clone().count() > room {
        return Err(status::IOTEDGE_E_INTERNAL);
    }
    for (to, from) in letters.iter_mut().zip(bytes) {
        *to = from as c_char;
    }
    Ok(())
}

fn reading(given: &iotedge_reading_t) -> Call<Reading<'_>> {
    let exponent = i8::try_from(given.exponent).map_err(|_| status::IOTEDGE_E_RANGE)?;
    let unit = text(&given.unit, status::IOTEDGE_E_SENML_UNIT)?;
    if given.has_time > 1 || given.reserved != 0 {
        return Err(status::IOTEDGE_E_ARGUMENT);
    }
    Ok(Reading {
        name: text(&given.name, status::IOTEDGE_E_SENML_NAME)?,
        unit: (!unit.is_empty()).then_some(unit),
        value: Decimal::new(given.mantissa, exponent).ok_or(status::IOTEDGE_E_RANGE)?,
        time: (given.has_time == 1).then_some(given.time),
    })
}

/// Writes readings as one SenML pack (RFC 8428 in CBOR), ready for `iotedge_node_submit_data`.
///
/// `base_name`: NULL, or a zero-terminated text that precedes every name, for two or more readings. `readings`: `count` of
/// them, 1 to `IOTEDGE_MAX_READINGS`, each with its `size`. `pack`: room for `pack_capacity` bytes; `pack_len`: their number.
/// Both are written on success.
///
/// `IOTEDGE_E_SENML_NAME`, `IOTEDGE_E_SENML_UNIT`: a text is empty, too long, or has letters that SenML does not allow.
/// `IOTEDGE_E_RANGE`: an exponent outside of -128 to 127. `IOTEDGE_E_BUFFER_TOO_SMALL`: the pack is longer than
/// `pack_capacity` or than `IOTEDGE_MAX_BODY`.
///
/// ```c
/// static int32_t encode_celsius(int64_t tenths, uint8_t *pack, size_t capacity, size_t *len)
/// {
///     iotedge_reading_t reading;
///     memset(&reading, 0, sizeof reading);
///     reading.size = (uint32_t)sizeof reading;
///     memcpy(reading.name, "temp", 5);
///     memcpy(reading.unit, "Cel", 4);
///     reading.mantissa = tenths;
///     reading.exponent = -1;
///     return iotedge_reading_encode(NULL, &reading, 1, pack, capacity, len);
/// }
/// ```
///
/// From any thread. Not from an interrupt: it takes 2 KiB of stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_reading_encode(
    base_name: *const c_char,
    readings: *const iotedge_reading_t,
    count: usize,
    pack: *mut u8,
    pack_capacity: usize,
    pack_len: *mut usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let base_name = base_text(base_name)?;
        if count == 0 || count > IOTEDGE_MAX_READINGS {
            return Err(status::IOTEDGE_E_LENGTH);
        }
        let pack = OutBytes::new(pack, pack_capacity, pack_len)?;
        // The first one's size is the distance of all: a later header may have a longer structure.
        let stride = structure(readings, OLDEST).and(Ok((*readings).size as usize))?;
        let mut at = readings.cast::<u8>();
        let mut bytes = [0; IOTEDGE_MAX_BODY];
        let mut encoder =
            senml::Encoder::new(base_name, count, &mut bytes).map_err(senml_status)?;
        for _ in 0..count {
            let given = structure(at.cast::<iotedge_reading_t>(), OLDEST)?;
            encoder.put(&reading(&given)?).map_err(senml_status)?;
            at = at.wrapping_add(stride);
        }
        let written = encoder.finish().map_err(senml_status)?;
        pack.write(written)
    })())
}

const EMPTY: iotedge_reading_t = iotedge_reading_t {
    size: 0,
    exponent: 0,
    mantissa: 0,
    time: 0,
    has_time: 0,
    reserved: 0,
    name: [0; NAME],
    unit: [0; UNIT],
};

/// # Safety
/// NULL, or zero-terminated within 33 bytes or longer.
unsafe fn base_text<'a>(base_name: *const c_char) -> Call<Option<&'a str>> {
    if base_name.is_null() {
        return Ok(None);
    }
    let mut len = 0usize;
    // SAFETY: stops at the zero, or one past the longest name.
    while len <= senml::MAX_NAME && unsafe { *base_name.wrapping_add(len) } != 0 {
        len = len.saturating_add(1);
    }
    // SAFETY: as many were just read.
    let bytes = unsafe { input(base_name.cast::<u8>(), len)? };
    core::str::from_utf8(bytes)
        .map(Some)
        .map_err(|_| status::IOTEDGE_E_SENML_NAME)
}

/// Reads the `index`-th reading of a pack, the first is 0; its name includes the pack's base name.
///
/// `pack`: what `iotedge_node_body` gave. `reading`: set its `size` first; written on success, zero-terminated texts.
///
/// `IOTEDGE_E_NONE`: the pack has no such reading. Anything else: not a pack of this protocol; applications may send other data.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_reading_decode(
    pack: *const u8,
    pack_len: usize,
    index: usize,
    reading: *mut iotedge_reading_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let pack = Pack::parse(input(pack, pack_len)?).map_err(senml_status)?;
        let reading = OutStruct::new(reading, OLDEST)?;
        let found = pack.iter().nth(index).ok_or(status::IOTEDGE_E_NONE)?;
        let mut value = iotedge_reading_t {
            mantissa: found.value.mantissa(),
            exponent: found.value.exponent().into(),
            time: found.time.unwrap_or(0),
            has_time: found.time.is_some().into(),
            ..EMPTY
        };
        put(
            [pack.base_name().unwrap_or(""), found.name],
            &mut value.name,
        )?;
        put([found.unit.unwrap_or(""), ""], &mut value.unit)?;
        reading.write(&value);
        Ok(())
    })())
}
