//! The bounded DAG: members, insert, weights, confidence, tip selection, trimming to G0.
//!
//! It is abstract: it sees ids and facts, never bytes or signatures. Whoever inserts a vertex has verified its signature
//! and its prefixes. Memory is the caller's; nothing costs more than O(N) for a window of N vertices, never O(history).
//!
//! The invariant: what a vertex approves is a function of its past cone alone, and a member's vertices are a chain, so no
//! honest member ever approves both sides of a conflict (Guerraoui et al., *The consensus number of a cryptocurrency*,
//! 2019; Shapiro et al., the blocklace). The cumulative weight, the walk and the confidence are those of *The Tangle*,
//! sections 2 to 4. The rules are written down in `docs/decisions/` and `docs/protocol.md` section 3.

mod access;
mod approval;
mod base;
mod certificate;
mod chain;
mod commit;
mod confidence;
mod error;
mod insert;
mod memory;
mod model;
mod quorum;
mod recent;
mod sets;
mod tips;
mod tracks;
mod trim;
mod weight;
mod window;
mod word;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use error::{InsertError, LimitsError, SelectError, TrackError, TrimError, VoidTrim};
pub use memory::{Limits, Member, Scratch, Sizes, TangleMemory, Tracked, Vertex, Work};
pub use model::{
    Change, Confidence, Cut, Effect, Facts, Head, Inserted, Outcome, Policy, Standing, Start,
    Stubs, Tables, Verdict, Walk,
};

use crate::{Epoch, Id, MemberIndex, Millis, Number, Prefix};
use approval::{FORKED, FROZEN};
use sets::Sets;
use tracks::{CERTIFIED, DOUBTED, Interest, NEWS_CERTIFIED, Tracks};
use window::Window;

/// Structural changes that wait; standings wait in their slots and need none of it.
const WAITING: usize = 8;
/// The most that one insertion adds: an equivocation, a rival trim, a freeze and three slots taken from conflicts.
const PER_INSERTION: usize = 6;

/// Changes that are not the standing of a tracked transaction, in the order in which they came.
#[derive(Debug)]
struct Changes {
    waiting: [Option<Change>; WAITING],
    count: usize,
}

impl Changes {
    fn has_room(&self) -> bool {
        self.count.saturating_add(PER_INSERTION) <= WAITING
    }

    fn push(&mut self, change: Change) {
        if let Some(place) = self.waiting.get_mut(self.count) {
            *place = Some(change);
            self.count = self.count.wrapping_add(1);
        }
    }

    fn pull(&mut self) -> Option<Change> {
        let change = self.waiting.first_mut()?.take()?;
        self.waiting.rotate_left(1);
        self.count = self.count.saturating_sub(1);
        Some(change)
    }
}

/// What is known of a recent trim, which may be evicted by then: the predecessor that it names, and which epoch it hands on.
#[derive(Clone, Copy, Debug, Default)]
struct TrimNote {
    id: Id,
    previous: Id,
    time: Millis,
    epoch: Epoch,
}

/// The window of the LST-Tangle over memory that the caller gave.
#[derive(Debug)]
pub struct Tangle<'m> {
    window: Window<'m>,
    members: &'m mut [Member],
    sets: Sets<'m>,
    settled: &'m mut [Number],
    marks: &'m mut [u64],
    tracks: Tracks<'m>,
    changes: Changes,
    trims: [TrimNote; 8],
    policy: Policy,
    own: Option<MemberIndex>,
    /// The newest table by which approval is counted.
    newest: Epoch,
    /// No vertex above this time is missing below the window.
    horizon: Millis,
    /// The highest cut that was pruned.
    pruned: Millis,
    evicted: u64,
    /// The newest vertex of unknown cone.
    opaque: Option<u32>,
}

