//! Lists in order.
//!
//! The standard library's sorts are made for long lists: each of them takes 2 to 7 KB of flash for each type that it sorts. What a device sorts
//! are some parents, votes or clocks.

/// Sorts a short list in place, by insertion: cheap where it is nearly in order. Equal elements stay as they were.
pub(crate) fn sort_few<T>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    let _ = sort_few_within(list, usize::MAX, &before);
}

/// By insertion, with so many swaps at most: false where they were not enough.
fn sort_few_within<T>(list: &mut [T], mut swaps: usize, before: &impl Fn(&T, &T) -> bool) -> bool {
    for end in 1..=list.len() {
        let mut head = list.get_mut(..end).unwrap_or(&mut []);
        while let [rest @ .., left, right] = head
            && before(right, left)
        {
            if swaps == 0 {
                return false;
            }
            swaps = swaps.saturating_sub(1);
            core::mem::swap(left, right);
            let shorter = rest.len().saturating_add(1);
            head = head.get_mut(..shorter).unwrap_or(&mut []);
        }
    }
    true
}

/// Sorts a list of any length in place. One that is nearly in order, as what arrives is, takes little more than a comparison an element; any other is sorted as a heap,
/// so that it is never more than n log n. Takes no memory, and nothing in it can panic (the standard library's does where an order is none).
pub(crate) fn sort_many<T: Copy>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    if !sort_few_within(list, list.len(), &before) {
        sort_as_heap(list, before);
    }
}

fn sort_as_heap<T: Copy>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    let len = list.len();
    for root in (0..len / 2).rev() {
        sink(list, root, &before);
    }
    for end in (1..len).rev() {
        if let Some([first, .., last]) = list.get_mut(..=end) {
            core::mem::swap(first, last);
        }
        sink(list.get_mut(..end).unwrap_or(&mut []), 0, &before);
    }
}

/// Lets the element at `root` sink until nothing below it belongs behind it. What comes from the end of a heap nearly always belongs there again: so the hole goes
/// down to a leaf first, with one comparison a level, and the element climbs from there (Wegener, "Bottom-up heapsort", 1993). Half the comparisons of sinking.
fn sink<T: Copy>(heap: &mut [T], root: usize, before: &impl Fn(&T, &T) -> bool) {
    let Some(&sinking) = heap.get(root) else {
        return;
    };
    let mut hole = root;
    loop {
        let left = hole.saturating_mul(2).saturating_add(1);
        let Some(&(mut greatest)) = heap.get(left) else {
            break;
        };
        let mut below = left;
        let right = left.saturating_add(1);
        if let Some(&other) = heap.get(right)
            && before(&greatest, &other)
        {
            (below, greatest) = (right, other);
        }
        if let Some(place) = heap.get_mut(hole) {
            *place = greatest;
        }
        hole = below;
    }
    while hole > root {
        let above = hole.saturating_sub(1) / 2;
        let Some(&parent) = heap.get(above) else {
            break;
        };
        if !before(&parent, &sinking) {
            break;
        }
        if let Some(place) = heap.get_mut(hole) {
            *place = parent;
        }
        hole = above;
    }
    if let Some(place) = heap.get_mut(hole) {
        *place = sinking;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(mut list in prop::collection::vec((0u8..8, any::<u16>()), 0..70)) {
            let mut same = list.clone();
            same.sort_by_key(|item| item.0);
            sort_few(&mut list, |a, b| a.0 < b.0);
            prop_assert_eq!(list, same);
        }

        #[test]
        fn long_ones_too(mut list in prop::collection::vec(any::<u16>(), 0..600)) {
            let mut same = list.clone();
            same.sort_unstable();
            sort_many(&mut list, |a, b| a < b);
            prop_assert_eq!(list, same);
        }

        /// Little over n log n, and one each where all is in order.
        #[test]
        fn with_few_comparisons(mut list in prop::collection::vec(any::<u32>(), 64..600)) {
            let counted = core::cell::Cell::new(0usize);
            let before = |a: &u32, b: &u32| {
                counted.set(counted.get() + 1);
                a < b
            };
            sort_many(&mut list, before);
            let levels = (list.len() * 2 - 1).ilog2() as usize;
            prop_assert!(counted.replace(0) <= list.len() * (levels + 3));
            sort_many(&mut list, before);
            prop_assert_eq!(counted.get(), list.len() - 1);
        }
    }
}
