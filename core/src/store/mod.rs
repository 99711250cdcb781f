//! The key-value store of `platform` over raw NOR flash: a log in a ring of erase blocks.
//!
//! Invariants: a key has its old value or the new one, whenever the power goes, and what a `put` acknowledged stays; what was once read after a
//! cut is read again after the next (decision 0025). No program unit is programmed twice between two erases, not even one that looks blank but
//! may have been touched when the power went. Nothing of the flash is kept in RAM: each call reads the heads of the records.
//!
//! `block` says which blocks are the log, `record` what is in them, `roll` opens the next block and clears the oldest.

mod block;
mod record;
mod roll;
#[cfg(test)]
pub(crate) mod simulated;
#[cfg(test)]
mod tests;

use block::Block;
use record::{Kind, Source};

/// Longest program unit.
pub const MAX_UNIT: usize = 32;

/// The flash did not do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashError;

/// Raw NOR flash. Addresses are in bytes from the start of the store's own area. Erased bytes read 0xff: on a chip where they read 0
/// the port inverts what it reads and programs.
pub trait Flash {
    /// Reads. Bytes that the chip says it cannot correct (ECC) are given as 0, with `Ok`: they were torn when the power went.
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError>;
    /// Programs exactly one unit; `at` is a multiple of it, `unit` is aligned to 8.
    fn program(&mut self, at: u32, unit: &[u8]) -> Result<(), FlashError>;
    /// Erases the block that begins at `at`.
    fn erase(&mut self, at: u32) -> Result<(), FlashError>;
    /// Returns when all that was programmed and erased is in the cells. Before, the order is the chip's own affair.
    fn sync(&mut self) -> Result<(), FlashError>;
}

/// How the flash is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bytes that are programmed at once: 1, 2, 4, 8, 16 or 32.
    pub unit: u32,
    /// Bytes that are erased at once: a multiple of `unit`. It bounds the longest value.
    pub block: u32,
    /// Blocks of the store: at least 3, two of which are always free; from 4 on a block may fail and everything goes on.
    pub blocks: u16,
}

/// Why the store refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The geometry is none that the store takes.
    Geometry,
    /// The flash could not be read: try again.
    Read,
    /// What was written is not there any more: cells lost their charge, or somebody else wrote. Nothing older is given in its place.
    /// `format` begins anew; neighbours know the chain head (decision 0003).
    Damaged,
    /// The flash could not be written and no block is left to use instead. All values stand.
    Write,
    /// No room. All values stand; remove something.
    Full,
    /// Longer than [`FlashStore::longest`], or than the buffer that is to take it.
    TooLong,
}

/// The store. It holds the flash and 40 bytes.
#[derive(Debug)]
pub struct FlashStore<F: Flash> {
    flash: F,
    geometry: Geometry,
    /// The newest block of the log; `None` while there is none.
    head: Option<Block>,
    /// Number of the oldest.
    tail: u32,
    /// Greatest number seen of any block.
    top: u32,
    /// Nothing more may be programmed in the newest block: a power cut or a failure may have touched what looks blank.
    sealed: bool,
    /// A block that failed and is not yet noted as bad.
    failed: Option<u16>,
    /// A block that was cut short just before it became the newest: were its erase cut short too, it might pass for that.
    doubtful: Option<u16>,
}

impl<F: Flash> FlashStore<F> {
    /// Opens the store, and first of all makes lasting what a power cut left open. Flash without a store in it becomes an empty one.
    ///
    /// # Errors
    /// [`StoreError::Geometry`], `Read`, `Write`, `Damaged`.
    pub fn open(flash: F, geometry: Geometry) -> Result<Self, StoreError> {
        let mut store = Self {
            flash,
            geometry,
            head: None,
            tail: 0,
            top: 0,
            sealed: true,
            failed: None,
            doubtful: None,
        };
        store.check()?;
        store.find_head()?;
        if store.find_end()? {
            store.roll(0)?;
        }
        Ok(store)
    }

