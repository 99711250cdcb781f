//! What a subscriber holds of one chain: the key of the next message, short prints of the next 64 lookups, and the secrets of messages that were skipped.
//!
//! Invariant: nothing changes before a message's tag, and its signature where it has one, was found right. A used secret is wiped, a skipped one with its use or once it is more
//! than [`WINDOW`] behind. A print is 12 bits: one in 64 strangers' messages makes the reader step up to 64 keys ahead, and changes nothing.
//!
//! [`Bookmark`] is the place in the chain; the rooms for skipped and remembered messages may be shared by several. [`Reader`] is one with rooms of its own.

pub mod stored;

use super::keys::{Chain, Marks, Secret, SideKey};
use super::message::{Sealed, found, leaf, to_be_signed};
use super::{ChannelError, Index, KeyEpoch, LAST_INDEX, MAX_JUMP, Place, WINDOW};
use crate::crypto::{PublicKey, SignatureError, Verify};
use crate::types::Id;
use core::num::NonZeroU8;

/// Room for the secret of one skipped message; wiped when it is used, past or dropped.
#[derive(Clone, Debug, Default)]
pub struct Skipped(Option<Kept>);

#[derive(Clone, Debug)]
struct Kept {
    /// Of which bookmark.
    of: NonZeroU8,
    epoch: KeyEpoch,
    index: Index,
    print: u16,
    secret: Secret,
}

/// Room for what tells a replay, a fork or a batch's root of an opened message. There is no key in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recent(Option<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Of which bookmark.
    of: NonZeroU8,
    epoch: KeyEpoch,
    index: Index,
    marks: Marks,
    leaf: Id,
    signed: bool,
}

/// How a signed message's signature is known.
pub enum Proof<'v> {
    /// A transaction of the owner carried it, and was verified.
    Carried,
    /// It stands behind the message: check it under the owner's key.
    Check(&'v PublicKey, &'v mut dyn Verify),
}

/// An opened message. A tagged one is *unattributed*: any subscriber could have made it, until its batch's root proves its leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Bytes of plaintext.
    pub len: usize,
    /// Its key epoch.
    pub epoch: KeyEpoch,
    /// Its index.
    pub index: Index,
    /// The owner signed it; else unattributed.
    pub signed: bool,
    /// It came after a later one.
    pub late: bool,
    /// So many before it have not come (yet).
    pub gap: u32,
    /// Of so many that were skipped the secrets are gone, for want of room or because they are past: they can't be read any more.
    pub lost: u32,
    /// Its leaf in the batch's tree.
    pub leaf: Id,
}

/// The rooms of one bookmark, or of several, and what a restricted channel mixes in.
pub struct Rooms<'r> {
    /// Bounds how many of a gap can still be read. Where it is full, who has the largest share gives up its oldest.
    pub skipped: &'r mut [Skipped],
    /// Bounds how far back replays and forks are told.
    pub recent: &'r mut [Recent],
    /// Where the next message is remembered.
    pub turn: &'r mut u16,
    /// Of a restricted channel.
    pub side: Option<&'r SideKey>,
}

/// The place in a chain, without rooms; its keys are wiped when it is dropped.
pub struct Bookmark {
    channel: Id,
    next: Index,
    epoch: KeyEpoch,
    near: Chain,
    /// The key at `next` + [`WINDOW`].
    far: Chain,
    prints: Prints,
    /// Whose the messages in the rooms are.
    of: NonZeroU8,
}

/// See the module.
pub struct Reader<'m> {
    mark: Bookmark,
    side: Option<SideKey>,
    skipped: &'m mut [Skipped],
    recent: &'m mut [Recent],
    turn: u16,
}

/// A message that the chain has ahead.
struct Ahead {
    /// So many before it have not come.
    ahead: u64,
    secret: Secret,
    marks: Marks,
    /// The key behind it.
    chain: Chain,
}

const fn print(lookup: &[u8; 8]) -> u16 {
    let [a, b, ..] = *lookup;
    u16::from_be_bytes([a, b]) >> 4
}

/// The prints of the lookups from the next on, by index modulo [`WINDOW`]: two in three bytes.
#[derive(Clone, Copy)]
struct Prints([[u8; 3]; WINDOW / 2]);

