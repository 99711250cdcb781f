//! What is valid, what is granted, what lives, and what must never be.

use super::{Cone, Issued, Kind, State, Tangle};
use crate::Rule;
use crate::search::Violation;

/// What shows that the checks are not vacuous.
pub(super) const MILESTONES: [&str; 9] = [
    "a transaction at Quorum",
    "a transaction that lives",
    "a transaction that is dead in a Done",
    "rivals issued",
    "a valid trim",
    "a certified trim",
    "two trims in a chain",
    "rival trims",
    "at Quorum and in a Done",
];

impl Tangle {
    /// The epoch of a vertex over this cone.
    pub(super) fn epoch(&self, state: &State, cone: &Cone) -> u8 {
        (0..self.slots.len())
            .filter(|&t| cone.sees(t) && self.is_trim(t))
            .map(|t| state.slots[t].names + 1)
            .max()
            .unwrap_or(1)
    }

    /// Whether a trim is certified in a cone, by vertices not later than `by`.
    fn certified(&self, state: &State, trim: usize, cone: &Cone, newest: u8, by: u8) -> bool {
        let members = cone.approval[trim].at_least(15 - by.min(14));
        self.passes(state.slots[trim].epoch, members, 0) && self.passes(newest, members, 0)
    }

    /// Who approves x within a cone, when rivals at or below `floor` do not count.
    fn approvers(&self, x: usize, cone: &Cone, floor: u8) -> u8 {
        cone.approval[x].at_least(15 - floor)
    }

    /// A trim with what it covers and what of that lives; `None` where it is void. Then whether a node that pruned agrees with one that
    /// did not.
    pub(super) fn cut(
        &self,
        state: &State,
        slot: usize,
        previous: Option<u8>,
        mut trim: Issued,
        cone: &Cone,
    ) -> Option<(Issued, bool)> {
        let newest = trim.names + 1;
        let mut low = 0;
        if let Some(p) = previous.map(usize::from) {
            let prior = &state.slots[p];
            low = prior.cut;
            let by = if self.rules.has(Rule::CertifiedByCut) {
                trim.cut
            } else {
                14
            };
            let early = trim.cut < prior.time && self.rules.has(Rule::CutAfterTrim);
            let known =
                !self.rules.has(Rule::Certified) || self.certified(state, p, cone, newest, by);
            if !cone.sees(p) || trim.cut <= low || early || !known {
                return None;
            }
        }
        let fresh = cone.newest.at_least((trim.cut + self.half + 1).min(15));
        let needs_fresh = self.rules.has(Rule::FreshQuorum);
        if needs_fresh && !self.passes(newest, fresh, 0) {
            return None;
        }
        let done = |x: usize| {
            let issued = &state.slots[x];
            cone.sees(x) && self.is_tx(x) && issued.time > low && issued.time <= trim.cut
        };
        for x in (0..self.slots.len()).filter(|&x| done(x)) {
            let epoch = state.slots[x].epoch;
            if needs_fresh && epoch + 1 >= trim.epoch && !self.passes(epoch, fresh, 0) {
                return None;
            }
        }
        let heads = self.settled_before(state, previous);
        let life = |floor: u8| {
            let by_weight = |x: usize| {
                let members = self.approvers(x, cone, floor);
                let epoch = state.slots[x].epoch;
                done(x)
                    && epoch + 1 >= trim.epoch
                    && self.above_head(x, heads)
                    && self.passes(epoch, members, 0)
                    && (!self.rules.has(Rule::BothTables) || self.passes(newest, members, 0))
            };
            let strong: Vec<usize> = (0..self.slots.len()).filter(|&x| by_weight(x)).collect();
            (0..self.slots.len())
                .filter(|&x| {
                    done(x)
                        && self.above_head(x, heads)
                        && strong.iter().any(|&y| self.on_chain_of(y, x))
                })
                .fold(0, |bits, x| bits | 1 << x)
        };
        for x in 0..self.slots.len() {
            let issued = &state.slots[x];
            if self.is_tx(x) && issued.time > low && issued.time <= trim.cut {
                trim.covers |= 1 << x;
            }
        }
        // A node that pruned holds nothing at or below the previous cut.
        let pruned = life(low);
        let whole = if self.rules.has(Rule::Floor) {
            pruned
        } else {
            life(0)
        };
        trim.lives = whole;
        trim.seen |= 1 << slot;
        Some((trim, pruned != whole))
    }

    /// What the trims below settled, as bits.
    fn settled_before(&self, state: &State, mut previous: Option<u8>) -> u8 {
        let mut settled = 0;
        while let Some(p) = previous.map(usize::from) {
            settled |= state.slots[p].lives;
            previous = match self.slots[p].kind {
                Kind::Trim { previous } => previous,
                _ => None,
            };
        }
        settled
    }

    /// Whether the chain of x goes down to its issuer's chain head.
    fn above_head(&self, x: usize, settled: u8) -> bool {
        !self.rules.has(Rule::ChainHead)
            || (0..self.slots.len())
                .filter(|&y| settled >> y & 1 == 1 && self.slots[y].by == self.slots[x].by)
                .all(|y| self.on_chain_of(x, y))
    }

