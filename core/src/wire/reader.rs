//! Reads core deterministic CBOR and nothing else.
//!
//! Invariant: a value has one encoding. Long heads, indefinite lengths, map keys unsorted or doubled, floats, undefined
//! and big numbers are refused (RFC 8949 section 4.2.1, narrowed by protocol.md to what the protocol uses). No input
//! makes a call panic, and a call that fails leaves the reader where it was.

use super::{WireError, head_len};
use crate::types::{Id, Prefix};
use minicbor::Decoder;
use minicbor::decode::Error;

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
const NULL: u8 = 0xf6;

/// A decoded value, the argument of its head, and how many bytes of content follow the head.
type Decoded<T> = Result<(T, u64, usize), Error>;

/// A cursor over the caller's bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    decoder: Decoder<'a>,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            decoder: Decoder::new(bytes),
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, WireError> {
        self.take(UINT, |d| d.u64().map(|v| (v, v, 0)))
    }

    /// An unsigned integer of at most 32 bits.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.whole(|r| u32::try_from(r.uint()?).map_err(|_| WireError::Range))
    }

    /// An unsigned integer of at most 16 bits.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.whole(|r| u16::try_from(r.uint()?).map_err(|_| WireError::Range))
    }

    /// An unsigned integer of at most 8 bits.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.whole(|r| u8::try_from(r.uint()?).map_err(|_| WireError::Range))
    }

    /// A signed integer.
    pub fn int(&mut self) -> Result<i64, WireError> {
        if self.major()? == UINT {
            return self.whole(|r| i64::try_from(r.uint()?).map_err(|_| WireError::Range));
        }
        // -1 - n has the bits of !n, which is how a value gives back the argument of its head.
        self.take(NEGATIVE, |d| d.i64().map(|v| (v, (!v).cast_unsigned(), 0)))
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        self.take(BYTES, |d| d.bytes().map(|v| (v, length(v), v.len())))
    }

    /// A byte string of exactly `N` bytes.
    pub fn bytes_of<const N: usize>(&mut self) -> Result<&'a [u8; N], WireError> {
        self.whole(|r| r.bytes()?.try_into().map_err(|_| WireError::Range))
    }

    /// A text string.
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        self.take(TEXT, |d| {
            d.str().map(|v| (v, length(v.as_bytes()), v.len()))
        })
    }

    /// The head of an array; gives the number of items that follow.
    pub fn array(&mut self) -> Result<usize, WireError> {
        self.whole(|r| {
            let count = r.take(ARRAY, |d| {
                d.array().map(|v| v.unwrap_or(0)).map(|v| (v, v, 0))
            })?;
            r.plausible(count)
        })
    }

    /// The head of an array that must have `count` items.
    pub fn array_of(&mut self, count: usize) -> Result<(), WireError> {
        self.whole(|r| match r.array()? == count {
            true => Ok(()),
            false => Err(WireError::Range),
        })
    }

    /// The head of a map; gives the number of pairs. Prefer `map_in_order`, which also checks the keys.
    pub fn map(&mut self) -> Result<usize, WireError> {
        self.whole(|r| {
            let pairs = r.take(MAP, |d| d.map().map(|v| v.unwrap_or(0)).map(|v| (v, v, 0)))?;
            r.plausible(pairs.saturating_mul(2))?;
            usize::try_from(pairs).map_err(|_| WireError::Range)
        })
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
        self.take(TAG, |d| d.tag().map(|t| (t.as_u64(), t.as_u64(), 0)))
    }

    /// Null.
    pub fn null(&mut self) -> Result<(), WireError> {
        match self.peek()? {
            NULL => self.decoder.null().map_err(|_| WireError::Type),
            _ => Err(WireError::Type),
        }
    }

    /// Whether null comes next.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.peek() == Ok(NULL)
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
    pub fn item(&mut self) -> Result<&'a [u8], WireError> {
        self.whole(|r| {
            let at = r.position();
            r.skip(MAX_DEPTH)?;
            Ok(r.since(at))
        })
    }

    /// The end: nothing may follow.
    pub fn finish(&self) -> Result<(), WireError> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(WireError::TrailingBytes),
        }
    }

    /// Whether all bytes are read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// The bytes that are not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.decoder.input().get(self.position()..).unwrap_or(&[])
    }

    /// How many bytes are read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.decoder.position()
    }

    /// The bytes from an earlier `position` up to here.
    #[must_use]
    pub fn since(&self, position: usize) -> &'a [u8] {
        let input = self.decoder.input();
        input.get(position..self.position()).unwrap_or(&[])
    }

    fn skip(&mut self, depth: u8) -> Result<(), WireError> {
        let depth = depth.checked_sub(1).ok_or(WireError::TooDeep)?;
        match self.major()? {
            UINT => self.uint().map(drop),
            // Down to -2^64, below what i64 holds: not ours to read, yet an item.
            NEGATIVE => self.take(NEGATIVE, |d| {
                d.int().map(|v| ((), negative_argument(v.into()), 0))
            }),
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
                FALSE..=NULL => self.simple(),
                _ => Err(WireError::Type),
            },
        }
    }

    /// False, true or null: one byte, checked by the caller.
    fn simple(&mut self) -> Result<(), WireError> {
        let next = self.position().checked_add(1).ok_or(WireError::Truncated)?;
        self.decoder.set_position(next);
        Ok(())
    }

    fn peek(&self) -> Result<u8, WireError> {
        let first = self.decoder.input().get(self.position());
        first.copied().ok_or(WireError::Truncated)
    }

    fn major(&self) -> Result<u8, WireError> {
        self.peek().map(|first| first >> 5)
    }

    /// A count of items is believed only up to the bytes that are there: each takes at least one.
    fn plausible(&self, count: u64) -> Result<usize, WireError> {
        match usize::try_from(count) {
            Ok(count) if count <= self.rest().len() => Ok(count),
            _ => Err(WireError::Truncated),
        }
    }

    /// Runs `read`; when it fails, goes back to where it began.
    fn whole<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        let at = self.position();
        read(self).inspect_err(|_| self.decoder.set_position(at))
    }

    /// Decodes one head of type `major` with what belongs to it, and holds it against the shortest form.
    fn take<T>(
        &mut self,
        major: u8,
        decode: impl FnOnce(&mut Decoder<'a>) -> Decoded<T>,
    ) -> Result<T, WireError> {
        let first = self.peek()?;
        if first >> 5 != major {
            return Err(WireError::Type);
        }
        // 28 to 30 are not assigned, 31 is an indefinite length.
        if first & 0x1f > 27 {
            return Err(WireError::NotDeterministic);
        }
        self.whole(|r| {
            let at = r.position();
            let (value, argument, content) = decode(&mut r.decoder).map_err(refusal)?;
            let head = r.since(at).len().checked_sub(content);
            match head == Some(head_len(argument)) {
                true => Ok(value),
                false => Err(WireError::NotDeterministic),
            }
        })
    }
}

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
        let key = reader.whole(|r| {
            let at = r.position();
            read(r)?;
            // The empty `last` of the first key is below every key.
            match r.since(at) {
                key if key > last => Ok(key),
                _ => Err(WireError::NotDeterministic),
            }
        })?;
        self.left = left;
        self.last = key;
        Ok(Some(key))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The n of a negative integer -1 - n.
fn negative_argument(value: i128) -> u64 {
    u64::try_from(!value).unwrap_or(u64::MAX)
}

fn refusal(error: Error) -> WireError {
    if error.is_end_of_input() {
        return WireError::Truncated;
    }
    // The type and the form of the head are checked before: what is left is a number too large or text that is not UTF-8.
    WireError::Range
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
