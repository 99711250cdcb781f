//! Members that behave alike are interchangeable: the representative of a state under renaming; and states in words.

use super::{Kind, MEMBERS, State, Tangle};
use crate::search::fingerprint;
use std::fmt::Write as _;

impl Tangle {
    /// What tells members apart whatever happened: which slots are theirs, their weights, guilt, a lost memory.
    fn class(&self, member: u8) -> u64 {
        let own = self
            .slots
            .iter()
            .any(|s| s.by == Some(member) || self.forgets == Some(member));
        let weights: Vec<u8> = self.tables.iter().map(|t| t[usize::from(member)]).collect();
        fingerprint(&(
            if own { member } else { u8::MAX },
            self.honest(member),
            weights,
        ))
    }

    /// What tells members apart in a state without naming them.
    fn signature(&self, state: &State, member: u8) -> u64 {
        let mut sum = 0u64;
        for v in &state.vertices {
            let about: Vec<u8> = v
                .cone
                .approval
                .iter()
                .map(|n| n.get(member))
                .chain([v.cone.newest.get(member)])
                .collect();
            let own = v.member == member;
            sum = sum.wrapping_add(fingerprint(&(own, v.time, v.cone.seen, about)));
        }
        let issued = state
            .slots
            .iter()
            .enumerate()
            .filter(|(_, s)| s.time != 0 && s.issuer == member)
            .fold(0u8, |bits, (i, _)| bits | 1 << i);
        fingerprint(&(sum, issued))
    }

    /// The least of all renamings that sort members by class and signature. Places of a class stay its own.
    pub(super) fn rename(&self, state: State) -> State {
        let count = usize::from(self.members);
        let mut places: Vec<u8> = (0..self.members).collect();
        places.sort_by_key(|&m| (self.class(m), m));
        let mut order: Vec<(u64, u64, u8)> = (0..self.members)
            .map(|m| (self.class(m), self.signature(&state, m), m))
            .collect();
        order.sort_unstable();
        let mut names = [0; MEMBERS];
        for (m, name) in names.iter_mut().enumerate() {
            *name = m as u8;
        }
        for (place, &(_, _, m)) in places.iter().zip(&order) {
            names[usize::from(m)] = *place;
        }
        // Runs of equal signatures of who has spoken: every order of them.
        let mut best = renamed(&state, &names);
        let mut tied = vec![names];
        let mut begin = 0;
        while begin < count {
            let alike = |i: usize| (order[i].0, order[i].1) == (order[begin].0, order[begin].1);
            let end = (begin..count).find(|&i| !alike(i)).unwrap_or(count);
            let silent = !mentions(&state, order[begin].2);
            if end - begin > 1 && !silent {
                let members: Vec<u8> = order[begin..end].iter().map(|o| o.2).collect();
                let mut wider = Vec::new();
                for names in &tied {
                    permute(&members, 0, *names, &mut wider);
                }
                tied = wider;
            }
            begin = end;
        }
        for names in &tied {
            let other = renamed(&state, names);
            if other.vertices < best.vertices
                || (other.vertices == best.vertices && issuers(&other) < issuers(&best))
            {
                best = other;
            }
        }
        best
    }

    pub(super) fn label(&self, slot: usize) -> String {
        let nth = |kind: fn(&Kind) -> bool| {
            self.slots[..slot].iter().filter(|s| kind(&s.kind)).count() + 1
        };
        match self.slots[slot].kind {
            Kind::Tx { .. } => format!("x{}", nth(|k| matches!(k, Kind::Tx { .. }))),
            Kind::Trim { .. } => format!("trim{}", nth(|k| matches!(k, Kind::Trim { .. }))),
            Kind::Evidence { .. } => "evidence".into(),
        }
    }

    fn who(&self, member: u8) -> String {
        if self.honest(member) {
            format!("h{member}")
        } else {
            format!("g{}", member - (self.members - self.guilty))
        }
    }

