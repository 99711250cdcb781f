//! Refusals of the tangle. A refused call leaves everything as it was.

/// Why a vertex was not inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertError {
    /// Already here. Nothing to do.
    Duplicate,
    /// No parent, or more than eight. The transaction is malformed: drop it.
    ParentCount,
    /// One parent named twice. The transaction is malformed: drop it.
    ParentsDoubled,
    /// Parents that are not here; bit i stands for position i. Put the vertex aside and ask for them.
    UnknownParents(u8),
    /// The first parent is here but is not of the issuer's own chain (for number 1: not the G0 of its record). Drop it.
    ParentOffChain,
    /// The number is not 1 more than the first parent's. Drop it.
    NumberGap,
    /// At or below the highest number of its issuer, and its place cannot be seen here. Hold it until evidence or a full
    /// node explains it.
    Unexplained,
    /// Not later than the parent at this position. Drop it.
    TimeNotAboveParent(u8),
    /// More than `P_max` later than the parent at this position. Drop it.
    ParentTooOld(u8),
    /// Not the epoch that follows from its parents. Drop it.
    EpochMismatch,
    /// An epoch whose table and clock are no longer held. Drop it; the issuer issues again in a newer epoch.
    EpochVoid,
    /// An epoch, or a header named by a trim, that is not settled here yet. Hold it and ask for the header.
    EpochUnknown,
    /// The issuer is in no table here. Drop it, or ask for the record.
    UnknownIssuer,
    /// `D` is not `D` of the first parent plus the amount. Drop it; with the first parent it is evidence.
    FalseDebits,
    /// `D` above the credits of the issuer's record in its epoch. Drop it.
    InsufficientCredits,
    /// A sum does not fit 64 bits. Drop it.
    Overflow,
    /// A trim or join by another member than the GL-node. Drop it.
    NotGlNode,
    /// A void trim. Drop it.
    VoidTrim(VoidTrim),
    /// Changes wait. Pull them with `next_change`, then insert again.
    Busy,
    /// The issuer's record is in the store and was not read. Read it, then insert again.
    NotRead,
}

/// Why a trim is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidTrim {
    /// Its predecessor is not a trim of its past cone.
    Previous,
    /// Its predecessor is in its past cone but not certified there by vertices not later than c.
    PreviousUncertified,
    /// c is not above the predecessor's c, before the predecessor's time (which no certificate can precede), or not below its own time.
    Cut,
    /// Its past cone holds no vertices later than c + T/2 by more than two thirds of the weight, by a table that its Done needs.
    Stale,
    /// It names a header older than one that its past cone names.
    Header,
}

/// Why memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitsError {
    /// The capacity must be a power of two from 32 to 65,536.
    Capacity,
    /// At least one member and at most 65,535.
    Members,
    /// From 4 to 64 tracked transactions.
    Tracked,
    /// A slice is shorter than `Limits::sizes` says.
    Memory,
    /// `P_max` above T/4, or a period of 0.
    Policy,
}

/// Why a transaction is not tracked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackError {
    /// Not in the window: track it right after its insertion.
    NotHere,
    /// All slots are taken: untrack one that is settled.
    Full,
}

/// Why a trim cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimError {
    /// No vertex with this id is here.
    NotHere,
    /// The vertex is no trim.
    NotTrim,
    /// The trim is void.
    Void(VoidTrim),
    /// Part of Done was evicted or never here: only a window that holds all of it can tell. Ask a full node.
    Truncated,
    /// A table that Done names is not held, a record of it was not read, or the tables are not those after the previous trim.
    Tables,
    /// The scratch memory is shorter than the window needs.
    Scratch,
}

/// Why tips or confidences are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// The scratch memory is shorter than the window needs.
    Scratch,
    /// The vertex where the walk begins is not here: begin at `Start::Root`.
    NotHere,
}
