//! The memory that the caller gives, and what lies in it.
//!
//! A vertex is 128 bytes on a 32-bit and a 64-bit machine alike; parents are slots of the ring, so that a parent is here
//! iff its slot still holds an older vertex than the child.

use super::error::LimitsError;
use super::model::Standing;
use super::recent::Kept;
use super::sets;
use crate::rules::{self, Rule};
use crate::{Amount, Epoch, Id, MemberIndex, Millis, Number};

/// How much the tangle shall hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// N: vertices in the window, a power of two from 32 to 65,536.
    pub capacity: usize,
    /// Members of the neighbourhood, 1 to 65,535.
    pub members: usize,
    /// Transactions that are followed at once, 4 to 64: own and received ones, conflicts and trims.
    pub tracked: usize,
}

/// Element counts of the slices in [`TangleMemory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Of `vertices`.
    pub vertices: usize,
    /// Of `index`.
    pub index: usize,
    /// Of `tips`.
    pub tips: usize,
    /// Of `marks`.
    pub marks: usize,
    /// Of `members`.
    pub members: usize,
    /// Of `sets`.
    pub sets: usize,
    /// Of `settled`, where evaluation of trims is wanted; else 0 will do.
    pub settled: usize,
    /// Of `tracked`.
    pub tracked: usize,
}

impl Limits {
    /// How many elements each slice needs.
    ///
    /// # Errors
    /// A limit out of its range.
    pub const fn sizes(self) -> Result<Sizes, LimitsError> {
        if self.capacity < 32 || self.capacity > 65_536 || !self.capacity.is_power_of_two() {
            return Err(LimitsError::Capacity);
        }
        if self.members == 0 || self.members > 65_535 {
            return Err(LimitsError::Members);
        }
        if self.tracked < 4 || self.tracked > 64 {
            return Err(LimitsError::Tracked);
        }
        Ok(Sizes {
            vertices: self.capacity,
            index: self.capacity.wrapping_mul(2),
            tips: self.capacity,
            marks: self.capacity.div_ceil(64),
            members: self.members,
            sets: self
                .members
                .wrapping_mul(sets::PER_MEMBER)
                .wrapping_mul(sets::width(self.tracked)),
            settled: self.members,
            tracked: self.tracked,
        })
    }
}

/// The slices that a tangle lives in. Their first contents do not matter.
#[derive(Debug)]
pub struct TangleMemory<'m> {
    /// The ring of vertices.
    pub vertices: &'m mut [Vertex],
    /// The hash table from ids to slots.
    pub index: &'m mut [u32],
    /// The pool of tips.
    pub tips: &'m mut [u16],
    /// One bit per vertex for walks.
    pub marks: &'m mut [u64],
    /// One state per member.
    pub members: &'m mut [Member],
    /// What each member has of the transactions that are followed.
    pub sets: &'m mut [u8],
    /// Number of each member's chain head when the tables last changed. Without it (an empty slice) it is not judged which branch of a forked member its
    /// head is on, and a trim above such a branch is not evaluated: who never closes epochs needs neither.
    pub settled: &'m mut [Number],
    /// The transactions that are followed.
    pub tracked: &'m mut [Tracked],
}

/// What is tracked of a past cone: bit i stands for tracked slot i.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    /// x is in the cone.
    pub seen: u64,
    /// A rival of x is in the cone.
    pub rival: u64,
    /// Evidence against the issuer of x is in the cone.
    pub evident: u64,
    /// The first-round vertex z of x is in the cone; before there is one, the base of x (see `base`).
    pub above: u64,
}

impl Masks {
    /// What the cones hold together.
    pub(super) const fn join(self, other: Self) -> Self {
        Self {
            seen: self.seen | other.seen,
            rival: self.rival | other.rival,
            evident: self.evident | other.evident,
            above: self.above | other.above,
        }
    }

    /// Without these bits.
    pub(super) const fn without(self, bits: u64) -> Self {
        Self {
            seen: self.seen & !bits,
            rival: self.rival & !bits,
            evident: self.evident & !bits,
            above: self.above & !bits,
        }
    }

    /// Bits of the tracked transactions of which the cone holds both sides without evidence.
    pub(super) const fn torn(self) -> u64 {
        self.seen & self.rival & !self.evident
    }

    /// Bits of the tracked transactions that a vertex with this cone approves. Evidence against the GL-node does not count
    /// against its trims: only a rival trim or a fork does.
    pub(super) fn approves(self, trims: u64) -> u64 {
        if !rules::on(Rule::Rivals) {
            return self.seen;
        }
        self.seen & !self.rival & !(self.evident & !trims)
    }
}

