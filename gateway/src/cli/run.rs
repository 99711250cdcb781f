//! `run` and `validator`: the daemons.

use crate::admission::Admission;
use crate::closer::Closer;
use crate::config::{Config, Serial};
use crate::daemon::{Daemon, Shared};
use crate::gchain::Role;
use crate::keys::{self, DeviceFile};
use crate::voter::Voter;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use iotedge_core::crypto::PublicKey;
use iotedge_core::node::NodeSigner;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What both daemons take from the command line; each flag wins over the file.
#[derive(Args)]
pub struct Daemons {
    /// Configuration file, TOML; see docs/gateway.md.
    #[arg(long, short)]
    config: PathBuf,
    /// Where to listen, UDP.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Folder of the store.
    #[arg(long)]
    data: Option<PathBuf>,
    /// device.json of the GL-node, or the key of the validator.
    #[arg(long)]
    identity: Option<PathBuf>,
    /// A full node to talk to from the start; may be repeated.
    #[arg(long)]
    peer: Vec<SocketAddr>,
    /// JSON-RPC of an Ethereum node, in place of `gchain.rpc` of the file.
    #[arg(long, value_name = "URL")]
    gchain: Option<String>,
    /// Where to serve metrics, a loopback address.
    #[arg(long)]
    metrics: Option<SocketAddr>,
    /// error, warn, info, debug, trace, or a tracing filter.
    #[arg(long)]
    log: Option<String>,
    /// Log lines as JSON.
    #[arg(long)]
    log_json: bool,
    /// Check the configuration and the files that it names, then stop.
    #[arg(long)]
    check: bool,
}

/// Run the GL-node of a neighbourhood.
#[derive(Args)]
#[command(after_help = "\
Example:
  iotedge-gateway run --config gateway.toml --metrics 127.0.0.1:9100

SIGTERM drains: no more intake, everything is committed and sent, exit code 0. After SIGKILL it goes on where it was.")]
pub struct Run {
    #[command(flatten)]
    daemon: Daemons,
    /// A serial line with a device at its end: a device file, tcp:HOST:PORT or tcp-listen:HOST:PORT, then @BAUD where it is not 115200; may be repeated.
    #[arg(long, value_name = "PORT")]
    serial: Vec<Serial>,
}

/// Run a validator: follow a neighbourhood, recompute its epochs, vote.
#[derive(Args)]
#[command(
    after_help = "Example:\n  iotedge-gateway validator --config validator-1.toml --peer 127.0.0.1:7700"
)]
pub struct Validator {
    #[command(flatten)]
    daemon: Daemons,
}

impl Daemons {
    fn load(&self, serial: &[Serial]) -> Result<Config> {
        let mut config = Config::load(&self.config)?;
        config.listen = self.listen.unwrap_or(config.listen);
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        config.identity = self.identity.clone().or(config.identity);
        config.peers.extend(&self.peer);
        config.serial.extend_from_slice(serial);
        config.metrics = self.metrics.or(config.metrics);
        if let Some(log) = &self.log {
            config.log.clone_from(log);
        }
        if let Some(url) = &self.gchain {
            let gchain = config.gchain.as_mut().with_context(|| {
                format!(
                    "{}: gchain: --gchain needs the section, with contract, account and password_file",
                    self.config.display()
                )
            })?;
            gchain.rpc.clone_from(url);
        }
        config.check()?;
        self.start_log(&config)?;
        Ok(config)
    }

    fn start_log(&self, config: &Config) -> Result<()> {
        let filter = tracing_subscriber::EnvFilter::try_new(&config.log)
            .map_err(|e| anyhow!("{}: log: {} is not allowed; error, warn, info, debug, trace or a tracing filter ({e})", config.file.display(), config.log))?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(false);
        if self.log_json {
            log.json().init();
        } else {
            log.init();
        }
        Ok(())
    }
}

