//! An authority on disk: a folder with its key, its anchor, what it issued and what it took back.
//!
//! Invariant: a certificate's id is unique here (random, or for a device the beginning of its device id), every certificate issued is noted before it is handed out, and the
//! number of the revocation list only grows. Files: `key.json` (secret), `anchor.json` (what others pin), `issued.jsonl`,
//! `revoked.crl` (signed, protocol 2.3), `notices/` (the same, one id each, short enough for the ledger), and `authority.cwt` where another authority signed this one.

use crate::keys::{self, Access, Anchor, AnchorKind, KeyFile};
use anyhow::{Context, Result, anyhow, bail};
use iotedge_core::crypto::{PublicKey, SecretKey, Software};
use iotedge_core::identity::cert::{
    self, Certificate, Claims, Cti, MAX_CERTIFICATE, MAX_NAME, Seconds,
};
use iotedge_core::identity::revocation::{self, RevocationList};
use iotedge_core::identity::{CoseKey, Kind};
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// An authority whose key is here.
pub struct Authority {
    folder: PathBuf,
    pub anchor: Anchor,
    secret: SecretKey,
    /// The certificate of this authority by the one above it.
    pub above: Option<Vec<u8>>,
}

/// One line of `issued.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub cti: String,
    pub kind: String,
    pub device_id: String,
    pub issued: u64,
    pub expires: u64,
}

/// A certificate with what it says.
pub struct Certified {
    pub bytes: Vec<u8>,
    pub entry: Issued,
}

impl Authority {
    /// Makes a new authority in `folder`.
    ///
    /// # Errors
    /// The name does not fit a certificate, or the folder holds an authority already.
    pub fn create(folder: &Path, name: &str, kind: AnchorKind) -> Result<Self> {
        check_name(name)?;
        let (seed, secret) = keys::generate()?;
        let anchor = Anchor::new(name, kind, &secret.public_key());
        let file = KeyFile::new(&format!("authority {name}"), &seed, &secret);
        keys::write_new(
            &folder.join("key.json"),
            &keys::pretty(&file),
            Access::Secret,
        )?;
        keys::write_new(
            &folder.join("anchor.json"),
            &keys::pretty(&anchor),
            Access::Public,
        )?;
        let authority = Self {
            folder: folder.to_owned(),
            anchor,
            secret,
            above: None,
        };
        let list = authority.revocations(0, crate::cli::now_seconds()?, &[])?;
        keys::replace(&folder.join("revoked.crl"), &list)?;
        authority.notices()?;
        Ok(authority)
    }

    /// Opens the authority in `folder`.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn open(folder: &Path) -> Result<Self> {
        let secret = keys::load_secret(&folder.join("key.json"))
            .context("not an authority's folder; make one with `ca init`")?;
        let (anchor, key) = Anchor::load(&folder.join("anchor.json"))?;
        if key != secret.public_key() {
            bail!(
                "{}: cose_key: not the key in key.json; the two files belong to different authorities",
                folder.join("anchor.json").display()
            );
        }
        let path = folder.join("authority.cwt");
        let above = match std::fs::read(&path) {
            Ok(bytes) => {
                let certificate =
                    Certificate::parse(&bytes).map_err(|e| anyhow!("{}: {e:?}", path.display()))?;
                if certificate.claims().key != key || certificate.claims().kind != Kind::Authority {
                    bail!(
                        "{}: cnf: certifies another key or kind; put the certificate of this authority here",
                        path.display()
                    );
                }
                Some(bytes)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => bail!("{}: cannot be read: {e}", path.display()),
        };
        Ok(Self {
            folder: folder.to_owned(),
            anchor,
            secret,
            above,
        })
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.secret.public_key()
    }

    /// Issues a certificate. With `dry_run` nothing is written, and the id is one that will not be used.
    ///
    /// # Errors
    /// The claims are not allowed, or the note cannot be written.
    pub fn issue(&self, key: PublicKey, kind: Kind, days: u32, dry_run: bool) -> Result<Certified> {
        if self.above.is_some() && kind.joins_as().is_none() {
            bail!(
                "--kind: an authority below another signs devices and leaves only (protocol 2.1); use the one above it"
            );
        }
        let mut cti = [0; 16];
        if kind.joins_as().is_some() {
            // A settled revocation removes the member whose device id the certificate's id opens (protocol 2.3).
            cti.copy_from_slice(&CoseKey::thumbprint(&key).0[..16]);
        } else {
            getrandom::fill(&mut cti).map_err(|e| {
                anyhow!("the operating system gave no randomness ({e}); nothing was made")
            })?;
        }
        let now = crate::cli::now_seconds()?;
        let mut expires = now + u64::from(days) * 86_400;
        if let Some(above) = &self.above {
            let above = Certificate::parse(above).map_err(|e| anyhow!("authority.cwt: {e:?}"))?;
            // A link outlives nothing above it.
            expires = above
                .claims()
                .expires
                .map_or(expires, |end| expires.min(end.0));
        }
        let claims = Claims {
            name: &self.anchor.name,
            expires: Some(Seconds(expires)),
            not_before: None,
            issued: Seconds(now),
            cti: Cti::new(&cti).map_err(|e| anyhow!("cti: {e:?}"))?,
            key,
            kind,
        };
        let mut out = [0; MAX_CERTIFICATE];
        let len = cert::issue(&claims, &self.secret, &mut out)
            .map_err(|e| anyhow!("the certificate cannot be made: {e:?}"))?;
        let entry = Issued {
            cti: hex::encode(cti),
            kind: crate::cli::KindArg::word(kind).to_owned(),
            device_id: keys::id_text(CoseKey::thumbprint(&key)),
            issued: now,
            expires,
        };
        if !dry_run {
            self.note(&entry)?;
        }
        Ok(Certified {
            bytes: out[..len].to_vec(),
            entry,
        })
    }

