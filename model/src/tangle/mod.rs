//! The DAG of one neighbourhood: chains, equivocation, approval, Quorum in two rounds, trims, tables that change.
//!
//! *Views.* A node's view is a set of vertices closed under parents. What a vertex approves is a function of its cone; so what can be
//! granted on **any** honest view is a function of the DAG: a view that holds the second round is the union of its cones. Nothing is
//! therefore said of networks: a member may issue over whatever exists, stale or not, which is full asynchrony, and every property
//! is asked of all views at once. Members that only listen are views like any other.
//!
//! *Focus.* Only a few vertices are named (the slots): the transactions that the properties speak of, trims, evidence. All others carry
//! sight. Of its cone a vertex keeps which slots are in it, who approves them there, and whose late vertices it holds: these join
//! like sets, so the rules are computed exactly and vertices that no rule can tell apart become one.
//!
//! *Time.* Vertices are made in the order of their times, which any DAG can be. Times are steps within which chains may go on: a run of
//! this model is a run with millisecond times (spread each step's vertices in topological order over less than the slack between
//! two steps, and add half of it to T/2 and the cuts). Guilty members date as they like and are late as they like.
//!
//! *Guilty members* issue their slots (rivals among them), and carriers over any cone, on no chain: a real one can do less.

mod cone;
mod issue;
mod judge;
mod names;
pub mod scopes;

pub use cone::{Cone, MEMBERS, SLOTS};

use crate::rules::Rules;
use crate::search::{Model, Rng, Violation};

/// What a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A transaction above that of another slot on its chain, or above what was before.
    Tx {
        /// The slot below.
        on: Option<u8>,
    },
    /// A trim above another, or above the genesis.
    Trim {
        /// The predecessor's slot.
        previous: Option<u8>,
    },
    /// Evidence against a member that forked.
    Evidence {
        /// The forks that it proves.
        of: [u8; 2],
    },
}

/// A named vertex that may be issued once.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// What it is.
    pub kind: Kind,
    /// By whom; `None`: by any honest member.
    pub by: Option<u8>,
    /// Not before this time, and not after that.
    pub between: [u8; 2],
}

/// What others' vertices a member may issue over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hear {
    /// Any set of vertices.
    Any,
    /// Any set of members, of each its newest vertex (of guilty ones and slots any).
    Newest,
}

/// Which cones a trim may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Any.
    Every,
    /// For each set of members that speaks for it, the least and the most. What lives by a trim grows with its cone, so these decide
    /// whether anything at `Quorum` is dead and whether two rivals live.
    Extremes,
}

/// Members, slots, rules and bounds of a search.
#[derive(Clone, Debug)]
pub struct Tangle {
    /// A name for the tables.
    pub name: &'static str,
    /// How many members.
    pub members: u8,
    /// How many of them, the last, are guilty.
    pub guilty: u8,
    /// Weights by epoch, from 1 on; the last stays.
    pub tables: Vec<[u8; MEMBERS]>,
    /// The named vertices.
    pub slots: Vec<Slot>,
    /// What is in force.
    pub rules: Rules,
    /// T/2 in steps.
    pub half: u8,
    /// The last step.
    pub until: u8,
    /// Vertices of a member in one step, slots included: honest, guilty.
    pub per_step: [u8; 2],
    /// Vertices in all, while transactions can still be approved.
    pub most: usize,
    /// Whom a member hears.
    pub hear: Hear,
    /// What a trim hears.
    pub cuts: Cuts,
    /// An honest member that loses its memory, where one does.
    pub forgets: Option<u8>,
    /// The slot of a first trim that stands at the beginning, certified by all.
    pub begins_after: Option<u8>,
    /// Joins and leavers that a `Quorum` must outlive in the property "lives".
    pub margin: u32,
}

/// A vertex: who, when, and its cone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vertex {
    pub(crate) time: u8,
    pub(crate) member: u8,
    pub(crate) cone: Cone,
}

/// A slot that was issued.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Issued {
    /// 0: not yet.
    pub(crate) time: u8,
    pub(crate) issuer: u8,
    pub(crate) epoch: u8,
    /// The slots in its cone, itself included.
    pub(crate) seen: u8,
    /// Of a trim: cut, header named, what of the slots it covers, and what of these lives.
    pub(crate) cut: u8,
    pub(crate) names: u8,
    pub(crate) covers: u8,
    pub(crate) lives: u8,
}

