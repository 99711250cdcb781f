//! Device certificates: CWTs (RFC 8392) with a `cnf` key (RFC 8747), signed by an authority that the reader pinned (protocol 2.1).
//!
//! Invariant: a chain is verified from a pinned key down and never the other way; it is one certificate, or an authority's and then a
//! device's. No link outlives the one above it, and an authority below another signs devices and leaves only. The bytes are a plain CWT with
//! empty external_aad, so that any CWT library reads them.

use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify};
use crate::identity::device_id::DeviceId;
use crate::identity::key::CoseKey;
use crate::identity::record::Roles;
use crate::identity::sign1::{self, Sign1, Sign1Error};
use crate::wire::{Reader, WireError, Writer};

/// Most bytes of an authority's name.
pub const MAX_NAME: usize = 32;
/// Fewest and most bytes of a certificate's id.
pub const CTI_LEN: core::ops::RangeInclusive<usize> = 8..=16;
/// Most bytes of a certificate.
pub const MAX_CERTIFICATE: usize = 272;
/// Most links of a chain.
pub const MAX_CHAIN: usize = 2;

const MAX_CLAIMS: usize = 184;
/// The private claim that says what the subject is.
const KIND: i64 = -70003;

/// Why a certificate or a chain is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertError {
    /// Not the bytes of a certificate, or no room to write one (`Full`). Refuse it.
    Wire(WireError),
    /// The protected header is not `{1: alg, 4: kid}`. Refuse it.
    Header,
    /// A claim is unknown, or one that must be there is missing. Refuse it: a later version may say something that we don't see.
    Claim,
    /// The authority's name is empty or longer than 32 bytes. Refuse it, or choose another name.
    Name,
    /// The certificate's id is not of 8 to 16 bytes. Refuse it, or choose another id.
    Cti,
    /// A kind that this version does not know. Refuse it.
    Kind,
    /// The certified key could never verify a signature in this build. Refuse it; make another key.
    Key(SignatureError),
    /// It ends before it begins. Refuse it, or mend the times.
    NeverValid,
    /// No pinned authority has the key that the first link names. Pin the manufacturer's key, or refuse.
    UnknownAuthority,
    /// A link names another signer than the link above it. Refuse the chain.
    WrongSigner,
    /// The signature does not hold. Refuse it; a retransmission may be whole.
    Signature(SignatureError),
    /// `nbf` is later than now. Check the clock, then wait.
    NotYetValid,
    /// `exp` is not later than now. Ask the authority for a new one.
    Expired,
    /// Its id is on the revocation list. Refuse it for good.
    Revoked,
    /// No link, or more than two. Refuse the chain.
    ChainLength,
    /// The first of two links does not certify an authority. Refuse the chain.
    NotAnAuthority,
    /// An authority below the pinned one signs devices and leaves only. Refuse the chain.
    NotItsToSign,
    /// A link is valid for longer than the one above it. Refuse the chain; issue it with an earlier `exp`.
    Outlives,
    /// The last link certifies another kind than the one asked for. Refuse it for this purpose.
    WrongKind,
}

impl From<WireError> for CertError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for CertError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// A point in time in seconds since 1970-01-01T00:00:00Z, as CWT counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

/// What a certificate's subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A device.
    Device,
    /// An authority that may sign devices.
    Authority,
    /// A gateway that closes epochs.
    GlNode,
    /// A validator.
    Validator,
    /// A device too small for a window: it joins as a submit-only member (protocol section 10.3).
    Leaf,
}

impl Kind {
    /// The claim's value.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Device => 0,
            Self::Authority => 1,
            Self::GlNode => 2,
            Self::Validator => 3,
            Self::Leaf => 4,
        }
    }

    /// The kind with this value.
    #[must_use]
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            0 => Some(Self::Device),
            1 => Some(Self::Authority),
            2 => Some(Self::GlNode),
            3 => Some(Self::Validator),
            4 => Some(Self::Leaf),
            _ => None,
        }
    }

    /// As what its subject joins a neighbourhood; `None` for who does not join by enrolment.
    #[must_use]
    pub const fn joins_as(self) -> Option<Roles> {
        match self {
            Self::Device => Some(Roles::NONE),
            Self::Leaf => Some(Roles::SUBMIT_ONLY),
            Self::Authority | Self::GlNode | Self::Validator => None,
        }
    }
}

/// The id of a certificate, unique per authority: what a revocation names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cti {
    bytes: [u8; 16],
    len: u8,
}

