//! `ca`: make an authority, issue and revoke certificates.

use super::{KindArg, print_json};
use crate::authority::{Authority, check_name};
use crate::keys::{self, Access, AnchorKind};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

/// Make an authority, issue and revoke certificates.
#[derive(Subcommand)]
pub enum Ca {
    /// Make a new authority: key, anchor, empty revocation list.
    #[command(
        after_help = "Example:\n  iotedge-gateway ca init --name 'Acme Devices' --kind manufacturer --out maker\n\nKeep maker/key.json secret; give maker/anchor.json to every gateway that should admit its devices."
    )]
    Init(Init),
    /// Issue a certificate for a key that was made elsewhere.
    #[command(
        after_help = "Example, an authority below another one:\n  iotedge-gateway ca issue --ca maker --device-json factory/anchor.json --kind authority --days 365 --out factory/authority.cwt"
    )]
    Issue(Issue),
    /// Take a certificate back: its id goes onto the signed revocation list.
    #[command(
        after_help = "Example:\n  iotedge-gateway ca revoke --ca maker --cti 5f0c...\n\nThen copy maker/revoked.crl and maker/notices to the gateways that name them under `revocations`: the list keeps the device from enrolling, the notice puts it out of the ledger where it is a member already."
    )]
    Revoke(Revoke),
    /// Show an authority, what it issued and what it took back.
    Show(Show),
}

#[derive(Args)]
pub struct Init {
    /// The authority's name, at most 32 bytes: `iss` in its certificates.
    #[arg(long)]
    name: String,
    /// What it vouches for.
    #[arg(long, value_enum)]
    kind: AnchorKind,
    /// Folder to make it in.
    #[arg(long)]
    out: PathBuf,
    /// Print what would be done and write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub struct Issue {
    /// Folder of the authority.
    #[arg(long)]
    ca: PathBuf,
    /// The key to certify: COSE_Key or raw Ed25519, hex.
    #[arg(
        long,
        required_unless_present = "device_json",
        conflicts_with = "device_json"
    )]
    key: Option<String>,
    /// A device.json, key.json or anchor.json with the key to certify.
    #[arg(long)]
    device_json: Option<PathBuf>,
    /// What the subject is.
    #[arg(long, value_enum)]
    kind: KindArg,
    /// Days until it expires.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// File for the certificate; without it, only the JSON has it.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print what would be issued and write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub struct Revoke {
    /// Folder of the authority.
    #[arg(long)]
    ca: PathBuf,
    /// Id of the certificate, hex: `cti` in the output of `issue`, `provision` and `inspect`.
    #[arg(long)]
    cti: String,
    /// Revoke an id that this folder did not issue (its records were lost).
    #[arg(long)]
    unknown: bool,
    /// Print what would be done and write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub struct Show {
    /// Folder of the authority.
    #[arg(long)]
    ca: PathBuf,
}

impl Ca {
    /// Does it.
    ///
    /// # Errors
    /// What was refused, and why.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Init(init) => init.run(),
            Self::Issue(issue) => issue.run(),
            Self::Revoke(revoke) => revoke.run(),
            Self::Show(show) => show.run(),
        }
    }
}

impl Init {
    fn run(self) -> Result<()> {
        check_name(&self.name)?;
        if self.dry_run {
            print_json(&json!({
                "dry_run": true,
                "would_write": [self.out.join("key.json"), self.out.join("anchor.json"), self.out.join("revoked.crl")],
            }));
            return Ok(());
        }
        let authority = Authority::create(&self.out, &self.name, self.kind)?;
        print_json(&json!({
            "name": authority.anchor.name,
            "kind": authority.anchor.kind,
            "cose_key": authority.anchor.cose_key,
            "thumbprint": authority.anchor.thumbprint,
            "key_file": self.out.join("key.json"),
            "anchor_file": self.out.join("anchor.json"),
            "revocation_list": self.out.join("revoked.crl"),
            "next": "keep key.json secret; pin anchor.json where this authority is to be believed",
        }));
        Ok(())
    }
}

impl Issue {
    fn run(self) -> Result<()> {
        let authority = Authority::open(&self.ca)?;
        let key = match (&self.key, &self.device_json) {
            (Some(text), _) => keys::public_key(text).map_err(|e| e.context("--key"))?,
            (None, Some(path)) => keys::public_key_from(&path.to_string_lossy())?,
            (None, None) => bail!("--key or --device-json: one of the two is needed"),
        };
        let made = authority.issue(key, self.kind.kind(), self.days, self.dry_run)?;
        if let (Some(out), false) = (&self.out, self.dry_run) {
            keys::write_new(out, &made.bytes, Access::Public)?;
        }
        print_json(&json!({
            "dry_run": self.dry_run,
            "issuer": authority.anchor.name,
            "kind": made.entry.kind,
            "device_id": made.entry.device_id,
            "cti": made.entry.cti,
            "issued": made.entry.issued,
            "expires": made.entry.expires,
            "certificate": if self.dry_run { String::new() } else { hex::encode(&made.bytes) },
            "file": self.out.filter(|_| !self.dry_run),
        }));
        Ok(())
    }
}

impl Revoke {
    fn run(self) -> Result<()> {
        let authority = Authority::open(&self.ca)?;
        let cti = hex::decode(&self.cti).map_err(|e| anyhow::anyhow!("--cti: not hex: {e}"))?;
        let known = authority
            .issued()?
            .into_iter()
            .find(|entry| entry.cti == hex::encode(&cti));
        if known.is_none() && !self.unknown {
            bail!(
                "--cti: {} was not issued here; see `ca show`, or add --unknown if the records were lost",
                self.cti
            );
        }
        let (added, number) = if self.dry_run {
            let (number, ids) = authority.revoked()?;
            let there = ids.iter().any(|id| id.as_bytes() == cti);
            (!there, if there { number } else { number + 1 })
        } else {
            authority.revoke(&cti)?
        };
        print_json(&json!({
            "dry_run": self.dry_run,
            "cti": self.cti,
            "device_id": known.map(|entry| entry.device_id),
            "already_revoked": !added,
            "list_number": number,
            "file": self.ca.join("revoked.crl"),
            "notice": self.ca.join("notices").join(format!("{}.crl", hex::encode(&cti))),
            "next": "give both to the gateways; a running one reads them within seconds, or on SIGHUP",
        }));
        Ok(())
    }
}

impl Show {
    fn run(self) -> Result<()> {
        let authority = Authority::open(&self.ca)?;
        let (number, ids) = authority.revoked()?;
        let revoked: Vec<_> = ids.iter().map(|id| hex::encode(id.as_bytes())).collect();
        print_json(&json!({
            "name": authority.anchor.name,
            "kind": authority.anchor.kind,
            "cose_key": authority.anchor.cose_key,
            "thumbprint": authority.anchor.thumbprint,
            "below_another_authority": authority.above.is_some(),
            "issued": authority.issued()?,
            "list_number": number,
            "revoked": revoked,
        }));
        Ok(())
    }
}
