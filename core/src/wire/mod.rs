//! Bytes on the wire: deterministic CBOR in and out, frames, SenML readings, frames on a serial line.
//!
//! Invariant: whatever `Writer` writes `Reader` reads, and no other encoding of the same value is accepted: core
//! deterministic encoding, RFC 8949 section 4.2.1. So bytes can be hashed, signed and compared in place of values, and a
//! signature over one reading of a message is a signature over all of them.

pub mod crc;
pub mod frame;
mod frame_type;
pub mod list;
pub mod merkle;
pub mod near;
pub mod reader;
pub mod said;
pub mod senml;
pub mod serial;
pub mod writer;

pub use frame::{Frame, FrameError};
pub use frame_type::{Certificates, EnrolStatus, FrameType};
pub use list::{List, Raw, Vote};
pub use reader::{MapOrder, Reader};
pub use writer::Writer;

/// Why bytes were refused, or could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WireError {
    /// The bytes end inside an item. Ask for the whole message; a prefix is never acted upon.
    Truncated,
    /// Bytes follow the end of the message. Refuse the message: its sender encodes wrongly.
    TrailingBytes,
    /// Well-formed CBOR that is not core deterministic encoding (long head, indefinite length, keys unsorted or doubled).
    /// Refuse the message.
    NotDeterministic,
    /// Another type stands where this one must (floats and undefined stand nowhere). Refuse the message.
    Type,
    /// A number, length or count outside what the field allows. Refuse the message.
    Range,
    /// The output buffer is too short; nothing of the failed item was written. Give a larger one.
    Full,
    /// Nested deeper than `reader::MAX_DEPTH`. Refuse the message.
    TooDeep,
}

/// Bytes of the shortest head that carries `argument` (RFC 8949 section 3).
#[inline(never)]
pub(crate) const fn head_len(argument: u64) -> usize {
    match argument {
        0..=0x17 => 1,
        0x18..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
