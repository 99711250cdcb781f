//! What a subscriber holds of one chain: the key of the next message, short prints of the next 64 lookups, and the secrets of messages that were skipped.
//!
//! Invariant: nothing changes before a message's tag, and its signature where it has one, was found right. A used secret is wiped, a skipped one with its use or once it is more
//! than [`WINDOW`] behind. A print is 2 bytes: one in a thousand strangers' messages makes the reader step up to 64 keys ahead, and changes nothing.

pub mod stored;

use super::keys::{Chain, Marks, Secret, SideKey};
use super::message::{Sealed, found, leaf, to_be_signed};
use super::{ChannelError, Index, KeyEpoch, LAST_INDEX, MAX_JUMP, Place, WINDOW};
use crate::crypto::{PublicKey, SignatureError, Verify};
use crate::types::Id;

/// Room for the secret of one skipped message; wiped when it is used, past or dropped.
#[derive(Clone, Debug, Default)]
pub struct Skipped(Option<Kept>);

#[derive(Clone, Debug)]
struct Kept {
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

/// See the module.
pub struct Reader<'m> {
    channel: Id,
    epoch: KeyEpoch,
    next: Index,
    near: Chain,
    /// The key at `next` + [`WINDOW`].
    far: Chain,
    /// Of the lookups from `next` on, by index modulo [`WINDOW`].
    prints: [u16; WINDOW],
    side: Option<SideKey>,
    skipped: &'m mut [Skipped],
    recent: &'m mut [Recent],
    turn: usize,
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
    u16::from_be_bytes([a, b])
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
        let mut reader = Self {
            channel: first.channel,
            epoch: first.epoch,
            next: first.index,
            far: chain.clone(),
            near: chain,
            prints: [0; WINDOW],
            side,
            skipped,
            recent,
            turn: 0,
        };
        reader.look_ahead();
        reader
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

