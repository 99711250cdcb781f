//! Verification without a node: certificates, genesis, transactions, evidence, receipts, Merkle paths.
//!
//! Invariant: each function gives the verdict that every node gives, because it calls the same room of the core; outputs
//! speak only of what was verified.

use crate::key::{iotedge_public_key_t, public_key, signature_status};
use crate::raw::{Call, OutArray, OutStruct, Sized32, array, decided, done, input};
use crate::{status, wire_status};
use core::ffi::c_char;
use iotedge_core::crypto::SignatureError;
use iotedge_core::identity::cert::{CertError, Kind, Seconds, verify_chain};
use iotedge_core::identity::genesis::{GenesisError, UnverifiedGenesis};
use iotedge_core::identity::sign1::Sign1Error;
use iotedge_core::identity::{Certificate, CoseKey};
use iotedge_core::posp::{PospError, Proven, Receipt, SetView};
use iotedge_core::tx::evidence::{EvidenceError, Form};
use iotedge_core::tx::{Attachment, AttachmentError, Body, TxError, Unverified};
use iotedge_core::wire::merkle::{self, MerkleError};
use iotedge_core::{Id, MAX_PARENTS};

/// Kind of a certificate: a device.
pub const IOTEDGE_KIND_DEVICE: u32 = 0;
/// Kind of a certificate: an authority that may sign devices.
pub const IOTEDGE_KIND_AUTHORITY: u32 = 1;
/// Kind of a certificate: a gateway that closes epochs.
pub const IOTEDGE_KIND_GL_NODE: u32 = 2;
/// Kind of a certificate: a validator.
pub const IOTEDGE_KIND_VALIDATOR: u32 = 3;
/// Kind of a certificate: a leaf, which joins as a submit-only member of weight 0.
pub const IOTEDGE_KIND_LEAF: u32 = 4;

fn sign1_status(error: Sign1Error) -> i32 {
    match error {
        Sign1Error::Wire(error) => wire_status(error),
        Sign1Error::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        Sign1Error::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        Sign1Error::Signature(error) => signature_status(error),
    }
}

fn cert_status(error: CertError) -> i32 {
    match error {
        CertError::Wire(error) => wire_status(error),
        CertError::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        CertError::Claim | CertError::Name | CertError::Cti | CertError::Kind => {
            status::IOTEDGE_E_CERTIFICATE_CLAIM
        }
        CertError::Key(SignatureError::Suite) => status::IOTEDGE_E_SUITE,
        CertError::Key(_) => status::IOTEDGE_E_CERTIFICATE_KEY,
        CertError::NeverValid | CertError::Expired => status::IOTEDGE_E_CERTIFICATE_EXPIRED,
        CertError::UnknownAuthority => status::IOTEDGE_E_UNKNOWN_AUTHORITY,
        CertError::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        CertError::Signature(error) => signature_status(error),
        CertError::NotYetValid => status::IOTEDGE_E_CERTIFICATE_NOT_YET_VALID,
        CertError::Revoked => status::IOTEDGE_E_CERTIFICATE_REVOKED,
        CertError::ChainLength => status::IOTEDGE_E_CHAIN_LENGTH,
        CertError::NotAnAuthority => status::IOTEDGE_E_NOT_AN_AUTHORITY,
        CertError::NotItsToSign => status::IOTEDGE_E_NOT_ITS_TO_SIGN,
        CertError::Outlives => status::IOTEDGE_E_CERTIFICATE_OUTLIVES,
        CertError::WrongKind => status::IOTEDGE_E_CERTIFICATE_KIND,
    }
}

fn genesis_status(error: GenesisError) -> i32 {
    match error {
        GenesisError::Wire(error) => wire_status(error),
        GenesisError::Version => status::IOTEDGE_E_VERSION,
        GenesisError::Header => status::IOTEDGE_E_PROTECTED_HEADER,
        GenesisError::WrongSigner => status::IOTEDGE_E_WRONG_SIGNER,
        GenesisError::Signature(error) => signature_status(error),
        _ => status::IOTEDGE_E_FORGED_GENESIS,
    }
}

