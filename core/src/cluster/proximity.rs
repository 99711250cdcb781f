//! How near two devices are, in three dimensions, and which head a member belongs to.
//!
//! Invariant: a distance is an integer from 0 to 1000, the same from both sides, 0 between equals, and never falls when one input moves
//! apart. It is no metric: nothing here relies on a triangle. Grouping is a function of the distances and the head so far, with hysteresis:
//! noise smaller than half the margin moves nobody back and forth. After the clustered-devices paper's physical, social and temporal proximity.

use super::context::Tag;
use crate::types::MemberIndex;
use core::num::NonZeroU32;
use heapless::Vec;

/// The greatest distance, and that of what is not known.
pub const FARTHEST: u16 = 1000;
/// Contracts that a profile names at most.
pub const MAX_CONTRACTS: usize = 4;

/// How far apart two devices are: 0 to [`FARTHEST`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub u16);

/// A place on a grid whose step is the policy's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// East.
    pub x: i32,
    /// North.
    pub y: i32,
    /// Floor.
    pub z: i16,
}

impl Cell {
    /// Steps between two cells, diagonals counted as one.
    #[must_use]
    pub const fn steps(self, other: Self) -> u32 {
        let x = self.x.abs_diff(other.x);
        let y = self.y.abs_diff(other.y);
        let z = self.z.abs_diff(other.z) as u32;
        let flat = if x > y { x } else { y };
        if flat > z { flat } else { z }
    }
}

/// The slots of a cycle of 32 in which a device is awake; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wake(NonZeroU32);

impl Wake {
    /// Never asleep.
    pub const ALWAYS: Self = Self(NonZeroU32::MAX);

    /// The slots of a mask; `None` for one that is never awake, which nobody could meet.
    #[must_use]
    pub const fn new(mask: u32) -> Option<Self> {
        match NonZeroU32::new(mask) {
            Some(mask) => Some(Self(mask)),
            None => None,
        }
    }

    /// The mask.
    #[must_use]
    pub const fn mask(self) -> u32 {
        self.0.get()
    }
}

/// What a device says of itself. Owner and contracts are tags: see `context`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Where it is, if it knows.
    pub cell: Option<Cell>,
    /// Who owns it.
    pub owner: Tag,
    /// Contracts that it takes part in.
    pub contracts: Vec<Tag, MAX_CONTRACTS>,
    /// When it is awake.
    pub wake: Wake,
}

impl Profile {
    fn shared(&self, other: &Self) -> u32 {
        let mut shared = 0u32;
        for (at, tag) in self.contracts.iter().enumerate() {
            // A tag named twice counts once, or the two sides would count differently.
            let first = !self.contracts.iter().take(at).any(|t| t == tag);
            if first && other.contracts.contains(tag) {
                shared = shared.saturating_add(1);
            }
        }
        shared
    }
}

/// What one side of a link measured of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Signal strength in dBm.
    pub rssi: Option<i8>,
    /// Hops between them; 0 is oneself.
    pub hops: Option<u8>,
}

/// Weights and scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Weight of the physical dimension.
    pub physical: u16,
    /// Weight of the social dimension.
    pub social: u16,
    /// Weight of the temporal dimension.
    pub temporal: u16,
    /// A signal at least so strong is distance 0, in dBm.
    pub near: i8,
    /// A signal at most so strong is [`FARTHEST`]; below `near`.
    pub far: i8,
    /// So many hops are [`FARTHEST`]; above 0.
    pub hops: u8,
    /// So many cells are [`FARTHEST`]; above 0.
    pub cells: u16,
}

impl Policy {
    /// Two parts place, one part each whose and when.
    pub const DEFAULT: Self = Self {
        physical: 2,
        social: 1,
        temporal: 1,
        near: -45,
        far: -95,
        hops: 6,
        cells: 16,
    };

