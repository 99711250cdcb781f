//! Copies that cannot fail.
//!
//! The standard library's stop the device where lengths differ, and a compiler that saves space does not always see that they never do.

use heapless::Vec;

/// Copies as many elements as both have.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The parts one behind the other. They are as long as `N` together: a test of the caller's that reaches it fails otherwise.
pub(crate) fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let mut rest = out.as_mut_slice();
    for part in parts {
        let (place, behind) = rest.split_at_mut_checked(part.len()).unwrap_or_default();
        debug_assert_eq!(place.len(), part.len());
        copy(place, part);
        rest = behind;
    }
    debug_assert!(rest.is_empty());
    out
}

/// As many elements as there is room for.
pub(crate) fn gather<T, const N: usize>(from: impl Iterator<Item = T>) -> Vec<T, N> {
    let mut list = Vec::new();
    for element in from {
        if list.push(element).is_err() {
            break;
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_fits() {
        let mut to = [0u8; 3];
        copy(&mut to, &[1, 2, 3, 4]);
        assert_eq!(to, [1, 2, 3]);
        copy(&mut to, &[9]);
        assert_eq!(to, [9, 2, 3]);
        assert_eq!(gather::<u8, 2>([1, 2, 3].into_iter()).as_slice(), [1, 2]);
        assert_eq!(gather::<u8, 4>([1, 2, 3].into_iter()).as_slice(), [1, 2, 3]);
    }

    #[test]
    fn joins_what_is_as_long_as_it_says() {
        assert_eq!(joined::<5>(&[b"ab", b"", b"c", b"de"]), *b"abcde");
        for parts in [&[&b"ab"[..], b"cd"][..], &[b"ab", b"cdef"], &[]] {
            let wrong = std::panic::catch_unwind(|| joined::<5>(parts));
            assert!(wrong.is_err(), "{parts:?}");
        }
    }
}
