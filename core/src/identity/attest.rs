//! Attestation: an EAT (RFC 9711) in which a device says with which hardware it runs, what was booted on it, and in which state (protocol 2.4).
//!
//! Invariant: what is signed over names this profile and the asker's nonce, so it is no other statement of the protocol and never an old
//! one, and its ueid is the device id of who signs, so it is nobody else's. The measurements are the platform's word: the signature proves
//! that the holder of the key said them, and no more (threat model). Bytes: a plain CWT with empty external_aad, so that any CWT library
//! reads them; measurements are an evidence CoSWID (RFC 9393) as RFC 9711 section 4.2.16 has it.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify, sha256};
use crate::identity::key::CoseKey;
use crate::identity::sign1::{self, SIG_STRUCTURE_OVERHEAD, Sign1, Sign1Error};
use crate::identity::signer::MAX_TO_BE_SIGNED;
use crate::types::Id;
use crate::wire::frame::CHALLENGE;
use crate::wire::{Reader, WireError, Writer};

/// The profile (RFC 9711 section 4.3.2): a URI that sets this statement apart from all others.
pub const PROFILE: &str = "iotedge:attest/1";
/// The domain of the nonce that an enrolment's attestation answers.
pub const CHALLENGE_DOMAIN: &str = "iotedge/challenge/1";
/// Fewest and most bytes of a nonce (RFC 9711 section 4.1).
pub const NONCE: core::ops::RangeInclusive<usize> = 8..=64;
/// Most measurements.
pub const MAX_MEASUREMENTS: usize = 8;
/// Most bytes of the hardware model, and of a name or a version.
pub const MAX_TEXT: usize = 32;
/// Most bytes of an attestation.
pub const MAX_ATTESTATION: usize = MAX_CLAIMS + 13 + 76;
/// Most bytes of what is signed for one.
pub const MAX_MESSAGE: usize = MAX_CLAIMS + 13 + SIG_STRUCTURE_OVERHEAD;

const MAX_CLAIMS: usize = 592;
const _: () = assert!(MAX_MESSAGE <= MAX_TO_BE_SIGNED);

/// A hash that was generated once, from what is unique: type RAND of RFC 9711 section 4.2.1.1.
const UEID_RAND: u8 = 0x01;
/// CoAP content format of `application/swid+cbor` (RFC 9393).
const SWID_CBOR: u64 = 258;
/// What opens each of our CoSWIDs: tag-id, software-name, and the device as who made the tag.
const TAG_NAME: &str = "measured at boot";
const TAG_MAKER: &str = "device";

mod claim {
    pub const NONCE: i64 = 10;
    pub const UEID: i64 = 256;
    pub const OEMID: i64 = 258;
    pub const HWMODEL: i64 = 259;
    pub const HWVERSION: i64 = 260;
    pub const OEMBOOT: i64 = 262;
    pub const DBGSTAT: i64 = 263;
    pub const PROFILE: i64 = 265;
    pub const BOOTCOUNT: i64 = 267;
    pub const BOOTSEED: i64 = 268;
    pub const SWNAME: i64 = 270;
    pub const SWVERSION: i64 = 271;
    pub const MEASUREMENTS: i64 = 273;
}

/// Why an attestation is refused, or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttestError {
    /// Not the bytes of an attestation, or no room to write one (`Full`): give less, or a larger buffer.
    Wire(WireError),
    /// The protected header is not `{1: alg, 4: kid}`. Refuse it.
    Header,
    /// A claim is unknown or missing, or has a value that it cannot have: another kind of EAT. Refuse it.
    Claim,
    /// Another profile, or none: a statement of another protocol. Refuse it.
    Profile,
    /// A nonce of fewer than 8 or more than 64 bytes.
    NonceLength,
    /// A text or a hardware model that is empty, too long, or not of printable ASCII; a boot seed not of 32 to 64 bytes.
    Text,
    /// More than 8 measurements, two of one name, or a digest not of 32, 48 or 64 bytes.
    Measurement,
    /// It answers another nonce: an old one, or meant for somebody else. Refuse it, and ask again.
    WrongNonce,
    /// It is another device's. Refuse it.
    WrongDevice,
    /// Signed by another key than the device's. Refuse it.
    WrongSigner,
    /// The signature does not hold. Refuse it; a retransmission may be whole.
    Signature(SignatureError),
}

