//! A validator's vote: an Ed25519 signature over the root of an epoch tree, in the form of a COSE Receipt (RFC 9942).
//!
//! Invariant: the protected header follows from (validator, neighbourhood, number), so a vote travels as index and signature, and what
//! is signed for one neighbourhood or number is a vote for no other. The payload, the root, is detached.

use super::{DOMAIN, PospError};
use crate::crypto::{PublicKey, Signature, Verify};
use crate::identity::CoseKey;
use crate::identity::sign1::to_be_signed;
use crate::types::{HeaderNumber, Id};
use crate::wire::{WireError, Writer};

/// Most bytes of a vote's protected header.
pub const VOTE_PROTECTED_MAX: usize = 88;
/// Most bytes of the message of a vote.
pub const MAX_VOTE_MESSAGE: usize = 1 + 11 + 2 + VOTE_PROTECTED_MAX + 1 + 34;

const ALG: u64 = 1;
const KID: u64 = 4;
const TYP: u64 = 16;
const VDS: u64 = 395;
const RFC9162_SHA256: u64 = 1;
const NEIGHBOURHOOD: i64 = -70001;
const NUMBER: i64 = -70002;

/// Writes the protected header
/// `{1: -8, 4: kid, 16: "iotedge/macro/1", 395: 1, -70001: neighbourhood, -70002: number}`.
pub fn vote_protected<'o>(
    key: &[u8; 32],
    neighbourhood: &Id,
    number: HeaderNumber,
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let key = PublicKey::Ed25519(*key);
    let mut w = Writer::new(out);
    w.put_map(6);
    w.put_uint(ALG);
    w.put_int(i64::from(key.suite().cose_alg()));
    w.put_uint(KID);
    w.put_bytes(&CoseKey::kid(&key));
    w.put_uint(TYP);
    w.put_text(DOMAIN);
    w.put_uint(VDS);
    w.put_uint(RFC9162_SHA256);
    w.put_int(NEIGHBOURHOOD);
    w.put_id(neighbourhood);
    w.put_int(NUMBER);
    w.put_uint(u64::from(number.0));
    w.intact()?;
    Ok(w.into_written())
}

/// Writes what a validator signs: the `Sig_structure` over the root, with empty external_aad.
#[inline(never)]
pub fn vote_message<'o>(
    key: &[u8; 32],
    neighbourhood: &Id,
    number: HeaderNumber,
    root: &Id,
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let mut buffer = [0; VOTE_PROTECTED_MAX];
    let protected = vote_protected(key, neighbourhood, number, &mut buffer)?;
    to_be_signed(protected, &[], &root.0, out)
}

/// Checks one vote.
pub fn verify_vote(
    key: &[u8; 32],
    neighbourhood: &Id,
    number: HeaderNumber,
    root: &Id,
    signature: &Signature,
    verifier: &mut dyn Verify,
) -> Result<(), PospError> {
    let mut buffer = [0; MAX_VOTE_MESSAGE];
    let message = vote_message(key, neighbourhood, number, root, &mut buffer)?;
    verifier
        .verify(&PublicKey::Ed25519(*key), message, signature)
        .map_err(PospError::Vote)
}