    /// Everything that was issued.
    ///
    /// # Errors
    /// The note cannot be read.
    pub fn issued(&self) -> Result<Vec<Issued>> {
        let path = self.folder.join("issued.jsonl");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => bail!("{}: cannot be read: {e}", path.display()),
        };
        text.lines()
            .enumerate()
            .map(|(n, line)| {
                serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), n + 1))
            })
            .collect()
    }

    /// Number and ids of the revocation list.
    ///
    /// # Errors
    /// The list is missing or not this authority's.
    pub fn revoked(&self) -> Result<(u64, Vec<Cti>)> {
        let path = self.folder.join("revoked.crl");
        let bytes =
            std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let list = parse_revocations(&bytes, &self.public_key())
            .with_context(|| path.display().to_string())?;
        let ids: Result<Vec<_>, _> = list.ids().map(Cti::new).collect();
        Ok((
            list.number(),
            ids.map_err(|e| anyhow!("{}: {e:?}", path.display()))?,
        ))
    }

    /// Adds an id to the list; `false` where it was on it. Returns the list's number.
    ///
    /// # Errors
    /// The id is none, or the list cannot be read or written.
    pub fn revoke(&self, cti: &[u8]) -> Result<(bool, u64)> {
        let cti = Cti::new(cti).map_err(|_| anyhow!("--cti: must be 16 to 32 hex digits"))?;
        let (number, mut ids) = self.revoked()?;
        let now = crate::cli::now_seconds()?;
        let known = ids.contains(&cti);
        let notice = self
            .notices()?
            .join(format!("{}.crl", hex::encode(cti.as_bytes())));
        if !known || !notice.exists() {
            // First: where this is interrupted, the same command does the rest.
            let list = self.revocations(number + u64::from(!known), now, &[cti])?;
            keys::replace(&notice, &list)?;
        }
        if known {
            return Ok((false, number));
        }
        ids.push(cti);
        ids.sort_by(|a, b| {
            (a.as_bytes().len(), a.as_bytes()).cmp(&(b.as_bytes().len(), b.as_bytes()))
        });
        let number = number + 1;
        let list = self.revocations(number, now, &ids)?;
        keys::replace(&self.folder.join("revoked.crl"), &list)?;
        Ok((true, number))
    }

    /// The folder of the lists that hold one id each: a gateway puts a member out of the ledger with one (protocol 2.3).
    fn notices(&self) -> Result<PathBuf> {
        let path = self.folder.join("notices");
        std::fs::create_dir_all(&path)
            .with_context(|| format!("{}: cannot be made", path.display()))?;
        Ok(path)
    }

    fn revocations(&self, number: u64, now: u64, ids: &[Cti]) -> Result<Vec<u8>> {
        let mut scratch = vec![0; revocation::max_len(ids.len())];
        let mut out = scratch.clone();
        let len = revocation::issue(
            number,
            Seconds(now),
            ids,
            &self.secret,
            &mut scratch,
            &mut out,
        )
        .map_err(|e| anyhow!("the revocation list cannot be made: {e:?}"))?;
        out.truncate(len);
        Ok(out)
    }

    fn note(&self, entry: &Issued) -> Result<()> {
        let path = self.folder.join("issued.jsonl");
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&line).and_then(|()| file.sync_all()))
            .with_context(|| format!("{}: cannot be written", path.display()))
    }
}

/// Reads a revocation list and checks that `authority` signed it.
///
/// # Errors
/// What is wrong with it.
pub fn parse_revocations<'a>(bytes: &'a [u8], authority: &PublicKey) -> Result<RevocationList<'a>> {
    let list = RevocationList::parse(bytes).map_err(|e| anyhow!("not a revocation list: {e:?}"))?;
    let mut scratch = vec![0; bytes.len() + 64];
    list.verify(authority, &mut Software, &mut scratch)
        .map_err(|e| anyhow!("not signed by this authority: {e:?}"))?;
    Ok(list)
}

