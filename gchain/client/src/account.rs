//! The secp256k1 account of a validator or gateway, and its votes. Nothing here reaches a network.

use crate::Error;
use crate::abi::Vote;
use alloy_primitives::{Address, B256, Signature};
use alloy_sol_types::{SolStruct, eip712_domain};
use k256::ecdsa::SigningKey;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Which contract on which chain a vote is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The chain.
    pub chain_id: u64,
    /// The contract.
    pub contract: Address,
}

/// A key that pays and votes. It is forgotten when dropped.
#[derive(Clone)]
pub struct Account {
    key: SigningKey,
    address: Address,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.address)
    }
}

impl Account {
    /// A new account, kept in a keystore v3 file that only its owner reads. A file that is there is not overwritten.
    ///
    /// # Errors
    /// [`Error::Keystore`].
    pub fn create(path: &Path, password: &str) -> Result<Self, Error> {
        if password.is_empty() {
            return Err(keystore(
                path,
                "an empty password keeps nobody out: choose one".into(),
            ));
        }
        let account = Self::from_key(SigningKey::random(&mut rand::rngs::OsRng));
        account.store(path, password)?;
        Ok(account)
    }

    /// The account of a keystore v3 file.
    ///
    /// # Errors
    /// [`Error::Keystore`]: no such file, not of this form, or another password.
    pub fn open(path: &Path, password: &str) -> Result<Self, Error> {
        let refuse = |why: String| keystore(path, why);
        let text = fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
        if !readable(&text) {
            return Err(refuse(
                "not a keystore of version 3: name the right file".into(),
            ));
        }
        let secret = eth_keystore::decrypt_key(path, password).map_err(|e| {
            refuse(match e {
                eth_keystore::KeystoreError::MacMismatch => "another password opens it".into(),
                e => e.to_string(),
            })
        })?;
        let key = SigningKey::from_slice(&secret)
            .map_err(|_| refuse("what it holds is no secp256k1 key".into()))?;
        Ok(Self::from_key(key))
    }

    /// The account of 32 secret bytes, as tests and tools that keep keys elsewhere have them. Nothing where they are no key.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Option<Self> {
        Some(Self::from_key(SigningKey::from_slice(secret).ok()?))
    }

    fn from_key(key: SigningKey) -> Self {
        let address = Address::from_public_key(key.verifying_key());
        Self { key, address }
    }

    /// Encrypted beside its place, and there only when whole.
    fn store(&self, path: &Path, password: &str) -> Result<(), Error> {
        let refuse = |e: &dyn std::fmt::Display| keystore(path, e.to_string());
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| refuse(&"it needs a file name in UTF-8"))?;
        let part = format!(".{name}.part");
        let beside = dir.join(&part);
        private_file(&beside).map_err(|e| refuse(&e))?;
        let written = eth_keystore::encrypt_key(
            dir,
            &mut rand::rngs::OsRng,
            self.key.to_bytes(),
            password,
            Some(&part),
        )
        .map_err(|e| refuse(&e))
        // A link fails where a file is; a rename would take its place.
        .and_then(|_| fs::hard_link(&beside, path).map_err(|e| refuse(&e)))
        .and_then(|()| {
            let synced = fs::File::open(path).and_then(|file| file.sync_all());
            synced.map_err(|e| refuse(&e))
        });
        let _ = fs::remove_file(&beside);
        written
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Its vote for a header and a count of credited deposits: r, s, v with v 27 or 28.
    ///
    /// # Errors
    /// [`Error::Form`]: the key cannot sign, which no key is known to do.
    pub fn vote(
        &self,
        domain: &Domain,
        neighbourhood: B256,
        number: u32,
        header: B256,
        credited: u32,
    ) -> Result<[u8; 65], Error> {
        let digest = vote_digest(domain, neighbourhood, number, header, credited);
        Ok(self.sign(&digest)?.as_bytes())
    }

    pub(crate) fn sign(&self, digest: &B256) -> Result<Signature, Error> {
        let signed = self.key.sign_prehash_recoverable(digest.as_slice());
        let (signature, parity) = signed.map_err(|_| Error::Form { what: "signing" })?;
        Ok((signature, parity).into())
    }
}

/// What an account signs to vote.
#[must_use]
pub fn vote_digest(
    domain: &Domain,
    neighbourhood: B256,
    number: u32,
    header: B256,
    credited: u32,
) -> B256 {
    let vote = Vote {
        neighbourhood,
        number,
        header,
        credited,
    };
    vote.eip712_signing_hash(&eip712_domain! {
        name: "IoTEdge G-Chain",
        version: "1",
        chain_id: domain.chain_id,
        verifying_contract: domain.contract,
    })
}

/// Whose vote it is, by the contract's rule: v is 27 or 28 and s the lower of its two.
#[must_use]
pub fn recover_vote(
    domain: &Domain,
    neighbourhood: B256,
    number: u32,
    header: B256,
    credited: u32,
    vote: &[u8; 65],
) -> Option<Address> {
    if !matches!(vote[64], 27 | 28) {
        return None;
    }
    let signature = Signature::from_raw_array(vote).ok()?;
    if signature.normalize_s().is_some() {
        return None;
    }
    let digest = vote_digest(domain, neighbourhood, number, header, credited);
    signature.recover_address_from_prehash(&digest).ok()
}

