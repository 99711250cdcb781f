//! The member tables of the last three epochs, and what is known of the headers that opened them.
//!
//! A table is filled record by record into the place of the oldest and counts only once its root is the one in a settled header
//! (or in the genesis). Invariant: `get` never returns a record whose root was not checked.
//!
//! A small device holds only the weights of all members, packed, and the records of a few: the others are in its store (see `records`). What is
//! not in memory is *not read*, which is never the same as *not there*: `holds` tells them apart, and the tangle asks it first.
//!
//! The clock of an epoch outlives its table: see `clocks`.

use super::clocks::Clocks;
use crate::identity::Record;
use crate::tangle::{Cut, Head, Tables as TableView};
use crate::wire::merkle;
use crate::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Weight};

/// What a settled header (or the genesis) says about the epoch that it opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The epoch.
    pub epoch: Epoch,
    /// Its clock starts here: c of the header.
    pub clock_start: Millis,
    /// Root of its table.
    pub root: Id,
    /// Records in its table.
    pub members: u32,
    /// The trim that the header closed; for the genesis the neighbourhood id.
    pub trim: Id,
}

/// Distinct weights that a table may have where its records are not all in memory.
pub const WEIGHTS: usize = 16;

/// The weights of all members of a table, four bits each: places in a list of the distinct ones.
#[derive(Debug)]
struct Weights<'m> {
    places: &'m mut [u8],
    distinct: [u32; WEIGHTS],
    count: usize,
}

impl Weights<'_> {
    fn shift(member: usize) -> u32 {
        if member & 1 == 0 { 0 } else { 4 }
    }

    fn get(&self, member: usize) -> Option<Weight> {
        let byte = self.places.get(member / 2)?;
        let place = byte.wrapping_shr(Self::shift(member)) & 0x0f;
        self.distinct.get(usize::from(place)).map(|&w| Weight(w))
    }

    fn set(&mut self, member: usize, weight: Weight) -> Result<(), TableError> {
        let known = self.distinct.iter().take(self.count);
        let place = match known.into_iter().position(|&w| w == weight.0) {
            Some(place) => place,
            None => {
                *self
                    .distinct
                    .get_mut(self.count)
                    .ok_or(TableError::Weights)? = weight.0;
                self.count = self.count.saturating_add(1);
                self.count.saturating_sub(1)
            }
        };
        let byte = self.places.get_mut(member / 2).ok_or(TableError::Full)?;
        let shift = Self::shift(member);
        let place = u8::try_from(place).unwrap_or(0) & 0x0f;
        *byte = (*byte & !0x0fu8.wrapping_shl(shift)) | place.wrapping_shl(shift);
        Ok(())
    }
}

#[derive(Debug)]
struct Slot<'m> {
    opening: Opening,
    filled: usize,
    ready: bool,
    total: u64,
    /// What each member weighs, where all weigh the same, as most tables have it: then no record is looked at for it, and a Quorum among
    /// a thousand asks for a thousand weights.
    even: Option<Weight>,
    /// All records by index; or a cache of `cached` by index modulo that, and in the last place this node's own.
    records: &'m mut [Record],
    weights: Weights<'m>,
    cached: Option<usize>,
}

impl Slot<'_> {
    /// Where a record may be in memory.
    fn places(&self, member: usize) -> [usize; 2] {
        match self.cached {
            None => [member; 2],
            Some(cached) => [member.checked_rem(cached).unwrap_or(0), cached],
        }
    }

    /// A record that is in memory.
    fn held(&self, member: MemberIndex) -> Option<&Record> {
        let index = usize::from(member.0);
        if index >= self.filled {
            return None;
        }
        self.places(index)
            .into_iter()
            .filter_map(|place| self.records.get(place))
            // An empty place holds no device.
            .find(|r| r.index == member && (self.cached.is_none() || r.device != Id::ZERO))
    }

    fn begin(&mut self, opening: Opening) {
        self.opening = opening;
        self.ready = false;
        self.total = 0;
        self.begin_again();
    }

    fn begin_again(&mut self) {
        self.filled = 0;
        self.even = None;
        self.weights.count = 0;
        if self.cached.is_some() {
            self.records.fill(Record::EMPTY);
        }
    }
}

/// The tables over caller memory.
#[derive(Debug)]
pub struct Tables<'m> {
    slots: [Slot<'m>; 3],
    /// Records that a table may have where they are not all in memory.
    most: usize,
    pub(crate) clocks: Clocks,
    newest: Epoch,
    gl_node: MemberIndex,
}

