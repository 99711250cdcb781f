//! Who becomes a member: enrolments, the founding, and later joins.
//!
//! Invariant: an enrolment counts once its chain, its proof of possession and the revocation lists were checked, and it is in
//! the store before it is answered. The founding happens once: genesis, set and first table are committed together before the
//! genesis is shown to anybody. Protocol sections 2.1 to 2.3 and 6.

use crate::appraisal::{Appraisal, Verdict};
use crate::check::Trust;
use crate::config::Config;
use crate::daemon::GlNode;
use crate::revocation::Revocations;
use crate::service::Neighbourhood;
use crate::store::{Store, StoredEnrolment};
use anyhow::{Result, anyhow};
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Software, Suite, sha256};
use iotedge_core::identity::enrol::{self, EnrolError};
use iotedge_core::identity::genesis::{MAX_GENESIS, g0};
use iotedge_core::identity::record::MAX_RECORD;
use iotedge_core::identity::{Caps, CertError, Genesis, Kind, MemberTable, Record, Roles, Seconds};
use iotedge_core::node::{Refusal, Submission, join_operation};
use iotedge_core::posp::{MAX_SET, ValidatorSet};
use iotedge_core::tx::MemberOp;
use iotedge_core::wire::frame::CHALLENGE;
use iotedge_core::wire::{Certificates, EnrolStatus, Writer};
use iotedge_core::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis};
use std::collections::HashMap;

/// Enrolments remembered as checked, so that a repeated one costs a hash.
const REMEMBERED: usize = 4_096;
/// Checks of chains and proofs in one second: an enrolment costs up to three signature checks.
const CHECKS_PER_SECOND: u32 = 200;

/// The checks, and what was asked for.
pub struct Admission {
    authority: PublicKey,
    pub anchors: Vec<PublicKey>,
    revocations: Revocations,
    es256: bool,
    max_leaves: u16,
    appraisal: Appraisal,
    checked: HashMap<[u8; 32], Checked>,
    /// Devices whose join was submitted, with the epoch in which it was and what they are.
    joining: HashMap<Id, (Epoch, Kind)>,
    second: u64,
    checks: u32,
    /// Enrolments refused.
    pub refused: u64,
}

/// A device whose chain and proof hold.
#[derive(Clone, Copy)]
struct Checked {
    device: Id,
    key: PublicKey,
    /// Device or leaf.
    kind: Kind,
}

/// What an ENROL frame comes to.
pub struct Answer {
    pub device: Id,
    /// What it is to answer with an attestation.
    pub challenge: Option<[u8; CHALLENGE]>,
    /// How it stands, where that is to be told.
    pub status: Option<EnrolStatus>,
    pub index: Option<MemberIndex>,
}

/// An ENROL frame, as it came.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub certificates: &'a Certificates<'a>,
    pub proof: &'a [u8; 64],
    pub attestation: Option<&'a [u8]>,
}

impl Admission {
    /// Loads anchors and lists.
    ///
    /// # Errors
    /// Names the file that is wrong.
    pub fn new(config: &Config, authority: PublicKey) -> Result<Self> {
        let mut anchors = config
            .anchors
            .iter()
            .map(|path| Ok(crate::keys::Anchor::load(path)?.1))
            .collect::<Result<Vec<_>>>()?;
        if !anchors.contains(&authority) {
            anchors.push(authority);
        }
        let revocations = Revocations::new(&config.revocations, &anchors)?;
        Ok(Self {
            authority,
            anchors,
            revocations,
            es256: config.policy.es256,
            max_leaves: config.policy.max_leaves,
            appraisal: Appraisal::new(config.attestation.clone(), authority),
            checked: HashMap::new(),
            joining: HashMap::new(),
            second: 0,
            checks: 0,
            refused: 0,
        })
    }

