//! Revocation lists: who may not enrol, and who is put out of the ledger.
//!
//! Invariant: a list that cannot be read or that no anchor signed changes nothing, and what was revoked stays so while the gateway
//! runs. A member is put out by one chained `member` transaction with a list that names it (protocol sections 2.3 and 3); the list is
//! noted in the store in the commit that holds the submission, so a restart does not make a second one.
//!
//! Settlement takes the list of any anchor, since the ledger does not say who certified whom. So the gateway looks: the neighbourhood's
//! authority may put out every member, another anchor only those whose certificate chain it signed. And it goes slowly enough that
//! more than two thirds of each table that counts are still there to end the epoch.

use crate::authority::parse_revocations;
use crate::daemon::GlNode;
use crate::store::Store;
use anyhow::{Context, Result, anyhow};
use iotedge_core::crypto::{PublicKey, sha256};
use iotedge_core::identity::revocation::RevocationList;
use iotedge_core::identity::{Certificate, CoseKey, Kid, Record};
use iotedge_core::node::{Refusal, Submission, join_operation};
use iotedge_core::tx::MemberOp;
use iotedge_core::{Epoch, Id, MemberIndex, Millis};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tracing::{error, info, warn};

/// Files are looked at this often.
const LOOK: u64 = 2_000;
/// The longest list that fits a payload of 480 bytes beside everything else; 18 ids.
const MAX_LIST: usize = 420;
/// Pause where the outbox is full.
const RETRY: u64 = 500;
/// A revocation that has no effect after so many epochs is submitted again: what it was in died.
const PATIENCE: u32 = 2;

/// When a file was last changed, and its length.
type Stamp = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// The lists that `revocations` names.
pub struct Revocations {
    paths: Vec<PathBuf>,
    anchors: Vec<PublicKey>,
    lists: Vec<(PublicKey, Vec<u8>)>,
    stamp: Stamp,
    next_look: Millis,
    /// The epoch whose table was last held against the lists.
    done: Option<Epoch>,
    /// Not before this, where the outbox was full.
    retry: Millis,
    /// Devices that no list can put out; said once.
    complained: HashSet<[u8; 32]>,
}

impl Revocations {
    /// Reads the lists.
    ///
    /// # Errors
    /// Names the file that is wrong.
    pub fn new(paths: &[PathBuf], anchors: &[PublicKey]) -> Result<Self> {
        let stamp = stamp(paths);
        Ok(Self {
            paths: paths.to_vec(),
            anchors: anchors.to_vec(),
            lists: load(paths, anchors).context("revocations")?,
            stamp,
            next_look: Millis(0),
            done: None,
            retry: Millis(0),
            complained: HashSet::new(),
        })
    }

    /// Whether one of the lists revokes the certificate `cti` of `signer`.
    #[must_use]
    pub fn is_revoked(&self, signer: &PublicKey, cti: &[u8]) -> bool {
        is_revoked(&self.lists, signer, cti)
    }

    /// Whether the files changed since they were read, or `now` is not due yet.
    pub fn due(&mut self, now: Millis) -> bool {
        if now < self.next_look {
            return false;
        }
        self.next_look = Millis(now.0 + LOOK);
        stamp(&self.paths) != self.stamp
    }

    /// Reads the files again. A list that was there and is gone or damaged stays as it was.
    pub fn reload(&mut self) {
        self.stamp = stamp(&self.paths);
        match load(&self.paths, &self.anchors) {
            Ok(lists) => {
                let mut now = lists;
                let gone = self
                    .lists
                    .drain(..)
                    .filter(|(by, old)| !covered(by, old, &now))
                    .collect::<Vec<_>>();
                now.extend(gone);
                self.lists = now;
                self.done = None;
                info!(lists = self.lists.len(), "revocation lists read");
            }
            Err(error) => {
                error!(error = %format!("{error:#}"), "revocations: the lists read before stay")
            }
        }
    }

