//! What is kept of each member for the followed transactions: six sets of them, as wide as there are slots to follow with.
//!
//! With 64 slots a set is a word; a device that follows eight spends a byte. Invariant: what is read is what was written, cut to the slots that
//! exist, and no bit beyond them is ever set.

use super::memory::Masks;
use crate::MemberIndex;

/// Sets per member.
pub(super) const PER_MEMBER: usize = 6;

/// Which of a member's sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// `Masks` of its newest vertex: these four.
    Seen,
    Rival,
    Evident,
    Above,
    /// What a vertex of the member approves in time.
    Approved,
    /// Whose z is below a vertex of the member in time; before there is a z, in whose base it is.
    Second,
}

/// Bytes of one set for this many slots.
pub(super) const fn width(tracked: usize) -> usize {
    tracked.div_ceil(8)
}

/// The sets of all members over caller memory.
#[derive(Debug)]
pub(super) struct Sets<'m> {
    bytes: &'m mut [u8],
    width: usize,
}

fn load(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => bytes
            .iter()
            .rev()
            .fold(0, |word, &byte| word.wrapping_shl(8) | u64::from(byte)),
    }
}

fn store(bytes: &mut [u8], word: u64) {
    for (place, byte) in bytes.iter_mut().zip(word.to_le_bytes()) {
        *place = byte;
    }
}

impl<'m> Sets<'m> {
    pub(super) fn new(bytes: &'m mut [u8], tracked: usize) -> Self {
        bytes.fill(0);
        Self {
            bytes,
            width: width(tracked),
        }
    }

    pub(super) fn into_inner(self) -> &'m mut [u8] {
        self.bytes
    }

    fn start(&self, member: MemberIndex, set: Set) -> usize {
        usize::from(member.0)
            .wrapping_mul(PER_MEMBER)
            .wrapping_add(set as usize)
            .wrapping_mul(self.width)
    }

    /// One set of a member; empty for a member that there is no room for.
    pub(super) fn get(&self, member: MemberIndex, set: Set) -> u64 {
        let start = self.start(member, set);
        let end = start.wrapping_add(self.width);
        self.bytes.get(start..end).map_or(0, load)
    }

    fn put(&mut self, member: MemberIndex, set: Set, word: u64) {
        let start = self.start(member, set);
        let end = start.wrapping_add(self.width);
        if let Some(bytes) = self.bytes.get_mut(start..end) {
            store(bytes, word);
        }
    }

    /// Adds to one set of a member.
    pub(super) fn add(&mut self, member: MemberIndex, set: Set, bits: u64) {
        self.put(member, set, self.get(member, set) | bits);
    }

    /// What the cone of a member's newest vertex holds.
    pub(super) fn masks(&self, member: MemberIndex) -> Masks {
        Masks {
            seen: self.get(member, Set::Seen),
            rival: self.get(member, Set::Rival),
            evident: self.get(member, Set::Evident),
            above: self.get(member, Set::Above),
        }
    }

    pub(super) fn set_masks(&mut self, member: MemberIndex, masks: Masks) {
        self.put(member, Set::Seen, masks.seen);
        self.put(member, Set::Rival, masks.rival);
        self.put(member, Set::Evident, masks.evident);
        self.put(member, Set::Above, masks.above);
    }

    /// Takes these bits out of all sets of all members.
    pub(super) fn forget(&mut self, bits: u64) {
        for bytes in self.bytes.chunks_exact_mut(self.width.max(1)) {
            let kept = load(bytes) & !bits;
            store(bytes, kept);
        }
    }

    /// Takes these bits out of `Above` and `Second` of all members.
    pub(super) fn forget_above(&mut self, bits: u64) {
        let width = self.width.max(1);
        let all = width.wrapping_mul(PER_MEMBER).max(1);
        for member in self.bytes.chunks_exact_mut(all) {
            for set in [Set::Above, Set::Second] {
                let start = (set as usize).wrapping_mul(width);
                if let Some(bytes) = member.get_mut(start..start.wrapping_add(width)) {
                    let kept = load(bytes) & !bits;
                    store(bytes, kept);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Set; PER_MEMBER] = [
        Set::Seen,
        Set::Rival,
        Set::Evident,
        Set::Above,
        Set::Approved,
        Set::Second,
    ];

    proptest! {
        #[test]
        fn sets_are_those_of_whole_words(
            tracked in 4usize..=64,
            steps in prop::collection::vec((0u16..5, 0usize..PER_MEMBER, any::<u64>(), 0u8..4), 1..60),
        ) {
            let fits = u64::MAX >> (64 - tracked);
            let mut bytes = vec![0xaa; 5 * PER_MEMBER * width(tracked)];
            let mut sets = Sets::new(&mut bytes, tracked);
            let mut words = [[0u64; PER_MEMBER]; 5];
            for (member, set, bits, what) in steps {
                let bits = bits & fits;
                let m = usize::from(member);
                match what {
                    0 => sets.forget(bits),
                    1 => sets.forget_above(bits),
                    2 => {
                        let masks = Masks { seen: bits, rival: !bits & fits, evident: bits >> 1, above: bits & 7 };
                        sets.set_masks(MemberIndex(member), masks);
                        words[m][..4].copy_from_slice(&[bits, !bits & fits, bits >> 1, bits & 7]);
                    }
                    _ => {
                        sets.add(MemberIndex(member), ALL[set], bits);
                        words[m][set] |= bits;
                    }
                }
                for word in &mut words {
                    for (i, word) in word.iter_mut().enumerate() {
                        let above = ALL[i] == Set::Above || ALL[i] == Set::Second;
                        if what == 0 || (what == 1 && above) {
                            *word &= !bits;
                        }
                    }
                }
                for (m, word) in words.iter().enumerate() {
                    for (i, word) in word.iter().enumerate() {
                        prop_assert_eq!(sets.get(MemberIndex(m as u16), ALL[i]), *word);
                    }
                }
            }
            prop_assert_eq!(sets.get(MemberIndex(5), Set::Seen), 0);
            sets.add(MemberIndex(5), Set::Seen, 1);
        }
    }
}
