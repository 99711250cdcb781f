//! Reads core deterministic CBOR and nothing else.
//!
//! Invariant: a value has one encoding. Long heads, indefinite lengths, map keys unsorted or doubled, floats, undefined
//! and big numbers are refused (RFC 8949 section 4.2.1, narrowed by protocol.md to what the protocol uses). No input
//! makes a call panic, and a call that fails leaves the reader where it was.
//!
//! The calls that begin with `take_` are the same without a result, for who reads many fields: the first that fails breaks the reader, which gives zeros from then
//! on; whoever uses them ends with `intact` or `finish`. That is half the code of a `?` after each (docs/decisions/0026).

use super::{WireError, head_len};
use crate::types::{Id, Prefix};

/// Deepest nesting that `Reader::item` follows; the deepest message of the protocol nests 5.
pub const MAX_DEPTH: u8 = 8;

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

/// A cursor over the caller's bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    /// Why a `take_` failed.
    broken: Option<WireError>,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            input: bytes,
            at: 0,
            broken: None,
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, WireError> {
        self.head(UINT)
    }

    /// An unsigned integer of at most 32 bits.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.uint_to(u32::MAX)
    }

    /// An unsigned integer of at most 16 bits.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.uint_to(u16::MAX.into())
            .and_then(|v| u16::try_from(v).map_err(|_| WireError::Range))
    }

    /// An unsigned integer of at most 8 bits.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.uint_to(u8::MAX.into())
            .and_then(|v| u8::try_from(v).map_err(|_| WireError::Range))
    }

    #[inline(never)]
    fn uint_to(&mut self, most: u32) -> Result<u32, WireError> {
        let at = self.at;
        match u32::try_from(self.uint()?) {
            Ok(value) if value <= most => Ok(value),
            _ => self.back(at, WireError::Range),
        }
    }

    /// A signed integer.
    #[inline(never)]
    pub fn int(&mut self) -> Result<i64, WireError> {
        let at = self.at;
        let negative = self.major()? != UINT;
        let argument = match negative {
            true => self.head(NEGATIVE)?,
            false => self.uint()?,
        };
        match i64::try_from(argument) {
            // -1 - n has the bits of !n.
            Ok(value) if negative => Ok(!value),
            Ok(value) => Ok(value),
            Err(_) => self.back(at, WireError::Range),
        }
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        self.string(BYTES)
    }

    /// A byte string of exactly `N` bytes.
    pub fn bytes_of<const N: usize>(&mut self) -> Result<&'a [u8; N], WireError> {
        let bytes = self.bytes_long(N)?;
        bytes.try_into().map_err(|_| WireError::Range)
    }

    #[inline(never)]
    fn bytes_long(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let at = self.at;
        match self.bytes()? {
            bytes if bytes.len() == len => Ok(bytes),
            _ => self.back(at, WireError::Range),
        }
    }

    /// A text string.
    #[inline(never)]
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        let at = self.at;
        match core::str::from_utf8(self.string(TEXT)?) {
            Ok(text) => Ok(text),
            Err(_) => self.back(at, WireError::Range),
        }
    }

    /// The head of an array; gives the number of items that follow.
    #[inline(never)]
    pub fn array(&mut self) -> Result<usize, WireError> {
        let at = self.at;
        let count = self.head(ARRAY)?;
        self.plausible(at, count)
    }

    /// The head of an array that must have `count` items.
    #[inline(never)]
    pub fn array_of(&mut self, count: usize) -> Result<(), WireError> {
        let at = self.at;
        match self.array()? == count {
            true => Ok(()),
            false => self.back(at, WireError::Range),
        }
    }

    /// The head of a map; gives the number of pairs. Prefer `map_in_order`, which also checks the keys.
    #[inline(never)]
    pub fn map(&mut self) -> Result<usize, WireError> {
        let at = self.at;
        let pairs = self.head(MAP)?;
        self.plausible(at, pairs.saturating_mul(2))?;
        // Not above what was just believed.
        usize::try_from(pairs).map_err(|_| WireError::Range)
    }

    /// The head of a map, and the guard through which its keys are read in their one allowed order.
    pub fn map_in_order(&mut self) -> Result<MapOrder<'a>, WireError> {
        Ok(MapOrder {
            left: self.map()?,
            last: &[],
        })
    }

    /// The head of a tagged item; gives the tag.
    pub fn tag(&mut self) -> Result<u64, WireError> {
        self.head(TAG)
    }

    /// Null.
    #[inline(never)]
    pub fn null(&mut self) -> Result<(), WireError> {
        match self.peek()? {
            NULL => {
                self.at = self.at.saturating_add(1);
                Ok(())
            }
            _ => Err(WireError::Type),
        }
    }

    /// True or false.
    pub fn bool(&mut self) -> Result<bool, WireError> {
        let value = match self.peek()? {
            FALSE => false,
            TRUE => true,
            _ => return Err(WireError::Type),
        };
        self.at = self.at.saturating_add(1);
        Ok(value)
    }

    /// Whether null comes next.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.peek() == Ok(NULL)
    }

    /// Reads null where it comes next, and says so.
    #[inline(never)]
    pub fn skip_null(&mut self) -> bool {
        self.null().is_ok()
    }

    /// An id: a byte string of 32.
    pub fn id(&mut self) -> Result<Id, WireError> {
        self.bytes_of::<32>().map(|b| Id(*b))
    }

    /// An id prefix: a byte string of 16.
    pub fn prefix(&mut self) -> Result<Prefix, WireError> {
        self.bytes_of::<16>().map(|b| Prefix(*b))
    }

    /// One whole item of any type; gives its bytes. Maps inside have their keys checked.
    #[inline(never)]
    pub fn item(&mut self) -> Result<&'a [u8], WireError> {
        let at = self.at;
        match self.skip(MAX_DEPTH) {
            Ok(()) => Ok(self.since(at)),
            Err(error) => self.back(at, error),
        }
    }

    /// The end: nothing may follow, and nothing was taken that was not there.
    #[inline(never)]
    pub fn finish(&self) -> Result<(), WireError> {
        self.intact()?;
        match self.is_at_end() {
            true => Ok(()),
            false => Err(WireError::TrailingBytes),
        }
    }

    /// Whether all bytes are read.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.at >= self.input.len()
    }

    /// The bytes that are not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.at..).unwrap_or(&[])
    }

    /// How many bytes are read.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The bytes from an earlier `position` up to here.
    #[must_use]
    #[inline(never)]
    pub fn since(&self, position: usize) -> &'a [u8] {
        self.input.get(position..self.at).unwrap_or(&[])
    }

    /// Why a `take_` failed, if one did.
    pub const fn intact(&self) -> Result<(), WireError> {
        match self.broken {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// Breaks the reader, as a `take_` that fails; the first reason stays.
    #[inline(never)]
    pub fn break_off(&mut self, error: WireError) {
        if self.broken.is_none() {
            self.broken = Some(error);
        }
    }

    /// [`uint`](Self::uint), or 0.
    #[inline(never)]
    pub fn take_uint(&mut self) -> u64 {
        self.uint().unwrap_or_else(|error| {
            self.break_off(error);
            0
        })
    }

    /// [`u32`](Self::u32), or 0.
    pub fn take_u32(&mut self) -> u32 {
        self.take_to(u32::MAX)
    }

    /// [`u16`](Self::u16), or 0.
    pub fn take_u16(&mut self) -> u16 {
        // Not above: the cast is exact.
        self.take_to(u16::MAX.into()) as u16
    }

    /// [`u8`](Self::u8), or 0.
    pub fn take_u8(&mut self) -> u8 {
        // As above.
        self.take_to(u8::MAX.into()) as u8
    }

    #[inline(never)]
    fn take_to(&mut self, most: u32) -> u32 {
        self.uint_to(most).unwrap_or_else(|error| {
            self.break_off(error);
            0
        })
    }

    /// [`bytes`](Self::bytes), or none.
    #[inline(never)]
    pub fn take_bytes(&mut self) -> &'a [u8] {
        self.bytes().unwrap_or_else(|error| {
            self.break_off(error);
            &[]
        })
    }

    /// [`bytes_of`](Self::bytes_of), or zeros.
    pub fn take_bytes_of<const N: usize>(&mut self) -> &'a [u8; N] {
        const { assert!(N <= ZEROS.len()) };
        let bytes = self.take_long(N);
        bytes.first_chunk().unwrap_or(&[0; N])
    }

    /// `len` bytes, whatever happens.
    #[inline(never)]
    fn take_long(&mut self, len: usize) -> &'a [u8] {
        self.bytes_long(len).unwrap_or_else(|error| {
            self.break_off(error);
            ZEROS.get(..len).unwrap_or(&[])
        })
    }

    /// [`id`](Self::id), or zero.
    #[inline(never)]
    pub fn take_id(&mut self) -> Id {
        Id(*self.take_bytes_of())
    }

    /// [`item`](Self::item), or none.
    #[inline(never)]
    pub fn take_item(&mut self) -> &'a [u8] {
        self.item().unwrap_or_else(|error| {
            self.break_off(error);
            &[]
        })
    }

    /// [`array`](Self::array), or 0.
    #[inline(never)]
    pub fn take_array(&mut self) -> usize {
        self.array().unwrap_or_else(|error| {
            self.break_off(error);
            0
        })
    }

    /// [`int`](Self::int), or 0.
    #[inline(never)]
    pub fn take_int(&mut self) -> i64 {
        self.int().unwrap_or_else(|error| {
            self.break_off(error);
            0
        })
    }

    /// [`map`](Self::map), or 0.
    #[inline(never)]
    pub fn take_map(&mut self) -> usize {
        self.map().unwrap_or_else(|error| {
            self.break_off(error);
            0
        })
    }

    /// [`text`](Self::text), or none.
    pub fn take_text(&mut self) -> &'a str {
        self.text().unwrap_or_else(|error| {
            self.break_off(error);
            ""
        })
    }

    /// [`array_of`](Self::array_of).
    #[inline(never)]
    pub fn take_array_of(&mut self, count: usize) {
        if let Err(error) = self.array_of(count) {
            self.break_off(error);
        }
    }

    fn skip(&mut self, depth: u8) -> Result<(), WireError> {
        let depth = depth.checked_sub(1).ok_or(WireError::TooDeep)?;
        match self.major()? {
            // Negative ones down to -2^64, below what i64 holds: not ours to read, yet an item.
            major @ (UINT | NEGATIVE) => self.head(major).map(drop),
            BYTES => self.bytes().map(drop),
            TEXT => self.text().map(drop),
            ARRAY => {
                for _ in 0..self.array()? {
                    self.skip(depth)?;
                }
                Ok(())
            }
            MAP => {
                let mut order = self.map_in_order()?;
                while order.advance(self, |r| r.skip(depth))?.is_some() {
                    self.skip(depth)?;
                }
                Ok(())
            }
            TAG => match self.tag()? {
                // Big numbers: a second encoding of small ones, and no field takes a large one.
                2 | 3 => Err(WireError::Type),
                _ => self.skip(depth),
            },
            _ => match self.peek()? {
                // False, true or null: one byte.
                FALSE..=NULL => {
                    self.at = self.at.saturating_add(1);
                    Ok(())
                }
                _ => Err(WireError::Type),
            },
        }
    }

    /// The next byte; every call that has a result comes by here, so that a broken reader gives none.
    fn peek(&self) -> Result<u8, WireError> {
        self.intact()?;
        self.input.get(self.at).copied().ok_or(WireError::Truncated)
    }

    fn major(&self) -> Result<u8, WireError> {
        self.peek().map(|first| first >> 5)
    }

    /// Goes back to where a call began, and refuses.
    fn back<T>(&mut self, at: usize, error: WireError) -> Result<T, WireError> {
        self.at = at;
        Err(error)
    }

    /// A count of items is believed only up to the bytes that are there: each takes at least one.
    fn plausible(&mut self, at: usize, count: u64) -> Result<usize, WireError> {
        match usize::try_from(count) {
            Ok(count) if count <= self.rest().len() => Ok(count),
            _ => self.back(at, WireError::Truncated),
        }
    }

    #[inline(never)]
    fn string(&mut self, major: u8) -> Result<&'a [u8], WireError> {
        let len = self.head(major)?;
        let at = self.at;
        // `head` looked that they are there.
        self.at = at.saturating_add(usize::try_from(len).unwrap_or(0));
        Ok(self.since(at))
    }

    /// One head of type `major`: gives its argument. What follows the head of a string is there. Held against the shortest form.
    #[inline(never)]
    fn head(&mut self, major: u8) -> Result<u64, WireError> {
        let first = self.peek()?;
        if first >> 5 != major {
            return Err(WireError::Type);
        }
        let info = first & 0x1f;
        let mut at = self.at.saturating_add(1);
        let mut argument = u64::from(info);
        if info >= 24 {
            // 28 to 30 are not assigned, 31 is an indefinite length.
            if info > 27 {
                return Err(WireError::NotDeterministic);
            }
            let end = at.saturating_add(1 << (info & 3));
            let bytes = self.input.get(at..end).ok_or(WireError::Truncated)?;
            argument = 0;
            for byte in bytes {
                argument = argument << 8 | u64::from(*byte);
            }
            at = end;
        }
        let behind = self.input.len().saturating_sub(at) as u64;
        if matches!(major, BYTES | TEXT) && argument > behind {
            return Err(WireError::Truncated);
        }
        if at.saturating_sub(self.at) != head_len(argument) {
            return Err(WireError::NotDeterministic);
        }
        self.at = at;
        Ok(argument)
    }
}

