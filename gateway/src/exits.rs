//! What left the neighbourhood with a header, and the proof with which it is withdrawn on the G-Chain.
//!
//! Invariant: what is listed here is what the header's exits root covers, leaf by leaf, or nothing is: a list that does not lead to that root is refused.

use crate::store::{Store, StoreError};
use iotedge_core::identity::{Record, Roles, sign1::Sign1};
use iotedge_core::ledger::{deposit_id, exit_leaf};
use iotedge_core::posp::{Header, SignedHeader};
use iotedge_core::tx::{Body, Unverified, payload::parents_hash};
use iotedge_core::wire::Reader;
use iotedge_core::wire::merkle::{self, MAX_PATH};
use iotedge_core::{Amount, HeaderNumber, Id, MemberIndex};
use iotedge_gchain::{B256, Shown};

/// One exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The Ethereum account that may take it.
    pub target: [u8; 20],
    pub amount: Amount,
    /// The transaction, or the deposit that goes back.
    pub id: Id,
    /// Its place among the header's exits.
    pub index: u32,
}

/// Why the exits of a header cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ExitError {
    /// Not settled here.
    #[error(
        "header {0} is not settled here: wait for it, or ask the store of a gateway that has it"
    )]
    NotSettled(HeaderNumber),
    /// A part of the epoch is not in the store any more.
    #[error(
        "header {0}: not all of its exits are in the store (store.keep_epochs): take the store of a node that kept it"
    )]
    Incomplete(HeaderNumber),
    /// The header has no such exit.
    #[error("header {0} has no such exit as it is settled here: nobody should show it")]
    None(HeaderNumber),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A settled header.
///
/// # Errors
/// [`ExitError`].
pub fn header(store: &Store, number: HeaderNumber) -> Result<Header, ExitError> {
    let stored = store.header(number)?.filter(|h| h.settled);
    let stored = stored.ok_or(ExitError::NotSettled(number))?;
    let signed = SignedHeader::parse(&stored.cose).map_err(|_| ExitError::NotSettled(number))?;
    Ok(*signed.header())
}

/// All exits of a settled header, in the order of its exits root.
///
/// # Errors
/// [`ExitError`].
pub fn of(store: &Store, header: &Header) -> Result<Vec<Exit>, ExitError> {
    let number = header.number;
    let mut exits = Vec::new();
    for id in store.leaves(number)? {
        let tx = store.tx(&id)?.ok_or(ExitError::Incomplete(number))?;
        if let Some((target, amount)) = exit_in(&tx.raw) {
            push(&mut exits, target, amount, id);
        }
    }
    let credited = |n: HeaderNumber| store.credited(n).map(|c| c.unwrap_or(0));
    let before = credited(HeaderNumber(number.0.saturating_sub(1)))?;
    let deposits = store.deposits(before, credited(number)?)?;
    if !deposits.is_empty() {
        let records = store.records(number.opens(), MemberIndex(0), header.members)?;
        let records: Vec<Record> = (records.iter())
            .filter_map(|bytes| Record::decode(bytes).ok())
            .collect();
        for (index, deposit) in (before..).zip(&deposits) {
            let member = records.iter().find(|r| r.device == deposit.device);
            if member.is_none_or(|r| r.frozen || r.roles.has(Roles::LEFT)) {
                let id = deposit_id(&header.neighbourhood, index);
                push(&mut exits, deposit.from, deposit.amount, id);
            }
        }
    }
    match merkle::root(exits.iter().map(leaf)) == Ok(header.exits_root) {
        true => Ok(exits),
        false => Err(ExitError::Incomplete(number)),
    }
}

/// The path of an exit to its header's exits root.
#[must_use]
pub fn path(exits: &[Exit], index: u32) -> Option<Vec<Id>> {
    let size = u32::try_from(exits.len()).ok()?;
    let at = |place: u32| exits.get(place as usize).map_or(Id::ZERO, leaf);
    let mut out = [Id::ZERO; MAX_PATH];
    let steps = merkle::path(index, size, at, &mut out).ok()?;
    Some(out.get(..steps)?.to_vec())
}

