//! Merkle trees of RFC 9162 section 2.1 over SHA-256: roots, inclusion paths and their check.
//!
//! Invariant: for every leaf of a tree, `root_from_path(leaf, index, size, path)` is the root if `path` is the one that
//! [`path`] or [`Levels`] gives, and is refused or another root for every other index, size, leaf or path. Leaves and nodes
//! are hashed under different prefixes (0x00 and 0x01), so that neither passes for the other.
//!
//! [`Tree`] takes leaves in order and keeps one hash per level; [`path`] hashes the whole tree once per call and keeps no
//! more; [`Levels`] keeps all nodes in the caller's memory and answers in O(log n), for who serves many proofs.

use crate::Id;
use crate::crypto::{Sha256, sha256};
use core::borrow::Borrow;

/// Most hashes of an inclusion path: a tree has fewer than 2^32 leaves.
pub const MAX_PATH: usize = 32;

/// Why a tree or a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MerkleError {
    /// The index is not below the size: the proof speaks of a leaf that the tree doesn't have. Refuse it.
    Index,
    /// The path is longer or shorter than this index and size demand. Refuse the proof.
    PathLength,
    /// The path leads to another root. Refuse the proof.
    Root,
    /// The tree has as many leaves as fit, or the output has no room: give more memory.
    Full,
}

/// The hash of a leaf: SHA-256(0x00 || bytes).
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Id {
    Id(sha256(&[&[0x00], bytes]))
}

/// The hash of a leaf that comes in pieces: give it the bytes, and take the digest.
#[must_use]
pub fn leaf_in_pieces() -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(&[0x00]);
    hash
}

/// The hash of an inner node: SHA-256(0x01 || left || right).
#[must_use]
pub fn node_hash(left: &Id, right: &Id) -> Id {
    Id(sha256(&[&[0x01], &left.0, &right.0]))
}

/// The root of the tree without leaves: SHA-256 of the empty string.
#[must_use]
pub fn empty_root() -> Id {
    Id(sha256(&[]))
}

/// A tree that takes its leaves one by one: one hash of memory per level.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Slot `l` holds the root of a full subtree of 2^l leaves where bit `l` of `size` is set.
    slots: [Id; MAX_PATH],
    size: u32,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [Id::ZERO; MAX_PATH],
            size: 0,
        }
    }

    /// How many leaves were pushed.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Appends the leaf with this hash (see [`leaf_hash`]).
    pub fn push(&mut self, leaf: Id) -> Result<(), MerkleError> {
        let size = self.size.checked_add(1).ok_or(MerkleError::Full)?;
        // Like a binary counter: full subtrees of one size merge until a free slot takes the sum.
        let mut hash = leaf;
        let mut bits = self.size;
        for slot in &mut self.slots {
            if bits & 1 == 0 {
                *slot = hash;
                break;
            }
            hash = node_hash(slot, &hash);
            bits >>= 1;
        }
        self.size = size;
        Ok(())
    }

    /// The root over the leaves so far.
    #[must_use]
    pub fn root(&self) -> Id {
        let mut root: Option<Id> = None;
        let mut bits = self.size;
        for slot in &self.slots {
            if bits & 1 == 1 {
                // The larger subtree stands to the left of all that came after it.
                root = Some(match root {
                    Some(right) => node_hash(slot, &right),
                    None => *slot,
                });
            }
            bits >>= 1;
        }
        root.unwrap_or_else(empty_root)
    }
}

/// The root over leaf hashes in order.
pub fn root(leaves: impl IntoIterator<Item = Id>) -> Result<Id, MerkleError> {
    let mut tree = Tree::new();
    for leaf in leaves {
        tree.push(leaf)?;
    }
    Ok(tree.root())
}

/// The largest power of two that is smaller than `n`, where RFC 9162 splits a tree of `n` > 1 leaves.
pub(crate) const fn split(n: u32) -> u32 {
    let last = n.saturating_sub(1);
    if last == 0 {
        return 0;
    }
    (1_u32 << 31) >> last.leading_zeros()
}

/// How many hashes the inclusion path of leaf `index` has in a tree of `size` leaves.
pub const fn path_length(index: u32, size: u32) -> Result<usize, MerkleError> {
    if index >= size {
        return Err(MerkleError::Index);
    }
    // Where the leaf's way leaves the right edge, every level below has a sibling; above, only where it is a right child.
    let edge = size.saturating_sub(1);
    let inner = u32::BITS.saturating_sub((index ^ edge).leading_zeros());
    let border = match index.checked_shr(inner) {
        Some(rest) => rest.count_ones(),
        None => 0,
    };
    Ok(inner.saturating_add(border) as usize)
}

