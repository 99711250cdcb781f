//! Which blocks are the log: a chain from the newest back to the oldest, in the order of the ring.
//!
//! A block's head is programmed last, when everything that it takes over from the oldest blocks is in it: with it, and not before, the block
//! belongs to the log and those do not. Layout: "IE", version, unit; own number; number of the block before; where that one ends; number of the oldest
//! block; CRC-32 over the geometry and all that. It stands there twice, so that cells that lose their charge do not bring back what was before. Then one unit that says it is complete.

use super::record::Source;
use super::{Flash, FlashStore, StoreError, seal};

/// Bytes of a block's head.
const HEAD: u32 = 24;

/// A block of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        self.complete().wrapping_add(self.geometry.unit)
    }

    /// Where the unit stands that says a block's head is complete.
    fn complete(&self) -> u32 {
        self.round(HEAD).wrapping_mul(2)
    }

    pub(super) fn address(&self, index: u16) -> u32 {
        self.geometry.block.wrapping_mul(index.into())
    }

    pub(super) fn next(&self, index: u16) -> u16 {
        let next = index.wrapping_add(1);
        if next < self.geometry.blocks { next } else { 0 }
    }

    fn encode(&self, head: &Head) -> [u32; 6] {
        let magic = u32::from_le_bytes([b'I', b'E', 1, 0]) | self.geometry.unit << 24;
        let mut words = [
            magic,
            head.number,
            head.before,
            head.before_end,
            head.tail,
            0,
        ];
        let belongs = self.geometry.block ^ u32::from(self.geometry.blocks) << 16;
        let [body @ .., last] = &mut words;
        *last = seal(belongs, body);
        words
    }

    fn head_at(&mut self, at: u32) -> Result<Option<Head>, StoreError> {
        let words = self.words(at)?;
        let [_, number, before, before_end, tail, _] = words;
        let head = Head {
            number,
            before,
            before_end,
            tail,
        };
        Ok((self.encode(&head) == words).then_some(head))
    }

    pub(super) fn block_head(&mut self, index: u16) -> Result<Option<Head>, StoreError> {
        let at = self.address(index);
        match self.head_at(at)? {
            None => self.head_at(at.wrapping_add(self.round(HEAD))),
            found => Ok(found),
        }
    }

    /// Makes a filled block the newest of the log.
    pub(super) fn commit(&mut self, block: Block, head: &Head) -> Result<(), StoreError> {
        let first = self.address(block.index);
        let second = first.wrapping_add(self.round(HEAD));
        let words = self.encode(head);
        for at in [first, second] {
            self.program(at, &words, Source::Bytes(&[]), HEAD)?;
        }
        self.sync()?;
        for at in [first, second] {
            if self.head_at(at)? != Some(*head) {
                return Err(StoreError::Write);
            }
        }
        self.finish(first.wrapping_add(self.complete()))?;
        self.head = Some(block);
        self.tail = head.tail;
        self.sealed = false;
        self.kept = u32::MAX;
        Ok(())
    }

    /// The newest block: the greatest number of a complete head. One without the unit behind it was cut short, and is as if it were not.
    pub(super) fn find_head(&mut self) -> Result<(), StoreError> {
        for index in 0..self.geometry.blocks {
            let Some(head) = self.block_head(index)? else {
                continue;
            };
            let complete = self.address(index).wrapping_add(self.complete());
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
            self.top = self.top.max(head.number);
        }
        let newest = self.head.unwrap_or_default();
        let end = self.address(newest.index).wrapping_add(self.complete());
        let (end, head) = (
            self.scan(end, self.geometry.unit)?,
            self.block_head(newest.index)?,
        );
        let Some(head) = head.filter(|_| end.all != 0) else {
            return Ok(());
        };
        for index in 0..self.geometry.blocks {
            if let Some(before) = self.block_head(index)?
                && before.number == head.before
            {
                self.kept = before.tail;
            }
        }
        Ok(())
    }

    /// Whether a block had better not be erased now: it was cut short just before it was complete, so that with its erase cut short, too, it might pass for
    /// that; or it is needed should the newest one, on the next start, not be taken for complete.
    pub(super) fn is_kept(&mut self, index: u16) -> Result<bool, StoreError> {
        let kept = self.kept;
        if self
            .block_head(index)?
            .is_some_and(|head| head.number >= kept)
        {
            return Ok(true);
        }
        let (at, complete) = (self.address(index), self.complete());
        Ok(!self.is_blank(at, complete)?
            && self.is_blank(at.wrapping_add(complete), self.geometry.unit)?)
    }

    /// The block before this one in the log.
    pub(super) fn before(&mut self, block: &Block) -> Result<Option<Block>, StoreError> {
        if block.number == self.tail {
            return Ok(None);
        }
        let head = self.block_head(block.index)?.ok_or(StoreError::Damaged)?;
        let mut index = block.index;
        for _ in 1..self.geometry.blocks {
            let last = self.geometry.blocks.wrapping_sub(1);
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
