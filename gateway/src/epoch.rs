//! Closing an epoch around the core's `close_epoch`: memory, bodies from window or store, the header's signature, the tree.
//!
//! Invariant: gateway and validators call [`close`] with what their own node holds, so an equal header means an equal view.

use crate::check::Trust;
use crate::config::Config;
use crate::daemon::GlNode;
use crate::memory::resident;
use crate::store::{Store, StoreError};
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::identity::{Record, record::MAX_RECORD, sign1};
use iotedge_core::ledger::{Deposit, Deposits, Lock, MAX_LOCK, state_root};
use iotedge_core::posp::close::{
    Before, CloseError, close_epoch, epoch_levels, epoch_path, epoch_root, epoch_size,
    header_payload,
};
use iotedge_core::posp::{Header, MAX_HEADER, MAX_HEADER_COSE, SignedHeader, header_signing_input};
use iotedge_core::tangle::{Effect, Scratch, Tables as _, Work};
use iotedge_core::wire::merkle::Levels;
use iotedge_core::wire::{Reader, Writer};
use iotedge_core::{HeaderNumber, Id};

/// A closed epoch.
pub struct Closed {
    pub header: Header,
    pub payload: Vec<u8>,
    /// Ids of the accepted transactions in order: leaves 1..
    pub accepted: Vec<Id>,
    pub root: Id,
    pub path0: Vec<Id>,
    /// Encoded records of the next table.
    pub table: Vec<Vec<u8>>,
    /// Encoded locks that are open then.
    pub locks: Vec<Vec<u8>>,
    /// Deposits that it has credited, these and all before.
    pub credited: u32,
}

/// Why it cannot be closed now.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The table of the newest header is not here yet.
    #[error("the table of the newest header is not here yet")]
    NoTable,
    /// Not all locks that are open after this header are here: ask who proposes to close on top of it.
    #[error("the locks open after header {0} are not here yet")]
    NoLocks(HeaderNumber),
    /// Which deposits the epoch has to credit is not known here yet.
    #[error("the deposits up to number {0} are not here yet: the G-Chain tells them")]
    NoDeposits(u32),
    /// The core refused.
    #[error("the epoch cannot be closed: {0:?}")]
    Close(CloseError),
    /// A header, record or tree that cannot be written; does not happen with a sound core.
    #[error("the epoch cannot be written: {0}")]
    Write(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a closing works in: taken once at the start, so that an epoch's end needs no more memory than the day before.
pub struct Room {
    after: Vec<Record>,
    locks: Vec<Lock>,
    accepted: Vec<Id>,
    work: Vec<Work>,
    order: Vec<u16>,
    members: Vec<u64>,
}

impl Room {
    /// Room for a configuration's window and members.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let window = config.limits.window as usize;
        let members = usize::from(config.policy.max_members);
        Self {
            after: vec![Record::EMPTY; members],
            locks: Vec::new(),
            accepted: resident(window),
            work: resident(window),
            order: resident(window),
            members: resident(members),
        }
    }

    /// Room for the locks before, and for those that the window holds.
    fn fit_locks(&mut self, before: usize, node: &GlNode) {
        let tangle = node.tangle();
        let made = tangle.since(tangle.oldest_sequence());
        let made = made.filter(|(_, facts)| matches!(facts.effect, Effect::Lock { .. }));
        self.locks.clear();
        self.locks.resize(before + made.count(), Lock::EMPTY);
    }

    /// A genesis may allow more members than the configuration of who follows it.
    fn fit(&mut self, members: usize) {
        if self.after.len() < members {
            self.after.resize(members, Record::EMPTY);
            self.members.resize(members, 0);
        }
    }
}

/// The locks that are open after the newest header, from the store; whether it has them all, the header's state root says.
fn open_locks(
    newest: HeaderNumber,
    records: &[Record],
    store: &Store,
) -> Result<Vec<Lock>, EpochError> {
    if newest == HeaderNumber(0) {
        return Ok(Vec::new());
    }
    let stored = store.locks(newest, 0, u32::MAX)?;
    let locks = read_locks(stored.iter().map(Vec::as_slice));
    let locks = locks.filter(|locks| holds(store, newest, records, locks));
    locks.ok_or(EpochError::NoLocks(newest))
}

