//! `export`: what a stranger needs to check a neighbourhood without us: bytes, receipts, parents and keys, as files.
//!
//! Invariant: nothing is signed or invented here. Receipts are the validators' own votes written out (RFC 9942), and a
//! transaction whose full parents are not known is left out and counted rather than exported unverifiable.

use super::print_json;
use super::verify::SidecarEntry;
use crate::check::Trust;
use crate::config::Config;
use crate::epoch::{Tree, payload_of};
use crate::keys::{self, Anchor};
use crate::store::{Store, StoredHeader, StoredTx};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use iotedge_core::crypto::{PublicKey, Signature};
use iotedge_core::identity::{CoseKey, Record, Roles};
use iotedge_core::posp::{Expansion, write_statement};
use iotedge_core::tx::Unverified;
use iotedge_core::tx::payload::parents_hash;
use iotedge_core::wire::{Reader, Vote, Writer};
use iotedge_core::{Epoch, Id, MemberIndex};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Write transactions, receipts and macro transactions of a store as files that strangers can check.
#[derive(Args)]
#[command(after_help = "\
Example:
  iotedge-gateway export --data gw-data --out out --limit 50

Writes NNNN.tx.cose, NNNN.receipt.cose, NNNN.evidence.cbor, N.macro.cose, *.cwt, genesis.cose, set.cbor, tx.json (ids, parents and issuers)
and keys.json (public keys as COSE_Key, each with its use). The gateway may run meanwhile.")]
pub struct Export {
    /// Folder of the store.
    #[arg(long)]
    data: PathBuf,
    /// Folder for the files; made where it is missing, files of the same name are replaced.
    #[arg(long)]
    out: PathBuf,
    /// Most transactions, taken from every kind in turn; 0 for all.
    #[arg(long, default_value_t = 0)]
    limit: usize,
}

/// Keeps with the store what `export` has to name: authority, anchors, the GL-node's certificate.
///
/// # Errors
/// The store failed, or an anchor cannot be read.
pub fn note_keys(
    store: &Store,
    config: &Config,
    authority: &PublicKey,
    own: Option<&[u8]>,
) -> Result<()> {
    let anchors = config
        .anchors
        .iter()
        .map(|path| Ok(Anchor::load(path)?.0))
        .collect::<Result<Vec<_>>>()?;
    store.put_meta("anchors", &serde_json::to_vec(&anchors)?)?;
    store.put_meta("authority", &keys::cose_key(authority))?;
    if let Some(own) = own {
        store.put_meta("certificate", own)?;
    }
    store.commit()?;
    Ok(())
}

struct Exporter {
    store: Store,
    out: PathBuf,
    trust: Trust,
    epochs: BTreeMap<u32, Settled>,
    files: usize,
}

struct Settled {
    header: StoredHeader,
    tree: Option<Tree>,
    votes: Vec<Vote>,
}

impl Export {
    /// Does it.
    ///
    /// # Errors
    /// Names the file that is missing or cannot be written.
    pub fn run(self) -> Result<()> {
        let store = Store::open_read_only(&self.data)?;
        let need = |key: &str| -> Result<Vec<u8>> {
            store.meta(key)?.ok_or_else(|| {
                anyhow!(
                    "{}: no {key} in the store; has this gateway founded its neighbourhood?",
                    self.data.display()
                )
            })
        };
        let (genesis, set) = (need("genesis")?, need("set")?);
        let authority = CoseKey::decode(&need("authority")?)
            .map_err(|e| anyhow!("authority in the store: {e:?}"))?;
        let anchors: Vec<Anchor> =
            serde_json::from_slice(&need("anchors")?).context("anchors in the store")?;
        let trust = Trust::new(&genesis, &set, &authority)?;
        std::fs::create_dir_all(&self.out)
            .with_context(|| format!("{}: cannot be made", self.out.display()))?;
        let mut exporter = Exporter {
            store,
            out: self.out,
            trust,
            epochs: BTreeMap::new(),
            files: 0,
        };
        exporter.file("genesis.cose", &genesis)?;
        exporter.file("set.cbor", &set)?;
        let headers = exporter.headers()?;
        let (chosen, left_out) = exporter.choose(self.limit)?;
        let mut entries = Vec::new();
        for (number, tx) in chosen.iter().enumerate() {
            entries.push(exporter.transaction(number + 1, tx)?);
        }
        let receipts = entries.iter().filter(|e| e.receipt.is_some()).count();
        exporter.file("tx.json", &keys::pretty(&entries))?;
        let members = exporter.keys(&authority, &anchors)?;
        print_json(&json!({
            "folder": exporter.out,
            "files": exporter.files,
            "neighbourhood": exporter.trust.neighbourhood.to_string(),
            "headers": headers,
            "transactions": entries.len(),
            "receipts": receipts,
            "members": members,
            "left_out": left_out,
            "next": "iotedge-gateway verify transaction --sidecar tx.json 0001.tx.cose",
        }));
        Ok(())
    }
}