pub(crate) fn tx_status(error: TxError) -> i32 {
    match error {
        TxError::Wire(error) => wire_status(error),
        TxError::Version => status::IOTEDGE_E_VERSION,
        TxError::UnsupportedKind => status::IOTEDGE_E_UNSUPPORTED_KIND,
        TxError::Protected => status::IOTEDGE_E_PROTECTED_HEADER,
        TxError::Unprotected => status::IOTEDGE_E_UNPROTECTED_HEADER,
        TxError::SignatureLength => status::IOTEDGE_E_SIGNATURE_LENGTH,
        TxError::PayloadTooLong | TxError::FrameTooLong => status::IOTEDGE_E_PAYLOAD_LENGTH,
        TxError::EpochZero => status::IOTEDGE_E_EPOCH_ZERO,
        TxError::NumberZero => status::IOTEDGE_E_NUMBER_ZERO,
        TxError::ParentCount => status::IOTEDGE_E_PARENT_COUNT,
        TxError::ParentsUnsorted => status::IOTEDGE_E_PARENTS_UNSORTED,
        TxError::ParentsDoubled => status::IOTEDGE_E_PARENTS_DOUBLED,
        TxError::SelfParent => status::IOTEDGE_E_SELF_PARENT,
        TxError::ParentMismatch => status::IOTEDGE_E_PARENT_MISMATCH,
        TxError::AmountZero => status::IOTEDGE_E_AMOUNT_ZERO,
        TxError::DebitsBelowAmount => status::IOTEDGE_E_FALSE_DEBITS,
        TxError::BodyEmpty | TxError::BodyTooLong => status::IOTEDGE_E_BODY_LENGTH,
        TxError::MemberOp => status::IOTEDGE_E_MEMBER_OPERATION,
        TxError::Sale(_) => status::IOTEDGE_E_TERMS,
        TxError::EvidenceIds => status::IOTEDGE_E_FALSE_EVIDENCE,
        TxError::Suite => status::IOTEDGE_E_SUITE,
        TxError::Signature(error) => signature_status(error),
    }
}

fn evidence_status(error: EvidenceError) -> i32 {
    match error {
        EvidenceError::Wire(error) => wire_status(error),
        EvidenceError::Transaction(error) => tx_status(error),
        EvidenceError::Suite => status::IOTEDGE_E_SUITE,
        EvidenceError::Signature(error) => signature_status(error),
        EvidenceError::SameTransaction
        | EvidenceError::Order
        | EvidenceError::DifferentIssuers
        | EvidenceError::ChainHolds
        | EvidenceError::TotalsHold
        | EvidenceError::Unrelated => status::IOTEDGE_E_FALSE_EVIDENCE,
    }
}

fn attachment_status(error: AttachmentError) -> i32 {
    match error {
        AttachmentError::Wire(error) => wire_status(error),
        AttachmentError::Evidence(error) => evidence_status(error),
        AttachmentError::Empty
        | AttachmentError::Order
        | AttachmentError::Position
        | AttachmentError::ProofUnexpected => status::IOTEDGE_E_ATTACHMENT,
    }
}

fn merkle_status(error: MerkleError) -> i32 {
    match error {
        MerkleError::Index => status::IOTEDGE_E_LEAF_INDEX,
        MerkleError::PathLength => status::IOTEDGE_E_PATH_LENGTH,
        MerkleError::Root => status::IOTEDGE_E_WRONG_PATH,
        MerkleError::Full => status::IOTEDGE_E_BUFFER_TOO_SMALL,
    }
}

pub(crate) fn posp_status(error: PospError) -> i32 {
    match error {
        PospError::Wire(error) => wire_status(error),
        PospError::Version => status::IOTEDGE_E_VERSION,
        PospError::Neighbourhood => status::IOTEDGE_E_NEIGHBOURHOOD,
        PospError::Header => status::IOTEDGE_E_FORGED_HEADER,
        PospError::Signer(error) => sign1_status(error),
        PospError::Set => status::IOTEDGE_E_VALIDATOR_SET,
        PospError::WrongSet => status::IOTEDGE_E_WRONG_VALIDATOR_SET,
        PospError::UnknownValidator => status::IOTEDGE_E_UNKNOWN_VALIDATOR,
        PospError::VoterOrder => status::IOTEDGE_E_VOTER_ORDER,
        PospError::Vote(error) => signature_status(error),
        PospError::ShortOfQuorum => status::IOTEDGE_E_SHORT_OF_QUORUM,
        PospError::Path(error) => merkle_status(error),
        PospError::HeaderLeaf => status::IOTEDGE_E_HEADER_LEAF,
        // What only a chain of headers can meet.
        PospError::NotNewer
        | PospError::Fork
        | PospError::HandoverPending
        | PospError::Stale
        | PospError::NoConflict => status::IOTEDGE_E_ARGUMENT,
    }
}

