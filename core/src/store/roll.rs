//! Opening the next block of the ring, clearing the oldest, and what a power cut left open.
//!
//! Invariant: a block of the log is erased only after everything in it that still counts stands in a newer block whose head is complete. Every block that is opened is erased
//! just before, whatever it looks like: an erase that was cut short may look done.

use super::block::{Block, Head};
use super::record::{BAD, GONE, Source};
use super::{Flash, FlashStore, StoreError};

/// Blocks that are kept free where there are enough: one to open next, and one in case that fails.
const FREE: u32 = 2;

impl<F: Flash> FlashStore<F> {
    /// Finds the end of the newest block. `true`: the power went while it was being written. What stands before the end happened and what stands behind it never did, and that
    /// must be written down before anybody reads: torn cells may read otherwise the next time.
    pub(super) fn find_end(&mut self) -> Result<bool, StoreError> {
        let Some(mut head) = self.head else {
            return Ok(false);
        };
        while let Some(record) = self.at_end(&head)? {
            head.end = self.after(&record);
        }
        self.head = Some(head);
        let rest = self.geometry.block.wrapping_sub(head.end);
        let at = self.address(head.index).wrapping_add(head.end);
        // The units that say so: that of the last record, and that of the block.
        let unit = self.geometry.unit;
        let first = self.address(head.index).wrapping_add(self.first());
        let sure = self.scan(at.wrapping_sub(unit), unit)?.all
            | self.scan(first.wrapping_sub(unit), unit)?.all
            == 0;
        Ok(!sure || !self.is_blank(at, rest)?)
    }

    /// Bytes of a block that have to be kept when it is the oldest. A removed key needs no tombstone then.
    fn live(&mut self, block: &Block) -> Result<u32, StoreError> {
        let mut bytes = 0u32;
        let mut last = None;
        while let Some(record) = self.following(block, last)? {
            if record.kind() != GONE && self.is_newest(block, &record)? {
                bytes = bytes.wrapping_add(self.size(record.len()));
            }
            last = Some(record);
        }
        Ok(bytes)
    }

    /// Whether clearing blocks makes room for so much: each is cleared into a block of its own.
    pub(super) fn has_room(&mut self, need: u32) -> Result<bool, StoreError> {
        let Some(head) = self.head else {
            return Ok(true);
        };
        let (tail, _) = self.block(self.tail)?;
        if self.free(head.index, tail.index)? > FREE {
            return Ok(true);
        }
        let room = |store: &mut Self, block: &Block| {
            let live = store.live(block)?;
            let empty = Block {
                end: store.first(),
                ..*block
            };
            Ok(store.fits(&empty, live.wrapping_add(need)))
        };
        // The oldest is the likeliest.
        if room(self, &tail)? {
            return Ok(true);
        }
        let mut next = Some(head);
        while let Some(block) = next {
            if room(self, &block)? {
                return Ok(true);
            }
            next = self.before(&block)?;
        }
        Ok(false)
    }

    /// Blocks that can be used between two, up to one more than are kept free.
    fn free(&mut self, mut from: u16, to: u16) -> Result<u32, StoreError> {
        let mut free = 0u32;
        loop {
            from = self.next(from);
            if from == to || free > FREE {
                return Ok(free);
            }
            if !self.is_bad(from)? {
                free = free.wrapping_add(1);
            }
        }
    }

    fn is_bad(&mut self, index: u16) -> Result<bool, StoreError> {
        Ok(self.failed == Some(index) || self.newest(BAD | u32::from(index))?.is_some())
    }

    /// Opens the next good block of the ring, so that `need` bytes may fit.
    pub(super) fn roll(&mut self, need: u32) -> Result<(), StoreError> {
        let last = self.geometry.blocks.wrapping_sub(1);
        let (head, tail) = match self.head {
            Some(head) => (head.index, Some(self.block(self.tail)?.0.index)),
            None => (last, None),
        };
        // First without those that should be kept; where there is no other, one of them.
        for risk in [false, true] {
            let mut index = head;
            for _ in 0..self.geometry.blocks {
                index = self.next(index);
                if Some(index) == tail {
                    break;
                }
                if (!risk && self.is_kept(index)?) || self.is_bad(index)? {
                    continue;
                }
                match self.fill(index, tail, need) {
                    Err(StoreError::Write) => self.failed = Some(index),
                    other => return other,
                }
            }
        }
        Err(StoreError::Write)
    }

