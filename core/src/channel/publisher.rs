//! A channel as its owner keeps it: the chain, who was granted it, and what of it is still to be said.
//!
//! Invariant: who was revoked is in the store before the key epoch changes, and the key epoch has changed before another message is sealed, over power cuts too: so nobody reads what was
//! published after its revoke. A grant or revoke that was asked for is due until it was taken, also after a reset; what is due twice says the same twice.

use super::grant::{self, SlotKey};
use super::keys::{Mode, SideKey};
use super::message::Form;
use super::owner::{self, Owner, Published};
use super::slots::{MAX_PATH, Slots};
use super::statement::{Batch, MAX_DEPTH, Op, WRAP};
use super::{ChannelError, ChannelNumber, Index, KeyEpoch, Place, channel_id};
use crate::copy::copy;
use crate::crypto::agree::PublicKey;
use crate::platform::Platform;
use crate::tx::MAX_BODY;
use crate::types::{Id, MemberIndex, Number};
use crate::wire::{Reader as Wire, WireError, Writer};
use zeroize::Zeroize;

const VERSION: u64 = 1;
/// Keys of the store that a channel has: its chain, its readers.
pub const KEYS: u16 = 2;
/// Bytes of a stored audience of no reader, at most.
const BARE: usize = 1 + 1 + 34 + 1 + 34 + 17 + 17 + 3 + 5 + 9 + 1 + 2 + PENDING;
/// Bytes of a grant that is due.
const PENDING: usize = 2 + 32 + 32;
/// Most wraps in one revoke: what fits a transaction's body.
const WRAPS: usize = 6;

/// Bytes that the record of the readers takes, at most, for a tree of this depth.
#[must_use]
pub const fn stored_len(depth: u8) -> usize {
    BARE.saturating_add(readers(depth).saturating_mul(2))
}

/// Readers that a tree of this depth has place for.
#[must_use]
pub const fn readers(depth: u8) -> usize {
    let depth = if depth > MAX_DEPTH { MAX_DEPTH } else { depth };
    1 << depth
}

/// What the application decides of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// This device's neighbourhood.
    pub neighbourhood: Id,
    /// This device.
    pub device: Id,
    /// Which of its channels.
    pub number: ChannelNumber,
    /// Who may read.
    pub mode: Mode,
    /// The first of [`KEYS`] keys of the store.
    pub key: u16,
    /// So many indexes are reserved with one write, 1 to 64.
    pub ahead: u8,
    /// For up to 2^`depth` readers, at most 128.
    pub depth: u8,
}

/// What a [`Publisher`] works in.
pub struct Memory<'m> {
    /// Holds a batch: its length, at most 64, is the batch's; none: no batches.
    pub leaves: &'m mut [Id],
    /// [`readers`] of the depth; none for a public channel.
    pub members: &'m mut [MemberIndex],
    /// [`stored_len`] of the depth.
    pub buffer: &'m mut [u8],
}

/// A grant that was asked for.
#[derive(Clone, Copy)]
struct Pending {
    member: MemberIndex,
    device: Id,
    key: PublicKey,
}

/// The readers of a channel that is not public.
struct Audience {
    slots: Slots,
    master: [u8; 32],
    /// The key epoch that the last revoke opens.
    covered: KeyEpoch,
    /// Where the one before it ended.
    ended: Index,
    /// The wraps of `covered` are to be said.
    revoke: bool,
    grant: Option<Pending>,
}

impl Drop for Audience {
    fn drop(&mut self) {
        self.master.zeroize();
    }
}

/// See the module.
pub struct Publisher<'m> {
    config: Config,
    owner: Owner<'m>,
    audience: Option<Audience>,
    members: &'m mut [MemberIndex],
    buffer: &'m mut [u8],
    /// A batch whose root is to be said.
    root: Option<Batch>,
    /// The batch is closed; its leaves stand for paths until the next message.
    closed: bool,
    announce: bool,
    /// Wraps of the revoke that were taken.
    wrapped: u8,
    /// Of the grant that was shown last, for its path.
    sealed: Option<(MemberIndex, SlotKey)>,
    /// Of the grant that was taken.
    path: Option<(MemberIndex, SlotKey)>,
    /// What was shown last.
    shown: Option<Due>,
}