    /// Whether all scales have a length and some weight counts.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        (self.physical > 0 || self.social > 0 || self.temporal > 0)
            && self.near > self.far
            && self.hops > 0
            && self.cells > 0
    }

    /// How far apart two devices are, by what each says of itself and measured of the other.
    #[must_use]
    pub fn distance(&self, a: (&Profile, Measured), b: (&Profile, Measured)) -> Distance {
        let parts = [
            (self.physical, self.physical_of(a, b)),
            (self.social, social(a.0, b.0)),
            (self.temporal, temporal(a.0.wake, b.0.wake)),
        ];
        let (mut sum, mut weights) = (0u32, 0u32);
        for (weight, part) in parts {
            sum = sum.saturating_add(u32::from(weight).saturating_mul(u32::from(part)));
            weights = weights.saturating_add(u32::from(weight));
        }
        // Rounded up: what is not equal is never 0.
        let mean = sum
            .saturating_add(weights.saturating_sub(1))
            .checked_div(weights);
        Distance(held(mean.unwrap_or(FARTHEST.into())))
    }

    /// RSSI where both measured it, else hops where both know them, else cells; nothing known is far.
    fn physical_of(&self, a: (&Profile, Measured), b: (&Profile, Measured)) -> u16 {
        if let (Some(x), Some(y)) = (a.1.rssi, b.1.rssi) {
            let lost = i32::from(self.near).saturating_sub(i32::from(x.min(y)));
            let scale = i32::from(self.near).saturating_sub(i32::from(self.far));
            let (lost, scale) = (lost.max(0).unsigned_abs(), scale.max(0).unsigned_abs());
            return share(lost, scale);
        }
        if let (Some(x), Some(y)) = (a.1.hops, b.1.hops) {
            return share(x.max(y).into(), self.hops.into());
        }
        match (a.0.cell, b.0.cell) {
            (Some(x), Some(y)) => share(x.steps(y), self.cells.into()),
            _ => FARTHEST,
        }
    }
}

fn social(a: &Profile, b: &Profile) -> u16 {
    if a.owner == b.owner {
        return 0;
    }
    FARTHEST.checked_shr(a.shared(b)).unwrap_or(0)
}

/// One minus the share of the rarer one's slots in which both are awake.
fn temporal(a: Wake, b: Wake) -> u16 {
    let both = (a.mask() & b.mask()).count_ones();
    let rarer = a.mask().count_ones().min(b.mask().count_ones());
    share(rarer.saturating_sub(both), rarer)
}

/// `part` of `whole` in thousandths, rounded up, at most [`FARTHEST`].
fn share(part: u32, whole: u32) -> u16 {
    let scaled = u64::from(part).saturating_mul(FARTHEST.into());
    let up = scaled.saturating_add(u64::from(whole).saturating_sub(1));
    match up.checked_div(whole.into()) {
        Some(value) => held(u32::try_from(value).unwrap_or(u32::MAX)),
        None => FARTHEST,
    }
}

fn held(value: u32) -> u16 {
    u16::try_from(value).map_or(FARTHEST, |v| v.min(FARTHEST))
}

/// When a member joins a head, leaves it, or goes over to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// A head farther than this is not joined.
    pub join: Distance,
    /// A head farther than this is left; at least `join`.
    pub leave: Distance,
    /// Another head must be nearer by more than this.
    pub margin: u16,
}

impl Grouping {
    /// Joins within 600, leaves beyond 700, changes for 100.
    pub const DEFAULT: Self = Self {
        join: Distance(600),
        leave: Distance(700),
        margin: 100,
    };