    fn members_text(&self, bits: u8) -> String {
        let names: Vec<String> = (0..self.members)
            .filter(|m| bits >> m & 1 == 1)
            .map(|m| self.who(m))
            .collect();
        names.join(" ")
    }

    pub(super) fn tell(&self, before: &State, after: &State) -> String {
        if after.now != before.now {
            return format!("time {}", after.now);
        }
        let slot =
            (0..self.slots.len()).find(|&s| before.slots[s].time == 0 && after.slots[s].time != 0);
        let Some(new) = after.vertices.iter().find(|v| match slot {
            // The others may have changed: what is of no use any more is forgotten.
            Some(s) => v.member == after.slots[s].issuer && v.time == after.now && v.cone.sees(s),
            None => {
                let count = |s: &State| s.vertices.iter().filter(|u| u == v).count();
                count(after) > count(before)
            }
        }) else {
            return "nothing".into();
        };
        let mut out = self.who(new.member);
        match slot {
            None => out.push_str(" speaks"),
            Some(s) => {
                let issued = &after.slots[s];
                let _ = write!(out, " issues {}", self.label(s));
                match self.slots[s].kind {
                    Kind::Tx { on } => {
                        if let Some(on) = on {
                            let _ = write!(out, " on {}", self.label(usize::from(on)));
                        }
                        if self
                            .slots
                            .iter()
                            .any(|s| matches!(s.kind, Kind::Trim { .. }))
                        {
                            let _ = write!(out, " in epoch {}", issued.epoch);
                        }
                    }
                    Kind::Trim { previous } => {
                        let before =
                            previous.map_or("the genesis".into(), |p| self.label(usize::from(p)));
                        let _ = write!(
                            out,
                            " (cut {}, after {before}, names header {})",
                            issued.cut, issued.names
                        );
                        for x in (0..self.slots.len()).filter(|&x| issued.covers >> x & 1 == 1) {
                            let fate = if issued.lives >> x & 1 == 1 {
                                "lives"
                            } else {
                                "is dead"
                            };
                            let _ = write!(out, "; {} {fate}", self.label(x));
                        }
                    }
                    Kind::Evidence { .. } => {}
                }
            }
        }
        let mut knows = Vec::new();
        for x in (0..self.slots.len()).filter(|&x| new.cone.sees(x) && Some(x) != slot) {
            let mut text = self.label(x);
            let by = match self.slots[x].kind {
                Kind::Tx { .. } => new.cone.approval[x].at_least(15),
                _ => new.cone.approval[x].at_least(1),
            };
            if by != 0 {
                let _ = write!(text, " (approved by {})", self.members_text(by));
            }
            knows.push(text);
        }
        if !knows.is_empty() {
            let _ = write!(out, " over {}", knows.join(", "));
        }
        out
    }
}

fn mentions(state: &State, member: u8) -> bool {
    state.vertices.iter().any(|v| v.member == member)
}

fn issuers(state: &State) -> Vec<u8> {
    state.slots.iter().map(|s| s.issuer).collect()
}

/// Every way to hand out the names of these members among them.
fn permute(members: &[u8], from: usize, names: [u8; MEMBERS], out: &mut Vec<[u8; MEMBERS]>) {
    if from + 1 >= members.len() {
        out.push(names);
        return;
    }
    for other in from..members.len() {
        let mut swapped = names;
        swapped.swap(usize::from(members[from]), usize::from(members[other]));
        permute(members, from + 1, swapped, out);
    }
}

fn renamed(state: &State, names: &[u8; MEMBERS]) -> State {
    let mut out = state.clone();
    for v in &mut out.vertices {
        v.member = names[usize::from(v.member)];
        v.cone = v.cone.renamed(names);
    }
    out.vertices.sort_unstable();
    for s in &mut out.slots {
        if s.time != 0 {
            s.issuer = names[usize::from(s.issuer)];
        }
    }
    out
}