impl<'m> Tangle<'m> {
    /// An empty window. `seed` is random and secret: it keys the hash table.
    ///
    /// # Errors
    /// Memory shorter than [`Limits::sizes`] for `memory.vertices.len()` vertices, or limits or a policy out of range.
    pub fn new(memory: TangleMemory<'m>, policy: Policy, seed: u64) -> Result<Self, LimitsError> {
        let sizes = Limits {
            capacity: memory.vertices.len(),
            members: memory.members.len(),
            tracked: memory.tracked.len(),
        }
        .sizes()?;
        let (Some(index), Some(tips), Some(marks), Some(sets)) = (
            memory.index.get_mut(..sizes.index),
            memory.tips.get_mut(..sizes.tips),
            memory.marks.get_mut(..sizes.marks),
            memory.sets.get_mut(..sizes.sets),
        ) else {
            return Err(LimitsError::Memory);
        };
        let most = policy.max_parent_age.0.saturating_mul(4);
        if policy.period.0 == 0 || most > policy.period.0 {
            return Err(LimitsError::Policy);
        }
        memory.members.fill(Member::EMPTY);
        memory.settled.fill(Number(0));
        Ok(Self {
            window: Window::new(memory.vertices, index, tips, seed),
            members: memory.members,
            sets: Sets::new(sets, sizes.tracked),
            settled: memory.settled,
            marks,
            tracks: Tracks::new(memory.tracked),
            changes: Changes {
                waiting: [None; WAITING],
                count: 0,
            },
            trims: [TrimNote::default(); 8],
            policy,
            own: None,
            newest: Epoch(0),
            horizon: Millis(0),
            pruned: Millis(0),
            evicted: 0,
            opaque: None,
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

    /// The next change to act on. Insertion refuses with `Busy` while too many wait.
    pub fn next_change(&mut self) -> Option<Change> {
        self.changes.pull().or_else(|| self.tracks.next_change())
    }

    /// To be called when a header settled and the tables changed: approval by the newest table is counted anew.
    /// (Insertion does it too when it sees a new header.)
    pub fn tables_changed<T: Tables + ?Sized>(&mut self, tables: &T) {
        self.refresh(tables);
    }

    /// Follows a transaction of the window: own, received, anything whose standing matters. Trims and both sides of a
    /// conflict are followed by themselves. Doing it twice is fine.
    ///
    /// # Errors
    /// Not here, or no free slot.
    pub fn track<T: Tables + ?Sized>(&mut self, tables: &T, id: &Id) -> Result<(), TrackError> {
        let slot = self.window.find(id).ok_or(TrackError::NotHere)?;
        let issuer = self.window.at(slot).issuer;
        let contested = self.member(issuer).flags & (FORKED | FROZEN) != 0;
        self.refresh(tables);
        self.track_slot(tables, slot, Interest::Asked, contested)?;
        // A z may be among the tips already; later ones are tested as they come.
        if self.window.age(slot) != 0 {
            let tips: [Option<u16>; 8] = {
                let mut tips = self.window.tips();
                core::array::from_fn(|_| tips.next())
            };
            for tip in tips.into_iter().flatten() {
                self.first_round(tables, tip);
                self.second_round(tables, tip);
            }
            let used = self.tracks.used;
            self.grade(tables, used);
        }
        Ok(())
    }

    /// Frees the slot of a transaction, for example when its receipt is stored. False: it was not tracked. O(N).
    pub fn untrack(&mut self, id: &Id) -> bool {
        let Some(i) = self.tracks.find(id) else {
            return false;
        };
        self.drop_track(i);
        true
    }

    /// How final a tracked transaction is; `None` when it is not tracked.
    #[must_use]
    pub fn standing(&self, id: &Id) -> Option<Standing> {
        self.tracked(id).map(|x| x.standing)
    }

    fn tracked(&self, id: &Id) -> Option<&Tracked> {
        self.tracks.get(self.tracks.find(id)?)
    }

    /// Approval weight of a tracked transaction, by the table of its epoch.
    #[must_use]
    pub fn approval_weight(&self, id: &Id) -> Option<u64> {
        self.tracked(id).map(|x| {
            let [own, _] = x.approval;
            own
        })
    }

    /// Whether this node may grant `Quorum` to a tracked transaction from what it saw itself. False after a reset, an aged stub
    /// or a fork that it cannot see in full: ask q neighbours or a full node, and tell the answer with `raise`.
    #[must_use]
    pub fn can_judge(&self, id: &Id) -> bool {
        self.tracked(id).is_some_and(|x| x.flags & DOUBTED == 0)
    }

    /// Raises the standing of a tracked transaction on the word of others (q neighbours, a full node, a settled header); `Quorum`
    /// for a trim certifies it. A standing never goes back, and `Dead` follows only `Seen` and `Witnessed`. Returns the
    /// standing after the call. No change is told: the caller knows.
    pub fn raise(&mut self, id: &Id, to: Standing) -> Option<Standing> {
        let i = self.tracks.find(id)?;
        let x = self.tracks.get_mut(i)?;
        if x.standing < Standing::Quorum && to > x.standing {
            x.standing = to;
            if to == Standing::Quorum && x.is_trim() {
                x.flags |= CERTIFIED;
                x.news &= !NEWS_CERTIFIED;
            }
        }
        Some(x.standing)
    }

    /// What was missed is not known (reset, restored state): `Quorum` is withheld from everything tracked now.
    pub fn doubt_all(&mut self) {
        for i in tracks::bits(self.tracks.used) {
            if let Some(x) = self.tracks.get_mut(i) {
                x.flags |= DOUBTED;
            }
        }
    }

    /// Whether a tracked trim is certified here.
    #[must_use]
    pub fn certified(&self, trim: &Id) -> bool {
        self.tracked(trim).is_some_and(|x| x.flags & CERTIFIED != 0)
    }

    /// Forgets what a certified trim with this cut settles: vertices at or below it are no longer tips and no longer
    /// gossiped. They stay readable, and walks still pass them, until newer ones need their slots. Tracked ones stay tracked, but for
    /// trims with an earlier cut.
    pub fn prune(&mut self, cut: Millis) {
        self.pruned = self.pruned.max(cut);
        self.window.retire_tips(cut);
        // Trims are followed unasked: those below the settled one would take all slots in the end, and the next could not be certified.
        for i in tracks::bits(self.tracks.used & self.tracks.trims) {
            if self.tracks.get(i).is_some_and(|x| x.cut < cut) {
                self.drop_track(i);
            }
        }
    }

    /// Facts of a vertex of the window.
    #[must_use]
    pub fn get(&self, id: &Id) -> Option<Facts> {
        Some(self.facts(self.window.find(id)?))
    }

    /// Whether a vertex is in the window.
    #[must_use]
    pub fn contains(&self, id: &Id) -> bool {
        self.window.find(id).is_some()
    }

    /// Full ids of the vertices with this prefix: normally one. Two mean that a signature must decide.
    pub fn lookup(&self, prefix: &Prefix) -> impl Iterator<Item = Id> + '_ {
        self.window
            .with_prefix(prefix)
            .map(|slot| self.window.at(slot).id)
    }

    /// Parents of a vertex in transaction order; `None` for those that are not in the window.
    pub fn parents(&self, id: &Id) -> impl Iterator<Item = Option<Id>> + '_ {
        let slot = self.window.find(id);
        let count = slot.map_or(0, |s| self.window.at(s).count);
        (0..count).map(move |position| {
            let parent = self.window.parent(slot?, position)?;
            Some(self.window.at(parent).id)
        })
    }

    /// Vertices from this insertion number on, in insertion order: what to gossip, and how to replay the window. Those
    /// pruned are left out. A number that is no longer in the window begins at its oldest vertex.
    pub fn since(&self, sequence: u32) -> impl Iterator<Item = (u32, Facts)> + '_ {
        let wanted = self.window.next().wrapping_sub(sequence) as usize;
        let skip = self.window.len().saturating_sub(wanted);
        self.window
            .oldest_first()
            .skip(skip)
            .filter(|&slot| self.window.at(slot).time > self.pruned)
            .map(|slot| (self.window.sequence(slot), self.facts(slot)))
    }

