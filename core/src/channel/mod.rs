//! Masked authenticated messages: an owner publishes an indexed chain of sealed messages, readers to whom it granted the chain's key open them.
//!
//! Invariants: of a chain key nothing before it can be computed, and what was used is wiped; no (key epoch, index) is sealed twice, over power cuts too; a reader's state
//! changes only after a message's tag, and its signature where it has one, was found right. Protocol section 12, decision 0033.

mod error;
pub mod grant;
pub mod keys;
pub mod message;
pub mod owner;
pub mod publisher;
pub mod reader;
pub mod slots;
pub mod statement;
pub mod subscriber;
#[cfg(test)]
mod tests;

pub use error::ChannelError;
pub use grant::{Addressee, Grant};
pub use keys::{Chain, Mode, SideKey};
pub use message::{Form, Sealed};
pub use owner::Owner;
pub use publisher::Publisher;
pub use reader::{Bookmark, Opened, Reader, Recent, Rooms, Skipped};
pub use statement::Op;
pub use subscriber::{Heard, Subscriber};

use crate::copy::joined;
use crate::crypto::seal::Nonce;
use crate::crypto::sha256;
use crate::types::Id;

/// Skipped messages whose keys a reader keeps, and how far ahead it looks.
pub const WINDOW: usize = 64;

/// Most indexes that one announce can jump over.
pub const MAX_JUMP: u64 = 1 << 16;

/// The last index of a key epoch: after it the owner opens the next one.
pub const LAST_INDEX: u64 = u32::MAX as u64;

/// The key epoch of a channel; the first is 1. A revoke opens the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyEpoch(pub u32);

/// The place of a message in the chain of its key epoch; the first is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(pub u64);

/// Which of its channels the owner means. A sub-channel has a chain of its own, for a subset of the readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber {
    /// The channel.
    pub main: u16,
    /// 0, or the sub-channel.
    pub sub: u16,
}

impl ChannelNumber {
    /// As it travels: small where there is no sub-channel.
    #[must_use]
    pub const fn to_wire(self) -> u32 {
        let [a, b] = self.sub.to_be_bytes();
        let [c, d] = self.main.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// Each number is one.
    #[must_use]
    pub const fn from_wire(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Self {
            main: u16::from_be_bytes([c, d]),
            sub: u16::from_be_bytes([a, b]),
        }
    }
}

/// The channel's id: what everything in it is bound to. It never travels.
#[must_use]
pub fn channel_id(neighbourhood: &Id, owner: &Id, number: ChannelNumber) -> Id {
    Id(sha256(&[
        b"iotedge/channel/1",
        &neighbourhood.0,
        &owner.0,
        &number.to_wire().to_be_bytes(),
    ]))
}

/// Which of `count` messages from `first` on stands at `index`.
fn place_in_batch(index: Index, first: Index, count: u32) -> Result<u32, ChannelError> {
    let at = index.0.checked_sub(first.0);
    let at = at.and_then(|at| u32::try_from(at).ok());
    at.filter(|at| *at < count).ok_or(ChannelError::Batch)
}

/// A message's place: which channel, key epoch and index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of [`channel_id`].
    pub channel: Id,
    /// Its key epoch.
    pub epoch: KeyEpoch,
    /// Its index.
    pub index: Index,
}

impl Place {
    /// Channel id, key epoch and index, big-endian.
    pub(crate) fn bytes(&self) -> [u8; 44] {
        joined(&[&self.channel.0, &self.nonce().0])
    }

    /// The nonce: key epoch and index, never random.
    pub(crate) fn nonce(&self) -> Nonce {
        let (epoch, index) = (self.epoch.0.to_be_bytes(), self.index.0.to_be_bytes());
        Nonce(joined(&[&epoch, &index]))
    }
}
