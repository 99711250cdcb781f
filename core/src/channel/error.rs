//! Why something of a channel was refused. Nothing of a reader's or an owner's state changes with any of them.

use crate::crypto::SignatureError;
use crate::crypto::hpke::HpkeError;
use crate::rollback::RollbackError;
use crate::wire::{WireError, merkle::MerkleError};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelError {
    /// Shorter than its form.
    Truncated,
    /// Another version, or a flag that has no meaning.
    Form,
    /// Longer than [`super::message::MAX_BODY`].
    TooLong,
    /// The output is too short.
    Full,
    /// Under no key that this reader holds: another channel's, older than what is kept, further ahead than the window, or after a revoke.
    Unknown,
    /// Its place is known, but it was changed on the way or made up.
    Forged,
    /// The very message that was opened before.
    Replayed,
    /// Another message than the one opened at this place. It is not signed, so it may be anyone's who overheard the first: the batch's root says which stands.
    Doubled,
    /// The owner signed two messages for one place. The two are evidence: keep them.
    Fork,
    /// Unsigned, where a signature must be; or a signature that does not hold.
    Signature(SignatureError),
    /// The index stands at its end: the owner opens a new key epoch.
    IndexOverflow,
    /// The announce jumps further than [`super::MAX_JUMP`]: a new grant is needed.
    Jump,
    /// Of a key epoch or index that is behind the reader's: replayed, or late.
    Stale,
    /// Of another channel.
    WrongChannel,
    /// For another reader.
    WrongReader,
    /// The owner signed it for this reader, but the pre-shared side key is another.
    SideKey,
    /// The mode needs a side key, or must not have one.
    Mode,
    /// No part of the revoke is for this reader: it is revoked, or holds no path.
    Revoked,
    /// Every slot was given away: a new master is needed.
    SlotsFull,
    /// No such slot, or it was revoked before.
    Slot,
    /// Something that must be said first is due: take it.
    Busy,
    /// Nothing was shown that could have been taken.
    Order,
    /// The reading is not under the batch's root by this path.
    Path(MerkleError),
    /// The batch's root is of another stretch of the chain.
    Batch,
    /// Not deterministic CBOR of the form of section 12.
    Wire(WireError),
    /// An operation that does not exist.
    Op,
    /// A public key of small order.
    WeakKey,
    /// Store, counter or randomness failed. Try again.
    Platform,
    /// The hardware counter says that the store was set back to an older image: its indexes were used. Only a new channel number, or the newer image, is safe.
    OldImage,
    /// The hardware counter is not the one that the store is bound to, or is at its end.
    Counter,
}

impl From<WireError> for ChannelError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<SignatureError> for ChannelError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<HpkeError> for ChannelError {
    fn from(error: HpkeError) -> Self {
        match error {
            HpkeError::Key => Self::WeakKey,
            HpkeError::Forged => Self::Forged,
            HpkeError::TooLong => Self::TooLong,
        }
    }
}

impl From<RollbackError> for ChannelError {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Platform => Self::Platform,
            RollbackError::OldImage => Self::OldImage,
            RollbackError::Counter | RollbackError::Exhausted => Self::Counter,
        }
    }
}

impl From<crate::platform::PlatformError> for ChannelError {
    fn from(_: crate::platform::PlatformError) -> Self {
        Self::Platform
    }
}
