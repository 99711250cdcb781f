//! Who has a content and serves it.
//!
//! Invariant: an answer depends on the content and the request alone, so every provider gives the same, and nothing is kept of who asks. What is served was found to be the content when the provider was built.

use super::part::{MAX_PART_OVERHEAD, Request};
use super::shape::{descend, is_subtree, known};
use super::{ChunkSize, ContentError, Descriptor, MAX_CHUNKS, count_of};
use crate::platform::PlatformError;
use crate::types::Id;
use crate::wire::Writer;
use crate::wire::merkle::{Tree, leaf_in_pieces};

/// Where the content lies.
pub trait Source {
    /// Fills `out` with the bytes at an offset.
    ///
    /// # Errors
    /// Any: the call that needed them did nothing.
    fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PlatformError>;
}

impl Source for &[u8] {
    fn read(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PlatformError> {
        let from = usize::try_from(offset).map_err(|_| PlatformError::StoreRead)?;
        let found = self.get(from..).and_then(|rest| rest.get(..out.len()));
        crate::copy::copy(out, found.ok_or(PlatformError::StoreRead)?);
        Ok(())
    }
}

/// See the module.
#[derive(Debug)]
pub struct Provider<'m> {
    content: Descriptor,
    id: Id,
    level: u8,
    blocks: &'m [Id],
}

impl<'m> Provider<'m> {
    /// How many ids of memory a content takes with one root kept for 2^`level` chunks: what is smaller is hashed anew for each answer.
    ///
    /// # Errors
    /// [`ContentError::Size`].
    pub fn memory(size: u64, chunk: ChunkSize, level: u8) -> Result<usize, ContentError> {
        let count = count_of(size, chunk)?;
        Ok(count.div_ceil(block_of(level)) as usize)
    }

    /// Hashes the content once. Compare [`Provider::content`] with what it should be.
    ///
    /// # Errors
    /// [`ContentError::Size`], [`ContentError::Full`] where `memory` is short, [`ContentError::Platform`].
    pub fn build(
        size: u64,
        chunk: ChunkSize,
        level: u8,
        memory: &'m mut [Id],
        source: &mut dyn Source,
    ) -> Result<Self, ContentError> {
        let need = Self::memory(size, chunk, level)?;
        let blocks = memory.get_mut(..need).ok_or(ContentError::Full)?;
        let unnamed = Descriptor::new(size, chunk, Id::ZERO)?;
        let mut tree = Tree::new();
        let mut first = 0_u32;
        for block in blocks.iter_mut() {
            let end = first.saturating_add(block_of(level)).min(unnamed.count());
            *block = hash_chunks(&unnamed, first, end, source)?;
            tree.push(*block).map_err(|_| ContentError::Size)?;
            first = end;
        }
        let content = Descriptor::new(size, chunk, tree.root())?;
        Ok(Self {
            id: content.id(),
            content,
            level,
            blocks,
        })
    }

    /// What lies there.
    #[must_use]
    pub const fn content(&self) -> &Descriptor {
        &self.content
    }

    /// Writes the answer; returns its length and, where more was asked for, the request that asks for the rest: answer it next.
    ///
    /// # Errors
    /// [`ContentError`]: `WrongContent`, `Index`, `TooNarrow`, `Platform`.
    pub fn answer(
        &self,
        request: &Request,
        source: &mut dyn Source,
        out: &mut [u8],
    ) -> Result<(usize, Option<Request>), ContentError> {
        let Request { first, end, .. } = *request;
        if request.content != self.id.prefix() {
            return Err(ContentError::WrongContent);
        }
        if !is_subtree(self.content.count(), first, end) {
            return Err(ContentError::Index);
        }
        let ends = descend(first, end);
        let levels = ends.len().saturating_sub(1);
        let most = out.len().min(request.most.into());
        let room = most.saturating_sub(MAX_PART_OVERHEAD);
        let chunk = self.content.len_of(first);
        let whole = levels.saturating_mul(32).saturating_add(chunk) <= room;
        let siblings = match whole {
            true => levels,
            // One hash is the subtree's that is left.
            false => (room / 32).saturating_sub(1).min(levels.saturating_sub(1)),
        };
        if siblings == 0 && !whole {
            return Err(ContentError::TooNarrow);
        }
        let mut w = Writer::new(out);
        w.put_array(5);
        w.put_bytes(&request.content.0);
        w.put_u32(first);
        w.put_u32(end);
        w.put_bytes_head(siblings.saturating_mul(32));
        let steps = ends.iter().zip(ends.iter().skip(1)).take(siblings);
        for (end, first) in steps.rev() {
            w.put_raw(&self.subtree(*first, *end, source)?.0);
        }
        let low = ends.get(siblings).copied().unwrap_or(end);
        if whole {
            self.put_chunk(first, source, &mut w)?;
        } else {
            w.put_bytes(&self.subtree(first, low, source)?.0);
        }
        w.intact()?;
        Ok((w.len(), self.rest(request, whole, low)))
    }

