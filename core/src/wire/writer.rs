//! Writes core deterministic CBOR into memory that the caller gave.
//!
//! Invariant: heads are always the shortest and lengths definite (RFC 8949 section 4.2.1), and a call that fails has
//! written nothing, so what `written` shows is always a whole number of calls. Order of map keys is the caller's duty;
//! every map of the protocol is written from a fixed sequence.

use super::WireError;
use crate::copy::copy;
use crate::types::{Id, Prefix};
use minicbor::data::Tag;
use minicbor::encode::write::Cursor;

type Encoder<'a> = minicbor::Encoder<Cursor<&'a mut [u8]>>;
type Step = Result<(), WireError>;

/// A cursor over the caller's buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    encoder: Encoder<'a>,
}

impl<'a> Writer<'a> {
    /// Starts at the beginning of `out`.
    #[must_use]
    pub fn new(out: &'a mut [u8]) -> Self {
        Self {
            encoder: Encoder::new(Cursor::new(out)),
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> Step {
        self.step(|e| e.u64(value).is_ok())
    }

    /// A signed integer.
    pub fn int(&mut self, value: i64) -> Step {
        self.step(|e| e.i64(value).is_ok())
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> Step {
        self.step(|e| e.bytes(value).is_ok())
    }

    /// The head of a byte string of `len` bytes; the content follows by `raw`.
    pub fn bytes_head(&mut self, len: usize) -> Step {
        let len = u64::try_from(len).map_err(|_| WireError::Range)?;
        self.step(|e| e.bytes_len(len).is_ok())
    }

    /// A text string.
    pub fn text(&mut self, value: &str) -> Step {
        self.step(|e| e.str(value).is_ok())
    }

    /// The head of an array of `count` items.
    pub fn array(&mut self, count: usize) -> Step {
        let count = u64::try_from(count).map_err(|_| WireError::Range)?;
        self.step(|e| e.array(count).is_ok())
    }

    /// The head of a map of `pairs` pairs. Write the keys in bytewise order of their encoding.
    pub fn map(&mut self, pairs: usize) -> Step {
        let pairs = u64::try_from(pairs).map_err(|_| WireError::Range)?;
        self.step(|e| e.map(pairs).is_ok())
    }

    /// The head of a tagged item.
    pub fn tag(&mut self, tag: u64) -> Step {
        self.step(|e| e.tag(Tag::new(tag)).is_ok())
    }

    /// Null.
    pub fn null(&mut self) -> Step {
        self.step(|e| e.null().is_ok())
    }

    /// An id, as a byte string of 32.
    pub fn id(&mut self, id: &Id) -> Step {
        self.bytes(&id.0)
    }

    /// An id prefix, as a byte string of 16.
    pub fn prefix(&mut self, prefix: &Prefix) -> Step {
        self.bytes(&prefix.0)
    }

    /// Bytes as they are: an item that is encoded already, or the content after `bytes_head`.
    pub fn raw(&mut self, value: &[u8]) -> Step {
        let cursor = self.encoder.writer_mut();
        let at = cursor.position();
        let room = cursor.get_mut().get_mut(at..).ok_or(WireError::Full)?;
        let target = room.get_mut(..value.len()).ok_or(WireError::Full)?;
        copy(target, value);
        cursor.set_position(at.saturating_add(value.len()));
        Ok(())
    }

    /// How many bytes are written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.encoder.writer().position()
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.encoder
            .writer()
            .get_ref()
            .get(..self.len())
            .unwrap_or(&[])
    }

    /// What was written, for as long as the buffer lives.
    #[must_use]
    pub fn into_written(self) -> &'a [u8] {
        let len = self.len();
        let out: &'a [u8] = self.encoder.into_writer().into_inner();
        out.get(..len).unwrap_or(&[])
    }

    /// Runs one encoding; on failure takes back what it wrote of the item.
    fn step(&mut self, encode: impl FnOnce(&mut Encoder<'a>) -> bool) -> Step {
        let at = self.len();
        if encode(&mut self.encoder) {
            return Ok(());
        }
        self.encoder.writer_mut().set_position(at);
        Err(WireError::Full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(f: impl FnOnce(&mut Writer<'_>) -> Step) -> Vec<u8> {
        let mut buf = [0u8; 64];
        let mut w = Writer::new(&mut buf);
        f(&mut w).unwrap();
        w.written().to_vec()
    }

    #[test]
    fn rfc8949_appendix_a() {
        assert_eq!(write(|w| w.uint(23)), [0x17]);
        assert_eq!(write(|w| w.uint(24)), [0x18, 24]);
        assert_eq!(write(|w| w.uint(1000)), [0x19, 3, 0xe8]);
        assert_eq!(write(|w| w.uint(1_000_000)), [0x1a, 0, 0x0f, 0x42, 0x40]);
        assert_eq!(
            write(|w| w.uint(u64::MAX)),
            [0x1b, 255, 255, 255, 255, 255, 255, 255, 255]
        );
        assert_eq!(write(|w| w.int(-1)), [0x20]);
        assert_eq!(write(|w| w.int(-1000)), [0x39, 3, 0xe7]);
        assert_eq!(write(|w| w.bytes(&[1, 2, 3, 4])), [0x44, 1, 2, 3, 4]);
        assert_eq!(write(|w| w.text("IETF")), [0x64, 0x49, 0x45, 0x54, 0x46]);
        assert_eq!(write(|w| w.array(25)), [0x98, 25]);
        assert_eq!(write(|w| w.map(2)), [0xa2]);
        assert_eq!(write(|w| w.tag(18)), [0xd2]);
        assert_eq!(write(|w| w.null()), [0xf6]);
    }

    #[test]
    fn a_failed_call_writes_nothing() {
        let mut buf = [0u8; 4];
        let mut w = Writer::new(&mut buf);
        w.uint(500).unwrap();
        assert_eq!(w.uint(500), Err(WireError::Full));
        assert_eq!(w.bytes(&[1, 2]), Err(WireError::Full));
        assert_eq!(w.raw(&[1, 2]), Err(WireError::Full));
        assert_eq!(w.written(), [0x19, 1, 0xf4]);
        w.null().unwrap();
        assert_eq!(w.null(), Err(WireError::Full));
        assert_eq!(w.into_written(), [0x19, 1, 0xf4, 0xf6]);
    }
}
