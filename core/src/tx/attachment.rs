//! What travels beside a transaction and is proved by hashes, not by its signature (docs/protocol.md section 4.1).
//!
//! Invariant: nothing here is believed for being here. A stub completes a parent prefix, and the transaction's signature
//! over the full ids proves it; a proof is checked under the offender's own key. An attachment that says nothing is refused:
//! leaving it out is the one encoding of that.

use super::evidence::{Evidence, EvidenceError};
use super::payload::Payload;
use crate::types::{Id, MAX_PARENTS};
use crate::wire::list::Element;
use crate::wire::{FrameError, List, Reader, WireError, Writer};

/// Why an attachment was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttachmentError {
    /// The CBOR is not what section 4.1 says. Refuse; when building: give a larger buffer (`Full`).
    Wire(WireError),
    /// Neither stubs nor proof. Refuse; when building: leave the attachment out.
    Empty,
    /// Stub positions that do not strictly increase. Refuse.
    Order,
    /// A stub of a parent that the transaction does not have. Refuse.
    Position,
    /// A proof beside a transaction that is not evidence. Refuse.
    ProofUnexpected,
    /// The proof's halves are malformed. Refuse.
    Evidence(EvidenceError),
}

impl From<WireError> for AttachmentError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<FrameError> for AttachmentError {
    /// Of a list: with more stubs than a transaction has parents, one has no place.
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Wire(error) => Self::Wire(error),
            _ => Self::Position,
        }
    }
}

/// The rest of one parent's id, for a receiver that no longer holds that parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// Position among the parents; 0 is the first parent.
    pub position: u8,
    /// The last 16 bytes of the id.
    pub tail: [u8; 16],
}

impl Stub {
    /// The stub of the parent at `position` with this id.
    #[must_use]
    pub const fn of(position: u8, id: &Id) -> Self {
        let tail = match id.0.last_chunk::<16>() {
            Some(tail) => *tail,
            None => [0; 16],
        };
        Self { position, tail }
    }
}

impl Element<'_> for Stub {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.array_of(2)?;
        Ok(Self {
            position: r.u8()?,
            tail: *r.bytes_of()?,
        })
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.array(2)?;
        w.uint(self.position.into())?;
        w.bytes(&self.tail)
    }
}

/// An attachment: stubs, a proof, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// Completions of parent ids, by strictly increasing position.
    pub stubs: List<'a, Stub>,
    /// For evidence: the two signed transactions.
    pub proof: Option<Evidence<'a>>,
}

impl<'a> Attachment<'a> {
    /// Reads one; nothing may follow.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AttachmentError> {
        let mut r = Reader::new(bytes);
        r.array_of(2)?;
        let stubs = List::read(&mut r, 0..=MAX_PARENTS)?;
        let proof = match r.is_null() {
            true => {
                r.null()?;
                None
            }
            false => Some(Evidence::read(&mut r).map_err(AttachmentError::Evidence)?),
        };
        r.finish()?;
        let attachment = Self { stubs, proof };
        attachment.check_form()?;
        Ok(attachment)
    }

    /// The refusal of [`Attachment::parse`], without what was read: that takes much stack.
    #[inline(never)]
    pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), AttachmentError> {
        let mut r = Reader::new(bytes);
        r.array_of(2)?;
        let stubs = List::read(&mut r, 0..=MAX_PARENTS)?;
        let proof = !r.is_null();
        match proof {
            true => Evidence::check_bytes(&mut r).map_err(AttachmentError::Evidence)?,
            false => r.null()?,
        }
        r.finish()?;
        check_stubs(&stubs, proof)
    }

    /// As [`Attachment::parent`], of an attachment's bytes: its proof is not looked at.
    #[inline(never)]
    pub(crate) fn parent_in(bytes: &[u8], payload: &Payload<'_>, position: usize) -> Option<Id> {
        let mut r = Reader::new(bytes);
        r.array_of(2).ok()?;
        let stubs = List::read(&mut r, 0..=MAX_PARENTS).ok()?;
        completed(&stubs, payload, position)
    }

    /// Writes it to the start of `out` and returns those bytes.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], AttachmentError> {
        self.check_form()?;
        let mut w = Writer::new(out);
        w.array(2)?;
        self.stubs.write(&mut w, 0..=MAX_PARENTS)?;
        match &self.proof {
            Some(evidence) => evidence.write(&mut w)?,
            None => w.null()?,
        }
        Ok(w.into_written())
    }

    /// Refuses an attachment that does not belong beside this payload.
    pub fn check(&self, payload: &Payload<'_>) -> Result<(), AttachmentError> {
        check_place(&self.stubs, self.proof.is_some(), payload)
    }

    /// As [`Attachment::check`], of the bytes of an attachment whose form is right.
    #[inline(never)]
    pub(crate) fn check_beside(bytes: &[u8], payload: &Payload<'_>) -> Result<(), AttachmentError> {
        let mut r = Reader::new(bytes);
        r.array_of(2)?;
        let stubs = List::read(&mut r, 0..=MAX_PARENTS)?;
        check_place(&stubs, !r.is_null(), payload)
    }

    /// The full id of the parent at `position`, where a stub completes it. The signature over it is what proves it.
    #[must_use]
    pub fn parent(&self, payload: &Payload<'_>, position: usize) -> Option<Id> {
        completed(&self.stubs, payload, position)
    }

    fn check_form(&self) -> Result<(), AttachmentError> {
        check_stubs(&self.stubs, self.proof.is_some())
    }
}

fn check_place(
    stubs: &List<'_, Stub>,
    proof: bool,
    payload: &Payload<'_>,
) -> Result<(), AttachmentError> {
    let parents = payload.parents.as_slice().len();
    if stubs.iter().any(|s| usize::from(s.position) >= parents) {
        return Err(AttachmentError::Position);
    }
    if proof && payload.body.kind() != super::Kind::Evidence {
        return Err(AttachmentError::ProofUnexpected);
    }
    Ok(())
}

fn check_stubs(stubs: &List<'_, Stub>, proof: bool) -> Result<(), AttachmentError> {
    if stubs.is_empty() && !proof {
        return Err(AttachmentError::Empty);
    }
    let mut last = None;
    for stub in stubs.iter() {
        if usize::from(stub.position) >= MAX_PARENTS {
            return Err(AttachmentError::Position);
        }
        if last >= Some(stub.position) {
            return Err(AttachmentError::Order);
        }
        last = Some(stub.position);
    }
    Ok(())
}

fn completed(stubs: &List<'_, Stub>, payload: &Payload<'_>, position: usize) -> Option<Id> {
    let prefix = payload.parents.as_slice().get(position)?;
    let mut stubs = stubs.iter();
    let stub = stubs.find(|stub| usize::from(stub.position) == position)?;
    let mut id = Id::ZERO;
    let (head, tail) = id.0.split_first_chunk_mut::<16>()?;
    *head = prefix.0;
    tail.copy_from_slice(&stub.tail);
    Some(id)
}
