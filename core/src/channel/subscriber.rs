//! What a device subscribed to: from the request over grant and path to reading, over resets, for several channels in one piece of memory.
//!
//! Invariant: what a statement or a message changes is in the store before the call returns. The X25519 secret of a request is new for each and erased once the path came, so that a
//! store that is found later opens no grant that the L-Chain still holds. Side keys and owners' keys stand in the store alone; what stands in memory are the places in the chains.

use super::grant::{self, SlotKey};
use super::keys::{Chain, Mode, SideKey};
use super::message::Sealed;
use super::reader::stored::{MAX_SEAT, Seat, stored_len};
use super::reader::{Bookmark, Opened, Proof, Recent, Rooms, Skipped};
use super::slots::{MAX_PATH, open_path, unwrap};
use super::statement::{Batch, Op, Statement, WRAP};
use super::{ChannelError, ChannelNumber, Index, KeyEpoch, MAX_JUMP, Place, WINDOW, channel_id};
use crate::copy::copy;
use crate::crypto::agree::SecretKey;
use crate::crypto::{PublicKey, Suite, Verify};
use crate::platform::Platform;
use crate::types::{Id, MAX_FRAME, MemberIndex};
use crate::wire::merkle::{self, MerkleError};
use crate::wire::{Reader as Wire, WireError, Writer};
use core::num::NonZeroU8;
use zeroize::Zeroize;

const VERSION: u64 = 1;
/// Bytes of a stored subscription, at most.
const STORED: usize = 1 + 1 + 3 + 34 + 3 + 66 + 5 + 34 + 34 + 34;
/// Keys of the store that each subscription has: its place, its seat, the rest.
pub const KEYS: u16 = 3;
/// Up to so many places for skipped messages no buffer is needed.
pub const FEW_SKIPPED: usize = 4;
const SMALL: usize = stored_len(FEW_SKIPPED);
/// In place of a count of messages.
const STALE: u8 = u8::MAX;
/// Most subscriptions of one [`Subscriber`].
pub const MAX_CHANNELS: usize = 64;

/// Whose channel, as the device that subscribes knows it: from the member table or a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The owner.
    pub owner: MemberIndex,
    /// Its device id.
    pub device: Id,
    /// Its public key.
    pub key: PublicKey,
    /// Which of its channels.
    pub number: ChannelNumber,
}

/// Room for one subscription.
#[derive(Default)]
pub struct Subscription(Option<Followed>);

struct Followed {
    owner: MemberIndex,
    number: ChannelNumber,
    restricted: bool,
    /// Messages read since the place was stored; [`STALE`]: the store failed after the place moved in memory, so it is read again before it is used.
    unstored: u8,
    mark: Option<Bookmark>,
}

/// What the store has of a subscription beside place and seat.
struct Stored {
    source: Source,
    side: Option<SideKey>,
    /// Of the request that waits for its grant or path.
    secret: Option<[u8; 32]>,
    /// Of a grant whose path has not come.
    slot_key: Option<SlotKey>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

/// What a statement told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is for others, or says what is known.
    Nothing,
    /// The chain goes on at another place; so many messages before it can't be read any more. A public channel can be read from there on.
    Announced {
        /// Which subscription.
        channel: u8,
        /// Messages that are lost.
        lost: u64,
    },
    /// From the place of the grant on, the channel can be read.
    Granted {
        /// Which subscription.
        channel: u8,
    },
    /// A later revoke of somebody else can be followed.
    Seated {
        /// Which subscription.
        channel: u8,
    },
    /// Somebody was revoked; this device reads on, under the new key epoch.
    Rekeyed {
        /// Which subscription.
        channel: u8,
        /// Messages that are lost.
        lost: u32,
    },
    /// A revoke in which nothing is for this device: it reads no more once the new key epoch begins, unless another part of the same revoke has it.
    Revoked {
        /// Which subscription.
        channel: u8,
    },
    /// The root of a batch. `proved`: all its messages were opened here and lead to it, so they are the owner's. Else each can be proved by its path.
    Root {
        /// Which subscription.
        channel: u8,
        /// The batch.
        batch: Batch,
        /// All are attributed.
        proved: bool,
    },
    /// A signed message.
    Message {
        /// Which subscription.
        channel: u8,
        /// As for a message off the ledger; the text is in the output.
        opened: Opened,
    },
}

