//! The key of a validator's random function, as a file. What is done with it is `iotedge_gchain::Candidate`'s.

use crate::keys::{self, Access};
use anyhow::{Context, Result, anyhow};
use iotedge_core::crypto::vrf::SecretKey;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The key of a random function, as a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionFile {
    purpose: String,
    /// Hex. Secret.
    seed: String,
    /// The public half, hex.
    function: String,
}

/// Makes a key file, never over another; gives the public half.
///
/// # Errors
/// No randomness, or the file is there already.
pub fn create_function(path: &Path) -> Result<(String, PathBuf)> {
    let (seed, _) = keys::generate()?;
    let secret = SecretKey::from_seed(&seed).map_err(|e| anyhow!("the key of a function: {e}"))?;
    let file = FunctionFile {
        purpose: "random function of a masternode (ECVRF-EDWARDS25519-SHA512-TAI)".to_owned(),
        seed: hex::encode(seed),
        function: hex::encode(secret.public_key().0),
    };
    let text = serde_json::to_string_pretty(&file).context("a key file cannot be written")?;
    let written = keys::write_new(path, text.as_bytes(), Access::Secret)?;
    Ok((file.function, written))
}

/// Reads one; its public half must be the file's.
///
/// # Errors
/// Names the file and the field.
pub fn load_function(path: &Path) -> Result<SecretKey> {
    let file: FunctionFile = keys::read_json(path)?;
    let seed = hex::decode(&file.seed).ok();
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    let seed = seed.with_context(|| format!("{}: seed: must be 64 hex digits", path.display()))?;
    let secret =
        SecretKey::from_seed(&seed).map_err(|e| anyhow!("{}: seed: {e}", path.display()))?;
    if hex::encode(secret.public_key().0) != file.function {
        anyhow::bail!(
            "{}: function: not the public half of seed; the file was altered or mixed up",
            path.display()
        );
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_its_own_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("function.json");
        let (public, written) = create_function(&path).unwrap();
        assert_eq!(written, path);
        let secret = load_function(&path).unwrap();
        assert_eq!(hex::encode(secret.public_key().0), public);
        assert!(create_function(&path).is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in [
            (public.as_str(), "00".repeat(32)),
            ("\"seed\": \"", "\"seed\": \"x".to_owned()),
        ] {
            let other = folder.path().join("other.json");
            std::fs::write(&other, text.replacen(from, &to, 1)).unwrap();
            let refused = load_function(&other).unwrap_err().to_string();
            assert!(refused.contains("other.json"), "{refused}");
        }
    }
}
