//! The durable state of a GL-node or validator: SQLite in WAL mode, one file, one writer.
//!
//! Invariant: what was written in a turn of the loop is committed before any frame of that turn leaves, so whatever a peer
//! was answered survives SIGKILL (and, with `durability = "power"`, a power cut). A transaction is keyed by its full id;
//! insertion order is kept, because it is a topological order of the DAG that a restart can replay. The schema carries a
//! version; a newer one is refused rather than guessed at.

use crate::config::Durability;
use iotedge_core::{Epoch, HeaderNumber, Id, MemberIndex};
use rusqlite::{Connection, OptionalExtension, params};
use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

mod gchain;

pub use gchain::StoredAnchor;

/// Version of the schema below.
const SCHEMA: i64 = 4;

/// Pages in the log before it is copied into the database: 32 MiB on the disk.
const CHECKPOINT_PAGES: u32 = 8_192;
/// Rows forgotten at once: more would hold up the turn that it happens in.
const PRUNE_ROWS: u32 = 1_000;

const CREATE: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE kv (key INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE tx (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  number INTEGER NOT NULL,
  raw BLOB NOT NULL,
  parents BLOB NOT NULL
);
CREATE INDEX tx_epoch ON tx (epoch);
CREATE TABLE header (
  number INTEGER PRIMARY KEY,
  macro BLOB NOT NULL,
  path0 BLOB NOT NULL,
  leaves INTEGER NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE vote (
  number INTEGER NOT NULL,
  validator INTEGER NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (number, validator)
) WITHOUT ROWID;
CREATE TABLE record (
  epoch INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (epoch, idx)
) WITHOUT ROWID;
CREATE TABLE leaf (
  number INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (number, idx)
) WITHOUT ROWID;
CREATE INDEX leaf_id ON leaf (id);
CREATE TABLE enrolment (
  device BLOB PRIMARY KEY,
  seq INTEGER NOT NULL,
  chain BLOB NOT NULL,
  proof BLOB NOT NULL,
  member INTEGER
) WITHOUT ROWID;
CREATE TABLE voted (number INTEGER PRIMARY KEY, header_hash BLOB NOT NULL, root BLOB NOT NULL);
";

/// What version 2 added.
const CREATE_LOCKS: &str = "
CREATE TABLE open_lock (
  number INTEGER NOT NULL,
  place INTEGER NOT NULL,
  lock BLOB NOT NULL,
  PRIMARY KEY (number, place)
) WITHOUT ROWID;
";

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite reported an error: a full or failing disk, or a damaged file.
    #[error("{file}: {source}; check the disk, or restore the folder from a copy")]
    Sqlite {
        file: PathBuf,
        source: rusqlite::Error,
    },
    /// The folder cannot be made or locked.
    #[error("{file}: {reason}")]
    Folder { file: PathBuf, reason: String },
    /// Written by a newer release.
    #[error(
        "{file}: schema version {found}, this build knows {SCHEMA}; use the release that wrote it"
    )]
    Schema { file: PathBuf, found: i64 },
}

/// A transaction as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTx {
    pub id: Id,
    pub epoch: Epoch,
    pub issuer: MemberIndex,
    pub number: u32,
    /// COSE_Sign1 and attachment, as on the wire.
    pub raw: Vec<u8>,
    /// The full ids of the parents, in their order.
    pub parents: Vec<Id>,
}

/// A header as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredHeader {
    pub number: HeaderNumber,
    /// The macro transaction's COSE_Sign1.
    pub cose: Vec<u8>,
    /// Inclusion path of leaf 0.
    pub path0: Vec<Id>,
    /// Size of the epoch tree.
    pub leaves: u32,
    /// Whether the stake quorum was reached.
    pub settled: bool,
}

/// A request for membership as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnrolment {
    pub device: Id,
    /// The device's certificates, the device's own last.
    pub chain: Vec<Vec<u8>>,
    pub proof: [u8; 64],
    /// The index, once a settled table names it.
    pub member: Option<MemberIndex>,
}

