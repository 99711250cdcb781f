//! Writes core deterministic CBOR into memory that the caller gave.
//!
//! Invariant: heads are always the shortest and lengths definite (RFC 8949 section 4.2.1), and a call that fails has
//! written nothing, so what `written` shows is always a whole number of calls. Order of map keys is the caller's duty;
//! every map of the protocol is written from a fixed sequence.
//!
//! The calls that begin with `put_` are the same without a result, for who writes many fields: after one that failed nothing more is written, and whoever uses them
//! ends with `intact` (docs/decisions/0026).

use super::{WireError, head_len};
use crate::copy::copy;
use crate::types::{Id, Prefix};

type Step = Result<(), WireError>;

/// A cursor over the caller's buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
    /// Why a `put_` failed.
    broken: Option<WireError>,
}

impl<'a> Writer<'a> {
    /// Starts at the beginning of `out`.
    #[must_use]
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self {
            out,
            at: 0,
            broken: None,
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> Step {
        self.head(0x00, value)
    }

    /// A signed integer.
    #[inline(never)]
    pub fn int(&mut self, value: i64) -> Step {
        match value < 0 {
            // The n of -1 - n has the bits of !value.
            true => self.head(0x20, (!value).cast_unsigned()),
            false => self.head(0x00, value.cast_unsigned()),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> Step {
        self.string(0x40, value)
    }

    /// The head of a byte string of `len` bytes; the content follows by `raw`.
    pub fn bytes_head(&mut self, len: usize) -> Step {
        self.count(0x40, len)
    }

    /// A text string.
    pub fn text(&mut self, value: &str) -> Step {
        self.string(0x60, value.as_bytes())
    }

    /// The head of an array of `count` items.
    pub fn array(&mut self, count: usize) -> Step {
        self.count(0x80, count)
    }

    /// The head of a map of `pairs` pairs. Write the keys in bytewise order of their encoding.
    pub fn map(&mut self, pairs: usize) -> Step {
        self.count(0xa0, pairs)
    }

    /// The head of a tagged item.
    pub fn tag(&mut self, tag: u64) -> Step {
        self.head(0xc0, tag)
    }

    /// Null.
    pub fn null(&mut self) -> Step {
        self.raw(&[0xf6])
    }

    /// True or false.
    pub fn bool(&mut self, value: bool) -> Step {
        self.raw(&[if value { 0xf5 } else { 0xf4 }])
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
    #[inline(never)]
    pub fn raw(&mut self, value: &[u8]) -> Step {
        self.intact()?;
        let end = self.at.saturating_add(value.len());
        let room = self.out.get_mut(self.at..end).ok_or(WireError::Full)?;
        copy(room, value);
        self.at = end;
        Ok(())
    }

    /// How many bytes are written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.at
    }

    /// Whether nothing is written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.out.get(..self.at).unwrap_or(&[])
    }

    /// What was written, for as long as the buffer lives.
    #[must_use]
    pub fn into_written(self) -> &'a [u8] {
        self.out.get(..self.at).unwrap_or(&[])
    }

    /// Why a `put_` failed, if one did.
    pub const fn intact(&self) -> Step {
        match self.broken {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// [`uint`](Self::uint).
    #[inline(never)]
    pub fn put_uint(&mut self, value: u64) {
        let done = self.uint(value);
        self.keep(done);
    }

    /// [`uint`](Self::uint), of 32 bits: most fields are no wider.
    #[inline(never)]
    pub fn put_u32(&mut self, value: u32) {
        self.put_uint(value.into());
    }

    /// [`int`](Self::int).
    #[inline(never)]
    pub fn put_int(&mut self, value: i64) {
        let done = self.int(value);
        self.keep(done);
    }

    /// [`bytes`](Self::bytes).
    #[inline(never)]
    pub fn put_bytes(&mut self, value: &[u8]) {
        let done = self.bytes(value);
        self.keep(done);
    }

    /// [`text`](Self::text).
    #[inline(never)]
    pub fn put_text(&mut self, value: &str) {
        let done = self.text(value);
        self.keep(done);
    }

    /// [`bytes_head`](Self::bytes_head).
    pub fn put_bytes_head(&mut self, len: usize) {
        let done = self.bytes_head(len);
        self.keep(done);
    }

    /// [`id`](Self::id).
    #[inline(never)]
    pub fn put_id(&mut self, id: &Id) {
        self.put_bytes(&id.0);
    }

    /// [`array`](Self::array).
    #[inline(never)]
    pub fn put_array(&mut self, count: usize) {
        let done = self.array(count);
        self.keep(done);
    }

    /// [`map`](Self::map).
    pub fn put_map(&mut self, pairs: usize) {
        let done = self.map(pairs);
        self.keep(done);
    }

    /// [`tag`](Self::tag).
    pub fn put_tag(&mut self, tag: u64) {
        let done = self.tag(tag);
        self.keep(done);
    }

    /// [`null`](Self::null).
    pub fn put_null(&mut self) {
        self.put_raw(&[0xf6]);
    }

    /// [`raw`](Self::raw).
    #[inline(never)]
    pub fn put_raw(&mut self, value: &[u8]) {
        let done = self.raw(value);
        self.keep(done);
    }

    /// Breaks the writer, as a `put_` that fails; the first reason stays.
    pub fn break_off(&mut self, error: WireError) {
        if self.broken.is_none() {
            self.broken = Some(error);
        }
    }

    fn keep(&mut self, done: Step) {
        if let Err(error) = done {
            self.break_off(error);
        }
    }

    #[inline(never)]
    fn count(&mut self, major: u8, count: usize) -> Step {
        // No address is wider than 64 bits.
        self.head(major, count as u64)
    }

    #[inline(never)]
    fn string(&mut self, major: u8, value: &[u8]) -> Step {
        let at = self.at;
        self.count(major, value.len())?;
        // Head and content, or neither.
        self.raw(value).inspect_err(|_| self.at = at)
    }

    /// The shortest head of this type with this argument.
    #[inline(never)]
    fn head(&mut self, major: u8, argument: u64) -> Step {
        let bytes = argument.to_be_bytes();
        let mut head = [0; 9];
        let len = head_len(argument);
        if let Some((first, rest)) = head.split_first_mut() {
            *first = major
                | match len {
                    1 => bytes.last().copied().unwrap_or(0),
                    2 => 24,
                    3 => 25,
                    5 => 26,
                    _ => 27,
                };
            let tail = bytes
                .iter()
                .rev()
                .zip(rest.iter_mut().take(len.saturating_sub(1)).rev());
            tail.for_each(|(from, to)| *to = *from);
        }
        self.raw(head.get(..len).unwrap_or(&[]))
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
        assert_eq!(write(|w| w.bool(false)), [0xf4]);
        assert_eq!(write(|w| w.bool(true)), [0xf5]);
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
