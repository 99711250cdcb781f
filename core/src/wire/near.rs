//! The frames between a cluster's devices: claims, and what a leaf asks of its neighbours (docs/protocol.md section 10).
//!
//! Invariant: as for all frames, what is parsed is whole and in its one encoding, and nothing in it is believed for having come. What a leaf may act on is
//! proved (records, its own transaction) or said by q distinct neighbours (sightings).

use super::frame::FrameError;
use super::frame_type::FrameType;
use super::list::{Element, List, Raw};
use super::merkle::MAX_PATH;
use super::{Reader, WireError, Writer};
use crate::types::{Epoch, HeaderNumber, Id, MemberIndex, Millis, Number};

/// Most tips of an offer.
pub const MAX_OFFERED: usize = 3;
/// Most ids asked for in one WITNESS_REQUEST.
pub const MAX_SIGHTINGS: usize = 4;
/// Stands for a place in the line of nobody.
pub const NO_PLACE: u8 = 255;

/// How a neighbour stands to a transaction; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stand {
    /// Not in its window.
    #[default]
    Unknown = 0,
    /// Checked and in its window, but it knows a rival, or evidence against the issuer.
    Barred = 1,
    /// Checked and in its window, without rival.
    Held = 2,
    /// The same, and a vertex of its own approves it.
    Approved = 3,
    /// It saw a Quorum for it.
    Quorum = 4,
}

impl Stand {
    /// The stand with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::Unknown,
            1 => Self::Barred,
            2 => Self::Held,
            3 => Self::Approved,
            4 => Self::Quorum,
            _ => return None,
        })
    }
}

/// What a neighbour says of one transaction. Time and epoch are functions of the transaction, so all who hold it say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// The transaction.
    pub id: Id,
    /// How the neighbour stands to it.
    pub stand: Stand,
    /// Its time; 0 where it is unknown.
    pub time: Millis,
    /// The epoch that it hands on to its children; 0 where it is unknown.
    pub epoch: Epoch,
}

impl Element<'_> for Sighting {
    fn read(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.take_array_of(4);
        let id = r.take_id();
        let stand = Stand::from_number(r.take_uint());
        if stand.is_none() {
            r.break_off(WireError::Range);
        }
        let time = Millis(r.take_uint());
        let epoch = Epoch(r.take_u32());
        r.intact()?;
        Ok(Self {
            id,
            stand: stand.unwrap_or_default(),
            time,
            epoch,
        })
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        w.put_array(4);
        w.put_id(&self.id);
        w.put_u32((self.stand as u8).into());
        w.put_uint(self.time.0);
        w.put_u32(self.epoch.0);
        w.intact()
    }
}