/// What a broken reader gives for bytes of a fixed length, at most a signature.
const ZEROS: &[u8; 64] = &[0; 64];

/// Reads the keys of one map and refuses any that is not above the one before, bytewise.
#[derive(Clone, Debug)]
pub struct MapOrder<'a> {
    left: usize,
    last: &'a [u8],
}

impl<'a> MapOrder<'a> {
    /// The next key as encoded, or `None` after the last pair. Read its value before asking again.
    pub fn next_key(&mut self, reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, WireError> {
        self.advance(reader, |r| r.item().map(drop))
    }

    /// The next key where all keys are integers (COSE labels), or `None` after the last pair.
    pub fn next_int(&mut self, reader: &mut Reader<'a>) -> Result<Option<i64>, WireError> {
        let mut label = 0;
        let key = self.advance(reader, |r| {
            label = r.int()?;
            Ok(())
        })?;
        Ok(key.map(|_| label))
    }

    fn advance(
        &mut self,
        reader: &mut Reader<'a>,
        read: impl FnOnce(&mut Reader<'a>) -> Result<(), WireError>,
    ) -> Result<Option<&'a [u8]>, WireError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        let last = self.last;
        let at = reader.at;
        let done = read(reader).and_then(|()| {
            // The empty `last` of the first key is below every key.
            match reader.since(at) {
                key if key > last => Ok(key),
                _ => Err(WireError::NotDeterministic),
            }
        });
        let key = done.inspect_err(|_| reader.at = at)?;
        self.left = left;
        self.last = key;
        Ok(Some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Writer;
    use proptest::prelude::*;

    fn refuse(hex: &str) -> WireError {
        let bytes = hex::decode(hex).unwrap();
        let mut reader = Reader::new(&bytes);
        let error = reader
            .item()
            .and_then(|_| reader.finish())
            .expect_err("must be refused");
        assert!(reader.position() == 0 || error == WireError::TrailingBytes);
        error
    }

    #[test]
    fn other_encodings_are_refused() {
        use WireError::*;
        for (hex, want) in [
            ("", Truncated),
            ("1817", NotDeterministic),
            ("1900ff", NotDeterministic),
            ("1a0000ffff", NotDeterministic),
            ("1b00000000ffffffff", NotDeterministic),
            ("3817", NotDeterministic),
            ("3b00000000ffffffff", NotDeterministic),
            ("5801aa", NotDeterministic),
            ("780161", NotDeterministic),
            ("980101", NotDeterministic),
            ("b8010101", NotDeterministic),
            ("d81201", NotDeterministic),
            ("5f41aaff", NotDeterministic),
            ("7f6161ff", NotDeterministic),
            ("9f01ff", NotDeterministic),
            ("bf0101ff", NotDeterministic),
            ("1c", NotDeterministic),
            ("a202010101", NotDeterministic),
            ("a201010102", NotDeterministic),
            ("a2200101020000", NotDeterministic),
            ("f90000", Type),
            ("fa00000000", Type),
            ("fb0000000000000000", Type),
            ("f7", Type),
            ("f818", Type),
            ("ff", Type),
            ("c24101", Type),
            ("61ff", Range),
            ("18", Truncated),
            ("42aa", Truncated),
            ("8201", Truncated),
            ("9bffffffffffffffff", Truncated),
            ("bbffffffffffffffff", Truncated),
            ("5bffffffffffffffff", Truncated),
            ("a101", Truncated),
            ("0101", TrailingBytes),
            ("8181818181818181", Truncated),
            ("818181818181818101", TooDeep),
            ("d2d2d2d2d2d2d2d201", TooDeep),
        ] {
            assert_eq!(refuse(hex), want, "{hex}");
        }
    }

    #[test]
    fn numbers_out_of_range() {
        let wide = hex::decode("1b8000000000000000").unwrap();
        assert_eq!(Reader::new(&wide).int(), Err(WireError::Range));
        assert_eq!(Reader::new(&wide).uint(), Ok(1 << 63));
        let low = hex::decode("3bffffffffffffffff").unwrap();
        assert_eq!(Reader::new(&low).int(), Err(WireError::Range));
        assert_eq!(Reader::new(&low).item(), Ok(low.as_slice()));
        let lowest = hex::decode("3b7fffffffffffffff").unwrap();
        assert_eq!(Reader::new(&lowest).int(), Ok(i64::MIN));
        let mut r = Reader::new(&[0x19, 1, 0]);
        assert_eq!(r.u8(), Err(WireError::Range));
        assert_eq!(r.u16(), Ok(256));
    }

    #[test]
    fn keys_come_in_order() {
        // {1: 1, 4: 4, -1: -1}
        let bytes = hex::decode("a3010104042020").unwrap();
        let mut r = Reader::new(&bytes);
        let mut order = r.map_in_order().unwrap();
        let mut seen = Vec::new();
        while let Some(key) = order.next_int(&mut r).unwrap() {
            assert_eq!(r.int(), Ok(key));
            seen.push(key);
        }
        assert_eq!(seen, [1, 4, -1]);
        assert_eq!(r.finish(), Ok(()));
    }

    /// A value of the protocol's data model, for the properties below.
    #[derive(Clone, Debug)]
    enum Value {
        Uint(u64),
        Int(i64),
        Bytes(Vec<u8>),
        Text(String),
        Null,
        Array(Vec<Value>),
        Map(std::collections::BTreeMap<Vec<u8>, Value>),
        Tag(u64, Box<Value>),
    }

    impl Value {
        fn write(&self, w: &mut Writer<'_>) {
            match self {
                Self::Uint(v) => w.uint(*v).unwrap(),
                Self::Int(v) => w.int(*v).unwrap(),
                Self::Bytes(v) => w.bytes(v).unwrap(),
                Self::Text(v) => w.text(v).unwrap(),
                Self::Null => w.null().unwrap(),
                Self::Array(v) => {
                    w.array(v.len()).unwrap();
                    v.iter().for_each(|v| v.write(w));
                }
                Self::Map(v) => {
                    w.map(v.len()).unwrap();
                    for (key, v) in v {
                        w.raw(key).unwrap();
                        v.write(w);
                    }
                }
                Self::Tag(t, v) => {
                    w.tag(*t).unwrap();
                    v.write(w);
                }
            }
        }

        fn read_back(&self, r: &mut Reader<'_>) {
            match self {
                Self::Uint(v) => assert_eq!(r.uint(), Ok(*v)),
                Self::Int(v) => assert_eq!(r.int(), Ok(*v)),
                Self::Bytes(v) => assert_eq!(r.bytes(), Ok(v.as_slice())),
                Self::Text(v) => assert_eq!(r.text(), Ok(v.as_str())),
                Self::Null => assert_eq!(r.null(), Ok(())),
                Self::Array(v) => {
                    assert_eq!(r.array(), Ok(v.len()));
                    v.iter().for_each(|v| v.read_back(r));
                }
                Self::Map(v) => {
                    let mut order = r.map_in_order().unwrap();
                    for (key, v) in v {
                        assert_eq!(order.next_key(r), Ok(Some(key.as_slice())));
                        v.read_back(r);
                    }
                    assert_eq!(order.next_key(r), Ok(None));
                }
                Self::Tag(t, v) => {
                    assert_eq!(r.tag(), Ok(*t));
                    v.read_back(r);
                }
            }
        }
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        any::<i64>().prop_map(|v| {
            let mut buf = [0u8; 16];
            let mut w = Writer::new(&mut buf);
            w.int(v >> (v & 63)).unwrap();
            w.written().to_vec()
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let number = (any::<u64>(), 0u32..64).prop_map(|(v, s)| v >> s);
        let leaf = prop_oneof![
            number.clone().prop_map(Value::Uint),
            (any::<i64>(), 0u32..64).prop_map(|(v, s)| Value::Int(v >> s)),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
            ".{0,12}".prop_map(Value::Text),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 24, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::btree_map(key(), inner.clone(), 0..5).prop_map(Value::Map),
                (number.clone().prop_map(|t| t.max(4)), inner)
                    .prop_map(|(t, v)| Value::Tag(t, Box::new(v))),
            ]
        })
    }

    fn encode(value: &Value) -> Vec<u8> {
        let mut buf = [0u8; 8192];
        let mut w = Writer::new(&mut buf);
        value.write(&mut w);
        w.written().to_vec()
    }

    /// Where each head of a deterministic item begins, with its length.
    fn heads(bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut at = 0;
        let mut found = Vec::new();
        while at < bytes.len() {
            let len = match bytes[at] & 0x1f {
                24 => 2,
                25 => 3,
                26 => 5,
                27 => 9,
                _ => 1,
            };
            found.push((at, len));
            let major = bytes[at] >> 5;
            let argument = bytes[at + 1..at + len]
                .iter()
                .fold(0usize, |n, b| n << 8 | *b as usize);
            let argument = if len == 1 {
                (bytes[at] & 0x1f) as usize
            } else {
                argument
            };
            at += len;
            if major == BYTES || major == TEXT {
                at += argument;
            }
        }
        found
    }

    /// The same head, one size longer than needed.
    fn longer(head: &[u8]) -> Vec<u8> {
        let major = head[0] & 0xe0;
        let (info, width) = match head.len() {
            1 => (24, 1),
            2 => (25, 2),
            3 => (26, 4),
            _ => (27, 8),
        };
        let argument: Vec<u8> = match head.len() {
            1 => vec![head[0] & 0x1f],
            _ => head[1..].to_vec(),
        };
        let mut out = vec![major | info];
        out.resize(1 + width - argument.len(), 0);
        out.extend(argument);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_written_is_read(value in value()) {
            let bytes = encode(&value);
            let mut r = Reader::new(&bytes);
            value.read_back(&mut r);
            prop_assert_eq!(r.finish(), Ok(()));
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(r.item(), Ok(bytes.as_slice()));
        }

        #[test]
        fn no_longer_head_is_read(value in value()) {
            let bytes = encode(&value);
            for (at, len) in heads(&bytes) {
                // Nine bytes have no longer form, and simple values are no heads with an argument.
                if len == 9 || bytes[at] >> 5 == 7 {
                    continue;
                }
                let mut other = bytes[..at].to_vec();
                other.extend(longer(&bytes[at..at + len]));
                other.extend(&bytes[at + len..]);
                let mut r = Reader::new(&other);
                prop_assert_eq!(r.item(), Err(WireError::NotDeterministic));
                prop_assert_eq!(r.position(), 0);
            }
        }

        #[test]
        fn cut_bytes_are_truncated(value in value()) {
            let bytes = encode(&value);
            for end in 0..bytes.len() {
                let refused = Reader::new(&bytes[..end]).item();
                prop_assert!(matches!(refused, Err(WireError::Truncated | WireError::Range)));
            }
        }

        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut r = Reader::new(&bytes);
            if let Ok(item) = r.item() {
                prop_assert_eq!(&bytes[..item.len()], item);
            }
            for call in 0..12 {
                let mut r = Reader::new(&bytes);
                let failed = match call {
                    0 => r.uint().is_err(),
                    1 => r.int().is_err(),
                    2 => r.bytes().is_err(),
                    3 => r.text().is_err(),
                    4 => r.array().is_err(),
                    5 => r.map().is_err(),
                    6 => r.tag().is_err(),
                    7 => r.null().is_err(),
                    8 => r.id().is_err(),
                    9 => r.u8().is_err(),
                    10 => r.array_of(2).is_err(),
                    _ => r.item().is_err(),
                };
                prop_assert!(!failed || r.position() == 0);
            }
        }
    }
}
