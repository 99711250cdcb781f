//! What the tangle is told and what it tells: facts of a vertex, tables of the members, changes.

use crate::{Amount, Epoch, HeaderNumber, Id, MemberIndex, Millis, Number, Weight};

/// What a vertex does, as far as the DAG and the settlement need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Data, service: nothing to settle.
    #[default]
    None,
    /// Pays another member.
    Transfer {
        /// The payee.
        to: MemberIndex,
        /// What it is paid.
        amount: Amount,
        /// D: the issuer's lifetime debits with this one.
        debits: Amount,
    },
    /// Sets value aside for another member.
    Lock {
        /// The payee.
        to: MemberIndex,
        /// How much.
        amount: Amount,
        /// D: the issuer's lifetime debits with this one.
        debits: Amount,
    },
    /// Shows what releases a lock: its body says which.
    Claim,
    /// Leaves the neighbourhood for G-Chain.
    Exit {
        /// What leaves.
        amount: Amount,
        /// D: the issuer's lifetime debits with this one.
        debits: Amount,
    },
    /// Proposes to cut the DAG at a time.
    Trim {
        /// The cut c.
        cut: Millis,
        /// The trim before it; for the first the genesis (the neighbourhood id).
        previous: Id,
        /// The newest settled header that the GL-node knows.
        header: HeaderNumber,
    },
    /// Proves that a member signed two things that exclude each other.
    Evidence {
        /// That member.
        offender: MemberIndex,
    },
    /// A member operation of the issuer on itself (rotate, leave) or a revocation.
    Member,
    /// The GL-node lets a device in.
    Join,
}

/// What the tangle keeps of a transaction. `time` is absolute: clock start of the epoch plus the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The transaction's id.
    pub id: Id,
    /// Its issuer's index.
    pub issuer: MemberIndex,
    /// Its place in the issuer's chain.
    pub number: Number,
    /// Its epoch.
    pub epoch: Epoch,
    /// When it was issued, absolute.
    pub time: Millis,
    /// What it does.
    pub effect: Effect,
}

/// Parents that need not be here; bit i stands for the parent at position i of the transaction.
///
/// A first parent that is the table's chain head or the issuer's newest vertex here needs no bit: the tangle knows its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stubs {
    /// Evicted by count elsewhere or here: its full id came in an attachment and the signature proves it. Its cone is not
    /// known, so the vertex approves nothing and `Quorum` is withheld from what is tracked now.
    pub aged: u8,
    /// Its bytes show a time at or below the cut of a certified trim: what it stands on is no longer asked for.
    pub settled: u8,
}

/// A member's settled chain head, by the newest settled header: the last living transaction of its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 while the member has settled nothing.
    pub number: Number,
    /// Its id; for number 0 the G0 of the header that enrolled the member.
    pub id: Id,
    /// D as the chain carried it at that transaction, 0 for number 0: what the next vertex adds its amount to.
    pub debits: Amount,
}

/// The trim that a settled header closed: its id and its cut. For header 0 the neighbourhood id and t0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Id of the trim.
    pub trim: Id,
    /// Its cut c.
    pub cut: Millis,
}

/// The member tables, as far as they are settled here. The node implements it over the tables it holds.
///
/// `None` means "not held": nothing is approved by a table that is not held, and nothing panics.
pub trait Tables {
    /// The newest settled header known here (0: the genesis). It opens the newest epoch.
    fn newest_settled(&self) -> HeaderNumber;
    /// When this epoch's clock started: cut time of the header that opened it. `None` for an epoch that is not known or too old.
    fn clock_start(&self, epoch: Epoch) -> Option<Millis>;
    /// The trim that this header closed.
    fn settled_trim(&self, header: HeaderNumber) -> Option<Cut>;
    /// W: the sum of the weights in the table of this epoch.
    fn total(&self, epoch: Epoch) -> Option<u64>;
    /// Number of records in the newest table.
    fn members(&self) -> usize;
    /// Weight of a member in the table of this epoch.
    fn weight(&self, epoch: Epoch, member: MemberIndex) -> Option<Weight>;
    /// Whether credits, chain head and freeze of a member can be told now, by the table of this epoch and by the newest: a device may keep records in
    /// its store, and whoever inserts a vertex has its issuer's read first. Weights and totals can always be told.
    fn holds(&self, _epoch: Epoch, _member: MemberIndex) -> bool {
        true
    }
    /// Lifetime settled credits C of a member in the table of this epoch.
    fn credits(&self, epoch: Epoch, member: MemberIndex) -> Option<Amount>;
    /// Chain head of a member in the newest table.
    fn head(&self, member: MemberIndex) -> Option<Head>;
    /// Whether the newest table holds the member frozen: what it issues afterwards has no effect.
    fn frozen(&self, member: MemberIndex) -> bool;
    /// The GL-node of this epoch.
    fn gl_node(&self, epoch: Epoch) -> Option<MemberIndex>;
}

