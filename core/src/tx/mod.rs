//! Transactions: build, sign, parse, verify; and the proof that a member signed two that exclude each other.
//!
//! Invariant: a [`Tx`] exists only after its signature was made or verified against the full ids of its parents, so no
//! room above can act on unsigned bytes. The id holds no signature: re-signing makes no second transaction. Bytes are
//! those of docs/protocol.md sections 3 and 4.1 (COSE_Sign1, RFC 9052 section 4.2).

pub mod attachment;
pub mod draft;
pub mod evidence;
pub mod outline;
pub mod payload;
pub mod signed;

pub use attachment::{Attachment, AttachmentError, Stub};
pub use draft::{Draft, Fitted};
pub use evidence::{Evidence, EvidenceError, Form, Offence, Stored};
pub use outline::Outline;
pub use payload::{Body, Kind, MemberOp, Parents, Payload, Prefixes, parents_hash};
pub use signed::{
    MAX_COSE, MAX_SIGNING_INPUT, Tx, Unverified, assemble, assemble_to, cose_len, frame_len,
    sign_with, signing_input,
};

use crate::crypto::SignatureError;
use crate::sale::SaleError;
use crate::wire::WireError;

/// The domain of transaction ids and signatures.
pub const DOMAIN: &str = "iotedge/tx/1";

/// Most bytes of a transfer's frame, all included.
pub const MAX_TRANSFER_FRAME: usize = 160;
/// Most bytes of the frame of a reading with one value, all included.
pub const MAX_READING_FRAME: usize = 190;
/// Body of a data transaction that says nothing but what it approves: a SenML pack without a record.
pub const APPROVAL: &[u8] = &[0x80];
/// Most bytes of the body of a data or service transaction.
pub const MAX_BODY: usize = 320;

/// Why a transaction was refused, or could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TxError {
    /// The CBOR is not what section 3 says. Refuse the bytes; when building: give a larger buffer (`Full`).
    Wire(WireError),
    /// A payload version that this build does not know. Update the firmware.
    Version,
    /// A kind that is unknown, or a channel's operation or mode, a lock's terms or a claim's proof that is. Refuse; newer members may understand it.
    UnsupportedKind,
    /// The protected header is neither that of EdDSA nor that of ES256. Refuse.
    Protected,
    /// The unprotected header holds something. Refuse: unsigned data has no place here.
    Unprotected,
    /// The signature is not 64 bytes. Refuse.
    SignatureLength,
    /// The payload is longer than 480 bytes. When building: shorten the body.
    PayloadTooLong,
    /// Epoch 0: the first is 1. Refuse.
    EpochZero,
    /// Number 0: the first is 1. Refuse.
    NumberZero,
    /// No parent, more than 8, or not a whole number of prefixes. Refuse; when building: choose fewer tips.
    ParentCount,
    /// The parents after the first do not ascend. Refuse.
    ParentsUnsorted,
    /// A parent is named twice. Refuse; when building: choose other tips.
    ParentsDoubled,
    /// The transaction names itself as a parent. Refuse.
    SelfParent,
    /// The full parent ids given are not those that the payload names. Look the parents up again.
    ParentMismatch,
    /// Amount 0. Refuse; when building: there is nothing to send.
    AmountZero,
    /// Lifetime debits below the amount that they include. Refuse.
    DebitsBelowAmount,
    /// An empty body where at least one byte belongs. Refuse.
    BodyEmpty,
    /// A body above 320 bytes. Refuse; when building: split it.
    BodyTooLong,
    /// A member operation of unknown number or with an empty or oversized part. Refuse.
    MemberOp,
    /// The terms of a lock that nobody could keep, or a proof that can be of none. Refuse.
    Sale(SaleError),
    /// The two ids of an evidence body are equal or do not ascend. Refuse.
    EvidenceIds,
    /// The frame would be longer than the limit even with no parent but the first. Shorten the body.
    FrameTooLong,
    /// The protected header names another suite than the member's key. Refuse.
    Suite,
    /// The signature does not verify under the key, or the key cannot be used here. Refuse.
    Signature(SignatureError),
}

impl From<WireError> for TxError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// Terms and proofs that do not exist are ones that newer members may understand, as a kind is.
impl From<SaleError> for TxError {
    fn from(error: SaleError) -> Self {
        match error {
            SaleError::Wire(error) => Self::Wire(error),
            SaleError::Terms => Self::UnsupportedKind,
            error => Self::Sale(error),
        }
    }
}
