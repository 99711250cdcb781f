//! Closing an epoch: from a certified trim to the header, the epoch tree and the next table.
//!
//! Invariant: one function for gateway, validators, simulator and vectors, and a pure one: of the trim's cone, the records after the previous
//! header, the deposits that it credits and the neighbourhood's genesis. Whoever holds the same cone gets the same header, byte for byte.

use super::{Header, PospError};
use crate::crypto::{PublicKey, Signature, Verify};
use crate::identity::{
    Genesis, Record, Roles, Seconds, enrol, revocation::RevocationList, rotation,
};
use crate::ledger::{
    Context, Deposits, Effect as Settles, End, Entry, LedgerError, Lock, Locks, Settled, Settlement,
};
use crate::tangle::{Effect, Facts, Outcome, Scratch, Tables, Tangle, TrimError, Verdict};
use crate::tx::{Body, MemberOp, Unverified};
use crate::wire::merkle::{self, Levels, Tree};
use crate::wire::{Reader, Writer};
use crate::{Amount, HeaderNumber, Id, MAX_FRAME, MemberIndex};
use heapless::Vec;

/// Members that one revocation may remove.
const MAX_REVOKED: usize = 64;

/// Why an epoch cannot be closed. Nothing was changed; the staging memory has no meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// The window cannot evaluate the trim.
    Trim(TrimError),
    /// The settlement refuses it. With a sound tangle this does not happen: keep the state and report it.
    Ledger(LedgerError),
    /// The bytes of a living transaction that changes membership are gone. Fetch it again.
    BodyMissing(Id),
    /// More living transactions than there is room for leaves.
    TooMany,
    /// The header cannot be written, or a number ran out.
    Header(PospError),
}

/// What an epoch is closed on top of.
#[derive(Clone, Copy, Debug)]
pub struct Before<'b> {
    /// The genesis of the neighbourhood.
    pub genesis: &'b Genesis,
    /// Its id.
    pub neighbourhood: Id,
    /// The neighbourhood's authority: a proof of possession is made for it.
    pub authority: &'b PublicKey,
    /// Keys that may certify devices. Gateway and validators must have the same.
    pub anchors: &'b [PublicKey],
    /// Number of the newest settled header.
    pub number: HeaderNumber,
    /// Its hash.
    pub hash: Id,
    /// Its G0.
    pub g0: Id,
    /// The records of the table that it opened.
    pub records: &'b [Record],
    /// The locks then open.
    pub locks: &'b [Lock],
    /// What was paid in on the G-Chain and is credited with this header: the same for GL-node and validators, who vote on how many it is.
    pub deposits: Deposits<'b>,
    /// Hash of the validator set that votes on the header after this one.
    pub next_set: Id,
}

/// A closed epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The header, to be signed by the GL-node.
    pub header: Header,
    /// What the trim decided.
    pub outcome: Outcome,
    /// What the settlement made of it.
    pub settled: Settled,
}

struct Run<'r, 'm> {
    before: &'r Before<'r>,
    settlement: Settlement<'m>,
    leaves: &'r mut [Id],
    count: usize,
    failed: Option<CloseError>,
}

/// Closes the epoch that `trim` cuts. `bodies` writes the bytes of a transaction (COSE_Sign1, and what else was stored behind it) to its buffer;
/// `after` becomes the next table, `locks` the open locks (of which there are `settled.locks`; as many as before and one for each
/// place of the window is always enough), and `leaves` the ids of the accepted transactions in order, of which there are `header.count`.
///
/// # Errors
/// See [`CloseError`].
#[expect(
    clippy::too_many_arguments,
    reason = "each is another part of the state that is read or staged"
)]
pub fn close_epoch<T: Tables + ?Sized>(
    tangle: &Tangle<'_>,
    tables: &T,
    trim: &Id,
    before: &Before<'_>,
    after: &mut [Record],
    locks: &mut [Lock],
    leaves: &mut [Id],
    scratch: &mut Scratch<'_>,
    bodies: &mut dyn FnMut(&Id, &mut [u8]) -> Option<usize>,
    verifier: &mut dyn Verify,
) -> Result<Closed, CloseError> {
    let room = after
        .len()
        .min(usize::try_from(before.genesis.max_members).unwrap_or(usize::MAX));
    let after = after.get_mut(..room).unwrap_or(&mut []);
    let locks = Locks::begin(before.locks, locks);
    let locks = locks.ok_or(CloseError::Ledger(LedgerError::Memory))?;
    let settlement = Settlement::begin(before.records, after, locks).map_err(CloseError::Ledger)?;
    let mut run = Run {
        before,
        settlement,
        leaves,
        count: 0,
        failed: None,
    };
    let outcome = tangle
        .evaluate(trim, tables, scratch, |verdict: &Verdict| {
            run.take(tangle, verdict, bodies, verifier);
        })
        .map_err(CloseError::Trim)?;
    if let Some(error) = run.failed {
        return Err(error);
    }
    let g0 = outcome.g0.unwrap_or(before.g0);
    let end = End {
        g0,
        cut: outcome.cut,
        grace: before.genesis.period,
        neighbourhood: before.neighbourhood,
        deposits: before.deposits,
    };
    let settled = run.settlement.finish(&end).map_err(CloseError::Ledger)?;
    let header = Header {
        neighbourhood: before.neighbourhood,
        number: before
            .number
            .checked_add(1)
            .ok_or(CloseError::Header(PospError::Header))?,
        previous: before.hash,
        trim: *trim,
        cut: outcome.cut,
        g0,
        count: settled.count,
        state_root: settled.state_root,
        exits_root: settled.exits_root,
        table_root: settled.table_root,
        members: u32::try_from(settled.members).map_err(|_| CloseError::TooMany)?,
        weight: settled.weight,
        set_hash: before.next_set,
        total_value: settled.total_value,
        first_time: settled.first_time,
        last_time: settled.last_time,
    };
    Ok(Closed {
        header,
        outcome,
        settled,
    })
}

