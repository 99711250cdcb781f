//! Frames: what one node sends to another in one datagram (docs/protocol.md section 4).
//!
//! Invariant: a parsed frame is whole: counts, orders and the encoding of every list element were checked once, so the lists'
//! iterators cannot fail and need no memory. What the bytes *mean* (signatures, paths, tables) is checked by the rooms that own
//! it; nothing in a frame is to be believed for having come in one. The same type writes: `Frame::write` and `Frame::parse`
//! are each other's inverse.

use super::frame_type::{Certificates, EnrolStatus, FrameType};
use super::list::{List, Raw, Vote};
use super::merkle::MAX_PATH;
use super::near::Near;
use super::{Reader, WireError, Writer};
use crate::types::{Epoch, HeaderNumber, Id, MAX_FRAME, MemberIndex, Millis, Number, Prefix};

/// Bytes before the body: neighbourhood tag and type.
pub const HEAD_LEN: usize = 5;
/// Most ids in an announce or a request.
pub const MAX_PREFIXES: usize = 64;
/// Most tips in a beacon.
pub const MAX_BEACON_TIPS: usize = 8;
/// Most votes in a frame.
pub const MAX_VOTES: usize = 16;
/// Most proofs asked for at once.
pub const MAX_PROOFS: usize = 16;
/// Bytes of a challenge.
pub const CHALLENGE: usize = 16;
/// Most records in a table frame.
pub const MAX_RECORDS: usize = 8;

const UNBOUND: [u8; 4] = [0; 4];

/// Why a frame was refused, or could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameError {
    /// Shorter than tag and type. Drop it.
    TooShort,
    /// Longer than 1400 bytes. Drop it; when building: send fewer elements.
    TooLong,
    /// A type that this build does not know. Drop it; newer nodes may send more.
    UnknownType,
    /// The all-zero tag on a type that belongs to a neighbourhood. Drop it.
    Unbound,
    /// A list with fewer or more elements than its type allows. Drop it.
    Count,
    /// Votes whose indexes do not strictly increase. Drop it.
    Order,
    /// A status of ENROL_RESULT that this build does not know. Drop it.
    Status,
    /// The body is not deterministic CBOR of the right shape. Drop it; when building: give a larger buffer (`Full`).
    Wire(WireError),
}