impl Cti {
    /// An id of 8 to 16 bytes.
    pub fn new(id: &[u8]) -> Result<Self, CertError> {
        if !CTI_LEN.contains(&id.len()) {
            return Err(CertError::Cti);
        }
        let mut bytes = [0; 16];
        let room = bytes.get_mut(..id.len()).ok_or(CertError::Cti)?;
        crate::copy::copy(room, id);
        let len = u8::try_from(id.len()).map_err(|_| CertError::Cti)?;
        Ok(Self { bytes, len })
    }

    /// The id's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl core::fmt::Debug for Cti {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// What a certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims<'a> {
    /// The authority's name, for people; nothing is decided by it.
    pub name: &'a str,
    /// First second at which it is no longer valid.
    pub expires: Option<Seconds>,
    /// First second at which it is valid.
    pub not_before: Option<Seconds>,
    /// When it was issued.
    pub issued: Seconds,
    /// Its id.
    pub cti: Cti,
    /// The certified key.
    pub key: PublicKey,
    /// What the subject is.
    pub kind: Kind,
}

impl<'a> Claims<'a> {
    fn check(&self) -> Result<(), CertError> {
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Err(CertError::Name);
        }
        let begins = self.not_before.unwrap_or(self.issued);
        if self.expires.is_some_and(|end| end <= begins) {
            return Err(CertError::NeverValid);
        }
        self.key.check().map_err(CertError::Key)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), CertError> {
        self.check()?;
        let optional = [self.expires, self.not_before];
        w.put_map(optional.iter().flatten().count().saturating_add(5));
        w.put_int(1);
        w.put_text(self.name);
        for (label, time) in [
            (4, self.expires),
            (5, self.not_before),
            (6, Some(self.issued)),
        ] {
            if let Some(Seconds(time)) = time {
                w.put_int(label);
                w.put_uint(time);
            }
        }
        w.put_int(7);
        w.put_bytes(self.cti.as_bytes());
        w.put_int(8);
        w.put_map(1);
        w.put_int(1);
        CoseKey::encode(&self.key, w)?;
        w.put_int(KIND);
        w.put_uint(self.kind.code());
        Ok(w.intact()?)
    }

    fn read(payload: &'a [u8]) -> Result<Self, CertError> {
        let (mut name, mut issued, mut cti, mut key, mut kind) = (None, None, None, None, None);
        let (mut expires, mut not_before) = (None, None);
        let mut r = Reader::new(payload);
        let mut labels = r.map_in_order()?;
        while let Some(label) = labels.next_int(&mut r)? {
            match label {
                1 => name = Some(r.take_text()),
                4 => expires = Some(Seconds(r.take_uint())),
                5 => not_before = Some(Seconds(r.take_uint())),
                6 => issued = Some(Seconds(r.take_uint())),
                7 => {
                    let id = r.take_bytes();
                    r.intact()?;
                    cti = Some(Cti::new(id)?);
                }
                8 => {
                    let (members, label) = (r.take_map(), r.take_int());
                    r.intact()?;
                    if members != 1 || label != 1 {
                        return Err(CertError::Claim);
                    }
                    let encoded = r.take_item();
                    r.intact()?;
                    key = Some(CoseKey::decode(encoded)?);
                }
                KIND => {
                    let code = r.take_uint();
                    r.intact()?;
                    kind = Some(Kind::from_code(code).ok_or(CertError::Kind)?);
                }
                _ => return Err(CertError::Claim),
            }
        }
        r.finish()?;
        let claims = Self {
            name: name.ok_or(CertError::Claim)?,
            expires,
            not_before,
            issued: issued.ok_or(CertError::Claim)?,
            cti: cti.ok_or(CertError::Claim)?,
            key: key.ok_or(CertError::Claim)?,
            kind: kind.ok_or(CertError::Claim)?,
        };
        claims.check()?;
        Ok(claims)
    }
}

/// A certificate as read. Its claims are what somebody says until [`Certificate::verify`] has returned `Ok`.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'a> {
    sign1: Sign1<'a>,
    claims: Claims<'a>,
}

impl<'a> Certificate<'a> {
    /// Reads one certificate and nothing after it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CertError> {
        let sign1 = Sign1::parse(bytes)?;
        sign1.signer()?;
        let claims = Claims::read(sign1.payload)?;
        Ok(Self { sign1, claims })
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &Claims<'a> {
        &self.claims
    }

    /// The key id of its signer.
    pub fn signer_kid(&self) -> Result<crate::identity::Kid, CertError> {
        Ok(self.sign1.signer()?.1)
    }

    /// Checks that `signer` has signed it and that it is valid at `now`.
    pub fn verify(
        &self,
        signer: &PublicKey,
        now: Seconds,
        verifier: &mut dyn Verify,
    ) -> Result<(), CertError> {
        if self.claims.not_before.is_some_and(|begin| now < begin) {
            return Err(CertError::NotYetValid);
        }
        if self.claims.expires.is_some_and(|end| now >= end) {
            return Err(CertError::Expired);
        }
        let mut scratch = [0; MAX_CERTIFICATE];
        self.sign1.verify(signer, &[], verifier, &mut scratch)?;
        Ok(())
    }
}