impl From<WireError> for AttestError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for AttestError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// Who made the hardware (RFC 9711 section 4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oem<'a> {
    /// A Private Enterprise Number.
    Pen(u32),
    /// An IEEE OUI of 3 bytes, or 16 random bytes that the maker chose once.
    Id(&'a [u8]),
}

/// Whether somebody can debug it (RFC 9711 section 4.2.9). Each state includes what those before it promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DebugState {
    /// Debugging is possible now.
    Enabled,
    /// Not now; it may have been since the boot.
    Disabled,
    /// Not since the boot.
    DisabledSinceBoot,
    /// Nobody but the maker can ever again.
    DisabledPermanently,
    /// Nobody can ever again.
    DisabledFullyAndPermanently,
}

impl DebugState {
    /// The claim's value.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Enabled => 0,
            Self::Disabled => 1,
            Self::DisabledSinceBoot => 2,
            Self::DisabledPermanently => 3,
            Self::DisabledFullyAndPermanently => 4,
        }
    }

    /// The state with this value.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Enabled,
            1 => Self::Disabled,
            2 => Self::DisabledSinceBoot,
            3 => Self::DisabledPermanently,
            4 => Self::DisabledFullyAndPermanently,
            _ => return None,
        })
    }
}

/// What was measured: a stage of the boot, a firmware, a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement<'a> {
    /// Its name, 1 to 32 characters.
    pub name: &'a str,
    /// SHA-256, SHA-384 or SHA-512 of it: the length tells.
    pub digest: &'a [u8],
}

impl<'a> Measurement<'a> {
    /// The number of the hash function in the registry that CoSWID names (RFC 6920).
    fn algorithm(&self) -> Result<u64, AttestError> {
        match self.digest.len() {
            32 => Ok(1),
            48 => Ok(7),
            64 => Ok(8),
            _ => Err(AttestError::Measurement),
        }
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), AttestError> {
        w.map(2)?;
        w.uint(7)?;
        w.array(2)?;
        w.uint(self.algorithm()?)?;
        w.bytes(self.digest)?;
        w.uint(24)?;
        w.text(self.name)?;
        Ok(())
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, AttestError> {
        let other = AttestError::Measurement;
        if r.map()? != 2 || r.uint()? != 7 {
            return Err(other);
        }
        r.array_of(2)?;
        let algorithm = r.uint()?;
        let digest = r.bytes()?;
        if r.uint()? != 24 {
            return Err(other);
        }
        let name = text(r.text()?)?;
        let found = Self { name, digest };
        match found.algorithm()? == algorithm {
            true => Ok(found),
            false => Err(other),
        }
    }
}

/// A device's measurements: given by the platform, or as they stand in an attestation.
#[derive(Clone, Copy, Debug)]
pub struct Measurements<'a>(Source<'a>);

#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Given(&'a [Measurement<'a>]),
    /// So many, checked, one after the other.
    Read(usize, &'a [u8]),
}