    /// Erases a block, takes over what counts in the oldest ones, and makes it the newest.
    fn fill(&mut self, index: u16, tail: Option<u16>, need: u32) -> Result<(), StoreError> {
        self.erase(index)?;
        self.top = self.top.wrapping_add(1);
        let mut block = Block {
            index,
            number: self.top,
            end: self.first(),
        };
        let before = self.head;
        let mut oldest = if before.is_some() {
            self.tail
        } else {
            block.number
        };
        let mut free = match tail {
            Some(tail) => self.free(index, tail)?,
            None => FREE,
        };
        // What is left must at least take a tombstone.
        let need = need.max(self.size(0));
        let mut cleared = false;
        while free < FREE && oldest != block.number {
            let (from, after) = self.block(oldest)?;
            // One block always fits; a second one where it leaves the room that is asked for.
            let live = if cleared { self.live(&from)? } else { 0 };
            if cleared && !self.fits(&block, live.wrapping_add(need)) {
                break;
            }
            #[cfg(test)]
            let taken = self.erase_first(&from, &mut block, after)?;
            #[cfg(not(test))]
            let taken = false;
            if !taken {
                self.take_over(&from, &mut block)?;
            }
            cleared = true;
            oldest = after.unwrap_or(block.number);
            if !self.is_bad(from.index)? {
                free = free.wrapping_add(1);
            }
        }
        if let Some(bad) = self.failed {
            let room = self.size(0).wrapping_mul(2);
            if self.fits(&block, room) {
                self.write(&mut block, BAD | u32::from(bad), Source::Bytes(&[]))?;
            }
            // Where there is no room for the note it will fail again.
        }
        let head = Head {
            number: block.number,
            before: before.map_or(0, |before| before.number),
            before_end: before.map_or(0, |before| before.end),
            tail: oldest,
        };
        self.commit(block, &head)?;
        self.failed = None;
        Ok(())
    }

    fn take_over(&mut self, from: &Block, to: &mut Block) -> Result<(), StoreError> {
        let mut last = None;
        while let Some(record) = self.following(from, last)? {
            if record.kind() != GONE && self.is_newest(from, &record)? {
                let at = self.value_at(from.index, record.at);
                let source = Source::Flash(at, record.len(), record.crc);
                self.write(to, record.what, source)?;
            }
            last = Some(record);
        }
        Ok(())
    }

    /// Erases a block and looks whether it is.
    pub(super) fn erase(&mut self, index: u16) -> Result<(), StoreError> {
        let at = self.address(index);
        #[cfg(test)]
        if self.sabotage == super::Sabotage::TrustBlank && self.is_blank(at, self.geometry.block)? {
            return Ok(());
        }
        self.flash.erase(at).map_err(|_| StoreError::Write)?;
        self.sync()?;
        match self.is_blank(at, self.geometry.block)? {
            true => Ok(()),
            false => Err(StoreError::Write),
        }
    }
}

#[cfg(test)]
impl<F: Flash> FlashStore<F> {
    /// Takes the records over by way of memory, which the power takes.
    fn erase_first(
        &mut self,
        from: &Block,
        to: &mut Block,
        after: Option<u32>,
    ) -> Result<bool, StoreError> {
        let (super::Sabotage::EraseFirst, Some(after)) = (self.sabotage, after) else {
            return Ok(false);
        };
        let mut kept = std::vec::Vec::new();
        let mut last = None;
        while let Some(record) = self.following(from, last)? {
            if record.kind() == super::PUT && self.is_newest(from, &record)? {
                let mut value = std::vec![0; record.len() as usize];
                self.read(self.value_at(from.index, record.at), &mut value)?;
                kept.push((record.what, value));
            }
            last = Some(record);
        }
        self.tail = after;
        self.erase(from.index)?;
        for (key, value) in kept {
            self.write(to, key, Source::Bytes(&value))?;
        }
        Ok(true)
    }
}
