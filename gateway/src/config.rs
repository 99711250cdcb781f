//! The configuration of `run` and `validator`: one TOML file, over which command-line flags win.
//!
//! Invariant: a value that reaches the daemon is inside its bounds. Unknown keys are refused (a misspelt key must not
//! silently mean a default), and every error names the file, the key and what is allowed. Paths in a file are relative to
//! the folder of that file. The bounds on T, P_max and q are those of protocol section 6.

use crate::line::{BAUD, Flow, Port};
use iotedge_core::identity::attest::{MAX_MEASUREMENTS, MAX_TEXT};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Why a configuration was refused. The text is for the person who edits the file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable { file: PathBuf, reason: String },
    /// The file is not TOML, or has a key or type that is not known. `reason` has line, key and the keys that are.
    #[error("{file}: {reason}")]
    Syntax { file: PathBuf, reason: String },
    /// A value is out of bounds.
    #[error("{file}: {key}: {found} is not allowed; {allowed}")]
    Value {
        file: PathBuf,
        key: &'static str,
        found: String,
        allowed: &'static str,
    },
}

/// How far a commit to the store reaches before a frame leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Survives a crash of the machine: the disk is flushed in each turn.
    #[default]
    Power,
    /// Survives the end of the process (SIGKILL), not a power cut.
    Process,
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the L-node listens, UDP.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Folder of the store.
    #[serde(default = "default_data")]
    pub data: PathBuf,
    /// `device.json` of the GL-node or key file of the validator.
    pub identity: Option<PathBuf>,
    /// COSE_Key hex, or the path of an `anchor.json`, of the authority that signs the genesis.
    pub authority: Option<String>,
    /// Key file of that authority: `run` needs it to found a neighbourhood.
    pub authority_key: Option<PathBuf>,
    /// `anchor.json` files of manufacturers whose devices may enrol.
    #[serde(default)]
    pub anchors: Vec<PathBuf>,
    /// Revocation lists, each signed by one of the anchors.
    #[serde(default)]
    pub revocations: Vec<PathBuf>,
    /// Addresses of full nodes to talk to from the start.
    #[serde(default)]
    pub peers: Vec<SocketAddr>,
    /// Lines with one device at the other end of each.
    #[serde(default)]
    pub serial: Vec<Serial>,
    /// Where metrics are served over HTTP; loopback only.
    pub metrics: Option<SocketAddr>,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a tracing filter.
    #[serde(default = "default_log")]
    pub log: String,
    /// IPv4 or IPv6 group to join on a real LAN; off unless written here.
    pub multicast: Option<SocketAddr>,
    /// Interface address for `multicast`; the system chooses without it.
    pub multicast_interface: Option<std::net::Ipv4Addr>,
    #[serde(default)]
    pub founding: Founding,
    #[serde(default)]
    pub policy: Policy,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub store: StoreConfig,
    /// The contract that headers are brought to; without it local validators are all there is.
    pub gchain: Option<GChain>,
    /// What a device must prove of itself to enrol; without any, nothing is demanded.
    #[serde(default)]
    pub attestation: Vec<Reference>,
    /// The validators of the first term, in the order of their indices.
    #[serde(default, rename = "validator")]
    pub validators: Vec<Validator>,
    /// Where the file lies; names it in errors.
    #[serde(skip)]
    pub file: PathBuf,
}

/// A serial line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// A device file, `tcp:HOST:PORT` or `tcp-listen:HOST:PORT`.
    pub port: Port,
    /// Its speed; what waits for it leaves no faster, over TCP either.
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// Who holds whom back on a tty: `"none"` or `"rts-cts"`.
    #[serde(default)]
    pub flow: Flow,
    /// Where neighbours behind the gateway reach the device at its end.
    #[serde(default)]
    pub listen: Option<SocketAddr>,
    /// Whom the device reaches beside the gateway, numbered from 1.
    #[serde(default)]
    pub neighbours: Vec<SocketAddr>,
}

impl FromStr for Serial {
    type Err = String;

