//! Binds the numbers that a device signed to a hardware monotonic counter, so that an old image of its store is noticed.
//!
//! Invariant: with a counter, the newest own number in the store says what the counter must show. The counter is advanced last: the transaction is signed, then stored, then the
//! counter moves, and only then a byte leaves. So a counter that is one behind is a power cut, finished at the next start; one that is ahead is an old image. Whether it can
//! still be advanced is looked at before anything is signed (decision 0025). Without a counter nothing here does anything: then decision 0003 protects.
//!
//! What has no number, a channel's reserved indexes, moves the counter by [`step`]: the bond then says one more, so all that is bound shares one counter and one record.

use crate::platform::{Counter, Platform};
use crate::types::Number;
use crate::wire::{Reader, WireError, Writer};

/// Where the binding is stored; a node's and a leaf's keys leave it free.
const KEY: u16 = 0x000f;

/// Why a device must stay silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RollbackError {
    /// Store or counter failed: try again.
    Platform,
    /// The counter is ahead of the store.
    OldImage,
    /// The counter is not the one that the store is bound to, or there is none any more.
    Counter,
    /// The counter is at its end.
    Exhausted,
}

/// The number of a bond that was made before anything was signed, or by who does not know the numbers: it expects no step for any, and the first number that is signed binds anew.
const NO_NUMBER: u32 = u32::MAX;

/// A number that was stored and a step that was: each is settled before the next of its kind.
const MOST_BEHIND: u32 = 2;

/// With the counter at `value` the newest own number was `number`; from there it moves once for every number that `stride` divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bond {
    value: u32,
    number: u32,
    stride: u32,
}

impl Bond {
    /// What the counter shows with this number as the newest.
    fn expected(&self, number: u32) -> u32 {
        let steps = |n: u32| n.checked_div(self.stride).unwrap_or(0);
        let moved = steps(number).saturating_sub(steps(self.number));
        self.value.saturating_add(moved)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    bond: Option<Bond>,
    /// The newest own number in the store.
    newest: u32,
}

impl Guard {
    /// Looks at a store whose newest own number is `newest`, before anything is done with it.
    pub(crate) fn open<P: Platform>(
        platform: &mut P,
        newest: Number,
    ) -> Result<Self, RollbackError> {
        // Without a bond: bound when it signs first.
        let bond = load(platform)?;
        let mut guard = Self {
            bond,
            newest: bond.map_or(newest.0, |bond| newest.0.max(bond.number)),
        };
        if bond.is_some() {
            guard.settle(platform)?;
        }
        Ok(guard)
    }

    /// Whether a transaction with this number may be signed.
    pub(crate) fn ready<P: Platform>(
        &mut self,
        platform: &mut P,
        next: Number,
    ) -> Result<(), RollbackError> {
        let before = next.0.saturating_sub(1);
        let Some(counter) = self.settle(platform)? else {
            return Ok(());
        };
        let other = self.bond.is_none_or(|bond| bond.stride != counter.stride);
        // The first time; or the neighbours told the chain head, since the store was lost; or the stride is another one.
        let bond = match self.bond {
            Some(bond) if !other && before == self.newest => bond,
            _ => {
                let bond = Bond {
                    value: counter.value,
                    number: before,
                    stride: counter.stride,
                };
                store(platform, &bond)?;
                self.bond = Some(bond);
                self.newest = before;
                bond
            }
        };
        match bond.expected(next.0) <= counter.last {
            true => Ok(()),
            false => Err(RollbackError::Exhausted),
        }
    }

    /// A transaction with this number is in the store. It may leave if this gives `Ok`, or else once `settle` does.
    pub(crate) fn stored<P: Platform>(
        &mut self,
        platform: &mut P,
        number: Number,
    ) -> Result<(), RollbackError> {
        self.newest = self.newest.max(number.0);
        self.settle(platform).map(|_| ())
    }

