//! The owner's side of one chain: indexes reserved in storage before use, messages sealed, batches closed, key epochs opened.
//!
//! Invariant: what is stored is the first index that was never used, and the chain's key there. It is written before any index below it is used, so after a power cut the
//! owner goes on at it: no (key epoch, index) twice, and no key of a used message in the store. Up to 64 indexes are skipped then; an announce says so.
//! Where the device has a hardware counter each reservation moves it, so that an older image of the store is refused instead of bringing indexes back. Who is asked to
//! store takes `newest`: the newest own number that the node or leaf of this device has stored, 0 where it has none, since the counter moves with these, too.

use super::keys::{Chain, Marks, Mode, Secret, SideKey};
use super::message::{Form, leaf, seal_into, to_be_signed};
use super::statement::{Batch, MAX_BATCH};
use super::{ChannelError, Index, KeyEpoch, LAST_INDEX, Place, WINDOW, place_in_batch};
use crate::crypto::Signature;
use crate::platform::Platform;
use crate::rollback::{self, Guard};
use crate::types::{Id, Number};
use crate::wire::{Reader, WireError, Writer, merkle};
use zeroize::Zeroize;

/// Bytes of a stored chain, at most.
const STORED: usize = 48;

/// What the application decides of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Of [`super::channel_id`].
    pub channel: Id,
    /// Who may read.
    pub mode: Mode,
    /// Where the chain is in the store; each has a key of its own.
    pub key: u16,
    /// So many indexes are reserved with one write, 1 to 64.
    pub ahead: u8,
}

/// See the module.
pub struct Owner<'m> {
    config: Config,
    side: Option<SideKey>,
    epoch: KeyEpoch,
    index: Index,
    chain: Chain,
    /// What is stored: the first index that is not reserved, and its key.
    limit: Index,
    far: Chain,
    /// Of the batch that is open.
    leaves: &'m mut [Id],
    count: usize,
    first: Index,
    /// Of the message at `index`, where it was computed ahead.
    ready: Option<Ready>,
}

/// What the next message needs of the chain.
struct Ready {
    secret: Secret,
    marks: Marks,
    /// The key of the index behind it.
    chain: Chain,
}

/// A message that was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its bytes in the output.
    pub len: usize,
    /// Where it stands.
    pub place: Place,
    /// For a signed one off the ledger: sign [`Published::to_be_signed`] and put the 64 bytes behind it.
    pub leaf: Id,
    /// The batch is full: close it.
    pub full: bool,
}

impl Published {
    /// What the signer signs.
    #[must_use]
    pub fn to_be_signed(&self) -> [u8; 56] {
        to_be_signed(&self.leaf)
    }

    /// Puts the signature behind the message; returns the length.
    ///
    /// # Errors
    /// [`ChannelError::Full`].
    pub fn sign(&self, signature: &Signature, out: &mut [u8]) -> Result<usize, ChannelError> {
        let end = self.len.saturating_add(64);
        let place = out.get_mut(self.len..end).ok_or(ChannelError::Full)?;
        crate::copy::copy(place, &signature.0);
        Ok(end)
    }
}

impl<'m> Owner<'m> {
    /// The chain that is stored, or a new one. `leaves` holds a batch: its length, at most 64, is the batch's; with none, batches are not kept.
    ///
    /// # Errors
    /// [`ChannelError::Mode`] where the side key does not go with the mode, [`ChannelError::Platform`], [`ChannelError::Wire`] for a damaged store: then only a new channel number
    /// is safe; [`ChannelError::OldImage`], [`ChannelError::Counter`].
    pub fn open<P: Platform>(
        platform: &mut P,
        newest: Number,
        config: Config,
        side: Option<SideKey>,
        leaves: &'m mut [Id],
    ) -> Result<Self, ChannelError> {
        let mut owner = Self::unloaded(config, side, leaves);
        owner.load(platform, newest)?;
        Ok(owner)
    }

    /// One that has not read its store yet, for who builds it where it stays: [`Owner::load`] before anything else.
    #[must_use]
    pub fn unloaded(config: Config, side: Option<SideKey>, leaves: &'m mut [Id]) -> Self {
        Self {
            config,
            side,
            epoch: KeyEpoch(0),
            index: Index(0),
            chain: Chain::new([0; 32]),
            limit: Index(0),
            far: Chain::new([0; 32]),
            leaves,
            count: 0,
            first: Index(0),
            ready: None,
        }
    }

