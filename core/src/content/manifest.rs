//! The manifest of a firmware: which image, for which devices, in place of which, by whom.
//!
//! Invariant: [`Manifest`] is had from outside of this room only through [`Signed::verify`], so each was signed by the key that the device has pinned for its firmware. The elements are those of the information model of RFC 9124
//! section 3; the bytes are protocol section 13.3.

use super::{ContentError, Descriptor};
use crate::crypto::{PublicKey, SecretKey, Signature, SignatureError, Verify, sha256};
use crate::identity::Seconds;
use crate::identity::sign1::{self, SIG_STRUCTURE_OVERHEAD, Sign1, Sign1Error};
use crate::types::Id;
use crate::wire::{Reader, WireError, Writer};

/// The domain of what is signed.
pub const DOMAIN: &str = "iotedge/update/1";
/// Most bytes of a component's name.
pub const MAX_COMPONENT: usize = 16;
/// Most bytes of a manifest with its signature.
pub const MAX_MANIFEST: usize = MAX_PAYLOAD + 13 + 76;

const VERSION: u64 = 1;
const MAX_PAYLOAD: usize = 1 + 1 + 9 + 17 + 17 + 17 + 9 + 9 + 34 + 34 + 1 + 9 + 1 + 34;
const MAX_AAD: usize = 20;

/// A UUID (RFC 9562), as RFC 9124 names vendors and classes.
pub type Uuid = [u8; 16];

/// Why a manifest is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// Not deterministic CBOR of the form of section 13.3, or no room to write it.
    Wire(WireError),
    /// Of another structure: a newer maker's. Refuse it.
    Version,
    /// The content that it names cannot be.
    Content(ContentError),
    /// Sequence number 0, or a component's name that is empty or too long.
    Element,
    /// The protected header is not `{1: alg, 4: kid}`.
    Header,
    /// Signed by another key than the pinned one.
    WrongSigner,
    /// The signature does not hold.
    Signature(SignatureError),
}

impl From<WireError> for ManifestError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<Sign1Error> for ManifestError {
    fn from(error: Sign1Error) -> Self {
        match error {
            Sign1Error::Wire(error) => Self::Wire(error),
            Sign1Error::Header => Self::Header,
            Sign1Error::WrongSigner => Self::WrongSigner,
            Sign1Error::Signature(error) => Self::Signature(error),
        }
    }
}

/// What a manifest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// 1 and above; each release has a higher one.
    pub sequence: u64,
    /// Whose devices.
    pub vendor: Uuid,
    /// Which of them: one class, one image.
    pub class: Uuid,
    /// Which part of the device it is for, 1 to 16 bytes.
    pub component: &'a [u8],
    /// How to read the payload: 0 is the image as it runs, others are the vendor's.
    pub format: u32,
    /// Not to be begun from then on.
    pub expires: Option<Seconds>,
    /// SHA-256 of the image that must be there before.
    pub precursor: Option<Id>,
    /// SHA-256 of the payload, for who knows no tree: a bootloader, an attestation.
    pub digest: Id,
    /// The payload.
    pub content: Descriptor,
}

impl<'a> Manifest<'a> {
    fn check(&self) -> Result<(), ManifestError> {
        match self.sequence > 0 && (1..=MAX_COMPONENT).contains(&self.component.len()) {
            true => Ok(()),
            false => Err(ManifestError::Element),
        }
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), ManifestError> {
        self.check()?;
        w.put_array(10);
        w.put_uint(VERSION);
        w.put_uint(self.sequence);
        w.put_bytes(&self.vendor);
        w.put_bytes(&self.class);
        w.put_bytes(self.component);
        w.put_uint(self.format.into());
        match self.expires {
            Some(Seconds(at)) => w.put_uint(at),
            None => w.put_null(),
        }
        match &self.precursor {
            Some(digest) => w.put_id(digest),
            None => w.put_null(),
        }
        w.put_id(&self.digest);
        self.content.write(w);
        Ok(w.intact()?)
    }