/// `count` ids that stand one after the other: as bytes, since an `Id` is aligned and what C gives need not be.
///
/// # Safety
/// As [`input`].
pub(crate) unsafe fn ids<'a>(
    pointer: *const u8,
    count: usize,
) -> Call<impl Iterator<Item = Id> + Clone + use<'a>> {
    // SAFETY: the caller's promise.
    let chunks = unsafe { input::<'a, [u8; 32]>(pointer.cast(), count)? };
    Ok(chunks.iter().map(|bytes| Id(*bytes)))
}

/// What a certificate says. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_certificate_t {
    /// `sizeof(iotedge_certificate_t)`.
    pub size: u32,
    /// `IOTEDGE_KIND_*`.
    pub kind: u32,
    /// First second since 1970 at which it is no longer valid; 0 for never.
    pub expires: u64,
    /// First second at which it is valid; 0 for always.
    pub not_before: u64,
    /// Second at which it was issued.
    pub issued: u64,
    /// Suite of the certified key.
    pub suite: i32,
    /// Bytes of `cti` that count, 8 to 16.
    pub cti_len: u32,
    /// The certified key, as in `iotedge_public_key_t`.
    pub key: [u8; 64],
    /// Device id, if the certified key is the device's first.
    pub device: [u8; 32],
    /// Id of the certificate: what a revocation names.
    pub cti: [u8; 16],
    /// The authority's name, zero-terminated. Nothing is decided by it.
    pub name: [c_char; 40],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_certificate_t {}
const OLDEST_CERTIFICATE: usize = 192;
const _: () = assert!(size_of::<iotedge_certificate_t>() == OLDEST_CERTIFICATE);

fn copy<T: Copy, const N: usize>(zero: T, from: impl IntoIterator<Item = T>) -> [T; N] {
    let mut to = [zero; N];
    for (to, from) in to.iter_mut().zip(from) {
        *to = from;
    }
    to
}

fn certificate(parsed: &Certificate<'_>) -> iotedge_certificate_t {
    let claims = parsed.claims();
    let key = iotedge_public_key_t::from_core(&claims.key);
    let cti = claims.cti.as_bytes();
    iotedge_certificate_t {
        size: 0,
        kind: claims.kind.code() as u32,
        expires: claims.expires.map_or(0, |s| s.0),
        not_before: claims.not_before.map_or(0, |s| s.0),
        issued: claims.issued.0,
        suite: key.suite,
        cti_len: cti.len() as u32,
        key: key.bytes,
        device: CoseKey::thumbprint(&claims.key).0,
        cti: copy(0, cti.iter().copied()),
        name: copy(0, claims.name.bytes().map(|b| b as c_char)),
    }
}

/// Reads a certificate (a CWT in COSE_Sign1) without checking who signed it: for tools that show it. Decide nothing by it;
/// see `iotedge_certificate_verify`.
///
/// `IOTEDGE_E_CERTIFICATE_CLAIM`: a claim is missing, unknown or out of bounds. `IOTEDGE_E_CERTIFICATE_KEY`: the certified key
/// could never verify anything.
///
/// From any thread. Not from an interrupt: it checks a point of the curve.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_certificate_parse(
    certificate_bytes: *const u8,
    certificate_len: usize,
    claims: *mut iotedge_certificate_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let bytes = input(certificate_bytes, certificate_len)?;
        let claims = OutStruct::new(claims, OLDEST_CERTIFICATE)?;
        claims.write(&certificate(
            &Certificate::parse(bytes).map_err(cert_status)?,
        ));
        Ok(())
    })())
}