    /// Everything in the window in insertion order, with what is pruned: what a node that comes back may lack.
    pub fn held(&self) -> impl Iterator<Item = (u32, Facts)> + '_ {
        self.window
            .oldest_first()
            .map(|slot| (self.window.sequence(slot), self.facts(slot)))
    }

    /// Insertion number that the next vertex gets.
    #[must_use]
    pub fn next_sequence(&self) -> u32 {
        self.window.next()
    }

    /// Vertices without a child.
    pub fn tips(&self) -> impl Iterator<Item = Id> + '_ {
        self.window.tips().map(|slot| self.window.at(slot).id)
    }

    /// Newest vertex of a member here (of the branch that came first): number, id and lifetime debits D. The table's chain
    /// head, if that is further or nothing is here.
    #[must_use]
    pub fn head<T: Tables + ?Sized>(&self, tables: &T, member: MemberIndex) -> Option<Head> {
        let state = self.member(member);
        let settled = tables.head(member);
        if state.number.0 == 0 || settled.is_some_and(|head| head.number > state.number) {
            return settled;
        }
        Some(Head {
            number: state.number,
            id: state.head(),
            debits: state.debits,
        })
    }

    /// Time of the newest vertex of a member here.
    #[must_use]
    pub fn head_time(&self, member: MemberIndex) -> Option<Millis> {
        let state = self.member(member);
        (state.number.0 > 0).then_some(state.time)
    }

    /// Highest number inserted of a member, on any branch; 0 if none.
    #[must_use]
    pub fn highest(&self, member: MemberIndex) -> Number {
        self.member(member).highest
    }

    /// Whether evidence against this member is in the DAG.
    #[must_use]
    pub fn frozen(&self, member: MemberIndex) -> bool {
        self.member(member).flags & FROZEN != 0
    }

    /// Whether two vertices of this member that exclude each other are or were here.
    #[must_use]
    pub fn forked(&self, member: MemberIndex) -> bool {
        self.member(member).flags & FORKED != 0
    }

    /// Vertices in the window now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.window.len()
    }

    /// Whether the window is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.window.len() == 0
    }

    /// Members that there is room for.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// N.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.window.capacity()
    }

    /// How many vertices left the window by count.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }
}
