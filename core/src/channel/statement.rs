//! What owners and subscribers say of a channel: the bodies of `channel` transactions (kind 4), and the same off the ledger with a signature behind them.
//!
//! Invariant: `read` accepts exactly what `write` gives. The channel is that of the signer with this number, so a statement names no channel id; a subscribe names the owner, a
//! grant and a path the reader.

use super::keys::Mode;
use super::{ChannelError, ChannelNumber, Index, KeyEpoch, LAST_INDEX, place_in_batch};
use crate::crypto::{PublicKey, Signature, Verify};
use crate::types::{Id, MemberIndex};
use crate::wire::{Reader, WireError, Writer, merkle};

/// Most messages of a batch.
pub const MAX_BATCH: u8 = 64;
/// Bytes of a grant's sealed part: encapsulated key, chain key, tag.
pub const GRANT: usize = 32 + 32 + 16;
/// Bytes of one wrap in a revoke: node, chain key, tag.
pub const WRAP: usize = 1 + 32 + 16;
/// Depth of the largest tree of readers.
pub const MAX_DEPTH: u8 = 7;
const DOMAIN: &str = "iotedge/channel/statement/1";

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// The channel is there, and its chain goes on at this place.
    Announce {
        /// Which channel.
        number: ChannelNumber,
        /// Who may read.
        mode: Mode,
        /// The key epoch.
        epoch: KeyEpoch,
        /// The next index.
        index: Index,
    },
    /// The root of a batch.
    Root {
        /// Which channel.
        number: ChannelNumber,
        /// Over which messages.
        batch: Batch,
    },
    /// By a subscriber: grants to it are sealed to this key.
    Subscribe {
        /// Whose channel.
        owner: MemberIndex,
        /// Which channel.
        number: ChannelNumber,
        /// X25519.
        key: &'a [u8; 32],
    },
    /// The chain's key from an index on, for one subscriber.
    Grant {
        /// Which channel.
        number: ChannelNumber,
        /// The key epoch.
        epoch: KeyEpoch,
        /// From where on.
        index: Index,
        /// For whom.
        to: MemberIndex,
        /// By HPKE.
        sealed: &'a [u8; GRANT],
    },
    /// A new key epoch, for those who stay.
    Revoke {
        /// Which channel.
        number: ChannelNumber,
        /// The new key epoch.
        epoch: KeyEpoch,
        /// Where it begins.
        index: Index,
        /// Where the old one ended: the first index without a message.
        ended: Index,
        /// Some or all of the wraps.
        wraps: &'a [[u8; WRAP]],
    },
    /// The keys of a subscriber's way through the tree of readers, under the key that its grant gave.
    Path {
        /// Which channel.
        number: ChannelNumber,
        /// For whom.
        to: MemberIndex,
        /// Its place among the readers.
        slot: u8,
        /// The keys from its leaf up, and a tag.
        sealed: &'a [u8],
    },
    /// A message, signed by what carries it.
    Message {
        /// Which channel.
        number: ChannelNumber,
        /// Either form.
        sealed: &'a [u8],
    },
}

/// A batch of messages under one root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Their key epoch.
    pub epoch: KeyEpoch,
    /// The index of the first.
    pub first: Index,
    /// How many, 1 to 64.
    pub count: u8,
    /// RFC 9162 over their leaves.
    pub root: Id,
}

impl Batch {
    /// Whether the message at this place with this leaf is the owner's: then it is attributed.
    ///
    /// # Errors
    /// [`ChannelError::Batch`] where the batch is of another stretch, [`ChannelError::Path`] where the leaf is not in it.
    pub fn prove(
        &self,
        epoch: KeyEpoch,
        index: Index,
        leaf: &Id,
        path: &[Id],
    ) -> Result<(), ChannelError> {
        if epoch != self.epoch {
            return Err(ChannelError::Batch);
        }
        let count = u32::from(self.count);
        let at = place_in_batch(index, self.first, count)?;
        merkle::verify_inclusion(leaf, at, count, path, &self.root).map_err(ChannelError::Path)
    }
}

