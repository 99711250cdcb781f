//! Which subtrees a tree of so many chunks has, and which of them a receiver knows that takes chunk after chunk.

use super::MAX_LEVELS;
use crate::wire::merkle::split;
use heapless::Vec;

/// Ends of subtrees; more than a tree has levels are never known at once.
pub(super) type Ends = Vec<u32, { MAX_LEVELS + 1 }>;

/// Where the subtrees end that begin at `first`, from the one that ends at `end` down to the leaf.
pub(super) fn descend(first: u32, end: u32) -> Ends {
    let mut ends = Ends::new();
    let mut at = end;
    while ends.push(at).is_ok() && at.saturating_sub(first) > 1 {
        at = first.saturating_add(split(at.saturating_sub(first)));
    }
    ends
}

/// Where the subtrees end that are still to come once all chunks before `next` are here, the nearest last.
pub(super) fn known(count: u32, next: u32) -> Ends {
    let mut ends = Ends::new();
    let Some(last) = next.checked_sub(1) else {
        let _ = ends.push(count);
        return ends;
    };
    let (mut first, mut end) = (0, count);
    while end.saturating_sub(first) > 1 {
        let middle = split(end.saturating_sub(first)).saturating_add(first);
        if last < middle {
            let _ = ends.push(end);
            end = middle;
        } else {
            first = middle;
        }
    }
    ends
}

/// Whether a tree of `count` chunks has a subtree of `first..end`.
pub(super) fn is_subtree(count: u32, first: u32, end: u32) -> bool {
    let (mut from, mut to) = (0, count);
    while (from, to) != (first, end) {
        if to.saturating_sub(from) <= 1 {
            return false;
        }
        let middle = split(to.saturating_sub(from)).saturating_add(from);
        if first < middle {
            to = middle;
        } else {
            from = middle;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_follows_from_the_place() {
        assert_eq!(known(7, 0).as_slice(), [7]);
        assert_eq!(known(7, 1).as_slice(), [7, 4, 2]);
        assert_eq!(known(7, 4).as_slice(), [7]);
        assert_eq!(known(7, 6).as_slice(), [7]);
        assert_eq!(known(7, 7).as_slice(), [0; 0]);
        assert_eq!(descend(0, 7).as_slice(), [7, 4, 2, 1]);
        assert_eq!(descend(4, 7).as_slice(), [7, 6, 5]);
        assert_eq!(descend(6, 7).as_slice(), [7]);
    }

    #[test]
    fn the_subtrees_to_come_are_subtrees_side_by_side() {
        for count in 1..70 {
            for next in 0..=count {
                let mut first = next;
                for end in known(count, next).iter().rev() {
                    assert!(is_subtree(count, first, *end), "{count} {first} {end}");
                    for end in &descend(first, *end) {
                        assert!(is_subtree(count, first, *end), "{count} {first} {end}");
                    }
                    first = *end;
                }
                assert_eq!(first, count);
            }
        }
        for (first, end) in [(1, 3), (0, 3), (0, 8), (3, 3), (7, 8), (5, 7), (4, 3)] {
            assert!(!is_subtree(7, first, end), "{first} {end}");
        }
    }

    #[test]
    fn no_tree_is_deeper_than_the_lists() {
        let most = super::super::MAX_CHUNKS;
        assert_eq!(descend(0, most).len(), MAX_LEVELS + 1);
        assert_eq!(known(most, 1).len(), MAX_LEVELS);
    }
}