    /// Checks an enrolment and says what to answer; `None` to stay silent. A device that waits for a table is kept in the store.
    ///
    /// # Errors
    /// The store failed.
    pub fn enrol(
        &mut self,
        store: &Store,
        node: &mut GlNode,
        now: Millis,
        absolute: Millis,
        Asked {
            certificates,
            proof,
            attestation,
        }: Asked<'_>,
    ) -> Result<Option<Answer>> {
        let chain: Vec<&[u8]> = std::iter::once(certificates.first)
            .chain(certificates.second)
            .collect();
        let digest = sha256(&[&chain.concat(), proof]);
        let known = match self.checked.get(&digest) {
            Some(known) => *known,
            None => {
                if !self.may_check(absolute) {
                    return Ok(None);
                }
                match self.check(&chain, proof, absolute) {
                    Ok(known) => {
                        if self.checked.len() >= REMEMBERED {
                            self.checked.clear();
                        }
                        self.checked.insert(digest, known);
                        known
                    }
                    Err((device, status)) => {
                        self.refused += 1;
                        tracing::warn!(device = %crate::keys::id_text(device), ?status, "enrolment refused");
                        return Ok(Some(Answer {
                            device,
                            challenge: None,
                            status: Some(status),
                            index: None,
                        }));
                    }
                }
            }
        };
        let Checked { device, kind, key } = known;
        let answer = |status, index| {
            Ok(Some(Answer {
                device,
                challenge: None,
                status: Some(status),
                index,
            }))
        };
        if let Some(index) = member(node, &device) {
            self.joining.remove(&device);
            store.set_member(&device, index)?;
            return answer(EnrolStatus::Member, Some(index));
        }
        if node
            .genesis()
            .is_some_and(|g| members(node) >= g.max_members as usize)
        {
            return answer(EnrolStatus::Full, None);
        }
        if kind == Kind::Leaf && !self.has_room_for_leaf(node, now, &device) {
            return answer(EnrolStatus::Full, None);
        }
        if self.appraisal.demands() && !self.is_attested(store, &device)? {
            if attestation.is_some() && !self.may_check(absolute) {
                return Ok(None);
            }
            match self.appraisal.judge(now, &device, &key, attestation)? {
                Verdict::Passed => {
                    store.put_attestation(&device, attestation.unwrap_or_default())?;
                }
                Verdict::NotAllowed => {
                    self.refused += 1;
                    return answer(EnrolStatus::Measurement, None);
                }
                Verdict::Asked { challenge, told } => {
                    self.refused += u64::from(told);
                    return Ok(Some(Answer {
                        device,
                        challenge: Some(challenge),
                        status: told.then_some(EnrolStatus::Attestation),
                        index: None,
                    }));
                }
            }
        }
        store.put_enrolment(&StoredEnrolment {
            device,
            chain: chain.iter().map(|c| c.to_vec()).collect(),
            proof: *proof,
            member: None,
        })?;
        if node.genesis().is_some() {
            self.join(node, now, (device, kind), certificates, proof);
        }
        answer(EnrolStatus::Accepted, None)
    }

    /// Whether a device proved once what today's policy demands.
    fn is_attested(&self, store: &Store, device: &Id) -> Result<bool> {
        let eat = store.attestation(device)?;
        Ok(eat.is_some_and(|eat| self.appraisal.still_holds(&eat, device)))
    }

    /// Whether `policy.max_leaves` has room for one more: those in the table and those whose join is under way count.
    fn has_room_for_leaf(&self, node: &GlNode, now: Millis, device: &Id) -> bool {
        let epoch = node.status(now).epoch;
        let joined = records(node)
            .iter()
            .filter(|r| r.roles.has(Roles::SUBMIT_ONLY) && !r.roles.has(Roles::LEFT))
            .count();
        let under_way = self
            .joining
            .iter()
            .filter(|(id, (since, kind))| {
                *id != device && *kind == Kind::Leaf && is_under_way(*since, epoch)
            })
            .count();
        joined + under_way < usize::from(self.max_leaves)
    }

    /// Reads the revocation lists again where they changed, or at once.
    pub fn look_for_revocations(&mut self, now: Millis, at_once: bool) {
        if self.revocations.due(now) || at_once {
            self.revocations.reload();
            // Whoever enrols is checked against the new lists.
            self.checked.clear();
        }
    }

    /// Puts revoked members out of the ledger, by the table of the newest settled header.
    ///
    /// # Errors
    /// The store failed.
    pub fn put_out_revoked(&mut self, store: &Store, node: &mut GlNode, now: Millis) -> Result<()> {
        let epoch = node.headers().newest().opens();
        self.revocations
            .put_out(store, node, now, epoch, &self.authority)
    }