/// A slot of the window. Opaque to callers; public so that they can give the memory.
#[derive(Clone, Copy, Debug)]
pub struct Vertex {
    pub(super) id: Id,
    pub(super) time: Millis,
    /// D of the chain with this vertex.
    pub(super) debits: Amount,
    /// Amount of a transfer or exit, cut of a trim.
    pub(super) value: u64,
    pub(super) masks: Masks,
    pub(super) parents: [u16; 8],
    pub(super) number: Number,
    pub(super) epoch: Epoch,
    /// Payee, offender or header number.
    pub(super) other: u32,
    pub(super) issuer: MemberIndex,
    /// Slot of a trim's predecessor.
    pub(super) previous: u16,
    /// Place in the tip pool.
    pub(super) tip: u16,
    pub(super) count: u8,
    /// Bit i: the parent at position i was not here at insertion.
    pub(super) absent: u8,
    pub(super) kind: u8,
    pub(super) flags: u8,
}

impl Vertex {
    /// An empty slot.
    pub const EMPTY: Self = Self {
        id: Id::ZERO,
        time: Millis(0),
        debits: Amount(0),
        value: 0,
        masks: Masks {
            seen: 0,
            rival: 0,
            evident: 0,
            above: 0,
        },
        parents: [0; 8],
        number: Number(0),
        epoch: Epoch(0),
        other: 0,
        issuer: MemberIndex(0),
        previous: 0,
        tip: 0,
        count: 0,
        absent: 0,
        kind: 0,
        flags: 0,
    };
}

impl Default for Vertex {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// What is kept of a member, whatever was evicted; what it has of the followed transactions is in `sets`. Opaque to callers.
///
/// A neighbourhood of 1,000 members pays each byte here with a kilobyte, so nothing is padded.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
pub struct Member {
    /// Newest vertex of the branch that was here first.
    /// As bytes: an id is aligned, and this is packed.
    pub(super) head: [u8; 32],
    pub(super) time: Millis,
    pub(super) debits: Amount,
    /// Number of the head; 0: nothing inserted.
    pub(super) number: Number,
    /// Highest number inserted, on any branch.
    pub(super) highest: Number,
    pub(super) epoch: Epoch,
    pub(super) slot: u16,
    pub(super) flags: u8,
}

impl Member {
    /// A member of whom nothing was heard.
    pub const EMPTY: Self = Self {
        head: [0; 32],
        time: Millis(0),
        debits: Amount(0),
        number: Number(0),
        highest: Number(0),
        epoch: Epoch(0),
        slot: 0,
        flags: 0,
    };

    pub(super) const fn head(&self) -> Id {
        Id(self.head)
    }
}

impl Default for Member {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A transaction that is followed. Opaque to callers.
#[derive(Clone, Copy, Debug)]
pub struct Tracked {
    pub(super) id: Id,
    /// Predecessor, for a trim.
    pub(super) previous: Id,
    pub(super) time: Millis,
    /// Cut, for a trim.
    pub(super) cut: Millis,
    /// Weight of the members that approve, by the table of its epoch and by the newest.
    pub(super) approval: [u64; 2],
    /// The same for the members above z; before there is a z, for those of the base.
    pub(super) second: [u64; 2],
    pub(super) number: Number,
    pub(super) epoch: Epoch,
    pub(super) age: u32,
    /// Insertion number of the newest first approval of a member.
    pub(super) noted: u32,
    /// Bit j: the vertex inserted j before that was one too. Of members with weight and one chain only.
    pub(super) firsts: Kept,
    /// By how much `approval` is above the least that passes, by the table of its epoch; while z is looked for.
    pub(super) slack: u32,
    /// At least so much of `approval`, by the table of its epoch, is in no cone that is held here: of members without an approving vertex in the
    /// window or the base.
    pub(super) beyond: u32,
    pub(super) issuer: MemberIndex,
    pub(super) witnesses: u16,
    pub(super) standing: Standing,
    pub(super) flags: u8,
    /// Changes not yet told.
    pub(super) news: u8,
}

impl Tracked {
    /// A free slot.
    pub const EMPTY: Self = Self {
        id: Id::ZERO,
        previous: Id::ZERO,
        time: Millis(0),
        cut: Millis(0),
        approval: [0; 2],
        second: [0; 2],
        number: Number(0),
        epoch: Epoch(0),
        age: 0,
        noted: 0,
        firsts: Kept(0),
        slack: 0,
        beyond: 0,
        issuer: MemberIndex(0),
        witnesses: 0,
        standing: Standing::Seen,
        flags: 0,
        news: 0,
    };
}

impl Default for Tracked {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Working memory for one call, per vertex of the window. Its contents do not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    pub(super) a: u64,
    pub(super) b: u64,
    pub(super) c: u64,
    pub(super) value: u64,
    pub(super) weight: u32,
    pub(super) flags: u32,
}

/// Working memory for the passes over the whole window: weights, confidence, the weighted walk, a trim's evaluation.
#[derive(Debug)]
pub struct Scratch<'s> {
    /// At least N.
    pub work: &'s mut [Work],
    /// At least N.
    pub order: &'s mut [u16],
    /// At least as many as members.
    pub members: &'s mut [u64],
}