/// Why a chunk of a table was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Not the epoch or place that is being filled.
    NotAsked,
    /// More members than this node has room for.
    Full,
    /// The whole table's root is not the settled one: everything of it is dropped.
    Forged,
    /// More distinct weights than a node holds that keeps its records in the store: it needs [`super::Limits::records`] for all members.
    Weights,
    /// The platform could not keep it: it has to come again.
    Store,
}

/// What one record more made of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Others are to come.
    More,
    /// It was the last: the table's root is to be checked.
    Last,
}

impl<'m> Tables<'m> {
    /// `cached`: how many records of each table are held, where it is not all of them. `most`: how many a table may have.
    pub(crate) fn new(
        records: [&'m mut [Record]; 3],
        weights: [&'m mut [u8]; 3],
        cached: Option<usize>,
        most: usize,
    ) -> Self {
        let [a, b, c] = weights;
        let mut weights = [Some(a), Some(b), Some(c)].into_iter().flatten();
        Self {
            slots: records.map(|records| Slot {
                opening: Opening::default(),
                filled: 0,
                ready: false,
                total: 0,
                even: None,
                records,
                weights: Weights {
                    places: weights.next().unwrap_or(&mut []),
                    distinct: [0; WEIGHTS],
                    count: 0,
                },
                cached,
            }),
            most,
            clocks: Clocks::default(),
            newest: Epoch(0),
            gl_node: MemberIndex(0),
        }
    }

    /// Tells who the GL-node is, by the genesis.
    pub(crate) fn set_gl_node(&mut self, member: MemberIndex) {
        self.gl_node = member;
    }

    pub(crate) fn into_inner(self) -> ([&'m mut [Record]; 3], [&'m mut [u8]; 3]) {
        let [a, b, c] = self.slots;
        (
            [a.records, b.records, c.records],
            [a.weights.places, b.weights.places, c.weights.places],
        )
    }

    /// Whether all records of every table are in memory.
    pub(crate) fn whole(&self) -> bool {
        self.slots.iter().all(|slot| slot.cached.is_none())
    }

    fn slot(&self, epoch: Epoch) -> Option<&Slot<'m>> {
        self.slots
            .iter()
            .find(|s| s.ready && s.opening.epoch == epoch)
    }

    /// Makes room for the table that `opening` names. The oldest table goes.
    pub(crate) fn open(&mut self, opening: Opening) -> Result<(), TableError> {
        self.clocks.learn(opening.epoch, opening.clock_start);
        if self
            .slots
            .iter()
            .any(|s| s.opening.epoch == opening.epoch && s.opening.root == opening.root)
        {
            return Ok(());
        }
        // The two epochs before the newest are still needed, and of three places one holds none of these: what comes in slowly is not given up for what
        // is newer.
        let open = self.slots.iter().map(|s| s.opening.epoch);
        let newest = open.fold(opening.epoch, Ord::max);
        let slot = self
            .slots
            .iter_mut()
            .min_by_key(|s| {
                let needed = !s.opening.epoch.is_void_from(newest);
                (needed, s.ready, s.opening.epoch)
            })
            .ok_or(TableError::Full)?;
        let room = match slot.cached {
            None => slot.records.len(),
            Some(_) => self.most,
        };
        if usize::try_from(opening.members).map_or(true, |n| n > room) {
            return Err(TableError::Full);
        }
        slot.begin(opening);
        // The store has room for three tables in turn: the one that was there before is overwritten as this one comes in.
        for slot in self.slots.iter_mut().filter(|s| s.cached.is_some()) {
            let there = slot.opening.epoch;
            let shared = there.0.checked_rem(3) == opening.epoch.0.checked_rem(3);
            if shared && there != opening.epoch {
                slot.begin(Opening::default());
            }
        }
        Ok(())
    }

    /// Whether an epoch is so old that its table is not held any more: its vertices have no effect, but others stand on them.
    pub(crate) fn is_void(&self, epoch: Epoch) -> bool {
        epoch.is_void_from(self.newest)
    }

    /// The epoch and the first index that is still missing.
    pub(crate) fn missing(&self) -> Option<(Epoch, u16)> {
        self.slots
            .iter()
            .filter(|s| !s.ready && s.opening.epoch != Epoch(0))
            .max_by_key(|s| s.opening.epoch)
            .and_then(|s| Some((s.opening.epoch, u16::try_from(s.filled).ok()?)))
    }

    /// Whether so many records from this one on are the whole of a table of which nothing is here.
    pub(crate) fn is_all(&self, epoch: Epoch, first: MemberIndex, count: usize) -> bool {
        let mut open = self.slots.iter().filter(|s| !s.ready && s.filled == 0);
        let all = |s: &Slot<'_>| u32::try_from(count) == Ok(s.opening.members);
        first.0 == 0 && open.any(|s| s.opening.epoch == epoch && all(s))
    }

    /// Takes one record, in order.
    pub(crate) fn fill(
        &mut self,
        epoch: Epoch,
        index: u16,
        record: &Record,
    ) -> Result<Filled, TableError> {
        let slot = self.filling(epoch)?;
        if usize::from(index) != slot.filled || record.index.0 != index {
            return Err(TableError::NotAsked);
        }
        let [place, _] = slot.places(slot.filled);
        *slot.records.get_mut(place).ok_or(TableError::Full)? = *record;
        slot.filled = slot.filled.saturating_add(1);
        if u32::try_from(slot.filled) == Ok(slot.opening.members) {
            Ok(Filled::Last)
        } else {
            Ok(Filled::More)
        }
    }

    fn filling(&mut self, epoch: Epoch) -> Result<&mut Slot<'m>, TableError> {
        self.slots
            .iter_mut()
            .find(|s| !s.ready && s.opening.epoch == epoch && epoch != Epoch(0))
            .ok_or(TableError::NotAsked)
    }

