//! A receiver: chunk after chunk, each proved before it is handed on.
//!
//! Invariant: `hashes` are the roots of the subtrees that are still to come, the nearest last, each proved under the content's root; together they reach from `next` to the last
//! chunk. So a part that agrees with the nearest is the content's, and its siblings take its place.

use super::part::{Part, Request};
use super::shape::{Ends, descend, known};
use super::{ContentError, Descriptor, MAX_LEVELS, Write};
use crate::types::{Id, Prefix};
use crate::wire::merkle::{leaf_hash, node_hash};
use crate::wire::{Reader, Writer};
use heapless::Vec;

/// Most bytes of a saved state.
pub const MAX_STATE: usize = 1 + 34 + 5 + 3 + 32 * (MAX_LEVELS + 1);

/// What a part brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A chunk, which was written.
    Chunk,
    /// Hashes on the way to it: ask again.
    Way,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Stream {
    content: Descriptor,
    id: Id,
    next: u32,
    ends: Ends,
    hashes: Vec<Id, { MAX_LEVELS + 1 }>,
}

impl Stream {
    /// From the first chunk on.
    #[must_use]
    pub fn new(content: Descriptor) -> Self {
        let mut stream = Self::vacant();
        stream.begin(content);
        stream
    }

    /// A place for [`Stream::begin`] or [`Stream::go_on`], where a receiver is too large for the stack. It asks for nothing and takes nothing.
    #[must_use]
    pub const fn vacant() -> Self {
        Self {
            content: Descriptor::VACANT,
            id: Id::ZERO,
            next: 0,
            ends: Ends::new(),
            hashes: Vec::new(),
        }
    }

    /// As [`Stream::new`], in place.
    pub fn begin(&mut self, content: Descriptor) {
        self.content = content;
        self.id = content.id();
        self.next = 0;
        self.ends = known(content.count(), 0);
        self.hashes.clear();
        let _ = self.hashes.push(*content.root());
    }

    /// The content.
    #[must_use]
    pub const fn content(&self) -> &Descriptor {
        &self.content
    }

    /// The chunk that comes next; as many are here.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// Whether all is here.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.next >= self.content.count() && self.next > 0
    }

    /// What to ask for: `chunks` in a row, in parts of at most `most` bytes. `None` once all is here.
    #[must_use]
    pub fn request(&self, most: u16, chunks: u8) -> Option<Request> {
        Some(Request {
            content: self.id.prefix(),
            first: self.next,
            end: *self.ends.last()?,
            most,
            chunks: chunks.max(1),
        })
    }

    /// Takes a part. A chunk that proves to be the content's is handed to `write` with its offset; only if that succeeds does anything change.
    ///
    /// # Errors
    /// [`ContentError`]: `WrongContent`, `WrongPart`, `Length`, `Forged`, and whatever `write` gives.
    pub fn take(&mut self, part: &Part<'_>, write: &mut Write<'_>) -> Result<Step, ContentError> {
        if part.content != self.id.prefix() {
            return Err(ContentError::WrongContent);
        }
        let (Some(end), Some(root)) = (self.ends.last(), self.hashes.last()) else {
            return Err(ContentError::WrongPart);
        };
        if part.first != self.next || part.end != *end {
            return Err(ContentError::WrongPart);
        }
        let ends = descend(self.next, *end);
        let (siblings, rest) = part.siblings.as_chunks::<32>();
        let low = ends.get(siblings.len()).ok_or(ContentError::Length)?;
        let is_chunk = low.saturating_sub(self.next) == 1;
        let mut hash = match (is_chunk, <&[u8; 32]>::try_from(part.body)) {
            (true, _) if part.body.len() == self.content.len_of(self.next) => leaf_hash(part.body),
            // Without a sibling it would say what is known.
            (false, Ok(hash)) if !siblings.is_empty() => Id(*hash),
            _ => return Err(ContentError::Length),
        };
        if !rest.is_empty() {
            return Err(ContentError::Length);
        }
        let body = hash;
        for sibling in siblings {
            hash = node_hash(&hash, &Id(*sibling));
        }
        if hash != *root {
            return Err(ContentError::Forged);
        }
        let more = siblings.len().saturating_add(usize::from(!is_chunk));
        let kept = self.hashes.len().saturating_sub(1);
        if kept.saturating_add(more) > self.hashes.capacity() {
            return Err(ContentError::Full);
        }
        if is_chunk {
            write(self.content.offset(self.next), part.body)?;
        }
        self.ends.truncate(kept);
        self.hashes.truncate(kept);
        for (sibling, end) in siblings.iter().rev().zip(&ends) {
            self.know(*end, Id(*sibling));
        }
        if is_chunk {
            self.next = self.next.saturating_add(1);
            return Ok(Step::Chunk);
        }
        self.know(*low, body);
        Ok(Step::Way)
    }

    fn know(&mut self, end: u32, hash: Id) {
        let _ = self.ends.push(end);
        let _ = self.hashes.push(hash);
    }

    /// Writes the state for [`Stream::restore`], at most [`MAX_STATE`] bytes.
    ///
    /// # Errors
    /// [`ContentError::Wire`] (`Full`); [`ContentError::WrongPart`] between two parts of one chunk: save before or after.
    pub fn save(&self, w: &mut Writer<'_>) -> Result<(), ContentError> {
        if self.ends != known(self.content.count(), self.next) {
            return Err(ContentError::WrongPart);
        }
        w.put_array(3);
        w.put_id(&self.id);
        w.put_u32(self.next);
        w.put_bytes_head(self.hashes.len().saturating_mul(32));
        for hash in &self.hashes {
            w.put_raw(&hash.0);
        }
        Ok(w.intact()?)
    }

    /// Goes on where [`Stream::save`] was. What is saved is the device's own word and believed.
    ///
    /// # Errors
    /// [`ContentError::Stored`] where it is of another content or damaged: begin anew.
    pub fn restore(content: Descriptor, saved: &[u8]) -> Result<Self, ContentError> {
        let mut stream = Self::vacant();
        stream.go_on(content, saved)?;
        Ok(stream)
    }

    /// As [`Stream::restore`], in place.
    ///
    /// # Errors
    /// As [`Stream::restore`]; nothing has changed then.
    pub fn go_on(&mut self, content: Descriptor, saved: &[u8]) -> Result<(), ContentError> {
        let mut r = Reader::new(saved);
        r.take_array_of(3);
        let id = r.take_id();
        let next = r.take_u32();
        let (hashes, rest) = r.take_bytes().as_chunks::<32>();
        let whole = r.finish().is_ok() && rest.is_empty() && id == content.id();
        let ends = known(content.count(), next.min(content.count()));
        if !whole || next > content.count() || ends.len() != hashes.len() {
            return Err(ContentError::Stored);
        }
        self.content = content;
        self.id = id;
        self.next = next;
        self.ends = ends;
        self.hashes.clear();
        for hash in hashes {
            let _ = self.hashes.push(Id(*hash));
        }
        Ok(())
    }

    /// The prefix of the content's id: what its parts carry.
    #[must_use]
    pub fn prefix(&self) -> Prefix {
        self.id.prefix()
    }
}
