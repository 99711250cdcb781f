//! Lists inside frames: either bytes that were checked once and are decoded again on the way through, or the caller's slice.
//!
//! Invariant: a list made by `read` holds `count` elements that decode, so its iterator cannot fail; that is why there is no
//! other way to make one from bytes.

use super::frame::FrameError;
use super::{Reader, WireError, Writer};
use crate::crypto::Signature;
use crate::types::{Id, Number, Prefix};
use core::ops::RangeInclusive;

/// Most validators of a set (protocol section 7.2).
const MAX_VALIDATORS: u8 = 64;

/// What a list is made of.
pub trait Element<'a>: Copy {
    /// Reads one.
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError>;
    /// Writes one.
    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError>;
}

impl Element<'_> for Prefix {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.prefix()
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.prefix(self)
    }
}

impl Element<'_> for Id {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.id()
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.id(self)
    }
}

impl Element<'_> for Number {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u32().map(Self)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.uint(self.0.into())
    }
}

/// One encoded item that another room decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a [u8]);

impl<'a> Element<'a> for Raw<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        r.item().map(Self)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.raw(self.0)
    }
}

/// A validator's vote as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Index in the validator set, below 64.
    pub index: u8,
    /// Signature over the tree's root (protocol section 7.1).
    pub signature: Signature,
}

impl Element<'_> for Vote {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.take_array_of(2);
        let index = r.take_u8();
        if index >= MAX_VALIDATORS {
            r.break_off(WireError::Range);
        }
        let signature = Signature(*r.take_bytes_of());
        r.intact()?;
        Ok(Self { index, signature })
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        if self.index >= MAX_VALIDATORS {
            return Err(WireError::Range);
        }
        w.array(2)?;
        w.uint(self.index.into())?;
        w.bytes(&self.signature.0)
    }
}

/// A list of a frame.
#[derive(Clone, Copy, Debug)]
pub struct List<'a, T>(Source<'a, T>);

#[derive(Clone, Copy, Debug)]
enum Source<'a, T> {
    Given(&'a [T]),
    Read { count: usize, bytes: &'a [u8] },
}

impl<'a, T: Element<'a>> List<'a, T> {
    /// A list to write.
    #[must_use]
    pub const fn of(elements: &'a [T]) -> Self {
        Self(Source::Given(elements))
    }

    /// How many elements.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Given(elements) => elements.len(),
            Source::Read { count, .. } => count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'a, T> {
        Iter(match self.0 {
            Source::Given(elements) => State::Given(elements.iter()),
            Source::Read { count, bytes } => State::Read {
                left: count,
                reader: Reader::new(bytes),
            },
        })
    }

    /// Reads an array whose number of elements lies in `allowed`, and checks every element.
    pub(crate) fn read(
        r: &mut Reader<'a>,
        allowed: RangeInclusive<usize>,
    ) -> Result<Self, FrameError> {
        let (count, bytes) = read_items(r, allowed, |r| T::read(r).map(drop))?;
        Ok(Self(Source::Read { count, bytes }))
    }

    /// Writes the array.
    pub(crate) fn write(
        &self,
        w: &mut Writer<'_>,
        allowed: RangeInclusive<usize>,
    ) -> Result<(), FrameError> {
        if !allowed.contains(&self.len()) {
            return Err(FrameError::Count);
        }
        w.array(self.len())?;
        for element in self.iter() {
            element.write(w)?;
        }
        Ok(())
    }
}

/// Reads an array whose items `check` reads one by one; gives their number and bytes. One body for all lists.
#[inline(never)]
fn read_items<'a>(
    r: &mut Reader<'a>,
    allowed: RangeInclusive<usize>,
    check: fn(&mut Reader<'a>) -> Result<(), WireError>,
) -> Result<(usize, &'a [u8]), FrameError> {
    let count = r.array()?;
    if !allowed.contains(&count) {
        return Err(FrameError::Count);
    }
    let at = r.position();
    for _ in 0..count {
        check(r)?;
    }
    Ok((count, r.since(at)))
}

impl<'a, T: Element<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Element<'a> + Eq> Eq for List<'a, T> {}

impl<'a, T: Element<'a>> IntoIterator for List<'a, T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// The elements of a [`List`].
#[derive(Clone, Debug)]
pub struct Iter<'a, T>(State<'a, T>);

#[derive(Clone, Debug)]
enum State<'a, T> {
    Given(core::slice::Iter<'a, T>),
    Read { left: usize, reader: Reader<'a> },
}

impl<'a, T: Element<'a>> Iterator for Iter<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            State::Given(elements) => elements.next().copied(),
            State::Read { left, reader } => {
                *left = left.checked_sub(1)?;
                T::read(reader).ok()
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.0 {
            State::Given(elements) => elements.len(),
            State::Read { left, .. } => *left,
        };
        (left, Some(left))
    }
}

impl<'a, T: Element<'a>> ExactSizeIterator for Iter<'a, T> {}
