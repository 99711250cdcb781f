//! Sensor readings: SenML packs in CBOR (RFC 8428 section 6), without floats.
//!
//! Invariant: one pack has one encoding. A value is an integer where it fits one, else a decimal fraction (tag 4) without
//! trailing zeros; what is empty is left out; a base name stands only where it saves something, in the first of two or more
//! records. A record holds a name, a value and, where known, a unit and a time: the rest of SenML is refused.

use super::{Reader, WireError, Writer};
use core::fmt;

/// Most bytes of a name; of base name and name together.
pub const MAX_NAME: usize = 32;
/// Most bytes of a unit.
pub const MAX_UNIT: usize = 8;

const NAME: i64 = 0;
const UNIT: i64 = 1;
const VALUE: i64 = 2;
const TIME: i64 = 6;
const BASE_NAME: i64 = -2;
const DECIMAL_FRACTION: u64 = 4;

/// Why a pack was refused, or could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SenmlError {
    /// Not deterministic CBOR of the right types. Not a reading of ours; when building: give a larger buffer (`Full`).
    Wire(WireError),
    /// No record. When building: give at least one.
    Empty,
    /// A field of SenML that this protocol does not use. Not a reading of ours.
    Field,
    /// A record without a value. Not a reading of ours.
    NoValue,
    /// A name that is empty, too long or has characters that RFC 8428 section 4.5.1 does not allow. Choose another.
    Name,
    /// A unit that is empty or too long. Choose one of RFC 8428 section 12.1.
    Unit,
    /// A base name outside the first record, or in a pack of one. Write the whole name in the record.
    BaseName,
    /// A value that has a shorter encoding, or whose exponent leaves -128 to 127. Not a reading of ours.
    NotNormal,
}

impl From<WireError> for SenmlError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// A decimal number, mantissa times ten to the exponent, in its one normal form: equal values are equal here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    mantissa: i64,
    exponent: i8,
}

impl Decimal {
    /// The normal form of `mantissa` times ten to `exponent`; `None` where its exponent leaves -128 to 127.
    #[must_use]
    pub fn new(mantissa: i64, exponent: i8) -> Option<Self> {
        if mantissa == 0 {
            return Some(Self::default());
        }
        let (mut mantissa, mut exponent) = (mantissa, i32::from(exponent));
        while let Some(tenth) = tenth(mantissa) {
            mantissa = tenth;
            exponent = exponent.checked_add(1)?;
        }
        if let Some(integer) = integer(mantissa, exponent) {
            return Some(Self::from(integer));
        }
        let exponent = i8::try_from(exponent).ok()?;
        Some(Self { mantissa, exponent })
    }

    /// The mantissa; with exponent 0 the value itself.
    #[must_use]
    pub const fn mantissa(&self) -> i64 {
        self.mantissa
    }

    /// The power of ten; not 0 only where no 64-bit integer is the value.
    #[must_use]
    pub const fn exponent(&self) -> i8 {
        self.exponent
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        if self.exponent != 0 {
            w.put_tag(DECIMAL_FRACTION);
            w.put_array(2);
            w.put_int(self.exponent.into());
        }
        w.put_int(self.mantissa);
        w.intact()
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, SenmlError> {
        let Ok(tag) = r.tag() else {
            return Ok(Self::from(r.int()?));
        };
        if tag != DECIMAL_FRACTION {
            return Err(WireError::Type.into());
        }
        r.array_of(2)?;
        let exponent = i8::try_from(r.int()?).map_err(|_| SenmlError::NotNormal)?;
        let read = Self {
            exponent,
            mantissa: r.int()?,
        };
        match exponent != 0 && Self::new(read.mantissa, exponent) == Some(read) {
            true => Ok(read),
            false => Err(SenmlError::NotNormal),
        }
    }
}

impl From<i64> for Decimal {
    fn from(mantissa: i64) -> Self {
        Self {
            mantissa,
            exponent: 0,
        }
    }
}

impl fmt::Display for Decimal {
    /// `21` or `215e-1`: a number of JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mantissa)?;
        match self.exponent {
            0 => Ok(()),
            exponent => write!(f, "e{exponent}"),
        }
    }
}