/// Locks from their bytes; `None` where one is none.
pub fn read_locks<'l>(bytes: impl IntoIterator<Item = &'l [u8]>) -> Option<Vec<Lock>> {
    let read = |bytes: &[u8]| {
        let mut r = Reader::new(bytes);
        let lock = Lock::read(&mut r).ok()?;
        r.finish().ok().map(|()| lock)
    };
    bytes.into_iter().map(read).collect()
}

/// Whether these are all locks that are open after a stored header, with the records of the table that it opens.
fn holds(store: &Store, number: HeaderNumber, records: &[Record], locks: &[Lock]) -> bool {
    let header = store.header(number).ok().flatten();
    let root = header.and_then(|h| Some(SignedHeader::parse(&h.cose).ok()?.header().state_root));
    root.is_some() && root == state_root(records, locks).ok()
}

/// Deposits that one header credits at most: the rest waits for the next.
const MAX_CREDITED: u32 = 256;

/// How many deposits the header after `newest` should have credited: as many as are confirmed here.
///
/// # Errors
/// The store failed, or does not know how many `newest` has credited.
pub fn credit_due(store: &Store, newest: HeaderNumber) -> Result<u32, EpochError> {
    let before = store.credited(newest)?;
    let before = before.ok_or(EpochError::NoDeposits(0))?;
    let known = store.deposit_count()?.max(before);
    Ok(known.min(before.saturating_add(MAX_CREDITED)))
}

/// The deposits from `newest` on up to `credited`, all of them.
fn deposits(
    store: &Store,
    newest: HeaderNumber,
    credited: u32,
) -> Result<(u32, Vec<Deposit>), EpochError> {
    let missing = EpochError::NoDeposits(credited);
    let Some(before) = store.credited(newest)? else {
        return Err(missing);
    };
    let more = credited.checked_sub(before).filter(|m| *m <= MAX_CREDITED);
    let more = more.ok_or(EpochError::Write(format!(
        "{credited} deposits credited after {before}"
    )))?;
    let list = store.deposits(before, credited)?;
    if u32::try_from(list.len()) != Ok(more) {
        return Err(missing);
    }
    Ok((before, list))
}

