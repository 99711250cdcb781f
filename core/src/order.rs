//! Lists in order.
//!
//! The standard library's sorts are made for long lists: each of them takes 2 to 7 KB of flash for each type that it sorts. What a device sorts
//! are some parents, votes or clocks.

/// Sorts a short list in place, by insertion: cheap where it is nearly in order. Equal elements stay as they were.
pub(crate) fn sort_few<T>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 1..=list.len() {
        let mut head = list.get_mut(..end).unwrap_or(&mut []);
        while let [rest @ .., left, right] = head
            && before(right, left)
        {
            core::mem::swap(left, right);
            let shorter = rest.len().saturating_add(1);
            head = head.get_mut(..shorter).unwrap_or(&mut []);
        }
    }
}

/// Sorts a list of any length in place, as a heap: never more than n log n, no memory, and nothing in it can panic (the standard library's does where an order is
/// none).
pub(crate) fn sort_many<T: Copy>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
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

/// Lets the element at `root` sink until nothing below it belongs behind it.
fn sink<T: Copy>(heap: &mut [T], mut root: usize, before: &impl Fn(&T, &T) -> bool) {
    let Some(&sinking) = heap.get(root) else {
        return;
    };
    loop {
        let left = root.saturating_mul(2).saturating_add(1);
        let mut below = left;
        let Some(mut greatest) = heap.get(left).copied() else {
            break;
        };
        let right = left.saturating_add(1);
        if let Some(&other) = heap.get(right)
            && before(&greatest, &other)
        {
            (below, greatest) = (right, other);
        }
        if !before(&sinking, &greatest) {
            break;
        }
        if let Some(place) = heap.get_mut(root) {
            *place = greatest;
        }
        root = below;
    }
    if let Some(place) = heap.get_mut(root) {
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
    }
}