    /// Goes on where the store says.
    ///
    /// # Errors
    /// As [`Owner::open`]; then it is of no use.
    pub fn load<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        let restricted = self.config.mode == Mode::Restricted;
        let ahead = self.config.ahead;
        if restricted != self.side.is_some() || !(1..=WINDOW as u8).contains(&ahead) {
            return Err(ChannelError::Mode);
        }
        Guard::open(platform, newest)?;
        if !self.read(platform)? {
            self.rekey(platform, newest)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn read<P: Platform>(&mut self, platform: &mut P) -> Result<bool, ChannelError> {
        let mut buffer = [0; STORED];
        let Some(len) = platform.get(self.config.key, &mut buffer)? else {
            return Ok(false);
        };
        let read = read(buffer.get(..len).unwrap_or(&[]));
        buffer.zeroize();
        let (epoch, index, chain) = read?;
        self.epoch = epoch;
        self.index = index;
        self.limit = index;
        self.first = index;
        self.far = chain.clone();
        self.chain = chain;
        Ok(true)
    }

    /// Where the next message will stand.
    #[must_use]
    pub const fn next(&self) -> Place {
        Place {
            channel: self.config.channel,
            epoch: self.epoch,
            index: self.index,
        }
    }

    /// The key there, for grants and revokes.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The side key, for grants.
    #[must_use]
    pub const fn side(&self) -> Option<&SideKey> {
        self.side.as_ref()
    }

    /// Opens the next key epoch: a fresh key, from index 0. Returns where the old one ended. The open batch is given up: close it before.
    ///
    /// # Errors
    /// [`ChannelError::Platform`], [`ChannelError::IndexOverflow`] after the last epoch; [`ChannelError::OldImage`], [`ChannelError::Counter`].
    pub fn rekey<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<Index, ChannelError> {
        let epoch = self.epoch.0.checked_add(1).map(KeyEpoch);
        let epoch = epoch.ok_or(ChannelError::IndexOverflow)?;
        let chain = match self.config.mode {
            Mode::Public => Chain::public(&self.config.channel, epoch),
            _ => {
                let mut key = [0; 32];
                platform.random(&mut key)?;
                let chain = Chain::new(key);
                key.zeroize();
                chain
            }
        };
        let ended = self.index;
        let (limit, far) = self.reserve(platform, newest, epoch, Index(0), &chain)?;
        self.epoch = epoch;
        self.index = Index(0);
        self.chain = chain;
        self.limit = limit;
        self.far = far;
        self.count = 0;
        self.first = Index(0);
        self.ready = None;
        Ok(ended)
    }

    /// Writes what comes after the next `ahead` indexes, then moves the counter: a cut in between leaves indexes that nobody used.
    fn reserve<P: Platform>(
        &self,
        platform: &mut P,
        newest: Number,
        epoch: KeyEpoch,
        from: Index,
        chain: &Chain,
    ) -> Result<(Index, Chain), ChannelError> {
        let end = from.0.saturating_add(self.config.ahead.into());
        let limit = Index(end.min(LAST_INDEX.saturating_add(1)));
        let mut far = chain.clone();
        far.skip(limit.0.saturating_sub(from.0));
        let mut buffer = [0; STORED];
        let mut w = Writer::new(&mut buffer);
        w.put_array(3);
        w.put_uint(epoch.0.into());
        w.put_uint(limit.0);
        w.put_bytes(&far.0);
        w.intact()?;
        let done = platform.put(self.config.key, w.written());
        buffer.zeroize();
        done?;
        rollback::step(platform, newest)?;
        Ok((limit, far))
    }

    /// Does ahead, while nobody waits, what the next message needs whatever it says: its indexes reserved in the store, its keys and marks computed. Called again it does nothing.
    ///
    /// # Errors
    /// As [`Owner::publish`]; no index is used then.
    pub fn prepare<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
    ) -> Result<(), ChannelError> {
        if self.index.0 > LAST_INDEX {
            return Err(ChannelError::IndexOverflow);
        }
        if self.index >= self.limit {
            let (limit, far) =
                self.reserve(platform, newest, self.epoch, self.index, &self.chain)?;
            self.limit = limit;
            self.far = far;
        }
        if self.ready.is_none() {
            let mut chain = self.chain.clone();
            let secret = chain.step(self.side.as_ref());
            let marks = secret.marks();
            self.ready = Some(Ready {
                secret,
                marks,
                chain,
            });
        }
        Ok(())
    }

