//! What is asked for and what is answered: protocol section 13.2.

use super::ContentError;
use crate::types::Prefix;
use crate::wire::{Reader, WireError, Writer};

/// Bytes of a part beside siblings and body, at most.
pub const MAX_PART_OVERHEAD: usize = 1 + 17 + 5 + 5 + 3 + 3;

/// Most bytes of a request.
pub const MAX_REQUEST: usize = 1 + 17 + 5 + 5 + 3 + 2;

/// What a receiver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Of the content's id.
    pub content: Prefix,
    /// The chunk that comes next.
    pub first: u32,
    /// Where the subtree ends that begins with it and that the asker knows.
    pub end: u32,
    /// Most bytes of a part.
    pub most: u16,
    /// How many chunks in a row, at least 1.
    pub chunks: u8,
}

impl Request {
    /// Writes it.
    ///
    /// # Errors
    /// [`ContentError::Wire`] (`Full`).
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), ContentError> {
        w.put_array(5);
        w.put_bytes(&self.content.0);
        w.put_u32(self.first);
        w.put_u32(self.end);
        w.put_uint(self.most.into());
        w.put_uint(self.chunks.into());
        Ok(w.intact()?)
    }

    /// Reads one and nothing after it.
    ///
    /// # Errors
    /// [`ContentError::Wire`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ContentError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(5);
        let request = Self {
            content: Prefix(*r.take_bytes_of()),
            first: r.take_u32(),
            end: r.take_u32(),
            most: r.take_u16(),
            chunks: r.take_u8(),
        };
        if request.chunks == 0 || request.first >= request.end {
            r.break_off(WireError::Range);
        }
        r.finish()?;
        Ok(request)
    }
}

/// A chunk, or the root of a smaller subtree, with the siblings that prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Of the content's id.
    pub content: Prefix,
    /// As in the request.
    pub first: u32,
    /// As in the request.
    pub end: u32,
    /// Hashes of 32 bytes, from the body upwards.
    pub siblings: &'a [u8],
    /// The chunk, or the hash of the subtree below the lowest sibling.
    pub body: &'a [u8],
}

impl<'a> Part<'a> {
    /// Reads one and nothing after it.
    ///
    /// # Errors
    /// [`ContentError::Wire`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ContentError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(5);
        let part = Self {
            content: Prefix(*r.take_bytes_of()),
            first: r.take_u32(),
            end: r.take_u32(),
            siblings: r.take_bytes(),
            body: r.take_bytes(),
        };
        if part.first >= part.end || part.body.is_empty() {
            r.break_off(WireError::Range);
        }
        r.finish()?;
        Ok(part)
    }
}