    /// The key there, to be stored: with the place it is what [`Reader::new`] takes.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.near
    }

    fn look_ahead(&mut self) {
        self.far = self.near.clone();
        for ahead in 0..WINDOW as u64 {
            self.print_at(self.next.0.saturating_add(ahead));
        }
    }

    /// Steps the far key, whose index is `index`.
    fn print_at(&mut self, index: u64) {
        let secret = self.far.step(self.side.as_ref());
        if let Some(place) = self.prints.get_mut(slot_of(index)) {
            *place = print(&secret.lookup());
        }
    }

    fn place(&self, epoch: KeyEpoch, index: Index) -> Place {
        Place {
            channel: self.channel,
            epoch,
            index,
        }
    }

    /// Opens a message into `out`, which holds nothing of it on an error.
    ///
    /// # Errors
    /// [`ChannelError`]; nothing has changed then.
    pub fn open(
        &mut self,
        message: &Sealed<'_>,
        mut proof: Proof<'_>,
        out: &mut [u8],
    ) -> Result<Opened, ChannelError> {
        self.seen_before(message, &mut proof)?;
        let wanted = print(&message.lookup);
        let kept = self.skipped.iter().enumerate().find_map(|(at, slot)| {
            let kept = slot.0.as_ref().filter(|kept| kept.print == wanted)?;
            Some((at, kept, found(&kept.secret, &message.lookup)?))
        });
        if let Some((at, kept, marks)) = kept {
            let place = self.place(kept.epoch, kept.index);
            let opened = attempt(message, &kept.secret, &marks, &place, &mut proof, out)?;
            if let Some(slot) = self.skipped.get_mut(at) {
                slot.0 = None;
            }
            self.remember(&opened, marks);
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
        } = self.find_ahead(&message.lookup)?;
        let index = Index(self.next.0.saturating_add(ahead));
        if index.0 > LAST_INDEX {
            return Err(ChannelError::IndexOverflow);
        }
        let place = self.place(self.epoch, index);
        let opened = attempt(message, &secret, &marks, &place, &mut proof, out)?;
        let lost = self.advance(ahead, chain);
        self.remember(&opened, marks);
        Ok(Opened {
            gap: u32::try_from(ahead).unwrap_or(u32::MAX),
            lost,
            ..opened
        })
    }

    fn find_ahead(&self, lookup: &[u8; 8]) -> Result<Ahead, ChannelError> {
        let wanted = print(lookup);
        let at = |ahead: u64| self.prints.get(slot_of(self.next.0.saturating_add(ahead)));
        for ahead in 0..WINDOW as u64 {
            if at(ahead) != Some(&wanted) {
                continue;
            }
            let mut chain = self.near.clone();
            chain.skip(ahead);
            let secret = chain.step(self.side.as_ref());
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
    fn seen_before(&self, message: &Sealed<'_>, proof: &mut Proof<'_>) -> Result<(), ChannelError> {
        let seen = self.recent.iter().filter_map(|slot| slot.0.as_ref());
        let Some(seen) = seen.into_iter().find(|s| s.marks.lookup == message.lookup) else {
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

    fn remember(&mut self, opened: &Opened, marks: Marks) {
        let count = self.recent.len();
        if let Some(slot) = self.recent.get_mut(self.turn) {
            slot.0 = Some(Seen {
                epoch: opened.epoch,
                index: opened.index,
                marks,
                leaf: opened.leaf,
                signed: opened.signed,
            });
        }
        self.turn = self.turn.saturating_add(1);
        if self.turn >= count {
            self.turn = 0;
        }
    }

    /// The leaf of an opened message, as far back as it is remembered: for the root of its batch.
    #[must_use]
    pub fn leaf(&self, epoch: KeyEpoch, index: Index) -> Option<Id> {
        let mut seen = self.recent.iter().filter_map(|slot| slot.0.as_ref());
        let seen = seen.find(|s| s.epoch == epoch && s.index == index)?;
        Some(seen.leaf)
    }

    /// Keeps the secrets of `ahead` messages and goes on behind the next, where the key is `chain`; returns how many were lost.
    fn advance(&mut self, ahead: u64, chain: Chain) -> u32 {
        let lost = self.skip(ahead);
        self.near = chain;
        self.print_at(self.next.0);
        self.next = self.next.saturating_next();
        lost.saturating_add(self.expire())
    }

    fn skip(&mut self, count: u64) -> u32 {
        let mut lost: u32 = 0;
        for _ in 0..count {
            let secret = self.near.step(self.side.as_ref());
            let kept = Kept {
                epoch: self.epoch,
                index: self.next,
                print: print(&secret.lookup()),
                secret,
            };
            lost = lost.saturating_add(self.keep(kept));
            self.print_at(self.next.0);
            self.next = self.next.saturating_next();
        }
        lost
    }

    /// In a free place, else in that of the oldest.
    fn keep(&mut self, kept: Kept) -> u32 {
        let age = |slot: &Skipped| slot.0.as_ref().map(|k| (k.epoch, k.index));
        // None, a free place, is less than any.
        let slot = self.skipped.iter_mut().min_by_key(|slot| age(slot));
        match slot {
            Some(slot) => u32::from(slot.0.replace(kept).is_some()),
            None => 1,
        }
    }

    /// Wipes what is past.
    fn expire(&mut self) -> u32 {
        let (epoch, next) = (self.epoch, self.next.0);
        let mut lost: u32 = 0;
        for slot in self.skipped.iter_mut() {
            let past = |k: &Kept| {
                k.epoch.0.saturating_add(1) < epoch.0
                    || (k.epoch == epoch && k.index.0.saturating_add(WINDOW as u64) < next)
            };
            if slot.0.as_ref().is_some_and(past) {
                slot.0 = None;
                lost = lost.saturating_add(1);
            }
        }
        lost
    }

    /// A verified announce of the owner: the chain goes on at `index`. What lies between is lost but for the last [`WINDOW`]; returns how many are.
    ///
    /// # Errors
    /// [`ChannelError::Stale`], [`ChannelError::Jump`].
    pub fn announced(&mut self, epoch: KeyEpoch, index: Index) -> Result<u64, ChannelError> {
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
            self.look_ahead();
        }
        let lost = u64::from(self.skip(kept)).saturating_add(far);
        Ok(lost.saturating_add(u64::from(self.expire())))
    }

    /// A verified revoke: the next key epoch, whose key this reader found in it. The old one had messages up to, not including, `ended`; what is missing of these can still come.
    ///
    /// # Errors
    /// [`ChannelError::Stale`].
    pub fn rekeyed(
        &mut self,
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
        let lost = self.skip(missing.min(WINDOW as u64));
        self.epoch = first.epoch;
        self.next = first.index;
        self.near = chain;
        self.look_ahead();
        Ok(lost.saturating_add(self.expire()))
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
