//! What a node tells its application: events, refusals and counters.
//!
//! Nothing is dropped without one of these: an event for what the application may act on, a counter for what a stranger
//! sent. Events are small and carry ids; bytes are read with `Node::body` while the window holds them.

use crate::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis};

pub use crate::Peer;

/// Names a submission until it is in the ledger; survives a reboot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u32);

/// How final a transaction is. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Grade {
    /// In the local window.
    #[default]
    Seen = 1,
    /// Approved by q distinct members besides the issuer.
    Witnessed = 2,
    /// Two rounds of more than two thirds of the weight.
    Quorum = 3,
    /// In a macro transaction under a stake quorum, proved by a receipt.
    Settled = 4,
    /// That macro transaction is final on G-Chain.
    Anchored = 5,
    /// Will never have an effect. Reached from `Seen` and `Witnessed` only.
    Dead = 6,
}

/// Something the application may act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The neighbourhood accepted the certificate; a later table makes this node a member.
    EnrolAccepted,
    /// The gateway refused the enrolment; the status is that of ENROL_RESULT (protocol section 4).
    EnrolRefused { status: u8 },
    /// The genesis was verified; the node knows its neighbourhood now.
    Joined { neighbourhood: Id },
    /// This node is a member under `index`.
    Member { index: MemberIndex },
    /// A header reached its stake quorum and its table was checked: epoch `epoch` can be used.
    EpochOpened { epoch: Epoch, header: HeaderNumber },
    /// A transaction with a body for the application (data or service) came in. Read it with `Node::body`.
    Data {
        id: Id,
        issuer: MemberIndex,
        service: bool,
    },
    /// A member said something of a channel (kind 4): the number of the operation. Read it with `Node::body`.
    Channel { id: Id, issuer: MemberIndex, op: u8 },
    /// A transfer to this node came in. `over_cap`: accepting it would exceed the caps; do not serve for it.
    Received {
        id: Id,
        from: MemberIndex,
        amount: Amount,
        over_cap: bool,
    },
    /// Value was set aside for this node: the terms are in its body, `Node::body`. `over_cap` as of a transfer. Serve for it once it has its `Quorum`.
    Locked {
        id: Id,
        from: MemberIndex,
        amount: Amount,
        /// The lock's own: its term begins here.
        time: Millis,
        over_cap: bool,
    },
    /// The payee claims an own lock. Read the proof with `Node::body`.
    Claimed { id: Id, lock: Id },
    /// A submission was signed, stored and is in the ledger under this id.
    Sent { ticket: Ticket, id: Id },
    /// An own transaction died with its epoch; what it said is in the outbox again, under this ticket.
    Reissued { dead: Id, ticket: Ticket },
    /// A submission will never be sent: its time ran out.
    Expired { ticket: Ticket },
    /// A submission was refused when its turn came (for example its caps were used up meanwhile).
    Rejected { ticket: Ticket, reason: Refusal },
    /// A transaction of this node, or to this node, reached a grade.
    Graded { id: Id, grade: Grade, at: Millis },
    /// A header reached its stake quorum: receipts of its epoch can be checked.
    HeaderSettled { header: HeaderNumber, cut: Millis },
    /// A stake quorum says that this header, and so every one before it, is final on the G-Chain: it stands in this block.
    HeaderAnchored { header: HeaderNumber, block: u64 },
    /// The receipt of this transaction was verified. `Node::receipt` writes it out until the next `receive`.
    Receipt { id: Id, header: HeaderNumber },
    /// A trim was certified by the members' weight: its epoch can be closed.
    TrimCertified { id: Id, cut: Millis },
    /// Two transactions of one member exclude each other.
    Equivocation { offender: MemberIndex, a: Id, b: Id },
    /// Evidence against a member is in the ledger: nothing it issues counts any more.
    Frozen { member: MemberIndex },
    /// A transaction that waited for its parents was given up: the pool was full or the wait too long.
    SetAsideDropped { id: Id },
    /// No neighbour was heard for longer than P_max.
    Silence,
    /// The store is damaged or empty although the table knows transactions of this node: it stays silent until q
    /// neighbours and the last header agree on its chain head.
    Recovering,
    /// The chain head was agreed on again.
    Recovered,
    /// The signer operation has an input: fetch it with `Node::sign_input`.
    SignatureNeeded,
    /// The platform failed; nothing was sent. The call is retried at the next deadline.
    PlatformFailed,
    /// The event queue overflowed: this many events are missing. Counters are exact all the same.
    Lost { count: u32 },
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// Why something was refused. One counter each; the numbers are stable and go through the C ABI.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Refusal { $($(#[$doc])* $name = $number,)* }
        impl Refusal {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];
            /// The name, for logs and metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Refusal::$name => stringify!($name),)* }
            }
        }
    };
}

