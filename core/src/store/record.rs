//! Records: key, kind and length, CRC-32 of the value, CRC-32 of the head; the value, filled up to units; and one unit that says the record is complete.
//!
//! That last unit is programmed only after the rest is in the cells, so where any bit of it is set the rest is sound, whatever became of the power; and where it is blank
//! the record never happened, however whole it looks. The head's CRC covers the block's number, so that nothing from an earlier round passes.

use super::block::Block;
use super::{Flash, FlashStore, StoreError, copy, word};
use crate::wire::crc::{START, crc32, update};

/// Bytes of a record's head.
pub(super) const HEAD: u32 = 12;
/// Longest value: two of sixteen bits are the kind.
pub(super) const MAX_LEN: u32 = 0x3fff;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value.
    Put,
    /// The key is removed.
    Gone,
    /// The block whose index is the key failed.
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Offset in its block.
    pub at: u32,
    pub key: u16,
    pub kind: Kind,
    pub len: u32,
    /// Of the value.
    pub crc: u32,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Bytes(&'a [u8]),
    /// Address, length, and the CRC that was noted when it was written.
    Flash(u32, u32, u32),
}

fn encode(number: u32, record: &Record) -> [u8; HEAD as usize] {
    let mut bytes = [0; HEAD as usize];
    let kind = match record.kind {
        Kind::Put => 0,
        Kind::Gone => 0x4000,
        Kind::Bad => 0x8000,
    };
    let [low, high, ..] = (record.len | kind).to_le_bytes();
    let [key_low, key_high] = record.key.to_le_bytes();
    copy(&mut bytes, &[key_low, key_high, low, high]);
    let (body, last) = bytes.split_at_mut(8);
    copy(
        body.get_mut(4..).unwrap_or_default(),
        &record.crc.to_le_bytes(),
    );
    let crc = update(update(START, &number.to_le_bytes()), body);
    copy(last, &(!crc).to_le_bytes());
    bytes
}

impl<F: Flash> FlashStore<F> {
    /// Bytes of a record with so long a value.
    pub(super) fn size(&self, len: u32) -> u32 {
        self.round(HEAD.saturating_add(len))
            .saturating_add(self.geometry.unit)
    }

    pub(super) fn fits(&self, block: &Block, need: u32) -> bool {
        block.end.saturating_add(need) <= self.geometry.block
    }

    pub(super) fn value_at(&self, index: u16, at: u32) -> u32 {
        self.address(index).saturating_add(at).saturating_add(HEAD)
    }

    /// The record that these bytes are the head of.
    fn decode(&self, block: &Block, at: u32, bytes: &[u8; HEAD as usize]) -> Option<Record> {
        let first = word(bytes, 0);
        let len = first >> 16;
        let kind = match len & 0xc000 {
            0 => Kind::Put,
            0x4000 => Kind::Gone,
            _ => Kind::Bad,
        };
        let record = Record {
            at,
            key: u16::try_from(first & 0xffff).unwrap_or(0),
            kind,
            len: len & MAX_LEN,
            crc: word(bytes, 4),
        };
        let fits = at.saturating_add(self.size(record.len)) <= self.geometry.block;
        (fits && encode(block.number, &record) == *bytes).then_some(record)
    }

    /// The record at an offset of a block, if one begins there. `mend`: one bit of its head may have lost its charge; the CRC says which.
    fn record(&mut self, block: &Block, at: u32, mend: bool) -> Result<Option<Record>, StoreError> {
        let mut bytes = [0xff; HEAD as usize];
        if at.saturating_add(self.size(0)) > self.geometry.block {
            return Ok(None);
        }
        self.read(self.address(block.index).saturating_add(at), &mut bytes)?;
        let mut found = self.decode(block, at, &bytes);
        if mend && bytes != [0xff; HEAD as usize] {
            for bit in 0..HEAD.saturating_mul(8) {
                if found.is_some() {
                    break;
                }
                let mut other = bytes;
                if let Some(byte) = other.get_mut((bit >> 3) as usize) {
                    *byte ^= 1 << (bit & 7);
                }
                found = self.decode(block, at, &other);
            }
        }
        Ok(found)
    }