/// Writes the inclusion path of leaf `index` of a tree of `size` leaves to the front of `out`; returns its length.
///
/// `leaf` gives the hash of the leaf with an index; each of the others is asked for once. RFC 9162 section 2.1.3.1.
pub fn path(
    index: u32,
    size: u32,
    mut leaf: impl FnMut(u32) -> Id,
    out: &mut [Id],
) -> Result<usize, MerkleError> {
    let length = path_length(index, size)?;
    let out = out.get_mut(..length).ok_or(MerkleError::Full)?;
    let (mut first, mut end) = (0_u32, size);
    // The outermost sibling is the last of the path, so fill from the end while going down.
    for slot in out.iter_mut().rev() {
        let middle = first.saturating_add(split(end.saturating_sub(first)));
        let sibling = if index < middle {
            let range = middle..end;
            end = middle;
            range
        } else {
            let range = first..middle;
            first = middle;
            range
        };
        *slot = root(sibling.map(&mut leaf))?;
    }
    Ok(length)
}

/// The root that leaf hash `leaf` at `index` of a tree of `size` leaves and `path` lead to. RFC 9162 section 2.1.3.2.
pub fn root_from_path<B: Borrow<Id>>(
    leaf: &Id,
    index: u32,
    size: u32,
    path: impl IntoIterator<Item = B>,
) -> Result<Id, MerkleError> {
    let mut path = path.into_iter();
    walk(leaf, index, size, &mut || {
        path.next().map(|id| *id.borrow())
    })
}

/// One body for whatever the path comes from.
#[inline(never)]
fn walk(
    leaf: &Id,
    index: u32,
    size: u32,
    next: &mut dyn FnMut() -> Option<Id>,
) -> Result<Id, MerkleError> {
    if index >= size {
        return Err(MerkleError::Index);
    }
    let (mut at, mut last) = (index, size.saturating_sub(1));
    let mut hash = *leaf;
    while let Some(sibling) = next() {
        if last == 0 {
            return Err(MerkleError::PathLength);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(&sibling, &hash);
            // On the right edge a node without a sibling is lifted unchanged until it is a right child.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, &sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(MerkleError::PathLength);
    }
    Ok(hash)
}

/// Checks that leaf hash `leaf` stands at `index` in the tree of `size` leaves with this root.
pub fn verify_inclusion<B: Borrow<Id>>(
    leaf: &Id,
    index: u32,
    size: u32,
    path: impl IntoIterator<Item = B>,
    root: &Id,
) -> Result<(), MerkleError> {
    if root_from_path(leaf, index, size, path)? == *root {
        Ok(())
    } else {
        Err(MerkleError::Root)
    }
}

/// All nodes of a tree in the caller's memory: each path in O(log n).
#[derive(Debug)]
pub struct Levels<'m> {
    /// Level after level, leaves first; a last node without a sibling is lifted to the next level unchanged.
    nodes: &'m [Id],
    size: u32,
}

impl<'m> Levels<'m> {
    /// How many ids of memory a tree of `size` leaves takes, or `None` where this machine cannot count them.
    #[must_use]
    pub fn memory(size: u32) -> Option<usize> {
        let mut sum = 0_usize;
        let mut width = usize::try_from(size).ok()?;
        loop {
            sum = sum.checked_add(width)?;
            if width <= 1 {
                return Some(sum);
            }
            width = width.div_ceil(2);
        }
    }

    /// Builds the tree over the first `size` hashes of `memory`, which are its leaves; the rest is overwritten.
    pub fn build(memory: &'m mut [Id], size: u32) -> Result<Self, MerkleError> {
        let need = Self::memory(size).ok_or(MerkleError::Full)?;
        let memory = memory.get_mut(..need).ok_or(MerkleError::Full)?;
        let mut width = usize::try_from(size).map_err(|_| MerkleError::Full)?;
        let mut rest = &mut memory[..];
        while width > 1 {
            let (level, above) = rest.split_at_mut_checked(width).ok_or(MerkleError::Full)?;
            for (pair, node) in level.chunks(2).zip(above.iter_mut()) {
                *node = match pair {
                    [left, right] => node_hash(left, right),
                    [only] => *only,
                    _ => Id::ZERO,
                };
            }
            rest = above;
            width = width.div_ceil(2);
        }
        Self::built(memory, size)
    }