refusals! {
    /// Too short, too long, or bytes after the end.
    Malformed = 1,
    /// Not core deterministic CBOR.
    NotDeterministic = 2,
    /// A field has the wrong type.
    WrongType = 3,
    /// A version that this build does not know.
    Version = 4,
    /// Another neighbourhood's frame.
    Neighbourhood = 5,
    /// A kind that this build does not know.
    UnsupportedKind = 6,
    /// An epoch older than the one before the newest trim's.
    EpochVoid = 7,
    /// Not the epoch that follows from its parents.
    EpochMismatch = 8,
    /// The issuer is not in the table.
    UnknownIssuer = 9,
    /// Evidence against the issuer is in the ledger.
    FrozenIssuer = 10,
    /// The signature does not verify.
    Signature = 11,
    /// The suite is not the one in the table.
    Suite = 12,
    /// Already here.
    Duplicate = 13,
    /// The first parent is not on the issuer's own chain.
    ParentOffChain = 14,
    /// The number does not follow the first parent's.
    NumberGap = 15,
    /// Parents unsorted.
    ParentsUnsorted = 16,
    /// A parent named twice.
    ParentsDoubled = 17,
    /// A parent prefix means two ids and none of the choices verifies.
    AmbiguousParent = 18,
    /// A parent is unknown: set aside and asked for.
    UnknownParent = 19,
    /// Not later than a parent.
    TimeNotAboveParent = 20,
    /// More than P_max later than a parent.
    ParentTooOld = 21,
    /// Ahead of the local clock: set aside until then.
    FromTheFuture = 22,
    /// Amount 0.
    AmountZero = 23,
    /// Above the cap per transaction.
    CapTransaction = 24,
    /// Above the cap per peer.
    CapPeer = 25,
    /// Above the cap on unsettled exposure.
    CapExposure = 26,
    /// More than the settled credits.
    InsufficientCredits = 27,
    /// The lifetime debits do not add up.
    FalseDebits = 28,
    /// A sum does not fit 64 bits.
    Overflow = 29,
    /// A trim without a fresh quorum in its cone, or whose predecessor is not certified there.
    VoidTrim = 30,
    /// Only the GL-node may issue this.
    NotGlNode = 31,
    /// Evidence that proves nothing.
    FalseEvidence = 32,
    /// A member operation that is not valid (certificate, proof, consent).
    MemberOperation = 33,
    /// A header not signed by the GL-node, or with fields that contradict the last.
    ForgedHeader = 34,
    /// Votes short of the stake quorum, or not the set's.
    ShortOfQuorum = 35,
    /// A Merkle path that does not lead to the root.
    WrongPath = 36,
    /// Another validator set than the trusted one.
    WrongValidatorSet = 37,
    /// A record or table that does not match the settled root.
    ForgedTable = 38,
    /// The neighbour or the issuer sends more than its share.
    RateLimited = 39,
    /// No room; try later.
    Busy = 40,
    /// A frame type that is not for this node.
    NotForMe = 41,
    /// A genesis that the pinned authority did not sign, or whose fields are out of bounds.
    ForgedGenesis = 42,
    /// The outbox is full: submit again when `Sent` events have made room.
    OutboxFull = 43,
    /// This node is not a member (yet).
    NotMember = 44,
    /// The payee is not a member.
    UnknownPayee = 45,
    /// The body is empty or too long.
    BodyLength = 46,
    /// The platform failed.
    Platform = 47,
    /// A transaction at or below the highest number of its issuer whose place is not known: held until explained.
    Unexplained = 48,
    /// An attachment that is malformed or does not fit its transaction.
    Attachment = 49,
    /// The hardware counter is at its end: nothing is signed any more.
    CounterExhausted = 50,
    /// Terms of a lock that nobody could keep, or a claim that shows nothing.
    Terms = 51,
    /// The owner's policy does not allow it: no policy yet or not any more, not for this, not to this payee, more than in all or in any window.
    Policy = 52,
    /// More than is left in the owner's window; a later one has it.
    PolicyWindow = 53,
}

/// One counter per [`Refusal`] and a few more; they only grow (wrapping).
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Frames received.
    pub frames_in: u32,
    /// Frames sent.
    pub frames_out: u32,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Transactions inserted.
    pub inserted: u32,
    /// Signatures checked.
    pub verified: u32,
    /// Transactions that came a second time.
    pub duplicates: u32,
    /// Transactions asked for.
    pub requested: u32,
    /// Those of them that were asked for again.
    pub repeated: u32,
    /// Approvals issued for others, with nothing of its own to say.
    pub approvals: u32,
    refused: [u32; 64],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            frames_in: 0,
            frames_out: 0,
            bytes_in: 0,
            bytes_out: 0,
            inserted: 0,
            verified: 0,
            duplicates: 0,
            requested: 0,
            repeated: 0,
            approvals: 0,
            refused: [0; 64],
        }
    }
}

impl Counters {
    /// How often this was refused.
    #[must_use]
    pub fn refused(&self, reason: Refusal) -> u32 {
        self.refused.get(reason as usize).copied().unwrap_or(0)
    }

    pub(crate) fn count(&mut self, reason: Refusal) {
        if let Some(n) = self.refused.get_mut(reason as usize) {
            *n = n.wrapping_add(1);
        }
    }
}
