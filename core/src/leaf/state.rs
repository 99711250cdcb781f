//! What a leaf is made of, and what it tells.
//!
//! Everything is counted in bytes here: a sensor with 16 KiB of RAM holds all of it beside one frame buffer.

use super::TIPS;
use crate::crypto::PublicKey;
use crate::identity::Caps;
use crate::rollback::RollbackError;
use crate::types::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Peer};
use crate::wire::{EnrolStatus, FrameError, WireError};

/// What the application decides.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The pinned neighbourhood authority: it signs the genesis.
    pub authority: PublicKey,
    /// The account, where the key was rotated; else it follows from the key.
    pub device: Option<Id>,
    /// Absolute time minus local time; `None` without a clock: the median of q neighbours.
    pub clock: Option<i64>,
    /// How far clocks may differ.
    pub tolerance: Millis,
    /// How often neighbours are asked.
    pub poll: Millis,
    /// How long a head may take before another is asked.
    pub patience: Millis,
}

impl Config {
    /// Asks every half second, and gives a head three seconds.
    #[must_use]
    pub const fn new(authority: PublicKey) -> Self {
        Self {
            authority,
            device: None,
            clock: Some(0),
            tolerance: Millis(2_000),
            poll: Millis(500),
            patience: Millis(3_000),
        }
    }
}

/// Where a leaf is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does not know its neighbourhood.
    Outside,
    /// It knows the genesis and has no proved record yet: not a member, or nobody answered.
    Following,
    /// A member that stays silent until q neighbours said which number of its own they know.
    Recovering,
    /// It may issue.
    Active,
    /// Somebody else issues with its key, or a quorum of validators is guilty. It stays silent until it is started again.
    Stopped,
}

/// What a leaf says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Where it is in its life.
    pub phase: Phase,
    /// Its account.
    pub device: Id,
    /// Zero while outside.
    pub neighbourhood: Id,
    /// Its index, once its record was proved.
    pub index: Option<MemberIndex>,
    /// The newest epoch that it may stand in.
    pub epoch: Epoch,
    /// Settled credits.
    pub credits: Amount,
    /// Lifetime debits; `None` after a lost store, until the settled record says them.
    pub debits: Option<Amount>,
    /// Of its newest transaction.
    pub number: Number,
    /// A submission waits.
    pub waiting: bool,
    /// Own transactions whose end is awaited.
    pub unsettled: u8,
    /// The neighbour that it sends to first.
    pub head: Option<Peer>,
}

/// Something the application may act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The genesis was verified.
    Joined { neighbourhood: Id },
    /// The gateway lets this device in, says an answer that proves nothing: a later table makes it a member.
    EnrolAccepted,
    /// The gateway refuses it, says an answer that proves nothing. It is asked again, rarely.
    EnrolRefused { status: EnrolStatus },
    /// The own record was proved for the first time since the start.
    Member { index: MemberIndex },
    /// q neighbours agree on the own chain: from now on it issues.
    Recovered { number: Number },
    /// The external signer has work: fetch it with `sign_input`. It is told again while no answer comes.
    SignatureNeeded,
    /// The submission was signed and stored, and is on its way.
    Sent { ticket: u32, id: Id, number: Number },
    /// The submission will never be sent; it is forgotten.
    Rejected { ticket: u32, reason: Error },
    /// q neighbours besides the head hold it.
    Held { id: Id },
    /// q neighbours besides the head approve it.
    Witnessed { id: Id },
    /// The head did not answer, offered what nobody knows, or passed nothing on. Another is asked from now on.
    HeadSuspected { peer: Peer },
    /// It is in a settled epoch.
    Settled { id: Id, header: HeaderNumber },
    /// It will never have an effect: submit again.
    Dead { id: Id },
    /// Somebody else signs with this key.
    Doubled,
    /// Two settled headers exclude each other: a quorum of validators is guilty. Stop, and tell the owner.
    Fork,
    /// The validator set is older than U: a checkpoint by the authority is needed.
    Stale,
    /// The store failed; what was to be sent was not.
    PlatformFailed,
    /// So many events did not fit the queue.
    Lost { count: u32 },
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The buffer is shorter than a frame: give a longer one.
    Memory,
    /// The store failed; nothing was changed. Try again.
    Platform,
    /// No room, or a submission waits already: try again after the next event.
    Busy,
    /// Not a member (yet), frozen or gone.
    NotMember,
    /// The certificate is not this device's, or not that of a leaf; or the proof does not hold. Provision it again.
    Certificate,
    /// The body is empty or too long.
    Body,
    /// The payee is no member, or oneself.
    Payee,
    /// Amount 0.
    Amount,
    /// Above the cap of one transaction.
    Caps,
    /// More than may be unsettled at once: try again after the next settlement.
    Exposure,
    /// More than the settled credits, or the debits are not known again yet.
    Credits,
    /// Not a frame of the protocol. Drop it.
    Frame(FrameError),
    /// Of another neighbourhood. Drop it.
    Neighbourhood,
    /// Not for a leaf, not asked for, or from no neighbour. Drop it.
    NotForMe,
    /// What should prove itself does not: genesis, header, record, own transaction, signature. Drop it.
    Forged,
    /// The external signer's answer is no signature of what it was asked for. Nothing left; it is asked again.
    Signature,
    /// A header or set that does not follow what is trusted; it is asked for otherwise.
    OutOfOrder,
    /// The hardware counter is ahead of the store: it holds an old image. Erase it; the neighbours know how far the device was.
    OldImage,
    /// The hardware counter is not the one that the store is bound to, does not move, or is there no more.
    Counter,
    /// The hardware counter is at its end: nothing is signed any more.
    CounterExhausted,
}