    /// `PORT` or `PORT@BAUD`.
    fn from_str(text: &str) -> Result<Self, String> {
        let speed = text.rsplit_once('@');
        let speed = speed.and_then(|(port, baud)| Some((port, baud.parse().ok()?)));
        let (port, baud) = speed.unwrap_or((text, BAUD));
        Ok(Self {
            port: port.parse()?,
            baud,
            flow: Flow::None,
            listen: None,
            neighbours: Vec::new(),
        })
    }
}

/// When the founding ends.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Founding {
    /// Devices, besides the GL-node, at which the genesis is made at once.
    pub founders: u16,
    /// Milliseconds after which it is made with at least one device.
    pub wait_ms: u64,
    /// Chain id in the genesis: keeps test and real networks apart.
    pub chain_id: u64,
}

impl Default for Founding {
    fn default() -> Self {
        Self {
            founders: 3,
            wait_ms: 60_000,
            chain_id: 1,
        }
    }
}

/// What the genesis fixes for the neighbourhood.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// T: period of the epochs.
    pub period_ms: u64,
    /// P_max: how much older than a vertex its parents may be; T/4 where it is left out.
    pub p_max_ms: Option<u64>,
    /// q: distinct neighbours before `Witnessed` and `Quorum`.
    pub witnesses: u16,
    /// Settled credits of each founding member, in micro-tokens.
    pub grant: u64,
    /// Most micro-tokens in one transfer.
    pub cap_transaction: u64,
    /// Most unsettled micro-tokens towards one peer.
    pub cap_peer: u64,
    /// Most unsettled micro-tokens at all.
    pub cap_exposure: u64,
    /// Most members of the neighbourhood.
    pub max_members: u16,
    /// Most of them that are leaves: submit-only members of weight 0, which hold no window; 0 admits none.
    pub max_leaves: u16,
    /// U: how old a validator set may be.
    pub set_age_ms: u64,
    /// Whether devices with P-256 keys may enrol: then every node must be built with that suite.
    pub es256: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            period_ms: 60_000,
            p_max_ms: None,
            witnesses: 2,
            grant: 1_000_000,
            cap_transaction: 10_000,
            cap_peer: 100_000,
            cap_exposure: 500_000,
            max_members: 1_000,
            max_leaves: 1_000,
            set_age_ms: 14 * 24 * 3_600_000,
            es256: false,
        }
    }
}

impl Policy {
    /// P_max, a quarter of T where the file does not say.
    #[must_use]
    pub fn p_max(&self) -> u64 {
        self.p_max_ms.unwrap_or(self.period_ms / 4)
    }
}

/// Sizes of the node's memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Vertices in the window.
    pub window: u32,
    /// Bytes of transactions in memory.
    pub raw_bytes: u32,
    /// Neighbours at one time; the one idle longest makes room for a new one.
    pub peers: u16,
    /// Transactions that wait for a parent.
    pub aside: u16,
    /// Submissions of the gateway itself that wait.
    pub outbox: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: 8_192,
            raw_bytes: 4 << 20,
            peers: 256,
            aside: 1_024,
            outbox: 64,
        }
    }
}

/// How the store behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    pub durability: Durability,
    /// Closed epochs whose transactions are kept; headers and votes are kept for ever.
    pub keep_epochs: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            durability: Durability::Power,
            keep_epochs: 64,
        }
    }
}

/// Where the G-Chain is, and as whom this daemon speaks there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GChain {
    /// An Ethereum node's JSON-RPC, `http://` or `https://`. Its chain id must be the genesis's.
    pub rpc: String,
    /// Address of the contract, 0x and 40 digits.
    pub contract: String,
    /// Key file (keystore version 3) of the Ethereum account: the gateway's pays for what is brought, the validator's votes.
    pub account: PathBuf,
    /// File whose first line is its password.
    pub password_file: PathBuf,
    /// Blocks on top of one before it counts.
    #[serde(default = "default_confirmations")]
    pub confirmations: u64,
    /// The block of the contract's deployment: logs are looked for from there on.
    #[serde(default)]
    pub from_block: u64,
    /// Address of the contract of the elections that a validator stands in; none: it stands in none.
    #[serde(default)]
    pub elections: Option<String>,
    /// Key file of the validator's random function, as `gchain function` makes it: with it the validator stands for election and reveals by itself.
    #[serde(default)]
    pub function_key: Option<PathBuf>,
}