/// Verifies a certificate chain: `certificate_bytes` signed by `authority`, or, where `issuer_len` is not 0, by the
/// certificate `issuer`, which `authority` signed.
///
/// `authority`: the pinned key. `now`: seconds since 1970. `kind`: what the subject must be, `IOTEDGE_KIND_*`. `claims`: set its
/// `size` first; written on success.
///
/// `IOTEDGE_E_UNKNOWN_AUTHORITY`: another authority's. `IOTEDGE_E_CERTIFICATE_EXPIRED`, `..._NOT_YET_VALID`: check the clock
/// first. `IOTEDGE_E_NOT_AN_AUTHORITY`, `IOTEDGE_E_NOT_ITS_TO_SIGN`, `IOTEDGE_E_CERTIFICATE_OUTLIVES`,
/// `IOTEDGE_E_CERTIFICATE_KIND`, `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: refuse the chain.
///
/// From any thread. Not from an interrupt: one signature check for each certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_certificate_verify(
    authority: *const iotedge_public_key_t,
    now: u64,
    kind: u32,
    issuer: *const u8,
    issuer_len: usize,
    certificate_bytes: *const u8,
    certificate_len: usize,
    claims: *mut iotedge_certificate_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let authority = public_key(authority)?;
        let kind = Kind::from_code(kind.into()).ok_or(status::IOTEDGE_E_ARGUMENT)?;
        let issuer = input(issuer, issuer_len)?;
        let bytes = input(certificate_bytes, certificate_len)?;
        let claims = OutStruct::new(claims, OLDEST_CERTIFICATE)?;
        if bytes.is_empty() {
            return Err(status::IOTEDGE_E_CHAIN_LENGTH);
        }
        let links = [issuer, bytes];
        let chain = if issuer.is_empty() {
            links.get(1..).unwrap_or(&[])
        } else {
            &links[..]
        };
        verify_chain(
            chain,
            &[authority],
            Seconds(now),
            kind,
            |_, _| false,
            verifier,
        )
        .map_err(cert_status)?;
        claims.write(&certificate(
            &Certificate::parse(bytes).map_err(cert_status)?,
        ));
        Ok(())
    })
}

/// Verifies the genesis of a neighbourhood and gives its id, which every other function here takes.
///
/// `authority`: the pinned key. `neighbourhood`: 32 bytes, written on success.
///
/// `IOTEDGE_E_WRONG_SIGNER`, `IOTEDGE_E_SIGNATURE`: another authority's, or forged. `IOTEDGE_E_FORGED_GENESIS`: its
/// parameters break a bound.
///
/// From any thread. Not from an interrupt: one signature check.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_genesis_verify(
    authority: *const iotedge_public_key_t,
    genesis: *const u8,
    genesis_len: usize,
    neighbourhood: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let authority = public_key(authority)?;
        let genesis = input(genesis, genesis_len)?;
        let neighbourhood = OutArray::<32>::new(neighbourhood)?;
        let (_, id) = UnverifiedGenesis::parse(genesis)
            .and_then(|g| g.verify(&authority, verifier))
            .map_err(genesis_status)?;
        neighbourhood.write(&id.0);
        Ok(())
    })
}

/// What a transaction says. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_tx_t {
    /// `sizeof(iotedge_tx_t)`.
    pub size: u32,
    /// Kind of the body (docs/protocol.md section 3): 0 data, 1 transfer, 2 lock, 3 claim, 4 channel, 5 service, 6 member, 7 trim, 8 exit, 9 evidence.
    pub kind: u32,
    /// Epoch.
    pub epoch: u32,
    /// Index of the member that issued it.
    pub issuer: u32,
    /// Number in its issuer's chain.
    pub number: u32,
    /// Milliseconds since the epoch's clock began.
    pub offset: u32,
    /// Index of the payee of a transfer, or of the offender of an evidence; else 0.
    pub to: u32,
    /// How many parents, 1 to 8.
    pub parents: u32,
    /// Micro-tokens of a transfer or an exit; else 0.
    pub amount: u64,
    /// The issuer's lifetime debits with this one, for a transfer or an exit; else 0.
    pub debits: u64,
    /// First 16 bytes of each parent's id, the issuer's own first.
    pub prefixes: [u8; 128],
    /// Body of a data or service transaction: it points into the bytes that were parsed and lives as long as they; else NULL.
    pub body: *const u8,
    /// Bytes of the body; else 0.
    pub body_len: usize,
}
// SAFETY: repr(C), integers and one raw pointer, size first.
unsafe impl Sized32 for iotedge_tx_t {}
const OLDEST_TX: usize = 176 + 2 * size_of::<usize>();
const _: () = assert!(size_of::<iotedge_tx_t>() == OLDEST_TX);

