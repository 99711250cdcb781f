//! The tree of readers: the Complete Subtree method of Naor, Naor and Lotspiech, *Revocation and Tracing Schemes for Stateless Receivers* (2001).
//!
//! A reader has a leaf and the keys of all nodes above it; a revoke wraps the new chain key under the nodes that cover who stays, so a reader that missed earlier ones follows. The owner
//! keeps a master secret and two bitmaps. Invariant: a subtree is used only where *every* leaf of it belongs to a reader now. An empty leaf may be given away later, and who gets it must
//! not open what was wrapped before; a revoked leaf is never given away again under one master.

use super::grant::SlotKey;
use super::keys::Chain;
use super::statement::{MAX_DEPTH, WRAP};
use super::{ChannelError, Place};
use crate::copy::{copy, joined};
use crate::crypto::kdf::Prk;
use crate::crypto::seal::{self, Key, Nonce, Tag};
use crate::types::Id;
use zeroize::Zeroize;

const NODE: &[u8] = b"iotedge/channel/node/1";
const WRAPS: &[u8] = b"iotedge/channel/wrap/1";
const PATH: &[u8; 22] = b"iotedge/channel/path/1";
/// Most bytes of a sealed path.
pub const MAX_PATH: usize = 32 * (MAX_DEPTH as usize + 1) + 16;

/// Whom the owner granted the channel to.
pub struct Slots {
    master: Prk,
    channel: Id,
    depth: u8,
    given: u128,
    revoked: u128,
}

/// The depth of the tree whose paths, sealed, are so long.
#[must_use]
pub fn depth_of(sealed: usize) -> Option<u8> {
    let keys = sealed.checked_sub(16)?;
    let depth = u8::try_from((keys / 32).checked_sub(1)?).ok()?;
    (keys % 32 == 0 && depth <= MAX_DEPTH).then_some(depth)
}

impl Slots {
    /// For up to 2^`depth` readers, at most 128. The master is 32 random bytes of this channel alone.
    ///
    /// # Errors
    /// [`ChannelError::Slot`] for a greater depth.
    pub fn new(master: [u8; 32], channel: Id, depth: u8) -> Result<Self, ChannelError> {
        Self::restore(master, channel, depth, 0, 0)
    }

    /// As it was stored.
    ///
    /// # Errors
    /// [`ChannelError::Slot`] where the bitmaps contradict each other or the depth.
    pub fn restore(
        master: [u8; 32],
        channel: Id,
        depth: u8,
        given: u128,
        revoked: u128,
    ) -> Result<Self, ChannelError> {
        let slots = Self {
            master: Prk::from_bytes(master),
            channel,
            depth,
            given,
            revoked,
        };
        let fits = depth <= MAX_DEPTH && given & !slots.all() == 0 && revoked & !given == 0;
        fits.then_some(slots).ok_or(ChannelError::Slot)
    }

    /// Which were given away and which revoked: to be stored before what follows from them leaves.
    #[must_use]
    pub const fn bitmaps(&self) -> (u128, u128) {
        (self.given, self.revoked)
    }

    /// Back to what is stored.
    pub(super) fn reset(&mut self, given: u128, revoked: u128) {
        self.given = given;
        self.revoked = revoked;
    }

    fn all(&self) -> u128 {
        mask(0, self.depth)
    }

    /// A slot for a new reader: the first that nobody ever had.
    ///
    /// # Errors
    /// [`ChannelError::SlotsFull`].
    pub fn give(&mut self) -> Result<u8, ChannelError> {
        let slot = self.given.trailing_ones();
        let bit = 1_u128.checked_shl(slot).unwrap_or(0) & self.all();
        if bit == 0 {
            return Err(ChannelError::SlotsFull);
        }
        self.given |= bit;
        u8::try_from(slot).map_err(|_| ChannelError::SlotsFull)
    }

    /// Its reader is no longer covered.
    ///
    /// # Errors
    /// [`ChannelError::Slot`] where nobody has it.
    pub fn revoke(&mut self, slot: u8) -> Result<(), ChannelError> {
        let bit = 1_u128.checked_shl(slot.into()).unwrap_or(0);
        if self.given & !self.revoked & bit == 0 {
            return Err(ChannelError::Slot);
        }
        self.revoked |= bit;
        Ok(())
    }

    /// Whether every leaf below a node has a reader.
    fn full(&self, node: u8) -> bool {
        let Some(level) = node.checked_ilog2().and_then(|l| u8::try_from(l).ok()) else {
            return false;
        };
        let Some(height) = self.depth.checked_sub(level) else {
            return false;
        };
        let first = (u32::from(node) << height).saturating_sub(1 << self.depth);
        let leaves = mask(first, height);
        self.given & !self.revoked & leaves == leaves
    }

