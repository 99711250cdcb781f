//! Member records in the platform's store, and those of them that are in memory.
//!
//! A table is stored in chunks of eight records. Where they do not stay in memory each is sealed by a digest over its epoch and place, so that a chunk of
//! another epoch, of another place or with a flipped bit is never taken for the one that is wanted. Invariant: the root of a table was checked
//! over the very bytes that are read later. Where all records are in memory nothing here reads the store after the start.

use super::event::{Event, Refusal};
use super::tables::{Filled, TableError};
use super::{Node, keys};
use crate::crypto::{PublicKey, Verify, sha256};
use crate::identity::{Record, record::MAX_RECORD};
use crate::platform::{Platform, PlatformError};
use crate::wire::{Reader, Writer, merkle};
use crate::{Epoch, Id, MemberIndex};

/// Records per stored chunk of a table.
pub(crate) const CHUNK: usize = 8;
/// A digest's bytes.
const DIGEST: usize = 12;
/// The digest as a CBOR byte string: it stands behind the records.
const SEAL: usize = DIGEST + 1;
/// Longest stored chunk.
pub(crate) const STORED_CHUNK: usize = CHUNK * MAX_RECORD + SEAL;

fn digest(epoch: Epoch, chunk: u16, records: &[u8]) -> [u8; DIGEST] {
    let place = [&epoch.0.to_be_bytes()[..], &chunk.to_be_bytes()[..]];
    let [first, second] = place;
    let whole = sha256(&[b"iotedge/stored-records/1", first, second, records]);
    let mut short = [0; DIGEST];
    for (to, from) in short.iter_mut().zip(whole) {
        *to = from;
    }
    short
}

/// The records of a stored chunk, and whether its seal is whole. What a node stores that has all records in memory needs none: its root is checked when
/// it is read.
pub(crate) fn read_chunk<'b, P: Platform>(
    platform: &mut P,
    epoch: Epoch,
    chunk: u16,
    buffer: &'b mut [u8],
) -> Result<Option<(&'b [u8], bool)>, PlatformError> {
    let Some(len) = platform.get(keys::table(epoch.0, chunk), buffer)? else {
        return Ok(None);
    };
    let stored = buffer.get(..len).ok_or(PlatformError::StoreRead)?;
    let split = len
        .checked_sub(SEAL)
        .and_then(|at| stored.split_at_checked(at));
    Ok(Some(match split {
        Some((records, [0x4c, seal @ ..])) if *seal == digest(epoch, chunk, records) => {
            (records, true)
        }
        _ => (stored, false),
    }))
}

fn place(member: MemberIndex) -> (u16, usize) {
    let member = usize::from(member.0);
    let chunk = u16::try_from(member / CHUNK).unwrap_or(u16::MAX);
    (chunk, member % CHUNK)
}

/// Reads a member's record from the store. Its table is held, so it must be there.
fn read_record<P: Platform>(
    platform: &mut P,
    epoch: Epoch,
    member: MemberIndex,
) -> Result<Record, PlatformError> {
    let (chunk, at) = place(member);
    let mut buffer = [0u8; STORED_CHUNK];
    let Some((records, true)) = read_chunk(platform, epoch, chunk, &mut buffer)? else {
        return Err(PlatformError::StoreRead);
    };
    let mut r = Reader::new(records);
    for _ in 0..at {
        r.item().map_err(|_| PlatformError::StoreRead)?;
    }
    let record = r.item().ok().and_then(|item| Record::decode(item).ok());
    record
        .filter(|record| record.index == member)
        .ok_or(PlatformError::StoreRead)
}

impl super::Tables<'_> {
    /// A member's record by an epoch's table, from memory or else from the store; nothing is kept. `None`: not in that table, or the table is not held.
    pub(crate) fn read<P: Platform>(
        &self,
        platform: &mut P,
        epoch: Epoch,
        member: MemberIndex,
    ) -> Result<Option<Record>, PlatformError> {
        match self.get(epoch, member) {
            Some(record) => Ok(Some(*record)),
            None if !self.enrolled(epoch, member) => Ok(None),
            None => read_record(platform, epoch, member).map(Some),
        }
    }
}

impl<'m, P: Platform, V: Verify> Node<'m, P, V> {
    /// A member's record by an epoch's table; it is in memory then, until another one needs its place. `None`: not in that table, or the table is not held.
    ///
    /// # Errors
    /// [`Refusal::Platform`]: the store could not read it, or holds something else.
    pub(crate) fn record(
        &mut self,
        epoch: Epoch,
        member: MemberIndex,
    ) -> Result<Option<Record>, Refusal> {
        if let Some(record) = self.tables.get(epoch, member) {
            return Ok(Some(*record));
        }
        match self.tables.read(&mut self.platform, epoch, member) {
            Ok(record) => {
                if let Some(record) = &record {
                    self.tables.keep(epoch, record);
                }
                Ok(record)
            }
            Err(_) => {
                self.tell(Event::PlatformFailed);
                Err(Refusal::Platform)
            }
        }
    }

    /// The key of a member, by the newest table.
    ///
    /// # Errors
    /// [`Refusal::Platform`]: the store could not read it.
    pub fn member_key(&mut self, member: MemberIndex) -> Result<Option<PublicKey>, Refusal> {
        let record = self.record(self.tables.newest(), member)?;
        Ok(record.map(|record| record.key))
    }