/// Reads a transaction (COSE_Sign1, without attachment) without checking its signature. Decide nothing by it; see
/// `iotedge_tx_verify`.
///
/// `tx`: set its `size` first; written on success. Its `body` points into `cose`.
///
/// Every form that docs/protocol.md section 3 forbids has its own status.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_tx_parse(
    cose: *const u8,
    cose_len: usize,
    tx: *mut iotedge_tx_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let cose = input(cose, cose_len)?;
        let out = OutStruct::new(tx, OLDEST_TX)?;
        let parsed = Unverified::parse(cose).map_err(tx_status)?;
        let payload = parsed.payload();
        let (body, to) = match payload.body {
            Body::Data(body) | Body::Service(body) => (body, 0),
            Body::Transfer { to, .. } => (&[][..], to.0),
            Body::Evidence { offender, .. } => (&[][..], offender.0),
            _ => (&[][..], 0),
        };
        let (amount, debits) = payload.body.debit().map_or((0, 0), |(a, d)| (a.0, d.0));
        let prefixes = payload.parents.as_slice();
        out.write(&iotedge_tx_t {
            size: 0,
            kind: payload.body.kind().number().into(),
            epoch: payload.epoch.0,
            issuer: payload.issuer.0.into(),
            number: payload.number.0,
            offset: payload.offset,
            to: to.into(),
            parents: prefixes.len() as u32,
            amount,
            debits,
            prefixes: copy(0, prefixes.iter().flat_map(|p| p.0)),
            body: if body.is_empty() {
                core::ptr::null()
            } else {
                body.as_ptr()
            },
            body_len: body.len(),
        });
        Ok(())
    })())
}

/// The id of a transaction: of its payload in this neighbourhood, whoever signed it.
///
/// `neighbourhood`: 32 bytes. `id`: 32 bytes, written on success.
///
/// From any thread, and from an interrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_tx_id(
    neighbourhood: *const u8,
    cose: *const u8,
    cose_len: usize,
    id: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    done((|| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let cose = input(cose, cose_len)?;
        let id = OutArray::<32>::new(id)?;
        let parsed = Unverified::parse(cose).map_err(tx_status)?;
        id.write(&parsed.id(&neighbourhood).0);
        Ok(())
    })())
}

/// Verifies one transaction: form, parents and signature. Not its place in the ledger, which is a node's work.
///
/// `neighbourhood`: 32 bytes. `key`: the issuer's, from the member table or its certificate. `parents`: `parents_count` full ids
/// of 32 bytes, in the order of the transaction. `id`: 32 bytes, written on success.
///
/// `IOTEDGE_E_PARENT_MISMATCH`: the ids given are not those that it names. `IOTEDGE_E_SIGNATURE`: not this member's, or not
/// over these parents.
///
/// From any thread. Not from an interrupt: one signature check and 1 KiB of stack beside it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_tx_verify(
    neighbourhood: *const u8,
    key: *const iotedge_public_key_t,
    parents: *const u8,
    parents_count: usize,
    cose: *const u8,
    cose_len: usize,
    id: *mut u8,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let key = public_key(key)?;
        if parents_count > MAX_PARENTS {
            return Err(status::IOTEDGE_E_PARENT_COUNT);
        }
        let mut given = [Id::ZERO; MAX_PARENTS];
        for (to, from) in given.iter_mut().zip(ids(parents, parents_count)?) {
            *to = from;
        }
        let parents = given.get(..parents_count).unwrap_or(&[]);
        let cose = input(cose, cose_len)?;
        let id = OutArray::<32>::new(id)?;
        let tx = Unverified::parse(cose)
            .and_then(|tx| tx.verify(&neighbourhood, &key, parents, verifier))
            .map_err(tx_status)?;
        id.write(&tx.id().0);
        Ok(())
    })
}

/// What evidence proves. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_offence_t {
    /// `sizeof(iotedge_offence_t)`.
    pub size: u32,
    /// Index of the guilty member.
    pub offender: u32,
    /// 1: one number, two transactions. 2: neighbours, the second not laid upon the first. 3: false total of debits.
    /// 4: two trims upon the same one.
    pub form: u32,
    /// Zero.
    pub reserved: u32,
    /// The lower of the two ids.
    pub a: [u8; 32],
    /// The higher.
    pub b: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_offence_t {}
const OLDEST_OFFENCE: usize = 80;
const _: () = assert!(size_of::<iotedge_offence_t>() == OLDEST_OFFENCE);

