//! A sealed message in its two forms: compact, for a radio that carries 51 bytes, and COSE_Encrypt0 (RFC 9052).
//!
//! Neither carries channel, index or counter in the clear: a message is found by its lookup, which only who holds the chain's key can compute. Form and protection are bound
//! into key and associated data. An 8-byte tag is forged with 2^-64 a try; what that allows a device and hour stands in decision 0033.

use super::keys::{Marks, Secret};
use super::{ChannelError, Place};
use crate::copy::{copy, joined};
use crate::crypto::seal::{self, Tag};
use crate::crypto::{Signature, ct_eq, sha256};
use crate::types::Id;
use crate::wire::{Reader, Writer};

/// Most bytes of a message's plaintext.
pub const MAX_BODY: usize = 1200;
/// Bytes in front of a compact message.
pub const HEADER: usize = 9;
/// Most bytes that sealing adds, without a signature: COSE_Encrypt0.
pub const OVERHEAD: usize = 36;

const VERSION: u8 = 0x10;
const SIGNED: u8 = 1;
const LONG: u8 = 2;
const COSE: u8 = 4;
const DOMAIN: &[u8; 25] = b"iotedge/channel/message/1";
const LEAF: &[u8] = b"iotedge/channel/leaf/1";
const SIGN: &[u8; 24] = b"iotedge/channel/signed/1";
/// {1: 24}: ChaCha20/Poly1305 (RFC 9053 section 4.3).
const PROTECTED: [u8; 4] = [0xa1, 0x01, 0x18, 0x18];
const AAD: usize = 25 + 44 + HEADER;

/// How a message travels and what protects it beside the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The owner's signature goes with it; else it is attributable once its batch's root is known.
    pub signed: bool,
    /// COSE_Encrypt0, always with the whole tag; else compact.
    pub cose: bool,
    /// The whole tag of 16 bytes; else 8.
    pub long_tag: bool,
}

impl Form {
    /// The smallest.
    pub const COMPACT: Self = Self {
        signed: false,
        cose: false,
        long_tag: false,
    };
    /// The standard form.
    pub const STANDARD: Self = Self {
        signed: false,
        cose: true,
        long_tag: true,
    };

    /// The byte in front of a compact message, bound in both forms.
    #[must_use]
    pub const fn byte(self) -> u8 {
        let mut byte = VERSION;
        if self.signed {
            byte |= SIGNED;
        }
        if self.long_tag || self.cose {
            byte |= LONG;
        }
        if self.cose {
            byte |= COSE;
        }
        byte
    }

    const fn tag_len(self) -> usize {
        if self.long_tag || self.cose { 16 } else { 8 }
    }
}

/// A message as it came: nothing of it is checked but its form.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// What it says of itself.
    pub form: Form,
    /// What it is found by.
    pub lookup: [u8; 8],
    /// Ciphertext and tag.
    sealed: &'a [u8],
    /// All of it, but for the signature.
    pub bytes: &'a [u8],
    /// Where the form is signed, and it does not travel in a transaction, whose signature then is the message's.
    pub signature: Option<Signature>,
}

impl<'a> Sealed<'a> {
    /// Reads a message off the ledger: behind a signed one stands its signature.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ChannelError> {
        let head = *bytes.first().ok_or(ChannelError::Truncated)?;
        let cose = head == 0x83;
        let compact_signed = !cose && head & SIGNED != 0;
        if compact_signed {
            let (bytes, signature) = bytes.split_last_chunk().ok_or(ChannelError::Truncated)?;
            return Self::parse_compact(bytes, Some(Signature(*signature)));
        }
        if !cose {
            return Self::parse_compact(bytes, None);
        }
        // A signature follows a COSE_Encrypt0 as bytes after the item.
        let mut r = Reader::new(bytes);
        r.item()?;
        match r.rest() {
            [] => Self::parse_cose(bytes, None),
            rest => {
                let signature = <[u8; 64]>::try_from(rest).map_err(|_| ChannelError::Truncated)?;
                let len = bytes.len().saturating_sub(64);
                let bytes = bytes.get(..len).unwrap_or(&[]);
                Self::parse_cose(bytes, Some(Signature(signature)))
            }
        }
    }

    /// Reads a message that a transaction carries: a signed form has the transaction's signature.
    pub fn parse_carried(bytes: &'a [u8], signed: bool) -> Result<Self, ChannelError> {
        let message = match bytes.first() {
            Some(0x83) => Self::parse_cose(bytes, None)?,
            Some(_) => Self::parse_compact(bytes, None)?,
            None => return Err(ChannelError::Truncated),
        };
        let form = Form {
            signed,
            ..message.form
        };
        match message.form.cose || message.form.signed == signed {
            true => Ok(Self { form, ..message }),
            false => Err(ChannelError::Form),
        }
    }

    fn parse_compact(bytes: &'a [u8], signature: Option<Signature>) -> Result<Self, ChannelError> {
        let (head, rest) = bytes.split_first().ok_or(ChannelError::Truncated)?;
        if head & !(SIGNED | LONG) != VERSION {
            return Err(ChannelError::Form);
        }
        let form = Form {
            signed: head & SIGNED != 0,
            cose: false,
            long_tag: head & LONG != 0,
        };
        let (lookup, sealed) = rest.split_first_chunk().ok_or(ChannelError::Truncated)?;
        Self::new(form, *lookup, sealed, bytes, signature)
    }

    fn parse_cose(bytes: &'a [u8], signature: Option<Signature>) -> Result<Self, ChannelError> {
        let mut r = Reader::new(bytes);
        r.take_array_of(3);
        let protected = r.take_bytes();
        let map = r.take_map();
        let label = r.take_uint();
        let lookup = *r.take_bytes_of();
        let sealed = r.take_bytes();
        r.finish()?;
        if protected != PROTECTED || map != 1 || label != 4 {
            return Err(ChannelError::Form);
        }
        let form = Form {
            signed: signature.is_some(),
            cose: true,
            long_tag: true,
        };
        Self::new(form, lookup, sealed, bytes, signature)
    }

    fn new(
        form: Form,
        lookup: [u8; 8],
        sealed: &'a [u8],
        bytes: &'a [u8],
        signature: Option<Signature>,
    ) -> Result<Self, ChannelError> {
        let body = sealed.len().checked_sub(form.tag_len());
        match body.ok_or(ChannelError::Truncated)? {
            0..=MAX_BODY => Ok(Self {
                form,
                lookup,
                sealed,
                bytes,
                signature,
            }),
            _ => Err(ChannelError::TooLong),
        }
    }

    /// Opens it into `out`; returns the length.
    pub(super) fn open(
        &self,
        secret: &Secret,
        place: &Place,
        out: &mut [u8],
    ) -> Result<usize, ChannelError> {
        let len = self.sealed.len().saturating_sub(self.form.tag_len());
        let (body, tag) = self.sealed.split_at_checked(len).unwrap_or_default();
        let out = out.get_mut(..len).ok_or(ChannelError::Full)?;
        copy(out, body);
        let key = secret.key(self.form.byte());
        let mut aad = [0; AAD_ROOM];
        let aad = associated(place, self.form, &self.lookup, &mut aad)?;
        let nonce = place.nonce();
        let opened = match <[u8; 16]>::try_from(tag) {
            Ok(tag) => seal::open(&key, &nonce, aad, out, &Tag(tag)),
            Err(_) => seal::open_short(&key, &nonce, aad, out, tag),
        };
        match opened {
            Ok(()) => Ok(len),
            Err(_) => {
                out.fill(0);
                Err(ChannelError::Forged)
            }
        }
    }

    /// The leaf's hash in its batch's tree (RFC 9162); a signature is over it, too.
    #[must_use]
    pub fn leaf(&self, place: &Place, marks: &Marks) -> Id {
        leaf(place, &marks.commitment, self.bytes)
    }
}

