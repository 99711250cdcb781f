//! Which blocks are the log: a chain from the newest back to the oldest, in the order of the ring.
//!
//! A block's head is programmed last, when everything that it takes over from the oldest blocks is in it: with it, and not before, the block
//! belongs to the log and those do not. Layout: "IE", version, unit; own number; number of the block before; where that one ends; number of the oldest
//! block; CRC-32 over the geometry and all that. It stands there twice, so that cells that lose their charge do not bring back what was before. Then one unit that says it is complete.

use super::{Flash, FlashStore, StoreError, copy, word};
use crate::wire::crc::{START, update};

/// Bytes of a block's head.
const HEAD: u32 = 24;

/// A block of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub index: u16,
    pub number: u32,
    /// Where its records end.
    pub end: u32,
}

/// What stands at the beginning of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub number: u32,
    /// Number and end of the block before it.
    pub before: u32,
    pub before_end: u32,
    /// Number of the oldest block.
    pub tail: u32,
}

impl<F: Flash> FlashStore<F> {
    /// Where the first record of a block begins.
    pub(super) fn first(&self) -> u32 {
        self.complete().saturating_add(self.geometry.unit)
    }

    /// Where the unit stands that says a block's head is complete.
    fn complete(&self) -> u32 {
        self.round(HEAD).saturating_mul(2)
    }

    pub(super) fn address(&self, index: u16) -> u32 {
        self.geometry.block.saturating_mul(index.into())
    }

    pub(super) fn next(&self, index: u16) -> u16 {
        let next = index.saturating_add(1);
        if next < self.geometry.blocks { next } else { 0 }
    }

    fn encode(&self, head: &Head) -> [u8; HEAD as usize] {
        let unit = self.geometry.unit.to_le_bytes()[0];
        let mut bytes = [0; HEAD as usize];
        copy(&mut bytes, &[b'I', b'E', 1, unit]);
        let mut crc = update(START, &self.geometry.block.to_le_bytes());
        crc = update(crc, &self.geometry.blocks.to_le_bytes());
        let words = [head.number, head.before, head.before_end, head.tail];
        for (place, word) in bytes.chunks_exact_mut(4).skip(1).zip(words) {
            copy(place, &word.to_le_bytes());
        }
        let (body, last) = bytes.split_at_mut(20);
        copy(last, &(!update(crc, body)).to_le_bytes());
        bytes
    }

    fn head_at(&mut self, at: u32) -> Result<Option<Head>, StoreError> {
        let mut bytes = [0; HEAD as usize];
        self.read(at, &mut bytes)?;
        let head = Head {
            number: word(&bytes, 4),
            before: word(&bytes, 8),
            before_end: word(&bytes, 12),
            tail: word(&bytes, 16),
        };
        Ok((self.encode(&head) == bytes).then_some(head))
    }

    pub(super) fn block_head(&mut self, index: u16) -> Result<Option<Head>, StoreError> {
        let at = self.address(index);
        match self.head_at(at)? {
            None => self.head_at(at.saturating_add(self.round(HEAD))),
            found => Ok(found),
        }
    }

    /// Makes a filled block the newest of the log.
    pub(super) fn commit(&mut self, block: Block, head: &Head) -> Result<(), StoreError> {
        let first = self.address(block.index);
        let second = first.saturating_add(self.round(HEAD));
        let bytes = self.encode(head);
        for at in [first, second] {
            self.program(at, HEAD, |_, offset, out| {
                copy(out, bytes.get(offset as usize..).unwrap_or(&[]));
                Ok(())
            })?;
        }
        self.sync()?;
        for at in [first, second] {
            if self.head_at(at)? != Some(*head) {
                return Err(StoreError::Write);
            }
        }
        self.finish(first.saturating_add(self.complete()))?;
        self.head = Some(block);
        self.tail = head.tail;
        self.sealed = false;
        self.doubtful = None;
        Ok(())
    }

    /// The newest block: the greatest number of a complete head. One without the unit behind it was cut short, and is as if it were not.
    pub(super) fn find_head(&mut self) -> Result<(), StoreError> {
        for index in 0..self.geometry.blocks {
            let Some(head) = self.block_head(index)? else {
                continue;
            };
            let complete = self.address(index).saturating_add(self.complete());
            let complete = !self.is_blank(complete, self.geometry.unit)?;
            let newer = self.head.is_none_or(|newest| head.number > newest.number);
            if complete && newer {
                self.head = Some(Block {
                    index,
                    number: head.number,
                    end: self.first(),
                });
                self.tail = head.tail;
            }
            if head.number > self.top {
                self.top = head.number;
                self.doubtful = (!complete).then_some(index);
            }
        }
        Ok(())
    }

    /// The block before this one in the log.
    pub(super) fn before(&mut self, block: &Block) -> Result<Option<Block>, StoreError> {
        if block.number == self.tail {
            return Ok(None);
        }
        let head = self.block_head(block.index)?.ok_or(StoreError::Damaged)?;
        let mut index = block.index;
        for _ in 1..self.geometry.blocks {
            let last = self.geometry.blocks.saturating_sub(1);
            index = index.checked_sub(1).unwrap_or(last);
            // What lies between was bad when its turn came.
            if let Some(found) = self.block_head(index)?
                && found.number == head.before
            {
                return Ok(Some(Block {
                    index,
                    number: found.number,
                    end: head.before_end,
                }));
            }
        }
        Err(StoreError::Damaged)
    }

    /// The block with this number, and the number of the one after it.
    pub(super) fn block(&mut self, number: u32) -> Result<(Block, Option<u32>), StoreError> {
        let mut block = self.head.ok_or(StoreError::Damaged)?;
        let mut after = None;
        while block.number != number {
            after = Some(block.number);
            block = self.before(&block)?.ok_or(StoreError::Damaged)?;
        }
        Ok((block, after))
    }
}