impl From<RollbackError> for Error {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Platform => Self::Platform,
            RollbackError::OldImage => Self::OldImage,
            RollbackError::Counter => Self::Counter,
            RollbackError::Exhausted => Self::CounterExhausted,
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        Self::Frame(FrameError::Wire(error))
    }
}

/// What the application wants to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission<'a> {
    /// A message, usually a SenML pack; 1 to 320 bytes.
    Data(&'a [u8]),
    /// What this device offers; 1 to 320 bytes.
    Service(&'a [u8]),
    /// A payment.
    Transfer {
        /// The payee.
        to: MemberIndex,
        /// Micro-tokens, not 0.
        amount: Amount,
    },
    /// Value that leaves the neighbourhood.
    Exit {
        /// Micro-tokens, not 0.
        amount: Amount,
        /// An Ethereum address.
        target: [u8; 20],
    },
}

/// What the genesis says that a leaf needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub neighbourhood: Id,
    pub start: Millis,
    pub period: Millis,
    pub parent_age: Millis,
    pub neighbours: u16,
    pub members: u32,
    pub table_root: Id,
    pub set_age: Millis,
}

/// How far the headers were followed. The set itself is in the store.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    pub newest: HeaderNumber,
    pub hash: Id,
    pub fresh: Millis,
    /// The set that the newest header hands over to.
    pub next: Option<Id>,
    /// The last header of a term that was slept through, as somebody says: a hint which header to ask for.
    pub hint: HeaderNumber,
}

/// A header whose votes are being counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub number: HeaderNumber,
    pub hash: Id,
    pub previous: Id,
    pub set_hash: Id,
    pub opening: Opening,
    pub last: Option<u8>,
    pub signed: u128,
}

/// What a settled header, or the genesis, says of the epoch that it opens; and the own record in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    pub epoch: Epoch,
    pub clock: Millis,
    pub members: u32,
    pub table: Id,
    /// Root and size of the epoch tree of the header.
    pub tree: Id,
    pub size: u32,
    pub standing: Option<Standing>,
}

impl Opening {
    pub const fn header(&self) -> HeaderNumber {
        HeaderNumber(self.epoch.0.saturating_sub(1))
    }
}

/// The own record, as proved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub head: Number,
    pub head_id: Id,
    pub credits: Amount,
    pub debits: Amount,
    pub caps: Caps,
    pub may_issue: bool,
}

/// The newest own transaction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    pub number: Number,
    pub id: Id,
    /// Not before this; exact where `exact`.
    pub time: Millis,
    /// What it hands on is at most this.
    pub epoch: Epoch,
    pub exact: bool,
    pub debits: Option<Amount>,
}

/// An own transaction whose end is awaited. Its bytes are in the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    pub id: Id,
    pub number: Number,
    pub time: Millis,
    pub epoch: Epoch,
    pub amount: Amount,
    /// When it went out first since the start.
    pub sent: Millis,
    /// Neighbours that hold and that approve it, by place.
    pub held: u8,
    pub approved: u8,
    /// To whom it went first.
    pub via: Option<u8>,
    pub told_held: bool,
    pub told_witnessed: bool,
    /// Sent to everybody, with the full ids of its parents beside it.
    pub wide: bool,
    /// Its end is known. It is kept for who may still lack it: the next one stands on it.
    pub over: bool,
}

/// What a neighbour said of a tip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fact {
    pub time: Millis,
    pub epoch: Epoch,
}

impl Fact {
    pub const NONE: Self = Self {
        time: Millis(0),
        epoch: Epoch(0),
    };
}

/// Tips that were offered and are being asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub by: usize,
    pub since: Millis,
    pub tips: [Id; TIPS],
    pub count: usize,
}

impl Candidate {
    pub fn tips(&self) -> &[Id] {
        self.tips.get(..self.count).unwrap_or(&[])
    }
}

/// A neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neighbour {
    pub used: bool,
    pub uplink: bool,
    pub suspect: bool,
    pub answered: bool,
    /// Its place in the line by its own word, and the term in which it says so.
    pub line: u8,
    pub term: u32,
    pub handle: u16,
    pub header: HeaderNumber,
    pub clock: Option<i64>,
    /// By the place of the tip; epoch 0 where nothing was said.
    pub facts: [Fact; TIPS],
    /// What is to be sent to it.
    pub todo: u16,
}

impl Neighbour {
    pub const NOBODY: Self = Self {
        used: false,
        uplink: false,
        suspect: false,
        answered: false,
        line: 255,
        term: 0,
        handle: 0,
        header: HeaderNumber(0),
        clock: None,
        facts: [Fact::NONE; TIPS],
        todo: 0,
    };

    pub const fn is(&self, peer: Peer) -> bool {
        self.used && self.handle == peer.0
    }
}