/// What the store did, for the metrics.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreStats {
    pub commits: u64,
    pub commit_time: Duration,
}

/// The store. Writes open a turn by themselves; [`Store::commit`] ends it.
pub struct Store {
    db: Connection,
    file: PathBuf,
    in_turn: Cell<bool>,
    stats: Cell<StoreStats>,
    _lock: Option<File>,
}

type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Store {
    /// Opens or makes the store in `folder` and locks it against a second daemon.
    ///
    /// # Errors
    /// [`StoreError`]: the folder cannot be used, is in use, or holds a newer schema.
    pub fn open(folder: &Path, durability: Durability) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Folder {
            file: folder.to_owned(),
            reason: format!("cannot be made: {e}"),
        })?;
        let lock_path = folder.join("lock");
        let busy = |reason: String| StoreError::Folder {
            file: lock_path.clone(),
            reason,
        };
        let lock = File::create(&lock_path).map_err(|e| busy(format!("cannot be made: {e}")))?;
        lock.try_lock()
            .map_err(|_| busy("another process uses this data folder; stop it, or give each daemon its own `data`".into()))?;
        Self::with(folder.join("state.sqlite"), durability, Some(lock), false)
    }

    /// Opens an existing store for reading beside a running daemon.
    ///
    /// # Errors
    /// As [`Store::open`], and where there is no store.
    pub fn open_read_only(folder: &Path) -> Result<Self> {
        let file = folder.join("state.sqlite");
        if !file.is_file() {
            return Err(StoreError::Folder {
                file,
                reason: "no store here; give the `data` folder of a gateway or validator".into(),
            });
        }
        Self::with(file, Durability::Process, None, true)
    }

    fn with(
        file: PathBuf,
        durability: Durability,
        lock: Option<File>,
        read_only: bool,
    ) -> Result<Self> {
        let open = || -> std::result::Result<(Connection, i64), rusqlite::Error> {
            if read_only {
                let db = Connection::open_with_flags(
                    &file,
                    rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE
                        | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
                )?;
                db.busy_timeout(Duration::from_secs(5))?;
                db.pragma_update(None, "query_only", true)?;
                let version = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
                return Ok((db, version));
            }
            let db = Connection::open(&file)?;
            db.busy_timeout(Duration::from_secs(5))?;
            db.pragma_update(None, "journal_mode", "WAL")?;
            let synchronous = match durability {
                Durability::Power => "FULL",
                Durability::Process => "NORMAL",
            };
            db.pragma_update(None, "synchronous", synchronous)?;
            // Ids are random, so their index is written all over: the same pages again and again, until a checkpoint copies each once.
            db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            db.set_prepared_statement_cache_capacity(64);
            let mut version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version == 0 {
                db.execute_batch(&format!(
                    "BEGIN EXCLUSIVE; {CREATE} {CREATE_LOCKS} {} {} PRAGMA user_version = {SCHEMA}; COMMIT;",
                    gchain::CREATE,
                    gchain::SEEN
                ))?;
                version = SCHEMA;
            }
            if version == 1 {
                db.execute_batch(&format!(
                    "BEGIN EXCLUSIVE; {CREATE_LOCKS} PRAGMA user_version = 2; COMMIT;"
                ))?;
                version = 2;
            }
            if version == 2 {
                db.execute_batch(&format!(
                    "BEGIN EXCLUSIVE; {} {} PRAGMA user_version = 3; COMMIT;",
                    gchain::CREATE,
                    gchain::FROM_2
                ))?;
                version = 3;
            }
            if version == 3 {
                db.execute_batch(&format!(
                    "BEGIN EXCLUSIVE; {} PRAGMA user_version = 4; COMMIT;",
                    gchain::SEEN
                ))?;
                version = 4;
            }
            Ok((db, version))
        };
        let (db, version) = open().map_err(|source| StoreError::Sqlite {
            file: file.clone(),
            source,
        })?;
        if version != SCHEMA {
            return Err(StoreError::Schema {
                file,
                found: version,
            });
        }
        Ok(Self {
            db,
            file,
            in_turn: Cell::new(false),
            stats: Cell::default(),
            _lock: lock,
        })
    }

    /// Makes all that was written since the last commit durable. Call it before frames leave.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`]: nothing of the turn may be answered; stop.
    pub fn commit(&self) -> Result<()> {
        if !self.in_turn.get() {
            return Ok(());
        }
        let start = Instant::now();
        self.run(|db| db.execute_batch("COMMIT"))?;
        self.in_turn.set(false);
        let mut stats = self.stats.get();
        stats.commits += 1;
        stats.commit_time += start.elapsed();
        self.stats.set(stats);
        Ok(())
    }

    /// Counters for the metrics.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        self.stats.get()
    }

    // ---- names and the node's own store ----

    /// Writes a named value (genesis, term, ...).
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_meta(&self, key: &str, value: &[u8]) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
            params![key, value],
        )
    }

    /// Reads a named value.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.one(
            "SELECT value FROM meta WHERE key = ?1",
            params![key],
            |row| row.get(0),
        )
    }

    /// Writes a value of the core's `Platform` store.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_kv(&self, key: u16, value: &[u8]) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO kv (key, value) VALUES (?1, ?2)",
            params![key, value],
        )
    }

    /// Reads a value of the core's `Platform` store.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn kv(&self, key: u16) -> Result<Option<Vec<u8>>> {
        self.one("SELECT value FROM kv WHERE key = ?1", params![key], |row| {
            row.get(0)
        })
    }

    /// Removes a value of the core's `Platform` store.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn remove_kv(&self, key: u16) -> Result<()> {
        self.write("DELETE FROM kv WHERE key = ?1", params![key])
    }

    // ---- transactions ----

    /// Keeps a transaction; one that is here already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_tx(&self, tx: &StoredTx) -> Result<()> {
        self.write(
            "INSERT OR IGNORE INTO tx (id, epoch, issuer, number, raw, parents) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![tx.id.0, tx.epoch.0, tx.issuer.0, tx.number, tx.raw, join(&tx.parents)],
        )
    }

    /// Whether the transaction is here.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn has_tx(&self, id: &Id) -> Result<bool> {
        Ok(self
            .one("SELECT 1 FROM tx WHERE id = ?1", params![id.0], |_| Ok(()))?
            .is_some())
    }

    /// The transaction under `id`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tx(&self, id: &Id) -> Result<Option<StoredTx>> {
        self.one(
            "SELECT id, epoch, issuer, number, raw, parents FROM tx WHERE id = ?1",
            params![id.0],
            tx_row,
        )
    }

    /// Transactions whose ids begin with `prefix`, at most four (more than one is a collision of 128 bits).
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tx_by_prefix(&self, prefix: &[u8; 16]) -> Result<Vec<StoredTx>> {
        let mut low = [0; 32];
        let mut high = [0xff; 32];
        low[..16].copy_from_slice(prefix);
        high[..16].copy_from_slice(prefix);
        self.many(
            "SELECT id, epoch, issuer, number, raw, parents FROM tx WHERE id BETWEEN ?1 AND ?2 LIMIT 4",
            params![low, high],
            tx_row,
        )
    }

    /// Hands every transaction from `epoch` on to `visit`, in the order in which they came in.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn each_tx(&self, from: Epoch, mut visit: impl FnMut(StoredTx)) -> Result<()> {
        self.run(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, epoch, issuer, number, raw, parents FROM tx WHERE epoch >= ?1 ORDER BY seq",
            )?;
            let mut rows = statement.query(params![from.0])?;
            while let Some(row) = rows.next()? {
                visit(tx_row(row)?);
            }
            Ok(())
        })
    }

    /// Numbers of the settled headers, rising.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn settled_headers(&self) -> Result<Vec<HeaderNumber>> {
        self.many(
            "SELECT number FROM header WHERE settled = 1 ORDER BY number",
            params![],
            |row| Ok(HeaderNumber(row.get(0)?)),
        )
    }

    /// How many transactions are kept.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tx_count(&self) -> Result<u64> {
        let count: Option<i64> =
            self.one("SELECT count(*) FROM tx", params![], |row| row.get(0))?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// Forgets transactions, leaves, tables and open locks of epochs before `epoch`, some at a time: call it again while it says that there are more.
    /// Headers, votes and what was voted for stay.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn prune(&self, epoch: Epoch) -> Result<bool> {
        let transactions = self.change(
            "DELETE FROM tx WHERE seq IN (SELECT seq FROM tx WHERE epoch < ?1 LIMIT ?2)",
            params![epoch.0, PRUNE_ROWS],
        )?;
        let leaves = self.change(
            "DELETE FROM leaf WHERE (number, idx) IN (SELECT number, idx FROM leaf WHERE number < ?1 LIMIT ?2)",
            params![epoch.0, PRUNE_ROWS],
        )?;
        let records = self.change(
            "DELETE FROM record WHERE (epoch, idx) IN (SELECT epoch, idx FROM record WHERE epoch < ?1 LIMIT ?2)",
            params![epoch.0, PRUNE_ROWS],
        )?;
        let locks = self.change(
            "DELETE FROM open_lock WHERE (number, place) IN (SELECT number, place FROM open_lock WHERE number < ?1 LIMIT ?2)",
            params![epoch.0, PRUNE_ROWS],
        )?;
        Ok([transactions, leaves, records, locks]
            .iter()
            .any(|count| *count >= PRUNE_ROWS as usize))
    }

    // ---- headers, votes, proofs, tables ----

    /// Keeps a header with the ids of its leaves 1.., in their order.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_header(&self, header: &StoredHeader, accepted: &[Id]) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO header (number, macro, path0, leaves, settled) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![header.number.0, header.cose, join(&header.path0), header.leaves, header.settled],
        )?;
        self.write(
            "DELETE FROM leaf WHERE number = ?1",
            params![header.number.0],
        )?;
        for (index, id) in (1_u32..).zip(accepted) {
            self.write(
                "INSERT INTO leaf (number, idx, id) VALUES (?1, ?2, ?3)",
                params![header.number.0, index, id.0],
            )?;
        }
        Ok(())
    }

    /// Marks a header as under a stake quorum.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn settle_header(&self, number: HeaderNumber) -> Result<()> {
        self.write(
            "UPDATE header SET settled = 1 WHERE number = ?1",
            params![number.0],
        )
    }

    /// The header with `number`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn header(&self, number: HeaderNumber) -> Result<Option<StoredHeader>> {
        self.one(
            "SELECT number, macro, path0, leaves, settled FROM header WHERE number = ?1",
            params![number.0],
            |row| {
                Ok(StoredHeader {
                    number: HeaderNumber(row.get(0)?),
                    cose: row.get(1)?,
                    path0: split(&row.get::<_, Vec<u8>>(2)?),
                    leaves: row.get(3)?,
                    settled: row.get(4)?,
                })
            },
        )
    }

    /// The highest number under a stake quorum; 0, the genesis, where there is none.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_settled(&self) -> Result<HeaderNumber> {
        let newest: Option<Option<u32>> = self.one(
            "SELECT max(number) FROM header WHERE settled = 1",
            params![],
            |row| row.get(0),
        )?;
        Ok(HeaderNumber(newest.flatten().unwrap_or(0)))
    }

    /// The highest number that has a header, settled or not.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest_header(&self) -> Result<Option<HeaderNumber>> {
        let newest: Option<Option<u32>> =
            self.one("SELECT max(number) FROM header", params![], |row| {
                row.get(0)
            })?;
        Ok(newest.flatten().map(HeaderNumber))
    }

    /// Keeps a validator's vote.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_vote(
        &self,
        number: HeaderNumber,
        validator: u16,
        signature: &[u8; 64],
    ) -> Result<()> {
        self.write(
            "INSERT OR REPLACE INTO vote (number, validator, signature) VALUES (?1, ?2, ?3)",
            params![number.0, validator, signature],
        )
    }

    /// The votes for `number`, by validator index.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn votes(&self, number: HeaderNumber) -> Result<Vec<(u16, [u8; 64])>> {
        self.many(
            "SELECT validator, signature FROM vote WHERE number = ?1 ORDER BY validator",
            params![number.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
    }

    /// Where a transaction stands in a settled epoch: header number and leaf index.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn leaf_of(&self, id: &Id) -> Result<Option<(HeaderNumber, u32)>> {
        self.one(
            "SELECT leaf.number, leaf.idx FROM leaf JOIN header ON header.number = leaf.number
             WHERE leaf.id = ?1 AND header.settled = 1",
            params![id.0],
            |row| Ok((HeaderNumber(row.get(0)?), row.get(1)?)),
        )
    }

    /// The ids of leaves 1.. of a header.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn leaves(&self, number: HeaderNumber) -> Result<Vec<Id>> {
        self.many(
            "SELECT id FROM leaf WHERE number = ?1 ORDER BY idx",
            params![number.0],
            |row| Ok(Id(row.get(0)?)),
        )
    }

    /// Keeps the records of an epoch's table.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_table<'r>(
        &self,
        epoch: Epoch,
        records: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<()> {
        for (index, record) in (0_u32..).zip(records) {
            self.write(
                "INSERT OR REPLACE INTO record (epoch, idx, record) VALUES (?1, ?2, ?3)",
                params![epoch.0, index, record],
            )?;
        }
        Ok(())
    }

    /// Up to `count` records of an epoch's table from `first` on.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn records(&self, epoch: Epoch, first: MemberIndex, count: u32) -> Result<Vec<Vec<u8>>> {
        self.many(
            "SELECT record FROM record WHERE epoch = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3",
            params![epoch.0, first.0, count],
            |row| row.get(0),
        )
    }

    /// Keeps the locks that are open after a header, in their order, in place of what was kept of it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_locks<'l>(
        &self,
        number: HeaderNumber,
        locks: impl IntoIterator<Item = &'l [u8]>,
    ) -> Result<()> {
        self.write("DELETE FROM open_lock WHERE number = ?1", params![number.0])?;
        for (place, lock) in (0_u32..).zip(locks) {
            self.write(
                "INSERT INTO open_lock (number, place, lock) VALUES (?1, ?2, ?3)",
                params![number.0, place, lock],
            )?;
        }
        Ok(())
    }

    /// Up to `count` of the locks that are open after a header, from `first` on.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn locks(&self, number: HeaderNumber, first: u32, count: u32) -> Result<Vec<Vec<u8>>> {
        self.many(
            "SELECT lock FROM open_lock WHERE number = ?1 AND place >= ?2 ORDER BY place LIMIT ?3",
            params![number.0, first, count],
            |row| row.get(0),
        )
    }

    // ---- enrolment ----

    /// Keeps a request for membership; a second one of the same device changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_enrolment(&self, enrolment: &StoredEnrolment) -> Result<()> {
        let chain: Vec<u8> =
            serde_json::to_vec(&enrolment.chain.iter().map(hex::encode).collect::<Vec<_>>())
                .unwrap_or_default();
        self.write(
            "INSERT OR IGNORE INTO enrolment (device, seq, chain, proof, member)
             VALUES (?1, (SELECT count(*) FROM enrolment), ?2, ?3, ?4)",
            params![
                enrolment.device.0,
                chain,
                enrolment.proof,
                enrolment.member.map(|m| m.0)
            ],
        )
    }

    /// Says which member a device became.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn set_member(&self, device: &Id, member: MemberIndex) -> Result<()> {
        self.write(
            "UPDATE enrolment SET member = ?2 WHERE device = ?1",
            params![device.0, member.0],
        )
    }

    /// Keeps the attestation with which a device was let in; the newest counts.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn put_attestation(&self, device: &Id, eat: &[u8]) -> Result<()> {
        self.put_meta(&format!("attestation {device}"), eat)
    }

    /// The attestation with which a device was let in.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn attestation(&self, device: &Id) -> Result<Option<Vec<u8>>> {
        self.meta(&format!("attestation {device}"))
    }

    /// All requests, in the order in which they came in.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn enrolments(&self) -> Result<Vec<StoredEnrolment>> {
        self.many(
            "SELECT device, chain, proof, member FROM enrolment ORDER BY seq",
            params![],
            |row| {
                let chain: Vec<u8> = row.get(1)?;
                let chain: Vec<String> = serde_json::from_slice(&chain).unwrap_or_default();
                Ok(StoredEnrolment {
                    device: Id(row.get(0)?),
                    chain: chain.iter().filter_map(|c| hex::decode(c).ok()).collect(),
                    proof: row.get(2)?,
                    member: row.get::<_, Option<u16>>(3)?.map(MemberIndex),
                })
            },
        )
    }

    // ---- a validator's word ----

    /// Notes that this validator votes for the root under `number`, unless it already did for another one. `true`: the vote
    /// may be sent after the next commit (again, if it is the same).
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn vote_once(&self, number: HeaderNumber, header_hash: &Id, root: &Id) -> Result<bool> {
        self.write(
            "INSERT OR IGNORE INTO voted (number, header_hash, root) VALUES (?1, ?2, ?3)",
            params![number.0, header_hash.0, root.0],
        )?;
        let kept: Option<([u8; 32], [u8; 32])> = self.one(
            "SELECT header_hash, root FROM voted WHERE number = ?1",
            params![number.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(kept == Some((header_hash.0, root.0)))
    }

    // ---- plumbing ----

    fn run<T>(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        f(&self.db).map_err(|source| StoreError::Sqlite {
            file: self.file.clone(),
            source,
        })
    }

    fn write(&self, sql: &str, params: impl rusqlite::Params) -> Result<()> {
        self.change(sql, params).map(|_| ())
    }

    /// The number of rows changed.
    fn change(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize> {
        if !self.in_turn.get() {
            self.run(|db| db.execute_batch("BEGIN IMMEDIATE"))?;
            self.in_turn.set(true);
        }
        self.run(|db| db.prepare_cached(sql)?.execute(params))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.run(|db| db.prepare_cached(sql)?.query_row(params, row).optional())
    }

    fn many<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.run(|db| db.prepare_cached(sql)?.query_map(params, row)?.collect())
    }
}

fn tx_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredTx> {
    Ok(StoredTx {
        id: Id(row.get(0)?),
        epoch: Epoch(row.get(1)?),
        issuer: MemberIndex(row.get(2)?),
        number: row.get(3)?,
        raw: row.get(4)?,
        parents: split(&row.get::<_, Vec<u8>>(5)?),
    })
}

fn join(ids: &[Id]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.0).collect()
}