impl<'a> Measurements<'a> {
    /// Those of the platform; checked when an attestation is made of them.
    #[must_use]
    pub const fn of(measurements: &'a [Measurement<'a>]) -> Self {
        Self(Source::Given(measurements))
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Given(list) => list.len(),
            Source::Read(count, _) => count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One after the other, in the order in which they were taken.
    pub fn iter(&self) -> impl Iterator<Item = Measurement<'a>> + use<'a> {
        let (given, count, bytes) = match self.0 {
            Source::Given(list) => (list, 0, &[][..]),
            Source::Read(count, bytes) => (&[][..], count, bytes),
        };
        let mut r = Reader::new(bytes);
        let read = (0..count).map_while(move |_| Measurement::read(&mut r).ok());
        given.iter().copied().chain(read)
    }

    fn check(&self) -> Result<(), AttestError> {
        if self.len() > MAX_MEASUREMENTS {
            return Err(AttestError::Measurement);
        }
        for (at, one) in self.iter().enumerate() {
            text(one.name)?;
            one.algorithm()?;
            if self.iter().take(at).any(|before| before.name == one.name) {
                return Err(AttestError::Measurement);
            }
        }
        Ok(())
    }

    /// How long `write` makes it, so that no second buffer is needed.
    fn encoded_len(&self) -> usize {
        let frame: usize = if self.len() > 1 { 57 } else { 56 };
        self.iter().fold(frame, |sum, one| {
            let name = if one.name.len() < 24 { 1 } else { 2 };
            let len = one.name.len().saturating_add(one.digest.len());
            sum.saturating_add(len)
                .saturating_add(name)
                .saturating_add(8)
        })
    }

    /// As an evidence CoSWID (RFC 9393): each measurement is a file entry, alone or in an array.
    fn write(&self, w: &mut Writer<'_>) -> Result<(), AttestError> {
        w.map(5)?;
        w.uint(0)?;
        w.text(PROFILE)?;
        w.uint(1)?;
        w.text(TAG_NAME)?;
        w.uint(2)?;
        w.map(2)?;
        w.uint(31)?;
        w.text(TAG_MAKER)?;
        w.uint(33)?;
        w.uint(1)?;
        w.uint(3)?;
        w.map(1)?;
        w.uint(17)?;
        if self.len() > 1 {
            w.array(self.len())?;
        }
        self.iter().try_for_each(|one| one.write(w))?;
        w.uint(12)?;
        w.uint(0)?;
        Ok(())
    }

    fn read(bytes: &'a [u8]) -> Result<Self, AttestError> {
        let other = AttestError::Measurement;
        let mut r = Reader::new(bytes);
        if r.map()? != 5 || r.uint()? != 0 || r.text()? != PROFILE {
            return Err(other);
        }
        if r.uint()? != 1 || r.text()? != TAG_NAME || r.uint()? != 2 || r.map()? != 2 {
            return Err(other);
        }
        if r.uint()? != 31 || r.text()? != TAG_MAKER || r.uint()? != 33 || r.uint()? != 1 {
            return Err(other);
        }
        if r.uint()? != 3 || r.map()? != 1 || r.uint()? != 17 {
            return Err(other);
        }
        let count = match r.array() {
            Ok(count) if (2..=MAX_MEASUREMENTS).contains(&count) => count,
            Ok(_) => return Err(other),
            // One alone is no array (one-or-more, RFC 9393 section 2.3).
            Err(WireError::Type) => 1,
            Err(error) => return Err(error.into()),
        };
        let from = r.position();
        for _ in 0..count {
            Measurement::read(&mut r)?;
        }
        let found = Self(Source::Read(count, r.since(from)));
        if r.uint()? != 12 || r.uint()? != 0 {
            return Err(other);
        }
        r.finish()?;
        found.check()?;
        Ok(found)
    }
}

impl PartialEq for Measurements<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Measurements<'_> {}

impl Default for Measurements<'_> {
    fn default() -> Self {
        Self(Source::Given(&[]))
    }
}

/// What a platform says of itself. What it does not know is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// Who made the hardware.
    pub oem: Option<Oem<'a>>,
    /// The hardware's model, 1 to 32 bytes, mostly text; empty: not said.
    pub model: &'a [u8],
    /// The hardware's version; empty: not said.
    pub hardware_version: &'a str,
    /// Whether only what its maker allows could boot.
    pub secure_boot: Option<bool>,
    /// Whether somebody can debug it.
    pub debug: Option<DebugState>,
    /// How often it booted.
    pub boot_count: Option<u64>,
    /// 32 to 64 random bytes drawn at this boot; empty: not said.
    pub boot_seed: &'a [u8],
    /// The firmware's name; empty: not said.
    pub software_name: &'a str,
    /// The firmware's version; empty: not said.
    pub software_version: &'a str,
    /// What was measured.
    pub measurements: Measurements<'a>,
}

impl Evidence<'_> {
    fn check(&self) -> Result<(), AttestError> {
        let given = |text_given: &str| text_given.is_empty() || text(text_given).is_ok();
        let texts = [
            self.hardware_version,
            self.software_name,
            self.software_version,
        ];
        let seed = self.boot_seed.len();
        let seed = seed == 0 || (32..=64).contains(&seed);
        if let Some(Oem::Id(id)) = self.oem
            && ![3, 16].contains(&id.len())
        {
            return Err(AttestError::Claim);
        }
        if !texts.into_iter().all(given) || self.model.len() > MAX_TEXT || !seed {
            return Err(AttestError::Text);
        }
        self.measurements.check()
    }
}

