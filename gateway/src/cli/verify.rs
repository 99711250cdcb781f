//! `verify`: certificates, receipts, transactions and evidence, offline. Exit code 0: it holds; 1: it does not, and why.

use super::{KindArg, input, now_seconds, print_json};
use crate::check::{self, Settled, Trust};
use crate::keys::{self, Anchor};
use crate::revocation;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use iotedge_core::Id;
use iotedge_core::crypto::{PublicKey, Software};
use iotedge_core::identity::cert::{self, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Check certificates, receipts, transactions and evidence offline; exit code 0 if it holds, 1 if not.
#[derive(Subcommand)]
pub enum Verify {
    /// A certificate chain against pinned authorities.
    #[command(
        after_help = "Example:\n  iotedge-gateway verify certificate --anchor maker/anchor.json --crl maker/revoked.crl dev-1/device.cwt"
    )]
    Certificate(Certificate),
    /// A receipt (compact or RFC 9942) or a settled macro transaction.
    #[command(
        after_help = "Example:\n  iotedge-gateway verify receipt --authority harbour/anchor.json --genesis out/genesis.cose --set out/set.cbor out/0001.receipt.cose"
    )]
    Receipt(Receipt),
    /// A transaction's signature over its payload and parents.
    #[command(
        after_help = "Example, with the sidecar that `export` writes:\n  iotedge-gateway verify transaction --sidecar out/tx.json out/0001.tx.cose"
    )]
    Transaction(Transaction),
    /// A proof that a member signed two transactions that exclude each other.
    Evidence(Evidence),
}

#[derive(Args)]
pub struct Certificate {
    /// The chain, the authority's certificate first where there are two: files, or hex.
    #[arg(required = true, num_args = 1..=2)]
    chain: Vec<String>,
    /// anchor.json of a pinned authority; may be repeated.
    #[arg(long, required = true)]
    anchor: Vec<PathBuf>,
    /// Revocation list signed by one of the anchors; may be repeated.
    #[arg(long)]
    crl: Vec<PathBuf>,
    /// What the subject must be.
    #[arg(long, value_enum, default_value = "device")]
    kind: KindArg,
    /// Check as of this second since 1970; now without it.
    #[arg(long)]
    at: Option<u64>,
}

#[derive(Args)]
pub struct Receipt {
    /// Compact receipt, *.receipt.cose or *.macro.cose: a file, or hex.
    receipt: String,
    /// The neighbourhood's authority: anchor.json or COSE_Key hex.
    #[arg(long)]
    authority: String,
    /// The genesis: a file, or hex.
    #[arg(long)]
    genesis: String,
    /// The validator set: a file, or hex.
    #[arg(long)]
    set: String,
    /// The GL-node's key, to check its signature on a macro transaction too.
    #[arg(long)]
    gl_node: Option<String>,
}

#[derive(Args)]
pub struct Transaction {
    /// The transaction: a file, or hex.
    transaction: String,
    /// tx.json that `export` wrote: has key, neighbourhood and parents.
    #[arg(long, conflicts_with_all = ["key", "neighbourhood", "parent"])]
    sidecar: Option<PathBuf>,
    /// The issuer's key, COSE_Key or raw Ed25519, hex.
    #[arg(long, required_unless_present = "sidecar")]
    key: Option<String>,
    /// The neighbourhood id, hex.
    #[arg(long, required_unless_present = "sidecar")]
    neighbourhood: Option<String>,
    /// Full id of a parent, hex, in the order of the transaction; may be repeated.
    #[arg(long)]
    parent: Vec<String>,
}

#[derive(Args)]
pub struct Evidence {
    /// The attachment with the proof, or the evidence transaction with it: a file, or hex.
    evidence: String,
    /// The accused member's key, COSE_Key or raw Ed25519, hex.
    #[arg(long)]
    key: String,
    /// The neighbourhood id, hex.
    #[arg(long)]
    neighbourhood: String,
}

/// One entry of `tx.json`: what a stranger needs beside the bytes to check a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidecarEntry {
    /// Name of the file with the COSE_Sign1.
    pub file: String,
    /// Full id.
    pub id: String,
    /// Full ids of the parents, in their order.
    pub parents: Vec<String>,
    /// SHA-256 of them: the third element of external_aad.
    pub parents_hash: String,
    /// The issuer's COSE_Key.
    pub issuer_key: String,
    /// The issuer's index.
    pub issuer: u16,
    /// The neighbourhood id.
    pub neighbourhood: String,
    /// Header and receipt file, where it is settled.
    pub header: Option<u32>,
    /// Name of the file with the receipts.
    pub receipt: Option<String>,
}

impl Verify {
    /// Does it.
    ///
    /// # Errors
    /// What does not hold, and why.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Certificate(args) => args.run(),
            Self::Receipt(args) => args.run(),
            Self::Transaction(args) => args.run(),
            Self::Evidence(args) => args.run(),
        }
    }
}

