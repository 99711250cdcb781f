//! What a gateway or validator keeps of the G-Chain: deposits, how many of them each header credited, votes for the contract, anchored headers.
//!
//! Invariant: deposits have no gap and are never changed: only what is behind enough confirmations comes here. How many a header credited is known where it was
//! computed here, or where the contract says so.

use super::{Result, Store, StoreError};
use iotedge_core::ledger::Deposit;
use iotedge_core::{Amount, HeaderNumber, Id, Millis};
use rusqlite::params;

/// What version 3 of the schema added.
pub(super) const CREATE: &str = "
CREATE TABLE deposit (
  idx INTEGER PRIMARY KEY,
  device BLOB NOT NULL,
  amount INTEGER NOT NULL,
  sender BLOB NOT NULL
);
CREATE TABLE credited (number INTEGER PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE account_vote (
  number INTEGER NOT NULL,
  validator INTEGER NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (number, validator)
) WITHOUT ROWID;
CREATE TABLE anchored (
  number INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  block INTEGER NOT NULL
);
";

/// Before version 3 nothing was ever paid in.
pub(super) const FROM_2: &str = "INSERT INTO credited SELECT number, 0 FROM header;";

/// What version 4 added: when it was told that a header is anchored. Of those before it is not known, so they count from now.
pub(super) const SEEN: &str = "
ALTER TABLE anchored ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
UPDATE anchored SET seen = unixepoch() * 1000;
";

/// Undoes it: for tests of older stores.
#[cfg(test)]
pub(super) const DROP: &str =
    "DROP TABLE deposit; DROP TABLE credited; DROP TABLE account_vote; DROP TABLE anchored;";

/// A header that the contract took, behind enough confirmations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAnchor {
    pub number: HeaderNumber,
    /// Its hash.
    pub hash: Id,
    /// The block that holds it.
    pub block: u64,
}