/// What an attestation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// The asker's nonce: fresh for each question.
    pub nonce: &'a [u8],
    /// Who says it.
    pub device: Id,
    /// What it says of itself.
    pub evidence: Evidence<'a>,
}

impl<'a> Claims<'a> {
    fn write(&self, w: &mut Writer<'_>) -> Result<(), AttestError> {
        if !NONCE.contains(&self.nonce.len()) {
            return Err(AttestError::NonceLength);
        }
        let e = &self.evidence;
        e.check()?;
        let optional = [
            e.oem.is_some(),
            !e.model.is_empty(),
            !e.hardware_version.is_empty(),
            e.secure_boot.is_some(),
            e.debug.is_some(),
            e.boot_count.is_some(),
            !e.boot_seed.is_empty(),
            !e.software_name.is_empty(),
            !e.software_version.is_empty(),
            !e.measurements.is_empty(),
        ];
        w.map(
            optional
                .iter()
                .filter(|there| **there)
                .count()
                .saturating_add(3),
        )?;
        w.int(claim::NONCE)?;
        w.bytes(self.nonce)?;
        w.int(claim::UEID)?;
        w.bytes_head(33)?;
        w.raw(&[UEID_RAND])?;
        w.raw(&self.device.0)?;
        match e.oem {
            Some(Oem::Pen(number)) => {
                w.int(claim::OEMID)?;
                w.uint(number.into())?;
            }
            Some(Oem::Id(id)) => bytes(w, claim::OEMID, id)?,
            None => {}
        }
        bytes(w, claim::HWMODEL, e.model)?;
        version(w, claim::HWVERSION, e.hardware_version)?;
        if let Some(secure) = e.secure_boot {
            w.int(claim::OEMBOOT)?;
            w.bool(secure)?;
        }
        if let Some(debug) = e.debug {
            w.int(claim::DBGSTAT)?;
            w.uint(debug.code().into())?;
        }
        w.int(claim::PROFILE)?;
        w.text(PROFILE)?;
        if let Some(count) = e.boot_count {
            w.int(claim::BOOTCOUNT)?;
            w.uint(count)?;
        }
        bytes(w, claim::BOOTSEED, e.boot_seed)?;
        if !e.software_name.is_empty() {
            w.int(claim::SWNAME)?;
            w.text(e.software_name)?;
        }
        version(w, claim::SWVERSION, e.software_version)?;
        if !e.measurements.is_empty() {
            w.int(claim::MEASUREMENTS)?;
            w.array(1)?;
            w.array(2)?;
            w.uint(SWID_CBOR)?;
            w.bytes_head(e.measurements.encoded_len())?;
            e.measurements.write(w)?;
        }
        Ok(())
    }

    fn read(payload: &'a [u8]) -> Result<Self, AttestError> {
        let (mut nonce, mut device, mut profile) = (None, None, None);
        let mut e = Evidence::default();
        let mut r = Reader::new(payload);
        let mut labels = r.map_in_order()?;
        while let Some(label) = labels.next_int(&mut r)? {
            match label {
                claim::NONCE => nonce = Some(r.bytes()?),
                claim::UEID => {
                    let (kind, id) = r.bytes_of::<33>()?.split_at(1);
                    let id = <[u8; 32]>::try_from(id).map_err(|_| AttestError::Claim)?;
                    if kind != [UEID_RAND] {
                        return Err(AttestError::Claim);
                    }
                    device = Some(Id(id));
                }
                claim::OEMID => e.oem = Some(oem(&mut r)?),
                claim::HWMODEL => e.model = filled(r.bytes()?)?,
                claim::HWVERSION => e.hardware_version = read_version(&mut r)?,
                claim::OEMBOOT => e.secure_boot = Some(r.bool()?),
                claim::DBGSTAT => {
                    let state = DebugState::from_code(r.uint()?);
                    e.debug = Some(state.ok_or(AttestError::Claim)?);
                }
                claim::PROFILE => profile = Some(r.text()?),
                claim::BOOTCOUNT => e.boot_count = Some(r.uint()?),
                claim::BOOTSEED => e.boot_seed = filled(r.bytes()?)?,
                claim::SWNAME => e.software_name = text(r.text()?)?,
                claim::SWVERSION => e.software_version = read_version(&mut r)?,
                claim::MEASUREMENTS => {
                    r.array_of(1)?;
                    r.array_of(2)?;
                    if r.uint()? != SWID_CBOR {
                        return Err(AttestError::Measurement);
                    }
                    e.measurements = Measurements::read(r.bytes()?)?;
                }
                _ => return Err(AttestError::Claim),
            }
        }
        r.finish()?;
        if profile.ok_or(AttestError::Profile)? != PROFILE {
            return Err(AttestError::Profile);
        }
        let nonce = nonce.ok_or(AttestError::Claim)?;
        if !NONCE.contains(&nonce.len()) {
            return Err(AttestError::NonceLength);
        }
        e.check()?;
        Ok(Self {
            nonce,
            device: device.ok_or(AttestError::Claim)?,
            evidence: e,
        })
    }
}