pub(super) fn leaf(place: &Place, commitment: &[u8; 32], bytes: &[u8]) -> Id {
    Id(sha256(&[&[0x00], LEAF, &place.bytes(), commitment, bytes]))
}

/// What the owner signs for a message off the ledger.
#[must_use]
pub fn to_be_signed(leaf: &Id) -> [u8; 56] {
    joined(&[SIGN, &leaf.0])
}

const AAD_ROOM: usize = AAD + 20;

/// External: domain, place, form and lookup. In COSE it is the external_aad of the Enc_structure, else the associated data itself.
fn associated<'o>(
    place: &Place,
    form: Form,
    lookup: &[u8; 8],
    out: &'o mut [u8; AAD_ROOM],
) -> Result<&'o [u8], ChannelError> {
    let external: [u8; AAD] = joined(&[DOMAIN, &place.bytes(), &[form.byte()], lookup]);
    let mut w = Writer::new(out);
    match form.cose {
        true => {
            w.put_array(3);
            w.put_text("Encrypt0");
            w.put_bytes(&PROTECTED);
            w.put_bytes(&external);
        }
        false => w.put_raw(&external),
    }
    w.intact()?;
    Ok(w.into_written())
}

/// Seals `body` into `out`; returns the length. The signature, where there is one, comes behind it.
pub(super) fn seal_into(
    secret: &Secret,
    marks: &Marks,
    place: &Place,
    form: Form,
    body: &[u8],
    out: &mut [u8],
) -> Result<usize, ChannelError> {
    if body.len() > MAX_BODY {
        return Err(ChannelError::TooLong);
    }
    let tag_len = form.tag_len();
    let sealed_len = body.len().saturating_add(tag_len);
    let mut w = Writer::new(out);
    match form.cose {
        true => {
            w.put_array(3);
            w.put_bytes(&PROTECTED);
            w.put_map(1);
            w.put_uint(4);
            w.put_bytes(&marks.lookup);
            w.put_bytes_head(sealed_len);
        }
        false => {
            w.put_raw(&[form.byte()]);
            w.put_raw(&marks.lookup);
        }
    }
    let start = w.len();
    w.put_raw(body);
    w.intact().map_err(|_| ChannelError::Full)?;
    let end = w.len();
    let total = end.saturating_add(tag_len);
    if total > out.len() {
        return Err(ChannelError::Full);
    }
    let mut aad = [0; AAD_ROOM];
    let aad = associated(place, form, &marks.lookup, &mut aad)?;
    let (head, tail) = out.split_at_mut(end);
    let plain = head.get_mut(start..).unwrap_or(&mut []);
    let key = secret.key(form.byte());
    let tag = seal::seal(&key, &place.nonce(), aad, plain).map_err(|_| ChannelError::TooLong)?;
    copy(tail.get_mut(..tag_len).unwrap_or(&mut []), &tag.0);
    Ok(total)
}

/// Lookup and commitment, where the lookup is this one.
pub(super) fn found(secret: &Secret, lookup: &[u8; 8]) -> Option<Marks> {
    let marks = secret.marks();
    ct_eq(&marks.lookup, lookup).then_some(marks)
}
