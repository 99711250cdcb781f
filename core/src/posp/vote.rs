//! A validator's vote: an Ed25519 signature over the root of an epoch tree, in the form of a COSE Receipt (RFC 9942). And its word that a header is anchored.
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
/// Most bytes of the message of a vote, or of what is said of an anchored header.
pub const MAX_VOTE_MESSAGE: usize = 1 + 11 + 2 + VOTE_PROTECTED_MAX + 1 + 2 + 40;

/// The domain of what is said of an anchored header.
const ANCHORED: &str = "iotedge/anchored/1";

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
    protected(DOMAIN, true, key, neighbourhood, number, out)
}

/// The protected header of what a validator says of a header; `receipt`: of a COSE Receipt, with its data structure.
#[inline(never)]
fn protected<'o>(
    domain: &str,
    receipt: bool,
    key: &[u8; 32],
    neighbourhood: &Id,
    number: HeaderNumber,
    out: &'o mut [u8],
) -> Result<&'o [u8], WireError> {
    let key = PublicKey::Ed25519(*key);
    let mut w = Writer::new(out);
    w.put_map(if receipt { 6 } else { 5 });
    w.put_uint(ALG);
    w.put_int(i64::from(key.suite().cose_alg()));
    w.put_uint(KID);
    w.put_bytes(&CoseKey::kid(&key));
    w.put_uint(TYP);
    w.put_text(domain);
    if receipt {
        w.put_uint(VDS);
        w.put_uint(RFC9162_SHA256);
    }
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

/// What a validator says once a header is final on the G-Chain: that the header of this hash stands in this block.
///
/// It is no vote on the header: another type stands in its protected header, so neither is ever taken for the other, and two of them are no double vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The neighbourhood.
    pub neighbourhood: Id,
    /// The header's number.
    pub number: HeaderNumber,
    /// Its hash.
    pub header: Id,
    /// Number of the Ethereum block in which the contract took it.
    pub block: u64,
}

impl Anchored {
    /// Writes what the validator of this key signs: the `Sig_structure` with the protected header
    /// `{1: -8, 4: kid, 16: "iotedge/anchored/1", -70001: neighbourhood, -70002: number}`, empty external_aad, and as payload the header's hash and the block's
    /// number in 8 bytes, big-endian.
    #[inline(never)]
    pub fn message<'o>(&self, key: &[u8; 32], out: &'o mut [u8]) -> Result<&'o [u8], WireError> {
        let mut buffer = [0; VOTE_PROTECTED_MAX];
        let protected = protected(
            ANCHORED,
            false,
            key,
            &self.neighbourhood,
            self.number,
            &mut buffer,
        )?;
        let mut payload = [0; 40];
        let mut w = Writer::new(&mut payload);
        w.put_raw(&self.header.0);
        w.put_raw(&self.block.to_be_bytes());
        to_be_signed(protected, &[], w.written(), out)
    }

    /// Checks what one validator says.
    pub fn verify(
        &self,
        key: &[u8; 32],
        signature: &Signature,
        verifier: &mut dyn Verify,
    ) -> Result<(), PospError> {
        let mut buffer = [0; MAX_VOTE_MESSAGE];
        let message = self.message(key, &mut buffer)?;
        verifier
            .verify(&PublicKey::Ed25519(*key), message, signature)
            .map_err(PospError::Vote)
    }
}