/// What a [`Subscriber`] works in.
pub struct Memory<'m> {
    /// One for each channel, at most [`MAX_CHANNELS`].
    pub channels: &'m mut [Subscription],
    /// Shared by all: how many messages of gaps can still be read.
    pub skipped: &'m mut [Skipped],
    /// Shared by all: how many opened messages are remembered, to tell replays and forks, and to check a batch without paths.
    pub recent: &'m mut [Recent],
    /// [`stored_len`] bytes for `skipped`; none where these are at most [`FEW_SKIPPED`].
    pub buffer: &'m mut [u8],
    /// So many messages of a channel are read between two writes of the store, 1 to 64. After a power cut those since the last can be read once more, if they come again.
    pub every: u8,
}

/// See the module.
pub struct Subscriber<'m> {
    neighbourhood: Id,
    device: Id,
    key: u16,
    turn: u16,
    memory: Memory<'m>,
}

fn keys_of(base: u16, at: usize) -> [u16; 3] {
    let at = u16::try_from(at).unwrap_or(u16::MAX);
    let first = base.saturating_add(at.saturating_mul(KEYS));
    [first, first.saturating_add(1), first.saturating_add(2)]
}

/// Whose the messages in the rooms are.
fn of_place(at: usize) -> NonZeroU8 {
    NonZeroU8::MIN.saturating_add(slot(at))
}

fn buffer_of<'b>(given: &'b mut [u8], small: &'b mut [u8; SMALL]) -> &'b mut [u8] {
    if given.is_empty() { small } else { given }
}

fn slot(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}

impl<'m> Subscriber<'m> {
    /// The subscriptions that are stored from `key` on, [`KEYS`] for each channel. Device and neighbourhood are this device's.
    ///
    /// # Errors
    /// [`ChannelError::Full`] for more than [`MAX_CHANNELS`] or too short a buffer, [`ChannelError::Platform`], [`ChannelError::Wire`] for a damaged record.
    pub fn open<P: Platform>(
        platform: &mut P,
        neighbourhood: Id,
        device: Id,
        key: u16,
        memory: Memory<'m>,
    ) -> Result<Self, ChannelError> {
        let needed = match memory.skipped.len() {
            0..=FEW_SKIPPED => 0,
            more => stored_len(more),
        };
        if memory.channels.len() > MAX_CHANNELS || memory.buffer.len() < needed {
            return Err(ChannelError::Full);
        }
        if !(1..=WINDOW as u8).contains(&memory.every) {
            return Err(ChannelError::Mode);
        }
        memory.skipped.fill(Skipped::default());
        memory.recent.fill(Recent::default());
        let mut all = Self {
            neighbourhood,
            device,
            key,
            turn: 0,
            memory,
        };
        for at in 0..all.memory.channels.len() {
            let found = all.restore(platform, at)?;
            if let Some(slot) = all.memory.channels.get_mut(at) {
                slot.0 = found;
            }
        }
        Ok(all)
    }

