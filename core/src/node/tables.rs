//! The member tables of the last three epochs, and what is known of the headers that opened them.
//!
//! A table is filled record by record into the place of the oldest and counts only once its root is the one in a settled header
//! (or in the genesis). Invariant: `get` never returns a record whose root was not checked.
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

#[derive(Debug)]
struct Slot<'m> {
    opening: Opening,
    filled: usize,
    ready: bool,
    total: u64,
    records: &'m mut [Record],
}

/// The tables over caller memory.
#[derive(Debug)]
pub struct Tables<'m> {
    slots: [Slot<'m>; 3],
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
}

impl<'m> Tables<'m> {
    pub(crate) fn new(records: [&'m mut [Record]; 3]) -> Self {
        Self {
            slots: records.map(|records| Slot {
                opening: Opening::default(),
                filled: 0,
                ready: false,
                total: 0,
                records,
            }),
            clocks: Clocks::default(),
            newest: Epoch(0),
            gl_node: MemberIndex(0),
        }
    }

    /// Tells who the GL-node is, by the genesis.
    pub(crate) fn set_gl_node(&mut self, member: MemberIndex) {
        self.gl_node = member;
    }

    pub(crate) fn into_inner(self) -> [&'m mut [Record]; 3] {
        self.slots.map(|slot| slot.records)
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
        let slot = self
            .slots
            .iter_mut()
            .min_by_key(|s| (s.ready, s.opening.epoch))
            .ok_or(TableError::Full)?;
        if usize::try_from(opening.members).map_or(true, |n| n > slot.records.len()) {
            return Err(TableError::Full);
        }
        slot.opening = opening;
        slot.filled = 0;
        slot.ready = false;
        slot.total = 0;
        Ok(())
    }

    /// Whether an epoch is so old that its table is not held any more: its vertices have no effect, but others stand on them.
    pub(crate) fn is_void(&self, epoch: Epoch) -> bool {
        epoch.saturating_add(2) < self.newest
    }

    /// The epoch and the first index that is still missing.
    pub(crate) fn missing(&self) -> Option<(Epoch, u16)> {
        self.slots
            .iter()
            .filter(|s| !s.ready && s.opening.epoch != Epoch(0))
            .max_by_key(|s| s.opening.epoch)
            .and_then(|s| Some((s.opening.epoch, u16::try_from(s.filled).ok()?)))
    }

    /// Takes one record; true when the table is complete and its root is the settled one.
    pub(crate) fn fill(
        &mut self,
        epoch: Epoch,
        index: u16,
        record: &Record,
    ) -> Result<bool, TableError> {
        let slot = self
            .slots
            .iter_mut()
            .find(|s| !s.ready && s.opening.epoch == epoch)
            .ok_or(TableError::NotAsked)?;
        if usize::from(index) != slot.filled || record.index.0 != index {
            return Err(TableError::NotAsked);
        }
        let place = slot.records.get_mut(slot.filled).ok_or(TableError::Full)?;
        *place = *record;
        slot.filled = slot.filled.saturating_add(1);
        if u32::try_from(slot.filled) != Ok(slot.opening.members) {
            return Ok(false);
        }
        let held = slot.records.get(..slot.filled).unwrap_or(&[]);
        let mut tree = merkle::Tree::new();
        let whole = held
            .iter()
            .all(|record| record.leaf().is_ok_and(|leaf| tree.push(leaf).is_ok()));
        if !whole || tree.root() != slot.opening.root {
            slot.filled = 0;
            return Err(TableError::Forged);
        }
        slot.total = held.iter().map(|r| u64::from(r.weight.0)).sum();
        slot.ready = true;
        self.newest = self.newest.max(epoch);
        Ok(true)
    }

    /// The newest epoch whose table is complete; 0 before the first.
    pub(crate) fn newest(&self) -> Epoch {
        self.newest
    }

    pub(crate) fn ready(&self, epoch: Epoch) -> bool {
        self.slot(epoch).is_some()
    }

    /// The records of an epoch's table.
    #[must_use]
    pub fn records(&self, epoch: Epoch) -> Option<&[Record]> {
        let slot = self.slot(epoch)?;
        slot.records.get(..slot.filled)
    }

    /// One record of an epoch's table.
    #[must_use]
    pub fn get(&self, epoch: Epoch, member: MemberIndex) -> Option<&Record> {
        self.records(epoch)?.get(usize::from(member.0))
    }

    /// The newest table's record of a member.
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
        self.get(epoch, member).map(|r| r.weight)
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
