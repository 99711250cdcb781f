//! Evidence: two transactions that one member signed and that exclude each other (docs/protocol.md section 4.1).
//!
//! Invariant: an [`Offence`] comes only out of `verify`, offline, from the member's key alone; an honest member's
//! transactions never give one, because its chain has one transaction per number, links each to the one before and adds up its
//! debits. Epochs play no part: numbers never restart, so a fork across an epoch's border is proved like any other.

use super::TxError;
use super::payload::{Body, Payload};
use super::signed::{Signed, Tx, Unverified, check_signature, protected};
use crate::crypto::{PublicKey, SignatureError, Verify};
use crate::types::{Amount, Id, MemberIndex};
use crate::wire::{List, Reader, WireError, Writer};

/// Why evidence was refused. None of it says anything against the accused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EvidenceError {
    /// The CBOR is not what section 4.1 says. Refuse.
    Wire(WireError),
    /// One of the two is not a well-formed transaction. Refuse.
    Transaction(TxError),
    /// One transaction twice. Refuse.
    SameTransaction,
    /// The ids do not ascend. Refuse.
    Order,
    /// The two have different issuers. Refuse.
    DifferentIssuers,
    /// Neighbours in the chain, and the second's first parent is the first: no fork. Refuse.
    ChainHolds,
    /// Two debits whose totals can both be true. Refuse.
    TotalsHold,
    /// Numbers apart and not two debits: nothing that they could contradict each other in. Refuse.
    Unrelated,
    /// A half is signed in another suite than the member's key. Refuse.
    Suite,
    /// A signature is not the member's: forged evidence. Refuse and count it against the sender.
    Signature(SignatureError),
}

impl From<WireError> for EvidenceError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<TxError> for EvidenceError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Suite => Self::Suite,
            TxError::Signature(error) => Self::Signature(error),
            other => Self::Transaction(other),
        }
    }
}

/// In which way two transactions exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// One number, two ids.
    OneNumber,
    /// Neighbouring numbers, and the second is not laid upon the first.
    BrokenChain,
    /// A debit that hides an earlier one.
    FalseTotal,
    /// Two trims on top of the same one, even on one chain.
    RivalTrims,
}

/// What evidence proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offence {
    /// Who signed both.
    pub offender: MemberIndex,
    /// The lower id.
    pub a: Id,
    /// The higher id.
    pub b: Id,
    /// How they exclude each other.
    pub form: Form,
}

impl Offence {
    /// The body of the transaction that carries it into the ledger.
    #[must_use]
    pub const fn body(&self) -> Body<'static> {
        Body::Evidence {
            offender: self.offender,
            a: self.a,
            b: self.b,
        }
    }
}

/// A transaction as a node keeps it: its bytes and the hash of its full parent ids.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// The COSE_Sign1.
    pub cose: &'a [u8],
    /// SHA-256 of the full parent ids.
    pub parents_hash: Id,
}

impl<'a> From<&Tx<'a>> for Stored<'a> {
    fn from(tx: &Tx<'a>) -> Self {
        Self {
            cose: tx.cose(),
            parents_hash: tx.parents_hash(),
        }
    }
}

/// One of the two transactions: what its signature covers, without its place in the DAG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Half<'a> {
    signed: Signed<'a>,
    parents_hash: Id,
}

impl<'a> Half<'a> {
    fn of(stored: &Stored<'a>) -> Result<Self, EvidenceError> {
        Ok(Self {
            signed: Unverified::parse(stored.cose)?.into_signed(),
            parents_hash: stored.parents_hash,
        })
    }

    fn read(r: &mut Reader<'a>) -> Result<Self, EvidenceError> {
        r.array_of(4)?;
        let (protected, payload, signature) = (r.bytes()?, r.bytes()?, r.bytes()?);
        Ok(Self {
            signed: Signed::new(protected, payload, signature)?,
            parents_hash: r.id()?,
        })
    }

    #[inline(never)]
    fn check_bytes(r: &mut Reader<'a>) -> Result<(), EvidenceError> {
        Self::read(r).map(drop)
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(4)?;
        w.bytes(protected(self.signed.suite))?;
        w.bytes(self.signed.payload_bytes)?;
        w.bytes(&self.signed.signature.0)?;
        w.id(&self.parents_hash)
    }

    fn id(&self, neighbourhood: &Id) -> Id {
        Payload::id_of(neighbourhood, self.signed.payload_bytes)
    }
}

/// Two transactions and their signatures, not checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence<'a> {
    a: Half<'a>,
    b: Half<'a>,
}

