//! NOR flash that loses its power: every operation counts, and the one with a given number is cut short.
//!
//! What a cut leaves: of a program unit any of its bits, of an erase anything at all, which may read differently each time; of what was not synced, where there is a cache,
//! any part in any order. A unit that a cut touched stays unreliable: on each start it may read otherwise, though not once as wholly programmed and the next time as
//! untouched, or the other way round. Programming a unit twice, or one that was touched, or in a block whose erase was cut, is a breach and panics: no chip is asked for what it may not be able to do.

use super::{Flash, FlashError, Geometry};
use crate::platform::Counter;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }
}

/// How a block fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The erase reports it.
    Erase,
    /// The erase reports nothing and leaves a bit.
    EraseSilently,
    /// Programming reports it.
    Program,
    /// Programming reports nothing and leaves a bit.
    ProgramSilently,
}

#[derive(Clone, Debug)]
enum Waiting {
    Program(u32, Vec<u8>),
    Erase(u32),
}

/// The chip.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    pub geometry: Geometry,
    /// Programs, erases and syncs so far.
    pub operations: u64,
    /// The operation with this number is cut short.
    pub cut_at: Option<u64>,
    /// The power is gone.
    pub dead: bool,
    /// Where to cut next, counted from when the power comes back.
    pub then: Option<u64>,
    pub faults: BTreeMap<u16, Fault>,
    /// Erases of each block.
    pub worn: Vec<u32>,
    pub reads: u64,
    /// The hardware counter beside the flash: no image brings it back.
    pub counter: Option<Counter>,
    /// Whether what is not synced may be lost in any order.
    cache: bool,
    cells: Vec<u8>,
    waiting: Vec<Waiting>,
    /// Units that were programmed or touched since their erase.
    used: BTreeSet<u32>,
    /// Units whose programming was cut short: what was to be programmed.
    torn: BTreeMap<u32, Vec<u8>>,
    /// Blocks whose erase was cut short.
    half: BTreeSet<u32>,
    dice: Dice,
}

impl Chip {
    /// Never erased: full of whatever.
    pub(crate) fn new(geometry: Geometry, cache: bool, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let len = geometry.block as usize * usize::from(geometry.blocks);
        let blocks = 0..u32::from(geometry.blocks);
        Self {
            geometry,
            operations: 0,
            cut_at: None,
            dead: false,
            then: None,
            faults: BTreeMap::new(),
            worn: vec![0; geometry.blocks.into()],
            reads: 0,
            counter: None,
            cache,
            cells: (0..len).map(|_| dice.roll() as u8).collect(),
            waiting: Vec::new(),
            used: BTreeSet::new(),
            torn: BTreeMap::new(),
            half: blocks.map(|b| b * geometry.block).collect(),
            dice,
        }
    }

    /// The power comes back. What was torn may read otherwise than the last time.
    pub(crate) fn power_on(&mut self, cut_at: Option<u64>) {
        assert!(self.dead || self.waiting.is_empty());
        self.dead = false;
        self.operations = 0;
        self.cut_at = cut_at;
        for (at, wanted) in self.torn.clone() {
            self.tear(at, &wanted, false);
        }
    }

    /// Cuts the power between two operations.
    pub(crate) fn power_off(&mut self) {
        if !self.dead {
            self.lose();
        }
    }

    /// Any of the bits; not from all to none or from none to all.
    fn tear(&mut self, at: u32, wanted: &[u8], first: bool) {
        let choice = self.dice.below(4);
        let place = at as usize..at as usize + wanted.len();
        let before = self.cells[place.clone()].to_vec();
        for (cell, wanted) in self.cells[place.clone()].iter_mut().zip(wanted) {
            let keep = match choice {
                0 => 0,
                1 => 0xff,
                _ => self.dice.roll() as u8,
            };
            *cell = !(!wanted & keep);
        }
        let blank = |cells: &[u8]| cells.iter().all(|c| *c == 0xff);
        let now = &mut self.cells[place];
        if !first && ((blank(&before) && now == wanted) || (blank(now) && before == wanted)) {
            // One bit more, or one less.
            let some = wanted.iter().position(|b| *b != 0xff).unwrap_or(0);
            now[some] ^= 1 << (!wanted[some]).trailing_zeros().min(7);
        }
    }

    fn lose(&mut self) {
        self.dead = true;
        for waiting in std::mem::take(&mut self.waiting) {
            match (waiting, self.dice.below(3)) {
                (_, 0) => {}
                (Waiting::Program(at, bytes), 1) => self.cells_at(at, &bytes),
                (Waiting::Program(at, bytes), _) => self.cut_program(at, &bytes),
                (Waiting::Erase(at), 1) => self.clear(at),
                (Waiting::Erase(at), _) => self.cut_erase(at),
            }
        }
    }

    fn cells_at(&mut self, at: u32, bytes: &[u8]) {
        self.cells[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
    }

    fn cut_program(&mut self, at: u32, bytes: &[u8]) {
        self.torn.insert(at, bytes.to_vec());
        self.tear(at, bytes, true);
    }

    fn clear(&mut self, at: u32) {
        let end = at + self.geometry.block;
        self.cells[at as usize..end as usize].fill(0xff);
        self.used.retain(|unit| !(at..end).contains(unit));
        self.torn.retain(|unit, _| !(at..end).contains(unit));
        self.half.remove(&at);
    }

    fn cut_erase(&mut self, at: u32) {
        let choice = self.dice.below(4);
        self.half.insert(at);
        let end = (at + self.geometry.block) as usize;
        for index in at as usize..end {
            let noise = self.dice.roll() as u8;
            let cell = &mut self.cells[index];
            *cell = match choice {
                0 => *cell,
                1 => 0xff,
                2 => *cell | noise,
                _ => noise,
            };
        }
    }

    /// Counts an operation; `Err` without power. `true`: it is the one that is cut.
    fn count(&mut self) -> Result<bool, FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        self.operations += 1;
        Ok(self.cut_at == Some(self.operations))
    }