impl From<WireError> for FrameError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// One frame, one variant per row of the table in section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// 0x01: a transaction, and what travels beside it.
    Tx {
        /// The COSE_Sign1.
        cose: &'a [u8],
        /// The attachment, for `tx::Attachment` to parse.
        attachment: Option<&'a [u8]>,
    },
    /// 0x02: ids that the sender holds, 1 to 64.
    Announce(List<'a, Prefix>),
    /// 0x03: ids that the sender wants, 1 to 64.
    Request(List<'a, Prefix>),
    /// 0x04: a hint, unsigned, never trusted.
    Beacon {
        /// The sender's time.
        now: Millis,
        /// The newest settled header that it knows.
        header: HeaderNumber,
        /// Tips, at most 8.
        tips: List<'a, Prefix>,
    },
    /// 0x05: "send me what is above".
    Sync {
        /// The member of the first number.
        first: MemberIndex,
        /// Highest numbers inserted, by member.
        highest: List<'a, Number>,
    },
    /// 0x06: a header.
    Header {
        /// The macro transaction, a COSE_Sign1.
        cose: &'a [u8],
        /// Path of leaf 0.
        path: List<'a, Id>,
    },
    /// 0x07: votes for a header, 1 to 16, by strictly increasing index.
    Votes {
        /// The header.
        header: HeaderNumber,
        /// The votes.
        votes: List<'a, Vote>,
    },
    /// 0x08.
    HeaderRequest {
        /// The header wanted.
        header: HeaderNumber,
    },
    /// 0x09: transactions whose proofs are wanted, 1 to 16.
    ProofRequest {
        /// Their ids.
        ids: List<'a, Id>,
    },
    /// 0x0a.
    Proof {
        /// The header whose tree it is.
        header: HeaderNumber,
        /// The transaction.
        id: Id,
        /// Its leaf.
        leaf: u32,
        /// Leaves of the tree.
        size: u32,
        /// Path of the leaf.
        path: List<'a, Id>,
    },
    /// 0x0b.
    TableRequest {
        /// The epoch.
        epoch: Epoch,
        /// The first record wanted.
        first: MemberIndex,
    },
    /// 0x0c.
    Table {
        /// The epoch.
        epoch: Epoch,
        /// The member of the first record.
        first: MemberIndex,
        /// Records, 1 to 8, for `identity::record` to decode.
        records: List<'a, Raw<'a>>,
    },
    /// 0x0d.
    Enrol {
        /// The chain, one or two.
        certificates: Certificates<'a>,
        /// Proof of possession.
        proof: &'a [u8; 64],
        /// The answer to a challenge, for `identity::Attestation` to parse.
        attestation: Option<&'a [u8]>,
    },
    /// 0x0e.
    EnrolResult {
        /// Who asked.
        device: Id,
        /// How it went.
        status: EnrolStatus,
        /// Its index, once a member.
        index: Option<MemberIndex>,
    },
    /// 0x0f.
    Genesis {
        /// The genesis, a COSE_Sign1.
        cose: &'a [u8],
        /// The first validator set, one item.
        set: &'a [u8],
    },
    /// 0x10.
    GenesisRequest,
    /// 0x11: GL-node to validators.
    Proposal {
        /// The macro transaction, a COSE_Sign1.
        cose: &'a [u8],
        /// Deposits that its settlement has credited, these and all before; 0 without a G-Chain.
        credited: u32,
    },
    /// 0x12.
    HeadsRequest {
        /// Whose head is wanted.
        member: MemberIndex,
    },
    /// 0x13.
    Heads {
        /// Whose head it is.
        member: MemberIndex,
        /// Highest number inserted.
        number: Number,
        /// Its id.
        id: Id,
    },
    /// 0x14.
    SetRequest {
        /// The term wanted.
        term: u64,
    },
    /// 0x15: a validator set, one item.
    Set(&'a [u8]),
    /// 0x16 to 0x1e: between the devices of a cluster.
    Near(Near<'a>),
    /// 0x1f: the gateway wants an attestation over this.
    Challenge {
        /// Who is asked.
        device: Id,
        /// Fresh for each question.
        challenge: &'a [u8; CHALLENGE],
    },
    /// 0x21.
    LocksRequest {
        /// Open after this header.
        header: HeaderNumber,
        /// The first place wanted.
        first: u32,
    },
    /// 0x22.
    Locks {
        /// Open after this header.
        header: HeaderNumber,
        /// The place of the first.
        first: u32,
        /// Locks, 1 to 8, for `ledger::Lock` to read.
        locks: List<'a, Raw<'a>>,
    },
    /// 0x23: validator to GL-node.
    AccountVote {
        /// The header.
        header: HeaderNumber,
        /// Deposits that its settlement has credited.
        credited: u32,
        /// The validator.
        index: u8,
        /// v of its account's signature over the EIP-712 `Vote`: 27 or 28.
        v: u8,
        /// r and s of it.
        signature: &'a [u8; 64],
    },
    /// 0x24: that a header is final on the G-Chain.
    Anchored {
        /// The header.
        header: HeaderNumber,
        /// The block that holds it.
        block: u64,
        /// Who says so, 1 to 16, by strictly increasing index.
        votes: List<'a, Vote>,
    },
}

impl<'a> Frame<'a> {
    /// The type.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        match self {
            Self::Tx { .. } => FrameType::Tx,
            Self::Announce(_) => FrameType::Announce,
            Self::Request(_) => FrameType::Request,
            Self::Beacon { .. } => FrameType::Beacon,
            Self::Sync { .. } => FrameType::Sync,
            Self::Header { .. } => FrameType::Header,
            Self::Votes { .. } => FrameType::Votes,
            Self::HeaderRequest { .. } => FrameType::HeaderRequest,
            Self::ProofRequest { .. } => FrameType::ProofRequest,
            Self::Proof { .. } => FrameType::Proof,
            Self::TableRequest { .. } => FrameType::TableRequest,
            Self::Table { .. } => FrameType::Table,
            Self::Enrol { .. } => FrameType::Enrol,
            Self::EnrolResult { .. } => FrameType::EnrolResult,
            Self::Genesis { .. } => FrameType::Genesis,
            Self::GenesisRequest => FrameType::GenesisRequest,
            Self::Proposal { .. } => FrameType::Proposal,
            Self::HeadsRequest { .. } => FrameType::HeadsRequest,
            Self::Heads { .. } => FrameType::Heads,
            Self::SetRequest { .. } => FrameType::SetRequest,
            Self::Set(_) => FrameType::Set,
            Self::Near(near) => near.frame_type(),
            Self::Challenge { .. } => FrameType::Challenge,
            Self::LocksRequest { .. } => FrameType::LocksRequest,
            Self::Locks { .. } => FrameType::Locks,
            Self::AccountVote { .. } => FrameType::AccountVote,
            Self::Anchored { .. } => FrameType::Anchored,
        }
    }

    /// Reads a frame; gives the tag, which the caller holds against its own neighbourhood's.
    pub fn parse(bytes: &'a [u8]) -> Result<([u8; 4], Self), FrameError> {
        let (tag, kind, mut r) = open(bytes)?;
        let frame = match Self::read_leaf(kind, &mut r)? {
            Some(frame) => frame,
            None => Self::read(kind, &mut r)?,
        };
        r.finish()?;
        Ok((tag, frame))
    }

    /// Reads a frame that is for a leaf. Every other is `UnknownType`, and what reads it is not in the program of who never calls `parse`.
    #[inline(never)]
    pub fn parse_leaf(bytes: &'a [u8]) -> Result<([u8; 4], Self), FrameError> {
        let (tag, kind, mut r) = open(bytes)?;
        let frame = Self::read_leaf(kind, &mut r)?.ok_or(FrameError::UnknownType)?;
        r.finish()?;
        Ok((tag, frame))
    }

    /// Writes the frame to the start of `out` and returns its length.
    pub fn write(&self, tag: [u8; 4], out: &mut [u8]) -> Result<usize, FrameError> {
        self.write_with(tag, out, |frame, w| match frame.write_leaf(w)? {
            true => Ok(()),
            false => frame.write_body(w),
        })
    }

    /// Writes a frame that leaves send. Every other is `UnknownType`, and what writes it is not in the program of who never calls `write`.
    #[inline(never)]
    pub fn write_by_leaf(&self, tag: [u8; 4], out: &mut [u8]) -> Result<usize, FrameError> {
        self.write_with(tag, out, |frame, w| match frame.write_leaf(w)? {
            true => Ok(()),
            false => Err(FrameError::UnknownType),
        })
    }

    fn write_with(
        &self,
        tag: [u8; 4],
        out: &mut [u8],
        body: impl FnOnce(&Self, &mut Writer<'_>) -> Result<(), FrameError>,
    ) -> Result<usize, FrameError> {
        if tag == UNBOUND && !self.frame_type().may_be_unbound() {
            return Err(FrameError::Unbound);
        }
        let mut w = Writer::new(out);
        w.put_raw(&tag);
        w.put_raw(&[self.frame_type().number()]);
        body(self, &mut w)?;
        w.intact()?;
        match w.len() > MAX_FRAME {
            true => Err(FrameError::TooLong),
            false => Ok(w.len()),
        }
    }

    /// The frames that a leaf gets; `None` for the others. Who calls it ends with `finish`.
    fn read_leaf(kind: FrameType, r: &mut Reader<'a>) -> Result<Option<Self>, FrameError> {
        Ok(Some(match kind {
            FrameType::Request => Self::Request(List::read(r, 1..=MAX_PREFIXES)?),
            FrameType::Beacon => {
                r.take_array_of(3);
                Self::Beacon {
                    now: Millis(r.take_uint()),
                    header: HeaderNumber(r.take_u32()),
                    tips: List::read(r, 0..=MAX_BEACON_TIPS)?,
                }
            }
            FrameType::Header => {
                r.take_array_of(2);
                Self::Header {
                    cose: r.take_bytes(),
                    path: List::read(r, 0..=MAX_PATH)?,
                }
            }
            FrameType::Votes => {
                r.take_array_of(2);
                let header = HeaderNumber(r.take_u32());
                let votes = List::read(r, 1..=MAX_VOTES)?;
                in_order(&votes)?;
                Self::Votes { header, votes }
            }
            FrameType::Proof => {
                r.take_array_of(5);
                Self::Proof {
                    header: HeaderNumber(r.take_u32()),
                    id: r.take_id(),
                    leaf: r.take_u32(),
                    size: r.take_u32(),
                    path: List::read(r, 0..=MAX_PATH)?,
                }
            }
            FrameType::EnrolResult => {
                r.take_array_of(3);
                let device = r.take_id();
                let number = r.take_uint();
                r.intact()?;
                let status = EnrolStatus::from_number(number).ok_or(FrameError::Status)?;
                let index = match r.skip_null() {
                    true => None,
                    false => Some(MemberIndex(r.take_u16())),
                };
                Self::EnrolResult {
                    device,
                    status,
                    index,
                }
            }
            FrameType::Genesis => {
                r.take_array_of(2);
                Self::Genesis {
                    cose: r.take_bytes(),
                    set: r.take_item(),
                }
            }
            FrameType::Set => Self::Set(r.take_item()),
            FrameType::Offer | FrameType::Witness | FrameType::Record | FrameType::Show => {
                Self::Near(Near::read_leaf(kind, r)?)
            }
            FrameType::Challenge => {
                r.take_array_of(2);
                Self::Challenge {
                    device: r.take_id(),
                    challenge: r.take_bytes_of(),
                }
            }
            _ => return Ok(None),
        }))
    }

    /// All others.
    #[inline(never)]
    fn read(kind: FrameType, r: &mut Reader<'a>) -> Result<Self, FrameError> {
        Ok(match kind {
            FrameType::Tx => Self::Tx {
                cose: r.item()?,
                attachment: match r.is_at_end() {
                    true => None,
                    false => Some(r.item()?),
                },
            },
            FrameType::Announce => Self::Announce(List::read(r, 1..=MAX_PREFIXES)?),
            FrameType::Sync => {
                r.take_array_of(2);
                Self::Sync {
                    first: MemberIndex(r.take_u16()),
                    highest: List::read(r, 0..=MAX_FRAME)?,
                }
            }
            FrameType::HeaderRequest => {
                r.take_array_of(1);
                Self::HeaderRequest {
                    header: HeaderNumber(r.take_u32()),
                }
            }
            FrameType::ProofRequest => Self::ProofRequest {
                ids: List::read(r, 1..=MAX_PROOFS)?,
            },
            FrameType::TableRequest => {
                r.take_array_of(2);
                Self::TableRequest {
                    epoch: Epoch(r.take_u32()),
                    first: MemberIndex(r.take_u16()),
                }
            }
            FrameType::Table => {
                r.take_array_of(3);
                Self::Table {
                    epoch: Epoch(r.take_u32()),
                    first: MemberIndex(r.take_u16()),
                    records: List::read(r, 1..=MAX_RECORDS)?,
                }
            }
            FrameType::LocksRequest => {
                r.take_array_of(2);
                Self::LocksRequest {
                    header: HeaderNumber(r.take_u32()),
                    first: r.take_u32(),
                }
            }
            FrameType::Locks => {
                r.take_array_of(3);
                Self::Locks {
                    header: HeaderNumber(r.take_u32()),
                    first: r.take_u32(),
                    locks: List::read(r, 1..=MAX_RECORDS)?,
                }
            }
            FrameType::Enrol => {
                let count = r.array()?;
                if !(2..=3).contains(&count) {
                    return Err(WireError::Range.into());
                }
                Self::Enrol {
                    certificates: Certificates::read(r)?,
                    proof: r.take_bytes_of(),
                    attestation: match count {
                        2 => None,
                        _ => Some(r.take_bytes()),
                    },
                }
            }
            FrameType::GenesisRequest => {
                r.take_array_of(0);
                Self::GenesisRequest
            }
            FrameType::Proposal => {
                r.take_array_of(2);
                Self::Proposal {
                    cose: r.take_bytes(),
                    credited: r.take_u32(),
                }
            }
            FrameType::AccountVote => {
                r.take_array_of(5);
                Self::AccountVote {
                    header: HeaderNumber(r.take_u32()),
                    credited: r.take_u32(),
                    index: r.take_u8(),
                    v: r.take_u8(),
                    signature: r.take_bytes_of(),
                }
            }
            FrameType::Anchored => {
                r.take_array_of(3);
                let (header, block) = (HeaderNumber(r.take_u32()), r.take_uint());
                let votes = List::read(r, 1..=MAX_VOTES)?;
                in_order(&votes)?;
                Self::Anchored {
                    header,
                    block,
                    votes,
                }
            }
            FrameType::HeadsRequest => {
                r.take_array_of(1);
                Self::HeadsRequest {
                    member: MemberIndex(r.take_u16()),
                }
            }
            FrameType::Heads => {
                r.take_array_of(3);
                Self::Heads {
                    member: MemberIndex(r.take_u16()),
                    number: Number(r.take_u32()),
                    id: r.take_id(),
                }
            }
            FrameType::SetRequest => {
                r.take_array_of(1);
                Self::SetRequest {
                    term: r.take_uint(),
                }
            }
            _ => Self::Near(Near::read(kind, r)?.ok_or(FrameError::UnknownType)?),
        })
    }

    /// The frames that a leaf sends; `false` for the others. Who calls it ends with `intact`.
    fn write_leaf(&self, w: &mut Writer<'_>) -> Result<bool, FrameError> {
        match self {
            Self::Tx { cose, attachment } => {
                w.put_raw(cose);
                w.put_raw(attachment.unwrap_or(&[]));
            }
            Self::HeaderRequest { header } => head(w, &[header.0.into()], 1),
            Self::ProofRequest { ids } => ids.write(w, 1..=MAX_PROOFS)?,
            Self::Enrol {
                certificates,
                proof,
                attestation,
            } => {
                w.put_array(if attestation.is_some() { 3 } else { 2 });
                certificates.write(w)?;
                w.put_bytes(*proof);
                if let Some(attestation) = attestation {
                    w.put_bytes(attestation);
                }
            }
            Self::GenesisRequest => w.put_array(0),
            Self::SetRequest { term } => head(w, &[*term], 1),
            Self::Near(near) => return near.write_leaf(w),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All others.
    #[inline(never)]
    fn write_body(&self, w: &mut Writer<'_>) -> Result<(), FrameError> {
        match self {
            Self::Announce(ids) | Self::Request(ids) => ids.write(w, 1..=MAX_PREFIXES)?,
            Self::Beacon { now, header, tips } => {
                head(w, &[now.0, header.0.into()], 3);
                tips.write(w, 0..=MAX_BEACON_TIPS)?;
            }
            Self::Sync { first, highest } => {
                head(w, &[first.0.into()], 2);
                highest.write(w, 0..=MAX_FRAME)?;
            }
            Self::Header { cose, path } => {
                w.put_array(2);
                w.put_bytes(cose);
                path.write(w, 0..=MAX_PATH)?;
            }
            Self::Votes { header, votes } => {
                in_order(votes)?;
                head(w, &[header.0.into()], 2);
                votes.write(w, 1..=MAX_VOTES)?;
            }
            Self::Proof {
                header,
                id,
                leaf,
                size,
                path,
            } => {
                head(w, &[header.0.into()], 5);
                w.put_id(id);
                w.put_u32(*leaf);
                w.put_u32(*size);
                path.write(w, 0..=MAX_PATH)?;
            }
            Self::TableRequest { epoch, first } => head(w, &[epoch.0.into(), first.0.into()], 2),
            Self::Table {
                epoch,
                first,
                records,
            } => {
                head(w, &[epoch.0.into(), first.0.into()], 3);
                records.write(w, 1..=MAX_RECORDS)?;
            }
            Self::LocksRequest { header, first } => head(w, &[header.0.into(), (*first).into()], 2),
            Self::Locks {
                header,
                first,
                locks,
            } => {
                head(w, &[header.0.into(), (*first).into()], 3);
                locks.write(w, 1..=MAX_RECORDS)?;
            }
            Self::EnrolResult {
                device,
                status,
                index,
            } => {
                w.put_array(3);
                w.put_id(device);
                w.put_u32((*status as u8).into());
                match index {
                    Some(index) => w.put_u32(index.0.into()),
                    None => w.put_null(),
                }
            }
            Self::Genesis { cose, set } => {
                w.put_array(2);
                w.put_bytes(cose);
                w.put_raw(set);
            }
            Self::Proposal { cose, credited } => {
                w.put_array(2);
                w.put_bytes(cose);
                w.put_u32(*credited);
            }
            Self::AccountVote {
                header,
                credited,
                index,
                v,
                signature,
            } => {
                head(w, &[header.0.into(), (*credited).into()], 5);
                w.put_uint((*index).into());
                w.put_uint((*v).into());
                w.put_bytes(*signature);
            }
            Self::Anchored {
                header,
                block,
                votes,
            } => {
                in_order(votes)?;
                head(w, &[header.0.into(), *block], 3);
                votes.write(w, 1..=MAX_VOTES)?;
            }
            Self::HeadsRequest { member } => head(w, &[member.0.into()], 1),
            Self::Heads { member, number, id } => {
                head(w, &[member.0.into(), number.0.into()], 3);
                w.put_id(id);
            }
            Self::Set(set) => w.put_raw(set),
            Self::Near(near) => near.write(w)?,
            Self::Challenge { device, challenge } => {
                w.put_array(2);
                w.put_id(device);
                w.put_bytes(*challenge);
            }
            // By `write_leaf`.
            Self::Tx { .. }
            | Self::HeaderRequest { .. }
            | Self::ProofRequest { .. }
            | Self::Enrol { .. }
            | Self::GenesisRequest
            | Self::SetRequest { .. } => {}
        }
        Ok(())
    }
}

/// The head of a frame: tag and type, and a reader before the body.
#[inline(never)]
fn open(bytes: &[u8]) -> Result<([u8; 4], FrameType, Reader<'_>), FrameError> {
    if bytes.len() > MAX_FRAME {
        return Err(FrameError::TooLong);
    }
    let (tag, rest) = bytes.split_first_chunk::<4>().ok_or(FrameError::TooShort)?;
    let (number, body) = rest.split_first().ok_or(FrameError::TooShort)?;
    let kind = FrameType::from_number(*number).ok_or(FrameError::UnknownType)?;
    if *tag == UNBOUND && !kind.may_be_unbound() {
        return Err(FrameError::Unbound);
    }
    Ok((*tag, kind, Reader::new(body)))
}

/// An array head and the numbers that it begins with.
fn head(w: &mut Writer<'_>, numbers: &[u64], count: usize) {
    w.put_array(count);
    numbers.iter().for_each(|n| w.put_uint(*n));
}

fn in_order(votes: &List<'_, Vote>) -> Result<(), FrameError> {
    let mut last = None;
    for vote in votes.iter() {
        if last >= Some(vote.index) {
            return Err(FrameError::Order);
        }
        last = Some(vote.index);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
