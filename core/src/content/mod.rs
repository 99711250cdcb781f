//! Content larger than a frame: cut into chunks under an RFC 9162 tree, served by any neighbour, each part checked as it comes. And firmware that travels so.
//!
//! Invariants: no byte is handed on before its hash agrees with the content's root; what a receiver keeps is bounded by the depth of the tree; a firmware is begun only under a
//! manifest of the pinned key with a sequence number above the installed one. Protocol section 13, decision 0035.

mod error;
pub mod installed;
pub mod manifest;
mod part;
mod provider;
mod shape;
mod stream;
#[cfg(test)]
mod tests;
pub mod update;

pub use error::ContentError;
pub use installed::Installed;
pub use manifest::Manifest;
pub use part::{MAX_PART_OVERHEAD, MAX_REQUEST, Part, Request};
pub use provider::{Provider, Source};
pub use stream::{MAX_STATE, Step, Stream};
pub use update::Update;

use crate::crypto::sha256;
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};

/// Takes a proved chunk: its offset in the content, and its bytes. An error leaves the receiver as it was.
pub type Write<'w> = dyn FnMut(u64, &[u8]) -> Result<(), ContentError> + 'w;

/// Levels of the deepest tree.
pub const MAX_LEVELS: usize = 20;

/// Most chunks of a content.
pub const MAX_CHUNKS: u32 = 1 << MAX_LEVELS;

/// Most bytes of a content's name.
pub const MAX_DESCRIPTOR: usize = 1 + 9 + 1 + 34;

/// Bytes of a chunk, as a power of two: 6 (64 bytes) to 10 (1,024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkSize(u8);

impl ChunkSize {
    /// The largest.
    pub const MAX: usize = 1 << 10;

    /// 2^`log` bytes; `None` outside 6 to 10.
    #[must_use]
    pub const fn new(log: u8) -> Option<Self> {
        match log {
            6..=10 => Some(Self(log)),
            _ => None,
        }
    }

    /// The power.
    #[must_use]
    pub const fn log(self) -> u8 {
        self.0
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        1_usize.wrapping_shl(self.0 as u32)
    }
}

/// What a content is: whatever has these bytes under this cut has no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    size: u64,
    chunk: ChunkSize,
    root: Id,
    count: u32,
}

impl Descriptor {
    const VACANT: Self = Self {
        size: 0,
        chunk: ChunkSize(6),
        root: Id::ZERO,
        count: 0,
    };

    /// Content of `size` bytes in chunks of `chunk`, under `root`.
    ///
    /// # Errors
    /// [`ContentError::Size`] for none, or more than 2^20 chunks.
    pub fn new(size: u64, chunk: ChunkSize, root: Id) -> Result<Self, ContentError> {
        Ok(Self {
            size,
            chunk,
            root,
            count: count_of(size, chunk)?,
        })
    }

    /// Bytes of the content.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Of each chunk but the last.
    #[must_use]
    pub const fn chunk(&self) -> ChunkSize {
        self.chunk
    }

    /// RFC 9162 over the chunks.
    #[must_use]
    pub const fn root(&self) -> &Id {
        &self.root
    }

    /// How many chunks, at least 1.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// What it is asked for by.
    #[must_use]
    pub fn id(&self) -> Id {
        Id(sha256(&[
            b"iotedge/content/1",
            &self.size.to_be_bytes(),
            &[self.chunk.0],
            &self.root.0,
        ]))
    }

    /// Where a chunk begins in the content.
    #[must_use]
    pub fn offset(&self, chunk: u32) -> u64 {
        u64::from(chunk).wrapping_shl(self.chunk.0.into())
    }

    /// Bytes of a chunk: the last one has what is left.
    #[must_use]
    pub fn len_of(&self, chunk: u32) -> usize {
        let left = self.size.saturating_sub(self.offset(chunk));
        usize::try_from(left).map_or(self.chunk.bytes(), |left| left.min(self.chunk.bytes()))
    }

    /// Writes `[size, log2 of the chunk, root]`.
    pub fn write(&self, w: &mut Writer<'_>) {
        w.put_array(3);
        w.put_uint(self.size);
        w.put_uint(self.chunk.0.into());
        w.put_id(&self.root);
    }

    /// Reads what [`Descriptor::write`] writes.
    ///
    /// # Errors
    /// [`ContentError::Wire`], [`ContentError::Size`].
    pub fn read(r: &mut Reader<'_>) -> Result<Self, ContentError> {
        r.take_array_of(3);
        let size = r.take_uint();
        let log = r.take_u8();
        let root = r.take_id();
        r.intact()?;
        let chunk = ChunkSize::new(log).ok_or(ContentError::Wire(WireError::Range))?;
        Self::new(size, chunk, root)
    }
}

fn count_of(size: u64, chunk: ChunkSize) -> Result<u32, ContentError> {
    let count = size.div_ceil(chunk.bytes() as u64);
    match u32::try_from(count) {
        Ok(count @ 1..=MAX_CHUNKS) => Ok(count),
        _ => Err(ContentError::Size),
    }
}