/// What is to be said next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Root,
    /// With so many wraps, and whether these are the last.
    Revoke(u8, bool),
    Announce,
    Grant,
    Path,
}

impl<'m> Publisher<'m> {
    /// The channel that is stored, or a new one. `newest` is the newest own number that the node or leaf of this device has stored, 0 where it has none.
    ///
    /// # Errors
    /// As [`Owner::open`]; [`ChannelError::Full`] for too little memory, [`ChannelError::Slot`] for a depth above 7 or another one than is stored, [`ChannelError::WrongChannel`] where the
    /// store has another channel's readers under this key.
    pub fn open<P: Platform>(
        platform: &mut P,
        newest: Number,
        config: Config,
        side: Option<SideKey>,
        memory: Memory<'m>,
    ) -> Result<Self, ChannelError> {
        let mut publisher = Self::unloaded(config, side, memory)?;
        publisher.start(platform, newest)?;
        Ok(publisher)
    }

    /// One that has not read its store yet, for who builds it where it stays, since it is large for a small stack: [`Publisher::start`] before anything else.
    ///
    /// # Errors
    /// [`ChannelError::Slot`], [`ChannelError::Full`].
    #[inline(never)]
    pub fn unloaded(
        config: Config,
        side: Option<SideKey>,
        memory: Memory<'m>,
    ) -> Result<Self, ChannelError> {
        let channel = channel_id(&config.neighbourhood, &config.device, config.number);
        let chain = owner::Config {
            channel,
            mode: config.mode,
            key: config.key,
            ahead: config.ahead,
        };
        let public = config.mode == Mode::Public;
        if config.depth > MAX_DEPTH {
            return Err(ChannelError::Slot);
        }
        let members = memory.members.get_mut(..readers(config.depth));
        let members = members.or(public.then_some(&mut []));
        let members = members.ok_or(ChannelError::Full)?;
        if !public && memory.buffer.len() < stored_len(config.depth) {
            return Err(ChannelError::Full);
        }
        Ok(Self {
            config,
            owner: Owner::unloaded(chain, side, memory.leaves),
            audience: None,
            members,
            buffer: memory.buffer,
            root: None,
            closed: false,
            announce: true,
            wrapped: 0,
            sealed: None,
            path: None,
            shown: None,
        })
    }

    /// Goes on where the store says.
    ///
    /// # Errors
    /// As [`Publisher::open`]; then it is of no use.
    pub fn start<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        self.owner.load(platform, newest)?;
        if self.config.mode != Mode::Public {
            self.load(platform, self.owner.next().channel)?;
            self.follow_up(platform, newest)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn load<P: Platform>(&mut self, platform: &mut P, channel: Id) -> Result<(), ChannelError> {
        let depth = self.config.depth;
        let found = platform.get(self.readers_key(), self.buffer)?;
        let Some(len) = found else {
            let mut master = [0; 32];
            platform.random(&mut master)?;
            let slots = Slots::new(master, channel, depth)?;
            self.audience = Some(Audience {
                slots,
                master,
                covered: KeyEpoch(1),
                ended: Index(0),
                revoke: false,
                grant: None,
            });
            master.zeroize();
            return self.save(platform);
        };
        let bytes = self.buffer.get(..len).unwrap_or(&[]);
        let read = read(bytes, channel, depth, self.members);
        self.buffer.zeroize();
        self.audience = Some(read?);
        Ok(())
    }

    fn readers_key(&self) -> u16 {
        self.config.key.saturating_add(1)
    }

    /// Writes the readers, at once.
    fn save<P: Platform>(&mut self, platform: &mut P) -> Result<(), ChannelError> {
        let audience = self.audience.as_ref().ok_or(ChannelError::Mode)?;
        let (given, revoked) = audience.slots.bitmaps();
        let mut w = Writer::new(self.buffer);
        w.put_array(11);
        w.put_uint(VERSION);
        w.put_id(&self.owner.next().channel);
        w.put_uint(self.config.depth.into());
        w.put_bytes(&audience.master);
        w.put_bytes(&given.to_be_bytes());
        w.put_bytes(&revoked.to_be_bytes());
        let count = given.trailing_ones() as usize;
        w.put_bytes_head(count.saturating_mul(2));
        for member in self.members.iter().take(count) {
            w.put_raw(&member.0.to_be_bytes());
        }
        w.put_uint(audience.covered.0.into());
        w.put_uint(audience.ended.0);
        w.put_uint(audience.revoke.into());
        w.put_bytes_head(audience.grant.map_or(0, |_| PENDING));
        if let Some(grant) = &audience.grant {
            w.put_raw(&grant.member.0.to_be_bytes());
            w.put_raw(&grant.device.0);
            w.put_raw(&grant.key.0);
        }
        let done = match w.intact() {
            Ok(()) => {
                let key = self.config.key.saturating_add(1);
                platform.put(key, w.written()).map_err(Into::into)
            }
            Err(_) => Err(ChannelError::Full),
        };
        self.buffer.zeroize();
        done
    }

    /// Opens the key epoch that the last revoke wants, if that has not been done.
    #[inline(never)]
    fn follow_up<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        let covered = self.audience.as_ref().map(|a| a.covered);
        while covered.is_some_and(|covered| covered > self.owner.next().epoch) {
            self.owner.rekey(platform, newest)?;
            self.closed = false;
        }
        Ok(())
    }