/// What a verified chain proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The certified key.
    pub key: PublicKey,
    /// The device id, if this is the device's first key.
    pub device: DeviceId,
    /// Id of the last link.
    pub cti: Cti,
    /// What the subject is.
    pub kind: Kind,
    /// The pinned key under which the chain stands.
    pub anchor: PublicKey,
    /// First second at which some link is no longer valid.
    pub expires: Option<Seconds>,
}

/// Verifies a chain of one or two certificates from one of the pinned `anchors` down to a subject of kind `expected`.
///
/// `revoked` is asked for every link with the key of its signer and its id, since ids are unique per authority only.
pub fn verify_chain(
    chain: &[&[u8]],
    anchors: &[PublicKey],
    now: Seconds,
    expected: Kind,
    revoked: impl Fn(&PublicKey, &[u8]) -> bool,
    verifier: &mut dyn Verify,
) -> Result<Verified, CertError> {
    let (above, leaf) = match *chain {
        [leaf] => (None, leaf),
        [authority, leaf] => (Some(authority), leaf),
        _ => return Err(CertError::ChainLength),
    };
    let first = Certificate::parse(above.unwrap_or(leaf))?;
    let kid = first.signer_kid()?;
    let anchor = *anchors
        .iter()
        .find(|key| CoseKey::kid(key) == kid)
        .ok_or(CertError::UnknownAuthority)?;
    let mut link = |certificate: &Certificate<'_>, signer: &PublicKey| {
        if revoked(signer, certificate.claims.cti.as_bytes()) {
            return Err(CertError::Revoked);
        }
        certificate.verify(signer, now, verifier)
    };
    link(&first, &anchor)?;
    let last = if above.is_some() {
        let last = Certificate::parse(leaf)?;
        if first.claims.kind != Kind::Authority {
            return Err(CertError::NotAnAuthority);
        }
        link(&last, &first.claims.key)?;
        if last.claims.kind.joins_as().is_none() {
            return Err(CertError::NotItsToSign);
        }
        let outlives = match (first.claims.expires, last.claims.expires) {
            (None, _) => false,
            (Some(above), below) => below.is_none_or(|below| below > above),
        };
        if outlives {
            return Err(CertError::Outlives);
        }
        last
    } else {
        first
    };
    let Claims {
        key,
        cti,
        kind,
        expires,
        ..
    } = last.claims;
    if kind != expected {
        return Err(CertError::WrongKind);
    }
    Ok(Verified {
        key,
        device: DeviceId(CoseKey::thumbprint(&key)),
        cti,
        kind,
        anchor,
        expires,
    })
}

/// Writes the message that `signer` has to sign for a certificate; returns its length.
pub fn signing_input(
    claims: &Claims<'_>,
    signer: &PublicKey,
    out: &mut [u8],
) -> Result<usize, CertError> {
    let mut buffer = [0; MAX_CLAIMS];
    let mut w = Writer::new(&mut buffer);
    claims.write(&mut w)?;
    Ok(sign1::to_be_signed(&sign1::protected(signer), &[], w.written(), out)?.len())
}

/// Writes the certificate with a signature over [`signing_input`]'s message; returns its length.
pub fn assemble(
    claims: &Claims<'_>,
    signer: &PublicKey,
    signature: &Signature,
    out: &mut [u8],
) -> Result<usize, CertError> {
    let mut buffer = [0; MAX_CLAIMS];
    let mut w = Writer::new(&mut buffer);
    claims.write(&mut w)?;
    Ok(sign1::assemble(
        &sign1::protected(signer),
        w.written(),
        signature,
        out,
    )?)
}

/// Issues a certificate with a key in software; returns its length.
pub fn issue(claims: &Claims<'_>, secret: &SecretKey, out: &mut [u8]) -> Result<usize, CertError> {
    let signer = secret.public_key();
    let mut message = [0; MAX_CERTIFICATE];
    let len = signing_input(claims, &signer, &mut message)?;
    let message = message.get(..len).unwrap_or(&[]);
    assemble(claims, &signer, &secret.sign(message), out)
}

#[cfg(test)]
mod tests;