impl Prints {
    fn get(&self, index: u64) -> Option<u16> {
        let slot = slot_of(index);
        let [a, b, c] = *self.0.get(slot >> 1)?;
        Some(match slot & 1 {
            0 => u16::from_be_bytes([a, b]) >> 4,
            _ => u16::from_be_bytes([b, c]) & 0x0fff,
        })
    }

    fn set(&mut self, index: u64, print: u16) {
        let slot = slot_of(index);
        let Some([a, b, c]) = self.0.get_mut(slot >> 1) else {
            return;
        };
        match slot & 1 {
            0 => {
                let [high, low] = (print << 4).to_be_bytes();
                (*a, *b) = (high, low | (*b & 0x0f));
            }
            _ => {
                let [high, low] = print.to_be_bytes();
                (*b, *c) = ((*b & 0xf0) | (high & 0x0f), low);
            }
        }
    }
}

/// The place of an index among the prints: its low bits, in any width.
const fn slot_of(index: u64) -> usize {
    const { assert!(WINDOW.is_power_of_two()) };
    index as usize & (WINDOW - 1)
}

impl<'m> Reader<'m> {
    /// From a grant: `chain` is the key at `index`. `skipped` bounds how many of a gap can still be read, `recent` how far back replays and forks are told.
    #[must_use]
    pub fn new(
        first: Place,
        chain: Chain,
        side: Option<SideKey>,
        skipped: &'m mut [Skipped],
        recent: &'m mut [Recent],
    ) -> Self {
        Self {
            mark: Bookmark::new(first, chain, side.as_ref(), NonZeroU8::MIN),
            side,
            skipped,
            recent,
            turn: 0,
        }
    }

    fn with<R>(&mut self, work: impl FnOnce(&mut Bookmark, &mut Rooms<'_>) -> R) -> R {
        let mut rooms = Rooms {
            skipped: self.skipped,
            recent: self.recent,
            turn: &mut self.turn,
            side: self.side.as_ref(),
        };
        work(&mut self.mark, &mut rooms)
    }

    /// Where the next message stands.
    #[must_use]
    pub const fn next(&self) -> Place {
        self.mark.next()
    }

    /// The key there, to be stored: with the place it is what [`Reader::new`] takes.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        self.mark.chain()
    }

    /// As [`Bookmark::open`].
    ///
    /// # Errors
    /// As [`Bookmark::open`].
    pub fn open(
        &mut self,
        message: &Sealed<'_>,
        proof: Proof<'_>,
        out: &mut [u8],
    ) -> Result<Opened, ChannelError> {
        self.with(|mark, rooms| mark.open(rooms, message, proof, out))
    }

    /// As [`Bookmark::leaf`].
    #[must_use]
    pub fn leaf(&self, epoch: KeyEpoch, index: Index) -> Option<Id> {
        self.mark.leaf(self.recent, epoch, index)
    }

    /// As [`Bookmark::announced`].
    ///
    /// # Errors
    /// As [`Bookmark::announced`].
    pub fn announced(&mut self, epoch: KeyEpoch, index: Index) -> Result<u64, ChannelError> {
        self.with(|mark, rooms| mark.announced(rooms, epoch, index))
    }

    /// As [`Bookmark::rekeyed`].
    ///
    /// # Errors
    /// As [`Bookmark::rekeyed`].
    pub fn rekeyed(
        &mut self,
        first: Place,
        chain: Chain,
        ended: Index,
    ) -> Result<u32, ChannelError> {
        self.with(|mark, rooms| mark.rekeyed(rooms, first, chain, ended))
    }
}

impl Bookmark {
    /// From a grant: `chain` is the key at the place. `of` is whose its messages in the rooms will be.
    #[must_use]
    pub fn new(first: Place, chain: Chain, side: Option<&SideKey>, of: NonZeroU8) -> Self {
        let mut mark = Self {
            channel: first.channel,
            epoch: first.epoch,
            next: first.index,
            far: chain.clone(),
            near: chain,
            prints: Prints([[0; 3]; WINDOW / 2]),
            of,
        };
        mark.look_ahead(side);
        mark
    }

    /// Where the next message stands.
    #[must_use]
    pub const fn next(&self) -> Place {
        Place {
            channel: self.channel,
            epoch: self.epoch,
            index: self.next,
        }
    }

