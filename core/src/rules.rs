//! The rules of DESIGN 5 that the simulator can switch off, to show what each of them is for.
//!
//! Invariant: in every build of the product `on` is a constant, so that the compiled library is the same as without this module. Only a build with
//! `RUSTFLAGS="--cfg iotedge_rules_off"` has switches. It is no cargo feature, since features of a workspace are unified: nobody can
//! get it by depending on something. The switches belong to a thread; a run of the simulator on one thread switches all its nodes.

/// A rule, by what it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// 5.2: the first parent is the issuer's own previous transaction.
    Chain,
    /// 5.2: time strictly above every parent's.
    TimeAbove,
    /// 5.2: at most P_max above every parent's but the first.
    ParentAge,
    /// 5.2: the whole payload is in storage before its first byte leaves.
    StoredFirst,
    /// 5.2: after a start a device is silent until q neighbours agree on its chain head.
    Recovery,
    /// 5.3: what has a rival or evidence in its cone does not approve.
    Rivals,
    /// 5.3: approvals count up to T/2.
    TimeLimit,
    /// 5.3: Quorum takes two rounds.
    TwoRounds,
    /// 5.3: weight counts members, not vertices.
    Members,
    /// 5.3: evidence freezes its offender.
    Freeze,
    /// 5.3: q distinct members before any Quorum.
    Witnesses,
    /// 0011: no Quorum for what a trim overtook.
    Overtaken,
    /// 5.5: a trim holds a vertex later than c + T/2 of two thirds.
    Fresh,
    /// 5.5: a trim's predecessor is certified in its cone.
    Certified,
    /// 0011, 0015: no trim cuts before its predecessor was certified.
    CertifiedByCut,
    /// 5.5: two trims with one predecessor are rivals and evidence.
    RivalTrims,
    /// 5.5: it lives iff 3 AW > 2 W.
    Lives,
    /// 5.5: first parents are followed down to the chain head.
    ChainHead,
    /// 5.5: an epoch older than the one before the trim's is void.
    Void,
    /// 5.5: devices prune on certification only.
    Prune,
    /// 5.6: D = D(previous) + amount.
    Debits,
    /// 5.6: D <= C.
    Credits,
    /// 5.6: caps, when accepting.
    Caps,
    /// 5.1: a member without a settled transaction in K epochs loses its weight.
    Inactive,
    /// 5.1: at most W/10 join in one epoch.
    TableChange,
    /// 5.7: members and neighbours have token buckets.
    Buckets,
    /// 5.7: an unknown issuer costs a look-up.
    LookUp,
}

/// All of them.
#[cfg(iotedge_rules_off)]
pub const ALL: &[Rule] = &[
    Rule::Chain,
    Rule::TimeAbove,
    Rule::ParentAge,
    Rule::StoredFirst,
    Rule::Recovery,
    Rule::Rivals,
    Rule::TimeLimit,
    Rule::TwoRounds,
    Rule::Members,
    Rule::Freeze,
    Rule::Witnesses,
    Rule::Overtaken,
    Rule::Fresh,
    Rule::Certified,
    Rule::CertifiedByCut,
    Rule::RivalTrims,
    Rule::Lives,
    Rule::ChainHead,
    Rule::Void,
    Rule::Prune,
    Rule::Debits,
    Rule::Credits,
    Rule::Caps,
    Rule::Inactive,
    Rule::TableChange,
    Rule::Buckets,
    Rule::LookUp,
];

/// Whether a rule is in force: always.
#[cfg(not(iotedge_rules_off))]
#[inline(always)]
pub(crate) const fn on(_: Rule) -> bool {
    true
}

#[cfg(iotedge_rules_off)]
pub use switches::{on, without};

#[cfg(iotedge_rules_off)]
mod switches {
    extern crate std;
    use super::Rule;
    use core::cell::Cell;

    std::thread_local! {
        static OFF: Cell<u64> = const { Cell::new(0) };
    }

    const fn bit(rule: Rule) -> u64 {
        1u64.wrapping_shl(rule as u32)
    }

    /// Whether a rule is in force on this thread.
    #[must_use]
    pub fn on(rule: Rule) -> bool {
        OFF.with(|off| off.get() & bit(rule) == 0)
    }

    /// Runs something on this thread without these rules.
    pub fn without<T>(rules: &[Rule], body: impl FnOnce() -> T) -> T {
        let off = rules.iter().fold(0, |off, rule| off | bit(*rule));
        let before = OFF.with(|cell| cell.replace(off));
        let out = body();
        OFF.with(|cell| cell.set(before));
        out
    }
}