    /// Where the next message will stand.
    #[must_use]
    pub const fn next(&self) -> Place {
        self.owner.next()
    }

    /// Readers who were granted the channel and not revoked.
    pub fn readers(&self) -> impl Iterator<Item = MemberIndex> + '_ {
        let (given, revoked) = self.audience.as_ref().map_or((0, 0), |a| a.slots.bitmaps());
        let held = given & !revoked;
        let bits = (0..128_u32).map(move |n| held.checked_shr(n).unwrap_or(0) & 1 == 1);
        self.members
            .iter()
            .zip(bits)
            .filter(|(_, held)| *held)
            .map(|(member, _)| *member)
    }

    fn slot_of(&self, member: MemberIndex) -> Option<u8> {
        let (given, revoked) = self.audience.as_ref()?.slots.bitmaps();
        let held = given & !revoked;
        let of = |slot: &u8| {
            let bit = 1_u128.checked_shl((*slot).into()).unwrap_or(0);
            held & bit != 0 && self.members.get(usize::from(*slot)) == Some(&member)
        };
        (0..128).find(of)
    }

    /// As [`Owner::prepare`].
    ///
    /// # Errors
    /// As [`Owner::prepare`].
    pub fn prepare<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        self.follow_up(platform, newest)?;
        self.owner.prepare(platform, newest)
    }

    /// Seals a message into `out`, as [`Owner::publish`].
    ///
    /// # Errors
    /// [`ChannelError::Busy`] while the root of a full batch, or a revoke, is due: take what is due first. As [`Owner::publish`]; no index is used then.
    pub fn publish<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
        form: Form,
        body: &[u8],
        out: &mut [u8],
    ) -> Result<Published, ChannelError> {
        self.follow_up(platform, newest)?;
        if self.root.is_some() || self.audience.as_ref().is_some_and(|a| a.revoke) {
            return Err(ChannelError::Busy);
        }
        if self.closed {
            self.owner.close_batch();
            self.closed = false;
        }
        let published = self.owner.publish(platform, newest, form, body, out)?;
        if published.full {
            self.close_batch()?;
        }
        Ok(published)
    }

    /// Closes the open batch before it is full: its root becomes due. Nothing happens where it is empty.
    ///
    /// # Errors
    /// [`ChannelError::Busy`] while the root before is due.
    pub fn close_batch(&mut self) -> Result<(), ChannelError> {
        match self.owner.batch() {
            _ if self.closed => Ok(()),
            Err(ChannelError::Batch) => Ok(()),
            Err(error) => Err(error),
            Ok(_) if self.root.is_some() => Err(ChannelError::Busy),
            Ok(batch) => {
                self.root = Some(batch);
                self.closed = true;
                Ok(())
            }
        }
    }

    /// The path of a message of the batch that is open, or was closed last, until the next message; returns how many hashes.
    ///
    /// # Errors
    /// [`ChannelError::Batch`], [`ChannelError::Path`] for too little room.
    pub fn path(&self, index: Index, out: &mut [Id]) -> Result<usize, ChannelError> {
        self.owner.path(index, out)
    }

    /// Grants the channel from the next message on to a member that asked with this key. Grant and path become due. Granted again, a reader keeps its slot.
    ///
    /// # Errors
    /// [`ChannelError::Mode`] for a public channel, [`ChannelError::Busy`] while another grant is due, [`ChannelError::SlotsFull`], [`ChannelError::Platform`]; nothing has changed then.
    pub fn grant<P: Platform>(
        &mut self,
        platform: &mut P,
        member: MemberIndex,
        device: &Id,
        key: &[u8; 32],
    ) -> Result<(), ChannelError> {
        let held = self.slot_of(member);
        let audience = self.audience.as_mut().ok_or(ChannelError::Mode)?;
        if audience.grant.is_some() {
            return Err(ChannelError::Busy);
        }
        let (given, revoked) = audience.slots.bitmaps();
        if held.is_none() {
            let slot = audience.slots.give()?;
            if let Some(place) = self.members.get_mut(usize::from(slot)) {
                *place = member;
            }
        }
        audience.grant = Some(Pending {
            member,
            device: *device,
            key: PublicKey(*key),
        });
        let stored = self.save(platform);
        if stored.is_err()
            && let Some(audience) = self.audience.as_mut()
        {
            audience.grant = None;
            audience.slots.reset(given, revoked);
        }
        stored
    }

    /// Revokes a reader: the next message stands in a new key epoch, of which it gets no key. The open batch is closed; its root and the revoke become due.
    ///
    /// # Errors
    /// [`ChannelError::Slot`] where it is no reader, [`ChannelError::Busy`] while the root before is due; [`ChannelError::Platform`]: where the store failed before the revoke was in it,
    /// nothing has changed; where it failed after, nothing more is published before the key epoch changed: call anything again.
    pub fn revoke<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
        member: MemberIndex,
    ) -> Result<(), ChannelError> {
        let slot = self.slot_of(member).ok_or(ChannelError::Slot)?;
        self.turn(platform, newest, |audience| {
            audience.slots.revoke(slot)?;
            if audience.grant.is_some_and(|grant| grant.member == member) {
                audience.grant = None;
            }
            Ok(())
        })
    }

    /// Opens a new key epoch for the same readers: heals after a key was exposed, and goes on after the last index.
    ///
    /// # Errors
    /// As [`Publisher::revoke`].
    pub fn rekey<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        if self.audience.is_some() {
            return self.turn(platform, newest, |_| Ok(()));
        }
        self.close_batch()?;
        self.owner.rekey(platform, newest)?;
        self.closed = false;
        self.announce = true;
        self.shown = None;
        Ok(())
    }

    /// Begins anew, with all slots free: when [`Publisher::grant`] finds none. Who reads now is told that it is revoked, and asks again.
    ///
    /// # Errors
    /// As [`Publisher::revoke`].
    pub fn renew<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        let (channel, depth) = (self.owner.next().channel, self.config.depth);
        let mut master = [0; 32];
        platform.random(&mut master)?;
        let slots = Slots::new(master, channel, depth)?;
        let done = self.turn(platform, newest, |audience| {
            audience.slots = slots;
            audience.master = master;
            audience.grant = None;
            Ok(())
        });
        master.zeroize();
        done
    }

    /// Changes the readers and the key epoch.
    fn turn<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
        change: impl FnOnce(&mut Audience) -> Result<(), ChannelError>,
    ) -> Result<(), ChannelError> {
        if self.audience.is_none() {
            return Err(ChannelError::Mode);
        }
        self.follow_up(platform, newest)?;
        self.close_batch()?;
        let next = self.owner.next();
        let key = self.readers_key();
        let audience = self.audience.as_mut().ok_or(ChannelError::Mode)?;
        let epoch = next.epoch.0.checked_add(1).map(KeyEpoch);
        audience.covered = epoch.ok_or(ChannelError::IndexOverflow)?;
        // Two in a row without a message between: the readers stand in the one before.
        if !audience.revoke || next.index > Index(0) {
            audience.ended = next.index;
        }
        audience.revoke = true;
        let stored = change(audience).and_then(|()| self.save(platform));
        if let Err(error) = stored {
            // What is stored stands.
            let len = platform.get(key, self.buffer)?.unwrap_or(0);
            let bytes = self.buffer.get(..len).unwrap_or(&[]);
            let depth = self.config.depth;
            let before = read(bytes, next.channel, depth, self.members);
            self.buffer.zeroize();
            self.audience = Some(before?);
            return Err(error);
        }
        self.wrapped = 0;
        (self.sealed, self.path, self.shown) = (None, None, None);
        self.follow_up(platform, newest)
    }

    fn due(&self) -> Option<Due> {
        let audience = self.audience.as_ref();
        if self.root.is_some() {
            Some(Due::Root)
        } else if audience.is_some_and(|a| a.revoke) {
            Some(Due::Revoke(0, true))
        } else if self.announce {
            Some(Due::Announce)
        } else if self.path.is_some() {
            Some(Due::Path)
        } else if audience.is_some_and(|a| a.grant.is_some()) {
            Some(Due::Grant)
        } else {
            None
        }
    }

    /// What is to be said next: the body of a transaction of kind 4, or of a statement. Asked again it is the same thing, until [`Publisher::taken`]. `None`: nothing is due.
    ///
    /// # Errors
    /// [`ChannelError::Full`] where `out` is shorter than the longest, 320 bytes; [`ChannelError::Platform`]; [`ChannelError::WeakKey`]: the subscriber's key is none; its grant is given up.
    pub fn next_op<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
        out: &mut [u8],
    ) -> Result<Option<usize>, ChannelError> {
        self.follow_up(platform, newest)?;
        let out = out.get_mut(..MAX_BODY).ok_or(ChannelError::Full)?;
        let number = self.config.number;
        let place = self.owner.next();
        let Some(due) = self.due() else {
            return Ok(None);
        };
        let mut w = Writer::new(out);
        let mut shown = due;
        match due {
            Due::Root => {
                let batch = self.root.ok_or(ChannelError::Batch)?;
                Op::Root { number, batch }.write(&mut w)?;
            }
            Due::Announce => {
                let announce = Op::Announce {
                    number,
                    mode: self.config.mode,
                    epoch: place.epoch,
                    index: place.index,
                };
                announce.write(&mut w)?;
            }
            Due::Revoke(..) => shown = self.write_revoke(&mut w)?,
            Due::Grant => self.write_grant(platform, &mut w)?,
            Due::Path => self.write_path(&mut w)?,
        }
        self.shown = Some(shown);
        Ok(Some(w.len()))
    }

    // Apart, each with its own room on the stack.
    #[inline(never)]
    fn write_revoke(&self, w: &mut Writer<'_>) -> Result<Due, ChannelError> {
        let audience = self.audience.as_ref().ok_or(ChannelError::Mode)?;
        let place = self.owner.next();
        let mut wraps = [[0; WRAP]; WRAPS];
        let mut cover = audience.slots.cover().skip(self.wrapped.into());
        let mut count: u8 = 0;
        for (to, node) in wraps.iter_mut().zip(cover.by_ref()) {
            *to = audience.slots.wrap(node, &place, self.owner.chain())?;
            count = count.saturating_add(1);
        }
        let revoke = Op::Revoke {
            number: self.config.number,
            epoch: place.epoch,
            index: place.index,
            ended: audience.ended,
            wraps: wraps.get(..usize::from(count)).unwrap_or(&[]),
        };
        revoke.write(w)?;
        Ok(Due::Revoke(count, cover.next().is_none()))
    }

    #[inline(never)]
    fn write_path(&self, w: &mut Writer<'_>) -> Result<(), ChannelError> {
        let (member, slot_key) = self.path.as_ref().ok_or(ChannelError::Slot)?;
        let slot = self.slot_of(*member).ok_or(ChannelError::Slot)?;
        let audience = self.audience.as_ref().ok_or(ChannelError::Mode)?;
        let mut sealed = [0; MAX_PATH];
        let len = audience.slots.path(slot, slot_key, &mut sealed)?;
        let path = Op::Path {
            number: self.config.number,
            to: *member,
            slot,
            sealed: sealed.get(..len).unwrap_or(&[]),
        };
        path.write(w)?;
        Ok(())
    }

    #[inline(never)]
    fn write_grant<P: Platform>(
        &mut self,
        platform: &mut P,
        w: &mut Writer<'_>,
    ) -> Result<(), ChannelError> {
        let pending = self.audience.as_ref().and_then(|a| a.grant);
        let Pending {
            member,
            device,
            key,
        } = pending.ok_or(ChannelError::Slot)?;
        let place = self.owner.next();
        let mut random = [0; 32];
        platform.random(&mut random)?;
        let side = self.owner.side();
        let sealed = grant::seal(self.owner.chain(), &place, &device, &key, side, &random);
        random.zeroize();
        let (sealed, slot_key) = match sealed {
            Ok(sealed) => sealed,
            Err(error) => {
                if let Some(audience) = self.audience.as_mut() {
                    audience.grant = None;
                }
                self.save(platform)?;
                return Err(error);
            }
        };
        let grant = Op::Grant {
            number: self.config.number,
            epoch: place.epoch,
            index: place.index,
            to: member,
            sealed: &sealed,
        };
        grant.write(w)?;
        // Each time it is shown it is sealed anew: the path goes with the last.
        self.sealed = Some((member, slot_key));
        Ok(())
    }

    /// What [`Publisher::next_op`] showed last is on its way (in the outbox of a node, or sent): it is due no longer.
    ///
    /// # Errors
    /// [`ChannelError::Order`] where nothing was shown since the last call, or since what was shown changed; [`ChannelError::Platform`]: it stays due.
    pub fn taken<P: Platform>(&mut self, platform: &mut P) -> Result<(), ChannelError> {
        match self.shown.take().ok_or(ChannelError::Order)? {
            Due::Root => self.root = None,
            Due::Announce => self.announce = false,
            Due::Revoke(count, false) => self.wrapped = self.wrapped.saturating_add(count),
            Due::Revoke(_, true) => {
                self.settle(platform, |audience| audience.revoke = false)?;
                self.wrapped = 0;
                // A revoke says where the chain goes on.
                self.announce = false;
            }
            Due::Grant => self.path = self.sealed.take(),
            Due::Path => {
                self.settle(platform, |audience| audience.grant = None)?;
                self.path = None;
            }
        }
        Ok(())
    }

    fn settle<P: Platform>(
        &mut self,
        platform: &mut P,
        change: impl FnOnce(&mut Audience),
    ) -> Result<(), ChannelError> {
        let audience = self.audience.as_mut().ok_or(ChannelError::Mode)?;
        let before = (audience.revoke, audience.grant);
        change(audience);
        let stored = self.save(platform);
        if stored.is_err()
            && let Some(audience) = self.audience.as_mut()
        {
            (audience.revoke, audience.grant) = before;
        }
        stored
    }
}