/// Mantissa times ten to the exponent, where that is a 64-bit integer.
fn integer(mantissa: i64, exponent: i32) -> Option<i64> {
    if exponent < 0 {
        return None;
    }
    let mut value = mantissa;
    for _ in 0..exponent {
        if !(i64::MIN / 10..=i64::MAX / 10).contains(&value) {
            return None;
        }
        value = value.wrapping_mul(10);
    }
    Some(value)
}

/// The tenth of a number that is a multiple of ten. By hand: division of 64 bits is a kilobyte on cores that have none.
fn tenth(value: i64) -> Option<i64> {
    let (mut quotient, mut rest) = (value.unsigned_abs(), 0u8);
    for _ in 0..u64::BITS {
        rest = rest << 1 | u8::from(quotient >> 63 != 0);
        quotient <<= 1;
        if rest >= 10 {
            rest = rest.wrapping_sub(10);
            quotient |= 1;
        }
    }
    // A tenth of what fits fits.
    let tenth = quotient.cast_signed();
    (rest == 0).then_some(if value < 0 {
        tenth.wrapping_neg()
    } else {
        tenth
    })
}

/// One record of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<'a> {
    /// What was measured; follows the pack's base name. Empty only where there is a base name.
    pub name: &'a str,
    /// In what (RFC 8428 section 12.1: `Cel`, `%RH`, `W`).
    pub unit: Option<&'a str>,
    /// How much.
    pub value: Decimal,
    /// When, in seconds: since 1970 from 2^28 on, else relative to now (RFC 8428 section 4.5.3). Left out where the
    /// transaction's own time says it.
    pub time: Option<i64>,
}

impl<'a> Reading<'a> {
    fn write(&self, base_name: Option<&str>, w: &mut Writer<'_>) -> Result<(), WireError> {
        let optional = [
            !self.name.is_empty(),
            self.unit.is_some(),
            self.time.is_some(),
            base_name.is_some(),
        ];
        let count = optional.iter().filter(|present| **present).count();
        // The keys in bytewise order: 00, 01, 02, 06, 21.
        w.put_map(count.saturating_add(1));
        if !self.name.is_empty() {
            w.put_int(NAME);
            w.put_text(self.name);
        }
        if let Some(unit) = self.unit {
            w.put_int(UNIT);
            w.put_text(unit);
        }
        w.put_int(VALUE);
        self.value.write(w)?;
        if let Some(time) = self.time {
            w.put_int(TIME);
            w.put_int(time);
        }
        if let Some(base_name) = base_name {
            w.put_int(BASE_NAME);
            w.put_text(base_name);
        }
        w.intact()
    }

    fn read(r: &mut Reader<'a>) -> Result<(Self, Option<&'a str>), SenmlError> {
        let mut name = "";
        let (mut unit, mut value, mut time, mut base_name) = (None, None, None, None);
        let mut order = r.map_in_order()?;
        while let Some(key) = order.next_int(r)? {
            match key {
                NAME => name = not_empty(r.text()?).ok_or(SenmlError::Name)?,
                UNIT => unit = Some(r.text()?),
                VALUE => value = Some(Decimal::read(r)?),
                TIME => time = Some(r.int()?),
                BASE_NAME => base_name = Some(r.text()?),
                _ => return Err(SenmlError::Field),
            }
        }
        let reading = Self {
            name,
            unit,
            value: value.ok_or(SenmlError::NoValue)?,
            time,
        };
        Ok((reading, base_name))
    }