    /// The tree of `size` leaves that [`Self::build`] left in this memory.
    pub fn built(memory: &'m [Id], size: u32) -> Result<Self, MerkleError> {
        let need = Self::memory(size).ok_or(MerkleError::Full)?;
        let nodes = memory.get(..need).ok_or(MerkleError::Full)?;
        Ok(Self { nodes, size })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Id {
        self.nodes.last().copied().unwrap_or_else(empty_root)
    }

    /// Writes the inclusion path of leaf `index` to the front of `out`; returns its length.
    pub fn path(&self, index: u32, out: &mut [Id]) -> Result<usize, MerkleError> {
        let length = path_length(index, self.size)?;
        let mut slots = out.get_mut(..length).ok_or(MerkleError::Full)?.iter_mut();
        let mut at = usize::try_from(index).map_err(|_| MerkleError::Index)?;
        let mut width = usize::try_from(self.size).map_err(|_| MerkleError::Index)?;
        let mut rest = self.nodes;
        while width > 1 {
            let (level, above) = rest.split_at_checked(width).ok_or(MerkleError::Full)?;
            if let Some(sibling) = level.get(at ^ 1) {
                *slots.next().ok_or(MerkleError::PathLength)? = *sibling;
            }
            at >>= 1;
            rest = above;
            width = width.div_ceil(2);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(i: u32) -> Id {
        // Lengths 0 to 40, so that leaves of 32 bytes (as transaction ids are) and others are all met.
        let bytes: Vec<u8> = (0..i % 41).map(|k| (i ^ (k * 7)) as u8).collect();
        leaf_hash(&bytes)
    }

    /// The definition of RFC 9162 section 2.1.1, word for word and recursive.
    fn defined_root(leaves: &[Id]) -> Id {
        match leaves {
            [] => Id(sha256(&[b""])),
            [one] => *one,
            _ => {
                let mut k = 1;
                while k * 2 < leaves.len() {
                    k *= 2;
                }
                node_hash(&defined_root(&leaves[..k]), &defined_root(&leaves[k..]))
            }
        }
    }

    /// PATH(m, D_n) of RFC 9162 section 2.1.3.1, recursive.
    fn defined_path(m: usize, leaves: &[Id]) -> Vec<Id> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let mut k = 1;
        while k * 2 < leaves.len() {
            k *= 2;
        }
        let (mut path, sibling) = if m < k {
            (defined_path(m, &leaves[..k]), defined_root(&leaves[k..]))
        } else {
            (
                defined_path(m - k, &leaves[k..]),
                defined_root(&leaves[..k]),
            )
        };
        path.push(sibling);
        path
    }

    fn leaves(size: u32) -> Vec<Id> {
        (0..size).map(leaf).collect()
    }

    /// The leaves of the Certificate Transparency reference tests; the roots were computed apart, by hashlib in Python
    /// from the definition.
    #[test]
    fn known_roots() {
        let data: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::new();
        for (size, wanted) in roots.iter().enumerate() {
            assert_eq!(hex::encode(tree.root().0), *wanted, "size {size}");
            if let Some(bytes) = data.get(size) {
                tree.push(leaf_hash(bytes)).unwrap();
            }
        }
    }

    #[test]
    fn every_size_to_70_follows_the_definition() {
        for size in 0..=70 {
            let all = leaves(size);
            let expected = defined_root(&all);
            assert_eq!(root(all.iter().copied()).unwrap(), expected, "size {size}");
            let mut memory = vec![Id::ZERO; Levels::memory(size).unwrap()];
            memory[..all.len()].copy_from_slice(&all);
            let levels = Levels::build(&mut memory, size).unwrap();
            assert_eq!(levels.root(), expected, "size {size}");
            for index in 0..size {
                let wanted = defined_path(index as usize, &all);
                let mut out = [Id::ZERO; MAX_PATH];
                let n = path(index, size, |i| all[i as usize], &mut out).unwrap();
                assert_eq!(&out[..n], wanted, "path of {index} in {size}");
                let n = levels.path(index, &mut out).unwrap();
                assert_eq!(&out[..n], wanted, "level path of {index} in {size}");
                assert_eq!(path_length(index, size), Ok(wanted.len()));
                verify_inclusion(&all[index as usize], index, size, &wanted, &expected).unwrap();
            }
        }
    }

    #[test]
    fn no_other_index_or_size_passes() {
        let size = 37;
        let all = leaves(size);
        let expected = defined_root(&all);
        for index in 0..size {
            let way = defined_path(index as usize, &all);
            for other in (0..=70).filter(|i| *i != index) {
                assert!(
                    verify_inclusion(&all[index as usize], other, size, &way, &expected).is_err()
                );
            }
            assert_eq!(
                root_from_path(&all[index as usize], size, size, &way),
                Err(MerkleError::Index)
            );
            // A path alone fixes neither the size nor the index, which is why the header carries the count; but a size
            // whose path has another length is refused as such.
            for other in 0..=70 {
                if path_length(index, other) != Ok(way.len()) {
                    assert!(root_from_path(&all[index as usize], index, other, &way).is_err());
                }
            }
        }
    }

    #[test]
    fn wrong_length_and_wrong_hash_are_told_apart() {
        let all = leaves(7);
        let expected = defined_root(&all);
        let way = defined_path(2, &all);
        assert_eq!(
            verify_inclusion(&all[2], 2, 7, &way[..2], &expected),
            Err(MerkleError::PathLength)
        );
        let mut long = way.clone();
        long.push(Id::ZERO);
        assert_eq!(
            verify_inclusion(&all[2], 2, 7, &long, &expected),
            Err(MerkleError::PathLength)
        );
        for at in 0..way.len() {
            let mut bad = way.clone();
            bad[at].0[31] ^= 1;
            assert_eq!(
                verify_inclusion(&all[2], 2, 7, &bad, &expected),
                Err(MerkleError::Root)
            );
        }
        assert_eq!(
            verify_inclusion(&all[3], 2, 7, &way, &expected),
            Err(MerkleError::Root)
        );
        assert_eq!(
            root_from_path::<Id>(&all[0], 0, 0, []),
            Err(MerkleError::Index)
        );
    }

    #[test]
    fn a_node_is_no_leaf() {
        let all = leaves(2);
        let mut node = [0; 64];
        node[..32].copy_from_slice(&all[0].0);
        node[32..].copy_from_slice(&all[1].0);
        assert_ne!(leaf_hash(&node), node_hash(&all[0], &all[1]));
    }

    #[test]
    fn short_output_is_full_and_untouched() {
        let all = leaves(9);
        let mut out = [Id([7; 32]); 3];
        assert_eq!(
            path(0, 9, |i| all[i as usize], &mut out),
            Err(MerkleError::Full)
        );
        assert_eq!(out, [Id([7; 32]); 3]);
        let mut memory = [Id::ZERO; 18];
        assert_eq!(Levels::memory(9), Some(9 + 5 + 3 + 2 + 1));
        assert!(matches!(
            Levels::build(&mut memory, 9),
            Err(MerkleError::Full)
        ));
    }

    #[test]
    fn lengths_at_the_far_end() {
        assert_eq!(path_length(0, u32::MAX), Ok(32));
        assert_eq!(path_length(u32::MAX - 1, u32::MAX), Ok(31));
        assert_eq!(path_length(1 << 31, (1 << 31) + 1), Ok(1));
        assert_eq!(path_length(0, 1), Ok(0));
        assert_eq!(path_length(0, 0), Err(MerkleError::Index));
        assert_eq!(split(2), 1);
        assert_eq!(split(u32::MAX), 1 << 31);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_tree_any_leaf(size in 1_u32..600, pick in any::<u32>(), flip in any::<u8>()) {
            let index = pick % size;
            let all = leaves(size);
            let expected = defined_root(&all);
            let mut out = [Id::ZERO; MAX_PATH];
            let n = path(index, size, |i| all[i as usize], &mut out).unwrap();
            let way = &mut out[..n];
            prop_assert_eq!(verify_inclusion(&all[index as usize], index, size, &*way, &expected), Ok(()));
            if n > 0 {
                way[usize::from(flip) % n].0[usize::from(flip) % 32] ^= 0x40;
                prop_assert_eq!(
                    verify_inclusion(&all[index as usize], index, size, &*way, &expected),
                    Err(MerkleError::Root)
                );
            }
        }

        #[test]
        fn garbage_never_panics(leaf in any::<[u8; 32]>(), index in any::<u32>(), size in any::<u32>(),
            raw in proptest::collection::vec(any::<[u8; 32]>(), 0..40)) {
            let way: Vec<Id> = raw.into_iter().map(Id).collect();
            let result = root_from_path(&Id(leaf), index, size, &way);
            prop_assert_eq!(result.is_ok(), path_length(index, size) == Ok(way.len()));
        }
    }
}
