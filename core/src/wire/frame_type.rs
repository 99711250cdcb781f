//! What a frame can be, and the small values that only frames carry.
//!
//! Invariant: numbers are those of docs/protocol.md section 4 and are never given a second meaning.

use super::{Reader, WireError, Writer};

macro_rules! frame_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// The type of a frame; the numbers are those of the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum FrameType { $($(#[$doc])* $name = $number,)* }

        impl FrameType {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The type with this number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

frame_types! {
    /// A transaction.
    Tx = 0x01,
    /// Ids that the sender holds.
    Announce = 0x02,
    /// Ids that the sender wants.
    Request = 0x03,
    /// Time, newest settled header and tips: a hint.
    Beacon = 0x04,
    /// Highest numbers inserted: "send me what is above".
    Sync = 0x05,
    /// A macro transaction's header.
    Header = 0x06,
    /// Votes for a header.
    Votes = 0x07,
    /// Asks for a header.
    HeaderRequest = 0x08,
    /// Asks for inclusion proofs.
    ProofRequest = 0x09,
    /// An inclusion proof.
    Proof = 0x0a,
    /// Asks for records of a member table.
    TableRequest = 0x0b,
    /// Records of a member table.
    Table = 0x0c,
    /// A device asks to become a member.
    Enrol = 0x0d,
    /// The answer to it.
    EnrolResult = 0x0e,
    /// The neighbourhood's genesis and its first validator set.
    Genesis = 0x0f,
    /// Asks for the genesis.
    GenesisRequest = 0x10,
    /// A header for the validators to vote on.
    Proposal = 0x11,
    /// Asks for a member's chain head.
    HeadsRequest = 0x12,
    /// A member's chain head.
    Heads = 0x13,
    /// Asks for a validator set.
    SetRequest = 0x14,
    /// A validator set.
    Set = 0x15,
    /// A claim of a cluster head.
    Claim = 0x16,
    /// Asks for tips to stand on.
    OfferRequest = 0x17,
    /// Tips to stand on.
    Offer = 0x18,
    /// Asks how a neighbour stands to transactions.
    WitnessRequest = 0x19,
    /// How it stands to them.
    Witness = 0x1a,
    /// Asks for one record of a table.
    RecordRequest = 0x1b,
    /// One record and its path.
    Record = 0x1c,
    /// Asks for a member's newest transaction.
    ShowRequest = 0x1d,
    /// A member's newest transaction.
    Show = 0x1e,
    /// The gateway wants an attestation.
    Challenge = 0x1f,
    /// Asks for open locks.
    LocksRequest = 0x21,
    /// Open locks.
    Locks = 0x22,
    /// A validator's vote for the contract of the G-Chain.
    AccountVote = 0x23,
    /// Validators say that a header is final on the G-Chain.
    Anchored = 0x24,
}

impl FrameType {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether a device that knows no neighbourhood yet may send or get it.
    #[must_use]
    pub const fn may_be_unbound(self) -> bool {
        matches!(
            self,
            Self::Enrol
                | Self::EnrolResult
                | Self::Genesis
                | Self::GenesisRequest
                | Self::Challenge
        )
    }
}

/// How an enrolment went; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EnrolStatus {
    /// Accepted; a later table makes the device a member.
    Accepted = 0,
    /// A member already.
    Member = 1,
    /// The certificate was refused.
    Certificate = 2,
    /// The proof of possession was refused.
    Proof = 3,
    /// The certificate is revoked.
    Revoked = 4,
    /// No room for more members.
    Full = 5,
    /// An attestation is demanded, and none came, or one that proves nothing.
    Attestation = 6,
    /// The attestation holds, and what it says is not allowed here.
    Measurement = 7,
}

impl EnrolStatus {
    /// The status with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Accepted),
            1 => Some(Self::Member),
            2 => Some(Self::Certificate),
            3 => Some(Self::Proof),
            4 => Some(Self::Revoked),
            5 => Some(Self::Full),
            6 => Some(Self::Attestation),
            7 => Some(Self::Measurement),
            _ => None,
        }
    }
}

/// A certificate chain of one or two, in the order of section 2.1, not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificates<'a> {
    /// The authority's certificate where there are two, else the device's.
    pub first: &'a [u8],
    /// The device's certificate where there are two.
    pub second: Option<&'a [u8]>,
}

impl<'a> Certificates<'a> {
    /// The device's own certificate.
    #[must_use]
    pub const fn device(&self) -> &'a [u8] {
        match self.second {
            Some(second) => second,
            None => self.first,
        }
    }

    /// The certificate of the authority between the pinned one and the device.
    #[must_use]
    pub const fn authority(&self) -> Option<&'a [u8]> {
        match self.second {
            Some(_) => Some(self.first),
            None => None,
        }
    }

    /// Writes the array.
    pub fn write(&self, w: &mut Writer<'_>) -> Result<(), WireError> {
        let count = if self.second.is_some() { 2 } else { 1 };
        w.array(count)?;
        w.bytes(self.first)?;
        self.second.map_or(Ok(()), |second| w.bytes(second))
    }

    /// Reads the array; empty certificates are refused.
    pub fn read(r: &mut Reader<'a>) -> Result<Self, WireError> {
        let count = r.array()?;
        if !(1..=2).contains(&count) {
            return Err(WireError::Range);
        }
        let first = certificate(r)?;
        let second = match count {
            2 => Some(certificate(r)?),
            _ => None,
        };
        Ok(Self { first, second })
    }
}

fn certificate<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], WireError> {
    match r.bytes()? {
        [] => Err(WireError::Range),
        bytes => Ok(bytes),
    }
}
