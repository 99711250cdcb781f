//! Why something of a content was refused. Nothing of a receiver's state changes with any of them.

use crate::platform::PlatformError;
use crate::wire::WireError;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentError {
    /// No bytes, or more than 2^20 chunks.
    Size,
    /// Not deterministic CBOR of the form of section 13.
    Wire(WireError),
    /// Of another content.
    WrongContent,
    /// Not the part that comes next: late, doubled, or ahead. Ask again.
    WrongPart,
    /// A chunk that is not as long as its place says, or siblings that are not whole hashes or more than the subtree has levels.
    Length,
    /// It does not lead to the content's root: whoever sent it changed it, or has another content under this name. Ask somebody else.
    Forged,
    /// No such chunk.
    Index,
    /// The asker takes fewer bytes than the smallest part has.
    TooNarrow,
    /// The memory given is too short.
    Full,
    /// What was saved is not of this content, or is damaged. Begin anew.
    Stored,
    /// The content could not be read or written. Try again.
    Platform,
}

impl From<WireError> for ContentError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<PlatformError> for ContentError {
    fn from(_: PlatformError) -> Self {
        Self::Platform
    }
}