    #[inline(never)]
    fn restore<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
    ) -> Result<Option<Followed>, ChannelError> {
        let [place, _, rest] = keys_of(self.key, at);
        let Some(stored) = Stored::load(platform, rest)? else {
            return Ok(None);
        };
        let mut rooms = Rooms {
            skipped: self.memory.skipped,
            recent: self.memory.recent,
            turn: &mut self.turn,
            side: stored.side.as_ref(),
        };
        let of = of_place(at);
        let mut small = [0; SMALL];
        let buffer = buffer_of(self.memory.buffer, &mut small);
        let mark = Bookmark::load(platform, place, &mut rooms, of, buffer)?;
        // Left over by a subscription that was ended or replaced in a power cut.
        let channel = stored.channel(&self.neighbourhood);
        let mark = mark.filter(|mark| mark.next().channel == channel);
        Ok(Some(Followed {
            owner: stored.source.owner,
            number: stored.source.number,
            restricted: stored.side.is_some(),
            unstored: 0,
            mark,
        }))
    }

    fn followed(&self, at: u8) -> Result<&Followed, ChannelError> {
        let slot = self.memory.channels.get(usize::from(at));
        slot.and_then(|slot| slot.0.as_ref())
            .ok_or(ChannelError::WrongChannel)
    }

    fn position(&self, owner: MemberIndex, number: ChannelNumber) -> Option<usize> {
        let same = |f: &Followed| f.owner == owner && f.number == number;
        let mut slots = self.memory.channels.iter();
        slots.position(|slot| slot.0.as_ref().is_some_and(same))
    }

    /// Asks for a channel: the body of the transaction (or statement) to send stands in `out`. Asked again while it waits, it is the same request; once granted, a new one, and
    /// what was granted before stays until the new grant comes. `side` is the pre-shared key of a restricted channel. Returns which subscription it is, and the length.
    ///
    /// # Errors
    /// [`ChannelError::SlotsFull`] where all places are taken, [`ChannelError::Full`], [`ChannelError::Platform`]; nothing was stored then.
    pub fn subscribe<P: Platform>(
        &mut self,
        platform: &mut P,
        source: &Source,
        side: Option<&SideKey>,
        out: &mut [u8],
    ) -> Result<(u8, usize), ChannelError> {
        let channel = channel_id(&self.neighbourhood, &source.device, source.number);
        let known = self.position(source.owner, source.number);
        let free = || self.memory.channels.iter().position(|s| s.0.is_none());
        let at = known.or_else(free).ok_or(ChannelError::SlotsFull)?;
        let [_, _, rest] = keys_of(self.key, at);
        let same = |s: &Stored| s.channel(&self.neighbourhood) == channel;
        let before = match known {
            Some(_) => Stored::load(platform, rest)?.filter(same),
            None => None,
        };
        let waiting = before.as_ref().and_then(|s| s.secret);
        let mut secret = [0; 32];
        match waiting {
            Some(same) => secret = same,
            None => platform.random(&mut secret)?,
        }
        let public = SecretKey::from_bytes(&secret).public_key();
        let op = Op::Subscribe {
            owner: source.owner,
            number: source.number,
            key: &public.0,
        };
        let mut w = Writer::new(out);
        op.write(&mut w).map_err(|_| ChannelError::Full)?;
        let len = w.len();
        let stored = Stored {
            source: *source,
            side: side.cloned(),
            secret: Some(secret),
            slot_key: before.as_ref().and_then(|s| s.slot_key.clone()),
        };
        secret.zeroize();
        stored.store(platform, rest)?;
        if let Some(place) = self.memory.channels.get_mut(at) {
            let mark = place.0.take().and_then(|f| f.mark);
            place.0 = Some(Followed {
                owner: source.owner,
                number: source.number,
                restricted: side.is_some(),
                unstored: 0,
                mark: mark.filter(|mark| mark.next().channel == channel),
            });
        }
        Ok((slot(at), len))
    }

    /// Ends a subscription and erases its keys.
    ///
    /// # Errors
    /// [`ChannelError::WrongChannel`] where there is none, [`ChannelError::Platform`]: it stands; try again.
    pub fn unsubscribe<P: Platform>(
        &mut self,
        platform: &mut P,
        channel: u8,
    ) -> Result<(), ChannelError> {
        self.followed(channel)?;
        let [place, seat, rest] = keys_of(self.key, channel.into());
        for key in [seat, place, rest] {
            platform.remove(key)?;
        }
        let ended = self.memory.channels.get_mut(usize::from(channel));
        if let Some(Some(mark)) = ended.and_then(|s| s.0.take()).map(|f| f.mark) {
            mark.leave(&mut Rooms {
                skipped: self.memory.skipped,
                recent: self.memory.recent,
                turn: &mut self.turn,
                side: None,
            });
        }
        Ok(())
    }

    /// The place of the next message; `None` while nothing was granted.
    ///
    /// # Errors
    /// [`ChannelError::WrongChannel`].
    pub fn next(&self, channel: u8) -> Result<Option<Place>, ChannelError> {
        let followed = self.followed(channel)?;
        Ok(followed.mark.as_ref().map(Bookmark::next))
    }

    /// Whose channel, and which.
    ///
    /// # Errors
    /// [`ChannelError::WrongChannel`].
    pub fn of(&self, channel: u8) -> Result<(MemberIndex, ChannelNumber), ChannelError> {
        self.followed(channel).map(|f| (f.owner, f.number))
    }

    /// What `from` said in a transaction of the ledger, which verified it. `me` is this device's index; `out` takes the text of a message, and holds nothing of it on an error.
    ///
    /// # Errors
    /// [`ChannelError`]; nothing has changed then.
    pub fn hear<P: Platform>(
        &mut self,
        platform: &mut P,
        me: MemberIndex,
        from: MemberIndex,
        op: &Op<'_>,
        out: &mut [u8],
    ) -> Result<Heard, ChannelError> {
        match *op {
            Op::Subscribe { .. } => return Ok(Heard::Nothing),
            Op::Grant { to, .. } | Op::Path { to, .. } if to != me => return Ok(Heard::Nothing),
            _ => {}
        }
        let Some(at) = self.position(from, op.number()) else {
            return Ok(Heard::Nothing);
        };
        let channel = slot(at);
        match *op {
            Op::Announce {
                mode, epoch, index, ..
            } => self.announced(platform, at, mode, epoch, index),
            Op::Grant {
                epoch,
                index,
                sealed,
                ..
            } => self.granted(platform, at, epoch, index, sealed),
            Op::Path {
                slot: seat, sealed, ..
            } => self.seated(platform, at, seat, sealed),
            Op::Revoke {
                epoch,
                index,
                ended,
                wraps,
                ..
            } => self.revoked(platform, at, (epoch, index), ended, wraps),
            Op::Root { batch, .. } => self.rooted(channel, batch),
            Op::Message { sealed, .. } => {
                let message = Sealed::parse_carried(sealed, true)?;
                let opened = self.with(platform, at, Why::Read, |mark, rooms, _| {
                    mark.open(rooms, &message, Proof::Carried, out)
                });
                let opened = opened.inspect_err(|_| out.zeroize())?;
                Ok(Heard::Message { channel, opened })
            }
            Op::Subscribe { .. } => Ok(Heard::Nothing),
        }
    }

    // Apart, each with its own room on the stack.
    #[inline(never)]
    fn seated<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
        seat: u8,
        sealed: &[u8],
    ) -> Result<Heard, ChannelError> {
        let channel = slot(at);

        let [_, key, rest] = keys_of(self.key, at);
        let mut stored = Stored::need(platform, rest)?;
        let id = stored.channel(&self.neighbourhood);
        let slot_key = stored.slot_key.take().ok_or(ChannelError::Stale)?;
        let mut keys = [0; MAX_PATH];
        let mut buffer = [0; MAX_SEAT];
        let opened = open_path(sealed, &id, seat, &slot_key, &mut keys);
        let done = opened.and_then(|len| {
            let seat = Seat {
                channel: id,
                slot: seat,
                keys: keys.get(..len).unwrap_or(&[]),
            };
            seat.store(platform, key, &mut buffer)
        });
        keys.zeroize();
        done?;
        stored.secret.zeroize();
        stored.secret = None;
        stored.store(platform, rest)?;
        Ok(Heard::Seated { channel })
    }

    #[inline(never)]
    fn revoked<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
        (epoch, index): (KeyEpoch, Index),
        ended: Index,
        wraps: &[[u8; WRAP]],
    ) -> Result<Heard, ChannelError> {
        let channel = slot(at);

        let Some(mark) = &self.followed(channel)?.mark else {
            return Ok(Heard::Nothing);
        };
        let first = Place {
            epoch,
            index,
            ..mark.next()
        };
        if first.epoch <= mark.next().epoch {
            // Another part of what was heard, or of an older one.
            return Ok(Heard::Nothing);
        }
        let [_, key, _] = keys_of(self.key, at);
        let mut buffer = [0; MAX_SEAT];
        let seat = Seat::load(platform, key, &mut buffer)?;
        let seat = seat.filter(|seat| seat.channel == first.channel);
        let found = seat.ok_or(ChannelError::Revoked);
        let found = found.and_then(|seat| unwrap(wraps, &first, seat.slot, seat.keys));
        buffer.zeroize();
        match found {
            Ok(chain) => {
                let lost = self.with(platform, at, Why::Said, |mark, rooms, _| {
                    mark.rekeyed(rooms, first, chain, ended)
                })?;
                Ok(Heard::Rekeyed { channel, lost })
            }
            Err(ChannelError::Revoked) => Ok(Heard::Revoked { channel }),
            Err(error) => Err(error),
        }
    }

    /// What `from` said off the ledger: as [`Subscriber::hear`], once the owner's key is found to have signed it.
    ///
    /// # Errors
    /// [`ChannelError`]; nothing has changed then.
    pub fn hear_statement<P: Platform>(
        &mut self,
        platform: &mut P,
        verifier: &mut dyn Verify,
        me: MemberIndex,
        from: MemberIndex,
        statement: &[u8],
        out: &mut [u8],
    ) -> Result<Heard, ChannelError> {
        let statement = Statement::parse(statement)?;
        let number = statement.op().number();
        let owned = |f: &Followed| f.owner == from && f.number == number;
        let mut slots = self.memory.channels.iter();
        let Some(at) = slots.position(|s| s.0.as_ref().is_some_and(owned)) else {
            return Ok(Heard::Nothing);
        };
        let [_, _, rest] = keys_of(self.key, at);
        let stored = Stored::need(platform, rest)?;
        let Source { device, key, .. } = &stored.source;
        let mut scratch = [0; MAX_FRAME];
        let op = statement.verify(&self.neighbourhood, device, key, verifier, &mut scratch)?;
        self.hear(platform, me, from, &op, out)
    }

    /// Opens a message off the ledger: tries it on every channel that may hold it. `out` takes the text, and holds nothing of it on an error. Returns which channel.
    ///
    /// # Errors
    /// [`ChannelError::Unknown`] where none holds it, else what is wrong with it; nothing has changed then.
    pub fn read<P: Platform>(
        &mut self,
        platform: &mut P,
        verifier: &mut dyn Verify,
        message: &[u8],
        out: &mut [u8],
    ) -> Result<(u8, Opened), ChannelError> {
        let message = Sealed::parse(message)?;
        let why = match message.form.signed {
            true => Why::ReadSigned,
            false => Why::Read,
        };
        for at in 0..self.memory.channels.len() {
            let Some(Some(followed)) = self.memory.channels.get(at).map(|s| s.0.as_ref()) else {
                continue;
            };
            let (skipped, recent) = (&*self.memory.skipped, &*self.memory.recent);
            let may = |mark: &Bookmark| mark.may_hold(skipped, recent, &message.lookup);
            if followed.unstored != STALE && !followed.mark.as_ref().is_some_and(may) {
                continue;
            }
            let opened = self.with(platform, at, why, |mark, rooms, stored| {
                let proof = match stored {
                    Some(stored) => Proof::Check(&stored.source.key, &mut *verifier),
                    None => Proof::Carried,
                };
                mark.open(rooms, &message, proof, &mut *out)
            });
            match opened {
                Err(ChannelError::Unknown) => {}
                Err(error) => {
                    out.zeroize();
                    return Err(error);
                }
                Ok(opened) => return Ok((slot(at), opened)),
            }
        }
        Err(ChannelError::Unknown)
    }

    /// Whether a message that was opened stands under the root of its batch: then it is the owner's. `path` is its way to the root.
    ///
    /// # Errors
    /// [`ChannelError::Unknown`] where it is not remembered; [`ChannelError::Batch`], [`ChannelError::Path`].
    pub fn prove(
        &self,
        channel: u8,
        batch: &Batch,
        index: Index,
        path: &[Id],
    ) -> Result<(), ChannelError> {
        let mark = self.followed(channel)?.mark.as_ref();
        let mark = mark.ok_or(ChannelError::Unknown)?;
        let leaf = mark.leaf(self.memory.recent, batch.epoch, index);
        batch.prove(
            batch.epoch,
            index,
            &leaf.ok_or(ChannelError::Unknown)?,
            path,
        )
    }

    #[inline(never)]
    fn rooted(&self, channel: u8, batch: Batch) -> Result<Heard, ChannelError> {
        let Some(mark) = &self.followed(channel)?.mark else {
            return Ok(Heard::Nothing);
        };
        let leaf = |n: u8| {
            let index = Index(batch.first.0.saturating_add(n.into()));
            mark.leaf(self.memory.recent, batch.epoch, index)
        };
        let told = |proved| Heard::Root {
            channel,
            batch,
            proved,
        };
        if !(0..batch.count).all(|n| leaf(n).is_some()) {
            return Ok(told(false));
        }
        let leaves = (0..batch.count).filter_map(leaf);
        match merkle::root(leaves).map_err(ChannelError::Path)? == batch.root {
            true => Ok(told(true)),
            // One of them is not the owner's.
            false => Err(ChannelError::Path(MerkleError::Root)),
        }
    }

    #[inline(never)]
    fn announced<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
        mode: Mode,
        epoch: KeyEpoch,
        index: Index,
    ) -> Result<Heard, ChannelError> {
        let channel = slot(at);
        let next = self.next(channel)?;
        let told = |lost| Ok(Heard::Announced { channel, lost });
        match next {
            Some(next) if next.epoch > epoch => Ok(Heard::Nothing),
            Some(next) if next.epoch == epoch && next.index >= index => Ok(Heard::Nothing),
            Some(next) if next.epoch == epoch => {
                told(self.with(platform, at, Why::Said, |mark, rooms, _| {
                    mark.announced(rooms, epoch, index)
                })?)
            }
            _ if mode != Mode::Public => Ok(Heard::Nothing),
            next => {
                let [_, _, rest] = keys_of(self.key, at);
                let id = Stored::need(platform, rest)?.channel(&self.neighbourhood);
                let first = Place {
                    channel: id,
                    epoch,
                    index,
                };
                if index.0 > MAX_JUMP {
                    return Err(ChannelError::Jump);
                }
                let mut chain = Chain::public(&id, epoch);
                chain.skip(index.0);
                self.begin(platform, at, first, chain, next)?;
                told(0)
            }
        }
    }

    /// Goes on at a place with a key that was granted, or that everybody knows.
    #[inline(never)]
    fn begin<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
        first: Place,
        chain: Chain,
        next: Option<Place>,
    ) -> Result<(), ChannelError> {
        if let Some(next) = next {
            self.with(platform, at, Why::Said, |mark, rooms, _| {
                mark.rekeyed(rooms, first, chain, next.index)
            })?;
            return Ok(());
        }
        let [place, _, rest] = keys_of(self.key, at);
        let stored = Stored::need(platform, rest)?;
        let mark = Bookmark::new(first, chain, stored.side.as_ref(), of_place(at));
        mark.store(&[], platform, place, &mut [0; SMALL])?;
        if let Some(followed) = self.memory.channels.get_mut(at).and_then(|s| s.0.as_mut()) {
            followed.mark = Some(mark);
            followed.unstored = 0;
        }
        Ok(())
    }

    #[inline(never)]
    fn granted<P: Platform>(
        &mut self,
        platform: &mut P,
        at: usize,
        epoch: KeyEpoch,
        index: Index,
        sealed: &[u8; super::statement::GRANT],
    ) -> Result<Heard, ChannelError> {
        let channel = slot(at);
        let next = self.next(channel)?;
        if next.is_some_and(|next| epoch < next.epoch) {
            return Err(ChannelError::Stale);
        }
        let [_, _, rest] = keys_of(self.key, at);
        let mut stored = Stored::need(platform, rest)?;
        let first = Place {
            channel: stored.channel(&self.neighbourhood),
            epoch,
            index,
        };
        // Replayed, once its path came.
        let secret = stored.secret.ok_or(ChannelError::Stale)?;
        let secret = SecretKey::from_bytes(&secret);
        let subscriber = grant::Addressee {
            device: &self.device,
            secret: &secret,
            side: stored.side.as_ref(),
        };
        let grant::Grant { chain, slot_key } = grant::open(sealed, &first, &subscriber)?;
        stored.slot_key = Some(slot_key);
        stored.store(platform, rest)?;
        match next {
            // What is held reads as much and more.
            Some(next) if next.epoch == epoch => {}
            next => self.begin(platform, at, first, chain, next)?,
        }
        Ok(Heard::Granted { channel })
    }

    /// Changes one bookmark and stores it: what cannot be stored has not happened.
    fn with<P: Platform, R>(
        &mut self,
        platform: &mut P,
        at: usize,
        why: Why,
        work: impl FnOnce(&mut Bookmark, &mut Rooms<'_>, Option<&Stored>) -> Result<R, ChannelError>,
    ) -> Result<R, ChannelError> {
        let [place, _, rest] = keys_of(self.key, at);
        let followed = self.memory.channels.get_mut(at);
        let followed = followed.and_then(|s| s.0.as_mut());
        let followed = followed.ok_or(ChannelError::WrongChannel)?;
        let stored = match followed.restricted || why == Why::ReadSigned {
            true => Some(Stored::need(platform, rest)?),
            false => None,
        };
        let mut rooms = Rooms {
            skipped: self.memory.skipped,
            recent: self.memory.recent,
            turn: &mut self.turn,
            side: stored.as_ref().and_then(|s| s.side.as_ref()),
        };
        let mut small = [0; SMALL];
        let buffer = buffer_of(self.memory.buffer, &mut small);
        if followed.unstored == STALE {
            let of = of_place(at);
            followed.mark = Bookmark::load(platform, place, &mut rooms, of, buffer)?;
            followed.unstored = 0;
        }
        let mark = followed.mark.as_mut().ok_or(ChannelError::Unknown)?;
        let signed = stored.as_ref().filter(|_| why == Why::ReadSigned);
        let done = work(mark, &mut rooms, signed)?;
        followed.unstored = followed.unstored.saturating_add(1).min(STALE - 1);
        if why != Why::Said && followed.unstored < self.memory.every {
            return Ok(done);
        }
        match mark.store(rooms.skipped, platform, place, buffer) {
            Ok(()) => {
                followed.unstored = 0;
                Ok(done)
            }
            Err(error) => {
                mark.leave(&mut rooms);
                followed.unstored = STALE;
                Err(error)
            }
        }
    }

    /// Stores the places of all channels of which messages were read since the last write.
    ///
    /// # Errors
    /// [`ChannelError::Platform`]: try again.
    pub fn store<P: Platform>(&mut self, platform: &mut P) -> Result<(), ChannelError> {
        for (at, slot) in self.memory.channels.iter_mut().enumerate() {
            let Some(followed) = slot.0.as_mut() else {
                continue;
            };
            let [place, _, _] = keys_of(self.key, at);
            if let Some(mark) = &followed.mark
                && (1..STALE).contains(&followed.unstored)
            {
                let mut small = [0; SMALL];
                let buffer = buffer_of(self.memory.buffer, &mut small);
                mark.store(self.memory.skipped, platform, place, buffer)?;
                followed.unstored = 0;
            }
        }
        Ok(())
    }
}