    /// Submits what is needed to put out every member that a list names. `records` is the newest settled table, of `epoch`.
    ///
    /// # Errors
    /// The store failed.
    pub fn put_out(
        &mut self,
        store: &Store,
        node: &mut GlNode,
        now: Millis,
        epoch: Epoch,
        authority: &PublicKey,
    ) -> Result<()> {
        if self.lists.is_empty() || self.done == Some(epoch) || now < self.retry {
            return Ok(());
        }
        let parsed: Vec<(&PublicKey, &[u8], RevocationList<'_>)> = self
            .lists
            .iter()
            .filter_map(|(by, bytes)| Some((by, &bytes[..], RevocationList::parse(bytes).ok()?)))
            .collect();
        let own = node.genesis().map(|g| g.gl_node);
        let members: Vec<Record> = node
            .tables()
            .records(epoch)
            .unwrap_or(&[])
            .iter()
            .filter(|r| r.may_issue() && parsed.iter().any(|(_, _, list)| names(list, &r.device)))
            .copied()
            .collect();
        let signers = if members.is_empty() {
            HashMap::new()
        } else {
            signers(store)?
        };
        let may = |by: &PublicKey, device: &Id| {
            by == authority
                || signers
                    .get(device)
                    .is_some_and(|kids| kids.contains(&CoseKey::kid(by)))
        };
        let entitled = |by: &PublicKey, list: &RevocationList<'_>| {
            members
                .iter()
                .filter(|m| names(list, &m.device))
                .all(|m| may(by, &m.device) && Some(m.index) != own)
        };
        let mut plans = Vec::new();
        for member in &members {
            // The shortest that fits, and that puts out nobody whom its signer has no say over.
            let found = parsed
                .iter()
                .filter(|(by, bytes, list)| {
                    bytes.len() <= MAX_LIST && names(list, &member.device) && entitled(by, list)
                })
                .min_by_key(|(_, bytes, _)| bytes.len());
            match found {
                Some((_, bytes, list)) => {
                    let goes = members.iter().filter(|m| names(list, &m.device));
                    let goes: Vec<MemberIndex> = goes.map(|m| m.index).collect();
                    let noted = noted(store, bytes)?;
                    let flies = noted.is_some_and(|since| epoch.0 < since.saturating_add(PATIENCE));
                    plans.push((flies, *bytes, goes));
                }
                None => Self::complain(&mut self.complained, member, Some(member.index) == own),
            }
        }
        // What is on its way first: it counts as gone.
        plans.sort_by_key(|(flies, ..)| !flies);
        let mut gone = Vec::new();
        for (flies, bytes, goes) in plans {
            if !flies && goes.iter().all(|m| gone.contains(m)) {
                continue;
            }
            let would: Vec<MemberIndex> = gone.iter().chain(&goes).copied().collect();
            if !flies {
                // One list at a time, or a tenth of the weight: what decision 0010 counts on where tables change.
                let slow = gone.is_empty() || a_tenth_at_most(node, epoch, &would);
                if !slow || !goes_on_without(node, epoch, &would) {
                    info!(members = ?goes, "a revocation waits until the tables have followed: too much weight would go at once");
                    continue;
                }
                if !submit(store, node, now, epoch, bytes, &goes)? {
                    self.retry = Millis(now.0 + RETRY);
                    return Ok(());
                }
            }
            gone = would;
        }
        self.done = Some(epoch);
        Ok(())
    }

    fn complain(complained: &mut HashSet<[u8; 32]>, member: &Record, is_self: bool) {
        if !complained.insert(member.device.0) {
            return;
        }
        let device = crate::keys::id_text(member.device);
        if is_self {
            error!(%device, "a revocation list names this gateway itself: found the neighbourhood again with another GL-node");
        } else {
            error!(%device, "revoked, but no list can put it out of the ledger: it must be signed by the neighbourhood's authority or by who certified the device, name nobody else's devices, and have at most 18 ids; `ca revoke` writes one for each id to `notices`, name that folder under revocations");
        }
    }
}

fn a_tenth_at_most(node: &GlNode, epoch: Epoch, gone: &[MemberIndex]) -> bool {
    let records = node.tables().records(epoch).unwrap_or(&[]);
    let weight = |r: &Record| u64::from(r.weight.0);
    let total: u64 = records.iter().map(weight).sum();
    let goes = records.iter().filter(|r| gone.contains(&r.index));
    10 * goes.map(weight).sum::<u64>() <= total
}

/// Whether epochs can still end when these members are silent: who spoke since the newest cut outweighs two thirds of each table that
/// the next trims are held against (protocol section 3, DESIGN 5.5). Revoked too fast, a neighbourhood would stop for ever.
fn goes_on_without(node: &GlNode, epoch: Epoch, gone: &[MemberIndex]) -> bool {
    let tables = node.tables();
    let cut = node.headers().cut();
    (0..3).filter_map(|n| epoch.0.checked_sub(n)).all(|of| {
        let Some(records) = tables.records(Epoch(of)) else {
            return true;
        };
        let weight = |r: &Record| u64::from(r.weight.0);
        let total: u64 = records.iter().map(weight).sum();
        let stays: u64 = records
            .iter()
            .filter(|r| {
                !gone.contains(&r.index)
                    && tables.get(epoch, r.index).is_some_and(Record::may_issue)
                    && node.tangle().head_time(r.index).is_some_and(|t| t > cut)
            })
            .map(weight)
            .sum();
        3 * stays > 2 * total
    })
}