    /// The device id of a member, by the newest table.
    ///
    /// # Errors
    /// As [`Node::member_key`].
    pub fn member_device(&mut self, member: MemberIndex) -> Result<Option<Id>, Refusal> {
        let record = self.record(self.tables.newest(), member)?;
        Ok(record.map(|record| record.device))
    }

    /// Has in memory what an insertion asks of a member: its records by the table of this epoch and by the newest.
    pub(crate) fn read_issuer(&mut self, epoch: Epoch, member: MemberIndex) -> Result<(), Refusal> {
        self.record(epoch, member)?;
        self.record(self.tables.newest(), member).map(|_| ())
    }

    /// Takes one record of a table that is being filled; true when the table is complete, its root is the settled one and it is stored. `store`: the
    /// record is not in the store yet.
    pub(crate) fn take_record(
        &mut self,
        epoch: Epoch,
        index: u16,
        record: &Record,
        store: bool,
    ) -> Result<bool, TableError> {
        let last = self.tables.fill(epoch, index, record)? == Filled::Last;
        let (chunk, at) = place(MemberIndex(index));
        let whole = self.tables.whole();
        // What does not stay in memory is stored as it comes, and its root is checked over what the store gives back.
        if store && !whole && (last || at.saturating_add(1) == CHUNK) {
            let count = at.saturating_add(1);
            if self.store_chunk(epoch, chunk, count).is_err() {
                let from = usize::from(index).saturating_sub(at);
                self.tables.ask_again(epoch, from);
                return Err(TableError::Store);
            }
        }
        if !last {
            return Ok(false);
        }
        if !whole {
            return self.check_stored(epoch, index).map(|()| true);
        }
        self.tables.check(epoch)?;
        if store {
            self.store_table(epoch);
        }
        Ok(true)
    }

    #[inline(never)]
    fn store_chunk(&mut self, epoch: Epoch, chunk: u16, count: usize) -> Result<(), ()> {
        let mut buffer = [0u8; STORED_CHUNK];
        let mut w = Writer::new(&mut buffer);
        for record in self.tables.came_last(epoch, count) {
            record.encode(&mut w).map_err(|_| ())?;
        }
        seal(epoch, chunk, &mut w).ok_or(())?;
        let key = keys::table(epoch.0, chunk);
        self.platform.put(key, w.written()).map_err(|_| ())
    }

    /// Stores a table whose records are all in memory.
    fn store_table(&mut self, epoch: Epoch) {
        let Some(records) = self.tables.records(epoch) else {
            return;
        };
        let mut failed = false;
        for (chunk, records) in records.chunks(CHUNK).enumerate() {
            let chunk = u16::try_from(chunk).unwrap_or(u16::MAX);
            let mut buffer = [0u8; STORED_CHUNK];
            let mut w = Writer::new(&mut buffer);
            failed |= records.iter().any(|r| r.encode(&mut w).is_err());
            let key = keys::table(epoch.0, chunk);
            failed |= self.platform.put(key, w.written()).is_err();
        }
        if failed {
            self.tell(Event::PlatformFailed);
        }
    }

    /// Checks the root of a table over the records in the store, up to the one with index `last`, and takes down their weights.
    fn check_stored(&mut self, epoch: Epoch, last: u16) -> Result<(), TableError> {
        let checked = self.read_back(epoch, last);
        match checked {
            Ok((root, total)) => self.tables.conclude(epoch, root, total),
            Err(error) => {
                self.tables.give_up(epoch);
                Err(error)
            }
        }
    }

    #[inline(never)]
    fn read_back(&mut self, epoch: Epoch, last: u16) -> Result<(Id, u64), TableError> {
        let mut tree = merkle::Tree::new();
        let mut total = 0u64;
        let mut expected = 0u16;
        let (chunks, _) = place(MemberIndex(last));
        for chunk in 0..=chunks {
            let mut buffer = [0u8; STORED_CHUNK];
            let read = read_chunk(&mut self.platform, epoch, chunk, &mut buffer);
            let Ok(Some((records, true))) = read else {
                return Err(TableError::Store);
            };
            let mut r = Reader::new(records);
            while !r.is_at_end() {
                let bytes = r.item().map_err(|_| TableError::Store)?;
                let record = Record::decode(bytes).map_err(|_| TableError::Store)?;
                if record.index.0 != expected {
                    return Err(TableError::Store);
                }
                tree.push(merkle::leaf_hash(bytes))
                    .map_err(|_| TableError::Full)?;
                total = total.saturating_add(u64::from(record.weight.0));
                let own = record.device == self.device;
                self.tables.weigh(epoch, &record, own)?;
                expected = expected.saturating_add(1);
            }
        }
        if expected.checked_sub(1) == Some(last) {
            Ok((tree.root(), total))
        } else {
            Err(TableError::Store)
        }
    }
}

/// Puts the seal behind the records of a chunk.
fn seal(epoch: Epoch, chunk: u16, w: &mut Writer<'_>) -> Option<()> {
    let digest = digest(epoch, chunk, w.written());
    w.bytes(&digest).ok()
}
