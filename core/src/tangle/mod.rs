//! The bounded DAG: members, insert, weights, confidence, tip selection, trimming to G0.
//!
//! It is abstract: it sees ids and facts, never bytes or signatures. Whoever inserts a vertex has verified its signature
//! and its prefixes. Memory is the caller's; nothing costs more than O(N) for a window of N vertices, never O(history).
//!
//! The invariant: what a vertex approves is a function of its past cone alone, and a member's vertices are a chain, so no
//! honest member ever approves both sides of a conflict (Guerraoui et al., *The consensus number of a cryptocurrency*,
//! 2019; Shapiro et al., the blocklace). The cumulative weight, the walk and the confidence are those of *The Tangle*,
//! sections 2 to 4. The rules are written down in `docs/decisions/` and `docs/protocol.md` section 3.

mod error;
mod memory;
mod model;

pub use error::{InsertError, LimitsError, SelectError, TrackError, TrimError, VoidTrim};
pub use memory::{Limits, Member, Scratch, Sizes, TangleMemory, Tracked, Vertex, Work};
pub use model::{
    Change, Confidence, Cut, Effect, Facts, Head, Inserted, Outcome, Policy, Standing, Start,
    Stubs, Tables, Verdict, Walk,
};

use crate::{Id, MemberIndex, Millis, Number, Prefix};

/// The window of the LST-Tangle over memory that the caller gave.
#[derive(Debug)]
pub struct Tangle<'m> {
    memory: TangleMemory<'m>,
    policy: Policy,
    seed: u64,
    own: Option<MemberIndex>,
}

impl<'m> Tangle<'m> {
    /// An empty window. `seed` is random and secret: it keys the hash table.
    ///
    /// # Errors
    /// Memory shorter than [`Limits::sizes`], or limits or a policy out of range.
    pub fn new(memory: TangleMemory<'m>, policy: Policy, seed: u64) -> Result<Self, LimitsError> {
        Ok(Self {
            memory,
            policy,
            seed,
            own: None,
        })
    }