impl<'a> Evidence<'a> {
    /// Evidence from two stored transactions of one member, in either order. Their signatures were checked when they came in.
    pub fn prove(
        neighbourhood: &Id,
        one: &Stored<'a>,
        other: &Stored<'a>,
    ) -> Result<(Self, Offence), EvidenceError> {
        let (one, other) = (Half::of(one)?, Half::of(other)?);
        let evidence = match other.id(neighbourhood) < one.id(neighbourhood) {
            true => Self { a: other, b: one },
            false => Self { a: one, b: other },
        };
        let offence = evidence.judge(neighbourhood)?;
        Ok((evidence, offence))
    }

    /// Checks that both were signed by the offender and that they exclude each other. `key` is the offender's key.
    pub fn verify(
        &self,
        neighbourhood: &Id,
        key: &PublicKey,
        verifier: &mut dyn Verify,
    ) -> Result<Offence, EvidenceError> {
        self.verify_with(neighbourhood, [key, key], verifier)
    }

    /// The same for a member that rotated its key between the two: one key for each, in the order of the ids.
    pub fn verify_with(
        &self,
        neighbourhood: &Id,
        keys: [&PublicKey; 2],
        verifier: &mut dyn Verify,
    ) -> Result<Offence, EvidenceError> {
        let offence = self.judge(neighbourhood)?;
        for (half, key) in [&self.a, &self.b].into_iter().zip(keys) {
            check_signature(
                neighbourhood,
                key,
                &half.signed,
                &half.parents_hash,
                verifier,
            )?;
        }
        Ok(offence)
    }

    /// The two payloads, the one with the lower id first: their epochs say which keys must verify them.
    #[must_use]
    pub const fn payloads(&self) -> [&Payload<'a>; 2] {
        [&self.a.signed.payload, &self.b.signed.payload]
    }

    /// Whether the two exclude each other, whoever signed them.
    fn judge(&self, neighbourhood: &Id) -> Result<Offence, EvidenceError> {
        let (a, b) = (self.a.id(neighbourhood), self.b.id(neighbourhood));
        if a == b {
            return Err(EvidenceError::SameTransaction);
        }
        if a > b {
            return Err(EvidenceError::Order);
        }
        let [pa, pb] = self.payloads();
        if pa.issuer != pb.issuer {
            return Err(EvidenceError::DifferentIssuers);
        }
        let form = match pa.number < pb.number {
            _ if pa.number == pb.number => Form::OneNumber,
            true => contradiction(&a, pa, pb)?,
            false => contradiction(&b, pb, pa)?,
        };
        Ok(Offence {
            offender: pa.issuer,
            a,
            b,
            form,
        })
    }

    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, EvidenceError> {
        r.array_of(2)?;
        Ok(Self {
            a: Half::read(r)?,
            b: Half::read(r)?,
        })
    }

    /// As `read`, without what was read.
    pub(super) fn check_bytes(r: &mut Reader<'a>) -> Result<(), EvidenceError> {
        r.array_of(2)?;
        for _ in 0..2 {
            Half::check_bytes(r)?;
        }
        Ok(())
    }

    pub(super) fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(2)?;
        self.a.write(w)?;
        self.b.write(w)
    }
}

/// How a later transaction contradicts an earlier one (with id `earlier_id`) of the same member.
fn contradiction(
    earlier_id: &Id,
    earlier: &Payload<'_>,
    later: &Payload<'_>,
) -> Result<Form, EvidenceError> {
    let neighbours = earlier.number.checked_add(1) == Some(later.number);
    if neighbours && later.parents.first() != earlier_id.prefix() {
        return Ok(Form::BrokenChain);
    }
    if let (
        Body::Trim { previous: one, .. },
        Body::Trim {
            previous: other, ..
        },
    ) = (&earlier.body, &later.body)
        && one == other
    {
        return Ok(Form::RivalTrims);
    }
    match (earlier.body.debit(), later.body.debit()) {
        (Some((_, total)), Some((amount, debits))) => {
            let before: Option<Amount> = debits.checked_sub(amount.0);
            match before < Some(total) {
                true => Ok(Form::FalseTotal),
                false => Err(EvidenceError::TotalsHold),
            }
        }
        _ if neighbours => Err(EvidenceError::ChainHolds),
        _ => Err(EvidenceError::Unrelated),
    }
}

/// Proves and writes the attachment that carries it, to the start of `out`.
pub fn prove<'o>(
    neighbourhood: &Id,
    one: &Stored<'_>,
    other: &Stored<'_>,
    out: &'o mut [u8],
) -> Result<(Offence, &'o [u8]), EvidenceError> {
    let (evidence, offence) = Evidence::prove(neighbourhood, one, other)?;
    let attachment = super::Attachment {
        stubs: List::of(&[]),
        proof: Some(evidence),
    };
    // With a proof and no stubs only the buffer can be at fault.
    let bytes = attachment.encode(out).map_err(|_| WireError::Full)?;
    Ok((offence, bytes))
}

#[cfg(test)]
mod tests;