    /// The head to belong to, given the one so far and how far each head is; none where all are too far. The order of `heads` does not matter.
    #[must_use]
    pub fn choose(
        &self,
        current: Option<MemberIndex>,
        heads: impl IntoIterator<Item = (MemberIndex, Distance)>,
    ) -> Option<MemberIndex> {
        let mut best: Option<(Distance, MemberIndex)> = None;
        let mut held = None;
        for (head, distance) in heads {
            if current == Some(head) {
                held = Some(distance);
            }
            let one = (distance, head);
            if distance <= self.join && best.is_none_or(|b| one < b) {
                best = Some(one);
            }
        }
        let stays = held.filter(|d| *d <= self.leave.max(self.join));
        match (stays, best) {
            (Some(now), Some((distance, head)))
                if distance.0.saturating_add(self.margin) < now.0 =>
            {
                Some(head)
            }
            (Some(_), _) => current,
            (None, best) => best.map(|(_, head)| head),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_profile() -> impl Strategy<Value = Profile> {
        let cell = prop::option::of((any::<i32>(), any::<i32>(), any::<i16>()));
        let near = prop::option::of((-4i32..4, -4i32..4, 0i16..2));
        let cell = prop_oneof![cell, near];
        let tags = prop::collection::vec(0u8..5, 0..=MAX_CONTRACTS);
        (cell, 0u8..3, tags, 1u32..).prop_map(|(cell, owner, tags, wake)| Profile {
            cell: cell.map(|(x, y, z)| Cell { x, y, z }),
            owner: Tag([owner; 8]),
            contracts: tags.iter().map(|t| Tag([*t; 8])).collect(),
            wake: Wake::new(wake).unwrap(),
        })
    }

    fn any_measured() -> impl Strategy<Value = Measured> {
        (prop::option::of(any::<i8>()), prop::option::of(any::<u8>()))
            .prop_map(|(rssi, hops)| Measured { rssi, hops })
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        (
            any::<[u16; 3]>(),
            any::<[i8; 2]>(),
            any::<u8>(),
            any::<u16>(),
        )
            .prop_map(
                |([physical, social, temporal], [near, far], hops, cells)| Policy {
                    physical,
                    social,
                    temporal,
                    near,
                    far,
                    hops,
                    cells,
                },
            )
    }

    fn sound() -> impl Strategy<Value = Policy> {
        any_policy().prop_filter("sound", Policy::is_sound)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn bounded_and_symmetric(p in any_policy(), a in any_profile(), b in any_profile(), x in any_measured(), y in any_measured()) {
            let there = p.distance((&a, x), (&b, y));
            prop_assert!(there.0 <= FARTHEST);
            prop_assert_eq!(there, p.distance((&b, y), (&a, x)));
        }

        #[test]
        fn equals_are_at_distance_nothing(p in sound(), mut a in any_profile(), by in 0u8..3) {
            let mut seen = Measured::default();
            match by {
                0 => seen.rssi = Some(p.near),
                1 => seen.hops = Some(0),
                _ => a.cell = Some(a.cell.unwrap_or(Cell { x: 1, y: 2, z: 3 })),
            }
            prop_assert_eq!(p.distance((&a, seen), (&a, seen)), Distance(0));
        }

        /// One input moves apart, all else stays: never nearer.
        #[test]
        fn monotone_in_each_input(
            p in sound(), a in any_profile(), b in any_profile(), x in any_measured(), y in any_measured(),
            step in any::<u8>(), which in 0u8..6,
        ) {
            let before = p.distance((&a, x), (&b, y));
            let (mut a2, mut x2) = (a.clone(), x);
            match which {
                0 => x2.rssi = x.rssi.map(|v| v.saturating_sub_unsigned(step)),
                1 => x2.hops = x.hops.map(|v| v.saturating_add(step)),
                2 => {
                    // Away from b along x.
                    if let (Some(cell), Some(other)) = (&mut a2.cell, b.cell) {
                        cell.x = if cell.x >= other.x { cell.x.saturating_add(step.into()) } else { cell.x.saturating_sub(step.into()) };
                    }
                }
                3 => { a2.contracts.pop(); }
                4 => if a2.owner == b.owner { a2.owner = Tag([9; 8]); },
                // A slot that both share goes over to one in which b sleeps.
                _ => {
                    let both = a.wake.mask() & b.wake.mask();
                    let free = !(a.wake.mask() | b.wake.mask());
                    if both != 0 && free != 0 {
                        let moved = a.wake.mask() & !(1 << both.trailing_zeros()) | 1 << free.trailing_zeros();
                        a2.wake = Wake::new(moved).unwrap();
                    }
                }
            }
            let after = p.distance((&a2, x2), (&b, y));
            prop_assert!(after >= before, "{before:?} {after:?}");
        }

        #[test]
        fn the_choice_does_not_depend_on_order(mut heads in prop::collection::vec((0u16..20, 0u16..=1000), 0..12), current in prop::option::of(0u16..20), at in any::<prop::sample::Index>()) {
            heads.sort_unstable();
            heads.dedup_by_key(|h| h.0);
            let as_heads = |v: &[(u16, u16)]| v.iter().map(|(m, d)| (MemberIndex(*m), Distance(*d))).collect::<std::vec::Vec<_>>();
            let current = current.map(MemberIndex);
            let one = Grouping::DEFAULT.choose(current, as_heads(&heads));
            if !heads.is_empty() {
                let at = at.index(heads.len());
                heads.rotate_left(at);
            }
            heads.reverse();
            prop_assert_eq!(one, Grouping::DEFAULT.choose(current, as_heads(&heads)));
            // Whoever is chosen is within reach, and choosing again changes nothing.
            let far = one.and_then(|m| heads.iter().find(|h| h.0 == m.0)).map(|h| h.1);
            prop_assert!(far.is_none_or(|d| d <= 700));
            prop_assert_eq!(one, Grouping::DEFAULT.choose(one, as_heads(&heads)));
        }

        /// Two heads at distances that shake by less than half the margin: at most one change, the first choice.
        #[test]
        fn noise_does_not_make_it_flap(base in 100u16..600, gap in 0u16..50, noise in prop::collection::vec((0u16..50, 0u16..50), 1..60)) {
            let mut current = None;
            let mut changes = 0;
            for (n, m) in noise {
                let heads = [(MemberIndex(1), Distance(base + n)), (MemberIndex(2), Distance(base + gap + m))];
                let next = Grouping::DEFAULT.choose(current, heads);
                changes += usize::from(next != current);
                current = next;
            }
            prop_assert!(changes <= 1, "{changes}");
        }
    }

    #[test]
    fn the_worse_measurement_and_the_better_known_scale_count() {
        let p = Policy {
            social: 0,
            temporal: 0,
            ..Policy::DEFAULT
        };
        let here = Profile {
            cell: Some(Cell { x: 0, y: 0, z: 0 }),
            owner: Tag([1; 8]),
            contracts: Vec::new(),
            wake: Wake::ALWAYS,
        };
        let there = Profile {
            cell: Some(Cell { x: 4, y: -2, z: 0 }),
            ..here.clone()
        };
        let seen = |rssi, hops| Measured { rssi, hops };
        let d = |x, y| p.distance((&here, x), (&there, y)).0;
        assert_eq!(d(seen(Some(-45), None), seen(Some(-70), None)), 500);
        assert_eq!(d(seen(Some(-45), Some(3)), seen(None, Some(2))), 500);
        assert_eq!(d(seen(Some(-45), Some(3)), seen(None, None)), 250);
        let nowhere = Profile {
            cell: None,
            ..there.clone()
        };
        let unknown = Measured::default();
        assert_eq!(
            p.distance((&here, unknown), (&nowhere, unknown)),
            Distance(FARTHEST)
        );
    }

    #[test]
    fn who_is_never_awake_has_no_profile() {
        assert_eq!(Wake::new(0), None);
        assert_eq!(temporal(Wake::ALWAYS, Wake::new(1 << 9).unwrap()), 0);
        assert_eq!(
            temporal(Wake::new(0b11).unwrap(), Wake::new(0b110).unwrap()),
            500
        );
        assert_eq!(
            temporal(Wake::new(1).unwrap(), Wake::new(2).unwrap()),
            FARTHEST
        );
    }

    #[test]
    fn a_member_goes_over_and_leaves_only_when_it_is_worth_it() {
        let g = Grouping::DEFAULT;
        let one = MemberIndex(1);
        let heads = |a, b| [(one, Distance(a)), (MemberIndex(2), Distance(b))];
        assert_eq!(g.choose(None, heads(601, 700)), None);
        assert_eq!(g.choose(None, heads(600, 600)), Some(one));
        assert_eq!(g.choose(Some(one), heads(700, 601)), Some(one));
        assert_eq!(g.choose(Some(one), heads(700, 600)), Some(one));
        assert_eq!(g.choose(Some(one), heads(700, 599)), Some(MemberIndex(2)));
        assert_eq!(g.choose(Some(one), heads(701, 601)), None);
        // A head that is gone altogether.
        assert_eq!(
            g.choose(Some(MemberIndex(3)), heads(500, 400)),
            Some(MemberIndex(2))
        );
    }
}