/// What shows on the G-Chain that a settled header of this number has an exit with this id: the transaction with its issuer's record, or the deposit that goes back.
///
/// # Errors
/// [`ExitError`]; [`ExitError::None`] where the header as it is settled here has no such exit, which nobody should show then.
pub fn shown(
    store: &Store,
    neighbourhood: &Id,
    number: HeaderNumber,
    id: &Id,
) -> Result<Shown, ExitError> {
    let incomplete = || ExitError::Incomplete(number);
    header(store, number)?;
    if !store.leaves(number)?.contains(id) {
        let credited = |n: HeaderNumber| store.credited(n).map(|c| c.unwrap_or(0));
        let before = credited(HeaderNumber(number.0.saturating_sub(1)))?;
        let back = (before..credited(number)?).find(|i| deposit_id(neighbourhood, *i) == *id);
        return back.map(Shown::Deposit).ok_or(ExitError::None(number));
    }
    let tx = store.tx(id)?.ok_or_else(incomplete)?;
    let cose = Reader::new(&tx.raw).item().map_err(|_| incomplete())?;
    let opened_by = tx.epoch.0.saturating_sub(1);
    let opener = match opened_by {
        0 => {
            let genesis = store.meta("genesis")?.ok_or_else(incomplete)?;
            let genesis = Sign1::parse(&genesis).map_err(|_| incomplete())?;
            genesis.payload.to_vec()
        }
        number => {
            let stored = store.header(HeaderNumber(number))?;
            let payload = stored.and_then(|h| crate::epoch::payload_of(&h.cose));
            payload.ok_or_else(incomplete)?
        }
    };
    let records = store.records(tx.epoch, MemberIndex(0), u32::MAX)?;
    let leaves: Vec<Id> = records.iter().map(|r| merkle::leaf_hash(r)).collect();
    let size = u32::try_from(leaves.len()).map_err(|_| incomplete())?;
    let at = |place: u32| leaves.get(place as usize).copied().unwrap_or(Id::ZERO);
    let mut path = [Id::ZERO; MAX_PATH];
    let steps = merkle::path(tx.issuer.0.into(), size, at, &mut path).map_err(|_| incomplete())?;
    let record = records.get(usize::from(tx.issuer.0));
    Ok(Shown::Signed {
        cose: cose.to_vec(),
        parents: B256::from(parents_hash(&tx.parents).0),
        opener,
        record: record.ok_or_else(incomplete)?.clone(),
        path: path.iter().take(steps).map(|id| B256::from(id.0)).collect(),
    })
}

fn push(exits: &mut Vec<Exit>, target: [u8; 20], amount: Amount, id: Id) {
    exits.push(Exit {
        target,
        amount,
        id,
        index: u32::try_from(exits.len()).unwrap_or(u32::MAX),
    });
}

fn leaf(exit: &Exit) -> Id {
    exit_leaf(&exit.target, exit.amount, &exit.id)
}

fn exit_in(raw: &[u8]) -> Option<([u8; 20], Amount)> {
    let cose = Reader::new(raw).item().ok()?;
    match Unverified::parse(cose).ok()?.payload().body {
        Body::Exit { target, amount, .. } => Some((target, amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Durability;
    use crate::store::StoredHeader;
    use iotedge_core::Millis;
    use iotedge_core::crypto::SecretKey;
    use iotedge_core::ledger::Deposit;
    use iotedge_core::posp::{MAX_HEADER, close::header_payload};

    fn deposit(n: u8) -> Deposit {
        Deposit {
            device: Id([n; 32]),
            amount: Amount(u64::from(n)),
            from: [n; 20],
        }
    }

    fn of_root(exits_root: Id) -> Header {
        Header {
            neighbourhood: Id([1; 32]),
            number: HeaderNumber(2),
            previous: Id([2; 32]),
            trim: Id([3; 32]),
            cut: Millis(5),
            g0: Id([4; 32]),
            count: 0,
            state_root: Id([5; 32]),
            exits_root,
            table_root: Id([6; 32]),
            members: 1,
            weight: 1,
            set_hash: Id([7; 32]),
            total_value: Amount(1),
            first_time: Millis(0),
            last_time: Millis(0),
        }
    }

    fn settled(exits_root: Id) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Durability::Process).unwrap();
        let header = of_root(exits_root);
        let mut buffer = [0; MAX_HEADER];
        let payload = header_payload(&header, &mut buffer).unwrap();
        let secret = SecretKey::from_seed(&[9; 32]).unwrap();
        let stored = StoredHeader {
            number: header.number,
            cose: crate::epoch::sign(&header, payload, &secret).unwrap(),
            path0: Vec::new(),
            leaves: 1,
            settled: true,
        };
        store.put_header(&stored, &[]).unwrap();
        store.put_deposits(0, &[1, 2, 3].map(deposit)).unwrap();
        store.put_credited(HeaderNumber(1), 1).unwrap();
        store.put_credited(HeaderNumber(2), 3).unwrap();
        (folder, store)
    }

    #[test]
    fn deposits_for_nobody_are_exits_with_a_path() {
        let neighbourhood = Id([1; 32]);
        let back = |n: u8, index| {
            exit_leaf(
                &[n; 20],
                Amount(n.into()),
                &deposit_id(&neighbourhood, index),
            )
        };
        let root = merkle::root([back(2, 1), back(3, 2)]).unwrap();
        let (_folder, store) = settled(root);
        let exits = of(&store, &of_root(root)).unwrap();
        assert_eq!(exits.len(), 2);
        for exit in &exits {
            let path = path(&exits, exit.index).unwrap();
            assert_eq!(
                merkle::root_from_path(&leaf(exit), exit.index, 2, &path),
                Ok(root)
            );
        }
        assert_eq!((exits[1].target, exits[1].amount), ([3; 20], Amount(3)));
        assert_eq!(path(&exits, 2), None);
    }

    #[test]
    fn a_list_that_is_not_the_header_s_is_none() {
        let (_folder, store) = settled(Id([8; 32]));
        let incomplete = header(&store, HeaderNumber(2)).and_then(|h| of(&store, &h));
        assert!(matches!(incomplete, Err(ExitError::Incomplete(_))));
        let absent = header(&store, HeaderNumber(3));
        assert!(matches!(absent, Err(ExitError::NotSettled(_))));
    }
}
