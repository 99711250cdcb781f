//! The rules that can be switched off, one by one, to see what they hold up.

/// A rule of the L-Chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    /// A vertex approves x only when its cone holds no rival of x.
    NoRival,
    /// Evidence against the issuer of x in the cone is no approval either.
    NoEvidence,
    /// Approval and both rounds count until time(x) + T/2 only.
    TimeLimit,
    /// Quorum takes a second round.
    SecondRound,
    /// More than two thirds. Off: more than half.
    TwoThirds,
    /// A trim is void unless members with 3 w > 2 W speak later than c + T/2 in its cone.
    FreshQuorum,
    /// A trim's predecessor is certified in its cone.
    Certified,
    /// AW on a trim counts only where no rival trim was seen.
    TrimRival,
    /// A trim cuts at its predecessor's time or later.
    CutAfterTrim,
    /// A trim's predecessor is certified by vertices that are not later than its cut.
    CertifiedByCut,
    /// A trim names the header of its predecessor, not an older one.
    NamesPrevious,
    /// No Quorum on a node that holds a trim older than x which x lacks.
    Lag,
    /// A chain that misses the chain head of the table is dead.
    ChainHead,
    /// A trim looks only above the previous cut.
    Floor,
    /// What lives passes by the table of its epoch and by that which the trim names.
    BothTables,
    /// A table changes by at most max(one member, W/10) leaving, and joins alike.
    ChangeBound,
    /// An honest member goes on from its own newest vertex, whatever it lost.
    OwnHead,
    /// An issuer's debits run on over what died.
    DebitsRunOn,
    /// What died below is given back by the settlement.
    GiveBack,
    /// D <= C of the table of the transaction's epoch, which later tables only raise.
    Credits,
    /// Content is issued again only once a settled table shows that the first is dead.
    AgainWhenDead,
    /// What is issued again stands on top of the dead one, under a new number.
    AgainOnTop,
    /// Only what is above the chain head is settled (number > head).
    NumberAboveHead,
    /// Done begins above the previous cut.
    AboveCut,
    /// If one of a chain lives, so does everything of Done below it.
    LifeBelow,
}

impl Rule {
    /// All of them.
    pub const ALL: [Rule; 25] = [
        Rule::NoRival,
        Rule::NoEvidence,
        Rule::TimeLimit,
        Rule::SecondRound,
        Rule::TwoThirds,
        Rule::FreshQuorum,
        Rule::Certified,
        Rule::TrimRival,
        Rule::CutAfterTrim,
        Rule::CertifiedByCut,
        Rule::NamesPrevious,
        Rule::Lag,
        Rule::ChainHead,
        Rule::Floor,
        Rule::BothTables,
        Rule::ChangeBound,
        Rule::OwnHead,
        Rule::DebitsRunOn,
        Rule::GiveBack,
        Rule::Credits,
        Rule::AgainWhenDead,
        Rule::AgainOnTop,
        Rule::NumberAboveHead,
        Rule::AboveCut,
        Rule::LifeBelow,
    ];
}

/// Which rules are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules(u32);

impl Rules {
    /// All of them.
    pub const ALL: Rules = Rules(u32::MAX);

    /// All of these but one.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Rules {
        Rules(self.0 & !(1 << rule as u8))
    }

    /// Whether a rule is in force.
    #[must_use]
    pub const fn has(self, rule: Rule) -> bool {
        self.0 >> rule as u8 & 1 == 1
    }
}