/// The neighbourhood's numbers that the DAG needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// T: the period between trims, in milliseconds.
    pub period: Millis,
    /// P_max: how far a vertex may be above its parents (but the first). At most T/4.
    pub max_parent_age: Millis,
    /// How old a tip may be to be chosen. At most P_max; it is held there.
    pub freshness: Millis,
    /// q: distinct other members needed for `Witnessed` and before any `Quorum`.
    pub witnesses: u16,
}

impl Policy {
    /// T/2: how long approvals of a vertex count.
    #[must_use]
    pub const fn half_period(&self) -> Millis {
        Millis(self.period.0.wrapping_shr(1))
    }
}

/// How final a tracked transaction is, as far as the DAG can tell. Never goes back; `Dead` only from the first two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In the window.
    #[default]
    Seen,
    /// Approved by q distinct members besides the issuer (and besides this node).
    Witnessed,
    /// Two rounds of more than two thirds of the weight.
    Quorum,
    /// It will never have an effect.
    Dead,
}

/// What insertion found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// Insertion number: grows by one with each vertex, wraps.
    pub sequence: u32,
    /// It conflicts with a vertex that is here: an `Equivocation` or `RivalTrims` change waits.
    pub conflict: bool,
    /// A parent of unknown cone: it approves nothing here.
    pub opaque: bool,
    /// A trim that this window cannot check in full (too much was evicted). Believe it from a full node only.
    pub unchecked: bool,
}

/// Something that the node must act on. Pulled with `Tangle::next_change` until `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A tracked transaction is approved by q distinct members.
    Witnessed(Id),
    /// A tracked transaction reached its Quorum here.
    Quorum(Id),
    /// A trim is certified: 3 AW > 2 W.
    TrimCertified {
        /// The trim.
        id: Id,
        /// Its cut.
        cut: Millis,
    },
    /// One number of one member, two ids, both with the same first parent: the two sides of a fork.
    Equivocation {
        /// The member.
        offender: MemberIndex,
        /// The side that was here first.
        a: Id,
        /// The side that came now.
        b: Id,
    },
    /// Two trims with one predecessor.
    RivalTrims {
        /// The GL-node.
        offender: MemberIndex,
        /// The trim that was here first.
        a: Id,
        /// The trim that came now.
        b: Id,
    },
    /// The first evidence against this member is in the DAG.
    Frozen(MemberIndex),
    /// A tracked vertex left the window by count. It is still tracked; its bytes are the node's to keep.
    Evicted(Id),
    /// No longer tracked: its slot was needed for a trim or a conflict.
    Untracked(Id),
}

/// The parameters of the weighted walk of *The Tangle*, section 4.1: P(x to y) proportional to exp(alpha * H_y).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// alpha in units of 2^-16: 0 walks blindly, 65,536 is alpha = 1.
    pub alpha: u32,
    /// Where the walk begins.
    pub start: Start,
}

/// Where a walk begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// A virtual root below every vertex without a parent in the window.
    #[default]
    Root,
    /// This vertex, for example G0.
    Vertex(Id),
    /// A virtual root below the oldest vertices not more than so many milliseconds before now: a bounded depth.
    Since(Millis),
}

/// A probability in units of 2^-32, from 0 to 2^32 inclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(pub u64);

impl Confidence {
    /// Certainty.
    pub const ONE: Self = Self(1 << 32);
}

/// A vertex of a Done and what became of it, in (time, id) order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The vertex.
    pub facts: Facts,
    /// It has its effect. Otherwise it is dead.
    pub lives: bool,
    /// Its approval weight in the trim's cone, by the newest table that the trim names.
    pub approval: u64,
}

/// What a trim decides: a pure function of its cone and the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The trim.
    pub trim: Id,
    /// Its predecessor.
    pub previous: Id,
    /// c of the predecessor.
    pub previous_cut: Millis,
    /// c.
    pub cut: Millis,
    /// The newest table that the trim names.
    pub epoch: Epoch,
    /// Number of vertices in Done.
    pub done: u32,
    /// How many of them live.
    pub living: u32,
    /// The new genesis; `None` if nothing lives: the old one stays.
    pub g0: Option<Id>,
}
