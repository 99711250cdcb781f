//! Keys and the JSON files that hold them.
//!
//! Invariant: a secret is written with mode 0600, never over an existing file, and never printed. An *anchor* is the public half
//! of an authority (`anchor.json`); a *key file* (`key.json`) has the seed too; a *device file* (`device.json`) has what a
//! device needs to start: seed, certificate chain, pinned authority, gateway. Everything binary is lower-case hex.

use anyhow::{Context, Result, anyhow, bail};
use iotedge_core::crypto::{PublicKey, SecretKey, Signature, Suite, es256};
use iotedge_core::identity::device_id::DeviceId;
use iotedge_core::identity::key::{CoseKey, MAX_COSE_KEY};
use iotedge_core::wire::Writer;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The public half of an authority: what others pin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// Stands as `iss` in the certificates that the authority signs.
    pub name: String,
    /// `manufacturer` or `neighbourhood`.
    pub kind: AnchorKind,
    /// COSE_Key, hex.
    pub cose_key: String,
    /// SHA-256 of it, hex.
    pub thumbprint: String,
}

/// What an authority vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum AnchorKind {
    /// Signs device certificates.
    Manufacturer,
    /// Signs the genesis of a neighbourhood, and certificates of its GL-node and validators.
    Neighbourhood,
}

/// A key with its seed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// What the key is for, for people.
    pub purpose: String,
    /// Ed25519 seed, hex. Secret.
    pub seed: String,
    /// COSE_Key, hex.
    pub cose_key: String,
}

/// What a device reads at its first start.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFile {
    /// Bech32m.
    pub device_id: String,
    /// Seed of an Ed25519 key or scalar of a P-256 key, as `cose_key` says; hex. Secret.
    pub seed: String,
    /// COSE_Key, hex.
    pub cose_key: String,
    /// Raw public key, hex: 32 bytes, or x then y.
    pub public_key: String,
    /// Certificates, hex, the authority's first where there are two.
    pub chain: Vec<String>,
    /// Raw Ed25519 public key of the neighbourhood authority that signs the genesis, hex; empty where it is pinned later.
    #[serde(default)]
    pub authority_public_key: String,
    /// The same as COSE_Key.
    #[serde(default)]
    pub authority_cose_key: String,
    /// `address:port` of the gateway; empty where it is found later.
    #[serde(default)]
    pub gateway: String,
}

/// A fresh key from the randomness of the operating system.
///
/// # Errors
/// The operating system has no randomness: there is no fallback.
pub fn generate() -> Result<([u8; 32], SecretKey)> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|e| anyhow!("the operating system gave no randomness ({e}); nothing was made"))?;
    let key =
        SecretKey::from_seed(&seed).map_err(|e| anyhow!("randomness unfit for a key: {e}"))?;
    Ok((seed, key))
}

/// A device's secret key in software. Authorities, GL-nodes and validators have Ed25519 keys ([`SecretKey`]).
pub enum Secret {
    Ed25519(SecretKey),
    Es256(es256::SecretKey),
}

impl Secret {
    /// A fresh key of a suite, and the 32 bytes that stand for it in a file.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub fn generate(suite: Suite) -> Result<([u8; 32], Self)> {
        let (seed, secret) = generate()?;
        Ok(match suite {
            Suite::Ed25519 => (seed, Self::Ed25519(secret)),
            // 32 random bytes are no scalar once in 2^32 times: the message says so, the next try succeeds.
            Suite::Es256 => (seed, Self::of(&seed, suite)?),
        })
    }

    fn of(bytes: &[u8; 32], suite: Suite) -> Result<Self> {
        match suite {
            Suite::Ed25519 => SecretKey::from_seed(bytes).map(Self::Ed25519),
            Suite::Es256 => es256::SecretKey::from_scalar(bytes).map(Self::Es256),
        }
        .map_err(|e| anyhow!("seed: not a key of {suite:?} ({e})"))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        match self {
            Self::Ed25519(secret) => secret.public_key(),
            Self::Es256(secret) => secret.public_key(),
        }
    }

    /// Signs.
    ///
    /// # Errors
    /// The backend failed.
    pub fn sign(&self, message: &[u8]) -> Result<Signature> {
        match self {
            Self::Ed25519(secret) => Ok(secret.sign(message)),
            Self::Es256(secret) => secret
                .sign(message)
                .map_err(|e| anyhow!("signing failed: {e}")),
        }
    }
}

