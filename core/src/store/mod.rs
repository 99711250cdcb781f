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

use crate::wire::crc::{START, crc32, update};
use block::Block;
use record::{GONE, PUT, Source};

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

/// The store. It holds the flash and 48 bytes.
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
    /// Where it is not sure that the newest block is complete: number of the oldest of the log as it was without it. All from there on may be needed yet.
    kept: u32,
    /// Does one thing wrongly, so that the tests can be seen to notice.
    #[cfg(test)]
    pub(crate) sabotage: Sabotage,
}

/// Mistakes that a store may make.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sabotage {
    #[default]
    None,
    /// Erases the oldest block before what counts in it was taken over.
    EraseFirst,
    /// Goes on in a block after a start.
    GoOn,
    /// Takes a block that looks blank without erasing it.
    TrustBlank,
    /// Counts a record that looks whole though it is not complete.
    NoEnd,
    /// Leaves a torn record as it is until something is written.
    LeaveTorn,
    /// Acknowledges before the last sync.
    NoSync,
}

impl<F: Flash> FlashStore<F> {
    /// Opens the store, and first of all makes lasting what a power cut left open. Flash without a store in it becomes an empty one.
    ///
    /// # Errors
    /// [`StoreError::Geometry`], `Read`, `Write`, `Damaged`.
    pub fn open(flash: F, geometry: Geometry) -> Result<Self, StoreError> {
        let store = Self {
            flash,
            geometry,
            head: None,
            tail: 0,
            top: 0,
            sealed: true,
            failed: None,
            kept: u32::MAX,
            #[cfg(test)]
            sabotage: Sabotage::None,
        };
        store.start()
    }

    fn start(mut self) -> Result<Self, StoreError> {
        self.check()?;
        self.find_head()?;
        let torn = self.find_end()?;
        #[cfg(test)]
        match self.sabotage {
            Sabotage::GoOn => self.sealed = false,
            Sabotage::LeaveTorn => return Ok(self),
            _ => {}
        }
        if torn {
            self.roll(0)?;
        }
        Ok(self)
    }

    /// Opens a store that makes a mistake.
    #[cfg(test)]
    pub(crate) fn open_wrong(
        flash: F,
        geometry: Geometry,
        sabotage: Sabotage,
    ) -> Result<Self, StoreError> {
        let store = Self {
            flash,
            geometry,
            head: None,
            tail: 0,
            top: 0,
            sealed: true,
            failed: None,
            kept: u32::MAX,
            sabotage,
        };
        store.start()
    }