/// Refuses a name that does not fit `iss`.
///
/// # Errors
/// Says what is allowed.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME {
        bail!(
            "--name: {} bytes is not allowed; 1 to {MAX_NAME} bytes of UTF-8 (it travels in every certificate)",
            name.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use iotedge_core::identity::CertError;

    fn verify(
        chain: &[&[u8]],
        anchor: &PublicKey,
        revoked: &[Cti],
    ) -> Result<cert::Verified, CertError> {
        let now = Seconds(crate::cli::now_seconds().unwrap());
        let revoked = |_: &PublicKey, id: &[u8]| revoked.iter().any(|c| c.as_bytes() == id);
        cert::verify_chain(chain, &[*anchor], now, Kind::Device, revoked, &mut Software)
    }

    #[test]
    fn issue_verify_revoke() {
        let folder = tempfile::tempdir().unwrap();
        let ca = Authority::create(folder.path(), "Maker", AnchorKind::Manufacturer).unwrap();
        assert!(Authority::create(folder.path(), "Maker", AnchorKind::Manufacturer).is_err());
        let (_, device) = keys::generate().unwrap();
        let made = ca
            .issue(device.public_key(), Kind::Device, 30, false)
            .unwrap();
        let verified = verify(&[&made.bytes], &ca.public_key(), &[]).unwrap();
        assert_eq!(verified.key, device.public_key());
        assert_eq!(hex::encode(verified.cti.as_bytes()), made.entry.cti);
        assert_eq!(verified.cti.as_bytes(), &verified.device.0.0[..16]);

        let ca = Authority::open(folder.path()).unwrap();
        assert_eq!(ca.issued().unwrap(), std::slice::from_ref(&made.entry));
        assert_eq!(ca.revoked().unwrap(), (0, vec![]));
        assert_eq!(ca.revoke(verified.cti.as_bytes()).unwrap(), (true, 1));
        assert_eq!(ca.revoke(verified.cti.as_bytes()).unwrap(), (false, 1));
        assert_eq!(ca.revoke(&[9; 8]).unwrap(), (true, 2));
        assert_eq!(ca.revoke(&[1; 16]).unwrap(), (true, 3));
        assert!(ca.revoke(&[1; 7]).is_err());
        let (number, ids) = ca.revoked().unwrap();
        assert_eq!((number, ids.len()), (3, 3));
        assert_eq!(
            verify(&[&made.bytes], &ca.public_key(), &ids),
            Err(CertError::Revoked)
        );
    }

    #[test]
    fn a_dry_run_notes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ca = Authority::create(folder.path(), "Maker", AnchorKind::Manufacturer).unwrap();
        let (_, device) = keys::generate().unwrap();
        ca.issue(device.public_key(), Kind::Device, 30, true)
            .unwrap();
        assert!(ca.issued().unwrap().is_empty());
    }

    #[test]
    fn an_authority_below_another_signs_devices_that_do_not_outlive_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = Authority::create(
            &folder.path().join("root"),
            "Root",
            AnchorKind::Manufacturer,
        )
        .unwrap();
        let below = Authority::create(
            &folder.path().join("below"),
            "Below",
            AnchorKind::Manufacturer,
        )
        .unwrap();
        let above = root
            .issue(below.public_key(), Kind::Authority, 10, false)
            .unwrap();
        keys::write_new(
            &folder.path().join("below/authority.cwt"),
            &above.bytes,
            Access::Public,
        )
        .unwrap();
        let below = Authority::open(&folder.path().join("below")).unwrap();
        let (_, device) = keys::generate().unwrap();
        assert!(
            below
                .issue(device.public_key(), Kind::GlNode, 5, false)
                .is_err()
        );
        let made = below
            .issue(device.public_key(), Kind::Device, 3650, false)
            .unwrap();
        assert_eq!(made.entry.expires, above.entry.expires);
        let chain = [above.bytes.as_slice(), &made.bytes];
        assert_eq!(
            verify(&chain, &root.public_key(), &[]).unwrap().key,
            device.public_key()
        );
        assert_eq!(
            verify(&chain, &below.public_key(), &[]),
            Err(CertError::UnknownAuthority)
        );
    }

    #[test]
    fn a_foreign_certificate_or_list_in_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let one = Authority::create(&a, "A", AnchorKind::Manufacturer).unwrap();
        Authority::create(&b, "B", AnchorKind::Manufacturer).unwrap();
        std::fs::copy(b.join("revoked.crl"), a.join("revoked.crl")).unwrap();
        let error = format!("{:#}", one.revoked().unwrap_err());
        assert!(
            error.contains("revoked.crl") && error.contains("not signed by this authority"),
            "{error}"
        );
        let (_, device) = keys::generate().unwrap();
        let other = one
            .issue(device.public_key(), Kind::Device, 1, true)
            .unwrap();
        std::fs::write(a.join("authority.cwt"), &other.bytes).unwrap();
        assert!(
            Authority::open(&a)
                .err()
                .unwrap()
                .to_string()
                .contains("authority.cwt: cnf")
        );
        assert!(check_name(&"x".repeat(33)).is_err() && check_name("").is_err());
    }
}