    /// The last `count` records that came, from memory: what is stored as a chunk.
    pub(crate) fn came_last(&self, epoch: Epoch, count: usize) -> impl Iterator<Item = &Record> {
        let slot = self
            .slots
            .iter()
            .find(|s| !s.ready && s.opening.epoch == epoch);
        let filled = slot.map_or(0, |s| s.filled);
        (filled.saturating_sub(count)..filled).filter_map(move |i| {
            let slot = slot?;
            let [place, _] = slot.places(i);
            slot.records.get(place)
        })
    }

    /// The records from this place on did not get into the store: they have to come again.
    pub(crate) fn ask_again(&mut self, epoch: Epoch, from: usize) {
        if let Ok(slot) = self.filling(epoch) {
            slot.filled = slot.filled.min(from);
        }
    }

    /// Checks the root of a table whose records are all in memory.
    pub(crate) fn check(&mut self, epoch: Epoch) -> Result<(), TableError> {
        let slot = self.filling(epoch)?;
        let held = slot.records.get(..slot.filled).unwrap_or(&[]);
        let mut tree = merkle::Tree::new();
        let whole = held
            .iter()
            .all(|record| record.leaf().is_ok_and(|leaf| tree.push(leaf).is_ok()));
        let total = held.iter().map(|r| u64::from(r.weight.0)).sum();
        let first = held.first().map(|r| r.weight);
        let even = first.filter(|weight| held.iter().all(|r| r.weight == *weight));
        let root = if whole { tree.root() } else { Id::ZERO };
        slot.even = even;
        self.conclude(epoch, root, total)
    }

    /// Takes the weight of a record that was read back from the store, and keeps it where it is this node's own.
    pub(crate) fn weigh(
        &mut self,
        epoch: Epoch,
        record: &Record,
        own: bool,
    ) -> Result<(), TableError> {
        let slot = self.filling(epoch)?;
        slot.weights
            .set(usize::from(record.index.0), record.weight)?;
        if own
            && let Some(cached) = slot.cached
            && let Some(place) = slot.records.get_mut(cached)
        {
            *place = *record;
        }
        Ok(())
    }

    /// The table counts from here on if this is its root; else all of it has to come again.
    pub(crate) fn conclude(
        &mut self,
        epoch: Epoch,
        root: Id,
        total: u64,
    ) -> Result<(), TableError> {
        let slot = self.filling(epoch)?;
        if root != slot.opening.root {
            slot.begin_again();
            return Err(TableError::Forged);
        }
        slot.total = total;
        slot.ready = true;
        self.newest = self.newest.max(epoch);
        Ok(())
    }

    /// Drops what came of a table: it has to come again.
    pub(crate) fn give_up(&mut self, epoch: Epoch) {
        if let Ok(slot) = self.filling(epoch) {
            slot.begin_again();
        }
    }