    fn rest(&self, request: &Request, was_chunk: bool, low: u32) -> Option<Request> {
        if !was_chunk {
            return Some(Request {
                end: low,
                ..*request
            });
        }
        let first = request.first.saturating_add(1);
        let chunks = request.chunks.saturating_sub(1);
        let end = *known(self.content.count(), first).last()?;
        (chunks > 0).then_some(Request {
            first,
            end,
            chunks,
            ..*request
        })
    }

    #[inline(never)]
    fn put_chunk(
        &self,
        index: u32,
        source: &mut dyn Source,
        w: &mut Writer<'_>,
    ) -> Result<(), ContentError> {
        let mut buffer = [0; ChunkSize::MAX];
        w.put_bytes(chunk(&self.content, index, source, &mut buffer)?);
        Ok(())
    }

    /// Its root: of whole blocks put together, else of the chunks of one block.
    fn subtree(&self, first: u32, end: u32, source: &mut dyn Source) -> Result<Id, ContentError> {
        let block = block_of(self.level);
        if end.saturating_sub(first) < block && end != self.content.count() {
            return hash_chunks(&self.content, first, end, source);
        }
        // A subtree that is as large as a block, or ends with the content and begins with a block, is of blocks.
        if first & block.wrapping_sub(1) != 0 {
            return hash_chunks(&self.content, first, end, source);
        }
        let from = first.checked_div(block).unwrap_or(0) as usize;
        let to = end.div_ceil(block) as usize;
        joined(self.blocks.get(from..to).ok_or(ContentError::Index)?)
    }
}

/// Apart: a tree is a kilobyte of stack.
#[inline(never)]
fn joined(blocks: &[Id]) -> Result<Id, ContentError> {
    let mut tree = Tree::new();
    for root in blocks {
        tree.push(*root).map_err(|_| ContentError::Size)?;
    }
    Ok(tree.root())
}

/// Chunks of a block; no content has more than one of 2^20.
const fn block_of(level: u8) -> u32 {
    match level {
        0..20 => 1_u32.wrapping_shl(level as u32),
        _ => MAX_CHUNKS,
    }
}

/// Bytes that are read at once where all of them are hashed.
pub(super) const PIECE: usize = 256;

fn chunk<'b>(
    content: &Descriptor,
    index: u32,
    source: &mut dyn Source,
    buffer: &'b mut [u8; ChunkSize::MAX],
) -> Result<&'b [u8], ContentError> {
    let bytes = buffer
        .get_mut(..content.len_of(index))
        .ok_or(ContentError::Full)?;
    source.read(content.offset(index), bytes)?;
    Ok(bytes)
}

#[inline(never)]
fn hash_chunks(
    content: &Descriptor,
    first: u32,
    end: u32,
    source: &mut dyn Source,
) -> Result<Id, ContentError> {
    let mut tree = Tree::new();
    for index in first..end {
        let leaf = leaf(content, index, source)?;
        tree.push(leaf).map_err(|_| ContentError::Size)?;
    }
    Ok(tree.root())
}

/// In pieces: a buffer for a whole chunk beside a tree would be half of the stack that a microcontroller has.
fn leaf(content: &Descriptor, index: u32, source: &mut dyn Source) -> Result<Id, ContentError> {
    let (mut hash, mut buffer) = (leaf_in_pieces(), [0; PIECE]);
    let (mut at, mut left) = (content.offset(index), content.len_of(index));
    while left > 0 {
        let piece = buffer.get_mut(..left.min(PIECE)).unwrap_or_default();
        source.read(at, piece)?;
        hash.update(piece);
        at = at.saturating_add(piece.len() as u64);
        left = left.saturating_sub(PIECE);
    }
    Ok(Id(hash.finish()))
}