/// What changes a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// A statement.
    Said,
    /// A message.
    Read,
    /// One with a signature behind it.
    ReadSigned,
}

impl Stored {
    fn channel(&self, neighbourhood: &Id) -> Id {
        channel_id(neighbourhood, &self.source.device, self.source.number)
    }

    fn store<P: Platform>(&self, platform: &mut P, key: u16) -> Result<(), ChannelError> {
        let mut buffer = [0; STORED];
        let mut w = Writer::new(&mut buffer);
        let or_none = |bytes: Option<&[u8; 32]>, w: &mut Writer<'_>| {
            w.put_bytes(bytes.map_or(&[], |bytes| bytes));
        };
        w.put_array(9);
        w.put_uint(VERSION);
        w.put_uint(self.source.owner.0.into());
        w.put_id(&self.source.device);
        w.put_int(self.source.key.suite().cose_alg().into());
        w.put_bytes(self.source.key.bytes());
        w.put_uint(self.source.number.to_wire().into());
        or_none(self.side.as_ref().map(|side| &side.0), &mut w);
        or_none(self.secret.as_ref(), &mut w);
        or_none(self.slot_key.as_ref().map(|key| &key.0), &mut w);
        let done = match w.intact() {
            Ok(()) => platform.put(key, w.written()).map_err(Into::into),
            Err(error) => Err(error.into()),
        };
        buffer.zeroize();
        done
    }

    fn need<P: Platform>(platform: &mut P, key: u16) -> Result<Self, ChannelError> {
        Self::load(platform, key)?.ok_or(ChannelError::Platform)
    }

    fn load<P: Platform>(platform: &mut P, key: u16) -> Result<Option<Self>, ChannelError> {
        let mut buffer = [0; STORED];
        let Some(len) = platform.get(key, &mut buffer)? else {
            return Ok(None);
        };
        let read = Self::read(buffer.get(..len).unwrap_or(&[]));
        buffer.zeroize();
        Ok(Some(read?))
    }

    fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Wire::new(bytes);
        r.take_array_of(9);
        if r.take_uint() != VERSION {
            r.break_off(WireError::Range);
        }
        let owner = MemberIndex(r.take_u16());
        let device = r.take_id();
        let suite = i32::try_from(r.take_int())
            .ok()
            .and_then(Suite::from_cose_alg);
        let key = match suite {
            Some(Suite::Ed25519) => PublicKey::Ed25519(*r.take_bytes_of()),
            Some(Suite::Es256) => PublicKey::Es256(*r.take_bytes_of()),
            None => return Err(WireError::Range),
        };
        let number = ChannelNumber::from_wire(r.take_u32());
        let side = take_or_none(&mut r).map(SideKey);
        let secret = take_or_none(&mut r);
        let slot_key = take_or_none(&mut r).map(SlotKey);
        r.finish()?;
        Ok(Self {
            source: Source {
                owner,
                device,
                key,
                number,
            },
            side,
            secret,
            slot_key,
        })
    }
}

fn take_or_none(r: &mut Wire<'_>) -> Option<[u8; 32]> {
    let bytes = r.take_bytes();
    let mut out = [0; 32];
    match bytes.len() {
        0 => None,
        32 => {
            copy(&mut out, bytes);
            Some(out)
        }
        _ => {
            r.break_off(WireError::Range);
            None
        }
    }
}