    /// The key there, to be stored: with the place it is what [`Bookmark::new`] takes.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.near
    }

    fn look_ahead(&mut self, side: Option<&SideKey>) {
        self.far = self.near.clone();
        for ahead in 0..WINDOW as u64 {
            self.print_at(self.next.0.saturating_add(ahead), side);
        }
    }

    /// Steps the far key, whose index is `index`.
    fn print_at(&mut self, index: u64, side: Option<&SideKey>) {
        let secret = self.far.step(side);
        self.prints.set(index, print(&secret.lookup()));
    }

    fn place(&self, epoch: KeyEpoch, index: Index) -> Place {
        Place {
            channel: self.channel,
            epoch,
            index,
        }
    }

    /// Whether a message may be of this chain. That it may not is certain; that it may is chance for one in 64 strangers' messages.
    #[must_use]
    pub fn may_hold(&self, skipped: &[Skipped], recent: &[Recent], lookup: &[u8; 8]) -> bool {
        let wanted = print(lookup);
        let kept = |slot: &Skipped| {
            let kept = slot.0.as_ref();
            kept.is_some_and(|k| k.of == self.of && k.print == wanted)
        };
        let seen = |slot: &Recent| {
            let seen = slot.0.as_ref();
            seen.is_some_and(|s| s.of == self.of && s.marks.lookup == *lookup)
        };
        (0..WINDOW as u64).any(|index| self.prints.get(index) == Some(wanted))
            || skipped.iter().any(kept)
            || recent.iter().any(seen)
    }

    /// Opens a message into `out`, which holds nothing of it on an error.
    ///
    /// # Errors
    /// [`ChannelError`]; nothing has changed then.
    pub fn open(
        &mut self,
        rooms: &mut Rooms<'_>,
        message: &Sealed<'_>,
        mut proof: Proof<'_>,
        out: &mut [u8],
    ) -> Result<Opened, ChannelError> {
        self.seen_before(rooms.recent, message, &mut proof)?;
        let wanted = print(&message.lookup);
        let kept = rooms.skipped.iter().enumerate().find_map(|(at, slot)| {
            let mine = |kept: &&Kept| kept.of == self.of && kept.print == wanted;
            let kept = slot.0.as_ref().filter(mine)?;
            Some((at, kept, found(&kept.secret, &message.lookup)?))
        });
        if let Some((at, kept, marks)) = kept {
            let place = self.place(kept.epoch, kept.index);
            let opened = attempt(message, &kept.secret, &marks, &place, &mut proof, out)?;
            if let Some(slot) = rooms.skipped.get_mut(at) {
                slot.0 = None;
            }
            self.remember(rooms, &opened, marks);
            return Ok(Opened {
                late: true,
                ..opened
            });
        }
        let Ahead {
            ahead,
            secret,
            marks,
            chain,
        } = self.find_ahead(&message.lookup, rooms.side)?;
        let index = Index(self.next.0.saturating_add(ahead));
        if index.0 > LAST_INDEX {
            return Err(ChannelError::IndexOverflow);
        }
        let place = self.place(self.epoch, index);
        let opened = attempt(message, &secret, &marks, &place, &mut proof, out)?;
        let lost = self.advance(rooms, ahead, chain);
        self.remember(rooms, &opened, marks);
        Ok(Opened {
            gap: u32::try_from(ahead).unwrap_or(u32::MAX),
            lost,
            ..opened
        })
    }

    fn find_ahead(&self, lookup: &[u8; 8], side: Option<&SideKey>) -> Result<Ahead, ChannelError> {
        let wanted = print(lookup);
        let at = |ahead: u64| self.prints.get(self.next.0.saturating_add(ahead));
        for ahead in 0..WINDOW as u64 {
            if at(ahead) != Some(wanted) {
                continue;
            }
            let mut chain = self.near.clone();
            chain.skip(ahead);
            let secret = chain.step(side);
            if let Some(marks) = found(&secret, lookup) {
                return Ok(Ahead {
                    ahead,
                    secret,
                    marks,
                    chain,
                });
            }
        }
        Err(ChannelError::Unknown)
    }

    /// A message whose lookup was opened before is a replay, a fork, or anyone's who overheard the first.
    fn seen_before(
        &self,
        recent: &[Recent],
        message: &Sealed<'_>,
        proof: &mut Proof<'_>,
    ) -> Result<(), ChannelError> {
        let mut seen = recent.iter().filter_map(|slot| slot.0.as_ref());
        let same = |s: &&Seen| s.of == self.of && s.marks.lookup == message.lookup;
        let Some(seen) = seen.find(same) else {
            return Ok(());
        };
        let place = self.place(seen.epoch, seen.index);
        let other = leaf(&place, &seen.marks.commitment, message.bytes);
        if other == seen.leaf && message.form.signed == seen.signed {
            return Err(ChannelError::Replayed);
        }
        if !message.form.signed || !seen.signed {
            return Err(ChannelError::Doubled);
        }
        check(message, &other, proof)?;
        Err(ChannelError::Fork)
    }

    fn remember(&self, rooms: &mut Rooms<'_>, opened: &Opened, marks: Marks) {
        let count = rooms.recent.len();
        if let Some(slot) = rooms.recent.get_mut(usize::from(*rooms.turn)) {
            slot.0 = Some(Seen {
                of: self.of,
                epoch: opened.epoch,
                index: opened.index,
                marks,
                leaf: opened.leaf,
                signed: opened.signed,
            });
        }
        *rooms.turn = rooms.turn.saturating_add(1);
        if usize::from(*rooms.turn) >= count {
            *rooms.turn = 0;
        }
    }

    /// The leaf of an opened message, as far back as it is remembered: for the root of its batch.
    #[must_use]
    pub fn leaf(&self, recent: &[Recent], epoch: KeyEpoch, index: Index) -> Option<Id> {
        let mut seen = recent.iter().filter_map(|slot| slot.0.as_ref());
        let seen = seen.find(|s| s.of == self.of && s.epoch == epoch && s.index == index)?;
        Some(seen.leaf)
    }

    /// Keeps the secrets of `ahead` messages and goes on behind the next, where the key is `chain`; returns how many were lost.
    fn advance(&mut self, rooms: &mut Rooms<'_>, ahead: u64, chain: Chain) -> u32 {
        let lost = self.skip(rooms, ahead);
        self.near = chain;
        self.print_at(self.next.0, rooms.side);
        self.next = self.next.saturating_next();
        lost.saturating_add(self.expire(rooms))
    }

    fn skip(&mut self, rooms: &mut Rooms<'_>, count: u64) -> u32 {
        let mut lost: u32 = 0;
        for _ in 0..count {
            let secret = self.near.step(rooms.side);
            let kept = Kept {
                of: self.of,
                epoch: self.epoch,
                index: self.next,
                print: print(&secret.lookup()),
                secret,
            };
            lost = lost.saturating_add(keep(rooms.skipped, kept));
            self.print_at(self.next.0, rooms.side);
            self.next = self.next.saturating_next();
        }
        lost
    }

    /// Wipes what is past.
    fn expire(&self, rooms: &mut Rooms<'_>) -> u32 {
        let (epoch, next) = (self.epoch, self.next.0);
        let mut lost: u32 = 0;
        for slot in rooms.skipped.iter_mut() {
            let past = |k: &Kept| {
                // What an epoch before lacks stays while the newest is young: two revokes may come at once, behind a gap.
                let old = match k.epoch == epoch {
                    true => k.index.0.saturating_add(WINDOW as u64) < next,
                    false => {
                        next >= WINDOW as u64 || k.epoch.0.saturating_add(WINDOW as u32) < epoch.0
                    }
                };
                k.of == self.of && old
            };
            if slot.0.as_ref().is_some_and(past) {
                slot.0 = None;
                lost = lost.saturating_add(1);
            }
        }
        lost
    }

    /// Gives its places in the rooms back.
    pub fn leave(&self, rooms: &mut Rooms<'_>) {
        for slot in rooms.skipped.iter_mut() {
            if slot.0.as_ref().is_some_and(|k| k.of == self.of) {
                slot.0 = None;
            }
        }
        for slot in rooms.recent.iter_mut() {
            if slot.0.is_some_and(|s| s.of == self.of) {
                slot.0 = None;
            }
        }
    }

    /// A verified announce of the owner: the chain goes on at `index`. What lies between is lost but for the last [`WINDOW`]; returns how many are.
    ///
    /// # Errors
    /// [`ChannelError::Stale`], [`ChannelError::Jump`].
    pub fn announced(
        &mut self,
        rooms: &mut Rooms<'_>,
        epoch: KeyEpoch,
        index: Index,
    ) -> Result<u64, ChannelError> {
        let behind = epoch != self.epoch || index < self.next;
        if behind {
            return Err(ChannelError::Stale);
        }
        let jump = index.0.saturating_sub(self.next.0);
        if jump > MAX_JUMP || index.0 > LAST_INDEX {
            return Err(ChannelError::Jump);
        }
        let kept = jump.min(WINDOW as u64);
        let far = jump.saturating_sub(kept);
        if far > 0 {
            self.near.skip(far);
            self.next = Index(self.next.0.saturating_add(far));
            self.look_ahead(rooms.side);
        }
        let lost = u64::from(self.skip(rooms, kept)).saturating_add(far);
        Ok(lost.saturating_add(u64::from(self.expire(rooms))))
    }

    /// A verified revoke: the next key epoch, whose key this reader found in it. The old one had messages up to, not including, `ended`; what is missing of these can still come.
    ///
    /// # Errors
    /// [`ChannelError::Stale`].
    pub fn rekeyed(
        &mut self,
        rooms: &mut Rooms<'_>,
        first: Place,
        chain: Chain,
        ended: Index,
    ) -> Result<u32, ChannelError> {
        if first.channel != self.channel {
            return Err(ChannelError::WrongChannel);
        }
        if first.epoch <= self.epoch {
            return Err(ChannelError::Stale);
        }
        let missing = ended.0.saturating_sub(self.next.0);
        let lost = self.skip(rooms, missing.min(WINDOW as u64));
        self.epoch = first.epoch;
        self.next = first.index;
        self.near = chain;
        self.look_ahead(rooms.side);
        Ok(lost.saturating_add(self.expire(rooms)))
    }
}

