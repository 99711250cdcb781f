//! What a vertex knows: the part of its past cone that any rule can ask for.
//!
//! Invariant: a join semilattice. The cone of a vertex is the join of its parents' and what it adds itself, so it does not matter by
//! which of many DAGs it came about.

/// Members at most.
pub const MEMBERS: usize = 7;
/// Slots at most.
pub const SLOTS: usize = 6;

/// A nibble per member, joined by the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nibbles(pub u32);

impl Nibbles {
    pub fn get(self, member: u8) -> u8 {
        (self.0 >> (4 * member) & 15) as u8
    }

    pub fn raise(&mut self, member: u8, value: u8) {
        if value > self.get(member) {
            self.0 = self.0 & !(15 << (4 * member)) | u32::from(value) << (4 * member);
        }
    }

    fn join(&mut self, other: Nibbles) {
        if self.0 == 0 || self.0 == other.0 {
            self.0 = other.0;
        } else if other.0 != 0 {
            for m in 0..MEMBERS as u8 {
                self.raise(m, other.get(m));
            }
        }
    }

    /// The members whose value is at least this (which is not 0).
    pub fn at_least(self, value: u8) -> u8 {
        let mut out = 0;
        for m in 0..MEMBERS as u8 {
            if self.get(m) >= value {
                out |= 1 << m;
            }
        }
        out
    }

    pub fn renamed(self, names: &[u8; MEMBERS]) -> Nibbles {
        let mut out = 0;
        if self.0 != 0 {
            for (m, name) in names.iter().enumerate() {
                out |= (self.0 >> (4 * m) & 15) << (4 * name);
            }
        }
        Nibbles(out)
    }
}

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cone {
    /// The slots in it.
    pub seen: u8,
    /// Time of each member's newest vertex, where it can matter (it can be later than a cut + T/2); else 0.
    pub newest: Nibbles,
    /// Of a transaction: 15 less the time of the newest rival in the cone of the member's best approval in time (15: none, 0: no vertex).
    /// Of a trim: 15 less the time of the member's first approval.
    pub approval: [Nibbles; SLOTS],
}

impl Cone {
    pub fn join(&mut self, other: &Cone) {
        self.seen |= other.seen;
        self.newest.join(other.newest);
        for (own, other) in self.approval.iter_mut().zip(other.approval) {
            own.join(other);
        }
    }

    pub fn joined(mut self, other: &Cone) -> Cone {
        self.join(other);
        self
    }

    pub fn sees(&self, slot: usize) -> bool {
        self.seen >> slot & 1 == 1
    }

    pub fn renamed(&self, names: &[u8; MEMBERS]) -> Cone {
        Cone {
            seen: self.seen,
            newest: self.newest.renamed(names),
            approval: self.approval.map(|n| n.renamed(names)),
        }
    }
}