    /// Puts a record that was read from the store into its place.
    pub(crate) fn keep(&mut self, epoch: Epoch, record: &Record) {
        let slot = self
            .slots
            .iter_mut()
            .find(|s| s.ready && s.opening.epoch == epoch);
        if let Some(slot) = slot {
            let [place, _] = slot.places(usize::from(record.index.0));
            if let Some(place) = slot.records.get_mut(place) {
                *place = *record;
            }
        }
    }

    /// The newest epoch whose table is complete; 0 before the first.
    pub(crate) fn newest(&self) -> Epoch {
        self.newest
    }

    pub(crate) fn ready(&self, epoch: Epoch) -> bool {
        self.slot(epoch).is_some()
    }

    /// The records of an epoch's table; `None` also where they are not all in memory.
    #[must_use]
    pub fn records(&self, epoch: Epoch) -> Option<&[Record]> {
        let slot = self.slot(epoch).filter(|slot| slot.cached.is_none())?;
        slot.records.get(..slot.filled)
    }

    /// One record of an epoch's table, if it is in memory.
    #[must_use]
    pub fn get(&self, epoch: Epoch, member: MemberIndex) -> Option<&Record> {
        self.slot(epoch)?.held(member)
    }

    /// Records in an epoch's table.
    #[must_use]
    pub fn count(&self, epoch: Epoch) -> usize {
        self.slot(epoch).map_or(0, |slot| slot.filled)
    }

    /// Whether a member is in an epoch's table.
    #[must_use]
    pub fn enrolled(&self, epoch: Epoch, member: MemberIndex) -> bool {
        usize::from(member.0) < self.count(epoch)
    }

    /// The record of a device in an epoch's table: this node's own, or any where all are in memory.
    pub(crate) fn find(&self, epoch: Epoch, device: &Id) -> Option<&Record> {
        let slot = self.slot(epoch)?;
        let held = match slot.cached {
            None => slot.records.get(..slot.filled)?,
            Some(cached) => slot.records.get(cached..)?,
        };
        held.iter()
            .find(|r| r.device == *device && *device != Id::ZERO)
    }

    /// The newest table's record of a member, if it is in memory.
    #[must_use]
    pub fn latest(&self, member: MemberIndex) -> Option<&Record> {
        self.get(self.newest, member)
    }

    /// What opened an epoch.
    #[must_use]
    pub fn opening(&self, epoch: Epoch) -> Option<&Opening> {
        self.slot(epoch).map(|s| &s.opening)
    }
}