fn text(given: &str) -> Result<&str, AttestError> {
    let printable = given.bytes().all(|b| (0x20..=0x7e).contains(&b));
    match printable && !given.is_empty() && given.len() <= MAX_TEXT {
        true => Ok(given),
        false => Err(AttestError::Text),
    }
}

fn filled(bytes: &[u8]) -> Result<&[u8], AttestError> {
    match bytes {
        [] => Err(AttestError::Text),
        bytes => Ok(bytes),
    }
}

fn bytes(w: &mut Writer<'_>, label: i64, value: &[u8]) -> Result<(), AttestError> {
    if !value.is_empty() {
        w.int(label)?;
        w.bytes(value)?;
    }
    Ok(())
}

/// A version without a scheme (RFC 9711 sections 4.2.5 and 4.2.7).
fn version(w: &mut Writer<'_>, label: i64, value: &str) -> Result<(), AttestError> {
    if !value.is_empty() {
        w.int(label)?;
        w.array(1)?;
        w.text(value)?;
    }
    Ok(())
}

fn read_version<'a>(r: &mut Reader<'a>) -> Result<&'a str, AttestError> {
    r.array_of(1)?;
    text(r.text()?)
}

fn oem<'a>(r: &mut Reader<'a>) -> Result<Oem<'a>, AttestError> {
    match r.bytes() {
        Ok(id) => Ok(Oem::Id(id)),
        Err(WireError::Type) => Ok(Oem::Pen(r.u32()?)),
        Err(error) => Err(error.into()),
    }
}

/// What the device signs over to answer an enrolment's challenge: bound to the neighbourhood, by its authority, and to the device, so that nobody can have a
/// neighbour of another neighbourhood answer it.
#[must_use]
pub fn challenge_nonce(
    authority: &PublicKey,
    device: &Id,
    challenge: &[u8; CHALLENGE],
) -> [u8; 32] {
    let domain = CHALLENGE_DOMAIN.as_bytes();
    sha256(&[
        domain,
        &CoseKey::thumbprint(authority).0,
        &device.0,
        challenge,
    ])
}

/// Writes what `key` has to sign; returns its length. [`MAX_MESSAGE`] bytes are enough.
///
/// # Errors
/// [`AttestError`]: what the platform says breaks a limit, or is too much in all (`Wire(Full)`).
pub fn signing_input(
    claims: &Claims<'_>,
    key: &PublicKey,
    out: &mut [u8],
) -> Result<usize, AttestError> {
    // The longest head is left room for before the claims, whose length is known only then.
    let mut w = Writer::new(out);
    w.array(4)?;
    w.text("Signature1")?;
    w.bytes(&sign1::protected(key))?;
    w.bytes(&[])?;
    let at = w.len();
    let behind = out.get_mut(at..).ok_or(WireError::Full)?;
    let room = behind.len().saturating_sub(HEAD).min(MAX_CLAIMS);
    let room = behind.get_mut(HEAD..).and_then(|r| r.get_mut(..room));
    let mut w = Writer::new(room.ok_or(WireError::Full)?);
    claims.write(&mut w)?;
    let len = w.len();
    let mut w = Writer::new(behind);
    w.bytes_head(len)?;
    let head = w.len();
    shift(behind, HEAD, head, len).ok_or(WireError::Full)?;
    Ok(at.saturating_add(head).saturating_add(len))
}

/// Bytes of the longest head that claims can have.
const HEAD: usize = 3;

/// Moves bytes towards the front.
fn shift(bytes: &mut [u8], from: usize, to: usize, len: usize) -> Option<()> {
    for at in 0..len {
        let byte = *bytes.get(from.checked_add(at)?)?;
        *bytes.get_mut(to.checked_add(at)?)? = byte;
    }
    Some(())
}