fn split(bytes: &[u8]) -> Vec<Id> {
    bytes.as_chunks::<32>().0.iter().map(|id| Id(*id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tx(n: u8, epoch: u32) -> StoredTx {
        StoredTx {
            id: Id([n; 32]),
            epoch: Epoch(epoch),
            issuer: MemberIndex(3),
            number: n.into(),
            raw: vec![n; 40],
            parents: vec![Id([n.wrapping_sub(1); 32]), Id([0xee; 32])],
        }
    }

    fn open(folder: &Path) -> Store {
        Store::open(folder, Durability::Process).unwrap()
    }

    #[test]
    fn what_was_committed_is_there_after_reopening_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        {
            let store = open(folder.path());
            store.put_tx(&tx(1, 1)).unwrap();
            store.put_tx(&tx(2, 1)).unwrap();
            store.put_kv(7, b"state").unwrap();
            store.commit().unwrap();
            store.put_tx(&tx(3, 1)).unwrap();
            assert!(
                store.has_tx(&Id([3; 32])).unwrap(),
                "a turn reads its own writes"
            );
            // Dropped without a commit: as SIGKILL leaves it.
        }
        let store = open(folder.path());
        let mut seen = Vec::new();
        store.each_tx(Epoch(0), |t| seen.push(t)).unwrap();
        assert_eq!(seen, [tx(1, 1), tx(2, 1)]);
        assert_eq!(store.kv(7).unwrap().as_deref(), Some(&b"state"[..]));
        assert_eq!(store.kv(8).unwrap(), None);
        store.remove_kv(7).unwrap();
        assert_eq!(store.kv(7).unwrap(), None);
    }

    #[test]
    fn a_second_daemon_is_refused_and_a_reader_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        store.put_meta("genesis", b"g").unwrap();
        store.commit().unwrap();
        let refused = Store::open(folder.path(), Durability::Process)
            .err()
            .unwrap()
            .to_string();
        assert!(
            refused.contains("another process uses this data folder"),
            "{refused}"
        );
        let reader = Store::open_read_only(folder.path()).unwrap();
        assert_eq!(reader.meta("genesis").unwrap().as_deref(), Some(&b"g"[..]));
        assert!(reader.put_meta("genesis", b"h").is_err());
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()));
        let db = Connection::open(folder.path().join("state.sqlite")).unwrap();
        db.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
        drop(db);
        assert!(matches!(
            Store::open(folder.path(), Durability::Process),
            Err(StoreError::Schema { found, .. }) if found == SCHEMA + 1
        ));
    }

    #[test]
    fn a_store_of_version_1_gains_a_place_for_locks() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()));
        let db = Connection::open(folder.path().join("state.sqlite")).unwrap();
        db.execute_batch(&format!(
            "DROP TABLE open_lock; {} PRAGMA user_version = 1;",
            gchain::DROP
        ))
        .unwrap();
        drop(db);
        let store = open(folder.path());
        let number = HeaderNumber(4);
        let locks = |first, count| store.locks(number, first, count).unwrap();
        assert!(locks(0, 9).is_empty());
        let list: [&[u8]; 3] = [&[1], &[2], &[3]];
        store.put_locks(number, list).unwrap();
        assert_eq!(locks(1, 9), [[2], [3]]);
        assert_eq!(locks(0, 2), [[1], [2]]);
        // A shorter list leaves nothing of a longer one.
        store.put_locks(number, [&[7][..]]).unwrap();
        assert_eq!(locks(0, 9), [[7]]);
        store.commit().unwrap();
        drop(store);
        let store = open(folder.path());
        assert_eq!(store.locks(number, 0, 9).unwrap(), [[7]]);
        assert!(!store.prune(Epoch(5)).unwrap());
        assert!(store.locks(number, 0, 9).unwrap().is_empty());
    }

    #[test]
    fn a_store_of_version_2_has_credited_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let header = StoredHeader {
            number: HeaderNumber(3),
            cose: vec![1],
            path0: Vec::new(),
            leaves: 1,
            settled: true,
        };
        store.put_header(&header, &[]).unwrap();
        store.commit().unwrap();
        drop(store);
        let db = Connection::open(folder.path().join("state.sqlite")).unwrap();
        db.execute_batch(&format!("{} PRAGMA user_version = 2;", gchain::DROP))
            .unwrap();
        drop(db);
        let store = open(folder.path());
        assert_eq!(store.credited(HeaderNumber(3)).unwrap(), Some(0));
        assert_eq!(store.credited(HeaderNumber(4)).unwrap(), None);
    }

    #[test]
    fn a_folder_without_a_store_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Store::open_read_only(folder.path())
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("state.sqlite") && error.contains("no store here"),
            "{error}"
        );
    }

    #[test]
    fn a_validator_gives_one_word_for_each_number() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let (h, a, b) = (Id([9; 32]), Id([1; 32]), Id([2; 32]));
        assert!(store.vote_once(HeaderNumber(1), &h, &a).unwrap());
        assert!(store.vote_once(HeaderNumber(1), &h, &a).unwrap());
        assert!(!store.vote_once(HeaderNumber(1), &h, &b).unwrap());
        assert!(!store.vote_once(HeaderNumber(1), &a, &a).unwrap());
        store.commit().unwrap();
        drop(store);
        let store = open(folder.path());
        assert!(!store.vote_once(HeaderNumber(1), &h, &b).unwrap());
        assert!(store.vote_once(HeaderNumber(2), &h, &b).unwrap());
    }

    #[test]
    fn proofs_are_given_of_settled_headers_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let header = StoredHeader {
            number: HeaderNumber(1),
            cose: vec![1, 2, 3],
            path0: vec![Id([5; 32])],
            leaves: 3,
            settled: false,
        };
        store
            .put_header(&header, &[Id([1; 32]), Id([2; 32])])
            .unwrap();
        assert_eq!(store.leaf_of(&Id([2; 32])).unwrap(), None);
        assert_eq!(store.newest_settled().unwrap(), HeaderNumber(0));
        assert_eq!(store.newest_header().unwrap(), Some(HeaderNumber(1)));
        store.settle_header(HeaderNumber(1)).unwrap();
        assert_eq!(
            store.leaf_of(&Id([2; 32])).unwrap(),
            Some((HeaderNumber(1), 2))
        );
        assert_eq!(store.newest_settled().unwrap(), HeaderNumber(1));
        assert_eq!(
            store.leaves(HeaderNumber(1)).unwrap(),
            [Id([1; 32]), Id([2; 32])]
        );
        assert_eq!(
            store.header(HeaderNumber(1)).unwrap(),
            Some(StoredHeader {
                settled: true,
                ..header
            })
        );
        store.put_vote(HeaderNumber(1), 2, &[2; 64]).unwrap();
        store.put_vote(HeaderNumber(1), 0, &[0; 64]).unwrap();
        assert_eq!(
            store.votes(HeaderNumber(1)).unwrap(),
            [(0, [0; 64]), (2, [2; 64])]
        );
    }

    #[test]
    fn pruning_forgets_old_epochs_and_keeps_headers_and_words() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for epoch in 1..=4 {
            store
                .put_tx(&tx(u8::try_from(epoch).unwrap(), epoch))
                .unwrap();
            store
                .put_table(Epoch(epoch), [&b"r0"[..], b"r1", b"r2"])
                .unwrap();
            let header = StoredHeader {
                number: HeaderNumber(epoch),
                cose: vec![],
                path0: vec![],
                leaves: 2,
                settled: true,
            };
            store.put_header(&header, &[Id([epoch as u8; 32])]).unwrap();
            store
                .vote_once(HeaderNumber(epoch), &Id::ZERO, &Id::ZERO)
                .unwrap();
        }
        assert!(!store.prune(Epoch(3)).unwrap());
        store.commit().unwrap();
        assert_eq!(store.tx_count().unwrap(), 2);
        assert!(store.tx_by_prefix(&[2; 16]).unwrap().is_empty());
        assert_eq!(store.tx_by_prefix(&[3; 16]).unwrap(), [tx(3, 3)]);
        assert!(
            store
                .records(Epoch(2), MemberIndex(0), 8)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            store.records(Epoch(3), MemberIndex(1), 8).unwrap(),
            [b"r1", b"r2"]
        );
        assert_eq!(
            store.records(Epoch(3), MemberIndex(0), 2).unwrap(),
            [b"r0", b"r1"]
        );
        assert!(store.header(HeaderNumber(1)).unwrap().is_some());
        assert!(
            !store
                .vote_once(HeaderNumber(1), &Id::ZERO, &Id([1; 32]))
                .unwrap()
        );
        assert!(store.leaves(HeaderNumber(2)).unwrap().is_empty());
    }

    #[test]
    fn enrolments_keep_their_order_and_their_first_word() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let one = |n: u8| StoredEnrolment {
            device: Id([n; 32]),
            chain: vec![vec![n; 3], vec![n; 5]],
            proof: [n; 64],
            member: None,
        };
        for n in [9, 3, 7] {
            store.put_enrolment(&one(n)).unwrap();
        }
        store
            .put_enrolment(&StoredEnrolment {
                proof: [0; 64],
                ..one(3)
            })
            .unwrap();
        store.set_member(&Id([3; 32]), MemberIndex(2)).unwrap();
        let third = StoredEnrolment {
            member: Some(MemberIndex(2)),
            ..one(3)
        };
        assert_eq!(store.enrolments().unwrap(), [one(9), third, one(7)]);
    }
}
