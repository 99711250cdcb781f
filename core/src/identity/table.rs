//! The member table of an epoch, in memory that the caller gave (protocol section 5).
//!
//! Invariant: record i of the table has index i, no two have one device id, and nothing is ever removed, so an index names one member
//! for ever. The root is the RFC 9162 root over the records' encodings: who cannot hold the table proves one record by its path.

use crate::identity::record::{Record, Roles};
use crate::types::{Id, MemberIndex, Weight};
use crate::wire::{
    WireError,
    merkle::{self, MerkleError},
};
use core::borrow::Borrow;

/// Why the table refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableError {
    /// No more records fit the memory given: answer ENROL_RESULT 5, or give more memory.
    Full,
    /// The device is a member already: this is a replay, which changes nothing.
    Known,
    /// A record's index is not its place. Refuse the table.
    Index,
    /// No member has this index. Refuse what named it.
    Unknown,
    /// A record says what its encoding must not. Refuse it.
    Record(WireError),
    /// The proof does not lead from this record to this root. Ask another neighbour.
    Proof(MerkleError),
}

impl From<WireError> for TableError {
    fn from(error: WireError) -> Self {
        Self::Record(error)
    }
}

impl From<MerkleError> for TableError {
    fn from(error: MerkleError) -> Self {
        Self::Proof(error)
    }
}

/// The table over the caller's memory.
#[derive(Debug)]
pub struct MemberTable<'m> {
    memory: &'m mut [Record],
    len: usize,
}

impl<'m> MemberTable<'m> {
    /// An empty table; as many members fit as `memory` has records, and at most 65,536.
    #[must_use]
    pub const fn new(memory: &'m mut [Record]) -> Self {
        Self { memory, len: 0 }
    }

    /// A table of the first `len` records that are in `memory` already.
    pub fn adopt(memory: &'m mut [Record], len: usize) -> Result<Self, TableError> {
        let records = memory.get(..len).ok_or(TableError::Full)?;
        for (at, record) in records.iter().enumerate() {
            if usize::from(record.index.0) != at {
                return Err(TableError::Index);
            }
            let before = records.get(..at).unwrap_or(&[]);
            if before.iter().any(|other| other.device == record.device) {
                return Err(TableError::Known);
            }
        }
        Ok(Self { memory, len })
    }