fn note(list: &[u8]) -> String {
    format!("revoked/{}", hex::encode(sha256(&[list])))
}

/// The epoch in which the list was last submitted.
fn noted(store: &Store, list: &[u8]) -> Result<Option<u32>> {
    let bytes = store.meta(&note(list))?;
    Ok(bytes.and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?))))
}

/// Submits one list; `false` where there was no room.
fn submit(
    store: &Store,
    node: &mut GlNode,
    now: Millis,
    epoch: Epoch,
    list: &[u8],
    members: &[MemberIndex],
) -> Result<bool> {
    let mut out = [0; 512];
    let submitted = join_operation(&MemberOp::Revoke { list }, &mut out)
        .and_then(|len| node.submit(now, &Submission::Member(&out[..len]), None));
    match submitted {
        Ok(_) => {
            store.put_meta(&note(list), &epoch.0.to_be_bytes())?;
            info!(?members, "revocation submitted");
            Ok(true)
        }
        Err(Refusal::OutboxFull) => Ok(false),
        Err(refusal) => {
            warn!(
                ?members,
                refusal = refusal.name(),
                "a revocation cannot be submitted"
            );
            Ok(true)
        }
    }
}

/// Whether every id of an older list is in one of these by the same authority.
fn covered(by: &PublicKey, old: &[u8], lists: &[(PublicKey, Vec<u8>)]) -> bool {
    RevocationList::parse(old).is_ok_and(|old| old.ids().all(|id| is_revoked(lists, by, id)))
}

/// A certificate id of 16 bytes that opens a device id names that device.
fn names(list: &RevocationList<'_>, device: &Id) -> bool {
    list.contains(&device.0[..16])
}

/// Who signed the links of each enrolled device's chain, by kid. The chains were verified when they were stored.
fn signers(store: &Store) -> Result<HashMap<Id, Vec<Kid>>> {
    let enrolments = store.enrolments()?;
    let kids = |chain: &[Vec<u8>]| {
        chain
            .iter()
            .filter_map(|c| Certificate::parse(c).ok()?.signer_kid().ok())
            .collect()
    };
    Ok(enrolments
        .iter()
        .map(|e| (e.device, kids(&e.chain)))
        .collect())
}

/// Lists with who signed each; a folder stands for every `*.crl` in it.
///
/// # Errors
/// Names the list that none of the anchors signed.
pub fn load(paths: &[PathBuf], anchors: &[PublicKey]) -> Result<Vec<(PublicKey, Vec<u8>)>> {
    let mut lists = Vec::new();
    for path in files(paths)? {
        let bytes =
            std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let signer = anchors
            .iter()
            .find(|key| parse_revocations(&bytes, key).is_ok())
            .copied();
        let signer = signer.ok_or_else(|| {
            anyhow!(
                "{}: signed by none of the anchors; pin its authority, or take the list away",
                path.display()
            )
        })?;
        lists.push((signer, bytes));
    }
    Ok(lists)
}

/// Whether one of the lists revokes the certificate `cti` of `signer`.
#[must_use]
pub fn is_revoked(lists: &[(PublicKey, Vec<u8>)], signer: &PublicKey, cti: &[u8]) -> bool {
    lists
        .iter()
        .filter(|(by, _)| by == signer)
        .any(|(_, bytes)| RevocationList::parse(bytes).is_ok_and(|list| list.contains(cti)))
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path)
            .with_context(|| format!("{}: cannot be read", path.display()))?;
        let mut inside = Vec::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("{}: cannot be read", path.display()))?;
            if entry.path().extension().is_some_and(|e| e == "crl") {
                inside.push(entry.path());
            }
        }
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn stamp(paths: &[PathBuf]) -> Stamp {
    let look = |path: &Path| {
        let data = std::fs::metadata(path).ok();
        let time = data.as_ref().and_then(|d| d.modified().ok());
        (path.to_owned(), time, data.map_or(0, |d| d.len()))
    };
    files(paths)
        .unwrap_or_default()
        .iter()
        .map(|path| look(path))
        .collect()
}
