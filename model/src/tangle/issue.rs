//! Who may issue what over what.

use super::{Cone, Cuts, Hear, Issued, Kind, Slot, State, Tangle, Vertex};
use crate::Rule;
use crate::search::{Rng, fingerprint};
use std::collections::HashSet;

impl Tangle {
    /// Every vertex that any member may issue now.
    pub(super) fn issue_all(&self, state: &State, out: &mut Vec<State>) {
        if self.over(state) || (!self.quiet(state) && state.vertices.len() >= self.most) {
            return;
        }
        for member in 0..self.members {
            if !self.may_speak(state, member) {
                continue;
            }
            for base in self.cones(state, member) {
                self.carry(state, member, base, out);
            }
            let mine = |slot: &usize| self.may_fill(state, member, *slot);
            let mine: Vec<usize> = (0..self.slots.len()).filter(mine).collect();
            if !mine.is_empty() {
                let (cones, trim_cones) =
                    (self.cones(state, member), self.trim_cones(state, member));
                for slot in mine {
                    let cones = if self.is_trim(slot) {
                        &trim_cones
                    } else {
                        &cones
                    };
                    for base in cones {
                        self.fill(state, member, slot, *base, out);
                    }
                }
            }
        }
    }

    /// A vertex drawn at random, or the next step.
    pub(super) fn issue_one(&self, state: &State, rng: &mut Rng) -> Option<State> {
        if self.over(state) {
            return None;
        }
        let mut found = Vec::new();
        for _ in 0..24 {
            if rng.once_in(2 * usize::from(self.members)) {
                break;
            }
            let member = rng.below(usize::from(self.members)) as u8;
            if !self.may_speak(state, member) {
                continue;
            }
            let mut base = self.any_cone(state, member, rng);
            for slot in (0..self.slots.len()).filter(|&s| self.may_fill(state, member, s)) {
                if self.is_trim(slot) {
                    let cones = self.trim_cones(state, member);
                    base = cones[rng.below(cones.len())];
                }
                self.fill(state, member, slot, base, &mut found);
            }
            if found.is_empty() || rng.once_in(2) {
                found.clear();
                self.carry(state, member, base, &mut found);
            }
            if !found.is_empty() {
                let i = rng.below(found.len());
                return Some(found.swap_remove(i));
            }
        }
        if state.now == self.until {
            return None;
        }
        Some(self.tick(state))
    }

    /// The next step.
    pub(super) fn tick(&self, state: &State) -> State {
        let mut later = state.clone();
        later.now += 1;
        let over = |x: usize| {
            let issued = &state.slots[x];
            let late = issued.time != 0 && later.now > issued.time + self.half;
            !self.is_tx(x) || late || (issued.time == 0 && later.now > self.slots[x].between[1])
        };
        if later.closed.is_none()
            && self.rules.has(Rule::TimeLimit)
            && (0..self.slots.len()).all(over)
        {
            later.closed = Some(self.grants(&later));
        }
        later
    }

    /// Makes a state of the third step, in which every member stands on a trim of the second that cut after the first.
    pub(super) fn begin_after(&self, state: &mut State, trim: usize) {
        state.now = 3;
        state.slots[trim] = Issued {
            time: 2,
            issuer: self.slots[trim].by.unwrap_or(0),
            epoch: 1,
            seen: 1 << trim,
            cut: 1,
            ..Issued::default()
        };
        let mut cone = Cone {
            seen: 1 << trim,
            ..Cone::default()
        };
        for m in 0..self.members {
            cone.approval[trim].raise(m, 15 - 2);
        }
        for member in 0..self.members {
            state.put(Vertex {
                time: 2,
                member,
                cone,
            });
        }
    }

    /// Nothing that happens from here on can matter: all is decided but the approval of trims that have no rival.
    pub(super) fn over(&self, state: &State) -> bool {
        state.closed.is_some()
            && !self.trims_to_come(state)
            && !(0..self.slots.len()).any(|a| {
                let issued = |t: usize| state.slots[t].time != 0 && self.is_trim(t);
                issued(a) && (0..a).any(|b| issued(b) && self.conflict(a, b))
            })
    }

    /// Whether no transaction can be approved now.
    fn quiet(&self, state: &State) -> bool {
        let limited = self.rules.has(Rule::TimeLimit);
        (0..self.slots.len()).all(|x| {
            let issued = &state.slots[x];
            let between = self.slots[x].between;
            !self.is_tx(x)
                || match issued.time {
                    0 => !(between[0]..=between[1]).contains(&state.now),
                    time => limited && state.now > time + self.half,
                }
        })
    }