    /// The nodes that cover all readers: 1 is the root, 2n and 2n + 1 are below n.
    pub fn cover(&self) -> impl Iterator<Item = u8> + '_ {
        let last = u8::MAX >> MAX_DEPTH.saturating_sub(self.depth);
        (1..=last).filter(|node| self.full(*node) && !self.full(node >> 1))
    }

    fn node_key(&self, node: u8) -> [u8; 32] {
        let mut key = [0; 32];
        let done = self
            .master
            .expand(&[NODE, &self.channel.0, &[node]], &mut key);
        debug_assert!(done.is_ok());
        key
    }

    /// The key of the new epoch, for all below `node`.
    ///
    /// # Errors
    /// Never in fact.
    pub fn wrap(&self, node: u8, place: &Place, chain: &Chain) -> Result<[u8; WRAP], ChannelError> {
        let mut out = [0; WRAP];
        let (front, rest) = out.split_at_mut(1);
        let (body, end) = rest.split_at_mut(32);
        copy(front, &[node]);
        copy(body, &chain.0);
        let key = Key::new(self.node_key(node));
        let tag = seal::seal(&key, &place.nonce(), &associated(place, node), body);
        copy(end, &tag.map_err(|_| ChannelError::TooLong)?.0);
        Ok(out)
    }

    /// Writes the sealed keys from a reader's leaf up to `out`; returns the length. `key` is of the reader's grant and seals nothing else.
    ///
    /// # Errors
    /// [`ChannelError::Full`], [`ChannelError::Slot`].
    pub fn path(&self, slot: u8, key: &SlotKey, out: &mut [u8]) -> Result<usize, ChannelError> {
        if self.given & !self.revoked & 1_u128.checked_shl(slot.into()).unwrap_or(0) == 0 {
            return Err(ChannelError::Slot);
        }
        let len = usize::from(self.depth).saturating_add(1).saturating_mul(32);
        let (keys, end) = out.split_at_mut_checked(len).ok_or(ChannelError::Full)?;
        let end = end.get_mut(..16).ok_or(ChannelError::Full)?;
        let mut node = slot | (1_u8 << self.depth.min(MAX_DEPTH));
        for place in keys.chunks_mut(32) {
            let mut key = self.node_key(node);
            copy(place, &key);
            key.zeroize();
            node >>= 1;
        }
        let key = Key::new(key.0);
        let tag = seal::seal(
            &key,
            &Nonce([0; 12]),
            &path_associated(&self.channel, slot),
            keys,
        );
        copy(end, &tag.map_err(|_| ChannelError::TooLong)?.0);
        Ok(len.saturating_add(16))
    }
}

/// The bits of 2^`height` leaves from `first` on.
fn mask(first: u32, height: u8) -> u128 {
    let leaves = 1_u32.checked_shl(height.into()).unwrap_or(0);
    let gone = 128_u32.saturating_sub(leaves);
    let low = u128::MAX.checked_shr(gone).unwrap_or(0);
    low.checked_shl(first).unwrap_or(0)
}

fn associated(place: &Place, node: u8) -> [u8; 67] {
    joined(&[WRAPS, &place.bytes(), &[node]])
}

fn path_associated(channel: &Id, slot: u8) -> [u8; 55] {
    joined(&[PATH, &channel.0, &[slot]])
}

/// Opens a verified path in place, `sealed` being copied into `out`; returns the length of the keys, to be stored.
///
/// # Errors
/// [`ChannelError::Truncated`], [`ChannelError::Full`], [`ChannelError::Forged`].
pub fn open_path(
    sealed: &[u8],
    channel: &Id,
    slot: u8,
    key: &SlotKey,
    out: &mut [u8],
) -> Result<usize, ChannelError> {
    depth_of(sealed.len()).ok_or(ChannelError::Truncated)?;
    let (keys, tag) = sealed.split_last_chunk().ok_or(ChannelError::Truncated)?;
    let out = out.get_mut(..keys.len()).ok_or(ChannelError::Full)?;
    copy(out, keys);
    let key = Key::new(key.0);
    let opened = seal::open(
        &key,
        &Nonce([0; 12]),
        &path_associated(channel, slot),
        out,
        &Tag(*tag),
    );
    if opened.is_err() {
        out.fill(0);
        return Err(ChannelError::Forged);
    }
    Ok(keys.len())
}

/// Finds the new chain key among the wraps of a verified revoke. `keys` is what [`open_path`] gave.
///
/// # Errors
/// [`ChannelError::Revoked`] where none is for this reader, [`ChannelError::Forged`] where one is and does not open.
pub fn unwrap(
    wraps: &[[u8; WRAP]],
    place: &Place,
    slot: u8,
    keys: &[u8],
) -> Result<Chain, ChannelError> {
    let (keys, _) = keys.as_chunks::<32>();
    let depth = keys.len().saturating_sub(1).min(MAX_DEPTH.into());
    let leaf = u32::from(slot) | 1_u32.checked_shl(depth as u32).unwrap_or(0);
    let own = |node: u8| {
        let mut above = keys.iter().zip(0..);
        above.find(|(_, height)| leaf.checked_shr(*height) == Some(node.into()))
    };
    let mine = wraps.iter().find_map(|wrap| {
        let (node, rest) = wrap.split_first()?;
        own(*node).map(|(key, _)| (*node, rest, key))
    });
    let (node, rest, key) = mine.ok_or(ChannelError::Revoked)?;
    let mut chain = [0; 32];
    let mut tag = [0; 16];
    let (body, end) = rest.split_at_checked(32).unwrap_or_default();
    copy(&mut chain, body);
    copy(&mut tag, end);
    let aad = associated(place, node);
    let opened = seal::open(&Key::new(*key), &place.nonce(), &aad, &mut chain, &Tag(tag));
    let out = Chain::new(chain);
    chain.zeroize();
    match opened {
        Ok(()) => Ok(out),
        Err(_) => Err(ChannelError::Forged),
    }
}