/// The COSE_Key of `key`, encoded.
#[must_use]
pub fn cose_key(key: &PublicKey) -> Vec<u8> {
    let mut buffer = [0; MAX_COSE_KEY];
    let mut writer = Writer::new(&mut buffer);
    CoseKey::encode(key, &mut writer).expect("MAX_COSE_KEY holds every key");
    writer.into_written().to_vec()
}

/// A public key from hex: raw Ed25519 or COSE_Key.
///
/// # Errors
/// Not hex, not a key, or one that can never verify a signature.
pub fn public_key(text: &str) -> Result<PublicKey> {
    let bytes = hex::decode(text.trim()).context("not hex")?;
    let key = match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(raw) => PublicKey::Ed25519(raw),
        Err(_) => {
            CoseKey::decode(&bytes).map_err(|e| anyhow!("not a COSE_Key of the protocol: {e:?}"))?
        }
    };
    key.check()
        .map_err(|e| anyhow!("not a usable public key: {e}"))?;
    Ok(key)
}

/// A public key from hex, or from an `anchor.json`, `key.json` or `device.json`.
///
/// # Errors
/// Names the file and the field.
pub fn public_key_from(text: &str) -> Result<PublicKey> {
    if hex::decode(text.trim()).is_ok() {
        return public_key(text).with_context(|| text.to_owned());
    }
    let path = Path::new(text);
    let json: serde_json::Value = read_json(path)?;
    let field = json
        .get("cose_key")
        .and_then(serde_json::Value::as_str)
        .ok_or_else(|| {
            anyhow!(
                "{}: cose_key: missing; give an anchor.json, key.json or device.json",
                path.display()
            )
        })?;
    public_key(field).with_context(|| format!("{}: cose_key", path.display()))
}

/// A device id as people read it.
#[must_use]
pub fn device_text(key: &PublicKey) -> String {
    id_text(CoseKey::thumbprint(key))
}

/// The same for an id that is here already.
#[must_use]
pub fn id_text(id: iotedge_core::Id) -> String {
    String::from_utf8_lossy(&DeviceId(id).to_text()).into_owned()
}

impl Anchor {
    /// The anchor of a key.
    #[must_use]
    pub fn new(name: &str, kind: AnchorKind, key: &PublicKey) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            cose_key: hex::encode(cose_key(key)),
            thumbprint: CoseKey::thumbprint(key).to_string(),
        }
    }

    /// Reads an `anchor.json` and checks that its thumbprint is its key's.
    ///
    /// # Errors
    /// Names the file and the field.
    pub fn load(path: &Path) -> Result<(Self, PublicKey)> {
        let anchor: Self = read_json(path)?;
        let key = public_key(&anchor.cose_key)
            .with_context(|| format!("{}: cose_key", path.display()))?;
        if CoseKey::thumbprint(&key).to_string() != anchor.thumbprint {
            bail!(
                "{}: thumbprint: not the SHA-256 of cose_key; one of the two was altered, take the file from its authority again",
                path.display()
            );
        }
        Ok((anchor, key))
    }
}

impl KeyFile {
    /// The file of a fresh key.
    #[must_use]
    pub fn new(purpose: &str, seed: &[u8; 32], key: &SecretKey) -> Self {
        Self {
            purpose: purpose.to_owned(),
            seed: hex::encode(seed),
            cose_key: hex::encode(cose_key(&key.public_key())),
        }
    }
}

/// The Ed25519 key in a `key.json` or `device.json`; its public half must be the file's.
///
/// # Errors
/// Names the file and the field.
pub fn load_secret(path: &Path) -> Result<SecretKey> {
    match load_any_secret(path)? {
        Secret::Ed25519(secret) => Ok(secret),
        Secret::Es256(_) => bail!(
            "{}: cose_key: a P-256 key is not allowed here; authorities, gateways and validators have Ed25519 keys",
            path.display()
        ),
    }
}

/// The secret key of either suite in a `device.json`; its public half must be the file's.
///
/// # Errors
/// Names the file and the field.
pub fn load_any_secret(path: &Path) -> Result<Secret> {
    #[derive(Deserialize)]
    struct Both {
        seed: String,
        cose_key: String,
    }
    let both: Both = read_json(path)?;
    secret(&both.seed, &both.cose_key).with_context(|| path.display().to_string())
}