    /// The record that may begin at the end of a block: it counts if it is complete.
    pub(super) fn at_end(&mut self, block: &Block) -> Result<Option<Record>, StoreError> {
        match self.record(block, block.end, true)? {
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
        record.at.saturating_add(self.size(record.len))
    }

    /// CRC-32 of what is in the flash.
    pub(super) fn crc_of(&mut self, mut at: u32, mut len: u32) -> Result<u32, StoreError> {
        let mut bytes = [0; super::MAX_UNIT];
        let mut crc = START;
        while len > 0 {
            let part = len.min(super::MAX_UNIT as u32);
            let room = bytes.get_mut(..part as usize).unwrap_or_default();
            self.read(at, room)?;
            crc = update(crc, room);
            at = at.saturating_add(part);
            len = len.saturating_sub(part);
        }
        Ok(!crc)
    }

    /// Whether the unit behind a record says that it is complete.
    fn is_complete(&mut self, block: &Block, record: &Record) -> Result<bool, StoreError> {
        let unit = self.geometry.unit;
        let at = self.after(record).saturating_sub(unit);
        let blank = self.is_blank(self.address(block.index).saturating_add(at), unit)?;
        Ok(!blank)
    }

    /// The newest record of a key, or of a bad block.
    pub(super) fn newest(
        &mut self,
        key: u16,
        bad: bool,
    ) -> Result<Option<(Block, Record)>, StoreError> {
        let mut next = self.head;
        while let Some(block) = next {
            let mut found = None;
            let mut last = None;
            while let Some(record) = self.following(&block, last)? {
                if record.key == key && (record.kind == Kind::Bad) == bad {
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
        let newest = self.newest(record.key, record.kind == Kind::Bad)?;
        Ok(newest.is_some_and(|(b, r)| b.index == block.index && r.at == record.at))
    }

    /// Writes a record at the end of a block and verifies it; the end moves only then.
    pub(super) fn write(
        &mut self,
        block: &mut Block,
        kind: Kind,
        key: u16,
        source: Source<'_>,
    ) -> Result<(), StoreError> {
        let (len, crc, actual) = match source {
            Source::Bytes(bytes) => {
                let crc = crc32(bytes);
                let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                (len, crc, crc)
            }
            // What is damaged stays so: its copy must not pass for whole.
            Source::Flash(at, len, crc) => (len, crc, self.crc_of(at, len)?),
        };
        let record = Record {
            at: block.end,
            key,
            kind,
            len,
            crc,
        };
        let head = encode(block.number, &record);
        let at = self.address(block.index).saturating_add(record.at);
        self.program(at, HEAD.saturating_add(len), |flash, offset, out| {
            let of_head = head.get(offset as usize..).unwrap_or(&[]);
            let (mine, value) = out.split_at_mut(of_head.len().min(out.len()));
            copy(mine, of_head);
            let offset = offset.saturating_sub(HEAD);
            match source {
                Source::Bytes(bytes) => {
                    copy(value, bytes.get(offset as usize..).unwrap_or(&[]));
                    Ok(())
                }
                Source::Flash(from, ..) if !value.is_empty() => flash
                    .read(from.saturating_add(offset), value)
                    .map_err(|_| StoreError::Read),
                Source::Flash(..) => Ok(()),
            }
        })?;
        self.sync()?;
        let written = self.record(block, record.at, false)? == Some(record)
            && self.crc_of(at.saturating_add(HEAD), len)? == actual;
        if !written {
            return Err(StoreError::Write);
        }
        let end = self.after(&record);
        let last = end.saturating_sub(self.geometry.unit);
        self.finish(self.address(block.index).saturating_add(last))?;
        block.end = end;
        Ok(())
    }
}
