//! What any of the protocol's bytes say, as JSON for programs and as indented text for people.
//!
//! Invariant: nothing is shown that a strict reader refuses, and nothing is called verified: only `verify` checks signatures. A
//! type is detected by reading the bytes as each format in turn; the formats are disjoint (their first bytes differ, or their
//! shapes do), so at most one reading succeeds.

mod near;
mod signed;
mod statement;
mod transaction;

pub use statement::{CoseReceipt, Statement};

use anyhow::{Result, anyhow, bail};
use iotedge_core::crypto::PublicKey;
use iotedge_core::identity::{CoseKey, Record, Roles};
use iotedge_core::posp::{Header, Receipt, ValidatorSet};
use iotedge_core::tx::Attachment;
use iotedge_core::wire::Frame;
use serde_json::{Map, Value, json};

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// A datagram: tag, type, body.
    Frame,
    /// COSE_Sign1 of a transaction, with its attachment where there is one.
    Transaction,
    /// Device certificate (CWT).
    Certificate,
    /// Attestation of a device's state (EAT).
    Attestation,
    /// Compact receipt (protocol 7.3).
    Receipt,
    /// RFC 9942: a statement with its receipts, or one COSE Receipt.
    Statement,
    /// COSE_Sign1 of a macro transaction.
    Macro,
    /// Attachment with a proof of equivocation (protocol 4.1).
    Evidence,
    /// COSE_Sign1 of a genesis.
    Genesis,
    /// Member record.
    Record,
    /// COSE_Key.
    CoseKey,
    /// Validator set.
    Set,
    /// Revocation list.
    Revocations,
}

impl What {
    const ALL: [Self; 13] = [
        Self::Frame,
        Self::Transaction,
        Self::Certificate,
        Self::Attestation,
        Self::Macro,
        Self::Genesis,
        Self::Revocations,
        Self::Statement,
        Self::Receipt,
        Self::Evidence,
        Self::Record,
        Self::CoseKey,
        Self::Set,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Transaction => "transaction",
            Self::Certificate => "certificate",
            Self::Attestation => "attestation",
            Self::Receipt => "receipt",
            Self::Statement => "statement",
            Self::Macro => "macro",
            Self::Evidence => "evidence",
            Self::Genesis => "genesis",
            Self::Record => "record",
            Self::CoseKey => "cose-key",
            Self::Set => "set",
            Self::Revocations => "revocations",
        }
    }

    fn read(self, bytes: &[u8]) -> Result<Value> {
        match self {
            Self::Frame => frame(bytes),
            Self::Transaction => transaction::transaction(bytes),
            Self::Certificate => signed::certificate(bytes),
            Self::Attestation => signed::attestation(bytes),
            Self::Receipt => receipt(bytes),
            Self::Statement => statement::describe(bytes),
            Self::Macro => signed::macro_transaction(bytes),
            Self::Evidence => evidence(bytes),
            Self::Genesis => signed::genesis(bytes),
            Self::Record => record(bytes),
            Self::CoseKey => cose_key(bytes),
            Self::Set => set(bytes),
            Self::Revocations => signed::revocations(bytes),
        }
    }
}

/// Reads `bytes` as what they are said to be, or as what they turn out to be.
///
/// # Errors
/// The bytes are nothing of the protocol, or not what they are said to be; the text says why.
pub fn inspect(bytes: &[u8], what: Option<What>) -> Result<Value> {
    let wrap = |what: What, value: Value| {
        let mut map = Map::new();
        map.insert("type".into(), what.word().into());
        map.insert("bytes".into(), bytes.len().into());
        if let Value::Object(fields) = value {
            map.extend(fields);
        }
        Value::Object(map)
    };
    if let Some(what) = what {
        let value = what
            .read(bytes)
            .map_err(|e| anyhow!("not a {}: {e:#}", what.word()))?;
        return Ok(wrap(what, value));
    }
    for what in What::ALL {
        if let Ok(value) = what.read(bytes) {
            return Ok(wrap(what, value));
        }
    }
    bail!(
        "{} bytes that are nothing of the protocol; name what they should be with --as to learn why they are not",
        bytes.len()
    )
}

