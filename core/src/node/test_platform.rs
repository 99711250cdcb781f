//! A platform in memory for tests: seeded randomness, a map for a store, failures and power cuts on demand.

use crate::identity::attest::{Evidence, Measurement, Measurements};
use crate::platform::{Counter, Platform, PlatformError};
use crate::store::FlashStore;
use crate::store::simulated::Board;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct MemoryPlatform {
    /// What is stored.
    pub store: BTreeMap<u16, Vec<u8>>,
    /// State of the randomness.
    pub seed: u64,
    /// Refuse the next writes.
    pub fail_put: bool,
    /// Reads fail.
    pub fail_get: bool,
    /// Reads so far.
    pub reads: u32,
    /// Writes and removals so far.
    pub writes: u32,
    /// The write or removal with this number is refused, and only this one.
    pub fail_at: Option<u32>,
    /// The power goes before the write or removal with this number.
    pub cut_at: Option<u32>,
    /// What it measured at its boot; nothing where it cannot attest.
    pub firmware: Option<[u8; 32]>,
    /// The power is gone: nothing that happens from here on happens.
    pub dead: bool,
    /// The hardware counter, if there is one.
    pub counter: Option<Counter>,
    /// It does not advance.
    pub fail_advance: bool,
    /// It says that it advances.
    pub stuck_counter: bool,
    /// The store is on simulated flash instead, with its counter.
    pub flash: Option<(Board, Rc<RefCell<FlashStore<Board>>>)>,
}

impl MemoryPlatform {
    /// A device with its store on a board. It starts as often as the power goes before it is up.
    pub(crate) fn on(board: &Board) -> Self {
        loop {
            let geometry = board.0.borrow().geometry;
            match FlashStore::open(board.clone(), geometry) {
                Ok(store) => {
                    return Self {
                        flash: Some((board.clone(), Rc::new(RefCell::new(store)))),
                        ..Self::default()
                    };
                }
                Err(error) => assert!(board.0.borrow().dead, "{error:?}"),
            }
            board.0.borrow_mut().power_on(None);
        }
    }

    /// The same device after a power cut: what is in memory only is gone.
    pub(crate) fn again(&self) -> Self {
        let Some((board, _)) = &self.flash else {
            return self.clone();
        };
        board.0.borrow_mut().power_off();
        let then = board.0.borrow_mut().then.take();
        board.0.borrow_mut().power_on(then);
        Self {
            seed: self.seed,
            ..Self::on(board)
        }
    }

    /// Works on the flash, if the store is there; the device dies with it.
    fn on_flash<R>(
        &mut self,
        work: impl FnOnce(&mut FlashStore<Board>) -> Result<R, crate::store::StoreError>,
        error: PlatformError,
    ) -> Option<Result<R, PlatformError>> {
        let (board, store) = self.flash.clone()?;
        let done = work(&mut store.borrow_mut());
        self.dead |= board.0.borrow().dead;
        Some(done.map_err(|reason| {
            assert!(self.dead || reason != crate::store::StoreError::Damaged);
            error
        }))
    }

    /// Whether a write takes effect.
    fn write(&mut self) -> Result<bool, PlatformError> {
        self.writes += 1;
        self.dead |= self.cut_at == Some(self.writes);
        if !self.dead && (self.fail_put || self.fail_at == Some(self.writes)) {
            return Err(PlatformError::StoreWrite);
        }
        Ok(!self.dead)
    }
}

impl Platform for MemoryPlatform {
    fn random(&mut self, out: &mut [u8]) -> Result<(), PlatformError> {
        for byte in out {
            // splitmix64: good enough to choose tips in a test, never for keys.
            self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z >> 24) as u8;
        }
        Ok(())
    }

    fn get(&mut self, key: u16, out: &mut [u8]) -> Result<Option<usize>, PlatformError> {
        self.reads += 1;
        if self.fail_get {
            return Err(PlatformError::StoreRead);
        }
        if let Some(done) = self.on_flash(|store| store.get(key, out), PlatformError::StoreRead) {
            return done;
        }
        let Some(value) = self.store.get(&key) else {
            return Ok(None);
        };
        let place = out.get_mut(..value.len()).ok_or(PlatformError::StoreRead)?;
        place.copy_from_slice(value);
        Ok(Some(value.len()))
    }

    fn put(&mut self, key: u16, value: &[u8]) -> Result<(), PlatformError> {
        if let Some(done) = self.on_flash(|store| store.put(key, value), PlatformError::StoreWrite)
        {
            return done;
        }
        if self.write()? {
            self.store.insert(key, value.to_vec());
        }
        Ok(())
    }

    fn remove(&mut self, key: u16) -> Result<(), PlatformError> {
        if let Some(done) = self.on_flash(|store| store.remove(key), PlatformError::StoreWrite) {
            return done;
        }
        if self.write()? {
            self.store.remove(&key);
        }
        Ok(())
    }

    fn counter(&mut self) -> Result<Option<Counter>, PlatformError> {
        match &self.flash {
            Some((board, _)) => Ok(board.0.borrow().counter),
            None => Ok(self.counter),
        }
    }

    fn advance(&mut self) -> Result<(), PlatformError> {
        if self.fail_advance {
            return Err(PlatformError::Counter);
        }
        if let Some((board, _)) = &self.flash {
            let done = board.0.borrow_mut().advance();
            self.dead |= board.0.borrow().dead;
            return done.map_err(|_| PlatformError::Counter);
        }
        match &mut self.counter {
            Some(counter) if !self.dead && !self.stuck_counter => counter.value += 1,
            _ => {}
        }
        Ok(())
    }

    fn attest(&mut self, tell: &mut dyn FnMut(&Evidence<'_>)) {
        let Some(digest) = &self.firmware else { return };
        let firmware = [Measurement {
            name: "firmware",
            digest,
        }];
        tell(&Evidence {
            model: b"test",
            measurements: Measurements::of(&firmware),
            ..Evidence::default()
        });
    }
}