impl TableView for Tables<'_> {
    fn newest_settled(&self) -> HeaderNumber {
        HeaderNumber(self.newest.0.saturating_sub(1))
    }

    fn clock_start(&self, epoch: Epoch) -> Option<Millis> {
        if self.is_void(epoch) {
            self.clocks.start(epoch)
        } else {
            self.opening(epoch).map(|o| o.clock_start)
        }
    }

    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut> {
        self.opening(header.opens()).map(|o| Cut {
            trim: o.trim,
            cut: o.clock_start,
        })
    }

    fn total(&self, epoch: Epoch) -> Option<u64> {
        self.slot(epoch).map(|s| s.total)
    }

    fn members(&self) -> usize {
        self.slot(self.newest).map_or(0, |s| s.filled)
    }

    fn weight(&self, epoch: Epoch, member: MemberIndex) -> Option<Weight> {
        let slot = self.slot(epoch)?;
        let index = usize::from(member.0);
        if index >= slot.filled {
            return None;
        }
        match slot.cached {
            _ if slot.even.is_some() => slot.even,
            None => slot.held(member).map(|r| r.weight),
            Some(_) => slot.weights.get(index),
        }
    }

    fn holds(&self, epoch: Epoch, member: MemberIndex) -> bool {
        [epoch, self.newest]
            .into_iter()
            .all(|epoch| !self.enrolled(epoch, member) || self.get(epoch, member).is_some())
    }

    fn credits(&self, epoch: Epoch, member: MemberIndex) -> Option<Amount> {
        self.get(epoch, member).map(|r| r.credits)
    }

    fn head(&self, member: MemberIndex) -> Option<Head> {
        self.latest(member).map(|r| Head {
            number: r.head_number,
            id: r.head_id,
            debits: r.debits,
        })
    }

    fn frozen(&self, member: MemberIndex) -> bool {
        self.latest(member).is_some_and(|r| r.frozen)
    }

    fn gl_node(&self, epoch: Epoch) -> Option<MemberIndex> {
        self.slot(epoch).map(|_| self.gl_node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weights(places: &mut [u8]) -> Weights<'_> {
        Weights {
            places,
            distinct: [0; WEIGHTS],
            count: 0,
        }
    }

    proptest! {
        #[test]
        fn packed_weights_come_back(given in prop::collection::vec(0usize..WEIGHTS, 1..300), values: [u32; WEIGHTS]) {
            let mut places = vec![0xff; given.len().div_ceil(2)];
            let mut packed = weights(&mut places);
            for (member, &which) in given.iter().enumerate() {
                packed.set(member, Weight(values[which])).unwrap();
            }
            for (member, &which) in given.iter().enumerate() {
                prop_assert_eq!(packed.get(member), Some(Weight(values[which])));
            }
        }
    }

    #[test]
    fn a_table_that_comes_in_slowly_is_not_given_up_for_newer_ones() {
        let mut records = [[Record::EMPTY; 2]; 3];
        let [a, b, c] = &mut records;
        let mut places = [[0u8; 1]; 3];
        let [x, y, z] = &mut places;
        let mut tables = Tables::new([a, b, c], [x, y, z], None, 2);
        let opened = |tables: &Tables<'_>| {
            let mut epochs = tables.slots.iter().map(|s| s.opening.epoch.0);
            let mut epochs: [u32; 3] = core::array::from_fn(|_| epochs.next().unwrap());
            epochs.sort_unstable();
            epochs
        };
        for epoch in 1..=9u32 {
            let opening = Opening {
                epoch: Epoch(epoch),
                members: 2,
                root: Id([epoch as u8; 32]),
                ..Opening::default()
            };
            tables.open(opening).unwrap();
            // The older of the two before it came in, the other not yet.
            for slot in &mut tables.slots {
                slot.ready = slot.opening.epoch.0 + 2 == epoch;
            }
            let needed = [epoch.saturating_sub(2), epoch.saturating_sub(1), epoch];
            assert_eq!(opened(&tables), needed);
        }
    }

    #[test]
    fn a_seventeenth_weight_is_refused_and_none_is_guessed() {
        let mut places = vec![0; 20];
        let mut packed = weights(&mut places);
        for member in 0..WEIGHTS {
            packed.set(member, Weight(member as u32 * 7)).unwrap();
        }
        assert_eq!(packed.set(16, Weight(1)), Err(TableError::Weights));
        assert_eq!(packed.set(16, Weight(7)), Ok(()));
        assert_eq!(packed.get(16), Some(Weight(7)));
        assert_eq!(packed.set(40, Weight(7)), Err(TableError::Full));
        assert_eq!(packed.get(40), None);
    }

    /// Whether all weigh the same or not, and whatever the place held before.
    #[test]
    fn weights_are_those_of_the_records() {
        let mut memory = [(); 3].map(|()| vec![Record::EMPTY; 5]);
        let [a, b, c] = &mut memory;
        let mut tables = Tables::new([a, b, c], [&mut [], &mut [], &mut []], None, 5);
        let weighing = [[3; 5], [3, 3, 3, 3, 4], [1, 0, 1, 1, 1], [1; 5], [0; 5]];
        for (epoch, weights) in (1..).map(Epoch).zip(weighing.into_iter().cycle().take(9)) {
            let records = (0..).zip(weights).map(|(index, weight)| Record {
                index: MemberIndex(index),
                weight: Weight(weight),
                ..Record::EMPTY
            });
            let mut tree = merkle::Tree::new();
            records
                .clone()
                .for_each(|r| tree.push(r.leaf().unwrap()).unwrap());
            let opening = Opening {
                epoch,
                root: tree.root(),
                members: 5,
                ..Opening::default()
            };
            tables.open(opening).unwrap();
            for (index, record) in (0..).zip(records) {
                assert_eq!(tables.weight(epoch, MemberIndex(index)), None);
                tables.fill(epoch, index, &record).unwrap();
            }
            tables.check(epoch).unwrap();
            for (index, weight) in (0..).zip(weights) {
                let found = tables.weight(epoch, MemberIndex(index));
                assert_eq!(found, Some(Weight(weight)), "{epoch:?} {index}");
            }
            assert_eq!(tables.weight(epoch, MemberIndex(5)), None);
        }
    }
}