/// Votes as `anchor` takes them, each with its validator's index in the set: sorted, and of each index the first.
#[must_use]
pub fn packed_votes(votes: &[(u8, [u8; 65])]) -> Vec<u8> {
    let mut votes = votes.to_vec();
    votes.sort_by_key(|(index, _)| *index);
    votes.dedup_by_key(|(index, _)| *index);
    let mut out = Vec::with_capacity(votes.len() * 66);
    for (index, vote) in votes {
        out.push(index);
        out.extend_from_slice(&vote);
    }
    out
}

fn keystore(path: &Path, why: String) -> Error {
    Error::Keystore {
        path: path.display().to_string(),
        why,
    }
}

/// Empty, and nobody else's to read before anything is in it. What an earlier try left is taken away.
fn private_file(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        fs::remove_file(path)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.flush()
}

/// Whether the lengths in it are those that the reader of keystores takes for granted, and its work can be done.
fn readable(text: &str) -> bool {
    let Ok(file) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let crypto = &file["crypto"];
    let params = &crypto["kdfparams"];
    let is_hex = |value: &Value, length: usize| value.as_str().is_some_and(|s| s.len() == length);
    let work = match crypto["kdf"].as_str() {
        // Memory is 128 r n.
        Some("scrypt") => {
            let n = params["n"].as_u64().unwrap_or(0);
            n.is_power_of_two()
                && n > 1
                && n <= 1 << 20
                && params["r"].as_u64().is_some_and(|r| (1..=16).contains(&r))
        }
        Some("pbkdf2") => params["c"].as_u64().is_some_and(|c| c <= 10_000_000),
        _ => false,
    };
    file["version"] == 3
        && crypto["cipher"] == "aes-128-ctr"
        && work
        && params["dklen"] == 32
        && is_hex(&crypto["cipherparams"]["iv"], 32)
        && is_hex(&crypto["ciphertext"], 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256};

    const DOMAIN: Domain = Domain {
        chain_id: 31_337,
        contract: address!("5FbDB2315678afecb367f032d93F642f64180aa3"),
    };

    #[test]
    fn a_keystore_is_its_owners_and_opens_with_its_password() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("account.json");
        let empty = Account::create(&path, "").unwrap_err();
        assert!(empty.to_string().contains("empty password"), "{empty}");
        assert!(!path.exists());
        let made = Account::create(&path, "long enough").unwrap();
        assert_eq!(
            Account::open(&path, "long enough").unwrap().address(),
            made.address()
        );
        let wrong = Account::open(&path, "other").unwrap_err();
        assert!(wrong.to_string().contains("another password"), "{wrong}");
        assert!(Account::create(&path, "again").is_err());
        assert!(Account::open(&path, "long enough").is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    /// Others' files open: the example of the Web3 Secret Storage Definition.
    #[test]
    fn a_keystore_of_another_program_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("geth.json");
        let file = serde_json::json!({
            "crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
                "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
                "kdf": "pbkdf2",
                "kdfparams": {
                    "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
                    "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
                },
                "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
            },
            "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
            "version": 3
        });
        fs::write(&path, file.to_string()).unwrap();
        let secret = b256!("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
        assert_eq!(
            Account::open(&path, "testpassword").unwrap().address(),
            Account::from_secret(&secret.0).unwrap().address()
        );
    }

    #[test]
    fn a_broken_keystore_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("account.json");
        Account::create(&path, "p").unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for (from, to) in [
            ("\"dklen\":32", "\"dklen\":8"),
            ("\"n\":8192", "\"n\":8193"),
            ("\"n\":8192", "\"n\":1073741824"),
            ("aes-128-ctr", "aes-256-ctr"),
            ("\"version\":3", "\"version\":1"),
            ("\"iv\":\"", "\"iv\":\"00"),
            ("{", ""),
        ] {
            let broken = whole.replacen(from, to, 1);
            assert_ne!(broken, whole, "{from}");
            fs::write(&path, broken).unwrap();
            assert!(Account::open(&path, "p").is_err(), "{from}");
        }
    }

    #[test]
    fn a_vote_is_its_accounts_over_exactly_this() {
        let account = Account::from_secret(&[7; 32]).unwrap();
        let (here, hash) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let vote = account.vote(&DOMAIN, here, 3, hash, 4).unwrap();
        let whose = |number, credited, vote: &[u8; 65]| {
            recover_vote(&DOMAIN, here, number, hash, credited, vote)
        };
        assert_eq!(whose(3, 4, &vote), Some(account.address()));
        assert_ne!(whose(4, 4, &vote), Some(account.address()));
        assert_ne!(whose(3, 5, &vote), Some(account.address()));
        let mut low = vote;
        low[64] -= 27;
        assert_eq!(whose(3, 4, &low), None);
        // The other signature of the pair, which the contract refuses.
        let other = Signature::from_raw_array(&vote).unwrap();
        let order = alloy_primitives::U256::from_be_slice(
            b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").as_slice(),
        );
        let high = Signature::new(other.r(), order - other.s(), !other.v()).as_bytes();
        assert_eq!(whose(3, 4, &high), None);
    }

    #[test]
    fn votes_are_packed_by_index_and_once() {
        let packed = packed_votes(&[(3, [3; 65]), (0, [0; 65]), (3, [9; 65])]);
        assert_eq!(packed, [vec![0; 66], vec![3; 66]].concat());
    }
}