    fn trims_to_come(&self, state: &State) -> bool {
        (0..self.slots.len()).any(|t| {
            self.is_trim(t) && state.slots[t].time == 0 && state.now <= self.slots[t].between[1]
        })
    }

    /// Drops what no rule can ask for any more: once grants are closed and all trims are here, only these and who saw them matter; and
    /// the times of vertices never do, once grants are closed.
    pub(super) fn forget(&self, state: &mut State) {
        if state.closed.is_none() {
            return;
        }
        let more = self.trims_to_come(state);
        let trims = (0..self.slots.len())
            .filter(|&t| self.is_trim(t))
            .fold(0u8, |bits, t| bits | 1 << t);
        for v in &mut state.vertices {
            if v.time < state.now {
                v.time = 0;
            }
            if !more {
                v.cone.seen &= trims;
                v.cone.newest = Default::default();
                for x in (0..self.slots.len()).filter(|&x| self.is_tx(x)) {
                    v.cone.approval[x] = Default::default();
                }
            }
        }
        state.vertices.sort_unstable();
        state.vertices.dedup();
    }

    fn may_speak(&self, state: &State, member: u8) -> bool {
        let spoken = state.vertices.iter().rev();
        let spoken = spoken
            .take_while(|v| v.time == state.now)
            .filter(|v| v.member == member)
            .count();
        spoken < usize::from(self.per_step[usize::from(!self.honest(member))])
    }

    /// What a member's own chain makes it stand on. One that forgets may stand on anything.
    fn own(&self, state: &State, member: u8) -> Cone {
        let mut own = Cone::default();
        if self.bound(member) {
            for v in state.vertices.iter().filter(|v| v.member == member) {
                own.join(&v.cone);
            }
        }
        own
    }

    /// Whether a member stays on one chain.
    fn bound(&self, member: u8) -> bool {
        let forgot = self.forgets == Some(member) && !self.rules.has(Rule::OwnHead);
        self.honest(member) && !forgot
    }

    /// Every cone that the next vertex of a member can have, without what it adds itself.
    fn cones(&self, state: &State, member: u8) -> Vec<Cone> {
        let mut cones = vec![self.own(state, member)];
        let quiet = self.quiet(state);
        for v in &state.vertices {
            // Once nothing but trims is approved, whoever needs something else can take it from where it is.
            let useless = quiet && !self.holds_trim(&v.cone);
            let overheard = self.hear == Hear::Newest && self.overheard(state, v);
            if !useless && !overheard {
                widen(&mut cones, &v.cone);
            }
        }
        cones
    }

    /// Every cone that a trim of a member can have. Members may speak for it once more, over their own chains alone: such vertices tell
    /// nothing but their times, and are not kept.
    fn trim_cones(&self, state: &State, member: u8) -> Vec<Cone> {
        let own = self.own(state, member);
        let mut cones = vec![own];
        for m in (0..self.members).filter(|&m| m != member) {
            let fresh = self.own_part(state, m, self.own(state, m));
            if fresh.newest.get(m) == state.now {
                widen(&mut cones, &fresh);
            }
        }
        match self.cuts {
            Cuts::Every => {
                for v in &state.vertices {
                    widen(&mut cones, &v.cone);
                }
            }
            Cuts::Extremes => {
                let all = state
                    .vertices
                    .iter()
                    .fold(own, |all, v| all.joined(&v.cone));
                for i in 0..cones.len() {
                    let most = cones[i].joined(&all);
                    if !cones.contains(&most) {
                        cones.push(most);
                    }
                }
            }
        }
        cones
    }

    fn holds_trim(&self, cone: &Cone) -> bool {
        (0..self.slots.len()).any(|t| self.is_trim(t) && cone.sees(t))
    }

    /// Whether an honest member has a newer vertex than this one.
    fn overheard(&self, state: &State, vertex: &Vertex) -> bool {
        self.honest(vertex.member)
            && state.vertices.iter().any(|v| {
                v.member == vertex.member && v != vertex && v.cone.joined(&vertex.cone) == v.cone
            })
    }

    fn any_cone(&self, state: &State, member: u8, rng: &mut Rng) -> Cone {
        let mut cone = self.own(state, member);
        let style = rng.below(4);
        let heard = rng.word();
        for v in &state.vertices {
            let hears = match style {
                0 => true,
                1 => heard >> v.member & 1 == 1,
                2 => heard >> v.member & 1 == 1 && rng.once_in(2),
                _ => rng.once_in(4),
            };
            if hears {
                cone.join(&v.cone);
            }
        }
        cone
    }