/// The same as indented text.
#[must_use]
pub fn text(value: &Value) -> String {
    fn write(value: &Value, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('_', " ");
                    match value {
                        Value::Object(_) | Value::Array(_) if !is_empty(value) => {
                            out.push_str(&format!("{pad}{key}:\n"));
                            write(value, depth + 1, out);
                        }
                        _ => out.push_str(&format!("{pad}{key}: {}\n", scalar(value))),
                    }
                }
            }
            Value::Array(list) => {
                for (n, value) in list.iter().enumerate() {
                    match value {
                        Value::Object(_) | Value::Array(_) => {
                            out.push_str(&format!("{pad}[{n}]\n"));
                            write(value, depth + 1, out);
                        }
                        _ => out.push_str(&format!("{pad}{}\n", scalar(value))),
                    }
                }
            }
            _ => out.push_str(&format!("{pad}{}\n", scalar(value))),
        }
    }
    fn is_empty(value: &Value) -> bool {
        value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
    }
    fn scalar(value: &Value) -> String {
        match value {
            Value::String(text) if text.is_empty() => "(empty)".into(),
            Value::String(text) => text.clone(),
            Value::Null => "none".into(),
            Value::Array(_) | Value::Object(_) => "none".into(),
            other => other.to_string(),
        }
    }
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

/// Takes `Debug` errors of the core into the text.
pub(crate) fn said<E: std::fmt::Debug>(error: E) -> anyhow::Error {
    anyhow!("{error:?}")
}

fn frame(bytes: &[u8]) -> Result<Value> {
    let (tag, frame) = Frame::parse(bytes).map_err(said)?;
    let ids = |ids: Vec<String>| Value::from(ids);
    let body = match frame {
        Frame::Tx { cose, attachment } => {
            let mut whole = cose.to_vec();
            whole.extend_from_slice(attachment.unwrap_or(&[]));
            transaction::transaction(&whole)?
        }
        Frame::Announce(list) | Frame::Request(list) => {
            json!({ "prefixes": ids(list.iter().map(|p| p.to_string()).collect()) })
        }
        Frame::Beacon { now, header, tips } => json!({
            "now": now.0,
            "newest_settled_header": header.0,
            "tips": ids(tips.iter().map(|p| p.to_string()).collect()),
        }),
        Frame::Sync { first, highest } => json!({
            "first_member": first.0,
            "highest": highest.iter().map(|n| n.0).collect::<Vec<_>>(),
        }),
        Frame::Header { cose, path } => json!({
            "macro": signed::macro_transaction(cose)?,
            "path": ids(path.iter().map(|p| p.to_string()).collect()),
        }),
        Frame::Votes { header, votes } => {
            json!({ "header": header.0, "votes": self::votes(votes.iter()) })
        }
        Frame::HeaderRequest { header } => json!({ "header": header.0 }),
        Frame::ProofRequest { ids: wanted } => {
            json!({ "ids": ids(wanted.iter().map(|p| p.to_string()).collect()) })
        }
        Frame::Proof {
            header,
            id,
            leaf,
            size,
            path,
        } => json!({
            "header": header.0,
            "id": id.to_string(),
            "leaf": leaf,
            "tree_size": size,
            "path": ids(path.iter().map(|p| p.to_string()).collect()),
        }),
        Frame::TableRequest { epoch, first } => {
            json!({ "epoch": epoch.0, "first_member": first.0 })
        }
        Frame::Table {
            epoch,
            first,
            records,
        } => json!({
            "epoch": epoch.0,
            "first_member": first.0,
            "records": records.iter().map(|raw| record(raw.0)).collect::<Result<Vec<_>>>()?,
        }),
        Frame::LocksRequest { header, first } => {
            json!({ "header": header.0, "first": first })
        }
        Frame::Locks {
            header,
            first,
            locks,
        } => json!({
            "header": header.0,
            "first": first,
            "locks": locks.iter().map(|raw| transaction::lock(raw.0)).collect::<Result<Vec<_>>>()?,
        }),
        Frame::Enrol {
            certificates,
            proof,
            attestation,
        } => json!({
            "chain": std::iter::once(certificates.first).chain(certificates.second).map(signed::certificate).collect::<Result<Vec<_>>>()?,
            "proof": hex::encode(proof),
            "attestation": attestation.map(signed::attestation).transpose()?,
        }),
        Frame::Challenge { device, challenge } => json!({
            "device_id": crate::keys::id_text(device),
            "challenge": hex::encode(challenge),
        }),
        Frame::EnrolResult {
            device,
            status,
            index,
        } => json!({
            "device_id": crate::keys::id_text(device),
            "status": status as u8,
            "meaning": format!("{status:?}"),
            "index": index.map(|i| i.0),
        }),
        Frame::Genesis { cose, set: of } => {
            json!({ "genesis": signed::genesis(cose)?, "set": set(of)? })
        }
        Frame::GenesisRequest => json!({}),
        Frame::Proposal { cose, credited } => {
            json!({ "macro": signed::macro_transaction(cose)?, "credited": credited })
        }
        Frame::AccountVote {
            header,
            credited,
            index,
            v,
            signature,
        } => json!({
            "header": header.0,
            "credited": credited,
            "validator": index,
            "signature": format!("{}{v:02x}", hex::encode(signature)),
        }),
        Frame::Anchored {
            header,
            block,
            votes,
        } => json!({ "header": header.0, "block": block, "votes": self::votes(votes.iter()) }),
        Frame::HeadsRequest { member } => json!({ "member": member.0 }),
        Frame::Heads { member, number, id } => {
            json!({ "member": member.0, "number": number.0, "id": id.to_string() })
        }
        Frame::SetRequest { term } => json!({ "term": term }),
        Frame::Set(of) => json!({ "set": set(of)? }),
        Frame::Near(of) => near::show(&of)?,
    };
    Ok(json!({
        "neighbourhood_tag": hex::encode(tag),
        "frame_type": format!("{:?}", frame.frame_type()),
        "body": body,
    }))
}