    /// Tells which member this node is: its own vertices do not witness, its own head is the base of tip selection.
    pub fn set_own(&mut self, own: Option<MemberIndex>) {
        self.own = own;
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Inserts a vertex whose signature was verified over `parents`, the full ids in transaction order (first parent first).
    ///
    /// # Errors
    /// Every refusal has its own error, and nothing changes.
    pub fn insert<T: Tables + ?Sized>(
        &mut self,
        _tables: &T,
        _facts: &Facts,
        _parents: &[Id],
        _stubs: Stubs,
    ) -> Result<Inserted, InsertError> {
        Err(InsertError::Busy)
    }

    /// The next change to act on. Insertion refuses with `Busy` while too many wait.
    pub fn next_change(&mut self) -> Option<Change> {
        None
    }

    /// To be called when a header settled and the tables changed: approval by the newest table is counted anew.
    /// (Insertion does it too when it sees a new header.)
    pub fn tables_changed<T: Tables + ?Sized>(&mut self, _tables: &T) {}

    /// Follows a transaction of the window: own, received, anything whose standing matters. Trims and both sides of a
    /// conflict are followed by themselves. Doing it twice is fine.
    ///
    /// # Errors
    /// Not here, or no free slot.
    pub fn track<T: Tables + ?Sized>(&mut self, _tables: &T, _id: &Id) -> Result<(), TrackError> {
        Err(TrackError::NotHere)
    }

    /// Frees the slot of a transaction, for example when its receipt is stored. False: it was not tracked.
    pub fn untrack(&mut self, _id: &Id) -> bool {
        false
    }

    /// How final a tracked transaction is; `None` when it is not tracked.
    #[must_use]
    pub fn standing(&self, _id: &Id) -> Option<Standing> {
        None
    }

    /// Whether this node may grant `Quorum` to a tracked transaction from what it saw itself. False after a reset, an aged stub
    /// or a fork that it cannot see in full: ask q neighbours or a full node, and tell the answer with `raise`.
    #[must_use]
    pub fn can_judge(&self, _id: &Id) -> bool {
        false
    }

    /// Raises the standing of a tracked transaction on the word of others (q neighbours, a full node, a settled header).
    /// A standing never goes back, and `Dead` follows only `Seen` and `Witnessed`. Returns the standing after the call.
    pub fn raise(&mut self, _id: &Id, _to: Standing) -> Option<Standing> {
        None
    }

    /// What was missed is not known (reset, restored state): `Quorum` is withheld from everything tracked now.
    pub fn doubt_all(&mut self) {}

    /// Whether a tracked trim is certified here.
    #[must_use]
    pub fn certified(&self, _trim: &Id) -> bool {
        false
    }

    /// Chooses up to `out.len()` tips, each drawn independently with the same probability from the pool of tips that are fresh, not of a frozen
    /// member, and that may be joined with this node's head (never both sides of a conflict, except above evidence).
    /// Returns how many distinct ones there are: what to put beside the first parent, unsorted. Never this node's head.
    pub fn select(&self, _now: Millis, _rng: &mut impl FnMut() -> u32, _out: &mut [Id]) -> usize {
        0
    }

    /// The same by the weighted walk.
    ///
    /// # Errors
    /// Scratch memory too short, or a start that is not here.
    pub fn select_weighted(
        &self,
        _walk: &Walk,
        _now: Millis,
        _rng: &mut impl FnMut() -> u32,
        _scratch: &mut Scratch<'_>,
        _out: &mut [Id],
    ) -> Result<usize, SelectError> {
        Err(SelectError::Scratch)
    }

    /// Cumulative weight H of every vertex: 1 + the size of its future cone in the window. Told in (time, id) order.
    ///
    /// # Errors
    /// Scratch memory too short.
    pub fn weights(
        &self,
        _scratch: &mut Scratch<'_>,
        _out: impl FnMut(&Id, u32),
    ) -> Result<(), SelectError> {
        Err(SelectError::Scratch)
    }

    /// Confidence of every vertex: the probability that the tip which the walk reaches has it in its cone. Told in (time, id) order. Exact but for
    /// rounding; the tips' probabilities sum to one.
    ///
    /// # Errors
    /// Scratch memory too short, or a start that is not here.
    pub fn confidences(
        &self,
        _walk: &Walk,
        _now: Millis,
        _scratch: &mut Scratch<'_>,
        _out: impl FnMut(&Id, Confidence),
    ) -> Result<(), SelectError> {
        Err(SelectError::Scratch)
    }

    /// Evaluates a trim: Done, who lives, G0. Tells every vertex of Done in (time, id) order, which is topological: the order of settlement.
    /// `tables` must be those after the previous trim's header (its chain heads are where chains begin).
    ///
    /// # Errors
    /// See [`TrimError`]; `out` has been called for nothing then.
    pub fn evaluate<T: Tables + ?Sized>(
        &self,
        _trim: &Id,
        _tables: &T,
        _scratch: &mut Scratch<'_>,
        _out: impl FnMut(&Verdict),
    ) -> Result<Outcome, TrimError> {
        Err(TrimError::NotHere)
    }

    /// Forgets what a certified trim with this cut settles: vertices at or below it are no longer tips and no longer gossiped. They stay readable, and
    /// walks still pass them, until newer ones need their slots. Tracked ones stay tracked.
    pub fn prune(&mut self, _cut: Millis) {}

    /// Facts of a vertex of the window.
    #[must_use]
    pub fn get(&self, _id: &Id) -> Option<Facts> {
        None
    }

    /// Whether a vertex is in the window.
    #[must_use]
    pub fn contains(&self, id: &Id) -> bool {
        self.get(id).is_some()
    }

    /// Full ids of the vertices with this prefix: normally one. Two mean that a signature must decide.
    pub fn lookup(&self, _prefix: &Prefix) -> impl Iterator<Item = Id> + '_ {
        core::iter::empty()
    }

    /// Parents of a vertex in transaction order; `None` for those that are not in the window.
    pub fn parents(&self, _id: &Id) -> impl Iterator<Item = Option<Id>> + '_ {
        core::iter::empty()
    }

    /// Vertices from this insertion number on, in insertion order: what to gossip, and how to replay the window. Those pruned are left out.
    pub fn since(&self, _sequence: u32) -> impl Iterator<Item = (u32, Facts)> + '_ {
        core::iter::empty()
    }

    /// Insertion number that the next vertex gets.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        0
    }

    /// Vertices without a child.
    pub fn tips(&self) -> impl Iterator<Item = Id> + '_ {
        core::iter::empty()
    }

    /// Newest vertex of a member here (of the branch that came first): number, id and lifetime debits D. Falls back to the table's chain head.
    #[must_use]
    pub fn head<T: Tables + ?Sized>(&self, tables: &T, member: MemberIndex) -> Option<Head> {
        tables.head(member)
    }

    /// Time of the newest vertex of a member here.
    #[must_use]
    pub fn head_time(&self, _member: MemberIndex) -> Option<Millis> {
        None
    }

    /// Highest number inserted of a member, on any branch; 0 if none.
    #[must_use]
    pub fn highest(&self, _member: MemberIndex) -> Number {
        Number(0)
    }

    /// Whether evidence against this member is in the DAG.
    #[must_use]
    pub fn frozen(&self, _member: MemberIndex) -> bool {
        false
    }

    /// Vertices in the window now.
    #[must_use]
    pub fn len(&self) -> usize {
        0
    }

    /// Whether the window is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