    /// The records by index.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        self.memory.get(..self.len).unwrap_or(&[])
    }

    /// The records by index, for settlement. Indices and device ids stay as they are.
    #[must_use]
    pub fn records_mut(&mut self) -> &mut [Record] {
        self.memory.get_mut(..self.len).unwrap_or(&mut [])
    }

    /// How many members there are or were.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many members fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.memory
            .len()
            .min(usize::from(u16::MAX).saturating_add(1))
    }

    /// The record of a member.
    #[must_use]
    pub fn get(&self, index: MemberIndex) -> Option<&Record> {
        self.records().get(usize::from(index.0))
    }

    /// The record of a member, to change it.
    #[must_use]
    pub fn get_mut(&mut self, index: MemberIndex) -> Option<&mut Record> {
        self.records_mut().get_mut(usize::from(index.0))
    }

    /// The member with this device id. Looks at every record: for enrolment and tools, not for each transaction.
    #[must_use]
    pub fn find(&self, device: &Id) -> Option<&Record> {
        self.records()
            .iter()
            .find(|record| record.device == *device)
    }

    /// The first member that closes epochs and may still issue.
    #[must_use]
    pub fn gl_node(&self) -> Option<&Record> {
        self.records()
            .iter()
            .find(|record| record.roles.has(Roles::GL_NODE) && record.may_issue())
    }

    /// Appends a member; its index must be the next one.
    pub fn push(&mut self, record: Record) -> Result<MemberIndex, TableError> {
        if self.len >= self.capacity() {
            return Err(TableError::Full);
        }
        if usize::from(record.index.0) != self.len {
            return Err(TableError::Index);
        }
        if self.find(&record.device).is_some() {
            return Err(TableError::Known);
        }
        *self.memory.get_mut(self.len).ok_or(TableError::Full)? = record;
        self.len = self.len.saturating_add(1);
        Ok(record.index)
    }

    /// The index that the next member gets.
    pub fn next_index(&self) -> Result<MemberIndex, TableError> {
        u16::try_from(self.len)
            .map(MemberIndex)
            .map_err(|_| TableError::Full)
    }

    /// Empties the table; the memory stays.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Weight of a member, 0 where there is none.
    #[must_use]
    pub fn weight(&self, index: MemberIndex) -> Weight {
        self.get(index).map_or(Weight(0), |record| record.weight)
    }

    /// W, the sum of all weights. It cannot overflow: at most 2^16 weights of 32 bits.
    #[must_use]
    pub fn total_weight(&self) -> u64 {
        total_weight(self.records())
    }

    /// The table's root.
    pub fn root(&self) -> Result<Id, TableError> {
        root(self.records())
    }

    /// Writes the path that proves a member's record under the root; returns its length.
    pub fn path(&self, index: MemberIndex, out: &mut [Id]) -> Result<usize, TableError> {
        if self.get(index).is_none() {
            return Err(TableError::Unknown);
        }
        let mut broken = None;
        let leaf = |at: u32| {
            let record = usize::try_from(at)
                .ok()
                .and_then(|at| self.records().get(at));
            match record.unwrap_or(&Record::EMPTY).leaf() {
                Ok(hash) => hash,
                Err(error) => {
                    broken = Some(error);
                    Id::ZERO
                }
            }
        };
        let len = merkle::path(u32::from(index.0), count(self.records())?, leaf, out)?;
        match broken {
            Some(error) => Err(TableError::Record(error)),
            None => Ok(len),
        }
    }

    /// Checks that `record` is in the table of `members` members under `root`.
    pub fn verify_record<B: Borrow<Id>>(
        root: &Id,
        members: u32,
        record: &Record,
        path: impl IntoIterator<Item = B>,
    ) -> Result<(), TableError> {
        let index = u32::from(record.index.0);
        Ok(merkle::verify_inclusion(
            &record.leaf()?,
            index,
            members,
            path,
            root,
        )?)
    }
}

/// The sum of the weights of `records`.
#[must_use]
pub fn total_weight(records: &[Record]) -> u64 {
    records.iter().fold(0, |sum: u64, record| {
        sum.saturating_add(u64::from(record.weight.0))
    })
}

/// The table root over `records` by index.
pub fn root(records: &[Record]) -> Result<Id, TableError> {
    let mut tree = merkle::Tree::new();
    for record in records {
        tree.push(record.leaf()?)?;
    }
    Ok(tree.root())
}