    fn block_of(&self, at: u32) -> u32 {
        at / self.geometry.block * self.geometry.block
    }

    fn fault(&self, at: u32) -> Option<Fault> {
        let index = at / self.geometry.block;
        self.faults.get(&u16::try_from(index).unwrap()).copied()
    }

    pub(crate) fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        self.reads += 1;
        let place = at as usize..at as usize + out.len();
        assert!(place.end <= self.cells.len(), "read beyond the end");
        out.copy_from_slice(&self.cells[place]);
        // The cache knows better.
        for waiting in &self.waiting {
            if let Waiting::Program(from, bytes) = waiting {
                for (offset, byte) in bytes.iter().enumerate() {
                    let index = (*from as usize + offset).wrapping_sub(at as usize);
                    if let Some(out) = out.get_mut(index) {
                        *out = *byte;
                    }
                }
            }
        }
        for (offset, out) in out.iter_mut().enumerate() {
            let unsteady = self.half.contains(&self.block_of(at + offset as u32));
            if unsteady && self.dice.below(64) == 0 {
                *out ^= self.dice.roll() as u8;
            }
        }
        Ok(())
    }

    pub(crate) fn program(&mut self, at: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let cut = self.count()?;
        assert_eq!(bytes.len() as u32, self.geometry.unit);
        assert!(at.is_multiple_of(self.geometry.unit));
        assert!(!self.half.contains(&self.block_of(at)), "half erased");
        assert!(self.used.insert(at), "programmed twice: {at}");
        match self.fault(at) {
            Some(Fault::Program) => {
                self.cut_program(at, bytes);
                self.torn.remove(&at);
                return Err(FlashError);
            }
            Some(Fault::ProgramSilently) => {
                let mut bytes = bytes.to_vec();
                bytes[0] = 0xff;
                self.cells_at(at, &bytes);
                return Ok(());
            }
            _ => {}
        }
        match (cut, self.cache) {
            (true, _) => {
                self.cut_program(at, bytes);
                self.lose();
                return Err(FlashError);
            }
            (false, true) => self.waiting.push(Waiting::Program(at, bytes.to_vec())),
            (false, false) => self.cells_at(at, bytes),
        }
        Ok(())
    }

    pub(crate) fn erase(&mut self, at: u32) -> Result<(), FlashError> {
        let cut = self.count()?;
        assert_eq!(at, self.block_of(at));
        self.worn[(at / self.geometry.block) as usize] += 1;
        if cut {
            self.cut_erase(at);
            self.lose();
            return Err(FlashError);
        }
        match self.fault(at) {
            Some(Fault::Erase) => {
                self.cut_erase(at);
                return Err(FlashError);
            }
            Some(Fault::EraseSilently) => {
                self.clear(at);
                self.cells[at as usize + 77] = 0xfe;
                return Ok(());
            }
            _ => {}
        }
        if self.cache {
            self.waiting.push(Waiting::Erase(at));
        } else {
            self.clear(at);
        }
        Ok(())
    }

    pub(crate) fn sync(&mut self) -> Result<(), FlashError> {
        if self.count()? {
            self.lose();
            return Err(FlashError);
        }
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting {
                Waiting::Program(at, bytes) => self.cells_at(at, &bytes),
                Waiting::Erase(at) => self.clear(at),
            }
        }
        Ok(())
    }

    /// Advances the counter; where that is cut short it moved or did not.
    pub(crate) fn advance(&mut self) -> Result<(), FlashError> {
        let cut = self.count()?;
        let moves = !cut || self.dice.below(2) == 0;
        if let Some(counter) = self.counter.as_mut().filter(|_| moves) {
            counter.value += 1;
        }
        if cut {
            self.lose();
            return Err(FlashError);
        }
        Ok(())
    }

    /// Turns bits over behind the store's back.
    pub(crate) fn rot(&mut self, at: u32, bits: u8) {
        self.cells[at as usize] ^= bits;
    }
}

/// A chip that several hold: the store, and the test that cuts its power.
#[derive(Clone, Debug)]
pub(crate) struct Board(pub Rc<RefCell<Chip>>);

impl Board {
    pub(crate) fn new(geometry: Geometry, cache: bool, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(Chip::new(geometry, cache, seed))))
    }

    /// As it is now, on a chip of its own.
    pub(crate) fn image(&self) -> Self {
        Self(Rc::new(RefCell::new(self.0.borrow().clone())))
    }
}

impl Flash for Board {
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        self.0.borrow_mut().read(at, out)
    }

    fn program(&mut self, at: u32, unit: &[u8]) -> Result<(), FlashError> {
        assert!((unit.as_ptr() as usize).is_multiple_of(8));
        self.0.borrow_mut().program(at, unit)
    }

    fn erase(&mut self, at: u32) -> Result<(), FlashError> {
        self.0.borrow_mut().erase(at)
    }

    fn sync(&mut self) -> Result<(), FlashError> {
        self.0.borrow_mut().sync()
    }
}