fn read(
    bytes: &[u8],
    channel: Id,
    depth: u8,
    members: &mut [MemberIndex],
) -> Result<Audience, ChannelError> {
    let mut r = Wire::new(bytes);
    r.take_array_of(11);
    if r.take_uint() != VERSION {
        r.break_off(WireError::Range);
    }
    let of = r.take_id();
    let stored_depth = r.take_u8();
    let master = *r.take_bytes_of::<32>();
    let given = u128::from_be_bytes(*r.take_bytes_of());
    let revoked = u128::from_be_bytes(*r.take_bytes_of());
    let (all, rest) = r.take_bytes().as_chunks::<2>();
    let covered = KeyEpoch(r.take_u32());
    let ended = Index(r.take_uint());
    let revoke = r.take_uint();
    let pending = r.take_bytes();
    if !rest.is_empty() || revoke > 1 || all.len() > members.len() {
        r.break_off(WireError::Range);
    }
    r.finish()?;
    if of != channel {
        return Err(ChannelError::WrongChannel);
    }
    if stored_depth != depth {
        return Err(ChannelError::Slot);
    }
    for (to, from) in members.iter_mut().zip(all) {
        *to = MemberIndex(u16::from_be_bytes(*from));
    }
    Ok(Audience {
        slots: Slots::restore(master, channel, depth, given, revoked)?,
        master,
        covered,
        ended,
        revoke: revoke == 1,
        grant: pending_of(pending)?,
    })
}

fn pending_of(bytes: &[u8]) -> Result<Option<Pending>, WireError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let bytes: &[u8; PENDING] = bytes.try_into().map_err(|_| WireError::Range)?;
    let (mut device, mut key) = ([0; 32], [0; 32]);
    let (member, rest) = bytes.split_first_chunk::<2>().unwrap_or((&[0; 2], &[]));
    let (front, end) = rest.split_at_checked(32).unwrap_or_default();
    copy(&mut device, front);
    copy(&mut key, end);
    Ok(Some(Pending {
        member: MemberIndex(u16::from_be_bytes(*member)),
        device: Id(device),
        key: PublicKey(key),
    }))
}
