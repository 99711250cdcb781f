//! Tip selection, uniform.
//!
//! Both draws are a minimum over the pool of a keyed hash of the id: each tip is equally likely, and the choice depends on
//! the set of tips and the draw alone, never on the order in which they came. So the same DAG and seed choose the same
//! everywhere. A tip that would put both sides of a conflict into one cone without evidence above them is not eligible:
//! an honest member approves only the side that it saw first.

use super::Tangle;
use super::approval::FROZEN;
use super::memory::Masks;
use super::window::{first_word, mix};
use crate::{Id, Millis};

impl Tangle<'_> {
    /// Chooses up to `out.len()` tips, each drawn independently with the same probability from the pool of tips that are fresh,
    /// not of a frozen member, and that may be joined with this node's head (never both sides of a conflict, except above
    /// evidence) and with those drawn before. Returns how many distinct ones there are: what to put beside the first
    /// parent, unsorted. Never this node's head.
    pub fn select(&self, now: Millis, rng: &mut impl FnMut() -> u32, out: &mut [Id]) -> usize {
        let mut cone = self.own_cone();
        let mut count = 0usize;
        for _ in 0..out.len() {
            let key = draw(rng);
            let mut best: Option<(u64, u16)> = None;
            for slot in self.window.tips() {
                if !self.eligible(slot, now, cone) {
                    continue;
                }
                let id = self.window.at(slot).id;
                let rank = mix(first_word(&id.0) ^ key);
                let better = match best {
                    None => true,
                    Some((least, old)) => {
                        rank < least || (rank == least && id < self.window.at(old).id)
                    }
                };
                if better {
                    best = Some((rank, slot));
                }
            }
            let Some((_, slot)) = best else {
                break;
            };
            cone = cone.join(self.window.masks(slot));
            count = put(out, count, self.window.at(slot).id);
        }
        count
    }

    /// What this node's own newest vertex has below it.
    pub(super) fn own_cone(&self) -> Masks {
        self.own
            .map_or(Masks::default(), |own| self.sets.masks(own))
    }

    /// Whether a tip may be chosen now beside a cone.
    pub(super) fn eligible(&self, slot: u16, now: Millis, cone: Masks) -> bool {
        let tip = self.window.at(slot);
        let freshness = self.policy.freshness.min(self.policy.max_parent_age);
        if tip.time.saturating_add(freshness.0) < now {
            return false;
        }
        let issuer = self.member(tip.issuer);
        if issuer.flags & FROZEN != 0 {
            return false;
        }
        if Some(tip.issuer) == self.own && issuer.head() == tip.id {
            return false;
        }
        cone.join(tip.masks).torn() & !cone.torn() == 0
    }
}

/// One draw: 64 bits.
pub(super) fn draw(rng: &mut impl FnMut() -> u32) -> u64 {
    let high = u64::from(rng()).wrapping_shl(32);
    high | u64::from(rng())
}

/// Adds an id unless it is there.
pub(super) fn put(out: &mut [Id], count: usize, id: Id) -> usize {
    if out.iter().take(count).any(|other| *other == id) {
        return count;
    }
    match out.get_mut(count) {
        Some(place) => {
            *place = id;
            count.wrapping_add(1)
        }
        None => count,
    }
}
