//! From the rooms' errors to the one list of refusals that applications, metrics and the C ABI see.

use super::event::Refusal;
use crate::crypto::SignatureError;
use crate::rollback::RollbackError;
use crate::tangle::InsertError;
use crate::tx::TxError;
use crate::wire::WireError;
use crate::wire::frame::FrameError;

pub(crate) const fn rollback_refusal(error: RollbackError) -> Refusal {
    match error {
        RollbackError::Exhausted => Refusal::CounterExhausted,
        _ => Refusal::Platform,
    }
}

pub(crate) fn wire_refusal(error: WireError) -> Refusal {
    match error {
        WireError::NotDeterministic => Refusal::NotDeterministic,
        WireError::Type => Refusal::WrongType,
        _ => Refusal::Malformed,
    }
}

pub(crate) fn frame_refusal(error: FrameError) -> Refusal {
    match error {
        FrameError::Wire(error) => wire_refusal(error),
        FrameError::UnknownType => Refusal::NotForMe,
        FrameError::Unbound => Refusal::Neighbourhood,
        _ => Refusal::Malformed,
    }
}

pub(crate) fn tx_refusal(error: TxError) -> Refusal {
    match error {
        TxError::Wire(error) => wire_refusal(error),
        TxError::Version => Refusal::Version,
        TxError::UnsupportedKind => Refusal::UnsupportedKind,
        TxError::ParentsUnsorted => Refusal::ParentsUnsorted,
        TxError::ParentsDoubled | TxError::SelfParent => Refusal::ParentsDoubled,
        TxError::AmountZero => Refusal::AmountZero,
        TxError::DebitsBelowAmount => Refusal::FalseDebits,
        TxError::BodyEmpty | TxError::BodyTooLong => Refusal::BodyLength,
        TxError::MemberOp => Refusal::MemberOperation,
        TxError::Sale(_) => Refusal::Terms,
        TxError::EvidenceIds => Refusal::FalseEvidence,
        TxError::Suite | TxError::Signature(SignatureError::Suite) => Refusal::Suite,
        TxError::Signature(_) => Refusal::Signature,
        _ => Refusal::Malformed,
    }
}

pub(crate) fn insert_refusal(error: InsertError) -> Refusal {
    match error {
        InsertError::Duplicate => Refusal::Duplicate,
        InsertError::ParentCount => Refusal::Malformed,
        InsertError::ParentsDoubled => Refusal::ParentsDoubled,
        InsertError::UnknownParents(_) => Refusal::UnknownParent,
        InsertError::ParentOffChain => Refusal::ParentOffChain,
        InsertError::NumberGap => Refusal::NumberGap,
        InsertError::Unexplained => Refusal::Unexplained,
        InsertError::TimeNotAboveParent(_) => Refusal::TimeNotAboveParent,
        InsertError::ParentTooOld(_) => Refusal::ParentTooOld,
        InsertError::EpochMismatch => Refusal::EpochMismatch,
        InsertError::EpochVoid => Refusal::EpochVoid,
        InsertError::EpochUnknown | InsertError::Busy => Refusal::Busy,
        InsertError::NotRead => Refusal::Platform,
        InsertError::UnknownIssuer => Refusal::UnknownIssuer,
        InsertError::FalseDebits => Refusal::FalseDebits,
        InsertError::InsufficientCredits => Refusal::InsufficientCredits,
        InsertError::Overflow => Refusal::Overflow,
        InsertError::NotGlNode => Refusal::NotGlNode,
        InsertError::VoidTrim(_) => Refusal::VoidTrim,
    }
}