    fn carry(&self, state: &State, member: u8, base: Cone, out: &mut Vec<State>) {
        let cone = self.own_part(state, member, base);
        let old = state
            .vertices
            .iter()
            .any(|v| v.member == member && v.cone == cone);
        // Nothing is approved any more but trims, and it has none that is new.
        let idle = self.quiet(state) && cone.approval == self.own(state, member).approval;
        if !old && !idle {
            let mut after = state.clone();
            after.put(Vertex {
                time: state.now,
                member,
                cone,
            });
            out.push(after);
        }
    }

    /// What the vertex of a member over this cone adds to it: its time and its approvals.
    fn own_part(&self, state: &State, member: u8, mut cone: Cone) -> Cone {
        let trims = self
            .slots
            .iter()
            .any(|s| matches!(s.kind, Kind::Trim { .. }));
        if trims && state.now > self.half + 1 {
            cone.newest.raise(member, state.now);
        }
        for x in 0..self.slots.len() {
            if !cone.sees(x) {
                continue;
            }
            let issued = &state.slots[x];
            match self.slots[x].kind {
                Kind::Evidence { .. } => {}
                Kind::Trim { .. } => {
                    let rival = (0..self.slots.len()).any(|y| cone.sees(y) && self.conflict(x, y));
                    if !rival || !self.rules.has(Rule::TrimRival) {
                        cone.approval[x].raise(member, 15 - state.now);
                    }
                }
                Kind::Tx { .. } => {
                    let late = state.now > issued.time + self.half;
                    if late && self.rules.has(Rule::TimeLimit) {
                        continue;
                    }
                    let against = (0..self.slots.len())
                        .filter(|&y| cone.sees(y) && self.against(x, y))
                        .map(|y| state.slots[y].time)
                        .max();
                    cone.approval[x].raise(member, 15 - against.unwrap_or(0));
                }
            }
        }
        cone
    }

    /// Whether y in a cone stops the approval of x.
    fn against(&self, x: usize, y: usize) -> bool {
        match self.slots[y].kind {
            Kind::Evidence { of } => {
                self.rules.has(Rule::NoEvidence)
                    && self.slots[usize::from(of[0])].by == self.slots[x].by
            }
            _ => self.rules.has(Rule::NoRival) && self.conflict(x, y),
        }
    }

    fn may_fill(&self, state: &State, member: u8, slot: usize) -> bool {
        let Slot { by, between, .. } = &self.slots[slot];
        let by = by.map_or(self.honest(member), |by| by == member);
        by && state.slots[slot].time == 0 && (between[0]..=between[1]).contains(&state.now)
    }

    fn fill(&self, state: &State, member: u8, slot: usize, base: Cone, out: &mut Vec<State>) {
        let spec = &self.slots[slot];
        let issued = Issued {
            time: state.now,
            issuer: member,
            epoch: self.epoch(state, &base),
            seen: base.seen | 1 << slot,
            ..Issued::default()
        };
        let mut put = |issued: Issued, disagree: bool| {
            let mut after = state.clone();
            after.slots[slot] = issued;
            after.disagree |= disagree;
            let mut cone = base;
            cone.seen |= 1 << slot;
            let cone = self.own_part(&after, member, cone);
            after.put(Vertex {
                time: state.now,
                member,
                cone,
            });
            out.push(after);
        };
        match spec.kind {
            Kind::Tx { on } => {
                if on.is_none_or(|below| base.sees(usize::from(below))) {
                    put(issued, false);
                }
            }
            Kind::Evidence { of } => {
                if of.iter().all(|&x| base.sees(usize::from(x))) {
                    put(issued, false);
                }
            }
            Kind::Trim { previous } => {
                let own = self.own_part(state, member, base);
                for cut in 1..state.now {
                    let newest = previous.map_or(0, |p| self.height(usize::from(p)));
                    let named = match previous {
                        Some(p) if !self.rules.has(Rule::NamesPrevious) => {
                            state.slots[usize::from(p)].names
                        }
                        _ => newest,
                    };
                    for names in named..=newest {
                        let trim = Issued {
                            cut,
                            names,
                            ..issued
                        };
                        if let Some((trim, disagree)) = self.cut(state, slot, previous, trim, &own)
                        {
                            put(trim, disagree);
                        }
                    }
                }
            }
        }
    }
}

fn widen(cones: &mut Vec<Cone>, by: &Cone) {
    let mut had: HashSet<u64> = cones.iter().map(fingerprint).collect();
    for i in 0..cones.len() {
        let wider = cones[i].joined(by);
        if had.insert(fingerprint(&wider)) {
            cones.push(wider);
        }
    }
}

impl State {
    fn put(&mut self, vertex: Vertex) {
        let place = self.vertices.partition_point(|v| *v < vertex);
        self.vertices.insert(place, vertex);
    }
}