    /// Whether some honest view grants Quorum to x. `margin`: with so much more in the first round.
    ///
    /// Any z will do, and not the same for all: a member counts when it has a vertex in time that itself sees the first round. That grants
    /// more than the protocol, where one z is below all of them, so what holds here holds there.
    pub(super) fn quorum(&self, state: &State, x: usize, margin: u32) -> bool {
        let issued = &state.slots[x];
        if issued.time == 0 {
            return false;
        }
        let (mut members, mut union) = (0, 0);
        for v in &state.vertices {
            let late = v.time > issued.time + self.half && self.rules.has(Rule::TimeLimit);
            if late || !v.cone.sees(x) || self.overtaken(state, issued, &v.cone) {
                continue;
            }
            let first = self.approvers(x, &v.cone, 0);
            union |= first;
            if self.passes(issued.epoch, first, margin) {
                members |= 1 << v.member;
            }
        }
        if self.rules.has(Rule::SecondRound) {
            self.passes(issued.epoch, members, 0)
        } else {
            self.passes(issued.epoch, union, margin)
        }
    }

    /// Whether a node with this cone holds a trim older than x that x lacks.
    fn overtaken(&self, state: &State, x: &Issued, cone: &Cone) -> bool {
        self.rules.has(Rule::Lag)
            && (0..self.slots.len()).any(|t| {
                self.is_trim(t)
                    && cone.sees(t)
                    && state.slots[t].time < x.time
                    && x.seen >> t & 1 == 0
            })
    }

    fn everything(state: &State) -> Cone {
        state
            .vertices
            .iter()
            .fold(Cone::default(), |all, v| all.joined(&v.cone))
    }

    /// What some view has at Quorum, and what with the margin, as bits.
    pub(super) fn grants(&self, state: &State) -> [u8; 2] {
        let mut bits = [0; 2];
        for x in (0..self.slots.len()).filter(|&x| self.is_tx(x)) {
            let granted = self.quorum(state, x, 0);
            let strong = granted && (self.margin == 0 || self.quorum(state, x, self.margin));
            bits[0] |= u8::from(granted) << x;
            bits[1] |= u8::from(strong) << x;
        }
        bits
    }

    pub(super) fn judge(&self, state: &State) -> Option<Violation> {
        if state.disagree {
            return Some("a node that pruned and a full node compute different Dones".into());
        }
        let count = self.slots.len();
        let [granted, strong] = state.closed.unwrap_or_else(|| self.grants(state));
        let bools = |bits: u8| (0..count).map(|x| bits >> x & 1 == 1).collect();
        let (granted, strong): (Vec<bool>, Vec<bool>) = (bools(granted), bools(strong));
        for a in 0..count {
            for b in a + 1..count {
                if granted[a] && granted[b] && self.conflict(a, b) {
                    return Some(format!(
                        "rivals {} and {} are both at Quorum",
                        self.label(a),
                        self.label(b)
                    ));
                }
            }
        }
        for t in (0..count).filter(|&t| self.is_trim(t)) {
            let trim = &state.slots[t];
            for x in (0..count).filter(|&x| trim.covers >> x & 1 == 1) {
                if strong[x] && trim.lives >> x & 1 == 0 {
                    return Some(format!(
                        "{} is at Quorum, and dead by {}",
                        self.label(x),
                        self.label(t)
                    ));
                }
            }
            let previous = match self.slots[t].kind {
                Kind::Trim { previous } => previous,
                _ => None,
            };
            let settled = trim.lives | self.settled_before(state, previous);
            for a in (0..count).filter(|&a| settled >> a & 1 == 1) {
                for b in (a + 1..count).filter(|&b| settled >> b & 1 == 1) {
                    if trim.time != 0 && self.conflict(a, b) {
                        return Some(format!(
                            "rivals {} and {} are both settled",
                            self.label(a),
                            self.label(b)
                        ));
                    }
                }
            }
        }
        let all = Self::everything(state);
        let certified: Vec<usize> = (0..count)
            .filter(|&t| self.is_trim(t) && state.slots[t].time != 0)
            .filter(|&t| self.certified(state, t, &all, state.slots[t].names + 1, 14))
            .collect();
        for (i, &a) in certified.iter().enumerate() {
            for &b in &certified[i + 1..] {
                if !self.follows(a, b) && !self.follows(b, a) {
                    return Some(format!(
                        "{} and {} are both certified, and neither follows the other",
                        self.label(a),
                        self.label(b)
                    ));
                }
            }
        }
        None
    }

    /// Whether b is a trim below a.
    fn follows(&self, a: usize, b: usize) -> bool {
        match self.slots[a].kind {
            Kind::Trim { previous: Some(p) } => {
                usize::from(p) == b || self.follows(usize::from(p), b)
            }
            _ => false,
        }
    }

    pub(super) fn marks(&self, state: &State) -> u32 {
        let count = self.slots.len();
        let issued = |s: usize| state.slots[s].time != 0;
        let trims = || (0..count).filter(|&t| self.is_trim(t) && issued(t));
        let all = Self::everything(state);
        let rivals = |trim: bool| {
            (0..count).any(|a| {
                (a + 1..count).any(|b| {
                    issued(a) && issued(b) && self.is_trim(a) == trim && self.conflict(a, b)
                })
            })
        };
        let [granted, _] = state.closed.unwrap_or_else(|| self.grants(state));
        let at_quorum = |x: usize| granted >> x & 1 == 1;
        let marks = [
            (0..count).any(at_quorum),
            trims().any(|t| state.slots[t].lives != 0),
            trims().any(|t| state.slots[t].covers & !state.slots[t].lives != 0),
            rivals(false),
            trims().next().is_some(),
            trims().any(|t| self.certified(state, t, &all, 1, 14)),
            trims().any(|t| self.height(t) > 1),
            rivals(true),
            trims()
                .any(|t| (0..count).any(|x| state.slots[t].covers >> x & 1 == 1 && at_quorum(x))),
        ];
        marks
            .iter()
            .enumerate()
            .fold(0, |bits, (i, &mark)| bits | u32::from(mark) << i)
    }
}