impl Run<'_, '_> {
    fn take(
        &mut self,
        tangle: &Tangle<'_>,
        verdict: &Verdict,
        bodies: &mut dyn FnMut(&Id, &mut [u8]) -> Option<usize>,
        verifier: &mut dyn Verify,
    ) {
        if self.failed.is_some() || !verdict.lives {
            return;
        }
        if let Err(error) = self.settle(tangle, &verdict.facts, bodies, verifier) {
            self.failed = Some(error);
        }
    }

    fn settle(
        &mut self,
        tangle: &Tangle<'_>,
        facts: &Facts,
        bodies: &mut dyn FnMut(&Id, &mut [u8]) -> Option<usize>,
        verifier: &mut dyn Verify,
    ) -> Result<(), CloseError> {
        let mut buffer = [0u8; MAX_FRAME];
        let mut revoked: Vec<MemberIndex, MAX_REVOKED> = Vec::new();
        let effect = match facts.effect {
            Effect::None | Effect::Trim { .. } => Settles::None,
            Effect::Transfer { to, amount, .. } => Settles::Transfer { to, amount },
            Effect::Evidence { offender } => Settles::Evidence { offender },
            Effect::Exit { .. }
            | Effect::Lock { .. }
            | Effect::Claim
            | Effect::Member
            | Effect::Join => {
                let missing = CloseError::BodyMissing(facts.id);
                let len = bodies(&facts.id, &mut buffer).ok_or(missing)?;
                let bytes = buffer.get(..len).ok_or(missing)?;
                let cose = Reader::new(bytes).item().map_err(|_| missing)?;
                let tx = Unverified::parse(cose).map_err(|_| missing)?;
                if tx.id(&self.before.neighbourhood) != facts.id {
                    return Err(missing);
                }
                self.read_effect(facts, &tx.payload().body, &mut revoked, verifier)
            }
        };
        let debits = tangle.debits(&facts.id).unwrap_or(Amount(0));
        self.settlement
            .apply(&Entry {
                id: facts.id,
                issuer: facts.issuer,
                number: facts.number,
                time: facts.time,
                debits,
                lives: true,
                effect,
            })
            .map_err(CloseError::Ledger)?;
        let leaf = self.leaves.get_mut(self.count).ok_or(CloseError::TooMany)?;
        *leaf = facts.id;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// What is not in the facts. A member operation or a claim that proves false has no effect: its transaction lives, as its issuer's.
    fn read_effect<'e>(
        &self,
        facts: &Facts,
        body: &Body<'_>,
        revoked: &'e mut Vec<MemberIndex, MAX_REVOKED>,
        verifier: &mut dyn Verify,
    ) -> Settles<'e> {
        match body {
            Body::Exit { amount, target, .. } => Settles::Exit {
                amount: *amount,
                target: *target,
            },
            Body::Lock {
                to,
                amount,
                term,
                terms,
                ..
            } => Settles::Lock {
                to: *to,
                amount: *amount,
                term: *term,
                terms: *terms,
            },
            Body::Claim { lock, last, proof } => {
                let lock = self.settlement.lock(lock);
                let Some(lock) = lock.filter(|lock| lock.to == facts.issuer) else {
                    return Settles::None;
                };
                let record = |of: MemberIndex| self.before.records.get(usize::from(of.0));
                let Some(payer) = record(lock.payer) else {
                    return Settles::None;
                };
                let context = Context {
                    neighbourhood: &self.before.neighbourhood,
                    payer: &payer.device,
                    key_of: &|reader| record(reader).map(|r| r.key),
                };
                match lock.after(proof, &context, verifier) {
                    Ok(lock) => Settles::Claim { lock, last: *last },
                    Err(_) => Settles::None,
                }
            }
            Body::Member(MemberOp::Leave) => Settles::Leave,
            Body::Member(MemberOp::Join {
                certificates,
                proof,
            }) => {
                let mut chain: Vec<&[u8], 2> = Vec::new();
                let _ = chain.push(certificates.first);
                if let Some(second) = certificates.second {
                    let _ = chain.push(second);
                }
                // The time of the transaction, not the clock: everybody must see the same certificate as valid. What was revoked before
                // the GL-node's own list says; it does not issue such a join.
                let verified = enrol::verify(
                    &chain,
                    &Signature(**proof),
                    self.before.authority,
                    self.before.anchors,
                    Seconds(facts.time.0 / 1000),
                    |_, _| false,
                    verifier,
                );
                let device = verified.ok();
                match device.and_then(|d| d.kind.joins_as().map(|roles| (d.key, roles))) {
                    Some((key, roles)) => Settles::Join {
                        key,
                        roles,
                        caps: self.before.genesis.caps,
                    },
                    None => Settles::None,
                }
            }
            Body::Member(MemberOp::Rotate { key, consent }) => {
                let Some(record) = self.before.records.get(usize::from(facts.issuer.0)) else {
                    return Settles::None;
                };
                let consents = rotation::verify(
                    &self.before.neighbourhood,
                    &record.device,
                    facts.number,
                    &record.key,
                    key,
                    &Signature(**consent),
                    verifier,
                );
                match consents {
                    Ok(()) => Settles::Rotate { key: *key },
                    Err(_) => Settles::None,
                }
            }
            Body::Member(MemberOp::Revoke { list }) => {
                let Ok(list) = RevocationList::parse(list) else {
                    return Settles::None;
                };
                // The ledger does not say who certified whom: that an anchor names its own devices only, the GL-node looks after.
                let mut scratch = [0u8; MAX_FRAME];
                let mut signed =
                    |by: &PublicKey, scratch: &mut [u8]| list.verify(by, verifier, scratch).is_ok();
                if !signed(self.before.authority, &mut scratch)
                    && !self
                        .before
                        .anchors
                        .iter()
                        .any(|anchor| signed(anchor, &mut scratch))
                {
                    return Settles::None;
                }
                // A certificate id of 16 bytes that opens a device id names that device (protocol section 2.3).
                for record in self.before.records {
                    let named = record
                        .device
                        .0
                        .get(..16)
                        .is_some_and(|cti| list.contains(cti));
                    if named && !record.roles.has(Roles::LEFT) {
                        let _ = revoked.push(record.index);
                    }
                }
                Settles::Revoke { members: revoked }
            }
            _ => Settles::None,
        }
    }
}