/// A frame of section 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near<'a> {
    /// 0x16: a claim, for `cluster::UnverifiedClaim` to parse.
    Claim(&'a [u8]),
    /// 0x17.
    OfferRequest,
    /// 0x18: what a leaf may stand on. Unsigned, a hint in every part.
    Offer {
        /// The sender's place in the line as it knows it: 0 the head, then the hand-over list, 255 neither.
        place: u8,
        /// The greatest term that it knows.
        term: u32,
        /// Its time; 0 where it has no clock.
        now: Millis,
        /// The newest settled header that it knows.
        header: HeaderNumber,
        /// Tips, at most 3.
        tips: List<'a, Id>,
    },
    /// 0x19: how do you stand to these, 1 to 4.
    WitnessRequest(List<'a, Id>),
    /// 0x1a.
    Witness(List<'a, Sighting>),
    /// 0x1b.
    RecordRequest {
        /// Of which epoch's table.
        epoch: Epoch,
        /// Whose record.
        device: Id,
    },
    /// 0x1c: a record and its path under the table root.
    Record {
        /// Of which epoch's table.
        epoch: Epoch,
        /// The record, for `identity::record` to decode.
        record: Raw<'a>,
        /// The path of its leaf.
        path: List<'a, Id>,
    },
    /// 0x1d.
    ShowRequest {
        /// Whose newest transaction.
        member: MemberIndex,
    },
    /// 0x1e: the newest transaction of a member, so that its issuer knows its own signature again.
    Show {
        /// Whose.
        member: MemberIndex,
        /// The highest number that the sender holds.
        number: Number,
        /// The COSE_Sign1 and the hash of its full parent ids, where the sender has the bytes.
        proof: Option<(&'a [u8], Id)>,
    },
}

impl<'a> Near<'a> {
    /// The type.
    #[must_use]
    pub const fn frame_type(&self) -> FrameType {
        match self {
            Self::Claim(_) => FrameType::Claim,
            Self::OfferRequest => FrameType::OfferRequest,
            Self::Offer { .. } => FrameType::Offer,
            Self::WitnessRequest(_) => FrameType::WitnessRequest,
            Self::Witness(_) => FrameType::Witness,
            Self::RecordRequest { .. } => FrameType::RecordRequest,
            Self::Record { .. } => FrameType::Record,
            Self::ShowRequest { .. } => FrameType::ShowRequest,
            Self::Show { .. } => FrameType::Show,
        }
    }

    /// Reads the body of a frame of `kind` that is for a leaf.
    pub(super) fn read_leaf(kind: FrameType, r: &mut Reader<'a>) -> Result<Self, FrameError> {
        Ok(match kind {
            FrameType::Offer => {
                r.take_array_of(5);
                Self::Offer {
                    place: r.take_u8(),
                    term: r.take_u32(),
                    now: Millis(r.take_uint()),
                    header: HeaderNumber(r.take_u32()),
                    tips: List::read(r, 0..=MAX_OFFERED)?,
                }
            }
            FrameType::Witness => Self::Witness(List::read(r, 1..=MAX_SIGHTINGS)?),
            FrameType::Record => {
                r.take_array_of(3);
                Self::Record {
                    epoch: Epoch(r.take_u32()),
                    record: Raw(r.take_item()),
                    path: List::read(r, 0..=MAX_PATH)?,
                }
            }
            FrameType::Show => {
                r.take_array_of(3);
                let member = MemberIndex(r.take_u16());
                let number = Number(r.take_u32());
                let proof = match r.skip_null() {
                    true => None,
                    false => {
                        r.take_array_of(2);
                        Some((r.take_bytes(), r.take_id()))
                    }
                };
                Self::Show {
                    member,
                    number,
                    proof,
                }
            }
            _ => return Err(FrameError::UnknownType),
        })
    }

    /// Reads the body of every other frame; `None` where it is none of section 10.
    pub(super) fn read(kind: FrameType, r: &mut Reader<'a>) -> Result<Option<Self>, FrameError> {
        Ok(Some(match kind {
            FrameType::Claim => {
                r.take_array_of(1);
                Self::Claim(r.take_bytes())
            }
            FrameType::OfferRequest => {
                r.take_array_of(0);
                Self::OfferRequest
            }
            FrameType::WitnessRequest => Self::WitnessRequest(List::read(r, 1..=MAX_SIGHTINGS)?),
            FrameType::RecordRequest => {
                r.take_array_of(2);
                Self::RecordRequest {
                    epoch: Epoch(r.take_u32()),
                    device: r.take_id(),
                }
            }
            FrameType::ShowRequest => {
                r.take_array_of(1);
                Self::ShowRequest {
                    member: MemberIndex(r.take_u16()),
                }
            }
            _ => return Ok(None),
        }))
    }

    /// Writes what leaves send; `false` for the others.
    pub(super) fn write_leaf(&self, w: &mut Writer<'_>) -> Result<bool, FrameError> {
        match self {
            Self::OfferRequest => w.put_array(0),
            Self::WitnessRequest(ids) => ids.write(w, 1..=MAX_SIGHTINGS)?,
            Self::RecordRequest { epoch, device } => {
                w.put_array(2);
                w.put_u32(epoch.0);
                w.put_id(device);
            }
            Self::ShowRequest { member } => {
                w.put_array(1);
                w.put_u32(member.0.into());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// All others.
    pub(super) fn write(&self, w: &mut Writer<'_>) -> Result<(), FrameError> {
        match self {
            Self::Claim(cose) => {
                w.put_array(1);
                w.put_bytes(cose);
            }
            Self::Offer {
                place,
                term,
                now,
                header,
                tips,
            } => {
                w.put_array(5);
                w.put_u32((*place).into());
                w.put_u32(*term);
                w.put_uint(now.0);
                w.put_u32(header.0);
                tips.write(w, 0..=MAX_OFFERED)?;
            }
            Self::Witness(seen) => seen.write(w, 1..=MAX_SIGHTINGS)?,
            Self::Record {
                epoch,
                record,
                path,
            } => {
                w.put_array(3);
                w.put_u32(epoch.0);
                w.put_raw(record.0);
                path.write(w, 0..=MAX_PATH)?;
            }
            Self::Show {
                member,
                number,
                proof,
            } => {
                w.put_array(3);
                w.put_u32(member.0.into());
                w.put_u32(number.0);
                match proof {
                    Some((cose, hash)) => {
                        w.put_array(2);
                        w.put_bytes(cose);
                        w.put_id(hash);
                    }
                    None => w.put_null(),
                }
            }
            // By `write_leaf`.
            Self::OfferRequest
            | Self::WitnessRequest(_)
            | Self::RecordRequest { .. }
            | Self::ShowRequest { .. } => {}
        }
        Ok(())
    }
}