    /// Reads the value of `key` into `out`.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] for `out`; `Read`, `Damaged`.
    pub fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let Some((block, record)) = self.newest(key, false)? else {
            return Ok(None);
        };
        if record.kind != Kind::Put {
            return Ok(None);
        }
        let len = record.len as usize;
        let place = out.get_mut(..len).ok_or(StoreError::TooLong)?;
        let at = self.value_at(block.index, record.at);
        self.read(at, place)?;
        match crate::wire::crc::crc32(place) == record.crc {
            true => Ok(Some(len)),
            false => Err(StoreError::Damaged),
        }
    }

    /// Writes a value: it is there when this returns, and the old one until then.
    ///
    /// # Errors
    /// [`StoreError`]; the old value stands.
    pub fn put(&mut self, key: u16, value: &[u8]) -> Result<(), StoreError> {
        if value.len() > self.longest() {
            return Err(StoreError::TooLong);
        }
        self.append(Kind::Put, key, value)
    }

    /// Removes a key; removing what is not there succeeds and writes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; the value stands. Never `Full`.
    pub fn remove(&mut self, key: u16) -> Result<(), StoreError> {
        match self.newest(key, false)? {
            Some((_, record)) if record.kind == Kind::Put => self.append(Kind::Gone, key, &[]),
            _ => Ok(()),
        }
    }

    /// Erases everything, as for a device that is given away. If the power goes, or it fails, repeat it.
    ///
    /// # Errors
    /// [`StoreError::Geometry`]; `Write` where a block cannot be erased: what is in it cannot be read as a store without the others.
    pub fn format(flash: F, geometry: Geometry) -> Result<Self, StoreError> {
        let mut store = Self {
            flash,
            geometry,
            head: None,
            tail: 0,
            top: 0,
            sealed: true,
            failed: None,
            doubtful: None,
        };
        store.check()?;
        store.find_head()?;
        // The newest last: what is left when the power goes lacks something older and is refused.
        let mut index = store.head.map_or(0, |head| head.index);
        let mut failed = Ok(());
        for _ in 0..geometry.blocks {
            index = store.next(index);
            if store.erase(index).is_err() {
                failed = Err(StoreError::Write);
            }
        }
        failed?;
        store.head = None;
        Ok(store)
    }

    /// Longest value that fits.
    #[must_use]
    pub fn longest(&self) -> usize {
        let fixed = self.first().saturating_add(self.size(0).saturating_mul(2));
        let room = self.geometry.block.saturating_sub(fixed);
        room.min(record::MAX_LEN) as usize
    }

    /// The flash.
    pub const fn flash_mut(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Ends the store; nothing is left to write.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn check(&self) -> Result<(), StoreError> {
        let Geometry {
            unit,
            block,
            blocks,
        } = self.geometry;
        let fine = unit.is_power_of_two()
            && unit as usize <= MAX_UNIT
            && block.is_multiple_of(unit)
            && blocks >= 3
            && block.checked_mul(blocks.into()).is_some()
            && self.longest() >= 64;
        match fine {
            true => Ok(()),
            false => Err(StoreError::Geometry),
        }
    }

    fn append(&mut self, kind: Kind, key: u16, value: &[u8]) -> Result<(), StoreError> {
        // A tombstone's room is always left, so that a full store can be emptied.
        let spare = if kind == Kind::Gone { 0 } else { self.size(0) };
        let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let need = self.size(len).saturating_add(spare);
        // Each pass clears one block of the log; and each block may fail once.
        for pass in 0..=u32::from(self.geometry.blocks).saturating_mul(2) {
            if let Some(mut head) = self.head
                && !self.sealed
                && self.fits(&head, need)
            {
                match self.write(&mut head, kind, key, Source::Bytes(value)) {
                    Ok(()) => {
                        self.head = Some(head);
                        return Ok(());
                    }
                    Err(StoreError::Write) => {
                        self.sealed = true;
                        self.failed = Some(head.index);
                    }
                    Err(other) => {
                        self.sealed = true;
                        return Err(other);
                    }
                }
            }
            if pass == 0 && kind == Kind::Put && !self.has_room(need)? {
                return Err(StoreError::Full);
            }
            self.roll(need)?;
        }
        Err(StoreError::Write)
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), StoreError> {
        self.flash.read(at, out).map_err(|_| StoreError::Read)
    }

    /// Whether `len` bytes are as after an erase.
    fn is_blank(&mut self, mut at: u32, mut len: u32) -> Result<bool, StoreError> {
        let mut bytes = [0; MAX_UNIT];
        while len > 0 {
            let part = len.min(MAX_UNIT as u32);
            let room = bytes.get_mut(..part as usize).unwrap_or_default();
            self.read(at, room)?;
            if room.iter().any(|byte| *byte != 0xff) {
                return Ok(false);
            }
            at = at.saturating_add(part);
            len = len.saturating_sub(part);
        }
        Ok(true)
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.flash.sync().map_err(|_| StoreError::Write)
    }

    /// Programs `len` bytes and fills the last unit up; `fill` gives the bytes from an offset on.
    fn program(
        &mut self,
        at: u32,
        len: u32,
        mut fill: impl FnMut(&mut F, u32, &mut [u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let unit = self.geometry.unit;
        let mut done = 0;
        while done < len {
            let mut bytes = Aligned([0xff; MAX_UNIT]);
            let room = bytes.0.get_mut(..unit as usize).unwrap_or_default();
            let part = unit.min(len.saturating_sub(done)) as usize;
            fill(
                &mut self.flash,
                done,
                room.get_mut(..part).unwrap_or_default(),
            )?;
            self.flash
                .program(at.saturating_add(done), room)
                .map_err(|_| StoreError::Write)?;
            done = done.saturating_add(unit);
        }
        Ok(())
    }

    /// Says that what stands before this unit is complete: it is programmed only after that was synced. Whether it is blank is all that counts:
    /// cells that a cut left half programmed may read this way or that, but not as if nobody had touched any of them.
    fn finish(&mut self, at: u32) -> Result<(), StoreError> {
        let unit = self.geometry.unit;
        self.program(at, unit, |_, _, out| {
            out.fill(0);
            Ok(())
        })?;
        self.sync()?;
        match self.is_blank(at, unit)? {
            true => Err(StoreError::Write),
            false => Ok(()),
        }
    }

    /// `bytes` rounded up to units.
    fn round(&self, bytes: u32) -> u32 {
        let below = self.geometry.unit.saturating_sub(1);
        bytes.saturating_add(below) & !below
    }
}

#[repr(align(8))]
struct Aligned([u8; MAX_UNIT]);

/// Copies what fits.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The little-endian number at `at`.
fn word(bytes: &[u8], at: usize) -> u32 {
    let end = at.saturating_add(4);
    let four = bytes.get(at..end).unwrap_or(&[]);
    u32::from_le_bytes(four.try_into().unwrap_or_default())
}
