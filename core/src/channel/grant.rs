//! Grants: the chain's key at an index, sealed to one subscriber by HPKE.
//!
//! Invariant: the seal is bound to channel, key epoch, index and the subscriber's device id, so it opens for no other reader, channel or place; with a side key only who has that, too.
//! The key under which a reader's path travels is exported from the same agreement and takes no byte.

use super::keys::{Chain, SideKey};
use super::statement::GRANT;
use super::{ChannelError, Place};
use crate::copy::{copy, joined};
use crate::crypto::agree::{PublicKey, SecretKey};
use crate::crypto::hpke::{Context, HpkeError, Mode};
use crate::crypto::kdf::Prk;
use crate::crypto::seal::Tag;
use crate::types::Id;
use zeroize::Zeroize;

const INFO: &[u8; 23] = b"iotedge/channel/grant/1";
const PSK: &[u8] = b"iotedge/channel/psk/1";
const SLOT: &[u8] = b"iotedge/channel/slot/1";

/// What a subscriber opens grants with.
#[derive(Clone, Copy)]
pub struct Addressee<'a> {
    /// Its device id.
    pub device: &'a Id,
    /// Of the key in its subscribe.
    pub secret: &'a SecretKey,
    /// Of a restricted channel.
    pub side: Option<&'a SideKey>,
}

/// What a grant gives: the chain's key, and the key under which the path comes.
pub struct Grant {
    /// At the grant's index.
    pub chain: Chain,
    /// Seals one path.
    pub slot_key: SlotKey,
}

/// Seals the path to one reader; wiped when dropped.
#[derive(Clone, Zeroize, zeroize::ZeroizeOnDrop)]
pub struct SlotKey(pub(super) [u8; 32]);

fn info(place: &Place, subscriber: &Id) -> [u8; 99] {
    joined(&[INFO, &place.bytes(), &subscriber.0])
}

fn with_mode<R>(side: Option<&SideKey>, channel: &Id, work: impl FnOnce(Mode<'_>) -> R) -> R {
    let Some(side) = side else {
        return work(Mode::Base);
    };
    let mut key = [0; 32];
    let done = Prk::from_bytes(side.0).expand(&[PSK], &mut key);
    debug_assert!(done.is_ok());
    let result = work(Mode::Psk {
        key: &key,
        id: &channel.0,
    });
    key.zeroize();
    result
}

/// Seals the key `chain` at `place` to a subscriber; `random` is drawn for this grant alone.
///
/// # Errors
/// [`ChannelError::WeakKey`].
pub fn seal(
    chain: &Chain,
    place: &Place,
    subscriber: &Id,
    key: &PublicKey,
    side: Option<&SideKey>,
    random: &[u8; 32],
) -> Result<([u8; GRANT], SlotKey), ChannelError> {
    let info = info(place, subscriber);
    let (enc, context) = with_mode(side, &place.channel, |mode| {
        Context::to(key, &info, mode, random)
    })?;
    let slot_key = SlotKey(context.export(SLOT));
    let mut out = [0; GRANT];
    let (front, rest) = out.split_at_mut(32);
    let (body, end) = rest.split_at_mut(32);
    copy(front, &enc.0);
    copy(body, &chain.0);
    let tag = context.seal(&[], body)?;
    copy(end, &tag.0);
    Ok((out, slot_key))
}

/// Opens the sealed part of a verified grant.
///
/// # Errors
/// [`ChannelError::SideKey`] with a side key, else [`ChannelError::WrongReader`]: the owner's signature holds, so it was sealed for another reader, or with another side key.
pub fn open(
    sealed: &[u8; GRANT],
    place: &Place,
    subscriber: &Addressee<'_>,
) -> Result<Grant, ChannelError> {
    let mut enc = [0; 32];
    let mut key = [0; 32];
    let mut tag = [0; 16];
    let (front, rest) = sealed.split_at(32);
    let (body, end) = rest.split_at(32);
    copy(&mut enc, front);
    copy(&mut key, body);
    copy(&mut tag, end);
    let info = info(place, subscriber.device);
    let context = with_mode(subscriber.side, &place.channel, |mode| {
        Context::from(subscriber.secret, &PublicKey(enc), &info, mode)
    })?;
    let slot_key = SlotKey(context.export(SLOT));
    let opened = context.open(&[], &mut key, &Tag(tag));
    let chain = Chain::new(key);
    key.zeroize();
    match opened {
        Ok(()) => Ok(Grant { chain, slot_key }),
        Err(HpkeError::Forged) if subscriber.side.is_some() => Err(ChannelError::SideKey),
        Err(HpkeError::Forged) => Err(ChannelError::WrongReader),
        Err(error) => Err(error.into()),
    }
}

impl core::fmt::Debug for Grant {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Grant")
    }
}

impl core::fmt::Debug for SlotKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SlotKey")
    }
}