/// The epoch tree of a header: its root, from the header's payload and the accepted ids.
///
/// # Errors
/// [`PospError::Path`] for more leaves than a tree has.
pub fn epoch_root(payload: &[u8], accepted: &[Id]) -> Result<Id, PospError> {
    let mut tree = Tree::new();
    for leaf in epoch_leaves(payload, accepted) {
        tree.push(leaf)?;
    }
    Ok(tree.root())
}

/// Leaves of the epoch tree: the header's payload, then the accepted ids.
fn epoch_leaves(payload: &[u8], accepted: &[Id]) -> impl Iterator<Item = Id> {
    let hashes = accepted.iter().map(|id| merkle::leaf_hash(&id.0));
    core::iter::once(merkle::leaf_hash(payload)).chain(hashes)
}

/// How many leaves the epoch tree has.
///
/// # Errors
/// [`PospError::Header`] for more than can be counted.
pub fn epoch_size(accepted: &[Id]) -> Result<u32, PospError> {
    let size = u32::try_from(accepted.len()).ok();
    size.and_then(|n| n.checked_add(1)).ok_or(PospError::Header)
}

/// All nodes of the epoch tree, over `memory` of [`Levels::memory`] ids for [`epoch_size`] leaves: any path in O(log n).
///
/// # Errors
/// [`PospError::Path`] for a short `memory`, [`PospError::Header`] for more leaves than can be counted.
pub fn epoch_levels<'m>(
    payload: &[u8],
    accepted: &[Id],
    memory: &'m mut [Id],
) -> Result<Levels<'m>, PospError> {
    let size = epoch_size(accepted)?;
    for (node, leaf) in memory.iter_mut().zip(epoch_leaves(payload, accepted)) {
        *node = leaf;
    }
    Ok(Levels::build(memory, size)?)
}

/// The path of a leaf of the epoch tree; leaf 0 is the header. Returns how many ids were written to `out`.
///
/// # Errors
/// [`PospError::Path`] for a leaf that the tree does not have, or a short `out`; [`PospError::Header`] for more leaves than can be counted.
pub fn epoch_path(
    payload: &[u8],
    accepted: &[Id],
    leaf: u32,
    out: &mut [Id],
) -> Result<usize, PospError> {
    let size = epoch_size(accepted)?;
    let leaf_hash = |index: u32| match index.checked_sub(1) {
        None => merkle::leaf_hash(payload),
        Some(i) => accepted
            .get(i as usize)
            .map_or(merkle::empty_root(), |id| merkle::leaf_hash(&id.0)),
    };
    Ok(merkle::path(leaf, size, leaf_hash, out)?)
}

/// Writes a header's payload.
///
/// # Errors
/// [`PospError::Wire`] where `out` is too short.
pub fn header_payload<'o>(header: &Header, out: &'o mut [u8]) -> Result<&'o [u8], PospError> {
    let mut w = Writer::new(out);
    header.encode(&mut w)?;
    Ok(w.into_written())
}