fn count(records: &[Record]) -> Result<u32, TableError> {
    u32::try_from(records.len()).map_err(|_| TableError::Full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::PublicKey;
    use crate::identity::record::{Caps, MAX_RECORD};
    use crate::types::Amount;
    use crate::wire::Writer;
    use proptest::prelude::*;

    fn member(at: u16) -> Record {
        let mut key = [1; 32];
        key[..2].copy_from_slice(&at.to_be_bytes());
        let grant = Amount(u64::from(at));
        Record::enrolled(
            MemberIndex(at),
            PublicKey::Ed25519(key),
            Roles::NONE,
            Caps::default(),
            grant,
            Id([2; 32]),
        )
    }

    fn fill(memory: &mut [Record]) -> MemberTable<'_> {
        let members = u16::try_from(memory.len()).unwrap();
        let mut table = MemberTable::new(memory);
        for at in 0..members {
            assert_eq!(table.push(member(at)), Ok(MemberIndex(at)));
        }
        table
    }

    /// RFC 9162's definition, word by word.
    fn definition(leaves: &[Vec<u8>]) -> Id {
        match leaves {
            [] => merkle::empty_root(),
            [leaf] => merkle::leaf_hash(leaf),
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                merkle::node_hash(&definition(&leaves[..k]), &definition(&leaves[k..]))
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn every_record_is_proved_and_no_other(members in 1usize..40, other: prop::sample::Index, change in 0usize..7) {
            let mut memory = vec![Record::EMPTY; members];
            let table = fill(&mut memory);
            let leaves: Vec<Vec<u8>> = table.records().iter().map(|record| {
                let mut buffer = [0; MAX_RECORD];
                let mut w = Writer::new(&mut buffer);
                record.encode(&mut w).unwrap();
                w.written().to_vec()
            }).collect();
            let root = table.root().unwrap();
            prop_assert_eq!(root, definition(&leaves));
            prop_assert_eq!(table.total_weight(), members as u64);
            let size = members as u32;
            for record in table.records() {
                let mut path = [Id::ZERO; 16];
                let len = table.path(record.index, &mut path).unwrap();
                let check = |record: &Record, size| MemberTable::verify_record(&root, size, record, &path[..len]);
                prop_assert_eq!(check(record, size), Ok(()));
                prop_assert!(check(record, size + 64).is_err());
                let mut bad = *record;
                match change {
                    0 => bad.credits = Amount(bad.credits.0 + 1),
                    1 => bad.weight = Weight(2),
                    2 => bad.device = Id([9; 32]),
                    3 => bad.key = PublicKey::Ed25519([9; 32]),
                    4 => bad.idle = 1,
                    5 => bad.roles = Roles::GL_NODE,
                    _ => bad.head_id = Id([9; 32]),
                }
                prop_assert!(check(&bad, size).is_err());
                let at = other.index(members);
                if at != usize::from(record.index.0) {
                    bad = *record;
                    bad.index = MemberIndex(at as u16);
                    prop_assert!(check(&bad, size).is_err());
                }
                if len > 0 {
                    prop_assert!(MemberTable::verify_record(&root, size, record, &path[..len - 1]).is_err());
                }
            }
        }
    }

    #[test]
    fn members_are_found_and_never_doubled() {
        let mut memory = [Record::EMPTY; 3];
        let mut table = MemberTable::new(&mut memory);
        assert_eq!((table.is_empty(), table.capacity()), (true, 3));
        assert_eq!(table.root(), Ok(merkle::empty_root()));
        table.push(member(0)).unwrap();
        assert_eq!(table.push(member(2)), Err(TableError::Index));
        let again = Record {
            index: MemberIndex(1),
            ..member(0)
        };
        assert_eq!(table.push(again), Err(TableError::Known));
        table
            .push(Record {
                roles: Roles::GL_NODE,
                ..member(1)
            })
            .unwrap();
        assert_eq!(table.gl_node().map(|r| r.index), Some(MemberIndex(1)));
        table.push(member(2)).unwrap();
        assert_eq!(table.push(member(3)), Err(TableError::Full));
        assert_eq!(table.find(&member(2).device), Some(&member(2)));
        assert_eq!(table.find(&Id::ZERO), None);
        assert_eq!(table.get(MemberIndex(3)), None);
        assert_eq!(
            table.path(MemberIndex(3), &mut [Id::ZERO; 8]),
            Err(TableError::Unknown)
        );
        assert_eq!(
            table.path(MemberIndex(0), &mut []),
            Err(TableError::Proof(MerkleError::Full))
        );
        table.get_mut(MemberIndex(1)).unwrap().frozen = true;
        assert_eq!(table.gl_node(), None);
        // A frozen member with weight is no table: settlement takes the weight first.
        assert_eq!(table.root(), Err(TableError::Record(WireError::Range)));
        assert_eq!(
            table.path(MemberIndex(0), &mut [Id::ZERO; 8]),
            Err(TableError::Record(WireError::Range))
        );
    }

    #[test]
    fn adopted_memory_is_checked() {
        let mut memory = [member(0), member(1), member(2)];
        assert_eq!(MemberTable::adopt(&mut memory, 2).map(|t| t.len()), Ok(2));
        assert_eq!(
            MemberTable::adopt(&mut memory, 4).err(),
            Some(TableError::Full)
        );
        memory.swap(0, 1);
        assert_eq!(
            MemberTable::adopt(&mut memory, 2).err(),
            Some(TableError::Index)
        );
        let mut doubled = [
            member(0),
            Record {
                index: MemberIndex(1),
                ..member(0)
            },
        ];
        assert_eq!(
            MemberTable::adopt(&mut doubled, 2).err(),
            Some(TableError::Known)
        );
    }
}
