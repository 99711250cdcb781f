//! Which of the newest vertices are in the cone of each of them, and whether all older ones are.
//!
//! Bit j of a cone stands for the vertex inserted j before its own; a child's is the union of its parents', shifted. A cone is
//! *whole* only if every vertex inserted `RECENT` or more before is in it, but for those that are *lost*: not in the cone of the vertex
//! inserted `RECENT` after them. So most questions about a cone need no walk: O(parents) per insertion. What is not told here
//! is walked for, so the width changes the cost and never the answer: 1 KiB more is worth it on a host, not on a microcontroller.

/// One bit for each of the newest vertices.
#[cfg(target_pointer_width = "64")]
pub(super) type Bits = u128;
#[cfg(not(target_pointer_width = "64"))]
pub(super) type Bits = u64;

/// How many they are.
pub(super) const RECENT: u32 = Bits::BITS;

/// The same at rest: aligned as everything else in a node's memory is.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed(8))]
pub(super) struct Kept(pub Bits);

/// The places of the ones, from low to high.
pub(super) fn ones(mut bits: Bits) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let i = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (i < RECENT).then_some(i)
    })
}

/// What is known of the cone of one of the newest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecentCone {
    /// Bit j: the vertex inserted j before is in it.
    pub cone: Bits,
    /// So is everything older that is not lost.
    pub whole: bool,
}

#[derive(Debug)]
pub(super) struct Recent {
    cones: [Kept; RECENT as usize],
    /// By place in `cones`.
    whole: Kept,
    /// Bit j: the vertex inserted RECENT + j before the newest is lost.
    lost: Kept,
    /// How many were inserted, up to twice RECENT.
    inserted: u32,
}

impl Recent {
    pub(super) const NONE: Self = Self {
        cones: [Kept(0); RECENT as usize],
        whole: Kept(0),
        lost: Kept(0),
        inserted: 0,
    };

    /// Of the vertex with this insertion number, one of the newest.
    pub(super) fn get(&self, sequence: u32) -> RecentCone {
        let place = sequence & (RECENT - 1);
        RecentCone {
            cone: self.cones.get(place as usize).map_or(0, |kept| kept.0),
            whole: { self.whole.0 }.wrapping_shr(place) & 1 == 1,
        }
    }

    /// What is to be kept of the next vertex, and which are lost then.
    fn next(&self, sequence: u32, parents: impl Iterator<Item = u32>) -> (RecentCone, Bits) {
        let (mut cone, mut older) = (Bits::from(1u8), Bits::from(0u8));
        // How far back the nearest whole parent says nothing of.
        let mut gap: Option<u32> = None;
        for back in parents.filter(|back| (1..=RECENT).contains(back)) {
            let parent = self.get(sequence.wrapping_sub(back));
            cone |= parent.cone.checked_shl(back).unwrap_or(0);
            older |= parent
                .cone
                .checked_shr(RECENT.wrapping_sub(back))
                .unwrap_or(0);
            if parent.whole {
                gap = Some(gap.map_or(back, |gap| gap.min(back)));
            }
        }
        let mut lost = { self.lost.0 }.wrapping_shl(1);
        if self.inserted >= RECENT && older & 1 == 0 {
            lost |= 1;
        }
        // What was inserted before the first is missed by nobody.
        let began = self.inserted.saturating_sub(RECENT - 1);
        let never = Bits::MAX.checked_shl(began).unwrap_or(0);
        let missed = !(older | lost | never);
        let whole = self.inserted < RECENT
            || gap.is_some_and(|gap| missed & !Bits::MAX.checked_shl(gap).unwrap_or(0) == 0);
        (RecentCone { cone, whole }, lost)
    }

    /// Adds the vertex with this insertion number. `parents`: how many insertions before it each of those that are here came.
    pub(super) fn push(&mut self, sequence: u32, parents: impl Iterator<Item = u32>) {
        let (recent, lost) = self.next(sequence, parents);
        self.lost = Kept(lost);
        self.inserted = self.inserted.saturating_add(1).min(2 * RECENT);
        let place = sequence & (RECENT - 1);
        if let Some(cone) = self.cones.get_mut(place as usize) {
            *cone = Kept(recent.cone);
        }
        let bit = Bits::from(1u8).wrapping_shl(place);
        self.whole = Kept((self.whole.0 & !bit) | if recent.whole { bit } else { 0 });
    }

    /// Whether the vertex inserted RECENT before the newest is lost.
    pub(super) fn lost_one(&self) -> bool {
        self.lost.0 & 1 == 1
    }
}
