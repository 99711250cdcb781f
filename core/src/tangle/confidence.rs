//! The weighted walk of *The Tangle*, section 4.1, and confidence, exactly.
//!
//! The walk steps from x to a child y with probability proportional to exp(alpha * H_y). It is a Markov chain on a DAG, so one pass in
//! topological order gives the probability of every tip; confidence(v) is the sum over the tips with v in their cone. No
//! sampling and no floats: 32-bit fixed point, and a vertex hands out exactly what it has (each child gets its share of
//! what is left, the last one all of it), so the tips sum to one. The order is (time, id), so rounding is the same wherever the DAG is.

use super::error::SelectError;
use super::memory::{Scratch, Work};
use super::model::{Confidence, Start, Walk};
use super::tips::{draw, put};
use super::window::{first_word, mix};
use super::{Id, Tangle};
use crate::Millis;

/// The walk may come here.
const INCLUDED: u32 = 1;
/// The walk may begin here.
const ROOT: u32 = 2;

/// One in the fixed point of step weights.
const STEP_ONE: u64 = 1 << 31;

/// `2^-(i / 16^j)` in units of 2^-32, for j = 1 to 4: the hexadecimal digits of an exponent.
const DIGITS: [[u64; 16]; 4] = [
    [
        4294967296, 4112874773, 3938502376, 3771522796, 3611622603, 3458501653, 3311872529,
        3171459999, 3037000500, 2908241642, 2784941738, 2666869345, 2553802834, 2445529972,
        2341847524, 2242560872,
    ],
    [
        4294967296, 4283353945, 4271771996, 4260221365, 4248701965, 4237213713, 4225756525,
        4214330316, 4202935003, 4191570503, 4180236731, 4168933606, 4157661043, 4146418961,
        4135207276, 4124025908,
    ],
    [
        4294967296, 4294240540, 4293513907, 4292787397, 4292061010, 4291334746, 4290608604,
        4289882586, 4289156690, 4288430917, 4287705267, 4286979740, 4286254336, 4285529054,
        4284803895, 4284078859,
    ],
    [
        4294967296, 4294921870, 4294876445, 4294831020, 4294785595, 4294740172, 4294694748,
        4294649325, 4294603903, 4294558481, 4294513059, 4294467638, 4294422217, 4294376797,
        4294331378, 4294285959,
    ],
];

/// log2(e) in units of 2^-32.
const LOG2_E: u64 = 6_196_328_019;

/// exp(-alpha * d) in units of 2^-31, alpha in units of 2^-16.
fn decay(alpha: u32, d: u32) -> u64 {
    let x = u64::from(alpha).saturating_mul(u64::from(d));
    // Below exp(-32) nothing of 31 bits is left.
    if x >= 32 << 16 {
        return 0;
    }
    let exponent = x.wrapping_mul(LOG2_E).wrapping_shr(32);
    let mut y = STEP_ONE;
    let mut shift = 12u32;
    for row in &DIGITS {
        let digit = exponent.wrapping_shr(shift) & 15;
        if digit != 0 {
            let factor = row.get(digit as usize).copied().unwrap_or(0);
            y = y.wrapping_mul(factor).wrapping_shr(32);
        }
        shift = shift.wrapping_sub(4);
    }
    y.wrapping_shr(exponent.wrapping_shr(16) as u32)
}

/// -log2(u / 2^64) in units of 2^-24; u as drawn, 0 taken for 1. Always above 0.
fn surprise(u: u64) -> u64 {
    let u = u.max(1);
    let zeros = u.leading_zeros();
    // m = u / 2^(63 - zeros) in [1, 2), in units of 2^-31; log2(m) bit by bit: squaring doubles it.
    let mut m = u.wrapping_shl(zeros).wrapping_shr(32);
    let mut fraction = 0u64;
    for _ in 0..24 {
        m = m.wrapping_mul(m).wrapping_shr(31);
        fraction = fraction.wrapping_shl(1);
        if m >= 1 << 32 {
            m = m.wrapping_shr(1);
            fraction |= 1;
        }
    }
    u64::from(zeros)
        .wrapping_add(1)
        .wrapping_shl(24)
        .wrapping_sub(fraction)
}