/// In a free place, else in that of the oldest of whoever has most; returns how many were lost.
fn keep(skipped: &mut [Skipped], kept: Kept) -> u32 {
    let held = || skipped.iter().filter_map(|slot| slot.0.as_ref());
    let share = |of: NonZeroU8| held().filter(|k| k.of == of).count();
    let richest = held().map(|k| k.of).max_by_key(|of| share(*of));
    let from = match richest {
        Some(other) if share(other) > share(kept.of) => other,
        _ => kept.of,
    };
    // None, a free place, is less than any.
    let age = |slot: &Skipped| slot.0.as_ref().map(|k| (k.epoch, k.index));
    let free_or_from = |slot: &&mut Skipped| slot.0.as_ref().is_none_or(|k| k.of == from);
    let slots = skipped.iter_mut().filter(free_or_from);
    match slots.min_by_key(|slot| age(slot)) {
        Some(slot) => u32::from(slot.0.replace(kept).is_some()),
        None => 1,
    }
}

impl Index {
    pub(super) const fn saturating_next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Opens, and checks the signature where there is one; changes nothing.
fn attempt(
    message: &Sealed<'_>,
    secret: &Secret,
    marks: &Marks,
    place: &Place,
    proof: &mut Proof<'_>,
    out: &mut [u8],
) -> Result<Opened, ChannelError> {
    let len = message.open(secret, place, out)?;
    let leaf = message.leaf(place, marks);
    if message.form.signed
        && let Err(error) = check(message, &leaf, proof)
    {
        out.get_mut(..len).unwrap_or(&mut []).fill(0);
        return Err(error);
    }
    Ok(Opened {
        len,
        epoch: place.epoch,
        index: place.index,
        signed: message.form.signed,
        late: false,
        gap: 0,
        lost: 0,
        leaf,
    })
}

fn check(message: &Sealed<'_>, leaf: &Id, proof: &mut Proof<'_>) -> Result<(), ChannelError> {
    match (proof, &message.signature) {
        (Proof::Carried, None) => Ok(()),
        (Proof::Check(key, verifier), Some(signature)) => {
            Ok(verifier.verify(key, &to_be_signed(leaf), signature)?)
        }
        _ => Err(ChannelError::Signature(SignatureError::Malformed)),
    }
}

#[cfg(test)]
impl Reader<'_> {
    pub(super) fn skipped_for_test(&self) -> usize {
        self.skipped.iter().filter(|slot| slot.0.is_some()).count()
    }
}