/// Closes the epoch that `trim` cuts, from what this node holds. With it so many deposits are `credited`, those of the headers before counted.
///
/// # Errors
/// [`EpochError`]; nothing was changed.
#[expect(
    clippy::too_many_arguments,
    reason = "each is another part of what is read"
)]
pub fn close(
    room: &mut Room,
    node: &GlNode,
    store: &Store,
    trust: &Trust,
    authority: &PublicKey,
    anchors: &[PublicKey],
    trim: &Id,
    credited: u32,
) -> Result<Closed, EpochError> {
    let write = |e: &dyn std::fmt::Debug| EpochError::Write(format!("{e:?}"));
    let headers = node.headers();
    let records = node
        .tables()
        .records(headers.newest().opens())
        .ok_or(EpochError::NoTable)?;
    let locks = open_locks(headers.newest(), records, store)?;
    let (first, list) = deposits(store, headers.newest(), credited)?;
    let before = Before {
        genesis: &trust.genesis,
        neighbourhood: trust.neighbourhood,
        authority,
        anchors,
        number: headers.newest(),
        hash: headers.hash(),
        g0: headers.g0(),
        records,
        locks: &locks,
        deposits: Deposits { first, list: &list },
        next_set: trust.set.hash(),
    };
    let most = trust.genesis.max_members as usize;
    room.fit(node.tables().members().max(most));
    room.fit_locks(locks.len(), node);
    let mut scratch = Scratch {
        work: &mut room.work,
        order: &mut room.order,
        members: &mut room.members,
    };
    let closed = close_epoch(
        node.tangle(),
        node.tables(),
        trim,
        &before,
        room.after.get_mut(..most).unwrap_or_default(),
        &mut room.locks,
        &mut room.accepted,
        &mut scratch,
        &mut |id, out| {
            let copy = |bytes: &[u8], out: &mut [u8]| {
                out.get_mut(..bytes.len())?.copy_from_slice(bytes);
                Some(bytes.len())
            };
            match node.raw(id) {
                Some(raw) => copy(raw, out),
                None => copy(&store.tx(id).ok()??.raw, out),
            }
        },
        &mut Software,
    )
    .map_err(EpochError::Close)?;
    let held = |of: &str| EpochError::Write(format!("{of} beyond the room"));
    let accepted = room.accepted.get(..closed.header.count as usize);
    let accepted = accepted.ok_or_else(|| held("transactions"))?.to_vec();
    let after = room.after.get(..closed.header.members as usize);
    let after = after.ok_or_else(|| held("members"))?;
    let mut buffer = [0; MAX_HEADER];
    let payload = header_payload(&closed.header, &mut buffer)
        .map_err(|e| write(&e))?
        .to_vec();
    let root = epoch_root(&payload, &accepted).map_err(|e| write(&e))?;
    let mut path0 = [Id::ZERO; 32];
    let steps = epoch_path(&payload, &accepted, 0, &mut path0).map_err(|e| write(&e))?;
    let path0 = path0.get(..steps).unwrap_or(&[]).to_vec();
    let table = after
        .iter()
        .map(|record| {
            let mut buffer = [0; MAX_RECORD];
            let mut w = Writer::new(&mut buffer);
            record.encode(&mut w).map_err(|e| write(&e))?;
            Ok(w.written().to_vec())
        })
        .collect::<Result<_, EpochError>>()?;
    let open = room.locks.get(..closed.settled.locks);
    let locks = open
        .ok_or_else(|| held("locks"))?
        .iter()
        .map(|lock| {
            let mut buffer = [0; MAX_LOCK];
            let mut w = Writer::new(&mut buffer);
            lock.write(&mut w);
            w.intact().map_err(|e| write(&e))?;
            Ok(w.written().to_vec())
        })
        .collect::<Result<_, EpochError>>()?;
    Ok(Closed {
        header: closed.header,
        payload,
        accepted,
        root,
        path0,
        table,
        locks,
        credited,
    })
}

/// Signs a header as the GL-node: the macro transaction's COSE_Sign1.
///
/// # Errors
/// Does not happen with a header of [`close`].
pub fn sign(header: &Header, payload: &[u8], secret: &SecretKey) -> Result<Vec<u8>, EpochError> {
    let write = |e: &dyn std::fmt::Debug| EpochError::Write(format!("{e:?}"));
    let protected = sign1::protected(&secret.public_key());
    let mut buffer = [0; MAX_HEADER_COSE + 128];
    let message = header_signing_input(&protected, &header.neighbourhood, payload, &mut buffer)
        .map_err(|e| write(&e))?;
    let signature = secret.sign(message);
    let mut cose = [0; MAX_HEADER_COSE];
    let len = sign1::assemble(&protected, payload, &signature, &mut cose).map_err(|e| write(&e))?;
    Ok(cose[..len].to_vec())
}

/// An epoch tree in memory: any path in O(log n).
pub struct Tree {
    levels: Vec<Id>,
    size: u32,
}

impl Tree {
    /// The tree of a header's payload and the accepted ids.
    #[must_use]
    pub fn new(payload: &[u8], accepted: &[Id]) -> Option<Self> {
        let size = epoch_size(accepted).ok()?;
        let mut levels = vec![Id::ZERO; Levels::memory(size)?];
        epoch_levels(payload, accepted, &mut levels).ok()?;
        Some(Self { levels, size })
    }

    /// Leaves, the header's included.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// The path of a leaf.
    #[must_use]
    pub fn path(&self, leaf: u32) -> Option<Vec<Id>> {
        let mut path = [Id::ZERO; 32];
        let tree = Levels::built(&self.levels, self.size).ok()?;
        let steps = tree.path(leaf, &mut path).ok()?;
        Some(path.get(..steps)?.to_vec())
    }
}