    /// Advances a counter that is behind by what a cut leaves, and refuses any other that is not where it must be. `None`: there is no counter.
    pub(crate) fn settle<P: Platform>(
        &mut self,
        platform: &mut P,
    ) -> Result<Option<Counter>, RollbackError> {
        let mut read = || match platform.counter() {
            Ok(Some(counter)) if counter.stride == 0 => Err(RollbackError::Counter),
            Ok(counter) => Ok(counter),
            Err(_) => Err(RollbackError::Platform),
        };
        let (counter, bond) = match (read()?, self.bond) {
            (None, Some(_)) => return Err(RollbackError::Counter),
            (Some(counter), Some(bond)) => (counter, bond),
            (counter, None) => return Ok(counter),
        };
        let mut expected = bond.expected(self.newest);
        if counter.value == expected {
            return Ok(Some(counter));
        }
        // A channel moved it since: the store has it.
        if let Some(bond) = load(platform)? {
            self.bond = Some(bond);
            expected = bond.expected(self.newest);
        }
        if counter.value == expected {
            return Ok(Some(counter));
        }
        if counter.value > expected {
            return Err(RollbackError::OldImage);
        }
        let behind = expected.saturating_sub(counter.value);
        if behind > MOST_BEHIND {
            return Err(RollbackError::Counter);
        }
        for _ in 0..behind {
            platform.advance().map_err(|_| RollbackError::Platform)?;
        }
        // One that says it moved and did not protects nothing.
        match platform.counter() {
            Ok(Some(moved)) if moved.value == expected => Ok(Some(moved)),
            _ => Err(RollbackError::Counter),
        }
    }
}

/// Moves the counter by one for what has no number and is in the store already, so that an image from before is an old one from now on. `newest` is the newest own number in the
/// store, 0 where there is none. On an error nothing may be used of what was stored; called again, it goes on where it stopped.
pub(crate) fn step<P: Platform>(platform: &mut P, newest: Number) -> Result<(), RollbackError> {
    // What is open is settled first, so that no two steps are.
    let mut guard = Guard::open(platform, newest)?;
    let Some(counter) = guard.settle(platform)? else {
        return Ok(());
    };
    if counter.value >= counter.last {
        return Err(RollbackError::Exhausted);
    }
    let bond = guard.bond.unwrap_or(Bond {
        value: counter.value,
        number: NO_NUMBER,
        stride: counter.stride,
    });
    let bond = Bond {
        value: bond.value.saturating_add(1),
        ..bond
    };
    store(platform, &bond)?;
    guard.bond = Some(bond);
    guard.settle(platform).map(|_| ())
}

fn load<P: Platform>(platform: &mut P) -> Result<Option<Bond>, RollbackError> {
    let mut buffer = [0; 24];
    let stored = platform.get(KEY, &mut buffer);
    let Some(len) = stored.map_err(|_| RollbackError::Platform)? else {
        return Ok(None);
    };
    let bond = read(buffer.get(..len).unwrap_or(&[])).map_err(|_| RollbackError::Counter)?;
    Ok(Some(bond))
}

fn store<P: Platform>(platform: &mut P, bond: &Bond) -> Result<(), RollbackError> {
    let mut buffer = [0; 24];
    let mut w = Writer::new(&mut buffer);
    let written = w
        .array(4)
        .and_then(|()| w.uint(1))
        .and_then(|()| w.uint(bond.value.into()))
        .and_then(|()| w.uint(bond.number.into()))
        .and_then(|()| w.uint(bond.stride.into()));
    match written.is_ok() && platform.put(KEY, w.written()).is_ok() {
        true => Ok(()),
        false => Err(RollbackError::Platform),
    }
}

fn read(bytes: &[u8]) -> Result<Bond, WireError> {
    let mut r = Reader::new(bytes);
    r.array_of(4)?;
    if r.uint()? != 1 {
        return Err(WireError::Range);
    }
    let bond = Bond {
        value: r.u32()?,
        number: r.u32()?,
        stride: r.u32()?,
    };
    r.finish()?;
    match bond.stride {
        0 => Err(WireError::Range),
        _ => Ok(bond),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::test_platform::MemoryPlatform;

    fn device(stride: u32) -> MemoryPlatform {
        MemoryPlatform {
            counter: Some(Counter {
                value: 7,
                last: 1_000,
                stride,
            }),
            ..MemoryPlatform::default()
        }
    }

    /// Signs and stores numbers as a node or leaf does.
    fn say(platform: &mut MemoryPlatform, guard: &mut Guard, numbers: core::ops::Range<u32>) {
        for number in numbers {
            guard.ready(platform, Number(number)).unwrap();
            guard.stored(platform, Number(number)).unwrap();
        }
    }

    fn value(platform: &MemoryPlatform) -> u32 {
        platform.counter.as_ref().unwrap().value
    }

    #[test]
    fn it_moves_once_in_a_stride_and_an_image_from_before_is_noticed() {
        for stride in [1, 4, 10] {
            let mut platform = device(stride);
            let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
            let mut images = vec![];
            for number in 1..50 {
                say(&mut platform, &mut guard, number..number + 1);
                images.push((number, value(&platform), platform.store.clone()));
            }
            assert_eq!(value(&platform), 7 + 49 / stride);
            for (number, at, store) in images {
                platform.store = store;
                let opened = Guard::open(&mut platform, Number(number));
                let old = at < value(&platform);
                assert_eq!(old, number / stride < 49 / stride);
                assert_eq!(opened.err(), old.then_some(RollbackError::OldImage));
            }
        }
    }

    #[test]
    fn a_cut_between_store_and_counter_is_no_old_image() {
        let mut platform = device(1);
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        say(&mut platform, &mut guard, 1..5);
        guard.ready(&mut platform, Number(5)).unwrap();
        // It is in the store, and the power goes.
        let mut guard = Guard::open(&mut platform, Number(5)).unwrap();
        assert_eq!(value(&platform), 12);
        say(&mut platform, &mut guard, 6..8);
        assert_eq!(value(&platform), 14);
    }

    #[test]
    fn a_counter_that_fails_is_retried_before_anything_leaves() {
        let mut platform = device(1);
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        guard.ready(&mut platform, Number(1)).unwrap();
        platform.fail_advance = true;
        let failed = guard.stored(&mut platform, Number(1));
        assert_eq!(failed, Err(RollbackError::Platform));
        let ready = guard.ready(&mut platform, Number(2));
        assert_eq!(ready, Err(RollbackError::Platform));
        platform.fail_advance = false;
        assert_eq!(guard.settle(&mut platform).unwrap().unwrap().value, 8);
        say(&mut platform, &mut guard, 2..3);
    }

    #[test]
    fn its_end_is_seen_before_anything_is_signed() {
        let mut platform = device(2);
        platform.counter.as_mut().unwrap().last = 9;
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        say(&mut platform, &mut guard, 1..6);
        let end = guard.ready(&mut platform, Number(6));
        assert_eq!(end, Err(RollbackError::Exhausted));
        assert!(Guard::open(&mut platform, Number(5)).is_ok());
    }

    #[test]
    fn a_counter_that_is_gone_goes_back_or_does_not_move_is_refused() {
        let mut platform = device(1);
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        say(&mut platform, &mut guard, 1..9);
        let mut gone = platform.clone();
        gone.counter = None;
        let refused = |platform: &mut MemoryPlatform| Guard::open(platform, Number(8)).err();
        assert_eq!(refused(&mut gone), Some(RollbackError::Counter));
        let mut back = platform.clone();
        back.counter.as_mut().unwrap().value = 3;
        assert_eq!(refused(&mut back), Some(RollbackError::Counter));
        let mut stuck = platform.clone();
        stuck.stuck_counter = true;
        guard.ready(&mut stuck, Number(9)).unwrap();
        let moved = guard.stored(&mut stuck, Number(9));
        assert_eq!(moved, Err(RollbackError::Counter));
        let mut broken = platform.clone();
        broken.store.insert(KEY, vec![1]);
        assert_eq!(refused(&mut broken), Some(RollbackError::Counter));
    }

    #[test]
    fn a_lost_store_and_another_stride_are_bound_anew() {
        let mut platform = device(1);
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        say(&mut platform, &mut guard, 1..9);
        platform.store.clear();
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        // The neighbours say that 8 was the newest.
        guard.ready(&mut platform, Number(9)).unwrap();
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        say(&mut platform, &mut guard, 9..12);
        platform.counter.as_mut().unwrap().stride = 5;
        let mut guard = Guard::open(&mut platform, Number(11)).unwrap();
        say(&mut platform, &mut guard, 12..21);
        assert_eq!(value(&platform), 7 + 8 + 3 + 2);
        assert!(Guard::open(&mut platform, Number(20)).is_ok());
    }

    #[test]
    fn without_a_counter_nothing_is_written() {
        let mut platform = MemoryPlatform::default();
        let mut guard = Guard::open(&mut platform, Number(3)).unwrap();
        say(&mut platform, &mut guard, 4..9);
        assert_eq!(platform.writes, 0);
    }

    #[test]
    fn a_channel_steps_between_numbers_and_a_guard_that_lives_sees_it() {
        for stride in [1, 4] {
            let mut platform = device(stride);
            // Before anything was ever signed.
            step(&mut platform, Number(0)).unwrap();
            let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
            let mut images = vec![];
            for number in 1..30 {
                images.push((number - 1, platform.store.clone()));
                say(&mut platform, &mut guard, number..number + 1);
                step(&mut platform, Number(number)).unwrap();
                assert!(Guard::open(&mut platform, Number(number)).is_ok());
            }
            assert_eq!(value(&platform), 7 + 1 + 29 + 29 / stride);
            for (number, store) in images {
                platform.store = store;
                let found = Guard::open(&mut platform, Number(number)).err();
                assert_eq!(found, Some(RollbackError::OldImage), "{number}");
                let found = step(&mut platform, Number(number)).err();
                assert_eq!(found, Some(RollbackError::OldImage), "{number}");
            }
        }
    }

    #[test]
    fn a_step_that_fails_or_is_cut_goes_on_where_it_stopped() {
        let mut platform = device(1);
        step(&mut platform, Number(0)).unwrap();
        platform.fail_advance = true;
        for _ in 0..3 {
            let failed = step(&mut platform, Number(0));
            assert_eq!(failed, Err(RollbackError::Platform));
        }
        platform.fail_advance = false;
        step(&mut platform, Number(0)).unwrap();
        assert_eq!(value(&platform), 7 + 3);
        platform.counter.as_mut().unwrap().last = 10;
        let end = step(&mut platform, Number(0));
        assert_eq!(end, Err(RollbackError::Exhausted));
        // A number and a step are open at once: both are finished.
        let mut platform = device(1);
        let mut guard = Guard::open(&mut platform, Number(0)).unwrap();
        guard.ready(&mut platform, Number(1)).unwrap();
        platform.fail_advance = true;
        assert!(step(&mut platform, Number(0)).is_err());
        assert!(guard.stored(&mut platform, Number(1)).is_err());
        platform.fail_advance = false;
        assert!(Guard::open(&mut platform.clone(), Number(1)).is_ok());
        guard.settle(&mut platform).unwrap();
        assert_eq!(value(&platform), 7 + 2);
        let mut none = MemoryPlatform::default();
        step(&mut none, Number(0)).unwrap();
        assert_eq!(none.writes, 0);
    }
}
