//! Walks a hash chain against its direction with log2(n) values: Jakobsson, *Fractal Hash Sequence Representation and Traversal* (ISIT 2002).
//!
//! Invariant: a pebble that stands where it is to be has the chain's value there; the nearest one is where the next even tick is. Places count from the anchor.

use super::SaleError;
use super::chain::Sale;

/// A value of the chain, on its way to where it is needed next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pebble {
    place: u32,
    target: u32,
    /// Its level: after it was used, it goes 3 * 2^level further and comes back to 2 * 2^level.
    level: u8,
    value: [u8; 32],
}

/// Where a pebble is that is no longer needed.
const AWAY: u32 = u32::MAX;

/// How long a chain of so many units is: a power of two.
pub(super) const fn length(units: u32) -> u32 {
    let length = units.next_power_of_two();
    if length < 2 { 2 } else { length }
}

/// How many pebbles walk a chain of so many units.
pub(super) const fn levels(units: u32) -> usize {
    length(units).trailing_zeros() as usize
}

/// Sets the pebbles of a chain that ends in w([`length`]) = `end` to where they are after `given` ticks; as many hashes as it is long.
pub(super) fn begin(
    sale: &Sale,
    units: u32,
    end: &[u8; 32],
    given: u32,
    pebbles: &mut [Pebble],
) -> Result<(), SaleError> {
    let pebbles = pebbles.get_mut(..levels(units)).ok_or(SaleError::Full)?;
    for (pebble, level) in pebbles.iter_mut().zip(1u8..) {
        let place = 1_u32.wrapping_shl(level.into());
        *pebble = Pebble {
            place,
            target: place,
            level,
            value: [0; 32],
        };
    }
    for index in 1..=given {
        approach(pebbles, &mut |_, _| {});
        if index & 1 == 0 {
            leap(pebbles, length(units));
        }
    }
    let mut value = *end;
    for index in (1..=length(units)).rev() {
        for pebble in pebbles.iter_mut().filter(|p| p.place == index) {
            pebble.value = value;
        }
        value = sale.before(index, &value);
    }
    Ok(())
}

/// w(`index`), where `index` is one more than the last time.
pub(super) fn next(
    sale: &Sale,
    units: u32,
    index: u32,
    pebbles: &mut [Pebble],
) -> Option<[u8; 32]> {
    let pebbles = pebbles.get_mut(..levels(units))?;
    approach(pebbles, &mut |place, value| {
        *value = sale.back(place, place.saturating_sub(2), value);
    });
    let nearest = *pebbles.first()?;
    if index & 1 == 1 {
        return Some(sale.before(nearest.place, &nearest.value));
    }
    leap(pebbles, length(units));
    Some(nearest.value)
}

/// One tick's worth of the way, of all that are on theirs: two steps. `walk` computes the value two before the one at a place.
fn approach(pebbles: &mut [Pebble], walk: &mut dyn FnMut(u32, &mut [u8; 32])) {
    for pebble in pebbles.iter_mut().filter(|p| p.place != p.target) {
        walk(pebble.place, &mut pebble.value);
        pebble.place = pebble.place.saturating_sub(2);
    }
}

/// The nearest was used: it goes to where another one stands, from where its next way begins.
fn leap(pebbles: &mut [Pebble], length: u32) {
    let Some((nearest, others)) = pebbles.split_first_mut() else {
        return;
    };
    let step = 1_u32.wrapping_shl(nearest.level.into());
    let target = nearest.target.saturating_add(step.saturating_mul(2));
    if target > length {
        nearest.place = AWAY;
        nearest.target = AWAY;
    } else {
        nearest.place = nearest.place.saturating_add(step.saturating_mul(3));
        nearest.target = target;
        let there = others.iter().find(|other| other.place == nearest.place);
        nearest.value = there.map_or([0; 32], |other| other.value);
    }
    crate::order::sort_few(pebbles, |a, b| a.place < b.place);
}

impl Pebble {
    pub(super) fn wipe(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.value);
    }
}

/// How many hashes [`next`] takes.
#[cfg(test)]
pub(super) fn hashes_of_next(pebbles: &[Pebble], index: u32) -> usize {
    let on_their_way = pebbles.iter().filter(|p| p.place != p.target).count();
    on_their_way * 2 + (index as usize & 1)
}