    fn check(&self, base_name: Option<&str>) -> Result<(), SenmlError> {
        let base = base_name.unwrap_or("");
        if base.len().saturating_add(self.name.len()) > MAX_NAME {
            return Err(SenmlError::Name);
        }
        let mut name = base.bytes().chain(self.name.bytes());
        // RFC 8428 section 4.5.1: letters, digits and "-:./_", and a letter or digit first.
        let first = name.next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !first || !name.all(|b| b.is_ascii_alphanumeric() || b"-:./_".contains(&b)) {
            return Err(SenmlError::Name);
        }
        match self.unit {
            Some(unit) if unit.is_empty() || unit.len() > MAX_UNIT => Err(SenmlError::Unit),
            _ => Ok(()),
        }
    }
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A parsed pack.
#[derive(Clone, Copy, Debug)]
pub struct Pack<'a> {
    base_name: Option<&'a str>,
    count: usize,
    records: &'a [u8],
}

impl<'a> Pack<'a> {
    /// Reads a pack; nothing may follow.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SenmlError> {
        let mut r = Reader::new(bytes);
        let count = r.array()?;
        let at = r.position();
        let mut base_name = None;
        for i in 0..count {
            let (reading, base) = Reading::read(&mut r)?;
            match i {
                0 => base_name = check_base(base, count)?,
                _ if base.is_some() => return Err(SenmlError::BaseName),
                _ => {}
            }
            reading.check(base_name)?;
        }
        r.finish()?;
        if count == 0 {
            return Err(SenmlError::Empty);
        }
        Ok(Self {
            base_name,
            count,
            records: r.since(at),
        })
    }

    /// What comes before every name.
    #[must_use]
    pub const fn base_name(&self) -> Option<&'a str> {
        self.base_name
    }

    /// How many readings.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Never: a pack has at least one reading.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The readings in order.
    pub fn iter(&self) -> impl Iterator<Item = Reading<'a>> + use<'a> {
        let mut r = Reader::new(self.records);
        (0..self.count).map_while(move |_| Reading::read(&mut r).ok().map(|(reading, _)| reading))
    }
}

/// Writes a pack to the start of `out` and returns those bytes.
pub fn encode<'o>(
    base_name: Option<&str>,
    readings: &[Reading<'_>],
    out: &'o mut [u8],
) -> Result<&'o [u8], SenmlError> {
    let mut encoder = Encoder::new(base_name, readings.len(), out)?;
    for reading in readings {
        encoder.put(reading)?;
    }
    encoder.finish()
}

/// Writes a pack one reading after the other, so that nobody has to hold all of them.
#[derive(Debug)]
pub struct Encoder<'a, 'o> {
    base_name: Option<&'a str>,
    /// What the next record has to say of it.
    base: Option<&'a str>,
    w: Writer<'o>,
}

impl<'a, 'o> Encoder<'a, 'o> {
    /// Begins a pack of `count` readings at the start of `out`: so many have to be put.
    pub fn new(
        base_name: Option<&'a str>,
        count: usize,
        out: &'o mut [u8],
    ) -> Result<Self, SenmlError> {
        if count == 0 {
            return Err(SenmlError::Empty);
        }
        let base = check_base(base_name, count)?;
        let mut w = Writer::new(out);
        w.array(count)?;
        Ok(Self { base_name, base, w })
    }

    /// The next reading.
    pub fn put(&mut self, reading: &Reading<'_>) -> Result<(), SenmlError> {
        reading.check(self.base_name)?;
        Ok(reading.write(self.base.take(), &mut self.w)?)
    }

    /// The bytes of the pack.
    pub fn finish(self) -> Result<&'o [u8], SenmlError> {
        self.w.intact()?;
        Ok(self.w.into_written())
    }
}

fn check_base(base: Option<&str>, count: usize) -> Result<Option<&str>, SenmlError> {
    match base {
        Some("") => Err(SenmlError::BaseName),
        Some(_) if count < 2 => Err(SenmlError::BaseName),
        base => Ok(base),
    }
}

#[cfg(test)]
mod tests;