    /// Reads the value of `key` into `out`.
    ///
    /// # Errors
    /// [`StoreError::TooLong`] for `out`; `Read`, `Damaged`.
    pub fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, StoreError> {
        let Some((block, record)) = self.newest(PUT | u32::from(key))? else {
            return Ok(None);
        };
        if record.kind() != PUT {
            return Ok(None);
        }
        let len = record.len() as usize;
        let place = out.get_mut(..len).ok_or(StoreError::TooLong)?;
        let at = self.value_at(block.index, record.at);
        self.read(at, place)?;
        match crc32(place) == record.crc {
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
        self.append(PUT | u32::from(key), value)
    }

    /// Removes a key; removing what is not there succeeds and writes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; the value stands. Never `Full`.
    pub fn remove(&mut self, key: u16) -> Result<(), StoreError> {
        match self.newest(PUT | u32::from(key))? {
            Some((_, record)) if record.kind() == PUT => self.append(GONE | u32::from(key), &[]),
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
            kept: u32::MAX,
            #[cfg(test)]
            sabotage: Sabotage::None,
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
        let fixed = self.first().wrapping_add(self.size(0).wrapping_mul(2));
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
            && block & unit.wrapping_sub(1) == 0
            && blocks >= 3
            && block.checked_mul(blocks.into()).is_some()
            && self.longest() >= 64;
        match fine {
            true => Ok(()),
            false => Err(StoreError::Geometry),
        }
    }

    /// `what`: kind and key.
    fn append(&mut self, what: u32, value: &[u8]) -> Result<(), StoreError> {
        // A tombstone's room is always left, so that a full store can be emptied.
        let gone = what & GONE != 0;
        let spare = if gone { 0 } else { self.size(0) };
        let len = u32::try_from(value.len()).unwrap_or(u32::MAX);
        let need = self.size(len).wrapping_add(spare);
        // Each pass clears one block of the log; and each block may fail once.
        for pass in 0..=u32::from(self.geometry.blocks).wrapping_mul(2) {
            if let Some(mut head) = self.head
                && !self.sealed
                && self.fits(&head, need)
            {
                match self.write(&mut head, what, Source::Bytes(value)) {
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
            if pass == 0 && !gone && !self.has_room(need)? {
                return Err(StoreError::Full);
            }
            self.roll(need)?;
        }
        Err(StoreError::Write)
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), StoreError> {
        self.flash.read(at, out).map_err(|_| StoreError::Read)
    }

    /// What `len` bytes are like.
    fn scan(&mut self, mut at: u32, mut len: u32) -> Result<Scan, StoreError> {
        let mut bytes = [0; MAX_UNIT];
        let mut found = Scan {
            crc: START,
            all: 0,
            common: 0xff,
        };
        while len > 0 {
            let part = len.min(MAX_UNIT as u32);
            let room = bytes.get_mut(..part as usize).unwrap_or_default();
            self.read(at, room)?;
            found.crc = update(found.crc, room);
            for byte in room {
                found.all |= *byte;
                found.common &= *byte;
            }
            at = at.wrapping_add(part);
            len = len.wrapping_sub(part);
        }
        Ok(found)
    }

    /// Whether `len` bytes are as after an erase.
    fn is_blank(&mut self, at: u32, len: u32) -> Result<bool, StoreError> {
        Ok(self.scan(at, len)?.common == 0xff)
    }

    /// The words of a head.
    fn words<const N: usize>(&mut self, at: u32) -> Result<[u32; N], StoreError> {
        let mut bytes = [[0; 4]; N];
        self.read(at, bytes.as_flattened_mut())?;
        Ok(bytes.map(u32::from_le_bytes))
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.flash.sync().map_err(|_| StoreError::Write)
    }

    /// Programs a head and the value behind it, `len` bytes in all, and fills the last unit up.
    fn program(
        &mut self,
        at: u32,
        head: &[u32],
        value: Source<'_>,
        len: u32,
    ) -> Result<(), StoreError> {
        let unit = self.geometry.unit;
        let head_len = (head.len() as u32).wrapping_mul(4);
        let mut done = 0;
        while done < len {
            let mut bytes = Aligned([0xff; MAX_UNIT]);
            let room = bytes.0.get_mut(..unit as usize).unwrap_or_default();
            let mut at_byte = done;
            let mut rest = room.iter_mut();
            while at_byte < head_len
                && let Some(byte) = rest.next()
            {
                let word = head.get((at_byte >> 2) as usize).copied().unwrap_or(0);
                *byte = word.wrapping_shr((at_byte & 3) << 3).to_le_bytes()[0];
                at_byte = at_byte.wrapping_add(1);
            }
            let rest = rest.into_slice();
            let offset = at_byte.wrapping_sub(head_len);
            let left = len.saturating_sub(at_byte) as usize;
            let part = rest.len().min(left);
            match value {
                Source::Bytes(value) => copy(rest, value.get(offset as usize..).unwrap_or(&[])),
                Source::Flash(from, ..) if part > 0 => self.read(
                    from.wrapping_add(offset),
                    rest.get_mut(..part).unwrap_or_default(),
                )?,
                Source::Flash(..) => {}
            }
            self.flash
                .program(at.wrapping_add(done), room)
                .map_err(|_| StoreError::Write)?;
            done = done.wrapping_add(unit);
        }
        Ok(())
    }

    /// Says that what stands before this unit is complete: it is programmed only after that was synced, so any bit of it will do. Where it is not all there it may
    /// read otherwise the next time, and is settled when the store is opened.
    fn finish(&mut self, at: u32) -> Result<(), StoreError> {
        let unit = self.geometry.unit;
        self.program(at, &[0; MAX_UNIT / 4], Source::Bytes(&[]), unit)?;
        #[cfg(test)]
        if self.sabotage == Sabotage::NoSync {
            return Ok(());
        }
        self.sync()?;
        match self.scan(at, unit)?.all == 0 {
            true => Ok(()),
            false => Err(StoreError::Write),
        }
    }

    /// `bytes` rounded up to units.
    fn round(&self, bytes: u32) -> u32 {
        let below = self.geometry.unit.wrapping_sub(1);
        bytes.wrapping_add(below) & !below
    }
}

/// Bytes of the flash, looked through.
struct Scan {
    /// State of their CRC-32.
    crc: u32,
    /// All bits that any of them has, and those that all of them have.
    all: u8,
    common: u8,
}

/// The CRC-32 of a head, and of where it belongs.
fn seal(belongs: u32, words: &[u32]) -> u32 {
    let mut crc = update(START, &belongs.to_le_bytes());
    for word in words {
        crc = update(crc, &word.to_le_bytes());
    }
    !crc
}

#[repr(align(8))]
struct Aligned([u8; MAX_UNIT]);

/// Copies what fits.
fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