    /// Seals a message into `out`. A signed one is not in the batch's tree as another leaf would be: its leaf is there too, so that the batch has no holes.
    ///
    /// # Errors
    /// [`ChannelError`]; no index is used then.
    pub fn publish<P: Platform>(
        &mut self,
        platform: &mut P,
        newest: Number,
        form: Form,
        body: &[u8],
        out: &mut [u8],
    ) -> Result<Published, ChannelError> {
        self.prepare(platform, newest)?;
        let place = self.next();
        let ready = self.ready.as_ref().ok_or(ChannelError::IndexOverflow)?;
        let len = seal_into(&ready.secret, &ready.marks, &place, form, body, out)?;
        let commitment = &ready.marks.commitment;
        let leaf = leaf(&place, commitment, out.get(..len).unwrap_or(&[]));
        if let Some(ready) = self.ready.take() {
            self.chain = ready.chain;
        }
        self.index = self.index.saturating_next();
        Ok(Published {
            len,
            place,
            leaf,
            full: self.note(leaf, place.index),
        })
    }

    /// Notes a leaf; a batch that was not closed when it was full begins anew.
    fn note(&mut self, leaf: Id, index: Index) -> bool {
        let room = self.leaves.len().min(MAX_BATCH.into());
        if room == 0 {
            return false;
        }
        if self.count >= room {
            self.count = 0;
        }
        if self.count == 0 {
            self.first = index;
        }
        if let Some(place) = self.leaves.get_mut(self.count) {
            *place = leaf;
            self.count = self.count.saturating_add(1);
        }
        self.count >= room
    }

    /// The batch so far: its root is to be signed and sent. Paths can be had until the next message.
    ///
    /// # Errors
    /// [`ChannelError::Batch`] where it is empty.
    pub fn batch(&self) -> Result<Batch, ChannelError> {
        let leaves = self.leaves.get(..self.count).unwrap_or(&[]);
        if leaves.is_empty() {
            return Err(ChannelError::Batch);
        }
        let root = merkle::root(leaves.iter().copied()).map_err(ChannelError::Path)?;
        Ok(Batch {
            epoch: self.epoch,
            first: self.first,
            count: u8::try_from(leaves.len()).unwrap_or(MAX_BATCH),
            root,
        })
    }

    /// The path of a message of the batch; returns how many hashes.
    ///
    /// # Errors
    /// [`ChannelError::Batch`], [`ChannelError::Path`] for too little room.
    pub fn path(&self, index: Index, out: &mut [Id]) -> Result<usize, ChannelError> {
        let count = u32::try_from(self.count).unwrap_or(0);
        let at = place_in_batch(index, self.first, count)?;
        let leaf = |i: u32| {
            let leaf = usize::try_from(i).ok().and_then(|i| self.leaves.get(i));
            leaf.copied().unwrap_or_default()
        };
        merkle::path(at, count, leaf, out).map_err(ChannelError::Path)
    }

    /// The root was sent: the next message opens another batch.
    pub fn close_batch(&mut self) {
        self.count = 0;
    }
}

fn read(bytes: &[u8]) -> Result<(KeyEpoch, Index, Chain), WireError> {
    let mut r = Reader::new(bytes);
    r.take_array_of(3);
    let epoch = KeyEpoch(r.take_u32());
    let index = Index(r.take_uint());
    let chain = Chain::new(*r.take_bytes_of());
    if epoch.0 == 0 || index.0 > LAST_INDEX.saturating_add(1) {
        r.break_off(WireError::Range);
    }
    r.finish()?;
    Ok((epoch, index, chain))
}

#[cfg(test)]
impl Owner<'_> {
    /// As a cheat, or a clone of the device, would.
    pub(super) fn set_for_test(&mut self, index: Index, chain: Chain) {
        self.index = index;
        self.limit = index;
        self.chain = chain;
        self.ready = None;
    }
}