/// What flows from a vertex (or the virtual root) to its children: what is left, and the sum of the weights of the steps not yet taken.
fn share(left: &mut u64, steps: &mut u64, step: u64) -> u64 {
    let part = if step == 0 || *steps == 0 {
        0
    } else if step >= *steps {
        *left
    } else {
        // left <= 2^32, step <= 2^31.
        left.wrapping_mul(step).checked_div(*steps).unwrap_or(0)
    };
    *left = left.saturating_sub(part);
    *steps = steps.saturating_sub(step);
    part
}

fn of(work: &mut [Work], slot: u16) -> Option<&mut Work> {
    work.get_mut(usize::from(slot))
}

impl Tangle<'_> {
    /// Confidence of every vertex: the probability that the tip which the walk reaches has it in its cone. Told in
    /// (time, id) order. Exact but for rounding; the tips' probabilities sum to one.
    ///
    /// # Errors
    /// Scratch memory too short, or a start that is not here.
    pub fn confidences(
        &self,
        walk: &Walk,
        now: Millis,
        scratch: &mut Scratch<'_>,
        mut out: impl FnMut(&Id, Confidence),
    ) -> Result<(), SelectError> {
        let count = self.walk(walk, now, scratch)?;
        let order = scratch.order.get(..count).unwrap_or(&[]);
        let work = &mut *scratch.work;
        for &slot in order {
            if let Some(work) = of(work, slot) {
                work.c = 0;
            }
        }
        // The tips in blocks of 64; `value` holds their probability, and nothing else has any left.
        let mut next = 0usize;
        while next < order.len() {
            for &slot in order {
                if let Some(work) = of(work, slot) {
                    work.a = 0;
                }
            }
            let mut chances = [0u64; 64];
            let mut tips = 0usize;
            while let Some(&slot) = order.get(next) {
                let Some(chance) = chances.get_mut(tips) else {
                    break;
                };
                next = next.wrapping_add(1);
                if let Some(work) = of(work, slot)
                    && work.value > 0
                {
                    *chance = work.value;
                    work.a = 1u64.wrapping_shl(tips as u32);
                    tips = tips.wrapping_add(1);
                }
            }
            if tips == 0 {
                continue;
            }
            let all = u64::MAX.wrapping_shr(64u32.wrapping_sub(tips as u32));
            let sum = chances.iter().fold(0u64, |a, b| a.wrapping_add(*b));
            for &slot in order.iter().rev() {
                let Some(here) = of(work, slot) else {
                    continue;
                };
                let above = here.a;
                if above == 0 {
                    continue;
                }
                here.c = here.c.wrapping_add(if above == all {
                    sum
                } else {
                    super::tracks::bits(above).fold(0u64, |total, i| {
                        total.wrapping_add(chances.get(i).copied().unwrap_or(0))
                    })
                });
                for parent in self.window.parents(slot) {
                    if let Some(work) = of(work, parent) {
                        work.a |= above;
                    }
                }
            }
        }
        for &slot in order {
            let confidence = of(work, slot).map_or(0, |work| work.c);
            out(&self.window.at(slot).id, Confidence(confidence));
        }
        Ok(())
    }

    /// Chooses tips by the weighted walk, each drawn independently, under the same conditions as [`Tangle::select`].
    ///
    /// # Errors
    /// Scratch memory too short, or a start that is not here.
    pub fn select_weighted(
        &self,
        walk: &Walk,
        now: Millis,
        rng: &mut impl FnMut() -> u32,
        scratch: &mut Scratch<'_>,
        out: &mut [Id],
    ) -> Result<usize, SelectError> {
        let count = self.walk(walk, now, scratch)?;
        let order = scratch.order.get(..count).unwrap_or(&[]);
        let mut cone = self.own_cone();
        let mut chosen = 0usize;
        for _ in 0..out.len() {
            // An exponential race: the tip with the least -log(u) / p wins with probability p, whatever the order of the pool.
            let key = draw(rng);
            let mut best: Option<(u64, u64, u16)> = None;
            for &slot in order {
                let chance = scratch
                    .work
                    .get(usize::from(slot))
                    .map_or(0, |work| work.value);
                if chance == 0 || !self.eligible(slot, now, cone) {
                    continue;
                }
                let time = surprise(mix(first_word(&self.window.at(slot).id.0) ^ key));
                let wins = best.is_none_or(|(best_time, best_chance, _)| {
                    // Times are below 2^31 and chances at most 2^32.
                    time.wrapping_mul(best_chance) < best_time.wrapping_mul(chance)
                });
                if wins {
                    best = Some((time, chance, slot));
                }
            }
            let Some((_, _, slot)) = best else {
                break;
            };
            cone = cone.join(self.window.masks(slot));
            chosen = put(out, chosen, self.window.at(slot).id);
        }
        Ok(chosen)
    }

    /// Leaves the probability of every tip in `work.value` (0 elsewhere) and H in `work.weight`. Returns the length of the order.
    fn walk(
        &self,
        walk: &Walk,
        now: Millis,
        scratch: &mut Scratch<'_>,
    ) -> Result<usize, SelectError> {
        let count = self.canonical_order(scratch)?;
        self.weigh(scratch);
        self.include(walk, now, scratch, count)?;
        let order = scratch.order.get(..count).unwrap_or(&[]);
        let work = &mut *scratch.work;
        // `b`: the greatest H among the children. `a`: the sum of the weights of the steps.
        let (mut root_left, mut root_steps, mut root_most) = (Confidence::ONE.0, 0u64, 0u32);
        for &slot in order {
            if let Some(here) = of(work, slot) {
                here.a = 0;
                here.b = 0;
                here.value = 0;
            }
        }
        self.steps(order, work, |from, weight, _| {
            match from {
                Some(parent) => parent.b = parent.b.max(u64::from(weight)),
                None => root_most = root_most.max(weight),
            }
            0
        });
        let step = |most: u32, weight: u32| decay(walk.alpha, most.saturating_sub(weight));
        self.steps(order, work, |from, weight, _| {
            match from {
                Some(parent) => {
                    parent.a = parent.a.saturating_add(step(parent.b as u32, weight));
                }
                None => root_steps = root_steps.saturating_add(step(root_most, weight)),
            }
            0
        });
        self.steps(order, work, |from, weight, _| match from {
            Some(parent) => {
                let step = step(parent.b as u32, weight);
                share(&mut parent.value, &mut parent.a, step)
            }
            None => share(&mut root_left, &mut root_steps, step(root_most, weight)),
        });
        Ok(count)
    }

    /// Goes over every step of the walk in topological order of its target, and adds to the target what the visitor gives.
    fn steps(
        &self,
        order: &[u16],
        work: &mut [Work],
        mut visit: impl FnMut(Option<&mut Work>, u32, u16) -> u64,
    ) {
        for &slot in order {
            let Some(here) = of(work, slot) else {
                continue;
            };
            let (flags, weight) = (here.flags, here.weight);
            if flags & INCLUDED == 0 {
                continue;
            }
            let mut sum = 0u64;
            if flags & ROOT != 0 {
                sum = visit(None, weight, slot);
            }
            for parent in self.window.parents(slot) {
                if let Some(parent) = of(work, parent)
                    && parent.flags & INCLUDED != 0
                {
                    sum = sum.wrapping_add(visit(Some(parent), weight, slot));
                }
            }
            if let Some(here) = of(work, slot) {
                here.value = here.value.wrapping_add(sum);
            }
        }
    }

    /// Marks where the walk may go and begin.
    fn include(
        &self,
        walk: &Walk,
        now: Millis,
        scratch: &mut Scratch<'_>,
        count: usize,
    ) -> Result<(), SelectError> {
        let only = match walk.start {
            Start::Vertex(id) => Some(self.window.find(&id).ok_or(SelectError::NotHere)?),
            Start::Root | Start::Since(_) => None,
        };
        let since = match walk.start {
            Start::Since(depth) => now.saturating_sub(depth.0),
            Start::Root | Start::Vertex(_) => Millis(0),
        };
        for work in scratch.work.iter_mut() {
            work.flags = 0;
        }
        for &slot in scratch.order.iter().take(count) {
            let on_included = self.window.parents(slot).any(|parent| {
                scratch
                    .work
                    .get(usize::from(parent))
                    .is_some_and(|work| work.flags & INCLUDED != 0)
            });
            let flags = match only {
                Some(start) if slot == start => INCLUDED | ROOT,
                Some(_) if on_included => INCLUDED,
                Some(_) => 0,
                None if self.window.at(slot).time < since => 0,
                None if on_included => INCLUDED,
                None => INCLUDED | ROOT,
            };
            if let Some(work) = of(scratch.work, slot) {
                work.flags = flags;
            }
        }
        Ok(())
    }
}