    /// Submits the join, once per two epochs and device: a table may be limited in how many it takes.
    fn join(
        &mut self,
        node: &mut GlNode,
        now: Millis,
        (device, kind): (Id, Kind),
        certificates: &Certificates<'_>,
        proof: &[u8; 64],
    ) {
        let epoch = node.status(now).epoch;
        let waits = self
            .joining
            .get(&device)
            .is_some_and(|(since, _)| is_under_way(*since, epoch));
        if waits {
            return;
        }
        let op = MemberOp::Join {
            certificates: *certificates,
            proof,
        };
        let mut out = [0; 512];
        let submitted = join_operation(&op, &mut out)
            .and_then(|len| node.submit(now, &Submission::Member(&out[..len]), None));
        match submitted {
            Ok(_) => {
                tracing::info!(device = %crate::keys::id_text(device), ?kind, "join submitted");
                self.joining.insert(device, (epoch, kind));
            }
            Err(Refusal::OutboxFull) => {}
            Err(refusal) => {
                tracing::warn!(device = %crate::keys::id_text(device), refusal = refusal.name(), "join cannot be submitted")
            }
        }
    }

    fn check(
        &self,
        chain: &[&[u8]],
        proof: &[u8; 64],
        absolute: Millis,
    ) -> Result<Checked, (Id, EnrolStatus)> {
        let claimed = chain
            .last()
            .and_then(|c| iotedge_core::identity::Certificate::parse(c).ok())
            .map_or(Id::ZERO, |c| {
                iotedge_core::identity::CoseKey::thumbprint(&c.claims().key)
            });
        let verified = enrol::verify(
            chain,
            &Signature(*proof),
            &self.authority,
            &self.anchors,
            Seconds(absolute.0 / 1000),
            |signer, cti| {
                // The neighbourhood's authority may shut out every device, by its id (protocol section 2.3).
                self.revocations.is_revoked(signer, cti)
                    || (cti.len() == 16 && self.revocations.is_revoked(&self.authority, cti))
            },
            &mut Software,
        );
        match verified {
            Ok(verified) if verified.key.suite() == Suite::Es256 && !self.es256 => {
                tracing::warn!(
                    "a P-256 key: allowed where policy.es256 is set, and every node is built with it"
                );
                Err((verified.device.0, EnrolStatus::Certificate))
            }
            Ok(verified) => Ok(Checked {
                device: verified.device.0,
                key: verified.key,
                kind: verified.kind,
            }),
            Err(EnrolError::Certificate(CertError::Revoked)) => {
                Err((claimed, EnrolStatus::Revoked))
            }
            Err(EnrolError::Proof(_)) => Err((claimed, EnrolStatus::Proof)),
            Err(_) => Err((claimed, EnrolStatus::Certificate)),
        }
    }

    fn may_check(&mut self, absolute: Millis) -> bool {
        let second = absolute.0 / 1000;
        if second != self.second {
            self.second = second;
            self.checks = 0;
        }
        self.checks += 1;
        self.checks <= CHECKS_PER_SECOND
    }

