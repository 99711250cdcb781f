//! Which branch of a forked member the table's chain head is on.
//!
//! A chain that misses the head is dead (DESIGN 5.5), and what lies between the head and the newest vertices may be dead and evicted. A
//! member that never forked has one chain. Of one that did, each vertex keeps a flag, inherited along the chain and judged anew when
//! a head settles, while the vertices of its epoch are still here. So old forks cannot keep a full node from evaluating a trim.

use super::Tangle;
use super::approval::{CHAIN_LOST, FORKED, HEAD_OFF};
use super::insert::First;
use super::model::{Facts, Tables};
use super::window::OFF_CHAIN;
use crate::MemberIndex;

impl Tangle<'_> {
    /// Whether a new vertex of a member that forked misses the chain head of the newest table.
    pub(super) fn off_chain<T: Tables + ?Sized>(
        &self,
        tables: &T,
        facts: &Facts,
        first: First,
    ) -> bool {
        let Some(head) = tables.head(facts.issuer) else {
            return true;
        };
        if facts.number <= head.number {
            return facts.id != head.id;
        }
        let next = head.number.checked_add(1) == Some(facts.number);
        match first {
            First::Settled => false,
            First::Here(_) if facts.number.0 == 1 => false,
            First::Here(slot) if next => self.window.at(slot).id != head.id,
            First::Here(slot) => self.window.at(slot).flags & OFF_CHAIN != 0,
            First::Aged if next => self.member(facts.issuer).head() != head.id,
            First::Aged => self.member(facts.issuer).flags & HEAD_OFF != 0,
        }
    }

    /// Judges the chains of members that forked by the heads of a new table. O(N) if there are any.
    pub(super) fn judge_chains<T: Tables + ?Sized>(&mut self, tables: &T) {
        let mut forked = false;
        // Who keeps no numbers of the heads judges none: of a member that forked it cannot be told.
        if self.settled.len() < self.members.len() {
            for member in self.members.iter_mut().filter(|m| m.flags & FORKED != 0) {
                member.flags |= CHAIN_LOST;
            }
            return;
        }
        let states = self.members.iter_mut().zip(self.settled.iter_mut());
        for (m, (member, settled)) in (0u16..).zip(states) {
            let Some(head) = tables.head(MemberIndex(m)) else {
                continue;
            };
            if member.flags & FORKED != 0 && head.number != *settled {
                forked = true;
                // Unless its head is found here, or is the newest vertex itself.
                member.flags |= CHAIN_LOST;
                if head.number >= member.number {
                    member.flags &= !(CHAIN_LOST | HEAD_OFF);
                    if head.id != member.head() {
                        member.flags |= HEAD_OFF;
                    }
                }
            } else {
                *settled = head.number;
            }
        }
        if !forked {
            return;
        }
        for slot in self.window.oldest_first() {
            let vertex = *self.window.at(slot);
            let member = self.member(vertex.issuer);
            let Some(head) = tables.head(vertex.issuer) else {
                continue;
            };
            let settled = self.settled.get(usize::from(vertex.issuer.0));
            if member.flags & FORKED == 0 || settled == Some(&head.number) {
                continue;
            }
            let off = if vertex.number <= head.number {
                vertex.id != head.id
            } else if let Some(below) = self.window.parent(slot, 0) {
                self.window.at(below).flags & OFF_CHAIN != 0
            } else {
                // What stands on the head alone was told so when it came.
                vertex.flags & OFF_CHAIN != 0
            };
            if let Some(flags) = self.window.flags_mut(slot) {
                *flags = (*flags & !OFF_CHAIN) | if off { OFF_CHAIN } else { 0 };
            }
            if let Some(member) = self.members.get_mut(usize::from(vertex.issuer.0)) {
                if vertex.id == head.id {
                    member.flags &= !CHAIN_LOST;
                }
                if vertex.id == member.head() {
                    member.flags = (member.flags & !HEAD_OFF) | if off { HEAD_OFF } else { 0 };
                }
            }
        }
        for (m, settled) in (0u16..).zip(self.settled.iter_mut()) {
            if let Some(head) = tables.head(MemberIndex(m)) {
                *settled = head.number;
            }
        }
    }
}
