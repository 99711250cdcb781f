//! `provision`: makes a device in one step, the way a factory line does it.
//!
//! Invariant: nothing is left half made. Key, certificate and self-test are finished in memory; the folder is written last, and
//! only if none of its files is there.

use super::{KindArg, SuiteArg, now_seconds, print_json};
use crate::authority::Authority;
use crate::keys::{self, Access, DeviceFile, Secret};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use iotedge_core::crypto::{Software, Verify};
use iotedge_core::identity::cert::{self, Seconds};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Make a device: key, certificate, self-test; prints the result as JSON.
#[derive(Args)]
#[command(after_help = "\
Examples:
  iotedge-gateway provision --ca maker --authority harbour/anchor.json --gateway 127.0.0.1:7700 --out dev-1
  iotedge-gateway provision --ca harbour --kind gateway --authority harbour/anchor.json --out gw
  iotedge-gateway provision --ca maker --kind leaf --authority harbour/anchor.json --out sensor-1
  iotedge-gateway provision --ca maker --suite es256 --authority harbour/anchor.json --out dev-2
  iotedge-gateway provision --ca maker --out dev-3 --dry-run

A device whose key was made in a secure element gets its certificate by `ca issue --key`; a P-256 key in software stands in for one.

The folder gets device.json (what the device reads; secret, mode 0600) and the certificates as *.cwt.")]
pub struct Provision {
    /// Folder of the authority that signs the certificate.
    #[arg(long)]
    ca: PathBuf,
    /// Folder for the device; refused where it already has one.
    #[arg(long)]
    out: PathBuf,
    /// What is made.
    #[arg(long, value_enum, default_value = "device")]
    kind: KindArg,
    /// Suite of the device's key.
    #[arg(long, value_enum, default_value = "ed25519")]
    suite: SuiteArg,
    /// Days until the certificate expires.
    #[arg(long, default_value_t = 3_650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// The neighbourhood authority to pin: anchor.json or COSE_Key hex.
    #[arg(long)]
    authority: Option<String>,
    /// Address of the gateway.
    #[arg(long)]
    gateway: Option<SocketAddr>,
    /// Print what would be done and write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Provision {
    /// Does it.
    ///
    /// # Errors
    /// What was refused, and why; nothing was written then.
    pub fn run(self) -> Result<()> {
        if self.kind == KindArg::Authority {
            bail!(
                "--kind: authority is not allowed; device, leaf, gateway or validator (an authority is made with `ca init`)"
            );
        }
        if self.suite == SuiteArg::Es256 && self.kind.kind().joins_as().is_none() {
            bail!(
                "--suite: es256 is not allowed for a {}; headers and votes are signed in Ed25519 (protocol 7)",
                KindArg::word(self.kind.kind())
            );
        }
        let ca = Authority::open(&self.ca)?;
        let pinned = self
            .authority
            .as_deref()
            .map(keys::public_key_from)
            .transpose()
            .context("--authority")?;
        let device_path = self.out.join("device.json");
        let own_path = self.out.join("device.cwt");
        let above_path = self.out.join("authority.cwt");
        for path in [&device_path, &own_path, &above_path] {
            if path.exists() {
                bail!(
                    "{}: is there already and is never overwritten; choose another --out or move it away",
                    path.display()
                );
            }
        }

        let (seed, secret) = Secret::generate(self.suite.suite())?;
        let key = secret.public_key();
        let made = ca.issue(key, self.kind.kind(), self.days, self.dry_run)?;
        let chain: Vec<&[u8]> = ca
            .above
            .iter()
            .map(Vec::as_slice)
            .chain([made.bytes.as_slice()])
            .collect();

        self_test(&secret, &chain, &ca, self.kind)?;

        let file = DeviceFile {
            device_id: keys::device_text(&key),
            seed: hex::encode(seed),
            cose_key: hex::encode(keys::cose_key(&key)),
            public_key: hex::encode(key.bytes()),
            chain: chain.iter().map(hex::encode).collect(),
            authority_public_key: pinned.map(|k| hex::encode(k.bytes())).unwrap_or_default(),
            authority_cose_key: pinned
                .map(|k| hex::encode(keys::cose_key(&k)))
                .unwrap_or_default(),
            gateway: self.gateway.map(|a| a.to_string()).unwrap_or_default(),
        };
        let mut files = vec![device_path.clone(), own_path.clone()];
        if ca.above.is_some() {
            files.push(above_path.clone());
        }
        if self.dry_run {
            print_json(&json!({
                "dry_run": true,
                "kind": made.entry.kind,
                "issuer": ca.anchor.name,
                "expires": made.entry.expires,
                "self_test": "passed with a key that was thrown away",
                "would_write": files,
            }));
            return Ok(());
        }
        keys::write_new(&device_path, &keys::pretty(&file), Access::Secret)?;
        keys::write_new(&own_path, &made.bytes, Access::Public)?;
        if let Some(above) = &ca.above {
            keys::write_new(&above_path, above, Access::Public)?;
        }
        print_json(&json!({
            "dry_run": false,
            "kind": made.entry.kind,
            "device_id": file.device_id,
            "cose_key": file.cose_key,
            "public_key": file.public_key,
            "key_file": device_path,
            "issuer": ca.anchor.name,
            "cti": made.entry.cti,
            "expires": made.entry.expires,
            "chain": file.chain,
            "certificate": hex::encode(&made.bytes),
            "authority_public_key": file.authority_public_key,
            "gateway": file.gateway,
            "self_test": "passed",
            "files": files,
        }));
        Ok(())
    }
}

/// What the device must be able to do before it leaves: sign, and show a chain that others accept.
fn self_test(secret: &Secret, chain: &[&[u8]], ca: &Authority, kind: KindArg) -> Result<()> {
    let message = b"iotedge-gateway provision self-test";
    let signature = secret.sign(message)?;
    Software
        .verify(&secret.public_key(), message, &signature)
        .map_err(|e| {
            anyhow!("self-test: the new key's signature does not verify ({e}); nothing was written")
        })?;
    let root = match &ca.above {
        None => ca.public_key(),
        // The chain stands under a root whose key is not here: check the link by the authority itself.
        Some(_) => {
            let last = chain.last().copied().unwrap_or_default();
            return cert::verify_chain(
                &[last],
                &[ca.public_key()],
                Seconds(now_seconds()?),
                kind.kind(),
                |_, _| false,
                &mut Software,
            )
            .map(|_| ())
            .map_err(|e| {
                anyhow!("self-test: the new certificate is refused ({e:?}); nothing was written")
            });
        }
    };
    let verified = cert::verify_chain(
        chain,
        &[root],
        Seconds(now_seconds()?),
        kind.kind(),
        |_, _| false,
        &mut Software,
    )
    .map_err(|e| {
        anyhow!("self-test: the new certificate is refused ({e:?}); nothing was written")
    })?;
    if verified.key != secret.public_key() {
        bail!("self-test: the certificate is for another key; nothing was written");
    }
    Ok(())
}