fn votes(votes: impl Iterator<Item = iotedge_core::wire::Vote>) -> Value {
    votes
        .map(|vote| json!({ "validator": vote.index, "signature": hex::encode(vote.signature.0) }))
        .collect()
}

fn receipt(bytes: &[u8]) -> Result<Value> {
    let receipt = Receipt::parse(bytes).map_err(said)?;
    let header = Header::decode(receipt.header).map_err(said)?;
    Ok(json!({
        "transaction": receipt.tx.to_string(),
        "leaf": receipt.leaf,
        "path": receipt.path.iter().map(|p| p.to_string()).collect::<Vec<_>>(),
        "header": signed::header(&header, receipt.header),
        "header_path": receipt.header_path.iter().map(|p| p.to_string()).collect::<Vec<_>>(),
        "votes": votes(receipt.votes.iter()),
    }))
}

fn evidence(bytes: &[u8]) -> Result<Value> {
    let attachment = Attachment::parse(bytes).map_err(said)?;
    transaction::attachment(&attachment)
}

fn record(bytes: &[u8]) -> Result<Value> {
    let record = Record::decode(bytes).map_err(said)?;
    let roles: Vec<&str> = [
        (Roles::GL_NODE, "GL-node"),
        (Roles::FULL_NODE, "full node"),
        (Roles::SUBMIT_ONLY, "submit-only"),
        (Roles::LEFT, "left"),
    ]
    .into_iter()
    .filter_map(|(role, word)| record.roles.has(role).then_some(word))
    .collect();
    Ok(json!({
        "index": record.index.0,
        "device_id": crate::keys::id_text(record.device),
        "key": key(&record.key),
        "weight": record.weight.0,
        "roles": roles,
        "caps": { "transaction": record.caps.tx.0, "peer": record.caps.peer.0, "exposure": record.caps.exposure.0 },
        "head": { "number": record.head_number.0, "id": record.head_id.to_string() },
        "credits": record.credits.0,
        "debits": record.debits.0,
        "idle_epochs": record.idle,
        "frozen": record.frozen,
    }))
}

fn cose_key(bytes: &[u8]) -> Result<Value> {
    let decoded = CoseKey::decode(bytes).map_err(said)?;
    let mut value = key(&decoded);
    value["usable"] = match decoded.check() {
        Ok(()) => true.into(),
        Err(e) => e.to_string().into(),
    };
    Ok(value)
}

pub(crate) fn key(key: &PublicKey) -> Value {
    json!({
        "suite": match key { PublicKey::Ed25519(_) => "Ed25519", PublicKey::Es256(_) => "ES256" },
        "public_key": hex::encode(key.bytes()),
        "cose_key": hex::encode(crate::keys::cose_key(key)),
        "kid": hex::encode(CoseKey::kid(key)),
        "device_id": crate::keys::device_text(key),
    })
}

fn set(bytes: &[u8]) -> Result<Value> {
    let set = ValidatorSet::decode(bytes).map_err(said)?;
    let validators: Vec<Value> = set
        .validators()
        .iter()
        .enumerate()
        .map(|(index, v)| json!({ "index": index, "public_key": hex::encode(v.key), "stake": v.stake }))
        .collect();
    Ok(json!({
        "term": set.term(),
        "start_header": set.start().0,
        "hash": set.hash().to_string(),
        "total_stake": set.total().to_string(),
        "validators": validators,
    }))
}