    /// Makes the neighbourhood of everyone enrolled so far. Everything is written to the store, in the turn of the caller.
    ///
    /// # Errors
    /// The parameters are not allowed, or the store failed.
    pub fn found(
        &self,
        config: &Config,
        store: &Store,
        secret: &SecretKey,
        gl_node: PublicKey,
        start: Millis,
    ) -> Result<Neighbourhood> {
        let set = validator_set(config)?;
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce)
            .map_err(|e| anyhow!("the operating system gave no randomness ({e})"))?;
        let policy = &config.policy;
        let caps = Caps {
            tx: Amount(policy.cap_transaction),
            peer: Amount(policy.cap_peer),
            exposure: Amount(policy.cap_exposure),
        };
        let g0 = g0(&nonce, config.founding.chain_id);
        let grant = Amount(policy.grant);
        let mut records = vec![Record::enrolled(
            MemberIndex(0),
            gl_node,
            Roles::GL_NODE.with(Roles::FULL_NODE),
            caps,
            grant,
            g0,
        )];
        let mut leaves = 0;
        for enrolment in store.enrolments()? {
            if records.len() >= usize::from(policy.max_members) {
                break;
            }
            let chain: Vec<&[u8]> = enrolment.chain.iter().map(Vec::as_slice).collect();
            // Checked again: a list may have come since, or a certificate run out.
            let Ok(Checked { device, key, kind }) = self.check(&chain, &enrolment.proof, start)
            else {
                tracing::warn!(device = %crate::keys::id_text(enrolment.device), "no longer admitted; left out of the founding");
                continue;
            };
            if self.appraisal.demands() && !self.is_attested(store, &device)? {
                tracing::warn!(device = %crate::keys::id_text(device), "not attested as policy demands; left out of the founding");
                continue;
            }
            let roles = kind.joins_as().unwrap_or(Roles::NONE);
            if roles.has(Roles::SUBMIT_ONLY) {
                if leaves >= policy.max_leaves {
                    continue;
                }
                leaves += 1;
            }
            let index = MemberIndex(u16::try_from(records.len())?);
            records.push(Record::enrolled(index, key, roles, caps, grant, g0));
            store.set_member(&device, index)?;
        }
        let count = records.len();
        let mut copy = records.clone();
        let table =
            MemberTable::adopt(&mut copy, count).map_err(|e| anyhow!("founding table: {e:?}"))?;
        let genesis = Genesis {
            nonce,
            chain_id: config.founding.chain_id,
            start,
            period: Millis(policy.period_ms),
            parent_age: Millis(policy.p_max()),
            neighbours: policy.witnesses,
            caps,
            grant,
            max_members: policy.max_members.into(),
            gl_node: MemberIndex(0),
            members: u32::try_from(count)?,
            weight: table.total_weight(),
            table_root: table.root().map_err(|e| anyhow!("founding table: {e:?}"))?,
            validator_set: set.hash(),
            set_age: Millis(policy.set_age_ms),
        };
        genesis
            .check_founders(&table)
            .map_err(|e| anyhow!("founding: {e:?}"))?;
        let mut out = [0; MAX_GENESIS];
        let len = genesis.sign(secret, &mut out).map_err(|e| {
            anyhow!(
                "{}: policy: the genesis refuses it: {e:?}",
                config.file.display()
            )
        })?;
        let genesis = out[..len].to_vec();
        let mut buffer = vec![0; MAX_SET];
        let mut w = Writer::new(&mut buffer);
        set.encode(&mut w)
            .map_err(|e| anyhow!("validator set: {e:?}"))?;
        let set = w.written().to_vec();
        let encoded = records.iter().map(encode).collect::<Result<Vec<_>>>()?;
        store.put_table(Epoch(1), encoded.iter().map(Vec::as_slice))?;
        store.put_meta("genesis", &genesis)?;
        store.put_meta("set", &set)?;
        let trust = Trust::new(&genesis, &set, &self.authority)?;
        Ok(Neighbourhood {
            trust,
            genesis,
            set,
        })
    }
}

/// Whether a join submitted in this epoch may still be settled.
const fn is_under_way(since: Epoch, now: Epoch) -> bool {
    now.0 < since.0.saturating_add(2)
}

/// Whether a stored enrolment is that of a leaf, which founds nothing: it has no weight.
#[must_use]
pub fn is_leaf(enrolment: &StoredEnrolment) -> bool {
    let own = enrolment.chain.last();
    own.and_then(|c| iotedge_core::identity::Certificate::parse(c).ok())
        .is_some_and(|c| c.claims().kind == Kind::Leaf)
}

/// The set of the first term, from the configuration.
///
/// # Errors
/// No validator, or one that is not Ed25519.
pub fn validator_set(config: &Config) -> Result<ValidatorSet> {
    let validators = config
        .validators
        .iter()
        .map(|v| {
            let key = crate::keys::public_key(&v.public_key)?;
            let key = <[u8; 32]>::try_from(key.bytes()).map_err(|_| {
                anyhow!(
                    "{}: validator.public_key: validators sign with Ed25519",
                    config.file.display()
                )
            })?;
            Ok(iotedge_core::posp::Validator {
                key,
                stake: v.stake,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    ValidatorSet::new(1, HeaderNumber(1), &validators).map_err(|_| {
        anyhow!(
            "{}: validator: at least one [[validator]] is needed to found a neighbourhood",
            config.file.display()
        )
    })
}

/// The encoding of a record.
///
/// # Errors
/// A record that must not be.
pub fn encode(record: &Record) -> Result<Vec<u8>> {
    let mut buffer = [0; MAX_RECORD];
    let mut w = Writer::new(&mut buffer);
    record
        .encode(&mut w)
        .map_err(|e| anyhow!("record {}: {e:?}", record.index))?;
    Ok(w.written().to_vec())
}

fn records(node: &GlNode) -> &[Record] {
    let newest = node.headers().newest().opens();
    let tables = node.tables();
    tables
        .records(newest)
        .or_else(|| tables.records(Epoch(newest.0.saturating_sub(1))))
        .unwrap_or(&[])
}

fn members(node: &GlNode) -> usize {
    records(node).len()
}

/// The index of a device in the newest table.
#[must_use]
pub fn member(node: &GlNode, device: &Id) -> Option<MemberIndex> {
    records(node)
        .iter()
        .find(|r| r.device == *device && !r.roles.has(Roles::LEFT))
        .map(|r| r.index)
}