fn authority(config: &Config) -> Result<PublicKey> {
    if let Some(text) = &config.authority {
        return keys::public_key_from(text)
            .with_context(|| format!("{}: authority", config.file.display()));
    }
    let path = config.required(
        "authority",
        config.authority_key.as_ref(),
        "anchor.json or COSE_Key hex of the neighbourhood's authority (or authority_key, its key file)",
    )?;
    Ok(keys::load_secret(path)?.public_key())
}

impl Run {
    /// Runs until SIGTERM.
    ///
    /// # Errors
    /// Names the file, the key and the mend.
    pub fn run(self) -> Result<()> {
        let config = self.daemon.load(&self.serial)?;
        let identity = config.required(
            "identity",
            config.identity.as_deref(),
            "the device.json that `provision --kind gateway` made",
        )?;
        let device: DeviceFile = keys::read_json(identity)?;
        let secret = keys::load_secret(identity)?;
        let signer = NodeSigner::Software(keys::load_secret(identity)?);
        let chain = device
            .chain
            .iter()
            .map(|c| {
                hex::decode(c).with_context(|| format!("{}: chain: not hex", identity.display()))
            })
            .collect::<Result<Vec<_>>>()?;
        let authority = authority(&config)?;
        let authority_secret = config
            .authority_key
            .as_deref()
            .map(keys::load_secret)
            .transpose()?;
        if authority_secret
            .as_ref()
            .is_some_and(|s| s.public_key() != authority)
        {
            bail!(
                "{}: authority_key: not the key of `authority`; give the two of one neighbourhood",
                config.file.display()
            );
        }
        let admission = Admission::new(&config, authority)?;
        crate::admission::validator_set(&config)?;
        if self.daemon.check {
            println!(
                "{}: configuration and files are in order",
                config.file.display()
            );
            return Ok(());
        }
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        let validators: Vec<SocketAddr> = config.validators.iter().map(|v| v.address).collect();
        let mut shared = Shared::new(config, authority, false, &chain, signer)?;
        for address in validators {
            shared.pin_validator(address);
        }
        crate::cli::export::note_keys(
            &shared.store,
            &shared.config,
            &authority,
            chain.last().copied(),
        )?;
        if let Some(gchain) = shared.config.gchain.clone() {
            shared.gchain = Some(crate::gchain::start(&gchain, Role::Gateway)?);
        }
        let closer = Closer::new(&shared, admission, secret, authority_secret);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _guard = runtime.enter();
        let daemon = Daemon::new(shared, closer)?;
        runtime.block_on(daemon.run())
    }
}

impl Validator {
    /// Runs until SIGTERM.
    ///
    /// # Errors
    /// Names the file, the key and the mend.
    pub fn run(self) -> Result<()> {
        let config = self.daemon.load(&[])?;
        let identity = config.required(
            "identity",
            config.identity.as_deref(),
            "the device.json or key.json with the validator's key",
        )?;
        let secret = keys::load_secret(identity)?;
        let authority = authority(&config)?;
        if config.peers.is_empty() {
            bail!(
                "{}: peers: nothing is not allowed; at least the address of the gateway",
                config.file.display()
            );
        }
        if !config.serial.is_empty() {
            bail!(
                "{}: serial: a validator has no lines; give them to the gateway",
                config.file.display()
            );
        }
        let admission = Admission::new(&config, authority)?;
        if self.daemon.check {
            println!(
                "{}: configuration and files are in order",
                config.file.display()
            );
            return Ok(());
        }
        let mut shared = Shared::new(config, authority, true, &[], NodeSigner::None)?;
        if let Some(gchain) = shared.config.gchain.clone() {
            shared.gchain = Some(crate::gchain::start(&gchain, Role::Validator)?);
        }
        let voter = Voter::new(&shared.config, secret, admission.anchors)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _guard = runtime.enter();
        let daemon = Daemon::new(shared, voter)?;
        runtime.block_on(daemon.run())
    }
}