impl Exporter {
    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        keys::replace(&self.out.join(name), bytes)?;
        self.files += 1;
        Ok(())
    }

    fn headers(&mut self) -> Result<usize> {
        for number in self.store.settled_headers()? {
            let header = self
                .store
                .header(number)?
                .context("a header went away meanwhile; export again")?;
            let votes = self
                .store
                .votes(number)?
                .into_iter()
                .filter_map(|(index, signature)| {
                    Some(Vote {
                        index: u8::try_from(index).ok()?,
                        signature: Signature(signature),
                    })
                })
                .collect();
            let accepted = self.store.leaves(number)?;
            let payload = payload_of(&header.cose)
                .with_context(|| format!("header {number} in the store is damaged"))?;
            // Pruned epochs have no leaves any more; their header is still proved by the path that was kept.
            let tree = Tree::new(&payload, &accepted).filter(|tree| tree.size() == header.leaves);
            let settled = Settled {
                header,
                tree,
                votes,
            };
            let path = settled.header.path0.clone();
            let bytes = self.statement(&settled.header.cose, &settled, 0, &path)?;
            self.file(&format!("{number}.macro.cose"), &bytes)?;
            self.epochs.insert(number.0, settled);
        }
        Ok(self.epochs.len())
    }

    /// The transactions to write: one of each kind in turn, and within a kind by age.
    fn choose(&self, limit: usize) -> Result<(Vec<StoredTx>, usize)> {
        let mut all = Vec::new();
        self.store.each_tx(Epoch(0), |tx| all.push(tx))?;
        let mut left_out = 0;
        let mut ranked = Vec::new();
        let mut seen: BTreeMap<(bool, u8), usize> = BTreeMap::new();
        for (age, tx) in all.into_iter().enumerate() {
            let cose = Reader::new(&tx.raw)
                .item()
                .map_err(|e| anyhow!("transaction {} in the store is damaged: {e:?}", tx.id))?;
            let parsed = Unverified::parse(cose)
                .map_err(|e| anyhow!("transaction {} in the store is damaged: {e:?}", tx.id))?;
            if tx.parents.is_empty() {
                left_out += 1;
                continue;
            }
            let settled = self.store.leaf_of(&tx.id)?.is_some();
            // Settled ones first: they have a receipt.
            let place = seen
                .entry((!settled, parsed.payload().body.kind() as u8))
                .or_default();
            *place += 1;
            ranked.push(((!settled, *place, age), tx));
        }
        if limit > 0 && ranked.len() > limit {
            ranked.sort_by_key(|(rank, _)| *rank);
            ranked.truncate(limit);
        }
        ranked.sort_by_key(|((_, _, age), _)| *age);
        Ok((ranked.into_iter().map(|(_, tx)| tx).collect(), left_out))
    }

    fn transaction(&mut self, number: usize, tx: &StoredTx) -> Result<SidecarEntry> {
        let mut reader = Reader::new(&tx.raw);
        let cose = reader
            .item()
            .map_err(|e| anyhow!("transaction {}: {e:?}", tx.id))?
            .to_vec();
        let beside = reader.rest().to_vec();
        let name = format!("{number:04}.tx.cose");
        self.file(&name, &cose)?;
        if !beside.is_empty() {
            self.file(&format!("{number:04}.evidence.cbor"), &beside)?;
        }
        let issuer = self.record(tx.epoch, tx.issuer)?.with_context(|| {
            format!(
                "transaction {}: the table of epoch {} is not in the store",
                tx.id, tx.epoch
            )
        })?;
        let mut entry = SidecarEntry {
            file: name,
            id: tx.id.to_string(),
            parents: tx.parents.iter().map(Id::to_string).collect(),
            parents_hash: parents_hash(&tx.parents).to_string(),
            issuer_key: hex::encode(keys::cose_key(&issuer.key)),
            issuer: tx.issuer.0,
            neighbourhood: self.trust.neighbourhood.to_string(),
            header: None,
            receipt: None,
        };
        let Some((header, leaf)) = self.store.leaf_of(&tx.id)? else {
            return Ok(entry);
        };
        if let Some(settled) = self.epochs.get(&header.0)
            && let Some(path) = settled.tree.as_ref().and_then(|tree| tree.path(leaf))
        {
            let receipt = format!("{number:04}.receipt.cose");
            let bytes = self.statement(&cose, settled, leaf, &path)?;
            self.file(&receipt, &bytes)?;
            entry.header = Some(header.0);
            entry.receipt = Some(receipt);
        }
        Ok(entry)
    }

    fn statement(&self, cose: &[u8], settled: &Settled, leaf: u32, path: &[Id]) -> Result<Vec<u8>> {
        let expansion = Expansion {
            set: &self.trust.set,
            neighbourhood: self.trust.neighbourhood,
            number: settled.header.number,
            size: settled.header.leaves,
            leaf,
            path,
        };
        let mut out = vec![0; cose.len() + 64 + settled.votes.len() * (256 + 34 * path.len())];
        let mut w = Writer::new(&mut out);
        write_statement(cose, &expansion, &settled.votes, &mut w)
            .map_err(|e| anyhow!("header {}: {e:?}", settled.header.number))?;
        Ok(w.written().to_vec())
    }

    fn record(&self, epoch: Epoch, index: MemberIndex) -> Result<Option<Record>> {
        let found = self.store.records(epoch, index, 1)?;
        let record = found.first().and_then(|bytes| Record::decode(bytes).ok());
        Ok(record.filter(|r| r.index == index))
    }

    /// keys.json and the certificates; returns the number of members.
    fn keys(&mut self, authority: &PublicKey, anchors: &[Anchor]) -> Result<usize> {
        let entry = |use_: &str, name: &str, key: &PublicKey| -> Value {
            json!({
                "use": use_,
                "name": name,
                "cose_key": hex::encode(keys::cose_key(key)),
                "kid": hex::encode(CoseKey::kid(key)),
                "device_id": keys::device_text(key),
            })
        };
        let mut all = vec![entry(
            "neighbourhood",
            "authority that signs the genesis",
            authority,
        )];
        for anchor in anchors {
            let key = keys::public_key(&anchor.cose_key)?;
            if key != *authority {
                all.push(entry("manufacturer", &anchor.name, &key));
            }
        }
        for (index, validator) in self.trust.set.validators().iter().enumerate() {
            all.push(entry(
                "validator",
                &format!("validator {index}"),
                &validator.public_key(),
            ));
        }
        let newest = self.store.newest_settled()?.opens();
        let mut members: BTreeMap<Vec<u8>, Record> = BTreeMap::new();
        // A member that changed its key stands here with each of them.
        for epoch in (1..=newest.0).map(Epoch) {
            for bytes in self.store.records(epoch, MemberIndex(0), u32::MAX)? {
                let record =
                    Record::decode(&bytes).map_err(|e| anyhow!("table of epoch {epoch}: {e:?}"))?;
                members.entry(keys::cose_key(&record.key)).or_insert(record);
            }
        }
        if members.is_empty() {
            bail!("no table in the store");
        }
        for record in members.values() {
            let use_ = if record.roles.has(Roles::GL_NODE) {
                "gl-node"
            } else {
                "device"
            };
            all.push(entry(
                use_,
                &format!("member {}", record.index),
                &record.key,
            ));
        }
        self.file("keys.json", &keys::pretty(&json!({ "keys": all })))?;

        for enrolment in self.store.enrolments()? {
            let member = members.values().find(|r| r.device == enrolment.device);
            if let (Some(record), Some(certificate)) = (member, enrolment.chain.last()) {
                self.file(&format!("device-{}.cwt", record.index), certificate)?;
            }
        }
        if let Some(own) = self.store.meta("certificate")? {
            self.file("gateway.cwt", &own)?;
        }
        Ok(members.len())
    }
}