impl Store {
    /// Keeps deposits, the first of which has index `first`. What would leave a gap is left out; what is here already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_deposits(&self, first: u32, list: &[Deposit]) -> Result<()> {
        let known = self.deposit_count()?;
        for (index, one) in (first..).zip(list) {
            if index < known || index > self.deposit_count()? {
                continue;
            }
            self.write(
                "INSERT INTO deposit (idx, device, amount, sender) VALUES (?1, ?2, ?3, ?4)",
                params![
                    index,
                    one.device.0,
                    i64::try_from(one.amount.0).unwrap_or(i64::MAX),
                    one.from
                ],
            )?;
        }
        Ok(())
    }

    /// How many deposits are here.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn deposit_count(&self) -> Result<u32> {
        let last: Option<Option<u32>> =
            self.one("SELECT max(idx) FROM deposit", params![], |row| row.get(0))?;
        Ok(last.flatten().map_or(0, |last| last.saturating_add(1)))
    }

    /// The deposits from index `first` on, before `end`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn deposits(&self, first: u32, end: u32) -> Result<Vec<Deposit>> {
        self.many(
            "SELECT device, amount, sender FROM deposit WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
            params![first, end],
            |row| {
                let amount: i64 = row.get(1)?;
                Ok(Deposit {
                    device: Id(row.get(0)?),
                    amount: Amount(amount.unsigned_abs()),
                    from: row.get(2)?,
                })
            },
        )
    }

    /// Notes how many deposits are credited with a header, these and all before.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_credited(&self, number: HeaderNumber, count: u32) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO credited (number, count) VALUES (?1, ?2)",
            params![number.0, count],
        )
    }

    /// How many deposits are credited after a header; `None` where that is not known here.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn credited(&self, number: HeaderNumber) -> Result<Option<u32>> {
        if number == HeaderNumber(0) {
            return Ok(Some(0));
        }
        self.one(
            "SELECT count FROM credited WHERE number = ?1",
            params![number.0],
            |row| row.get(0),
        )
    }

    /// Keeps a validator's vote for the contract: r, s, v.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_account_vote(
        &self,
        number: HeaderNumber,
        validator: u8,
        signature: &[u8; 65],
    ) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO account_vote (number, validator, signature) VALUES (?1, ?2, ?3)",
            params![number.0, validator, signature],
        )
    }

    /// The votes for the contract on a header, by validator.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn account_votes(&self, number: HeaderNumber) -> Result<Vec<(u8, [u8; 65])>> {
        self.many(
            "SELECT validator, signature FROM account_vote WHERE number = ?1 ORDER BY validator",
            params![number.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Keeps that a header is anchored, and since when that is known here: the first time counts.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_anchor(&self, anchor: &StoredAnchor, now: Millis) -> Result<()> {
        let integer = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.write(
            "INSERT INTO anchored (number, hash, block, seen) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (number) DO UPDATE SET hash = excluded.hash, block = excluded.block",
            params![
                anchor.number.0,
                anchor.hash.0,
                integer(anchor.block),
                integer(now.0)
            ],
        )
    }

    /// The newest header that was known to be anchored at `time`; 0 where none was.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn anchored_by(&self, time: Millis) -> Result<HeaderNumber> {
        let newest: Option<Option<u32>> = self.one(
            "SELECT max(number) FROM anchored WHERE seen <= ?1",
            params![i64::try_from(time.0).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?;
        Ok(HeaderNumber(newest.flatten().unwrap_or(0)))
    }

    /// The newest anchored header.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_anchor(&self) -> Result<Option<StoredAnchor>> {
        self.one(
            "SELECT number, hash, block FROM anchored ORDER BY number DESC LIMIT 1",
            params![],
            |row| {
                let block: i64 = row.get(2)?;
                Ok(StoredAnchor {
                    number: HeaderNumber(row.get(0)?),
                    hash: Id(row.get(1)?),
                    block: block.unsigned_abs(),
                })
            },
        )
    }

    /// The header for which this validator has given its word, if there is one of this number: its hash.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn voted(&self, number: HeaderNumber) -> Result<Option<Id>, StoreError> {
        self.one(
            "SELECT header_hash FROM voted WHERE number = ?1",
            params![number.0],
            |row| Ok(Id(row.get(0)?)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Durability;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Durability::Process).unwrap();
        (folder, store)
    }

    fn deposit(n: u8) -> Deposit {
        Deposit {
            device: Id([n; 32]),
            amount: Amount(u64::from(n) + 1),
            from: [n; 20],
        }
    }

    #[test]
    fn deposits_have_no_gap_and_do_not_change() {
        let (_folder, store) = store();
        store.put_deposits(0, &[deposit(0), deposit(1)]).unwrap();
        store.put_deposits(3, &[deposit(3)]).unwrap();
        assert_eq!(store.deposit_count().unwrap(), 2, "2 is missing");
        store
            .put_deposits(1, &[deposit(9), deposit(2), deposit(3)])
            .unwrap();
        assert_eq!(store.deposit_count().unwrap(), 4);
        let all = [0, 1, 2, 3].map(deposit);
        assert_eq!(store.deposits(0, 9).unwrap(), all);
        assert_eq!(store.deposits(1, 3).unwrap(), all[1..3]);
    }

    #[test]
    fn what_a_header_credited_is_known_or_not() {
        let (_folder, store) = store();
        assert_eq!(store.credited(HeaderNumber(0)).unwrap(), Some(0));
        assert_eq!(store.credited(HeaderNumber(1)).unwrap(), None);
        store.put_credited(HeaderNumber(1), 7).unwrap();
        assert_eq!(store.credited(HeaderNumber(1)).unwrap(), Some(7));
    }

    #[test]
    fn votes_and_anchors_come_back() {
        let (_folder, store) = store();
        let one = HeaderNumber(1);
        store.put_account_vote(one, 6, &[6; 65]).unwrap();
        store.put_account_vote(one, 2, &[2; 65]).unwrap();
        assert_eq!(
            store.account_votes(one).unwrap(),
            [(2, [2; 65]), (6, [6; 65])]
        );
        assert_eq!(store.newest_anchor().unwrap(), None);
        let anchor = |n: u32| StoredAnchor {
            number: HeaderNumber(n),
            hash: Id([n as u8; 32]),
            block: 1 << 40,
        };
        store.put_anchor(&anchor(2), Millis(20)).unwrap();
        store.put_anchor(&anchor(1), Millis(10)).unwrap();
        store.put_anchor(&anchor(1), Millis(99)).unwrap();
        let by = |time| store.anchored_by(Millis(time)).unwrap().0;
        assert_eq!((by(9), by(10), by(19), by(20)), (0, 1, 1, 2));
        assert_eq!(store.newest_anchor().unwrap(), Some(anchor(2)));
        assert_eq!(store.voted(one).unwrap(), None);
        assert!(store.vote_once(one, &Id([4; 32]), &Id([5; 32])).unwrap());
        assert_eq!(store.voted(one).unwrap(), Some(Id([4; 32])));
    }
}