impl Certificate {
    fn run(self) -> Result<()> {
        let inputs = self
            .chain
            .iter()
            .map(|a| input::read(a))
            .collect::<Result<Vec<_>>>()?;
        let anchors = self
            .anchor
            .iter()
            .map(|path| Ok(Anchor::load(path)?.1))
            .collect::<Result<Vec<_>>>()?;
        let lists = revocation::load(&self.crl, &anchors)?;
        let chain: Vec<&[u8]> = inputs.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let now = Seconds(self.at.map_or_else(now_seconds, Ok)?);
        let revoked = |signer: &PublicKey, cti: &[u8]| revocation::is_revoked(&lists, signer, cti);
        let verified = cert::verify_chain(
            &chain,
            &anchors,
            now,
            self.kind.kind(),
            revoked,
            &mut Software,
        )
        .map_err(|e| {
            anyhow!(
                "{}: refused: {e:?}",
                inputs.last().map_or("", |(name, _)| name)
            )
        })?;
        print_json(&json!({
            "valid": true,
            "device_id": keys::device_text(&verified.key),
            "kind": KindArg::word(verified.kind),
            "cti": hex::encode(verified.cti.as_bytes()),
            "expires": verified.expires.map(|s| s.0),
            "anchor": keys::device_text(&verified.anchor),
        }));
        Ok(())
    }
}

impl Receipt {
    fn run(self) -> Result<()> {
        let authority = keys::public_key_from(&self.authority).context("--authority")?;
        let (genesis_name, genesis) = input::read(&self.genesis).context("--genesis")?;
        let (set_name, set) = input::read(&self.set).context("--set")?;
        let trust = Trust::new(&genesis, &set, &authority)
            .with_context(|| format!("{genesis_name}, {set_name}"))?;
        let gl_node = self
            .gl_node
            .as_deref()
            .map(keys::public_key_from)
            .transpose()
            .context("--gl-node")?;
        let (name, bytes) = input::read(&self.receipt)?;
        let settled = if bytes.first() == Some(&0xd2) {
            check::statement(&bytes, &trust, gl_node.as_ref())
        } else {
            check::receipt(&bytes, &trust).map(Settled::Transaction)
        }
        .with_context(|| name)?;
        print_json(&match settled {
            Settled::Transaction(proven) => json!({
                "valid": true,
                "settled": "transaction",
                "id": proven.tx.to_string(),
                "header": proven.number.0,
                "neighbourhood": trust.neighbourhood.to_string(),
            }),
            Settled::Header(number, hash) => json!({
                "valid": true,
                "settled": "header",
                "header": number.0,
                "hash": hash.to_string(),
                "neighbourhood": trust.neighbourhood.to_string(),
            }),
        });
        Ok(())
    }
}

impl Transaction {
    fn run(self) -> Result<()> {
        let (name, bytes) = input::read(&self.transaction)?;
        let (neighbourhood, key, parents, expected) = match &self.sidecar {
            Some(path) => {
                let entry = find(path, &self.transaction)?;
                let field = |what: &str| format!("{}: {}: {what}", path.display(), entry.file);
                let key =
                    keys::public_key(&entry.issuer_key).with_context(|| field("issuer_key"))?;
                let ids = entry
                    .parents
                    .iter()
                    .map(|p| parse_id(p))
                    .collect::<Result<Vec<_>>>()
                    .with_context(|| field("parents"))?;
                if iotedge_core::tx::payload::parents_hash(&ids).to_string() != entry.parents_hash {
                    bail!(
                        "{}: not the hash of `parents`; the sidecar was altered",
                        field("parents_hash")
                    );
                }
                let neighbourhood =
                    parse_id(&entry.neighbourhood).with_context(|| field("neighbourhood"))?;
                (neighbourhood, key, ids, Some(entry.id))
            }
            None => {
                let key = keys::public_key(self.key.as_deref().unwrap_or("")).context("--key")?;
                let neighbourhood = parse_id(self.neighbourhood.as_deref().unwrap_or(""))
                    .context("--neighbourhood")?;
                let ids = self
                    .parent
                    .iter()
                    .map(|p| parse_id(p))
                    .collect::<Result<Vec<_>>>()
                    .context("--parent")?;
                (neighbourhood, key, ids, None)
            }
        };
        let id = check::transaction(&bytes, &neighbourhood, &key, &parents)
            .with_context(|| name.clone())?;
        if let Some(expected) = expected.filter(|e| *e != id.to_string()) {
            bail!("{name}: id is {id}, the sidecar says {expected}; the sidecar was altered");
        }
        print_json(
            &json!({ "valid": true, "id": id.to_string(), "issuer": keys::device_text(&key) }),
        );
        Ok(())
    }
}

impl Evidence {
    fn run(self) -> Result<()> {
        let (name, bytes) = input::read(&self.evidence)?;
        let key = keys::public_key(&self.key).context("--key")?;
        let neighbourhood = parse_id(&self.neighbourhood).context("--neighbourhood")?;
        let offence = check::evidence(&bytes, &neighbourhood, &key).with_context(|| name)?;
        print_json(&json!({
            "valid": true,
            "offender": offence.offender.0,
            "form": format!("{:?}", offence.form),
            "a": offence.a.to_string(),
            "b": offence.b.to_string(),
        }));
        Ok(())
    }
}

fn parse_id(text: &str) -> Result<Id> {
    let bytes = hex::decode(text)
        .ok()
        .and_then(|b| <[u8; 32]>::try_from(b).ok());
    bytes
        .map(Id)
        .ok_or_else(|| anyhow!("must be 64 hex digits"))
}

fn find(path: &Path, transaction: &str) -> Result<SidecarEntry> {
    let entries: Vec<SidecarEntry> = keys::read_json(path)?;
    let name = Path::new(transaction)
        .file_name()
        .map(|n| n.to_string_lossy().into_owned());
    entries
        .into_iter()
        .find(|entry| Some(&entry.file) == name.as_ref())
        .ok_or_else(|| {
            anyhow!(
                "{}: file: no entry for {transaction}; give the tx.json that was exported with it",
                path.display()
            )
        })
}