/// The whole neighbourhood.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(crate) now: u8,
    pub(crate) slots: [Issued; SLOTS],
    /// Sorted.
    pub(crate) vertices: Vec<Vertex>,
    /// A node that pruned computes another Done than one that did not.
    pub(crate) disagree: bool,
    /// No vertex from here on can approve a transaction in time: which ones some view has at `Quorum`, and which with the margin.
    pub(crate) closed: Option<[u8; 2]>,
}

impl Tangle {
    fn honest(&self, member: u8) -> bool {
        member < self.members - self.guilty
    }

    fn weight(&self, epoch: u8, member: u8) -> u32 {
        let table = usize::from(epoch.max(1) - 1).min(self.tables.len() - 1);
        u32::from(self.tables[table][usize::from(member)])
    }

    /// Whether members (as bits) are more than two thirds by the table of an epoch.
    fn passes(&self, epoch: u8, members: u8, margin: u32) -> bool {
        let (mut all, mut with) = (0, 0);
        for m in 0..self.members {
            let w = self.weight(epoch, m);
            all += w;
            if members >> m & 1 == 1 {
                with += w;
            }
        }
        if self.rules.has(crate::Rule::TwoThirds) {
            3 * with > 2 * all + margin
        } else {
            2 * with > all
        }
    }

    fn is_trim(&self, slot: usize) -> bool {
        matches!(self.slots[slot].kind, Kind::Trim { .. })
    }

    fn is_tx(&self, slot: usize) -> bool {
        matches!(self.slots[slot].kind, Kind::Tx { .. })
    }

    /// Whether b is a, or below it on its chain.
    fn on_chain_of(&self, a: usize, b: usize) -> bool {
        let mut here = Some(a);
        while let Some(a) = here {
            if a == b {
                return true;
            }
            here = match self.slots[a].kind {
                Kind::Tx { on } => on.map(usize::from),
                _ => None,
            };
        }
        false
    }

    /// Two that exclude each other.
    fn conflict(&self, a: usize, b: usize) -> bool {
        a != b
            && match (self.slots[a].kind, self.slots[b].kind) {
                (Kind::Trim { previous: p }, Kind::Trim { previous: q }) => p == q,
                (Kind::Tx { .. }, Kind::Tx { .. }) => {
                    self.slots[a].by == self.slots[b].by
                        && !self.on_chain_of(a, b)
                        && !self.on_chain_of(b, a)
                }
                _ => false,
            }
    }

    /// Trims between this one and the genesis, itself included: the number of its header.
    fn height(&self, trim: usize) -> u8 {
        match self.slots[trim].kind {
            Kind::Trim { previous: Some(p) } => 1 + self.height(usize::from(p)),
            _ => 1,
        }
    }
}

impl Model for Tangle {
    type State = State;

    fn initial(&self) -> State {
        let mut state = State {
            now: 1,
            slots: [Issued::default(); SLOTS],
            vertices: Vec::new(),
            disagree: false,
            closed: None,
        };
        if let Some(trim) = self.begins_after {
            self.begin_after(&mut state, usize::from(trim));
        }
        state
    }

    fn successors(&self, state: &State, out: &mut Vec<State>) {
        let first = out.len();
        self.issue_all(state, out);
        if state.now < self.until && !self.over(state) {
            out.push(self.tick(state));
        }
        for after in out.iter_mut().skip(first) {
            self.forget(after);
        }
    }

    fn draw(&self, state: &State, rng: &mut Rng) -> Option<State> {
        self.issue_one(state, rng)
    }

    fn canonical(&self, state: State) -> State {
        self.rename(state)
    }

    fn violation(&self, state: &State) -> Option<Violation> {
        self.judge(state)
    }

    fn reached(&self, state: &State) -> u32 {
        self.marks(state)
    }

    fn milestones(&self) -> &'static [&'static str] {
        &judge::MILESTONES
    }

    fn bytes(&self, state: &State) -> usize {
        size_of::<State>() + state.vertices.capacity() * size_of::<Vertex>()
    }

    fn describe(&self, before: &State, after: &State) -> String {
        self.tell(before, after)
    }
}