/// `84` and "Signature1", then the header as it is, `40` for no external_aad, and the claims as they are.
const OPENING: usize = 12;
const HEADER: usize = 14;

/// How long the attestation of a message of this length is.
#[must_use]
pub const fn len_of(message: usize) -> usize {
    // Less the word, and the signature with its head behind it.
    message.saturating_add(66).saturating_sub(OPENING - 1)
}

/// Makes the attestation of the message of `len` bytes at the start of `bytes`, where it stands; returns its length. Whoever calls has verified the signature.
pub fn assemble_in_place(bytes: &mut [u8], len: usize, signature: &Signature) -> Option<usize> {
    let rest = len.checked_sub(OPENING)?;
    shift(bytes, OPENING, 1, rest)?;
    // The unprotected header stands where the external_aad stood.
    *bytes.get_mut(1 + HEADER)? = 0xa0;
    let at = rest.checked_add(1)?;
    let mut w = Writer::new(bytes.get_mut(at..)?);
    w.bytes(&signature.0).ok()?;
    at.checked_add(w.len())
}

/// Writes the attestation of a signature over `message`, as [`signing_input`] wrote it; returns its length. Whoever calls has verified the signature.
///
/// # Errors
/// [`AttestError`] where the message is not that of an attestation by `key`.
pub fn assemble(
    message: &[u8],
    key: &PublicKey,
    signature: &Signature,
    out: &mut [u8],
) -> Result<usize, AttestError> {
    let mut r = Reader::new(message);
    r.array_of(4)?;
    if r.text()? != "Signature1" {
        return Err(AttestError::Header);
    }
    let header = sign1::protected(key);
    if r.bytes()? != header || !r.bytes()?.is_empty() {
        return Err(AttestError::Header);
    }
    let payload = r.bytes()?;
    r.finish()?;
    Claims::read(payload)?;
    Ok(sign1::assemble(&header, payload, signature, out)?)
}

/// Attests with a key in software; returns the length. The signature is verified before it is given out.
///
/// # Errors
/// As [`signing_input`]; [`AttestError::Signature`] where a fault happened while signing: nothing is written then.
pub fn attest(
    claims: &Claims<'_>,
    secret: &SecretKey,
    verifier: &mut dyn Verify,
    out: &mut [u8],
) -> Result<usize, AttestError> {
    let key = secret.public_key();
    let mut message = [0; MAX_MESSAGE];
    let len = signing_input(claims, &key, &mut message)?;
    let message = message.get(..len).unwrap_or(&[]);
    let signature = secret.sign(message);
    verifier
        .verify(&key, message, &signature)
        .map_err(AttestError::Signature)?;
    assemble(message, &key, &signature, out)
}

/// An attestation as read: nothing in it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Attestation<'a> {
    sign1: Sign1<'a>,
    claims: Claims<'a>,
}

impl<'a> Attestation<'a> {
    /// Reads one, untagged, and nothing after it.
    ///
    /// # Errors
    /// [`AttestError`]: refuse it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AttestError> {
        if bytes.len() > MAX_ATTESTATION {
            return Err(AttestError::Wire(WireError::Range));
        }
        let sign1 = Sign1::parse(bytes)?;
        let claims = Claims::read(sign1.payload)?;
        Ok(Self { sign1, claims })
    }

    /// What it says, by nobody yet.
    #[must_use]
    pub const fn claims(&self) -> &Claims<'a> {
        &self.claims
    }

    /// Checks that `key` of `device` signed it in answer to `nonce`; gives what it says.
    ///
    /// # Errors
    /// [`AttestError`]: it proves nothing.
    pub fn verify(
        &self,
        key: &PublicKey,
        device: &Id,
        nonce: &[u8],
        verifier: &mut dyn Verify,
    ) -> Result<Evidence<'a>, AttestError> {
        if self.claims.nonce != nonce {
            return Err(AttestError::WrongNonce);
        }
        if self.claims.device != *device {
            return Err(AttestError::WrongDevice);
        }
        let mut scratch = [0; MAX_MESSAGE];
        self.sign1.verify(key, &[], verifier, &mut scratch)?;
        Ok(self.claims.evidence)
    }
}

#[cfg(test)]
mod tests;
