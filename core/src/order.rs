//! Short lists in order.
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
    }
}