fn secret(seed: &str, cose: &str) -> Result<Secret> {
    let bytes = hex::decode(seed)
        .ok()
        .and_then(|b| <[u8; 32]>::try_from(b).ok());
    let bytes = bytes.ok_or_else(|| anyhow!("seed: must be 64 hex digits"))?;
    let public = public_key(cose).context("cose_key")?;
    let key = Secret::of(&bytes, public.suite())?;
    if public != key.public_key() {
        bail!("cose_key: not the public half of seed; the file was altered or mixed up");
    }
    Ok(key)
}

/// Reads a JSON file.
///
/// # Errors
/// Names the file, and what in it is wrong.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Who may read a file that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Mode 0600.
    Secret,
    /// Mode 0644.
    Public,
}

/// Writes a new file; refuses to overwrite. Returns its path.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8], access: Access) -> Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot be made", folder.display()))?;
    }
    let mode = match access {
        Access::Secret => 0o600,
        Access::Public => 0o644,
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                anyhow!("{}: is there already and is never overwritten; choose another folder or move it away", path.display())
            }
            _ => anyhow!("{}: cannot be written: {e}", path.display()),
        })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(path.to_owned())
}

/// Replaces a public file in one step: a reader sees the old one or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let next = path.with_extension("next");
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(&next)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&next, path)
    };
    write().with_context(|| format!("{}: cannot be written", path.display()))
}

/// JSON for a file: indented, with a newline at the end.
#[must_use]
pub fn pretty<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("plain data");
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/key.json");
        let (seed, key) = generate().unwrap();
        let file = KeyFile::new("test", &seed, &key);
        write_new(&path, &pretty(&file), Access::Secret).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let error = write_new(&path, b"x", Access::Secret)
            .unwrap_err()
            .to_string();
        assert!(error.contains("never overwritten"), "{error}");
        assert_eq!(load_secret(&path).unwrap().public_key(), key.public_key());
    }

    #[test]
    fn a_mixed_up_key_file_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let (seed, key) = generate().unwrap();
        let (_, other) = generate().unwrap();
        let mut file = KeyFile::new("test", &seed, &key);
        file.cose_key = hex::encode(cose_key(&other.public_key()));
        write_new(&path, &pretty(&file), Access::Secret).unwrap();
        let error = format!("{:#}", load_secret(&path).unwrap_err());
        assert!(
            error.contains("key.json: cose_key: not the public half"),
            "{error}"
        );
    }

    #[test]
    fn a_p256_key_is_read_as_a_devices_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.json");
        let (seed, key) = Secret::generate(Suite::Es256).unwrap();
        let file = serde_json::json!({ "seed": hex::encode(seed), "cose_key": hex::encode(cose_key(&key.public_key())) });
        write_new(&path, &pretty(&file), Access::Secret).unwrap();
        assert_eq!(
            load_any_secret(&path).unwrap().public_key(),
            key.public_key()
        );
        let error = format!("{:#}", load_secret(&path).unwrap_err());
        assert!(
            error.contains("device.json: cose_key: a P-256 key"),
            "{error}"
        );
        let (other, _) = Secret::generate(Suite::Es256).unwrap();
        assert!(
            secret(
                &hex::encode(other),
                &hex::encode(cose_key(&key.public_key()))
            )
            .is_err()
        );
        assert!(secret(&"ff".repeat(32), &hex::encode(cose_key(&key.public_key()))).is_err());
    }

    #[test]
    fn an_altered_anchor_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor.json");
        let (_, key) = generate().unwrap();
        let mut anchor = Anchor::new("Maker", AnchorKind::Manufacturer, &key.public_key());
        replace(&path, &pretty(&anchor)).unwrap();
        assert_eq!(
            Anchor::load(&path).unwrap(),
            (anchor.clone(), key.public_key())
        );
        anchor.thumbprint.replace_range(
            0..1,
            if anchor.thumbprint.starts_with('0') {
                "1"
            } else {
                "0"
            },
        );
        replace(&path, &pretty(&anchor)).unwrap();
        assert!(format!("{:#}", Anchor::load(&path).unwrap_err()).contains("thumbprint"));
    }

    #[test]
    fn keys_are_read_in_both_spellings() {
        let (_, key) = generate().unwrap();
        let key = key.public_key();
        assert_eq!(public_key(&hex::encode(key.bytes())).unwrap(), key);
        assert_eq!(public_key_from(&hex::encode(cose_key(&key))).unwrap(), key);
        assert!(public_key("00").is_err());
        assert!(public_key(&"00".repeat(32)).is_err(), "small order");
        assert!(device_text(&key).starts_with("iote1"));
    }
}
