//! Records: key, kind and length, CRC-32 of the value, CRC-32 of the head; the value, filled up to units; and one unit that says the record is complete.
//!
//! That last unit is programmed only after the rest is in the cells, so where any bit of it is set the rest is sound, whatever became of the power; and where it is blank
//! the record never happened, however whole it looks. The head's CRC covers the block's number, so that nothing from an earlier round passes.

use super::block::Block;
use super::{Flash, FlashStore, StoreError, seal};
use crate::wire::crc::crc32;

/// Bytes of a record's head.
pub(super) const HEAD: u32 = 12;
/// Longest value: two of sixteen bits are the kind.
pub(super) const MAX_LEN: u32 = 0x3fff;

/// A value.
pub(super) const PUT: u32 = 0;
/// The key is removed.
pub(super) const GONE: u32 = 0x4000_0000;
/// The block whose index is the key failed.
pub(super) const BAD: u32 = 0x8000_0000;
/// What tells one subject from another: the key, and whether it is a block.
const SUBJECT: u32 = BAD | 0xffff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Offset in its block.
    pub at: u32,
    /// Kind, length and key, from the top.
    pub what: u32,
    /// Of the value.
    pub crc: u32,
}

impl Record {
    pub const fn kind(&self) -> u32 {
        self.what & (BAD | GONE)
    }

    pub const fn len(&self) -> u32 {
        self.what >> 16 & MAX_LEN
    }
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Bytes(&'a [u8]),
    /// Address, length, and the CRC that was noted when it was written.
    Flash(u32, u32, u32),
}

impl<F: Flash> FlashStore<F> {
    /// Bytes of a record with so long a value.
    pub(super) fn size(&self, len: u32) -> u32 {
        self.round(HEAD.wrapping_add(len))
            .wrapping_add(self.geometry.unit)
    }

    pub(super) fn fits(&self, block: &Block, need: u32) -> bool {
        block.end.wrapping_add(need) <= self.geometry.block
    }

    pub(super) fn value_at(&self, index: u16, at: u32) -> u32 {
        self.address(index).wrapping_add(at).wrapping_add(HEAD)
    }

    /// The record at an offset of a block, if one begins there. `mend`: one bit of its head may have lost its charge; the CRC says which.
    fn record(&mut self, block: &Block, at: u32, mend: bool) -> Result<Option<Record>, StoreError> {
        if at.wrapping_add(self.size(0)) > self.geometry.block {
            return Ok(None);
        }
        let words: [u32; 3] = self.words(self.address(block.index).wrapping_add(at))?;
        let tries = if mend && words != [u32::MAX; 3] {
            97
        } else {
            1
        };
        for bit in 0..tries {
            let mut tried = words;
            // First as it is.
            if let Some(bit) = u32::checked_sub(bit, 1)
                && let Some(word) = tried.get_mut((bit >> 5) as usize)
            {
                *word ^= 1u32.wrapping_shl(bit);
            }
            let [what, crc, sealed] = tried;
            let record = Record { at, what, crc };
            if seal(block.number, &[what, crc]) == sealed
                && self.after(&record) <= self.geometry.block
            {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The record that may begin at the end of a block: it counts if it is complete.
    pub(super) fn at_end(&mut self, block: &Block) -> Result<Option<Record>, StoreError> {
        match self.record(block, block.end, true)? {
            #[cfg(test)]
            Some(record) if self.sabotage == super::Sabotage::NoEnd => {
                let at = self.value_at(block.index, record.at);
                let whole = !self.scan(at, record.len())?.crc == record.crc;
                Ok(whole.then_some(record))
            }
            Some(record) if self.is_complete(block, &record)? => Ok(Some(record)),
            _ => Ok(None),
        }
    }

    /// The first or next record of a block of the log. All up to its end are there, or it is damaged.
    pub(super) fn following(
        &mut self,
        block: &Block,
        last: Option<Record>,
    ) -> Result<Option<Record>, StoreError> {
        let at = last.map_or(self.first(), |last| self.after(&last));
        match at < block.end {
            true => self
                .record(block, at, true)?
                .ok_or(StoreError::Damaged)
                .map(Some),
            false => Ok(None),
        }
    }

    /// Where the record after this one begins.
    pub(super) fn after(&self, record: &Record) -> u32 {
        record.at.wrapping_add(self.size(record.len()))
    }

    /// Whether the unit behind a record says that it is complete.
    fn is_complete(&mut self, block: &Block, record: &Record) -> Result<bool, StoreError> {
        let unit = self.geometry.unit;
        let at = self.after(record).wrapping_sub(unit);
        let blank = self.is_blank(self.address(block.index).wrapping_add(at), unit)?;
        Ok(!blank)
    }

    /// The newest record of what `what` is about.
    pub(super) fn newest(&mut self, what: u32) -> Result<Option<(Block, Record)>, StoreError> {
        let mut next = self.head;
        while let Some(block) = next {
            let mut found = None;
            let mut last = None;
            while let Some(record) = self.following(&block, last)? {
                if (record.what ^ what) & SUBJECT == 0 {
                    found = Some((block, record));
                }
                last = Some(record);
            }
            if found.is_some() {
                return Ok(found);
            }
            next = self.before(&block)?;
        }
        Ok(None)
    }

    /// Whether nothing newer replaces a record.
    pub(super) fn is_newest(&mut self, block: &Block, record: &Record) -> Result<bool, StoreError> {
        let newest = self.newest(record.what)?;
        Ok(newest.is_some_and(|(b, r)| b.index == block.index && r.at == record.at))
    }

    /// Writes a record at the end of a block and verifies it; the end moves only then.
    pub(super) fn write(
        &mut self,
        block: &mut Block,
        what: u32,
        source: Source<'_>,
    ) -> Result<(), StoreError> {
        let (len, crc, actual) = match source {
            Source::Bytes(bytes) => {
                let crc = crc32(bytes);
                (bytes.len() as u32, crc, crc)
            }
            // What is damaged stays so: its copy must not pass for whole.
            Source::Flash(at, len, crc) => (len, crc, !self.scan(at, len)?.crc),
        };
        let record = Record {
            at: block.end,
            what: what & (BAD | GONE | 0xffff) | len << 16,
            crc,
        };
        let sealed = seal(block.number, &[record.what, crc]);
        let at = self.address(block.index).wrapping_add(record.at);
        let head = [record.what, crc, sealed];
        self.program(at, &head, source, HEAD.wrapping_add(len))?;
        self.sync()?;
        let written = self.record(block, record.at, false)? == Some(record)
            && !self.scan(at.wrapping_add(HEAD), len)?.crc == actual;
        if !written {
            return Err(StoreError::Write);
        }
        let end = self.after(&record);
        let last = end.wrapping_sub(self.geometry.unit);
        self.finish(self.address(block.index).wrapping_add(last))?;
        block.end = end;
        Ok(())
    }
}