fn put_number(w: &mut Writer<'_>, number: ChannelNumber) {
    w.put_uint(number.to_wire().into());
}

fn take_number(r: &mut Reader<'_>) -> ChannelNumber {
    ChannelNumber::from_wire(r.take_u32())
}

fn take_epoch(r: &mut Reader<'_>) -> KeyEpoch {
    KeyEpoch(r.take_u32())
}

fn take_index(r: &mut Reader<'_>) -> Index {
    Index(r.take_uint())
}

impl<'a> Op<'a> {
    /// Its number on the wire.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Announce { .. } => 0,
            Self::Root { .. } => 1,
            Self::Subscribe { .. } => 2,
            Self::Grant { .. } => 3,
            Self::Revoke { .. } => 4,
            Self::Path { .. } => 5,
            Self::Message { .. } => 6,
        }
    }

    /// Which channel it is about.
    #[must_use]
    pub const fn number(&self) -> ChannelNumber {
        match *self {
            Self::Announce { number, .. }
            | Self::Root { number, .. }
            | Self::Subscribe { number, .. }
            | Self::Grant { number, .. }
            | Self::Revoke { number, .. }
            | Self::Path { number, .. }
            | Self::Message { number, .. } => number,
        }
    }

    /// Whether each number is one that may be said. What is not, is neither read nor signed.
    ///
    /// # Errors
    /// [`WireError::Range`].
    pub fn check(&self) -> Result<(), WireError> {
        // Key epochs from 1 on, the first that a revoke opens is 2; the end of a stretch may be one behind the last index.
        let within = |epoch: KeyEpoch, index: Index| epoch.0 >= 1 && index.0 <= LAST_INDEX;
        let end = LAST_INDEX.saturating_add(1);
        let fits = match *self {
            Self::Announce { epoch, index, .. } | Self::Grant { epoch, index, .. } => {
                within(epoch, index)
            }
            Self::Root { batch, .. } => {
                within(batch.epoch, batch.first)
                    && (1..=MAX_BATCH).contains(&batch.count)
                    && batch.first.0.saturating_add(batch.count.into()) <= end
            }
            Self::Revoke {
                epoch,
                index,
                ended,
                ..
            } => within(epoch, index) && epoch.0 >= 2 && ended.0 <= end,
            Self::Path { slot, sealed, .. } => {
                let depth = super::slots::depth_of(sealed.len());
                depth.is_some_and(|depth| u32::from(slot) >> depth == 0)
            }
            Self::Subscribe { .. } | Self::Message { .. } => true,
        };
        fits.then_some(()).ok_or(WireError::Range)
    }

    /// Writes the body of a transaction of kind 4.
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        match *self {
            Self::Announce {
                number,
                mode,
                epoch,
                index,
            } => {
                w.put_array(5);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_uint(mode as u64);
                w.put_uint(epoch.0.into());
                w.put_uint(index.0);
            }
            Self::Root { number, batch } => {
                w.put_array(6);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_uint(batch.epoch.0.into());
                w.put_uint(batch.first.0);
                w.put_uint(batch.count.into());
                w.put_id(&batch.root);
            }
            Self::Subscribe { owner, number, key } => {
                w.put_array(4);
                w.put_uint(self.code().into());
                w.put_uint(owner.0.into());
                put_number(w, number);
                w.put_bytes(key);
            }
            Self::Grant {
                number,
                epoch,
                index,
                to,
                sealed,
            } => {
                w.put_array(6);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_uint(epoch.0.into());
                w.put_uint(index.0);
                w.put_uint(to.0.into());
                w.put_bytes(sealed);
            }
            Self::Revoke {
                number,
                epoch,
                index,
                ended,
                wraps,
            } => {
                w.put_array(6);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_uint(epoch.0.into());
                w.put_uint(index.0);
                w.put_uint(ended.0);
                w.put_bytes(wraps.as_flattened());
            }
            Self::Path {
                number,
                to,
                slot,
                sealed,
            } => {
                w.put_array(5);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_uint(to.0.into());
                w.put_uint(slot.into());
                w.put_bytes(sealed);
            }
            Self::Message { number, sealed } => {
                w.put_array(3);
                w.put_uint(self.code().into());
                put_number(w, number);
                w.put_bytes(sealed);
            }
        }
        w.intact()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ChannelError::Op`] for one that does not exist, else [`ChannelError::Wire`].
    pub fn read(r: &mut Reader<'a>) -> Result<Self, ChannelError> {
        let count = r.array()?;
        let op = match (r.uint()?, count) {
            (0, 5) => {
                let number = take_number(r);
                let mode = Mode::from_number(r.take_u8());
                Self::Announce {
                    number,
                    mode: mode.ok_or(ChannelError::Mode)?,
                    epoch: take_epoch(r),
                    index: take_index(r),
                }
            }
            (1, 6) => {
                let number = take_number(r);
                let batch = Batch {
                    epoch: take_epoch(r),
                    first: take_index(r),
                    count: r.take_u8(),
                    root: r.take_id(),
                };
                Self::Root { number, batch }
            }
            (2, 4) => Self::Subscribe {
                owner: MemberIndex(r.take_u16()),
                number: take_number(r),
                key: r.take_bytes_of(),
            },
            (3, 6) => Self::Grant {
                number: take_number(r),
                epoch: take_epoch(r),
                index: take_index(r),
                to: MemberIndex(r.take_u16()),
                sealed: r.bytes_of()?,
            },
            (4, 6) => {
                let number = take_number(r);
                let (epoch, index, ended) = (take_epoch(r), take_index(r), take_index(r));
                let (wraps, rest) = r.take_bytes().as_chunks::<WRAP>();
                if !rest.is_empty() {
                    r.break_off(WireError::Range);
                }
                Self::Revoke {
                    number,
                    epoch,
                    index,
                    ended,
                    wraps,
                }
            }
            (5, 5) => {
                let number = take_number(r);
                let to = MemberIndex(r.take_u16());
                let (slot, sealed) = (r.take_u8(), r.take_bytes());
                Self::Path {
                    number,
                    to,
                    slot,
                    sealed,
                }
            }
            (6, 3) => Self::Message {
                number: take_number(r),
                sealed: r.take_bytes(),
            },
            _ => return Err(ChannelError::Op),
        };
        r.intact()?;
        op.check()?;
        Ok(op)
    }
}

/// What the signer signs off the ledger; a frame's room is enough.
pub fn to_be_signed<'o>(
    neighbourhood: &Id,
    signer: &Id,
    body: &[u8],
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let mut w = Writer::new(out);
    w.put_array(4);
    w.put_text(DOMAIN);
    w.put_id(neighbourhood);
    w.put_id(signer);
    w.put_bytes(body);
    w.intact()?;
    Ok(w.into_written())
}

/// A statement off the ledger: the body, and behind it the signature. Nothing of it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    op: Op<'a>,
    body: &'a [u8],
    signature: Signature,
}

impl<'a> Statement<'a> {
    /// Reads one, and nothing after it.
    ///
    /// # Errors
    /// As [`Op::read`]; [`ChannelError::Truncated`] where no signature of 64 bytes follows.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ChannelError> {
        let (body, signature) = bytes.split_last_chunk().ok_or(ChannelError::Truncated)?;
        let mut r = Reader::new(body);
        let op = Op::read(&mut r)?;
        r.finish()?;
        Ok(Self {
            op,
            body,
            signature: Signature(*signature),
        })
    }

    /// What it says, if it is true: to see whose key is wanted.
    #[must_use]
    pub const fn op(&self) -> &Op<'a> {
        &self.op
    }

    /// What it says, once `signer`'s key is found to have signed it.
    ///
    /// # Errors
    /// [`ChannelError::Signature`].
    pub fn verify(
        &self,
        neighbourhood: &Id,
        signer: &Id,
        key: &PublicKey,
        verifier: &mut dyn Verify,
        scratch: &mut [u8],
    ) -> Result<Op<'a>, ChannelError> {
        let message = to_be_signed(neighbourhood, signer, self.body, scratch)?;
        verifier.verify(key, message, &self.signature)?;
        Ok(self.op)
    }
}