    fn read(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(10);
        let version = r.take_uint();
        r.intact()?;
        if version != VERSION {
            return Err(ManifestError::Version);
        }
        let sequence = r.take_uint();
        let (vendor, class) = (*r.take_bytes_of(), *r.take_bytes_of());
        let component = r.take_bytes();
        let format = r.take_u32();
        let expires = match r.skip_null() {
            true => None,
            false => Some(Seconds(r.take_uint())),
        };
        let precursor = match r.skip_null() {
            true => None,
            false => Some(r.take_id()),
        };
        let digest = r.take_id();
        r.intact()?;
        let content = Descriptor::read(&mut r).map_err(ManifestError::Content)?;
        r.finish()?;
        let manifest = Self {
            sequence,
            vendor,
            class,
            component,
            format,
            expires,
            precursor,
            digest,
            content,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Writes what the maker's key signs; returns its length.
    ///
    /// # Errors
    /// [`ManifestError`]: `Element`, `Wire` (`Full`).
    pub fn signing_input(
        &self,
        signer: &PublicKey,
        out: &mut [u8],
    ) -> Result<usize, ManifestError> {
        let (mut payload, mut aad) = ([0; MAX_PAYLOAD], [0; MAX_AAD]);
        let mut w = Writer::new(&mut payload);
        self.write(&mut w)?;
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        let message = sign1::to_be_signed(&sign1::protected(signer), aad, w.written(), out)?;
        Ok(message.len())
    }

    /// Puts the manifest together with its signature; returns its length, at most [`MAX_MANIFEST`].
    ///
    /// # Errors
    /// As [`Manifest::signing_input`].
    pub fn assemble(
        &self,
        signer: &PublicKey,
        signature: &Signature,
        out: &mut [u8],
    ) -> Result<usize, ManifestError> {
        let mut payload = [0; MAX_PAYLOAD];
        let mut w = Writer::new(&mut payload);
        self.write(&mut w)?;
        Ok(sign1::assemble(
            &sign1::protected(signer),
            w.written(),
            signature,
            out,
        )?)
    }

    /// Signs it with a key in software; returns its length.
    ///
    /// # Errors
    /// As [`Manifest::signing_input`].
    pub fn issue(&self, secret: &SecretKey, out: &mut [u8]) -> Result<usize, ManifestError> {
        let signer = secret.public_key();
        let mut message = [0; MAX_MANIFEST + SIG_STRUCTURE_OVERHEAD];
        let len = self.signing_input(&signer, &mut message)?;
        let message = message.get(..len).unwrap_or(&[]);
        self.assemble(&signer, &secret.sign(message), out)
    }
}

/// A manifest as it came: nothing in it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    bytes: &'a [u8],
    sign1: Sign1<'a>,
}

impl<'a> Signed<'a> {
    /// Reads one and nothing after it.
    ///
    /// # Errors
    /// [`ManifestError::Wire`], [`ManifestError::Header`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let sign1 = Sign1::parse(bytes)?;
        sign1.signer()?;
        Ok(Self { bytes, sign1 })
    }

    /// What it says, if the pinned key signed it. Only then is the payload read.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn verify(
        &self,
        authority: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<Manifest<'a>, ManifestError> {
        self.authentic(authority, verifier)?;
        self.unverified()
    }

    /// What it says, whoever signed it: for bytes that were verified, or are to be.
    pub(super) fn unverified(&self) -> Result<Manifest<'a>, ManifestError> {
        Manifest::read(self.sign1.payload)
    }

    /// Whether the pinned key signed it.
    pub(super) fn authentic(
        &self,
        authority: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<(), ManifestError> {
        let mut aad = [0; MAX_AAD];
        let aad = sign1::domain_aad(DOMAIN, &mut aad)?;
        let mut scratch = [0; MAX_MANIFEST + SIG_STRUCTURE_OVERHEAD];
        Ok(self.sign1.verify(authority, aad, verifier, &mut scratch)?)
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn digest(&self) -> Id {
        Id(sha256(&[self.bytes]))
    }
}