/// The payload inside a macro transaction.
#[must_use]
pub fn payload_of(cose: &[u8]) -> Option<Vec<u8>> {
    Some(SignedHeader::parse(cose).ok()?.payload().to_vec())
}

/// The hash of the header inside a macro transaction.
#[must_use]
pub fn hash_of(cose: &[u8]) -> Option<Id> {
    Some(SignedHeader::parse(cose).ok()?.hash())
}

/// The first field in which two headers differ, for the log.
#[must_use]
pub fn first_difference(a: &[u8], b: &[u8]) -> Option<&'static str> {
    const FIELDS: [&str; 17] = [
        "version",
        "neighbourhood",
        "number",
        "previous header",
        "trim",
        "cut",
        "G0",
        "count",
        "state root",
        "exits root",
        "next table root",
        "members",
        "weight",
        "validator set",
        "total value",
        "first time",
        "last time",
    ];
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    if a.array().ok() != b.array().ok() {
        return Some("form");
    }
    FIELDS.into_iter().find(|_| a.item().ok() != b.item().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::{Amount, HeaderNumber, Millis};

    fn header() -> Header {
        Header {
            neighbourhood: Id([1; 32]),
            number: HeaderNumber(1),
            previous: Id([1; 32]),
            trim: Id([4; 32]),
            cut: Millis(11_000),
            g0: Id([2; 32]),
            count: 0,
            state_root: Id([5; 32]),
            exits_root: Id([6; 32]),
            table_root: Id([7; 32]),
            members: 4,
            weight: 4,
            set_hash: Id([8; 32]),
            total_value: Amount(400),
            first_time: Millis(0),
            last_time: Millis(0),
        }
    }

    fn payload(header: &Header) -> Vec<u8> {
        let mut buffer = [0; MAX_HEADER];
        header_payload(header, &mut buffer).unwrap().to_vec()
    }

    #[test]
    fn differences_are_named() {
        let one = header();
        let base = payload(&one);
        assert_eq!(first_difference(&base, &base), None);
        for (other, field) in [
            (
                Header {
                    cut: Millis(12_000),
                    ..one
                },
                "cut",
            ),
            (
                Header {
                    state_root: Id([9; 32]),
                    ..one
                },
                "state root",
            ),
            (
                Header {
                    total_value: Amount(401),
                    ..one
                },
                "total value",
            ),
            (
                Header {
                    number: HeaderNumber(2),
                    ..one
                },
                "number",
            ),
        ] {
            assert_eq!(first_difference(&base, &payload(&other)), Some(field));
        }
        assert_eq!(first_difference(&base, &[0x80]), Some("form"));
    }

    #[test]
    fn a_signed_header_verifies_under_the_gl_nodes_key_only() {
        let header = header();
        let secret = SecretKey::from_seed(&[3; 32]).unwrap();
        let cose = sign(&header, &payload(&header), &secret).unwrap();
        let signed = SignedHeader::parse(&cose).unwrap();
        signed
            .verify(&header.neighbourhood, &secret.public_key(), &mut Software)
            .unwrap();
        let other = SecretKey::from_seed(&[4; 32]).unwrap();
        assert!(
            signed
                .verify(&header.neighbourhood, &other.public_key(), &mut Software)
                .is_err()
        );
        assert_eq!(payload_of(&cose).unwrap(), payload(&header));
    }

    #[test]
    fn trees_give_the_cores_paths() {
        let accepted: Vec<Id> = (0..37_u8).map(|n| Id([n; 32])).collect();
        let tree = Tree::new(b"header", &accepted).unwrap();
        assert_eq!(tree.size(), 38);
        for leaf in 0..38 {
            let mut out = [Id::ZERO; 32];
            let len = epoch_path(b"header", &accepted, leaf, &mut out).unwrap();
            assert_eq!(tree.path(leaf).unwrap(), &out[..len]);
        }
        assert!(tree.path(38).is_none());
    }
}