/// Verifies evidence offline: two signed transactions of one member that exclude each other.
///
/// `neighbourhood`: 32 bytes. `key`: the accused member's. `attachment`: what travels beside an evidence transaction
/// (docs/protocol.md section 4.1). `offence`: set its `size` first; written on success.
///
/// `IOTEDGE_E_FALSE_EVIDENCE`: the two do not exclude each other. `IOTEDGE_E_SIGNATURE`: one was not signed by this key.
///
/// From any thread. Not from an interrupt: two signature checks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_evidence_verify(
    neighbourhood: *const u8,
    key: *const iotedge_public_key_t,
    attachment: *const u8,
    attachment_len: usize,
    offence: *mut iotedge_offence_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let key = public_key(key)?;
        let bytes = input(attachment, attachment_len)?;
        let out = OutStruct::new(offence, OLDEST_OFFENCE)?;
        let attachment = Attachment::parse(bytes).map_err(attachment_status)?;
        let proof = attachment.proof.ok_or(status::IOTEDGE_E_FALSE_EVIDENCE)?;
        let offence = proof
            .verify(&neighbourhood, &key, verifier)
            .map_err(evidence_status)?;
        out.write(&iotedge_offence_t {
            size: 0,
            offender: offence.offender.0.into(),
            form: match offence.form {
                Form::OneNumber => 1,
                Form::BrokenChain => 2,
                Form::FalseTotal => 3,
                Form::RivalTrims => 4,
            },
            reserved: 0,
            a: offence.a.0,
            b: offence.b.0,
        });
        Ok(())
    })
}

/// Checks that a leaf is in a Merkle tree (RFC 9162 over SHA-256).
///
/// `root`: 32 bytes. `index` of `size` leaves, from 0. `leaf`: its bytes. `path`: `path_count` hashes of 32 bytes, at most 32.
///
/// `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_PATH_LENGTH`, `IOTEDGE_E_LEAF_INDEX`: it is not proved.
///
/// From any thread, and from an interrupt: at most 34 hashes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_merkle_verify(
    root: *const u8,
    index: u32,
    size: u32,
    leaf: *const u8,
    leaf_len: usize,
    path: *const u8,
    path_count: usize,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|_| unsafe {
        let root = Id(*array::<32>(root)?);
        let leaf = merkle::leaf_hash(input(leaf, leaf_len)?);
        if path_count > merkle::MAX_PATH {
            return Err(status::IOTEDGE_E_PATH_LENGTH);
        }
        let path = ids(path, path_count)?;
        merkle::verify_inclusion(&leaf, index, size, path, &root).map_err(merkle_status)
    })
}

/// What a receipt proves. Set `size` first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotedge_settled_t {
    /// `sizeof(iotedge_settled_t)`.
    pub size: u32,
    /// Number of the macro transaction header that settled it.
    pub header: u32,
    /// Id of the transaction.
    pub id: [u8; 32],
}
// SAFETY: repr(C), integers only, size first.
unsafe impl Sized32 for iotedge_settled_t {}
pub(crate) const OLDEST_SETTLED: usize = 40;
const _: () = assert!(size_of::<iotedge_settled_t>() == OLDEST_SETTLED);

pub(crate) fn settled(proven: &Proven) -> iotedge_settled_t {
    iotedge_settled_t {
        size: 0,
        header: proven.number.0,
        id: proven.tx.0,
    }
}

/// Verifies a compact PoSp receipt (docs/protocol.md section 7.3) in one call: every vote in it, their quorum, both paths.
///
/// `neighbourhood`: 32 bytes. `set`: the trusted validator set of that term, encoded (section 7.2). `result`: set its `size`
/// first; written on success.
///
/// `IOTEDGE_E_SHORT_OF_QUORUM`: not more than two thirds of the stake. `IOTEDGE_E_WRONG_VALIDATOR_SET`: another term's set.
/// `IOTEDGE_E_WRONG_PATH`, `IOTEDGE_E_SIGNATURE` and others: forged or damaged.
///
/// From any thread. Not from an interrupt: one signature check per vote and 4 KiB of stack. Where that is too much, see
/// `iotedge_receipt_begin`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotedge_receipt_verify(
    neighbourhood: *const u8,
    set: *const u8,
    set_len: usize,
    receipt: *const u8,
    receipt_len: usize,
    result: *mut iotedge_settled_t,
) -> i32 {
    // SAFETY: the promises of the comment.
    decided(|verifier| unsafe {
        let neighbourhood = Id(*array::<32>(neighbourhood)?);
        let set = input(set, set_len)?;
        let receipt = input(receipt, receipt_len)?;
        let out = OutStruct::new(result, OLDEST_SETTLED)?;
        let set = SetView::parse(set).map_err(posp_status)?;
        let proven = Receipt::parse(receipt)
            .and_then(|r| r.verify_with(&set, &neighbourhood, verifier))
            .map_err(posp_status)?;
        out.write(&settled(&proven));
        Ok(())
    })
}
