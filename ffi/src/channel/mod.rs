//! Channels: an owner's and a subscriber's objects in the caller's memory, and what travels between them (decision 0037).
//!
//! Invariant as for nodes: at most one call works on an object at a time, a refused call changes nothing, and outputs are written only on success.

mod owner;
mod said;
#[cfg(feature = "node")]
mod subscriber;

pub use owner::*;
pub use said::*;
#[cfg(feature = "node")]
pub use subscriber::*;

use crate::key::signature_status;
use crate::raw::Call;
use crate::status;
use iotedge_core::MemberIndex;
use iotedge_core::channel::{ChannelError, ChannelNumber, Mode, SideKey};
use iotedge_core::wire::merkle::MerkleError;

/// Everybody who knows the channel may read; signatures and roots alone protect it.
pub const IOTEDGE_CHANNEL_PUBLIC: u32 = 0;
/// Who was granted it may read.
pub const IOTEDGE_CHANNEL_PRIVATE: u32 = 1;
/// Who was granted it and has the pre-shared side key may read.
pub const IOTEDGE_CHANNEL_RESTRICTED: u32 = 2;

/// Bytes of a channel's pre-shared side key.
pub const IOTEDGE_SIDE_KEY_SIZE: usize = 32;
/// Most bytes of a message's plaintext.
pub const IOTEDGE_CHANNEL_MAX_BODY: usize = 1200;
const _: () = assert!(IOTEDGE_CHANNEL_MAX_BODY == iotedge_core::channel::message::MAX_BODY);
/// Most bytes of a sealed message: plaintext, what sealing adds, signature.
pub const IOTEDGE_CHANNEL_MAX_MESSAGE: usize = 1300;
const _: () = assert!(
    IOTEDGE_CHANNEL_MAX_MESSAGE
        == IOTEDGE_CHANNEL_MAX_BODY + iotedge_core::channel::message::OVERHEAD + 64
);
/// Most bytes of an operation: what an owner or a subscriber says of a channel.
pub const IOTEDGE_CHANNEL_MAX_OP: usize = 320;
const _: () = assert!(IOTEDGE_CHANNEL_MAX_OP == iotedge_core::tx::MAX_BODY);

pub(crate) fn channel_status(error: ChannelError) -> i32 {
    match error {
        ChannelError::Truncated => status::IOTEDGE_E_MALFORMED,
        ChannelError::Form => status::IOTEDGE_E_VERSION,
        ChannelError::TooLong => status::IOTEDGE_E_LENGTH,
        ChannelError::Full => status::IOTEDGE_E_BUFFER_TOO_SMALL,
        ChannelError::Unknown => status::IOTEDGE_E_CHANNEL_UNKNOWN,
        ChannelError::Forged => status::IOTEDGE_E_CHANNEL_FORGED,
        ChannelError::Replayed => status::IOTEDGE_E_CHANNEL_REPLAYED,
        ChannelError::Doubled => status::IOTEDGE_E_CHANNEL_DOUBLED,
        ChannelError::Fork => status::IOTEDGE_E_CHANNEL_FORK,
        ChannelError::Signature(error) => signature_status(error),
        ChannelError::IndexOverflow => status::IOTEDGE_E_CHANNEL_INDEX,
        ChannelError::Jump => status::IOTEDGE_E_CHANNEL_JUMP,
        ChannelError::Stale => status::IOTEDGE_E_CHANNEL_STALE,
        ChannelError::WrongChannel => status::IOTEDGE_E_CHANNEL_OTHER,
        ChannelError::WrongReader => status::IOTEDGE_E_CHANNEL_WRONG_READER,
        ChannelError::SideKey => status::IOTEDGE_E_CHANNEL_SIDE_KEY,
        ChannelError::Mode => status::IOTEDGE_E_CHANNEL_MODE,
        ChannelError::Revoked => status::IOTEDGE_E_CHANNEL_REVOKED,
        ChannelError::SlotsFull => status::IOTEDGE_E_CHANNEL_SLOTS,
        ChannelError::Slot => status::IOTEDGE_E_CHANNEL_READER,
        ChannelError::Path(MerkleError::Index) => status::IOTEDGE_E_LEAF_INDEX,
        ChannelError::Path(MerkleError::PathLength) => status::IOTEDGE_E_PATH_LENGTH,
        ChannelError::Path(MerkleError::Root) => status::IOTEDGE_E_WRONG_PATH,
        ChannelError::Path(MerkleError::Full) => status::IOTEDGE_E_BUFFER_TOO_SMALL,
        ChannelError::Batch => status::IOTEDGE_E_CHANNEL_BATCH,
        ChannelError::Wire(error) => crate::wire_status(error),
        ChannelError::Op => status::IOTEDGE_E_UNSUPPORTED_KIND,
        ChannelError::WeakKey => status::IOTEDGE_E_CHANNEL_WEAK_KEY,
        ChannelError::Platform => status::IOTEDGE_E_PLATFORM,
        ChannelError::OldImage => status::IOTEDGE_E_OLD_IMAGE,
        ChannelError::Counter => status::IOTEDGE_E_COUNTER,
        ChannelError::Busy => status::IOTEDGE_E_BUSY,
        ChannelError::Order => status::IOTEDGE_E_WRONG_ORDER,
    }
}

fn mode_of(mode: u32) -> Call<Mode> {
    let mode = u8::try_from(mode).ok().and_then(Mode::from_number);
    mode.ok_or(status::IOTEDGE_E_CHANNEL_MODE)
}

fn number_of(channel: u32, sub_channel: u32) -> Call<ChannelNumber> {
    match (u16::try_from(channel), u16::try_from(sub_channel)) {
        (Ok(main), Ok(sub)) => Ok(ChannelNumber { main, sub }),
        _ => Err(status::IOTEDGE_E_ARGUMENT),
    }
}

fn member_of(member: u32) -> Call<MemberIndex> {
    let member = u16::try_from(member).map(MemberIndex);
    member.map_err(|_| status::IOTEDGE_E_ARGUMENT)
}

/// First key of a store that applications have for channels, updates and sales: 0x0100 to 0x0fff.
pub(crate) fn store_key(key: u32, keys: u32) -> Call<u16> {
    match key.checked_add(keys) {
        Some(end) if key >= 0x0100 && end <= 0x1000 => {
            u16::try_from(key).map_err(|_| status::IOTEDGE_E_ARGUMENT)
        }
        _ => Err(status::IOTEDGE_E_ARGUMENT),
    }
}

/// # Safety
/// NULL, or 32 readable bytes.
unsafe fn side_key(side: *const u8) -> Call<Option<SideKey>> {
    match side.is_null() {
        true => Ok(None),
        // SAFETY: the caller's promise.
        false => Ok(Some(SideKey(*unsafe { crate::raw::array::<32>(side) }?))),
    }
}