fn address_of(text: &str) -> Option<[u8; 20]> {
    let digits = text.strip_prefix("0x")?;
    hex::decode(digits).ok()?.try_into().ok()
}

impl GChain {
    /// The address of the elections in bytes.
    #[must_use]
    pub fn elections(&self) -> Option<[u8; 20]> {
        self.elections.as_deref().and_then(address_of)
    }

    /// The contract's address in bytes.
    #[must_use]
    pub fn contract(&self) -> Option<[u8; 20]> {
        address_of(&self.contract)
    }
}

const fn default_confirmations() -> u64 {
    12
}

/// A state of one hardware model that may enrol (protocol section 2.4).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The hardware model, as the device says it.
    pub model: String,
    /// Versions of it; empty for any.
    #[serde(default)]
    pub hardware_versions: Vec<String>,
    /// Versions of the firmware; empty for any.
    #[serde(default)]
    pub software_versions: Vec<String>,
    /// It must say that only what its maker allows could boot.
    #[serde(default = "yes")]
    pub secure_boot: bool,
    /// It must say that it cannot be debugged now.
    #[serde(default = "yes")]
    pub debug_disabled: bool,
    /// What it must have measured, each with the digests in hex that are allowed; anything else refuses it.
    pub measurements: BTreeMap<String, Vec<String>>,
}

const fn yes() -> bool {
    true
}

/// One validator of the set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Ed25519 public key or COSE_Key, hex.
    pub public_key: String,
    pub stake: u64,
    /// Where proposals are sent.
    pub address: SocketAddr,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 7700))
}

const fn default_baud() -> u32 {
    BAUD
}

fn default_data() -> PathBuf {
    PathBuf::from("gateway-data")
}

fn default_log() -> String {
    "info".to_owned()
}

impl Config {
    /// Reads, resolves and checks the file.
    ///
    /// # Errors
    /// [`ConfigError`], with the file, the key and what is allowed.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|e| ConfigError::Unreadable {
            file: file.to_owned(),
            reason: e.to_string(),
        })?;
        Self::parse(&text, file)
    }

    /// The same for text that is already here.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|e| ConfigError::Syntax {
            file: file.to_owned(),
            reason: e.to_string().trim_end().to_owned(),
        })?;
        config.file = file.to_owned();
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let resolve = |path: &mut PathBuf| *path = folder.join(&*path);
        resolve(&mut config.data);
        config.identity.as_mut().map(resolve);
        config.authority_key.as_mut().map(resolve);
        if let Some(gchain) = &mut config.gchain {
            resolve(&mut gchain.account);
            resolve(&mut gchain.password_file);
            gchain.function_key.as_mut().map(resolve);
        }
        config.anchors.iter_mut().for_each(resolve);
        config.revocations.iter_mut().for_each(resolve);
        for line in &mut config.serial {
            if let Port::Tty(path) = &mut line.port {
                resolve(path);
            }
        }
        if let Some(authority) = &mut config.authority
            && hex::decode(authority.as_str()).is_err()
        {
            *authority = folder.join(&*authority).to_string_lossy().into_owned();
        }
        config.check()?;
        Ok(config)
    }

    /// Checks every bound. Call it again after flags were laid over the file.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for the first value out of bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        let policy = &self.policy;
        let limits = &self.limits;
        self.within(
            "policy.period_ms",
            policy.period_ms,
            1_000..=604_800_000,
            "1000 to 604800000 (a second to a week)",
        )?;
        self.within(
            "policy.p_max_ms",
            policy.p_max(),
            1..=policy.period_ms / 4,
            "1 to a quarter of policy.period_ms",
        )?;
        self.within(
            "policy.witnesses",
            policy.witnesses.into(),
            1..=16,
            "1 to 16",
        )?;
        self.within(
            "policy.max_members",
            policy.max_members.into(),
            2..=4_096,
            "2 to 4096",
        )?;
        self.within(
            "policy.max_leaves",
            policy.max_leaves.into(),
            0..=4_096,
            "0 to 4096",
        )?;
        self.within(
            "policy.cap_transaction",
            policy.cap_transaction,
            1..=u64::MAX,
            "1 or more",
        )?;
        self.within(
            "policy.cap_peer",
            policy.cap_peer,
            policy.cap_transaction..=u64::MAX,
            "at least policy.cap_transaction",
        )?;
        self.within(
            "policy.cap_exposure",
            policy.cap_exposure,
            policy.cap_peer..=u64::MAX,
            "at least policy.cap_peer",
        )?;
        let total = policy.grant.checked_mul(u64::from(policy.max_members));
        self.within(
            "policy.grant",
            policy.grant,
            0..=total.map_or(0, |_| u64::MAX),
            "grant times max_members must fit 64 bits",
        )?;
        self.within(
            "policy.set_age_ms",
            policy.set_age_ms,
            policy.period_ms..=u64::MAX,
            "at least policy.period_ms",
        )?;
        self.within(
            "founding.founders",
            self.founding.founders.into(),
            1..=u64::from(policy.max_members) - 1,
            "1 to policy.max_members - 1",
        )?;
        self.within(
            "limits.window",
            limits.window.into(),
            32..=65_536,
            "a power of two from 32 to 65536",
        )?;

        if !limits.window.is_power_of_two() {
            return Err(self.value(
                "limits.window",
                limits.window,
                "a power of two from 32 to 65536",
            ));
        }
        self.within(
            "limits.raw_bytes",
            limits.raw_bytes.into(),
            64 * u64::from(limits.window)..=1 << 30,
            "at least 64 bytes for each vertex of limits.window, at most 1 GiB",
        )?;
        self.within("limits.peers", limits.peers.into(), 2..=1_023, "2 to 1023")?;
        self.within(
            "limits.aside",
            limits.aside.into(),
            1..=16_384,
            "1 to 16384",
        )?;
        self.within(
            "limits.outbox",
            limits.outbox.into(),
            4..=4_096,
            "4 to 4096",
        )?;
        self.within(
            "store.keep_epochs",
            self.store.keep_epochs.into(),
            2..=u64::from(u32::MAX),
            "2 or more: the newest two are replayed after a restart",
        )?;
        if let Some(address) = self.metrics
            && !address.ip().is_loopback()
        {
            return Err(self.value(
                "metrics",
                address,
                "a loopback address: metrics carry no authentication",
            ));
        }
        if self.serial.len() > 32 || self.serial.len() >= usize::from(limits.peers) {
            return Err(self.value(
                "serial",
                format!("{} lines", self.serial.len()),
                "at most 32 lines, and fewer than limits.peers",
            ));
        }
        for (at, line) in self.serial.iter().enumerate() {
            self.within(
                "serial.baud",
                line.baud.into(),
                300..=12_000_000,
                "300 to 12000000",
            )?;
            if self.serial.iter().take(at).any(|l| l.port == line.port) {
                return Err(self.value("serial.port", &line.port, "each port once"));
            }
            if line.flow != Flow::None && !matches!(line.port, Port::Tty(_)) {
                return Err(self.value(
                    "serial.flow",
                    &line.port,
                    "a tty, since a socket has no RTS and CTS",
                ));
            }
            if line.listen.is_some() == line.neighbours.is_empty() || line.neighbours.len() > 255 {
                return Err(self.value(
                    "serial.neighbours",
                    format!("{} of them", line.neighbours.len()),
                    "1 to 255 together with serial.listen, or neither",
                ));
            }
        }
        if let Some(group) = self.multicast
            && !group.ip().is_multicast()
        {
            return Err(self.value(
                "multicast",
                group,
                "a multicast group such as 239.86.7.1:7700",
            ));
        }
        if let Some(gchain) = &self.gchain {
            let scheme = ["http://", "https://"];
            if !scheme.iter().any(|s| gchain.rpc.starts_with(s)) {
                return Err(self.value(
                    "gchain.rpc",
                    &gchain.rpc,
                    "an http:// or https:// address of an Ethereum node's JSON-RPC",
                ));
            }
            if gchain.rpc.starts_with("https://") && !cfg!(feature = "tls") {
                return Err(self.value(
                    "gchain.rpc",
                    &gchain.rpc,
                    "http:// in this build; for https:// build it with --features tls",
                ));
            }
            if gchain.contract().is_none() {
                return Err(self.value(
                    "gchain.contract",
                    &gchain.contract,
                    "the contract's address, 0x and 40 hexadecimal digits",
                ));
            }
            if let Some(elections) = &gchain.elections
                && gchain.elections().is_none()
            {
                return Err(self.value(
                    "gchain.elections",
                    elections,
                    "the address of the contract of the elections, 0x and 40 hexadecimal digits",
                ));
            }
            if gchain.function_key.is_some() && gchain.elections.is_none() {
                return Err(self.value(
                    "gchain.elections",
                    "nothing",
                    "the address of the contract that gchain.function_key is for",
                ));
            }
            self.within(
                "gchain.confirmations",
                gchain.confirmations,
                0..=10_000,
                "0 to 10000 blocks",
            )?;
        }
        for reference in &self.attestation {
            if !(1..=MAX_TEXT).contains(&reference.model.len()) {
                return Err(self.value(
                    "attestation.model",
                    &reference.model,
                    "1 to 32 bytes of text, as the device says it",
                ));
            }
            if !(1..=MAX_MEASUREMENTS).contains(&reference.measurements.len()) {
                return Err(self.value(
                    "attestation.measurements",
                    format!("{} names", reference.measurements.len()),
                    "1 to 8 names, each with a list of digests in hex",
                ));
            }
            for digest in reference.measurements.values().flatten() {
                let len = hex::decode(digest).map_or(0, |bytes| bytes.len());
                if ![32, 48, 64].contains(&len) {
                    return Err(self.value(
                        "attestation.measurements",
                        digest,
                        "SHA-256, SHA-384 or SHA-512 in hex: 64, 96 or 128 digits",
                    ));
                }
            }
        }
        if self.validators.len() > 64 {
            return Err(self.value(
                "validator",
                format!("{} entries", self.validators.len()),
                "at most 64 validators",
            ));
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut total = 0_u64;
        for validator in &self.validators {
            if crate::keys::public_key(&validator.public_key).is_err() {
                return Err(self.value(
                    "validator.public_key",
                    &validator.public_key,
                    "an Ed25519 public key, 64 hex digits, or its COSE_Key in hex",
                ));
            }
            if !seen.insert(validator.public_key.to_ascii_lowercase()) {
                return Err(self.value(
                    "validator.public_key",
                    &validator.public_key,
                    "each validator once",
                ));
            }
            let sum = total
                .checked_add(validator.stake)
                .filter(|_| validator.stake > 0);
            total = sum.ok_or_else(|| {
                self.value(
                    "validator.stake",
                    validator.stake,
                    "1 or more, and the sum must fit 64 bits",
                )
            })?;
        }
        Ok(())
    }

    /// The path under `key`, or an error that asks for it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where the file does not give it.
    pub fn required<'a, T: ?Sized>(
        &self,
        key: &'static str,
        value: Option<&'a T>,
        allowed: &'static str,
    ) -> Result<&'a T, ConfigError> {
        value.ok_or_else(|| self.value(key, "nothing", allowed))
    }

    fn within(
        &self,
        key: &'static str,
        value: u64,
        bounds: std::ops::RangeInclusive<u64>,
        allowed: &'static str,
    ) -> Result<(), ConfigError> {
        if bounds.contains(&value) {
            return Ok(());
        }
        Err(self.value(key, value, allowed))
    }

    fn value(&self, key: &'static str, found: impl ToString, allowed: &'static str) -> ConfigError {
        ConfigError::Value {
            file: self.file.clone(),
            key,
            found: found.to_string(),
            allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("/etc/iotedge/gateway.toml"))
    }

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_all_defaults_and_within_bounds() {
        let config = parse("").unwrap();
        assert_eq!(config.policy.p_max(), config.policy.period_ms / 4);
        assert_eq!(config.data, Path::new("/etc/iotedge/gateway-data"));
        assert_eq!(config.store.durability, Durability::Power);
        assert!(config.multicast.is_none());
    }

    #[test]
    fn the_example_in_the_docs_is_a_valid_file() {
        let page = include_str!("../../docs/gateway.md");
        let example = page
            .split("```toml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .expect("docs/gateway.md has a TOML example");
        let config = parse(example).unwrap();
        assert!(!config.validators.is_empty());
    }

    #[test]
    fn serial_lines_are_files_beside_the_configuration_or_sockets() {
        let config = parse("[[serial]]\nport = \"board\"\n[[serial]]\nport = \"tcp:127.0.0.1:5555\"\nbaud = 9600\n").unwrap();
        assert_eq!(
            config.serial[0].port,
            Port::Tty("/etc/iotedge/board".into())
        );
        assert_eq!(
            (config.serial[0].baud, config.serial[1].baud),
            (115_200, 9_600)
        );
        assert_eq!(config.serial[1].port, Port::Tcp("127.0.0.1:5555".into()));
        for (port, baud, why) in [
            ("tcp:5555", 9_600, "HOST:PORT"),
            ("tcp:host:70000", 9_600, "HOST:PORT"),
            ("tcp-listen:", 9_600, "HOST:PORT"),
            ("", 9_600, "device file"),
            ("/dev/ttyS0", 200, "300 to"),
        ] {
            let text = refusal(&format!("[[serial]]\nport = \"{port}\"\nbaud = {baud}\n"));
            assert!(text.contains(why), "{text}");
        }
        assert!(refusal("[[serial]]\nport = \"/a\"\n[[serial]]\nport = \"/a\"\n").contains("once"));
        let held = parse("[[serial]]\nport = \"/a\"\nflow = \"rts-cts\"\n").unwrap();
        assert_eq!(
            (held.serial[0].flow, config.serial[0].flow),
            (Flow::RtsCts, Flow::None)
        );
        let other = refusal("[[serial]]\nport = \"/a\"\nflow = \"xon-xoff\"\n");
        assert!(other.contains("rts-cts"), "{other}");
        let socket = refusal("[[serial]]\nport = \"tcp:a:1\"\nflow = \"rts-cts\"\n");
        assert!(socket.contains("a tty"), "{socket}");
        let half = refusal("[[serial]]\nport = \"/a\"\nlisten = \"127.0.0.1:9201\"\n");
        assert!(half.contains("neither"), "{half}");
        let line: Serial = "tcp-listen:[::1]:7@19200".parse().unwrap();
        assert_eq!(
            (line.port.to_string().as_str(), line.baud),
            ("tcp-listen:[::1]:7", 19_200)
        );
        assert_eq!(
            "/dev/a@b".parse::<Serial>().unwrap().port,
            Port::Tty("/dev/a@b".into())
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let text = refusal("[policy]\nperiod = 5\n");
        assert!(text.starts_with("/etc/iotedge/gateway.toml:"), "{text}");
        assert!(
            text.contains("period") && text.contains("period_ms"),
            "{text}"
        );
        assert!(refusal("listne = \"127.0.0.1:1\"").contains("`listen`"));
    }

    #[test]
    fn every_bound_names_file_key_and_what_is_allowed() {
        for (text, key) in [
            ("[policy]\nperiod_ms = 999", "policy.period_ms"),
            (
                "[policy]\nperiod_ms = 10000\np_max_ms = 2501",
                "policy.p_max_ms",
            ),
            (
                "[policy]\nperiod_ms = 10000\np_max_ms = 0",
                "policy.p_max_ms",
            ),
            ("[policy]\nwitnesses = 0", "policy.witnesses"),
            ("[policy]\nmax_members = 1", "policy.max_members"),
            ("[policy]\nmax_leaves = 4097", "policy.max_leaves"),
            ("[policy]\ngrant = 9223372036854775807", "policy.grant"),
            ("[policy]\ncap_transaction = 0", "policy.cap_transaction"),
            ("[policy]\ncap_peer = 1", "policy.cap_peer"),
            ("[policy]\ncap_exposure = 1", "policy.cap_exposure"),
            ("[policy]\nset_age_ms = 1", "policy.set_age_ms"),
            ("[founding]\nfounders = 0", "founding.founders"),
            ("[founding]\nfounders = 1000", "founding.founders"),
            ("[limits]\nwindow = 31", "limits.window"),
            ("[limits]\nwindow = 65537", "limits.window"),
            ("[limits]\nwindow = 100", "limits.window"),
            ("[limits]\nraw_bytes = 1", "limits.raw_bytes"),
            ("[limits]\npeers = 1", "limits.peers"),
            ("[store]\nkeep_epochs = 1", "store.keep_epochs"),
            (
                "[[attestation]]\nmodel = \"\"\nmeasurements = {}",
                "attestation.model",
            ),
            (
                "[[attestation]]\nmodel = \"m\"\nmeasurements = {}",
                "attestation.measurements",
            ),
            (
                "[[attestation]]\nmodel = \"m\"\nmeasurements = { firmware = [\"00\"] }",
                "attestation.measurements",
            ),
            (
                "[gchain]\nrpc = \"ws://a\"\ncontract = \"0x00\"\naccount = \"a\"\npassword_file = \"p\"",
                "gchain.rpc",
            ),
            (
                "[gchain]\nrpc = \"http://a\"\ncontract = \"0x00\"\naccount = \"a\"\npassword_file = \"p\"",
                "gchain.contract",
            ),
            (
                "[gchain]\nrpc = \"http://a\"\ncontract = \"0x0101010101010101010101010101010101010101\"\naccount = \"a\"\npassword_file = \"p\"\nfunction_key = \"f\"",
                "gchain.elections",
            ),
            ("metrics = \"192.0.2.1:9100\"", "metrics"),
            ("multicast = \"127.0.0.1:7700\"", "multicast"),
            (
                "[[validator]]\npublic_key = \"00\"\nstake = 1\naddress = \"127.0.0.1:1\"",
                "validator.public_key",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                matches!(&error, ConfigError::Value { key: found, .. } if *found == key),
                "{text}: {error}"
            );
            let line = error.to_string();
            assert!(
                line.starts_with("/etc/iotedge/gateway.toml: ") && line.contains("not allowed; "),
                "{line}"
            );
        }
    }

    #[test]
    fn stake_is_bounded_and_keys_are_distinct() {
        let one = |stake: &str, key: u8| {
            let key = hex::encode(
                iotedge_core::crypto::SecretKey::from_seed(&[key; 32])
                    .unwrap()
                    .public_key()
                    .bytes(),
            );
            format!(
                "[[validator]]\npublic_key = \"{key}\"\nstake = {stake}\naddress = \"127.0.0.1:1\"\n"
            )
        };
        assert!(parse(&(one("1", 1) + &one("2", 2))).is_ok());
        assert!(refusal(&(one("1", 1) + &one("2", 1))).contains("each validator once"));
        assert!(refusal(&one("0", 1)).contains("validator.stake"));
        let three = one("9223372036854775807", 1) + &one("9223372036854775807", 2) + &one("9", 3);
        assert!(refusal(&three).contains("validator.stake"));
    }

    #[test]
    fn paths_are_relative_to_the_file_and_keys_are_not_paths() {
        let config = parse("identity = \"gw/device.json\"\nauthority = \"a/anchor.json\"\nanchors = [\"/abs/anchor.json\"]").unwrap();
        assert_eq!(
            config.identity.unwrap(),
            Path::new("/etc/iotedge/gw/device.json")
        );
        assert_eq!(config.authority.unwrap(), "/etc/iotedge/a/anchor.json");
        assert_eq!(config.anchors[0], Path::new("/abs/anchor.json"));
        let config = parse("authority = \"a10120\"").unwrap();
        assert_eq!(config.authority.unwrap(), "a10120");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::load(Path::new("/nonexistent/x.toml"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("/nonexistent/x.toml: cannot be read"),
            "{error}"
        );
    }
}
